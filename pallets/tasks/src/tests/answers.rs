// SPDX-License-Identifier: Apache-2.0

//! Joining, committing and revealing.

use super::*;
use frame_support::assert_noop;
use sp_runtime::DispatchError;
use tos_types::{content::content_hash, join_error::JoinError, task::Certification};

fn try_join(who: u64, id: TaskId) -> DispatchResult {
    Work::join(RuntimeOrigin::signed(who), id)
}

fn publish_intermediate() -> TaskId {
    Offer {
        difficulty: Difficulty::Intermediate,
        reward: 20 * TOS,
        ..Offer::default()
    }
    .id()
}

/// The commitment of a miner that has committed.
fn commitment_of(who: u64, id: TaskId) -> Committed {
    let submission = Submissions::<Test>::get(id, who).unwrap();
    submission.commitment.unwrap()
}

#[test]
fn joining_holds_the_stake_of_ones_certification() {
    ExtBuilder::execute(|| {
        let id = publish_intermediate();
        script(|s| {
            s.certified.insert(ALICE, Certification::Unverified);
            s.certified.insert(BOB, Certification::Master);
        });
        join(ALICE, id);
        join(BOB, id);
        assert_eq!(held(ALICE, HoldReason::AnswerStake), 9 * TOS / 2);
        assert_eq!(held(BOB, HoldReason::AnswerStake), 6 * TOS / 5);
        assert_event(Event::Joined {
            task: id,
            miner: ALICE,
            stake: 9 * TOS / 2,
        });
    });
}

#[test]
fn nobody_joins_its_own_task_under_any_name() {
    ExtBuilder::execute(|| {
        let id = publish();
        // What was said after the publication too.
        script(|s| s.recused.insert((ALICE, PUBLISHER), now()));
        assert_noop!(try_join(PUBLISHER, id), Error::<Test>::OwnTask);
        assert_noop!(try_join(ALICE, id), Error::<Test>::OwnTask);
        // But no publisher chooses who may answer by what it declares itself.
        script(|s| s.recused.insert((PUBLISHER, BOB), 0));
        assert_ok!(try_join(BOB, id));
    });
}

#[test]
fn a_reputation_below_the_gate_is_refused() {
    ExtBuilder::execute(|| {
        let id = publish_intermediate();
        script(|s| s.reputation.insert(ALICE, 2_999));
        assert_noop!(try_join(ALICE, id), Error::<Test>::ReputationTooLow);
        script(|s| s.reputation.insert(ALICE, 3_000));
        assert_ok!(try_join(ALICE, id));
    });
}

#[test]
fn joining_asks_whether_the_miner_may_work_and_can_pay() {
    ExtBuilder::execute(|| {
        let id = publish();
        script(|s| s.refusals.insert(ALICE, JoinError::NotRegistered));
        assert_noop!(try_join(ALICE, id), DispatchError::Other("may not work"));
        assert_noop!(try_join(77, id), Error::<Test>::InsufficientStake);
    });
}

#[test]
fn places_are_limited_and_each_miner_takes_one() {
    ExtBuilder::execute(|| {
        let id = publish_with(|offer| offer.places = 2);
        join(ALICE, id);
        assert_noop!(try_join(ALICE, id), Error::<Test>::AlreadyJoined);
        join(BOB, id);
        assert_noop!(try_join(CAROL, id), Error::<Test>::TaskFull);
    });
}

#[test]
fn a_miner_is_in_three_tasks_at_most() {
    ExtBuilder::execute(|| {
        for _ in 0..3 {
            join(ALICE, publish());
        }
        let fourth = publish();
        assert_noop!(try_join(ALICE, fourth), Error::<Test>::TooManyTasks);
        assert_eq!(ActiveOf::<Test>::get(ALICE).len(), 3);
    });
}

#[test]
fn joining_and_committing_are_in_time_up_to_the_deadline_and_not_after() {
    ExtBuilder::execute(|| {
        let id = joined(&[ALICE]);
        jump(110);
        join(BOB, id);
        commit(ALICE, id);
        jump(111);
        assert_noop!(try_join(CAROL, id), Error::<Test>::NotOpen);
        assert_noop!(try_commit(BOB, id, &text(BOB)), Error::<Test>::NotOpen);
    });
}

#[test]
fn a_commitment_is_numbered_and_final() {
    ExtBuilder::execute(|| {
        let id = publish();
        assert_noop!(
            try_commit(ALICE, id, &text(ALICE)),
            Error::<Test>::NotJoined
        );
        join(ALICE, id);
        committed(id, &[BOB]);
        commit(ALICE, id);
        assert_noop!(
            try_commit(ALICE, id, b"a better answer"),
            Error::<Test>::AlreadyCommitted
        );
        let number = |who| commitment_of(who, id).number;
        assert_eq!((number(BOB), number(ALICE)), (0, 1));
    });
}

