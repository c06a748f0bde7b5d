// SPDX-License-Identifier: Apache-2.0

//! What the node asks about the beacon.

use alloc::vec::Vec;
use polkadot_sdk::*;
use sp_runtime::traits::Block as BlockT;
use tos_types::beacon::{Slot, SlotClaim};
use tos_views::{BeaconView, SlotRecordView};

sp_api::decl_runtime_apis! {
    /// The beacon's walk, for timekeepers, for the exact check at import, and for who reads its
    /// outputs.
    #[api_version(1)]
    pub trait BeaconApi {
        /// The beacon after the block: all that is needed to compute the slots that follow it.
        fn beacon() -> BeaconView;

        /// The slots that a block with these extrinsics includes, in order; none if it has no
        /// inherent of the beacon. Whether the claims are right is not looked at.
        fn beacon_claims(extrinsics: Vec<<Block as BlockT>::Extrinsic>) -> Vec<SlotClaim>;

        /// Slots that the chain has included, from `from` upwards, at most `limit` and never more than
        /// [`tos_views::MAX_BEACON_RECORDS`]. Those no longer on record are left out.
        fn beacon_records(from: Slot, limit: u32) -> Vec<SlotRecordView>;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_api::RuntimeApiInfo;
    use sp_runtime::{
        generic::{Block, Header},
        traits::BlakeTwo256,
        OpaqueExtrinsic,
    };

    #[test]
    fn the_version_is_the_one_that_nodes_know() {
        type Here = Block<Header<u32, BlakeTwo256>, OpaqueExtrinsic>;
        assert_eq!(<dyn BeaconApi<Here>>::VERSION, 1);
    }
}
