//! People: how they come, what they become, and how they go.

mod invitations;
mod joining;
mod letters;
mod passwords;
mod profile;
mod races;
pub mod removal;
mod roles;
mod smtp;
mod story;

use crate::support::{Answer, Client, DEMO, PASSWORD, TestApp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};

/// A password that nobody has yet.
const NEW: &str = "a new long password";

const SIGN_IN: &str =
    "mutation($input: SignInInput!) { signIn(input: $input) { accessToken refreshToken } }";
const REFRESH: &str =
    "mutation($token: String!) { refreshSession(input: { refreshToken: $token }) { accessToken } }";
const ROLE: &str = "mutation($id: ID!, $role: UserRole!) { changeUserRole(input: { userId: $id, role: $role }) { user { id role } } }";
const REMOVE: &str = "mutation($id: ID!) { removeUser(input: { userId: $id }) { deletedId } }";
const ACCEPT: &str = "mutation($token: String!, $name: String!, $password: String!) {
    acceptInvitation(input: { token: $token, name: $name, password: $password }) { accessToken refreshToken } }";
const RESET: &str = "mutation($token: String!, $password: String!) {
    resetPassword(input: { token: $token, newPassword: $password }) { passwordReset } }";

/// Begins a session of somebody of the demo.
async fn sign_in(url: &str, email: &str, password: &str) -> Answer {
    let input = json!({ "workspace": DEMO, "email": email, "password": password });
    Client::anonymous(url)
        .send(SIGN_IN, json!({ "input": input }))
        .await
}

/// The session of somebody of the demo who has everybody's password.
async fn session(url: &str, email: &str) -> Value {
    sign_in(url, email, PASSWORD).await.data(SIGN_IN)["signIn"].clone()
}

/// What is left of a session: the codes with which its two tokens are refused; empty where one is not.
async fn left(url: &str, session: &Value) -> [String; 2] {
    let text = |name: &str| session[name].as_str().expect("a token").to_owned();
    let client = Client::new(url, &text("accessToken"));
    let who = client.send("{ viewer { user { id } } }", json!({})).await;
    let refreshed = Client::anonymous(url)
        .send(REFRESH, json!({ "token": text("refreshToken") }))
        .await;
    [who, refreshed].map(|answer| match answer.body.get("errors") {
        Some(_) => answer.code(),
        None => String::new(),
    })
}

/// What both tokens of a session that has ended are answered with.
const ENDED: [&str; 2] = ["UNAUTHENTICATED", "UNAUTHENTICATED"];

/// The word for why something conflicts.
fn reason(answer: &Answer) -> (String, Value) {
    (
        answer.code(),
        answer.body["errors"][0]["extensions"]["reason"].clone(),
    )
}

/// The newest entries of the demo's ledger about something, the newest first.
async fn told(app: &TestApp, id: impl ToString) -> Vec<Value> {
    let query = "query($id: ID!) { activity(first: 20, filter: { targetId: { eq: $id } }) { nodes { action actor targetTitle diff { before after } } } }";
    // The demo's owner may have gone.
    let data = app
        .owner()
        .await
        .data(query, json!({ "id": id.to_string() }))
        .await;
    data["activity"]["nodes"]
        .as_array()
        .expect("entries")
        .clone()
}

/// The actions of these entries.
fn actions(entries: &[Value]) -> Vec<&str> {
    entries
        .iter()
        .map(|entry| entry["action"].as_str().expect("a word"))
        .collect()
}

/// The token of a link for a new password, as if it had been mailed.
pub async fn reset_token(app: &TestApp, user: &entity::user::Model) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let token = format!("wgn_{:0>43}", NEXT.fetch_add(1, Ordering::Relaxed));
    let moment = |minutes| {
        let at = app.now() + chrono::TimeDelta::minutes(minutes);
        at.format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string()
    };
    let (now, until, hash) = (moment(0), moment(60), hex::encode(Sha256::digest(&token)));
    app.execute(&format!(
        "INSERT INTO auth_tokens (id, \"tenantId\", kind, \"tokenHash\", \"userId\", \"expiresAt\", \"createdAt\", \"updatedAt\") \
         VALUES ('of {token}', '{}', 'password_reset', '{hash}', '{}', '{until}', '{now}', '{now}')",
        user.tenant_id, user.id
    ))
    .await;
    token
}
