//! How every mutation runs: allowed, once, in one transaction, with its ledger entries.

use super::{Ctx as _, connection::Cursor};
use crate::{
    auth::{Action, authorize},
    error::{Error, Result},
    store::{Request, Scope, Tx, retried},
};
use async_graphql::{Context, InputType, MaybeUndefined, SelectionField};
use entity::Owned;
use sea_orm::{ActiveValue, EntityTrait, IdenStatic, ModelTrait};
use std::sync::Arc;

/// The input of a mutation: who may send it, and what it does.
pub(super) trait Write: InputType + Clone + Send {
    /// The table whose row the mutation answers with.
    type Entity: Owned;
    /// What the actor must be allowed to do.
    const ACTION: Action;

    /// Checks the input and makes its changes. The row returned is the mutation's answer.
    fn apply(self, tx: &mut Tx<'_>) -> impl Future<Output = Result<Model<Self>>> + Send;
}

type Model<W> = <<W as Write>::Entity as EntityTrait>::Model;

/// A mutation's answer.
pub(super) struct Written<M> {
    pub(super) row: Arc<M>,
    /// What only the first answer shows.
    pub(super) once: Option<String>,
    pub(super) feed_cursor: Cursor,
}

/// Runs a mutation, again if others stood in its way. `name` tells it apart from others that were sent under the same
/// idempotency key.
pub(super) async fn perform<W: Write>(
    ctx: &Context<'_>,
    name: &str,
    input: W,
) -> Result<Written<Model<W>>> {
    let scope = ctx.scope();
    authorize(scope.actor(), W::ACTION)?;
    let request = request(ctx.field(), name)?;
    retried(|| attempt(scope, request.clone(), input.clone())).await
}

async fn attempt<W: Write>(
    scope: &Scope,
    request: Option<Request>,
    input: W,
) -> Result<Written<Model<W>>> {
    let mut tx = scope.begin().await?;
    tx.check_account().await?;
    if let Some(request) = &request
        && let Some(answer) = tx.answered(request).await?
    {
        let row = tx.get::<W::Entity>(&answer.id).await;
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
                /// The ledger's position after this change.
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
                        $row: written.row.into(),
                        $($once: written.once,)?
                        feed_cursor: written.feed_cursor,
                    }))
                }
            )*
        }
    }};
}
pub(super) use mutations;
