//! A table's description as SQL.
//!
//! What the databases do differently lives here and nowhere else: column types, foreign keys that carry the tenant,
//! row-level security, and keys in which NULLs are equal.

use super::{Column, ForeignKey, Index, Kind, OnDelete, Table};
use sea_orm_migration::{
    prelude::{DbErr, SchemaManager},
    sea_orm::{ConnectionTrait, DbBackend},
};
use std::fmt::Write;

/// Creates tables, which may point to each other in any order.
///
/// # Errors
/// If the database refuses a statement.
pub(crate) async fn create(manager: &SchemaManager<'_>, tables: &[Table]) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let backend = manager.get_database_backend();
    for statement in statements(tables, backend) {
        connection.execute_unprepared(&statement).await?;
    }
    Ok(())
}

/// Adds the last column of a table's description to the table, which is there already: one that points to a row of another
/// table, which leaves null behind when it goes.
pub(crate) fn add_pointer(table: &Table, backend: DbBackend) -> Vec<String> {
    let (Some(column), Some(key), Some(index)) = (
        table.columns.last(),
        table.foreign_keys.last(),
        table.indexes.last(),
    ) else {
        return Vec::new();
    };
    let name = table.name;
    let added = format!(r#"ALTER TABLE "{name}" ADD COLUMN {}"#, column.sql(backend));
    let mut out = match backend {
        DbBackend::Sqlite => {
            let parent = key.table;
            let mut out = vec![format!(
                r#"{added} REFERENCES "{parent}" ("id") ON DELETE SET NULL"#
            )];
            out.extend(table.tenant_triggers(key));
            out
        }
        _ => vec![
            added,
            format!(
                r#"ALTER TABLE "{name}" ADD CONSTRAINT "{name}_{}_fkey" {}"#,
                key.column,
                key.sql(backend)
            ),
        ],
    };
    out.push(table.index_sql(index, backend));
    out
}

fn statements(tables: &[Table], backend: DbBackend) -> Vec<String> {
    let mut out: Vec<String> = tables
        .iter()
        .map(|table| table.create_sql(backend))
        .collect();
    out.extend(tables.iter().flat_map(|table| {
        table
            .indexes
            .iter()
            .map(|index| table.index_sql(index, backend))
    }));
    if backend == DbBackend::Postgres {
        out.extend(tables.iter().flat_map(Table::row_security_sql));
    }
    for table in tables {
        for key in &table.foreign_keys {
            match backend {
                // SQLite takes a table's foreign keys only when the table is made; it needs a trigger where
                // "set null" must leave the tenant alone.
                DbBackend::Sqlite if key.tenant && key.on_delete == OnDelete::SetNull => {
                    out.extend(table.tenant_triggers(key));
                }
                DbBackend::Sqlite => {}
                _ => out.push(format!(
                    r#"ALTER TABLE "{0}" ADD CONSTRAINT "{0}_{1}_fkey" {2}"#,
                    table.name,
                    key.column,
                    key.sql(backend)
                )),
            }
        }
    }
    out
}

impl Table {
    fn create_sql(&self, backend: DbBackend) -> String {
        let mut lines: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.sql(backend))
            .collect();
        lines.push(format!(r#"PRIMARY KEY ("{}")"#, self.primary_key));
        lines.extend(self.checks.iter().map(|check| format!("CHECK ({check})")));
        if backend == DbBackend::Sqlite {
            lines.extend(self.foreign_keys.iter().map(|key| key.sql(backend)));
        }
        format!(
            "CREATE TABLE \"{}\" (\n  {}\n)",
            self.name,
            lines.join(",\n  ")
        )
    }

    fn index_sql(&self, index: &Index, backend: DbBackend) -> String {
        let bare = |column: &&str| column.trim_end_matches(" DESC").to_owned();
        let suffix = if index.unique { "key" } else { "idx" };
        let partial = if index.only_where.is_some() {
            "_partial"
        } else {
            ""
        };
        let name = format!(
            "{}_{}{partial}_{suffix}",
            self.name,
            index.columns.iter().map(bare).collect::<Vec<_>>().join("_")
        );
        // PostgreSQL cuts names at 63 bytes; two long ones must not become the same.
        let name = name.chars().take(63).collect::<String>();
        let columns: Vec<String> = index
            .columns
            .iter()
            .map(|column| match column.strip_suffix(" DESC") {
                Some(column) => format!("\"{column}\" DESC"),
                // SQLite has no NULLS NOT DISTINCT. No id, slug or word is empty.
                None if index.nulls_equal && backend == DbBackend::Sqlite => {
                    format!("coalesce(\"{column}\", '')")
                }
                None => format!("\"{column}\""),
            })
            .collect();
        let unique = if index.unique { "UNIQUE " } else { "" };
        let mut sql = format!(
            "CREATE {unique}INDEX \"{name}\" ON \"{}\" ({})",
            self.name,
            columns.join(", ")
        );
        if index.nulls_equal && backend == DbBackend::Postgres {
            sql.push_str(" NULLS NOT DISTINCT");
        }
        if let Some(condition) = index.only_where {
            // Writing to a String cannot fail.
            let _ = write!(sql, " WHERE {condition}");
        }
        sql
    }

    /// The database's own wall between tenants: a connection sees the rows of the tenant it named for its transaction,
    /// or all rows when it named `*`. A later step that rewrites rows must name `*` first.
    fn row_security_sql(&self) -> [String; 4] {
        let table = self.name;
        let setting = "current_setting('workgraph.tenant', true)";
        let owner = self.columns.iter().find(|column| column.name == "tenantId");
        let tenant = owner.map_or("id", |column| column.name);
        let own = format!(r#""{tenant}" = {setting} OR {setting} = '*'"#);
        let (read, write) = if owner.is_some_and(|column| column.nullable) {
            let global = format!(r#""{tenant}" IS NULL"#);
            (
                format!("{own} OR {global}"),
                format!("{own} OR ({global} AND {setting} = 'system')"),
            )
        } else {
            (own.clone(), own)
        };
        [
            format!(r#"ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY"#),
            format!(r#"ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY"#),
            format!(r#"CREATE POLICY "{table}_read" ON "{table}" FOR SELECT USING ({read})"#),
            format!(
                r#"CREATE POLICY "{table}_write" ON "{table}" USING ({write}) WITH CHECK ({write})"#
            ),
        ]
    }

    fn tenant_triggers(&self, key: &ForeignKey) -> [String; 2] {
        let (table, column, parent) = (self.name, key.column, key.table);
        [("insert", "INSERT"), ("update", "UPDATE")].map(|(suffix, event)| {
            format!(
                "CREATE TRIGGER \"{table}_{column}_tenant_{suffix}\" BEFORE {event} ON \"{table}\" \
                 WHEN NEW.\"{column}\" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM \"{parent}\" \
                 WHERE \"id\" = NEW.\"{column}\" AND \"tenantId\" = NEW.\"tenantId\") \
                 BEGIN SELECT RAISE(ABORT, 'FOREIGN KEY constraint failed'); END"
            )
        })
    }
}

impl Column {
    fn sql(&self, backend: DbBackend) -> String {
        let mut sql = format!("\"{}\" {}", self.name, self.kind.sql(backend));
        if !self.nullable {
            sql.push_str(" NOT NULL");
        }
        if let Some(default) = &self.default {
            let _ = write!(sql, " DEFAULT {default}");
        }
        if let Some(check) = &self.check {
            let _ = write!(sql, " CHECK ({check})");
        }
        sql
    }
}

impl Kind {
    fn sql(self, backend: DbBackend) -> &'static str {
        let postgres = backend == DbBackend::Postgres;
        match self {
            // Sorted by code point, as SQLite does, whatever language the server speaks.
            Self::Text if postgres => "text COLLATE \"C\"",
            Self::Text => "text",
            Self::Integer => "integer",
            Self::BigInteger => "bigint",
            Self::Float => "double precision",
            Self::Boolean => "boolean",
            Self::Timestamp if postgres => "timestamp with time zone",
            Self::Timestamp => "timestamp_with_timezone_text",
            Self::Json if postgres => "jsonb",
            Self::Json => "jsonb_text",
            Self::Bytes if postgres => "bytea",
            Self::Bytes => "blob",
        }
    }
}

impl ForeignKey {
    fn sql(&self, backend: DbBackend) -> String {
        let Self { column, table, .. } = self;
        let set_null_alone = self.on_delete == OnDelete::SetNull;
        let columns = if self.tenant && !(set_null_alone && backend == DbBackend::Sqlite) {
            format!(
                r#"FOREIGN KEY ("tenantId", "{column}") REFERENCES "{table}" ("tenantId", "id")"#
            )
        } else {
            format!(r#"FOREIGN KEY ("{column}") REFERENCES "{table}" ("id")"#)
        };
        let action = match self.on_delete {
            OnDelete::Cascade => "CASCADE".to_owned(),
            OnDelete::Refuse => "NO ACTION".to_owned(),
            OnDelete::SetNull if backend == DbBackend::Postgres => {
                format!(r#"SET NULL ("{column}")"#)
            }
            OnDelete::SetNull => "SET NULL".to_owned(),
        };
        format!("{columns} ON DELETE {action}")
    }
}
