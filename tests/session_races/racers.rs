//! People whose sessions are ended while something else goes on.

use crate::support::{DEMO, PASSWORD, SECRET, TestApp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::Semaphore;
use workgraph::{auth::Secret, clock::Clock, server, store::Store};

const SIGN_IN: &str =
    "mutation($input: SignInInput!) { answer: signIn(input: $input) { accessToken refreshToken } }";
const REFRESH: &str = "mutation($input: RefreshSessionInput!) { answer: refreshSession(input: $input) { accessToken refreshToken } }";
const CHANGE: &str = "mutation($input: ChangePasswordInput!) { answer: changePassword(input: $input) { accessToken refreshToken } }";
const EVERYWHERE: &str = "mutation($input: SignOutEverywhereInput!) { answer: signOutEverywhere(input: $input) { user { id } } }";
const WHO: &str = "{ answer: viewer { user { id } } }";

/// The password after the change.
const NEW: &str = "another long password";
/// So many rounds at once.
const AT_ONCE: usize = 2;
/// What ends a user's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// `changePassword`, by the user.
    Change,
    /// `workgraph set-password`, by the operator.
    Reset,
    /// `signOutEverywhere`, by the user.
    Everywhere,
    /// The user is deleted.
    Removal,
    /// The user gets another role, which ends their sessions.
    Role,
}

/// The people of a test, and what they share.
pub struct World {
    url: String,
    store: Store,
    http: reqwest::Client,
    beside: DatabaseConnection,
    tenant: String,
}

/// Somebody with a password and a session, which another one holds a copy of.
pub struct Person {
    world: Arc<World>,
    id: String,
    email: String,
    address: String,
    access: String,
    stolen: Value,
}

impl World {
    pub async fn of(app: &TestApp) -> Arc<Self> {
        Arc::new(Self {
            url: app.url.clone(),
            store: app.store.clone(),
            http: reqwest::Client::new(),
            beside: app.connection.across_tenants().await,
            tenant: app.tenant(DEMO).await,
        })
    }

    /// So many members, each with a password that was hashed long ago, and a session.
    pub async fn people(self: &Arc<Self>, count: usize) -> Vec<Person> {
        let people: Vec<_> = (1..=count).map(|number| self.person(number)).collect();
        let users = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) INSERT INTO users (id, \"tenantId\", email, \
             \"passwordHash\", name, role, \"preferredChannel\", \"channelIds\", \"hasSeenTour\", \"tokenVersion\", \"createdAt\", \"updatedAt\") \
             SELECT 'racer' || i, \"tenantId\", 'racer' || i || '@demo.example', \"passwordHash\", 'Racer', role, \"preferredChannel\", \
             \"channelIds\", \"hasSeenTour\", 0, \"createdAt\", \"updatedAt\" FROM n, (SELECT * FROM users WHERE \"tenantId\" = '{}' AND \
             role = 'member' ORDER BY id LIMIT 1) AS model",
            self.tenant
        );
        self.execute(&users).await;
        let rows: Vec<_> = people.iter().map(|person| {
            let token = person.stolen["refreshToken"].as_str().expect("a token");
            let (id, hash) = (&person.id, hex::encode(Sha256::digest(token)));
            format!("('session of {id}', '{}', 'refresh', '{hash}', '{id}', 'family of {id}', '2099-01-01T00:00:00.000Z', \
                '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')", self.tenant)
        }).collect();
        let columns = "id, \"tenantId\", kind, \"tokenHash\", \"userId\", \"familyId\", \"expiresAt\", \"createdAt\", \"updatedAt\"";
        self.execute(&format!(
            "INSERT INTO auth_tokens ({columns}) VALUES {}",
            rows.join(", ")
        ))
        .await;
        people
    }

    fn person(self: &Arc<Self>, number: usize) -> Person {
        let id = format!("racer{number}");
        let claims = json!({
            "sub": id, "tid": self.tenant, "tv": 0, "jti": "x", "iss": "workgraph", "aud": "workgraph-api", "iat": 0,
            "exp": 32_503_680_000_u64,
        });
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let access =
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).expect("signs");
        Person {
            world: self.clone(),
            email: format!("{id}@demo.example"),
            address: format!("10.0.{}.{}", number / 200, number % 200 + 1),
            stolen: json!({ "accessToken": access, "refreshToken": format!("wgr_{number:0>43}") }),
            access,
            id,
        }
    }

    async fn execute(&self, sql: &str) {
        self.beside.execute_unprepared(sql).await.expect("runs");
    }

    /// Runs a round for each of these people, some at once.
    pub async fn rounds<F>(people: Vec<Person>, round: impl Fn(Person) -> F) -> Vec<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let rounds: Vec<_> = people
            .into_iter()
            .map(|person| {
                let (round, turns) = (round(person), turns.clone());
                tokio::spawn(async move {
                    let _turn = turns.acquire().await;
                    round.await
                })
            })
            .collect();
        let mut outcomes = Vec::new();
        for round in rounds {
            outcomes.push(round.await.expect("a round ends"));
        }
        outcomes
    }

    /// How often the sessions of each of the people were ended, by their rows.
    pub async fn versions(&self) -> Vec<(String, i32)> {
        let sql = "SELECT id, \"tokenVersion\" AS v FROM users WHERE name = 'Racer'";
        let statement = Statement::from_string(self.beside.get_database_backend(), sql);
        let rows = self.beside.query_all_raw(statement).await.expect("lists");
        rows.iter()
            .map(|row| {
                (
                    row.try_get("", "id").expect("an id"),
                    row.try_get("", "v").expect("a number"),
                )
            })
            .collect()
    }
}

