// SPDX-License-Identifier: Apache-2.0

//! What remains of a task after its retention: nothing but its events.

use super::*;
use crate::Tasks;

macro_rules! entries {
    ($($map:ident)*) => { 0 $(+ $map::<Test>::iter().count())* };
}

/// Entries in all maps of records.
fn records() -> usize {
    RuleSetUses::<Test>::iter_values().count()
        + entries!(
            Tasks Specs Participants Submissions Contents Answers Challenges Timeline OpenTasks
            OpenByType ActiveOf Agenda References RuleSets
        )
}

#[test]
fn a_closed_task_is_kept_for_its_retention_and_then_leaves_no_record() {
    ExtBuilder::execute(|| {
        let id = joined(&[CAROL]);
        judged(id, &[ALICE, BOB], &[good(80), good(60)]);
        challenge(BOB, id);
        finish(id);
        let closed = now();
        pass_to(closed + 40);
        assert!(Tasks::<Test>::contains_key(id));
        tick();
        assert_eq!(records(), 0);
        assert_eq!(Tasks::<Test>::count(), 0);
        assert_eq!(script(|s| s.forgotten.clone()), vec![id]);
        assert_event(Event::Pruned { task: id });
    });
}

#[test]
fn every_way_out_ends_in_nothing() {
    ExtBuilder::execute(|| {
        let cancelled = publish();
        assert_ok!(Work::cancel(RuntimeOrigin::signed(PUBLISHER), cancelled));
        publish();
        join(ALICE, publish());
        let unrevealed = publish();
        committed(unrevealed, &[BOB]);
        pass(500);
        assert_eq!(records(), 0);
    });
}

#[test]
fn a_new_task_never_gets_the_identifier_of_a_pruned_one() {
    ExtBuilder::execute(|| {
        let first = publish();
        pass(100);
        assert!(!Tasks::<Test>::contains_key(first));
        assert_ne!(publish(), first);
    });
}

#[test]
fn pruning_can_be_cranked() {
    ExtBuilder::execute(|| {
        let id = publish();
        finish(id);
        jump(task(id).due);
        assert_ok!(Work::crank(RuntimeOrigin::signed(STRANGER), id));
        assert_eq!(records(), 0);
    });
}
