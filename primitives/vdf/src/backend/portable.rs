// SPDX-License-Identifier: Apache-2.0

//! AES rounds from tables, for CPUs without AES instructions. The data is public, so that the
//! timing of table look-ups gives nothing away.
// Indices are bytes into tables of 256 and constants below 16; the tables are made by the compiler.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::{
    haraka::{KEYS, MIX, ROUNDS},
    walk::{Lanes, Line},
    State,
};

super::entry_points!(Words);

/// The state as sixteen words: the columns of the four lanes.
#[derive(Clone, Copy)]
pub(crate) struct Words([u32; 16]);

// SAFETY: needs nothing of the CPU.
unsafe impl Lanes for Words {
    #[inline(always)]
    unsafe fn load(state: &State) -> Self {
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(state.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        Self(words)
    }

    #[inline(always)]
    fn store(self) -> State {
        let mut state = [0; 64];
        for (bytes, word) in state.as_chunks_mut::<4>().0.iter_mut().zip(self.0) {
            *bytes = word.to_le_bytes();
        }
        state
    }

    #[inline(always)]
    fn low_word(self) -> u32 {
        self.0[0]
    }

    #[inline(always)]
    fn count(mut self, iteration: u64) -> Self {
        self.0[12] ^= iteration as u32;
        self.0[13] ^= (iteration >> 32) as u32;
        self
    }

    #[inline(always)]
    fn step(self, line: &Line) -> Self {
        // SAFETY: needs nothing of the CPU.
        let line = unsafe { Self::load(&line.0) };
        let mut words: [u32; 16] = core::array::from_fn(|i| self.0[i] ^ line.0[i]);
        for round in 0..ROUNDS {
            words = aes_round(&words, &KEYS.0[2 * round]);
            words = aes_round(&words, &KEYS.0[2 * round + 1]);
            words = core::array::from_fn(|i| words[usize::from(MIX[i])]);
        }
        Self(core::array::from_fn(|i| words[i] ^ self.0[i]))
    }

    #[inline(always)]
    fn prefetch(self, _line: &Line) {}
}

/// AESENC on each of the four lanes: SubBytes, ShiftRows, MixColumns, AddRoundKey.
#[inline(always)]
fn aes_round(words: &[u32; 16], key: &[u32; 16]) -> [u32; 16] {
    core::array::from_fn(|i| {
        let column = |ahead: usize| words[i / 4 * 4 + (i + ahead) % 4].to_le_bytes();
        MIXED[usize::from(column(0)[0])]
            ^ MIXED[usize::from(column(1)[1])].rotate_left(8)
            ^ MIXED[usize::from(column(2)[2])].rotate_left(16)
            ^ MIXED[usize::from(column(3)[3])].rotate_left(24)
            ^ key[i]
    })
}

/// The image of a byte in the first row of a column under SubBytes and MixColumns.
static MIXED: [u32; 256] = mixed();

const fn mixed() -> [u32; 256] {
    // The powers of 3, which generates the field, and with them the inverses.
    let mut powers = [0u8; 256];
    let mut logarithms = [0usize; 256];
    let mut power = 1u8;
    let mut exponent = 0;
    while exponent < 255 {
        powers[exponent] = power;
        logarithms[power as usize] = exponent;
        power ^= double(power);
        exponent += 1;
    }
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let inverse = if byte == 0 {
            0
        } else {
            powers[(255 - logarithms[byte]) % 255]
        };
        let s = inverse
            ^ inverse.rotate_left(1)
            ^ inverse.rotate_left(2)
            ^ inverse.rotate_left(3)
            ^ inverse.rotate_left(4)
            ^ 0x63;
        table[byte] = u32::from_le_bytes([double(s), s, s, double(s) ^ s]);
        byte += 1;
    }
    table
}

/// The product with 2 in AES's field.
const fn double(x: u8) -> u8 {
    (x << 1) ^ if x & 0x80 != 0 { 0x1b } else { 0 }
}
