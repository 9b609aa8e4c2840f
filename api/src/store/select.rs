//! How a SELECT is written: always within the tenant, never with the large or secret columns.

use super::{filter::small, row::Columns};
use crate::{
    auth::{Actor, Rows, rows},
    error::{Error, Result},
};
use entity::{Column, Id, Owned, Ownership, Reading, Shape, Table, audit_log};
use sea_orm::{
    ColumnTrait, Condition, DbBackend, Iterable, Value,
    sea_query::{
        ArrayType, CaseStatement, Expr, ExprTrait, Func, IntoIden, LockType, Query,
        SelectStatement, SubQueryStatement, extension::postgres::PgFunc,
    },
};

const ALIASES: [&str; 6] = ["t0", "t1", "t2", "t3", "t4", "t5"];

/// Where in a statement a condition stands: who asks, and under which table alias.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    actor: &'a Actor,
    backend: DbBackend,
    depth: usize,
}

impl<'a> Place<'a> {
    pub(super) fn outermost(actor: &'a Actor, backend: DbBackend) -> Self {
        Self {
            actor,
            backend,
            depth: 0,
        }
    }

    pub(super) fn backend(self) -> DbBackend {
        self.backend
    }

    /// Locks the rows until the transaction ends. On SQLite there is one writer at a time anyway.
    pub(super) fn lock(self, select: &mut SelectStatement, how: LockType) {
        if self.backend == DbBackend::Postgres {
            select.lock(how);
        }
    }

