//! What is said of a database that is not there, not ours, or not reached.

use crate::{
    command,
    postgres::{Database, ROLE, address, sql},
    text, workgraph,
};
use sea_orm::ConnectionTrait;
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Output,
    thread,
};
use tempfile::TempDir;

/// Runs a command on a database, and returns what it refuses with.
fn refused(directory: &Path, arguments: &[&str], url: &str) -> String {
    let environment = [("DATABASE_URL", url), ("WORKGRAPH_LISTEN", "127.0.0.1:0")];
    let ran = workgraph(directory, arguments, &environment);
    let said = text(&ran.stderr);
    assert!(!ran.status.success(), "{arguments:?} on {url} succeeds");
    assert!(!said.contains("try again"), "{said}");
    said
}

fn must_say(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{said}\ndoes not say {word}");
    }
}

/// Makes a SQLite database with SQL of a test's own.
fn sqlite(path: &Path, sql: &str) {
    let url = format!("sqlite:{}?mode=rwc", path.display());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let connection = sea_orm::Database::connect(url).await.expect("connects");
        connection.execute_unprepared(sql).await.expect(sql);
        connection.close().await.expect("closes");
    });
}

/// The files of a directory, with what they hold.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = directory.read_dir().expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read(&path).expect("reads")))
        .collect();
    files.sort();
    files
}

#[cfg(unix)]
fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, PermissionsExt::from_mode(0o664)).expect("sets");
}

#[cfg(unix)]
fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).expect("is there").permissions().mode() & 0o777 == 0o664
}

#[test]
fn what_can_be_no_sqlite_file_is_named() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    fs::create_dir(path.join("data")).expect("makes");
    fs::write(
        path.join("notes.txt"),
        "Nora Field: hello, this is no database",
    )
    .expect("writes");
    fs::write(path.join("short"), "x").expect("writes");
    let before = files(path);
    for (url, words) in [
        (
            "sqlite:data",
            &["data is a folder", "sqlite:data/workgraph.db"][..],
        ),
        ("sqlite:notes.txt", &["notes.txt is no SQLite database"]),
        ("sqlite:short", &["short is no SQLite database"]),
        ("sqlite:/dev/null", &["/dev/null is no SQLite database"]),
        ("sqlite:nowhere/a.db", &["there is no folder nowhere"]),
        ("sqlite:notes.txt/a.db", &["notes.txt/a.db"]),
    ] {
        for arguments in [&["serve"][..], &["migrate"], &["seed"]] {
            let said = refused(path, arguments, url);
            must_say(&said, words);
            must_say(&said, &["DATABASE_URL"]);
        }
    }
    assert_eq!(files(path), before, "nothing was made or changed");
}

/// Where nobody may make a file, not even root.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let directory = TempDir::new().expect("a directory");
    for arguments in [&["serve"][..], &["migrate"]] {
        let said = refused(directory.path(), arguments, "sqlite:/sys/workgraph.db");
        must_say(&said, &["/sys", "cannot write", "DATABASE_URL"]);
        assert!(!said.contains(".secret"), "{said}");
    }
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    let others = path.join("other.db");
    sqlite(
        &others,
        "CREATE TABLE customers (id INTEGER PRIMARY KEY); INSERT INTO customers VALUES (1)",
    );
    let another = path.join("another.db");
    sqlite(
        &another,
        "CREATE TABLE seaql_migrations (version text PRIMARY KEY, applied_at bigint);
         INSERT INTO seaql_migrations VALUES ('m20200101_000001_shop', 1)",
    );
    #[cfg(unix)]
    open_to_all(&others);
    let before = files(path);
    for arguments in [
        &["serve"][..],
        &["migrate"],
        &["migrate", "--status"],
        &["seed"],
    ] {
        let said = refused(path, arguments, "sqlite:other.db");
        must_say(
            &said,
            &["other.db", "another program", "customers", "DATABASE_URL"],
        );
        must_say(
            &refused(path, arguments, "sqlite:another.db"),
            &["another program", "seaql_migrations"],
        );
    }
    assert_eq!(files(path), before, "nothing was made or changed");
    #[cfg(unix)]
    assert!(is_open_to_all(&others), "nor its permissions");

    // What SQLite made and nobody has used is nobody's.
    sqlite(&path.join("empty.db"), "VACUUM");
    let migrated = workgraph(path, &["migrate"], &[("DATABASE_URL", "sqlite:empty.db")]);
    assert!(migrated.status.success(), "{}", text(&migrated.stderr));
}

/// Makes a database whose last step this program does not know.
const NEWER: &str =
    "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_later', 1)";
const IS_NEWER: [&str; 3] = [
    "made by a newer Workgraph",
    "use that version",
    "restore a backup",
];

#[test]
fn a_database_of_a_newer_version_is_told_from_a_broken_one() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    assert!(workgraph(path, &["migrate"], &[]).status.success());
    sqlite(&path.join("workgraph.db"), NEWER);
    for arguments in [
        &["serve"][..],
        &["migrate"],
        &["migrate", "--status"],
        &["token"],
    ] {
        must_say(&refused(path, arguments, "sqlite:workgraph.db"), &IS_NEWER);
    }

    let database = Database::new();
    let url = database.url(ROLE);
    assert!(
        workgraph(path, &["migrate"], &[("DATABASE_URL", &url)])
            .status
            .success()
    );
    sql(&url, NEWER);
    for arguments in [&["serve"][..], &["migrate"], &["verify-ledger"]] {
        must_say(&refused(path, arguments, &url), &IS_NEWER);
    }
}

