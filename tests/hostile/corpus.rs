//! The fuzz targets on an ordinary compiler: their corpus, and texts that are damaged the same way in every run.

use super::mutated::Dice;
use std::{
    collections::BTreeSet,
    fs, panic,
    path::{Path, PathBuf},
    thread,
};
use workgraph::{fuzzing, server};

/// How many damaged texts a target is given.
const DAMAGED: usize = 1500;

/// A target's name, and what it does with a text.
type Target = (&'static str, fn(&str));

const TARGETS: [Target; 4] = [
    ("cursor", fuzzing::cursor),
    ("document", fuzzing::document),
    ("request", |text| fuzzing::request(text.as_bytes())),
    ("transcript", fuzzing::transcript),
];

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(name)
}

/// The files in a directory.
fn files(path: &Path) -> Vec<PathBuf> {
    let entries = path.read_dir().expect("a directory");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

#[test]
fn no_target_is_left_out() {
    let names = |paths: Vec<PathBuf>| -> BTreeSet<_> {
        let stems = paths.iter().filter_map(|path| path.file_stem()?.to_str());
        stems.map(str::to_owned).collect()
    };
    let tried = TARGETS.map(|(name, _)| name.to_owned()).into();
    assert_eq!(names(files(&directory("targets"))), tried);
    assert_eq!(names(files(&directory("corpus"))), tried);
}

#[test]
fn nothing_that_is_read_from_strangers_panics() {
    for (name, read) in TARGETS {
        let worker = thread::Builder::new().stack_size(server::STACK);
        let tried = worker
            .spawn(move || try_target(name, read))
            .expect("starts");
        tried.join().expect(name);
    }
}

/// Gives a target all that is kept for it, and what comes of damaging that.
fn try_target(name: &str, read: fn(&str)) {
    let kept = files(&directory("corpus").join(name));
    let kept: Vec<_> = kept
        .iter()
        .map(|path| fs::read(path).expect("is read"))
        .collect();
    let mut dice = Dice(0x5eed_0000_0000_0002);
    let whole = kept
        .iter()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let damaged = (0..DAMAGED).map(|_| dice.damage(&kept));
    for text in whole.chain(damaged) {
        assert!(
            panic::catch_unwind(|| read(&text)).is_ok(),
            "{name} panics on {text:?}"
        );
    }
}
