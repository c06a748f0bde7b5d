// SPDX-License-Identifier: Apache-2.0

//! Queues of steps that come due, by tick.
//!
//! A pallet keeps its queue in its own storage and implements [`Agenda`]; [`run`] takes what is due.
//! A step begins only where the meter could pay for its worst, so that a block is never overrun; it is
//! charged what it tells to have used, so that more of them fit. A look at the queue is paid for
//! before it is taken. What the meter cannot pay for waits for the next block, and comes first then.
//!
//! Other work on the same meter runs in [`keeping`], so that it leaves the queue a share.

use frame_support::{
    storage::with_storage_layer,
    weights::{Weight, WeightMeter},
};
use polkadot_sdk::*;
use sp_runtime::DispatchError;
use tos_types::Tick;

/// Doublings of the delay after failures in a row: the longest is 64 ticks.
const MAX_DOUBLINGS: u32 = 6;

/// A pallet's queue of steps.
pub trait Agenda {
    /// Target of log lines.
    const TARGET: &'static str;
    /// A step's name.
    type Item: core::fmt::Debug;

    /// The first tick whose steps are not due yet.
    fn end() -> Tick;
    /// The first tick whose steps have not all been taken.
    fn cursor() -> Tick;
    /// Moves the cursor.
    fn set_cursor(tick: Tick);
    /// The steps of a tick that have not been taken, in the order of their keys. Entries may be
    /// removed behind the iterator.
    fn due(tick: Tick) -> impl Iterator<Item = Self::Item>;
    /// Takes an entry out of the queue.
    fn remove(tick: Tick, item: &Self::Item);

    /// Weight of reading and writing the cursor.
    fn start_weight() -> Weight;
    /// Weight of a look for the next entry of a tick.
    fn look_weight() -> Weight;
    /// The most that a step may weigh, with what follows if it fails. `None` for an entry that
    /// names nothing: it is removed.
    fn step_weight(item: &Self::Item) -> Option<Weight>;

    /// Takes a step, and returns the weight that it used: at most [`Agenda::step_weight`], which was
    /// the bound before it was known what the step would find. It adds entries for later ticks
    /// only. Nothing changes if it fails.
    ///
    /// # Errors
    /// The step cannot be taken now.
    fn step(item: &Self::Item) -> Result<Weight, DispatchError>;
    /// Puts off a step that failed, so that it neither holds up others nor is forgotten.
    fn postpone(tick: Tick, item: &Self::Item, error: DispatchError);
}

/// Takes due steps, earliest tick first, as far as the meter goes.
pub fn run<A: Agenda>(meter: &mut WeightMeter) {
    if meter.try_consume(A::start_weight()).is_err() {
        return;
    }
    let end = A::end();
    let start = A::cursor();
    let mut cursor = start;
    while cursor < end && run_tick::<A>(cursor, meter) {
        cursor = cursor.saturating_add(1);
    }
    if cursor != start {
        A::set_cursor(cursor);
    }
}

/// Takes the steps of one tick. Returns `true` if there are no more.
pub fn run_tick<A: Agenda>(tick: Tick, meter: &mut WeightMeter) -> bool {
    let mut entries = A::due(tick);
    loop {
        if meter.try_consume(A::look_weight()).is_err() {
            return false;
        }
        let Some(item) = entries.next() else {
            return true;
        };
        let Some(worst) = A::step_weight(&item) else {
            log::error!(target: A::TARGET, "the queue names {item:?}, which is not there");
            A::remove(tick, &item);
            continue;
        };
        if !meter.can_consume(worst) {
            return false;
        }
        // What a step that fails has used until then is not known.
        let used = take::<A>(tick, &item).unwrap_or(worst);
        if !used.all_lte(worst) {
            log::error!(target: A::TARGET, "a step of {item:?} says {used:?}, more than {worst:?}");
        }
        meter.consume(used.min(worst));
    }
}

/// Takes one step; puts it off if it fails. Returns the weight that it used, `None` if it failed.
pub fn take<A: Agenda>(tick: Tick, item: &A::Item) -> Option<Weight> {
    attempt::<A, _>(tick, item, || A::step(item)).ok()
}

/// Takes one step in the caller's own way; puts it off if it fails, as the queue does.
///
/// # Errors
/// Those of the step. Nothing has changed then but the tick of the next attempt.
pub fn attempt<A: Agenda, R>(
    tick: Tick,
    item: &A::Item,
    step: impl FnOnce() -> Result<R, DispatchError>,
) -> Result<R, DispatchError> {
    let taken = with_storage_layer(step);
    if let Err(error) = &taken {
        A::postpone(tick, item, *error);
    }
    taken
}

/// Does work with what a meter has left but for `kept`, which stays for what follows.
pub fn keeping(meter: &mut WeightMeter, kept: Weight, work: impl FnOnce(&mut WeightMeter)) {
    let mut share = WeightMeter::with_limit(meter.remaining().saturating_sub(kept));
    work(&mut share);
    meter.consume(share.consumed());
}

/// Ticks to wait after so many failures in a row before this one: 1, 2, 4 and so on, 64 at most.
pub fn retry_delay(failures: u8) -> Tick {
    2u32.saturating_pow(u32::from(failures).min(MAX_DOUBLINGS))
}
