// SPDX-License-Identifier: Apache-2.0

//! Commitments to votes and their reveals.

use crate::mock::*;
use crate::{Error, Event, Stage, Vote, Votes};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use tos_interfaces::{Case, Rounds};
use tos_types::{commitment, vote::Ballot, AnswerScore, Report, Verdict, MAX_PARTICIPANTS};

#[test]
fn each_phase_ends_with_the_last_act_of_it_and_not_before() {
    test(|| {
        open();
        for who in 1..=5 {
            run(1);
            assert_eq!(docket().stage, Stage::Commit, "{who}");
            commit(who, &flat(60));
            let event = Event::VoteCommitted {
                case: CASE,
                round: 0,
                who,
            };
            System::assert_last_event(event.into());
        }
        for who in 1..=5 {
            run(1);
            assert_eq!(docket().stage, Stage::Reveal, "{who}");
            reveal(who, &flat(60));
            let stored = Vote {
                ballot: flat(60),
                report: None,
            };
            assert_eq!(Votes::<Test>::get((CASE, 0, who)), Some(stored));
        }
        run(1);
        assert_eq!(docket().stage, Stage::Stands);
    });
}

#[test]
fn the_reveals_wait_only_for_those_that_committed() {
    test(|| {
        open();
        (1..=3).for_each(|who| commit(who, &flat(10)));
        run_to(61);
        reveal(3, &flat(10));
        reveal(1, &flat(10));
        run(1);
        assert_eq!(docket().stage, Stage::Reveal);
        reveal(2, &flat(10));
        run(1);
        assert_eq!(docket().stage, Stage::Stands);
    });
}

#[test]
fn an_account_votes_once_for_all_its_seats() {
    test(|| {
        assert_ok!(Panels::open(case()));
        draw(&[(1, 3), (2, 1), (3, 1)]);
        commit(1, &flat(90));
        assert_noop!(
            Panels::commit_vote(origin(1), CASE, [1; 32]),
            Error::<Test>::AlreadyCommitted
        );
        commit(2, &flat(10));
        commit(3, &flat(10));
        run(1);
        reveal(1, &flat(90));
        assert_noop!(
            try_reveal(1, &flat(90), None),
            Error::<Test>::AlreadyRevealed
        );
        reveal(2, &flat(10));
        reveal(3, &flat(10));
        run(1);
        assert_eq!(standing().answers[0].quality, 90);
    });
}

#[test]
fn commitments_are_refused_from_others_twice_and_at_the_wrong_time() {
    test(|| {
        let commit_vote = |who| Panels::commit_vote(origin(who), CASE, [1; 32]);
        assert_noop!(commit_vote(1), Error::<Test>::UnknownCase);
        assert_ok!(Panels::open(case()));
        assert_noop!(commit_vote(1), Error::<Test>::NoVoteNow);
        draw(&[(1, 1), (2, 2), (3, 2)]);
        assert_noop!(commit_vote(6), Error::<Test>::NotOnPanel);
        assert_ok!(commit_vote(1));
        assert_noop!(commit_vote(1), Error::<Test>::AlreadyCommitted);
        // The deadline counts, also where the queue is behind.
        TestClock::set(60);
        assert_ok!(commit_vote(2));
        TestClock::set(61);
        assert_noop!(commit_vote(3), Error::<Test>::NoVoteNow);
        run(2);
        assert_eq!(docket().stage, Stage::Reveal);
        assert_noop!(commit_vote(3), Error::<Test>::NoVoteNow);
    });
}

#[test]
fn reveals_are_refused_each_with_its_own_error() {
    test(|| {
        open();
        (1..=4).for_each(|who| commit(who, &flat(40)));
        assert_noop!(try_reveal(1, &flat(40), None), Error::<Test>::NoVoteNow);
        run_to(61);
        let refused = |who, ballot: &Ballot, error: Error<Test>| {
            assert_noop!(try_reveal(who, ballot, None), error);
        };
        refused(50, &flat(40), Error::NotOnPanel);
        refused(5, &flat(40), Error::NotCommitted);
        refused(1, &ballot(&[score(40); 2]), Error::WrongScoreCount);
        refused(1, &ballot(&[score(40); 4]), Error::WrongScoreCount);
        refused(1, &flat(41), Error::WrongPreimage);
        refused(1, &UNJUDGEABLE, Error::WrongPreimage);
        assert_noop!(
            Panels::reveal_vote(origin(1), CASE, flat(40), None, [0; 32]),
            Error::<Test>::WrongPreimage
        );
        reveal(1, &flat(40));
        refused(1, &flat(40), Error::AlreadyRevealed);
        TestClock::set(92);
        refused(2, &flat(40), Error::NoVoteNow);
    });
}

