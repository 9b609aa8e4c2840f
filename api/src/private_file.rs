//! Files that are their owner's alone, whatever the umask: the database and the key.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::Path,
};

/// What SQLite keeps beside its file. It gives them the file's own permissions when it makes them.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Makes a file that only its owner can read, with this content.
///
/// # Errors
/// If there is such a file, or it cannot be written.
pub(crate) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.write_all(content)
}

/// Takes from everyone else what they may do with a file; a warning tells of it.
pub(crate) fn tighten(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let Ok(metadata) = fs::metadata(path) else {
            return;
        };
        let mode = metadata.permissions().mode();
        if !metadata.is_file() || mode & 0o077 == 0 {
            return;
        }
        let (file, was) = (path.display(), format!("{:03o}", mode & 0o777));
        match fs::set_permissions(path, PermissionsExt::from_mode(mode & 0o700)) {
            Ok(()) => {
                tracing::warn!(%file, was, "others could use this file; now only its owner can");
            }
            Err(error) => tracing::warn!(%file, was, %error, "others can use this file"),
        }
    }
}

/// Makes a SQLite database its owner's alone, before SQLite opens or creates it, and after, if it did so itself.
pub(crate) fn claim_database(path: &Path) {
    // What fails here fails in SQLite as well, which says more.
    if !path.exists() && create(path, &[]).is_ok() {
        return;
    }
    // Behind a link, SQLite keeps its other files beside the real one.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    tighten(&real);
    for ending in BESIDE {
        let mut beside = OsString::from(&real);
        beside.push(ending);
        tighten(Path::new(&beside));
    }
}
