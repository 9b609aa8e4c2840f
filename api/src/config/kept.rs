//! Keys that are made once and kept in a file that only its owner can read.

use crate::private_file;
use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

/// The text of a file, which is made where there is none. An empty file is what a start leaves that was killed before it
/// wrote the key.
pub(super) fn kept(path: &Path, make: impl FnOnce() -> String) -> io::Result<String> {
    private_file::tighten(path);
    match read(path) {
        Ok(text) if !text.is_empty() => Ok(text),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => write(path, make),
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    // Whoever makes it just now has it locked, so that nobody reads half of it.
    file.lock_shared()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// Of several that start at once one makes the key, and the others read it.
fn write(path: &Path, make: impl FnOnce() -> String) -> io::Result<String> {
    let mut file = private_file::open(path)?;
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    if text.is_empty() {
        text = make();
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    Ok(text)
}
