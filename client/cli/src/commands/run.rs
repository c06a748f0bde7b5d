// SPDX-License-Identifier: Apache-2.0

//! `tos miner run` and `tos judge run`: sets workers up.

use super::{listen, model::ModelArgs, notify, Global};
use tos_sdk::{
    chain::{Hash, Heads},
    content::{self, Reach, Store},
    error::{Context, Error, Result},
    http::Http,
    keys::Signer,
    task_type,
};

use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tos_types::{params::MAX_CONCURRENT_TASKS, Balance, TaskType, Tick};
use tos_workers::{
    commitments::CommitmentStore,
    notify::Notifier,
    tasks::{
        self, start::FirstLook, Bounds, JobContext, JudgeOptions, JudgeWorker, Limits, Live, Miner,
        MinerOptions, Mode, Retention, Role, Tools,
    },
};

/// Options of all workers.
#[derive(clap::Args)]
pub struct Common {
    /// Seconds a program may take for one task.
    #[arg(long, default_value_t = 600, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..))]
    time_limit: u64,
    /// MiB of memory each process of a program may write to; 0 for no limit. What is only reserved does not count.
    #[arg(long, default_value_t = 4096, value_name = "MIB")]
    memory_limit: u64,
    /// Failures of a program on one task before the task is left.
    #[arg(long, default_value_t = 2, value_name = "TIMES")]
    attempts: u32,
    /// Seconds to try to fetch a specification or an answer before it counts as unavailable.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    fetch_limit: u64,
    /// Serve content to others on this address, such as 0.0.0.0:9955. Answers of more than 2,048
    /// bytes need it, until the task is settled.
    #[arg(long, value_name = "ADDRESS")]
    serve: Option<SocketAddr>,
    /// Address at which others reach that server, such as http://my.host:9955.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Believe that others reach that address though this machine does not, as behind some routers.
    /// Otherwise no answer that is served is committed to before it was fetched from there.
    #[arg(long)]
    trust_public_url: bool,
    /// Hours that content is kept after its task is over.
    #[arg(long, default_value_t = 24, value_name = "HOURS")]
    keep_content: u32,
    /// Fetch nothing that does not fit into so many GiB of content on the disk. Content of tasks
    /// that are over goes first.
    #[arg(long, value_name = "GIB", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    content_limit: Option<u64>,
    /// Do what can be done right now, and stop.
    #[arg(long)]
    once: bool,
    /// Stop when every task taken on is over, after at least one.
    #[arg(long)]
    until_idle: bool,
    /// Take on this many tasks and stop when they are over.
    #[arg(long, value_name = "COUNT")]
    max_tasks: Option<u64>,
    /// The most that a commitment, a reveal or a vote may offer beyond its fee (TOS). One that is in no
    /// block offers twice as much with each minute, from twice --tip or 0.01 on. With 0 it offers --tip
    /// for ever. All attempts of one call together offer no more than twice this, beyond --tip.
    #[arg(long, value_name = "AMOUNT", value_parser = tos_sdk::amount::parse, default_value = "0")]
    max_tip: Balance,
    /// Leave rewards to be claimed later.
    #[arg(long)]
    no_claim: bool,
    #[command(flatten)]
    height: Height,
    #[command(flatten)]
    notify: notify::Options,
    /// The journal. [default: one per account and chain in the data folder] If it is of another
    /// chain, one next to it is used.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

/// Option of every worker.
#[derive(clap::Args)]
pub struct Height {
    /// Forget the highest block seen before, and believe the node. For one start, after a node
    /// lied: otherwise a worker does nothing on a node that is behind what it has seen.
    #[arg(long)]
    pub(super) forget_height: bool,
}

/// See `tos miner run --help`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("solver").required(true))]
pub struct MinerArgs {
    /// The program that solves tasks, run by the shell: reads the task as JSON, writes the answer
    /// as JSON. See docs/worker-protocol.md.
    #[arg(long, value_name = "COMMAND", group = "solver")]
    solver_cmd: Option<String>,
    /// An OpenAI-compatible endpoint that solves tasks, such as http://127.0.0.1:8080.
    #[arg(long, value_name = "URL", group = "solver")]
    solver_url: Option<String>,
    #[command(flatten)]
    model: ModelArgs,
    /// Take on only these task types, separated by commas.
    #[arg(long, value_name = "TYPES", value_delimiter = ',', value_parser = task_type::parse)]
    types: Vec<TaskType>,
    /// Tasks to be in at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = MAX_CONCURRENT_TASKS,
        value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: u32,
    /// Join only tasks that stay open for at least this many ticks more.
    #[arg(long, value_name = "TICKS", default_value_t = 2)]
    headroom: Tick,
    #[command(flatten)]
    bounds: BoundsArgs,
    #[command(flatten)]
    common: Common,
}

/// Tasks that a miner leaves alone, and conditions under which it stops.
#[derive(clap::Args)]
struct BoundsArgs {
    /// Have no more than this amount at stake in open tasks. A task counts with the full stake of
    /// its difficulty until it is joined.
    #[arg(long, value_name = "AMOUNT", value_parser = tos_sdk::amount::parse)]
    max_at_stake: Option<Balance>,
    /// Join nothing more after this many lost tasks in a row, and end with exit code 1 when all
    /// is over. A task that no panel decided is no loss, and only tasks that end while this process
    /// runs count.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    stop_after_losses: Option<u32>,
    /// Leave tasks alone whose reward, divided by the number of their places, is below this.
    #[arg(long, value_name = "AMOUNT", value_parser = tos_sdk::amount::parse, default_value = "0")]
    min_reward: Balance,
    /// Leave tasks alone that demand a higher quality than this, from 0 to 100.
    #[arg(long, value_name = "QUALITY", value_parser = clap::value_parser!(u8).range(..=100))]
    max_min_quality: Option<u8>,
}

impl From<BoundsArgs> for Bounds {
    fn from(arguments: BoundsArgs) -> Self {
        Self {
            max_at_stake: arguments.max_at_stake,
            stop_after_losses: arguments.stop_after_losses,
            min_reward: arguments.min_reward,
            max_min_quality: arguments.max_min_quality,
        }
    }
}

/// See `tos judge run --help`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("judge").required(true))]
pub struct JudgeArgs {
    /// The program that judges answers, run by the shell: reads task and answers as JSON, writes
    /// scores as JSON. See docs/worker-protocol.md.
    #[arg(long, value_name = "COMMAND", group = "judge")]
    judge_cmd: Option<String>,
    /// An OpenAI-compatible endpoint that judges answers, such as http://127.0.0.1:8080.
    #[arg(long, value_name = "URL", group = "judge")]
    judge_url: Option<String>,
    #[command(flatten)]
    model: ModelArgs,
    /// A pinned tool to run from automatic seats: the file whose BLAKE3 hash the task type names.
    /// May be given more than once. See docs/worker-protocol.md.
    #[arg(long = "tool", value_name = "FILE")]
    tools: Vec<PathBuf>,
    /// Votes to work on at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: u32,
    #[command(flatten)]
    common: Common,
}

impl MinerArgs {
    /// Runs the worker.
    pub(crate) async fn run(self, global: &Global) -> Result<()> {
        let (command, url) = (self.solver_cmd, self.solver_url.as_deref());
        let solver = self.model.program("solver", command, url).await?;
        let bench = self.common.bench(global, "miner").await?;
        let options = MinerOptions {
            account: bench.key.account(),
            solver,
            types: self.types,
            concurrency: self.concurrency as usize,
            attempts: self.common.attempts,
            headroom: self.headroom,
            max_tasks: self.common.max_tasks,
            claim: !self.common.no_claim,
            bounds: self.bounds.into(),
            reporter: bench.notifier.reporter(),
        };
        let mut first = bench.first_look();
        let make = async |live: &Live, journal: &CommitmentStore| {
            first.miner(live, journal.seen_until()).await?;
            tasks::served(journal, live, bench.workshop.reach.is_some()).await?;
            let workshop = bench.workshop.clone().on(&live.genesis());
            Ok(Miner::new(options.clone(), journal.clone(), workshop))
        };
        bench.run(&global.url, self.common.mode(), make).await
    }
}

impl JudgeArgs {
    /// Runs the worker.
    pub(crate) async fn run(self, global: &Global) -> Result<()> {
        let (command, url) = (self.judge_cmd, self.judge_url.as_deref());
        let judge = self.model.program("judge", command, url).await?;
        let tools = Tools::adopt(&self.tools, &global.folder()?.join("tools"))?;
        let bench = self.common.bench(global, "judge").await?;
        let options = JudgeOptions {
            account: bench.key.account(),
            judge,
            tools,
            concurrency: self.concurrency as usize,
            attempts: self.common.attempts,
            claim: !self.common.no_claim,
            reporter: bench.notifier.reporter(),
        };
        let mut first = bench.first_look();
        let make = async |live: &Live, journal: &CommitmentStore| {
            first.judge(live, journal.seen_until()).await?;
            let workshop = bench.workshop.clone().on(&live.genesis());
            Ok(JudgeWorker::new(options.clone(), journal.clone(), workshop))
        };
        bench.run(&global.url, self.common.mode(), make).await
    }
}

/// Everything that a miner or a judge works with and that outlasts a connection.
struct Bench<P> {
    key: Signer,
    notifier: Notifier,
    workshop: JobContext,
    /// Path of the journal, by the genesis hash of its chain.
    place: P,
}

impl<P: Fn(&Hash) -> PathBuf> Bench<P> {
    /// The first look of this worker at its account.
    fn first_look(&self) -> FirstLook {
        FirstLook {
            who: self.key.account(),
            reporter: self.notifier.reporter(),
            strict: true,
        }
    }

