//! The product, tested as its users meet it: over HTTP, on SQLite and on PostgreSQL, with the same tests.

#![expect(
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

#[macro_use]
mod support;

mod approval_queue;
mod derived;
mod http;
mod isolation;
mod ledger;
mod lists;
mod pages;
mod schema;
mod statements;
mod tables;
mod viewer;
mod writes;
