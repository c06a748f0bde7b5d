// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! `--storage-provider`: the prover of the workers' library, in a thread of its own, over this node's RPC.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        mpsc::{channel, Receiver, RecvTimeoutError},
        Arc,
    },
    thread::JoinHandle,
    time::Duration,
};

use futures::{channel::oneshot, future::BoxFuture};
use polkadot_sdk::*;
use sc_service::{Error as ServiceError, RpcHandlers, TaskManager};
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_keystore::KeystorePtr;
use sp_panic_handler::AbortGuard;
use substrate_prometheus_endpoint::{register, Gauge, PrometheusError, Registry, U64};
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc,
};
use tos_runtime::Hash;
use tos_sdk::chain::LocalRpc;
use tos_types::storage::PROOF_KEY_TYPE;
use tos_workers::storage::{Embedded, ProofSigner};

/// Target of the prover's log lines.
const LOG: &str = "prover";
/// Time that a node which ends gives its prover. The service manager waits for a minute.
const ENDING: Duration = Duration::from_secs(30);

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

/// Lets panics of this thread end the thread, or the task, and not the node, as the hook of the SDK does by itself.
fn survive_panics() {
    // For as long as the thread lives: the guard is never given back.
    std::mem::forget(AbortGuard::never_abort());
}

/// The runtime that the prover works on, its calls of the node and their subscriptions included: they share no thread with those
/// of the RPC server. Strangers reach its threads by `--storage-serve`.
fn runtime() -> io::Result<Runtime> {
    // With worker threads, tasks are dropped as soon as the runtime is shut down, and with them what blocking threads wait for.
    // The second is there for the node's notifications while the first answers a stranger.
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("storage-prover")
        .on_thread_start(survive_panics)
        .enable_all()
        .build()
}

