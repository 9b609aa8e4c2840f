//! What goes on: subscriptions over WebSockets and as streams of events.

mod credentials;
mod events;
mod feed;
pub(crate) mod heavy;
mod limits;
mod sockets;
mod work;

use crate::support::{Client, Socket};
use serde_json::{Value, json};

pub const ACTIVITY: &str = "subscription($after: Cursor, $filter: ActivityFilter) { activity(after: $after, filter: $filter)
    { cursor position previous event { action targetId } } }";
const CREATE: &str = "mutation($name: String!) { createProject(input: { name: $name }) { project { id } feedCursor } }";
const INIT: &str = r#"{"type":"connection_init"}"#;

/// Creates a project and returns its id.
async fn create(client: &Client, name: &str) -> Value {
    let made = client.data(CREATE, json!({ "name": name })).await;
    made["createProject"]["project"]["id"].clone()
}

/// Begins to follow, and returns the first frame, which says where.
async fn follow(socket: &mut Socket, id: &str, variables: Value) -> Value {
    socket.subscribe(id, ACTIVITY, variables).await;
    let frame = socket.data(id).await["activity"].clone();
    assert!(frame["event"].is_null(), "{frame}");
    frame
}

fn position(frame: &Value, field: &str) -> i64 {
    let text = frame[field].as_str().expect("a position");
    text.parse().expect("a number")
}

/// Reads frames, which leave nothing out, until as many projects were created; returns these and the last frame.
async fn created(
    socket: &mut Socket,
    id: &str,
    mut last: Value,
    count: usize,
) -> (Vec<Value>, Value) {
    let mut projects = Vec::new();
    while projects.len() < count {
        let frame = socket.data(id).await["activity"].clone();
        assert_eq!(
            position(&frame, "previous"),
            position(&last, "position"),
            "{frame}"
        );
        if !frame["event"].is_null() {
            assert_eq!(
                position(&frame, "position"),
                position(&last, "position") + 1,
                "{frame}"
            );
        }
        if frame["event"]["action"] == "project.created" {
            projects.push(frame["event"]["targetId"].clone());
        }
        last = frame;
    }
    (projects, last)
}
