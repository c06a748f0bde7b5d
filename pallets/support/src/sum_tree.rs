// SPDX-License-Identifier: Apache-2.0

//! Sum trees in a pallet's storage: one double map holds the nodes of all its trees.
//!
//! ```ignore
//! #[pallet::storage]
//! pub type RosterNodes<T: Config> =
//!     StorageDoubleMap<_, Twox64Concat, RosterId, Twox64Concat, NodeId, Node, OptionQuery>;
//!
//! let mut roster: StoredTree<RosterNodes<T>, RosterId, 64, 3> = stored(id);
//! let leaf = roster.insert(weight)?;
//! ```

use codec::{FullCodec, FullEncode};
use core::marker::PhantomData;
use frame_support::storage::{IterableStorageDoubleMap, StorageDoubleMap};
use polkadot_sdk::*;
use tos_formulas::sum_tree::{Census, Node, NodeId, Nodes, NodesMut, SumTree, TreeError};

/// Nodes of one tree, in a double map by tree and node.
pub struct StoredNodes<Map, Key> {
    tree: Key,
    map: PhantomData<Map>,
}

/// Tree in a double map of a pallet.
pub type StoredTree<Map, Key, const ARITY: u32, const DEPTH: u8> =
    SumTree<StoredNodes<Map, Key>, ARITY, DEPTH>;

/// The tree of this name.
pub fn stored<Map, Key, const ARITY: u32, const DEPTH: u8>(
    tree: Key,
) -> StoredTree<Map, Key, ARITY, DEPTH> {
    SumTree::new(StoredNodes {
        tree,
        map: PhantomData,
    })
}

/// Checks a tree, and that no nodes of its name are stored besides. For `try_state`: it reads them
/// all.
///
/// # Errors
/// [`TreeError::Inconsistent`].
pub fn check<Map, Key, const ARITY: u32, const DEPTH: u8>(tree: Key) -> Result<Census, TreeError>
where
    Map: IterableStorageDoubleMap<Key, NodeId, Node, Query = Option<Node>>,
    Key: FullCodec,
{
    let all = u32::try_from(Map::iter_key_prefix(&tree).count());
    let census = stored::<Map, Key, ARITY, DEPTH>(tree).check()?;
    if all == Ok(census.nodes) {
        Ok(census)
    } else {
        Err(TreeError::Inconsistent)
    }
}

impl<Map, Key> Nodes for StoredNodes<Map, Key>
where
    Map: StorageDoubleMap<Key, NodeId, Node, Query = Option<Node>>,
    Key: FullEncode,
{
    fn read(&self, at: NodeId) -> Option<Node> {
        Map::get(&self.tree, at)
    }
}

impl<Map, Key> NodesMut for StoredNodes<Map, Key>
where
    Map: StorageDoubleMap<Key, NodeId, Node, Query = Option<Node>>,
    Key: FullEncode,
{
    fn write(&mut self, at: NodeId, node: Option<Node>) {
        Map::set(&self.tree, at, node);
    }
}

#[cfg(test)]
mod tests;
