// SPDX-License-Identifier: Apache-2.0

//! Identity of the chain that a worker works on, and the part of it that it has seen.
//!
//! Journals and stores are worth something on one chain only, and a genesis hash does not name one:
//! all chains started from one specification share it, such as every `tos-node --dev --tmp`, and
//! their tasks and replicas even have the same identifiers. So a chain is known by its genesis hash
//! *and* the hash of its first block ([`Identity`]).
//!
//! A node may be synchronising, restored from a backup, or one of several behind an address. What
//! it says is then true of the past: that there is no replica yet, that a task is still open. So
//! with its identity a worker keeps the highest final block it has seen ([`Record`]), and does
//! nothing on a view that is older or does not contain that block ([`Guard`]).
//!
//! # Where the first block is not known
//!
//! A node that was synchronised by `--sync warp` has no history for a while. Then a worker that has
//! been on this chain knows it by the block that it saw last, which the node has or, for the 4,096
//! blocks before its last final one, finds in the state (`System.BlockHash`). A worker that has
//! not, and a chain that has no final block yet, wait.

use super::{At, Connection};
use crate::{
    any_chain::{Block, Hash},
    error::{Context, Error, Result},
    files,
};
use polkadot_sdk::sp_crypto_hashing::{twox_128, twox_64};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};
use tos_types::json::{self, to_hex};

/// Blocks that the best block may fall behind one seen before: a fork that is left takes a few
/// blocks with it, a node that is behind many.
const REORGANISATION: u64 = 32;
/// Advice where what was seen may never have been: a node can say what it likes of its height, and
/// without this a lie would keep a worker from its work for ever.
const WAY_OUT: &str = "If other nodes agree with this one, an earlier node was wrong: start the \
    worker once with --forget-height";
/// The time between two looks at a node that cannot say which chain it is on.
const LOOK: Duration = Duration::from_millis(250);

/// Identity of a chain: no other has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The hash of block 0.
    #[serde(with = "json::hash")]
    pub genesis: Hash,
    /// The hash of block 1.
    #[serde(with = "json::hash")]
    pub first: Hash,
}

/// Memory that a worker has of its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Its identity.
    pub chain: Identity,
    /// The highest final block it has acted on.
    pub finalised: Block,
    /// The number of the best block it acted on last.
    pub best: u64,
}

/// A node's view, as far as it takes to tell whose it is and how old.
pub trait Heads {
    /// The hash of block 0.
    fn genesis(&self) -> Hash;
    /// The last final block.
    async fn finalised_block(&self) -> Result<Block>;
    /// The number of the best block.
    async fn best_number(&self) -> Result<u64>;
    /// The hash of the block of this number on the node's chain. `None` if it has no such block, or
    /// does not know of it any more, or yet.
    async fn hash_at(&self, number: u64) -> Result<Option<Hash>>;
}

/// Place where a worker keeps its [`Record`]: next to what is worth something on that chain only.
pub trait Memory: Sized {
    /// Opens what is at `path`, or makes it.
    fn open(path: &Path) -> Result<Self>;
    /// The record, if there is one yet.
    fn read(&self) -> Result<Option<Record>>;
    /// Replaces the record; it is on disk then.
    fn write(&self, record: &Record) -> Result<()>;
}

/// A folder with a record in it, in `chain.json`.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn file(&self) -> PathBuf {
        self.0.join("chain.json")
    }
}

impl Memory for Folder {
    fn open(path: &Path) -> Result<Self> {
        Ok(Self(path.to_owned()))
    }

    fn read(&self) -> Result<Option<Record>> {
        let path = self.file();
        let doing = format!("reading {}", path.display());
        let bytes = files::load(&path).context(&doing)?;
        let record = bytes.map(|bytes| serde_json::from_slice(&bytes));
        record.transpose().map_err(|error| {
            Error::Failed(format!(
                "{doing}: {error}. It says which chain the folder is of; remove it if that is the \
                 chain of this node, and it is made anew"
            ))
        })
    }

