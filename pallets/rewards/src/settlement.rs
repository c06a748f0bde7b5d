// SPDX-License-Identifier: Apache-2.0

//! Settlements: an escrow is divided, and its shares are booked, paid or set aside.

use crate::{pallet::*, types::*, LOG_TARGET};
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::{ensure, traits::Get};
use polkadot_sdk::*;
use sp_runtime::{ArithmeticError, DispatchError, DispatchResult};
use tos_formulas::split::{allocate, Allocation};
use tos_interfaces::{Clock, Settlement};
use tos_pallet_support::holds::{self, Entrusted, Kept};
use tos_types::{Balance, Bp, TaskId};

/// Amounts that a settlement owes, by role and account. A judge of several rounds is one entry.
type Shares<AccountId> = BTreeMap<(RewardRole, AccountId), Balance>;

impl<T: Config> Pallet<T> {
    /// Divides an escrow and delivers every share.
    pub(crate) fn do_settle(
        settlement: &Settlement<T::AccountId>,
    ) -> Result<Allocation, DispatchError> {
        let task = &settlement.task;
        let escrow = Escrows::<T>::take(task).ok_or(Error::<T>::NoEscrow)?;
        let allocation = Self::allocation(settlement, escrow.amount)?;
        let publisher = &escrow.publisher;

        let (mut participants, mut judges) = (0, 0);
        let mut network = allocation.network;
        for ((role, who), amount) in Self::shares(settlement, &allocation) {
            if !Self::deliver(task, publisher, &who, role, amount) {
                network = network.saturating_add(amount);
                Self::undeliverable(task, who, amount, T::Treasury::get());
                continue;
            }
            let class = match role {
                RewardRole::Miner => &mut participants,
                RewardRole::Judge => &mut judges,
            };
            *class = amount.saturating_add(*class);
        }

        let (refund, network) = Self::close(task, publisher, allocation.refund, network);
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
            judges,
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
            .judges
            .iter()
            .map(|(_, points)| *points)
            .collect();
        let allocation = allocate(
            amount,
            &settlement.split,
            settlement.winners,
            settlement.bars,
            &answers,
            &points,
        );
        let total = allocation
            .answers
            .iter()
            .chain(&allocation.judges)
            .chain([&allocation.network, &allocation.refund])
            .try_fold(0u128, |sum, share| sum.checked_add(*share));
        let exact = total == Some(amount)
            && allocation.answers.len() == answers.len()
            && allocation.judges.len() == points.len();
        if !exact {
            log::error!(target: LOG_TARGET, "split of task {:?} is inexact", settlement.task);
        }
        ensure!(exact, Error::<T>::SplitInexact);
        Ok(allocation)
    }

    /// Shares owed, by role and account; none of nothing.
    fn shares(
        settlement: &Settlement<T::AccountId>,
        allocation: &Allocation,
    ) -> Shares<T::AccountId> {
        let miners = settlement
            .answers
            .iter()
            .map(|(who, _)| (RewardRole::Miner, who.clone()));
        let judges = settlement
            .judges
            .iter()
            .map(|(who, _)| (RewardRole::Judge, who.clone()));
        let owed = miners
            .zip(&allocation.answers)
            .chain(judges.zip(&allocation.judges))
            .filter(|(_, amount)| **amount > 0);
        let mut shares = Shares::new();
        for (key, amount) in owed {
            // Cannot saturate: all shares together are the escrow.
            let share = shares.entry(key).or_default();
            *share = amount.saturating_add(*share);
        }
        shares
    }

    /// Books a share, pays it at once or sets it aside. Returns `false`, and changes nothing, when
    /// `who` cannot receive it and the treasury cannot keep it.
    fn deliver(
        task: &TaskId,
        publisher: &T::AccountId,
        who: &T::AccountId,
        role: RewardRole,
        amount: Balance,
    ) -> bool {
        let share = Entrusted {
            from: publisher,
            reason: HoldReason::Escrow,
            to: who,
            treasury: &T::Treasury::get(),
            claimable: HoldReason::Claimable,
            amount,
        };
        let at_once = AutoClaim::<T>::contains_key(who);
        let kept = holds::entrust::<T::Currency, _, _>(&share, at_once, |place| {
            let custody = match place {
                Kept::Treasury => Custody::Treasury,
                Kept::Receiver | Kept::Paid => Custody::Owner,
            };
            Self::book_claim(who, task, amount, custody)
        });
        let Ok(place) = kept else {
            return false;
        };
        Self::deposit_event(Event::RewardBooked {
            task: *task,
            who: who.clone(),
            role,
            amount,
            auto: place == Kept::Paid,
        });
        if place == Kept::Treasury {
            Self::deposit_event(Event::SetAside {
                task: *task,
                who: who.clone(),
                amount,
            });
        }
        true
    }

    /// Adds to what `who` may claim for the task; the claim window starts anew. Fails when the rest
    /// of that is held elsewhere.
    fn book_claim(
        who: &T::AccountId,
        task: &TaskId,
        amount: Balance,
        custody: Custody,
    ) -> DispatchResult {
        let expires = T::Clock::now().saturating_add(T::Clock::phase_lengths().claim);
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
}
