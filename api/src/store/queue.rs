//! What waits for a decision, over three tables: briefs, plans and tickets in one list, the oldest first.

use super::{
    Scope,
    loaders::NUMBER,
    order::oldest_first,
    page::page_size,
    seal::ListSeal,
    select::{self, Place},
};
use crate::error::{Error, Result};
use async_graphql::Enum;
use entity::{
    Id, Owned, Timestamp,
    execution_plan::{self, ExecutionPlanStatus},
    prd::{self, PrdStatus},
    ticket::{self, TicketStatus, WaitingReason},
};
use sea_orm::{
    ActiveEnum, QueryResult, Value,
    sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement, UnionType},
};
use serde_json::json;

/// What a decision is asked about.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[graphql(name = "ApprovalQueueType")]
pub enum QueueKind {
    /// A brief that is pending approval.
    Brief,
    /// An execution plan that is pending approval.
    ExecutionPlan,
    /// A ticket whose result waits for approval.
    Ticket,
}

const ALL: [QueueKind; 3] = [
    QueueKind::Brief,
    QueueKind::ExecutionPlan,
    QueueKind::Ticket,
];

/// Something that waits for a decision.
#[derive(Clone, Debug)]
pub struct QueueEntry {
    /// What it is.
    pub kind: QueueKind,
    /// Its id.
    pub id: Id,
    /// Its title; a plan is called like its brief.
    pub title: String,
    /// The beginning of what it says.
    pub preview: String,
    /// How sure its author is of it; a plan's is not known.
    pub confidence: Option<f64>,
    /// Its project.
    pub project_id: Id,
    /// The meeting it goes back to.
    pub meeting_id: Option<Id>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A page of the queue, in its order.
#[derive(Clone, Debug, Default)]
pub struct QueueRows {
    /// The entries.
    pub entries: Vec<QueueEntry>,
    /// Whether there are more after the last one.
    pub has_next: bool,
}

/// The queue, narrowed and cut: decided once.
#[derive(Clone)]
pub struct Queue {
    seal: ListSeal,
    kinds: Vec<QueueKind>,
    project: Option<Id>,
    limit: u64,
    beyond: Option<Vec<Option<Value>>>,
}

impl Queue {
    /// The opaque cursor of an entry.
    pub fn cursor(&self, entry: &QueueEntry) -> String {
        let place = [json!(entry.created_at.to_string()), json!(entry.id)];
        self.seal.close(place.into())
    }

    /// Whether the page begins after a cursor.
    pub fn is_continued(&self) -> bool {
        self.beyond.is_some()
    }

    /// All that waits, from the cursor on when the page is asked for.
    fn select(
        &self,
        place: Place<'_>,
        beyond: Option<&[Option<Value>]>,
    ) -> Result<SelectStatement> {
        let mut parts = self.kinds.iter().map(|kind| match kind {
            QueueKind::Brief => self.briefs(place, beyond),
            QueueKind::ExecutionPlan => self.plans(place, beyond),
            QueueKind::Ticket => self.tickets(place, beyond),
        });
        let mut union = parts.next().ok_or_else(|| {
            Error::bad_input("types", "name at least one type, or leave it out")
        })??;
        for part in parts {
            union.union(UnionType::All, part?);
        }
        Ok(union)
    }

    fn briefs(
        &self,
        place: Place<'_>,
        beyond: Option<&[Option<Value>]>,
    ) -> Result<SelectStatement> {
        use prd::Column::{Confidence, MeetingId, ProjectId, Status, Summary, Title};
        let mut part = self.part::<prd::Entity>(place, QueueKind::Brief, ProjectId, beyond);
        part.expr_as(place.column(Title), "title")
            .expr_as(beginning(place.column(Summary)), "preview")
            .expr_as(place.column(Confidence), "confidence")
            .expr_as(place.column(MeetingId), "meetingId")
            .and_where(is(place.column(Status), PrdStatus::PendingApproval));
        Ok(part)
    }

    fn plans(&self, place: Place<'_>, beyond: Option<&[Option<Value>]>) -> Result<SelectStatement> {
        use execution_plan::Column::{ChannelSummary, PrdId, ProjectId, Status};
        let mut part =
            self.part::<execution_plan::Entity>(place, QueueKind::ExecutionPlan, ProjectId, beyond);
        let ours = execution_plan::Entity::column(PrdId);
        let of_brief = |column| place.value_of(prd::Entity::column(column), ours);
        part.expr_as(of_brief(prd::Column::Title)?, "title")
            .expr_as(beginning(place.column(ChannelSummary)), "preview")
            .expr_as(Expr::cust("NULL"), "confidence")
            .expr_as(of_brief(prd::Column::MeetingId)?, "meetingId")
            .and_where(is(
                place.column(Status),
                ExecutionPlanStatus::PendingApproval,
            ));
        Ok(part)
    }

