// SPDX-License-Identifier: Apache-2.0

//! Rule sets: stored once, never changed, counted, and gone with their last task.

use super::*;
use proptest::prelude::*;
use tos_formulas::split::{SplitProfile, WinnerRule};
use tos_interfaces::TaskPhases;
use tos_types::{params::share_of, rules::TaskRules};

/// Another division than the one that a chain begins with.
const OTHER: (SplitProfile, WinnerRule) = (
    SplitProfile {
        winners: 6_000,
        participants: 2_000,
        judges: 1_000,
        network: 1_000,
    },
    WinnerRule { per: 1, cap: 4 },
);

/// The numbers of the stored rule sets with the tasks that are counted for them, by number.
fn sets() -> Vec<(u32, u32)> {
    let mut sets: Vec<_> = RuleSets::<Test>::iter()
        .map(|(number, set)| {
            let known = RuleSetUses::<Test>::get(set).unwrap();
            assert_eq!(known.number, number);
            (number, known.tasks)
        })
        .collect();
    sets.sort_unstable();
    assert_eq!(RuleSetUses::<Test>::iter_values().count(), sets.len());
    sets
}

/// Publishes a task that stays open for as long as a test may take.
fn publish_long() -> TaskId {
    publish_with(|offer| offer.open_for = 40_000)
}

/// Cancels a task and waits until its record is gone.
fn cancelled(id: TaskId) {
    assert_ok!(Work::cancel(RuntimeOrigin::signed(PUBLISHER), id));
    end_phase(id);
    assert!(!Tasks::<Test>::contains_key(id));
}

/// The cancellation fee that tasks published from now on have, in basis points.
fn set_fee(fee: u16) {
    let mut rules = TaskRules::STANDARD;
    rules.publishing.cancel_fee = fee;
    RULES.set(rules);
}

#[test]
fn tasks_under_equal_rules_share_one_set() {
    ExtBuilder::execute(|| {
        let ids = [publish(), publish_with(|offer| offer.by = BOB), publish()];
        assert_eq!(sets(), [(0, 3)]);
        assert!(ids.iter().all(|id| task(*id).rules == 0));
        // Another difficulty has other terms, another type another profile: LogicReasoning allows
        // equal answers.
        let hard = publish_with(|offer| {
            offer.difficulty = Difficulty::Intermediate;
            offer.reward = 20 * TOS;
        });
        let logical = publish_with(|offer| offer.params = logic());
        assert_eq!(sets(), [(0, 3), (1, 1), (2, 1)]);
        assert_eq!((task(hard).rules, task(logical).rules), (1, 2));
    });
}

#[test]
fn what_a_task_is_under_is_what_governance_had_decided_when_it_was_published() {
    ExtBuilder::execute(|| {
        let old = publish();
        let before = Work::rules_of(&task(old)).unwrap();
        assert_eq!(before.rules, TaskRules::STANDARD);
        assert_eq!((before.split, before.winners), DIVISION.get());
        // Each kind of decision makes a set of its own.
        set_fee(500);
        publish();
        DIVISION.set(OTHER);
        publish();
        let profile = TypeProfile {
            equal_answers_allowed: true,
            tool: Some([7; 32]),
        };
        let general = tos_types::TaskType::General;
        assert_ok!(Work::set_task_type(
            RuntimeOrigin::root(),
            general,
            Some(profile)
        ));
        let new = publish();
        assert_eq!(sets(), [(0, 1), (1, 1), (2, 1), (3, 1)]);
        assert_eq!(Work::rules_of(&task(old)).unwrap(), before);
        let after = Work::rules_of(&task(new)).unwrap();
        assert_eq!((after.split, after.winners), OTHER);
        assert_eq!(after.profile, profile);
        assert_eq!(after.rules.publishing.cancel_fee, 500);
        // Those who judge are told the same.
        let phases = |id| {
            let rules = <Work as TaskPhases<u64>>::rules(&id);
            (rules, <Work as TaskPhases<u64>>::tool(&id))
        };
        assert_eq!(phases(old), (before.rules, None));
        assert_eq!(phases(new), (after.rules, Some([7; 32])));
        // Rules that come back are the same set again, as long as a task is under them.
        set_fee(TaskRules::STANDARD.publishing.cancel_fee);
        DIVISION.set((before.split, before.winners));
        assert_ok!(Work::set_task_type(
            RuntimeOrigin::root(),
            general,
            Some(before.profile)
        ));
        assert_eq!(task(publish()).rules, 0);
        assert_eq!(sets(), [(0, 2), (1, 1), (2, 1), (3, 1)]);
    });
}

