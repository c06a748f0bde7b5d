// SPDX-License-Identifier: Apache-2.0

//! Chunks that are not what they should be.

use serde::Serialize;
use std::ops::Range;

/// A set of chunks, as ranges that are ascending and do not touch one another.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Damage {
    ranges: Vec<Range<u64>>,
}

impl Damage {
    /// Adds chunks beyond all that are in it.
    pub(crate) fn push(&mut self, chunks: Range<u64>) {
        match self.ranges.last_mut() {
            Some(last) if last.end == chunks.start => last.end = chunks.end,
            _ if chunks.is_empty() => {}
            _ => self.ranges.push(chunks),
        }
    }

    /// Returns `true` if there is none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Number of chunks.
    pub fn count(&self) -> u64 {
        self.ranges
            .iter()
            .map(|range| range.end - range.start)
            .sum()
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }

    /// The chunks, ascending.
    pub fn chunks(&self) -> impl Iterator<Item = u64> + '_ {
        self.ranges.iter().cloned().flatten()
    }

    /// Returns `true` if a chunk is in it.
    pub fn contains(&self, chunk: u64) -> bool {
        self.touches(chunk..chunk.saturating_add(1))
    }

    /// Returns `true` if any of these chunks is in it.
    pub fn touches(&self, chunks: Range<u64>) -> bool {
        let at = self
            .ranges
            .partition_point(|range| range.end <= chunks.start);
        let next = self.ranges.get(at);
        next.is_some_and(|range| range.start < chunks.end)
    }
}

/// From chunks in ascending order.
impl FromIterator<u64> for Damage {
    fn from_iter<I: IntoIterator<Item = u64>>(chunks: I) -> Self {
        let mut damage = Self::default();
        for chunk in chunks {
            damage.push(chunk..chunk.saturating_add(1));
        }
        damage
    }
}
