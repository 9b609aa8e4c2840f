//! How every mutation runs: allowed, once, in one transaction, with its ledger entries.

use super::{Ctx as _, connection::Cursor, constraints::length};
use crate::{
    auth::{Action, Actor, Role, authorize},
    error::{Error, Result},
    store::{Answer, Request, Scope, Tx, retried},
};
use async_graphql::{Context, InputObject, InputType, MaybeUndefined, SelectionField};
use entity::{Id, Owned};
use sea_orm::{ActiveValue, EntityTrait, IdenStatic, ModelTrait};
use std::sync::Arc;

/// What every mutation's input has besides what it says.
#[derive(InputObject, Clone)]
pub struct Once {
    /// A key of your choice, good for 24 hours: sent again with the same input, nothing is done twice and the answer is the
    /// first one again, with the row as it is now; with another input it is `IDEMPOTENCY_MISMATCH`. What is left out is not the
    /// same as null.
    #[graphql(directive = length::apply(1, 200))]
    idempotency_key: Option<String>,
}

/// The input of a mutation: who may send it, and what it does.
pub(super) trait Write: InputType + Clone + Send {
    /// The table whose row the mutation answers with.
    type Entity: Owned;
    /// What the actor must be allowed to do.
    const ACTION: Action;

    /// Whether what it prepares is not to be done twice: a request that is repeated is then answered without it.
    const PREPARES_ONCE: bool = false;

    /// Looks up before the transaction begins what takes long to find and need not be locked. What it does not find is told
    /// by `apply`, so that a request that is repeated is answered first.
    fn prepare(self, _: &Context<'_>) -> impl Future<Output = Result<Self>> + Send {
        std::future::ready(Ok(self))
    }

    /// Checks the input and makes its changes. The row returned is the mutation's answer.
    fn apply(self, tx: &mut Tx<'_>) -> impl Future<Output = Result<Model<Self>>> + Send;
}

/// The input of a mutation that deletes a row: who may send it, and which row.
pub(super) trait Delete: InputType + Clone + Send {
    /// What the actor must be allowed to do.
    const ACTION: Action;

    /// Which row it deletes.
    fn id(&self) -> &Id;

    /// Deletes the row, with what belongs to it.
    fn apply(self, tx: &mut Tx<'_>) -> impl Future<Output = Result<()>> + Send;
}

/// The input of a mutation that the ledger does not tell of: an agent's sign of life. What it says may be said again, so it
/// needs no key for that.
pub(super) trait Sign: InputType + Clone + Send {
    /// What it answers with.
    type Answer: Send;

