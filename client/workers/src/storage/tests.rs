// SPDX-License-Identifier: Apache-2.0

//! The storage workers against a chain in memory that verifies everything: whole lives, with a
//! kill at every point, and with damage on disk.

use super::{
    fake::{self, FakeChain, ME},
    retrieve, Auditor, AuditorOptions, Origin, Policy, Provider, ProviderOptions, Remote,
    ReplicaProver, ReplicaServer,
};
use crate::tasks::{Role, StepReport};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{path::Path, sync::Arc, time::Duration};
use tos_sdk::{
    chain::Call,
    content::{self, Pace, Store},
    error::Result,
    http::Http,
};
use tos_storage_proofs::{code::MemoryShards, commit, Commitment, SealParams, CHUNK};
use tos_types::{
    storage::{ReplicaStatus, StoredContent},
    ReplicaId,
};
use tos_views::DealView;

pub(super) const OPTIONS: ProviderOptions = ProviderOptions {
    answers_only: false,
    accept: Some(Policy {
        min_price: 1,
        max_bytes: 1 << 30,
        capacity: 1 << 30,
        named_only: false,
    }),
    sealing: 1,
    settle: Some(2),
    repair: false,
    keep_free: 0,
    pace: Pace {
        silence: Duration::from_secs(30),
        rate: 1_000,
    },
};

/// Content of a client, served, and the deal about it.
pub(super) async fn published(folder: &Path, length: usize) -> (Vec<u8>, DealView<AccountId32>) {
    let data: Vec<u8> = (0..length).map(|i| (i * 7 % 253) as u8).collect();
    let store = Store::open(folder.join("client")).unwrap();
    let hash = store.put(&data).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(content::serve(listener, store));
    let content = StoredContent {
        hash,
        length: length as u64,
        locator: content::locator(&base, &hash)
            .unwrap()
            .into_bytes()
            .try_into()
            .unwrap(),
    };
    let coded = commit(MemoryShards::encode(&data).unwrap().bytes()).unwrap();
    (data, fake::deal(1, content, coded))
}

/// A chain with one deal, about content of a client.
async fn one_deal(folder: &Path, length: usize) -> FakeChain {
    let (_, deal) = published(folder, length).await;
    FakeChain::new(vec![deal], "http://h")
}

/// The same chain, and a provider that has proven its first windows there.
async fn proven(
    folder: &Path,
    length: usize,
    windows: u64,
) -> (FakeChain, Arc<ReplicaProver>, Provider) {
    let chain = one_deal(folder, length).await;
    let prover = prover(folder);
    let mut provider = provider(prover.clone(), OPTIONS);
    live(&chain, &mut provider, windows).await.unwrap();
    (chain, prover, provider)
}

fn nothing_refused(chain: &FakeChain) {
    let refused = chain.refused.borrow();
    assert!(refused.is_empty(), "{refused:?}");
}

pub(super) fn prover(folder: &Path) -> Arc<ReplicaProver> {
    let (dir, key) = (folder.join("store"), fake::proof_key());
    let params = (SealParams::TEST, 16);
    // A job of the one that was killed may still be about to notice.
    for _ in 0..100 {
        match ReplicaProver::open(&dir, params, &ME, fake::GENESIS, key.clone()) {
            Ok(prover) => return Arc::new(prover),
            Err(error) => assert!(error.to_string().contains("in use"), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the store stays locked");
}

pub(super) fn provider(prover: Arc<ReplicaProver>, options: ProviderOptions) -> Provider {
    Provider::new(options, prover, Http::new().unwrap())
}

/// Lets a provider live until `windows` windows are proven, or for 400 blocks. `Err` when it was
/// killed.
pub(super) async fn live(chain: &FakeChain, provider: &mut Provider, windows: u64) -> Result<()> {
    for _ in 0..400 {
        chain.advance();
        let progress: StepReport = provider.step(chain).await?;
        if progress.jobs > 0 {
            Role::<FakeChain>::finish_job(provider).await?;
        }
        let proven = |r: &tos_views::ReplicaView<AccountId32>| r.streak >= windows;
        if chain.state().replicas.iter().any(proven) {
            return Ok(());
        }
    }
    panic!("never proven; refused {:?}", chain.refused.borrow());
}

/// One block, and all work that it leads to.
pub(super) async fn step(chain: &FakeChain, provider: &mut Provider) -> StepReport {
    chain.advance();
    let progress: StepReport = provider.step(chain).await.unwrap();
    for _ in 0..progress.jobs {
        Role::<FakeChain>::finish_job(provider).await.unwrap();
    }
    progress
}

/// The only replica.
pub(super) fn replica(chain: &FakeChain) -> ReplicaId {
    chain.state().replicas.first().unwrap().id
}

/// Overwrites sealed chunks on disk.
fn damage(folder: &Path, chunks: impl Iterator<Item = u64>) {
    use std::os::unix::fs::FileExt;
    let mut found = Vec::new();
    let mut folders = vec![folder.join("store").join("replicas")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false if entry.file_name() == "sealed.bin" => found.push(entry.path()),
                false => {}
            }
        }
    }
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&found[0])
        .unwrap();
    for chunk in chunks {
        file.write_all_at(&[0xee; CHUNK], chunk * CHUNK as u64)
            .unwrap();
    }
}

