//! Where other services are.

use super::Values;
use clap::Args;
use url::Url;

/// What stands in an address for the name of a customer's site.
const SITE: &str = "SITE";

/// Declares where services are: `field, key = default, variable;`.
macro_rules! addresses {
    ($($(#[$doc:meta])* $field:ident, $key:literal = $default:literal, $env:literal;)*) => {
        /// Where other services are, unless a workspace says so itself.
        #[derive(Args, Clone, Debug)]
        pub struct Addresses { $(
            $(#[$doc])*
            #[arg(long, env = $env, default_value = $default, value_name = "URL", global = true)]
            #[arg(value_parser = base_url)]
            pub $field: String,
        )* }

        impl Default for Addresses {
            fn default() -> Self {
                Self { $($field: $default.to_owned(),)* }
            }
        }

        impl Addresses {
            /// The same address for all of them.
            pub fn all_at(url: &str) -> Self {
                Self { $($field: url.to_owned(),)* }
            }

            fn named(&self, key: &str) -> &str {
                match key {
                    $($key => &self.$field,)*
                    _ => "",
                }
            }
        }
    };
}

addresses! {
    /// Jira Cloud; SITE stands for a customer's name
    jira_url, "jira" = "https://SITE.atlassian.net", "WORKGRAPH_JIRA_URL";
    /// Slack's API
    slack_url, "slack" = "https://slack.com", "WORKGRAPH_SLACK_URL";
    /// GitHub's API, or that of an enterprise server: https://HOST/api/v3
    github_url, "github" = "https://api.github.com", "WORKGRAPH_GITHUB_URL";
    /// Linear's API
    linear_url, "linear" = "https://api.linear.app", "WORKGRAPH_LINEAR_URL";
    /// Notion's API
    notion_url, "notion" = "https://api.notion.com", "WORKGRAPH_NOTION_URL";
    /// Anthropic's API
    anthropic_url, "anthropic" = "https://api.anthropic.com", "WORKGRAPH_ANTHROPIC_URL";
    /// OpenAI's API
    openai_url, "openai" = "https://api.openai.com", "WORKGRAPH_OPENAI_URL";
    /// Google's API for language models
    google_ai_url, "google" = "https://generativelanguage.googleapis.com", "WORKGRAPH_GOOGLE_AI_URL";
}

impl Addresses {
    /// Where a service is for who has these values.
    pub(super) fn of(&self, key: &str, values: &Values) -> String {
        let address = self.named(key);
        match values.shown("site") {
            Some(site) => address.replace(SITE, site),
            None => address.to_owned(),
        }
    }
}

/// An address that paths are put behind: http or https, a host, perhaps a path, and nothing more.
///
/// # Errors
/// When it is none.
pub(super) fn base_url(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    let expected =
        "expected an address such as https://api.example.com, without a user, `?` or `#`";
    let url = Url::parse(text).map_err(|_| expected.to_owned())?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match is_web && is_bare {
        true => Ok(text.to_owned()),
        false => Err(expected.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_no_more_than_a_path() {
        for (text, right) in [
            ("https://api.github.com/", "https://api.github.com"),
            ("http://127.0.0.1:80/api/v3", "http://127.0.0.1:80/api/v3"),
            ("https://SITE.atlassian.net", "https://SITE.atlassian.net"),
        ] {
            assert_eq!(base_url(text).as_deref(), Ok(right));
        }
        for wrong in [
            "",
            "api.github.com",
            "ftp://example.com",
            "https://user@example.com",
            "https://:secret@example.com",
            "https://example.com?x=1",
            "https://example.com#x",
            "https://",
        ] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }
}
