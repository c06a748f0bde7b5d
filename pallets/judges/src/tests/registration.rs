// SPDX-License-Identifier: Apache-2.0

//! Becoming and ceasing to be a judge.

use crate::mock::*;
use crate::{Error, Event, HoldReason, JudgeCount, Pool, PoolIndex, PoolSize, Types};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use polkadot_sdk::*;
use proptest::prelude::*;
use tos_interfaces::{Clock, Panels};
use tos_types::{TaskType, TOS};
use tos_views::JudgeStatus;

fn types(types: &[TaskType]) -> Types {
    types.to_vec().try_into().unwrap()
}

fn held(who: u64) -> u128 {
    Balances::balance_on_hold(&HoldReason::JudgeStake.into(), &who)
}

#[test]
fn registering_holds_the_greatest_stake_of_the_types_and_enters_their_pools() {
    ExtBuilder::default().execute(|| {
        let judged = types(&[TaskType::CodeAnalysis, TaskType::SecurityAudit]);
        assert_ok!(Judges::register(origin(1), judged.clone()));
        assert_eq!(held(1), 300 * TOS);
        assert_eq!(free(1), FUNDS - 300 * TOS);
        let registered = judge(1);
        assert_eq!((registered.accuracy, registered.panels), (7_000, 0));
        assert_eq!(registered.status, JudgeStatus::Active);
        assert_eq!(PoolSize::<Test>::get(TaskType::CodeAnalysis), 1);
        assert_eq!(PoolSize::<Test>::get(TaskType::SecurityAudit), 1);
        assert_eq!(PoolSize::<Test>::get(TaskType::General), 0);
        System::assert_last_event(
            Event::Registered {
                who: 1,
                types: judged,
                stake: 300 * TOS,
            }
            .into(),
        );
    });
}

#[test]
fn every_type_asks_for_its_own_stake() {
    ExtBuilder::default().execute(|| {
        let expected = [
            (TaskType::CodeAnalysis, 50),
            (TaskType::SecurityAudit, 300),
            (TaskType::DataAnalysis, 150),
            (TaskType::AlgorithmOptimization, 100),
            (TaskType::LogicReasoning, 100),
            (TaskType::General, 100),
            (TaskType::Custom(9), 100),
        ];
        for (who, (task_type, stake)) in (1..).zip(expected) {
            assert_ok!(Judges::register(origin(who), types(&[task_type])));
            assert_eq!(held(who), stake * TOS, "{task_type:?}");
        }
        assert_eq!(JudgeCount::<Test>::get(), 7);
    });
}

#[test]
fn bad_registrations_are_refused_each_with_its_own_error() {
    ExtBuilder::judges(1).execute(|| {
        let general = types(&[TYPE]);
        let register = |who, types| Judges::register(origin(who), types);
        assert_noop!(
            register(1, general.clone()),
            Error::<Test>::AlreadyRegistered
        );
        assert_noop!(register(2, types(&[])), Error::<Test>::NoTypes);
        assert_noop!(
            register(2, types(&[TYPE, TYPE])),
            Error::<Test>::DuplicateType
        );
        assert_noop!(
            register(500, general.clone()),
            Error::<Test>::InsufficientStake
        );
        world(|w| w.suspended.insert(2));
        assert_noop!(register(2, general), Error::<Test>::Suspended);
    });
}

#[test]
fn a_stake_cannot_be_paid_with_the_existential_deposit() {
    ExtBuilder::default().execute(|| {
        assert_ok!(Balances::transfer_allow_death(origin(2), 50, FUNDS - STAKE));
        assert_noop!(
            Judges::register(origin(2), types(&[TYPE])),
            Error::<Test>::InsufficientStake
        );
        assert_ok!(Balances::transfer_allow_death(origin(3), 2, ED));
        assert_ok!(Judges::register(origin(2), types(&[TYPE])));
        assert_eq!(free(2), ED);
    });
}

#[test]
fn changing_types_tops_up_and_keeps_a_surplus_until_the_exit() {
    ExtBuilder::judges(2).execute(|| {
        let audit = types(&[TaskType::SecurityAudit, TaskType::LogicReasoning]);
        assert_ok!(Judges::set_types(origin(1), audit));
        assert_eq!(held(1), 300 * TOS);
        assert_eq!(PoolSize::<Test>::get(TYPE), 1);
        assert_eq!(PoolSize::<Test>::get(TaskType::SecurityAudit), 1);

        assert_ok!(Judges::set_types(
            origin(1),
            types(&[TaskType::CodeAnalysis])
        ));
        assert_eq!(held(1), 300 * TOS);
        assert_eq!(judge(1).stake, 300 * TOS);
        assert_eq!(PoolSize::<Test>::get(TaskType::SecurityAudit), 0);
    });
}

