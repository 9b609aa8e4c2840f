//! How a subscription is resolved: registered once, then made into a frame for each occurrence.
//!
//! `subscriptions!` declares them; `streams!` those that are streams of one table's rows.

use super::{Ctx as _, connection::Cursor};
use crate::{
    auth::{Actor, Rows, Whose, rows},
    error::{Error, Result},
    live::{Following, Interest, Matched, Occurrence, Registration, Touched, touched},
    store::{Event, Feed},
};
use async_graphql::{Context, SimpleObject};
use entity::{BigInt, Id, Owned, audit_log};
use futures_util::{
    future::BoxFuture,
    stream::{self, Iter},
};
use sea_orm::{IdenStatic, Iterable, ModelTrait, Value};
use std::{any::Any, ops::RangeInclusive, option, sync::Arc};

/// How often a stream may say that it is alive.
const HEARTBEAT: RangeInclusive<u8> = 5..=60;

/// How a stream begins, and how often it says that it is alive.
pub(super) struct Beginning {
    pub(super) after: Option<Cursor>,
    pub(super) heartbeat_seconds: i32,
}

/// What every frame tells of its place.
#[derive(SimpleObject)]
pub struct FramePlace {
    /// Where the stream stands after this frame, for `after`.
    cursor: Cursor,
    /// The same as a number: the `seq` of the ledger's entry, or how far the ledger was looked through.
    position: BigInt,
    /// The position of this stream's frame before this one. If you have seen another one last, you missed something.
    previous: BigInt,
}

/// Registers what a subscription follows, or makes the frame of an occurrence.
pub(super) async fn follow<F>(
    ctx: &Context<'_>,
    beginning: Beginning,
    interest: impl Future<Output = Result<Box<dyn Interest>>>,
    frame: impl FnOnce(FramePlace, &Occurrence) -> F,
) -> async_graphql::Result<Iter<option::IntoIter<F>>> {
    if let Some(occurrence) = ctx.data_opt::<Occurrence>() {
        let place = FramePlace {
            cursor: Cursor::position(ctx.scope(), occurrence.position),
            position: BigInt(occurrence.position),
            previous: BigInt(occurrence.previous),
        };
        return Ok(stream::iter(Some(frame(place, occurrence))));
    }
    let Some(registration) = ctx.data_opt::<Registration>() else {
        return Err(Error::bad_input(
            "subscription",
            "open a WebSocket with the protocol graphql-transport-ws, or ask for `text/event-stream`",
        )
        .into());
    };
    let heartbeat = u8::try_from(beginning.heartbeat_seconds).ok();
    let heartbeat_seconds = heartbeat
        .filter(|seconds| HEARTBEAT.contains(seconds))
        .ok_or_else(|| Error::bad_input("heartbeatSeconds", "must be from 5 to 60"))?;
    registration.put(Following {
        after: beginning.after.map(|cursor| cursor.0),
        heartbeat_seconds,
        interest: interest.await?,
    });
    Ok(stream::iter(None))
}

/// Whether the project that the actor is at work in, if there is one, is the entry's.
pub(super) fn in_project(entry: &audit_log::Model, actor: &Actor) -> bool {
    let project = actor.project();
    project.is_none_or(|project| entry.project_id.as_ref() == Some(project))
}

/// Whatever happens to rows of one table.
pub(super) struct RowInterest<E: Owned> {
    id: Option<Id>,
    pointing: Vec<(E::Column, Id)>,
    test: fn(&Touched<E>) -> bool,
}

impl<E: Owned> RowInterest<E> {
    /// Whatever satisfies this.
    pub(super) fn when(test: fn(&Touched<E>) -> bool) -> Self {
        Self {
            id: None,
            pointing: Vec::new(),
            test,
        }
    }

    /// Only what happens to this one.
    pub(super) fn only(mut self, id: Option<Id>) -> Self {
        self.id = id;
        self
    }

    /// Only what happens to those that point here, or did.
    pub(super) fn pointing(mut self, column: E::Column, id: Option<Id>) -> Self {
        self.pointing.extend(id.map(|id| (column, id)));
        self
    }
}

impl<E: Owned> Interest for RowInterest<E> {
    fn permits(&self, actor: &Actor) -> Result<()> {
        rows(actor, E::TABLE).map(drop)
    }

    fn names(&self, entry: &audit_log::Model, actor: &Actor) -> bool {
        entry.target_type == E::KIND
            && (self.id.is_none() || self.id == entry.target_id)
            && in_project(entry, actor)
    }

    fn matches<'a>(
        &'a self,
        event: &'a Event,
        feed: &'a Feed,
        actor: &'a Actor,
    ) -> BoxFuture<'a, Result<Matched>> {
        Box::pin(async move {
            let touched = touched::<E>(event, feed).await?;
            let mut pointing = self.pointing.iter();
            let concerns = sees::<E>(actor, touched.row.as_deref())?
                && pointing.all(|(column, id)| points(&touched, *column, id))
                && (self.test)(&touched);
            Ok(if concerns {
                Matched::Yes(touched.row.map(|row| row as Arc<dyn Any + Send + Sync>))
            } else {
                Matched::No
            })
        })
    }
}

