// SPDX-License-Identifier: Apache-2.0

//! Notices that wait on disk, and what they were made from.

use super::{Kind, Notice};
use crate::database::Database;
use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};
use serde::{Deserialize, Serialize};
use std::path::Path;
use tos_sdk::{
    chain::Hash,
    error::{Context, Result},
};
use tos_types::{Balance, TaskId};

/// Notices by order.
const QUEUE: TableDefinition<u64, &[u8]> = TableDefinition::new("queue");
/// Identifiers told lately, and the order they came in.
const KNOWN: TableDefinition<&str, u64> = TableDefinition::new("known");
const ORDER: TableDefinition<u64, &str> = TableDefinition::new("order");
/// Counters.
const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");
/// Tasks whose end is to be told, each by its chain and its identifier.
const TASKS: TableDefinition<([u8; 32], [u8; 16]), ()> = TableDefinition::new("tasks");
/// Amounts as they were last seen, by chain and name.
const AMOUNTS: TableDefinition<([u8; 32], &str), u128> = TableDefinition::new("amounts");

const NEXT: &str = "next";
const DROPPED: &str = "dropped";

/// Most notices that wait. Above it the oldest one goes, a loss last.
const MAX_WAITING: u64 = 10_000;
/// Most identifiers remembered.
const MAX_KNOWN: u64 = 20_000;
/// Most tasks followed at the same time.
const MAX_TASKS: u64 = 1_000;

#[derive(Serialize, Deserialize)]
struct Entry {
    notice: Notice,
    /// Targets it was delivered to.
    done: Vec<String>,
}

/// An open outbox, locked by this process.
pub struct Outbox {
    database: Database,
    max_waiting: u64,
}

impl Outbox {
    /// Opens or makes the outbox at `path`.
    pub fn open(path: &Path) -> Result<Self> {
        Self::over(Database::open(path)?, MAX_WAITING)
    }

    /// The outbox in a database, for no more notices than this.
    pub(super) fn over(database: Database, max_waiting: u64) -> Result<Self> {
        database.write(|write| {
            write.open_table(QUEUE).context("outbox")?;
            write.open_table(KNOWN).context("outbox")?;
            write.open_table(ORDER).context("outbox")?;
            write.open_table(COUNTERS).context("outbox")?;
            write.open_table(TASKS).context("outbox")?;
            write.open_table(AMOUNTS).context("outbox")?;
            Ok(())
        })?;
        Ok(Self {
            database,
            max_waiting,
        })
    }

    /// Takes a notice, unless one with its identifier was taken before. Returns the kind of the one
    /// that had to go for it.
    pub fn put(&self, notice: &Notice) -> Result<Option<Kind>> {
        let known = self.database.read(|read| {
            let known = read.open_table(KNOWN).context("outbox")?;
            Ok(known.get(notice.id.as_str()).context("outbox")?.is_some())
        })?;
        if known {
            return Ok(None);
        }
        self.database.write(|write| {
            let mut queue = write.open_table(QUEUE).context("outbox")?;
            let mut known = write.open_table(KNOWN).context("outbox")?;
            let mut order = write.open_table(ORDER).context("outbox")?;
            let mut counters = write.open_table(COUNTERS).context("outbox")?;
            let count = |counters: &redb::Table<&str, u64>, name| -> Result<u64> {
                let found = counters.get(name).context("outbox")?;
                Ok(found.map_or(0, |count| count.value()))
            };
            let next = count(&counters, NEXT)?;
            let mut dropped = count(&counters, DROPPED)?;
            let mut gone = None;
            if queue.len().context("outbox")? >= self.max_waiting {
                let (mut oldest, mut oldest_other) = (None, None);
                for entry in queue.iter().context("outbox")? {
                    let (key, bytes) = entry.context("outbox")?;
                    let kind = decode(bytes.value())?.notice.kind;
                    oldest = oldest.or(Some((key.value(), kind)));
                    if kind != Kind::Loss {
                        oldest_other = Some((key.value(), kind));
                        break;
                    }
                }
                if let Some((key, kind)) = oldest_other.or(oldest) {
                    queue.remove(key).context("outbox")?;
                    dropped = dropped.saturating_add(1);
                    gone = Some(kind);
                }
            }
            let mut notice = notice.clone();
            notice.dropped = dropped;
            let id = notice.id.clone();
            let entry = Entry {
                notice,
                done: Vec::new(),
            };
            queue
                .insert(next, encode(&entry)?.as_slice())
                .context("outbox")?;
            known.insert(id.as_str(), next).context("outbox")?;
            order.insert(next, id.as_str()).context("outbox")?;
            while order.len().context("outbox")? > MAX_KNOWN {
                let first = order.pop_first().context("outbox")?;
                let first = first.map(|(_, id)| id.value().to_owned());
                if let Some(id) = first {
                    known.remove(id.as_str()).context("outbox")?;
                }
            }
            counters
                .insert(NEXT, next.saturating_add(1))
                .context("outbox")?;
            counters.insert(DROPPED, dropped).context("outbox")?;
            Ok(gone)
        })
    }

