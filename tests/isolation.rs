//! No row crosses a tenant: the whole schema is walked with one tenant's token and the other tenant's ids.

mod asks;
mod callers;
mod narrowed;
mod oracle;
mod policy;
mod roles;
mod streams;
mod walk;

use crate::{
    lists::{all, ids, operation},
    support::{ACME, Client, Field, Schema, TestApp},
    writes,
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Types whose rows may belong to nobody; everyone sees those.
const WITH_GLOBAL_ROWS: [&str; 4] = [
    "AgentRole",
    "SkillPackage",
    "SubagentDefinition",
    "ModelPrice",
];

/// The other tenant's ids by type.
struct Foreign(BTreeMap<String, Vec<String>>);

impl Foreign {
    async fn read(app: &TestApp, schema: &Schema) -> Self {
        let (mine, theirs) = (app.owner().await, app.client(ACME, "owner").await);
        let mut out = BTreeMap::new();
        for (list, row) in schema.lists() {
            let mut foreign = ids(&all(&theirs, list, "id", &json!({})).await);
            if WITH_GLOBAL_ROWS.contains(&row.name.as_str()) {
                let global = ids(&all(&mine, list, "id", &json!({})).await);
                foreign.retain(|id| !global.contains(id));
            }
            assert!(!foreign.is_empty(), "the other tenant has no {}", row.name);
            out.insert(row.name.clone(), foreign);
        }
        Self(out)
    }

    fn all(&self) -> BTreeSet<&str> {
        self.0.values().flatten().map(String::as_str).collect()
    }

    /// Fails when one of the other tenant's ids stands anywhere in an answer.
    fn must_not_be_in(&self, answer: &Value, asked: &str) {
        let foreign = self.all();
        for text in texts(answer) {
            assert!(
                !foreign.contains(text),
                "{asked} showed {text} of another tenant"
            );
        }
    }
}

on_both_databases! {
    async fn no_root_field_answers_to_another_tenants_id(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let foreign = Foreign::read(&app, &schema).await;
        for field in schema.queries() {
            for argument in &field.args {
                match (argument.name.as_str(), argument.of.name.as_str()) {
                    ("id", "ID") => single(&client, field, &foreign).await,
                    ("ids", "ID") => several(&client, &foreign).await,
                    ("query", "String") => searched(&app, field, &foreign).await,
                    ("types", _) => {}
                    // A search of another tenant's project is asked with the query.
                    ("projectId", "ID") if field.name == "search" => {}
                    ("messageType" | "channel", _) | ("roleSlug", "String") => {}
                    ("projectId", "ID") => of_project(&client, field, &foreign).await,
                    ("first" | "last", "Int") | ("after" | "before", "Cursor") | ("filter" | "orderBy", _) => {}
                    ("from" | "to", "DateTime") | ("groupBy", "UsageGroup") | ("afterSlug", "String") => {}
                    (other, of) => panic!("how is {}({other}: {of}) asked with another tenant's id?", field.name),
                }
            }
        }
    }

    async fn no_list_relation_or_count_holds_another_tenants_row(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let foreign = Foreign::read(&app, &schema).await;
        for (list, row) in schema.lists() {
            let mut selection = vec!["id".to_owned()];
            for relation in row.fields.iter().filter(|field| !field.of.is_leaf()) {
                if schema.row_type(relation).is_some() {
                    selection.push(format!("{} {{ nodes {{ id }} }}", relation.name));
                } else if schema.get(&relation.of.name).is_node() || relation.of.name == "Node" {
                    selection.push(format!("{} {{ id }}", relation.name));
                }
            }
            let rows = all(&client, list, &selection.join(" "), &json!({})).await;
            foreign.must_not_be_in(&Value::Array(rows.clone()), &list.name);
            let counted = client.data(&operation(list, "totalCount"), json!({})).await;
            assert_eq!(counted[&list.name]["totalCount"], rows.len(), "{}", list.name);
        }
    }

    async fn no_filter_finds_another_tenants_row(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let foreign = Foreign::read(&app, &schema).await;
        let everything: Vec<_> = foreign.all().into_iter().map(str::to_owned).collect();
        for (list, row) in schema.lists() {
            for input in &schema.get(&format!("{}Filter", row.name)).inputs {
                for ids in everything.chunks(200) {
                    let within = json!({ "in": ids });
                    let filter = match input.of.name.as_str() {
                        "IdFilter" => json!({ &input.name: within }),
                        name if name.ends_with("ManyFilter") => json!({ &input.name: { "some": { "id": within } } }),
                        _ if input.name == "and" || input.name == "or" => json!({ &input.name: [{ "id": within }] }),
                        _ if input.name == "not" => json!({ "not": { "not": { "id": within } } }),
                        name if schema.get(name).inputs.iter().any(|inner| inner.name == "and") => {
                            json!({ &input.name: { "id": within } })
                        }
                        // A comparison with a value holds no id.
                        name if schema.get(name).inputs.iter().any(|inner| inner.name == "eq") => continue,
                        name => panic!("how is the filter {}: {name} asked with another tenant's id?", input.name),
                    };
                    let found = all(&client, list, "id", &json!({ "filter": filter })).await;
                    assert!(found.is_empty(), "{}({filter}) found {found:?}", list.name);
                }
            }
        }
    }

    async fn no_cursor_of_another_tenant_is_taken(app) {
        let (mine, theirs) = (app.owner().await, app.client(ACME, "owner").await);
        let schema = Schema::of(&mine).await;
        for (list, row) in schema.lists() {
            for order in &schema.get(&format!("{}OrderField", row.name)).values {
                let mut variables = json!({ "first": 1, "orderBy": [{ "field": order.name }] });
                let page = theirs.data(&operation(list, "pageInfo { endCursor }"), variables.clone()).await;
                variables["after"] = page[&list.name]["pageInfo"]["endCursor"].clone();
                let code = mine.code(&operation(list, "nodes { id }"), variables).await;
                assert_eq!(code, "CURSOR_MISMATCH", "{} by {}", list.name, order.name);
            }
        }
    }

    async fn no_mutation_accepts_another_tenants_id(app) {
        let client = app.owner().await;
        let schema = Schema::of(&client).await;
        let foreign = Foreign::read(&app, &schema).await;
        let head = async || client.data("{ feedCursor }", json!({})).await["feedCursor"].clone();
        for mutation in schema.writes() {
            let sender = writes::sender(&app, &client, &mutation.name).await;
            let sample = writes::sample(&app, &client, &mutation.name).await;
            let input = schema.get(&mutation.args[0].of.name);
            for field in input.inputs.iter().filter(|field| field.of.name == "ID") {
                let before = head().await;
                for id in foreign.all() {
                    let mut sample = sample.clone();
                    sample[&field.name] = json!(id);
                    let query = writes::operation(mutation);
                    let code = sender.code(&query, json!({ "input": sample })).await;
                    assert_eq!(code, "NOT_FOUND", "{}.{}", mutation.name, field.name);
                }
                assert_eq!(before, head().await, "{} wrote something", mutation.name);
            }
        }
    }

    async fn postgresql_itself_shows_a_connection_only_the_tenant_it_named(app) {
        if app.database == crate::support::Database::Sqlite {
            // SQLite has no such wall; there, the store's predicates and the foreign keys stand alone.
            return;
        }
        let connection = app.connection.open().await;
        let tenant = app.store.system().workspace(ACME).await.expect("reads").expect("is seeded").id;
        for (setting, tickets, foreign) in [("", false, false), (tenant.as_str(), true, false), ("*", true, true)] {
            let arm = format!("SELECT set_config('workgraph.tenant', '{setting}', false)");
            connection.execute_unprepared(&arm).await.expect("sets");
            let count = async |condition: &str| {
                let sql = format!("SELECT count(*) AS n FROM tickets WHERE {condition}");
                let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
                row.expect("counts").expect("a row").try_get::<i64>("", "n").expect("a number") > 0
            };
            assert_eq!(count("true").await, tickets, "{setting}");
            assert_eq!(count(&format!("\"tenantId\" <> '{tenant}'")).await, foreign, "{setting}");
        }
    }
}

async fn single(client: &Client, field: &Field, foreign: &Foreign) {
    for ids in foreign.0.values().flatten().collect::<Vec<_>>().chunks(40) {
        let asked: Vec<_> = ids
            .iter()
            .enumerate()
            .map(|(n, id)| format!("a{n}: {}(id: \"{id}\") {{ id }}", field.name))
            .collect();
        let data = client
            .data(&format!("{{ {} }}", asked.join(" ")), json!({}))
            .await;
        let answers = data.as_object().expect("an object").values();
        assert!(
            answers.into_iter().all(Value::is_null),
            "{} answered {data}",
            field.name
        );
    }
}

/// Figures of another tenant's project are not there, and neither are those of anything else of its.
async fn of_project(client: &Client, field: &Field, foreign: &Foreign) {
    let more = match field.name.as_str() {
        "resolveChannel" => ", messageType: DIGEST",
        _ => "",
    };
    for id in foreign.all() {
        let name = &field.name;
        let query = format!("{{ {name}(projectId: \"{id}\"{more}) {{ __typename }} }}");
        let code = client.code(&query, json!({})).await;
        assert_eq!(code, "NOT_FOUND", "{}", field.name);
    }
}

async fn several(client: &Client, foreign: &Foreign) {
    for ids in foreign.all().into_iter().collect::<Vec<_>>().chunks(200) {
        let data = client
            .data(
                "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
                json!({ "ids": ids }),
            )
            .await;
        assert!(
            data["nodes"]
                .as_array()
                .expect("a list")
                .iter()
                .all(Value::is_null),
            "nodes answered {data}"
        );
    }
}

/// A search for words that only the other tenant's rows have finds nothing, in whatever project it is made.
async fn searched(app: &TestApp, field: &Field, foreign: &Foreign) {
    let (mine, theirs) = (app.owner().await, app.client(ACME, "owner").await);
    let (known, unknown) = (words(&mine).await, words(&theirs).await);
    let is_theirs = |word: &&String| {
        !known
            .range::<String, _>(*word..)
            .next()
            .is_some_and(|next| next.starts_with(*word))
    };
    let only: Vec<_> = unknown.iter().filter(is_theirs).collect();
    assert!(
        only.len() > 30,
        "the other tenant says little of its own: {only:?}"
    );
    let project = &foreign.0["Project"][0];
    for words in only.chunks(40) {
        let ask = async |client: &Client, arguments: &str| {
            let asked: Vec<_> = words
                .iter()
                .enumerate()
                .map(|(n, word)| {
                    format!(
                        "a{n}: {}(query: \"{word}\"{arguments}) {{ nodes {{ title }} }}",
                        field.name
                    )
                })
                .collect();
            let data = client
                .data(&format!("{{ {} }}", asked.join(" ")), json!({}))
                .await;
            let found = data.as_object().expect("an object").values();
            found.filter(|found| found["nodes"] != json!([])).count()
        };
        assert_eq!(ask(&theirs, "").await, words.len(), "{words:?} are there");
        assert_eq!(ask(&mine, "").await, 0, "{words:?} were found");
        assert_eq!(
            ask(&mine, &format!(", projectId: \"{project}\"")).await,
            0,
            "{words:?} were found"
        );
    }
    let query = "query($project: ID!) { search(query: \"the\", projectId: $project) { nodes { title node { id } } } }";
    let data = mine.data(query, json!({ "project": project })).await;
    assert_eq!(data["search"]["nodes"], json!([]));
}

/// The words of all that a tenant's search looks through, in small letters.
async fn words(client: &Client) -> BTreeSet<String> {
    let data = client
        .data(
            "{ projects(first: 200) { nodes { name description } } goals(first: 200) { nodes { title description outcome } }
              meetings(first: 200) { nodes { title context currentTranscript { fullText } } }
              prds(first: 200) { nodes { title summary } } tickets(first: 200) { nodes { title description } } }",
            json!({}),
        )
        .await;
    let cut = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric())
            .map(str::to_lowercase)
            .collect::<Vec<_>>()
    };
    texts(&data)
        .into_iter()
        .flat_map(cut)
        .filter(|word| !word.is_empty())
        .collect()
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => vec![],
    }
}
