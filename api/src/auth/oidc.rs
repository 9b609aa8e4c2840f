//! Signing in through a provider of identities, by OpenID Connect: its authorization code flow, with PKCE.
//!
//! A browser begins an attempt and is sent to the provider, which sends it back with a code. The code is exchanged for what the
//! provider says of the person, while no transaction is open; what holds of that begins a session like any other. A person is
//! who the provider calls by the same name: their address only finds the account that they had before.

mod attempt;
mod provider;
mod settings;
mod trouble;

pub use self::settings::{Newcomers, OidcSettings};
pub(crate) use self::{
    attempt::GOOD_FOR,
    trouble::{Failure, Trouble},
};

use self::{
    attempt::Attempt,
    provider::{Claims, Provider},
};
use super::{Origin, Session, Sessions, session::ROUNDS};
use crate::{
    domain::check,
    error::Error,
    store::{Request, retried},
    workflow::{self, Vouched},
};
use entity::{tenant, user};
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::sync::Arc;
use url::Url;

/// The part of the server that lets in whom the provider vouches for.
const COMPONENT: &str = "oidc";
/// No word of the provider's is longer in the log.
const LONGEST_WORD: usize = 100;
/// No path that somebody comes back to is longer, in bytes: the browser keeps it in a cookie.
const LONGEST_PAGE: usize = 1000;

/// A provider, and what the operator says of it.
pub(super) struct Oidc {
    settings: OidcSettings,
    provider: Provider,
}

/// What the provider sent somebody back with.
#[derive(Default)]
pub(crate) struct Answered {
    pub(crate) state: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) error: Option<String>,
    /// Who sent them back, if it says so.
    pub(crate) issuer: Option<String>,
}

/// Where a browser goes to sign in at the provider, and what it keeps until it comes back.
pub(crate) struct Begun {
    pub(crate) door: Url,
    pub(crate) cookie: String,
}

impl Sessions {
    /// The same sessions, which are also begun through a provider.
    #[must_use]
    pub fn through(self, settings: Option<OidcSettings>) -> Self {
        let oidc = settings.map(|settings| Oidc {
            settings,
            provider: Provider::new(),
        });
        Self {
            oidc: oidc.map(Arc::new),
            ..self
        }
    }

    /// The provider through which people sign in, if there is one.
    pub(crate) fn provider(&self) -> Option<&OidcSettings> {
        self.oidc.as_deref().map(|oidc| &oidc.settings)
    }

