// SPDX-License-Identifier: Apache-2.0

//! The speed of the walk and of its verification, on one core.
//!
//! ```text
//! cargo bench -p tos-vdf --bench walk [-- --json] [-- --quick] [-- --portable]
//! ```
//!
//! Two ratios are claimed, each the median over rounds of one process on one core, in the order
//! A B B A, over the same pages and on states that were not walked before:
//!
//! * evaluation: time of a pointer chase over the time of the walk, per read;
//! * verification: time of independent random reads over the time of the verification, per read.
//!
//! A run in which the chase itself varies by 10 % or more says so: its numbers are not to be used.
// It binds itself to a core and prefetches as the walk does.
#![allow(clippy::unwrap_used, unsafe_code)]

use serde_json::{json, Value};
use std::{hint::black_box, time::Instant};
use tos_vdf::*;

struct Options {
    json: bool,
    quick: bool,
    backend: Backend,
}

/// Keeps this process on the core it runs on.
fn pin() {
    #[cfg(target_os = "linux")]
    // SAFETY: plain system calls on a set that lives here; a refusal leaves the process unpinned.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let core = libc::sched_getcpu();
        if let Ok(core) = usize::try_from(core) {
            libc::CPU_SET(core, &mut set);
            libc::sched_setaffinity(0, size_of_val(&set), &set);
        }
    }
}

/// KiB of this process on huge pages, where the system tells.
fn huge_kib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("AnonHugePages"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = black_box(work());
    (start.elapsed().as_secs_f64(), result)
}

fn word(dataset: &[u8], line: usize) -> u32 {
    u32::from_le_bytes(dataset[64 * line..64 * line + 4].try_into().unwrap())
}

/// Dependent reads: each line's first word, and a counter that prevents cycles, address the next.
fn chase(dataset: &[u8], reads: u32, from: u32) -> u32 {
    let mask = dataset.len() / 64 - 1;
    let mut at = from;
    for i in 0..reads {
        at = word(dataset, at as usize & mask) ^ i.wrapping_mul(0x9e37_79b1);
    }
    at
}

/// A linear congruential generator modulo 2^64, of which the high half is used.
fn next(at: u64) -> u64 {
    at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1)
}

/// Independent reads of random lines, the memory asked for each line 32 reads earlier, as the
/// verification asks. (Without the asking, the reads took a third longer where this was tried.)
fn gather(dataset: &[u8], reads: u32, from: u64) -> u32 {
    let mask = dataset.len() / 64 - 1;
    let mut at = from;
    let mut ahead = (0..32).fold(from, |ahead, _| next(ahead));
    let mut sum = 0;
    for _ in 0..reads {
        ahead = next(ahead);
        prefetch(&dataset[64 * ((ahead >> 32) as usize & mask)]);
        at = next(at);
        sum ^= word(dataset, (at >> 32) as usize & mask);
    }
    sum
}

