// SPDX-License-Identifier: Apache-2.0

//! Hashes in JSON: `0x` and two lower-case digits per byte.

use alloc::{format, string::String};
use core::fmt::Write;
use serde::{de::Error as _, Deserialize, Deserializer, Serializer};

/// Writes bytes as `0x…`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], to: S) -> Result<S::Ok, S::Error> {
    let mut text = String::from("0x");
    for byte in bytes {
        write!(text, "{byte:02x}").map_err(serde::ser::Error::custom)?;
    }
    to.serialize_str(&text)
}

/// Reads exactly `N` bytes from `0x…`.
///
/// # Errors
/// The text is anything else.
pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
    from: D,
) -> Result<[u8; N], D::Error> {
    let refuse = || D::Error::custom(format!("expected 0x and {N} bytes of hex"));
    let text = String::deserialize(from)?;
    let digits = text.strip_prefix("0x").ok_or_else(refuse)?.as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else {
        return Err(refuse());
    };
    let mut bytes = [0; N];
    if pairs.len() != N {
        return Err(refuse());
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let digit = |c: &u8| {
            char::from(*c)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        let (high, low) = digit(high).zip(digit(low)).ok_or_else(refuse)?;
        *byte = high << 4 | low;
    }
    Ok(bytes)
}
