//! Executing a subscription's operation for one occurrence.

use super::{Occurrence, operation::Operation};
use crate::{
    answer::{code, complete},
    aside,
    auth::Actor,
    error::{Error, Result},
    graph::Schema,
    store::Store,
};
use futures_util::StreamExt;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tracing::Instrument;

/// What ends a stream whose frame was not made in time.
pub(super) const TOO_SLOW: Error = Error::DeadlineExceeded(
    "A frame of this stream took too long and was stopped. Select less, and follow on after the last cursor.",
);

/// The answer to an occurrence.
#[derive(Clone)]
pub(super) struct Answer {
    /// The response as JSON.
    pub(super) payload: Arc<str>,
    /// Where to go on after it.
    pub(super) cursor: Arc<str>,
}

/// Executes the operation, in no more than this time. Also says whether the answer depends on who exactly the actor is.
///
/// # Errors
/// [`TOO_SLOW`], [`Error::TooMuch`], or if the answer cannot be written as JSON. What fails within the operation is part of the answer.
pub(super) async fn render(
    frames: &Schema,
    store: &Store,
    operation: &Operation,
    actor: &Actor,
    time: Duration,
    occurrence: Occurrence,
) -> Result<(Answer, bool)> {
    let rendering = execute(frames, store, operation, actor, time, occurrence);
    // What is dropped here stops its statement and hands its connection back.
    let in_time = tokio::time::timeout(time, rendering).await;
    in_time.unwrap_or(Err(TOO_SLOW))
}

async fn execute(
    frames: &Schema,
    store: &Store,
    operation: &Operation,
    actor: &Actor,
    time: Duration,
    occurrence: Occurrence,
) -> Result<(Answer, bool)> {
    let (position, origin) = (occurrence.position, actor.origin());
    let cursor = store.feed_cursor(actor.tenant(), position).into();
    let identified = Arc::new(AtomicBool::new(false));
    let meter = store.measure(time);
    let actor = actor.clone().observed(identified.clone());
    let scope = store.measured(meter.clone()).scope_within(actor, time);
    let request = operation.request().data(scope).data(occurrence);
    let request = request.data(meter.clone());
    // The answer may go to others as well; then this is the request of whoever was first to ask for it.
    let id = origin.map_or("", |origin| &origin.request_id);
    let span = tracing::info_span!("frame", id, position);
    let mut frames = frames.execute_stream(request);
    let executing = meter.run(frames.next().instrument(span));
    let answer = tokio::select! {
        biased;
        stopped = meter.until_stopped() => return Err(frame_error(stopped)),
        answer = executing => answer,
    };
    // It may have come to its end before that was noticed.
    if let Some(stopped) = meter.stopped() {
        return Err(frame_error(stopped.clone()));
    }
    let mut answer = answer.ok_or_else(|| Error::internal("an occurrence was not answered"))?;
    // The database may notice a moment before the clock here does.
    let mut codes = answer.errors.iter().filter_map(code);
    if codes.any(|code| code == TOO_SLOW.code()) {
        return Err(TOO_SLOW);
    }
    complete(&mut answer, id);
    let writing = aside::run(aside::is_large(&meter), move || {
        serde_json::to_string(&answer).map_err(Error::internal)
    });
    let json = writing.await.flatten()?;
    meter.whole(json.len() as u64)?;
    let payload = json.into();
    let personal = identified.load(Ordering::Relaxed);
    Ok((Answer { payload, cursor }, personal))
}

/// What ends the stream whose frame was stopped.
fn frame_error(stopped: Error) -> Error {
    match stopped {
        Error::DeadlineExceeded(_) => TOO_SLOW,
        other => other,
    }
}
