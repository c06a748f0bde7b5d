// SPDX-License-Identifier: Apache-2.0

//! Calls that a node's state, or its trial of them, shows to be refused.

use super::*;
use crate::{
    chain::{advice, Wait},
    testing::{
        node::{signer, FakeNode},
        views::{chain_view, parameters_view, provider_view, task_view, ME},
    },
};
use codec::{Compact, Encode};
use polkadot_sdk::sp_runtime::{DispatchError as Failure, ModuleError};
use std::time::Duration;
use tos_storage_proofs::Commitment;
use tos_types::{
    storage::StoredContent, task::Certification, ContentRef, DealId, Difficulty, ReplicaId,
    TaskParams, TaskType, Tick, TOS,
};
use tos_views::{ClaimView, DealView, MinerView, ProviderView, ReplicaView};

const LONG: Duration = Duration::from_secs(120);
const TASK: TaskId = TaskId([1; 16]);
const DEAL: DealId = DealId([2; 16]);
const REPLICA: ReplicaId = ReplicaId([3; 16]);

fn me() -> AccountId32 {
    signer().account()
}

fn miner(open_tasks: u32, withdrawable_at: Option<Tick>, activity: Activity) -> Vec<u8> {
    let miner = MinerView {
        specialisations: vec![TaskType::General],
        stake: TOS,
        open_tasks,
        completed: 0,
        failed: 0,
        registered: 0,
        idle_days: 0,
        activity,
        withdrawable_at,
        suspended_until: None,
        certification: Certification::Unverified,
        certified_until: None,
        level: Default::default(),
        success: 0,
        endorsements: 0,
        probation_until: None,
        grace_until: None,
    };
    Some(miner).encode()
}

fn claims(tasks: &[TaskId]) -> Vec<u8> {
    let claim = |task: &TaskId| ClaimView {
        task: *task,
        amount: TOS,
        expires: 9,
    };
    tasks.iter().map(claim).collect::<Vec<_>>().encode()
}

fn provider(bond: Balance, tied: Balance, replicas: u32, exiting: bool) -> Vec<u8> {
    let provider = ProviderView {
        bond,
        tied,
        replicas,
        exiting,
        ..provider_view()
    };
    Some(provider).encode()
}

fn deal(client: AccountId32, invited: Option<AccountId32>, status: DealStatus) -> Vec<u8> {
    let deal = DealView {
        id: DEAL,
        client,
        content: StoredContent {
            hash: [4; 32],
            length: 1,
            locator: Default::default(),
        },
        coded: Commitment {
            root: [0; 32],
            words: 64,
        },
        price: TOS,
        windows: 9,
        provider: invited,
        escrow: TOS,
        paid: 0,
        collateral: TOS,
        status,
        replica: None,
    };
    Some(deal).encode()
}

fn replica(provider: AccountId32, status: ReplicaStatus) -> Vec<u8> {
    let replica = ReplicaView {
        id: REPLICA,
        deal: DEAL,
        provider,
        status,
        coded: Commitment {
            root: [0; 32],
            words: 64,
        },
        sealed: None,
        position: None,
        collateral: 0,
        streak: 0,
        earned: 0,
        misses: 0,
        first_window: None,
        ends_at: None,
        due: None,
    };
    Some(replica).encode()
}

/// Name of the refusal of a call that is foreseen where the runtime's function answers this.
async fn foreseen(function: &'static str, answer: Vec<u8>, call: &Call) -> Option<String> {
    let node = FakeNode::new();
    node.lock().answers.insert(function, answer);
    match node.connect().await.foresee(&signer(), call).await {
        Ok(()) => None,
        Err(Error::Refused { name, docs, fee }) => {
            assert!(docs.unwrap().ends_with(UNSENT), "{name}");
            assert_eq!(fee, None);
            Some(name)
        }
        Err(other) => panic!("{other}"),
    }
}

/// Checks what is foreseen of a call for each answer, and that there is advice on each refusal.
async fn check(function: &'static str, cases: Vec<(Call, Vec<u8>, Option<&str>)>) {
    for (call, answer, expected) in cases {
        let found = foreseen(function, answer, &call).await;
        assert_eq!(found.as_deref(), expected, "{call:?}");
        assert!(
            expected.is_none_or(|name| advice::on(name).is_some()),
            "{expected:?}"
        );
    }
}

