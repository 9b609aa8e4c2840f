//! The one error, its codes, and how it looks in an answer.
//!
//! A message says what was wrong and what to do. What the database or a library said is logged here, once, and never
//! leaves.

use async_graphql::{ErrorExtensions, Pos, ServerError, Value, value};
use sea_orm::{ActiveEnum, DbErr, RuntimeErr, SqlErr, sqlx};
use std::sync::Arc;

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
    IllegalTransition {
        /// The present state.
        from: String,
        /// The state asked for.
        to: String,
        /// The states that can follow the present one.
        allowed: Vec<String>,
    },
    /// The row is not as the caller believed, or a unique key is taken.
    Conflict(String),
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
        /// The lists that can have most rows: where they stand in the answer, and how many rows that is.
        fields: Vec<(String, u64)>,
    },
    /// The document is not GraphQL.
    ParseFailed(String),
    /// The client sent the hash of a document, hoping that the server knows it.
    PersistedQueryNotSupported,
    /// The document does not fit the schema, or the variables do not fit the document.
    ValidationFailed(String),
    /// It took longer than is allowed.
    DeadlineExceeded(&'static str),
    /// Too often in too short a time.
    RateLimited {
        /// When the next try is let in, in milliseconds.
        retry_after_ms: u64,
    },
    /// The database or another part is out of reach; trying again may help.
    Unavailable,
    /// Others stood in the way of a transaction, as often as it was tried.
    Contended,
    /// An answer would be too large, or too much would have to be read for it.
    TooMuch {
        /// What there is too much of.
        what: Measured,
        /// The most that is allowed, in bytes.
        limit: u64,
        /// How much there was when it was stopped.
        actual: u64,
    },
    /// Too many operations at once, or no turn came in time.
    Busy(Whose),
    /// Our fault. The cause is in the log, under the request's id.
    Internal(Arc<str>),
}

/// What an operation is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// What it answers.
    Answered,
    /// What it reads from the database.
    Read,
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
}

/// When to come back to a server that is busy.
const BUSY_MS: u64 = 1000;

/// The result of everything that can fail for a client.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An operation that was stopped because its time was up.
    pub const TOO_SLOW: Self = Self::DeadlineExceeded(
        "The operation took too long and was stopped. Ask for less, or try again; repeat a mutation under the same \
         idempotencyKey.",
    );

    /// A rejected argument or input field.
    pub fn bad_input(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::BadUserInput {
            field: field.into(),
            reason: reason.into(),
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

    /// A fault of ours, with what the log should say.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal(cause.to_string().into())
    }

    /// A step that a state machine does not have, with the states that can follow instead.
    pub fn illegal_transition<S: ActiveEnum<Value = String>>(
        from: S,
        to: S,
        allowed: &[S],
    ) -> Self {
        Self::IllegalTransition {
            from: from.to_value(),
            to: to.to_value(),
            allowed: allowed.iter().map(S::to_value).collect(),
        }
    }

    /// The stable word clients match on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated(_) => "UNAUTHENTICATED",
            Self::Forbidden(_) => "FORBIDDEN",
            Self::NotFound { .. } => "NOT_FOUND",
            Self::BadUserInput { .. } => "BAD_USER_INPUT",
            Self::IllegalTransition { .. } => "ILLEGAL_TRANSITION",
            Self::Conflict(_) | Self::Contended => "CONFLICT",
            Self::IdempotencyMismatch => "IDEMPOTENCY_MISMATCH",
            Self::CursorMismatch(_) => "CURSOR_MISMATCH",
            Self::ResyncRequired { .. } => "RESYNC_REQUIRED",
            Self::LimitExceeded { .. } | Self::TooMuch { .. } => "LIMIT_EXCEEDED",
            Self::CostExceeded { .. } => "COST_EXCEEDED",
            Self::ParseFailed(_) => "GRAPHQL_PARSE_FAILED",
            Self::PersistedQueryNotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::ValidationFailed(_) => "GRAPHQL_VALIDATION_FAILED",
            Self::DeadlineExceeded(_) => "DEADLINE_EXCEEDED",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::Unavailable | Self::Busy(_) => "UNAVAILABLE",
            Self::Internal(_) => "INTERNAL",
        }
    }

    /// What an operator reads: the message, and what is behind it.
    pub fn cause(&self) -> String {
        match self {
            Self::Internal(cause) => cause.to_string(),
            told => told.message(),
        }
    }

    /// What the client reads.
    pub fn message(&self) -> String {
        match self {
            Self::Unauthenticated(what) | Self::DeadlineExceeded(what) => (*what).to_owned(),
            Self::Forbidden(what) => what.clone(),
            Self::NotFound { kind } => {
                format!("There is no {kind} with this id in your workspace.")
            }
            Self::BadUserInput { field, reason } => format!("`{field}`: {reason}"),
            Self::IllegalTransition { from, to, allowed } if allowed.is_empty() => {
                format!("{from} cannot become {to}: {from} is final.")
            }
            Self::IllegalTransition { from, to, allowed } => {
                format!(
                    "{from} cannot become {to}; it can become {}.",
                    allowed.join(", ")
                )
            }
            Self::Conflict(what) => what.clone(),
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
                format!("{name} is at most {limit}; you asked for {actual}.")
            }
            Self::Contended => "Others changed the same rows at the same time, three times over. Nothing was changed; try \
                                again."
                .to_owned(),
            Self::TooMuch { what, limit, .. } => {
                let (what, of) = match what {
                    Measured::Answered => ("The answer's size", ""),
                    Measured::Read => ("What the operation reads", "four times "),
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
                 lists in `fields`."
            ),
            // What clients look for, to the letter; then they send the whole document.
            Self::PersistedQueryNotSupported => "PersistedQueryNotSupported".to_owned(),
            Self::ParseFailed(what) | Self::ValidationFailed(what) => what.clone(),
            Self::RateLimited { retry_after_ms } => {
                format!(
                    "Too many tries. Try again in {} seconds.",
                    retry_after_ms.div_ceil(1000)
                )
            }
            Self::Unavailable => "The database is out of reach; try again.".to_owned(),
            Self::Busy(whose) => {
                let too_many = match whose {
                    Whose::Actor => "You have too many operations under way or waiting",
                    Whose::Workspace => {
                        "Your workspace has too many operations under way or waiting"
                    }
                    Whose::All => "The server has more to do than it can at the moment",
                };
                format!("{too_many}. Nothing of this one has run; try again in a second.")
            }
            Self::Internal(_) => {
                "Something failed on our side. Report the requestId if it happens again.".to_owned()
            }
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match error.sql_err().or_else(|| raised(&error)) {
            Some(SqlErr::UniqueConstraintViolation(_)) => {
                Self::Conflict("Something with the same unique name or key exists already.".to_owned())
            }
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Self::Conflict(
                "A row this one refers to does not exist in your workspace, or rows that refer to this one remain."
                    .to_owned(),
            ),
            _ => match trouble(&error) {
                Some(Trouble::Lost) => {
                    tracing::error!(%error, "the database is out of reach");
                    Self::Unavailable
                }
                Some(Trouble::Stopped) => Self::TOO_SLOW,
                Some(Trouble::Contended) => Self::Contended,
                None => Self::internal(error),
            },
        }
    }
}

