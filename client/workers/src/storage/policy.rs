// SPDX-License-Identifier: Apache-2.0

//! Offers that a provider accepts by itself.

use polkadot_sdk::sp_core::crypto::AccountId32;
use tos_storage_proofs::Commitment;
use tos_types::Balance;
use tos_views::DealView;

/// Rules for the offers that a provider accepts by itself.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Least price in wei per GiB and billing period.
    pub min_price: Balance,
    /// Most sealed bytes of one replica.
    pub max_bytes: u64,
    /// Most sealed bytes of all replicas.
    pub capacity: u64,
    /// Only offers that name this provider.
    pub named_only: bool,
}

/// Means that are left to accept with.
pub(super) struct Means {
    /// Bond that no collateral is taken from.
    pub free: Balance,
    /// Sealed bytes of all replicas.
    pub used: u64,
}

impl Policy {
    /// `true` if a deal is to be accepted; uses up the means for it.
    pub(super) fn wants(
        &self,
        deal: &DealView<AccountId32>,
        me: &AccountId32,
        means: &mut Means,
    ) -> bool {
        let size = bytes(&deal.coded);
        let after = means.used.saturating_add(size);
        let named = match &deal.provider {
            Some(named) => named == me,
            None => !self.named_only,
        };
        let wanted = named
            && deal.price >= self.min_price
            && size <= self.max_bytes
            && after <= self.capacity
            && deal.collateral <= means.free;
        if wanted {
            means.used = after;
            means.free = means.free.saturating_sub(deal.collateral);
        }
        wanted
    }
}

/// The bytes of a sequence.
pub(super) fn bytes(of: &Commitment) -> u64 {
    of.words.saturating_mul(64)
}
