// SPDX-License-Identifier: Apache-2.0

//! Escrow in, shares out.

use crate::{pallet::*, types::*, LOG_TARGET};
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{
        fungible::Inspect,
        tokens::{DepositConsequence, Provenance},
        Get,
    },
};
use polkadot_sdk::*;
use sp_runtime::{ArithmeticError, DispatchError, DispatchResult};
use tos_formulas::split::{allocate, Allocation, SplitProfile, WinnerRule};
use tos_interfaces::{Clock, Settlement, Vault};
use tos_pallet_support::holds;
use tos_types::{Balance, Bp, Difficulty, TaskId, TaskType, MAX_PARTICIPANTS};
use tos_views::ClaimView;

/// What a settlement owes, by role and account. A validator of several rounds is one entry.
type Shares<AccountId> = BTreeMap<(RewardRole, AccountId), Balance>;

/// Whether a rule names numbers that a task can have.
pub(crate) fn is_valid_rule(rule: &WinnerRule) -> bool {
    let possible = 1..=MAX_PARTICIPANTS;
    possible.contains(&rule.per.into()) && possible.contains(&rule.cap.into())
}

impl<T: Config> Pallet<T> {
    /// How escrows of tasks of this type and difficulty are split.
    pub fn profile_for(task_type: TaskType, difficulty: Difficulty) -> SplitProfile {
        Profiles::<T>::get(task_type, difficulty)
            .unwrap_or_else(|| SplitProfile::for_task(task_type, difficulty))
    }

    /// How many winners tasks of this type have.
    pub fn rule_for(task_type: TaskType) -> WinnerRule {
        WinnerRules::<T>::get(task_type).unwrap_or_else(|| WinnerRule::for_type(task_type))
    }

