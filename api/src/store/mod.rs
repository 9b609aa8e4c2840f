//! The only code that sees a database connection.
//!
//! Everyone else holds a [`Scope`]: it can only produce reads that are narrowed to its actor's tenant, batches them,
//! serves a whole operation from one snapshot, and writes only through a [`Tx`], which puts the ledger entry into the
//! same transaction. What must cross tenants (sign-in, seeding) goes through [`System`].

#![expect(
    clippy::disallowed_methods,
    reason = "the store is what the others call instead"
)]

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
mod row_security;
mod scope;
mod search;
mod select;
mod sessions;
mod snapshot;
mod system;
mod tx;

pub(crate) use self::search::{Hit, Search};
pub use self::{
    database::{DatabaseUrl, Store},
    filter::{Compared, Comparison, Filter},
    idempotency::Request,
    order::SortKey,
    page::{List, PageArgs, PageRows, page_size},
    scope::{Parent, Scope},
    search::{Findable, FoundIn},
    select::Place,
    system::System,
    tx::Tx,
};