#[tokio::test]
async fn a_claim_of_nothing_is_foreseen() {
    let (other, owner) = (TaskId([9; 16]), ME);
    let nothing = Some("Rewards::NothingToClaim");
    check(
        "TosApi_claimable",
        vec![
            (Call::ClaimAll {}, claims(&[]), nothing),
            (Call::ClaimAll {}, claims(&[other]), None),
            (Call::Claim { task: TASK }, claims(&[other]), nothing),
            (Call::Claim { task: TASK }, claims(&[other, TASK]), None),
            // The chain lists no more than that.
            (Call::Claim { task: TASK }, claims(&[other; LISTED]), None),
            (
                Call::ClaimAllFor {
                    owner: owner.clone(),
                },
                claims(&[]),
                nothing,
            ),
            (
                Call::ClaimFor { owner, task: TASK },
                claims(&[other]),
                nothing,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_a_miner_is_already_or_is_not_is_foreseen() {
    let none = None::<MinerView>.encode();
    let types = || vec![TaskType::General];
    let register = || Call::RegisterMiner {
        specialisations: types(),
    };
    let set = || Call::SetSpecialisations {
        specialisations: types(),
    };
    let works = || miner(0, None, Activity::Active);
    let leaves = || miner(0, Some(9), Activity::Active);
    let not_registered = Some("Miners::NotRegistered");
    check(
        "TosApi_miner",
        vec![
            (register(), works(), Some("Miners::AlreadyRegistered")),
            (register(), none.clone(), None),
            (set(), none.clone(), not_registered),
            (set(), leaves(), Some("Miners::Leaving")),
            (set(), works(), None),
            (Call::LeaveMiner {}, none.clone(), not_registered),
            (Call::LeaveMiner {}, leaves(), Some("Miners::Leaving")),
            (
                Call::LeaveMiner {},
                miner(1, None, Activity::Active),
                Some("Miners::HasOpenTasks"),
            ),
            (Call::LeaveMiner {}, works(), None),
            (Call::RejoinMiner {}, works(), Some("Miners::NotLeaving")),
            (Call::RejoinMiner {}, leaves(), None),
            (Call::WithdrawMiner {}, none, not_registered),
            (Call::WithdrawMiner {}, works(), Some("Miners::NotLeaving")),
            // The tick may have come in the next block.
            (Call::WithdrawMiner {}, leaves(), None),
            (Call::Reactivate {}, works(), Some("Miners::NotDormant")),
            (Call::Reactivate {}, miner(0, None, Activity::Dormant), None),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_task_that_is_not_there_or_of_another_is_not_cancelled() {
    let call = || Call::Cancel { task: TASK };
    let own = || {
        let mut task = task_view(1);
        task.summary.publisher = me();
        task
    };
    check(
        "TosApi_task",
        vec![
            (call(), None::<u8>.encode(), Some("Tasks::UnknownTask")),
            (
                call(),
                Some(task_view(1)).encode(),
                Some("Tasks::NotPublisher"),
            ),
            (call(), Some(own()).encode(), None),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_a_provider_may_not_do_is_foreseen() {
    let none = None::<ProviderView>.encode();
    let amount = Compact(2 * TOS);
    let register = || Call::RegisterProvider {
        bond: amount,
        proof_key: [7; 32],
        locator: b"http://h".to_vec().try_into().unwrap(),
    };
    let withdraw = || Call::WithdrawProvider { amount };
    check(
        "StorageApi_provider",
        vec![
            (
                register(),
                provider(TOS, 0, 0, false),
                Some("Storage::AlreadyProvider"),
            ),
            (register(), none.clone(), None),
            (
                Call::TopUpProvider { amount },
                none.clone(),
                Some("Storage::NotProvider"),
            ),
            (
                Call::TopUpProvider { amount },
                provider(TOS, 0, 0, false),
                None,
            ),
            (
                withdraw(),
                provider(3 * TOS, 2 * TOS, 1, false),
                Some("Storage::InsufficientBond"),
            ),
            (withdraw(), provider(4 * TOS, 2 * TOS, 1, false), None),
            (
                Call::ExitProvider {},
                provider(TOS, 0, 0, true),
                Some("Storage::Exiting"),
            ),
            (Call::ExitProvider {}, provider(TOS, 0, 0, false), None),
            (Call::LeaveProvider {}, none, Some("Storage::NotProvider")),
            (
                Call::LeaveProvider {},
                provider(TOS, 0, 0, false),
                Some("Storage::NotExiting"),
            ),
            (
                Call::LeaveProvider {},
                provider(TOS, 0, 1, true),
                Some("Storage::HasReplicas"),
            ),
            (Call::LeaveProvider {}, provider(TOS, 0, 0, true), None),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_deal_or_a_replica_in_another_state_or_of_another_is_foreseen() {
    use DealStatus::{Open, Taken};
    let accept = || Call::AcceptDeal { deal: DEAL };
    let cancel = || Call::CancelOffer { deal: DEAL };
    let none = || None::<u8>.encode();
    check(
        "StorageApi_deal",
        vec![
            (accept(), none(), Some("Storage::UnknownDeal")),
            (accept(), deal(ME, None, Taken), Some("Storage::NotOpen")),
            (
                accept(),
                deal(ME, Some(ME), Open),
                Some("Storage::NotInvited"),
            ),
            (accept(), deal(ME, Some(me()), Open), None),
            (accept(), deal(ME, None, Open), None),
            (cancel(), deal(ME, None, Open), Some("Storage::NotClient")),
            (cancel(), deal(me(), None, Taken), Some("Storage::NotOpen")),
            (cancel(), deal(me(), Some(ME), Open), None),
        ],
    )
    .await;
    use ReplicaStatus::{Active, Failed, Leaving, Paused};
    let id = || REPLICA;
    let pause = || Call::PauseReplica { replica: id() };
    let resume = || Call::ResumeReplica { replica: id() };
    let remove = || Call::RequestRemoval { replica: id() };
    let settle = || Call::SettleReplica { replica: id() };
    check(
        "StorageApi_replica",
        vec![
            (pause(), none(), Some("Storage::UnknownReplica")),
            (pause(), replica(ME, Active), Some("Storage::NotYours")),
            (pause(), replica(me(), Paused), Some("Storage::NotActive")),
            (pause(), replica(me(), Active), None),
            (resume(), replica(me(), Active), Some("Storage::NotPaused")),
            (resume(), replica(me(), Paused), None),
            (
                remove(),
                replica(me(), Leaving),
                Some("Storage::AlreadyLeaving"),
            ),
            (remove(), replica(me(), Active), None),
            (settle(), replica(ME, Failed), Some("Storage::Over")),
            (settle(), replica(ME, Active), None),
        ],
    )
    .await;
}

fn publish(reward: Balance, open_for: Tick) -> Call {
    Call::Publish {
        params: TaskParams::General {
            subject: b"test".to_vec().try_into().unwrap(),
        },
        difficulty: Difficulty::Beginner,
        spec: ContentRef::inline(b"what is asked").unwrap(),
        reward: Compact(reward),
        open_for,
        min_quality: 50,
        max_participants: 4,
        reference: None,
    }
}

#[tokio::test]
async fn a_task_is_checked_before_it_is_sent_as_a_quote_checks_it() {
    let node = FakeNode::new();
    let mut parameters = parameters_view();
    parameters.difficulties.beginner.least_reward = 10 * TOS;
    parameters.difficulties.beginner.most_reward = 20 * TOS;
    let mut chain = chain_view(9);
    chain.phase_lengths.min_open = 5;
    chain.phase_lengths.max_open = 50;
    {
        let mut node = node.lock();
        node.answers
            .insert("TosApi_parameters", parameters.encode());
        node.answers.insert("TosApi_chain", chain.encode());
    }
    let connection = node.connect().await;
    for (call, free, name, part) in [
        (
            publish(9 * TOS, 9),
            99,
            "Tasks::RewardOutsideBand",
            "10 TOS to 20 TOS, not 9 TOS",
        ),
        (
            publish(21 * TOS, 9),
            99,
            "Tasks::RewardOutsideBand",
            "--reward",
        ),
        (
            publish(10 * TOS, 4),
            99,
            "Tasks::OpenWindowOutOfBounds",
            "5 to 50 ticks",
        ),
        (
            publish(10 * TOS, 51),
            99,
            "Tasks::OpenWindowOutOfBounds",
            "--open-for",
        ),
        // The reward, and a tenth of it as a stake.
        (
            publish(10 * TOS, 9),
            10,
            "Tasks::InsufficientFunds",
            "has 10 TOS free",
        ),
        (
            publish(10 * TOS, 9),
            10,
            "Tasks::InsufficientFunds",
            "`tos task quote`",
        ),
    ] {
        node.lock().free = Some(free * TOS);
        let sent = connection.submit(&signer(), &call, Wait::Best, LONG).await;
        let error = sent.unwrap_err();
        assert_eq!(error.exit_code(), 3, "{error}");
        let text = error.to_string();
        for part in [name, part, UNSENT] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("in a block"), "{text}");
    }
    assert!(node.lock().submitted.is_empty());
    node.lock().free = Some(12 * TOS);
    let sound = publish(20 * TOS / 2, 50);
    connection
        .submit(&signer(), &sound, Wait::Best, LONG)
        .await
        .unwrap();
    assert_eq!(node.lock().submitted.len(), 1);
}

#[tokio::test]
async fn a_claim_of_nothing_is_told_what_to_do_and_is_not_sent() {
    let node = FakeNode::new();
    node.lock().answers.insert("TosApi_claimable", claims(&[]));
    let connection = node.connect().await;
    let call = Call::ClaimAll {};
    let error = connection.submit(&signer(), &call, Wait::Best, LONG).await;
    let text = error.unwrap_err().to_string();
    for part in ["Rewards::NothingToClaim", UNSENT, "`tos rewards list`"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(node.lock().submitted.is_empty());
}

#[tokio::test]
async fn of_a_call_for_another_account_nothing_is_foreseen_unless_the_key_may_do_all() {
    let node = FakeNode::new();
    let miner = None::<MinerView>.encode();
    node.lock().answers.insert("TosApi_miner", miner);
    let connection = node.connect().await;
    // The node tells of no proxies: the chain may have another reason to refuse.
    let proxy = Signer {
        acts_for: Some(ME),
        ..signer()
    };
    let call = Call::LeaveMiner {};
    assert!(connection.foresee(&proxy, &call).await.is_ok());
    assert!(connection.foresee(&signer(), &call).await.is_err());
}

/// Answer of a node that tries a transaction.
fn tried(outcome: Result<(), Failure>) -> Vec<u8> {
    Ok::<_, ()>(outcome).encode()
}

#[tokio::test]
async fn a_call_that_fails_on_trial_is_not_sent() {
    let node = FakeNode::new();
    node.lock().grow(3);
    let not_due = Failure::Module(ModuleError {
        index: 1,
        error: [4, 0, 0, 0],
        message: None,
    });
    node.lock().answers.insert(APPLY, tried(Err(not_due)));
    let connection = node.connect().await;
    let call = Call::Crank { task: TASK };
    let error = connection.submit(&signer(), &call, Wait::Best, LONG).await;
    let error = error.unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    let text = error.to_string();
    // The words between are the metadata's, which has them only where its types keep their documentation.
    assert!(
        text.starts_with("refused by the chain: Tasks::NotDue: "),
        "{text}"
    );
    assert!(text.contains(UNSENT), "{text}");
    assert!(node.lock().submitted.is_empty());
}

#[tokio::test]
async fn a_call_whose_trial_succeeds_or_tells_nothing_is_sent() {
    // It is not valid now, as in a full block; the pool has the word on that.
    let invalid = vec![1, 0, 5];
    for answer in [Some(tried(Ok(()))), Some(invalid), Some(Vec::new()), None] {
        let node = FakeNode::new();
        node.lock().grow(3);
        if let Some(answer) = answer {
            node.lock().answers.insert(APPLY, answer);
        }
        let connection = node.connect().await;
        let call = Call::Crank { task: TASK };
        connection
            .submit(&signer(), &call, Wait::Best, LONG)
            .await
            .unwrap();
        assert_eq!(node.lock().submitted.len(), 1);
    }
}
