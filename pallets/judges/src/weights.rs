// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls, and of the steps that the tasks pallet drives.
//!
//! The implementation for `()` counts storage accesses of the worst case; a runtime uses measured
//! weights.

use frame_support::weights::Weight;
use polkadot_sdk::*;
use tos_pallet_support::estimate::weight;
use tos_types::{params::MAX_CANDIDATES, MAX_PANEL, MAX_ROUNDS};

/// Weights of the calls and steps of this pallet.
pub trait WeightInfo {
    /// Registering for the most types.
    fn register() -> Weight;
    /// Changing all of the most types.
    fn set_types() -> Weight;
    /// Filling up the stake.
    fn top_up() -> Weight;
    /// Leaving the most pools.
    fn leave() -> Weight;
    /// Entering the most pools again.
    fn rejoin() -> Weight;
    /// Getting the stake back.
    fn withdraw() -> Weight;
    /// The last commitment of the largest panel.
    fn commit_vote() -> Weight;
    /// The last reveal of the largest panel, with the most answers.
    fn reveal_vote() -> Weight;
    /// Approving the last control author there is room for.
    fn set_control_author() -> Weight;
    /// Telling the last control answer of a task in which all are known.
    fn reveal_control() -> Weight;
    /// Drawing the largest panel from the most candidates, against the most submitters.
    fn draw() -> Weight;
    /// Counting the largest panel with the most answers.
    fn tally() -> Weight;
    /// Concluding the most rounds of the largest panels, with no account sitting twice.
    fn conclude() -> Weight;
    /// Removing the same.
    fn forget() -> Weight;
}

/// Types × accesses per pool entered or left.
const POOLS: u64 = crate::MAX_TYPES as u64;
const CANDIDATES: u64 = MAX_CANDIDATES as u64;
/// Per candidate: pool, judge, suspension, certification, settled, reputation, level, and what it and
/// its owner declare.
const CANDIDATE_READS: u64 = 9 * CANDIDATES;
const PANEL: u64 = MAX_PANEL as u64;
const SEATS: u64 = (MAX_PANEL * MAX_ROUNDS) as u64;

/// Proof of one value: the nodes above it and the value itself.
const PROOF_PER_READ: u64 = 1_024;

fn step(micros: u64, reads: u64, writes: u64) -> Weight {
    weight(micros, reads.saturating_mul(PROOF_PER_READ), reads, writes)
}

impl WeightInfo for () {
    fn register() -> Weight {
        // Judge, count, suspension, account, holds; index and size of every pool.
        step(60, 5 + 2 * POOLS, 4 + 3 * POOLS)
    }

    fn set_types() -> Weight {
        // Judge, account, holds; leaving swaps (index, size, last; last, gap, moved index, own
        // index, size), entering does not.
        step(120, 3 + 3 * POOLS + 2 * POOLS, 3 + 5 * POOLS + 3 * POOLS)
    }

    fn top_up() -> Weight {
        step(40, 3, 3)
    }

    fn leave() -> Weight {
        // Judge, tick, phase lengths.
        step(60, 3 + 3 * POOLS, 1 + 5 * POOLS)
    }

    fn rejoin() -> Weight {
        step(60, 4 + 2 * POOLS, 3 + 3 * POOLS)
    }

    fn withdraw() -> Weight {
        // Judge, tick, account, holds, count.
        step(40, 5, 4)
    }

    fn commit_vote() -> Weight {
        // Judge, task, tick, round, and what the tasks pallet does when a phase is complete.
        step(30, 5, 3)
    }

    fn reveal_vote() -> Weight {
        step(40, 5, 4)
    }

    fn set_control_author() -> Weight {
        step(15, 2, 2)
    }

    fn reveal_control() -> Weight {
        // Control author, task, answers, submission, current round, control answers.
        step(25, 6, 1)
    }

    fn draw() -> Weight {
        // Besides the candidates: judge and duties per seat; randomness request, head of the
        // beacon, record of its slot, VRF of the block, size, earlier rounds, current.
        step(6_000, CANDIDATE_READS + 2 * PANEL + 12, 2 * PANEL + 3)
    }

    fn tally() -> Weight {
        step(600, PANEL + 2, 2)
    }

    fn conclude() -> Weight {
        // Per seat: vote, judge, duties, account, holds, two reputations, suspension.
        step(60 * SEATS, 8 * SEATS + 10, 6 * SEATS + 3)
    }

    fn forget() -> Weight {
        step(2 * SEATS, 5, SEATS + 7)
    }
}
