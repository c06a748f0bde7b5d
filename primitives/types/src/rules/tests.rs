// SPDX-License-Identifier: Apache-2.0

use super::*;
use alloc::vec::Vec;

fn decodes<T: Encode, C: Decode>(value: &T) -> bool {
    C::decode(&mut value.encode().as_slice()).is_ok()
}

#[test]
fn what_a_network_is_born_with_is_within_bounds() {
    assert_eq!(PublishingRules::STANDARD.check(), Ok(()));
    assert_eq!(SlashRules::STANDARD.check(), Ok(()));
    assert_eq!(JudgingRules::STANDARD.check(), Ok(()));
    assert_eq!(DifficultyTable::STANDARD.check(), Ok(()));
    assert_eq!(MinerStakes::STANDARD.check(), Ok(()));
    assert_eq!(JudgeStakes::STANDARD.check(), Ok(()));
    assert_eq!(LevelTable::STANDARD.check(), Ok(()));
}

#[test]
fn a_checked_value_is_encoded_as_itself_and_comes_back() {
    let rules = Checked::new(SlashRules::STANDARD).expect("within bounds");
    assert_eq!(rules.encode(), SlashRules::STANDARD.encode());
    let back = Checked::<SlashRules>::decode(&mut rules.encode().as_slice());
    assert_eq!(back, Ok(rules));
    assert_eq!(
        <Checked<SlashRules> as TypeInfo>::type_info(),
        SlashRules::type_info()
    );
}

#[test]
fn what_is_out_of_bounds_cannot_be_decoded_and_says_why() {
    let cases = [
        (
            SlashRules {
                plagiarism: 10_001,
                ..SlashRules::STANDARD
            },
            "plagiarism",
        ),
        (
            SlashRules {
                no_vote: 0,
                ..SlashRules::STANDARD
            },
            "no_vote",
        ),
        (
            SlashRules {
                no_vote: 2_000,
                no_vote_reveal: 2_000,
                ..SlashRules::STANDARD
            },
            "no_vote_reveal",
        ),
        (
            SlashRules {
                no_show: 1_500,
                non_reveal: 1_500,
                ..SlashRules::STANDARD
            },
            "non_reveal",
        ),
    ];
    for (rules, field) in cases {
        assert_eq!(rules.check().map_err(|out| out.field), Err(field));
        assert!(!decodes::<_, Checked<SlashRules>>(&rules), "{field}");
    }
}

#[test]
fn every_field_has_bounds_that_are_tried_at_both_ends() {
    // One step over each bound, field by field, through the encoding: that is how a proposal comes.
    let standard = PublishingRules::STANDARD;
    let over = [
        PublishingRules {
            publisher_stake: 99,
            ..standard
        },
        PublishingRules {
            publisher_stake: 5_001,
            ..standard
        },
        PublishingRules {
            cancel_fee: 501,
            ..standard
        },
        PublishingRules {
            challenge_bond: 99,
            ..standard
        },
        PublishingRules {
            challenge_bond: 2_001,
            ..standard
        },
        PublishingRules {
            timely: 499,
            ..standard
        },
        PublishingRules {
            timely: 5_001,
            ..standard
        },
        PublishingRules {
            expert_reward: 15 * TOS - 1,
            ..standard
        },
        PublishingRules {
            expert_reward: 500 * TOS + 1,
            ..standard
        },
    ];
    for rules in over {
        assert!(!decodes::<_, Checked<PublishingRules>>(&rules), "{rules:?}");
    }
    let standard = JudgingRules::STANDARD;
    let over = [
        JudgingRules {
            participation_quality: 0,
            ..standard
        },
        JudgingRules {
            participation_quality: 51,
            ..standard
        },
        JudgingRules {
            agreement_points: 31,
            ..standard
        },
        JudgingRules {
            agreement_share: 5_000,
            ..standard
        },
        JudgingRules {
            challenge_points: 0,
            ..standard
        },
        JudgingRules {
            escalations: 3,
            ..standard
        },
        JudgingRules {
            duplicate_distance: 9,
            ..standard
        },
        JudgingRules {
            known_share: 5_001,
            ..standard
        },
        JudgingRules {
            rewarded_accuracy: params::START_ACCURACY + 1,
            ..standard
        },
        JudgingRules {
            expert_accuracy: params::START_ACCURACY,
            ..standard
        },
        JudgingRules {
            settled_to_vote: 0,
            ..standard
        },
    ];
    for rules in over {
        assert!(!decodes::<_, Checked<JudgingRules>>(&rules), "{rules:?}");
    }
}

