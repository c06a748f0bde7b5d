// SPDX-License-Identifier: Apache-2.0

//! What governance can change, as the runtime API shows it.

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
    /// What a publisher and a challenger put down, and how time counts.
    pub publishing: PublishingRules,
    /// What a failure costs.
    pub slashes: SlashRules,
    /// How answers and those who judge them are measured.
    pub judging: JudgingRules,
    /// What each difficulty asks.
    pub difficulties: DifficultyTable,
    /// Fullness of blocks at which fees stay as they are, in basis points.
    pub target_fullness: Bp,
    /// How fast fees follow fullness, in millionths per block.
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
    /// What certificates and levels are worth, and what levels ask for.
    pub levels: LevelTable,
}
