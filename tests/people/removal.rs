//! Removal: what ends with it, how soon, and what stays.

use super::{ENDED, REMOVE, ROLE, actions, left, session, told};
use crate::{
    live::ACTIVITY,
    support::{ACME, Client, DEMO, Events, Socket, TestApp, Waiting},
    writes::Made,
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// How long a stream may go on.
const SOON: Duration = Duration::from_secs(5);

/// A stream of each kind.
struct Streams {
    socket: Socket,
    events: Events,
}

impl Streams {
    /// Begins to follow what happens in the demo.
    async fn open(url: &str, token: &str) -> Self {
        let mut socket = Socket::signed_in(url, token).await;
        socket.subscribe("a", ACTIVITY, json!({})).await;
        socket.data("a").await;
        let mut events = Events::open(url, token, ACTIVITY, None).await;
        events.next().await.expect("an event");
        Self { socket, events }
    }

    /// Waits until both have ended, as they must.
    async fn end(mut self) {
        assert_eq!(self.socket.closed().await, 4403);
        let mut last = Value::Null;
        while let Some((name, _, data)) = self.events.next().await {
            if name == "next" {
                last = data;
            }
        }
        assert_eq!(
            last["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
            "{last}"
        );
    }
}

/// Opens streams of somebody on two servers, ends their account with a mutation, and sees that all streams end soon.
async fn must_end_streams(app: &TestApp, mutation: &str, role: Value) {
    let admin = app.client(DEMO, "admin").await;
    let person = Made {
        app,
        client: &admin,
    }
    .person("member")
    .await;
    let (token, other) = (app.token_of(&person), app.elsewhere().await);
    let mut streams = Vec::new();
    for url in [&app.url, &other] {
        streams.push(Streams::open(url, &token).await);
    }
    let mut variables = json!({ "id": person.id });
    if !role.is_null() {
        variables["role"] = role;
    }
    admin.data(mutation, variables).await;
    let ended = async {
        for stream in streams {
            stream.end().await;
        }
    };
    timeout(SOON, ended).await.expect("they end soon");
}

on_both_databases! {
    async fn the_streams_of_somebody_who_is_removed_end_soon_on_every_server(app) {
        must_end_streams(&app, REMOVE, Value::Null).await;
    }

    async fn the_streams_of_somebody_with_another_role_end_soon_on_every_server(app) {
        must_end_streams(&app, ROLE, json!("VIEWER")).await;
    }

    async fn somebody_who_is_removed_is_gone_and_what_they_did_is_still_theirs(app) {
        let admin = app.client(DEMO, "admin").await;
        let made = Made { app: &app, client: &admin };
        let person = made.person("admin").await;
        let theirs = Client::new(&app.url, &app.token_of(&person));
        let by_them = Made { app: &app, client: &theirs };
        let (brief, goal) = (by_them.approved().await, json!({ "token": by_them.invitation().await.0 }));
        let before = session(&app.url, &person.email).await;
        let other = app.user(ACME, "admin").await;
        assert_eq!(admin.code(REMOVE, json!({ "id": other.id })).await, "NOT_FOUND");

        let gone = admin.data(REMOVE, json!({ "id": person.id })).await;
        assert_eq!(gone["removeUser"]["deletedId"], json!(person.id));
        assert_eq!(left(&app.url, &before).await, ENDED);
        assert_eq!(super::sign_in(&app.url, &person.email, crate::support::PASSWORD).await.code(), "UNAUTHENTICATED");
        assert_eq!(admin.code(REMOVE, json!({ "id": person.id })).await, "NOT_FOUND");
        let user = admin.data("query($id: ID!) { user(id: $id) { id } }", json!({ "id": person.id })).await;
        assert!(user["user"].is_null());

        let actor = format!("user:{}", person.email);
        let entries = told(&app, &person.id).await;
        assert_eq!(actions(&entries)[0], "user.removed");
        assert_eq!(entries[0]["targetTitle"], "Somebody");
        assert_eq!(entries[0]["diff"]["before"]["email"], person.email.as_str());
        let life = told(&app, brief.as_str().expect("an id")).await;
        assert!(life.iter().any(|entry| entry["actor"] == actor.as_str()), "{life:#?}");
        let decided = "query($id: ID!) { prd(id: $id) { status approvals { nodes { actor actorEmail decision user { id } } } } }";
        let decided = admin.data(decided, json!({ "id": brief })).await;
        assert_eq!(decided["prd"]["approvals"]["nodes"][0], json!({
            "actor": actor, "actorEmail": person.email, "decision": "APPROVED", "user": null,
        }));
        let invitation = admin.data("query($token: ID!) { invitation(id: $token) { status invitedBy { id } } }", goal).await;
        assert_eq!(invitation["invitation"], json!({ "status": "REVOKED", "invitedBy": null }));
        app.verify_ledger(DEMO).await;
    }

    async fn nobody_stands_in_for_somebody_who_is_removed(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        owner.data("mutation { setDelegate(input: { userId: null }) { feedCursor } }", json!({})).await;
        let (person, member) = (made.person("admin").await, made.person("member").await);
        let theirs = Client::new(&app.url, &app.token_of(&person));
        let delegate = "mutation($id: ID!) { setDelegate(input: { userId: $id, until: \"2100-01-01T00:00:00Z\" }) { feedCursor } }";
        theirs.data(delegate, json!({ "id": member.id })).await;
        owner.data(REMOVE, json!({ "id": person.id })).await;
        // Another admin need not end it before they name a delegate of their own.
        owner.data(delegate, json!({ "id": member.id })).await;
        owner.data(REMOVE, json!({ "id": member.id })).await;
        let settings = owner.data("{ viewer { tenant { settings { delegation { until } } } } }", json!({})).await;
        assert!(settings["viewer"]["tenant"]["settings"]["delegation"].is_null());
        app.verify_ledger(DEMO).await;
    }
}

/// On SQLite no mutation runs beside another one.
#[test]
fn a_mutation_that_runs_while_its_sender_is_removed_is_refused() {
    crate::support::run(async {
        let app = TestApp::start(crate::support::Database::Postgres).await;
        for (mutation, role) in [(REMOVE, None), (ROLE, Some("VIEWER"))] {
            refused_while_it_runs(&app, mutation, role).await;
        }
    });
}

async fn refused_while_it_runs(app: &TestApp, mutation: &str, role: Option<&str>) {
    let owner = app.owner().await;
    let person = Made {
        app,
        client: &owner,
    }
    .person("member")
    .await;
    let theirs = Client::new(&app.url, &app.token_of(&person));
    let mut variables = json!({ "id": person.id });
    if let Some(role) = role {
        variables["role"] = json!(role);
    }
    must_be_overtaken(app, theirs, RENAME, async {
        owner.data(mutation, variables).await;
    })
    .await;
}

/// Changes a project.
pub const RENAME: &str =
    "mutation($id: ID!) { updateProject(input: { id: $id, name: \"Theirs\" }) { feedCursor } }";

/// How many wait for a lock in the database, which is PostgreSQL.
pub async fn blocked(app: &TestApp) -> i64 {
    let connection = app.connection.across_tenants().await;
    let blocked = "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let row = connection
        .query_one_raw(Statement::from_string(DbBackend::Postgres, blocked))
        .await;
    let row = row.expect("asks").expect("a row");
    row.try_get("", "n").expect("a number")
}

/// Has somebody write about a project while it is locked, ends their right to meanwhile, and sees that nothing is written.
pub async fn must_be_overtaken(
    app: &TestApp,
    theirs: Client,
    writing: &'static str,
    meanwhile: impl Future<Output = ()>,
) {
    let owner = app.owner().await;
    let project = owner
        .data(
            "mutation { createProject(input: { name: \"Held\" }) { project { id } } }",
            json!({}),
        )
        .await;
    let project = project["createProject"]["project"]["id"].clone();
    let beside = app.connection.across_tenants().await;
    let hold = format!(
        "BEGIN; SELECT 1 FROM projects WHERE id = {} FOR UPDATE",
        project.to_string().replace('"', "'")
    );
    beside.execute_unprepared(&hold).await.expect("locks");
    let running = tokio::spawn({
        let project = project.clone();
        async move { theirs.send(writing, json!({ "id": project })).await }
    });
    let waiting = Waiting::until("the mutation waits for the row");
    while blocked(app).await == 0 {
        waiting.a_moment().await;
    }
    timeout(SOON, meanwhile)
        .await
        .expect("who ends it need not wait for what is written");
    beside
        .execute_unprepared("ROLLBACK")
        .await
        .expect("lets go");
    assert_eq!(running.await.expect("runs").code(), "UNAUTHENTICATED");
    let left = owner
        .data(
            "query($id: ID!) { project(id: $id) { name } apiUsages(filter: { projectId: { eq: $id } }) { totalCount } }",
            json!({ "id": project }),
        )
        .await;
    assert_eq!(left["project"]["name"], "Held", "it left nothing");
    assert_eq!(left["apiUsages"]["totalCount"], 0);
    app.verify_ledger(DEMO).await;
}
