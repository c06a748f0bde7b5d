// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! `--storage-provider`: the prover of the workers' library, in a thread of its own, over this node's RPC.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use futures::{channel::oneshot, future::BoxFuture};
use polkadot_sdk::*;
use sc_service::{Error as ServiceError, RpcHandlers, TaskManager};
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_keystore::KeystorePtr;
use tokio::sync::mpsc;
use tos_runtime::Hash;
use tos_sdk::chain::LocalRpc;
use tos_types::storage::PROOF_KEY_TYPE;
use tos_workers::storage::{Embedded, ProofSigner};

/// Target of the prover's log lines.
const LOG: &str = "prover";

/// Storage that this node proves.
#[derive(Clone, Debug)]
pub struct StorageOptions {
    /// Store of sealed replicas.
    pub store: PathBuf,
    /// Address at which content and proofs are served.
    pub serve: Option<SocketAddr>,
}

/// The node's RPC, all methods of it.
struct NodeRpc(RpcHandlers);

impl LocalRpc for NodeRpc {
    fn call(&self, request: String) -> BoxFuture<'_, io::Result<(String, mpsc::Receiver<String>)>> {
        Box::pin(async move { self.0.rpc_query(&request).await.map_err(io::Error::from) })
    }
}

/// The proof keys in the node's keystore. They may be inserted while it runs.
#[derive(Clone)]
struct NodeKeys(KeystorePtr);

impl NodeKeys {
    const TYPE: KeyTypeId = KeyTypeId(PROOF_KEY_TYPE);
}

impl ProofSigner for NodeKeys {
    fn sign(&self, public: &[u8; 32], payload: &[u8; 32]) -> Option<[u8; 64]> {
        let public = sr25519::Public::from_raw(*public);
        let signature = self.0.sr25519_sign(Self::TYPE, &public, payload);
        Some(signature.ok()??.0)
    }

    fn has(&self, public: &[u8; 32]) -> bool {
        self.0.has_keys(&[(public.to_vec(), Self::TYPE)])
    }
}

/// A prover that is ready to start.
pub fn open(storage: StorageOptions, genesis: Hash) -> Result<Embedded, ServiceError> {
    Embedded::open(storage.store, genesis.0, storage.serve)
        .map_err(|error| ServiceError::Application(error.into()))
}

/// Starts a prover. It ends with the task manager.
pub fn launch(
    tasks: &TaskManager,
    prover: Embedded,
    rpc: RpcHandlers,
    keystore: KeystorePtr,
) -> Result<(), ServiceError> {
    let (alive, ended) = oneshot::channel::<()>();
    let stop = async {
        let _ = ended.await;
    };
    std::thread::Builder::new()
        .name("storage-prover".into())
        .spawn(move || {
            if let Err(error) = prover.run(Arc::new(NodeRpc(rpc)), NodeKeys(keystore), stop) {
                log::error!(target: LOG, "storage is not proven any more: {error}");
            }
        })?;
    // Dropped with the task.
    tasks
        .spawn_handle()
        .spawn("storage-prover", None, async move {
            let _alive = alive;
            futures::future::pending::<()>().await;
        });
    Ok(())
}
