//! Chaos: servers over one database are killed, what carries their hints is cut, clients come and go, mutations fail;
//! and every subscriber proves by its own arithmetic that it saw each entry of its ledger once and in order.

mod arithmetic;
mod disturb;
mod ledger;
mod report;
mod run;
mod subscriber;
mod tally;
mod tenant;
mod verdict;
mod writer;

pub use self::{
    report::Report,
    run::{Plan, run},
};
