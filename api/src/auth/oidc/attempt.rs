//! An attempt to sign in through a provider, from its begin until the provider sends the person back.
//!
//! Nothing of it is kept here: the browser keeps what it is about, in a cookie, and what the provider is told is made of that and
//! of the server's secret. So the state that comes back proves which cookie it belongs to, and that nobody made that up.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use entity::Timestamp;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// How long somebody may take to sign in at the provider.
pub(crate) const GOOD_FOR: TimeDelta = TimeDelta::minutes(10);

/// What an attempt is about.
#[derive(Serialize, Deserialize)]
struct About {
    /// What no other attempt has.
    number: String,
    /// When it is over, in seconds.
    until: i64,
    workspace: String,
    page: String,
}

/// An attempt.
pub(super) struct Attempt {
    key: Hmac<Sha256>,
    cookie: String,
    about: About,
}

impl Attempt {
    /// A new one, to sign in to a workspace and come to a page.
    pub(super) fn begin(
        key: Hmac<Sha256>,
        workspace: String,
        page: String,
        now: Timestamp,
    ) -> Self {
        let about = About {
            number: BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()),
            until: (now.inner() + GOOD_FOR).timestamp(),
            workspace,
            page,
        };
        // It consists of texts and a number, so it can be written.
        let text = serde_json::to_vec(&about).unwrap_or_default();
        let cookie = BASE64_URL_SAFE_NO_PAD.encode(text);
        Self { key, cookie, about }
    }

    /// The one that a browser's cookie is of, if the state that the provider sent back is made of it and it is not over.
    pub(super) fn resume(
        key: Hmac<Sha256>,
        cookie: &str,
        state: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let state = BASE64_URL_SAFE_NO_PAD.decode(state).ok()?;
        made(&key, "state", cookie).verify_slice(&state).ok()?;
        let text = BASE64_URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let about: About = serde_json::from_slice(&text).ok()?;
        (now.inner().timestamp() < about.until).then(|| Self {
            key,
            cookie: cookie.to_owned(),
            about,
        })
    }

    /// What the browser keeps.
    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// The slug of the workspace.
    pub(super) fn workspace(&self) -> &str {
        &self.about.workspace
    }

    /// Where the person goes from here.
    pub(super) fn page(&self) -> &str {
        &self.about.page
    }

    /// What the provider sends back with the person.
    pub(super) fn state(&self) -> String {
        self.derived("state")
    }

    /// What the provider repeats in what it says of the person.
    pub(super) fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// What proves that whoever sends the code is who asked for it.
    pub(super) fn verifier(&self) -> String {
        self.derived("verifier")
    }

    fn derived(&self, purpose: &str) -> String {
        let bytes = made(&self.key, purpose, &self.cookie).finalize();
        BASE64_URL_SAFE_NO_PAD.encode(bytes.into_bytes())
    }
}

fn made(key: &Hmac<Sha256>, purpose: &str, cookie: &str) -> Hmac<Sha256> {
    let mut made = key.clone();
    for part in [purpose, " ", cookie] {
        made.update(part.as_bytes());
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Secret;

    fn key(letter: &str) -> Hmac<Sha256> {
        Secret::new(letter.repeat(32)).unwrap().keyed("oidc")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::new(chrono::DateTime::from_timestamp(second, 0).unwrap())
    }

    fn begin() -> Attempt {
        Attempt::begin(key("a"), "demo".to_owned(), "/".to_owned(), at(1000))
    }

    #[test]
    fn a_state_belongs_to_one_cookie_and_one_server() {
        let (one, other) = (begin(), begin());
        let resume = |key, cookie: &str, state: &str, now| Attempt::resume(key, cookie, state, now);
        let resumed = resume(key("a"), one.cookie(), &one.state(), at(1599)).unwrap();
        assert_eq!((resumed.workspace(), resumed.page()), ("demo", "/"));
        assert_eq!(
            (resumed.nonce(), resumed.verifier()),
            (one.nonce(), one.verifier())
        );
        for refused in [
            resume(key("a"), one.cookie(), &one.state(), at(1600)),
            resume(key("a"), one.cookie(), &other.state(), at(1000)),
            resume(key("a"), other.cookie(), &one.state(), at(1000)),
            resume(key("a"), one.cookie(), &one.nonce(), at(1000)),
            resume(key("b"), one.cookie(), &one.state(), at(1000)),
            resume(key("a"), one.cookie(), "", at(1000)),
            resume(key("a"), "", &one.state(), at(1000)),
            resume(key("a"), "é", "é", at(1000)),
        ] {
            assert!(refused.is_none());
        }
    }

    #[test]
    fn nothing_that_is_told_is_told_twice() {
        let (one, other) = (begin(), begin());
        let all = [
            one.state(),
            one.nonce(),
            one.verifier(),
            other.state(),
            other.nonce(),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert!(
            all.iter()
                .all(|text| text.len() == 43 && !one.cookie().contains(text.as_str()))
        );
    }
}
