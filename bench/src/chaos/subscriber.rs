//! One who follows a ledger, goes away again and again, and comes back where it was.

use super::{arithmetic::Arithmetic, tally::Tally};
use crate::{
    Result,
    client::Client,
    frame::Frame,
    line::{Incoming, Line},
};
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

/// A heartbeat comes every 5 seconds, but the machine may be busy.
const SILENCE: Duration = Duration::from_secs(60);
/// How long the way to the head may take, once nobody writes any more.
const LAST: Duration = Duration::from_secs(120);
/// Between tries to connect while no server lives.
const RETRY: Duration = Duration::from_millis(100);

/// A filter as the subscription and as the query know it.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) live: Value,
    pub(super) listed: Value,
}

impl Filter {
    /// Everything, then some that are narrower.
    pub(super) fn all(project: &str) -> Vec<Self> {
        [
            (Value::Null, Value::Null),
            (
                json!({ "actionPrefix": ["goal."] }),
                json!({ "action": { "startsWith": "goal." } }),
            ),
            (
                json!({ "targetType": ["Project"] }),
                json!({ "targetType": { "eq": "Project" } }),
            ),
            (
                json!({ "targetId": project }),
                json!({ "targetId": { "eq": project } }),
            ),
        ]
        .map(|(live, listed)| Self { live, listed })
        .into()
    }
}

/// One who follows.
pub(super) struct Subscriber {
    pub(super) number: usize,
    /// The tenant, and which of its filters.
    pub(super) tenant: usize,
    pub(super) filter: usize,
    pub(super) arithmetic: Arithmetic,
    pub(super) client: Client,
    pub(super) token: String,
    pub(super) address: SocketAddr,
    pub(super) live_filter: Value,
    pub(super) tally: Arc<Tally>,
    /// Over events instead of a WebSocket.
    pub(super) by_events: bool,
    /// Milliseconds that it stays at most, unless it stays for long.
    pub(super) stay: u64,
    /// When it must have reached the head, once that is told.
    pub(super) deadline: Option<Instant>,
}

impl Subscriber {
    /// Follows until it has reached the head, which is told in the end.
    pub(super) async fn follow(mut self, mut head: watch::Receiver<Option<i64>>) -> Self {
        let late = Duration::from_millis(rand::random_range(0..3000));
        tokio::time::sleep(late).await;
        while !self.is_done(*head.borrow_and_update()) {
            match self.connect().await {
                Ok(line) => self.listen(line, &mut head).await,
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
        if let Some(head) = *head.borrow()
            && self
                .arithmetic
                .position()
                .is_none_or(|position| position < head)
        {
            let position = self.arithmetic.position();
            self.fault(format!(
                "it is at {position:?} and does not reach the head, {head}"
            ));
        }
        self
    }

    /// Whether it has reached the head, or has no time left for it.
    fn is_done(&mut self, head: Option<i64>) -> bool {
        let Some(head) = head else { return false };
        let now = Instant::now();
        let deadline = *self.deadline.get_or_insert(now + LAST);
        now >= deadline
            || self
                .arithmetic
                .position()
                .is_some_and(|position| position >= head)
    }

    async fn connect(&mut self) -> Result<Line> {
        let cursor = self.arithmetic.cursor();
        let connecting = async {
            if self.by_events {
                Line::events(&self.client, None, cursor, &self.live_filter).await
            } else {
                Line::socket(self.address, &self.token, cursor, &self.live_filter).await
            }
        };
        let line = timeout(SILENCE, connecting).await;
        let line = line.inspect_err(|_| self.tally.fault("a connection does not come about"))??;
        self.arithmetic.connected();
        Ok(line)
    }

    /// Listens until the connection ends, by whosever wish.
    async fn listen(&mut self, mut line: Line, head: &mut watch::Receiver<Option<i64>>) {
        // Some stay for long, and are still there when a server dies.
        let most = if rand::random_bool(0.3) {
            60_000
        } else {
            self.stay
        };
        let stay = Duration::from_millis(rand::random_range(200..most));
        let leave = tokio::time::sleep(stay);
        tokio::pin!(leave);
        loop {
            let last = *head.borrow_and_update();
            if self.is_done(last) {
                return;
            }
            let incoming = tokio::select! {
                incoming = timeout(SILENCE, line.next()) => incoming,
                // In the end everyone stays.
                () = &mut leave, if last.is_none() => {
                    self.tally.left.add(1);
                    return;
                }
                _ = head.changed() => continue,
            };
            let Ok(incoming) = incoming else {
                self.fault("not even a heartbeat comes");
                return;
            };
            match incoming {
                Incoming::Next(text) => self.take(text.as_str()),
                Incoming::Broken => {
                    self.tally.breaks.add(1);
                    return;
                }
                Incoming::Refused { code, text } => {
                    self.refused(&code, &text);
                    return tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    fn take(&mut self, text: &str) {
        self.tally.frames.add(1);
        let Some(frame) = Frame::read(text) else {
            return self.fault(format!("this is no frame: {text}"));
        };
        if let Err(fault) = self.arithmetic.take(&frame) {
            self.fault(fault);
        }
    }

    fn refused(&self, code: &str, text: &str) {
        match code {
            "RESYNC_REQUIRED" => self.tally.resyncs.add(1),
            // The second is a WebSocket's way to say the same.
            "UNAVAILABLE" | "1013" => self.tally.busy.add(1),
            _ => self.fault(format!("the stream ended: {text}")),
        }
    }

    fn fault(&self, fault: impl std::fmt::Display) {
        let Self {
            number,
            tenant,
            live_filter,
            ..
        } = self;
        self.tally.fault(format!(
            "subscriber {number} of tenant {tenant}, filter {live_filter}: {fault}"
        ));
    }
}
