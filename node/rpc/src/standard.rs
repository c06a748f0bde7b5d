// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The methods that every node of the SDK answers.

use polkadot_sdk::*;
use std::sync::Arc;

use sc_client_api::{Backend, BlockBackend};
use sc_network_sync::SyncingService;
use sc_rpc::{
    author::{Author, AuthorApiServer},
    chain::ChainApiServer,
    offchain::{Offchain, OffchainApiServer},
    state::{ChildStateApiServer, StateApiServer},
    system::{Request, System, SystemApiServer, SystemInfo},
    SubscriptionTaskExecutor,
};
use sc_rpc_spec_v2::{
    archive::{Archive, ArchiveApiServer},
    bitswap::{Bitswap, BitswapApiServer},
    chain_head::{ChainHead, ChainHeadApiServer, ChainHeadConfig},
    chain_spec::{ChainSpec, ChainSpecApiServer},
    transaction::{
        Transaction, TransactionApiServer, TransactionBroadcast, TransactionBroadcastApiServer,
        TransactionMetrics,
    },
};
use sc_service::Configuration;
use sc_transaction_pool_api::TransactionPool;
use sc_utils::mpsc::TracingUnboundedSender;
use sp_keystore::KeystorePtr;
use tos_node_common::{FullBackend, FullClient};
use tos_runtime::{opaque::Block, Hash};

use super::{Error, Extension};

/// Transactions that one connection may have the node send again and again.
const BROADCASTS: usize = 16;

/// Sources of their answers.
pub struct StandardDeps<'a, P> {
    /// Configuration of the node.
    pub config: &'a Configuration,
    /// The chain.
    pub client: Arc<FullClient>,
    /// Its database.
    pub backend: Arc<FullBackend>,
    /// The keys of this node.
    pub keystore: KeystorePtr,
    /// Transactions that wait.
    pub pool: Arc<P>,
    /// Synchronisation, which knows its peers.
    pub sync: Arc<SyncingService<Block>>,
    /// Sender of questions about the network.
    pub system_rpc_tx: TracingUnboundedSender<Request<Block>>,
    /// Runs subscriptions.
    pub executor: SubscriptionTaskExecutor,
}

/// All of them: the established ones, and those of the second specification.
pub fn standard<P>(deps: StandardDeps<'_, P>) -> Result<Extension, Error>
where
    P: TransactionPool<Block = Block, Hash = Hash> + 'static,
{
    let mut module = established(&deps)?;
    module.merge(second(&deps)?)?;
    Ok(module)
}

/// `author_*`, `chain_*`, `childstate_*`, `offchain_*`, `state_*` and `system_*`.
fn established<P>(deps: &StandardDeps<'_, P>) -> Result<Extension, Error>
where
    P: TransactionPool<Block = Block, Hash = Hash> + 'static,
{
    let config = deps.config;
    let client = || Arc::clone(&deps.client);
    let pool = || Arc::clone(&deps.pool);
    let executor = || Arc::clone(&deps.executor);
    let mut module = Extension::new(());
    let author = Author::new(client(), pool(), deps.keystore.clone(), executor());
    module.merge(author.into_rpc())?;
    module.merge(sc_rpc::chain::new_full(client(), executor()).into_rpc())?;
    let (state, child_state) = sc_rpc::state::new_full(client(), executor(), None);
    module.merge(state.into_rpc())?;
    module.merge(child_state.into_rpc())?;
    if let Some(storage) = deps.backend.offchain_storage() {
        module.merge(Offchain::new(storage).into_rpc())?;
    }
    let info = SystemInfo {
        impl_name: config.impl_name.clone(),
        impl_version: config.impl_version.clone(),
        chain_name: config.chain_spec.name().into(),
        properties: config.chain_spec.properties(),
        chain_type: config.chain_spec.chain_type(),
    };
    module.merge(System::new(info, deps.system_rpc_tx.clone()).into_rpc())?;
    Ok(module)
}

/// `archive_*`, on archives, `bitswap_*`, `chainHead_*`, `chainSpec_*`, `transaction_*` and
/// `transactionWatch_*`.
fn second<P>(deps: &StandardDeps<'_, P>) -> Result<Extension, Error>
where
    P: TransactionPool<Block = Block, Hash = Hash> + 'static,
{
    let config = deps.config;
    let client = || Arc::clone(&deps.client);
    let pool = || Arc::clone(&deps.pool);
    let backend = || Arc::clone(&deps.backend);
    let executor = || Arc::clone(&deps.executor);
    let genesis = deps
        .client
        .block_hash(0)?
        .ok_or("the database has no genesis block")?;
    let metrics = config
        .prometheus_registry()
        .map(TransactionMetrics::new)
        .transpose()?;
    let mut module = Extension::new(());
    let transactions = Transaction::new(client(), pool(), executor(), metrics);
    module.merge(transactions.into_rpc())?;
    let broadcast = TransactionBroadcast::new(client(), pool(), executor(), BROADCASTS);
    module.merge(broadcast.into_rpc())?;
    let head = ChainHead::new(client(), backend(), executor(), ChainHeadConfig::default());
    module.merge(head.into_rpc())?;
    let (name, properties) = (config.chain_spec.name(), config.chain_spec.properties());
    module.merge(ChainSpec::new(name.into(), genesis, properties).into_rpc())?;
    module.merge(Bitswap::new(client(), deps.sync.clone()).into_rpc())?;
    let keeps_states = config
        .state_pruning
        .as_ref()
        .is_some_and(|pruning| pruning.is_archive());
    if keeps_states && config.blocks_pruning.is_archive() {
        let archive = Archive::new(client(), backend(), genesis, executor());
        module.merge(archive.into_rpc())?;
    }
    Ok(module)
}
