// SPDX-License-Identifier: Apache-2.0

//! The prover inside a node (`tos-node --storage-provider`): the provider's worker, over the node's own RPC and without the
//! account's key.
//!
//! It answers audits and challenges, hands in roots of windows and serves committees and clients. What needs the account's
//! signature (accepting, sealing, settling) is left to `tos storage`.

use super::{
    prover::{ProofSigner, ReplicaProver},
    serve::{serve_on, ReplicaServer},
    Provider, ProviderOptions,
};
use crate::{
    notify::Notifier,
    tasks::{run, start, Identity, Live, Mode},
};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    future::Future,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::task::AbortHandle;
use tos_replica_store::Store;
use tos_sdk::{
    chain::{Endpoint, Folder, LocalRpc, Memory},
    content::Pace,
    error::{Context, Error, Result},
    http::Http,
};
use tos_storage_proofs::Hash;

/// A prover that is ready to run.
pub struct Embedded {
    folder: PathBuf,
    account: AccountId32,
    serve: Option<std::net::TcpListener>,
}

impl Embedded {
    /// Looks at the store in `folder`, which `tos storage init` made, and begins to listen on `serve`.
    ///
    /// # Errors
    /// There is no store, it is of a chain with another genesis block, or the address cannot be listened on.
    pub fn open(folder: PathBuf, genesis: Hash, serve: Option<SocketAddr>) -> Result<Self> {
        let header =
            Store::read_header(&folder).map_err(|error| Error::Usage(error.to_string()))?;
        if header.genesis != genesis {
            let folder = folder.display();
            return Err(Error::Usage(format!(
                "the store in {folder} is of another chain"
            )));
        }
        let listen = |address: SocketAddr| {
            let listener = std::net::TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            Ok::<_, std::io::Error>(listener)
        };
        let serve = serve
            .map(|address| listen(address).context(address))
            .transpose()?;
        Ok(Self {
            folder,
            account: header.provider.into(),
            serve,
        })
    }

    /// Proves until `stop` completes. Blocks this thread, on which alone it works.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn run(
        self,
        rpc: Arc<dyn LocalRpc>,
        key: impl ProofSigner + Clone,
        stop: impl Future<Output = ()>,
    ) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.context("starting the prover")?;
        let done = runtime.block_on(async {
            tokio::select! {
                done = self.follow(rpc, key) => done,
                () = stop => Ok(()),
            }
        });
        // Threads that read the store end with what they do.
        runtime.shutdown_background();
        done
    }

    async fn follow(self, rpc: Arc<dyn LocalRpc>, key: impl ProofSigner + Clone) -> Result<()> {
        let Self {
            folder,
            account,
            serve,
        } = self;
        let options = ProviderOptions {
            answers_only: true,
            accept: None,
            sealing: 0,
            settle: None,
            repair: true,
            keep_free: 0,
            pace: Pace::default(),
        };
        let http = Http::new()?;
        let mut server: Option<AbortHandle> = None;
        let who = &account;
        let make = async |live: &Live, memory: &Folder| {
            check_folder(&folder, memory.path())?;
            let prover = Arc::new(
                ReplicaProver::of_chain(&live.connection, memory.path(), who, key.clone()).await?,
            );
            start::provider(live, who, false, memory.read()?.map_or(0, |seen| seen.best)).await?;
            if let Some(listener) = &serve {
                let replicas = ReplicaServer::new(prover.clone());
                let serving = serve_on(listener, replicas, &live.connection, who, &http).await?;
                if let Some(before) = server.replace(serving) {
                    before.abort();
                }
            }
            Ok(Provider::new(options, prover, http.clone()))
        };
        let identity = Identity::Account(account.clone());
        let place = |_: &Hash| folder.clone();
        run(
            Endpoint::Local(rpc),
            identity,
            Mode::default(),
            &Notifier::default(),
            place,
            make,
        )
        .await
    }
}

