//! One subscription in progress.

use super::{
    Following, Interest, Matched, Occurrence, Operations, Registration,
    operation::Operation,
    render::{Answer, render},
};
use crate::{
    auth::Actor,
    error::{Error, Result},
    graph::Schema,
    store::{Beat, Event, Follower, Hold, Key, Made, Pulse, Store},
};
use async_graphql::{PathSegment, Request, ServerError};
use entity::Id;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::coop::consume_budget};

/// What a subscription hands over.
pub(crate) enum Frame {
    /// A GraphQL response as JSON text, shared by all who get the same, and the cursor after it.
    Next {
        /// The response.
        payload: Arc<str>,
        /// Where to go on when it was received.
        cursor: Arc<str>,
    },
    /// The actor's account or token may have changed at this position: authenticate it again, unless that was done since,
    /// then [`Subscription::set_actor`] or end. Until then nothing else comes. This is also the very first frame, because
    /// whoever was authenticated before the subscription began may have changed in between.
    CheckCredentials(i64),
    /// It is over.
    End(Vec<ServerError>),
}

/// What an operation that is followed may take.
pub(crate) struct Terms<'t> {
    /// How long it may take to register, and to make a frame.
    pub(crate) time: Duration,
    /// After how long an account is asked about again, at the latest with the next heartbeat.
    pub(crate) vetted_for: Duration,
    /// Refuses too many bytes of documents and variables of one actor.
    pub(crate) check_bytes: &'t (dyn Fn(u64) -> Result<()> + Sync),
}

/// A frame, as far as it can be shared.
#[derive(Clone)]
enum Rendered {
    /// For all who get the same.
    ForAll(Answer),
    /// It depends on who exactly asks.
    ForOne,
    /// It took too much time or space and was stopped, as the next one who tried would be.
    Stopped(Error),
}

impl Rendered {
    /// How many bytes it has, if it is to be kept.
    fn weigh(&self) -> Option<usize> {
        match self {
            Self::ForAll(answer) => Some(answer.payload.len() + answer.cursor.len()),
            Self::ForOne => Some(0),
            Self::Stopped(_) => None,
        }
    }
}

/// One subscription in progress. It has no task of its own and buffers nothing: who does not ask for the next frame
/// costs nothing, and who asks too late is told to resume.
pub(crate) struct Subscription {
    frames: Schema,
    operation: Arc<Operation>,
    _hold: Hold,
    time: Duration,
    interest: Box<dyn Interest>,
    follower: Follower,
    beats: watch::Receiver<Beat>,
    _pulse: Arc<Pulse>,
    actor: Actor,
    /// Equal for actors and operations that are answered alike.
    selection: u128,
    /// Up to where the actor's account is known, and up to where it was asked about.
    vetted: Option<i64>,
    asked: i64,
    /// When it was asked about last, and for how long that counts. What SQL changes stands in no ledger.
    vetted_at: Instant,
    vetted_for: Duration,
    /// The position in the last frame; none before the first.
    told: Option<i64>,
    /// An entry that was taken, but whose frame is not handed over yet.
    taken: Option<Arc<Event>>,
    /// Whether nothing was sent since the last beat.
    quiet: bool,
    /// Whether the token turned out to be somebody else's.
    handed_on: bool,
}

impl Subscription {
    /// Checks the operation and registers it. `resume` is a cursor that overrides the operation's `after`.
    ///
    /// # Errors
    /// What a GraphQL request is refused with; `CURSOR_MISMATCH` when the cursor does not fit; and what the terms say.
    pub(crate) async fn open(
        schema: &Schema,
        store: &Store,
        actor: Actor,
        mut request: Request,
        resume: Option<String>,
        terms: Terms<'_>,
    ) -> Result<Self, Vec<ServerError>> {
        let Some(operations) = schema.data::<Operations>() else {
            return Err(vec![
                Error::internal("the schema holds no operations").into(),
            ]);
        };
        let operation = operations.read(&mut request).map_err(|error| vec![error])?;
        let registration = Registration::default();
        let scope = store.scope_within(actor.clone(), terms.time);
        let request = request.data(scope).data(registration.clone());
        // The stream of a registration is empty, unless it was refused.
        if let Some(refused) = schema.execute_stream(request).next().await {
            return Err(refused.errors);
        }
        let registered = operation.clone();
        let told = |error: Error| vec![server_error(error, &registered)];
        let mut following = registration
            .take()
            .ok_or_else(|| told(Error::internal("a subscription did not register")))?;
        following.after = resume.or(following.after);
        Self::follow(schema, store, actor, operation, following, terms)
            .await
            .map_err(told)
    }

