// SPDX-License-Identifier: Apache-2.0

//! Whole lifecycles of tasks on the real runtime, from publication to claims: the native time of
//! each call and each step, and how many lifecycles fit a block by their weights.
//!
//! `scripts/bench performance` runs it and `docs/performance.md` reports what it prints.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../tests/world/mod.rs"]
mod world;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use codec::Encode;
use polkadot_sdk::*;

use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    weights::Weight,
};
use pallet_tasks::WeightInfo as _;
use tos_interfaces::Clock as _;
use tos_runtime::*;
use tos_types::{
    commitment, params::MAX_CANDIDATES, AnswerScore, Closure, ContentRef, Difficulty, Phase,
    PhaseLengths, TaskId, TaskParams, TaskType, Verdict, TOS,
};
use world::{account, dispatch, genesis, next_block};

/// Lifecycles of each kind that are timed.
const LIFECYCLES: u64 = 40;
const MINERS: u8 = 32;
const JUDGES: u8 = 64;
const SALT: [u8; 32] = [7; 32];
/// The bytes that a transaction carries besides its call: length, version, address, signature, era,
/// nonce, tip and mode.
const ENVELOPE: u64 = 112;

/// A kind of task. All are for beginners, so that new miners may take them; three judge.
struct Kind {
    name: &'static str,
    miners: u8,
    /// Bytes of the specification and of each answer, all of them inline.
    content: usize,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "3 answers of 256 bytes",
        miners: 3,
        content: 256,
    },
    Kind {
        name: "10 answers of 1 KiB",
        miners: 10,
        content: 1_024,
    },
    Kind {
        name: "32 answers of 2 KiB",
        miners: MINERS,
        content: 2_048,
    },
];

/// The demand of a lifecycle on blocks.
#[derive(Default)]
struct Demand {
    /// Of the transactions, with what every transaction weighs.
    calls: Weight,
    /// Number of transactions.
    count: u64,
    /// Bytes of the transactions.
    bytes: u64,
    /// Of the steps of the queue.
    steps: Weight,
}

/// Times and demands of the lifecycles of one kind.
#[derive(Default)]
struct Measured {
    times: BTreeMap<&'static str, Vec<Duration>>,
    /// Blocks in which nothing was due.
    empty: Vec<Duration>,
    demand: Demand,
}

impl Measured {
    /// Dispatches a call that must succeed.
    fn call(&mut self, name: &'static str, who: &AccountId, call: impl Into<RuntimeCall>) {
        let call = call.into();
        let limits = <Runtime as frame_system::Config>::BlockWeights::get();
        let base = limits.get(DispatchClass::Normal).base_extrinsic;
        self.demand.calls += call.get_dispatch_info().call_weight.saturating_add(base);
        self.demand.count += 1;
        self.demand.bytes += call.encoded_size() as u64 + ENVELOPE;
        let start = Instant::now();
        let outcome = dispatch(who, call);
        self.times.entry(name).or_default().push(start.elapsed());
        outcome.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }

    /// Lets blocks pass until the task is in another phase; notes how long the step took.
    fn step(&mut self, id: TaskId, seed: &mut u64) {
        let phase = phase(id);
        let miners = pallet_tasks::Participants::<Runtime>::get(id).len() as u32;
        let (seats, candidates) = pallet_tasks::Tasks::<Runtime>::get(id).map_or((0, 0), |task| {
            let pool = pallet_judges::PoolSize::<Runtime>::get(task.task_type());
            (task.seats(), pool.min(MAX_CANDIDATES))
        });
        type Weights = <Runtime as pallet_tasks::Config>::WeightInfo;
        let (name, weight) = match phase {
            Some(Phase::Open) => ("step: to reveals", Weights::step_advance()),
            Some(Phase::AnswerReveal) => ("step: collect", Weights::step_collect(miners)),
            Some(Phase::PanelDraw) => ("step: draw", Weights::step_draw(candidates)),
            Some(Phase::VoteCommit) => ("step: to vote reveals", Weights::step_advance_votes()),
            Some(Phase::VoteReveal) => ("step: tally", Weights::step_tally(miners)),
            Some(Phase::Challenge) => ("step: settle", Weights::step_settle(miners, seats)),
            _ => ("step: prune", Weights::step_prune(miners, seats)),
        };
        self.demand.steps += weight.saturating_add(Weights::agenda_tick());
        for _ in 0..PhaseLengths::development().retention * 2 {
            *seed += 1;
            let start = Instant::now();
            next_block(*seed);
            let took = start.elapsed();
            if self::phase(id) != phase {
                self.times.entry(name).or_default().push(took);
                return;
            }
            self.empty.push(took);
        }
        panic!("the task is stuck in {phase:?}");
    }
}

