// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Executes the runtime, and knows what for.
//!
//! The host functions take memory that consensus needs ([`Purpose`]), and every execution takes up to 128 MiB of its own. Blocks are few.
//! Questions are as many as strangers ask: by `state_call` and every other RPC method that executes the runtime. So each
//! execution for no block is marked as a question, and the threads of the RPC server execute few of them at a time.

use polkadot_sdk::*;

use std::{cell::Cell, sync::Arc, thread::available_parallelism};

use parking_lot::{Condvar, Mutex};
use sc_executor::{error::Error, RuntimeVersion, RuntimeVersionOf};
use sp_core::traits::{CallContext, CodeExecutor, ReadRuntimeVersion, RuntimeCode};
use sp_externalities::Externalities;
use tos_host_functions::Purpose;

/// The name of the threads of the SDK's RPC server.
const RPC_THREAD: &str = "rpc";
/// Executions for RPC at a time, on a machine with fewer cores.
const FEWEST_PERMITS: usize = 4;

thread_local! {
    static IS_RPC_THREAD: Cell<bool> = Cell::new(std::thread::current().name() == Some(RPC_THREAD));
}

/// `true` if this thread is one of the RPC server's.
fn is_rpc_thread() -> bool {
    IS_RPC_THREAD.get()
}

/// Does `work`, which is the node's own, though a thread of the RPC server may do it: it waits for no permit. For what others of the
/// node wait for meanwhile, and which asks little.
pub fn unthrottled<T>(work: impl FnOnce() -> T) -> T {
    /// Puts back what was, also after a panic.
    struct Back(bool);

    impl Drop for Back {
        fn drop(&mut self) {
            IS_RPC_THREAD.set(self.0);
        }
    }

    let _back = Back(IS_RPC_THREAD.replace(false));
    work()
}

/// A number of permits for threads; a thread that finds none free waits.
struct Permits {
    free: Mutex<usize>,
    left: Condvar,
}

impl Permits {
    fn new(number: usize) -> Self {
        Self {
            free: Mutex::new(number),
            left: Condvar::new(),
        }
    }

    /// Does `work` when there is a permit.
    fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let mut free = self.free.lock();
        while *free == 0 {
            self.left.wait(&mut free);
        }
        *free -= 1;
        drop(free);
        let _permit = Permit(self);
        work()
    }
}

/// Permit that is taken until this is dropped.
struct Permit<'a>(&'a Permits);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.left.notify_one();
    }
}

/// An executor that says what it executes for, and keeps questions from taking the whole machine.
#[derive(Clone)]
pub struct Executor<E> {
    inner: E,
    permits: Arc<Permits>,
}

impl<E> Executor<E> {
    /// Executes by `inner`. As many questions as the machine has cores, and four at least, run at a time for RPC.
    pub fn new(inner: E) -> Self {
        let cores = available_parallelism().map_or(FEWEST_PERMITS, usize::from);
        Self {
            inner,
            permits: Arc::new(Permits::new(cores.max(FEWEST_PERMITS))),
        }
    }
}

/// The purpose of a call. Blocks are made and imported in the on-chain context, and nothing else is.
fn purpose(context: CallContext) -> Purpose {
    match context {
        CallContext::Onchain { .. } => Purpose::Consensus,
        CallContext::Offchain => Purpose::Question,
    }
}

impl<E: CodeExecutor> CodeExecutor for Executor<E> {
    type Error = E::Error;

    fn call(
        &self,
        ext: &mut dyn Externalities,
        code: &RuntimeCode<'_>,
        method: &str,
        data: &[u8],
        context: CallContext,
    ) -> (Result<Vec<u8>, Self::Error>, bool) {
        let purpose = purpose(context);
        let mut call = || purpose.run(|| self.inner.call(ext, code, method, data, context));
        if purpose == Purpose::Question && is_rpc_thread() {
            self.permits.within(call)
        } else {
            call()
        }
    }
}

impl<E: ReadRuntimeVersion> ReadRuntimeVersion for Executor<E> {
    fn read_runtime_version(
        &self,
        code: &[u8],
        ext: &mut dyn Externalities,
    ) -> Result<Vec<u8>, String> {
        self.inner.read_runtime_version(code, ext)
    }
}

