// SPDX-License-Identifier: Apache-2.0

//! Seeds by randomness request.

use crate::mock::*;
use crate::{BlockVrf, Event, GenesisMs, LastProgress};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed},
};
use tos_interfaces::{Randomness, Seed};
use tos_types::{
    beacon::{accumulate, degraded_seed, request_seed, DEGRADED_BLOCKS, MAX_LAG},
    randomness::RandomnessRequest,
};
use tos_vdf::output;

fn request() -> RandomnessRequest {
    <Beacon as Randomness>::request()
}

/// A test that begins with a request.
fn with_request(test: impl FnOnce(RandomnessRequest)) {
    execute(|| {
        started();
        test(request());
    });
}

fn seed(randomness: &RandomnessRequest) -> Seed {
    <Beacon as Randomness>::seed(randomness, b"subject")
}

fn degraded() -> bool {
    <Beacon as Randomness>::degraded()
}

/// The answer to a randomness request in normal times, from first principles.
fn expected(randomness: &RandomnessRequest) -> Seed {
    let record = Beacon::records_view(randomness.slot, 1)[0];
    assert_eq!(record.slot, randomness.slot);
    let seed = request_seed(
        &output(record.slot, &record.end),
        &vrf_of(randomness.block),
        b"subject",
    );
    Seed::Ready {
        seed,
        degraded: false,
    }
}

/// The degraded answer to a randomness request, from first principles: of the genesis seed and all
/// VRF outputs up to the last block that adds to it.
fn expected_degraded(randomness: &RandomnessRequest) -> Seed {
    let accumulator = (1..=randomness.block + DEGRADED_BLOCKS)
        .fold([42; 32], |acc, block| accumulate(&acc, &vrf_of(block)));
    Seed::Ready {
        seed: degraded_seed(&accumulator, b"subject"),
        degraded: true,
    }
}

#[test]
fn a_request_is_for_two_slots_beyond_what_the_clock_allows_and_for_this_block() {
    execute(|| {
        started();
        // Nine slots of time since the genesis slot, and a lead of two.
        let randomness = request();
        assert_eq!(
            (randomness.slot, u64::from(randomness.block)),
            (13, System::block_number())
        );
        assert_eq!(request(), randomness);
    });
}

#[test]
fn an_author_does_not_choose_the_slot_of_a_request_by_what_it_includes() {
    let requests = |lag: u64| {
        (0..=8).map(move |slots| {
            let mut taken = None;
            execute(|| {
                started();
                for _ in 0..lag {
                    block(0);
                }
                begin_block();
                let before = request();
                if slots > 0 {
                    assert!(apply(inherent(&compute(slots))).is_ok());
                }
                let after = request();
                assert_eq!(before, after);
                assert!(after.slot > Beacon::head().slot);
                taken = Some(after);
            });
            taken.unwrap()
        })
    };
    // While the head follows the clock, while it is behind, and while it is so far behind that the
    // clock is set back.
    for lag in [0, 4, 40] {
        let first = requests(lag).next();
        assert!(
            requests(lag).all(|randomness| Some(randomness) == first),
            "{lag}"
        );
    }
}

#[test]
fn a_request_lies_beyond_every_slot_that_others_have_computed_though_the_head_is_behind() {
    execute(|| {
        started();
        for _ in 0..10 {
            block(0);
        }
        // By the clock 88 slots more are allowed, and nodes compute 64 ahead of the head.
        let head = Beacon::head().slot;
        let randomness = request();
        assert_eq!(randomness.slot, head + 64 + 8 + 2);
        block(8);
        assert_eq!(seed(&randomness), Seed::Pending);
    });
}

#[test]
fn after_an_outage_the_head_catches_up_with_a_machine_that_is_a_fifth_faster_than_the_clock() {
    const HOUR: u64 = 3_600_000;
    let lag = || {
        let since = NowMs::get() - GenesisMs::<Test>::get().unwrap();
        since / u64::from(CONFIG.slot_ms) + 2 - Beacon::head().slot
    };
    execute(|| {
        started();
        // No blocks for an hour: not even the beacon's stall is counted.
        begin_block_after(HOUR);
        let randomness = request();
        assert!(apply(inherent(&compute(8))).is_ok());
        assert!(lag() <= MAX_LAG);
        assert_eq!(request(), randomness);
        // Five slots of time to a block, and six slots walked.
        let mut before = lag();
        let mut blocks = 0;
        while lag() > 6 {
            begin_block_after(5 * 250);
            assert!(apply(inherent(&compute(6))).is_ok());
            assert!(lag() < before, "the lag does not fall");
            before = lag();
            blocks += 1;
        }
        assert!(blocks <= MAX_LAG);
        // The randomness request of the first block after the outage was not left behind.
        assert!(matches!(seed(&randomness), Seed::Ready { .. }));
    });
}