    /// Runs the workers that `make` makes, one on each chain that the node at `url` is on.
    async fn run<R: Role<Live>>(
        &self,
        url: &str,
        mode: Mode,
        make: impl AsyncFnMut(&Live, &CommitmentStore) -> Result<R>,
    ) -> Result<()> {
        let interrupt = tasks::interrupted();
        let (key, notifier, place) = (&self.key, &self.notifier, &self.place);
        tasks::run(url, key, mode, notifier, place, make, interrupt).await
    }
}

/// Span of the log lines of a worker for the account that is signed for; none where that is not known
/// without a password.
pub(super) fn span(global: &Global) -> tracing::Span {
    let account = global.account(&None);
    account.map_or_else(|_| tracing::Span::none(), |who| tasks::span(&who))
}

/// Path of a worker's journal of this name, by the genesis hash of its chain.
pub(super) fn journals(global: &Global, name: &str) -> Result<impl Fn(&Hash) -> PathBuf> {
    let (folder, name) = (global.folder()?.join("journals"), name.to_owned());
    Ok(move |genesis: &Hash| {
        let (short, _) = genesis.split_at(8);
        let chain = tos_types::json::to_hex(short);
        folder.join(chain.trim_start_matches("0x")).join(&name)
    })
}

impl Common {
    fn mode(&self) -> Mode {
        Mode {
            once: self.once,
            until_idle: self.until_idle,
            max_tasks: self.max_tasks,
            forget_height: self.height.forget_height,
            max_tip: self.max_tip,
        }
    }

