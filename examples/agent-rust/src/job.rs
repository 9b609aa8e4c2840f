//! A job as an agent has it, and what came of it.

use crate::server::once;
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fs, io::ErrorKind, path::Path, process::ExitStatus};

/// With this (`EX_TEMPFAIL`) a command says that it failed in passing.
const IN_PASSING: i32 = 75;

/// Which try of which job it is.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Held {
    /// The job.
    pub id: String,
    /// The number of the try.
    pub attempt: i32,
}

impl Held {
    /// An input about it that says so and so under a name.
    pub fn input(&self, name: &str, said: Value) -> Value {
        json!({ "jobId": self.id, "attempt": self.attempt, name: said })
    }

    /// What is handed in when the command has ended.
    pub fn outcome(&self, status: ExitStatus, output: &str) -> Outcome {
        if status.success() {
            let input = self.input("result", json!({ "exitCode": 0, "output": output }));
            return Outcome::new("Complete", input);
        }
        let code = { status.code() }.map_or_else(|| status.to_string(), |code| code.to_string());
        let error = format!("The command ended with {code}.\n{output}");
        let mut input = self.input("error", error.trim().into());
        input["transient"] = (status.code() == Some(IN_PASSING)).into();
        Outcome::new("Fail", input)
    }
}

/// A job as it was claimed.
#[derive(Deserialize)]
pub struct Job {
    /// Which try of it.
    #[serde(flatten)]
    pub held: Held,
    /// What is to be done, such as `implement_prd`.
    pub action: String,
    /// All that must be known for it.
    pub payload: Value,
}

/// What came of a job: a mutation that says it.
#[derive(Deserialize, Serialize)]
pub struct Outcome {
    pub mutation: String,
    pub input: Value,
}

impl Outcome {
    fn new(mutation: &str, input: Value) -> Self {
        let mutation = mutation.to_owned();
        Self {
            mutation,
            input: once(input),
        }
    }
}

/// What an agent must know when it is started again.
#[derive(Default, Deserialize, Serialize)]
pub struct Kept {
    /// Its session.
    pub session: Option<String>,
    /// What came of its last job, if the server may not have it yet.
    pub outcome: Option<Outcome>,
}

impl Kept {
    /// What a file has.
    pub fn read(file: &Path) -> Result<Self> {
        match fs::read(file) {
            Ok(read) => serde_json::from_slice(&read).context("that is not what an agent keeps"),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
        .with_context(|| format!("{} cannot be read", file.display()))
    }

    /// Writes it into a file, as a whole or not at all.
    pub fn write(&self, file: &Path) -> Result<()> {
        let new = file.with_extension("new");
        { serde_json::to_vec(self).map_err(Into::into) }
            .and_then(|text| fs::write(&new, text))
            .and_then(|()| fs::rename(&new, file))
            .with_context(|| format!("{} cannot be written", file.display()))
    }
}