    pub(super) fn alias(self) -> &'static str {
        ALIASES[self.depth]
    }

    /// A column of the row the condition is about.
    pub fn column(self, column: impl ColumnTrait) -> Expr {
        self.named(column.as_str())
    }

    /// "A column of the row the condition is about has this text", whose letters A to Z count alike large and small.
    pub(crate) fn reads(self, column: impl ColumnTrait, text: &str) -> Expr {
        small(self.column(column), self.backend).eq(text.to_ascii_lowercase())
    }

    /// "A column of the row the condition is about is one of these", in one bind however many they are.
    pub fn is_any_of(self, column: impl ColumnTrait, keys: &[&str]) -> Expr {
        is_any_of(self.column(column), keys.iter().copied(), self.backend)
    }

    /// The column with this name of the row the condition is about.
    pub(super) fn named(self, column: &'static str) -> Expr {
        Expr::col((self.alias().into_iden(), column))
    }

    /// The predicate every SELECT and every EXISTS begins with: the rows of the tenant that the actor sees.
    fn visible(self, shape: &'static Shape) -> Condition {
        let tenant = self.of_tenant(shape);
        match rows(self.actor, shape.table) {
            Ok(Rows::All) => tenant,
            Ok(Rows::OfTarget) => tenant.add(self.target_is_seen()),
            Ok(rows) => {
                let own = |column: Option<&'static Column>| Some(self.named(column?.name));
                tenant.add(self.held(
                    rows,
                    Holders {
                        user: own(shape.user()),
                        agent: own(shape.agent()),
                        project: own(shape.column("projectId")),
                    },
                ))
            }
            Err(_) => tenant.add(never()),
        }
    }

    /// "The actor sees what this entry of the ledger is about": each kind of target by the rule of its own table. What is
    /// of no known kind nobody sees.
    ///
    /// A CASE, so that neither database tries to find entries by their kind: nearly all of them pass, and it is their
    /// order that an index gives.
    fn target_is_seen(self) -> Expr {
        let mut kinds: Vec<(Rows, Vec<&str>)> = Vec::new();
        for table in Table::ALL {
            let Ok(rows) = rows(self.actor, *table) else {
                continue;
            };
            match kinds.iter_mut().find(|(of, _)| *of == rows) {
                Some((_, names)) => names.push(table.name()),
                None => kinds.push((rows, vec![table.name()])),
            }
        }
        let mut case = CaseStatement::new();
        for (rows, names) in kinds {
            let kind = self.column(audit_log::Column::TargetType);
            let whose = Holders {
                user: Some(self.column(audit_log::Column::TargetUserId)),
                agent: None,
                project: Some(self.column(audit_log::Column::ProjectId)),
            };
            case = case.case(
                is_any_of(kind, names.into_iter(), self.backend),
                self.held(rows, whose),
            );
        }
        case.finally(never()).into()
    }

    /// [`Rows::hold`] in SQL.
    fn held(self, rows: Rows, whose: Holders) -> Expr {
        let is = |holder: Option<Expr>, id: Option<&Id>| match (holder, id) {
            (Some(holder), Some(id)) => holder.eq(id.as_str()),
            _ => never(),
        };
        match rows {
            Rows::All => Expr::cust("1 = 1"),
            Rows::OfUser => is(whose.user, self.actor.user_id()),
            Rows::OfUserOrAll => match whose.user.clone() {
                Some(user) => user.is_null().or(is(whose.user, self.actor.user_id())),
                None => never(),
            },
            Rows::OfAgent => is(whose.agent, self.actor.agent_token_id()),
            Rows::OfProjects => whose.project.map_or_else(never, ExprTrait::is_not_null),
            Rows::OfTarget => never(),
        }
    }

    /// The rows of the tenant, whoever asks.
    fn of_tenant(self, shape: &'static Shape) -> Condition {
        let column = self.named(shape.tenant().name);
        let tenant = self.actor.tenant().as_str();
        Condition::all().add(match shape.ownership {
            Ownership::Tenant => Condition::all().add(column.eq(tenant)),
            Ownership::TenantOrGlobal => Condition::any()
                .add(column.clone().eq(tenant))
                .add(column.is_null()),
        })
    }

    /// "There is a row whose `theirs` is this row's `ours` and that satisfies `condition`", within the tenant.
    ///
    /// # Errors
    /// When relation filters are nested more than five deep, or `condition` fails.
    pub fn exists(
        self,
        theirs: &'static Column,
        ours: &'static Column,
        condition: impl FnOnce(Place<'a>) -> Result<Condition>,
    ) -> Result<Expr> {
        let (_, mut select) = self.related(theirs, ours, condition)?;
        Ok(Expr::exists(select.expr(Expr::val(1)).take()))
    }

    /// "This column of the row that this row's `ours` points to", within the tenant; NULL when there is none.
    ///
    /// # Errors
    /// When it stands more than five deep.
    pub(super) fn value_of(self, column: &'static Column, ours: &'static Column) -> Result<Expr> {
        let any = |_| Ok(Condition::all());
        let (inner, mut select) = self.related(column.shape().id(), ours, any)?;
        select.expr(inner.named(column.name));
        Ok(SubQueryStatement::SelectStatement(select).into())
    }

    /// The rows of [`exists`](Self::exists) as a subquery that selects nothing yet, and their place.
    pub(super) fn related(
        self,
        theirs: &'static Column,
        ours: &'static Column,
        condition: impl FnOnce(Place<'a>) -> Result<Condition>,
    ) -> Result<(Place<'a>, SelectStatement)> {
        let depth = self.depth + 1;
        if depth == ALIASES.len() {
            let limit = ALIASES.len() as u64 - 1;
            return Err(Error::LimitExceeded {
                name: "The nesting of relation filters",
                limit,
                actual: limit + 1,
            });
        }
        let inner = Place { depth, ..self };
        let mut select = of(theirs.shape(), inner);
        select
            .and_where(inner.named(theirs.name).eq(self.named(ours.name)))
            .cond_where(condition(inner)?);
        Ok((inner, select))
    }
}

/// The columns that say whose a row is; see [`auth::Whose`](crate::auth::Whose).
struct Holders {
    user: Option<Expr>,
    agent: Option<Expr>,
    project: Option<Expr>,
}

fn never() -> Expr {
    Expr::cust("1 = 0")
}

/// The columns an ordinary read names.
pub(super) fn ordinary<E: Owned>() -> impl Iterator<Item = E::Column> {
    let columns = E::Column::iter().zip(&E::shape().columns);
    columns.filter_map(|(column, data)| (data.reading == Reading::Ordinary).then_some(column))
}

/// `SELECT <ordinary columns> FROM E AS t0 WHERE <tenant>`.
pub(super) fn select<E: Owned>(place: Place<'_>) -> SelectStatement {
    read(&Columns::ordinary(E::shape()), &[], place)
}

/// `SELECT <columns> FROM <table> AS t0 WHERE <tenant>`, with some of the large columns behind them.
pub(super) fn read(
    columns: &Columns,
    large: &[&'static Column],
    place: Place<'_>,
) -> SelectStatement {
    let mut select = of(columns.shape(), place);
    let named = |column: &&'static Column| place.named(column.name);
    select.exprs(columns.read().iter().chain(large).map(named));
    select
}

/// `SELECT FROM E AS t0 WHERE <tenant>`, with nothing selected yet.
pub(super) fn bare<E: Owned>(place: Place<'_>) -> SelectStatement {
    of(E::shape(), place)
}

/// The same of a table that is named as data.
pub(super) fn of(shape: &'static Shape, place: Place<'_>) -> SelectStatement {
    Query::select()
        .from_as(shape.name, place.alias())
        .cond_where(place.visible(shape))
        .take()
}

/// "This expression is one of these texts", with one bind however many there are, so that the statement stays prepared.
pub(super) fn is_any_of<'k>(
    expr: Expr,
    keys: impl Iterator<Item = &'k str>,
    backend: DbBackend,
) -> Expr {
    match backend {
        DbBackend::Sqlite => {
            let select = Query::select()
                .column("value")
                .from_function(Func::cust("json_each").arg(json_list(keys)), "k")
                .take();
            expr.in_subquery(select)
        }
        _ => expr.eq(PgFunc::any(text_array(keys))),
    }
}

/// A PostgreSQL text array as one bind.
pub(super) fn text_array<'k>(keys: impl Iterator<Item = &'k str>) -> Value {
    let values: Vec<Value> = keys.map(Value::from).collect();
    Value::Array(ArrayType::String, Some(Box::new(values)))
}

/// A JSON array of texts as one text bind, for SQLite's `json_each`.
pub(super) fn json_list<'k>(keys: impl Iterator<Item = &'k str>) -> Value {
    serde_json::Value::from_iter(keys).to_string().into()
}
