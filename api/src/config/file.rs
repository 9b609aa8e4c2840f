//! Settings in a TOML file.

use super::{example, reason};
use clap::{Arg, Command};
use std::{fs, path::Path};

/// Puts a TOML file's settings under the command line and the environment, as new defaults.
///
/// # Errors
/// When the file cannot be read, has a key that is no setting, or a value that its setting cannot have.
pub fn with_file(mut command: Command, path: &Path) -> Result<Command, String> {
    let file = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        format!("{file}: {error}. Name a TOML file, for example WORKGRAPH_CONFIG=workgraph.toml")
    })?;
    let table: toml::Table = text
        .parse()
        .map_err(|error| format!("{file}, {}", wrong_line(&text, &error)))?;
    for (key, value) in table {
        let id = key.replace('-', "_");
        let argument = command
            .get_arguments()
            .find(|argument| argument.get_id() == id.as_str() && id != "config");
        let Some(argument) = argument else {
            return Err(format!(
                "{file}: `{key}` is no setting; see workgraph --help"
            ));
        };
        let value = written(&value);
        check(argument, &value).map_err(|reason| {
            let example = example(argument, &reason);
            let example = in_toml(argument, &example);
            format!("{file}: `{key}`: {reason}. Write for example {key} = {example}")
        })?;
        command = command.mut_arg(id, |argument| argument.default_value(value));
    }
    Ok(command)
}

/// A value as the command line has it: the parts of a list are separated by commas.
fn written(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(parts) => parts.iter().map(written).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Whether a setting can have a value, whatever else is set.
fn check(argument: &Arg, value: &str) -> Result<(), String> {
    let alone = argument
        .clone()
        .global(false)
        .env(None::<&'static str>)
        .default_value(value.to_owned());
    let mut command = Command::new("workgraph").no_binary_name(true).arg(alone);
    command.build();
    let named = command.get_arguments().next().map(ToString::to_string);
    let named = named.unwrap_or_default();
    match command.try_get_matches_from(None::<&str>) {
        Ok(_) => Ok(()),
        Err(error) => {
            let reason = reason(&error);
            let behind = reason.split_once(&format!("'{named}': "));
            Err(behind.map_or(reason.clone(), |(_, behind)| behind.to_owned()))
        }
    }
}

/// An example as TOML writes it.
fn in_toml(argument: &Arg, example: &str) -> String {
    if argument.get_value_delimiter().is_some() {
        return format!("[\"{example}\"]");
    }
    match argument.get_id().as_str() {
        // What makes one stands in the example for a shell.
        super::SECRET => "\"…\", of what `openssl rand -hex 32` prints".to_owned(),
        _ if example == "true" || example.parse::<u64>().is_ok() => example.to_owned(),
        _ => format!("\"{example}\""),
    }
}

/// What is wrong with a file that is no TOML, without a word of what stands in it: it may be a secret.
fn wrong_line(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
    format!("line {line}: it is not TOML: {}", error.message())
}
