//! Decisions on briefs, plans and results of tickets: who may make them, whether they are made already, and how many
//! people must agree.

use super::{decider::Decider, references::all_of};
use crate::{
    auth::{Action, authorize},
    domain::{
        check,
        machine::{Machine, Step, refusal},
    },
    error::{Error, Result, named},
    store::{Tx, standing},
};
use entity::{
    Id, Timestamp,
    approval::{self, ApprovalChannel, ApprovalDecision, ApprovalSubject},
    audit_log,
    tenant::RequiredApprovals,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, sea_query::ExprTrait,
};
use std::future::Future;

type Model<T> = <<T as Step>::Entity as EntityTrait>::Model;
type Changes<T> = <<T as Step>::Entity as EntityTrait>::ActiveModel;

/// A step that decides over a row.
pub(crate) trait Decision:
    Step<Entity: Machine<Model: IntoActiveModel<Changes<Self>>, ActiveModel: Send>>
{
    /// What kind of thing is decided on.
    const SUBJECT: ApprovalSubject;

    /// The ledger's action for an approval that is not the last one needed.
    const COUNTED: &'static str;

    /// The decision as it is kept; nothing where none is.
    fn decision(self) -> Option<ApprovalDecision>;

    /// The row, locked after those that are locked before it.
    fn lock(self, tx: &Tx<'_>, id: &Id) -> impl Future<Output = Result<Model<Self>>> + Send;

    /// Whether one who finds it done already need not be told: it is the same whoever did it, and why.
    fn is_done_once(self) -> bool;

    /// What is decided on.
    fn subject(row: &Model<Self>) -> Subject<'_>;

    /// SHA-256, in hex, of what is shown to who decides.
    fn digest(tx: &Tx<'_>, row: &Model<Self>) -> impl Future<Output = Result<String>> + Send;

    /// Refuses an approval that others must join where nobody would hear of it.
    ///
    /// # Errors
    /// [`Error::Conflict`].
    fn may_be_counted(_: &Model<Self>, _: i32) -> Result<()> {
        Ok(())
    }

    /// How many people must approve.
    fn required(required: &RequiredApprovals) -> i32;

    /// What the step changes in the row besides its state.
    fn changes(self, row: &Model<Self>, decided: &Decided) -> Changes<Self>;

    /// What follows from the step.
    fn follow(
        self,
        tx: &mut Tx<'_>,
        row: Model<Self>,
        decided: &Decided,
    ) -> impl Future<Output = Result<Model<Self>>> + Send;
}

/// What is decided on.
pub(crate) struct Subject<'r> {
    pub(crate) id: &'r Id,
    pub(crate) project: &'r Id,
    pub(crate) brief: Option<&'r Id>,
    pub(crate) version: i32,
}

/// What whoever decides says.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// What is decided on.
    pub(crate) id: Id,
    /// The version that was seen; none where no version matters.
    pub(crate) version: Option<i32>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// How it arrived.
    pub(crate) via: Via,
}

/// Through what a decision arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Via {
    /// The channel.
    pub(crate) channel: ApprovalChannel,
    /// Who it came from, in the channel's own terms.
    pub(crate) identity: Option<String>,
    /// The message that was answered.
    pub(crate) message_link: Option<String>,
}

impl Seen {
    /// A decision on this version, for this reason.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] when the reason is none.
    pub(crate) fn new(
        id: Id,
        version: Option<i32>,
        reason: impl Into<Option<String>>,
    ) -> Result<Self> {
        let reason = reason.into();
        let reason = reason.map(|text| check::text("reason", &text, 1, 5000));
        Ok(Self {
            id,
            version,
            reason: reason.transpose()?,
            via: Via::default(),
        })
    }
}

/// How something was decided.
pub(crate) struct Decided {
    /// The person; none when a rule decided.
    pub(crate) user: Option<Id>,
    /// When.
    pub(crate) at: Timestamp,
    /// Why.
    pub(crate) reason: Option<String>,
}

