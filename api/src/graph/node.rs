//! The `Node` interface: any row by its id.

use super::{
    Node, constraints::size, describe, found::found, object, prelude::*, row::Shown,
    row_type::RowType,
};
use crate::auth::rows;
use async_graphql::{
    ContextSelectionSet, Object, OutputType, Positioned, ServerResult, Value, parser::types::Field,
    registry::Registry,
};
use entity::Id;
use std::borrow::Cow;

/// Lists every type that has an id.
macro_rules! nodes {
    ($($name:ident),* $(,)?) => {
        const NODES: &[fn() -> &'static RowType] = &[$(<$name as Node>::row_type),*];
    };
}

/// Every type that stands for a table's rows.
pub(crate) fn row_types() -> impl Iterator<Item = &'static RowType> {
    NODES.iter().map(|row_type| row_type())
}

/// Anything with an id.
pub struct AnyNode(Shown);

impl AnyNode {
    /// The row of a kind with an id, if the tenant has it and the actor sees it.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn load(
        ctx: &Context<'_>,
        kind: &str,
        id: &Id,
    ) -> crate::Result<Option<Self>> {
        let Some(row_type) = row_types().find(|row_type| row_type.name() == kind) else {
            return Ok(None);
        };
        let shape = row_type.shape();
        if rows(ctx.scope().actor(), shape.table).is_err() {
            return Ok(None);
        }
        Ok(found(ctx, row_type, shape.id(), id).await?.map(Self))
    }
}

impl OutputType for AnyNode {
    fn type_name() -> Cow<'static, str> {
        describe::NODE.into()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.row_type.name().into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        describe::register_node(registry, row_types());
        Self::qualified_type_name()
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        object::resolve(ctx, &self.0).await
    }
}

nodes! {
    Tenant,
    User,
    Invitation,
    GoogleOAuthToken,
    AgentToken,
    ServiceToken,
    AuthToken,
    IdempotencyKey,
    AgentSession,
    AuditLog,
    Project,
    ProjectGraph,
    Goal,
    Meeting,
    Transcript,
    WhisperTranscription,
    Skill,
    SkillPackage,
    SubagentDefinition,
    AgentRole,
    AgentRoleVersion,
    PRD,
    PRDSymbolLink,
    ExecutionPlan,
    Ticket,
    TicketDependency,
    AgentJob,
    AgentJobEvent,
    AgentTask,
    Approval,
    ClarificationRequest,
    CredentialVault,
    IntegrationConnection,
    ChannelRoute,
    Notification,
    NotificationSubscription,
    ScheduledJob,
    ApiUsage,
    ModelPrice,
    BudgetCounter,
    BudgetReservation,
}

/// Finds rows of any type.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The row with this id, whatever its type; null when your workspace has none.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: Id,
    ) -> Nullable<AnyNode> {
        Ok(find(ctx, &id).await?)
    }

    /// The rows with these ids, in this order; null where your workspace has none.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 200 ids.", directive = size::apply(0, 200))] ids: Vec<Id>,
    ) -> Result<Vec<Option<AnyNode>>> {
        let found = ids.iter().map(|id| find(ctx, id));
        Ok(futures_util::future::try_join_all(found).await?)
    }
}

async fn find(ctx: &Context<'_>, id: &Id) -> crate::Result<Option<AnyNode>> {
    match ctx.scope().kind(id).await? {
        Some(kind) => AnyNode::load(ctx, &kind, id).await,
        None => Ok(None),
    }
}
