//! Who acts. An actor is made here only, from a token that was checked or for the server itself.

use entity::{
    Id,
    audit_log::ActorType,
    user::{self, UserRole},
};

/// What an actor may do; `domain` calls the first four roles, an agent token is its own.
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
    /// The server itself: seeding, import, schedules.
    System,
}

#[derive(Clone, Debug)]
enum Identity {
    User { id: Id, email: String },
    System { component: &'static str },
}

/// A tenant's user, or the server acting within a tenant.
#[derive(Clone, Debug)]
pub struct Actor {
    tenant: Id,
    role: Role,
    identity: Identity,
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
        };
        Self {
            tenant: user.tenant_id,
            role,
            identity,
        }
    }

    /// A part of the server.
    pub(crate) fn system(tenant: Id, component: &'static str) -> Self {
        Self {
            tenant,
            role: Role::System,
            identity: Identity::System { component },
        }
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
        match &self.identity {
            Identity::User { id, .. } => Some(id),
            Identity::System { .. } => None,
        }
    }

    /// How the ledger names the actor.
    pub fn name(&self) -> String {
        match &self.identity {
            Identity::User { email, .. } => format!("user:{email}"),
            Identity::System { component } => format!("system:{component}"),
        }
    }

    /// What kind of actor it is.
    pub fn kind(&self) -> ActorType {
        match self.identity {
            Identity::User { .. } => ActorType::User,
            Identity::System { .. } => ActorType::System,
        }
    }
}
