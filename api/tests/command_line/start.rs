//! Starts that are broken off, and several at once.

use crate::{command, text, workgraph};
use migration::{Migrator, MigratorTrait};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
    thread,
    time::Instant,
};
use tempfile::TempDir;

/// How often a start is broken off, each time at another moment.
const ROUNDS: u32 = 40;

const SETTINGS: [(&str, &str); 1] = [("WORKGRAPH_LISTEN", "127.0.0.1:0")];

/// A server that has begun to start, and is ended with its test.
struct Begun(Child);

impl Drop for Begun {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Begins to serve, and does not wait.
fn begin(directory: &Path) -> Begun {
    let mut command = command(directory, &[], &SETTINGS);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    Begun(child.expect("starts"))
}

/// Waits until a server says where it is; fails with what it says otherwise.
fn wait_until_served(server: &mut Begun) {
    let out = server.0.stdout.take().expect("is piped");
    let mut lines = BufReader::new(out).lines().map_while(Result::ok);
    if lines.any(|line| line.contains("http://")) {
        // It has more to say, to somebody who listens.
        thread::spawn(move || lines.for_each(drop));
        return;
    }
    let told = server.0.stderr.take().map(std::io::read_to_string);
    panic!("it does not serve: {told:?}");
}

/// The demo is whole.
fn is_whole(directory: &Path) {
    for workspace in ["demo", "acme", "system"] {
        let verified = workgraph(directory, &["verify-ledger", "--workspace", workspace], &[]);
        let said = text(&verified.stdout) + &text(&verified.stderr);
        assert!(
            said.contains("complete and unaltered"),
            "{workspace}: {said}"
        );
    }
    let status = text(&workgraph(directory, &["migrate", "--status"], &[]).stdout);
    assert!(status.contains("up to date"), "{status}");
    for entry in directory.read_dir().expect("a directory") {
        let name = entry.expect("an entry").file_name();
        let ending = name
            .to_str()
            .and_then(|name| name.strip_prefix("workgraph.db"));
        let known = ["", "-wal", "-shm", ".secret", ".keys"];
        assert!(
            ending.is_some_and(|ending| known.contains(&ending)),
            "{name:?} is left over"
        );
    }
}

/// A database as an earlier version left it, with so many of the steps.
fn old_database(directory: &Path, steps: u32) {
    let url = format!(
        "sqlite:{}?mode=rwc",
        directory.join("workgraph.db").display()
    );
    let runtime = workgraph::server::runtime().expect("a runtime");
    runtime.block_on(async {
        let connection = sea_orm::Database::connect(url).await.expect("connects");
        Migrator::up(&connection, Some(steps))
            .await
            .expect("migrates");
        connection.close().await.expect("closes");
    });
}

#[test]
fn a_start_that_was_broken_off_is_made_good_by_the_next() {
    let measured = TempDir::new().expect("a directory");
    let started = Instant::now();
    wait_until_served(&mut begin(measured.path()));
    let whole = started.elapsed();
    let steps = u32::try_from(Migrator::migrations().len()).expect("few");
    for round in 0..ROUNDS {
        let directory = TempDir::new().expect("a directory");
        if round % 2 == 1 {
            old_database(directory.path(), round / 2 % steps);
        }
        let mut broken = begin(directory.path());
        thread::sleep(whole * round / ROUNDS);
        broken.0.kill().expect("is killed");
        broken.0.wait().expect("ends");
        wait_until_served(&mut begin(directory.path()));
        is_whole(directory.path());
    }
}

#[test]
fn several_servers_start_at_once_on_one_file() {
    for round in 0..8 {
        let directory = TempDir::new().expect("a directory");
        if round % 2 == 1 {
            old_database(directory.path(), round);
        }
        let many = if round % 4 < 2 { 2 } else { 4 };
        let mut servers: Vec<_> = (0..many).map(|_| begin(directory.path())).collect();
        servers.iter_mut().for_each(wait_until_served);
        is_whole(directory.path());
    }
}