    fn write(&self, record: &Record) -> Result<()> {
        let path = self.file();
        let bytes = serde_json::to_vec_pretty(record).context("chain.json")?;
        files::replace(&path, &bytes).context(format_args!("writing {}", path.display()))
    }
}

/// Reason for which a worker does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The chain has no final block yet, or the node has none of it.
    NoFinalBlock,
    /// The node does not know the blocks by which the chain is told.
    NoHistory,
    /// The node's last final block is older than one seen before.
    Behind {
        /// Its number.
        at: u64,
        /// The number of the one seen before.
        seen: u64,
    },
    /// The node's best block is far below one seen before.
    BestBehind {
        /// Its number.
        at: u64,
        /// The number of the one seen before.
        seen: u64,
    },
    /// The node has another block where one was seen that is final.
    Forked {
        /// The number of that block.
        at: u64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFinalBlock => f.write_str(
                "the node has no final block yet, so it is unknown which chain it is on",
            ),
            Self::NoHistory => f.write_str(
                "the node has no history yet, so it is unknown which chain it is on; it fetches \
                 that by itself after `--sync warp`",
            ),
            Self::Behind { at, seen } => write!(
                f,
                "the node is behind: its last final block is {at}, this worker has seen {seen}. \
                 {WAY_OUT}"
            ),
            Self::BestBehind { at, seen } => write!(
                f,
                "the node is behind: its best block is {at}, this worker has seen {seen}. {WAY_OUT}"
            ),
            Self::Forked { at } => write!(
                f,
                "the node has another block {at} than the final one this worker has seen: it is on \
                 a fork, or the chain was restored from a backup and went on differently. Use \
                 another node or, to begin anew on this one, another --data-dir. {WAY_OUT}"
            ),
        }
    }
}

impl Reason {
    /// `true` if the log has been told as much by `other`. A node that catches up is behind by less
    /// every time, which is no news.
    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// Worth of a node's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// At least as new as any seen before: act on it.
    Current,
    /// Not to be acted on. It may become current by itself.
    Old(Reason),
    /// Another chain: what is known of this one does not hold there.
    OtherChain,
}

/// Keeps a worker from acting on views older than one it has seen.
pub struct Guard<M> {
    memory: M,
    record: Record,
    /// Reason that the log was told last, until it passes.
    held: Option<Reason>,
    /// `true` once the log was told that the record cannot be written.
    unwritten: bool,
}

impl<M: Memory> Guard<M> {
    /// Place of the record.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// Looks at the node's view, and remembers it if it is to be acted on. Says so once when it is
    /// not, and when it is again.
    pub async fn check(&mut self, chain: &impl Heads) -> Result<Sight> {
        let reason = match look(&self.record, chain).await? {
            Looked::Current(record) => {
                if self.held.take().is_some() {
                    tracing::info!("the node has caught up; going on");
                }
                self.remember(record);
                return Ok(Sight::Current);
            }
            Looked::OtherChain => {
                tracing::warn!("the node is on another chain now");
                return Ok(Sight::OtherChain);
            }
            Looked::Old(reason) => reason,
        };
        if !self.held.is_some_and(|held| held.is_like(&reason)) {
            tracing::warn!("doing nothing: {reason}");
        }
        self.held = Some(reason);
        Ok(Sight::Old(reason))
    }

    /// Believes the node's height from now on, whatever was seen before: for the operator to decide,
    /// after a node has lied.
    ///
    /// # Errors
    /// The node does not answer, or the record cannot be written: it is as before then.
    pub async fn forget_height(&mut self, chain: &impl Heads) -> Result<()> {
        let record = Record {
            chain: self.record.chain,
            finalised: chain.finalised_block().await?,
            best: chain.best_number().await?,
        };
        self.memory.write(&record)?;
        let (seen, now) = (self.record.finalised.number, record.finalised.number);
        tracing::warn!(seen, now, "the height seen before is forgotten");
        self.record = record;
        Ok(())
    }

