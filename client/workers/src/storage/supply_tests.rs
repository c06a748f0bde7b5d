// SPDX-License-Identifier: Apache-2.0

//! Offers whose content cannot be had, work that is needed no more, and too little room.

use super::{
    fake::{self, FakeChain, GENESIS, ME},
    jobs::Job,
    prover::{OpenProvers, ReplicaProver},
    tests::{live, prover, provider, published, step, OPTIONS},
    Provider, ProviderOptions,
};
use crate::tasks::{Role, StepReport, Submit};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpListener};
use tos_sdk::{chain::Call, content::Pace, error::Result};
use tos_storage_proofs::SealParams;
use tos_types::{
    storage::{DealStatus, ReplicaStatus, StoredContent},
    DealId,
};
use tos_views::{DealView, ReplicaView};

const IMPATIENT: ProviderOptions = ProviderOptions {
    answers_only: false,
    pace: Pace {
        silence: Duration::from_millis(100),
        rate: 1_000,
    },
    ..OPTIONS
};

/// Pace that [`slow_server`] keeps up with.
const PATIENT: ProviderOptions = ProviderOptions {
    answers_only: false,
    pace: Pace {
        silence: Duration::from_secs(60),
        rate: 1,
    },
    ..OPTIONS
};

/// The head of an answer of 20,000 bytes.
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 20000\r\n\r\n";

/// A server that takes connections and says nothing or, if it has a head, that and then a byte
/// every 20 milliseconds.
async fn slow_server(head: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut sent = stream.write_all(head.as_bytes()).await;
                while sent.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    if !head.is_empty() {
                        sent = stream.write_all(b"x").await;
                    }
                }
            });
        }
    });
    base
}

/// The same deal, but its content is elsewhere.
fn moved(deal: &DealView<AccountId32>, number: u8, base: &str) -> DealView<AccountId32> {
    let locator = tos_sdk::content::locator(base, &deal.content.hash).unwrap();
    let content = StoredContent {
        locator: locator.into_bytes().try_into().unwrap(),
        ..deal.content.clone()
    };
    fake::deal(number, content, deal.coded)
}

fn new(folder: &Path, options: ProviderOptions) -> Provider {
    provider(prover(folder), options)
}

fn accepted(chain: &FakeChain) -> Vec<DealId> {
    let calls = chain.accepted.borrow();
    let deal = |call: &Call| match call {
        Call::AcceptDeal { deal } => Some(*deal),
        _ => None,
    };
    calls.iter().filter_map(deal).collect()
}

#[tokio::test]
async fn silent_servers_cost_nothing_hold_up_nobody_and_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let (_, honest) = published(folder.path(), 20_000).await;
    // More of them than contents are fetched at the same time, and before the honest one.
    let (mut deals, mut servers) = (Vec::new(), Vec::new());
    for number in 10..16 {
        let base = slow_server("").await;
        deals.push(moved(&honest, number, &base));
        servers.push(base.trim_start_matches("http://").to_owned());
    }
    let bad: Vec<DealId> = deals.iter().map(|deal| deal.id).collect();
    deals.push(honest.clone());
    let chain = FakeChain::new(deals, "http://h");
    let mut first = new(folder.path(), IMPATIENT);
    live(&chain, &mut first, 2).await.unwrap();
    assert_eq!(accepted(&chain), [honest.id]);
    assert_eq!(chain.state().missed, 0);
    drop(first);
    // A new process knows them.
    let mut second = new(folder.path(), IMPATIENT);
    let known = |server: &&String| second.declined.failures_of(server) > 0;
    assert!(servers.iter().filter(known).count() >= 4);
    let declined = |provider: &Provider| {
        let mut bad = bad.iter();
        bad.all(|deal| provider.declined.is_declined(*deal))
    };
    for _ in 0..1_000 {
        step(&chain, &mut second).await;
        if declined(&second) {
            break;
        }
    }
    assert!(declined(&second));
    drop(second);
    let mut third = new(folder.path(), IMPATIENT);
    assert_eq!(step(&chain, &mut third).await.jobs, 0);
    assert_eq!(accepted(&chain), [honest.id]);
    assert_eq!(chain.state().missed, 0);
}

