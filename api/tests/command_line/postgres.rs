//! The program on PostgreSQL: the role it connects as, addresses, backup and restore.

use crate::{serving::Running, text, workgraph};
use std::{
    env, fs, io,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// The role that the server has: an ordinary one.
pub const ROLE: &str = "workgraph_tests";
const SECRET: &str = "a secret that only tests know, of 32+";

/// A database of its own, dropped with its test.
pub struct Database(pub String);

impl Database {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("workgraph_test_{}_c{next}", std::process::id());
        sql(
            &server(),
            &format!(
                "DO $$ BEGIN CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}'; \
                 EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            ),
        );
        sql(&server(), &format!("CREATE DATABASE {name} OWNER {ROLE}"));
        Self(name)
    }

    /// Its URL for a role that has its own name as its password.
    pub fn url(&self, role: &str) -> String {
        format!("postgres://{role}:{role}@{}/{}", address(), self.0)
    }

    /// Its URL for the owner of the whole server.
    fn superuser(&self) -> String {
        let server = server();
        let (start, _) = server.rsplit_once('/').expect("a URL with a name");
        format!("{start}/{}", self.0)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        sql(&server(), &format!("DROP DATABASE {} WITH (FORCE)", self.0));
    }
}

/// The server to make databases on; `tests/run` starts one.
fn server() -> String {
    env::var("TEST_DATABASE_URL")
        .expect("TEST_DATABASE_URL is not set. Run the tests with tests/run")
}

/// Where the server is, as `host:port`.
pub fn address() -> String {
    let server = server();
    let (_, rest) = server.split_once("://").expect("a URL");
    let authority = rest.split('/').next().unwrap_or(rest);
    let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    host.to_owned()
}

/// A client program of PostgreSQL that sees the rows of all workspaces.
fn client(program: &str, arguments: &[&str]) -> Output {
    let ran = Command::new(program)
        .args(arguments)
        .env("PGOPTIONS", "-c workgraph.tenant=*")
        .output()
        .expect("runs");
    assert!(ran.status.success(), "{program}: {}", text(&ran.stderr));
    ran
}

pub fn sql(url: &str, statement: &str) -> String {
    let arguments = [
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-c",
        statement,
        url,
    ];
    text(&client("psql", &arguments).stdout).trim().to_owned()
}

/// Where everyone may ask: not in development.
fn deployed(url: &str) -> [(&str, &str); 3] {
    [
        ("DATABASE_URL", url),
        ("WORKGRAPH_LISTEN", "0.0.0.0:0"),
        ("WORKGRAPH_SECRET", SECRET),
    ]
}

fn is_complete(directory: &Path, url: &str, workspaces: &[&str]) {
    for workspace in workspaces {
        let arguments = ["verify-ledger", "--workspace", workspace];
        let told = workgraph(directory, &arguments, &[("DATABASE_URL", url)]);
        let said = text(&told.stdout) + &text(&told.stderr);
        assert!(
            said.contains("complete and unaltered"),
            "{workspace}: {said}"
        );
    }
}

#[test]
fn a_role_without_walls_is_refused_unless_told() {
    let (directory, database) = (TempDir::new().expect("a directory"), Database::new());
    let is_superuser = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
    assert_eq!(
        sql(&server(), is_superuser),
        "t",
        "TEST_DATABASE_URL needs a superuser"
    );
    let bypassing = format!("{}_bypassing", database.0);
    sql(
        &server(),
        &format!("CREATE ROLE {bypassing} LOGIN PASSWORD '{bypassing}' BYPASSRLS"),
    );
    for url in [database.superuser(), database.url(&bypassing)] {
        let refused = workgraph(directory.path(), &["serve"], &deployed(&url));
        let said = text(&refused.stderr);
        assert!(!refused.status.success(), "{url} is served");
        assert!(
            said.contains("BYPASSRLS") && said.contains("WORKGRAPH_ALLOW_SUPERUSER"),
            "{said}"
        );
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
        assert_eq!(sql(&database.superuser(), tables), "0", "nothing was made");
    }
    sql(&server(), &format!("DROP ROLE {bypassing}"));

    let url = database.superuser();
    let told = [
        &deployed(&url)[..],
        &[("WORKGRAPH_ALLOW_SUPERUSER", "true")],
    ]
    .concat();
    drop(Running::start(directory.path(), &told));
    let server = Running::start(
        directory.path(),
        &[("DATABASE_URL", &url), ("WORKGRAPH_LISTEN", "127.0.0.1:0")],
    );
    let log = server.log();
    assert!(
        log.contains("WARN") && log.contains("row-level security"),
        "{log}"
    );
    drop(server);
    // Its tables are the superuser's now.
    let url = database.url(ROLE);
    let refused = workgraph(directory.path(), &["verify-ledger"], &deployed(&url));
    let said = text(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("OWNER TO"),
        "{said}"
    );
}

#[test]
fn a_database_without_a_schema_is_told_how_to_get_one() {
    let (directory, database) = (TempDir::new().expect("a directory"), Database::new());
    let refused = workgraph(
        directory.path(),
        &["verify-ledger"],
        &deployed(&database.url(ROLE)),
    );
    let said = text(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("workgraph migrate"),
        "{said}"
    );
}

#[test]
fn an_ordinary_role_is_served_without_a_warning() {
    let (directory, database) = (TempDir::new().expect("a directory"), Database::new());
    let server = Running::start(directory.path(), &deployed(&database.url(ROLE)));
    assert!(
        !server.log().contains("row-level security"),
        "{}",
        server.log()
    );
}

#[test]
fn a_server_on_an_ipv6_address_is_reached() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        // A machine without IPv6 has no such server.
        return;
    };
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for inward in listener.incoming().flatten() {
            let outward = TcpStream::connect(address()).expect("connects");
            let halves = [
                (inward.try_clone(), outward.try_clone()),
                (Ok(outward), Ok(inward)),
            ];
            for (from, to) in halves {
                let (mut from, mut to) = (from.expect("a half"), to.expect("a half"));
                thread::spawn(move || io::copy(&mut from, &mut to));
            }
        }
    });
    let (directory, database) = (TempDir::new().expect("a directory"), Database::new());
    let url = format!("postgres://{ROLE}:{ROLE}@[::1]:{port}/{}\n", database.0);
    let migrated = workgraph(directory.path(), &["migrate"], &[("DATABASE_URL", &url)]);
    assert!(migrated.status.success(), "{}", text(&migrated.stderr));
    is_complete(directory.path(), &url, &["system"]);
}

