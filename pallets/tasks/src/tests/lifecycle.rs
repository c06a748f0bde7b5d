// SPDX-License-Identifier: Apache-2.0

//! The way from phase to phase, and every way out.

use super::*;
use frame_support::assert_noop;
use tos_interfaces::{Draw, TaskPhases, VotingStage};

fn phases(id: TaskId) -> Vec<(Phase, u32)> {
    Timeline::<Test>::get(id)
        .into_iter()
        .map(|entry| (entry.phase, entry.round))
        .collect()
}

/// Scripts what the next rounds give.
fn rounds(list: &[(Tally, u8)]) {
    script(|s| {
        s.rounds = list
            .iter()
            .map(|(t, q)| (*t, vec![good(*q), good(*q)]))
            .collect()
    });
}

#[test]
fn a_task_goes_from_publication_to_settlement_by_itself() {
    ExtBuilder::execute(|| {
        let id = judged_task(&[ALICE, BOB], &[good(80), good(60)]);
        assert_eq!(finish(id), Closure::Settled);
        let expected = [
            Phase::Open,
            Phase::AnswerReveal,
            Phase::PanelDraw,
            Phase::VoteCommit,
            Phase::VoteReveal,
            Phase::Challenge,
            Phase::Closed(Closure::Settled),
        ];
        assert_eq!(phases(id), expected.map(|phase| (phase, 0)).to_vec());
        let ticks: Vec<_> = Timeline::<Test>::get(id)
            .iter()
            .map(|entry| entry.tick)
            .collect();
        // Everybody revealed, so the reveal phase (111 to 131) ends one tick later.
        assert_eq!(ticks, vec![100, 111, 112, 113, 144, 165, 172]);
        let settled = script(|s| s.settled.clone());
        assert_eq!(settled.len(), 1);
        assert_eq!(settled[0].answers[0].0, ALICE);
        assert_eq!(settled[0].judges, vec![(JUDGE, 9_000)]);
        assert_eq!(script(|s| s.concluded.clone()), vec![(id, true)]);
    });
}

#[test]
fn every_phase_change_can_be_rebuilt_from_events() {
    ExtBuilder::execute(|| {
        let id = judged_task(&[ALICE], &[good(80)]);
        finish(id);
        let told: Vec<_> = events()
            .into_iter()
            .filter_map(|event| match event {
                Event::PhaseChanged {
                    from, to, round, ..
                } => Some((from, to, round)),
                _ => None,
            })
            .collect();
        let stored = phases(id);
        let expected: Vec<_> = stored
            .windows(2)
            .map(|pair| (pair[0].0, pair[1].0, pair[1].1))
            .collect();
        assert_eq!(told, expected);
    });
}

#[test]
fn the_open_window_ends_early_only_when_all_places_are_taken_and_all_committed() {
    ExtBuilder::execute(|| {
        let id = publish_with(|offer| offer.places = 2);
        committed(id, &[ALICE]);
        tick();
        assert_eq!(phase(id), Phase::Open);
        join(BOB, id);
        tick();
        assert_eq!(phase(id), Phase::Open);
        commit(BOB, id);
        assert_eq!(phase(id), Phase::Open);
        tick();
        assert_eq!(phase(id), Phase::AnswerReveal);
    });
}

#[test]
fn the_reveal_window_ends_early_when_everyone_has_revealed() {
    ExtBuilder::execute(|| {
        let id = publish();
        committed(id, &[ALICE, BOB]);
        join(CAROL, id);
        end_phase(id);
        reveal(BOB, id);
        tick();
        assert_eq!(phase(id), Phase::AnswerReveal);
        reveal(ALICE, id);
        tick();
        assert_eq!(phase(id), Phase::PanelDraw);
    });
}

#[test]
fn the_panel_ends_its_phases_early() {
    ExtBuilder::execute(|| {
        let id = answered_task(&[ALICE]);
        let next_after_completion = |next: Phase| {
            Work::phase_complete(&id);
            tick();
            assert_eq!(phase(id), next);
        };
        next_after_completion(Phase::VoteCommit);
        assert_eq!(Work::stage(&id), Some(VotingStage::Commit { round: 0 }));
        next_after_completion(Phase::VoteReveal);
        assert_eq!(Work::stage(&id), Some(VotingStage::Reveal { round: 0 }));
        Work::phase_complete(&id);
        next_after_completion(Phase::Challenge);
        // Nobody can cut the challenge window short.
        next_after_completion(Phase::Challenge);
        assert_eq!(Work::stage(&id), None);
    });
}

