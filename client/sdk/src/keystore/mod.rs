// SPDX-License-Identifier: Apache-2.0

//! The encrypted keystore: one file per key, in the JSON that polkadot.js reads and writes. Files of
//! earlier versions, sealed by Argon2id, are read as well.

mod account_file;
mod argon2_file;
mod error;
mod file;
mod lock;
mod pkcs8;

pub use error::FileError;
pub use file::{Format, KeyFile, OpenKey};

use crate::{
    error::{Context, Error, Result},
    files,
    keys::{development_name, Scheme},
};
use lock::Params;
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    fs,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

/// Environment variable that may hold the keystore's password. No child process sees it.
pub const PASSWORD_VARIABLE: &str = "TOS_PASSWORD";

/// A folder of key files.
pub struct Keystore {
    folder: PathBuf,
    params: Params,
}

impl Keystore {
    /// The keystore in `folder`, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        let params = Params::STRONG;
        Self { folder, params }
    }

    /// Seals the key of `suri` under `name`. Never replaces a key. The phrase itself is not kept.
    pub fn add(&self, name: &str, scheme: Scheme, suri: &str, password: &str) -> Result<KeyFile> {
        let path = self.path(name)?;
        let file = self.seal(name, scheme, suri, false, password)?;
        write_new(&path, &text(&file)?)?;
        Ok(file)
    }

    /// Seals the key of a file anew under `name`: a file of polkadot.js, or of an earlier version of
    /// this program. Never replaces another key. A file of this keystore is written anew in its
    /// place, with what other programs noted in it; one of the earlier format, which may hold the
    /// only copy of a phrase, is kept next to it with the ending `.old`.
    pub fn import(
        &self,
        name: &str,
        from: &Path,
        file_password: &str,
        password: &str,
    ) -> Result<KeyFile> {
        let path = self.path(name)?;
        let bytes = read(from)
            .map_err(|error| Error::Usage(format!("reading {}: {error}", from.display())))?;
        let told = |error: FileError| match error {
            FileError::WrongPassword => error.of(name),
            other => Error::Usage(format!("{}: {other}", from.display())),
        };
        let before = KeyFile::parse(name, &bytes).map_err(told)?;
        let key = before.open(file_password).map_err(told)?;
        let mut file = self.seal(name, before.scheme, &key.secret, key.development, password)?;
        if !is_same(from, &path) {
            write_new(&path, &text(&file)?)?;
            return Ok(file);
        }
        if before.format == Format::Argon2 {
            keep(&path.with_extension("json.old"), &bytes)?;
        }
        file.keep_meta(&before);
        files::replace(&path, &text(&file)?).context(format_args!("writing {}", path.display()))?;
        Ok(file)
    }

    /// Writes the sealed file of a key to `to`, which must not exist. Needs no password.
    pub fn export(&self, name: &str, to: &Path) -> Result<KeyFile> {
        let file = self.file(name)?;
        let Some(text) = file.text()? else {
            return Err(Error::Usage(self.advice(&file).unwrap_or_default()));
        };
        write_new(to, &text)?;
        Ok(file)
    }

    /// The key pair of a key, and the text of its secret.
    pub fn open(&self, name: &str, password: &str) -> Result<OpenKey> {
        let file = self.file(name)?;
        file.open(password).map_err(|error| error.of(name))
    }

    /// Facts about a key that need no password.
    pub fn file(&self, name: &str) -> Result<KeyFile> {
        let path = self.path(name)?;
        let bytes = match read(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return Err(Error::Usage(format!(
                    "no key named `{name}`: see `tos keys list`{}",
                    development(name)
                )))
            }
            read => read.context(format_args!("reading {}", path.display()))?,
        };
        KeyFile::parse(name, &bytes).map_err(|error| error.of(name))
    }

    /// All keys, by name.
    pub fn list(&self) -> Result<Vec<KeyFile>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.context(format_args!("reading {}", self.folder.display()))?,
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
            .filter(|name| is_name(name))
            .collect();
        names.sort();
        names.iter().map(|name| self.file(name)).collect()
    }

    /// Removes a key for good.
    pub fn remove(&self, name: &str) -> Result<AccountId32> {
        let file = self.file(name)?;
        fs::remove_file(self.path(name)?).context(format_args!("removing key `{name}`"))?;
        crate::keys::parse_account(&file.address).map_err(Error::Failed)
    }

    /// The command that writes a key of the earlier format anew; `None` for others.
    pub fn advice(&self, file: &KeyFile) -> Option<String> {
        let (name, path) = (&file.name, self.path(&file.name).ok()?);
        (file.format == Format::Argon2).then(|| {
            format!(
                "key `{name}` has the format of earlier versions: `tos keys import {name} \
                 --json-file {}` writes it anew",
                path.display()
            )
        })
    }

    fn seal(
        &self,
        name: &str,
        scheme: Scheme,
        suri: &str,
        development: bool,
        password: &str,
    ) -> Result<KeyFile> {
        if password.is_empty() {
            return Err(Error::Usage("an empty password protects nothing".into()));
        }
        KeyFile::seal(name, scheme, suri, development, password, self.params)
    }

    fn path(&self, name: &str) -> Result<PathBuf> {
        if !is_name(name) {
            return Err(Error::Usage(format!(
                "`{name}` is not a key name: use 1 to 64 letters, digits, - and _{}",
                development(name)
            )));
        }
        Ok(self.folder.join(format!("{name}.json")))
    }
}

/// Advice for one who asks the keystore for a development account; otherwise empty.
fn development(name: &str) -> String {
    match development_name(name.trim_start_matches('/')) {
        Some(name) => format!("; the development key of that name is --suri //{name}"),
        None => String::new(),
    }
}

fn is_name(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(letter)
}

/// The text of a file just sealed, which can be read again.
fn text(file: &KeyFile) -> Result<Vec<u8>> {
    let text = file
        .text()?
        .ok_or_else(|| Error::Failed("a key is written in one format alone".into()))?;
    if text.len() > file::MAX_LENGTH {
        return Err(FileError::TooLong(file::MAX_LENGTH).of(&file.name));
    }
    Ok(text)
}

/// A file, and no more of it than shows that it is too long.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(file::MAX_LENGTH as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `true` if both paths lead to one file.
fn is_same(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    real(a).is_some_and(|a| Some(a) == real(b))
}

/// Keeps a copy of a file, which may be there from a run that was interrupted.
fn keep(path: &Path, bytes: &[u8]) -> Result<()> {
    match read(path) {
        Ok(kept) if kept == bytes => Ok(()),
        _ => write_new(path, bytes),
    }
}

/// Writes a file that only its owner can read, whole or not at all, and never over another. When
/// this returns it survives a power cut.
fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::{io::Write, os::unix::fs::DirBuilderExt};
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let doing = format!("writing {}", path.display());
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .context(&doing)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).context(&doing)?;
    file.write_all(bytes).context(&doing)?;
    file.as_file().sync_all().context(&doing)?;
    file.persist_noclobber(path).map_err(|e| {
        if e.error.kind() == ErrorKind::AlreadyExists {
            Error::Usage(format!("{} exists already", path.display()))
        } else {
            Error::Failed(format!("{doing}: {}", e.error))
        }
    })?;
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .context(&doing)
}

#[cfg(test)]
mod tests;
