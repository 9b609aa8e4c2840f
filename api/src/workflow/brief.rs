//! Briefs: handed in, decided, drafted anew, revised and deleted.

mod delete;
mod draft;
mod revise;
mod symbols;

pub(super) use self::draft::{drafted, redraft};
pub(crate) use self::{
    delete::delete_brief,
    revise::revise,
    symbols::{link_symbol, unlink_symbol},
};

use self::draft::{draft_anew, drafting_ends};
use super::{
    decider,
    decision::{Decided, Decision, Subject},
    notice, plan,
    references::open_project,
    rule, ticket,
};
use crate::{
    domain::machine::{PRDConsequence, PRDStep, Step as _},
    error::{Error, Result, named},
    store::{Tx, digest},
};
use entity::{
    Id, Owned as _, Reading, Timestamp,
    approval::{ApprovalDecision, ApprovalSubject},
    prd::{self, PrdStatus},
    tenant::RequiredApprovals,
};
use sea_orm::{
    ActiveEnum,
    ActiveValue::{NotSet, Set},
    Condition,
    sea_query::{Expr, ExprTrait},
};
use serde_json::json;

/// The role that drafts briefs.
pub(crate) const ANALYST: &str = "ba_agent";

/// What of a brief is shown to who decides on it.
pub(super) const SHOWN: [prd::Column; 20] = {
    use prd::Column::*;
    [
        Title,
        Summary,
        GoalText,
        TargetUsers,
        SuccessMetrics,
        Scope,
        NonScope,
        OpenQuestions,
        Objectives,
        Requirements,
        AcceptanceCriteria,
        OutOfScope,
        Assumptions,
        Risks,
        ArchitectureOptions,
        ArchitectureDesign,
        SelectedArchitecture,
        Timeline,
        TargetRepo,
        Confidence,
    ]
};

impl Decision for PRDStep {
    const SUBJECT: ApprovalSubject = ApprovalSubject::Brief;
    const COUNTED: &'static str = "brief.approval_counted";

    fn decision(self) -> Option<ApprovalDecision> {
        match self {
            Self::Approve => Some(ApprovalDecision::Approved),
            Self::Reject => Some(ApprovalDecision::Rejected),
            Self::Redirect => Some(ApprovalDecision::Redirected),
            Self::Pause => Some(ApprovalDecision::Paused),
            Self::Resume => Some(ApprovalDecision::Resumed),
            Self::Update
            | Self::Ask
            | Self::Submit
            | Self::Regenerate
            | Self::Revise
            | Self::Delete => None,
        }
    }

    async fn lock(self, tx: &Tx<'_>, id: &Id) -> Result<prd::Model> {
        if !self.rule().needs_open_project {
            return tx.get::<prd::Entity>(id).await;
        }
        let brief = lock(tx, id).await?;
        if self == Self::Approve && brief.status != PrdStatus::Approved {
            must_have_a_place(tx, &brief).await?;
        }
        Ok(brief)
    }

    fn is_done_once(self) -> bool {
        matches!(self, Self::Pause | Self::Resume)
    }

    fn may_be_counted(row: &prd::Model, required: i32) -> Result<()> {
        if row.status == PrdStatus::PendingApproval {
            return Ok(());
        }
        Err(Error::Conflict(format!(
            "{required} people must approve it, and nobody was asked to. Hand it in first, by submitPrd."
        )))
    }

