// SPDX-License-Identifier: Apache-2.0

//! Claims on randomness that nobody can know yet.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The moment after which nobody may know a random seed: the beacon's output for `slot`, mixed with
/// the VRF output of `block`'s author. Which slot it is does not depend on what that author does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct RandomnessRequest {
    /// The beacon slot whose output goes in.
    pub slot: u64,
    /// The block whose author's VRF output goes in.
    pub block: u32,
}