fn prefetch(byte: &u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of x86-64; a prefetch has no effect on what the program sees.
    unsafe {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T1};
        _mm_prefetch::<_MM_HINT_T1>(std::ptr::from_ref(byte).cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a prefetch has no effect on what the program sees.
    unsafe {
        std::arch::asm!(
            "prfm pldl1keep, [{byte}]",
            byte = in(reg) std::ptr::from_ref(byte),
            options(nostack, readonly, preserves_flags)
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = byte;
}

fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Median, least and greatest.
struct Spread([f64; 3]);

impl Spread {
    fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values = sorted(values);
        Self([
            values[values.len() / 2],
            values[0],
            values[values.len() - 1],
        ])
    }

    fn median(&self) -> f64 {
        self.0[0]
    }

    /// The distance of the greatest above the least, as a part of the least.
    fn width(&self) -> f64 {
        self.0[2] / self.0[1] - 1.0
    }

    fn json(&self) -> Value {
        json!({ "median": self.0[0], "min": self.0[1], "max": self.0[2] })
    }
}

/// A, B, B, A in every round: the seconds of both halves of each.
fn abba(rounds: usize, mut a: impl FnMut(), mut b: impl FnMut()) -> Vec<(f64, f64)> {
    (0..rounds)
        .map(|_| {
            let first = seconds(&mut a).0;
            let walks = seconds(&mut b).0 + seconds(&mut b).0;
            (first + seconds(&mut a).0, walks)
        })
        .collect()
}

fn build(params: &VdfParams, options: &Options) -> (f64, Dataset) {
    let (time, dataset) = seconds(|| Dataset::build(params, &[42; 32]));
    let mut dataset = dataset.unwrap();
    assert!(
        dataset.set_backend(options.backend),
        "backend not available"
    );
    (time, dataset)
}

fn main() {
    let asked = |name: &str| std::env::args().any(|argument| argument == name);
    let options = Options {
        json: asked("--json"),
        quick: asked("--quick"),
        backend: match () {
            () if asked("--portable") => Backend::Portable,
            () if asked("--aesni") => Backend::AesNi,
            () => Backend::best(),
        },
    };
    pin();
    let (rounds, whole) = if options.quick {
        let small = VdfParams {
            log2_lines: 16,
            passes: 1,
            iterations_per_slot: 3_200,
        };
        (3, small)
    } else {
        (11, VdfParams::MAINNET)
    };
    // Short slots, so that a disturbance spoils one round and not all.
    let short = VdfParams {
        iterations_per_slot: whole.iterations_per_slot.min(32_000),
        ..whole
    };
    let reads = short.iterations_per_slot * READS_PER_ITERATION;
    let per_read = |seconds: f64| seconds * 1e9 / f64::from(reads) / 2.0;

    let (build_time, dataset) = build(&short, &options);
    let bytes = dataset.bytes();
    let mut state = initial_state(&[1; 32]);
    let mut first = 0;
    let mut slots = Vec::new();
    let mut from = 1u32;
    let evaluation = abba(
        rounds,
        || from = chase(bytes, reads, from),
        || {
            let slot = evaluate_slot(&dataset, &state, first, &|| false).unwrap();
            let start = std::mem::replace(&mut state, *slot.proof.end());
            slots.push((start, first, slot.proof));
            first += u64::from(short.iterations_per_slot);
        },
    );
    let mut unverified = slots.iter();
    let mut from = 1u64;
    let verification = abba(
        rounds,
        || from ^= u64::from(gather(bytes, reads, from)) << 20 | 1,
        || {
            let (start, first, proof) = unverified.next().unwrap();
            assert!(verify_slot(&dataset, start, *first, proof).is_some());
        },
    );
    let huge = huge_kib();
    let chase = Spread::of(evaluation.iter().map(|(a, _)| per_read(*a)));
    let walk = Spread::of(evaluation.iter().map(|(_, b)| per_read(*b)));
    let gather = Spread::of(verification.iter().map(|(a, _)| per_read(*a)));
    let verify = Spread::of(verification.iter().map(|(_, b)| per_read(*b)));
    let evaluation = Spread::of(evaluation.iter().map(|(a, b)| a / b));
    let verification = Spread::of(verification.iter().map(|(a, b)| a / b));
    let root = Spread::of((0..5).map(|_| seconds(|| dataset.root()).0 * 1e3));
    drop(dataset);

    // Whole slots and the canary of a block, with the parameters of the network.
    let (second_build, dataset) = build(&whole, &options);
    let builds = Spread::of([build_time * 1e3, second_build * 1e3]);
    let mut exact = Vec::new();
    let mut canary = Vec::new();
    for _ in 0..if options.quick { 2 } else { 5 } {
        let slot = evaluate_slot(&dataset, &state, first, &|| false).unwrap();
        let segments: Vec<Segment> = [3, 77, 200, 319]
            .into_iter()
            .map(|index| {
                let opening = open_spot(&state, &slot.fine, index).unwrap();
                spot_segment(&whole, first, &opening)
            })
            .collect();
        // Random reads in between, so that the segments' lines are not in the caches.
        black_box(self::gather(dataset.bytes(), 1 << 22, first));
        canary.push(seconds(|| assert!(verify_segments(&dataset, &segments))).0 * 1e3);
        let proof = &slot.proof;
        exact.push(
            seconds(|| assert!(verify_slot(&dataset, &state, first, proof).is_some())).0 * 1e3,
        );
        state = *slot.proof.end();
        first += u64::from(whole.iterations_per_slot);
    }
    let (exact, canary) = (Spread::of(exact), Spread::of(canary));
    // What a node walks for a block of which gossip brought no slot: all of them, each from the start that is claimed.
    let claimed: Vec<_> = (0..8)
        .map(|own| (initial_state(&[own; 32]), first))
        .collect();
    let walked = |count: usize| {
        let walk = || assert!(evaluate_slots(&dataset, &claimed[..count], &|| false).is_some());
        seconds(walk).0 * 1e3
    };
    let missing: Vec<_> = (0..3).map(|_| (walked(1), walked(8))).collect();
    let one = Spread::of(missing.iter().map(|(one, _)| *one));
    let eight = Spread::of(missing.iter().map(|(_, eight)| *eight));

    let rate = 1e9 / walk.median() / f64::from(READS_PER_ITERATION);
    let gain = walk.median() / verify.median();
    let quiet = chase.width() < 0.10;
    if options.json {
        let result = json!({
            "backend": format!("{:?}", options.backend),
            "params": whole,
            "rounds": rounds,
            "hugeKib": huge,
            "chaseNs": chase.json(),
            "walkNs": walk.json(),
            "gatherNs": gather.json(),
            "verifyNs": verify.json(),
            "evaluationRatio": evaluation.json(),
            "verificationRatio": verification.json(),
            "verificationGain": gain,
            "iterationsPerSecond": rate,
            "chaseSpread": chase.width(),
            "quiet": quiet,
            "buildMs": builds.json(),
            "rootMs": root.json(),
            "slotVerifyMs": exact.json(),
            "canaryMs": canary.json(),
            "slotWalkMs": one.json(),
            "eightSlotsWalkMs": eight.json(),
        });
        println!("{result:#}");
        return;
    }
    let mebibytes = whole.memory_kib() / 1024;
    println!(
        "{:?}, {mebibytes} MiB, {rounds} rounds, {} MiB on huge pages",
        options.backend,
        huge.unwrap_or(0) / 1024
    );
    println!("{:34}{:>10}{:>10}{:>10}", "", "median", "least", "greatest");
    for (name, spread) in [
        ("pointer chase, ns/read", &chase),
        ("walk, ns/read", &walk),
        ("independent reads, ns/read", &gather),
        ("verification, ns/read", &verify),
        ("evaluation: chase / walk", &evaluation),
        ("verification: reads / verification", &verification),
        ("build of the dataset, ms", &builds),
        ("root of the dataset, ms", &root),
        ("exact verification of a slot, ms", &exact),
        ("canary of a block, ms", &canary),
        ("walk of a slot, ms", &one),
        ("walk of eight at once, ms", &eight),
    ] {
        let [median, least, greatest] = spread.0;
        println!("{name:34}{median:10.3}{least:10.3}{greatest:10.3}");
    }
    println!("iterations per second            {rate:12.0}");
    println!("verification over evaluation     {gain:12.1} times");
    println!(
        "spread of the chase              {:12.1} %{}",
        chase.width() * 100.0,
        if quiet {
            ""
        } else {
            ": too much, do not use these numbers"
        }
    );
}