/// The thread that proves. Dropping this asks it to end and waits for that: it may hold the database last, and a database that
/// is closed while the process ends takes the process down with it.
struct Running {
    stop: Option<oneshot::Sender<()>>,
    /// Nothing is sent; the other end is dropped when the thread is done.
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Does `work` in a thread, which is told when to stop.
    fn start(work: impl FnOnce(oneshot::Receiver<()>) + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (alive, ended) = channel();
        let thread = std::thread::Builder::new()
            .name("storage-prover".into())
            .spawn(move || {
                let _alive = alive;
                survive_panics();
                work(stopped);
            })?;
        Ok(Self {
            stop: Some(stop),
            ended,
            thread: Some(thread),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(ENDING) {
            log::warn!(target: LOG, "the storage prover is still at work while the node ends");
        } else if let Some(thread) = self.thread.take() {
            // A panic was told when it happened.
            let _ = thread.join();
        }
    }
}

/// The gauge of a node that proves.
fn gauge(registry: &Registry) -> Result<Gauge<U64>, PrometheusError> {
    let help = "1 while the storage prover of this node does its work, 0 while something keeps it from that";
    register(Gauge::new("tos_storage_prover_running", help)?, registry)
}

/// Starts a prover. It ends with the task manager.
pub fn launch(
    tasks: &mut TaskManager,
    prover: Embedded,
    rpc: RpcHandlers,
    keystore: KeystorePtr,
    registry: Option<&Registry>,
) -> Result<(), ServiceError> {
    let gauge = registry.map(gauge).transpose()?;
    let report = move |works: bool| {
        if let Some(gauge) = &gauge {
            gauge.set(works.into());
        }
    };
    let runtime = runtime()?;
    let running = Running::start(move |stopped| {
        let stop = async {
            let _ = stopped.await;
        };
        let (rpc, keys) = (Arc::new(NodeRpc(rpc)), NodeKeys(keystore));
        prover.run(runtime, rpc, keys, report, stop);
    })?;
    tasks.keep_alive(running);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subscriptions::OnCallersRuntime;
    use futures::{stream, StreamExt};
    use sc_rpc::{
        utils::{spawn_subscription_task, BoundedVecDeque, PendingSubscription},
        SubscriptionTaskExecutor,
    };
    use sp_core::crypto::Pair as _;
    use sp_keystore::{testing::MemoryKeystore, Keystore as _};
    use std::sync::{mpsc::Sender, Mutex};

    /// Time in which an answer comes that nothing holds up.
    const LATE: Duration = Duration::from_secs(60);

    /// A runtime that has no thread free until the sender is dropped.
    fn saturated() -> (Runtime, Sender<()>) {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).max_blocking_threads(1);
        let runtime = builder.build().expect("starts");
        let (hold, held) = channel();
        let held = Arc::new(Mutex::new(held));
        let (taken, takes) = channel();
        let take = || {
            let (held, taken) = (Arc::clone(&held), taken.clone());
            move || {
                taken.send(()).expect("is waited for");
                // One of them waits for the sender, the other for the lock.
                let held = held.lock().expect("no thread panics");
                let _: Result<(), _> = held.recv();
            }
        };
        let (task, job) = (take(), take());
        runtime.spawn(async move { task() });
        runtime.spawn_blocking(job);
        for _ in 0..2 {
            takes.recv().expect("a thread is taken");
        }
        (runtime, hold)
    }

    /// Methods like the SDK's: a call, one that blocks, and a subscription.
    fn methods(executor: SubscriptionTaskExecutor) -> tos_node_rpc::Extension {
        let mut module = tos_node_rpc::Extension::new(());
        module
            .register_method("system_health", |_, _, _| 1_u32)
            .expect("registers");
        module
            .register_blocking_method("state_call", |_, _, _| 2_u32)
            .expect("registers");
        module
            .register_subscription_raw(
                "chain_subscribeAllHeads",
                "chain_allHead",
                "chain_unsubscribeAllHeads",
                move |_, pending, _, _| {
                    let heads = stream::iter([3_u32]).chain(stream::pending());
                    let pending = PendingSubscription::from(pending);
                    let served = pending.pipe_from_stream(heads.boxed(), BoundedVecDeque::new(16));
                    spawn_subscription_task(&executor, served);
                },
            )
            .expect("registers");
        module
    }

    #[test]
    fn calls_and_subscriptions_of_the_prover_do_not_wait_for_the_public_server() {
        let (public, hold) = saturated();
        let executor = Arc::new(OnCallersRuntime::new(public.handle().clone()));
        let rpc = NodeRpc(RpcHandlers::new(Arc::new(methods(executor)), Vec::new()));
        let ask = async |method: &str| {
            let request = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":[]}}"#);
            let answer = tokio::time::timeout(LATE, rpc.call(request)).await;
            answer.expect("in time").expect("is answered")
        };
        runtime().expect("starts").block_on(async {
            assert!(ask("system_health").await.0.contains(r#""result":1"#));
            assert!(ask("state_call").await.0.contains(r#""result":2"#));
            let (_, mut heads) = ask("chain_subscribeAllHeads").await;
            let head = tokio::time::timeout(LATE, heads.recv()).await;
            let head = head.expect("in time").expect("goes on");
            assert!(head.contains(r#""result":3"#), "{head}");
        });
        drop(hold);
    }

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
    fn the_database_is_let_go_before_the_node_has_stopped() {
        let database = Arc::new(());
        let held = Arc::clone(&database);
        let running = Running::start(move |stopped| {
            let _ = futures::executor::block_on(stopped);
            // A read is being executed when the node stops.
            std::thread::sleep(Duration::from_millis(200));
            drop(held);
        });
        drop(running.expect("starts"));
        assert_eq!(Arc::strong_count(&database), 1);
    }

    #[test]
    fn a_panic_of_the_prover_does_not_end_the_node() {
        // As the node does; a panic ends the process from now on.
        sp_panic_handler::set("", "");
        let runtime = runtime().expect("starts");
        for panicked in [
            runtime.block_on(runtime.spawn(async { panic!("a task") })),
            runtime.block_on(runtime.spawn_blocking(|| panic!("a job"))),
        ] {
            let panicked: Result<(), _> = panicked;
            assert!(panicked.is_err_and(|error| error.is_panic()));
        }
        drop(Running::start(|_| panic!("the thread")).expect("starts"));
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
