//! What is handed over: everything, in order, from wherever one resumes.

use super::{ACTIVITY, World, code, frame, number, raw, vetted};
use crate::live::{Frame, Subscription};
use serde_json::{Value, json};
use std::task::Poll;

as_the_server_runs! {
    async fn the_first_frame_says_where_it_begins_and_each_one_is_the_next() {
        let world = World::new().await;
        let start = world.happen().await;
        let mut followed = world.open(&world.owner(), ACTIVITY, json!({})).await;
        let first = frame(&mut followed, "activity").await;
        assert_eq!(
            (number(&first, "position"), number(&first, "previous")),
            (start, start)
        );
        assert!(first["event"].is_null());
        for step in 1..=3 {
            world.happen().await;
            let next = frame(&mut followed, "activity").await;
            assert_eq!(number(&next, "position"), start + step);
            assert_eq!(number(&next, "previous"), start + step - 1);
            assert_eq!(
                next["event"],
                json!({ "seq": (start + step).to_string(), "action": "test.noted" })
            );
        }
    }

    async fn a_stream_resumes_where_any_cursor_says() {
        let world = World::new().await;
        let mut followed = world.open(&world.owner(), ACTIVITY, json!({})).await;
        let (_, start) = raw(&mut followed).await;
        world.happen().await;
        let (_, after_one) = raw(&mut followed).await;
        drop(followed);
        let head = world.happen().await;
        let literal = format!(
            "subscription {{ activity(after: \"{after_one}\") {{ position event {{ seq }} }} }}"
        );
        let resumed = [
            world
                .open(&world.owner(), ACTIVITY, json!({ "after": &*after_one }))
                .await,
            world.open(&world.owner(), &literal, json!({})).await,
            vetted(
                world
                    .try_open(
                        &world.owner(),
                        ACTIVITY,
                        json!({ "after": &*start }),
                        Some(&after_one),
                    )
                    .await
                    .unwrap(),
                &world.owner(),
            )
            .await,
        ];
        for mut followed in resumed {
            let first = frame(&mut followed, "activity").await;
            assert_eq!(
                (number(&first, "position"), &first["event"]),
                (head - 1, &Value::Null)
            );
            assert_eq!(
                number(&frame(&mut followed, "activity").await["event"], "seq"),
                head
            );
        }
    }

    async fn a_cursor_that_does_not_fit_is_refused() {
        let world = World::new().await;
        let head = world.happen().await;
        let tenant = &world.tenant.id;
        let foreign = world.store.feed_cursor(&"other".into(), head);
        let beyond = world.store.feed_cursor(tenant, head + 1);
        for wrong in [foreign.as_str(), &beyond, "damaged"] {
            let refused = world
                .try_open(&world.owner(), ACTIVITY, json!({ "after": wrong }), None)
                .await;
            assert_eq!(
                code(&refused.err().expect("it is refused")),
                "CURSOR_MISMATCH"
            );
        }
    }

    async fn only_a_subscription_of_one_plain_field_is_followed() {
        let world = World::new().await;
        let fields = "{ position }";
        for wrong in [
            "{ feedCursor }".to_owned(),
            format!("subscription {{ a: activity {fields} b: activity {fields} }}"),
            format!("subscription {{ ...F }} fragment F on Subscription {{ activity {fields} }}"),
            format!("subscription {{ activity @skip(if: true) {fields} }}"),
            format!("subscription {{ activity(heartbeatSeconds: 4) {fields} }}"),
            "subscription { __typename }".to_owned(),
        ] {
            assert!(
                world
                    .try_open(&world.owner(), &wrong, json!({}), None)
                    .await
                    .is_err(),
                "{wrong}"
            );
        }
    }

    async fn a_filter_and_the_active_project_narrow_and_a_gap_can_still_be_told() {
        let world = World::new().await;
        let (here, there) = (world.project("here").await, world.project("there").await);
        let query = "subscription { activity(filter: { actionPrefix: [\"meeting.\", \"project.\"] }) {
            position previous event { projectId } } }";
        let actor = world.owner().in_project(here.id.clone());
        let mut followed = world.open(&actor, query, json!({})).await;
        let first = number(&frame(&mut followed, "activity").await, "position");
        world.happen().await;
        world.meeting(&there).await;
        world.meeting(&here).await;
        let next = frame(&mut followed, "activity").await;
        assert_eq!(next["event"]["projectId"], here.id.as_str());
        assert_eq!(
            (number(&next, "position"), number(&next, "previous")),
            (first + 3, first)
        );
    }

    async fn a_heartbeat_moves_a_filtered_stream_over_what_it_did_not_show() {
        let world = World::new().await;
        let query =
            "subscription { activity(filter: { actionPrefix: [\"none.\"] }, heartbeatSeconds: 5) {
            position previous event { seq } } }";
        let mut followed = world.open(&world.owner(), query, json!({})).await;
        let mut other = world.open(&world.owner(), query, json!({})).await;
        let start = number(&frame(&mut followed, "activity").await, "position");
        raw(&mut other).await;
        world.happen().await;
        let head = world.happen().await;
        let (payload, cursor) = raw(&mut followed).await;
        let beat: Value = serde_json::from_str(&payload).unwrap();
        let expected =
            json!({ "position": head.to_string(), "previous": start.to_string(), "event": null });
        assert_eq!(beat["data"]["activity"], expected);
        assert_eq!(
            world.store.feed_position(&world.tenant.id, &cursor).unwrap(),
            head
        );
        assert_eq!(
            raw(&mut other).await.0.as_ptr(),
            payload.as_ptr(),
            "all share one beat"
        );
    }

    async fn asking_for_a_frame_can_be_given_up_at_any_point() {
        let world = World::new().await;
        let query = "subscription { activity { position event { seq target { id } } } }";
        let mut followed = world.open(&world.owner(), query, json!({})).await;
        let start = number(&frame(&mut followed, "activity").await, "position");
        for _ in 0..20 {
            world.happen().await;
        }
        let (mut seen, mut given_up) = (start, 0_u32);
        while seen < start + 20 {
            let mut next = Box::pin(followed.next());
            // Each time it gets a little further before it is given up.
            let mut frame = None;
            for _ in 0..=given_up % 40 {
                if let Poll::Ready(ready) = futures_util::poll!(&mut next) {
                    frame = Some(ready);
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(next);
            given_up += 1;
            if let Some(Frame::Next { payload, .. }) = frame {
                let answer: Value = serde_json::from_str(&payload).unwrap();
                seen += 1;
                assert_eq!(number(&answer["data"]["activity"], "position"), seen);
            }
        }
        assert!(given_up > 20);
    }

    async fn an_idle_subscription_is_small() {
        assert!(
            size_of::<Subscription>() < 512,
            "{}",
            size_of::<Subscription>()
        );
    }
}
