// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Essential tasks: their end stops the node, and the end of the node is none of their failures.
//!
//! A task of the SDK's task manager is dropped when the node stops. One that is in the middle of a poll then
//! goes on to where it waits again. The pool's never comes there: it holds its thread in `recv` until all that
//! could ask it are gone, and so it ended by itself at every stop, which the SDK logs as a failure. Here a
//! task that has ended says so only after a pause, in which a node that stops drops it.
//!
//! The two tasks of the SDK's network are spawned by itself with its own handle, and hold no thread.

use polkadot_sdk::*;
use std::{future::Future, thread, time::Duration};

use futures::{
    channel::oneshot,
    future::{BoxFuture, FutureExt},
};
use sc_service::{SpawnEssentialTaskHandle, TaskManager};
use sp_core::traits::SpawnEssentialNamed;

/// Time between the end of a task and the word of it. A node that stops needs no part of it: it has told its
/// tasks before the first of them can miss another.
const PAUSE: Duration = Duration::from_secs(1);

/// Spawner of essential tasks that tells the end of the node from the failure of a task.
#[derive(Clone)]
pub(crate) struct Essential<S = SpawnEssentialTaskHandle>(S);

impl Essential {
    /// The spawner of this node.
    pub fn of(tasks: &TaskManager) -> Self {
        Self(tasks.spawn_essential_handle())
    }

    /// Spawns a task that may hold its thread.
    pub fn spawn_blocking(
        &self,
        name: &'static str,
        group: Option<&'static str>,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.spawn_essential_blocking(name, group, task.boxed());
    }
}

impl<S: SpawnEssentialNamed + Clone> SpawnEssentialNamed for Essential<S> {
    fn spawn_essential_blocking(
        &self,
        name: &'static str,
        group: Option<&'static str>,
        task: BoxFuture<'static, ()>,
    ) {
        let task = with_pause(task).boxed();
        self.0.spawn_essential_blocking(name, group, task);
    }

    fn spawn_essential(
        &self,
        name: &'static str,
        group: Option<&'static str>,
        task: BoxFuture<'static, ()>,
    ) {
        let task = with_pause(task).boxed();
        self.0.spawn_essential(name, group, task);
    }
}

/// The task, and a pause after its end. A panic is told at once.
async fn with_pause(task: BoxFuture<'static, ()>) {
    task.await;
    let (running, over) = oneshot::channel::<()>();
    // Not by the runtime, whose clock may have stopped before its threads.
    let clock = thread::Builder::new().spawn(move || {
        thread::sleep(PAUSE);
        drop(running);
    });
    // Without a thread the sender is gone, and the pause is over.
    drop(clock);
    let _ = over.await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use sc_service::SpawnTaskHandle;
    use std::sync::mpsc::{channel, Sender};
    use tokio::runtime::{Builder, Runtime};

    /// Time in which what must happen has happened.
    const LATE: Duration = Duration::from_secs(60);

    /// Spawner that tells which tasks ended by themselves, where the SDK's logs an error and stops the node.
    #[derive(Clone)]
    struct Recorder {
        tasks: SpawnTaskHandle,
        ended: Sender<&'static str>,
    }

    impl Recorder {
        fn recorded(
            &self,
            name: &'static str,
            task: BoxFuture<'static, ()>,
        ) -> BoxFuture<'static, ()> {
            let ended = self.ended.clone();
            let recorded = async move {
                task.await;
                ended.send(name).expect("is read");
            };
            recorded.boxed()
        }
    }

    impl SpawnEssentialNamed for Recorder {
        fn spawn_essential_blocking(
            &self,
            name: &'static str,
            group: Option<&'static str>,
            task: BoxFuture<'static, ()>,
        ) {
            let task = self.recorded(name, task);
            self.tasks.spawn_blocking(name, group, task);
        }

        fn spawn_essential(
            &self,
            name: &'static str,
            group: Option<&'static str>,
            task: BoxFuture<'static, ()>,
        ) {
            let task = self.recorded(name, task);
            self.tasks.spawn(name, group, task);
        }
    }

    fn node() -> (Runtime, TaskManager) {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build();
        let runtime = runtime.expect("starts");
        let tasks = TaskManager::new(runtime.handle().clone(), None);
        (runtime, tasks.expect("has no metrics"))
    }

    /// Names of the essential tasks that ended by themselves when a node stopped: it has one that holds its
    /// thread until the others are gone.
    fn ended_at_a_stop(
        spawner: impl FnOnce(Recorder) -> Box<dyn SpawnEssentialNamed>,
    ) -> Vec<&'static str> {
        let (runtime, mut tasks) = node();
        let (ended, told) = channel();
        let spawner = spawner(Recorder {
            tasks: tasks.spawn_handle(),
            ended,
        });
        let (asks, questions) = channel::<()>();
        let (begins, begun) = channel();
        let pool = async move {
            begins.send(()).expect("is waited for");
            questions.into_iter().for_each(drop);
        };
        spawner.spawn_essential_blocking("pool", None, pool.boxed());
        begun.recv().expect("the task begins");
        tasks.keep_alive(asks);
        // As the SDK's runner stops a node.
        drop(tasks);
        runtime.shutdown_timeout(LATE);
        told.try_iter().collect()
    }

    #[test]
    fn a_task_that_ends_because_the_node_stops_has_not_failed() {
        let of_the_sdk = ended_at_a_stop(|recorder| Box::new(recorder));
        assert_eq!(of_the_sdk, ["pool"]);
        let ours = ended_at_a_stop(|recorder| Box::new(Essential(recorder)));
        assert!(ours.is_empty(), "{ours:?}");
    }

    #[test]
    fn a_task_that_ends_while_the_node_runs_has_failed() {
        let (runtime, tasks) = node();
        let (ended, told) = channel();
        let spawner = Essential(Recorder {
            tasks: tasks.spawn_handle(),
            ended,
        });
        spawner.spawn_essential("one", None, async {}.boxed());
        assert_eq!(told.recv_timeout(LATE), Ok("one"));
        spawner.spawn_essential_blocking("other", None, async {}.boxed());
        assert_eq!(told.recv_timeout(LATE), Ok("other"));
        drop(tasks);
        runtime.shutdown_timeout(LATE);
    }
}
