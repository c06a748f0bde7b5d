// SPDX-License-Identifier: Apache-2.0

//! The way from one slot to the next: start states, injected entropy, epochs.

use super::{BeaconConfig, Hash, Slot, SlotClaim};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use tos_vdf::{inject, State, VdfParams};

/// An epoch that is fixed: what its dataset is made from and how its slots are walked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Epoch {
    /// Its number, from 0.
    pub number: u64,
    /// The seed of its dataset.
    pub seed: Hash,
    /// The parameters of its dataset and its slots.
    pub params: VdfParams,
}

/// The point that the walk has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Head {
    /// The last slot included.
    pub slot: Slot,
    /// The state it ends in, before anything is injected.
    pub end: State,
    /// The number of the first iteration after it.
    pub next_iteration: u64,
}

/// The input from which a slot is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotStart {
    /// The slot.
    pub slot: Slot,
    /// The state it starts from, entropy injected.
    pub start: State,
    /// The number of its first iteration.
    pub first_iteration: u64,
    /// Its epoch.
    pub epoch: Epoch,
}

impl SlotStart {
    /// The head once this slot is included with the given end state.
    pub fn head(&self, end: &State) -> Option<Head> {
        let iterations = self.epoch.params.iterations_per_slot;
        Some(Head {
            slot: self.slot,
            end: *end,
            next_iteration: self.first_iteration.checked_add(iterations.into())?,
        })
    }
}

/// The reasons for which the start of a slot cannot be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkError {
    /// The epoch of this number is not fixed yet, or is forgotten.
    UnknownEpoch(u64),
    /// The entropy of the window of this number is not recorded yet, or is forgotten.
    UnknownEntropy(u64),
    /// Slots or iterations have run out.
    Exhausted,
}

/// The data known around the head: the epochs that are fixed and the entropy that windows recorded.
pub trait Surroundings {
    /// The epoch of this number.
    fn epoch(&self, number: u64) -> Option<Epoch>;
    /// The accumulated entropy of the block that included the first slot of this window.
    fn entropy(&self, window: u64) -> Option<Hash>;
}

/// The input from which the slot after `head` is computed.
pub fn next_start(
    config: &BeaconConfig,
    around: &impl Surroundings,
    head: &Head,
) -> Result<SlotStart, LinkError> {
    let slot = head.slot.checked_add(1).ok_or(LinkError::Exhausted)?;
    let number = config.epoch_of(slot);
    let epoch = around
        .epoch(number)
        .ok_or(LinkError::UnknownEpoch(number))?;
    let start = match config.injects_at(slot) {
        None => head.end,
        Some(window) => {
            let entropy = around
                .entropy(window)
                .ok_or(LinkError::UnknownEntropy(window))?;
            inject(&head.end, &entropy)
        }
    };
    Ok(SlotStart {
        slot,
        start,
        first_iteration: head.next_iteration,
        epoch,
    })
}

/// The input of each of the claimed slots, if all the claims before it are right.
///
/// Entropy that the same block records is never needed: a window is at least as long as what a block
/// may include, and goes in two windows later.
pub fn starts(
    config: &BeaconConfig,
    around: &impl Surroundings,
    head: &Head,
    claims: &[SlotClaim],
) -> Result<Vec<SlotStart>, LinkError> {
    let mut head = *head;
    let mut starts = Vec::with_capacity(claims.len());
    for claim in claims {
        let start = next_start(config, around, &head)?;
        head = start.head(&claim.end).ok_or(LinkError::Exhausted)?;
        starts.push(start);
    }
    Ok(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: BeaconConfig = BeaconConfig::FAST;

    struct Known(u64);
    impl Surroundings for Known {
        fn epoch(&self, number: u64) -> Option<Epoch> {
            (number <= self.0).then_some(Epoch {
                number,
                seed: [number as u8; 32],
                params: VdfParams {
                    iterations_per_slot: 320 * (number as u32 + 1),
                    ..VdfParams::TEST
                },
            })
        }
        fn entropy(&self, window: u64) -> Option<Hash> {
            (window <= 4).then_some([window as u8; 32])
        }
    }

    fn head(slot: Slot) -> Head {
        Head {
            slot,
            end: [9; 64],
            next_iteration: 1_000,
        }
    }

    fn claims(count: u8) -> Vec<SlotClaim> {
        (1..=count)
            .map(|i| SlotClaim {
                end: [i; 64],
                fine_root: [0; 32],
            })
            .collect()
    }

    #[test]
    fn each_slot_starts_where_the_one_before_ended() {
        let starts = starts(&CONFIG, &Known(0), &head(3), &claims(3)).unwrap();
        let seen: Vec<_> = starts
            .iter()
            .map(|s| (s.slot, s.start, s.first_iteration))
            .collect();
        assert_eq!(
            seen,
            [
                (4, [9; 64], 1_000),
                (5, [1; 64], 1_320),
                (6, [2; 64], 1_640)
            ]
        );
    }

    #[test]
    fn entropy_of_two_windows_earlier_goes_in_at_the_boundary_alone() {
        let starts = starts(&CONFIG, &Known(0), &head(23), &claims(3)).unwrap();
        assert_eq!(starts[0].start, [9; 64]);
        assert_eq!(starts[1].slot, 25);
        assert_eq!(starts[1].start, inject(&[1; 64], &[1; 32]));
        assert_eq!(starts[2].start, [2; 64]);
    }

    #[test]
    fn a_new_epoch_has_its_own_dataset_and_the_counter_runs_through() {
        // Window 30, at whose beginning epoch 1 begins, takes the entropy of window 28.
        struct All;
        impl Surroundings for All {
            fn epoch(&self, number: u64) -> Option<Epoch> {
                Known(1).epoch(number)
            }
            fn entropy(&self, window: u64) -> Option<Hash> {
                Some([window as u8; 32])
            }
        }
        let starts = starts(&CONFIG, &All, &head(239), &claims(3)).unwrap();
        let seen: Vec<_> = starts
            .iter()
            .map(|s| (s.epoch.number, s.first_iteration))
            .collect();
        assert_eq!(seen, [(0, 1_000), (1, 1_320), (1, 1_960)]);
        assert_eq!(starts[1].start, inject(&[1; 64], &[28; 32]));
    }

    #[test]
    fn what_is_unknown_is_named() {
        assert_eq!(
            starts(&CONFIG, &Known(0), &head(239), &claims(2)),
            Err(LinkError::UnknownEpoch(1))
        );
        assert_eq!(
            starts(&CONFIG, &Known(0), &head(72), &claims(1)),
            Err(LinkError::UnknownEntropy(7))
        );
        assert_eq!(
            next_start(&CONFIG, &Known(0), &head(u64::MAX)),
            Err(LinkError::Exhausted)
        );
        let last = Head {
            next_iteration: u64::MAX,
            ..head(1)
        };
        assert_eq!(
            starts(&CONFIG, &Known(0), &last, &claims(1)),
            Err(LinkError::Exhausted)
        );
    }
}
