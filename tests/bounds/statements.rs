//! What a mutation costs is told: every statement of its transaction counts.

use crate::support::{Client, Database, PASSWORD, TestApp};
use serde_json::{Value, json};

async fn counted(client: &Client, mutation: &str) -> (u64, Value) {
    let answer = client.send(mutation, json!({})).await;
    assert!(answer.body["errors"].is_null(), "{:#}", answer.body);
    let count = answer.body["extensions"]["cost"]["sqlStatements"].as_u64();
    (count.expect("a number"), answer.body["data"].clone())
}

// A mutation's own statements, one by one: whether the account is what it was, its place in line if it looks for a free
// slug, what it reads and writes, then the ledger's head, and its entry and its new head, in one
// statement on PostgreSQL.
on_both_databases! {
    async fn the_statements_of_mutations_are_counted(app) {
        let owner = app.owner().await;
        let create = |key: &str| format!("mutation {{ createProject(input: {{ name: \"Counted\"{key} }}) {{ project {{ id }} }} }}");
        let (plain, made) = counted(&owner, &create("")).await;
        let id = &made["createProject"]["project"]["id"];
        let (keyed, _) = counted(&owner, &create(", idempotencyKey: \"k\"")).await;
        let (again, _) = counted(&owner, &create(", idempotencyKey: \"k\"")).await;
        let (update, _) = counted(&owner, &format!("mutation {{ updateProject(input: {{ id: {id}, name: \"Renamed\" }}) {{ project {{ id }} }} }}")).await;
        let (read, _) = counted(&owner, &format!("mutation {{ updateProject(input: {{ id: {id}, name: \"Again\" }}) {{ project {{ goals {{ nodes {{ id }} }} }} }} }}")).await;
        let (sign_in, _) = sign_in(&app).await;
        // What makes the words of a project's name, where search looks them up, and what enters the change into the ledger:
        // on PostgreSQL after another look at the account, since others write meanwhile.
        let (words, ledger) = match app.database {
            Database::Sqlite => (5, 3),
            Database::Postgres => (3, 2),
        };
        let account = u64::from(app.database == Database::Postgres);
        let ledger_of_people = ledger + account;
        assert_eq!(
            json!({ "plain": plain, "keyed": keyed, "again": again, "update": update, "read": read, "signIn": sign_in }),
            json!({
                "plain": 4 + words + ledger_of_people, "keyed": 6 + words + ledger_of_people, "again": 3,
                "update": 3 + words + ledger_of_people, "read": 4 + words + ledger_of_people, "signIn": 6 + ledger,
            }),
        );
    }
}

async fn sign_in(app: &TestApp) -> (u64, Value) {
    let email = app.email(crate::support::DEMO, "member").await;
    let input = format!("{{ workspace: \"demo\", email: \"{email}\", password: \"{PASSWORD}\" }}");
    let mutation = format!("mutation {{ signIn(input: {input}) {{ accessToken }} }}");
    counted(&Client::anonymous(&app.url), &mutation).await
}
