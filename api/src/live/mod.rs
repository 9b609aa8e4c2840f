//! Subscriptions: a GraphQL operation that goes on, over one tenant's ledger.
//!
//! Nothing runs for a subscription that nobody asks for its next frame. Its resolver is asked once to *register*: it
//! checks the arguments and says what to follow. From then on each entry of the ledger that concerns it is an
//! *occurrence*, for which the same operation is executed once, whoever and however many subscribed with the same
//! selection and role; all are handed the same text. What depends on who exactly asks is executed for each.

mod interest;
mod occurrence;
mod operation;
mod registration;
mod render;
mod subscription;
#[cfg(test)]
mod tests;

pub(crate) use self::{
    interest::{Interest, Matched, Touched, change, touched},
    occurrence::Occurrence,
    operation::Operations,
    registration::{Following, Registration},
    subscription::{Frame, Subscription, Terms},
};
