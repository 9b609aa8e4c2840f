//! The keys that secrets of other services are sealed with, as an operator has them in hand.

use crate::{text, workgraph};
use std::{fs, path::Path};
use tempfile::TempDir;

fn file(directory: &Path) -> String {
    fs::read_to_string(directory.join("workgraph.db.keys")).expect("there are keys")
}

fn said(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
    let output = workgraph(directory, arguments, environment);
    (
        output.status.success(),
        text(&output.stdout) + &text(&output.stderr),
    )
}

#[test]
fn keys_are_made_once_and_kept_beside_the_database() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    assert!(said(path, &["seed"], &[]).0);
    let keys = file(path);
    let (id, key) = keys.trim().split_once(':').expect("an id");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path.join("workgraph.db.keys"))
            .expect("is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let (is_well, listed) = said(path, &["keys", "list"], &[]);
    assert!(
        is_well && listed.contains(id) && !listed.contains(key),
        "{listed}"
    );
    assert_eq!(file(path), keys);
    let (is_well, new) = said(path, &["keys", "new"], &[]);
    assert!(
        is_well && new.lines().count() == 1 && !new.contains(key),
        "{new}"
    );
    // What is wrong is told without it.
    for (wrong, word) in [
        ("a:hush", "BASE64"),
        ("hush", "ID:BASE64"),
        (new.trim().split_once(':').expect("an id").1, "ID:BASE64"),
    ] {
        let (is_well, told) = said(path, &["keys", "list"], &[("WORKGRAPH_KEYS", wrong)]);
        assert!(
            !is_well && told.contains(word) && !told.contains("hush"),
            "{told}"
        );
        assert!(told.contains("--keys"), "{told}");
    }
}

#[test]
fn a_server_does_not_start_without_a_key_that_secrets_need() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    assert!(said(path, &["seed"], &[]).0);
    let keys = file(path);
    let old = keys.trim();
    let (id, key) = old.split_once(':').expect("an id");
    let new = said(path, &["keys", "new"], &[]).1;
    let new = new.trim();
    let listen = ("WORKGRAPH_LISTEN", "127.0.0.1:0");
    // Set without the old one, and lost with its file.
    for environment in [&[listen, ("WORKGRAPH_KEYS", new)][..], &[listen]] {
        if environment.len() == 1 {
            fs::remove_file(path.join("workgraph.db.keys")).expect("removes");
        }
        let (is_well, told) = said(path, &["serve"], environment);
        assert!(!is_well, "it serves");
        for word in [id, "the key is missing", "keys forget"] {
            assert!(told.contains(word), "{told}");
        }
        assert!(!told.contains(key), "{told}");
        let (is_well, told) = said(path, &["keys", "list"], environment);
        assert!(!is_well && told.contains("the key is missing"), "{told}");
    }
    // Both, then only the new one.
    let both = format!("{new},{old}");
    let (is_well, told) = said(path, &["keys", "rotate"], &[("WORKGRAPH_KEYS", &both)]);
    assert!(is_well && told.contains("sealed anew"), "{told}");
    let (is_well, told) = said(path, &["keys", "list"], &[("WORKGRAPH_KEYS", new)]);
    assert!(is_well, "{told}");
    // Lost for good.
    let another = said(path, &["keys", "new"], &[]).1;
    let another = [("WORKGRAPH_KEYS", another.trim())];
    let lost = new.split_once(':').expect("an id").0;
    let (is_well, told) = said(path, &["keys", "forget", lost], &another);
    assert!(!is_well && told.contains("would be deleted"), "{told}");
    // In a shell that lacks the server's settings, everything looks lost.
    fs::remove_file(path.join("workgraph.db.keys")).ok();
    let (is_well, told) = said(path, &["keys", "forget", lost, "--yes"], &[]);
    assert!(!is_well && told.contains("no key here at all"), "{told}");
    let (is_well, told) = said(path, &["keys", "forget", "nosuch", "--yes"], &another);
    assert!(!is_well && told.contains("keys list"), "{told}");
    let (is_well, told) = said(path, &["keys", "forget", lost, "--yes"], &another);
    assert!(is_well && told.contains("deleted"), "{told}");
    assert!(said(path, &["keys", "list"], &another).0);
    assert!(
        said(path, &["verify-ledger"], &another)
            .1
            .contains("complete and unaltered")
    );
}
