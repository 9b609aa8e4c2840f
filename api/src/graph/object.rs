//! How an object becomes part of the answer, whatever its type: compiled once.
//!
//! The library makes a future for each field of each object, as large as the largest resolver of its type. But most fields
//! of a row have their value already: it goes straight into the answer. Only the others are futures.

use super::measured::Measure;
use async_graphql::{
    Context, ContextBase, ContextSelectionSet, Name, Positioned, ServerResult, Value,
    extensions::ResolveInfo,
    indexmap::{IndexMap, map::Entry},
    parser::types::{Field, Selection, SelectionSet},
};
use futures_util::future::{BoxFuture, try_join_all};

/// A field's value when it has come; nothing when the type has no such field.
pub(super) type Resolving<'a> = BoxFuture<'a, ServerResult<Option<Value>>>;

/// An object of the answer.
pub(super) trait Object: Send + Sync {
    /// Its type.
    fn type_name(&self) -> &str;

    /// The value of a leaf that is there already.
    ///
    /// # Errors
    /// When the value cannot be shown.
    fn at_hand(&self, field: &str) -> crate::Result<Option<Value>>;

    /// The value of any other field.
    fn resolve<'a>(&'a self, ctx: &'a Context<'a>) -> Resolving<'a>;
}

/// The selected fields of an object.
///
/// # Errors
/// Those of fields that are not nullable.
pub(super) fn resolve<'a>(
    ctx: &'a ContextSelectionSet<'a>,
    object: &'a dyn Object,
) -> BoxFuture<'a, ServerResult<Value>> {
    Box::pin(fields(ctx, object))
}

async fn fields<'a>(
    ctx: &'a ContextSelectionSet<'a>,
    object: &'a dyn Object,
) -> ServerResult<Value> {
    let fields = selected(ctx, object.type_name(), &[&ctx.item.node]);
    let measure = Measure::begin(ctx).await?;
    let mut answer = IndexMap::with_capacity(fields.len());
    let mut waiting: Vec<BoxFuture<'a, ServerResult<(&'a Name, Value)>>> = Vec::new();
    for field in fields {
        let key = &field.node.response_key().node;
        match at_hand(ctx, object, field)? {
            Some(value) => {
                measure.column(ctx, &value)?;
                answer.entry(key.clone()).or_insert(value);
            }
            None => {
                // Its place in the answer is where it was selected, not where its value came.
                answer.entry(key.clone()).or_insert(Value::Null);
                waiting.push(Box::pin(async move {
                    let value = other(ctx, object, field).await?;
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

/// The objects of a list, in their order. `type_name` is theirs.
///
/// # Errors
/// Those of their fields that are not nullable.
pub(super) async fn resolve_list<'a>(
    ctx: &'a Context<'a>,
    type_name: &'a str,
    objects: &'a [impl Object],
) -> ServerResult<Value> {
    let selection = &ctx.with_selection_set(&ctx.item.node.selection_set);
    let (list, entry) = (&format!("[{type_name}!]"), &format!("{type_name}!"));
    let field = &ctx.item.node;
    let each = objects
        .iter()
        .enumerate()
        .map(|(index, object)| async move {
            let at = selection.with_index(index);
            let resolving = async {
                let object = resolve(&at, object).await;
                object.map(Some).map_err(|error| at.set_error_path(error))
            };
            let Some(path_node) = &at.path_node else {
                return resolving.await;
            };
            let info = ResolveInfo {
                path_node,
                parent_type: list,
                return_type: entry,
                name: field.name.node.as_str(),
                alias: field.alias.as_ref().map(|alias| alias.node.as_str()),
                is_for_introspection: false,
                field,
            };
            let mut resolving = std::pin::pin!(resolving);
            ctx.query_env.extensions.resolve(info, &mut resolving).await
        });
    let entries = try_join_all(each).await?;
    Ok(Value::List(
        entries.into_iter().map(Option::unwrap_or_default).collect(),
    ))
}

/// The object that a field leads to.
///
/// # Errors
/// Those of its fields that are not nullable.
pub(super) async fn resolve_one(ctx: &Context<'_>, object: &dyn Object) -> ServerResult<Value> {
    let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
    resolve(&selection, object).await
}

/// An error of the field that is being resolved.
pub(super) fn failed(ctx: &Context<'_>, error: crate::Error) -> async_graphql::ServerError {
    let error = async_graphql::Error::from(error);
    ctx.set_error_path(error.into_server_error(ctx.item.pos))
}

/// The fields of selections with those of their fragments that are about this type.
pub(super) fn selected<'a, T>(
    ctx: &ContextBase<'a, T>,
    type_name: &str,
    sets: &[&'a SelectionSet],
) -> Vec<&'a Positioned<Field>> {
    let mut fields = Vec::new();
    for set in sets {
        collect(ctx, type_name, set, &mut fields);
    }
    fields
}

fn collect<'a, T>(
    ctx: &ContextBase<'a, T>,
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

/// The value of a leaf that is there already.
fn at_hand(
    ctx: &ContextSelectionSet<'_>,
    object: &dyn Object,
    field: &Positioned<Field>,
) -> ServerResult<Option<Value>> {
    let name = field.node.name.node.as_str();
    if name == "__typename" {
        return Ok(Some(Value::String(object.type_name().to_owned())));
    }
    if !field.node.selection_set.node.items.is_empty() {
        return Ok(None);
    }
    object
        .at_hand(name)
        .map_err(|error| failed(&ctx.with_field(field), error))
}

/// The value of any other field, as the library resolves it.
async fn other<'a>(
    ctx: &'a ContextSelectionSet<'a>,
    object: &'a dyn Object,
    field: &'a Positioned<Field>,
) -> ServerResult<Value> {
    let ctx_field = ctx.with_field(field);
    let mut value = object.resolve(&ctx_field);
    let parent_type = object.type_name();
    let value = match (&ctx_field.path_node, returns(ctx, parent_type, field)) {
        (Some(path_node), Some(return_type)) => {
            let info = ResolveInfo {
                path_node,
                parent_type,
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
