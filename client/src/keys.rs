// SPDX-License-Identifier: Apache-2.0

//! Key pairs of the three schemes the chain accepts.

use crate::error::{Error, Result};
use polkadot_sdk::{
    sp_core::{
        crypto::{AccountId32, SecretStringError, Ss58Codec},
        ecdsa, ed25519, sr25519, Pair,
    },
    sp_runtime::{traits::IdentifyAccount, MultiSigner},
};
use serde::{Deserialize, Serialize};
use subxt::utils::MultiSignature;

/// A signature scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
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

impl Keypair {
    /// Reads a secret: a phrase, a hexadecimal seed or `//Alice`, each with an optional path.
    pub fn from_suri(scheme: Scheme, suri: &str) -> Result<Self> {
        let suri = suri.trim();
        let pair = match scheme {
            Scheme::Sr25519 => sr25519::Pair::from_string(suri, None).map(Self::Sr25519),
            Scheme::Ed25519 => ed25519::Pair::from_string(suri, None).map(Self::Ed25519),
            Scheme::Ecdsa => ecdsa::Pair::from_string(suri, None).map(Self::Ecdsa),
        };
        // The secret itself must not appear in an error.
        pair.map_err(|e: SecretStringError| {
            Error::Usage(format!("not a phrase, hexadecimal seed or //path: {e}"))
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

/// Reads an account: an SS58 address, or 32 bytes of hex with `0x`.
pub fn parse_account(text: &str) -> Result<AccountId32, String> {
    if let Some(digits) = text.strip_prefix("0x") {
        return crate::output::parse_hex::<32>(digits).map(AccountId32::new);
    }
    AccountId32::from_ss58check(text).map_err(|e| format!("not an account: {e:?}"))
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
        let hex = tos_primitives::json::to_hex(alice.as_ref());
        assert_eq!(parse_account(&hex), Ok(alice));
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
        let secret = "correct horse battery staple";
        let error = Keypair::from_suri(Scheme::Sr25519, secret).err().unwrap();
        assert!(!error.to_string().contains("horse"));
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn generated_phrases_differ_and_make_keys() {
        let (a, b) = (Keypair::generate_phrase(), Keypair::generate_phrase());
        assert_ne!(a, b);
        assert!(Keypair::from_suri(Scheme::Ecdsa, &a).is_ok());
    }
}