    /// At most `limit` of the rewards that wait for `who`.
    pub fn claims_of(who: &T::AccountId, limit: u32) -> Vec<ClaimView> {
        Claims::<T>::iter_prefix(who)
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|(task, claim)| ClaimView {
                task,
                amount: claim.amount,
                expires: claim.expires,
            })
            .collect()
    }

    pub(crate) fn do_claim(who: &T::AccountId, task: &TaskId) -> DispatchResult {
        let Claim {
            amount, custody, ..
        } = Self::take_claim(who, task)?;
        Self::pay_out(who, custody, amount)?;
        Self::deposit_event(Event::Claimed {
            who: who.clone(),
            task: *task,
            amount,
        });
        Ok(())
    }

    /// Returns how many rewards were claimed.
    pub(crate) fn do_claim_all(who: &T::AccountId) -> Result<u32, DispatchError> {
        let claims = Self::claims_of(who, MAX_CLAIMS_PER_CALL);
        ensure!(!claims.is_empty(), Error::<T>::NothingToClaim);
        let (mut own, mut kept): (Balance, Balance) = (0, 0);
        for ClaimView { task, .. } in &claims {
            let Claim {
                amount, custody, ..
            } = Self::take_claim(who, task)?;
            let total = match custody {
                Custody::Owner => &mut own,
                Custody::Treasury => &mut kept,
            };
            *total = total.checked_add(amount).ok_or(ArithmeticError::Overflow)?;
            Self::deposit_event(Event::Claimed {
                who: who.clone(),
                task: *task,
                amount,
            });
        }
        for (custody, total) in [(Custody::Owner, own), (Custody::Treasury, kept)] {
            // In one sum: several rewards too small for an account may together open it.
            if total > 0 {
                Self::pay_out(who, custody, total)?;
            }
        }
        Ok(u32::try_from(claims.len()).unwrap_or(MAX_CLAIMS_PER_CALL))
    }

    /// Moves held rewards to the free balance of their owner.
    fn pay_out(who: &T::AccountId, custody: Custody, amount: Balance) -> DispatchResult {
        let reason = HoldReason::Claimable;
        let paid = match custody {
            Custody::Owner => holds::release::<T::Currency, _>(reason, who, amount),
            Custody::Treasury => {
                holds::transfer::<T::Currency, _>(reason, &T::Treasury::get(), who, amount)
            }
        };
        paid.map_err(|_| Error::<T>::CannotReceive.into())
    }

    pub(crate) fn do_set_auto_claim(who: T::AccountId, enabled: bool) -> DispatchResult {
        if AutoClaim::<T>::contains_key(&who) != enabled {
            // The reference keeps the account in existence: payments can reach it, and the entry
            // cannot outlive the account.
            if enabled {
                frame_system::Pallet::<T>::inc_consumers(&who)?;
                AutoClaim::<T>::insert(&who, ());
            } else {
                frame_system::Pallet::<T>::dec_consumers(&who);
                AutoClaim::<T>::remove(&who);
            }
        }
        Self::deposit_event(Event::AutoClaimSet { who, enabled });
        Ok(())
    }

    pub(crate) fn do_set_profile(
        task_type: TaskType,
        difficulty: Difficulty,
        profile: Option<SplitProfile>,
    ) -> DispatchResult {
        ensure!(
            profile.is_none_or(|p| p.is_within_bounds()),
            Error::<T>::ProfileOutOfBounds
        );
        Profiles::<T>::set(task_type, difficulty, profile);
        Self::deposit_event(Event::ProfileSet {
            task_type,
            difficulty,
            profile,
        });
        Ok(())
    }

    pub(crate) fn do_set_winner_rule(
        task_type: TaskType,
        rule: Option<WinnerRule>,
    ) -> DispatchResult {
        ensure!(
            rule.is_none_or(|r| is_valid_rule(&r)),
            Error::<T>::WinnerRuleInvalid
        );
        WinnerRules::<T>::set(task_type, rule);
        Self::deposit_event(Event::WinnerRuleSet { task_type, rule });
        Ok(())
    }

    fn do_deposit(task: &TaskId, publisher: &T::AccountId, amount: Balance) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::EmptyDeposit);
        ensure!(!Escrows::<T>::contains_key(task), Error::<T>::EscrowExists);
        holds::hold::<T::Currency, _>(
            HoldReason::Escrow,
            publisher,
            amount,
            Error::<T>::InsufficientFunds,
        )?;
        Escrows::<T>::insert(
            task,
            Escrow {
                publisher: publisher.clone(),
                amount,
            },
        );
        Self::deposit_event(Event::Deposited {
            task: *task,
            publisher: publisher.clone(),
            amount,
        });
        Ok(())
    }

    fn do_refund(task: &TaskId, fee: Balance) -> DispatchResult {
        let Escrow { publisher, amount } = Escrows::<T>::take(task).ok_or(Error::<T>::NoEscrow)?;
        let fee = fee.min(amount);
        let rest = amount.saturating_sub(fee);
        let (amount, fee) = Self::close(task, &publisher, rest, fee)?;
        Self::deposit_event(Event::Refunded {
            task: *task,
            publisher,
            amount,
            fee,
        });
        Ok(())
    }

    fn do_settle(settlement: &Settlement<T::AccountId>) -> Result<Allocation, DispatchError> {
        let task = &settlement.task;
        let escrow = Escrows::<T>::take(task).ok_or(Error::<T>::NoEscrow)?;
        let allocation = Self::allocation(settlement, escrow.amount)?;
        let publisher = &escrow.publisher;

        let (mut participants, mut validators) = (0, 0);
        let mut network = allocation.network;
        for ((role, who), amount) in Self::shares(settlement, &allocation) {
            if !Self::deliver(task, publisher, &who, role, amount) {
                network = network.saturating_add(amount);
                Self::deposit_event(Event::Undeliverable {
                    task: *task,
                    who,
                    amount,
                    to: T::Treasury::get(),
                });
                continue;
            }
            let class = match role {
                RewardRole::Miner => &mut participants,
                RewardRole::Validator => &mut validators,
            };
            *class = amount.saturating_add(*class);
        }

        let (refund, network) = Self::close(task, publisher, allocation.refund, network)?;
        let winners = allocation
            .winners
            .iter()
            .filter_map(|index| settlement.answers.get(usize::try_from(*index).ok()?))
            .map(|(who, _)| who.clone())
            .collect();
        Self::deposit_event(Event::Settled {
            task: *task,
            winners,
            participants,
            validators,
            network,
            refund,
        });
        Ok(allocation)
    }

    /// Computes the split and makes sure that it is one: money is moved by it alone.
    fn allocation(
        settlement: &Settlement<T::AccountId>,
        amount: Balance,
    ) -> Result<Allocation, DispatchError> {
        let answers: Vec<_> = settlement
            .answers
            .iter()
            .map(|(_, judged)| *judged)
            .collect();
        let points: Vec<Bp> = settlement
            .validators
            .iter()
            .map(|(_, points)| *points)
            .collect();
        let allocation = allocate(
            amount,
            &Self::profile_for(settlement.task_type, settlement.difficulty),
            Self::rule_for(settlement.task_type),
            settlement.bars,
            &answers,
            &points,
        );
        let total = allocation
            .answers
            .iter()
            .chain(&allocation.validators)
            .chain([&allocation.network, &allocation.refund])
            .try_fold(0u128, |sum, share| sum.checked_add(*share));
        let exact = total == Some(amount)
            && allocation.answers.len() == answers.len()
            && allocation.validators.len() == points.len();
        if !exact {
            log::error!(target: LOG_TARGET, "split of task {:?} is inexact", settlement.task);
        }
        ensure!(exact, Error::<T>::SplitInexact);
        Ok(allocation)
    }

    fn shares(
        settlement: &Settlement<T::AccountId>,
        allocation: &Allocation,
    ) -> Shares<T::AccountId> {
        let miners = settlement
            .answers
            .iter()
            .map(|(who, _)| (RewardRole::Miner, who.clone()));
        let validators = settlement
            .validators
            .iter()
            .map(|(who, _)| (RewardRole::Validator, who.clone()));
        let owed = miners
            .zip(&allocation.answers)
            .chain(validators.zip(&allocation.validators))
            .filter(|(_, amount)| **amount > 0);
        let mut shares = Shares::new();
        for (key, amount) in owed {
            // Cannot saturate: all shares together are the escrow.
            let share = shares.entry(key).or_default();
            *share = amount.saturating_add(*share);
        }
        shares
    }

    /// Books a share, pays it at once or sets it aside. False, and nothing changed, when `who` cannot
    /// receive it and the treasury cannot keep it.
    fn deliver(
        task: &TaskId,
        publisher: &T::AccountId,
        who: &T::AccountId,
        role: RewardRole,
        amount: Balance,
    ) -> bool {
        let reachable = T::Currency::can_deposit(who, amount, Provenance::Extant)
            == DepositConsequence::Success;
        let booked = reachable
            && !AutoClaim::<T>::contains_key(who)
            && with_storage_layer(|| {
                holds::transfer::<T::Currency, _>(HoldReason::Escrow, publisher, who, amount)?;
                Self::hold_claimable(who, amount)?;
                Self::book_claim(who, task, amount, Custody::Owner)
            })
            .is_ok();
        // An account that did not exist cannot hold all it gets, because it must keep the
        // existential deposit free: it is paid at once like one with auto-claim.
        let paid = reachable
            && !booked
            && holds::transfer::<T::Currency, _>(HoldReason::Escrow, publisher, who, amount)
                .is_ok();
        let set_aside = !booked && !paid && Self::set_aside(task, publisher, who, amount).is_ok();
        let delivered = booked || paid || set_aside;
        if delivered {
            Self::deposit_event(Event::RewardBooked {
                task: *task,
                who: who.clone(),
                role,
                amount,
                auto: paid,
            });
        }
        if set_aside {
            Self::deposit_event(Event::SetAside {
                task: *task,
                who: who.clone(),
                amount,
            });
        }
        delivered
    }

    fn hold_claimable(who: &T::AccountId, amount: Balance) -> DispatchResult {
        let short = Error::<T>::CannotReceive;
        holds::hold::<T::Currency, _>(HoldReason::Claimable, who, amount, short)
    }

    /// Keeps a share on hold on the treasury for `who`. On failure nothing changes.
    fn set_aside(
        task: &TaskId,
        publisher: &T::AccountId,
        who: &T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        with_storage_layer(|| {
            let treasury = T::Treasury::get();
            holds::transfer::<T::Currency, _>(HoldReason::Escrow, publisher, &treasury, amount)?;
            Self::hold_claimable(&treasury, amount)?;
            Self::book_claim(who, task, amount, Custody::Treasury)
        })
    }

    /// Adds to what `who` may claim for the task; the claim window starts anew. Fails when the rest
    /// of that is held elsewhere.
    fn book_claim(
        who: &T::AccountId,
        task: &TaskId,
        amount: Balance,
        custody: Custody,
    ) -> DispatchResult {
        let expires = T::Clock::now().saturating_add(T::Clock::windows().claim);
        let before = Claims::<T>::get(who, task);
        if let Some(claim) = before {
            ensure!(claim.custody == custody, Error::<T>::CannotReceive);
            Expiries::<T>::remove(claim.expires, (who, task));
        }
        let amount = before
            .map_or(0, |claim| claim.amount)
            .checked_add(amount)
            .ok_or(ArithmeticError::Overflow)?;
        let claim = Claim {
            amount,
            expires,
            custody,
        };
        Claims::<T>::insert(who, task, claim);
        Expiries::<T>::insert(expires, (who, task), ());
        Ok(())
    }

    fn take_claim(who: &T::AccountId, task: &TaskId) -> Result<Claim, DispatchError> {
        let claim = Claims::<T>::take(who, task).ok_or(Error::<T>::NothingToClaim)?;
        Expiries::<T>::remove(claim.expires, (who, task));
        Ok(claim)
    }

    /// Empties an escrow: `refund` to its publisher, `network` to the treasury, each to the other
    /// where it cannot be delivered. Returns what they really got.
    fn close(
        task: &TaskId,
        publisher: &T::AccountId,
        refund: Balance,
        network: Balance,
    ) -> Result<(Balance, Balance), DispatchError> {
        let (mut back, mut kept) = (0, 0);
        let refunded = Self::to_publisher(task, publisher, refund)?;
        let share = if refunded { &mut back } else { &mut kept };
        *share = refund;
        let taken = Self::to_treasury(task, publisher, network)?;
        let share = if taken { &mut kept } else { &mut back };
        *share = network.saturating_add(*share);
        Ok((back, kept))
    }

    /// Moves a part of an escrow to the treasury, or gives it back to its publisher when the
    /// treasury cannot receive it. Returns `true` if the treasury got it.
    fn to_treasury(
        task: &TaskId,
        from: &T::AccountId,
        amount: Balance,
    ) -> Result<bool, DispatchError> {
        Self::to_first(task, from, [&T::Treasury::get(), from], amount)
    }

    /// Releases a part of an escrow to its publisher, or sends it to the treasury when the
    /// publisher's account cannot receive it. Returns `true` if the publisher got it.
    fn to_publisher(
        task: &TaskId,
        publisher: &T::AccountId,
        amount: Balance,
    ) -> Result<bool, DispatchError> {
        Self::to_first(task, publisher, [publisher, &T::Treasury::get()], amount)
    }

    /// Moves a part of an escrow to the first of two who can receive it. Returns `true` if that was
    /// the first one.
    fn to_first(
        task: &TaskId,
        from: &T::AccountId,
        recipients: [&T::AccountId; 2],
        amount: Balance,
    ) -> Result<bool, DispatchError> {
        let [first, _] = recipients;
        let to = holds::deliver::<T::Currency, _>(HoldReason::Escrow, from, &recipients, amount)?;
        if to == *first {
            return Ok(true);
        }
        Self::undeliverable(task, first.clone(), amount, to);
        Ok(false)
    }

    fn undeliverable(task: &TaskId, who: T::AccountId, amount: Balance, to: T::AccountId) {
        Self::deposit_event(Event::Undeliverable {
            task: *task,
            who,
            amount,
            to,
        });
    }
}

impl<T: Config> Vault<T::AccountId> for Pallet<T> {
    fn deposit(task: &TaskId, publisher: &T::AccountId, reward: Balance) -> DispatchResult {
        with_storage_layer(|| Self::do_deposit(task, publisher, reward))
    }

    fn refund(task: &TaskId, fee: Balance) -> DispatchResult {
        with_storage_layer(|| Self::do_refund(task, fee))
    }

    fn settle(settlement: &Settlement<T::AccountId>) -> Result<Allocation, DispatchError> {
        with_storage_layer(|| Self::do_settle(settlement))
    }

    fn escrowed(task: &TaskId) -> Balance {
        Escrows::<T>::get(task).map_or(0, |escrow| escrow.amount)
    }
}
