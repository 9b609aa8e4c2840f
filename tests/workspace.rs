//! The workspace itself: what it is called, how it is set up, and its end.

mod removal;

use crate::{
    support::{ACME, Client, DEMO, PASSWORD, Socket, TestApp},
    writes::head,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, timeout};
use workgraph::background::run_due;

/// Has the server remove what deleted workspaces had, and do nothing else by itself.
async fn remove(app: &TestApp) {
    due(app).await;
    run_due(&app.store).await.expect("runs");
}

/// Nothing but the removal is due, and nobody does it.
async fn due(app: &TestApp) {
    for (which, at) in [("<>", "2999"), ("=", "2020")] {
        app.execute(&format!(
            "UPDATE background_tasks SET \"lockedUntil\" = NULL, \"nextAt\" = '{at}-01-01T00:00:00.000+00:00' \
             WHERE name {which} 'deleted_workspaces'"
        ))
        .await;
    }
}

async fn all(connection: &DatabaseConnection, sql: &str) -> Vec<sea_orm::QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.expect(sql)
}

async fn number(connection: &DatabaseConnection, sql: &str) -> i64 {
    let rows = all(connection, sql).await;
    rows[0].try_get("", "n").expect("a number")
}

/// A column that is called `t`.
async fn texts(connection: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = all(connection, sql).await.into_iter();
    rows.map(|row| row.try_get("", "t").expect("a text"))
        .collect()
}

/// Every table that has a tenant's rows, but that of the tenants themselves.
fn tables() -> impl Iterator<Item = &'static entity::Shape> {
    entity::shapes().filter(|shape| shape.name != "tenants")
}

/// The rows that satisfy a condition, of every table, whole.
async fn rows(connection: &DatabaseConnection, which: &str) -> BTreeMap<&'static str, Vec<String>> {
    let mut found = BTreeMap::new();
    for shape in tables() {
        let columns = shape
            .columns
            .iter()
            .map(|column| match connection.get_database_backend() {
                DbBackend::Sqlite => format!("quote(\"{}\")", column.name),
                _ => format!("coalesce(CAST(\"{}\" AS text), 'NULL')", column.name),
            });
        let row = columns.collect::<Vec<_>>().join(" || ',' || ");
        let sql = format!(
            "SELECT {row} AS t FROM \"{}\" WHERE {which} ORDER BY 1",
            shape.name
        );
        found.insert(shape.name, texts(connection, &sql).await);
    }
    found
}

/// How many rows there are of a workspace, beside its ledger.
async fn left(connection: &DatabaseConnection, tenant: &str) -> i64 {
    let mut left = 0;
    for shape in tables().filter(|shape| !["audit_logs", "tenant_feeds"].contains(&shape.name)) {
        let sql = format!(
            "SELECT count(*) AS n FROM \"{}\" WHERE \"tenantId\" = '{tenant}'",
            shape.name
        );
        left += number(connection, &sql).await;
    }
    left
}

/// What this month and the last used is what is counted when it is counted anew.
async fn must_be_counted_right(app: &TestApp) {
    let connection = app.connection.across_tenants().await;
    let tenant = app.tenant(DEMO).await;
    let since = (app.now() - chrono::TimeDelta::days(28)).format("%Y-%m");
    let sql = format!(
        "SELECT kind || ' ' || key || ' ' || period || ' ' || CAST(used AS text) || ' ' || CAST(reserved AS text) AS t \
         FROM budget_counters WHERE \"tenantId\" = '{tenant}' AND period >= '{since}' AND (used <> 0 OR reserved <> 0) ORDER BY 1"
    );
    let counted = texts(&connection, &sql).await;
    let recounted = workgraph::server::recount_budgets(&app.store, DEMO).await;
    recounted.expect("counts");
    assert!(!counted.is_empty());
    assert_eq!(counted, texts(&connection, &sql).await);
}

