// SPDX-License-Identifier: Apache-2.0

//! Things of the chain as text.

use super::clock::Clock;
use crate::output::table;
use polkadot_sdk::sp_core::crypto::AccountId32;
use tos_sdk::task_type::type_name;
use tos_sdk::{amount, clean, error::Error};
use tos_types::{json::to_hex, Closure, ContentRef, Phase, TaskId};
use tos_views::{JudgeStatus, JudgeView, MinerView, ReputationView, StandingView, TaskSummary};

/// The error for a task the chain does not have.
pub fn unknown(task: TaskId) -> Error {
    Error::refused(format!("there is no task {task}, or it is pruned"))
}

/// A phase in words.
pub fn phase(phase: Phase) -> String {
    match phase {
        Phase::Open => "open".into(),
        Phase::AnswerReveal => "revealing answers".into(),
        Phase::PanelDraw => "drawing a panel".into(),
        Phase::VoteCommit => "voting".into(),
        Phase::VoteReveal => "revealing votes".into(),
        Phase::Challenge => "open to challenge".into(),
        Phase::Closed(closure) => match closure {
            Closure::Settled => "settled".into(),
            Closure::Cancelled => "cancelled".into(),
            Closure::Expired => "expired".into(),
            Closure::Unresolved => "unresolved".into(),
        },
    }
}

