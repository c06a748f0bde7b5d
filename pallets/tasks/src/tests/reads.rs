// SPDX-License-Identifier: Apache-2.0

//! What others read about tasks.

use super::*;
use tos_types::{join_error::JoinError, TaskType};
use tos_views::{Action, Role};

#[test]
fn pages_of_tasks_are_complete_ordered_and_without_repetition() {
    ExtBuilder::execute(|| {
        let mut all: Vec<_> = (0..7).map(|_| publish()).collect();
        let mut of_type: Vec<_> = (0..4)
            .map(|_| publish_with(|offer| offer.params = logic()))
            .collect();
        all.extend(of_type.clone());
        all.sort();
        of_type.sort();
        let read = |page: &dyn Fn(Option<TaskId>) -> Vec<TaskId>| {
            let (mut seen, mut after) = (vec![], None);
            loop {
                let ids = page(after);
                let Some(last) = ids.last() else { return seen };
                after = Some(*last);
                seen.extend(ids);
            }
        };
        let ids = |page: Vec<tos_views::TaskSummary<u64>>| -> Vec<TaskId> {
            page.into_iter().map(|summary| summary.id).collect()
        };
        assert_eq!(read(&|after| ids(Work::tasks(after, 3))), all);
        assert_eq!(read(&|after| ids(Work::open_tasks(None, after, 2))), all);
        let logic = Some(TaskType::LogicReasoning);
        assert_eq!(
            read(&|after| ids(Work::open_tasks(logic, after, 3))),
            of_type
        );
        assert_eq!(Work::counts(), (11, 11));

        // A cancelled task is still on chain, but not open; a page can begin behind it.
        let gone = all[5];
        assert_ok!(Work::cancel(RuntimeOrigin::signed(PUBLISHER), gone));
        assert_eq!(Work::counts(), (11, 10));
        assert_eq!(
            ids(Work::open_tasks(None, Some(gone), 100)),
            all[6..].to_vec()
        );
    });
}

#[test]
fn a_page_holds_a_hundred_at_most() {
    ExtBuilder::execute(|| {
        publish_two_each(52);
        assert_eq!(Work::tasks(None, u32::MAX).len(), 100);
        assert_eq!(Work::open_tasks(None, None, 500).len(), 100);
        assert_eq!(Work::tasks(None, 0).len(), 0);
    });
}

#[test]
fn a_view_tells_everything_and_survives_json() {
    ExtBuilder::execute(|| {
        let id = joined(&[CAROL]);
        judged(id, &[ALICE], &[good(80)]);
        challenge(ALICE, id);
        next_round(Tally::Consensus, &[good(10)]);
        finish(id);
        let view = Work::task(id).unwrap();
        assert_eq!(view.summary.id, id);
        assert_eq!(view.summary.phase, Phase::Closed(Closure::Settled));
        assert_eq!(view.spec, Offer::default().spec);
        assert_eq!(view.answers, vec![ALICE]);
        assert_eq!(view.challenge.as_ref().unwrap().upheld, Some(true));
        let [carol, alice] = &view.submissions[..] else {
            panic!("two submissions")
        };
        assert_eq!((carol.miner, carol.content.is_none()), (CAROL, true));
        assert_eq!((alice.miner, alice.result), (ALICE, Some(good(10))));
        assert_eq!(alice.id, id.submission(&ALICE));
        assert_eq!(alice.content, ContentRef::inline(&text(ALICE)));
        assert_eq!(Work::task(TaskId([1; 16])), None);
        assert_eq!(Work::timeline(id).len(), 11);
    });
}

#[test]
fn a_miner_learns_what_to_do_and_until_when() {
    ExtBuilder::execute(|| {
        let id = joined(&[ALICE]);
        assert_eq!(ActiveOf::<Test>::get(ALICE).into_inner(), vec![id]);
        let todo = Work::assignments(&ALICE);
        assert_eq!(todo.len(), 1);
        assert_eq!(
            (todo[0].role, todo[0].action),
            (Role::Miner, Action::CommitAnswer)
        );
        assert_eq!(todo[0].deadline, 110);
        commit(ALICE, id);
        assert!(Work::assignments(&ALICE).is_empty());
        end_phase(id);
        assert_eq!(Work::assignments(&ALICE)[0].action, Action::RevealAnswer);
        reveal(ALICE, id);
        assert!(Work::assignments(&ALICE).is_empty());
    });
}

#[test]
fn a_client_learns_why_not_and_when_before_it_pays() {
    ExtBuilder::execute(|| {
        let id = publish_with(|offer| offer.places = 3);
        let ask = |who, id| Work::can_submit(who, id);
        let refused = |reason| Err((reason, None));
        assert_eq!(ask(ALICE, id), Ok(()));
        assert_eq!(ask(ALICE, TaskId([1; 16])), refused(JoinError::UnknownTask));
        assert_eq!(ask(PUBLISHER, id), refused(JoinError::OwnTask));
        assert_eq!(ask(77, id), refused(JoinError::StakeUnaffordable));
        script(|s| {
            s.reputation.insert(BOB, 499);
            s.reputation.insert(ALICE, 500);
            s.refusals.insert(CAROL, JoinError::Suspended);
            s.suspended.insert(CAROL, 500);
            s.refusals.insert(14, JoinError::Dormant);
        });
        assert_eq!(ask(BOB, id), refused(JoinError::ReputationTooLow));
        assert_eq!(ask(CAROL, id), Err((JoinError::Suspended, Some(500))));
        assert_eq!(ask(14, id), refused(JoinError::Dormant));
        join(ALICE, id);
        assert_eq!(ask(ALICE, id), refused(JoinError::AlreadyJoined));
        join(15, id);
        join(16, id);
        assert_eq!(ask(17, id), refused(JoinError::TaskFull));
        jump(111);
        assert_eq!(ask(17, id), refused(JoinError::TaskClosed));
    });
}

#[test]
fn who_is_in_three_tasks_learns_that_it_is_too_many() {
    ExtBuilder::execute(|| {
        (0..3).for_each(|_| join(ALICE, publish()));
        let id = publish();
        assert_eq!(
            Work::can_submit(ALICE, id),
            Err((JoinError::TooManyTasks, None))
        );
    });
}
