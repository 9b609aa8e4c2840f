//! Relay connections: one page of any list of rows, whatever their type.

use super::{
    Ctx, Node,
    filter::RowFilter,
    filter_argument::FilterArgument,
    object::{self, Object, Resolving, failed, resolve_list, resolve_one},
    order,
    row::Shown,
    row_type::RowType,
    selected::{Selected, large_selected, of_rows},
    shared,
};
use crate::{
    error::Result,
    store::{Filter, List, PageArgs, PageRows, Row, Scope, SortKey},
};
use async_graphql::{
    Context, ContextSelectionSet, InputType, InputValueError, InputValueResult, OutputType,
    Positioned, Scalar, ScalarType, ServerResult, SimpleObject, Value, parser::types::Field,
    registry::Registry,
};
use entity::{Column, Id};
use std::{borrow::Cow, marker::PhantomData, sync::Arc};

/// A place in a list, opaque to clients.
#[derive(Clone, Debug)]
pub struct Cursor(pub String);

impl Cursor {
    /// A position of the tenant's ledger.
    pub fn position(scope: &Scope, seq: i64) -> Self {
        Self(scope.feed_cursor(seq))
    }
}

/// A place in a list or in the ledger. Opaque: take a list's from `pageInfo` or from an edge, and use it with the same
/// filter and order. A `feedCursor` or a live frame's cursor goes with subscriptions, and with
/// `activity` where its order is named: `orderBy: {field: SEQ}`.
#[Scalar]
impl ScalarType for Cursor {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(cursor) => Ok(Self(cursor)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// The arguments of a list field.
struct ListArgs {
    page: PageArgs,
    filter: FilterArgument<Given>,
    order_by: Given,
}

/// An argument as it was given, which is read once its rows' type is known.
struct Given(Value);

impl InputType for Given {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        "Given".into()
    }

    fn create_type_info(_: &mut Registry) -> String {
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        Ok(Self(value.unwrap_or_default()))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl ListArgs {
    /// What the field that is being resolved was given.
    ///
    /// # Errors
    /// When that is none for a list.
    fn of(ctx: &Context<'_>) -> ServerResult<Self> {
        let cursor = |name| -> ServerResult<Option<String>> {
            let cursor: Option<Cursor> = ctx.param_value(name, None)?.1;
            Ok(cursor.map(|cursor| cursor.0))
        };
        Ok(Self {
            page: PageArgs {
                first: ctx.param_value("first", None)?.1,
                after: cursor("after")?,
                last: ctx.param_value("last", None)?.1,
                before: cursor("before")?,
            },
            filter: ctx.param_value("filter", None)?.1,
            order_by: ctx.param_value("orderBy", None)?.1,
        })
    }

    /// Runs the list below a parent, or at the root.
    ///
    /// # Errors
    /// When an argument cannot be accepted, or the database fails.
    async fn connect(
        self,
        ctx: &Context<'_>,
        row_type: &'static RowType,
        parent: Option<(&'static Column, Id)>,
    ) -> Result<Page> {
        let mut keys = order::keys(self.order_by.0, row_type)?;
        if keys.is_empty() {
            keys.push(SortKey::usual(row_type.declared.newest_by));
        }
        let pointer = parent.as_ref().map(|(column, id)| (*column, id));
        let filter = self.filter.given()?;
        let filter = filter.map(|Given(filter)| RowFilter::new(row_type, filter));
        let filter = filter.transpose()?;
        let filter = filter.as_ref().map(|filter| filter as &dyn Filter);
        let scope = ctx.scope();
        let list = scope.list(row_type.shape(), pointer, filter, keys, &self.page)?;
        let page = if shows_rows(ctx) {
            let read = Selected::read(ctx, row_type);
            let large = large_selected(ctx, row_type, &read, || of_rows(ctx, row_type));
            scope.page(pointer, &list, read.columns, large).await?
        } else {
            PageRows::default()
        };
        Ok(Page {
            row_type,
            type_name: row_type.connection_name(),
            parent,
            list,
            rows: page,
        })
    }
}

/// Whether a connection's rows are asked for, and not only their number.
pub(super) fn shows_rows(ctx: &Context<'_>) -> bool {
    let selection = ctx.look_ahead();
    ["nodes", "edges", "pageInfo"]
        .iter()
        .any(|field| selection.field(field).exists())
}

/// One page of a list: a connection.
pub(super) struct Page {
    row_type: &'static RowType,
    type_name: String,
    parent: Option<(&'static Column, Id)>,
    list: Arc<List>,
    rows: PageRows,
}

impl Page {
    fn shown(&self, row: &Arc<Row>) -> Shown {
        Shown {
            row: row.clone(),
            row_type: self.row_type,
        }
    }

    fn page_info(&self) -> Result<PageInfo> {
        let cursor = |row: Option<&Arc<Row>>| {
            let cursor = row.map(|row| self.list.cursor(row));
            cursor.transpose().map(|cursor| cursor.map(Cursor))
        };
        Ok(PageInfo {
            has_previous_page: self.rows.has_previous,
            has_next_page: self.rows.has_next,
            start_cursor: cursor(self.rows.rows.first())?,
            end_cursor: cursor(self.rows.rows.last())?,
        })
    }
}

impl Object for Page {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn at_hand(&self, _: &str) -> Result<Option<Value>> {
        Ok(None)
    }

    fn resolve<'a>(&'a self, ctx: &'a Context<'a>) -> Resolving<'a> {
        let rows = self.rows.rows.iter();
        match ctx.item.node.name.node.as_str() {
            "nodes" => Box::pin(async move {
                let nodes: Vec<_> = rows.map(|row| self.shown(row)).collect();
                let nodes = resolve_list(ctx, self.row_type.name(), &nodes).await?;
                Ok(Some(nodes))
            }),
            "edges" => Box::pin(async move {
                let type_name = &self.row_type.edge_name();
                let edge = |row| Edge {
                    type_name,
                    list: &self.list,
                    shown: self.shown(row),
                };
                let edges: Vec<_> = rows.map(edge).collect();
                Ok(Some(resolve_list(ctx, type_name, &edges).await?))
            }),
            "pageInfo" => Box::pin(async move {
                let page_info = self.page_info().map_err(|error| failed(ctx, error))?;
                let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
                page_info.resolve(&selection, ctx.item).await.map(Some)
            }),
            "totalCount" => Box::pin(async move {
                let parent = self.parent.as_ref().map(|(column, id)| (*column, id));
                let count = ctx.scope().count(parent, &self.list).await;
                let count = count.map_err(|error| failed(ctx, error))?;
                Ok(Some(Value::Number(shared::count(count).into())))
            }),
            _ => Box::pin(async { Ok(None) }),
        }
    }
}

/// A row of a list and its place in it.
struct Edge<'p> {
    type_name: &'p str,
    list: &'p List,
    shown: Shown,
}

impl Object for Edge<'_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn at_hand(&self, field: &str) -> Result<Option<Value>> {
        Ok(match field {
            "cursor" => Some(Value::String(self.list.cursor(&self.shown.row)?)),
            _ => None,
        })
    }

