// SPDX-License-Identifier: Apache-2.0

//! `tos storage run` and `tos storage audit`.

use super::{provide::ProofKey, Folder as StoreFolder, Global};
use crate::{
    commands::{
        listen, notify,
        run::{journals, Height},
    },
    output::Output,
};
use tos_sdk::{
    amount,
    chain::{Folder, Hash},
    content::Pace,
    error::{Context, Result},
    http::Http,
};

use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use serde_json::json;
use std::{net::SocketAddr, time::Duration};
use tos_types::Balance;
use tos_workers::{
    notify::Notifier,
    storage::{Auditor, AuditorOptions, Opened, Policy, ProviderOptions, Setup},
    tasks::{self, Live, Mode},
};

/// See `tos storage run --help`.
#[derive(clap::Args)]
pub struct Run {
    #[command(flatten)]
    folder: StoreFolder,
    #[command(flatten)]
    proof_key: ProofKey,
    /// Serve content and proofs on this address. Committees and clients need it.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:9956")]
    serve: SocketAddr,
    /// Accept offers by itself, as far as the options below allow.
    #[arg(long)]
    auto: bool,
    /// Accept only offers that name this provider.
    #[arg(long, requires = "auto")]
    named_only: bool,
    /// Accept only at this price or more, per GiB of coded data and billing period.
    #[arg(long, value_name = "AMOUNT", value_parser = amount::parse, default_value = "0",
        requires = "auto")]
    min_price: Balance,
    /// Accept no content that takes more than so many GiB sealed: twice its length.
    #[arg(long, value_name = "GIB", default_value_t = 32, requires = "auto",
        value_parser = clap::value_parser!(u64).range(1..=32))]
    max_size: u64,
    /// Accept nothing beyond so many GiB sealed in all.
    #[arg(long, value_name = "GIB", default_value_t = 1_024, requires = "auto")]
    max_total: u64,
    /// Replicas to seal at the same time; they share one sealing buffer.
    #[arg(long, value_name = "COUNT", default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(1..=16))]
    sealing: u32,
    /// Settle a replica whenever it has earned so many more windows. 0 never settles.
    #[arg(long, value_name = "WINDOWS", default_value_t = 2_160)]
    settle_every: u32,
    /// Leave damaged replicas as they are, instead of rebuilding them from the code.
    #[arg(long)]
    no_repair: bool,
    /// Leave so many GiB of the disk free, in addition to what windows of healthy replicas take:
    /// nothing is accepted, sealed or repaired that does not fit.
    #[arg(long, value_name = "GIB", default_value_t = 1)]
    keep_free: u64,
    /// Days that a replica which is over stays in the store's trash before its space is freed.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    keep_trash: u16,
    #[command(flatten)]
    work: Work,
}

/// See `tos storage audit --help`.
#[derive(clap::Args)]
pub struct Audit {
    /// Seconds one proof may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=600))]
    time_limit: u64,
    /// Open no challenges.
    #[arg(long)]
    no_challenge: bool,
    /// Open no more challenges than this in all. Each holds a bond until it is decided.
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    max_challenges: u32,
    #[command(flatten)]
    work: Work,
}

/// Options of both workers.
#[derive(clap::Args)]
struct Work {
    #[command(flatten)]
    height: Height,
    #[command(flatten)]
    notify: notify::Options,
    /// Do what can be done right now, and stop.
    #[arg(long)]
    once: bool,
}

impl Work {
    fn mode(&self) -> Mode {
        Mode {
            once: self.once,
            forget_height: self.height.forget_height,
            ..Default::default()
        }
    }

    /// The worker's notifier. Notices wait in the data folder.
    fn notifier(&self, global: &Global, role: &str, who: &AccountId32) -> Result<Notifier> {
        let folder = global.folder()?.join("notices");
        self.notify.settings().notifier(&folder, role, who)
    }
}

/// GiB as bytes.
fn gib(count: u64) -> u64 {
    count.saturating_mul(1 << 30)
}

impl Run {
    pub(super) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let (key, proof) = (global.signer()?, self.proof_key.unlock(global)?);
        let dir = self.folder.path(global)?;
        crate::commands::node::look_for(global, self.work.once).await?;
        let listener = listen::on(self.serve, || vec![dir.join("lock")])?;
        let bound = listener.local_addr().context("serving")?;
        output.show(&json!({"listening": bound}), || {
            format!("serving on http://{bound}")
        });
        let options = ProviderOptions {
            answers_only: false,
            accept: self.auto.then_some(Policy {
                min_price: self.min_price,
                max_bytes: gib(self.max_size),
                capacity: gib(self.max_total),
                named_only: self.named_only,
            }),
            sealing: self.sealing as usize,
            settle: (self.settle_every > 0).then_some(self.settle_every),
            repair: !self.no_repair,
            keep_free: gib(self.keep_free),
            pace: Pace::default(),
        };
        let mut setup = Setup {
            account: key.account(),
            key: proof,
            options,
            serve: Some(listener),
            keep_trash: Some(Duration::from_secs(u64::from(self.keep_trash) * 24 * 3_600)),
            strict: true,
            http: Http::new()?,
            opened: Opened::default(),
        };
        let make = async |live: &Live, folder: &Folder| setup.provider(live, folder).await;
        let mode = self.work.mode();
        let notifier = self.work.notifier(global, "provider", &key.account())?;
        let place = |_: &Hash| dir.clone();
        let (url, interrupt) = (global.url.as_str(), tasks::interrupted());
        tasks::run(url, &key, mode, &notifier, place, make, interrupt).await
    }
}

impl Audit {
    pub(super) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let key = global.signer()?;
        let options = AuditorOptions {
            time: Duration::from_secs(self.time_limit),
            challenge: !self.no_challenge,
            max_challenges: self.max_challenges,
        };
        let http = Http::new()?;
        crate::commands::node::look_for(global, self.work.once).await?;
        let who = key.account();
        let name = format!("auditor-{}", who.to_ss58check());
        let place = journals(global, &name)?;
        let notifier = self.work.notifier(global, "auditor", &who)?;
        let reporter = notifier.reporter();
        let make = async |live: &Live, _: &Folder| {
            let validator = tasks::start::auditor(&live.connection, &who, &reporter).await?;
            output.show(&json!({"account": who, "validator": validator}), || {
                format!("auditing as {}", who.to_ss58check())
            });
            Ok(Auditor::new(options, http.clone()))
        };
        let mode = self.work.mode();
        let (url, interrupt) = (global.url.as_str(), tasks::interrupted());
        tasks::run(url, &key, mode, &notifier, place, make, interrupt).await
    }
}
