//! The program as a self-hoster meets it: its commands, its settings, and what it refuses.

#![expect(
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod audit;
mod database;
mod development;
mod environment;
mod import;
mod keys;
mod postgres;
mod private;
mod serving;
mod start;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// Runs the program in a directory of its own, without any setting of the caller's.
fn workgraph(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    command(directory, arguments, environment)
        .output()
        .expect("runs")
}

fn command(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_workgraph"));
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .current_dir(directory);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_wrong_setting_is_named_and_stops_the_start() {
    let directory = TempDir::new().expect("a directory");
    fs::write(
        directory.path().join("typo.toml"),
        "lisen = \"127.0.0.1:1\"",
    )
    .expect("writes");
    fs::write(directory.path().join("wrong.toml"), "listen = \"nonsense\"").expect("writes");
    type Refusal<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let refused: [Refusal<'_>; 9] = [
        (
            &[("WORKGRAPH_LISTEN", "nonsense")],
            &["--listen", "nonsense"],
        ),
        (
            &[("DATABASE_URL", "mysql://x")],
            &["--database-url", "postgres://"],
        ),
        (
            &[("WORKGRAPH_DATABASE_CONNECTIONS", "1")],
            &["--database-connections"],
        ),
        (&[("WORKGRAPH_SECRET", "short")], &["--secret", "32"]),
        (&[("WORKGRAPH_LOG", "loud")], &["loud", "debug"]),
        (
            &[("WORKGRAPH_LISTEN", "0.0.0.0:0")],
            &["WORKGRAPH_SECRET", "0.0.0.0"],
        ),
        (&[("WORKGRAPH_CONFIG", "missing.toml")], &["missing.toml"]),
        (
            &[("WORKGRAPH_CONFIG", "typo.toml")],
            &["typo.toml", "lisen"],
        ),
        (
            &[("WORKGRAPH_CONFIG", "wrong.toml")],
            &["wrong.toml", "`listen`", "listen = \"127.0.0.1:8080\""],
        ),
    ];
    for (environment, words) in refused {
        let output = workgraph(directory.path(), &["serve"], environment);
        let said = text(&output.stderr);
        assert!(!output.status.success(), "{environment:?} started");
        for word in words {
            assert!(
                said.contains(word),
                "{environment:?} says {said}, not {word}"
            );
        }
    }
}

#[test]
fn a_secret_is_never_repeated() {
    let directory = TempDir::new().expect("a directory");
    for (setting, value, option) in [
        ("WORKGRAPH_SECRET", "hush", "--secret"),
        ("WORKGRAPH_KEYS", "hush", "--keys"),
        ("DATABASE_URL", "postgres://u:hush@h:x/y", "--database-url"),
    ] {
        for arguments in [&["serve"][..], &["--help"]] {
            let output = workgraph(directory.path(), arguments, &[(setting, value)]);
            let said = text(&output.stderr) + &text(&output.stdout);
            assert!(said.contains(option) && !said.contains("hush"), "{said}");
        }
    }
}

#[test]
fn help_names_every_setting() {
    let directory = TempDir::new().expect("a directory");
    let help = text(&workgraph(directory.path(), &["--help"], &[]).stdout);
    for setting in [
        "DATABASE_URL",
        "WORKGRAPH_DATABASE_CONNECTIONS",
        "WORKGRAPH_LISTEN",
        "WORKGRAPH_SECRET",
        "WORKGRAPH_NO_DEMO",
        "WORKGRAPH_LOG",
        "WORKGRAPH_LOG_JSON",
        "WORKGRAPH_CONFIG",
    ] {
        assert!(help.contains(setting), "{setting}");
    }
}

#[test]
fn the_schema_needs_no_database() {
    let directory = TempDir::new().expect("a directory");
    let output = workgraph(
        directory.path(),
        &["schema"],
        &[("DATABASE_URL", "postgres://127.0.0.1:1/none")],
    );
    assert!(text(&output.stdout).contains("type Query"));
}

#[test]
fn a_database_is_migrated_and_seeded_once() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    let run = |arguments: &[&str]| text(&workgraph(path, arguments, &[]).stdout);
    let nowhere = workgraph(path, &["token"], &[]);
    assert!(!nowhere.status.success() && text(&nowhere.stderr).contains("there is no database"));
    let left = path.read_dir().expect("a directory").count();
    assert_eq!(left, 0, "it makes nothing");
    assert!(run(&["migrate"]).contains("up to date now"));
    assert!(run(&["migrate", "--status"]).contains("up to date"));
    assert!(run(&["seed"]).contains("in place"));
    assert!(run(&["seed"]).contains("nothing was changed"));
    for workspace in ["demo", "acme", "system"] {
        assert!(
            run(&["verify-ledger", "--workspace", workspace]).contains("complete and unaltered")
        );
    }
    let token = run(&["token", "--workspace", "demo", "--role", "viewer"]);
    assert_eq!(
        (token.lines().count(), token.matches('.').count()),
        (1, 2),
        "one token alone: {token}"
    );
}

