// SPDX-License-Identifier: Apache-2.0

//! A draw: from a seed to seats, without a change of any record.
//!
//! First the seats for certified judges, from the tree of those, no judge twice; then the open ones, from
//! the tree of all, each by itself and with replacement. A candidate that may not sit is void, and the next is
//! drawn, so often that four draws come to a seat. The order of the questions is part of the protocol: those
//! that may make it void come first, and a number of the stream is taken only where none of them does and the
//! weight has risen since the publication.

use crate::{periods::Tree, Config, Error, Judge, Judges, Leaves, Pallet, RosterNodes, Terms};
use alloc::{collections::BTreeMap, vec::Vec};
use tos_formulas::{
    roster::counts_as_before,
    stream::Points,
    sum_tree::{ReadOnce, SumTree},
};
use tos_interfaces::MinerRegistry;
use tos_pallet_support::sum_tree::StoredNodes;
use tos_types::{
    roster::{RosterId, SeatKind, SeatRequest, Seated, DRAWS_PER_SEAT, ROSTER_ARITY, ROSTER_DEPTH},
    Balance, TaskType,
};

/// Judge that a draw fell on.
struct Candidate {
    judge: Judge,
    /// `true` if nothing speaks against it but its stake.
    fit: bool,
    seats: u32,
    certified: bool,
}

/// Draw, as far as it has come.
pub(crate) struct Sitting<'a, T: Config> {
    request: &'a SeatRequest<T::AccountId>,
    lock: Balance,
    /// The number of the ticket.
    ticket: u64,
    seen: BTreeMap<T::AccountId, Candidate>,
    order: Vec<T::AccountId>,
    /// Judges that are void for their suspension or certificate: the trees do not know it yet.
    pub stale: Vec<T::AccountId>,
    /// Seats that are taken.
    pub seats: u32,
    /// Draws that were made.
    pub draws: u32,
}

/// Tree of a roster in which each node is read once.
type View<T> = SumTree<ReadOnce<StoredNodes<RosterNodes<T>, RosterId>>, ROSTER_ARITY, ROSTER_DEPTH>;

impl<'a, T: Config> Sitting<'a, T> {
    fn new(request: &'a SeatRequest<T::AccountId>, lock: Balance, ticket: u64) -> Self {
        Self {
            request,
            lock,
            ticket,
            seen: BTreeMap::new(),
            order: Vec::new(),
            stale: Vec::new(),
            seats: 0,
            draws: 0,
        }
    }

    /// Gives a seat to a judge that was drawn by `weight`, if it may take it.
    fn offer(
        &mut self,
        who: &T::AccountId,
        weight: u64,
        certified: bool,
        points: &mut impl Points,
    ) -> Result<bool, Error<T>> {
        if !self.seen.contains_key(who) {
            let candidate = self.look_at(who)?;
            self.seen.insert(who.clone(), candidate);
        }
        let Some(candidate) = self.seen.get_mut(who) else {
            return Ok(false);
        };
        let seats = candidate.seats.saturating_add(1);
        let stake = self.lock.saturating_mul(seats.into());
        if !candidate.fit || stake > candidate.judge.spare() {
            return Ok(false);
        }
        let before = candidate.judge.weight_at(self.request.since, weight);
        if !counts_as_before(points, before, weight) {
            return Ok(false);
        }
        if candidate.seats == 0 {
            self.order.push(who.clone());
        }
        candidate.seats = seats;
        candidate.certified |= certified;
        self.seats = self.seats.saturating_add(1);
        Ok(true)
    }

    /// Asks what speaks against a judge.
    fn look_at(&mut self, who: &T::AccountId) -> Result<Candidate, Error<T>> {
        let request = self.request;
        let judge = Judges::<T>::get(request.task_type, who);
        let judge = judge.ok_or(Error::<T>::RosterInconsistent)?;
        let silent = judge.is_silent_for(self.ticket);
        let void = silent || self.lock > judge.spare() || request.parties.contains(who);
        let suspended = !void && T::Miners::is_suspended(who);
        if suspended {
            self.stale.push(who.clone());
        }
        let fit = !void && !suspended && !T::Miners::recuses(who, &request.parties, request.since);
        Ok(Candidate {
            judge,
            fit,
            seats: 0,
            certified: false,
        })
    }

