#![allow(dead_code, missing_docs)]
// SPDX-License-Identifier: Apache-2.0

// The encrypted keystore: one file per key, its secret sealed by Argon2id and
// XChaCha20-Poly1305.

use crate::{
    error::{Context, Error, Result},
    keys::{Keypair, Scheme},
};
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    aead::{rand_core::RngCore, Aead, KeyInit, OsRng, Payload},
    XChaCha20Poly1305, XNonce,
};
use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tos_types::json;
use zeroize::Zeroizing;

/// Environment variable that may hold the keystore's password. No child process sees it.
pub const PASSWORD_VARIABLE: &str = "TOS_PASSWORD";

/// Work done to turn a password into a key: 64 MiB, three passes.
const COST: Cost = Cost {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};
/// The most work a key file may ask for, so that a forged file cannot exhaust the machine.
const MAX_COST: Cost = Cost {
    memory_kib: 1024 * 1024,
    passes: 16,
    lanes: 16,
};
const VERSION: u32 = 1;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// What a key file says without the password.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyFile {
    version: u32,
    /// The name it is used by.
    pub name: String,
    /// Its scheme.
    pub scheme: Scheme,
    /// Its account, as an SS58 address.
    pub address: String,
    /// Its public key.
    pub public_key: String,
    #[serde(flatten)]
    sealed: Sealed,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sealed {
    argon2id: Cost,
    #[serde(with = "json::hash")]
    salt: [u8; 32],
    #[serde(with = "json::hash")]
    nonce: [u8; 24],
    secret: String,
}

/// A folder of key files.
pub struct Keystore {
    folder: PathBuf,
    cost: Cost,
}

impl Keystore {
    /// The keystore in `folder`, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, cost: COST }
    }

    /// Seals `suri` under `name`. Never replaces a key.
    pub fn add(&self, name: &str, scheme: Scheme, suri: &str, password: &str) -> Result<KeyFile> {
        let path = self.path(name)?;
        if password.is_empty() {
            return Err(Error::Usage("an empty password protects nothing".into()));
        }
        let pair = Keypair::from_suri(scheme, suri)?;
        let public_key = json::to_hex(&pair.public());
        let (mut salt, mut nonce) = ([0; 32], [0; 24]);
        OsRng.fill_bytes(&mut salt);
        OsRng.fill_bytes(&mut nonce);
        let key = derive(self.cost, password, &salt)?;
        let associated = associated(scheme, &public_key);
        let payload = Payload {
            msg: suri.trim().as_bytes(),
            aad: &associated,
        };
        let secret = XChaCha20Poly1305::new(key.as_slice().into())
            .encrypt(XNonce::from_slice(&nonce), payload)
            .context("sealing the key")?;
        let file = KeyFile {
            version: VERSION,
            name: name.into(),
            scheme,
            address: pair.account().to_ss58check(),
            public_key,
            sealed: Sealed {
                argon2id: self.cost,
                salt,
                nonce,
                secret: json::to_hex(&secret),
            },
        };
        write_new(
            &path,
            &serde_json::to_vec_pretty(&file).context("writing the key")?,
        )?;
        Ok(file)
    }

    /// The secret of a key.
    pub fn secret(&self, name: &str, password: &str) -> Result<Zeroizing<String>> {
        let file = self.file(name)?;
        let Sealed {
            argon2id: cost,
            salt,
            nonce,
            secret,
        } = &file.sealed;
        let bounded = cost.memory_kib <= MAX_COST.memory_kib
            && cost.passes <= MAX_COST.passes
            && cost.lanes <= MAX_COST.lanes;
        if !bounded {
            return Err(Error::Failed(format!(
                "key `{name}` asks for an absurd amount of work"
            )));
        }
        let sealed = json::from_hex(secret)
            .ok_or_else(|| Error::Failed(format!("key `{name}` is damaged")))?;
        let key = derive(*cost, password, salt)?;
        let associated = associated(file.scheme, &file.public_key);
        let opened = XChaCha20Poly1305::new(key.as_slice().into())
            .decrypt(
                XNonce::from_slice(nonce),
                Payload {
                    msg: &sealed,
                    aad: &associated,
                },
            )
            .map_err(|_| {
                Error::Failed(format!(
                    "wrong password for key `{name}`, or the file is damaged"
                ))
            })?;
        String::from_utf8(opened)
            .map(Zeroizing::new)
            .context("reading the key")
    }

    /// The key pair of a key.
    pub fn unlock(&self, name: &str, password: &str) -> Result<Keypair> {
        let scheme = self.file(name)?.scheme;
        Keypair::from_suri(scheme, &self.secret(name, password)?)
    }

    /// What is known of a key without its password.
    pub fn file(&self, name: &str) -> Result<KeyFile> {
        let path = self.path(name)?;
        let text = match fs::read(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::Usage(format!(
                    "no key named `{name}`: see `tos keys list`"
                )))
            }
            read => read.context(format_args!("reading {}", path.display()))?,
        };
        let file: KeyFile =
            serde_json::from_slice(&text).context(format_args!("reading {}", path.display()))?;
        if file.version != VERSION {
            return Err(Error::Failed(format!(
                "key `{name}` has unknown version {}",
                file.version
            )));
        }
        Ok(file)
    }

    /// All keys, by name.
    pub fn list(&self) -> Result<Vec<KeyFile>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
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

    fn path(&self, name: &str) -> Result<PathBuf> {
        if !is_name(name) {
            return Err(Error::Usage(format!(
                "`{name}` is not a key name: use 1 to 64 letters, digits, - and _"
            )));
        }
        Ok(self.folder.join(format!("{name}.json")))
    }
}

fn is_name(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(letter)
}

/// Binds the sealed secret to the public part of its file.
fn associated(scheme: Scheme, public_key: &str) -> Vec<u8> {
    format!("tos/keystore/v{VERSION} {scheme:?} {public_key}").into_bytes()
}

fn derive(cost: Cost, password: &str, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32))
        .context("key derivation")?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut key[..])
        .context("key derivation")?;
    Ok(key)
}

/// Writes a file that only its owner can read, whole or not at all, and never over another.
fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::{io::Write, os::unix::fs::DirBuilderExt};
    let folder = path.parent().unwrap_or(Path::new("."));
    let doing = format!("writing {}", path.display());
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .context(&doing)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).context(&doing)?;
    file.write_all(bytes).context(&doing)?;
    file.as_file().sync_all().context(&doing)?;
    file.persist_noclobber(path).map(|_| ()).map_err(|e| {
        if e.error.kind() == std::io::ErrorKind::AlreadyExists {
            Error::Usage(format!("{} exists already", path.display()))
        } else {
            Error::Failed(format!("{doing}: {}", e.error))
        }
    })
}

#[test]
fn print_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let store = Keystore {
        folder: folder.path().join("keys"),
        cost: COST,
    };
    let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
    let mut all = Vec::new();
    for (name, scheme, suri) in [
        ("a", Scheme::Sr25519, "//Alice"),
        ("b", Scheme::Ed25519, "//Alice"),
        ("c", Scheme::Ecdsa, "//Alice"),
        ("d", Scheme::Sr25519, phrase),
    ] {
        store.add(name, scheme, suri, "secret").unwrap();
        let text = std::fs::read(store.path(name).unwrap()).unwrap();
        all.push(serde_json::from_slice::<serde_json::Value>(&text).unwrap());
    }
    let mut text = serde_json::to_string_pretty(&all).unwrap();
    text.push('\n');
    std::fs::write("/tmp/argon2-vectors.json", text).unwrap();
}
