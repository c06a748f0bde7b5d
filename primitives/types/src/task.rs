// SPDX-License-Identifier: Apache-2.0

//! Tasks: types, typed parameters, difficulties and phases.

use crate::{Balance, Bp, TOS};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use polkadot_sdk::sp_core::{bounded::BoundedVec, ConstU32};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A short text in task parameters.
pub type Label = BoundedVec<u8, ConstU32<64>>;

/// The kind of work a task asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum TaskType {
    /// Find what is wrong or notable in code.
    #[codec(index = 0)]
    CodeAnalysis,
    /// Find security defects.
    #[codec(index = 1)]
    SecurityAudit,
    /// Draw conclusions from data.
    #[codec(index = 2)]
    DataAnalysis,
    /// Find the best solution of an optimisation problem.
    #[codec(index = 3)]
    AlgorithmOptimization,
    /// Solve a problem of logic.
    #[codec(index = 4)]
    LogicReasoning,
    /// Anything else.
    #[codec(index = 5)]
    General,
    /// A type added by governance.
    #[codec(index = 6)]
    Custom(u8),
}

impl TaskType {
    /// The six types every network starts with.
    pub const BUILT_IN: [Self; 6] = [
        Self::CodeAnalysis,
        Self::SecurityAudit,
        Self::DataAnalysis,
        Self::AlgorithmOptimization,
        Self::LogicReasoning,
        Self::General,
    ];
}

/// The direction in which an objective value is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Objective {
    /// Smaller is better.
    #[codec(index = 0)]
    Minimise,
    /// Larger is better.
    #[codec(index = 1)]
    Maximise,
}

/// The parameters of a task; the variant fixes its type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TaskParams {
    /// Parameters of [`TaskType::CodeAnalysis`].
    #[codec(index = 0)]
    CodeAnalysis {
        /// Programming language.
        #[serde(with = "crate::json::text")]
        language: Label,
        /// Lines of code.
        lines: u32,
    },
    /// Parameters of [`TaskType::SecurityAudit`].
    #[codec(index = 1)]
    SecurityAudit {
        /// The thing that is audited.
        #[serde(with = "crate::json::text")]
        scope: Label,
        /// The standard it is audited against.
        #[serde(with = "crate::json::text")]
        standard: Label,
    },
    /// Parameters of [`TaskType::DataAnalysis`].
    #[codec(index = 2)]
    DataAnalysis {
        /// Format of the data.
        #[serde(with = "crate::json::text")]
        format: Label,
        /// Number of records.
        records: u32,
    },
    /// Parameters of [`TaskType::AlgorithmOptimization`].
    #[codec(index = 3)]
    AlgorithmOptimization {
        /// The problem, such as `tsp`.
        #[serde(with = "crate::json::text")]
        problem: Label,
        /// The direction in which the objective is better.
        objective: Objective,
    },
    /// Parameters of [`TaskType::LogicReasoning`].
    #[codec(index = 4)]
    LogicReasoning {
        /// Field of the problem.
        #[serde(with = "crate::json::text")]
        domain: Label,
    },
    /// Parameters of [`TaskType::General`].
    #[codec(index = 5)]
    General {
        /// Subject of the task.
        #[serde(with = "crate::json::text")]
        subject: Label,
    },
    /// Parameters of [`TaskType::Custom`].
    #[codec(index = 6)]
    Custom {
        /// Number of the type.
        number: u8,
        /// Free text, read by the workers of that type.
        #[serde(with = "crate::json::text")]
        detail: Label,
    },
}

impl TaskParams {
    /// The type these parameters belong to.
    pub fn task_type(&self) -> TaskType {
        match self {
            Self::CodeAnalysis { .. } => TaskType::CodeAnalysis,
            Self::SecurityAudit { .. } => TaskType::SecurityAudit,
            Self::DataAnalysis { .. } => TaskType::DataAnalysis,
            Self::AlgorithmOptimization { .. } => TaskType::AlgorithmOptimization,
            Self::LogicReasoning { .. } => TaskType::LogicReasoning,
            Self::General { .. } => TaskType::General,
            Self::Custom { number, .. } => TaskType::Custom(*number),
        }
    }

    /// `true` if every text the type needs is there.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::CodeAnalysis { language, lines } => !language.is_empty() && *lines > 0,
            Self::SecurityAudit { scope, standard } => !scope.is_empty() && !standard.is_empty(),
            Self::DataAnalysis { format, records } => !format.is_empty() && *records > 0,
            Self::AlgorithmOptimization { problem, .. } => !problem.is_empty(),
            Self::LogicReasoning { domain } => !domain.is_empty(),
            Self::General { subject } => !subject.is_empty(),
            Self::Custom { detail, .. } => !detail.is_empty(),
        }
    }
}

/// The difficulty of a task; sets its reward band, stakes, gates and panel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Difficulty {
    /// 5–15 TOS.
    #[codec(index = 0)]
    Beginner,
    /// 15–50 TOS.
    #[codec(index = 1)]
    Intermediate,
    /// 50–200 TOS.
    #[codec(index = 2)]
    Advanced,
    /// 200–500 TOS.
    #[codec(index = 3)]
    Expert,
}

