// SPDX-License-Identifier: Apache-2.0

//! Storage time, and the queue of what is due.
//!
//! A deal and a replica have at most one entry each, an audit and a challenge exactly one. What ends with a
//! window is looked at when that window may be over at the earliest, and again until it is.
//!
//! The hooks do three kinds of work on one meter: draws of audits, the window, the queue. Each leaves to
//! those after it their shares, so that a backlog of the one does not hold up the others:
//!
//! | work | share |
//! |---|---|
//! | draws | what the two others leave; at least the largest draw |
//! | window | a quarter, and at least all stages with the miss of one replica |
//! | queue | a quarter, and at least its heaviest step |
//!
//! The integrity test checks that they fit into `MaxWork` together.

use crate::*;
use alloc::vec::Vec;
use frame_support::{
    ensure,
    weights::{Weight, WeightMeter},
};
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::{Clock, Randomness};
use tos_pallet_support::agenda::{self, retry_delay};
use tos_types::{
    storage::{ChallengeKind, DealStatus, ReplicaStatus, Window},
    DealId, ReplicaId, Tick,
};

impl<T: Config> Pallet<T> {
    /// Storage time: the clock's, less what passed while the beacon was degraded.
    pub fn now() -> Tick {
        T::Clock::now().saturating_sub(TimeLost::<T>::get().lost)
    }

    /// Looks at the clock. What passed since the last block does not count while the beacon is degraded.
    pub(crate) fn keep_time() {
        let seen = T::Clock::now();
        let mut time = TimeLost::<T>::get();
        let passed = seen.saturating_sub(time.seen);
        if passed == 0 {
            return;
        }
        time.seen = seen;
        if T::Randomness::degraded() {
            time.lost = time.lost.saturating_add(passed);
        }
        TimeLost::<T>::put(time);
    }

    /// The window so many after the current one.
    pub(crate) fn window_in(windows: u32) -> Window {
        Folded::<T>::get().saturating_add(windows.into())
    }

    /// The earliest tick at which window `until` may be the current one, and never now.
    fn tick_of(until: Window) -> Tick {
        let length = Settings::<T>::get().window;
        let left = until.saturating_sub(Folded::<T>::get());
        // The current window has begun already; in the last one we look four times.
        let whole = u32::try_from(left.saturating_sub(1)).unwrap_or(u32::MAX);
        let last = if left > 0 { length >> 2 } else { 0 };
        let wait = whole.saturating_mul(length).saturating_add(last).max(1);
        Self::now().saturating_add(wait)
    }

    pub(crate) fn enqueue(due: Tick, item: Item) {
        Agenda::<T>::insert(due, item, ());
    }

    pub(crate) fn schedule_deal(id: DealId, deal: &mut Deal<T::AccountId>) {
        let due = Some(Self::tick_of(deal.until));
        Self::set_due(Item::Deal(id), &mut deal.due, due);
    }

    pub(crate) fn unschedule_deal(id: DealId, deal: &mut Deal<T::AccountId>) {
        Self::set_due(Item::Deal(id), &mut deal.due, None);
    }

    pub(crate) fn schedule_replica(id: ReplicaId, replica: &mut Replica<T::AccountId>) {
        let due = Some(Self::tick_of(replica.until));
        Self::set_due(Item::Replica(id), &mut replica.due, due);
    }

    pub(crate) fn unschedule_replica(id: ReplicaId, replica: &mut Replica<T::AccountId>) {
        Self::set_due(Item::Replica(id), &mut replica.due, None);
    }

    /// Moves an item of the agenda, whose record says in `known` when it is due, to another tick or to none.
    fn set_due(item: Item, known: &mut Option<Tick>, due: Option<Tick>) {
        if let Some(before) = known.take() {
            Agenda::<T>::remove(before, item);
        }
        if let Some(due) = due {
            Self::enqueue(due, item);
        }
        *known = due;
    }

    fn take(item: Item, reporter: Option<&T::AccountId>) -> Result<bool, DispatchError> {
        match item {
            Item::Deal(deal) => Self::step_deal(deal),
            Item::Replica(replica) => Self::step_replica(replica),
            Item::Audit(replica, moment) => Self::step_audit(replica, moment, reporter),
            Item::Challenge(replica, kind) => Self::step_challenge(replica, kind),
        }
    }

    /// The most a step that succeeds may cost.
    fn weight_of(item: &Item) -> Weight {
        match item {
            Item::Deal(_) => T::WeightInfo::step_deal(),
            Item::Replica(_) => T::WeightInfo::step_replica(),
            Item::Audit(..) => T::WeightInfo::step_miss(),
            Item::Challenge(..) => T::WeightInfo::step_challenge(),
        }
    }

