//! What the values of some settings must be.

use crate::http::TrustedDocuments;
use clap::{
    Arg, Command,
    builder::TypedValueParser,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::{ffi::OsStr, fs, marker::PhantomData, str::FromStr, thread::available_parallelism};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// How many database connections there are if nothing is said: more than four for each processor do no more work, and who
/// has most of them makes the others wait longer.
pub(super) fn connections() -> u32 {
    connections_for(available_parallelism().map_or(1, usize::from))
}

fn connections_for(processors: usize) -> u32 {
    u32::try_from(processors * 4).map_or(64, |connections| connections.clamp(8, 64))
}

/// What is logged: directives that each name a level. A word alone would be taken for the name of a part of the program,
/// and nothing else be logged.
pub(super) fn log_filter(text: &str) -> Result<String, String> {
    let names_level = |directive: &str| {
        let level = directive
            .rsplit_once('=')
            .map_or(directive, |(_, level)| level);
        !level.is_empty() && level.parse::<LevelFilter>().is_ok()
    };
    let mut directives = text.split(',').map(str::trim);
    if let Some(wrong) = directives.find(|directive| !names_level(directive)) {
        return Err(format!(
            "`{wrong}` names no level: write error, warn, info, debug, trace or off, alone or as workgraph=debug"
        ));
    }
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A page's origin, as browsers send it: no path, not even a slash.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', ' ', '*']) => {
            Ok(text.to_lowercase())
        }
        _ => Err("must be like https://dashboard.example, without a path".to_owned()),
    }
}

/// Where a dashboard is found: with a path perhaps, and without a slash behind it, so that a page's path follows.
pub(super) fn web_address(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_out = |char: char| char.is_whitespace() || char.is_control() || "?#<>\"".contains(char);
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !rest.contains(is_out) => {
            Ok(text.to_owned())
        }
        _ => Err(
            "must be like https://dashboard.example, without anything behind the path".to_owned(),
        ),
    }
}

/// The manifest in this file.
pub(super) fn manifest(file: &str) -> Result<TrustedDocuments, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    TrustedDocuments::read(&text).map_err(|why| format!("the file {why}"))
}

/// Reads a value that may hold a password: an error names the setting, but does not repeat the value.
#[derive(Clone)]
pub(super) struct Unrepeated<T>(PhantomData<fn() -> T>);

impl<T> Default for Unrepeated<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> TypedValueParser for Unrepeated<T>
where
    T: FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let text = value.to_str().ok_or_else(|| "is not UTF-8".to_owned());
        let text = text.map(str::trim).and_then(|text| match text {
            "" => Err("is empty; leave it out, or give it a value".to_owned()),
            text => Ok(text),
        });
        text.and_then(T::from_str).map_err(|reason| {
            let name = argument.map(ToString::to_string).unwrap_or_default();
            let message = format!("invalid value for '{name}': {reason}\n");
            let mut error = clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command);
            error.insert(ContextKind::InvalidArg, ContextValue::String(name));
            error
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directive_of_the_log_names_a_level() {
        for right in [
            "info",
            "WARN",
            "off",
            "info,sqlx=warn",
            "workgraph::store=debug, error",
            "[socket{id=7}]=trace",
        ] {
            assert!(log_filter(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "loud",
            "workgraph",
            "info,workgraph",
            "info,",
            "workgraph=",
            "workgraph=loud",
            "[socket]",
            "=info",
        ] {
            assert!(log_filter(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn there_are_four_connections_for_each_processor() {
        assert_eq!([1, 2, 4, 16, 100].map(connections_for), [8, 8, 16, 64, 64]);
    }
}
