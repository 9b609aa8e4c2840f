//! Who is asking, and what every page shows of that.

use super::connection::ListArgs;
use super::notification::{NotificationFilter, NotificationOrderField};
use super::prelude::*;
use super::shared::count;
use crate::{
    auth::Action,
    domain::setup::{self, Step},
    store::{Counted, PageArgs},
};
use async_graphql::{Enum, Object, SimpleObject};
use entity::{
    agent_token, credential::CredentialKind, integration_connection::IntegrationStatus,
    notification, tenant, user,
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

/// Who is asking: the person or agent behind the token, and their workspace.
#[Object]
impl Viewer {
    /// The person; null when an agent asks.
    async fn user(&self, ctx: &Context<'_>) -> Nullable<User> {
        match ctx.scope().actor().user_id() {
            Some(id) => Ok(ctx.scope().find::<user::Entity>(id).await?.map(User::from)),
            None => Ok(None),
        }
    }

    /// The agent's token; null when a person asks.
    async fn agent_token(&self, ctx: &Context<'_>) -> Nullable<AgentToken> {
        match ctx.scope().actor().agent_token_id() {
            Some(id) => {
                let token = ctx.scope().find::<agent_token::Entity>(id).await?;
                Ok(token.map(AgentToken::from))
            }
            None => Ok(None),
        }
    }

    /// The workspace that everything else in this operation is about.
    async fn tenant(&self, ctx: &Context<'_>) -> Nullable<Tenant> {
        let scope = ctx.scope();
        Ok(scope
            .find::<tenant::Entity>(scope.actor().tenant())
            .await?
            .map(Tenant::from))
    }

    /// How many notifications the bell shows: those in the dashboard itself, for the person or for everyone, that were
    /// neither read nor put away.
    async fn unread_notification_count(&self, ctx: &Context<'_>) -> Nullable<i32> {
        let scope = ctx.scope();
        let unread = NotificationFilter::unread();
        let list = scope.list::<notification::Entity, _>(
            None,
            Some(&unread),
            Vec::new(),
            &PageArgs::default(),
        )?;
        Ok(Some(count(scope.count(None, &list).await?)))
    }

    /// Notifications for the person or for everyone, on every channel.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many rows from the start: 50 if not given, at most 200.")]
        first: Option<i32>,
        #[graphql(desc = "Start after this cursor; goes with `first`.")] after: Option<Cursor>,
        #[graphql(desc = "So many rows from the end, at most 200.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor; goes with `last`.")] before: Option<Cursor>,
        #[graphql(desc = "Only rows that satisfy this.")] filter: FilterArgument<
            NotificationFilter,
        >,
        #[graphql(desc = "The order; newest first if not given.")] order_by: Option<
            Vec<Order<NotificationOrderField>>,
        >,
    ) -> Nullable<Connection<Notification>> {
        let args: ListArgs<Notification> = list_args!(first, after, last, before, filter, order_by);
        args.connect(ctx, None).await
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
            let step = setup::next_step(
                tenant.name != tenant.slug,
                credentials.of(CredentialKind::AiProvider) > 0,
                integrations.of(IntegrationStatus::Connected) > 0,
            );
            Some(step.into())
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
    /// The first step that is not done; null when it is completed, and for who may not take the steps.
    next_step: Option<SetupStep>,
}

/// A step of setting a workspace up, in the order in which they are taken.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Step")]
pub enum SetupStep {
    /// Give the workspace a name of its own; until then it is called like its slug.
    WorkspaceName,
    /// Store the key of a provider of language models.
    AiProvider,
    /// Connect a first outside service.
    FirstIntegration,
    /// Look it over and say that it is finished.
    Finish,
}
