// SPDX-License-Identifier: Apache-2.0

//! Time for which content of tasks is kept.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Pause between two looks at the content.
const EVERY: Duration = Duration::from_secs(300);

/// Time for which content is kept, and the time of the last look at it. Clones share it.
#[derive(Clone, Debug)]
pub struct Retention {
    pub(super) keep: Duration,
    looked: Arc<Mutex<Option<Instant>>>,
}

impl Retention {
    /// Keeps content for `keep` after its task was seen to be over.
    pub fn new(keep: Duration) -> Self {
        Self {
            keep,
            looked: Arc::default(),
        }
    }

    /// `true` if it is time to look, which is noted.
    pub(super) fn is_due(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looked.is_none_or(|before| before.elapsed() >= EVERY);
        if due {
            *looked = Some(Instant::now());
        }
        due
    }
}
