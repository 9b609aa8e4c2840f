//! The provider of identities that people sign in through.

use super::values::Unrepeated;
use crate::auth::{Newcomers, OidcSettings};
use clap::{Args, ValueEnum};
use entity::user::UserRole;
use sea_orm::ActiveEnum;
use std::{fmt, str::FromStr};
use url::{Host, Url};

/// Where the provider sends people back to: a path of the server's own, wherever on its host the dashboard is.
const CALLBACK: &str = "/auth/oidc/callback";
/// What is asked of the provider, besides `openid`, if nothing is said.
const SCOPES: [&str; 2] = ["email", "profile"];

/// What this server proves itself to the provider with.
#[derive(Clone)]
pub struct ClientSecret(String);

impl FromStr for ClientSecret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

/// What a person may become by being let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DefaultRole {
    /// Reads.
    Viewer,
    /// Works.
    Member,
    /// Decides.
    Admin,
}

/// A provider that speaks OpenID Connect. Without an issuer there is none.
#[derive(Args, Clone, Debug)]
pub struct Oidc {
    /// The provider that people sign in through, by OpenID Connect: its issuer, to the letter
    #[arg(long, env = "WORKGRAPH_OIDC_ISSUER", value_name = "URL", global = true)]
    #[arg(value_parser = issuer)]
    pub oidc_issuer: Option<String>,

    /// What the provider calls this server
    #[arg(
        long,
        env = "WORKGRAPH_OIDC_CLIENT_ID",
        value_name = "ID",
        global = true
    )]
    pub oidc_client_id: Option<String>,

    /// What this server proves itself to the provider with
    #[arg(
        long,
        env = "WORKGRAPH_OIDC_CLIENT_SECRET",
        value_name = "SECRET",
        global = true,
        hide_env_values = true
    )]
    #[arg(value_parser = Unrepeated::<ClientSecret>::default())]
    pub oidc_client_secret: Option<ClientSecret>,

    /// The slugs of the workspaces whose people sign in through the provider
    #[arg(
        long,
        env = "WORKGRAPH_OIDC_WORKSPACES",
        value_delimiter = ',',
        value_name = "SLUG,…",
        global = true
    )]
    pub oidc_workspaces: Vec<String>,

    /// Whom the provider brings for the first time and is let in: nobody (none), whose verified address has an account or an
    /// invitation (known), or everybody, who get an account (anyone). If nothing is said, known
    #[arg(long, env = "WORKGRAPH_OIDC_NEWCOMERS", value_enum, global = true)]
    pub oidc_newcomers: Option<Newcomers>,

    /// What they are then, where neither an invitation nor the provider says so. If nothing is said, viewer
    #[arg(long, env = "WORKGRAPH_OIDC_DEFAULT_ROLE", value_enum, global = true)]
    pub oidc_default_role: Option<DefaultRole>,

    /// The claim of the ID token that says what people are, such as groups, or /realm_access/roles for one within others
    #[arg(
        long,
        env = "WORKGRAPH_OIDC_ROLE_CLAIM",
        value_name = "CLAIM",
        global = true
    )]
    pub oidc_role_claim: Option<String>,

    /// Which of its values is which role, at each sign-in; who has none of them is not let in
    #[arg(
        long,
        env = "WORKGRAPH_OIDC_ROLES",
        value_delimiter = ',',
        value_name = "VALUE=ROLE,…",
        global = true
    )]
    #[arg(value_parser = role)]
    pub oidc_roles: Vec<(String, UserRole)>,

    /// What is asked of the provider, besides openid. If nothing is said, "email profile"
    #[arg(
        long,
        env = "WORKGRAPH_OIDC_SCOPES",
        value_delimiter = ' ',
        value_name = "SCOPES",
        global = true
    )]
    pub oidc_scopes: Option<Vec<String>>,

    /// Where the provider sends people back to, if that is not /auth/oidc/callback on the host of WORKGRAPH_PUBLIC_URL
    #[arg(
        long,
        env = "WORKGRAPH_OIDC_CALLBACK_URL",
        value_name = "URL",
        global = true
    )]
    #[arg(value_parser = super::values::web_address)]
    pub oidc_callback_url: Option<String>,
}

