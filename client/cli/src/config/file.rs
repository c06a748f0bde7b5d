// SPDX-License-Identifier: Apache-2.0

//! The file: read, and checked against the options of the command line.

use super::sections::{command_at, command_line_only, is_secret, keys, Key, Keys, SECTIONS};
use clap::{
    error::{ContextKind, ContextValue, ErrorKind},
    Arg, ArgAction, Command,
};
use std::{
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use toml_edit::{Document, TableLike, Value};
use tos_sdk::error::Error;

/// Most bytes a file may have.
pub const MAX_FILE: u64 = 64 * 1024;
/// Most values of one key.
const MAX_VALUES: usize = 256;

/// A reason to refuse a file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Io(#[from] std::io::Error),
    /// It is a folder, a pipe or the like.
    #[error("it is not a file")]
    NotAFile,
    /// Its commands would be run for whom it does not belong to.
    #[error("every user of this machine can write to it, and it names programs to run: chmod o-w")]
    Writable,
    /// It is too long.
    #[error("it has more than {MAX_FILE} bytes")]
    TooLong,
    /// It is not TOML.
    #[error("{0}")]
    Syntax(String),
    /// A key that stands before any section.
    #[error("`{key}` stands outside of a section{}", hint(.near))]
    Outside {
        /// The key.
        key: String,
        /// Its places.
        near: Vec<String>,
    },
    /// There is no such section.
    #[error("there is no section [{name}]{}", hint(.near))]
    Section {
        /// Its name.
        name: String,
        /// Names like it.
        near: Vec<String>,
    },
    /// There is no such key.
    #[error("[{section}] has no key `{key}`{}", hint(.near))]
    Key {
        /// The section.
        section: &'static str,
        /// The key.
        key: String,
        /// Names like it.
        near: Vec<String>,
    },
    /// A secret.
    #[error(
        "[{section}] {key}: a secret does not belong into this file: keep the key in the keystore \
         (`tos keys import`), its password in a file of its own ([key] password-file), and an \
         endpoint's key in a variable ([miner] api-key-env)"
    )]
    Secret {
        /// The section.
        section: String,
        /// The key.
        key: String,
    },
    /// An option for the command line.
    #[error("[{section}] {key} can only be given on the command line: {why}")]
    CommandLineOnly {
        /// The section.
        section: String,
        /// The key.
        key: String,
        /// The reason.
        why: &'static str,
    },
    /// A value of another type.
    #[error("[{section}] {key} must be {wanted}, not {found}")]
    Type {
        /// The section.
        section: &'static str,
        /// The key.
        key: String,
        /// Types it takes.
        wanted: &'static str,
        /// The type it has.
        found: &'static str,
    },
    /// Too many values.
    #[error("[{section}] {key} has {count} values: no more than {MAX_VALUES} are allowed")]
    TooMany {
        /// The section.
        section: &'static str,
        /// The key.
        key: String,
        /// Their number.
        count: usize,
    },
    /// A value that the option refuses.
    #[error("[{section}] {key}: {why}")]
    Value {
        /// The section.
        section: &'static str,
        /// The key.
        key: String,
        /// The option's words.
        why: String,
    },
}

fn hint(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!(": did you mean {}?", near.join(" or ")),
    }
}

/// A fault and its place.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {fault}", .path.display(), .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line, where it is of one line.
    pub line: Option<usize>,
    /// The fault.
    pub fault: Fault,
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Usage(problem.to_string())
    }
}

/// A key of the file with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The section.
    pub section: &'static str,
    /// The key.
    pub key: String,
    /// The identifier of the option.
    pub id: String,
    /// The option, such as `--url`.
    pub option: String,
    /// The command it is of; nothing where it is of every command that has the option.
    pub command: Option<&'static [&'static str]>,
    /// The line.
    pub line: usize,
    /// Its values, as text.
    pub values: Vec<String>,
    /// Arguments that stand for it on the command line.
    pub tokens: Vec<String>,
}

impl Entry {
    /// `true` if the command at `path` takes it.
    pub fn is_for(&self, command: &Command, path: &[&str]) -> bool {
        match self.command {
            Some(own) => own == path,
            None => command
                .get_arguments()
                .any(|arg| arg.get_id() == self.id.as_str()),
        }
    }
}

/// A checked file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path.
    pub path: PathBuf,
    /// Its keys, from top to bottom.
    pub entries: Vec<Entry>,
}

