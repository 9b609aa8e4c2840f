//! Why a socket ends, and the code that tells the client.

use super::intake::Fault;
use crate::error::Error;
use std::borrow::Cow;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

/// The most bytes of a close frame's reason.
const LONGEST_REASON: usize = 123;

/// The server stops.
const GOING_AWAY: u16 = 1001;
/// A message does not come to its end.
const TOO_SLOW: u16 = 1008;
/// A message is larger than it may be.
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

    /// Ends because of what comes in.
    pub(super) fn stopped(fault: Fault, most: u64) -> Self {
        match fault {
            Fault::TooLarge => Self::Close(
                TOO_LARGE,
                format!("A message is at most {most} bytes here.").into(),
            ),
            Fault::TooSlow => Self::Close(
                TOO_SLOW,
                "The rest of a message did not come in time.".into(),
            ),
            Fault::Crowded => Self::Close(
                TRY_AGAIN,
                "Too much of unfinished messages. Try again in a second.".into(),
            ),
        }
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
                cause.log("credentials could not be checked");
                INTERNAL
            }
            // Spelled out, so that whoever adds an error says which it is.
            Error::Unavailable
            | Error::OutOfReach(_)
            | Error::Busy(_)
            | Error::Contended
            | Error::RateLimited { .. }
            | Error::DeadlineExceeded(_)
            | Error::LimitExceeded { .. }
            | Error::TooMuch { .. }
            | Error::MoreErrors { .. } => TRY_AGAIN,
            Error::Unauthenticated(_)
            | Error::Forbidden(_)
            | Error::NotFound { .. }
            | Error::BadUserInput { .. }
            | Error::IllegalTransition(_)
            | Error::Decided { .. }
            | Error::Conflict(_)
            | Error::ConflictFor { .. }
            | Error::StaleLease
            | Error::IdempotencyMismatch
            | Error::CursorMismatch(_)
            | Error::ResyncRequired { .. }
            | Error::CostExceeded { .. }
            | Error::ParseFailed(_)
            | Error::UnknownDocument { .. }
            | Error::UntrustedDocument
            | Error::ValidationFailed(_) => FORBIDDEN,
        };
        Self::Close(
            code,
            format!("{}: {}", error.code(), error.message()).into(),
        )
    }

    /// Whether the client is refused what it asked for.
    pub(super) fn refuses(&self) -> bool {
        matches!(self, Self::Close(code, _) if *code != GOING_AWAY)
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
        Some(Message::Close(Some(CloseFrame {
            code: code.into(),
            reason,
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Whose;

    #[test]
    fn who_may_come_again_is_told_so() {
        let code = |error| match End::refused(&error) {
            End::Close(code, _) => code,
            other => panic!("{other:?}"),
        };
        for error in [
            Error::Unavailable,
            Error::Busy(Whose::All),
            Error::Contended,
            Error::TOO_SLOW,
            Error::RateLimited { retry_after_ms: 1 },
        ] {
            assert_eq!(code(error), TRY_AGAIN);
        }
        assert_eq!(code(Error::Unauthenticated("It does not hold.")), FORBIDDEN);
        assert_eq!(code(Error::internal("a fault")), INTERNAL);
    }
}
