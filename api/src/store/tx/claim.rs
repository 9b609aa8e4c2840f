//! Those who claim: one after the other, and with what they have counted.

use super::{PLANNED_ONCE, Tx};
use crate::{
    error::Result,
    store::select::{self, Place},
};
use entity::{Id, agent_job, agent_session, ticket};
use sea_orm::{
    ConnectionTrait, DbBackend,
    sea_query::{Expr, ExprTrait, LockType, Order, Query, SubQueryStatement},
};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

impl Tx<'_> {
    /// Holds off all others of the workspace that queue up under this name, until the transaction ends.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn queue_up(&self, name: &str) -> Result<()> {
        self.wait_for("", name, "pg_advisory_xact_lock").await
    }

    /// The same to look for tickets, until [`leave_queue`](Self::leave_queue): who leaves has written nothing.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn queue_up_for_now(&self, name: &str) -> Result<()> {
        let before = format!("{PLANNED_ONCE}; SAVEPOINT queue; ");
        self.wait_for(&before, name, "pg_advisory_xact_lock").await
    }

    /// Lets the others go on that wait since [`queue_up_for_now`](Self::queue_up_for_now).
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn leave_queue(&self) -> Result<()> {
        self.unasked("ROLLBACK TO SAVEPOINT queue").await
    }

    /// Holds off those of the workspace that [`queue_up`](Self::queue_up) under this name, and goes beside all others that do
    /// as this one.
    ///
    /// # Errors
    /// If the database fails.
    pub(in crate::store) async fn queue_up_beside(&self, name: &str) -> Result<()> {
        self.wait_for("", name, "pg_advisory_xact_lock_shared")
            .await
    }

    async fn wait_for(&self, before: &str, name: &str, lock: &str) -> Result<()> {
        let digest = Sha256::digest(format!("{}\n{name}", self.tenant()));
        let key = i64::from_be_bytes(std::array::from_fn(|byte| digest[byte]));
        self.unasked(&format!("{before}SELECT {lock}({key})")).await
    }

    /// What is not counted, as BEGIN is not: it asks nothing. SQLite has one writer at a time, and needs nothing of it.
    async fn unasked(&self, sql: &str) -> Result<()> {
        if self.transaction.get_database_backend() == DbBackend::Postgres {
            self.transaction.session().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    /// How many tickets of each of these roles somebody works on.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn claimed_by_role(&self, roles: &[String]) -> Result<HashMap<String, i64>> {
        use ticket::Column::{RoleSlug, Status};
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope.store().backend());
        let mut select = select::bare::<ticket::Entity>(place);
        let names: Vec<&str> = roles.iter().map(String::as_str).collect();
        select
            .expr_as(place.column(RoleSlug), "role")
            .expr_as(Expr::cust("COUNT(*)"), "claimed")
            .and_where(place.column(Status).eq("claimed"))
            .and_where(place.is_any_of(RoleSlug, &names))
            .add_group_by([place.column(RoleSlug)]);
        let rows = self.transaction.query_all(&select).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("", "role")?, row.try_get("", "claimed")?)))
            .collect()
    }

    /// The tokens of the agents that are connected, of so many at most.
    ///
    /// # Errors
    /// If the database fails.
    pub(in crate::store) async fn connected_agents(&self, most: u64) -> Result<Vec<Id>> {
        use agent_session::Column::{AgentTokenId, DisconnectedAt};
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope.store().backend());
        let mut select = select::bare::<agent_session::Entity>(place);
        select
            .expr_as(place.column(AgentTokenId), "token")
            .and_where(place.column(DisconnectedAt).is_null())
            .limit(most);
        let rows = self.transaction.query_all(&select).await?;
        rows.iter()
            .map(|row| Ok(row.try_get("", "token")?))
            .collect()
    }

    /// A job of this session begins or ends: its jobs are counted before the commit, or by [`count_jobs`](Self::count_jobs).
    pub(crate) fn count_later(&mut self, session: Option<&Id>) {
        let session = session.cloned().map(|session| (session, false));
        self.uncounted.extend(session);
    }

    /// The same of a session that was locked last of all rows already.
    pub(crate) fn count_locked(&mut self, session: &Id) {
        self.uncounted.entry(session.clone()).or_insert(true);
    }

    /// Counts the jobs of the sessions whose jobs began or ended. They are locked last of all rows, in the order of their ids,
    /// and counted by a statement that sees what others committed before.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn count_jobs(&mut self) -> Result<()> {
        let sessions = std::mem::take(&mut self.uncounted);
        if sessions.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = sessions.keys().map(Id::as_str).collect();
        if sessions.values().any(|is_locked| !is_locked) {
            let actor = self.all_seeing();
            let place = Place::outermost(&actor, self.scope.store().backend());
            let mut lock = select::bare::<agent_session::Entity>(place);
            lock.expr(Expr::val(1))
                .and_where(place.is_any_of(agent_session::Column::Id, &ids))
                .order_by_expr(place.column(agent_session::Column::Id), Order::Asc);
            place.lock(&mut lock, LockType::NoKeyUpdate);
            self.transaction.query_all(&lock).await?;
        }
        let is = |table: &'static str, column: &'static str| Expr::col((table, column));
        let jobs = Query::select()
            .expr(Expr::cust("COUNT(*)"))
            .from(agent_job::Entity)
            .and_where(is("agent_jobs", "tenantId").eq(is("agent_sessions", "tenantId")))
            .and_where(is("agent_jobs", "sessionId").eq(is("agent_sessions", "id")))
            .and_where(is("agent_jobs", "status").is_in(["dispatched", "in_progress"]))
            .take();
        let backend = self.scope.store().backend();
        let is_one = select::is_any_of(is("agent_sessions", "id"), ids.into_iter(), backend);
        let update = Query::update()
            .table(agent_session::Entity)
            .value(
                agent_session::Column::ActiveJobs,
                Expr::from(SubQueryStatement::from(jobs)),
            )
            .and_where(is("agent_sessions", "tenantId").eq(self.tenant().as_str()))
            .and_where(is_one)
            .take();
        self.transaction.execute(&update).await?;
        Ok(())
    }
}
