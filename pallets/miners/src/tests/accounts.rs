// SPDX-License-Identifier: Apache-2.0

//! Certificates, owners, relations and genesis.

use crate::mock::*;
use crate::{Certificate, Certificates, Error, Event, HoldReason, Relations};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::MinerRegistry;
use tos_pallet_support::testing::held_money_conforms;
use tos_types::{task::Certification, TaskType, TOS};

/// Certifies Alice.
fn certify(origin: RuntimeOrigin, level: Certification, expires: u32) -> DispatchResult {
    Miners::certify(origin, ALICE, level, expires)
}

fn set_owner(who: u64, owner: Option<u64>) -> DispatchResult {
    Miners::set_owner(signed(who), owner)
}

#[test]
fn a_certificate_counts_until_it_expires_and_not_longer() {
    ExtBuilder::default().execute(|| {
        assert_eq!(Miners::certification(&ALICE), Certification::Unverified);
        assert_ok!(certify(signed(CERTIFIER), Certification::Expert, 20));
        assert_eq!(
            last_event(),
            Event::Certified {
                who: ALICE,
                level: Certification::Expert,
                expires: 20
            }
        );
        TestClock::set(20);
        assert_eq!(Miners::certification(&ALICE), Certification::Expert);
        assert_eq!(
            Miners::certificate(&ALICE),
            Some(Certificate {
                level: Certification::Expert,
                expires: 20
            })
        );
        TestClock::set(21);
        assert_eq!(Miners::certification(&ALICE), Certification::Unverified);
        assert_eq!(Miners::certificate(&ALICE), None);
    });
}

#[test]
fn a_certificate_replaces_the_one_before() {
    ExtBuilder::default().execute(|| {
        assert_ok!(certify(RuntimeOrigin::root(), Certification::Master, 20));
        assert_ok!(certify(RuntimeOrigin::root(), Certification::Basic, 10));
        assert_eq!(Miners::certification(&ALICE), Certification::Basic);
    });
}

#[test]
fn meaningless_certificates_are_refused() {
    ExtBuilder::default().execute(|| {
        assert_noop!(
            certify(signed(CERTIFIER), Certification::Unverified, 20),
            Error::<Test>::InvalidLevel
        );
        for expires in [0, now()] {
            assert_noop!(
                certify(signed(CERTIFIER), Certification::Basic, expires),
                Error::<Test>::InvalidExpiry
            );
        }
    });
}

#[test]
fn only_certifiers_certify_and_revoke() {
    ExtBuilder::default().execute(|| {
        assert_noop!(
            certify(signed(ALICE), Certification::Master, 20),
            DispatchError::BadOrigin
        );
        assert_ok!(certify(signed(CERTIFIER), Certification::Master, 20));
        assert_noop!(
            Miners::revoke_certificate(signed(BOB), ALICE),
            DispatchError::BadOrigin
        );
        assert_ok!(Miners::revoke_certificate(signed(CERTIFIER), ALICE));
        assert_eq!(last_event(), Event::CertificateRevoked { who: ALICE });
        assert_eq!(Miners::certification(&ALICE), Certification::Unverified);
        assert_noop!(
            Miners::revoke_certificate(signed(CERTIFIER), ALICE),
            Error::<Test>::NoCertificate
        );
    });
}

#[test]
fn the_record_of_an_expired_certificate_can_be_removed() {
    ExtBuilder::default().execute(|| {
        assert_ok!(certify(signed(CERTIFIER), Certification::Master, 20));
        TestClock::advance(100);
        assert_ok!(Miners::revoke_certificate(signed(CERTIFIER), ALICE));
        assert!(!Certificates::<Test>::contains_key(ALICE));
    });
}

#[test]
fn an_account_keeps_away_from_itself_alone_at_first() {
    ExtBuilder::default().execute(|| {
        assert!(Miners::must_recuse(&ALICE, &ALICE));
        assert!(!Miners::must_recuse(&ALICE, &BOB));
    });
}

