//! Signing in: as slow, and as many questions to the database, whatever is wrong.

use super::{Actor, Origin, Session, Sessions, Verdict, rate::address_key, session::ROUNDS};
use crate::{
    error::{Error, Result},
    store::retried,
};
use entity::{Id, Secret, tenant, user};
use sea_orm::ActiveValue::{NotSet, Set};
use std::sync::Arc;

/// No e-mail address and no workspace's slug is longer.
const LONGEST_NAME: usize = 254;
/// The id of nobody, to ask the database about as about anybody.
const NOBODY: &str = "";

const WRONG: Error =
    Error::Unauthenticated("The workspace, the e-mail address or the password is wrong.");

/// What somebody calls the account that they want to sign in to.
pub(super) struct Named {
    pub(super) workspace: String,
    pub(super) email: String,
}

impl Named {
    pub(super) fn new(workspace: &str, email: &str) -> Self {
        let short =
            |name: &str| Some(name.trim().to_owned()).filter(|name| name.len() <= LONGEST_NAME);
        Self {
            workspace: short(workspace).unwrap_or_default(),
            email: short(email).unwrap_or_default().to_lowercase(),
        }
    }
}

/// What the database knows of an account.
pub(super) struct Known {
    pub(super) tenant: Option<tenant::Model>,
    pub(super) user: Option<user::Model>,
    pub(super) hash: Option<String>,
}

impl Sessions {
    /// Begins a session. A wrong password and an unknown address are answered alike and equally slowly.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::RateLimited`] when it was tried too often, [`Error::Busy`] when too many
    /// try at once.
    pub async fn sign_in(
        &self,
        workspace: &str,
        email: &str,
        password: &str,
        origin: &Arc<Origin>,
    ) -> Result<Session> {
        self.limits.check_address(origin)?;
        let named = Named::new(workspace, email);
        let mut known = self.look_up(&named, origin).await?;
        self.admit(&named, &known, origin).await?;
        for _ in 0..ROUNDS {
            let verdict = self
                .passwords
                .verify(password, known.hash.clone(), origin)
                .await?;
            let (Some(user), Verdict::Right | Verdict::Outdated) = (&known.user, verdict) else {
                if let Some(tenant) = known.tenant {
                    self.failures.note(tenant, known.user, origin);
                }
                return Err(WRONG);
            };
            let rehashed = match verdict {
                Verdict::Outdated => Some(self.passwords.rehash(password, origin).await?),
                _ => None,
            };
            let hash = known.hash.as_deref();
            let begin = || self.begin(user, hash, rehashed.clone(), None, origin);
            if let Some(session) = retried(begin).await? {
                self.passwords.welcome(origin);
                return Ok(session);
            }
            known = self.look_up(&named, origin).await?;
        }
        Err(Error::Conflict(
            "This account is being changed. Try again in a moment.".to_owned(),
        ))
    }

    /// Takes a turn only while it reads: comparing passwords takes longer, and no connection.
    pub(super) async fn look_up(&self, named: &Named, origin: &Origin) -> Result<Known> {
        let system = self.store.entrance(origin.address);
        let tenant = system.workspace(&named.workspace).await?;
        let id = id(tenant.as_ref().map(|tenant| &tenant.id));
        let user = system.user_by_email(&id, &named.email).await?;
        let (user, hash) = user.unzip();
        Ok(Known {
            tenant,
            user,
            hash: hash.flatten(),
        })
    }

    /// Lets a try pass while strangers to the account have not tried it too often, and afterwards only from where its
    /// user signed in before: so many strangers as there are, they do not keep the user out.
    async fn admit(&self, named: &Named, known: &Known, origin: &Origin) -> Result<()> {
        let Err(refused) = self.limits.check_stranger(named) else {
            return Ok(());
        };
        let user = known.user.as_ref();
        let tenant = id(user.map(|user| &user.tenant_id));
        let user = id(user.map(|user| &user.id));
        let entrance = self.store.entrance(origin.address);
        let before = entrance.signed_in_from(&tenant, &user).await?;
        let here = origin.address.map(address_key);
        let is_known = before
            .into_iter()
            .any(|address| Some(address_key(address)) == here);
        if is_known { Ok(()) } else { Err(refused) }
    }

    /// Begins a session, unless the account is no longer as it was seen when its password was compared. The ledger says how, where
    /// that is not by a password.
    pub(super) async fn begin(
        &self,
        seen: &user::Model,
        kept: Option<&str>,
        rehashed: Option<String>,
        how: Option<&str>,
        origin: &Arc<Origin>,
    ) -> Result<Option<Session>> {
        let _turn = self.store.admit_to_sign_in(origin.address).await?;
        let scope = self
            .store
            .scope(Actor::user(seen.clone()).from(origin.clone()));
        let mut tx = scope.begin().await?;
        let Some((user, hash)) = tx.user_with_password(&seen.id).await? else {
            return Ok(None);
        };
        if hash.as_deref() != kept || user.token_version != seen.token_version {
            return Ok(None);
        }
        let changes = user::ActiveModel {
            last_login_at: Set(Some(tx.now())),
            password_hash: rehashed.map_or(NotSet, |hash| Set(Secret::new(hash))),
            ..Default::default()
        };
        let user = tx
            .update::<user::Entity, _>(&user, changes, "user.login")
            .await?;
        if let Some(how) = how {
            tx.explain(how);
        }
        let session = self.open(&mut tx, &user, Id(cuid2::create_id())).await?;
        tx.commit().await?;
        Ok(Some(session))
    }
}

fn id(id: Option<&Id>) -> Id {
    id.cloned().unwrap_or_else(|| NOBODY.into())
}
