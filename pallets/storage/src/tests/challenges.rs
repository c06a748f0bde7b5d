// SPDX-License-Identifier: Apache-2.0

//! Seal and window challenges: who pays when.

use crate::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};
use tos_types::{
    storage::{ChallengeKind, ReplicaStatus},
    ReplicaId, TOS,
};

/// The open seal challenge's seed and number of words, once the beacon has drawn it.
fn asked(world: &mut World, id: ReplicaId, kind: ChallengeKind) -> ([u8; 32], u32) {
    loop {
        let challenge = Challenges::<Test>::get(id, kind).unwrap();
        if let Some(seed) = challenge.seed {
            return (seed, challenge.words);
        }
        world.tick();
    }
}

#[test]
fn a_right_answer_wins_half_of_the_challengers_bond() {
    with_replica(|world, id| {
        let (alice, watcher) = (wealth(ALICE), wealth(WATCHER));
        let treasury = wealth(TREASURY);
        assert_ok!(Store::challenge_seal(by(WATCHER), id));
        assert_eq!(free(WATCHER), watcher - 10 * TOS);
        world.pass(DELAY + 3);
        assert_eq!(wealth(ALICE), alice + 5 * TOS);
        assert_eq!(wealth(WATCHER), watcher - 10 * TOS);
        assert_eq!(wealth(TREASURY), treasury + 5 * TOS);
        assert_eq!(status(id), ReplicaStatus::Active);
        assert_eq!(replica(id).challenges, 0);
    });
}

#[test]
fn no_answer_takes_all_collateral_half_of_it_to_the_challenger() {
    with_replica(|world, id| {
        world.windows(8);
        world.stop(ALICE, Idle::Challenges);
        let (watcher, treasury) = (wealth(WATCHER), wealth(TREASURY));
        let client = wealth(CLIENT);
        assert_ok!(Store::challenge_seal(by(WATCHER), id));
        world.pass(config().challenge_ticks + DELAY + 3);
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(wealth(WATCHER), watcher + 11 * TOS / 2);
        assert_eq!(wealth(TREASURY), treasury + 11 * TOS / 2);
        assert_eq!(provider(ALICE).bond, 4_989 * TOS);
        // What was earned is paid, the rest is the client's again.
        assert_eq!(wealth(CLIENT), client - deal_of(id).paid);
        assert!(deal_of(id).paid > 0);
        assert_eq!(replica(id).position, None);
    });
}

#[test]
fn a_signed_answer_with_wrong_data_loses_at_once() {
    run(|world| {
        // The provider committed to the coded bytes as they are, unsealed.
        let bytes = data(1, 5_000);
        let id = dealt(&bytes);
        let plain = coded(&bytes);
        assert_ok!(Store::commit_seal(by(ALICE), id, *plain.commitment()));
        let (seed, words) = asked(world, id, ChallengeKind::Seal);
        let answer = seal_answer(ALICE, id, &plain, &plain, &seed, words);
        let treasury = wealth(TREASURY);
        assert_ok!(send(crate::Call::respond_seal {
            answer: Box::new(answer)
        }));
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(wealth(TREASURY), treasury + 11 * TOS);
    });
}

#[test]
fn wrong_openings_and_signatures_are_refused_and_change_nothing() {
    run(|world| {
        world.stop(ALICE, Idle::Challenges);
        let bytes = data(1, 5_000);
        let deal = offer(CLIENT, &bytes, tos_types::storage::Retention::Days30);
        let id = world.seal(ALICE, deal, &bytes);
        let early = world.seal_answer(ALICE, id, &[1; 32], 2);
        assert_noop!(
            Store::respond_seal(by(ALICE), Box::new(early)),
            Error::<Test>::NothingAsked
        );
        let (seed, words) = asked(world, id, ChallengeKind::Seal);
        let good = world.seal_answer(ALICE, id, &seed, words);
        let by_bob = world.seal_answer(BOB, id, &seed, words);
        assert_noop!(
            Store::respond_seal(by(ALICE), Box::new(by_bob)),
            Error::<Test>::BadSignature
        );
        let mut altered = good.clone();
        altered.opening[3] ^= 1;
        assert_noop!(
            Store::respond_seal(by(ALICE), Box::new(altered)),
            Error::<Test>::BadSignature
        );
        let other = world.seal_answer(ALICE, id, &[9; 32], words);
        let payload = tos_types::storage::seal_payload(&CHAIN, &id, &seed, &other.opening);
        let other = tos_types::storage::SealAnswer {
            signature: sign(ALICE, &payload),
            ..other
        };
        assert_noop!(
            Store::respond_seal(by(ALICE), Box::new(other)),
            Error::<Test>::BadProof
        );
        let info = Store::respond_seal(by(STRANGER), Box::new(good.clone())).unwrap();
        assert_eq!(info.pays_fee, frame_support::dispatch::Pays::No);
        assert_eq!(status(id), ReplicaStatus::Active);
        assert_noop!(
            Store::respond_seal(by(ALICE), Box::new(good)),
            Error::<Test>::NothingAsked
        );
    });
}

