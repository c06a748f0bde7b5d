// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls and of the steps of the queue.

use frame_support::weights::Weight;
use polkadot_sdk::*;
use tos_pallet_support::estimate::weight;

/// Weights of `pallet_tasks`. The argument `p` is the number of miners who joined the task.
pub trait WeightInfo {
    /// Publishing a task with the longest specification.
    fn publish() -> Weight;
    /// Cancelling a task.
    fn cancel() -> Weight;
    /// Taking the last place.
    fn join() -> Weight;
    /// Committing the last answer.
    fn commit() -> Weight;
    /// Revealing the last answer, as long as may be inline.
    fn reveal() -> Weight;
    /// Challenging a result over the most answers.
    fn challenge() -> Weight;
    /// Adding a task type.
    fn set_task_type() -> Weight;
    /// Opening and closing the queue.
    fn agenda_start() -> Weight;
    /// Finding the next entry of the queue, or that there is none.
    fn agenda_tick() -> Weight;
    /// Putting off a step that failed.
    fn step_failed() -> Weight;
    /// Going on to the reveals of answers.
    fn step_advance() -> Weight;
    /// Going on to the reveals of votes.
    fn step_advance_votes() -> Weight;
    /// Closing a task without answers.
    fn step_expire(p: u32) -> Weight;
    /// Ordering answers, all duplicates of the first.
    fn step_collect(p: u32) -> Weight;
    /// Drawing a panel for a task with the most answers, after looking at `c` candidates.
    fn step_draw(c: u32) -> Weight;
    /// Counting the votes of the largest panel.
    fn step_tally(p: u32) -> Weight;
    /// Closing a task with `p` answers without a result, after rounds of `s` seats in all.
    fn step_unresolve(p: u32, s: u32) -> Weight;
    /// Settling a task with `p` answers after rounds of `s` seats in all.
    fn step_settle(p: u32, s: u32) -> Weight;
    /// Removing every record of a task with `p` answers after rounds of `s` seats in all.
    fn step_prune(p: u32, s: u32) -> Weight;
}

// Counted by hand: records of this pallet plus those of the pallets behind its traits. A runtime
// uses measured weights instead.
impl WeightInfo for () {
    fn publish() -> Weight {
        weight(80, 9_000, 14, 12)
    }

    fn cancel() -> Weight {
        weight(80, 8_000, 11, 11)
    }

    fn join() -> Weight {
        weight(80, 12_000, 16, 8)
    }

    fn commit() -> Weight {
        weight(30, 6_000, 4, 4)
    }

    fn reveal() -> Weight {
        weight(50, 6_000, 4, 5)
    }

    fn challenge() -> Weight {
        weight(80, 12_000, 9, 8)
    }

    fn set_task_type() -> Weight {
        weight(10, 1_500, 0, 1)
    }

    fn agenda_start() -> Weight {
        weight(3, 3_000, 2, 1)
    }

    fn agenda_tick() -> Weight {
        weight(6, 4_000, 2, 1)
    }

    fn step_failed() -> Weight {
        weight(15, 4_000, 2, 3)
    }

    fn step_advance() -> Weight {
        weight(30, 12_000, 8, 7)
    }

    fn step_advance_votes() -> Weight {
        weight(30, 12_000, 8, 7)
    }

    fn step_expire(p: u32) -> Weight {
        weight(120, 12_000, 14, 14).saturating_add(weight(90, 9_000, 9, 9).saturating_mul(p.into()))
    }

    fn step_collect(p: u32) -> Weight {
        weight(40, 8_000, 6, 6).saturating_add(weight(12, 3_000, 1, 1).saturating_mul(p.into()))
    }

    fn step_draw(c: u32) -> Weight {
        // Task, seed and earlier rounds, and the members who are seated. A candidate is looked up in
        // three pallets; what it and its owner declare is compared with all parties at once.
        weight(300, 60_000, 30, 40)
            .saturating_add(weight(40, 12_000, 8, 0).saturating_mul(c.into()))
    }

    fn step_tally(p: u32) -> Weight {
        weight(200, 60_000, 30, 12).saturating_add(weight(20, 1_000, 0, 0).saturating_mul(p.into()))
    }

    fn step_unresolve(p: u32, s: u32) -> Weight {
        // Members are freed, and slashed when they did not vote.
        weight(200, 30_000, 20, 20)
            .saturating_add(weight(60, 9_000, 7, 7).saturating_mul(p.into()))
            .saturating_add(weight(80, 11_000, 9, 7).saturating_mul(s.into()))
    }

    fn step_settle(p: u32, s: u32) -> Weight {
        weight(300, 40_000, 20, 20)
            .saturating_add(weight(180, 14_000, 15, 14).saturating_mul(p.into()))
            .saturating_add(weight(130, 16_000, 13, 10).saturating_mul(s.into()))
    }

    fn step_prune(p: u32, s: u32) -> Weight {
        weight(100, 30_000, 10, 11)
            .saturating_add(weight(15, 7_000, 0, 2).saturating_mul(p.into()))
            .saturating_add(weight(5, 3_000, 1, 2).saturating_mul(s.into()))
    }
}
