// SPDX-License-Identifier: Apache-2.0

//! The costs of verification, aggregation, sealing and coding.
//!
//! `cargo bench -p tos-storage-proofs --bench proofs`, with `-- --json` for one JSON object and `-- --quick` for
//! a smoke test with small parameters, whose figures mean nothing. Each figure is the median of several
//! rounds on one thread. Sealing is compared with the bare Argon2d fill in the order fill, seal, seal, fill
//! within one process; the claim is the median of the ratios of the rounds.
#![allow(clippy::unwrap_used)]

use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::{convert::Infallible, hint::black_box, time::Instant};
use tos_storage_proofs::{
    code::{encode, MemoryShards},
    *,
};

/// Seconds that `work` takes.
fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median over `rounds` of the seconds one of `times` repetitions takes.
fn repeated(rounds: usize, times: u32, mut work: impl FnMut(u32)) -> f64 {
    let round = |_| seconds(|| (0..times).for_each(&mut work)) / f64::from(times);
    median((0..rounds).map(round).collect())
}

/// 32 GiB of equal chunks: a full tree of one hash per level.
struct Largest(Vec<Hash>);

impl Largest {
    const CHUNK: [u8; CHUNK] = [7; CHUNK];

    fn new() -> Self {
        let mut levels = vec![chunk_root(&Self::CHUNK).unwrap()];
        while levels.len() < 24 {
            let below = levels[levels.len() - 1];
            levels.push(tree::node(&below, &below));
        }
        Self(levels)
    }

    fn commitment(&self) -> Commitment {
        let words = MAX_WORDS;
        Commitment {
            root: tree::root(words, &self.0[23]),
            words,
        }
    }
}

impl TreeSource for Largest {
    type Error = Infallible;
    fn chunk(&self, _: u64) -> Result<[u8; CHUNK], Infallible> {
        Ok(Self::CHUNK)
    }
    fn node(&self, level: u32, _: u64) -> Result<Hash, Infallible> {
        Ok(self.0[level as usize])
    }
}

fn seeds(count: u64) -> Vec<Hash> {
    let seed = |at: u64| *blake3::hash(&at.to_le_bytes()).as_bytes();
    (0..count).map(seed).collect()
}

struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
}

