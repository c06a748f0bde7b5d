// SPDX-License-Identifier: Apache-2.0

//! The slots that the benchmarks include: eight of them, with real parameters.
//!
//! WASM cannot walk, so they are kept in a file. `UPDATE_VECTORS=1` walks them anew.

use crate::vectors::*;
use codec::Encode;
use std::path::Path;
use tos_types::beacon::{make_inherent, KnownSlot};
use tos_vdf::{evaluate_slot, initial_state, verify_slot, Dataset, SlotProof};

#[test]
fn the_benchmarks_include_right_slots() {
    let epoch = epoch();
    let dataset = Dataset::build(&epoch.params, &epoch.seed).unwrap();
    let update = std::env::var_os("UPDATE_VECTORS").is_some();
    let known: Vec<SlotProof> = if update { Vec::new() } else { load().proofs };

    let (mut start, mut first) = (initial_state(&SEED), 0);
    let mut slots = Vec::new();
    for i in 0..8 {
        let (proof, fine) = match known.get(i) {
            Some(proof) => {
                let fine = verify_slot(&dataset, &start, first, proof);
                (proof.clone(), fine.expect("the slot is right"))
            }
            None => {
                let slot = evaluate_slot(&dataset, &start, first, &|| false).unwrap();
                (slot.proof, slot.fine)
            }
        };
        let end = *proof.end();
        slots.push((start, fine, proof));
        start = end;
        first += u64::from(epoch.params.iterations_per_slot);
    }
    let all: Vec<KnownSlot<'_>> = slots
        .iter()
        .map(|(start, fine, proof)| KnownSlot {
            start,
            fine,
            fine_root: &proof.fine_root,
        })
        .collect();
    let vectors = Vectors {
        proofs: slots.iter().map(|(_, _, proof)| proof.clone()).collect(),
        inherents: (1..=8)
            .map(|count| make_inherent(&PARENT, &all[..count]).unwrap())
            .collect(),
    };
    if update {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vectors.bin");
        std::fs::write(file, vectors.encode()).unwrap();
    } else {
        assert_eq!(load(), vectors);
    }
}