#[test]
fn a_token_is_not_made_with_another_key_than_the_servers() {
    let (directory, database) = (TempDir::new().expect("a directory"), Database::new());
    let url = database.url(ROLE);
    let run =
        |arguments: &[&str]| workgraph(directory.path(), arguments, &[("DATABASE_URL", &url)]);
    assert!(run(&["seed"]).status.success());
    let refused = run(&["token"]);
    let said = text(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("WORKGRAPH_SECRET"),
        "{said}"
    );
    // What the demo's credentials are sealed with.
    let left = directory.path().read_dir().expect("a directory");
    let left: Vec<_> = left
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["workgraph.keys"]);
    let given = [("DATABASE_URL", url.as_str()), ("WORKGRAPH_SECRET", SECRET)];
    assert!(
        workgraph(directory.path(), &["token"], &given)
            .status
            .success()
    );
}

/// The README's commands to make a backup with this program.
fn recipe(program: &str) -> String {
    let readme = include_str!("../../../README.md");
    let (_, backup) = readme.split_once("## Backup").expect("is told");
    let mut blocks = backup.split("```sh\n").skip(1);
    let block = blocks.find_map(|rest| {
        rest.split_once("```")
            .filter(|(block, _)| block.contains(program))
    });
    block.expect("is told").0.to_owned()
}

