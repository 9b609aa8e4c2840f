//! A world in which everybody has something of their own, and those who look around in it.

use crate::support::{Client, DEMO, TestApp};
use entity::{
    Id, Json, Owned, Secret, api_usage,
    api_usage::{ApiOperation, ApiProvider},
    auth_token,
    auth_token::AuthTokenKind,
    google_oauth_token, notification, notification_subscription,
    notification_subscription::SubscriptionEvent,
    project, user,
    user::UserRole,
};
use sea_orm::{ActiveValue::Set, Condition};
use serde_json::json;
use std::sync::atomic::{AtomicU32, Ordering};
use workgraph::store::Tx;

/// Somebody who asks.
#[derive(Clone)]
pub struct Caller {
    pub name: &'static str,
    pub role: &'static str,
    pub tenant: String,
    pub user: Option<String>,
    pub agent: Option<String>,
    pub token: String,
    pub client: Client,
}

/// Gives everyone in the demo rows of their own and the ledger an entry about some of every table's, and returns one
/// caller of each role, a second viewer, an agent whose token is for one project only, and services.
pub async fn furnish(app: &TestApp) -> Vec<Caller> {
    let tenant: Id = app.tenant(DEMO).await.as_str().into();
    let owner = app.owner().await;
    let projects = owner
        .data("{ projects(first: 2) { nodes { id } } }", json!({}))
        .await;
    let scoped = [projects["projects"]["nodes"][0]["id"]
        .as_str()
        .expect("a project")];
    let agents = [("agent", None), ("scoped agent", Some(&scoped[..]))];
    let mut callers = Vec::new();
    let scope = app.store.system().tenant(tenant.clone(), "walk");
    let mut tx = scope.begin().await.expect("begins");
    let second = user::ActiveModel {
        email: Set("second.viewer@demo.example".to_owned()),
        name: Set(word("Second")),
        role: Set(UserRole::Viewer),
        channel_ids: Set(Json(user::ChannelIds {
            slack: Some(word("Slack")),
            ..Default::default()
        })),
        identity_issuer: Set(Some(word("Issuer"))),
        identity_subject: Set(Some(word("Subject"))),
        ..Default::default()
    };
    let second = tx
        .insert(second, "user.joined")
        .await
        .expect("a second viewer");
    furnish_people(&mut tx).await;
    note_some_of_everything(&mut tx).await;
    tx.commit().await.expect("commits");
    for role in ["owner", "admin", "member", "viewer"] {
        let user = app.user(DEMO, role).await;
        callers.push(person(app, role, role, &user));
    }
    callers.push(person(app, "second viewer", "viewer", &second));
    for (nth, (name, projects)) in agents.into_iter().enumerate() {
        callers.push(agent(app, &owner, name, projects, nth).await);
    }
    for (name, role) in [("admin service", "admin"), ("member service", "member")] {
        callers.push(service(app, &owner, name, role).await);
    }
    callers
}

/// A service, which sees what a person of its role sees who has nothing of their own.
async fn service(app: &TestApp, owner: &Client, name: &'static str, role: &'static str) -> Caller {
    let token = app.service_token(owner, role).await;
    Caller {
        name,
        role,
        tenant: app.tenant(DEMO).await,
        user: None,
        agent: None,
        client: Client::new(&app.url, &token),
        token,
    }
}

fn person(app: &TestApp, name: &'static str, role: &'static str, user: &user::Model) -> Caller {
    let token = app.token_of(user);
    Caller {
        name,
        role,
        tenant: user.tenant_id.to_string(),
        user: Some(user.id.to_string()),
        agent: None,
        client: Client::new(&app.url, &token),
        token,
    }
}

