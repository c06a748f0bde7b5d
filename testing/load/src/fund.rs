// SPDX-License-Identifier: Apache-2.0

//! Gives accounts what they need, from one rich account. Accounts that have it are left alone.

use crate::{
    accounts::account,
    error::{Error, Result},
    pool_error::Meaning,
};
use serde::Serialize;
use std::time::{Duration, Instant};
use tos_sdk::{
    any_chain::{self, Chain, EncodedCall, Hash, Head},
    keys::Keypair,
    pool_error::PoolError,
    rpc::RequestError,
};

/// Transfers in one batch, where the runtime has batches.
const BATCH: usize = 100;
/// Transactions of the rich account outside blocks; far below what pools hold.
const WAVE: usize = 1_000;
/// The same for batches, which fill blocks.
const BATCH_WAVE: usize = 20;
/// The time in which a wave has to make progress.
const PROGRESS: Duration = Duration::from_secs(60);
/// The time after which what is in no block is offered again: some nodes lose what waits for an
/// earlier transaction of the same account.
const AGAIN: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(250);

/// Result of funding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Funded {
    /// Accounts that got something.
    pub funded: usize,
    /// Accounts that had enough.
    pub skipped: usize,
    /// Transactions it took.
    pub transactions: usize,
    /// The time it took.
    pub seconds: f64,
}

/// The least that an account needs; with less it is funded.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// The account.
    pub who: Hash,
    /// The least it must own.
    pub least: u128,
}

/// Funds accounts; returns when it is final.
pub async fn fund(chain: &Chain, rich: &Keypair, needs: &[Need]) -> Result<Funded> {
    let began = Instant::now();
    let at = chain.head(Head::Best).await?.hash;
    let who: Vec<_> = needs.iter().map(|need| need.who).collect();
    let owned = chain.accounts(&who, &at).await?;
    let mut calls = Vec::new();
    let mut total = 0u128;
    for (need, owned) in needs.iter().zip(&owned) {
        if owned.free < need.least {
            // Twice as much, so that the next run need not fund again.
            let amount = need.least.saturating_mul(2).saturating_sub(owned.free);
            total = total.saturating_add(amount);
            calls.push(chain.transfer(&need.who, amount)?);
        }
    }
    let mut done = Funded {
        funded: calls.len(),
        skipped: needs.len() - calls.len(),
        ..Funded::default()
    };
    if calls.is_empty() {
        return Ok(done);
    }
    let source = account(rich);
    let rich_owns = chain.accounts(&[source], &at).await?;
    let (start, free) = rich_owns.first().map_or((0, 0), |a| (a.nonce, a.free));
    if free <= total {
        return Err(Error::Poor {
            owned: free,
            needed: total,
        });
    }
    let (calls, wave) = match chain.has_call("Utility", "batch_all") {
        true => (batches(chain, &calls)?, BATCH_WAVE),
        false => (calls, WAVE),
    };
    done.transactions = calls.len();
    send_all(chain, rich, &calls, start, wave).await?;
    done.seconds = began.elapsed().as_secs_f64();
    Ok(done)
}

fn batches(chain: &Chain, calls: &[EncodedCall]) -> Result<Vec<EncodedCall>> {
    let batches = calls.chunks(BATCH).map(|part| chain.batch(part));
    Ok(batches.collect::<Result<_, _>>()?)
}

/// Sends calls of one account in order, so many at a time, and waits until all are final.
pub async fn send_all(
    chain: &Chain,
    key: &Keypair,
    calls: &[EncodedCall],
    start: u64,
    wave: usize,
) -> Result<()> {
    let who = account(key);
    let used = |which| async move {
        let at = chain.head(which).await?.hash;
        let state = chain.accounts(&[who], &at).await?;
        let nonce = state.first().map_or(0, |account| account.nonce);
        Ok::<_, Error>(usize::try_from(nonce.saturating_sub(start)).unwrap_or(usize::MAX))
    };
    let mut row = Row::new(Instant::now());
    while row.included < calls.len() {
        let room = (row.included + wave).min(calls.len());
        while row.sent < room {
            let Some(call) = calls.get(row.sent) else {
                break;
            };
            let signed = chain.sign(key, call, start + row.sent as u64, None)?;
            let refusal = match any_chain::submit(chain.rpc(), &signed.bytes).await {
                Ok(()) => {
                    row.sent += 1;
                    continue;
                }
                Err(RequestError::Refused(refusal)) => refusal,
                Err(error) => return Err(chain.rpc().error(any_chain::SUBMIT, error).into()),
            };
            match Meaning::of(&refusal) {
                // Signing again gives other bytes: the pool has what was offered before.
                _ if PoolError::of(&refusal) == PoolError::LowPriority => row.sent += 1,
                Meaning::NoRoom => break,
                Meaning::Known | Meaning::Stale => row.sent += 1,
                Meaning::Never => {
                    let error = RequestError::Refused(refusal);
                    return Err(chain.rpc().error(any_chain::SUBMIT, error).into());
                }
            }
        }
        tokio::time::sleep(POLL).await;
        row.note(used(Head::Best).await?, Instant::now());
        in_time(row.moved, "funding comes into blocks")?;
    }
    let progress = row.moved;
    while used(Head::Final).await? < calls.len() {
        in_time(progress, "funding becomes final")?;
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Progress of consecutive transactions of one account.
struct Row {
    /// So many were offered.
    sent: usize,
    /// So many are in blocks.
    included: usize,
    /// Time at which the last of them got there.
    moved: Instant,
    /// Time at which those in no block were offered from the first on.
    offered: Instant,
}

impl Row {
    fn new(now: Instant) -> Self {
        Self {
            sent: 0,
            included: 0,
            moved: now,
            offered: now,
        }
    }

    /// Takes in how many are in blocks now. Where none has come for a while, all others are to be
    /// offered again: to a node that still has them, that changes nothing.
    fn note(&mut self, included: usize, now: Instant) {
        if included > self.included {
            self.included = included;
            self.sent = self.sent.max(included);
            (self.moved, self.offered) = (now, now);
        } else if now.duration_since(self.offered) >= AGAIN {
            self.sent = self.included;
            self.offered = now;
        }
    }
}

fn in_time(since: Instant, what: &str) -> Result<()> {
    if since.elapsed() > PROGRESS {
        return Err(Error::TimedOut {
            what: what.into(),
            seconds: PROGRESS.as_secs(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_into_no_block_is_offered_again_from_the_first_on_and_not_at_every_look() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut row = Row::new(began);
        row.sent = 100;
        row.note(40, at(5));
        row.note(40, at(24));
        assert_eq!((row.included, row.sent), (40, 100));
        row.note(40, at(25));
        assert_eq!((row.included, row.sent), (40, 40));
        // Once, until as much time has passed again.
        row.sent = 100;
        row.note(40, at(44));
        assert_eq!(row.sent, 100);
        row.note(40, at(45));
        assert_eq!(row.sent, 40);
        // The time to give up counts from the last progress, however often it was tried.
        assert_eq!(row.moved, at(5));
    }

    #[test]
    fn what_others_brought_into_blocks_is_not_offered() {
        let began = Instant::now();
        let mut row = Row::new(began);
        row.note(7, began);
        assert_eq!((row.included, row.sent), (7, 7));
    }
}
