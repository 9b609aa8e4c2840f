//! Agents at work, while servers and agents are killed at every step of a ticket's life: in the end each ticket is done once
//! or has visibly failed, and all that is counted is counted right.

mod company;
mod daemon;
mod ghost;
mod job;
mod known;
mod operation;
mod report;
mod run;
mod storm;
mod tally;
mod time;
mod verdict;
mod volley;
mod wire;

pub use self::{
    report::Report,
    run::{Plan, run},
};
