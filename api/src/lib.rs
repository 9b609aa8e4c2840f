//! Workgraph: a multi-tenant GraphQL backend for companies that run an AI workforce.

pub mod auth;
pub mod clock;
pub mod error;
pub mod store;
