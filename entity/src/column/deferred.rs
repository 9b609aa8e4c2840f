//! Columns that an ordinary read leaves out.

use sea_orm::{
    ColIdx, QueryResult, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr},
};
use std::fmt;

macro_rules! deferred {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq)]
        pub struct $name<T>(pub Option<T>);

        impl<T> $name<T> {
            /// Wraps a value that is about to be stored.
            pub fn new(value: T) -> Self {
                Self(Some(value))
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl<T: TryGetable> TryGetable for $name<T> {
            /// `Option` reads a column that the select did not name as `None`.
            fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
                <Option<T> as TryGetable>::try_get_by(row, index).map(Self)
            }
        }

        impl<T: Into<Value> + Nullable> From<$name<T>> for Value {
            fn from(column: $name<T>) -> Self {
                column.0.map_or_else(T::null, Into::into)
            }
        }

        impl<T: ValueType + Nullable> ValueType for $name<T> {
            fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
                <Option<T> as ValueType>::try_from(value).map(Self)
            }

            fn type_name() -> String {
                T::type_name()
            }

            fn array_type() -> ArrayType {
                T::array_type()
            }

            fn column_type() -> ColumnType {
                T::column_type()
            }
        }

        impl<T: Nullable> Nullable for $name<T> {
            fn null() -> Value {
                T::null()
            }
        }
    };
}

deferred! {
    /// A column left out of ordinary reads because it may hold megabytes. `None` is NULL or "not read".
    ///
    /// It has no GraphQL output: a field that shows it asks the store for that one column, in a batch.
    Large
}

deferred! {
    /// A value that no API type, log line or error may carry. `None` is NULL or "not read".
    ///
    /// It has no GraphQL output, so a type that exposes it does not compile, and its `Debug` is redacted.
    ///
    /// ```compile_fail,E0277
    /// #[derive(async_graphql::SimpleObject)]
    /// struct Shown {
    ///     token: entity::Secret<String>,
    /// }
    /// ```
    Secret
}