    /// The most any step may cost.
    pub(crate) fn heaviest_step() -> Weight {
        T::WeightInfo::step_deal()
            .max(T::WeightInfo::step_replica())
            .max(T::WeightInfo::step_miss())
            .max(T::WeightInfo::step_challenge())
    }

    /// The most any step may cost, with what follows if it fails.
    fn heaviest_attempt() -> Weight {
        Self::heaviest_step().saturating_add(T::WeightInfo::step_failed())
    }

    /// The weight `crank` is charged before it is known what it will do.
    pub(crate) fn crank_weight() -> Weight {
        let steps = u64::from(
            MAX_CRANKED_AUDITS
                .saturating_add(MAX_CHALLENGES)
                .saturating_add(1),
        );
        Self::heaviest_attempt().saturating_mul(steps)
    }

    /// The most that the audits of one draw may weigh, with the look at the draws.
    pub(crate) fn draw_share() -> Weight {
        // No configuration has more than 64.
        let audits = T::WeightInfo::open_audit().saturating_mul(64);
        T::WeightInfo::draw_start().saturating_add(audits)
    }

    /// The part of the hooks' weight that the window always has. It suffices for a replica's miss, or for
    /// the end of a window, after all stages.
    pub(crate) fn window_share(limit: Weight) -> Weight {
        let least = T::WeightInfo::window_stage()
            .saturating_mul(windows::STAGES)
            .saturating_add(T::WeightInfo::fold_group())
            .saturating_add(T::WeightInfo::step_miss())
            .saturating_add(T::WeightInfo::fold_end());
        least.max(limit.saturating_div(4))
    }

    /// The part of the hooks' weight that the queue always has. It suffices for the heaviest step, after
    /// the end of a tick.
    pub(crate) fn queue_share(limit: Weight) -> Weight {
        let least = T::WeightInfo::agenda_start()
            .saturating_add(T::WeightInfo::agenda_tick().saturating_mul(2))
            .saturating_add(Self::heaviest_attempt());
        least.max(limit.saturating_div(4))
    }

    /// The shares of the largest draw, the window and the queue together, in hooks that have `limit`.
    pub(crate) fn shares(limit: Weight) -> Weight {
        Self::draw_share()
            .saturating_add(Self::window_share(limit))
            .saturating_add(Self::queue_share(limit))
    }

    /// Draws audits, takes the window on and takes due steps.
    pub(crate) fn draw_and_step(meter: &mut WeightMeter) {
        let limit = meter.limit();
        let kept = Self::window_share(limit).saturating_add(Self::queue_share(limit));
        agenda::keeping(meter, kept, Self::draw_audits);
        Self::take_steps(meter);
    }

    /// Takes the window on and takes due steps.
    pub(crate) fn take_steps(meter: &mut WeightMeter) {
        let kept = Self::queue_share(meter.limit());
        agenda::keeping(meter, kept, Self::run_window);
        agenda::run::<Self>(meter);
    }

    /// Takes everything of a replica that is due: audits, challenges, then its own step. Each by itself:
    /// what fails is put off, as the queue does, and the others are taken.
    ///
    /// # Errors
    /// Nothing was done: the first step's error, or `NotDue` where none failed.
    pub(crate) fn do_crank(who: T::AccountId, id: ReplicaId) -> DispatchResult {
        ensure!(Replicas::<T>::contains_key(id), Error::<T>::UnknownReplica);
        let now = Self::now();
        let most = usize::try_from(MAX_CRANKED_AUDITS).unwrap_or(usize::MAX);
        let audits: Vec<_> = Audits::<T>::iter_prefix(id)
            .filter(|(_, audit)| audit.due < now)
            .take(most)
            .map(|(moment, audit)| (Self::after(audit.due), Item::Audit(id, moment)))
            .collect();
        let challenges: Vec<_> = Challenges::<T>::iter_prefix(id)
            .filter(|(_, challenge)| challenge.due < now)
            .map(|(kind, challenge)| (Self::after(challenge.due), Item::Challenge(id, kind)))
            .collect();
        let (mut done, mut failed) = (false, None);
        let mut attempt = |due: Tick, item: Item| {
            let step = || Self::take(item, Some(&who));
            match agenda::attempt::<Self, _>(due, &item, step) {
                Ok(taken) => done |= taken,
                Err(error) => failed = failed.or(Some(error)),
            }
        };
        for (due, item) in audits.into_iter().chain(challenges) {
            // A miss may have failed the replica, and that has closed its challenges.
            let open = match item {
                Item::Challenge(id, kind) => Challenges::<T>::contains_key(id, kind),
                _ => true,
            };
            if open {
                attempt(due, item);
            }
        }
        let own = Replicas::<T>::get(id).and_then(|replica| {
            let waits = replica.status != ReplicaStatus::Checking;
            let over = waits && Folded::<T>::get() >= replica.until;
            replica.due.filter(|_| over)
        });
        if let Some(due) = own {
            attempt(due, Item::Replica(id));
        }
        ensure!(done, failed.unwrap_or(Error::<T>::NotDue.into()));
        Ok(())
    }

