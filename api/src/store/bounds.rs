//! What operations may use of the server, each by itself and all together.

use super::{
    Store,
    admission::{Admission, Most, Permit, Shares},
    database::PATIENCE,
    meter::Meter,
};
use crate::{
    auth::{Actor, address_key},
    error::Result,
};
use entity::Id;
use sea_orm::DbBackend;
use std::{net::IpAddr, sync::Arc, time::Duration};

/// Connections that operations leave to what must go on whatever they do: finding out who asks, and live feeds.
const SPARE: u64 = 2;

/// The workspace of those who have none: whoever asks without a token.
const STRANGERS: &str = "";

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
}

/// Who lets operations in.
pub(super) struct Gates {
    operations: Arc<Admission>,
    /// Finding out who asks takes a connection too, but only for a moment.
    entrance: Arc<Admission>,
    /// SQLite has one connection that writes.
    writing: Arc<Admission>,
    answer_bytes: u64,
}

impl Gates {
    /// For so many database connections.
    ///
    /// An operation holds a connection from its first statement to its last, so more than there are would only wait at
    /// the pool, where whoever comes first is served first. Half of them is the most that one workspace has, so that
    /// the next one finds some free, whatever the first one does.
    fn new(bounds: Bounds, connections: u32) -> Self {
        let all = u64::from(connections).saturating_sub(SPARE).max(2);
        let workspace = all / 2;
        let at_once = Shares {
            actor: (workspace * 3).div_ceil(4),
            workspace,
            all,
        };
        let present = Shares {
            actor: bounds.actor_operations,
            workspace: bounds.workspace_operations,
            all: bounds.operations,
        };
        let wait = bounds.wait;
        let operations = Admission::new(Most {
            at_once,
            present,
            wait,
        });
        let everyone = |count| Shares {
            actor: count,
            workspace: count,
            all: count,
        };
        let entrance = Admission::new(Most {
            at_once: everyone(workspace),
            present: everyone(bounds.operations),
            wait,
        });
        let writing = Admission::new(Most {
            at_once: everyone(1),
            present: everyone(bounds.operations.saturating_mul(2)),
            wait: PATIENCE,
        });
        Self {
            operations,
            entrance,
            writing,
            answer_bytes: bounds.answer_bytes,
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

    /// The same for someone without a token. All of them together have what one workspace has.
    ///
    /// # Errors
    /// As [`Store::admit`].
    pub(crate) async fn admit_stranger(&self, address: Option<IpAddr>) -> Result<Permit> {
        match self.gates().get() {
            Some(gates) => gates.operations.acquire(STRANGERS, &name(address)).await,
            None => Ok(Permit::free()),
        }
    }

    /// Waits for the turn to find out who asks from an address. Turns go round the addresses.
    ///
    /// # Errors
    /// As [`Store::admit`].
    pub(crate) async fn admit_to_entrance(&self, address: Option<IpAddr>) -> Result<Permit> {
        match self.gates().get() {
            Some(gates) => {
                let name = name(address);
                gates.entrance.acquire(&name, &name).await
            }
            None => Ok(Permit::free()),
        }
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

    /// What measures an operation that may take so long.
    pub(crate) fn measure(&self, time: Duration) -> Arc<Meter> {
        match self.gates().get() {
            Some(gates) => Meter::within(gates.answer_bytes, time),
            None => Arc::default(),
        }
    }
}

fn name(address: Option<IpAddr>) -> String {
    address.map(address_key).unwrap_or_default()
}
