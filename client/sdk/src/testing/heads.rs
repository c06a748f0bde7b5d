// SPDX-License-Identifier: Apache-2.0

//! A view of a chain.

use crate::{
    chain::{Block, Hash, Heads},
    error::Result,
};

/// A node's view of a chain whose blocks are told apart by `tag` from block `fork` on.
#[derive(Clone)]
pub struct View {
    /// Sets the blocks of this chain apart from those of others.
    pub tag: u8,
    /// First block that is set apart by it.
    pub fork: u64,
    /// Number of the final block.
    pub finalised: u64,
    /// Number of the best block.
    pub best: u64,
    /// Blocks below this one are not known.
    pub from: u64,
}

impl View {
    /// A view of the first chain, with this block final and the third after it best.
    pub fn at(finalised: u64) -> Self {
        Self {
            tag: 1,
            fork: 0,
            finalised,
            best: finalised + 3,
            from: 0,
        }
    }

    /// Hash of a block of this chain.
    pub fn hash(&self, number: u64) -> Hash {
        let tag = if number < self.fork { 1 } else { self.tag };
        match number {
            0 => [9; 32],
            _ => *blake3::hash(format!("{tag} {number}").as_bytes()).as_bytes(),
        }
    }
}

impl Heads for View {
    fn genesis(&self) -> Hash {
        self.hash(0)
    }

    async fn finalised_block(&self) -> Result<Block> {
        let (number, hash) = (self.finalised, self.hash(self.finalised));
        Ok(Block { number, hash })
    }

    async fn best_number(&self) -> Result<u64> {
        Ok(self.best)
    }

    async fn hash_at(&self, number: u64) -> Result<Option<Hash>> {
        let known = (self.from..=self.best).contains(&number);
        Ok(known.then(|| self.hash(number)))
    }
}
