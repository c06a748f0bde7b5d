// SPDX-License-Identifier: Apache-2.0

//! Seeds of the windows that a provider has seen open: what its server needs to make proofs of them.

use std::{collections::BTreeMap, sync::Mutex};
use tos_storage_proofs::Hash;

/// Seeds of windows, by their numbers.
pub struct Seeds {
    known: Mutex<BTreeMap<u64, Hash>>,
    limit: usize,
}

impl Seeds {
    /// No seeds; of more than `limit` windows the oldest are forgotten.
    pub fn new(limit: usize) -> Self {
        Self {
            known: Mutex::default(),
            limit,
        }
    }

    /// A window is open.
    pub fn opened(&self, window: u64, seed: Hash) {
        let mut known = self.known.lock().unwrap_or_else(|e| e.into_inner());
        known.insert(window, seed);
        while known.len() > self.limit {
            known.pop_first();
        }
    }

    /// The seed of a window.
    pub fn seed(&self, window: u64) -> Option<Hash> {
        let known = self.known.lock().unwrap_or_else(|e| e.into_inner());
        known.get(&window).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_that_the_chain_can_dispute_are_remembered_and_no_more() {
        let seeds = Seeds::new(300);
        for window in 0..1_000u64 {
            seeds.opened(window, [window as u8; 32]);
        }
        assert_eq!(seeds.seed(699), None);
        assert_eq!(seeds.seed(700), Some([700u64 as u8; 32]));
        assert_eq!(seeds.seed(999), Some([999u64 as u8; 32]));
    }
}
