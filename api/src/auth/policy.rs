//! What each role may do, what services may not do of that, and which rows each role sees: three matches, which the
//! compiler keeps complete.

use super::{Actor, Role};
use crate::error::{Error, Result};
use entity::{Id, Table, Timestamp, audit_log, tenant::Delegation};

/// Something an actor may or may not be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read who changed what in detail, and other people's channel addresses.
    ReadAudit,
    /// Read what sums up what everyone in a workspace sees.
    Read,
    /// Change the own account: end the own sessions.
    EditAccount,
    /// Read what a project's calls of providers cost.
    ReadCosts,
    /// Read what the whole workspace's calls of providers cost, and how far its budgets are used up.
    ReadAllCosts,
    /// Set the workspace up: its name, providers and integrations.
    SetUp,
    /// Create and edit projects and goals.
    EditProject,
    /// Archive, restore and delete projects.
    ArchiveProject,
    /// Create and edit meetings and their transcripts.
    EditMeeting,
    /// Create and edit briefs.
    EditBrief,
    /// Delete briefs, with their plans, tickets and decisions.
    DeleteBrief,
    /// Create and edit plans and tickets.
    EditTicket,
    /// Answer a question.
    Answer,
    /// Work on tickets: connect, claim, report, hand in. For agents.
    Work,
    /// Ask something that holds up a brief, or the ticket that one works on.
    Ask,
    /// Say something about a ticket.
    Comment,
    /// Take a ticket out of an agent's hands.
    SteerWork,
    /// Keep what an outside tracker says of a ticket.
    MirrorTicket,
    /// Say what calls of models take and took. For agents and services.
    ReportUsage,
    /// Have an agent finish and leave.
    ManageAgents,
    /// Decide over briefs, plans and results. A member only in place of an admin: see [`decides`].
    Decide,
    /// Have an approved brief planned again.
    Replan,
    /// Say what needs how many approvals, what a rule approves, and who decides in place of whom.
    SetApprovals,
    /// Say what may be used of models, and what they cost.
    SetBudgets,
    /// Put away what everyone who decides is told of.
    AnswerForAll,
    /// Make and revoke agent tokens.
    ManageAgentTokens,
    /// Make and revoke service tokens.
    ManageServiceTokens,
    /// Decide over other people's accounts.
    ManagePeople,
    /// Decide over owners' accounts.
    ManageOwners,
    /// Delete the workspace, with all that it has.
    DeleteWorkspace,
    /// Read what the server does by itself.
    ReadBackground,
    /// Change what the workspace's agents work under: its playbooks, packages, specialists and roles.
    ManageLibrary,
    /// Change what every workspace shares.
    EditLibrary,
}

