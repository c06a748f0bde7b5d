// SPDX-License-Identifier: Apache-2.0

//! `tos config`.

use super::Global;
use crate::{
    config::{places, rows, template, File, Parsed},
    output::{table, Output},
};
use serde_json::json;
use std::{io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf};
use tos_sdk::error::{Error, Result};

/// See `tos config --help`.
#[derive(clap::Subcommand)]
pub enum Config {
    /// Show the value of every key, and where it comes from.
    Show,
    /// Check a file without doing anything.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Write a file to begin with: all keys, commented out.
    Init {
        /// The file, which must not exist. [default: $XDG_CONFIG_HOME/tos/tos.toml or
        /// ~/.config/tos/tos.toml]
        file: Option<PathBuf>,
    },
}

impl Config {
    /// Runs the command.
    pub(super) fn run(&self, global: &Global, parsed: &Parsed, output: Output) -> Result<()> {
        match self {
            Self::Show => show(global, parsed, output),
            Self::Check { file } => {
                let checked = File::read(&parsed.command, file)?;
                let keys = checked.entries.len();
                output.show(&json!({"file": file, "keys": keys}), || {
                    format!("{}: fine, {keys} keys", file.display())
                });
                Ok(())
            }
            Self::Init { file } => init(file.clone(), parsed, output),
        }
    }
}

fn show(global: &Global, parsed: &Parsed, output: Output) -> Result<()> {
    let mut rows = rows(parsed);
    for row in &mut rows {
        // The one default that is not a fixed text.
        if (row.section, row.key.as_str()) == ("data", "dir") && row.values.is_empty() {
            row.values = vec![global.folder()?.display().to_string()];
            row.source = "default".into();
        }
    }
    let file = parsed.file.as_ref().map(|file| &file.path);
    output.show(&json!({"file": file, "values": rows}), || {
        let cells: Vec<_> = rows
            .iter()
            .map(|row| {
                let values = match row.values.as_slice() {
                    [] => "-".to_owned(),
                    values => values.join(", "),
                };
                vec![
                    format!("[{}] {}", row.section, row.key),
                    values,
                    row.source.clone(),
                ]
            })
            .collect();
        let file = match file {
            Some(file) => format!("file: {}", file.display()),
            None => "file: none; `tos config init` writes one".into(),
        };
        format!("{file}\n{}", table(&["key", "value", "from"], &cells))
    });
    Ok(())
}

fn init(file: Option<PathBuf>, parsed: &Parsed, output: Output) -> Result<()> {
    let file = file
        .or_else(|| places().into_iter().next())
        .ok_or_else(|| Error::Usage("no home directory: say which file".into()))?;
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::Usage(format!(
            "{} exists already: remove it, or name another file",
            file.display()
        )),
        _ => Error::Failed(format!("writing {}: {error}", file.display())),
    };
    if let Some(folder) = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    // It names programs that will be run, and addresses of webhooks are often secrets.
    let mut options = std::fs::OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    let mut new = options.open(&file).map_err(failed)?;
    new.write_all(template(&parsed.command).as_bytes())
        .map_err(failed)?;
    output.show(&json!({"file": file}), || {
        format!("wrote {}", file.display())
    });
    Ok(())
}
