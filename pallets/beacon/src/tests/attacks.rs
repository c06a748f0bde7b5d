// SPDX-License-Identifier: Apache-2.0

//! Attacks on the walk, by their numbers in the catalogue of scenarios: A1 acceleration, A9 weak
//! randomness, A10 wrong clocks, A13 timing, A17 precomputation, A18 replay across epochs.

use crate::mock::*;
use crate::{Epochs, Error, WindowEntropy};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use tos_host_functions::verify_slot;
use tos_interfaces::{Randomness, Seed};
use tos_types::beacon::SlotStart;
use tos_vdf::{evaluate_slot, Dataset, SlotProof, VdfParams};

/// The check of a full node before it imports a block, and that of a dispute.
fn exact(start: &SlotStart, proof: &SlotProof) -> bool {
    let epoch = &start.epoch;
    verify_slot(
        &epoch.params,
        &epoch.seed,
        &start.start,
        start.first_iteration,
        proof,
    )
}

#[test]
fn a1_fewer_iterations_do_not_make_a_slot() {
    execute(|| {
        started();
        // The attacker walks half of a longer slot: another number of iterations per segment.
        crate::Epochs::<Test>::mutate(|epochs| {
            let epoch = epochs.iter_mut().next().unwrap();
            epoch.params.iterations_per_slot = 640;
        });
        begin_block();
        let honest = start_after(&crate::Pallet::<Test>::head());
        let mut short = honest;
        short.epoch.params = PARAMS;
        let lie = Computed {
            start: honest,
            slot: Computed::evaluate(short).slot,
        };
        assert!(!exact(&honest, &lie.slot.proof));
        assert_noop!(apply(inherent(&[lie])), Error::<Test>::FalseSegment);
        crate::Epochs::<Test>::mutate(|epochs| {
            let epoch = epochs.iter_mut().next().unwrap();
            epoch.params.iterations_per_slot = 320;
        });
    });
}

#[test]
fn a1_an_altered_output_is_refused_at_import_and_loses_a_dispute() {
    execute(|| {
        started();
        block_with_false_slot();
        let records = Beacon::records_view(8, 2);
        let before = tos_types::beacon::Head {
            slot: 8,
            end: records[0].end,
            next_iteration: records[1].first_iteration,
        };
        let start = start_after(&before);
        let lie = Computed::evaluate(start).with_false_end().slot.proof;
        let truth = Computed::evaluate(start).slot.proof;
        assert_eq!(records[1].end, *lie.end());
        assert!(!exact(&start, &lie));
        assert!(exact(&start, &truth));
        assert_ok!(Beacon::dispute_slot(
            RuntimeOrigin::signed(1),
            9,
            Box::new(truth)
        ));
        assert_eq!(Beacon::head().slot, 8);
    });
}

/// The reason that nothing relies on the canary (docs/decisions/016-no-vote-on-unchecked-slots.md).
#[test]
fn an_untried_lie_about_one_segment_passes_the_canary() {
    execute(|| {
        started();
        begin_block();
        let lie = compute(1).remove(0).with_false_end();
        let passes = |parent| {
            System::set_parent_hash(sp_core::H256::from_low_u64_be(parent));
            let inherent = inherent(std::slice::from_ref(&lie));
            inherent.spots.iter().all(|spot| spot.opening.index != 319)
        };
        // Of 1,000 blocks that nobody chose, 987.6 in the mean.
        let passed = (0..1_000).filter(|parent| passes(*parent)).count();
        assert!((970..=998).contains(&passed), "{passed}");
    });
}

#[test]
fn a9_authors_do_not_choose_seeds_by_delaying_a_slot() {
    let run = |first: usize, second: usize| {
        let mut seed = Seed::Pending;
        execute(|| {
            started();
            let randomness = <Beacon as Randomness>::request();
            block(first);
            block(second);
            seed = <Beacon as Randomness>::seed(&randomness, b"panel");
        });
        seed
    };
    let prompt = run(8, 0);
    assert!(matches!(prompt, Seed::Ready { .. }));
    assert_eq!(run(0, 8), prompt);
    assert_eq!(run(4, 4), prompt);
}

#[test]
fn a13_slots_before_their_time_are_refused() {
    execute(|| {
        started();
        for ms in [10, 100, 249, 500, 1_000] {
            begin_block_after(ms);
            // What the clock allows, and one more.
            let since = NowMs::get() - crate::GenesisMs::<Test>::get().unwrap();
            let allowed = (since / 250 + 2 - Beacon::head().slot) as usize;
            if allowed < 8 {
                let slots = compute(allowed + 1);
                assert_noop!(apply(inherent(&slots)), Error::<Test>::AheadOfTime);
            }
            if allowed > 0 {
                assert_ok!(apply(inherent(&compute(allowed.min(8)))));
            }
            assert!(Beacon::head().slot <= since / 250 + 2);
        }
    });
}

