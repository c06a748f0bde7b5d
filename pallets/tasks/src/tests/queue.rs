// SPDX-License-Identifier: Apache-2.0

//! The queue: metering, carrying over, cranks and steps that fail.

use super::*;
use crate::weights::WeightInfo;
use frame_support::{
    assert_noop,
    dispatch::{DispatchResultWithPostInfo, Pays},
    traits::Hooks,
    weights::{Weight, WeightMeter},
};
use sp_runtime::StateVersion;
use tos_interfaces::Draw;
use tos_types::{params::MAX_CANDIDATES, rules::TaskRules};

fn try_crank(id: TaskId) -> DispatchResultWithPostInfo {
    Work::crank(RuntimeOrigin::signed(STRANGER), id)
}

fn crank(id: TaskId) -> Pays {
    try_crank(id).unwrap().pays_fee
}

/// What one empty look into the queue and then `steps` costs at most.
fn budget(ticks: u64, steps: u64, step: Weight) -> Weight {
    let per_step = step + <() as WeightInfo>::step_failed() + <() as WeightInfo>::agenda_tick();
    <() as WeightInfo>::agenda_start()
        + <() as WeightInfo>::agenda_tick() * ticks
        + per_step * steps
}

#[test]
fn a_block_takes_no_more_steps_than_it_can_pay_for_and_the_rest_follow() {
    ExtBuilder::execute(|| {
        let ids: Vec<_> = (0..5).map(|_| publish()).collect();
        let open = || ids.iter().filter(|id| phase(**id) == Phase::Open).count();
        pass_to(110);
        // Enough for two of the five that are due in tick 111, and a little more.
        let spare = Weight::from_parts(1, 1);
        MaxWork::set(budget(0, 2, <() as WeightInfo>::step_expire(0)) + spare);
        tick();
        assert_eq!(open(), 3);
        // The cursor waits with them.
        assert_eq!(AgendaCursor::<Test>::get(), 111);
        Work::do_try_state().unwrap();
        tick();
        assert_eq!(open(), 1);
        // What is left of a block serves the queue too.
        Work::on_idle(System::block_number(), Weight::MAX);
        assert_eq!(open(), 0);
        assert_eq!(AgendaCursor::<Test>::get(), now() + 1);
    });
}

#[test]
fn the_hooks_never_take_more_than_they_are_given() {
    ExtBuilder::execute(|| {
        let id = joined(&[ALICE]);
        pass_to(110);
        jump(111);
        let needed = budget(1, 1, <() as WeightInfo>::step_expire(1));
        for part in 0..20u64 {
            let limit = needed / 20 * part;
            let mut meter = WeightMeter::with_limit(limit);
            Work::on_poll(1, &mut meter);
            assert!(meter.consumed().all_lte(limit));
            assert!(Work::on_idle(1, limit).all_lte(limit));
            assert_eq!(phase(id), Phase::Open);
        }
        let mut meter = WeightMeter::with_limit(needed);
        Work::on_poll(1, &mut meter);
        assert_eq!(phase(id), Phase::Closed(Closure::Expired));
        assert!(meter.consumed().all_lte(needed));
    });
}

#[test]
fn a_crank_does_exactly_what_the_queue_does() {
    let run = |cranked: bool| {
        let mut outcome = None;
        ExtBuilder::execute(|| {
            let id = publish();
            script(|s| {
                s.rounds = vec![
                    (Tally::Split, vec![good(50), good(90)]),
                    (Tally::Consensus, vec![good(80), bad(Verdict::Malformed)]),
                ]
                .into()
            });
            committed(id, &[ALICE, BOB]);
            join(CAROL, id);
            let mut revealed = false;
            while Work::find(&id).is_ok() {
                if phase(id) == Phase::AnswerReveal && !revealed {
                    revealed = true;
                    reveal(ALICE, id);
                    reveal(BOB, id);
                }
                if cranked {
                    jump(now() + 1);
                    System::set_block_number(System::block_number() + 1);
                    if task(id).due <= now() {
                        assert_eq!(crank(id), Pays::No);
                    }
                } else {
                    tick();
                }
            }
            // The queue alone remembers how far it has come.
            AgendaCursor::<Test>::kill();
            let root = sp_io::storage::root(StateVersion::V1);
            outcome = Some((events(), root, now()));
        });
        outcome.unwrap()
    };
    let (by_hook, by_crank) = (run(false), run(true));
    assert_eq!(by_hook.0, by_crank.0);
    assert_eq!(by_hook.2, by_crank.2);
    assert_eq!(by_hook.1, by_crank.1);
}

