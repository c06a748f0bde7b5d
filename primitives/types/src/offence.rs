// SPDX-License-Identifier: Apache-2.0

//! Severity of proven offences.

use crate::Bp;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Severity of a proven offence. The loss is fixed, never a multiple of good performance.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// −200.
    #[codec(index = 0)]
    Minor,
    /// −1,000 and a suspension of 7 days.
    #[codec(index = 1)]
    Major,
    /// −3,000 and a suspension of 30 days.
    #[codec(index = 2)]
    Critical,
}

impl Severity {
    /// The reputation lost.
    pub const fn loss(self) -> Bp {
        match self {
            Self::Minor => 200,
            Self::Major => 1_000,
            Self::Critical => 3_000,
        }
    }

    /// The days of suspension; 0 for none.
    pub const fn suspension_days(self) -> u32 {
        match self {
            Self::Minor => 0,
            Self::Major => 7,
            Self::Critical => 30,
        }
    }
}
