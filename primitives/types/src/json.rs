// SPDX-License-Identifier: Apache-2.0

//! The JSON forms of bytes: hashes and binary as `0x…`, labels and locators as text.

use alloc::{format, string::String, vec::Vec};
use polkadot_sdk::sp_core::{bounded::BoundedVec, ConstU32};
use serde::{de::Error as _, Deserialize, Deserializer, Serializer};

/// `0x` and two lower-case digits per byte.
pub fn to_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    let mut text = String::with_capacity(bytes.len().saturating_mul(2).saturating_add(2));
    text.push_str("0x");
    for byte in bytes {
        text.push(digit(byte / 16));
        text.push(digit(byte % 16));
    }
    text
}

/// Reads hexadecimal digits, with or without `0x`.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    let pairs = digits.chunks_exact(2).map(|pair| match *pair {
        [high, low] => {
            let byte = value(high)?.checked_mul(16)?.checked_add(value(low)?)?;
            u8::try_from(byte).ok()
        }
        _ => None,
    });
    pairs.collect()
}

/// Fixed-size bytes as `0x…`.
pub mod hash {
    use super::*;

    /// Writes bytes as `0x…`.
    pub fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&to_hex(bytes))
    }

    /// Reads exactly `N` bytes from `0x…`.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<[u8; N], D::Error> {
        from_hex(&String::deserialize(from)?)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| D::Error::custom(format!("expected 0x and {N} bytes of hex")))
    }
}

/// Fixed-size bytes as `0x…`, or nothing.
pub mod optional_hash {
    use super::*;

    /// Writes bytes as `0x…`, or null.
    pub fn serialize<S: Serializer, const N: usize>(
        bytes: &Option<[u8; N]>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => to.serialize_some(&to_hex(bytes)),
            None => to.serialize_none(),
        }
    }

    /// Reads exactly `N` bytes from `0x…`, or null.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<Option<[u8; N]>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else {
            return Ok(None);
        };
        from_hex(&text)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Some)
            .ok_or_else(|| D::Error::custom(format!("expected null, or 0x and {N} bytes of hex")))
    }
}

/// Bounded bytes as `0x…`.
pub mod bytes {
    use super::*;

    /// Writes bytes as `0x…`.
    pub fn serialize<S: Serializer, const N: u32>(
        bytes: &BoundedVec<u8, ConstU32<N>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&to_hex(bytes))
    }

    /// Reads at most `N` bytes from `0x…`.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: u32>(
        from: D,
    ) -> Result<BoundedVec<u8, ConstU32<N>>, D::Error> {
        from_hex(&String::deserialize(from)?)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| D::Error::custom(format!("expected 0x and at most {N} bytes of hex")))
    }
}

/// Bounded bytes that hold text. Bytes that are no UTF-8 read as replacement characters.
pub mod text {
    use super::*;

    /// Writes the text.
    pub fn serialize<S: Serializer, const N: u32>(
        bytes: &BoundedVec<u8, ConstU32<N>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&String::from_utf8_lossy(bytes))
    }

    /// Reads text of at most `N` bytes.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: u32>(
        from: D,
    ) -> Result<BoundedVec<u8, ConstU32<N>>, D::Error> {
        String::deserialize(from)?
            .into_bytes()
            .try_into()
            .map_err(|_| D::Error::custom(format!("expected at most {N} bytes of text")))
    }
}

/// Amounts as decimal text in human-readable formats.
pub mod wei {
    use crate::Balance;
    use alloc::string::{String, ToString};
    use serde::{de::Error as _, Deserialize, Deserializer, Serializer};

    /// Writes an amount as decimal text.
    pub fn serialize<S: Serializer>(amount: &Balance, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&amount.to_string())
    }

    /// Reads an amount from decimal text.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Balance, D::Error> {
        let text = String::deserialize(from)?;
        text.parse()
            .map_err(|_| D::Error::custom("not an amount: expected decimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::{from_hex, to_hex};
    use crate::{ContentRef, TaskParams};

    #[test]
    fn hexadecimal_text_is_read_and_written() {
        assert_eq!(to_hex(&[0, 0x1f, 0xff]), "0x001fff");
        assert_eq!(to_hex(&[]), "0x");
        assert_eq!(from_hex("0x001fFF"), Some(vec![0, 0x1f, 0xff]));
        assert_eq!(from_hex("001f"), Some(vec![0, 0x1f]));
        assert_eq!(from_hex("0x"), Some(vec![]));
        for bad in ["0", "0x0", "0xzz", "0x+1", "0x\u{e9}"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn content_and_parameters_read_as_hex_and_text() {
        let content = ContentRef::inline(b"an honest answer").unwrap();
        let json = serde_json::to_value(&content).unwrap();
        assert_eq!(json["inline"], "0x616e20686f6e65737420616e73776572");
        assert_eq!(json["hash"].as_str().unwrap().len(), 66);
        assert_eq!(serde_json::from_value::<ContentRef>(json).unwrap(), content);

        let params = TaskParams::CodeAnalysis {
            language: b"python".to_vec().try_into().unwrap(),
            lines: 3,
        };
        let json = serde_json::to_value(&params).unwrap();
        assert_eq!(json["codeAnalysis"]["language"], "python");
        assert_eq!(serde_json::from_value::<TaskParams>(json).unwrap(), params);
    }

    #[test]
    fn text_that_does_not_fit_or_is_no_hex_is_refused() {
        let long = "x".repeat(65);
        let json = serde_json::json!({ "general": { "subject": long } });
        assert!(serde_json::from_value::<TaskParams>(json).is_err());
        for bad in ["0x0", "0xzz", "0x00"] {
            let mut json = serde_json::to_value(ContentRef::inline(&[7; 10]).unwrap()).unwrap();
            json["hash"] = bad.into();
            assert!(serde_json::from_value::<ContentRef>(json).is_err(), "{bad}");
        }
    }
}
