//! Becoming somebody: who founds a workspace, and who accepts an invitation to one.

use super::{
    Actor, Origin, Session, Sessions,
    opaque::{self, INVITATION},
};
use crate::{
    domain::check,
    error::{Error, Result},
    store::{Scope, retried},
    workflow, workspace,
};
use entity::{Id, Secret, user};
use rand::distr::{Alphanumeric, SampleString};
use sea_orm::ActiveValue::Set;
use std::sync::Arc;

/// The part of the server that lets people in.
const COMPONENT: &str = "sign_up";
/// The longest name of a person, in characters.
pub(crate) const LONGEST_NAME: usize = 100;
/// So many slugs are tried that begin with a name's.
const TRIES: usize = 5;

const NO_INVITATION: Error = Error::Unauthenticated(
    "This invitation is not valid any more, or never was. Ask whoever invited you for another one.",
);

/// A workspace to be founded, and by whom.
pub(crate) struct Founding {
    pub(crate) workspace: String,
    pub(crate) slug: Option<String>,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) password: String,
}

/// An invitation that is accepted.
pub(crate) struct Joining {
    pub(crate) token: String,
    pub(crate) name: String,
    pub(crate) password: String,
}

impl Sessions {
    /// The same sessions, with everybody let found a workspace or nobody; without a word, those in development mode.
    #[must_use]
    pub fn open_to_all(self, sign_up: Option<bool>) -> Self {
        Self { sign_up, ..self }
    }

    /// Founds a workspace and begins a session of its owner.
    ///
    /// # Errors
    /// [`Error::Forbidden`] where nobody may, [`Error::BadUserInput`] naming what cannot be accepted, [`Error::Conflict`] when
    /// the slug is taken, [`Error::RateLimited`] when it was tried too often.
    pub(crate) async fn sign_up(
        &self,
        founding: Founding,
        origin: &Arc<Origin>,
        in_development: bool,
    ) -> Result<Session> {
        if !self.sign_up.unwrap_or(in_development) {
            return Err(Error::Forbidden(
                "Nobody founds a workspace on this server by signing up. Ask who runs it, or whoever has one for an invitation."
                    .to_owned(),
            ));
        }
        self.limits.check_sign_up(origin)?;
        let workspace = check::line(
            "workspaceName",
            &founding.workspace,
            1,
            workspace::LONGEST_NAME,
        )?;
        let name = check::line("name", &founding.name, 1, LONGEST_NAME)?;
        let email = check::email("email", &founding.email)?;
        let slug = match &founding.slug {
            Some(slug) => workspace::chosen_slug(slug).ok_or_else(|| {
                let reason =
                    "has at most 40 small letters and digits, with single dashes between them";
                Error::bad_input("workspaceSlug", reason)
            })?,
            None => self.free_slug(&workspace, origin).await?,
        };
        if self.is_kept(&slug) {
            return Err(Error::bad_input(
                "workspaceSlug",
                "is kept for a company on this server; choose another one",
            ));
        }
        let hash = self
            .passwords
            .hash("password", &founding.password, origin)
            .await?;
        let _turn = self.store.admit_to_sign_in(origin.address).await?;
        let session = retried(|| async {
            // Each try is another workspace.
            let scope = self.letting_in(COMPONENT, Id(cuid2::create_id()), origin);
            let mut tx = scope.begin().await?;
            let owner = user::ActiveModel {
                name: Set(name.clone()),
                email: Set(email.clone()),
                password_hash: Set(Secret::new(hash.clone())),
                last_login_at: Set(Some(tx.now())),
                ..Default::default()
            };
            let owner = workspace::write(&mut tx, workspace.clone(), slug.clone(), owner).await?;
            let session = self.open(&mut tx, &owner, Id(cuid2::create_id())).await?;
            tx.commit().await?;
            Ok(session)
        });
        let session = session.await?;
        self.passwords.welcome(origin);
        Ok(session)
    }

    /// Whether a provider of identities lets people into the workspace of this slug, so that no stranger may have it.
    fn is_kept(&self, slug: &str) -> bool {
        self.provider()
            .is_some_and(|provider| provider.is_for(slug))
    }

    /// A slug that is made of a name and that no workspace has. What others are called is told to nobody.
    async fn free_slug(&self, name: &str, origin: &Origin) -> Result<String> {
        let base = workspace::slug_of(name, workspace::LONGEST_SLUG - "-xxxx".len());
        let base = base.unwrap_or_else(|| "workspace".to_owned());
        let mut slug = base.clone();
        let system = self.store.entrance(origin.address);
        for _ in 0..TRIES {
            if !self.is_kept(&slug) && !system.is_slug_taken(&slug).await? {
                return Ok(slug);
            }
            let tail = Alphanumeric.sample_string(&mut rand::rng(), 4);
            slug = format!("{base}-{}", tail.to_lowercase());
        }
        Err(Error::Conflict(
            "No free slug was found for this name. Choose one yourself, as `workspaceSlug`."
                .to_owned(),
        ))
    }

    /// Makes the user whom an invitation was for, and begins a session of theirs.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it is none, [`Error::Conflict`] when it is no longer good, [`Error::BadUserInput`] naming
    /// what cannot be accepted, [`Error::RateLimited`] when there were too many tries.
    pub(crate) async fn accept_invitation(
        &self,
        joining: Joining,
        origin: &Arc<Origin>,
    ) -> Result<Session> {
        if !opaque::is_one(INVITATION, &joining.token) {
            return Err(NO_INVITATION);
        }
        self.limits.check_presenting(origin)?;
        let token = opaque::hash(&joining.token);
        let found = self
            .store
            .entrance(origin.address)
            .invitation(&token)
            .await?;
        let found = found.ok_or(NO_INVITATION)?;
        // Whoever holds a link that is no longer good learns so before a password is hashed.
        workflow::may_be_accepted(&found)?;
        let name = check::line("name", &joining.name, 1, LONGEST_NAME)?;
        let hash = self
            .passwords
            .hash("password", &joining.password, origin)
            .await?;
        let _turn = self.store.admit_to_sign_in(origin.address).await?;
        let scope = self.letting_in(COMPONENT, found.tenant_id, origin);
        let session = retried(|| async {
            let mut tx = scope.begin().await?;
            let joined = workflow::accept(&mut tx, &token, &name, &hash).await?;
            let session = match &joined {
                Ok(user) => Ok(self.open(&mut tx, user, Id(cuid2::create_id())).await?),
                Err(expired) => Err(expired.clone()),
            };
            tx.commit().await?;
            Ok(session)
        });
        let session = session.await??;
        self.passwords.welcome(origin);
        Ok(session)
    }

    /// What lets people into a workspace, as a part of the server.
    pub(super) fn letting_in(
        &self,
        component: &'static str,
        tenant: Id,
        origin: &Arc<Origin>,
    ) -> Scope {
        let actor = Actor::system(tenant, component).from(origin.clone());
        self.store.scope(actor)
    }
}

/// No invitation has this token.
pub(crate) const fn no_invitation() -> Error {
    NO_INVITATION
}
