// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Tells if the node follows the head of its chain.

use polkadot_sdk::*;
use std::sync::{
    atomic::{AtomicU64, Ordering},
    Arc, OnceLock,
};

use sp_consensus::SyncOracle;

use super::clock::now_ms;

/// Greatest age, in milliseconds, of a best block with which the node follows the head in spite of
/// what peers say, and of a block whose slots are checked before it is imported.
const RECENT_MS: u64 = 60_000;

/// Gate that is open while the node follows the head.
#[derive(Default)]
pub struct SyncGate {
    /// The SDK's oracle. It comes late: block import is built before the network.
    oracle: OnceLock<Arc<dyn SyncOracle + Send + Sync>>,
    /// Time of the best block, in milliseconds since 1970.
    best_ms: AtomicU64,
}

impl SyncGate {
    /// Sets the oracle that knows if the node is synchronising. The first call counts.
    pub fn set_oracle(&self, oracle: Arc<dyn SyncOracle + Send + Sync>) {
        let _ = self.oracle.set(oracle);
    }

    /// The best block is of this time.
    pub fn set_best_time(&self, time_ms: u64) {
        self.best_ms.store(time_ms, Ordering::Relaxed);
    }

    /// `true` if a block of this time, in milliseconds since 1970, has just been made.
    pub fn is_recent(time_ms: u64, now_ms: u64) -> bool {
        time_ms.saturating_add(RECENT_MS) >= now_ms
    }

    /// `true` if the node follows the head of the chain: its best block is recent by its own clock,
    /// or else it does not know of anything better. What peers claim to have counts only for a
    /// node whose best block is old.
    pub fn follows_head(&self) -> bool {
        Self::is_recent(self.best_ms.load(Ordering::Relaxed), now_ms())
            || self
                .oracle
                .get()
                .is_some_and(|oracle| !oracle.is_major_syncing())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_the_node_follows_the_head_is_its_own_clocks_matter_and_not_its_peers() {
        struct Liars;
        impl SyncOracle for Liars {
            fn is_major_syncing(&self) -> bool {
                true
            }
            fn is_offline(&self) -> bool {
                false
            }
        }
        let gate = SyncGate::default();
        gate.set_oracle(Arc::new(Liars));
        assert!(!gate.follows_head());
        gate.set_best_time(now_ms() - 2_000);
        assert!(gate.follows_head());
        gate.set_best_time(now_ms() - 2 * RECENT_MS);
        assert!(!gate.follows_head());
    }
}
