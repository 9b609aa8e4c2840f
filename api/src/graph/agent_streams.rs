//! What agents follow: work that they could take, and what concerns their own session.

use super::{
    found::one,
    prelude::*,
    subscription::{FramePlace, sees, subscriptions},
};
use crate::{
    auth::{Actor, rows},
    live::{Interest, Matched, touched},
    store::{Event, Feed, Scope},
};
use async_graphql::{ComplexObject, SimpleObject};
use entity::{
    Id, Owned, Table, agent_job, agent_session, agent_token, audit_log,
    ticket::{self, TicketStatus},
};
use futures_util::future::BoxFuture;
use std::any::Any;

/// A frame of `workAvailable`. It tells of a ticket without handing it out: claim it to see it.
#[derive(SimpleObject)]
pub struct WorkFrame {
    #[graphql(flatten)]
    place: FramePlace,
    /// The ticket that became ready; null in a frame that only tells the position.
    ticket_id: Option<Id>,
    /// The role it is for; null in a frame that only tells the position.
    role_slug: Option<String>,
    /// How urgent it is, the larger the more; null in a frame that only tells the position.
    priority: Option<i32>,
}

/// A frame of `agentCommands`.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct CommandFrame {
    #[graphql(flatten)]
    place: FramePlace,
    /// What was done, such as `job.cancelled` or `agent.draining`; null in a frame that only tells the position.
    action: Option<String>,
    /// The job it was done to; null when it was done to the session or its token, and when the job is gone.
    job: Option<AgentJob>,
    #[graphql(skip)]
    session_id: Id,
}

#[ComplexObject]
impl CommandFrame {
    /// The session as it is now; null in a frame that only tells the position, and when the session is gone.
    async fn session(&self, ctx: &Context<'_>) -> Nullable<AgentSession> {
        if self.action.is_none() {
            return Ok(None);
        }
        Ok(one(ctx, Some(&self.session_id)).await?)
    }
}

/// Tickets that become ready for a session.
struct WorkInterest {
    roles: Vec<String>,
    /// The projects its token is for; none if it is for all.
    projects: Option<Vec<Id>>,
}

impl WorkInterest {
    async fn of(scope: &Scope, session: &Id) -> crate::Result<Self> {
        let session = scope.get::<agent_session::Entity>(session).await?;
        let token = scope.find::<agent_token::Entity>(&session.agent_token_id);
        let projects = token.await?.and_then(|token| token.project_ids.clone());
        Ok(Self {
            roles: session.roles.0.clone(),
            projects: projects.map(|projects| projects.0),
        })
    }

    fn takes(&self, ticket: &ticket::Model) -> bool {
        let project = &ticket.project_id;
        ticket.status == TicketStatus::Ready
            && self.roles.contains(&ticket.role_slug)
            && self
                .projects
                .as_ref()
                .is_none_or(|projects| projects.contains(project))
    }
}

impl Interest for WorkInterest {
    fn permits(&self, actor: &Actor) -> crate::Result<()> {
        rows(actor, Table::AgentSession).map(drop)
    }

    fn names(&self, entry: &audit_log::Model, _: &Actor) -> bool {
        entry.target_type == ticket::Entity::KIND
    }

    fn matches<'a>(
        &'a self,
        event: &'a Event,
        feed: &'a Feed,
        _: &'a Actor,
    ) -> BoxFuture<'a, crate::Result<Matched>> {
        Box::pin(async {
            let touched = touched::<ticket::Entity>(event, feed).await?;
            let change = touched.change.as_deref();
            let now = |name| change.is_some_and(|change| change.became(name).is_some());
            // What failed in passing is handed out again without another status.
            let became = now("status") || now("nextAttemptAt");
            let ticket = touched.row.filter(|ticket| became && self.takes(ticket));
            Ok(ticket.map_or(Matched::No, |ticket| {
                Matched::Yes(Some(ticket as Arc<dyn Any + Send + Sync>))
            }))
        })
    }
}

/// What happens to a session, to its token and to its jobs.
struct CommandInterest {
    session: Id,
    token: Id,
}

impl CommandInterest {
    async fn of(scope: &Scope, session: &Id) -> crate::Result<Self> {
        let session = scope.get::<agent_session::Entity>(session).await?;
        Ok(Self {
            session: session.id.clone(),
            token: session.agent_token_id.clone(),
        })
    }
}

impl Interest for CommandInterest {
    fn permits(&self, actor: &Actor) -> crate::Result<()> {
        rows(actor, Table::AgentSession).map(drop)
    }

    fn names(&self, entry: &audit_log::Model, _: &Actor) -> bool {
        let target = entry.target_id.as_ref();
        match entry.target_type.as_str() {
            agent_session::Entity::KIND => target == Some(&self.session),
            agent_token::Entity::KIND => {
                entry.action == "agent_token.revoked" && target == Some(&self.token)
            }
            agent_job::Entity::KIND => true,
            _ => false,
        }
    }

    fn matches<'a>(
        &'a self,
        event: &'a Event,
        feed: &'a Feed,
        actor: &'a Actor,
    ) -> BoxFuture<'a, crate::Result<Matched>> {
        Box::pin(async move {
            if event.entry().target_type != agent_job::Entity::KIND {
                return Ok(Matched::Yes(None));
            }
            let job = touched::<agent_job::Entity>(event, feed).await?.row;
            let job = job.filter(|job| job.session_id.as_ref() == Some(&self.session));
            let seen = sees::<agent_job::Entity>(actor, job.as_deref())?;
            Ok(job.filter(|_| seen).map_or(Matched::No, |job| {
                Matched::Yes(Some(job as Arc<dyn Any + Send + Sync>))
            }))
        })
    }
}

subscriptions! {
    /// What agents follow.
    AgentSubscription {
        /// Tells an agent's session of each ticket that becomes ready for one of its roles. Whoever claims it first has it.
        /// A view of the ledger: nothing is lost between `after` and now.
        work_available("The session." session_id: Id) -> WorkFrame {
            follows: |ctx| WorkInterest::of(ctx.scope(), &session_id).await?,
            shows: |place, occurrence| {
                let ticket = occurrence.row::<ticket::Model>();
                WorkFrame {
                    place,
                    ticket_id: ticket.as_ref().map(|ticket| ticket.id.clone()),
                    role_slug: ticket.as_ref().map(|ticket| ticket.role_slug.clone()),
                    priority: ticket.map(|ticket| ticket.priority),
                }
            },
        }

        /// Tells an agent's session what happens to it, to its token and to its jobs. A view of the ledger: nothing is lost
        /// between `after` and now.
        agent_commands("The session." session_id: Id) -> CommandFrame {
            follows: |ctx| CommandInterest::of(ctx.scope(), &session_id).await?,
            shows: |place, occurrence| {
                let event = occurrence.event.as_ref();
                CommandFrame {
                    place,
                    action: event.map(|event| event.entry().action.clone()),
                    job: occurrence.row::<agent_job::Model>().map(|job| AgentJob::of(&job)),
                    session_id: session_id.clone(),
                }
            },
        }
    }
}
