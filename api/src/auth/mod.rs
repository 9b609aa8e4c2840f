//! Who is asking, and what they may do.

mod actor;
mod policy;
mod token;

pub use self::{
    actor::{Actor, Role},
    policy::{Action, authorize},
    token::{Secret, Tokens},
};
