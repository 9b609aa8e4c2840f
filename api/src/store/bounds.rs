//! What operations may use of the server, each by itself and all together.

use super::{
    Store,
    admission::{Admission, Most, Permit, Shares},
    database::PATIENCE,
    meter::Meter,
    parts::Parts,
};
use crate::{
    auth::{Actor, whence_key},
    error::Result,
};
use entity::Id;
use sea_orm::DbBackend;
use std::{net::IpAddr, sync::Arc, time::Duration};

/// So many operations of those without a token run at once, a quarter of them from one address. They hold no connection
/// while they do: each statement of signing in waits for its turn at the entrance.
const STRANGERS: u64 = 16;

/// What operations may use. The command line has no bounds; the server sets them before it serves.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Operations of one person or agent, or of an address without a token, that run or wait for their turn.
    pub actor_operations: u64,
    /// The same of one workspace.
    pub workspace_operations: u64,
    /// The same in all.
    pub operations: u64,
    /// How long an operation waits for its turn.
    pub wait: Duration,
    /// The most bytes of an answer.
    pub answer_bytes: u64,
    /// The most fields and rows that an operation may be answering at the same time.
    pub pending_fields: u64,
    /// How many agents of one workspace may be connected.
    pub workspace_agents: u64,
    /// The same of all workspaces.
    pub agents: u64,
}

/// Who lets operations in.
pub(super) struct Gates {
    operations: Arc<Admission>,
    strangers: Arc<Admission>,
    /// Finding out who asks takes a connection too, but only for a moment.
    entrance: Arc<Admission>,
    /// SQLite has one connection that writes.
    writing: Arc<Admission>,
    answer_bytes: u64,
    pending_fields: u64,
    workspace_agents: u64,
    agents: u64,
}

impl Gates {
    /// For so many database connections.
    ///
    /// An operation holds a connection from its first statement to its last, so more than there are would only wait at
    /// the pool, where whoever comes first is served first. Half of them is the most that one workspace has, and one
    /// address has half of the entrance.
    fn new(bounds: Bounds, connections: u32) -> Self {
        let parts = Parts::of(connections);
        let gate = |at_once, present| {
            let wait = bounds.wait;
            Admission::new(Most {
                at_once,
                present,
                wait,
            })
        };
        let present = Shares {
            actor: bounds.actor_operations,
            workspace: bounds.workspace_operations,
            all: bounds.operations,
        };
        // An address is one actor, for whom alone nothing of its workspace need be kept.
        let of_an_address = |all: u64, each: u64| Shares {
            actor: each,
            workspace: each.saturating_mul(2),
            all,
        };
        let half = parts.operations.div_ceil(2);
        let at_once = Shares {
            actor: half,
            workspace: half,
            all: parts.operations,
        };
        let operations = gate(at_once, present);
        let strangers = gate(
            of_an_address(STRANGERS, STRANGERS / 4),
            of_an_address(bounds.workspace_operations, bounds.actor_operations),
        );
        let entrance = gate(
            of_an_address(parts.entrance, parts.entrance.div_ceil(2)),
            of_an_address(bounds.operations, bounds.operations.div_ceil(4)),
        );
        let writing = Admission::new(Most {
            at_once: Shares::everyone(1),
            present: Shares::everyone(bounds.operations.saturating_mul(2)),
            wait: PATIENCE,
        });
        Self {
            operations,
            strangers,
            entrance,
            writing,
            answer_bytes: bounds.answer_bytes,
            pending_fields: bounds.pending_fields,
            workspace_agents: bounds.workspace_agents,
            agents: bounds.agents,
        }
    }
}

impl Store {
    /// Sets the bounds of operations, once.
    pub fn bound(&self, bounds: Bounds) {
        let gates = Gates::new(bounds, self.connections());
        // A second server over the same store is under the bounds of the first.
        let _ = self.gates().set(gates);
    }

    /// Waits for an actor's turn to run an operation.
    ///
    /// # Errors
    /// [`Error::Busy`](crate::Error::Busy) when there are too many, or no turn came in time.
    pub(crate) async fn admit(&self, actor: &Actor) -> Result<Permit> {
        match self.gates().get() {
            Some(gates) => {
                let workspace = actor.tenant().as_str();
                gates.operations.acquire(workspace, &actor.key()).await
            }
            None => Ok(Permit::free()),
        }
    }

    /// The same for someone without a token. All of them together are as many as those of one workspace may be.
    ///
    /// # Errors
    /// As [`Store::admit`].
    pub(crate) async fn admit_stranger(&self, address: Option<IpAddr>) -> Result<Permit> {
        let Some(gates) = self.gates().get() else {
            return Ok(Permit::free());
        };
        let name = whence_key(address);
        gates.strangers.acquire(&name, &name).await
    }

    /// Waits for the turn to find out who asks from an address, or to read what it takes to sign in from there. To be held
    /// for some statements, and not while anything else is waited for.
    ///
    /// # Errors
    /// As [`Store::admit`].
    pub(crate) async fn admit_to_entrance(&self, address: Option<IpAddr>) -> Result<Permit> {
        let Some(gates) = self.gates().get() else {
            return Ok(Permit::free());
        };
        let name = whence_key(address);
        gates.entrance.acquire(&name, &name).await
    }

    /// The same, to write what signing in from there changes. SQLite's writers have a connection and a queue of their own.
    ///
    /// # Errors
    /// As [`Store::admit`].
    pub(crate) async fn admit_to_sign_in(&self, address: Option<IpAddr>) -> Result<Permit> {
        match self.backend() {
            DbBackend::Sqlite => Ok(Permit::free()),
            _ => self.admit_to_entrance(address).await,
        }
    }

    /// The same, to write what the server notes of those who come, which no one address may keep it from.
    ///
    /// # Errors
    /// As [`Store::admit`].
    pub(crate) async fn admit_to_note(&self) -> Result<Permit> {
        self.admit_to_sign_in(None).await
    }
}

impl Store {
    /// Waits for the turn to write a tenant's rows, where one transaction writes at a time. Turns go round the tenants.
    ///
    /// # Errors
    /// As [`Store::admit`].
    pub(super) async fn turn_to_write(&self, tenant: &Id) -> Result<Permit> {
        match self.gates().get() {
            Some(gates) if self.backend() == DbBackend::Sqlite => {
                gates
                    .writing
                    .acquire(tenant.as_str(), tenant.as_str())
                    .await
            }
            _ => Ok(Permit::free()),
        }
    }

    /// How many agents of one workspace may be connected, and how many in all.
    pub(super) fn most_agents(&self) -> [u64; 2] {
        let gates = self.gates().get();
        gates.map_or([i64::MAX.unsigned_abs(); 2], |gates| {
            [gates.workspace_agents, gates.agents]
        })
    }

    /// What measures an operation that may take so long.
    pub(crate) fn measure(&self, time: Duration) -> Arc<Meter> {
        match self.gates().get() {
            Some(gates) => Meter::within(gates.answer_bytes, gates.pending_fields, time),
            None => Arc::default(),
        }
    }
}
