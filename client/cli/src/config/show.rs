// SPDX-License-Identifier: Apache-2.0

//! Effective values, and where each comes from.

use super::{
    file::is_flag,
    leaf,
    sections::{keys, Key},
    Parsed,
};
use clap::parser::ValueSource;
use serde::Serialize;

/// A key with its effective value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The section.
    pub section: &'static str,
    /// The key.
    pub key: String,
    /// Its values; none where it is not set.
    pub values: Vec<String>,
    /// Their origin: `option`, `environment VARIABLE`, `FILE:LINE`, `default` or `not set`.
    pub source: String,
}

/// All keys, as they would be used.
pub fn rows(parsed: &Parsed) -> Vec<Row> {
    let keys = keys(&parsed.command);
    keys.iter().map(|key| row(parsed, key)).collect()
}

fn row(parsed: &Parsed, key: &Key<'_>) -> Row {
    let id = key.arg.get_id().as_str();
    let of = |values: Vec<String>, source: String| Row {
        section: key.section.name,
        key: key.name.clone(),
        values,
        source,
    };
    // Options of other commands cannot have been given to this one.
    let (_, given) = leaf(&parsed.sources);
    let known = key.arg.is_global_set() && given.try_contains_id(id).unwrap_or(false);
    let source = known.then(|| given.value_source(id)).flatten();
    if source == Some(ValueSource::CommandLine) {
        let raw = match is_flag(key.arg) {
            true => vec!["true".to_owned()],
            false => given.get_raw(id).map_or_else(Vec::new, |raw| {
                raw.map(|value| value.to_string_lossy().into_owned())
                    .collect()
            }),
        };
        return of(raw, "option".into());
    }
    if (parsed.off.iter()).any(|name| key.arg.get_long() == Some(name)) {
        return of(vec!["false".into()], "option".into());
    }
    let variable = key.arg.get_env().map(|name| name.to_string_lossy());
    if let Some(name) = variable {
        if let Some(value) = std::env::var_os(name.as_ref()) {
            let value = value.to_string_lossy().into_owned();
            return of(vec![value], format!("environment {name}"));
        }
    }
    let in_file = parsed.file.as_ref().and_then(|file| {
        let mut entries = file.entries.iter();
        let found =
            entries.find(|entry| entry.section == key.section.name && entry.key == key.name)?;
        Some((file, found))
    });
    if let Some((file, entry)) = in_file {
        let source = format!("{}:{}", file.path.display(), entry.line);
        return of(entry.values.clone(), source);
    }
    let defaults = key.arg.get_default_values().iter();
    let defaults: Vec<_> = defaults
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    match (is_flag(key.arg), defaults.is_empty()) {
        (true, _) => of(vec!["false".into()], "default".into()),
        (false, true) => of(defaults, "not set".into()),
        (false, false) => of(defaults, "default".into()),
    }
}
