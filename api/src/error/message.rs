//! What errors say: what was wrong, and what to do.

use super::{Error, Measured, Refusal, Whose};

impl Error {
    /// What the client reads.
    pub fn message(&self) -> String {
        match self {
            Self::Unauthenticated(what) | Self::DeadlineExceeded(what) => (*what).to_owned(),
            Self::Forbidden(what) => what.clone(),
            Self::NotFound { kind } => {
                format!("There is no {kind} with this id in your workspace.")
            }
            Self::BadUserInput { field, reason } => format!("`{field}`: {reason}"),
            Self::IllegalTransition(refusal) => {
                let Refusal { step, from, needs, .. } = &**refusal;
                match needs.contains(from) {
                // Its status is right, and what it waits for or whether it is paused is not.
                true => format!("{step} cannot be done now, though it is {from}."),
                false => {
                    let needs = needs.join(" or ");
                    format!("{step} cannot be done now: it is {from}, and must be {needs}.")
                }
                }
            }
            Self::Conflict(what) | Self::ConflictFor { what, .. } | Self::OutOfReach(what) => {
                what.clone()
            }
            Self::Decided { what, by, at, .. } => format!("{what} by {by} at {at}."),
            Self::StaleLease => {
                "You have this job no longer: its lease is over, it was ended or given back, or another try of it has begun. \
                 Nothing was written. Ask by agentHeartbeat which jobs you have."
                    .to_owned()
            }
            Self::IdempotencyMismatch => {
                "This idempotencyKey was used with another input. Use a new key for a new request."
                    .to_owned()
            }
            Self::CursorMismatch(what) => format!("{what} Start again from the first page."),
            Self::ResyncRequired { .. } => {
                "This stream cannot go on without a gap. Follow again `after` this error's cursor; if that is refused \
                 too, load your page anew and follow from its feedCursor."
                    .to_owned()
            }
            Self::LimitExceeded {
                name,
                limit,
                actual,
            } => {
                format!("{name} is at most {limit}, not {actual}.")
            }
            Self::Contended => "Others changed the same rows at the same time, three times over. Nothing was changed; try \
                                again."
                .to_owned(),
            Self::MoreErrors { limit, actual } => {
                let more = counted(actual.saturating_sub(*limit), "more error");
                format!("And {more} like these.")
            }
            Self::TooMuch {
                what: Measured::Pending,
                limit,
                ..
            } => format!(
                "An operation answers at most {limit} fields at the same time (WORKGRAPH_PENDING_FIELDS), and this one has \
                 more. Ask for smaller pages, and for fewer fields within them."
            ),
            Self::TooMuch {
                what: Measured::Requests { retry_after_ms },
                limit,
                ..
            } => format!(
                "You may send at most {limit} requests a minute (WORKGRAPH_REQUESTS_PER_MINUTE). {}",
                try_again(*retry_after_ms)
            ),
            Self::TooMuch { what, limit, .. } => {
                let (what, of) = match what {
                    Measured::Read => ("What the operation reads", "four times "),
                    _ => ("The answer's size", ""),
                };
                format!(
                    "{what} is at most {limit} bytes ({of}WORKGRAPH_ANSWER_BYTES), and this operation has more. Ask for \
                     smaller pages, and for fewer large fields."
                )
            }
            Self::CostExceeded {
                limit, requested, ..
            } => format!(
                "The answer could hold {requested} values; at most {limit} are allowed. Ask for smaller pages of the \
                 lists in `fields`, or leave out what counts for many `values` there."
            ),
            // What clients look for, to the letter; then they send the whole document.
            Self::UnknownDocument { by_hash: true, .. } => "PersistedQueryNotFound".to_owned(),
            Self::UnknownDocument { only: false, .. } => {
                "This server knows no document with this documentId. Send the document as `query`.".to_owned()
            }
            Self::UnknownDocument { only: true, .. } => {
                "This server knows no document with this documentId, and runs no others than those of its manifest \
                 (WORKGRAPH_TRUSTED_DOCUMENTS). It may be older or newer than the page that asks."
                    .to_owned()
            }
            Self::UntrustedDocument => {
                "This server runs only the documents of its manifest (WORKGRAPH_TRUSTED_ONLY), and this is none of them. \
                 Send the `documentId` of one of them."
                    .to_owned()
            }
            Self::ParseFailed(what) | Self::ValidationFailed(what) => what.clone(),
            Self::RateLimited { retry_after_ms } => {
                format!("Too many tries. {}", try_again(*retry_after_ms))
            }
            Self::Unavailable => "The database is out of reach; try again.".to_owned(),
            Self::Busy(whose) => {
                let why = match whose {
                    Whose::Actor => "You have too many operations under way or waiting",
                    Whose::Workspace => {
                        "Your workspace has too many operations under way or waiting"
                    }
                    Whose::All => "The server has more to do than it can at the moment",
                    Whose::Unread => {
                        return "Too many bytes of answers to you or your workspace are unread (WORKGRAPH_UNREAD_BYTES). Read \
                                them, or close those connections, and try again."
                            .to_owned();
                    }
                };
                format!("{why}. Nothing of this one has run; try again in a second.")
            }
            Self::Internal(_) => {
                "Something failed on our side. Report the requestId if it happens again.".to_owned()
            }
        }
    }
}

fn try_again(after_ms: u64) -> String {
    let seconds = counted(after_ms.div_ceil(1000), "second");
    format!("Try again in {seconds}.")
}

/// So many of a thing: `1 second`, `2 entries`.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    match (count, thing.strip_suffix('y')) {
        (1, _) => format!("1 {thing}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!(counted(1, "second"), "1 second");
        assert_eq!(counted(0, "second"), "0 seconds");
        assert_eq!(counted(2, "entry"), "2 entries");
        let error = Error::RateLimited {
            retry_after_ms: 999,
        };
        assert_eq!(error.message(), "Too many tries. Try again in 1 second.");
    }
}
