// SPDX-License-Identifier: Apache-2.0

//! Set-up of a provider's worker for the chain that its node is on, in `tos storage run` and inside
//! a node. It is done again where the node is on another chain than before: that has a store of its own.

use super::{
    prover::{OpenProvers, ProofSigner, ReplicaProver},
    serve::{serve_on, ReplicaServer},
    Provider, ProviderOptions,
};
use crate::tasks::{start, Live};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{net::TcpListener, sync::Arc, time::Duration};
use tokio::task::AbortHandle;
use tos_sdk::{
    chain::{Folder, Memory},
    error::Result,
    http::Http,
};

/// Parts of a provider's worker that outlast a set-up.
pub struct Setup<K> {
    /// The provider's account.
    pub account: AccountId32,
    /// The signer of proofs.
    pub key: K,
    /// Work of the provider.
    pub options: ProviderOptions,
    /// Listener on which content and proofs are served, if they are.
    pub serve: Option<TcpListener>,
    /// Time that what is over lies in the store's trash; seven days when missing.
    pub keep_trash: Option<Duration>,
    /// `true` as long as an account that is not registered, with an empty store, is an error. On another
    /// chain, after the first one, it may be registered later.
    pub strict: bool,
    /// The client that fetches content.
    pub http: Http,
    /// Leftovers of set-ups before.
    pub opened: Opened,
}

/// The server and the stores that set-ups have left open.
#[derive(Default)]
pub struct Opened {
    server: Option<AbortHandle>,
    provers: OpenProvers,
}

impl<K: ProofSigner + Clone> Setup<K> {
    /// Opens the store in `folder` unless it still is open, serves it, and makes the worker over it.
    ///
    /// # Errors
    /// The store cannot be used, the account is not registered, or the node does not answer.
    pub async fn provider(&mut self, live: &Live, folder: &Folder) -> Result<Provider> {
        if let Some(server) = self.opened.server.take() {
            server.abort();
        }
        let (connection, path, who) = (&live.connection, folder.path(), &self.account);
        let prover = match self.opened.provers.get(path) {
            Some(prover) => prover,
            None => {
                let prover = ReplicaProver::of_chain(connection, path, who, self.key.clone());
                Arc::new(prover.await?)
            }
        };
        self.opened.provers.insert(&prover);
        // A store with replicas in it says that the account was registered: the node is behind.
        let empty = prover.replicas()?.is_empty();
        let seen = folder.read()?.map_or(0, |record| record.best);
        start::provider(live, who, self.strict && empty, seen).await?;
        self.strict = false;
        if let Some(listener) = &self.serve {
            let replicas = ReplicaServer::new(prover.clone());
            let server = serve_on(listener, replicas, connection, who, &self.http).await?;
            self.opened.server = Some(server);
        }
        let provider = Provider::new(self.options, prover, self.http.clone());
        Ok(match self.keep_trash {
            Some(time) => provider.keep_trash(time),
            None => provider,
        })
    }
}