    fn subject(row: &prd::Model) -> Subject<'_> {
        Subject {
            id: &row.id,
            project: &row.project_id,
            brief: Some(&row.id),
            version: row.version,
        }
    }

    async fn digest(tx: &Tx<'_>, row: &prd::Model) -> Result<String> {
        let whole = tx.whole::<prd::Entity>(row).await?;
        Ok(digest::<prd::Entity>(&whole, &SHOWN))
    }

    fn required(required: &RequiredApprovals) -> i32 {
        required.brief
    }

    fn changes(self, row: &prd::Model, decided: &Decided) -> prd::ActiveModel {
        let mut changes = prd::ActiveModel::default();
        if matches!(self, Self::Approve | Self::Reject | Self::Redirect) {
            changes.decided_by_id = Set(decided.user.clone());
            changes.decided_at = Set(Some(decided.at));
        }
        if !matches!(self, Self::Pause | Self::Resume) {
            changes.approval_due_at = Set(None);
            changes.approval_reminded_at = Set(None);
        }
        if matches!(self, Self::Redirect | Self::Regenerate) {
            changes.version = Set(row.version + 1);
        }
        changes
    }

    async fn follow(
        self,
        tx: &mut Tx<'_>,
        row: prd::Model,
        decided: &Decided,
    ) -> Result<prd::Model> {
        match self {
            Self::Approve => {
                drafting_ends(tx, &row).await?;
                if let Some(revised) = &row.supersedes_id {
                    supersede(tx, revised).await?;
                }
                plan::chief_ticket(tx, &row).await?;
            }
            Self::Reject => drafting_ends(tx, &row).await?,
            Self::Redirect | Self::Regenerate => {
                let why = json!({ named(self).to_lowercase(): decided.reason });
                draft_anew(tx, &row, why).await?;
            }
            Self::Pause => ticket::hold(tx, ticket::of(&row.id)).await?,
            Self::Resume => {
                ticket::release_loose(tx, &row).await?;
                plan::release_of_brief(tx, &row).await?;
            }
            Self::Update | Self::Ask | Self::Submit | Self::Revise | Self::Delete => {}
        }
        if matches!(self, Self::Approve | Self::Reject | Self::Redirect) {
            notice::tell_author(tx, &row, decided.reason.as_deref()).await?;
        }
        if !matches!(self, Self::Pause | Self::Resume) {
            notice::settle(tx, [&row.id]).await?;
        }
        Ok(row)
    }
}

/// A brief for which work is about to begin, locked after its project, which is open.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Conflict`] when the project is archived.
pub(super) async fn lock(tx: &Tx<'_>, id: &Id) -> Result<prd::Model> {
    if let Some(brief) = tx.find::<prd::Entity>(id).await? {
        open_project(tx, &brief.project_id).await?;
    }
    tx.get::<prd::Entity>(id).await
}

/// Hands a brief in. A rule of the workspace may approve it at once; else those who decide are told.
///
/// # Errors
/// As a step, and [`Error::Conflict`] when it is at another version than was seen.
pub(crate) async fn submit(tx: &mut Tx<'_>, id: &Id, version: i32) -> Result<prd::Model> {
    submit_unless(tx, id, version, false).await
}

/// The same, which no rule approves where a person must read it.
async fn submit_unless(
    tx: &mut Tx<'_>,
    id: &Id,
    version: i32,
    must_be_read: bool,
) -> Result<prd::Model> {
    let settings = decider::settings(tx).await?;
    let before = lock(tx, id).await?;
    must_be_at(&before, version)?;
    if before.status == PrdStatus::PendingApproval {
        // It was handed in as it is.
        return Ok(before);
    }
    must_have_a_place(tx, &before).await?;
    let changes = prd::ActiveModel {
        approval_due_at: Set(decider::due(tx, &settings)),
        ..Default::default()
    };
    let row = tx.take(&before, PRDStep::Submit, changes).await?;
    drafting_ends(tx, &row).await?;
    match rule::for_brief(&settings, &row).filter(|_| !must_be_read) {
        Some(rule) => rule::decide(tx, PRDStep::Approve, row, rule).await,
        None => {
            notice::ask_to_decide(tx, &settings, &row).await?;
            Ok(row)
        }
    }
}

/// Changes what a brief says, and counts its version up if that is another thing: then those who decide are asked anew.
///
/// # Errors
/// As a step, and [`Error::Conflict`] when it is at another version than was seen.
pub(crate) async fn edit(
    tx: &mut Tx<'_>,
    id: &Id,
    version: i32,
    changes: prd::ActiveModel,
) -> Result<prd::Model> {
    let settings = decider::settings(tx).await?;
    let before = tx.get::<prd::Entity>(id).await?;
    must_be_at(&before, version)?;
    let is_otherwise = says_otherwise(&before, &changes);
    let changes = prd::ActiveModel {
        version: Set(before.version + 1),
        // How sure a model was of other words says nothing of these.
        confidence: match is_otherwise {
            true => Set(0.0),
            false => NotSet,
        },
        ..changes
    };
    let row = tx.edit(&before, PRDStep::Update, changes).await?;
    if row.status == PrdStatus::PendingApproval && row.version != before.version {
        // Who approved it as it was is asked about it as it is.
        notice::settle(tx, [&row.id]).await?;
        notice::ask_to_decide(tx, &settings, &row).await?;
    }
    Ok(row)
}

