//! Files that are their owner's alone, whatever the umask: the database and the key.

use std::{ffi::OsString, fs, io, path::Path};

/// What SQLite keeps beside its file. It gives them the file's own permissions when it makes them.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Opens a file that only its owner can read, to read and write it; it is made if there is none.
///
/// # Errors
/// If it cannot be opened or made.
pub(crate) fn open(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
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

/// Makes a SQLite database its owner's alone, before SQLite opens it, and the file if there is none.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn claim_database(path: &Path) -> io::Result<()> {
    // It follows a link to where there is no file yet, as SQLite would.
    if !path.exists() {
        return open(path).map(drop);
    }
    // Behind a link, SQLite keeps its other files beside the real one.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    tighten(&real);
    for ending in BESIDE {
        let mut beside = OsString::from(&real);
        beside.push(ending);
        tighten(Path::new(&beside));
    }
    Ok(())
}