    /// A disk that takes no more must not keep a worker from what has a deadline.
    fn remember(&mut self, record: Record) {
        if record == self.record {
            return;
        }
        self.record = record;
        match self.memory.write(&record) {
            Ok(()) => self.unwritten = false,
            Err(error) if !self.unwritten => {
                tracing::error!(%error, "what this worker has seen of the chain is not on disk");
                self.unwritten = true;
            }
            Err(_) => {}
        }
    }
}

enum Looked {
    Current(Record),
    Old(Reason),
    OtherChain,
}

async fn look(known: &Record, chain: &impl Heads) -> Result<Looked> {
    if chain.genesis() != known.chain.genesis {
        return Ok(Looked::OtherChain);
    }
    let seen = known.finalised;
    let (finalised, best) = (chain.finalised_block().await?, chain.best_number().await?);
    let there = match finalised.number >= seen.number {
        true => chain.hash_at(seen.number).await?,
        false => None,
    };
    if there == Some(seen.hash) {
        if best.saturating_add(REORGANISATION) < known.best {
            return Ok(Looked::Old(Reason::BestBehind {
                at: best,
                seen: known.best,
            }));
        }
        let chain = known.chain;
        return Ok(Looked::Current(Record {
            chain,
            finalised,
            best,
        }));
    }
    if finalised.number == 0 {
        return Ok(Looked::Old(Reason::NoFinalBlock));
    }
    let first = chain.hash_at(1).await?;
    Ok(match (first, there) {
        (Some(first), _) if first != known.chain.first => Looked::OtherChain,
        (_, None) if finalised.number < seen.number => Looked::Old(Reason::Behind {
            at: finalised.number,
            seen: seen.number,
        }),
        (_, None) => Looked::Old(Reason::NoHistory),
        (_, Some(_)) => Looked::Old(Reason::Forked { at: seen.number }),
    })
}

/// Finds what a worker keeps for the chain of this node, or begins it: at `base` or, if that is of
/// another chain, next to it. The inner error says why that is unknown yet.
pub async fn meet<M: Memory>(chain: &impl Heads, base: &Path) -> Result<Result<Guard<M>, Reason>> {
    let guard = |memory, record| Guard {
        memory,
        record,
        held: None,
        unwritten: false,
    };
    let (genesis, finalised) = (chain.genesis(), chain.finalised_block().await?);
    if finalised.number == 0 {
        return Ok(Err(Reason::NoFinalBlock));
    }
    let Some(first) = chain.hash_at(1).await? else {
        for path in known(base)? {
            let memory = M::open(&path)?;
            let Some(record) = memory.read()? else {
                continue;
            };
            let seen = record.finalised;
            let may = record.chain.genesis == genesis && seen.number <= finalised.number;
            if may && chain.hash_at(seen.number).await? == Some(seen.hash) {
                return Ok(Ok(guard(memory, record)));
            }
        }
        return Ok(Err(Reason::NoHistory));
    };
    let identity = Identity { genesis, first };
    let begin = Record {
        chain: identity,
        finalised: Block {
            number: 1,
            hash: first,
        },
        best: 1,
    };
    let other = beside(base, &identity);
    for path in [base, other.as_path()] {
        let memory = M::open(path)?;
        match memory.read()? {
            None => {
                memory.write(&begin)?;
                return Ok(Ok(guard(memory, begin)));
            }
            Some(record) if record.chain == identity => return Ok(Ok(guard(memory, record))),
            Some(_) if path == base => {
                let (kept, used) = (base.display(), other.display());
                tracing::info!(%kept, %used, "this is another chain than the one that was worked \
                    on before: what belongs to that stays as it is, this one has its own");
            }
            Some(_) => {}
        }
    }
    let (base, other) = (base.display(), other.display());
    Err(Error::Failed(format!(
        "both {base} and {other} are of another chain: use another --data-dir"
    )))
}