/// Whether changes are of what is shown to who decides. Large columns are not read for that: they were given to be changed.
fn says_otherwise(before: &prd::Model, changes: &prd::ActiveModel) -> bool {
    SHOWN.iter().any(|column| {
        let is_large = prd::Entity::column(*column).reading == Reading::Large;
        is_another(before, changes, *column, is_large)
    })
}

/// The same of a brief that was read whole.
fn differs(whole: &prd::Model, changes: &prd::ActiveModel) -> bool {
    { SHOWN.iter() }.any(|column| is_another(whole, changes, *column, false))
}

fn is_another(
    before: &prd::Model,
    changes: &prd::ActiveModel,
    column: prd::Column,
    is_unread: bool,
) -> bool {
    use sea_orm::{ActiveModelTrait, ActiveValue, ModelTrait};
    match changes.get(column) {
        ActiveValue::Set(value) => is_unread || value != before.get(column),
        _ => false,
    }
}

/// Refuses another version of a brief than the present one.
///
/// # Errors
/// [`Error::Conflict`].
fn must_be_at(brief: &prd::Model, version: i32) -> Result<()> {
    if brief.version == version {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "This brief is at version {} by now. Read it again.",
        brief.version
    )))
}

/// Refuses to put another brief in the place of one that has none any more.
///
/// # Errors
/// [`Error::Conflict`].
pub(crate) fn may_be_replaced(revised: &prd::Model) -> Result<()> {
    match revised.status {
        PrdStatus::Approved => Ok(()),
        status => Err(Error::Conflict(format!(
            "The brief that this one revises is {} by now. Revise the one that took its place.",
            named(status)
        ))),
    }
}

/// The same, of what a brief revises, before people are asked about it in vain.
async fn must_have_a_place(tx: &Tx<'_>, brief: &prd::Model) -> Result<()> {
    let Some(revised) = &brief.supersedes_id else {
        return Ok(());
    };
    match tx.find::<prd::Entity>(revised).await? {
        Some(revised) => may_be_replaced(&revised),
        None => Ok(()),
    }
}

/// What becomes of an approved brief when one that revises it is approved.
async fn supersede(tx: &mut Tx<'_>, id: &Id) -> Result<()> {
    let revised = tx.get::<prd::Entity>(id).await?;
    may_be_replaced(&revised)?;
    tx.take(
        &revised,
        PRDConsequence::Supersede,
        prd::ActiveModel::default(),
    )
    .await?;
    plan::supersede_of_brief(tx, &revised).await
}

/// Which briefs should have been decided by now, and nobody was told of it lately.
pub(crate) fn overdue(now: Timestamp) -> Condition {
    use prd::Column::{ApprovalDueAt, ApprovalRemindedAt, PausedAt, Status};
    decider::overdue([ApprovalDueAt, ApprovalRemindedAt, PausedAt], now)
        .add(Expr::col(Status).eq(PrdStatus::PendingApproval.to_value()))
}

/// Tells those who decide of a brief that they should have decided. Says whether there was need.
pub(crate) async fn escalate(tx: &mut Tx<'_>, id: &Id) -> Result<bool> {
    let settings = decider::settings(tx).await?;
    let brief = tx.get::<prd::Entity>(id).await?;
    let times = [
        brief.approval_due_at,
        brief.approval_reminded_at,
        brief.paused_at,
    ];
    if brief.status != PrdStatus::PendingApproval || !decider::is_overdue(times, tx.now()) {
        return Ok(false);
    }
    let changes = prd::ActiveModel {
        approval_reminded_at: Set(Some(tx.now())),
        ..Default::default()
    };
    let brief = tx.update(&brief, changes, "brief.escalated").await?;
    notice::overdue_brief(tx, &settings, &brief).await?;
    Ok(true)
}
