// SPDX-License-Identifier: Apache-2.0

//! Asks a provider for proofs and content, and believes nothing that cannot be checked.

use super::{serve::MAX_CHUNKS, ProgressBar};
use codec::DecodeAll;
use hyper::Uri;
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    io::{Read, Write},
    path::Path,
    time::Duration,
};
use tos_replica_store::Partial;
use tos_sdk::{
    content::{self, Clock, Pace, PREFIX},
    error::{Context, Error, Result},
    http::Http,
};
use tos_storage_proofs::{
    chunk_root,
    proof::max_proof_len,
    seal::{Binding, SealParams, Sealer},
    Commitment, Hash, Layout, TreeBuilder, CHUNK, COMMITTEE_WORDS,
};
use tos_types::{json, ContentHash, ReplicaId};

/// A group has at most 1,000 leaves, each with its place.
const MAX_LEAVES: usize = 1_000 * 36 + 8;
/// Time for one answer that is not long.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// A provider's server.
#[derive(Clone)]
pub struct Remote {
    http: Http,
    base: String,
}

/// Source of content, and the commitments that it must meet.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The replica.
    pub replica: ReplicaId,
    /// Its provider.
    pub provider: AccountId32,
    /// The genesis hash.
    pub chain: Hash,
    /// Parameters of its sealing.
    pub params: SealParams,
    /// BLAKE3 of the content.
    pub content: ContentHash,
    /// Bytes of content.
    pub length: u64,
    /// The commitment to the coded content.
    pub coded: Commitment,
    /// The commitment to the sealed content.
    pub sealed: Commitment,
}

