// SPDX-License-Identifier: Apache-2.0

//! Every call in every state: what is not allowed has an error of its own and changes nothing.

use crate::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};
use tos_storage_proofs::Commitment;
use tos_types::{
    storage::{DealTerms, ReplicaStatus, Retention, StorageConfig, StoredContent},
    DealId, ReplicaId, TOS,
};

const ALL: [ReplicaStatus; 8] = [
    ReplicaStatus::Sealing,
    ReplicaStatus::Checking,
    ReplicaStatus::Active,
    ReplicaStatus::Paused,
    ReplicaStatus::Leaving,
    ReplicaStatus::Ended,
    ReplicaStatus::Removed,
    ReplicaStatus::Failed,
];

/// A replica of Alice's in the given state.
fn in_status(world: &mut World, wanted: ReplicaStatus) -> ReplicaId {
    let bytes = data(1, 100);
    let id = match wanted {
        ReplicaStatus::Sealing => {
            let deal = offer(CLIENT, &bytes, Retention::BillingPeriods(5));
            accepted(ALICE, deal)
        }
        ReplicaStatus::Checking => {
            let deal = offer(CLIENT, &bytes, Retention::BillingPeriods(5));
            world.seal(ALICE, deal, &bytes)
        }
        ReplicaStatus::Active => world.active(ALICE, 1),
        ReplicaStatus::Paused => {
            let id = world.active(ALICE, 1);
            assert_ok!(Store::pause(by(ALICE), id));
            id
        }
        ReplicaStatus::Leaving | ReplicaStatus::Removed => {
            let id = world.active(ALICE, 1);
            assert_ok!(Store::request_removal(by(ALICE), id));
            if wanted == ReplicaStatus::Removed {
                world.windows(4);
            }
            id
        }
        ReplicaStatus::Ended => {
            let deal = offer(CLIENT, &bytes, Retention::BillingPeriods(1));
            let id = world.seal(ALICE, deal, &bytes);
            world.windows(7);
            id
        }
        ReplicaStatus::Failed => {
            let id = in_status(world, ReplicaStatus::Checking);
            world.stop(ALICE, Idle::Challenges);
            world.pass(20);
            world.go_on(ALICE, Idle::Challenges);
            id
        }
    };
    assert_eq!(status(id), wanted);
    id
}

/// Expects `call` to succeed in the states where `refusal` says nothing, and to fail as it says elsewhere.
fn table(
    call: impl Fn(ReplicaId) -> frame_support::dispatch::DispatchResult,
    refusal: impl Fn(ReplicaStatus) -> Option<Error<Test>>,
) {
    for wanted in ALL {
        run(|world| {
            let id = in_status(world, wanted);
            match refusal(wanted) {
                Some(error) => {
                    assert_noop!(call(id), error);
                    assert_eq!(status(id), wanted);
                }
                None => {
                    assert_ok!(call(id));
                }
            }
        });
    }
}

use ReplicaStatus::*;

#[test]
fn only_what_is_being_sealed_can_be_committed_to() {
    table(
        |id| {
            let commitment = Commitment {
                root: [1; 32],
                words: replica(id).coded.words,
            };
            Store::commit_seal(by(ALICE), id, commitment)
        },
        |status| (status != Sealing).then_some(Error::NotSealing),
    );
}

#[test]
fn only_active_replicas_can_be_paused() {
    table(
        |id| Store::pause(by(ALICE), id),
        |status| (status != Active).then_some(Error::NotActive),
    );
}

#[test]
fn only_paused_replicas_can_be_resumed() {
    table(
        |id| Store::resume(by(ALICE), id),
        |status| (status != Paused).then_some(Error::NotPaused),
    );
}

#[test]
fn only_active_replicas_can_be_removed() {
    table(
        |id| Store::request_removal(by(ALICE), id),
        |status| match status {
            Active => None,
            Leaving => Some(Error::AlreadyLeaving),
            _ => Some(Error::NotActive),
        },
    );
}

#[test]
fn nothing_is_settled_that_was_not_earned() {
    table(
        |id| Store::settle(by(STRANGER), id),
        |status| match status.is_over() {
            true => Some(Error::Over),
            false => Some(Error::NotDue),
        },
    );
}

