// SPDX-License-Identifier: Apache-2.0

//! The networks that can be started from this code alone.
//!
//! | preset | validators | slots | sudo | for |
//! |---|---|---|---|---|
//! | `development` | Alice | 2 s | Alice | working alone |
//! | `dev_fast` | Alice | 0.5 s | Alice | automated tests |
//! | `local_testnet` | Alice, Bob, Charlie, Dave | 2 s | Alice | several nodes on one machine |
//! | `local_fast` | Alice, Bob, Charlie, Dave | 0.5 s | Alice | automated tests of several nodes |
//! | `testnet` | Alice, Bob, Charlie, Dave | 2 s | none | rehearsing a real network |
//!
//! Dave, Eve, Ferdie, One and Two are certified experts, who may judge from the first block on.
//!
//! Every preset uses well-known keys. The founder of a network that others can reach replaces
//! `session.keys`, `staking.stakers` and `balances.balances` in the chain specification.

use crate::{
    constants::{
        consensus::{BABE_GENESIS_EPOCH_CONFIG, MAX_VALIDATORS},
        currency::{MAX_SUPPLY, TOS},
        genesis::ENDOWMENT,
    },
    time_config::TimeConfig,
    AccountId, BabeConfig, Balance, BalancesConfig, BeaconConfig, ClockConfig, MinersConfig,
    RuntimeGenesisConfig, SessionConfig, SessionKeys, StakingConfig, StorageConfig, SudoConfig,
    TechnicalCommitteeConfig, TimeConfigConfig, Treasury,
};
use alloc::{vec, vec::Vec};
use polkadot_sdk::*;

use frame_support::build_struct_json_patch;
use serde_json::Value;
use sp_genesis_builder::PresetId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::Perbill;
use sp_staking::StakerStatus;
use tos_types::{beacon, storage, task::Certification, PhaseLengths};

/// One validator, half-second slots, for tests.
pub const DEV_FAST_PRESET: &str = "dev_fast";
/// Four validators, half-second slots, for tests.
pub const LOCAL_FAST_PRESET: &str = "local_fast";
/// A rehearsal of a real network.
pub const TESTNET_PRESET: &str = "testnet";

/// The balance of the treasury at genesis, so that it can take amounts below the existential
/// deposit.
pub const TREASURY_SEED: Balance = TOS;
/// The bond of each validator at genesis.
pub const GENESIS_BOND: Balance = 10_000 * TOS;
/// Least bond of a validator.
pub const MIN_VALIDATOR_BOND: Balance = 1_000 * TOS;
/// Least bond of a nominator.
pub const MIN_NOMINATOR_BOND: Balance = 10 * TOS;

/// The start of the beacon's walk. Not secret: what counts is that no one could choose it for an
/// advantage, and the walk takes the validators' entropy in after its first windows.
const BEACON_SEED: [u8; 32] = *b"TOS: proof of intelligent work. ";

/// A validator at genesis: its stash account and the keys its node works with.
struct Validator {
    stash: AccountId,
    keys: SessionKeys,
}

impl Validator {
    /// The keys are those that `--alice`, `--bob` and so on put into a node's keystore.
    fn well_known(stash: Sr25519Keyring, node: Sr25519Keyring, finality: Ed25519Keyring) -> Self {
        Self {
            stash: stash.to_account_id(),
            keys: SessionKeys {
                grandpa: finality.public().into(),
                babe: node.public().into(),
                authority_discovery: node.public().into(),
            },
        }
    }

    fn alice() -> Self {
        Self::well_known(
            Sr25519Keyring::AliceStash,
            Sr25519Keyring::Alice,
            Ed25519Keyring::Alice,
        )
    }

    fn four() -> Vec<Self> {
        vec![
            Self::alice(),
            Self::well_known(
                Sr25519Keyring::BobStash,
                Sr25519Keyring::Bob,
                Ed25519Keyring::Bob,
            ),
            Self::well_known(
                Sr25519Keyring::CharlieStash,
                Sr25519Keyring::Charlie,
                Ed25519Keyring::Charlie,
            ),
            Self::well_known(
                Sr25519Keyring::DaveStash,
                Sr25519Keyring::Dave,
                Ed25519Keyring::Dave,
            ),
        ]
    }
}

/// The judges of answers before anyone has earned a reputation: without them no first panel could
/// be drawn.
fn first_experts() -> Vec<(AccountId, Certification, tos_types::Tick)> {
    [
        Sr25519Keyring::Dave,
        Sr25519Keyring::Eve,
        Sr25519Keyring::Ferdie,
        Sr25519Keyring::One,
        Sr25519Keyring::Two,
    ]
    .map(|expert| {
        (
            expert.to_account_id(),
            Certification::Expert,
            tos_types::Tick::MAX,
        )
    })
    .into()
}

/// The committee that may speed up and pause before referenda name others: three, so that two of
/// them decide.
fn first_committee() -> Vec<AccountId> {
    [
        Sr25519Keyring::Alice,
        Sr25519Keyring::Bob,
        Sr25519Keyring::Charlie,
    ]
    .map(|member| member.to_account_id())
    .into()
}

