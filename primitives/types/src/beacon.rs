// SPDX-License-Identifier: Apache-2.0

//! The beacon: its time configuration, how slots follow one another, and what blocks say about them
//! (`docs/beacon.md`). The runtime, the node and tests use these same functions.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use tos_vdf::VdfParams;

mod claims;
mod seeds;
mod walk;

pub use claims::*;
pub use seeds::*;
pub use tos_vdf::Hash;
pub use walk::*;

/// The number of a slot of the beacon. Slot 0 is the genesis state; the first one computed is 1.
pub type Slot = u64;

/// The most slots one block may include.
pub const MAX_SLOTS_PER_BLOCK: u32 = 8;
/// Spot openings that accompany the slots of a block.
pub const SPOTS_PER_BLOCK: u32 = 4;
/// Slots, and blocks, of which the chain keeps records.
pub const RECORDS: u32 = 2_048;
/// Slots between a randomness request and the highest that anyone may include or need compute when
/// it is made.
pub const REQUEST_DELAY: Slot = 2;
/// Slots that nodes compute ahead of the chain's head, as far as the clock allows.
pub const MAX_LEAD: Slot = 64;
/// Slots that the head may be behind what the clock allows before the clock is set after it.
pub const MAX_LAG: Slot = 120;
/// Blocks after a randomness request whose authors all add to its seed while the beacon stands
/// still.
pub const DEGRADED_BLOCKS: u32 = 16;
/// Slots by which the head may run ahead of the wall clock.
pub const WALL_CLOCK_LEAD: Slot = 2;

/// The lengths of the beacon's periods and the parameters of its first epoch. Genesis data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BeaconConfig {
    /// The walk's parameters in the first epoch.
    pub params: VdfParams,
    /// Milliseconds that a slot should take; paces the wall-clock cap.
    pub slot_ms: u32,
    /// Slots in a window.
    pub window_slots: u32,
    /// Windows between two injections of entropy.
    pub inject_windows: u32,
    /// Windows in an epoch.
    pub epoch_windows: u32,
    /// Slots before the end of an epoch at which the next one is fixed.
    pub prebuild_slots: u32,
    /// Blocks without progress after which the beacon is degraded.
    pub stall_blocks: u32,
}

impl BeaconConfig {
    /// A real network: one-second slots, 40-second windows, entropy every two minutes, a dataset a day.
    pub const PRODUCTION: Self = Self {
        params: VdfParams::MAINNET,
        slot_ms: 1_000,
        window_slots: 40,
        inject_windows: 3,
        epoch_windows: 2_160,
        prebuild_slots: 600,
        stall_blocks: 200,
    };

    /// Development: the small dataset of the tests, at the pace of a real network.
    pub const DEVELOPMENT: Self = Self {
        params: VdfParams::TEST,
        slot_ms: 1_000,
        window_slots: 8,
        inject_windows: 3,
        epoch_windows: 90,
        prebuild_slots: 40,
        stall_blocks: 20,
    };

    /// Tests: a dataset of 1 MiB, four slots a second, windows of two seconds.
    pub const FAST: Self = Self {
        params: VdfParams::TEST,
        slot_ms: 250,
        window_slots: 8,
        inject_windows: 3,
        epoch_windows: 30,
        prebuild_slots: 40,
        stall_blocks: 20,
    };