#[test]
fn a_window_challenge_is_answered_with_leaf_path_and_words() {
    run(|world| {
        let ids = [world.active(ALICE, 1), world.active(ALICE, 2)];
        world.windows(4);
        let window = Folded::<Test>::get() - 1;
        let watcher = wealth(WATCHER);
        world.stop(ALICE, Idle::Challenges);
        assert_ok!(Store::challenge_window(by(WATCHER), ids[0], window));
        let good = world.window_answer(ALICE, ids[0], window);
        // The leaf of a neighbour, of another window, another path, another word.
        let mut wrong = good.clone();
        wrong.previous = [1; 32];
        wrong.signature = sign_window(ALICE, &wrong);
        assert_noop!(
            Store::respond_window(by(ALICE), Box::new(wrong)),
            Error::<Test>::BadProof
        );
        let mut wrong = good.clone();
        wrong.path = world.copies[&ids[1]].leaves[&window]
            .path
            .clone()
            .try_into()
            .unwrap();
        assert_noop!(
            Store::respond_window(by(ALICE), Box::new(wrong)),
            Error::<Test>::BadProof
        );
        let mut wrong = world.window_answer(ALICE, ids[0], window - 1);
        assert_noop!(
            Store::respond_window(by(ALICE), Box::new(wrong.clone())),
            Error::<Test>::NothingAsked
        );
        wrong.window = window;
        wrong.signature = sign_window(ALICE, &wrong);
        assert_noop!(
            Store::respond_window(by(ALICE), Box::new(wrong)),
            Error::<Test>::BadProof
        );
        let mut wrong = good.clone();
        wrong.proof[0] ^= 1;
        wrong.signature = sign_window(ALICE, &wrong);
        assert_noop!(
            Store::respond_window(by(ALICE), Box::new(wrong)),
            Error::<Test>::BadProof
        );
        assert_ok!(send(crate::Call::respond_window {
            answer: Box::new(good)
        }));
        assert_eq!(wealth(WATCHER), watcher - 10 * TOS);
        assert_eq!(status(ids[0]), ReplicaStatus::Active);
    });
}

fn sign_window(who: AccountId, answer: &tos_types::storage::WindowAnswer) -> [u8; 64] {
    let payload = tos_types::storage::window_payload(
        &CHAIN,
        &answer.replica,
        answer.window,
        &answer.previous,
        &answer.proof,
    );
    sign(who, &payload)
}

#[test]
fn a_root_over_nothing_cannot_be_defended() {
    with_replica(|world, id| {
        let (group, _) = replica(id).position.unwrap();
        world.stop(ALICE, Idle::Windows);
        let window = world.until_open();
        assert_ok!(send(submission(ALICE, window, group, [5; 32])));
        world.tick();
        let watcher = wealth(WATCHER);
        assert_ok!(Store::challenge_window(by(WATCHER), id, window));
        world.stop(ALICE, Idle::Challenges);
        world.go_on(ALICE, Idle::Windows);
        // Whatever Alice makes up afterwards does not lead to the root she signed.
        let root = world.group_root(group);
        assert_ne!(root, [5; 32]);
        let answer = world.window_answer(ALICE, id, window);
        assert_noop!(
            Store::respond_window(by(ALICE), Box::new(answer)),
            Error::<Test>::BadProof
        );
        world.pass(config().challenge_ticks + 1);
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(wealth(WATCHER), watcher + 11 * TOS / 2);
    });
}