#[tokio::test]
async fn a_provider_accepts_seals_proves_and_settles() {
    let folder = tempfile::tempdir().unwrap();
    let chain = one_deal(folder.path(), 50_000).await;
    let mut provider = provider(prover(folder.path()), OPTIONS);
    live(&chain, &mut provider, 6).await.unwrap();
    for (call, times) in [("accept", 1), ("commit_seal", 1), ("respond_seal", 1)] {
        assert_eq!(chain.count(call), times, "{call}");
    }
    assert!(chain.count("submit_group") >= 6 && chain.count("respond_audit") >= 20);
    assert!(
        (2..=3).contains(&chain.count("settle")),
        "{}",
        chain.count("settle")
    );
    assert_eq!(chain.state().missed, 0);
    nothing_refused(&chain);
}

#[tokio::test]
async fn a_provider_that_is_restarted_more_often_than_it_settles_is_paid_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let chain = one_deal(folder.path(), 20_000).await;
    // Every run ends after one more window; two have to be earned before it settles.
    for windows in 1..=6 {
        let mut provider = provider(prover(folder.path()), OPTIONS);
        live(&chain, &mut provider, windows).await.unwrap();
    }
    assert_eq!(chain.count("settle"), 3, "for two windows each");
    let deal = chain.state().deals[0].clone();
    assert_eq!(deal.paid, deal.escrow * 6 / u128::from(deal.windows));
}

#[test]
fn paid_windows_are_told_from_what_was_paid() {
    let content = StoredContent {
        hash: [1; 32],
        length: 1,
        locator: Default::default(),
    };
    let coded = Commitment {
        root: [2; 32],
        words: 16,
    };
    let mut deal = super::fake::deal(1, content, coded);
    for escrow in [1_000, 1_001, 356_445_312_500_000_000, u128::from(u64::MAX)] {
        for paid_for in 0..=deal.windows {
            deal.escrow = escrow;
            deal.paid = escrow * u128::from(paid_for) / u128::from(deal.windows);
            assert_eq!(
                super::provider::paid_windows(&deal),
                paid_for,
                "of {escrow}"
            );
        }
    }
}

#[tokio::test]
async fn a_provider_killed_anywhere_keeps_its_streak_and_signs_one_root_per_window() {
    let mut kills = 0;
    loop {
        let folder = tempfile::tempdir().unwrap();
        let chain = one_deal(folder.path(), 20_000).await.kill_at(kills + 1);
        loop {
            // A new process: everything is read from disk again.
            let mut provider = provider(prover(folder.path()), OPTIONS);
            if live(&chain, &mut provider, 2).await.is_ok() {
                break;
            }
        }
        assert_eq!(chain.count("accept"), 1);
        assert_eq!(chain.count("commit_seal"), 1);
        assert_eq!(chain.state().missed, 0, "after kill {kills}");
        if !chain.has_killed() {
            break;
        }
        kills += 1;
    }
    assert!(kills > 20, "{kills}");
}

#[tokio::test]
async fn a_window_challenge_is_answered_with_the_leaf_that_was_submitted() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, _, mut first) = proven(folder.path(), 20_000, 3).await;
    let window = chain.state().window_number() - 1;
    chain.change(|state| {
        let id = state.replicas[0].id;
        state.challenge_window(id, window);
    });
    live(&chain, &mut first, 5).await.unwrap();
    assert_eq!(chain.count("respond_window"), 1);
    nothing_refused(&chain);
}