#[test]
fn votes_are_taken_up_to_the_deadline_and_not_after() {
    ExtBuilder::execute(|| {
        let id = answered_task(&[ALICE]);
        end_phase(id);
        let deadline = Work::deadline(&id).unwrap();
        jump(deadline);
        assert_eq!(Work::stage(&id), Some(VotingStage::Commit { round: 0 }));
        jump(deadline + 1);
        assert_eq!(Work::stage(&id), None);
    });
}

#[test]
fn nobody_waits_for_the_reveals_of_a_silent_panel() {
    ExtBuilder::execute(|| {
        let id = answered_task(&[ALICE]);
        script(|s| {
            s.silent = true;
            s.rounds.push_back((Tally::NoQuorum, vec![]));
        });
        end_phase(id);
        end_phase(id);
        assert_eq!(phase(id), Phase::VoteReveal);
        tick();
        assert_eq!((phase(id), task(id).round), (Phase::PanelDraw, 1));
    });
}

#[test]
fn the_panel_is_never_drawn_in_the_block_that_ends_the_reveals() {
    ExtBuilder::execute(|| {
        answered_task(&[ALICE]);
        assert!(script(|s| s.requests.is_empty()));
        tick();
        let request = script(|s| s.requests[0].clone());
        assert_eq!((request.round, request.size, request.expert), (0, 3, false));
        assert_eq!((request.submitters, request.answers), (vec![ALICE], 1));
        assert_eq!(request.publisher, PUBLISHER);
    });
}

/// Declarations of judges count as of then, in every round.
#[test]
fn every_panel_is_asked_for_as_of_the_publication() {
    ExtBuilder::execute(|| {
        let published = now();
        let id = publish();
        rounds(&[(Tally::Split, 30), (Tally::Consensus, 70)]);
        pass(3);
        answered(id, &[ALICE]);
        voted(id);
        voted(id);
        let asked = script(|s| s.requests.clone());
        assert_eq!(asked.len(), 2);
        assert!(asked.iter().all(|request| request.since == published));
    });
}

#[test]
fn hard_or_valuable_tasks_want_experts_from_the_start() {
    for (difficulty, reward, size, expert) in [
        (Difficulty::Advanced, 200 * TOS, 7, false),
        (Difficulty::Expert, 200 * TOS, 9, true),
        (Difficulty::Expert, 500 * TOS, 9, true),
    ] {
        ExtBuilder::execute(|| {
            let id = Offer {
                difficulty,
                reward,
                ..Offer::default()
            }
            .id();
            answered(id, &[ALICE]);
            tick();
            let request = script(|s| s.requests[0].clone());
            assert_eq!((request.size, request.expert), (size, expert));
        });
    }
}

#[test]
fn a_draw_in_vain_is_tried_again_every_tick_until_its_window_ends() {
    ExtBuilder::execute(|| {
        let id = answered_task(&[ALICE]);
        script(|s| s.draws = vec![Draw::Retry; 3].into());
        pass(3);
        assert_eq!(phase(id), Phase::PanelDraw);
        tick();
        assert_eq!(phase(id), Phase::VoteCommit);
        assert_eq!(script(|s| s.requests.len()), 4);
    });
}

#[test]
fn without_a_panel_everybody_gets_its_own_back() {
    ExtBuilder::execute(|| {
        let id = answered_task(&[ALICE, BOB]);
        script(|s| s.draws = vec![Draw::Retry; 100].into());
        let deadline = task(id).deadline;
        pass_to(deadline);
        assert_eq!(phase(id), Phase::PanelDraw);
        tick();
        assert_eq!(phase(id), Phase::Closed(Closure::Unresolved));
        for who in [PUBLISHER, ALICE, BOB] {
            assert_eq!(free(who), ENDOWMENT);
        }
        assert_eq!(
            script(|s| s.finished.clone()),
            vec![(ALICE, true), (BOB, true)]
        );
        assert!(script(|s| s.recorded.is_empty()));
        assert_eq!(script(|s| s.concluded.clone()), vec![(id, false)]);
        assert_eq!(script(|s| s.requests.len()), 10);
    });
}

