// SPDX-License-Identifier: Apache-2.0

//! The rules of those who take part: what a registration asks for, and what a miner's standing is worth.
//!
//! They hold for what is done from now on. An account once registered stays so with what it put
//! down.

use super::{relations, rising, Bounded, Checked, OutOfBounds};
use crate::{
    json::wei,
    task::{Certification, Level, MAX_ENDORSEMENTS},
    Balance, Bp, TaskType, TOS,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Reverse;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The least that a registration can ask for, in wei. The smallest slash of it must be able to
/// create the treasury's account.
pub const LEAST_REGISTRATION: Balance = 10 * TOS;
/// The most that a registration can ask for, in wei.
pub const MOST_REGISTRATION: Balance = 100_000 * TOS;

/// Defines what registering for each task type asks for.
macro_rules! stakes {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $standard:expr,)* }) => {
        rules! {
            $(#[$doc])*
            $name {
                $(
                    #[doc = concat!("For `", stringify!($field), "`, in wei.")]
                    #[serde(with = "wei")]
                    $field: Balance = $standard, LEAST_REGISTRATION => MOST_REGISTRATION, "10 to 100,000 TOS";
                )*
            }
            relations(this) {}
        }

        impl $name {
            /// The stake that this type asks for, in wei.
            pub const fn of(&self, task_type: TaskType) -> Balance {
                match task_type {
                    TaskType::CodeAnalysis => self.code_analysis,
                    TaskType::SecurityAudit => self.security_audit,
                    TaskType::DataAnalysis => self.data_analysis,
                    TaskType::AlgorithmOptimization => self.algorithm_optimization,
                    TaskType::LogicReasoning => self.logic_reasoning,
                    TaskType::General => self.general,
                    TaskType::Custom(_) => self.custom,
                }
            }

            /// The stake that all these types together ask for: the greatest of theirs, not the sum.
            pub fn required(&self, types: &[TaskType]) -> Balance {
                types.iter().map(|t| self.of(*t)).max().unwrap_or(0)
            }
        }
    };
}

stakes! {
    /// Requirements of registering as a miner of each task type.
    MinerStakes {
        code_analysis: 50 * TOS,
        security_audit: 200 * TOS,
        data_analysis: 100 * TOS,
        algorithm_optimization: 100 * TOS,
        logic_reasoning: 100 * TOS,
        general: 100 * TOS,
        custom: 100 * TOS,
    }
}

stakes! {
    /// Requirements of registering as a judge of each task type.
    JudgeStakes {
        code_analysis: 50 * TOS,
        security_audit: 300 * TOS,
        data_analysis: 150 * TOS,
        algorithm_optimization: 100 * TOS,
        logic_reasoning: 100 * TOS,
        general: 100 * TOS,
        custom: 100 * TOS,
    }
}

rules! {
    /// Stake per answer by certification, in per cent of the difficulty's. The smaller of this and
    /// that of the level counts.
    CertifiedStakes {
        /// Without a certificate.
        unverified: u16 = 150, 10 => 300, "10 to 300 %";
        /// Identity checked.
        basic: u16 = 100, 10 => 300, "10 to 300 %";
        /// Proficiency shown.
        professional: u16 = 80, 10 => 300, "10 to 300 %";
        /// Expert.
        expert: u16 = 60, 10 => 300, "10 to 300 %";
        /// The highest.
        master: u16 = 40, 10 => 300, "10 to 300 %";
    }
    relations(this) {
        this.basic <= this.unverified => "basic", "at most unverified";
        this.professional <= this.basic => "professional", "at most basic";
        this.expert <= this.professional => "expert", "at most professional";
        this.master <= this.expert => "master", "at most expert";
    }
}

impl CertifiedStakes {
    /// Stake per answer, in per cent of the difficulty's.
    pub const fn percent(&self, certification: Certification) -> u16 {
        match certification {
            Certification::Unverified => self.unverified,
            Certification::Basic => self.basic,
            Certification::Professional => self.professional,
            Certification::Expert => self.expert,
            Certification::Master => self.master,
        }
    }
}

rules! {
    /// The worth of the lowest level.
    LowestLevel {
        /// Stake per answer, in per cent of the difficulty's.
        stake: u16 = 150, 10 => 300, "10 to 300 %";
        /// Weight of a vote, in tenths of what reputation gives.
        votes: u16 = 10, 1 => 100, "0.1 to 10 times (tenths)";
    }
    relations(this) {}
}