#[test]
fn only_what_is_checked_can_be_challenged() {
    table(
        |id| Store::challenge_seal(by(WATCHER), id),
        |status| {
            let checked = matches!(status, Active | Paused | Leaving);
            (!checked).then_some(Error::NotChallengeable)
        },
    );
}

#[test]
fn nothing_can_be_cranked_before_it_is_due() {
    table(
        |id| {
            Store::crank(by(STRANGER), id)
                .map(|_| ())
                .map_err(|refused| refused.error)
        },
        |_| Some(Error::NotDue),
    );
}

#[test]
fn a_replica_obeys_its_own_provider_alone() {
    run(|world| {
        world.provider(BOB, 1_000 * TOS);
        let id = in_status(world, Active);
        let commitment = replica(id).coded;
        for who in [BOB, CLIENT, STRANGER] {
            assert_noop!(
                Store::commit_seal(by(who), id, commitment),
                Error::<Test>::NotYours
            );
            assert_noop!(Store::pause(by(who), id), Error::<Test>::NotYours);
            assert_noop!(Store::resume(by(who), id), Error::<Test>::NotYours);
            assert_noop!(Store::request_removal(by(who), id), Error::<Test>::NotYours);
        }
    });
}

#[test]
fn what_does_not_exist_is_named() {
    run(|_| {
        let (id, deal) = (ReplicaId([9; 16]), DealId([9; 16]));
        assert_noop!(Store::pause(by(ALICE), id), Error::<Test>::UnknownReplica);
        assert_noop!(Store::settle(by(ALICE), id), Error::<Test>::UnknownReplica);
        assert_noop!(Store::crank(by(ALICE), id), Error::<Test>::UnknownReplica);
        assert_noop!(
            Store::challenge_seal(by(ALICE), id),
            Error::<Test>::UnknownReplica
        );
        assert_noop!(Store::accept(by(ALICE), deal), Error::<Test>::UnknownDeal);
        assert_noop!(
            Store::crank_deal(by(ALICE), deal),
            Error::<Test>::UnknownDeal
        );
        assert_noop!(Store::exit(by(BOB)), Error::<Test>::NotProvider);
        assert_noop!(Store::leave(by(BOB)), Error::<Test>::NotProvider);
        assert_noop!(Store::top_up(by(BOB), 1), Error::<Test>::NotProvider);
        assert_noop!(Store::withdraw(by(BOB), 1), Error::<Test>::NotProvider);
        assert_noop!(Store::top_up(by(ALICE), 0), Error::<Test>::ZeroAmount);
        assert_noop!(Store::withdraw(by(ALICE), 0), Error::<Test>::ZeroAmount);
    });
}

#[test]
fn impossible_offers_are_refused() {
    run(|_| {
        let bytes = data(1, 5_000);
        let coded = *coded(&bytes).commitment();
        let good = content(&bytes);
        let offer = |content: &StoredContent, coded: Commitment, terms: DealTerms<AccountId>| {
            Store::offer(by(CLIENT), content.clone(), coded, terms)
        };
        for (length, error) in [
            (0, Error::<Test>::ContentLength),
            ((1 << 34) + 1, Error::ContentLength),
            (8_193, Error::CodedSize),
            (4_096, Error::CodedSize),
        ] {
            let content = StoredContent {
                length,
                ..good.clone()
            };
            assert_noop!(offer(&content, coded, terms(Retention::Days30)), error);
        }
        let unreachable = StoredContent {
            locator: Default::default(),
            ..good.clone()
        };
        assert_noop!(
            offer(&unreachable, coded, terms(Retention::Days30)),
            Error::<Test>::ContentUnreachable
        );
        for periods in [0, 2_556, u32::MAX] {
            assert_noop!(
                offer(&good, coded, terms(Retention::BillingPeriods(periods))),
                Error::<Test>::RetentionOutOfRange
            );
        }
        for price in [0, u128::MAX] {
            let terms = DealTerms {
                price,
                ..terms(Retention::Days30)
            };
            assert_noop!(offer(&good, coded, terms), Error::<Test>::PriceOutOfRange);
        }
        let dear = DealTerms {
            price: 1_000_000_000 * TOS,
            ..terms(Retention::Days30)
        };
        assert_noop!(offer(&good, coded, dear), Error::<Test>::InsufficientFunds);
        assert_ok!(offer(&good, coded, terms(Retention::Days2555)));
    });
}

