//! What a filter can say about one column.

use super::constraints::size;
use crate::{
    error::Result,
    store::{At, Compared, Comparison},
};
use async_graphql::{InputObject, InputType, TypeName};
use entity::{BigInt, Id, Timestamp};
use sea_orm::{
    ActiveEnum, Condition, Value,
    sea_query::{Expr, ExprTrait},
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

    fn and<T: Clone>(mut self, value: &Option<T>, compare: impl FnOnce(Expr, T) -> Expr) -> Self {
        if let Some(value) = value.clone() {
            self.all = self.all.add(compare(self.column.expr.clone(), value));
        }
        self
    }

    /// Equality, lists and null: what every column can be asked.
    fn equality<T: Clone + Into<Value>>(
        self,
        [eq, ne]: [&Option<T>; 2],
        [within, without]: [&Option<Vec<T>>; 2],
        is_null: Option<bool>,
    ) -> Self {
        self.and(eq, |column, value| column.eq(value))
            // "Not this value" is true of a missing value, unlike SQL's `<>`.
            .and(ne, |column, value| {
                column.clone().ne(value).or(column.is_null())
            })
            .and(within, |column, values| column.is_in(values))
            .and(without, |column, values| {
                column.clone().is_not_in(values).or(column.is_null())
            })
            .and(&is_null, |column, yes| {
                if yes {
                    column.is_null()
                } else {
                    column.is_not_null()
                }
            })
    }

    fn range<T: Clone + Into<Value>>(self, [lt, lte, gt, gte]: [&Option<T>; 4]) -> Self {
        self.and(lt, |column, value| column.lt(value))
            .and(lte, |column, value| column.lte(value))
            .and(gt, |column, value| column.gt(value))
            .and(gte, |column, value| column.gte(value))
    }

    /// A text within the column's, wherever it is or at the beginning, in upper or lower case.
    fn like(mut self, name: &str, text: &Option<String>, at: At) -> Result<Self> {
        if let Some(text) = text {
            let condition = self.column.clone().has(name, text, at)?;
            self.all = self.all.add(condition);
        }
        Ok(self)
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
                lt: Option<$value>,
                /// Is at most this.
                lte: Option<$value>,
                /// Is more, or later.
                gt: Option<$value>,
                /// Is at least this.
                gte: Option<$value>,
            },
            Ok(given.range([&filter.lt, &filter.lte, &filter.gt, &filter.gte]))
        }
    };
    ($(#[$doc:meta])* $name:ident of text $value:ty) => {
        comparison! {
            @define $(#[$doc])* $name of $value, (given, filter),
            {
                /// Has this text in it; at most 1,000 characters. Capitals do not matter, in any script, letter by letter:
                /// `ß` is not `ss`. Accents and all other signs do, and a letter with its accent as one character is not
                /// the letter with the accent after it; `search` knows them as the same.
                contains: Option<String>,
                /// Begins with this text, compared like `contains`.
                starts_with: Option<String>,
            },
            given.like("contains", &filter.contains, At::Anywhere)?
                .like("startsWith", &filter.starts_with, At::Beginning)
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
            eq: Option<$value>,
            /// Is not this value, or has none.
            ne: Option<$value>,
            /// Is one of these values; at most 200. An empty list holds for no row.
            #[graphql(name = "in", directive = size::apply(0, 200))]
            within: Option<Vec<$value>>,
            /// Is none of these values, or has none; at most 200. An empty list holds for every row.
            #[graphql(name = "nin", directive = size::apply(0, 200))]
            without: Option<Vec<$value>>,
            /// Has no value (true) or has one (false).
            is_null: Option<bool>,
            $($(#[$field_doc])* $field: $field_type,)*
        }

        impl Comparison for $name {
            fn condition(&self, column: Compared<'_>) -> Result<Condition> {
                let $filter = self;
                let $given = Given::new(column).equality(
                    [&self.eq, &self.ne],
                    [&self.within, &self.without],
                    self.is_null,
                );
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
            is_null: Some(true),
            ..Self::default()
        }
    }
}

/// What a status or kind must be. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
#[graphql(name_type)]
pub struct EnumFilter<T: InputType> {
    /// Is this value.
    eq: Option<T>,
    /// Is not this value, or has none.
    ne: Option<T>,
    /// Is one of these values; at most 200. An empty list holds for no row.
    #[graphql(name = "in", directive = size::apply(0, 200))]
    within: Option<Vec<T>>,
    /// Is none of these values, or has none; at most 200. An empty list holds for every row.
    #[graphql(name = "nin", directive = size::apply(0, 200))]
    without: Option<Vec<T>>,
    /// Has no value (true) or has one (false).
    is_null: Option<bool>,
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
            eq: Some(value),
            ..Self::default()
        }
    }
}

impl<T: InputType + Clone + ActiveEnum<Value = String>> Comparison for EnumFilter<T> {
    fn condition(&self, column: Compared<'_>) -> Result<Condition> {
        let word = |value: &Option<T>| value.clone().map(ActiveEnum::into_value);
        let words = |values: &Option<Vec<T>>| {
            let words = values.iter().flatten().cloned();
            let words = words.map(ActiveEnum::into_value).collect::<Vec<_>>();
            values.is_some().then_some(words)
        };
        let given = Given::new(column).equality(
            [&word(&self.eq), &word(&self.ne)],
            [&words(&self.within), &words(&self.without)],
            self.is_null,
        );
        Ok(given.all)
    }
}
