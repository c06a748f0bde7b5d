// SPDX-License-Identifier: Apache-2.0

//! Networks of well-known authorities.

use crate::{
    configs::SlotDurationMs,
    constants::{
        consensus::{BABE_GENESIS_EPOCH_CONFIG, MAX_SLOT_DURATION_MS, MIN_SLOT_DURATION_MS},
        currency::TOKEN_DECIMALS,
        genesis::ENDOWMENT,
        SS58_PREFIX,
    },
    BabeConfig, BalancesConfig, GrandpaConfig, RuntimeGenesisConfig,
};
use polkadot_sdk::*;

use codec::Encode;
use serde_json::{json, Map, Value};
use sp_core::{bytes::to_hex, storage::Storage};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::BuildStorage;

/// The authorities to choose from, in this order: the keys that `--alice`, `--bob` and so on put
/// into a node's keystore.
const AUTHORITIES: [(Sr25519Keyring, Ed25519Keyring); 8] = [
    (Sr25519Keyring::Alice, Ed25519Keyring::Alice),
    (Sr25519Keyring::Bob, Ed25519Keyring::Bob),
    (Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
    (Sr25519Keyring::Dave, Ed25519Keyring::Dave),
    (Sr25519Keyring::Eve, Ed25519Keyring::Eve),
    (Sr25519Keyring::Ferdie, Ed25519Keyring::Ferdie),
    (Sr25519Keyring::One, Ed25519Keyring::One),
    (Sr25519Keyring::Two, Ed25519Keyring::Two),
];

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The number of authorities.
    pub validators: usize,
    /// Milliseconds between two slots.
    pub slot_ms: u64,
}

impl Network {
    /// Checks the network; the error says why it cannot be.
    fn check(&self) -> Result<(), String> {
        if !(1..=AUTHORITIES.len()).contains(&self.validators) {
            return Err(format!(
                "there are keys for 1 to {} validators",
                AUTHORITIES.len()
            ));
        }
        if !(MIN_SLOT_DURATION_MS..=MAX_SLOT_DURATION_MS).contains(&self.slot_ms) {
            return Err(format!(
                "a slot has {MIN_SLOT_DURATION_MS} to {MAX_SLOT_DURATION_MS} milliseconds"
            ));
        }
        // BABE takes it for twice the least time between two blocks.
        if !self.slot_ms.is_multiple_of(2) {
            return Err("a slot has an even number of milliseconds".into());
        }
        Ok(())
    }

    /// The state at genesis, without the code.
    pub fn storage(&self) -> Result<Storage, String> {
        self.check()?;
        let authorities = || AUTHORITIES.iter().take(self.validators);
        let mut storage = RuntimeGenesisConfig {
            babe: BabeConfig {
                authorities: authorities()
                    .map(|(node, _)| (node.public().into(), 1))
                    .collect(),
                epoch_config: BABE_GENESIS_EPOCH_CONFIG,
                ..Default::default()
            },
            grandpa: GrandpaConfig {
                authorities: authorities()
                    .map(|(_, finality)| (finality.public().into(), 1))
                    .collect(),
                ..Default::default()
            },
            balances: BalancesConfig {
                balances: Sr25519Keyring::iter()
                    .map(|account| (account.to_account_id(), ENDOWMENT))
                    .collect(),
                ..Default::default()
            },
            ..Default::default()
        }
        .build_storage()?;
        storage
            .top
            .insert(SlotDurationMs::key().to_vec(), self.slot_ms.encode());
        Ok(storage)
    }

    /// The raw chain specification of this network, which runs `code`.
    pub fn specification(&self, code: &[u8]) -> Result<Value, String> {
        let mut top = self.storage()?.top;
        top.insert(
            sp_core::storage::well_known_keys::CODE.to_vec(),
            code.to_vec(),
        );
        let top: Map<String, Value> = top
            .iter()
            .map(|(key, value)| (to_hex(key, false), to_hex(value, false).into()))
            .collect();
        Ok(json!({
            "name": "TOS yardstick",
            "id": "tos_bare",
            "chainType": "Local",
            "bootNodes": [],
            "telemetryEndpoints": null,
            "protocolId": "tos-bare",
            "properties": {
                "tokenSymbol": "TOS",
                "tokenDecimals": TOKEN_DECIMALS,
                "ss58Format": SS58_PREFIX,
            },
            "forkBlocks": null,
            "badBlocks": null,
            "codeSubstitutes": {},
            "genesis": { "raw": { "top": top, "childrenDefault": {} } },
        }))
    }
}
