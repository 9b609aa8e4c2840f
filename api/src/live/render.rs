//! Executing a subscription's operation for one occurrence.

use super::{Occurrence, operation::Operation};
use crate::{
    answer::complete,
    auth::Actor,
    error::{Error, Result},
    graph::Schema,
    store::Store,
};
use axum::extract::ws::Utf8Bytes;
use futures_util::StreamExt;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tracing::Instrument;

/// The answer to an occurrence.
#[derive(Clone)]
pub(super) struct Answer {
    /// The response as JSON.
    pub(super) payload: Utf8Bytes,
    /// Where to go on after it.
    pub(super) cursor: Arc<str>,
}

/// Executes the operation. Also says whether the answer depends on who exactly the actor is.
///
/// # Errors
/// If the answer cannot be written as JSON. What fails within the operation is part of the answer.
pub(super) async fn render(
    frames: &Schema,
    store: &Store,
    operation: &Operation,
    actor: &Actor,
    occurrence: Occurrence,
) -> Result<(Answer, bool)> {
    let position = occurrence.position;
    let cursor = store.feed_cursor(actor.tenant(), position).into();
    let identified = Arc::new(AtomicBool::new(false));
    let scope = store.scope(actor.clone().observed(identified.clone()));
    let request = operation.request().data(scope).data(occurrence);
    // The answer may go to others as well; then this is the request of whoever was first to ask for it.
    let id = actor.origin().map_or("", |origin| &origin.request_id);
    let span = tracing::info_span!("frame", id, position);
    let mut answer = frames
        .execute_stream(request)
        .next()
        .instrument(span)
        .await
        .ok_or_else(|| Error::internal("an occurrence was not answered"))?;
    complete(&mut answer, id);
    let json = serde_json::to_string(&answer).map_err(Error::internal)?;
    let payload = json.into();
    let personal = identified.load(Ordering::Relaxed);
    Ok((Answer { payload, cursor }, personal))
}
