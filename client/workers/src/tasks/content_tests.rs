// SPDX-License-Identifier: Apache-2.0

//! Workers and content: memory, addresses out of reach, and what is left when tasks are over.

use super::{
    fake::{self, FakeChain, ME},
    jobs::{JobContext, Program},
    served,
    sightings::Sightings,
    Miner, Retention, Role, TaskChain,
};
use crate::commitments::{Answer, CommitmentStore};
use std::{
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tos_formulas::simhash::simhash;
use tos_sdk::{
    chain::Call,
    content::{self, Part, Reach, Store, Why},
};
use tos_types::{content::content_hash, ContentRef, TaskId, Verdict};

const MIB: u64 = 1 << 20;
/// An answer that does not fit on chain.
const LONG: &str = r#"cat >/dev/null; printf '{"answer": "%3000d"}' 7"#;

fn miner(folder: &Path, workshop: &JobContext) -> Miner {
    let journal = CommitmentStore::open(&folder.join("journal.redb")).unwrap();
    let options = fake::miner_options(Program::Command(LONG.into()));
    Miner::new(options, journal, workshop.clone())
}

async fn finish(miner: &mut Miner) -> tos_sdk::error::Result<()> {
    Role::<FakeChain>::finish_job(miner).await
}

fn committed(chain: &FakeChain) -> bool {
    let calls = chain.accepted();
    calls.iter().any(|call| matches!(call, Call::Commit { .. }))
}

/// An address of this machine without a listener.
async fn closed() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

fn reach(workshop: &JobContext, address: std::net::SocketAddr) -> Reach {
    let (store, http) = (workshop.store.clone(), workshop.http.clone());
    Reach::new(store, http, format!("http://{address}"))
}

/// A chain with one task, and a miner whose answers are to be fetched at `address`.
fn reachable(
    folder: &Path,
    workshop: &mut JobContext,
    address: std::net::SocketAddr,
) -> (FakeChain, Miner) {
    workshop.reach = Some(reach(workshop, address));
    let (chain, _) = FakeChain::one_task();
    (chain, miner(folder, workshop))
}

async fn serve(address: std::net::SocketAddr, workshop: &JobContext) {
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    tokio::spawn(content::serve(listener, workshop.store.clone()));
}

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kib * 1024
}

#[tokio::test]
async fn a_judge_of_long_answers_needs_no_memory_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = Store::open(folder.path().join("theirs")).unwrap();
    let address = closed().await;
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    tokio::spawn(content::serve(listener, theirs.clone()));
    let (_kept, workshop) = fake::workshop();
    let workshop = JobContext {
        fetcher: content::Fetcher::new(
            workshop.store.clone(),
            workshop.http.clone(),
            Duration::from_secs(120),
        ),
        limits: super::Limits {
            time: Duration::from_secs(120),
            ..workshop.limits
        },
        ..workshop
    };
    let mut task = fake::task_view(1);
    for number in 0..4u8 {
        // Sparse files: JSON with a long gap of white space.
        let path = folder.path().join("file");
        let mut file = std::fs::File::create(&path).unwrap();
        write!(file, "{{\"answer\": {number}}}").unwrap();
        file.set_len(60 * MIB).unwrap();
        let (hash, size) = theirs.put_large(&path, Why::Put).unwrap();
        let locator = content::locator(&format!("http://{address}"), &hash).unwrap();
        let content = ContentRef {
            hash,
            size: size as u32,
            inline: Default::default(),
            locator: locator.into_bytes().try_into().unwrap(),
        };
        fake::reveal(&mut task, 7 + number, content);
        let text = format!("{{\"answer\": {number}}}");
        task.submissions.last_mut().unwrap().simhash = Some(simhash(text.as_bytes()));
    }
    // What the judge reads is short, and each path leads to all of the answer.
    let judge = r#"python3 -c '
