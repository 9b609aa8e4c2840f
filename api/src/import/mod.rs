//! Bringing files in: meeting notes and transcripts into a workspace, skills and subagents into the global library.
//!
//! Importing the same files again changes nothing, and a file that cannot be read does not keep the others out.
//! Nothing here prints; whoever calls [`import`] shows its [`Summary`].
//!
//! The map, in the order of work:
//! - `run`: all of it, from paths to a summary.
//! - `walk`: which files there are, and what each is by its name and place.
//! - `read`: a file to what it holds, with the parsers `notes` and `definition` and those of `domain::transcript`.
//! - `recording`: a meeting as it was read, with full names out of all files of the run (`names`).
//! - `library`, `meetings`: what is written.

mod definition;
mod library;
mod meetings;
mod names;
mod notes;
mod read;
mod recording;
mod run;
mod walk;

pub(crate) use self::definition::{Definition, parse as definition};
pub(crate) use self::library::{skill, slug, subagent};
pub(crate) use self::recording::Recording;
pub use self::run::{Options, Summary, import};

use crate::domain::parse_error::ParseError;

/// Reads notes of a meeting that somebody sends rather than keeps in a file.
///
/// # Errors
/// The line at which they are none.
pub(crate) fn notes(title: &str, text: &str) -> Result<Recording, ParseError> {
    notes::parse(title, text).map(Recording::of_notes)
}
