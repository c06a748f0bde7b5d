// SPDX-License-Identifier: Apache-2.0

//! Levels as the chain keeps them, and who may speak for whom. The rules themselves are tested with
//! `tos_formulas::level`.

use crate::mock::*;
use crate::{Endorsements, Endorsing, Error, Event, Miners as Register};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use tos_formulas::level::{LevelChange, MAX_ENDORSED, MAX_ENDORSEMENTS};
use tos_interfaces::MinerRegistry;
use tos_types::{
    task::{Certification, Level},
    TaskType, BP,
};

/// Registered by tests besides the named accounts; they have no balance and need none.
fn crowd(who: u64, level: Level) {
    let mut miner = Register::<Test>::get(ALICE).unwrap();
    miner.level = Default::default();
    miner.level.level = level;
    miner.stake = 0;
    miner.specialisations = Default::default();
    Register::<Test>::insert(who, miner);
}

fn endorse(endorser: u64, who: u64) -> Result<(), sp_runtime::DispatchError> {
    Miners::endorse(signed(endorser), who)
}

fn review(who: u64) -> Result<(), sp_runtime::DispatchError> {
    Miners::review_level(signed(CAROL), who)
}

/// `who` works on this many tasks.
fn work(who: u64, times: u32, completed: bool) {
    for _ in 0..times {
        Miners::start_task(&who, TaskType::CodeAnalysis).unwrap();
        Miners::finish_task(&who, completed);
    }
}

fn level(who: u64) -> Level {
    Register::<Test>::get(who).unwrap().level.level
}

/// Alice has all it takes for the next level but endorsements.
fn alice_is_ready() -> ExtBuilder {
    let professional =
        |builder: ExtBuilder, who| builder.certificate(who, Certification::Professional, 1_000_000);
    let builder = [21, 22, 23, 24]
        .into_iter()
        .fold(ExtBuilder::default(), professional);
    builder.miner(ALICE, &[TaskType::CodeAnalysis])
}

/// Gives Alice the reputation and the endorsements that she lacks.
fn praise_alice() {
    TestReputation::set(ALICE, 7_500);
    for endorser in [21, 22, 23] {
        assert_ok!(endorse(endorser, ALICE));
    }
}

fn stays_standard(change: LevelChange) -> Event<Test> {
    Event::LevelChanged {
        who: ALICE,
        change,
        level: Level::Standard,
    }
}

#[test]
fn a_miner_rises_by_tasks_success_endorsements_and_reputation_through_a_probation() {
    alice_is_ready().execute(|| {
        work(ALICE, 49, true);
        praise_alice();
        assert_noop!(review(ALICE), Error::<Test>::NothingToReview);
        work(ALICE, 1, true);
        assert_ok!(review(ALICE));
        assert_eq!(last_event(), stays_standard(LevelChange::ProbationStarted));
        let view = Miners::miner(ALICE).unwrap();
        let today = now() / DAY;
        assert_eq!(view.probation_until, Some(today + 14));
        assert_eq!((view.endorsements, view.success), (3, BP));

        work(ALICE, 4, true);
        TestClock::advance(14 * DAY - 2);
        assert_noop!(review(ALICE), Error::<Test>::NothingToReview);
        TestClock::advance(1);
        let before = <Miners as MinerRegistry<u64>>::stake_percent(&ALICE);
        assert_ok!(review(ALICE));
        assert_eq!(level(ALICE), Level::Advanced);
        assert_eq!((before, Miners::stake_percent(&ALICE)), (150, 120));
        assert_eq!(Miners::vote_tenths(&ALICE), 15);
        // Endorsements are not used up, but the next level wants more of everything.
        assert_noop!(review(ALICE), Error::<Test>::NothingToReview);
    });
}

