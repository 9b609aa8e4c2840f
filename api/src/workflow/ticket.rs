//! Tickets: their results decided, and what their end means for others.

use super::{
    agent, brief, decider,
    decision::{Decided, Decision, Subject},
    notice, plan,
    references::{all_of, hold_roles, is_role, open_project},
};
use crate::{
    domain::{
        machine::{ClarificationConsequence, Step, TicketConsequence, TicketStep},
        signature::signature,
    },
    error::{Error, Result, named},
    store::{Place, Tx, digest},
};
use entity::{
    Id, Large,
    approval::{ApprovalDecision, ApprovalSubject},
    clarification_request::{self, ClarificationStatus},
    execution_plan::{self, ExecutionPlanStatus},
    prd::{self, PrdStatus},
    tenant::RequiredApprovals,
    ticket::{self, TicketStatus},
    ticket_dependency,
};
use sea_orm::{ActiveEnum, ActiveValue::Set, Condition, sea_query::ExprTrait};
use std::collections::BTreeMap;

/// How often a ticket is tried before it fails for good.
pub(super) const ATTEMPTS: i32 = 3;

/// What of a ticket is shown to who decides on its result.
const SHOWN: [ticket::Column; 3] = {
    use ticket::Column::*;
    [Title, Description, Result]
};

impl Decision for TicketStep {
    const SUBJECT: ApprovalSubject = ApprovalSubject::Ticket;
    const COUNTED: &'static str = "ticket.approval_counted";

    fn decision(self) -> Option<ApprovalDecision> {
        match self {
            Self::Approve => Some(ApprovalDecision::Approved),
            Self::Reject => Some(ApprovalDecision::Rejected),
            Self::Update | Self::Cancel | Self::Requeue | Self::Retry => None,
        }
    }

    async fn lock(self, tx: &Tx<'_>, id: &Id) -> Result<ticket::Model> {
        if self == Self::Retry {
            hold_roles(tx).await?;
        }
        if self.rule().needs_open_project
            && let Some(ticket) = tx.find::<ticket::Entity>(id).await?
        {
            open_project(tx, &ticket.project_id).await?;
        }
        if self == Self::Cancel {
            // Those who decide may have to be told, and who they are is locked first.
            decider::settings(tx).await?;
        }
        let locked = lock(tx, id).await?;
        if self == Self::Retry && locked.ticket.status == TicketStatus::Failed {
            may_be_retried(&locked.ticket, locked.brief.as_ref(), locked.plan.as_ref())?;
            must_have_role(tx, &locked.ticket).await?;
        }
        Ok(locked.ticket)
    }

    fn is_done_once(self) -> bool {
        self == Self::Cancel
    }

    fn subject(row: &ticket::Model) -> Subject<'_> {
        Subject {
            id: &row.id,
            project: &row.project_id,
            brief: row.prd_id.as_ref(),
            version: row.attempt_count,
        }
    }

    async fn digest(tx: &Tx<'_>, row: &ticket::Model) -> Result<String> {
        let whole = tx.whole::<ticket::Entity>(row).await?;
        Ok(digest::<ticket::Entity>(&whole, &SHOWN))
    }

    fn required(required: &RequiredApprovals) -> i32 {
        required.ticket
    }

    fn changes(self, row: &ticket::Model, decided: &Decided) -> ticket::ActiveModel {
        let ended = ticket::ActiveModel {
            completed_at: Set(Some(decided.at)),
            ..unclaimed()
        };
        match self {
            Self::Approve => ticket::ActiveModel {
                approved_by_id: Set(decided.user.clone()),
                approved_at: Set(Some(decided.at)),
                ..ended
            },
            Self::Reject => ticket::ActiveModel {
                error_signature: Set(decided.reason.as_deref().map(signature)),
                error: Set(decided.reason.clone()),
                ..ended
            },
            Self::Cancel => ended,
            Self::Update => ticket::ActiveModel::default(),
            Self::Requeue => ticket::ActiveModel {
                max_attempts: Set(row.attempt_count + ATTEMPTS),
                ..unclaimed()
            },
            Self::Retry => ticket::ActiveModel {
                error: Set(None),
                error_signature: Set(None),
                result: Set(Large(None)),
                completed_at: Set(None),
                // Attempts go on being counted: by their number each result is told from the one before.
                max_attempts: Set(row.attempt_count + ATTEMPTS),
                next_attempt_at: Set(None),
                ..unclaimed()
            },
        }
    }

    async fn follow(
        self,
        tx: &mut Tx<'_>,
        row: ticket::Model,
        _: &Decided,
    ) -> Result<ticket::Model> {
        match self {
            Self::Approve => plan::ticket_done(tx, &row).await?,
            Self::Reject => {
                // What is asked about it is settled before others are told that it failed.
                notice::settle(tx, [&row.id]).await?;
                plan::ticket_failed(tx, &row).await?;
                return Ok(row);
            }
            Self::Cancel => {
                let ended = std::slice::from_ref(&row);
                close_questions(tx, ended).await?;
                agent::drop_jobs(tx, ended).await?;
                plan::ticket_cancelled(tx, &row).await?;
            }
            Self::Update => return Ok(row),
            Self::Requeue => {
                agent::return_jobs(tx, &row).await?;
                return hold_if_paused(tx, row).await;
            }
            Self::Retry => {
                notice::settle(tx, [&row.id]).await?;
                return hold_if_paused(tx, row).await;
            }
        }
        notice::settle(tx, [&row.id]).await?;
        Ok(row)
    }
}

