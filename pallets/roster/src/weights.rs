// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls and of the automatic steps.
//!
//! The implementation for `()` counts storage accesses of the worst case; a runtime uses measured
//! weights.

use frame_support::weights::Weight;
use polkadot_sdk::*;
use tos_pallet_support::estimate::weight;
use tos_types::roster::ROSTER_DEPTH;

/// Weights of the calls and steps of this pallet.
pub trait WeightInfo {
    /// Bonding.
    fn register() -> Weight;
    /// Adding to a bond that a fine has lowered, with a part that warms up and a former one that did.
    fn add_bond() -> Weight;
    /// Starting to leave.
    fn leave() -> Weight;
    /// Getting bond and pay back.
    fn withdraw() -> Weight;
    /// Cancelling the leaving.
    fn rejoin() -> Weight;
    /// Reporting back.
    fn report_back() -> Weight;
    /// Claiming pay.
    fn claim_pay() -> Weight;
    /// Claiming pay for another account.
    fn claim_pay_for() -> Weight;
    /// Having a certificate and a suspension looked at.
    fn sync_certificate() -> Weight;
    /// Ending a bootstrap.
    fn end_bootstrap() -> Weight;
    /// The reads of the hook in every block.
    fn hook_base() -> Weight;
    /// One change of a period: a judge whose leaf in both trees goes, the look for it included.
    fn change() -> Weight;
    /// A look at the lines of a type, at so many of their places, with as little room as makes it look at all.
    fn look(entries: u32) -> Weight;
    /// A ticket for the case that a look found.
    fn ticket() -> Weight;
    /// The head of the tickets: its case and its seed, or another request for that.
    fn ticket_head() -> Weight;
    /// A draw of `s` seats with `v` void candidates, each of them another judge that its declarations make void.
    fn draw(s: u32, v: u32) -> Weight;
    /// Freeing the stake of one judge after a ticket.
    fn release() -> Weight;
    /// Reading and writing the cursor of the agenda.
    fn agenda_start() -> Weight;
    /// A look at the agenda.
    fn agenda_tick() -> Weight;
    /// Giving up a case with a ticket and with room reserved.
    fn expire() -> Weight;
    /// Another ticket for a case, or its way back to the line.
    fn retry() -> Weight;
}

/// Proof of one value: the nodes above it and the value itself.
const PROOF_PER_READ: u64 = 1_024;
/// Levels of a tree.
const DEPTH: u64 = ROSTER_DEPTH as u64;

fn step(micros: u64, reads: u64, writes: u64) -> Weight {
    weight(micros, reads.saturating_mul(PROOF_PER_READ), reads, writes)
}

impl WeightInfo for () {
    // Judge, suspension, count, tick, settings, account, holds; change.
    fn register() -> Weight {
        step(40, 7, 5)
    }
    // Judge, tick, settings, account, holds; three changes.
    fn add_bond() -> Weight {
        step(40, 5, 6)
    }
    // Judge, tick, settings; change.
    fn leave() -> Weight {
        step(25, 3, 2)
    }
    // Judge, tick, account, holds, pot, count.
    fn withdraw() -> Weight {
        step(50, 6, 5)
    }
    // Judge, tick, settings; change.
    fn rejoin() -> Weight {
        step(25, 3, 2)
    }
    // Judge, tick, settings; change.
    fn report_back() -> Weight {
        step(25, 3, 2)
    }
    // Judge, pot, account.
    fn claim_pay() -> Weight {
        step(40, 3, 3)
    }
    // Judge, pot, account.
    fn claim_pay_for() -> Weight {
        step(40, 3, 3)
    }
    // Judge, suspension, certificate, tick, settings; change.
    fn sync_certificate() -> Weight {
        step(25, 5, 1)
    }
    // Bootstrap.
    fn end_bootstrap() -> Weight {
        step(15, 1, 1)
    }
    // Tick, settings, last period, types in line, ends of the tickets.
    fn hook_base() -> Weight {
        step(10, 5, 1)
    }
    // Change, judge, suspension, certificate, count; nodes and leaf of two trees.
    fn change() -> Weight {
        step(60, 7 + 2 * DEPTH, 5 + 2 * DEPTH)
    }
    // Ends of the lines, and the types in line; of each place: case, bootstrap, count, root, locks.
    fn look(entries: u32) -> Weight {
        let entries = u64::from(entries);
        step(20, 2, 2).saturating_add(step(12, 6, 1).saturating_mul(entries))
    }
    // Locks, ends, last ticket, ticket, case, line, randomness.
    fn ticket() -> Weight {
        step(30, 5, 6)
    }
    // Ends, ticket, case, and the four reads of a seed.
    fn ticket_head() -> Weight {
        step(25, 7, 2)
    }
    // Locks, case, agenda; of each candidate: leaf, judge, suspension, two declarations, certificate, and the
    // nodes on the way; of each seat: judge, and what those who are told write.
    fn draw(s: u32, v: u32) -> Weight {
        let (seats, void) = (u64::from(s), u64::from(v));
        step(60, 6, 5)
            .saturating_add(step(15, 6 + DEPTH, 3).saturating_mul(seats))
            .saturating_add(step(15, 6 + DEPTH, 1).saturating_mul(void))
    }
    // Release, judge, locks.
    fn release() -> Weight {
        step(20, 3, 3)
    }
    fn agenda_start() -> Weight {
        step(5, 2, 1)
    }
    fn agenda_tick() -> Weight {
        step(5, 1, 0)
    }
    // Case, line or ticket, agenda, locks, and what those who are told write.
    fn expire() -> Weight {
        step(30, 6, 6)
    }
    // Case, agenda, tick, settings, bootstrap, count; as for a ticket.
    fn retry() -> Weight {
        step(40, 10, 8)
    }
}
