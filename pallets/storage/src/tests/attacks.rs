// SPDX-License-Identifier: Apache-2.0

//! The attacks on a network of stored data that this pallet must withstand, by their numbers in the list of
//! scenarios (A3 to A20): who tries what, and what it costs.

use crate::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};
use tos_storage_proofs::{replica_seed, Commitment, Layout, MemoryTree, TreeSource, CHUNK};
use tos_types::{
    storage::{ReplicaStatus, Retention, StoredContent},
    TOS,
};
use tos_views::{AuditView, SeedView};

/// A copy of which only the first `kept` chunks are still there; the rest reads as zeros, but all hashes
/// of the tree are kept: as cheap as cheating gets.
struct Partial<'a> {
    whole: &'a MemoryTree,
    kept: u64,
}

impl TreeSource for Partial<'_> {
    type Error = tos_storage_proofs::tree::OutOfRange;
    fn chunk(&self, chunk: u64) -> Result<[u8; CHUNK], Self::Error> {
        match chunk < self.kept {
            true => self.whole.chunk(chunk),
            false => Ok([0; CHUNK]),
        }
    }
    fn node(&self, level: u32, index: u64) -> Result<[u8; 32], Self::Error> {
        self.whole.node(level, index)
    }
}

#[test]
fn a3_a_provider_that_keeps_a_part_is_caught_within_few_audits_and_pays() {
    for (share, blocks) in [(90, 400), (75, 150), (49, 60)] {
        ExtBuilder::with(StorageConfig {
            audits_per_block: 1,
            audit_ticks: 2,
            ..config()
        })
        .run(|world| {
            let bytes = data(1, 100_000);
            let deal = offer(CLIENT, &bytes, Retention::Days30);
            let id = world.seal(ALICE, deal, &bytes);
            world.pass(DELAY + 2);
            world.stop(ALICE, Idle::Audits);
            let whole = world.copies[&id].sealed.clone();
            let chunks = whole.commitment().chunks();
            let partial = Partial {
                whole: &whole,
                kept: chunks * share / 100,
            };
            let mut passed = 0;
            for _ in 0..blocks {
                world.tick();
                for view in Store::open_audits_of(&ALICE) {
                    let proof = prove_audit(ALICE, &partial, whole.commitment(), &view).unwrap();
                    passed += u32::from(send_proof(&proof).is_ok());
                }
                if status(id) == ReplicaStatus::Failed {
                    break;
                }
            }
            // Two misses cost all of the collateral of a small replica.
            assert_eq!(status(id), ReplicaStatus::Failed, "{share} % kept");
            assert_eq!(provider(ALICE).bond, 4_989 * TOS);
            assert!(share < 60 || passed > 0, "the part that is kept is proven");
        });
    }
}

#[test]
fn a4_one_copy_does_not_serve_two_providers() {
    run(|world| {
        world.provider(BOB, 2_000 * TOS);
        let bytes = data(1, 5_000);
        let first = world.active(ALICE, 1);
        // Bob keeps nothing of his own: he commits to Alice's sealed bytes.
        let deal = offer(CLIENT, &bytes, Retention::BillingPeriods(10));
        let id = accepted(BOB, deal);
        let alices = world.copies[&first].sealed.clone();
        assert_ok!(Store::commit_seal(by(BOB), id, *alices.commitment()));
        world.pass(DELAY + 1);
        let challenge = seal_challenge(id);
        let seed = challenge.seed.unwrap();
        let answer = seal_answer(BOB, id, &coded(&bytes), &alices, &seed, challenge.words);
        assert_ok!(send(crate::Call::respond_seal {
            answer: Box::new(answer)
        }));
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(provider(BOB).bond, 1_989 * TOS);

        // Two honest copies of the same bytes differ, and one is no answer for the other.
        let deal = offer(CLIENT, &bytes, Retention::BillingPeriods(10));
        let bobs = world.seal(BOB, deal, &bytes);
        world.pass(DELAY + 2);
        assert_ne!(replica(first).sealed, replica(bobs).sealed);
        world.stop(BOB, Idle::Audits);
        world.pass(DELAY + 2);
        let view = Store::open_audits_of(&BOB)[0];
        let replay = prove_audit(BOB, &alices, alices.commitment(), &view).unwrap();
        assert_noop!(pay_for_proof(BOB, replay), Error::<Test>::BadProof);
    });
}

