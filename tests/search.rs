//! Full-text search: what is found, and in which order.

mod words;

use crate::{
    search_index::count,
    support::{ACME, Client, DEMO},
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SEARCH: &str = "query($query: String!, $types: [SearchType!], $project: ID, $first: Int, $after: Cursor) {
    search(query: $query, types: $types, projectId: $project, first: $first, after: $after) {
        nodes { type title where snippet snippetParts { text isMatch } createdAt project { id } node { __typename id } }
        pageInfo { hasNextPage hasPreviousPage endCursor }
    }
}";

on_both_databases! {
    async fn rows_are_found_by_title_summary_and_transcript(app) {
        let client = app.owner().await;
        let project = create(&client, "createProject", "project", json!({
            "name": "Zwickel storage", "description": "Where a quoll may sleep",
        })).await;
        let goal = create(&client, "createGoal", "goal", json!({
            "projectId": project, "title": "Calm nights", "description": "A quoll, undisturbed", "outcome": "No zwickel is loud",
        })).await;
        let meeting = create(&client, "createMeeting", "meeting", json!({
            "projectId": project, "title": "Weekly", "context": "About noise",
            "transcript": { "text": "Ann: good morning\nBob: the quoll, again, was at the zwickel." },
        })).await;
        let brief = create(&client, "createPrd", "prd", json!({ "projectId": project, "title": "A zwickel for everyone" })).await;
        let ticket = create(&client, "createTicket", "ticket", json!({
            "projectId": project, "title": "Oil the hinge", "description": "of the Zwickel", "roleSlug": "dev_agent",
        })).await;

        let hits = search(&client, json!({ "query": "ZWICKEL" })).await;
        let told: Vec<_> = hits.iter().map(|hit| [&hit["type"], &hit["where"], &hit["node"]["id"]]).collect();
        let expected = [
            ["PRD", "TITLE", &brief], ["PROJECT", "TITLE", &project], ["TICKET", "SUMMARY", &ticket],
            ["GOAL", "SUMMARY", &goal], ["MEETING", "TRANSCRIPT", &meeting],
        ];
        assert_eq!(json!(told), json!(expected));
        assert!(hits.iter().all(|hit| hit["project"]["id"] == json!(project)));
        assert_eq!(hits[4]["snippet"], "Ann: good morning Bob: the quoll, again, was at the zwickel.");
        assert_eq!(marked(&hits[4]), ["zwickel"]);
        assert_eq!(hits[3]["snippet"], "A quoll, undisturbed No zwickel is loud");
        assert_eq!(hits[1]["title"], "Zwickel storage");
        assert_eq!(hits[1]["node"]["__typename"], "Project");

        // Words of one row may stand in different texts, but not in different rows.
        assert_eq!(ids(&client, "weekly quoll").await, [&*meeting]);
        assert_eq!(ids(&client, "storage morning").await, [""; 0]);
        // The last word may go on, the others must be whole.
        assert_eq!(ids(&client, "quoll zwi").await.len(), 3);
        assert_eq!(ids(&client, "zwi quoll").await.len(), 0);

        let goals = search(&client, json!({ "query": "quoll", "types": ["GOAL"] })).await;
        assert_eq!(goals.len(), 1);
        let elsewhere = create(&client, "createProject", "project", json!({ "name": "Elsewhere" })).await;
        assert_eq!(search(&client, json!({ "query": "quoll", "project": project })).await.len(), 3);
        assert_eq!(search(&client, json!({ "query": "quoll", "project": elsewhere })).await.len(), 0);
        assert_eq!(client.code(SEARCH, json!({ "query": "quoll", "types": [] })).await, "BAD_USER_INPUT");
    }

    async fn changes_are_followed(app) {
        let client = app.owner().await;
        let project = create(&client, "createProject", "project", json!({ "name": "Burrow" })).await;
        let goal = create(&client, "createGoal", "goal", json!({ "projectId": project, "title": "Find the numbat" })).await;
        create(&client, "updateGoal", "goal", json!({ "id": goal, "title": "Find the bilby", "outcome": "a dunnart" })).await;
        assert_eq!(ids(&client, "numbat").await, [""; 0]);
        assert_eq!(ids(&client, "bilby dunnart").await, [&*goal]);

        let meeting = create(&client, "createMeeting", "meeting", json!({
            "projectId": project, "title": "Walk", "transcript": { "text": "Ann: a quokka\nBob: where?" },
        })).await;
        assert_eq!(ids(&client, "quokka").await, [&*meeting]);
        create(&client, "editTranscript", "meeting", json!({
            "meetingId": meeting, "transcript": { "text": "Ann: a potoroo\nBob: where?" },
        })).await;
        assert_eq!(ids(&client, "quokka").await, [""; 0], "only the current version counts");
        assert_eq!(ids(&client, "potoroo").await, [&*meeting]);

        let connection = app.connection.across_tenants().await;
        let run = async |sql: String| { connection.execute_unprepared(&sql).await.expect("runs"); };
        // What SQL by hand has changed is noted, and done with the next write or start.
        let changed = format!("UPDATE transcripts SET \"fullText\" = 'a bandicoot' WHERE \"meetingId\" = '{meeting}'");
        assert!(connection.execute_unprepared(&changed).await.is_err(), "versions stay as they were written");
        app.connection.tamper(&changed).await;
        app.store.migrate().await.expect("makes the words");
        assert_eq!(ids(&client, "bandicoot").await, [&*meeting]);
        let forget = format!("DELETE FROM transcripts WHERE \"meetingId\" = '{meeting}'");
        app.connection.through("retention", &forget).await.expect("deletes");
        create(&client, "updateGoal", "goal", json!({ "id": goal, "description": "another write" })).await;
        assert_eq!(ids(&client, "bandicoot").await, [""; 0]);
        assert!(ids(&client, "walk").await.contains(&meeting));
        let documents = count(&connection, "SELECT count(*) AS n FROM search_documents").await;
        run(format!("DELETE FROM goals WHERE id = '{goal}'")).await;
        run(format!("DELETE FROM meetings WHERE id = '{meeting}'")).await;
        run(format!("DELETE FROM projects WHERE id = '{project}'")).await;
        assert_eq!(count(&connection, "SELECT count(*) AS n FROM search_documents").await, documents - 3);
        assert_eq!(ids(&client, "bilby").await, [""; 0]);
    }

    async fn pages_give_every_hit_once_and_in_order(app) {
        let client = app.owner().await;
        let project = create(&client, "createProject", "project", json!({ "name": "Okapi park" })).await;
        for number in 0..9 {
            let input = match number % 2 {
                0 => json!({ "projectId": project, "title": format!("okapi {number}") }),
                _ => json!({ "projectId": project, "title": format!("{number}"), "description": "with an okapi" }),
            };
            create(&client, "createGoal", "goal", input).await;
        }
        let whole = search(&client, json!({ "query": "okapi" })).await;
        assert_eq!(whole.len(), 10);
        let places: Vec<_> = whole.iter().map(|hit| (hit["where"] != "TITLE", std::cmp::Reverse(hit["createdAt"].as_str()))).collect();
        assert!(places.is_sorted(), "{places:?}");
        for size in [1, 3] {
            let (mut seen, mut after) = (Vec::new(), Value::Null);
            loop {
                let variables = json!({ "query": "okapi", "first": size, "after": after });
                let page = client.data(SEARCH, variables).await["search"].clone();
                assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_null());
                seen.extend(page["nodes"].as_array().expect("hits").iter().cloned());
                after = page["pageInfo"]["endCursor"].clone();
                if page["pageInfo"]["hasNextPage"] == false {
                    break;
                }
            }
            assert_eq!(seen, whole, "by {size}");
        }
    }

    async fn a_cursor_of_another_search_is_refused(app) {
        let (client, other) = (app.owner().await, app.client(ACME, "owner").await);
        let page = client.data(SEARCH, json!({ "query": "the", "first": 1 })).await;
        let after = &page["search"]["pageInfo"]["endCursor"];
        assert!(after.is_string());
        client.data(SEARCH, json!({ "query": "THE", "first": 9, "after": after })).await;
        for variables in [
            json!({ "query": "a", "after": after }),
            json!({ "query": "the", "types": ["GOAL"], "after": after }),
            json!({ "query": "the", "project": "p", "after": after }),
            json!({ "query": "the", "after": "bm8gY3Vyc29y" }),
        ] {
            assert_eq!(client.code(SEARCH, variables.clone()).await, "CURSOR_MISMATCH", "{variables}");
        }
        assert_eq!(other.code(SEARCH, json!({ "query": "the", "after": after })).await, "CURSOR_MISMATCH");
        let list = "query($c: Cursor) { tickets(after: $c) { nodes { id } } }";
        assert_eq!(client.code(list, json!({ "c": after })).await, "CURSOR_MISMATCH");
        let query = "{ search(query: \"the\", first: 201) { nodes { title } } }";
        assert_eq!(client.code(query, json!({})).await, "LIMIT_EXCEEDED");
    }

    async fn statements_do_not_grow_with_hits(app) {
        let client = app.owner().await;
        let project = create(&client, "createProject", "project", json!({ "name": "Tapir" })).await;
        create(&client, "createGoal", "goal", json!({ "projectId": project, "title": "tapir" })).await;
        let statements = async |query: &str, variables: Value| {
            let answer = client.send(query, variables).await;
            let statements = answer.statements();
            (statements, answer.data(query)["search"]["nodes"].as_array().expect("hits").len())
        };
        let plain = "{ search(query: \"tapir\", first: 100) { nodes { title where snippet createdAt } } }";
        // The hits, the goals, and the projects, which are nodes and projects of nodes at once.
        let few = (statements(plain, json!({})).await, statements(SEARCH, json!({ "query": "tapir", "first": 100 })).await);
        assert_eq!(few, ((1, 2), (3, 2)));
        for number in 0..40 {
            create(&client, "createGoal", "goal", json!({ "projectId": project, "title": format!("{number}"), "outcome": "tapir" })).await;
        }
        let many = (statements(plain, json!({})).await, statements(SEARCH, json!({ "query": "tapir", "first": 100 })).await);
        assert_eq!(many, ((1, 42), (3, 42)));
    }

    async fn a_hostile_query_costs_little(app) {
        let client = app.owner().await;
        let began = std::time::Instant::now();
        for query in [
            "会".repeat(200), "a b c d e f g h i j k l m n o p".to_owned(), "\u{fdfa}".repeat(200), "e\u{301}".repeat(100),
            format!("e{}", "\u{301}".repeat(199)), format!("会{}", "\u{3099}".repeat(199)), "\u{200d}".repeat(199) + "a",
            "\"*:'".repeat(49) + "a", "ﷺ ".repeat(16), "İ".repeat(200), "가".repeat(200), "\u{1100}".repeat(200),
        ] {
            let answer = client.send(SEARCH, json!({ "query": query })).await;
            assert!(answer.body["errors"].is_null(), "{query} {}", answer.body);
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    }

    async fn a_snippet_shows_the_match_wherever_it_stands(app) {
        let client = app.owner().await;
        let project = create(&client, "createProject", "project", json!({ "name": "Long" })).await;
        let before = "Ann: nothing to see in harbours, arborists or barbers.\n".repeat(300);
        for (text, query, match_) in [
            ("Bob: an arb, at last", "arb last", "arb"),
            ("Bob: “Größe” zählt", "GRÖSSE größ", "Größe"),
            ("Bob: “Größe” zählt", "große", ""),
            ("Bob: cafe\u{301}", "CAFÉ", "cafe\u{301}"),
            ("Bob: 今日の会議は長い", "会議", "会議"),
            ("Bob: “Größe” zählt", "GRÖß", "Größe"),
            ("Bob: (wombat)", "wombat", "wombat"),
            ("Bob: ÉTÉ", "été", "ÉTÉ"),
        ] {
            let text = format!("{before}{text}\n{before}");
            let meeting = create(&client, "createMeeting", "meeting", json!({
                "projectId": project, "title": "Long", "transcript": { "text": text },
            })).await;
            let hits = search(&client, json!({ "query": query, "project": project })).await;
            let hit = hits.iter().find(|hit| hit["node"]["id"] == json!(meeting));
            assert_eq!(hit.is_some(), !match_.is_empty(), "{query}");
            let Some(hit) = hit else { continue };
            assert!(marked(hit).contains(&match_.to_owned()), "{query}: {}", hit["snippet"]);
            let snippet = hit["snippet"].as_str().expect("a text");
            assert!(snippet.starts_with('…') && snippet.ends_with('…') && snippet.chars().count() < 250, "{snippet}");
            assert!(!snippet.contains('\n'));
        }
    }

    async fn a_text_of_any_size_is_taken_and_its_beginning_is_found(app) {
        let client = app.owner().await;
        let project = create(&client, "createProject", "project", json!({ "name": "Huge" })).await;
        let meeting = create(&client, "createMeeting", "meeting", json!({
            "projectId": project, "title": "Huge", "transcript": { "text": "Ann: hello" },
        })).await;
        let connection = app.connection.across_tenants().await;
        // Nothing but different words, in letters that grow when made small; words longer than any index takes.
        let different: String = (0..150_000).map(|number| format!("Ⱥ{number}Ⱦ ")).collect();
        let texts = [
            format!("numbat {different} quokka"),
            format!("numbat {} quokka", "a".repeat(2_000_000)),
            format!("numbat {} quokka", "日本".repeat(400_000)),
        ];
        for (versions, text) in (2..).zip(texts) {
            assert!(text.len() > 1_500_000);
            let set = |table: &str, column: &str, key: &str| {
                format!("UPDATE {table} SET \"{column}\" = '{text}' WHERE {key} = '{meeting}'")
            };
            let version = format!(
                "INSERT INTO transcripts (id, \"tenantId\", \"meetingId\", version, source, \"fullText\", \"createdAt\") \
                 SELECT 'v{versions}', \"tenantId\", id, {versions}, 'edit', '{text}', \"createdAt\" FROM meetings WHERE id = '{meeting}'"
            );
            let current = format!("UPDATE meetings SET \"currentTranscriptId\" = 'v{versions}' WHERE id = '{meeting}'");
            for sql in [version, current, set("meetings", "context", "id"), set("meetings", "title", "id")] {
                connection.execute_unprepared(&sql).await.expect("takes it");
            }
            app.store.migrate().await.expect("makes the words");
            assert_eq!(ids(&client, "numbat").await, [&*meeting]);
            assert_eq!(ids(&client, "quokka").await, [""; 0]);
        }
        // A word as long as a query may be, and one that is longer.
        let long = "ü".repeat(300);
        let sql = format!("UPDATE meetings SET title = '{long}' WHERE id = '{meeting}'");
        connection.execute_unprepared(&sql).await.expect("takes it");
        app.store.migrate().await.expect("makes the words");
        assert_eq!(ids(&client, &"Ü".repeat(200)).await, [&*meeting]);
    }

    async fn another_workspaces_words_find_nothing(app) {
        let (mine, theirs) = (app.owner().await, app.client(ACME, "owner").await);
        let project = create(&theirs, "createProject", "project", json!({ "name": "Axolotl", "description": "secret thylacine" })).await;
        create(&theirs, "createMeeting", "meeting", json!({
            "projectId": project, "title": "Quagga", "transcript": { "text": "Ann: the dodo" },
        })).await;
        for query in ["axolotl", "thylacine", "quagga", "dodo", "axo"] {
            assert_eq!(ids(&theirs, query).await.len(), 1, "{query}");
            assert_eq!(ids(&mine, query).await, [""; 0], "{query}");
            assert_eq!(search(&mine, json!({ "query": query, "project": project })).await.len(), 0);
        }
        let mine_in_theirs = search(&mine, json!({ "query": "the", "project": project })).await;
        assert_eq!(mine_in_theirs.len(), 0);
        // The tenant's id is kept among the words, and is none of them.
        let tenant = app.store.system().workspace(DEMO).await.expect("reads").expect("is seeded").id;
        assert_eq!(ids(&mine, tenant.as_str()).await, [""; 0]);
    }
}

