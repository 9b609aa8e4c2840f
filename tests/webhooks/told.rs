//! What follows from what GitHub, Jira and others tell.

use super::{Hook, entries, push};
use crate::{
    support::{ACME, Client, DEMO, TestApp},
    writes::{Made, head},
};
use futures_util::future::join_all;
use serde_json::{Value, json};

const REPOSITORY: &str = "brackenford/storefront";

async fn graph(owner: &Client) -> Value {
    let query = "{ projectGraphs(first: 5) { nodes { id repoLabel pushedAt stale } } }";
    owner.data(query, json!({})).await["projectGraphs"]["nodes"][0].clone()
}

/// Has the graphs of both workspaces be of one repository, and built a moment ago.
async fn fresh(app: &TestApp) {
    let built = (app.now() - chrono::TimeDelta::minutes(10)).format("%Y-%m-%dT%H:%M:%S%.3f+00:00");
    app.execute(&format!(
        "UPDATE project_graphs SET \"repoLabel\" = '{REPOSITORY}', \"builtAt\" = '{built}', \"pushedAt\" = NULL"
    ))
    .await;
}

async fn ticket(owner: &Client, id: &Value) -> Value {
    let query = "query($id: ID!) { ticket(id: $id) { externalStatus externalSyncedAt } }";
    owner.data(query, json!({ "id": id })).await["ticket"].clone()
}

