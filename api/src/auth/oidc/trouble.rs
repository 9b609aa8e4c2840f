//! Why somebody who comes from a provider is not let in, as a page may tell them.

use crate::error::Error;

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// People of this workspace do not sign in through the provider.
    Workspace,
    /// Where they want to come back to is no page of the dashboard.
    Page,
    /// The attempt was begun in another browser, is over, or was used.
    Attempt,
    /// The provider did not let them go on.
    Denied,
    /// The provider cannot be reached, or makes no sense.
    Provider,
    /// What the provider said of them does not hold.
    NotProven,
    /// Nothing but an address would tell who they are, and the provider does not say that it is theirs.
    EmailNotVerified,
    /// Nobody here is them.
    UnknownPerson,
    /// The account with their address is somebody else's at the provider.
    OtherIdentity,
    /// The provider gives them no role here.
    NoRole,
}

impl Trouble {
    fn code(self) -> &'static str {
        match self {
            Self::Workspace => "UNKNOWN_WORKSPACE",
            Self::Page => "WRONG_PAGE",
            Self::Attempt => "ATTEMPT_OVER",
            Self::Denied => "DENIED",
            Self::Provider => "PROVIDER_UNAVAILABLE",
            Self::NotProven => "NOT_PROVEN",
            Self::EmailNotVerified => "EMAIL_NOT_VERIFIED",
            Self::UnknownPerson => "UNKNOWN_PERSON",
            Self::OtherIdentity => "OTHER_IDENTITY",
            Self::NoRole => "NO_ROLE",
        }
    }
}

/// What comes of an attempt that fails: what the person can be told, or what went wrong here.
#[derive(Debug)]
pub(crate) enum Failure {
    /// They are not let in.
    Refused(Trouble),
    /// It did not get that far.
    Failed(Error),
}

impl Failure {
    /// The stable word that a page shows words of its own for.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Refused(trouble) => trouble.code(),
            Self::Failed(error) => error.code(),
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Refused(trouble)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