    async fn follow(
        frames: &Schema,
        store: &Store,
        actor: Actor,
        operation: Arc<Operation>,
        following: Following,
        terms: Terms<'_>,
    ) -> Result<Self> {
        following.interest.permits(&actor)?;
        let after = following.after;
        let after = after.map(|cursor| store.feed_position(actor.tenant(), &cursor));
        let follower = store.follow(actor.tenant(), after.transpose()?).await?;
        let share = follower.feed().share(&actor.key());
        let hold = share.hold(operation.key, operation.bytes, terms.check_bytes)?;
        let follower = follower.of(share);
        let pulse = follower.feed().pulse(following.heartbeat_seconds);
        Ok(Self {
            frames: frames.clone(),
            selection: selection(&operation, &actor),
            operation,
            _hold: hold,
            time: terms.time,
            interest: following.interest,
            follower,
            beats: pulse.listen(),
            _pulse: pulse,
            actor,
            vetted: None,
            asked: 0,
            vetted_at: Instant::now(),
            vetted_for: terms.vetted_for,
            told: None,
            taken: None,
            quiet: true,
            handed_on: false,
        })
    }

    /// Says who the actor is, and when that was asked, after [`Frame::CheckCredentials`]. If it is another one, the
    /// subscription ends: what it follows was allowed to the first.
    pub(crate) fn set_actor(&mut self, actor: Actor, asked_at: Instant) {
        self.handed_on |=
            actor.tenant() != self.actor.tenant() || account(&actor) != account(&self.actor);
        self.selection = selection(&self.operation, &actor);
        self.actor = actor;
        self.vetted = Some(self.asked);
        self.vetted_at = asked_at;
    }

