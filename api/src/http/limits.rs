//! What a connection, a request and an operation may be at most. Every limit is a setting, and an error that names it.

use super::{pace::Pace, quota::Quota, refusals::Refusals, unread::Unread};
use crate::{
    auth::Limiter,
    error::{Error, Measured, Result},
    store::Bounds,
};
use clap::Args;
use std::{sync::Arc, time::Duration};

/// Declares the limits: each with its setting, its default and the most it can be raised to; those that something is
/// counted against, with its name in errors.
macro_rules! limits {
    ($($(#[$doc:meta])* $field:ident = $default:literal up to $most:literal, $env:literal $(, $name:literal)?;)*) => {
        /// The limits, as set.
        #[derive(Args, Clone, Copy, Debug)]
        pub struct Limits { $(
            $(#[$doc])*
            #[arg(long, env = $env, default_value_t = $default, value_name = "COUNT", global = true)]
            #[arg(value_parser = clap::value_parser!(u64).range(1..=$most))]
            pub $field: u64,
        )* }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        ::pastey::paste! { impl Limits { $($(
            #[doc = "Refuses more than [`" $field "`](Self::" $field ")."]
            ///
            /// # Errors
            /// [`Error::LimitExceeded`] naming the limit and its setting.
            pub(super) fn [<check_ $field>](&self, actual: u64) -> Result<()> {
                Error::within(concat!($name, " (", $env, ")"), self.$field, actual)
            }
        )?)* } }
    };
}

limits! {
    /// How many seconds a connection may be silent before a request, and take over its headers
    header_seconds = 75 up to 3_600, "WORKGRAPH_HEADER_SECONDS";
    /// How many seconds a client may leave unread what is sent to it
    write_seconds = 30 up to 3_600, "WORKGRAPH_WRITE_SECONDS";
    /// How many bytes a second a client must take of what is sent to it, on top of those seconds
    write_bytes_per_second = 16_384 up to 1_073_741_824, "WORKGRAPH_WRITE_BYTES_PER_SECOND";
    /// How many connections there may be
    connections = 10_000 up to 1_000_000, "WORKGRAPH_CONNECTIONS";
    /// How many of them from one address, unless a proxy stands in front that is believed
    address_connections = 1_000 up to 1_000_000, "WORKGRAPH_ADDRESS_CONNECTIONS";
    /// How many WebSockets there may be that have not said yet who they are, a quarter of them from one address
    opening_sockets = 1_000 up to 1_000_000, "WORKGRAPH_OPENING_SOCKETS";
    /// How many bytes of unfinished messages, bodies and long heads are held in all, a quarter of them from one address
    incoming_bytes = 67_108_864 up to 68_719_476_736, "WORKGRAPH_INCOMING_BYTES";
    /// How many bytes of answers may be unread before nothing more is answered, a quarter of them of one workspace, and a
    /// quarter of those of one person or agent
    unread_bytes = 268_435_456 up to 68_719_476_736, "WORKGRAPH_UNREAD_BYTES";
    /// The most bytes of a request's body
    body_bytes = 262_144 up to 67_108_864, "WORKGRAPH_BODY_BYTES", "The body's size in bytes";
    /// The most bytes of what another service tells by a webhook
    webhook_bytes = 5_242_880 up to 26_214_400, "WORKGRAPH_WEBHOOK_BYTES", "The delivery's size in bytes";
    /// How many seconds a request's body may take to arrive
    body_seconds = 10 up to 600, "WORKGRAPH_BODY_SECONDS";
    /// The most bytes of a document
    document_bytes = 65_536 up to 1_048_576, "WORKGRAPH_DOCUMENT_BYTES", "The document's length in bytes";
    /// The most names, numbers, strings and signs of a document
    document_tokens = 10_000 up to 100_000, "WORKGRAPH_DOCUMENT_TOKENS", "The number of tokens in the document";
    /// The most fragments of a document
    document_fragments = 100 up to 1_000, "WORKGRAPH_DOCUMENT_FRAGMENTS", "The number of fragments in the document";
    /// The most bytes that judged documents are kept in, so that what comes again is not judged again
    kept_document_bytes = 33_554_432 up to 1_073_741_824, "WORKGRAPH_KEPT_DOCUMENT_BYTES";
    /// The most fields, spreads and inline fragments of an operation, counting a fragment's as often as it is spread
    operation_fields = 5_000 up to 50_000, "WORKGRAPH_OPERATION_FIELDS", "The number of fields in the operation";
    /// How deep an operation's fields may be nested
    operation_depth = 25 up to 25, "WORKGRAPH_OPERATION_DEPTH", "The depth of the operation";
    /// The most aliases of an operation
    operation_aliases = 200 up to 5_000, "WORKGRAPH_OPERATION_ALIASES", "The number of aliases in the operation";
    /// The most directives of an operation
    operation_directives = 100 up to 5_000, "WORKGRAPH_OPERATION_DIRECTIVES", "The number of directives in the operation";
    /// The most root fields of an operation
    operation_roots = 50 up to 1_000, "WORKGRAPH_OPERATION_ROOTS", "The number of root fields in the operation";
    /// The most variables of an operation
    operation_variables = 100 up to 1_000, "WORKGRAPH_OPERATION_VARIABLES", "The number of variables of the operation";
    /// The most values that an operation's answer may hold, by its page sizes, with what it takes to find them
    operation_cost = 2_000_000 up to 1_000_000_000, "WORKGRAPH_OPERATION_COST";
    /// The most bytes of an answer. An operation may read four times as many from the database
    answer_bytes = 16_777_216 up to 1_073_741_824, "WORKGRAPH_ANSWER_BYTES";
    /// The most fields and rows that an operation may be answering at the same time
    pending_fields = 20_000 up to 10_000_000, "WORKGRAPH_PENDING_FIELDS";
    /// How many seconds an operation may take
    operation_seconds = 10 up to 600, "WORKGRAPH_OPERATION_SECONDS";
    /// How many requests a minute one person or agent may send
    requests_per_minute = 1_200 up to 1_000_000, "WORKGRAPH_REQUESTS_PER_MINUTE";
    /// How many requests a minute from one address are refused at once. Those beyond wait a second for it
    refusals_per_minute = 600 up to 1_000_000, "WORKGRAPH_REFUSALS_PER_MINUTE";
    /// How many operations of one person or agent, or of an address without a token, may run or wait for their turn
    actor_operations = 100 up to 100_000, "WORKGRAPH_ACTOR_OPERATIONS";
    /// How many operations of one workspace may run or wait for their turn
    workspace_operations = 250 up to 100_000, "WORKGRAPH_WORKSPACE_OPERATIONS";
    /// How many operations may run or wait for their turn in all
    operations = 1_000 up to 100_000, "WORKGRAPH_OPERATIONS";
    /// How many seconds an operation may wait for its turn
    wait_seconds = 5 up to 600, "WORKGRAPH_WAIT_SECONDS";
    /// How many operations may go on at once on one WebSocket
    socket_operations = 50 up to 1_000, "WORKGRAPH_SOCKET_OPERATIONS", "The number of operations at once on a WebSocket";
    /// How many WebSockets and event streams one person or agent may hold open
    sockets_per_actor = 200 up to 100_000, "WORKGRAPH_SOCKETS_PER_ACTOR", "The number of WebSockets and event streams";
    /// After how many seconds a stream asks again who follows it, at the latest with its next heartbeat: what SQL changes of an
    /// account stands in no ledger
    vetted_seconds = 20 up to 3_600, "WORKGRAPH_VETTED_SECONDS";
    /// How many agents of one workspace may be connected
    workspace_agents = 20 up to 100_000, "WORKGRAPH_WORKSPACE_AGENTS";
    /// How many agents may be connected in all
    agents = 500 up to 1_000_000, "WORKGRAPH_AGENTS";
    /// How many bytes the documents and variables of one person's or agent's subscriptions may take, equal ones once
    stream_bytes = 4_194_304 up to 1_073_741_824, "WORKGRAPH_STREAM_BYTES", "The number of bytes of documents and variables of subscriptions";
}

impl Limits {
    /// How long a connection may be silent before a request, and take over its headers.
    pub(super) fn header_time(&self) -> Duration {
        Duration::from_secs(self.header_seconds)
    }

    /// How fast a client must take what is sent to it.
    pub(super) fn pace(&self) -> Pace {
        Pace::new(
            Duration::from_secs(self.write_seconds),
            self.write_bytes_per_second,
        )
    }

    /// How long a client may take for a message of so many bytes.
    pub(super) fn time_to_write(&self, bytes: usize) -> Duration {
        let time = Pace::time_of(bytes as u64, self.write_bytes_per_second);
        Duration::from_secs(self.write_seconds).saturating_add(time)
    }

    /// The connections that there may be. Behind a proxy all of them come from its address.
    pub(super) fn connections(&self, behind_proxy: bool) -> Arc<Quota> {
        let of_each = if behind_proxy {
            self.connections
        } else {
            self.address_connections
        };
        Quota::new(of_each, self.connections)
    }

    /// The sockets that may be without a caller.
    pub(super) fn opening(&self) -> Arc<Quota> {
        quarters(self.opening_sockets)
    }

    /// The bytes that may be on their way in. The largest body fits into what one address has; the largest webhook does unless the
    /// operator has set less.
    pub(super) fn incoming(&self) -> Arc<Quota> {
        quarters(self.incoming_bytes.max(self.body_bytes.saturating_mul(4)))
    }

    /// The bytes that may be on their way out. Workspaces that let theirs lie take nothing from those that do not.
    pub(super) fn unread(&self) -> Unread {
        Unread::new(self.unread_bytes)
    }

    /// How long a body, or a message, may take to arrive.
    pub(super) fn body_time(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }

    /// What operations may use, each and together.
    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            actor_operations: self.actor_operations,
            workspace_operations: self.workspace_operations,
            operations: self.operations,
            wait: Duration::from_secs(self.wait_seconds),
            answer_bytes: self.answer_bytes,
            pending_fields: self.pending_fields,
            workspace_agents: self.workspace_agents,
            agents: self.agents,
        }
    }

    /// The requests that one person or agent may send.
    pub(super) fn requests(&self) -> Requests {
        Requests {
            limiter: Limiter::per_minute(self.requests_per_minute),
            per_minute: self.requests_per_minute,
        }
    }

    /// The requests that are refused at once.
    pub(super) fn refusals(&self) -> Refusals {
        Refusals::per_minute(self.refusals_per_minute)
    }

    /// For how long what is known of an account that follows a stream counts.
    pub(super) fn vetted_for(&self) -> Duration {
        Duration::from_secs(self.vetted_seconds)
    }

    /// How long an operation may take.
    pub(super) fn operation_time(&self) -> Duration {
        Duration::from_secs(self.operation_seconds)
    }
}

/// Counts requests, by whoever sends them.
pub(super) struct Requests {
    limiter: Limiter,
    per_minute: u64,
}

impl Requests {
    /// Counts a request.
    ///
    /// # Errors
    /// [`Error::TooMuch`] with the time until the next is let in.
    pub(super) fn check(&self, key: &str) -> Result<()> {
        self.limiter.check(key).map_err(|error| match error {
            Error::RateLimited { retry_after_ms } => Error::TooMuch {
                what: Measured::Requests { retry_after_ms },
                limit: self.per_minute,
                actual: self.per_minute.saturating_add(1),
            },
            other => other,
        })
    }
}

/// A quarter for each.
fn quarters(in_all: u64) -> Arc<Quota> {
    Quota::new(in_all.div_ceil(4), in_all)
}
