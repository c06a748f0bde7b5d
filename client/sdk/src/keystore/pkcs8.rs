// SPDX-License-Identifier: Apache-2.0

//! The body of a key file: PKCS #8 as polkadot.js lays it out for Ed25519, with the same frame
//! around the secrets of the other schemes.
//!
//! | bytes | contents |
//! |---|---|
//! | 16 | header |
//! | 64 or 32 | secret: for sr25519 the expanded secret, its scalar times the cofactor as Ed25519 has it; for Ed25519 seed and public key; for ECDSA the secret |
//! | 5 | divider |
//! | 32 or 33 | public key |

use super::error::FileError;
use crate::keys::{Keypair, Scheme};
use polkadot_sdk::sp_core::{ecdsa, ed25519, sr25519, Pair};
use zeroize::Zeroizing;

const HEADER: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
const DIVIDER: [u8; 5] = [161, 35, 3, 33, 0];
const EXPANDED: usize = 64;
const SEED: usize = 32;
/// Length of the longest body.
pub(super) const MAX_LENGTH: usize = HEADER.len() + EXPANDED + DIVIDER.len() + 33;

/// The body of a key pair.
pub(super) fn encode(pair: &Keypair) -> Zeroizing<Vec<u8>> {
    // It never grows, so that no copy of the secret is left behind.
    let mut body = Zeroizing::new(Vec::with_capacity(MAX_LENGTH));
    body.extend(HEADER);
    match pair {
        Keypair::Sr25519(pair) => {
            let keypair: &schnorrkel::Keypair = pair.as_ref();
            body.extend_from_slice(&Zeroizing::new(keypair.secret.to_ed25519_bytes())[..]);
        }
        Keypair::Ed25519(pair) => {
            body.extend_from_slice(&Zeroizing::new(pair.seed())[..]);
            body.extend(pair.public().0);
        }
        Keypair::Ecdsa(pair) => body.extend_from_slice(&Zeroizing::new(pair.seed())[..]),
    }
    body.extend(DIVIDER);
    body.extend(pair.public());
    body
}

/// The key pair of a body. Its public key is computed from the secret, and must be the one that the
/// body names.
pub(super) fn decode(scheme: Scheme, body: &[u8]) -> Result<Keypair, FileError> {
    let rest = body
        .strip_prefix(&HEADER)
        .ok_or(FileError::Body("another header than PKCS #8"))?;
    // Old files of polkadot.js have a seed in the place of the expanded secret.
    let (secret, public) = [EXPANDED, SEED]
        .into_iter()
        .find_map(|length| {
            let (secret, rest) = rest.split_at_checked(length)?;
            Some((secret, rest.strip_prefix(&DIVIDER)?))
        })
        .ok_or(FileError::Body("no divider after its secret"))?;
    let pair = match scheme {
        Scheme::Sr25519 if secret.len() == EXPANDED => {
            schnorrkel::SecretKey::from_ed25519_bytes(secret)
                .ok()
                .map(|secret| Keypair::Sr25519(secret.into()))
        }
        Scheme::Sr25519 => sr25519::Pair::from_seed_slice(secret)
            .ok()
            .map(Keypair::Sr25519),
        Scheme::Ed25519 => ed25519::Pair::from_seed_slice(&secret[..SEED])
            .ok()
            .map(Keypair::Ed25519),
        Scheme::Ecdsa => ecdsa::Pair::from_seed_slice(secret)
            .ok()
            .map(Keypair::Ecdsa),
    };
    let pair = pair.ok_or(FileError::Body("no secret of its scheme"))?;
    if pair.public() != public {
        return Err(FileError::OtherKey);
    }
    Ok(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMES: [Scheme; 3] = [Scheme::Sr25519, Scheme::Ed25519, Scheme::Ecdsa];

    fn pair(scheme: Scheme) -> Keypair {
        Keypair::from_suri(scheme, "//Alice").unwrap()
    }

    fn error(scheme: Scheme, body: &[u8]) -> FileError {
        decode(scheme, body).err().unwrap()
    }

    #[test]
    fn bodies_of_every_scheme_round_trip_and_sign() {
        use polkadot_sdk::sp_runtime::{traits::Verify, MultiSignature as RuntimeSignature};
        use subxt::utils::MultiSignature;
        for scheme in SCHEMES {
            let decoded = decode(scheme, &encode(&pair(scheme))).unwrap();
            assert_eq!(decoded.account(), pair(scheme).account());
            let signature: RuntimeSignature = match decoded.sign(b"message") {
                MultiSignature::Sr25519(s) => sr25519::Signature::from_raw(s).into(),
                MultiSignature::Ed25519(s) => ed25519::Signature::from_raw(s).into(),
                MultiSignature::Ecdsa(s) => ecdsa::Signature::from_raw(s).into(),
            };
            assert!(signature.verify(&b"message"[..], &decoded.account()));
        }
    }

    #[test]
    fn lengths_are_those_of_polkadot_js() {
        let lengths = SCHEMES.map(|scheme| encode(&pair(scheme)).len());
        assert_eq!(lengths, [117, 117, 86]);
    }

    #[test]
    fn a_seed_in_the_place_of_the_secret_is_read() {
        let seed = [7; SEED];
        let (a, b) = (
            sr25519::Pair::from_seed(&seed).public().0,
            ed25519::Pair::from_seed(&seed).public().0,
        );
        for (scheme, public) in [(Scheme::Sr25519, a), (Scheme::Ed25519, b)] {
            let body = [&HEADER[..], &seed, &DIVIDER, &public].concat();
            assert_eq!(decode(scheme, &body).unwrap().public(), public);
        }
    }

    #[test]
    fn other_frames_and_lengths_are_refused() {
        for scheme in SCHEMES {
            let good = encode(&pair(scheme)).to_vec();
            for length in 0..good.len() {
                assert!(decode(scheme, &good[..length]).is_err(), "{length}");
            }
            assert_eq!(
                error(scheme, &[&good[..], &[0]].concat()),
                FileError::OtherKey
            );
            let mut header = good.clone();
            header[3] ^= 1;
            assert!(error(scheme, &header).to_string().contains("header"));
            let mut divider = good.clone();
            let at = good.windows(5).position(|five| five == DIVIDER).unwrap();
            divider[at] ^= 1;
            assert!(error(scheme, &divider).to_string().contains("divider"));
        }
    }

    #[test]
    fn a_secret_that_is_none_and_one_of_another_public_key_are_refused() {
        // Zero is no secret of ECDSA, and no scalar has all bits set.
        for (scheme, secret) in [
            (Scheme::Ecdsa, vec![0; SEED]),
            (Scheme::Ecdsa, vec![1; EXPANDED]),
            (Scheme::Sr25519, vec![255; EXPANDED]),
        ] {
            let body = [&HEADER[..], &secret, &DIVIDER, &pair(scheme).public()].concat();
            assert!(error(scheme, &body).to_string().contains("no secret"));
        }
        for scheme in SCHEMES {
            let mut body = encode(&pair(scheme)).to_vec();
            *body.last_mut().unwrap() ^= 1;
            assert_eq!(error(scheme, &body), FileError::OtherKey);
        }
    }
}
