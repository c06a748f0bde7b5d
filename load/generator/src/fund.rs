// SPDX-License-Identifier: Apache-2.0

//! Gives accounts what they need, from one rich account. Accounts that have it are left alone.

use crate::refusal::Meaning;
use crate::{
    accounts::account,
    chain::{Call, Chain, Head},
    error::{Error, Result},
    rpc::{to_hex, Trouble},
    sign::Hash,
};
use jsonrpsee::rpc_params;
use serde::{de::IgnoredAny, Serialize};
use std::time::{Duration, Instant};
use subxt_signer::sr25519::Keypair;

/// Transfers in one batch, where the runtime has batches.
const BATCH: usize = 100;
/// Transactions of the rich account outside blocks; far below what pools hold.
const WAVE: usize = 1_000;
/// The same for batches, which fill blocks.
const BATCH_WAVE: usize = 20;
/// The time in which a wave has to make progress.
const PROGRESS: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(250);

/// What was done.
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

/// What an account needs at least, and what it gets when it has less.
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

fn batches(chain: &Chain, calls: &[Call]) -> Result<Vec<Call>> {
    calls.chunks(BATCH).map(|part| chain.batch(part)).collect()
}

/// Sends calls of one account in order, so many at a time, and waits until all are final.
pub async fn send_all(
    chain: &Chain,
    key: &Keypair,
    calls: &[Call],
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
    let (mut sent, mut included) = (0, 0);
    let mut progress = Instant::now();
    while included < calls.len() {
        let room = (included + wave).min(calls.len());
        while sent < room {
            let Some(call) = calls.get(sent) else { break };
            let signed = chain.sign(key, call, start + sent as u64, None)?;
            let params = rpc_params![to_hex(&signed.bytes)];
            let method = "author_submitExtrinsic";
            match chain.rpc.request::<IgnoredAny>(method, params).await {
                Ok(_) => sent += 1,
                Err(Trouble::Refused(refusal)) if refusal.meaning() == Meaning::NoRoom => break,
                Err(Trouble::Refused(refusal)) if refusal.meaning() != Meaning::Never => sent += 1,
                Err(trouble) => return Err(chain.rpc.error(method, trouble)),
            }
        }
        tokio::time::sleep(POLL).await;
        let now = used(Head::Best).await?;
        if now > included {
            included = now;
            sent = sent.max(included);
            progress = Instant::now();
        }
        in_time(progress, "funding comes into blocks")?;
    }
    while used(Head::Final).await? < calls.len() {
        in_time(progress, "funding becomes final")?;
        tokio::time::sleep(POLL).await;
    }
    Ok(())
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
