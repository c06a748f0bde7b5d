// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Runs the command that the command line asks for.

use crate::{
    cli::{Cli, Subcommand},
    failure, interrupt,
};
use polkadot_sdk::*;
use std::future::Future;

use clap::{CommandFactory, FromArgMatches};
use sc_cli::{CliConfiguration, OffchainWorkerEnabled, Runner, Signals, SubstrateCli};
use sc_network::config::NetworkBackendType;
use sc_service::{Configuration, TaskManager};
use tos_node_logging::{LogFilter, LogFormat};
use tos_node_service::{self as service, chain_spec, NamedPorts, NodeComponents, NodeOptions};
use tos_node_txpool::{inner_limit, Amount};
use tos_runtime::opaque::Block;

/// Transactions that the pool keeps unless the operator says otherwise.
const POOL_TRANSACTIONS: &str = "10000";
/// Size of the pool, in kilobytes, unless the operator says otherwise: ten for each transaction. With all reserves and with those
/// that wait for others it takes three and a half times as much.
const POOL_KILOBYTES: &str = "102400";
/// Seconds for which the pool does not take a transaction back that it threw out, unless the operator says otherwise; bans end
/// with a block. Offering it meanwhile makes the ban begin anew, so that it has to be shorter than senders wait: with the
/// SDK's half an hour, or with ten seconds, those that try again keep themselves out for ever.
const POOL_BAN_SECONDS: u64 = 1;

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "TOS Node".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
    }

    fn description() -> String {
        env!("CARGO_PKG_DESCRIPTION").into()
    }

    fn author() -> String {
        env!("CARGO_PKG_AUTHORS").into()
    }

    fn support_url() -> String {
        "the repository this node was built from".into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
        chain_spec::load(id)
    }
}

/// The SDK's name for `--offchain-worker`, which does nothing: the node runs no off-chain workers.
const OFFCHAIN_WORKER: &str = "enabled";

/// The command line with our defaults in place of the SDK's, and without help on what does nothing here.
fn parser() -> clap::Command {
    Cli::setup_command(Cli::command())
        .mut_arg("pool_limit", |arg| arg.default_value(POOL_TRANSACTIONS))
        .mut_arg("pool_kbytes", |arg| arg.default_value(POOL_KILOBYTES))
        .mut_arg(OFFCHAIN_WORKER, |arg| arg.hide(true))
}

/// The command line, with what one option makes of others.
fn read(matches: &clap::ArgMatches) -> Result<Cli, clap::Error> {
    let mut cli = Cli::from_arg_matches(matches)?;
    let limits = &mut cli.run.pool_config;
    cli.pool_room = Amount {
        count: limits.pool_limit,
        bytes: limits.pool_kbytes.saturating_mul(1_024),
    };
    limits.pool_limit = inner_limit(limits.pool_limit);
    limits.pool_kbytes = inner_limit(limits.pool_kbytes);
    limits.tx_ban_seconds = limits.tx_ban_seconds.or(Some(POOL_BAN_SECONDS));
    Ok(cli)
}

/// Parse the command line and do what it says.
pub fn run() -> sc_cli::Result<()> {
    let cli = read(&parser().get_matches()).unwrap_or_else(|error| error.exit());
    match &cli.subcommand {
        None => run_node(&cli),
        Some(subcommand) => run_subcommand(&cli, subcommand),
    }
}

/// Runner of the node that `cli` describes, with its log set up, and handle on the filter of a
/// log that is not the SDK's.
fn runner(cli: &Cli) -> sc_cli::Result<(Runner<Cli>, Option<LogFilter>)> {
    match cli.log_format {
        LogFormat::Text => Ok((cli.create_runner(&cli.run)?, None)),
        LogFormat::Json => json_runner(cli),
    }
}

/// Runner as of [`SubstrateCli::create_runner`], but for the logger.
fn json_runner(cli: &Cli) -> sc_cli::Result<(Runner<Cli>, Option<LogFilter>)> {
    let runtime = sc_cli::build_runtime()?;
    let signals = runtime.block_on(async { Signals::capture() })?;
    let config = cli
        .run
        .create_configuration(cli, runtime.handle().clone())?;
    sp_panic_handler::set(&Cli::support_url(), &Cli::impl_version());
    let log_filter = tos_node_logging::start(&cli.run)?;
    // The database keeps many files open.
    if let Err(error) = fdlimit::raise_fd_limit() {
        log::warn!("the limit of open files cannot be raised: {error}");
    }
    Ok((Runner::new(config, runtime, signals)?, log_filter))
}