#[test]
fn a_crank_before_its_time_is_refused_and_paid_for() {
    ExtBuilder::execute(|| {
        let id = publish();
        jump(110);
        let result = try_crank(id);
        assert_eq!(result.unwrap_err().post_info.pays_fee, Pays::Yes);
        assert_noop!(try_crank(id), Error::<Test>::NotDue);
        jump(111);
        assert_eq!(crank(id), Pays::No);
        // A draw is not repeated within a tick, so nobody can try for a panel it likes.
        assert_noop!(try_crank(id), Error::<Test>::NotDue);
    });
}

#[test]
fn a_crank_is_charged_for_what_it_did() {
    ExtBuilder::execute(|| {
        let id = publish();
        jump(111);
        let info = try_crank(id).unwrap();
        let actual = info.actual_weight.unwrap();
        assert!(actual.all_lt(Work::crank_weight()));
        let used = <() as WeightInfo>::step_expire(0);
        assert_eq!(actual, used + <() as WeightInfo>::agenda_tick());
    });
}

/// A count that nothing follows may have to close the task: that is its worst, not its price.
#[test]
fn a_last_count_is_charged_for_closing_the_task_only_when_it_does() {
    let mut rules = TaskRules::STANDARD;
    rules.judging.escalations = 0;
    let counted = <() as WeightInfo>::step_tally(1);
    for (tally, closure) in [
        (Tally::Consensus, None),
        (Tally::NoQuorum, Some(Closure::Unresolved)),
    ] {
        ExtBuilder::execute(|| {
            RULES.set(rules);
            let id = publish();
            next_round(tally, &[]);
            answered(id, &[ALICE]);
            end_phase(id);
            end_phase(id);
            assert_eq!(phase(id), Phase::VoteReveal);
            let (seats, worst) = (task(id).seats(), Work::step_weight(&task(id)));
            jump(task(id).due);
            let actual = try_crank(id).unwrap().actual_weight.unwrap();
            let used = match closure {
                None => counted,
                Some(_) => counted + <() as WeightInfo>::step_unresolve(1, seats),
            };
            assert_eq!(actual, used + <() as WeightInfo>::agenda_tick());
            assert!(worst.all_gt(used));
            assert_eq!(phase(id), closure.map_or(Phase::Challenge, Phase::Closed));
        });
    }
}

#[test]
fn draws_that_wait_for_their_seed_leave_the_block_to_others() {
    ExtBuilder::execute(|| {
        let ids: Vec<_> = (0..5).map(|_| publish()).collect();
        let miners = || ids.iter().zip(51..);
        miners().for_each(|(id, who)| committed(*id, &[who]));
        end_phase(ids[0]);
        miners().for_each(|(id, who)| reveal(who, *id));
        end_phase(ids[0]);
        assert!(ids.iter().all(|id| phase(*id) == Phase::PanelDraw));
        // Enough for two draws that look at all the candidates that there may be.
        MaxWork::set(budget(1, 2, <() as WeightInfo>::step_draw(MAX_CANDIDATES)));
        let drawn_in_a_block = |candidates| {
            script(|s| {
                s.requests.clear();
                s.draws = vec![Draw::Retry; 5].into();
                s.candidates = candidates;
            });
            tick();
            script(|s| s.requests.len())
        };
        assert_eq!(drawn_in_a_block(0), 5);
        assert_eq!(drawn_in_a_block(MAX_CANDIDATES), 2);
    });
}

