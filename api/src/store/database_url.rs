//! Where the data is, as people write it.

use super::{opening, sqlite_file};
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

    /// Checks, before anything is done to it, that a SQLite file can be one and is Workgraph's or nobody's. What there is to
    /// say of a server, a connection tells.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub async fn check(&self) -> Result<(), String> {
        match self {
            Self::Sqlite(path) => sqlite_file::check(path).await,
            Self::Postgres { .. } => Ok(()),
        }
    }
}

/// What an address of PostgreSQL looks like.
const POSTGRES: &str = "expected postgres://USER:PASSWORD@HOST:5432/NAME, with signs such as @ / # in the password \
                        written as %40 %2F %23";
/// What shows that PostgreSQL is meant, in the addresses of other programs.
const MEANS_POSTGRES: [&str; 4] = ["postgres", "pgsql", "dbname=", "host="];
const SSL_MODES: [&str; 6] = [
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];

/// Refuses a way to use TLS that there is not.
fn check_ssl_mode(url: &str) -> Result<(), String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut parameters = query.split('&').filter_map(|one| one.split_once('='));
    let wrong = parameters.any(|(name, value)| {
        ["sslmode", "ssl-mode"].contains(&name)
            && !SSL_MODES.contains(&value.to_ascii_lowercase().as_str())
    });
    match wrong {
        true => Err(format!("sslmode is one of {}", SSL_MODES.join(", "))),
        false => Ok(()),
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
            check_ssl_mode(url)?;
            // The parser's message may repeat the URL, and with it the password.
            let mut options: PgConnectOptions = url.parse().map_err(|_| POSTGRES.to_owned())?;
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
        let lower = url.to_lowercase();
        Err(
            match MEANS_POSTGRES.iter().any(|sign| lower.contains(sign)) {
                true => POSTGRES.to_owned(),
                false => "expected sqlite:FILE or postgres://USER:PASSWORD@HOST/NAME".to_owned(),
            },
        )
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
            Self::Postgres { options, .. } => write!(
                f,
                "PostgreSQL {} on {}",
                opening::database(options),
                opening::host(options)
            ),
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

    #[test]
    fn a_server_is_named_by_what_is_connected_to() {
        for (url, expected) in [
            ("postgres://u:p@h/name", "PostgreSQL name on h"),
            // PostgreSQL takes the database that is named like the user.
            ("postgres://u@h", "PostgreSQL u on h"),
            (
                "postgres:///name?host=/run/postgresql&user=u",
                "PostgreSQL name on /run/postgresql",
            ),
        ] {
            assert_eq!(url.parse::<DatabaseUrl>().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn a_wrong_address_is_answered_with_one_of_its_kind() {
        for (url, word) in [
            ("mysql://x", "sqlite:FILE or postgres://"),
            ("postgres:x", "expected postgres://USER"),
            ("jdbc:postgresql://h/name", "expected postgres://USER"),
            ("host=h dbname=name", "expected postgres://USER"),
            ("postgres://u:p@h:x/y", "%40"),
            (
                "postgres://u@h/name?sslmode=on",
                "sslmode is one of disable",
            ),
        ] {
            let refused = url.parse::<DatabaseUrl>().unwrap_err();
            assert!(refused.contains(word), "{url}: {refused}");
        }
    }
}
