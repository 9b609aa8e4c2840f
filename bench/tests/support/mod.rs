//! What the tests share.

use bench::Database;

/// The server to make databases on; `tests/run` starts one.
pub fn postgres() -> Database {
    let Ok(server) = std::env::var("TEST_DATABASE_URL") else {
        panic!(
            "TEST_DATABASE_URL is not set. Run the tests with tests/run, which starts a PostgreSQL of its own, or set it \
             to postgres://user@host/postgres of a server whose user may create databases and roles."
        );
    };
    Database::Postgres(server)
}
