//! The `Node` interface: any row by its id.

use super::constraints::size;
use super::{Ctx as _, Node, prelude::*};
use crate::store::Scope;
use async_graphql::{Interface, Object};
use entity::{Id, Owned};

/// Lists every type that has an id.
macro_rules! nodes {
    ($($name:ident in $entity:ident),* $(,)?) => {
        /// Anything with an id.
        #[derive(Interface)]
        #[graphql(name = "Node", field(name = "id", ty = "Id", desc = "The id, unique over all types."))]
        pub enum AnyNode {
            $(
                #[doc = concat!("A `", stringify!($name), "`.")]
                $name($name),
            )*
        }

        impl AnyNode {
            /// The row of a kind with an id, if the tenant has it and the actor sees it.
            ///
            /// # Errors
            /// If the database fails.
            pub(super) async fn load(scope: &Scope, kind: &str, id: &Id) -> crate::Result<Option<Self>> {
                $(if kind == <entity::$entity::Entity as Owned>::KIND {
                    if scope.sees::<entity::$entity::Entity>().is_err() {
                        return Ok(None);
                    }
                    let row = scope.find::<entity::$entity::Entity>(id).await?;
                    return Ok(row.map(|row| Self::$name(row.into())));
                })*
                Ok(None)
            }
        }

        /// The fields of each type that can be large.
        pub(crate) fn large_columns() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
            [$((stringify!($name), <$name as Node>::LARGE)),*].into_iter()
        }
    };
}

nodes! {
    Tenant in tenant,
    User in user,
    Invitation in invitation,
    GoogleOAuthToken in google_oauth_token,
    AgentToken in agent_token,
    AuthToken in auth_token,
    IdempotencyKey in idempotency_key,
    AgentSession in agent_session,
    AuditLog in audit_log,
    Project in project,
    ProjectGraph in project_graph,
    Goal in goal,
    Meeting in meeting,
    Transcript in transcript,
    WhisperTranscription in whisper_transcription,
    Skill in skill,
    SkillPackage in skill_package,
    SubagentDefinition in subagent_definition,
    AgentRole in agent_role,
    PRD in prd,
    PRDSymbolLink in prd_symbol_link,
    ExecutionPlan in execution_plan,
    Ticket in ticket,
    TicketDependency in ticket_dependency,
    AgentJob in agent_job,
    AgentTask in agent_task,
    Approval in approval,
    ClarificationRequest in clarification_request,
    CredentialVault in credential,
    IntegrationConnection in integration_connection,
    ChannelRoute in channel_route,
    Notification in notification,
    NotificationSubscription in notification_subscription,
    ScheduledJob in scheduled_job,
    ApiUsage in api_usage,
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
        Ok(find(ctx.scope(), &id).await?)
    }

    /// The rows with these ids, in this order; null where your workspace has none.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 200 ids.", directive = size::apply(0, 200))] ids: Vec<Id>,
    ) -> Result<Vec<Option<AnyNode>>> {
        let found = ids.iter().map(|id| find(ctx.scope(), id));
        Ok(futures_util::future::try_join_all(found).await?)
    }
}

async fn find(scope: &Scope, id: &Id) -> crate::Result<Option<AnyNode>> {
    match scope.kind(id).await? {
        Some(kind) => AnyNode::load(scope, &kind, id).await,
        None => Ok(None),
    }
}
