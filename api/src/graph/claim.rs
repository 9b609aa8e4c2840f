//! The next ticket for an agent.

use super::{
    constraints::{length, size},
    prelude::*,
    write::{Once, begin, open},
};
use crate::{
    Error,
    auth::Action,
    store::{Answer, Request, Scope, Tx, retried},
    workflow::{self, Instructions, Taken, Unclaimed, Wanted},
};
use async_graphql::{InputObject, Object, SimpleObject};
use entity::{
    Id,
    agent_job::{self, AgentJobStatus},
    skill, skill_package, ticket,
};

/// Who asks for a ticket, and for which.
#[derive(InputObject, Clone)]
pub struct ClaimNextTicketInput {
    /// The agent's session.
    session_id: Id,
    /// Only a ticket of this role; left out, of any that the session offers.
    #[graphql(directive = length::apply(1, 64))]
    role_slug: Option<String>,
    /// Of the session's repositories, only these; left out, all. A ticket without a repository fits always.
    #[graphql(directive = size::apply(0, 50))]
    repos: Option<Vec<String>>,
    #[graphql(flatten)]
    once: Once,
}

/// What `claimNextTicket` answers with.
#[derive(SimpleObject)]
pub struct ClaimNextTicketPayload {
    /// The ticket; null when there is none for the session now.
    ticket: Option<Ticket>,
    /// The run that tells of the work on it, with all that must be known in its `payload`, and in `checkpoint` where an earlier
    /// try was; null when there is no ticket.
    job: Option<AgentJob>,
    /// The words to work under; null when there is no ticket.
    instructions: Option<WorkInstructions>,
    /// Why there is no ticket; null when there is one.
    reason: Option<Unclaimed>,
    /// The ledger's position after the claim; null when there is no ticket.
    feed_cursor: Option<Cursor>,
}

/// The words that an agent works under: its role's, and those of the specialist and the skills that the ticket names.
#[derive(SimpleObject)]
pub struct WorkInstructions {
    /// The prompt of the role, with places to fill in; empty when the role has none.
    role_prompt: String,
    /// The tools that the role may use.
    allowed_tools: Vec<String>,
    /// The model that the role uses; null leaves the choice to you.
    model: Option<String>,
    /// The specialist; null when the ticket names none that there is.
    subagent: Option<SubagentInstructions>,
    /// The skills, of those that the ticket names, that there are.
    skills: Vec<SkillInstructions>,
}

/// A specialist that an agent works as.
#[derive(SimpleObject)]
pub struct SubagentInstructions {
    /// Its slug.
    slug: String,
    /// Its prompt.
    prompt: String,
    /// The tools that it may use.
    allowed_tools: Vec<String>,
    /// The model that it prefers; null when it prefers none.
    model: Option<String>,
}

/// A skill that an agent can use.
#[derive(SimpleObject)]
pub struct SkillInstructions {
    /// Its slug.
    slug: String,
    /// What it is for.
    description: String,
    /// How it goes.
    body: String,
}

impl From<Instructions> for WorkInstructions {
    fn from(read: Instructions) -> Self {
        let package = |row: skill_package::Model| SkillInstructions {
            slug: row.slug,
            description: row.description,
            body: row.body.0.unwrap_or_default(),
        };
        let own = |row: skill::Model| SkillInstructions {
            slug: row.slug,
            description: row.description,
            body: row.body.0.unwrap_or_default(),
        };
        let packages = read.packages.into_iter().map(package);
        let role = read.role;
        Self {
            allowed_tools: { role.as_ref() }
                .map(|role| role.allowed_tools.0.clone())
                .unwrap_or_default(),
            model: role.as_ref().and_then(|role| role.default_model.clone()),
            role_prompt: { role.and_then(|role| role.system_prompt_template.0) }
                .unwrap_or_default(),
            subagent: read.subagent.map(|row| SubagentInstructions {
                slug: row.slug,
                prompt: row.system_prompt.0.unwrap_or_default(),
                allowed_tools: row.allowed_tools.0,
                model: row.preferred_model,
            }),
            skills: packages.chain(read.skills.into_iter().map(own)).collect(),
        }
    }
}

