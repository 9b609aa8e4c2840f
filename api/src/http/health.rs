//! What orchestrators ask: whether the process lives, and whether it can do its work.

use super::App;
use crate::store::Readiness;
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// What was found holds for so long, so that whoever asks all the time costs the database nothing.
const FRESH: Duration = Duration::from_secs(1);

/// What was found last, and when.
pub(super) type Found = Mutex<Option<(Instant, Readiness)>>;

/// `/health`: the process lives, whatever else does not. One that does not answer should be started anew.
pub(super) async fn lives() -> &'static str {
    "ok\n"
}

/// `/readyz`: 200 if requests should be sent here, 503 if not, and in either case what was found.
pub(super) async fn is_ready(State(app): State<App>) -> Response {
    // Whoever comes meanwhile waits for what is being found out.
    let mut found = app.found.lock().await;
    let readiness = match *found {
        Some((at, readiness)) if at.elapsed() < FRESH => readiness,
        _ => {
            let readiness = app.store.readiness().await;
            *found = Some((Instant::now(), readiness));
            readiness
        }
    };
    drop(found);
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let mut response = (status, Json(readiness)).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
