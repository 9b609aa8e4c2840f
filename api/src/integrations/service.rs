//! The services as data: what each needs, how it is asked whether it takes that, and what its answer means.

use super::{Values, outside::Call};
use crate::error::{Error, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use entity::integration_connection::IntegrationName;
use hyper::header::{HeaderName, HeaderValue};
use sea_orm::ActiveEnum;
use url::Url;
use zeroize::Zeroizing;

/// Something that a service needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// What an input calls it.
    pub(crate) key: &'static str,
    /// What it is and where it is found, for people.
    pub(crate) about: &'static str,
    /// Whether it is kept in the vault and never shown.
    pub(crate) is_secret: bool,
}

/// A service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// Its word in the database.
    pub(crate) key: &'static str,
    /// What people call it.
    pub(crate) title: &'static str,
    /// What it needs; the first secret is what it is recognised by.
    pub(crate) fields: &'static [Field],
    /// What asks it whether it takes that.
    pub(super) probe: Request,
    /// What has it take back what it gave, where it can.
    pub(super) revoke: Option<Request>,
}

/// A question to a service, and how its answer is read. In paths and headers `{key}` stands for a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    method: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    /// The statuses that say that it does not take what it was given.
    pub(super) rejects: &'static [u16],
    /// What must be there in an answer that is well, and is not `false`.
    pub(super) needs: Option<&'static str>,
    /// The words at `/error` that say that it is the service's own trouble.
    pub(super) passing: &'static [&'static str],
    /// What may be shown of an answer, and where in it that is.
    pub(super) shows: &'static [(&'static str, &'static str)],
}

/// What most of them have in common.
const GET: Request = Request {
    method: "GET",
    path: "/",
    headers: &[],
    body: "",
    rejects: &[401, 403],
    needs: None,
    passing: &[],
    shows: &[],
};

const fn secret(key: &'static str, about: &'static str) -> Field {
    Field {
        key,
        about,
        is_secret: true,
    }
}

const fn shown(key: &'static str, about: &'static str) -> Field {
    Field {
        key,
        about,
        is_secret: false,
    }
}

const SLACK: Request = Request {
    method: "POST",
    headers: &[("authorization", "Bearer {botToken}")],
    needs: Some("/ok"),
    passing: &[
        "ratelimited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
    ],
    ..GET
};

/// What a workspace can be connected to.
pub(crate) const INTEGRATIONS: [Service; 5] = [
    Service {
        key: "jira",
        title: "Jira",
        fields: &[
            secret(
                "apiToken",
                "An API token of the account, from id.atlassian.com under Security.",
            ),
            shown("email", "The account's e-mail address."),
            shown("site", "The site's name: `acme` of acme.atlassian.net."),
        ],
        probe: Request {
            path: "/rest/api/3/myself",
            headers: &[("authorization", "Basic {email}:{apiToken}")],
            shows: &[("account", "/displayName")],
            ..GET
        },
        revoke: None,
    },
    Service {
        key: "slack",
        title: "Slack",
        fields: &[secret(
            "botToken",
            "The bot token of a Slack app, `xoxb-…`, from OAuth & Permissions.",
        )],
        probe: Request {
            path: "/api/auth.test",
            shows: &[("team", "/team"), ("bot", "/user")],
            ..SLACK
        },
        revoke: Some(Request {
            path: "/api/auth.revoke",
            ..SLACK
        }),
    },
    Service {
        key: "github",
        title: "GitHub",
        fields: &[secret(
            "token",
            "A personal access token, from Settings, Developer settings.",
        )],
        probe: Request {
            path: "/user",
            headers: &[
                ("authorization", "Bearer {token}"),
                ("x-github-api-version", "2022-11-28"),
            ],
            shows: &[("account", "/login")],
            ..GET
        },
        revoke: None,
    },
    Service {
        key: "linear",
        title: "Linear",
        fields: &[secret(
            "apiKey",
            "A personal API key, from Settings, Security & access.",
        )],
        probe: Request {
            method: "POST",
            path: "/graphql",
            headers: &[("authorization", "{apiKey}")],
            body: r#"{"query":"{ viewer { id email } organization { name } }"}"#,
            rejects: &[400, 401, 403],
            needs: Some("/data/viewer/id"),
            shows: &[
                ("account", "/data/viewer/email"),
                ("organisation", "/data/organization/name"),
            ],
            ..GET
        },
        revoke: None,
    },
    Service {
        key: "notion",
        title: "Notion",
        fields: &[secret(
            "token",
            "The secret of an internal integration, from notion.so/my-integrations.",
        )],
        probe: Request {
            path: "/v1/users/me",
            headers: &[
                ("authorization", "Bearer {token}"),
                ("notion-version", "2022-06-28"),
            ],
            shows: &[("bot", "/name"), ("workspace", "/bot/workspace_name")],
            ..GET
        },
        revoke: None,
    },
];