/// Refuses a store that is not used: the chain was given a folder next to it, since the store is of another one.
fn check_folder(store: &Path, used: &Path) -> Result<()> {
    if used == store {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "the store in {} is of another chain, which began with the same genesis block",
        store.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        storage::{
            fake::{self, FakeChain, ME},
            tests::{prover, provider, OPTIONS},
        },
        tasks::Role,
    };
    use polkadot_sdk::sp_core::sr25519;
    use std::sync::Mutex;
    use tos_sdk::chain::{meet, Guard};
    use tos_storage_proofs::SealParams;

    fn open_prover(store: &Path, keys: impl ProofSigner) -> Result<ReplicaProver> {
        ReplicaProver::open(store, (SealParams::TEST, 16), &ME, fake::GENESIS, keys)
    }

    /// The folder that the chain with this tag is given by a worker whose store is `store`.
    async fn given(store: &Path, tag: u64) -> PathBuf {
        let mut chain = FakeChain::new(Vec::new(), "http://h");
        chain.tag = tag;
        for _ in 0..6 {
            chain.advance();
        }
        let guard: Guard<Folder> = meet(&chain, store).await.unwrap().unwrap();
        guard.memory().path().to_owned()
    }

    #[test]
    fn a_store_of_a_chain_with_another_genesis_block_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(prover(folder.path()));
        let store = folder.path().join("store");
        assert!(Embedded::open(store.clone(), fake::GENESIS, None).is_ok());
        let Err(error) = Embedded::open(store.clone(), [8; 32], None) else {
            panic!("opened for another chain");
        };
        let refused = format!("the store in {} is of another chain", store.display());
        assert_eq!(error.to_string(), refused);
    }

    #[tokio::test]
    async fn a_store_of_another_chain_with_the_same_genesis_block_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(prover(folder.path()));
        let store = folder.path().join("store");
        check_folder(&store, &given(&store, 1).await).unwrap();
        let error = check_folder(&store, &given(&store, 2).await).unwrap_err();
        let refused = format!(
            "the store in {} is of another chain, which began with the same genesis block",
            store.display()
        );
        assert_eq!(error.to_string(), refused);
        // It stays the first chain's.
        check_folder(&store, &given(&store, 1).await).unwrap();
    }

    #[test]
    fn a_store_that_is_in_use_is_refused_when_it_is_opened_not_when_it_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let _in_use = prover(folder.path());
        let store = folder.path().join("store");
        assert!(Embedded::open(store.clone(), fake::GENESIS, None).is_ok());
        let Err(error) = open_prover(&store, fake::proof_key()) else {
            panic!("opened twice");
        };
        let lock = store.join("lock");
        let refused = format!("{}: in use by another process", lock.display());
        assert_eq!(error.to_string(), refused);
    }

    /// A keystore into which the proof key is put while the prover runs.
    #[derive(Clone, Default)]
    struct Keystore(Arc<Mutex<Option<sr25519::Pair>>>);

    impl ProofSigner for Keystore {
        fn sign(&self, public: &[u8; 32], payload: &[u8; 32]) -> Option<[u8; 64]> {
            let key = self.0.lock().unwrap();
            ProofSigner::sign(key.as_ref()?, public, payload)
        }

        fn has(&self, public: &[u8; 32]) -> bool {
            let key = self.0.lock().unwrap();
            key.as_ref().is_some_and(|key| key.has(public))
        }
    }

    #[tokio::test]
    async fn a_proof_key_that_is_missing_is_asked_for_and_taken_once_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keystore::default();
        let prover = open_prover(&folder.path().join("store"), keys.clone()).unwrap();
        let chain = FakeChain::new(Vec::new(), "http://h");
        let mut worker = provider(Arc::new(prover), OPTIONS);
        chain.advance();
        let error = Role::<FakeChain>::step(&mut worker, &chain)
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the proof key that the chain knows is not here: say --proof-key, or `tos storage set`; \
             a node needs it in its keystore, as a key of type `tosp`"
        );
        *keys.0.lock().unwrap() = Some(fake::proof_key());
        chain.advance();
        Role::<FakeChain>::step(&mut worker, &chain).await.unwrap();
    }
}
