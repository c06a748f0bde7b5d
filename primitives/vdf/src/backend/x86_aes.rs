// SPDX-License-Identifier: Apache-2.0

//! AES-NI: one lane to a register.
// Round numbers below 2 * ROUNDS and lanes below 4.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::{
    haraka::{KEYS, ROUNDS},
    walk::{Lanes, Line},
    State,
};
use core::arch::x86_64::*;

super::entry_points!(Xmm, "aes,sse2");

/// The four lanes.
#[derive(Clone, Copy)]
pub(crate) struct Xmm([__m128i; 4]);

#[inline(always)]
fn lanes(bytes: &[u8; 64]) -> [__m128i; 4] {
    let at = bytes.as_ptr().cast::<__m128i>();
    // SAFETY: SSE2 is part of x86-64; four times 16 bytes are read of 64, unaligned.
    core::array::from_fn(|i| unsafe { _mm_loadu_si128(at.add(i)) })
}

// SAFETY: a value is made by `load` alone, whose condition is that the CPU has AES-NI.
unsafe impl Lanes for Xmm {
    #[inline(always)]
    unsafe fn load(state: &State) -> Self {
        Self(lanes(state))
    }

    #[inline(always)]
    fn store(self) -> State {
        let mut state = [0; 64];
        let at = state.as_mut_ptr().cast::<__m128i>();
        for (i, lane) in self.0.into_iter().enumerate() {
            // SAFETY: SSE2 is part of x86-64; four times 16 bytes are written of 64, unaligned.
            unsafe { _mm_storeu_si128(at.add(i), lane) };
        }
        state
    }

    #[inline(always)]
    fn low_word(self) -> u32 {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_cvtsi128_si32(self.0[0]) as u32 }
    }

    #[inline(always)]
    fn count(mut self, iteration: u64) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        self.0[3] = unsafe { _mm_xor_si128(self.0[3], _mm_cvtsi64_si128(iteration as i64)) };
        self
    }

    #[inline(always)]
    fn step(self, line: &Line) -> Self {
        let line = lanes(&line.0);
        // SAFETY: a value exists, so the CPU has AES-NI; the keys are 64 bytes for each AES round.
        unsafe {
            let mut s: [__m128i; 4] = core::array::from_fn(|i| _mm_xor_si128(self.0[i], line[i]));
            for round in 0..ROUNDS {
                for half in 0..2 {
                    let keys = KEYS.0[2 * round + half].as_ptr().cast::<__m128i>();
                    s = core::array::from_fn(|i| {
                        _mm_aesenc_si128(s[i], _mm_load_si128(keys.add(i)))
                    });
                }
                let low01 = _mm_unpacklo_epi32(s[0], s[1]);
                let high01 = _mm_unpackhi_epi32(s[0], s[1]);
                let low23 = _mm_unpacklo_epi32(s[2], s[3]);
                let high23 = _mm_unpackhi_epi32(s[2], s[3]);
                s = [
                    _mm_unpackhi_epi32(high01, high23),
                    _mm_unpacklo_epi32(low23, low01),
                    _mm_unpackhi_epi32(low23, low01),
                    _mm_unpacklo_epi32(high01, high23),
                ];
            }
            Self(core::array::from_fn(|i| _mm_xor_si128(s[i], self.0[i])))
        }
    }

    #[inline(always)]
    fn prefetch(self, line: &Line) {
        // To the second-level cache: it has room for more outstanding reads than the first.
        // SAFETY: SSE is part of x86-64; a prefetch has no effect on what the program sees.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(core::ptr::from_ref(line).cast()) }
    }
}
