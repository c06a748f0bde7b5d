// SPDX-License-Identifier: Apache-2.0

//! The server of a provider, over HTTP.
//!
//! | path | answer |
//! |---|---|
//! | `/blake3/HASH` | the content of a replica, unsealed and decoded |
//! | `/replicas/ID/proof/WINDOW` | the committee proof of a window |
//! | `/replicas/ID/roots` | the roots of all sealed chunks, 32 bytes each |
//! | `/replicas/ID/chunks/FIRST-COUNT` | sealed chunks as they lie on disk, at most 64 |
//! | `/windows/WINDOW/groups/GROUP` | SCALE list of (place, previous leaf) |
//!
//! Nothing needs to be believed: proofs, roots and chunks are checked against commitments on chain,
//! content against its hash.

use super::prover::{ProverError, ReplicaProver};
use codec::Encode;
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    io::{self, Write},
    sync::Arc,
};
use tokio::task::AbortHandle;
use tos_sdk::{
    chain::Connection,
    content::{self, Answer, Probing, Source, BINARY, PREFIX},
    error::{Context, Result},
    http::Http,
    span,
};
use tos_types::ReplicaId;

/// The most chunks of one answer.
pub const MAX_CHUNKS: u64 = 64;
/// Roots read from disk at a time.
const ROOTS_AT_ONCE: usize = 1_024;

/// Subject of a request.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Content([u8; 32]),
    Proof(ReplicaId, u64),
    Roots(ReplicaId),
    Chunks(ReplicaId, u64, u64),
    Previous(u64, u32),
}

impl Wanted {
    fn parse(path: &str) -> Option<Self> {
        if let Some(name) = path.strip_prefix(PREFIX) {
            return tos_sdk::hex::parse_hex::<32>(name).ok().map(Self::Content);
        }
        let mut parts = path.strip_prefix('/')?.split('/');
        let next = &mut || parts.next();
        let wanted = match (next()?, next()?, next()?) {
            ("replicas", id, what) => {
                let id = ReplicaId::parse(id)?;
                match what {
                    "proof" => Self::Proof(id, next()?.parse().ok()?),
                    "roots" => Self::Roots(id),
                    "chunks" => {
                        let (first, count) = next()?.split_once('-')?;
                        let count: u64 = count.parse().ok()?;
                        let bounded = (1..=MAX_CHUNKS).contains(&count);
                        Self::Chunks(id, first.parse().ok()?, bounded.then_some(count)?)
                    }
                    _ => return None,
                }
            }
            ("windows", window, "groups") => {
                Self::Previous(window.parse().ok()?, next()?.parse().ok()?)
            }
            _ => return None,
        };
        next().is_none().then_some(wanted)
    }
}

/// Serves a store.
#[derive(Clone)]
pub struct ReplicaServer {
    prover: Arc<ReplicaProver>,
}

impl ReplicaServer {
    /// A server of a store.
    pub fn new(prover: Arc<ReplicaProver>) -> Self {
        Self { prover }
    }
}

/// Serves a store on a listener, until it is aborted. Others ask at the address on chain: whether they reach this server is
/// tried meanwhile, and a failure is logged.
pub async fn serve_on(
    listener: &std::net::TcpListener,
    replicas: ReplicaServer,
    connection: &Connection,
    provider: &AccountId32,
    http: &Http,
) -> Result<AbortHandle> {
    // Before anything runs: what has begun to serve can be aborted by the caller alone.
    let known = connection.best().await?.provider(provider.clone()).await?;
    let listener = listener.try_clone().context("serving")?;
    let listener = tokio::net::TcpListener::from_std(listener).context("serving")?;
    let replicas = Probing::new(replicas);
    let serving = span::spawn(content::serve(listener, replicas.clone())).abort_handle();
    if let Some(known) = known {
        let url = String::from_utf8_lossy(&known.locator).into_owned();
        let probe = replicas.probe(http.clone(), &url);
        span::spawn(async move {
            if let Err(error) = probe.await {
                tracing::warn!(%error, "committees and clients may not reach this provider");
            }
        });
    }
    Ok(serving)
}

impl Source for ReplicaServer {
    fn answer(&self, path: &str) -> Result<Answer> {
        let Some(wanted) = Wanted::parse(path) else {
            return Ok(Answer::Nothing);
        };
        let prover = self.prover.clone();
        let whole = |bytes: Vec<u8>| Answer::Whole(bytes.into(), BINARY);
        Ok(match wanted {
            Wanted::Content(hash) => match prover.with_content(&hash) {
                Some((replica, length)) => {
                    let write = move |to: &mut dyn Write| {
                        prover.read(replica, to).map_err(io::Error::other)
                    };
                    Answer::Long(length, Box::new(write))
                }
                None => Answer::Nothing,
            },
            Wanted::Proof(replica, window) => match prover.seeds().seed(window) {
                Some(seed) => match prover.committee(replica, &seed) {
                    Ok(proof) => whole(proof),
                    Err(ProverError::Damaged) => Answer::Nothing,
                    Err(error) => return Err(error.into()),
                },
                None => Answer::Nothing,
            },
            Wanted::Previous(window, group) => match prover.previous_leaves(window, group)? {
                Some(leaves) => whole(leaves.encode()),
                None => Answer::Nothing,
            },
            Wanted::Roots(replica) => match prover.sealed(replica) {
                Some(sealed) => {
                    let chunks = sealed.chunks();
                    let write = move |to: &mut dyn Write| {
                        for first in (0..chunks).step_by(ROOTS_AT_ONCE) {
                            let roots = prover.chunk_roots(replica, first, ROOTS_AT_ONCE as u64);
                            to.write_all(roots.map_err(io::Error::other)?.as_flattened())?;
                        }
                        Ok(())
                    };
                    Answer::Long(chunks.saturating_mul(32), Box::new(write))
                }
                None => Answer::Nothing,
            },
            Wanted::Chunks(replica, first, count) => match prover.sealed(replica) {
                Some(sealed) if first < sealed.chunks() => {
                    whole(prover.raw_chunks(replica, first, count)?)
                }
                _ => Answer::Nothing,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_paths_with_bounded_numbers_are_answered() {
        let id = ReplicaId([7; 16]);
        let path = |rest: &str| format!("/replicas/{id}/{rest}");
        assert_eq!(Wanted::parse(&path("proof/9")), Some(Wanted::Proof(id, 9)));
        assert_eq!(Wanted::parse(&path("roots")), Some(Wanted::Roots(id)));
        assert_eq!(
            Wanted::parse(&path("chunks/5-64")),
            Some(Wanted::Chunks(id, 5, 64))
        );
        assert_eq!(
            Wanted::parse("/windows/3/groups/4"),
            Some(Wanted::Previous(3, 4))
        );
        let content = format!("/blake3/{}", "00".repeat(32));
        assert_eq!(Wanted::parse(&content), Some(Wanted::Content([0; 32])));
        for bad in [
            "",
            "/",
            "/replicas",
            "/blake3/00",
            "/windows/3/groups",
            "/windows/3/groups/4/5",
            "/windows/-1/groups/4",
            "/replicas/x/roots",
            &path("chunks/5-65"),
            &path("chunks/5-0"),
            &path("chunks/5"),
            &path("proof"),
            &path("secret/1"),
            &path("roots/1"),
            "/../etc/passwd",
        ] {
            assert_eq!(Wanted::parse(bad), None, "{bad}");
        }
    }
}
