// SPDX-License-Identifier: Apache-2.0

//! The accounts of a run: what became of each transaction. Pure: it is told what happened, and
//! when, in milliseconds since the run began.

use crate::{pool_error::Meaning, submit::Answer};
use std::collections::{BTreeMap, HashMap};
use tos_sdk::{any_chain::Hash, rpc::Refusal};

/// The most kinds of refusals that are told apart.
const KINDS: usize = 64;

/// State of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not offered to the node yet.
    Waiting,
    /// Sent; no answer yet.
    Sent,
    /// The pool has taken it.
    Pooled,
    /// The pool refused it for now; it will be offered again.
    Again,
    /// In a block of the best chain.
    InBlock,
    /// In a final block.
    Final,
    /// The pool refused it for good.
    Refused,
    /// Never offered, because an earlier one of its account was refused for good.
    Skipped,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    state: State,
    /// `true` if the pool ever took it.
    accepted: bool,
    /// `true` if it ever was in a block.
    seen: bool,
    refusals: u16,
    /// Time of its first offer, in milliseconds.
    offered_ms: u32,
}

/// Next step after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: wait for a block.
    Wait,
    /// Offer it again, after this many refusals.
    Again(u32),
    /// Nothing of its account can follow.
    Dead,
}

/// All transactions of a run.
pub struct Ledger {
    entries: Vec<Entry>,
    index: HashMap<Hash, u32>,
    states: [usize; 8],
    /// Milliseconds from the first offer to a best block.
    pub in_block_ms: Vec<u32>,
    /// Milliseconds from the first offer to finality.
    pub final_ms: Vec<u32>,
    /// Refusals by code and text; one transaction may be refused several times.
    pub refusals: BTreeMap<Refusal, u64>,
    /// Transactions that were refused at their first offer.
    pub refused_first: usize,
    /// Answers that never came because a connection broke or a request timed out.
    pub unanswered: u64,
    /// Transactions offered again because the pool had lost them.
    pub evicted: usize,
}

impl Ledger {
    /// Of transactions with these hashes, in the order in which they will be offered.
    pub fn new(hashes: impl ExactSizeIterator<Item = Hash>) -> Self {
        let count = hashes.len();
        let entry = Entry {
            state: State::Waiting,
            accepted: false,
            seen: false,
            refusals: 0,
            offered_ms: 0,
        };
        let mut states = [0; 8];
        states[State::Waiting as usize] = count;
        Self {
            entries: vec![entry; count],
            index: (0u32..).zip(hashes).map(|(i, hash)| (hash, i)).collect(),
            states,
            in_block_ms: Vec::new(),
            final_ms: Vec::new(),
            refusals: BTreeMap::new(),
            refused_first: 0,
            unanswered: 0,
            evicted: 0,
        }
    }

    fn set(&mut self, at: u32, state: State) {
        if let Some(entry) = self.entries.get_mut(at as usize) {
            self.states[entry.state as usize] -= 1;
            self.states[state as usize] += 1;
            entry.state = state;
        }
    }

    /// The state of a transaction.
    pub fn state(&self, at: u32) -> State {
        let entry = self.entries.get(at as usize);
        entry.map_or(State::Skipped, |entry| entry.state)
    }

    /// The number of those in a state.
    pub fn count(&self, state: State) -> usize {
        self.states[state as usize]
    }

    /// The number of those that were offered.
    pub fn offered(&self) -> usize {
        let idle = self.count(State::Waiting) + self.count(State::Skipped);
        self.entries.len() - idle
    }

    /// The number of those that the pool ever took.
    pub fn accepted(&self) -> usize {
        self.entries.iter().filter(|entry| entry.accepted).count()
    }

    /// The number of those on their way: sent or pooled, and not in a block.
    pub fn outside(&self) -> usize {
        self.count(State::Sent) + self.count(State::Pooled)
    }

    /// The number of those that can still become final.
    pub fn open(&self) -> usize {
        self.outside() + self.count(State::Again) + self.count(State::InBlock)
    }

    /// The number of those in blocks, final or not.
    pub fn included(&self) -> usize {
        self.count(State::InBlock) + self.count(State::Final)
    }

