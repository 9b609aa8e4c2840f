//! What a filter can say about one column.

use super::constraints::size;
use crate::{
    error::Result,
    store::{At, Compared, Comparison},
};
use async_graphql::{
    InputObject, InputType, InputValueError, InputValueResult, Name, Value as Given,
    registry::{InputObjectBuilder, MetaType, Registry},
};
use entity::{BigInt, Id, Timestamp};
use sea_orm::{
    Condition, Value,
    sea_query::{Expr, ExprTrait},
};
use std::{borrow::Cow, marker::PhantomData};

/// What a filter can say about a column, as data.
pub(crate) struct ComparisonType {
    /// Registers the input, and says what it is called where it may be left out.
    pub(super) register: fn(&mut Registry) -> String,
    /// Reads what was given; nothing if that is no such comparison.
    pub(super) parse: fn(Given) -> Option<Box<dyn Comparison>>,
}

/// An input that says what a column's values must be.
pub(crate) trait Compares {
    /// As data.
    fn comparison() -> ComparisonType;
}

impl ComparisonType {
    /// The comparison that an input says.
    fn of<C: Comparison + InputType + 'static>() -> Self {
        Self {
            register: <Option<C> as InputType>::create_type_info,
            parse: |value| {
                let parsed = C::parse(Some(value)).ok()?;
                Some(Box::new(parsed))
            },
        }
    }
}

/// Builds a condition out of the comparisons that were given.
struct Conditions<'f> {
    column: Compared<'f>,
    all: Condition,
}

impl<'f> Conditions<'f> {
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

        impl Compares for $name {
            fn comparison() -> ComparisonType {
                ComparisonType::of::<Self>()
            }
        }

        impl Comparison for $name {
            fn to_value(&self) -> Given {
                InputType::to_value(self)
            }

            fn condition(&self, column: Compared<'_>) -> Result<Condition> {
                let $filter = self;
                let $given = Conditions::new(column).equality(
                    [&self.eq, &self.ne],
                    [&self.within, &self.without],
                    self.is_null,
                );
                let given: Result<Conditions<'_>> = $more;
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

/// What a status or kind must be. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
struct Words {
    /// Is this value.
    eq: Option<Word>,
    /// Is not this value, or has none.
    ne: Option<Word>,
    /// Is one of these values; at most 200. An empty list holds for no row.
    #[graphql(name = "in", directive = size::apply(0, 200))]
    within: Option<Vec<Word>>,
    /// Is none of these values, or has none; at most 200. An empty list holds for every row.
    #[graphql(name = "nin", directive = size::apply(0, 200))]
    without: Option<Vec<Word>>,
    /// Has no value (true) or has one (false).
    is_null: Option<bool>,
}

impl Comparison for Words {
    fn to_value(&self) -> Given {
        InputType::to_value(self)
    }

    fn condition(&self, column: Compared<'_>) -> Result<Condition> {
        let given = Conditions::new(column).equality(
            [&self.eq, &self.ne],
            [&self.within, &self.without],
            self.is_null,
        );
        Ok(given.all)
    }
}

/// A word as a column holds it. The API writes words of every `text_enum!` in capitals.
#[derive(Clone, Debug)]
struct Word(String);

impl From<Word> for Value {
    fn from(word: Word) -> Self {
        word.0.into()
    }
}

impl InputType for Word {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        "Word".into()
    }

    fn create_type_info(_: &mut Registry) -> String {
        Self::qualified_type_name()
    }

    fn parse(value: Option<Given>) -> InputValueResult<Self> {
        match value.unwrap_or_default() {
            Given::Enum(word) => Ok(Self(word.to_ascii_lowercase())),
            Given::String(word) => Ok(Self(word.to_ascii_lowercase())),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Given {
        Given::Enum(Name::new(self.0.to_ascii_uppercase()))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

/// What the values of an enum must be: the same for all of them but for the names.
pub struct EnumFilter<T>(PhantomData<fn() -> T>);

impl<T: InputType> Compares for EnumFilter<T> {
    fn comparison() -> ComparisonType {
        ComparisonType {
            register: |registry| {
                T::create_type_info(registry);
                register_words(registry, &T::type_name())
            },
            ..ComparisonType::of::<Words>()
        }
    }
}

/// Registers what the values of an enum must be.
fn register_words(registry: &mut Registry, enumeration: &str) -> String {
    <Words as InputType>::create_type_info(registry);
    let words = registry.types.remove(&*<Words as InputType>::type_name());
    let name = format!("{enumeration}Filter");
    if let Some(MetaType::InputObject {
        description,
        mut input_fields,
        ..
    }) = words
    {
        for field in input_fields.values_mut() {
            field.ty = field.ty.replace(&*Word::type_name(), enumeration);
        }
        let made = InputObjectBuilder::new(&name, input_fields).description(description);
        registry.types.insert(name.clone(), made.build());
    }
    name
}
