// SPDX-License-Identifier: Apache-2.0

//! The AES instructions of ARMv8: AESE adds the key first and leaves MixColumns to AESMC, so that
//! AESENC(x, k) is AESMC(AESE(x, 0)) ⊕ k, and the key of one round may be added by the next AESE.
// Round numbers below 2 * ROUNDS and lanes below 4.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::{
    haraka::{KEYS, ROUNDS},
    walk::{Lanes, Line},
    State,
};
use core::arch::aarch64::*;

super::entry_points!(Neon, "aes,neon");

/// The four lanes.
#[derive(Clone, Copy)]
pub(crate) struct Neon([uint8x16_t; 4]);

#[inline(always)]
fn lanes(bytes: &[u8; 64]) -> [uint8x16_t; 4] {
    // SAFETY: called where a `Neon` exists or is made, so the CPU has NEON; four times 16 bytes
    // are read of 64, unaligned.
    core::array::from_fn(|i| unsafe { vld1q_u8(bytes.as_ptr().add(16 * i)) })
}

/// The keys of one AES round, as bytes in the order of the lanes.
#[inline(always)]
fn keys(round: usize) -> [uint8x16_t; 4] {
    let words = KEYS.0[round].as_ptr();
    // SAFETY: called where a `Neon` exists, so the CPU has NEON; sixteen words are read of sixteen.
    // Words and bytes agree because lanes are little-endian (checked below).
    core::array::from_fn(|i| unsafe { vreinterpretq_u8_u32(vld1q_u32(words.add(4 * i))) })
}

/// SubBytes, ShiftRows, MixColumns on `x ⊕ key`.
///
/// # Safety
///
/// The CPU has AES.
#[inline]
#[target_feature(enable = "aes")]
unsafe fn keyed_round(x: uint8x16_t, key: uint8x16_t) -> uint8x16_t {
    vaesmcq_u8(vaeseq_u8(x, key))
}

// The casts between words and bytes are the identity on little-endian machines only.
const _: () = assert!(cfg!(target_endian = "little"));

// SAFETY: a value is made by `load` alone, whose condition is that the CPU has AES and NEON.
unsafe impl Lanes for Neon {
    #[inline(always)]
    unsafe fn load(state: &State) -> Self {
        Self(lanes(state))
    }

    #[inline(always)]
    fn store(self) -> State {
        let mut state = [0; 64];
        for (i, lane) in self.0.into_iter().enumerate() {
            // SAFETY: a value exists, so the CPU has NEON; 16 bytes are written of 64, four times.
            unsafe { vst1q_u8(state.as_mut_ptr().add(16 * i), lane) };
        }
        state
    }

    #[inline(always)]
    fn low_word(self) -> u32 {
        // SAFETY: a value exists, so the CPU has NEON.
        unsafe { vgetq_lane_u32::<0>(vreinterpretq_u32_u8(self.0[0])) }
    }

    #[inline(always)]
    fn count(mut self, iteration: u64) -> Self {
        // SAFETY: a value exists, so the CPU has NEON.
        self.0[3] = unsafe {
            let counter = vcombine_u64(vcreate_u64(iteration), vcreate_u64(0));
            veorq_u8(self.0[3], vreinterpretq_u8_u64(counter))
        };
        self
    }

    #[inline(always)]
    fn step(self, line: &Line) -> Self {
        let line = lanes(&line.0);
        // SAFETY: a value exists, so the CPU has AES and NEON.
        unsafe {
            let zero = vdupq_n_u8(0);
            let mut s: [uint8x16_t; 4] = core::array::from_fn(|i| veorq_u8(self.0[i], line[i]));
            for round in 0..ROUNDS {
                let (first, second) = (keys(2 * round), keys(2 * round + 1));
                s = core::array::from_fn(|i| {
                    let once = keyed_round(s[i], zero);
                    veorq_u8(keyed_round(once, first[i]), second[i])
                });
                let w: [uint32x4_t; 4] = core::array::from_fn(|i| vreinterpretq_u32_u8(s[i]));
                let (low01, high01) = (vzip1q_u32(w[0], w[1]), vzip2q_u32(w[0], w[1]));
                let (low23, high23) = (vzip1q_u32(w[2], w[3]), vzip2q_u32(w[2], w[3]));
                s = [
                    vreinterpretq_u8_u32(vzip2q_u32(high01, high23)),
                    vreinterpretq_u8_u32(vzip1q_u32(low23, low01)),
                    vreinterpretq_u8_u32(vzip2q_u32(low23, low01)),
                    vreinterpretq_u8_u32(vzip1q_u32(high01, high23)),
                ];
            }
            Self(core::array::from_fn(|i| veorq_u8(s[i], self.0[i])))
        }
    }

    #[inline(always)]
    fn prefetch(self, line: &Line) {
        // SAFETY: a prefetch has no effect on what the program sees.
        unsafe {
            core::arch::asm!(
                "prfm pldl1keep, [{line}]",
                line = in(reg) core::ptr::from_ref(line),
                options(nostack, readonly, preserves_flags)
            );
        }
    }
}
