//! `goals`: what a project is for.

use crate::prelude::*;

text_enum! {
    /// Where a goal stands.
    GoalStatus {
        /// Being worked towards.
        Active,
        /// Reached.
        Achieved,
        /// Given up.
        Abandoned,
    }
}

/// A result the company wants from a project; goals form a tree.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "goals", rename_all = "camelCase")]
#[graphql(name = "GoalRow")]
pub struct Model {
    /// The goal's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// The project it belongs to.
    pub project_id: Id,
    /// What is wanted, in at most 200 characters.
    pub title: String,
    /// More about it, in at most 5,000 characters.
    pub description: String,
    /// What will be true when it is reached; agents are given this text.
    pub outcome: String,
    /// The goal above it, if any.
    pub parent_goal_id: Option<Id>,
    /// Where it stands.
    pub status: GoalStatus,
    /// When it should be reached; shown, not enforced.
    pub target_date: Option<Timestamp>,
    /// Who wrote it; null when the system did or the person is gone.
    pub created_by_id: Option<Id>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(Goal);
