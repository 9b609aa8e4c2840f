//! The one error, its codes, and how it looks in an answer.
//!
//! What the database or a library said is logged once and never leaves.

mod database;
mod message;
mod shown;

pub(crate) use message::counted;

use async_graphql::{
    Value,
    resolver_utils::{EnumType, enum_value},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// What can go wrong, as far as a client must tell it apart.
#[derive(Clone, Debug)]
pub enum Error {
    /// No token, or one that does not hold.
    Unauthenticated(&'static str),
    /// The actor's role does not allow it.
    Forbidden(String),
    /// No such row for this tenant; another tenant's row is as absent as one that never was.
    NotFound {
        /// The GraphQL type asked for.
        kind: &'static str,
    },
    /// An argument or input field cannot be accepted.
    BadUserInput {
        /// The argument's or field's name.
        field: String,
        /// What is wrong with it and what would be right.
        reason: String,
    },
    /// The state machine has no such step.
    IllegalTransition(Box<Refusal>),
    /// The row is not as the caller believed, or a unique key is taken.
    Conflict(String),
    /// The same, with a word for why, by which a client acts.
    ConflictFor {
        /// The word, such as `ALREADY_MEMBER`.
        reason: &'static str,
        /// What stands in the way and what to do.
        what: String,
    },
    /// It was decided otherwise before.
    Decided {
        /// What was decided, and on what.
        what: String,
        /// The decision, as the API writes it.
        decision: String,
        /// Who decided.
        by: String,
        /// When.
        at: entity::Timestamp,
    },
    /// Whoever works on something has it no longer: its lease is over, or another try of it has begun.
    StaleLease,
    /// An idempotency key was used before with another input.
    IdempotencyMismatch,
    /// A cursor that is damaged, or was made under another order, filter, list or tenant.
    CursorMismatch(&'static str),
    /// A live stream cannot go on without a gap. What was missed is read, and followed again, from the cursor.
    ResyncRequired {
        /// The last position that was handed over.
        cursor: String,
    },
    /// A limit was passed.
    LimitExceeded {
        /// The limit's name, as in the configuration.
        name: &'static str,
        /// The most that is allowed.
        limit: u64,
        /// What was asked for.
        actual: u64,
    },
    /// An operation's answer could hold more values than is allowed.
    CostExceeded {
        /// The most that is allowed.
        limit: u64,
        /// What the operation asks for.
        requested: u64,
        /// The lists that can have most rows and the fields that count for most values: where they stand in the answer,
        /// and how many that is.
        fields: Vec<(String, FieldCost)>,
    },
    /// The document is not GraphQL.
    ParseFailed(String),
    /// The client named a document that the server does not know.
    UnknownDocument {
        /// Whether by its hash alone, in the hope that somebody sent it before.
        by_hash: bool,
        /// Whether only documents that the operator trusts are run here.
        only: bool,
    },
    /// Only documents that the operator trusts are run here, and this is none of them.
    UntrustedDocument,
    /// The document does not fit the schema, or the variables do not fit the document.
    ValidationFailed(String),
    /// It took longer than is allowed.
    DeadlineExceeded(&'static str),
    /// Tried too often in too short a time.
    RateLimited {
        /// When the next try is let in, in milliseconds.
        retry_after_ms: u64,
    },
    /// The database or another part is out of reach; trying again may help.
    Unavailable,
    /// Another service, or something that the operator has to set up, is out of reach. Says what and what to do.
    OutOfReach(String),
    /// Others stood in the way of a transaction, as often as it was tried.
    Contended,
    /// An answer would be too large, too much would have to be read for it, or there are too many requests.
    TooMuch {
        /// What there is too much of.
        what: Measured,
        /// The most that is allowed.
        limit: u64,
        /// How much there was when it was stopped.
        actual: u64,
    },
    /// There are more errors than are told.
    MoreErrors {
        /// How many are told.
        limit: u64,
        /// How many there are.
        actual: u64,
    },
    /// Too many operations at once, or no turn came in time.
    Busy(Whose),
    /// Our fault. The cause is in the log, under the request's id.
    Internal(Arc<Cause>),
}

/// What there can be too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// What it answers.
    Answered,
    /// What it reads from the database.
    Read,
    /// The fields that it has begun to answer and not ended yet.
    Pending,
    /// Requests a minute.
    Requests {
        /// When the next one is let in, in milliseconds.
        retry_after_ms: u64,
    },
}

/// What is behind a fault of ours. One fault can fail many fields; it is logged for the first.
#[derive(Debug)]
pub struct Cause {
    text: String,
    logged: AtomicBool,
}

impl Cause {
    /// Logs it, unless that is done.
    pub(crate) fn log(&self, what: &'static str) {
        if !self.logged.swap(true, Relaxed) {
            tracing::error!(cause = %self.text, "{what}");
        }
    }
}

/// What makes a field dear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldCost {
    /// So many rows of a list.
    Rows(u64),
    /// So many values, as which its large texts or its sums count.
    Values(u64),
}

impl FieldCost {
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Rows(number) | Self::Values(number) => number,
        }
    }
}

