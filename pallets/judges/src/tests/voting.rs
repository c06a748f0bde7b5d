// SPDX-License-Identifier: Apache-2.0

//! Commitments to votes and their reveals.

use crate::mock::*;
use crate::{Ballot, Error, Event, Rounds, Scores, Votes};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use tos_interfaces::{Panels, VotingStage};
use tos_types::{commitment, AnswerScore, MAX_PARTICIPANTS};

fn outsider(members: &[u64]) -> u64 {
    (1..=9).find(|who| !members.contains(who)).unwrap()
}

/// Runs a test with the members of a panel of three that votes.
fn with_panel(test: impl FnOnce(Vec<u64>)) {
    ExtBuilder::judges(9).execute(|| test(open_round(0, 3)));
}

#[test]
fn a_full_round_of_votes_completes_each_phase_once() {
    with_panel(|members| {
        assert!(Judges::none_committed(&TASK));
        for (done, who) in members.iter().enumerate() {
            assert!(!Judges::all_committed(&TASK));
            assert_eq!(world(|w| w.completed.len()), 0, "after {done}");
            commit(*who, 0, &flat(60));
            let event = Event::VoteCommitted {
                task: TASK,
                round: 0,
                who: *who,
            };
            System::assert_last_event(event.into());
        }
        assert!(Judges::all_committed(&TASK) && !Judges::none_committed(&TASK));
        assert_eq!(world(|w| w.completed.len()), 1);

        set_stage(VotingStage::Reveal { round: 0 });
        for who in &members {
            assert!(!Judges::all_revealed(&TASK));
            assert_eq!(world(|w| w.completed.len()), 1);
            reveal(*who, &flat(60));
            assert_eq!(Votes::<Test>::get((TASK, 0, who)), Some(stored(flat(60))));
        }
        assert!(Judges::all_revealed(&TASK));
        assert_eq!(world(|w| w.completed.clone()), [TASK, TASK]);
    });
}

#[test]
fn the_reveal_phase_waits_only_for_those_who_committed() {
    with_panel(|members| {
        commit(members[0], 0, &flat(10));
        commit(members[2], 0, &flat(10));
        assert!(world(|w| w.completed.is_empty()));
        set_stage(VotingStage::Reveal { round: 0 });
        reveal(members[2], &flat(10));
        assert!(world(|w| w.completed.is_empty()));
        reveal(members[0], &flat(10));
        assert_eq!(world(|w| w.completed.len()), 1);
    });
}

#[test]
fn commitments_are_refused_from_others_twice_and_at_the_wrong_time() {
    ExtBuilder::judges(9).execute(|| {
        let commit_vote = |who| Judges::commit_vote(origin(who), TASK, [1; 32]);
        assert_noop!(commit_vote(1), Error::<Test>::NoVoteNow);
        let members = open_round(0, 3);
        let who = members[0];
        assert_noop!(commit_vote(50), Error::<Test>::NotJudge);
        assert_noop!(commit_vote(outsider(&members)), Error::<Test>::NotOnPanel);
        assert_noop!(
            Judges::commit_vote(origin(who), OTHER_TASK, [1; 32]),
            Error::<Test>::NoVoteNow
        );
        assert_ok!(commit_vote(who));
        assert_noop!(commit_vote(who), Error::<Test>::AlreadyCommitted);
        set_stage(VotingStage::Reveal { round: 0 });
        assert_noop!(commit_vote(members[1]), Error::<Test>::NoVoteNow);
    });
}

#[test]
fn reveals_are_refused_each_with_its_own_error() {
    with_panel(|members| {
        let (who, idle) = (members[0], members[1]);
        let scores = flat(40);
        commit(who, 0, &scores);
        let reveal_vote = |who, scores: &Scores, salt| {
            Judges::reveal_vote(origin(who), TASK, scores.clone(), None, salt)
        };
        let refused = |who, scores: &Scores, salt, error: Error<Test>| {
            assert_noop!(reveal_vote(who, scores, salt), error);
        };
        refused(who, &scores, salt(who), Error::NoVoteNow);
        set_stage(VotingStage::Reveal { round: 0 });
        refused(50, &scores, salt(50), Error::NotJudge);
        let other = outsider(&members);
        refused(other, &scores, salt(other), Error::NotOnPanel);
        refused(idle, &scores, salt(idle), Error::NotCommitted);

        let short: Scores = vec![score(40); 2].try_into().unwrap();
        let long: Scores = vec![score(40); 4].try_into().unwrap();
        refused(who, &short, salt(who), Error::WrongScoreCount);
        refused(who, &long, salt(who), Error::WrongScoreCount);
        refused(who, &flat(41), salt(who), Error::WrongPreimage);
        refused(who, &scores, [0; 32], Error::WrongPreimage);
        assert_ok!(reveal_vote(who, &scores, salt(who)));
        refused(who, &scores, salt(who), Error::AlreadyRevealed);
    });
}

