// SPDX-License-Identifier: Apache-2.0

//! `tos task watch`: a task's life as it happens.

use super::{show, task::unknown, Global};
use crate::{
    chain::{At, Connection},
    error::{Error, Result},
    output::Output,
};
use futures::StreamExt;
use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use serde::Serialize;
use std::{collections::BTreeSet, time::Duration};
use tos_primitives::{
    views::{RoundView, TaskView, TimelineEntry},
    Closure, Phase, TaskId,
};

/// Something that happened to a task.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
#[serde(rename_all = "camelCase")]
struct Event {
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
}

/// Everything that has happened so far, as far as the state tells, in the order of telling.
fn events(
    task: &TaskView<AccountId32>,
    timeline: &[TimelineEntry],
    round: Option<&RoundView<AccountId32>>,
) -> Vec<Event> {
    let event = |what: String, who: Option<&AccountId32>| Event {
        what,
        who: who.map(|who| who.to_ss58check()),
    };
    let mut all = Vec::new();
    for entry in timeline {
        let round = match entry.phase {
            Phase::PanelDraw | Phase::VoteCommit | Phase::VoteReveal if entry.round > 0 => {
                format!(", round {}", entry.round + 1)
            }
            _ => String::new(),
        };
        all.push(event(
            format!("tick {}: {}{round}", entry.tick, show::phase(entry.phase)),
            None,
        ));
    }
    for submission in &task.submissions {
        let miner = Some(&submission.miner);
        all.push(event("joined".into(), miner));
        if let Some(commitment) = submission.commitment {
            all.push(event(
                format!("committed as number {}", commitment.number + 1),
                miner,
            ));
        }
        if let Some(content) = &submission.content {
            all.push(event(format!("revealed {}", show::content(content)), miner));
        }
        if submission.duplicate {
            all.push(event("found to be a duplicate".into(), miner));
        }
        if let Some(result) = submission.result {
            let verdict = format!("{:?}", result.verdict).to_lowercase();
            let (quality, innovation) = (result.quality, result.innovation);
            let judged = format!("judged: quality {quality}, innovation {innovation}, {verdict}");
            all.push(event(judged, miner));
        }
    }
    let number = task.summary.round + 1;
    for member in round.iter().flat_map(|round| &round.members) {
        let who = Some(&member.who);
        all.push(event(format!("sits on the panel of round {number}"), who));
        if member.committed {
            all.push(event(format!("voted in round {number}"), who));
        }
        if let Some(vote) = &member.vote {
            let scores: Vec<_> = vote.iter().map(|score| score.quality.to_string()).collect();
            let scores = scores.join(", ");
            all.push(event(
                format!("revealed its vote of round {number}: {scores}"),
                who,
            ));
        }
    }
    if let Some(challenge) = &task.challenge {
        let who = Some(&challenge.challenger);
        all.push(event("challenged the result".into(), who));
        if let Some(upheld) = challenge.upheld {
            let outcome = if upheld { "upheld" } else { "rejected" };
            all.push(event(format!("challenge {outcome}"), who));
        }
    }
    all
}

/// Follows a task. Fails when it closes without a settlement.
pub async fn watch(
    global: &Global,
    output: Output,
    task: TaskId,
    limit: Option<u64>,
) -> Result<()> {
    let follow = follow(global, output, task);
    let Some(seconds) = limit else {
        return follow.await;
    };
    let limited = tokio::time::timeout(Duration::from_secs(seconds), follow).await;
    limited.unwrap_or_else(|_| Err(Error::TimedOut(format!("task {task} is not closed yet"))))
}

async fn follow(global: &Global, output: Output, task: TaskId) -> Result<()> {
    let connection = global.connect().await?;
    let mut told = BTreeSet::new();
    let mut blocks = connection.best_blocks().await?;
    let mut seen = false;
    loop {
        let at = connection.best().await?;
        let view = at.task(task).await?;
        // A reorganisation can take a young task away for a moment.
        if view.is_none() && !seen {
            return Err(unknown(task));
        }
        if let Some(view) = view {
            seen = true;
            tell(&at, &view, output, &mut told).await?;
            if matches!(view.summary.phase, Phase::Closed(_)) {
                if let Some(closure) = finally(&connection, task).await? {
                    return conclude(task, closure, output);
                }
            }
        }
        match blocks.next().await {
            Some(block) => block?,
            None => return Err(Error::Failed("the node ended the subscription".into())),
        };
    }
}

async fn tell(
    at: &At,
    view: &TaskView<AccountId32>,
    output: Output,
    told: &mut BTreeSet<Event>,
) -> Result<()> {
    let id = view.summary.id;
    let timeline = at.timeline(id).await?;
    let round = at.round(id, view.summary.round).await?;
    for event in events(view, &timeline, round.as_ref()) {
        if told.insert(event.clone()) {
            let block = at.number();
            let value = serde_json::json!({"block": block, "task": id, "event": event});
            output.show(&value, || {
                let who = event
                    .who
                    .as_deref()
                    .map(|who| format!("{who} "))
                    .unwrap_or_default();
                format!("block {block}: {who}{}", event.what)
            });
        }
    }
    Ok(())
}

/// How the task ended, when that is final.
async fn finally(connection: &Connection, task: TaskId) -> Result<Option<Closure>> {
    let view = connection.finalised().await?.task(task).await?;
    Ok(view.and_then(|view| match view.summary.phase {
        Phase::Closed(closure) => Some(closure),
        _ => None,
    }))
}

fn conclude(task: TaskId, closure: Closure, output: Output) -> Result<()> {
    let value = serde_json::json!({"task": task, "closure": closure, "finalised": true});
    let text = show::phase(Phase::Closed(closure));
    output.show(&value, || format!("{text}, finally"));
    match closure {
        Closure::Settled | Closure::Cancelled => Ok(()),
        Closure::Expired | Closure::Unresolved => {
            Err(Error::Failed(format!("task {task} ended {text}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::fake;
    use tos_primitives::ContentRef;

    #[test]
    fn what_happens_is_told_once_and_in_order() {
        let mut task = fake::task_view(1);
        let entry = |phase, round| TimelineEntry {
            phase,
            round,
            tick: 7,
            block: 9,
        };
        let before = events(&task, &[entry(Phase::Open, 0)], None);
        assert_eq!(before.len(), 1);
        fake::reveal(
            &mut task,
            3,
            ContentRef::inline(b"an honest answer").unwrap(),
        );
        let timeline = [entry(Phase::Open, 0), entry(Phase::VoteCommit, 1)];
        let after = events(&task, &timeline, None);
        assert_eq!(after[0], before[0]);
        assert_eq!(after[1].what, "tick 7: voting, round 2");
        assert_eq!(after[2].what, "joined");
        assert!(after[3].what.starts_with("revealed 0x"));
        let told: BTreeSet<_> = before.into_iter().chain(after).collect();
        assert_eq!(told.len(), 4);
    }

    #[test]
    fn only_a_good_end_is_a_success() {
        let (id, output) = (TaskId([1; 16]), Output { json: true });
        assert!(conclude(id, Closure::Settled, output).is_ok());
        assert_eq!(
            conclude(id, Closure::Expired, output)
                .err()
                .unwrap()
                .exit_code(),
            1
        );
    }
}
