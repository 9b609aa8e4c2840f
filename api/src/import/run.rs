//! An import from paths to a summary.

use std::fmt;
use std::path::PathBuf;

use entity::{Id, project};
use indicatif::{ProgressBar, ProgressStyle};

use super::library;
use super::meetings::{self, Outcome};
use super::read::{Batch, Source, problem};
use crate::domain::parse_error::ParseError;
use crate::error::{Error, Result};
use crate::store::{Scope, Store};
use crate::workspace;

/// How the ledger names the import.
const COMPONENT: &str = "import";

/// What to import, and where to.
#[derive(Clone, Debug)]
pub struct Options {
    /// The slug of the workspace that gets the meetings.
    pub workspace: String,
    /// The slug of the project that gets the meetings.
    pub project: String,
    /// Files and folders, which are walked through.
    pub paths: Vec<PathBuf>,
    /// Whether to show a progress bar, if standard error is a terminal.
    pub progress: bool,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many meetings are new or have changed.
    pub meetings: usize,
    /// How many versions of transcripts were written.
    pub transcript_versions: usize,
    /// How many skills are new or have changed.
    pub skills: usize,
    /// How many subagents are new or have changed.
    pub subagents: usize,
    /// How many files were imported before as they are.
    pub unchanged: usize,
    /// How many files in folders are nothing to import.
    pub passed_over: usize,
    /// What could not be imported, as `path:line: reason`, or `path: reason` when the file could not be opened.
    pub malformed: Vec<String>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: usize, noun: &str| {
            format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
        };
        write!(
            f,
            "imported {}, {}, {}; {} unchanged; {} passed over; {} malformed",
            count(self.meetings, "meeting"),
            count(self.skills, "skill"),
            count(self.subagents, "subagent"),
            self.unchanged,
            self.passed_over,
            self.malformed.len()
        )
    }
}

impl Summary {
    fn count(&mut self, source: &Source, outcome: Outcome) {
        match outcome {
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Written { is_new_text } => {
                self.meetings += 1;
                self.transcript_versions += usize::from(is_new_text);
            }
            Outcome::Elsewhere => {
                let reason =
                    "expected a file for this project, found that its meeting is in another one";
                let error = ParseError::new(1, reason);
                self.malformed.push(problem(&source.path, &error));
            }
        }
    }
}

/// Imports files. What cannot be read is in the summary; everything else is written, each meeting by itself.
///
/// # Errors
/// [`Error::BadUserInput`] when there are meetings and no such workspace or project, and nothing was written; or if the
/// database fails, and what was written before stays.
pub async fn import(store: &Store, options: &Options) -> Result<Summary> {
    let paths = options.paths.clone();
    let batch = tokio::task::spawn_blocking(move || Batch::read(&paths))
        .await
        .map_err(Error::internal)?;
    let destination = match batch.meetings.is_empty() {
        true => None,
        false => Some(destination(store, options).await?),
    };
    let mut summary = Summary {
        passed_over: batch.passed_over,
        malformed: batch.problems,
        ..Summary::default()
    };
    let progress = progress_bar(options, batch.definitions.len() + batch.meetings.len());
    if !batch.definitions.is_empty() {
        progress.set_message("library");
        let many = batch.definitions.len();
        library::write(
            &store.system().library(COMPONENT),
            batch.definitions,
            &mut summary,
        )
        .await?;
        progress.inc(many as u64);
    }
    if let Some((scope, project)) = &destination {
        for (source, recording) in batch.meetings {
            progress.set_message(source.name.clone());
            let outcome = meetings::write(scope, project, &source, recording).await?;
            summary.count(&source, outcome);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    Ok(summary)
}

/// The workspace and the project that meetings go to.
async fn destination(store: &Store, options: &Options) -> Result<(Scope, Id)> {
    let Options {
        workspace, project, ..
    } = options;
    let tenant = workspace::named(store, workspace).await?;
    let scope = store.system().tenant(tenant.id, COMPONENT);
    let found = scope
        .find_by::<project::Entity>(project::Column::Slug, &project.as_str().into())
        .await?;
    let reason = match found {
        Some(found) if !found.is_archived => return Ok((scope, found.id.clone())),
        Some(_) => format!("the project `{project}` is archived; restore it first"),
        None => {
            format!("there is no project with the slug `{project}` in the workspace `{workspace}`")
        }
    };
    Err(Error::bad_input("project", reason))
}

/// A bar on standard error; it hides itself when that is no terminal.
fn progress_bar(options: &Options, length: usize) -> ProgressBar {
    if !options.progress {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}");
    ProgressBar::new(length as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
