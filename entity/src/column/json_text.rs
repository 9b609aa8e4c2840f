use sea_orm::{
    ColIdx, DbErr, QueryResult, RuntimeErr, TryGetError, TryGetable,
    sqlx::{self, Row, ValueRef, postgres::PgValueFormat},
};
use std::sync::Arc;

/// What `jsonb` puts before its text when it is sent as bytes.
const JSONB_VERSION: u8 = 1;

/// A JSON column as the database wrote it, unread: for columns of megabytes, which are read elsewhere than here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonText(Arc<[u8]>);

impl JsonText {
    /// The JSON.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryGetable for JsonText {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let failed = |error: sqlx::Error| DbErr::Query(RuntimeErr::SqlxError(error.into()));
        let bytes = match (row.try_as_pg_row(), row.try_as_sqlite_row()) {
            (Some(row), _) => {
                let value = row
                    .try_get_raw(index.as_sqlx_postgres_index())
                    .map_err(failed)?;
                let prefix = match value.format() {
                    PgValueFormat::Binary => &[JSONB_VERSION][..],
                    PgValueFormat::Text => &[],
                };
                (!value.is_null())
                    .then(|| value.as_bytes())
                    .transpose()
                    .map_err(|error| failed(sqlx::Error::Decode(error)))?
                    .map(|bytes| bytes.strip_prefix(prefix).unwrap_or(bytes))
            }
            (None, Some(row)) => row
                .try_get::<Option<&[u8]>, _>(index.as_sqlx_sqlite_index())
                .map_err(failed)?,
            (None, None) => None,
        };
        bytes
            .map(|bytes| Self(bytes.into()))
            .ok_or_else(|| TryGetError::Null(format!("{index:?}")))
    }
}