/// Refuses to have a ticket done again that nobody needs any more.
///
/// # Errors
/// [`Error::Conflict`].
pub(crate) fn may_be_retried(
    ticket: &ticket::Model,
    brief: Option<&prd::Model>,
    plan: Option<&execution_plan::Model>,
) -> Result<()> {
    if let Some(plan) = plan.filter(|plan| plan.status != ExecutionPlanStatus::Active) {
        return Err(Error::Conflict(format!(
            "Its plan is {}: only tickets of an active plan are done again.",
            named(plan.status)
        )));
    }
    let is_drafted = plan.is_none() && ticket.role_slug == brief::ANALYST;
    let is_needed = |brief: &&prd::Model| match brief.status {
        PrdStatus::Rejected | PrdStatus::Superseded => false,
        PrdStatus::PendingApproval | PrdStatus::Approved => !is_drafted,
        PrdStatus::Draft | PrdStatus::NeedsClarification => true,
    };
    match brief.filter(|brief| !is_needed(brief)) {
        Some(brief) => Err(Error::Conflict(format!(
            "Its brief is {}: nobody needs it any more.",
            named(brief.status)
        ))),
        None => Ok(()),
    }
}

/// Refuses to have a ticket done again whose role is gone: no agent could claim it.
async fn must_have_role(tx: &Tx<'_>, ticket: &ticket::Model) -> Result<()> {
    match is_role(tx, &ticket.role_slug).await? {
        true => Ok(()),
        false => Err(Error::Conflict(format!(
            "Its role `{}` is gone, so nobody could do it. Make that role again, or create another ticket.",
            ticket.role_slug
        ))),
    }
}

/// Whether a ticket asks for its brief to be drafted.
pub(super) fn is_for_analyst(ticket: &ticket::Model) -> bool {
    ticket.role_slug == brief::ANALYST && ticket.prd_id.is_some() && ticket.plan_id.is_none()
}

/// A ticket, and what it is for.
pub(super) struct Locked {
    pub(super) ticket: ticket::Model,
    brief: Option<prd::Model>,
    plan: Option<execution_plan::Model>,
}

/// A ticket, locked after its brief and its plan.
pub(super) async fn lock(tx: &Tx<'_>, id: &Id) -> Result<Locked> {
    let found = tx.find::<ticket::Entity>(id).await?;
    let brief = match found.as_ref().and_then(|ticket| ticket.prd_id.as_ref()) {
        Some(brief) => Some(tx.hold::<prd::Entity>(brief).await?),
        None => None,
    };
    let plan = match found.as_ref().and_then(|ticket| ticket.plan_id.as_ref()) {
        Some(plan) => Some(tx.get::<execution_plan::Entity>(plan).await?),
        None => None,
    };
    Ok(Locked {
        ticket: tx.get::<ticket::Entity>(id).await?,
        brief,
        plan,
    })
}

