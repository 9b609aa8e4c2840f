#!/bin/sh
# Prints what happens in a workspace, one event a line as JSON, each once and in order: with curl and nothing else.
#
#   export WORKGRAPH_URL=http://127.0.0.1:8080 WORKGRAPH_TOKEN=eyJ…
#   sh follow.sh cursor.txt | while IFS= read -r event; do …; done
#
# cursor.txt keeps where it stands. Started again, it goes on from there; without the file it begins now. It comes back
# when the connection breaks, and ends with status 1 when that cannot help: when the token ends, or the cursor is wrong.
set -eu

: "${WORKGRAPH_URL:?set it to the server}" "${WORKGRAPH_TOKEN:?set it to a token}"
kept=${1:?name a file that keeps the cursor}
# The server sends a frame every 15 seconds. After so many without one, nobody is there.
patience=${WORKGRAPH_PATIENCE:-40}

# `position` and `previous` stand first, so that sed finds them.
query='subscription { activity { position previous event { seq actor action targetType targetId targetTitle } } }'
numbers='s/^{"data":{"activity":{"position":"\([0-9]*\)","previous":"\([0-9]*\)".*/\1 \2/p'
event='s/^.*,"event":\({.*}\)}}}$/\1/p'

work=$(mktemp -d)
job='' stopped=''
trap 'rm -rf "$work"' EXIT
# Not within an event: what is printed is also kept.
trap 'stopped=130; end' INT
trap 'stopped=143; end' TERM
mkfifo "$work/stream"

say() {
    printf 'follow.sh: %s\n' "$*" >&2
}

# Ends what is waited for.
end() {
    kill $job 2>/dev/null || :
}

give_up() {
    end
    exit 1
}

# Reads one connection to its end. An event counts when its empty line has come: a broken connection may end within one.
follow() {
    data='' id='' line=''
    while IFS= read -r line; do
        case $line in
            'data: '*) data=${line#data: } ;;
            'id: '*) id=${line#id: } ;;
            '')
                if [ -n "$data" ]; then take || return 0; fi
                data='' id=''
                ;;
        esac
    done
    # What is refused is no stream but one line of JSON, without an end.
    case $line in '{'*) refuse "$line" ;; esac
}

# Prints an event, if the frame has one, and keeps the cursor.
take() {
    # shellcheck disable=SC2046 # two numbers, or nothing
    set -- $(printf '%s\n' "$data" | sed -n "$numbers")
    if [ $# -ne 2 ]; then
        refuse "$data"
        return 1
    fi
    if [ "${last:-$2}" != "$2" ]; then
        say "the frame before was at $last, and the stream says $2"
        return 1
    fi
    printf '%s\n' "$data" | sed -n "$event" || give_up
    last=$1 pause=1
    printf '%s\n' "$id" >"$kept.new"
    mv "$kept.new" "$kept"
}

# Ends, unless another try from the kept cursor can help.
refuse() {
    say "$1"
    for code in RESYNC_REQUIRED UNAVAILABLE DEADLINE_EXCEEDED RATE_LIMITED INTERNAL; do
        case $1 in *"\"code\":\"$code\""*) return ;; esac
    done
    give_up
}

last='' pause=1
while [ -z "$stopped" ]; do
    # In a file, because everyone can read a command line.
    printf '%s\n' "Authorization: Bearer $WORKGRAPH_TOKEN" "Last-Event-ID: $(cat "$kept" 2>/dev/null)" \
        'Content-Type: application/json' 'Accept: text/event-stream' >"$work/headers"
    curl --silent --show-error --no-buffer --connect-timeout 10 --speed-limit 1 --speed-time "$patience" \
        --header "@$work/headers" --data "{\"query\": \"$query\"}" "$WORKGRAPH_URL/graphql" >"$work/stream" &
    job=$!
    [ -z "$stopped" ] || end
    follow <"$work/stream"
    end
    wait $job || :
    if [ -z "$stopped" ]; then
        sleep "$pause" &
        job=$!
        wait $job || :
        pause=$((pause < 16 ? pause * 2 : 30))
    fi
done
end
exit "$stopped"
