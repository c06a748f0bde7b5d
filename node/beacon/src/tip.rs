// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Tip of the beacon: what one block says about the slots that come after it.

use std::collections::BTreeMap;

use tos_types::beacon::{
    next_start, BeaconConfig, Epoch, Head, LinkError, Slot, Surroundings, MAX_LEAD,
};
use tos_vdf::{Hash, State};

use super::slot::SlotInputs;

/// The beacon after one block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BeaconTip {
    /// The lengths of everything.
    pub config: BeaconConfig,
    /// The last slot included.
    pub head: Slot,
    /// The state it ends in.
    pub end: State,
    /// The number of the first iteration after it.
    pub next_iteration: u64,
    /// Time of the genesis slot, in milliseconds; `None` before the first slot is included.
    pub genesis_ms: Option<u64>,
    /// The epochs that are fixed.
    pub epochs: Vec<Epoch>,
    /// Entropy that goes into slots to come, by the window that recorded it.
    pub entropy: BTreeMap<u64, Hash>,
}

impl Surroundings for BeaconTip {
    fn epoch(&self, number: u64) -> Option<Epoch> {
        let mut epochs = self.epochs.iter();
        epochs.find(|epoch| epoch.number == number).copied()
    }

    fn entropy(&self, window: u64) -> Option<Hash> {
        self.entropy.get(&window).copied()
    }
}

impl BeaconTip {
    /// The highest slot that a block made at `now_ms` may include.
    pub fn cap(&self, now_ms: u64) -> Slot {
        // The first block that includes a slot puts the genesis slot one slot before itself.
        let first = now_ms.saturating_sub(self.config.slot_ms.into());
        self.config.cap(self.genesis_ms.unwrap_or(first), now_ms)
    }

    /// The highest slot worth computing or hearing of at `now_ms`. While the chain stands still,
    /// no node runs further than [`MAX_LEAD`] ahead of it: randomness requests rely on that, and
    /// the work that a reorganisation voids stays small.
    pub fn horizon(&self, now_ms: u64) -> Slot {
        self.cap(now_ms).min(self.head.saturating_add(MAX_LEAD))
    }

    /// The inputs of the slot after the head.
    pub fn first(&self) -> Result<SlotInputs, LinkError> {
        self.follow(&Head {
            slot: self.head,
            end: self.end,
            next_iteration: self.next_iteration,
        })
    }

    /// The inputs of the slot after one that ends in `end`.
    pub fn after(&self, previous: &SlotInputs, end: &State) -> Result<SlotInputs, LinkError> {
        let iterations = previous.params.iterations_per_slot;
        let next_iteration = previous
            .first_iteration
            .checked_add(iterations.into())
            .ok_or(LinkError::Exhausted)?;
        self.follow(&Head {
            slot: previous.slot,
            end: *end,
            next_iteration,
        })
    }

    /// The inputs of the slot after `head`, wherever that is.
    pub fn follow(&self, head: &Head) -> Result<SlotInputs, LinkError> {
        next_start(&self.config, self, head).map(Into::into)
    }

    /// The epoch of the slot after the head and the next one, as far as they are fixed.
    pub fn epochs_to_come(&self) -> impl Iterator<Item = &Epoch> {
        let now = self.config.epoch_of(self.head.saturating_add(1));
        self.epochs.iter().filter(move |epoch| epoch.number >= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tip;
    use tos_vdf::{inject, VdfParams};

    #[test]
    fn a_slot_starts_where_the_one_before_ended() {
        let tip = tip(3);
        let first = tip.first().expect("nothing is missing");
        assert_eq!((first.slot, first.start), (4, tip.end));
        assert_eq!(first.first_iteration, tip.next_iteration);
        let second = tip.after(&first, &[8; 64]).expect("nothing is missing");
        assert_eq!((second.slot, second.start), (5, [8; 64]));
        let iterations = u64::from(first.params.iterations_per_slot);
        assert_eq!(second.first_iteration, first.first_iteration + iterations);
    }

    #[test]
    fn entropy_goes_in_where_the_config_says_and_is_waited_for() {
        // On the fast configuration the first injection is at slot 25, of what window 1 recorded.
        let mut tip = tip(24);
        assert_eq!(tip.first(), Err(LinkError::UnknownEntropy(1)));
        tip.entropy.insert(1, [7; 32]);
        let first = tip.first().expect("entropy is there");
        assert_eq!(first.start, inject(&tip.end, &[7; 32]));
    }

    #[test]
    fn nothing_goes_beyond_an_epoch_that_is_not_fixed() {
        let mut tip = tip(240);
        tip.entropy.insert(28, [7; 32]);
        assert_eq!(tip.first(), Err(LinkError::UnknownEpoch(1)));
        tip.epochs.push(Epoch {
            number: 1,
            seed: [4; 32],
            params: VdfParams::TEST,
        });
        assert_eq!(tip.first().map(|next| next.epoch_seed), Ok([4; 32]));
    }

    #[test]
    fn the_wall_clock_and_the_lead_bound_the_horizon() {
        let mut tip = tip(10);
        tip.genesis_ms = Some(1_000);
        // Four slots a second: 13 have passed, and two may be ahead.
        assert_eq!(tip.horizon(1_000 + 13 * 250), 15);
        assert_eq!(tip.horizon(1_000_000_000), 10 + MAX_LEAD);
        assert_eq!(tip.horizon(0), 2);
    }

    #[test]
    fn the_first_block_of_all_may_include_three_slots() {
        let mut tip = tip(0);
        tip.genesis_ms = None;
        assert_eq!(tip.cap(1_800_000_000_000), 3);
    }
}
