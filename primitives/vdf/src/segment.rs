// SPDX-License-Identifier: Apache-2.0

//! Pieces of the walk that claim to lead from one state to another.

use crate::{merkle::SpotOpening, walk::WIDTH, Dataset, State, VdfParams};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The most segments that [`verify_segments`] looks at: as many as are walked side by side.
pub const MAX_SEGMENTS: usize = WIDTH;

/// The claim that `iterations` iterations from number `first_iteration` lead from `start` to `end`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Segment {
    /// The state before.
    pub start: State,
    /// The state after.
    pub end: State,
    /// The number of the first iteration.
    pub first_iteration: u64,
    /// The number of iterations: 1 to the iterations of a slot.
    pub iterations: u32,
}

/// The walk that a spot opening claims, given the first iteration of its slot.
pub fn spot_segment(
    params: &VdfParams,
    slot_first_iteration: u64,
    opening: &SpotOpening,
) -> Segment {
    let iterations = params.iterations_per_fine();
    let before = u64::from(opening.index).saturating_mul(iterations.into());
    Segment {
        start: opening.start,
        end: opening.end,
        // A number that saturates is refused by `verify_segments`.
        first_iteration: slot_first_iteration.saturating_add(before),
        iterations,
    }
}

/// `true` if all segments are right, by walking them side by side.
///
/// `false` for none at all, for more than [`MAX_SEGMENTS`], and where a segment has no iterations,
/// more than a slot has, or numbers beyond a `u64`. Costs the walk of the longest segment at least.
pub fn verify_segments(dataset: &Dataset, segments: &[Segment]) -> bool {
    if segments.is_empty() || segments.len() > MAX_SEGMENTS {
        return false;
    }
    let longest = dataset.params().iterations_per_slot;
    if segments.iter().any(|segment| {
        segment.iterations == 0
            || segment.iterations > longest
            || segment
                .first_iteration
                .checked_add(segment.iterations.into())
                .is_none()
    }) {
        return false;
    }
    // Longest first, so that those still walking are always a prefix.
    let mut order: Vec<&Segment> = segments.iter().collect();
    order.sort_by_key(|segment| core::cmp::Reverse(segment.iterations));
    let mut states: Vec<State> = order.iter().map(|segment| segment.start).collect();
    let mut walked = 0u32;
    while let Some(next) = order.last().map(|segment| segment.iterations) {
        let step = next.saturating_sub(walked);
        let first: Vec<u64> = order
            .iter()
            .map(|segment| segment.first_iteration.saturating_add(walked.into()))
            .collect();
        if dataset.walk_many(&mut states, &first, step).is_none() {
            return false;
        }
        walked = next;
        while order
            .last()
            .is_some_and(|segment| segment.iterations == walked)
        {
            let end = states.pop();
            if order.pop().map(|segment| segment.end) != end {
                return false;
            }
        }
    }
    true
}
