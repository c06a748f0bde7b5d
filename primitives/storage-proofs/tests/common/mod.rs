// SPDX-License-Identifier: Apache-2.0

//! What the tests share.
#![allow(dead_code)] // each test file uses its own part

use tos_storage_proofs::*;

/// The replica that tests seal.
pub const BINDING: Binding = Binding {
    prover: [1; 32],
    chain: [2; 32],
    replica: [3; 16],
};

/// Bytes any language makes again: 64-bit words of an arithmetic progression.
pub fn data(seed: u64, length: usize) -> Vec<u8> {
    let first = seed.wrapping_mul(0xD1B5_4A32_D192_ED03);
    let word = |i: u64| first.wrapping_add((i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let words = (0..length.div_ceil(8) as u64).flat_map(|i| word(i).to_le_bytes());
    words.take(length).collect()
}

/// A tree over `chunks` chunks of [`data`] with the same seed.
pub fn tree(chunks: u64) -> MemoryTree {
    MemoryTree::new(data(chunks, chunks as usize * CHUNK)).unwrap()
}

pub fn hash(name: &str, at: u64) -> Hash {
    *blake3::hash(format!("{name} {at}").as_bytes()).as_bytes()
}

pub fn hashes(name: &str, count: u64) -> Vec<Hash> {
    (0..count).map(|at| hash(name, at)).collect()
}

/// A generator for mutations: the same on every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// Another value than `bytes`: bits flipped, cut, extended, moved or replaced.
    pub fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        while out == bytes {
            match self.below(7) {
                0..=2 if !out.is_empty() => {
                    let at = self.below(out.len());
                    out[at] ^= 1 << self.below(8);
                }
                3 => out.truncate(self.below(out.len() + 1)),
                4 => {
                    let more = self.below(100);
                    out.extend(self.bytes(more));
                }
                5 if out.len() > 64 => {
                    let (a, b) = (self.below(out.len() - 32), self.below(out.len() - 32));
                    for i in 0..32 {
                        out.swap(a + i, b + i);
                    }
                }
                _ => {
                    let length = self.below(3_000);
                    out = self.bytes(length);
                }
            }
        }
        out
    }
}