/// An agent that holds a ticket, a job and a session.
async fn agent(
    app: &TestApp,
    owner: &Client,
    name: &'static str,
    projects: Option<&[&str]>,
    nth: usize,
) -> Caller {
    let create = "mutation($input: CreateAgentTokenInput!) { createAgentToken(input: $input) { token agentToken { id } } }";
    let input = json!({ "name": name, "roleSlugs": ["dev_agent"], "projectIds": projects });
    let made = owner.data(create, json!({ "input": input })).await["createAgentToken"].clone();
    let (id, token) = (
        made["agentToken"]["id"].as_str().expect("an id"),
        made["token"].as_str().expect("a token"),
    );
    let tenant = app.tenant(DEMO).await;
    for (table, column) in [
        ("tickets", "claimedByTokenId"),
        ("agent_jobs", "agentTokenId"),
        ("agent_sessions", "agentTokenId"),
    ] {
        app.execute(&format!(
            "UPDATE {table} SET \"{column}\" = '{id}' WHERE id = (SELECT id FROM {table} WHERE \"tenantId\" = '{tenant}' \
             ORDER BY \"createdAt\" DESC, id DESC LIMIT 1 OFFSET {nth})"
        ))
        .await;
    }
    Caller {
        name,
        role: "agent",
        tenant,
        user: None,
        agent: Some(id.to_owned()),
        client: Client::new(&app.url, token),
        token: token.to_owned(),
    }
}

async fn furnish_people(tx: &mut Tx<'_>) {
    let people = tx
        .rows::<user::Entity>(|_| Condition::all())
        .await
        .expect("reads");
    let projects = tx
        .rows::<project::Entity>(|_| Condition::all())
        .await
        .expect("reads");
    let connected = tx
        .rows::<google_oauth_token::Entity>(|_| Condition::all())
        .await
        .expect("reads");
    let later = tx.now();
    for person in &people {
        let notice = notification::ActiveModel {
            user_id: Set(Some(person.id.clone())),
            title: Set(word("Notice")),
            message: Set(word("Message")),
            ..Default::default()
        };
        tx.insert(notice, "notification.created")
            .await
            .expect("a notification");
        let wish = notification_subscription::ActiveModel {
            user_id: Set(person.id.clone()),
            project_id: Set(projects.first().map(|project| project.id.clone())),
            event: Set(SubscriptionEvent::AgentError),
            timezone: Set(Some(word("Zone"))),
            ..Default::default()
        };
        tx.insert(wish, "subscription.created")
            .await
            .expect("a subscription");
        let token = auth_token::ActiveModel {
            kind: Set(AuthTokenKind::Refresh),
            user_id: Set(Some(person.id.clone())),
            token_hash: Set(Secret::new(word("hash"))),
            expires_at: Set(later),
            ..Default::default()
        };
        tx.insert(token, "auth_token.created")
            .await
            .expect("a token");
        if !connected.iter().any(|account| account.user_id == person.id) {
            let account = google_oauth_token::ActiveModel {
                user_id: Set(person.id.clone()),
                email: Set(format!("{}@mail.example", word("google"))),
                access_token: Set(Secret::new(word("access"))),
                refresh_token: Set(Secret::new(word("refresh"))),
                expires_at: Set(later),
                ..Default::default()
            };
            tx.insert(account, "google_account.connected")
                .await
                .expect("an account");
        }
        for project in projects.iter().take(2).map(Some).chain([None]) {
            let usage = api_usage::ActiveModel {
                user_id: Set(Some(person.id.clone())),
                project_id: Set(project.map(|project| project.id.clone())),
                role_slug: Set("dev_agent".to_owned()),
                provider: Set(ApiProvider::Anthropic),
                operation: Set(ApiOperation::Draft),
                model: Set(word("model")),
                request_id: Set(Some(word("request"))),
                ..Default::default()
            };
            tx.insert(usage, "usage.created").await.expect("a call");
        }
    }
}

async fn note_some_of_everything(tx: &mut Tx<'_>) {
    macro_rules! note {
        ($($table:ident),*) => { $(
            let rows = tx.rows::<entity::$table::Entity>(|_| Condition::all()).await.expect("reads");
            // Entries are about rows, not about entries.
            let is_entry = <entity::$table::Entity as Owned>::KIND == "AuditLog";
            let ends = rows.iter().take(4).chain(rows.iter().skip(4).rev().take(4));
            for row in ends.filter(|_| !is_entry) {
                tx.note::<entity::$table::Entity>(row, "walk.noted");
                tx.explain(word("Noted"));
            }
        )* };
    }
    entity::for_each_table!(note);
}

/// A word that is nowhere else.
fn word(begin: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{begin}{:0>24}", NEXT.fetch_add(1, Ordering::Relaxed))
}