#[test]
fn a_deal_for_one_provider_is_not_for_others() {
    run(|world| {
        world.provider(BOB, 1_000 * TOS);
        let bytes = data(1, 100);
        let deal = next_deal(CLIENT);
        let terms = DealTerms {
            provider: Some(BOB),
            ..terms(Retention::Days30)
        };
        assert_ok!(Store::offer(
            by(CLIENT),
            content(&bytes),
            *coded(&bytes).commitment(),
            terms
        ));
        assert_noop!(Store::accept(by(ALICE), deal), Error::<Test>::NotInvited);
        assert_noop!(
            Store::accept(by(STRANGER), deal),
            Error::<Test>::NotProvider
        );
        assert_ok!(Store::accept(by(BOB), deal));
    });
}

#[test]
fn a_sealed_commitment_has_the_size_of_the_coded_one() {
    run(|world| {
        let id = in_status(world, Sealing);
        let commitment = Commitment {
            root: [1; 32],
            words: replica(id).coded.words + 64,
        };
        assert_noop!(
            Store::commit_seal(by(ALICE), id, commitment),
            Error::<Test>::SealedSize
        );
    });
}

#[test]
fn providers_register_once_with_a_locator_and_change_keys_slowly() {
    run(|world| {
        let locator: tos_types::storage::Locator = b"http://a".to_vec().try_into().unwrap();
        assert_noop!(
            Store::register_provider(by(ALICE), 1_000 * TOS, [1; 32], locator.clone()),
            Error::<Test>::AlreadyProvider
        );
        assert_noop!(
            Store::register_provider(by(BOB), 1_000 * TOS, [1; 32], Default::default()),
            Error::<Test>::NoLocator
        );
        assert_noop!(
            Store::register_provider(by(BOB), 1_000_000 * TOS, [1; 32], locator.clone()),
            Error::<Test>::InsufficientFunds
        );
        assert_noop!(
            Store::set_provider(by(ALICE), [1; 32], Default::default()),
            Error::<Test>::NoLocator
        );
        assert_ok!(Store::set_provider(by(ALICE), [1; 32], locator.clone()));
        assert_noop!(
            Store::set_provider(by(ALICE), [2; 32], locator.clone()),
            Error::<Test>::KeyTooFresh
        );
        assert_ok!(Store::set_provider(by(ALICE), [1; 32], locator.clone()));
        world.stop(ALICE, Idle::Audits);
        world.windows(u64::from(config().ring));
        assert_ok!(Store::set_provider(by(ALICE), [2; 32], locator));
    });
}

#[test]
fn governance_changes_what_no_replica_depends_on() {
    run(|_| {
        let change = |f: fn(&mut StorageConfig)| {
            let mut next = config();
            f(&mut next);
            Box::new(next)
        };
        let dearer = change(|config| config.miss_base = 20 * TOS);
        assert_noop!(
            Store::set_config(by(ALICE), dearer.clone()),
            sp_runtime::DispatchError::BadOrigin
        );
        assert_ok!(Store::set_config(root(), dearer));
        assert_eq!(Settings::<Test>::get().miss_base, 20 * TOS);
        assert!(matches!(events().last(), Some(Event::ConfigSet { .. })));
        assert_noop!(
            Store::set_config(root(), change(|config| config.window = 0)),
            Error::<Test>::BadConfig
        );
        for f in [
            (|config| config.ring = 17) as fn(&mut StorageConfig),
            |config| config.group_places = 4,
            |config| config.seal.passes = 2,
        ] {
            let fixed = change(|config| config.unbonding_windows = 20);
            let mut fixed = *fixed;
            f(&mut fixed);
            assert_noop!(
                Store::set_config(root(), Box::new(fixed)),
                Error::<Test>::ConfigFixed
            );
        }
    });
}