#[test]
fn a_split_escalates_twice_to_bigger_expert_panels_and_then_stands() {
    ExtBuilder::execute(|| {
        let id = publish();
        rounds(&[(Tally::Split, 30), (Tally::NoQuorum, 0), (Tally::Split, 70)]);
        answered(id, &[ALICE, BOB]);
        for round in 0..3 {
            assert_eq!(task(id).round, round);
            voted(id);
        }
        assert_eq!(phase(id), Phase::Challenge);
        let asked: Vec<_> = script(|s| {
            s.requests
                .iter()
                .map(|r| (r.round, r.size, r.expert))
                .collect()
        });
        assert_eq!(asked, vec![(0, 3, false), (1, 5, true), (2, 7, true)]);
        assert_event(Event::RoundTallied {
            task: id,
            round: 1,
            tally: Tally::NoQuorum,
        });
        assert_eq!(finish(id), Closure::Settled);
        assert_eq!(script(|s| s.settled[0].answers[0].1.quality), 70);
    });
}

#[test]
fn consensus_ends_the_escalation() {
    ExtBuilder::execute(|| {
        let id = publish();
        rounds(&[(Tally::Split, 30), (Tally::Consensus, 60)]);
        answered(id, &[ALICE, BOB]);
        voted(id);
        voted(id);
        assert_eq!(phase(id), Phase::Challenge);
    });
}

#[test]
fn without_a_last_quorum_the_latest_round_that_had_one_stands() {
    ExtBuilder::execute(|| {
        let id = publish();
        rounds(&[
            (Tally::Split, 40),
            (Tally::NoQuorum, 0),
            (Tally::NoQuorum, 0),
        ]);
        answered(id, &[ALICE, BOB]);
        (0..3).for_each(|_| voted(id));
        assert_eq!(phase(id), Phase::Challenge);
        finish(id);
        assert_eq!(script(|s| s.settled[0].answers[0].1.quality), 40);
    });
}

#[test]
fn an_escalated_round_without_a_panel_leaves_the_earlier_result() {
    ExtBuilder::execute(|| {
        let id = publish();
        rounds(&[(Tally::Split, 40)]);
        answered(id, &[ALICE, BOB]);
        voted(id);
        script(|s| s.draws = vec![Draw::Retry; 100].into());
        pass_to(task(id).deadline + 1);
        assert_eq!(phase(id), Phase::Challenge);
    });
}

#[test]
fn without_any_quorum_the_task_is_unresolved() {
    ExtBuilder::execute(|| {
        let id = publish();
        rounds(&[(Tally::NoQuorum, 0); 3]);
        answered(id, &[ALICE, BOB]);
        (0..3).for_each(|_| voted(id));
        assert_eq!(phase(id), Phase::Closed(Closure::Unresolved));
        assert_eq!(free(PUBLISHER), ENDOWMENT);
    });
}

#[test]
fn a_task_nobody_joins_expires_at_no_cost() {
    ExtBuilder::execute(|| {
        let id = publish();
        assert_eq!(finish(id), Closure::Expired);
        assert_eq!(free(PUBLISHER), ENDOWMENT);
        assert!(OpenTasks::<Test>::iter().next().is_none());
    });
}

#[test]
fn a_challenge_that_moves_a_quality_by_more_than_fifteen_is_upheld() {
    for (after, upheld) in [(55u8, false), (56, true), (25, false), (24, true)] {
        ExtBuilder::execute(|| {
            let id = judged_task(&[ALICE, BOB], &[good(80), good(40)]);
            let bond = TOS / 2;
            challenge(BOB, id);
            assert_eq!(held(BOB, HoldReason::ChallengeBond), bond);
            next_round(Tally::Split, &[good(80), good(after)]);
            voted(id);
            let decided = Event::ChallengeDecided {
                task: id,
                upheld,
                bond_released: upheld,
            };
            assert_event(decided);
            assert_eq!(held(BOB, HoldReason::ChallengeBond), 0);
            let stake = TOS;
            let expected = ENDOWMENT - stake - if upheld { 0 } else { bond };
            assert_eq!(free(BOB), expected);
            assert_eq!(free(TREASURY), TOS + if upheld { 0 } else { bond });
            // No second challenge window.
            assert_noop!(
                Work::challenge(RuntimeOrigin::signed(PUBLISHER), id),
                Error::<Test>::AlreadyChallenged
            );
            tick();
            assert_eq!(phase(id), Phase::Closed(Closure::Settled));
            assert_eq!(script(|s| s.settled[0].answers[1].1.quality), after);
        });
    }
}

