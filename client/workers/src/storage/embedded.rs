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
use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc};
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
            if memory.path() != folder {
                return Err(Error::Usage(format!(
                    "the store in {} is of another chain, which began with the same genesis block",
                    folder.display()
                )));
            }
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
