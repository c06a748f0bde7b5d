// SPDX-License-Identifier: Apache-2.0

//! Follows the chain, best and final, block by block. Every block is read once, those between two
//! notifications too; of a block only the hashes of its transactions are kept.

use crate::error::{Error, Result};
use codec::{Compact, Decode, Encode};
use polkadot_sdk::sp_crypto_hashing::blake2_256;
use serde::{de::Visitor, Deserialize, Deserializer};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc::{channel, Receiver, Sender},
    task::JoinHandle,
};
use tos_sdk::{
    any_chain::{self, Hash, Header},
    error::Error as SdkError,
    rpc::{rpc_params, Limits, Rpc, RpcSubscription},
};
use tos_types::json::{self, from_hex, to_hex};

/// Blocks that are read at most to fill a gap.
const GAP: usize = 10_000;
/// Notifications that may wait for their reader.
const QUEUE: usize = 1_024;
/// Attempts to connect again, and the pause before each.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its height.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// The block before it.
    pub parent: Hash,
    /// The time in its timestamp, milliseconds since 1970.
    pub timestamp_ms: Option<u64>,
    /// The hashes of what is in it, what its author put there included.
    pub extrinsics: Vec<Hash>,
    /// Their length together, in bytes.
    pub bytes: usize,
}

/// News about the chain.
#[derive(Debug)]
pub enum Event {
    /// Blocks joined the best chain, oldest first, and others left it.
    Best {
        /// New ones.
        joined: Vec<Arc<Block>>,
        /// Those that are no longer part of it.
        left: Vec<Arc<Block>>,
        /// Time at which the node said so.
        at: Instant,
    },
    /// Blocks became final, oldest first.
    Final {
        /// They.
        blocks: Vec<Arc<Block>>,
        /// Blocks that were of the best chain and never can be again.
        left: Vec<Arc<Block>>,
        /// Time at which the node said so.
        at: Instant,
    },
    /// The node cannot be followed any more.
    Over(Error),
}

