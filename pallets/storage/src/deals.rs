// SPDX-License-Identifier: Apache-2.0

//! Deals: offered, withdrawn, accepted, expired, pruned.

use crate::*;
use frame_support::ensure;
use sp_runtime::{DispatchError, DispatchResult};
use tos_storage_proofs::{Commitment, Layout};
use tos_types::{
    storage::{DealStatus, DealTerms, ReplicaStatus, StorageConfig, StoredContent},
    DealId, ReplicaId,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn deal_of(id: &DealId) -> Result<Deal<T::AccountId>, DispatchError> {
        Ok(Deals::<T>::get(id).ok_or(Error::<T>::UnknownDeal)?)
    }

    fn next_nonce(who: &T::AccountId) -> u64 {
        Nonces::<T>::mutate(who, |nonce| {
            let used = *nonce;
            *nonce = nonce.saturating_add(1);
            used
        })
    }

    pub(crate) fn do_offer(
        client: T::AccountId,
        content: StoredContent,
        coded: Commitment,
        terms: DealTerms<T::AccountId>,
    ) -> DispatchResult {
        let config = Settings::<T>::get();
        ensure!(content.is_possible(), Error::<T>::ContentLength);
        ensure!(!content.locator.is_empty(), Error::<T>::ContentUnreachable);
        let layout = Layout::of(content.length).ok_or(Error::<T>::ContentLength)?;
        ensure!(
            coded.is_possible() && coded.words == layout.coded_words(),
            Error::<T>::CodedSize
        );
        let periods = terms.retention.billing_periods();
        ensure!(
            (1..=config.max_billing_periods).contains(&periods),
            Error::<T>::RetentionOutOfRange
        );
        let windows = periods
            .checked_mul(config.billing_windows)
            .ok_or(Error::<T>::RetentionOutOfRange)?;
        let escrow = StorageConfig::escrow(terms.price, layout.coded_bytes(), periods)
            .filter(|escrow| *escrow > 0)
            .ok_or(Error::<T>::PriceOutOfRange)?;
        Self::hold(HoldReason::DealEscrow, &client, escrow)?;

        let id = DealId::derive(&client, Self::next_nonce(&client));
        let mut deal = Deal {
            client: client.clone(),
            content,
            coded,
            price: terms.price,
            windows,
            provider: terms.provider,
            escrow,
            paid: 0,
            status: DealStatus::Open,
            replica: None,
            until: 0,
            due: None,
            failures: 0,
        };
        Self::open_deal(id, &mut deal);
        Deals::<T>::insert(id, deal);
        Self::deposit_event(Event::Offered {
            deal: id,
            client,
            escrow,
        });
        Ok(())
    }

    /// Lets a deal wait for a provider.
    pub(crate) fn open_deal(id: DealId, deal: &mut Deal<T::AccountId>) {
        deal.status = DealStatus::Open;
        deal.replica = None;
        deal.until = Self::window_in(Settings::<T>::get().offer_ttl);
        OpenDeals::<T>::insert(id, ());
        Self::schedule_deal(id, deal);
    }

    pub(crate) fn do_cancel_offer(who: &T::AccountId, id: DealId) -> DispatchResult {
        let deal = Self::deal_of(&id)?;
        ensure!(deal.client == *who, Error::<T>::NotClient);
        ensure!(deal.status == DealStatus::Open, Error::<T>::NotOpen);
        Self::close_offer(id, deal, false);
        Ok(())
    }

    /// Gives the escrow of an open deal back.
    fn close_offer(id: DealId, mut deal: Deal<T::AccountId>, expired: bool) {
        let refund = deal.escrow.saturating_sub(deal.paid);
        Self::give_back(HoldReason::DealEscrow, &deal.client, refund);
        deal.status = match expired {
            true => DealStatus::Expired,
            false => DealStatus::Cancelled,
        };
        deal.until = Self::window_in(Settings::<T>::get().retention_windows);
        OpenDeals::<T>::remove(id);
        Self::schedule_deal(id, &mut deal);
        Deals::<T>::insert(id, deal);
        Self::deposit_event(Event::OfferClosed {
            deal: id,
            expired,
            refund,
        });
    }

    pub(crate) fn do_accept(who: T::AccountId, id: DealId) -> DispatchResult {
        let config = Settings::<T>::get();
        let mut deal = Self::deal_of(&id)?;
        let mut provider = Self::provider_of(&who)?;
        ensure!(deal.status == DealStatus::Open, Error::<T>::NotOpen);
        let invited = deal.provider.as_ref().is_none_or(|invited| *invited == who);
        ensure!(invited, Error::<T>::NotInvited);
        ensure!(!provider.exiting, Error::<T>::Exiting);
        ensure!(provider.bond >= config.min_bond, Error::<T>::BondTooSmall);
        ensure!(Self::has_room(&provider), Error::<T>::TooManyReplicas);
        let collateral = config.collateral(deal.coded.words.saturating_mul(64));
        ensure!(provider.free() >= collateral, Error::<T>::InsufficientBond);

        let replica_id = ReplicaId::derive(&who, Self::next_nonce(&who));
        provider.tied = provider.tied.saturating_add(collateral);
        provider.replicas = provider.replicas.saturating_add(1);
        deal.status = DealStatus::Taken;
        deal.replica = Some(replica_id);
        OpenDeals::<T>::remove(id);
        Self::unschedule_deal(id, &mut deal);
        let mut replica = Replica {
            deal: id,
            provider: who.clone(),
            status: ReplicaStatus::Sealing,
            coded: deal.coded,
            sealed: None,
            collateral,
            position: None,
            index: None,
            first: 0,
            from: 0,
            since: 0,
            earned: 0,
            misses: 0,
            until: Self::window_in(config.seal_windows),
            end: 0,
            pause: (0, 0),
            paused_at: 0,
            before: (0, 0),
            challenges: 0,
            due: None,
            failures: 0,
        };
        Self::schedule_replica(replica_id, &mut replica);
        Replicas::<T>::insert(replica_id, replica);
        ReplicasOf::<T>::insert(&who, replica_id, ());
        Deals::<T>::insert(id, deal);
        Providers::<T>::insert(&who, provider);
        Self::deposit_event(Event::Accepted {
            deal: id,
            replica: replica_id,
            provider: who,
            collateral,
        });
        Ok(())
    }

    /// Takes the step of a deal that is due. Returns whether there was one.
    pub(crate) fn step_deal(id: DealId) -> Result<bool, DispatchError> {
        let mut deal = Self::deal_of(&id)?;
        if Folded::<T>::get() < deal.until {
            Self::schedule_deal(id, &mut deal);
            Deals::<T>::insert(id, deal);
            return Ok(false);
        }
        match deal.status {
            DealStatus::Open => Self::close_offer(id, deal, true),
            DealStatus::Cancelled | DealStatus::Expired => {
                Self::unschedule_deal(id, &mut deal);
                Self::prune_deal(id);
            }
            // A taken deal waits for its replica, which takes a closed one along.
            DealStatus::Taken | DealStatus::Closed => return Err(Error::<T>::Inconsistent.into()),
        }
        Ok(true)
    }

    pub(crate) fn prune_deal(id: DealId) {
        Deals::<T>::remove(id);
        Self::deposit_event(Event::Pruned { deal: id });
    }
}