/// Makes a decision, or answers with the row if the same was decided already.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::Conflict`] with who decided what and when if it was decided otherwise, or the version is
/// another one by now; [`Error::IllegalTransition`].
pub(crate) async fn decide<T: Decision>(tx: &mut Tx<'_>, step: T, seen: Seen) -> Result<Model<T>> {
    let decider = match (step.rule().who, step.decision()) {
        (None, _) => return Err(Error::internal("a step that nobody takes")),
        (Some(Action::Decide), _) | (_, Some(_)) => Some(Decider::of(tx).await?),
        (Some(action), None) => authorize(tx.writer(), action).map(|()| None)?,
    };
    let row = step.lock(tx, &seen.id).await?;
    let now = standing::<T::Entity>(&row)?;
    let version = T::subject(&row).version;
    let about = seen.version.unwrap_or(version);
    let earlier = match step.decision() {
        Some(_) => decisions::<T>(tx, &row, about).await?,
        None => Vec::new(),
    };
    if about != version || !step.rule().is_open(&now) {
        return settled(tx, step, row, about, &earlier).await;
    }
    let decided = Decided {
        user: tx.writer().user_id().cloned(),
        at: tx.now(),
        reason: seen.reason.clone(),
    };
    let Some(decider) = decider else {
        return take(tx, step, row, decided).await;
    };
    if step.decision() == Some(ApprovalDecision::Approved) {
        let is_approval = |made: &&approval::Model| made.decision == ApprovalDecision::Approved;
        let approvals: Vec<_> = earlier.iter().filter(is_approval).collect();
        let asked_for = T::required(&decider.settings.required_approvals);
        let required = usize::try_from(asked_for).unwrap_or(1);
        let mine = { approvals.iter() }.find(|made| decider.people().any(|id| made.is_of(id)));
        match mine {
            // The number may have been lowered since.
            Some(made) if approvals.len() < required && made.user_id == decided.user => {
                return Ok(row);
            }
            Some(made) if approvals.len() < required => return Err(counted_already(made)),
            Some(_) => {}
            None if approvals.len() + 1 < required => {
                T::may_be_counted(&row, asked_for)?;
                keep(tx, step, &row, &decider, &decided, &seen.via).await?;
                tx.note::<T::Entity>(&row, T::COUNTED);
                if let Some(reason) = decided.reason {
                    tx.explain(reason);
                }
                return Ok(row);
            }
            None => keep(tx, step, &row, &decider, &decided, &seen.via).await?,
        }
    } else {
        keep(tx, step, &row, &decider, &decided, &seen.via).await?;
    }
    take(tx, step, row, decided).await
}

fn counted_already(made: &approval::Model) -> Error {
    let by = made.actor_email.as_deref().unwrap_or(&made.actor);
    Error::Conflict(format!(
        "{by} has approved it already, and your approvals count as one: somebody else must approve."
    ))
}

/// Takes the step, and what follows from it.
pub(super) async fn take<T: Decision>(
    tx: &mut Tx<'_>,
    step: T,
    row: Model<T>,
    decided: Decided,
) -> Result<Model<T>> {
    let row = tx.take(&row, step, step.changes(&row, &decided)).await?;
    if let Some(reason) = &decided.reason {
        tx.explain(reason.clone());
    }
    step.follow(tx, row, &decided).await
}

/// The answer to a decision that can no longer be made, or not about this version.
async fn settled<T: Decision>(
    tx: &Tx<'_>,
    step: T,
    row: Model<T>,
    about: i32,
    earlier: &[approval::Model],
) -> Result<Model<T>> {
    let now = &standing::<T::Entity>(&row)?;
    let version = T::subject(&row).version;
    let is_current = about == version;
    let is_approval = |made: &approval::Model| made.decision == ApprovalDecision::Approved;
    let is_approved =
        is_current && earlier.iter().any(is_approval) && was_approved::<T>(tx, &row).await?;
    let settles = |made: &&approval::Model| match made.decision {
        ApprovalDecision::Approved => is_approved,
        ApprovalDecision::Rejected | ApprovalDecision::Redirected => true,
        ApprovalDecision::Paused | ApprovalDecision::Resumed => false,
    };
    let last = earlier.iter().rev().find(settles);
    if is_current && step.is_done_once() && step.rule().is_behind(now) {
        return Ok(row);
    }
    // What holds something up for a while is not what was decided about it.
    let decides = !matches!(
        step.decision(),
        Some(ApprovalDecision::Paused | ApprovalDecision::Resumed)
    );
    match last.filter(|_| decides) {
        Some(made) if Some(made.decision) == step.decision() => Ok(row),
        Some(made) => Err(Error::Decided {
            what: format!(
                "{} was {}",
                the::<T>(about),
                named(made.decision).to_lowercase()
            ),
            decision: named(made.decision),
            by: made
                .actor_email
                .clone()
                .unwrap_or_else(|| made.actor.clone()),
            at: made.created_at,
        }),
        None if !is_current => Err(Error::Conflict(match T::SUBJECT {
            ApprovalSubject::Plan => {
                format!("This plan is attempt {version}, not {about}. Read it again.")
            }
            _ => format!(
                "You saw version {about}, and it is at version {version} by now. Read it again."
            ),
        })),
        None => Err(refusal(step, now)),
    }
}

