//! Files that are their owner's alone.

#![cfg(unix)]

use crate::{command, serving::Running, workgraph};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o777
}

/// What is in a directory, but for what the test puts there.
fn names(directory: &Path) -> Vec<String> {
    let entries = directory.read_dir().expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.retain(|name| name != "errors.log");
    names.sort();
    names
}

fn serve(directory: &Path) {
    drop(Running::start(
        directory,
        &[("WORKGRAPH_LISTEN", "127.0.0.1:0")],
    ));
}

#[test]
fn the_made_secret_is_its_owners_alone() {
    let directory = TempDir::new().expect("a directory");
    serve(directory.path());
    let secret = directory.path().join("workgraph.db.secret");
    let first = fs::read_to_string(&secret).expect("is there");
    assert_eq!(mode(&secret), 0o600);
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o644)).expect("sets");
    serve(directory.path());
    assert_eq!(mode(&secret), 0o600, "it is tightened");
    let second = fs::read_to_string(&secret).expect("is there");
    assert_eq!(first, second, "it is kept");
    assert!(first.len() >= 32);
}

#[test]
fn a_start_that_was_killed_before_it_had_a_key_is_made_good() {
    let directory = TempDir::new().expect("a directory");
    let secret = directory.path().join("workgraph.db.secret");
    fs::write(&secret, "").expect("writes");
    serve(directory.path());
    assert!(fs::read_to_string(&secret).expect("is there").len() >= 32);
    let left = names(directory.path());
    let known = [
        "workgraph.db",
        "workgraph.db-shm",
        "workgraph.db-wal",
        "workgraph.db.keys",
        "workgraph.db.secret",
    ];
    assert!(
        left.iter().all(|name| known.contains(&name.as_str())),
        "{left:?}"
    );
}

#[test]
fn only_who_signs_tokens_has_a_key() {
    let directory = TempDir::new().expect("a directory");
    fs::write(directory.path().join("talk.txt"), "Nora Field: hello\n").expect("writes");
    let commands: [&[&str]; 6] = [
        &["migrate"],
        &["migrate", "--status"],
        &[
            "create-workspace",
            "--name",
            "demo",
            "--owner-email",
            "ada@example.com",
        ],
        &["verify-ledger"],
        &["import", "talk.txt"],
        &["seed"],
    ];
    for arguments in commands {
        let ran = workgraph(directory.path(), arguments, &[]);
        assert!(ran.status.success(), "{arguments:?}");
    }
    // The demo would be sealed with the other key.
    let left = ["talk.txt", "workgraph.db", "workgraph.db.keys"];
    assert_eq!(names(directory.path()), left);
}

#[test]
fn the_database_is_its_owners_alone_whatever_the_umask() {
    let directory = TempDir::new().expect("a directory");
    let program = env!("CARGO_BIN_EXE_workgraph");
    let open = format!("umask 000; exec {program} migrate");
    let made = Command::new("sh")
        .args(["-c", &open])
        .env_clear()
        .current_dir(directory.path())
        .status();
    assert!(made.expect("runs").success());
    let database = directory.path().join("workgraph.db");
    assert_eq!(mode(&database), 0o600);

    // As an earlier version left them behind.
    fs::set_permissions(&database, PermissionsExt::from_mode(0o666)).expect("sets");
    let environment = [("WORKGRAPH_LISTEN", "127.0.0.1:0")];
    let server = Running::start(directory.path(), &environment);
    for name in ["workgraph.db", "workgraph.db-wal", "workgraph.db-shm"] {
        assert_eq!(mode(&directory.path().join(name)), 0o600, "{name}");
    }
    drop(server);

    // Killed, it left them; somebody opened them to all.
    let wal = directory.path().join("workgraph.db-wal");
    assert!(wal.exists(), "a killed server leaves its log");
    fs::set_permissions(&wal, PermissionsExt::from_mode(0o644)).expect("sets");
    let told = command(directory.path(), &["verify-ledger"], &[]).output();
    let said = String::from_utf8_lossy(&told.expect("runs").stderr).into_owned();
    assert!(
        said.contains("workgraph.db-wal") && said.contains("644"),
        "{said}"
    );
}

#[test]
fn a_database_behind_a_link_is_its_owners_alone() {
    let directory = TempDir::new().expect("a directory");
    let (link, file) = (
        directory.path().join("workgraph.db"),
        directory.path().join("data.db"),
    );
    std::os::unix::fs::symlink(&file, &link).expect("links");
    workgraph(directory.path(), &["migrate"], &[]);
    assert_eq!(mode(&file), 0o600);
}
