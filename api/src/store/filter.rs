//! What narrows a list.

use super::select::Place;
use crate::{
    domain::letters::spellings,
    error::{Error, Result},
};
use async_graphql::Value;
use entity::Column;
use sea_orm::{
    Condition, DbBackend,
    sea_query::{BinOper, Expr, ExprTrait, Func, LikeExpr},
};
use std::fmt::Write;

/// The longest text that is looked for within others, in characters. SQLite takes patterns of 50,000 bytes, and a letter
/// is some ten of them.
const LONGEST: u64 = 1_000;

/// A filter over a table's rows.
pub trait Filter: Send + Sync {
    /// The filter as it was given.
    fn given(&self) -> &Value;

    /// The filter as SQL, about the row at `place`.
    ///
    /// # Errors
    /// When a value cannot be compared, or relations are nested too deep.
    fn condition(&self, place: Place<'_>) -> Result<Condition>;
}

/// A filter input over one column's values.
pub trait Comparison: Send + Sync {
    /// The comparison as its type writes it.
    fn to_value(&self) -> Value;

    /// The comparison as SQL.
    ///
    /// # Errors
    /// When a value cannot be compared.
    fn condition(&self, column: Compared<'_>) -> Result<Condition>;
}

/// A column that is compared.
#[derive(Clone, Debug)]
pub struct Compared<'f> {
    /// The column.
    pub expr: Expr,
    /// The filter's field, for errors.
    pub field: &'f str,
    /// The database, where comparing differs.
    pub backend: DbBackend,
}

/// Where in a text another one is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Wherever it is.
    Anywhere,
    /// Where it begins.
    Beginning,
}

impl Compared<'_> {
    /// Whether the column has a text in it, in upper or lower case, whose comparison is called `name`.
    ///
    /// Neither database folds other letters than A to Z the way the other does. So the pattern names each letter's
    /// spellings, and the column is compared as it is.
    ///
    /// # Errors
    /// When the text is too long.
    pub fn has(self, name: &str, text: &str, at: At) -> Result<Expr> {
        let length = text.chars().count() as u64;
        if length > LONGEST {
            return Err(Error::bad_input(
                format!("{}.{name}", self.field),
                format!("cannot be longer than {LONGEST} characters"),
            ));
        }
        if text.is_ascii() {
            return Ok(self.has_ascii(text, at));
        }
        let (operator, pattern) = match self.backend {
            DbBackend::Sqlite => ("GLOB", glob(text, at)),
            _ => ("~", regular_expression(text, at)),
        };
        Ok(self
            .expr
            .binary(BinOper::Custom(operator), Expr::val(pattern)))
    }

    /// The quick way, where the letters A to Z are all that is to be folded.
    fn has_ascii(self, text: &str, at: At) -> Expr {
        let mut pattern = text.to_ascii_lowercase();
        for special in ["\\", "%", "_"] {
            pattern = pattern.replace(special, &format!("\\{special}"));
        }
        if at == At::Anywhere {
            pattern.insert(0, '%');
        }
        pattern.push('%');
        small(self.expr, self.backend).like(LikeExpr::new(pattern).escape('\\'))
    }
}

/// A text with its letters A to Z small, and all others as they are.
pub(super) fn small(text: Expr, backend: DbBackend) -> Expr {
    match backend {
        DbBackend::Sqlite => Func::lower(text).into(),
        _ => Expr::cust_with_expr(r#"lower($1 COLLATE "C")"#, text),
    }
}

fn glob(text: &str, at: At) -> String {
    let mut pattern = String::new();
    if at == At::Anywhere {
        pattern.push('*');
    }
    for character in text.chars() {
        let spellings = spellings(character);
        if spellings.len() > 1 || matches!(character, '*' | '?' | '[') {
            pattern.push('[');
            pattern.extend(spellings);
            pattern.push(']');
        } else {
            pattern.push(character);
        }
    }
    pattern.push('*');
    pattern
}

fn regular_expression(text: &str, at: At) -> String {
    let mut pattern = String::new();
    if at == At::Beginning {
        pattern.push('^');
    }
    for character in text.chars() {
        let spellings = spellings(character);
        if spellings.len() > 1 {
            pattern.push('[');
            pattern.extend(spellings);
            pattern.push(']');
        } else if character.is_alphanumeric() {
            pattern.push(character);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(pattern, "\\U{:08x}", u32::from(character));
        }
    }
    pattern
}

impl Place<'_> {
    /// A column of this row, to be compared.
    pub fn compared(self, column: &'static Column) -> Compared<'static> {
        Compared {
            expr: self.named(column.name),
            field: &column.field,
            backend: self.backend(),
        }
    }
}
