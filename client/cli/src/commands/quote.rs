// SPDX-License-Identifier: Apache-2.0

//! `tos task quote`: what publishing a task would come to. Sends nothing.
//!
//! The runtime has no dry run of a call without a signature, so the chain's own checks are made
//! here in its order, against the parameters and phase lengths of its best block.

use super::{publish::Publish, Global};
use crate::output::Output;
use polkadot_sdk::sp_core::crypto::AccountId32;
use serde::{Serialize, Serializer};
use tos_formulas::split::{allocate, largest_remainder, JudgedAnswer, QualityBars};
use tos_sdk::task_type::type_name;
use tos_sdk::{
    amount,
    chain::TypeRules,
    duration,
    error::{Error, Result},
};
use tos_types::{
    content::{ContentError, MAX_CONTENT, MIN_CONTENT},
    params::{share_of, MIN_PANEL},
    rules::{DifficultyTerms, JudgingRules},
    Balance, Bp, ContentRef, Difficulty, PhaseLengths, TaskParams, Tick, MAX_PARTICIPANTS,
};
use tos_views::{ChainView, ParametersView};

/// Ticks that a panel waits for in its second round because a challenge came before.
const AFTER_A_CHALLENGE: Tick = 2;

/// One of the chain's checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    /// Name of the chain's error.
    name: &'static str,
    passed: bool,
    /// The value, with its bounds.
    detail: String,
}

/// Amounts that are paid, and amounts that are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    /// Held in escrow, and paid out.
    #[serde(serialize_with = "wei")]
    reward: Balance,
    /// Held until the task closes, and released.
    #[serde(serialize_with = "wei")]
    stake: Balance,
    /// Paid for the transaction, as fees are at this block.
    #[serde(serialize_with = "wei")]
    fee: Balance,
    #[serde(serialize_with = "wei")]
    tip: Balance,
    /// Needed at once.
    #[serde(serialize_with = "wei")]
    total: Balance,
    /// Fee for withdrawing it before a miner joins.
    #[serde(serialize_with = "wei")]
    cancelling: Balance,
}

/// Ticks from publishing to settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Times {
    /// Every place is taken at once and all act in the next tick.
    earliest: Tick,
    /// Places stay free, and all act in the next tick after that.
    places_left: Tick,
    /// Every window runs out, every round escalates, and the result is challenged.
    latest: Tick,
}

/// The reward's parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Split {
    /// Shares in basis points.
    shares: [Bp; 4],
    #[serde(serialize_with = "wei")]
    winners: Balance,
    #[serde(serialize_with = "wei")]
    participants: Balance,
    #[serde(serialize_with = "wei")]
    judges: Balance,
    #[serde(serialize_with = "wei")]
    network: Balance,
    /// The most winners there can be.
    most_winners: u32,
    /// The split when all places are taken by answers of quality 100, committed early.
    example: Example,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Example {
    answers: u32,
    /// Each winner's earnings, best first.
    #[serde(serialize_with = "all_wei")]
    each_winner: Vec<Balance>,
    /// The least that any other answer earns.
    #[serde(serialize_with = "wei")]
    each_other: Balance,
    /// The least that any member of the panel earns.
    #[serde(serialize_with = "wei")]
    each_judge: Balance,
}

/// Numbers of members for the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    /// Registered miners, of all types.
    miners: u32,
    /// Registered judges of the type.
    judges: u32,
    /// Members that the first panel should have.
    panel: u32,
}

/// State of the account that would pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Payer {
    account: AccountId32,
    #[serde(serialize_with = "wei")]
    free: Balance,
    /// The least that it must keep.
    #[serde(serialize_with = "wei")]
    keeps: Balance,
    suspended_until: Option<Tick>,
    reference_used: bool,
}

/// Outcome of the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Quote {
    accepted: bool,
    checks: Vec<Check>,
    cost: Cost,
    tick: Tick,
    ticks_to_settlement: Times,
    milliseconds_per_tick: u64,
    split: Split,
    members: Members,
    payer: Option<Payer>,
}

/// A task's terms, as far as the checks look at them.
struct Asked<'a> {
    params: &'a TaskParams,
    difficulty: Difficulty,
    spec: &'a ContentRef,
    reward: Balance,
    open_for: Tick,
    min_quality: u8,
    places: u32,
}

