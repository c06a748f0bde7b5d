// SPDX-License-Identifier: Apache-2.0

//! The state of a task in words: what has happened, what happens next and by when, how it ended.

use super::{clock::Clock, names::Names, show};
use tos_sdk::{
    amount,
    chain::{At, Connection},
};

use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use serde::Serialize;
use tos_types::{Balance, Closure, Phase, TaskId};
use tos_views::{RoundView, TaskView, TimelineEntry};
use tos_workers::tasks;

/// Something that happened to a task.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    /// The event in words.
    pub what: String,
    /// The account it is about.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "address")]
    pub who: Option<AccountId32>,
}

/// Everything that has happened so far, as far as the state tells, in the order of telling.
pub(super) fn events(
    task: &TaskView<AccountId32>,
    timeline: &[TimelineEntry],
    round: Option<&RoundView<AccountId32>>,
) -> Vec<Event> {
    let event = |what: String, who: Option<&AccountId32>| Event {
        what,
        who: who.cloned(),
    };
    // What belongs to each phase, by its place in a task's life.
    let mut of_phase: [Vec<Event>; 7] = Default::default();
    let [open, reveal, draw, voting, votes, challenged, closed] = &mut of_phase;
    for submission in &task.submissions {
        let miner = Some(&submission.miner);
        open.push(event("joined".into(), miner));
        if let Some(commitment) = submission.commitment {
            let number = commitment.number + 1;
            open.push(event(format!("committed as number {number}"), miner));
        }
        if let Some(content) = &submission.content {
            reveal.push(event(format!("revealed {}", show::content(content)), miner));
        }
        if submission.duplicate {
            draw.push(event("found to be a duplicate".into(), miner));
        }
        if let Some(result) = submission.result {
            let verdict = format!("{:?}", result.verdict).to_lowercase();
            let (quality, innovation) = (result.quality, result.innovation);
            let judged = format!("judged: quality {quality}, innovation {innovation}, {verdict}");
            closed.push(event(judged, miner));
        }
    }
    let number = task.summary.round + 1;
    for member in round.iter().flat_map(|round| &round.members) {
        let who = Some(&member.who);
        draw.push(event(format!("drawn for the panel of round {number}"), who));
        if member.committed {
            voting.push(event(format!("voted in round {number}"), who));
        }
        if let Some(vote) = &member.vote {
            let scores: Vec<_> = vote.iter().map(|score| score.quality.to_string()).collect();
            let scores = scores.join(", ");
            let vote = format!("revealed its vote of round {number}: {scores}");
            votes.push(event(vote, who));
        }
    }
    if let Some(challenge) = &task.challenge {
        let who = Some(&challenge.challenger);
        challenged.push(event("challenged the result".into(), who));
        if let Some(upheld) = challenge.upheld {
            let outcome = if upheld { "upheld" } else { "rejected" };
            closed.push(event(format!("challenge {outcome}"), who));
        }
    }
    // After the last beginning of their phase, so that those of the current round follow it.
    let mut all = Vec::new();
    for (index, entry) in timeline.iter().enumerate() {
        all.push(event(began(entry), None));
        let place = place_of(entry.phase);
        let later = timeline.iter().skip(index).skip(1);
        if !later
            .into_iter()
            .any(|later| place_of(later.phase) == place)
        {
            if let Some(own) = of_phase.get_mut(place) {
                all.append(own);
            }
        }
    }
    all.extend(of_phase.into_iter().flatten());
    all
}

/// The place of a phase in a task's life.
fn place_of(phase: Phase) -> usize {
    match phase {
        Phase::Open => 0,
        Phase::AnswerReveal => 1,
        Phase::PanelDraw => 2,
        Phase::VoteCommit => 3,
        Phase::VoteReveal => 4,
        Phase::Challenge => 5,
        Phase::Closed(_) => 6,
    }
}

/// The beginning of a phase, in words.
pub(super) fn began(entry: &TimelineEntry) -> String {
    let round = match entry.phase {
        Phase::PanelDraw | Phase::VoteCommit | Phase::VoteReveal if entry.round > 0 => {
            format!(", round {}", entry.round + 1)
        }
        _ => String::new(),
    };
    format!("tick {}: {}{round}", entry.tick, show::phase(entry.phase))
}

