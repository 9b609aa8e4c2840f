//! What other services tell by themselves: who signs how, and what a delivery says.
//!
//! Nothing here reads or writes a row: `http::webhooks` takes deliveries in, and `workflow::webhook` does what they say.

mod said;
mod signature;

pub(crate) use self::said::{Said, Status, read};
pub(crate) use self::signature::{Signed, is_genuine};

use axum::http::{HeaderMap, HeaderName, header::CONTENT_TYPE};
use entity::{
    Id,
    integration_connection::{IntegrationName, Model as Connection},
};
use sha2::{Digest, Sha256};

/// A longer name of a delivery is none.
const LONGEST_NAME: usize = 100;

/// Who sends a delivery, which says how it is signed and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Github,
    Slack,
    Jira,
    /// Whatever has no way of its own here.
    Generic,
}

impl Sender {
    /// The sender with this name in the address.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Github, Self::Slack, Self::Jira, Self::Generic]
            .into_iter()
            .find(|sender| sender.name() == name)
    }

    /// The sender that tells by way of a connection to this service.
    pub(crate) fn of(service: IntegrationName) -> Self {
        match service {
            IntegrationName::Github => Self::Github,
            IntegrationName::Slack => Self::Slack,
            IntegrationName::Jira => Self::Jira,
            _ => Self::Generic,
        }
    }

    /// Its name in the address.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Slack => "slack",
            Self::Jira => "jira",
            Self::Generic => "generic",
        }
    }

    /// The part of the server that does what it says, as the ledger names it.
    pub(crate) fn component(self) -> &'static str {
        match self {
            Self::Github => "webhook:github",
            Self::Slack => "webhook:slack",
            Self::Jira => "webhook:jira",
            Self::Generic => "webhook:generic",
        }
    }

    /// The header in which it names a delivery: the same when it sends one again.
    fn delivery(self) -> Option<HeaderName> {
        Some(HeaderName::from_static(match self {
            Self::Github => "x-github-delivery",
            Self::Jira => "x-atlassian-webhook-identifier",
            Self::Generic => "x-workgraph-delivery",
            Self::Slack => return None,
        }))
    }
}

/// Where the service of a connection sends its webhooks to.
pub(crate) fn path(connection: &Connection) -> String {
    let sender = Sender::of(connection.name).name();
    format!("/webhooks/{sender}/{}", connection.id)
}

/// What the sender of a delivery calls it; where it calls it nothing, the hash of its body, and of when it says that it was
/// sent if what it says may be said again.
pub(crate) fn name_of(sender: Sender, headers: &HeaderMap, body: &[u8], signed: Signed) -> String {
    let named = { sender.delivery() }.and_then(|name| only(headers, &name));
    let is_name = |name: &&str| {
        (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if let Some(name) = named.filter(is_name) {
        return name.to_owned();
    }
    let mut hashed = Sha256::new();
    if let (Sender::Generic, Some(at)) = (sender, signed.at) {
        hashed.update(format!("{at}."));
    }
    hashed.update(body);
    hex::encode(hashed.finalize())
}

/// The connection that an address names, as far as it can be one's id.
pub(crate) fn connection(text: &str) -> Option<Id> {
    let is_id =
        (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then(|| text.into())
}

/// The value of a header that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// Whether a body is a form.
fn is_form(headers: &HeaderMap) -> bool {
    let media = only(headers, &CONTENT_TYPE).and_then(|value| value.split(';').next());
    media.is_some_and(|media| {
        media
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}
