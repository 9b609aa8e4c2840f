//! How words are matched: in the index of each database, and for showing where, in the text itself.

use super::name_on;
use crate::domain::{
    snippet::LEAD,
    words::{Sought, Word},
};
use sea_orm::{
    DbBackend,
    sea_query::{
        Expr, ExprTrait, Func, Query, SelectStatement,
        extension::{postgres::PgExpr, sqlite::SqliteExpr},
    },
};

/// A place beyond every text's end.
const NOWHERE: i32 = 1_000_000_000;

/// The documents that have all words, and where: 1 in the title, 2 in title and summary, 3 in these and the transcript.
pub(super) fn documents(sought: &Sought, tenant: &str, backend: DbBackend) -> SelectStatement {
    let mut select = Query::select();
    for column in ["kind", "id"] {
        select.expr_as(Expr::col(("d", column)), column);
    }
    select.and_where(Expr::col(("d", "tenantId")).eq(tenant));
    match backend {
        DbBackend::Sqlite => {
            let words = fts5(sought);
            let owner = tenant.replace('"', "\"\"");
            let within = |columns: &str| {
                let query = format!("owner : \"{owner}\" AND {{{columns}}} : ({words})");
                SqliteExpr::matches(Expr::col("search_words"), Expr::val(query))
            };
            let among = |columns: &str| {
                let rows = Query::select()
                    .column("rowid")
                    .from("search_words")
                    .and_where(within(columns))
                    .take();
                Expr::col(("d", "number")).in_subquery(rows)
            };
            let place = Expr::case(among("title"), Expr::cust("1"))
                .case(among("title summary"), Expr::cust("2"))
                .finally(Expr::cust("3"));
            select
                .expr_as(place, "place")
                .from_as("search_documents", "d")
                .and_where(among("title summary transcript"));
        }
        _ => {
            let query = tsquery(sought, tenant);
            let has = |column: &'static str, query: &str| {
                PgExpr::matches(
                    Expr::col(("d", column)),
                    Expr::val(query).cast_as("tsquery"),
                )
            };
            let words = tsquery_words(sought);
            let place = Expr::case(has("titleWords", &words), Expr::cust("1"))
                .case(has("summaryWords", &words), Expr::cust("2"))
                .finally(Expr::cust("3"));
            select
                .expr_as(place, "place")
                .from_as("search_documents", "d")
                .and_where(has("words", &query));
        }
    }
    select
}

/// The words as FTS5 reads them. Each is quoted; it has no sign that could end the quotation.
fn fts5(sought: &Sought) -> String {
    let terms = sought.terms();
    let words = terms.iter().map(|term| {
        let star = if term.is_beginning { " *" } else { "" };
        format!("\"{}\"{star}", term.word)
    });
    words.collect::<Vec<_>>().join(" AND ")
}

/// The words as PostgreSQL reads them, quoted likewise.
fn tsquery_words(sought: &Sought) -> String {
    let terms = sought.terms();
    let words = terms.iter().map(|term| {
        let star = if term.is_beginning { ":*" } else { "" };
        format!("'{}'{star}", term.word)
    });
    words.collect::<Vec<_>>().join(" & ")
}

/// The same in the tenant's documents.
fn tsquery(sought: &Sought, tenant: &str) -> String {
    let tenant = tenant.replace('\\', "\\\\").replace('\'', "''");
    format!("':{tenant}' & {}", tsquery_words(sought))
}

/// The page's texts with A to Z made small and spaces in place of the usual signs, so that a word stands between spaces.
///
/// Only what is as long afterwards as before: a place in it is a place in the text.
pub(super) fn plain(backend: DbBackend) -> SelectStatement {
    let mut plain = match backend {
        DbBackend::Sqlite => "lower(\"text\")".to_owned(),
        _ => "lower(\"text\" COLLATE \"C\")".to_owned(),
    };
    for sign in ["\n", ".", ",", ":", "?", "-", "(", "\"", "''"] {
        plain = format!("replace({plain}, '{sign}', ' ')");
    }
    let mut select = Query::select();
    select
        .columns(["kind", "id", "text"])
        .expr_as(Expr::cust(format!("' ' || {plain} || ' '")), "plain")
        .from("texts");
    select
}

/// Where a window on each text begins: shortly before the first word that is sought, or the first place that looks like
/// one. At most some eight of the words are looked for.
pub(super) fn spots(sought: &Sought, backend: DbBackend) -> SelectStatement {
    let first_of = |needle: &dyn Fn(&Word, String) -> String| {
        let needles = sought.words().iter().rev().take(8).flat_map(|word| {
            let spellings = word.spellings().into_iter();
            spellings.map(move |spelling| needle(word, spelling))
        });
        let place = |needle: String| {
            let find = Func::cust(name_on(backend, "instr", "strpos"))
                .args([Expr::col("plain"), Expr::val(needle)]);
            let found = Func::cust("nullif").args([find.into(), Expr::cust("0")]);
            Expr::from(Func::coalesce([found.into(), Expr::val(NOWHERE)]))
        };
        let least = Func::cust(name_on(backend, "min", "least"))
            .args(std::iter::once(Expr::val(NOWHERE)).chain(needles.map(place)));
        Expr::from(Func::cust("nullif").args([least.into(), Expr::val(NOWHERE)]))
    };
    let whole = first_of(
        &|word, spelling| match (word.is_spaced(), word.is_beginning) {
            (false, _) => spelling,
            (true, true) => format!(" {spelling}"),
            (true, false) => format!(" {spelling} "),
        },
    );
    let any = first_of(&|_, spelling| spelling);
    let first = Func::coalesce([whole, any, Expr::cust("1")]);
    let start = Func::cust(name_on(backend, "max", "greatest"))
        .args([Expr::from(first).sub(LEAD), Expr::cust("1")]);
    let mut select = Query::select();
    select
        .columns(["kind", "id", "text"])
        .expr_as(start, "start")
        .from("plain");
    select
}
