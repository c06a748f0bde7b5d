// SPDX-License-Identifier: Apache-2.0

//! Sum trees: draws by weight among many, with few reads.
//!
//! Leaves have weights. A node of level 0 holds the weights of `ARITY` leaves, a node above it the
//! sums of as many nodes; a tree of `DEPTH` levels has room for `ARITY^DEPTH` leaves. The weights
//! side by side, in the order of the leaves, are a line from 0 to their sum. A draw takes a point of
//! this line, each with the same chance, and finds the leaf that the point falls on with one node of
//! every level. All arithmetic is exact.
//!
//! | operation | nodes read | nodes written |
//! |---|---:|---:|
//! | [`SumTree::total`], [`SumTree::weight`] | 1 | |
//! | [`SumTree::draw`], [`SumTree::find`], [`SumTree::place`] | `DEPTH` | |
//! | [`SumTree::draw_distinct`] of `n`, without `m` leaves | `(n + m)·DEPTH + 1` | |
//! | [`SumTree::insert`], [`SumTree::set`], [`SumTree::remove`] | `DEPTH` | `DEPTH` |
//!
//! Over [`ReadOnce`] the nodes that several draws share are read once. Nodes lie in storage or in
//! memory, behind [`Nodes`] and [`NodesMut`]; nothing else is kept. Besides its sum, a node knows of
//! each child if leaves are in use there and if some are vacant: a new leaf takes the lowest vacant
//! place, and a node without leaves is not stored. So the nodes depend on the leaves in use alone,
//! and not on the way they came to be.

use crate::stream::Points;
use alloc::{vec, vec::Vec};
use nodes::Summary;

mod nodes;
pub use nodes::{Node, NodeId, Nodes, NodesMut, ReadOnce, MAX_ARITY};

/// Reason to refuse. Nothing has changed then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TreeError {
    /// All leaves are in use.
    Full,
    /// The leaf is not in use.
    Vacant,
    /// The weights together would be more than 2^64 − 1.
    TooHeavy,
    /// Nodes contradict each other.
    Inconsistent,
}

/// Leaf, and its part of the line of weights: `weight` points from `start` on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// Number of the leaf.
    pub leaf: u32,
    /// Sum of the weights of the leaves before it.
    pub start: u64,
    /// Its weight.
    pub weight: u64,
}

/// Contents of a tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Census {
    /// Nodes stored.
    pub nodes: u32,
    /// Leaves in use.
    pub leaves: u32,
    /// Sum of their weights.
    pub total: u64,
}

/// Leaves left for draws without replacement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remaining {
    /// Leaves taken out that have a weight, in their order.
    out: Vec<Hit>,
    /// Sum of the weights of the others.
    left: u64,
}

/// Tree of weights over these nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SumTree<S, const ARITY: u32, const DEPTH: u8> {
    nodes: S,
}

/// Node on the way between the root and a leaf, with the slot of the way in it.
struct Step {
    at: NodeId,
    slot: u32,
    node: Node,
}

/// Leaves that there is room for.
const fn capacity(arity: u32, depth: u8) -> u32 {
    assert!(
        arity >= 2 && arity <= MAX_ARITY,
        "a node has from 2 to 64 children"
    );
    assert!(depth >= 1, "leaves lie in nodes");
    match arity.checked_pow(depth as u32) {
        Some(leaves) => leaves,
        None => panic!("leaves are numbered by 32 bits"),
    }
}

impl<S, const ARITY: u32, const DEPTH: u8> SumTree<S, ARITY, DEPTH> {
    /// Leaves that there is room for.
    pub const CAPACITY: u32 = capacity(ARITY, DEPTH);

    const ROOT: NodeId = NodeId {
        level: DEPTH.saturating_sub(1),
        index: 0,
    };

    /// Tree over these nodes: empty where there are none.
    pub fn new(nodes: S) -> Self {
        const { assert!(Self::CAPACITY >= 2, "a tree has leaves") };
        Self { nodes }
    }

    /// The nodes.
    pub fn into_nodes(self) -> S {
        self.nodes
    }

    /// Index of the node above a leaf or another node, and the slot of the latter in it.
    fn above(index: u32) -> (u32, u32) {
        // The arity is not 0: `new` says so.
        let parent = index.checked_div(ARITY).unwrap_or(0);
        (parent, index.checked_rem(ARITY).unwrap_or(0))
    }

    /// Index of the leaf or node in a slot of this node.
    fn below(index: u32, slot: u32) -> Result<u32, TreeError> {
        let first = index.checked_mul(ARITY);
        let child = first.and_then(|first| first.checked_add(slot));
        child.ok_or(TreeError::Inconsistent)
    }
}

impl<S: Nodes, const ARITY: u32, const DEPTH: u8> SumTree<S, ARITY, DEPTH> {
    /// Sum of all weights.
    ///
    /// # Errors
    /// [`TreeError::Inconsistent`].
    pub fn total(&self) -> Result<u64, TreeError> {
        self.root().map(|(_, total)| total)
    }

