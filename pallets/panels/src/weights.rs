// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls, of the steps of the queue, and of settlements.
//!
//! The implementation for `()` counts storage accesses of the worst case; a runtime uses measured
//! weights.

use frame_support::weights::Weight;
use polkadot_sdk::*;
use tos_pallet_support::estimate::weight;

/// Weights of this pallet.
pub trait WeightInfo {
    /// The last commitment of a round.
    fn commit_vote() -> Weight;
    /// The last reveal of a round, with the most answers and a report.
    fn reveal_vote() -> Weight;
    /// Approving the last control author there is room for.
    fn set_control_author() -> Weight;
    /// Telling the last control answer of a case in which all are known.
    fn reveal_control() -> Weight;
    /// Reading and moving the cursor of the queue.
    fn agenda_start() -> Weight;
    /// Finding the next entry of a tick, with the case.
    fn agenda_look() -> Weight;
    /// Putting off a step that failed.
    fn step_failed() -> Weight;
    /// Half of the time for commitments in a round of `s` accounts, none of which has committed.
    fn step_half(s: u32) -> Weight;
    /// The end of commitments in such a round, in which a draw is waited for.
    fn step_reveal(s: u32) -> Weight;
    /// Counting a round of `s` accounts that all scored `a` answers.
    fn step_count(s: u32, a: u32) -> Weight;
    /// Counting a round of `s` accounts without result, with a fine or a share of the fines for each.
    fn step_count_failed(s: u32) -> Weight;
    /// Unlocking the stakes of `s` accounts.
    fn step_free(s: u32) -> Weight;
    /// Computing the pay of `s` accounts that scored `a` answers.
    fn settle_begin(s: u32, a: u32) -> Weight;
    /// Going on with the settlement of `s` accounts.
    fn settle_resume(s: u32) -> Weight;
    /// Settling an account that scored `a` answers, and is paid.
    fn settle_seat(a: u32) -> Weight;
    /// Settling an account that scored `a` answers, and is fined.
    fn settle_seat_fined(a: u32) -> Weight;
    /// Ending the settlement of a case with `a` answers.
    fn settle_end(a: u32) -> Weight;
    /// Reading a case that is to be forgotten, with its last round.
    fn forget_begin() -> Weight;
    /// Removing a vote.
    fn forget_vote() -> Weight;
    /// Removing a case, with the seats of `s` accounts.
    fn forget_end(s: u32) -> Weight;
}

/// Proof of one value: the nodes above it and the value itself.
const PROOF_PER_READ: u64 = 1_024;

fn step(micros: u64, reads: u64, writes: u64) -> Weight {
    weight(micros, reads.saturating_mul(PROOF_PER_READ), reads, writes)
}

impl WeightInfo for () {
    fn commit_vote() -> Weight {
        // Case, tick, seat, suspension, round, queue.
        step(30, 5, 5)
    }

    fn reveal_vote() -> Weight {
        // Case, tick, seat, round, vote, queue.
        step(40, 4, 6)
    }

    fn set_control_author() -> Weight {
        step(15, 2, 2)
    }

    fn reveal_control() -> Weight {
        // Control author, task, answers, submission, control answers.
        step(25, 6, 1)
    }

    fn agenda_start() -> Weight {
        step(3, 2, 1)
    }

    fn agenda_look() -> Weight {
        // Entry, case, number of accounts.
        step(8, 3, 1)
    }

    fn step_failed() -> Weight {
        step(15, 2, 3)
    }

    fn step_half(s: u32) -> Weight {
        // Case, order, round, parties, line of the roster; of each account seat, suspension and judge.
        step(60, 10, 8).saturating_add(step(20, 3, 3).saturating_mul(s.into()))
    }

    fn step_reveal(s: u32) -> Weight {
        step(60, 12, 9).saturating_add(step(20, 3, 3).saturating_mul(s.into()))
    }

    fn step_count(s: u32, a: u32) -> Weight {
        // Case, order, round, rules, result, task; of each account seat and vote, and all its scores.
        step(60, 8, 6)
            .saturating_add(step(10, 2, 0).saturating_mul(s.into()))
            .saturating_add(
                weight(2, 0, 0, 0).saturating_mul(u64::from(s).saturating_mul(a.into())),
            )
    }

    fn step_count_failed(s: u32) -> Weight {
        // As above; of each account seat, vote, judge, account, holds.
        step(80, 14, 12).saturating_add(step(80, 6, 6).saturating_mul(s.into()))
    }

    fn step_free(s: u32) -> Weight {
        // Round, order, case, queue, locks of the type; of each account seat and judge.
        step(20, 5, 4).saturating_add(step(20, 2, 2).saturating_mul(s.into()))
    }

    fn settle_begin(s: u32, a: u32) -> Weight {
        // Case, result, order, round, rules, control answers, two accounts; of each account seat and vote.
        step(60, 10, 4)
            .saturating_add(step(10, 2, 0).saturating_mul(s.into()))
            .saturating_add(
                weight(1, 0, 0, 0).saturating_mul(u64::from(s).saturating_mul(a.into())),
            )
    }

    fn settle_resume(s: u32) -> Weight {
        step(30, 7, 1).saturating_add(weight(1, 0, 0, 0).saturating_mul(s.into()))
    }

    fn settle_seat(a: u32) -> Weight {
        // Seat, vote, judge, reputation.
        step(50, 4, 3).saturating_add(weight(1, 0, 0, 0).saturating_mul(a.into()))
    }

    fn settle_seat_fined(a: u32) -> Weight {
        // The same, and the accounts and holds of a transfer of held money.
        step(110, 8, 7).saturating_add(weight(1, 0, 0, 0).saturating_mul(a.into()))
    }

    fn settle_end(a: u32) -> Weight {
        // Baseline, rules, numbers of checks, case, settlement.
        step(20, 3, 4).saturating_add(weight(1, 0, 0, 0).saturating_mul(a.into()))
    }

    fn forget_begin() -> Weight {
        step(15, 3, 0)
    }

    fn forget_vote() -> Weight {
        step(3, 0, 1)
    }

    fn forget_end(s: u32) -> Weight {
        step(20, 1, 8).saturating_add(step(3, 0, 1).saturating_mul(s.into()))
    }
}
