// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Runtime of the tasks that RPC methods spawn, such as subscriptions: the one of their caller.

use polkadot_sdk::*;

use futures::future::BoxFuture;
use sc_rpc_server::RpcSpawnHandle;
use sp_core::traits::SpawnNamed;
use tokio::runtime::Handle;

/// Spawner of tasks on the runtime that the call is made on: that of the RPC server for its connections, and its own for a part of the
/// node that calls in memory. However many subscriptions the server has, those of the node itself do not wait for its threads.
#[derive(Clone)]
pub struct OnCallersRuntime {
    /// The RPC server's, for what is spawned outside of every runtime.
    server: Handle,
}

impl OnCallersRuntime {
    /// Spawner for the methods of an RPC server with this runtime.
    pub fn new(server: Handle) -> Self {
        Self { server }
    }

    fn callers(&self) -> RpcSpawnHandle {
        RpcSpawnHandle::new(Handle::try_current().unwrap_or_else(|_| self.server.clone()))
    }
}

impl SpawnNamed for OnCallersRuntime {
    fn spawn_blocking(
        &self,
        name: &'static str,
        group: Option<&'static str>,
        future: BoxFuture<'static, ()>,
    ) {
        self.callers().spawn_blocking(name, group, future);
    }

    fn spawn(
        &self,
        name: &'static str,
        group: Option<&'static str>,
        future: BoxFuture<'static, ()>,
    ) {
        self.callers().spawn(name, group, future);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::mpsc::{channel, Sender};

    use futures::FutureExt;
    use tokio::runtime::{Builder, Runtime};

    fn named(name: &str) -> Runtime {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name(name);
        builder.build().expect("starts")
    }

    /// Tells the name of its thread.
    async fn tell(name: Sender<Option<String>>) {
        let thread = std::thread::current();
        // The test waits for it.
        let _ = name.send(thread.name().map(str::to_owned));
    }

    /// Names of the threads on which tasks of both kinds run.
    fn threads(spawner: &OnCallersRuntime) -> [Option<String>; 2] {
        let (name, names) = channel();
        spawner.spawn("test", None, tell(name.clone()).boxed());
        let task = names.recv().expect("it runs");
        spawner.spawn_blocking("test", None, tell(name).boxed());
        [task, names.recv().expect("it runs")]
    }

    #[test]
    fn tasks_run_where_their_caller_does_and_on_the_server_otherwise() {
        let (server, part) = (named("server"), named("part"));
        let spawner = OnCallersRuntime::new(server.handle().clone());
        let on = |name: &str| [Some(name.to_owned()), Some(name.to_owned())];
        assert_eq!(threads(&spawner), on("server"));
        assert_eq!(server.block_on(async { threads(&spawner) }), on("server"));
        assert_eq!(part.block_on(async { threads(&spawner) }), on("part"));
    }
}
