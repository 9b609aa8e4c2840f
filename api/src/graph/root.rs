//! The roots of the schema, and what is asked of the operation rather than of a table.

use super::{
    activity::ActivitySubscription,
    agent_job::AgentJobMutation,
    agent_role_writes::{AgentRoleDeletionMutation, AgentRoleMutation},
    agent_session::AgentSessionMutation,
    agent_signs::AgentSignMutation,
    agent_streams::AgentSubscription,
    agent_token::AgentTokenMutation,
    agent_work::AgentWorkMutation,
    ai_provider::{AiProviderDeletionMutation, AiProviderMutation},
    analytics::AnalyticsQuery,
    approval_queue::ApprovalQueueQuery,
    background_task::BackgroundTaskQuery,
    brief_template::BriefTemplateMutation,
    budget::BudgetQuery,
    channel_route::{ChannelRouteDeletionMutation, ChannelRouteMutation, ChannelRouteQuery},
    claim::ClaimMutation,
    clarification_request::ClarificationMutation,
    code_graph::CodeGraphs,
    connection::Cursor,
    cost::{CostMutation, ReservationMutation},
    counter_streams::CounterSubscription,
    credential::{CredentialDeletionMutation, CredentialMutation},
    dashboard::DashboardQuery,
    effective::EffectiveQuery,
    execution_plan::{ExecutionPlanDecisionMutation, ExecutionPlanMutation},
    goal::{GoalDeletionMutation, GoalMutation},
    integration_connection::{
        IntegrationMutation, IntegrationServiceQuery, IntegrationTestMutation,
    },
    invitation::InvitationMutation,
    joining::JoiningMutation,
    measured::Measured,
    meeting::MeetingMutation,
    model_price::{ModelPriceDeletionMutation, ModelPriceMutation, RepricingMutation},
    node::NodeQuery,
    notification::NotificationMutation,
    prd_symbol_link::{PRDSymbolLinkDeletionMutation, PRDSymbolLinkMutation},
    prd_writes::{PRDDecisionMutation, PRDDeletionMutation, PRDMutation},
    prelude::*,
    presence_streams::PresenceSubscription,
    project::ProjectMutation,
    project_archive::{ProjectArchiveMutation, ProjectDeletionMutation},
    queue_stream::ApprovalQueueSubscription,
    reply::{ReplyMutation, ReplyTokenMutation},
    row_streams::RowSubscription,
    scheduled_job::ScheduledJobTypeQuery,
    search::SearchQuery,
    service_token::ServiceTokenMutation,
    session::{SessionMutation, SessionsMutation},
    skill_package_writes::{SkillPackageDeletionMutation, SkillPackageMutation},
    skill_writes::{SkillDeletionMutation, SkillMutation},
    spending::SpendingQuery,
    subagent_writes::{SubagentDeletionMutation, SubagentMutation},
    tables::TablesQuery,
    tenant::TenantMutation,
    ticket::TicketDecisionMutation,
    ticket_writes::TicketMutation,
    usage::UsageQuery,
    user::{UserDeletionMutation, UserMutation},
    viewer::ViewerQuery,
    workspace::{WorkspaceDeletionMutation, WorkspaceMutation},
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
    TablesQuery,
    ScheduledJobTypeQuery,
    UsageQuery,
    SpendingQuery,
    BudgetQuery,
    AnalyticsQuery,
    EffectiveQuery,
    BackgroundTaskQuery,
    ChannelRouteQuery,
    IntegrationServiceQuery,
);

/// What can be changed. Each field is a transaction of its own; they run one after the other.
#[derive(MergedObject, Default)]
pub struct Mutation(
    SessionMutation,
    SessionsMutation,
    JoiningMutation,
    ReplyMutation,
    ReplyTokenMutation,
    AgentTokenMutation,
    ServiceTokenMutation,
    ProjectMutation,
    ProjectArchiveMutation,
    ProjectDeletionMutation,
    BriefTemplateMutation,
    GoalMutation,
    GoalDeletionMutation,
    MeetingMutation,
    InvitationMutation,
    UserMutation,
    UserDeletionMutation,
    TenantMutation,
    WorkspaceMutation,
    WorkspaceDeletionMutation,
    NotificationMutation,
    PRDMutation,
    PRDDecisionMutation,
    PRDDeletionMutation,
    PRDSymbolLinkMutation,
    PRDSymbolLinkDeletionMutation,
    ClarificationMutation,
    ExecutionPlanMutation,
    ExecutionPlanDecisionMutation,
    TicketMutation,
    TicketDecisionMutation,
    AgentRoleMutation,
    AgentRoleDeletionMutation,
    SkillMutation,
    SkillDeletionMutation,
    SkillPackageMutation,
    SkillPackageDeletionMutation,
    SubagentMutation,
    SubagentDeletionMutation,
    AgentSessionMutation,
    ClaimMutation,
    AgentWorkMutation,
    AgentJobMutation,
    AgentSignMutation,
    CostMutation,
    ReservationMutation,
    ModelPriceMutation,
    ModelPriceDeletionMutation,
    RepricingMutation,
    CredentialMutation,
    CredentialDeletionMutation,
    ChannelRouteMutation,
    ChannelRouteDeletionMutation,
    IntegrationTestMutation,
    IntegrationMutation,
    AiProviderMutation,
    AiProviderDeletionMutation,
);

/// What can be followed, over a WebSocket or as server-sent events. All but `jobProgress` and `agentPresence` is the ledger or a
/// view of it: it can be resumed by a cursor, and what each stream hands over is complete and in order.
#[derive(MergedSubscription, Default)]
pub struct Subscription(
    ActivitySubscription,
    RowSubscription,
    ApprovalQueueSubscription,
    CounterSubscription,
    AgentSubscription,
    PresenceSubscription,
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
