// SPDX-License-Identifier: Apache-2.0

//! Work on the provider's own disk: sealing one replica, checking and repairing.

use super::{
    any_id,
    provide::{prover, replica_of, unknown, ProofKey},
    Folder, Global,
};
use crate::output::{table, Output};
use tos_sdk::{
    chain::{Call, Sight},
    content::Pace,
    error::{Error, Result},
    http::Http,
};

use serde_json::json;
use std::sync::Arc;
use tos_types::ReplicaId;
use tos_workers::storage::{self, age, blocking, ProgressBar, ReplicaProver, Scan};

/// See `tos storage seal --help`.
#[derive(clap::Args)]
pub struct Seal {
    /// The deal, or its replica.
    #[arg(value_parser = any_id)]
    id: [u8; 16],
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    proof_key: ProofKey,
    /// Seal it, but do not commit to it yet.
    #[arg(long)]
    no_commit: bool,
}

/// See `tos storage verify --help`.
#[derive(clap::Args)]
pub struct Verify {
    /// Only this deal's replica, or this replica.
    #[arg(value_parser = any_id)]
    id: Option<[u8; 16]>,
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    proof_key: ProofKey,
    /// Rebuild what is damaged from the code, as long as half of the chunks are left.
    #[arg(long)]
    repair: bool,
}

impl Seal {
    pub(super) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let (key, proof) = (global.signer()?, self.proof_key.unlock(global)?);
        let who = key.account();
        let connection = global.connect().await?;
        let at = connection.best().await?;
        let id = replica_of(&at, self.id).await?;
        let view = at.replica(id).await?.ok_or_else(|| unknown(id.0))?;
        if view.provider != who {
            return Err(Error::refused("another provider's replica"));
        }
        let dir = self.folder.path(global)?;
        let (prover, mut guard) = prover(&connection, &dir, &who, proof).await?;
        let prover = Arc::new(prover);
        match guard.check(&connection).await? {
            Sight::Current => {}
            Sight::Old(reason) => return Err(Error::Failed(reason.to_string())),
            Sight::OtherChain => return Err(Error::Failed("the node changed its chain".into())),
        }
        let deal = at
            .deal(view.deal)
            .await?
            .ok_or_else(|| unknown(view.deal.0))?;
        let sealed = match prover.sealed(id) {
            Some(sealed) => sealed,
            None => {
                storage::seal(prover, Http::new()?, Pace::default(), &view, &deal.content).await?
            }
        };
        drop(connection);
        let block = match (self.no_commit, view.sealed) {
            (false, None) => {
                let call = Call::CommitSeal {
                    replica: id,
                    sealed,
                };
                Some(global.submit(call).await?.block)
            }
            _ => None,
        };
        let hex = tos_types::json::to_hex;
        let value = json!({
            "replica": id, "sealed": sealed, "block": block.map(|hash| hex(&hash)),
        });
        output.show(&value, || {
            format!("{id}: sealed, root {}", hex(&sealed.root))
        });
        Ok(())
    }
}

impl Verify {
    pub(super) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let (key, proof) = (global.signer()?, self.proof_key.unlock(global)?);
        let dir = self.folder.path(global)?;
        let connection = global.connect().await?;
        let only = match self.id {
            Some(id) => Some(replica_of(&connection.best().await?, id).await?),
            None => None,
        };
        let (prover, _) = prover(&connection, &dir, &key.account(), proof).await?;
        let prover = Arc::new(prover);
        drop(connection);
        let (ids, trash) = match only {
            Some(id) => (vec![id], Vec::new()),
            None => (prover.replicas()?, prover.trash()?),
        };
        let (mut rows, mut values, mut bad) = (Vec::new(), Vec::new(), 0usize);
        for id in ids {
            let (work, repair) = (prover.clone(), self.repair);
            let scan = blocking(move || scan(&work, id, repair)).await;
            let (value, state) = match scan {
                Ok((found, left)) => {
                    bad += usize::from(!left.is_clean());
                    let value = json!({
                        "replica": id, "chunks": found.chunks, "damaged": found.damaged,
                        "left": left.damaged, "clean": left.is_clean(),
                        "examples": found.examples,
                    });
                    (value, state(&found, &left))
                }
                Err(error) => {
                    bad += 1;
                    let error = error.to_string();
                    (json!({"replica": id, "error": error}), error)
                }
            };
            values.push(value);
            rows.push(vec![id.to_string(), state]);
        }
        for entry in trash {
            let id = ReplicaId(entry.replica);
            values.push(json!({"replica": id, "trashedAt": entry.since}));
            let days = age(&entry).as_secs() / (24 * 3_600);
            rows.push(vec![
                id.to_string(),
                format!("over, in the trash for {days} days"),
            ]);
        }
        output.show(&values, || table(&["REPLICA", "STATE"], &rows));
        match bad {
            0 => Ok(()),
            count => Err(Error::Failed(format!("{count} replicas are damaged"))),
        }
    }
}

/// Damage that was found, and damage that is left after repair.
fn scan(prover: &ReplicaProver, id: ReplicaId, repair: bool) -> Result<(Scan, Scan)> {
    let mut bar = ProgressBar::new(id.to_string());
    let found = prover.verify(id, &mut |progress| bar.watch(progress))?;
    if found.is_clean() || !repair {
        return Ok((found.clone(), found));
    }
    prover.repair(id, &mut |progress| bar.watch(progress))?;
    let left = prover.verify(id, &mut |progress| bar.watch(progress))?;
    Ok((found, left))
}

fn state(found: &Scan, left: &Scan) -> String {
    let chunks = found.chunks;
    match (found.damaged, left.damaged) {
        _ if found.is_clean() => format!("whole, {chunks} chunks"),
        (0, _) if left.is_clean() => "a tree was damaged; rebuilt".into(),
        (0, _) => format!("all {chunks} chunks are whole, but a tree is damaged"),
        (damaged, 0) => format!("{damaged} of {chunks} chunks were damaged; rebuilt"),
        (damaged, _) => format!("{damaged} of {chunks} chunks are damaged"),
    }
}
