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
    match backend {
        DbBackend::Postgres => Func::cust("jsonb_array_length")
            .arg(list(column, key, backend))
            .into(),
        _ => {
            let length = Func::cust("json_array_length");
            let length = length.arg(column.clone()).arg(path(key));
            Func::coalesce([if_json(column, length.into()), Expr::cust("0")]).into()
        }
    }
}

/// The text under `key` of an object: `absent` when the object has no such key, NULL when it is no text.
pub(super) fn text(column: Expr, key: &str, absent: &str, backend: DbBackend) -> Expr {
    let (whole, kind, text) = match backend {
        DbBackend::Postgres => {
            let field = column.clone().get_json_field(key);
            (
                Func::cust("jsonb_typeof").arg(column.clone()),
                Func::cust("jsonb_typeof").arg(field),
                column.clone().cast_json_field(key),
            )
        }
        _ => {
            let text = Func::cust("json_extract").arg(column.clone());
            (
                Func::cust("json_type").arg(column.clone()),
                Func::cust("json_type").arg(column.clone()).arg(path(key)),
                text.arg(path(key)).into(),
            )
        }
    };
    let kind = Expr::from(kind);
    let has_no_key = kind.clone().is_null().and(Expr::from(whole).eq("object"));
    let found = CaseStatement::new()
        .case(kind.eq(text_kind(backend)), text)
        .case(has_no_key, absent)
        .into();
    match backend {
        DbBackend::Postgres => found,
        _ => if_json(column, found),
    }
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
    let is_list = |kind: FunctionCall| Expr::from(kind).eq("array");
    match backend {
        DbBackend::Postgres => {
            let field = column.get_json_field(key);
            CaseStatement::new()
                .case(
                    is_list(Func::cust("jsonb_typeof").arg(field.clone())),
                    field,
                )
                .finally(Expr::cust("'[]'::jsonb"))
                .into()
        }
        _ => {
            let kind = Func::cust("json_type").arg(column.clone()).arg(path(key));
            let list = Func::cust("json_extract").arg(column.clone());
            let found = CaseStatement::new()
                .case(is_list(kind), list.arg(path(key)))
                .into();
            Func::coalesce([if_json(column, found), Expr::cust("'[]'")]).into()
        }
    }
}

/// What SQLite finds in a column; NULL when its text is no JSON, which would fail the statement.
fn if_json(column: Expr, found: Expr) -> Expr {
    let is_json = Func::cust("json_valid").arg(column);
    CaseStatement::new()
        .case(Expr::from(is_json).eq(1), found)
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
