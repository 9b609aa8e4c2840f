//! The next ticket for an agent: which one it is, and that nobody else gets it.

use super::Tx;
use crate::{
    error::{Error, Result},
    store::{
        row::Columns,
        select::{self, Place},
    },
};
use entity::{Id, Owned, agent_job, agent_session, ticket};
use sea_orm::{
    ConnectionTrait, DbBackend, FromQueryResult, Statement, Value,
    sea_query::{ArrayType, Expr, ExprTrait, LockType, Order, Query, SubQueryStatement},
};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, iter};

/// How often another ticket is looked for when the one that was found is taken meanwhile.
const TRIES: usize = 20;

/// What an agent can do.
#[derive(Clone, Debug)]
pub(crate) struct Sought {
    /// The roles that may take one more ticket.
    pub(crate) roles: Vec<String>,
    /// The repositories it has, for tickets that name one; none for tickets of any repository.
    pub(crate) repos: Option<Vec<String>>,
    /// The projects it may work in; nothing if in all.
    pub(crate) projects: Option<Vec<Id>>,
    /// The projects whose budget is used up.
    pub(crate) shut: Vec<Id>,
    /// Whether tickets that failed a moment ago wait.
    pub(crate) is_patient: bool,
}

impl Tx<'_> {
    /// Holds off all others of the workspace that queue up under this name, until the transaction ends.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn queue_up(&self, name: &str) -> Result<()> {
        self.wait_for(name, "pg_advisory_xact_lock").await
    }

    /// Holds off those of the workspace that [`queue_up`](Self::queue_up) under this name, and goes beside all others that do
    /// as this one.
    ///
    /// # Errors
    /// If the database fails.
    pub(in crate::store) async fn queue_up_beside(&self, name: &str) -> Result<()> {
        self.wait_for(name, "pg_advisory_xact_lock_shared").await
    }

    async fn wait_for(&self, name: &str, lock: &str) -> Result<()> {
        // SQLite has one writer at a time.
        if self.transaction.get_database_backend() == DbBackend::Postgres {
            let digest = Sha256::digest(format!("{}\n{name}", self.tenant()));
            let key = i64::from_be_bytes(std::array::from_fn(|byte| digest[byte]));
            // Not counted, as BEGIN is not: it asks nothing.
            self.transaction
                .session()
                .execute_unprepared(&format!("SELECT {lock}({key})"))
                .await?;
        }
        Ok(())
    }

    /// The ticket that is next, locked. The most urgent come first; among equals one of the project that has waited longest
    /// since it was served; of a project the oldest.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn next_ticket(&self, sought: &Sought) -> Result<Option<ticket::Model>> {
        for _ in 0..TRIES {
            if let Some(ticket) = self.found_ticket(sought, true).await? {
                return Ok(Some(ticket));
            }
            // Nothing, or it was taken while this waited for it.
            if self.found_ticket(sought, false).await?.is_none() {
                return Ok(None);
            }
        }
        Err(Error::Contended)
    }

    /// Whether there is a ticket for an agent that can do this.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn has_ticket(&self, sought: &Sought) -> Result<bool> {
        Ok(self.found_ticket(sought, false).await?.is_some())
    }

    async fn found_ticket(&self, sought: &Sought, lock: bool) -> Result<Option<ticket::Model>> {
        let found = self.transaction.query_one_raw(self.find_next(sought, lock));
        let found = found.await?;
        Ok(found
            .map(|row| ticket::Model::from_query_result(&row, ""))
            .transpose()?)
    }

    /// The statement. It reads one ticket of each project, role and repository, along an index that is in their order.
    fn find_next(&self, sought: &Sought, lock: bool) -> Statement {
        let backend = self.transaction.get_database_backend();
        let projects = sought.projects.as_ref();
        let projects = projects.map(|ids| ids.iter().map(Id::as_str));
        // A ticket that names no repository fits every agent.
        let repos = sought.repos.as_ref();
        let repos = repos.map(|repos| iter::once("").chain(repos.iter().map(String::as_str)));
        let roles = sought.roles.iter().map(String::as_str);
        let values = [
            self.tenant().as_str().into(),
            texts(backend, Some(roles)),
            texts(backend, projects),
            texts(backend, repos),
            match sought.is_patient {
                true => self.now.into(),
                false => Value::ChronoDateTimeUtc(None),
            },
            texts(backend, Some(sought.shut.iter().map(Id::as_str))),
        ];
        let columns = Columns::ordinary(ticket::Entity::shape());
        let columns = columns.read().iter();
        let columns: Vec<_> = columns
            .map(|column| format!("t.\"{}\"", column.name))
            .collect();
        let element = |number, alias| elements(backend, number, alias);
        let (kind, moment) = match backend {
            DbBackend::Sqlite => ("text", "$5"),
            _ => ("text[]", "CAST($5 AS timestamp with time zone)"),
        };
        let lock = match backend {
            DbBackend::Postgres if lock => " FOR UPDATE OF t",
            _ => "",
        };
        // Whether there is one at all does not depend on which is next.
        let (anywhere, each, order) = match sought.repos {
            Some(_) => (
                format!(" CROSS JOIN {}", element(4, "o")),
                " AND coalesce(f.\"targetRepo\", '') = o.value".to_owned(),
                " ORDER BY f.\"priority\" DESC, f.\"createdAt\", f.\"id\"",
            ),
            None => (
                String::new(),
                format!(" AND CAST($4 AS {kind}) IS NULL"),
                "",
            ),
        };
        let first = format!(
            r#"FROM tickets f
    WHERE f."tenantId" = $1 AND f."projectId" = p."id" AND f."roleSlug" = r.value AND f."status" = 'ready'{each}
      AND ({moment} IS NULL OR f."nextAttemptAt" IS NULL OR f."nextAttemptAt" <= {moment}){order} LIMIT 1"#
        );
        // PostgreSQL would read all tickets to join them by what a subquery says.
        let first = match backend {
            DbBackend::Sqlite => {
                format!(r#"JOIN tickets c ON c."id" = (SELECT f."id" {first})"#)
            }
            _ => format!(
                r#"CROSS JOIN LATERAL (SELECT f."id", f."priority", f."createdAt" {first}) c"#
            ),
        };
        let sql = format!(
            r#"SELECT {columns} FROM tickets t
WHERE t."tenantId" = $1 AND t."status" = 'ready' AND t."id" = (
  SELECT c."id" FROM projects p CROSS JOIN {roles}{anywhere} {first}
  WHERE p."tenantId" = $1 AND NOT p."isArchived"
    AND (CAST($3 AS {kind}) IS NULL OR p."id" IN (SELECT k.value FROM {projects}))
    AND p."id" NOT IN (SELECT s.value FROM {shut})
  ORDER BY c."priority" DESC,
    coalesce((SELECT max(j."dispatchedAt") FROM agent_jobs j WHERE j."tenantId" = $1 AND j."projectId" = p."id"), p."createdAt"),
    c."createdAt", c."id"
  LIMIT 1){lock}"#,
            columns = columns.join(", "),
            roles = element(2, "r"),
            projects = element(3, "k"),
            shut = element(6, "s"),
        );
        Statement::from_sql_and_values(backend, sql, values)
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
        self.uncounted.extend(session.cloned());
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
        let ids: Vec<&str> = sessions.iter().map(Id::as_str).collect();
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope.store().backend());
        let mut lock = select::bare::<agent_session::Entity>(place);
        lock.expr(Expr::val(1))
            .and_where(place.is_any_of(agent_session::Column::Id, &ids))
            .order_by_expr(place.column(agent_session::Column::Id), Order::Asc);
        place.lock(&mut lock, LockType::NoKeyUpdate);
        self.transaction.query_all(&lock).await?;
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

/// A list of texts as one bind; null when there is none.
fn texts<'k>(backend: DbBackend, texts: Option<impl Iterator<Item = &'k str>>) -> Value {
    match (backend, texts) {
        (DbBackend::Sqlite, Some(texts)) => select::json_list(texts),
        (DbBackend::Sqlite, None) => Value::String(None),
        (_, Some(texts)) => select::text_array(texts),
        (_, None) => Value::Array(ArrayType::String, None),
    }
}

/// The texts of such a list as rows with one `value`.
fn elements(backend: DbBackend, number: usize, alias: &str) -> String {
    match backend {
        DbBackend::Sqlite => format!("json_each(${number}) AS {alias}"),
        _ => format!("unnest(CAST(${number} AS text[])) AS {alias}(value)"),
    }
}
