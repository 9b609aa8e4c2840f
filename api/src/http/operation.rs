//! An operation between the door and the schema, whichever door it came through: judged, attributed, limited in time.

use super::{
    App,
    answer::size,
    credentials::Credentials,
    documents::Found,
    guard::Judged,
    parameters::Parameters,
    request_id::{note_actor, note_operation},
    unread::Reader,
};
use crate::{
    aside,
    auth::Actor,
    error::{Error, Result, Whose},
    graph::Visitor,
    live::{Subscription, Terms},
    store::{Commits, Fate, Meter, Permit},
};
use async_graphql::{
    PathSegment, Response as Answer, ServerError, Value, parser::types::OperationType,
};
use std::time::Instant;

/// An operation that passed the guard.
pub(super) struct Operation {
    judged: Judged,
    /// What the document is to be known by from now on.
    hash: Option<String>,
    received: Instant,
    /// Whether it was counted among the requests of its actor before it was judged.
    counted: bool,
}

/// What came of an operation.
pub(super) struct Answered {
    pub(super) answer: Answer,
    /// Who is to read it.
    pub(super) reader: Reader,
    /// Whether it is written down beside those who serve.
    pub(super) is_large: bool,
    /// The operation's, until its answer is written down.
    pub(super) turn: Permit,
}

impl Operation {
    /// Judges what was sent.
    ///
    /// # Errors
    /// What is wrong with the document or its variables; nothing of it has run.
    pub(super) async fn new(app: &App, parameters: Parameters) -> Result<Self, Vec<ServerError>> {
        let received = Instant::now();
        // Before it is judged, if it can be; the log takes a name down once.
        let is_noted = parameters
            .operation_name
            .as_deref()
            .map(note_operation)
            .is_some();
        let Parameters {
            document,
            operation_name,
            variables,
        } = parameters;
        let in_size = app.limits.check_document_bytes(document.bytes());
        let found = in_size.and_then(|()| app.documents.find(document));
        let Found { text, hash } = found.map_err(refused)?;
        let (is_long, judge) = (app.guard.takes_long(&text), app.clone());
        let judging = aside::run(is_long, move || {
            judge
                .guard
                .judge(text, operation_name.as_deref(), variables)
        });
        let judged = judging.await.unwrap_or_else(|error| Err(refused(error)))?;
        if !is_noted {
            judged.name().map(note_operation);
        }
        Ok(Self {
            judged,
            hash,
            received,
            counted: false,
        })
    }

    /// The same of what was counted among its actor's requests already.
    ///
    /// # Errors
    /// As [`Operation::new`].
    pub(super) async fn counted(
        app: &App,
        parameters: Parameters,
    ) -> Result<Self, Vec<ServerError>> {
        let operation = Self::new(app, parameters).await?;
        Ok(Self {
            counted: true,
            ..operation
        })
    }

    /// Whether it reads, writes or subscribes.
    pub(super) fn kind(&self) -> OperationType {
        self.judged.kind
    }

    /// Finds out who asks, and runs.
    ///
    /// # Errors
    /// When it does not run: because of who asks, how often, or because there is no time left.
    pub(super) async fn run(
        self,
        app: &App,
        credentials: Result<Credentials>,
        visitor: Visitor,
        explain: bool,
    ) -> Result<Answered> {
        let (time, kind) = (app.limits.operation_time(), self.judged.kind);
        let in_time = tokio::time::timeout(time, self.actor(app, credentials, &visitor));
        let actor = in_time.await.unwrap_or(Err(Error::TOO_SLOW))?;
        let turn = match &actor {
            Some(actor) => app.store.admit(actor).await?,
            None => app.store.admit_stranger(visitor.origin.address).await?,
        };
        let reader = match &actor {
            Some(actor) => Reader::actor(actor),
            None => Reader::stranger(&visitor.origin),
        };
        // Those who do not read what they asked for are not answered more.
        let may_read = || match app.unread.has_room(&reader) {
            true => Ok(()),
            false => Err(Error::Busy(Whose::Unread)),
        };
        may_read()?;
        let executing = self.execute(app, actor, visitor, explain);
        // The time begins with the turn: how long others take says nothing of the operation.
        let (answer, is_large) = match kind {
            // Each of its fields is stopped when the time is up, and what those before it did is answered.
            OperationType::Mutation => executing.await?,
            _ => {
                let in_time = tokio::time::timeout(time, executing).await;
                let answered = in_time.unwrap_or(Err(Error::TOO_SLOW))?;
                // Others of the same reader may have been answered meanwhile.
                if answered.1 {
                    may_read()?;
                }
                answered
            }
        };
        Ok(Answered {
            answer,
            reader,
            is_large,
            turn,
        })
    }