/// The next step of a task, and the time at which it goes on without it.
pub(super) fn next(
    task: &TaskView<AccountId32>,
    round: Option<&RoundView<AccountId32>>,
    clock: Clock,
) -> String {
    let summary = &task.summary;
    let by = clock.by(summary.deadline);
    let of_panel = |done: fn(&tos_views::MemberView<AccountId32>) -> bool| {
        let members = round.map(|round| round.members.as_slice());
        let members = members.unwrap_or_default();
        let done = members.iter().filter(|member| done(member)).count();
        format!("{done} of {} judges", members.len())
    };
    match summary.phase {
        Phase::Open if summary.joined == 0 => {
            format!("no miner has joined yet; without an answer it expires after {by}")
        }
        Phase::Open => format!(
            "{} of {} places taken, {} committed; takes answers until {by}",
            summary.joined,
            summary.max_participants,
            show::count(summary.committed, "answer")
        ),
        Phase::AnswerReveal => format!(
            "{} of {} answers revealed; the rest until {by}",
            summary.revealed, summary.committed
        ),
        Phase::PanelDraw => format!("waits for a panel until {by}"),
        Phase::VoteCommit => format!(
            "{} have voted; the rest until {by}",
            of_panel(|member| member.committed)
        ),
        Phase::VoteReveal => format!(
            "{} have revealed their votes; the rest until {by}",
            of_panel(|member| member.vote.is_some())
        ),
        Phase::Challenge if task.challenge.is_some() => {
            format!("the challenge is decided; it is settled after {by}")
        }
        Phase::Challenge => format!(
            "its publisher and those whose answers were judged may challenge the result; otherwise \
             it is settled after {by}"
        ),
        Phase::Closed(_) => "closed; waits for the block to be final".into(),
    }
}

/// One answer's part in the end of a task.
#[derive(Serialize, PartialEq, Eq, Debug, Clone)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    #[serde(serialize_with = "ss58")]
    miner: AccountId32,
    /// Paid for the answer, in wei.
    #[serde(with = "tos_types::json::wei")]
    earned: Balance,
    /// Lost of the stake, in wei.
    #[serde(with = "tos_types::json::wei")]
    lost: Balance,
    /// The reason in words.
    why: String,
}

/// The parts of those who joined, the best paid first.
pub(super) fn parts(task: &TaskView<AccountId32>) -> Vec<Part> {
    let part = |answer: &tos_views::SubmissionView<AccountId32>| Part {
        miner: answer.miner.clone(),
        earned: answer.earned,
        lost: answer.lost,
        why: match (answer.earned, answer.result) {
            (1.., Some(result)) => format!(
                "quality {}, innovation {}",
                result.quality, result.innovation
            ),
            (1.., None) => String::new(),
            (0, _) => tasks::why_unpaid(task, answer),
        },
    };
    let mut parts: Vec<_> = task.submissions.iter().map(part).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.earned));
    parts
}

/// Shares of a settled reward, as they went out.
#[derive(Serialize, PartialEq, Eq, Debug, Clone, Copy)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shares {
    /// Of those who answered, in wei.
    #[serde(with = "tos_types::json::wei")]
    miners: Balance,
    /// Of the judges, in wei.
    #[serde(with = "tos_types::json::wei")]
    judges: Balance,
    /// Of the network, in wei.
    #[serde(with = "tos_types::json::wei")]
    network: Balance,
    /// Refund to the publisher of what no answer won, in wei.
    #[serde(with = "tos_types::json::wei")]
    refund: Balance,
}

impl Shares {
    /// The shares of a task's settlement. `None` if it was not settled, or the node does not have
    /// the state of that block any more.
    pub async fn of(connection: &Connection, at: &At, task: TaskId) -> Option<Self> {
        let settled = Phase::Closed(Closure::Settled);
        let timeline = at.timeline(task).await.ok()?;
        let block = timeline.iter().find(|entry| entry.phase == settled)?.block;
        let block = connection.at_number(block.into()).await.ok()?;
        let events = block.events().await.ok()?;
        let mut own = events.iter().filter(|event| {
            event.pallet == "Rewards"
                && event.name == "Settled"
                && event.fields["task"] == task.to_string()
        });
        Self::read(&own.next()?.fields)
    }

