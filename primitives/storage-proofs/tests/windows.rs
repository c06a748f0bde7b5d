// SPDX-License-Identifier: Apache-2.0

//! Aggregation: what a root binds, and that all nodes compute the same.
#![allow(clippy::unwrap_used)]

mod common;
use codec::{Decode, Encode, MaxEncodedLen};
use common::{hash, hashes, Random};
use std::collections::BTreeMap;
use tos_storage_proofs::{
    aggregate::{self, FoldError, Roots},
    *,
};

fn leaves(positions: impl IntoIterator<Item = u32>) -> Vec<(u32, Hash)> {
    let leaf = |position: u32| (position, hash("leaf", u64::from(position)));
    positions.into_iter().map(leaf).collect()
}

#[test]
fn three_nodes_that_learn_of_replicas_in_any_order_agree() {
    let all = leaves((0..30_000).step_by(7));
    let expected = fold(&all).unwrap();
    for node in 0..3 {
        let (mut random, mut shuffled) = (Random(node), all.clone());
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, random.below(at + 1));
        }
        let known: BTreeMap<u32, Hash> = shuffled.into_iter().collect();
        let sorted: Vec<_> = known.into_iter().collect();
        assert_eq!(fold(&sorted).unwrap(), expected);
    }
    // Unsorted input is refused rather than folded to another root.
    let mut unsorted = all.clone();
    unsorted.swap(3, 4);
    assert_eq!(fold(&unsorted), Err(FoldError::Order));
    unsorted[3] = unsorted[4];
    assert_eq!(fold(&unsorted), Err(FoldError::Order));
}

#[test]
fn groups_regions_and_roots_fold_to_the_same_as_all_leaves() {
    let all = leaves((0..45_000).step_by(11));
    let roots = fold(&all).unwrap();
    let groups: Vec<Hash> = (0..45)
        .map(|group| {
            let own = all.iter().filter(|(position, _)| position / 1_000 == group);
            let own: Vec<_> = own
                .map(|(position, leaf)| (position % 1_000, *leaf))
                .collect();
            aggregate::group_root(&own).unwrap()
        })
        .collect();
    assert_eq!(Roots::of_groups(groups.clone()), Ok(roots.clone()));
    for (position, leaf) in all.iter().step_by(997) {
        let own: Vec<_> = all
            .iter()
            .filter(|(other, _)| other / 1_000 == position / 1_000)
            .map(|(position, leaf)| (position % 1_000, *leaf))
            .collect();
        let (group, place) = (position / 1_000, position % 1_000);
        let in_group = aggregate::group_path(&own, place).unwrap();
        let root = &groups[group as usize];
        assert!(aggregate::verify_group_inclusion(
            root, leaf, place, &in_group
        ));
        assert!(!aggregate::verify_group_inclusion(
            root,
            leaf,
            place ^ 1,
            &in_group
        ));
        let above = aggregate::upper_path(&groups, group).unwrap();
        let path = [in_group, above].concat();
        assert_eq!(inclusion_path(&all, *position), Ok(path.clone()));
        assert!(verify_inclusion(&roots.global, leaf, *position, &path));
    }
}

#[test]
fn a_hundred_thousand_replicas_have_paths_of_576_bytes() {
    let all = leaves(0..100_000);
    let roots = fold(&all).unwrap();
    assert_eq!((roots.groups.len(), roots.regions.len()), (100, 10));
    for position in [0, 999, 1_000, 9_999, 54_321, 99_999] {
        let path = inclusion_path(&all, position).unwrap();
        assert_eq!(path.as_flattened().len(), 576);
        let leaf = &all[position as usize].1;
        assert!(verify_inclusion(&roots.global, leaf, position, &path));
    }
}

