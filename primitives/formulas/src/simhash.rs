// SPDX-License-Identifier: Apache-2.0

//! SimHash: a 64-bit fingerprint of a text that changes little when the text does.
//!
//! Miners compute it, panels check it, and programs in other languages must get the same number.
//! Exactly:
//!
//! 1. Replace the bytes `A` to `Z` by `a` to `z`; all others stay.
//! 2. *Tokens* are the longest runs of the bytes `0`–`9`, `a`–`z` and `0x80`–`0xff`. (The last are
//!    the bytes of non-ASCII characters in UTF-8, so that every script forms words; there is no
//!    Unicode case folding or normalisation.)
//! 3. *Shingles* are every three consecutive tokens, joined by one space; where there are fewer
//!    than three tokens, each token is a shingle. A shingle that occurs twice counts twice.
//! 4. The hash of a shingle is the first 8 bytes of its BLAKE3 hash, read as a little-endian `u64`.
//! 5. Bit `i` of the fingerprint (`i = 0` the least significant) is 1 when more shingles have bit
//!    `i` set than not; a draw gives 0.
//!
//! A text without tokens has the fingerprint 0.

/// Shingles of a text from which on its fingerprint tells copies from texts of their own.
pub const FEWEST_SHINGLES: u32 = 8;

/// The SimHash of a text.
pub fn simhash(text: &[u8]) -> u64 {
    votes(text).fingerprint()
}

/// The SimHash by which copies of a text are found; `None` when it has fewer than [`FEWEST_SHINGLES`]: of
/// short texts many are alike that no one copied.
pub fn fingerprint(text: &[u8]) -> Option<u64> {
    let votes = votes(text);
    (votes.shingles >= FEWEST_SHINGLES).then(|| votes.fingerprint())
}

fn votes(text: &[u8]) -> Votes {
    let text = text.to_ascii_lowercase();
    let mut tokens = text
        .split(|b| !is_token_byte(*b))
        .filter(|token| !token.is_empty());
    let mut votes = Votes {
        bits: [0; 64],
        shingles: 0,
    };
    match (tokens.next(), tokens.next(), tokens.next()) {
        (Some(mut first), Some(mut second), Some(mut third)) => loop {
            votes.count(&[first, b" ", second, b" ", third]);
            let Some(next) = tokens.next() else { break };
            (first, second, third) = (second, third, next);
        },
        (first, second, _) => {
            for token in [first, second].into_iter().flatten() {
                votes.count(&[token]);
            }
        }
    }
    votes
}

/// The number of bits in which two fingerprints differ.
pub const fn distance(a: u64, b: u64) -> u32 {
    (a ^ b).count_ones()
}

/// `true` if two fingerprints differ in so few bits, `most`, that the texts count as the same.
pub const fn near_duplicate(a: u64, b: u64, most: u32) -> bool {
    distance(a, b) <= most
}

const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// For each bit, how many more shingles have it set than not; and how many there are.
struct Votes {
    bits: [i64; 64],
    shingles: u32,
}

impl Votes {
    fn count(&mut self, shingle: &[&[u8]]) {
        let mut hasher = blake3::Hasher::new();
        for part in shingle {
            hasher.update(part);
        }
        let hash = hasher.finalize();
        let mut bits = hash
            .as_bytes()
            .first_chunk()
            .map_or(0, |first| u64::from_le_bytes(*first));
        self.shingles = self.shingles.saturating_add(1);
        for votes in self.bits.iter_mut() {
            *votes = votes.saturating_add(if bits & 1 == 1 { 1 } else { -1 });
            bits >>= 1;
        }
    }

