//! The next ticket for an agent, and whether there is one.
//!
//! The statement reads one ticket for each project, role and repository, along an index that is in their order: neither how
//! many tickets are ready nor how many stand in front that the agent cannot have is of account. How it is written matters on
//! PostgreSQL: behind row-level security an index is used only for what is known to tell nothing of a row. `CASE` is,
//! `coalesce` is not. `tests/plans.rs` keeps the plans.

use super::Tx;
use crate::{
    error::{Error, Result},
    store::{row::Columns, select},
};
use entity::{Column, Id, Owned, ticket};
use sea_orm::{
    ConnectionTrait, DbBackend, FromQueryResult, Statement, Value, sea_query::ArrayType,
};
use std::iter;

/// How often another ticket is looked for when the one that was found is taken meanwhile.
const TRIES: usize = 20;

/// What PostgreSQL is told before, until the transaction ends. It would plan each claim anew, which takes as long as the rest of
/// it, to know how long the lists are. And it takes the wall between workspaces for a condition that hardly a row fulfils, so that
/// reading all of a project's jobs would look as cheap to it as reading the last one.
#[doc(hidden)]
pub const PLANNED_ONCE: &str =
    "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_bitmapscan = off";

/// What an agent is given of its ticket that ordinary reads leave out.
const GIVEN: [ticket::Column; 2] = [ticket::Column::Description, ticket::Column::Payload];

/// The repository of a ticket as `tickets_next_idx` has it: none is empty, and fits every agent.
const REPOSITORY: &str = r#"CASE WHEN f."targetRepo" IS NULL THEN '' ELSE f."targetRepo" END"#;

/// When a project was served last.
const SERVED: &str = r#"coalesce(
    (SELECT j."dispatchedAt" FROM agent_jobs j
      WHERE j."tenantId" = $1 AND j."projectId" = p."id" AND j."dispatchedAt" IS NOT NULL
      ORDER BY j."dispatchedAt" DESC LIMIT 1),
    p."createdAt"
  )"#;

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
    /// The ticket that is next, locked, with what its agent is given of it. The most urgent come first; among equals one of the
    /// project that has waited longest since it was served; of a project the oldest.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn next_ticket(&self, sought: &Sought) -> Result<Option<ticket::Model>> {
        for _ in 0..TRIES {
            let find = next_ticket_sql(self.transaction.get_database_backend());
            if let Some(found) = self
                .transaction
                .query_one_raw(self.asked(find, sought))
                .await?
            {
                return Ok(Some(ticket::Model::from_query_result(&found, "")?));
            }
            // Nothing, or it was taken while this waited for it.
            if !self.has_ticket(sought).await? {
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
        let backend = self.transaction.get_database_backend();
        let find = any(backend, sought.repos.is_some(), sought.is_patient);
        let found = self.transaction.query_one_raw(self.asked(find, sought));
        Ok(found.await?.is_some())
    }

    /// Whether there is a ticket for it that waits for no other and is held back all the same.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn has_held_ticket(&self, sought: &Sought) -> Result<bool> {
        let find = held(self.transaction.get_database_backend());
        let found = self.transaction.query_one_raw(self.asked(find, sought));
        Ok(found.await?.is_some())
    }

    fn asked(&self, sql: String, sought: &Sought) -> Statement {
        let backend = self.transaction.get_database_backend();
        let projects = sought.projects.as_ref();
        let projects = projects.map(|ids| ids.iter().map(Id::as_str));
        let repos = sought.repos.as_ref();
        let repos = repos.map(|repos| iter::once("").chain(repos.iter().map(String::as_str)));
        let roles = sought.roles.iter().map(String::as_str);
        let values = [
            self.tenant().as_str().into(),
            texts(backend, Some(roles)),
            texts(backend, projects),
            texts(backend, repos),
            self.now.into(),
            texts(backend, Some(sought.shut.iter().map(Id::as_str))),
        ];
        Statement::from_sql_and_values(backend, sql, values)
    }
}

/// The statement that finds the next ticket and locks it. Its binds, here and below: the tenant, the roles, the projects (null
/// for all), the repositories, the moment, and the projects that are shut. For those who look at its plan.
#[doc(hidden)]
pub fn next_ticket_sql(backend: DbBackend) -> String {
    let columns = Columns::ordinary(ticket::Entity::shape());
    let given = GIVEN.map(ticket::Entity::column);
    let columns = columns.read().iter().copied().chain(given);
    let columns: Vec<_> = columns
        .map(|column: &Column| format!("t.\"{}\"", column.name))
        .collect();
    let lock = match backend {
        DbBackend::Postgres => "\nFOR UPDATE OF t",
        _ => "",
    };
    format!(
        r#"{places}
SELECT {columns} FROM tickets t
WHERE t."tenantId" = $1 AND t."status" = 'ready' AND t."id" = (
  SELECT n."id" FROM (
{candidates}
  ) n ORDER BY n."priority" DESC, n."served", n."createdAt", n."id" LIMIT 1
){lock}"#,
        places = places(backend, true, true, SERVED),
        columns = columns.join(", "),
        candidates = candidates(backend, true),
    )
}

