//! How many agents are connected, held against how many may be.

use super::{Scope, Tx};
use crate::error::{Error, Result};
use entity::agent_session::{self, Column::DisconnectedAt};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait},
};

impl Scope {
    /// Refuses one agent more than all workspaces together may have. Those that come at the same moment may be let in
    /// beyond that.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`].
    pub(crate) async fn has_room_for_agent(&self) -> Result<()> {
        let [_, most] = self.store().most_agents();
        let connected = Condition::all().add(Expr::col(DisconnectedAt).is_null());
        let system = self.store().system();
        let found = system
            .due::<agent_session::Entity>(connected, None, most)
            .await?;
        within("The number of agents (WORKGRAPH_AGENTS)", most, found.len())
    }
}

impl Tx<'_> {
    /// Refuses one agent more than the workspace may have.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`].
    pub(crate) async fn has_room_for_agent(&self) -> Result<()> {
        self.queue_up("agents").await?;
        let [most, _] = self.scope().store().most_agents();
        let connected = self.connected_agents(most).await?;
        // One that forgets its sessions leaves room for those with other tokens.
        let token = self.writer().agent_token_id();
        let own = connected.iter().filter(|of| Some(*of) == token).count();
        within(
            "The number of agents with one token (half of WORKGRAPH_WORKSPACE_AGENTS)",
            most.div_ceil(2),
            own,
        )?;
        within(
            "The number of agents of a workspace (WORKGRAPH_WORKSPACE_AGENTS)",
            most,
            connected.len(),
        )
    }
}

fn within(name: &'static str, most: u64, found: usize) -> Result<()> {
    Error::within(name, most, (found as u64).saturating_add(1))
}
