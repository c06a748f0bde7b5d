// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls, of the vault's functions and of the hook's steps.

use frame_support::weights::Weight;
use polkadot_sdk::*;
use tos_pallet_support::estimate::weight;

/// Weights of the pallet's work. The vault's functions are called by other pallets, whose own
/// benchmarks contain them; they are here to be measured by themselves, too.
pub trait WeightInfo {
    /// Vault: deposit.
    fn deposit() -> Weight;
    /// Vault: refund.
    fn refund() -> Weight;
    /// Vault: settle a task with `a` answers and `v` judges.
    fn settle(a: u32, v: u32) -> Weight;
    /// Call `claim`.
    fn claim() -> Weight;
    /// Call `claim_all` with `n` rewards.
    fn claim_all(n: u32) -> Weight;
    /// Call `set_auto_claim`.
    fn set_auto_claim() -> Weight;
    /// Call `set_profile`.
    fn set_profile() -> Weight;
    /// Call `set_winner_rule`.
    fn set_winner_rule() -> Weight;
    /// Hook: what every block costs.
    fn on_idle_base() -> Weight;
    /// Hook: finding out that a tick has no more expiries.
    fn skip_tick() -> Weight;
    /// Hook: finding and paying one expired reward.
    fn pay_expired() -> Weight;
}

/// Counts of database accesses, with time for the work in between; for tests and until measured.
impl WeightInfo for () {
    fn deposit() -> Weight {
        // Escrow, account, holds.
        work(30, 3, 3)
    }

    fn refund() -> Weight {
        // Escrow, publisher's and treasury's accounts, holds.
        work(60, 4, 4)
    }

    fn settle(a: u32, v: u32) -> Weight {
        // Per beneficiary: auto-claim, account, holds, claim, expiry (old and new).
        let each = work(80, 4, 5);
        // Escrow, tick, phase lengths; the publisher's and the treasury's account and holds.
        work(100, 7, 5).saturating_add(each.saturating_mul(a.saturating_add(v).into()))
    }

    fn claim() -> Weight {
        // Claim, expiry, two accounts, holds.
        work(40, 4, 5)
    }

    fn claim_all(n: u32) -> Weight {
        // Per reward: the step to its key, itself, its expiry.
        let each = work(10, 2, 2);
        // The owner's account and holds, the treasury's account and holds.
        work(60, 5, 4).saturating_add(each.saturating_mul(n.into()))
    }

    fn set_auto_claim() -> Weight {
        work(15, 2, 2)
    }

    fn set_profile() -> Weight {
        work(10, 0, 1)
    }

    fn set_winner_rule() -> Weight {
        work(10, 0, 1)
    }

    fn on_idle_base() -> Weight {
        // Tick, cursor.
        work(5, 2, 1)
    }

    fn skip_tick() -> Weight {
        // The step to a key that is not there.
        work(3, 1, 0)
    }

    fn pay_expired() -> Weight {
        // The step to its key, and a claim.
        work(42, 5, 5)
    }
}

/// Proof of one value: the nodes above it and the value itself.
const PROOF_PER_READ: u64 = 1_024;

/// So many microseconds of execution, and accesses to the database.
fn work(micros: u64, reads: u64, writes: u64) -> Weight {
    weight(micros, reads.saturating_mul(PROOF_PER_READ), reads, writes)
}
