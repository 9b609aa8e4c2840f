//! What a filter can say about one column.

use crate::{
    error::{Error, Result},
    store::{Compared, Comparison},
};
use async_graphql::{InputObject, InputType, MaybeUndefined, TypeName};
use entity::{BigInt, Id, Timestamp};
use sea_orm::{
    ActiveEnum, Condition, DbBackend, Value,
    sea_query::{Expr, ExprTrait, Func, LikeExpr},
};
use std::borrow::Cow;

/// Builds a condition out of the comparisons that were given.
struct Given<'f> {
    column: Compared<'f>,
    all: Condition,
}

impl<'f> Given<'f> {
    fn new(column: Compared<'f>) -> Self {
        Self {
            column,
            all: Condition::all(),
        }
    }

    /// A null given by accident (an unset variable) must not widen the list to everything.
    fn value<T: Clone>(&self, name: &str, value: &MaybeUndefined<T>) -> Result<Option<T>> {
        match value {
            MaybeUndefined::Undefined => Ok(None),
            MaybeUndefined::Value(value) => Ok(Some(value.clone())),
            MaybeUndefined::Null => {
                let field = format!("{}.{name}", self.column.field);
                Err(Error::bad_input(
                    field,
                    "cannot be null; leave it out, or use `isNull: true`",
                ))
            }
        }
    }

    fn and<T: Clone>(
        mut self,
        name: &str,
        value: &MaybeUndefined<T>,
        compare: impl FnOnce(Expr, T) -> Expr,
    ) -> Result<Self> {
        if let Some(value) = self.value(name, value)? {
            self.all = self.all.add(compare(self.column.expr.clone(), value));
        }
        Ok(self)
    }

    /// Equality, lists and null: what every column can be asked.
    fn equality<T: Clone + Into<Value>>(
        self,
        [eq, ne]: [&MaybeUndefined<T>; 2],
        [within, without]: [&MaybeUndefined<Vec<T>>; 2],
        is_null: &MaybeUndefined<bool>,
    ) -> Result<Self> {
        self.and("eq", eq, |column, value| column.eq(value))?
            // "Not this value" is true of a missing value, unlike SQL's `<>`.
            .and("ne", ne, |column, value| {
                column.clone().ne(value).or(column.is_null())
            })?
            .and("in", within, |column, values| column.is_in(values))?
            .and("nin", without, |column, values| {
                column.clone().is_not_in(values).or(column.is_null())
            })?
            .and("isNull", is_null, |column, yes| {
                if yes {
                    column.is_null()
                } else {
                    column.is_not_null()
                }
            })
    }

    fn range<T: Clone + Into<Value>>(
        self,
        [lt, lte, gt, gte]: [&MaybeUndefined<T>; 4],
    ) -> Result<Self> {
        self.and("lt", lt, |column, value| column.lt(value))?
            .and("lte", lte, |column, value| column.lte(value))?
            .and("gt", gt, |column, value| column.gt(value))?
            .and("gte", gte, |column, value| column.gte(value))
    }

