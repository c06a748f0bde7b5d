// SPDX-License-Identifier: Apache-2.0

//! The parameters that governance can change, as the runtime API shows them.

use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use tos_types::{
    json::wei,
    rules::{
        DifficultyTable, JudgeStakes, JudgingRules, LevelTable, MinerStakes, PublishingRules,
        SlashRules,
    },
    Balance, Bp,
};

/// The parameters in force now (`docs/parameters.md`).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParametersView {
    /// The amounts that a publisher and a challenger put down, and the time that counts as timely.
    pub publishing: PublishingRules,
    /// The price of each failure.
    pub slashes: SlashRules,
    /// The measures for answers and for those who judge them.
    pub judging: JudgingRules,
    /// The requirements of each difficulty.
    pub difficulties: DifficultyTable,
    /// Fullness of blocks at which fees stay as they are, in basis points.
    pub target_fullness: Bp,
    /// The speed at which fees follow fullness, in millionths per block.
    pub fee_adjustment: u32,
    /// Least multiplier of fees, in thousandths.
    pub least_fee_multiplier: u32,
    /// Deposit for an entry in the state, in wei.
    #[serde(with = "wei")]
    pub entry_deposit: Balance,
    /// Deposit for a byte in the state, in wei.
    #[serde(with = "wei")]
    pub byte_deposit: Balance,
    /// Deposit for a referendum, in wei.
    #[serde(with = "wei")]
    pub referendum_deposit: Balance,
    /// Deposit for a motion of the technical committee, in wei.
    #[serde(with = "wei")]
    pub motion_deposit: Balance,
    /// Most that one treasury spend may take, in wei.
    #[serde(with = "wei")]
    pub max_spend: Balance,
    /// The part of an era's emission that goes to stakers, in basis points.
    pub stakers_share: Bp,
    /// Stakes of miners' registrations.
    pub miner_stakes: MinerStakes,
    /// Stakes of judges' registrations.
    pub judge_stakes: JudgeStakes,
    /// The worth of certificates and levels, and the requirements of levels.
    pub levels: LevelTable,
}
