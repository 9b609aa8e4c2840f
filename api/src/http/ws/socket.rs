//! One socket: what comes in, what goes out, and when it ends. All of it in one task.
//!
//! There may be many sockets, and most do nothing but wait: what one does seldom is boxed, so that not all of them hold the
//! space for it.

mod operations;

use super::{
    Carrier,
    end::End,
    hearing::{Hearing, Reason},
    intake::Bounds,
    message::{self, Incoming},
    step::{self, Due, Step},
};
use crate::{
    error::Error,
    graph::Visitor,
    http::{App, caller::Caller, credentials::Credentials, quota::Portion},
};
use entity::Timestamp;
use futures_util::{
    SinkExt, StreamExt,
    future::{AbortHandle, Abortable, Aborted, BoxFuture, abortable},
    stream::{FuturesUnordered, SplitSink, SplitStream},
};
use serde_json::{Map, Value, json};
use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_tungstenite::tungstenite::{self, Message};

/// How long a client may take to say who it is.
pub(super) const INIT: Duration = Duration::from_secs(10);
/// How often the client is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);
/// How long a client may take to answer that the socket is closed.
const GOODBYE: Duration = Duration::from_secs(1);
/// So long before its token ends the client is told.
const WARNING: Duration = Duration::from_secs(60);

/// What a socket turns to next.
enum Next {
    /// What the client sent; none when it is gone.
    Received(Option<Result<Message, tungstenite::Error>>),
    /// What has come of a future, unless it was stopped.
    Step(Result<Step, Aborted>),
}

/// A socket.
pub(super) struct Socket {
    app: App,
    /// What the upgrade said of who asks, until the first message has come.
    upgrade: Option<Result<Credentials, Error>>,
    visitor: Visitor,
    /// Hears that the server stops, which then waits for this socket.
    stopping: watch::Receiver<bool>,
    sink: SplitSink<Carrier, Message>,
    stream: SplitStream<Carrier>,
    /// What bounds what comes in.
    bounds: Bounds,
    /// What it takes of the sockets that have not said yet who they are.
    opening: Option<Portion>,
    caller: Option<Arc<Caller>>,
    /// What waits for the first message and its answer.
    init: Option<AbortHandle>,
    /// The end of its token that the client was told of.
    warned: Option<Timestamp>,
    /// What waits for the end of its token.
    token: Option<AbortHandle>,
    /// Whether more is heard of the client, and when it last gave a sign of life.
    hearing: Hearing,
    /// The operations in progress, each with what stops it.
    operations: HashMap<String, AbortHandle>,
    running: FuturesUnordered<Abortable<BoxFuture<'static, Step>>>,
    /// What ended while a message was being written.
    finished: VecDeque<Step>,
    /// Whether a message may wait in the buffer.
    buffered: bool,
}

impl Socket {
    /// A socket that has just been opened.
    pub(super) fn new(
        carrier: Carrier,
        app: App,
        upgrade: Result<Credentials, Error>,
        visitor: Visitor,
        bounds: Bounds,
        stopping: watch::Receiver<bool>,
        opening: Portion,
    ) -> Self {
        let (sink, stream) = carrier.split();
        Self {
            stopping,
            bounds,
            opening: Some(opening),
            app,
            upgrade: Some(upgrade),
            visitor,
            sink,
            stream,
            caller: None,
            init: None,
            warned: None,
            token: None,
            hearing: Hearing::begin(Instant::now()),
            operations: HashMap::new(),
            running: FuturesUnordered::new(),
            finished: VecDeque::new(),
            buffered: false,
        }
    }

    /// Closes a socket that speaks another protocol.
    pub(super) async fn turn_away(self) {
        Box::pin(self.close(End::no_protocol())).await;
    }

    /// Serves until it ends.
    pub(super) async fn serve(mut self) {
        let Err(end) = self.talk().await;
        tracing::debug!(?end, "socket ended");
        Box::pin(self.close(end)).await;
    }