#[test]
fn a_step_that_fails_blocks_nobody_and_is_tried_again() {
    ExtBuilder::execute(|| {
        let (broken, healthy) = (publish(), publish());
        script(|s| s.rounds = vec![(Tally::Consensus, vec![good(80)]); 2].into());
        for (who, id) in [(ALICE, broken), (BOB, healthy)] {
            committed(id, &[who]);
        }
        end_phase(broken);
        reveal(ALICE, broken);
        reveal(BOB, healthy);
        while phase(healthy) != Phase::Challenge {
            tick();
        }
        script(|s| s.broken.insert(broken));
        let due = task(broken).due;
        pass_to(due);
        assert_eq!(phase(healthy), Phase::Closed(Closure::Settled));
        assert_eq!(phase(broken), Phase::Challenge);
        let retry_at = due + 1;
        assert_event(Event::StepFailed {
            task: broken,
            phase: Phase::Challenge,
            retry_at,
        });
        // Nothing of the half-done settlement is left.
        assert_eq!(held(ALICE, HoldReason::AnswerStake), TOS);
        assert_eq!(
            Submissions::<Test>::get(broken, ALICE).unwrap().result,
            None
        );
        Work::do_try_state().unwrap();

        // It waits longer each time, but never longer than 64 ticks.
        let mut waits = vec![];
        for _ in 0..8 {
            let before = task(broken).due;
            pass_to(before);
            waits.push(task(broken).due - before);
        }
        assert_eq!(waits, vec![2, 4, 8, 16, 32, 64, 64, 64]);

        script(|s| s.broken.clear());
        end_phase(broken);
        assert_eq!(phase(broken), Phase::Closed(Closure::Settled));
        assert_eq!(task(broken).failures, 0);
    });
}

#[test]
fn a_crank_of_a_step_that_fails_is_paid_for_and_cannot_be_repeated_at_once() {
    ExtBuilder::execute(|| {
        let id = judged_task(&[ALICE], &[good(80)]);
        script(|s| s.broken.insert(id));
        jump(task(id).due);
        assert_eq!(crank(id), Pays::Yes);
        assert_noop!(try_crank(id), Error::<Test>::NotDue);
    });
}

#[test]
fn a_queue_that_was_late_gives_everyone_the_full_next_window() {
    ExtBuilder::execute(|| {
        let id = publish();
        committed(id, &[ALICE]);
        // Blocks were too full for the queue for a long time.
        jump(5_000);
        tick();
        assert_eq!(phase(id), Phase::AnswerReveal);
        assert_eq!(task(id).deadline, 5_001 + 20);
    });
}

#[test]
fn a_long_queue_of_empty_ticks_is_walked_within_the_limit() {
    ExtBuilder::execute(|| {
        let id = publish();
        tick();
        MaxWork::set(budget(10, 0, Weight::zero()));
        jump(150);
        tick();
        assert_eq!(AgendaCursor::<Test>::get(), 112 - 1);
        MaxWork::set(budget(100, 1, <() as WeightInfo>::step_expire(0)));
        tick();
        assert_eq!(phase(id), Phase::Closed(Closure::Expired));
    });
}

#[test]
fn time_that_stands_still_draws_no_second_panel() {
    ExtBuilder::execute(|| {
        answered_task(&[ALICE]);
        script(|s| s.draws = vec![Draw::Retry; 9].into());
        tick();
        for _ in 0..5 {
            // Crammed blocks: hooks run, the tick stays.
            Work::on_poll(1, &mut WeightMeter::new());
            Work::on_idle(1, Weight::MAX);
        }
        assert_eq!(script(|s| s.requests.len()), 1);
    });
}

#[test]
fn a_hundred_tasks_due_at_once_are_all_served() {
    ExtBuilder::execute(|| {
        publish_two_each(50);
        MaxWork::set(budget(2, 7, <() as WeightInfo>::step_expire(0)));
        pass_to(110);
        pass(20);
        assert_eq!(OpenTasks::<Test>::count(), 0);
        for by in 1..=50 {
            assert_eq!(free(by), ENDOWMENT);
        }
    });
}