#[test]
fn tables_of_another_program_stay_beside_ours_on_postgresql_unless_they_have_our_names() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    let (theirs, beside) = (Database::new(), Database::new());
    sql(&theirs.url(ROLE), "CREATE TABLE projects (id int)");
    for arguments in [&["serve"][..], &["migrate"], &["migrate", "--status"]] {
        let said = refused(path, arguments, &theirs.url(ROLE));
        must_say(&said, &["another program", "projects", "DATABASE_URL"]);
    }
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(sql(&theirs.url(ROLE), tables), "1", "nothing was made");
    sql(&beside.url(ROLE), "CREATE TABLE customers (id int)");
    let migrated = workgraph(path, &["migrate"], &[("DATABASE_URL", &beside.url(ROLE))]);
    assert!(migrated.status.success(), "{}", text(&migrated.stderr));
}

#[test]
fn what_postgresql_refuses_is_named_with_the_setting() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    let database = Database::new();
    let nobody = format!("postgres://nobody_at_all:hush@{}/{}", address(), database.0);
    let nothing = format!("postgres://{ROLE}:{ROLE}@{}/nothing_at_all", address());
    for (url, words) in [
        (&nobody, &["nobody_at_all", "createuser"][..]),
        (&nothing, &["no database `nothing_at_all`", "createdb"]),
    ] {
        let said = refused(path, &["migrate"], url);
        must_say(&said, words);
        must_say(&said, &["DATABASE_URL"]);
        assert!(
            !said.contains("hush") && !said.contains("out of reach"),
            "{said}"
        );
    }
}

/// A server that refuses whoever comes, as PostgreSQL does with a wrong password.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut startup = [0; 512];
            // Asked for TLS it has none; then it is told who comes.
            let _ = stream.read(&mut startup);
            let _ = stream.write_all(b"N");
            let _ = stream.read(&mut startup);
            let fields =
                b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"u\"\0\0";
            let length = u32::try_from(fields.len() + 4).expect("short");
            let answer = [&b"E"[..], &length.to_be_bytes(), fields].concat();
            let _ = stream.write_all(&answer);
        }
    });
    format!("postgres://u:hush@{address}/name")
}

#[test]
fn a_wrong_password_is_named_and_not_repeated() {
    let directory = TempDir::new().expect("a directory");
    let said = refused(directory.path(), &["migrate"], &refusing());
    must_say(&said, &["password of the role `u`", "DATABASE_URL"]);
    assert!(!said.contains("hush"), "{said}");
}

#[test]
fn a_server_without_tls_is_told_with_sslmode() {
    let directory = TempDir::new().expect("a directory");
    let url = format!("{}?sslmode=require", refusing());
    let said = refused(directory.path(), &["migrate"], &url);
    must_say(&said, &["no TLS", "sslmode", "DATABASE_URL"]);
    assert!(!said.contains("hush"), "{said}");
}

#[test]
fn a_server_that_is_away_is_named_with_the_setting() {
    let directory = TempDir::new().expect("a directory");
    let said = refused(
        directory.path(),
        &["migrate"],
        "postgres://u:hush@127.0.0.1:1/name",
    );
    must_say(
        &said,
        &["127.0.0.1, port 1", "out of reach", "DATABASE_URL"],
    );
    assert!(!said.contains("hush"), "{said}");
}

#[test]
fn with_the_port_taken_nothing_of_the_database_is_touched() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let listen = taken.local_addr().expect("an address").to_string();
    let database = Database::new();
    let serve = |url: &str| -> Output {
        let environment = [("DATABASE_URL", url), ("WORKGRAPH_LISTEN", listen.as_str())];
        command(path, &["serve"], &environment)
            .output()
            .expect("runs")
    };
    for url in ["sqlite:./workgraph.db", &database.url(ROLE)] {
        let refused = serve(url);
        let said = text(&refused.stderr);
        assert!(!refused.status.success());
        must_say(&said, &[&listen, "WORKGRAPH_LISTEN"]);
    }
    assert_eq!(path.read_dir().expect("a directory").count(), 0, "no file");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(sql(&database.url(ROLE), tables), "0", "no table");
}

#[test]
fn a_schema_that_is_behind_is_told_by_the_exit_status() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    let nowhere = refused(path, &["migrate", "--status"], "sqlite:./workgraph.db");
    must_say(&nowhere, &["there is no database"]);
    assert_eq!(path.read_dir().expect("a directory").count(), 0, "no file");
    fs::write(path.join("workgraph.db"), "").expect("writes");
    let database = Database::new();
    for url in ["sqlite:./workgraph.db", &database.url(ROLE)] {
        let run = |arguments: &[&str]| workgraph(path, arguments, &[("DATABASE_URL", url)]);
        let behind = run(&["migrate", "--status"]);
        assert_eq!(behind.status.code(), Some(1), "{url}");
        must_say(&text(&behind.stdout), &["missing  m20261122_000001_people"]);
        must_say(
            &text(&behind.stderr),
            &["steps behind", "workgraph migrate"],
        );
        let migrated = run(&["migrate"]);
        must_say(
            &text(&migrated.stdout),
            &["is up to date now; it took ", " steps"],
        );
        must_say(&text(&run(&["migrate"]).stdout), &["up to date already"]);
        let current = run(&["migrate", "--status"]);
        assert!(current.status.success(), "{}", text(&current.stderr));
    }
}
