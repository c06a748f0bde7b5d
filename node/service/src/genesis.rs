// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Opens the database of a chain, makes the first block where there is none, and says what takes time.
//!
//! A chain that is known by name keeps its genesis state as a preset of the runtime, so that making it means compiling the runtime, which
//! takes seconds, and many on a loaded machine. The SDK does that at every start, twice, and once more for itself. Here it is done where the
//! state is missing, and by the executor that the node goes on with, which keeps what it compiled.

use polkadot_sdk::*;
use std::{sync::Arc, time::Instant};

use codec::{Decode, Encode};
use sc_chain_spec::json_merge;
use sc_client_api::Backend;
use sc_service::{BuildGenesisBlock, Configuration, Error as ServiceError, GenesisBlockBuilder};
use sc_telemetry::TelemetryHandle;
use serde_json::Value;
use sp_api::CallContext;
use sp_blockchain::HeaderBackend;
use sp_core::{
    storage::{well_known_keys, Storage},
    traits::{CodeExecutor, RuntimeCode, WrappedRuntimeCode},
};
use sp_runtime::BuildStorage;
use sp_state_machine::BasicExternalities;
use tos_node_common::{Executor, FullBackend, FullClient};
use tos_runtime::{opaque::Block, RuntimeApi};

use crate::chain_spec;

/// The client, its database, the node's keys and its tasks.
type Opened = (
    FullClient,
    Arc<FullBackend>,
    sc_service::KeystoreContainer,
    sc_service::TaskManager,
);

/// Maker of the first block, for a database that has none.
struct Genesis<'a> {
    chain: &'a str,
    specification: &'a dyn BuildStorage,
    /// The changes that a chain known by name makes to the default configuration.
    patch: Option<Value>,
    /// `true` if the state is kept, and not only its root: a node that fetches a later one does not need it.
    keep: bool,
    backend: Arc<FullBackend>,
    executor: Executor,
}

impl BuildGenesisBlock<Block> for Genesis<'_> {
    type BlockImportOperation = <FullBackend as Backend<Block>>::BlockImportOperation;

    fn build_genesis_block(self) -> sp_blockchain::Result<(Block, Self::BlockImportOperation)> {
        let began = Instant::now();
        log::info!("🌱 Building the genesis state of {}", self.chain);
        let state = match self.patch {
            Some(patch) => state(patch, &self.executor),
            None => self.specification.build_storage(),
        };
        let builder = GenesisBlockBuilder::<Block, _, _>::new_with_storage(
            state.map_err(sp_blockchain::Error::Storage)?,
            self.keep,
            self.backend,
            self.executor,
        )?;
        let built = builder.build_genesis_block()?;
        log::info!(
            "🌱 Genesis state built in {} ms",
            began.elapsed().as_millis()
        );
        Ok(built)
    }
}

/// The genesis state of a chain known by name, of which `patch` says how it differs from the default. As the SDK makes it.
pub fn state(patch: Value, executor: &impl CodeExecutor) -> Result<Storage, String> {
    let code = chain_spec::code()?;
    let fetcher = WrappedRuntimeCode(code.into());
    // Under this hash the client asks for it, too, so that it is compiled once.
    let runtime = RuntimeCode {
        code_fetcher: &fetcher,
        heap_pages: None,
        hash: sp_io::hashing::blake2_256(code).to_vec(),
    };
    let call = |ext: &mut BasicExternalities, function: &str, data: &[u8]| {
        let (outcome, _) = executor.call(ext, &runtime, function, data, CallContext::Offchain);
        outcome.map_err(|cause| format!("{function}: {cause}"))
    };
    let mut ext = BasicExternalities::new_empty();
    let default = call(
        &mut ext,
        "GenesisBuilder_get_preset",
        &None::<String>.encode(),
    )?;
    let default = Option::<Vec<u8>>::decode(&mut &default[..])
        .map_err(|cause| cause.to_string())?
        .ok_or("the runtime has no default configuration")?;
    let mut configuration: Value =
        serde_json::from_slice(&default).map_err(|cause| cause.to_string())?;
    json_merge(&mut configuration, patch);
    let mut ext = BasicExternalities::new_empty();
    let built = call(
        &mut ext,
        "GenesisBuilder_build_state",
        &configuration.to_string().encode(),
    )?;
    sp_genesis_builder::Result::decode(&mut &built[..]).map_err(|cause| cause.to_string())??;
    let mut state = ext.into_storages();
    state
        .top
        .insert(well_known_keys::CODE.to_vec(), code.to_vec());
    Ok(state)
}

/// Opens the database that `config` names; `patch` is what the chain changes in the default genesis, if it is known by name.
pub fn open(
    config: &Configuration,
    patch: Option<Value>,
    telemetry: Option<TelemetryHandle>,
    executor: Executor,
) -> Result<Opened, ServiceError> {
    let began = Instant::now();
    log::info!("🗄  Opening the database");
    let backend = sc_service::new_db_backend(config.db_config())?;
    log::info!("🗄  Database opened in {} ms", began.elapsed().as_millis());
    let genesis = Genesis {
        chain: config.chain_spec.name(),
        specification: config.chain_spec.as_storage_builder(),
        patch,
        keep: !config.no_genesis(),
        backend: Arc::clone(&backend),
        executor: executor.clone(),
    };
    let opened = sc_service::new_full_parts_with_genesis_builder::<Block, RuntimeApi, _, _>(
        config, telemetry, executor, backend, genesis, false,
    )?;
    compile(&opened.0);
    Ok(opened)
}

/// Compiles the runtime of the best block, which the first call of it would do without a word. It is kept.
fn compile(client: &FullClient) {
    let began = Instant::now();
    let best = client.info().best_hash;
    log::info!("⚙️  Compiling the runtime");
    match client.runtime_version_at(best, CallContext::Offchain) {
        Ok(version) => log::info!(
            "⚙️  Runtime {}-{} compiled in {} ms",
            version.spec_name,
            version.spec_version,
            began.elapsed().as_millis()
        ),
        // A node that fetches its first state from the network has none yet.
        Err(cause) => log::info!("⚙️  The runtime is compiled later: {cause}"),
    }
}