#[tokio::test]
async fn damage_is_noticed_and_rebuilt_and_nothing_false_is_ever_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, prover, mut careless) = proven(folder.path(), 80_000, 2).await;
    // 40 chunks: 20 of data and as many of code. Half of them go.
    damage(folder.path(), 0..20);
    for _ in 0..12 {
        chain.advance();
        careless.step(&chain).await.unwrap();
    }
    let missed = chain.state().missed;
    assert!(
        missed > 0,
        "12 blocks of audits with half of the chunks gone"
    );
    nothing_refused(&chain);

    let options = ProviderOptions {
        repair: true,
        ..OPTIONS
    };
    let mut careful = provider(prover.clone(), options);
    for _ in 0..12 {
        chain.advance();
        let progress: StepReport = careful.step(&chain).await.unwrap();
        if progress.jobs > 0 {
            Role::<FakeChain>::finish_job(&mut careful).await.unwrap();
        }
    }
    assert!(prover
        .verify(replica(&chain), &mut |_| {})
        .unwrap()
        .is_clean());
    let missed = chain.state().missed;
    for _ in 0..10 {
        chain.advance();
        careful.step(&chain).await.unwrap();
    }
    assert_eq!(chain.state().missed, missed);
    nothing_refused(&chain);
}

#[tokio::test]
async fn offers_are_taken_as_far_as_policy_and_bond_allow() {
    let folder = tempfile::tempdir().unwrap();
    let (_, good) = published(folder.path(), 20_000).await;
    let other = |change: &dyn Fn(&mut DealView<AccountId32>)| {
        let mut deal = good.clone();
        deal.id.0 = [2; 16];
        change(&mut deal);
        deal
    };
    let refused = [
        other(&|deal| deal.price = 0),
        other(&|deal| deal.coded.words = 1 << 25),
        other(&|deal| deal.provider = Some(AccountId32::new([8; 32]))),
        other(&|deal| deal.collateral = 5_000 * tos_types::TOS),
    ];
    let prover = prover(folder.path());
    for deal in refused {
        let chain = FakeChain::new(vec![deal], "http://h");
        let mut provider = provider(prover.clone(), OPTIONS);
        assert_eq!(step(&chain, &mut provider).await.jobs, 0);
        assert_eq!(chain.count("accept"), 0);
    }
    let named = ProviderOptions {
        accept: OPTIONS.accept.map(|policy| Policy {
            named_only: true,
            ..policy
        }),
        ..OPTIONS
    };
    for (provider_named, times) in [(None, 0), (Some(ME), 1)] {
        let chain = FakeChain::new(
            vec![other(&|d| d.provider = provider_named.clone())],
            "http://h",
        );
        let mut provider = provider(prover.clone(), named);
        step(&chain, &mut provider).await;
        step(&chain, &mut provider).await;
        assert_eq!(chain.count("accept"), times);
    }
    // One place to seal in: the second offer waits.
    let chain = FakeChain::new(vec![good.clone(), other(&|_| {})], "http://h");
    let mut busy = provider(prover, OPTIONS);
    for _ in 0..3 {
        step(&chain, &mut busy).await;
    }
    assert_eq!(chain.count("accept"), 1);
}

#[tokio::test]
async fn what_is_over_is_removed_from_disk_when_that_is_final() {
    let folder = tempfile::tempdir().unwrap();
    let chain = one_deal(folder.path(), 20_000).await;
    let prover = prover(folder.path());
    let mut provider = provider(prover.clone(), OPTIONS);
    live(&chain, &mut provider, 1).await.unwrap();
    chain.change(|state| state.replicas[0].status = ReplicaStatus::Ended);
    provider.step(&chain).await.unwrap();
    assert_eq!(prover.replicas().unwrap().len(), 1);
    for _ in 0..6 {
        chain.advance();
        provider.step(&chain).await.unwrap();
    }
    assert!(prover.replicas().unwrap().is_empty());
}

