//! The only code that sees a database connection.
//!
//! Everyone else holds a [`Scope`]: it can only produce reads that are narrowed to its actor's tenant, batches them,
//! serves a whole operation from one snapshot, and writes only through a [`Tx`], which puts the ledger entry into the
//! same transaction. What must cross tenants (sign-in, seeding) goes through [`System`].

#![expect(
    clippy::disallowed_methods,
    reason = "the store is what the others call instead"
)]

mod accounts;
mod admission;
mod agents;
mod aggregate;
mod background;
mod bounds;
mod budgets;
mod commits;
mod counters;
mod database;
mod database_url;
mod diff;
mod due;
mod effective;
mod feed;
mod filter;
mod fuzzing;
mod given;
mod hints;
mod idempotency;
mod json;
mod kept;
mod ledger;
mod loaders;
mod meter;
mod nodes;
mod opening;
mod order;
mod page;
mod parking;
mod parts;
mod prices;
mod questions;
mod queue;
mod reach;
mod readiness;
mod recognition;
mod removal;
mod routes;
mod row;
mod row_security;
mod scope;
mod seal;
mod search;
mod select;
mod sessions;
mod snapshot;
mod sqlite_file;
mod sums;
mod system;
mod transaction;
mod tx;
mod upgrade;
mod vault;
mod verify;
mod webhooks;

pub(crate) use self::accounts::DELETED;
pub(crate) use self::admission::{Admission, Most, Permit, Shares};
pub(crate) use self::aggregate::within;
pub(crate) use self::budgets::{Amount, Amounts, Cap, OnBudget, Which};
pub(crate) use self::due::is_gone;
pub(crate) use self::feed::{
    Beat, Event, Feed, Follower, Hold, Key, Made, Pulse, READ_WITHIN, bytes_of_json, bytes_of_row,
};
pub(crate) use self::fuzzing::cursor as fuzz_cursor;
pub(crate) use self::meter::Meter;
pub(crate) use self::order::to_json;
pub(crate) use self::readiness::Readiness;
pub(crate) use self::routes::Message;
pub(crate) use self::search::{Hit, Search};
pub use self::{
    aggregate::{Figures, Group},
    bounds::Bounds,
    counters::{Counted, Counts},
    database::Store,
    database_url::DatabaseUrl,
    effective::Effective,
    filter::{At, Compared, Comparison, Filter},
    hints::{Hints, NatsUrl},
    idempotency::{Answer, Request},
    order::SortKey,
    page::{DEFAULT_PAGE, List, PageArgs, PageRows, at_most, page_size},
    queue::{Queue, QueueEntry, QueueKind, QueueRows},
    row::{Columns, Row},
    scope::{Parent, Scope},
    search::{Findable, FoundIn},
    select::Place,
    system::System,
    tx::{PLANNED_ONCE, Tx, next_ticket_sql},
    vault::{KeyInUse, Resealed},
    verify::Head,
};
pub(crate) use self::{
    commits::{Commits, Fate},
    transaction::retried,
    tx::{Sought, digest, project_of, standing},
};