/// `true` if the operator wants off-chain workers.
fn asks_for_offchain_workers(cli: &Cli) -> bool {
    let asked = &cli.run.offchain_worker_params.enabled;
    matches!(asked, OffchainWorkerEnabled::Always)
}

/// The ports that the command line names.
fn named_ports(cli: &Cli) -> NamedPorts {
    let (run, network) = (&cli.run, &cli.run.network_params);
    NamedPorts {
        rpc: run.rpc_params.rpc_port.is_some(),
        prometheus: run.prometheus_params.prometheus_port.is_some(),
        p2p: network.port.is_some() || !network.listen_addr.is_empty(),
    }
}

fn run_node(cli: &Cli) -> sc_cli::Result<()> {
    let (runner, log_filter) = runner(cli)?;
    if asks_for_offchain_workers(cli) {
        log::warn!("--offchain-worker does nothing: this node runs no off-chain workers");
    }
    let chain = cli.run.chain_id(cli.run.is_dev()?)?;
    let options = NodeOptions {
        genesis: chain_spec::known_patch(&chain),
        timekeeper: cli.node.timekeeper(),
        storage: cli.node.storage(),
        ports: named_ports(cli),
        finality: cli.finality.clone(),
        rpc_filter: cli.rpc_filter.clone(),
        pool_room: cli.pool_room,
        log_filter,
    };
    let start = |config: Configuration| {
        match config.network.network_backend {
            NetworkBackendType::Libp2p => {
                service::new_full::<sc_network::NetworkWorker<_, _>>(config, options)
            }
            NetworkBackendType::Litep2p => {
                service::new_full::<sc_network::Litep2pNetworkBackend>(config, options)
            }
        }
        .map_err(sc_cli::Error::Service)
    };
    let outcome =
        runner.run_node_until_exit(|config| async move { interrupt::answered(config, start) });
    match (outcome, cli.log_format) {
        // The last line is a line of the log, too.
        (Err(error), LogFormat::Json) => {
            log::error!("{}", failure::line(&error));
            std::process::exit(1)
        }
        (outcome, _) => outcome,
    }
}

/// Runs the job of a subcommand that needs the chain's database, with the components of its node.
fn run_on_chain<F: Future<Output = sc_cli::Result<()>>>(
    cli: &Cli,
    cmd: &impl CliConfiguration,
    job: impl FnOnce(NodeComponents, Configuration) -> (F, TaskManager),
) -> sc_cli::Result<()> {
    cli.create_runner(cmd)?.async_run(|config| {
        let node = service::new_partial(&config)?;
        Ok(job(node, config))
    })
}

