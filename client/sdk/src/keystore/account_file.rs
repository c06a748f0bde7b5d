// SPDX-License-Identifier: Apache-2.0

//! The file of one account as polkadot.js reads and writes it, with two fields of this program's
//! among those about the account.

use super::{
    error::FileError,
    lock::{Lock, Params, HEADER, OVERHEAD},
    pkcs8,
};
use crate::{
    error::{Context, Result},
    keys::{Keypair, Scheme},
};
use base64::{engine::general_purpose::STANDARD, Engine};
use polkadot_sdk::{
    sp_core::{
        crypto::{AccountId32, Ss58Codec},
        ecdsa,
    },
    sp_runtime::{traits::IdentifyAccount, MultiSigner},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::SystemTime;
use tos_types::json::{from_hex, to_hex};
use zeroize::Zeroizing;

const VERSION: &str = "3";
const SEALED_BY: [&str; 2] = ["scrypt", "xsalsa20-poly1305"];
const PKCS8: &str = "pkcs8";
/// Field of `meta` that is `true` if anyone can make the key. Its absence says nothing.
const DEVELOPMENT: &str = "tosDevelopment";
/// Field of `meta` with the seed of an sr25519 key, sealed by the same lock. The body has the expanded secret, which no
/// seed follows from, and the keystore of a node takes nothing but seeds and phrases.
const SEED: &str = "tosSeed";

/// A key file of polkadot.js.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AccountFile {
    encoded: String,
    encoding: Encoding,
    address: String,
    #[serde(default)]
    meta: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Encoding {
    content: List,
    #[serde(rename = "type")]
    sealed_by: List,
    version: String,
}

/// A list; early versions of polkadot.js wrote a list of one as its element.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum List {
    Many(Vec<String>),
    One(String),
}

impl List {
    fn items(&self) -> Vec<&str> {
        match self {
            Self::Many(items) => items.iter().map(String::as_str).collect(),
            Self::One(item) => vec![item],
        }
    }
}

/// An account as its file names it, without the password.
pub(super) struct Public {
    pub scheme: Scheme,
    pub account: AccountId32,
    pub key: Vec<u8>,
}

/// A key to seal.
pub(super) struct Plain<'a> {
    pub name: &'a str,
    pub pair: &'a Keypair,
    /// The seed that makes the same key, if there is one.
    pub seed: Option<&'a [u8; 32]>,
    pub development: bool,
}

/// An opened file.
pub(super) struct Opened {
    pub pair: Keypair,
    /// See [`Plain::seed`].
    pub seed: Option<Zeroizing<Vec<u8>>>,
    pub development: bool,
}

impl AccountFile {
    /// Seals a key.
    pub fn seal(key: Plain, password: &str, params: Params) -> Result<Self> {
        let Plain {
            name,
            pair,
            seed,
            development,
        } = key;
        let lock = Lock::new(password, params)?;
        let sealed = lock.seal(&pkcs8::encode(pair))?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.context("reading the clock")?.as_millis() as u64;
        let mut meta = Map::new();
        meta.insert("name".into(), name.into());
        meta.insert("whenCreated".into(), now.into());
        if development {
            meta.insert(DEVELOPMENT.into(), true.into());
        }
        // The secrets of the other schemes are seeds.
        let (scheme, seed) = match pair {
            Keypair::Sr25519(_) => ("sr25519", seed),
            Keypair::Ed25519(_) => ("ed25519", None),
            Keypair::Ecdsa(_) => ("ecdsa", None),
        };
        if let Some(seed) = seed {
            meta.insert(SEED.into(), STANDARD.encode(lock.seal(seed)?).into());
        }
        let address = match pair {
            // An account of ECDSA is a hash: no public key follows from it.
            Keypair::Ecdsa(_) => to_hex(&pair.public()),
            _ => pair.account().to_ss58check(),
        };
        Ok(Self {
            encoded: STANDARD.encode([&lock.header()[..], &sealed].concat()),
            encoding: Encoding {
                content: List::Many(vec![PKCS8.into(), scheme.into()]),
                sealed_by: List::Many(SEALED_BY.map(String::from).into()),
                version: VERSION.into(),
            },
            address,
            meta,
        })
    }

    /// Takes over what `meta` of another file of the same key has besides the fields of this program
    /// and those that sealing writes.
    pub fn keep_meta(&mut self, before: &Self) {
        for (field, value) in &before.meta {
            // A sealed seed opens by its own file's lock alone.
            if ![SEED, DEVELOPMENT].contains(&field.as_str()) {
                let entry = self.meta.entry(field.as_str());
                entry.or_insert_with(|| value.clone());
            }
        }
    }

