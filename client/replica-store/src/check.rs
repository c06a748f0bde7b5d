// SPDX-License-Identifier: Apache-2.0

//! Finding damage.

use crate::{
    content,
    damage::Damage,
    files::{read_what_is_there, temporary, FileAt},
    ingest,
    pages::{Shape, PAGE_NODES},
    progress::{Progress, Stage, Watch},
    replica::Replica,
    Commitment, Error, Hash,
};
use serde::Serialize;
use tos_storage_proofs::CHUNK;

/// The result of a check.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The chunks of the replica.
    pub chunks: u64,
    /// The damaged ones. Exact, unless both a chunk and the part of the tree over it are damaged:
    /// then all chunks under that part count, at least 128.
    pub damaged: Damage,
    /// `true` if the tree of the sealed sequence is damaged.
    pub sealed_tree: bool,
    /// `true` if the tree of the coded sequence is damaged.
    pub coded_tree: bool,
}

impl Report {
    /// Returns `true` if nothing is damaged.
    pub fn is_clean(&self) -> bool {
        self.damaged.is_empty() && !self.sealed_tree && !self.coded_tree
    }
}

impl Replica {
    /// Compares every chunk with the sealed commitment.
    ///
    /// # Errors
    /// It is not sealed, is being changed, or the result cannot be written down. Files that cannot
    /// be read are damage, not an error.
    pub fn verify(&self, watch: Watch<'_>) -> Result<Report, Error> {
        let _busy = self.inner.reserve(self.id())?;
        verify(self, watch)
    }
}

/// Computes the tree of the sealed bytes into a scratch file, what cannot be read taken as zeros,
/// then compares it with the stored one from the root downwards.
pub(crate) fn verify(replica: &Replica, watch: Watch<'_>) -> Result<Report, Error> {
    let sealed = replica.sealed()?;
    let (shape, files) = (replica.shape(), &replica.inner.files);
    ingest::tidy(&replica.inner, &replica.inner.folder(replica.id()))?;
    let scratch = temporary(&replica.path("check.tree"));
    let mut report = Report {
        chunks: shape.chunks(),
        damaged: Damage::default(),
        sealed_tree: false,
        coded_tree: !is_whole(replica, "coded.tree", &shape, &replica.meta.coded),
    };
    let checked = (|| {
        let computed = files.fresh(&scratch, shape.bytes())?;
        scan(replica, &shape, &computed, watch)?;
        if shape.complete(&computed)? == sealed {
            report.sealed_tree = !is_whole(replica, "sealed.tree", &shape, &sealed);
            return Ok(());
        }
        let search = Search {
            shape: &shape,
            computed: &computed,
            stored: replica.file("sealed.tree").ok(),
            sealed,
        };
        search.run(&mut report)
    })();
    files.remove(&scratch)?;
    checked.map(|()| report)
}

fn is_whole(replica: &Replica, name: &str, shape: &Shape, c: &Commitment) -> bool {
    let whole = replica.file(name).and_then(|file| shape.is_whole(&file, c));
    whole.unwrap_or(false)
}

/// The chunk roots of the sealed bytes.
fn scan(
    replica: &Replica,
    shape: &Shape,
    computed: &FileAt,
    watch: Watch<'_>,
) -> Result<(), Error> {
    let total = shape.chunks().saturating_mul(CHUNK as u64);
    let data = replica.file("sealed.bin").ok();
    let (mut done, mut bytes) = (0u64, Vec::new());
    while done < total {
        bytes.resize(content::part(done, total), 0);
        match &data {
            Some(data) => read_what_is_there(data, &mut bytes, done),
            None => bytes.fill(0),
        }
        shape.write_roots(computed, done / CHUNK as u64, &content::roots(&bytes))?;
        done = done.saturating_add(bytes.len() as u64);
        watch(Progress {
            stage: Stage::Check,
            done,
            total,
        });
    }
    Ok(())
}

/// Value that a page must lead to.
enum Goal {
    Commitment,
    Node(Hash),
}

struct Search<'a> {
    shape: &'a Shape,
    /// The tree of what is on disk.
    computed: &'a FileAt,
    /// The tree that was stored; perhaps damaged too.
    stored: Option<FileAt>,
    sealed: Commitment,
}

impl Search<'_> {
    fn run(&self, report: &mut Report) -> Result<(), Error> {
        let top = self.shape.bands().saturating_sub(1);
        self.page(top, 0, &Goal::Commitment, report)
    }

    fn reaches(&self, band: u32, nodes: &[Hash], goal: &Goal) -> bool {
        match goal {
            Goal::Commitment => self.shape.commitment(nodes) == self.sealed,
            Goal::Node(hash) => self.shape.over(band, nodes) == *hash,
        }
    }

    fn stored(&self, band: u32, page: u64) -> Vec<Hash> {
        let read = |file| self.shape.read(file, band, page).ok();
        self.stored.as_ref().and_then(read).unwrap_or_default()
    }

    /// The page as it must have been: the stored one, the computed one, or one put together from
    /// them and from the stored pages below, whichever leads to the goal.
    fn right(
        &self,
        band: u32,
        page: u64,
        computed: &[Hash],
        stored: &[Hash],
        goal: &Goal,
    ) -> Option<Vec<Hash>> {
        if self.reaches(band, stored, goal) {
            return Some(stored.to_vec());
        }
        if self.reaches(band, computed, goal) {
            return Some(computed.to_vec());
        }
        let below = band.checked_sub(1)?;
        let children = page.saturating_mul(PAGE_NODES)..;
        let derived: Vec<Hash> = children
            .zip(computed)
            .map(|(child, _)| self.shape.over(below, &self.stored(below, child)))
            .collect();
        let voted: Vec<Hash> = (computed.iter().zip(&derived))
            .enumerate()
            .map(|(at, (computed, derived))| match stored.get(at) {
                Some(stored) if stored == computed => *stored,
                _ => *derived,
            })
            .collect();
        [derived, voted]
            .into_iter()
            .find(|nodes| self.reaches(band, nodes, goal))
    }

    fn page(&self, band: u32, page: u64, goal: &Goal, report: &mut Report) -> Result<(), Error> {
        let computed = self.shape.read(self.computed, band, page)?;
        let stored = self.stored(band, page);
        let first = page.saturating_mul(PAGE_NODES);
        let Some(right) = self.right(band, page, &computed, &stored, goal) else {
            // Nothing says which of the chunks below are right.
            report.sealed_tree = true;
            let width = 7u32.saturating_mul(band);
            let end = first.saturating_add(computed.len() as u64) << width;
            report
                .damaged
                .push(first << width..end.min(self.shape.chunks()));
            return Ok(());
        };
        report.sealed_tree |= right != stored;
        for (child, (right, computed)) in (first..).zip(right.iter().zip(&computed)) {
            match band.checked_sub(1) {
                None if right != computed => report.damaged.push(child..child.saturating_add(1)),
                None => {}
                Some(below) if right != computed => {
                    self.page(below, child, &Goal::Node(*right), report)?;
                }
                // All chunks below are right, whatever the tree looks like.
                Some(below) => {
                    let mut under = vec![(below, child)];
                    while let Some((band, page)) = under.pop() {
                        let nodes = self.shape.read(self.computed, band, page)?;
                        if report.sealed_tree || self.stored(band, page) != nodes {
                            report.sealed_tree = true;
                            break;
                        }
                        let first = page.saturating_mul(PAGE_NODES);
                        if let Some(below) = band.checked_sub(1) {
                            let pages = (first..).take(nodes.len());
                            under.extend(pages.map(|page| (below, page)));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