fn main() {
    let argument = |name: &str| std::env::args().any(|given| given == name);
    let (json, quick) = (argument("--json"), argument("--quick"));
    let rounds = if quick { 3 } else { 9 };
    let mut figures = Vec::new();
    let mut add = |name, value, unit| figures.push(Figure { name, value, unit });

    // Verification at 32 GiB, of proofs for many seeds.
    let source = Largest::new();
    let (c, seeds) = (source.commitment(), seeds(64));
    let compact: Vec<Vec<u8>> = seeds
        .iter()
        .map(|seed| prove_compact(&source, &c, seed, [1; 16], 1, |_| [2; 64]).unwrap())
        .collect();
    let committee: Vec<Vec<u8>> = seeds
        .iter()
        .map(|seed| prove_words(&source, &c, seed, COMMITTEE_WORDS).unwrap())
        .collect();
    let full: Vec<Vec<u8>> = seeds
        .iter()
        .map(|seed| prove_chunks(&source, &c, seed, 16).unwrap())
        .collect();
    let times = if quick { 64 } else { 2_048 };
    let verify = |check: &dyn Fn(&Hash, usize) -> bool| {
        1e6 * repeated(rounds, times, |turn| {
            let at = turn as usize % seeds.len();
            assert!(check(&seeds[at], at));
        })
    };
    add(
        "compact_verify",
        verify(&|seed, at| verify_compact(&c, seed, &compact[at]).is_ok()),
        "us",
    );
    add(
        "committee_verify",
        verify(&|seed, at| verify_words(&c, seed, COMMITTEE_WORDS, &committee[at]).is_ok()),
        "us",
    );
    add(
        "chunks_verify",
        verify(&|seed, at| verify_chunks(&c, seed, 16, &full[at]).is_ok()),
        "us",
    );
    add(
        "committee_prove",
        verify(&|seed, _| prove_words(&source, &c, seed, COMMITTEE_WORDS).is_ok()),
        "us",
    );
    add("compact_bytes", compact[0].len() as f64, "B");
    add("committee_bytes", committee[0].len() as f64, "B");

    let chunk = Largest::CHUNK;
    let one = repeated(rounds, if quick { 100 } else { 20_000 }, |_| {
        black_box(chunk_root(black_box(&chunk)));
    });
    add("chunk_root", 1e6 * one, "us");
    add("chunk_root_rate", CHUNK as f64 / one / 1e6, "MB/s");

    // A window of 100,000 replicas.
    let count = if quick { 5_000 } else { 100_000 };
    let leaves: Vec<(u32, Hash)> = (0..count)
        .map(|position: u32| (position, *blake3::hash(&position.to_le_bytes()).as_bytes()))
        .collect();
    let folded = repeated(rounds, 1, |_| {
        black_box(fold(&leaves).unwrap());
    });
    add("fold", 1e3 * folded, "ms");
    let (root, path) = (
        fold(&leaves).unwrap().global,
        inclusion_path(&leaves, 4_321).unwrap(),
    );
    let included = repeated(rounds, times, |_| {
        assert!(verify_inclusion(&root, &leaves[4_321].1, 4_321, &path));
    });
    add("inclusion_verify", 1e6 * included, "us");

    // Sealing against the bare fill.
    let params = if quick {
        SealParams::TEST
    } else {
        SealParams::MAINNET
    };
    let mut sealer = Sealer::new(&params).unwrap();
    let costs = Params::new(params.memory_kib, params.passes.into(), 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2d, Version::V0x13, costs);
    let mut memory = vec![Block::new(); params.memory_kib as usize];
    let mut unit = vec![0u8; params.unit_bytes() as usize];
    let mut fill = || {
        seconds(|| {
            argon2
                .fill_memory(&[1; 32], seal::SALT, &mut memory)
                .unwrap();
        })
    };
    let mut seal = || seconds(|| sealer.apply(&[1; 32], &mut unit).unwrap());
    fill();
    seal();
    let (mut ratios, mut fills, mut seals) = (vec![], vec![], vec![]);
    for _ in 0..rounds {
        let [a, b, c, d] = [fill(), seal(), seal(), fill()];
        ratios.push((a + d) / (b + c));
        fills.extend([a, d]);
        seals.extend([b, c]);
    }
    let sealing = median(seals);
    add("argon2_fill", 1e3 * median(fills), "ms");
    add("seal_unit", 1e3 * sealing, "ms");
    add(
        "seal_rate",
        params.unit_bytes() as f64 / sealing / f64::from(1 << 20),
        "MiB/s",
    );
    add("seal_to_fill", median(ratios.clone()), "x");
    add(
        "seal_to_fill_min",
        ratios.iter().copied().fold(f64::MAX, f64::min),
        "x",
    );
    add(
        "seal_to_fill_max",
        ratios.iter().copied().fold(0.0, f64::max),
        "x",
    );

    // Coding, in bytes of data per second: the largest codeword with chunks as shards, 128 MiB.
    let length = if quick { 1 << 20 } else { 1 << 27 };
    let mut coded = MemoryShards::encode(&vec![3; length]).unwrap();
    let layout = *coded.layout();
    let coding = repeated(rounds.min(5), 1, |_| encode(&layout, &mut coded).unwrap());
    add("encode_rate", length as f64 / coding / 1e6, "MB/s");

    if json {
        let fields = figures.iter().map(|figure| {
            format!(
                "\"{}_{}\":{:.4}",
                figure.name,
                figure.unit.replace('/', "_per_"),
                figure.value
            )
        });
        println!("{{{}}}", fields.collect::<Vec<_>>().join(","));
        return;
    }
    for Figure { name, value, unit } in figures {
        println!("{name:<20} {value:>12.3} {unit}");
    }
}
