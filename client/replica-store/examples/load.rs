// SPDX-License-Identifier: Apache-2.0

//! A provider with many small replicas: proves them in windows, folds them, answers audits, and
//! says what it took.
//!
//! ```text
//! cargo run --release -p tos-replica-store --example load -- [--chains 100000] [--windows 3]
//!     [--bytes 4096] [--audits 1000] [--dir DIR] [--json]
//! ```
//!
//! Replicas are real: coded, sealed (with next to no memory, which changes the time to make one and
//! nothing else), stored in files of their own and proven from them. Each window proves all of them
//! with 16 words, verifies each proof once, and stores the group's root. Audits make and verify
//! compact proofs, without the signature. Files are not synced; in DIR they are kept and used
//! again. The exit status is 1 if a chain takes 5 ms or more in a window, memory reaches 1 GiB or a
//! check fails.

use serde_json::json;
use std::{path::PathBuf, process::ExitCode, sync::Arc, thread, time::Instant};
use tos_replica_store::{
    Error, Hash, LocalDisk, Member, Options, ReplicaId, ReplicaSpec, SealParams, Store,
};
use tos_storage_proofs::{
    aggregate::{inclusion_path, GROUP_SIZE},
    code::MemoryShards,
    commit, fold, verify_compact, verify_inclusion, verify_words,
};

const PARAMS: SealParams = SealParams {
    log2_unit: 13,
    memory_kib: 8,
    passes: 1,
};
const MOST_MS: f64 = 5.0;
const MOST_BYTES: u64 = 1 << 30;

struct Args {
    chains: u32,
    windows: u64,
    bytes: usize,
    audits: u32,
    dir: Option<PathBuf>,
    json: bool,
}

fn args() -> Result<Args, String> {
    let mut args = Args {
        chains: 100_000,
        windows: 3,
        bytes: 4_096,
        audits: 1_000,
        dir: None,
        json: false,
    };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        if name == "--json" {
            args.json = true;
            continue;
        }
        let value = given
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        let wrong = |_| format!("{name}: not a number: {value}");
        match name.as_str() {
            "--chains" => args.chains = value.parse().map_err(wrong)?,
            "--windows" => args.windows = value.parse().map_err(wrong)?,
            "--bytes" => args.bytes = value.parse().map_err(wrong)?,
            "--audits" => args.audits = value.parse().map_err(wrong)?,
            "--dir" => args.dir = Some(value.into()),
            _ => return Err(format!("unknown option {name}")),
        }
    }
    match args.chains == 0 || args.windows == 0 || args.bytes == 0 {
        true => Err("chains, windows and bytes must be positive".into()),
        false => Ok(args),
    }
}

fn id(number: u32) -> ReplicaId {
    let hash = blake3::keyed_hash(&[1; 32], &number.to_le_bytes());
    std::array::from_fn(|at| hash.as_bytes()[at])
}

fn seed(window: u64) -> Hash {
    *blake3::keyed_hash(&[2; 32], &window.to_le_bytes()).as_bytes()
}

fn make(store: &Store, number: u32, length: usize) -> Result<(), Error> {
    let mut content = vec![0; length];
    blake3::Hasher::new_keyed(&[3; 32])
        .update(&number.to_le_bytes())
        .finalize_xof()
        .fill(&mut content);
    let coded = MemoryShards::encode(&content).ok_or(Error::Size(length as u64))?;
    let spec = ReplicaSpec {
        replica: id(number),
        deal: id(number),
        content: *blake3::hash(&content).as_bytes(),
        length: length as u64,
        coded: commit(coded.bytes()).ok_or(Error::Size(length as u64))?,
    };
    store.ingest(&spec, &content[..], &mut |_| ()).map(drop)
}

fn make_all(store: &Store, args: &Args) -> Result<(), Error> {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get()) as u32;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|first| {
                let numbers = (first..args.chains).step_by(cores as usize);
                scope.spawn(move || {
                    numbers
                        .into_iter()
                        .try_for_each(|n| make(store, n, args.bytes))
                })
            })
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().expect("no panics");
        threads.into_iter().try_for_each(join)
    })
}

/// The most memory that was resident at once, in bytes; 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0u64) << 10
}

/// Processor time of this process in milliseconds; 0 where the system does not say.
fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    // Linux counts these in hundredths of a second everywhere.
    ticks as f64 * 10.0
}

/// Four digits after the point suffice for a report.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