#[test]
fn a_leaf_is_included_at_its_position_alone() {
    let all = leaves((0..25_000).step_by(3));
    let roots = fold(&all).unwrap();
    for (position, leaf) in all.iter().step_by(613) {
        let path = inclusion_path(&all, *position).unwrap();
        let included =
            |position, path: &[Hash]| verify_inclusion(&roots.global, leaf, position, path);
        assert!(included(*position, &path));
        for other in [1, 2, 512, 1_000, 10_000, 16_000, 40_000, 1 << 31] {
            assert!(!included(position.wrapping_add(other), &path));
            assert!(!included(position.wrapping_sub(other), &path));
        }
        for at in 0..path.len() {
            let mut forged = path.clone();
            forged[at][at % 32] ^= 1 << (at % 8);
            assert!(!included(*position, &forged));
            assert!(!included(*position, &path[..at]));
            if at > 0 {
                let mut forged = path.clone();
                forged.swap(at - 1, at);
                assert!(!included(*position, &forged));
            }
        }
        let longer = [&path[..], &[[0; 32]]].concat();
        assert!(!included(*position, &longer));
        assert!(!included(*position, &vec![[0; 32]; 1_000]));
    }
}

#[test]
fn no_node_passes_for_one_of_another_level() {
    let all = leaves(0..3_000);
    let roots = fold(&all).unwrap();
    let path = inclusion_path(&all, 0).unwrap();
    // The group root with the path above it, at every position.
    for position in [0, 1_000, 2_000] {
        assert!(!verify_inclusion(
            &roots.global,
            &roots.groups[0],
            position,
            &path[10..]
        ));
    }
    assert!(!verify_inclusion(&roots.regions[0], &all[0].1, 0, &path));
    assert!(!verify_inclusion(
        &roots.groups[0],
        &all[0].1,
        0,
        &path[..10]
    ));
    // One region alone needs no levels above it, and is still not its own global root.
    assert_eq!(path.len(), 14);
    assert_ne!(roots.global, roots.regions[0]);
    // Absent regions at the end change the depth and with it the root.
    let more: Vec<Hash> = [&roots.groups[..], &[aggregate::missing_group(); 8]].concat();
    assert_ne!(Roots::of_groups(more).unwrap().global, roots.global);
}

#[test]
fn the_limits_of_groups_and_regions_are_enforced() {
    let leaf = [7; 32];
    assert!(aggregate::group_root(&[(999, leaf)]).is_ok());
    assert_eq!(
        aggregate::group_root(&[(1_000, leaf)]),
        Err(FoldError::Range)
    );
    assert_eq!(
        aggregate::group_root(&[(1, leaf), (1, leaf)]),
        Err(FoldError::Order)
    );
    assert!(aggregate::region_root(&[leaf; 10]).is_ok());
    assert_eq!(aggregate::region_root(&[leaf; 11]), Err(FoldError::Range));
    assert!(aggregate::global_root(&[leaf; 1_024]).is_ok());
    assert_eq!(
        aggregate::global_root(&[leaf; 1_025]),
        Err(FoldError::Range)
    );
    assert!(Roots::of_groups(vec![leaf; 10_240]).is_ok());
    assert_eq!(Roots::of_groups(vec![leaf; 10_241]), Err(FoldError::Range));
    assert_eq!(fold(&[(u32::MAX, leaf)]), Err(FoldError::Range));
    let last = 10_239_999;
    let path = inclusion_path(&[(last, leaf)], last).unwrap();
    assert_eq!(path.len(), aggregate::MAX_PATH);
    assert!(verify_inclusion(
        &fold(&[(last, leaf)]).unwrap().global,
        &leaf,
        last,
        &path
    ));
    assert_eq!(aggregate::group_path(&[], 1_000), Err(FoldError::Range));
    assert_eq!(aggregate::upper_path(&[leaf], 1), Err(FoldError::Range));
    assert_eq!(inclusion_path(&[(0, leaf)], 1_000), Err(FoldError::Range));
}

