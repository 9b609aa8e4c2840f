//! Whether a delivery is from who has the secret, and from now.

use super::{Sender, only};
use crate::vault::Plain;
use axum::http::{HeaderMap, HeaderName};
use entity::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A delivery that says when it was sent is believed so many seconds before and after that.
const WINDOW: i64 = 300;

/// So many signatures of one delivery are tried: who replaces a secret signs with both for a while.
const MOST_TRIED: usize = 4;

/// A delivery whose signature is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// When it says that it was sent, in seconds since 1970; none where senders do not say.
    pub(crate) at: Option<i64>,
}

/// A signature, as its header has it, and what stands before the body in what is signed.
struct Claim {
    prefix: String,
    codes: Vec<Vec<u8>>,
    at: Option<i64>,
}

/// The delivery, if it was signed with this secret and is not from another time. It takes as long when there is no secret,
/// or no signature.
pub(crate) fn is_genuine(
    sender: Sender,
    secret: Option<&Plain>,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Option<Signed> {
    let claim = claim(sender, headers);
    let key = secret.map_or("nobody's", Plain::expose);
    let is_signed = |claim: &Claim| {
        // HMAC takes keys of any length.
        let Ok(mut keyed) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
            return false;
        };
        keyed.update(claim.prefix.as_bytes());
        keyed.update(body);
        // Each is compared in constant time, and all of them.
        let matches =
            { claim.codes.iter() }.filter(|code| keyed.clone().verify_slice(code).is_ok());
        matches.count() > 0
    };
    let nothing = Claim {
        prefix: String::new(),
        codes: Vec::new(),
        at: None,
    };
    let holds = is_signed(claim.as_ref().unwrap_or(&nothing));
    let claim = claim.filter(|_| holds && secret.is_some())?;
    let seconds = now.inner().timestamp();
    let is_from_now = |at: i64| seconds.abs_diff(at) <= WINDOW.unsigned_abs();
    claim
        .at
        .is_none_or(is_from_now)
        .then_some(Signed { at: claim.at })
}

fn claim(sender: Sender, headers: &HeaderMap) -> Option<Claim> {
    let header = |name| only(headers, &HeaderName::from_static(name));
    match sender {
        Sender::Github => of_body(header("x-hub-signature-256")?),
        Sender::Jira => of_body(header("x-hub-signature")?),
        Sender::Slack => {
            let at = header("x-slack-request-timestamp")?;
            let code = header("x-slack-signature")?.strip_prefix("v0=")?;
            Some(Claim {
                prefix: format!("v0:{at}:"),
                codes: vec![decoded(code)?],
                at: Some(moment(at)?),
            })
        }
        Sender::Generic => {
            let parts = header("x-workgraph-signature")?.split(',').map(str::trim);
            let (mut at, mut codes) = (None, Vec::new());
            for part in parts.take(MOST_TRIED + 1) {
                match part.split_once('=')? {
                    ("t", text) => at = at.xor(Some(text)),
                    ("v1", code) => codes.push(decoded(code)?),
                    _ => {}
                }
            }
            let at = at?;
            Some(Claim {
                prefix: format!("{at}."),
                codes,
                at: Some(moment(at)?),
            })
        }
    }
}

/// A signature of the body alone, as WebSub has it.
fn of_body(header: &str) -> Option<Claim> {
    Some(Claim {
        prefix: String::new(),
        codes: vec![decoded(header.strip_prefix("sha256=")?)?],
        at: None,
    })
}

fn decoded(code: &str) -> Option<Vec<u8>> {
    let is_whole = code.len() == 64;
    is_whole.then(|| hex::decode(code).ok()).flatten()
}

/// Seconds since 1970, as digits and nothing else.
fn moment(text: &str) -> Option<i64> {
    let is_number =
        (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use chrono::DateTime;

    fn headers(of: &[(&'static str, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        { of.iter() }
            .map(|(name, text)| (HeaderName::from_static(name), value(text)))
            .collect()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::new(DateTime::from_timestamp(seconds, 0).unwrap())
    }

    #[test]
    fn what_the_services_themselves_give_as_examples_is_genuine() {
        // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
        let github = headers(&[(
            "x-hub-signature-256",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        )]);
        let secret = Plain::new("It's a Secret to Everybody");
        let body = b"Hello, World!";
        assert!(is_genuine(Sender::Github, Some(&secret), &github, body, at(0)).is_some());
        assert!(is_genuine(Sender::Github, None, &github, body, at(0)).is_none());
        assert!(
            is_genuine(
                Sender::Github,
                Some(&secret),
                &github,
                b"Hello, World?",
                at(0)
            )
            .is_none()
        );
        // https://docs.slack.dev/authentication/verifying-requests-from-slack
        let slack = headers(&[
            ("x-slack-request-timestamp", "1531420618"),
            (
                "x-slack-signature",
                "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            ),
        ]);
        let secret = Plain::new("8f742231b10e8888abcd99yyyzzz85a5");
        let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        for (now, genuine) in [
            (0, true),
            (300, true),
            (-300, true),
            (301, false),
            (-301, false),
        ] {
            let found = is_genuine(
                Sender::Slack,
                Some(&secret),
                &slack,
                body,
                at(1_531_420_618 + now),
            );
            assert_eq!(found.is_some(), genuine, "{now}");
        }
    }

    #[test]
    fn what_is_no_signature_is_none() {
        let secret = Plain::new("a secret");
        for of in [
            vec![],
            vec![("x-workgraph-signature", "")],
            vec![("x-workgraph-signature", "t=1")],
            vec![("x-workgraph-signature", "t=1,v1=")],
            vec![("x-workgraph-signature", "t=1,v1=zz")],
            vec![("x-workgraph-signature", "v1=00,t=")],
            vec![("x-workgraph-signature", "t=-1,v1=00")],
            vec![
                ("x-workgraph-signature", "t=1"),
                ("x-workgraph-signature", "t=1"),
            ],
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in &of {
                headers.append(*name, HeaderValue::from_static(value));
            }
            assert!(
                is_genuine(Sender::Generic, Some(&secret), &headers, b"", at(1)).is_none(),
                "{of:?}"
            );
        }
    }
}