impl Person {
    /// What `answer` answers, or the code of its error.
    async fn ask(&self, token: Option<&str>, query: &str, input: Value) -> Result<Value, String> {
        let body = json!({ "query": query, "variables": { "input": input } });
        let request = self.world.http.post(&self.world.url).json(&body);
        let request = request.header("x-forwarded-for", &self.address);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let body: Value = request
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON");
        match body["errors"][0]["extensions"]["code"].as_str() {
            Some(code) => Err(code.to_owned()),
            None => Ok(body["data"]["answer"].clone()),
        }
    }

    async fn sign_in(&self, password: &str) -> Result<Value, String> {
        let input = json!({ "workspace": DEMO, "email": self.email, "password": password });
        self.ask(None, SIGN_IN, input).await
    }

    async fn refresh(&self, session: &Value) -> Result<Value, String> {
        self.ask(
            None,
            REFRESH,
            json!({ "refreshToken": session["refreshToken"] }),
        )
        .await
    }

    /// Exchanges a session's tokens without a pause, until that is refused or everything is over. Returns the last session
    /// that there was, and what the refusal was.
    async fn keep_refreshing(&self, over: &AtomicBool) -> (Value, Option<String>) {
        let mut last = self.stolen.clone();
        loop {
            let late = over.load(Ordering::SeqCst);
            match self.refresh(&last).await {
                Ok(next) => last = next,
                Err(code) => return (last, Some(code)),
            }
            if late {
                return (last, None);
            }
        }
    }

    /// Signs in without a pause, with the first password, until that is refused or everything is over.
    async fn keep_signing_in(&self, over: &AtomicBool) -> (Vec<Value>, Option<String>) {
        let mut sessions = Vec::new();
        loop {
            let late = over.load(Ordering::SeqCst);
            match self.sign_in(PASSWORD).await {
                Ok(session) => sessions.push(session),
                Err(code) => return (sessions, Some(code)),
            }
            if late {
                return (sessions, None);
            }
        }
    }

    /// Ends all sessions. What comes back is the one that is begun instead.
    async fn end(&self, how: End) -> Result<Value, String> {
        let world = &self.world;
        let id = &self.id;
        match how {
            End::Change => {
                let input = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
                self.ask(Some(&self.access), CHANGE, input).await
            }
            End::Everywhere => self.ask(Some(&self.access), EVERYWHERE, json!({})).await,
            End::Reset => {
                let secret = Secret::new(SECRET).expect("is long enough");
                let set = server::set_password(
                    &world.store,
                    secret,
                    Clock::system(),
                    DEMO,
                    &self.email,
                    NEW,
                );
                set.await
                    .map(|()| Value::Null)
                    .map_err(|error| error.code().to_owned())
            }
            End::Removal => {
                world
                    .execute(&format!("DELETE FROM users WHERE id = '{id}'"))
                    .await;
                Ok(Value::Null)
            }
            End::Role => {
                let change = format!(
                    "UPDATE users SET role = 'viewer', \"tokenVersion\" = \"tokenVersion\" + 1 WHERE id = '{id}'; UPDATE auth_tokens SET \
                     \"consumedAt\" = '2026-01-01T00:00:00.000Z' WHERE \"userId\" = '{id}' AND \"consumedAt\" IS NULL"
                );
                let begin = match world.beside.get_database_backend() {
                    DbBackend::Sqlite => "BEGIN IMMEDIATE",
                    _ => "BEGIN",
                };
                world.execute(&format!("{begin}; {change}; COMMIT")).await;
                Ok(Value::Null)
            }
        }
    }

