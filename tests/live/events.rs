//! Server-Sent Events.

use super::{ACTIVITY, create};
use crate::support::{DEMO, Events};
use serde_json::json;

on_both_databases! {
    async fn a_stream_of_events_resumes_after_the_last_one_seen(app) {
        let (client, token) = (app.owner().await, app.token(DEMO, "owner").await);
        let mut events = Events::open(&app.url, &token, ACTIVITY, None).await;
        let (name, _, data) = events.next().await.expect("an event");
        assert!(name == "next" && data["data"]["activity"]["event"].is_null(), "{data}");
        let first = create(&client, "seen").await;
        let last = events.created(&first).await;
        drop(events);
        let missed = create(&client, "missed").await;
        let mut events = Events::open(&app.url, &token, ACTIVITY, Some(&last)).await;
        let (_, again, _) = events.next().await.expect("an event");
        assert_eq!(again, last);
        let cursor = events.created(&missed).await;
        assert_ne!(cursor, last);
    }

    async fn a_query_comes_as_one_event_if_events_are_asked_for(app) {
        let token = app.token(DEMO, "owner").await;
        let mut events = Events::ask(&app.url, &token, "{ feedCursor }", None).await.expect("a stream");
        let (name, _, data) = events.next().await.expect("an event");
        assert!(name == "next" && data["data"]["feedCursor"].is_string(), "{data}");
        assert_eq!(events.next().await.expect("an event").0, "complete");
        assert_eq!(events.next().await, None);
    }

    async fn what_is_wrong_with_an_operation_is_told_in_the_stream(app) {
        let token = app.token(DEMO, "owner").await;
        let activity = "subscription { activity { position } }";
        for (query, resume, code) in [
            (activity, Some("nowhere"), "CURSOR_MISMATCH"),
            ("{", None, "GRAPHQL_PARSE_FAILED"),
            ("{ nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ] {
            let mut events = Events::open(&app.url, &token, query, resume).await;
            let (name, _, data) = events.next().await.expect("an event");
            let extensions = &data["errors"][0]["extensions"];
            assert_eq!((name.as_str(), &extensions["code"]), ("next", &json!(code)), "{data}");
            assert!(extensions["requestId"].is_string() && data["data"].is_null(), "{data}");
            assert_eq!(events.next().await.expect("an event").0, "complete");
            assert_eq!(events.next().await, None);
        }
        // Told to a browser too, which knows nothing of a stream's end but the event.
        let mut events = Events::open(&app.url, &token, "{ feedCursor }", None).await;
        assert_eq!(events.next().await.expect("an event").0, "next");
        assert_eq!(events.next().await.expect("an event").0, "complete");
        let (status, body) = Events::ask(&app.url, "x", activity, None).await.err().expect("no stream");
        assert_eq!((status, &body["errors"][0]["extensions"]["code"]), (401, &json!("UNAUTHENTICATED")), "{body}");
        let plain = app.owner().await;
        assert_eq!(plain.code(activity, json!({})).await, "BAD_USER_INPUT");
    }
}
