//! Tasks that the server does by itself: who holds which, and how each went.

use super::{Scope, Store};
use crate::error::Result;
use chrono::TimeDelta;
use entity::{
    Owned, Timestamp, agent_job_event, background_task as task, budget_reservation, idempotency_key,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QueryTrait,
    sea_query::{Expr, OnConflict, Query},
};

/// So many answers are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: u64 = 1000;

/// So long journals are kept.
const JOURNALS_KEPT: TimeDelta = TimeDelta::days(30);

/// So long it is kept what was set aside for calls.
const RESERVATIONS_KEPT: TimeDelta = TimeDelta::days(30);

impl Scope {
    /// Every task of the server, by its name.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn background_tasks(&self) -> Result<Vec<task::Model>> {
        let select = task::Entity::find().order_by_asc(task::Column::Name);
        let rows = self.view().snapshot.all(&select.into_query()).await?;
        { rows.iter() }
            .map(|row| Ok(task::Model::from_query_result(row, "")?))
            .collect()
    }
}

impl Store {
    /// Enters a task that is not known yet; it is due at once.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn enter_task(&self, name: &str) -> Result<()> {
        let row = task::ActiveModel {
            name: Set(name.to_owned()),
            next_at: Set(self.clock().now()),
            failures: Set(0),
            ..Default::default()
        };
        let known = OnConflict::column(task::Column::Name)
            .do_nothing()
            .to_owned();
        let transaction = self.system_transaction().await?;
        task::Entity::insert(row)
            .on_conflict(known)
            .exec_without_returning(&transaction)
            .await?;
        transaction.commit().await
    }

    /// Whether a task is due.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn is_due(&self, name: &str) -> Result<bool> {
        use task::Column::{Name, NextAt};
        let due = task::Entity::find()
            .filter(Name.eq(name))
            .filter(NextAt.lte(self.clock().now()))
            .into_query();
        Ok(!self.system().rows(&due).await?.is_empty())
    }

    /// Takes a task that is due and that no server holds. Says whether it was to be had.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn claim_task(&self, name: &str, by: &str, lease: TimeDelta) -> Result<bool> {
        use task::Column::{LockedBy, LockedUntil, Name, NextAt, StartedAt};
        let now = self.clock().now();
        let until = Timestamp::new(now.inner() + lease);
        let free = Condition::any()
            .add(LockedUntil.is_null())
            .add(LockedUntil.lte(now));
        let transaction = self.system_transaction().await?;
        let taken = task::Entity::update_many()
            .col_expr(LockedUntil, Expr::val(until))
            .col_expr(LockedBy, Expr::val(by))
            .col_expr(StartedAt, Expr::val(now))
            .filter(Name.eq(name))
            .filter(NextAt.lte(now))
            .filter(free)
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(taken.rows_affected == 1)
    }

    /// Gives a task back, with what came of it. One that another server took over meanwhile stays that one's.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn end_task(
        &self,
        name: &str,
        by: &str,
        next: TimeDelta,
        outcome: &Result<u64>,
    ) -> Result<()> {
        use task::Column::{EndedAt, Failures, LastError, LockedBy, LockedUntil, Name, NextAt};
        let now = self.clock().now();
        let failures = match outcome {
            Ok(_) => Expr::val(0),
            Err(_) => Expr::cust("\"failures\" + 1"),
        };
        // What the database said stays in the log.
        let error = outcome.as_ref().err().map(crate::Error::message);
        let transaction = self.system_transaction().await?;
        task::Entity::update_many()
            .col_expr(NextAt, Expr::val(Timestamp::new(now.inner() + next)))
            .col_expr(LockedUntil, Expr::val(None::<Timestamp>))
            .col_expr(LockedBy, Expr::val(None::<String>))
            .col_expr(EndedAt, Expr::val(now))
            .col_expr(Failures, failures)
            .col_expr(LastError, Expr::val(error))
            .filter(Name.eq(name))
            .filter(LockedBy.eq(by))
            .exec(&transaction)
            .await?;
        transaction.commit().await
    }

    /// Gives back the tasks that a server holds, which is about to end. They are due again at once.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn give_tasks_back(&self, by: &str) -> Result<()> {
        use task::Column::{LockedBy, LockedUntil};
        let transaction = self.system_transaction().await?;
        task::Entity::update_many()
            .col_expr(LockedUntil, Expr::val(None::<Timestamp>))
            .col_expr(LockedBy, Expr::val(None::<String>))
            .filter(LockedBy.eq(by))
            .exec(&transaction)
            .await?;
        transaction.commit().await
    }

    /// Forgets what daemons wrote into journals long ago. Returns how many entries those were.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn forget_journals(&self) -> Result<u64> {
        let before = Timestamp::new(self.clock().now().inner() - JOURNALS_KEPT);
        let old = agent_job_event::Column::CreatedAt.lt(before);
        // The rows are kept, but for who says what for they go.
        let door = door(self.backend(), "retention");
        self.forget::<agent_job_event::Entity>(&old, Some(door))
            .await
    }

    /// Forgets what was set aside for calls long ago. Returns how many times that was.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn forget_reservations(&self) -> Result<u64> {
        let before = Timestamp::new(self.clock().now().inner() - RESERVATIONS_KEPT);
        let old = budget_reservation::Column::SettledAt.lt(before);
        self.forget::<budget_reservation::Entity>(&old, None).await
    }

    /// Forgets the answers of requests that can no longer be repeated. Returns how many those were.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn forget_answers(&self) -> Result<u64> {
        let over = idempotency_key::Column::ExpiresAt.lte(self.clock().now());
        self.forget::<idempotency_key::Entity>(&over, None).await
    }

    /// Deletes the rows of all tenants that satisfy a condition, through a door that is opened and closed if they are kept.
    async fn forget<E: Owned>(&self, which: &Expr, door: Option<[String; 2]>) -> Result<u64> {
        let mut forgotten = 0;
        loop {
            // A few at a time, since others wait to write.
            let some = Query::select()
                .column(E::ID)
                .from(E::default())
                .and_where(which.clone())
                .limit(FORGOTTEN_AT_ONCE)
                .take();
            let transaction = self.system_transaction().await?;
            if let Some([open, _]) = &door {
                transaction.execute_unprepared(open).await?;
            }
            let gone = E::delete_many()
                .filter(E::ID.in_subquery(some))
                .exec(&transaction)
                .await?;
            if let Some([_, close]) = &door {
                transaction.execute_unprepared(close).await?;
            }
            transaction.commit().await?;
            forgotten += gone.rows_affected;
            if gone.rows_affected < FORGOTTEN_AT_ONCE {
                return Ok(forgotten);
            }
        }
    }
}

/// What opens a door to rows that are kept within a transaction, and what closes it: see the migration of append-only rows.
pub(super) fn door(backend: DbBackend, name: &str) -> [String; 2] {
    match backend {
        DbBackend::Sqlite => [
            format!("INSERT INTO open_doors (name) VALUES ('{name}')"),
            "DELETE FROM open_doors".to_owned(),
        ],
        _ => [
            format!("SET LOCAL \"workgraph.door\" = '{name}'"),
            "RESET \"workgraph.door\"".to_owned(),
        ],
    }
}