#[test]
fn a_harder_difficulty_never_asks_for_less() {
    let standard = DifficultyTable::STANDARD;
    let mut cheaper = standard;
    cheaper.expert.stake = standard.advanced.stake - 1;
    let mut lower = standard;
    lower.advanced.gate = standard.intermediate.gate - 1;
    let mut poorer = standard;
    poorer.intermediate.least_reward = standard.beginner.least_reward - 1;
    let mut empty = standard;
    empty.expert.least_reward = empty.expert.most_reward;
    let mut locked = standard;
    locked.beginner.gate = LARGEST_BEGINNER_GATE + 1;
    for table in [cheaper, lower, poorer, empty, locked] {
        assert!(table.check().is_err(), "{table:?}");
        assert!(!decodes::<_, Checked<DifficultyTable>>(&table));
    }
}

#[test]
fn no_input_makes_decoding_panic_or_yields_what_is_out_of_bounds() {
    use proptest::prelude::*;
    let bytes = proptest::collection::vec(any::<u8>(), 0..200);
    proptest!(crate::testing::cases(2_000), |(bytes in bytes)| {
        let bytes: Vec<u8> = bytes;
        if let Ok(rules) = Checked::<JudgingRules>::decode(&mut bytes.as_slice()) {
            prop_assert_eq!(rules.check(), Ok(()));
        }
        if let Ok(table) = Checked::<DifficultyTable>::decode(&mut bytes.as_slice()) {
            prop_assert_eq!(table.check(), Ok(()));
        }
    });
}

#[test]
fn a_number_out_of_its_bounds_is_refused_at_both_ends() {
    type Small = Amount<2, 5>;
    for (value, ok) in [(1u128, false), (2, true), (5, true), (6, false)] {
        assert_eq!(Small::new(value).is_some(), ok);
        assert_eq!(decodes::<_, Small>(&value), ok);
    }
    assert_eq!(Small::constant(3).encode(), 3u128.encode());
    assert!(decodes::<_, Share<1, 2>>(&2u16) && !decodes::<_, Share<1, 2>>(&3u16));
    assert!(decodes::<_, Count<1, 2>>(&2u32) && !decodes::<_, Count<1, 2>>(&0u32));
}

#[test]
fn of_several_types_the_greatest_stake_counts_and_not_the_sum() {
    use crate::TaskType::{CodeAnalysis, Custom, DataAnalysis, SecurityAudit};
    let (miners, judges) = (MinerStakes::STANDARD, JudgeStakes::STANDARD);
    assert_eq!(miners.required(&[]), 0);
    assert_eq!(miners.required(&[CodeAnalysis]), 50 * TOS);
    assert_eq!(miners.required(&[CodeAnalysis, SecurityAudit]), 200 * TOS);
    assert_eq!(judges.required(&[SecurityAudit, CodeAnalysis]), 300 * TOS);
    assert_eq!(judges.required(&[CodeAnalysis, DataAnalysis]), 150 * TOS);
    assert_eq!(judges.of(Custom(7)), 100 * TOS);
}

#[test]
fn no_level_may_be_better_off_than_the_one_above_it() {
    type Change = fn(&mut LevelTable);
    let cases: [(Change, &str); 5] = [
        (|table| table.specialist.stake = 130, "stake"),
        (|table| table.advanced.votes = 9, "votes"),
        (|table| table.specialist.tasks = 49, "tasks and success"),
        (
            |table| table.master.endorsements = 4,
            "endorsements and reputation",
        ),
        (
            |table| table.specialist.failures = 8,
            "failures and least_success",
        ),
    ];
    for (change, field) in cases {
        let mut table = LevelTable::STANDARD;
        change(&mut table);
        assert_eq!(table.check().unwrap_err().field, field);
        assert!(!decodes::<_, Checked<LevelTable>>(&table), "{field}");
    }
    let advanced = LevelTable::STANDARD.advanced;
    // Who has just risen must not be in danger at once.
    let trap = LevelTerms {
        least_success: advanced.success,
        ..advanced
    };
    assert_eq!(trap.check().unwrap_err().field, "least_success");
    let swapped = CertifiedStakes {
        master: 61,
        ..CertifiedStakes::STANDARD
    };
    assert_eq!(swapped.check().unwrap_err().field, "master");
}