    fn fingerprint(&self) -> u64 {
        self.bits
            .iter()
            .rev()
            .fold(0, |bits, votes| (bits << 1) | u64::from(*votes > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::String, vec::Vec};
    use tos_types::params::DUPLICATE_DISTANCE;

    fn alike(a: u64, b: u64) -> bool {
        near_duplicate(a, b, DUPLICATE_DISTANCE)
    }

    const ESSAY: &str =
        "The lock is taken twice on the error path: first in open(), then again in \
        the retry loop, because the guard is not dropped before the call. A deadlock follows as \
        soon as a second thread waits for the same file. Moving the guard into its own scope, or \
        cloning the handle before the retry, removes the fault; the test below shows it.";
    const OTHER: &str = "Revenue grew in every region except the north, where two shops closed in \
        March. Corrected for the closures, the trend is flat. The strongest predictor of sales is \
        the number of rainy days, followed by the price of fuel; advertising has no measurable \
        effect within the period, and the confidence interval of its coefficient includes zero.";

    /// A pseudo-random tour of 52 cities as a JSON array.
    fn tour(seed: u64) -> Vec<u8> {
        let mut cities: Vec<u8> = (0..52).collect();
        let mut state = seed;
        for i in (1..cities.len()).rev() {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            cities.swap(i, (state >> 33) as usize % (i + 1));
        }
        cities
    }

    fn print(tour: &[u8]) -> String {
        alloc::format!("{tour:?}")
    }

    #[test]
    fn the_fingerprint_of_one_word_is_its_hash() {
        // BLAKE3("abc") = 6437b3ac38465133…, a published test value; read little-endian.
        assert_eq!(simhash(b"abc"), 0x3351_4638_acb3_3764);
        assert_eq!(simhash(b"  \"ABC\" \n"), 0x3351_4638_acb3_3764);
        assert_eq!(simhash(b""), 0);
        assert_eq!(simhash(b" ,.;\n"), 0);
    }

    #[test]
    fn short_texts_have_no_fingerprint_to_find_copies_by() {
        // Ten tokens are eight shingles.
        let ten = b"a b c d e f g h i j";
        assert_eq!(fingerprint(ten), Some(simhash(ten)));
        assert_eq!(fingerprint(b"a b c d e f g h i"), None);
        assert_eq!([fingerprint(b""), fingerprint(b"one two")], [None, None]);
        assert_eq!(
            fingerprint(ESSAY.as_bytes()),
            Some(simhash(ESSAY.as_bytes()))
        );
    }

    #[test]
    fn bits_need_a_strict_majority_of_the_shingles() {
        let (a, b) = (simhash(b"left"), simhash(b"right"));
        assert_eq!(simhash(b"left right"), a & b);
        // Five tokens are three shingles: the majority of three.
        let [x, y, z] = [&b"a b c"[..], b"b c d", b"c d e"].map(|shingle| {
            let hash = blake3::hash(shingle);
            u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap())
        });
        assert_eq!(simhash(b"a b c d e"), (x & y) | (y & z) | (x & z));
    }

    #[test]
    fn copies_with_other_case_space_or_punctuation_are_the_same() {
        let spaced = ESSAY.replace(' ', "\n\t ").replace(',', " ;");
        assert_eq!(simhash(ESSAY.as_bytes()), simhash(spaced.as_bytes()));
        assert_eq!(
            simhash(ESSAY.as_bytes()),
            simhash(ESSAY.to_uppercase().as_bytes())
        );
        assert!(alike(simhash(ESSAY.as_bytes()), simhash(spaced.as_bytes())));
    }

    #[test]
    fn a_long_copy_with_one_word_changed_is_a_near_duplicate() {
        let text: String = (0..2_000)
            .map(|i| alloc::format!("word{} ", (i * i) % 10_007))
            .collect();
        let edited = text.replacen("word49 ", "other ", 1);
        assert_ne!(text, edited);
        assert!(alike(simhash(text.as_bytes()), simhash(edited.as_bytes())));
    }

    #[test]
    fn independent_texts_are_far_apart() {
        assert!(distance(simhash(ESSAY.as_bytes()), simhash(OTHER.as_bytes())) > 15);
        let greek = simhash("η απόδειξη είναι πλήρης και σωστή".as_bytes());
        let thai = simhash("หลักฐาน สมบูรณ์ และ ถูกต้อง".as_bytes());
        assert!(!alike(greek, thai) && greek != 0 && thai != 0);
    }

    #[test]
    fn different_tours_are_not_near_duplicates() {
        let prints: Vec<u64> = (0..100)
            .map(|s| simhash(print(&tour(s)).as_bytes()))
            .collect();
        for (i, a) in prints.iter().enumerate() {
            for b in &prints[i + 1..] {
                assert!(!alike(*a, *b));
            }
        }
        // Nor is a tour and the same tour with a stretch of it reversed, as 2-opt does.
        let mut found = 0;
        for seed in 0..100 {
            let mut better = tour(seed);
            better[10..25].reverse();
            let (a, b) = (
                simhash(print(&tour(seed)).as_bytes()),
                simhash(print(&better).as_bytes()),
            );
            found += u32::from(alike(a, b));
        }
        assert_eq!(found, 0);
    }

    #[test]
    fn distance_counts_bits() {
        assert_eq!(distance(0, u64::MAX), 64);
        assert!(alike(0b0000, 0b0111));
        assert!(!alike(0b0000, 0b1111));
    }
}
