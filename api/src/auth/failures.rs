//! Failed tries to sign in, as the ledger tells of them: the first at once, those that follow as a number.
//!
//! They are written beside the answer, which comes no later for it, and no faster when there is nothing to write.

use super::{Actor, Origin};
use crate::{
    clock::Clock,
    error::Result,
    store::{READ_WITHIN, Store, retried},
};
use chrono::TimeDelta;
use entity::{Id, Timestamp, tenant, user};
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::task::JoinSet;

/// For so long after an entry, failures of the same account are only counted.
const QUIET: TimeDelta = TimeDelta::minutes(10);
/// So many accounts are counted each for itself. Beyond them those of a workspace are counted together.
const MOST_ACCOUNTS: usize = 1000;

/// What was tried: an account, or those that a workspace does not have.
#[derive(Clone)]
enum Target {
    User(user::Model),
    Tenant(tenant::Model),
}

/// What the ledger was told of a target.
struct Told {
    target: Target,
    at: Timestamp,
    /// How often it was tried since then.
    more: u64,
    /// From where it was tried last.
    origin: Arc<Origin>,
}

/// Counts failures, and tells the ledgers.
pub(super) struct Failures {
    store: Store,
    clock: Clock,
    told: Mutex<HashMap<Id, Told>>,
    /// One entry is written after the other: failures take one connection, however many there are.
    pen: tokio::sync::Mutex<()>,
    /// What is being told beside the answers.
    telling: Mutex<JoinSet<()>>,
}

impl Failures {
    pub(super) fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            told: Mutex::default(),
            pen: tokio::sync::Mutex::default(),
            telling: Mutex::default(),
        }
    }

    /// Somebody failed to sign in to a workspace, as one of its users or as nobody it knows.
    pub(super) fn note(
        self: &Arc<Self>,
        tenant: tenant::Model,
        user: Option<user::Model>,
        origin: &Arc<Origin>,
    ) {
        let due = self.count(tenant, user, origin);
        if due.is_empty() {
            return;
        }
        let failures = self.clone();
        let mut telling = self.telling();
        while telling.try_join_next().is_some() {}
        telling.spawn(async move { failures.tell(due).await });
    }

    /// Tells what was only counted so far, and waits for what is being told.
    pub(super) async fn finish(&self) {
        let mut telling = mem::take(&mut *self.telling());
        while telling.join_next().await.is_some() {}
        let told = mem::take(&mut *self.told());
        let counted = told.into_values().filter(|told| told.more > 0);
        self.tell(counted.collect()).await;
    }

    /// Counts a failure. Returns what the ledgers are to be told now: of this one unless it was told lately, and of others
    /// whose time of quiet is over.
    fn count(
        &self,
        tenant: tenant::Model,
        user: Option<user::Model>,
        origin: &Arc<Origin>,
    ) -> Vec<Told> {
        let now = self.clock.now();
        let is_quiet = |told: &Told| now.inner() - told.at.inner() < QUIET;
        let mut all = self.told();
        let user = user.filter(|user| all.len() < MOST_ACCOUNTS || all.contains_key(&user.id));
        let target = user.map_or(Target::Tenant(tenant), Target::User);
        if let Some(told) = all.get_mut(target.id()).filter(|told| is_quiet(told)) {
            told.more += 1;
            told.origin = origin.clone();
            return Vec::new();
        }
        let mut due: Vec<_> = all
            .extract_if(|_, told| !is_quiet(told))
            .map(|(_, told)| told)
            .collect();
        let told = |target, more| Told {
            target,
            at: now,
            more,
            origin: origin.clone(),
        };
        all.insert(target.id().clone(), told(target.clone(), 0));
        // What was counted of the same target comes with this one.
        let same = due.iter().position(|told| told.target.id() == target.id());
        let more = same.map_or(0, |place| due.swap_remove(place).more);
        due.retain(|told| told.more > 0);
        due.push(told(target, more + 1));
        due
    }

    fn telling(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.telling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tell(&self, due: Vec<Told>) {
        for told in due {
            let _pen = self.pen.lock().await;
            if let Err(error) = retried(|| self.write(&told)).await {
                tracing::warn!(
                    error = error.cause(),
                    "failed tries to sign in are not in the ledger"
                );
            }
        }
    }

    async fn write(&self, told: &Told) -> Result<()> {
        let actor =
            Actor::system(told.target.tenant().clone(), "sign_in").from(told.origin.clone());
        let _turn = self.store.admit_to_note().await?;
        let scope = self.store.scope_within(actor, READ_WITHIN);
        let mut tx = scope.begin().await?;
        match &told.target {
            Target::User(user) => tx.note::<user::Entity>(user, "user.login_failed"),
            Target::Tenant(tenant) => tx.note::<tenant::Entity>(tenant, "user.login_failed"),
        }
        if told.more > 1 {
            tx.explain(format!("{} tries failed since the last entry.", told.more));
        }
        tx.commit().await?;
        Ok(())
    }

    fn told(&self) -> MutexGuard<'_, HashMap<Id, Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Target {
    fn id(&self) -> &Id {
        match self {
            Self::User(user) => &user.id,
            Self::Tenant(tenant) => &tenant.id,
        }
    }

    fn tenant(&self) -> &Id {
        match self {
            Self::User(user) => &user.tenant_id,
            Self::Tenant(tenant) => &tenant.id,
        }
    }
}