fn phase(id: TaskId) -> Option<Phase> {
    pallet_tasks::Tasks::<Runtime>::get(id).map(|task| task.phase)
}

fn miner(index: u8) -> AccountId {
    account(2 + index)
}

fn judge(index: u8) -> AccountId {
    account(2 + MINERS + index)
}

fn content(seed: u64, size: usize) -> ContentRef {
    let bytes: Vec<u8> = sp_io::hashing::blake2_256(&seed.encode())
        .into_iter()
        .cycle()
        .take(size)
        .collect();
    ContentRef::inline(&bytes).expect("short enough to be inline")
}

/// All accounts register for everything.
fn prepare() {
    for index in 0..MINERS {
        let specialisations = TaskType::BUILT_IN.to_vec().try_into().unwrap();
        let call = pallet_miners::Call::register { specialisations };
        dispatch(&miner(index), call).expect("a funded account can register");
    }
    for index in 0..JUDGES {
        let types = TaskType::BUILT_IN.to_vec().try_into().unwrap();
        let call = pallet_judges::Call::register { types };
        dispatch(&judge(index), call).expect("a funded account can register");
    }
}

/// One task from publication until its records are gone.
fn live(kind: &Kind, measured: &mut Measured, seed: &mut u64) {
    let publisher = account(1);
    let number = pallet_tasks::Nonces::<Runtime>::get(&publisher);
    let id = TaskId::derive(&publisher, number);
    let phase_lengths = Clock::phase_lengths();
    let subject = b"benchmark".to_vec().try_into().unwrap();
    measured.call(
        "publish",
        &publisher,
        pallet_tasks::Call::publish {
            params: TaskParams::General { subject },
            difficulty: Difficulty::Beginner,
            spec: content(u64::MAX - *seed, kind.content),
            reward: 15 * TOS,
            open_for: phase_lengths.min_open,
            min_quality: 50,
            max_participants: kind.miners.into(),
            reference: None,
        },
    );
    let miners: Vec<AccountId> = (0..kind.miners).map(miner).collect();
    // Hashes stand for fingerprints: no two are near.
    let answers: Vec<(ContentRef, u64)> = (0..u64::from(kind.miners))
        .map(|index| {
            let answer = content((*seed << 8) + index, kind.content);
            let simhash = u64::from_le_bytes(answer.hash[..8].try_into().unwrap());
            (answer, simhash)
        })
        .collect();
    for who in &miners {
        measured.call("join", who, pallet_tasks::Call::join { task: id });
    }
    for (who, (answer, simhash)) in miners.iter().zip(&answers) {
        let commitment = commitment::answer(&id, who, &answer.hash, *simhash, &SALT);
        let call = pallet_tasks::Call::commit {
            task: id,
            commitment,
        };
        measured.call("commit", who, call);
    }
    measured.step(id, seed);
    for (who, (answer, simhash)) in miners.iter().zip(answers) {
        let call = pallet_tasks::Call::reveal {
            task: id,
            content: answer,
            simhash,
            salt: SALT,
        };
        measured.call("reveal", who, call);
    }
    measured.step(id, seed);
    measured.step(id, seed);

    let round = pallet_judges::Rounds::<Runtime>::get(id, 0).expect("a panel sits");
    let panel: Vec<AccountId> = round.members.into_iter().map(|member| member.who).collect();
    let scores: Vec<AnswerScore> = (0..kind.miners)
        .map(|index| AnswerScore {
            quality: 60 + index,
            innovation: 50,
            verdict: Verdict::Valid,
        })
        .collect();
    for who in &panel {
        let commitment = commitment::vote(&id, 0, who, &scores, None, &SALT);
        let call = pallet_judges::Call::commit_vote {
            task: id,
            commitment,
        };
        measured.call("commit_vote", who, call);
    }
    measured.step(id, seed);
    for who in &panel {
        let call = pallet_judges::Call::reveal_vote {
            task: id,
            scores: scores.clone().try_into().unwrap(),
            report: None,
            salt: SALT,
        };
        measured.call("reveal_vote", who, call);
    }
    measured.step(id, seed);
    measured.step(id, seed);
    assert_eq!(phase(id), Some(Phase::Closed(Closure::Settled)));

    for who in miners.iter().chain(&panel) {
        assert!(pallet_rewards::Claims::<Runtime>::contains_key(who, id));
        measured.call("claim", who, pallet_rewards::Call::claim { task: id });
    }
    measured.step(id, seed);
    assert_eq!(phase(id), None);
}