/// As [`meet`], but waits until it can be told which chain it is, no longer than `limit`.
pub async fn recognise<M: Memory>(
    chain: &impl Heads,
    base: &Path,
    limit: Option<Duration>,
) -> Result<Guard<M>> {
    let end = limit.map(|limit| tokio::time::Instant::now() + limit);
    let mut told: Option<Reason> = None;
    loop {
        let reason = match meet(chain, base).await? {
            Ok(guard) => {
                if told.is_some() {
                    tracing::info!("the chain is known now; going on");
                }
                return Ok(guard);
            }
            Err(reason) => reason,
        };
        if end.is_some_and(|end| tokio::time::Instant::now() >= end) {
            return Err(Error::TimedOut(reason.to_string()));
        }
        if !told.is_some_and(|told| told.is_like(&reason)) {
            tracing::info!("waiting: {reason}");
            told = Some(reason);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Path of what belongs at `base` for another chain than the first one there: the first half of the
/// hash of that chain's block 1 comes after the name.
fn beside(base: &Path, identity: &Identity) -> PathBuf {
    let (half, _) = identity.first.split_at(8);
    let mut name = base.file_stem().unwrap_or_default().to_owned();
    name.push(".");
    name.push(to_hex(half).trim_start_matches("0x"));
    if let Some(extension) = base.extension() {
        name.push(".");
        name.push(extension);
    }
    base.with_file_name(name)
}

/// Existing paths at `base` and next to it, of any chain.
fn known(base: &Path) -> Result<Vec<PathBuf>> {
    let folder = base.parent().filter(|f| !f.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let doing = format!("reading {}", folder.display());
    let names = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        names => names.context(&doing)?,
    };
    let text =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, extension) = (text(base.file_stem()), text(base.extension()));
    let is_beside = |name: &str| {
        let rest = name
            .strip_prefix(&stem)
            .and_then(|rest| rest.strip_prefix('.'));
        let half = rest.map(|rest| match rest.split_once('.') {
            Some((half, end)) => (half, end),
            None => (rest, ""),
        });
        half.is_some_and(|(half, end)| {
            end == extension && half.len() == 16 && half.bytes().all(|c| c.is_ascii_hexdigit())
        })
    };
    let mut found = Vec::new();
    for name in names {
        let name = name.context(&doing)?.file_name();
        if Some(name.as_os_str()) == base.file_name() || is_beside(&name.to_string_lossy()) {
            found.push(folder.join(name));
        }
    }
    found.sort();
    Ok(found)
}

impl Heads for Connection {
    fn genesis(&self) -> Hash {
        Connection::genesis(self)
    }

    async fn finalised_block(&self) -> Result<Block> {
        let at = self.finalised().await?;
        Ok(Block {
            number: at.number(),
            hash: at.hash(),
        })
    }

    async fn best_number(&self) -> Result<u64> {
        Ok(self.best().await?.number())
    }

    async fn hash_at(&self, number: u64) -> Result<Option<Hash>> {
        match self.hash_of_number(number).await? {
            Some(hash) => Ok(Some(hash)),
            None => self.finalised().await?.hash_before(number).await,
        }
    }
}

impl At {
    /// The hash of one of the blocks before this one that its state knows, the last 4,096.
    async fn hash_before(&self, number: u64) -> Result<Option<Hash>> {
        let Ok(short) = u32::try_from(number) else {
            return Ok(None);
        };
        let key = block_hash_key(short);
        self.raw_value(key, "System.BlockHash").await
    }
}

/// The key of `System.BlockHash`. Made by hand: the map is part of `frame_system`, and its name and
/// hasher never change.
fn block_hash_key(number: u32) -> Vec<u8> {
    let number = number.to_le_bytes();
    let mut key = [twox_128(b"System"), twox_128(b"BlockHash")].concat();
    key.extend(twox_64(&number));
    key.extend(number);
    key
}

#[cfg(test)]
mod tests;
