// SPDX-License-Identifier: Apache-2.0

//! A file to begin with: every key there is, commented out, with its help and its default.

use super::{
    file::{is_flag, is_list},
    sections::{keys, SECTIONS},
};
use clap::Command;

/// The text of the file. It sets nothing. `root` is built.
pub fn template(root: &Command) -> String {
    let known = keys(root);
    let mut lines = vec![
        "# Configuration of `tos`. Options and environment variables win over this file.".into(),
        "# `tos config check FILE` checks it; `tos config show` says where each value comes from."
            .into(),
        "# Paths are as on the command line: give them from the root, such as /var/lib/tos.".into(),
    ];
    for section in SECTIONS {
        let own: Vec<_> = known
            .iter()
            .filter(|key| key.section.name == section.name)
            .collect();
        if own.is_empty() {
            continue;
        }
        lines.push(String::new());
        lines.push(format!("# {}", section.about));
        lines.push(format!("[{}]", section.name));
        for key in own {
            let help = key.arg.get_help().map(ToString::to_string);
            let help = help.unwrap_or_default().replace('\n', " ");
            lines.push(format!("# {help}"));
            let defaults = key.arg.get_default_values().iter();
            let defaults: Vec<_> = defaults
                .map(|value| quoted(&value.to_string_lossy()))
                .collect();
            let name = key.arg.get_value_names().and_then(|names| names.first());
            let name = name.map_or_else(|| key.name.to_uppercase(), ToString::to_string);
            let value = match defaults.as_slice() {
                _ if is_flag(key.arg) => "false".to_owned(),
                [] if is_list(key.arg) => format!("[{}]", quoted(&name)),
                [] => quoted(&name),
                all if is_list(key.arg) => format!("[{}]", all.join(", ")),
                [first, ..] => first.clone(),
            };
            lines.push(format!("#{} = {value}", key.name));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A value as TOML: numbers as they are, everything else quoted.
fn quoted(value: &str) -> String {
    match value.parse::<u64>() {
        Ok(_) => value.to_owned(),
        Err(_) => {
            // JSON's escapes are those of TOML's basic strings.
            serde_json::Value::from(value).to_string()
        }
    }
}
