// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! JSON-RPC of the node: the SDK's own methods (`standard`), others, and the filters of both.

#![warn(missing_docs)]

mod answers;
mod call_filter;
mod changes;
mod computed;
mod endings;
mod log_filter;
mod method_filter;
mod pattern;
mod query;
mod reads;
mod standard;
mod task_changes;
mod timekeeper;

pub use call_filter::CallFilter;
pub use endings::announce_ends;
pub use log_filter::serve_log_filter;
pub use method_filter::MethodFilter;
pub use pattern::Pattern;
pub use standard::{standard, StandardDeps};

use polkadot_sdk::*;

use std::sync::Arc;

use jsonrpsee::RpcModule;
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_grandpa::{
    FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_rpc::SubscriptionTaskExecutor;
use sc_transaction_pool_api::TransactionPool;
use sp_keystore::KeystorePtr;
use tos_node_beacon::Beacon;
use tos_node_common::{FullBackend, FullClient, FullSelectChain};
use tos_runtime::{opaque::Block, AccountId, BlockNumber, Hash, Nonce};

/// Sources of answers about block production.
pub struct BabeDeps {
    /// The BABE worker.
    pub worker: BabeWorkerHandle<Block>,
    /// The keys of this node.
    pub keystore: KeystorePtr,
    /// The rule for the best chain.
    pub select_chain: FullSelectChain,
}

/// Sources of answers about finality.
pub struct GrandpaDeps {
    /// The state of the vote in progress.
    pub voter_state: SharedVoterState,
    /// The voters.
    pub authority_set: SharedAuthoritySet<Hash, BlockNumber>,
    /// Justifications as they are made.
    pub justifications: GrandpaJustificationStream<Block>,
    /// Proofs of finality.
    pub proofs: Arc<FinalityProofProvider<FullBackend, Block>>,
    /// Runs subscriptions.
    pub executor: SubscriptionTaskExecutor,
}

/// Sources of answers.
pub struct FullDeps<P> {
    /// The client.
    pub client: Arc<FullClient>,
    /// The transaction pool.
    pub pool: Arc<P>,
    /// The beacon as this node knows it.
    pub beacon: Arc<Beacon>,
    /// Block production.
    pub babe: BabeDeps,
    /// Finality.
    pub grandpa: GrandpaDeps,
}

/// Methods, which can be merged.
pub type Extension = RpcModule<()>;
/// Reason for which methods cannot be put together.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Accounts and fees.
fn accounts<P>(client: &Arc<FullClient>, pool: &Arc<P>) -> Result<Extension, Error>
where
    P: TransactionPool<Block = Block, Hash = Hash> + 'static,
{
    use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
    use substrate_frame_rpc_system::{System, SystemApiServer};

    let mut module = Extension::new(());
    module.merge(SystemApiServer::<Hash, AccountId, Nonce>::into_rpc(
        System::new(Arc::clone(client), Arc::clone(pool)),
    ))?;
    module.merge(TransactionPayment::<_, Block>::new(Arc::clone(client)).into_rpc())?;
    Ok(module)
}

/// Block production and finality.
fn consensus(
    client: &Arc<FullClient>,
    babe: BabeDeps,
    grandpa: GrandpaDeps,
) -> Result<Extension, Error> {
    use sc_consensus_babe_rpc::{Babe, BabeApiServer};
    use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};

    let mut module = Extension::new(());
    module.merge(
        Babe::new(
            Arc::clone(client),
            babe.worker,
            babe.keystore,
            babe.select_chain,
        )
        .into_rpc(),
    )?;
    module.merge(
        Grandpa::new(
            grandpa.executor,
            grandpa.authority_set,
            grandpa.voter_state,
            grandpa.justifications,
            grandpa.proofs,
        )
        .into_rpc(),
    )?;
    Ok(module)
}

/// The `tos_*` namespace: the protocol in readable JSON. All reads, and by hand what is more than one.
fn protocol(client: &Arc<FullClient>, beacon: Arc<Beacon>) -> Result<Extension, Error> {
    use task_changes::{TaskChangesApiServer, TaskChangesRpc};
    use timekeeper::{TimekeeperApiServer, TimekeeperRpc};

    let mut module = reads::module(client)?;
    module.merge(TaskChangesRpc::new(Arc::clone(client)).into_rpc())?;
    module.merge(TimekeeperRpc::new(beacon).into_rpc())?;
    Ok(module)
}

/// Everything. A namespace of its own is one more function like those above, merged here.
pub fn create_full<P>(deps: FullDeps<P>) -> Result<Extension, Error>
where
    P: TransactionPool<Block = Block, Hash = Hash> + 'static,
{
    use sc_rpc::dev::{Dev, DevApiServer};

    let FullDeps {
        client,
        pool,
        beacon,
        babe,
        grandpa,
    } = deps;
    let mut module = Extension::new(());
    module.merge(accounts(&client, &pool)?)?;
    module.merge(consensus(&client, babe, grandpa)?)?;
    module.merge(protocol(&client, beacon)?)?;
    // Block statistics; the server refuses it unless unsafe methods are allowed.
    module.merge(Dev::new(client).into_rpc())?;
    Ok(module)
}
