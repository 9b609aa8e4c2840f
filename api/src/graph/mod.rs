//! The API: the tree of files is the tree of the schema, one file per table.
//!
//! `node!` says all that a table's file says: which columns can be filtered and sorted, which relations it has, which
//! columns are large. Lists, batching, paging, counting and tenancy are generic and come with it.

mod code_graph;
mod comparison;
mod connection;
mod constraints;
mod filter_argument;
#[macro_use]
mod macros;
mod root;

mod activity;
mod agent_job;
mod agent_role;
mod agent_session;
mod agent_streams;
mod agent_task;
mod agent_token;
mod analytics;
mod api_usage;
mod approval;
mod approval_queue;
mod audit_log;
mod auth_token;
mod channel_route;
mod clarification_request;
mod credential;
mod dashboard;
mod effective;
mod execution_plan;
mod figures;
mod goal;
mod google_oauth_token;
mod idempotency_key;
mod integration_connection;
mod invitation;
mod measured;
mod meeting;
mod node;
mod notification;
mod notification_subscription;
mod prd;
mod prd_content;
mod prd_symbol_link;
mod project;
mod project_graph;
mod queue_stream;
mod return_on_investment;
mod row;
mod row_streams;
mod scheduled_job;
mod search;
mod segments;
mod session;
mod shared;
mod skill;
mod skill_package;
mod spending;
mod subagent_definition;
mod subscription;
mod tenant;
mod ticket;
mod ticket_dependency;
mod transcript;
mod usage;
mod usage_figures;
mod user;
mod viewer;
mod whisper_transcription;
mod write;

pub(crate) use connection::Cursor;
pub(crate) use figures::Date;
pub(crate) use macros::{as_named_in_rust, named};
pub(crate) use node::large_columns;
pub use root::{Schema, schema, sdl, sdl_of};
pub(crate) use session::{ACCESS_COOKIE, PUBLIC, REFRESH_COOKIE, Visitor};

/// What every file of the schema imports: the macro's parts, and every type that a relation may lead to.
mod prelude {
    pub(super) use super::{
        Ctx as _, Nullable,
        agent_job::AgentJob,
        agent_role::AgentRole,
        agent_session::AgentSession,
        agent_task::AgentTask,
        agent_token::AgentToken,
        api_usage::ApiUsage,
        approval::Approval,
        audit_log::AuditLog,
        auth_token::AuthToken,
        channel_route::ChannelRoute,
        clarification_request::ClarificationRequest,
        comparison::{
            BigIntFilter, BooleanFilter, DateTimeFilter, EnumFilter, FloatFilter, IdFilter,
            IntFilter, StringFilter,
        },
        connection::{Connection, Cursor, Order},
        credential::CredentialVault,
        execution_plan::ExecutionPlan,
        filter_argument::FilterArgument,
        goal::Goal,
        google_oauth_token::GoogleOAuthToken,
        idempotency_key::IdempotencyKey,
        integration_connection::IntegrationConnection,
        invitation::Invitation,
        meeting::Meeting,
        node::AnyNode,
        notification::Notification,
        notification_subscription::NotificationSubscription,
        prd::PRD,
        prd_symbol_link::PRDSymbolLink,
        project::Project,
        project_graph::ProjectGraph,
        scheduled_job::ScheduledJob,
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

use crate::{
    auth::{Action, authorize},
    error::Result,
    store::{Filter, Place, Scope},
};
use async_graphql::{Context, InputObject, InputType, OutputType, TypeName};
use entity::{Id, Owned};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait,
    sea_query::{Expr, ExprTrait, Func},
};
use std::{borrow::Cow, sync::Arc};

/// A type of the API that stands for a row of a table.
pub trait Node:
    OutputType + From<Arc<<Self::Entity as EntityTrait>::Model>> + Send + Sync + 'static
{
    /// The table.
    type Entity: Owned;
    /// What narrows a list of it.
    type Filter: Filter<Self::Entity>;
    /// What a list of it can be sorted by.
    type OrderField: connection::OrderField<Entity = Self::Entity>;
    /// Lists begin with the largest value of this column unless told otherwise.
    const NEWEST_BY: <Self::Entity as EntityTrait>::Column;
    /// The fields that are read only when selected, because they can be large.
    const LARGE: &'static [&'static str];
}

/// What a nullable field answers with. One that fails is null, and what is around it stays: [`measured`] sees to that,
/// because the library would make its parent null.
pub(crate) type Nullable<T> = async_graphql::Result<Option<T>>;

/// What rows of a to-many relation must satisfy. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
#[graphql(name_type)]
pub struct ManyFilter<F: InputType> {
    /// At least one row does.
    pub(crate) some: Option<F>,
    /// No row does.
    pub(crate) none: Option<F>,
    /// Every row does; also true when there is none. A row whose value is missing satisfies no comparison but `isNull`,
    /// `ne` and `nin`.
    pub(crate) every: Option<F>,
}

impl<F: InputType> TypeName for ManyFilter<F> {
    fn type_name() -> Cow<'static, str> {
        F::type_name().replace("Filter", "ManyFilter").into()
    }
}

impl<F: InputType + Send + Sync> ManyFilter<F> {
    /// The filter as SQL, about the rows whose `theirs` is this row's `ours`.
    pub(crate) fn condition<E: Owned>(
        &self,
        theirs: E::Column,
        ours: impl ColumnTrait,
        place: Place<'_>,
    ) -> Result<Condition>
    where
        F: Filter<E>,
    {
        let exists = |filter: &F| place.exists::<E>(theirs, ours, |inner| filter.condition(inner));
        let exists_not = |filter: &F| {
            place.exists::<E>(theirs, ours, |inner| {
                Ok(Condition::all().add(untrue(filter.condition(inner)?)))
            })
        };
        let mut all = Condition::all();
        if let Some(filter) = &self.some {
            all = all.add(exists(filter)?);
        }
        if let Some(filter) = &self.none {
            all = all.add(exists(filter)?.not());
        }
        if let Some(filter) = &self.every {
            all = all.add(exists_not(filter)?.not());
        }
        Ok(all)
    }
}

/// `and`, `or` and `not` of a filter. An empty `or` holds for nothing.
pub(crate) fn logic<E: Owned, F: Filter<E>>(
    and: &Option<Vec<F>>,
    or: &Option<Vec<F>>,
    not: Option<&F>,
    place: Place<'_>,
) -> Result<Condition> {
    let mut all = Condition::all();
    for filter in and.iter().flatten() {
        all = all.add(filter.condition(place)?);
    }
    if let Some(or) = or {
        let mut any = Condition::any().add(Expr::cust("1 = 0"));
        for filter in or {
            any = any.add(filter.condition(place)?);
        }
        all = all.add(any);
    }
    if let Some(not) = not {
        all = all.add(untrue(not.condition(place)?));
    }
    Ok(all)
}

/// "This is not so." SQL knows a third answer, for what is compared with NULL; for people that is not so either.
///
/// Only what stands below a negation must be asked this way. Anywhere else the third answer keeps no row, as false does,
/// and a plain condition can use an index.
fn untrue(condition: Condition) -> Expr {
    Expr::from(Func::coalesce([condition.into(), Expr::cust("FALSE")])).not()
}

/// A foreign key, which may be null.
pub(crate) trait Key {
    /// The id it holds.
    fn key(&self) -> Option<&Id>;
}

impl Key for Id {
    fn key(&self) -> Option<&Id> {
        Some(self)
    }
}

impl Key for Option<Id> {
    fn key(&self) -> Option<&Id> {
        self.as_ref()
    }
}

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