import json, os, sys
text = sys.stdin.read()
assert len(text) < 10000, len(text)
request = json.loads(text)
assert request["version"] == 2
for answer in request["answers"]:
    assert answer["text"] is None and answer["json"] is None and answer["available"]
    assert os.path.getsize(answer["path"]) == answer["size"] == 60 << 20
scores = [{"quality": 9, "innovation": 9, "verdict": "valid"} for _ in request["answers"]]
print(json.dumps({"scores": scores}))'"#;
    // Makes the peak the present use.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak();
    let judged = workshop.judge(judge.into(), None, Arc::new(task)).await;
    let scores = judged.unwrap().scores;
    assert!(scores.iter().all(|score| score.verdict == Verdict::Valid));
    let more = peak().saturating_sub(before);
    assert!(more < 60 * MIB, "{} MiB for 240 of answers", more / MIB);
}

#[tokio::test]
async fn a_located_answer_is_not_committed_to_while_nobody_can_fetch_it() {
    let (folder, mut workshop) = fake::workshop();
    let address = closed().await;
    let (chain, mut miner) = reachable(folder.path(), &mut workshop, address);
    for _ in 0..4 {
        chain.advance();
        let progress = miner.step(&chain).await.unwrap();
        if progress.jobs > 0 {
            let done = tokio::time::timeout(Duration::from_millis(700), finish(&mut miner));
            assert!(
                done.await.is_err(),
                "an answer that cannot be fetched is ready"
            );
        }
    }
    assert!(!committed(&chain));
    // The address works, and the same answer is committed to.
    serve(address, &workshop).await;
    let done = tokio::time::timeout(Duration::from_secs(20), finish(&mut miner));
    done.await.unwrap().unwrap();
    chain.advance();
    miner.step(&chain).await.unwrap();
    assert!(committed(&chain));
}

/// A journal with an answer of 3,000 bytes that others must fetch.
fn sealed(folder: &Path, workshop: &JobContext, task: TaskId, base: &str) -> CommitmentStore {
    let bytes = [b'x'; 3_000];
    let hash = workshop.store.put(&bytes).unwrap();
    let locator = content::locator(base, &hash).unwrap();
    let (salt, simhash) = ([5; 32], simhash(&bytes));
    let answer = Answer {
        commitment: tos_types::commitment::answer(&task, &ME, &hash, simhash, &salt),
        salt,
        content: ContentRef::located(&bytes, locator.as_bytes()).unwrap(),
        simhash,
        known: None,
    };
    let journal = CommitmentStore::open(&folder.join("journal.redb")).unwrap();
    journal.accept(task).unwrap();
    journal.seal_answer(task, answer).unwrap();
    journal
}

