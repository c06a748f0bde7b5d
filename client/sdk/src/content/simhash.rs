// SPDX-License-Identifier: Apache-2.0

//! SimHash of content that is read piece by piece. It is defined in `tos_formulas::simhash`, which
//! wants all of it in memory, twice; here nothing is kept but the hashes that are being made.

use crate::error::{Context, Result};
use std::{fs::File, io::Read, path::Path};

/// Bytes read at a time.
const PIECE: usize = 64 * 1024;
/// Tokens of a shingle.
const SHINGLE: usize = 3;

/// A SimHash in the making. Each token belongs to three shingles at most, so three hashes are open
/// at a time, however long the tokens are.
pub struct SimHasher {
    votes: [i64; 64],
    /// Tokens that have begun.
    tokens: usize,
    /// `true` if the last byte was one of a token.
    inside: bool,
    /// The shingle that began with token `n` is number `n % 3`.
    shingles: [blake3::Hasher; SHINGLE],
    /// The first two tokens by themselves: the shingles of a text that has no more.
    alone: [blake3::Hasher; 2],
    /// The piece in lower case.
    piece: Vec<u8>,
}

impl Default for SimHasher {
    fn default() -> Self {
        Self {
            votes: [0; 64],
            tokens: 0,
            inside: false,
            shingles: Default::default(),
            alone: Default::default(),
            piece: Vec::new(),
        }
    }
}

impl SimHasher {
    /// Takes the next bytes of the text.
    pub fn update(&mut self, bytes: &[u8]) {
        let mut piece = std::mem::take(&mut self.piece);
        piece.clear();
        piece.extend_from_slice(bytes);
        piece.make_ascii_lowercase();
        for run in piece.chunk_by(|a, b| is_token(*a) == is_token(*b)) {
            match run.first().is_some_and(|byte| is_token(*byte)) {
                true => self.token(run),
                false => self.end_token(),
            }
        }
        self.piece = piece;
    }

    /// More of a token, or the beginning of one.
    fn token(&mut self, bytes: &[u8]) {
        if !self.inside {
            self.inside = true;
            let number = self.tokens;
            self.tokens = number.saturating_add(1);
            for (place, shingle) in self.shingles.iter_mut().enumerate() {
                match place == number % SHINGLE {
                    true => {
                        shingle.reset();
                    }
                    // Those that have not begun yet are reset when they do.
                    false => {
                        shingle.update(b" ");
                    }
                }
            }
        }
        self.shingles.iter_mut().for_each(|shingle| {
            shingle.update(bytes);
        });
        if let Some(alone) = self.alone.get_mut(self.tokens.saturating_sub(1)) {
            alone.update(bytes);
        }
    }

    /// The token, if there is one, is over, and with it the shingle that began two tokens before.
    fn end_token(&mut self) {
        if !std::mem::take(&mut self.inside) {
            return;
        }
        if let Some(first) = self.tokens.checked_sub(SHINGLE) {
            let shingle = self.shingles.get(first % SHINGLE).map(|s| s.finalize());
            if let Some(hash) = shingle {
                self.count(&hash);
            }
        }
    }

    fn count(&mut self, hash: &blake3::Hash) {
        let first = hash.as_bytes().first_chunk();
        let mut bits = first.map_or(0, |first| u64::from_le_bytes(*first));
        for votes in &mut self.votes {
            *votes = votes.saturating_add(if bits & 1 == 1 { 1 } else { -1 });
            bits >>= 1;
        }
    }

    /// The SimHash of all that was taken.
    pub fn finish(mut self) -> u64 {
        self.end_token();
        if self.tokens < SHINGLE {
            let alone: Vec<_> = self.alone.iter().take(self.tokens).cloned().collect();
            for token in alone {
                self.count(&token.finalize());
            }
        }
        let bits = self.votes.iter().rev();
        bits.fold(0, |bits, votes| (bits << 1) | u64::from(*votes > 0))
    }
}

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// The SimHash of a file.
pub fn simhash_file(path: &Path) -> Result<u64> {
    let doing = format!("reading {}", path.display());
    let mut file = File::open(path).context(&doing)?;
    let (mut hasher, mut piece) = (SimHasher::default(), vec![0; PIECE]);
    loop {
        let read = match file.read(&mut piece) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read.context(&doing)?,
        };
        match piece.get(..read).unwrap_or_default() {
            [] => return Ok(hasher.finish()),
            read => hasher.update(read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_formulas::simhash::simhash;

    /// Numbers that look like chance.
    fn numbers(seed: u64) -> impl FnMut(u64) -> usize {
        let mut state = seed;
        move |below| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % below) as usize
        }
    }

    /// The SimHash of a text taken in pieces of at most `most` bytes.
    fn in_pieces(text: &[u8], most: u64, next: &mut impl FnMut(u64) -> usize) -> u64 {
        let (mut hasher, mut rest) = (SimHasher::default(), text);
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.len().min(1 + next(most)));
            hasher.update(piece);
            rest = more;
        }
        hasher.finish()
    }

    #[test]
    fn a_text_in_pieces_has_the_simhash_of_the_whole() {
        let alphabets: [&[u8]; 4] = [b"aB1 ", b"xyZ09,. \n\"", b"a", b" "];
        let mut next = numbers(7);
        for round in 0..2_000 {
            let alphabet = alphabets[round % alphabets.len()];
            let text: Vec<u8> = (0..next(200))
                .map(|_| match next(12) {
                    0 => next(256) as u8,
                    _ => alphabet[next(alphabet.len() as u64)],
                })
                .collect();
            for most in [1, 3, 64] {
                let found = in_pieces(&text, most, &mut next);
                assert_eq!(found, simhash(&text), "{:?}", text.escape_ascii());
            }
        }
        for text in [
            "",
            " ",
            "abc",
            "left right",
            "a b c",
            "one two three four",
            "ÄÖ ü x",
        ] {
            let found = in_pieces(text.as_bytes(), 2, &mut next);
            assert_eq!(found, simhash(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_file_has_the_simhash_of_its_bytes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut text = "Some words, and the same again. "
            .repeat(5_000)
            .into_bytes();
        text.extend_from_slice(&vec![b'x'; 3 * PIECE + 1]);
        text.extend_from_slice(b" and an end");
        std::fs::write(file.path(), &text).unwrap();
        assert_eq!(simhash_file(file.path()).unwrap(), simhash(&text));
    }
}
