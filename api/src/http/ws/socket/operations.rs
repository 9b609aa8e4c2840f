//! A socket's operations: begun, gone on with, and ended.

use super::{
    super::{
        end::End,
        hearing::Reason,
        message,
        step::{self, Asked, Due, Step},
    },
    Socket, renewed_pong,
};
use crate::{
    answer::{code, complete},
    auth::Origin,
};
use async_graphql::{Response as Answer, ServerError};
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::time::Instant;

impl Socket {
    /// Begins an operation.
    pub(super) async fn subscribe(
        &mut self,
        id: String,
        payload: Map<String, Value>,
    ) -> Result<(), End> {
        let Some(caller) = self.caller.clone() else {
            return Err(End::unauthorized());
        };
        if self.operations.contains_key(&id) {
            return Err(End::id_in_use(&id));
        }
        let asked = Asked {
            id,
            request_id: cuid2::create_id(),
        };
        let count = u64::try_from(self.operations.len() + 1).unwrap_or(u64::MAX);
        if let Err(error) = self.app.limits.check_socket_operations(count) {
            return self.refuse(&asked, vec![error.into()]).await;
        }
        let mut visitor = self.visitor.clone();
        // A socket cannot set cookies, so sessions are not continued by them here.
        (visitor.own_page, visitor.refresh_cookie) = (false, None);
        visitor.origin = Arc::new(Origin {
            request_id: asked.request_id.clone(),
            ..Origin::clone(&visitor.origin)
        });
        let id = asked.id.clone();
        let begun = step::begin(self.app.clone(), caller, visitor, asked, payload);
        let handle = self.run(Box::pin(begun));
        self.operations.insert(id, handle);
        Ok(())
    }

    /// Does what has come of a future.
    pub(super) async fn go_on(&mut self, step: Step) -> Result<(), End> {
        match step {
            Step::Stopping => Err(End::going_away()),
            Step::Due(Due::Init) if self.caller.is_none() => Err(End::init_timeout()),
            // Both came at the same time.
            Step::Due(Due::Init) => Ok(()),
            Step::Due(Due::Ping) => Box::pin(self.ask()).await,
            Step::Due(Due::Token) => Box::pin(self.warn()).await,
            Step::Due(Due::Hearing) => {
                self.hearing.goes_on(Reason::Refused, Instant::now());
                Ok(())
            }
            Step::Greeted(caller) => {
                self.caller = Some(caller);
                self.opening = None;
                let limits = &self.app.limits;
                self.bounds.set(limits.body_bytes, limits.body_time());
                if let Some(init) = self.init.take() {
                    init.abort();
                }
                self.watch_token();
                self.write(message::acknowledge()).await
            }
            Step::Holds => Ok(()),
            Step::Renewed(renewed) => {
                self.hearing.goes_on(Reason::Renewing, Instant::now());
                self.watch_token();
                self.write(renewed_pong(renewed.is_ok())).await
            }
            Step::Refused(error) => Err(End::refused(&error)),
            Step::Answered(asked, message, _unread) => {
                self.operations.remove(&asked.id);
                self.write(message).await?;
                self.write(message::complete(&asked.id)).await
            }
            Step::Next(asked, subscription, payload, _unread) => {
                // Written before the next frame is asked for: a slow client slows only its own streams.
                self.write(message::next(&asked.id, &payload)).await?;
                if let Some(caller) = self.caller.clone() {
                    let (app, id) = (self.app.clone(), asked.id.clone());
                    let handle = self.run(Box::pin(step::follow(app, caller, asked, subscription)));
                    self.operations.insert(id, handle);
                }
                Ok(())
            }
            Step::NotBegun(asked, errors) => {
                self.operations.remove(&asked.id);
                Box::pin(self.refuse(&asked, errors)).await
            }
            Step::Ended(asked, errors) => {
                self.operations.remove(&asked.id);
                let Some(first) = errors.first() else {
                    return self.write(message::complete(&asked.id)).await;
                };
                let (actor, code) = (self.caller.as_ref().map(|caller| caller.key()), code(first));
                tracing::info!(id = %asked.request_id, actor, code, "operation ended");
                Box::pin(self.tell(&asked, errors)).await
            }
        }
    }

    /// Refuses an operation that has not run, and hears nothing more for a moment if that was so too often.
    async fn refuse(&mut self, asked: &Asked, errors: Vec<ServerError>) -> Result<(), End> {
        let pause = self.app.refusals.pause(&self.visitor.origin.key());
        if let Some(pause) = pause
            && self.hearing.stops(Reason::Refused, Instant::now())
        {
            self.run(Box::pin(step::after(pause, Due::Hearing)));
        }
        self.tell(asked, errors).await
    }

    async fn tell(&mut self, asked: &Asked, errors: Vec<ServerError>) -> Result<(), End> {
        let mut answer = Answer::from_errors(errors);
        complete(&mut answer, &asked.request_id);
        let message = message::error(&asked.id, &answer.errors);
        self.write(message).await
    }
}
