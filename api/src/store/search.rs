//! Full-text search: one statement over all that can be found, in an order that both databases give alike.
//!
//! The words are looked up in `search_documents`, which is behind no policy (see its migration). So nothing is told from
//! there: each hit is joined to its own row, within the tenant, through [`Place`], and what is shown comes from the row.

pub(super) mod index;
mod kinds;
mod matching;

pub use kinds::Findable;

use super::{
    order::{from_json, to_json},
    page::page_size,
    scope::Scope,
    seal::{DAMAGED, ListSeal},
    select::Place,
};
use crate::{
    auth::Actor,
    domain::{
        snippet::{self, Window},
        words::Sought,
    },
    error::{Error, Result},
};
use entity::{Id, Kind, Timestamp};
use sea_orm::{
    Condition, DbBackend, QueryResult, Value,
    sea_query::{
        CommonTableExpression, Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement,
        UnionType, WithClause, WithQuery,
    },
};
use std::collections::BTreeSet;

/// How many hits a page has when the query does not say.
const DEFAULT_PAGE: i32 = 20;

/// Where all words of a search were found, from the best place on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundIn {
    /// In the title.
    Title,
    /// In the title and the summary.
    Summary,
    /// In these and the transcript.
    Transcript,
}

/// What is searched for, and which page of the hits.
pub(crate) struct Search {
    pub(crate) sought: Sought,
    kinds: BTreeSet<Findable>,
    project: Option<Id>,
    limit: u64,
    after: Option<String>,
}

impl Search {
    /// Decides a search.
    ///
    /// # Errors
    /// When the query, the types or the size cannot be accepted.
    pub(crate) fn new(
        query: &str,
        kinds: Option<&[Findable]>,
        project: Option<Id>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Self> {
        let kinds = match kinds {
            Some([]) => {
                return Err(Error::bad_input(
                    "types",
                    "name at least one type, or leave it out to search all",
                ));
            }
            Some(kinds) => kinds.iter().copied().collect(),
            None => Findable::ALL.into(),
        };
        Ok(Self {
            sought: Sought::parse(query)?,
            kinds,
            project,
            limit: page_size("first", first.or(Some(DEFAULT_PAGE)))?,
            after,
        })
    }

    /// What ties a cursor to this search.
    fn name(&self, actor: &Actor) -> String {
        let (tenant, role) = (actor.tenant(), actor.role());
        let kinds: Vec<_> = self.kinds.iter().map(|kind| kind.name()).collect();
        let project = self.project.as_ref().map_or("", Id::as_str);
        format!(
            "{tenant}|{role:?}|search|{}|{project}|{}",
            kinds.join(","),
            self.sought.name()
        )
    }
}

/// A row that was found.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) kind: Findable,
    pub(crate) id: Id,
    pub(crate) found_in: FoundIn,
    pub(crate) title: String,
    pub(crate) project_id: Id,
    pub(crate) created_at: Timestamp,
    /// The text around the first match; missing when it was not asked for.
    pub(crate) window: Option<Window>,
    pub(crate) cursor: String,
}

/// A page of hits.
pub(crate) struct Hits {
    pub(crate) rows: Vec<Hit>,
    pub(crate) has_previous: bool,
    pub(crate) has_next: bool,
}

impl Scope {
    /// One page of what a search finds; `windows` asks for the text around each match.
    ///
    /// # Errors
    /// When the cursor belongs to another search, or the database fails.
    pub(crate) async fn search(&self, search: &Search, windows: bool) -> Result<Hits> {
        let view = self.view();
        let place = view.place();
        let seal = self.store().seal().of(&search.name(self.actor()));
        let after = search.after.as_deref();
        let after = after.map(|cursor| beyond(cursor, &seal)).transpose()?;
        let has_previous = after.is_some();
        let statement = statement(
            search,
            place,
            self.actor().tenant().as_str(),
            after,
            windows,
        )?;
        let rows = view.snapshot.all(&statement).await?;
        let has_next = rows.len() as u64 > search.limit;
        let rows = rows
            .iter()
            .take(usize::try_from(search.limit).unwrap_or(usize::MAX))
            .map(|row| hit(row, search, &seal, windows))
            .collect::<Result<_>>()?;
        Ok(Hits {
            rows,
            has_previous,
            has_next,
        })
    }
}

/// The hits after the one with this cursor.
fn beyond(cursor: &str, seal: &ListSeal) -> Result<Condition> {
    let items = seal.open(cursor, 3)?;
    let kinds = [Kind::Integer, Kind::Moment, Kind::Text];
    let mut values = kinds.into_iter().zip(&items);
    let mut next = || -> Result<Value> {
        let value = values.next().map(|(of, item)| from_json(of, item));
        value.transpose()?.flatten().ok_or(DAMAGED)
    };
    let (place, at, id) = (next()?, next()?, next()?);
    let column = |name: &'static str| Expr::col(("u", name));
    Ok(Condition::any().add(column("place").gt(place.clone())).add(
        Condition::all().add(column("place").eq(place)).add(
            Expr::tuple([column("createdAt"), column("id")])
                .lt(Expr::tuple([Expr::val(at), Expr::val(id)])),
        ),
    ))
}