#[test]
fn a5_two_roots_for_one_window_cost_a_thousand() {
    with_replica(|world, id| {
        let (window, group, honest) = world.open_window(id);
        assert_ok!(send(submission(ALICE, window, group, honest)));
        // A second root does not replace the first, and shown to anybody it convicts.
        let second = signed_root(ALICE, window, group, [6; 32]);
        assert_noop!(
            Store::submit_group(by(ALICE), window, group, second),
            Error::<Test>::AlreadySubmitted
        );
        let evidence = Box::new(Equivocation {
            window,
            group,
            first: signed_root(ALICE, window, group, honest),
            second,
        });
        let watcher = wealth(WATCHER);
        assert_ok!(Store::report_equivocation(by(WATCHER), evidence));
        assert_eq!(wealth(WATCHER), watcher + 500 * TOS);
        assert_eq!(provider(ALICE).bond, 4_000 * TOS);
    });
}

#[test]
fn a6_future_stale_duplicate_and_unsigned_roots_are_refused_without_a_trace() {
    with_replica(|world, id| {
        let (window, group, root) = world.open_window(id);
        for wrong in [window - 1, window + 1, u64::MAX] {
            assert!(send(submission(ALICE, wrong, group, root)).is_err());
        }
        assert!(send(submission(STRANGER, window, group, root)).is_err());
        assert_eq!(
            GroupWindows::<Test>::get(window, group),
            GroupWindow::default()
        );
        assert_ok!(send(submission(ALICE, window, group, root)));
        assert!(send(submission(ALICE, window, group, root)).is_err());
    });
}

#[test]
fn a7_answering_some_challenges_and_ignoring_others_costs_each_that_is_ignored() {
    with_replica(|world, id| {
        world.windows(6);
        let streak = replica(id).run(Folded::<Test>::get());
        assert!(streak > 0);
        world.stop(ALICE, Idle::Audits);
        world.pass(1);
        let skipped = Audits::<Test>::iter_prefix(id).count();
        assert_eq!(skipped, 1);
        // All later ones are answered; the one that was ignored stays open.
        let moment = Audits::<Test>::iter_prefix(id).next().unwrap().0;
        for _ in 0..config().audit_ticks + 1 {
            world.pass(1);
            for view in Store::open_audits_of(&ALICE) {
                if view.moment != u64::from(moment) {
                    let proof = world.audit_proof(ALICE, &view).unwrap();
                    assert_ok!(send_proof(&proof));
                }
            }
        }
        assert_eq!(provider(ALICE).missed, 1);
        assert_eq!(provider(ALICE).bond, 4_990 * TOS);
        assert_eq!(
            replica(id).run(Folded::<Test>::get()),
            0,
            "the streak is over"
        );
    });
}

#[test]
fn a8_slowness_lowers_the_score_and_never_the_bond() {
    run(|world| {
        world.active(ALICE, 1);
        for (latency, score) in [(400, 2_500), (90, 10_000)] {
            let window = world.until_open();
            let SeedView(seed) = Store::window_view().seed.unwrap();
            for who in Store::committee(&seed, 0) {
                assert_ok!(Store::attest(by(who), window, 0, latency, 0));
            }
            world.windows(1);
            assert_eq!(Store::provider_view(&ALICE).unwrap().score, Some(score));
        }
        assert_eq!(provider(ALICE).bond, 5_000 * TOS);
    });
}

#[test]
fn a9_nothing_a_provider_does_after_committing_changes_what_it_is_asked() {
    let seeds = |meddle: bool| {
        let mut seeds = vec![];
        with_replica(|world, id| {
            world.stop(ALICE, Idle::Audits);
            for _ in 0..6 {
                if meddle {
                    // Everything it may do at will.
                    assert_ok!(Store::top_up(by(ALICE), TOS));
                    let locator = b"http://elsewhere".to_vec().try_into().unwrap();
                    let key = provider(ALICE).key;
                    assert_ok!(Store::set_provider(by(ALICE), key, locator));
                    offer(ALICE, &data(4, 100), Retention::Days30);
                }
                world.tick();
            }
            seeds = Audits::<Test>::iter_prefix_values(id)
                .map(|audit| audit.seed)
                .collect();
        });
        seeds.sort();
        seeds
    };
    let undisturbed = seeds(false);
    assert!(undisturbed.len() >= 4);
    assert_eq!(undisturbed, seeds(true));
}

#[test]
fn a9_a_request_is_made_after_the_commitment_is_fixed() {
    run(|world| {
        let bytes = data(1, 5_000);
        let deal = offer(CLIENT, &bytes, Retention::Days30);
        let id = world.seal(ALICE, deal, &bytes);
        // The seed of the block before the commitment is of no use.
        let challenge = seal_challenge(id);
        assert_eq!(
            u64::from(challenge.randomness.block),
            System::block_number()
        );
        assert_eq!(challenge.seed, None);
        world.stop(ALICE, Idle::Challenges);
        world.pass(DELAY + 1);
        let first = seal_challenge(id).seed;
        // A provider that could choose among sealed roots would be asked something else for each.
        let root = replica(id).sealed.unwrap().root;
        assert_ne!(first, Some(replica_seed(&[0; 32], &id.0, &root)));
        world.pass(2);
        let again = seal_challenge(id).seed;
        assert_eq!(first, again, "and it stays the same");
    });
}

