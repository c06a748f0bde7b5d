// SPDX-License-Identifier: Apache-2.0

//! The report of a run, for people and for programs.

use crate::{
    engine::{Row, Run},
    error::Error,
    fund::Funded,
    ledger::State,
    pace::Pace,
    stats::{peak_block, peak_window, sustained, Percentiles, Rate},
};
use serde::Serialize;
use std::{fmt::Write, time::Duration};
use tos_sdk::any_chain::Hash;
use tos_types::json::to_hex;

/// The most blocks that are listed for people; JSON has all.
const LISTED: usize = 40;

/// Settings of a run.
pub struct Settings {
    /// The pace.
    pub pace: Pace,
    /// From how many accounts.
    pub accounts: usize,
    /// Over how many connections.
    pub connections: usize,
    /// Blocks for which transactions were good.
    pub mortality: Option<u64>,
    /// Time at the beginning that does not count.
    pub warm_up: Duration,
    /// For how long transactions were to be offered.
    pub offering: Option<Duration>,
}

/// Transactions that are not final, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fates {
    /// Accepted, and then in neither a block nor the pool, though nothing held them back.
    pub lost: usize,
    /// Accepted, but an earlier one of the account is in no block.
    pub blocked: usize,
    /// In the pool.
    pub pending: usize,
    /// In a block that is not final.
    pub not_final: usize,
    /// Without a final answer of the pool.
    pub unsettled: usize,
    /// Outdated when they came: another transaction had used their nonce.
    pub stale: usize,
}

/// Agreement of the chain's state with what was seen in blocks.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// Transfers that moved money, by what the receivers own.
    pub executed: u64,
    /// Senders whose nonce disagrees.
    pub wrong_nonces: usize,
    /// Receivers whose balance disagrees.
    pub wrong_balances: usize,
}

/// Refusals of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    /// The JSON-RPC error code.
    pub code: i32,
    /// Message of the node.
    pub message: String,
    /// Their number; one transaction may be refused several times.
    pub count: u64,
}

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latencies {
    /// From the first offer until a best block is known here.
    pub in_block: Percentiles,
    /// From the first offer until it is known here that it is final.
    #[serde(rename = "final")]
    pub is_final: Percentiles,
}

/// Final transfers a second; null where it could not be measured.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rates {
    /// From the end of the warm-up to the end of the offering, over whole blocks.
    pub sustained: Option<Rate>,
    /// The same over all blocks that hold any.
    pub overall: Option<Rate>,
    /// The most in one block.
    pub peak_block: Option<Rate>,
    /// The most in ten seconds or more.
    pub peak_ten_seconds: Option<Rate>,
}

impl Rates {
    /// Of a run with these settings.
    fn of(run: &Run, settings: &Settings) -> Self {
        let marks = run.marks();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let from = run.began_ms + millis(settings.warm_up);
        let to = run.began_ms + millis(run.offered_for);
        let last_block = run.rows.iter().rev().find(|row| row.ours > 0);
        let end = last_block.map(|row| row.made_ms);
        Self {
            sustained: settings.offering.and_then(|_| sustained(&marks, from, to)),
            overall: end.and_then(|end| sustained(&marks, run.began_ms, end)),
            peak_block: peak_block(&marks),
            peak_ten_seconds: peak_window(&marks, 10_000),
        }
    }
}

