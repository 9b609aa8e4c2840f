//! One description of a table, which [`sql`] writes for SQLite and for PostgreSQL.

mod sql;

pub(crate) use sql::{add_pointer, create};

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
pub(super) enum Kind {
    Text,
    Integer,
    BigInteger,
    Float,
    Boolean,
    Timestamp,
    Json,
    Bytes,
}

pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    pub(super) default: Option<String>,
    pub(super) check: Option<String>,
}

pub(super) struct ForeignKey {
    pub(super) column: &'static str,
    pub(super) table: &'static str,
    pub(super) on_delete: OnDelete,
    pub(super) tenant: bool,
}

pub(super) struct Index {
    pub(super) columns: Vec<&'static str>,
    pub(super) unique: bool,
    pub(super) nulls_equal: bool,
    pub(super) only_where: Option<&'static str>,
}

/// What a page of a whole table, newest first, walks along.
const NEWEST: [&str; 3] = ["tenantId", "createdAt", "id"];

/// A table under construction. Columns are not null unless [`nullable`](Self::nullable) follows.
pub(crate) struct Table {
    pub(super) name: &'static str,
    pub(super) primary_key: &'static str,
    pub(super) columns: Vec<Column>,
    pub(super) foreign_keys: Vec<ForeignKey>,
    pub(super) indexes: Vec<Index>,
    pub(super) checks: Vec<&'static str>,
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

    /// Like [`standard`](Self::standard), but a row without a tenant is global.
    pub(crate) fn shared(name: &'static str) -> Self {
        Self::bare(name, "id")
            .owner(true)
            .timestamp("createdAt")
            .timestamp("updatedAt")
            .index(&NEWEST)
    }

    /// Like [`shared`](Self::shared), with a `slug` that is unique within a tenant and among the global rows.
    pub(crate) fn standard_or_global(name: &'static str) -> Self {
        Self::shared(name)
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