    /// Who asks; nobody, if the operation needs nobody.
    async fn actor(
        &self,
        app: &App,
        credentials: Result<Credentials>,
        visitor: &Visitor,
    ) -> Result<Option<Actor>> {
        let actor = match credentials {
            Ok(credentials) => credentials.authenticate_once(app, visitor).await,
            Err(error) => Err(error),
        };
        match actor {
            Ok(actor) => {
                self.count(app, &actor)?;
                Ok(Some(actor))
            }
            Err(_) if self.judged.public => {
                app.requests.check(&visitor.origin.key())?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Counts it among the requests of its actor, for whom the document is kept.
    fn count(&self, app: &App, actor: &Actor) -> Result<()> {
        let actor = actor.key();
        note_actor(&actor);
        app.guard.keep(&self.judged);
        if let Some(hash) = &self.hash {
            app.documents.remember(hash, self.judged.text());
        }
        if self.counted {
            return Ok(());
        }
        app.requests.check(&actor)
    }

    /// Waits for the turn to begin a subscription.
    ///
    /// # Errors
    /// When it does not begin: because of how often its actor asks, or because too many do.
    pub(super) async fn turn(&self, app: &App, actor: &Actor) -> Result<Permit> {
        self.count(app, actor)?;
        app.store.admit(actor).await
    }

    async fn execute(
        self,
        app: &App,
        actor: Option<Actor>,
        visitor: Visitor,
        explain: bool,
    ) -> Result<(Answer, bool)> {
        let time = app.limits.operation_time();
        let meter = app.store.measure(time);
        let store = app.store.measured(meter.clone());
        let sessions = visitor.sessions.over(store.clone());
        let visitor = Visitor {
            sessions,
            ..visitor
        };
        let (kind, cost, received) = (self.judged.kind, self.judged.cost, self.received);
        let mut request = self.judged.request().data(visitor).data(meter.clone());
        if let Some(actor) = actor {
            request = request.data(store.scope_within(actor, time));
        }
        let executing = meter.run(app.schema.execute(request));
        let mut answer = match kind {
            OperationType::Query => tokio::select! {
                biased;
                error = meter.until_stopped() => return Err(error),
                // It may have come to its end before that was noticed.
                answer = executing => match meter.stopped() {
                    Some(error) => return Err(error.clone()),
                    None => answer,
                },
            },
            _ => executing.await,
        };
        let commits = meter.commits();
        if !commits.any()
            && let Some(error) = broken_off(&answer, kind)
        {
            answer = Answer::from_errors(vec![error]);
        }
        if kind == OperationType::Mutation {
            // What was committed is answered, whatever size it has by now.
            tell_committed(&mut answer, commits);
        } else if meter.is_half_used() {
            // What surrounds the values was only estimated.
            let bytes;
            (answer, bytes) = aside::run(true, move || {
                let bytes = size(&answer);
                (answer, bytes)
            })
            .await?;
            meter.whole(bytes)?;
        }
        if explain {
            answer = answer.extension("cost", told(cost, app, &meter, received));
        }
        Ok((answer, aside::is_large(&meter)))
    }

    /// Begins a subscription for an actor in its turn, after `resume` if that is a cursor.
    ///
    /// # Errors
    /// What it is refused with.
    pub(super) async fn open(
        self,
        app: &App,
        actor: Actor,
        visitor: Visitor,
        resume: Option<String>,
        _turn: Permit,
    ) -> Result<Subscription, Vec<ServerError>> {
        let request = self.judged.request().data(visitor);
        let terms = Terms {
            time: app.limits.operation_time(),
            vetted_for: app.limits.vetted_for(),
            check_bytes: &|bytes| app.limits.check_stream_bytes(bytes),
        };
        let opening = Subscription::open(&app.schema, &app.store, actor, request, resume, terms);
        tokio::time::timeout(app.limits.operation_time(), opening)
            .await
            .unwrap_or_else(|_| Err(refused(Error::TOO_SLOW)))
    }
}

/// Why nothing of an operation was done, if what keeps the server from it came in the middle. A mutation that has done
/// something before is answered with it.
fn broken_off(answer: &Answer, kind: OperationType) -> Option<ServerError> {
    let done = match &answer.data {
        Value::Object(fields) => fields.values().any(|value| *value != Value::Null),
        _ => false,
    };
    if done && kind == OperationType::Mutation {
        return None;
    }
    let mut errors = answer.errors.iter();
    let broken = errors.find(|error| {
        // The database may notice a moment before the clock here does.
        let code = crate::answer::code(error);
        matches!(code.as_deref(), Some("DEADLINE_EXCEEDED" | "UNAVAILABLE"))
    })?;
    Some(ServerError {
        path: Vec::new(),
        locations: Vec::new(),
        ..broken.clone()
    })
}

/// Marks the errors that took all of the answer of a mutation that was made, or may have been.
fn tell_committed(answer: &mut Answer, commits: &Commits) {
    for error in &mut answer.errors {
        let Some(PathSegment::Field(mutation)) = error.path.first() else {
            continue;
        };
        let is_answered = match &answer.data {
            Value::Object(fields) => fields.get(mutation.as_str()) != Some(&Value::Null),
            _ => false,
        };
        let (words, committed) = match commits.fate(mutation) {
            _ if is_answered => continue,
            Fate::Nothing => continue,
            Fate::Committed => (" What the mutation wrote is committed.", Value::from(true)),
            Fate::Unknown => (
                " Whether what the mutation wrote is committed is not known yet: look before you send it again, or send \
                 it under the same idempotencyKey.",
                Value::Null,
            ),
        };
        error.message.push_str(words);
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("committed", committed);
    }
}

fn refused(error: Error) -> Vec<ServerError> {
    vec![error.into()]
}

/// What an operation cost, for a client that wants to know.
fn told(requested: u64, app: &App, meter: &Meter, received: Instant) -> async_graphql::Value {
    let milliseconds = received.elapsed().as_secs_f64() * 1000.0;
    async_graphql::value!({
        "requested": requested,
        "limit": app.limits.operation_cost,
        "sqlStatements": meter.statements(),
        "durationMs": (milliseconds * 1000.0).round() / 1000.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Whose;
    use async_graphql::value;

    #[test]
    fn what_broke_an_operation_off_is_told_whole() {
        let busy = ServerError::from(Error::Busy(Whose::All));
        let busy = busy.with_path(vec![PathSegment::Field("signIn".to_owned())]);
        let mut answer = Answer::from_errors(vec![busy]);
        answer.data = value!({ "signIn": null });
        let told = broken_off(&answer, OperationType::Mutation);
        let told = serde_json::to_value(told).unwrap();
        assert_eq!(told["extensions"]["retryAfterMs"], 1000);
        assert_eq!(told.get("path"), None);
        answer.data = value!({ "signIn": null, "createGoal": {} });
        assert!(broken_off(&answer, OperationType::Mutation).is_none());
    }

    #[test]
    fn what_was_committed_is_told_whatever_came_after() {
        // An error in the mutation's own place says nothing of whether it was made.
        let error = |name: &str| {
            ServerError::from(Error::TOO_SLOW).with_path(vec![PathSegment::Field(name.to_owned())])
        };
        let names = ["made", "unknown", "refused", "whole"];
        let mut answer = Answer::from_errors(names.map(error).into());
        answer.data = value!({ "made": null, "unknown": null, "refused": null, "whole": {} });
        let commits = Commits::of(&["made", "whole"], &["unknown"]);
        tell_committed(&mut answer, &commits);
        let told = serde_json::to_value(&answer.errors).unwrap();
        let committed = [0, 1, 2, 3].map(|index| told[index]["extensions"].get("committed"));
        let (yes, unknown) = (serde_json::Value::Bool(true), serde_json::Value::Null);
        assert_eq!(committed, [Some(&yes), Some(&unknown), None, None]);
    }
}