#[test]
fn what_is_out_of_range_cannot_be_revealed_even_when_committed_to() {
    test(|| {
        open();
        let too_good = flat(101);
        let too_new = ballot(
            &[AnswerScore {
                innovation: 101,
                ..score(50)
            }; 3],
        );
        let copied = ballot(&[verdict(Verdict::Plagiarised); 3]);
        let report = Report {
            output: [1; 32],
            failed: 0,
        };
        commit(1, &too_good);
        commit(2, &too_new);
        commit(3, &copied);
        commit_with(4, &flat(50), Some(report));
        commit(5, &flat(100));
        run(1);
        assert_noop!(
            try_reveal(1, &too_good, None),
            Error::<Test>::ScoreOutOfRange
        );
        assert_noop!(
            try_reveal(2, &too_new, None),
            Error::<Test>::ScoreOutOfRange
        );
        assert_noop!(try_reveal(3, &copied, None), Error::<Test>::VerdictNotTaken);
        assert_noop!(
            try_reveal(4, &flat(50), Some(report)),
            Error::<Test>::ReportNotWanted
        );
        reveal(5, &flat(100));
    });
}

#[test]
fn inline_content_cannot_be_called_unavailable_and_other_content_can() {
    test(|| {
        // The first and the third answer are inline.
        open_with(Case {
            inline: 0b101,
            ..case()
        });
        let missing = |places: [bool; 3]| {
            ballot(&places.map(|missing| match missing {
                true => verdict(Verdict::Unavailable),
                false => score(60),
            }))
        };
        let ballots = [
            missing([true, false, false]),
            missing([false, true, true]),
            missing([false, true, false]),
            missing([false, true, false]),
            missing([false, true, false]),
        ];
        (1..)
            .zip(&ballots)
            .for_each(|(who, ballot)| commit(who, ballot));
        run(1);
        for who in 1..=2 {
            assert_noop!(
                try_reveal(who, &ballots[who as usize - 1], None),
                Error::<Test>::CannotBeUnavailable
            );
        }
        (3..=5).for_each(|who| reveal(who, &ballots[2]));
        run_to(60);
        // A vote that only calls content unavailable scores.
        assert_eq!(standing().answers[1].verdict, Verdict::Unavailable);
        assert_eq!(standing().answers[1].quality, 0);
        assert_eq!(standing().answers[0].quality, 60);
    });
}

#[test]
fn a_copied_commitment_opens_for_no_account_but_its_author() {
    test(|| {
        open();
        let made = commitment::ballot(&CASE, 0, &1u64, &flat(73), None, &salt(1));
        assert_ok!(Panels::commit_vote(origin(1), CASE, made));
        assert_ok!(Panels::commit_vote(origin(2), CASE, made));
        (3..=5).for_each(|who| commit(who, &flat(50)));
        run(1);
        reveal(1, &flat(73));
        // The thief now knows the ballot and the salt, and still cannot use them.
        assert_noop!(
            Panels::reveal_vote(origin(2), CASE, flat(73), None, salt(1)),
            Error::<Test>::WrongPreimage
        );
    });
}

#[test]
fn a_commitment_of_one_round_does_not_open_in_the_next() {
    test(|| {
        open();
        let old = commitment::ballot(&CASE, 0, &1u64, &flat(50), None, &salt(1));
        play(&[]);
        draw(&[(1, 5)]);
        assert_ok!(Panels::commit_vote(origin(1), CASE, old));
        run(1);
        assert_noop!(try_reveal(1, &flat(50), None), Error::<Test>::WrongPreimage);
    });
}

#[test]
fn a_vote_that_comes_after_its_round_was_dropped_is_told_so() {
    test(|| {
        open();
        play(&[]);
        assert_noop!(
            Panels::commit_vote(origin(1), CASE, [1; 32]),
            Error::<Test>::RoundDropped
        );
        assert_noop!(try_reveal(1, &flat(50), None), Error::<Test>::RoundDropped);
        // The next panel is another one.
        draw(&[(6, 5)]);
        assert_noop!(
            Panels::commit_vote(origin(1), CASE, [1; 32]),
            Error::<Test>::NotOnPanel
        );
    });
}

#[test]
fn a_vote_scores_as_many_answers_as_a_case_can_have() {
    test(|| {
        open_with(Case {
            answers: MAX_PARTICIPANTS,
            ..case()
        });
        let wide = ballot(&[score(100); 32]);
        (1..=5).for_each(|who| commit(who, &wide));
        run(1);
        (1..=5).for_each(|who| reveal(who, &wide));
        run(1);
        assert_eq!(standing().answers.len(), 32);
    });
}

#[test]
fn the_interface_says_who_revealed_what_with_how_many_seats() {
    use tos_types::rounds::Say;
    test(|| {
        assert!(Panels::revealed_seats(&CASE, Say::Scores).is_empty());
        assert_ok!(Panels::open(case()));
        draw(&[(4, 2), (2, 1), (3, 1), (1, 1)]);
        play(&[
            (1, Act::Full(UNJUDGEABLE)),
            (2, full(60)),
            (3, Act::Hidden),
            (4, full(60)),
        ]);
        assert_eq!(Panels::revealed_seats(&CASE, Say::Scores), [(4, 2), (2, 1)]);
        assert_eq!(Panels::revealed_seats(&CASE, Say::Unjudgeable), [(1, 1)]);
    });
}