fn micros(duration: Duration) -> u128 {
    duration.as_micros()
}

fn quantile(times: &[Duration], per_cent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[(sorted.len() - 1) * per_cent / 100]
}

/// The number of lifecycles that fit a block, and what stops more: while other transactions fill
/// the block, so that the queue has only its own share, and when nothing else wants the block.
fn throughput(demand: &Demand) -> [(f64, &'static str); 2] {
    let limits = <Runtime as frame_system::Config>::BlockWeights::get();
    let calls = limits.get(DispatchClass::Normal).max_total.unwrap();
    let queue = <Runtime as pallet_tasks::Config>::MaxWork::get();
    let all = limits.max_block.saturating_sub(limits.base_block);
    let length = <Runtime as frame_system::Config>::BlockLength::get();
    let bytes = u64::from(*length.max.get(DispatchClass::Normal));
    let both = demand.calls.saturating_add(demand.steps);
    let ratio = |budget: u64, need: u64| budget as f64 / need.max(1) as f64;
    let least = |bounds: &[(f64, &'static str)]| {
        let least = bounds.iter().min_by(|a, b| a.0.total_cmp(&b.0));
        *least.expect("there are bounds")
    };
    let transactions = [
        (
            ratio(calls.ref_time(), demand.calls.ref_time()),
            "time of the transactions",
        ),
        (
            ratio(calls.proof_size(), demand.calls.proof_size()),
            "proof of the transactions",
        ),
        (ratio(bytes, demand.bytes), "bytes of the transactions"),
    ];
    let steps = |budget: Weight, need: Weight| {
        [
            (
                ratio(budget.ref_time(), need.ref_time()),
                "time of the steps",
            ),
            (
                ratio(budget.proof_size(), need.proof_size()),
                "proof of the steps",
            ),
        ]
    };
    [
        least(&[&transactions[..], &steps(queue, demand.steps)[..]].concat()),
        least(&[&transactions[..], &steps(all, both)[..]].concat()),
    ]
}

fn main() {
    let mut rows = String::new();
    let mut tables = String::new();
    for kind in &KINDS {
        let phase_lengths = PhaseLengths {
            retention: 20,
            ..PhaseLengths::development()
        };
        let mut ext = genesis(1 + MINERS + JUDGES, JUDGES, phase_lengths);
        ext.execute_with(prepare);
        ext.commit_all().expect("the backend is in memory");
        let mut measured = Measured::default();
        let mut seed = 0;
        // The first is not counted: it warms up.
        ext.execute_with(|| live(kind, &mut Measured::default(), &mut seed));
        let start = Instant::now();
        for _ in 0..LIFECYCLES {
            ext.commit_all().expect("the backend is in memory");
            ext.execute_with(|| live(kind, &mut measured, &mut seed));
        }
        let total = start.elapsed();

        let demand = Demand {
            calls: measured.demand.calls / LIFECYCLES,
            count: measured.demand.count / LIFECYCLES,
            bytes: measured.demand.bytes / LIFECYCLES,
            steps: measured.demand.steps / LIFECYCLES,
        };
        let [(busy, limit), (alone, _)] = throughput(&demand);
        rows += &format!(
            "| {} | {} | {:.1} | {:.1} | {:.0} | {:.2} | {limit} | {:.2} | {:.1} |\n",
            kind.name,
            demand.count,
            demand.calls.ref_time() as f64 / 1e9,
            demand.steps.ref_time() as f64 / 1e9,
            demand.bytes as f64 / 1024.0,
            busy,
            alone,
            total.as_secs_f64() * 1e3 / LIFECYCLES as f64,
        );
        tables += &format!(
            "\n{}:\n\n| what | times | median µs | 95 % µs |\n|---|---:|---:|---:|\n",
            kind.name
        );
        measured
            .times
            .insert("a block in which nothing is due", measured.empty);
        for (name, times) in &measured.times {
            tables += &format!(
                "| {name} | {} | {} | {} |\n",
                times.len(),
                micros(quantile(times, 50)),
                micros(quantile(times, 95)),
            );
        }
    }
    println!(
        "| task | transactions | weight of them, ms | weight of the steps, ms | KiB | settled per busy block | limited by | per block of its own | native ms in all |\n\
         |---|---:|---:|---:|---:|---:|---|---:|---:|\n{rows}{tables}"
    );
}
