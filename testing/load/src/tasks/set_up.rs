// SPDX-License-Identifier: Apache-2.0

//! The actors of a domain load: funded, registered and certified. Those of an earlier run are used
//! again.

use super::{actors, Tasks};
use crate::{
    accounts::{account, derive, key, Kind},
    error::{Error, Result},
    fund::{fund, send_all, Need},
};
use codec::Encode;
use futures::{stream, StreamExt, TryStreamExt};
use std::time::{Duration, Instant};
use tokio::task::block_in_place;
use tos_sdk::{
    any_chain::{self, Chain, EncodedCall, Hash, Head},
    keys::Keypair,
    pool_error::PoolError,
    rpc::RequestError,
};
use tos_types::{
    params::{MAX_CONCURRENT_PANELS, MAX_CONCURRENT_TASKS},
    task::Certification,
    Tick, TOS,
};

/// Certificates in one transaction of the superuser.
const CERTIFICATES: usize = 25;
/// Funds that a miner or a judge needs for its stake, in wei.
const STAKE: u128 = 60 * TOS;
/// Registrations that are on their way at once.
const AT_ONCE: usize = 64;
/// The time in which registrations have to come into blocks.
const REGISTERED: Duration = Duration::from_secs(120);

/// An account that acts.
pub struct Actor {
    /// Signs.
    pub key: Keypair,
    /// Its account.
    pub who: Hash,
    /// Its next nonce.
    pub nonce: u64,
}

/// All of them, in the order publishers, miners, judges.
pub struct Cast {
    /// They.
    pub actors: Vec<Actor>,
    /// The number of publishers.
    pub publishers: usize,
    /// The number of miners.
    pub miners: usize,
}

/// Number of miners and judges that so many tasks at once need.
pub fn numbers(in_flight: u32, answers: u32) -> (u32, u32) {
    let miners = (in_flight * answers)
        .div_ceil(MAX_CONCURRENT_TASKS)
        .max(answers);
    // Seats of the first round, filled to the half, because draws are random.
    let seats = in_flight * actors::DIFFICULTY.panel_size() * 2;
    (miners, seats.div_ceil(MAX_CONCURRENT_PANELS).max(8))
}

/// Makes them ready.
pub async fn set_up(chain: &Chain, it: &Tasks) -> Result<Cast> {
    for (pallet, call) in [
        ("Tasks", "publish"),
        ("Miners", "certify"),
        ("Sudo", "sudo"),
    ] {
        if !chain.has_call(pallet, call) {
            return Err(Error::Unsupported(format!("has no call {pallet}.{call}")));
        }
    }
    let root = key(&it.common.rich)?;
    let (miners, judges) = numbers(it.in_flight, it.answers);
    let publishers = it.common.accounts.min(it.in_flight);
    let keys = block_in_place(|| -> Result<_> {
        let mut keys = derive(&root, Kind::Publisher, publishers)?;
        keys.extend(derive(&root, Kind::Miner, miners)?);
        keys.extend(derive(&root, Kind::Judge, judges)?);
        Ok(keys)
    })?;
    let each = u128::from(it.tasks.div_ceil(publishers));
    let needs: Vec<_> = (0u32..)
        .zip(&keys)
        .map(|(at, key)| Need {
            who: account(key),
            least: match at < publishers {
                // Reward, a tenth of it as stake, and fees.
                true => (actors::REWARD * 11 / 10 + TOS) * each + TOS,
                false => STAKE,
            },
        })
        .collect();
    fund(chain, &root, &needs).await?;

    let at = chain.head(Head::Best).await?.hash;
    let who: Vec<Hash> = keys.iter().map(account).collect();
    let states = chain.accounts(&who, &at).await?;
    let cast = keys.into_iter().zip(who).zip(states);
    let mut actors: Vec<_> = cast
        .map(|((key, who), state)| Actor {
            key,
            who,
            nonce: state.nonce,
        })
        .collect();
    let (publishers, miners) = (publishers as usize, miners as usize);
    register(chain, &mut actors, publishers, miners).await?;
    let judges: Vec<_> = actors
        .iter()
        .skip(publishers + miners)
        .map(|a| a.who)
        .collect();
    certify(chain, &root, &judges).await?;
    Ok(Cast {
        actors,
        publishers,
        miners,
    })
}

