//! What deliveries say, as far as it matters here. All else of a body is passed over, not kept.

use super::{Sender, Signed, is_form};
use axum::http::HeaderMap;
use chrono::DateTime;
use entity::{Timestamp, auth_token::ReplyDecision, ticket::ExternalSystem};
use serde::{Deserialize, de::IgnoredAny};
use std::{borrow::Cow, collections::HashMap};

/// What a button's `action_id` begins with that decides by reply.
const BUTTON: &str = "workgraph_";
/// The `action_id` of the input beside it that holds the reason.
const REASON: &str = "workgraph_reason";
/// A message of Slack is smaller.
const LARGEST_MESSAGE: usize = 256 << 10;
/// A longer challenge is none.
const LONGEST_CHALLENGE: usize = 1000;

const NOT_JSON: Said = Said::Nothing("It is not the JSON that was expected.");

/// What a delivery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing that anything follows from, for this reason.
    Nothing(&'static str),
    /// That its sender is there.
    Hello,
    /// That its sender wants this back, to see that it was understood.
    Challenge(String),
    /// That the main branch of a repository was pushed to.
    Pushed {
        repository: String,
        at: Option<Timestamp>,
    },
    /// What state an outside tracker's issue is in.
    Moved(Status),
    /// What somebody says to a message that asked them to decide.
    Reply {
        token: String,
        decision: ReplyDecision,
        reason: Option<String>,
        identity: String,
    },
}

/// The state of an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) system: ExternalSystem,
    pub(crate) key: String,
    pub(crate) status: String,
    /// When it was so.
    pub(crate) at: Option<Timestamp>,
}

/// What a genuine delivery says.
pub(crate) fn read(sender: Sender, headers: &HeaderMap, body: &[u8], signed: Signed) -> Said {
    let payload = match is_form(headers) {
        false => Cow::Borrowed(body),
        true => match url::form_urlencoded::parse(body).find(|(name, _)| name == "payload") {
            Some((_, text)) => Cow::Owned(text.into_owned().into_bytes()),
            None => return Said::Nothing("The form has no `payload`."),
        },
    };
    let said = match sender {
        Sender::Github => github(headers, &payload),
        Sender::Slack => slack(&payload),
        Sender::Jira => jira(&payload),
        Sender::Generic => generic(&payload, signed),
    };
    // A body is what it should be, or it says nothing.
    said.unwrap_or(NOT_JSON)
}

type Read = serde_json::Result<Said>;

#[derive(Deserialize)]
struct Push {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    deleted: bool,
    repository: Repository,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
    default_branch: String,
    /// In seconds since 1970.
    pushed_at: Option<i64>,
}

fn github(headers: &HeaderMap, body: &[u8]) -> Read {
    match headers.get("x-github-event").map(|event| event.as_bytes()) {
        Some(b"ping") => serde_json::from_slice::<IgnoredAny>(body).map(|_| Said::Hello),
        Some(b"push") => {
            let push: Push = serde_json::from_slice(body)?;
            let branch = push.reference.strip_prefix("refs/heads/");
            if push.deleted || branch != Some(push.repository.default_branch.as_str()) {
                return Ok(Said::Nothing(
                    "Only pushes to the repository's main branch count.",
                ));
            }
            Ok(Said::Pushed {
                repository: push.repository.full_name,
                at: push.repository.pushed_at.and_then(seconds),
            })
        }
        _ => Ok(Said::Nothing("Only the event `push` counts.")),
    }
}

#[derive(Deserialize)]
struct Interaction {
    #[serde(rename = "type")]
    kind: String,
    challenge: Option<String>,
    user: Option<Person>,
    #[serde(default)]
    actions: Vec<Pressed>,
    state: Option<State>,
}

#[derive(Deserialize)]
struct Person {
    id: String,
}

#[derive(Deserialize)]
struct Pressed {
    action_id: String,
    value: Option<String>,
}

#[derive(Deserialize)]
struct State {
    #[serde(default)]
    values: HashMap<String, HashMap<String, Entered>>,
}

#[derive(Deserialize)]
struct Entered {
    value: Option<String>,
}

fn slack(body: &[u8]) -> Read {
    if body.len() > LARGEST_MESSAGE {
        return Ok(Said::Nothing("It is larger than Slack's messages are."));
    }
    let said: Interaction = serde_json::from_slice(body)?;
    match said.kind.as_str() {
        "url_verification" => Ok(match said.challenge {
            Some(challenge) if challenge.len() <= LONGEST_CHALLENGE => Said::Challenge(challenge),
            _ => NOT_JSON,
        }),
        "block_actions" => Ok(said.pressed()),
        _ => Ok(Said::Nothing("Only buttons of messages count.")),
    }
}

