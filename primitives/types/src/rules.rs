// SPDX-License-Identifier: Apache-2.0

//! The rules that governance can change, with the bounds within which it can.
//!
//! A task is closed under the rules it was published with: its record refers to them, and they never
//! change, so that no account's stake is ever slashed by a rule it did not agree to, and no amount is
//! computed twice from two different rules. What is out of bounds cannot be decoded ([`Checked`]): it never
//! reaches the state, no matter which origin proposes it.

use crate::{json::wei, params, Balance, Bp, Difficulty, BP, TOS};
use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use core::ops::Deref;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The least that not voting can cost, as a share of the stake in basis points. A share of the
/// smallest stake must be able to create the treasury's account.
pub const LEAST_VOTE_SLASH: Bp = 100;

/// The bound that rules break: the field, and what it has to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfBounds {
    /// The name of the field.
    pub field: &'static str,
    /// The requirement on it; follows "must be" in a message.
    pub bound: &'static str,
}

impl core::fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} must be {}", self.field, self.bound)
    }
}

/// A set of values with bounds that hold for it as a whole.
pub trait Bounded {
    /// Checks every bound; the error is the first that does not hold.
    fn check(&self) -> Result<(), OutOfBounds>;
}

/// The first of these relations that does not hold: the field, and what is asked of it.
fn relations(all: &[(bool, &'static str, &'static str)]) -> Result<(), OutOfBounds> {
    match all.iter().find(|(holds, ..)| !holds) {
        Some((_, field, bound)) => Err(OutOfBounds { field, bound }),
        None => Ok(()),
    }
}

/// `true` if `of` never falls from one to the next.
fn rising<T, N: PartialOrd>(all: &[T], of: impl Fn(&T) -> N) -> bool {
    all.iter()
        .zip(all.iter().skip(1))
        .all(|(a, b)| of(a) <= of(b))
}

/// A value within its bounds. Encoded as the value itself; decoding anything else fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, MaxEncodedLen)]
pub struct Checked<T>(T);

impl<T: Bounded> Checked<T> {
    /// `value`, if its bounds hold.
    pub fn new(value: T) -> Result<Self, OutOfBounds> {
        value.check().map(|()| Self(value))
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Checked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Decode + Bounded> Decode for Checked<T> {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Self::new(T::decode(input)?).map_err(|out| codec::Error::from(out.bound).chain(out.field))
    }
}

impl<T: DecodeWithMemTracking + Bounded> DecodeWithMemTracking for Checked<T> {}

// Clients see the value's own type.
impl<T: TypeInfo> TypeInfo for Checked<T> {
    type Identity = T::Identity;

    fn type_info() -> scale_info::Type {
        T::type_info()
    }
}

/// Defines a number with bounds that are part of its type.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($kind:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[derive(Encode, MaxEncodedLen)]
        pub struct $name<const LOW: $kind, const HIGH: $kind>($kind);

        impl<const LOW: $kind, const HIGH: $kind> $name<LOW, HIGH> {
            /// `value`, which is one of the source's own: out of bounds, it does not compile.
            pub const fn constant(value: $kind) -> Self {
                assert!(LOW <= value && value <= HIGH, "out of bounds");
                Self(value)
            }

            /// `value`, if it is within the bounds.
            pub fn new(value: $kind) -> Option<Self> {
                (LOW..=HIGH).contains(&value).then_some(Self(value))
            }

            /// The number.
            pub const fn get(self) -> $kind {
                self.0
            }
        }

        impl<const LOW: $kind, const HIGH: $kind> Decode for $name<LOW, HIGH> {
            fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
                Self::new(<$kind>::decode(input)?).ok_or_else(|| "out of bounds".into())
            }
        }

        impl<const LOW: $kind, const HIGH: $kind> DecodeWithMemTracking for $name<LOW, HIGH> {}

        // Clients see a plain number.
        impl<const LOW: $kind, const HIGH: $kind> TypeInfo for $name<LOW, HIGH> {
            type Identity = $kind;

            fn type_info() -> scale_info::Type {
                <$kind as TypeInfo>::type_info()
            }
        }
    };
}