    fn read(fields: &serde_json::Value) -> Option<Self> {
        let amount = |name: &str| fields[name].as_str()?.parse().ok();
        Some(Self {
            miners: amount("participants")?,
            judges: amount("judges")?,
            network: amount("network")?,
            refund: amount("refund")?,
        })
    }
}

/// The end of a closed task, a line for each who joined and one for the reward.
pub(super) fn ending(
    task: &TaskView<AccountId32>,
    shares: Option<Shares>,
    names: &Names,
) -> Vec<String> {
    let Phase::Closed(closure) = task.summary.phase else {
        return Vec::new();
    };
    let parts = parts(task);
    let name = |part: &Part| names.of(&part.miner);
    let width = parts.iter().map(|p| name(p).chars().count()).max();
    let width = width.unwrap_or_default();
    let mut lines: Vec<_> = parts
        .iter()
        .map(|part| {
            let paid = match (part.earned, part.lost) {
                (0, 0) => "earned nothing".into(),
                (0, lost) => format!("earned nothing and lost {}", amount::format(lost)),
                (earned, _) => format!("earned {}", amount::format(earned)),
            };
            let why = match part.why.is_empty() {
                true => String::new(),
                false => format!(": {}", part.why),
            };
            format!("{:<width$}  {paid}{why}", name(part))
        })
        .collect();
    let reward = task.summary.reward;
    let publisher = names.of(&task.summary.publisher);
    lines.push(match closure {
        Closure::Settled => match shares {
            Some(shares) => {
                let back = match shares.refund {
                    0 => String::new(),
                    refund => format!(", and {} back to {publisher}", amount::format(refund)),
                };
                format!(
                    "of the reward of {}, {} went to those who answered, {} to the judges, {} to \
                     the network{back}",
                    amount::format(reward),
                    amount::format(shares.miners),
                    amount::format(shares.judges),
                    amount::format(shares.network)
                )
            }
            None => {
                let miners: Balance = parts.iter().map(|part| part.earned).sum();
                format!(
                    "of the reward of {}, {} went to those who answered; the rest to the judges, \
                     the network and, as far as no answer won it, back to {publisher}",
                    amount::format(reward),
                    amount::format(miners)
                )
            }
        },
        Closure::Cancelled => "its publisher withdrew it".into(),
        Closure::Expired | Closure::Unresolved => {
            let why = match closure {
                Closure::Expired => "there was no answer to judge",
                _ => "no panel came to a result",
            };
            format!(
                "{why}: the reward of {} and the stake of {} went back to {publisher}",
                amount::format(reward),
                amount::format(task.publisher_stake)
            )
        }
    });
    lines
}

fn ss58<S: serde::Serializer>(account: &AccountId32, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&account.to_ss58check())
}

