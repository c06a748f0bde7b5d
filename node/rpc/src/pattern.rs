// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Names of methods and functions in options: one, or all that begin alike.

use std::{fmt, str::FromStr};

/// Names that are offered in place of a mistyped one.
const NEAR: usize = 3;

/// A method, or all whose names begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    stem: String,
    pub(super) is_prefix: bool,
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (stem, is_prefix) = match text.strip_suffix('*') {
            Some(stem) => (stem, true),
            None => (text, false),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.is_empty() || !stem.chars().all(is_name) {
            return Err("a method's name, or its beginning and a star".into());
        }
        Ok(Self {
            stem: stem.into(),
            is_prefix,
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.stem, if self.is_prefix { "*" } else { "" })
    }
}

impl Pattern {
    /// `true` if the pattern names this method.
    pub fn fits(&self, name: &str) -> bool {
        if self.is_prefix {
            name.starts_with(&self.stem)
        } else {
            name == self.stem
        }
    }

    /// Fails when no method fits: a list with a mistake in it must not pass for one that works.
    pub(super) fn check(&self, option: &str, names: &[&'static str]) -> Result<(), String> {
        if names.iter().any(|name| self.fits(name)) {
            return Ok(());
        }
        let mut near: Vec<_> = names
            .iter()
            .map(|name| (strsim::jaro_winkler(&self.stem, name), *name))
            .collect();
        near.sort_by(|(a, one), (b, other)| b.total_cmp(a).then(one.cmp(other)));
        let near: Vec<_> = near.into_iter().take(NEAR).map(|(_, name)| name).collect();
        Err(format!(
            "{option} {self}: this node has no such RPC method; near are {}",
            near.join(", ")
        ))
    }
}
