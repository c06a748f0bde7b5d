// SPDX-License-Identifier: Apache-2.0

//! Rosters of judges, and those whom they seat.

use alloc::vec::Vec;
use polkadot_sdk::sp_runtime::DispatchResult;
use tos_types::{
    roster::{SeatRequest, Seated},
    Balance, CaseId, Difficulty, TaskType,
};

/// The reason why a task cannot be published in its type now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoRoom {
    /// The reward is too large a part of the roster's stake: with other panels seated it could wait for
    /// its judges for ever.
    RewardTooLarge,
    /// The roster has fewer accounts than twice the seats of a panel.
    TooFewJudges,
    /// The type is in bootstrap and has too few certified judges for the smallest panel.
    TooFewCertified,
}

/// Rosters, as rounds use them: lines of cases that wait for seats, and the stakes of those seats.
///
/// Draws are made in the implementor's hook alone, in the order of their tickets, and come back by
/// [`Seating`]: no call can cause one or change its result.
pub trait Roster<AccountId> {
    /// Permission to publish a task of this reward (in wei) now. The stake that it is measured by changes
    /// at the begin of a period alone.
    fn admits(task_type: TaskType, reward: Balance, difficulty: Difficulty) -> Result<(), NoRoom>;
    /// The seats that a panel of `wanted` would get now: fewer in bootstrap with few certified judges,
    /// `None` where there are too few for any. Forecast; fixed with the ticket alone.
    fn seats_now(task_type: TaskType, wanted: u32) -> Option<u32>;
    /// Puts a request at the end of the line of its type and class (the higher is served first). Vacancies
    /// stand before all lines, whatever their class. Fails when the case waits already.
    fn enqueue(request: SeatRequest<AccountId>, class: u8) -> DispatchResult;
    /// Moves a waiting case to the end of a higher class, because premium was added. Fails when it does not
    /// wait; a case with a ticket keeps it.
    fn raise(case: &CaseId, class: u8) -> DispatchResult;
    /// Takes a case out of its line, with its ticket and the room reserved for it. No effect if it does not
    /// wait.
    fn withdraw(case: &CaseId);
    /// Moves up to `amount` (in wei) of the bond of `who` to `to`; the amount moved. The bond *and* what is
    /// locked of it fall by that: what a draw can lock of `who` is the same before and after, so no account
    /// can time its own fine between a ticket and its draw.
    fn fine(who: &AccountId, task_type: TaskType, amount: Balance, to: &AccountId) -> Balance;
    /// Takes `who` off the roster until it reports back: it did not act in a round. No ticket that is taken from
    /// now on seats it, and it is out of the tree from the next period. A ticket that is taken already may, so
    /// that no account can choose by its own silence who sits.
    fn silent(who: &AccountId, task_type: TaskType);
    /// Unlocks `locked` (in wei) of the bond of `who`: the stake of its seats in one case, less what was fined
    /// out of it. Called after the cool-down that follows the close of a case; it takes effect when no older
    /// ticket of the type is outstanding.
    fn free(who: &AccountId, task_type: TaskType, locked: Balance);
    /// Books pay (in wei) of `who`, to be claimed. The money has come to [`Self::pot`] before.
    fn credit(who: &AccountId, task_type: TaskType, amount: Balance);
    /// The account that pay of judges lies in until they claim it.
    fn pot() -> AccountId;
    /// The stake of a type's roster, in wei: whole TOS of all its judges.
    fn stake(task_type: TaskType) -> Balance;
    /// Returns `true` while a type is in bootstrap: most seats are for certified judges, and appeals go to the
    /// council.
    fn bootstraps(task_type: TaskType) -> bool;
}

/// Those who are seated, as a roster tells them.
///
/// Called from the roster's hook alone. The implementor may add steps for later ticks, not for this one.
pub trait Seating<AccountId> {
    /// A panel or court sits, in the order of drawing, and each of its seats has `lock` (in wei) locked. The
    /// seats are as many as the ticket fixed. Those of a vacancy may be fewer or none: it is drawn for once.
    fn seated(case: &CaseId, round: u32, lock: Balance, seats: Vec<Seated<AccountId>>);
    /// No panel was found in the longest time that a case waits. Its line, ticket and room are gone.
    fn expired(case: &CaseId, round: u32);
}
