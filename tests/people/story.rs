//! The third chapter: two companies run their own workspaces, and one of them leaves.

use super::{ACCEPT, NEW, REMOVE, left};
use crate::{
    support::{Client, TestApp},
    vault::connected,
};
use serde_json::{Value, json};
use workgraph::background::run_due;

const SIGN_UP: &str =
    "mutation($input: SignUpInput!) { signUp(input: $input) { accessToken refreshToken } }";

/// A company whose founder has signed up, and has been joined by an admin.
struct Company {
    slug: &'static str,
    founder: Client,
    admin: Client,
    /// The session that the admin has.
    session: Value,
}

impl Company {
    async fn found(app: &TestApp, slug: &'static str, name: &str) -> Self {
        let input = json!({ "workspaceName": name, "workspaceSlug": slug, "name": "Ada", "email": format!("ada@{slug}.example"), "password": NEW });
        let nobody = Client::anonymous(&app.url);
        let made = nobody.data(SIGN_UP, json!({ "input": input })).await;
        let founder = client(app, &made["signUp"]);
        let invite = "mutation($email: String!) { inviteUser(input: { email: $email, role: ADMIN }) { link } }";
        let made = founder
            .data(invite, json!({ "email": format!("grace@{slug}.example") }))
            .await;
        let link = made["inviteUser"]["link"].as_str().expect("a link");
        let (_, token) = link.split_once('#').expect("a token");
        let variables = json!({ "token": token, "name": "Grace", "password": NEW });
        let session = nobody.data(ACCEPT, variables).await["acceptInvitation"].clone();
        Self {
            slug,
            admin: client(app, &session),
            founder,
            session,
        }
    }

    /// What the company sees of itself.
    async fn sees(&self) -> Value {
        let query = "{ viewer { tenant { name slug } } users { nodes { email role } } projects { nodes { slug } }
            integrationConnections { nodes { id label status } } credentials { nodes { id name hint health } }
            agentRoles(filter: { isBuiltin: { eq: false } }) { nodes { slug systemPromptTemplate } } }";
        self.founder.data(query, json!({})).await
    }

    /// What its ledger tells, from the first entry on.
    async fn told(&self) -> Vec<String> {
        let query =
            "{ activity(first: 100, orderBy: [{ field: SEQ }]) { nodes { action actor } } }";
        let told = self.founder.data(query, json!({})).await;
        let entries = told["activity"]["nodes"].as_array().expect("entries");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        { entries.iter() }
            .map(|entry| {
                let actor = text(&entry["actor"]);
                let who = actor.split('@').next().expect("a name");
                format!(
                    "{} {}",
                    who.trim_start_matches("user:"),
                    text(&entry["action"])
                )
            })
            .collect()
    }
}

/// Whoever has this session.
fn client(app: &TestApp, session: &Value) -> Client {
    Client::new(&app.url, session["accessToken"].as_str().expect("a token"))
}

