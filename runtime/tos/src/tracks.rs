// SPDX-License-Identifier: Apache-2.0

//! The tracks of referenda: what each may do, how long it takes and how much agreement it needs.
//!
//! | track | acts as | decision | confirmation | enactment | for |
//! |---|---|---|---|---|---|
//! | 0 root | root | 14 d | 24 h | 24 h | anything, runtime upgrades included |
//! | 1 whitelisted | root, one call the committee whitelisted | 14 d | 1 h | 1 h | what cannot wait |
//! | 10 parameters | [`Origin::Parameters`] | 7 d | 12 h | 12 h | task types, splits, certificates |
//! | 20 treasurer | [`Origin::Treasurer`] | 7 d | 12 h | 12 h | spends |
//! | 30 emergency | [`Origin::Emergency`] | 2 d | 1 h | none | ending pauses, cancelling referenda |
//!
//! Periods are in hours of governance ([`crate::time_config::TimeConfig::governance_hour_blocks`]).
//! Approval is the share of ayes in the votes, weighted by conviction; support is the part of all
//! tokens that said aye. Both thresholds fall while the decision lasts, so that what few care about
//! can pass late, and never early.

use crate::{
    constants::currency::TOS, origins::pallet::Origin, time_config, Balance, BlockNumber,
    OriginCaller, Runtime,
};
use alloc::borrow::Cow;
use polkadot_sdk::*;

use pallet_referenda::{Curve, Track, TrackInfo, TracksInfo};
use sp_runtime::{str_array as name, Perbill};

/// Number of a track.
pub type TrackId = u16;

/// The terms of one track, periods in hours of governance.
struct Terms {
    id: TrackId,
    name: [u8; 25],
    max_deciding: u32,
    deposit: Balance,
    prepare: u32,
    decide: u32,
    confirm: u32,
    enact: u32,
    /// Approval at the beginning and at the end, in per cent.
    approval: (u32, u32),
    /// Support at the beginning and at the end, in parts of a thousand.
    support: (u32, u32),
}

const TRACKS: [Terms; 5] = [
    track(0, "root", 1, 10_000 * TOS)
        .hours(2, 14 * 24, 24, 24)
        .thresholds((100, 50), (500, 10)),
    track(1, "whitelisted_caller", 10, 1_000 * TOS)
        .hours(1, 14 * 24, 1, 1)
        .thresholds((100, 50), (50, 1)),
    track(10, "parameters", 10, 1_000 * TOS)
        .hours(2, 7 * 24, 12, 12)
        .thresholds((80, 50), (250, 5)),
    track(20, "treasurer", 20, 500 * TOS)
        .hours(2, 7 * 24, 12, 12)
        .thresholds((80, 50), (250, 2)),
    track(30, "emergency", 5, 1_000 * TOS)
        .hours(1, 2 * 24, 1, 0)
        .thresholds((100, 60), (250, 5)),
];

/// A track without periods and thresholds, for so many decisions at once, each for a deposit.
const fn track(id: TrackId, named: &str, max_deciding: u32, deposit: Balance) -> Terms {
    Terms {
        id,
        name: name(named),
        max_deciding,
        deposit,
        prepare: 0,
        decide: 0,
        confirm: 0,
        enact: 0,
        approval: (0, 0),
        support: (0, 0),
    }
}

impl Terms {
    const fn hours(self, prepare: u32, decide: u32, confirm: u32, enact: u32) -> Self {
        Self {
            prepare,
            decide,
            confirm,
            enact,
            ..self
        }
    }

    const fn thresholds(self, approval: (u32, u32), support: (u32, u32)) -> Self {
        Self {
            approval,
            support,
            ..self
        }
    }

    fn track(&self) -> Track<TrackId, Balance, BlockNumber> {
        let hour = time_config::Pallet::<Runtime>::time_config().governance_hour_blocks;
        let hours = |count: u32| hour.saturating_mul(count);
        let falling = |(ceil, floor): (Perbill, Perbill)| Curve::LinearDecreasing {
            length: Perbill::one(),
            floor,
            ceil,
        };
        let percent = |(a, b)| (Perbill::from_percent(a), Perbill::from_percent(b));
        let thousandths = |(a, b)| {
            (
                Perbill::from_rational::<u32>(a, 1_000),
                Perbill::from_rational::<u32>(b, 1_000),
            )
        };
        Track {
            id: self.id,
            info: TrackInfo {
                name: self.name,
                max_deciding: self.max_deciding,
                decision_deposit: self.deposit,
                prepare_period: hours(self.prepare),
                decision_period: hours(self.decide),
                confirm_period: hours(self.confirm),
                min_enactment_period: hours(self.enact),
                min_approval: falling(percent(self.approval)),
                min_support: falling(thousandths(self.support)),
            },
        }
    }
}

/// The tracks of this chain.
pub struct Tracks;

impl TracksInfo<Balance, BlockNumber> for Tracks {
    type Id = TrackId;
    type RuntimeOrigin = OriginCaller;

    fn tracks() -> impl Iterator<Item = Cow<'static, Track<TrackId, Balance, BlockNumber>>> {
        TRACKS.iter().map(|terms| Cow::Owned(terms.track()))
    }

    fn track_for(origin: &OriginCaller) -> Result<TrackId, ()> {
        match origin {
            OriginCaller::system(frame_system::RawOrigin::Root) => Ok(0),
            OriginCaller::Origins(Origin::WhitelistedCaller) => Ok(1),
            OriginCaller::Origins(Origin::Parameters) => Ok(10),
            OriginCaller::Origins(Origin::Treasurer) => Ok(20),
            OriginCaller::Origins(Origin::Emergency) => Ok(30),
            _ => Err(()),
        }
    }
}
