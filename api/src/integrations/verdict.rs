//! What a service's answer means.

use super::{
    outside::{Heard, Unheard},
    service::{Request, Service},
    values::Values,
};
use serde_json::{Map, Value as Json};

/// How much of something is shown, in characters.
const SHOWN: usize = 200;

/// What came of asking a service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It takes what it was given. This may be shown of what it said.
    Accepted(Map<String, Json>),
    /// It does not; why, for people.
    Rejected(String),
    /// It could not be asked, or has trouble of its own; why, for people, and after how many seconds to ask again if it said
    /// so.
    Unreachable(String, Option<u64>),
}

/// What a service's answer to a request means. Nothing of what it says is repeated but what may be shown.
pub(super) fn judge(
    service: &Service,
    request: &Request,
    values: &Values,
    heard: Result<Heard, Unheard>,
) -> Verdict {
    let title = service.title;
    let unreachable = |why: String| Verdict::Unreachable(why, None);
    let heard = match heard {
        Ok(heard) => heard,
        Err(unheard) => return unreachable(told(title, unheard)),
    };
    let status = heard.status;
    match status {
        200..=299 => {}
        300..=399 => {
            return unreachable(format!(
                "{title} answered {status}: it sends on to elsewhere, which is not followed. Is its address right?"
            ));
        }
        429 => {
            let when = match heard.retry_after {
                Some(seconds) => format!("in {seconds} s"),
                None => "later".to_owned(),
            };
            let why = format!("{title} answered 429: it is asked too often. Try again {when}.");
            return Verdict::Unreachable(why, heard.retry_after);
        }
        _ if request.rejects.contains(&status) => {
            return Verdict::Rejected(format!(
                "{title} answered {status}: it does not take this {}.",
                what(service)
            ));
        }
        _ => return unreachable(format!("{title} answered {status}. Try again later.")),
    }
    // What says no more than that all is well may be as long as it likes.
    if request.needs.is_none() && request.shows.is_empty() {
        return Verdict::Accepted(Map::new());
    }
    let Some(body) = heard.body else {
        return unreachable(format!(
            "{title} answered more than it should. Is its address right?"
        ));
    };
    let Ok(said) = serde_json::from_slice::<Json>(&body) else {
        return unreachable(format!(
            "{title} answered {status}, but not in JSON. Is its address right?"
        ));
    };
    let is_well = |pointer| {
        said.pointer(pointer)
            .is_some_and(|value| !matches!(value, Json::Null | Json::Bool(false)))
    };
    if request.needs.is_some_and(|needs| !is_well(needs)) {
        let word = said
            .pointer("/error")
            .and_then(Json::as_str)
            .unwrap_or_default();
        return match request.passing.contains(&word) {
            true => unreachable(format!(
                "{title} has trouble of its own ({word}). Try again later."
            )),
            false => Verdict::Rejected(format!("{title} does not take this {}.", what(service))),
        };
    }
    let shown = request.shows.iter().filter_map(|(name, pointer)| {
        let text = said.pointer(pointer)?.as_str()?;
        let text: String = text
            .chars()
            .filter(|char| !char.is_control())
            .take(SHOWN)
            .collect();
        (!values.is_told_in(&text)).then(|| ((*name).to_owned(), text.into()))
    });
    Verdict::Accepted(shown.collect())
}

/// What a service was given, as people say.
fn what(service: &Service) -> &'static str {
    match service.fields[0].key {
        "apiKey" => "key",
        _ => "token",
    }
}

fn told(title: &str, unheard: Unheard) -> String {
    match unheard {
        Unheard::Silent => format!("{title} did not answer in time."),
        Unheard::Unknown => {
            format!("{title} is not found: there is no such host, or none with a public address.")
        }
        Unheard::Private => format!("{title} is not asked: its address is not a public one."),
        Unheard::Refused => format!("{title} does not answer at its address."),
        Unheard::Untrusted => format!("{title} has no certificate that can be trusted."),
        Unheard::Garbled => format!("{title} broke off, or does not speak HTTP."),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::service::INTEGRATIONS, *};
    use serde_json::json;

    /// The verdict over an answer of Slack, which says what is wrong in what it says.
    fn slack(status: u16, body: &str) -> Verdict {
        let slack = &INTEGRATIONS[1];
        let values = Values::new(slack, [("botToken", "xoxb-secret")]).unwrap();
        let heard = Heard {
            status,
            retry_after: Some(30),
            body: Some(body.to_owned().into()),
        };
        judge(slack, &slack.probe, &values, Ok(heard))
    }

    #[test]
    fn an_answer_means_what_the_service_means_by_it() {
        let accepted = |body| match slack(200, body) {
            Verdict::Accepted(shown) => Json::Object(shown),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            accepted(r#"{"ok":true,"team":"Acme","user":"wo\nrk"}"#),
            json!({ "team": "Acme", "bot": "work" })
        );
        // What gives a secret back is not shown.
        assert_eq!(accepted(r#"{"ok":true,"team":"xoxb-secret"}"#), json!({}));
        for (status, body) in [
            (200, r#"{"ok":false,"error":"invalid_auth"}"#),
            (200, "{}"),
            (401, ""),
            (403, ""),
        ] {
            assert!(
                matches!(slack(status, body), Verdict::Rejected(_)),
                "{status} {body}"
            );
        }
        for (status, body) in [
            (200, r#"{"ok":false,"error":"ratelimited"}"#),
            (200, "<html>"),
            (302, ""),
            (404, ""),
            (500, ""),
        ] {
            assert!(
                matches!(slack(status, body), Verdict::Unreachable(_, None)),
                "{status} {body}"
            );
        }
        assert!(matches!(slack(429, ""), Verdict::Unreachable(_, Some(30))));
    }
}
