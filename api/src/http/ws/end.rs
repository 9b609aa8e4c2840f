//! Why a socket ends, and the code that tells the client.

use crate::error::Error;
use axum::extract::ws::{CloseFrame, Message};
use std::borrow::Cow;

/// The most bytes of a close frame's reason.
const LONGEST_REASON: usize = 123;

/// The server stops.
const GOING_AWAY: u16 = 1001;
/// A message is larger than a body may be.
const TOO_LARGE: u16 = 1009;
/// Our fault.
const INTERNAL: u16 = 1011;
/// Nothing is wrong with the client, but not now.
const TRY_AGAIN: u16 = 1013;
const INVALID: u16 = 4400;
const UNAUTHORIZED: u16 = 4401;
const FORBIDDEN: u16 = 4403;
const NO_PROTOCOL: u16 = 4406;
const INIT_TIMEOUT: u16 = 4408;
const ID_IN_USE: u16 = 4409;
const SECOND_INIT: u16 = 4429;

/// Why a socket ends.
#[derive(Debug)]
pub(super) enum End {
    /// The client is gone, or does not read or answer any more.
    Gone,
    /// The client closed it.
    Closed,
    /// The server closes it, with a code and a reason.
    Close(u16, Cow<'static, str>),
}

impl End {
    pub(super) fn going_away() -> Self {
        Self::Close(GOING_AWAY, "The server stops. Connect again.".into())
    }

    pub(super) fn too_large() -> Self {
        Self::Close(TOO_LARGE, "The message is too large.".into())
    }

    pub(super) fn invalid(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Close(INVALID, reason.into())
    }

    pub(super) fn unauthorized() -> Self {
        Self::Close(UNAUTHORIZED, "Unauthorized".into())
    }

    pub(super) fn expired() -> Self {
        Self::Close(FORBIDDEN, "The token has expired.".into())
    }

    pub(super) fn no_protocol() -> Self {
        Self::Close(NO_PROTOCOL, "Subprotocol not acceptable".into())
    }

    pub(super) fn init_timeout() -> Self {
        Self::Close(INIT_TIMEOUT, "Connection initialisation timeout".into())
    }

    pub(super) fn id_in_use(id: &str) -> Self {
        Self::Close(
            ID_IN_USE,
            format!("Subscriber for {id} already exists").into(),
        )
    }

    pub(super) fn second_init() -> Self {
        Self::Close(SECOND_INIT, "Too many initialisation requests".into())
    }

    /// Ends because of credentials that do not hold, or that could not be checked.
    pub(super) fn refused(error: &Error) -> Self {
        let code = match error {
            Error::Internal(cause) => {
                tracing::error!(%cause, "credentials could not be checked");
                INTERNAL
            }
            Error::Unavailable
            | Error::Busy(_)
            | Error::DeadlineExceeded { .. }
            | Error::LimitExceeded { .. } => TRY_AGAIN,
            _ => FORBIDDEN,
        };
        Self::Close(
            code,
            format!("{}: {}", error.code(), error.message()).into(),
        )
    }

    /// The message that says it.
    pub(super) fn message(self) -> Option<Message> {
        let Self::Close(code, reason) = self else {
            return None;
        };
        let mut length = reason.len().min(LONGEST_REASON);
        while !reason.is_char_boundary(length) {
            length -= 1;
        }
        let reason = reason[..length].into();
        Some(Message::Close(Some(CloseFrame { code, reason })))
    }
}
