// SPDX-License-Identifier: Apache-2.0

//! Rosters, as rounds and tasks use them.

use crate::{Bootstrap, Config, Counts, Pallet};
use frame_support::traits::Get;
use polkadot_sdk::*;
use sp_runtime::DispatchResult;
use tos_formulas::roster::{has_room, lock_of, seats_in_bootstrap};
use tos_interfaces::{NoRoom, Roster};
use tos_types::{
    params::share_of,
    roster::{SeatRequest, SeatStake},
    rules::JudgeRules,
    Balance, CaseId, Difficulty, TaskType, TOS,
};

impl<T: Config> Roster<T::AccountId> for Pallet<T> {
    /// In bootstrap the panel itself has to fit; outside of it the reward is so small a part of the stake that a
    /// court over it fits as well.
    fn admits(task_type: TaskType, reward: Balance, difficulty: Difficulty) -> Result<(), NoRoom> {
        let (rules, count) = (T::Rules::seats(), Counts::<T>::get(task_type));
        let wanted = difficulty.seats();
        let seats = if Self::bootstraps(task_type) {
            let seats = seats_in_bootstrap(wanted, count.certified);
            seats.ok_or(NoRoom::TooFewCertified)?.all
        } else if count.judges < wanted.saturating_mul(2) {
            return Err(NoRoom::TooFewJudges);
        } else {
            wanted
        };
        let stake = SeatStake::PartOf {
            all: share_of(reward, rules.seat_stake),
            least: rules.least_seat_stake,
        };
        let all = lock_of(&stake, seats).saturating_mul(seats.into());
        let fits = has_room(Self::total(task_type), 0, all, rules.panel_locks);
        let most = share_of(Self::stake(task_type), rules.publish_share);
        if fits && (Self::bootstraps(task_type) || reward <= most) {
            Ok(())
        } else {
            Err(NoRoom::RewardTooLarge)
        }
    }

    fn seats_now(task_type: TaskType, wanted: u32) -> Option<u32> {
        if !Self::bootstraps(task_type) {
            return Some(wanted);
        }
        let certified = Counts::<T>::get(task_type).certified;
        seats_in_bootstrap(wanted, certified).map(|seats| seats.all)
    }

    fn enqueue(request: SeatRequest<T::AccountId>, class: u8) -> DispatchResult {
        Self::do_enqueue(request, class)
    }

    fn raise(case: &CaseId, class: u8) -> DispatchResult {
        Self::do_raise(case, class)
    }

    fn withdraw(case: &CaseId) {
        Self::remove_waiting(case);
    }

    fn fine(
        who: &T::AccountId,
        task_type: TaskType,
        amount: Balance,
        to: &T::AccountId,
    ) -> Balance {
        Self::do_fine(who, task_type, amount, to)
    }

    fn silent(who: &T::AccountId, task_type: TaskType) {
        Self::do_silence(who, task_type);
    }

    fn free(who: &T::AccountId, task_type: TaskType, locked: Balance) {
        Self::do_free(who, task_type, locked);
    }

    fn credit(who: &T::AccountId, task_type: TaskType, amount: Balance) {
        Self::do_credit(who, task_type, amount);
    }

    fn pot() -> T::AccountId {
        T::Pot::get()
    }

    fn stake(task_type: TaskType) -> Balance {
        Balance::from(Self::total(task_type)).saturating_mul(TOS)
    }

    fn bootstraps(task_type: TaskType) -> bool {
        Bootstrap::<T>::contains_key(task_type)
    }
}
