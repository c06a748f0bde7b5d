// SPDX-License-Identifier: Apache-2.0

//! Rosters of judges and their lines, as clients read them.

use super::wei;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use tos_types::{Balance, TaskType, Tick};

/// Availability of a bond for draws.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BondStatus {
    /// It is drawn by its weight.
    #[codec(index = 0)]
    Active,
    /// The judge did not act in a round, and is not drawn until it reports back.
    #[codec(index = 1)]
    Silent {
        /// The tick since which it is silent.
        since: Tick,
    },
    /// The judge has reported back, and is drawn again from the next period.
    #[codec(index = 2)]
    Returning,
    /// The judge is on its way out.
    #[codec(index = 3)]
    Leaving {
        /// The first tick in which it can withdraw, if it has no open seat then.
        release_at: Tick,
    },
}

/// Bond of a judge for one type.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BondView {
    /// The bond that counts, in wei.
    #[serde(with = "wei")]
    pub bond: Balance,
    /// The part of it that open seats lock, in wei.
    #[serde(with = "wei")]
    pub locked: Balance,
    /// The bond that counts from the next period, in wei: it restores what was there before.
    #[serde(with = "wei")]
    pub restoring: Balance,
    /// The bond that warms up, in wei.
    #[serde(with = "wei")]
    pub pending: Balance,
    /// The tick from which that counts; `None` where none warms up.
    pub pending_until: Option<Tick>,
    /// Pay that can be claimed, in wei.
    #[serde(with = "wei")]
    pub earned: Balance,
    /// The weight by which it is drawn in this period, in whole TOS; 0 where it is not.
    pub weight: u32,
    /// `true` if it takes seats for certified judges in this period.
    pub certified: bool,
    /// The availability for draws.
    pub status: BondStatus,
    /// The first tick after the suspension of the judge; `None` while it is not suspended.
    pub suspended_until: Option<Tick>,
}

/// Case that waits for its seats.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingView {
    /// The type whose judges it waits for.
    pub task_type: TaskType,
    /// The round.
    pub round: u32,
    /// The seats: those wanted, or those fixed with its ticket.
    pub seats: u32,
    /// `true` if the number of seats and their stake are fixed.
    pub fixed: bool,
    /// The class of its line; the highest is served first.
    pub class: u8,
    /// The most cases of its class that are before it; `None` where it has left the line for a draw.
    pub ahead: Option<u64>,
    /// Draws that came to nothing.
    pub tries: u8,
    /// The tick in which it began to wait.
    pub since: Tick,
    /// The tick in which it is given up if no panel was found.
    pub expires: Tick,
}

/// Roster of a type.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RosterView {
    /// Judges with a bond, those that are not drawn included.
    pub bonds: u32,
    /// Judges that are drawn in this period.
    pub judges: u32,
    /// Those of them that are certified.
    pub certified: u32,
    /// The stake that draws go by, in wei: whole TOS of all of them.
    #[serde(with = "wei")]
    pub stake: Balance,
    /// The part of their bonds that open seats lock, in wei.
    #[serde(with = "wei")]
    pub locked: Balance,
    /// The stake that is reserved for seats to be drawn, in wei.
    #[serde(with = "wei")]
    pub reserved: Balance,
    /// `true` while most seats are for certified judges.
    pub bootstrap: bool,
}