/// Runs the command.
pub(super) async fn quote(publish: Publish, global: &Global, output: Output) -> Result<()> {
    let (params, _, spec) = publish.local()?;
    let connection = global.connect().await?;
    let best = connection.best().await?;
    let (chain, parameters) = (best.chain().await?, best.parameters().await?);
    let rules = best
        .type_rules(publish.task_type, publish.difficulty)
        .await?;
    let payer = match global.has_key() {
        false => None,
        true => {
            let account = global.account(&None)?;
            let used = match publish.reference {
                None => None,
                Some(hash) => best.task_by_reference(account.clone(), hash).await?,
            };
            let until = best.suspended_until(&account).await?;
            Some(Payer {
                free: best.balance(&account).await?.free,
                keeps: best.existential_deposit()?,
                suspended_until: until.filter(|until| chain.tick < *until),
                reference_used: used.is_some(),
                account,
            })
        }
    };
    let call = publish.call(params.clone(), spec.clone());
    let call = match global.acts_for()? {
        Some(real) => best.proxied(&real, &call)?,
        None => call,
    };
    let fee = best.fee(&call, global.tip).await?;
    let asked = Asked {
        params: &params,
        difficulty: publish.difficulty,
        spec: &spec,
        reward: publish.reward,
        open_for: publish.open_for,
        min_quality: publish.min_quality,
        places: publish.max_participants,
    };
    let time = best.block_time().await?;
    let quote = compute(
        &asked,
        &chain,
        &parameters,
        &rules,
        payer,
        (fee, global.tip),
        time,
    );
    output.show(&quote, || text(&quote));
    let refused = quote.checks.iter().find(|check| !check.passed);
    match refused {
        None => Ok(()),
        Some(check) => Err(Error::Refused {
            name: check.name.into(),
            docs: Some(check.detail.clone()),
            fee: None,
        }),
    }
}

fn compute(
    asked: &Asked<'_>,
    chain: &ChainView,
    parameters: &ParametersView,
    rules: &TypeRules,
    payer: Option<Payer>,
    (fee, tip): (Balance, Balance),
    milliseconds_per_tick: u64,
) -> Quote {
    let publishing = &parameters.publishing;
    let stake = share_of(asked.reward, publishing.publisher_stake);
    let held = asked.reward.saturating_add(stake);
    let cost = Cost {
        reward: asked.reward,
        stake,
        fee,
        tip,
        total: held.saturating_add(fee).saturating_add(tip),
        cancelling: share_of(asked.reward, publishing.cancel_fee),
    };
    let terms = parameters.difficulties.terms(asked.difficulty);
    let mut checks = checks(asked, &terms, &chain.phase_lengths, rules.known);
    checks.extend(payer.iter().flat_map(|payer| payer_checks(payer, &cost)));
    Quote {
        accepted: checks.iter().all(|check| check.passed),
        checks,
        cost,
        tick: chain.tick,
        ticks_to_settlement: times(
            asked.open_for,
            &chain.phase_lengths,
            parameters.judging.escalations,
        ),
        milliseconds_per_tick,
        split: split(asked, rules, &parameters.judging),
        members: Members {
            miners: chain.miners,
            judges: rules.judges,
            panel: asked.difficulty.panel_size(),
        },
        payer,
    }
}

