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

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::crypto::Pair as _;
    use sp_keystore::{testing::MemoryKeystore, Keystore as _};

    #[test]
    fn proofs_are_signed_with_keys_of_their_own_type_also_with_those_inserted_later() {
        let keystore = MemoryKeystore::new();
        let keys = NodeKeys(Arc::new(keystore.clone()));
        let (suri, payload) = (Some("//Proof"), [7; 32]);
        let of_babe = keystore.sr25519_generate_new(KeyTypeId(*b"babe"), suri);
        let public = of_babe.expect("a key");
        assert!(!keys.has(&public.0));
        assert_eq!(keys.sign(&public.0, &payload), None);
        let inserted = keystore.sr25519_generate_new(NodeKeys::TYPE, suri);
        assert_eq!(inserted.expect("a key"), public);
        assert!(keys.has(&public.0));
        let signature = keys.sign(&public.0, &payload).expect("the key is here");
        let signature = sr25519::Signature::from_raw(signature);
        assert!(sr25519::Pair::verify(&signature, payload, &public));
    }

    #[test]
    fn a_node_does_not_start_without_the_store_it_should_prove() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = StorageOptions {
            store: folder.path().to_owned(),
            serve: None,
        };
        let Err(error) = open(storage, Hash::zero()) else {
            panic!("there is no store");
        };
        let missing = format!("Application: {}: ", folder.path().join("store").display());
        assert!(error.to_string().starts_with(&missing), "{error}");
    }
}
