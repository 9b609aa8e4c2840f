//! Which messages go where.

use super::{
    constraints::length,
    prelude::*,
    shared::project_asked,
    write::{Delete, Once, Write, deletions, mutations},
};
use crate::{
    auth::Action,
    domain::route,
    error::Error,
    store::{Message, Tx},
    workflow::{active_role, all_of},
};
use async_graphql::{InputObject, Object};
use entity::{
    Id,
    channel_route::{self, ActiveModel, Column, Entity, Model, RouteChannel, RouteMessageType},
    integration_connection, project,
};
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    sea_query::{Expr, ExprTrait},
};

node! {
    /// A rule that says where messages go. The most specific one that fits wins: project and role, project, role, neither.
    ChannelRoute in channel_route (channel_route, channel_routes) {
        columns {
            id: IdFilter,
            project_id: IdFilter,
            role_slug: StringFilter,
            message_type: EnumFilter<channel_route::RouteMessageType>,
            connection_id: IdFilter,
            channel: EnumFilter<channel_route::RouteChannel>,
            target: StringFilter,
            is_dm: BooleanFilter,
            enabled: BooleanFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The project it routes for; null for the whole workspace.
            project: Project by project_id,
            /// The service it goes through; null for e-mail and text messages.
            connection: IntegrationConnection by connection_id,
        }
    }
}

/// Where some messages go.
#[derive(InputObject, Clone)]
pub struct SetChannelRouteInput {
    /// The project whose messages it takes; left out or null, those of every project.
    project_id: Option<Id>,
    /// The role whose messages it takes, such as `ba_agent`; left out or null, those of every role.
    #[graphql(directive = length::apply(1, 64))]
    role_slug: Option<String>,
    /// What it takes; left out or null, messages of every type.
    message_type: Option<RouteMessageType>,
    /// How the messages travel.
    channel: RouteChannel,
    /// The connection they go through: needed for Slack, Google Chat and Teams, and of that service. None for e-mail; for SMS
    /// and WhatsApp one to Twilio, or none.
    connection_id: Option<Id>,
    /// Where they go: a channel's id, an address or a telephone number, in 1 to 200 characters.
    target: String,
    /// Whether they go to a person directly rather than to a channel; left out, questions and escalations do.
    is_dm: Option<bool>,
    /// Whether it is in force; left out, it is.
    enabled: Option<bool>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for SetChannelRouteInput {
    type Entity = Entity;
    const ACTION: Action = Action::SetUp;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<Model> {
        let target = route::target(self.channel, &self.target)?;
        // Two that set the same route set one.
        tx.lock_workspace().await?;
        tx.keep_some::<project::Entity>(self.project_id.as_ref())
            .await?;
        if let Some(slug) = &self.role_slug {
            active_role(tx, "roleSlug", slug).await?;
        }
        let connection = tx
            .keep_some::<integration_connection::Entity>(self.connection_id.as_ref())
            .await?;
        goes_through(self.channel, connection.as_ref())?;
        let is_dm = self
            .is_dm
            .unwrap_or_else(|| route::is_for_a_person(self.message_type));
        let changes = ActiveModel {
            connection_id: Set(self.connection_id),
            target: Set(target),
            is_dm: Set(is_dm),
            enabled: Set(self.enabled.unwrap_or(true)),
            ..Default::default()
        };
        let same = tx.rows::<Entity>(|place| {
            let is = |column: Column, value: Option<&str>| -> Expr {
                match value {
                    Some(value) => place.column(column).eq(value),
                    None => place.column(column).is_null(),
                }
            };
            let kind = self.message_type.map(|kind| kind.to_value());
            all_of(is(
                Column::ProjectId,
                self.project_id.as_ref().map(Id::as_str),
            ))
            .add(is(Column::RoleSlug, self.role_slug.as_deref()))
            .add(is(Column::MessageType, kind.as_deref()))
            .add(is(Column::Channel, Some(&self.channel.to_value())))
        });
        match same.await?.pop() {
            Some(same) => tx.update(&same, changes, "channel_route.edited").await,
            None => {
                let row = ActiveModel {
                    project_id: Set(self.project_id),
                    role_slug: Set(self.role_slug),
                    message_type: Set(self.message_type),
                    channel: Set(self.channel),
                    ..changes
                };
                tx.insert(row, "channel_route.created").await
            }
        }
    }
}

/// Refuses a connection that a channel's messages cannot go through.
fn goes_through(
    channel: RouteChannel,
    connection: Option<&integration_connection::Model>,
) -> crate::Result<()> {
    use integration_connection::IntegrationName::{Email, Twilio};
    let needed = route::service(channel);
    let is_right = match (channel, connection) {
        (_, None) => needed.is_none(),
        (RouteChannel::Email, Some(connection)) => connection.name == Email,
        (RouteChannel::Sms | RouteChannel::Whatsapp, Some(connection)) => connection.name == Twilio,
        (_, Some(connection)) => Some(connection.name) == needed,
    };
    match is_right {
        true => Ok(()),
        false => Err(Error::bad_input(
            "connectionId",
            match needed {
                Some(_) => "must be a connection to the service that the channel is of",
                None => "is not of a service that the channel's messages go through; leave it out",
            },
        )),
    }
}

/// Which route.
#[derive(InputObject, Clone)]
pub struct DeleteChannelRouteInput {
    /// The route's id.
    id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Delete for DeleteChannelRouteInput {
    const ACTION: Action = Action::SetUp;

    fn id(&self) -> &Id {
        &self.id
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<()> {
        let row = tx.get::<Entity>(&self.id).await?;
        tx.delete::<Entity>(&row, "channel_route.deleted")
            .await
            .map(drop)
    }
}

mutations! { ChannelRouteMutation {
    /// Says where some messages go. Of the same project, role, type and channel there is one route, which is changed when it is
    /// set again.
    set_channel_route(SetChannelRouteInput) -> SetChannelRoutePayload { channel_route: ChannelRoute };
} }

deletions! { ChannelRouteDeletionMutation {
    /// Takes a route back; what it took goes by the next one that fits.
    delete_channel_route(DeleteChannelRouteInput) -> DeleteChannelRoutePayload;
} }

/// Where messages would go.
#[derive(Default)]
pub struct ChannelRouteQuery;

#[Object]
impl ChannelRouteQuery {
    /// The route that a message takes, of those in force; null when none fits. That of its project and role counts before that
    /// of its project, of its role, and of all; of equal ones, that of its type before one of all types, and then the oldest.
    async fn resolve_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the message is.")] message_type: RouteMessageType,
        #[graphql(desc = "The project it is about; left out, the one you are at work in, if any.")]
        project_id: Option<Id>,
        #[graphql(desc = "The role it comes from; left out, none.")] role_slug: Option<String>,
        #[graphql(desc = "How it travels; left out, any way.")] channel: Option<RouteChannel>,
    ) -> Nullable<ChannelRoute> {
        let scope = ctx.scope();
        let message = Message {
            project: project_asked(scope, project_id).await?,
            role: role_slug,
            kind: message_type,
            channel,
        };
        Ok(scope
            .route(&message)
            .await?
            .map(|route| ChannelRoute::of(&route)))
    }
}
