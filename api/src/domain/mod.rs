//! Rules that know neither SQL nor GraphQL.

pub(crate) mod money;
