// SPDX-License-Identifier: Apache-2.0

//! VAES with AVX-512: the four lanes in one register, MIX4 as one permutation of its words.
// Round numbers below 2 * ROUNDS.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::{
    haraka::{KEYS, MIX, ROUNDS},
    walk::{Lanes, Line},
    State,
};
use core::arch::x86_64::*;

super::entry_points!(Zmm, "avx512f,vaes");

/// The whole state.
#[derive(Clone, Copy)]
pub(crate) struct Zmm(__m512i);

#[repr(C, align(64))]
struct Order([u32; 16]);

// Evaluated by the compiler.
static ORDER: Order = {
    let mut order = [0; 16];
    let mut i = 0;
    while i < 16 {
        order[i] = MIX[i] as u32;
        i += 1;
    }
    Order(order)
};

// SAFETY: a value is made by `load` alone, whose condition is that the CPU has VAES and AVX-512F.
unsafe impl Lanes for Zmm {
    #[inline(always)]
    unsafe fn load(state: &State) -> Self {
        // SAFETY: the condition of this function; 64 bytes are read of 64, unaligned.
        Self(unsafe { _mm512_loadu_si512(state.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self) -> State {
        let mut state = [0u8; 64];
        // SAFETY: a value exists, so the CPU has AVX-512F; 64 bytes are written of 64, unaligned.
        unsafe { _mm512_storeu_si512(state.as_mut_ptr().cast(), self.0) };
        state
    }

    #[inline(always)]
    fn low_word(self) -> u32 {
        // SAFETY: a value exists, so the CPU has AVX-512F.
        unsafe { _mm_cvtsi128_si32(_mm512_castsi512_si128(self.0)) as u32 }
    }

    #[inline(always)]
    fn count(self, iteration: u64) -> Self {
        // SAFETY: a value exists, so the CPU has AVX-512F.
        Self(unsafe {
            // Quad-word 6 is the first half of the last lane.
            let counter = _mm512_maskz_set1_epi64(1 << 6, iteration as i64);
            _mm512_xor_si512(self.0, counter)
        })
    }

    #[inline(always)]
    fn step(self, line: &Line) -> Self {
        // SAFETY: a value exists, so the CPU has VAES and AVX-512F; `Line`, `Keys` and `Order` are
        // aligned to 64 bytes and each read is of 64 bytes within them.
        Self(unsafe {
            let order = _mm512_load_si512(ORDER.0.as_ptr().cast());
            let mut s = _mm512_xor_si512(self.0, _mm512_load_si512(line.0.as_ptr().cast()));
            for round in 0..ROUNDS {
                for half in 0..2 {
                    let key = _mm512_load_si512(KEYS.0[2 * round + half].as_ptr().cast());
                    s = _mm512_aesenc_epi128(s, key);
                }
                s = _mm512_permutexvar_epi32(order, s);
            }
            _mm512_xor_si512(s, self.0)
        })
    }

    #[inline(always)]
    fn prefetch(self, line: &Line) {
        // To the second-level cache: it has room for more outstanding reads than the first.
        // SAFETY: SSE is part of x86-64; a prefetch has no effect on what the program sees.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(core::ptr::from_ref(line).cast()) }
    }
}