#[test]
fn a_split_that_is_changed_before_the_settlement_takes_nothing_from_who_worked_under_the_old_one() {
    ExtBuilder::execute(|| {
        let old = judged_task(&[ALICE, BOB], &[good(80), good(60)]);
        // The answers are judged, and every account knows who wins what: now the shares change.
        let promised = DIVISION.replace(OTHER);
        assert_eq!(finish(old), Closure::Settled);
        let new = judged_task(&[CAROL], &[good(80)]);
        assert_eq!(finish(new), Closure::Settled);
        let divided: Vec<_> = script(|s| s.settled.clone())
            .into_iter()
            .map(|settled| (settled.task, (settled.split, settled.winners)))
            .collect();
        assert_eq!(divided, [(old, promised), (new, OTHER)]);
    });
}

#[test]
fn a_set_goes_with_the_last_task_under_it_and_its_number_is_not_given_again() {
    ExtBuilder::execute(|| {
        let [first, second] = [publish_long(), publish_long()];
        set_fee(20);
        let other = publish_long();
        assert_eq!(sets(), [(0, 2), (1, 1)]);
        cancelled(first);
        assert_eq!(sets(), [(0, 1), (1, 1)]);
        // Closed is not gone: readers of a closed task find its rules.
        assert_ok!(Work::cancel(RuntimeOrigin::signed(PUBLISHER), second));
        assert_eq!(sets(), [(0, 1), (1, 1)]);
        assert_eq!(Work::task(second).unwrap().rules, TaskRules::STANDARD);
        end_phase(second);
        assert_eq!(sets(), [(1, 1)]);
        cancelled(other);
        assert!(sets().is_empty());
        set_fee(TaskRules::STANDARD.publishing.cancel_fee);
        assert_eq!(task(publish()).rules, 2);
        assert_eq!(sets(), [(2, 1)]);
    });
}

#[test]
fn every_number_in_use_is_told_with_its_rules() {
    ExtBuilder::execute(|| {
        publish();
        DIVISION.set(OTHER);
        let view = Work::task(publish()).unwrap();
        let set = RuleSets::<Test>::get(view.rule_set).unwrap();
        assert_eq!(view.rule_set, 1);
        assert_eq!((view.rules, view.terms), (set.rules, set.terms));
        assert_eq!((view.split, view.winners), OTHER);
    });
}

#[test]
fn a_count_that_is_wrong_is_found() {
    const SEVENTH: RuleSetUse = RuleSetUse {
        number: 7,
        tasks: 1,
    };
    let broken: [(&str, fn()); 7] = [
        ("a rule set's count of tasks is wrong", || {
            RuleSetUses::<Test>::mutate(set_of(0), |known| known.as_mut().unwrap().tasks += 1);
        }),
        ("a rule set is not counted", || {
            RuleSetUses::<Test>::remove(set_of(0));
        }),
        ("a rule set without a task", || {
            RuleSets::<Test>::insert(7u32, another());
            RuleSetUses::<Test>::insert(another(), SEVENTH);
        }),
        ("a rule set is stored twice", || {
            RuleSets::<Test>::insert(7u32, set_of(0));
        }),
        ("a task's rule set is not stored", || {
            RuleSets::<Test>::remove(0u32);
        }),
        ("a rule set is counted and not stored", || {
            RuleSetUses::<Test>::insert(another(), SEVENTH);
        }),
        ("the number of a rule set will be given again", || {
            NextRuleSet::<Test>::put(0u32);
        }),
    ];
    for (told, breaks) in broken {
        chain(100).execute_with(|| {
            publish();
            assert_ok!(Work::do_try_state());
            breaks();
            assert_eq!(Work::do_try_state(), Err(told.into()));
        });
    }
}

/// A set that no task is under.
fn another() -> RuleSet {
    let mut set = set_of(0);
    set.winners.cap = 9;
    set
}

/// The stored set of this number.
fn set_of(number: u32) -> RuleSet {
    RuleSets::<Test>::get(number).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn there_are_never_more_sets_than_tasks_and_each_task_keeps_its_fee(
        moves in proptest::collection::vec(
            (0..4u16, any::<bool>(), any::<prop::sample::Index>()),
            1..60,
        )
    ) {
        ExtBuilder::execute(|| {
            let mut open: Vec<(TaskId, u16)> = vec![];
            for (fee, publishes, which) in moves {
                set_fee(fee);
                if publishes || open.is_empty() {
                    open.push((publish_long(), fee));
                } else {
                    let (id, promised) = open.swap_remove(which.index(open.len()));
                    let before = wealth(TREASURY);
                    assert_ok!(Work::cancel(RuntimeOrigin::signed(PUBLISHER), id));
                    assert_eq!(wealth(TREASURY) - before, share_of(10 * TOS, promised));
                    let due = task(id).due;
                    jump(due);
                    assert_ok!(Work::crank(RuntimeOrigin::signed(STRANGER), id));
                }
                let stored = sets();
                let tasks: u32 = stored.iter().map(|(_, tasks)| tasks).sum();
                assert_eq!(tasks, Tasks::<Test>::count());
                assert!(stored.len() <= open.len());
                Work::do_try_state().unwrap();
            }
        });
    }
}