    /// What still works of a session that has ended.
    async fn lives(&self, session: &Value, what: &str) -> Vec<String> {
        let token = session["accessToken"].as_str().expect("a token");
        let access = self.ask(Some(token), WHO, Value::Null).await;
        let refresh = self.refresh(session).await;
        let expected = |answer: &Result<Value, String>| {
            answer
                .as_ref()
                .err()
                .is_some_and(|code| code == "UNAUTHENTICATED")
        };
        let mut faults = Vec::new();
        for (kind, answer) in [("access", access), ("refresh", refresh)] {
            if !expected(&answer) {
                faults.push(format!("{what}: its {kind} token is answered {answer:?}"));
            }
        }
        faults
    }

    /// One round: the copy of a session goes on and on while the user's sessions are ended.
    pub async fn refreshes_while(self, how: End) -> Vec<String> {
        let over = AtomicBool::new(false);
        let ending = async {
            let ended = self.end(how).await;
            over.store(true, Ordering::SeqCst);
            ended
        };
        let (ended, (last, refused)) = tokio::join!(ending, self.keep_refreshing(&over));
        let mut faults = self.lives(&last, "the copy").await;
        faults.extend(
            ended
                .err()
                .map(|code| format!("{how:?} is answered {code}")),
        );
        faults.extend(
            refused
                .filter(|code| code != "UNAUTHENTICATED")
                .map(|code| format!("refreshing is answered {code}")),
        );
        faults
    }

    /// One round: somebody signs in again and again with the first password while the user's sessions are ended.
    pub async fn signs_in_while(self, how: End) -> Vec<String> {
        let over = AtomicBool::new(false);
        let ending = async {
            let ended = self.end(how).await;
            over.store(true, Ordering::SeqCst);
            ended
        };
        let (ended, (sessions, refused), (others, refused_too)) = tokio::join!(
            ending,
            self.keep_signing_in(&over),
            self.keep_signing_in(&over)
        );
        let mut faults: Vec<_> = ended
            .err()
            .map(|code| format!("{how:?} is answered {code}"))
            .into_iter()
            .collect();
        let is_allowed = |code: &String| ["UNAUTHENTICATED", "CONFLICT"].contains(&code.as_str());
        faults.extend(
            [refused, refused_too]
                .into_iter()
                .flatten()
                .filter(|code| !is_allowed(code))
                .map(|code| format!("signing in is answered {code}")),
        );
        // After the others, the password is still right.
        if [End::Change, End::Reset, End::Removal].contains(&how) {
            for session in sessions.iter().chain(&others) {
                faults.extend(self.lives(session, "signed in with the old password").await);
            }
            if let Ok(session) = self.sign_in(PASSWORD).await {
                faults.push(format!("the old password still holds: {session}"));
            }
        }
        if [End::Change, End::Reset].contains(&how)
            && let Err(code) = self.sign_in(NEW).await
        {
            faults.push(format!("the new password is answered {code}"));
        }
        faults
    }

    /// One round: sessions are ended twice at once. Returns how often that was so, too.
    pub async fn ends_twice(self, one: End, other: End) -> (String, i32, Vec<String>) {
        let (first, second) = tokio::join!(self.end(one), self.end(other));
        let mut faults = self.lives(&self.stolen, "the first session").await;
        let mut ended = 0;
        for (how, answer) in [(one, first), (other, second)] {
            match answer {
                Ok(_) => ended += 1,
                // A password that was just changed is wrong.
                Err(code) if how == End::Change && code == "BAD_USER_INPUT" => {}
                Err(code) if ["UNAUTHENTICATED", "CONFLICT"].contains(&code.as_str()) => {}
                Err(code) => faults.push(format!("{how:?} is answered {code}")),
            }
        }
        (self.id, ended, faults)
    }
}