/// A publisher that could exclude whom it likes would choose its judges.
#[test]
fn a_publisher_cannot_declare_honest_judges_off_its_panel() {
    let (publisher, judge, sibling, fleet, loner) = (ALICE, BOB, CAROL, POOR, 10);
    ExtBuilder::default().execute(|| {
        // Two honest judges keep away from their owner and, as that declares, from each other.
        for (who, other) in [(judge, sibling), (sibling, judge)] {
            assert_ok!(set_owner(who, Some(fleet)));
            assert_ok!(Miners::declare_relation(signed(fleet), other));
        }
        // By declaring them or their owner.
        for other in [judge, sibling, fleet] {
            assert_ok!(Miners::declare_relation(signed(publisher), other));
        }
        // By naming their owner as its own.
        assert_ok!(set_owner(publisher, Some(fleet)));
        for who in [judge, sibling, fleet] {
            assert!(!Miners::must_recuse(&who, &publisher));
            assert!(Miners::must_recuse(&publisher, &who));
        }
        assert!(Miners::must_recuse(&judge, &sibling));
        // By naming a judge as its own owner.
        assert_ok!(set_owner(publisher, Some(loner)));
        assert!(!Miners::must_recuse(&loner, &publisher));
    });
}

#[test]
fn an_owner_declares_for_all_its_accounts_and_is_bound_by_none() {
    ExtBuilder::default().execute(|| {
        assert_ok!(set_owner(ALICE, Some(CAROL)));
        assert_eq!(
            last_event(),
            Event::OwnerSet {
                who: ALICE,
                owner: Some(CAROL)
            }
        );
        assert_ok!(set_owner(BOB, Some(CAROL)));
        for who in [ALICE, BOB] {
            assert!(Miners::must_recuse(&who, &CAROL) && !Miners::must_recuse(&CAROL, &who));
        }
        // A common owner is not enough, or anybody could join the family.
        assert!(!Miners::must_recuse(&ALICE, &BOB) && !Miners::must_recuse(&BOB, &ALICE));
        assert_ok!(Miners::declare_relation(signed(CAROL), BOB));
        assert!(Miners::must_recuse(&CAROL, &BOB) && Miners::must_recuse(&ALICE, &BOB));
        assert!(!Miners::must_recuse(&BOB, &ALICE));
        // Whether the other names the owner as well is not the other's choice to make.
        assert_ok!(set_owner(BOB, None));
        assert!(Miners::must_recuse(&ALICE, &BOB));
        assert_ok!(set_owner(ALICE, None));
        assert!(!Miners::must_recuse(&ALICE, &BOB) && !Miners::must_recuse(&ALICE, &CAROL));
    });
}

#[test]
fn owners_of_owners_do_not_count() {
    ExtBuilder::default().execute(|| {
        assert_ok!(set_owner(BOB, Some(CAROL)));
        assert_noop!(set_owner(ALICE, Some(BOB)), Error::<Test>::OwnerIsOwned);
        // The other order cannot be refused, but makes no chain either.
        assert_ok!(set_owner(CAROL, Some(POOR)));
        assert!(!Miners::must_recuse(&BOB, &POOR));
    });
}

/// Naming a stranger as owner must not keep the stranger from declaring its own owner.
#[test]
fn being_named_as_owner_binds_nobody() {
    ExtBuilder::default().execute(|| {
        assert_ok!(set_owner(ALICE, Some(BOB)));
        assert_ok!(set_owner(BOB, Some(CAROL)));
        assert!(Miners::must_recuse(&BOB, &CAROL) && !Miners::must_recuse(&BOB, &ALICE));
    });
}

