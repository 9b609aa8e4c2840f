//! The roots of the schema, and what is asked of the operation rather than of a table.

use super::{Ctx as _, connection::Cursor, agent_job::AgentJobQuery, agent_role::AgentRoleQuery, agent_session::AgentSessionQuery, agent_task::AgentTaskQuery, agent_token::AgentTokenQuery, api_usage::ApiUsageQuery, approval::ApprovalQuery, audit_log::AuditLogQuery, auth_token::AuthTokenQuery, channel_route::ChannelRouteQuery, clarification_request::ClarificationRequestQuery, credential::CredentialVaultQuery, execution_plan::ExecutionPlanQuery, goal::GoalQuery, google_oauth_token::GoogleOAuthTokenQuery, idempotency_key::IdempotencyKeyQuery, integration_connection::IntegrationConnectionQuery, invitation::InvitationQuery, meeting::MeetingQuery, notification::NotificationQuery, notification_subscription::NotificationSubscriptionQuery, prd::PRDQuery, prd_symbol_link::PRDSymbolLinkQuery, project::ProjectQuery, project_graph::ProjectGraphQuery, scheduled_job::ScheduledJobQuery, skill::SkillQuery, skill_package::SkillPackageQuery, subagent_definition::SubagentDefinitionQuery, tenant::TenantQuery, ticket::TicketQuery, ticket_dependency::TicketDependencyQuery, transcript::TranscriptQuery, user::UserQuery, whisper_transcription::WhisperTranscriptionQuery, node::NodeQuery, prelude::*};
use async_graphql::{EmptyMutation, EmptySubscription, MergedObject, Object, SDLExportOptions, SchemaBuilder};

/// The schema.
pub type Schema = async_graphql::Schema<Query, EmptyMutation, EmptySubscription>;

/// What can be read. An operation sees one moment of the database, however many fields it asks for.
#[derive(MergedObject, Default)]
pub struct Query(
    OperationQuery,
    NodeQuery,
    TenantQuery,
    UserQuery,
    InvitationQuery,
    GoogleOAuthTokenQuery,
    AgentTokenQuery,
    AuthTokenQuery,
    IdempotencyKeyQuery,
    AgentSessionQuery,
    AuditLogQuery,
    ProjectQuery,
    ProjectGraphQuery,
    GoalQuery,
    MeetingQuery,
    TranscriptQuery,
    WhisperTranscriptionQuery,
    SkillQuery,
    SkillPackageQuery,
    SubagentDefinitionQuery,
    AgentRoleQuery,
    PRDQuery,
    PRDSymbolLinkQuery,
    ExecutionPlanQuery,
    TicketQuery,
    TicketDependencyQuery,
    AgentJobQuery,
    AgentTaskQuery,
    ApprovalQuery,
    ClarificationRequestQuery,
    CredentialVaultQuery,
    IntegrationConnectionQuery,
    ChannelRouteQuery,
    NotificationQuery,
    NotificationSubscriptionQuery,
    ScheduledJobQuery,
    ApiUsageQuery,
);

/// What concerns the operation itself.
#[derive(Default)]
pub struct OperationQuery;

#[Object]
impl OperationQuery {
    /// The position of the ledger that this operation's answer is true for. Load a page, then follow the ledger from
    /// here, and nothing is missed or repeated.
    async fn feed_cursor(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Cursor>> {
        Ok(Some(Cursor::position(ctx.scope().head().await?)))
    }
}

/// Builds the schema.
pub fn schema() -> Schema {
    builder().finish()
}

/// The schema in the schema language, as in `schema.graphql`.
pub fn sdl() -> String {
    let options = SDLExportOptions::new();
    schema().sdl_with_options(options)
}

fn builder() -> SchemaBuilder<Query, EmptyMutation, EmptySubscription> {
    Schema::build(Query::default(), EmptyMutation, EmptySubscription).limit_depth(25)
}