    pub(crate) fn do_crank_deal(id: DealId) -> DispatchResult {
        let deal = Self::deal_of(&id)?;
        let waits = !matches!(deal.status, DealStatus::Taken | DealStatus::Closed);
        ensure!(
            waits && Folded::<T>::get() >= deal.until,
            Error::<T>::NotDue
        );
        let done = Self::take(Item::Deal(id), None)?;
        ensure!(done, Error::<T>::NotDue);
        Ok(())
    }

    /// Takes an audit or a challenge out of the queue.
    pub(crate) fn dequeue_audit(id: ReplicaId, moment: u32, audit: &Audit) {
        Agenda::<T>::remove(Self::after(audit.due), Item::Audit(id, moment));
    }

    /// Takes a challenge out of the queue.
    pub(crate) fn dequeue_challenge(id: ReplicaId, kind: ChallengeKind, due: Tick) {
        Agenda::<T>::remove(Self::after(due), Item::Challenge(id, kind));
    }

    /// The tick in which the queue looks at what could be answered until `due`.
    pub(crate) fn after(due: Tick) -> Tick {
        due.saturating_add(1)
    }
}

impl<T: Config> agenda::Agenda for Pallet<T> {
    const TARGET: &'static str = LOG_TARGET;
    type Item = Item;

    /// While the beacon is degraded time stands still, and nothing is due that was not before.
    fn end() -> Tick {
        Self::now().saturating_add(1)
    }

    fn cursor() -> Tick {
        AgendaCursor::<T>::get()
    }

    fn set_cursor(tick: Tick) {
        AgendaCursor::<T>::put(tick);
    }

    fn due(tick: Tick) -> impl Iterator<Item = Item> {
        Agenda::<T>::iter_key_prefix(tick)
    }

    fn remove(tick: Tick, item: &Item) {
        Agenda::<T>::remove(tick, item);
    }

    fn start_weight() -> Weight {
        T::WeightInfo::agenda_start()
    }

    fn look_weight() -> Weight {
        T::WeightInfo::agenda_tick()
    }

    fn step_weight(item: &Item) -> Option<Weight> {
        Some(Self::weight_of(item).saturating_add(T::WeightInfo::step_failed()))
    }

    fn step(item: &Item) -> Result<Weight, DispatchError> {
        Self::take(*item, None)?;
        Ok(Self::weight_of(item))
    }

    /// Longer each time where failures are counted.
    fn postpone(tick: Tick, item: &Item, error: DispatchError) {
        log::error!(target: LOG_TARGET, "a step of {item:?} failed: {error:?}");
        let item = *item;
        let counted = |due: &mut Option<Tick>, failures: &mut u8| {
            let retry_at = Self::now().saturating_add(retry_delay(*failures));
            *failures = failures.saturating_add(1);
            Self::set_due(item, due, Some(retry_at));
            retry_at
        };
        let uncounted = |due: &mut Tick| {
            let retry_at = Self::now().saturating_add(retry_delay(u8::MAX));
            *due = retry_at.saturating_sub(1);
            Agenda::<T>::remove(tick, item);
            Self::enqueue(retry_at, item);
            retry_at
        };
        let retry_at = match item {
            Item::Deal(id) => Deals::<T>::mutate(id, |deal| {
                let deal = deal.as_mut()?;
                Some(counted(&mut deal.due, &mut deal.failures))
            }),
            Item::Replica(id) => Replicas::<T>::mutate(id, |replica| {
                let replica = replica.as_mut()?;
                Some(counted(&mut replica.due, &mut replica.failures))
            }),
            Item::Audit(id, moment) => Audits::<T>::mutate(id, moment, |audit| {
                Some(uncounted(&mut audit.as_mut()?.due))
            }),
            Item::Challenge(id, kind) => Challenges::<T>::mutate(id, kind, |challenge| {
                Some(uncounted(&mut challenge.as_mut()?.due))
            }),
        };
        match retry_at {
            Some(retry_at) => Self::deposit_event(Event::StepFailed { retry_at }),
            // An entry for something that is not there.
            None => <Self as agenda::Agenda>::remove(tick, &item),
        }
    }
}