    /// Checks the configuration; the error says why it cannot work.
    pub fn check(&self) -> Result<(), &'static str> {
        self.params
            .check()
            .map_err(|_| "beacon: the walk's parameters are out of bounds")?;
        if self.slot_ms < 50 {
            return Err("beacon: a slot is shorter than 50 ms");
        }
        if self.window_slots < MAX_SLOTS_PER_BLOCK {
            // Or one block could pass a whole window, which then had no entropy of its own.
            return Err("beacon: a window is shorter than what one block may include");
        }
        if self.inject_windows < 3 {
            return Err(
                "beacon: entropy of two windows earlier must be younger than the last injection",
            );
        }
        if self.epoch_windows == 0 || self.stall_blocks == 0 {
            return Err("beacon: empty epochs or stalls");
        }
        if u64::from(self.prebuild_slots) >= self.epoch_slots() || self.prebuild_slots == 0 {
            return Err("beacon: the next epoch must be fixed within the current one");
        }
        Ok(())
    }

    /// Slots in an epoch.
    pub fn epoch_slots(&self) -> Slot {
        u64::from(self.epoch_windows).saturating_mul(self.window_slots.into())
    }

    /// The window of a slot.
    pub fn window_of(&self, slot: Slot) -> u64 {
        slot.saturating_sub(1)
            .checked_div(self.window_slots.into())
            .unwrap_or(0)
    }

    /// The epoch of a slot.
    pub fn epoch_of(&self, slot: Slot) -> u64 {
        slot.saturating_sub(1)
            .checked_div(self.epoch_slots())
            .unwrap_or(0)
    }

    /// `true` if a slot is the first of its window.
    pub fn begins_window(&self, slot: Slot) -> bool {
        slot > 0 && slot.saturating_sub(1).checked_rem(self.window_slots.into()) == Some(0)
    }

    /// The window whose recorded entropy goes into the start of `slot`, if entropy does.
    pub fn injects_at(&self, slot: Slot) -> Option<u64> {
        let window = self.window_of(slot);
        let due = self.begins_window(slot)
            && window > 0
            && window.checked_rem(self.inject_windows.into()) == Some(0);
        due.then(|| window.saturating_sub(2))
    }

    /// The epoch that must be fixed once `slot` is included: the next one, if `slot` lies within
    /// the last [`Self::prebuild_slots`] of its own.
    pub fn fixes_epoch(&self, slot: Slot) -> Option<u64> {
        let epoch = self.epoch_of(slot);
        let next = epoch.saturating_add(1);
        let end = next.saturating_mul(self.epoch_slots());
        (slot > 0 && slot.saturating_add(self.prebuild_slots.into()) > end).then_some(next)
    }

    /// The slot of a randomness request that is made in a block whose parent's head is
    /// `parent_head`, if `cap` is the highest slot that any block made in the same BABE slot may
    /// include.
    ///
    /// Neither depends on what the block's author does. What that block can include, and what others
    /// compute ahead of it, is lower.
    pub fn request_slot(&self, parent_head: Slot, cap: Slot) -> Slot {
        let known = parent_head
            .saturating_add(MAX_LEAD)
            .saturating_add(MAX_SLOTS_PER_BLOCK.into());
        cap.min(known).saturating_add(REQUEST_DELAY)
    }

    /// The time of the genesis slot from which on the head, at `parent_head`, is no more than
    /// [`MAX_LAG`] behind what the clock allows at `now_ms`; later than `genesis_ms` only where it is.
    pub fn forgive(&self, genesis_ms: u64, parent_head: Slot, now_ms: u64) -> u64 {
        let allowed = parent_head.saturating_add(MAX_LAG);
        let excess = self.cap(genesis_ms, now_ms).saturating_sub(allowed);
        genesis_ms.saturating_add(excess.saturating_mul(self.slot_ms.into()))
    }

    /// The highest slot that a block of time `now_ms` may include.
    pub fn cap(&self, genesis_ms: u64, now_ms: u64) -> Slot {
        now_ms
            .saturating_sub(genesis_ms)
            .checked_div(self.slot_ms.into())
            .unwrap_or(0)
            .saturating_add(WALL_CLOCK_LEAD)
    }
}

impl Default for BeaconConfig {
    fn default() -> Self {
        Self::PRODUCTION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configs_are_sound() {
        for config in [
            BeaconConfig::PRODUCTION,
            BeaconConfig::DEVELOPMENT,
            BeaconConfig::FAST,
        ] {
            assert_eq!(config.check(), Ok(()));
        }
        assert_eq!(BeaconConfig::PRODUCTION.epoch_slots(), 86_400);
    }

    #[test]
    fn entropy_goes_in_at_every_third_window_and_never_at_the_first() {
        let config = BeaconConfig::FAST;
        assert_eq!(config.injects_at(1), None);
        let injected: Vec<_> = (0..100)
            .filter_map(|slot| config.injects_at(slot).map(|from| (slot, from)))
            .collect();
        assert_eq!(injected, [(25, 1), (49, 4), (73, 7), (97, 10)]);
    }

    #[test]
    fn a_request_lies_beyond_what_a_block_can_include_and_others_compute() {
        let config = BeaconConfig::PRODUCTION;
        // The head follows the clock: two slots beyond the end of the block's time.
        assert_eq!(config.request_slot(1_000, 1_003), 1_005);
        // The head is behind: beyond what is computed ahead of it.
        assert_eq!(config.request_slot(1_000, 9_000), 1_000 + 64 + 8 + 2);
        for (head, cap) in [(0, 3), (10, 12), (10, 80), (10, 10_000)] {
            let block = (head + Slot::from(MAX_SLOTS_PER_BLOCK)).min(cap);
            let computed = (block + MAX_LEAD).min(cap);
            let randomness = config.request_slot(head, cap);
            assert!(randomness > block && randomness > computed, "{head} {cap}");
        }
    }

    #[test]
    fn the_clock_forgives_what_is_more_than_two_minutes_behind() {
        let config = BeaconConfig::PRODUCTION;
        let (genesis, head) = (5_000, 100);
        // At most 120 behind: nothing changes.
        let now = genesis + 218 * 1_000;
        assert_eq!(config.cap(genesis, now), head + MAX_LAG);
        assert_eq!(config.forgive(genesis, head, now), genesis);
        // An hour later the head is 120 behind again.
        let now = now + 3_600_000 + 345;
        let set = config.forgive(genesis, head, now);
        assert_eq!(set, genesis + 3_600_000);
        assert_eq!(config.cap(set, now), head + MAX_LAG);
        assert_eq!(config.forgive(set, head, now), set);
        assert_eq!(config.forgive(genesis, 10_000, now), genesis);
    }

    #[test]
    fn slots_belong_to_the_window_and_epoch_that_they_end_in() {
        let config = BeaconConfig::FAST;
        assert_eq!((config.window_of(8), config.window_of(9)), (0, 1));
        assert_eq!((config.epoch_of(240), config.epoch_of(241)), (0, 1));
        assert_eq!(config.fixes_epoch(200), None);
        assert_eq!(config.fixes_epoch(201), Some(1));
        assert_eq!(config.fixes_epoch(240), Some(1));
        assert_eq!(config.fixes_epoch(241), None);
    }
}
