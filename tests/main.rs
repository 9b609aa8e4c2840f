//! The product, tested as its users meet it: over HTTP, on SQLite and on PostgreSQL, with the same tests.

#![expect(
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

#[macro_use]
mod support;

mod agents;
mod analytics;
mod append_only;
mod approval_queue;
mod archived;
mod authorization;
mod bounds;
mod code_graph;
mod cursors;
mod decisions;
mod demo;
mod derived;
mod effective;
mod errors;
mod filters;
mod held_refusals;
mod hostile;
mod http;
mod inputs;
mod integrations;
mod isolation;
mod judge;
mod ledger;
mod library;
mod lists;
mod live;
mod named_documents;
mod objects;
mod oidc;
mod pages;
mod people;
mod plans;
mod refusals;
mod schema;
mod search;
mod search_index;
mod service_tokens;
mod session_races;
mod sessions;
mod sign_in;
mod statements;
mod tables;
mod times;
mod usage;
mod vault;
mod viewer;
mod webhooks;
mod workspace;
mod writes;