    /// The first notice from number `from` on that was not delivered to a target.
    pub fn next(&self, target: &str, from: u64) -> Result<Option<(u64, Notice)>> {
        self.database.read(|read| {
            let queue = read.open_table(QUEUE).context("outbox")?;
            for entry in queue.range(from..).context("outbox")? {
                let (key, bytes) = entry.context("outbox")?;
                let entry = decode(bytes.value())?;
                if !entry.done.iter().any(|done| done == target) {
                    return Ok(Some((key.value(), entry.notice)));
                }
            }
            Ok(None)
        })
    }

    /// Notes a delivery. A notice goes when all `targets` have it.
    pub fn delivered(&self, number: u64, target: &str, targets: &[String]) -> Result<()> {
        self.database.write(|write| {
            let mut queue = write.open_table(QUEUE).context("outbox")?;
            let found = queue.get(number).context("outbox")?;
            let entry = found.map(|bytes| decode(bytes.value())).transpose()?;
            // Dropped meanwhile.
            let Some(mut entry) = entry else {
                return Ok(());
            };
            entry.done.push(target.to_owned());
            if targets.iter().all(|target| entry.done.contains(target)) {
                queue.remove(number).context("outbox")?;
            } else {
                let bytes = encode(&entry)?;
                queue.insert(number, bytes.as_slice()).context("outbox")?;
            }
            Ok(())
        })
    }

    /// Number of notices that wait.
    pub fn waiting(&self) -> Result<u64> {
        self.database.read(|read| {
            let queue = read.open_table(QUEUE).context("outbox")?;
            queue.len().context("outbox")
        })
    }

    /// Follows a task until its end is told.
    pub fn follow(&self, chain: &Hash, task: TaskId) -> Result<()> {
        self.database.write(|write| {
            let mut tasks = write.open_table(TASKS).context("outbox")?;
            if tasks.len().context("outbox")? < MAX_TASKS {
                tasks.insert((*chain, task.0), ()).context("outbox")?;
            }
            Ok(())
        })
    }

    /// Does not follow a task any more.
    pub fn leave(&self, chain: &Hash, task: TaskId) -> Result<()> {
        self.database.write(|write| {
            let mut tasks = write.open_table(TASKS).context("outbox")?;
            tasks.remove((*chain, task.0)).context("outbox")?;
            Ok(())
        })
    }

    /// The tasks followed on a chain.
    pub fn followed(&self, chain: &Hash) -> Result<Vec<TaskId>> {
        self.database.read(|read| {
            let tasks = read.open_table(TASKS).context("outbox")?;
            let range = (*chain, [0; 16])..=(*chain, [u8::MAX; 16]);
            let mut all = Vec::new();
            for entry in tasks.range(range).context("outbox")? {
                let (key, _) = entry.context("outbox")?;
                let (_, task) = key.value();
                all.push(TaskId(task));
            }
            Ok(all)
        })
    }

    /// Notes an amount, and returns what it was before.
    pub fn amount(&self, chain: &Hash, name: &str, now: Balance) -> Result<Option<Balance>> {
        let before = self.database.read(|read| {
            let amounts = read.open_table(AMOUNTS).context("outbox")?;
            let found = amounts.get((*chain, name)).context("outbox")?;
            Ok(found.map(|amount| amount.value()))
        })?;
        if before != Some(now) {
            self.database.write(|write| {
                let mut amounts = write.open_table(AMOUNTS).context("outbox")?;
                amounts.insert((*chain, name), now).context("outbox")?;
                Ok(())
            })?;
        }
        Ok(before)
    }
}

fn encode(entry: &Entry) -> Result<Vec<u8>> {
    serde_json::to_vec(entry).context("outbox")
}

fn decode(bytes: &[u8]) -> Result<Entry> {
    serde_json::from_slice(bytes).context("outbox")
}
