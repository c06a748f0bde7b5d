// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use sc_cli::RunCmd;
use tos_node_logging::LogFormat;
use tos_node_rpc::MethodFilter;
use tos_node_service::{finality::FinalityOptions, StorageOptions};
use tos_node_txpool::Amount;

/// Arguments of a running node besides the SDK's.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct NodeArgs {
    /// Compute the slots of the beacon, on one core. A network needs three such nodes or more; on
    /// development networks every node does it.
    #[arg(long)]
    pub timekeeper: bool,

    /// Do not compute the slots of the beacon, even on a development network.
    #[arg(long, conflicts_with = "timekeeper")]
    pub no_timekeeper: bool,

    /// Prove the replicas in this store, which `tos storage init` made: answer audits and challenges, and
    /// hand in roots. The key that signs is the provider's proof key, an sr25519 key of type `tosp` in the
    /// keystore. The store must not be in use by `tos storage run` at the same time, which also accepts,
    /// seals and settles.
    #[arg(long, value_name = "DIR")]
    pub storage_provider: Option<PathBuf>,

    /// Serve the content and the proofs of `--storage-provider` on this address, as `tos storage run` does.
    /// Committees and clients need it.
    #[arg(long, value_name = "ADDRESS", requires = "storage_provider")]
    pub storage_serve: Option<SocketAddr>,
}

impl NodeArgs {
    /// Returns the storage that the node proves, if any.
    pub fn storage(&self) -> Option<StorageOptions> {
        let store = self.storage_provider.clone()?;
        Some(StorageOptions {
            store,
            serve: self.storage_serve,
        })
    }

    /// The operator's word about computing slots, if there is one.
    pub fn timekeeper(&self) -> Option<bool> {
        match (self.timekeeper, self.no_timekeeper) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

/// A TOS node. Without a subcommand it runs.
#[derive(Debug, clap::Parser)]
pub struct Cli {
    /// Command instead of running.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    /// Arguments of the SDK.
    #[command(flatten)]
    pub run: RunCmd,

    /// Arguments of the node besides the SDK's.
    #[command(flatten)]
    pub node: NodeArgs,

    /// Options of finality.
    #[command(flatten)]
    pub finality: FinalityOptions,

    /// Filter of the RPC methods.
    #[command(flatten)]
    pub rpc_filter: MethodFilter,

    /// Format of the log: text for people, or one JSON object per line.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// Transactions and bytes that the pool has room for, from `--pool-limit` and `--pool-kbytes`.
    #[arg(skip)]
    pub pool_room: Amount,
}

/// Commands of the node besides running.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant)]
pub enum Subcommand {
    /// Generate, inspect and insert keys.
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),

    /// Sign a message with a key.
    Sign(sc_cli::SignCmd),

    /// Verify a signature.
    Verify(sc_cli::VerifyCmd),

    /// Write a chain specification.
    ExportChainSpec(sc_cli::ExportChainSpecCmd),

    /// Write a chain specification; kept for scripts that know this name.
    BuildSpec(sc_cli::BuildSpecCmd),

    /// Execute a block again and say whether it is valid.
    CheckBlock(sc_cli::CheckBlockCmd),

    /// Write blocks to a file.
    ExportBlocks(sc_cli::ExportBlocksCmd),

    /// Write the state at a block as a chain specification.
    ExportState(sc_cli::ExportStateCmd),

    /// Read blocks from a file.
    ImportBlocks(sc_cli::ImportBlocksCmd),

    /// Delete the database of a chain.
    PurgeChain(sc_cli::PurgeChainCmd),

    /// Go back some blocks, not past the last finalised one.
    Revert(sc_cli::RevertCmd),

    /// Say what the database holds.
    ChainInfo(sc_cli::ChainInfoCmd),

    /// Measure the runtime and this machine.
    #[cfg(feature = "runtime-benchmarks")]
    #[command(subcommand)]
    Benchmark(polkadot_sdk::frame_benchmarking_cli::BenchmarkCmd),
}
