//! Subscriptions without a transport: what is handed over, to whom, and when it ends.

use super::*;
use crate::{
    auth::{Actor, Secret, Tokens},
    clock::Clock,
    error::Error,
    graph::{Schema, schema},
    store::{DatabaseUrl, Store},
    workspace,
};
use async_graphql::{Request, ServerError, Variables};
use entity::{
    meeting, project, tenant,
    user::{self, UserRole},
};
use sea_orm::ActiveValue::Set;
use serde_json::Value;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

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

/// Longer than any test takes.
const VETTED_FOR: Duration = Duration::from_secs(600);

mod bounds;
mod frames;
mod viewers;
mod work;

struct World {
    schema: Schema,
    store: Store,
    tokens: Tokens,
    tenant: tenant::Model,
    /// How long a frame may take.
    time: Duration,
    _folder: TempDir,
}

/// How many connections there are to read.
const CONNECTIONS: u32 = 4;

/// What is followed in most tests.
const ACTIVITY: &str = "subscription($after: Cursor) { activity(after: $after) { position previous event { seq action } } }";

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("test.db"));
        let secret = Secret::new("a secret that only tests know, of 32+").unwrap();
        let store = Store::open(&url, CONNECTIONS, &secret, Clock::system())
            .await
            .unwrap();
        store.migrate().await.unwrap();
        let slug = workspace::found(&store, "Hill & Dale", None, "ada@example.com");
        let tenant = store.system().workspace(&slug.await.unwrap()).await;
        Self {
            schema: schema(),
            tokens: Tokens::new(secret, Clock::system()),
            tenant: tenant.unwrap().unwrap(),
            store,
            time: Duration::from_secs(10),
            _folder: folder,
        }
    }

    /// Operations that have all connections between them, as long as they are held.
    async fn all_readers(&self) -> Vec<crate::store::Scope> {
        let mut reading = Vec::new();
        for _ in 0..CONNECTIONS {
            let scope = self.scope();
            scope.first::<project::Entity>().await.unwrap();
            reading.push(scope);
        }
        reading
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
        let terms = Terms {
            time: self.time,
            vetted_for: VETTED_FOR,
            check_bytes: &|bytes| Error::within("bytes", 64 << 10, bytes),
        };
        let (schema, store) = (&self.schema, &self.store);
        Subscription::open(schema, store, actor.clone(), request, resume, terms).await
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
    assert!(matches!(
        subscription.next().await,
        Frame::CheckCredentials(_)
    ));
    subscription.set_actor(actor.clone(), Instant::now());
    subscription
}

async fn raw(subscription: &mut Subscription) -> (Arc<str>, Arc<str>) {
    match subscription.next().await {
        Frame::Next { payload, cursor } => (payload, cursor),
        Frame::CheckCredentials(_) => panic!("credentials are to be checked"),
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