    /// Begins an attempt to sign in through the provider: to a workspace, which need not be named where there is one only, and to
    /// come back to a path of the dashboard's.
    ///
    /// # Errors
    /// [`Trouble`]; [`Error::RateLimited`] when it was tried too often.
    pub(crate) fn begin_through_provider<'a>(
        &'a self,
        workspace: Option<&'a str>,
        path: Option<&'a str>,
        origin: &'a Origin,
    ) -> BoxFuture<'a, Result<Begun, Failure>> {
        Box::pin(async move {
            let oidc = self.oidc()?;
            // Any page can have its visitors' browsers begin: that must not use up the tries of an office.
            self.limits.check_presenting(origin)?;
            let workspace = match (workspace.map(str::trim), &oidc.settings.workspaces[..]) {
                (Some(named), all) => all.iter().find(|slug| *slug == named),
                (None, [only]) => Some(only),
                (None, _) => None,
            };
            let workspace = workspace.cloned().ok_or(Trouble::Workspace)?;
            let page = path.filter(|path| !path.is_empty()).unwrap_or_default();
            if !page.is_empty() && (page.len() > LONGEST_PAGE || oidc.settings.page(page).is_none())
            {
                return Err(Trouble::Page.into());
            }
            let key = self.tokens.keyed("oidc");
            let attempt =
                Attempt::begin(key, workspace, page.to_owned(), self.tokens.clock().now());
            let door = oidc.provider.door(&oidc.settings, &attempt).await?;
            Ok(Begun {
                door,
                cookie: attempt.cookie().to_owned(),
            })
        })
    }

    /// Begins a session of whom the provider sent back, and says which page they wanted.
    ///
    /// # Errors
    /// [`Trouble`]; [`Error::Busy`] when too many try at once.
    pub(crate) fn end_through_provider<'a>(
        &'a self,
        cookie: Option<&'a str>,
        answered: Answered,
        origin: &'a Arc<Origin>,
    ) -> BoxFuture<'a, Result<(Session, Url), Failure>> {
        Box::pin(async move {
            let oidc = self.oidc()?;
            self.limits.check_presenting(origin)?;
            let (settings, now) = (&oidc.settings, self.tokens.clock().now());
            let (Some(cookie), Some(state)) = (cookie, &answered.state) else {
                return Err(Trouble::Attempt.into());
            };
            let key = self.tokens.keyed("oidc");
            let attempt = Attempt::resume(key, cookie, state, now).ok_or(Trouble::Attempt)?;
            let system = self.store.entrance(origin.address);
            let tenant = match settings.is_for(attempt.workspace()) {
                true => system.workspace(attempt.workspace()).await?,
                false => None,
            };
            let tenant = tenant.ok_or(Trouble::Workspace)?;
            self.use_up(&tenant, &attempt, origin).await?;
            // Who is sent back by somebody else may have been sent to somebody else.
            if answered
                .issuer
                .is_some_and(|issuer| issuer != settings.issuer)
            {
                return Err(Trouble::NotProven.into());
            }
            let code = match (answered.code, answered.error) {
                (Some(code), None) => code,
                (_, Some(error)) if error == "access_denied" => return Err(Trouble::Denied.into()),
                (_, error) => {
                    let error = error.as_deref().map(word);
                    tracing::warn!(
                        error,
                        "the identity provider sends somebody back without a code"
                    );
                    return Err(Trouble::Provider.into());
                }
            };
            let claims = oidc.provider.vouch(settings, &attempt, code, now).await?;
            let vouched = vouched(settings, &claims)?;
            let page = match attempt.page() {
                "" => settings.dashboard.clone(),
                path => settings.page(path).ok_or(Trouble::Page)?,
            };
            let how = format!("Through {}.", settings.issuer);
            for _ in 0..ROUNDS {
                let user = self.recognise(settings, &tenant, &vouched, origin).await?;
                let known = system.user_with_password(&tenant.id, &user.id).await?;
                let (user, hash) = known.ok_or(Trouble::UnknownPerson)?;
                let begin = || self.begin(&user, hash.as_deref(), None, Some(&how), origin);
                if let Some(session) = retried(begin).await? {
                    return Ok((session, page));
                }
            }
            Err(Error::Conflict("This account is being changed.".to_owned()).into())
        })
    }

    fn oidc(&self) -> Result<&Oidc, Failure> {
        self.oidc.as_deref().ok_or(Trouble::Provider.into())
    }

    /// Uses an attempt up, on all servers.
    async fn use_up(
        &self,
        tenant: &tenant::Model,
        attempt: &Attempt,
        origin: &Arc<Origin>,
    ) -> Result<(), Failure> {
        let _turn = self.store.admit_to_sign_in(origin.address).await?;
        let scope = self.letting_in(COMPONENT, tenant.id.clone(), origin);
        let request = Request::new(&attempt.state(), "auth/oidc", &Value::Null);
        let is_new = retried(|| async {
            let tx = scope.begin().await?;
            if tx.answered(&request).await?.is_some() {
                return Ok(false);
            }
            tx.commit_answering(Some(request.clone()), &tenant.id)
                .await?;
            Ok(true)
        });
        match is_new.await? {
            true => Ok(()),
            false => Err(Trouble::Attempt.into()),
        }
    }

    /// The account of whom the provider vouches for, with the role that it gives them.
    async fn recognise(
        &self,
        settings: &OidcSettings,
        tenant: &tenant::Model,
        vouched: &Vouched,
        origin: &Arc<Origin>,
    ) -> Result<user::Model, Failure> {
        let system = self.store.entrance(origin.address);
        let known = system.user_by_identity(&tenant.id, &vouched.issuer, &vouched.subject);
        if let Some(user) = known.await?
            && vouched.role.is_none_or(|role| role == user.role)
        {
            return Ok(user);
        }
        let _turn = self.store.admit_to_sign_in(origin.address).await?;
        let scope = self.letting_in(COMPONENT, tenant.id.clone(), origin);
        let recognised = retried(|| async {
            let mut tx = scope.begin().await?;
            let user =
                workflow::recognise(&mut tx, vouched, settings.newcomers, settings.default_role);
            let user = user.await?;
            if user.is_ok() {
                tx.commit().await?;
            }
            Ok(user)
        });
        Ok(recognised.await??)
    }
}

/// A provider's word for what is wrong, as the log can have it: it comes by way of the browser.
fn word(error: &str) -> String {
    let plain = error.chars().filter(char::is_ascii_graphic);
    plain.take(LONGEST_WORD).collect()
}

/// Whom the provider vouches for.
fn vouched(settings: &OidcSettings, claims: &Claims) -> Result<Vouched, Trouble> {
    let role = match &settings.role_claim {
        None => None,
        Some(claim) => {
            let values = claims.additional_claims().texts(claim);
            Some(
                settings
                    .role_of(values.into_iter())
                    .ok_or(Trouble::NoRole)?,
            )
        }
    };
    let email = claims
        .email()
        .filter(|_| claims.email_verified() == Some(true));
    // Letters that only look alike in small, such as the sign for Kelvin, find nobody's account.
    let email = email.filter(|email| email.to_lowercase() == email.to_ascii_lowercase());
    let email = email.and_then(|email| check::email("email", email).ok());
    let name = claims
        .name()
        .and_then(|name| name.get(None))
        .map(|name| name.as_str());
    let name = name.or(claims.preferred_username().map(|name| name.as_str()));
    Ok(Vouched {
        issuer: settings.issuer.clone(),
        subject: claims.subject().to_string(),
        email,
        name: name.unwrap_or_default().to_owned(),
        role,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_word_is_one_word_of_the_log() {
        assert_eq!(word("invalid_scope"), "invalid_scope");
        assert_eq!(
            word("in\u{1b}[31m\nvalid \u{202e}é_scope"),
            "in[31mvalid_scope"
        );
        assert_eq!(word(&"é0".repeat(200)), "0".repeat(LONGEST_WORD));
        assert_eq!(word(""), "");
    }
}