#[test]
fn a_workspace_that_is_not_there_is_told_from_those_that_are() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    workgraph(path, &["migrate"], &[]);
    fs::write(path.join("talk.txt"), "Nora Field: hello\n").expect("writes");
    let commands: [&[&str]; 4] = [
        &["token", "--workspace", "nowhere"],
        &[
            "set-password",
            "--email",
            "a@b.example",
            "--workspace",
            "nowhere",
        ],
        &["verify-ledger", "--workspace", "nowhere"],
        &["import", "talk.txt", "--workspace", "nowhere"],
    ];
    for instead in ["create-workspace", "acme, demo"] {
        for arguments in commands {
            let refused = workgraph(path, arguments, &[]);
            let said = text(&refused.stderr);
            assert!(!refused.status.success() && refused.stdout.is_empty());
            assert!(
                said.contains("workspace `nowhere`") && said.contains(instead),
                "{arguments:?}: {said}"
            );
            let help = text(&workgraph(path, &[arguments[0], "--help"], &[]).stdout);
            assert!(help.contains("[default: demo]"), "{help}");
        }
        workgraph(path, &["seed"], &[]);
    }
}

#[test]
fn who_chose_a_slug_that_is_none_is_told_what_one_is() {
    let directory = TempDir::new().expect("a directory");
    for (slug, like) in [
        ("Bad Slug", "bad-slug"),
        ("a--b", "a-b"),
        ("…", "hill-dale"),
        ("system", "hill-dale"),
    ] {
        let arguments = [
            "create-workspace",
            "--name",
            "Hill",
            "--owner-email",
            "ada@example.com",
            "--slug",
            slug,
        ];
        let refused = workgraph(directory.path(), &arguments, &[]);
        let said = text(&refused.stderr);
        let right = format!("for example --slug {like}");
        assert!(
            !refused.status.success()
                && said.contains("a slug has at most 40 small letters")
                && said.contains(&right),
            "{slug}: {said}"
        );
    }
}

#[test]
fn a_commands_own_options_stand_apart_from_those_of_all() {
    let directory = TempDir::new().expect("a directory");
    let help = text(&workgraph(directory.path(), &["import", "--help"], &[]).stdout);
    let (own, of_all) = help
        .split_once("Settings of every command:")
        .expect("a heading");
    assert!(
        own.contains("--project") && !own.contains("DATABASE_URL"),
        "{help}"
    );
    let (settings, limits) = of_all.split_once("Limits:").expect("a heading");
    for setting in ["DATABASE_URL", "WORKGRAPH_LOG", "WORKGRAPH_CONFIG"] {
        assert!(settings.contains(setting), "{help}");
    }
    assert!(limits.contains("WORKGRAPH_BODY_BYTES"), "{help}");
}

#[test]
fn a_workspace_is_founded_without_the_demo() {
    let directory = TempDir::new().expect("a directory");
    let found = |name: &str, email: &str| {
        let arguments = ["create-workspace", "--name", name, "--owner-email", email];
        workgraph(directory.path(), &arguments, &[])
    };
    let founded = found("Hill & Dale", "Ada@Example.com");
    assert_eq!(
        text(&founded.stdout),
        "hill-dale\n",
        "{}",
        text(&founded.stderr)
    );
    for (name, email, word) in [
        ("Hill & Dale", "ada@example.com", "already"),
        ("", "ada@example.com", "name"),
        ("…", "ada@example.com", "choose one with --slug"),
        ("System", "ada@example.com", "choose one with --slug"),
        ("Other", "nobody", "owner-email"),
    ] {
        let refused = found(name, email);
        assert!(
            !refused.status.success() && text(&refused.stderr).contains(word),
            "{name} {email}"
        );
    }
    let set_password = |email: &str, password: &str| {
        let arguments = ["set-password", "--workspace", "hill-dale", "--email", email];
        let mut command = command(directory.path(), &arguments, &[]);
        let mut child = command
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("starts");
        let mut stdin = child.stdin.take().expect("is piped");
        writeln!(stdin, "{password}").expect("sends");
        drop(stdin);
        child.wait_with_output().expect("ends")
    };
    for (email, password, word) in [
        ("ada@example.com", "too short", "12 characters"),
        ("eve@example.com", "a long enough one", "eve@example.com"),
    ] {
        let refused = set_password(email, password);
        let told = text(&refused.stderr);
        assert!(!refused.status.success() && told.contains(word), "{told}");
        assert!(!told.contains(password), "{told}");
    }
    let set = set_password("Ada@example.com", "a long enough one");
    assert!(set.status.success(), "{}", text(&set.stderr));
    let token = workgraph(
        directory.path(),
        &["token", "--workspace", "hill-dale"],
        &[],
    );
    assert_eq!(text(&token.stdout).matches('.').count(), 2);
    let seeded = workgraph(directory.path(), &["seed"], &[]);
    assert!(text(&seeded.stdout).contains("nothing was changed"));
}