/// The checks of `Tasks.publish`, in its order: `docs/protocol.md`.
fn checks(
    asked: &Asked<'_>,
    terms: &DifficultyTerms,
    phase_lengths: &PhaseLengths,
    known: bool,
) -> Vec<Check> {
    let check = |name, passed, detail| Check {
        name,
        passed,
        detail,
    };
    let name = type_name(asked.params.task_type());
    let complete = asked.params.is_complete();
    let content = asked.spec.check();
    vec![
        check(
            "Tasks::UnknownTaskType",
            known,
            match known {
                true => format!("tasks of type {name} may be published"),
                false => format!("no task of type {name} can be published on this chain"),
            },
        ),
        check(
            "Tasks::IncompleteParams",
            complete,
            match complete {
                true => "all parameters of the type are given".into(),
                false => "a parameter is empty or 0".into(),
            },
        ),
        check(
            match content {
                Ok(()) | Err(ContentError::Unreachable) => "Tasks::ContentUnreachable",
                Err(ContentError::TooSmall) => "Tasks::ContentTooSmall",
                Err(ContentError::TooLarge) => "Tasks::ContentTooLarge",
                Err(ContentError::Mismatch) => "Tasks::ContentMismatch",
            },
            content.is_ok(),
            match content {
                Ok(()) if asked.spec.inline.is_empty() => {
                    format!("specification of {} bytes, by its address", asked.spec.size)
                }
                Ok(()) => format!("specification of {} bytes, on chain", asked.spec.size),
                Err(_) => format!(
                    "specification of {} bytes: {MIN_CONTENT} to {MAX_CONTENT}, on chain or by an \
                     address",
                    asked.spec.size
                ),
            },
        ),
        check(
            "Tasks::RewardOutsideBand",
            (terms.least_reward..=terms.most_reward).contains(&asked.reward),
            format!(
                "reward {}: {} to {} at this difficulty",
                amount::format(asked.reward),
                amount::format(terms.least_reward),
                amount::format(terms.most_reward)
            ),
        ),
        check(
            "Tasks::OpenWindowOutOfBounds",
            (phase_lengths.min_open..=phase_lengths.max_open).contains(&asked.open_for),
            format!(
                "open for {} ticks: {} to {}",
                asked.open_for, phase_lengths.min_open, phase_lengths.max_open
            ),
        ),
        check(
            "Tasks::QualityOutOfRange",
            (1..=100).contains(&asked.min_quality),
            format!("least quality {}: 1 to 100", asked.min_quality),
        ),
        check(
            "Tasks::ParticipantsOutOfRange",
            (1..=MAX_PARTICIPANTS).contains(&asked.places),
            format!(
                "{}: 1 to {MAX_PARTICIPANTS}",
                super::show::count(asked.places, "place")
            ),
        ),
    ]
}

/// The checks that depend on who publishes.
fn payer_checks(payer: &Payer, cost: &Cost) -> Vec<Check> {
    let needed = cost.total.saturating_add(payer.keeps);
    let funds = format!(
        "{} needed and {} to keep; the account has {}",
        amount::format(cost.total),
        amount::format(payer.keeps),
        amount::format(payer.free)
    );
    let used = match payer.reference_used {
        true => "a task has this reference already: `publish` finds it and pays nothing",
        false => "no task of this account has this reference",
    };
    let suspended = match payer.suspended_until {
        Some(until) => format!("the account is suspended until tick {until}"),
        None => "the account is not suspended".into(),
    };
    vec![
        Check {
            name: "Tasks::ReferenceUsed",
            passed: !payer.reference_used,
            detail: used.into(),
        },
        Check {
            name: "Tasks::Suspended",
            passed: payer.suspended_until.is_none(),
            detail: suspended,
        },
        Check {
            name: "Tasks::InsufficientFunds",
            passed: payer.free >= needed,
            detail: funds,
        },
    ]
}

/// Ticks to settlement, by the lengths of phases: a phase that runs out ends in the tick after its
/// last one.
fn times(open_for: Tick, phase_lengths: &PhaseLengths, escalations: u32) -> Times {
    let after = |window: Tick| window.saturating_add(1);
    let sum = |all: &[Tick]| {
        all.iter()
            .fold(0, |sum: Tick, next| sum.saturating_add(*next))
    };
    // Reveal, draw, commitments and votes take a tick each, and one more until the next step.
    let quick = sum(&[2, 1, 2, 2]);
    let challenge = after(phase_lengths.challenge);
    let join_and_commit = 3;
    let round = |wait: Tick| {
        let draw = after(phase_lengths.panel_draw.max(wait));
        sum(&[
            draw,
            after(phase_lengths.vote_commit),
            after(phase_lengths.vote_reveal),
        ])
    };
    let rounds = round(1).saturating_mul(escalations.saturating_add(1));
    let open = after(open_for);
    Times {
        earliest: sum(&[join_and_commit.min(open), quick, challenge]),
        places_left: sum(&[open, quick, challenge]),
        latest: sum(&[
            open,
            after(phase_lengths.answer_reveal),
            rounds,
            challenge,
            round(AFTER_A_CHALLENGE),
        ]),
    }
}

