// SPDX-License-Identifier: Apache-2.0

//! Certificates and genesis.

use crate::mock::*;
use crate::{Certificate, Certificates, Error, Event, HoldReason};
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
