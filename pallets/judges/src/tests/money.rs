// SPDX-License-Identifier: Apache-2.0

//! Money is neither made nor lost.

use crate::mock::*;
use crate::{Event, HoldReason};
use frame_support::{assert_ok, traits::fungible::Inspect};
use polkadot_sdk::*;
use proptest::prelude::*;
use tos_interfaces::Panels;
use tos_pallet_support::testing::held_money_conforms;
use tos_types::Balance;

fn any_vote() -> impl Strategy<Value = Vote> {
    prop_oneof![
        4 => prop::collection::vec(0u8..=100, 3).prop_map(|qualities| {
            let scores: Vec<_> = qualities.into_iter().map(score).collect();
            Vote::Full(scores.try_into().unwrap())
        }),
        1 => Just(Vote::Hidden),
        1 => Just(Vote::Absent),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_members_do_the_treasury_gets_the_slashes_and_nothing_else_moves(
        rounds in prop::collection::vec(prop::collection::vec(any_vote(), 7), 1..=4),
        judge: bool,
        tasks in 1u32..4,
    ) {
        ExtBuilder::judges(12).execute(|| {
            let issuance = Balances::total_issuance();
            let total = |who| Balances::total_balance(&who);
            for _ in 0..tasks {
                for (number, votes) in (0..).zip(&rounds) {
                    let Some(size) = seated(number) else { break };
                    play_votes(number, &votes[..size]);
                }
                for (_, points) in Judges::conclude(&TASK, TYPE, judge) {
                    assert!(points == 0 || (5_000..=10_000).contains(&points));
                }
                Judges::do_try_state().unwrap();
                Judges::forget(&TASK);
                Judges::do_try_state().unwrap();
            }
            assert_eq!(Balances::total_issuance(), issuance);
            let slashed: Balance = System::events()
                .into_iter()
                .filter_map(|record| match record.event {
                    RuntimeEvent::Judges(Event::Slashed { amount, .. }) => Some(amount),
                    _ => None,
                })
                .sum();
            assert_eq!(free(TREASURY), ED + slashed);
            let lost: Balance = (1..=12).map(|who| FUNDS - total(who)).sum();
            assert_eq!(lost, slashed);

            // Everybody can leave with what is left.
            (1..=12).for_each(|who| {
                assert_ok!(Judges::leave(origin(who)));
            });
            TestClock::set(10_000);
            (1..=12).for_each(|who| {
                assert_ok!(Judges::withdraw(origin(who)));
            });
            assert!((1..=12).all(|who| free(who) == total(who)));
        });
    }
}

/// Seats a round and opens it, if enough judges are left.
fn seated(number: u32) -> Option<usize> {
    use tos_interfaces::{Draw, VotingStage};
    let Draw::Seated(size) = draw(&request(number, 7)) else {
        return None;
    };
    set_stage(VotingStage::Commit { round: number });
    Some(size as usize)
}

#[test]
fn held_money_moves_exactly_and_to_whom_it_may() {
    ExtBuilder::default().build().execute_with(|| {
        held_money_conforms::<Balances>(HoldReason::JudgeStake, 1);
    });
}
