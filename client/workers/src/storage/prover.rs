// SPDX-License-Identifier: Apache-2.0

//! The provider's disk and its proof key: makes everything the chain, committees and clients ask
//! for. All of it waits for the disk, so none of it runs on a thread that must not.

use super::seeds::Seeds;
use crate::running;
use polkadot_sdk::sp_core::{crypto::AccountId32, sr25519, Pair};
use std::{
    collections::HashMap,
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, Weak},
};
use tos_replica_store::{
    progress::Watch, Discarded, Member, Replica, ReplicaSpec, SealParams, StagedSpec, State, Store,
};
use tos_sdk::{
    chain::{CompactBytes, Connection},
    error::{Context, Error, Result},
};
use tos_storage_proofs::{proof::asked_words, Commitment, Hash};
use tos_types::{
    storage::{
        group_payload, seal_payload, window_payload, GroupId, SealAnswer, SignedRoot,
        StoredContent, Window, WindowAnswer,
    },
    ContentHash, ReplicaId,
};
use tos_views::{GroupView, ReplicaView};

/// Windows of a group that are kept on disk beyond the chain's ring.
const SPARE_WINDOWS: usize = 8;
/// Examples of damaged chunks that are named.
const EXAMPLES: usize = 8;

/// Reason for which there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProverError {
    /// The data on disk are not those that were committed to.
    #[error("damaged on disk")]
    Damaged,
    /// The disk takes no more.
    #[error("{0}")]
    Room(Error),
    /// Anything else.
    #[error("{0}")]
    Failed(Error),
}

impl From<tos_replica_store::Error> for ProverError {
    fn from(error: tos_replica_store::Error) -> Self {
        let text = Error::Failed(error.to_string());
        match (error.is_damage(), error.is_room()) {
            (true, _) => Self::Damaged,
            (_, true) => Self::Room(text),
            _ => Self::Failed(text),
        }
    }
}

impl From<ProverError> for Error {
    fn from(error: ProverError) -> Self {
        match error {
            ProverError::Damaged => Self::Failed(error.to_string()),
            ProverError::Room(error) | ProverError::Failed(error) => error,
        }
    }
}

/// Result of a check of a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Chunks in all.
    pub chunks: u64,
    /// Damaged chunks.
    pub damaged: u64,
    /// `true` if its trees are whole.
    pub trees: bool,
    /// The first damaged chunks.
    pub examples: Vec<u64>,
}

impl Scan {
    /// Returns `true` if nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.damaged == 0 && self.trees
    }
}

/// Specification of a replica.
pub fn spec(replica: &ReplicaView<AccountId32>, content: &StoredContent) -> ReplicaSpec {
    ReplicaSpec {
        replica: replica.id.0,
        deal: replica.deal.0,
        content: content.hash,
        length: content.length,
        coded: replica.coded,
    }
}

/// Signs proofs of a provider.
pub trait ProofSigner: Send + Sync + 'static {
    /// Signature of a payload by the key with this public key, sr25519; `None` where that is not here.
    fn sign(&self, public: &[u8; 32], payload: &[u8; 32]) -> Option<[u8; 64]>;
    /// `true` if the key with this public key is here.
    fn has(&self, public: &[u8; 32]) -> bool;
}

impl ProofSigner for sr25519::Pair {
    fn sign(&self, public: &[u8; 32], payload: &[u8; 32]) -> Option<[u8; 64]> {
        self.has(public).then(|| Pair::sign(self, payload).0)
    }

    fn has(&self, public: &[u8; 32]) -> bool {
        self.public().0 == *public
    }
}

/// The provider's disk and its proof key, which answer what chain, committees and clients ask.
pub struct ReplicaProver {
    pub(super) store: Store,
    account: AccountId32,
    genesis: Hash,
    ring: usize,
    seeds: Seeds,
    keys: Box<dyn ProofSigner>,
    /// The key that the chain knows.
    public: Mutex<[u8; 32]>,
}

