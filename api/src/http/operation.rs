//! An operation between the door and the schema, whichever door it came through: judged, attributed, limited in time.

use super::{
    App,
    credentials::Credentials,
    guard::{self, Judged},
    parameters::Parameters,
    who,
};
use crate::{
    auth::Actor,
    error::{Error, Result},
    graph::Visitor,
    live::Subscription,
    store::Scope,
};
use async_graphql::{Request, Response as Answer, ServerError, parser::types::OperationType};
use std::time::Instant;

/// An operation that passed the guard.
pub(super) struct Operation {
    request: Request,
    judged: Judged,
    received: Instant,
}

impl Operation {
    /// Judges what was sent.
    ///
    /// # Errors
    /// What is wrong with the document or its variables; nothing of it has run.
    pub(super) fn new(app: &App, parameters: Parameters) -> Result<Self> {
        let received = Instant::now();
        let mut request = parameters.request();
        let judged = guard::judge(&mut request, &app.limits, &app.shapes)?;
        if !app.introspection {
            request = request.disable_introspection();
        }
        Ok(Self {
            request,
            judged,
            received,
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
        mut self,
        app: &App,
        credentials: Result<Credentials>,
        visitor: Visitor,
        explain: bool,
    ) -> Result<Answer> {
        let time = app.limits.operation_time();
        let in_time = tokio::time::timeout(time, self.actor(app, credentials, &visitor));
        let actor = in_time.await.unwrap_or(Err(Error::TOO_SLOW))?;
        let _turn = match &actor {
            Some(actor) => app.store.admit(actor).await?,
            None => app.store.admit_stranger(visitor.origin.address).await?,
        };
        // The time begins with the turn: how long others take says nothing of the operation.
        tokio::time::timeout(time, self.execute(app, actor, visitor, explain))
            .await
            .unwrap_or(Err(Error::TOO_SLOW))
    }

    /// Who asks; nobody, if the operation needs nobody.
    async fn actor(
        &mut self,
        app: &App,
        credentials: Result<Credentials>,
        visitor: &Visitor,
    ) -> Result<Option<Actor>> {
        let actor = match credentials {
            Ok(credentials) => credentials.authenticate(app, visitor).await,
            Err(error) => Err(error),
        };
        match actor {
            Ok(actor) => {
                app.requests.check(&actor.key())?;
                Ok(Some(actor))
            }
            Err(_) if self.is_public() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn execute(
        self,
        app: &App,
        actor: Option<Actor>,
        visitor: Visitor,
        explain: bool,
    ) -> Result<Answer> {
        let within = app.limits.operation_time();
        let scope = actor.map(|actor| app.store.scope_within(actor, within));
        let mut request = self.request.data(visitor);
        if let Some(scope) = &scope {
            request = request.data(scope.clone());
        }
        let mut answer = app.schema.execute(request).await;
        // The database may notice a moment before the clock here does.
        let codes = answer.errors.iter().filter_map(crate::answer::code);
        if codes.into_iter().any(|code| code == "DEADLINE_EXCEEDED") {
            return Err(Error::TOO_SLOW);
        }
        if explain {
            answer = answer.extension("cost", self.judged.told(app, scope.as_ref(), self.received));
        }
        Ok(answer)
    }

    /// Begins a subscription for an actor, after `resume` if that is a cursor.
    ///
    /// # Errors
    /// What it is refused with.
    pub(super) async fn open(
        self,
        app: &App,
        actor: Actor,
        visitor: Visitor,
        resume: Option<String>,
    ) -> Result<Subscription, Vec<ServerError>> {
        app.requests.check(&actor.key()).map_err(refused)?;
        let request = self.request.data(visitor);
        let opening = Subscription::open(&app.schema, &app.store, actor, request, resume);
        tokio::time::timeout(app.limits.operation_time(), opening)
            .await
            .unwrap_or_else(|_| Err(refused(Error::TOO_SLOW)))
    }

    fn is_public(&mut self) -> bool {
        let name = self.request.operation_name.clone();
        let document = self.request.parsed_query();
        document.is_ok_and(|document| {
            guard::operation(document, name.as_deref())
                .is_ok_and(|operation| who::is_public(document, operation))
        })
    }
}

fn refused(error: Error) -> Vec<ServerError> {
    vec![error.into()]
}

impl Judged {
    /// What an operation cost, for a client that wants to know.
    fn told(self, app: &App, scope: Option<&Scope>, received: Instant) -> async_graphql::Value {
        let milliseconds = received.elapsed().as_secs_f64() * 1000.0;
        async_graphql::value!({
            "requested": self.cost,
            "limit": app.limits.operation_cost,
            "sqlStatements": scope.map_or(0, Scope::statements),
            "durationMs": (milliseconds * 1000.0).round() / 1000.0,
        })
    }
}