#[test]
fn a10_a_timekeeper_whose_clock_is_an_hour_off_gains_no_slot_and_costs_nobody() {
    const HOUR: u64 = 3_600_000;
    execute(|| {
        started();
        // An hour ahead: its slots are refused until their time has come.
        let issued = Beacon::head().slot;
        begin_block_after(0);
        let since = NowMs::get() - crate::GenesisMs::<Test>::get().unwrap();
        let allowed = (since / 250 + 2 - issued) as usize;
        assert!(allowed < 8, "a slot too many fits into an inherent");
        assert_noop!(
            apply(inherent(&compute(allowed + 1))),
            Error::<Test>::AheadOfTime
        );
        assert_eq!(Beacon::head().slot, issued);
        // An hour behind: the beacon stands still, which excuses everybody who is late, and then
        // goes on from where it stood.
        begin_block_after(HOUR);
        for _ in 0..64 {
            begin_block_after(250);
        }
        assert!(<Beacon as Randomness>::degraded());
        assert_ok!(apply(inherent(&compute(8))));
        assert_eq!(Beacon::head().slot, issued + 8);
    });
}

#[test]
fn a17_a_run_computed_before_its_entropy_is_worth_nothing() {
    execute(|| {
        block(3);
        walk_to(24);
        begin_block();
        let entropy = WindowEntropy::<Test>::get(1).unwrap().1;
        let honest = start_after(&crate::Pallet::<Test>::head());
        let view = Beacon::beacon_view();
        // Computed ahead, when the entropy that goes into slot 25 was not known.
        let mut ahead = honest;
        ahead.start = view.end;
        assert_ne!(ahead.start, honest.start);
        assert_eq!(honest.start, tos_vdf::inject(&view.end, &entropy));
        let early = Computed::evaluate(ahead).slot;
        assert!(!exact(&honest, &early.proof));
        // Other entropy, another slot.
        let mut other = honest;
        other.start = tos_vdf::inject(&view.end, &[1; 32]);
        assert!(!exact(&honest, &Computed::evaluate(other).slot.proof));
        // A segment that begins elsewhere than the slot must is refused wherever it is opened.
        let lie = Computed {
            start: ahead,
            slot: early,
        };
        let mut parent = 0;
        loop {
            System::set_parent_hash(sp_core::H256::from_low_u64_be(parent));
            let inherent = inherent(std::slice::from_ref(&lie));
            if inherent.spots.iter().any(|spot| spot.opening.index == 0) {
                assert_noop!(apply(inherent), Error::<Test>::SpotOpening);
                break;
            }
            parent += 1;
        }
        // And where it was not opened, a dispute voids it.
        assert!(exact(&honest, &Computed::evaluate(honest).slot.proof));
    });
}

#[test]
fn a17_entropy_of_a_window_differs_between_chains() {
    let run = |quiet: bool| {
        let mut recorded = None;
        execute(|| {
            block(3);
            if quiet {
                block(0);
            }
            walk_to(11);
            recorded = WindowEntropy::<Test>::get(1);
        });
        recorded.unwrap()
    };
    assert_ne!(run(false).1, run(true).1);
}

#[test]
fn a18_a_slot_cannot_be_replayed_in_another_place_or_epoch() {
    execute(|| {
        block(3);
        walk_to(48);
        let epochs = Epochs::<Test>::get();
        let honest = start_after(&crate::Pallet::<Test>::head());
        assert_eq!(honest.epoch, epochs[1]);
        let truth = Computed::evaluate(honest).slot.proof;
        assert!(exact(&honest, &truth));
        // The same start in the old epoch, with other numbers, or other parameters.
        let mut old = honest;
        old.epoch = epochs[0];
        assert!(!exact(&old, &truth));
        assert!(!exact(&honest, &Computed::evaluate(old).slot.proof));
        let mut shifted = honest;
        shifted.first_iteration += 1;
        assert!(!exact(&shifted, &truth));
        let dataset = Dataset::build(
            &VdfParams {
                log2_lines: 11,
                ..PARAMS
            },
            &honest.epoch.seed,
        )
        .unwrap();
        let other =
            evaluate_slot(&dataset, &honest.start, honest.first_iteration, &|| false).unwrap();
        assert!(!exact(&honest, &other.proof));
        // Slots of the block before, offered again.
        begin_block();
        let again = compute(2);
        assert_ok!(apply(inherent(&again)));
        begin_block();
        let refused = apply(inherent(&again)).unwrap_err();
        assert!(
            refused == Error::<Test>::FalseSegment.into()
                || refused == Error::<Test>::SpotOpening.into()
        );
    });
}