    /// Weight of a leaf; none if it is not in use.
    pub fn weight(&self, leaf: u32) -> Option<u64> {
        let (index, slot) = Self::above(leaf);
        let child = self.nodes.read(NodeId { level: 0, index })?.child(slot);
        child.used.then_some(child.sum)
    }

    /// Part that a leaf has of the line of weights.
    ///
    /// # Errors
    /// [`TreeError::Vacant`], [`TreeError::Inconsistent`].
    pub fn place(&self, leaf: u32) -> Result<Hit, TreeError> {
        let (path, weight) = self.path(leaf)?;
        let mut starts = path.iter().map(|step| step.node.before(step.slot));
        let start = starts.try_fold(0u64, |start, before| start.checked_add(before?));
        Ok(Hit {
            leaf,
            start: start.ok_or(TreeError::Inconsistent)?,
            weight,
        })
    }

    /// Leaf that a point of the line of weights falls on; none beyond its end.
    ///
    /// # Errors
    /// [`TreeError::Inconsistent`].
    pub fn find(&self, point: u64) -> Result<Option<Hit>, TreeError> {
        let (root, total) = self.root()?;
        if point < total {
            self.descend(root, point).map(Some)
        } else {
            Ok(None)
        }
    }

    /// One leaf, drawn by weight; none where there is no weight. Several such draws are with
    /// replacement.
    ///
    /// # Errors
    /// [`TreeError::Inconsistent`].
    pub fn draw(&self, points: &mut impl Points) -> Result<Option<Hit>, TreeError> {
        let (root, total) = self.root()?;
        if total == 0 {
            return Ok(None);
        }
        let point = points.point(total);
        self.descend(root, point).map(Some)
    }

