//! The only code that sees a database connection.
//!
//! Everyone else holds a [`Scope`]: it can only produce reads that are narrowed to its actor's tenant, batches them,
//! serves a whole operation from one snapshot, and writes only through a [`Tx`], which puts the ledger entry into the
//! same transaction. What must cross tenants (sign-in, seeding) goes through [`System`].

#![expect(
    clippy::disallowed_methods,
    reason = "the store is what the others call instead"
)]

mod counters;
mod database;
mod diff;
mod filter;
mod idempotency;
mod ledger;
mod loaders;
mod nodes;
mod order;
mod page;
mod questions;
mod queue;
mod row_security;
mod scope;
mod select;
mod snapshot;
mod sums;
mod system;
mod tx;

pub use self::{
    counters::{Counted, Counts},
    database::{DatabaseUrl, Store},
    filter::{Compared, Comparison, Filter},
    idempotency::Request,
    order::SortKey,
    page::{List, PageArgs, PageRows, page_size},
    queue::{Queue, QueueEntry, QueueKind, QueueRows},
    scope::{Parent, Scope},
    select::Place,
    system::System,
    tx::Tx,
};
