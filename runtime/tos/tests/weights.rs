// SPDX-License-Identifier: Apache-2.0

//! What calls and steps cost: none may take more than its share of a block, and the table in
//! `docs/weights.md` says what the runtime charges.
//!
//! `UPDATE_DOCS=1 cargo nextest run --release --workspace -E 'binary(weights)'` writes the table.

#![allow(clippy::unwrap_used)]

#[path = "weights/beacon.rs"]
mod beacon;
#[path = "weights/storage.rs"]
mod storage;

use std::{collections::BTreeSet, fmt::Write as _};

use codec::Decode;
use polkadot_sdk::*;

use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    traits::{Authorize, GetCallName},
    weights::Weight,
};
use sp_runtime::traits::TrailingZeroInput;
use tos_runtime::*;
use tos_types::{
    params::MAX_CANDIDATES, AnswerScore, ContentRef, Difficulty, TaskId, TaskParams, TaskType,
    MAX_PARTICIPANTS,
};

/// The largest share of a block's normal class that one call may take.
const CALL_SHARE: u64 = 4;

/// The part of a block that including slots may take, one in so many: it comes on top of all else.
const ADVANCE_SHARE: u64 = 50;

/// A value of fixed size, whose content no weight depends on.
fn zeros<T: Decode>() -> T {
    T::decode(&mut TrailingZeroInput::zeroes()).unwrap()
}

/// Every call of the pallets for tasks, in its worst case.
fn calls() -> Vec<(&'static str, RuntimeCall)> {
    let task = TaskId::default();
    let who = AccountId::new([1; 32]);
    let id = || who.clone();
    let types = || TaskType::BUILT_IN.to_vec();
    let content = || ContentRef::inline(&[7; 2_048]).unwrap();
    let params = || TaskParams::General {
        subject: vec![7; 64].try_into().unwrap(),
    };
    let scores = || vec![AnswerScore::default(); MAX_PARTICIPANTS as usize];
    vec![
        (
            "tasks.publish",
            pallet_tasks::Call::publish {
                params: params(),
                difficulty: Difficulty::Expert,
                spec: content(),
                reward: 1,
                open_for: 1,
                min_quality: 1,
                max_participants: MAX_PARTICIPANTS,
                reference: Some([1; 32]),
            }
            .into(),
        ),
        ("tasks.cancel", pallet_tasks::Call::cancel { task }.into()),
        ("tasks.join", pallet_tasks::Call::join { task }.into()),
        (
            "tasks.commit",
            pallet_tasks::Call::commit {
                task,
                commitment: [0; 32],
            }
            .into(),
        ),
        (
            "tasks.reveal",
            pallet_tasks::Call::reveal {
                task,
                content: content(),
                simhash: 0,
                salt: [0; 32],
            }
            .into(),
        ),
        (
            "tasks.challenge",
            pallet_tasks::Call::challenge { task }.into(),
        ),
        ("tasks.crank", pallet_tasks::Call::crank { task }.into()),
        (
            "tasks.set_task_type",
            pallet_tasks::Call::set_task_type {
                task_type: TaskType::General,
                profile: None,
            }
            .into(),
        ),
        (
            "miners.register",
            pallet_miners::Call::register {
                specialisations: types().try_into().unwrap(),
            }
            .into(),
        ),
        (
            "miners.set_specialisations",
            pallet_miners::Call::set_specialisations {
                specialisations: types().try_into().unwrap(),
            }
            .into(),
        ),
        ("miners.leave", pallet_miners::Call::leave {}.into()),
        ("miners.withdraw", pallet_miners::Call::withdraw {}.into()),
        ("miners.rejoin", pallet_miners::Call::rejoin {}.into()),
        (
            "miners.reactivate",
            pallet_miners::Call::reactivate {}.into(),
        ),
        (
            "miners.set_owner",
            pallet_miners::Call::set_owner { owner: Some(id()) }.into(),
        ),
        (
            "miners.endorse",
            pallet_miners::Call::endorse { who: id() }.into(),
        ),
        (
            "miners.retract_endorsement",
            pallet_miners::Call::retract_endorsement {
                endorser: id(),
                who: id(),
            }
            .into(),
        ),
        (
            "miners.review_level",
            pallet_miners::Call::review_level { who: id() }.into(),
        ),
        (
            "miners.declare_relation",
            pallet_miners::Call::declare_relation { other: id() }.into(),
        ),
        (
            "miners.retract_relation",
            pallet_miners::Call::retract_relation { other: id() }.into(),
        ),
        (
            "miners.certify",
            pallet_miners::Call::certify {
                who: id(),
                level: tos_types::task::Certification::Expert,
                expires: 1,
            }
            .into(),
        ),
        (
            "miners.revoke_certificate",
            pallet_miners::Call::revoke_certificate { who: id() }.into(),
        ),
        (
            "miners.suspend",
            pallet_miners::Call::suspend {
                who: id(),
                duration: 1,
            }
            .into(),
        ),
        (
            "miners.lift_suspension",
            pallet_miners::Call::lift_suspension { who: id() }.into(),
        ),
        (
            "reputation.penalise",
            pallet_reputation::Call::penalise {
                who: id(),
                task_type: TaskType::General,
                severity: tos_types::offence::Severity::Critical,
            }
            .into(),
        ),
        (
            "judges.register",
            pallet_judges::Call::register {
                types: types().try_into().unwrap(),
            }
            .into(),
        ),
        (
            "judges.set_types",
            pallet_judges::Call::set_types {
                types: types().try_into().unwrap(),
            }
            .into(),
        ),
        ("judges.top_up", pallet_judges::Call::top_up {}.into()),
        ("judges.leave", pallet_judges::Call::leave {}.into()),
        ("judges.rejoin", pallet_judges::Call::rejoin {}.into()),
        ("judges.withdraw", pallet_judges::Call::withdraw {}.into()),
        (
            "judges.commit_vote",
            pallet_judges::Call::commit_vote {
                task,
                commitment: [0; 32],
            }
            .into(),
        ),
        (
            "judges.reveal_vote",
            pallet_judges::Call::reveal_vote {
                task,
                scores: scores().try_into().unwrap(),
                report: None,
                salt: [0; 32],
            }
            .into(),
        ),
        (
            "judges.set_control_author",
            pallet_judges::Call::set_control_author {
                who: id(),
                approved: true,
            }
            .into(),
        ),
        (
            "judges.reveal_control",
            pallet_judges::Call::reveal_control {
                task,
                quality: 90,
                secret: [0; 32],
            }
            .into(),
        ),
        ("rewards.claim", pallet_rewards::Call::claim { task }.into()),
        (
            "rewards.claim_all",
            pallet_rewards::Call::claim_all {}.into(),
        ),
        (
            "rewards.set_auto_claim",
            pallet_rewards::Call::set_auto_claim { enabled: true }.into(),
        ),
        (
            "rewards.claim_for",
            pallet_rewards::Call::claim_for { owner: id(), task }.into(),
        ),
        (
            "rewards.claim_all_for",
            pallet_rewards::Call::claim_all_for { owner: id() }.into(),
        ),
        (
            "rewards.set_profile",
            pallet_rewards::Call::set_profile {
                task_type: TaskType::General,
                difficulty: Difficulty::Expert,
                profile: None,
            }
            .into(),
        ),
        (
            "rewards.set_winner_rule",
            pallet_rewards::Call::set_winner_rule {
                task_type: TaskType::General,
                rule: None,
            }
            .into(),
        ),
    ]
}