/// A report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The subcommand.
    pub command: &'static str,
    /// The chain's name, the node's version, and the runtime's name and version.
    pub chain: [String; 3],
    /// The hash of block 0.
    pub genesis: String,
    /// Pace at which transactions were offered.
    pub pace: String,
    /// Accounts that sent.
    pub accounts: usize,
    /// Connections that sent.
    pub connections: usize,
    /// Blocks for which transactions were good; null is for ever.
    pub mortality: Option<u64>,
    /// Result of the funding.
    pub funding: Funded,
    /// Time that signing took.
    pub signing_seconds: f64,
    /// Transactions signed.
    pub signed: usize,
    /// Transactions offered to the node.
    pub offered: usize,
    /// Transactions that the pool took, at whatever attempt.
    pub accepted: usize,
    /// Transactions that the pool refused at the first attempt.
    pub refused_first: usize,
    /// Transactions refused for good.
    pub refused: usize,
    /// Transactions that were not offered because an earlier one of the account was refused.
    pub skipped: usize,
    /// Refusals by code.
    pub refusals: Vec<Refused>,
    /// Requests without an answer.
    pub unanswered: u64,
    /// Transactions that the pool lost and that were offered again.
    pub evicted: usize,
    /// The most that the pool held at once, as far as is known here.
    pub most_pooled: usize,
    /// Transactions in blocks, final or not.
    pub included: usize,
    /// Transactions in final blocks.
    #[serde(rename = "final")]
    pub is_final: usize,
    /// The others.
    pub fates: Fates,
    /// Transactions that the node's pool holds at the end, of all senders.
    pub pool_left: usize,
    /// Blocks that left the best chain.
    pub retracted_blocks: usize,
    /// Time for which transactions were offered.
    pub offered_seconds: f64,
    /// Transactions offered a second meanwhile.
    pub offered_per_second: f64,
    /// `true` if signed transactions ran out before the time was up.
    pub exhausted: bool,
    /// Final transfers a second.
    #[serde(flatten)]
    pub rates: Rates,
    /// Latencies.
    pub latency_ms: Latencies,
    /// Time that the node took to answer `system_health` meanwhile, in microseconds.
    pub health_us: Percentiles,
    /// Health questions without an answer.
    pub health_failed: u32,
    /// Agreement of the chain's state.
    pub proof: Option<Proof>,
    /// Final blocks.
    pub blocks: Vec<Row>,
    /// The whole run.
    pub seconds: f64,
    /// Problems: all that was not as it should be.
    pub problems: Vec<String>,
    /// Reason for which it ended early.
    #[serde(skip)]
    pub trouble: Option<Error>,
}