/// The statement that finds out whether there is a ticket, in one of the repositories or anywhere.
fn any(backend: DbBackend, in_repos: bool, is_patient: bool) -> String {
    format!(
        "{places}\nSELECT 1 AS \"one\" FROM (\n{candidates}\n  ) n LIMIT 1",
        places = places(backend, in_repos, is_patient, "NULL"),
        candidates = candidates(backend, in_repos),
    )
}

/// The projects that are open, with when each was served last where that counts; and the tickets that failed and are to be tried again by now,
/// or that wait for that, of which there are few: a moment later a part of the server makes them like any other.
fn places(backend: DbBackend, in_repos: bool, is_patient: bool, served: &str) -> String {
    let is_in = match in_repos {
        true => format!(" AND {}", is_one_of(backend, REPOSITORY, 4)),
        false => String::new(),
    };
    let when = match is_patient {
        true => r#"f."nextAttemptAt" <= $5"#,
        false => r#"f."nextAttemptAt" IS NOT NULL"#,
    };
    let list = match backend {
        DbBackend::Sqlite => "text",
        _ => "text[]",
    };
    format!(
        r#"WITH "open" AS MATERIALIZED (
  SELECT p."id", {served} AS "served"
  FROM projects p
  WHERE p."tenantId" = $1 AND NOT p."isArchived" AND NOT {is_shut} AND (CAST($3 AS {list}) IS NULL OR {is_allowed})
), "due" AS MATERIALIZED (
  SELECT f."id", f."projectId", f."priority", f."createdAt" FROM tickets f
  WHERE f."tenantId" = $1 AND f."status" = 'ready' AND {when} AND {is_of_role}{is_in}
)"#,
        is_shut = is_one_of(backend, r#"p."id""#, 6),
        is_allowed = is_one_of(backend, r#"p."id""#, 3),
        is_of_role = is_one_of(backend, r#"f."roleSlug""#, 2),
    )
}

/// The first ticket of each project, role and repository, if there are any of that project and role at all; and those that are
/// due. Where the repository is of no account, one of each project and role.
fn candidates(backend: DbBackend, in_repos: bool) -> String {
    let columns = match backend {
        DbBackend::Sqlite => r#"f."id""#,
        _ => r#"f."id", f."priority", f."createdAt""#,
    };
    let ready = format!(
        r#"SELECT {columns} FROM tickets f
      WHERE f."tenantId" = $1 AND f."projectId" = p."id" AND f."roleSlug" = r.value AND f."status" = 'ready'
        AND f."nextAttemptAt" IS NULL"#
    );
    let first = format!(
        r#"{ready} AND {REPOSITORY} = o.value
      ORDER BY f."priority" DESC, f."createdAt", f."id" LIMIT 1"#
    );
    let (roles, repos) = (elements(backend, 2, "r"), elements(backend, 4, "o"));
    // SQLite has no LATERAL, and PostgreSQL would read all tickets to join them by what a subquery says.
    let from = match (backend, in_repos) {
        (DbBackend::Sqlite, true) => format!(
            "{roles} CROSS JOIN {repos} JOIN tickets c ON c.\"id\" = (\n    {first}\n    ) WHERE EXISTS ({ready})"
        ),
        (DbBackend::Sqlite, false) => {
            format!("{roles} JOIN tickets c ON c.\"id\" = (\n    {ready} LIMIT 1\n    )")
        }
        (_, true) => format!(
            "{roles} CROSS JOIN LATERAL (\n    {ready} LIMIT 1\n    ) e CROSS JOIN {repos} CROSS JOIN LATERAL (\n    {first}\n    ) c"
        ),
        (_, false) => format!("{roles} CROSS JOIN LATERAL (\n    {ready} LIMIT 1\n    ) c"),
    };
    format!(
        r#"    SELECT c."id", c."priority", c."createdAt", p."served" FROM "open" p CROSS JOIN {from}
    UNION ALL
    SELECT d."id", d."priority", d."createdAt", p."served" FROM "due" d JOIN "open" p ON p."id" = d."projectId""#
    )
}

/// The statement that finds out whether something is held back.
fn held(backend: DbBackend) -> String {
    let list = match backend {
        DbBackend::Sqlite => "text",
        _ => "text[]",
    };
    format!(
        r#"SELECT 1 AS "one" FROM tickets f
WHERE f."tenantId" = $1 AND f."status" = 'blocked' AND f."openDependencyCount" = 0 AND {is_of_role}
  AND (CAST($3 AS {list}) IS NULL OR {is_allowed})
LIMIT 1"#,
        is_of_role = is_one_of(backend, r#"f."roleSlug""#, 2),
        is_allowed = is_one_of(backend, r#"f."projectId""#, 3),
    )
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
fn elements(backend: DbBackend, bind: usize, alias: &str) -> String {
    match backend {
        DbBackend::Sqlite => format!("json_each(${bind}) AS {alias}"),
        _ => format!("unnest(CAST(${bind} AS text[])) AS {alias}(value)"),
    }
}

/// "This is one of the texts of such a list."
fn is_one_of(backend: DbBackend, expression: &str, bind: usize) -> String {
    match backend {
        DbBackend::Sqlite => {
            format!("{expression} IN (SELECT k.value FROM json_each(${bind}) AS k)")
        }
        _ => format!("{expression} = ANY(CAST(${bind} AS text[]))"),
    }
}
