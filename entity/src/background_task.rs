//! `background_tasks`: what the server does by itself, at intervals. It belongs to no tenant, and holds nothing of any.

use crate::prelude::*;

/// A task of the server: when it was done last and is due next, and which server does it now.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "background_tasks", rename_all = "camelCase")]
pub struct Model {
    /// What it is called.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// When it is due.
    pub next_at: Timestamp,
    /// Until when a server holds it; null when none does.
    pub locked_until: Option<Timestamp>,
    /// Which server that is.
    pub locked_by: Option<String>,
    /// When it was begun last; null before that.
    pub started_at: Option<Timestamp>,
    /// When it ended last; null before that.
    pub ended_at: Option<Timestamp>,
    /// How often it failed since it last succeeded.
    pub failures: i32,
    /// Why it failed last; null when it succeeded since.
    pub last_error: Option<String>,
}

/// It points to nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