    /// The next frame; waits while nothing happens. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Frame {
        match self.advance().await {
            Ok(frame) => frame,
            Err(error) => Frame::End(vec![server_error(error, &self.operation)]),
        }
    }

    /// Does something for the actor in its turn.
    async fn in_turn<T>(&self, what: impl Future<Output = T>) -> T {
        let _turn = self.follower.share().turn().await;
        what.await
    }

    async fn advance(&mut self) -> Result<Frame> {
        if self.handed_on {
            return Err(Error::Unauthenticated(
                "This token is another account's. Subscribe again with it.",
            ));
        }
        loop {
            // Looked at before each frame, so that what an account may not see any more is not sent, however far behind
            // the stream is.
            let changed = self.account_changed();
            let knows = |vetted| changed <= vetted && self.vetted_at.elapsed() < self.vetted_for;
            if !self.vetted.is_some_and(knows) {
                self.vetted = None;
                self.asked = changed;
                return Ok(Frame::CheckCredentials(changed));
            }
            self.interest.permits(&self.actor)?;
            let Some(told) = self.told else {
                let position = self.follower.position();
                let occurrence = Occurrence::without_event(position, position);
                let answer = Box::pin(self.render_for_one(occurrence)).await?;
                return Ok(self.hand_over(answer, position));
            };
            if let Some(event) = self.taken.clone() {
                if let Some(answer) = self.answer(&event, told).await? {
                    self.taken = None;
                    self.quiet = false;
                    return Ok(self.hand_over(answer, event.seq()));
                }
                self.taken = None;
            }
            if let Some(event) = self.follower.step().await? {
                self.taken = Some(event);
                // There may be many that do not concern it, and others wait as well.
                consume_budget().await;
                continue;
            }
            if let Some(beat) = self.beat() {
                if self.quiet && beat.head() >= told && beat.head() <= self.follower.position() {
                    let answer = self.heartbeat(beat, told).await?;
                    self.beats.mark_unchanged();
                    return Ok(self.hand_over(answer, beat.head()));
                }
                self.beats.mark_unchanged();
                self.quiet = true;
            }
            tokio::select! {
                () = self.follower.changed() => {}
                // The pulse is held, so its sender cannot be gone.
                _ = self.beats.changed() => self.beats.mark_changed(),
            }
        }
    }

    /// The beat that has fallen since the last one was looked at.
    fn beat(&self) -> Option<Beat> {
        let fallen = self.beats.has_changed().unwrap_or_default();
        fallen.then(|| *self.beats.borrow())
    }

    /// Where the account that the actor's token stands for was last changed.
    fn account_changed(&self) -> i64 {
        account(&self.actor).map_or(0, |account| self.follower.feed().account_changed(account))
    }

    /// The answer to an entry, if it concerns this subscription.
    async fn answer(&self, event: &Arc<Event>, previous: i64) -> Result<Option<Answer>> {
        if !self.interest.names(event.entry(), &self.actor) {
            return Ok(None);
        }
        let feed = self.follower.feed();
        let position = event.seq();
        let (selection, occurrence) = match self.interest.matches(event, feed, &self.actor).await? {
            Matched::No => return Ok(None),
            Matched::Withheld => {
                let occurrence = Occurrence::without_event(position, previous);
                // What shows nothing is kept apart from what others of the role may be shown.
                (!self.selection, occurrence)
            }
            Matched::Yes(row) => {
                let occurrence = Occurrence {
                    position,
                    previous,
                    event: Some(event.clone()),
                    feed: Some(feed.clone()),
                    row,
                };
                (self.selection, occurrence)
            }
        };
        let made = Made::Frame(selection, previous);
        self.shared(Key { position, made }, occurrence)
            .await
            .map(Some)
    }

    async fn heartbeat(&self, beat: Beat, previous: i64) -> Result<Answer> {
        let occurrence = Occurrence::without_event(beat.head(), previous);
        let key = Key {
            position: beat.head(),
            made: Made::Beat(self.selection, previous, beat.number()),
        };
        self.shared(key, occurrence).await
    }

    /// The answer, executed once for all who get the same.
    async fn shared(&self, key: Key, occurrence: Occurrence) -> Result<Answer> {
        let mut own = None;
        let make = async {
            match self.render(occurrence.clone()).await {
                Ok((answer, false)) => Ok(Rendered::ForAll(answer)),
                Ok((answer, true)) => {
                    own = Some(answer);
                    Ok(Rendered::ForOne)
                }
                Err(error @ (Error::DeadlineExceeded(_) | Error::TooMuch { .. })) => {
                    Ok(Rendered::Stopped(error))
                }
                Err(error) => Err(error),
            }
        };
        let (feed, share) = (self.follower.feed(), self.follower.share());
        // Boxed, because every subscription holds this future, and few are here.
        let made = Box::pin(feed.make_once(key, share, Rendered::weigh, make)).await?;
        match (made, own) {
            (Rendered::ForAll(answer), _) | (Rendered::ForOne, Some(answer)) => Ok(answer),
            (Rendered::ForOne, None) => Box::pin(self.render_for_one(occurrence)).await,
            (Rendered::Stopped(error), _) => Err(error),
        }
    }

    async fn render_for_one(&self, occurrence: Occurrence) -> Result<Answer> {
        let (answer, _) = self.in_turn(self.render(occurrence)).await?;
        Ok(answer)
    }

    async fn render(&self, occurrence: Occurrence) -> Result<(Answer, bool)> {
        let store = self.follower.feed().store();
        let (frames, operation) = (&self.frames, &self.operation);
        render(frames, store, operation, &self.actor, self.time, occurrence).await
    }

    fn hand_over(&mut self, Answer { payload, cursor }: Answer, position: i64) -> Frame {
        self.told = Some(position);
        Frame::Next { payload, cursor }
    }
}

/// The row that stands for whoever acts.
fn account(actor: &Actor) -> Option<&Id> {
    actor.account().map(|account| account.id())
}

/// Names what an answer depends on: the operation, the role, whether a person has it, and the active project.
fn selection(operation: &Operation, actor: &Actor) -> u128 {
    let digest = Sha256::new()
        .chain_update(operation.key)
        .chain_update(format!(
            "{:?}|{:?}|{:?}",
            actor.role(),
            actor.kind(),
            actor.project()
        ))
        .finalize();
    digest
        .iter()
        .take(16)
        .fold(0, |key, byte| key << 8 | u128::from(*byte))
}

fn server_error(error: Error, operation: &Operation) -> ServerError {
    async_graphql::Error::from(error)
        .into_server_error(operation.at)
        .with_path(vec![PathSegment::Field(operation.field.clone())])
}
