// SPDX-License-Identifier: Apache-2.0

//! A key file of either format.

use super::{
    account_file::{AccountFile, Opened, Plain},
    argon2_file::Argon2File,
    error::FileError,
    lock::Params,
};
use crate::{
    error::{Context, Result},
    keys::{Keypair, Scheme},
};
use polkadot_sdk::sp_core::{crypto::Ss58Codec, Pair};
use serde::{Deserialize, Serialize};
use tos_types::json::to_hex;
use zeroize::Zeroizing;

/// Length of the longest file that is read.
pub(super) const MAX_LENGTH: usize = 64 * 1024;

/// The format of a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Format {
    /// The JSON of polkadot.js.
    #[serde(rename = "polkadot-js")]
    PolkadotJs,
    /// The format of earlier versions, which is only read.
    #[serde(rename = "argon2")]
    Argon2,
}

/// A key as its file names it, without the password.
#[derive(Clone, Debug)]
pub struct KeyFile {
    /// The name it is used by.
    pub name: String,
    /// Its scheme.
    pub scheme: Scheme,
    /// Its account, as an SS58 address.
    pub address: String,
    /// Its public key.
    pub public_key: String,
    /// The format of its file.
    pub format: Format,
    contents: Contents,
}

#[derive(Clone, Debug)]
enum Contents {
    Account(Box<AccountFile>),
    Argon2(Box<Argon2File>),
}

/// A key whose file was opened.
pub struct OpenKey {
    /// The key pair.
    pub pair: Keypair,
    /// Text from which [`Keypair::from_suri`] makes the key pair again: the phrase or seed that was
    /// sealed in the earlier format, otherwise hexadecimal digits of the seed or, without one, of the
    /// expanded secret.
    pub secret: Zeroizing<String>,
    /// `true` if anyone can make this key, because it is one of those for development.
    pub development: bool,
}

impl KeyFile {
    /// Seals the key of a phrase, seed or expanded secret. `development` says that it is known to be
    /// one for development, where the text does not show that.
    pub(super) fn seal(
        name: &str,
        scheme: Scheme,
        suri: &str,
        development: bool,
        password: &str,
        params: Params,
    ) -> Result<Self> {
        let (pair, seed) = Keypair::from_suri_with_seed(scheme, suri)?;
        let plain = Plain {
            name,
            pair: &pair,
            seed: seed.as_deref(),
            development: development || Keypair::is_development(scheme, suri),
        };
        let sealed = AccountFile::seal(plain, password, params)?;
        Self::of_account(name, sealed).map_err(|error| error.of(name))
    }

    /// Reads a file.
    pub(super) fn parse(name: &str, text: &[u8]) -> Result<Self, FileError> {
        /// Fields that tell the formats apart.
        #[derive(Deserialize)]
        struct Marks {
            encoding: Option<serde::de::IgnoredAny>,
            argon2id: Option<serde::de::IgnoredAny>,
        }
        if text.len() > MAX_LENGTH {
            return Err(FileError::TooLong(MAX_LENGTH));
        }
        fn read<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, FileError> {
            serde_json::from_slice(text).map_err(|e| FileError::Unreadable(e.to_string()))
        }
        let marks: Marks = read(text)?;
        if marks.encoding.is_some() {
            return Self::of_account(name, read(text)?);
        }
        if marks.argon2id.is_none() {
            return Err(FileError::NoKeyFile);
        }
        let file = read::<Argon2File>(text)?.check()?;
        Ok(Self {
            name: name.into(),
            scheme: file.scheme,
            address: file.address.clone(),
            public_key: file.public_key.clone(),
            format: Format::Argon2,
            contents: Contents::Argon2(Box::new(file)),
        })
    }

    fn of_account(name: &str, file: AccountFile) -> Result<Self, FileError> {
        let public = file.public()?;
        Ok(Self {
            name: name.into(),
            scheme: public.scheme,
            address: public.account.to_ss58check(),
            public_key: to_hex(&public.key),
            format: Format::PolkadotJs,
            contents: Contents::Account(Box::new(file)),
        })
    }

    /// Takes over what other programs noted in a file of the same key, where both are files of
    /// polkadot.js.
    pub(super) fn keep_meta(&mut self, before: &Self) {
        if let (Contents::Account(file), Contents::Account(before)) =
            (&mut self.contents, &before.contents)
        {
            file.keep_meta(before);
        }
    }

    /// Opens the file.
    pub(super) fn open(&self, password: &str) -> Result<OpenKey, FileError> {
        let file = match &self.contents {
            Contents::Account(file) => file,
            Contents::Argon2(file) => {
                let (secret, pair) = file.open(password)?;
                let development = Keypair::is_development(self.scheme, &secret);
                return Ok(OpenKey {
                    pair,
                    secret,
                    development,
                });
            }
        };
        let Opened {
            pair,
            seed,
            development,
        } = file.open(password)?;
        let secret = match (&pair, seed) {
            (_, Some(seed)) => seed,
            (Keypair::Sr25519(pair), None) => Zeroizing::new(pair.to_raw_vec()),
            (Keypair::Ed25519(pair), None) => Zeroizing::new(pair.to_raw_vec()),
            (Keypair::Ecdsa(pair), None) => Zeroizing::new(pair.to_raw_vec()),
        };
        Ok(OpenKey {
            // The file may be another program's: what it does not say is looked at.
            development: development || pair.is_well_known(),
            secret: Zeroizing::new(to_hex(&secret)),
            pair,
        })
    }

    /// The text of a file of polkadot.js; `None` for the earlier format, which is not written.
    pub(super) fn text(&self) -> Result<Option<Vec<u8>>> {
        match &self.contents {
            Contents::Account(file) => {
                let text = serde_json::to_vec_pretty(file).context("writing the key")?;
                Ok(Some(text))
            }
            Contents::Argon2(_) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> FileError {
        KeyFile::parse("a", text.as_bytes()).err().unwrap()
    }

    #[test]
    fn what_is_no_key_file_is_refused_by_what_it_lacks() {
        assert_eq!(error("{}"), FileError::NoKeyFile);
        assert_eq!(error(r#"{"address": "5Grw"}"#), FileError::NoKeyFile);
        for text in [
            "",
            "[]",
            "phrase",
            r#"{"encoding": {}}"#,
            r#"{"argon2id": {}}"#,
        ] {
            assert!(matches!(error(text), FileError::Unreadable(_)), "{text}");
        }
        let long = format!("{{}}{}", " ".repeat(MAX_LENGTH));
        assert_eq!(error(&long), FileError::TooLong(MAX_LENGTH));
    }
}
