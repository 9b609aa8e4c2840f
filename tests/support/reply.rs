//! An answer with all that HTTP says of it, and what is asked of every one.

use reqwest::{RequestBuilder, header::HeaderMap};
use serde_json::Value;
use std::time::Duration;

/// No answer takes so long, however hostile its request; what is slower has got stuck.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What no message may hold: SQL, our sources and libraries, places on the machine.
const SECRETS: [&str; 24] = [
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE FROM",
    " FROM ",
    " WHERE ",
    " JOIN ",
    "syntax error at",
    "no such table",
    "no such column",
    "does not exist\"",
    "relation \"",
    "constraint failed",
    "sqlx",
    "SeaORM",
    "sea_orm",
    "sea-orm",
    "panicked",
    ".rs:",
    "src/",
    "/usr/",
    "/home/",
    "/root/",
    "/tmp/",
];

/// What came back for a request.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    /// Sends a request and reads what comes back, which must be sound.
    pub async fn to(request: RequestBuilder) -> Self {
        let answered = tokio::time::timeout(PATIENCE, Self::whenever(request)).await;
        answered.expect("an answer within five seconds")
    }

    /// The same for a request that has to wait for something else.
    pub async fn whenever(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.expect("a body");
        Self::new(status, headers, &body)
    }

    /// An answer that was read by other means, which must be sound.
    pub fn new(status: u16, headers: HeaderMap, body: &[u8]) -> Self {
        let body = serde_json::from_slice(body)
            .unwrap_or_else(|_| panic!("{status} {:?}", String::from_utf8_lossy(body)));
        let reply = Self {
            status,
            headers,
            body,
        };
        reply.must_be_sound();
        reply
    }

    /// Every error has a message that tells nothing of the inside, a code, and the name that the answer has in its header.
    /// What was executed says where it failed; what was refused has no data.
    fn must_be_sound(&self) {
        let media = self.header("content-type");
        assert!(
            media.starts_with("application/json")
                || media.starts_with("application/graphql-response+json"),
            "{media}"
        );
        let errors = self.errors();
        let data = self.body.get("data");
        assert!(data.is_some() || !errors.is_empty(), "{self:#?}");
        assert!(data.is_none() || self.status == 200, "{self:#?}");
        for error in errors {
            let code = error["extensions"]["code"].as_str().unwrap_or_default();
            let is_code = |letter: char| letter.is_ascii_uppercase() || letter == '_';
            assert!(!code.is_empty() && code.chars().all(is_code), "{self:#?}");
            let name = error["extensions"]["requestId"].as_str();
            assert!(
                name.is_some_and(|name| name == self.header("x-request-id")),
                "{self:#?}"
            );
            let at = error["path"].as_array();
            assert_eq!(
                data.is_some(),
                at.is_some_and(|path| !path.is_empty()),
                "{self:#?}"
            );
            must_tell_nothing(error);
        }
    }

    /// A header's value; nothing if there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("a header is ASCII"))
    }

    /// The errors.
    pub fn errors(&self) -> &[Value] {
        match &self.body["errors"] {
            Value::Null => &[],
            errors => errors.as_array().expect("errors are a list"),
        }
    }

    /// The first error's code; nothing when all went well.
    pub fn code(&self) -> &str {
        let first = self.errors().first();
        first.map_or("", |error| {
            error["extensions"]["code"].as_str().expect("a code")
        })
    }

    /// The extensions of the one error that a request was refused with, as expected.
    pub fn refused(&self, status: u16, code: &str, asked: &str) -> &Value {
        let asked: String = asked.chars().take(200).collect();
        assert_eq!(
            (self.status, self.code()),
            (status, code),
            "{asked}\nanswered {:#}",
            self.body
        );
        assert!(
            self.body.get("data").is_none(),
            "{asked}\nanswered {:#}",
            self.body
        );
        &self.errors()[0]["extensions"]
    }

    /// The data of an answer without errors.
    pub fn data(&self) -> &Value {
        assert!(
            self.status == 200 && self.errors().is_empty(),
            "{:#}",
            self.body
        );
        &self.body["data"]
    }
}

/// Fails when an error tells of SQL, of the program or of the machine.
pub fn must_tell_nothing(error: &Value) {
    let message = error["message"].as_str().unwrap_or_default();
    assert!(!message.trim().is_empty(), "{error:#} has no message");
    let reason = error["extensions"]["reason"].as_str().unwrap_or_default();
    for text in [message, reason] {
        let told = SECRETS.iter().find(|secret| text.contains(**secret));
        assert_eq!(told, None, "{text}");
    }
}
