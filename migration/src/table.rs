//! One description of a table, written as SQL for SQLite and for PostgreSQL.
//!
//! What the databases do differently lives here and nowhere else: column types, foreign keys that carry the tenant,
//! and keys in which NULLs are equal.

use sea_orm_migration::{
    prelude::{DbErr, SchemaManager},
    sea_orm::{ConnectionTrait, DbBackend},
};
use std::fmt::Write;

/// What happens to a row when the row it points to is deleted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDelete {
    /// It is deleted too.
    Cascade,
    /// The delete fails. `NO ACTION` rather than `RESTRICT`, so that a tenant's delete may cascade in any order.
    Refuse,
    /// The pointer becomes null; the tenant stays.
    SetNull,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
    BigInteger,
    Float,
    Boolean,
    Timestamp,
    Json,
    Bytes,
}

struct Column {
    name: &'static str,
    kind: Kind,
    nullable: bool,
    default: Option<String>,
    check: Option<String>,
}

struct ForeignKey {
    column: &'static str,
    table: &'static str,
    on_delete: OnDelete,
    tenant: bool,
}

struct Index {
    columns: Vec<&'static str>,
    unique: bool,
    nulls_equal: bool,
    only_where: Option<&'static str>,
}

/// What a page of a whole table, newest first, walks along.
const NEWEST: [&str; 3] = ["tenantId", "createdAt", "id"];

/// A table under construction. Columns are not null unless [`nullable`](Self::nullable) follows.
pub(crate) struct Table {
    name: &'static str,
    primary_key: &'static str,
    columns: Vec<Column>,
    foreign_keys: Vec<ForeignKey>,
    indexes: Vec<Index>,
    checks: Vec<&'static str>,
}

impl Table {
    /// A table without any column of its own yet, keyed by `primary_key`.
    pub(crate) fn bare(name: &'static str, primary_key: &'static str) -> Self {
        let (columns, foreign_keys, indexes, checks) = (vec![], vec![], vec![], vec![]);
        Self {
            name,
            primary_key,
            columns,
            foreign_keys,
            indexes,
            checks,
        }
        .text(primary_key)
    }

    /// A tenant's table with `id`, `tenantId` and `createdAt`; rows of other tables may point to it within the tenant.
    pub(crate) fn append_only(name: &'static str) -> Self {
        Self::bare(name, "id")
            .owner(false)
            .timestamp("createdAt")
            .index(&NEWEST)
    }

    /// A tenant's table with `id`, `tenantId`, `createdAt` and `updatedAt`.
    pub(crate) fn standard(name: &'static str) -> Self {
        Self::append_only(name).timestamp("updatedAt")
    }

