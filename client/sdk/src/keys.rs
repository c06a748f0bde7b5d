// SPDX-License-Identifier: Apache-2.0

//! Key pairs of the three schemes the chain accepts.

use crate::error::{Context, Error, Result};
use codec::Encode;
use polkadot_sdk::{
    sp_core::{
        crypto::{
            AccountId32, DeriveJunction, ExposeSecret, SecretStringError, SecretUri, Ss58Codec,
            DEV_PHRASE,
        },
        ecdsa, ed25519, sr25519, Pair,
    },
    sp_runtime::{traits::IdentifyAccount, MultiSigner},
};
use serde::{Deserialize, Serialize};
use subxt::utils::MultiSignature;
use tos_types::Balance;
use zeroize::Zeroizing;

/// The names of the development accounts that every Substrate tool knows.
const DEVELOPMENT: [&str; 8] = [
    "Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie", "One", "Two",
];

/// A signature scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Schnorr over Ristretto; the default.
    #[default]
    Sr25519,
    /// EdDSA over Curve25519.
    Ed25519,
    /// ECDSA over secp256k1.
    Ecdsa,
}

/// A key pair that can sign transactions.
// A process has one or two.
#[allow(clippy::large_enum_variant)]
#[derive(Clone)]
pub enum Keypair {
    /// See [`Scheme::Sr25519`].
    Sr25519(sr25519::Pair),
    /// See [`Scheme::Ed25519`].
    Ed25519(ed25519::Pair),
    /// See [`Scheme::Ecdsa`].
    Ecdsa(ecdsa::Pair),
}

/// A key pair as it signs transactions.
#[derive(Clone)]
pub struct Signer {
    /// The key pair.
    pub pair: Keypair,
    /// Amount that each transaction offers the block's author beyond its fee, in wei.
    pub tip: Balance,
    /// `true` if anyone can make this key, because it is one of those for development.
    pub development: bool,
    /// Account that the key acts for as a proxy. The key pays the fees.
    pub acts_for: Option<AccountId32>,
}

impl Signer {
    /// The account that acts: the one the key is a proxy of, or the key's own.
    pub fn account(&self) -> AccountId32 {
        match &self.acts_for {
            Some(real) => real.clone(),
            None => self.pair.account(),
        }
    }
}

impl Keypair {
    /// Reads a secret: a phrase, a hexadecimal seed or `//Alice`, each with an optional path; for
    /// sr25519 also 64 bytes of an expanded secret, as sp_core has them. What has neither phrase nor
    /// seed is refused, unless it is a hard path such as `//Alice`.
    pub fn from_suri(scheme: Scheme, suri: &str) -> Result<Self> {
        Self::from_suri_with_seed(scheme, suri).map(|(pair, _)| pair)
    }

    /// [`Self::from_suri`], and the seed that makes the same key. An expanded secret has none, nor
    /// has a key below a soft path.
    pub(crate) fn from_suri_with_seed(
        scheme: Scheme,
        suri: &str,
    ) -> Result<(Self, Option<Zeroizing<[u8; 32]>>)> {
        let suri = suri.trim();
        check_phrase(suri)?;
        let pair = match scheme {
            Scheme::Sr25519 => read(suri).map(|(pair, seed)| (Self::Sr25519(pair), seed)),
            Scheme::Ed25519 => read(suri).map(|(pair, seed)| (Self::Ed25519(pair), seed)),
            Scheme::Ecdsa => read(suri).map(|(pair, seed)| (Self::Ecdsa(pair), seed)),
        };
        let pair = pair.map(|(pair, seed)| (pair, seed.map(Zeroizing::new)));
        // The secret itself must not appear in an error, as it does in some of these.
        pair.map_err(|e: SecretStringError| {
            let why = match e {
                SecretStringError::InvalidFormat(_) => {
                    "a character or an empty part of a path that no secret has"
                }
                SecretStringError::InvalidPhrase => "not a BIP-39 phrase",
                SecretStringError::InvalidPassword => "a bad password",
                SecretStringError::InvalidSeed | SecretStringError::InvalidSeedLength => {
                    "a seed has 0x and 64 hexadecimal digits, an expanded secret of sr25519 128"
                }
                SecretStringError::InvalidPath => "a path that this scheme cannot derive",
            };
            Error::Usage(format!("not a phrase, hexadecimal seed or //path: {why}"))
        })
    }

    /// `true` if anyone can make the key of `suri`: it derives from the development phrase, or is
    /// one of the accounts derived from it, however it is written.
    pub fn is_development(scheme: Scheme, suri: &str) -> bool {
        let suri = suri.trim();
        let phrase = suri.split('/').next().unwrap_or_default();
        if phrase.is_empty() {
            return true;
        }
        // With any path or password: this is the first phrase that is tried with some.
        let of_phrase = Self::from_suri(scheme, phrase);
        of_phrase.is_ok_and(|root| root.is_development_root())
            || Self::from_suri(scheme, suri).is_ok_and(|pair| pair.is_well_known())
    }