#[test]
fn a_seed_is_pending_until_both_of_its_sources_exist() {
    with_request(|randomness| {
        assert_eq!(seed(&randomness), Seed::Pending);
        // The VRF output alone does not do.
        block(4);
        assert_eq!(seed(&randomness), Seed::Pending);
        block(1);
        assert_eq!(seed(&randomness), expected(&randomness));
    });
}

#[test]
fn a_seed_does_not_depend_on_when_or_where_its_slot_was_included() {
    let run = |blocks: &[usize]| {
        let mut found = None;
        execute(|| {
            started();
            let randomness = request();
            for slots in blocks {
                block(*slots);
            }
            found = Some((seed(&randomness), expected(&randomness)));
        });
        found.unwrap()
    };
    let at_once = run(&[8]);
    assert_eq!(at_once.0, at_once.1);
    assert_eq!(run(&[1, 1, 1, 1, 1]), at_once);
    assert_eq!(run(&[0, 2, 0, 5]), at_once);
}

#[test]
fn a_seed_depends_on_slot_block_and_subject() {
    with_request(|randomness| {
        block(8);
        block(8);
        let other = |slot, block| seed(&RandomnessRequest { slot, block });
        let seed = seed(&randomness);
        assert!(matches!(seed, Seed::Ready { .. }));
        assert_ne!(other(randomness.slot + 1, randomness.block), seed);
        assert_ne!(other(randomness.slot, randomness.block + 1), seed);
        assert_ne!(<Beacon as Randomness>::seed(&randomness, b"other"), seed);
    });
}

#[test]
fn a_beacon_that_never_started_is_degraded() {
    execute(|| {
        begin_block();
        assert!(degraded());
        let randomness = request();
        for _ in 0..=DEGRADED_BLOCKS {
            assert_eq!(seed(&randomness), Seed::Pending);
            begin_block();
        }
        assert_eq!(seed(&randomness), expected_degraded(&randomness));
    });
}

#[test]
fn no_author_of_a_block_knows_a_degraded_seed_before_those_of_the_blocks_after_it() {
    // Whoever's output changes, of the randomness request's block or of one of the sixteen after
    // it: the seed is another one. That of a block later does not matter.
    let run = |changed: Option<u32>| {
        let mut found = None;
        execute(|| {
            begin_block();
            let randomness = request();
            for block in 1..=DEGRADED_BLOCKS + 2 {
                begin_block_by((changed == Some(block)).then_some([0xee; 32]));
            }
            found = Some(seed(&randomness));
        });
        found.unwrap()
    };
    let usual = run(None);
    assert!(matches!(usual, Seed::Ready { degraded: true, .. }));
    for block in 1..=DEGRADED_BLOCKS + 1 {
        assert_ne!(run(Some(block)), usual, "block {block}");
    }
    assert_eq!(run(Some(DEGRADED_BLOCKS + 2)), usual);
}

#[test]
fn a_stall_degrades_and_progress_ends_it() {
    with_request(|randomness| {
        for _ in 0..5 {
            block(0);
            assert!(!degraded());
            assert_eq!(seed(&randomness), Seed::Pending);
        }
        block(0);
        assert!(degraded());
        assert!(Beacon::beacon_view().degraded);
        // It waits for the VRF outputs of the blocks after it.
        assert_eq!(seed(&randomness), Seed::Pending);
        while u32::try_from(System::block_number()).unwrap() <= randomness.block + DEGRADED_BLOCKS {
            assert_eq!(seed(&randomness), Seed::Pending);
            block(0);
        }
        let ready = expected_degraded(&randomness);
        assert_eq!(seed(&randomness), ready);
        let late = request();
        assert_eq!(seed(&late), Seed::Pending);

        // The block that resumes counts as degraded from its beginning to its end.
        begin_block();
        assert!(degraded());
        let resuming = request();
        assert!(apply(inherent(&compute(8))).is_ok());
        System::assert_has_event(Event::Resumed { head: 16 }.into());
        assert!(degraded());
        block(1);
        assert!(!degraded());
        // What was ready stays what it was, though the slot is there now.
        assert_eq!(seed(&randomness), ready);
        while u32::try_from(System::block_number()).unwrap() <= late.block + DEGRADED_BLOCKS {
            assert_eq!(seed(&late), Seed::Pending);
            block(8);
        }
        assert_eq!(seed(&late), expected_degraded(&late));
        // Later randomness requests use the walk again.
        assert_eq!(seed(&resuming), expected(&resuming));
    });
}

