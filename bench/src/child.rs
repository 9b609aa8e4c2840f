//! Other programs, run as child processes.

use crate::Result;
use std::{env, path::PathBuf};
use tokio::process::Command;

/// Runs a command to its end and returns what it printed.
///
/// # Errors
/// With what it printed, when it fails.
pub(crate) async fn output(command: &mut Command) -> Result<String> {
    let name = command.as_std().get_program().to_string_lossy().to_string();
    let output = command.output().await;
    let output = output.map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name} failed: {}", said.trim()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Finds a program on the PATH, or where Debian keeps servers, which is not on everyone's.
///
/// # Errors
/// When it is not installed.
pub(crate) fn find(name: &str, package: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("there is no {name}. On Debian: apt-get install {package}").into())
}