#[test]
fn a11_mass_registration_costs_a_bond_each_and_what_is_over_is_cleaned_up() {
    run(|world| {
        let empty = StoredContent {
            length: 0,
            ..content(&[1])
        };
        let coded = *coded(&data(1, 100)).commitment();
        assert_noop!(
            Store::offer(by(CLIENT), empty, coded, terms(Retention::Days30)),
            Error::<Test>::ContentLength
        );
        let locator: tos_types::storage::Locator = b"x".to_vec().try_into().unwrap();
        assert_noop!(
            Store::register_provider(by(8_888), 1_000 * TOS, [1; 32], locator),
            Error::<Test>::InsufficientFunds
        );
        // An offer holds its price; nobody accepts; nothing remains.
        let before = free(CLIENT);
        for _ in 0..20 {
            offer(CLIENT, &data(1, 100), Retention::Days30);
        }
        assert!(free(CLIENT) < before);
        world.windows(u64::from(config().offer_ttl + config().retention_windows) + 3);
        assert_eq!(Deals::<Test>::count(), 0);
        assert_eq!(OpenDeals::<Test>::count(), 0);
        assert_eq!(Agenda::<Test>::iter().count(), 0);
        assert_eq!(free(CLIENT), before);
    });
}

#[test]
fn a12_blocks_crammed_full_move_no_deadline() {
    with_replica(|world, id| {
        world.stop(ALICE, Idle::Audits);
        world.tick();
        let open: Vec<_> = Audits::<Test>::iter_prefix(id).collect();
        assert!(!open.is_empty());
        let now = Store::now();
        for _ in 0..100 {
            tickless();
        }
        assert_eq!(Store::now(), now);
        for (moment, audit) in open {
            assert_eq!(Audits::<Test>::get(id, moment), Some(audit));
        }
        assert_eq!(provider(ALICE).missed, 0);
        world.go_on(ALICE, Idle::Audits);
        world.answer();
        world.pass(10);
        assert_eq!(provider(ALICE).missed, 0);
    });
}

#[test]
fn a15_a_provider_that_keeps_only_hashes_cannot_answer() {
    with_replica(|world, id| {
        world.stop(ALICE, Idle::Audits);
        world.pass(DELAY + 2);
        let whole = world.copies[&id].sealed.clone();
        let hashes = Partial {
            whole: &whole,
            kept: 0,
        };
        for view in Store::open_audits_of(&ALICE) {
            let proof = prove_audit(ALICE, &hashes, whole.commitment(), &view).unwrap();
            assert_noop!(pay_for_proof(ALICE, proof), Error::<Test>::BadProof);
        }
        world.pass(config().audit_ticks + 2);
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(provider(ALICE).bond, 4_989 * TOS);
    });
}

#[test]
fn a16_and_a18_words_of_other_indices_replicas_and_moments_are_refused() {
    run(|world| {
        let ids = [world.active(ALICE, 1), world.active(ALICE, 2)];
        world.stop(ALICE, Idle::Audits);
        world.pass(DELAY + 3);
        let views = Store::open_audits_of(&ALICE);
        let of = |id| views.iter().filter(move |view| view.replica == id);
        let (a, b) = (of(ids[0]).next().unwrap(), of(ids[0]).nth(1).unwrap());
        let c = of(ids[1]).next().unwrap();
        let prove = |copy, audit| {
            let tree: &MemoryTree = &world.copies[&copy].sealed;
            prove_audit(ALICE, tree, tree.commitment(), &audit).unwrap()
        };
        let moment = b.moment;
        let wrong = [
            // The answer to an earlier audit, under the number of this one.
            prove(ids[0], AuditView { moment, ..*a }),
            // Another replica's words.
            prove(ids[1], *a),
            // Another replica's answer.
            prove(ids[1], AuditView { seed: c.seed, ..*a }),
            // Words of indices of the prover's own choice.
            prove(
                ids[0],
                AuditView {
                    seed: [1; 32],
                    ..*a
                },
            ),
        ];
        for proof in wrong {
            assert_noop!(pay_for_proof(ALICE, proof), Error::<Test>::BadProof);
        }
        let right = prove(ids[0], *a);
        assert_ok!(pay_for_proof(ALICE, right.clone()));
        assert_noop!(pay_for_proof(ALICE, right), Error::<Test>::NothingAsked);
    });
}