fn address<S: serde::Serializer>(account: &Option<AccountId32>, to: S) -> Result<S::Ok, S::Error> {
    account.as_ref().map(Ss58Codec::to_ss58check).serialize(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tos_sdk::testing::views;
    use tos_types::{vote::AnswerResult, ContentRef, Verdict, TOS};
    use tos_views::{ChallengeView, MemberView};

    const CLOCK: Clock = Clock {
        tick: 25,
        milliseconds: 2_000,
    };

    fn entry(phase: Phase, round: u32) -> TimelineEntry {
        TimelineEntry {
            phase,
            round,
            tick: 7,
            block: 9,
        }
    }

    fn answered() -> TaskView<AccountId32> {
        let mut task = views::task_view(1);
        for miner in [3, 4] {
            let answer = ContentRef::inline(b"an honest answer").unwrap();
            views::reveal(&mut task, miner, answer);
        }
        task
    }

    #[test]
    fn what_happens_is_told_once_and_in_order() {
        let mut task = views::task_view(1);
        let before = events(&task, &[entry(Phase::Open, 0)], None);
        assert_eq!(before.len(), 1);
        views::reveal(
            &mut task,
            3,
            ContentRef::inline(b"an honest answer").unwrap(),
        );
        let timeline = [entry(Phase::Open, 0), entry(Phase::VoteCommit, 1)];
        let after = events(&task, &timeline, None);
        assert_eq!(after[0], before[0]);
        // As it happened, also when all of it is told at once.
        assert_eq!(after[1].what, "joined");
        assert_eq!(after[2].what, "tick 7: voting, round 2");
        assert!(after[3].what.starts_with("revealed 0x"));
        let told: BTreeSet<_> = before.into_iter().chain(after).collect();
        assert_eq!(told.len(), 4);
    }

    #[test]
    fn a_task_says_what_it_waits_for_and_until_when() {
        let mut task = views::task_view(1);
        let text = next(&task, None, CLOCK);
        assert!(text.contains("no miner has joined"), "{text}");
        // The end of tick 30, six ticks of two seconds from the beginning of tick 25.
        assert!(
            text.ends_with("expires after tick 30, in about 12 s"),
            "{text}"
        );
        (task.summary.joined, task.summary.committed) = (2, 1);
        let text = next(&task, None, CLOCK);
        assert!(
            text.starts_with("2 of 4 places taken, 1 answer committed"),
            "{text}"
        );
        task.summary.phase = Phase::VoteCommit;
        let member = |committed| MemberView {
            who: views::ME,
            weight: 1,
            automatic: false,
            committed,
            vote: None,
            report: None,
        };
        let round = RoundView {
            members: vec![member(true), member(false), member(false)],
            answers: 1,
            expert: false,
            tally: None,
            report: None,
        };
        let text = next(&task, Some(&round), CLOCK);
        assert!(text.starts_with("1 of 3 judges have voted"), "{text}");
        task.summary.phase = Phase::Challenge;
        let late = Clock { tick: 31, ..CLOCK };
        let text = next(&task, None, late);
        assert!(text.contains("tick 30, which is over"), "{text}");
        assert!(text.starts_with("its publisher and those"), "{text}");
        task.challenge = Some(ChallengeView {
            challenger: views::ME,
            bond: TOS,
            upheld: Some(false),
        });
        assert!(next(&task, None, CLOCK).starts_with("the challenge is decided"));
    }

    #[test]
    fn the_end_names_who_was_paid_and_why_others_were_not() {
        let mut task = answered();
        task.summary.phase = Phase::Closed(Closure::Settled);
        let result = |quality| {
            Some(AnswerResult {
                quality,
                innovation: 5,
                verdict: Verdict::Valid,
            })
        };
        for answer in &mut task.submissions {
            answer.commitment = Some(tos_views::CommitmentView {
                hash: [1; 32],
                tick: 1,
                number: 0,
            });
        }
        task.submissions[0].result = result(20);
        task.submissions[0].lost = TOS / 2;
        task.submissions[1].result = result(90);
        task.submissions[1].earned = 7 * TOS;
        let names = Names::default();
        let lines = ending(&task, None, &names);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].ends_with("earned 7 TOS: quality 90, innovation 5"));
        let lost = "earned nothing and lost 0.5 TOS: quality 20, and 50 was asked for";
        assert!(lines[1].ends_with(lost), "{lines:?}");
        let sums = "of the reward of 10 TOS, 7 TOS went to those who answered; the rest to";
        assert!(lines[2].starts_with(sums), "{lines:?}");
        let event = serde_json::json!({
            "participants": "7000000000000000000", "judges": "1500000000000000000",
            "network": "500000000000000000", "refund": "1000000000000000000",
        });
        let shares = Shares::read(&event);
        let lines = ending(&task, shares, &names);
        let publisher = names.of(&task.summary.publisher);
        let sums = format!(
            "of the reward of 10 TOS, 7 TOS went to those who answered, 1.5 TOS to the judges, 0.5 \
             TOS to the network, and 1 TOS back to {publisher}"
        );
        assert_eq!(lines[2], sums);
        assert_eq!(Shares::read(&serde_json::json!({"network": "1"})), None);
    }

    #[test]
    fn a_task_that_paid_nobody_says_where_the_reward_went() {
        let mut task = views::task_view(1);
        task.summary.phase = Phase::Closed(Closure::Expired);
        let lines = ending(&task, None, &Names::default());
        let back = "the reward of 10 TOS and the stake of 1 TOS went back to 5";
        assert!(lines[0].contains(back), "{lines:?}");
        task.summary.phase = Phase::Open;
        assert_eq!(ending(&task, None, &Names::default()), Vec::<String>::new());
    }
}
