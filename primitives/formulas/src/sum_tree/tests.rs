// SPDX-License-Identifier: Apache-2.0

use super::*;
use crate::{stream::Stream, testing::cases};
use alloc::collections::{BTreeMap, BTreeSet};
use core::cell::Cell;
use proptest::prelude::*;

type Memory = BTreeMap<NodeId, Node>;
type Tree<const ARITY: u32, const DEPTH: u8> = SumTree<Memory, ARITY, DEPTH>;
/// The shape that a network's roster has.
type Roster<S> = SumTree<S, 64, 3>;

fn empty<const ARITY: u32, const DEPTH: u8>() -> Tree<ARITY, DEPTH> {
    SumTree::new(Memory::new())
}

fn tree<const ARITY: u32, const DEPTH: u8>(weights: &[u64]) -> Tree<ARITY, DEPTH> {
    let mut tree = empty();
    for (leaf, weight) in (0..).zip(weights) {
        assert_eq!(tree.insert(*weight), Ok(leaf));
    }
    tree
}

fn stream(n: u32) -> Stream<13> {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&n.to_le_bytes());
    Stream::new(*b"tos/roster/v1", seed)
}

/// The leaves in use with their weights, and every question answered by going through all of them.
#[derive(Default)]
struct Naive(BTreeMap<u32, u64>);

impl Naive {
    fn insert(&mut self, weight: u64, capacity: u32) -> Result<u32, TreeError> {
        let leaf = (0..capacity).find(|leaf| !self.0.contains_key(leaf));
        let leaf = leaf.ok_or(TreeError::Full)?;
        if self.total().checked_add(weight).is_none() {
            return Err(TreeError::TooHeavy);
        }
        self.0.insert(leaf, weight);
        Ok(leaf)
    }

    fn set(&mut self, leaf: u32, weight: u64) -> Result<u64, TreeError> {
        let before = self.0.get(&leaf).copied().ok_or(TreeError::Vacant)?;
        let rest = self.total() - before;
        if rest.checked_add(weight).is_none() {
            return Err(TreeError::TooHeavy);
        }
        self.0.insert(leaf, weight);
        Ok(before)
    }

    fn remove(&mut self, leaf: u32) -> Result<u64, TreeError> {
        self.0.remove(&leaf).ok_or(TreeError::Vacant)
    }

    fn total(&self) -> u64 {
        self.0.values().sum()
    }

    fn hits(&self) -> Vec<Hit> {
        let mut start = 0;
        let hit = |(leaf, weight): (&u32, &u64)| {
            let hit = Hit {
                leaf: *leaf,
                start,
                weight: *weight,
            };
            start += weight;
            hit
        };
        self.0.iter().map(hit).collect()
    }

    fn find(&self, point: u64) -> Option<Hit> {
        let on = |hit: &Hit| point >= hit.start && point - hit.start < hit.weight;
        self.hits().into_iter().find(on)
    }

    fn distinct(&self, points: &mut impl Points, count: u32, excluded: &[u32]) -> Vec<u32> {
        let mut left = self.0.clone();
        left.retain(|leaf, _| !excluded.contains(leaf));
        let mut drawn = Vec::new();
        while drawn.len() < count as usize {
            let rest = Naive(left.clone());
            if rest.total() == 0 {
                break;
            }
            let hit = rest.find(points.point(rest.total())).unwrap();
            left.remove(&hit.leaf);
            drawn.push(hit.leaf);
        }
        drawn
    }
}

#[derive(Debug, Clone)]
enum Change {
    Insert(u64),
    Set(u32, u64),
    Remove(u32),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let weight = || prop_oneof![Just(0u64), 1..10u64, 1..1_000_000u64, Just(u64::MAX / 2)];
    let leaf = || prop_oneof![0..8u32, 0..70u32, Just(u32::MAX)];
    let change = prop_oneof![
        4 => weight().prop_map(Change::Insert),
        2 => (leaf(), weight()).prop_map(|(leaf, weight)| Change::Set(leaf, weight)),
        2 => leaf().prop_map(Change::Remove),
    ];
    prop::collection::vec(change, 0..120)
}

