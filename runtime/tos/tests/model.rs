// SPDX-License-Identifier: Apache-2.0

//! Random actors, random orders, over the real pallets together: whatever they do, no wei is made,
//! lost or stranded, and every invariant of every pallet holds after every block.

mod world;

use std::collections::BTreeMap;

use polkadot_sdk::*;
use tos_runtime::*;
use tos_types::PhaseLengths;
use world::*;

/// Lives `blocks` blocks of chance, then lets everything run out. Returns what was accepted and refused.
fn live(seed: u64, blocks: u64) -> (BTreeMap<String, u32>, BTreeMap<String, u32>) {
    let phase_lengths = PhaseLengths {
        retention: 40,
        claim: 60,
        ..PhaseLengths::development()
    };
    genesis(26, 12, phase_lengths).execute_with(|| {
        let issuance = pallet_balances::TotalIssuance::<Runtime>::get();
        let mut world = World::new(seed);
        for block in 0..blocks {
            next_block(seed.wrapping_mul(1_000_003).wrapping_add(block));
            if block % 10 == 9 {
                world.decree();
            }
            for _ in 0..12 {
                world.act();
            }
            check_invariants(issuance);
        }

        // Nobody acts any more: every task must end by itself and give back what it holds.
        let mut quiet = 0;
        while pallet_tasks::Tasks::<Runtime>::count() > 0 {
            next_block(quiet);
            quiet += 1;
            assert!(
                quiet < 600,
                "tasks are stuck: {:?}",
                pallet_tasks::Tasks::<Runtime>::iter().collect::<Vec<_>>()
            );
        }
        check_invariants(issuance);
        world.close_down();
        check_invariants(issuance);
        for who in world.everybody() {
            assert_eq!(held(&who), 0, "something of {who} is still held");
        }
        let people: Balance = world.everybody().iter().map(owned).sum();
        assert_eq!(people + owned(&Treasury::account_id()), issuance);
        (world.accepted, world.refused)
    })
}

#[test]
fn random_lives_make_lose_and_strand_nothing() {
    let (mut accepted, mut refused) = (
        BTreeMap::<String, u32>::new(),
        BTreeMap::<String, u32>::new(),
    );
    for seed in 0..12 {
        let (yes, no) = live(seed, 150);
        yes.into_iter()
            .for_each(|(name, n)| *accepted.entry(name).or_default() += n);
        no.into_iter()
            .for_each(|(name, n)| *refused.entry(name).or_default() += n);
    }
    // The random lives must reach what they are meant to test.
    let total: u32 = accepted.values().sum();
    assert!(
        total > 5_000,
        "only {total} calls were accepted: {accepted:#?}"
    );
    assert!(
        refused.len() >= 15,
        "few kinds of refusal were seen: {refused:#?}"
    );
}