    /// `true` if this is the key of the development phrase, or of one of the accounts derived from it
    /// that every Substrate tool knows. Of keys below other paths only the text of the secret tells:
    /// [`Self::is_development`].
    pub fn is_well_known(&self) -> bool {
        match self {
            Self::Sr25519(pair) => is_well_known(pair),
            Self::Ed25519(pair) => is_well_known(pair),
            Self::Ecdsa(pair) => is_well_known(pair),
        }
    }

    fn is_development_root(&self) -> bool {
        match self {
            Self::Sr25519(pair) => is_development_root(pair),
            Self::Ed25519(pair) => is_development_root(pair),
            Self::Ecdsa(pair) => is_development_root(pair),
        }
    }

    /// The key pair one hard junction below this one: `//name` or `//7` in a path. Numbers are of up to
    /// 64 bits.
    pub fn derive_hard(&self, junction: impl Encode) -> Result<Self> {
        const DOING: &str = "deriving a key";
        let path = std::iter::once(DeriveJunction::hard(junction));
        Ok(match self {
            Self::Sr25519(pair) => Self::Sr25519(pair.derive(path, None).context(DOING)?.0),
            Self::Ed25519(pair) => Self::Ed25519(pair.derive(path, None).context(DOING)?.0),
            Self::Ecdsa(pair) => Self::Ecdsa(pair.derive(path, None).context(DOING)?.0),
        })
    }

    /// A new 12-word phrase.
    pub fn generate_phrase() -> String {
        sr25519::Pair::generate_with_phrase(None).1
    }

    /// The account of this key.
    pub fn account(&self) -> AccountId32 {
        let signer: MultiSigner = match self {
            Self::Sr25519(pair) => pair.public().into(),
            Self::Ed25519(pair) => pair.public().into(),
            Self::Ecdsa(pair) => pair.public().into(),
        };
        signer.into_account()
    }

    /// The public key.
    pub fn public(&self) -> Vec<u8> {
        match self {
            Self::Sr25519(pair) => pair.public().0.to_vec(),
            Self::Ed25519(pair) => pair.public().0.to_vec(),
            Self::Ecdsa(pair) => pair.public().0.to_vec(),
        }
    }

    /// Signs what the chain asks to be signed.
    pub fn sign(&self, payload: &[u8]) -> MultiSignature {
        match self {
            Self::Sr25519(pair) => MultiSignature::Sr25519(pair.sign(payload).0),
            Self::Ed25519(pair) => MultiSignature::Ed25519(pair.sign(payload).0),
            Self::Ecdsa(pair) => MultiSignature::Ecdsa(pair.sign(payload).0),
        }
    }
}

/// Refuses a secret without phrase and seed: the libraries put the best known phrase there is in
/// the place of a missing one, and only who writes `//Alice` can mean that.
fn check_phrase(suri: &str) -> Result<()> {
    const EXPECTED: &str =
        "expected a phrase, a hexadecimal seed or a development key such as //Alice";
    if suri.is_empty() {
        return Err(Error::Usage(format!("the secret is empty: {EXPECTED}")));
    }
    if suri.starts_with("///") {
        return Err(Error::Usage(format!(
            "the secret has a password but no phrase: {EXPECTED}"
        )));
    }
    // With or without one slash; a name that all know is no secret, so it may be repeated.
    let name = suri.strip_prefix('/').unwrap_or(suri);
    if let Some(name) = development_name(name.split('/').next().unwrap_or_default()) {
        return Err(Error::Usage(format!(
            "a development key is written with two slashes: did you mean //{name}?"
        )));
    }
    if suri.starts_with('/') && !suri.starts_with("//") {
        return Err(Error::Usage(format!(
            "the secret has a path but no phrase: {EXPECTED}"
        )));
    }
    Ok(())
}

/// Name of the development account that `text` names, in any case of its letters.
pub(crate) fn development_name(text: &str) -> Option<&'static str> {
    let mut known = DEVELOPMENT.into_iter();
    known.find(|name| name.eq_ignore_ascii_case(text))
}

/// Reads a secret, and the seed of the same key.
fn read<P: Pair<Seed = [u8; 32]>>(suri: &str) -> Result<(P, Option<P::Seed>), SecretStringError> {
    let SecretUri {
        phrase, junctions, ..
    } = suri.parse()?;
    // The reader of sp_core takes seeds alone.
    let Some(expanded) = expanded(phrase.expose_secret()) else {
        return P::from_string_with_seed(suri, None);
    };
    P::from_seed_slice(&expanded[..])?
        .derive(junctions.into_iter(), None)
        .map_err(|_| SecretStringError::InvalidPath)
}

