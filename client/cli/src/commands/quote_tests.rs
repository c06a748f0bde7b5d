// SPDX-License-Identifier: Apache-2.0

use super::*;
use tos_formulas::split::{SplitProfile, WinnerRule};
use tos_sdk::testing::views::{chain_view, parameters_view};
use tos_types::{TaskType, TOS};

const PHASE_LENGTHS: PhaseLengths = PhaseLengths::development();

fn chain() -> ChainView {
    ChainView {
        phase_lengths: PHASE_LENGTHS,
        miners: 5,
        judges: 7,
        ..chain_view(100)
    }
}

fn rules() -> TypeRules {
    TypeRules {
        known: true,
        split: SplitProfile::for_task(TaskType::General, Difficulty::Beginner),
        winners: WinnerRule::for_type(TaskType::General),
        judges: 4,
    }
}

fn payer(free: Balance) -> Payer {
    Payer {
        account: AccountId32::new([7; 32]),
        free,
        keeps: TOS / 100,
        suspended_until: None,
        reference_used: false,
    }
}

/// A quote of a task of 10 TOS with 8 places, which `change` makes different.
fn quoted(change: impl FnOnce(&mut Asked<'_>), payer: Option<Payer>) -> Quote {
    let subject = b"test".to_vec().try_into().unwrap();
    let params = TaskParams::General { subject };
    let spec = ContentRef::inline(b"what is asked").unwrap();
    let mut asked = Asked {
        params: &params,
        difficulty: Difficulty::Beginner,
        spec: &spec,
        reward: 10 * TOS,
        open_for: 20,
        min_quality: 50,
        places: 8,
    };
    change(&mut asked);
    let fees = (TOS / 1_000, TOS / 10);
    compute(
        &asked,
        &chain(),
        &parameters_view(),
        &rules(),
        payer,
        fees,
        2_000,
    )
}

fn refusals(quote: &Quote) -> Vec<&'static str> {
    let failed = quote.checks.iter().filter(|check| !check.passed);
    assert_eq!(quote.accepted, failed.clone().count() == 0);
    failed.map(|check| check.name).collect()
}

#[test]
fn the_cost_is_reward_and_stake_and_fee_and_tip() {
    let cost = quoted(|_| {}, None).cost;
    assert_eq!(cost.stake, TOS);
    assert_eq!(cost.total, 11 * TOS + TOS / 10 + TOS / 1_000);
    assert_eq!(cost.cancelling, TOS / 100);
}

#[test]
fn a_refusal_names_the_chain_s_error_and_the_bounds() {
    assert_eq!(refusals(&quoted(|_| {}, None)), [""; 0]);
    let quote = quoted(|asked| asked.reward = 16 * TOS, None);
    assert_eq!(refusals(&quote), ["Tasks::RewardOutsideBand"]);
    let detail = &quote
        .checks
        .iter()
        .find(|check| !check.passed)
        .unwrap()
        .detail;
    assert!(detail.contains("16 TOS: 5 TOS to 15 TOS"), "{detail}");
    for (open_for, passes) in [(2, false), (3, true), (43_200, true), (43_201, false)] {
        let refused = refusals(&quoted(|asked| asked.open_for = open_for, None));
        assert_eq!(refused.is_empty(), passes, "{open_for} {refused:?}");
    }
    let quote = quoted(|asked| asked.min_quality = 0, None);
    assert_eq!(refusals(&quote), ["Tasks::QualityOutOfRange"]);
    let quote = quoted(|asked| asked.places = MAX_PARTICIPANTS + 1, None);
    assert_eq!(refusals(&quote), ["Tasks::ParticipantsOutOfRange"]);
    let mut no_label = quoted(|_| {}, None);
    no_label.checks = checks(
        &Asked {
            params: &TaskParams::General {
                subject: Default::default(),
            },
            difficulty: Difficulty::Expert,
            spec: &ContentRef {
                hash: [0; 32],
                size: 9,
                inline: Default::default(),
                locator: Default::default(),
            },
            reward: 0,
            open_for: 0,
            min_quality: 101,
            places: 0,
        },
        &DifficultyTerms::standard(Difficulty::Expert),
        &PHASE_LENGTHS,
        false,
    );
    assert!(no_label.checks.iter().all(|check| !check.passed));
    assert_eq!(no_label.checks.len(), 7);
}

#[test]
fn an_account_must_have_all_of_it_and_keep_the_least_deposit() {
    let needed = quoted(|_| {}, None).cost.total + TOS / 100;
    assert_eq!(refusals(&quoted(|_| {}, Some(payer(needed)))), [""; 0]);
    let quote = quoted(|_| {}, Some(payer(needed - 1)));
    assert_eq!(refusals(&quote), ["Tasks::InsufficientFunds"]);
    let suspended = Payer {
        suspended_until: Some(120),
        reference_used: true,
        ..payer(needed)
    };
    let refused = refusals(&quoted(|_| {}, Some(suspended)));
    assert_eq!(refused, ["Tasks::ReferenceUsed", "Tasks::Suspended"]);
}

#[test]
fn the_parts_of_the_split_sum_to_the_reward() {
    let reward = 10 * TOS + 7;
    let split = quoted(|asked| asked.reward = reward, None).split;
    let parts = split.winners + split.participants + split.judges + split.network;
    assert_eq!(parts, reward);
    assert_eq!(split.most_winners, 2);
    let example = &split.example;
    assert_eq!((example.answers, example.each_winner.len()), (8, 2));
    // The better rank earns more, and both more than the rest, who share the participants' part.
    assert!(example.each_winner[0] > example.each_winner[1]);
    assert!(example.each_winner[1] > example.each_other);
    assert_eq!(example.each_other, split.participants / 8);
    assert_eq!(example.each_judge, split.judges / 3);
    // More places than there may be are refused, not computed with.
    let huge = quoted(|asked| asked.places = u32::MAX, None).split.example;
    assert_eq!(huge.answers, MAX_PARTICIPANTS);
}

#[test]
fn settlement_lies_between_acting_at_once_and_every_window_running_out() {
    let times = quoted(|_| {}, None).ticks_to_settlement;
    // Development: reveal 30, draw 20, commit 60, reveal 30, challenge 6; two escalations.
    let round = 21 + 61 + 31;
    assert_eq!(times.latest, 21 + 31 + 3 * round + 7 + round);
    assert_eq!(times.places_left - times.earliest, 21 - 3);
    assert!(times.earliest > PHASE_LENGTHS.challenge);
    // Phase lengths at their bounds do not overflow.
    let endless = PhaseLengths {
        vote_commit: Tick::MAX,
        ..PHASE_LENGTHS
    };
    assert_eq!(super::times(Tick::MAX, &endless, 2).latest, Tick::MAX);
}

#[test]
fn the_text_says_what_is_needed_and_what_is_refused() {
    let quote = quoted(|asked| asked.reward = TOS, None);
    let text = text(&quote);
    assert!(text.contains("needed now   1.201 TOS"), "{text}");
    assert!(
        text.contains("REFUSED      Tasks::RewardOutsideBand: reward 1 TOS"),
        "{text}"
    );
    assert!(!text.contains("no panel"), "{text}");
    let alone = Quote {
        members: Members {
            judges: 2,
            ..quote.members
        },
        ..quote
    };
    assert!(super::text(&alone).contains("no panel can be drawn"));
    let value = serde_json::to_value(&alone).unwrap();
    assert_eq!(value["cost"]["reward"], "1000000000000000000");
    assert_eq!(value["accepted"], false);
}
