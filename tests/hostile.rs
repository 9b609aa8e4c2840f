//! What comes from clients that mean no good, or have gone wrong: each gets an answer that is coded and says nothing of the
//! inside, soon, and leaves nothing behind.

mod connections;
mod corpus;
mod credentials;
pub mod deadlines;
mod mutated;
mod operations;
mod requests;
mod sizes;
mod sockets;
