// SPDX-License-Identifier: Apache-2.0

//! `tos storage run` and `tos storage audit`.

use super::{
    provide::{shelf, ProofKey},
    Folder, Global,
};
use crate::{
    amount, content,
    error::{Context, Error, Result},
    http::Http,
    output::Output,
    storage::{Auditor, AuditorOptions, Gateway, Policy, Provider, ProviderOptions, Seeds},
    worker::{self, Mode},
};
use serde_json::json;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tos_primitives::Balance;

/// See `tos storage run --help`.
#[derive(clap::Args)]
pub struct Run {
    #[command(flatten)]
    folder: Folder,
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
    /// Accept only at this price or more, per GiB of coded data and epoch.
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
    /// Do what can be done right now, and stop.
    #[arg(long)]
    once: bool,
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
    /// Do what can be done right now, and stop.
    #[arg(long)]
    once: bool,
}

/// GiB as bytes.
fn gib(count: u64) -> u64 {
    count.saturating_mul(1 << 30)
}

impl Run {
    pub(super) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let (key, proof) = (global.signer()?, self.proof_key.unlock(global)?);
        let dir = self.folder.path(global)?;
        let connection = global.connect().await?;
        let shelf = Arc::new(shelf(&connection, &dir, &key.account(), proof).await?);
        drop(connection);
        let seeds = Seeds::default();
        let listener = tokio::net::TcpListener::bind(self.serve).await;
        let listener =
            listener.map_err(|e| Error::Usage(format!("serving on {}: {e}", self.serve)))?;
        let bound = listener.local_addr().context("serving")?;
        output.show(&json!({"listening": bound}), || {
            format!("serving on http://{bound}")
        });
        let gateway = Gateway::new(shelf.clone(), seeds.clone());
        tokio::spawn(content::serve(listener, gateway));
        let options = ProviderOptions {
            accept: self.auto.then_some(Policy {
                min_price: self.min_price,
                max_bytes: gib(self.max_size),
                capacity: gib(self.max_total),
                named_only: self.named_only,
            }),
            sealing: self.sealing as usize,
            settle: (self.settle_every > 0).then_some(self.settle_every),
            repair: !self.no_repair,
        };
        let mut provider = Provider::new(options, shelf, seeds, Http::new()?);
        let once = self.once;
        let mode = Mode {
            once,
            ..Default::default()
        };
        worker::run(&global.url, &key, &mut provider, mode).await
    }
}

impl Audit {
    pub(super) async fn run(self, global: &Global) -> Result<()> {
        let key = global.signer()?;
        let options = AuditorOptions {
            time: Duration::from_secs(self.time_limit),
            challenge: !self.no_challenge,
            max_challenges: self.max_challenges,
        };
        let mut auditor = Auditor::new(options, Http::new()?);
        let once = self.once;
        let mode = Mode {
            once,
            ..Default::default()
        };
        worker::run(&global.url, &key, &mut auditor, mode).await
    }
}