/// Runs commands in a directory, as somebody whose files are for all.
fn shell(directory: &Path, commands: &str) {
    let script = format!("umask 022\n{commands}");
    let ran = Command::new("sh")
        .args(["-euc", &script])
        .current_dir(directory)
        .output();
    let ran = ran.expect("runs");
    assert!(ran.status.success(), "{commands}: {}", text(&ran.stderr));
}

/// The files with this ending, which only their owner can read.
fn kept(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = directory.read_dir().expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut kept: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|of| of == ending))
        .collect();
    kept.sort();
    #[cfg(unix)]
    for path in &kept {
        use std::os::unix::fs::PermissionsExt;
        let mode = path.metadata().expect("is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
    kept
}

/// What the README says, step by step.
#[test]
fn a_dump_of_the_ordinary_role_is_a_backup() {
    let (directory, source, target) = (
        TempDir::new().expect("a directory"),
        Database::new(),
        Database::new(),
    );
    let (from, to) = (source.url(ROLE), target.url(ROLE));
    let seeded = workgraph(directory.path(), &["seed"], &[("DATABASE_URL", &from)]);
    assert!(
        text(&seeded.stdout).contains("in place"),
        "{}",
        text(&seeded.stderr)
    );
    let dump =
        recipe("pg_dump").replace("postgres://workgraph:PASSWORD@localhost/workgraph", &from);
    assert!(dump.contains(&from));
    shell(directory.path(), &dump);
    // The next one is another file, a second later.
    thread::sleep(Duration::from_millis(1100));
    shell(directory.path(), &dump);
    let dumps = kept(directory.path(), "sql");
    assert_eq!(dumps.len(), 2);
    let file = dumps[0].to_str().expect("text");
    client(
        "psql",
        &["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, &to],
    );
    let count = "SELECT (SELECT count(*) FROM users) || ' ' || (SELECT count(*) FROM audit_logs)";
    assert_eq!(sql(&from, count), sql(&to, count));
    assert_ne!(sql(&to, "SELECT count(*) FROM audit_logs"), "0");
    is_complete(directory.path(), &to, &["demo", "acme", "system"]);
    let server = Running::start(directory.path(), &deployed(&to));
    let health = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert!(server.send(health).starts_with("HTTP/1.1 200"));
}

/// And on SQLite, with the server running.
#[test]
fn a_running_servers_file_can_be_copied_by_sqlite_itself() {
    let directory = TempDir::new().expect("a directory");
    let server = Running::start(directory.path(), &[("WORKGRAPH_LISTEN", "127.0.0.1:0")]);
    // The statement that the recipe hands over; not every machine has the program that it is handed to.
    let handed = format!(
        "sqlite3() {{ printf %s \"$2\" >\"$1.sql\"; }}\n{}",
        recipe("sqlite3")
    );
    shell(directory.path(), &handed);
    let vacuum =
        fs::read_to_string(directory.path().join("workgraph.db.sql")).expect("is handed over");
    let original = directory.path().join("workgraph.db");
    let copy = directory
        .path()
        .join(vacuum.split('\'').nth(1).expect("a name"));
    let vacuum = vacuum.replace("INTO '", &format!("INTO '{}/", directory.path().display()));
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(async {
            use sea_orm::ConnectionTrait;
            let url = format!("sqlite:{}", original.display());
            let connection = sea_orm::Database::connect(url).await.expect("connects");
            connection
                .execute_unprepared(&vacuum)
                .await
                .expect("copies");
        });
    drop(server);
    // Keys are kept elsewhere than the backup, and put beside the copy.
    let keys = directory.path().join("workgraph.db.keys");
    fs::copy(keys, format!("{}.keys", copy.display())).expect("copies");
    let url = format!("sqlite:{}", copy.display());
    is_complete(directory.path(), &url, &["demo", "acme", "system"]);
    let environment = [
        ("DATABASE_URL", url.as_str()),
        ("WORKGRAPH_LISTEN", "127.0.0.1:0"),
    ];
    drop(Running::start(directory.path(), &environment));
}
