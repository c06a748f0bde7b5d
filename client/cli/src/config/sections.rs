// SPDX-License-Identifier: Apache-2.0

//! Sections of the file, and the options of the command line that their keys stand for.
//!
//! No option is declared here twice: the keys of a command's section are the names of its options,
//! read from the command line's own definition.

use clap::{Arg, Command};

/// Keys of a section.
#[derive(Clone, Copy)]
pub enum Keys {
    /// These keys, each for the option with this identifier.
    Named(&'static [(&'static str, &'static str)]),
    /// Every option of the section's command, by its long name.
    OfCommand(&'static [&'static str]),
    /// Every option of all commands that no other section names, by its long name.
    Others,
}

/// A section.
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// Purpose, for the template.
    pub about: &'static str,
    /// Its keys.
    pub keys: Keys,
}

/// All sections, in the order of the template.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "node",
        about: "The node to talk to.",
        keys: Keys::Named(&[("url", "url")]),
    },
    Section {
        name: "key",
        about: "The key to sign with. The file names keys and files; it never holds secrets.",
        keys: Keys::Named(&[
            ("name", "key"),
            ("password-file", "password_file"),
            ("scheme", "scheme"),
        ]),
    },
    Section {
        name: "data",
        about: "Where keys, journals and content are kept.",
        keys: Keys::Named(&[("dir", "data_dir")]),
    },
    Section {
        name: "transactions",
        about: "Transactions.",
        keys: Keys::Named(&[("wait", "wait"), ("timeout", "timeout"), ("tip", "tip")]),
    },
    Section {
        name: "log",
        about: "The log, always on stderr.",
        keys: Keys::Named(&[("filter", "log"), ("json", "log_json")]),
    },
    Section {
        name: "output",
        about: "Results.",
        keys: Keys::Named(&[("json", "json")]),
    },
    Section {
        name: "options",
        about: "Other options of every command.",
        keys: Keys::Others,
    },
    Section {
        name: "notify",
        about: "Notices of the workers: see docs/configuration.md.",
        keys: Keys::Named(&[
            ("command", "notify"),
            ("webhook", "notify_webhook"),
            ("events", "notify_events"),
        ]),
    },
    of_command("miner", "Options of `tos miner run`.", &["miner", "run"]),
    of_command("judge", "Options of `tos judge run`.", &["judge", "run"]),
    of_command(
        "storage",
        "Options of `tos storage run`.",
        &["storage", "run"],
    ),
    of_command(
        "audit",
        "Options of `tos storage audit`.",
        &["storage", "audit"],
    ),
];

/// A section for the options of one command.
const fn of_command(
    name: &'static str,
    about: &'static str,
    command: &'static [&'static str],
) -> Section {
    Section {
        name,
        about,
        keys: Keys::OfCommand(command),
    }
}

/// Options that the file cannot set, and why.
const COMMAND_LINE_ONLY: &[(&str, &str)] = &[
    ("config", "it says where the file is"),
    (
        "suri",
        "it is a secret: import it with `tos keys import` and name the key under [key]",
    ),
    (
        "forget_height",
        "it is for one start: kept in a file it would take the protection away for good",
    ),
];

/// Names that people give to secrets. A file that holds one is refused instead of read.
const SECRETS: &[&str] = &[
    "suri",
    "password",
    "passphrase",
    "phrase",
    "mnemonic",
    "seed",
    "secret",
    "private-key",
    "api-key",
    "token",
];

/// `true` if a key of this name would hold a secret.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('_', "-");
    SECRETS.contains(&key.as_str())
}

/// The reason for which an option of this long name or identifier is not for the file.
pub fn command_line_only(name: &str) -> Option<&'static str> {
    let id = name.replace('-', "_");
    let found = COMMAND_LINE_ONLY.iter().find(|(only, _)| *only == id);
    found.map(|(_, why)| *why)
}

/// An option as the file sees it.
pub struct Key<'a> {
    /// Its section.
    pub section: &'static Section,
    /// Its name there.
    pub name: String,
    /// The option.
    pub arg: &'a Arg,
    /// A command that has it; empty where every command has it.
    pub path: &'static [&'static str],
}

/// The command at `path`.
pub fn command_at<'a>(root: &'a Command, path: &[&str]) -> Option<&'a Command> {
    path.iter()
        .try_fold(root, |command, name| command.find_subcommand(name))
}

/// All keys there are. `root` is built.
pub fn keys(root: &Command) -> Vec<Key<'_>> {
    let commands = SECTIONS.iter().filter_map(|section| match section.keys {
        Keys::OfCommand(path) => Some(path),
        Keys::Named(_) | Keys::Others => None,
    });
    let commands: Vec<&'static [&'static str]> =
        std::iter::once(&[] as &[&str]).chain(commands).collect();
    let find = |id: &str| {
        commands.iter().find_map(|path| {
            let command = command_at(root, path)?;
            let arg = command.get_arguments().find(|arg| arg.get_id() == id)?;
            Some((arg, *path))
        })
    };
    let named = |id: &str| {
        SECTIONS.iter().any(|section| match section.keys {
            Keys::Named(keys) => keys.iter().any(|(_, named)| *named == id),
            Keys::OfCommand(_) | Keys::Others => false,
        })
    };
    let settable = |arg: &&Arg| {
        let id = arg.get_id().as_str();
        let builtin = ["help", "version"].contains(&id);
        arg.get_long().is_some() && !builtin && !named(id) && command_line_only(id).is_none()
    };
    let mut all = Vec::new();
    for section in SECTIONS {
        let own = |arg: &'_ Arg| arg.get_long().unwrap_or_default().to_owned();
        match section.keys {
            Keys::Named(keys) => {
                all.extend(keys.iter().filter_map(|(name, id)| {
                    let (arg, path) = find(id)?;
                    let name = (*name).to_owned();
                    Some(Key {
                        section,
                        name,
                        arg,
                        path,
                    })
                }));
            }
            Keys::OfCommand(path) => {
                let arguments = command_at(root, path).into_iter();
                let arguments = arguments.flat_map(|command| command.get_arguments());
                all.extend(
                    arguments
                        .filter(|arg| !arg.is_global_set())
                        .filter(settable)
                        .map(|arg| Key {
                            section,
                            name: own(arg),
                            arg,
                            path,
                        }),
                );
            }
            Keys::Others => {
                let arguments = root.get_arguments().filter(|arg| arg.is_global_set());
                all.extend(arguments.filter(settable).map(|arg| Key {
                    section,
                    name: own(arg),
                    arg,
                    path: &[],
                }));
            }
        }
    }
    all
}