/// The status of a new ticket of a brief that waits for nothing else.
pub(super) fn free(brief: &prd::Model) -> TicketStatus {
    match brief.paused_at {
        Some(_) => TicketStatus::Blocked,
        None => TicketStatus::Ready,
    }
}

/// The tickets of a brief.
pub(super) fn of(brief: &Id) -> impl Fn(Place<'_>) -> Condition + use<> {
    let id = brief.clone();
    move |place| all_of(place.column(ticket::Column::PrdId).eq(id.as_str()))
}

/// The tickets of a brief that belong to no plan.
fn loose(brief: &Id) -> impl Fn(Place<'_>) -> Condition + use<> {
    let of_brief = of(brief);
    move |place| of_brief(place).add(place.column(ticket::Column::PlanId).is_null())
}

/// Those of them that this role is asked to do.
pub(crate) fn loose_for(brief: &Id, role: &'static str) -> impl Fn(Place<'_>) -> Condition + use<> {
    let loose = loose(brief);
    move |place| loose(place).add(place.column(ticket::Column::RoleSlug).eq(role))
}

/// Tickets in the order that their plan has them in, so that people read of them in that order.
pub(super) fn in_order(mut tickets: Vec<ticket::Model>) -> Vec<ticket::Model> {
    tickets.sort_by_key(|ticket| ticket.step_index);
    tickets
}

/// Holds back those of these tickets that nobody works on yet.
pub(super) async fn hold(tx: &mut Tx<'_>, which: impl Fn(Place<'_>) -> Condition) -> Result<()> {
    let nothing = ticket::ActiveModel::default();
    take_open(tx, TicketConsequence::Hold, nothing, which)
        .await
        .map(drop)
}

/// Hands out those of these tickets that wait for no other.
pub(super) async fn release(tx: &mut Tx<'_>, which: impl Fn(Place<'_>) -> Condition) -> Result<()> {
    let nothing = ticket::ActiveModel::default();
    let free = |place: Place<'_>| {
        which(place).add(place.column(ticket::Column::OpenDependencyCount).eq(0))
    };
    take_open(tx, TicketConsequence::Release, nothing, free)
        .await
        .map(drop)
}

/// Holds a ticket back that became ready while its brief or its plan is paused. Returns it as it is then.
pub(super) async fn hold_if_paused(
    tx: &mut Tx<'_>,
    ticket: ticket::Model,
) -> Result<ticket::Model> {
    let brief = match &ticket.prd_id {
        Some(brief) => tx.hold::<prd::Entity>(brief).await?.paused_at,
        None => None,
    };
    let plan = match &ticket.plan_id {
        Some(plan) => tx.get::<execution_plan::Entity>(plan).await?.paused_at,
        None => None,
    };
    if brief.or(plan).is_none() {
        return Ok(ticket);
    }
    let nothing = ticket::ActiveModel::default();
    tx.take(&ticket, TicketConsequence::Hold, nothing).await
}

/// Hands out those tickets of a brief that belong to no plan and were held back.
pub(super) async fn release_loose(tx: &mut Tx<'_>, brief: &prd::Model) -> Result<()> {
    release(tx, loose(&brief.id)).await
}

/// Closes what was asked while working on tickets that are dropped.
async fn close_questions(tx: &mut Tx<'_>, tickets: &[ticket::Model]) -> Result<()> {
    use clarification_request::Column::{Status, TicketId};
    if tickets.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = tickets.iter().map(|ticket| ticket.id.as_str()).collect();
    let open = tx
        .rows::<clarification_request::Entity>(|place| {
            let pending = ClarificationStatus::Pending.to_value();
            all_of(place.is_any_of(TicketId, &ids)).add(place.column(Status).eq(pending))
        })
        .await?;
    notice::settle(tx, open.iter().map(|question| &question.id)).await?;
    let nothing = clarification_request::ActiveModel::default();
    let closed = tx
        .take_each(&open, ClarificationConsequence::Expire, nothing)
        .await?;
    // They are of one brief, or it is one ticket.
    if let Some(ticket) = tickets.first() {
        tx.belong_to(closed.len(), &ticket.project_id, ticket.prd_id.as_ref());
    }
    Ok(())
}

