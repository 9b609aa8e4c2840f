//! Importing files, as people have them.

use crate::{text, workgraph};
use std::{fs, path::Path};
use tempfile::TempDir;

/// A directory with a demo workspace and these files.
fn desk(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    workgraph(directory.path(), &["seed"], &[]);
    for (name, content) in files {
        write(directory.path(), name, content);
    }
    directory
}

fn write(directory: &Path, name: &str, content: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("makes");
    fs::write(path, content).expect("writes");
}

/// Imports, and returns whether it went well and all it said.
fn import(directory: &Path, database: &Path, paths: &[&str]) -> (bool, String) {
    let url = format!("sqlite:{}", database.join("workgraph.db").display());
    let arguments = [&["import", "--workspace", "demo"], paths].concat();
    let ran = workgraph(directory, &arguments, &[("DATABASE_URL", &url)]);
    (ran.status.success(), text(&ran.stdout) + &text(&ran.stderr))
}

const MONDAY: &str = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Nora>Monday it is\n";
const TUESDAY: &str = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Omar>Tuesday it is\n";

#[test]
fn files_of_one_name_in_two_folders_are_two_meetings() {
    let desk = desk(&[
        ("2026-11-20/closed_caption.vtt", MONDAY),
        ("2026-11-21/closed_caption.vtt", TUESDAY),
    ]);
    let (root, import) = (desk.path(), |at: &Path, paths: &[&str]| {
        import(at, desk.path(), paths)
    });
    for folder in ["2026-11-20", "2026-11-21"] {
        let (well, said) = import(root, &[folder]);
        assert!(well && said.contains("imported 1 meeting,"), "{said}");
    }
    // However they are named afterwards, they are the same two.
    let absolute = root.join("2026-11-21/closed_caption.vtt");
    let absolute = absolute.to_str().expect("text");
    let within = root.join("2026-11-20");
    for (at, paths, unchanged) in [
        (root, &["2026-11-20", "2026-11-21"][..], 2),
        (root, &["2026-11-20/closed_caption.vtt", absolute], 2),
        (&within, &["."], 1),
        (&within, &["closed_caption.vtt", "../2026-11-21"], 2),
    ] {
        let (well, said) = import(at, paths);
        let told = format!("imported 0 meetings, 0 skills, 0 subagents; {unchanged} unchanged");
        assert!(well && said.contains(&told), "{paths:?}: {said}");
    }
    write(
        root,
        "2026-11-21/closed_caption.vtt",
        &TUESDAY.replace("it is", "it was"),
    );
    let (well, said) = import(root, &["2026-11-20", "2026-11-21"]);
    assert!(
        well && said.contains("imported 1 meeting, 0 skills, 0 subagents; 1 unchanged"),
        "{said}"
    );
}

#[test]
fn a_file_that_is_named_and_not_taken_is_told() {
    let desk = desk(&[
        ("minutes.json", "{\"segments\":[]}"),
        ("meeting.docx", "not really a document"),
        ("talk.vtt", MONDAY),
        ("folder/picture.png", ""),
        ("folder/talk.vtt", TUESDAY),
    ]);
    let import = |paths: &[&str]| import(desk.path(), desk.path(), paths);
    let (well, said) = import(&["minutes.json", "meeting.docx", "talk.vtt", "missing.vtt"]);
    assert!(!well && said.contains("imported 1 meeting,"), "{said}");
    for name in ["minutes.json", "meeting.docx", "missing.vtt"] {
        assert!(said.contains(&format!("{name}: ")), "{name}: {said}");
    }
    let (well, said) = import(&["folder"]);
    assert!(well && said.contains("1 passed over"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let desk = desk(&[]);
    let made = std::process::Command::new("mkfifo")
        .arg(desk.path().join("talk.vtt"))
        .status();
    assert!(made.expect("runs").success());
    let (well, said) = import(desk.path(), desk.path(), &["talk.vtt"]);
    assert!(!well && said.contains("regular file"), "{said}");
}

#[test]
fn a_skill_is_one_in_any_case() {
    let desk = desk(&[(
        "skills/tidy-desk/skill.md",
        "---\nname: tidy-desk\ndescription: Use it at the end of a day\n---\nTidy.\n",
    )]);
    let (well, said) = import(desk.path(), desk.path(), &["skills"]);
    assert!(well && said.contains("1 skill, 0 subagents"), "{said}");
}

#[test]
fn a_workspace_may_have_a_name_in_any_script() {
    let directory = TempDir::new().expect("a directory");
    let found = |arguments: &[&str]| {
        let owner = [
            "create-workspace",
            "--owner-email",
            "ada@example.com",
            "--name",
        ];
        workgraph(directory.path(), &[&owner, arguments].concat(), &[])
    };
    for (name, slug) in [
        ("日本語 株式会社", "ri-ben-yu-zhu-shi-hui-she\n"),
        ("Москва", "moskva\n"),
        ("Ünïcode Größe", "unicode-grosse\n"),
    ] {
        let founded = found(&[name]);
        assert_eq!(text(&founded.stdout), slug, "{}", text(&founded.stderr));
    }
    for arguments in [
        &["…"][..],
        &["Moskva"],
        &["System"],
        &["Other", "--slug", "Not a slug"],
    ] {
        let refused = found(arguments);
        let said = text(&refused.stderr);
        assert!(
            !refused.status.success() && said.contains("--slug"),
            "{arguments:?}: {said}"
        );
    }
    assert_eq!(text(&found(&["…", "--slug", "dots"]).stdout), "dots\n");
}

#[test]
fn what_an_earlier_version_imported_is_recognised() {
    let desk = desk(&[("2026-11-20/closed_caption.vtt", MONDAY)]);
    let import = |paths: &[&str]| import(desk.path(), desk.path(), paths);
    assert!(import(&["2026-11-20"]).0);
    // Files were known by their path below the given folder, which another folder's file had as well.
    let path = desk.path().join("workgraph.db");
    let earlier = "UPDATE meetings SET \"externalId\" = 'import:closed_caption.vtt' \
                   WHERE \"externalId\" LIKE 'import:%'";
    let changed = |statement: &str| {
        tokio::runtime::Runtime::new()
            .expect("a runtime")
            .block_on(async {
                use sea_orm::ConnectionTrait;
                let url = format!("sqlite:{}", path.display());
                let connection = sea_orm::Database::connect(url).await.expect("connects");
                let changed = connection.execute_unprepared(statement).await;
                changed.expect("changes").rows_affected()
            })
    };
    assert_eq!(changed(earlier), 1);
    write(desk.path(), "2026-11-21/closed_caption.vtt", TUESDAY);
    let (well, said) = import(&["."]);
    assert!(
        well && said.contains("imported 1 meeting, 0 skills, 0 subagents; 1 unchanged"),
        "{said}"
    );
    write(
        desk.path(),
        "2026-11-20/closed_caption.vtt",
        &MONDAY.replace("it is", "it was"),
    );
    let (well, said) = import(&["."]);
    assert!(
        well && said.contains("imported 1 meeting, 0 skills, 0 subagents; 1 unchanged"),
        "{said}"
    );
    // The changed file is a version of its meeting, and no third one.
    assert_eq!(
        changed(earlier.replace("closed_caption.vtt'", "' || id").as_str()),
        2
    );
}
