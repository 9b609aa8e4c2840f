//! What each role may do: one match, which the compiler keeps complete.

use super::{Actor, Role};
use crate::error::{Error, Result};

/// Something an actor may or may not be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read what everyone in a workspace reads.
    Read,
    /// Read who changed what in detail, and other people's channel addresses.
    ReadAudit,
    /// Read what calls of providers cost.
    ReadCosts,
    /// Set the workspace up: its name, providers and integrations.
    SetUp,
    /// Create and edit projects and goals.
    EditProject,
    /// Archive and restore projects.
    ArchiveProject,
    /// Create and edit meetings and their transcripts.
    EditMeeting,
    /// Create and edit briefs.
    EditBrief,
    /// Create and edit plans and tickets.
    EditTicket,
    /// Change what every workspace shares.
    EditLibrary,
}

/// Refuses what the actor's role does not allow.
///
/// # Errors
/// [`Error::Forbidden`], naming the role that is needed.
pub fn authorize(actor: &Actor, action: Action) -> Result<()> {
    use Role::{Admin, Member, Owner, System, Viewer};
    let least = match action {
        Action::Read => Viewer,
        Action::ReadCosts
        | Action::EditProject
        | Action::EditMeeting
        | Action::EditBrief
        | Action::EditTicket => Member,
        Action::ReadAudit | Action::SetUp | Action::ArchiveProject => Admin,
        Action::EditLibrary => System,
    };
    let allowed = match actor.role() {
        System => true,
        Owner => least != System,
        Admin => matches!(least, Admin | Member | Viewer),
        Member => matches!(least, Member | Viewer),
        Viewer => least == Viewer,
    };
    if allowed {
        return Ok(());
    }
    let needed = match least {
        System => "Only the server's operator can do this, with the command line.".to_owned(),
        role => {
            format!("Your role does not allow this; it needs the role {role:?} or a higher one.")
        }
    };
    Err(Error::Forbidden(needed))
}