#[test]
fn only_what_was_committed_can_be_revealed() {
    ExtBuilder::execute(|| {
        let id = publish();
        committed(id, &[ALICE]);
        assert_noop!(
            try_reveal(ALICE, id, &text(ALICE)),
            Error::<Test>::NotInReveal
        );
        end_phase(id);
        let answer = ContentRef::inline(&text(ALICE)).unwrap();
        let hash = simhash(&text(ALICE));
        let open = |content: &ContentRef, simhash, salt| {
            Work::reveal(
                RuntimeOrigin::signed(ALICE),
                id,
                content.clone(),
                simhash,
                salt,
            )
        };
        let other = ContentRef::inline(b"a better answer").unwrap();
        assert_noop!(open(&other, hash, SALT), Error::<Test>::WrongPreimage);
        assert_noop!(open(&answer, hash, [0; 32]), Error::<Test>::WrongPreimage);
        // Else one could pass another's answer off as a copy once it is known.
        assert_noop!(open(&answer, hash ^ 1, SALT), Error::<Test>::WrongPreimage);
        let mut forged = answer.clone();
        forged.size += 1;
        assert_noop!(open(&forged, hash, SALT), Error::<Test>::ContentMismatch);
        assert_ok!(open(&answer, hash, SALT));
        assert_noop!(open(&answer, hash, SALT), Error::<Test>::AlreadyRevealed);
        assert_eq!(Contents::<Test>::get(id, ALICE), Some(answer));
    });
}

#[test]
fn a_copied_commitment_opens_to_nothing() {
    ExtBuilder::execute(|| {
        let id = joined(&[ALICE, BOB]);
        commit(ALICE, id);
        let copied = commitment_of(ALICE, id).hash;
        assert_ok!(Work::commit(RuntimeOrigin::signed(BOB), id, copied));
        end_phase(id);
        reveal(ALICE, id);
        assert_noop!(
            try_reveal(BOB, id, &text(ALICE)),
            Error::<Test>::WrongPreimage
        );
    });
}

#[test]
fn who_did_not_join_or_commit_has_nothing_to_reveal() {
    ExtBuilder::execute(|| {
        let id = publish();
        committed(id, &[ALICE]);
        join(BOB, id);
        end_phase(id);
        assert_noop!(
            try_reveal(CAROL, id, &text(CAROL)),
            Error::<Test>::NotJoined
        );
        assert_noop!(try_reveal(BOB, id, &text(BOB)), Error::<Test>::NotCommitted);
        jump(task(id).deadline + 1);
        assert_noop!(
            try_reveal(ALICE, id, &text(ALICE)),
            Error::<Test>::NotInReveal
        );
    });
}

#[test]
fn the_first_committer_wins_against_copies_whoever_reveals_first() {
    ExtBuilder::execute(|| {
        let id = publish();
        for who in [ALICE, BOB, CAROL] {
            join(who, id);
        }
        assert_ok!(try_commit(BOB, id, b"the same answer"));
        commit(ALICE, id);
        assert_ok!(try_commit(CAROL, id, b"the same answer"));
        end_phase(id);
        assert_ok!(try_reveal(CAROL, id, b"the same answer"));
        assert_ok!(try_reveal(BOB, id, b"the same answer"));
        reveal(ALICE, id);
        end_phase(id);
        assert_eq!(
            Answers::<Test>::get(id).into_inner(),
            vec![BOB, ALICE, CAROL]
        );
        let duplicate = |who| Submissions::<Test>::get(id, who).unwrap().duplicate;
        assert_eq!([BOB, ALICE, CAROL].map(duplicate), [false, false, true]);
        assert_event(Event::DuplicateFound {
            task: id,
            miner: CAROL,
            original: BOB,
        });
    });
}

#[test]
fn answers_within_three_bits_are_duplicates_and_four_bits_are_not() {
    for (bits, duplicate) in [(0b111u64, true), (0b1111, false)] {
        ExtBuilder::execute(|| {
            let id = publish();
            let base = 0xdead_beef_u64;
            for (who, fingerprint) in [(ALICE, base), (BOB, base ^ bits)] {
                join(who, id);
                let hash = content_hash(&text(who));
                let commitment = commitment::answer(&id, &who, &hash, fingerprint, &SALT);
                assert_ok!(Work::commit(RuntimeOrigin::signed(who), id, commitment));
            }
            end_phase(id);
            for (who, fingerprint) in [(ALICE, base), (BOB, base ^ bits)] {
                let content = ContentRef::inline(&text(who)).unwrap();
                let origin = RuntimeOrigin::signed(who);
                assert_ok!(Work::reveal(origin, id, content, fingerprint, SALT));
            }
            end_phase(id);
            assert_eq!(
                Submissions::<Test>::get(id, BOB).unwrap().duplicate,
                duplicate
            );
            assert!(!Submissions::<Test>::get(id, ALICE).unwrap().duplicate);
        });
    }
}

#[test]
fn equal_answers_all_count_where_the_right_one_is_the_same_for_everyone() {
    let both_commit = |text: &[u8]| {
        let id = publish_with(|offer| offer.params = logic());
        committed_alike(id, text);
        id
    };
    ExtBuilder::execute(|| {
        let id = both_commit(b"forty-two");
        // "forty-two" is nine bytes: an answer needs ten.
        assert_noop!(
            try_reveal(ALICE, id, b"forty-two"),
            Error::<Test>::ContentTooSmall
        );
    });
    ExtBuilder::execute(|| {
        let id = both_commit(b"it is forty-two");
        revealed_alike(id, b"it is forty-two");
        end_phase(id);
        assert!(!Submissions::<Test>::get(id, BOB).unwrap().duplicate);
    });
}