/// Follows until it is dropped.
pub struct Follower {
    /// Events, as they happen.
    pub events: Receiver<Event>,
    task: JoinHandle<()>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Follower {
    /// Follows a node from a final block on, without that one. `timestamp` has the numbers of
    /// the call `Timestamp.set`.
    pub async fn start(
        url: &str,
        timestamp: Option<(u8, u8)>,
        from: any_chain::Block,
    ) -> Result<Self> {
        let feeds = Feeds::open(url).await?;
        let (sender, events) = channel(QUEUE);
        let mut walk = Walk {
            timestamp,
            known: HashMap::new(),
            best: from.hash,
            last: from,
        };
        let url = url.to_owned();
        let task = tokio::spawn(async move {
            if let Err(error) = follow(&url, feeds, &mut walk, &sender).await {
                let _ = sender.send(Event::Over(error)).await;
            }
        });
        Ok(Self { events, task })
    }
}

struct Feeds {
    rpc: Rpc,
    best: RpcSubscription<Header>,
    finalised: RpcSubscription<Header>,
}

impl Feeds {
    async fn open(url: &str) -> Result<Self> {
        let rpc = Rpc::connect(url, Limits::LARGE).await?;
        let best = rpc.subscribe("chain_subscribeNewHeads", "chain_unsubscribeNewHeads");
        let finals = "chain_subscribeFinalizedHeads";
        let finalised = rpc.subscribe(finals, "chain_unsubscribeFinalizedHeads");
        let (best, finalised) = tokio::try_join!(best, finalised)?;
        Ok(Self {
            rpc,
            best,
            finalised,
        })
    }
}

async fn follow(url: &str, mut feeds: Feeds, walk: &mut Walk, out: &Sender<Event>) -> Result<()> {
    loop {
        let Err(error) = pump(&mut feeds, walk, out).await else {
            // The receiver is gone.
            return Ok(());
        };
        let mut again = Err(error);
        for _ in 0..ATTEMPTS {
            tokio::time::sleep(PAUSE).await;
            again = Feeds::open(url).await;
            if again.is_ok() {
                break;
            }
        }
        // The walk fills the gap, from the last block it knows.
        feeds = again?;
    }
}

async fn pump(feeds: &mut Feeds, walk: &mut Walk, out: &Sender<Event>) -> Result<()> {
    let rpc = feeds.rpc.clone();
    let gone = || Error::from(rpc.gone("the subscription ended"));
    loop {
        let event = tokio::select! {
            head = feeds.best.next() => match head {
                Some(Ok(head)) => walk.best(&feeds.rpc, &head).await?,
                _ => return Err(gone()),
            },
            head = feeds.finalised.next() => match head {
                Some(Ok(head)) => walk.finalised(&feeds.rpc, &head).await?,
                _ => return Err(gone()),
            },
        };
        if let Some(event) = event {
            if out.send(event).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// Position of the follower on the chain.
struct Walk {
    /// The numbers of `Timestamp.set`.
    timestamp: Option<(u8, u8)>,
    /// Blocks since the last final one, on whatever branch.
    known: HashMap<Hash, Arc<Block>>,
    best: Hash,
    last: any_chain::Block,
}

impl Walk {
    async fn best(&mut self, rpc: &Rpc, head: &Header) -> Result<Option<Event>> {
        let at = Instant::now();
        let hash = blake2_256(&head.encode());
        if hash == self.best || head.number <= self.last.number {
            return Ok(None);
        }
        let new = self.chain_to(rpc, hash).await?;
        let old = self.held_chain_to(self.best);
        let kept: HashSet<_> = new.iter().map(|block| block.hash).collect();
        let left: Vec<_> = old
            .into_iter()
            .filter(|b| !kept.contains(&b.hash))
            .collect();
        let before: HashSet<_> = self
            .held_chain_to(self.best)
            .iter()
            .map(|block| block.hash)
            .collect();
        let joined = new
            .into_iter()
            .filter(|block| !before.contains(&block.hash))
            .collect();
        self.best = hash;
        Ok(Some(Event::Best { joined, left, at }))
    }

    async fn finalised(&mut self, rpc: &Rpc, head: &Header) -> Result<Option<Event>> {
        let at = Instant::now();
        let hash = blake2_256(&head.encode());
        if head.number <= self.last.number {
            return Ok(None);
        }
        let blocks = self.chain_to(rpc, hash).await?;
        self.last = any_chain::Block {
            number: head.number,
            hash,
        };
        let kept: HashSet<_> = blocks.iter().map(|block| block.hash).collect();
        let mut left = self.held_chain_to(self.best);
        left.retain(|block| block.number <= head.number && !kept.contains(&block.hash));
        if !left.is_empty() {
            // Nothing on top of those remains either, until the node names another best block.
            self.best = hash;
        }
        let last = head.number;
        self.known.retain(|_, block| block.number > last);
        Ok(Some(Event::Final { blocks, left, at }))
    }

    /// All blocks after the last final one up to `hash`, oldest first; reads those it does not hold.
    async fn chain_to(&mut self, rpc: &Rpc, hash: Hash) -> Result<Vec<Arc<Block>>> {
        let mut blocks = Vec::new();
        let mut next = hash;
        while next != self.last.hash {
            let block = match self.known.get(&next) {
                Some(block) => Arc::clone(block),
                None => {
                    let block = Arc::new(read(rpc, next, self.timestamp).await?);
                    self.known.insert(next, Arc::clone(&block));
                    block
                }
            };
            if block.number <= self.last.number || blocks.len() >= GAP {
                // Another branch, which cannot become final any more.
                break;
            }
            next = block.parent;
            blocks.push(block);
        }
        blocks.reverse();
        Ok(blocks)
    }

    fn held_chain_to(&self, hash: Hash) -> Vec<Arc<Block>> {
        let mut blocks = Vec::new();
        let mut next = hash;
        while let Some(block) = self.known.get(&next) {
            next = block.parent;
            blocks.push(Arc::clone(block));
        }
        blocks
    }
}

/// A number as nodes write it in headers.
fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// Reads a block.
async fn read(rpc: &Rpc, hash: Hash, timestamp: Option<(u8, u8)>) -> Result<Block> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head {
        number: String,
        #[serde(with = "json::hash")]
        parent_hash: Hash,
    }
    #[derive(Deserialize)]
    struct Body {
        header: Head,
        extrinsics: Vec<Extrinsic>,
    }
    #[derive(Deserialize)]
    struct Answer {
        block: Body,
    }
    let params = rpc_params![to_hex(&hash)];
    let answer: Option<Answer> = rpc.call("chain_getBlock", params).await?;
    let odd = || {
        let why = "the node does not have a block it told of; does it prune blocks?";
        SdkError::Failed(format!("chain_getBlock: {why}"))
    };
    let body = answer.ok_or_else(odd)?.block;
    let timestamp_ms = timestamp.and_then(|index| {
        let mut short = body.extrinsics.iter().filter_map(|x| x.short.as_deref());
        short.find_map(|bytes| time_in(bytes, index))
    });
    Ok(Block {
        number: number(&body.header.number).ok_or_else(odd)?,
        hash,
        parent: body.header.parent_hash,
        timestamp_ms,
        bytes: body.extrinsics.iter().map(|x| x.length).sum(),
        extrinsics: body.extrinsics.into_iter().map(|x| x.hash).collect(),
    })
}

/// The hashes of the transactions that the pool holds ready.
pub async fn pool(rpc: &Rpc) -> Result<Vec<Hash>> {
    let all: Vec<Extrinsic> = rpc.call("author_pendingExtrinsics", rpc_params![]).await?;
    Ok(all.into_iter().map(|extrinsic| extrinsic.hash).collect())
}

/// The time that a `Timestamp.set` extrinsic sets.
fn time_in(mut bytes: &[u8], (pallet, call): (u8, u8)) -> Option<u64> {
    let input = &mut bytes;
    let _length = Compact::<u32>::decode(input).ok()?;
    let [version, at, name] = <[u8; 3]>::decode(input).ok()?;
    // Without a signature, in either format.
    let bare = matches!(version, 4 | 5);
    if !bare || (at, name) != (pallet, call) {
        return None;
    }
    Compact::<u64>::decode(input).ok().map(|time| time.0)
}

/// A transaction, hashed while its text is read.
struct Extrinsic {
    hash: Hash,
    length: usize,
    /// Its bytes where they are few.
    short: Option<Vec<u8>>,
}

/// A longer one is no timestamp.
const SHORT: usize = 24;

impl<'de> Deserialize<'de> for Extrinsic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Extrinsic;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("bytes as 0x…")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Extrinsic, E> {
                let bytes = from_hex(text).ok_or_else(|| E::custom("not hexadecimal"))?;
                Ok(Extrinsic {
                    hash: blake2_256(&bytes),
                    length: bytes.len(),
                    short: (bytes.len() <= SHORT).then_some(bytes),
                })
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_hashed_as_it_is_encoded() {
        let text = format!("[\"0x{}\", \"0x280403\"]", "ab".repeat(100));
        let read: Vec<Extrinsic> = serde_json::from_str(&text).expect("two transactions");
        assert_eq!(read[0].hash, blake2_256(&[0xab; 100]));
        assert_eq!((read[0].length, read[0].short.is_none()), (100, true));
        assert_eq!(read[1].short.as_deref(), Some(&[0x28, 4, 3][..]));
        assert!(serde_json::from_str::<Vec<Extrinsic>>("[\"0x0\"]").is_err());
    }

    #[test]
    fn the_number_of_a_block_is_hexadecimal() {
        assert_eq!(number("0x10"), Some(16));
        assert_eq!(number("16"), None);
    }

    #[test]
    fn the_time_of_a_block_is_read_from_its_timestamp_alone() {
        let time = 1_764_000_000_123u64;
        let mut body = vec![5, 3, 0];
        Compact(time).encode_to(&mut body);
        let bytes = [Compact(body.len() as u32).encode(), body].concat();
        assert_eq!(time_in(&bytes, (3, 0)), Some(time));
        assert_eq!(time_in(&bytes, (3, 1)), None);
        assert_eq!(time_in(&bytes[..4], (3, 0)), None);
        assert_eq!(time_in(&[], (3, 0)), None);
    }
}
