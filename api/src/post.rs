//! How links reach people: where they lead, what their tokens are, and whether they are mailed.

use crate::{
    auth::{INVITATION, Links, RESET, Secret},
    mail::Mail,
};
use std::fmt;

/// The page of a dashboard that a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// Where an invitation is accepted.
    Join,
    /// Where a new password is chosen.
    NewPassword,
}

/// What it takes to bring links to people.
pub(crate) struct Post {
    links: Links,
    dashboard: Option<String>,
    mail: Option<Mail>,
}

impl Page {
    fn path(self) -> &'static str {
        match self {
            Self::Join => "/join",
            Self::NewPassword => "/new-password",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Join => INVITATION,
            Self::NewPassword => RESET,
        }
    }
}

impl Post {
    /// Nothing is mailed, and links lead nowhere in particular.
    pub(crate) fn new(secret: &Secret) -> Self {
        Self {
            links: Links::new(secret),
            dashboard: None,
            mail: None,
        }
    }

    /// The same, with links to this dashboard, which are mailed if anything is.
    pub(crate) fn reaching(&self, dashboard: Option<String>, mail: Option<Mail>) -> Self {
        Self {
            links: self.links.clone(),
            dashboard,
            mail,
        }
    }

    /// What mails, if anything does.
    pub(crate) fn mail(&self) -> Option<&Mail> {
        self.mail.as_ref()
    }

    /// The token that is made of a number, for a page.
    pub(crate) fn token(&self, page: Page, nonce: &str) -> String {
        self.links.token(page.prefix(), nonce)
    }

    /// The link to a page with a token. It stands behind a `#`, which browsers keep to themselves: no log has it.
    pub(crate) fn link(&self, page: Page, token: &str) -> String {
        let dashboard = self.dashboard.as_deref().unwrap_or_default();
        format!("{dashboard}{}#{token}", page.path())
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Post")
    }
}
