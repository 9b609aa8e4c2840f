//! Settings in the environment.

use super::SECRET;
use clap::Command;
use std::{env, ffi::OsStr};

/// What our variables begin with.
const PREFIX: &str = "WORKGRAPH_";
/// Variables with that beginning that are somebody else's: the build's, and those of the clients and their tests.
const OTHERS: [&str; 3] = ["WORKGRAPH_SKIP_", "WORKGRAPH_URL", "WORKGRAPH_TOKEN"];
/// What Kubernetes sets in every container beside a service called `workgraph`.
const ORCHESTRATED: [&str; 2] = ["WORKGRAPH_SERVICE_", "WORKGRAPH_PORT_"];

/// Reads the environment as people write it: an empty variable is one that is not set, and spaces or a newline around a
/// value are no part of it. An empty key stays, to be refused: whoever sets one wants none but theirs.
#[must_use]
pub fn with_environment(command: Command) -> Command {
    command.mut_args(|argument| {
        let value = argument.get_env().and_then(env::var_os);
        let Some(value) = value.as_deref().and_then(OsStr::to_str) else {
            return argument;
        };
        match value.trim() {
            "" if argument.get_id() == SECRET => argument,
            "" => argument.env(None::<&'static str>),
            trimmed if trimmed == value => argument,
            // Under the command line like the variable, and over the file, whose values are defaults already.
            trimmed => {
                let trimmed = trimmed.to_owned();
                let is_shown = !argument.get_action().takes_values();
                argument
                    .env(None::<&'static str>)
                    .hide_default_value(!is_shown)
                    .default_value(trimmed)
            }
        }
    })
}

/// The names of variables that look like settings and are none, as far as somebody may have meant them.
#[must_use]
pub fn unknown_variables(command: &Command) -> Vec<String> {
    let known: Vec<&OsStr> = command
        .get_arguments()
        .filter_map(|argument| argument.get_env())
        .collect();
    let mut unknown: Vec<String> = env::vars_os()
        .filter(|(name, _)| !known.contains(&name.as_os_str()))
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
        .filter(|(name, value)| is_meant(name, &value.to_string_lossy()))
        .map(|(name, _)| name)
        .collect();
    unknown.sort();
    unknown
}

fn is_meant(name: &str, value: &str) -> bool {
    let is_port_of_service = name == "WORKGRAPH_PORT" && value.contains("://");
    let mut others = OTHERS.iter().chain(&ORCHESTRATED);
    name.starts_with(PREFIX)
        && !is_port_of_service
        && !others.any(|beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_set_is_not_meant() {
        for (name, value) in [
            ("WORKGRAPH_LISEN", "127.0.0.1:1"),
            ("WORKGRAPH_PORT", "8080"),
        ] {
            assert!(is_meant(name, value), "{name}");
        }
        for (name, value) in [
            ("PATH", "/bin"),
            ("WORKGRAPH_SKIP_GRAPHIQL", "1"),
            ("WORKGRAPH_TOKEN", "x"),
            ("WORKGRAPH_PORT", "tcp://10.0.0.1:8080"),
            ("WORKGRAPH_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("WORKGRAPH_SERVICE_HOST", "10.0.0.1"),
        ] {
            assert!(!is_meant(name, value), "{name}");
        }
    }
}
