// SPDX-License-Identifier: Apache-2.0

//! Tests of the composition: what no pallet can test by itself.

use crate::{configs::*, constants::currency::*, genesis_presets, time_config::TimeConfig, *};
use frame_support::{
    dispatch::DispatchClass,
    traits::{Get, InstanceFilter},
};
use sp_genesis_builder::PresetId;
use sp_keyring::Sr25519Keyring;
use sp_runtime::BuildStorage;

mod phases;
mod proxies;

/// The genesis state of a preset, built exactly as a node builds it.
fn genesis(preset: &str) -> sp_io::TestExternalities {
    let config = genesis_presets::genesis_config(&PresetId::from(preset)).expect("it fits");
    config.build_storage().expect("genesis builds").into()
}

fn presets() -> Vec<alloc::string::String> {
    genesis_presets::preset_names()
        .iter()
        .map(|id| id.to_string())
        .collect()
}

#[test]
fn every_pallet_of_this_chain_states_the_version_of_its_storage() {
    use frame_support::traits::{GetStorageVersion, StorageVersion};
    fn stated<P: GetStorageVersion<InCodeStorageVersion = StorageVersion>>() -> StorageVersion {
        P::in_code_storage_version()
    }
    // A pallet that states none does not compile here.
    for version in [
        stated::<Beacon>(),
        stated::<Clock>(),
        stated::<Emission>(),
        stated::<Fees>(),
        stated::<Miners>(),
        stated::<Reputation>(),
        stated::<Rewards>(),
        stated::<Storage>(),
        stated::<Tasks>(),
        stated::<Judges>(),
    ] {
        assert!(version >= 1);
    }
}

#[test]
fn the_pool_of_before_says_its_version_after_one_upgrade_and_a_second_one_does_nothing() {
    use frame_support::traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion};
    type Migration = crate::emission::migrations::StatesItsVersion<Runtime>;
    let preset = presets().into_iter().next().expect("there are presets");
    genesis(&preset).execute_with(|| {
        // As a chain of version 102 left it.
        StorageVersion::new(0).put::<Emission>();
        let (before, all) = (Emission::remaining(), || {
            sp_io::storage::root(sp_runtime::StateVersion::V1)
        });
        Migration::on_runtime_upgrade();
        assert_eq!(Emission::on_chain_storage_version(), 1);
        assert_eq!(Emission::remaining(), before);
        let after = all();
        Migration::on_runtime_upgrade();
        assert_eq!(all(), after);
    });
}

#[test]
fn every_preset_builds_a_chain_that_can_author_and_finalise() {
    for preset in presets() {
        genesis(&preset).execute_with(|| {
            let validators = Session::validators();
            assert!(!validators.is_empty(), "{preset}");
            assert_eq!(Babe::authorities().len(), validators.len(), "{preset}");
            assert_eq!(
                Grandpa::grandpa_authorities().len(),
                validators.len(),
                "{preset}"
            );
            assert_eq!(
                AuthorityDiscovery::authorities().len(),
                validators.len(),
                "{preset}"
            );
            assert_eq!(
                Staking::validator_count(),
                validators.len() as u32,
                "{preset}"
            );
        });
    }
}

#[test]
fn no_preset_exceeds_the_supply_and_the_pool_is_the_rest() {
    for preset in presets() {
        genesis(&preset).execute_with(|| {
            let issued = Balances::total_issuance();
            assert_eq!(issued + Emission::remaining(), MAX_SUPPLY, "{preset}");
            assert!(Emission::remaining() > MAX_SUPPLY / 2, "{preset}");
        });
    }
}

#[test]
fn only_development_networks_have_sudo() {
    for preset in presets() {
        genesis(&preset).execute_with(|| {
            let expected = (preset != "testnet").then(|| Sr25519Keyring::Alice.to_account_id());
            assert_eq!(pallet_sudo::Key::<Runtime>::get(), expected, "{preset}");
        });
    }
}

#[test]
fn consensus_follows_the_time_config_of_genesis() {
    use sp_consensus_babe::runtime_decl_for_babe_api::BabeApiV2;
    for (preset, config) in [
        ("development", TimeConfig::DEVELOPMENT),
        ("dev_fast", TimeConfig::FAST),
        ("local_testnet", TimeConfig::DEVELOPMENT),
        ("local_fast", TimeConfig::FAST),
        ("testnet", TimeConfig::PRODUCTION),
    ] {
        genesis(preset).execute_with(|| {
            let babe = <Runtime as BabeApiV2<Block>>::configuration();
            assert_eq!(babe.slot_duration, config.slot_duration_ms, "{preset}");
            assert_eq!(babe.epoch_length, u64::from(config.epoch_slots), "{preset}");
            assert_eq!(Minutes::<10>::get(), 10 * config.minute_blocks, "{preset}");
            let sessions = <Runtime as pallet_staking::Config>::SessionsPerEra::get();
            assert_eq!(sessions, config.sessions_per_era, "{preset}");
        });
    }
}

