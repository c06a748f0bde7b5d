// SPDX-License-Identifier: Apache-2.0

//! The yardstick works, and measures a transfer as TOS does.

use crate::{
    configs::SlotDurationMs,
    constants::{currency::TOS, genesis::ENDOWMENT},
    genesis::Network,
    *,
};
use polkadot_sdk::*;

use codec::Encode;
use frame_support::{dispatch::GetDispatchInfo, traits::Get, weights::Weight};
use sp_consensus_babe::digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest};
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::{
    traits::{Header as _, TransactionExtension},
    Digest, DigestItem,
};
use tos_runtime::Runtime as Tos;
use tos_runtime_common::transactions::extension;

/// Two authorities and real slots.
const NETWORK: Network = Network {
    validators: 2,
    slot_ms: 2_000,
};
/// A slot some time after the epoch.
const SLOT: u64 = 1_000_000;

fn chain() -> sp_io::TestExternalities {
    NETWORK.storage().expect("builds").into()
}

/// Begins the first block, in [`SLOT`].
fn begin_block() {
    let claim = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
        authority_index: 0,
        slot: SLOT.into(),
    });
    let digest = Digest {
        logs: vec![DigestItem::babe_pre_digest(claim)],
    };
    let parent = System::block_hash(0);
    let header = Header::new(1, Hash::zero(), Hash::zero(), parent, digest);
    Executive::initialize_block(&header);
    let now = pallet_timestamp::Call::<Runtime>::set {
        now: SLOT * SlotDurationMs::get(),
    };
    let inherent = UncheckedExtrinsic::new_bare(now.into());
    Executive::apply_extrinsic(inherent)
        .expect("included")
        .expect("succeeds");
}

/// The first transaction of Alice.
fn signed(call: RuntimeCall) -> UncheckedExtrinsic {
    let extension = extension::<Runtime>(0);
    let payload = SignedPayload::new(call.clone(), extension.clone()).expect("can be signed");
    let signature = payload.using_encoded(|bytes| Alice.sign(bytes));
    UncheckedExtrinsic::new_signed(
        call,
        Alice.to_account_id().into(),
        signature.into(),
        extension,
    )
}

fn transfer(value: Balance) -> RuntimeCall {
    let dest = Bob.to_account_id().into();
    pallet_balances::Call::<Runtime>::transfer_keep_alive { dest, value }.into()
}

/// What was paid for the transaction just applied.
fn fee() -> Balance {
    let paid = System::events().into_iter().find_map(|record| {
        let RuntimeEvent::TransactionPayment(event) = record.event else {
            return None;
        };
        let pallet_transaction_payment::Event::TransactionFeePaid { actual_fee, .. } = event;
        Some(actual_fee)
    });
    paid.expect("a fee was paid")
}

#[test]
fn genesis_has_the_authorities_the_slots_and_the_accounts_asked_for() {
    chain().execute_with(|| {
        assert_eq!(Babe::authorities().len(), 2);
        assert_eq!(Grandpa::grandpa_authorities().len(), 2);
        let first = Babe::authorities().first().map(|(id, _)| id.clone());
        assert_eq!(first, Some(Alice.public().into()));
        assert_eq!(Babe::slot_duration(), 2_000);
        assert_eq!(Balances::free_balance(Alice.to_account_id()), ENDOWMENT);
    });
    let fast = Network {
        validators: 8,
        slot_ms: 500,
    };
    let mut chain: sp_io::TestExternalities = fast.storage().expect("builds").into();
    chain.execute_with(|| {
        assert_eq!(Babe::authorities().len(), 8);
        let least: u64 = <Runtime as pallet_timestamp::Config>::MinimumPeriod::get();
        assert_eq!((Babe::slot_duration(), least), (500u64, 250));
    });
}

#[test]
fn a_network_that_cannot_work_is_refused() {
    let network = |validators, slot_ms| Network {
        validators,
        slot_ms,
    };
    for broken in [
        network(0, 2_000),
        network(9, 2_000),
        network(1, 0),
        network(1, 501),
        network(1, 100_000),
    ] {
        assert!(broken.storage().is_err(), "{broken:?}");
    }
}

#[test]
fn a_specification_is_raw_and_carries_the_code_and_the_whole_state() {
    let made = NETWORK.specification(b"code").expect("builds");
    let top = made["genesis"]["raw"]["top"]
        .as_object()
        .expect("an object");
    assert_eq!(top["0x3a636f6465"], "0x636f6465");
    let state = NETWORK.storage().expect("builds").top;
    assert_eq!(top.len(), state.len() + 1);
    assert_eq!(made["protocolId"], "tos-bare");
}

#[test]
fn a_transfer_moves_what_it_says_and_its_fee_is_burnt() {
    chain().execute_with(|| {
        begin_block();
        let issued = Balances::total_issuance();
        let transfer = signed(transfer(7 * TOS));
        Executive::apply_extrinsic(transfer)
            .expect("included")
            .expect("succeeds");
        let fee = fee();
        assert!(fee > 0);
        let [alice, bob] =
            [Alice, Bob].map(|account| Balances::free_balance(account.to_account_id()));
        assert_eq!(alice, ENDOWMENT - 7 * TOS - fee);
        assert_eq!(bob, ENDOWMENT + 7 * TOS);
        assert_eq!(Balances::total_issuance(), issued - fee);
        assert_eq!(System::account_nonce(Alice.to_account_id()), 1);
        Executive::finalize_block();
    });
}

#[test]
fn a_transfer_of_more_than_there_is_moves_nothing_and_costs_its_fee() {
    chain().execute_with(|| {
        begin_block();
        let transfer = signed(transfer(2 * ENDOWMENT));
        let outcome = Executive::apply_extrinsic(transfer).expect("included");
        assert!(outcome.is_err());
        let alice = Balances::free_balance(Alice.to_account_id());
        assert_eq!(alice, ENDOWMENT - fee());
        assert_eq!(Balances::free_balance(Bob.to_account_id()), ENDOWMENT);
    });
}

#[test]
fn a_transfer_is_encoded_and_weighed_as_in_tos() {
    let ours = transfer(TOS);
    let dest = Bob.to_account_id().into();
    let theirs: tos_runtime::RuntimeCall =
        pallet_balances::Call::<Tos>::transfer_keep_alive { dest, value: TOS }.into();
    assert_eq!(ours.encode(), theirs.encode());
    let info = ours.get_dispatch_info();
    assert_eq!(info.call_weight, theirs.get_dispatch_info().call_weight);
    assert!(info.call_weight.any_gt(Weight::zero()));
    // And what every transaction carries next to its call, which each runtime weighs for itself.
    let (extended, extended_theirs) = (extension::<Runtime>(0), extension::<Tos>(0));
    assert_eq!(extended.encode(), extended_theirs.encode());
    assert_eq!(extended.weight(&ours), extended_theirs.weight(&theirs));
}

#[test]
fn fees_follow_the_fullness_of_blocks_as_in_tos() {
    use pallet_transaction_payment::{Config, MultiplierUpdate};
    type Ours = <Runtime as Config>::FeeMultiplierUpdate;
    type Theirs = <Tos as Config>::FeeMultiplierUpdate;
    // Those of TOS are parameters; without any in the state they are what a network is born with.
    chain().execute_with(|| {
        assert_eq!(Ours::min(), Theirs::min());
        assert_eq!(Ours::max(), Theirs::max());
        assert_eq!(Ours::target(), Theirs::target());
        assert_eq!(Ours::variability(), Theirs::variability());
    });
}