/// What a new ticket of a brief is told about where it belongs.
pub(super) fn of_brief(tx: &Tx<'_>, brief: &prd::Model) -> ticket::ActiveModel {
    ticket::ActiveModel {
        project_id: Set(brief.project_id.clone()),
        goal_id: Set(brief.goal_id.clone()),
        meeting_id: Set(brief.meeting_id.clone()),
        prd_id: Set(Some(brief.id.clone())),
        target_repo: Set(brief.target_repo.clone()),
        created_by: Set(tx.actor()),
        ..Default::default()
    }
}

/// A title for work on something, within the length of titles.
pub(super) fn title(work: &str, of: &str) -> String {
    format!("{work}: {of}").chars().take(200).collect()
}

/// Nobody holds it any more, and it waits for nothing.
pub(super) fn unclaimed() -> ticket::ActiveModel {
    ticket::ActiveModel {
        waiting_reason: Set(None),
        claimed_by_token_id: Set(None),
        claimed_by: Set(None),
        claimed_at: Set(None),
        lease_expires_at: Set(None),
        heartbeat_at: Set(None),
        ..Default::default()
    }
}

/// Drops those of these tickets that are open, because something took their place.
pub(super) async fn supersede(
    tx: &mut Tx<'_>,
    which: impl Fn(Place<'_>) -> Condition,
) -> Result<()> {
    end(tx, TicketConsequence::Supersede, which).await
}

/// Drops those of these tickets that are open, because nobody wants them any more.
pub(super) async fn stop(tx: &mut Tx<'_>, which: impl Fn(Place<'_>) -> Condition) -> Result<()> {
    end(tx, TicketConsequence::Stop, which).await
}

async fn end(
    tx: &mut Tx<'_>,
    step: TicketConsequence,
    which: impl Fn(Place<'_>) -> Condition,
) -> Result<()> {
    let ended = ticket::ActiveModel {
        completed_at: Set(Some(tx.now())),
        ..unclaimed()
    };
    let dropped = take_open(tx, step, ended, which).await?;
    agent::drop_jobs(tx, &dropped).await?;
    // Nobody need approve what came of them.
    notice::settle(tx, dropped.iter().map(|ticket| &ticket.id)).await?;
    close_questions(tx, &dropped).await
}

/// Takes a step with those of these tickets that can take it.
async fn take_open(
    tx: &mut Tx<'_>,
    step: TicketConsequence,
    changes: ticket::ActiveModel,
    which: impl Fn(Place<'_>) -> Condition,
) -> Result<Vec<ticket::Model>> {
    let from = step.rule().from.iter().map(ActiveEnum::to_value);
    let open = tx
        .rows::<ticket::Entity>(|place| {
            which(place).add(place.column(ticket::Column::Status).is_in(from))
        })
        .await?;
    tx.take_each(&in_order(open), step, changes).await
}

/// Counts a ticket that is done off those that wait for it.
pub(super) async fn unblock_dependents(tx: &mut Tx<'_>, done: &ticket::Model) -> Result<()> {
    use ticket_dependency::Column::DependsOnTicketId;
    let of = tx
        .unlocked_rows::<ticket_dependency::Entity>(|place| {
            all_of(place.column(DependsOnTicketId).eq(done.id.as_str()))
        })
        .await?;
    if of.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = of.iter().map(|edge| edge.ticket_id.as_str()).collect();
    let dependents = tx
        .rows::<ticket::Entity>(|place| all_of(place.is_any_of(ticket::Column::Id, &ids)))
        .await?;
    // Those that wait for as many become the same.
    let mut waiting: BTreeMap<i32, Vec<ticket::Model>> = BTreeMap::new();
    for dependent in in_order(dependents) {
        let open = dependent.open_dependency_count;
        waiting.entry(open).or_default().push(dependent);
    }
    for (open, dependents) in waiting {
        let changes = ticket::ActiveModel {
            open_dependency_count: Set(Ord::max(open - 1, 0)),
            ..Default::default()
        };
        tx.update_each::<ticket::Entity, _>(&dependents, changes, "ticket.dependency_done")
            .await?;
    }
    Ok(())
}