    /// Takes it in.
    fn apply(self, tx: &mut Tx<'_>) -> impl Future<Output = Result<Self::Answer>> + Send;
}

type Model<W> = <<W as Write>::Entity as EntityTrait>::Model;

/// A mutation's answer.
pub(super) struct Written<M> {
    pub(super) row: Arc<M>,
    /// What only the first answer shows.
    pub(super) once: Option<String>,
    pub(super) feed_cursor: Cursor,
}

/// A deletion's answer.
pub(super) struct Deleted {
    pub(super) id: Id,
    pub(super) feed_cursor: Cursor,
}

/// Runs a mutation, again if others stood in its way. `name` tells it apart from others that were sent under the same
/// idempotency key.
pub(super) async fn perform<W: Write>(
    ctx: &Context<'_>,
    name: &str,
    input: W,
) -> Result<Written<Model<W>>> {
    let (scope, request) = begin(ctx, name, W::ACTION)?;
    let input = match W::PREPARES_ONCE && was_answered(scope, request.as_ref()).await? {
        true => input,
        false => input.prepare(ctx).await?,
    };
    retried(|| attempt(scope, request.clone(), input.clone())).await
}

/// The same for a deletion.
pub(super) async fn delete<D: Delete>(ctx: &Context<'_>, name: &str, input: D) -> Result<Deleted> {
    let (scope, request) = begin(ctx, name, D::ACTION)?;
    retried(|| attempt_to_delete(scope, request.clone(), input.clone())).await
}

/// Takes a sign of life in, again if others stood in its way.
pub(super) async fn sign<S: Sign>(ctx: &Context<'_>, input: S) -> Result<S::Answer> {
    let scope = ctx.scope();
    authorize(scope.actor(), Action::Work)?;
    retried(|| heard(scope, input.clone())).await
}

async fn heard<S: Sign>(scope: &Scope, input: S) -> Result<S::Answer> {
    let (mut tx, _) = open(scope, None).await?;
    let answer = input.apply(&mut tx).await?;
    tx.commit().await?;
    Ok(answer)
}

pub(super) fn begin<'c>(
    ctx: &'c Context<'_>,
    name: &str,
    action: Action,
) -> Result<(&'c Scope, Option<Request>)> {
    let scope = ctx.scope();
    authorize(scope.actor(), action)?;
    Ok((scope, request(ctx.field(), name)?))
}

/// A transaction for a mutation, and what it was answered before under the same key.
pub(super) async fn open<'s>(
    scope: &'s Scope,
    request: Option<&Request>,
) -> Result<(Tx<'s>, Option<Answer>)> {
    let tx = scope.begin().await?;
    tx.check_account().await?;
    let answer = match request {
        Some(request) => tx.answered(request).await?,
        None => None,
    };
    Ok((tx, answer))
}

/// Whether a request was answered before, under the same key.
async fn was_answered(scope: &Scope, request: Option<&Request>) -> Result<bool> {
    if request.is_none() {
        return Ok(false);
    }
    let answered = retried(|| async { Ok(open(scope, request).await?.1.is_some()) });
    answered.await
}

async fn attempt<W: Write>(
    scope: &Scope,
    request: Option<Request>,
    input: W,
) -> Result<Written<Model<W>>> {
    let (mut tx, answer) = open(scope, request.as_ref()).await?;
    if let Some(answer) = answer {
        let row = match tx.get::<W::Entity>(&answer.id).await {
            // An agent or a service need not see what it brought about, or has it no longer.
            Err(Error::NotFound { .. }) if is_machine(scope.actor()) => {
                own_answer::<W>(&mut tx, &answer.id).await
            }
            row => row,
        };
        let row = row.map_err(|error| match error {
            Error::NotFound { kind } => Error::Conflict(format!(
                "This was done under the same idempotencyKey before, and its {kind} is gone. Nothing was done again; use \
                 a new key for a new request."
            )),
            other => other,
        })?;
        return Ok(Written {
            row: Arc::new(row),
            once: None,
            feed_cursor: Cursor::position(scope, answer.seq),
        });
    }
    let row = input.apply(&mut tx).await?;
    let id = match row.get(<W::Entity as Owned>::ID) {
        sea_orm::Value::String(Some(id)) => id.into(),
        _ => {
            return Err(Error::internal(format!(
                "{} has no id",
                <W::Entity as Owned>::ID.as_str()
            )));
        }
    };
    let once = tx.shown_once();
    let head = tx.commit_answering(request, &id).await?;
    Ok(Written {
        row: Arc::new(row),
        once,
        feed_cursor: Cursor::position(scope, head),
    })
}

/// Whether it is an agent or a service.
fn is_machine(actor: &Actor) -> bool {
    actor.role() == Role::Agent || actor.is_service()
}

/// What an agent or a service brought about before, which it does not see. What others have by now is not shown.
async fn own_answer<W: Write>(tx: &mut Tx<'_>, id: &Id) -> Result<Model<W>> {
    let id = id.clone();
    let row = tx.unseen(|tx| Box::pin(async move { tx.get::<W::Entity>(&id).await }));
    let row = row.await;
    match W::Entity::AGENT {
        Some(_) => row.and(Err(Error::StaleLease)),
        None => row,
    }
}

async fn attempt_to_delete<D: Delete>(
    scope: &Scope,
    request: Option<Request>,
    input: D,
) -> Result<Deleted> {
    let (mut tx, answer) = open(scope, request.as_ref()).await?;
    if let Some(answer) = answer {
        return Ok(Deleted {
            id: answer.id,
            feed_cursor: Cursor::position(scope, answer.seq),
        });
    }
    let id = input.id().clone();
    input.apply(&mut tx).await?;
    let head = tx.commit_answering(request, &id).await?;
    Ok(Deleted {
        id,
        feed_cursor: Cursor::position(scope, head),
    })
}

/// The request as it was sent: the parsed input cannot tell what was left out from what was null.
fn request(field: SelectionField<'_>, name: &str) -> Result<Option<Request>> {
    let arguments = field.arguments();
    let arguments = arguments.map_err(|error| Error::internal(error.message))?;
    let Some((_, sent)) = arguments
        .into_iter()
        .find(|(argument, _)| argument == "input")
    else {
        return Ok(None);
    };
    let sent = sent.into_json().map_err(Error::internal)?;
    let key = sent["idempotencyKey"].as_str();
    Ok(key.map(|key| Request::new(key, name, &sent)))
}

/// A patch of a nullable column: left out it stays, null clears it.
pub(super) fn patch<T, U>(
    value: MaybeUndefined<T>,
    into: impl FnOnce(T) -> Result<U>,
) -> Result<ActiveValue<Option<U>>>
where
    Option<U>: Into<sea_orm::Value>,
{
    Ok(match value {
        MaybeUndefined::Undefined => ActiveValue::NotSet,
        MaybeUndefined::Null => ActiveValue::Set(None),
        MaybeUndefined::Value(value) => ActiveValue::Set(Some(into(value)?)),
    })
}

/// A patch of a column that always has a value: left out it stays, and null is refused.
pub(super) fn change<T, U: Into<sea_orm::Value>>(
    field: &str,
    value: MaybeUndefined<T>,
    into: impl FnOnce(T) -> Result<U>,
) -> Result<ActiveValue<U>> {
    Ok(match given(field, value)? {
        Some(value) => ActiveValue::Set(into(value)?),
        None => ActiveValue::NotSet,
    })
}

/// A value that may be left out, and cannot be null.
pub(super) fn given<T>(field: &str, value: MaybeUndefined<T>) -> Result<Option<T>> {
    match value {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Err(Error::bad_input(
            field,
            "cannot be null; leave it out instead",
        )),
        MaybeUndefined::Value(value) => Ok(Some(value)),
    }
}

/// Declares mutations: `field(Input) -> Payload { row: Type }`. What they do stands in the input's `Write`. After
/// `once` stands a field for what the transaction shows once.
///
/// Their fields are nullable: one that is refused does not take back the answers of those that were committed.
macro_rules! mutations {
    ($name:ident { $(
        $(#[$doc:meta])*
        $field:ident($input:ident) -> $payload:ident {
            $row:ident: $type:ident $(, $(#[$once_doc:meta])* once $once:ident)?
        };
    )* }) => { ::pastey::paste! {
        $(
            #[doc = "What `" [<$field:lower_camel>] "` answers with."]
            #[derive(async_graphql::SimpleObject)]
            #[graphql(name_type)]
            pub struct $payload {
                /// The row as it is now.
                $row: $type,
                $($(#[$once_doc])* $once: Option<String>,)?
                /// The ledger's position after this change; when an answer is repeated, after the first one.
                feed_cursor: Cursor,
            }
        )*

        $crate::graph::as_named_in_rust!($($payload),*);

        #[doc = concat!("The mutations of this file: ", $("`", stringify!($field), "` ",)*)]
        #[derive(Default)]
        pub struct $name;

        #[async_graphql::Object]
        impl $name {
            $(
                $(#[$doc])*
                async fn $field(
                    &self,
                    ctx: &Context<'_>,
                    #[graphql(desc = "What to write.")] input: $input,
                ) -> $crate::graph::Nullable<$payload> {
                    let written = $crate::graph::write::perform(ctx, stringify!($field), input).await?;
                    Ok(Some($payload {
                        $row: $type::of(&written.row),
                        $($once: written.once,)?
                        feed_cursor: written.feed_cursor,
                    }))
                }
            )*
        }
    }};
}
pub(super) use mutations;

/// Declares mutations that delete: `field(Input) -> Payload`. What they do stands in the input's `Delete`.
macro_rules! deletions {
    ($name:ident { $(
        $(#[$doc:meta])*
        $field:ident($input:ident) -> $payload:ident;
    )* }) => { ::pastey::paste! {
        $(
            #[doc = "What `" [<$field:lower_camel>] "` answers with."]
            #[derive(async_graphql::SimpleObject)]
            #[graphql(name_type)]
            pub struct $payload {
                /// The id of the row that is gone.
                deleted_id: entity::Id,
                /// The ledger's position after this change.
                feed_cursor: Cursor,
            }
        )*

        $crate::graph::as_named_in_rust!($($payload),*);

        #[doc = concat!("The deletions of this file: ", $("`", stringify!($field), "` ",)*)]
        #[derive(Default)]
        pub struct $name;

        #[async_graphql::Object]
        impl $name {
            $(
                $(#[$doc])*
                async fn $field(
                    &self,
                    ctx: &Context<'_>,
                    #[graphql(desc = "What to delete.")] input: $input,
                ) -> $crate::graph::Nullable<$payload> {
                    let deleted = $crate::graph::write::delete(ctx, stringify!($field), input).await?;
                    Ok(Some($payload {
                        deleted_id: deleted.id,
                        feed_cursor: deleted.feed_cursor,
                    }))
                }
            )*
        }
    }};
}
pub(super) use deletions;