    /// Transactions in a state, in order.
    pub fn all(&self, state: State) -> impl Iterator<Item = u32> + '_ {
        let all = (0u32..).zip(&self.entries);
        all.filter(move |(_, entry)| entry.state == state)
            .map(|(at, _)| at)
    }

    /// Returns `true` if the pool ever took this one.
    pub fn was_accepted(&self, at: u32) -> bool {
        self.entries
            .get(at as usize)
            .is_some_and(|entry| entry.accepted)
    }

    /// A transaction goes to the node. False when it needs not: it is in a block already.
    pub fn offer(&mut self, at: u32, now_ms: u32) -> bool {
        let state = self.state(at);
        if !matches!(state, State::Waiting | State::Again) {
            return false;
        }
        self.set(at, State::Sent);
        if let Some(entry) = self.entries.get_mut(at as usize) {
            if state == State::Waiting {
                entry.offered_ms = now_ms;
            }
        }
        true
    }

    /// A transaction will not be offered.
    pub fn skip(&mut self, at: u32) {
        if self.state(at) == State::Waiting {
            self.set(at, State::Skipped);
        }
    }

    /// The pool lost this one; it will be offered again.
    pub fn evict(&mut self, at: u32) {
        if self.state(at) == State::Pooled {
            self.evicted += 1;
            self.set(at, State::Again);
        }
    }

    /// The node answered.
    pub fn answer(&mut self, at: u32, answer: Answer) -> Next {
        let meaning = match &answer {
            Answer::Accepted => Meaning::Known,
            Answer::Refused(refusal) => Meaning::of(refusal),
            Answer::None(_) => Meaning::NoRoom,
        };
        let state = self.state(at);
        let refusals = match self.entries.get_mut(at as usize) {
            None => return Next::Wait,
            Some(entry) => {
                if meaning == Meaning::Known {
                    entry.accepted = true;
                } else {
                    entry.refusals = entry.refusals.saturating_add(1);
                }
                entry.refusals
            }
        };
        match answer {
            Answer::Accepted => {}
            Answer::None(_) => self.unanswered += 1,
            Answer::Refused(refusal) => {
                if refusals == 1 && meaning != Meaning::Known {
                    self.refused_first += 1;
                }
                if self.refusals.len() < KINDS || self.refusals.contains_key(&refusal) {
                    *self.refusals.entry(refusal).or_default() += 1;
                }
            }
        }
        // A block may be faster than the answer.
        if state != State::Sent {
            return Next::Wait;
        }
        match meaning {
            // What is stale is in a block that will be seen, or was never ours.
            Meaning::Known | Meaning::Stale => {
                self.set(at, State::Pooled);
                Next::Wait
            }
            Meaning::NoRoom => {
                self.set(at, State::Again);
                Next::Again(refusals.into())
            }
            Meaning::Never => {
                self.set(at, State::Refused);
                Next::Dead
            }
        }
    }

    /// A block of the best chain; returns how many of its transactions are of this run.
    pub fn best(&mut self, hashes: &[Hash], now_ms: u32) -> u32 {
        let mut ours = 0;
        for hash in hashes {
            let Some(&at) = self.index.get(hash) else {
                continue;
            };
            ours += 1;
            if !matches!(self.state(at), State::InBlock | State::Final) {
                self.set(at, State::InBlock);
                let Some(entry) = self.entries.get_mut(at as usize) else {
                    continue;
                };
                if !entry.seen {
                    entry.seen = true;
                    self.in_block_ms
                        .push(now_ms.saturating_sub(entry.offered_ms));
                }
            }
        }
        ours
    }

    /// A final block; returns how many of its transactions are of this run.
    pub fn finalised(&mut self, hashes: &[Hash], now_ms: u32) -> u32 {
        let ours = self.best(hashes, now_ms);
        for hash in hashes {
            let Some(&at) = self.index.get(hash) else {
                continue;
            };
            if self.state(at) != State::Final {
                self.set(at, State::Final);
                let offered = self.entries.get(at as usize).map_or(0, |e| e.offered_ms);
                self.final_ms.push(now_ms.saturating_sub(offered));
            }
        }
        ours
    }

    /// Blocks left the best chain: what only they held waits again.
    pub fn retracted(&mut self, hashes: &[Hash]) {
        for hash in hashes {
            let Some(&at) = self.index.get(hash) else {
                continue;
            };
            if self.state(at) == State::InBlock {
                self.set(at, State::Pooled);
            }
        }
    }

    /// Transactions of this run that the pool should hold and does not: a set for [`Self::evict`].
    pub fn missing(&self, pool: &[Hash]) -> Vec<u32> {
        let held: std::collections::HashSet<u32> = pool
            .iter()
            .filter_map(|hash| self.index.get(hash).copied())
            .collect();
        self.all(State::Pooled)
            .filter(|at| !held.contains(at))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u8) -> Hash {
        [number; 32]
    }

    fn ledger(count: u8) -> Ledger {
        Ledger::new((0..count).map(hash).collect::<Vec<_>>().into_iter())
    }

    /// A ledger of so many transactions, all of which the node has accepted.
    fn accepted(count: u8) -> Ledger {
        let mut ledger = ledger(count);
        for at in 0..u32::from(count) {
            ledger.offer(at, 0);
            ledger.answer(at, Answer::Accepted);
        }
        ledger
    }

    fn refused(code: i32) -> Answer {
        Answer::Refused(Refusal::new(code, "no", None))
    }

    #[test]
    fn an_honest_transaction_goes_all_the_way() {
        let mut ledger = ledger(2);
        assert!(ledger.offer(0, 100));
        assert!(!ledger.offer(0, 101), "it is offered once");
        assert_eq!(ledger.answer(0, Answer::Accepted), Next::Wait);
        assert_eq!((ledger.offered(), ledger.outside()), (1, 1));
        assert_eq!(ledger.best(&[hash(9), hash(0)], 1_100), 1);
        assert_eq!((ledger.outside(), ledger.open()), (0, 1));
        assert_eq!(ledger.finalised(&[hash(0)], 3_100), 1);
        assert_eq!(ledger.open(), 0);
        assert_eq!(
            (&ledger.in_block_ms, &ledger.final_ms),
            (&vec![1_000], &vec![3_000])
        );
        assert_eq!(ledger.accepted(), 1);
    }

    #[test]
    fn a_block_may_come_before_the_answer_and_finality_before_the_best_block() {
        let mut ledger = ledger(1);
        ledger.offer(0, 0);
        ledger.finalised(&[hash(0)], 50);
        assert_eq!(ledger.answer(0, Answer::Accepted), Next::Wait);
        assert_eq!(ledger.state(0), State::Final);
        assert_eq!(ledger.accepted(), 1);
        assert_eq!(ledger.in_block_ms, [50]);
    }

    #[test]
    fn a_full_pool_is_tried_again_and_a_bad_transaction_is_not() {
        let mut ledger = ledger(2);
        ledger.offer(0, 0);
        ledger.offer(1, 0);
        assert_eq!(ledger.answer(0, refused(1016)), Next::Again(1));
        assert_eq!(ledger.answer(1, refused(1010)), Next::Dead);
        assert_eq!(ledger.refused_first, 2);
        assert!(ledger.offer(0, 500));
        assert_eq!(ledger.answer(0, refused(1016)), Next::Again(2));
        assert_eq!(ledger.refused_first, 2);
        assert!(ledger.offer(0, 900));
        ledger.answer(0, Answer::Accepted);
        ledger.finalised(&[hash(0)], 1_000);
        // Latency counts from the first offer: the back-off is the sender's time too.
        assert_eq!(ledger.final_ms, [1_000]);
        assert_eq!(ledger.count(State::Refused), 1);
        assert_eq!(ledger.refusals.values().sum::<u64>(), 3);
    }

    #[test]
    fn a_lost_connection_is_no_refusal() {
        let mut ledger = ledger(1);
        ledger.offer(0, 0);
        assert_eq!(
            ledger.answer(0, Answer::None("gone".into())),
            Next::Again(1)
        );
        assert_eq!((ledger.unanswered, ledger.refused_first), (1, 0));
    }

    #[test]
    fn a_reorganisation_takes_a_transaction_back_but_not_from_a_final_block() {
        let mut ledger = accepted(2);
        ledger.best(&[hash(0), hash(1)], 10);
        ledger.finalised(&[hash(1)], 20);
        ledger.retracted(&[hash(0), hash(1)]);
        assert_eq!(
            (ledger.state(0), ledger.state(1)),
            (State::Pooled, State::Final)
        );
        // The first block counts for latency, and only it.
        ledger.best(&[hash(0)], 900);
        assert_eq!(ledger.in_block_ms, [10, 10]);
    }

    #[test]
    fn what_the_pool_lost_is_found() {
        let mut ledger = accepted(3);
        ledger.best(&[hash(0)], 10);
        assert_eq!(ledger.missing(&[hash(1), hash(77)]), [2]);
        ledger.evict(2);
        assert_eq!((ledger.state(2), ledger.evicted), (State::Again, 1));
        assert!(ledger.was_accepted(2) && !ledger.was_accepted(9));
    }

    #[test]
    fn kinds_of_refusals_are_bounded() {
        let mut ledger = ledger(200);
        for at in 0..200u32 {
            ledger.offer(at, 0);
            let refusal = Refusal::new(1010, &at.to_string(), None);
            ledger.answer(at, Answer::Refused(refusal));
        }
        assert_eq!(ledger.refusals.len(), KINDS);
        assert_eq!(ledger.count(State::Refused), 200);
    }

    #[test]
    fn what_is_never_offered_is_not_counted() {
        let mut ledger = ledger(3);
        ledger.offer(0, 0);
        ledger.skip(1);
        ledger.skip(0);
        assert_eq!((ledger.offered(), ledger.count(State::Skipped)), (1, 1));
    }
}
