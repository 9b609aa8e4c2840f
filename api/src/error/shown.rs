//! How errors look in an answer.

use super::{BUSY_MS, Error, FieldCost, Measured};
use async_graphql::{ErrorExtensions, Pos, ServerError, Value, value};

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
            cause.log("operation failed");
        }
        async_graphql::Error::new(error.message()).extend_with(|_, extensions| {
            extensions.set("code", error.code());
            match error {
                Error::BadUserInput { field, reason } => {
                    extensions.set("field", field);
                    extensions.set("reason", reason);
                }
                Error::IllegalTransition(refusal) => {
                    extensions.set("step", &refusal.step);
                    extensions.set("from", &refusal.from);
                    extensions.set("to", &refusal.to);
                    extensions.set("allowed", refusal.allowed.as_slice());
                }
                Error::Decided {
                    decision, by, at, ..
                } => {
                    extensions.set("decision", decision);
                    extensions.set("decidedBy", by);
                    extensions.set("decidedAt", at.to_string());
                }
                Error::StaleLease => extensions.set("reason", "STALE_LEASE"),
                Error::ConflictFor { reason, .. } => extensions.set("reason", reason),
                Error::ResyncRequired { cursor } => {
                    extensions.set("cursor", cursor);
                }
                Error::TooMuch {
                    what: Measured::Requests { retry_after_ms },
                    limit,
                    ..
                } => {
                    extensions.set("limit", limit);
                    extensions.set("retryAfterMs", retry_after_ms);
                }
                Error::LimitExceeded { limit, actual, .. }
                | Error::MoreErrors { limit, actual }
                | Error::TooMuch { limit, actual, .. } => {
                    extensions.set("limit", limit);
                    extensions.set("actual", actual);
                }
                Error::CostExceeded {
                    limit,
                    requested,
                    fields,
                } => {
                    let fields = fields.into_iter().map(|(path, much)| match much {
                        FieldCost::Rows(rows) => value!({ "path": path, "rows": rows }),
                        FieldCost::Values(values) => value!({ "path": path, "values": values }),
                    });
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
