//! To whom: what is shared, what is for one alone, and who is cut off.

use super::{ACTIVITY, VETTED_FOR, World, code, frame, raw};
use crate::live::Frame;
use entity::{meeting, notification, user, user::UserRole};
use sea_orm::ActiveValue::Set;
use serde_json::{Value, json};
use std::{sync::Arc, time::Instant};

as_the_server_runs! {
    async fn an_event_is_written_once_for_all_of_a_role_wherever_they_began() {
        let world = World::new().await;
        let (ada, ben) = (
            world.user("ada2", UserRole::Viewer).await,
            world.user("ben", UserRole::Viewer).await,
        );
        let carl = world.user("carl", UserRole::Admin).await;
        let selection = "{ position event { action metadata user { name } diff { after } } }";
        let query = format!("subscription($after: Cursor) {{ activity(after: $after) {selection} }}");
        let mut streams = Vec::new();
        let mut earlier = world.open(&world.owner(), ACTIVITY, json!({})).await;
        let (_, cursor) = raw(&mut earlier).await;
        for (person, after) in [(&ada, None), (&ben, Some(&*cursor)), (&carl, None)] {
            let actor = world.actor(person).await;
            let mut followed = world.open(&actor, &query, json!({ "after": after })).await;
            raw(&mut followed).await;
            streams.push(followed);
        }
        world.project("seen").await;
        let mut payloads = Vec::new();
        for followed in &mut streams {
            payloads.push(raw(followed).await.0);
        }
        assert_eq!(
            payloads[0].as_ptr(),
            payloads[1].as_ptr(),
            "viewers share one text"
        );
        let [viewers, _, admins] = &payloads[..] else {
            panic!("three")
        };
        let read = |payload: &Arc<str>| {
            serde_json::from_str::<Value>(payload).unwrap()["data"]["activity"]["event"].take()
        };
        assert!(read(viewers)["diff"].is_null() && read(viewers)["metadata"].is_null());
        assert_eq!(read(admins)["diff"]["after"]["slug"], "seen");
    }

    async fn what_depends_on_who_asks_is_written_for_each() {
        let world = World::new().await;
        let people = [
            world.user("dora", UserRole::Viewer).await,
            world.user("emil", UserRole::Viewer).await,
        ];
        let query = "subscription { activity { event { target { ... on User { name channelIds { slack } } } } } }";
        let mut streams = Vec::new();
        for person in &people {
            let mut followed = world
                .open(&world.actor(person).await, query, json!({}))
                .await;
            raw(&mut followed).await;
            streams.push(followed);
        }
        world.user("fay", UserRole::Viewer).await;
        let (first, second) = (raw(&mut streams[0]).await.0, raw(&mut streams[1]).await.0);
        assert_eq!(first, second);
        assert_ne!(first.as_ptr(), second.as_ptr());
    }

    async fn a_change_of_the_own_account_is_heard_of_before_anything_else_is_sent() {
        let world = World::new().await;
        let person = world.user("gus", UserRole::Admin).await;
        let mut followed = world
            .open(&world.actor(&person).await, ACTIVITY, json!({}))
            .await;
        raw(&mut followed).await;
        world.happen().await;
        let scope = world.scope();
        let mut tx = scope.begin().await.unwrap();
        let changes = user::ActiveModel {
            role: Set(UserRole::Viewer),
            ..Default::default()
        };
        let demoted = tx
            .update::<user::Entity, _>(&person, changes, "user.edited")
            .await
            .unwrap();
        let head = tx.commit().await.unwrap();
        let feed = world.store.follow(&world.tenant.id, None).await.unwrap();
        while feed.feed().last() < head {
            tokio::task::yield_now().await;
        }
        // An entry from before the change is waiting, and still the check comes first, as often as it is asked for.
        for _ in 0..2 {
            assert!(matches!(followed.next().await, Frame::CheckCredentials(_)));
        }
        followed.set_actor(world.actor(&demoted).await, Instant::now());
        assert_eq!(
            frame(&mut followed, "activity").await["event"]["action"],
            "test.noted"
        );
        assert_eq!(
            frame(&mut followed, "activity").await["event"]["action"],
            "user.edited"
        );
    }

    async fn who_may_not_follow_any_more_and_who_is_somebody_else_is_cut_off() {
        let world = World::new().await;
        let person = world.user("jo", UserRole::Viewer).await;
        let actor = world.actor(&person).await;
        let secret = crate::auth::mint(crate::auth::AGENT);
        let token = entity::agent_token::ActiveModel {
            name: Set("agent".to_owned()),
            token_hash: Set(entity::Secret::new(crate::auth::hash(&secret))),
            token_hint: Set("hint".to_owned()),
            role_slugs: Set(entity::Json(Vec::new())),
            ..Default::default()
        };
        world.insert::<entity::agent_token::Entity, _>(token, "agent_token.created").await;
        let system = world.store.system();
        let agent = world.tokens.authenticate(&system, &secret).await.unwrap();
        let refused = world.try_open(&agent, ACTIVITY, json!({}), None).await;
        assert_eq!(code(&refused.err().expect("agents have no ledger")), "FORBIDDEN");
        let mut followed = world.open(&actor, ACTIVITY, json!({})).await;
        raw(&mut followed).await;
        let other = world.user("kim", UserRole::Owner).await;
        followed.set_actor(world.actor(&other).await, Instant::now());
        let Frame::End(errors) = followed.next().await else { panic!("it ends") };
        assert_eq!(code(&errors), "UNAUTHENTICATED");
    }

    async fn what_was_known_when_it_was_asked_counts_from_then_on() {
        let world = World::new().await;
        let owner = world.owner();
        let mut followed = world.open(&owner, ACTIVITY, json!({})).await;
        raw(&mut followed).await;
        // Another stream of the same account had asked long before.
        let before = Instant::now().checked_sub(VETTED_FOR);
        followed.set_actor(owner.clone(), before.expect("the machine runs for longer"));
        assert!(matches!(followed.next().await, Frame::CheckCredentials(_)));
    }

    async fn equal_texts_with_other_meanings_do_not_share() {
        let world = World::new().await;
        let mut earlier = world.open(&world.owner(), ACTIVITY, json!({})).await;
        let (_, cursor) = raw(&mut earlier).await;
        let query = |after: &str, title: &str| format!("subscription {{ activity(after: \"{after}\") {{ event {{ target {{ ... on Project {{
            goals(filter: {{ title: {{ eq: \"{title}\" }} }}) {{ totalCount nodes {{ title }} }} }} }} }} }} }}");
        let mut plain = world.open(&world.owner(), &query(&cursor, ""), json!({})).await;
        let mut same = world.open(&world.owner(), &query(&cursor, &cursor), json!({})).await;
        raw(&mut plain).await;
        raw(&mut same).await;
        world.project("shared").await;
        let (one, other) = (raw(&mut plain).await.0, raw(&mut same).await.0);
        assert_ne!(one.as_ptr(), other.as_ptr());
    }

    async fn rows_are_streamed_to_whom_they_concern() {
        let world = World::new().await;
        let (here, there) = (world.project("here").await, world.project("there").await);
        let query = "subscription($project: ID) { meetingChanged(projectId: $project) { previous position meeting { id title } } }";
        let mut followed = world
            .open(
                &world.owner(),
                query,
                json!({ "project": here.id.as_str() }),
            )
            .await;
        assert!(frame(&mut followed, "meetingChanged").await["meeting"].is_null());
        world.meeting(&there).await;
        let ours = world.meeting(&here).await;
        let next = frame(&mut followed, "meetingChanged").await;
        assert_eq!(
            next["meeting"],
            json!({ "id": ours.id.as_str(), "title": "A meeting" })
        );
        let scope = world.scope();
        let mut tx = scope.begin().await.unwrap();
        tx.delete::<meeting::Entity>(&ours, "meeting.deleted")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let gone = frame(&mut followed, "meetingChanged").await;
        assert!(gone["meeting"].is_null());
        assert_eq!(gone["previous"], next["position"]);
    }

    async fn a_notification_is_told_to_its_user_and_to_all_when_it_is_for_all() {
        let world = World::new().await;
        let (hal, ida) = (
            world.user("hal", UserRole::Viewer).await,
            world.user("ida", UserRole::Viewer).await,
        );
        let query = "subscription { notificationAdded { notification { title } } }";
        let mut streams = Vec::new();
        for person in [&hal, &ida] {
            let mut followed = world
                .open(&world.actor(person).await, query, json!({}))
                .await;
            raw(&mut followed).await;
            streams.push(followed);
        }
        for (title, user_id) in [("for Hal", Some(hal.id.clone())), ("for all", None)] {
            let row = notification::ActiveModel {
                user_id: Set(user_id),
                title: Set(title.to_owned()),
                message: Set(title.to_owned()),
                ..Default::default()
            };
            world
                .insert::<notification::Entity, _>(row, "notification.created")
                .await;
        }
        let [of_hal, of_ida] = &mut streams[..] else {
            panic!("two")
        };
        let field = "notificationAdded";
        assert_eq!(
            frame(of_hal, field).await["notification"]["title"],
            "for Hal"
        );
        assert_eq!(
            frame(of_hal, field).await["notification"]["title"],
            "for all"
        );
        assert_eq!(
            frame(of_ida, field).await["notification"]["title"],
            "for all"
        );
    }
}