    /// Draws the seats for certified judges.
    fn draw_certified(&mut self, wanted: u32, points: &mut impl Points) -> Result<(), Error<T>> {
        if wanted == 0 {
            return Ok(());
        }
        let id = RosterId::certified(self.request.task_type);
        let tree = view::<T>(id);
        let holders = match &self.request.kind {
            SeatKind::Vacancy { holders, .. } => leaves_of::<T>(self.request.task_type, holders),
            SeatKind::Panel | SeatKind::Court => Vec::new(),
        };
        let mut left = tree.remaining(&holders).map_err(Pallet::<T>::tree_error)?;
        let mut found = 0u32;
        for _ in 0..wanted.saturating_mul(DRAWS_PER_SEAT) {
            if found == wanted {
                break;
            }
            let hit = tree
                .draw_remaining(&mut left, points)
                .map_err(Pallet::<T>::tree_error)?;
            let Some(hit) = hit else {
                break;
            };
            self.draws = self.draws.saturating_add(1);
            let who = Leaves::<T>::get(id, hit.leaf).ok_or(Error::<T>::RosterInconsistent)?;
            if !T::Miners::judges_certified(&who) {
                self.stale.push(who);
            } else if self.offer(&who, hit.weight, true, points)? {
                found = found.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Draws the open seats.
    fn draw_open(&mut self, wanted: u32, points: &mut impl Points) -> Result<(), Error<T>> {
        if wanted == 0 {
            return Ok(());
        }
        let id = RosterId::open(self.request.task_type);
        let tree = view::<T>(id);
        let mut names: BTreeMap<u32, T::AccountId> = BTreeMap::new();
        let mut found = 0u32;
        for _ in 0..wanted.saturating_mul(DRAWS_PER_SEAT) {
            if found == wanted {
                break;
            }
            let hit = tree.draw(points).map_err(Pallet::<T>::tree_error)?;
            let Some(hit) = hit else {
                break;
            };
            self.draws = self.draws.saturating_add(1);
            let who = match names.get(&hit.leaf) {
                Some(who) => who.clone(),
                None => {
                    let who = Leaves::<T>::get(id, hit.leaf);
                    let who = who.ok_or(Error::<T>::RosterInconsistent)?;
                    names.insert(hit.leaf, who.clone());
                    who
                }
            };
            if self.offer(&who, hit.weight, false, points)? {
                found = found.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Locks the stake of the seats; the judges in the order of drawing.
    pub(crate) fn lock_seats(self) -> Vec<Seated<T::AccountId>> {
        let Self {
            request,
            lock,
            mut seen,
            order,
            ..
        } = self;
        let mut seated = Vec::new();
        for who in order {
            let Some(Candidate {
                mut judge,
                seats,
                certified,
                ..
            }) = seen.remove(&who)
            else {
                continue;
            };
            let stake = lock.saturating_mul(seats.into());
            judge.locked = judge.locked.saturating_add(stake);
            Judges::<T>::insert(request.task_type, &who, judge);
            seated.push(Seated {
                who,
                seats,
                certified,
            });
        }
        seated
    }
}

impl<T: Config> Pallet<T> {
    /// Draws for a request, with the numbers of its seed. Nothing has changed after it.
    pub(crate) fn draw_seats<'a>(
        request: &'a SeatRequest<T::AccountId>,
        terms: &Terms,
        ticket: u64,
        points: &mut impl Points,
    ) -> Result<Sitting<'a, T>, Error<T>> {
        let mut sitting = Sitting::new(request, terms.lock, ticket);
        sitting.draw_certified(terms.certified, points)?;
        // A panel without its certified judges is none, and draws no further.
        let vacancy = matches!(request.kind, SeatKind::Vacancy { .. });
        if vacancy || sitting.seats == terms.certified {
            let open = terms.seats.saturating_sub(terms.certified);
            sitting.draw_open(open, points)?;
        }
        Ok(sitting)
    }
}

fn view<T: Config>(id: RosterId) -> View<T> {
    let tree: Tree<T> = Pallet::<T>::tree(id);
    SumTree::new(ReadOnce::new(tree.into_nodes()))
}

/// The leaves of these judges in the tree of the certified ones.
fn leaves_of<T: Config>(task_type: TaskType, who: &[T::AccountId]) -> Vec<u32> {
    who.iter()
        .filter_map(|who| Judges::<T>::get(task_type, who)?.certified_leaf)
        .collect()
}
