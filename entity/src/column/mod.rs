//! Column types shared by all tables: how a value is stored, and how the API shows it.

mod big_int;
mod deferred;
mod id;
mod json;
mod json_text;
mod timestamp;

pub use big_int::BigInt;
pub use deferred::{Large, Secret};
pub use id::Id;
pub use json::Json;
pub use json_text::JsonText;
pub use timestamp::Timestamp;

#[doc(hidden)]
pub use {
    async_graphql::Enum,
    sea_orm::{DeriveActiveEnum, EnumIter},
    serde::{Deserialize, Serialize},
};
