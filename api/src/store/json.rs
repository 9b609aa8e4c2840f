//! What figures ask of JSON columns, in each database's own words.
//!
//! A column may hold any shape, or nothing: what is asked for and not there, or not of that kind, is left out, and never
//! fails the statement.

use sea_orm::{
    DbBackend,
    sea_query::{CaseStatement, Expr, ExprTrait, Func, FunctionCall, extension::postgres::PgExpr},
};

/// What [`elements`] calls an element.
pub(super) const ELEMENT: &str = "element";

/// How many elements the list under `key` has; 0 when there is no list.
pub(super) fn length(column: Expr, key: &str, backend: DbBackend) -> Expr {
    let function = match backend {
        DbBackend::Postgres => "jsonb_array_length",
        _ => "json_array_length",
    };
    Func::cust(function).arg(list(column, key, backend)).into()
}

/// The text under `key` of an object: `absent` when the object has no such key, NULL when it is no text.
pub(super) fn text(column: Expr, key: &str, absent: &str, backend: DbBackend) -> Expr {
    let (kind, text) = match backend {
        DbBackend::Postgres => (
            Func::cust("jsonb_typeof").arg(column.clone().get_json_field(key)),
            column.clone().cast_json_field(key),
        ),
        _ => {
            let json = valid(column.clone());
            (
                Func::cust("json_type").arg(json.clone()).arg(path(key)),
                Func::cust("json_extract").arg(json).arg(path(key)).into(),
            )
        }
    };
    let kind = Expr::from(kind);
    CaseStatement::new()
        .case(kind.clone().eq(text_kind(backend)), text)
        .case(
            kind.is_null().and(whole_kind(column, backend).eq("object")),
            absent,
        )
        .into()
}

/// The elements of the list under `key` as a table, whether one is a text, and that text.
pub(super) fn elements(column: Expr, key: &str, backend: DbBackend) -> (FunctionCall, Expr, Expr) {
    let value = Expr::col((ELEMENT, "value"));
    let list = list(column, key, backend);
    match backend {
        DbBackend::Postgres => (
            Func::cust("jsonb_array_elements").arg(list),
            Expr::from(Func::cust("jsonb_typeof").arg(value.clone())).eq(text_kind(backend)),
            // Sorted by code point, as the columns are.
            Expr::cust_with_expr(r#"($1 #>> '{}') COLLATE "C""#, value),
        ),
        _ => (
            Func::cust("json_each").arg(list),
            Expr::col((ELEMENT, "type")).eq(text_kind(backend)),
            value,
        ),
    }
}

/// The list under `key`; an empty one when there is none.
fn list(column: Expr, key: &str, backend: DbBackend) -> Expr {
    let (kind, list, empty) = match backend {
        DbBackend::Postgres => {
            let field = column.get_json_field(key);
            let kind = Func::cust("jsonb_typeof").arg(field.clone());
            (kind, field, "'[]'::jsonb")
        }
        _ => {
            let json = valid(column);
            (
                Func::cust("json_type").arg(json.clone()).arg(path(key)),
                Func::cust("json_extract").arg(json).arg(path(key)).into(),
                "'[]'",
            )
        }
    };
    CaseStatement::new()
        .case(Expr::from(kind).eq("array"), list)
        .finally(Expr::cust(empty))
        .into()
}

fn whole_kind(column: Expr, backend: DbBackend) -> Expr {
    match backend {
        DbBackend::Postgres => Func::cust("jsonb_typeof").arg(column).into(),
        _ => Func::cust("json_type").arg(valid(column)).into(),
    }
}

/// SQLite keeps JSON as text, which need not be JSON.
fn valid(column: Expr) -> Expr {
    CaseStatement::new()
        .case(
            Expr::from(Func::cust("json_valid").arg(column.clone())).eq(1),
            column,
        )
        .into()
}

fn path(key: &str) -> String {
    format!("$.{key}")
}

fn text_kind(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "string",
        _ => "text",
    }
}