    async fn close(mut self, end: End) {
        self.running.clear();
        if end.refuses() {
            self.app.refusals.hold(&self.visitor.origin.key()).await;
        }
        if matches!(end, End::Closed) {
            // Sends the answer to the client's goodbye. A client that is gone needs none.
            let _ = timeout(GOODBYE, self.sink.close()).await;
        }
        let Some(message) = end.message() else { return };
        let Self {
            mut sink,
            mut stream,
            bounds,
            ..
        } = self;
        let goodbye = async {
            if sink.send(message).await.is_err() {
                return;
            }
            // Until the client has answered, or is gone: what it sent meanwhile must not reset the connection.
            if bounds.fault().is_none() {
                while let Some(Ok(_)) = stream.next().await {}
            } else if let Ok(mut carrier) = sink.reunite(stream) {
                carrier.get_mut().pass_by().await;
            }
        };
        // A client that does not answer has no claim to more.
        let _ = timeout(GOODBYE, goodbye).await;
    }

    async fn talk(&mut self) -> Result<Infallible, End> {
        let mut stopping = self.stopping.clone();
        self.run(Box::pin(async move {
            App::stop_of(&mut stopping).await;
            Step::Stopping
        }));
        self.init = Some(self.run(Box::pin(step::after(INIT, Due::Init))));
        self.run(Box::pin(step::after(PING, Due::Ping)));
        loop {
            if let Some(step) = self.finished.pop_front() {
                self.go_on(step).await?;
                continue;
            }
            let listens = self.hearing.listens();
            let (stream, running) = (&mut self.stream, &mut self.running);
            let next = async {
                tokio::select! {
                    received = stream.next(), if listens => Next::Received(received),
                    Some(step) = running.next() => Next::Step(step),
                }
            };
            tokio::select! {
                biased;
                next = next => match next {
                    Next::Received(Some(Ok(message))) => Box::pin(self.receive(message)).await?,
                    Next::Received(Some(Err(_)) | None) => return Err(self.broken()),
                    Next::Step(Ok(step)) => self.go_on(step).await?,
                    Next::Step(Err(Aborted)) => {}
                },
                // When nothing else is ready.
                flushed = self.sink.flush(), if self.buffered => {
                    flushed.map_err(|_| End::Gone)?;
                    self.buffered = false;
                }
            }
        }
    }

    /// Why nothing more comes.
    fn broken(&self) -> End {
        match self.bounds.fault() {
            Some(fault) => End::stopped(fault, self.bounds.bytes()),
            None => End::Gone,
        }
    }

    /// Asks whether the client is still there, or ends when it gave no sign of life for too long.
    async fn ask(&mut self) -> Result<(), End> {
        if self.hearing.is_over(Instant::now()) {
            return Err(End::Gone);
        }
        self.run(Box::pin(step::after(PING, Due::Ping)));
        if let Some(caller) = self.caller.clone() {
            self.run(Box::pin(step::check(self.app.clone(), caller)));
        }
        // The clock that tokens go by may have been set.
        self.watch_token();
        self.write(Message::Ping(Default::default())).await
    }

    /// When the token ends, if it does.
    fn until(&self) -> Option<Timestamp> {
        self.caller.as_ref().and_then(|caller| caller.until())
    }

    /// Whether the client knows when its token ends: of a token that it renews with itself it is not told again.
    fn is_warned(&self) -> bool {
        self.warned.is_some() && self.warned == self.until()
    }

    /// Waits for the end of the token that counts now.
    fn watch_token(&mut self) {
        if let Some(watch) = self.token.take() {
            watch.abort();
        }
        if let Some(left) = self.left() {
            self.token = Some(self.run(Box::pin(step::after(left, Due::Token))));
        }
    }

    /// How long until the client is to be told that its token ends, or when it was told, until it ends.
    fn left(&self) -> Option<Duration> {
        let left = self.caller.as_ref()?.left(&self.app)?;
        let notice = if self.is_warned() {
            Duration::ZERO
        } else {
            WARNING
        };
        Some(left.saturating_sub(notice))
    }

