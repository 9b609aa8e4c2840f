//! Tags in the text of a cue.

use super::time::is_stamp;

/// A piece of a cue's text, without tags.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Piece {
    /// The voice it is spoken in; `None` outside of any.
    pub(super) voice: Option<String>,
    /// What is said.
    pub(super) text: String,
}

/// Splits a text of WebVTT at its tags. Voice spans (`<v Ann>`) part the pieces, its other tags are dropped.
///
/// What WebVTT has no tag for (`a < b`, `Vec<String>`, `<inaudible>`) is text, though it would have it escaped or leave
/// it out: people forget, and their words must not get lost.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = vec![Piece::default()];
    each(text, |part| {
        let Some(piece) = pieces.last_mut() else {
            return true;
        };
        let inner = match part {
            Part::Text(text) => {
                piece.text.push_str(text);
                return true;
            }
            Part::Tag(inner) => inner,
        };
        let voice = voice(inner);
        if voice.is_some() || inner == "/v" {
            let text = String::new();
            pieces.push(Piece { voice, text });
            return true;
        }
        is_web_vtt(inner)
    });
    pieces
}

/// A text of SubRip without its tags: `b`, `i`, `u`, `s` and `font`. Everything else in angle brackets is text.
pub(super) fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    each(text, |part| match part {
        Part::Text(text) => {
            plain.push_str(text);
            true
        }
        Part::Tag(inner) => is_sub_rip(inner),
    });
    plain
}

enum Part<'t> {
    Text(&'t str),
    /// What stands between `<` and `>`.
    Tag(&'t str),
}

/// Gives `take` the parts of a text; a tag that it does not take comes again as text.
fn each<'t>(text: &'t str, mut take: impl FnMut(Part<'t>) -> bool) {
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        take(Part::Text(&rest[..open]));
        rest = &rest[open..];
        // Looking no further than the next `<` keeps a text full of them linear.
        let end = rest[1..].find(['<', '>']).map_or(rest.len(), |end| end + 1);
        if !rest[end..].starts_with('>') {
            take(Part::Text(&rest[..end]));
            rest = &rest[end..];
            continue;
        }
        let (tag, after) = rest.split_at(end + 1);
        if !take(Part::Tag(&tag[1..end])) {
            take(Part::Text(tag));
        }
        rest = after;
    }
    take(Part::Text(rest));
}

/// Whether this is a tag of WebVTT other than a voice: `i`, `/i`, `c.loud`, `lang en`, `00:00:01.000`.
fn is_web_vtt(inner: &str) -> bool {
    let name = inner.strip_prefix('/').unwrap_or(inner);
    let (tag, about) = name.split_once(char::is_whitespace).unwrap_or((name, ""));
    let tag = tag.split('.').next().unwrap_or(tag);
    match tag {
        "lang" => true,
        // With a space or words behind it, it is a sentence in brackets, or less and more: `a <b > c`.
        "c" | "i" | "b" | "u" | "ruby" | "rt" => about.is_empty() && !name.ends_with(' '),
        _ => name.is_empty() && inner == "/" || is_stamp(inner) || is_sub_rip(inner),
    }
}

/// Whether this is a tag of SubRip: `i`, `/B`, `font color="red"`.
fn is_sub_rip(inner: &str) -> bool {
    let name = inner.strip_prefix('/').unwrap_or(inner);
    let font = name.get(..4).filter(|tag| tag.eq_ignore_ascii_case("font"));
    ["b", "i", "u", "s", "font"]
        .iter()
        .any(|tag| name.eq_ignore_ascii_case(tag))
        || font.is_some() && name[4..].starts_with(char::is_whitespace) && name.contains('=')
}

/// The name in `v Ann` and `v.loud.angry Ann`.
fn voice(tag: &str) -> Option<String> {
    let rest = tag.strip_prefix('v')?;
    let (classes, name) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let is_voice = classes.is_empty() || classes.starts_with('.');
    is_voice.then(|| name.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_web_vtt_part_and_vanish() {
        for (text, expected) in [
            ("a <i>b</i> c", vec![(None, "a b c")]),
            (
                "<v Ann>a</v>b",
                vec![(None, ""), (Some("Ann"), "a"), (None, "b")],
            ),
            (
                "<v.x  Ann  Bo >a<v C>b",
                vec![(None, ""), (Some("Ann Bo"), "a"), (Some("C"), "b")],
            ),
            ("a<00:00:01.000> b", vec![(None, "a b")]),
            (
                "<c.red.big>a</c> <ruby>b<rt>c</rt></ruby> <lang en>d</lang> <font color=red>e</font>",
                vec![(None, "a bc d e")],
            ),
            (
                "1 < 2 <3 <video>x</video> y > z <",
                vec![(None, "1 < 2 <3 <video>x</video> y > z <")],
            ),
            (
                "Vec<String> <inaudible> <i think so> <1:02> <nora@acme.example>",
                vec![(
                    None,
                    "Vec<String> <inaudible> <i think so> <1:02> <nora@acme.example>",
                )],
            ),
        ] {
            let found = pieces(text);
            let found: Vec<_> = found
                .iter()
                .map(|piece| (piece.voice.as_deref(), piece.text.as_str()))
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn tags_of_sub_rip_vanish_and_no_others() {
        for (text, plain) in [
            ("<i>a</i> <B>b</B> <u>c</u> <s>d</s>", "a b c d"),
            ("<font color=\"red\">e</font> <FONT FACE=x>f</FONT>", "e f"),
            (
                "Make it a Vec<String> and mail <nora@acme.example> <inaudible>",
                "Make it a Vec<String> and mail <nora@acme.example> <inaudible>",
            ),
            (
                "<v Ann>a</v> <br> <fonts> <font of all> 1 < 2",
                "<v Ann>a</v> <br> <fonts> <font of all> 1 < 2",
            ),
            ("<<i>a</i>>", "<a>"),
        ] {
            assert_eq!(without_tags(text), plain, "{text:?}");
        }
    }
}