#[test]
fn bad_changes_of_types_are_refused() {
    ExtBuilder::judges(2).execute(|| {
        let set = |who, judged: &[TaskType]| Judges::set_types(origin(who), types(judged));
        assert_noop!(set(3, &[TYPE]), Error::<Test>::NotJudge);
        assert_noop!(set(1, &[]), Error::<Test>::NoTypes);
        assert_noop!(set(1, &[TYPE, TYPE]), Error::<Test>::DuplicateType);
        assert_ok!(Balances::transfer_allow_death(
            origin(1),
            50,
            FUNDS - STAKE - TOS
        ));
        assert_noop!(
            set(1, &[TaskType::SecurityAudit]),
            Error::<Test>::InsufficientStake
        );
        assert_ok!(Judges::leave(origin(2)));
        assert_noop!(set(2, &[TYPE]), Error::<Test>::Leaving);
    });
}

#[test]
fn leaving_takes_effect_at_once_and_the_stake_comes_back_after_the_cooldown() {
    ExtBuilder::judges(3).execute(|| {
        TestClock::set(5);
        let release_at = 5 + TestClock::phase_lengths().unbonding;
        assert_ok!(Judges::leave(origin(1)));
        System::assert_last_event(Event::LeaveStarted { who: 1, release_at }.into());
        assert_eq!(PoolSize::<Test>::get(TYPE), 2);
        assert_eq!(PoolIndex::<Test>::get(TYPE, 1), None);
        assert_eq!(
            Pool::<Test>::get(TYPE, 0),
            Some(3),
            "the last one fills the gap"
        );
        assert_noop!(Judges::leave(origin(1)), Error::<Test>::Leaving);

        TestClock::set(release_at - 1);
        assert_noop!(Judges::withdraw(origin(1)), Error::<Test>::StillUnbonding);
        TestClock::set(release_at);
        assert_ok!(Judges::withdraw(origin(1)));
        assert_eq!(free(1), FUNDS);
        assert_eq!(crate::Judges::<Test>::get(1), None);
        System::assert_last_event(
            Event::Withdrawn {
                who: 1,
                amount: STAKE,
            }
            .into(),
        );
        assert_noop!(Judges::withdraw(origin(1)), Error::<Test>::NotJudge);
        assert_noop!(Judges::leave(origin(1)), Error::<Test>::NotJudge);
        assert_noop!(Judges::withdraw(origin(2)), Error::<Test>::NotLeaving);
    });
}

#[test]
fn nobody_escapes_a_slash_by_leaving() {
    ExtBuilder::judges(3).execute(|| {
        let members = open_round(0, 3);
        assert_ok!(Judges::leave(origin(members[0])));
        TestClock::set(1_000);
        assert_noop!(
            Judges::withdraw(origin(members[0])),
            Error::<Test>::StillOnPanels
        );
        Judges::tally(&TASK);
        Judges::conclude(&TASK, TYPE, false);
        assert_ok!(Judges::withdraw(origin(members[0])));
        assert_eq!(free(members[0]), FUNDS - 5 * TOS);
    });
}

#[test]
fn a_leaving_judge_can_come_back_before_it_withdraws() {
    ExtBuilder::judges(2).execute(|| {
        assert_noop!(Judges::rejoin(origin(1)), Error::<Test>::NotLeaving);
        assert_noop!(Judges::rejoin(origin(9)), Error::<Test>::NotJudge);
        assert_ok!(Judges::leave(origin(1)));
        world(|w| w.suspended.insert(1));
        assert_noop!(Judges::rejoin(origin(1)), Error::<Test>::Suspended);
        world(|w| w.suspended.clear());
        assert_ok!(Judges::rejoin(origin(1)));
        System::assert_last_event(
            Event::Rejoined {
                who: 1,
                stake: STAKE,
            }
            .into(),
        );
        assert_eq!(judge(1).status, JudgeStatus::Active);
        assert_eq!(PoolSize::<Test>::get(TYPE), 2);
        TestClock::set(10_000);
        assert_noop!(Judges::withdraw(origin(1)), Error::<Test>::NotLeaving);
    });
}

