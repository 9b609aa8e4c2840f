//! What a socket waits for. Each is a future that the socket's one task polls; none has a task of its own.

use super::message;
use crate::{
    answer::{code, complete},
    aside,
    error::{Error, Result, Whose},
    graph::Visitor,
    http::{
        App,
        answer::has_run,
        caller::Caller,
        credentials::Credentials,
        operation::{Answered, Operation},
        parameters::Parameters,
        unread::OnItsWay,
    },
    live::{Frame, Subscription},
};
use async_graphql::{ServerError, parser::types::OperationType};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};
use tokio_tungstenite::tungstenite::Message;
use tracing::{Instrument, Span, field::Empty};

/// What has come of a future.
pub(super) enum Step {
    /// The server stops.
    Stopping,
    /// It is time.
    Due(Due),
    /// The first credentials hold.
    Greeted(Arc<Caller>),
    /// The credentials still hold, as far as could be told.
    Holds,
    /// Newer credentials hold, or not.
    Renewed(Result<()>),
    /// The socket's credentials do not hold any more, or could not be checked.
    Refused(Error),
    /// A query or mutation was answered, by this message, which counts as unread until it is written.
    Answered(Asked, Message, OnItsWay),
    /// A subscription has a frame, and goes on.
    Next(Asked, Box<Subscription>, Arc<str>, OnItsWay),
    /// An operation was refused before it ran.
    NotBegun(Asked, Vec<ServerError>),
    /// An operation cannot go on; without errors it is complete.
    Ended(Asked, Vec<ServerError>),
}

/// What there is a time for.
pub(super) enum Due {
    /// The client must have said who it is.
    Init,
    /// The client is to be asked whether it is still there.
    Ping,
    /// The token ends, now or soon.
    Token,
    /// Who was refused too often is heard again.
    Hearing,
}

/// An operation's name for the client, and in errors and logs.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) id: String,
    pub(super) request_id: String,
}

/// Waits until it is time.
pub(super) async fn after(time: Duration, due: Due) -> Step {
    tokio::time::sleep(time).await;
    Step::Due(due)
}

/// Checks the first credentials.
pub(super) async fn greet(app: App, credentials: Credentials, visitor: Visitor) -> Step {
    match Box::pin(Caller::new(&app, credentials, visitor)).await {
        Ok((caller, _)) => Step::Greeted(caller),
        Err(error) => Step::Refused(error),
    }
}

/// Checks whether the credentials still hold, of which nothing tells a socket on which no stream runs.
pub(super) async fn check(app: App, caller: Arc<Caller>) -> Step {
    match caller.check(&app).await {
        Err(error @ Error::Unauthenticated(_)) => Step::Refused(error),
        _ => Step::Holds,
    }
}

/// Checks newer credentials.
pub(super) async fn renew(app: App, caller: Arc<Caller>, credentials: Credentials) -> Step {
    Step::Renewed(caller.renew(&app, credentials).await)
}

/// Begins an operation, up to its first result, which the log has a line about as about a request.
pub(super) async fn begin(
    app: App,
    caller: Arc<Caller>,
    visitor: Visitor,
    asked: Asked,
    payload: Map<String, Value>,
) -> Step {
    let span = tracing::info_span!(
        "operation",
        id = %asked.request_id,
        operation = Empty,
        actor = caller.key(),
        code = Empty,
    );
    let beginning = async {
        let step = begun(app, caller, visitor, asked, payload).await;
        let code = match &step {
            Step::NotBegun(_, errors) => errors.first().and_then(code),
            Step::Refused(error) => Some(error.code().to_owned()),
            _ => None,
        };
        if let Some(code) = code {
            Span::current().record("code", code);
        }
        tracing::info!("operation answered");
        step
    };
    beginning.instrument(span).await
}

async fn begun(
    app: App,
    caller: Arc<Caller>,
    visitor: Visitor,
    asked: Asked,
    payload: Map<String, Value>,
) -> Step {
    // Counted before anything is read of it: to refuse costs less than to judge.
    let counted = app.requests.check(caller.key());
    let operation = match counted.and_then(|()| Parameters::from_fields(payload)) {
        Ok(read) => Operation::counted(&app, read).await,
        Err(error) => Err(vec![error.into()]),
    };
    let operation = match operation {
        Ok(operation) => operation,
        Err(errors) => return Step::NotBegun(asked, errors),
    };
    if operation.kind() != OperationType::Subscription {
        let credentials = Ok(caller.credentials());
        let running = operation.run(&app, credentials, visitor, false);
        return match Box::pin(running).await {
            Ok(answered) => answer(&app, asked, answered).await,
            Err(error @ Error::Unauthenticated(_)) => Step::Refused(error),
            Err(error) => Step::NotBegun(asked, vec![error.into()]),
        };
    }
    let actor = caller.known().from(visitor.origin.clone());
    let turn = match operation.turn(&app, &actor).await {
        Ok(turn) => turn,
        Err(error) => return Step::NotBegun(asked, vec![error.into()]),
    };
    match Box::pin(operation.open(&app, actor, visitor, None, turn)).await {
        Ok(subscription) => follow(app, caller, asked, Box::new(subscription)).await,
        Err(errors) => Step::NotBegun(asked, errors),
    }
}

/// Writes an answer down, which takes less memory than its values.
async fn answer(app: &App, asked: Asked, answered: Answered) -> Step {
    let Answered {
        mut answer,
        reader,
        is_large,
        turn,
    } = answered;
    if !has_run(&answer) {
        return Step::NotBegun(asked, answer.errors);
    }
    complete(&mut answer, &asked.request_id);
    let id = asked.id.clone();
    let writing = aside::run(is_large, move || {
        let payload = serde_json::to_string(&answer).map_err(Error::internal)?;
        Ok::<_, Error>(message::next(&id, &payload))
    });
    let written = writing.await.flatten();
    drop(turn);
    match written {
        Ok(message) => {
            let unread = app.unread.hold(&reader, message.len() as u64);
            Step::Answered(asked, message, unread)
        }
        Err(error) => Step::Ended(asked, vec![error.into()]),
    }
}

/// Waits for a subscription's next frame.
pub(super) async fn follow(
    app: App,
    caller: Arc<Caller>,
    asked: Asked,
    mut subscription: Box<Subscription>,
) -> Step {
    loop {
        match subscription.next().await {
            Frame::Next { payload, .. } => {
                let bytes = payload.len() as u64;
                return match app.unread.take(caller.reader(), bytes) {
                    Some(counted) => Step::Next(asked, subscription, payload, counted),
                    None => Step::Ended(asked, vec![Error::Busy(Whose::Unread).into()]),
                };
            }
            Frame::End(errors) => return Step::Ended(asked, errors),
            // Boxed, because this future is held by every subscription, and that one seldom.
            Frame::CheckCredentials(at) => match Box::pin(caller.actor(&app, at)).await {
                Ok((actor, at)) => subscription.set_actor(actor, at),
                Err(error) => return Step::Refused(error),
            },
        }
    }
}
