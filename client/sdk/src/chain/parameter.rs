// SPDX-License-Identifier: Apache-2.0

//! The parameters that governance sets, as the chain encodes them and as people write them.

use crate::amount;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::de::DeserializeOwned;
use tos_types::{
    rules::{
        Bounded, DifficultyTable, JudgeStakes, JudgingRules, LevelTable, MinerStakes,
        PublishingRules, SlashRules,
    },
    Balance, Bp,
};

/// Defines a group of parameters. The chain names each twice: the variant, and a key without fields.
macro_rules! group {
    ($(#[$doc:meta])* $group:ident { $($index:literal $name:ident: $ty:ty),* $(,)? }) => {
        $(
            #[doc = concat!("The key of `", stringify!($name), "`.")]
            #[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
            pub struct $name;
        )*

        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
        // One lives at a time, for as long as it takes to send it.
        #[allow(missing_docs, clippy::large_enum_variant)]
        pub enum $group {
            $(#[codec(index = $index)] $name($name, Option<$ty>),)*
        }
    };
}

group! {
    /// The rules of tasks.
    Tasks {
        0 Publishing: PublishingRules,
        1 Slashes: SlashRules,
        2 Judging: JudgingRules,
        3 Difficulties: DifficultyTable,
    }
}

group! {
    /// Rule by which fees follow the fullness of blocks.
    Fees { 0 TargetFullness: Bp, 1 Adjustment: u32, 2 LeastMultiplier: u32 }
}

group! {
    /// Deposits for what lies in the state.
    Deposits { 0 Entry: Balance, 1 Byte: Balance, 2 Referendum: Balance, 3 Motion: Balance }
}

group! {
    /// Public money.
    Treasury { 0 MaxSpend: Balance, 1 StakersShare: Bp }
}

group! {
    /// Stakes of registrations, and the worth of a miner's standing.
    Members { 0 Miners: MinerStakes, 1 Judges: JudgeStakes, 2 Levels: LevelTable }
}

/// A parameter with its new value; without one, the value that a network is born with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
#[allow(clippy::large_enum_variant)]
pub enum Parameter {
    /// The rules of tasks.
    #[codec(index = 0)]
    Tasks(Tasks),
    /// Rule by which fees follow the fullness of blocks.
    #[codec(index = 1)]
    Fees(Fees),
    /// Deposits for what lies in the state.
    #[codec(index = 2)]
    Deposits(Deposits),
    /// Public money.
    #[codec(index = 3)]
    Treasury(Treasury),
    /// Stakes of registrations, and the worth of a miner's standing.
    #[codec(index = 4)]
    Members(Members),
}

/// The names of all parameters, as [`Parameter::parse`] reads them.
pub const NAMES: [&str; 16] = [
    "tasks.publishing",
    "tasks.slashes",
    "tasks.judging",
    "tasks.difficulties",
    "fees.target-fullness",
    "fees.adjustment",
    "fees.least-multiplier",
    "deposits.entry",
    "deposits.byte",
    "deposits.referendum",
    "deposits.motion",
    "treasury.max-spend",
    "treasury.stakers-share",
    "members.miners",
    "members.judges",
    "members.levels",
];

impl Parameter {
    /// Reads a parameter by its name and its value: JSON for a group of rules, else a number; `None`
    /// brings back the value that a network is born with. What is out of bounds is refused here,
    /// with its bounds; the chain would only say that it cannot be decoded.
    pub fn parse(name: &str, value: Option<&str>) -> Result<Self, String> {
        Ok(match name {
            "tasks.publishing" => Self::Tasks(Tasks::Publishing(Publishing, rules(value)?)),
            "tasks.slashes" => Self::Tasks(Tasks::Slashes(Slashes, rules(value)?)),
            "tasks.judging" => Self::Tasks(Tasks::Judging(Judging, rules(value)?)),
            "tasks.difficulties" => Self::Tasks(Tasks::Difficulties(Difficulties, rules(value)?)),
            "fees.target-fullness" => {
                Self::Fees(Fees::TargetFullness(TargetFullness, number(value)?))
            }
            "fees.adjustment" => Self::Fees(Fees::Adjustment(Adjustment, number(value)?)),
            "fees.least-multiplier" => {
                Self::Fees(Fees::LeastMultiplier(LeastMultiplier, number(value)?))
            }
            "deposits.entry" => Self::Deposits(Deposits::Entry(Entry, wei(value)?)),
            "deposits.byte" => Self::Deposits(Deposits::Byte(Byte, wei(value)?)),
            "deposits.referendum" => Self::Deposits(Deposits::Referendum(Referendum, wei(value)?)),
            "deposits.motion" => Self::Deposits(Deposits::Motion(Motion, wei(value)?)),
            "treasury.max-spend" => Self::Treasury(Treasury::MaxSpend(MaxSpend, wei(value)?)),
            "treasury.stakers-share" => {
                Self::Treasury(Treasury::StakersShare(StakersShare, number(value)?))
            }
            "members.miners" => Self::Members(Members::Miners(Miners, rules(value)?)),
            "members.judges" => Self::Members(Members::Judges(Judges, rules(value)?)),
            "members.levels" => Self::Members(Members::Levels(Levels, rules(value)?)),
            _ => {
                return Err(format!(
                    "unknown parameter '{name}'; known: {}",
                    NAMES.join(", ")
                ))
            }
        })
    }
}

fn rules<T: DeserializeOwned + Bounded>(value: Option<&str>) -> Result<Option<T>, String> {
    let Some(text) = value else { return Ok(None) };
    let rules: T = serde_json::from_str(text).map_err(|error| {
        format!("not these rules: {error}; see `tos governance parameters --json`")
    })?;
    rules.check().map_err(|out| out.to_string())?;
    Ok(Some(rules))
}

fn number<T: std::str::FromStr>(value: Option<&str>) -> Result<Option<T>, String> {
    value
        .map(|text| {
            text.parse()
                .map_err(|_| format!("'{text}' is not a number this parameter can have"))
        })
        .transpose()
}

/// An amount: a number of wei, as the JSON of parameters has it, or of TOS with that word.
fn wei(value: Option<&str>) -> Result<Option<Balance>, String> {
    match value {
        Some(text) if text.to_ascii_lowercase().ends_with("tos") => amount::parse(text).map(Some),
        _ => number(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_types::TOS;

    #[test]
    fn every_name_is_read_and_none_resets() {
        for name in NAMES {
            assert!(Parameter::parse(name, None).is_ok(), "{name}");
        }
        let unknown = Parameter::parse("fees.none", None).unwrap_err();
        assert!(unknown.contains("fees.adjustment"), "{unknown}");
    }

    #[test]
    fn an_amount_is_set_as_it_is_shown_or_in_wei() {
        let half = Deposits::Entry(Entry, Some(TOS / 2));
        for text in ["0.5 TOS", "500000000000000000"] {
            let parsed = Parameter::parse("deposits.entry", Some(text));
            assert_eq!(parsed, Ok(Parameter::Deposits(half)), "{text}");
        }
        for wrong in ["0.5", "TOS", "1 000", ""] {
            assert!(
                Parameter::parse("deposits.entry", Some(wrong)).is_err(),
                "{wrong}"
            );
        }
        // A share is no amount.
        assert!(Parameter::parse("treasury.stakers-share", Some("1 TOS")).is_err());
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_with_its_bounds() {
        let mut standard = serde_json::to_value(SlashRules::STANDARD).unwrap();
        let good = standard.to_string();
        assert_eq!(
            Parameter::parse("tasks.slashes", Some(&good)),
            Ok(Parameter::Tasks(Tasks::Slashes(
                Slashes,
                Some(SlashRules::STANDARD)
            )))
        );
        standard["plagiarism"] = 10_001.into();
        let refusal = Parameter::parse("tasks.slashes", Some(&standard.to_string())).unwrap_err();
        assert_eq!(refusal, "plagiarism must be 50 to 100 %");
        standard["noSuchRule"] = 1.into();
        let refusal = Parameter::parse("tasks.slashes", Some(&standard.to_string())).unwrap_err();
        assert!(refusal.contains("noSuchRule"), "{refusal}");
        assert!(Parameter::parse("fees.adjustment", Some("-1")).is_err());
    }
}