    /// Both databases fold the letters A to Z and no others, so that both find the same rows.
    fn like(
        self,
        name: &str,
        text: &MaybeUndefined<String>,
        pattern: impl FnOnce(String) -> String,
    ) -> Result<Self> {
        let backend = self.column.backend;
        self.and(name, text, |column, text| {
            let escaped = text
                .to_ascii_lowercase()
                .replace('\\', "\\\\")
                .replace('%', "\\%")
                .replace('_', "\\_");
            let column = match backend {
                DbBackend::Postgres => Expr::cust_with_expr(r#"lower($1 COLLATE "C")"#, column),
                _ => Func::lower(column).into(),
            };
            column.like(LikeExpr::new(pattern(escaped)).escape('\\'))
        })
    }
}

macro_rules! comparison {
    ($(#[$doc:meta])* $name:ident of $value:ty) => {
        comparison! { @define $(#[$doc])* $name of $value, (given, _filter), {}, Ok(given) }
    };
    ($(#[$doc:meta])* $name:ident of ordered $value:ty) => {
        comparison! {
            @define $(#[$doc])* $name of $value, (given, filter),
            {
                /// Is less, or earlier.
                lt: MaybeUndefined<$value>,
                /// Is at most this.
                lte: MaybeUndefined<$value>,
                /// Is more, or later.
                gt: MaybeUndefined<$value>,
                /// Is at least this.
                gte: MaybeUndefined<$value>,
            },
            given.range([&filter.lt, &filter.lte, &filter.gt, &filter.gte])
        }
    };
    ($(#[$doc:meta])* $name:ident of text $value:ty) => {
        comparison! {
            @define $(#[$doc])* $name of $value, (given, filter),
            {
                /// Has this text in it, in upper or lower case.
                contains: MaybeUndefined<String>,
                /// Begins with this text, in upper or lower case.
                starts_with: MaybeUndefined<String>,
            },
            given.like("contains", &filter.contains, |text| format!("%{text}%"))?
                .like("startsWith", &filter.starts_with, |text| format!("{text}%"))
        }
    };
    (
        @define $(#[$doc:meta])* $name:ident of $value:ty, ($given:ident, $filter:ident),
        { $($(#[$field_doc:meta])* $field:ident: $field_type:ty,)* }, $more:expr
    ) => {
        $(#[$doc])*
        #[derive(InputObject, Clone, Debug, Default)]
        pub struct $name {
            /// Is this value.
            eq: MaybeUndefined<$value>,
            /// Is not this value, or has none.
            ne: MaybeUndefined<$value>,
            /// Is one of these values; at most 200.
            #[graphql(name = "in", validator(max_items = 200))]
            within: MaybeUndefined<Vec<$value>>,
            /// Is none of these values, or has none; at most 200.
            #[graphql(name = "nin", validator(max_items = 200))]
            without: MaybeUndefined<Vec<$value>>,
            /// Has no value (true) or has one (false).
            is_null: MaybeUndefined<bool>,
            $($(#[$field_doc])* $field: $field_type,)*
        }

        impl Comparison for $name {
            fn condition(&self, column: Compared<'_>) -> Result<Condition> {
                let $filter = self;
                let $given = Given::new(column).equality(
                    [&self.eq, &self.ne],
                    [&self.within, &self.without],
                    &self.is_null,
                )?;
                let given: Result<Given<'_>> = $more;
                Ok(given?.all)
            }
        }
    };
}

comparison! {
    /// What an id must be. All that is given must hold.
    IdFilter of Id
}
comparison! {
    /// What a text must be. All that is given must hold.
    StringFilter of text String
}
comparison! {
    /// What a yes-or-no must be. All that is given must hold.
    BooleanFilter of bool
}
comparison! {
    /// What a whole number must be. All that is given must hold.
    IntFilter of ordered i32
}
comparison! {
    /// What a 64-bit number must be. All that is given must hold.
    BigIntFilter of ordered BigInt
}
comparison! {
    /// What a number must be. All that is given must hold.
    FloatFilter of ordered f64
}
comparison! {
    /// What a moment must be. All that is given must hold.
    DateTimeFilter of ordered Timestamp
}

impl DateTimeFilter {
    /// Is there none.
    pub(super) fn none() -> Self {
        Self {
            is_null: MaybeUndefined::Value(true),
            ..Self::default()
        }
    }
}

/// What a status or kind must be. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
#[graphql(name_type)]
pub struct EnumFilter<T: InputType> {
    /// Is this value.
    eq: MaybeUndefined<T>,
    /// Is not this value, or has none.
    ne: MaybeUndefined<T>,
    /// Is one of these values.
    #[graphql(name = "in")]
    within: MaybeUndefined<Vec<T>>,
    /// Is none of these values, or has none.
    #[graphql(name = "nin")]
    without: MaybeUndefined<Vec<T>>,
    /// Has no value (true) or has one (false).
    is_null: MaybeUndefined<bool>,
}

impl<T: InputType> TypeName for EnumFilter<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Filter", T::type_name()).into()
    }
}

impl<T: InputType + Default> EnumFilter<T> {
    /// Is this value.
    pub(super) fn is(value: T) -> Self {
        Self {
            eq: MaybeUndefined::Value(value),
            ..Self::default()
        }
    }
}

impl<T: InputType + Clone + ActiveEnum<Value = String>> Comparison for EnumFilter<T> {
    fn condition(&self, column: Compared<'_>) -> Result<Condition> {
        let word = |value: &MaybeUndefined<T>| value.clone().map_value(ActiveEnum::into_value);
        let words = |values: &MaybeUndefined<Vec<T>>| {
            values.clone().map_value(|words| {
                words
                    .into_iter()
                    .map(ActiveEnum::into_value)
                    .collect::<Vec<_>>()
            })
        };
        let given = Given::new(column).equality(
            [&word(&self.eq), &word(&self.ne)],
            [&words(&self.within), &words(&self.without)],
            &self.is_null,
        )?;
        Ok(given.all)
    }
}