/// Whether the actor sees this row. Of one that is gone it hears only if it sees all.
pub(super) fn sees<E: Owned>(actor: &Actor, row: Option<&E::Model>) -> Result<bool> {
    let rows = rows(actor, E::TABLE)?;
    let Some(row) = row else {
        return Ok(rows == Rows::All);
    };
    let holder = |column: Option<E::Column>| text(&row.get(column?));
    let (user, agent) = (holder(E::USER), holder(E::AGENT));
    let project = E::Column::iter().find(|column| column.as_str() == "projectId");
    let project = holder(project);
    let whose = Whose {
        user: user.as_deref(),
        agent: agent.as_deref(),
        project: project.as_deref(),
    };
    Ok(rows.hold(actor, whose))
}

/// Whether a column of the row holds this id, or did before the change.
fn points<E: Owned>(touched: &Touched<E>, column: E::Column, id: &Id) -> bool {
    let now = touched.row.as_ref().and_then(|row| text(&row.get(column)));
    let change = touched.change.as_deref();
    let is_it = |value: &serde_json::Value| value.as_str() == Some(id.as_str());
    now.as_deref() == Some(id.as_str())
        || change.is_some_and(|change| {
            let sides = [change.was(column.as_str()), change.became(column.as_str())];
            sides.into_iter().flatten().any(is_it)
        })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.clone(),
        _ => None,
    }
}

/// Declares subscriptions: what they are asked, what they follow, and what a frame shows beside its place. All begin and
/// beat alike.
macro_rules! subscriptions {
    ($(#[$meta:meta])* $name:ident { $(
        $(#[$doc:meta])*
        $field:ident($($desc:literal $argument:ident: $type:ty),* $(,)?) -> $frame:ident {
            follows: |$ctx:ident| $interest:expr,
            shows: |$place:ident, $occurrence:ident| $show:expr $(,)?
        }
    )* }) => {
        $(#[$meta])*
        #[derive(Default)]
        pub struct $name;

        #[async_graphql::Subscription]
        impl $name {
            $(
                $(#[$doc])*
                async fn $field(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                    $(#[graphql(desc = $desc)] $argument: $type,)*
                    #[graphql(desc = "Follow after this cursor: a frame's, or a `feedCursor`; from now on if not given.")]
                    after: Option<$crate::graph::connection::Cursor>,
                    #[graphql(
                        default = 15,
                        desc = "After so many seconds without a frame one comes that only tells the position; 5 to 60."
                    )]
                    heartbeat_seconds: i32,
                ) -> async_graphql::Result<impl futures_util::Stream<Item = $frame>> {
                    let beginning = $crate::graph::subscription::Beginning { after, heartbeat_seconds };
                    let interest = async {
                        let $ctx = ctx;
                        Ok(Box::new($interest) as Box<dyn $crate::live::Interest>)
                    };
                    let show = |$place, $occurrence: &$crate::live::Occurrence| $show;
                    $crate::graph::subscription::follow(ctx, beginning, interest, show).await
                }
            )*
        }
    };
}
pub(super) use subscriptions;

/// Declares streams of rows: `field("what it narrows to" argument: Column) -> Frame { row: Type } when test`.
macro_rules! streams {
    ($name:ident { $(
        $(#[$doc:meta])*
        $field:ident in $entity:ident ($($desc:literal $argument:ident: $column:ident),* $(,)?) -> $frame:ident {
            $(#[$row_doc:meta])* $row:ident: $type:ident
        } when $test:expr;
    )* }) => { ::pastey::paste! {
        $(
            #[doc = "A frame of `" [<$field:lower_camel>] "`."]
            #[derive(async_graphql::SimpleObject)]
            #[graphql(name_type)]
            pub struct $frame {
                #[graphql(flatten)]
                place: $crate::graph::subscription::FramePlace,
                $(#[$row_doc])*
                $row: Option<$type>,
                #[doc = "The id of what something happened to, also when it is gone; null in a frame that only tells the position."]
                [<$row _id>]: Option<entity::Id>,
            }

            $crate::graph::as_named_in_rust!($frame);
        )*

        $crate::graph::subscription::subscriptions! {
            #[doc = concat!("The streams of this file: ", $("`", stringify!($field), "` ",)*)]
            $name { $(
                $(#[$doc])*
                $field($($desc $argument: Option<entity::Id>),*) -> $frame {
                    follows: |_ctx| {
                        let interest =
                            $crate::graph::subscription::RowInterest::<entity::$entity::Entity>::when($test);
                        $(let interest =
                            $crate::graph::subscription::streams!(@narrow interest $entity $argument $column);)*
                        interest
                    },
                    shows: |place, occurrence| $frame {
                        place,
                        $row: occurrence.row::<entity::$entity::Model>().map(|row| $type::of(&row)),
                        [<$row _id>]: occurrence.target(),
                    },
                }
            )* }
        }
    }};
    (@narrow $interest:ident $entity:ident $argument:ident Id) => {
        $interest.only($argument)
    };
    (@narrow $interest:ident $entity:ident $argument:ident $column:ident) => {
        $interest.pointing(entity::$entity::Column::$column, $argument)
    };
}
pub(super) use streams;