fn run(args: &Args) -> Result<(serde_json::Value, bool), Error> {
    let scratch = tempfile::tempdir().map_err(Error::Stream)?;
    let dir = args.dir.as_deref().unwrap_or(scratch.path()).join("load");
    let options = Options {
        disk: Arc::new(LocalDisk),
        durable: false,
        ..Options::default()
    };
    let store = Store::open_with(&dir, PARAMS, [1; 32], [2; 32], options)?;
    let start = Instant::now();
    make_all(&store, args)?;
    let made_ms = ms(start);

    let (windows, mut right) = (store.windows(), true);
    let (mut window_ms, mut processor, mut fold_ms) = (Vec::new(), Vec::new(), Vec::new());
    let (mut failed, mut verify_us) = (0, 0.0);
    for window in 1..=args.windows {
        let (start, before) = (Instant::now(), processor_ms());
        let mut leaves = Vec::new();
        for group in 0..args.chains.div_ceil(GROUP_SIZE) {
            let first = group * GROUP_SIZE;
            let members: Vec<_> = (first..args.chains.min(first + GROUP_SIZE))
                .map(|number| Member {
                    place: number - first,
                    replica: id(number),
                })
                .collect();
            let built = windows.build(group, window, &seed(window), &members, &mut |_| ())?;
            failed += built.failed.len();
            let places = built.proven.leaves().into_iter();
            leaves.extend(places.map(|(place, leaf)| (first + place, leaf)));
            windows.prune(group, 2)?;
        }
        window_ms.push(ms(start));
        processor.push(processor_ms() - before);
        let start = Instant::now();
        let roots = fold(&leaves)?;
        fold_ms.push(ms(start));

        // A member of each committee would do this with the proofs it fetches.
        let (mut spent, mut verified) = (0.0, 0.0);
        for (position, leaf) in leaves.iter().step_by(100) {
            let replica = store.replica(&id(*position))?;
            let (c, beacon) = (replica.sealed()?, seed(window));
            let proof = replica.committee(&beacon)?;
            let start = Instant::now();
            right &= verify_words(&c, &replica.seed(&beacon)?, 16, &proof).is_ok();
            spent += ms(start) * 1_000.0;
            verified += 1.0;
            if *position == 0 {
                let path = inclusion_path(&leaves, *position)?;
                right &= verify_inclusion(&roots.global, leaf, *position, &path);
            }
        }
        verify_us = spent / verified;
        right &= leaves.len() == args.chains as usize;
    }

    let (mut prove_us, mut check_us, mut longest) = (0.0, 0.0, 0);
    for number in 0..args.audits {
        let drawn = u64::from(number) * 7_919 % u64::from(args.chains);
        let (replica, beacon) = (
            store.replica(&id(drawn as u32))?,
            seed(1 << 32 | u64::from(number)),
        );
        let start = Instant::now();
        let proof = replica.compact(&beacon, number.into(), |_| [0; 64])?;
        prove_us += ms(start) * 1_000.0;
        longest = longest.max(proof.len());
        let start = Instant::now();
        right &= verify_compact(&replica.sealed()?, &replica.seed(&beacon)?, &proof).is_ok();
        check_us += ms(start) * 1_000.0;
    }
    let worst = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let chains = f64::from(args.chains);
    let (per_chain, memory) = (worst(&window_ms) / chains, peak_memory());
    let met = right && failed == 0 && per_chain < MOST_MS && memory < MOST_BYTES;
    let audits = f64::from(args.audits.max(1));
    let report = json!({
        "chains": args.chains,
        "groups": args.chains.div_ceil(GROUP_SIZE),
        "windows": args.windows,
        "bytesPerChain": args.bytes,
        "cores": thread::available_parallelism().map_or(1, |cores| cores.get()),
        "makeMs": rounded(made_ms),
        "makePerChainMs": rounded(made_ms / chains),
        "windowMs": rounded(worst(&window_ms)),
        "windowPerChainMs": rounded(per_chain),
        "windowProcessorPerChainMs": rounded(worst(&processor) / chains),
        "foldMs": rounded(worst(&fold_ms)),
        "committeeVerifyUs": rounded(verify_us),
        "audits": args.audits,
        "auditProveUs": rounded(prove_us / audits),
        "auditVerifyUs": rounded(check_us / audits),
        "longestCompactProof": longest,
        "failedProofs": failed,
        "peakMemoryBytes": memory,
        "right": right,
        "met": met,
    });
    Ok((report, met))
}

fn main() -> ExitCode {
    let args = match args() {
        Ok(args) => args,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match run(&args) {
        Ok((report, met)) => {
            if args.json {
                println!("{report}");
            } else if let Some(fields) = report.as_object() {
                for (name, value) in fields {
                    println!("{name:>26}  {value}");
                }
            }
            ExitCode::from(u8::from(!met))
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