/// What of an action is for services.
enum ForServices {
    /// What their role allows.
    ByRole,
    /// What is for them more than for people: it takes this role.
    From(Role),
    /// Nothing: it is for people, for this reason.
    Never(&'static str),
    /// Nothing: it is for agents.
    Agents,
}

/// A decision is a person's word.
const DECIDES: &str =
    "A decision needs a person, and so does who may decide: a service token is nobody's.";
/// Who takes hold of a service's token could otherwise make more of them, or of people.
const LETS_IN: &str = "Who is let in is decided by people: a service token neither makes nor ends accounts and tokens.";
/// What agents are told counts at once, and some of it is decided over.
const INSTRUCTS: &str = "What agents work under is decided by people: a service token changes neither roles nor skills.";
/// It has no account.
const NO_ACCOUNT: &str =
    "This is about your own account, and a service token has none: revokeServiceToken ends it.";
/// What holds keys, and the workspace itself.
const SETS_UP: &str =
    "The workspace itself, its keys and what it is connected to are set up by people.";

/// What services may do of what their role may.
fn for_services(action: Action) -> ForServices {
    match action {
        Action::ReadAudit
        | Action::Read
        | Action::ReadCosts
        | Action::ReadAllCosts
        | Action::ReadBackground
        | Action::EditProject
        | Action::ArchiveProject
        | Action::EditMeeting
        | Action::EditBrief
        | Action::DeleteBrief
        | Action::EditTicket
        | Action::Answer
        | Action::Ask
        | Action::Comment
        | Action::SteerWork
        | Action::ManageAgents
        | Action::Replan
        | Action::SetBudgets
        | Action::EditLibrary => ForServices::ByRole,
        Action::MirrorTicket | Action::ReportUsage => ForServices::From(Role::Member),
        Action::Decide | Action::SetApprovals => ForServices::Never(DECIDES),
        Action::ManageLibrary => ForServices::Never(INSTRUCTS),
        Action::ManageAgentTokens
        | Action::ManageServiceTokens
        | Action::ManagePeople
        | Action::ManageOwners => ForServices::Never(LETS_IN),
        Action::EditAccount | Action::AnswerForAll => ForServices::Never(NO_ACCOUNT),
        Action::SetUp | Action::DeleteWorkspace => ForServices::Never(SETS_UP),
        Action::Work => ForServices::Agents,
    }
}

/// Refuses what the actor's role does not allow, and services what needs a person. Agents work on tickets; all else is for
/// people.
///
/// # Errors
/// [`Error::Forbidden`], naming the role that is needed.
pub fn authorize(actor: &Actor, action: Action) -> Result<()> {
    if actor.is_service() {
        match for_services(action) {
            ForServices::ByRole => {}
            ForServices::From(least) => return require(actor.role(), least),
            ForServices::Never(why) => return Err(Error::Forbidden(why.to_owned())),
            ForServices::Agents => return for_agents(actor.role()),
        }
    }
    let least = match action {
        Action::Work => return for_agents(actor.role()),
        Action::ReportUsage => return for_those_who_call(actor.role()),
        Action::Ask | Action::Comment if actor.role() == Role::Agent => return Ok(()),
        Action::Read | Action::EditAccount => Role::Viewer,
        Action::ReadCosts
        | Action::EditProject
        | Action::EditMeeting
        | Action::EditBrief
        | Action::EditTicket
        | Action::Answer
        | Action::Ask
        | Action::Comment
        | Action::Decide => Role::Member,
        Action::ReadAudit
        | Action::ReadAllCosts
        | Action::ReadBackground
        | Action::SetUp
        | Action::ArchiveProject
        | Action::DeleteBrief
        | Action::Replan
        | Action::SetApprovals
        | Action::SetBudgets
        | Action::AnswerForAll
        | Action::SteerWork
        | Action::MirrorTicket
        | Action::ManageAgents
        | Action::ManageAgentTokens
        | Action::ManageLibrary
        | Action::ManageServiceTokens
        | Action::ManagePeople => Role::Admin,
        Action::ManageOwners | Action::DeleteWorkspace => Role::Owner,
        Action::EditLibrary => Role::System,
    };
    require(actor.role(), least)
}

/// Refuses who may not decide over briefs, plans and results. Says whose place the actor takes: nobody's where it decides
/// for itself.
///
/// # Errors
/// [`Error::Forbidden`], naming the role that is needed.
pub fn decides<'d>(
    actor: &Actor,
    delegation: Option<&'d Delegation>,
    now: Timestamp,
) -> Result<Option<&'d Id>> {
    match actor.role() {
        _ if actor.is_service() => return authorize(actor, Action::Decide).map(|()| None),
        Role::Member => {}
        // What a viewer lacks is what a member without a delegation lacks.
        Role::Viewer => return require(actor.role(), Role::Admin).map(|()| None),
        _ => return authorize(actor, Action::Decide).map(|()| None),
    }
    match delegation {
        Some(named) if Some(&named.user_id) == actor.user_id() && now < named.until => {
            Ok(Some(&named.for_user_id))
        }
        _ => require(actor.role(), Role::Admin).map(|()| None),
    }
}

/// Which rows of a table an actor sees, of those its tenant has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// All.
    All,
    /// Those that are for this user.
    OfUser,
    /// Those that are for this user or for everyone.
    OfUserOrAll,
    /// Those that this agent's token holds.
    OfAgent,
    /// Those that belong to a project. A list of them must name one.
    OfProjects,
    /// Entries of the ledger: those whose target it sees.
    OfTarget,
}

/// What says whose a row is, as its columns do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whose<'r> {
    /// The user it is for.
    pub user: Option<&'r str>,
    /// The agent token that holds it.
    pub agent: Option<&'r str>,
    /// The project it belongs to.
    pub project: Option<&'r str>,
}

impl Rows {
    /// Whether a row is among them: the same as the store writes in SQL, for a row that was read already.
    pub fn hold(self, actor: &Actor, whose: Whose<'_>) -> bool {
        let is =
            |holder: Option<&str>, id: Option<&Id>| id.is_some() && holder == id.map(Id::as_str);
        match self {
            Self::All => true,
            Self::OfUser => is(whose.user, actor.user_id()),
            Self::OfUserOrAll => whose.user.is_none() || is(whose.user, actor.user_id()),
            Self::OfAgent => is(whose.agent, actor.agent_token_id()),
            Self::OfProjects => whose.project.is_some(),
            // What an entry is about says whose it is; see `sees_entry`.
            Self::OfTarget => false,
        }
    }
}

