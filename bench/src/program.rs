//! The program under test.

use crate::{Result, child};
use std::{
    env,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// Where the program is.
#[derive(Clone, Debug)]
pub struct Program(PathBuf);

impl Program {
    /// The program at this path or, if none is given, the one that cargo built beside this executable.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(path: Option<&Path>) -> Result<Self> {
        let path = match path {
            // The program runs in a directory of its own.
            Some(path) => std::path::absolute(path)?,
            None => beside(&env::current_exe()?),
        };
        if !path.is_file() {
            let path = path.display();
            return Err(format!(
                "There is no program at {path}. Build it with `cargo build --workspace --all-targets`, or run the tests \
                 with tests/run, which does."
            )
            .into());
        }
        Ok(Self(path))
    }

    /// A command that runs the program with these settings and no others.
    pub(crate) fn command(&self, directory: &Path, settings: &[(String, String)]) -> Command {
        let mut command = Command::new(&self.0);
        command
            .env_clear()
            .envs(settings.iter().cloned())
            .current_dir(directory)
            .kill_on_drop(true);
        command
    }

    /// Runs it to its end and returns what it printed.
    pub(crate) async fn run(
        &self,
        directory: &Path,
        settings: &[(String, String)],
        arguments: &[&str],
    ) -> Result<String> {
        let mut command = self.command(directory, settings);
        child::output(command.args(arguments)).await
    }
}

/// Tests are in `target/debug/deps`, programs in `target/debug`.
fn beside(executable: &Path) -> PathBuf {
    let directory = executable.parent().unwrap_or(Path::new("."));
    let directory = match directory.file_name() {
        Some(name) if name == "deps" => directory.parent().unwrap_or(directory),
        _ => directory,
    };
    directory.join(format!("workgraph{}", env::consts::EXE_SUFFIX))
}