    /// The account that the file names, where the file is one that can be opened.
    pub fn public(&self) -> Result<Public, FileError> {
        let scheme = self.scheme()?;
        self.check_encoding()?;
        self.sealed()?;
        let account = |address: &str| {
            // Of any network: the prefix is for readers.
            AccountId32::from_ss58check_with_version(address)
                .map(|(account, _)| account)
                .map_err(|_| FileError::Address("an SS58 address of 32 bytes"))
        };
        if scheme != Scheme::Ecdsa {
            let account = account(&self.address)?;
            let key = <AccountId32 as AsRef<[u8]>>::as_ref(&account).to_vec();
            return Ok(Public {
                scheme,
                account,
                key,
            });
        }
        let key = from_hex(&self.address)
            .filter(|_| self.address.starts_with("0x"))
            .and_then(|key| ecdsa::Public::try_from(&key[..]).ok())
            .ok_or(FileError::Address(
                "a public key of ECDSA, 0x and 66 hexadecimal digits",
            ))?;
        Ok(Public {
            scheme,
            account: MultiSigner::from(key).into_account(),
            key: key.0.to_vec(),
        })
    }

    /// Opens the file.
    pub fn open(&self, password: &str) -> Result<Opened, FileError> {
        let public = self.public()?;
        let sealed = self.sealed()?;
        let (header, sealed) = sealed
            .split_first_chunk::<HEADER>()
            .ok_or(FileError::Encoded("too short"))?;
        let lock = Lock::of(password, *header)?;
        let pair = pkcs8::decode(public.scheme, &lock.open(sealed)?)?;
        if pair.public() != public.key {
            return Err(FileError::OtherKey);
        }
        Ok(Opened {
            seed: self.seed(&lock, &pair),
            development: self.meta.get(DEVELOPMENT) == Some(&true.into()),
            pair,
        })
    }