/// A number of things: `1 miner`, `2 miners`.
pub fn count(number: impl Into<u64>, what: &str) -> String {
    let number = number.into();
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Basis points as per cent, exactly.
pub fn percent(bp: u16) -> String {
    format!("{}.{:02} %", bp / 100, bp % 100)
}

/// Tasks, one per line.
pub(super) fn tasks(tasks: &[TaskSummary<AccountId32>], clock: Clock) -> String {
    let row = |task: &TaskSummary<AccountId32>| {
        vec![
            task.id.to_string(),
            type_name(task.task_type),
            format!("{:?}", task.difficulty).to_lowercase(),
            amount::format(task.reward),
            format!("{}/{}", task.joined, task.max_participants),
            phase(task.phase),
            match task.phase {
                // Nothing more happens to it.
                Phase::Closed(_) => String::new(),
                _ => match clock.until(task.deadline) {
                    Some(time) => format!("{} (in {time})", task.deadline),
                    None => task.deadline.to_string(),
                },
            },
        ]
    };
    let headings = [
        "TASK",
        "TYPE",
        "DIFFICULTY",
        "REWARD",
        "PLACES",
        "PHASE",
        "UNTIL TICK",
    ];
    table(&headings, &tasks.iter().map(row).collect::<Vec<_>>())
}

/// A reference to content.
pub fn content(content: &ContentRef) -> String {
    let place = if content.inline.is_empty() {
        clean::line(&String::from_utf8_lossy(&content.locator)).into_owned()
    } else {
        "on chain".into()
    };
    format!(
        "{} ({} bytes, {place})",
        to_hex(&content.hash),
        content.size
    )
}

/// A miner.
pub(super) fn miner(miner: &MinerView, clock: Clock) -> String {
    let types: Vec<_> = miner
        .specialisations
        .iter()
        .map(|t| type_name(*t))
        .collect();
    let mut lines = vec![
        format!("types          {}", types.join(", ")),
        format!("stake          {}", amount::format(miner.stake)),
        format!("open tasks     {}", miner.open_tasks),
        format!("completed      {}", miner.completed),
        format!("failed         {}", miner.failed),
        format!(
            "activity       {:?}, {} days idle",
            miner.activity, miner.idle_days
        )
        .to_lowercase(),
        format!("certification  {:?}", miner.certification).to_lowercase(),
        format!("level          {:?}", miner.level).to_lowercase(),
        format!(
            "success        {} of the last tasks",
            percent(miner.success)
        ),
        format!("endorsements   {}", miner.endorsements),
    ];
    if let Some(day) = miner.probation_until {
        lines.push(format!(
            "probation      for the next level, until day {day}"
        ));
    }
    if let Some(day) = miner.grace_until {
        lines.push(format!("in danger      the level is lost on day {day}"));
    }
    if let Some(tick) = miner.suspended_until {
        lines.push(format!("suspended      until {}", clock.begins(tick)));
    }
    if let Some(tick) = miner.withdrawable_at {
        lines.push(format!(
            "leaving        stake free from {}",
            clock.begins(tick)
        ));
    }
    lines.join("\n")
}

/// A judge.
pub(super) fn judge(judge: &JudgeView, clock: Clock) -> String {
    let types: Vec<_> = judge.types.iter().map(|t| type_name(*t)).collect();
    let (stake, required) = (judge.stake, judge.required);
    let mut lines = vec![
        format!("types     {}", types.join(", ")),
        format!(
            "stake     {} of {}",
            amount::format(stake),
            amount::format(required)
        ),
        format!("accuracy  {}", percent(judge.accuracy)),
        format!(
            "control   {} on {} tasks with control answers",
            percent(judge.known),
            judge.checks
        ),
        format!("panels    {}", judge.panels),
        match judge.status {
            JudgeStatus::Active => "status    active".into(),
            JudgeStatus::Understaked => "status    understaked".into(),
            JudgeStatus::Leaving { release_at } => format!(
                "status    leaving; stake free from {}",
                clock.begins(release_at)
            ),
        },
    ];
    if let Some(tick) = judge.suspended_until {
        lines.push(format!("suspended until {}", clock.begins(tick)));
    }
    lines.join("\n")
}

/// A reputation, in points as everywhere.
pub fn reputation(reputation: &ReputationView) -> String {
    let row = |name: String, standing: &StandingView| {
        vec![
            name,
            standing.score.to_string(),
            standing.earned.to_string(),
            standing.settled.to_string(),
            standing.gain_left.to_string(),
        ]
    };
    let domains = reputation
        .domains
        .iter()
        .map(|(t, standing)| row(type_name(*t), standing));
    let rows: Vec<_> = std::iter::once(row("all types".into(), &reputation.global))
        .chain(domains)
        .collect();
    let headings = [
        "REPUTATION (POINTS OF 10,000)",
        "NOW",
        "EARNED",
        "SETTLED",
        "GAIN LEFT TODAY",
    ];
    table(&headings, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_sdk::testing::{
        assert_contains,
        views::{judge_view, task_view},
    };

    #[test]
    fn a_judge_that_leaves_is_told_when_its_stake_is_free() {
        let mut view = judge_view(JudgeStatus::Leaving { release_at: 1_825 });
        view.suspended_until = Some(85);
        let clock = Clock {
            tick: 25,
            milliseconds: 2_000,
        };
        let text = judge(&view, clock);
        let parts = [
            "leaving; stake free from tick 1825, in about 60 min",
            "suspended until tick 85, in about 2 min",
        ];
        assert_contains(&text, &parts);
        view.status = JudgeStatus::Active;
        assert!(judge(&view, clock).contains("status    active"));
    }

    #[test]
    fn tasks_are_listed_with_the_time_that_is_left() {
        let task = task_view(1).summary;
        let clock = Clock {
            tick: 21,
            milliseconds: 2_000,
        };
        let text = tasks(&[task], clock);
        assert!(text.contains("30 (in 20 s)"), "{text}");
    }

    #[test]
    fn a_reputation_and_what_it_can_gain_are_in_points() {
        let view = ReputationView {
            global: StandingView {
                score: 1_075,
                earned: 1_250,
                gain_left: 225,
                settled: 3,
            },
            domains: Vec::new(),
        };
        let text = reputation(&view);
        let lines: Vec<_> = text.lines().collect();
        let [headings, row] = lines[..] else {
            panic!("{text}");
        };
        assert!(headings.contains("POINTS OF 10,000"), "{text}");
        let cells: Vec<_> = row.split("  ").map(str::trim).collect();
        let cells: Vec<_> = cells.into_iter().filter(|cell| !cell.is_empty()).collect();
        assert_eq!(cells, ["all types", "1075", "1250", "3", "225"]);
    }

    #[test]
    fn basis_points_read_as_per_cent() {
        assert_eq!(percent(10_000), "100.00 %");
        assert_eq!(percent(7_005), "70.05 %");
        assert_eq!(percent(9), "0.09 %");
    }
}
