//! `node!`: a table's type, filter, order and root fields out of lists of names.

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
/// filtered by as well. Lists are newest first by `createdAt`, or by the column named after `newest by`.
#[macro_export]
macro_rules! node {
    (
        $(#[$doc:meta])*
        $name:ident in $entity:ident ($get:ident, $list:ident) $(newest by $newest:ident)? {
            columns { $($column:ident: $comparison:ty),* $(,)? }
            $(one { $($(#[$one_doc:meta])* $one:ident: $one_type:ident by $one_key:ident),* $(,)? })?
            $(single { $($(#[$single_doc:meta])* $single:ident: $single_type:ident by $single_key:ident),* $(,)? })?
            $(many { $($(#[$many_doc:meta])* $many:ident: $many_type:ident by $many_key:ident),* $(,)? })?
            $(large { $($(#[$large_doc:meta])* $large:ident: $large_type:ty),* $(,)? })?
        }
        $(fields { $($fields:tt)* })?
    ) => { ::pastey::paste! {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        #[graphql(complex, name_type)]
        pub struct [<$name Object>] {
            #[graphql(flatten)]
            row: std::sync::Arc<entity::$entity::Model>,
        }

        $crate::graph::named!([<$name Object>] as $name);

        $(#[$doc])*
        pub struct $name([<$name Object>]);

        impl From<std::sync::Arc<entity::$entity::Model>> for $name {
            fn from(row: std::sync::Arc<entity::$entity::Model>) -> Self {
                Self([<$name Object>] { row })
            }
        }

        impl async_graphql::OutputType for $name {
            fn type_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                [<$name Object>]::create_type_info(registry)
            }

            async fn resolve(
                &self,
                ctx: &async_graphql::ContextSelectionSet<'_>,
                _: &async_graphql::Positioned<async_graphql::parser::types::Field>,
            ) -> async_graphql::ServerResult<async_graphql::Value> {
                $crate::graph::row::resolve(ctx, &*self.0.row, &self.0, stringify!($name)).await
            }
        }

        impl async_graphql::ContainerType for $name {
            async fn resolve_field(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> async_graphql::ServerResult<Option<async_graphql::Value>> {
                self.0.resolve_field(ctx).await
            }
        }

        impl async_graphql::ObjectType for $name {}

        impl $crate::graph::Node for $name {
            type Entity = entity::$entity::Entity;
            type Filter = [<$name Filter>];
            type OrderField = [<$name OrderField>];
            const NEWEST_BY: entity::$entity::Column = $crate::node!(@newest $entity $($newest)?);
            const LARGE: &'static [&'static str] = &[$($(stringify!([<$large:lower_camel>])),*)?];
        }

        impl $name {
            /// What the `Node` interface shows.
            pub(crate) async fn id(&self, _: &async_graphql::Context<'_>) -> async_graphql::Result<entity::Id> {
                Ok(self.0.row.id.clone())
            }
        }

        #[async_graphql::ComplexObject]
        impl [<$name Object>] {
            $($(
                $(#[$one_doc])*
                async fn $one(&self, ctx: &async_graphql::Context<'_>) -> $crate::graph::Nullable<$one_type> {
                    let key = $crate::graph::Key::key(&self.row.$one_key);
                    let id = <<$one_type as $crate::graph::Node>::Entity as entity::Owned>::ID;
                    Box::pin($crate::graph::connection::one(ctx, id, key)).await.map_err(Into::into)
                }
            )*)?
            $($(
                $(#[$single_doc])*
                async fn $single(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                ) -> $crate::graph::Nullable<$single_type> {
                    let column = $crate::node!(@column $single_type, [<$single_key:camel>]);
                    Box::pin($crate::graph::connection::one(ctx, column, Some(&self.row.id))).await.map_err(Into::into)
                }
            )*)?
            $($(
                $(#[$many_doc])*
                #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
                async fn $many(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                    #[graphql(desc = "So many rows from the start: 50 if not given, at most 200.")] first: Option<i32>,
                    #[graphql(desc = "Start after this cursor; goes with `first`.")] after: Option<Cursor>,
                    #[graphql(desc = "So many rows from the end, at most 200.")] last: Option<i32>,
                    #[graphql(desc = "End before this cursor; goes with `last`.")] before: Option<Cursor>,
                    #[graphql(desc = "Only rows that satisfy this.")] filter: FilterArgument<<$many_type as $crate::graph::Node>::Filter>,
                    #[graphql(desc = "The order; newest first if not given.")]
                    order_by: Option<Vec<Order<<$many_type as $crate::graph::Node>::OrderField>>>,
                ) -> $crate::graph::Nullable<Connection<$many_type>> {
                    let column = $crate::node!(@column $many_type, [<$many_key:camel>]);
                    let list = list_args!(first, after, last, before, filter, order_by);
                    Box::pin(list.connect(ctx, Some((column, self.row.id.clone())))).await
                }
            )*)?
            $($(
                $(#[$large_doc])*
                async fn $large(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                ) -> $crate::graph::Nullable<$large_type> {
                    let column = entity::$entity::Column::[<$large:camel>];
                    let column = ctx.scope().large::<entity::$entity::Entity, $large_type>(column, &self.row.id);
                    Box::pin(column).await.map_err(Into::into)
                }
            )*)?
            $($($fields)*)?
        }

        #[doc = "Narrows a list of `" $name "`. All that is given must hold; where nothing is given, every row does."]
        #[derive(async_graphql::InputObject, Clone, Debug, Default)]
        #[graphql(name_type)]
        pub struct [<$name Filter>] {
            /// All of these hold; an empty list holds for every row.
            and: Option<Vec<[<$name Filter>]>>,
            /// At least one of these holds; an empty list holds for no row.
            or: Option<Vec<[<$name Filter>]>>,
            /// This does not hold. What is compared with a value that is missing does not hold either, so its `not` does.
            not: Option<Box<[<$name Filter>]>>,
            $(
                /// What the field of the same name must be.
                $column: Option<$comparison>,
            )*
            $($(
                /// What the related row must satisfy; a missing one satisfies nothing.
                $one: Option<Box<<$one_type as $crate::graph::Node>::Filter>>,
            )*)?
            $($(
                /// What the related row must satisfy; a missing one satisfies nothing.
                $single: Option<Box<<$single_type as $crate::graph::Node>::Filter>>,
            )*)?
            $($(
                /// What the related rows must satisfy.
                $many: Option<Box<$crate::graph::ManyFilter<<$many_type as $crate::graph::Node>::Filter>>>,
            )*)?
        }

        $crate::graph::as_named_in_rust!([<$name Filter>], [<$name OrderField>]);

        impl $crate::store::Filter<entity::$entity::Entity> for [<$name Filter>] {
            fn condition(&self, place: $crate::store::Place<'_>) -> $crate::error::Result<sea_orm::Condition> {
                use $crate::store::Comparison as _;
                let mut all = $crate::graph::logic(&self.and, &self.or, self.not.as_deref(), place)?;
                $(if let Some(comparison) = &self.$column {
                    let column = entity::$entity::Column::[<$column:camel>];
                    all = all.add(comparison.condition(place.compared(column, stringify!([<$column:lower_camel>])))?);
                })*
                $($(if let Some(filter) = &self.$one {
                    type Other = <$one_type as $crate::graph::Node>::Entity;
                    let ours = entity::$entity::Column::[<$one_key:camel>];
                    let theirs = <Other as entity::Owned>::ID;
                    all = all.add(place.exists::<Other>(theirs, ours, |inner| filter.condition(inner))?);
                })*)?
                $($(if let Some(filter) = &self.$single {
                    type Other = <$single_type as $crate::graph::Node>::Entity;
                    let theirs = $crate::node!(@column $single_type, [<$single_key:camel>]);
                    let ours = entity::$entity::Column::Id;
                    all = all.add(place.exists::<Other>(theirs, ours, |inner| filter.condition(inner))?);
                })*)?
                $($(if let Some(filter) = &self.$many {
                    type Other = <$many_type as $crate::graph::Node>::Entity;
                    let theirs = $crate::node!(@column $many_type, [<$many_key:camel>]);
                    let ours = entity::$entity::Column::Id;
                    all = all.add(filter.condition::<Other>(theirs, ours, place)?);
                })*)?
                Ok(all)
            }
        }

        #[doc = "What a list of `" $name "` can be sorted by."]
        #[derive(async_graphql::Enum, Clone, Copy, Debug, PartialEq, Eq)]
        #[graphql(name_type)]
        pub enum [<$name OrderField>] {
            $(
                /// The field of the same name.
                [<$column:camel>],
            )*
        }

        impl $crate::graph::connection::OrderField for [<$name OrderField>] {
            type Entity = entity::$entity::Entity;
            const INPUT: &'static str = stringify!([<$name Order>]);

            fn column(self) -> entity::$entity::Column {
                match self {
                    $(Self::[<$column:camel>] => entity::$entity::Column::[<$column:camel>],)*
                }
            }
        }

        #[doc = "The root fields of `" $name "`."]
        #[derive(Default)]
        pub struct [<$name Query>];

        #[async_graphql::Object]
        impl [<$name Query>] {
            #[doc = "The `" $name "` with this id; null when your workspace has none."]
            async fn $get(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(desc = "The id.")] id: entity::Id,
            ) -> $crate::graph::Nullable<$name> {
                let column = <entity::$entity::Entity as entity::Owned>::ID;
                Box::pin($crate::graph::connection::one(ctx, column, Some(&id))).await.map_err(Into::into)
            }

            #[doc = "A list of `" $name "`."]
            #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
            async fn $list(
                &self,
                ctx: &async_graphql::Context<'_>,
                #[graphql(desc = "So many rows from the start: 50 if not given, at most 200.")] first: Option<i32>,
                #[graphql(desc = "Start after this cursor; goes with `first`.")] after: Option<Cursor>,
                #[graphql(desc = "So many rows from the end, at most 200.")] last: Option<i32>,
                #[graphql(desc = "End before this cursor; goes with `last`.")] before: Option<Cursor>,
                #[graphql(desc = "Only rows that satisfy this.")] filter: FilterArgument<[<$name Filter>]>,
                #[graphql(desc = "The order; newest first if not given.")]
                order_by: Option<Vec<Order<[<$name OrderField>]>>>,
            ) -> $crate::graph::Nullable<Connection<$name>> {
                let list = list_args!(first, after, last, before, filter, order_by);
                Box::pin(list.connect(ctx, None)).await
            }
        }
    }};
    (@newest $entity:ident $newest:ident) => {
        ::pastey::paste!(entity::$entity::Column::[<$newest:camel>])
    };
    (@newest $entity:ident) => {
        entity::$entity::Column::CreatedAt
    };
    (@column $type:ident, $column:ident) => {
        <<<$type as $crate::graph::Node>::Entity as sea_orm::EntityTrait>::Column>::$column
    };
}

/// Gathers a list field's arguments.
#[macro_export]
macro_rules! list_args {
    ($first:ident, $after:ident, $last:ident, $before:ident, $filter:ident, $order_by:ident) => {
        $crate::graph::connection::ListArgs {
            page: $crate::store::PageArgs {
                first: $first,
                after: $after.map(|cursor: Cursor| cursor.0),
                last: $last,
                before: $before.map(|cursor: Cursor| cursor.0),
            },
            filter: $filter,
            order_by: $order_by,
        }
    };
}

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
