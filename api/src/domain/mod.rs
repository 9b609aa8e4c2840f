//! Rules that know neither SQL nor GraphQL.

pub(crate) mod budget;
pub(crate) mod calendar;
pub(crate) mod canonical;
pub(crate) mod check;
pub(crate) mod code_graph;
pub(crate) mod count;
pub(crate) mod digest;
pub(crate) mod letters;
pub(crate) mod machine;
pub(crate) mod markdown;
pub(crate) mod money;
pub(crate) mod parse_error;
pub(crate) mod phase;
pub(crate) mod plan;
pub(crate) mod price;
pub(crate) mod route;
pub(crate) mod setup;
pub(crate) mod signature;
pub(crate) mod slug;
pub(crate) mod snippet;
pub(crate) mod transcript;
pub(crate) mod words;
