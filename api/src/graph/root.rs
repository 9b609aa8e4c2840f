//! The roots of the schema, and what is asked of the operation rather than of a table.

use super::{
    activity::ActivitySubscription,
    agent_job::AgentJobQuery,
    agent_role::AgentRoleQuery,
    agent_session::AgentSessionQuery,
    agent_streams::AgentSubscription,
    agent_task::AgentTaskQuery,
    agent_token::{AgentTokenMutation, AgentTokenQuery},
    analytics::AnalyticsQuery,
    api_usage::ApiUsageQuery,
    approval::ApprovalQuery,
    approval_queue::ApprovalQueueQuery,
    audit_log::AuditLogQuery,
    auth_token::AuthTokenQuery,
    channel_route::ChannelRouteQuery,
    clarification_request::ClarificationRequestQuery,
    code_graph::CodeGraphs,
    connection::Cursor,
    credential::CredentialVaultQuery,
    dashboard::DashboardQuery,
    effective::EffectiveQuery,
    execution_plan::{ExecutionPlanMutation, ExecutionPlanQuery},
    goal::{GoalMutation, GoalQuery},
    google_oauth_token::GoogleOAuthTokenQuery,
    idempotency_key::IdempotencyKeyQuery,
    integration_connection::IntegrationConnectionQuery,
    invitation::InvitationQuery,
    measured::Measured,
    meeting::{MeetingMutation, MeetingQuery},
    node::NodeQuery,
    notification::NotificationQuery,
    notification_subscription::NotificationSubscriptionQuery,
    prd::{PRDMutation, PRDQuery},
    prd_symbol_link::PRDSymbolLinkQuery,
    prelude::*,
    project::{ProjectMutation, ProjectQuery},
    project_graph::ProjectGraphQuery,
    queue_stream::ApprovalQueueSubscription,
    row_streams::RowSubscription,
    scheduled_job::{ScheduledJobQuery, ScheduledJobTypeQuery},
    search::SearchQuery,
    session::{SessionMutation, SessionsMutation},
    skill::SkillQuery,
    skill_package::SkillPackageQuery,
    spending::SpendingQuery,
    subagent_definition::SubagentDefinitionQuery,
    tenant::TenantQuery,
    ticket::{TicketMutation, TicketQuery},
    ticket_dependency::TicketDependencyQuery,
    transcript::TranscriptQuery,
    usage::UsageQuery,
    user::UserQuery,
    viewer::ViewerQuery,
    whisper_transcription::WhisperTranscriptionQuery,
};
use crate::live::Operations;
use async_graphql::{MergedObject, MergedSubscription, Object, SDLExportOptions, ValidationMode};

/// How deep selections may be nested at most: deeper than the guard lets any.
const NESTING: usize = 200;

/// The schema.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// What can be read. An operation sees one moment of the database, however many fields it asks for.
#[derive(MergedObject, Default)]
pub struct Query(
    OperationQuery,
    ViewerQuery,
    DashboardQuery,
    ApprovalQueueQuery,
    NodeQuery,
    SearchQuery,
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
    ScheduledJobTypeQuery,
    ApiUsageQuery,
    UsageQuery,
    SpendingQuery,
    AnalyticsQuery,
    EffectiveQuery,
);

/// What can be changed. Each field is a transaction of its own; they run one after the other.
#[derive(MergedObject, Default)]
pub struct Mutation(
    SessionMutation,
    SessionsMutation,
    AgentTokenMutation,
    ProjectMutation,
    GoalMutation,
    MeetingMutation,
    PRDMutation,
    ExecutionPlanMutation,
    TicketMutation,
);

/// What can be followed, over a WebSocket or as server-sent events. Everything here is the ledger or a view of it: it can
/// be resumed by a cursor, and what each stream hands over is complete and in order.
#[derive(MergedSubscription, Default)]
pub struct Subscription(
    ActivitySubscription,
    RowSubscription,
    ApprovalQueueSubscription,
    AgentSubscription,
);

/// What concerns the operation itself.
#[derive(Default)]
pub struct OperationQuery;

#[Object]
impl OperationQuery {
    /// The position of the ledger that this operation's answer is true for. Load a page, then follow the ledger from
    /// here, and nothing is missed or repeated.
    async fn feed_cursor(&self, ctx: &Context<'_>) -> Nullable<Cursor> {
        let scope = ctx.scope();
        let head = scope.head().await?;
        Ok(Some(Cursor::position(scope, head)))
    }
}

/// Builds the schema.
pub fn schema() -> Schema {
    // What is executed was judged before, so the library need not: its validation walks a fragment as often as it is
    // spread, and lets pass what the specification does not.
    Schema::build(
        Query::default(),
        Mutation::default(),
        Subscription::default(),
    )
    .validation_mode(ValidationMode::Fast)
    .limit_recursive_depth(NESTING)
    .extension(Measured)
    .data(CodeGraphs::default())
    .data(Operations::default())
    .finish()
}

/// The schema in the schema language, as in `schema.graphql`.
pub fn sdl() -> String {
    sdl_of(&schema())
}

/// A schema in the schema language.
pub fn sdl_of(schema: &Schema) -> String {
    schema.sdl_with_options(SDLExportOptions::new().include_specified_by())
}
