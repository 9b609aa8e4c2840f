//! Figures: how much it takes, and how long. Each returns a small table.
//!
//! The load comes from this process, on the machine that it measures, so what it computes itself is told too.

mod agents;
mod catch_up;
mod ceiling;
mod claims;
mod latency;
mod listen;
mod load;
mod pages;
mod stage;
mod subscribers;
mod table;
mod wire;
mod writers;

pub use self::{
    catch_up::catch_up, ceiling::ceiling, claims::ClaimPlan, claims::claims, latency::latency,
    pages::Pages, pages::pages, stage::Target, subscribers::subscribers, writers::writers,
};
