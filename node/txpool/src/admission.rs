// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Admission to the pool: few at a time, and none while the pool follows the chain.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Transactions that are validated at once: enough for the pool's two workers never to wait.
pub const PERMITS: usize = 32;

/// Admission of so many at a time, in the order in which they came, and of none while it is closed.
pub struct Admission {
    permits: Semaphore,
    open: tokio::sync::RwLock<()>,
}

/// Permit to be inside. The next that waits is let in when it is dropped.
pub struct Permit<'a> {
    _permit: Option<SemaphorePermit<'a>>,
    _open: tokio::sync::RwLockReadGuard<'a, ()>,
}

impl Admission {
    /// Admission of so many at a time.
    pub fn new(permits: usize) -> Self {
        Self {
            permits: Semaphore::new(permits),
            open: tokio::sync::RwLock::new(()),
        }
    }

    /// Waits for a permit.
    pub async fn enter(&self) -> Permit<'_> {
        // The semaphore is never closed, so that there always is a permit in the end.
        let permit = self.permits.acquire().await.ok();
        Permit {
            _permit: permit,
            _open: self.open.read().await,
        }
    }

    /// Waits for those inside, who are few, and keeps all others out until the guard is dropped.
    pub async fn close(&self) -> tokio::sync::RwLockWriteGuard<'_, ()> {
        self.open.write().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{executor::block_on, poll, FutureExt};
    use std::task::Poll;

    #[test]
    fn only_so_many_are_inside_and_the_first_who_came_is_next() {
        block_on(async {
            let admission = Admission::new(2);
            let (one, _two) = (admission.enter().await, admission.enter().await);
            let (mut third, mut fourth) =
                (Box::pin(admission.enter()), Box::pin(admission.enter()));
            assert!(poll!(&mut third).is_pending());
            assert!(poll!(&mut fourth).is_pending());
            drop(one);
            assert!(
                poll!(&mut fourth).is_pending(),
                "the fourth overtook the third"
            );
            assert!(poll!(&mut third).is_ready());
        });
    }

    #[test]
    fn closing_waits_for_those_inside_and_keeps_everybody_else_out() {
        block_on(async {
            let admission = Admission::new(2);
            let inside = admission.enter().await;
            let mut closing = Box::pin(admission.close());
            assert!(poll!(&mut closing).is_pending());
            // There is a place, but the one that closes comes first, however many want to enter.
            let mut late = Box::pin(admission.enter());
            assert!(poll!(&mut late).is_pending());
            drop(inside);
            let Poll::Ready(closed) = poll!(&mut closing) else {
                panic!("nobody is inside");
            };
            assert!(poll!(&mut late).is_pending());
            drop(closed);
            assert!(late.now_or_never().is_some(), "it is open again");
        });
    }
}
