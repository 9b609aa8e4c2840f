//! What the operator says of the provider.

use entity::user::UserRole;
use std::fmt;
use url::Url;

/// Which of those whom the provider vouches for are let in, who never came through it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Newcomers {
    /// Nobody.
    None,
    /// Whose verified e-mail address has an account in the workspace already, or an invitation to it.
    Known,
    /// Everybody: who has no account gets one.
    Anyone,
}

/// A provider of identities, and what it may say of people.
#[derive(Clone)]
pub struct OidcSettings {
    /// The address that it goes by, to the letter.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// What this server proves itself with.
    pub client_secret: String,
    /// The slugs of the workspaces whose people sign in through it.
    pub workspaces: Vec<String>,
    /// What is asked of it, besides `openid`.
    pub scopes: Vec<String>,
    /// Who is let in that never came before.
    pub newcomers: Newcomers,
    /// As what, where neither an invitation nor the provider says so.
    pub default_role: UserRole,
    /// The claim that says what people are; none if the provider does not.
    pub role_claim: Option<String>,
    /// Which of its values is which role.
    pub roles: Vec<(String, UserRole)>,
    /// Where the provider sends people back to.
    pub callback: Url,
    /// Where the dashboard is.
    pub dashboard: Url,
}

impl fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OidcSettings({})", self.issuer)
    }
}

impl OidcSettings {
    /// Whether people sign in to the workspace of this slug through the provider.
    pub(in crate::auth) fn is_for(&self, slug: &str) -> bool {
        self.workspaces.iter().any(|workspace| workspace == slug)
    }

    /// The page of the dashboard that a path behind its address leads to; nothing for what leads elsewhere.
    pub(super) fn page(&self, path: &str) -> Option<Url> {
        // Browsers take a backslash for a slash, and leave out what cannot be seen.
        let is_plain = |char: char| !char.is_control() && !char.is_whitespace() && char != '\\';
        if !path.starts_with('/') || path.starts_with("//") || !path.chars().all(is_plain) {
            return None;
        }
        let base = self.dashboard.as_str().trim_end_matches('/');
        let page = Url::parse(&format!("{base}{path}")).ok()?;
        // What has `..` in it may have left the dashboard for something else on its host.
        let base = self.dashboard.path().trim_end_matches('/');
        let behind = page.path().strip_prefix(base)?;
        (page.origin() == self.dashboard.origin() && behind.starts_with('/')).then_some(page)
    }

    /// Where people learn why they are not let in.
    pub(crate) fn refusal(&self, code: &str) -> Url {
        let mut page = self.dashboard.clone();
        let path = format!("{}/sign-in", page.path().trim_end_matches('/'));
        page.set_path(&path);
        page.query_pairs_mut().append_pair("error", code);
        page
    }

    /// The highest role that one of these values is.
    pub(super) fn role_of<'v>(&self, values: impl Iterator<Item = &'v str>) -> Option<UserRole> {
        let rank = |role: &UserRole| match role {
            UserRole::Viewer => 0,
            UserRole::Member => 1,
            UserRole::Admin => 2,
            UserRole::Owner => 3,
        };
        let named = |value| self.roles.iter().filter(move |(name, _)| name == value);
        values
            .flat_map(named)
            .map(|(_, role)| *role)
            .max_by_key(rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> OidcSettings {
        let url = |url: &str| Url::parse(url).unwrap();
        OidcSettings {
            issuer: "https://login.example".to_owned(),
            client_id: "workgraph".to_owned(),
            client_secret: "secret".to_owned(),
            workspaces: vec!["demo".to_owned()],
            scopes: vec![],
            newcomers: Newcomers::Known,
            default_role: UserRole::Viewer,
            role_claim: None,
            roles: vec![
                ("staff".to_owned(), UserRole::Member),
                ("boss".to_owned(), UserRole::Admin),
            ],
            callback: url("https://dashboard.example/auth/oidc/callback"),
            dashboard: url("https://dashboard.example/app"),
        }
    }

    #[test]
    fn only_pages_of_the_dashboard_are_come_back_to() {
        for (path, page) in [
            ("/", "/"),
            ("/tickets?open=1#top", "/tickets?open=1#top"),
            ("/@elsewhere.example", "/@elsewhere.example"),
            ("/projects/../tickets", "/tickets"),
        ] {
            let within = format!("https://dashboard.example/app{page}");
            assert_eq!(settings().page(path).unwrap().as_str(), within);
            let alone = OidcSettings {
                dashboard: Url::parse("https://dashboard.example").unwrap(),
                ..settings()
            };
            let page = format!("https://dashboard.example{page}");
            assert_eq!(alone.page(path).unwrap().as_str(), page);
        }
        for wrong in [
            "",
            "tickets",
            "https://elsewhere.example/",
            "//elsewhere.example",
            "/\\elsewhere.example",
            "\\\\elsewhere.example",
            "/\t/elsewhere.example",
            "/\n/elsewhere.example",
            "/../admin",
            "/%2e%2e/application",
            " /",
            "javascript:alert(1)",
        ] {
            assert!(settings().page(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn the_highest_role_counts() {
        let role = |values: &[&str]| settings().role_of(values.iter().copied());
        assert_eq!(role(&["staff", "other"]), Some(UserRole::Member));
        assert_eq!(role(&["staff", "boss", "staff"]), Some(UserRole::Admin));
        assert_eq!(role(&["Boss", "boss "]), None);
        assert_eq!(role(&[]), None);
    }

    #[test]
    fn no_secret_is_printed() {
        assert_eq!(
            format!("{:?}", settings()),
            "OidcSettings(https://login.example)"
        );
        let page = settings().refusal("NO_ROLE");
        assert_eq!(
            page.as_str(),
            "https://dashboard.example/app/sign-in?error=NO_ROLE"
        );
    }
}
