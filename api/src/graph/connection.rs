//! Relay connections: one generic type for every list of the API.

use super::{Ctx, Node, Nullable, filter_argument::FilterArgument, shared};
use crate::{
    error::{Error, Result},
    store::{List, PageArgs, PageRows, Scope, SortKey},
};
use async_graphql::{
    Context, Enum, InputObject, InputType, InputValueError, InputValueResult, Lookahead, Object,
    OutputType, Scalar, ScalarType, SimpleObject, TypeName, Value,
};
use entity::{Id, Owned};
use sea_orm::{EntityTrait, IdenStatic};
use std::{borrow::Cow, sync::Arc};

type Model<N> = <<N as Node>::Entity as EntityTrait>::Model;
type Column<N> = <<N as Node>::Entity as EntityTrait>::Column;

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

/// Which way a list is sorted. Rows without a value come last either way.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smallest, first or oldest at the top.
    #[default]
    Asc,
    /// Largest, last or newest at the top.
    Desc,
}

/// The fields a list can be sorted by.
pub trait OrderField: InputType + Copy + Send + Sync {
    /// The table the fields belong to.
    type Entity: Owned;
    /// What the order input is called.
    const INPUT: &'static str;

    /// The field's column.
    fn column(self) -> <Self::Entity as EntityTrait>::Column;
}

/// One step of a list's order; later steps decide among rows that are equal so far.
#[derive(InputObject, Clone, Debug)]
#[graphql(name_type)]
pub struct Order<F: OrderField> {
    /// What to sort by.
    field: F,
    /// Which way.
    #[graphql(default)]
    direction: Direction,
}

impl<F: OrderField> TypeName for Order<F> {
    fn type_name() -> Cow<'static, str> {
        F::INPUT.into()
    }
}

/// The arguments of a list field, as GraphQL hands them over.
pub struct ListArgs<N: Node> {
    /// Page.
    pub page: PageArgs,
    /// Filter.
    pub filter: FilterArgument<N::Filter>,
    /// Order; newest first when empty.
    pub order_by: Option<Vec<Order<N::OrderField>>>,
}

impl<N: Node> ListArgs<N> {
    /// Runs the list below a parent, or at the root.
    ///
    /// # Errors
    /// When an argument cannot be accepted, or the database fails.
    pub async fn connect(
        self,
        ctx: &Context<'_>,
        parent: Option<(Column<N>, Id)>,
    ) -> Nullable<Connection<N>> {
        let keys = match self.order_by {
            Some(steps) if !steps.is_empty() => steps
                .into_iter()
                .map(|step| SortKey::new(step.field.column(), step.direction == Direction::Desc))
                .collect(),
            _ => vec![SortKey::usual(N::NEWEST_BY)],
        };
        let pointer = parent.as_ref().map(|(column, id)| (*column, id));
        let filter = self.filter.given()?;
        let list = ctx
            .scope()
            .list(pointer, filter.as_deref(), keys, &self.page)?;
        let page = if shows_rows(ctx) {
            let look = ctx.look_ahead();
            let (nodes, edges) = (look.field("nodes"), look.field("edges").field("node"));
            let large = large_columns::<N>(&[nodes, edges]);
            ctx.scope().page_with(pointer, &list, large).await?
        } else {
            PageRows::default()
        };
        Ok(Some(Connection { parent, list, page }))
    }
}

/// Whether a connection's rows are asked for, and not only their number.
pub(super) fn shows_rows(ctx: &Context<'_>) -> bool {
    let selection = ctx.look_ahead();
    ["nodes", "edges", "pageInfo"]
        .iter()
        .any(|field| selection.field(field).exists())
}

/// One page of a list.
pub struct Connection<N: Node> {
    parent: Option<(Column<N>, Id)>,
    list: Arc<List<N::Entity>>,
    page: PageRows<N::Entity>,
}

impl<N: Node> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", <N as OutputType>::type_name()).into()
    }
}

/// One page of a list, as in the Relay specification.
#[Object(name_type)]
impl<N: Node> Connection<N> {
    /// The page's rows, each with its cursor.
    async fn edges(&self) -> Vec<Edge<N>> {
        self.page
            .rows
            .iter()
            .map(|row| Edge {
                row: row.clone(),
                list: self.list.clone(),
            })
            .collect()
    }

    /// The page's rows.
    async fn nodes(&self) -> Vec<N> {
        self.page
            .rows
            .iter()
            .map(|row| N::from(row.clone()))
            .collect()
    }

    /// Where this page begins and ends, and whether there are more.
    async fn page_info(&self) -> PageInfo {
        let cursor = |row: Option<&Arc<Model<N>>>| row.map(|row| Cursor(self.list.cursor(row)));
        PageInfo {
            has_previous_page: self.page.has_previous,
            has_next_page: self.page.has_next,
            start_cursor: cursor(self.page.rows.first()),
            end_cursor: cursor(self.page.rows.last()),
        }
    }

    /// How many rows the whole list has, with its filter and without its paging. Counted only when selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Nullable<i32> {
        let parent = self.parent.as_ref().map(|(column, id)| (*column, id));
        let count = ctx.scope().count(parent, &self.list).await?;
        Ok(Some(shared::count(count)))
    }
}

/// A row of a list.
pub struct Edge<N: Node> {
    row: Arc<Model<N>>,
    list: Arc<List<N::Entity>>,
}

impl<N: Node> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", <N as OutputType>::type_name()).into()
    }
}

/// A row of a list and its place in it.
#[Object(name_type)]
impl<N: Node> Edge<N> {
    /// The row.
    async fn node(&self) -> N {
        N::from(self.row.clone())
    }

    /// The row's place in the list, for `after` or `before`.
    async fn cursor(&self) -> Cursor {
        Cursor(self.list.cursor(&self.row))
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

/// A to-one relation: the row a key points to.
///
/// # Errors
/// If the database fails.
pub async fn one<N: Node>(
    ctx: &Context<'_>,
    column: Column<N>,
    key: Option<&Id>,
) -> Result<Option<N>, Error> {
    match key {
        Some(key) => {
            let large = large_columns::<N>(&[ctx.look_ahead()]);
            let row = ctx.scope().find_with::<N::Entity>(column, key, large);
            Ok(row.await?.map(N::from))
        }
        None => Ok(None),
    }
}

/// The large columns that are selected of rows: all of them are shown, so they come with the rows.
fn large_columns<N: Node>(selections: &[Lookahead<'_>]) -> Vec<Column<N>> {
    let selected = |column: &&Column<N>| {
        let mut looks = selections.iter();
        looks.any(|look| look.field(column.as_str()).exists())
    };
    let columns = <N::Entity as Owned>::LARGE.iter();
    columns.filter(selected).copied().collect()
}

/// The first of the rows that point to a parent, in their list's own order: the latest plan of a brief, say.
///
/// # Errors
/// If the database fails.
pub async fn newest<N: Node>(
    ctx: &Context<'_>,
    column: Column<N>,
    parent: &Id,
) -> Result<Option<Arc<Model<N>>>> {
    let (scope, parent) = (ctx.scope(), Some((column, parent)));
    let page = PageArgs {
        first: Some(1),
        ..PageArgs::default()
    };
    let order = vec![SortKey::new(N::NEWEST_BY, true)];
    let list = scope.list(parent, None::<&N::Filter>, order, &page)?;
    Ok(scope.page(parent, &list).await?.rows.pop())
}