impl<E: RuntimeVersionOf> RuntimeVersionOf for Executor<E> {
    fn runtime_version(
        &self,
        ext: &mut dyn Externalities,
        code: &RuntimeCode<'_>,
    ) -> Result<RuntimeVersion, Error> {
        self.inner.runtime_version(ext, code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::traits::NoneFetchRuntimeCode;
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    /// Notes what it is called for, and how many calls run at a time.
    #[derive(Clone, Default)]
    struct Witness {
        purposes: Arc<Mutex<Vec<Purpose>>>,
        running: Arc<AtomicUsize>,
        most: Arc<AtomicUsize>,
    }

    impl ReadRuntimeVersion for Witness {
        fn read_runtime_version(
            &self,
            _: &[u8],
            _: &mut dyn Externalities,
        ) -> Result<Vec<u8>, String> {
            Err("not asked".into())
        }
    }

    impl CodeExecutor for Witness {
        type Error = String;

        fn call(
            &self,
            _: &mut dyn Externalities,
            _: &RuntimeCode<'_>,
            _: &str,
            _: &[u8],
            _: CallContext,
        ) -> (Result<Vec<u8>, String>, bool) {
            self.purposes.lock().push(Purpose::current());
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(running, Ordering::SeqCst);
            std::thread::yield_now();
            self.running.fetch_sub(1, Ordering::SeqCst);
            (Ok(Vec::new()), false)
        }
    }

    fn call(executor: &Executor<Witness>, context: CallContext) {
        let code = RuntimeCode {
            code_fetcher: &NoneFetchRuntimeCode,
            hash: Vec::new(),
            heap_pages: None,
        };
        let mut ext = sp_io::TestExternalities::default();
        let (outcome, _) = executor.call(&mut ext.ext(), &code, "Core_version", &[], context);
        outcome.expect("the witness answers");
    }

    #[test]
    fn only_what_belongs_to_a_block_is_for_consensus() {
        let witness = Witness::default();
        let executor = Executor::new(witness.clone());
        call(&executor, CallContext::Offchain);
        call(&executor, CallContext::Onchain { import: true });
        call(&executor, CallContext::Onchain { import: false });
        let expected = [Purpose::Question, Purpose::Consensus, Purpose::Consensus];
        assert_eq!(*witness.purposes.lock(), expected);
        assert_eq!(Purpose::current(), Purpose::Consensus);
    }

    #[test]
    fn rpc_executes_few_questions_at_a_time() {
        let witness = Witness::default();
        let executor = Executor {
            inner: witness.clone(),
            permits: Arc::new(Permits::new(2)),
        };
        let rpc = sc_service::create_rpc_runtime(40).expect("threads");
        let (done, finished) = mpsc::channel();
        for _ in 0..40 {
            let (executor, done) = (executor.clone(), done.clone());
            rpc.spawn_blocking(move || {
                assert!(
                    is_rpc_thread(),
                    "the SDK has given its RPC threads another name"
                );
                call(&executor, CallContext::Offchain);
                done.send(()).expect("the test waits");
            });
        }
        drop(done);
        assert_eq!(finished.iter().count(), 40);
        let most = witness.most.load(Ordering::SeqCst);
        assert!((1..=2).contains(&most), "{most} at a time");
        assert_eq!(*executor.permits.free.lock(), 2);
    }

    #[test]
    fn blocks_and_the_nodes_own_questions_wait_for_nobody() {
        let executor = Executor {
            inner: Witness::default(),
            permits: Arc::new(Permits::new(0)),
        };
        assert!(!is_rpc_thread());
        call(&executor, CallContext::Offchain);
        call(&executor, CallContext::Onchain { import: true });
    }

    #[test]
    fn what_is_the_nodes_own_waits_for_no_permit_on_a_thread_of_the_rpc_server_either() {
        let executor = Executor {
            inner: Witness::default(),
            permits: Arc::new(Permits::new(0)),
        };
        let asked = std::thread::Builder::new().name(RPC_THREAD.into());
        let asked = asked.spawn(move || {
            assert!(is_rpc_thread());
            unthrottled(|| call(&executor, CallContext::Offchain));
            let panicked = std::panic::catch_unwind(|| unthrottled(|| panic!("a trap")));
            assert!(panicked.is_err() && is_rpc_thread());
        });
        asked.expect("a thread").join().expect("it does not wait");
    }

    #[test]
    fn a_permit_is_free_again_after_a_panic() {
        let permits = Permits::new(1);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            permits.within(|| panic!("a trap"));
        }));
        assert!(panicked.is_err());
        assert_eq!(*permits.free.lock(), 1);
        permits.within(|| assert_eq!(*permits.free.lock(), 0));
    }
}
