//! Files that are their owner's alone.

#![cfg(unix)]

use crate::{command, serving::Running, workgraph};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o777
}

#[test]
fn the_made_secret_is_its_owners_alone() {
    let directory = TempDir::new().expect("a directory");
    workgraph(directory.path(), &["migrate"], &[]);
    let secret = directory.path().join("workgraph.db.secret");
    let first = fs::read_to_string(&secret).expect("is there");
    assert_eq!(mode(&secret), 0o600);
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o644)).expect("sets");
    workgraph(directory.path(), &["migrate"], &[]);
    assert_eq!(mode(&secret), 0o600, "it is tightened");
    let second = fs::read_to_string(&secret).expect("is there");
    assert_eq!(first, second, "it is kept");
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
