//! `ticket_dependencies`: which ticket waits for which.

use crate::prelude::*;

/// That one ticket cannot start before another is done.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "ticket_dependencies", rename_all = "camelCase")]
#[graphql(name = "TicketDependencyRow")]
pub struct Model {
    /// The dependency's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The ticket that waits.
    pub ticket_id: Id,
    /// The ticket it waits for, never itself.
    pub depends_on_ticket_id: Id,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(TicketDependency);