impl Difficulty {
    /// All four, easiest first.
    pub const ALL: [Self; 4] = [
        Self::Beginner,
        Self::Intermediate,
        Self::Advanced,
        Self::Expert,
    ];

    /// Smallest and largest reward, inclusive, in wei, on a new network
    /// ([`crate::rules::DifficultyTerms`] is what governance makes of it).
    pub const fn reward_band(self) -> (Balance, Balance) {
        match self {
            Self::Beginner => (5 * TOS, 15 * TOS),
            Self::Intermediate => (15 * TOS, 50 * TOS),
            Self::Advanced => (50 * TOS, 200 * TOS),
            Self::Expert => (200 * TOS, 500 * TOS),
        }
    }

    /// Stake of an uncertified-neutral (Basic) miner per answer, in wei; see
    /// [`crate::rules::LevelTable::stake_percent`] for the multiplier.
    pub const fn min_stake(self) -> Balance {
        match self {
            Self::Beginner => TOS,
            Self::Intermediate => 3 * TOS,
            Self::Advanced => 10 * TOS,
            Self::Expert => 30 * TOS,
        }
    }

    /// Lowest global reputation that may join. The easiest tasks ask for half of what every account
    /// starts with: otherwise one loss would lock a newcomer out for good, since nothing but work
    /// earns reputation.
    pub const fn reputation_gate(self) -> Bp {
        match self {
            Self::Beginner => 500,
            Self::Intermediate => 3_000,
            Self::Advanced => 5_000,
            Self::Expert => 7_000,
        }
    }

    /// Seats of a panel that is drawn from a roster.
    pub const fn seats(self) -> u32 {
        match self {
            Self::Beginner => 5,
            Self::Intermediate => 7,
            Self::Advanced => 9,
            Self::Expert => 13,
        }
    }

    /// The most bytes of an answer: a judge of hard tasks is paid for reading more.
    pub const fn most_answer_bytes(self) -> u32 {
        match self {
            Self::Beginner => 64 * 1024,
            Self::Intermediate => 256 * 1024,
            Self::Advanced => 1024 * 1024,
            Self::Expert => 4 * 1024 * 1024,
        }
    }

    /// Members of the first panel.
    pub const fn panel_size(self) -> u32 {
        match self {
            Self::Beginner => 3,
            Self::Intermediate => 5,
            Self::Advanced => 7,
            Self::Expert => 9,
        }
    }
}

/// The degree to which an account has been certified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Certification {
    /// None, or expired.
    #[default]
    #[codec(index = 0)]
    Unverified,
    /// Identity checked.
    #[codec(index = 1)]
    Basic,
    /// Proficiency shown; may vote at once.
    #[codec(index = 2)]
    Professional,
    /// May sit on expert panels.
    #[codec(index = 3)]
    Expert,
    /// The highest.
    #[codec(index = 4)]
    Master,
}

/// The phase of a task in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Miners join and commit answers.
    #[codec(index = 0)]
    Open,
    /// Committed answers are revealed.
    #[codec(index = 1)]
    AnswerReveal,
    /// A panel is being drawn.
    #[codec(index = 2)]
    PanelDraw,
    /// The panel commits votes.
    #[codec(index = 3)]
    VoteCommit,
    /// The panel reveals votes.
    #[codec(index = 4)]
    VoteReveal,
    /// The result is known and may be challenged.
    #[codec(index = 5)]
    Challenge,
    /// Over; no money is left in it.
    #[codec(index = 6)]
    Closed(Closure),
}

/// The ways in which a task ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Closure {
    /// Answers were judged and rewards paid.
    #[codec(index = 0)]
    Settled,
    /// The publisher withdrew it before anyone joined.
    #[codec(index = 1)]
    Cancelled,
    /// No miner answered.
    #[codec(index = 2)]
    Expired,
    /// No panel could be found or none reached a quorum; all got their own back.
    #[codec(index = 3)]
    Unresolved,
}

/// Endorsements one miner can hold.
pub const MAX_ENDORSEMENTS: u32 = 16;

/// The level of a miner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// The level that all miners start with.
    #[default]
    #[codec(index = 0)]
    Standard,
    /// After [`crate::rules::LevelTable::advanced`] holds.
    #[codec(index = 1)]
    Advanced,
    /// After [`crate::rules::LevelTable::specialist`] holds.
    #[codec(index = 2)]
    Specialist,
    /// After [`crate::rules::LevelTable::master`] holds.
    #[codec(index = 3)]
    Master,
}

impl Level {
    /// All levels, in order.
    pub const ALL: [Self; 4] = [
        Self::Standard,
        Self::Advanced,
        Self::Specialist,
        Self::Master,
    ];

    /// The next higher one.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Standard => Some(Self::Advanced),
            Self::Advanced => Some(Self::Specialist),
            Self::Specialist => Some(Self::Master),
            Self::Master => None,
        }
    }

    /// The next lower one; the lowest stays.
    pub const fn lower(self) -> Self {
        match self {
            Self::Standard | Self::Advanced => Self::Standard,
            Self::Specialist => Self::Advanced,
            Self::Master => Self::Specialist,
        }
    }
}
