// SPDX-License-Identifier: Apache-2.0

//! The calls and the step of the beacon, in their worst case.

use super::*;
use tos_types::beacon::{BeaconConfig, SlotClaim, SpotClaim, MAX_SLOTS_PER_BLOCK, SPOTS_PER_BLOCK};

type Call = pallet_beacon::Call<Runtime>;

/// Every call of the beacon.
pub fn calls() -> Vec<RuntimeCall> {
    let claims = vec![zeros::<SlotClaim>(); MAX_SLOTS_PER_BLOCK as usize];
    let spots = vec![zeros::<SpotClaim>(); SPOTS_PER_BLOCK as usize];
    let calls = [
        Call::advance {
            slots: claims.try_into().unwrap(),
            spots: spots.try_into().unwrap(),
        },
        Call::dispute_slot {
            slot: u64::MAX,
            proof: zeros(),
        },
        Call::set_params {
            params: BeaconConfig::PRODUCTION.params,
        },
    ];
    calls.map(RuntimeCall::from).into()
}

/// Every step of the beacon's hook.
pub fn steps() -> Vec<(&'static str, Weight)> {
    use pallet_beacon::WeightInfo as _;
    type Of = <Runtime as pallet_beacon::Config>::WeightInfo;
    vec![("beacon: note the parent's VRF output", Of::on_initialize())]
}
