// SPDX-License-Identifier: Apache-2.0

//! Keeps sealed replicas on disk and proves that it does. One library for the node's prover and for
//! `tos storage`; it knows no chain, no keys and no network.
//!
//! | module | what |
//! |---|---|
//! | [`store`] | a directory of replicas, locked to one process |
//! | [`ingest`] | fetch, code and seal, resumable after a crash at any byte |
//! | [`staging`] | the same up to sealing, before a deal is accepted; room on the disk |
//! | [`replica`] | one replica and its proofs |
//! | [`check`], [`repair`] | find damaged chunks; rebuild them from the code |
//! | [`retrieve`] | give the content back |
//! | [`content`] | coded commitment of a file; content from a part of its coded chunks |
//! | [`trash`] | what was given up, until it goes for good |
//! | [`windows`] | group roots, one per window, never two |
//! | [`mod@format`], [`pages`], [`journal`] | what the files look like, byte by byte |
//! | [`disk`] | the file system, replaceable in tests |
//!
//! # Files
//!
//! ```text
//! DIR/store                          parameters, provider and chain (format::StoreHeader)
//! DIR/lock                           locked while a process has the store open; no content
//! DIR/replicas/AB/ABCD…/meta         what the replica is (format::Meta); decides its state
//! DIR/replicas/AB/ABCD…/sealed.bin   the sealed sequence, nothing else
//! DIR/replicas/AB/ABCD…/sealed.tree  its tree above chunks (pages)
//! DIR/replicas/AB/ABCD…/coded.tree   the tree of the coded sequence (pages)
//! DIR/replicas/AB/ABCD…/coded.bin    the coded sequence, while sealing
//! DIR/replicas/AB/ABCD…/journal      the units sealed so far, while sealing (journal)
//! DIR/replicas/AB/ABCD…/*.tmp        leftovers of something interrupted; never read
//! DIR/staged/DEAL/…                  meta, coded.bin, coded.tree and room for sealed.bin of a deal that is
//!                                    not accepted yet; moved into its replica (staging)
//! DIR/windows/GROUP/WINDOW           what was folded into a group root (windows)
//! DIR/trash/ABCD…-SECONDS/           a replica that was given up, as it was (trash)
//! ```
//!
//! `ABCD…` is the replica's id in 32 lower-case hex digits, `AB` the first two; `GROUP` and
//! `WINDOW` are decimal. All integers are little-endian. `store`, `meta` and window files carry
//! magic, version and a BLAKE3 checksum and are replaced as a whole: written to `NAME.tmp`, synced,
//! renamed, directory synced. The large files carry none: `meta` has the roots that they must lead
//! to.
//!
//! # Order of writes
//!
//! `meta` is the only thing that says how far a replica has come, and is written last:
//!
//! 1. `meta` says *fetching*. Nothing else in the directory counts; a crash starts over.
//! 2. `coded.bin` and `coded.tree` are written, checked and synced; `meta` says *sealing*.
//! 3. Units are written to `sealed.bin` and their chunk roots to `sealed.tree`; both are synced;
//!    then the units are added to `journal`, which is synced. After a crash each unit the journal
//!    names is compared with its digest there, and sealed again if it is not what it should be.
//! 4. `sealed.tree` is completed and synced; `meta` says *sealed*; then `coded.bin` and `journal`
//!    are removed.
//!
//! # Memory
//!
//! A store holds one sealing buffer (256 MiB with the parameters of the main network) once
//! something was sealed or unsealed, until [`Store::release`]. Apart from that and from the list of
//! damaged chunks (16 bytes for each run of them), no operation needs more than 64 MiB, however long
//! the content; replicas at rest need none.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod check;
pub mod content;
pub mod disk;
pub mod error;
pub mod format;
pub mod ingest;
pub mod journal;
pub mod pages;
pub mod progress;
pub mod repair;
pub mod replica;
pub mod retrieve;
pub mod staging;
pub mod store;
pub mod trash;
pub mod windows;

mod damage;
mod directory;
mod files;
mod prepare;
mod spec;
mod unseal;

pub use check::Report;
pub use content::{commit_content, Coded, Partial};
pub use damage::Damage;
pub use disk::{Access, Blob, Disk, LocalDisk};
pub use error::Error;
pub use format::{Meta, State};
pub use progress::{Progress, Stage};
pub use replica::Replica;
pub use spec::{ReplicaSpec, StagedSpec};
pub use staging::sealing_bytes;
pub use store::{Options, Store};
pub use trash::Discarded;
pub use unseal::Unit;
pub use windows::{Built, Entry, GroupWindow, Member, WindowStore};

pub use tos_storage_proofs::{Commitment, Hash, Layout, ReplicaId, SealParams};
