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
    traits::{Authorize, GetCallMetadata},
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

/// The account that calls are about.
fn who() -> AccountId {
    AccountId::new([1; 32])
}

/// All task types that are built in.
fn types<T: TryFrom<Vec<TaskType>, Error: std::fmt::Debug>>() -> T {
    TaskType::BUILT_IN.to_vec().try_into().unwrap()
}

/// Every call of the pallets for tasks, in its worst case.
fn calls() -> Vec<RuntimeCall> {
    let mut calls = Vec::new();
    calls.extend(of_tasks().map(RuntimeCall::from));
    calls.extend(of_miners().map(RuntimeCall::from));
    calls.extend(of_reputation().map(RuntimeCall::from));
    calls.extend(of_judges().map(RuntimeCall::from));
    calls.extend(of_rewards().map(RuntimeCall::from));
    calls
}

fn of_tasks() -> [pallet_tasks::Call<Runtime>; 8] {
    use pallet_tasks::Call;
    let task = TaskId::default();
    let content = || ContentRef::inline(&[7; 2_048]).unwrap();
    let params = TaskParams::General {
        subject: vec![7; 64].try_into().unwrap(),
    };
    [
        Call::publish {
            params,
            difficulty: Difficulty::Expert,
            spec: content(),
            reward: 1,
            open_for: 1,
            min_quality: 1,
            max_participants: MAX_PARTICIPANTS,
            reference: Some([1; 32]),
        },
        Call::cancel { task },
        Call::join { task },
        Call::commit {
            task,
            commitment: [0; 32],
        },
        Call::reveal {
            task,
            content: content(),
            simhash: 0,
            salt: [0; 32],
        },
        Call::challenge { task },
        Call::crank { task },
        Call::set_task_type {
            task_type: TaskType::General,
            profile: None,
        },
    ]
}

fn of_miners() -> [pallet_miners::Call<Runtime>; 16] {
    use pallet_miners::Call;
    [
        Call::register {
            specialisations: types(),
        },
        Call::set_specialisations {
            specialisations: types(),
        },
        Call::leave {},
        Call::withdraw {},
        Call::rejoin {},
        Call::reactivate {},
        Call::set_owner { owner: Some(who()) },
        Call::endorse { who: who() },
        Call::retract_endorsement {
            endorser: who(),
            who: who(),
        },
        Call::review_level { who: who() },
        Call::declare_relation { other: who() },
        Call::retract_relation { other: who() },
        Call::certify {
            who: who(),
            level: tos_types::task::Certification::Expert,
            expires: 1,
        },
        Call::revoke_certificate { who: who() },
        Call::suspend {
            who: who(),
            duration: 1,
        },
        Call::lift_suspension { who: who() },
    ]
}

fn of_reputation() -> [pallet_reputation::Call<Runtime>; 1] {
    use pallet_reputation::Call;
    [Call::penalise {
        who: who(),
        task_type: TaskType::General,
        severity: tos_types::offence::Severity::Critical,
    }]
}

fn of_judges() -> [pallet_judges::Call<Runtime>; 10] {
    use pallet_judges::Call;
    let task = TaskId::default();
    let scores = vec![AnswerScore::default(); MAX_PARTICIPANTS as usize];
    [
        Call::register { types: types() },
        Call::set_types { types: types() },
        Call::top_up {},
        Call::leave {},
        Call::rejoin {},
        Call::withdraw {},
        Call::commit_vote {
            task,
            commitment: [0; 32],
        },
        Call::reveal_vote {
            task,
            scores: scores.try_into().unwrap(),
            report: None,
            salt: [0; 32],
        },
        Call::set_control_author {
            who: who(),
            approved: true,
        },
        Call::reveal_control {
            task,
            quality: 90,
            secret: [0; 32],
        },
    ]
}

fn of_rewards() -> [pallet_rewards::Call<Runtime>; 7] {
    use pallet_rewards::Call;
    let task = TaskId::default();
    [
        Call::claim { task },
        Call::claim_all {},
        Call::set_auto_claim { enabled: true },
        Call::claim_for { owner: who(), task },
        Call::claim_all_for { owner: who() },
        Call::set_profile {
            task_type: TaskType::General,
            difficulty: Difficulty::Expert,
            profile: None,
        },
        Call::set_winner_rule {
            task_type: TaskType::General,
            rule: None,
        },
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

/// The name of a call as the table has it.
fn named(pallet: &str, call: &str) -> String {
    format!("{}.{call}", pallet.to_lowercase())
}

/// The names of all calls of the protocol's pallets.
fn all_calls() -> BTreeSet<String> {
    let pallets = [
        "Tasks",
        "Miners",
        "Reputation",
        "Judges",
        "Rewards",
        "Beacon",
        "Storage",
    ];
    let of = |pallet: &'static str| {
        let calls = RuntimeCall::get_call_names(pallet).iter();
        calls.map(move |call| named(pallet, call))
    };
    pallets.into_iter().flat_map(of).collect()
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
    let name = |call: &RuntimeCall| {
        let call = call.get_call_metadata();
        named(call.pallet_name, call.function_name)
    };
    let names: BTreeSet<_> = calls.iter().map(name).collect();
    assert_eq!(names, all_calls());
    for call in calls {
        let name = name(&call);
        let info = call.get_dispatch_info();
        // The fee-free calls are charged for finding out whether they may run, too.
        let weight = info.call_weight.saturating_add(call.weight_of_authorize());
        let (class, limit) = rule(&name);
        assert_eq!(info.class, class, "{name}");
        assert!(
            weight.all_lte(limit),
            "{name} takes {weight:?}, and may take {limit:?}",
        );
        let budget = limits.get(class).max_total.unwrap_or(limits.max_block);
        let base = limits.get(class).base_extrinsic;
        row(table, &name, weight.saturating_add(base), budget);
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
