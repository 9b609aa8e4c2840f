//! The product, tested as its users meet it: over HTTP, on SQLite and on PostgreSQL, with the same tests.

#![expect(
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

#[macro_use]
mod support;

mod analytics;
mod authorization;
mod code_graph;
mod effective;
mod http;
mod isolation;
mod ledger;
mod lists;
mod schema;
mod search;
mod sessions;
mod statements;
mod tables;
mod usage;
mod writes;
