// SPDX-License-Identifier: Apache-2.0

//! The pallet's own flows of held money, with the judges of a task in every state.

use crate::mock::*;
use crate::{Event, HoldReason};
use frame_support::{
    assert_ok,
    storage::with_storage_layer,
    traits::{fungible::MutateHold, tokens::Precision},
};
use polkadot_sdk::*;
use std::collections::BTreeSet;
use tos_interfaces::Panels;
use tos_pallet_support::testing::{Flow, Flows, Started};
use tos_types::Balance;

/// The members of a panel of which one votes, one hides its vote and one is silent.
fn panel() -> Vec<u64> {
    let votes = [Vote::Full(flat(50)), Vote::Hidden, Vote::Absent];
    play_round(0, &votes).0
}

/// The end of that panel's task.
fn conclusion(members: Vec<u64>) -> Started {
    Started::new(members, || {
        Judges::conclude(&TASK, TYPE, true);
        Ok(())
    })
}

fn slashed() -> Started {
    conclusion(panel())
}

/// The silent member has so little left of its stake that the slash is below the existential
/// deposit.
fn slashed_of_dust() -> Started {
    let members = panel();
    let (silent, left) = (members[2], ED * 10);
    assert_ok!(<Balances as MutateHold<u64>>::release(
        &HoldReason::JudgeStake.into(),
        &silent,
        STAKE - left,
        Precision::Exact,
    ));
    crate::Judges::<Test>::mutate_extant(silent, |judge| {
        judge.stake = left;
        judge.settle_status(STAKE);
    });
    conclusion(members)
}

fn withdrawn() -> Started {
    assert_ok!(Judges::leave(origin(1)));
    TestClock::set(10_000);
    Started::new([1u64], || {
        // A call, which is refused to an account that cannot receive: the stake stays booked.
        let _ = with_storage_layer(|| Judges::withdraw(origin(1)));
        Ok(())
    })
}

const FLOWS: &[Flow] = &[
    ("slashed", slashed),
    ("slashed of dust", slashed_of_dust),
    ("withdrawn", withdrawn),
];

fn booked() -> Vec<(u64, RuntimeHoldReason, Balance)> {
    crate::Judges::<Test>::iter()
        .map(|(who, judge)| (who, HoldReason::JudgeStake.into(), judge.stake))
        .collect()
}

fn told() -> BTreeSet<u64> {
    let told = System::read_events_for_pallet::<Event<Test>>();
    told.into_iter()
        .filter_map(|event| match event {
            Event::SlashFailed { .. } => Some(TREASURY),
            _ => None,
        })
        .collect()
}

#[test]
fn no_judge_holds_up_the_end_of_a_task_and_every_wei_is_accounted_for() {
    let flows = Flows::<Test> {
        treasury: Some(TREASURY),
        flows: FLOWS,
        chain: || ExtBuilder::judges(3).build(),
        booked,
        told,
        check: || Judges::do_try_state().unwrap(),
    };
    flows.conform();
}
