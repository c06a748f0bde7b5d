// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! `--storage-provider`: answers what the runtime's off-chain worker asks about stored replicas.

use std::path::{Path, PathBuf};

use tos_host::{Prover, ProverExt, SealStatus, WindowAnswer};
use tos_provider::{
    format::{StoreHeader, STORE_BYTES},
    journal::RECORD,
    windows::Member,
    Error, Hash, Meta, Replica, ReplicaId, State, Store,
};
use tos_storage_proofs::{proof::asked_words, response_digest};

/// Windows of a group that are kept: as many as can be challenged, and some more.
const KEPT_WINDOWS: usize = 320;
/// Bytes of the signature that the caller puts at the end of a compact proof.
const SIGNATURE: usize = 64;

/// Target of the prover's log lines.
const LOG: &str = "prover";

/// Proves from a store of sealed replicas. Clones share the store.
#[derive(Clone)]
pub struct StoreProver {
    store: Store,
}

impl StoreProver {
    /// Opens a store that was made for the chain with this genesis hash.
    pub fn open(directory: &Path, genesis: impl Into<Hash>) -> Result<Self, Error> {
        let header = read_header(&directory.join("store"))?;
        // The store itself says whose it is and how it is sealed; it must be of this chain.
        let store = Store::open(directory, header.params, header.provider, genesis.into())?;
        Ok(Self { store })
    }

    /// The extension that lets an off-chain worker find this prover.
    pub fn extension(&self) -> ProverExt {
        ProverExt(Box::new(self.clone()))
    }

    fn replica(&self, id: &ReplicaId) -> Option<Replica> {
        self.store
            .replica(id)
            .inspect_err(|error| log::debug!(target: LOG, "{error}"))
            .ok()
    }

    /// Result of `prove` for a replica; a failure is logged, and concerns that replica alone.
    fn prove<T>(
        &self,
        id: &ReplicaId,
        prove: impl FnOnce(&Replica) -> Result<T, Error>,
    ) -> Option<T> {
        let replica = self.replica(id)?;
        prove(&replica)
            .inspect_err(|error| log::warn!(target: LOG, "a proof is missing: {error}"))
            .ok()
    }

    fn folder(&self, id: &ReplicaId) -> PathBuf {
        let name: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        self.store
            .dir()
            .join("replicas")
            .join(&name[..2])
            .join(name)
    }

    fn length(&self, id: &ReplicaId, file: &str) -> u64 {
        let file = self.folder(id).join(file);
        std::fs::metadata(file).map_or(0, |found| found.len())
    }
}

fn read_header(path: &Path) -> Result<StoreHeader, Error> {
    use std::io::Read;

    let failed = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(STORE_BYTES).unwrap_or(u64::MAX);
    // One byte more than the header has, so that a longer file is refused and never read whole.
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    StoreHeader::from_bytes(&bytes, path)
}

impl Prover for StoreProver {
    fn replicas(&self) -> Vec<ReplicaId> {
        self.store.replicas().unwrap_or_else(|error| {
            log::warn!(target: LOG, "the replicas cannot be listed: {error}");
            Vec::new()
        })
    }

    fn seal_status(&self, id: &ReplicaId) -> Option<SealStatus> {
        let replica = self.replica(id)?;
        let meta: &Meta = replica.meta();
        let total = replica.units();
        Some(match meta.state {
            State::Fetching => SealStatus::Sealing { done: 0, total },
            State::Sealing => {
                let record = u64::try_from(RECORD).unwrap_or(u64::MAX);
                let done = (self.length(id, "journal") / record).min(total);
                SealStatus::Sealing { done, total }
            }
            State::Sealed => match replica.sealed() {
                // Wholly missing data is seen here; a full check is `tos storage verify`.
                Ok(sealed) if self.length(id, "sealed.bin") == sealed.words * 64 => {
                    SealStatus::Sealed(sealed)
                }
                _ => SealStatus::Damaged,
            },
        })
    }

    fn compact_proof(&self, id: &ReplicaId, seed: &Hash, moment: u64) -> Option<Vec<u8>> {
        let mut proof = self.prove(id, |replica| {
            replica.compact_for(seed, moment, |_| [0; SIGNATURE])
        })?;
        proof.truncate(proof.len().checked_sub(SIGNATURE)?);
        Some(proof)
    }

    fn committee_proof(&self, id: &ReplicaId, seed: &Hash) -> Option<Vec<u8>> {
        self.prove(id, |replica| replica.committee(seed))
    }

    fn seal_opening(&self, id: &ReplicaId, seed: &Hash, count: u32) -> Option<Vec<u8>> {
        self.prove(id, |replica| {
            let words = asked_words(&replica.sealed()?, seed, count)?;
            Ok(replica.seal_openings(&words)?.to_bytes())
        })
    }

    fn chunk_proof(&self, id: &ReplicaId, seed: &Hash, count: u32) -> Option<Vec<u8>> {
        self.prove(id, |replica| replica.full(seed, count))
    }

