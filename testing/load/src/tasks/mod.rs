// SPDX-License-Identifier: Apache-2.0

//! Domain load: tasks of a TOS chain through their whole lives, many at a time. Publishers,
//! miners and judges are accounts of this program; what each does next follows from the
//! events of each block.

mod actors;
mod events;
mod runner;
mod set_up;

use crate::{
    args::Common,
    error::{Error, Result},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write};

pub use runner::run;

/// Take tasks of a TOS chain through their whole lives.
#[derive(Debug, clap::Args)]
pub struct Tasks {
    #[command(flatten)]
    pub common: Common,
    /// The number of tasks.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub tasks: u32,
    /// Tasks that are not closed at the same time, at most. Miners and judges are made for them.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub in_flight: u32,
    /// Answers to each task.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=8))]
    pub answers: u32,
    /// Ticks, of a block each, in which a task takes answers.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(3..=10_000))]
    pub open_for: u32,
    /// Seconds until all must be closed.
    #[arg(long, default_value_t = 1_200, value_parser = clap::value_parser!(u64).range(10..=86_400))]
    pub limit: u64,
}

/// Report on the tasks of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The chain's name, the node's version, and the runtime's name and version.
    pub chain: [String; 3],
    /// The numbers, under names that scripts read.
    pub numbers: Numbers,
    /// The number of tasks by the way in which they ended.
    pub closures: BTreeMap<String, u32>,
    /// Calls that came into blocks and failed there, by pallet and error.
    pub failures: BTreeMap<String, u32>,
    /// Calls that the pool refused for good, by what it said.
    pub refusals: BTreeMap<String, u32>,
    /// Problems: all that was not as it should be.
    pub problems: Vec<String>,
}

/// Numbers of a domain load.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Numbers {
    /// Tasks published.
    pub tasks: u32,
    /// Tasks that ended with judged answers.
    pub settled: u32,
    /// The most tasks that were not closed at once.
    pub most_open: u32,
    /// Answers revealed.
    pub answers: u32,
    /// Votes revealed.
    pub votes: u32,
    /// Calls that came into blocks and succeeded, as events show.
    pub calls: u32,
    /// Calls that failed in blocks.
    pub failed: u32,
    /// From the first publication to the last end, in seconds.
    pub seconds: f64,
    /// Calls a second.
    pub calls_per_second: f64,
    /// Tasks settled a second.
    pub settled_per_second: f64,
    /// Blocks meanwhile.
    pub blocks: u32,
}

impl Report {
    /// For people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let [chain, node, runtime] = &self.chain;
        let n = &self.numbers;
        // Writing to a string cannot fail.
        let _ = writeln!(out, "tasks on {chain} (runtime {runtime}, node {node})");
        let _ = writeln!(
            out,
            "  {} published, {} settled in {:.1} s and {} blocks; {:.2} settled a second, at most {} at once",
            n.tasks, n.settled, n.seconds, n.blocks, n.settled_per_second, n.most_open
        );
        let _ = writeln!(
            out,
            "  {} calls ({:.1} a second), {} of them failed; {} answers and {} votes revealed",
            n.calls, n.calls_per_second, n.failed, n.answers, n.votes
        );
        for (name, list) in [
            ("ended", &self.closures),
            ("failed", &self.failures),
            ("refused", &self.refusals),
        ] {
            for (what, count) in list {
                let _ = writeln!(out, "  {name:<8} {count} {what}");
            }
        }
        for problem in &self.problems {
            let _ = writeln!(out, "  PROBLEM  {problem}");
        }
        out
    }

    /// Fails if something is not as it should be.
    pub fn verdict(&self) -> Result<()> {
        match self.problems.is_empty() {
            true => Ok(()),
            false => Err(Error::Expectation(self.problems.join("; "))),
        }
    }
}