impl ReplicaProver {
    /// Opens the store in `folder`, or makes it. `ring` is the number of windows that can be
    /// disputed; `key` signs proofs.
    pub fn open(
        folder: &Path,
        (params, ring): (SealParams, u32),
        account: &AccountId32,
        genesis: Hash,
        keys: impl ProofSigner,
    ) -> Result<Self> {
        let store = Store::open(folder, params, account.clone().into(), genesis);
        let store = store.map_err(|error| match error {
            tos_replica_store::Error::Locked(lock) => Error::Usage(running::already(&lock)),
            tos_replica_store::Error::Foreign { .. } => Error::Usage(error.to_string()),
            error => Error::Failed(error.to_string()),
        })?;
        let ring = usize::try_from(ring).unwrap_or(usize::MAX);
        Ok(Self {
            store,
            account: account.clone(),
            genesis,
            ring,
            seeds: Seeds::new(ring),
            keys: Box::new(keys),
            public: Mutex::default(),
        })
    }

    /// Opens the store in a folder that is of the chain of a connection, or makes it.
    pub async fn of_chain(
        connection: &Connection,
        folder: &Path,
        account: &AccountId32,
        key: impl ProofSigner,
    ) -> Result<Self> {
        let config = connection.best().await?.storage_stats().await?.config;
        let genesis = connection.genesis();
        Self::open(folder, (config.seal, config.ring), account, genesis, key)
    }

    /// Account of the provider.
    pub fn account(&self) -> &AccountId32 {
        &self.account
    }

    /// Signs with the key that the chain knows from now on. `false` if it is not here.
    pub fn sign_with(&self, public: [u8; 32]) -> bool {
        let known = self.keys.has(&public);
        if known {
            *self.public.lock().unwrap_or_else(|e| e.into_inner()) = public;
        }
        known
    }

    fn sign(&self, payload: &[u8; 32]) -> Result<[u8; 64]> {
        let public = *self.public.lock().unwrap_or_else(|e| e.into_inner());
        let signature = self.keys.sign(&public, payload);
        signature.ok_or_else(|| Error::Failed("the proof key is not here".into()))
    }

    fn replica(&self, id: ReplicaId) -> Result<Replica, tos_replica_store::Error> {
        self.store.replica(&id.0)
    }

    /// All replicas that have a place on disk, in whatever state.
    pub fn replicas(&self) -> Result<Vec<ReplicaId>> {
        let all = self.store.replicas().context("store")?;
        Ok(all.into_iter().map(ReplicaId).collect())
    }

    /// Commitment to the sealed content of a replica, once it is sealed.
    pub fn sealed(&self, id: ReplicaId) -> Option<Commitment> {
        self.replica(id).ok()?.sealed().ok()
    }

    /// Returns `true` if the content of a replica need not be fetched any more.
    pub fn has_content(&self, spec: &ReplicaSpec) -> bool {
        let state = self.replica(ReplicaId(spec.replica));
        let state = state.map(|replica| replica.meta().state);
        matches!(state, Ok(State::Sealing | State::Sealed))
            || self.store.is_staged(&StagedSpec::of(spec))
    }

    /// Seeds of the windows that can be disputed.
    pub(super) fn seeds(&self) -> &Seeds {
        &self.seeds
    }

    /// Windows of each group that are kept on disk.
    pub(super) fn windows_kept(&self) -> usize {
        self.ring.saturating_add(SPARE_WINDOWS)
    }

    /// A sealed replica with this content, and the content's length.
    pub fn with_content(&self, hash: &ContentHash) -> Option<(ReplicaId, u64)> {
        let mut all = self.replicas().ok()?.into_iter();
        all.find_map(|id| {
            let replica = self.replica(id).ok()?;
            let meta = replica.meta();
            let wanted = meta.content == *hash && meta.state == State::Sealed;
            wanted.then_some((id, meta.length))
        })
    }

    /// Stores and seals content. Interrupted and called again, it goes on.
    pub fn ingest(
        &self,
        spec: &ReplicaSpec,
        content: impl Read,
        watch: Watch<'_>,
    ) -> Result<Commitment> {
        let sealed = self.store.ingest(spec, content, watch).context("sealing");
        // Sealing is rare; its buffer is not kept for the next time.
        self.store.release();
        sealed
    }

    /// The folder of the store.
    pub fn folder(&self) -> &Path {
        self.store.dir()
    }

