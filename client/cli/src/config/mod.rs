// SPDX-License-Identifier: Apache-2.0

//! The configuration file, `tos.toml`.
//!
//! A value of the file becomes an option of the command line, unless the command line or the
//! environment says that option already. So the file knows every option there is, checks it by the
//! same rules, and loses against both: option, environment, file, default, in this order.

mod file;
mod sections;
mod show;
mod template;
#[cfg(test)]
mod tests;

pub use file::{Entry, File};
pub use show::rows;
pub use template::template;

use clap::{parser::ValueSource, ArgMatches, Command};
use std::{ffi::OsString, path::PathBuf};
use tos_sdk::error::Error;

/// A parsed command line.
pub struct Parsed {
    /// Its values, those of the file among them.
    pub matches: ArgMatches,
    /// Values of the command line and the environment alone.
    pub sources: Sources,
    /// The file, if there is one.
    pub file: Option<File>,
    /// Flags that the command line switches off, by their long names.
    pub off: Vec<String>,
    /// The definition of the command line.
    pub command: Command,
}

/// Values of the command line and the environment, without the file.
pub type Sources = ArgMatches;

/// A reason for which a command line was not parsed.
pub enum Failure {
    /// Help, or an error of the command line. With a note about the file's part in it.
    Clap(clap::Error, Option<String>),
    /// An error of the file, and whether it is to be shown as JSON.
    File(Error, bool),
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::Clap(error, None)
    }
}

/// Places where a file is looked for that was not named, the first one first.
pub fn places() -> Vec<PathBuf> {
    let set = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    let own = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    let own = own.map(|folder| folder.join("tos").join("tos.toml"));
    own.into_iter()
        .chain([PathBuf::from("/etc/tos/tos.toml")])
        .collect()
}

/// The names of the subcommands, and the values of the last one.
fn leaf(matches: &ArgMatches) -> (Vec<&str>, &ArgMatches) {
    let (mut path, mut matches) = (Vec::new(), matches);
    while let Some((name, sub)) = matches.subcommand() {
        path.push(name);
        matches = sub;
    }
    (path, matches)
}

/// `true` if the command line or the environment gives the option.
fn is_given(matches: &ArgMatches, id: &str) -> bool {
    let known = matches.try_contains_id(id).unwrap_or(false);
    let source = known.then(|| matches.value_source(id)).flatten();
    matches!(
        source,
        Some(ValueSource::CommandLine | ValueSource::EnvVariable)
    )
}

/// `true` if two options of a command exclude each other.
fn exclude(command: &Command, one: &str, other: &str) -> bool {
    let conflicts = |one: &str, other: &str| {
        let arg = command.get_arguments().find(|arg| arg.get_id() == one);
        arg.is_some_and(|arg| {
            let conflicts = command.get_arg_conflicts_with(arg);
            conflicts.iter().any(|arg| arg.get_id() == other)
        })
    };
    let one_of_group = command.get_groups().any(|group| {
        let has = |id: &str| group.get_args().any(|arg| arg == id);
        has(one) && has(other) && !group.clone().is_multiple()
    });
    one != other && (one_of_group || conflicts(one, other) || conflicts(other, one))
}

/// Parses a command line, with what a file adds to it. `places` are where one is looked for that
/// the command line does not name.
pub fn parse(
    mut command: Command,
    mut arguments: Vec<OsString>,
    places: &[PathBuf],
) -> Result<Parsed, Failure> {
    // First without the file, and without being strict: a missing option may be in the file. The
    // setting reaches subcommands only while they are not built.
    let lenient = command.clone().ignore_errors(true);
    command.build();
    let mut off = Vec::new();
    // Each that is taken may uncover the subcommand that stands behind it.
    let sources = loop {
        let sources = lenient.clone().try_get_matches_from(&arguments)?;
        let before = arguments.clone();
        if let Some(own) = sections::command_at(&command, &leaf(&sources).0) {
            off.extend(take_switches(own, &mut arguments));
        }
        if arguments == before {
            break sources;
        }
    };
    let (path, given) = leaf(&sources);
    let strict = |arguments: &[OsString]| command.clone().try_get_matches_from(arguments);
    let plain = |file| -> Result<Parsed, Failure> {
        Ok(Parsed {
            matches: strict(&arguments)?,
            sources: sources.clone(),
            file,
            off: off.clone(),
            command: command.clone(),
        })
    };
    let Some(own) = sections::command_at(&command, &path).filter(|own| !own.has_subcommands())
    else {
        return plain(None);
    };
    if matches!(path.as_slice(), ["config", "check" | "init"] | ["commands"]) {
        return plain(None);
    }

    let named = given.get_one::<PathBuf>("config").cloned();
    let found = named.or_else(|| places.iter().find(|place| place.exists()).cloned());
    let Some(found) = found else {
        return plain(None);
    };
    let file = File::read(&command, &found)
        .map_err(|problem| Failure::File(problem.into(), given.get_flag("json")))?;

    let all_given: Vec<_> = own
        .get_arguments()
        .map(|arg| arg.get_id().as_str())
        .filter(|id| is_given(given, id))
        .collect();
    let added: Vec<&Entry> = file
        .entries
        .iter()
        .filter(|entry| entry.is_for(own, &path) && !is_given(given, &entry.id))
        .filter(|entry| !off.iter().any(|name| entry.option == format!("--{name}")))
        .filter(|entry| !all_given.iter().any(|id| exclude(own, &entry.id, id)))
        .collect();
    let matches = strict(&with(&arguments, &added)).map_err(|error| {
        let lines: Vec<_> = added
            .iter()
            .map(|entry| format!("{} (line {})", entry.option, entry.line))
            .collect();
        let note = format!("{} gives {}", file.path.display(), lines.join(", "));
        let of_both = error.use_stderr() && !lines.is_empty();
        Failure::Clap(error, of_both.then_some(note))
    })?;
    Ok(Parsed {
        matches,
        sources: sources.clone(),
        file: Some(file),
        off: off.clone(),
        command: command.clone(),
    })
}

/// Reads `--FLAG=true` and `--FLAG=false`, by which the command line wins over a file that says
/// otherwise. Leaves `--FLAG` for the first and nothing for the second, and returns the names of
/// those that are switched off.
fn take_switches(command: &Command, arguments: &mut Vec<OsString>) -> Vec<String> {
    let mut off = Vec::new();
    // What follows `--` is no option.
    let end = arguments.iter().position(|argument| argument == "--");
    let rest = arguments.split_off(end.unwrap_or(arguments.len()));
    arguments.retain_mut(|argument| {
        let Some((name, value)) = argument.to_str().and_then(|text| {
            let (name, value) = text.strip_prefix("--")?.split_once('=')?;
            Some((name.to_owned(), value.parse::<bool>().ok()?))
        }) else {
            return true;
        };
        let mut own = command.get_arguments();
        if !own.any(|arg| arg.get_long() == Some(&name) && file::is_flag(arg)) {
            return true;
        }
        *argument = format!("--{name}").into();
        if !value {
            off.push(name);
        }
        value
    });
    arguments.extend(rest);
    off
}

/// The command line with entries of the file.
fn with(arguments: &[OsString], entries: &[&Entry]) -> Vec<OsString> {
    let tokens = entries.iter().flat_map(|entry| &entry.tokens);
    // What follows `--` is no option.
    let end = arguments.iter().position(|argument| argument == "--");
    let (options, rest) = arguments.split_at(end.unwrap_or(arguments.len()));
    let tokens = tokens.map(OsString::from);
    let all = options.iter().cloned().chain(tokens);
    all.chain(rest.iter().cloned()).collect()
}