/// The split, by the arithmetic of the chain.
fn split(asked: &Asked<'_>, rules: &TypeRules, judging: &JudgingRules) -> Split {
    let profile = &rules.split;
    let bars = QualityBars {
        win: asked.min_quality,
        take_part: judging.participation_quality,
    };
    let answer = JudgedAnswer {
        quality: 100,
        innovation: 100,
        timeliness: 10_000,
        eligible: true,
    };
    // More places than the chain allows are refused, and nothing is made for them.
    let places = asked.places.clamp(1, MAX_PARTICIPANTS);
    let answers = vec![answer; places as usize];
    let panel = vec![10_000; asked.difficulty.panel_size() as usize];
    let full = allocate(asked.reward, profile, rules.winners, bars, &answers, &panel);
    let won = |index: &usize| full.winners.iter().any(|w| *w as usize == *index);
    let earned = |index: u32| full.answers.get(index as usize).copied().unwrap_or(0);
    let others = (0..answers.len()).filter(|index| !won(index));
    let others = others.filter_map(|index| full.answers.get(index).copied());
    let shares = [
        profile.winners,
        profile.participants,
        profile.judges,
        profile.network,
    ];
    let classes = largest_remainder(asked.reward, &shares.map(u128::from));
    let class = |index: usize| classes.get(index).copied().unwrap_or(0);
    Split {
        shares,
        winners: class(0),
        participants: class(1),
        judges: class(2),
        network: class(3),
        most_winners: rules.winners.winners(places),
        example: Example {
            answers: places,
            each_winner: full.winners.iter().map(|index| earned(*index)).collect(),
            each_other: others.min().unwrap_or(0),
            each_judge: full.judges.iter().copied().min().unwrap_or(0),
        },
    }
}

fn text(quote: &Quote) -> String {
    let Quote {
        cost,
        split,
        members,
        ..
    } = quote;
    let coin = |value: Balance| amount::format(value);
    let in_time = |ticks: Tick| {
        let time = duration::ticks(ticks.into(), quote.milliseconds_per_tick);
        format!("{ticks} ticks (about {time})")
    };
    let share = |index: usize| super::show::percent(split.shares.get(index).copied().unwrap_or(0));
    let times = &quote.ticks_to_settlement;
    let mut lines = vec![
        format!(
            "reward       {}, held until it is paid out",
            coin(cost.reward)
        ),
        format!(
            "stake        {}, held until the task closes",
            coin(cost.stake)
        ),
        format!(
            "fee          about {}, tip {}",
            amount::about(cost.fee),
            coin(cost.tip)
        ),
        format!("needed now   {}", coin(cost.total)),
        format!(
            "cancelling   costs {} before a miner joins",
            coin(cost.cancelling)
        ),
        format!(
            "settled in   {} at the earliest: all places taken at once",
            in_time(times.earliest)
        ),
        format!(
            "             {} if not all places are taken",
            in_time(times.places_left)
        ),
        format!(
            "             {} at the latest: every window runs out, with a challenge",
            in_time(times.latest)
        ),
        format!(
            "winners      {} of it, {}; {} at most",
            share(0),
            coin(split.winners),
            split.most_winners
        ),
        format!(
            "good answers {} of it, {}",
            share(1),
            coin(split.participants)
        ),
        format!("judges       {} of it, {}", share(2), coin(split.judges)),
        format!("network      {} of it, {}", share(3), coin(split.network)),
    ];
    let winners: Vec<_> = split.example.each_winner.iter().map(|w| coin(*w)).collect();
    lines.push(format!(
        "for example  {}: winners {}, others {}, each judge {}",
        super::show::count(split.example.answers, "perfect answer"),
        winners.join(" and "),
        coin(split.example.each_other),
        coin(split.example.each_judge)
    ));
    lines.push(format!(
        "members      {} in all, {} of this type; a panel has {}",
        super::show::count(members.miners, "miner"),
        super::show::count(members.judges, "judge"),
        members.panel
    ));
    if members.judges < MIN_PANEL {
        lines.push(format!(
            "warning      fewer than {MIN_PANEL} accounts judge this type: no panel can be drawn"
        ));
    }
    if let Some(payer) = &quote.payer {
        lines.push(format!(
            "payer        {} has {}",
            payer.account,
            coin(payer.free)
        ));
    }
    for check in &quote.checks {
        lines.push(match check.passed {
            true => format!("ok           {}", check.detail),
            false => format!("REFUSED      {}: {}", check.name, check.detail),
        });
    }
    lines.join("\n")
}

fn wei<S: Serializer>(amount: &Balance, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&amount.to_string())
}

fn all_wei<S: Serializer>(amounts: &[Balance], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(amounts.iter().map(Balance::to_string))
}

#[cfg(test)]
#[path = "quote_tests.rs"]
mod tests;
