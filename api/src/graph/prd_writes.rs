//! How a brief is written, handed in, decided, revised and deleted.

use super::{
    Node as _,
    connection::Cursor,
    decisions::decisions,
    prd::PRD,
    prd_content::BriefContent,
    steps::needs,
    write::{Delete, Once, Write, change, deletions, given, mutations},
};
use crate::{
    auth::Action,
    domain::{check, machine::PRDStep},
    store::Tx,
    workflow::{self, default_project, goal_of_project, open_project},
};
use async_graphql::{Context, InputObject, MaybeUndefined};
use entity::{
    Id, meeting,
    prd::{self, PrdStatus},
};
use sea_orm::ActiveValue::Set;

/// A new brief.
#[derive(InputObject, Clone)]
#[graphql(name = "CreatePRDInput")]
pub struct CreatePRDInput {
    /// The project it is for; if not given, its meeting's, or else the workspace's default project.
    project_id: Option<Id>,
    /// The goal it serves, in the same project.
    goal_id: Option<Id>,
    /// The meeting it came out of.
    meeting_id: Option<Id>,
    /// What it is about, 1 to 300 characters.
    title: String,
    /// What lists show of it, at most 5,000 characters.
    #[graphql(default)]
    summary: String,
    /// What it says.
    content: Option<BriefContent>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CreatePRDInput {
    type Entity = prd::Entity;
    const ACTION: Action = Action::EditBrief;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<prd::Model> {
        let of_meeting = match &self.meeting_id {
            Some(meeting) if self.project_id.is_none() => {
                tx.find::<meeting::Entity>(meeting).await?
            }
            _ => None,
        };
        let project = self
            .project_id
            .or(of_meeting.map(|meeting| meeting.project_id));
        let project = match &project {
            Some(project) => open_project(tx, project).await?,
            None => default_project(tx).await?,
        };
        goal_of_project(tx, self.goal_id.as_ref(), &project.id).await?;
        let meeting = tx
            .keep_some::<meeting::Entity>(self.meeting_id.as_ref())
            .await?;
        let row = prd::ActiveModel {
            project_id: Set(project.id),
            goal_id: Set(self.goal_id),
            meeting_id: Set(self.meeting_id),
            transcript_id: Set(meeting.and_then(|meeting| meeting.current_transcript_id)),
            title: Set(check::line("title", &self.title, 1, 300)?),
            summary: Set(check::text("summary", &self.summary, 0, 5000)?),
            status: Set(PrdStatus::Draft),
            version: Set(1),
            created_by_id: Set(tx.scope().actor().user_id().cloned()),
            ..self.content.unwrap_or_default().columns()?
        };
        tx.insert(row, "brief.created").await
    }
}

/// Changes to a brief that is not decided yet. What is left out stays; what always has a value cannot be null.
#[derive(InputObject, Clone)]
#[graphql(name = "UpdatePRDInput")]
pub struct UpdatePRDInput {
    /// The brief.
    id: Id,
    /// The version you read; another one means that somebody was faster.
    expected_version: i32,
    /// What it is about, 1 to 300 characters.
    title: MaybeUndefined<String>,
    /// What lists show of it, at most 5,000 characters.
    summary: MaybeUndefined<String>,
    /// What it says; of this, too, what is left out stays.
    content: MaybeUndefined<BriefContent>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for UpdatePRDInput {
    type Entity = prd::Entity;
    const ACTION: Action = Action::EditBrief;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<prd::Model> {
        let changes = words(self.title, self.summary, self.content)?;
        workflow::edit(tx, &self.id, self.expected_version, changes).await
    }
}

/// Which brief is handed in, and in which version.
#[derive(InputObject, Clone)]
#[graphql(name = "SubmitPRDInput")]
pub struct SubmitPRDInput {
    /// The brief.
    id: Id,
    /// The version you read; another one means that somebody was faster.
    expected_version: i32,
    #[graphql(flatten)]
    once: Once,
}

impl Write for SubmitPRDInput {
    type Entity = prd::Entity;
    const ACTION: Action = Action::EditBrief;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<prd::Model> {
        workflow::submit(tx, &self.id, self.expected_version).await
    }
}

/// Which approved brief is revised, and what the new one says otherwise. What is left out is as in the one it revises.
#[derive(InputObject, Clone)]
#[graphql(name = "RevisePRDInput")]
pub struct RevisePRDInput {
    /// The approved brief.
    id: Id,
    /// What it is about, 1 to 300 characters.
    title: MaybeUndefined<String>,
    /// What lists show of it, at most 5,000 characters.
    summary: MaybeUndefined<String>,
    /// What it says.
    content: MaybeUndefined<BriefContent>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for RevisePRDInput {
    type Entity = prd::Entity;
    const ACTION: Action = Action::EditBrief;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<prd::Model> {
        let changes = words(self.title, self.summary, self.content)?;
        workflow::revise(tx, &self.id, changes).await
    }
}

/// What a brief says, as it was given.
fn words(
    title: MaybeUndefined<String>,
    summary: MaybeUndefined<String>,
    content: MaybeUndefined<BriefContent>,
) -> crate::Result<prd::ActiveModel> {
    Ok(prd::ActiveModel {
        title: change("title", title, |title| check::line("title", &title, 1, 300))?,
        summary: change("summary", summary, |text| {
            check::text("summary", &text, 0, 5000)
        })?,
        ..given("content", content)?.unwrap_or_default().columns()?
    })
}

mutations! { PRDMutation {
    /// Writes a brief by hand.
    create_prd(CreatePRDInput) -> CreatePRDPayload { prd: PRD };
    /// Changes a brief that is not decided yet, and counts its version up.
    update_prd(UpdatePRDInput) -> UpdatePRDPayload { prd: PRD };
    /// Hands a draft in for approval. Those who decide are told; a rule of the workspace may approve it at once. Not while a
    /// question about it is open.
    submit_prd(SubmitPRDInput) -> SubmitPRDPayload { prd: PRD };
    /// Begins a draft that says what an approved brief says. Approving it supersedes that one, its plan and its open tickets.
    revise_prd(RevisePRDInput) -> RevisePRDPayload { prd: PRD };
} }

decisions! { PRDDecisionMutation of prd: PRD by PRDStep {
    /// Approves a brief. With the last approval that is needed, the chief of staff is asked for a plan. Where one approval is
    /// enough, a draft can be approved as well.
    approve_prd(ApprovePRDInput) -> ApprovePRDPayload: Approve, seen note;
    /// Turns a brief down for good.
    reject_prd(RejectPRDInput) -> RejectPRDPayload: Reject, seen reason;
    /// Sends a brief back: it is a draft again, and drafted anew as you say.
    redirect_prd(RedirectPRDInput) -> RedirectPRDPayload: Redirect, seen reason;
    /// Has a brief drafted anew, perhaps with a hint.
    regenerate_prd(RegeneratePRDInput) -> RegeneratePRDPayload: Regenerate, seen note;
    /// Holds back all that would newly begin for a brief. What is under way is finished.
    pause_prd(PausePRDInput) -> PausePRDPayload: Pause, note;
    /// Lets the work for a brief go on.
    resume_prd(ResumePRDInput) -> ResumePRDPayload: Resume, note;
} }

/// Which brief is deleted.
#[derive(InputObject, Clone)]
#[graphql(name = "DeletePRDInput")]
pub struct DeletePRDInput {
    /// The brief.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Delete for DeletePRDInput {
    const ACTION: Action = needs(PRDStep::Delete.who());

    fn id(&self) -> &Id {
        &self.id
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<()> {
        workflow::delete_brief(tx, &self.id).await
    }
}

deletions! { PRDDeletionMutation {
    /// Deletes a brief with its plans, tickets, questions, links and decisions. What calls of providers cost stays counted. The
    /// ledger tells of each row that went; of a type of which more than 1,000 went, how many. Not while an agent works on a
    /// ticket of it, which its plan's `cancelPlan` ends, nor while an open brief revises it.
    delete_prd(DeletePRDInput) -> DeletePRDPayload;
} }