#[test]
fn a18_a_window_is_not_proven_with_the_root_of_the_one_before() {
    with_replica(|world, id| {
        let (group, _) = replica(id).position.unwrap();
        world.until_open();
        let old = world.group_root(group);
        world.submit(ALICE);
        world.until_open();
        world.stop(ALICE, Idle::Windows);
        let window = Folded::<Test>::get();
        // The chain takes the signature; the first challenge shows what it is worth.
        assert_ok!(send(submission(ALICE, window, group, old)));
        world.tick();
        world.stop(ALICE, Idle::Challenges);
        assert_ok!(Store::challenge_window(by(WATCHER), id, window));
        let before = world.window_answer(ALICE, id, window - 1);
        let replay = tos_types::storage::WindowAnswer {
            window,
            signature: sign(
                ALICE,
                &tos_types::storage::window_payload(
                    &CHAIN,
                    &id,
                    window,
                    &before.previous,
                    &before.proof,
                ),
            ),
            ..before
        };
        assert_noop!(
            Store::respond_window(by(ALICE), Box::new(replay)),
            Error::<Test>::BadProof
        );
        world.go_on(ALICE, Idle::Windows);
        world.pass(config().challenge_ticks + 1);
        assert_eq!(status(id), ReplicaStatus::Failed);
    });
}

#[test]
fn a19_a_provider_cannot_commit_to_another_codeword_than_the_clients() {
    run(|world| {
        // The coded commitment is the client's. Bytes that are easier to keep seal to other words.
        let bytes = data(1, 5_000);
        let id = dealt(&bytes);
        let zeros = MemoryTree::new(vec![0; coded(&bytes).bytes().len()]).unwrap();
        let easy = sealed(ALICE, id, &zeros);
        assert_ok!(Store::commit_seal(by(ALICE), id, *easy.commitment()));
        world.pass(DELAY + 1);
        let challenge = seal_challenge(id);
        let seed = challenge.seed.unwrap();
        let with_zeros = seal_answer(ALICE, id, &zeros, &easy, &seed, challenge.words);
        assert_noop!(
            Store::respond_seal(by(ALICE), Box::new(with_zeros)),
            Error::<Test>::BadProof
        );
        // With the client's words the masks do not fit.
        let honest = seal_answer(ALICE, id, &coded(&bytes), &easy, &seed, challenge.words);
        assert_ok!(Store::respond_seal(by(ALICE), Box::new(honest)));
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(provider(ALICE).bond, 4_989 * TOS);
    });
}

#[test]
fn a19_a_commitment_of_the_wrong_size_is_refused_at_once() {
    run(|_| {
        let bytes = data(1, 5_000);
        let words = Layout::of(bytes.len() as u64).unwrap().coded_words();
        for wrong in [words / 2, words * 2, words + 1, 0] {
            let coded = Commitment {
                root: [1; 32],
                words: wrong,
            };
            assert_noop!(
                Store::offer(by(CLIENT), content(&bytes), coded, terms(Retention::Days30)),
                Error::<Test>::CodedSize
            );
        }
    });
}

#[test]
fn a20_challenging_ones_own_replica_costs_half_of_the_bond() {
    with_replica(|world, id| {
        let before = wealth(ALICE);
        assert_ok!(Store::challenge_seal(by(ALICE), id));
        world.pass(DELAY + 3);
        assert_eq!(
            wealth(ALICE),
            before - 5 * TOS,
            "half of the bond came home"
        );
        // Failing on purpose for an accomplice loses half of the collateral.
        world.stop(ALICE, Idle::Challenges);
        let both = wealth(ALICE) + wealth(WATCHER);
        assert_ok!(Store::challenge_seal(by(WATCHER), id));
        world.pass(config().challenge_ticks + DELAY + 3);
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(wealth(ALICE) + wealth(WATCHER), both - 11 * TOS / 2);
    });
}

#[test]
fn a20_farming_challenges_against_an_honest_provider_costs_a_bond_each() {
    with_replica(|world, id| {
        let (alice, watcher) = (wealth(ALICE), wealth(WATCHER));
        for _ in 0..5 {
            assert_ok!(Store::challenge_seal(by(WATCHER), id));
            world.pass(DELAY + 3);
        }
        assert_eq!(wealth(WATCHER), watcher - 50 * TOS);
        assert_eq!(wealth(ALICE), alice + 25 * TOS);
        assert_eq!(status(id), ReplicaStatus::Active);
    });
}
