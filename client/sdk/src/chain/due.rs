// SPDX-License-Identifier: Apache-2.0

//! Time from which the chain takes a call that came too early. Its errors name no tick; its state
//! does.

use super::{At, Call, Connection};
use crate::{duration, error::Result, keys::Signer};
use tos_types::{storage::ReplicaStatus, Phase, Tick};
use tos_views::JudgeStatus;

/// Refusals that are about time.
const MAY_BE_DUE: [&str; 9] = [
    "Tasks::NotDue",
    "Tasks::NotInReveal",
    "Tasks::Suspended",
    "Miners::StillUnbonding",
    "Miners::Suspended",
    "Judges::StillUnbonding",
    "Judges::Suspended",
    "Storage::Unbonding",
    "Storage::NotDue",
];

impl Connection {
    /// Time from which the chain takes the refused call, in a sentence with the tick or window and
    /// about how long that is. `None` where the refusal is not about time, or the state does not
    /// tell.
    pub(super) async fn due(
        &self,
        signer: &Signer,
        call: &Call,
        name: &str,
    ) -> Result<Option<String>> {
        // Most refusals are about something else, and wait for no answer of the node.
        if !MAY_BE_DUE.contains(&name) {
            return Ok(None);
        }
        let at = self.best().await?;
        let who = signer.account();
        match (name, call) {
            ("Tasks::NotDue", Call::Crank { task }) => {
                let task = at.task(*task).await?.map(|task| task.summary);
                // The time of the draw of a panel depends on the judges that can be drawn.
                let task = task.filter(|task| task.phase != Phase::PanelDraw);
                let due = task.map(|task| task.deadline.saturating_add(1));
                at.holds_from("It is due", due).await
            }
            ("Tasks::NotInReveal", Call::Reveal { task, .. }) => {
                let task = at.task(*task).await?.map(|task| task.summary);
                let task = task.filter(|task| task.phase == Phase::Open);
                let due = task.map(|task| task.deadline.saturating_add(1));
                at.holds_from("Answers are revealed, at the latest,", due)
                    .await
            }
            ("Miners::StillUnbonding", _) => {
                let miner = at.miner(who).await?;
                let free = miner.and_then(|miner| miner.withdrawable_at);
                at.holds_from("The stake is free", free).await
            }
            ("Judges::StillUnbonding", _) => {
                let free = match at.judge(who).await?.map(|judge| judge.status) {
                    Some(JudgeStatus::Leaving { release_at }) => Some(release_at),
                    _ => None,
                };
                at.holds_from("The stake is free", free).await
            }
            ("Miners::Suspended" | "Judges::Suspended" | "Tasks::Suspended", _) => {
                let miner = at.miner(who.clone()).await?;
                let until = match miner.and_then(|miner| miner.suspended_until) {
                    Some(until) => Some(until),
                    None => {
                        let judge = at.judge(who).await?;
                        judge.and_then(|judge| judge.suspended_until)
                    }
                };
                at.holds_from("The suspension is over", until).await
            }
            ("Storage::Unbonding", _) => {
                let provider = at.provider(who).await?;
                let Some(free) = provider.and_then(|provider| provider.leave_at) else {
                    return Ok(None);
                };
                let folded = at.window().await?.folded.unwrap_or_default();
                let left = free.saturating_sub(folded);
                let time = at.time_of_windows(left).await?;
                Ok(Some(format!(
                    "The bond is free from window {free} on, in about {time}."
                )))
            }
            ("Storage::NotDue", Call::SettleReplica { replica }) => {
                let Some(replica) = at.replica(*replica).await? else {
                    return Ok(None);
                };
                if !matches!(
                    replica.status,
                    ReplicaStatus::Active | ReplicaStatus::Leaving
                ) {
                    return Ok(None);
                }
                let Some(deal) = at.deal(replica.deal).await? else {
                    return Ok(None);
                };
                if replica.earned >= deal.windows {
                    return Ok(Some(format!(
                        "All {} windows of its deal are paid for: there is no more to come.",
                        deal.windows
                    )));
                }
                let run = u64::from(at.storage_stats().await?.config.proof_window);
                let left = run.saturating_add(1).saturating_sub(replica.streak).max(1);
                let time = at.time_of_windows(left).await?;
                Ok(Some(format!(
                    "Windows are paid for after {run} that were proven in a row; {left} more to go \
                     until the next pay, about {time}."
                )))
            }
            ("Storage::NotDue", Call::CrankReplica { replica }) => {
                let due = at.replica(*replica).await?.and_then(|replica| replica.due);
                let wait = at.wait(at.window().await?.now, due).await?;
                Ok(wait.map(|(due, time)| {
                    format!("It is due in storage tick {due}, in about {time}.")
                }))
            }
            _ => Ok(None),
        }
    }
}

