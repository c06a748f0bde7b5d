// SPDX-License-Identifier: Apache-2.0

//! The prover inside a node (`tos-node --storage-provider`): the provider's worker, over the node's own RPC and without the
//! account's key.
//!
//! It answers audits and challenges, hands in roots of windows and serves committees and clients. What needs the account's
//! signature (accepting, sealing, settling) is left to `tos storage`.

use super::{Opened, ProofSigner, Provider, ProviderOptions, Setup};
use crate::{
    notify::Notifier,
    tasks::{self, Identity, Live, Mode, Role, StepReport},
};
use futures::FutureExt;
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    future::Future,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use tos_replica_store::Store;
use tos_sdk::{
    chain::{Endpoint, Folder, LocalRpc},
    content::Pace,
    error::{Context, Error, Result},
    http::Http,
};
use tos_storage_proofs::Hash;
use tracing::Instrument;

/// The pauses before the prover is set up again: the shortest, and the longest, to which it doubles.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// Time that threads which execute the runtime or read the store have to end.
const ENDING: Duration = Duration::from_secs(20);

/// A prover that is ready to run.
pub struct Embedded {
    folder: PathBuf,
    account: AccountId32,
    serve: Option<std::net::TcpListener>,
    http: Http,
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
            http: Http::new()?,
        })
    }

    /// Proves until `stop` completes, on `runtime` and this thread. Whatever keeps it from that is logged,
    /// and it is set up again after a pause. `report` is told after each step whether it succeeded.
    ///
    /// The runtime needs a worker thread of its own. It has ended when this returns, or its threads have had time to.
    pub fn run(
        self,
        runtime: Runtime,
        rpc: Arc<dyn LocalRpc>,
        key: impl ProofSigner + Clone,
        report: impl Fn(bool),
        stop: impl Future<Output = ()>,
    ) {
        runtime.block_on(async {
            tokio::select! {
                () = self.prove(rpc, key, report) => {},
                () = stop => {},
            }
        });
        runtime.shutdown_timeout(ENDING);
    }

    /// The work of the prover, which never ends.
    async fn prove(
        self,
        rpc: Arc<dyn LocalRpc>,
        key: impl ProofSigner + Clone,
        report: impl Fn(bool),
    ) {
        let Self {
            folder,
            account,
            serve,
            http,
        } = self;
        let mut setup = Setup {
            account,
            key,
            options: ProviderOptions {
                answers_only: true,
                accept: None,
                sealing: 0,
                settle: None,
                repair: true,
                keep_free: 0,
                pace: Pace::default(),
            },
            serve,
            keep_trash: None,
            strict: false,
            http,
            opened: Opened::default(),
        };
        let span = tasks::span(&setup.account);
        let work = async || follow(&folder, rpc.clone(), &mut setup, &report).await;
        without_end(PAUSES, || report(false), work)
            .instrument(span)
            .await;
    }
}

/// Proves until something keeps it from that.
async fn follow(
    store: &Path,
    rpc: Arc<dyn LocalRpc>,
    setup: &mut Setup<impl ProofSigner + Clone>,
    report: &impl Fn(bool),
) -> Result<()> {
    let identity = Identity::Account(setup.account.clone());
    let make = async |live: &Live, used: &Folder| {
        check_folder(store, used.path())?;
        let provider = setup.provider(live, used).await?;
        Ok(Reported { provider, report })
    };
    tasks::run(
        Endpoint::Local(rpc),
        identity,
        Mode::default(),
        &Notifier::default(),
        |_| store.to_owned(),
        make,
        // Signals are the node's, which drops this.
        std::future::pending(),
    )
    .await
}

/// Does `work` for ever: when it ends, by a panic too, `ended` is called, and it is done again after a pause.
/// That grows from the shortest of `pauses` to the longest, and begins anew after work that went on for longer.
async fn without_end(
    pauses: (Duration, Duration),
    ended: impl Fn(),
    mut work: impl AsyncFnMut() -> Result<()>,
) {
    let (shortest, longest) = pauses;
    let mut pause = shortest;
    loop {
        let began = Instant::now();
        let error = match AssertUnwindSafe(work()).catch_unwind().await {
            Ok(Ok(())) => Error::Failed("the prover ended".into()),
            Ok(Err(error)) => error,
            Err(_) => Error::Failed("the prover panicked, which the log has above".into()),
        };
        ended();
        if began.elapsed() > longest {
            pause = shortest;
        }
        tracing::error!(%error, pause_s = pause.as_secs(), "storage is not proven: {}", advice(&error));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// Advice for the operator of a node whose prover cannot work.
fn advice(error: &Error) -> &'static str {
    match error {
        Error::Usage(_) => {
            "no other program may use the store, and it must be of this chain; end `tos storage`, or \
             start the node with another --storage-provider"
        }
        _ => {
            "it goes on by itself once the cause is gone; `tos storage status` says what was missed"
        }
    }
}

/// A provider whose steps are reported.
struct Reported<'a, F> {
    provider: Provider,
    report: &'a F,
}

impl<F: Fn(bool)> Role<Live> for Reported<'_, F> {
    const INCLUSION_TIME: Duration = <Provider as Role<Live>>::INCLUSION_TIME;

    async fn step(&mut self, chain: &Live) -> Result<StepReport> {
        let done = Role::<Live>::step(&mut self.provider, chain).await;
        (self.report)(done.is_ok());
        done
    }

    async fn finish_job(&mut self) -> Result<()> {
        Role::<Live>::finish_job(&mut self.provider).await
    }

    fn gave_up(&self) -> Option<String> {
        Role::<Live>::gave_up(&self.provider)
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
        running,
        storage::{
            fake::{self, FakeChain, ME},
            tests::{prover, provider, OPTIONS},
            ReplicaProver,
        },
    };
    use polkadot_sdk::sp_core::sr25519;
    use std::{cell::Cell, sync::Mutex};
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
        assert_eq!(error.to_string(), running::already(&lock));
        for part in [
            lock.display().to_string(),
            format!("process {}", std::process::id()),
        ] {
            assert!(error.to_string().contains(&part), "{part}: {error}");
        }
    }

    #[tokio::test]
    async fn a_store_that_is_in_use_is_taken_up_when_it_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let mut in_use = Some(prover(folder.path()));
        let store = folder.path().join("store");
        let (proves, mut proving) = tokio::sync::mpsc::unbounded_channel();
        let (mut tries, ends) = (0, Cell::new(0));
        let work = without_end(
            (Duration::from_millis(1), Duration::from_millis(4)),
            || ends.set(ends.get() + 1),
            async || {
                tries += 1;
                if tries == 3 {
                    // The other program ends.
                    drop(in_use.take());
                }
                assert_ne!(tries, 2, "a panic is no end either");
                let opened = open_prover(&store, fake::proof_key())?;
                proves.send((tries, opened)).unwrap();
                std::future::pending().await
            },
        );
        let taken = tokio::select! {
            () = work => None,
            taken = proving.recv() => taken,
        };
        let (tries, opened) = taken.unwrap();
        assert_eq!((tries, ends.get()), (3, 2));
        assert!(opened.replicas().unwrap().is_empty());
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
