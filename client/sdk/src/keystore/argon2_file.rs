// SPDX-License-Identifier: Apache-2.0

//! The format of earlier versions, which is read and no longer written: the text of the secret,
//! sealed by Argon2id and XChaCha20-Poly1305.

use super::error::FileError;
use crate::keys::{Keypair, Scheme};
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    aead::{Aead, KeyInit, Payload},
    XChaCha20Poly1305, XNonce,
};
use serde::Deserialize;
use tos_types::json;
use zeroize::Zeroizing;

/// The most work a key file may ask for, so that a forged file cannot exhaust the machine.
const MAX_COST: Cost = Cost {
    memory_kib: 1024 * 1024,
    passes: 16,
    lanes: 16,
};
const VERSION: u32 = 1;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// A key file of the earlier format.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Argon2File {
    version: u32,
    pub scheme: Scheme,
    pub address: String,
    pub public_key: String,
    argon2id: Cost,
    #[serde(with = "json::hash")]
    salt: [u8; 32],
    #[serde(with = "json::hash")]
    nonce: [u8; 24],
    secret: String,
}

impl Argon2File {
    /// Refuses an unknown version.
    pub fn check(self) -> Result<Self, FileError> {
        match self.version {
            VERSION => Ok(self),
            version => Err(FileError::Version(version)),
        }
    }

    /// The text of the secret, and its key pair.
    pub fn open(&self, password: &str) -> Result<(Zeroizing<String>, Keypair), FileError> {
        let cost = self.argon2id;
        let bounded = cost.memory_kib <= MAX_COST.memory_kib
            && cost.passes <= MAX_COST.passes
            && cost.lanes <= MAX_COST.lanes;
        if !bounded {
            return Err(FileError::Argon2);
        }
        let sealed =
            json::from_hex(&self.secret).ok_or(FileError::Encoded("not of hexadecimal digits"))?;
        let key = derive(cost, password, &self.salt)?;
        let associated = self.associated();
        let payload = Payload {
            msg: &sealed,
            aad: &associated,
        };
        let opened = XChaCha20Poly1305::new(key.as_slice().into())
            .decrypt(XNonce::from_slice(&self.nonce), payload)
            .map_err(|_| FileError::WrongPassword)?;
        let secret = String::from_utf8(opened)
            .map(Zeroizing::new)
            .map_err(|_| FileError::Body("no text"))?;
        let pair = Keypair::from_suri(self.scheme, &secret)
            .map_err(|_| FileError::Body("no secret of its scheme"))?;
        Ok((secret, pair))
    }

    /// Binds the sealed secret to the public part of its file.
    fn associated(&self) -> Vec<u8> {
        let (scheme, public) = (self.scheme, &self.public_key);
        format!("tos/keystore/v{VERSION} {scheme:?} {public}").into_bytes()
    }
}

fn derive(cost: Cost, password: &str, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, FileError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32))
        .map_err(|_| FileError::Argon2)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut key[..])
        .map_err(|_| FileError::Argon2)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that `tos keys import` wrote before it wrote those of polkadot.js: of `//Alice` in three
    /// schemes, and of the phrase `bottom drive obey lake curtain smoke basket hold race lonely fit
    /// walk`. The password is `secret`.
    const FILES: &str = include_str!("../../tests/keys/argon2.json");

    fn files() -> Vec<Argon2File> {
        serde_json::from_str(FILES).unwrap()
    }

    #[test]
    fn files_of_earlier_versions_open() {
        let files = files();
        assert_eq!(files.len(), 4);
        for file in files {
            let public = file.public_key.clone();
            let (secret, pair) = file.check().and_then(|file| file.open("secret")).unwrap();
            let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
            assert!(["//Alice", phrase].contains(&secret.as_str()));
            assert_eq!(json::to_hex(&pair.public()), public);
        }
    }

    #[test]
    fn a_wrong_password_opens_nothing() {
        let error = files()[0].open("Secret").err();
        assert_eq!(error, Some(FileError::WrongPassword));
    }

    #[test]
    fn a_swapped_public_part_is_noticed() {
        let [a, b] = [0, 3].map(|i| files().swap_remove(i));
        let swapped = Argon2File {
            public_key: b.public_key,
            ..a
        };
        assert_eq!(swapped.open("secret").err(), Some(FileError::WrongPassword));
    }

    #[test]
    fn absurd_work_and_unknown_versions_are_refused() {
        let changes: [fn(&mut Cost); 5] = [
            |cost| cost.memory_kib = MAX_COST.memory_kib + 1,
            |cost| cost.passes = MAX_COST.passes + 1,
            |cost| cost.lanes = MAX_COST.lanes + 1,
            |cost| cost.passes = 0,
            |cost| cost.memory_kib = 0,
        ];
        for change in changes {
            let mut file = files().swap_remove(0);
            change(&mut file.argon2id);
            assert_eq!(file.open("secret").err(), Some(FileError::Argon2));
        }
        let mut file = files().swap_remove(0);
        file.version = 2;
        assert_eq!(file.check().err(), Some(FileError::Version(2)));
    }
}