impl File {
    /// Reads and checks a file. `root` is built.
    pub fn read(root: &Command, path: &Path) -> Result<Self, Problem> {
        let problem = |fault| Problem {
            path: path.to_owned(),
            line: None,
            fault,
        };
        let text = text_of(path).map_err(problem)?;
        Self::parse(root, path, &text)
    }

    /// Checks the text of a file.
    pub fn parse(root: &Command, path: &Path, text: &str) -> Result<Self, Problem> {
        let problem = |at: Option<usize>, fault| Problem {
            path: path.to_owned(),
            line: at.map(|at| line_at(text, at)),
            fault,
        };
        let document = Document::parse(text).map_err(|error| {
            let fault = Fault::Syntax(error.message().replace('\n', ", "));
            problem(error.span().map(|span| span.start), fault)
        })?;
        let known = keys(root);
        let mut entries = Vec::new();
        for (name, item) in document.as_table().iter() {
            let start = |table: &dyn TableLike, key: &str| {
                let span = table.key(key).and_then(|key| key.span());
                span.map(|span| span.start)
            };
            let at =
                start(document.as_table(), name).or_else(|| item.span().map(|span| span.start));
            let Some(table) = item.as_table_like() else {
                let fault = outside(&known, name);
                return Err(problem(at, fault));
            };
            let Some(section) = SECTIONS.iter().find(|section| section.name == name) else {
                let all = SECTIONS.iter().map(|section| section.name);
                let near = near(name, all)
                    .iter()
                    .map(|near| format!("[{near}]"))
                    .collect();
                let name = name.to_owned();
                return Err(problem(at, Fault::Section { name, near }));
            };
            for (key, item) in table.iter() {
                let at = start(table, key).or_else(|| item.span().map(|span| span.start));
                let own = known
                    .iter()
                    .find(|known| known.section.name == name && known.name == key);
                let own = own.ok_or_else(|| problem(at, unknown(&known, section.name, key)))?;
                let entry = item.as_value().ok_or(Fault::Type {
                    section: section.name,
                    key: key.to_owned(),
                    wanted: "a value",
                    found: "a table",
                });
                let entry = entry.and_then(|value| entry_of(own, value, text));
                let mut entry = entry.map_err(|fault| problem(at, fault))?;
                entry.line = at.map_or(1, |at| line_at(text, at));
                for token in &entry.tokens {
                    accepted(root, own, token).map_err(|fault| problem(at, fault))?;
                }
                entries.push(entry);
            }
        }
        entries.sort_by_key(|entry| entry.line);
        Ok(Self {
            path: path.to_owned(),
            entries,
        })
    }
}

/// The text of a file, within its limit.
fn text_of(path: &Path) -> Result<String, Fault> {
    if path == Path::new("/dev/null") {
        return Ok(String::new());
    }
    // Before it is opened: to open a pipe is to wait for its writer.
    let about = std::fs::metadata(path)?;
    if !about.is_file() {
        return Err(Fault::NotAFile);
    }
    if about.permissions().mode() & 0o002 != 0 {
        return Err(Fault::Writable);
    }
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(MAX_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(Fault::TooLong);
    }
    Ok(text)
}

fn line_at(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// Names like `name`, the most like first.
fn near<'a>(name: &str, all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    // Two letters that changed places are all there is to a short name.
    let typo = |known: &str| strsim::osa_distance(name, known) <= 1 && known.len() > 2;
    let mut all: Vec<_> = all
        .map(|known| (strsim::jaro(name, known), known))
        .filter(|(likeness, known)| *likeness > 0.7 || typo(known))
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let best = all.first().map_or(0.0, |(likeness, _)| *likeness);
    let all = all
        .into_iter()
        .take_while(|(likeness, _)| best - likeness < 0.1);
    all.take(2).map(|(_, known)| known).collect()
}