#[test]
fn an_endorsement_that_counts_no_more_ends_a_probation() {
    alice_is_ready().execute(|| {
        work(ALICE, 50, true);
        praise_alice();
        assert_ok!(review(ALICE));
        assert_ok!(Miners::suspend(RuntimeOrigin::root(), 22, 30));
        assert_ok!(review(ALICE));
        assert_eq!(last_event(), stays_standard(LevelChange::ProbationFailed));
        assert_noop!(review(ALICE), Error::<Test>::NothingToReview);
        // It counts again when the suspension is over.
        TestClock::advance(30);
        assert_ok!(review(ALICE));
        // A certificate that is revoked speaks for nobody.
        assert_ok!(Miners::revoke_certificate(RuntimeOrigin::root(), 21));
        assert_ok!(review(ALICE));
        assert_eq!(Miners::miner(ALICE).unwrap().endorsements, 3);
        assert_eq!(Miners::miner(ALICE).unwrap().probation_until, None);
    });
}

#[test]
fn failures_in_a_row_cost_a_level_after_the_grace_period_and_anybody_can_say_so() {
    alice_is_ready().execute(|| {
        Register::<Test>::mutate(ALICE, |m| m.as_mut().unwrap().level.level = Level::Master);
        assert_eq!(Miners::stake_percent(&ALICE), 50);
        work(ALICE, 3, false);
        let today = now() / DAY;
        assert_eq!(Miners::miner(ALICE).unwrap().grace_until, Some(today + 7));
        assert_noop!(review(ALICE), Error::<Test>::NothingToReview);
        TestClock::advance(7 * DAY);
        assert_ok!(review(ALICE));
        assert_eq!(level(ALICE), Level::Specialist);
        assert_eq!(Miners::vote_tenths(&ALICE), 20);
    });
}

#[test]
fn a_suspension_costs_a_level_at_once_whoever_pronounces_it() {
    alice_is_ready().execute(|| {
        Register::<Test>::mutate(ALICE, |m| m.as_mut().unwrap().level.level = Level::Master);
        assert_ok!(Miners::suspend(RuntimeOrigin::root(), ALICE, 5));
        assert_eq!(level(ALICE), Level::Specialist);
        <Miners as MinerRegistry<u64>>::suspend(&ALICE, 5);
        assert_eq!(level(ALICE), Level::Advanced);
        // Accounts that do not mine have no level to lose.
        <Miners as MinerRegistry<u64>>::suspend(&BOB, 5);
        assert!(Miners::is_suspended(&BOB));
    });
}

#[test]
fn only_peers_of_the_wanted_level_and_certified_accounts_endorse() {
    let builder = alice_is_ready()
        .certificate(25, Certification::Basic, 1_000_000)
        .certificate(26, Certification::Expert, 5);
    builder.build().execute_with(|| {
        assert_noop!(endorse(21, BOB), Error::<Test>::NotRegistered);
        assert_noop!(endorse(ALICE, ALICE), Error::<Test>::SelfRelation);
        register(BOB);
        assert_noop!(endorse(BOB, ALICE), Error::<Test>::NotEntitled);
        assert_noop!(endorse(25, ALICE), Error::<Test>::NotEntitled);
        crowd(30, Level::Advanced);
        assert_ok!(endorse(30, ALICE));
        assert_noop!(endorse(30, ALICE), Error::<Test>::AlreadyEndorsed);
        // Of the level that is wanted, not of the one that is there.
        crowd(31, Level::Advanced);
        Register::<Test>::mutate(ALICE, |m| m.as_mut().unwrap().level.level = Level::Advanced);
        assert_noop!(endorse(31, ALICE), Error::<Test>::NotEntitled);
        Register::<Test>::mutate(31, |m| m.as_mut().unwrap().leaving = Some(99));
        Register::<Test>::mutate(ALICE, |m| m.as_mut().unwrap().level.level = Level::Standard);
        assert_noop!(endorse(31, ALICE), Error::<Test>::NotEntitled);
        assert_ok!(Miners::suspend(RuntimeOrigin::root(), 21, 5));
        assert_noop!(endorse(21, ALICE), Error::<Test>::NotEntitled);
        // Expired.
        TestClock::advance(10);
        assert_noop!(endorse(26, ALICE), Error::<Test>::NotEntitled);
        crowd(32, Level::Master);
        assert_noop!(endorse(22, 32), Error::<Test>::HighestLevel);
    });
}