/// Registers those that are not registered: an earlier run's are.
async fn register(
    chain: &Chain,
    actors: &mut [Actor],
    publishers: usize,
    miners: usize,
) -> Result<()> {
    let at = chain.head(Head::Best).await?.hash;
    let types = vec![actors::TYPE].encode();
    let miner = chain.call("Miners", "register", types.clone())?;
    let judge = chain.call("Judges", "register", types)?;
    let asked = stream::iter(actors.iter_mut().enumerate().skip(publishers));
    let asked = asked.map(|(place, actor)| {
        let is_miner = place < publishers + miners;
        let (function, call) = match is_miner {
            true => ("TosApi_miner", &miner),
            false => ("TosApi_judge", &judge),
        };
        async move {
            let known = chain.call_api(function, &actor.who, &at).await?;
            if known.first() == Some(&1) {
                return Ok(None);
            }
            let signed = chain.sign(&actor.key, call, actor.nonce, None)?;
            match any_chain::submit(chain.rpc(), &signed.bytes).await {
                Ok(()) => {}
                Err(RequestError::Refused(refusal))
                    if PoolError::of(&refusal) == PoolError::AlreadyImported => {}
                Err(error) => return Err(chain.rpc().error(any_chain::SUBMIT, error).into()),
            }
            actor.nonce += 1;
            Ok::<_, Error>(Some((actor.who, actor.nonce)))
        }
    });
    let sent: Vec<_> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
    let sent: Vec<_> = sent.into_iter().flatten().collect();
    let who: Vec<Hash> = sent.iter().map(|(who, _)| *who).collect();
    let began = Instant::now();
    loop {
        let at = chain.head(Head::Final).await?.hash;
        let states = chain.accounts(&who, &at).await?;
        if states
            .iter()
            .zip(&sent)
            .all(|(state, sent)| state.nonce >= sent.1)
        {
            return Ok(());
        }
        if began.elapsed() > REGISTERED {
            return Err(Error::TimedOut {
                what: "miners and judges are registered".into(),
                seconds: REGISTERED.as_secs(),
            });
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Certifies accounts by the superuser, so that they may judge at once.
async fn certify(chain: &Chain, root: &Keypair, who: &[Hash]) -> Result<()> {
    let certificate = |who: &Hash| {
        let arguments = (who, Certification::Expert, Tick::MAX).encode();
        chain.call("Miners", "certify", arguments)
    };
    let mut calls = Vec::new();
    for part in who.chunks(CERTIFICATES) {
        let part: Vec<EncodedCall> = part.iter().map(certificate).collect::<Result<_, _>>()?;
        let batch = chain.encode(&chain.batch(&part)?)?;
        calls.push(chain.call("Sudo", "sudo", batch)?);
    }
    let at = chain.head(Head::Best).await?.hash;
    let nonce = chain.accounts(&[account(root)], &at).await?;
    let nonce = nonce.first().map_or(0, |state| state.nonce);
    send_all(chain, root, &calls, nonce, 8).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_enough_miners_and_judges_for_the_tasks_at_once() {
        for (in_flight, answers) in [(1, 1), (10, 3), (1_000, 2), (5_000, 8)] {
            let (miners, judges) = numbers(in_flight, answers);
            assert!(miners * MAX_CONCURRENT_TASKS >= in_flight * answers);
            assert!(miners >= answers);
            assert!(judges * MAX_CONCURRENT_PANELS >= in_flight * 3 * 2);
        }
    }
}