    fn resolve<'a>(&'a self, ctx: &'a Context<'a>) -> Resolving<'a> {
        match ctx.item.node.name.node.as_str() {
            "node" => Box::pin(async move { resolve_one(ctx, &self.shown).await.map(Some) }),
            _ => Box::pin(async { Ok(None) }),
        }
    }
}

/// A page of rows of `N`, for fields that are written by hand.
pub struct Connection<N>(Page, PhantomData<fn() -> N>);

impl<N: Node> Connection<N> {
    /// The page that the field being resolved asks for.
    ///
    /// # Errors
    /// When an argument cannot be accepted, or the database fails.
    pub(super) async fn root(ctx: &Context<'_>) -> async_graphql::Result<Self> {
        let page = ListArgs::of(ctx)?.connect(ctx, N::row_type(), None).await?;
        Ok(Self(page, PhantomData))
    }
}

impl<N: Node> OutputType for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        N::row_type().connection_name().into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        N::row_type().register_connection(registry);
        Self::qualified_type_name()
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        object::resolve(ctx, &self.0).await
    }
}

/// Where a page begins and ends, and whether there are more.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// Whether rows come before this page. Counting from the start, it says whether `after` was given.
    pub(super) has_previous_page: bool,
    /// Whether rows come after this page. Counting from the end, it says whether `before` was given.
    pub(super) has_next_page: bool,
    /// The first row's cursor; null when the page is empty.
    pub(super) start_cursor: Option<Cursor>,
    /// The last row's cursor; null when the page is empty.
    pub(super) end_cursor: Option<Cursor>,
}

/// What a field answers with that is a list of rows, below a parent or at the root.
///
/// # Errors
/// When an argument cannot be accepted, the database fails, and those of the rows' fields that are not nullable.
pub(super) async fn resolve_page(
    ctx: &Context<'_>,
    row_type: &'static RowType,
    parent: Option<(&'static Column, Id)>,
) -> ServerResult<Value> {
    let page = ListArgs::of(ctx)?.connect(ctx, row_type, parent).await;
    let page = page.map_err(|error| failed(ctx, error))?;
    resolve_one(ctx, &page).await
}
