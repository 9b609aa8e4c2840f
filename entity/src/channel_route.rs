//! `channel_routes`: which messages go where.

use crate::prelude::*;

text_enum! {
    /// What a routed message is.
    RouteMessageType {
        /// A brief, plan or result that waits for a decision.
        ApprovalRequest,
        /// A question from an agent.
        Clarification,
        /// A failure that a person must look at.
        Escalation,
        /// A new plan in a few sentences.
        PlanSummary,
        /// How far the work has come.
        ProgressUpdate,
        /// Any other notification.
        Notification,
        /// A day or a week in one message.
        Digest,
    }
}

text_enum! {
    /// How a routed message travels.
    RouteChannel {
        /// Slack.
        Slack,
        /// Google Chat.
        Gchat,
        /// Microsoft Teams.
        Teams,
        /// E-mail.
        Email,
        /// WhatsApp.
        Whatsapp,
        /// SMS.
        Sms,
    }
}

/// A rule that says where messages go. The most specific one that fits wins: project and role, project, role, neither.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "channel_routes", rename_all = "camelCase")]
#[graphql(name = "ChannelRouteRow")]
pub struct Model {
    /// The route's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The project whose messages it takes; null takes those of every project.
    pub project_id: Option<Id>,
    /// The role whose messages it takes; null takes those of every role.
    pub role_slug: Option<String>,
    /// What it takes; null takes messages of every type.
    pub message_type: Option<RouteMessageType>,
    /// The connection it sends through; null for e-mail and SMS, which need none.
    pub connection_id: Option<Id>,
    /// How the messages travel.
    pub channel: RouteChannel,
    /// Where they go: a channel's id, an address or a telephone number.
    pub target: String,
    /// Whether they go to a person directly rather than to a channel.
    pub is_dm: bool,
    /// Whether it is in force.
    pub enabled: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(ChannelRoute);