    /// Everything that a worker of this role works with.
    async fn bench(&self, global: &Global, role: &str) -> Result<Bench<impl Fn(&Hash) -> PathBuf>> {
        let key = global.signer()?;
        let who = key.account();
        Ok(Bench {
            notifier: self.notifier(global, role, &who)?,
            workshop: self.workshop(global, role, &who).await?,
            place: self.place(global, role, &who).await?,
            key,
        })
    }

    /// The worker's notifier. Notices wait next to the journal.
    fn notifier(&self, global: &Global, role: &str, who: &AccountId32) -> Result<Notifier> {
        let folder = match self.journal.as_ref().and_then(|journal| journal.parent()) {
            Some(folder) => folder.join("notices"),
            None => global.folder()?.join("notices"),
        };
        self.notify.settings().notifier(&folder, role, who)
    }

    /// Path of the journal of this account, by the genesis hash. Other chains that have the same
    /// one get journals next to it.
    async fn place(
        &self,
        global: &Global,
        role: &str,
        who: &AccountId32,
    ) -> Result<impl Fn(&Hash) -> PathBuf> {
        super::node::look_for(global, self.once).await?;
        let default = journals(global, &format!("{role}-{}.redb", who.to_ss58check()))?;
        let named = self.journal.clone();
        Ok(move |genesis: &Hash| named.clone().unwrap_or_else(|| default(genesis)))
    }

    /// Store of content, runner of programs, and the server if there is to be one, for a worker of
    /// this role and account.
    async fn workshop(&self, global: &Global, role: &str, who: &AccountId32) -> Result<JobContext> {
        let store = Store::open(global.folder()?.join("content"))?;
        if let Some(address) = self.serve {
            let lies = || match &self.journal {
                Some(journal) => vec![journal.clone()],
                None => listen::journals(global, role, who),
            };
            let listener = listen::on(address, lies)?;
            let listener = tokio::net::TcpListener::from_std(listener).context("serving")?;
            let bound = listener.local_addr().context("serving")?;
            tracing::info!(address = %bound, "serving content");
            tos_sdk::span::spawn(content::serve(listener, store.clone()));
        }
        let public_url = match (&self.public_url, self.serve) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(address)) if !address.ip().is_unspecified() && address.port() != 0 => {
                Some(format!("http://{address}"))
            }
            (None, Some(_)) => {
                return Err(Error::Usage(
                    "--serve on every address or any port: say with --public-url how others \
                     reach it"
                        .into(),
                ))
            }
            (None, None) => {
                if role == "miner" {
                    tracing::info!(
                        "without --serve, answers of more than 2,048 bytes cannot be given and \
                         count as failures of the solver"
                    );
                }
                None
            }
        };
        if let Some(url) = &public_url {
            content::locator(url, &[0; 32])?;
        }
        let http = Http::new()?;
        let reach = public_url.map(|url| {
            let reach = Reach::new(store.clone(), http.clone(), url);
            match self.trust_public_url {
                true => reach.trusted(),
                false => reach,
            }
        });
        if let Some(reach) = &reach {
            if let Err(error) = reach.probe().await {
                tracing::warn!(%error, "others may be unable to fetch answers from here");
            }
        }
        let patience = Duration::from_secs(self.fetch_limit);
        let time = Duration::from_secs(self.time_limit);
        let limits = Limits::of_worker(time, self.memory_limit);
        Ok(JobContext {
            reach,
            content_limit: self.content_limit.map(|gib| gib.saturating_mul(1 << 30)),
            retention: Retention::new(Duration::from_secs(u64::from(self.keep_content) * 3_600)),
            ..JobContext::new(store, http, patience, limits)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        common: Common,
    }

    #[test]
    fn a_worker_raises_tips_only_when_asked_to() {
        let max_tip = |line: &[&str]| Line::parse_from(line).common.mode().max_tip;
        assert_eq!(max_tip(&["worker"]), 0);
        let cent = tos_types::TOS / 100;
        assert_eq!(max_tip(&["worker", "--max-tip", "0.05"]), 5 * cent);
    }
}