/// The bytes of an expanded secret.
fn expanded(phrase: &str) -> Option<Zeroizing<[u8; 64]>> {
    let digits = phrase.strip_prefix("0x")?;
    crate::hex::parse_hex(digits).map(Zeroizing::new).ok()
}

/// Key pair of the phrase that is known to all.
fn development_root<P: Pair>() -> Option<P> {
    P::from_phrase(DEV_PHRASE, None).ok().map(|(root, _)| root)
}

fn is_development_root<P: Pair>(pair: &P) -> bool {
    development_root::<P>().is_some_and(|root| root.public() == pair.public())
}

fn is_well_known<P: Pair>(pair: &P) -> bool {
    let Some(root) = development_root::<P>() else {
        return false;
    };
    let below = |name: &str| {
        [format!("//{name}"), format!("//{name}//stash")]
            .iter()
            .filter_map(|path| path.parse::<SecretUri>().ok())
            .filter_map(|uri| root.derive(uri.junctions.into_iter(), None).ok())
            .any(|(derived, _)| derived.public() == pair.public())
    };
    root.public() == pair.public() || DEVELOPMENT.into_iter().any(below)
}

/// Reads an account: an SS58 address, or 32 bytes of hex with `0x`.
pub fn parse_account(text: &str) -> Result<AccountId32, String> {
    if let Some(digits) = text.strip_prefix("0x") {
        return crate::hex::parse_hex::<32>(digits).map(AccountId32::new);
    }
    AccountId32::from_ss58check(text).map_err(|e| {
        match development_name(text.trim_start_matches('/')) {
            Some(name) => format!(
                "not an account: expected an address; `tos --suri //{name} chain account` shows \
                 that of //{name}"
            ),
            None => format!("not an account: {e:?}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use polkadot_sdk::{
        sp_core::H256,
        sp_runtime::{traits::Verify, MultiSignature as RuntimeSignature},
    };

    #[test]
    fn development_accounts_are_the_well_known_ones() {
        let alice = Keypair::from_suri(Scheme::Sr25519, "//Alice")
            .unwrap()
            .account();
        let known = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        assert_eq!(parse_account(known), Ok(alice.clone()));
        let hex = tos_types::json::to_hex(alice.as_ref());
        assert_eq!(parse_account(&hex), Ok(alice));
    }

    #[test]
    fn a_key_below_another_is_that_of_the_path() {
        for scheme in [Scheme::Sr25519, Scheme::Ed25519, Scheme::Ecdsa] {
            let alice = Keypair::from_suri(scheme, "//Alice").unwrap();
            let below = alice.derive_hard("stash").unwrap().derive_hard(3u32);
            let path = Keypair::from_suri(scheme, "//Alice//stash//3").unwrap();
            assert_eq!(below.unwrap().account(), path.account(), "{scheme:?}");
        }
    }

    #[test]
    fn signatures_of_every_scheme_verify_as_the_runtime_does() {
        for scheme in [Scheme::Sr25519, Scheme::Ed25519, Scheme::Ecdsa] {
            let pair = Keypair::from_suri(scheme, "//Alice").unwrap();
            let message = H256([7; 32]);
            let signature: RuntimeSignature = match pair.sign(message.as_bytes()) {
                MultiSignature::Sr25519(s) => sr25519::Signature::from_raw(s).into(),
                MultiSignature::Ed25519(s) => ed25519::Signature::from_raw(s).into(),
                MultiSignature::Ecdsa(s) => ecdsa::Signature::from_raw(s).into(),
            };
            assert!(
                signature.verify(message.as_bytes(), &pair.account()),
                "{scheme:?}"
            );
            assert!(
                !signature.verify(&[8u8; 32][..], &pair.account()),
                "{scheme:?}"
            );
        }
    }

    #[test]
    fn a_bad_secret_is_refused_without_being_repeated() {
        for secret in [
            "correct horse battery staple",
            "correct-horse battery staple",
            "horse//",
            "0xhorse",
        ] {
            let error = Keypair::from_suri(Scheme::Sr25519, secret).err().unwrap();
            assert!(!error.to_string().contains("horse"), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    #[test]
    fn a_secret_without_phrase_and_seed_is_refused_and_told_what_it_lacks() {
        for (secret, lacks) in [
            ("", "is empty"),
            (" \t\n", "is empty"),
            ("///", "a password but no phrase"),
            ("///pw", "a password but no phrase"),
            ("/soft", "a path but no phrase"),
            ("/soft//hard///pw", "a path but no phrase"),
            ("/", "a path but no phrase"),
        ] {
            for scheme in [Scheme::Sr25519, Scheme::Ed25519, Scheme::Ecdsa] {
                let error = Keypair::from_suri(scheme, secret).err().unwrap();
                assert_eq!(error.exit_code(), 2, "{secret}");
                assert!(error.to_string().contains(lacks), "{secret}: {error}");
            }
        }
    }

    #[test]
    fn a_development_name_without_slashes_is_told_how_it_is_written() {
        for scheme in [Scheme::Sr25519, Scheme::Ed25519, Scheme::Ecdsa] {
            for name in DEVELOPMENT {
                for secret in [
                    name.to_owned(),
                    name.to_lowercase(),
                    format!(" {name} "),
                    format!("/{name}"),
                    format!("{name}//stash"),
                ] {
                    let error = Keypair::from_suri(scheme, &secret).err().unwrap();
                    assert_eq!(error.exit_code(), 2, "{secret}");
                    let meant = format!("did you mean //{name}?");
                    assert!(error.to_string().contains(&meant), "{secret}: {error}");
                }
            }
        }
        let other = Keypair::from_suri(Scheme::Sr25519, "Bobby").err().unwrap();
        assert!(!other.to_string().contains("did you mean"), "{other}");
        for text in ["Bob", "bob", "//Bob"] {
            let error = parse_account(text).unwrap_err();
            assert!(error.contains("--suri //Bob chain account"), "{error}");
        }
    }

    #[test]
    fn a_development_key_is_known_however_it_is_written() {
        // The seeds of the development phrase and of //Alice, as `subkey inspect` shows them.
        let root = "0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e";
        let alice = "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";
        let phrase = DEV_PHRASE.to_owned();
        for suri in [
            "//Alice",
            " //Alice//anything ",
            "//nobody knows this",
            "//Alice///password",
            &phrase,
            &format!("{phrase}//Alice"),
            &format!("{phrase}///password"),
            root,
            &format!("{root}//Bob"),
            alice,
        ] {
            assert!(Keypair::is_development(Scheme::Sr25519, suri), "{suri}");
        }
        for scheme in [Scheme::Ed25519, Scheme::Ecdsa] {
            assert!(Keypair::is_development(scheme, &phrase));
            assert!(Keypair::is_development(scheme, "//Bob//stash"));
            assert!(!Keypair::is_development(scheme, alice));
        }
        let own = Keypair::generate_phrase();
        assert!(!Keypair::is_development(Scheme::Sr25519, &own));
        assert!(!Keypair::is_development(
            Scheme::Sr25519,
            &format!("{own}//Alice")
        ));
    }

    #[test]
    fn an_expanded_secret_makes_the_key_of_its_seed() {
        let seed = "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";
        let pair = sr25519::Pair::from_string(seed, None).unwrap();
        let expanded = tos_types::json::to_hex(&pair.to_raw_vec());
        assert_eq!(expanded.len(), 2 + 128);
        for path in ["", "//hard", "/soft", "/soft//hard"] {
            let of = |root: &str| Keypair::from_suri(Scheme::Sr25519, &format!("{root}{path}"));
            assert_eq!(of(&expanded).unwrap().public(), of(seed).unwrap().public());
        }
        assert!(Keypair::is_development(Scheme::Sr25519, &expanded));
        // Neither the other schemes nor the reader of sp_core take it.
        for scheme in [Scheme::Ed25519, Scheme::Ecdsa] {
            let error = Keypair::from_suri(scheme, &expanded).err().unwrap();
            assert!(!error.to_string().contains(&expanded), "{error}");
        }
        assert!(sr25519::Pair::from_string(&expanded, None).is_err());
    }

    #[test]
    fn a_seed_is_returned_where_one_makes_the_key() {
        let phrase = Keypair::generate_phrase();
        for (scheme, path, has) in [
            (Scheme::Sr25519, "", true),
            (Scheme::Sr25519, "//hard", true),
            (Scheme::Sr25519, "/soft", false),
            (Scheme::Sr25519, "/soft//hard", false),
            (Scheme::Ed25519, "//hard", true),
            (Scheme::Ecdsa, "//hard", true),
        ] {
            let suri = format!("{phrase}{path}");
            let (pair, seed) = Keypair::from_suri_with_seed(scheme, &suri).unwrap();
            assert_eq!(seed.is_some(), has, "{scheme:?} {path}");
            if let Some(seed) = seed {
                let made = Keypair::from_suri(scheme, &tos_types::json::to_hex(&seed[..]));
                assert_eq!(made.unwrap().public(), pair.public());
            }
        }
    }

    #[test]
    fn generated_phrases_differ_and_make_keys() {
        let (a, b) = (Keypair::generate_phrase(), Keypair::generate_phrase());
        assert_ne!(a, b);
        assert!(Keypair::from_suri(Scheme::Ecdsa, &a).is_ok());
    }
}
