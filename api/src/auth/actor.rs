//! Who acts. An actor is made here only, from a token that was checked or for the server itself.

use super::rate::{network_key, whence_key};
use entity::{
    Id, agent_token,
    audit_log::ActorType,
    service_token::{self, ServiceRole},
    user::{self, UserRole},
};
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// What an actor may do: a person's role, or being an agent or the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May do everything.
    Owner,
    /// Decides, and manages people and settings.
    Admin,
    /// Works.
    Member,
    /// Reads.
    Viewer,
    /// Works on tickets through an agent token.
    Agent,
    /// The server itself: seeding, import, schedules.
    System,
}

#[derive(Clone, Debug)]
enum Identity {
    User {
        id: Id,
        email: String,
        role: UserRole,
        token_version: i32,
    },
    Agent {
        token: Id,
        name: String,
        /// The projects that the token is for; none if it is for all.
        projects: Option<Vec<Id>>,
    },
    Service {
        token: Id,
        name: String,
    },
    System {
        component: &'static str,
    },
}

/// The row behind a user, an agent or a service, as it was when they were let in.
pub(crate) enum Account<'a> {
    User {
        id: &'a Id,
        role: UserRole,
        token_version: i32,
    },
    Agent {
        token: &'a Id,
    },
    Service {
        token: &'a Id,
    },
}

impl<'a> Account<'a> {
    /// The row's id.
    pub(crate) fn id(&self) -> &'a Id {
        match self {
            Self::User { id, .. } => id,
            Self::Agent { token } | Self::Service { token } => token,
        }
    }
}

/// Where a request came from, for the ledger.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The request's name in answers and logs.
    pub request_id: String,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

impl Origin {
    /// What tells the client's address apart from all others.
    pub(crate) fn key(&self) -> String {
        whence_key(self.address)
    }

    /// What tells the client's network apart from all others.
    pub(crate) fn network(&self) -> String {
        self.address.map(network_key).unwrap_or_default()
    }
}

/// A tenant's user, agent or service, or the server acting within a tenant.
#[derive(Clone, Debug)]
pub struct Actor {
    tenant: Id,
    role: Role,
    identity: Identity,
    project: Option<Id>,
    origin: Option<Arc<Origin>>,
    /// Set when somebody asks who exactly this is.
    identified: Option<Arc<AtomicBool>>,
}

impl Actor {
    /// A user whose token was checked, with the role the database knows now.
    pub(super) fn user(user: user::Model) -> Self {
        let role = match user.role {
            UserRole::Owner => Role::Owner,
            UserRole::Admin => Role::Admin,
            UserRole::Member => Role::Member,
            UserRole::Viewer => Role::Viewer,
        };
        let identity = Identity::User {
            id: user.id,
            email: user.email,
            role: user.role,
            token_version: user.token_version,
        };
        Self {
            tenant: user.tenant_id,
            role,
            identity,
            project: None,
            origin: None,
            identified: None,
        }
    }

    /// The holder of an agent token that was checked.
    pub(super) fn agent(token: agent_token::Model) -> Self {
        let identity = Identity::Agent {
            name: format!("agent:{}#{}", token.name, token.token_hint),
            token: token.id,
            projects: token.project_ids.map(|projects| projects.0),
        };
        Self {
            tenant: token.tenant_id,
            role: Role::Agent,
            identity,
            project: None,
            origin: None,
            identified: None,
        }
    }

    /// The holder of a service token that was checked: nobody, with a person's role.
    pub(super) fn service(token: service_token::Model) -> Self {
        let role = match token.role {
            ServiceRole::Admin => Role::Admin,
            ServiceRole::Member => Role::Member,
            ServiceRole::Viewer => Role::Viewer,
        };
        let identity = Identity::Service {
            name: format!("service:{}#{}", token.name, token.token_hint),
            token: token.id,
        };
        Self {
            tenant: token.tenant_id,
            role,
            identity,
            project: None,
            origin: None,
            identified: None,
        }
    }

    /// A person of whom the demo tells what they did.
    pub(crate) fn told_of_user(user: user::Model) -> Self {
        Self::user(user)
    }

    /// A service of which the demo tells what it did.
    pub(crate) fn told_of_service(token: service_token::Model) -> Self {
        Self::service(token)
    }

