//! Briefs that are deleted: what goes along, what the ledger tells of it, and what stays.

use super::{plans, version};
use crate::{
    support::{ACME, Client, DEMO},
    tables::counts,
    writes::{Made, head},
};
use serde_json::{Value, json};

/// What the ledger tells since a position, as action and kind.
async fn told(client: &Client, since: i64) -> Vec<(String, String)> {
    let query = "query($since: BigInt!) { activity(first: 200, filter: { seq: { gt: $since } }, orderBy: [{ field: SEQ }]) {
        nodes { action targetType } } }";
    let data = client
        .data(query, json!({ "since": since.to_string() }))
        .await;
    let entries = data["activity"]["nodes"]
        .as_array()
        .expect("entries")
        .clone();
    entries
        .iter()
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().expect("a text").to_owned();
            (text("action"), text("targetType"))
        })
        .collect()
}

/// How many of these there are.
fn count(told: &[(String, String)], action: &str) -> usize {
    told.iter().filter(|(one, _)| one == action).count()
}

on_both_databases! {
    async fn a_deleted_brief_takes_along_what_is_its_own_and_each_row_is_told_of(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let plan = plans::active(&made).await;
        let brief = plans::plan(&client, &plan).await["prd"]["id"].clone();
        let question = made.question().await;
        made.set("clarification_requests", &question, &format!("\"prdId\" = '{}'", brief.as_str().expect("an id"))).await;
        let (other, symbol) = made.brief_and_symbol().await;
        made.run("linkSymbol", json!({ "prdId": other, "symbolId": symbol })).await;
        let connection = app.connection.across_tenants().await;
        let (acme, demo) = (app.tenant(ACME).await, app.tenant(DEMO).await);
        let (theirs, before, since) = (counts(&connection, &acme).await, counts(&connection, &demo).await, head(&client).await);

        made.run("deletePrd", json!({ "id": brief })).await;
        let told = told(&client, since).await;
        let after = counts(&connection, &demo).await;
        for (action, table) in [
            ("brief.deleted", "prds"), ("plan.deleted", "execution_plans"), ("ticket.deleted", "tickets"), ("approval.deleted", "approvals"),
            ("ticket.dependency_removed", "ticket_dependencies"), ("clarification.deleted", "clarification_requests"),
        ] {
            let gone = before[table] - after[table];
            assert!(gone > 0, "{table}");
            assert_eq!(i64::try_from(count(&told, action)).expect("few"), gone, "{table}: {told:?}");
        }
        assert_eq!(told.last().expect("an entry"), &("brief.deleted".to_owned(), "PRD".to_owned()));
        assert_eq!(before["api_usage"], after["api_usage"], "what was spent stays counted");
        assert_eq!(counts(&connection, &acme).await, theirs);
        assert!(client.data("query($id: ID!) { prd(id: $id) { id } }", json!({ "id": brief })).await["prd"].is_null());
        let life = "query($id: ID!) { activity(first: 200, filter: { prdId: { eq: $id } }) { nodes { action diff { before } } } }";
        let life = client.data(life, json!({ "id": brief })).await;
        let life = life["activity"]["nodes"].as_array().expect("entries");
        let deleted: Vec<_> = life.iter().filter(|entry| entry["action"].as_str().is_some_and(|action| action.ends_with(".deleted"))).collect();
        assert!(deleted.iter().all(|entry| entry["diff"]["before"]["id"].is_string()), "{deleted:?}");
        assert_eq!(deleted.len(), told.iter().filter(|(action, _)| action.ends_with(".deleted")).count(), "all of it is of the brief's life");
        app.verify_ledger(DEMO).await;

        let since = head(&client).await;
        made.run("deletePrd", json!({ "id": other })).await;
        assert_eq!(count(&self::told(&client, since).await, "brief.symbol_unlinked"), 1);
    }

    async fn nobody_is_asked_about_a_brief_that_is_gone(app) {
        let client = app.owner().await;
        let admin = app.client(DEMO, "admin").await;
        let asked = async |about: &Value| {
            let query = "query($id: ID!) { notifications(filter: { targetId: { eq: $id }, readAt: { isNull: true } }) { totalCount } }";
            admin.data(query, json!({ "id": about })).await["notifications"]["totalCount"].clone()
        };
        let made = Made { app: &app, client: &client };
        let brief = made.submitted().await;
        let token = made.reply_token("BRIEF", &brief).await;
        assert_eq!(asked(&brief).await, 1);
        made.run("deletePrd", json!({ "id": brief })).await;
        assert_eq!(asked(&brief).await, 0);
        let reply = "mutation($token: String!) { decideByReply(input: { token: $token, decision: APPROVE, channelIdentity: \"U1\" }) { status } }";
        let answer = client.send(reply, json!({ "token": token })).await;
        assert_eq!(answer.code(), "NOT_FOUND", "{:#}", answer.body);
    }

    async fn a_brief_is_not_deleted_under_an_agents_hands_or_by_who_may_not(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let plan = plans::active(&made).await;
        let now = plans::plan(&client, &plan).await;
        let (brief, ticket) = (&now["prd"]["id"], &now["tickets"]["nodes"][0]["id"]);
        let member = app.client(DEMO, "member").await;
        assert_eq!(Made { app: &app, client: &member }.code("deletePrd", json!({ "id": brief })).await, "FORBIDDEN");
        made.set("tickets", ticket, "status = 'claimed'").await;
        assert_eq!(made.code("deletePrd", json!({ "id": brief })).await, "CONFLICT");
        made.run("cancelPlan", json!({ "id": plan })).await;
        made.run("deletePrd", json!({ "id": brief })).await;
    }

    async fn a_brief_stays_while_an_open_one_revises_it_and_an_ended_one_is_told_of(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let brief = made.approved().await;
        let revision = made.run("revisePrd", json!({ "id": brief, "title": "Revised" })).await;
        assert_eq!(made.code("deletePrd", json!({ "id": brief })).await, "CONFLICT");
        made.submit(&revision, 1).await;
        made.run("approvePrd", version(&revision, 1)).await;
        let since = head(&client).await;
        made.run("deletePrd", json!({ "id": brief })).await;
        let told = told(&client, since).await;
        assert_eq!(count(&told, "brief.edited"), 1, "the brief that took its place points nowhere: {told:?}");
        let now = client.data("query($id: ID!) { prd(id: $id) { status supersedesId } }", json!({ "id": revision })).await;
        assert_eq!(now["prd"], json!({ "status": "APPROVED", "supersedesId": null }));
    }

    async fn more_than_a_thousand_rows_are_one_entry(app) {
        let client = app.owner().await;
        let made = Made { app: &app, client: &client };
        let brief = made.draft().await;
        let (id, demo) = (brief.as_str().expect("an id"), app.tenant(DEMO).await);
        let project = client.data("query($id: ID!) { prd(id: $id) { projectId } }", json!({ "id": brief })).await["prd"]["projectId"].clone();
        let rows: Vec<_> = (0..1001)
            .map(|n| format!("('{demo}', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00', 'many{n}', {project}, '{id}', 'dev_agent', 't', 'test')")
                .replace('"', "'"))
            .collect();
        app.execute(&format!(
            "INSERT INTO tickets (\"tenantId\", \"createdAt\", \"updatedAt\", id, \"projectId\", \"prdId\", \"roleSlug\", title, \"createdBy\") VALUES {}",
            rows.join(", ")
        )).await;
        let since = head(&client).await;
        let input = json!({ "id": brief, "idempotencyKey": "gone" });
        assert_eq!(made.run("deletePrd", input.clone()).await, brief);
        let query = "query($since: BigInt!) { activity(filter: { seq: { gt: $since }, action: { eq: \"ticket.deleted\" } }) { nodes { targetId diff { before } } } }";
        let told = client.data(query, json!({ "since": since.to_string() })).await["activity"]["nodes"].clone();
        assert_eq!(told.as_array().map(Vec::len), Some(1), "{told:#}");
        assert_eq!((&told[0]["targetId"], &told[0]["diff"]["before"]["count"]), (&Value::Null, &json!(1001)));
        assert_eq!(told[0]["diff"]["before"]["idsSha256"].as_str().map(str::len), Some(64));
        let after = head(&client).await;
        assert_eq!(made.run("deletePrd", input).await, brief, "the second click gets the first answer");
        assert_eq!(head(&client).await, after);
        assert_eq!(made.code("deletePrd", json!({ "id": brief })).await, "NOT_FOUND");
        app.verify_ledger(DEMO).await;
    }
}
