// SPDX-License-Identifier: Apache-2.0

//! The pallet's own flow of held money, with the miner in every state.

use crate::mock::*;
use crate::{HoldReason, Miners as Register};
use frame_support::{assert_ok, storage::with_storage_layer};
use polkadot_sdk::*;
use std::collections::BTreeSet;
use tos_pallet_support::testing::{flows_conform, Flow, Flows, Started};
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

struct MinerFlows;

impl Flows for MinerFlows {
    type Runtime = Test;
    const TREASURY: Option<u64> = None;
    const FLOWS: &'static [Flow] = &[("withdrawn", withdrawn)];

    fn chain() -> sp_io::TestExternalities {
        ExtBuilder::default().build()
    }

    fn booked() -> Vec<(u64, RuntimeHoldReason, Balance)> {
        Register::<Test>::iter()
            .map(|(who, miner)| (who, HoldReason::Registration.into(), miner.stake))
            .collect()
    }

    fn told() -> BTreeSet<u64> {
        BTreeSet::new()
    }

    fn check() {
        Miners::do_try_state().unwrap();
    }
}

#[test]
fn a_stake_is_its_miners_or_stays_booked_and_every_wei_is_accounted_for() {
    flows_conform::<MinerFlows>();
}
