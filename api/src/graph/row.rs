//! How a row becomes an object of the answer.
//!
//! The library makes a future for each field of each row, as large as the largest resolver of its type. But a plain column
//! has its value already: it goes straight from the row into the answer. Only relations, large columns and what is computed
//! are futures.

use super::measured::Measure;
use async_graphql::{
    ContainerType, ContextSelectionSet, Name, Positioned, ServerResult, Value,
    extensions::ResolveInfo,
    indexmap::{IndexMap, map::Entry},
    parser::types::{Field, Selection, SelectionSet},
};
use futures_util::{FutureExt, future::try_join_all};
use std::pin::Pin;

/// A field whose value has to be found, and its name in the answer. Not the future's own type: rows lead to each other in
/// circles.
type Waiting<'a> = Pin<Box<dyn Future<Output = ServerResult<(&'a Name, Value)>> + Send + 'a>>;

/// The selected fields of a row: `row` knows its plain columns, `object` every field of the type.
///
/// # Errors
/// Those of fields that are not nullable.
pub(super) async fn resolve<'a>(
    ctx: &'a ContextSelectionSet<'a>,
    row: &'a impl ContainerType,
    object: &'a impl ContainerType,
    type_name: &'a str,
) -> ServerResult<Value> {
    let mut fields = Vec::with_capacity(ctx.item.node.items.len());
    collect(ctx, type_name, &ctx.item.node, &mut fields);
    let measure = Measure::begin(ctx).await?;
    let mut answer = IndexMap::with_capacity(fields.len());
    let mut waiting: Vec<Waiting<'a>> = Vec::new();
    for field in fields {
        let key = &field.node.response_key().node;
        let is_leaf = field.node.selection_set.node.items.is_empty();
        match is_leaf.then(|| plain(ctx, row, type_name, field)).flatten() {
            Some(value) => {
                let value = value?;
                measure.column(ctx, &value, || returns(ctx, type_name, field))?;
                answer.entry(key.clone()).or_insert(value);
            }
            None => {
                // Its place in the answer is where it was selected, not where its value came.
                answer.entry(key.clone()).or_insert(Value::Null);
                waiting.push(Box::pin(async move {
                    let value = other(ctx, object, type_name, field).await?;
                    Ok((key, value))
                }));
            }
        }
    }
    if !waiting.is_empty() {
        for (key, value) in try_join_all(waiting).await? {
            merge(&mut answer, key.clone(), value);
        }
    }
    Ok(Value::Object(answer))
}

/// The fields of a selection with those of its fragments that are about this type.
fn collect<'a>(
    ctx: &'a ContextSelectionSet<'a>,
    type_name: &str,
    set: &'a SelectionSet,
    fields: &mut Vec<&'a Positioned<Field>>,
) {
    for selection in &set.items {
        let (condition, set) = match &selection.node {
            Selection::Field(field) => {
                fields.push(field);
                continue;
            }
            Selection::InlineFragment(fragment) => (
                fragment.node.type_condition.as_ref(),
                &fragment.node.selection_set,
            ),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                // Documents are judged before they run: there is no spread of nothing, and none of itself.
                let Some(fragment) = ctx.query_env.fragments.get(name) else {
                    continue;
                };
                (
                    Some(&fragment.node.type_condition),
                    &fragment.node.selection_set,
                )
            }
        };
        let applies = condition.is_none_or(|condition| {
            let on = condition.node.on.node.as_str();
            let implements = || ctx.schema_env.registry.implements.get(type_name);
            on == type_name || implements().is_some_and(|interfaces| interfaces.contains(on))
        });
        if applies {
            collect(ctx, type_name, &set.node, fields);
        }
    }
}

/// The value of a plain column; nothing if the field is none, or has to wait for its turn.
fn plain<'a>(
    ctx: &'a ContextSelectionSet<'a>,
    row: &'a impl ContainerType,
    type_name: &str,
    field: &'a Positioned<Field>,
) -> Option<ServerResult<Value>> {
    if field.node.name.node == "__typename" {
        return Some(Ok(Value::String(type_name.to_owned())));
    }
    let ctx = ctx.with_field(field);
    let value = row.resolve_field(&ctx).now_or_never()?;
    value.transpose()
}

/// The value of any other field, as the library resolves it.
async fn other<'a>(
    ctx: &'a ContextSelectionSet<'a>,
    object: &'a impl ContainerType,
    type_name: &str,
    field: &'a Positioned<Field>,
) -> ServerResult<Value> {
    let ctx_field = ctx.with_field(field);
    let mut value = std::pin::pin!(object.resolve_field(&ctx_field));
    let value = match (&ctx_field.path_node, returns(ctx, type_name, field)) {
        (Some(path_node), Some(return_type)) => {
            let info = ResolveInfo {
                path_node,
                parent_type: type_name,
                return_type,
                name: field.node.name.node.as_str(),
                alias: field.node.alias.as_ref().map(|alias| alias.node.as_str()),
                is_for_introspection: false,
                field: &field.node,
            };
            ctx.query_env.extensions.resolve(info, &mut value).await?
        }
        _ => value.await?,
    };
    Ok(value.unwrap_or_default())
}

/// A field's type, as the schema writes it.
fn returns<'a>(
    ctx: &ContextSelectionSet<'a>,
    type_name: &str,
    field: &Positioned<Field>,
) -> Option<&'a str> {
    let of = ctx.schema_env.registry.types.get(type_name)?;
    let field = of.field_by_name(field.node.name.node.as_str())?;
    Some(&field.ty)
}

/// Puts a value where it belongs; what was selected twice under one name is one value with the fields of both.
fn merge(answer: &mut IndexMap<Name, Value>, key: Name, value: Value) {
    match answer.entry(key) {
        Entry::Vacant(place) => {
            place.insert(value);
        }
        Entry::Occupied(mut place) => merge_values(place.get_mut(), value),
    }
}

fn merge_values(place: &mut Value, value: Value) {
    match (place, value) {
        (Value::Object(fields), Value::Object(more)) => {
            for (key, value) in more {
                merge(fields, key, value);
            }
        }
        (Value::List(items), Value::List(more)) => {
            for (item, value) in items.iter_mut().zip(more) {
                merge_values(item, value);
            }
        }
        (place, value) if *place == Value::Null => *place = value,
        _ => {}
    }
}