    /// Puts a replica into the trash. One that was never sealed goes at once: it cannot be proven,
    /// and it takes twice the space of one that is.
    pub fn discard(&self, id: ReplicaId, now: u64) -> Result<()> {
        let state = self.replica(id).map(|replica| replica.meta().state);
        if matches!(state, Ok(State::Fetching | State::Sealing)) {
            return self.store.remove(&id.0).context("removing a replica");
        }
        self.store
            .discard(&id.0, now)
            .context("discarding a replica")
    }

    /// Contents of the trash, the oldest first.
    pub fn trash(&self) -> Result<Vec<Discarded>> {
        self.store.trash().context("trash")
    }

    /// Takes a replica back out of the trash.
    pub fn restore(&self, entry: &Discarded) -> Result<()> {
        self.store.restore(entry).context("restoring a replica")
    }

    /// Removes something in the trash for good.
    pub fn purge(&self, entry: &Discarded) -> Result<()> {
        self.store.purge(entry).context("emptying the trash")
    }

    /// Checks every chunk of a replica.
    pub fn verify(&self, id: ReplicaId, watch: Watch<'_>) -> Result<Scan> {
        let report = self.replica(id).and_then(|replica| replica.verify(watch));
        let report = report.context(id)?;
        Ok(Scan {
            chunks: report.chunks,
            damaged: report.damaged.count(),
            trees: !report.sealed_tree && !report.coded_tree,
            examples: report.damaged.chunks().take(EXAMPLES).collect(),
        })
    }

    /// Rebuilds what is damaged of a replica. Returns how many chunks were.
    pub fn repair(&self, id: ReplicaId, watch: Watch<'_>) -> Result<u64> {
        let report = self.replica(id).and_then(|replica| replica.repair(watch));
        Ok(report.context(id)?.damaged.count())
    }

    /// Writes the content of a replica.
    pub fn read(&self, id: ReplicaId, mut to: &mut dyn Write) -> Result<()> {
        let replica = self.replica(id).context(id)?;
        replica.read(&mut to, &mut |_| {}).context(id)
    }

    /// Sealed chunks as they lie on disk, from `first` on.
    pub fn raw_chunks(&self, id: ReplicaId, first: u64, count: u64) -> Result<Vec<u8>> {
        let chunks = self.replica(id).and_then(|r| r.raw_chunks(first, count));
        chunks.context(id)
    }

    /// The roots that sealed chunks should have, from `first` on.
    pub fn chunk_roots(&self, id: ReplicaId, first: u64, count: u64) -> Result<Vec<Hash>> {
        let roots = self.replica(id).and_then(|r| r.chunk_roots(first, count));
        roots.context(id)
    }

    /// The answer to an audit. `seed` is the replica's.
    pub fn compact(
        &self,
        id: ReplicaId,
        seed: &Hash,
        moment: u64,
    ) -> Result<CompactBytes, ProverError> {
        let replica = self.replica(id)?;
        let mut missing = None;
        let sign = |payload: &_| {
            self.sign(payload).unwrap_or_else(|error| {
                missing = Some(error);
                [0; 64]
            })
        };
        let proof = replica.compact_for(seed, moment, sign)?;
        match missing {
            Some(error) => Err(ProverError::Failed(error)),
            None => proof.try_into().map_err(|_| too_long()),
        }
    }

    /// The committee proof for a window with this seed.
    pub fn committee(&self, id: ReplicaId, seed: &Hash) -> Result<Vec<u8>, ProverError> {
        Ok(self.replica(id)?.committee(seed)?)
    }

    /// The answer to a seal challenge for `words` words. `seed` is the replica's.
    pub fn open_seal(&self, id: ReplicaId, seed: &Hash, words: u32) -> Result<SealAnswer> {
        let doing = "opening a seal";
        let replica = self.replica(id).context(doing)?;
        let sealed = replica.sealed().context(doing)?;
        let asked = asked_words(&sealed, seed, words).context(doing)?;
        let opening = replica.seal_openings(&asked).context(doing)?.to_bytes();
        self.store.release();
        let signature = self.sign(&seal_payload(&self.genesis, &id, seed, &opening))?;
        Ok(SealAnswer {
            replica: id,
            opening: opening.try_into().map_err(|_| too_long())?,
            signature,
        })
    }

