// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls and of the automatic steps.

use frame_support::weights::Weight;
use polkadot_sdk::*;
use tos_pallet_support::estimate::weight;

/// Weights of `pallet_storage`.
pub trait WeightInfo {
    /// Registering with the longest locator.
    fn register_provider() -> Weight;
    /// Changing key and locator.
    fn set_provider() -> Weight;
    /// Adding to the bond.
    fn top_up() -> Weight;
    /// Taking from the bond.
    fn withdraw() -> Weight;
    /// Announcing the exit.
    fn exit() -> Weight;
    /// Leaving with the most groups.
    fn leave() -> Weight;
    /// Offering a deal.
    fn offer() -> Weight;
    /// Withdrawing an offer.
    fn cancel_offer() -> Weight;
    /// Accepting a deal.
    fn accept() -> Weight;
    /// Committing to sealed bytes.
    fn commit_seal() -> Weight;
    /// Pausing a replica.
    fn pause() -> Weight;
    /// Resuming a replica.
    fn resume() -> Weight;
    /// Giving notice.
    fn request_removal() -> Weight;
    /// Paying what was earned.
    fn settle() -> Weight;
    /// Opening a seal challenge.
    fn challenge_seal() -> Weight;
    /// Opening a window challenge.
    fn challenge_window() -> Weight;
    /// Answering an audit of the longest sequence; also what authorising the answer costs.
    fn respond_audit() -> Weight;
    /// Checking signature and paths of the answer to a seal challenge, of the longest sequence.
    fn authorize_seal() -> Weight;
    /// Answering a seal challenge, with `n` masks to be made.
    fn respond_seal(n: u32) -> Weight;
    /// Answering a window challenge of the longest sequence; also what authorising it costs.
    fn respond_window() -> Weight;
    /// Handing in a group root; also what authorising it costs.
    fn submit_group() -> Weight;
    /// Showing two roots.
    fn report_equivocation() -> Weight;
    /// Attesting as the last of a committee out of the largest pool.
    fn attest() -> Weight;
    /// Changing the configuration.
    fn set_config() -> Weight;
    /// Looking at the clock.
    fn keep_time() -> Weight;
    /// Making a randomness request, and looking whether the oldest ones have their seeds.
    fn draw_start() -> Weight;
    /// Opening one audit.
    fn open_audit() -> Weight;
    /// Going on from one stage of the window to the next, with a full pool of validators.
    fn window_stage() -> Weight;
    /// Folding a group that handed in a root, with a full committee.
    fn fold_group() -> Weight;
    /// Folding the regions of the most groups.
    fn fold_end() -> Weight;
    /// Opening and closing the queue.
    fn agenda_start() -> Weight;
    /// Finding the next entry of the queue, or that there is none.
    fn agenda_tick() -> Weight;
    /// Expiring an offer.
    fn step_deal() -> Weight;
    /// Ending a replica.
    fn step_replica() -> Weight;
    /// A miss that fails its replica with the most challenges open.
    fn step_miss() -> Weight;
    /// Losing a challenge.
    fn step_challenge() -> Weight;
    /// Putting off a step that failed.
    fn step_failed() -> Weight;
}

// Counted by hand: records of this pallet plus the balances it moves. A runtime uses measured
// weights instead.
impl WeightInfo for () {
    fn register_provider() -> Weight {
        weight(60, 8_000, 5, 4)
    }

    fn set_provider() -> Weight {
        weight(30, 6_000, 3, 1)
    }

    fn top_up() -> Weight {
        weight(50, 8_000, 3, 3)
    }

    fn withdraw() -> Weight {
        weight(50, 8_000, 4, 3)
    }

    fn exit() -> Weight {
        weight(20, 6_000, 1, 1)
    }

    fn leave() -> Weight {
        weight(500, 20_000, 8, 390)
    }

    fn offer() -> Weight {
        weight(60, 8_000, 7, 7)
    }

    fn cancel_offer() -> Weight {
        weight(60, 8_000, 6, 7)
    }

    fn accept() -> Weight {
        weight(60, 12_000, 10, 9)
    }

    fn commit_seal() -> Weight {
        weight(40, 8_000, 6, 6)
    }

    fn pause() -> Weight {
        weight(50, 12_000, 9, 9)
    }

    fn resume() -> Weight {
        weight(40, 10_000, 7, 7)
    }

    fn request_removal() -> Weight {
        weight(30, 8_000, 4, 3)
    }

    fn settle() -> Weight {
        weight(80, 10_000, 8, 5)
    }

    fn challenge_seal() -> Weight {
        weight(60, 10_000, 8, 7)
    }

    fn challenge_window() -> Weight {
        weight(60, 12_000, 10, 7)
    }

    fn respond_audit() -> Weight {
        weight(150, 10_000, 6, 7)
    }

    fn authorize_seal() -> Weight {
        weight(300, 10_000, 6, 0)
    }

    fn respond_seal(n: u32) -> Weight {
        weight(500, 20_000, 18, 19)
            .saturating_add(weight(140_000, 0, 0, 0).saturating_mul(n.into()))
    }

    fn respond_window() -> Weight {
        weight(400, 12_000, 12, 9)
    }

    fn submit_group() -> Weight {
        weight(120, 8_000, 7, 1)
    }

    fn report_equivocation() -> Weight {
        weight(400, 16_000, 12, 8)
    }

    fn attest() -> Weight {
        weight(120, 45_000, 6, 1)
    }

    fn set_config() -> Weight {
        weight(20, 2_000, 1, 1)
    }

    fn keep_time() -> Weight {
        weight(5, 2_000, 4, 1)
    }

    fn draw_start() -> Weight {
        weight(40, 6_000, 10, 1)
    }

    fn open_audit() -> Weight {
        weight(15, 6_000, 3, 4)
    }

    fn window_stage() -> Weight {
        weight(60, 70_000, 8, 4)
    }

    fn fold_group() -> Weight {
        weight(60, 10_000, 6, 4)
    }

    fn fold_end() -> Weight {
        weight(400, 45_000, 4, 6)
    }

    fn agenda_start() -> Weight {
        weight(5, 3_000, 3, 1)
    }

    fn agenda_tick() -> Weight {
        weight(6, 4_000, 2, 1)
    }

    fn step_deal() -> Weight {
        weight(80, 10_000, 6, 7)
    }

    fn step_replica() -> Weight {
        weight(200, 28_000, 21, 24)
    }

    fn step_miss() -> Weight {
        weight(450, 60_000, 45, 50)
    }

    fn step_challenge() -> Weight {
        weight(450, 60_000, 45, 49)
    }

    fn step_failed() -> Weight {
        weight(15, 4_000, 2, 3)
    }
}
