// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The networks that this node can join or start.

use polkadot_sdk::*;

use sc_chain_spec::{ChainSpecExtension, ChainType, Properties};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tos_runtime::{constants, genesis_presets, WASM_BINARY};

/// Parts of a chain specification besides the genesis state.
#[derive(Default, Clone, Serialize, Deserialize, ChainSpecExtension)]
#[serde(rename_all = "camelCase")]
pub struct Extensions {
    /// Blocks with known hashes, where a fork must be taken.
    pub fork_blocks: sc_client_api::ForkBlocks<tos_runtime::opaque::Block>,
    /// Blocks that must not be imported.
    pub bad_blocks: sc_client_api::BadBlocks<tos_runtime::opaque::Block>,
}

/// The chain specification of TOS networks.
pub type ChainSpec = sc_service::GenericChainSpec<Extensions>;

/// A network that is known by name.
struct Network {
    /// Value of `--chain`; also its id and, after `tos-`, its protocol id.
    id: &'static str,
    name: &'static str,
    kind: ChainType,
    /// The genesis preset of the runtime.
    preset: &'static str,
}

fn networks() -> [Network; 5] {
    [
        Network {
            id: "dev",
            name: "TOS Development",
            kind: ChainType::Development,
            preset: sp_genesis_builder::DEV_RUNTIME_PRESET,
        },
        Network {
            id: "dev-fast",
            name: "TOS Development (fast)",
            kind: ChainType::Development,
            preset: genesis_presets::DEV_FAST_PRESET,
        },
        Network {
            id: "local",
            name: "TOS Local Testnet",
            kind: ChainType::Local,
            preset: sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
        },
        Network {
            id: "local-fast",
            name: "TOS Local Testnet (fast)",
            kind: ChainType::Local,
            preset: genesis_presets::LOCAL_FAST_PRESET,
        },
        Network {
            id: "testnet",
            name: "TOS Testnet",
            kind: ChainType::Live,
            preset: genesis_presets::TESTNET_PRESET,
        },
    ]
}

/// Properties by which wallets show amounts and addresses.
fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "TOS".into());
    properties.insert(
        "tokenDecimals".into(),
        constants::currency::TOKEN_DECIMALS.into(),
    );
    properties.insert("ss58Format".into(), constants::SS58_PREFIX.into());
    properties
}

/// The changes that a network known by name makes to the default genesis configuration; `None` for other names. They equal the
/// runtime's preset, which need not be compiled for that.
fn patch(id: &str) -> Option<Value> {
    let network = networks().into_iter().find(|network| network.id == id)?;
    let preset = genesis_presets::get_preset(&network.preset.to_owned())?;
    serde_json::from_slice(&preset).ok()
}

/// The code that networks known by name begin with.
pub fn code() -> Result<&'static [u8], String> {
    WASM_BINARY.ok_or_else(|| "this node was built without a WASM runtime".into())
}

fn build(network: &Network) -> Result<ChainSpec, String> {
    let patch = patch(network.id).ok_or("the runtime lacks the network's preset")?;
    Ok(ChainSpec::builder(code()?, Extensions::default())
        .with_name(network.name)
        .with_id(network.id)
        .with_protocol_id(&format!("tos-{}", network.id))
        .with_chain_type(network.kind.clone())
        .with_properties(properties())
        .with_genesis_config_patch(patch)
        .build())
}

/// Name of the network that `--chain` names.
fn named(id: &str) -> &str {
    // A node that is told nothing starts the local network: it cannot join a real one by accident.
    if id.is_empty() {
        "local"
    } else {
        id
    }
}

/// The changes that `--chain` makes to the default genesis configuration; `None` if it is the path of a specification.
pub fn known_patch(chain: &str) -> Option<Value> {
    patch(named(chain))
}

/// The network that `--chain` names: one that is known, or the path of a specification.
pub fn load(id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
    let id = named(id);
    match networks().iter().find(|network| network.id == id) {
        Some(network) => Ok(Box::new(build(network)?)),
        None if std::path::Path::new(id).exists() => {
            Ok(Box::new(ChainSpec::from_json_file(id.into())?))
        }
        None => {
            let known: Vec<_> = networks().iter().map(|network| network.id).collect();
            Err(format!(
                "no network is called '{id}' and there is no such file; known are {}",
                known.join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_runtime::BuildStorage;

    #[test]
    fn every_known_network_has_a_genesis_and_a_protocol_of_its_own() {
        let executor = tos_node_common::Executor::new(
            sc_executor::WasmExecutor::<tos_node_common::HostFunctions>::builder().build(),
        );
        let mut protocols = std::collections::BTreeSet::new();
        for network in networks() {
            let spec = build(&network).expect("the runtime is there");
            let state = spec.build_storage().expect("the preset builds");
            let patch = known_patch(network.id).expect("it is known");
            let ours = crate::genesis::state(patch, &executor).expect("the node builds it, too");
            assert!(ours.top == state.top, "{}: another genesis", network.id);
            assert!(ours.children_default.is_empty() && state.children_default.is_empty());
            assert!(protocols.insert(spec.protocol_id().map(str::to_owned)));
            assert!(spec.as_json(false).expect("serialises").contains("TOS"));
        }
    }

    #[test]
    fn an_unknown_network_is_refused_with_the_known_ones() {
        let Err(error) = load("no-such-network") else {
            panic!("a network of that name was found");
        };
        assert!(
            error.contains("testnet") && error.contains("no-such-network"),
            "{error}"
        );
    }
}
