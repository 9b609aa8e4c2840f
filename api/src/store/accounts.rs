//! Whose a token is, without asking the database each time.
//!
//! What was read of a user, or of the token of an agent or a service, counts for two seconds. A change that the ledger tells this process of counts
//! at once: what it commits itself, and what other servers commit in a workspace that somebody follows here. A mutation
//! asks again, in its transaction.

use super::{System, Tx};
use crate::{
    auth::Account,
    error::{Error, Result},
};
use entity::{Id, Owned, Timestamp, agent_token, audit_log, service_token, tenant_feed, user};
use sea_orm::{
    ActiveEnum, Condition, ConnectionTrait,
    sea_query::{Expr, ExprTrait, IntoColumnRef, Query, SelectStatement},
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// What was read of an account counts for so long.
const COUNTS_FOR: Duration = Duration::from_secs(2);

/// So many users are remembered, and so many tokens of agents and of services.
const MOST: usize = 10_000;

const CHANGED: Error = Error::Unauthenticated(
    "Your account was changed a moment ago. Send this again; if it is refused again, sign in.",
);

/// The users and tokens that were asked for last.
#[derive(Default)]
pub(super) struct Accounts {
    users: Remembered<user::Model>,
    agent_tokens: Remembered<agent_token::Model>,
    service_tokens: Remembered<service_token::Model>,
}

impl Accounts {
    /// Forgets the account that an entry of a ledger is about, if it is about one, and all of a workspace that is deleted.
    pub(super) fn learn(&self, entry: &audit_log::Model) {
        if ends_all(entry) {
            let tenant = &entry.tenant_id;
            self.users.forget(|user| user.tenant_id == *tenant);
            self.agent_tokens.forget(|token| token.tenant_id == *tenant);
            self.service_tokens
                .forget(|token| token.tenant_id == *tenant);
        }
        if let Some(id) = account_of(entry) {
            self.forget(id);
        }
    }

    /// Forgets an account.
    pub(super) fn forget(&self, id: &Id) {
        self.users.forget(|user| user.id == *id);
        self.agent_tokens.forget(|token| token.id == *id);
        self.service_tokens.forget(|token| token.id == *id);
    }
}

/// The action of the ledger's entry that ends a workspace.
pub(crate) const DELETED: &str = "workspace.deleted";

/// Whether an entry of a ledger ends all accounts of its workspace.
pub(super) fn ends_all(entry: &audit_log::Model) -> bool {
    entry.action == DELETED
}

/// "A row whose workspace was not deleted".
pub(super) fn goes_on<E: Owned>() -> Expr {
    use tenant_feed::{
        Column::{ClosedAt, TenantId},
        Entity,
    };
    let ended = Query::select()
        .expr(Expr::val(1))
        .from(Entity)
        .and_where(Expr::col((Entity, TenantId)).eq(Expr::col((E::default(), E::TENANT))))
        .and_where(Expr::col((Entity, ClosedAt)).is_not_null())
        .take();
    Expr::exists(ended).not()
}

/// The user or token that an entry of a ledger is about.
pub(super) fn account_of(entry: &audit_log::Model) -> Option<&Id> {
    match &*entry.target_type {
        "User" | "AgentToken" | "ServiceToken" => entry.target_id.as_ref(),
        _ => None,
    }
}

struct Remembered<M>(Mutex<Memory<M>>);

struct Memory<M> {
    /// How often something was forgotten because it changed.
    changes: u64,
    rows: HashMap<String, Read<M>>,
}

struct Read<M> {
    row: M,
    at: Instant,
}

impl<M> Default for Remembered<M> {
    fn default() -> Self {
        Self(Mutex::new(Memory {
            changes: 0,
            rows: HashMap::new(),
        }))
    }
}

impl<M> Read<M> {
    fn counts(&self) -> bool {
        self.at.elapsed() < COUNTS_FOR
    }
}

impl<M: Clone> Remembered<M> {
    /// The row with this name, if it was read a moment ago; else as it is read now.
    async fn get(
        &self,
        name: String,
        read: impl Future<Output = Result<Option<M>>>,
    ) -> Result<Option<M>> {
        let (at, changes) = {
            let memory = self.memory();
            if let Some(read) = memory.rows.get(&name).filter(|read| read.counts()) {
                return Ok(Some(read.row.clone()));
            }
            (Instant::now(), memory.changes)
        };
        let row = read.await?;
        let mut memory = self.memory();
        // What changed meanwhile may have been read as it was before.
        if let (Some(row), true) = (row.clone(), memory.changes == changes) {
            memory.keep(name, Read { row, at });
        }
        Ok(row)
    }

    fn forget(&self, is_it: impl Fn(&M) -> bool) {
        let mut memory = self.memory();
        memory.changes += 1;
        memory.rows.retain(|_, read| !is_it(&read.row));
    }

    fn memory(&self) -> MutexGuard<'_, Memory<M>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> Memory<M> {
    fn keep(&mut self, name: String, read: Read<M>) {
        if self.rows.len() >= MOST {
            self.rows.retain(|_, read| read.counts());
        }
        if self.rows.len() < MOST {
            self.rows.insert(name, read);
        }
    }
}

impl System {
    /// An account, which says why when it went with its workspace.
    async fn account<E: Owned>(&self, condition: Condition) -> Result<Option<E::Model>> {
        let goes_on = condition.clone().add(goes_on::<E>());
        match self.one::<E>(goes_on).await? {
            Some(found) => Ok(Some(found)),
            None => match self.one::<E>(condition).await? {
                Some(_) => Err(Error::WORKSPACE_DELETED),
                None => Ok(None),
            },
        }
    }

    /// The user a token speaks of.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the workspace was deleted; or if the database fails.
    pub async fn user(&self, tenant: &Id, id: &Id) -> Result<Option<user::Model>> {
        let condition = Condition::all()
            .add(Expr::col(user::Column::Id).eq(id.as_str()))
            .add(Expr::col(user::Column::TenantId).eq(tenant.as_str()));
        let read = self.account::<user::Entity>(condition);
        if !self.remembering {
            return read.await;
        }
        let name = format!("{tenant} {id}");
        self.store().accounts().users.get(name, read).await
    }

    /// The agent token with this hash, whosever it is.
    ///
    /// # Errors
    /// As [`System::user`].
    pub async fn agent_token(&self, hash: &str) -> Result<Option<agent_token::Model>> {
        let condition = Condition::all().add(Expr::col(agent_token::Column::TokenHash).eq(hash));
        let read = self.account::<agent_token::Entity>(condition);
        if !self.remembering {
            return read.await;
        }
        let name = hash.to_owned();
        self.store().accounts().agent_tokens.get(name, read).await
    }

    /// The service token with this hash, whosever it is.
    ///
    /// # Errors
    /// As [`System::user`].
    pub async fn service_token(&self, hash: &str) -> Result<Option<service_token::Model>> {
        let condition = Condition::all().add(Expr::col(service_token::Column::TokenHash).eq(hash));
        let read = self.account::<service_token::Entity>(condition);
        if !self.remembering {
            return read.await;
        }
        let name = hash.to_owned();
        self.store().accounts().service_tokens.get(name, read).await
    }
}

/// "A token that is neither revoked nor over", by the table's columns for that.
fn holds(revoked: impl IntoColumnRef, expires: impl IntoColumnRef, now: Timestamp) -> Expr {
    let expires = Expr::col(expires);
    let goes_on = expires.clone().is_null().or(expires.gt(now));
    Expr::col(revoked).is_null().and(goes_on)
}

/// Asks whether a tenant has this row.
fn one<E: Owned>(tenant: &Id, id: &Id) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(E::default())
        .and_where(Expr::col(E::TENANT).eq(tenant.as_str()))
        .and_where(Expr::col(E::ID).eq(id.as_str()))
        .take()
}