number! {
    /// An amount in wei, from `LOW` to `HIGH`.
    Amount(Balance)
}

number! {
    /// A share in basis points, from `LOW` to `HIGH`.
    Share(Bp)
}

number! {
    /// A count, from `LOW` to `HIGH`.
    Count(u32)
}

/// Makes the standard values of rules their default, within the bounds as well.
macro_rules! born_with {
    ($name:ident) => {
        impl Default for $name {
            fn default() -> Self {
                Self::STANDARD
            }
        }

        impl Default for Checked<$name> {
            fn default() -> Self {
                Self($name::STANDARD)
            }
        }
    };
}

/// Defines a group of rules: its fields with the values a network is born with, and their bounds.
macro_rules! rules {
    (
        $(#[$doc:meta])*
        $name:ident {
            $(
                $(#[$field_doc:meta])*
                $field:ident: $kind:ty = $standard:expr, $low:expr => $high:expr, $bound:literal;
            )*
        }
        relations($this:ident) { $($relation:expr => $rfield:literal, $rbound:literal;)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[$field_doc])*
                #[doc = ""]
                #[doc = concat!("Bounds: ", $bound, ".")]
                pub $field: $kind,
            )*
        }

        impl $name {
            /// The values that a network is born with.
            pub const STANDARD: Self = Self { $($field: $standard,)* };

            /// Every field with its bounds, for documentation.
            pub const BOUNDS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($field), $bound),)*];
        }

        born_with! { $name }

        impl Bounded for $name {
            fn check(&self) -> Result<(), OutOfBounds> {
                $(
                    let (low, high): ($kind, $kind) = ($low, $high);
                    if !(low..=high).contains(&self.$field) {
                        return Err(OutOfBounds { field: stringify!($field), bound: $bound });
                    }
                )*
                let $this = self;
                let _ = $this;
                $(
                    if !$relation {
                        return Err(OutOfBounds { field: $rfield, bound: $rbound });
                    }
                )*
                Ok(())
            }
        }
    };
}

mod members;
pub use members::{
    CertifiedStakes, JudgeStakes, LevelTable, LevelTerms, LowestLevel, MemberRules, MinerStakes,
    LEAST_REGISTRATION, MOST_REGISTRATION,
};
mod seats;
pub use seats::{BarRules, JudgeRules, RosterRules, SeatRules};

rules! {
    /// The amounts that a publisher and a challenger put down, and the time that counts as timely.
    PublishingRules {
        /// Publisher's stake as a share of the reward, in basis points; released when the task closes.
        publisher_stake: Bp = params::PUBLISHER_STAKE_BP, 100 => 5_000, "1 to 50 %";
        /// Fee for cancelling as a share of the reward, in basis points.
        cancel_fee: Bp = params::CANCEL_FEE_BP, 0 => 500, "0 to 5 %";
        /// Bond of a challenge as a share of the reward, in basis points.
        challenge_bond: Bp = params::CHALLENGE_BOND_BP, 100 => 2_000, "1 to 20 %";
        /// Share of the open window within which an answer counts as fully timely, in basis points.
        timely: Bp = params::TIMELY_BP, 500 => 5_000, "5 to 50 %";
        /// Reward above which the first panel is already an expert panel, in wei.
        #[serde(with = "wei")]
        expert_reward: Balance = params::EXPERT_PANEL_REWARD, 15 * TOS => 500 * TOS, "15 to 500 TOS";
    }
    relations(this) {}
}

