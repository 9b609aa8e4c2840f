//! How a SELECT is written: always within the tenant, never with the large or secret columns.

use crate::error::{Error, Result};
use entity::{Owned, Ownership};
use sea_orm::{
    ColumnTrait, Condition, DbBackend, IdenStatic, Iterable, Value,
    sea_query::{
        ArrayType, Expr, ExprTrait, Func, IntoIden, Query, SelectStatement, SubQueryStatement,
        extension::postgres::PgFunc,
    },
};

const ALIASES: [&str; 6] = ["t0", "t1", "t2", "t3", "t4", "t5"];

/// Where in a statement a condition stands: whose rows, and under which table alias.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    tenant: &'a str,
    backend: DbBackend,
    depth: usize,
}

impl<'a> Place<'a> {
    pub(super) fn outermost(tenant: &'a str, backend: DbBackend) -> Self {
        Self {
            tenant,
            backend,
            depth: 0,
        }
    }

    pub(super) fn backend(self) -> DbBackend {
        self.backend
    }

    pub(super) fn alias(self) -> &'static str {
        ALIASES[self.depth]
    }

    /// A column of the row the condition is about.
    pub fn column(self, column: impl ColumnTrait) -> Expr {
        Expr::col((self.alias().into_iden(), column))
    }

    /// The tenant predicate every SELECT and every EXISTS begins with.
    pub(super) fn visible<E: Owned>(self) -> Condition {
        let tenant = self.column(E::TENANT);
        match E::OWNERSHIP {
            Ownership::Tenant => Condition::all().add(tenant.eq(self.tenant)),
            Ownership::TenantOrGlobal => Condition::any()
                .add(tenant.clone().eq(self.tenant))
                .add(tenant.is_null()),
        }
    }

    /// "There is a row of `E` whose `theirs` is this row's `ours` and that satisfies `condition`", within the tenant.
    ///
    /// # Errors
    /// When relation filters are nested more than five deep, or `condition` fails.
    pub fn exists<E: Owned>(
        self,
        theirs: E::Column,
        ours: impl ColumnTrait,
        condition: impl FnOnce(Place<'a>) -> Result<Condition>,
    ) -> Result<Expr> {
        let inner = self.below()?;
        let select = Query::select()
            .expr(Expr::val(1))
            .from_as(E::default(), inner.alias())
            .cond_where(inner.visible::<E>())
            .and_where(inner.column(theirs).eq(self.column(ours)))
            .cond_where(condition(inner)?)
            .take();
        Ok(Expr::exists(select))
    }

    /// "This column of the row of `E` whose `theirs` is this row's `ours`", within the tenant; NULL when there is none.
    ///
    /// # Errors
    /// When it stands more than five deep.
    pub(super) fn value_of<E: Owned>(
        self,
        column: E::Column,
        theirs: E::Column,
        ours: impl ColumnTrait,
    ) -> Result<Expr> {
        let inner = self.below()?;
        let mut select = bare::<E>(inner);
        select
            .expr(inner.column(column))
            .and_where(inner.column(theirs).eq(self.column(ours)));
        Ok(SubQueryStatement::SelectStatement(select).into())
    }

    /// The place of a SELECT inside this one.
    fn below(self) -> Result<Self> {
        let depth = self.depth + 1;
        if depth == ALIASES.len() {
            let limit = ALIASES.len() as u64 - 1;
            return Err(Error::LimitExceeded {
                name: "Nesting of relation filters",
                limit,
                actual: limit + 1,
            });
        }
        Ok(Self { depth, ..self })
    }
}

/// The columns an ordinary read names.
pub(super) fn ordinary<E: Owned>() -> impl Iterator<Item = E::Column> {
    let left_out = |column: &E::Column| {
        E::LARGE
            .iter()
            .chain(E::SECRET)
            .any(|deferred| deferred.as_str() == column.as_str())
    };
    E::Column::iter().filter(move |column| !left_out(column))
}

/// `SELECT <ordinary columns> FROM E AS t0 WHERE <tenant>`.
pub(super) fn select<E: Owned>(place: Place<'_>) -> SelectStatement {
    let mut select = bare::<E>(place);
    select.exprs(ordinary::<E>().map(|column| place.column(column)));
    select
}

/// `SELECT FROM E AS t0 WHERE <tenant>`, with nothing selected yet.
pub(super) fn bare<E: Owned>(place: Place<'_>) -> SelectStatement {
    Query::select()
        .from_as(E::default(), place.alias())
        .cond_where(place.visible::<E>())
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
pub(super) fn text_array<'k>(keys: impl Iterator<Item = &'k str>) -> Expr {
    let values: Vec<Value> = keys.map(Value::from).collect();
    Expr::val(Value::Array(ArrayType::String, Some(Box::new(values))))
}

/// A JSON array of texts as one text bind, for SQLite's `json_each`.
pub(super) fn json_list<'k>(keys: impl Iterator<Item = &'k str>) -> Expr {
    Expr::val(serde_json::Value::from_iter(keys).to_string())
}