    fn group_root(
        &self,
        window: u64,
        group: u32,
        window_seed: &Hash,
        members: &[(u32, ReplicaId)],
    ) -> Option<Hash> {
        let members: Vec<_> = members
            .iter()
            .map(|(place, replica)| Member {
                place: *place,
                replica: *replica,
            })
            .collect();
        let windows = self.store.windows();
        let built = windows
            .build(group, window, window_seed, &members, &mut |_| ())
            .inspect_err(|error| {
                log::warn!(target: LOG, "group {group} has no root in window {window}: {error}");
            })
            .ok()?;
        for (member, error) in &built.failed {
            log::warn!(target: LOG, "place {} of group {group}: {error}", member.place);
        }
        if let Err(error) = windows.prune(group, KEPT_WINDOWS) {
            log::debug!(target: LOG, "old windows stay: {error}");
        }
        // A root over nothing was not stored, and must not be signed.
        (!built.proven.entries.is_empty()).then_some(built.proven.root)
    }

    fn window_answer(&self, window: u64, group: u32, id: &ReplicaId) -> Option<WindowAnswer> {
        let proven = self
            .store
            .windows()
            .get(group, window)
            .inspect_err(|error| log::warn!(target: LOG, "window {window}: {error}"))
            .ok()??;
        let entry = proven.entry(id)?;
        let proof = self.prove(id, |replica| replica.committee(&proven.seed))?;
        if response_digest(&proof) != entry.response {
            log::warn!(target: LOG, "the data behind window {window} of group {group} has changed");
            return None;
        }
        Some(WindowAnswer {
            previous_leaf: entry.previous,
            proof,
            path: proven.path(entry.place).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_provider::{commit_content, ReplicaSpec, SealParams};
    use tos_storage_proofs::{
        aggregate::verify_group_inclusion, replica_seed, verify_compact, verify_words,
        COMMITTEE_WORDS,
    };

    const GENESIS: Hash = [7; 32];
    const ID: ReplicaId = [0xab; 16];

    /// A store with one sealed replica, closed again.
    fn sealed() -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let length = u64::try_from(content.len()).expect("small");
        let coded = {
            let scratch = directory.path().join("scratch");
            commit_content(&content[..], length, &scratch, &mut |_| ()).expect("codes")
        };
        let spec = ReplicaSpec {
            replica: ID,
            deal: [1; 16],
            content: *blake3::hash(&content).as_bytes(),
            length,
            coded: coded.commitment,
        };
        let store =
            Store::open(directory.path(), SealParams::TEST, [9; 32], GENESIS).expect("opens");
        store
            .ingest(&spec, &content[..], &mut |_| ())
            .expect("seals");
        directory
    }

    #[test]
    fn a_store_of_another_chain_or_none_at_all_is_refused() {
        let directory = sealed();
        let other = StoreProver::open(directory.path(), [8; 32]);
        assert!(matches!(
            other.err(),
            Some(Error::Foreign { what: "chain", .. })
        ));
        let empty = tempfile::tempdir().expect("a directory");
        let none = StoreProver::open(empty.path(), GENESIS);
        assert!(matches!(none.err(), Some(Error::Io { .. })));
        assert!(!empty.path().join("store").exists());
    }

    #[test]
    fn audits_are_answered_with_proofs_that_lack_the_signature_alone() {
        let directory = sealed();
        let prover = StoreProver::open(directory.path(), GENESIS).expect("opens");
        assert_eq!(prover.replicas(), [ID]);
        let Some(SealStatus::Sealed(commitment)) = prover.seal_status(&ID) else {
            panic!("it is sealed");
        };
        let seed = replica_seed(&[3; 32], &ID, &commitment.root);
        let mut proof = prover.compact_proof(&ID, &seed, 5).expect("proves");
        proof.extend([0; SIGNATURE]);
        assert!(verify_compact(&commitment, &seed, &proof).is_ok());
        assert!(prover.seal_opening(&ID, &seed, 4).is_some());
        assert!(prover.compact_proof(&[1; 16], &seed, 5).is_none());
    }

    #[test]
    fn a_window_has_one_root_and_its_challenge_an_answer() {
        let directory = sealed();
        let prover = StoreProver::open(directory.path(), GENESIS).expect("opens");
        let root = prover
            .group_root(4, 0, &[3; 32], &[(2, ID)])
            .expect("proves");
        // Asked again, with another seed and other members, it does not sign something else.
        assert_eq!(prover.group_root(4, 0, &[6; 32], &[(1, ID)]), Some(root));
        let answer = prover.window_answer(4, 0, &ID).expect("answers");
        let Some(SealStatus::Sealed(commitment)) = prover.seal_status(&ID) else {
            panic!("it is sealed");
        };
        let seed = replica_seed(&[3; 32], &ID, &commitment.root);
        assert!(verify_words(&commitment, &seed, COMMITTEE_WORDS, &answer.proof).is_ok());
        let proven = prover
            .store
            .windows()
            .get(0, 4)
            .expect("reads")
            .expect("stored");
        let leaf = proven.leaf(&proven.entries[0]);
        assert!(verify_group_inclusion(&root, &leaf, 2, &answer.path));
        assert!(prover.window_answer(5, 0, &ID).is_none());
    }

    #[test]
    fn nothing_is_signed_for_a_group_of_which_nothing_is_left() {
        let directory = sealed();
        let prover = StoreProver::open(directory.path(), GENESIS).expect("opens");
        std::fs::remove_file(prover.folder(&ID).join("sealed.bin")).expect("removes");
        assert_eq!(prover.seal_status(&ID), Some(SealStatus::Damaged));
        assert_eq!(prover.group_root(4, 0, &[3; 32], &[(0, ID)]), None);
    }
}