#[test]
fn a_slashed_judge_is_passed_over_until_it_tops_up() {
    ExtBuilder::judges(3).execute(|| {
        assert_noop!(Judges::top_up(origin(1)), Error::<Test>::NotUnderstaked);
        assert_noop!(Judges::top_up(origin(9)), Error::<Test>::NotJudge);
        let (members, _) = play_round(
            0,
            &[Vote::Absent, Vote::Full(flat(50)), Vote::Full(flat(50))],
        );
        let slashed = members[0];
        Judges::conclude(&TASK, TYPE, true);
        assert_eq!(judge(slashed).status, JudgeStatus::Understaked);
        System::assert_has_event(
            Event::Understaked {
                who: slashed,
                stake: 95 * TOS,
                required: STAKE,
            }
            .into(),
        );
        Judges::forget(&TASK);
        assert_eq!(draw(&request(0, 3)), tos_interfaces::Draw::Retry);

        assert_ok!(Judges::top_up(origin(slashed)));
        System::assert_last_event(
            Event::ToppedUp {
                who: slashed,
                stake: STAKE,
            }
            .into(),
        );
        assert_eq!(held(slashed), STAKE);
        assert_eq!(draw(&request(0, 3)), tos_interfaces::Draw::Seated(3));
    });
}

#[test]
fn a_slashed_judge_can_judge_cheaper_types_instead_or_leave() {
    ExtBuilder::judges(5).execute(|| {
        let votes = [
            Vote::Absent,
            Vote::Hidden,
            Vote::Full(flat(5)),
            Vote::Absent,
            Vote::Absent,
        ];
        let (members, _) = play_round(0, &votes);
        Judges::conclude(&TASK, TYPE, false);
        assert_ok!(Judges::set_types(
            origin(members[0]),
            types(&[TaskType::CodeAnalysis])
        ));
        assert_eq!(judge(members[0]).status, JudgeStatus::Active);
        assert_eq!(held(members[0]), 95 * TOS);
        assert_ok!(Judges::leave(origin(members[1])));
        assert_noop!(Judges::top_up(origin(members[1])), Error::<Test>::Leaving);
        // Coming back takes the full stake again.
        assert_ok!(Judges::rejoin(origin(members[1])));
        assert_eq!(held(members[1]), STAKE);
        // Who cannot pay stays out.
        assert_ok!(Balances::transfer_allow_death(
            origin(members[3]),
            50,
            free(members[3]) - TOS
        ));
        assert_noop!(
            Judges::top_up(origin(members[3])),
            Error::<Test>::InsufficientStake
        );
    });
}

#[test]
fn genesis_judges_pay_their_stake_from_their_balance() {
    ExtBuilder::with(vec![
        (1, vec![TaskType::DataAnalysis, TYPE]),
        (2, vec![TYPE]),
    ])
    .execute(|| {
        assert_eq!((held(1), free(1)), (150 * TOS, FUNDS - 150 * TOS));
        assert_eq!((held(2), free(2)), (STAKE, FUNDS - STAKE));
        assert_eq!(PoolSize::<Test>::get(TYPE), 2);
    });
}

#[test]
#[should_panic(expected = "genesis judge 500")]
fn a_genesis_judge_without_funds_stops_the_chain_from_starting() {
    ExtBuilder::with(vec![(500, vec![TYPE])]).build();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pools_stay_exact_whatever_judges_do(
        steps in prop::collection::vec((1u64..8, 0u8..5, prop::collection::btree_set(0u8..9, 0..4)), 1..60),
    ) {
        ExtBuilder::default().execute(|| {
            let issuance = Balances::total_issuance();
            for (who, action, chosen) in steps {
                let chosen: Vec<TaskType> = chosen
                    .into_iter()
                    .map(|n| TaskType::BUILT_IN.get(n as usize).copied().unwrap_or(TaskType::Custom(n)))
                    .collect();
                let _ = match action {
                    0 => Judges::register(origin(who), types(&chosen)),
                    1 => Judges::set_types(origin(who), types(&chosen)),
                    2 => Judges::leave(origin(who)),
                    3 => Judges::rejoin(origin(who)),
                    _ => {
                        TestClock::advance(15);
                        Judges::withdraw(origin(who))
                    },
                };
                Judges::do_try_state().unwrap();
            }
            assert_eq!(Balances::total_issuance(), issuance);
        });
    }
}