#[test]
fn accounts_that_keep_away_from_each_other_do_not_endorse_each_other() {
    alice_is_ready().execute(|| {
        assert_ok!(Miners::declare_relation(signed(ALICE), 21));
        assert_noop!(endorse(21, ALICE), Error::<Test>::RelatedEndorser);
        assert_ok!(Miners::set_owner(signed(22), Some(ALICE)));
        assert_noop!(endorse(22, ALICE), Error::<Test>::RelatedEndorser);
        assert_ok!(endorse(23, ALICE));
    });
}

#[test]
fn endorsements_have_bounds_on_both_sides_and_either_side_can_end_one() {
    alice_is_ready().build().execute_with(|| {
        for who in 100..100 + u64::from(MAX_ENDORSED) {
            crowd(who, Level::Standard);
            assert_ok!(endorse(21, who));
        }
        assert_noop!(endorse(21, ALICE), Error::<Test>::EndorsesTooMany);
        for endorser in 200..200 + u64::from(MAX_ENDORSEMENTS) {
            crowd(endorser, Level::Master);
            assert_ok!(endorse(endorser, ALICE));
        }
        assert_noop!(endorse(22, ALICE), Error::<Test>::TooManyEndorsements);

        let retract = |by, endorser, who| Miners::retract_endorsement(signed(by), endorser, who);
        assert_noop!(retract(BOB, 200, ALICE), Error::<Test>::NotInvolved);
        assert_noop!(retract(22, 22, ALICE), Error::<Test>::NotEndorsed);
        assert_ok!(retract(ALICE, 200, ALICE));
        let event = Event::EndorsementRetracted {
            endorser: 200,
            who: ALICE,
        };
        assert_eq!(last_event(), event);
        assert_ok!(endorse(22, ALICE));
        assert_ok!(retract(21, 21, 100));
        assert!(!Endorsements::<Test>::contains_key(100));
        assert_eq!(Endorsing::<Test>::get(21), MAX_ENDORSED - 1);
    });
}

#[test]
fn leaving_for_good_takes_level_and_endorsements_along() {
    alice_is_ready().execute(|| {
        assert_ok!(endorse(21, ALICE));
        Register::<Test>::mutate(ALICE, |m| m.as_mut().unwrap().level.level = Level::Advanced);
        assert_ok!(Miners::leave(signed(ALICE)));
        TestClock::advance(UNBONDING);
        assert_ok!(Miners::withdraw(signed(ALICE)));
        assert_eq!(Endorsing::<Test>::get(21), 0);
        assert!(!Endorsing::<Test>::contains_key(21));
        register(ALICE);
        assert_eq!(level(ALICE), Level::Standard);
        assert_eq!(Miners::miner(ALICE).unwrap().endorsements, 0);
    });
}

#[test]
fn the_lower_one_of_certification_and_level_sets_the_stake() {
    alice_is_ready()
        .certificate(ALICE, Certification::Professional, 100)
        .execute(|| {
            assert_eq!(Miners::stake_percent(&ALICE), 80);
            Register::<Test>::mutate(ALICE, |m| m.as_mut().unwrap().level.level = Level::Master);
            assert_eq!(Miners::stake_percent(&ALICE), 50);
            // Who does not mine has a certificate at most.
            assert_eq!(Miners::stake_percent(&22), 80);
            assert_eq!(Miners::stake_percent(&BOB), 150);
            assert_eq!(Miners::vote_tenths(&22), 10);
        });
}
