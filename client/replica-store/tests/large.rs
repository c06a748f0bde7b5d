// SPDX-License-Identifier: Apache-2.0

//! A file with more than one chunk in a shard: memory while it is stored, and damage across
//! columns.
#![allow(clippy::unwrap_used, unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout as Memory, System},
    sync::{
        atomic::{AtomicUsize, Ordering::Relaxed},
        LazyLock,
    },
    time::Instant,
};
use tos_replica_store::{commit_content, Error, Layout, Progress, ReplicaSpec, SealParams, Store};
use tos_storage_proofs::CHUNK;

struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// Safety: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, memory: Memory) -> *mut u8 {
        let used = USED.fetch_add(memory.size(), Relaxed) + memory.size();
        PEAK.fetch_max(used, Relaxed);
        // Safety: as the caller promises.
        unsafe { System.alloc(memory) }
    }

    unsafe fn dealloc(&self, at: *mut u8, memory: Memory) {
        USED.fetch_sub(memory.size(), Relaxed);
        // Safety: as the caller promises.
        unsafe { System.dealloc(at, memory) };
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes of content: 129 MiB and a little, or as many MiB as `TOS_LARGE_MIB` says (disk: four times that).
static LENGTH: LazyLock<u64> = LazyLock::new(|| {
    let mib = std::env::var("TOS_LARGE_MIB").map_or(129, |mib| mib.parse().unwrap());
    (mib << 20) + 12_345
});
/// `true` to stop after storing (`TOS_LARGE_STAGES=ingest`): for sizes whose repair takes long.
static INGEST_ONLY: LazyLock<bool> =
    LazyLock::new(|| std::env::var("TOS_LARGE_STAGES").is_ok_and(|stages| stages == "ingest"));

const PARAMS: SealParams = SealParams {
    log2_unit: 22,
    memory_kib: 8_192,
    passes: 1,
};

/// Content that is made while it is read.
fn content() -> impl std::io::Read {
    let stream = blake3::Hasher::new_keyed(&[3; 32]).finalize_xof();
    std::io::Read::take(stream, *LENGTH)
}

/// The most memory in use during `work`, beyond what was in use before.
fn extra(work: impl FnOnce()) -> usize {
    let before = USED.load(Relaxed);
    PEAK.store(before, Relaxed);
    work();
    PEAK.load(Relaxed) - before
}

/// Says how far long work is, a line for each tenth; silent where the tests capture output.
fn tell() -> impl FnMut(Progress) {
    let (started, mut told) = (Instant::now(), None);
    move |progress| {
        let tenth = progress.done * 10 / progress.total.max(1);
        if told != Some((progress.stage, tenth)) {
            told = Some((progress.stage, tenth));
            println!(
                "{:?}: {} of {} MiB after {} s, peak {} MiB",
                progress.stage,
                progress.done >> 20,
                progress.total >> 20,
                started.elapsed().as_secs(),
                PEAK.load(Relaxed) >> 20,
            );
        }
    }
}

struct Hashing(blake3::Hasher);

impl std::io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn storing_checking_reading_and_repairing_take_less_than_64_mib_and_the_sealing_buffer() {
    const MOST: usize = 64 << 20;
    let sealing = PARAMS.memory_kib as usize * 1_024;
    let dir = tempfile::tempdir().unwrap();
    let mut coded = None;
    let used = extra(|| {
        let scratch = dir.path().join("scratch");
        coded = Some(commit_content(content(), *LENGTH, &scratch, &mut tell()).unwrap());
    });
    assert!(used < MOST, "committing took {used}");
    let coded = coded.unwrap();
    let layout = Layout::of(*LENGTH).unwrap();
    assert!(layout.shard_chunks >= 2);
    let wide = layout.shard_chunks;

    let store = Store::open(dir.path().join("store"), PARAMS, [1; 32], [2; 32]).unwrap();
    let spec = ReplicaSpec {
        replica: [5; 16],
        deal: [6; 16],
        content: coded.content,
        length: *LENGTH,
        coded: coded.commitment,
    };
    let used = extra(|| {
        store.ingest(&spec, content(), &mut tell()).unwrap();
    });
    assert!(used < MOST + sealing, "storing took {used}");
    println!(
        "storing took {} MiB, of which {} are for sealing",
        used >> 20,
        sealing >> 20
    );
    if *INGEST_ONLY {
        return;
    }
    let replica = store.replica(&[5; 16]).unwrap();
    let read = || {
        let mut out = Hashing(blake3::Hasher::new());
        let read = replica.read(&mut out, &mut |_| ());
        read.map(|()| assert_eq!(out.0.finalize(), coded.content))
    };

    // Each second chunk: half of the chunks of every column of the code, spread over three quarters
    // of its shards.
    let path = dir
        .path()
        .join("store/replicas/05")
        .join("05".repeat(16))
        .join("sealed.bin");
    let spoil = |chunks: &mut dyn Iterator<Item = u64>| {
        use std::{fs::OpenOptions, os::unix::fs::FileExt};
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        for chunk in chunks {
            file.write_all_at(&[0; CHUNK], chunk * CHUNK as u64)
                .unwrap();
        }
    };
    let lost = |chunk: &u64| (chunk / wide + chunk % wide).is_multiple_of(2);
    spoil(&mut (0..layout.coded_chunks).filter(lost));
    let used = extra(|| read().unwrap());
    assert!(used < MOST + sealing, "reading took {used}");
    let used = extra(|| {
        let report = replica.repair(&mut |_| ()).unwrap();
        assert_eq!(report.damaged.count(), layout.coded_chunks / 2);
        assert!(report
            .damaged
            .chunks()
            .eq((0..layout.coded_chunks).filter(lost)));
    });
    assert!(used < MOST + sealing, "repairing took {used}");
    read().unwrap();

    // More than half of one column alone is too much.
    spoil(&mut (0..u64::from(layout.shards) + 1).map(|shard| shard * wide));
    assert!(matches!(read(), Err(Error::Lost)));
}