/// Every step the hooks of the pallets for tasks take, in its worst case.
fn steps() -> Vec<(&'static str, Weight)> {
    use pallet_clock::WeightInfo as _;
    use pallet_rewards::WeightInfo as _;
    use pallet_tasks::WeightInfo as _;
    type OfClock = <Runtime as pallet_clock::Config>::WeightInfo;
    type OfTasks = <Runtime as pallet_tasks::Config>::WeightInfo;
    type OfRewards = <Runtime as pallet_rewards::Config>::WeightInfo;
    let (all, seats) = (MAX_PARTICIPANTS, pallet_tasks::types::MAX_SEATS);
    vec![
        ("clock: advance", OfClock::on_poll()),
        ("clock: measure the block", OfClock::on_finalize()),
        ("tasks: look at the agenda", OfTasks::agenda_start()),
        ("tasks: next tick of the agenda", OfTasks::agenda_tick()),
        ("tasks: note a failed step", OfTasks::step_failed()),
        ("tasks: on to answer reveals", OfTasks::step_advance()),
        ("tasks: on to vote reveals", OfTasks::step_advance_votes()),
        ("tasks: expire", OfTasks::step_expire(all)),
        ("tasks: collect the answers", OfTasks::step_collect(all)),
        ("tasks: draw a panel", OfTasks::step_draw(MAX_CANDIDATES)),
        ("tasks: tally", OfTasks::step_tally(all)),
        (
            "tasks: close unresolved",
            OfTasks::step_unresolve(all, seats),
        ),
        ("tasks: settle", OfTasks::step_settle(all, seats)),
        ("tasks: prune", OfTasks::step_prune(all, seats)),
        ("rewards: look for expired ones", OfRewards::on_idle_base()),
        ("rewards: skip an empty tick", OfRewards::skip_tick()),
        ("rewards: pay an expired one", OfRewards::pay_expired()),
    ]
}