#[tokio::test]
async fn a_server_that_drips_is_left_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let (_, honest) = published(folder.path(), 20_000).await;
    let base = slow_server(HEAD).await;
    let chain = FakeChain::new(vec![moved(&honest, 10, &base)], "http://h");
    // 20 bytes are asked for in the time in which it sends one.
    let mut provider = new(folder.path(), IMPATIENT);
    step(&chain, &mut provider).await;
    let server = base.trim_start_matches("http://");
    assert_eq!(provider.declined.failures_of(server), 1);
    assert!(accepted(&chain).is_empty());
}

#[tokio::test]
async fn content_that_is_not_what_the_deal_says_is_declined_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut deal) = published(folder.path(), 20_000).await;
    deal.coded.root[0] ^= 1;
    let chain = FakeChain::new(vec![deal.clone()], "http://h");
    let mut provider = new(folder.path(), OPTIONS);
    assert_eq!(step(&chain, &mut provider).await.jobs, 1);
    assert!(provider.declined.is_declined(deal.id));
    drop(provider);
    let mut provider = new(folder.path(), OPTIONS);
    assert_eq!(step(&chain, &mut provider).await.jobs, 0);
    assert!(accepted(&chain).is_empty());
    assert!(provider.prover.staged().unwrap().is_empty());
}

/// A chain with one deal, a provider after its first step there, and the deal.
async fn begun(folder: &Path) -> (FakeChain, Provider, DealId) {
    let (_, deal) = published(folder, 20_000).await;
    let id = deal.id;
    let chain = FakeChain::new(vec![deal], "http://h");
    let mut provider = new(folder, OPTIONS);
    step(&chain, &mut provider).await;
    (chain, provider, id)
}

#[tokio::test]
async fn a_deal_that_was_lost_once_is_not_accepted_again() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, mut provider, deal) = begun(folder.path()).await;
    step(&chain, &mut provider).await;
    assert_eq!(accepted(&chain), [deal]);
    // Not sealed in time: it is open again.
    chain.change(|state| {
        state.replicas[0].status = ReplicaStatus::Failed;
        state.deals[0].status = DealStatus::Open;
        state.deals[0].replica = None;
    });
    for _ in 0..20 {
        step(&chain, &mut provider).await;
    }
    assert_eq!(accepted(&chain), [deal]);
    assert!(provider.prover.staged().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_staged_goes_when_somebody_else_has_the_deal() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, mut provider, deal) = begun(folder.path()).await;
    assert_eq!(provider.prover.staged().unwrap(), [deal]);
    chain.change(|state| state.deals[0].status = DealStatus::Taken);
    step(&chain, &mut provider).await;
    assert!(provider.prover.staged().unwrap().is_empty());
    assert!(accepted(&chain).is_empty());
}

#[tokio::test]
async fn a_job_ends_with_its_replica_and_its_place_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let (_, honest) = published(folder.path(), 20_000).await;
    let base = slow_server(HEAD).await;
    let endless = moved(&honest, 10, &base);
    let chain = FakeChain::new(vec![endless.clone()], "http://h");
    // Accepted by hand, without looking; and the server is fast enough for this provider.
    let accept = Call::AcceptDeal { deal: endless.id };
    chain.submit(&[accept]).await.unwrap().remove(0).unwrap();
    let mut provider = new(folder.path(), PATIENT);
    let progress: StepReport = provider.step(&chain).await.unwrap();
    assert_eq!(progress.jobs, 1);
    chain.change(|state| {
        state.replicas[0].status = ReplicaStatus::Failed;
        state.deals[0].status = DealStatus::Closed;
    });
    let job = Job::Seal(chain.state().replicas[0].id);
    // To send everything would take it 400 seconds.
    for _ in 0..600 {
        let _: StepReport = provider.step(&chain).await.unwrap();
        if !provider.jobs.is_running(job) {
            break;
        }
        let done = Role::<FakeChain>::finish_job(&mut provider);
        let _ = tokio::time::timeout(Duration::from_millis(100), done).await;
    }
    assert!(!provider.jobs.is_running(job));
    // The only place to seal is there for others.
    chain.change(|state| state.deals.push(honest.clone()));
    live(&chain, &mut provider, 1).await.unwrap();
    // Nor does it leave anything on the disk.
    assert_eq!(provider.prover.replicas().unwrap().len(), 1);
    assert!(provider.prover.trash().unwrap().is_empty());
}

