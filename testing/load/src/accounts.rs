// SPDX-License-Identifier: Apache-2.0

//! The accounts of a run: derived from one secret, so that the next run finds them funded.

use crate::error::{Error, Result};
use std::thread;
use tos_sdk::{
    any_chain::Hash,
    error::Context,
    keys::{Keypair, Scheme},
};

/// The most accounts of one kind.
pub const MAX_ACCOUNTS: u32 = 100_000;

/// Kind of accounts.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Those that sign.
    Sender,
    /// Those that only receive: what they own proves what was executed.
    Sink,
    /// Those that publish tasks.
    Publisher,
    /// Those that answer them.
    Miner,
    /// Those that judge the answers.
    Judge,
}

impl Kind {
    fn path(self) -> &'static str {
        match self {
            Self::Sender => "tos-load",
            Self::Sink => "tos-load-sink",
            Self::Publisher => "tos-load-publisher",
            Self::Miner => "tos-load-miner",
            Self::Judge => "tos-load-judge",
        }
    }
}

/// The key of `//Alice`, a phrase or a hexadecimal seed.
pub fn key(suri: &str) -> Result<Keypair> {
    let pair = Keypair::from_suri(Scheme::Sr25519, suri);
    pair.map_err(|error| Error::Usage(format!("--rich: {error}")))
}

/// The bytes of its account.
pub fn account(key: &Keypair) -> Hash {
    key.account().into()
}

/// `count` keys of one kind, as the hard junctions `//tos-load//0`, `//tos-load//1`, … below `root`,
/// derived on all cores.
pub fn derive(root: &Keypair, kind: Kind, count: u32) -> Result<Vec<Keypair>> {
    let base = root.derive_hard(kind.path())?;
    let indices: Vec<u32> = (0..count).collect();
    on_all_cores(&indices, |index| Ok(base.derive_hard(index)?))
}

/// Maps a list on all cores, in order.
pub fn on_all_cores<T: Sync, R: Send>(
    items: &[T],
    map: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(cores).max(1);
    let parts: Vec<Result<Vec<R>>> = thread::scope(|scope| {
        let workers: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(|| part.iter().map(&map).collect()))
            .collect();
        let ended = workers.into_iter().map(|worker| {
            let result = worker.join().map_err(|_| "a worker thread panicked");
            result.context("working on all cores")?
        });
        ended.collect()
    });
    let mut all = Vec::with_capacity(items.len());
    for part in parts {
        all.extend(part?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_rich_account_is_the_well_known_one() {
        let alice = account(&key("//Alice").expect("a path"));
        assert_eq!(alice[..4], [0xd4, 0x35, 0x93, 0xc7]);
        assert!(key("//Alice").is_ok());
        let error = key("correct horse battery").err().map(|e| e.to_string());
        assert!(!error.expect("no phrase").contains("horse"));
    }

    #[test]
    fn accounts_are_distinct_ordered_and_the_same_every_time() {
        let root = key("//Alice").expect("a path");
        let senders = derive(&root, Kind::Sender, 20).expect("derives");
        let sinks = derive(&root, Kind::Sink, 20).expect("derives");
        let all: BTreeSet<_> = senders.iter().chain(&sinks).map(account).collect();
        assert_eq!(all.len(), 40);
        let fewer = derive(&root, Kind::Sender, 7).expect("derives");
        for (a, b) in fewer.iter().zip(&senders) {
            assert_eq!(account(a), account(b));
        }
        let path = key("//Alice//tos-load//3").expect("a path");
        assert_eq!(account(&path), account(&senders[3]));
    }

    #[test]
    fn work_on_all_cores_keeps_its_order_and_its_errors() {
        let numbers: Vec<u32> = (0..1_001).collect();
        let doubled = on_all_cores(&numbers, |n| Ok(n * 2)).expect("no error");
        assert!(doubled.iter().zip(&numbers).all(|(d, n)| *d == n * 2));
        assert!(on_all_cores(&numbers, |n| match n {
            700 => Err(Error::Usage("no".into())),
            n => Ok(*n),
        })
        .is_err());
        assert!(on_all_cores(&[0u8; 0], |n| Ok(*n))
            .expect("nothing")
            .is_empty());
    }
}
