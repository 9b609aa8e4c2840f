//! Workgraph: a multi-tenant GraphQL backend for companies that run an AI workforce.
//!
//! The map, from the outside in:
//! - [`http`]: the router, GraphQL over HTTP, GraphiQL.
//! - [`auth`]: who is asking, and what they may do.
//! - [`graph`]: the schema, one file per table.
//! - [`import`](mod@import): files on disk to meetings and to the library.
//! - [`integrations`]: other services, what each needs and how it is tried.
//! - `webhooks`: what other services tell by themselves, and whether it is them.
//! - [`vault`]: what their secrets are sealed with.
//! - `live`: subscriptions, over the ledger.
//! - `domain`: rules that know neither SQL nor GraphQL.
//! - [`background`]: what the server does by itself, at intervals.
//! - `workflow`: what a decision brings about, in the transaction that makes it.
//! - [`store`]: the only code that sees a database connection.
//! - `private_file`: files that only their owner can read.
//! - [`workspace`]: founding a workspace from the command line.
//! - [`config`], [`clock`], [`error`]: settings, time, and the one error.

mod answer;
mod aside;
pub mod auth;
pub mod background;
pub mod clock;
pub mod config;
mod domain;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod graph;
pub mod http;
pub mod import;
pub mod integrations;
mod live;
pub mod mail;
mod post;
mod private_file;
pub mod seed;
pub mod server;
pub mod store;
pub mod vault;
mod webhooks;
mod workflow;
pub mod workspace;

pub use error::{Error, Result};
