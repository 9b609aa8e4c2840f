//! What filters find: what they say, of every row, on both databases.

mod oracle;

use crate::{
    lists::ids,
    support::{Client, DEMO},
};
use oracle::{Dice, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How many filters an operation has, and how many operations there are.
const AT_ONCE: usize = 16;
const OPERATIONS: usize = 150;

on_both_databases! {
    async fn random_filters_find_what_they_say(app) {
        let client = app.owner().await;
        let world = World::read(&client).await;
        let names = world.names();
        assert!(names.len() > 25, "{names:?}");
        let mut dice = Dice::new(0x5eed_0f11_7e25);
        let (mut found_some, mut found_not_all, mut too_dear) = (0, 0, 0);
        for _ in 0..OPERATIONS {
            let (mut declared, mut fields, mut variables) = (String::new(), String::new(), json!({}));
            let mut asked = Vec::new();
            for at in 0..AT_ONCE {
                let name = names[dice.below(names.len())];
                let filter = world.filter(name, 3, &mut dice);
                let list = &world.table(name).list.name;
                declared += &format!("$f{at}: {name}Filter ");
                fields += &format!("a{at}: {list}(filter: $f{at}, first: 200) {{ totalCount nodes {{ id }} }} ");
                variables[format!("f{at}")] = filter.clone();
                asked.push((name, filter));
            }
            let answer = client.send(&format!("query({declared}) {{ {fields} }}"), variables).await;
            // Now and then there is a filter within filters that is too dear for anybody.
            if answer.body.get("errors").is_some() {
                assert_eq!(answer.code(), "COST_EXCEEDED");
                too_dear += 1;
                continue;
            }
            let data = &answer.body["data"];
            for (at, (name, filter)) in asked.iter().enumerate() {
                let rows = &world.table(name).rows;
                let expected: Vec<_> = rows.iter().filter(|row| world.holds(name, row, filter)).cloned().collect();
                let answer = &data[format!("a{at}")];
                let found = ids(answer["nodes"].as_array().expect("rows"));
                let found: BTreeSet<_> = found.into_iter().collect();
                let expected: BTreeSet<_> = ids(&expected).into_iter().collect();
                assert_eq!(found, expected, "{name} {filter}");
                assert_eq!(answer["totalCount"], expected.len(), "{name} {filter}");
                found_some += usize::from(!expected.is_empty());
                found_not_all += usize::from(expected.len() < rows.len());
            }
        }
        assert!(too_dear <= OPERATIONS / 10, "{too_dear} of {OPERATIONS} are too dear");
        let enough = AT_ONCE * OPERATIONS / 4;
        assert!(found_some > enough && found_not_all > enough, "{found_some} {found_not_all}");
    }

    async fn what_is_compared_with_a_missing_value_is_not_so(app) {
        let client = app.owner().await;
        let query = "query($goal: ID!) {
            all: tickets { totalCount }
            without: tickets(filter: { goalId: { isNull: true } }) { totalCount }
            is: tickets(filter: { goalId: { eq: $goal } }) { totalCount }
            isNot: tickets(filter: { not: { goalId: { eq: $goal } } }) { totalCount }
            differs: tickets(filter: { goalId: { ne: $goal } }) { totalCount }
            noneOf: tickets(filter: { goalId: { nin: [$goal] } }) { totalCount }
            isNotNot: tickets(filter: { not: { not: { goalId: { eq: $goal } } } }) { totalCount }
            nothing: tickets(filter: { not: {} }) { totalCount }
        }";
        let goal = client
            .data("{ tickets(first: 1, filter: { goalId: { isNull: false } }) { nodes { goalId } } }", json!({}))
            .await["tickets"]["nodes"][0]["goalId"]
            .clone();
        let data = client.data(query, json!({ "goal": goal })).await;
        let count = |name: &str| data[name]["totalCount"].as_u64().expect("a number");
        assert!(count("without") > 0 && count("is") > 0);
        for other in ["isNot", "differs", "noneOf"] {
            assert_eq!(count("is") + count(other), count("all"), "{other}");
        }
        assert_eq!(count("isNotNot"), count("is"));
        assert_eq!(count("nothing"), 0);
        let projects = client
            .data(
                "query($goal: ID!) { projects { nodes { id tickets(first: 200) { nodes { goalId } } } }
                 every: projects(filter: { tickets: { every: { goalId: { eq: $goal } } } }) { nodes { id } } }",
                json!({ "goal": goal }),
            )
            .await;
        let all_have_it = |project: &&Value| {
            let tickets = project["tickets"]["nodes"].as_array().expect("tickets");
            tickets.iter().all(|ticket| ticket["goalId"] == goal)
        };
        let expected: Vec<_> = projects["projects"]["nodes"].as_array().expect("projects").iter().filter(all_have_it).cloned().collect();
        assert_eq!(ids(projects["every"]["nodes"].as_array().expect("projects")), ids(&expected));
    }

    async fn a_null_in_a_filter_is_refused_at_every_level(app) {
        let client = app.owner().await;
        for (place, filter) in [
            ("filter.title", json!({ "title": null })),
            ("filter.title.eq", json!({ "title": { "eq": null } })),
            ("filter.title.contains", json!({ "title": { "eq": "a", "contains": null } })),
            ("filter.title.isNull", json!({ "title": { "isNull": null } })),
            ("filter.status", json!({ "status": null })),
            ("filter.status.nin", json!({ "status": { "nin": null } })),
            ("filter.or", json!({ "or": null })),
            ("filter.and", json!({ "and": null })),
            ("filter.not", json!({ "not": null })),
            ("filter.or[1].title", json!({ "or": [{}, { "title": null }] })),
            ("filter.not.not.and", json!({ "not": { "not": { "and": null } } })),
            ("filter.project", json!({ "project": null })),
            ("filter.project.name.eq", json!({ "project": { "name": { "eq": null } } })),
            ("filter.tickets", json!({ "tickets": null })),
            ("filter.tickets.some", json!({ "tickets": { "some": null } })),
            ("filter.tickets.none", json!({ "tickets": { "none": null } })),
            ("filter.tickets.every.id", json!({ "tickets": { "every": { "id": null } } })),
        ] {
            let query = "query($f: GoalFilter) { goals(filter: $f) { totalCount } }";
            refuses(&client, query, json!({ "f": filter }), place).await;
            let nested = "query($f: GoalFilter) { projects { nodes { goals(filter: $f) { totalCount } } } }";
            refuses(&client, nested, json!({ "f": filter }), place).await;
            let literal = literal(&filter);
            refuses(&client, &format!("{{ goals(filter: {literal}) {{ totalCount }} }}"), json!({}), place).await;
        }
        for (place, declared, filter) in [
            ("filter.title", "StringFilter", "{ title: $f }"),
            ("filter.or", "[GoalFilter!]", "{ or: $f }"),
            ("filter.title.in", "[String!]", "{ title: { in: $f } }"),
            ("filter.tickets.some", "TicketFilter", "{ tickets: { some: $f } }"),
        ] {
            let query = format!("query($f: {declared}) {{ goals(filter: {filter}) {{ totalCount }} }}");
            refuses(&client, &query, json!({ "f": null }), place).await;
            // Left out is not null.
            client.data(&query, json!({})).await;
        }
        // Relay sends each variable that has no value as null.
        let query = "query($f: GoalFilter) { all: goals { totalCount } null: goals(filter: $f) { totalCount } }";
        let counted = client.data(query, json!({ "f": null })).await;
        assert_eq!(counted["null"], counted["all"]);
        refuses(&client, "{ effectiveAgentRoles(filter: { slug: null }) { role { id } } }", json!({}), "filter.slug").await;
        refuses(&client, "{ notifications(filter: { or: null }) { totalCount } }", json!({}), "filter.or").await;
    }

    async fn a_null_within_a_list_is_refused(app) {
        let client = app.owner().await;
        for (declared, arguments, value) in [
            ("[GoalFilter!]", "filter: { or: $v }", json!([null])),
            ("[GoalFilter!]", "filter: { and: $v }", json!([{}, null])),
            ("[String!]", "filter: { title: { in: $v } }", json!(["a", null])),
            ("[GoalOrder!]", "orderBy: $v", json!([null])),
        ] {
            let query = format!("query($v: {declared}) {{ goals({arguments}) {{ totalCount }} }}");
            let answer = client.send(&query, json!({ "v": value })).await;
            assert!(!answer.body["errors"].is_null(), "{arguments} {value} answered {}", answer.body);
        }
    }

    async fn what_is_empty_holds_for_all_or_for_none(app) {
        let client = app.owner().await;
        let query = "query($f: GoalFilter) { all: goals { totalCount } some: goals(filter: $f) { totalCount } }";
        for (filter, holds) in [
            (json!({}), true), (json!({ "and": [] }), true), (json!({ "or": [] }), false), (json!({ "or": [{}] }), true),
            (json!({ "title": {} }), true), (json!({ "title": { "in": [] } }), false), (json!({ "title": { "nin": [] } }), true),
            (json!({ "not": {} }), false), (json!({ "not": { "or": [] } }), true), (json!({ "project": {} }), true),
            (json!({ "status": { "in": [] } }), false), (json!({ "status": { "nin": [] } }), true),
        ] {
            let counted = client.data(query, json!({ "f": filter })).await;
            let expected = if holds { counted["all"].clone() } else { json!({ "totalCount": 0 }) };
            assert_eq!(counted["some"], expected, "{filter}");
        }
    }

    async fn the_limit_of_a_filter_counts_what_was_given(app) {
        let client = app.owner().await;
        let query = "query($f: GoalFilter) { goals(filter: $f) { totalCount } }";
        let one = json!({ "title": { "ne": "" } });
        let of = |many: usize| json!({ "f": { "and": vec![&one; many] } });
        client.data(query, of(300)).await;
        assert_eq!(client.code(query, of(301)).await, "LIMIT_EXCEEDED");
        // One that says nothing is one, too.
        let empty = |many: usize| json!({ "f": { "or": vec![json!({}); many] } });
        client.data(query, empty(300)).await;
        assert_eq!(client.code(query, empty(301)).await, "LIMIT_EXCEEDED");
        let deep = (0..100).fold(one.clone(), |inner, _| json!({ "not": inner }));
        client.data(query, json!({ "f": deep })).await;
        let values: Vec<_> = (0..200).map(|at| format!("{at}")).collect();
        let lists = |many: usize| json!({ "f": { "and": vec![json!({ "title": { "in": values } }); many] } });
        client.data(query, lists(50)).await;
        assert_eq!(client.code(query, lists(51)).await, "LIMIT_EXCEEDED");
    }

    async fn capitals_do_not_matter_to_contains_in_any_script(app) {
        let client = app.client(DEMO, "owner").await;
        let project = client.data("{ projects(first: 1) { nodes { id } } }", json!({})).await["projects"]["nodes"][0]["id"].clone();
        let create = "mutation($p: ID!, $t: String!) { createGoal(input: { projectId: $p, title: $t }) { goal { id } } }";
        let titles = [
            "Ünlü", "ÜNLÜ", "Straße", "STRASSE", "ΟΔΟΣ", "οδος", "οδοσ", "İstanbul", "ISPARTA", "Жук", "ЖУК", "\u{212a}elvin", "ſeaſon",
            "100% [sure]?", "100% (SURE)*", "a\\b_c", "a-b^c", "E\u{301}te", "\u{c9}te", "東京", "ﬁn", "ǅabc", "ა", "𐐀", "x😀Y", "line break", "$1.5|{2}",
        ];
        for title in titles {
            client.data(create, json!({ "p": project, "t": title })).await;
        }
        app.execute("UPDATE goals SET title = 'line\nbreak' WHERE title = 'line break'").await;
        let query = "query($t: String!) {
            contains: goals(filter: { title: { contains: $t } }, first: 200) { nodes { title } }
            starts: goals(filter: { title: { startsWith: $t } }, first: 200) { nodes { title } }
        }";
        for (text, found) in [
            ("ünlü", &["Ünlü", "ÜNLÜ"][..]),
            ("NLÜ", &["Ünlü", "ÜNLÜ"]),
            ("STRAẞE", &["Straße"]),
            ("strasse", &["STRASSE"]),
            ("οδοσ", &["ΟΔΟΣ", "οδος", "οδοσ"]),
            ("ΟΔΟς", &["ΟΔΟΣ", "οδος", "οδοσ"]),
            ("istanbul", &[]),
            ("İSTANBUL", &["İstanbul"]),
            ("isparta", &["ISPARTA"]),
            ("жУК", &["Жук", "ЖУК"]),
            ("Kelvin", &[]),
            ("\u{212a}ELVIN", &["\u{212a}elvin"]),
            ("ſEAſON", &["ſeaſon"]),
            ("[SURE]?", &["100% [sure]?"]),
            ("% (sure)*", &["100% (SURE)*"]),
            ("A\\B_C", &["a\\b_c"]),
            ("a_b", &[]),
            ("A-B^c", &["a-b^c"]),
            ("e\u{301}TE", &["E\u{301}te"]),
            ("\u{e9}te", &["\u{c9}te"]),
            ("東京", &["東京"]),
            ("ﬁN", &["ﬁn"]),
            ("ǆABC", &["ǅabc"]),
            ("Ა", &["ა"]),
            ("𐐨", &["𐐀"]),
            ("X😀y", &["x😀Y"]),
            ("LINE\nb", &["line\nbreak"]),
            ("$1.5|{2}", &["$1.5|{2}"]),
        ] {
            let data = client.data(query, json!({ "t": text })).await;
            let read = |name: &str| -> BTreeSet<String> {
                let nodes = data[name]["nodes"].as_array().expect("goals").iter();
                nodes.map(|goal| goal["title"].as_str().expect("text").to_owned()).collect()
            };
            let expected: BTreeSet<String> = found.iter().map(|title| (*title).to_owned()).collect();
            assert_eq!(read("contains"), expected, "{text}");
            assert!(read("starts").is_subset(&expected), "{text}");
        }
        let long = client.code(query, json!({ "t": "ü".repeat(1_001) })).await;
        assert_eq!(long, "BAD_USER_INPUT");
        client.data(query, json!({ "t": "ſ".repeat(1_000) })).await;
        client.data(query, json!({ "t": "*?[".repeat(333) })).await;
    }
}

async fn refuses(client: &Client, query: &str, variables: Value, place: &str) {
    let answer = client.send(query, variables.clone()).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT", "{query} {variables}");
    let error = &answer.body["errors"][0];
    assert_eq!(error["extensions"]["field"], place, "{query} {variables}");
}

/// JSON as GraphQL writes it.
fn literal(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, field)| format!("{name}: {}", literal(field)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}
