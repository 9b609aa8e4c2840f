//! What a socket waits for. Each is a future that the socket's one task polls; none has a task of its own.

use super::message;
use crate::{
    answer::complete,
    error::{Error, Result, Whose},
    graph::Visitor,
    http::{
        App,
        answer::{SMALL_FRAME, has_run},
        caller::Caller,
        credentials::Credentials,
        operation::{Answered, Operation},
        parameters::Parameters,
        quota::Portion,
    },
    live::{Frame, Subscription},
};
use async_graphql::{ServerError, parser::types::OperationType};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};
use tokio_tungstenite::tungstenite::Message;

/// What has come of a future.
pub(super) enum Step {
    /// The server stops.
    Stopping,
    /// It is time.
    Due(Due),
    /// The first credentials hold.
    Greeted(Arc<Caller>),
    /// Newer credentials hold, or not.
    Renewed(Result<()>),
    /// The socket's credentials do not hold any more, or could not be checked.
    Refused(Error),
    /// A query or mutation was answered, by this message, which counts as unread until it is written.
    Answered(Asked, Message, Portion),
    /// A subscription has a frame, and goes on.
    Next(Asked, Box<Subscription>, Arc<str>, Portion),
    /// An operation was refused, or cannot go on; without errors it is complete.
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

/// Checks newer credentials.
pub(super) async fn renew(app: App, caller: Arc<Caller>, credentials: Credentials) -> Step {
    Step::Renewed(caller.renew(&app, credentials).await)
}

/// Begins an operation, up to its first result.
pub(super) async fn begin(
    app: App,
    caller: Arc<Caller>,
    visitor: Visitor,
    asked: Asked,
    payload: Map<String, Value>,
) -> Step {
    // Counted before anything is read of it: to refuse costs less than to judge.
    let counted = app.requests.check(caller.key());
    let operation = counted
        .and_then(|()| Parameters::from_fields(payload))
        .map_err(|error| vec![error.into()])
        .and_then(|read| Operation::counted(&app, read));
    let operation = match operation {
        Ok(operation) => operation,
        Err(errors) => return Step::Ended(asked, errors),
    };
    if operation.kind() != OperationType::Subscription {
        let credentials = Ok(caller.credentials());
        let running = operation.run(&app, credentials, visitor, false);
        return match Box::pin(running).await {
            Ok(answered) => answer(&app, asked, answered),
            Err(error @ Error::Unauthenticated(_)) => Step::Refused(error),
            Err(error) => Step::Ended(asked, vec![error.into()]),
        };
    }
    let actor = caller.known().from(visitor.origin.clone());
    let turn = match operation.turn(&app, &actor).await {
        Ok(turn) => turn,
        Err(error) => return Step::Ended(asked, vec![error.into()]),
    };
    match Box::pin(operation.open(&app, actor, visitor, None, turn)).await {
        Ok(subscription) => follow(app, caller, asked, Box::new(subscription)).await,
        Err(errors) => Step::Ended(asked, errors),
    }
}

/// Writes an answer down, which takes less memory than its values.
fn answer(app: &App, asked: Asked, answered: Answered) -> Step {
    let Answered { mut answer, whose } = answered;
    if !has_run(&answer) {
        return Step::Ended(asked, answer.errors);
    }
    complete(&mut answer, &asked.request_id);
    let Ok(payload) = serde_json::to_string(&answer) else {
        let error = Error::internal("an answer could not be written as JSON");
        return Step::Ended(asked, vec![error.into()]);
    };
    let message = message::next(&asked.id, &payload);
    let unread = app.unread.hold(&whose, message.len() as u64);
    Step::Answered(asked, message, unread)
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
                return match app
                    .unread
                    .take_or_hold(caller.workspace(), bytes, SMALL_FRAME)
                {
                    Some(counted) => Step::Next(asked, subscription, payload, counted),
                    None => Step::Ended(asked, vec![Error::Busy(Whose::Unread).into()]),
                };
            }
            Frame::End(errors) => return Step::Ended(asked, errors),
            // Boxed, because this future is held by every subscription, and that one seldom.
            Frame::CheckCredentials(at) => match Box::pin(caller.actor(&app, at)).await {
                Ok(actor) => subscription.set_actor(actor),
                Err(error) => return Step::Refused(error),
            },
        }
    }
}