/// Who gives language models to a workspace.
pub(crate) const AI_PROVIDERS: [Service; 4] = [
    Service {
        key: "anthropic",
        title: "Anthropic",
        fields: &[secret("apiKey", "An API key, from console.anthropic.com.")],
        probe: Request {
            path: "/v1/models?limit=1",
            headers: &[
                ("x-api-key", "{apiKey}"),
                ("anthropic-version", "2023-06-01"),
            ],
            ..GET
        },
        revoke: None,
    },
    Service {
        key: "openai",
        title: "OpenAI",
        fields: &[secret("apiKey", "An API key, from platform.openai.com.")],
        probe: Request {
            path: "/v1/models",
            headers: &[("authorization", "Bearer {apiKey}")],
            ..GET
        },
        revoke: None,
    },
    Service {
        key: "google",
        title: "Google",
        fields: &[secret("apiKey", "An API key, from aistudio.google.com.")],
        probe: Request {
            path: "/v1beta/models?pageSize=1",
            headers: &[("x-goog-api-key", "{apiKey}")],
            // It calls a wrong key a bad request.
            rejects: &[400, 401, 403],
            ..GET
        },
        revoke: None,
    },
    Service {
        key: "custom",
        title: "The provider",
        fields: &[
            secret("apiKey", "Its API key."),
            shown(
                "baseUrl",
                "Where its API is that is like OpenAI's, such as https://models.example.com/v1.",
            ),
        ],
        probe: Request {
            path: "/models",
            headers: &[("authorization", "Bearer {apiKey}")],
            ..GET
        },
        revoke: None,
    },
];

/// The service with this name.
///
/// # Errors
/// [`Error::BadUserInput`] when it cannot be connected here.
pub(crate) fn integration(name: IntegrationName) -> Result<&'static Service> {
    let word = name.to_value();
    let found = INTEGRATIONS.iter().find(|service| service.key == word);
    found.ok_or_else(|| {
        let known: Vec<_> = INTEGRATIONS.iter().map(|service| service.title).collect();
        let known = known.join(", ");
        Error::bad_input(
            "service",
            format!("cannot be connected here yet; these can: {known}"),
        )
    })
}

/// What the credential of a connection is called; several to the same service are told apart by their labels.
pub(crate) fn credential_name(name: IntegrationName, label: &str) -> String {
    let word = name.to_value();
    match label {
        "" => word,
        label => format!("{word}/{label}"),
    }
}

/// The provider with this word.
pub(crate) fn ai_provider(key: &str) -> Option<&'static Service> {
    AI_PROVIDERS.iter().find(|service| service.key == key)
}

impl Request {
    /// The question, with what it is asked with.
    pub(super) fn call(&self, base: &str, values: &Values) -> Result<Call> {
        let url = Url::parse(&format!("{base}{}", self.path)).map_err(Error::internal)?;
        let mut headers = Vec::with_capacity(self.headers.len());
        for (name, template) in self.headers {
            let filled = values.filled(template);
            let filled = match filled.strip_prefix("Basic ") {
                Some(pair) => Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair))),
                None => filled,
            };
            // What a header cannot hold was refused before.
            let mut value = HeaderValue::from_str(&filled)
                .map_err(|_| Error::internal("a header that is none"))?;
            value.set_sensitive(true);
            headers.push((HeaderName::from_static(name), value));
        }
        Ok(Call {
            method: self.method,
            url,
            headers,
            body: self.body.as_bytes().to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_question_holds_is_what_its_service_needs() {
        for service in INTEGRATIONS.iter().chain(&AI_PROVIDERS) {
            assert!(service.fields[0].is_secret, "{}", service.key);
            for request in [Some(&service.probe), service.revoke.as_ref()]
                .into_iter()
                .flatten()
            {
                let templates = request.headers.iter().map(|(_, template)| *template);
                let named: Vec<_> = templates
                    .flat_map(|template| template.split('{').skip(1))
                    .collect();
                assert!(
                    !named.is_empty(),
                    "{} is asked without a secret",
                    service.key
                );
                for name in named {
                    let key = name.split_once('}').unwrap().0;
                    assert!(service.fields.iter().any(|field| field.key == key), "{key}");
                }
            }
        }
    }
}