#[test]
fn empty_owner_changes_are_refused() {
    ExtBuilder::default().execute(|| {
        assert_noop!(set_owner(ALICE, None), Error::<Test>::NotRelated);
        assert_noop!(set_owner(ALICE, Some(ALICE)), Error::<Test>::SelfRelation);
        assert_ok!(set_owner(ALICE, Some(BOB)));
        assert_noop!(set_owner(ALICE, Some(BOB)), Error::<Test>::AlreadyRelated);
        assert_ok!(set_owner(ALICE, Some(CAROL)));
        assert!(!Miners::must_recuse(&ALICE, &BOB));
    });
}

#[test]
fn a_declaration_binds_its_author_until_retracted() {
    ExtBuilder::default().execute(|| {
        assert_ok!(Miners::declare_relation(signed(ALICE), BOB));
        assert_eq!(
            last_event(),
            Event::RelationDeclared {
                who: ALICE,
                other: BOB
            }
        );
        assert!(Miners::must_recuse(&ALICE, &BOB) && !Miners::must_recuse(&BOB, &ALICE));
        assert_ok!(Miners::declare_relation(signed(BOB), ALICE));
        assert_ok!(Miners::retract_relation(signed(ALICE), BOB));
        assert_eq!(
            last_event(),
            Event::RelationRetracted {
                who: ALICE,
                other: BOB
            }
        );
        assert!(!Miners::must_recuse(&ALICE, &BOB) && Miners::must_recuse(&BOB, &ALICE));
        assert_ok!(Miners::retract_relation(signed(BOB), ALICE));
        assert!(!Miners::must_recuse(&BOB, &ALICE));
        assert!(!Relations::<Test>::contains_key(ALICE));
    });
}

#[test]
fn bad_declarations_are_refused() {
    ExtBuilder::default().execute(|| {
        assert_noop!(
            Miners::declare_relation(signed(ALICE), ALICE),
            Error::<Test>::SelfRelation
        );
        assert_noop!(
            Miners::retract_relation(signed(ALICE), BOB),
            Error::<Test>::NotRelated
        );
        // In an order that has to be sorted.
        for other in [30, 10, 20] {
            assert_ok!(Miners::declare_relation(signed(ALICE), other));
        }
        assert_noop!(
            Miners::declare_relation(signed(ALICE), 10),
            Error::<Test>::AlreadyRelated
        );
        assert_noop!(
            Miners::declare_relation(signed(ALICE), 40),
            Error::<Test>::TooManyRelations
        );
        // Not its own declaration.
        assert_noop!(
            Miners::retract_relation(signed(10), ALICE),
            Error::<Test>::NotRelated
        );
        assert_ok!(Miners::retract_relation(signed(ALICE), 20));
        assert_ok!(Miners::declare_relation(signed(ALICE), 40));
        for other in [10, 30, 40] {
            assert!(Miners::must_recuse(&ALICE, &other));
        }
    });
}

#[test]
fn genesis_certifies_and_registers() {
    ExtBuilder::default()
        .certificate(BOB, Certification::Professional, 100)
        .miner(ALICE, &[TaskType::General, TaskType::CodeAnalysis])
        .execute(|| {
            assert_eq!(Miners::certification(&BOB), Certification::Professional);
            assert_ok!(Miners::may_work(&ALICE, TaskType::General));
            assert_eq!((held(ALICE), total(ALICE)), (100 * TOS, START_BALANCE));
        });
}

#[test]
#[should_panic(expected = "can pay their stake")]
fn genesis_without_the_stake_is_refused() {
    ExtBuilder::default()
        .miner(POOR, &[TaskType::SecurityAudit])
        .build();
}

#[test]
#[should_panic(expected = "genesis certificates")]
fn genesis_with_an_empty_certificate_is_refused() {
    ExtBuilder::default()
        .certificate(BOB, Certification::Unverified, 100)
        .build();
}

#[test]
fn held_money_moves_exactly_and_to_whom_it_may() {
    ExtBuilder::default().build().execute_with(|| {
        held_money_conforms::<Balances>(HoldReason::Registration, ALICE);
    });
}