rules! {
    /// The worth of a level above the lowest, what it takes to reach it, and what costs it.
    LevelTerms {
        /// Stake per answer, in per cent of the difficulty's.
        stake: u16 = 120, 10 => 300, "10 to 300 %";
        /// Weight of a vote, in tenths of what reputation gives.
        votes: u16 = 15, 1 => 100, "0.1 to 10 times (tenths)";
        /// Tasks with a valid answer.
        tasks: u32 = 50, 1 => 100_000, "1 to 100,000";
        /// Share of the last tasks with a valid answer, in basis points.
        success: Bp = 8_000, 5_000 => 10_000, "50 to 100 %";
        /// Endorsements that count.
        endorsements: u32 = 3, 0 => MAX_ENDORSEMENTS, "0 to 16";
        /// Reputation over all types, in points.
        reputation: Bp = 7_500, 0 => 10_000, "0 to 10,000 points";
        /// Days of probation.
        probation: u32 = 14, 1 => 365, "1 to 365 days";
        /// Share of the tasks of the probation with a valid answer, in basis points.
        consistency: Bp = 7_500, 5_000 => 10_000, "50 to 100 %";
        /// So many tasks in a row without a valid answer put the level in danger.
        failures: u8 = 7, 2 => 100, "2 to 100";
        /// Success below this puts the level in danger, in basis points.
        least_success: Bp = 7_500, 0 => 9_900, "0 to 99 %";
        /// Days to recover in.
        grace: u32 = 21, 1 => 365, "1 to 365 days";
    }
    relations(this) {
        this.least_success < this.success => "least_success", "less than success: who has just risen must not be in danger";
    }
}

/// The worth of a miner's standing: its certificate, and the levels, lowest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LevelTable {
    /// Stakes by certification.
    pub certified: CertifiedStakes,
    /// The level that all miners start with.
    pub standard: LowestLevel,
    /// Advanced.
    pub advanced: LevelTerms,
    /// Specialist.
    pub specialist: LevelTerms,
    /// Master.
    pub master: LevelTerms,
}

impl LevelTable {
    /// The table that a network is born with.
    pub const STANDARD: Self = Self {
        certified: CertifiedStakes::STANDARD,
        standard: LowestLevel::STANDARD,
        advanced: LevelTerms::STANDARD,
        specialist: LevelTerms {
            stake: 80,
            votes: 20,
            tasks: 100,
            success: 9_000,
            endorsements: 5,
            reputation: 8_500,
            probation: 30,
            consistency: 8_500,
            failures: 5,
            least_success: 8_500,
            grace: 14,
        },
        master: LevelTerms {
            stake: 50,
            votes: 30,
            tasks: 200,
            success: 9_500,
            endorsements: 10,
            reputation: 9_500,
            probation: 60,
            consistency: 9_500,
            failures: 3,
            least_success: 9_000,
            grace: 7,
        },
    };

    /// The requirements of a level; `None` for the lowest, which has none.
    pub const fn terms(&self, level: Level) -> Option<&LevelTerms> {
        match level {
            Level::Standard => None,
            Level::Advanced => Some(&self.advanced),
            Level::Specialist => Some(&self.specialist),
            Level::Master => Some(&self.master),
        }
    }

    /// Stake per answer of this standing, in per cent of the difficulty's: the smaller of what
    /// the level and the certificate ask for.
    pub fn stake_percent(&self, level: Level, certification: Certification) -> u128 {
        let by_level = self
            .terms(level)
            .map_or(self.standard.stake, |terms| terms.stake);
        u128::from(by_level.min(self.certified.percent(certification)))
    }

    /// Weight of a vote at this level, in tenths of what reputation gives.
    pub fn vote_tenths(&self, level: Level) -> u64 {
        u64::from(
            self.terms(level)
                .map_or(self.standard.votes, |terms| terms.votes),
        )
    }
}

born_with! { LevelTable }

impl Bounded for LevelTable {
    fn check(&self) -> Result<(), OutOfBounds> {
        self.certified.check()?;
        self.standard.check()?;
        let levels = [self.advanced, self.specialist, self.master];
        for terms in &levels {
            terms.check()?;
        }
        relations(&[
            (
                self.advanced.stake <= self.standard.stake && rising(&levels, |l| Reverse(l.stake)),
                "stake",
                "at most that of the lower level",
            ),
            (
                self.advanced.votes >= self.standard.votes && rising(&levels, |l| l.votes),
                "votes",
                "at least that of the lower level",
            ),
            (
                rising(&levels, |l| l.tasks) && rising(&levels, |l| l.success),
                "tasks and success",
                "at least those of the lower level",
            ),
            (
                rising(&levels, |l| l.endorsements) && rising(&levels, |l| l.reputation),
                "endorsements and reputation",
                "at least those of the lower level",
            ),
            (
                rising(&levels, |l| Reverse(l.failures)) && rising(&levels, |l| l.least_success),
                "failures and least_success",
                "at least as strict as those of the lower level",
            ),
        ])
    }
}

/// The rules for who takes part now.
pub trait MemberRules {
    /// Requirements of registering as a miner.
    fn miner_stakes() -> MinerStakes;
    /// Requirements of registering as a judge.
    fn judge_stakes() -> JudgeStakes;
    /// The worth of a miner's standing.
    fn levels() -> LevelTable;
}

/// Rules that no one can change: those a network is born with.
impl MemberRules for () {
    fn miner_stakes() -> MinerStakes {
        MinerStakes::STANDARD
    }

    fn judge_stakes() -> JudgeStakes {
        JudgeStakes::STANDARD
    }

    fn levels() -> LevelTable {
        LevelTable::STANDARD
    }
}
