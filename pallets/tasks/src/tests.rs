// SPDX-License-Identifier: Apache-2.0

//! Tests of tasks, by topic, and the steps they are made of.

mod answers;
mod checks;
mod conformance;
mod illegal;
mod lifecycle;
mod money;
mod prune;
mod publish;
mod queue;
mod random;
mod reads;
mod rules;
mod rulesets;

use crate::{mock::*, *};
use frame_support::{assert_ok, dispatch::DispatchResult};
use tos_types::{
    commitment,
    vote::{AnswerResult, Tally},
    Balance, Closure, ContentRef, Difficulty, Phase, TaskId, TaskParams, Tick, Verdict, TOS,
};

/// An offer with good values; tests change what they are about.
#[derive(Clone)]
struct Offer {
    by: u64,
    params: TaskParams,
    difficulty: Difficulty,
    spec: ContentRef,
    reward: Balance,
    open_for: Tick,
    min_quality: u8,
    places: u32,
    reference: Option<[u8; 32]>,
}

impl Default for Offer {
    fn default() -> Self {
        Self {
            by: PUBLISHER,
            params: TaskParams::General {
                subject: b"translate".to_vec().try_into().unwrap(),
            },
            difficulty: Difficulty::Beginner,
            spec: ContentRef::inline(b"translate this text").unwrap(),
            reward: 10 * TOS,
            open_for: 10,
            min_quality: 50,
            places: 4,
            reference: None,
        }
    }
}

impl Offer {
    fn publish(self) -> DispatchResult {
        Work::publish(
            RuntimeOrigin::signed(self.by),
            self.params,
            self.difficulty,
            self.spec,
            self.reward,
            self.open_for,
            self.min_quality,
            self.places,
            self.reference,
        )
    }

    fn id(self) -> TaskId {
        let id = TaskId::derive(&self.by, Nonces::<Test>::get(self.by));
        assert_ok!(self.publish());
        id
    }
}

fn publish() -> TaskId {
    Offer::default().id()
}

/// Publishes an offer that is good but for what is changed.
fn publish_with(change: impl FnOnce(&mut Offer)) -> TaskId {
    let mut offer = Offer::default();
    change(&mut offer);
    offer.id()
}

/// Two tasks of each of so many accounts.
fn publish_two_each(accounts: u64) {
    for by in (1..=accounts).flat_map(|by| [by; 2]) {
        publish_with(|offer| offer.by = by);
    }
}

/// Parameters of a task in which equal answers are no copies.
fn logic() -> TaskParams {
    TaskParams::LogicReasoning {
        domain: b"arithmetic".to_vec().try_into().unwrap(),
    }
}

fn join(who: u64, id: TaskId) {
    assert_ok!(Work::join(RuntimeOrigin::signed(who), id));
}

/// A task that these miners have joined.
fn joined(miners: &[u64]) -> TaskId {
    let id = publish();
    miners.iter().for_each(|who| join(*who, id));
    id
}

const SALT: [u8; 32] = [7; 32];

/// An answer of `who`, unlike anybody else's.
fn text(who: u64) -> Vec<u8> {
    format!("the answer of {who}").into_bytes()
}

fn simhash(text: &[u8]) -> u64 {
    let hash = tos_types::content::content_hash(text);
    u64::from_le_bytes(hash[..8].try_into().unwrap())
}

fn try_commit(who: u64, id: TaskId, text: &[u8]) -> DispatchResult {
    let hash = tos_types::content::content_hash(text);
    let commitment = commitment::answer(&id, &who, &hash, simhash(text), &SALT);
    Work::commit(RuntimeOrigin::signed(who), id, commitment)
}

fn try_reveal(who: u64, id: TaskId, text: &[u8]) -> DispatchResult {
    let content = ContentRef::inline(text).unwrap();
    Work::reveal(RuntimeOrigin::signed(who), id, content, simhash(text), SALT)
}

fn commit(who: u64, id: TaskId) {
    assert_ok!(try_commit(who, id, &text(who)));
}