    /// The seed, where the file has one for this key. Another program that has changed the password
    /// has left one behind that opens no more.
    fn seed(&self, lock: &Lock, pair: &Keypair) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = STANDARD.decode(self.meta.get(SEED)?.as_str()?).ok()?;
        let seed = lock.open(&sealed).ok()?;
        let made = Keypair::from_suri(Scheme::Sr25519, &Zeroizing::new(to_hex(&seed))).ok()?;
        (made.public() == pair.public()).then_some(seed)
    }

    fn scheme(&self) -> Result<Scheme, FileError> {
        match self.encoding.content.items()[..] {
            [PKCS8, "sr25519"] => Ok(Scheme::Sr25519),
            [PKCS8, "ed25519"] => Ok(Scheme::Ed25519),
            [PKCS8, "ecdsa"] => Ok(Scheme::Ecdsa),
            ref other => Err(FileError::Content(format!("`{}`", other.join(" ")))),
        }
    }

    fn check_encoding(&self) -> Result<(), FileError> {
        let by = self.encoding.sealed_by.items();
        match (self.encoding.version.as_str(), &by[..]) {
            (VERSION, by) if by == SEALED_BY => Ok(()),
            (_, ["none"]) => Err(FileError::NotEncrypted),
            (version, _) => Err(FileError::Encoding {
                version: version.into(),
                by: by.join(" and "),
            }),
        }
    }

    /// The bytes of `encoded`: a header, and what is sealed.
    fn sealed(&self) -> Result<Vec<u8>, FileError> {
        // polkadot.js takes both.
        let sealed = match self.encoded.starts_with("0x") {
            true => from_hex(&self.encoded),
            false => STANDARD.decode(&self.encoded).ok(),
        };
        let sealed = sealed.ok_or(FileError::Encoded("neither base64 nor hexadecimal"))?;
        let most = HEADER + OVERHEAD + pkcs8::MAX_LENGTH;
        match sealed.len() {
            length if length <= HEADER + OVERHEAD => Err(FileError::Encoded("too short")),
            length if length > most => Err(FileError::Encoded("too long")),
            _ => Ok(sealed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that polkadot.js wrote, with the account and the seed or secret of each. The password
    /// is `secret`.
    const FILES: &str = include_str!("../../tests/keys/polkadot-js.json");

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Vector {
        suri: String,
        account: String,
        public_key: String,
        file: AccountFile,
    }

    fn vectors() -> Vec<Vector> {
        serde_json::from_str(FILES).unwrap()
    }

    fn sealed(pair: &Keypair, seed: Option<&[u8; 32]>) -> AccountFile {
        let plain = Plain {
            name: "a",
            pair,
            seed,
            development: true,
        };
        AccountFile::seal(plain, "secret", Params::STANDARD).unwrap()
    }

    fn alice() -> AccountFile {
        sealed(
            &Keypair::from_suri(Scheme::Sr25519, "//Alice").unwrap(),
            None,
        )
    }

    #[test]
    fn files_of_polkadot_js_open() {
        let vectors = vectors();
        assert!(vectors.len() >= 5);
        for Vector {
            suri,
            account,
            public_key,
            file,
        } in vectors
        {
            let public = file.public().unwrap();
            assert_eq!(public.account.to_ss58check(), account);
            assert_eq!(to_hex(&public.key), public_key);
            let opened = file.open("secret").unwrap();
            let made = Keypair::from_suri(public.scheme, &suri).unwrap();
            assert_eq!(opened.pair.public(), made.public());
            // Header and secret. A soft path draws the nonce of an sr25519 key, which comes after it, anew.
            let secret = |pair: &Keypair| pkcs8::encode(pair)[..48].to_vec();
            assert_eq!(secret(&opened.pair), secret(&made), "{suri}");
            assert!(opened.seed.is_none() && !opened.development);
            assert_eq!(file.open("").err(), Some(FileError::WrongPassword));
        }
    }

    #[test]
    fn a_file_has_the_fields_of_polkadot_js() {
        let value = serde_json::to_value(alice()).unwrap();
        let encoding = &value["encoding"];
        assert_eq!(encoding["content"], serde_json::json!(["pkcs8", "sr25519"]));
        assert_eq!(
            encoding["type"],
            serde_json::json!(["scrypt", "xsalsa20-poly1305"])
        );
        assert_eq!(encoding["version"], "3");
        assert_eq!(
            value["address"],
            "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
        );
        assert_eq!(value["meta"]["name"], "a");
        assert!(value["meta"]["whenCreated"].as_u64().unwrap() > 1_700_000_000_000);
    }

    #[test]
    fn hexadecimal_digits_are_read_as_base64_is() {
        let mut file = alice();
        file.encoded = to_hex(&STANDARD.decode(&file.encoded).unwrap());
        assert!(file.open("secret").is_ok());
    }

    #[test]
    fn a_seed_that_does_not_fit_is_not_there() {
        let (pair, seed) = Keypair::from_suri_with_seed(Scheme::Sr25519, "//Bob").unwrap();
        let seed = seed.unwrap();
        let mut file = sealed(&pair, Some(&seed));
        let opened = file.open("secret").unwrap();
        assert_eq!(opened.seed.unwrap()[..], seed[..]);
        assert!(opened.development);
        // Of another key, of another password, and no sealed seed at all.
        let other = sealed(&pair, Some(&[7; 32])).meta[SEED].clone();
        for wrong in [other, "AAAA".into(), "?".into(), 1.into(), Value::Null] {
            file.meta.insert(SEED.into(), wrong);
            assert!(file.open("secret").unwrap().seed.is_none());
        }
        // A seed of another key under this lock.
        let false_seed = sealed(&pair, Some(&[7; 32]));
        assert!(false_seed.open("secret").unwrap().seed.is_none());
    }

    #[test]
    fn only_an_honest_true_makes_a_key_one_for_development() {
        let mut file = alice();
        assert!(file.open("secret").unwrap().development);
        for no in [Value::Bool(false), "true".into(), Value::Null] {
            file.meta.insert(DEVELOPMENT.into(), no);
            assert!(!file.open("secret").unwrap().development);
        }
    }

    /// The error of a file after a change to it.
    fn changed(change: impl FnOnce(&mut AccountFile)) -> FileError {
        let mut file = alice();
        change(&mut file);
        file.open("secret").err().unwrap()
    }

    #[test]
    fn an_address_of_another_key_is_noticed() {
        let bob = Keypair::from_suri(Scheme::Sr25519, "//Bob").unwrap();
        let error = changed(|file| file.address = bob.account().to_ss58check());
        assert_eq!(error, FileError::OtherKey);
        let error = changed(|file| {
            file.encoding.content = List::Many(vec![PKCS8.into(), "ed25519".into()])
        });
        assert_eq!(error, FileError::OtherKey);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        /// Checks the words of the error after a change.
        fn says(words: &str, change: impl FnOnce(&mut AccountFile)) {
            let error = changed(change).to_string();
            assert!(error.contains(words), "{error}: {words}");
        }
        let list = |items: &[&str]| List::Many(items.iter().map(|&item| item.into()).collect());
        says("not encrypted", |file| {
            file.encoding.sealed_by = list(&["none"])
        });
        says("not encrypted", |file| {
            file.encoding.sealed_by = List::One("none".into())
        });
        says("version 3 by xsalsa20-poly1305;", |file| {
            file.encoding.sealed_by = List::One("xsalsa20-poly1305".into())
        });
        says("version 2 by", |file| file.encoding.version = "2".into());
        says("`pkcs8 ethereum`", |file| {
            file.encoding.content = list(&[PKCS8, "ethereum"])
        });
        says("`batch-pkcs8`", |file| {
            file.encoding.content = list(&["batch-pkcs8"])
        });
        says("SS58", |file| file.address = "5Grw".into());
        says("SS58", |file| file.address = to_hex(&[1; 32]));
        says("public key of ECDSA", |file| {
            file.encoding.content = list(&[PKCS8, "ecdsa"])
        });
        says("neither base64", |file| file.encoded = "?".into());
        says("neither base64", |file| file.encoded = "0x0".into());
        says("too short", |file| file.encoded = String::new());
        says("too short", |file| {
            file.encoded = STANDARD.encode([0; HEADER + OVERHEAD])
        });
        says("too long", |file| file.encoded = STANDARD.encode([0; 1024]));
        says("N = 1073741824", |file| {
            let mut sealed = file.sealed().unwrap();
            sealed[HEADER - 12..HEADER - 8].copy_from_slice(&(1u32 << 30).to_le_bytes());
            file.encoded = STANDARD.encode(sealed);
        });
    }
}
