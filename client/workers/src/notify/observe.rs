// SPDX-License-Identifier: Apache-2.0

//! Notices made of what the chain says about the worker's account.

use super::{Kind, Notifier};
use crate::tasks::{Live, Role, StepReport, TaskChain, TaskSnapshot};
use polkadot_sdk::sp_core::crypto::AccountId32;
use serde_json::json;
use std::time::Duration;
use tos_sdk::{
    amount::format as plain_amount,
    chain::{At, Hash, Heads},
    error::{Error, Result},
};
use tos_types::{json::to_hex, storage::ReplicaStatus, Balance, Phase, TaskId, Tick};
use tos_views::{Action, AssignmentView, ReplicaView, Role as TaskRole, MAX_PAGE};

/// A deadline is near when no more ticks than this are left.
const NEAR: Tick = 5;

/// A provider's replicas are looked at in every step of this number.
const REPLICAS_EVERY: u32 = 10;
/// Most replicas that are looked at.
const MAX_REPLICAS: usize = 10_000;

/// A worker whose chain is looked at for notices before each of its steps.
pub struct Watched<'a, R> {
    /// The worker.
    pub role: &'a mut R,
    /// Told of what is seen.
    pub notifier: &'a Notifier,
    /// Steps since the connection was made.
    pub steps: u32,
}

impl<R: Role<Live>> Role<Live> for Watched<'_, R> {
    const INCLUSION_TIME: Duration = R::INCLUSION_TIME;

    async fn step(&mut self, chain: &Live) -> Result<StepReport> {
        if self.notifier.is_on() {
            // Before the step, which may do at once what is due. Work goes on without notices.
            let who = chain.account();
            let replicas_too = self.steps.is_multiple_of(REPLICAS_EVERY);
            self.steps = self.steps.wrapping_add(1);
            let seen = async {
                look(self.notifier, chain, &who).await?;
                let at = chain.connection.finalised().await?;
                let (genesis, block) = (chain.genesis(), at.number());
                match self.notifier.role() {
                    "judge" => {
                        if let Some(view) = at.judge(who).await? {
                            stake_is(self.notifier, &genesis, block, "judge", view.stake)?;
                        }
                    }
                    "provider" => {
                        if let Some(view) = at.provider(who).await? {
                            stake_is(self.notifier, &genesis, block, "provider", view.bond)?;
                        }
                        if replicas_too {
                            replicas(self.notifier, chain, &at).await?;
                        }
                    }
                    _ => {}
                }
                Ok::<_, Error>(())
            };
            if let Err(error) = seen.await {
                tracing::warn!(%error, "could not look for notices");
            }
        }
        self.role.step(chain).await
    }

    async fn finish_job(&mut self) -> Result<()> {
        self.role.finish_job().await
    }

    fn gave_up(&self) -> Option<String> {
        self.role.gave_up()
    }
}

/// Looks at the account's replicas, if it is a storage provider.
async fn replicas(notifier: &Notifier, chain: &Live, at: &At) -> Result<()> {
    let (who, genesis) = (chain.account(), chain.genesis());
    let mut after = None;
    let mut seen = 0;
    while seen < MAX_REPLICAS {
        let page = at.replicas_of(who.clone(), after, MAX_PAGE).await?;
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.id);
        seen += page.len();
        for replica in &page {
            tell_replica(notifier, &genesis, replica);
        }
    }
    for challenge in at.challenges(who).await? {
        let facts = json!(challenge);
        let about = blake3::hash(facts.to_string().as_bytes()).to_hex();
        let text = "a replica is challenged, and its answer is due".to_owned();
        let about = subject(&genesis, about.to_string());
        notifier.tell(Kind::Due, &about, text, facts);
    }
    Ok(())
}

/// Tells of a replica that failed, and of windows it was not proven in.
pub(super) fn tell_replica(
    notifier: &Notifier,
    genesis: &Hash,
    replica: &ReplicaView<AccountId32>,
) {
    let ReplicaView { id, misses, .. } = replica;
    let facts = json!({"replica": id, "deal": replica.deal, "status": replica.status,
        "misses": misses, "collateral": replica.collateral.to_string()});
    if replica.status == ReplicaStatus::Failed {
        let text = format!("replica {id} has failed: not sealed, or not proven");
        notifier.tell(
            Kind::Loss,
            &subject(genesis, format!("{id} failed")),
            text,
            facts,
        );
    } else if *misses > 0 {
        let text = format!("replica {id} was not proven in {misses} windows in a row");
        let about = subject(genesis, format!("{id} {} {misses}", replica.earned));
        notifier.tell(Kind::Warning, &about, text, facts);
    }
}

/// The identifier of something on a chain.
fn subject(chain: &Hash, rest: String) -> String {
    format!("{} {rest}", to_hex(chain))
}

