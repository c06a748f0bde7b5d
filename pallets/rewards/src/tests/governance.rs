// SPDX-License-Identifier: Apache-2.0

//! Profiles and winner rules.

use crate::mock::*;
use crate::{Error, Event};
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use polkadot_sdk::*;
use sp_runtime::DispatchError::BadOrigin;
use tos_formulas::split::{SplitProfile, WinnerRule};
use tos_types::{Difficulty, TaskType, MAX_PARTICIPANTS};

const TYPE: TaskType = TaskType::General;
const DIFFICULTY: Difficulty = Difficulty::Beginner;

fn profile(winners: u16, participants: u16, judges: u16, network: u16) -> SplitProfile {
    SplitProfile {
        winners,
        participants,
        judges,
        network,
    }
}

fn set_profile(profile: Option<SplitProfile>) -> sp_runtime::DispatchResult {
    Rewards::set_profile(RuntimeOrigin::root(), TYPE, DIFFICULTY, profile)
}

fn set_rule(rule: Option<WinnerRule>) -> sp_runtime::DispatchResult {
    Rewards::set_winner_rule(RuntimeOrigin::root(), TYPE, rule)
}

#[test]
fn only_governance_changes_the_split() {
    ExtBuilder::default().execute(|| {
        let alice = || RuntimeOrigin::signed(ALICE);
        let rule = Some(WinnerRule { per: 1, cap: 1 });
        let profile = Some(SplitProfile::DEFAULT);
        assert_noop!(
            Rewards::set_profile(alice(), TYPE, DIFFICULTY, profile),
            BadOrigin
        );
        assert_noop!(Rewards::set_winner_rule(alice(), TYPE, rule), BadOrigin);
    });
}

#[test]
fn a_profile_is_for_its_type_and_difficulty_alone() {
    ExtBuilder::default().execute(|| {
        let new = profile(6_000, 2_000, 1_000, 1_000);
        assert_ok!(set_profile(Some(new)));
        let event = Event::ProfileSet {
            task_type: TYPE,
            difficulty: DIFFICULTY,
            profile: Some(new),
        };
        assert_eq!(events(), [event]);
        assert_eq!(Rewards::split_profile(TYPE, DIFFICULTY), new);
        assert_eq!(
            Rewards::split_profile(TYPE, Difficulty::Expert),
            SplitProfile::DEFAULT
        );
        let other = TaskType::DataAnalysis;
        assert_eq!(
            Rewards::split_profile(other, DIFFICULTY),
            SplitProfile::DEFAULT
        );

        deposit(0, ALICE, 1_000);
        settle(&settlement(0, &[(M1, 90)], &[(V1, 10_000)]));
        assert_eq!(
            (claimable(M1), claimable(V1), free(TREASURY)),
            (800, 100, ED + 100)
        );

        assert_ok!(set_profile(None));
        assert_eq!(
            Rewards::split_profile(TYPE, DIFFICULTY),
            SplitProfile::DEFAULT
        );
    });
}

#[test]
fn shares_out_of_bounds_are_refused() {
    ExtBuilder::default().execute(|| {
        let bad = [
            // Not the whole, or more.
            profile(6_500, 1_500, 1_400, 500),
            profile(7_000, 1_500, 1_500, 500),
            // One share above or below its bounds.
            profile(7_100, 1_000, 1_400, 500),
            profile(5_900, 2_000, 1_500, 600),
            profile(7_000, 900, 1_500, 600),
            profile(6_000, 2_100, 1_400, 500),
            profile(7_000, 1_600, 900, 500),
            profile(6_000, 1_900, 1_600, 500),
            profile(7_000, 1_600, 1_000, 400),
            profile(6_000, 1_500, 1_400, 1_100),
            profile(u16::MAX, u16::MAX, u16::MAX, u16::MAX),
        ];
        for profile in bad {
            assert_noop!(
                set_profile(Some(profile)),
                Error::<Test>::ProfileOutOfBounds
            );
        }
    });
}

#[test]
fn a_winner_rule_is_for_its_type_alone() {
    ExtBuilder::default().execute(|| {
        let default = Rewards::winner_rule(TYPE);
        let rule = WinnerRule { per: 1, cap: 2 };
        assert_ok!(set_rule(Some(rule)));
        assert_eq!(
            events(),
            [Event::WinnerRuleSet {
                task_type: TYPE,
                rule: Some(rule)
            }]
        );
        assert_eq!(Rewards::winner_rule(TYPE), rule);
        assert_ne!(Rewards::winner_rule(TaskType::SecurityAudit), rule);

        deposit(0, ALICE, 1_000);
        let settled = settle(&settlement(
            0,
            &[(M1, 60), (M2, 90), (M3, 55)],
            &[(V1, 10_000)],
        ));
        assert!(matches!(settled, Event::Settled { winners, .. } if winners == [M2, M1]));

        assert_ok!(set_rule(None));
        assert_eq!(Rewards::winner_rule(TYPE), default);
    });
}

#[test]
fn what_is_published_already_is_divided_as_it_was_whatever_governance_sets() {
    ExtBuilder::default().execute(|| {
        for task in [0, 1] {
            deposit(task, ALICE, 1_000);
        }
        let answers = [(M1, 90), (M2, 80)];
        let old = settlement(0, &answers, &[(V1, 10_000)]);
        assert_ok!(set_profile(Some(profile(6_000, 2_000, 1_000, 1_000))));
        assert_ok!(set_rule(Some(WinnerRule { per: 1, cap: 2 })));
        let new = settlement(1, &answers, &[(V2, 10_000)]);
        let winners = |settled: Event<Test>| match settled {
            Event::Settled { winners, .. } => winners,
            other => panic!("{other:?} is no settlement"),
        };
        // 65/15/15/5 and one winner of two, against 60/20/10/10 and two.
        assert_eq!(winners(settle(&old)), [M1]);
        assert_eq!((claimable(V1), free(TREASURY)), (150, ED + 50));
        assert_eq!(winners(settle(&new)), [M1, M2]);
        assert_eq!((claimable(V2), free(TREASURY)), (100, ED + 150));
    });
}

#[test]
fn winner_rules_without_sense_are_refused() {
    ExtBuilder::default().execute(|| {
        let most = u8::try_from(MAX_PARTICIPANTS).unwrap();
        for (per, cap) in [
            (0, 1),
            (1, 0),
            (most + 1, 1),
            (1, most + 1),
            (u8::MAX, u8::MAX),
        ] {
            let rule = Some(WinnerRule { per, cap });
            assert_noop!(set_rule(rule), Error::<Test>::WinnerRuleInvalid);
        }
        assert_ok!(set_rule(Some(WinnerRule {
            per: most,
            cap: most
        })));
    });
}

#[test]
fn the_constants_are_in_order() {
    ExtBuilder::default().execute(Rewards::integrity_test);
}
