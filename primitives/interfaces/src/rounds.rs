// SPDX-License-Identifier: Apache-2.0

//! Rounds of voting, the cases that they judge, and appeals.

use crate::RevealedAnswer;
use alloc::vec::Vec;
use polkadot_sdk::sp_runtime::{DispatchResult, Weight};
use tos_types::{
    rounds::{Cursor, FinalResult, Say, Standing},
    rules::SeatRules,
    vote::{AnswerOutcomes, Outcome},
    Balance, CaseId, ContentHash, Phase, TaskType, Tick,
};

/// Case to be judged: all that its rounds need, so that no step of theirs reads the task again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case<AccountId> {
    /// Its identifier.
    pub id: CaseId,
    /// The type whose judges sit.
    pub task_type: TaskType,
    /// The seats of a panel; bootstrap may lower them.
    pub seats: u32,
    /// The reward, in wei; the stake of the seats is a share of it.
    pub reward: Balance,
    /// The pay of all seats of a panel without premium, in wei: V. A seat's part of it is the fee, in which bonds
    /// and limits are counted.
    pub pay: Balance,
    /// The class of its line, by its premium.
    pub class: u8,
    /// The number of answers; every ballot scores all of them, in the order of commitment.
    pub answers: u32,
    /// Bit `i` is set where answer `i` is inline: no vote may call it unavailable.
    pub inline: u32,
    /// The number of the rule set that it was published under.
    pub rules: u32,
    /// The tool that every seat runs, by the BLAKE3 hash of its file.
    pub tool: Option<ContentHash>,
    /// Time of publication.
    pub since: Tick,
    /// The publisher and the authors; sorted, without doubles.
    pub parties: Vec<AccountId>,
}

/// Work done in one step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done {
    /// The position to go on from; `None` when all is done.
    pub next: Option<Cursor>,
    /// The weight used.
    pub used: Weight,
}

/// Rounds of voting, from the line to the settlement of seats.
///
/// A case has one entry in exactly one place: the line or a ticket of the roster while it waits, the agenda of
/// the implementor while votes are taken, that of its [`Cases`] else.
pub trait Rounds<AccountId> {
    /// Opens a case and lets it wait for a panel. Fails when it is open already.
    fn open(case: Case<AccountId>) -> DispatchResult;
    /// Moves a case that waits to a higher class. Fails when it does not wait.
    fn raise(case: &CaseId, class: u8) -> DispatchResult;
    /// The result that stands, if there is one.
    fn result(case: &CaseId) -> Option<Standing>;
    /// The judges of the round whose result stands that revealed this, with the number of their seats, in the
    /// order of drawing.
    fn revealed_seats(case: &CaseId, say: Say) -> Vec<(AccountId, u32)>;
    /// Settles seats from a position on, within `budget`: pay by points, fines of silence and hiding, losses by
    /// appeal, reputation. The shares are computed once, at the begin; the pay has come to the roster's pot
    /// before, and what of it no seat earns goes to the treasury. At the end the type's baseline moves. At
    /// least one seat is settled by every call.
    fn settle(case: &CaseId, result: &FinalResult, from: Cursor, budget: Weight) -> Done;
    /// Ends a case in any phase: nothing more is voted on or waited for. Its seats are freed after the cool-down,
    /// without a further call.
    fn close(case: &CaseId);
    /// Removes the records of a closed case from a position on, within `budget`. At least one is removed by
    /// every call.
    fn forget(case: &CaseId, from: Cursor, budget: Weight) -> Done;
}

/// Cases, as rounds tell of them.
///
/// Called from hooks and votes. The implementor may add steps for later ticks, not for this one.
pub trait Cases<AccountId> {
    /// A phase of voting began in this round, and ends at the deadline at the latest. Until then the case has
    /// no entry in the implementor's agenda.
    fn entered(case: &CaseId, phase: Phase, round: u32, deadline: Tick);
    /// A round gave a result, which [`Rounds::result`] tells; the window for appeals opens. Never with
    /// [`Outcome::None`], after which a new panel is waited for.
    fn stands(case: &CaseId, outcome: Outcome);
    /// Neither a panel nor a result was found in the longest time.
    fn abandoned(case: &CaseId);
    /// The rules of seats in this rule set; those of a new network if there is no such set.
    fn seat_rules(rules: u32) -> SeatRules;
    /// The answer of `who`, while the case has a result that is not settled and no vote is open.
    fn judged_answer(case: &CaseId, who: &AccountId) -> Option<RevealedAnswer>;
}

/// Appeals against a result that stands.
pub trait Appeals {
    /// Takes claims against the result of a case until this tick.
    fn open(case: &CaseId, until: Tick);
    /// Returns `true` while a claim is not decided: nothing is accepted or settled then.
    fn pending(case: &CaseId) -> bool;
    /// Takes no more claims; those that are left get their bonds back.
    fn close(case: &CaseId);
}

/// Results that appeals replace.
pub trait Ruling {
    /// Replaces the result of a case, as a whole. The outcome is never [`Outcome::None`], and there is one result
    /// for each answer, none with [`Outcome::Faulty`]. Fails when the case is in no window.
    fn rule(case: &CaseId, outcome: Outcome, answers: AnswerOutcomes) -> DispatchResult;
}
