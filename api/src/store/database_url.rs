//! Where the data is, as people write it.

use sea_orm::sqlx::postgres::PgConnectOptions;
use std::{fmt, path::PathBuf, str::FromStr};

/// Where the data is: a SQLite file or a PostgreSQL server.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// `sqlite:path/to/file.db`
    Sqlite(PathBuf),
    /// `postgres://user:password@host/name`
    Postgres {
        /// How to connect.
        options: Box<PgConnectOptions>,
        /// Whether a pooler stands between that hands each transaction to another connection and does not keep track of
        /// prepared statements: the URL ends in `?statement-cache-capacity=0`.
        pooled: bool,
    },
}

impl DatabaseUrl {
    /// Whether there is a file; of a server only a connection tells.
    pub fn may_exist(&self) -> bool {
        match self {
            Self::Sqlite(path) => path.exists(),
            Self::Postgres { .. } => true,
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.contains(":memory:") || path.contains('?') {
                return Err("expected a file, such as sqlite:./workgraph.db".to_owned());
            }
            return Ok(Self::Sqlite(path.into()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            // The parser's message may repeat the URL, and with it the password.
            let mut options: PgConnectOptions = url
                .parse()
                .map_err(|_| "expected postgres://user:password@host:5432/name".to_owned())?;
            // In a URL an IPv6 address stands in brackets, which are no part of it.
            let address = options.get_host().strip_prefix('[');
            if let Some(address) = address.and_then(|rest| rest.strip_suffix(']')) {
                let address = address.to_owned();
                options = options.host(&address);
            }
            let pooled = url.contains("statement-cache-capacity=0");
            return Ok(Self::Postgres {
                options: Box::new(options),
                pooled,
            });
        }
        Err("expected sqlite:… or postgres://…".to_owned())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite at {}", path.display()),
            Self::Postgres { options, .. } => {
                write!(
                    f,
                    "PostgreSQL {} on {}",
                    options.get_database().unwrap_or("postgres"),
                    options.get_host()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        for (url, expected) in [
            ("postgres://u:p@[::1]:5432/name", "::1"),
            (
                "postgres://u@[2001:db8::7]/name?sslmode=disable",
                "2001:db8::7",
            ),
            ("postgresql:///name?host=::1", "::1"),
            ("postgresql:///name?host=[::1]", "::1"),
            ("postgres://u:p@localhost:5432/name", "localhost"),
            ("postgres://u:p@192.0.2.1/name", "192.0.2.1"),
        ] {
            let Ok(DatabaseUrl::Postgres { options, .. }) = url.parse() else {
                panic!("{url} is refused");
            };
            assert_eq!(options.get_host(), expected, "{url}");
        }
        assert!("postgres://u:p@[::1/name".parse::<DatabaseUrl>().is_err());
    }
}