rules! {
    /// The price of each failure, as a share of the stake in basis points.
    SlashRules {
        /// A miner that joined and did not commit an answer.
        no_show: Bp = params::NO_SHOW_SLASH_BP, 500 => 1_500, "5 to 15 %";
        /// A miner that committed and did not reveal.
        non_reveal: Bp = params::NON_REVEAL_SLASH_BP, 1_000 => 5_000, "10 to 50 %";
        /// A miner whose answer is below the least quality that takes part.
        low_quality: Bp = params::LOW_QUALITY_SLASH_BP, 500 => 3_000, "5 to 30 %";
        /// A miner whose content is malformed or cannot be fetched.
        malformed: Bp = params::MALFORMED_SLASH_BP, 2_500 => 10_000, "25 to 100 %";
        /// A miner whose answer the panel found to be another's.
        plagiarism: Bp = params::PLAGIARISM_SLASH_BP, 5_000 => 10_000, "50 to 100 %";
        /// A judge that committed no vote.
        no_vote: Bp = params::NO_VOTE_SLASH_BP, LEAST_VOTE_SLASH => 2_000, "1 to 20 %";
        /// A judge that committed a vote and did not reveal it.
        no_vote_reveal: Bp = params::NO_VOTE_REVEAL_SLASH_BP, 200 => 5_000, "2 to 50 %";
    }
    relations(this) {
        this.no_show < this.non_reveal => "non_reveal", "more than no_show: hiding an answer must cost more than giving none";
        this.no_vote < this.no_vote_reveal => "no_vote_reveal", "more than no_vote: hiding a vote must cost more than giving none";
    }
}

rules! {
    /// The measures for answers and for those who judge them.
    JudgingRules {
        /// Answers below this median quality get no participation reward.
        participation_quality: u8 = params::MIN_PARTICIPATION_QUALITY, 1 => 50, "1 to 50 points";
        /// A vote agrees with the median when it lies within this many points.
        agreement_points: u8 = params::AGREEMENT_POINTS, 5 => 30, "5 to 30 points";
        /// Share of the revealed weight that must agree, in basis points.
        agreement_share: Bp = params::AGREEMENT_BP, 5_100 => 9_500, "51 to 95 %";
        /// A challenge is upheld when its round moves a median quality by more than this many points.
        challenge_points: u8 = params::CHALLENGE_POINTS, 1 => 50, "1 to 50 points";
        /// Escalations after the first round.
        escalations: u32 = params::MAX_ESCALATIONS, 0 => params::MAX_ESCALATIONS, "0 to 2";
        /// Answers whose SimHashes differ in at most this many bits are near-duplicates.
        duplicate_distance: u32 = params::DUPLICATE_DISTANCE, 0 => 8, "0 to 8 bits";
        /// Share of a judge's reward points that control answers decide, in basis points.
        known_share: Bp = params::KNOWN_SHARE_BP, 0 => 5_000, "0 to 50 %";
        /// Accuracy below which a judge earns nothing, in basis points.
        rewarded_accuracy: Bp = params::MIN_REWARDED_ACCURACY, 1_000 => params::START_ACCURACY, "10 to 70 %";
        /// Accuracy an expert judge must have, in basis points.
        expert_accuracy: Bp = params::EXPERT_ACCURACY, 7_100 => 9_900, "71 to 99 %";
        /// Settled tasks or votes after which an uncertified account has a vote weight.
        settled_to_vote: u32 = params::MIN_SETTLED_TO_VOTE, 1 => 100, "1 to 100";
    }
    relations(this) {}
}

rules! {
    /// The requirements of one difficulty on publishers and miners.
    DifficultyTerms {
        /// Smallest reward, in wei.
        #[serde(with = "wei")]
        least_reward: Balance = 5 * TOS, TOS => 10_000 * TOS, "1 to 10,000 TOS";
        /// Largest reward, in wei.
        #[serde(with = "wei")]
        most_reward: Balance = 15 * TOS, TOS => 100_000 * TOS, "1 to 100,000 TOS";
        /// Stake per answer of a miner whose standing asks for all of it, in wei.
        #[serde(with = "wei")]
        stake: Balance = TOS, TOS / 10 => 1_000 * TOS, "0.1 to 1,000 TOS";
        /// Lowest global reputation that may join, in points.
        gate: Bp = 500, 0 => 9_000, "0 to 9,000 points";
    }
    relations(this) {
        this.least_reward < this.most_reward => "most_reward", "more than least_reward";
    }
}