    fn tickets(
        &self,
        place: Place<'_>,
        beyond: Option<&[Option<Value>]>,
    ) -> Result<SelectStatement> {
        use ticket::Column::{
            Confidence, Description, MeetingId, ProjectId, Status, Title, WaitingReason as Reason,
        };
        let mut part = self.part::<ticket::Entity>(place, QueueKind::Ticket, ProjectId, beyond);
        part.expr_as(place.column(Title), "title")
            .expr_as(beginning(place.column(Description)), "preview")
            .expr_as(place.column(Confidence), "confidence")
            .expr_as(place.column(MeetingId), "meetingId")
            .and_where(is(place.column(Status), TicketStatus::Waiting))
            .and_where(is(place.column(Reason), WaitingReason::Approval));
        Ok(part)
    }

    /// What is the same for all three tables.
    fn part<E: Owned>(
        &self,
        place: Place<'_>,
        kind: QueueKind,
        project: E::Column,
        beyond: Option<&[Option<Value>]>,
    ) -> SelectStatement {
        let mut part = select::bare::<E>(place);
        part.expr_as(Expr::cust(format!("'{kind:?}'")), "kind");
        let order = oldest_first(E::shape());
        for column in order.columns() {
            part.expr(place.named(column.name));
        }
        part.expr_as(place.column(project), "projectId");
        if let Some(id) = &self.project {
            part.and_where(place.column(project).eq(id.as_str()));
        }
        if let Some(values) = beyond {
            part.cond_where(order.beyond(place, values, false));
        }
        part
    }
}

impl Scope {
    /// Decides the queue: a project's or the whole tenant's, of these kinds or of all, and the page of it.
    ///
    /// # Errors
    /// When the size or the cursor cannot be accepted.
    pub fn queue(
        &self,
        project: Option<&Id>,
        kinds: Option<Vec<QueueKind>>,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<Queue> {
        let mut kinds = kinds.unwrap_or_else(|| ALL.into());
        kinds.sort_unstable();
        kinds.dedup();
        let of = project.map_or("", Id::as_str);
        let (tenant, role) = (self.actor().tenant(), self.actor().role());
        let seal = self.store().seal();
        let seal = seal.of(&format!("{tenant}|{role:?}|queue|{of}|{kinds:?}"));
        let beyond = after
            .map(|cursor| oldest_first(prd::Entity::shape()).parse(cursor, &seal))
            .transpose()?;
        Ok(Queue {
            seal,
            kinds,
            project: project.cloned(),
            limit: page_size("first", first)?,
            beyond,
        })
    }

    /// The entries of the queue's page.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn queue_page(&self, queue: &Queue) -> Result<QueueRows> {
        let view = self.view();
        let mut select = queue.select(view.place(), queue.beyond.as_deref())?;
        // One more than asked tells whether there are more.
        select
            .order_by("createdAt", Order::Asc)
            .order_by("id", Order::Asc)
            .limit(queue.limit + 1);
        let rows = view.snapshot.all(&select).await?;
        let limit = usize::try_from(queue.limit).unwrap_or(usize::MAX);
        let entries = rows.iter().take(limit).map(entry).collect::<Result<_>>()?;
        let has_next = rows.len() > limit;
        Ok(QueueRows { entries, has_next })
    }

    /// How many entries the queue has.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn queue_count(&self, queue: &Queue) -> Result<i64> {
        let view = self.view();
        let select = Query::select()
            .expr_as(Expr::cust("COUNT(*)"), NUMBER)
            .from_subquery(queue.select(view.place(), None)?, "queue")
            .take();
        view.number(&select).await
    }
}

fn entry(row: &QueryResult) -> Result<QueueEntry> {
    let kind: String = row.try_get("", "kind")?;
    let kind = ALL.into_iter().find(|known| format!("{known:?}") == kind);
    let title: Option<String> = row.try_get("", "title")?;
    Ok(QueueEntry {
        kind: kind.ok_or_else(|| Error::internal("the queue holds something unknown"))?,
        id: row.try_get("", "id")?,
        title: title.unwrap_or_default(),
        preview: row.try_get("", "preview")?,
        confidence: row.try_get("", "confidence")?,
        project_id: row.try_get("", "projectId")?,
        meeting_id: row.try_get("", "meetingId")?,
        created_at: row.try_get("", "createdAt")?,
    })
}

/// The first 280 characters of a text, cut in the database because the whole may be long.
fn beginning(text: Expr) -> Expr {
    let substr = Func::cust("substr").arg(text);
    substr.arg(Expr::cust("1")).arg(Expr::cust("280")).into()
}

fn is(column: Expr, word: impl ActiveEnum<Value = String>) -> Expr {
    column.eq(word.into_value())
}