#[test]
fn a_challenge_that_changes_a_verdict_is_upheld() {
    ExtBuilder::execute(|| {
        let id = judged_task(&[ALICE, BOB], &[good(10), good(40)]);
        challenge(PUBLISHER, id);
        let plagiarised = bad(Verdict::Plagiarised);
        next_round(Tally::Consensus, &[plagiarised, good(40)]);
        voted(id);
        assert_event(Event::ChallengeDecided {
            task: id,
            upheld: true,
            bond_released: true,
        });
    });
}

#[test]
fn a_challenge_round_without_quorum_or_panel_costs_nothing_and_changes_nothing() {
    for no_panel in [false, true] {
        ExtBuilder::execute(|| {
            let id = judged_task(&[ALICE, BOB], &[good(80), good(40)]);
            challenge(BOB, id);
            if no_panel {
                script(|s| s.draws = vec![Draw::Retry; 100].into());
            } else {
                next_round(Tally::NoQuorum, &[]);
            }
            finish(id);
            assert_event(Event::ChallengeDecided {
                task: id,
                upheld: false,
                bond_released: true,
            });
            assert_eq!(phase(id), Phase::Closed(Closure::Settled));
            assert_eq!(script(|s| s.settled[0].answers[1].1.quality), 40);
            assert_eq!(free(BOB), ENDOWMENT);
        });
    }
}

#[test]
fn the_challenge_round_is_one_more_after_all_escalations() {
    ExtBuilder::execute(|| {
        let expert = Difficulty::Expert;
        let id = Offer {
            difficulty: expert,
            reward: 300 * TOS,
            ..Offer::default()
        }
        .id();
        rounds(&[
            (Tally::Split, 30),
            (Tally::Split, 40),
            (Tally::Split, 50),
            (Tally::Split, 60),
        ]);
        answered(id, &[ALICE, BOB]);
        (0..3).for_each(|_| voted(id));
        challenge(ALICE, id);
        voted(id);
        finish(id);
        let last = script(|s| s.requests.last().cloned()).unwrap();
        assert_eq!((last.round, last.size), (3, tos_types::MAX_PANEL));
        assert_eq!(script(|s| s.requests.len()), 4);
    });
}

#[test]
fn who_builds_the_block_of_a_challenge_does_not_know_its_panel() {
    ExtBuilder::execute(|| {
        let id = judged_task(&[ALICE], &[good(80)]);
        let drawn = script(|s| s.requests.len());
        challenge(ALICE, id);
        tick();
        assert_eq!(script(|s| s.requests.len()), drawn);
        tick();
        assert_eq!(script(|s| s.requests.len()), drawn + 1);
    });
}

#[test]
fn only_parties_challenge_and_only_in_time() {
    ExtBuilder::execute(|| {
        let id = joined(&[CAROL]);
        judged(id, &[ALICE], &[good(80)]);
        let try_challenge = |who| Work::challenge(RuntimeOrigin::signed(who), id);
        assert_noop!(try_challenge(STRANGER), Error::<Test>::NotAParty);
        // Joined, but gave no answer that was judged.
        assert_noop!(try_challenge(CAROL), Error::<Test>::NotAParty);
        let all = free(ALICE) - ED;
        assert_ok!(Balances::transfer_keep_alive(
            RuntimeOrigin::signed(ALICE),
            BOB,
            all
        ));
        assert_noop!(try_challenge(ALICE), Error::<Test>::InsufficientFunds);
        jump(task(id).deadline + 1);
        assert_noop!(try_challenge(PUBLISHER), Error::<Test>::NotChallengeable);
    });
}

#[test]
fn a_result_that_does_not_fit_the_answers_is_not_paid_by() {
    ExtBuilder::execute(|| {
        let id = judged_task(&[ALICE, BOB], &[good(80)]);
        assert_eq!(finish(id), Closure::Unresolved);
        assert_eq!(free(PUBLISHER), ENDOWMENT);
        assert!(script(|s| s.settled.is_empty()));
    });
}