impl Interaction {
    fn pressed(self) -> Said {
        let ours = |pressed: Pressed| {
            let decision = decision(pressed.action_id.strip_prefix(BUTTON)?)?;
            Some((decision, pressed.value?))
        };
        let pressed = self.actions.into_iter().find_map(ours);
        let (Some((decision, token)), Some(person)) = (pressed, self.user) else {
            return Said::Nothing("No button of it decides anything here.");
        };
        let inputs = self.state.into_iter().flat_map(|state| state.values);
        let mut inputs = inputs.flat_map(|(_, of_block)| of_block);
        let reason = inputs
            .find(|(id, _)| id == REASON)
            .and_then(|(_, entered)| entered.value);
        Said::Reply {
            token,
            decision,
            reason: reason.filter(|text| !text.trim().is_empty()),
            identity: person.id,
        }
    }
}

fn decision(word: &str) -> Option<ReplyDecision> {
    Some(match word {
        "approve" => ReplyDecision::Approve,
        "reject" => ReplyDecision::Reject,
        "redirect" => ReplyDecision::Redirect,
        "retry" => ReplyDecision::Retry,
        "pause" => ReplyDecision::Pause,
        "cancel" => ReplyDecision::Cancel,
        _ => return None,
    })
}

#[derive(Deserialize)]
struct IssueEvent {
    #[serde(rename = "webhookEvent")]
    event: String,
    /// In milliseconds since 1970.
    timestamp: Option<i64>,
    issue: Option<Issue>,
}

#[derive(Deserialize)]
struct Issue {
    key: String,
    fields: IssueFields,
}

#[derive(Deserialize)]
struct IssueFields {
    status: IssueStatus,
}

#[derive(Deserialize)]
struct IssueStatus {
    name: String,
}

fn jira(body: &[u8]) -> Read {
    let said: IssueEvent = serde_json::from_slice(body)?;
    let at = { said.timestamp }.and_then(DateTime::from_timestamp_millis);
    Ok(match (said.event.as_str(), said.issue) {
        ("jira:issue_created" | "jira:issue_updated", Some(issue)) => Said::Moved(Status {
            system: ExternalSystem::Jira,
            key: issue.key,
            status: issue.fields.status.name,
            at: at.map(Timestamp::new),
        }),
        _ => Said::Nothing("Only issues that were created or updated count."),
    })
}

#[derive(Deserialize)]
struct Event {
    event: String,
    repository: Option<String>,
    system: Option<ExternalSystem>,
    key: Option<String>,
    status: Option<String>,
}

fn generic(body: &[u8], signed: Signed) -> Read {
    let said: Event = serde_json::from_slice(body)?;
    let at = signed.at.and_then(seconds);
    Ok(match said.event.as_str() {
        "ping" => Said::Hello,
        "push" => match said.repository {
            Some(repository) => Said::Pushed { repository, at },
            None => Said::Nothing("A `push` needs a `repository`."),
        },
        "status" => match (said.system, said.key, said.status) {
            (Some(system), Some(key), Some(status)) => Said::Moved(Status {
                system,
                key,
                status,
                at,
            }),
            _ => Said::Nothing("A `status` needs `system`, `key` and `status`."),
        },
        _ => Said::Nothing("Only the events `ping`, `push` and `status` count."),
    })
}

fn seconds(at: i64) -> Option<Timestamp> {
    DateTime::from_timestamp(at, 0).map(Timestamp::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(sender: Sender, body: &str) -> Said {
        let mut headers = HeaderMap::new();
        headers.insert("x-github-event", HeaderValue::from_static("push"));
        read(sender, &headers, body.as_bytes(), Signed { at: Some(7) })
    }

    #[test]
    fn what_is_as_deep_as_can_be_says_nothing() {
        for sender in [Sender::Github, Sender::Slack, Sender::Jira, Sender::Generic] {
            for body in [
                "[".repeat(2_000_000),
                format!(
                    "{{\"pusher\":{}{}}}",
                    "[".repeat(500_000),
                    "]".repeat(500_000)
                ),
                "{\"a\":".repeat(1_000_000),
                String::new(),
                "null".to_owned(),
                "\u{0}".to_owned(),
            ] {
                assert!(matches!(of(sender, &body), Said::Nothing(_)), "{sender:?}");
            }
        }
    }

    #[test]
    fn only_the_main_branch_counts() {
        let push = |reference: &str, more: &str| {
            of(
                Sender::Github,
                &format!(
                    r#"{{"ref":"{reference}","repository":{{"full_name":"a/b","default_branch":"main","pushed_at":9}}{more}}}"#
                ),
            )
        };
        let is_pushed = |said| matches!(said, Said::Pushed { .. });
        assert!(is_pushed(push("refs/heads/main", "")));
        assert!(is_pushed(push(
            "refs/heads/main",
            r#","commits":[{"id":"1"}]"#
        )));
        for (reference, more) in [
            ("refs/heads/other", ""),
            ("refs/tags/main", ""),
            ("refs/heads/main", r#","deleted":true"#),
        ] {
            assert!(!is_pushed(push(reference, more)), "{reference} {more}");
        }
    }
}