#[test]
fn only_what_took_part_and_was_handed_in_can_be_challenged() {
    with_replica(|world, id| {
        let refused = |window, error: Error<Test>| {
            assert_noop!(Store::challenge_window(by(WATCHER), id, window), error);
        };
        let first = replica(id).first;
        world.windows(3);
        refused(Folded::<Test>::get() + 1, Error::WrongWindow);
        refused(first - 1, Error::NoSuchLeaf);
        let open = world.until_open();
        world.stop(ALICE, Idle::Windows);
        refused(open, Error::NoSuchLeaf);
        world.windows(1);
        refused(open, Error::NoSuchLeaf);
        world.go_on(ALICE, Idle::Windows);
        world.windows(u64::from(config().ring));
        refused(first, Error::WrongWindow);
    });
}

#[test]
fn a_pause_does_not_wipe_out_the_windows_before_it() {
    with_replica(|world, id| {
        world.windows(3);
        let proven = Folded::<Test>::get() - 1;
        assert_ok!(Store::pause(by(ALICE), id));
        let paused = Folded::<Test>::get();
        assert_ok!(Store::resume(by(ALICE), id));
        world.windows(3);
        let watcher = wealth(WATCHER);
        assert_ok!(Store::challenge_window(by(WATCHER), id, proven));
        world.tick();
        assert_eq!(wealth(WATCHER), watcher - 10 * TOS);
        assert_noop!(
            Store::challenge_window(by(WATCHER), id, paused),
            Error::<Test>::NoSuchLeaf
        );
        assert_eq!(status(id), ReplicaStatus::Active);
    });
}

#[test]
fn challenges_are_bounded_and_there_is_one_of_a_kind() {
    with_replica(|world, id| {
        world.windows(8);
        world.stop(ALICE, Idle::Challenges);
        assert_ok!(Store::challenge_seal(by(WATCHER), id));
        assert_noop!(
            Store::challenge_seal(by(STRANGER), id),
            Error::<Test>::AlreadyChallenged
        );
        let last = Folded::<Test>::get() - 1;
        for back in 0..3 {
            assert_ok!(Store::challenge_window(by(STRANGER), id, last - back));
        }
        assert_noop!(
            Store::challenge_window(by(WATCHER), id, last - 3),
            Error::<Test>::TooManyChallenges
        );
        // The first one that is lost returns the bonds of all others.
        let (watcher, stranger) = (wealth(WATCHER), wealth(STRANGER));
        world.pass(config().challenge_ticks + DELAY + 3);
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(Challenges::<Test>::iter().count(), 0);
        assert_eq!(
            wealth(WATCHER) + wealth(STRANGER),
            watcher + stranger + 11 * TOS / 2
        );
        assert_eq!(free(WATCHER), wealth(WATCHER));
        assert_eq!(free(STRANGER), wealth(STRANGER));
    });
}

#[test]
fn a_challenger_needs_the_bond() {
    with_replica(|_, id| {
        assert_noop!(
            Store::challenge_seal(by(7_777), id),
            Error::<Test>::InsufficientFunds
        );
    });
}

#[test]
fn nobody_escapes_a_challenge_by_leaving() {
    with_replica(|world, id| {
        world.windows(2);
        assert_ok!(Store::request_removal(by(ALICE), id));
        world.windows(1);
        world.stop(ALICE, Idle::Challenges);
        assert_ok!(Store::challenge_seal(by(WATCHER), id));
        let due = config().challenge_ticks + DELAY + 4;
        world.pass(due);
        assert_eq!(status(id), ReplicaStatus::Failed);
    });
}

#[test]
fn an_expired_request_is_replaced() {
    with_replica(|world, id| {
        assert_ok!(Store::challenge_seal(by(WATCHER), id));
        set_expired(true);
        world.pass(5);
        set_expired(false);
        assert_eq!(seal_challenge(id).seed, None);
        let alice = wealth(ALICE);
        world.pass(DELAY + 3);
        assert_eq!(wealth(ALICE), alice + 5 * TOS);
    });
}