impl At {
    /// Sentence on what holds from `tick` on, unless that has come.
    async fn holds_from(&self, what: &str, tick: Option<Tick>) -> Result<Option<String>> {
        let wait = self.wait(self.chain().await?.tick, tick).await?;
        Ok(wait.map(|(tick, time)| format!("{what} from tick {tick} on, in about {time}.")))
    }

    /// A tick that is yet to come and the time until then, in words; nothing if it has come.
    async fn wait(&self, now: Tick, tick: Option<Tick>) -> Result<Option<(Tick, String)>> {
        let left = tick.and_then(|tick| tick.checked_sub(now));
        let (Some(tick), Some(left @ 1..)) = (tick, left) else {
            return Ok(None);
        };
        let time = duration::ticks(left.into(), self.block_time().await?);
        Ok(Some((tick, time)))
    }

    /// Time that so many storage windows take while the beacon runs, in words.
    async fn time_of_windows(&self, windows: u64) -> Result<String> {
        let window = u64::from(self.storage_stats().await?.config.window);
        let ticks = windows.saturating_mul(window);
        Ok(duration::ticks(ticks, self.block_time().await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        node::{signer, FakeNode},
        views::{chain_view, judge_view, provider_view, task_view, window_view},
    };
    use codec::Encode;
    use polkadot_sdk::sp_core::crypto::AccountId32;
    use tos_storage_proofs::Commitment;
    use tos_types::{
        storage::{DealStatus, StorageConfig, StoredContent},
        ContentRef, DealId, ReplicaId, TaskId, TOS,
    };
    use tos_views::{DealView, ProviderView, ReplicaView, StorageStats};

    const REPLICA: ReplicaId = ReplicaId([1; 16]);

    /// A node at tick 9 and storage tick 7, with a block every two seconds.
    fn node() -> FakeNode {
        let node = FakeNode::new();
        let stats = StorageStats {
            total_chains: 0,
            providers: 1,
            deals: 1,
            replicas: 1,
            sealed_bytes: 0,
            groups: 1,
            audits: 0,
            answered: 0,
            missed: 0,
            failed: 0,
            slashed: 0,
            paid: 0,
            config: StorageConfig::FAST,
        };
        for (function, answer) in [
            ("TosApi_chain", chain_view(9).encode()),
            ("BabeApi_configuration", 2_000u64.encode()),
            ("StorageApi_window", window_view(4, 7).encode()),
            ("StorageApi_storage_stats", stats.encode()),
        ] {
            node.lock().answers.insert(function, answer);
        }
        node
    }

    async fn told(node: &FakeNode, name: &str, call: &Call) -> Option<String> {
        let connection = node.connect().await;
        connection.due(&signer(), call, name).await.unwrap()
    }

    fn replica(status: ReplicaStatus, streak: u64, due: Option<Tick>) -> Vec<u8> {
        Some(replica_view(status, streak, due)).encode()
    }

    fn replica_view(
        status: ReplicaStatus,
        streak: u64,
        due: Option<Tick>,
    ) -> ReplicaView<AccountId32> {
        ReplicaView {
            id: REPLICA,
            deal: DealId([2; 16]),
            provider: AccountId32::new([3; 32]),
            status,
            coded: Commitment {
                root: [0; 32],
                words: 64,
            },
            sealed: None,
            position: None,
            collateral: 0,
            streak,
            earned: 0,
            misses: 0,
            first_window: None,
            ends_at: None,
            due,
        }
    }

    /// The replica's deal, of a thousand windows.
    fn deal() -> DealView<AccountId32> {
        DealView {
            id: DealId([2; 16]),
            client: AccountId32::new([1; 32]),
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
            windows: 1_000,
            provider: None,
            escrow: TOS,
            paid: 0,
            collateral: TOS,
            status: DealStatus::Taken,
            replica: Some(REPLICA),
        }
    }

    /// Sentence on a call about this replica that is not due.
    async fn told_of(replica: Vec<u8>, call: &Call) -> Option<String> {
        let node = node();
        let deal = Some(deal()).encode();
        node.lock().answers.insert("StorageApi_replica", replica);
        node.lock().answers.insert("StorageApi_deal", deal);
        told(&node, "Storage::NotDue", call).await
    }

    #[tokio::test]
    async fn a_call_about_a_task_that_comes_too_early_is_told_the_tick_and_the_time() {
        let node = node();
        let view = Some(task_view(1)).encode();
        node.lock().answers.insert("TosApi_task", view);
        let task = TaskId([1; 16]);
        assert_eq!(
            told(&node, "Tasks::NotDue", &Call::Crank { task }).await,
            Some("It is due from tick 31 on, in about 44 s.".into())
        );
        let reveal = Call::Reveal {
            task,
            content: ContentRef::inline(b"an honest answer").unwrap(),
            simhash: 0,
            salt: [0; 32],
        };
        let text = told(&node, "Tasks::NotInReveal", &reveal).await.unwrap();
        assert!(text.contains("from tick 31 on, in about 44 s"), "{text}");
        // A refusal of another kind, and a task in which the time depends on others.
        assert_eq!(told(&node, "Tasks::NotOpen", &reveal).await, None);
        let mut drawing = task_view(1);
        drawing.summary.phase = Phase::PanelDraw;
        let view = Some(drawing).encode();
        node.lock().answers.insert("TosApi_task", view);
        assert_eq!(
            told(&node, "Tasks::NotDue", &Call::Crank { task }).await,
            None
        );
    }

    #[tokio::test]
    async fn a_judge_that_withdraws_too_early_is_told_when_its_stake_is_free() {
        let node = node();
        for (release_at, expected) in [
            (
                9 + 3_600,
                Some("The stake is free from tick 3609 on, in about 2 h.".to_owned()),
            ),
            (9, None),
        ] {
            let judge = judge_view(JudgeStatus::Leaving { release_at });
            let answer = Some(judge).encode();
            node.lock().answers.insert("TosApi_judge", answer);
            let call = Call::WithdrawJudge {};
            let text = told(&node, "Judges::StillUnbonding", &call).await;
            assert_eq!(text, expected);
        }
    }

    #[tokio::test]
    async fn a_provider_that_settles_too_early_is_told_when_the_next_pay_is_due() {
        let call = Call::SettleReplica { replica: REPLICA };
        let run = u64::from(StorageConfig::FAST.proof_window);
        for (streak, left) in [(run - 1, 2), (run, 1), (run + 40, 1)] {
            let replica = replica(ReplicaStatus::Active, streak, None);
            let text = told_of(replica, &call).await.unwrap();
            let expected = format!(
                "{left} more to go until the next pay, about {} s",
                left * 12
            );
            assert!(text.contains(&expected), "{text}");
        }
        let paused = replica(ReplicaStatus::Paused, 0, None);
        assert_eq!(told_of(paused, &call).await, None);
    }

    #[tokio::test]
    async fn a_provider_that_settles_a_deal_paid_in_full_is_told_of_no_next_pay() {
        let call = Call::SettleReplica { replica: REPLICA };
        for (earned, over) in [(999, false), (1_000, true)] {
            let view = ReplicaView {
                earned,
                ..replica_view(ReplicaStatus::Active, 1_100, None)
            };
            let text = told_of(Some(view).encode(), &call).await.unwrap();
            assert_eq!(text.contains("All 1000 windows"), over, "{text}");
            assert_eq!(text.contains("more to go"), !over, "{text}");
        }
    }

    #[tokio::test]
    async fn a_refusal_that_is_not_about_time_waits_for_no_answer_of_the_node() {
        let node = node();
        let connection = node.connect().await;
        node.lock().lost = true;
        let call = Call::Crank {
            task: TaskId([1; 16]),
        };
        let due = connection.due(&signer(), &call, "Tasks::UnknownTask").await;
        assert_eq!(due.unwrap(), None);
        let asked = connection.due(&signer(), &call, "Tasks::NotDue").await;
        assert!(asked.is_err());
    }

    #[tokio::test]
    async fn a_step_of_a_replica_that_comes_too_early_is_told_the_storage_tick() {
        let call = Call::CrankReplica { replica: REPLICA };
        let leaving = replica(ReplicaStatus::Leaving, 0, Some(17));
        assert_eq!(
            told_of(leaving, &call).await,
            Some("It is due in storage tick 17, in about 20 s.".into())
        );
        let checking = replica(ReplicaStatus::Checking, 0, None);
        assert_eq!(told_of(checking, &call).await, None);
    }

    #[tokio::test]
    async fn a_provider_that_leaves_too_early_is_told_when_its_bond_is_free() {
        let node = node();
        let provider = ProviderView {
            exiting: true,
            leave_at: Some(18),
            ..provider_view()
        };
        let answer = Some(provider).encode();
        node.lock().answers.insert("StorageApi_provider", answer);
        assert_eq!(
            told(&node, "Storage::Unbonding", &Call::LeaveProvider {}).await,
            Some("The bond is free from window 18 on, in about 3 min.".into())
        );
    }
}
