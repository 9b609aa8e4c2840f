//! What a client asks: the parameters of GraphQL over HTTP, out of a body or a query string.

use super::{Limits, documents::Sent, quota::Portion};
use crate::error::{Error, Result, Whose};
use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody},
    extract::Query,
    http::{HeaderMap, Uri, header::CONTENT_TYPE},
};
use futures_util::StreamExt;
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// A body that is too large is read on to this size, and thrown away, so that a client which is still sending it gets
/// its answer instead of a broken connection.
const DRAIN: u64 = 64 << 20;

/// For so long it is read on.
const PASSING_BY: Duration = Duration::from_secs(1);

/// What is said of a body that comes too slowly.
const TOO_SLOW: Error =
    Error::DeadlineExceeded("The body took too long to arrive. Send it at once.");

/// An operation, as it was sent.
pub(super) struct Parameters {
    pub(super) document: Sent,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Map<String, Value>,
}

impl Parameters {
    /// A document of the server's own, with variables that somebody else said.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] naming the variable that holds NUL.
    pub(super) fn own(document: &'static str, variables: Map<String, Value>) -> Result<Self> {
        let mut said = variables.iter();
        if let Some((name, _)) = said.find(|(_, value)| holds_nul(value)) {
            return Err(no_nul(name));
        }
        Ok(Self {
            document: Sent::Own(document),
            operation_name: None,
            variables,
        })
    }

    /// Takes them from the query string of a GET.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] naming the parameter.
    pub(super) fn from_uri(uri: &Uri) -> Result<Self> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Error::bad_input("query", "the query string is not UTF-8"))?;
        let mut fields = Map::new();
        for (name, text) in pairs {
            let value = match name.as_str() {
                "variables" | "extensions" if !text.is_empty() => serde_json::from_str(&text)
                    .map_err(|_| Error::bad_input(&name, "is not JSON"))?,
                "variables" | "extensions" => Value::Null,
                _ => Value::String(text),
            };
            fields.insert(name, value);
        }
        Self::from_fields(fields)
    }

    /// Takes them from the body of a POST.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] when it is no JSON object, or naming the part of it that is wrong.
    pub(super) fn from_body(body: &[u8]) -> Result<Self> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Self::from_fields(fields),
            Ok(Value::Array(_)) => Err(Error::bad_input(
                "body",
                "holds several operations. Send each in a request of its own",
            )),
            Ok(_) => Err(Error::bad_input("body", "is no JSON object")),
            Err(_) => Err(Error::bad_input(
                "body",
                "is not JSON. Send an object with `query` and, if needed, `variables` and `operationName`",
            )),
        }
    }

    /// Takes them from a JSON object.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] naming the part that is wrong.
    pub(super) fn from_fields(mut fields: Map<String, Value>) -> Result<Self> {
        let mut take = |name: &str| fields.remove(name).filter(|value| !value.is_null());
        let extensions = match take("extensions") {
            Some(Value::Object(extensions)) => extensions,
            None => Map::new(),
            Some(_) => return Err(Error::bad_input("extensions", "must be an object")),
        };
        let persisted = extensions.get("persistedQuery");
        let hash = persisted.filter(|persisted| !persisted.is_null()).map(hash);
        let hash = hash.transpose()?;
        let document = match (take("query"), take("documentId"), hash) {
            (Some(Value::String(text)), None, None) => Sent::Text(text),
            (Some(Value::String(text)), None, Some(hash)) => Sent::Both(text, hash),
            (None, None, Some(hash)) => Sent::Hash(hash),
            (None, Some(Value::String(id)), None) => Sent::Id(id),
            (None, Some(_), None) => {
                return Err(Error::bad_input("documentId", "must be a string"));
            }
            (_, Some(_), _) => {
                let reason = "goes without `query` and without `extensions.persistedQuery`";
                return Err(Error::bad_input("documentId", reason));
            }
            _ => {
                let reason = "must be the document, as a string";
                return Err(Error::bad_input("query", reason));
            }
        };
        let operation_name = match take("operationName") {
            Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
            None => None,
            Some(_) => return Err(Error::bad_input("operationName", "must be a string")),
        };
        let variables = match take("variables") {
            Some(Value::Object(variables)) => variables,
            None => Map::new(),
            Some(_) => return Err(Error::bad_input("variables", "must be an object")),
        };
        if let Sent::Text(text) | Sent::Both(text, _) = &document
            && holds_nul_or_its_escape(text)
        {
            return Err(no_nul("query"));
        }
        if operation_name
            .as_ref()
            .is_some_and(|name| name.contains('\0'))
        {
            return Err(no_nul("operationName"));
        }
        if variables
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value))
        {
            return Err(no_nul("variables"));
        }
        Ok(Self {
            document,
            operation_name,
            variables,
        })
    }
}