/// Whose operations are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of whoever asks.
    Actor,
    /// Those of the workspace.
    Workspace,
    /// All that the server has to do.
    All,
    /// Answers to whoever asks, or to its workspace, that nobody reads.
    Unread,
}

/// When to come back to a server that is busy.
const BUSY_MS: u64 = 1000;

/// The result of everything that can fail for a client.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a step cannot be taken.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The step.
    pub step: String,
    /// The present state.
    pub from: String,
    /// The state asked for.
    pub to: String,
    /// The states that the step is taken from.
    pub needs: Vec<String>,
    /// The states that people can bring the row to from the present one.
    pub allowed: Vec<String>,
}

impl Error {
    /// An operation that was stopped because its time was up.
    pub const TOO_SLOW: Self = Self::DeadlineExceeded(
        "The operation took too long and was stopped. Ask for less, or try again; repeat a mutation under the same \
         idempotencyKey.",
    );

    /// Whoever asks was of a workspace that was deleted.
    pub const WORKSPACE_DELETED: Self =
        Self::Unauthenticated("This workspace was deleted. Nobody of it can sign in any more.");

    /// A rejected argument or input field.
    pub fn bad_input(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::BadUserInput {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// Refuses what conflicts with how things are, for a reason that clients know by its word.
    pub(crate) fn conflict(reason: &'static str, what: impl Into<String>) -> Self {
        Self::ConflictFor {
            reason,
            what: what.into(),
        }
    }

    /// Refuses more than a limit.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`], with the limit's name, which begins its message.
    pub fn within(name: &'static str, limit: u64, actual: u64) -> Result<()> {
        if actual <= limit {
            return Ok(());
        }
        Err(Self::LimitExceeded {
            name,
            limit,
            actual,
        })
    }

    /// Whether the same may succeed when it is tried again, with nothing changed about it.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Unavailable | Self::Busy(_) | Self::Contended | Self::DeadlineExceeded(_)
        )
    }

    /// A fault of ours, with what the log should say.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal(Arc::new(Cause {
            text: cause.to_string(),
            logged: AtomicBool::new(false),
        }))
    }

    /// The stable word clients match on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated(_) => "UNAUTHENTICATED",
            Self::Forbidden(_) => "FORBIDDEN",
            Self::NotFound { .. } => "NOT_FOUND",
            Self::BadUserInput { .. } => "BAD_USER_INPUT",
            Self::IllegalTransition(_) => "ILLEGAL_TRANSITION",
            Self::Conflict(_)
            | Self::ConflictFor { .. }
            | Self::Decided { .. }
            | Self::StaleLease
            | Self::Contended => "CONFLICT",
            Self::IdempotencyMismatch => "IDEMPOTENCY_MISMATCH",
            Self::CursorMismatch(_) => "CURSOR_MISMATCH",
            Self::ResyncRequired { .. } => "RESYNC_REQUIRED",
            Self::RateLimited { .. }
            | Self::TooMuch {
                what: Measured::Requests { .. },
                ..
            } => "RATE_LIMITED",
            Self::LimitExceeded { .. } | Self::TooMuch { .. } | Self::MoreErrors { .. } => {
                "LIMIT_EXCEEDED"
            }
            Self::CostExceeded { .. } => "COST_EXCEEDED",
            Self::ParseFailed(_) => "GRAPHQL_PARSE_FAILED",
            Self::UnknownDocument { .. } => "PERSISTED_QUERY_NOT_FOUND",
            Self::UntrustedDocument => "DOCUMENT_NOT_TRUSTED",
            Self::ValidationFailed(_) => "GRAPHQL_VALIDATION_FAILED",
            Self::DeadlineExceeded(_) => "DEADLINE_EXCEEDED",
            Self::Unavailable | Self::OutOfReach(_) | Self::Busy(_) => "UNAVAILABLE",
            Self::Internal(_) => "INTERNAL",
        }
    }

    /// What an operator reads: the message, and what is behind it.
    pub fn cause(&self) -> String {
        match self {
            Self::Internal(cause) => cause.text.clone(),
            told => told.message(),
        }
    }
}

/// A value of an enum as the API writes it.
pub(crate) fn named<S: EnumType>(value: S) -> String {
    match enum_value(value) {
        Value::Enum(name) => name.to_string(),
        other => other.to_string(),
    }
}