/// An account that waits for the walk to move before it asks would otherwise be told that its
/// judges were drawn by the walk.
#[test]
fn a_degraded_seed_says_so_though_it_is_asked_for_after_the_stall() {
    with_request(|randomness| {
        while !degraded() {
            block(0);
        }
        // The walk reaches the slot of the request long before the sixteen outputs are there.
        block(8);
        block(8);
        assert!(!degraded() && Beacon::head().slot >= randomness.slot);
        while seed(&randomness) == Seed::Pending {
            block(8);
        }
        assert_eq!(seed(&randomness), expected_degraded(&randomness));
        // Requests that are made after the stall are the walk's own.
        let after = request();
        while seed(&after) == Seed::Pending {
            block(8);
        }
        assert_eq!(seed(&after), expected(&after));
        assert_eq!(seed(&randomness), expected_degraded(&randomness));
    });
}

#[test]
fn the_walk_resumes_where_it_stood() {
    execute(|| {
        started();
        let before = Beacon::beacon_view();
        for _ in 0..20 {
            block(0);
        }
        let after = Beacon::beacon_view();
        assert_eq!((after.head, after.end), (before.head, before.end));
        assert_eq!(after.next_start, before.next_start);
        block(8);
        assert_eq!(Beacon::head().slot, 16);
    });
}

#[test]
fn a_request_expires_with_the_records_of_its_block() {
    with_request(|randomness| {
        block(8);
        let ready = seed(&randomness);
        let at = u64::from(randomness.block) + 2_048;
        while System::block_number() < at {
            block(0);
        }
        assert_eq!(seed(&randomness), ready);
        assert_eq!(BlockVrf::<Test>::iter().count(), 2_048);
        block(0);
        assert_eq!(seed(&randomness), Seed::Expired);
    });
}

#[test]
fn a_request_expires_with_the_record_of_its_slot() {
    with_request(|randomness| {
        walk_to(randomness.slot + 2_047);
        assert_eq!(seed(&randomness), expected(&randomness));
        block(1);
        assert_eq!(seed(&randomness), Seed::Expired);
    });
}

#[test]
fn the_request_of_a_block_without_vrf_output_is_worth_nothing() {
    with_request(|randomness| {
        System::set_block_number(System::block_number() + 1);
        ParentVrf::set(None);
        let before = crate::Accumulator::<Test>::get();
        // Before the block begins for this pallet nothing is known yet.
        assert_eq!(seed(&randomness), Seed::Pending);
        Beacon::note_vrf();
        assert_eq!(seed(&randomness), Seed::Expired);
        assert_eq!(crate::Accumulator::<Test>::get(), before);
    });
}

#[test]
fn the_accumulator_takes_in_every_vrf_output() {
    execute(|| {
        block(1);
        let before = crate::Accumulator::<Test>::get();
        block(0);
        assert_eq!(
            crate::Accumulator::<Test>::get(),
            tos_types::beacon::accumulate(&before, &vrf_of(1))
        );
    });
}

proptest! {
    #![proptest_config(Config {
        cases: 40,
        rng_seed: RngSeed::Fixed(0x705),
        failure_persistence: None,
        ..Config::default()
    })]

    /// Whatever the pace, with stalls of any length: a seed that was ready once is the same in
    /// every later block, and every randomness request gets one in the end.
    #[test]
    fn a_seed_once_ready_stays_the_same(paces in prop::collection::vec(0usize..12, 1..40)) {
        execute(|| {
            started();
            let mut requests: Vec<(RandomnessRequest, Option<Seed>)> = Vec::new();
            for pace in paces {
                // From nine upwards: a stall of so many blocks.
                let (slots, blocks) = if pace > 8 { (0, 2 * pace - 14) } else { (pace, 1) };
                for _ in 0..blocks {
                    block(slots);
                    for (randomness, known) in &mut requests {
                        match (seed(randomness), *known) {
                            (ready @ Seed::Ready { .. }, None) => *known = Some(ready),
                            (ready @ Seed::Ready { .. }, Some(known)) => {
                                assert_eq!(ready, known);
                            }
                            (Seed::Pending, None) => {}
                            (other, known) => panic!("{known:?} became {other:?}"),
                        }
                    }
                    requests.push((request(), None));
                }
            }
            for _ in 0..20 {
                block(8);
            }
            let ready = |asked: &RandomnessRequest| matches!(seed(asked), Seed::Ready { .. });
            assert!(requests.iter().all(|(asked, _)| ready(asked)));
            assert!(LastProgress::<Test>::get().is_some());
        });
    }
}
