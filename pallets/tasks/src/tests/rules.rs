// SPDX-License-Identifier: Apache-2.0

//! Rules that change: tasks keep those they were published with.

use super::*;
use frame_support::assert_noop;
use tos_types::{
    params::share_of,
    rules::{DifficultyTable, DifficultyTerms, TaskRules},
};

/// The strictest rules there can be.
fn strict() -> TaskRules {
    let mut rules = TaskRules::STANDARD;
    rules.publishing.publisher_stake = 5_000;
    rules.publishing.cancel_fee = 500;
    rules.publishing.challenge_bond = 2_000;
    rules.slashes.no_show = 1_500;
    rules.slashes.non_reveal = 5_000;
    rules.slashes.malformed = 10_000;
    rules.judging.escalations = 0;
    rules
}

fn set(rules: TaskRules) {
    RULES.set(rules);
}

#[test]
fn a_task_keeps_the_rules_it_was_published_with() {
    ExtBuilder::execute(|| {
        let old = publish();
        set(strict());
        let new = publish();
        let stakes = [old, new].map(|id| task(id).publisher_stake);
        assert_eq!(stakes, [TOS, 5 * TOS]);
        // Nobody answers: what a no-show costs is what it cost when the task was published.
        join(ALICE, old);
        join(BOB, new);
        let stake = Submissions::<Test>::get(old, ALICE).unwrap().stake;
        assert_eq!(finish(old), Closure::Expired);
        assert_eq!(finish(new), Closure::Expired);
        let lost = |id, who| Submissions::<Test>::get(id, who).unwrap().lost;
        assert_eq!(lost(old, ALICE), share_of(stake, 1_000));
        assert_eq!(lost(new, BOB), share_of(stake, 1_500));
    });
}

#[test]
fn cancelling_and_challenging_cost_what_they_did_at_publication() {
    ExtBuilder::execute(|| {
        let old = publish();
        set(strict());
        let before = wealth(TREASURY);
        assert_ok!(Work::cancel(RuntimeOrigin::signed(PUBLISHER), old));
        assert_eq!(wealth(TREASURY) - before, share_of(10 * TOS, 10));
        let new = publish();
        set(TaskRules::STANDARD);
        judged(new, &[ALICE, BOB], &[good(60), good(50)]);
        challenge(ALICE, new);
        assert_eq!(held(ALICE, HoldReason::ChallengeBond), 2 * TOS);
        finish(new);
    });
}

#[test]
fn a_task_escalates_as_often_as_its_own_rules_say() {
    ExtBuilder::execute(|| {
        set(strict());
        let never = publish();
        set(TaskRules::STANDARD);
        next_round(Tally::Split, &[good(60)]);
        answered(never, &[ALICE]);
        voted(never);
        assert_eq!(phase(never), Phase::Challenge);
        let twice = publish();
        for _ in 0..3 {
            next_round(Tally::Split, &[good(60)]);
        }
        answered(twice, &[BOB]);
        for _ in 0..3 {
            voted(twice);
        }
        assert_eq!(
            (phase(twice), task(twice).escalations_left),
            (Phase::Challenge, 0)
        );
    });
}

#[test]
fn bands_stakes_and_gates_follow_the_terms_at_publication() {
    ExtBuilder::execute(|| {
        let old = publish();
        let mut table = DifficultyTable::STANDARD;
        table.beginner = DifficultyTerms {
            least_reward: 8 * TOS,
            most_reward: 9 * TOS,
            stake: 2 * TOS,
            gate: 900,
        };
        TERMS.set(table);
        assert_noop!(Offer::default().publish(), Error::<Test>::RewardOutsideBand);
        let new = publish_with(|offer| offer.reward = 9 * TOS);
        script(|s| s.reputation.insert(CAROL, 899));
        assert_noop!(
            Work::join(RuntimeOrigin::signed(CAROL), new),
            Error::<Test>::ReputationTooLow
        );
        join(CAROL, old);
        join(ALICE, new);
        let stake = |id, who| Submissions::<Test>::get(id, who).unwrap().stake;
        assert_eq!((stake(old, CAROL), stake(new, ALICE)), (TOS, 2 * TOS));
    });
}