#[test]
fn every_pallet_agrees_with_its_configuration() {
    genesis("testnet").execute_with(|| {
        <AllPalletsWithSystem as frame_support::traits::IntegrityTest>::integrity_test();
    });
}

#[test]
fn an_unclaimed_reward_is_already_out_of_the_pool() {
    use sp_staking::EraPayout;
    genesis("testnet").execute_with(|| {
        let before = Emission::remaining();
        let era = TimeConfig::PRODUCTION.era_ms();
        let (stakers, rest) = <Emission as EraPayout<Balance>>::era_payout(0, 0, era);
        assert!(stakers > 0 && rest >= stakers);
        assert_eq!(before - Emission::remaining(), stakers + rest);
        // A chain that stood still for a year is paid for two eras at most.
        let (a, b) = <Emission as EraPayout<Balance>>::era_payout(0, 0, 365 * 24 * 3_600 * 1_000);
        assert!(a + b <= 2 * (stakers + rest) + 2);
    });
}

#[test]
fn blocks_leave_room_for_what_the_protocol_must_do() {
    let weights = RuntimeBlockWeights::get();
    assert_eq!(weights.max_block, MAXIMUM_BLOCK_WEIGHT);
    let normal = weights
        .get(DispatchClass::Normal)
        .max_total
        .expect("normal is limited");
    assert!(normal.all_lt(MAXIMUM_BLOCK_WEIGHT));
    // A runtime upgrade is an operational call of a few MiB: it has to fit.
    let operational = weights
        .get(DispatchClass::Operational)
        .max_extrinsic
        .expect("limited");
    assert!(operational.ref_time() > MAXIMUM_BLOCK_WEIGHT.ref_time() / 2);
    let length = RuntimeBlockLength::get();
    assert!(*length.max.get(DispatchClass::Normal) < *length.max.get(DispatchClass::Mandatory));
    assert!(length.max_header_size() < *length.max.get(DispatchClass::Normal));
}

#[test]
fn proxies_may_do_what_is_listed_and_nothing_else() {
    let to = sp_runtime::MultiAddress::Id(Sr25519Keyring::Bob.to_account_id());
    let transfer = RuntimeCall::Balances(BalancesCall::transfer_allow_death {
        dest: to.clone(),
        value: TOS,
    });
    let nominate = RuntimeCall::Staking(pallet_staking::Call::chill {});
    let batch = RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![] });
    let as_derivative = RuntimeCall::Utility(pallet_utility::Call::as_derivative {
        index: 0,
        call: alloc::boxed::Box::new(transfer.clone()),
    });
    let add_proxy = RuntimeCall::Proxy(pallet_proxy::Call::add_proxy {
        delegate: to.clone(),
        proxy_type: ProxyType::Any,
        delay: 0,
    });
    let sudo = RuntimeCall::Sudo(pallet_sudo::Call::remove_key {});

    for call in [
        &transfer,
        &nominate,
        &batch,
        &as_derivative,
        &add_proxy,
        &sudo,
    ] {
        assert!(ProxyType::Any.filter(call));
    }
    for kind in [
        ProxyType::NonTransfer,
        ProxyType::Governance,
        ProxyType::Staking,
        ProxyType::CancelProxy,
        ProxyType::Worker,
    ] {
        for call in [&transfer, &as_derivative, &add_proxy, &sudo] {
            assert!(!kind.filter(call), "{kind:?} must not allow {call:?}");
        }
        assert!(ProxyType::Any.is_superset(&kind));
        assert!(!kind.is_superset(&ProxyType::Any));
    }
    assert!(ProxyType::Staking.filter(&nominate) && ProxyType::NonTransfer.filter(&nominate));
    assert!(!ProxyType::Governance.filter(&nominate));
    assert!(ProxyType::Staking.filter(&batch) && !ProxyType::CancelProxy.filter(&batch));
}

#[test]
fn fees_of_a_transfer_are_small_and_never_zero() {
    genesis("development").execute_with(|| {
        use frame_support::dispatch::GetDispatchInfo;
        let call = RuntimeCall::Balances(BalancesCall::transfer_keep_alive {
            dest: sp_runtime::MultiAddress::Id(Sr25519Keyring::Bob.to_account_id()),
            value: TOS,
        });
        let fee = TransactionPayment::compute_fee(150, &call.get_dispatch_info(), 0);
        assert!(fee > 100 * MICRO_TOS, "{fee}");
        assert!(fee < 20 * MILLI_TOS, "{fee}");
    });
}