    /// Like [`standard`](Self::standard), but a row without a tenant is global; `slug` is unique among those too.
    pub(crate) fn standard_or_global(name: &'static str) -> Self {
        Self::bare(name, "id")
            .owner(true)
            .timestamp("createdAt")
            .timestamp("updatedAt")
            .index(&NEWEST)
            .text("slug")
            .unique(&["tenantId", "slug"])
            .unique_where(&["slug"], r#""tenantId" IS NULL"#)
    }

    fn owner(mut self, nullable: bool) -> Self {
        self = self.text("tenantId");
        if nullable {
            self = self.nullable();
        }
        self.foreign_keys.push(ForeignKey {
            column: "tenantId",
            table: "tenants",
            on_delete: OnDelete::Cascade,
            tenant: false,
        });
        self.unique(&["tenantId", "id"])
    }

    fn column(mut self, name: &'static str, kind: Kind) -> Self {
        self.columns.push(Column {
            name,
            kind,
            nullable: false,
            default: None,
            check: None,
        });
        self
    }

    #[expect(
        clippy::expect_used,
        reason = "a modifier without a column is a mistake in a step"
    )]
    fn last(&mut self) -> &mut Column {
        self.columns
            .last_mut()
            .expect("a modifier follows a column")
    }

    pub(crate) fn text(self, name: &'static str) -> Self {
        self.column(name, Kind::Text)
    }

    pub(crate) fn integer(self, name: &'static str) -> Self {
        self.column(name, Kind::Integer)
    }

    pub(crate) fn big_integer(self, name: &'static str) -> Self {
        self.column(name, Kind::BigInteger)
    }

    pub(crate) fn float(self, name: &'static str) -> Self {
        self.column(name, Kind::Float)
    }

    pub(crate) fn boolean(self, name: &'static str) -> Self {
        self.column(name, Kind::Boolean)
    }

    pub(crate) fn timestamp(self, name: &'static str) -> Self {
        self.column(name, Kind::Timestamp)
    }

    pub(crate) fn json(self, name: &'static str) -> Self {
        self.column(name, Kind::Json)
    }

    pub(crate) fn bytes(self, name: &'static str) -> Self {
        self.column(name, Kind::Bytes)
    }

    /// A text column that holds one of these words.
    pub(crate) fn word(self, name: &'static str, words: &[&str]) -> Self {
        let list = words
            .iter()
            .map(|word| format!("'{word}'"))
            .collect::<Vec<_>>()
            .join(", ");
        self.text(name).check(format!(r#""{name}" IN ({list})"#))
    }

    /// A column that holds the id of a row of the same tenant: the database refuses another tenant's id.
    ///
    /// Its index ends in the default order's columns, so that a page of one parent's rows reads only that page.
    pub(crate) fn parent(
        mut self,
        name: &'static str,
        table: &'static str,
        on_delete: OnDelete,
    ) -> Self {
        // SQLite clears a pointer by the pointer alone, so there it comes first.
        let [first, second] = if on_delete == OnDelete::SetNull {
            [name, "tenantId"]
        } else {
            ["tenantId", name]
        };
        self = self.text(name).index(&[first, second, "createdAt", "id"]);
        self.foreign_keys.push(ForeignKey {
            column: name,
            table,
            on_delete,
            tenant: true,
        });
        if on_delete == OnDelete::SetNull {
            self.nullable()
        } else {
            self
        }
    }

    /// The last column may be null.
    pub(crate) fn nullable(mut self) -> Self {
        self.last().nullable = true;
        self
    }

    /// The last column's value when none is given, as an SQL literal.
    pub(crate) fn default(mut self, literal: &str) -> Self {
        self.last().default = Some(literal.to_owned());
        self
    }

    /// What the last column may hold, as an SQL condition.
    pub(crate) fn check(mut self, condition: impl Into<String>) -> Self {
        self.last().check = Some(condition.into());
        self
    }

    /// The last column, a text, has at most so many characters.
    pub(crate) fn max(mut self, characters: usize) -> Self {
        let column = self.last();
        column.check = Some(format!(r#"length("{}") <= {characters}"#, column.name));
        self
    }

    /// The last column lies within these bounds, both included.
    pub(crate) fn between(mut self, low: i64, high: i64) -> Self {
        let column = self.last();
        column.check = Some(format!(r#""{}" BETWEEN {low} AND {high}"#, column.name));
        self
    }

    /// What a row must satisfy, as an SQL condition over several columns.
    pub(crate) fn row_check(mut self, condition: &'static str) -> Self {
        self.checks.push(condition);
        self
    }

    fn add_index(
        mut self,
        columns: &[&'static str],
        unique: bool,
        only_where: Option<&'static str>,
    ) -> Self {
        self.indexes.push(Index {
            columns: columns.to_vec(),
            unique,
            nulls_equal: false,
            only_where,
        });
        self
    }

    /// An index over columns, each optionally followed by ` DESC`.
    pub(crate) fn index(self, columns: &[&'static str]) -> Self {
        self.add_index(columns, false, None)
    }

    /// An index over the rows that satisfy an SQL condition.
    pub(crate) fn index_where(self, columns: &[&'static str], condition: &'static str) -> Self {
        self.add_index(columns, false, Some(condition))
    }

    /// A unique key; rows with a NULL in it never collide.
    pub(crate) fn unique(self, columns: &[&'static str]) -> Self {
        self.add_index(columns, true, None)
    }

    /// A unique key among the rows that satisfy an SQL condition.
    pub(crate) fn unique_where(self, columns: &[&'static str], condition: &'static str) -> Self {
        self.add_index(columns, true, Some(condition))
    }

    /// A unique key of text columns in which NULLs are equal to each other.
    pub(crate) fn unique_nulls_equal(mut self, columns: &[&'static str]) -> Self {
        self = self.unique(columns);
        if let Some(index) = self.indexes.last_mut() {
            index.nulls_equal = true;
        }
        self
    }
}

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