impl Tx<'_> {
    /// The same of an actor whose row was read and locked in this transaction.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub(crate) fn check_user(&self, user: &user::Model) -> Result<()> {
        match self.scope().actor().account() {
            Some(Account::User {
                id,
                role,
                token_version,
            }) if *id == user.id && (role, token_version) != (user.role, user.token_version) => {
                self.scope().store().accounts().forget(&user.id);
                Err(CHANGED)
            }
            _ => Ok(()),
        }
    }

    /// Refuses an actor whose account is no longer what it was when the actor was let in.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; or if the database fails.
    pub(crate) async fn check_account(&self) -> Result<()> {
        let actor = self.scope().actor();
        let (id, standing) = match actor.account() {
            None => return Ok(()),
            Some(Account::User {
                id,
                role,
                token_version,
            }) => {
                let as_it_was = Expr::col(user::Column::Role)
                    .eq(role.to_value())
                    .and(Expr::col(user::Column::TokenVersion).eq(token_version));
                (
                    id,
                    one::<user::Entity>(actor.tenant(), id)
                        .and_where(as_it_was)
                        .take(),
                )
            }
            Some(Account::Agent { token }) => {
                use agent_token::{
                    Column::{ExpiresAt, RevokedAt},
                    Entity,
                };
                let mut standing = one::<Entity>(actor.tenant(), token);
                standing.and_where(holds(RevokedAt, ExpiresAt, self.now()));
                (token, standing)
            }
            Some(Account::Service { token }) => {
                use service_token::{
                    Column::{ExpiresAt, RevokedAt},
                    Entity,
                };
                let mut standing = one::<Entity>(actor.tenant(), token);
                standing.and_where(holds(RevokedAt, ExpiresAt, self.now()));
                (token, standing)
            }
        };
        if self.transaction().query_one(&standing).await?.is_some() {
            return Ok(());
        }
        self.scope().store().accounts().forget(id);
        Err(CHANGED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// What a table holds, and how often it was read.
    struct Table(Cell<u32>, Cell<u32>);

    impl Table {
        async fn read(&self) -> Result<Option<u32>> {
            self.1.set(self.1.get() + 1);
            Ok(Some(self.0.get()))
        }
    }

    async fn get(remembered: &Remembered<u32>, table: &Table) -> Option<u32> {
        remembered
            .get("row".to_owned(), table.read())
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_row_is_read_once_until_it_changes() {
        let (remembered, table) = (Remembered::default(), Table(Cell::new(1), Cell::new(0)));
        for _ in 0..3 {
            assert_eq!(get(&remembered, &table).await, Some(1));
        }
        table.0.set(2);
        remembered.forget(|row| *row == 7);
        assert_eq!(
            get(&remembered, &table).await,
            Some(1),
            "another one changed"
        );
        remembered.forget(|row| *row == 1);
        assert_eq!(get(&remembered, &table).await, Some(2));
        assert_eq!(table.1.get(), 2);
    }

    #[tokio::test]
    async fn a_row_that_changes_while_it_is_read_is_not_remembered() {
        let (remembered, table) = (Remembered::default(), Table(Cell::new(2), Cell::new(0)));
        let slow = async {
            remembered.forget(|row| *row == 1);
            Ok(Some(1))
        };
        assert_eq!(
            remembered.get("row".to_owned(), slow).await.unwrap(),
            Some(1)
        );
        assert_eq!(get(&remembered, &table).await, Some(2));
    }

    #[test]
    fn what_counts_no_longer_makes_room_and_what_counts_is_kept() {
        let mut memory = Memory {
            changes: 0,
            rows: HashMap::new(),
        };
        let read = |at| Read { row: (), at };
        let now = Instant::now();
        for name in 0..MOST + 10 {
            memory.keep(name.to_string(), read(now));
        }
        assert_eq!(memory.rows.len(), MOST);
        let old = now.checked_sub(COUNTS_FOR);
        memory
            .rows
            .values_mut()
            .for_each(|read| read.at = old.unwrap_or(now));
        memory.keep("new".to_owned(), read(now));
        assert_eq!(memory.rows.len(), 1);
    }
}