/// The names of all calls of the protocol's pallets.
fn all_calls() -> BTreeSet<String> {
    let of = |pallet: &str, calls: &[&str]| {
        calls
            .iter()
            .map(|call| format!("{pallet}.{call}"))
            .collect::<Vec<_>>()
    };
    [
        of("tasks", pallet_tasks::Call::<Runtime>::get_call_names()),
        of("miners", pallet_miners::Call::<Runtime>::get_call_names()),
        of(
            "reputation",
            pallet_reputation::Call::<Runtime>::get_call_names(),
        ),
        of("judges", pallet_judges::Call::<Runtime>::get_call_names()),
        of("rewards", pallet_rewards::Call::<Runtime>::get_call_names()),
        of("beacon", pallet_beacon::Call::<Runtime>::get_call_names()),
        of("storage", pallet_storage::Call::<Runtime>::get_call_names()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn row(table: &mut String, name: &str, weight: Weight, budget: Weight) {
    let fit = (budget.ref_time() / weight.ref_time().max(1))
        .min(budget.proof_size() / weight.proof_size().max(1));
    let micros = weight.ref_time() / 1_000_000;
    let kib = weight.proof_size().div_ceil(1_024);
    writeln!(table, "| {name} | {micros} | {kib} | {fit} |").unwrap();
}

/// The class a call has to be of, and the most it may cost.
fn rule(name: &str) -> (DispatchClass, Weight) {
    let limits = <Runtime as frame_system::Config>::BlockWeights::get();
    let normal = limits.get(DispatchClass::Normal);
    let one = normal.max_extrinsic.unwrap();
    match name {
        // It is charged for the heaviest step before it runs and refunded afterwards; it must fit,
        // or nobody could help a queue that is stuck behind such a step.
        "tasks.crank" => (DispatchClass::Normal, one),
        // It makes the mask of a whole unit for every word asked for; it must fit, or every honest
        // provider would lose its first challenge.
        "storage.respond_seal" => (DispatchClass::Normal, one),
        // It walks through a slot and may have to build a dataset first; it must fit, or a false
        // slot could not be undone.
        "beacon.dispute_slot" => (
            DispatchClass::Operational,
            limits
                .get(DispatchClass::Operational)
                .max_extrinsic
                .unwrap(),
        ),
        // It is in every block, whatever else is.
        "beacon.advance" => (
            DispatchClass::Mandatory,
            limits.max_block.div(ADVANCE_SHARE),
        ),
        _ => (
            DispatchClass::Normal,
            normal.max_total.unwrap().div(CALL_SHARE),
        ),
    }
}

/// The rows of all calls.
fn call_rows(table: &mut String) {
    let limits = <Runtime as frame_system::Config>::BlockWeights::get();
    let mut calls = calls();
    calls.extend(beacon::calls());
    calls.extend(storage::calls());
    let named: BTreeSet<_> = calls.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(named, all_calls());
    for (name, call) in calls {
        let info = call.get_dispatch_info();
        // The fee-free calls are charged for finding out whether they may run, too.
        let weight = info.call_weight.saturating_add(call.weight_of_authorize());
        let (class, limit) = rule(name);
        assert_eq!(info.class, class, "{name}");
        assert!(
            weight.all_lte(limit),
            "{name} takes {weight:?}, and may take {limit:?}",
        );
        let budget = limits.get(class).max_total.unwrap_or(limits.max_block);
        let base = limits.get(class).base_extrinsic;
        row(table, name, weight.saturating_add(base), budget);
    }
}

/// The rows of all steps of a queue that has so much of a block.
fn step_rows(table: &mut String, steps: Vec<(&'static str, Weight)>, work: Weight) {
    for (name, weight) in steps {
        assert!(
            weight.all_lte(work),
            "{name} takes {weight:?}; the queue has {work:?}"
        );
        row(table, name, weight, work);
    }
}

#[test]
fn no_call_takes_more_than_its_share_of_a_block_and_the_table_is_true() {
    let mut table = String::from("| call | µs | proof KiB | fit a block |\n|---|---:|---:|---:|\n");
    // Without a genesis, the configuration of storage is that of a real network; answering a seal
    // challenge costs what it says.
    sp_io::TestExternalities::default().execute_with(|| call_rows(&mut table));
    table.push_str(
        "\n| step of a hook | µs | proof KiB | fit the queue's share |\n|---|---:|---:|---:|\n",
    );
    let of_tasks = <Runtime as pallet_tasks::Config>::MaxWork::get();
    let of_storage = <Runtime as pallet_storage::Config>::MaxWork::get();
    step_rows(&mut table, steps(), of_tasks);
    step_rows(&mut table, beacon::steps(), of_storage);
    step_rows(&mut table, storage::steps(), of_storage);

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/weights.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (head, _) = page.split_once("| call |").unwrap();
    let fresh = format!("{head}{table}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        page, fresh,
        "docs/weights.md is out of date: run this test with UPDATE_DOCS=1"
    );
}

#[test]
fn the_shares_of_all_hooks_fit_a_block_together_with_the_slots_it_includes() {
    let block = <Runtime as frame_system::Config>::BlockWeights::get().max_block;
    let shares = <Runtime as pallet_tasks::Config>::MaxWork::get()
        .saturating_add(<Runtime as pallet_storage::Config>::MaxWork::get())
        .saturating_add(block.div(ADVANCE_SHARE));
    // A fifth is for all else before the transactions. With less than their shares, the hooks of one
    // pallet could hold up those of another.
    let most = block.div(5).saturating_mul(4);
    assert!(shares.all_lte(most), "{shares:?} of {most:?}");
}