/// A provider with one proven replica that serves, and the chain and origin to ask it by.
async fn serving(folder: &Path) -> (Vec<u8>, FakeChain, Provider, Remote, Origin) {
    let (data, deal) = published(folder, 300_000).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let prover = prover(folder);
    tokio::spawn(content::serve(listener, ReplicaServer::new(prover.clone())));
    let chain = FakeChain::new(vec![deal.clone()], &base);
    let mut provider = provider(prover, OPTIONS);
    live(&chain, &mut provider, 2).await.unwrap();
    let view = chain.state().replicas.first().cloned().unwrap();
    let origin = Origin {
        replica: view.id,
        provider: ME,
        chain: fake::GENESIS,
        params: SealParams::TEST,
        content: deal.content.hash,
        length: deal.content.length,
        coded: view.coded,
        sealed: view.sealed.unwrap(),
    };
    let remote = Remote::new(Http::new().unwrap(), &base).unwrap();
    (data, chain, provider, remote, origin)
}

#[tokio::test]
async fn content_comes_back_bit_exact_with_half_of_the_chunks_gone_and_not_with_more() {
    let folder = tempfile::tempdir().unwrap();
    let (data, _, _, remote, origin) = serving(folder.path()).await;
    let out = folder.path().join("out");
    assert_eq!(retrieve(&remote, &origin, &out, false).await.unwrap(), None);
    assert_eq!(std::fs::read(&out).unwrap(), data);
    assert_eq!(
        retrieve(&remote, &origin, &out, true).await.unwrap(),
        Some(0)
    );
    assert_eq!(std::fs::read(&out).unwrap(), data);
    // 148 chunks: 74 of data, 74 of code.
    damage(folder.path(), (0..148).step_by(2));
    for rebuild in [false, true] {
        std::fs::remove_file(&out).unwrap();
        let missing = retrieve(&remote, &origin, &out, rebuild).await.unwrap();
        assert_eq!(missing, rebuild.then_some(74));
        assert_eq!(std::fs::read(&out).unwrap(), data);
    }
    damage(folder.path(), 1..2);
    std::fs::remove_file(&out).unwrap();
    for rebuild in [false, true] {
        assert!(retrieve(&remote, &origin, &out, rebuild).await.is_err());
        assert!(!out.exists());
    }
}

#[tokio::test]
async fn another_providers_content_is_never_taken_for_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let (_, _, _, remote, mut origin) = serving(folder.path()).await;
    let out = folder.path().join("out");
    origin.sealed.root[0] ^= 1;
    assert!(retrieve(&remote, &origin, &out, true).await.is_err());
    origin.sealed.root[0] ^= 1;
    origin.provider = AccountId32::new([1; 32]);
    assert!(retrieve(&remote, &origin, &out, true).await.is_err());
    origin.content[0] ^= 1;
    assert!(retrieve(&remote, &origin, &out, false).await.is_err());
    assert!(!out.exists());
}

#[tokio::test]
async fn an_auditor_attests_what_is_right_and_challenges_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (_, chain, mut provider, _, _) = serving(folder.path()).await;
    chain.appoint();
    let options = AuditorOptions {
        time: Duration::from_secs(5),
        challenge: true,
        max_challenges: 3,
    };
    let mut auditor = Auditor::new(options, Http::new().unwrap());
    for _ in 0..2 * fake::WINDOW {
        chain.advance();
        provider.step(&chain).await.unwrap();
        audit(&chain, &mut auditor).await;
    }
    assert!(chain.count("attest") > 0);
    assert_eq!(chain.count("challenge_window"), 0);
    // Damaged after the root was handed in: the committee proof cannot be had any more.
    let window = chain.state().window_number();
    while chain.state().window_number() == window {
        chain.advance();
    }
    chain.advance();
    provider.step(&chain).await.unwrap();
    damage(folder.path(), 0..148);
    audit(&chain, &mut auditor).await;
    audit(&chain, &mut auditor).await;
    let bad = |call: &Call| matches!(call, Call::Attest { bad: 1, .. });
    assert!(chain.accepted.borrow().iter().any(bad));
    assert_eq!(chain.count("challenge_window"), 1);
}

async fn audit(chain: &FakeChain, auditor: &mut Auditor) {
    let progress: StepReport = auditor.step(chain).await.unwrap();
    if progress.jobs > 0 {
        Role::<FakeChain>::finish_job(auditor).await.unwrap();
    }
}
