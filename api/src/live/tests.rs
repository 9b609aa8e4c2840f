//! Subscriptions without a transport: what is handed over, to whom, and when it ends.

use super::*;
use crate::{
    auth::{Actor, Secret, Tokens},
    clock::Clock,
    graph::{Schema, schema},
    store::{DatabaseUrl, Store},
    workspace,
};
use async_graphql::{Request, ServerError, Variables};
use axum::extract::ws::Utf8Bytes;
use entity::{
    meeting, notification, project, tenant,
    user::{self, UserRole},
};
use sea_orm::ActiveValue::Set;
use serde_json::{Value, json};
use std::{sync::Arc, task::Poll, time::Duration};
use tempfile::TempDir;

struct World {
    schema: Schema,
    store: Store,
    tokens: Tokens,
    tenant: tenant::Model,
    _folder: TempDir,
}

/// What is followed in most tests.
const ACTIVITY: &str = "subscription($after: Cursor) { activity(after: $after) { position previous event { seq action } } }";

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("test.db"));
        let store = Store::open(&url, 4, Clock::system()).await.unwrap();
        store.migrate().await.unwrap();
        let slug = workspace::found(&store, "Hill & Dale", None, "ada@example.com");
        let tenant = store.system().workspace(&slug.await.unwrap()).await;
        let secret = Secret::new("a secret that only tests know, of 32+").unwrap();
        Self {
            schema: schema(),
            tokens: Tokens::new(secret, Clock::system()),
            tenant: tenant.unwrap().unwrap(),
            store,
            _folder: folder,
        }
    }

    fn scope(&self) -> crate::store::Scope {
        self.store.system().tenant(self.tenant.id.clone(), "test")
    }

    async fn insert<E, A>(&self, row: A, action: &'static str) -> E::Model
    where
        E: entity::Owned + sea_orm::EntityTrait<ActiveModel = A>,
        A: sea_orm::ActiveModelTrait<Entity = E> + Send,
        E::Model: sea_orm::IntoActiveModel<A>,
    {
        let scope = self.scope();
        let mut tx = scope.begin().await.unwrap();
        let row = tx.insert::<E, A>(row, action).await.unwrap();
        tx.commit().await.unwrap();
        row
    }

    /// Something that happens to the workspace.
    async fn happen(&self) -> i64 {
        let scope = self.scope();
        let mut tx = scope.begin().await.unwrap();
        tx.note::<tenant::Entity>(&self.tenant, "test.noted");
        tx.commit().await.unwrap()
    }

    async fn user(&self, name: &str, role: UserRole) -> user::Model {
        let user = user::ActiveModel {
            name: Set(name.to_owned()),
            email: Set(format!("{name}@example.com")),
            role: Set(role),
            ..Default::default()
        };
        self.insert::<user::Entity, _>(user, "user.joined").await
    }

    async fn actor(&self, user: &user::Model) -> Actor {
        let token = self.tokens.issue(user, Duration::from_secs(60)).unwrap();
        let system = self.store.system();
        self.tokens.authenticate(&system, &token).await.unwrap()
    }

    async fn project(&self, slug: &str) -> project::Model {
        let project = project::ActiveModel {
            name: Set(slug.to_owned()),
            slug: Set(slug.to_owned()),
            ..Default::default()
        };
        let project = self.insert::<project::Entity, _>(project, "project.created");
        project.await
    }

    async fn meeting(&self, project: &project::Model) -> meeting::Model {
        let meeting = meeting::ActiveModel {
            project_id: Set(project.id.clone()),
            title: Set("A meeting".to_owned()),
            start_time: Set(self.scope().now()),
            ..Default::default()
        };
        let meeting = self.insert::<meeting::Entity, _>(meeting, "meeting.created");
        meeting.await
    }

    async fn try_open(
        &self,
        actor: &Actor,
        query: &str,
        variables: Value,
        resume: Option<&str>,
    ) -> Result<Subscription, Vec<ServerError>> {
        let request = Request::new(query).variables(Variables::from_json(variables));
        let resume = resume.map(str::to_owned);
        Subscription::open(&self.schema, &self.store, actor.clone(), request, resume).await
    }

    /// A subscription whose credentials were checked.
    async fn open(&self, actor: &Actor, query: &str, variables: Value) -> Subscription {
        let opened = self.try_open(actor, query, variables, None).await;
        vetted(opened.unwrap(), actor).await
    }

    fn owner(&self) -> Actor {
        Actor::system(self.tenant.id.clone(), "test")
    }
}

async fn vetted(mut subscription: Subscription, actor: &Actor) -> Subscription {
    assert!(matches!(subscription.next().await, Frame::CheckCredentials));
    subscription.set_actor(actor.clone());
    subscription
}

async fn raw(subscription: &mut Subscription) -> (Utf8Bytes, Arc<str>) {
    match subscription.next().await {
        Frame::Next { payload, cursor } => (payload, cursor),
        Frame::CheckCredentials => panic!("credentials are to be checked"),
        Frame::End(errors) => panic!("{errors:?}"),
    }
}

/// The next frame of a subscription's only field.
async fn frame(subscription: &mut Subscription, field: &str) -> Value {
    let (payload, _) = raw(subscription).await;
    let mut answer: Value = serde_json::from_str(&payload).unwrap();
    assert_eq!(answer.get("errors"), None);
    answer["data"][field].take()
}

fn code(errors: &[ServerError]) -> String {
    let extensions = errors[0].extensions.as_ref().expect("it has a code");
    let code = extensions.get("code").cloned().expect("a code");
    code.into_json().unwrap().as_str().unwrap().to_owned()
}

fn number(frame: &Value, field: &str) -> i64 {
    frame[field].as_str().unwrap().parse().unwrap()
}

/// Declares tests that run as the server runs, with its stack.
macro_rules! as_the_server_runs {
    ($(async fn $name:ident() $body:block)*) => { $(
        #[test]
        fn $name() {
            let runtime = crate::server::runtime().unwrap();
            if let Err(panicked) = runtime.block_on(runtime.spawn(async $body)) {
                std::panic::resume_unwind(panicked.into_panic());
            }
        }
    )* };
}

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
        let read = |payload: &Utf8Bytes| {
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

    async fn a_cursor_that_does_not_fit_is_refused() {
        let world = World::new().await;
        let head = world.happen().await;
        let tenant = &world.tenant.id;
        let foreign = crate::store::feed_cursor(&"other".into(), head);
        let beyond = crate::store::feed_cursor(tenant, head + 1);
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
            "subscription { activity { nothing } }".to_owned(),
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
            assert!(matches!(followed.next().await, Frame::CheckCredentials));
        }
        followed.set_actor(world.actor(&demoted).await);
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
        followed.set_actor(world.actor(&other).await);
        let Frame::End(errors) = followed.next().await else { panic!("it ends") };
        assert_eq!(code(&errors), "UNAUTHENTICATED");
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
            crate::store::feed_position(&world.tenant.id, &cursor).unwrap(),
            head
        );
        assert_eq!(
            raw(&mut other).await.0.as_ptr(),
            payload.as_ptr(),
            "all share one beat"
        );
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