/// What was claimed, as it is put together before the commit.
struct Claimed {
    ticket: ticket::Model,
    job: agent_job::Model,
    instructions: Option<Instructions>,
}

/// Claims.
#[derive(Default)]
pub struct ClaimMutation;

#[Object]
impl ClaimMutation {
    /// Gives an agent the ticket that is next, with a job: the most urgent first, among equals one of the project that waited
    /// longest, of a project the oldest. It is the agent's for two minutes (or its `patienceSeconds`), and with each heartbeat as long again. Only one gets
    /// it. For agents.
    async fn claim_next_ticket(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who asks, and for which.")] input: ClaimNextTicketInput,
    ) -> Nullable<ClaimNextTicketPayload> {
        let (scope, request) = begin(ctx, "claim_next_ticket", Action::Work)?;
        let is_instructed = ctx.look_ahead().field("instructions").exists();
        let claim = || attempt(scope, request.clone(), input.clone(), is_instructed);
        Ok(Some(retried(claim).await?))
    }
}

async fn attempt(
    scope: &Scope,
    request: Option<Request>,
    input: ClaimNextTicketInput,
    is_instructed: bool,
) -> crate::Result<ClaimNextTicketPayload> {
    let (mut tx, answer) = open(scope, request.as_ref()).await?;
    if let Some(answer) = answer {
        let job = claimed_then(&mut tx, &answer, &input.session_id).await?;
        let ticket = tx.find::<ticket::Entity>(&job.ticket_id).await?;
        // Sent again after the ticket was lost.
        let ticket = ticket.ok_or(Error::StaleLease)?;
        let instructions = match is_instructed {
            true => Some(workflow::instructions(&mut tx, &ticket, None).await?),
            false => None,
        };
        return Ok(payload(
            Claimed {
                ticket,
                job,
                instructions,
            },
            Cursor::position(scope, answer.seq),
        ));
    }
    let wanted = Wanted {
        session: input.session_id,
        role: input.role_slug,
        repos: input.repos,
    };
    match workflow::claim(&mut tx, wanted).await? {
        Ok(Taken { ticket, job, role }) => {
            let instructions = match is_instructed {
                true => Some(workflow::instructions(&mut tx, &ticket, Some(role)).await?),
                false => None,
            };
            let head = tx.commit_answering(request, &job.id).await?;
            let claimed = Claimed {
                ticket,
                job,
                instructions,
            };
            Ok(payload(claimed, Cursor::position(scope, head)))
        }
        // It is not kept as the answer: asked again, there may be one.
        Err(reason) => Ok(ClaimNextTicketPayload {
            ticket: None,
            job: None,
            instructions: None,
            reason: Some(reason),
            feed_cursor: None,
        }),
    }
}

/// The job that the session claimed when it sent this before.
///
/// # Errors
/// [`Error::StaleLease`] when it has that no longer: another one has it, or another try has begun.
async fn claimed_then(
    tx: &mut Tx<'_>,
    answer: &Answer,
    session: &Id,
) -> crate::Result<agent_job::Model> {
    let job = tx.find::<agent_job::Entity>(&answer.id).await?;
    let then = tx.moment_of(answer.seq).await?;
    let is_it = |job: &agent_job::Model| {
        job.session_id.as_ref() == Some(session)
            && job.status != AgentJobStatus::Pending
            && job.dispatched_at.is_some()
            && job.dispatched_at == then
    };
    job.filter(is_it).ok_or(Error::StaleLease)
}

fn payload(claimed: Claimed, feed_cursor: Cursor) -> ClaimNextTicketPayload {
    ClaimNextTicketPayload {
        ticket: Some(Ticket::of(&claimed.ticket)),
        job: Some(AgentJob::of(&claimed.job)),
        instructions: claimed.instructions.map(WorkInstructions::from),
        reason: None,
        feed_cursor: Some(feed_cursor),
    }
}
