// SPDX-License-Identifier: Apache-2.0

//! Fixed-length values as people and files write them.

/// Reads hex, with or without `0x`, of exactly `N` bytes.
pub fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], String> {
    tos_types::json::from_hex(text)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| format!("expected {N} bytes of hex"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_of_the_wrong_length_is_refused() {
        assert_eq!(parse_hex::<2>("0x0102"), Ok([1, 2]));
        assert!(parse_hex::<2>("010203").is_err());
        assert!(parse_hex::<2>("zz").is_err());
    }
}