fn reveal(who: u64, id: TaskId) {
    assert_ok!(try_reveal(who, id, &text(who)));
}

/// The miners join and commit, each to an answer of its own.
fn committed(id: TaskId, miners: &[u64]) {
    for who in miners {
        join(*who, id);
        commit(*who, id);
    }
}

/// Alice and Bob commit to the same answer, and it is time to reveal it.
fn committed_alike(id: TaskId, text: &[u8]) {
    for who in [ALICE, BOB] {
        join(who, id);
        assert_ok!(try_commit(who, id, text));
    }
    end_phase(id);
}

/// Alice and Bob reveal the same answer.
fn revealed_alike(id: TaskId, text: &[u8]) {
    for who in [ALICE, BOB] {
        assert_ok!(try_reveal(who, id, text));
    }
}

/// The miners join, commit and reveal; the task is about to draw a panel.
fn answered(id: TaskId, miners: &[u64]) {
    committed(id, miners);
    end_phase(id);
    for who in miners {
        reveal(*who, id);
    }
    end_phase(id);
    assert_eq!(phase(id), Phase::PanelDraw);
}

/// A new task with answers of the miners, about to draw a panel.
fn answered_task(miners: &[u64]) -> TaskId {
    let id = publish();
    answered(id, miners);
    id
}

/// Scripts what the round after those already scripted gives.
fn next_round(tally: Tally, results: &[AnswerResult]) {
    script(|s| s.rounds.push_back((tally, results.to_vec())));
}

/// The rest of a round of voting: a panel is drawn and its windows run out.
fn voted(id: TaskId) {
    for expected in [Phase::PanelDraw, Phase::VoteCommit, Phase::VoteReveal] {
        assert_eq!(phase(id), expected);
        end_phase(id);
    }
}

/// Answers of the miners, judged with the given results, in the challenge window.
fn judged(id: TaskId, miners: &[u64], results: &[AnswerResult]) {
    next_round(Tally::Consensus, results);
    answered(id, miners);
    voted(id);
    assert_eq!(phase(id), Phase::Challenge);
}

/// A new task with answers of the miners, judged with the given results, in the challenge window.
fn judged_task(miners: &[u64], results: &[AnswerResult]) -> TaskId {
    let id = publish();
    judged(id, miners, results);
    id
}

fn challenge(who: u64, id: TaskId) {
    assert_ok!(Work::challenge(RuntimeOrigin::signed(who), id));
}

/// A result with this quality.
fn good(quality: u8) -> AnswerResult {
    AnswerResult {
        quality,
        innovation: 50,
        verdict: Verdict::Valid,
    }
}

/// A result with this verdict.
fn bad(verdict: Verdict) -> AnswerResult {
    AnswerResult {
        quality: 0,
        innovation: 0,
        verdict,
    }
}

fn task(id: TaskId) -> TaskOf<Test> {
    Work::find(&id).unwrap()
}

fn phase(id: TaskId) -> Phase {
    task(id).phase
}

/// Lets blocks pass until the task's next step is due, and one more round of hooks.
fn end_phase(id: TaskId) {
    pass_to(task(id).due);
}

/// Lets blocks pass until the task is closed.
fn finish(id: TaskId) -> Closure {
    for _ in 0..500 {
        if let Phase::Closed(closure) = phase(id) {
            return closure;
        }
        tick();
    }
    panic!("the task does not end");
}

fn events() -> Vec<Event<Test>> {
    System::read_events_for_pallet()
}

fn assert_event(event: Event<Test>) {
    assert!(
        events().contains(&event),
        "{event:?} is not among {:#?}",
        events()
    );
}

fn free(who: u64) -> Balance {
    Balances::free_balance(who)
}

fn held(who: u64, reason: HoldReason) -> Balance {
    use frame_support::traits::fungible::InspectHold;
    Balances::balance_on_hold(&reason.into(), &who)
}

/// Everything an account has, held or free.
fn wealth(who: u64) -> Balance {
    use frame_support::traits::fungible::Inspect;
    <Balances as Inspect<_>>::total_balance(&who)
}