#[tokio::test]
async fn an_answer_of_an_earlier_run_waits_for_its_address_too() {
    let (folder, mut workshop) = fake::workshop();
    let address = closed().await;
    let (chain, id) = FakeChain::one_task();
    // Sealed when the address was another one.
    drop(sealed(
        folder.path(),
        &workshop,
        id,
        "http://192.0.2.1:9955",
    ));
    workshop.reach = Some(reach(&workshop, address));
    let mut miner = miner(folder.path(), &workshop);
    for _ in 0..4 {
        chain.advance();
        miner.step(&chain).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(!committed(&chain));
    serve(address, &workshop).await;
    for _ in 0..15 {
        chain.advance();
        miner.step(&chain).await.unwrap();
        if committed(&chain) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(committed(&chain));
    // Revealed is where it lies now.
    while !chain.is_over() {
        chain.advance();
        miner.step(&chain).await.unwrap();
    }
    let revealed = chain.accepted().into_iter().find_map(|call| match call {
        Call::Reveal { content, .. } => Some(content),
        _ => None,
    });
    let place = String::from_utf8(revealed.unwrap().locator.to_vec()).unwrap();
    assert!(
        place.starts_with(&format!("http://{address}/blake3/")),
        "{place}"
    );
}

#[tokio::test]
async fn a_miner_whose_answers_are_to_be_fetched_does_not_start_without_a_server() {
    let (folder, workshop) = fake::workshop();
    let (chain, id) = FakeChain::one_task();
    let journal = sealed(folder.path(), &workshop, id, "http://127.0.0.1:9955");
    let error = served(&journal, &chain, false).await.unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let text = error.to_string();
    assert!(
        text.contains(&id.to_string()) && text.contains("--serve"),
        "{text}"
    );
    served(&journal, &chain, true).await.unwrap();
    // Settled, it is needed no more.
    while !chain.is_over() {
        chain.advance();
    }
    served(&journal, &chain, false).await.unwrap();
    // What is on chain itself needs no server.
    let other = TaskId([2; 16]);
    let inline = Answer {
        commitment: [1; 32],
        salt: [1; 32],
        content: ContentRef::inline(b"an honest answer").unwrap(),
        simhash: 1,
        known: None,
    };
    journal.seal_answer(other, inline).unwrap();
    assert_eq!(journal.located_open().unwrap(), [id]);
}

#[tokio::test]
async fn content_of_a_task_goes_a_while_after_it_is_over_and_other_content_stays() {
    let (_folder, mut workshop) = fake::workshop();
    let keep = Duration::from_secs(3_600);
    workshop.retention = Retention::new(keep);
    let (chain, id) = FakeChain::one_task();
    let store = workshop.store.clone();
    let put = |bytes: &[u8], why: &[Why]| {
        let hash = content_hash(bytes);
        why.iter().for_each(|why| store.pin(&hash, *why).unwrap());
        store.put(bytes).unwrap()
    };
    let of = |part, chain| Why::Task(part, chain, id);
    let answer = put(b"an answer of another", &[of(Part::Answer, [9; 8])]);
    let own = put(b"an answer of my own", &[of(Part::OwnAnswer, [9; 8])]);
    let kept = [
        put(b"put by hand as well", &[of(Part::Spec, [9; 8]), Why::Put]),
        put(
            b"published as well",
            &[Why::Published, of(Part::Spec, [9; 8])],
        ),
        put(b"of another chain", &[of(Part::Answer, [8; 8])]),
        put(b"of an older version", &[]),
    ];
    let is_here = |hash: &[u8; 32]| store.get(hash).unwrap().is_some();
    let start = SystemTime::now();
    let mut sightings = Sightings::new(0);
    let mut tidy = async |now: SystemTime| {
        let (best, finalised) = (
            chain.best().await.unwrap(),
            chain.finalised().await.unwrap(),
        );
        let freed = workshop.tidy_at(&best, &finalised, &mut sightings, now);
        freed.await.unwrap()
    };
    // However long it takes, while the task goes on.
    assert_eq!(tidy(start + 100 * keep).await, 0);
    while !chain.is_over() {
        chain.advance();
    }
    assert_eq!(tidy(start).await, 0);
    assert_eq!(tidy(start + keep / 2).await, 0);
    assert!(is_here(&answer) && is_here(&own));
    assert_eq!(tidy(start + keep + Duration::from_secs(1)).await, 20 + 19);
    assert!(!is_here(&answer) && !is_here(&own));
    assert!(kept.iter().all(is_here));
}

#[tokio::test]
async fn what_a_miner_stores_says_what_it_is_for() {
    let (folder, mut workshop) = fake::workshop();
    let address = closed().await;
    serve(address, &workshop).await;
    let (chain, mut miner) = reachable(folder.path(), &mut workshop, address);
    for _ in 0..4 {
        chain.advance();
        let progress = miner.step(&chain).await.unwrap();
        if progress.jobs > 0 {
            finish(&mut miner).await.unwrap();
        }
    }
    assert!(committed(&chain));
    let listed = workshop.store.list().unwrap();
    let [own] = listed.as_slice() else {
        panic!("{listed:?}");
    };
    let pins: Vec<_> = own.pins.iter().map(|pin| pin.why).collect();
    let task = fake::task_view(1).summary.id;
    assert_eq!(pins, [Why::Task(Part::OwnAnswer, workshop.chain, task)]);
    assert!(own.needed());
}
