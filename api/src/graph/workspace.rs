//! The workspace itself: what it is called, where its days begin, how it tells its people, and that it is set up.

use super::{
    Visitor,
    constraints::length,
    prelude::*,
    shared::within,
    tenant::{set, workspace},
    write::{Once, Write, change, given, mutations, perform},
};
use crate::{
    auth::Action,
    domain::{calendar::Calendar, check},
    error::Error,
    store::Tx,
    workflow,
};
use async_graphql::{InputObject, MaybeUndefined, Object, SimpleObject};
use entity::{
    Json,
    tenant::{self, QuietHours, SetupStep, TenantDigestMode, TenantSettings},
};
use sea_orm::ActiveValue::Set;

/// The hours of a day in which messages are held back for the next digest.
#[derive(InputObject, Clone)]
pub struct QuietHoursInput {
    /// When they begin, as `HH:MM` in the workspace's timezone.
    start: String,
    /// When they end, as `HH:MM` in the workspace's timezone; before `start` when they span midnight, and never the same.
    end: String,
}

impl QuietHoursInput {
    fn checked(self) -> crate::Result<QuietHours> {
        let hours = QuietHours {
            start: check::time_of_day("quietHours.start", &self.start)?,
            end: check::time_of_day("quietHours.end", &self.end)?,
        };
        match hours.start == hours.end {
            true => Err(Error::bad_input(
                "quietHours.end",
                "cannot be the same as `start`",
            )),
            false => Ok(hours),
        }
    }
}

/// What a workspace is called and how it keeps its days. What is left out stays.
#[derive(InputObject, Clone)]
pub struct UpdateWorkspaceInput {
    /// The company's name, in 1 to 200 characters.
    name: MaybeUndefined<String>,
    /// The IANA timezone in which its days and months begin, such as `Europe/Berlin`.
    timezone: MaybeUndefined<String>,
    /// How often a summary is sent.
    digest_mode: MaybeUndefined<TenantDigestMode>,
    /// When messages are held back; null when they never are.
    quiet_hours: MaybeUndefined<QuietHoursInput>,
    /// Hours after which an unanswered clarification expires, 1 to 720.
    clarification_timeout_hours: MaybeUndefined<i32>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for UpdateWorkspaceInput {
    type Entity = tenant::Entity;
    const ACTION: Action = Action::SetUp;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<tenant::Model> {
        let timezone = given("timezone", self.timezone)?;
        if let Some(timezone) = &timezone {
            Calendar::named(timezone).ok_or_else(|| {
                Error::bad_input(
                    "timezone",
                    "is no timezone: expected an IANA name such as Europe/Berlin",
                )
            })?;
        }
        let before = workspace(tx).await?;
        let moves = timezone
            .as_ref()
            .is_some_and(|zone| *zone != before.timezone);
        let mut settings = before.settings.0.clone();
        if let Some(mode) = given("digestMode", self.digest_mode)? {
            settings.digest_mode = mode;
        }
        match self.quiet_hours {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => settings.quiet_hours = None,
            MaybeUndefined::Value(hours) => settings.quiet_hours = Some(hours.checked()?),
        }
        let field = "clarificationTimeoutHours";
        if let Some(hours) = given(field, self.clarification_timeout_hours)? {
            settings.clarification_timeout_hours = within(field, hours, 1, 720)?;
        }
        let changes = tenant::ActiveModel {
            name: change("name", self.name, |name| check::line("name", &name, 1, 200))?,
            timezone: timezone.map_or(sea_orm::ActiveValue::NotSet, Set),
            settings: Set(Json(settings)),
            ..Default::default()
        };
        let after = tx.update(&before, changes, "settings.updated").await?;
        if moves {
            workflow::count_in_new_days(tx, &before.timezone).await?;
        }
        Ok(after)
    }
}

/// Which step of setting the workspace up is over.
#[derive(InputObject, Clone)]
pub struct CompleteSetupStepInput {
    /// `FINISH` ends the setup, whatever is still open. The other steps are over by themselves when they are done; named here, one
    /// of them is passed over.
    step: SetupStep,
    #[graphql(flatten)]
    once: Once,
}

impl Write for CompleteSetupStepInput {
    type Entity = tenant::Entity;
    const ACTION: Action = Action::SetUp;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<tenant::Model> {
        let before = workspace(tx).await?;
        let mut setup = before.settings.0.setup.clone();
        match self.step {
            _ if setup.completed => return Ok(before),
            SetupStep::Finish => {
                setup.completed = true;
                setup.completed_at = Some(tx.now());
                setup.completed_by = tx.scope().actor().user_id().cloned();
            }
            step if setup.skipped.contains(&step) => return Ok(before),
            step => setup.skipped.push(step),
        }
        let settings = TenantSettings {
            setup,
            ..before.settings.0.clone()
        };
        set(tx, &before, settings).await
    }
}

/// The proof that the workspace is meant to be deleted, by who may do that.
#[derive(InputObject, Clone)]
pub struct DeleteWorkspaceInput {
    /// The workspace's slug, as proof that this one is meant.
    slug: String,
    /// Your password, as proof that it is you; needed if you have one.
    #[graphql(directive = length::apply(1, 1024))]
    password: Option<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for DeleteWorkspaceInput {
    type Entity = tenant::Entity;
    const ACTION: Action = Action::DeleteWorkspace;

    async fn prepare(self, ctx: &Context<'_>) -> crate::Result<Self> {
        let sessions = &ctx.data_unchecked::<Visitor>().sessions;
        let actor = ctx.scope().actor();
        sessions
            .check_own_password(actor, self.password.as_deref())
            .await?;
        Ok(self)
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<tenant::Model> {
        workflow::delete_workspace(tx, &self.slug).await
    }
}

mutations! { WorkspaceMutation {
    /// Changes what the workspace is called, where its days begin, and how its people are told. Its slug stays: people sign in with
    /// it, and links that were sent have it. In another timezone the calls of this month and the last are counted anew to its
    /// budgets; months before stay as they were counted. See `updateApprovalRules` and `updateBudgets` for what is decided by
    /// whom, and what may be used.
    update_workspace(UpdateWorkspaceInput) -> UpdateWorkspacePayload { tenant: Tenant };
    /// Says that a step of setting the workspace up is over, or all of it. What is over already stays as it is.
    complete_setup_step(CompleteSetupStepInput) -> CompleteSetupStepPayload { tenant: Tenant };
} }

/// What `deleteWorkspace` answers with.
#[derive(SimpleObject)]
pub struct DeleteWorkspacePayload {
    /// The workspace as it was.
    tenant: Tenant,
    /// The ledger's position after this, its last but for what the server tells of the removal.
    feed_cursor: Cursor,
}

/// The end of a workspace.
#[derive(Default)]
pub struct WorkspaceDeletionMutation;

#[Object]
impl WorkspaceDeletionMutation {
    /// Deletes the workspace with all that it has, for good, for owners. When this is answered nobody of it is let in any more; its
    /// streams end, and its slug is free, within seconds; what it had is removed in the background. Its ledger stays, for who runs
    /// the server to verify.
    async fn delete_workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proof.")] input: DeleteWorkspaceInput,
    ) -> Nullable<DeleteWorkspacePayload> {
        let written = perform(ctx, "delete_workspace", input).await?;
        ctx.scope().free_slug().await;
        Ok(Some(DeleteWorkspacePayload {
            tenant: Tenant::of(&written.row),
            feed_cursor: written.feed_cursor,
        }))
    }
}
