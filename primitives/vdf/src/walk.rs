// SPDX-License-Identifier: Apache-2.0

//! The loops of the walk, once for all backends.
//!
//! They are inlined into one function per backend that is compiled for its CPU features
//! (`backend::entry_points`), so that no call stands between two instructions of the hot path.
// Hot loops: indices are masked below the length, counters are checked by the caller.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::{params::READS_PER_ITERATION, State};

/// The most walks that are interleaved.
pub(crate) const WIDTH: usize = 32;

/// One line of the dataset.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub(crate) struct Line(pub(crate) [u8; 64]);

/// A state in the registers of a backend.
///
/// # Safety
///
/// Implementations may rely on [`Lanes::load`]'s condition in all other methods: a value is the
/// proof that the CPU has what the backend needs.
pub(crate) unsafe trait Lanes: Copy {
    /// # Safety
    ///
    /// The CPU has the features of the backend.
    unsafe fn load(state: &State) -> Self;
    fn store(self) -> State;
    /// The first four bytes as a number: what addresses the next line.
    fn low_word(self) -> u32;
    /// XORs an iteration number into the first eight bytes of the last lane.
    fn count(self, iteration: u64) -> Self;
    /// `P(s ⊕ line) ⊕ s`.
    fn step(self, line: &Line) -> Self;
    /// Asks the memory for a line that is read soon.
    fn prefetch(self, line: &Line);
}

/// `P(state)`.
///
/// # Safety
///
/// As for [`Lanes::load`].
#[inline(always)]
pub(crate) unsafe fn permute<L: Lanes>(state: &State) -> State {
    // SAFETY: the condition of this function.
    let zero = unsafe { L::load(&[0; 64]) };
    // From the zero state, the step is P(0 ⊕ line) ⊕ 0.
    zero.step(&Line(*state)).store()
}

#[inline(always)]
fn at<L: Lanes>(lines: &[Line], lanes: L) -> &Line {
    &lines[lanes.low_word() as usize & (lines.len() - 1)]
}

/// Walks `iterations` iterations from `state`, the first of them being number `first`.
///
/// `lines` has a power of two of lines; `first + iterations` does not overflow.
///
/// # Safety
///
/// As for [`Lanes::load`].
#[inline(always)]
pub(crate) unsafe fn walk<L: Lanes>(
    lines: &[Line],
    state: &mut State,
    first: u64,
    iterations: u32,
) {
    // SAFETY: the condition of this function.
    let mut lanes = unsafe { L::load(state) };
    for i in 0..u64::from(iterations) {
        lanes = lanes.count(first + i);
        for _ in 0..READS_PER_ITERATION {
            lanes = lanes.step(at(lines, lanes));
        }
    }
    *state = lanes.store();
}

/// Walks `iterations` iterations from each of up to [`WIDTH`] states, all side by side: while the
/// memory fetches the line of one, the others compute.
///
/// `states` and `first` have the same length, at most [`WIDTH`]; else as [`walk`].
///
/// # Safety
///
/// As for [`Lanes::load`].
#[inline(always)]
pub(crate) unsafe fn walk_many<L: Lanes>(
    lines: &[Line],
    states: &mut [State],
    first: &[u64],
    iterations: u32,
) {
    // SAFETY: the condition of this function.
    let mut lanes = [unsafe { L::load(&[0; 64]) }; WIDTH];
    let lanes = &mut lanes[..states.len()];
    for (lanes, state) in lanes.iter_mut().zip(states.iter()) {
        // SAFETY: the condition of this function.
        *lanes = unsafe { L::load(state) };
        lanes.prefetch(at(lines, *lanes));
    }
    for i in 0..u64::from(iterations) {
        for (lanes, first) in lanes.iter_mut().zip(first) {
            *lanes = lanes.count(first + i);
        }
        for _ in 0..READS_PER_ITERATION {
            for lanes in lanes.iter_mut() {
                *lanes = lanes.step(at(lines, *lanes));
                lanes.prefetch(at(lines, *lanes));
            }
        }
    }
    for (lanes, state) in lanes.iter().zip(states.iter_mut()) {
        *state = lanes.store();
    }
}