/// A network of these validators, in which every well-known account is endowed.
fn network(validators: Vec<Validator>, pace: Pace, sudo: Option<AccountId>) -> Value {
    let count = u32::try_from(validators.len()).unwrap_or(MAX_VALIDATORS);
    build_struct_json_patch!(RuntimeGenesisConfig {
        time_config: TimeConfigConfig { config: pace.chain },
        babe: BabeConfig {
            epoch_config: BABE_GENESIS_EPOCH_CONFIG
        },
        balances: BalancesConfig {
            balances: Sr25519Keyring::iter()
                .map(|account| (account.to_account_id(), ENDOWMENT))
                .chain([(Treasury::account_id(), TREASURY_SEED)])
                .collect::<Vec<_>>(),
        },
        session: SessionConfig {
            keys: validators
                .iter()
                .map(|v| (v.stash.clone(), v.stash.clone(), v.keys.clone()))
                .collect::<Vec<_>>(),
        },
        staking: StakingConfig {
            validator_count: count,
            minimum_validator_count: 1,
            slash_reward_fraction: Perbill::from_percent(10),
            min_validator_bond: MIN_VALIDATOR_BOND,
            min_nominator_bond: MIN_NOMINATOR_BOND,
            stakers: validators
                .iter()
                .map(|v| {
                    (
                        v.stash.clone(),
                        v.stash.clone(),
                        GENESIS_BOND,
                        StakerStatus::Validator,
                    )
                })
                .collect::<Vec<_>>(),
        },
        sudo: SudoConfig { key: sudo },
        technical_committee: TechnicalCommitteeConfig {
            members: first_committee()
        },
        clock: ClockConfig {
            phase_lengths: pace.phase_lengths
        },
        beacon: BeaconConfig {
            config: pace.beacon,
            seed: BEACON_SEED
        },
        storage: StorageConfig {
            config: pace.storage
        },
        miners: MinersConfig {
            certificates: first_experts(),
        },
    })
}

/// The pace at which a network lives.
#[derive(Clone, Copy)]
struct Pace {
    chain: TimeConfig,
    phase_lengths: PhaseLengths,
    beacon: beacon::BeaconConfig,
    storage: storage::StorageConfig,
}

impl Pace {
    /// As deployed.
    const REAL: Self = Self {
        chain: TimeConfig::PRODUCTION,
        phase_lengths: PhaseLengths::per_day(43_200),
        beacon: beacon::BeaconConfig::PRODUCTION,
        storage: storage::StorageConfig::PRODUCTION,
    };
    /// Real slots, short windows, and a beacon and sealing that any machine affords.
    const DEVELOPMENT: Self = Self {
        chain: TimeConfig::DEVELOPMENT,
        phase_lengths: PhaseLengths::development(),
        beacon: beacon::BeaconConfig::DEVELOPMENT,
        storage: storage::StorageConfig::FAST,
    };
    /// For automated tests.
    const FAST: Self = Self {
        chain: TimeConfig::FAST,
        phase_lengths: PhaseLengths::development(),
        beacon: beacon::BeaconConfig::FAST,
        storage: storage::StorageConfig::FAST,
    };
}

/// The genesis patch of a preset.
fn patch(id: &str) -> Option<Value> {
    let alice = || Some(Sr25519Keyring::Alice.to_account_id());
    let one = || vec![Validator::alice()];
    Some(match id {
        sp_genesis_builder::DEV_RUNTIME_PRESET => network(one(), Pace::DEVELOPMENT, alice()),
        DEV_FAST_PRESET => network(one(), Pace::FAST, alice()),
        sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET => {
            network(Validator::four(), Pace::DEVELOPMENT, alice())
        }
        LOCAL_FAST_PRESET => network(Validator::four(), Pace::FAST, alice()),
        TESTNET_PRESET => network(Validator::four(), Pace::REAL, None),
        _ => return None,
    })
}

/// The genesis patch of the preset `id`, as JSON.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
    serde_json::to_vec(&patch(id.as_ref())?).ok()
}

/// The genesis of the preset `id`: the defaults, into which its patch is merged as a node does it.
///
/// # Errors
/// There is no such preset, or it does not fit.
#[cfg(feature = "std")]
pub fn genesis_config(id: &PresetId) -> Result<RuntimeGenesisConfig, String> {
    let broken = |error: serde_json::Error| error.to_string();
    let patch = get_preset(id).ok_or("there is no such preset")?;
    let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).map_err(broken)?;
    merge(&mut config, serde_json::from_slice(&patch).map_err(broken)?);
    serde_json::from_value(config).map_err(broken)
}

/// RFC 7396, as far as presets need it.
#[cfg(feature = "std")]
fn merge(base: &mut Value, patch: Value) {
    match (base, patch) {
        (Value::Object(base), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, patch) => *base = patch,
    }
}

/// The presets there are.
pub fn preset_names() -> Vec<PresetId> {
    [
        sp_genesis_builder::DEV_RUNTIME_PRESET,
        DEV_FAST_PRESET,
        sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
        LOCAL_FAST_PRESET,
        TESTNET_PRESET,
    ]
    .into_iter()
    .map(PresetId::from)
    .collect()
}

// The endowments leave a pool to emit from: 14 well-known accounts, far below the cap.
const _: () = assert!(ENDOWMENT < MAX_SUPPLY / 20);