/// Whether the actor sees an entry of the ledger: whether it sees what the entry is about.
pub fn sees_entry(actor: &Actor, entry: &audit_log::Model) -> bool {
    let whose = Whose {
        user: entry.target_user_id.as_ref().map(Id::as_str),
        agent: None,
        project: entry.project_id.as_ref().map(Id::as_str),
    };
    match rows(actor, Table::AuditLog) {
        Ok(Rows::OfTarget) => Table::named(&entry.target_type)
            .and_then(|table| rows(actor, table).ok())
            .is_some_and(|rows| rows.hold(actor, whose)),
        seen => seen.is_ok(),
    }
}

/// Which rows of a table the actor sees.
///
/// # Errors
/// [`Error::Forbidden`] when it sees none, naming the role that is needed.
pub fn rows(actor: &Actor, table: Table) -> Result<Rows> {
    let role = actor.role();
    if role == Role::System {
        return Ok(Rows::All);
    }
    let at_least = |least| require(role, least).map(|()| Rows::All);
    match table {
        Table::Ticket
        | Table::AgentJob
        | Table::AgentJobEvent
        | Table::AgentSession
        | Table::AgentToken
        | Table::BudgetReservation
            if role == Role::Agent =>
        {
            Ok(Rows::OfAgent)
        }
        Table::TenantFeed => Ok(Rows::All),
        Table::Tenant
        | Table::User
        | Table::AgentToken
        | Table::ServiceToken
        | Table::AgentSession
        | Table::Project
        | Table::ProjectGraph
        | Table::Goal
        | Table::Meeting
        | Table::Transcript
        | Table::WhisperTranscription
        | Table::Skill
        | Table::SkillPackage
        | Table::SubagentDefinition
        | Table::AgentRole
        | Table::AgentRoleVersion
        | Table::PRD
        | Table::PRDSymbolLink
        | Table::ExecutionPlan
        | Table::Ticket
        | Table::TicketDependency
        | Table::AgentJob
        | Table::AgentJobEvent
        | Table::AgentTask
        | Table::Approval
        | Table::ClarificationRequest
        | Table::ScheduledJob => at_least(Role::Viewer),
        Table::AuditLog => at_least(Role::Viewer).map(|_| Rows::OfTarget),
        Table::ApiUsage => match authorize(actor, Action::ReadAllCosts) {
            Ok(()) => Ok(Rows::All),
            Err(_) => authorize(actor, Action::ReadCosts).map(|()| Rows::OfProjects),
        },
        Table::ModelPrice => authorize(actor, Action::ReadCosts).map(|()| Rows::All),
        Table::BudgetCounter | Table::BudgetReservation => {
            authorize(actor, Action::ReadAllCosts).map(|()| Rows::All)
        }
        Table::Invitation
        | Table::IdempotencyKey
        | Table::CredentialVault
        | Table::IntegrationConnection
        | Table::ChannelRoute => at_least(Role::Admin),
        Table::Notification => at_least(Role::Viewer).map(|_| Rows::OfUserOrAll),
        Table::AuthToken | Table::GoogleOAuthToken | Table::NotificationSubscription => {
            at_least(Role::Admin).or_else(|_| at_least(Role::Viewer).map(|_| Rows::OfUser))
        }
    }
}

fn for_agents(role: Role) -> Result<()> {
    match role {
        Role::Agent | Role::System => Ok(()),
        _ => Err(Error::Forbidden(
            "This is for agents: send it with an agent token, which createAgentToken makes."
                .to_owned(),
        )),
    }
}

fn for_those_who_call(role: Role) -> Result<()> {
    match role {
        Role::Agent | Role::System => Ok(()),
        _ => Err(Error::Forbidden(
            "This is for who calls models: send it with an agent token, or with a service token of the role Member or Admin."
                .to_owned(),
        )),
    }
}

fn require(role: Role, least: Role) -> Result<()> {
    // The order of people's roles; what agents may do is not a matter of rank.
    let rank = |role| match role {
        Role::Agent => 0,
        Role::Viewer => 1,
        Role::Member => 2,
        Role::Admin => 3,
        Role::Owner => 4,
        Role::System => 5,
    };
    if rank(role) >= rank(least) {
        return Ok(());
    }
    Err(Error::Forbidden(match (role, least) {
        (_, Role::System) => {
            "Only the server's operator can do this, with the command line.".to_owned()
        }
        (Role::Agent, _) => {
            "An agent token reads its own tickets, jobs and sessions, and works on them. This is for people."
                .to_owned()
        }
        (_, least) => {
            format!("Your role does not allow this; it needs the role {least:?} or a higher one.")
        }
    }))
}
