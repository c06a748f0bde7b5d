// SPDX-License-Identifier: Apache-2.0

//! The pallet's own flow of held money, with the miner in every state.

use crate::mock::*;
use crate::{HoldReason, Miners as Register};
use frame_support::{assert_ok, storage::with_storage_layer};
use polkadot_sdk::*;
use std::collections::BTreeSet;
use tos_pallet_support::testing::{Flow, Flows, Started};
use tos_types::Balance;

fn withdrawn() -> Started {
    register(ALICE);
    assert_ok!(Miners::leave(signed(ALICE)));
    TestClock::advance(UNBONDING);
    Started::new([ALICE], || {
        // A call, which is refused to an account that cannot receive: the stake stays booked.
        let _ = with_storage_layer(|| Miners::withdraw(signed(ALICE)));
        Ok(())
    })
}

const FLOWS: &[Flow] = &[("withdrawn", withdrawn)];

fn booked() -> Vec<(u64, RuntimeHoldReason, Balance)> {
    Register::<Test>::iter()
        .map(|(who, miner)| (who, HoldReason::Registration.into(), miner.stake))
        .collect()
}

#[test]
fn a_stake_is_its_miners_or_stays_booked_and_every_wei_is_accounted_for() {
    let flows = Flows::<Test> {
        treasury: None,
        flows: FLOWS,
        chain: || ExtBuilder::default().build(),
        booked,
        told: BTreeSet::new,
        check: || Miners::do_try_state().unwrap(),
    };
    flows.conform();
}