/// Runs a mutation and returns the id of the row it made or changed.
async fn create(client: &Client, mutation: &str, field: &str, input: Value) -> String {
    let name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let name = name.replace("Prd", "PRD");
    let query =
        format!("mutation($input: {name}!) {{ {mutation}(input: $input) {{ {field} {{ id }} }} }}");
    let data = client.data(&query, json!({ "input": input })).await;
    data[mutation][field]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

async fn search(client: &Client, variables: Value) -> Vec<Value> {
    let data = client.data(SEARCH, variables).await;
    data["search"]["nodes"]
        .as_array()
        .expect("a list of hits")
        .clone()
}

/// The ids of a search's first page.
async fn ids(client: &Client, query: &str) -> Vec<String> {
    let hits = search(client, json!({ "query": query })).await;
    let id = |hit: &Value| hit["node"]["id"].as_str().expect("an id").to_owned();
    let ids: Vec<_> = hits.iter().map(id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    ids
}

/// The words that a hit's snippet shows as matches.
fn marked(hit: &Value) -> Vec<String> {
    let parts = hit["snippetParts"].as_array().expect("parts");
    let whole: String = parts
        .iter()
        .filter_map(|part| part["text"].as_str())
        .collect();
    assert_eq!(hit["snippet"], whole);
    parts
        .iter()
        .filter(|part| part["isMatch"] == true)
        .filter_map(|part| part["text"].as_str().map(str::to_owned))
        .collect()
}
