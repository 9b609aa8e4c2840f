//! The tables: one file each with its columns, its status words and what a column may hold. No I/O.
//!
//! [`mod@column`] has the column types every table shares; [`Owned`] says whose a row is. A new table is a new file that
//! ends in [`owned!`], a `mod` line here, and a line in [`for_each_table!`] and in [`Table`].

pub mod column;
mod followers;
mod owned;
mod shape;

pub use column::{BigInt, Id, Json, JsonText, Large, Secret, Timestamp};
pub use followers::{Follower, followers};
pub use owned::{Owned, Ownership, Table};
pub use shape::{Column, Kind, Reading, Shape};

#[doc(hidden)]
pub mod prelude {
    //! What every table file imports.
    pub use crate::{BigInt, Id, Json, Large, Secret, Timestamp, owned, text_enum};
    pub use async_graphql::SimpleObject;
    pub use sea_orm::entity::prelude::{
        ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait,
        EnumIter, PrimaryKeyTrait,
    };
    pub use serde::{Deserialize, Serialize};
}

pub mod agent_job;
pub mod agent_job_event;
pub mod agent_role;
pub mod agent_role_version;
pub mod agent_session;
pub mod agent_task;
pub mod agent_token;
pub mod api_usage;
pub mod approval;
pub mod audit_log;
pub mod auth_token;
pub mod background_task;
pub mod budget_counter;
pub mod budget_reservation;
pub mod channel_route;
pub mod clarification_request;
pub mod credential;
pub mod execution_plan;
pub mod goal;
pub mod google_oauth_token;
pub mod idempotency_key;
pub mod integration_connection;
pub mod invitation;
pub mod meeting;
pub mod model_price;
pub mod notification;
pub mod notification_subscription;
pub mod prd;
pub mod prd_symbol_link;
pub mod project;
pub mod project_graph;
pub mod scheduled_job;
pub mod service_token;
pub mod skill;
pub mod skill_package;
pub mod subagent_definition;
pub mod tenant;
pub mod tenant_feed;
pub mod ticket;
pub mod ticket_dependency;
pub mod transcript;
pub mod user;
pub mod whisper_transcription;

/// Calls a macro with the name of every table's module: `for_each_table!(my_macro)`.
#[macro_export]
macro_rules! for_each_table {
    ($with:ident) => {
        $with! {
            tenant,
            user,
            invitation,
            google_oauth_token,
            agent_token,
            service_token,
            auth_token,
            idempotency_key,
            agent_session,
            tenant_feed,
            audit_log,
            project,
            project_graph,
            goal,
            meeting,
            transcript,
            whisper_transcription,
            skill,
            skill_package,
            subagent_definition,
            agent_role,
            agent_role_version,
            prd,
            prd_symbol_link,
            execution_plan,
            ticket,
            ticket_dependency,
            agent_job,
            agent_job_event,
            agent_task,
            approval,
            clarification_request,
            credential,
            integration_connection,
            channel_route,
            notification,
            notification_subscription,
            scheduled_job,
            api_usage,
            model_price,
            budget_counter,
            budget_reservation
        }
    };
}

macro_rules! shape_of_each {
    ($($entity:ident),*) => { [$(<$entity::Entity as Owned>::shape()),*] };
}

/// Every table as data.
pub fn shapes() -> impl Iterator<Item = &'static Shape> {
    for_each_table!(shape_of_each).into_iter()
}