fn agrees_with_the_naive<const ARITY: u32, const DEPTH: u8>(changes: &[Change], seed: u32) {
    let (mut tree, mut naive) = (empty::<ARITY, DEPTH>(), Naive::default());
    let capacity = Tree::<ARITY, DEPTH>::CAPACITY;
    for change in changes {
        let before = tree.clone();
        let (told, expected) = match *change {
            Change::Insert(weight) => (
                tree.insert(weight).map(u64::from),
                naive.insert(weight, capacity).map(u64::from),
            ),
            Change::Set(leaf, weight) => (tree.set(leaf, weight), naive.set(leaf, weight)),
            Change::Remove(leaf) => (tree.remove(leaf), naive.remove(leaf)),
        };
        assert_eq!(told, expected, "{change:?}");
        assert!(
            told.is_ok() || tree == before,
            "a refusal changed something"
        );
        assert_eq!(tree.total(), Ok(naive.total()));
        let census = tree.check().unwrap();
        assert_eq!(census.leaves as usize, naive.0.len());
        assert_eq!(census.total, naive.total());
        assert_eq!(census.nodes as usize, tree.nodes.len());
    }

    // The same leaves give the same nodes, whatever was there before.
    let mut fresh = empty::<ARITY, DEPTH>();
    let leaves = naive.0.last_key_value().map_or(0, |(last, _)| last + 1);
    for leaf in 0..leaves {
        let weight = naive.0.get(&leaf).copied().unwrap_or(0);
        assert_eq!(fresh.insert(weight), Ok(leaf));
    }
    for leaf in (0..leaves).filter(|leaf| !naive.0.contains_key(leaf)) {
        assert_eq!(fresh.remove(leaf), Ok(0));
    }
    assert_eq!(fresh, tree);

    for leaf in 0..leaves + 2 {
        assert_eq!(tree.weight(leaf), naive.0.get(&leaf).copied());
    }
    for hit in naive.hits() {
        assert_eq!(tree.place(hit.leaf), Ok(hit));
        let ends = [hit.start, (hit.start + hit.weight).saturating_sub(1)];
        for point in ends {
            assert_eq!(tree.find(point), Ok(naive.find(point)));
        }
    }
    assert_eq!(tree.find(naive.total()), Ok(None));

    let (mut points, mut same) = (stream(seed), stream(seed));
    for _ in 0..5 {
        let drawn = tree.draw(&mut points).unwrap();
        let total = naive.total();
        let expected = (total > 0).then(|| naive.find(same.point(total)).unwrap());
        assert_eq!(drawn, expected);
    }
    let excluded = [0, 3, 3, 7, 64, u32::MAX];
    for count in [0, 1, 5, 200] {
        let drawn = tree.draw_distinct(&mut points, count, &excluded).unwrap();
        let drawn: Vec<u32> = drawn.into_iter().map(|hit| hit.leaf).collect();
        assert_eq!(drawn, naive.distinct(&mut same, count, &excluded));
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn trees_of_every_shape_answer_as_a_list_of_leaves_does(
        changes in changes(),
        seed in any::<u32>(),
    ) {
        agrees_with_the_naive::<2, 1>(&changes, seed);
        agrees_with_the_naive::<2, 5>(&changes, seed);
        agrees_with_the_naive::<3, 3>(&changes, seed);
        agrees_with_the_naive::<4, 3>(&changes, seed);
        agrees_with_the_naive::<64, 1>(&changes, seed);
        agrees_with_the_naive::<64, 3>(&changes, seed);
    }
}

/// Every sequence of points there is, one after the other.
#[derive(Default)]
struct Odometer {
    /// Points with their bounds.
    digits: Vec<(u64, u64)>,
    at: usize,
}

impl Points for Odometer {
    fn point(&mut self, bound: u64) -> u64 {
        if self.at == self.digits.len() {
            self.digits.push((0, bound));
        }
        let (point, same) = self.digits[self.at];
        assert_eq!(bound, same, "the bound depends on the points before alone");
        self.at += 1;
        point
    }
}

impl Odometer {
    /// Moves on to the next sequence. Returns `false` if there is none.
    fn turn(&mut self) -> bool {
        self.at = 0;
        while let Some((point, bound)) = self.digits.pop() {
            if point + 1 < bound {
                self.digits.push((point + 1, bound));
                return true;
            }
        }
        false
    }
}

/// The number of sequences of points that give each outcome.
fn outcomes(draw: impl Fn(&mut Odometer) -> Vec<u32>) -> BTreeMap<Vec<u32>, u64> {
    let (mut odometer, mut seen) = (Odometer::default(), BTreeMap::new());
    loop {
        *seen.entry(draw(&mut odometer)).or_default() += 1;
        if !odometer.turn() {
            return seen;
        }
    }
}

#[test]
fn with_replacement_every_leaf_has_as_many_points_as_its_weight() {
    let weights = [3, 0, 5, 1, 0, 7, 2];
    let tree = tree::<2, 3>(&weights);
    let mut points = [0; 7];
    for point in 0..18 {
        points[tree.find(point).unwrap().unwrap().leaf as usize] += 1;
    }
    assert_eq!(points, weights);
    let pairs = outcomes(|points| {
        let mut leaf = || tree.draw(points).unwrap().unwrap().leaf;
        vec![leaf(), leaf()]
    });
    for (pair, seen) in &pairs {
        assert_eq!(*seen, weights[pair[0] as usize] * weights[pair[1] as usize]);
    }
    assert_eq!(pairs.len(), 25);
    assert_eq!(pairs.values().sum::<u64>(), 18 * 18);
}

#[test]
fn without_replacement_every_order_has_its_exact_chance() {
    let weights = [2u64, 0, 3, 1, 4];
    let tree = tree::<2, 3>(&weights);
    let drawn = |points: &mut Odometer| {
        let hits = tree.draw_distinct(points, 3, &[]).unwrap();
        hits.into_iter().map(|hit| hit.leaf).collect::<Vec<_>>()
    };
    let seen = outcomes(drawn);
    // Four leaves with a weight: 4·3·2 orders.
    assert_eq!(seen.len(), 24);
    // Of ten points a fall on the first leaf, of the 10 − a left b on the second, of what is left then
    // c on the third.
    for (order, seen) in &seen {
        let distinct: BTreeSet<_> = order.iter().collect();
        assert_eq!(distinct.len(), 3);
        let product: u64 = order.iter().map(|leaf| weights[*leaf as usize]).product();
        assert_eq!(*seen, product, "{order:?}");
    }
}

#[test]
fn excluding_leaves_leaves_the_others_chances_to_one_another() {
    let weights = [2u64, 6, 3, 1, 4];
    let all = tree::<2, 3>(&weights);
    let without = tree::<2, 3>(&[2, 0, 3, 1, 0]);
    let draw = |tree: &Tree<2, 3>, points: &mut Odometer, excluded: &[u32]| {
        let hits = tree.draw_distinct(points, 2, excluded).unwrap();
        hits.into_iter().map(|hit| hit.leaf).collect::<Vec<_>>()
    };
    let excluded = outcomes(|points| draw(&all, points, &[4, 1, 4, 6, u32::MAX]));
    let absent = outcomes(|points| draw(&without, points, &[]));
    assert_eq!(excluded, absent);
    assert_eq!(excluded.len(), 6);
    assert_eq!(excluded[&vec![2, 0]], 3 * 2);
}

#[test]
fn one_stake_in_many_leaves_has_the_points_that_it_has_in_one() {
    let whole = tree::<4, 3>(&[7, 60, 9]);
    let mut weights = vec![7];
    weights.extend([2; 30]);
    weights.push(9);
    let split = tree::<4, 3>(&weights);
    assert_eq!(whole.total(), split.total());
    let own = |hit: Option<Hit>, last: u32| (1..last).contains(&hit.unwrap().leaf);
    for point in 0..whole.total().unwrap() {
        let (one, many) = (whole.find(point).unwrap(), split.find(point).unwrap());
        assert_eq!(own(one, 2), own(many, 31));
    }
}

#[test]
fn a_void_draw_without_replacement_is_not_drawn_again() {
    let weights = [5u64, 1, 2];
    let tree = tree::<2, 3>(&weights);
    let mut remaining = tree.remaining(&[]).unwrap();
    let (mut points, mut left, mut order) = (stream(1), 8, Vec::new());
    while let Some(hit) = tree.draw_remaining(&mut remaining, &mut points).unwrap() {
        left -= weights[hit.leaf as usize];
        assert_eq!(remaining.total(), left);
        order.push(hit.leaf);
    }
    order.sort_unstable();
    assert_eq!(order, [0, 1, 2]);
}

/// Nodes that count how often they are read and written.
#[derive(Default)]
struct Counted {
    nodes: Memory,
    reads: Cell<u32>,
    writes: u32,
}

impl Nodes for Counted {
    fn read(&self, at: NodeId) -> Option<Node> {
        self.reads.set(self.reads.get() + 1);
        self.nodes.read(at)
    }
}

impl NodesMut for Counted {
    fn write(&mut self, at: NodeId, node: Option<Node>) {
        self.writes += 1;
        self.nodes.write(at, node);
    }
}

/// Ten thousand judges of 50 to 149.
fn ten_thousand() -> Counted {
    let mut roster = Roster::new(Memory::new());
    for n in 0..10_000 {
        roster.insert(50 + n % 100).unwrap();
    }
    Counted {
        nodes: roster.into_nodes(),
        ..Counted::default()
    }
}

#[test]
fn a_draw_reads_one_node_of_every_level_and_a_panel_shares_them() {
    let counted = ten_thousand();
    // 157 nodes of leaves, 3 above them, and the root.
    assert_eq!(counted.nodes.len(), 161);
    let roster = Roster::new(&counted);
    for n in 0..20 {
        counted.reads.set(0);
        roster.draw(&mut stream(n)).unwrap().unwrap();
        assert_eq!(counted.reads.get(), 3);
    }
    // Panels of 5 and 13 and a court of 55, with all the draws that they may take.
    for (seats, most) in [(5u32, 24), (13, 56), (55, 161)] {
        counted.reads.set(0);
        let once = Roster::new(ReadOnce::new(&counted));
        let (mut points, mut same) = (stream(seats), stream(seats));
        for _ in 0..4 * seats {
            let drawn = once.draw(&mut points).unwrap();
            let reads = counted.reads.get();
            assert_eq!(drawn, roster.draw(&mut same).unwrap());
            counted.reads.set(reads);
        }
        assert!(
            counted.reads.get() <= most,
            "{seats}: {}",
            counted.reads.get()
        );
    }
}

#[test]
fn leaving_out_a_task_of_parties_reads_their_paths_and_no_more() {
    let counted = ten_thousand();
    let roster = Roster::new(&counted);
    let parties: Vec<u32> = (0..33).map(|n| n * 300).collect();
    let drawn = roster.draw_distinct(&mut stream(1), 13, &parties).unwrap();
    assert_eq!(drawn.len(), 13);
    assert_eq!(counted.reads.get(), (33 + 13) * 3 + 1);
    assert!(drawn.iter().all(|hit| !parties.contains(&hit.leaf)));
}

#[test]
fn a_change_reads_and_writes_one_node_of_every_level() {
    let mut roster = Roster::new(ten_thousand());
    let before = (roster.nodes.reads.get(), roster.nodes.writes);
    assert_eq!(before, (0, 0));
    let told = |roster: &mut Roster<Counted>| {
        let told = (roster.nodes.reads.take(), roster.nodes.writes);
        roster.nodes.writes = 0;
        told
    };
    roster.insert(50).unwrap();
    assert_eq!(told(&mut roster), (3, 3));
    roster.set(5_000, 7).unwrap();
    assert_eq!(told(&mut roster), (3, 3));
    // What stays as it is writes nothing.
    roster.set(5_000, 7).unwrap();
    assert_eq!(told(&mut roster), (3, 0));
    roster.remove(5_000).unwrap();
    assert_eq!(told(&mut roster), (3, 3));
    assert_eq!(roster.remove(5_000), Err(TreeError::Vacant));
    assert_eq!(told(&mut roster), (3, 0));
}

#[test]
fn a_full_tree_refuses_and_the_lowest_vacant_leaf_is_taken_first() {
    let mut tree = tree::<2, 3>(&[1; 8]);
    assert_eq!(Tree::<2, 3>::CAPACITY, 8);
    assert_eq!(tree.insert(0), Err(TreeError::Full));
    for leaf in [6, 1, 4] {
        assert_eq!(tree.remove(leaf), Ok(1));
    }
    assert_eq!(tree.weight(4), None);
    assert_eq!(tree.place(4), Err(TreeError::Vacant));
    assert_eq!(tree.set(4, 5), Err(TreeError::Vacant));
    assert_eq!(
        [tree.insert(9), tree.insert(0), tree.insert(2)],
        [Ok(1), Ok(4), Ok(6)]
    );
    assert_eq!(tree.insert(0), Err(TreeError::Full));
    assert_eq!(tree.total(), Ok(5 + 9 + 2));
}

#[test]
fn nothing_is_left_of_an_emptied_tree() {
    let mut tree = tree::<4, 3>(&[0, 1, 2, 3, 4, 5]);
    for leaf in [3, 0, 5, 1, 4, 2] {
        tree.remove(leaf).unwrap();
    }
    assert_eq!(tree, empty::<4, 3>());
    assert_eq!(tree.check(), Ok(Census::default()));
    assert_eq!(tree.draw(&mut stream(0)), Ok(None));
    assert_eq!(tree.draw_distinct(&mut stream(0), 3, &[0]), Ok(vec![]));
}

#[test]
fn leaves_without_weight_keep_their_place_and_are_never_drawn() {
    let mut tree = tree::<4, 3>(&[0, 5, 0]);
    for n in 0..50 {
        assert_eq!(tree.draw(&mut stream(n)).unwrap().unwrap().leaf, 1);
    }
    assert_eq!(tree.draw_distinct(&mut stream(0), 3, &[1]), Ok(vec![]));
    assert_eq!(tree.set(1, 0), Ok(5));
    assert_eq!(tree.draw(&mut stream(0)), Ok(None));
    assert_eq!(tree.insert(1), Ok(3));
}

#[test]
fn weights_that_do_not_fit_together_are_refused() {
    let mut tree = tree::<2, 3>(&[u64::MAX - 5, 5]);
    assert_eq!(tree.insert(1), Err(TreeError::TooHeavy));
    assert_eq!(tree.set(1, 6), Err(TreeError::TooHeavy));
    assert_eq!(tree.total(), Ok(u64::MAX));
    assert_eq!(tree.find(u64::MAX - 1).unwrap().unwrap().leaf, 1);
    assert_eq!(tree.find(u64::MAX), Ok(None));
}

#[test]
fn the_largest_node_has_a_bound() {
    use codec::{Encode, MaxEncodedLen};
    let largest = tree::<64, 1>(&[1; 64]).into_nodes();
    let root = largest.values().next().unwrap();
    assert_eq!(root.encoded_size(), 2 + 64 * 8 + 16);
    assert_eq!(Node::max_encoded_len(), root.encoded_size());
}

#[test]
fn a_node_that_was_tampered_with_is_found() {
    let weights = [1u64, 2, 3, 0, 5, 6, 7, 8, 9, 10, 11];
    let sound = tree::<3, 3>(&weights);
    assert_eq!(sound.check().unwrap().total, 62);
    let tampered = |change: &dyn Fn(&mut Memory)| {
        let mut nodes = sound.nodes.clone();
        change(&mut nodes);
        assert_ne!(nodes, sound.nodes);
        Tree::<3, 3>::new(nodes).check()
    };
    for at in sound.nodes.keys().filter(|at| at.level < 2) {
        let lost = tampered(&|nodes: &mut Memory| {
            nodes.remove(at);
        });
        assert_eq!(lost, Err(TreeError::Inconsistent));
        for slot in 0..3 {
            let moved = tampered(&|nodes: &mut Memory| {
                let node = nodes.get_mut(at).unwrap();
                let mut child = node.child(slot);
                child.sum += 1;
                child.used = true;
                child.full |= at.level == 0;
                node.set_child(slot, child);
            });
            assert_eq!(moved, Err(TreeError::Inconsistent), "{at:?} {slot}");
        }
    }
    // Sums that fit, with marks that do not.
    for at in sound.nodes.keys() {
        let marked = tampered(&|nodes: &mut Memory| {
            let node = nodes.get_mut(at).unwrap();
            let mut child = node.child(0);
            child.full = !child.full;
            node.set_child(0, child);
        });
        assert_eq!(marked, Err(TreeError::Inconsistent), "{at:?}");
    }
    // Nodes that nothing leads to are those beyond the census.
    let mut nodes = sound.nodes.clone();
    let stray = nodes[&NodeId { level: 0, index: 0 }].clone();
    nodes.insert(NodeId { level: 0, index: 8 }, stray);
    let census = Tree::<3, 3>::new(nodes.clone()).check().unwrap();
    assert_eq!(census.nodes as usize + 1, nodes.len());
}

#[test]
fn a_tree_that_contradicts_itself_gives_errors_and_no_draws() {
    let mut nodes = tree::<2, 2>(&[4, 4, 4]).into_nodes();
    nodes.remove(&NodeId { level: 0, index: 1 });
    let mut broken = Tree::<2, 2>::new(nodes);
    assert_eq!(broken.find(9), Err(TreeError::Inconsistent));
    assert_eq!(broken.find(3).unwrap().unwrap().leaf, 0);
    let mut nodes = broken.clone().into_nodes();
    nodes.remove(&NodeId { level: 1, index: 0 });
    broken = Tree::new(nodes);
    assert_eq!(broken.place(0), Err(TreeError::Inconsistent));
    assert_eq!(broken.set(0, 1), Err(TreeError::Inconsistent));
    assert_eq!(broken.remove(1), Err(TreeError::Inconsistent));
}