impl Remote {
    /// The server at `base`, `http://host:port`.
    pub fn new(http: Http, base: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::Failed(format!(
                "provider's address `{}`: {why}",
                base.escape_debug()
            ))
        };
        let uri: Uri = base.parse().map_err(|_| bad("not an address"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(bad("expected http:// or https:// and a host"));
        }
        if uri.query().is_some() {
            return Err(bad("unexpected query"));
        }
        Ok(Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    fn uri(&self, path: &str) -> Result<Uri> {
        let uri = format!("{}{path}", self.base);
        uri.parse().context(format_args!("address {uri}"))
    }

    async fn get(&self, path: &str, limit: usize, time: Duration) -> Result<Vec<u8>> {
        let bytes = content::get(&self.http, self.uri(path)?, limit, time).await?;
        bytes.ok_or_else(|| Error::Failed(format!("{}{path}: nothing there", self.base)))
    }

    /// The committee proof of a window.
    pub async fn proof(&self, replica: ReplicaId, window: u64, time: Duration) -> Result<Vec<u8>> {
        let path = format!("/replicas/{replica}/proof/{window}");
        self.get(&path, max_proof_len(COMMITTEE_WORDS), time).await
    }

    /// The leaves that those of a window follow, by place in the group.
    pub async fn previous_leaves(
        &self,
        window: u64,
        group: u32,
        time: Duration,
    ) -> Result<Vec<(u32, Hash)>> {
        let path = format!("/windows/{window}/groups/{group}");
        let bytes = self.get(&path, MAX_LEAVES, time).await?;
        Vec::decode_all(&mut bytes.as_slice()).context("leaves")
    }

    /// Writes the content as the provider decodes it. The hash is checked last: on an error, what
    /// was written is worth nothing.
    async fn content(&self, origin: &Origin, to: std::fs::File) -> Result<()> {
        let hash = json::to_hex(&origin.content);
        let path = format!("{PREFIX}{}", hash.trim_start_matches("0x"));
        let (_, mut reader) = content::open(&self.http, self.uri(&path)?, Pace::default()).await?;
        let (mut to, wanted, length) = (to, origin.content, origin.length);
        let mut bar = ProgressBar::new(origin.replica.to_string());
        let copy = move || {
            let mut hasher = blake3::Hasher::new();
            let (mut piece, mut read) = (vec![0; 64 * 1024], 0u64);
            loop {
                let count = reader.read(&mut piece).context("fetching the content")?;
                let part = piece.get(..count).unwrap_or_default();
                if part.is_empty() {
                    break;
                }
                read = read.saturating_add(count as u64);
                if read > length {
                    return Err(Error::Failed("the provider sends too much".into()));
                }
                hasher.update(part);
                to.write_all(part).context("writing the file")?;
                bar.update("fetching", read, length);
            }
            match read == length && *hasher.finalize().as_bytes() == wanted {
                true => to.sync_all().context("writing the file"),
                false => Err(Error::Failed("the provider sent something else".into())),
            }
        };
        tokio::task::spawn_blocking(copy)
            .await
            .context("fetching")?
    }

    /// The roots of all sealed chunks, checked against the commitment.
    async fn roots(&self, origin: &Origin) -> Result<Vec<Hash>> {
        let path = format!("/replicas/{}/roots", origin.replica);
        let (_, mut reader) = content::open(&self.http, self.uri(&path)?, Pace::default()).await?;
        let sealed = origin.sealed;
        let read = move || {
            let mut builder = TreeBuilder::new();
            let mut roots = Vec::new();
            for _ in 0..sealed.chunks() {
                let mut root = [0; 32];
                reader.read_exact(&mut root).context("fetching roots")?;
                builder.push(root, &mut ()).context("roots")?;
                roots.push(root);
            }
            match builder.finish(&mut ()) {
                Ok(made) if made == sealed => Ok(roots),
                _ => Err(Error::Failed(
                    "the provider's roots are not those on chain".into(),
                )),
            }
        };
        tokio::task::spawn_blocking(read)
            .await
            .context("fetching")?
    }

    /// Puts the content together from whatever sealed chunks are right: unseals them, decodes, and
    /// writes. Any half of the coded chunks is enough. The provider's own decoding is not used.
    async fn rebuild(&self, origin: &Origin, folder: &Path, to: std::fs::File) -> Result<u64> {
        let roots = self.roots(origin).await?;
        let layout = Layout::of(origin.length).map(|layout| layout.coded_words());
        if layout != Some(origin.coded.words) || origin.sealed.words != origin.coded.words {
            return Err(Error::Failed(
                "the deal's length and commitments differ".into(),
            ));
        }
        let scratch = tempfile::tempdir_in(folder).context("temporary files")?;
        let mut coded = Partial::new(&scratch.path().join("coded"), origin.length)
            .context("temporary files")?;
        let mut sealer = Sealer::new(&origin.params).context("unsealing")?;
        let mut bar = ProgressBar::new(origin.replica.to_string());
        let mut found = 0u64;
        let unit_chunks = (origin.params.unit_bytes() / CHUNK as u64).max(1);
        let total = origin.sealed.chunks();
        let mut clock = Clock::start(Pace::default());
        for unit in 0..origin.params.units(origin.sealed.words) {
            let (first, end) = (unit * unit_chunks, total.min((unit + 1) * unit_chunks));
            let mut bytes = self.chunks(origin.replica, first, end, &mut clock).await?;
            let good: Vec<bool> = bytes
                .as_chunks::<CHUNK>()
                .0
                .iter()
                .zip(roots.iter().skip(first as usize))
                .map(|(chunk, root)| chunk_root(chunk) == Some(*root))
                .collect();
            if !good.contains(&true) {
                continue;
            }
            let binding = Binding {
                prover: origin.provider.clone().into(),
                chain: origin.chain,
                replica: origin.replica.0,
            };
            let key = binding.unit_key(&origin.coded.root, unit);
            let work = tokio::task::spawn_blocking(move || {
                let applied = sealer.apply(&key, &mut bytes);
                (sealer, bytes, applied)
            });
            let (back, bytes, applied) = work.await.context("unsealing")?;
            sealer = back;
            applied.context("unsealing")?;
            let chunks = bytes.as_chunks::<CHUNK>().0.iter().zip(good);
            for (chunk, (bytes, good)) in (first..end).zip(chunks) {
                if good {
                    coded.put(chunk, bytes).context("temporary files")?;
                    found += 1;
                }
            }
            bar.update("fetching", end, total);
        }
        if !coded.is_enough() {
            return Err(Error::Failed(format!(
                "only {found} of {total} coded chunks are right: too few to restore the content"
            )));
        }
        let wanted = origin.content;
        let decode = move || {
            let mut to = to;
            coded
                .finish(&wanted, &mut to, &mut |progress| bar.watch(progress))
                .context("restoring the content")?;
            to.sync_all().context("writing the file")
        };
        tokio::task::spawn_blocking(decode)
            .await
            .context("decoding")??;
        drop(scratch);
        Ok(total.saturating_sub(found))
    }

    /// Sealed chunks from `first` to before `end`. What the provider does not send reads as zeros.
    async fn chunks(
        &self,
        replica: ReplicaId,
        first: u64,
        end: u64,
        clock: &mut Clock,
    ) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut at = first;
        while at < end {
            let count = MAX_CHUNKS.min(end - at);
            let path = format!("/replicas/{replica}/chunks/{at}-{count}");
            let limit = usize::try_from(count).unwrap_or_default() * CHUNK;
            let piece = self.get(&path, limit, ANSWER_TIME);
            let mut piece = clock.wait("fetching chunks", piece).await??;
            clock.received(piece.len() as u64);
            piece.resize(limit, 0);
            bytes.extend_from_slice(&piece);
            at += count;
        }
        Ok(bytes)
    }
}

/// Gets content back into the file `out`, which appears only when all of it is right. Asks for the
/// decoded content first, unless `rebuild` is wanted or that fails; then puts it together from
/// sealed chunks. Returns how many chunks were missing, where they were counted.
pub async fn retrieve(
    remote: &Remote,
    origin: &Origin,
    out: &Path,
    rebuild: bool,
) -> Result<Option<u64>> {
    let folder = out.parent().filter(|f| !f.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let doing = format!("writing {}", out.display());
    let temporary = || {
        tempfile::NamedTempFile::new_in(folder).map_err(|e| Error::Usage(format!("{doing}: {e}")))
    };
    if !rebuild {
        let file = temporary()?;
        let handle = file.reopen().context(&doing)?;
        match remote.content(origin, handle).await {
            Ok(()) => {
                file.persist(out).map_err(|e| e.error).context(&doing)?;
                return Ok(None);
            }
            Err(error) => tracing::warn!(%error, "no whole content; fetching chunks"),
        }
    }
    let file = temporary()?;
    let handle = file.reopen().context(&doing)?;
    let missing = remote.rebuild(origin, folder, handle).await?;
    file.persist(out).map_err(|e| e.error).context(&doing)?;
    Ok(Some(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_are_asked() {
        let http = Http::new().unwrap();
        for good in ["http://h:1", "https://h/a/"] {
            assert!(Remote::new(http.clone(), good).is_ok(), "{good}");
        }
        for bad in ["file:///etc", "h:1", "http://", "http://h?x=1", ""] {
            assert!(Remote::new(http.clone(), bad).is_err(), "{bad}");
        }
    }
}
