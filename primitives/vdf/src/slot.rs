// SPDX-License-Identifier: Apache-2.0

//! Whole slots: evaluated one step after the other, verified side by side.

use crate::{
    merkle::fine_root,
    params::{COARSE, FINE, FINE_PER_COARSE},
    walk::WIDTH,
    Dataset, Hash, State,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The most slots that [`evaluate_slots`] walks side by side.
pub const MAX_SLOTS: usize = WIDTH;

/// The published part of a slot: enough to verify it exactly. 2,080 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SlotProof {
    /// The end states of the coarse segments, in order.
    pub coarse: [State; COARSE],
    /// The Merkle root of the end states of the fine segments.
    pub fine_root: Hash,
}

impl SlotProof {
    /// The end state of the slot.
    pub fn end(&self) -> &State {
        let [.., end] = &self.coarse;
        end
    }
}

/// A slot that was evaluated here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotEvaluation {
    /// The part that is published.
    pub proof: SlotProof,
    /// The end states of the fine segments, in order: [`FINE`] of them.
    pub fine: Vec<State>,
}

impl SlotEvaluation {
    /// The evaluation with these end states of all fine segments.
    fn of(fine: Vec<State>) -> Option<Self> {
        let mut coarse = [[0; 64]; COARSE];
        for (coarse, fine) in coarse.iter_mut().zip(fine.chunks(FINE_PER_COARSE)) {
            *coarse = *fine.last()?;
        }
        Some(Self {
            proof: SlotProof {
                coarse,
                fine_root: fine_root(&fine),
            },
            fine,
        })
    }
}

/// Evaluates a slot: `iterations_per_slot` iterations from `start`, the first being number
/// `first_iteration`. `stop` is asked before each fine segment; when it says yes the result is
/// `None`, as it is where the iteration number would overflow.
pub fn evaluate_slot(
    dataset: &Dataset,
    start: &State,
    first_iteration: u64,
    stop: &dyn Fn() -> bool,
) -> Option<SlotEvaluation> {
    let per_fine = dataset.params().iterations_per_fine();
    let mut state = *start;
    let mut first = first_iteration;
    let mut fine = Vec::with_capacity(FINE);
    for _ in 0..FINE {
        if stop() {
            return None;
        }
        dataset.walk(&mut state, first, per_fine)?;
        first = first.checked_add(per_fine.into())?;
        fine.push(state);
    }
    SlotEvaluation::of(fine)
}

/// Evaluates up to [`MAX_SLOTS`] slots side by side, each from its start state and the number of its
/// first iteration: while the memory fetches a line for one, the others compute. Many take little
/// longer than one, so slots whose starts are claimed are checked in the time of the longest.
///
/// `stop` is asked as by [`evaluate_slot`]; `None` also for more slots than that.
pub fn evaluate_slots(
    dataset: &Dataset,
    slots: &[(State, u64)],
    stop: &dyn Fn() -> bool,
) -> Option<Vec<SlotEvaluation>> {
    let per_fine = dataset.params().iterations_per_fine();
    let (mut states, mut first): (Vec<State>, Vec<u64>) = slots.iter().copied().unzip();
    let mut fine: Vec<Vec<State>> = slots.iter().map(|_| Vec::with_capacity(FINE)).collect();
    for _ in 0..FINE {
        if stop() {
            return None;
        }
        dataset.walk_many(&mut states, &first, per_fine)?;
        for ((fine, state), first) in fine.iter_mut().zip(&states).zip(&mut first) {
            fine.push(*state);
            *first = first.checked_add(per_fine.into())?;
        }
    }
    fine.into_iter().map(SlotEvaluation::of).collect()
}

/// Verifies a slot exactly, by walking its coarse segments side by side. The end states of the fine
/// segments if, and only if, every coarse state and the fine root are right.
pub fn verify_slot(
    dataset: &Dataset,
    start: &State,
    first_iteration: u64,
    proof: &SlotProof,
) -> Option<Vec<State>> {
    let params = dataset.params();
    // Each coarse segment starts where the one before claims to end.
    let mut states: Vec<State> = core::iter::once(start)
        .chain(&proof.coarse)
        .take(COARSE)
        .copied()
        .collect();
    let mut first = Vec::with_capacity(COARSE);
    let mut next = first_iteration;
    for _ in 0..COARSE {
        first.push(next);
        next = next.checked_add(params.iterations_per_coarse().into())?;
    }
    let per_fine = params.iterations_per_fine();
    // Row by row: the i-th fine end state of every coarse segment.
    let mut rows: Vec<Vec<State>> = Vec::with_capacity(FINE_PER_COARSE);
    for _ in 0..FINE_PER_COARSE {
        dataset.walk_many(&mut states, &first, per_fine)?;
        rows.push(states.clone());
        for first in &mut first {
            *first = first.checked_add(per_fine.into())?;
        }
    }
    if states != proof.coarse {
        return None;
    }
    let fine: Vec<State> = (0..COARSE)
        .flat_map(|column| rows.iter().filter_map(move |row| row.get(column).copied()))
        .collect();
    (fine_root(&fine) == proof.fine_root).then_some(fine)
}