/// The hash of a document, as Apollo's clients send it.
fn hash(persisted: &Value) -> Result<String> {
    let hash = persisted["sha256Hash"].as_str();
    match (persisted["version"].as_u64(), hash) {
        (Some(1), Some(hash)) => Ok(hash.to_owned()),
        _ => Err(Error::bad_input(
            "extensions.persistedQuery",
            "must have `version: 1` and the document's hash as `sha256Hash`",
        )),
    }
}

/// PostgreSQL cannot store NUL in text; it is refused at the door so that both databases agree.
fn no_nul(field: &str) -> Error {
    Error::bad_input(field, "holds a NUL character, which no text here can have")
}

/// A document can also write it as an escape, with four zeros or, in braces, with any number of them.
pub(super) fn holds_nul_or_its_escape(document: &str) -> bool {
    let mut escapes = document
        .match_indices("\\u")
        .map(|(at, _)| &document[at + 2..]);
    document.contains('\0')
        || escapes.any(|digits| {
            let braced = digits
                .strip_prefix("{0")
                .map(|rest| rest.trim_start_matches('0'));
            digits.starts_with("0000") || braced.is_some_and(|rest| rest.starts_with('}'))
        })
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

/// Whether the body says that it is JSON in UTF-8. Anything that a page of another site could send without asking is
/// refused with what is no JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let mut parts = content_type.unwrap_or_default().split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    json && parts.all(|part| {
        let part = part.to_ascii_lowercase();
        part.strip_prefix("charset=")
            .is_none_or(|charset| charset.trim_matches('"') == "utf-8")
    })
}

/// What a body is, which says how large it may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An operation, or a message of a tool.
    Request,
    /// What another service tells.
    Delivery,
}

impl Kind {
    fn most(self, limits: &Limits) -> u64 {
        match self {
            Self::Request => limits.body_bytes,
            Self::Delivery => limits.webhook_bytes,
        }
    }

    fn check(self, limits: &Limits, size: u64) -> Result<()> {
        match self {
            Self::Request => limits.check_body_bytes(size),
            Self::Delivery => limits.check_webhook_bytes(size),
        }
    }
}

/// Reads a body, which counts as held for as long as the portion is kept.
///
/// # Errors
/// [`Error::LimitExceeded`] when it is too large, [`Error::DeadlineExceeded`] when it comes too slowly, [`Error::Busy`]
/// when too much of others has not come to its end, [`Error::BadUserInput`] when it breaks off.
pub(super) async fn read(
    body: Body,
    kind: Kind,
    limits: &Limits,
    held: &mut Portion,
) -> Result<Vec<u8>> {
    let announced = body.size_hint().lower();
    let reading = read_all(body.into_data_stream(), announced, kind, limits, held);
    timeout(limits.body_time(), reading)
        .await
        .unwrap_or(Err(TOO_SLOW))
}

async fn read_all(
    mut body: BodyDataStream,
    announced: u64,
    kind: Kind,
    limits: &Limits,
    held: &mut Portion,
) -> Result<Vec<u8>> {
    let most = kind.most(limits);
    let (mut kept, mut size, mut crowded) = (Vec::new(), 0_u64, false);
    // What cannot be kept is let pass by for a moment, so that the client gets its answer.
    let mut passing = Passing::default();
    if announced > most {
        passing.begin();
    }
    while let Some(chunk) = passing.next(&mut body).await {
        let chunk = chunk.map_err(|_| Error::bad_input("body", "broke off before its end"))?;
        size += chunk.len() as u64;
        if size > DRAIN {
            break;
        }
        if passing.has_begun() {
            continue;
        }
        crowded = size <= most && !held.resize(size);
        if crowded || size > most {
            passing.begin();
            kept = Vec::new();
            held.release();
        } else {
            kept.extend_from_slice(&chunk);
        }
    }
    kind.check(limits, size.max(announced))?;
    if crowded {
        return Err(Error::Busy(Whose::All));
    }
    Ok(kept)
}

/// Until when a body is let pass by, if it is.
#[derive(Default)]
struct Passing(Option<Instant>);

impl Passing {
    fn begin(&mut self) {
        self.0 = Some(Instant::now() + PASSING_BY);
    }

    fn has_begun(&self) -> bool {
        self.0.is_some()
    }

    /// The next part of the body, in time.
    async fn next(
        &self,
        body: &mut BodyDataStream,
    ) -> Option<std::result::Result<Bytes, axum::Error>> {
        match self.0 {
            Some(until) => timeout_at(until, body.next()).await.ok()?,
            None => body.next().await,
        }
    }
}