impl Report {
    /// Of a run.
    pub fn new(
        command: &'static str,
        chain: [String; 3],
        genesis: Hash,
        settings: &Settings,
        mut run: Run,
        fates: Fates,
    ) -> Self {
        let rates = Rates::of(&run, settings);
        let offered = run.ledger.offered();
        let seconds = run.offered_for.as_secs_f64();
        let refusals = std::mem::take(&mut run.ledger.refusals);
        Self {
            command,
            chain,
            genesis: to_hex(&genesis),
            pace: match settings.pace {
                Pace::Rate(rate) => format!("{rate} a second"),
                Pace::Fill(level) => format!("max, {level} outside blocks"),
                Pace::AtOnce => "all at once".into(),
            },
            accounts: settings.accounts,
            connections: settings.connections,
            mortality: settings.mortality,
            funding: Funded::default(),
            signing_seconds: 0.0,
            signed: offered + run.ledger.count(State::Waiting) + run.ledger.count(State::Skipped),
            offered,
            accepted: run.ledger.accepted(),
            refused_first: run.ledger.refused_first,
            refused: run.ledger.count(State::Refused),
            skipped: run.ledger.count(State::Skipped),
            refusals: refusals
                .into_iter()
                .map(|(refusal, count)| Refused {
                    code: refusal.code,
                    message: refusal.message,
                    count,
                })
                .collect(),
            unanswered: run.ledger.unanswered,
            evicted: run.ledger.evicted,
            most_pooled: run.most_pooled,
            included: run.ledger.included(),
            is_final: run.ledger.count(State::Final),
            fates,
            pool_left: 0,
            retracted_blocks: run.retracted,
            offered_seconds: seconds,
            // All at once is no rate.
            offered_per_second: match settings.pace {
                Pace::AtOnce => 0.0,
                _ => offered as f64 / seconds.max(0.001),
            },
            exhausted: run.exhausted,
            rates,
            latency_ms: Latencies {
                in_block: Percentiles::of(&mut run.ledger.in_block_ms),
                is_final: Percentiles::of(&mut run.ledger.final_ms),
            },
            health_us: run.health_us,
            health_failed: run.health_failed,
            proof: None,
            blocks: run.rows,
            seconds: 0.0,
            problems: Vec::new(),
            trouble: run.trouble,
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let [chain, node, runtime] = &self.chain;
        writeln!(
            out,
            "{} on {chain} (runtime {runtime}, node {node})",
            self.command
        )?;
        writeln!(
            out,
            "{} from {} accounts over {} connections; {} signed in {:.1} s",
            self.pace, self.accounts, self.connections, self.signed, self.signing_seconds
        )?;
        let rate = |rate: Option<Rate>| match rate {
            Some(rate) => format!(
                "{:.1} a second ({} in {:.1} s)",
                rate.per_second,
                rate.transactions,
                rate.milliseconds as f64 / 1e3
            ),
            None => "not measured".into(),
        };
        let rows = [
            (
                "offered",
                format!(
                    "{} in {:.1} s, {:.1} a second",
                    self.offered, self.offered_seconds, self.offered_per_second
                ),
            ),
            (
                "accepted",
                format!(
                    "{}; refused at first {}, for good {}, not offered after that {}",
                    self.accepted, self.refused_first, self.refused, self.skipped
                ),
            ),
            (
                "in blocks",
                format!("{}, final {}", self.included, self.is_final),
            ),
            (
                "evicted",
                format!(
                    "{} and offered again; {} requests without an answer",
                    self.evicted, self.unanswered
                ),
            ),
            ("lost", self.fates.lost.to_string()),
            ("sustained", rate(self.rates.sustained)),
            ("overall", rate(self.rates.overall)),
            ("peak block", rate(self.rates.peak_block)),
            ("peak 10 s", rate(self.rates.peak_ten_seconds)),
            ("to block", latency(&self.latency_ms.in_block)),
            ("to finality", latency(&self.latency_ms.is_final)),
            (
                "health p99",
                format!(
                    "{:.1} ms, max {:.1} ms, {} without an answer",
                    f64::from(self.health_us.p99) / 1e3,
                    f64::from(self.health_us.max) / 1e3,
                    self.health_failed
                ),
            ),
            (
                "pool",
                format!(
                    "at most {} of these at once; {} left at the end",
                    self.most_pooled, self.pool_left
                ),
            ),
        ];
        for (name, value) in rows {
            writeln!(out, "  {name:<12} {value}")?;
        }
        for refused in &self.refusals {
            writeln!(
                out,
                "  refusal      {} times {}: {}",
                refused.count, refused.code, refused.message
            )?;
        }
        if let Some(proof) = &self.proof {
            writeln!(
                out,
                "  proof        {} transfers executed by balances; {} nonces and {} balances disagree",
                proof.executed, proof.wrong_nonces, proof.wrong_balances
            )?;
        }
        if self.exhausted {
            writeln!(
                out,
                "  note         signed transactions ran out; see --signed-per-second"
            )?;
        }
        let full: Vec<_> = self.blocks.iter().filter(|row| row.ours > 0).collect();
        let counts: Vec<_> = full
            .iter()
            .take(LISTED)
            .map(|row| row.ours.to_string())
            .collect();
        let more = if full.len() > LISTED { " …" } else { "" };
        writeln!(out, "  block by block: {}{more}", counts.join(" "))?;
        for problem in &self.problems {
            writeln!(out, "  PROBLEM      {problem}")?;
        }
        Ok(())
    }
}

fn latency(of: &Percentiles) -> String {
    format!(
        "p50 {} ms, p90 {}, p99 {}, max {}",
        of.p50, of.p90, of.p99, of.max
    )
}
