// SPDX-License-Identifier: Apache-2.0

//! Identifiers: 16 bytes in the shape of a version 4 UUID, derived on chain.

use alloc::string::{String, ToString};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use polkadot_sdk::sp_crypto_hashing::blake2_256;
use scale_info::TypeInfo;
use serde::{de::Error as _, Deserialize, Deserializer, Serialize, Serializer};

/// The kind of thing an identifier names; part of its derivation, so two kinds never share one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum IdKind {
    /// A task, derived from its publisher and the publisher's nonce.
    Task,
    /// A submission, derived from its miner and its task.
    Submission,
    /// A storage deal, derived from its client and the client's nonce.
    Deal,
    /// A replica, derived from its provider and the provider's nonce.
    Replica,
}

/// Declares an identifier: derivation from its creator's nonce, text form and serialization.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// Derives the `nonce`-th identifier of `creator`. No account can choose one, and no
            /// other account can take one first.
            pub fn derive<A: Encode>(creator: &A, nonce: u64) -> Self {
                Self(uuid_v4(IdKind::$kind, &(creator, nonce)))
            }

            /// Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` (hyphens optional).
            pub fn parse(text: &str) -> Option<Self> {
                parse_uuid(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt_uuid(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt_uuid(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.to_string())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                Self::parse(&text).ok_or_else(|| D::Error::custom("not an id: expected a UUID"))
            }
        }
    };
}

id!(
    /// The identifier of a task.
    TaskId,
    Task
);
id!(
    /// The identifier of a storage deal.
    DealId,
    Deal
);
id!(
    /// The identifier of a replica.
    ReplicaId,
    Replica
);

/// The identifier of a case, which is what rounds are about: that of the task whose answers they judge.
pub type CaseId = TaskId;

impl TaskId {
    /// The identifier of `miner`'s submission to this task.
    pub fn submission<A: Encode>(&self, miner: &A) -> [u8; 16] {
        uuid_v4(IdKind::Submission, &(miner, self.0))
    }
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0u8; 16];
    let mut digits = text.bytes().filter(|b| *b != b'-');
    for byte in bytes.iter_mut() {
        let high = hex_value(digits.next()?)?;
        let low = hex_value(digits.next()?)?;
        *byte = (high << 4) | low;
    }
    digits.next().is_none().then_some(bytes)
}

fn uuid_v4(kind: IdKind, source: &impl Encode) -> [u8; 16] {
    let digest = (b"tos/id/v1", kind, source).using_encoded(blake2_256);
    let mut id = [0u8; 16];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut id;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    id
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
}

/// Writes 16 bytes in the hyphenated form of a UUID.
pub fn fmt_uuid(id: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, byte) in id.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            f.write_str("-")?;
        }
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_the_uuid_v4_bits_and_round_trip_as_text() {
        for nonce in 0..200u64 {
            let id = TaskId::derive(&[7u8; 32], nonce);
            assert_eq!(id.0[6] >> 4, 4);
            assert_eq!(id.0[8] >> 6, 0b10);
            assert_eq!(TaskId::parse(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn ids_differ_by_creator_nonce_and_kind() {
        let a = TaskId::derive(&[1u8; 32], 0);
        assert_ne!(a, TaskId::derive(&[2u8; 32], 0));
        assert_ne!(a, TaskId::derive(&[1u8; 32], 1));
        assert_ne!(a.0, a.submission(&[1u8; 32]));
        let (deal, replica) = (
            DealId::derive(&[1u8; 32], 0),
            ReplicaId::derive(&[1u8; 32], 0),
        );
        assert_ne!(a.0, deal.0);
        assert_ne!(deal.0, replica.0);
    }

    #[test]
    fn malformed_ids_are_refused() {
        let long = "00000000-0000-4000-8000-0000000000000";
        for text in ["", "zz", "00000000-0000-4000-8000-00000000000", long] {
            assert_eq!(TaskId::parse(text), None, "{text}");
        }
    }
}