/// The name of an action, and the round of voting.
fn duty(action: Action) -> (&'static str, Option<u32>) {
    match action {
        Action::CommitAnswer => ("commitAnswer", None),
        Action::RevealAnswer => ("revealAnswer", None),
        Action::CommitVote { round } => ("commitVote", Some(round)),
        Action::RevealVote { round } => ("revealVote", Some(round)),
    }
}

/// Looks at duties and rewards in the best block, and at decided tasks in the last finalised one.
pub(super) async fn look<C: TaskChain + Heads>(
    notifier: &Notifier,
    chain: &C,
    who: &AccountId32,
) -> Result<()> {
    let Some(outbox) = notifier.outbox() else {
        return Ok(());
    };
    let genesis = chain.genesis();
    let at = chain.best().await?;
    let (tick, _) = at.time().await?;
    let mut followed = outbox.followed(&genesis)?;
    // A worker of another role of the same account tells of its own.
    let own = |role| match role {
        TaskRole::Miner => notifier.role() == "miner",
        TaskRole::Judge => notifier.role() == "judge",
    };
    let assignments = at.assignments().await?.into_iter();
    for assignment in assignments.filter(|assignment| own(assignment.role)) {
        if !followed.contains(&assignment.task) {
            outbox.follow(&genesis, assignment.task)?;
            followed.push(assignment.task);
        }
        tell_duty(notifier, &genesis, tick, &assignment);
    }
    // Where an account has two workers, the one of the role that earned it tells.
    let claims = at.claimable().await?.into_iter();
    for claim in claims.filter(|claim| followed.contains(&claim.task)) {
        let (task, amount) = (claim.task, claim.amount);
        notifier.tell(
            Kind::Reward,
            &subject(&genesis, format!("{task} {amount}")),
            format!("a reward of {} waits, of task {task}", plain_amount(amount)),
            json!({"task": task, "amount": amount.to_string(), "expires": claim.expires}),
        );
    }
    let at = chain.finalised().await?;
    for task in followed {
        end_of(notifier, &genesis, &at, task, who).await?;
    }
    Ok(())
}

fn tell_duty(notifier: &Notifier, genesis: &Hash, tick: Tick, assignment: &AssignmentView) {
    let AssignmentView { task, deadline, .. } = *assignment;
    let (action, round) = duty(assignment.action);
    let about = subject(genesis, format!("{task} {action} {round:?}"));
    let facts = json!({"task": task, "action": action, "round": round, "deadline": deadline,
        "tick": tick});
    let left = deadline.saturating_sub(tick);
    notifier.tell(
        Kind::Due,
        &about,
        format!("{action} of task {task} is due: {left} ticks are left"),
        facts.clone(),
    );
    if left <= NEAR {
        notifier.tell(
            Kind::Deadline,
            &about,
            format!("{action} of task {task} is not done, and only {left} ticks are left"),
            facts,
        );
    }
}

/// Tells how a task ended, once that is final.
async fn end_of(
    notifier: &Notifier,
    genesis: &Hash,
    at: &impl TaskSnapshot,
    task: TaskId,
    who: &AccountId32,
) -> Result<()> {
    let Some(outbox) = notifier.outbox() else {
        return Ok(());
    };
    // Not there yet: it is younger than the last finalised block. What was undone stays followed.
    let Some(view) = at.task(task).await? else {
        return Ok(());
    };
    let Phase::Closed(_) = view.summary.phase else {
        return Ok(());
    };
    let own = view.submissions.iter().find(|own| own.miner == *who);
    let (result, earned, lost) = match own {
        Some(own) => (Some(own.result), own.earned, own.lost),
        None => (None, 0, 0),
    };
    let about = task.to_string();
    let facts = json!({"task": task, "phase": view.summary.phase, "result": result,
        "earned": earned.to_string(), "lost": lost.to_string()});
    notifier.tell(
        Kind::Verdict,
        &about,
        match own {
            Some(_) => format!("task {task} is closed: earned {}", plain_amount(earned)),
            None => format!("task {task} is closed"),
        },
        facts.clone(),
    );
    if lost > 0 {
        let text = format!(
            "{} of the stake in task {task} are lost",
            plain_amount(lost)
        );
        notifier.tell(Kind::Loss, &about, text, facts);
    }
    outbox.leave(genesis, task)
}

/// Notes a stake of the account, and tells where it has become smaller.
pub(super) fn stake_is(
    notifier: &Notifier,
    genesis: &Hash,
    block: u64,
    name: &str,
    now: Balance,
) -> Result<()> {
    let Some(outbox) = notifier.outbox() else {
        return Ok(());
    };
    let before = outbox.amount(genesis, name, now)?;
    if let Some(before) = before.filter(|before| *before > now) {
        let less = before.saturating_sub(now);
        notifier.tell(
            Kind::Loss,
            &subject(genesis, format!("{name} {block} {before} {now}")),
            format!(
                "the {name}'s stake is {} less than before: lost, unless you have withdrawn it",
                plain_amount(less)
            ),
            json!({"stake": name, "before": before.to_string(), "after": now.to_string(),
                "finalisedBlock": block}),
        );
    }
    Ok(())
}