impl DifficultyTerms {
    /// The terms that a network is born with for this difficulty.
    pub const fn standard(difficulty: Difficulty) -> Self {
        let (least_reward, most_reward) = difficulty.reward_band();
        Self {
            least_reward,
            most_reward,
            stake: difficulty.min_stake(),
            gate: difficulty.reputation_gate(),
        }
    }

    /// Stake per answer for a miner whose standing asks for `percent` of it, in wei.
    pub fn answer_stake(&self, percent: u128) -> Balance {
        self.stake.saturating_mul(percent).saturating_div(100)
    }
}

/// The requirements of each difficulty, easiest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DifficultyTable {
    /// For beginners. Its gate is at most 900 points, below what every account starts with: otherwise one
    /// loss would lock a newcomer out for good.
    pub beginner: DifficultyTerms,
    /// Intermediate.
    pub intermediate: DifficultyTerms,
    /// Advanced.
    pub advanced: DifficultyTerms,
    /// For experts.
    pub expert: DifficultyTerms,
}

/// Largest gate of the easiest tasks, in points of reputation.
const LARGEST_BEGINNER_GATE: Bp = 900;

impl DifficultyTable {
    /// The terms that a network is born with.
    pub const STANDARD: Self = Self {
        beginner: DifficultyTerms::standard(Difficulty::Beginner),
        intermediate: DifficultyTerms::standard(Difficulty::Intermediate),
        advanced: DifficultyTerms::standard(Difficulty::Advanced),
        expert: DifficultyTerms::standard(Difficulty::Expert),
    };

    /// The requirements of `difficulty`.
    pub const fn terms(&self, difficulty: Difficulty) -> DifficultyTerms {
        match difficulty {
            Difficulty::Beginner => self.beginner,
            Difficulty::Intermediate => self.intermediate,
            Difficulty::Advanced => self.advanced,
            Difficulty::Expert => self.expert,
        }
    }
}

born_with! { DifficultyTable }

impl Bounded for DifficultyTable {
    fn check(&self) -> Result<(), OutOfBounds> {
        let all = Difficulty::ALL.map(|difficulty| self.terms(difficulty));
        for terms in &all {
            terms.check()?;
        }
        relations(&[
            (
                rising(&all, |terms| terms.least_reward) && rising(&all, |terms| terms.most_reward),
                "least_reward and most_reward",
                "at least those of the easier difficulty",
            ),
            (
                rising(&all, |terms| terms.stake),
                "stake",
                "at least that of the easier difficulty",
            ),
            (
                rising(&all, |terms| terms.gate),
                "gate",
                "at least that of the easier difficulty",
            ),
            (
                self.beginner.gate <= LARGEST_BEGINNER_GATE,
                "gate of beginners",
                "at most 900 points, below what every account starts with",
            ),
        ])
    }
}

/// The rules of one task, from its publication until it is pruned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct TaskRules {
    /// The amounts that a publisher and a challenger put down, and the time that counts as timely.
    pub publishing: PublishingRules,
    /// The price of each failure.
    pub slashes: SlashRules,
    /// The measures for answers and for those who judge them.
    pub judging: JudgingRules,
}

impl TaskRules {
    /// The rules that a network is born with.
    pub const STANDARD: Self = Self {
        publishing: PublishingRules::STANDARD,
        slashes: SlashRules::STANDARD,
        judging: JudgingRules::STANDARD,
    };
}

/// The rules for what is published now.
pub trait CurrentRules {
    /// The rules of a task.
    fn rules() -> TaskRules;
    /// The requirements of a difficulty.
    fn terms(difficulty: Difficulty) -> DifficultyTerms;
}

/// Rules that no one can change: those a network is born with.
impl CurrentRules for () {
    fn rules() -> TaskRules {
        TaskRules::STANDARD
    }

    fn terms(difficulty: Difficulty) -> DifficultyTerms {
        DifficultyTerms::standard(difficulty)
    }
}

// A share of more than everything would take what is not there.
const _: () = assert!(
    SlashRules::STANDARD.plagiarism <= BP && SlashRules::STANDARD.malformed <= BP,
    "a share is at most the whole"
);

#[cfg(test)]
mod tests;
