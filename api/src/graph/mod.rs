//! The API: the tree of files is the tree of the schema, one file per table.
//!
//! `node!` says all that a table's file says: which columns can be filtered and sorted, which relations it has, which
//! columns are large. Lists, batching, paging, counting and tenancy are generic and come with it.

mod code_graph;
mod comparison;
mod connection;
mod constraints;
mod describe;
mod filter;
mod filter_argument;
#[macro_use]
mod macros;
mod root;

mod activity;
mod agent_job;
mod agent_job_event;
mod agent_role;
mod agent_role_version;
mod agent_role_writes;
mod agent_session;
mod agent_signs;
mod agent_streams;
mod agent_task;
mod agent_token;
mod agent_work;
mod ai_provider;
mod analytics;
mod api_usage;
mod approval;
mod approval_queue;
mod audit_log;
mod auth_token;
mod background_task;
mod brief_template;
mod budget;
mod budget_counter;
mod budget_reservation;
mod by_slug;
mod channel_route;
mod claim;
mod clarification_request;
mod cost;
mod counter_streams;
mod credential;
mod dashboard;
mod decisions;
mod effective;
mod execution_plan;
mod figures;
mod found;
mod goal;
mod google_oauth_token;
mod idempotency_key;
mod integration_connection;
mod invitation;
mod joining;
mod measured;
mod meeting;
mod model_price;
mod node;
mod notification;
mod notification_subscription;
mod object;
mod order;
mod prd;
mod prd_content;
mod prd_symbol_link;
mod prd_writes;
mod presence_streams;
mod progress;
mod project;
mod project_archive;
mod project_graph;
mod queue_stream;
mod reply;
mod return_on_investment;
mod row;
mod row_streams;
mod row_type;
mod scheduled_job;
mod search;
mod segments;
mod selected;
mod service_token;
mod session;
mod shared;
mod shelves;
mod skill;
mod skill_package;
mod skill_package_writes;
mod skill_writes;
mod spending;
mod steps;
mod subagent_definition;
mod subagent_writes;
mod subscription;
mod tables;
mod tenant;
mod ticket;
mod ticket_dependency;
mod ticket_writes;
mod transcript;
mod usage;
mod usage_figures;
mod user;
mod viewer;
mod whisper_transcription;
mod why_unclaimed;
mod workspace;
mod write;

pub(crate) use connection::Cursor;
pub(crate) use figures::Date;
pub(crate) use macros::{as_named_in_rust, named, resolved_as_row};
pub(crate) use node::row_types;
pub use root::{Schema, schema, sdl, sdl_of};
pub(crate) use selected::Selected;
pub(crate) use session::{ACCESS_COOKIE, PUBLIC, REFRESH_COOKIE, Visitor};

/// What every file of the schema imports: the macro's parts, and every type that a relation may lead to.
mod prelude {
    pub(super) use super::{
        Ctx as _, Node as _, Nullable, OfRow as _,
        agent_job::AgentJob,
        agent_job_event::AgentJobEvent,
        agent_role::AgentRole,
        agent_role_version::AgentRoleVersion,
        agent_session::AgentSession,
        agent_task::AgentTask,
        agent_token::AgentToken,
        api_usage::ApiUsage,
        approval::Approval,
        audit_log::AuditLog,
        auth_token::AuthToken,
        budget_counter::BudgetCounter,
        budget_reservation::BudgetReservation,
        channel_route::ChannelRoute,
        clarification_request::ClarificationRequest,
        comparison::{
            BigIntFilter, BooleanFilter, DateTimeFilter, EnumFilter, FloatFilter, IdFilter,
            IntFilter, StringFilter,
        },
        connection::{Connection, Cursor},
        credential::CredentialVault,
        execution_plan::ExecutionPlan,
        filter::FilterOf,
        filter_argument::FilterArgument,
        goal::Goal,
        google_oauth_token::GoogleOAuthToken,
        idempotency_key::IdempotencyKey,
        integration_connection::IntegrationConnection,
        invitation::Invitation,
        meeting::Meeting,
        model_price::ModelPrice,
        node::AnyNode,
        notification::Notification,
        notification_subscription::NotificationSubscription,
        prd::PRD,
        prd_symbol_link::PRDSymbolLink,
        project::Project,
        project_graph::ProjectGraph,
        scheduled_job::ScheduledJob,
        service_token::ServiceToken,
        skill::Skill,
        skill_package::SkillPackage,
        subagent_definition::SubagentDefinition,
        tenant::Tenant,
        ticket::Ticket,
        ticket_dependency::TicketDependency,
        transcript::Transcript,
        user::User,
        whisper_transcription::WhisperTranscription,
    };
    pub(super) use async_graphql::{Context, Result};
    pub(super) use std::sync::Arc;
}

use self::row_type::RowType;
use crate::{
    auth::{Action, authorize},
    error::Result,
    store::{Row, Scope},
};
use async_graphql::{ContainerType, Context, OutputType};
use entity::{Id, Owned};
use sea_orm::EntityTrait;
use std::sync::Arc;

/// A type of the API that stands for a row of a table.
pub(crate) trait Node: OutputType + From<Arc<Row>> + 'static {
    /// The table.
    type Entity: Owned;

    /// The type as data.
    fn row_type() -> &'static RowType;

    /// A row that was read whole.
    fn of(model: &<Self::Entity as EntityTrait>::Model) -> Self {
        Self::from(Arc::new(Row::of::<Self::Entity>(model)))
    }
}

/// What a type shows of a row that is not simply one of its columns.
pub(crate) trait OfRow {
    /// The table.
    type Entity: Owned;

    /// The row as it was read.
    fn shown(&self) -> &Row;

    /// The row.
    ///
    /// # Errors
    /// When it was not read whole, which it is wherever a field asks for this.
    fn row(&self) -> Result<<Self::Entity as EntityTrait>::Model> {
        self.shown().model::<Self::Entity>()
    }

    /// The row's id.
    ///
    /// # Errors
    /// When it has none.
    fn id(&self) -> Result<Id> {
        self.shown().id()
    }
}

/// A field of a row's entity, for what has no shape that [`row_type`] knows.
pub(crate) fn plain<'a, E>(row: &'a Arc<Row>, ctx: &'a Context<'a>) -> object::Resolving<'a>
where
    E: Owned<Model: ContainerType>,
{
    Box::pin(async move {
        let model = row
            .model::<E>()
            .map_err(|error| object::failed(ctx, error))?;
        model.resolve_field(ctx).await
    })
}

/// What a nullable field answers with. One that fails is null, and what is around it stays: [`measured`] sees to that,
/// because the library would make its parent null.
pub(crate) type Nullable<T> = async_graphql::Result<Option<T>>;

/// The operation's scope, from anywhere in a resolver.
pub(crate) trait Ctx {
    /// What the operation can reach.
    fn scope(&self) -> &Scope;

    /// Whether the actor's role allows something.
    fn may(&self, action: Action) -> bool {
        authorize(self.scope().actor(), action).is_ok()
    }
}

impl Ctx for Context<'_> {
    fn scope(&self) -> &Scope {
        self.data_unchecked()
    }
}