/// What a trigger on SQLite says in place of a constraint that SQLite itself does not know.
fn raised(error: &DbErr) -> Option<SqlErr> {
    let (DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error))) =
        error
    else {
        return None;
    };
    let message = error.as_database_error()?.message();
    if message.starts_with("UNIQUE constraint failed") {
        Some(SqlErr::UniqueConstraintViolation(message.to_owned()))
    } else if message.starts_with("FOREIGN KEY constraint failed") {
        Some(SqlErr::ForeignKeyConstraintViolation(message.to_owned()))
    } else {
        None
    }
}

impl Error {
    /// Whether the database cannot be reached any more.
    pub(crate) fn is_lost_connection(error: &DbErr) -> bool {
        matches!(trouble(error), Some(Trouble::Lost))
    }
}

/// What may be wrong when nothing is wrong with a statement.
enum Trouble {
    /// The connection is lost, or there is none.
    Lost,
    /// The statement's time was up.
    Stopped,
    /// Others stood in the way of the transaction.
    Contended,
}

fn trouble(error: &DbErr) -> Option<Trouble> {
    let (DbErr::Query(RuntimeErr::SqlxError(cause)) | DbErr::Exec(RuntimeErr::SqlxError(cause))) =
        error
    else {
        let lost = matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_));
        return lost.then_some(Trouble::Lost);
    };
    let cause = match &**cause {
        sqlx::Error::Database(cause) => cause,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => return Some(Trouble::Lost),
        _ => return None,
    };
    match &*cause.code()? {
        // PostgreSQL: query_canceled. SQLite: SQLITE_INTERRUPT.
        "57014" | "9" => Some(Trouble::Stopped),
        // PostgreSQL: serialization_failure, deadlock_detected, lock_not_available. SQLite: SQLITE_BUSY, SQLITE_LOCKED
        // and SQLITE_BUSY_SNAPSHOT.
        "40001" | "40P01" | "55P03" | "5" | "6" | "517" => Some(Trouble::Contended),
        // PostgreSQL: it shuts down, crashed, starts, has dropped the database, has no connection left.
        "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "53300" => Some(Trouble::Lost),
        code if code.len() == 5 && code.starts_with("08") => Some(Trouble::Lost),
        _ => None,
    }
}

impl From<Error> for ServerError {
    /// An error of the whole operation.
    fn from(error: Error) -> Self {
        let mut error = async_graphql::Error::from(error).into_server_error(Pos::default());
        error.locations.clear();
        error
    }
}

impl From<Error> for async_graphql::Error {
    fn from(error: Error) -> Self {
        if let Error::Internal(cause) = &error {
            tracing::error!(%cause, "operation failed");
        }
        async_graphql::Error::new(error.message()).extend_with(|_, extensions| {
            extensions.set("code", error.code());
            match error {
                Error::BadUserInput { field, reason } => {
                    extensions.set("field", field);
                    extensions.set("reason", reason);
                }
                Error::IllegalTransition { from, to, allowed } => {
                    extensions.set("from", from);
                    extensions.set("to", to);
                    extensions.set("allowed", allowed);
                }
                Error::ResyncRequired { cursor } => {
                    extensions.set("cursor", cursor);
                }
                Error::LimitExceeded { limit, actual, .. }
                | Error::TooMuch { limit, actual, .. } => {
                    extensions.set("limit", limit);
                    extensions.set("actual", actual);
                }
                Error::CostExceeded {
                    limit,
                    requested,
                    fields,
                } => {
                    let fields = fields
                        .into_iter()
                        .map(|(path, rows)| value!({ "path": path, "rows": rows }));
                    extensions.set("limit", limit);
                    extensions.set("requested", requested);
                    extensions.set("fields", Value::List(fields.collect()));
                }
                Error::RateLimited { retry_after_ms } => {
                    extensions.set("retryAfterMs", retry_after_ms);
                }
                Error::Busy(_) => extensions.set("retryAfterMs", BUSY_MS),
                _ => {}
            }
        })
    }
}
