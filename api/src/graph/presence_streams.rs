//! What changes every few seconds and is in no ledger: how far a job has come, and which agents are there.

use super::{
    found::{one, rows_where},
    prelude::*,
    subscription::{FramePlace, RowInterest, subscriptions},
};
use async_graphql::{ComplexObject, SimpleObject, value};
use entity::{Id, Owned, agent_job, agent_session};

/// The most sessions that are shown.
const MOST: i32 = 200;

/// A frame of `jobProgress`.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct JobProgressFrame {
    #[graphql(flatten)]
    place: FramePlace,
    #[graphql(skip)]
    job_id: Id,
}

#[ComplexObject]
impl JobProgressFrame {
    /// The job as it is now; null when it is gone.
    async fn job(&self, ctx: &Context<'_>) -> Nullable<AgentJob> {
        Ok(one(ctx, Some(&self.job_id)).await?)
    }
}

/// A frame of `agentPresence`.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct AgentPresenceFrame {
    #[graphql(flatten)]
    place: FramePlace,
}

#[ComplexObject]
impl AgentPresenceFrame {
    /// The sessions that are connected now, 200 at most.
    async fn sessions(&self, ctx: &Context<'_>) -> Nullable<Vec<AgentSession>> {
        let tenant = ctx.scope().actor().tenant().as_str();
        let connected = value!({ "disconnectedAt": { "isNull": true } });
        let of_tenant = agent_session::Entity::TENANT;
        let rows = rows_where::<AgentSession>(ctx, of_tenant, tenant, Some(connected), MOST);
        let rows = rows.await?.into_iter();
        Ok(Some(rows.map(AgentSession::from).collect()))
    }
}

subscriptions! {
    /// What changes every few seconds.
    PresenceSubscription {
        /// Shows a job as it is: when something happens to it, and after each `heartbeatSeconds` without that. It is not durable:
        /// what an agent reported between two frames is passed over, and `after` brings none of it back.
        job_progress("The job." job_id: Id) -> JobProgressFrame {
            follows: |ctx| {
                ctx.scope().get::<agent_job::Entity>(&job_id).await?;
                RowInterest::<agent_job::Entity>::when(|_| true).only(Some(job_id.clone()))
            },
            shows: |place, _occurrence| JobProgressFrame { place, job_id: job_id.clone() },
        }

        /// Shows the agents that are connected: when one comes, goes or is asked to leave, and after each `heartbeatSeconds`
        /// without that, with what they said of themselves meanwhile. It is not durable: `after` brings nothing back.
        agent_presence() -> AgentPresenceFrame {
            follows: |_ctx| RowInterest::<agent_session::Entity>::when(|_| true),
            shows: |place, _occurrence| AgentPresenceFrame { place },
        }
    }
}