/// Whether approvals were enough for something. One that others had yet to join decided nothing by itself.
async fn was_approved<T: Decision>(tx: &Tx<'_>, row: &Model<T>) -> Result<bool> {
    use audit_log::Column::{Action, TargetId};
    let approves = |step: &T| step.decision() == Some(ApprovalDecision::Approved);
    let entries = { T::all().filter(approves) }.map(|step| step.rule().entry);
    let id = T::subject(row).id.as_str();
    let told = tx.unlocked_rows::<audit_log::Entity>(|place| {
        all_of(place.column(TargetId).eq(id)).add(place.column(Action).is_in(entries))
    });
    Ok(!told.await?.is_empty())
}

/// What is decided on, in words.
fn the<T: Decision>(version: i32) -> String {
    match T::SUBJECT {
        ApprovalSubject::Brief => format!("Version {version} of this brief"),
        ApprovalSubject::Plan => "This plan".to_owned(),
        ApprovalSubject::Ticket => "This ticket's result".to_owned(),
        ApprovalSubject::SkillPackage => "This package".to_owned(),
    }
}

/// The decisions on a version of something, the first made first. They are not locked: what they are about is.
async fn decisions<T: Decision>(
    tx: &Tx<'_>,
    row: &Model<T>,
    version: i32,
) -> Result<Vec<approval::Model>> {
    let id = T::subject(row).id.as_str();
    let mut made = tx
        .unlocked_rows::<approval::Entity>(|place| {
            all_of(place.column(subject_column(T::SUBJECT)).eq(id))
                .add(place.column(approval::Column::SubjectVersion).eq(version))
        })
        .await?;
    made.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    Ok(made)
}

/// The column that points to what is decided on.
pub(crate) fn subject_column(subject: ApprovalSubject) -> approval::Column {
    match subject {
        ApprovalSubject::Brief => approval::Column::PrdId,
        ApprovalSubject::Plan => approval::Column::PlanId,
        ApprovalSubject::Ticket => approval::Column::TicketId,
        ApprovalSubject::SkillPackage => approval::Column::SkillPackageId,
    }
}

/// Keeps a person's decision.
async fn keep<T: Decision>(
    tx: &mut Tx<'_>,
    step: T,
    row: &Model<T>,
    decider: &Decider,
    decided: &Decided,
    via: &Via,
) -> Result<()> {
    let made = approval::ActiveModel {
        user_id: Set(decided.user.clone()),
        actor_email: Set(decider.user.as_ref().map(|user| user.email.clone())),
        on_behalf_of_user_id: Set(decider.instead_of.clone()),
        channel: Set(via.channel),
        external_actor_ref: Set(via.identity.clone()),
        message_link: Set(via.message_link.clone()),
        ..Default::default()
    };
    record(tx, step, row, decided, made).await
}

/// Keeps a decision, if the step is one.
pub(super) async fn record<T: Decision>(
    tx: &mut Tx<'_>,
    step: T,
    row: &Model<T>,
    decided: &Decided,
    mut made: approval::ActiveModel,
) -> Result<()> {
    let Some(decision) = step.decision() else {
        return Ok(());
    };
    let subject = T::subject(row);
    made.set(subject_column(T::SUBJECT), subject.id.as_str().into());
    let made = approval::ActiveModel {
        subject_type: Set(T::SUBJECT),
        project_id: Set(Some(subject.project.clone())),
        decision: Set(decision),
        reason: Set(decided.reason.clone()),
        actor: Set(tx.actor()),
        subject_version: Set(subject.version),
        subject_digest: Set(Some(T::digest(tx, row).await?)),
        ..made
    };
    let (project, brief) = (subject.project, subject.brief);
    tx.insert(made, "approval.created").await?;
    tx.belong_to(1, project, brief);
    Ok(())
}
