// SPDX-License-Identifier: Apache-2.0

//! Options of the commands.

use crate::{accounts::MAX_ACCOUNTS, pace::parse_rate};
use clap::Args;

/// Endpoints and accounts of a run.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// WebSocket endpoint of a node. Several may be given: the first is followed, and all get
    /// transactions in turn.
    #[arg(long, default_value = "ws://127.0.0.1:9944")]
    pub url: Vec<String>,
    /// The account that pays for everything: a path below the development phrase, a phrase, or a
    /// hexadecimal seed.
    #[arg(long, default_value = "//Alice")]
    pub rich: String,
    /// Accounts that send; as many others receive.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_ACCOUNTS)))]
    pub accounts: u32,
    /// Connections that send.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub connections: u16,
    /// Requests that may wait for their answer on each connection.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4_096))]
    pub depth: u16,
    /// Blocks for which transactions are good: a power of two from 4 to 65536. Without it they are
    /// good for ever.
    #[arg(long, value_parser = parse_mortality)]
    pub mortality: Option<u64>,
    /// Seconds to wait at the end while nothing more becomes final.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=7_200))]
    pub drain: u64,
    /// Amount of each transfer, in the smallest unit.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub amount: u64,
    /// Print the report as one line of JSON.
    #[arg(long)]
    pub json: bool,
}

/// Make accounts and give each what a run needs.
#[derive(Debug, Args)]
pub struct Fund {
    #[command(flatten)]
    pub common: Common,
    /// Transactions that each account shall be able to pay for.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub transactions: u32,
}

/// Sustained load.
#[derive(Debug, Args)]
pub struct Transfers {
    #[command(flatten)]
    pub common: Common,
    /// Transfers a second, whatever the node does; or 'max': as many as keep --in-flight of them
    /// outside blocks.
    #[arg(long, value_parser = parse_rate_arg)]
    pub rate: Rate,
    /// For how long, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Seconds at the beginning that do not count.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(0..=3_600))]
    pub warm_up: u64,
    /// With --rate max: transfers outside blocks. Keep it below what the node's pool holds.
    #[arg(long, default_value_t = 6_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub in_flight: u32,
    /// With --rate max: transfers signed in advance for each second. When they run out the report
    /// says so.
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub signed_per_second: u32,
}

/// Many at once.
#[derive(Debug, Args)]
pub struct Burst {
    #[command(flatten)]
    pub common: Common,
    /// Number of transfers.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub count: u32,
}

/// A rate, or as much as goes.
#[derive(Clone, Copy, Debug)]
pub struct Rate(pub Option<f64>);

fn parse_rate_arg(text: &str) -> Result<Rate, String> {
    parse_rate(text).map(Rate)
}

fn parse_mortality(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(blocks) if blocks.is_power_of_two() && (4..=65_536).contains(&blocks) => Ok(blocks),
        _ => Err("a power of two from 4 to 65536".into()),
    }
}
