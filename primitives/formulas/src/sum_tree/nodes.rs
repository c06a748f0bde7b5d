// SPDX-License-Identifier: Apache-2.0

//! Nodes of sum trees, and where they lie.

use alloc::collections::BTreeMap;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cell::RefCell;
use polkadot_sdk::sp_core::{bounded::BoundedVec, ConstU32};
use scale_info::TypeInfo;

/// Most children of a node: there is a bit for each.
pub const MAX_ARITY: u32 = u64::BITS;

/// Name of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct NodeId {
    /// Levels below it: 0 for one that holds weights of leaves.
    pub level: u8,
    /// Number within its level, from 0.
    pub index: u32,
}

/// Node: the sums of its children, or at level 0 the weights of leaves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Node {
    /// Sums, up to that of the last child in use.
    sums: BoundedVec<u64, ConstU32<MAX_ARITY>>,
    /// Children with leaves in use, by bit.
    used: u64,
    /// Children without a vacant leaf, by bit.
    full: u64,
}

/// Nodes of a tree, for readers.
pub trait Nodes {
    /// A node; none if it has no leaf in use.
    fn read(&self, at: NodeId) -> Option<Node>;
}

/// Nodes of a tree, for those who change it.
pub trait NodesMut: Nodes {
    /// Stores a node, or removes it.
    fn write(&mut self, at: NodeId, node: Option<Node>);
}

/// Summary of a child in its parent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Summary {
    pub sum: u64,
    pub used: bool,
    pub full: bool,
}

impl Summary {
    /// A leaf in use, of this weight.
    pub(super) fn in_use(weight: u64) -> Self {
        Self {
            sum: weight,
            used: true,
            full: true,
        }
    }
}

impl Node {
    pub(super) fn sum(&self, slot: u32) -> u64 {
        self.sums.get(slot as usize).copied().unwrap_or(0)
    }

    pub(super) fn child(&self, slot: u32) -> Summary {
        Summary {
            sum: self.sum(slot),
            used: self.used & bit(slot) != 0,
            full: self.full & bit(slot) != 0,
        }
    }

    pub(super) fn set_child(&mut self, slot: u32, child: Summary) {
        set_bit(&mut self.used, slot, child.used);
        set_bit(&mut self.full, slot, child.full);
        self.sums.bounded_resize(length(self.used) as usize, 0);
        if let Some(sum) = self.sums.get_mut(slot as usize) {
            *sum = child.sum;
        }
    }

    /// Sum of the children before a slot.
    pub(super) fn before(&self, slot: u32) -> Option<u64> {
        let mut sums = self.sums.iter().take(slot as usize);
        sums.try_fold(0u64, |sum, next| sum.checked_add(*next))
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.before(MAX_ARITY)
    }

    pub(super) fn summary(&self, arity: u32) -> Option<Summary> {
        Some(Summary {
            sum: self.total()?,
            used: self.is_used(),
            full: self.vacant(arity).is_none(),
        })
    }

    /// Lowest child with a vacant leaf.
    pub(super) fn vacant(&self, arity: u32) -> Option<u32> {
        let slot = self.full.trailing_ones();
        (slot < arity).then_some(slot)
    }

    /// Child that a point falls on, and the point's place within it.
    pub(super) fn reach(&self, mut point: u64) -> Option<(u32, u64)> {
        for (slot, sum) in (0u32..).zip(&self.sums) {
            match point.checked_sub(*sum) {
                Some(rest) => point = rest,
                None => return Some((slot, point)),
            }
        }
        None
    }

    /// `true` if any child has leaves in use.
    pub(super) fn is_used(&self) -> bool {
        self.used != 0
    }

    /// `true` if it is as [`Self::set_child`] leaves it, and not empty.
    pub(super) fn is_sound(&self, arity: u32, of_leaves: bool) -> bool {
        let idle = |slot: u32| self.child(slot).used || self.sum(slot) == 0;
        self.is_used()
            && length(self.used) <= arity
            && length(self.used) as usize == self.sums.len()
            && self.full & !self.used == 0
            && (!of_leaves || self.full == self.used)
            && (0..arity).all(idle)
    }
}

/// The bit of a slot.
fn bit(slot: u32) -> u64 {
    1u64.checked_shl(slot).unwrap_or(0)
}

fn set_bit(bits: &mut u64, slot: u32, on: bool) {
    if on {
        *bits |= bit(slot);
    } else {
        *bits &= !bit(slot);
    }
}

/// Slots up to the last one whose bit is set.
fn length(bits: u64) -> u32 {
    u64::BITS.saturating_sub(bits.leading_zeros())
}

/// Nodes of another store, each read once: for several draws from a tree that does not change in
/// between.
#[derive(Debug)]
pub struct ReadOnce<S> {
    nodes: S,
    seen: RefCell<BTreeMap<NodeId, Option<Node>>>,
}

impl<S> ReadOnce<S> {
    /// These nodes, none of which has been read.
    pub fn new(nodes: S) -> Self {
        Self {
            nodes,
            seen: RefCell::default(),
        }
    }
}

impl<S: Nodes> Nodes for ReadOnce<S> {
    fn read(&self, at: NodeId) -> Option<Node> {
        if let Some(node) = self.seen.borrow().get(&at) {
            return node.clone();
        }
        let node = self.nodes.read(at);
        self.seen.borrow_mut().insert(at, node.clone());
        node
    }
}

impl<S: Nodes> Nodes for &S {
    fn read(&self, at: NodeId) -> Option<Node> {
        (**self).read(at)
    }
}

/// Nodes in memory.
impl Nodes for BTreeMap<NodeId, Node> {
    fn read(&self, at: NodeId) -> Option<Node> {
        self.get(&at).cloned()
    }
}

impl NodesMut for BTreeMap<NodeId, Node> {
    fn write(&mut self, at: NodeId, node: Option<Node>) {
        match node {
            Some(node) => self.insert(at, node),
            None => self.remove(&at),
        };
    }
}