on_both_databases! {
    async fn a_push_makes_the_graphs_of_its_repository_stale_once(app) {
        let (owner, acme) = (app.owner().await, app.client(ACME, "owner").await);
        let hook = Hook::of(&app, &owner, "GITHUB").await;
        fresh(&app).await;
        let (before, theirs) = (head(&owner).await, head(&acme).await);
        assert_eq!(hook.tell(&hook.github("d-0", "ping", r#"{"zen":"Design for failure."}"#)).await, "taken");
        assert_eq!(graph(&owner).await["stale"], false);
        let at = app.now().timestamp() - 60;
        // GitHub does not tell large letters from small ones.
        let pushed = hook.github("d-1", "push", push("Brackenford/Storefront", at).to_string());
        assert_eq!(hook.tell(&pushed).await, "taken");
        let shown = graph(&owner).await;
        let moment = chrono::DateTime::from_timestamp(at, 0).expect("a moment").format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        assert_eq!((&shown["stale"], &shown["pushedAt"]), (&json!(true), &json!(moment)));
        let told = entries(&owner, before).await;
        assert!(told.iter().all(|entry| entry["actor"] == "system:webhook:github"), "{told:?}");
        // Two projects are of one repository.
        let actions: Vec<_> = told.iter().map(|entry| entry["action"].as_str().expect("text")).collect();
        assert_eq!(actions, ["webhook.received", "graph.pushed", "graph.pushed", "webhook.received"]);
        assert_eq!((&told[0]["targetId"], &told[3]["targetId"]), (&hook.id, &hook.id));
        assert!([&told[1]["targetId"], &told[2]["targetId"]].contains(&&shown["id"]), "{told:?}");
        // What comes again, and what tells of what is known, changes nothing.
        let known = head(&owner).await;
        assert_eq!(hook.tell(&pushed).await, "repeated");
        for (name, body) in [
            ("d-2", push(REPOSITORY, at)),
            ("d-3", push(REPOSITORY, at - 1)),
            ("d-4", push("somebody/else", at + 5)),
            ("d-5", push("no repository", at + 5)),
        ] {
            assert_eq!(hook.tell(&hook.github(name, "push", body.to_string())).await, "ignored", "{name}");
        }
        for event in ["issues", "workflow_run", "nothing"] {
            assert_eq!(hook.tell(&hook.github("d-6", event, push(REPOSITORY, at + 5).to_string())).await, "ignored");
        }
        assert_eq!(head(&owner).await, known);
        // Nobody else hears of it.
        assert_eq!((head(&acme).await, graph(&acme).await["stale"].clone()), (theirs, json!(false)));
        // A day later it is another delivery, under whatever name.
        app.wait(std::time::Duration::from_secs(25 * 3600));
        assert_eq!(hook.tell(&pushed).await, "ignored", "what it tells is known");
        app.verify_ledger(DEMO).await;
    }

    async fn a_form_is_read_as_well(app) {
        let owner = app.owner().await;
        let hook = Hook::of(&app, &owner, "GITHUB").await;
        fresh(&app).await;
        let payload = push(REPOSITORY, app.now().timestamp()).to_string().replace('"', "%22").replace(':', "%3A");
        let mut pushed = hook.github("form", "push", format!("payload={payload}"));
        pushed.headers[0].1 = "application/x-www-form-urlencoded".into();
        assert_eq!(hook.tell(&pushed).await, "taken");
        assert_eq!(graph(&owner).await["stale"], true);
    }

    async fn a_push_of_ten_thousand_commits_is_one(app) {
        let owner = app.owner().await;
        let hook = Hook::of(&app, &owner, "GITHUB").await;
        fresh(&app).await;
        let mut body = push(REPOSITORY, app.now().timestamp());
        let commit = json!({ "id": "3".repeat(40), "message": "x".repeat(200), "modified": ["src/a.rs", "src/b.rs"], "author": { "name": "Ada" } });
        body["commits"] = vec![commit; 10_000].into();
        let body = body.to_string();
        assert!(body.len() > 3_000_000);
        let before = head(&owner).await;
        assert_eq!(hook.tell(&hook.github("many", "push", body)).await, "taken");
        assert_eq!(entries(&owner, before).await.len(), 3);
    }

    async fn sixty_four_of_one_delivery_at_once_are_one(app) {
        let owner = app.owner().await;
        let hook = Hook::of(&app, &owner, "GITHUB").await;
        fresh(&app).await;
        let before = head(&owner).await;
        let pushed = hook.github("same", "push", push(REPOSITORY, app.now().timestamp()).to_string());
        let mut told = join_all((0..64).map(|_| hook.tell(&pushed))).await;
        told.sort();
        assert_eq!(told.iter().filter(|word| *word == "taken").count(), 1, "{told:?}");
        assert_eq!(told.iter().filter(|word| *word == "repeated").count(), 63, "{told:?}");
        assert_eq!(entries(&owner, before).await.len(), 3);
        app.verify_ledger(DEMO).await;
    }

    async fn a_mirrored_ticket_is_as_jira_says_whatever_order_that_comes_in(app) {
        let (owner, acme) = (app.owner().await, app.client(ACME, "owner").await);
        let hook = Hook::of(&app, &owner, "JIRA").await;
        let mirrored = async |client: &Client| {
            let made = Made { app: &app, client };
            let id = made.ticket().await;
            made.run("mirrorTicket", json!({ "id": id, "externalSystem": "JIRA", "externalKey": "HOOK-1", "externalStatus": "To Do" })).await;
            id
        };
        let (id, theirs) = (mirrored(&owner).await, mirrored(&acme).await);
        app.wait(std::time::Duration::from_secs(60));
        let now = app.now().timestamp_millis();
        let event = |at: i64, kind: &str, key: &str, status: &str| json!({
            "timestamp": at, "webhookEvent": kind, "issue": { "id": "1", "key": key, "fields": { "summary": "A", "status": { "name": status, "id": "3" } } },
        });
        let before = head(&owner).await;
        let doing = hook.jira("j-1", &event(now - 1000, "jira:issue_updated", "HOOK-1", "In Progress"));
        assert_eq!(hook.tell(&doing).await, "taken");
        assert_eq!(ticket(&owner, &id).await["externalStatus"], "In Progress");
        let told: Vec<_> = entries(&owner, before).await.iter().map(|entry| (entry["action"].clone(), entry["actor"].clone())).collect();
        assert_eq!(told, [(json!("ticket.mirrored"), json!("system:webhook:jira")), (json!("webhook.received"), json!("system:webhook:jira"))]);
        assert_eq!(hook.tell(&doing).await, "repeated");
        for (name, body) in [
            ("j-2", event(now - 2000, "jira:issue_updated", "HOOK-1", "To Do")),
            ("j-3", event(now - 1000, "jira:issue_updated", "HOOK-1", "Done")),
            ("j-4", event(now, "jira:issue_updated", "HOOK-2", "Done")),
            ("j-5", event(now, "jira:issue_deleted", "HOOK-1", "Done")),
            ("j-6", event(now, "jira:issue_updated", "HOOK-1", "Do\u{0}ne")),
            ("j-7", event(now, "jira:issue_updated", "HOOK-1", &"x".repeat(101))),
        ] {
            assert_eq!(hook.tell(&hook.jira(name, &body)).await, "ignored", "{name}");
        }
        // What is edited of an issue beside its state is nothing to tell of, but it is known as of then.
        let before = head(&owner).await;
        assert_eq!(hook.tell(&hook.jira("j-9", &event(now - 500, "jira:issue_updated", "HOOK-1", "In Progress"))).await, "ignored");
        assert_eq!(hook.tell(&hook.jira("j-10", &event(now - 700, "jira:issue_updated", "HOOK-1", "Done"))).await, "ignored");
        assert_eq!(head(&owner).await, before);
        assert_eq!(ticket(&owner, &id).await["externalStatus"], "In Progress");
        assert_eq!(hook.tell(&hook.jira("j-8", &event(now, "jira:issue_updated", "HOOK-1", "Done"))).await, "taken");
        assert_eq!(ticket(&owner, &id).await["externalStatus"], "Done");
        assert_eq!(ticket(&acme, &theirs).await["externalStatus"], "To Do");
        app.verify_ledger(DEMO).await;
    }

    async fn whatever_signs_as_we_say_tells_of_pushes_and_states(app) {
        let owner = app.owner().await;
        let hook = Hook::of(&app, &owner, "LINEAR").await;
        assert!(hook.path.starts_with("/webhooks/generic/"), "{}", hook.path);
        fresh(&app).await;
        let made = Made { app: &app, client: &owner };
        let id = made.ticket().await;
        made.run("mirrorTicket", json!({ "id": id, "externalSystem": "LINEAR", "externalKey": "LIN-1" })).await;
        app.wait(std::time::Duration::from_secs(60));
        let at = app.now().timestamp();
        assert_eq!(hook.tell(&hook.generic(at, &json!({ "event": "ping" }))).await, "taken");
        assert_eq!(hook.tell(&hook.generic(at, &json!({ "event": "push", "repository": REPOSITORY, "more": [1] }))).await, "taken");
        assert_eq!(graph(&owner).await["stale"], true);
        let done = hook.generic(at, &json!({ "event": "status", "system": "linear", "key": "LIN-1", "status": "Done" }));
        assert_eq!(hook.tell(&done).await, "taken");
        assert_eq!(hook.tell(&done).await, "repeated");
        assert_eq!(ticket(&owner, &id).await["externalStatus"], "Done");
        // Under a name of its sender's own, the same is said again.
        let mut named = hook.generic(at, &json!({ "event": "ping" }));
        named.headers.push(("x-workgraph-delivery", "another".into()));
        assert_eq!(hook.tell(&named).await, "taken");
        // Who replaces a secret signs with both for a while.
        let mut both = hook.generic(at, &json!({ "event": "ping", "n": 2 }));
        both.headers[0].1 = both.headers[0].1.replace(",v1=", &format!(",v1={},v1=", "0".repeat(64)));
        assert_eq!(hook.tell(&both).await, "taken");
        for body in [json!({}), json!({ "event": "push" }), json!({ "event": "status", "key": "LIN-1" }), json!({ "event": "other" }), json!([1]), json!({ "event": "status", "system": "paper", "key": "A", "status": "B" })] {
            assert_eq!(hook.tell(&hook.generic(at, &body)).await, "ignored", "{body}");
        }
    }

    async fn a_secret_is_shown_once_and_replaces_the_one_before(app) {
        let owner = app.owner().await;
        let hook = Hook::of(&app, &owner, "GITHUB").await;
        let set = "mutation($id: ID!, $value: String, $key: String) { setWebhookSecret(input: { id: $id, value: $value, idempotencyKey: $key }) { secret integrationConnection { id } } }";
        let first = owner.data(set, json!({ "id": hook.id, "key": "once" })).await["setWebhookSecret"].clone();
        let secret = first["secret"].as_str().expect("a secret").to_owned();
        assert!(secret.starts_with("wgh_") && secret.len() == 47 && secret != hook.secret);
        let again = owner.data(set, json!({ "id": hook.id, "key": "once" })).await["setWebhookSecret"].clone();
        assert_eq!((&again["secret"], &again["integrationConnection"]["id"]), (&Value::Null, &hook.id));
        let ping = |hook: &Hook, name: &str| hook.github(name, "ping", "{}");
        assert_eq!(hook.send(&ping(&hook, "old")).await.0, 401);
        let new = Hook { secret, ..hook.clone() };
        assert_eq!(new.tell(&ping(&new, "new")).await, "taken");
        let given = owner.data(set, json!({ "id": hook.id, "value": "  a secret of our own\n" })).await["setWebhookSecret"].clone();
        assert_eq!(given["secret"], Value::Null, "who gave it has it");
        let own = Hook { secret: "a secret of our own".into(), ..hook.clone() };
        assert_eq!(own.tell(&ping(&own, "own")).await, "taken");
        assert_eq!(owner.code(set, json!({ "id": hook.id, "value": "   too short     " })).await, "BAD_USER_INPUT");
        let slack = Hook::of(&app, &owner, "SLACK").await;
        assert_eq!(owner.code(set, json!({ "id": slack.id })).await, "BAD_USER_INPUT");
        let theirs = app.client(ACME, "owner").await;
        assert_eq!(theirs.code(set, json!({ "id": hook.id })).await, "NOT_FOUND");
        // It goes with the connection.
        let kept = "{ credentials(filter: { kind: { eq: WEBHOOK_SECRET } }) { totalCount } }";
        let count = async || owner.data(kept, json!({})).await["credentials"]["totalCount"].as_i64().expect("a number");
        let before = count().await;
        Made { app: &app, client: &owner }.run("disconnectIntegration", json!({ "id": hook.id })).await;
        assert_eq!(count().await, before - 1);
        assert_eq!(owner.code(set, json!({ "id": hook.id })).await, "CONFLICT");
        app.verify_ledger(DEMO).await;
    }
}