#[tokio::test]
async fn a_worker_that_ends_leaves_no_work_behind_and_its_store_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let (_, honest) = published(folder.path(), 20_000).await;
    let endless = moved(&honest, 10, &slow_server(HEAD).await);
    let chain = FakeChain::new(vec![endless.clone()], "http://h");
    let accept = Call::AcceptDeal { deal: endless.id };
    chain.submit(&[accept]).await.unwrap().remove(0).unwrap();
    let (mut provers, path) = (OpenProvers::default(), folder.path().join("store"));
    let mut provider = new(folder.path(), PATIENT);
    provers.insert(&provider.prover);
    let _: StepReport = provider.step(&chain).await.unwrap();
    while provider.prover.replicas().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The node is on another chain, and back at once: the thread that seals has the store open.
    drop(provider);
    let again = provers.get(&path).unwrap();
    let key = fake::proof_key();
    let opened = ReplicaProver::open(&path, (SealParams::TEST, 16), &ME, GENESIS, key);
    assert!(opened.err().unwrap().to_string().contains("runs already"));
    // To send everything would take the server 400 seconds.
    let over = async {
        while Arc::strong_count(&again) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), over)
        .await
        .unwrap();
    drop(again);
    assert!(provers.get(&path).is_none());
}

#[tokio::test]
async fn a_fault_of_what_is_staged_keeps_back_nothing_that_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let (_, deal) = published(folder.path(), 20_000).await;
    let chain = FakeChain::new(vec![deal], "http://h");
    let mut provider = new(folder.path(), OPTIONS);
    live(&chain, &mut provider, 1).await.unwrap();
    let staged = folder.path().join("store").join("staged");
    std::fs::remove_dir(&staged).unwrap();
    std::fs::write(&staged, b"").unwrap();
    for _ in 0..30 {
        chain.advance();
        let stepped: Result<StepReport> = provider.step(&chain).await;
        assert!(stepped.is_err());
    }
    assert_eq!(chain.state().missed, 0);
    assert!(chain.state().replicas[0].streak > 2);
}

#[tokio::test]
async fn without_room_nothing_is_accepted_or_harmed_and_with_room_it_goes_on() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_, small) = published(folder.path(), 20_000).await;
    let (_, mut large) = published(other.path(), 60_000).await;
    large.id = DealId([2; 16]);
    let chain = FakeChain::new(vec![small.clone()], "http://h");
    let mut provider = new(folder.path(), OPTIONS);
    live(&chain, &mut provider, 1).await.unwrap();
    chain.change(|state| state.deals.push(large.clone()));
    provider.options.keep_free = u64::MAX / 4;
    for _ in 0..40 {
        step(&chain, &mut provider).await;
    }
    assert_eq!(accepted(&chain), [small.id]);
    assert!(provider.prover.staged().unwrap().is_empty());
    // The offer is as good as before.
    assert!(!provider.declined.is_declined(large.id));
    provider.options.keep_free = 0;
    let proven = |replica: &ReplicaView<AccountId32>| replica.streak > 0;
    for _ in 0..200 {
        step(&chain, &mut provider).await;
        let replicas = chain.state().replicas;
        if replicas.len() == 2 && replicas.iter().all(proven) {
            break;
        }
    }
    assert_eq!(accepted(&chain), [small.id, large.id]);
    assert!(proven(&chain.state().replicas[1]));
    assert_eq!(chain.state().missed, 0);
}
