//! The messages of graphql-transport-ws, as text.

use super::end::End;
use async_graphql::ServerError;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::{
    Bytes, Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

/// The most bytes of an operation's id: it is repeated in each answer.
const LONGEST_ID: usize = 256;

/// A longer message goes out in frames of so many bytes, one after the other: each is copied when it is its turn.
const FRAME: usize = 64 << 10;

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Incoming {
    /// The first message, with credentials.
    ConnectionInit { payload: Option<Map<String, Value>> },
    /// Asks for a pong.
    Ping { payload: Option<Map<String, Value>> },
    /// Answers a ping.
    Pong {
        #[expect(dead_code, reason = "what is no object is refused")]
        payload: Option<Map<String, Value>>,
    },
    /// Begins an operation.
    Subscribe {
        id: String,
        payload: Map<String, Value>,
    },
    /// Wants no more of an operation.
    Complete { id: String },
}

impl Incoming {
    /// Reads a message.
    ///
    /// # Errors
    /// When it is none of the protocol's.
    pub(super) fn read(text: &str) -> Result<Self, End> {
        let message = serde_json::from_str(text);
        let message = message.map_err(|_| End::invalid("Invalid message"))?;
        match &message {
            Self::Subscribe { id, payload } if !is_id(id) || !is_operation(payload) => {
                Err(End::invalid("Invalid subscribe message"))
            }
            Self::Complete { id } if id.is_empty() => Err(End::invalid("Invalid complete message")),
            _ => Ok(message),
        }
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= LONGEST_ID
}

fn is_operation(payload: &Map<String, Value>) -> bool {
    let optional = |name: &str, fits: fn(&Value) -> bool| {
        let field = payload.get(name).filter(|value| !value.is_null());
        field.is_none_or(fits)
    };
    let has = |name: &str| payload.get(name).is_some_and(|field| !field.is_null());
    let named = has("documentId")
        || payload
            .get("extensions")
            .is_some_and(|extensions| extensions["persistedQuery"].is_object());
    (has("query") || named)
        && optional("query", Value::is_string)
        && optional("documentId", Value::is_string)
        && optional("operationName", Value::is_string)
        && optional("variables", Value::is_object)
        && optional("extensions", Value::is_object)
}

/// The credentials hold.
pub(super) fn acknowledge() -> Message {
    text(&json!({ "type": "connection_ack" }))
}

/// Asks for a pong.
pub(super) fn ping(payload: &Value) -> Message {
    text(&json!({ "type": "ping", "payload": payload }))
}

/// Answers a ping.
pub(super) fn pong(payload: Option<Value>) -> Message {
    text(&match payload {
        Some(payload) => json!({ "type": "pong", "payload": payload }),
        None => json!({ "type": "pong" }),
    })
}

/// A result of an operation, which is JSON already.
pub(super) fn next(id: &str, payload: &str) -> Message {
    let id = Value::from(id);
    Message::Text(format!(r#"{{"type":"next","id":{id},"payload":{payload}}}"#).into())
}

/// The end of an operation that was refused, or cannot go on.
pub(super) fn error(id: &str, errors: &[ServerError]) -> Message {
    text(&json!({ "type": "error", "id": id, "payload": errors }))
}

/// The end of an operation.
pub(super) fn complete(id: &str) -> Message {
    text(&json!({ "type": "complete", "id": id }))
}

/// The frames of a message.
pub(super) fn frames(message: Message) -> impl Iterator<Item = Message> {
    let (whole, mut left) = match message {
        Message::Text(text) if text.len() > FRAME => (None, Bytes::from(text)),
        other => (Some(other), Bytes::new()),
    };
    let mut code = Data::Text;
    let parts = std::iter::from_fn(move || {
        let part = left.split_to(left.len().min(FRAME));
        let frame = Frame::message(part.clone(), OpCode::Data(code), left.is_empty());
        code = Data::Continue;
        (!part.is_empty()).then_some(Message::Frame(frame))
    });
    whole.into_iter().chain(parts)
}

fn text(message: &Value) -> Message {
    Message::Text(message.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_has_a_document_or_names_one() {
        let is_operation = |payload: Value| payload.as_object().is_some_and(is_operation);
        let hash = json!({ "version": 1, "sha256Hash": "ecf4" });
        for payload in [
            json!({ "query": "{ __typename }", "variables": null }),
            json!({ "documentId": "a", "query": null }),
            json!({ "extensions": { "persistedQuery": hash } }),
        ] {
            assert!(is_operation(payload.clone()), "{payload}");
        }
        for payload in [
            json!({}),
            json!({ "query": 1 }),
            json!({ "query": null, "extensions": {} }),
            json!({ "documentId": 1 }),
            json!({ "documentId": "a", "query": 1 }),
            json!({ "extensions": { "persistedQuery": "ecf4" } }),
        ] {
            assert!(!is_operation(payload.clone()), "{payload}");
        }
    }

    #[test]
    fn a_long_message_goes_out_in_frames() {
        for (length, expected) in [(0, 1), (FRAME, 1), (FRAME + 1, 2), (3 * FRAME, 3)] {
            let sent = "é".repeat(length / 2) + &"x".repeat(length % 2);
            let mut text = Vec::new();
            let frames: Vec<_> = frames(Message::text(&sent)).collect();
            for (number, frame) in frames.iter().enumerate() {
                if let Message::Frame(frame) = frame {
                    let code = if number == 0 {
                        Data::Text
                    } else {
                        Data::Continue
                    };
                    assert_eq!(frame.header().opcode, OpCode::Data(code));
                    assert_eq!(frame.header().is_final, number + 1 == expected);
                    text.extend_from_slice(frame.payload());
                } else {
                    text.extend_from_slice(&frame.clone().into_data());
                }
            }
            assert_eq!((frames.len(), text), (expected, sent.into_bytes()));
        }
    }
}