/// `WITH found AS (words), page AS (rows, cut) SELECT …`: words are looked up once, rows are joined per table, and only
/// the page's texts are read.
fn statement(
    search: &Search,
    place: Place<'_>,
    tenant: &str,
    after: Option<Condition>,
    windows: bool,
) -> Result<WithQuery> {
    let mut with = WithClause::new();
    let found = matching::documents(&search.sought, tenant, place.backend());
    with.cte(table("found", found));
    with.cte(table("page", page(search, place, after)?));
    let mut out = Query::select();
    for column in ["kind", "id", "place", "title", "projectId", "createdAt"] {
        out.expr_as(Expr::col(("p", column)), column);
    }
    out.from_as("page", "p");
    if windows {
        with.cte(table(
            "texts",
            union(search.kinds.iter().flat_map(|kind| kind.texts(place))),
        ));
        with.cte(table("plain", matching::plain(place.backend())));
        with.cte(table(
            "spots",
            matching::spots(&search.sought, place.backend()),
        ));
        let same = |column: &'static str| Expr::col(("s", column)).eq(Expr::col(("p", column)));
        let start = Expr::col(("s", "start"));
        let window = [
            Expr::col(("s", "text")),
            start.clone(),
            Expr::val(snippet::LENGTH),
        ];
        out.expr_as(start, "start")
            .expr_as(Func::cust("substr").args(window), "window")
            .expr_as(Func::cust("length").arg(Expr::col(("s", "text"))), "length")
            .join_as(
                JoinType::LeftJoin,
                "spots",
                "s",
                Condition::all().add(same("kind")).add(same("id")),
            );
    }
    order(&mut out, "p");
    Ok(with.query(out))
}

/// The page's rows, and one more that tells whether there is another page.
fn page(search: &Search, place: Place<'_>, after: Option<Condition>) -> Result<SelectStatement> {
    let hits: Vec<_> = search
        .kinds
        .iter()
        .map(|kind| kind.hits(place, search.project.as_ref()))
        .collect::<Result<_>>()?;
    let mut page = Query::select();
    page.expr(Expr::cust("*"))
        .from_subquery(union(hits.into_iter()), "u");
    if let Some(after) = after {
        page.cond_where(after);
    }
    order(&mut page, "u");
    page.limit(search.limit + 1);
    Ok(page)
}

/// By where it was found, then newest first.
fn order(select: &mut SelectStatement, alias: &'static str) {
    select
        .order_by((alias, "place"), Order::Asc)
        .order_by((alias, "createdAt"), Order::Desc)
        .order_by((alias, "id"), Order::Desc);
}

/// A step of the statement, worked out once.
fn table(name: &'static str, select: SelectStatement) -> CommonTableExpression {
    let mut out = CommonTableExpression::new();
    out.table_name(name).query(select).materialized(true);
    out
}

fn union(mut parts: impl Iterator<Item = SelectStatement>) -> SelectStatement {
    let mut first = parts.next().unwrap_or_else(Query::select);
    first.unions(parts.map(|part| (UnionType::All, part)));
    first
}

fn hit(row: &QueryResult, search: &Search, seal: &ListSeal, windows: bool) -> Result<Hit> {
    let (place, title): (i32, String) = (row.try_get("", "place")?, row.try_get("", "title")?);
    let (id, created_at): (Id, Timestamp) = (row.try_get("", "id")?, row.try_get("", "createdAt")?);
    let kind: String = row.try_get("", "kind")?;
    let cursor = seal.close(vec![
        place.into(),
        to_json(&Value::from(created_at.inner())),
        id.as_str().into(),
    ]);
    let found_in = match place {
        1 => FoundIn::Title,
        2 => FoundIn::Summary,
        _ => FoundIn::Transcript,
    };
    let window = match (windows, found_in) {
        (false, _) => None,
        (true, FoundIn::Title) => Some(Window::around(&title, &search.sought)),
        (true, _) => Some(window(row)?),
    };
    Ok(Hit {
        kind: Findable::named(&kind).ok_or_else(|| Error::internal("a hit of no known kind"))?,
        id,
        found_in,
        title,
        project_id: row.try_get("", "projectId")?,
        created_at,
        window,
        cursor,
    })
}

/// What the database cut out of a summary or a transcript; nothing, should it be gone.
fn window(row: &QueryResult) -> Result<Window> {
    let number =
        |column| -> Result<i32> { Ok(row.try_get::<Option<i32>>("", column)?.unwrap_or_default()) };
    let (start, length) = (number("start")?, number("length")?);
    Ok(Window {
        text: row
            .try_get::<Option<String>>("", "window")?
            .unwrap_or_default(),
        is_cut_before: start > 1,
        is_cut_after: start - 1 + snippet::LENGTH < length,
    })
}

/// The functions that the databases call differently.
fn name_on(backend: DbBackend, sqlite: &'static str, postgres: &'static str) -> &'static str {
    match backend {
        DbBackend::Sqlite => sqlite,
        _ => postgres,
    }
}
