//! `node!`: a table's type out of lists of names.

/// Declares the API's type for a table.
///
/// ```text
/// node! {
///     /// What the type is, for the person who reads the API's documentation.
///     Goal in goal (goal, goals) {
///         columns { id: IdFilter, title: StringFilter, status: EnumFilter<goal::GoalStatus>, created_at: DateTimeFilter }
///         one { /// Its project.
///               project: Project by project_id }
///         single { /// The one row that points here.
///               graph: ProjectGraph by project_id }
///         many { /// Goals below it.
///               children: Goal by parent_goal_id }
///         large { /// A column read only when selected.
///               body: String }
///     }
///     fields { async fn anything_else(&self, ctx: &Context<'_>) -> Result<…> { … } }
/// }
/// ```
///
/// `in goal` is the entity's module, `(goal, goals)` are the root fields. `columns` can be filtered and sorted. `one`
/// follows this row's key; `many` and `single` follow the other table's key back to this row; each relation can be
/// filtered by as well. Lists are newest first by `createdAt`, or by the column named after `newest by`. What to use instead
/// of the root fields stands after `deprecated`.
///
/// All of this becomes data, a `RowType`. Only `large` and `fields` are code: the
/// methods of `GoalFields`, which finds the row that they are about in `self.row()`, and its id in `self.id()`.
#[macro_export]
macro_rules! node {
    (
        $(#[doc = $doc:literal])*
        $name:ident in $entity:ident ($get:ident, $list:ident)
        $(newest by $newest:ident)? $(deprecated $old:literal)? {
            columns { $($column:ident: $comparison:ty),* $(,)? }
            $(one { $($(#[doc = $one_doc:literal])* $one:ident: $one_type:ident by $one_key:ident),* $(,)? })?
            $(single {
                $($(#[doc = $single_doc:literal])* $single:ident: $single_type:ident by $single_key:ident),* $(,)?
            })?
            $(many { $(
                $(#[doc = $many_doc:literal])*
                $(#[graphql(deprecation = $deprecation:literal)])?
                $many:ident: $many_type:ident by $many_key:ident
            ),* $(,)? })?
            $(large { $($(#[$large_doc:meta])* $large:ident: $large_type:ty),* $(,)? })?
        }
        $(fields { $($fields:tt)* })?
    ) => { ::pastey::paste! {
        $(#[doc = $doc])*
        pub struct $name(std::sync::Arc<$crate::store::Row>);

        impl $crate::graph::Node for $name {
            type Entity = entity::$entity::Entity;

            fn row_type() -> &'static $crate::graph::row_type::RowType {
                use $crate::graph::row_type::{Declared, Derived, RowType};
                static ROW_TYPE: std::sync::LazyLock<RowType> = std::sync::LazyLock::new(|| {
                    use entity::Owned as _;
                    RowType::new(Declared {
                        name: stringify!($name),
                        description: &[$($doc),*],
                        shape: entity::$entity::Entity::shape(),
                        root: [stringify!([<$get:lower_camel>]), stringify!([<$list:lower_camel>])],
                        deprecation: $crate::node!(@some $($old)?),
                        newest_by: $crate::node!(@newest $entity $($newest)?),
                        compared: vec![$((
                            $crate::node!(@column $name, [<$column:camel>]),
                            <$comparison as $crate::graph::comparison::Compares>::comparison(),
                        )),*],
                        relations: vec![
                            $($($crate::graph::row_type::Relation::to::<$one_type>(
                                stringify!([<$one:lower_camel>]),
                                &[$($one_doc),*],
                                $crate::node!(@column $name, [<$one_key:camel>]),
                            ),)*)?
                            $($($crate::graph::row_type::Relation::back::<$single_type>(
                                stringify!([<$single:lower_camel>]),
                                &[$($single_doc),*],
                                entity::$entity::Entity::shape().id(),
                                $crate::node!(@column $single_type, [<$single_key:camel>]),
                            ),)*)?
                            $($($crate::graph::row_type::Relation {
                                deprecation: $crate::node!(@some $($deprecation)?),
                                is_many: true,
                                ..$crate::graph::row_type::Relation::back::<$many_type>(
                                    stringify!([<$many:lower_camel>]),
                                    &[$($many_doc),*],
                                    entity::$entity::Entity::shape().id(),
                                    $crate::node!(@column $many_type, [<$many_key:camel>]),
                                )
                            },)*)?
                        ],
                        plain: Derived {
                            register: <entity::$entity::Model as async_graphql::OutputType>::create_type_info,
                            resolve: $crate::graph::plain::<entity::$entity::Entity>,
                        },
                        own: $crate::node!(@own $name [$($($large)*)?] [$($($fields)*)?]),
                    })
                });
                &ROW_TYPE
            }
        }

        $crate::graph::resolved_as_row!($name);

        $crate::node! {
            @fields $name in $entity
            [$($($(#[$large_doc])* $large: $large_type,)*)?]
            [$($($fields)*)?]
        }
    }};
    (@fields $name:ident in $entity:ident [] []) => {};
    (
        @fields $name:ident in $entity:ident
        [$($(#[$large_doc:meta])* $large:ident: $large_type:ty,)*]
        [$($fields:tt)*]
    ) => { ::pastey::paste! {
        #[doc = "What a `" $name "` shows that is not simply one of its columns."]
        pub struct [<$name Fields>](std::sync::Arc<$crate::store::Row>);

        impl $crate::graph::OfRow for [<$name Fields>] {
            type Entity = entity::$entity::Entity;

            fn shown(&self) -> &$crate::store::Row {
                &self.0
            }
        }

        #[async_graphql::Object(name_type)]
        impl [<$name Fields>] {
            $(
                $(#[$large_doc])*
                async fn $large(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                ) -> $crate::graph::Nullable<$large_type> {
                    let column = entity::$entity::Column::[<$large:camel>];
                    let id = self.id()?;
                    let column = ctx.scope().large::<entity::$entity::Entity, $large_type>(column, &id);
                    Box::pin(column).await.map_err(Into::into)
                }
            )*
            $($fields)*
        }

        $crate::graph::as_named_in_rust!([<$name Fields>]);
    }};
    (@own $name:ident [] []) => { None };
    (@own $name:ident [$($large:ident)*] [$($fields:tt)*]) => { ::pastey::paste! {
        Some(Derived {
            register: <[<$name Fields>] as async_graphql::OutputType>::create_type_info,
            resolve: |row, ctx| Box::pin(async move {
                use async_graphql::ContainerType as _;
                [<$name Fields>](row.clone()).resolve_field(ctx).await
            }),
        })
    }};
    (@newest $entity:ident $newest:ident) => { ::pastey::paste! {
        entity::$entity::Entity::column(entity::$entity::Column::[<$newest:camel>])
    }};
    (@newest $entity:ident) => {
        entity::$entity::Entity::column(entity::$entity::Column::CreatedAt)
    };
    (@column $type:ident, $column:ident) => {
        <$type as $crate::graph::Node>::Entity::column(
            <<$type as $crate::graph::Node>::Entity as sea_orm::EntityTrait>::Column::$column,
        )
    };
    (@some $value:literal) => { Some($value) };
    (@some) => { None };
}

/// What makes a [`Node`](crate::graph::Node) a type of the library's: all of it is the row type's.
macro_rules! resolved_as_row {
    ($name:ident) => {
        impl From<std::sync::Arc<$crate::store::Row>> for $name {
            fn from(row: std::sync::Arc<$crate::store::Row>) -> Self {
                Self(row)
            }
        }

        impl async_graphql::OutputType for $name {
            fn type_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                <Self as $crate::graph::Node>::row_type().register(registry);
                <Self as async_graphql::OutputType>::qualified_type_name()
            }

            async fn resolve(
                &self,
                ctx: &async_graphql::ContextSelectionSet<'_>,
                _: &async_graphql::Positioned<async_graphql::parser::types::Field>,
            ) -> async_graphql::ServerResult<async_graphql::Value> {
                let row_type = <Self as $crate::graph::Node>::row_type();
                $crate::graph::row::resolve(ctx, &self.0, row_type).await
            }
        }
    };
}
pub(crate) use resolved_as_row;

/// Names types in the API as they are named here, capitals and all.
macro_rules! as_named_in_rust {
    ($($name:ident),*) => { $($crate::graph::named!($name as $name);)* };
}
pub(crate) use as_named_in_rust;

/// Names a type in the API.
macro_rules! named {
    ($type:ident as $name:ident) => {
        impl async_graphql::TypeName for $type {
            fn type_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}
pub(crate) use named;