const UPDATE: &str = "mutation($input: UpdateWorkspaceInput!) { updateWorkspace(input: $input) { tenant {
    name slug timezone settings { digestMode quietHours { start end } clarificationTimeoutHours } } } }";
const COMPLETE: &str =
    "mutation($step: SetupStep!) { completeSetupStep(input: { step: $step }) { tenant {
    settings { setup { completed completedBy skipped } } } feedCursor } }";
const DELETE: &str = "mutation($slug: String!, $password: String) { deleteWorkspace(input: { slug: $slug, password: $password })
    { tenant { id slug } feedCursor } }";

on_both_databases! {
    async fn an_admin_says_how_the_workspace_keeps_its_days(app) {
        let owner = app.owner().await;
        let admin = app.client(DEMO, "admin").await;
        let before = head(&owner).await;
        let input = json!({ "name": " New name ", "digestMode": "WEEKLY", "quietHours": { "start": "22:00", "end": "06:30" }, "clarificationTimeoutHours": 24 });
        let changed = admin.data(UPDATE, json!({ "input": input })).await["updateWorkspace"]["tenant"].clone();
        assert_eq!((&changed["name"], &changed["slug"]), (&json!("New name"), &json!(DEMO)));
        assert_eq!(changed["settings"], json!({
            "digestMode": "WEEKLY", "quietHours": { "start": "22:00", "end": "06:30" }, "clarificationTimeoutHours": 24,
        }));
        let told = owner.data("{ activity(first: 1) { nodes { action actor diff { before after } } } }", json!({})).await["activity"]["nodes"][0].clone();
        assert_eq!((&told["action"], &told["diff"]["after"]["name"]), (&json!("settings.updated"), &json!("New name")));
        assert_eq!(told["diff"]["before"]["settings"]["digestMode"], "daily", "{told}");
        assert_eq!(head(&owner).await, before + 1);
        admin.data(UPDATE, json!({ "input": { "name": "New name", "quietHours": { "start": "22:00", "end": "06:30" } } })).await;
        assert_eq!(head(&owner).await, before + 1, "what is so already is no change");
        let cleared = admin.data(UPDATE, json!({ "input": { "quietHours": null } })).await;
        assert_eq!(cleared["updateWorkspace"]["tenant"]["settings"]["quietHours"], Value::Null);
        for (input, field) in [
            (json!({ "timezone": "Mars/Olympus" }), "timezone"), (json!({ "timezone": null }), "timezone"), (json!({ "name": "" }), "name"),
            (json!({ "quietHours": { "start": "25:00", "end": "06:00" } }), "quietHours.start"),
            (json!({ "quietHours": { "start": "6:00", "end": "06:00" } }), "quietHours.start"),
            (json!({ "quietHours": { "start": "06:00", "end": "06:00" } }), "quietHours.end"),
            (json!({ "clarificationTimeoutHours": 0 }), "clarificationTimeoutHours"), (json!({ "digestMode": null }), "digestMode"),
        ] {
            let answer = admin.send(UPDATE, json!({ "input": input })).await;
            assert_eq!((answer.code().as_str(), &answer.body["errors"][0]["extensions"]["field"]), ("BAD_USER_INPUT", &json!(field)), "{input}");
        }
        assert_eq!(app.client(DEMO, "member").await.code(UPDATE, json!({ "input": { "name": "x" } })).await, "FORBIDDEN");
    }

    async fn budgets_are_counted_anew_in_the_days_of_another_timezone(app) {
        let owner = app.owner().await;
        for timezone in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"] {
            owner.data(UPDATE, json!({ "input": { "timezone": timezone } })).await;
            let zone = owner.data("{ spending { timezone } viewer { tenant { timezone } } }", json!({})).await;
            assert_eq!((&zone["spending"]["timezone"], &zone["viewer"]["tenant"]["timezone"]), (&json!(timezone), &json!(timezone)));
            must_be_counted_right(&app).await;
        }
    }

    async fn steps_of_the_setup_are_passed_over_or_finished(app) {
        workgraph::workspace::found(&app.store, "Newcomers", Some("new"), "ada@example.com").await.expect("is founded");
        let owner = app.client("new", "owner").await;
        let next = async || owner.data("{ viewer { setup { completed nextStep } } }", json!({})).await["viewer"]["setup"].clone();
        let complete = async |step: &str| owner.data(COMPLETE, json!({ "step": step })).await["completeSetupStep"].clone();
        assert_eq!(next().await, json!({ "completed": false, "nextStep": "AI_PROVIDER" }));
        let first = complete("FIRST_INTEGRATION").await;
        assert_eq!(first["tenant"]["settings"]["setup"]["skipped"], json!(["FIRST_INTEGRATION"]));
        assert_eq!(complete("FIRST_INTEGRATION").await, first, "once more changes nothing");
        complete("AI_PROVIDER").await;
        assert_eq!(next().await, json!({ "completed": false, "nextStep": "FINISH" }));
        let finished = complete("FINISH").await;
        let me = owner.data("{ viewer { user { id } } }", json!({})).await["viewer"]["user"]["id"].clone();
        assert_eq!(finished["tenant"]["settings"]["setup"], json!({ "completed": true, "completedBy": me, "skipped": ["FIRST_INTEGRATION", "AI_PROVIDER"] }));
        assert_eq!(next().await, json!({ "completed": true, "nextStep": null }));
        assert_eq!(complete("FINISH").await, finished);
        app.verify_ledger("new").await;
    }

    async fn a_workspace_is_deleted_with_all_but_its_ledger_and_no_other_is_touched(app) {
        let (owner, acme) = (app.owner().await, app.client(ACME, "owner").await);
        let tenant = app.tenant(DEMO).await;
        run_due(&app.store).await.expect("runs");
        let connection = app.connection.across_tenants().await;
        let others = rows(&connection, &format!("\"tenantId\" <> '{tenant}' OR \"tenantId\" IS NULL")).await;
        assert!(others.len() > 35 && others.values().all(|rows| !rows.is_empty()), "{:?}", others.keys());
        let entries = head(&owner).await;
        let goals = texts(&connection, &format!("SELECT id AS t FROM goals WHERE \"tenantId\" = '{tenant}' ORDER BY id")).await;
        let had = rows(&connection, &format!("\"tenantId\" = '{tenant}'")).await;
        for (slug, password, field) in [(ACME, Some(PASSWORD), "slug"), (DEMO, Some("wrong wrong wrong"), "password"), (DEMO, None, "password")] {
            let answer = owner.send(DELETE, json!({ "slug": slug, "password": password })).await;
            assert_eq!((answer.code().as_str(), &answer.body["errors"][0]["extensions"]["field"]), ("BAD_USER_INPUT", &json!(field)));
        }
        for role in ["admin", "viewer"] {
            let proof = json!({ "slug": DEMO, "password": PASSWORD });
            assert_eq!(app.client(DEMO, role).await.code(DELETE, proof).await, "FORBIDDEN");
        }
        let member = app.client(DEMO, "member").await;
        let service = Client::new(&app.url, &app.service_token(&owner, "ADMIN").await);
        let worker = app.worker(&owner).await;
        let elsewhere = Client::new(&app.elsewhere().await, member.token());
        for client in [&member, &service, &worker, &elsewhere] {
            client.data("{ feedCursor }", json!({})).await;
        }
        let deleted = owner.data(DELETE, json!({ "slug": DEMO, "password": PASSWORD })).await["deleteWorkspace"].clone();
        assert_eq!(deleted["tenant"], json!({ "id": tenant, "slug": DEMO }));
        for client in [&owner, &member, &service, &worker] {
            let answer = client.send("{ feedCursor }", json!({})).await;
            let message = answer.body["errors"][0]["message"].as_str().expect("a message");
            assert!(answer.code() == "UNAUTHENTICATED" && message.contains("was deleted"), "{message}");
        }
        let sign_in = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }";
        let email = format!("owner@{DEMO}.example");
        for workspace in [DEMO, &tenant] {
            let input = json!({ "input": { "workspace": workspace, "email": email, "password": PASSWORD } });
            assert_eq!(Client::anonymous(&app.url).code(sign_in, input).await, "UNAUTHENTICATED");
        }
        // The slug is free, and who has it sees nothing of what was there.
        workgraph::workspace::found(&app.store, "Another", Some(DEMO), "new@example.com").await.expect("is founded");
        remove(&app).await;
        let new = app.owner().await;
        let seen = new.data("{ users { totalCount } tickets { totalCount } activity { totalCount } meetings { totalCount } }", json!({})).await;
        assert_eq!(seen, json!({ "users": { "totalCount": 1 }, "tickets": { "totalCount": 0 }, "activity": { "totalCount": 3 }, "meetings": { "totalCount": 0 } }));
        let waiting = Instant::now();
        while elsewhere.send("{ feedCursor }", json!({})).await.body.get("errors").is_none() {
            assert!(waiting.elapsed() < Duration::from_secs(5), "other servers know within 5 s");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let fresh = app.tenant(DEMO).await;
        let left = rows(&connection, &format!("\"tenantId\" = '{tenant}'")).await;
        let left: Vec<_> = left.iter().filter(|(_, rows)| !rows.is_empty()).map(|(table, _)| *table).collect();
        assert_eq!(left, ["audit_logs", "tenant_feeds"]);
        let after = rows(&connection, &format!("(\"tenantId\" <> '{tenant}' AND \"tenantId\" <> '{fresh}') OR \"tenantId\" IS NULL")).await;
        assert!(after == others, "another workspace's rows were touched");
        acme.data("{ feedCursor }", json!({})).await;
        // The ledger tells who deleted it, and what there was.
        let told = texts(&connection, &format!("SELECT action || ' ' || actor AS t FROM audit_logs WHERE \"tenantId\" = '{tenant}' AND seq > {entries} ORDER BY seq")).await;
        assert_eq!(told[told.len() - 2..], [format!("workspace.deleted user:{email}").as_str(), "workspace.rows_removed system:workspaces"]);
        let diff = texts(&connection, &format!("SELECT CAST(diff AS text) AS t FROM audit_logs WHERE \"tenantId\" = '{tenant}' AND action = 'workspace.rows_removed'")).await;
        let diff: Value = serde_json::from_str(&diff[0]).expect("JSON");
        assert_eq!(diff["before"]["tickets"]["count"], had["tickets"].len());
        assert_eq!(diff["before"]["goals"], json!({ "count": goals.len(), "idsSha256": hex::encode(Sha256::digest(goals.join("\n"))) }));
        app.store.verify_ledger(&tenant.as_str().into(), None).await.expect("the chain holds");
        let by_id = workgraph::server::verify_ledger(&app.store, &tenant, None).await.expect("is found by its id");
        assert_eq!(by_id.seq, entries + told.len() as i64);
    }

    async fn streams_of_everybody_end_with_the_workspace_on_every_server(app) {
        let owner = app.owner().await;
        let service = app.service_token(&owner, "VIEWER").await;
        let mut sockets = Vec::new();
        for url in [app.url.clone(), app.elsewhere().await] {
            for token in [app.token(DEMO, "member").await, service.clone()] {
                let mut socket = Socket::signed_in(&url, &token).await;
                socket.subscribe("a", "subscription { activity { position } }", json!({})).await;
                sockets.push(socket);
            }
        }
        owner.data(DELETE, json!({ "slug": DEMO, "password": PASSWORD })).await;
        let begun = Instant::now();
        for socket in &mut sockets {
            let left = Duration::from_secs(5).saturating_sub(begun.elapsed());
            assert_eq!(timeout(left, socket.closed()).await.expect("within 5 s"), 4403);
        }
    }

    async fn a_removal_that_was_cut_off_goes_on_where_it_was(app) {
        let owner = app.owner().await;
        let tenant = app.tenant(DEMO).await;
        run_due(&app.store).await.expect("runs");
        owner.data(DELETE, json!({ "slug": DEMO, "password": PASSWORD })).await;
        let (mut cut, mut before) = (0, i64::MAX);
        let connection = app.connection.across_tenants().await;
        // As if the server were killed, again and again, wherever it was.
        for round in 1..400_u64 {
            due(&app).await;
            let store = app.store.clone();
            let mut working = tokio::spawn(async move { run_due(&store).await });
            if timeout(Duration::from_millis(round * 5), &mut working).await.is_err() {
                working.abort();
                let _ = working.await;
                cut += 1;
            }
            let rows = left(&connection, &tenant).await;
            assert!(rows <= before, "nothing comes back");
            before = rows;
            if number(&connection, &format!("SELECT count(*) AS n FROM tenants WHERE id = '{tenant}'")).await == 0 {
                break;
            }
        }
        assert!(cut > 0 && before == 0, "cut off {cut} times, {before} left");
        let told = texts(&connection, &format!("SELECT action AS t FROM audit_logs WHERE \"tenantId\" = '{tenant}' ORDER BY seq DESC LIMIT 2")).await;
        assert_eq!(told, ["workspace.rows_removed", "workspace.deleted"], "it is told once");
        app.store.verify_ledger(&tenant.as_str().into(), None).await.expect("the chain holds");
    }

    async fn nothing_is_written_into_a_workspace_after_its_deletion_is_answered(app) {
        let acme = app.client(ACME, "member").await;
        run_due(&app.store).await.expect("runs");
        for round in 0..12_u32 {
            let slug = format!("round-{round}");
            workgraph::workspace::found(&app.store, "Round", Some(&slug), "ada@example.com").await.expect("is founded");
            let owner = &app.client(&slug, "owner").await;
            let tenant = app.tenant(&slug).await;
            let create = "mutation($name: String!) { createProject(input: { name: $name }) { feedCursor } }";
            let writers = futures_util::future::join_all((0..4).map(|writer| async move {
                let mut written = 0;
                loop {
                    let answer = owner.send(create, json!({ "name": format!("{writer} {written}") })).await;
                    if answer.body.get("errors").is_some() {
                        assert_eq!(answer.code(), "UNAUTHENTICATED", "{:#}", answer.body);
                        return written;
                    }
                    written += 1;
                }
            }));
            let deleting = async {
                tokio::time::sleep(Duration::from_millis(u64::from(round) * 4)).await;
                // Who has no password needs none.
                owner.data(DELETE, json!({ "slug": slug, "password": null })).await
            };
            let (written, _) = tokio::join!(writers, deleting);
            let connection = app.connection.across_tenants().await;
            let told = texts(&connection, &format!("SELECT action AS t FROM audit_logs WHERE \"tenantId\" = '{tenant}' ORDER BY seq DESC")).await;
            let created = told.iter().filter(|action| *action == "project.created").count();
            assert_eq!((told[0].as_str(), created), ("workspace.deleted", 1 + written.iter().sum::<usize>()), "round {round}");
            let projects = number(&connection, &format!("SELECT count(*) AS n FROM projects WHERE \"tenantId\" = '{tenant}'")).await;
            assert_eq!(usize::try_from(projects), Ok(created));
        }
        remove(&app).await;
        let connection = app.connection.across_tenants().await;
        assert_eq!(number(&connection, "SELECT count(*) AS n FROM tenants").await, 2);
        acme.data("{ feedCursor }", json!({})).await;
    }
}