#[test]
fn a_leaf_binds_replica_window_root_response_and_history() {
    let leaf = |at: [u8; 5]| {
        let [replica, window, root, response, previous] = at;
        let window = u64::from(window);
        aggregate::leaf(
            &[replica; 16],
            window,
            &[root; 32],
            &[response; 32],
            &[previous; 32],
        )
    };
    let honest = leaf([1; 5]);
    for at in 0..5 {
        let mut other = [1; 5];
        other[at] = 2;
        assert_ne!(leaf(other), honest);
    }
    assert_ne!(response_digest(b"a"), response_digest(b"b"));
    // A silent group is not a group whose replicas are all absent from it.
    let silent = aggregate::missing_group();
    let absent = aggregate::group_root(&[(0, aggregate::absent_leaf())]);
    assert_ne!(Ok(silent), absent);
}

#[test]
fn a_mountain_range_proves_each_value_at_its_index_alone() {
    let values = hashes("value", 70);
    let mut range = Mmr::new();
    for (at, value) in (0..).zip(&values) {
        assert_eq!(range.append(value), Some(at));
        let (leaves, root) = (range.leaves(), range.root());
        let so_far = &values[..=at as usize];
        for index in [0, at / 2, at] {
            let proof = Mmr::prove(so_far, index).unwrap();
            let value = &values[index as usize];
            assert!(proof.verify(&root, leaves, index, value));
            let read = MmrProof::from_bytes(leaves, index, &proof.to_bytes());
            assert_eq!(read.as_ref(), Some(&proof));
            assert!(!proof.verify(&root, leaves, index + 1, value));
            assert!(!proof.verify(&root, leaves + 1, index, value));
            assert!(!proof.verify(&root, leaves - 1, index, value));
            assert!(!proof.verify(&root, leaves, index, &hash("other", 0)));
            assert!(!proof.verify(&hash("other", 0), leaves, index, value));
            let bytes = proof.to_bytes();
            for flipped in 0..bytes.len() {
                let mut forged = bytes.clone();
                forged[flipped] ^= 1 << (flipped % 8);
                let forged = MmrProof::from_bytes(leaves, index, &forged).unwrap();
                assert!(!forged.verify(&root, leaves, index, value));
                assert_eq!(MmrProof::from_bytes(leaves, index, &bytes[..flipped]), None);
            }
        }
        assert_eq!(Mmr::prove(so_far, at + 1), None);
        let encoded = range.encode();
        assert!(encoded.len() <= Mmr::max_encoded_len());
        assert_eq!(Mmr::decode(&mut &encoded[..]), Ok(range.clone()));
    }
    assert_eq!(Mmr::prove(&[], 0), None);
    assert!(!MmrProof {
        siblings: vec![],
        peaks: vec![]
    }
    .verify(&Mmr::new().root(), 0, 0, &[0; 32]));
    // A range that claims other peaks than its length gives is refused before they are read.
    for (leaves, peaks) in [(0u64, 1usize), (1, 0), (1, 2), (3, 1), (u64::MAX, 63)] {
        let encoded = (leaves, vec![[0u8; 32]; peaks]).encode();
        assert!(Mmr::decode(&mut &encoded[..]).is_err());
    }
}

#[test]
fn a_record_has_136_bytes_and_keeps_every_one() {
    let bytes: Vec<u8> = (0..136).collect();
    let record = UltraRecord::from_bytes(&bytes).unwrap();
    assert_eq!(record.to_bytes().to_vec(), bytes);
    assert_eq!(
        record.length,
        u64::from_le_bytes(core::array::from_fn(|at| 32 + at as u8))
    );
    for at in 0..136 {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        assert_ne!(UltraRecord::from_bytes(&forged), Some(record));
        assert_eq!(UltraRecord::from_bytes(&bytes[..at]), None);
    }
    assert_eq!(UltraRecord::from_bytes(&[0; 137]), None);
    let place = ultra::position_hash(&[1; 16], 2, 3);
    assert_ne!(place, ultra::position_hash(&[1; 16], 3, 2));
}
