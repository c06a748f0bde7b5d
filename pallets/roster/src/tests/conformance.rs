// SPDX-License-Identifier: Apache-2.0

//! The pallet's own flows of held money, with their parties in every state.

use crate::mock::*;
use crate::{Event, HoldReason};
use frame_support::{assert_ok, storage::with_storage_layer};
use polkadot_sdk::*;
use std::collections::BTreeSet;
use tos_interfaces::Roster;
use tos_pallet_support::testing::{Flow, Flows, Started};
use tos_types::{Balance, TOS};

/// A fine of judge 1, for another judge.
fn fined(amount: Balance, to: u64) -> Started {
    lock(1, TOS);
    Started::new([1u64, to], move || {
        <Judges as Roster<u64>>::fine(&1, TYPE, amount, &to);
        Ok(())
    })
}

fn fined_for_another() -> Started {
    fined(TOS, 2)
}

fn fined_of_dust() -> Started {
    fined(ED - 1, 2)
}

fn fined_for_the_treasury() -> Started {
    lock(1, TOS);
    Started::new([1u64], || {
        <Judges as Roster<u64>>::fine(&1, TYPE, TOS, &TREASURY);
        Ok(())
    })
}

fn withdrawn() -> Started {
    assert_ok!(Judges::leave(origin(1), TYPE));
    skip_to(2_000);
    Started::new([1u64], || {
        // A call, which is refused to an account that cannot receive: the bond stays booked.
        let _ = with_storage_layer(|| Judges::withdraw(origin(1), TYPE));
        Ok(())
    })
}

/// Pay of an account whose bond is gone.
fn paid_at_once() -> Started {
    assert_ok!(Balances::transfer_allow_death(origin(100), POT, TOS));
    Started::new([50u64], || {
        <Judges as Roster<u64>>::credit(&50, TYPE, TOS);
        Ok(())
    })
}

const FLOWS: &[Flow] = &[
    ("fined for another", fined_for_another),
    ("fined of dust", fined_of_dust),
    ("fined for the treasury", fined_for_the_treasury),
    ("withdrawn", withdrawn),
    ("paid at once", paid_at_once),
];

fn booked() -> Vec<(u64, RuntimeHoldReason, Balance)> {
    crate::Judges::<Test>::iter()
        .map(|(_, who, judge)| (who, HoldReason::JudgeStake.into(), judge.held()))
        .collect()
}

fn told() -> BTreeSet<u64> {
    let told = System::read_events_for_pallet::<Event<Test>>();
    told.into_iter()
        .filter_map(|event| match event {
            Event::FineDiverted { to, .. } | Event::FineFailed { to, .. } => Some(to),
            Event::PayDiverted { who, .. } => Some(who),
            _ => None,
        })
        .collect()
}

#[test]
fn no_account_holds_up_a_fine_or_pay_and_every_wei_is_accounted_for() {
    let flows = Flows::<Test> {
        treasury: Some(TREASURY),
        flows: FLOWS,
        chain: || ExtBuilder::judges(6).build(),
        booked,
        told,
        check: || Judges::do_try_state().unwrap(),
    };
    flows.conform();
}