#[test]
fn equivocation_is_punished_once_and_half_goes_to_the_reporter() {
    run(|world| {
        world.active(ALICE, 1);
        let window = Folded::<Test>::get();
        let evidence = |first: [u8; 32], second: [u8; 32], window| {
            Box::new(Equivocation {
                window,
                group: 0,
                first: signed_root(ALICE, window, 0, first),
                second: signed_root(ALICE, window, 0, second),
            })
        };
        let report = |evidence| Store::report_equivocation(by(WATCHER), evidence);
        assert_noop!(
            report(evidence([1; 32], [1; 32], window)),
            Error::<Test>::NoEquivocation
        );
        assert_noop!(
            report(evidence([1; 32], [2; 32], window + 1)),
            Error::<Test>::WrongWindow
        );
        let mut forged = evidence([1; 32], [2; 32], window);
        forged.second = signed_root(BOB, window, 0, [2; 32]);
        assert_noop!(report(forged), Error::<Test>::BadSignature);
        let (watcher, treasury) = (wealth(WATCHER), wealth(TREASURY));
        assert_ok!(report(evidence([1; 32], [2; 32], window)));
        assert_eq!(wealth(WATCHER), watcher + 500 * TOS);
        assert_eq!(wealth(TREASURY), treasury + 500 * TOS);
        assert_eq!(provider(ALICE).bond, 4_000 * TOS);
        assert_noop!(
            report(evidence([3; 32], [4; 32], window)),
            Error::<Test>::NoEquivocation
        );
        world.windows(u64::from(config().ring) + 1);
        assert_noop!(
            report(evidence([1; 32], [2; 32], window)),
            Error::<Test>::WrongWindow
        );
    });
}

#[test]
fn a_changed_key_still_convicts_and_a_bond_that_is_too_small_gives_what_there_is() {
    ExtBuilder::default().execute(|world| {
        world.provider(ALICE, 1_000 * TOS);
        world.active(ALICE, 1);
        world.windows(1);
        let window = Folded::<Test>::get() - 1;
        let evidence = |window| {
            Box::new(Equivocation {
                window,
                group: 0,
                first: signed_root(ALICE, window, 0, [1; 32]),
                second: signed_root(ALICE, window, 0, [2; 32]),
            })
        };
        let locator = b"http://a".to_vec().try_into().unwrap();
        assert_ok!(Store::set_provider(by(ALICE), pair(BOB).key(), locator));
        assert_ok!(Store::report_equivocation(by(WATCHER), evidence(window)));
        assert_eq!(provider(ALICE).bond, 0);
        // Collateral is still tied, but there is nothing left to lose.
        assert_eq!(provider(ALICE).tied, 11 * TOS);
        world.stop(ALICE, Idle::Windows);
        world.stop(ALICE, Idle::Audits);
        world.windows(3);
        assert_eq!(provider(ALICE).tied, 0);
        // Windows after the change are not hers by the old key: it may have been stolen.
        let later = Folded::<Test>::get();
        assert_noop!(
            Store::report_equivocation(by(WATCHER), evidence(later)),
            Error::<Test>::BadSignature
        );
    });
}

trait Key {
    fn key(&self) -> [u8; 32];
}

impl Key for sp_core::sr25519::Pair {
    fn key(&self) -> [u8; 32] {
        use sp_core::Pair;
        self.public().0
    }
}

#[test]
fn every_challenge_is_seen_whatever_else_is_on_record() {
    with_replica(|world, id| {
        let over = crowd(ALICE);
        assert_ok!(Store::challenge_seal(by(WATCHER), id));
        world.stop(ALICE, Idle::Challenges);
        let seen = |views: Vec<tos_views::ReplicaChallengeView<_>>| {
            let named = views.into_iter().map(|view| (view.replica, view.kind));
            named.collect::<Vec<_>>()
        };
        let all = seen(Store::challenges_of(&ALICE));
        assert_eq!(all, [(id, ChallengeKind::Seal)]);
        assert_eq!(seen(Store::challenges_page(&ALICE, None, 100)), all);
        let behind = Store::challenges_page(&ALICE, Some(all[0]), 100);
        assert_eq!(behind, []);
        disperse(ALICE, over);
        world.go_on(ALICE, Idle::Challenges);
        world.pass(20);
        assert_eq!(Store::challenges_of(&ALICE), []);
        assert_eq!(ChallengesOf::<Test>::iter_keys().count(), 0);
    });
}