    /// The signed root of a group in a window, and the members that are damaged. Asked again, it is
    /// the same root. There is none when no member could be proven.
    pub fn group(
        &self,
        window: Window,
        seed: &Hash,
        view: &GroupView<AccountId32>,
    ) -> Result<(Option<SignedRoot>, Vec<ReplicaId>), ProverError> {
        let due = view.members.iter().filter(|member| member.due);
        let members: Vec<Member> = due
            .map(|member| Member {
                place: member.place,
                replica: member.replica.0,
            })
            .collect();
        let windows = self.store.windows();
        let build = || windows.build(view.group, window, seed, &members, &mut |_| {});
        let built = match build() {
            // On a full disk, windows that can be disputed no more make room for this one.
            Err(error) if error.is_room() => {
                windows.prune(view.group, self.ring)?;
                build()?
            }
            built => built?,
        };
        let mut damaged = Vec::new();
        for (member, error) in &built.failed {
            let replica = ReplicaId(member.replica);
            tracing::error!(%replica, window, %error, "cannot be proven");
            if error.is_damage() {
                damaged.push(replica);
            }
        }
        if built.proven.entries.is_empty() {
            // Nothing was stored, so nothing may be signed either.
            return Ok((None, damaged));
        }
        if let Err(error) = windows.prune(view.group, self.windows_kept()) {
            tracing::warn!(%error, "old windows stay on disk");
        }
        let root = built.proven.root;
        let payload = group_payload(&self.genesis, window, view.group, &root);
        let signature = self.sign(&payload).map_err(ProverError::Failed)?;
        Ok((Some(SignedRoot { root, signature }), damaged))
    }

    /// The answer to a window challenge.
    pub fn window_answer(
        &self,
        id: ReplicaId,
        window: Window,
        group: GroupId,
    ) -> Result<WindowAnswer, ProverError> {
        let missing = |what: &str| ProverError::Failed(Error::Failed(what.into()));
        let proven = self.store.windows().get(group, window)?;
        let proven = proven.ok_or_else(|| missing("this store did not prove that window"))?;
        let entry = proven.entry(&id.0).copied();
        let entry = entry.ok_or_else(|| missing("the replica had no leaf in that window"))?;
        let proof = self.committee(id, &proven.seed)?;
        let path = proven.path(entry.place)?;
        let payload = window_payload(&self.genesis, &id, window, &entry.previous, &proof);
        let signature = self.sign(&payload).map_err(ProverError::Failed)?;
        Ok(WindowAnswer {
            replica: id,
            window,
            previous: entry.previous,
            path: path.try_into().map_err(|_| too_long())?,
            proof: proof.try_into().map_err(|_| too_long())?,
            signature,
        })
    }

    /// The leaves that those of a window follow, by place, once the window was proven.
    pub fn previous_leaves(
        &self,
        window: Window,
        group: GroupId,
    ) -> Result<Option<Vec<(u32, Hash)>>> {
        let proven = self.store.windows().get(group, window).context("windows")?;
        Ok(proven.map(|proven| {
            let entries = proven.entries.iter();
            entries.map(|entry| (entry.place, entry.previous)).collect()
        }))
    }
}

/// Stores that were opened and may still be in use, by their folders: threads that seal and readers
/// of content keep a store open after its worker has gone, and it cannot be opened twice.
#[derive(Default)]
pub struct OpenProvers(HashMap<PathBuf, Weak<ReplicaProver>>);

impl OpenProvers {
    /// The store in a folder, as long as it is open.
    pub fn get(&self, folder: &Path) -> Option<Arc<ReplicaProver>> {
        self.0.get(folder).and_then(Weak::upgrade)
    }

    /// Remembers a store for as long as it is open.
    pub fn insert(&mut self, prover: &Arc<ReplicaProver>) {
        self.0.retain(|_, prover| prover.strong_count() > 0);
        let folder = prover.folder().to_owned();
        self.0.insert(folder, Arc::downgrade(prover));
    }
}

/// No proof of a possible replica is longer than the chain takes.
fn too_long() -> ProverError {
    ProverError::Failed(Error::Failed(
        "a proof is longer than the chain takes".into(),
    ))
}
