//! Who is asking, and what every page shows of that.

use super::found::one;
use super::notification::unread_count;
use super::order::OrderOf;
use super::prelude::*;
use crate::{
    auth::Action,
    domain::setup::{self, Done},
    store::Counted,
};
use async_graphql::{Object, SimpleObject};
use entity::{
    credential::CredentialKind,
    integration_connection::IntegrationStatus,
    tenant::{self, SetupStep},
};

/// The root field of who is asking.
#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// Who is asking.
    async fn viewer(&self) -> Viewer {
        Viewer
    }
}

/// Who is asking.
pub struct Viewer;

/// Who is asking: the person, agent or service behind the token, and their workspace.
#[Object]
impl Viewer {
    /// The person; null when an agent or a service asks.
    async fn user(&self, ctx: &Context<'_>) -> Nullable<User> {
        Ok(one(ctx, ctx.scope().actor().user_id()).await?)
    }

    /// The agent's token; null when a person or a service asks.
    async fn agent_token(&self, ctx: &Context<'_>) -> Nullable<AgentToken> {
        Ok(one(ctx, ctx.scope().actor().agent_token_id()).await?)
    }

    /// The service's token; null when a person or an agent asks.
    async fn service_token(&self, ctx: &Context<'_>) -> Nullable<ServiceToken> {
        Ok(one(ctx, ctx.scope().actor().service_token_id()).await?)
    }

    /// The workspace that everything else in this operation is about.
    async fn tenant(&self, ctx: &Context<'_>) -> Nullable<Tenant> {
        Ok(one(ctx, Some(ctx.scope().actor().tenant())).await?)
    }

    /// How many notifications the bell shows: those in the dashboard itself, for the person or for everyone, that were
    /// neither read nor put away.
    async fn unread_notification_count(&self, ctx: &Context<'_>) -> Nullable<i32> {
        Ok(Some(unread_count(ctx).await?))
    }

    /// Notifications for the person or for everyone, on every channel.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "So many rows from the start: 50 if not given, at most 200.",
            name = "first"
        )]
        _first: Option<i32>,
        #[graphql(desc = "Start after this cursor; goes with `first`.", name = "after")]
        _after: Option<Cursor>,
        #[graphql(desc = "So many rows from the end, at most 200.", name = "last")] _last: Option<
            i32,
        >,
        #[graphql(desc = "End before this cursor; goes with `last`.", name = "before")]
        _before: Option<Cursor>,
        #[graphql(desc = "Only rows that satisfy this.", name = "filter")] _filter: FilterArgument<
            FilterOf<Notification>,
        >,
        #[graphql(desc = "The order; newest first if not given.", name = "orderBy")]
        _order_by: Option<Vec<OrderOf<Notification>>>,
    ) -> Nullable<Connection<Notification>> {
        // The arguments are those of every list, and read as such.
        Connection::root(ctx).await.map(Some)
    }

    /// How far the workspace has come with setting itself up.
    async fn setup(&self, ctx: &Context<'_>) -> Nullable<WorkspaceSetup> {
        let scope = ctx.scope();
        let tenant = scope.get::<tenant::Entity>(scope.actor().tenant()).await?;
        let completed = tenant.settings.setup.completed;
        let next_step = if completed || !ctx.may(Action::SetUp) {
            None
        } else {
            let (credentials, integrations) = futures_util::try_join!(
                scope.count_by(Counted::Credentials, None),
                scope.count_by(Counted::Integrations, None),
            )?;
            let done = Done {
                name: tenant.name != tenant.slug,
                provider: credentials.of(CredentialKind::AiProvider) > 0,
                integration: integrations.of(IntegrationStatus::Connected) > 0,
            };
            Some(setup::next_step(done, &tenant.settings.setup.skipped))
        };
        Ok(Some(WorkspaceSetup {
            completed,
            next_step,
        }))
    }
}

/// How far a workspace has come with setting itself up.
#[derive(SimpleObject)]
pub struct WorkspaceSetup {
    /// Whether it is finished, or was skipped.
    completed: bool,
    /// The first step that is neither done nor passed over; null when it is completed, and for who may not take the steps.
    next_step: Option<SetupStep>,
}
