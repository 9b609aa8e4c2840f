//! Plans: made, decided, replaced when they fail, and done when all of their tickets are.

mod create;
mod outcome;

pub(crate) use self::{
    create::{NewPlan, create_plan},
    outcome::{goes_on, ticket_done, ticket_failed},
};
pub(super) use self::{
    create::{chief_ticket, is_asked_for},
    outcome::{release_of_brief, supersede_of_brief, ticket_cancelled},
};

use self::outcome::{of_plan, release, replaced, tell_if_stuck};
use super::{
    brief, decider,
    decision::{Decided, Decision, Subject},
    notice, ticket,
};
use crate::{
    domain::machine::{ExecutionPlanStep, Step as _},
    error::Result,
    store::{Tx, digest},
};
use entity::{
    Id, Timestamp,
    approval::{ApprovalDecision, ApprovalSubject},
    execution_plan::{self, ExecutionPlanStatus},
    prd,
    tenant::RequiredApprovals,
};
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    Condition,
    sea_query::{Expr, ExprTrait},
};
use serde_json::json;

/// What of a plan is shown to who decides on it.
const SHOWN: [execution_plan::Column; 7] = {
    use execution_plan::Column::*;
    [
        PrdId,
        Attempt,
        ChannelSummary,
        Steps,
        GraphContentHash,
        EstimatedTokens,
        EstimatedCostMicros,
    ]
};

impl Decision for ExecutionPlanStep {
    const SUBJECT: ApprovalSubject = ApprovalSubject::Plan;
    const COUNTED: &'static str = "plan.approval_counted";

    fn decision(self) -> Option<ApprovalDecision> {
        match self {
            Self::Approve => Some(ApprovalDecision::Approved),
            Self::Reject => Some(ApprovalDecision::Rejected),
            Self::Redirect => Some(ApprovalDecision::Redirected),
            Self::Pause => Some(ApprovalDecision::Paused),
            Self::Resume => Some(ApprovalDecision::Resumed),
            Self::Cancel | Self::Replan | Self::Retry => None,
        }
    }

    async fn lock(self, tx: &Tx<'_>, id: &Id) -> Result<execution_plan::Model> {
        // Its brief is locked before it, whose pause holds it up too.
        if let Some(plan) = tx.find::<execution_plan::Entity>(id).await? {
            if self.rule().needs_open_project {
                brief::lock(tx, &plan.prd_id).await?;
            } else {
                tx.hold::<prd::Entity>(&plan.prd_id).await?;
            }
        }
        tx.get::<execution_plan::Entity>(id).await
    }

    fn is_done_once(self) -> bool {
        matches!(self, Self::Pause | Self::Resume | Self::Cancel)
    }

    fn subject(row: &execution_plan::Model) -> Subject<'_> {
        Subject {
            id: &row.id,
            project: &row.project_id,
            brief: Some(&row.prd_id),
            version: row.attempt,
        }
    }

    async fn digest(tx: &Tx<'_>, row: &execution_plan::Model) -> Result<String> {
        let whole = tx.whole::<execution_plan::Entity>(row).await?;
        Ok(digest::<execution_plan::Entity>(&whole, &SHOWN))
    }

    fn required(required: &RequiredApprovals) -> i32 {
        required.plan
    }

    fn changes(self, _: &execution_plan::Model, _: &Decided) -> execution_plan::ActiveModel {
        match self {
            Self::Pause | Self::Resume => execution_plan::ActiveModel::default(),
            _ => undue(),
        }
    }

    async fn follow(
        self,
        tx: &mut Tx<'_>,
        row: execution_plan::Model,
        decided: &Decided,
    ) -> Result<execution_plan::Model> {
        match self {
            Self::Approve | Self::Resume => {
                release(tx, &row).await?;
                tell_if_stuck(tx, &row).await?;
            }
            Self::Reject | Self::Cancel => {
                ticket::stop(tx, of_plan(&row)).await?;
            }
            Self::Redirect | Self::Replan => {
                replaced(tx, &row, json!({ "reason": decided.reason })).await?;
            }
            Self::Retry => {
                let next = json!({ "reason": decided.reason, "cycle": row.cycle + 1 });
                replaced(tx, &row, next).await?;
            }
            Self::Pause => ticket::hold(tx, of_plan(&row)).await?,
        }
        if !matches!(self, Self::Pause | Self::Resume) {
            notice::settle(tx, [&row.id]).await?;
        }
        Ok(row)
    }
}

/// It waits for no decision any more.
fn undue() -> execution_plan::ActiveModel {
    execution_plan::ActiveModel {
        approval_due_at: Set(None),
        approval_reminded_at: Set(None),
        ..Default::default()
    }
}

/// Which plans should have been decided by now, and nobody was told of it lately.
pub(crate) fn overdue(now: Timestamp) -> Condition {
    use execution_plan::Column::{ApprovalDueAt, ApprovalRemindedAt, PausedAt, Status};
    let waits = ExecutionPlanStatus::PendingApproval.to_value();
    decider::overdue([ApprovalDueAt, ApprovalRemindedAt, PausedAt], now)
        .add(Expr::col(Status).eq(waits))
}

/// Tells those who decide of a plan that they should have decided. Says whether there was need.
pub(crate) async fn escalate(tx: &mut Tx<'_>, id: &Id) -> Result<bool> {
    let settings = decider::settings(tx).await?;
    let plan = tx.get::<execution_plan::Entity>(id).await?;
    let times = [
        plan.approval_due_at,
        plan.approval_reminded_at,
        plan.paused_at,
    ];
    let waits = plan.status == ExecutionPlanStatus::PendingApproval;
    if !waits || !decider::is_overdue(times, tx.now()) {
        return Ok(false);
    }
    let changes = execution_plan::ActiveModel {
        approval_reminded_at: Set(Some(tx.now())),
        ..Default::default()
    };
    let plan = tx.update(&plan, changes, "plan.escalated").await?;
    notice::overdue_plan(tx, &settings, &plan).await?;
    Ok(true)
}
