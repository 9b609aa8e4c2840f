//! What a stream may take: time, turns and memory.

use super::{ACTIVITY, World, code, frame, raw};
use crate::live::Frame;
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use serde_json::json;
use std::time::Duration;

/// A frame of this needs the database.
const TARGET: &str = "subscription { activity { position event { action target { id } } } }";

as_the_server_runs! {
    async fn a_frame_that_passes_its_deadline_ends_its_stream_and_says_so() {
        let mut world = World::new().await;
        // A frame that has to wait for anything is too late, and what waits for a connection waits for long.
        world.time = Duration::ZERO;
        let mut hurried = world.open(&world.owner(), TARGET, json!({})).await;
        raw(&mut hurried).await;
        world.time = Duration::from_secs(10);
        let mut followed = world.open(&world.owner(), TARGET, json!({})).await;
        raw(&mut followed).await;
        world.project("slow").await;
        let held = world.all_readers().await;
        let Frame::End(errors) = hurried.next().await else { panic!("it ends") };
        assert_eq!(code(&errors), "DEADLINE_EXCEEDED");
        drop(held);
        // It has handed its turn and its connection back, and what it did not make is made by who has the time.
        let next = frame(&mut followed, "activity").await;
        assert_eq!(next["event"]["action"], "project.created");
    }

    async fn who_has_many_streams_makes_few_frames_at_once_and_nobody_else_waits_for_them() {
        let world = World::new().await;
        let own = world.owner();
        let mut streams = Vec::new();
        for number in 0..20 {
            let query = format!("subscription {{ activity {{ a{number}: position event {{ target {{ id }} }} }} }}");
            let mut followed = world.open(&own, &query, json!({})).await;
            raw(&mut followed).await;
            streams.push(followed);
        }
        let other = crate::auth::Actor::system(world.tenant.id.clone(), "another");
        let mut another = world.open(&other, TARGET, json!({})).await;
        raw(&mut another).await;
        world.project("seen").await;
        let next = FuturesUnordered::new();
        for followed in &mut streams {
            next.push(async { (matches!(followed.next().await, Frame::Next { .. }), false) }.boxed());
        }
        next.push(async { (matches!(another.next().await, Frame::Next { .. }), true) }.boxed());
        let came: Vec<_> = next.collect().await;
        assert!(came.iter().all(|(came, _)| *came));
        let at = came.iter().position(|(_, another)| *another);
        assert!(at < Some(3), "it came after {at:?} of the others");
    }

    async fn documents_and_variables_are_counted_once_for_each_actor() {
        let world = World::new().await;
        let query = |number: usize| format!("subscription {{ activity {{ position {} }} }}", format!("a{number}: position ").repeat(20));
        let mut open = Vec::new();
        let refused = loop {
            match world.try_open(&world.owner(), &query(open.len()), json!({}), None).await {
                Ok(followed) => open.push(followed),
                Err(errors) => break errors,
            }
        };
        assert_eq!(code(&refused), "LIMIT_EXCEEDED");
        assert!((2..100).contains(&open.len()), "{}", open.len());
        // What it has already costs nothing more, and another actor has its own.
        let mut again = Vec::new();
        for _ in 0..100 {
            again.push(world.open(&world.owner(), &query(0), json!({})).await);
        }
        let other = crate::auth::Actor::system(world.tenant.id.clone(), "another");
        world.open(&other, &query(open.len()), json!({})).await;
        open.truncate(1);
        world.open(&world.owner(), ACTIVITY, json!({})).await;
        let large = json!({ "filter": { "actionPrefix": vec!["x".repeat(4000); 20] } });
        let filtered = "subscription($filter: ActivityFilter) { activity(filter: $filter) { position } }";
        let refused = world.try_open(&world.owner(), filtered, large, None).await;
        assert_eq!(code(&refused.err().expect("it is too much")), "LIMIT_EXCEEDED");
    }
}
