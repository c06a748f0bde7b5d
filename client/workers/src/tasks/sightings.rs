// SPDX-License-Identifier: Apache-2.0

//! Tasks that are over for good, so that what opens their commitments may be forgotten.

use super::TaskSnapshot;
use std::collections::HashMap;
use tos_sdk::error::Result;
use tos_types::{Phase, TaskId};

/// Blocks after which nothing returns that a reorganisation took away: transactions are valid for
/// 256 blocks, and as many again are spare.
const RETURN: u64 = 512;

/// In which blocks a worker has seen its tasks.
pub(super) struct Sightings {
    /// The best block that earlier runs have seen.
    before: u64,
    seen: HashMap<TaskId, u64>,
}

impl Sightings {
    /// `before` is the number of the best block that earlier runs have seen.
    pub fn new(before: u64) -> Self {
        Self {
            before,
            seen: HashMap::new(),
        }
    }

    /// A task is on record in the block of this number.
    pub fn saw(&mut self, task: TaskId, number: u64) {
        let last = self.seen.entry(task).or_insert(number);
        *last = number.max(*last);
    }

    /// `true` if a task is over for good: closed in a final block, or not on record in one that is
    /// so much later than where it was seen last that it was pruned, or never came to be. That a
    /// node does not know it says nothing by itself: the node may be behind, or the task may come
    /// back.
    pub async fn is_over(
        &mut self,
        task: TaskId,
        best: &impl TaskSnapshot,
        finalised: &impl TaskSnapshot,
    ) -> Result<bool> {
        if let Some(view) = finalised.task(task).await? {
            self.saw(task, finalised.number());
            return Ok(matches!(view.summary.phase, Phase::Closed(_)));
        }
        if best.task(task).await?.is_some() {
            self.saw(task, best.number());
            return Ok(false);
        }
        let last = self.seen.get(&task).copied().unwrap_or(self.before);
        Ok(finalised.number() >= last.saturating_add(RETURN))
    }
}