fn run_subcommand(cli: &Cli, subcommand: &Subcommand) -> sc_cli::Result<()> {
    match subcommand {
        Subcommand::Key(cmd) => cmd.run(cli),
        Subcommand::Sign(cmd) => cmd.run(),
        Subcommand::Verify(cmd) => cmd.run(),
        Subcommand::ExportChainSpec(cmd) => cmd.run(cli.load_spec(&cmd.chain)?),
        #[allow(deprecated)]
        Subcommand::BuildSpec(cmd) => cli
            .create_runner(cmd)?
            .sync_run(|config| cmd.run(config.chain_spec, config.network)),
        Subcommand::CheckBlock(cmd) => run_on_chain(cli, cmd, |node, _| {
            (cmd.run(node.client, node.import_queue), node.task_manager)
        }),
        Subcommand::ExportBlocks(cmd) => run_on_chain(cli, cmd, |node, config| {
            (cmd.run(node.client, config.database), node.task_manager)
        }),
        Subcommand::ExportState(cmd) => run_on_chain(cli, cmd, |node, config| {
            (cmd.run(node.client, config.chain_spec), node.task_manager)
        }),
        Subcommand::ImportBlocks(cmd) => run_on_chain(cli, cmd, |node, _| {
            (cmd.run(node.client, node.import_queue), node.task_manager)
        }),
        Subcommand::PurgeChain(cmd) => cli
            .create_runner(cmd)?
            .sync_run(|config| cmd.run(config.database)),
        Subcommand::Revert(cmd) => run_on_chain(cli, cmd, |node, _| {
            // Consensus keeps data of its own about the blocks that go.
            let before = Box::new(|client: std::sync::Arc<_>, backend, blocks| {
                sc_consensus_babe::revert(std::sync::Arc::clone(&client), backend, blocks)?;
                sc_consensus_grandpa::revert(client, blocks)?;
                Ok(())
            });
            let job = cmd.run(node.client, node.backend, Some(before));
            (job, node.task_manager)
        }),
        Subcommand::ChainInfo(cmd) => cli
            .create_runner(cmd)?
            .sync_run(|config| cmd.run::<Block>(&config)),
        #[cfg(feature = "runtime-benchmarks")]
        Subcommand::Benchmark(cmd) => crate::benchmarking::run(cli, cmd),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Cli {
        let matches = parser()
            .try_get_matches_from(args)
            .expect("valid arguments");
        read(&matches).expect("valid arguments")
    }

    #[test]
    fn the_command_line_is_consistent() {
        parser().debug_assert();
    }

    #[test]
    fn the_pool_has_our_limits_and_the_operator_can_change_them() {
        let ours = parse(&["tos-node"]);
        let room = |count, bytes| Amount { count, bytes };
        assert_eq!(ours.pool_room, room(10_000, 100 * 1_024 * 1_024));
        assert_eq!(ours.run.pool_config.pool_limit, 100_000);
        assert_eq!(ours.run.pool_config.tx_ban_seconds, Some(1));
        assert_eq!(ours.run.pool_config.pool_kbytes, 1_000 * 1_024);
        let theirs = parse(&["tos-node", "--pool-limit", "7", "--pool-kbytes", "8"]);
        assert_eq!(theirs.pool_room, room(7, 8 * 1_024));
        assert_eq!(theirs.run.pool_config.pool_limit, 70);
        assert_eq!(theirs.run.pool_config.pool_kbytes, 80);
    }

    #[test]
    fn off_chain_workers_are_not_offered_and_asking_for_them_is_told() {
        let help = parser().render_long_help().to_string();
        assert!(help.contains("--rpc-port") && !help.contains("--offchain-worker"));
        let told = |args: &[&str]| {
            let cli = parse(&[&["tos-node"], args].concat());
            asks_for_offchain_workers(&cli)
        };
        assert!(!told(&[]) && !told(&["--offchain-worker", "never"]));
        assert!(told(&["--offchain-worker", "always"]));
    }

    #[test]
    fn ports_are_the_operators_choice_if_an_option_names_them() {
        let named = |args: &[&str]| named_ports(&parse(&[&["tos-node"], args].concat()));
        assert_eq!(named(&[]), NamedPorts::default());
        let all = NamedPorts {
            rpc: true,
            prometheus: true,
            p2p: true,
        };
        let ports = ["--rpc-port", "1", "--prometheus-port", "2", "--port", "3"];
        assert_eq!(named(&ports), all);
        assert!(named(&["--listen-addr", "/ip4/127.0.0.1/tcp/3"]).p2p);
    }

    #[test]
    fn the_gossip_time_is_the_operators_within_bounds() {
        let ours = parse(&["tos-node"]);
        assert_eq!(ours.finality.grandpa_gossip_ms, None);
        let theirs = parse(&["tos-node", "--grandpa-gossip-ms", "80"]);
        assert_eq!(theirs.finality.grandpa_gossip_ms, Some(80));
        for wrong in ["0", "9", "10001", "fast"] {
            let args = ["tos-node", "--grandpa-gossip-ms", wrong];
            assert!(parser().try_get_matches_from(args).is_err(), "{wrong}");
        }
    }

    #[test]
    fn storage_is_served_only_where_it_is_proven() {
        let storage = |args: &[&str]| parse(&[&["tos-node"], args].concat()).node.storage();
        assert!(storage(&[]).is_none());
        let proven = storage(&["--storage-provider", "dir"]);
        assert!(proven.is_some_and(|storage| storage.serve.is_none()));
        let served = storage(&[
            "--storage-provider",
            "dir",
            "--storage-serve",
            "0.0.0.0:9956",
        ]);
        let address = served.and_then(|storage| storage.serve);
        assert_eq!(address, Some(([0, 0, 0, 0], 9956).into()));
        let alone = ["tos-node", "--storage-serve", "0.0.0.0:9956"];
        assert!(parser().try_get_matches_from(alone).is_err());
    }

    #[test]
    fn development_networks_keep_time_unless_told_otherwise() {
        let told = |args: &[&str]| {
            let cli = parse(&[&["tos-node"], args].concat());
            cli.node.timekeeper()
        };
        // Otherwise the type of the chain decides: `NodeOptions::timekeeper`.
        assert_eq!(told(&[]), None);
        assert_eq!(told(&["--timekeeper"]), Some(true));
        assert_eq!(told(&["--no-timekeeper"]), Some(false));
        let both = ["tos-node", "--timekeeper", "--no-timekeeper"];
        assert!(parser().try_get_matches_from(both).is_err());
    }
}