impl Oidc {
    /// The provider, if there is one, for a dashboard that is found here.
    ///
    /// # Errors
    /// When something is missing of what that takes.
    pub(super) fn settings(&self, dashboard: Option<&str>) -> Result<Option<OidcSettings>, String> {
        let Some(issuer) = &self.oidc_issuer else {
            return self.must_be_unset().map(|()| None);
        };
        let needs = |variable: &str, example: &str| {
            format!(
                "WORKGRAPH_OIDC_ISSUER is set, and so that people can sign in there {variable} must be, for example \
                 {variable}={example}"
            )
        };
        let id = self.oidc_client_id.clone();
        let id = id.ok_or_else(|| needs("WORKGRAPH_OIDC_CLIENT_ID", "workgraph"))?;
        let secret = self
            .oidc_client_secret
            .clone()
            .ok_or_else(|| needs("WORKGRAPH_OIDC_CLIENT_SECRET", "SECRET"))?;
        let workspaces: Vec<_> = trimmed(&self.oidc_workspaces);
        if workspaces.is_empty() {
            return Err(needs("WORKGRAPH_OIDC_WORKSPACES", "hill-dale"));
        }
        let dashboard =
            dashboard.ok_or_else(|| needs("WORKGRAPH_PUBLIC_URL", "https://dashboard.example"))?;
        match (&self.oidc_role_claim, &self.oidc_roles[..]) {
            (Some(_), []) => return Err(needs("WORKGRAPH_OIDC_ROLES", "staff=member,leads=admin")),
            (None, [_, ..]) => return Err(needs("WORKGRAPH_OIDC_ROLE_CLAIM", "groups")),
            _ => {}
        }
        let url = |url: &str| {
            Url::parse(url).map_err(|_| format!("{url} is no address: write https://HOST"))
        };
        let dashboard = url(dashboard)?;
        let callback = self.oidc_callback_url.clone();
        let callback = callback
            .unwrap_or_else(|| format!("{}{CALLBACK}", dashboard.origin().ascii_serialization()));
        let callback = url(&callback)?;
        if callback.path() != CALLBACK {
            return Err(format!(
                "WORKGRAPH_OIDC_CALLBACK_URL must be the server's own path on a host, for example \
                 WORKGRAPH_OIDC_CALLBACK_URL=https://dashboard.example{CALLBACK}"
            ));
        }
        Ok(Some(OidcSettings {
            issuer: issuer.clone(),
            client_id: id,
            client_secret: secret.0,
            workspaces,
            scopes: match &self.oidc_scopes {
                Some(scopes) => trimmed(scopes),
                None => SCOPES.map(ToOwned::to_owned).to_vec(),
            },
            newcomers: self.oidc_newcomers.unwrap_or(Newcomers::Known),
            default_role: match self.oidc_default_role {
                None | Some(DefaultRole::Viewer) => UserRole::Viewer,
                Some(DefaultRole::Member) => UserRole::Member,
                Some(DefaultRole::Admin) => UserRole::Admin,
            },
            role_claim: self.oidc_role_claim.clone(),
            roles: self.oidc_roles.clone(),
            callback,
            dashboard,
        }))
    }

    /// Refuses settings of a provider that there is none of: whoever wrote them believes that people sign in there.
    fn must_be_unset(&self) -> Result<(), String> {
        let set = [
            (self.oidc_client_id.is_some(), "WORKGRAPH_OIDC_CLIENT_ID"),
            (
                self.oidc_client_secret.is_some(),
                "WORKGRAPH_OIDC_CLIENT_SECRET",
            ),
            (
                !self.oidc_workspaces.is_empty(),
                "WORKGRAPH_OIDC_WORKSPACES",
            ),
            (self.oidc_newcomers.is_some(), "WORKGRAPH_OIDC_NEWCOMERS"),
            (
                self.oidc_default_role.is_some(),
                "WORKGRAPH_OIDC_DEFAULT_ROLE",
            ),
            (self.oidc_scopes.is_some(), "WORKGRAPH_OIDC_SCOPES"),
            (self.oidc_role_claim.is_some(), "WORKGRAPH_OIDC_ROLE_CLAIM"),
            (!self.oidc_roles.is_empty(), "WORKGRAPH_OIDC_ROLES"),
            (
                self.oidc_callback_url.is_some(),
                "WORKGRAPH_OIDC_CALLBACK_URL",
            ),
        ];
        match set.into_iter().find(|(is_set, _)| *is_set) {
            None => Ok(()),
            Some((_, variable)) => Err(format!(
                "{variable} is set, and so WORKGRAPH_OIDC_ISSUER must be, for example \
                 WORKGRAPH_OIDC_ISSUER=https://login.example"
            )),
        }
    }
}

fn trimmed(texts: &[String]) -> Vec<String> {
    let texts = texts.iter().map(|text| text.trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}

/// An issuer: an address over TLS, unless it is on this machine, with nothing behind its path.
fn issuer(text: &str) -> Result<String, String> {
    let expected = "expected an address such as https://login.example, without a user, `?` or `#`";
    let text = text.trim();
    let url = Url::parse(text).map_err(|_| expected.to_owned())?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(expected.to_owned()),
    };
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        "https" if is_bare => Ok(text.to_owned()),
        "http" if is_bare && is_here => Ok(text.to_owned()),
        "http" if is_bare => {
            Err("must begin with https://: what it says decides who signs in".to_owned())
        }
        _ => Err(expected.to_owned()),
    }
}

/// A value and the role that it is.
fn role(text: &str) -> Result<(String, UserRole), String> {
    let named = text.rsplit_once('=');
    let named = named.map(|(value, role)| (value.trim(), role.trim().to_lowercase()));
    let role = |role: &String| UserRole::try_from_value(role).ok();
    match named {
        Some((value, word)) if !value.is_empty() => {
            role(&word).map(|role| (value.to_owned(), role))
        }
        _ => None,
    }
    .ok_or_else(|| "expected VALUE=ROLE with owner, admin, member or viewer".to_owned())
}

#[cfg(test)]
mod tests;
