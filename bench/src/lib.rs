//! The real program under load, from outside: it is started as a child process and spoken to over HTTP, WebSockets and
//! Server-Sent Events. Nothing here knows the server's code.
//!
//! [`chaos`] proves that nothing is lost while servers, connections and clients die, [`agents`] that work is done once while
//! servers and agents do; [`measure`] takes figures.

pub mod agents;
pub mod chaos;
mod child;
mod client;
mod count;
mod figures;
mod frame;
mod hints;
mod installation;
mod line;
pub mod measure;
mod nats;
mod postgres;
mod program;
mod proxy;
mod servers;
mod sql;

pub use self::{
    hints::{Carrier, hints},
    installation::Database,
    program::Program,
};

/// Why something could not be done, for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What comes of something that can fail.
pub type Result<T> = std::result::Result<T, Failure>;
