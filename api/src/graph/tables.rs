//! The root fields of every table: one row by its id, and a list.

use super::{
    connection::resolve_page,
    describe::{deprecation, input, inputs},
    found::resolve_row,
    node::row_types,
    row_type::RowType,
};
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    parser::types::Field,
    registry::{MetaField, MetaTypeId, ObjectBuilder, Registry},
    resolver_utils::resolve_container,
};
use entity::Id;
use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

/// The root fields of every table.
#[derive(Default)]
pub struct TablesQuery;

/// A root field: of one row, or of a list.
enum Root {
    Row(&'static RowType),
    List(&'static RowType),
}

static ROOTS: LazyLock<HashMap<&'static str, Root>> = LazyLock::new(|| {
    let of_each = row_types().flat_map(|row_type| {
        let [row, list] = row_type.declared.root;
        [(row, Root::Row(row_type)), (list, Root::List(row_type))]
    });
    of_each.collect()
});

impl RowType {
    /// The root fields of the type.
    fn roots(&'static self, registry: &mut Registry) -> [MetaField; 2] {
        let ([row, list], name) = (self.declared.root, self.name());
        let one = format!("The `{name}` with this id; null when your workspace has none.");
        self.register_connection(registry);
        [
            MetaField {
                description: Some(one),
                args: inputs([input("id", "ID!", "The id.")]),
                deprecation: deprecation(self.declared.deprecation),
                ..MetaField::new(row, name)
            },
            MetaField {
                description: Some(format!("A list of `{name}`.")),
                args: self.list_arguments(registry),
                deprecation: deprecation(self.declared.deprecation),
                ..MetaField::new(list, self.connection_name())
            },
        ]
    }
}

impl OutputType for TablesQuery {
    fn type_name() -> Cow<'static, str> {
        "TablesQuery".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let mut fields = Vec::new();
            for row_type in row_types() {
                fields.extend(row_type.roots(registry));
            }
            let fields = super::describe::fields(fields);
            ObjectBuilder::new(<Self as OutputType>::type_name(), fields).build()
        })
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl ContainerType for TablesQuery {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        match ROOTS.get(ctx.item.node.name.node.as_str()) {
            Some(Root::Row(row_type)) => {
                let (_, id): (_, Id) = ctx.param_value("id", None)?;
                let row = resolve_row(ctx, row_type, row_type.shape().id(), &id);
                Box::pin(row).await.map(Some)
            }
            Some(Root::List(row_type)) => {
                Box::pin(resolve_page(ctx, row_type, None)).await.map(Some)
            }
            None => Ok(None),
        }
    }
}
