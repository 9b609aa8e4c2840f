//! How tickets are written, changed, commented on, and mirrored in outside trackers.

use super::{
    Node as _,
    connection::Cursor,
    steps::needs,
    ticket::Ticket,
    write::{Once, Write, change, mutations, patch},
};
use crate::{
    Error,
    auth::{Action, authorize},
    domain::{check, machine::TicketStep},
    store::Tx,
    workflow::{active_role, goal_of_project, hold_roles, open_project},
};
use async_graphql::{Context, InputObject, MaybeUndefined};
use entity::{
    Id, Large,
    ticket::{self, ExternalSystem, TicketStatus},
};
use sea_orm::ActiveValue::Set;

fn priority(priority: i32) -> crate::Result<i32> {
    match (0..=1000).contains(&priority) {
        true => Ok(priority),
        false => Err(Error::bad_input("priority", "must be from 0 to 1000")),
    }
}

/// A ticket outside of any plan.
#[derive(InputObject, Clone)]
pub struct CreateTicketInput {
    /// The project it works in.
    project_id: Id,
    /// The goal it serves, in the same project.
    goal_id: Option<Id>,
    /// What is to be done, 1 to 200 characters.
    title: String,
    /// More about it, at most 10,000 characters.
    #[graphql(default)]
    description: String,
    /// The role that can claim it, such as `dev_agent`: one that is active.
    role_slug: String,
    /// How urgent it is, 0 to 1000; low is 50, normal 100, high 200, urgent 400.
    #[graphql(default = 100)]
    priority: i32,
    /// The repository it works in, as `owner/name`.
    target_repo: Option<String>,
    /// Whether its result must be approved before it counts as done.
    #[graphql(default)]
    requires_approval: bool,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CreateTicketInput {
    type Entity = ticket::Entity;
    const ACTION: Action = Action::EditTicket;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<ticket::Model> {
        let priority = priority(self.priority)?;
        hold_roles(tx).await?;
        let project = open_project(tx, &self.project_id).await?;
        goal_of_project(tx, self.goal_id.as_ref(), &project.id).await?;
        active_role(tx, "roleSlug", &self.role_slug).await?;
        let row = ticket::ActiveModel {
            project_id: Set(project.id),
            goal_id: Set(self.goal_id),
            role_slug: Set(self.role_slug),
            title: Set(check::line("title", &self.title, 1, 200)?),
            description: Set(Large::new(check::text(
                "description",
                &self.description,
                0,
                10_000,
            )?)),
            status: Set(TicketStatus::Ready),
            priority: Set(priority),
            target_repo: Set({ self.target_repo }
                .map(|repo| check::repository("targetRepo", &repo))
                .transpose()?),
            requires_approval: Set(self.requires_approval),
            created_by: Set(tx.scope().actor().name()),
            ..Default::default()
        };
        tx.insert(row, "ticket.created").await
    }
}

/// Changes to a ticket that has not ended. What is left out stays; what always has a value cannot be null.
#[derive(InputObject, Clone)]
pub struct UpdateTicketInput {
    /// The ticket.
    id: Id,
    /// The goal it serves, in the same project; null for none.
    goal_id: MaybeUndefined<Id>,
    /// What is to be done, 1 to 200 characters.
    title: MaybeUndefined<String>,
    /// More about it, at most 10,000 characters.
    description: MaybeUndefined<String>,
    /// How urgent it is, 0 to 1000; low is 50, normal 100, high 200, urgent 400.
    priority: MaybeUndefined<i32>,
    /// The repository it works in, as `owner/name`; null for none.
    target_repo: MaybeUndefined<String>,
    /// Whether its result must be approved before it counts as done. Only admins take that back.
    requires_approval: MaybeUndefined<bool>,
    /// After how many seconds of work it has failed, 10 to 86,400; null takes the role's limit.
    timeout_seconds: MaybeUndefined<i32>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for UpdateTicketInput {
    type Entity = ticket::Entity;
    const ACTION: Action = needs(TicketStep::Update.who());

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<ticket::Model> {
        let before = tx.get::<ticket::Entity>(&self.id).await?;
        // Who demanded that its result be approved may take that back.
        if before.requires_approval && self.requires_approval == MaybeUndefined::Value(false) {
            authorize(tx.scope().actor(), Action::SetApprovals)?;
        }
        let goal = self.goal_id.value();
        goal_of_project(tx, goal, &before.project_id).await?;
        let changes = ticket::ActiveModel {
            goal_id: patch(self.goal_id, Ok)?,
            title: change("title", self.title, |title| {
                check::line("title", &title, 1, 200)
            })?,
            description: change("description", self.description, |text| {
                check::text("description", &text, 0, 10_000).map(Large::new)
            })?,
            priority: change("priority", self.priority, priority)?,
            target_repo: patch(self.target_repo, |repo| {
                check::repository("targetRepo", &repo)
            })?,
            requires_approval: change("requiresApproval", self.requires_approval, Ok)?,
            timeout_seconds: patch(self.timeout_seconds, |seconds| {
                match (10..=86_400).contains(&seconds) {
                    true => Ok(seconds),
                    false => Err(Error::bad_input(
                        "timeoutSeconds",
                        "must be from 10 to 86400",
                    )),
                }
            })?,
            ..Default::default()
        };
        tx.edit(&before, TicketStep::Update, changes).await
    }
}

/// What somebody says about a ticket.
#[derive(InputObject, Clone)]
pub struct CommentOnTicketInput {
    /// The ticket; for an agent, one that it works on, asked about, or has done.
    id: Id,
    /// What to say, 1 to 5,000 characters.
    text: String,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CommentOnTicketInput {
    type Entity = ticket::Entity;
    const ACTION: Action = Action::Comment;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<ticket::Model> {
        let text = check::text("text", &self.text, 1, 5000)?;
        let ticket = tx.keep::<ticket::Entity>(&self.id).await?;
        tx.note::<ticket::Entity>(&ticket, "ticket.commented");
        tx.explain(text);
        Ok(ticket)
    }
}

/// What an outside tracker says of a ticket.
#[derive(InputObject, Clone)]
pub struct MirrorTicketInput {
    /// The ticket.
    id: Id,
    /// The tracker.
    external_system: ExternalSystem,
    /// Its key there, such as `SHOP-12`, 1 to 100 characters.
    external_key: String,
    /// Its status there, in the tracker's words, at most 100 characters; null when unknown.
    external_status: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for MirrorTicketInput {
    type Entity = ticket::Entity;
    const ACTION: Action = Action::MirrorTicket;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<ticket::Model> {
        let before = tx.get::<ticket::Entity>(&self.id).await?;
        let status = self.external_status;
        let status = status.map(|status| check::line("externalStatus", &status, 1, 100));
        let changes = ticket::ActiveModel {
            external_system: Set(Some(self.external_system)),
            external_key: Set(Some(check::line(
                "externalKey",
                &self.external_key,
                1,
                100,
            )?)),
            external_status: Set(status.transpose()?),
            external_synced_at: Set(Some(tx.now())),
            ..Default::default()
        };
        tx.update(&before, changes, "ticket.mirrored").await
    }
}

mutations! { TicketMutation {
    /// Writes a ticket outside of any plan; agents of its role can claim it at once.
    create_ticket(CreateTicketInput) -> CreateTicketPayload { ticket: Ticket };
    /// Changes a ticket that has not ended. Who works on it already has it as it was.
    update_ticket(UpdateTicketInput) -> UpdateTicketPayload { ticket: Ticket };
    /// Says something about a ticket, for all who follow it: it stands in `activity`, under the ticket's id.
    comment_on_ticket(CommentOnTicketInput) -> CommentOnTicketPayload { ticket: Ticket };
    /// Keeps what an outside tracker says of a ticket that is mirrored there.
    mirror_ticket(MirrorTicketInput) -> MirrorTicketPayload { ticket: Ticket };
} }
