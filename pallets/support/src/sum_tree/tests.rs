// SPDX-License-Identifier: Apache-2.0

use super::*;
use polkadot_sdk::{
    frame_support::{self, Twox64Concat},
    sp_io::TestExternalities,
};
use std::collections::BTreeMap;

#[frame_support::storage_alias]
type Rosters = StorageDoubleMap<Test, Twox64Concat, u8, Twox64Concat, NodeId, Node>;

fn roster(tree: u8) -> StoredTree<Rosters, u8, 4, 3> {
    stored(tree)
}

fn nodes(tree: u8) -> BTreeMap<NodeId, Node> {
    Rosters::iter_prefix(tree).collect()
}

#[test]
fn a_stored_tree_has_the_nodes_of_one_in_memory() {
    TestExternalities::default().execute_with(|| {
        let (mut stored, mut memory) = (roster(1), SumTree::<_, 4, 3>::new(nodes(1)));
        for weight in 0..40 {
            assert_eq!(stored.insert(weight), memory.insert(weight));
        }
        for leaf in [3, 39, 17, 16, 18, 19] {
            assert_eq!(stored.remove(leaf), memory.remove(leaf));
        }
        assert_eq!(stored.set(5, 500), Ok(5));
        assert_eq!(memory.set(5, 500), Ok(5));
        for point in [0, 400, 900] {
            assert_eq!(stored.find(point), memory.find(point));
        }
        assert_eq!(check::<Rosters, u8, 4, 3>(1), memory.check());
        assert_eq!(nodes(1), memory.into_nodes());
    });
}

#[test]
fn trees_of_other_names_are_others() {
    TestExternalities::default().execute_with(|| {
        assert_eq!(roster(1).insert(7), Ok(0));
        assert_eq!(roster(2).insert(9), Ok(0));
        assert_eq!(roster(1).insert(1), Ok(1));
        assert_eq!(roster(1).total(), Ok(8));
        assert_eq!(roster(2).remove(0), Ok(9));
        assert_eq!((nodes(2).len(), roster(1).total()), (0, Ok(8)));
    });
}

#[test]
fn nodes_that_nothing_leads_to_are_found() {
    TestExternalities::default().execute_with(|| {
        assert_eq!(roster(1).insert(7), Ok(0));
        assert!(check::<Rosters, u8, 4, 3>(1).is_ok());
        let root = NodeId { level: 2, index: 0 };
        let stray = NodeId { level: 2, index: 1 };
        Rosters::insert(1u8, stray, Rosters::get(1u8, root).unwrap());
        let found = check::<Rosters, u8, 4, 3>(1);
        assert_eq!(found, Err(TreeError::Inconsistent));
    });
}
