// SPDX-License-Identifier: Apache-2.0

//! The parameters of the walk and their bounds.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Coarse segments of a slot: their end states are gossiped, and they are verified side by side.
pub const COARSE: usize = 32;
/// Fine segments of a slot: their end states lie under the fine root. Ten to a coarse segment.
pub const FINE: usize = 320;
/// Dependent reads of 64 bytes in one iteration.
pub const READS_PER_ITERATION: u32 = 14;

/// Fine segments of a coarse one.
pub(crate) const FINE_PER_COARSE: usize = 10;

const COARSE_COUNT: u32 = 32;
const FINE_COUNT: u32 = 320;
const _: () = assert!(COARSE_COUNT as usize == COARSE && FINE_COUNT as usize == FINE);
const _: () = assert!(COARSE * FINE_PER_COARSE == FINE);

/// The parameters that may differ between networks and epochs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct VdfParams {
    /// Binary logarithm of the number of 64-byte lines of the dataset; 22 is 256 MiB.
    pub log2_lines: u8,
    /// Passes of Argon2d over the dataset.
    pub passes: u8,
    /// Iterations in a slot: a multiple of [`FINE`].
    pub iterations_per_slot: u32,
}

/// The reasons to refuse [`VdfParams`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum ParamsError {
    /// `log2_lines` is not in 10..=24 (64 KiB to 1 GiB).
    Lines,
    /// `passes` is not in 1..=4.
    Passes,
    /// `iterations_per_slot` is not in 320..=4,000,000, or is no multiple of 320.
    Iterations,
}

impl core::fmt::Display for ParamsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Lines => "log2_lines must be 10 to 24",
            Self::Passes => "passes must be 1 to 4",
            Self::Iterations => {
                "iterations_per_slot must be a multiple of 320 from 320 to 4,000,000"
            }
        })
    }
}

impl core::error::Error for ParamsError {}

impl VdfParams {
    /// 256 MiB, three passes, 304,960 iterations: 0.83 seconds on the machine it was set on, which walks
    /// 366,000 a second. So a timekeeper of that speed catches up after an outage.
    pub const MAINNET: Self = Self {
        log2_lines: 22,
        passes: 3,
        iterations_per_slot: 304_960,
    };
    /// 1 MiB, one pass, 1,280 iterations: a millisecond, for tests and local networks.
    pub const TEST: Self = Self {
        log2_lines: 14,
        passes: 1,
        iterations_per_slot: 1_280,
    };

    /// Checks that the parameters are within their bounds.
    pub fn check(&self) -> Result<(), ParamsError> {
        if !(10..=24).contains(&self.log2_lines) {
            return Err(ParamsError::Lines);
        }
        if !(1..=4).contains(&self.passes) {
            return Err(ParamsError::Passes);
        }
        let whole = self.iterations_per_slot.is_multiple_of(FINE_COUNT);
        if !(FINE_COUNT..=4_000_000).contains(&self.iterations_per_slot) || !whole {
            return Err(ParamsError::Iterations);
        }
        Ok(())
    }

    /// Iterations of one coarse segment.
    pub fn iterations_per_coarse(&self) -> u32 {
        self.iterations_per_slot / COARSE_COUNT
    }

    /// Iterations of one fine segment.
    pub fn iterations_per_fine(&self) -> u32 {
        self.iterations_per_slot / FINE_COUNT
    }

    /// Size of the dataset in KiB; 0 when `log2_lines` is out of bounds.
    pub fn memory_kib(&self) -> u32 {
        // Sixteen lines are one KiB, which is one block of Argon2.
        u32::from(self.log2_lines)
            .checked_sub(4)
            .and_then(|log2| 1u32.checked_shl(log2))
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sizes_hold() {
        let params = VdfParams::MAINNET;
        assert_eq!(params.check(), Ok(()));
        assert_eq!(params.memory_kib(), 262_144);
        assert_eq!(params.iterations_per_coarse(), 9_530);
        assert_eq!(params.iterations_per_fine(), 953);
        assert_eq!(VdfParams::TEST.check(), Ok(()));
        assert_eq!(VdfParams::TEST.memory_kib(), 1_024);
    }

    #[test]
    fn parameters_beyond_their_bounds_are_refused() {
        let with = |log2_lines, passes, iterations_per_slot| {
            VdfParams {
                log2_lines,
                passes,
                iterations_per_slot,
            }
            .check()
        };
        assert_eq!(with(10, 1, 320), Ok(()));
        assert_eq!(with(24, 4, 4_000_000), Ok(()));
        for lines in [0, 9, 25, 255] {
            assert_eq!(with(lines, 1, 320), Err(ParamsError::Lines));
        }
        for passes in [0, 5, 255] {
            assert_eq!(with(10, passes, 320), Err(ParamsError::Passes));
        }
        for iterations in [0, 1, 319, 321, 4_000_320, u32::MAX] {
            assert_eq!(with(10, 1, iterations), Err(ParamsError::Iterations));
        }
    }

    #[test]
    fn sizes_of_unchecked_parameters_do_not_panic() {
        for log2_lines in 0..=255 {
            let params = VdfParams {
                log2_lines,
                passes: 0,
                iterations_per_slot: u32::MAX,
            };
            params.memory_kib();
            params.iterations_per_fine();
        }
    }
}
