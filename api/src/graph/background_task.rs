//! What the server does by itself.

use super::prelude::*;
use crate::{
    auth::{Action, authorize},
    background::TASKS,
};
use async_graphql::{Object, SimpleObject};
use entity::Timestamp;

/// The root field of the server's tasks.
#[derive(Default)]
pub struct BackgroundTaskQuery;

#[Object]
impl BackgroundTaskQuery {
    /// What the server does by itself, at intervals, for all workspaces: when it did so last, and when it will again. For
    /// admins.
    async fn background_tasks(&self, ctx: &Context<'_>) -> Nullable<Vec<BackgroundTask>> {
        let scope = ctx.scope();
        authorize(scope.actor(), Action::ReadBackground)?;
        let known = scope.background_tasks().await?;
        let now = scope.now();
        let tasks = TASKS.iter().map(|task| {
            let row = known.iter().find(|row| row.name == task.name);
            let held = row.and_then(|row| row.locked_until);
            BackgroundTask {
                name: task.name.to_owned(),
                about: task.about.to_owned(),
                every_seconds: super::shared::count(task.every.as_secs()),
                is_running: held.is_some_and(|until| now < until),
                started_at: row.and_then(|row| row.started_at),
                ended_at: row.and_then(|row| row.ended_at),
                next_at: row.map(|row| row.next_at),
                failures: row.map_or(0, |row| row.failures),
                last_error: row.and_then(|row| row.last_error.clone()),
            }
        });
        Ok(Some(tasks.collect()))
    }
}

/// Something that the server does by itself.
#[derive(SimpleObject)]
pub struct BackgroundTask {
    /// What it is called.
    name: String,
    /// What it does.
    about: String,
    /// How long after it ended it is done again, in seconds.
    every_seconds: i32,
    /// Whether a server does it now.
    is_running: bool,
    /// When it was begun last; null when it never was.
    started_at: Option<Timestamp>,
    /// When it ended last; null when it never did.
    ended_at: Option<Timestamp>,
    /// When it is due; null while no server has entered it.
    next_at: Option<Timestamp>,
    /// How often it failed since it last succeeded.
    failures: i32,
    /// Why it failed last; null when it succeeded since.
    last_error: Option<String>,
}
