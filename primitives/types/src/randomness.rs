// SPDX-License-Identifier: Apache-2.0

//! Claims on randomness that is not known to anyone yet.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Request for a random seed that is not known when it is made: the beacon's output for `slot`, mixed with
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