    /// The leaves without these, for draws without replacement. Those that are not in use are
    /// ignored.
    ///
    /// # Errors
    /// [`TreeError::Inconsistent`].
    pub fn remaining(&self, excluded: &[u32]) -> Result<Remaining, TreeError> {
        let mut remaining = Remaining {
            out: Vec::new(),
            left: self.total()?,
        };
        for leaf in excluded {
            match self.place(*leaf) {
                Ok(hit) => remaining.take_out(hit)?,
                Err(TreeError::Vacant) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(remaining)
    }

    /// One of the remaining leaves, drawn by weight and taken out of them; none where there is no
    /// weight left.
    ///
    /// # Errors
    /// [`TreeError::Inconsistent`].
    pub fn draw_remaining(
        &self,
        remaining: &mut Remaining,
        points: &mut impl Points,
    ) -> Result<Option<Hit>, TreeError> {
        if remaining.left == 0 {
            return Ok(None);
        }
        let point = remaining.locate(points.point(remaining.left))?;
        let hit = self.find(point)?.ok_or(TreeError::Inconsistent)?;
        remaining.take_out(hit)?;
        Ok(Some(hit))
    }

    /// Up to `count` leaves, drawn by weight and without replacement from all but the excluded
    /// ones, in the order of drawing.
    ///
    /// # Errors
    /// [`TreeError::Inconsistent`].
    pub fn draw_distinct(
        &self,
        points: &mut impl Points,
        count: u32,
        excluded: &[u32],
    ) -> Result<Vec<Hit>, TreeError> {
        let mut remaining = self.remaining(excluded)?;
        let mut drawn = Vec::new();
        for _ in 0..count {
            let Some(hit) = self.draw_remaining(&mut remaining, points)? else {
                break;
            };
            drawn.push(hit);
        }
        Ok(drawn)
    }

    /// Checks every node that can be reached: each sum is that of the node it stands for, and none
    /// is stored without leaves. Reads the whole tree; nodes out of reach are those stored beyond
    /// [`Census::nodes`].
    ///
    /// # Errors
    /// [`TreeError::Inconsistent`].
    pub fn check(&self) -> Result<Census, TreeError> {
        let mut census = Census::default();
        let Some(root) = self.nodes.read(Self::ROOT) else {
            return Ok(census);
        };
        census.total = root.total().ok_or(TreeError::Inconsistent)?;
        let mut open = vec![(Self::ROOT, root)];
        while let Some((at, node)) = open.pop() {
            census.nodes = census.nodes.saturating_add(1);
            if !node.is_sound(ARITY, at.level == 0) {
                return Err(TreeError::Inconsistent);
            }
            for slot in (0..ARITY).filter(|slot| node.child(*slot).used) {
                let Some(level) = at.level.checked_sub(1) else {
                    census.leaves = census.leaves.saturating_add(1);
                    continue;
                };
                let index = Self::below(at.index, slot)?;
                let at = NodeId { level, index };
                let child = self.nodes.read(at).ok_or(TreeError::Inconsistent)?;
                if child.summary(ARITY) != Some(node.child(slot)) {
                    return Err(TreeError::Inconsistent);
                }
                open.push((at, child));
            }
        }
        Ok(census)
    }

    fn root(&self) -> Result<(Node, u64), TreeError> {
        let root = self.nodes.read(Self::ROOT).unwrap_or_default();
        let total = root.total().ok_or(TreeError::Inconsistent)?;
        Ok((root, total))
    }

    /// Leaf that a point below the total falls on.
    fn descend(&self, root: Node, point: u64) -> Result<Hit, TreeError> {
        let (mut node, mut at, mut rest) = (root, Self::ROOT, point);
        loop {
            let (slot, within) = node.reach(rest).ok_or(TreeError::Inconsistent)?;
            rest = within;
            let index = Self::below(at.index, slot)?;
            let Some(level) = at.level.checked_sub(1) else {
                return Ok(Hit {
                    leaf: index,
                    start: point.checked_sub(rest).ok_or(TreeError::Inconsistent)?,
                    weight: node.sum(slot),
                });
            };
            at = NodeId { level, index };
            node = self.nodes.read(at).ok_or(TreeError::Inconsistent)?;
        }
    }

    /// The way from a leaf in use to the root, and the leaf's weight.
    fn path(&self, leaf: u32) -> Result<(Vec<Step>, u64), TreeError> {
        let mut index = leaf;
        let steps = (0..DEPTH).map(|level| {
            let (parent, slot) = Self::above(index);
            index = parent;
            let at = NodeId {
                level,
                index: parent,
            };
            let node = self.nodes.read(at).unwrap_or_default();
            Step { at, slot, node }
        });
        let path: Vec<Step> = steps.collect();
        let child = |step: &Step| step.node.child(step.slot);
        let leaf = path.first().map(child).filter(|leaf| leaf.used);
        let leaf = leaf.ok_or(TreeError::Vacant)?;
        if path.iter().all(|step| child(step).used) {
            Ok((path, leaf.sum))
        } else {
            Err(TreeError::Inconsistent)
        }
    }
}

impl<S: NodesMut, const ARITY: u32, const DEPTH: u8> SumTree<S, ARITY, DEPTH> {
    /// Takes the lowest vacant leaf into use, and returns its number.
    ///
    /// # Errors
    /// [`TreeError::Full`], [`TreeError::TooHeavy`], [`TreeError::Inconsistent`].
    pub fn insert(&mut self, weight: u64) -> Result<u32, TreeError> {
        let mut path = Vec::new();
        let mut index = 0;
        for level in (0..DEPTH).rev() {
            let at = NodeId { level, index };
            let node = self.nodes.read(at).unwrap_or_default();
            let refusal = if at == Self::ROOT {
                TreeError::Full
            } else {
                TreeError::Inconsistent
            };
            let slot = node.vacant(ARITY).ok_or(refusal)?;
            index = Self::below(index, slot)?;
            path.push(Step { at, slot, node });
        }
        path.reverse();
        self.rewrite(path, Summary::in_use(weight))?;
        Ok(index)
    }

    /// Gives a leaf in use another weight, and returns the one it had.
    ///
    /// # Errors
    /// [`TreeError::Vacant`], [`TreeError::TooHeavy`], [`TreeError::Inconsistent`].
    pub fn set(&mut self, leaf: u32, weight: u64) -> Result<u64, TreeError> {
        let (path, before) = self.path(leaf)?;
        if weight != before {
            self.rewrite(path, Summary::in_use(weight))?;
        }
        Ok(before)
    }

    /// Makes a leaf vacant, and returns the weight it had.
    ///
    /// # Errors
    /// [`TreeError::Vacant`], [`TreeError::Inconsistent`].
    pub fn remove(&mut self, leaf: u32) -> Result<u64, TreeError> {
        let (path, before) = self.path(leaf)?;
        let leaf = Summary {
            sum: 0,
            used: false,
            full: false,
        };
        self.rewrite(path, leaf)?;
        Ok(before)
    }

    /// Stores a leaf and the nodes above it, of which `path` is the way to the root.
    fn rewrite(&mut self, mut path: Vec<Step>, leaf: Summary) -> Result<(), TreeError> {
        let mut child = leaf;
        for step in &mut path {
            step.node.set_child(step.slot, child);
            child = step.node.summary(ARITY).ok_or(TreeError::TooHeavy)?;
        }
        for Step { at, node, .. } in path {
            self.nodes.write(at, node.is_used().then_some(node));
        }
        Ok(())
    }
}

impl Remaining {
    /// Sum of the weights that are left.
    pub fn total(&self) -> u64 {
        self.left
    }

    /// The point of the whole line of weights that a point of what is left of it is.
    fn locate(&self, mut point: u64) -> Result<u64, TreeError> {
        for hit in &self.out {
            if point < hit.start {
                break;
            }
            let later = point.checked_add(hit.weight);
            point = later.ok_or(TreeError::Inconsistent)?;
        }
        Ok(point)
    }

    /// Takes a leaf out, if it is not out already.
    fn take_out(&mut self, hit: Hit) -> Result<(), TreeError> {
        if hit.weight == 0 {
            return Ok(());
        }
        // Leaves with a weight start at different points.
        if let Err(at) = self
            .out
            .binary_search_by_key(&hit.start, |other| other.start)
        {
            let left = self.left.checked_sub(hit.weight);
            self.left = left.ok_or(TreeError::Inconsistent)?;
            self.out.insert(at, hit);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