#[test]
fn a_score_above_a_hundred_cannot_be_revealed_even_when_committed_to() {
    with_panel(|members| {
        let too_good = flat(101);
        let mut too_new = flat(50);
        too_new[2] = AnswerScore {
            innovation: 101,
            ..score(50)
        };
        commit(members[0], 0, &too_good);
        commit(members[1], 0, &too_new);
        commit(members[2], 0, &flat(100));
        set_stage(VotingStage::Reveal { round: 0 });
        for (who, scores) in [(members[0], too_good), (members[1], too_new)] {
            assert_noop!(
                Judges::reveal_vote(origin(who), TASK, scores, None, salt(who)),
                Error::<Test>::ScoreOutOfRange
            );
        }
        reveal(members[2], &flat(100));
    });
}

#[test]
fn a_copied_commitment_opens_for_nobody_but_its_author() {
    with_panel(|members| {
        let (author, thief) = (members[0], members[1]);
        let scores = flat(73);
        let commitment = commitment::vote(&TASK, 0, &author, &scores, None, &salt(author));
        assert_ok!(Judges::commit_vote(origin(author), TASK, commitment));
        assert_ok!(Judges::commit_vote(origin(thief), TASK, commitment));
        set_stage(VotingStage::Reveal { round: 0 });
        reveal(author, &scores);
        // The thief now knows the scores and the salt, and still cannot use them.
        assert_noop!(
            Judges::reveal_vote(origin(thief), TASK, scores, None, salt(author)),
            Error::<Test>::WrongPreimage
        );
    });
}

#[test]
fn a_commitment_of_one_round_does_not_open_in_the_next() {
    ExtBuilder::judges(3).execute(|| {
        let who = open_round(0, 3)[0];
        Judges::tally(&TASK);
        open_round(1, 3);
        let old = commitment::vote(&TASK, 0, &who, &flat(50), None, &salt(who));
        assert_ok!(Judges::commit_vote(origin(who), TASK, old));
        set_stage(VotingStage::Reveal { round: 1 });
        assert_noop!(
            Judges::reveal_vote(origin(who), TASK, flat(50), None, salt(who)),
            Error::<Test>::WrongPreimage
        );
    });
}

#[test]
fn only_the_current_panel_votes() {
    with_panel(|first| {
        Judges::tally(&TASK);
        open_round(1, 5);
        assert_noop!(
            Judges::commit_vote(origin(first[0]), TASK, [1; 32]),
            Error::<Test>::NotOnPanel
        );
    });
}

#[test]
fn a_judge_suspended_or_leaving_while_seated_may_finish_its_vote() {
    ExtBuilder::judges(3).execute(|| {
        let members = open_round(0, 3);
        world(|w| w.suspended.insert(members[0]));
        assert_ok!(Judges::leave(origin(members[1])));
        members.iter().for_each(|who| commit(*who, 0, &flat(30)));
        set_stage(VotingStage::Reveal { round: 0 });
        members.iter().for_each(|who| reveal(*who, &flat(30)));
        assert!(Judges::all_revealed(&TASK));
        let round = Rounds::<Test>::get(TASK, 0).unwrap();
        assert!(round.members.iter().all(|m| m.ballot == Ballot::Revealed));
    });
}

#[test]
fn a_vote_scores_as_many_answers_as_a_task_can_have() {
    ExtBuilder::judges(3).execute(|| {
        let wide = tos_interfaces::PanelRequest {
            answers: MAX_PARTICIPANTS,
            ..request(0, 3)
        };
        Judges::draw(&wide);
        set_stage(VotingStage::Commit { round: 0 });
        let scores: Scores = vec![score(100); 32].try_into().unwrap();
        (1..=3).for_each(|who| commit(who, 0, &scores));
        set_stage(VotingStage::Reveal { round: 0 });
        (1..=3).for_each(|who| reveal(who, &scores));
        Judges::tally(&TASK);
        assert_eq!(Judges::results(&TASK).len(), 32);
    });
}

#[test]
fn a_task_without_a_panel_has_nothing_to_wait_for() {
    ExtBuilder::default().execute(|| {
        assert!(!Judges::all_committed(&TASK));
        assert!(Judges::none_committed(&TASK));
        assert!(!Judges::all_revealed(&TASK));
        assert!(Judges::results(&TASK).is_empty());
        assert!(Judges::conclude(&TASK, TYPE, true).is_empty());
        Judges::forget(&TASK);
    });
}