    /// Tells that the token ends, or ends with it.
    async fn warn(&mut self) -> Result<(), End> {
        // Another token may count since then.
        if self.left() == Some(Duration::ZERO) {
            if self.is_warned() {
                return Err(End::expired());
            }
            self.warned = self.until();
            let until = self.warned.map(|until| until.to_string());
            let payload = json!({ "workgraph": { "tokenExpiresAt": until } });
            self.write(message::ping(&payload)).await?;
        }
        self.watch_token();
        Ok(())
    }

    async fn receive(&mut self, message: Message) -> Result<(), End> {
        self.hearing.hears(Instant::now());
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(End::invalid("Binary messages are not supported")),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
            Message::Close(_) => return Err(End::Closed),
        };
        match Incoming::read(&text)? {
            Incoming::ConnectionInit { payload } => self.init(payload.unwrap_or_default()),
            Incoming::Ping { payload } => self.answer_ping(payload).await,
            Incoming::Pong { .. } => Ok(()),
            Incoming::Subscribe { id, payload } => self.subscribe(id, payload).await,
            Incoming::Complete { id } => {
                if let Some(operation) = self.operations.remove(&id) {
                    operation.abort();
                }
                Ok(())
            }
        }
    }

    fn init(&mut self, payload: Map<String, Value>) -> Result<(), End> {
        let Some(upgrade) = self.upgrade.take() else {
            return Err(End::second_init());
        };
        let credentials =
            Credentials::from_payload(&payload, upgrade).map_err(|error| End::refused(&error))?;
        let greeting = step::greet(self.app.clone(), credentials, self.visitor.clone());
        self.run(Box::pin(greeting));
        Ok(())
    }

    /// Answers a ping, unless it brings a newer token: that is checked first.
    async fn answer_ping(&mut self, payload: Option<Map<String, Value>>) -> Result<(), End> {
        let caller = self.caller.clone().zip(payload.as_ref());
        let renewed = caller.and_then(|(caller, payload)| {
            let credentials = caller.credentials().renewed(payload)?;
            Some((caller, credentials))
        });
        match renewed {
            Some((caller, Ok(credentials))) => {
                let renewing = step::renew(self.app.clone(), caller, credentials);
                self.run(Box::pin(renewing));
                self.hearing.stops(Reason::Renewing, Instant::now());
                Ok(())
            }
            Some((_, Err(_))) => self.write(renewed_pong(false)).await,
            None => self.write(message::pong(payload.map(Value::Object))).await,
        }
    }

    /// Has a future polled with the others.
    fn run(&mut self, future: BoxFuture<'static, Step>) -> AbortHandle {
        let (future, handle) = abortable(future);
        self.running.push(future);
        handle
    }

    /// Writes a message, into the buffer as long as there is room. What runs goes on meanwhile, so that a client that reads
    /// slowly cannot hold up an operation that holds a connection to the database; what comes of it waits, one step of each
    /// operation at most. A longer message may take longer.
    async fn write(&mut self, message: Message) -> Result<(), End> {
        let (sink, running, finished) = (&mut self.sink, &mut self.running, &mut self.finished);
        self.hearing.stops(Reason::Writing, Instant::now());
        self.buffered = true;
        let time = self.app.limits.time_to_write(message.len());
        let writing = timeout(time, async {
            for frame in message::frames(message) {
                sink.feed(frame).await?;
            }
            Ok::<_, tungstenite::Error>(())
        });
        tokio::pin!(writing);
        loop {
            tokio::select! {
                biased;
                written = &mut writing => {
                    self.hearing.goes_on(Reason::Writing, Instant::now());
                    return match written {
                        Ok(Ok(())) => Ok(()),
                        _ => Err(End::Gone),
                    };
                }
                Some(step) = running.next() => finished.extend(step),
            }
        }
    }
}

fn renewed_pong(accepted: bool) -> Message {
    let word = if accepted { "accepted" } else { "refused" };
    message::pong(Some(json!({ "authorization": word })))
}
