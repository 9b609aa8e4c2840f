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

pub use self::run::{Options, Summary, import};