    /// An agent of which the demo tells what it did.
    pub(crate) fn told_of_agent(token: agent_token::Model) -> Self {
        Self::agent(token)
    }

    /// A part of the server.
    pub(crate) fn system(tenant: Id, component: &'static str) -> Self {
        Self {
            tenant,
            role: Role::System,
            identity: Identity::System { component },
            project: None,
            origin: None,
            identified: None,
        }
    }

    /// The actor, asking from somewhere.
    pub(crate) fn from(self, origin: Arc<Origin>) -> Self {
        Self {
            origin: Some(origin),
            ..self
        }
    }

    /// Whether the actor may know of a project of its tenant: an agent's token may be for some only.
    pub(crate) fn knows_project(&self, project: &Id) -> bool {
        match &self.identity {
            Identity::Agent {
                projects: Some(projects),
                ..
            } => projects.contains(project),
            _ => true,
        }
    }

    /// The actor, at work in one project: lists show only what belongs to it.
    pub(crate) fn in_project(self, project: Id) -> Self {
        Self {
            project: Some(project),
            ..self
        }
    }

    /// The actor, at work in no project in particular.
    pub(crate) fn across_projects(self) -> Self {
        Self {
            project: None,
            ..self
        }
    }

    /// The actor, under observation: the flag is set as soon as an answer depends on who exactly asks, and not only on
    /// the role and the active project. An answer that left it alone is the same for all of that role.
    pub(crate) fn observed(self, identified: Arc<AtomicBool>) -> Self {
        Self {
            identified: Some(identified),
            ..self
        }
    }

    fn identity(&self) -> &Identity {
        if let Some(identified) = &self.identified {
            identified.store(true, Ordering::Relaxed);
        }
        &self.identity
    }

    /// Whose rows the actor can reach.
    pub fn tenant(&self) -> &Id {
        &self.tenant
    }

    /// What the actor may do.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The user, if it is one.
    pub fn user_id(&self) -> Option<&Id> {
        match self.identity() {
            Identity::User { id, .. } => Some(id),
            _ => None,
        }
    }

    /// The agent token, if it is an agent.
    pub fn agent_token_id(&self) -> Option<&Id> {
        match self.identity() {
            Identity::Agent { token, .. } => Some(token),
            _ => None,
        }
    }

    /// The service token, if it is a service.
    pub fn service_token_id(&self) -> Option<&Id> {
        match self.identity() {
            Identity::Service { token, .. } => Some(token),
            _ => None,
        }
    }

    /// Whether it is a service: it has a person's role, and is nobody.
    pub(crate) fn is_service(&self) -> bool {
        matches!(self.identity, Identity::Service { .. })
    }

    /// The row behind the actor; none of the server itself.
    pub(crate) fn account(&self) -> Option<Account<'_>> {
        match &self.identity {
            Identity::User {
                id,
                role,
                token_version,
                ..
            } => Some(Account::User {
                id,
                role: *role,
                token_version: *token_version,
            }),
            Identity::Agent { token, .. } => Some(Account::Agent { token }),
            Identity::Service { token, .. } => Some(Account::Service { token }),
            Identity::System { .. } => None,
        }
    }

    /// The project that lists are narrowed to, if there is one.
    pub fn project(&self) -> Option<&Id> {
        self.project.as_ref()
    }

    /// Where the request came from; none for what the server does by itself.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
    }

    /// What tells the actor apart from all others, in every tenant.
    pub(crate) fn key(&self) -> String {
        let who = match &self.identity {
            Identity::User { id, .. } => id.as_str(),
            Identity::Agent { token, .. } | Identity::Service { token, .. } => token.as_str(),
            Identity::System { component } => component,
        };
        format!("{} {who}", self.tenant)
    }

    /// How the ledger names the actor.
    pub fn name(&self) -> String {
        match self.identity() {
            Identity::User { email, .. } => format!("user:{email}"),
            Identity::Agent { name, .. } | Identity::Service { name, .. } => name.clone(),
            Identity::System { component } => format!("system:{component}"),
        }
    }

    /// What kind of actor it is.
    pub fn kind(&self) -> ActorType {
        match self.identity {
            Identity::User { .. } => ActorType::User,
            Identity::Agent { .. } => ActorType::Agent,
            Identity::Service { .. } => ActorType::Service,
            Identity::System { .. } => ActorType::System,
        }
    }
}