on_both_databases! {
    async fn chapter_three(app) {
        let hill = Company::found(&app, "hill", "Hill & Dale").await;
        let dale = Company::found(&app, "dale", "Dale & Hill").await;

        // Both connect, each for itself; what a service does not take changes nothing.
        let repositories = connected(&hill.admin, "Shop", "good-token-of-hill").await;
        connected(&dale.admin, "Shop", "good-token-of-dale").await;
        let add = "mutation($key: String!) { addAiProvider(input: { provider: ANTHROPIC, apiKey: $key }) { credential { id } } }";
        assert_eq!(hill.admin.code(add, json!({ "key": "wrong-key-of-hill" })).await, "BAD_USER_INPUT");
        let models = hill.admin.data(add, json!({ "key": "good-key-of-hill-0001" })).await["addAiProvider"]["credential"]["id"].clone();
        dale.admin.data(add, json!({ "key": "good-key-of-dale-0001" })).await;
        assert_eq!(dale.admin.code("mutation($id: ID!) { retestIntegration(input: { id: $id }) { feedCursor } }", json!({ "id": repositories })).await, "NOT_FOUND");

        // A key is replaced, and the old one is used no longer.
        let rotate = "mutation($id: ID!, $key: String!) { rotateAiProvider(input: { id: $id, apiKey: $key }) { feedCursor } }";
        assert_eq!(hill.admin.code(rotate, json!({ "id": models, "key": "wrong-key-of-hill" })).await, "BAD_USER_INPUT");
        hill.admin.data(rotate, json!({ "id": models, "key": "good-key-of-hill-0002" })).await;
        hill.admin.data("mutation($id: ID!) { probeAiProvider(input: { id: $id }) { feedCursor } }", json!({ "id": models })).await;
        assert!(app.outside.heard().pop().expect("it was asked").contains("good-key-of-hill-0002"));

        // A role is told otherwise, and then what it was told before.
        let prompt = "mutation($prompt: String!) { overrideAgentRole(input: { slug: \"qa_agent\", systemPromptTemplate: $prompt }) { agentRole { id } } }";
        let role = hill.admin.data(prompt, json!({ "prompt": "Break it." })).await["overrideAgentRole"]["agentRole"]["id"].clone();
        hill.admin.data(prompt, json!({ "prompt": "Praise it." })).await;
        let restore = "mutation($id: ID!) { restoreAgentRoleVersion(input: { roleId: $id, version: 1 }) { feedCursor } }";
        assert_eq!(dale.admin.code(restore, json!({ "id": role })).await, "NOT_FOUND");

        // The admin goes, and all that they had ends with them; the founder goes on.
        let who = hill.admin.data("{ viewer { user { id } } }", json!({})).await["viewer"]["user"]["id"].clone();
        hill.founder.data(REMOVE, json!({ "id": who })).await;
        assert_eq!(left(&app.url, &hill.session).await, super::ENDED);
        assert_eq!(hill.admin.code(restore, json!({ "id": role })).await, "UNAUTHENTICATED");
        hill.founder.data(restore, json!({ "id": role })).await;

        // One leaves, and the other has all that it had.
        let before = hill.sees().await;
        let there = app.tenant(dale.slug).await;
        let leave = "mutation($password: String!) { deleteWorkspace(input: { slug: \"dale\", password: $password }) { feedCursor } }";
        assert_eq!(hill.founder.code(leave, json!({ "password": NEW })).await, "BAD_USER_INPUT");
        assert_eq!(dale.admin.code(leave, json!({ "password": NEW })).await, "FORBIDDEN");
        dale.founder.data(leave, json!({ "password": NEW })).await;
        for gone in [&dale.founder, &dale.admin] {
            assert_eq!(gone.code("{ feedCursor }", json!({})).await, "UNAUTHENTICATED");
        }
        run_due(&app.store).await.expect("runs");
        assert_eq!(hill.sees().await, before);
        assert_eq!(before, json!({
            "viewer": { "tenant": { "name": "Hill & Dale", "slug": "hill" } },
            "users": { "nodes": [{ "email": "ada@hill.example", "role": "OWNER" }] },
            "projects": { "nodes": [{ "slug": "default" }] },
            "integrationConnections": { "nodes": [{ "id": repositories, "label": "Shop", "status": "CONNECTED" }] },
            "credentials": { "nodes": before["credentials"]["nodes"] },
            "agentRoles": { "nodes": [{ "slug": "qa_agent", "systemPromptTemplate": "Break it." }] },
        }));
        let kept: Vec<_> = before["credentials"]["nodes"].as_array().expect("credentials").iter()
            .map(|kept| (kept["name"].as_str().expect("a name"), kept["hint"].as_str().expect("a hint"))).collect();
        assert!(kept.len() == 2 && kept.contains(&("anthropic", "0002")) && kept.contains(&("github/Shop", "hill")), "{kept:?}");
        assert_eq!(hill.told().await, [
            "system:sign_up tenant.created", "system:sign_up user.signup", "system:sign_up project.created", "ada user.invited",
            "system:sign_up user.joined", "system:sign_up invitation.accepted", "grace credential.created", "grace integration.connected", "grace ai_provider.added",
            "grace ai_provider.rotated", "grace ai_provider.probed", "grace agent_role.overridden", "grace agent_role.edited",
            "ada user.removed", "ada agent_role.restored",
        ]);
        app.verify_ledger(hill.slug).await;
        // What it did stays provable, under its id, though the slug is free.
        workgraph::server::verify_ledger(&app.store, &there, None).await.expect("the chain holds");
        Company::found(&app, "dale", "Another").await;
    }
}