/// Other places of a key of this name.
fn elsewhere(known: &[Key<'_>], key: &str) -> Vec<String> {
    let dashed = key.replace('_', "-");
    known
        .iter()
        .filter(|known| known.name == dashed || known.arg.get_long() == Some(dashed.as_str()))
        .map(|known| format!("[{}] {}", known.section.name, known.name))
        .take(4)
        .collect()
}

fn outside(known: &[Key<'_>], key: &str) -> Fault {
    if is_secret(key) {
        let (section, key) = (String::from("(no section)"), key.to_owned());
        return Fault::Secret { section, key };
    }
    Fault::Outside {
        key: key.to_owned(),
        near: elsewhere(known, key),
    }
}

fn unknown(known: &[Key<'_>], section: &'static str, key: &str) -> Fault {
    if is_secret(key) {
        return Fault::Secret {
            section: section.to_owned(),
            key: key.to_owned(),
        };
    }
    if let Some(why) = command_line_only(key) {
        return Fault::CommandLineOnly {
            section: section.to_owned(),
            key: key.to_owned(),
            why,
        };
    }
    let own = known.iter().filter(|known| known.section.name == section);
    let mut near: Vec<String> = near(key, own.map(|known| known.name.as_str()))
        .into_iter()
        .map(|near| format!("`{near}`"))
        .collect();
    let others = elsewhere(known, key);
    if !others.is_empty() {
        near = others;
    }
    Fault::Key {
        section,
        key: key.to_owned(),
        near,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::InlineTable(_) => "a table",
    }
}

/// `true` if an option may be given more than once, or takes a list.
pub fn is_list(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append) || arg.get_value_delimiter().is_some()
}

/// `true` if an option takes no value.
pub fn is_flag(arg: &Arg) -> bool {
    !arg.get_action().takes_values()
}

/// The entry that a value makes; its line is not known yet.
fn entry_of(key: &Key<'_>, value: &Value, text: &str) -> Result<Entry, Fault> {
    let (section, arg) = (key.section.name, key.arg);
    let wrong = |wanted, found: &Value| Fault::Type {
        section,
        key: key.name.clone(),
        wanted,
        found: type_of(found),
    };
    let option = format!("--{}", arg.get_long().unwrap_or_default());
    // As it is written, so that 0.1 stays 0.1.
    let plain = |value: &Value, wanted| match value {
        Value::String(text) => Ok(text.value().clone()),
        Value::Integer(number) => Ok(number.value().to_string()),
        Value::Float(_) => {
            let written = value.span().and_then(|span| text.get(span));
            Ok(written.unwrap_or_default().trim().replace('_', ""))
        }
        other => Err(wrong(wanted, other)),
    };
    let (values, tokens) = if is_flag(arg) {
        let on = value
            .as_bool()
            .ok_or_else(|| wrong("true or false", value))?;
        let tokens = on.then(|| option.clone()).into_iter().collect();
        (vec![on.to_string()], tokens)
    } else {
        let values = match value {
            Value::Array(list) if is_list(arg) => {
                if list.len() > MAX_VALUES {
                    return Err(Fault::TooMany {
                        section,
                        key: key.name.clone(),
                        count: list.len(),
                    });
                }
                let list = list.iter();
                list.map(|value| plain(value, "a list of texts or numbers"))
                    .collect::<Result<_, _>>()?
            }
            other if is_list(arg) => vec![plain(other, "a text, a number or a list of them")?],
            other => vec![plain(other, "a text or a number")?],
        };
        let tokens = values.iter().map(|value| format!("{option}={value}"));
        let tokens = tokens.collect();
        (values, tokens)
    };
    let command = match key.section.keys {
        Keys::OfCommand(path) => Some(path),
        Keys::Named(_) | Keys::Others => None,
    };
    Ok(Entry {
        section,
        key: key.name.clone(),
        id: arg.get_id().to_string(),
        option,
        command,
        line: 1,
        values,
        tokens,
    })
}

/// Asks the option itself whether it takes a value.
fn accepted(root: &Command, key: &Key<'_>, token: &str) -> Result<(), Fault> {
    debug_assert!(command_at(root, key.path).is_some());
    let program = std::iter::once("tos").chain(key.path.iter().copied());
    let Err(error) = root
        .clone()
        .try_get_matches_from(program.chain(std::iter::once(token)))
    else {
        return Ok(());
    };
    let of_value = matches!(
        error.kind(),
        ErrorKind::ValueValidation
            | ErrorKind::InvalidValue
            | ErrorKind::WrongNumberOfValues
            | ErrorKind::TooManyValues
            | ErrorKind::TooFewValues
            | ErrorKind::InvalidUtf8
    );
    // What else is missing on the line is for the command to say.
    let option = format!("--{}", key.arg.get_long().unwrap_or_default());
    let about = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(arg)) => arg.split([' ', '=']).next() == Some(option.as_str()),
        _ => false,
    };
    if !(of_value && about) {
        return Ok(());
    }
    let message = error.to_string();
    let why = message
        .lines()
        .take_while(|line| !line.starts_with("Usage"));
    let why: Vec<_> = why.map(str::trim).filter(|line| !line.is_empty()).collect();
    let why = why.join("; ");
    let why = why.strip_prefix("error: ").unwrap_or(&why);
    let why = why.split("; For more information").next().unwrap_or(why);
    Err(Fault::Value {
        section: key.section.name,
        key: key.name.clone(),
        why: why.to_owned(),
    })
}
