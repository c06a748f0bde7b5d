// SPDX-License-Identifier: Apache-2.0

//! Workers against a chain in memory: whole lives, with a kill at every point.

use super::{
    fake::{self, FakeChain, ME},
    jobs::{JobContext, Program},
    step, JudgeOptions, JudgeWorker, Miner, MinerOptions, Role, StepReport, Stepped, Submit, Tools,
};
use crate::commitments::CommitmentStore;
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::path::Path;
use tos_sdk::{
    chain::{meet, Call, Guard, Sight},
    error::Result,
};
use tos_types::{AnswerScore, ContentRef, TaskType, Verdict};
use tos_views::TaskView;

/// Says something else every time it is asked, so that asking twice shows.
const SOLVER: &str = r#"cat >/dev/null; echo "{\"answer\": \"an answer made at $(date +%s%N)\"}""#;
const JUDGE: &str = r#"cat >/dev/null; n=$(date +%N | tail -c 2)
    echo "{\"scores\": [{\"quality\": 8$n, \"innovation\": 50, \"verdict\": \"valid\"}]}""#;

pub(super) fn miner(
    folder: &Path,
    workshop: &JobContext,
    options: impl FnOnce(&mut MinerOptions),
) -> Miner {
    let journal = CommitmentStore::open(&folder.join("journal.redb")).unwrap();
    miner_with(journal, workshop, options)
}

fn miner_with(
    journal: CommitmentStore,
    workshop: &JobContext,
    options: impl FnOnce(&mut MinerOptions),
) -> Miner {
    let mut all = fake::miner_options(Program::Command(SOLVER.into()));
    options(&mut all);
    Miner::new(all, journal, workshop.clone())
}

pub(super) fn judge(folder: &Path, workshop: &JobContext, judge: &str) -> JudgeWorker {
    judge_with(folder, workshop, judge, Tools::default())
}

pub(super) fn judge_options(judge: &str, tools: Tools) -> JudgeOptions {
    JudgeOptions {
        account: ME,
        judge: judge.into(),
        tools,
        concurrency: 2,
        attempts: 2,
        claim: true,
        reporter: Default::default(),
    }
}

fn judge_with(folder: &Path, workshop: &JobContext, judge: &str, tools: Tools) -> JudgeWorker {
    judge_of(folder, workshop, judge_options(judge, tools))
}

pub(super) fn judge_of(folder: &Path, workshop: &JobContext, options: JudgeOptions) -> JudgeWorker {
    let journal = CommitmentStore::open(&folder.join("journal.redb")).unwrap();
    JudgeWorker::new(options, journal, workshop.clone())
}

/// Lets a worker work until everything it took on is over. `Err` when it was killed.
pub(super) async fn live(chain: &FakeChain, role: &mut impl Role<FakeChain>) -> Result<StepReport> {
    for _ in 0..300 {
        chain.advance();
        let progress = role.step(chain).await?;
        if progress.jobs > 0 {
            chain.touch()?;
            role.finish_job().await?;
            chain.touch()?;
        }
        let idle = progress.jobs == 0 && progress.sent == 0 && progress.open == 0;
        if idle && chain.is_over() {
            return Ok(progress);
        }
    }
    panic!(
        "never over; sent {:?}, refused {:?}",
        chain.accepted(),
        chain.refused()
    );
}

pub(super) fn count(calls: &[Call], name: &str) -> usize {
    calls.iter().filter(|call| call.name().1 == name).count()
}

#[tokio::test]
async fn a_miner_earns_on_every_open_task() {
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(vec![fake::task_view(1), fake::task_view(2)], false);
    let mut miner = miner(folder.path(), &workshop, |_| {});
    let progress = live(&chain, &mut miner).await.unwrap();
    assert_eq!(progress.handled, 2);
    let calls = chain.accepted();
    for (name, times) in [("join", 2), ("commit", 2), ("reveal", 2), ("claim_all", 1)] {
        assert_eq!(count(&calls, name), times, "{name}");
    }
    assert!(chain.refused().is_empty());
}

/// Kills a worker at each point where it touches the chain, one after the other, and starts it
/// again. Calls with these names are made once each, and none is refused.
async fn kill_anywhere<R: Role<FakeChain>>(
    chain: impl Fn() -> FakeChain,
    start: impl Fn(&Path, &JobContext) -> R,
    names: &[&str],
) {
    let mut kills = 0;
    loop {
        let (folder, workshop) = fake::workshop();
        let chain = chain().kill_at(kills + 1);
        loop {
            let mut worker = start(folder.path(), &workshop);
            if live(&chain, &mut worker).await.is_ok() {
                break;
            }
        }
        let (calls, refused) = (chain.accepted(), chain.refused());
        for name in names {
            let times = count(&calls, name);
            assert_eq!(times, 1, "{name} after kill {kills}: {calls:?}");
        }
        assert!(refused.is_empty(), "kill {kills}: {refused:?}");
        if !chain.has_killed() {
            break;
        }
        kills += 1;
    }
    // Each block, each transaction before and after, each answer before and after.
    assert!(kills > 60, "{kills}");
}

#[tokio::test]
async fn a_miner_killed_anywhere_neither_commits_twice_nor_loses_a_salt() {
    // The chain accepts a reveal only when it opens the commitment.
    kill_anywhere(
        || FakeChain::new(vec![fake::task_view(1)], false),
        |folder, workshop| miner(folder, workshop, |_| {}),
        &["join", "commit", "reveal", "claim_all"],
    )
    .await;
}

pub(super) fn judged_task() -> TaskView<AccountId32> {
    let mut task = fake::task_view(1);
    fake::reveal(
        &mut task,
        7,
        ContentRef::inline(b"another's answer").unwrap(),
    );
    task
}

#[tokio::test]
async fn a_judge_killed_anywhere_votes_once_and_can_reveal() {
    kill_anywhere(
        || FakeChain::new(vec![judged_task()], true),
        |folder, workshop| judge(folder, workshop, JUDGE),
        &["commit_vote", "reveal_vote"],
    )
    .await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_fetched_is_voted_unavailable() {
    let (folder, workshop) = fake::workshop();
    let mut task = judged_task();
    let nowhere = b"http://127.0.0.1:9/blake3/".to_vec();
    let mut content = ContentRef::located(b"an answer nobody serves", b"x").unwrap();
    let name = tos_types::json::to_hex(&content.hash);
    let locator = [nowhere, name.trim_start_matches("0x").as_bytes().to_vec()].concat();
    content.locator = locator.try_into().unwrap();
    task.submissions[0].content = Some(content);
    let chain = FakeChain::new(vec![task], true);
    let mut judge = judge(folder.path(), &workshop, JUDGE);
    live(&chain, &mut judge).await.unwrap();
    let vote = chain.accepted().into_iter().find_map(|call| match call {
        Call::RevealVote { scores, .. } => Some(scores.into_inner()),
        _ => None,
    });
    let unavailable = AnswerScore {
        quality: 0,
        innovation: 0,
        verdict: Verdict::Unavailable,
    };
    assert_eq!(vote.unwrap(), [unavailable]);
}

#[tokio::test]
async fn a_failing_solver_or_judge_is_tried_again_and_then_left() {
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(vec![fake::task_view(1)], false);
    let tries = folder.path().join("tries");
    let command = format!("echo x >> {}; exit 1", tries.display());
    let options = |all: &mut MinerOptions| all.solver = Program::Command(command);
    let mut miner = miner(folder.path(), &workshop, options);
    live(&chain, &mut miner).await.unwrap();
    assert_eq!(std::fs::read_to_string(&tries).unwrap(), "x\nx\n");
    assert_eq!(count(&chain.accepted(), "commit"), 0);

    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(vec![judged_task()], true);
    let mut judge = judge(folder.path(), &workshop, "exit 1");
    live(&chain, &mut judge).await.unwrap();
    assert_eq!(count(&chain.accepted(), "commit_vote"), 0);
}

#[tokio::test]
async fn a_miner_takes_no_more_and_nothing_else_than_it_was_told_to() {
    let tasks = || (1..=5).map(fake::task_view).collect::<Vec<_>>();
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(tasks(), false);
    let mut one = miner(folder.path(), &workshop, |all| all.max_tasks = Some(1));
    live(&chain, &mut one).await.unwrap();
    assert_eq!(count(&chain.accepted(), "join"), 1);

    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(tasks(), false);
    let mut other = miner(folder.path(), &workshop, |all| {
        all.types = vec![TaskType::CodeAnalysis]
    });
    chain.advance();
    other.step(&chain).await.unwrap();
    assert!(chain.accepted().is_empty());

    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(tasks(), false);
    let mut two = miner(folder.path(), &workshop, |all| all.concurrency = 2);
    for _ in 0..6 {
        chain.advance();
        if Role::<FakeChain>::step(&mut two, &chain)
            .await
            .unwrap()
            .jobs
            > 0
        {
            Role::<FakeChain>::finish_job(&mut two).await.unwrap();
        }
    }
    assert_eq!(count(&chain.accepted(), "join"), 2);

    // Too late to be in time.
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(tasks(), false);
    let mut late = miner(folder.path(), &workshop, |all| all.headroom = 1_000);
    chain.advance();
    late.step(&chain).await.unwrap();
    assert!(chain.accepted().is_empty());
}

#[tokio::test]
async fn a_commitment_made_elsewhere_is_left_alone() {
    let (folder, workshop) = fake::workshop();
    let (chain, id) = FakeChain::one_task();
    for call in [
        Call::Join { task: id },
        Call::Commit {
            task: id,
            commitment: [9; 32],
        },
    ] {
        chain.submit(&[call]).await.unwrap();
    }
    let mut miner = miner(folder.path(), &workshop, |_| {});
    live(&chain, &mut miner).await.unwrap();
    assert_eq!(count(&chain.accepted(), "reveal"), 0);
    assert!(chain.refused().is_empty());
}

/// Reports something else every time it is run, so that running it twice shows.
const TOOL: &str =
    "#!/bin/sh\ncat >/dev/null; echo \"{\\\"failed\\\": [0], \\\"at\\\": $(date +%s%N)}\"\n";

fn tool(folder: &Path) -> (Tools, [u8; 32]) {
    let file = folder.join("tool");
    std::fs::write(&file, TOOL).unwrap();
    let tools = Tools::adopt(&[file], &folder.join("tools")).unwrap();
    (tools, tos_types::content::content_hash(TOOL.as_bytes()))
}

#[tokio::test]
async fn an_automatic_member_killed_anywhere_reveals_the_report_it_committed_to() {
    let mut kills = 0;
    loop {
        let (folder, workshop) = fake::workshop();
        let (tools, hash) = tool(folder.path());
        let mut task = fake::task_view(1);
        fake::reveal(
            &mut task,
            7,
            ContentRef::inline(b"the answer of seven").unwrap(),
        );
        let chain = FakeChain::new(vec![task], true)
            .with_tool(hash)
            .kill_at(kills + 1);
        loop {
            let mut judge = judge_with(folder.path(), &workshop, JUDGE, tools.clone());
            if live(&chain, &mut judge).await.is_ok() {
                break;
            }
        }
        // The chain accepts a reveal only when it opens the commitment, report included.
        let calls = chain.accepted();
        assert_eq!(count(&calls, "reveal_vote"), 1, "kill {kills}: {calls:?}");
        let report = chain.reports()[0].unwrap();
        assert_eq!(report.failed, 1);
        assert!(chain.refused().is_empty(), "kill {kills}");
        if !chain.has_killed() {
            return;
        }
        kills += 1;
    }
}

#[tokio::test]
async fn without_the_pinned_tool_or_when_it_fails_a_judge_votes_without_a_report() {
    for (script, known) in [
        ("#!/bin/sh\nexit 1\n", true),
        ("#!/bin/sh\necho no\n", true),
        ("", false),
    ] {
        let (folder, workshop) = fake::workshop();
        let file = folder.path().join("tool");
        std::fs::write(&file, script).unwrap();
        let files = if known { vec![file] } else { Vec::new() };
        let tools = Tools::adopt(&files, &folder.path().join("tools")).unwrap();
        let hash = tos_types::content::content_hash(script.as_bytes());
        let mut task = fake::task_view(1);
        fake::reveal(
            &mut task,
            7,
            ContentRef::inline(b"the answer of seven").unwrap(),
        );
        let chain = FakeChain::new(vec![task], true).with_tool(hash);
        let mut judge = judge_with(folder.path(), &workshop, JUDGE, tools);
        live(&chain, &mut judge).await.unwrap();
        assert_eq!(count(&chain.accepted(), "reveal_vote"), 1);
        assert_eq!(chain.reports(), [None]);
    }
}

#[tokio::test]
async fn a_control_author_killed_anywhere_tells_the_quality_it_hid_in_its_salt() {
    const CONTROL: &str =
        r#"cat >/dev/null; echo '{"answer": "a control answer", "control_quality": 35}'"#;
    let mut kills = 0;
    loop {
        let (folder, workshop) = fake::workshop();
        let chain = FakeChain::new(vec![fake::task_view(1)], false).kill_at(kills + 1);
        loop {
            let control =
                |options: &mut MinerOptions| options.solver = Program::Command(CONTROL.into());
            let mut miner = miner(folder.path(), &workshop, control);
            if live(&chain, &mut miner).await.is_ok() {
                break;
            }
        }
        // The chain accepts the key only when it opens the salt of the answer.
        let calls = chain.accepted();
        assert_eq!(
            count(&calls, "reveal_control"),
            1,
            "kill {kills}: {calls:?}"
        );
        // Between the block and the note of it a crash costs one refused call, and no more.
        assert!(
            chain.refused().len() <= 1,
            "kill {kills}: {:?}",
            chain.refused()
        );
        if !chain.has_killed() {
            assert!(chain.refused().is_empty());
            return;
        }
        kills += 1;
    }
}

/// Guard of a worker whose journal lies in `folder`, and the journal.
async fn guard(chain: &FakeChain, folder: &Path) -> Guard<CommitmentStore> {
    let base = folder.join("journal.redb");
    meet(chain, &base).await.unwrap().unwrap()
}

/// Two chains started from one specification: their first tasks have the same identifier.
fn chains_of_one_specification() -> [FakeChain; 2] {
    [1, 2].map(|tag| {
        let (mut chain, _) = FakeChain::one_task();
        chain.tag = tag;
        chain
    })
}

#[tokio::test]
async fn on_a_new_chain_with_the_same_tasks_a_miner_begins_anew_and_keeps_the_old_journal() {
    let (folder, workshop) = fake::workshop();
    let [old, new] = chains_of_one_specification();
    for (chain, answers) in [(&old, 1), (&new, 1), (&old, 1)] {
        for _ in 0..5 {
            chain.advance();
        }
        let mut guard = guard(chain, folder.path()).await;
        let journal = guard.memory().clone();
        let mut miner = miner_with(journal, &workshop, |_| {});
        assert_eq!(guard.check(chain).await.unwrap(), Sight::Current);
        if count(&chain.accepted(), "reveal") == 0 {
            live(chain, &mut miner).await.unwrap();
        }
        assert_eq!(count(&chain.accepted(), "reveal"), answers);
        assert!(chain.refused().is_empty(), "{:?}", chain.refused());
    }
    // Neither said on one what it had said on the other.
    let answer = |chain: &FakeChain| {
        let calls = chain.accepted();
        calls.into_iter().find_map(|call| match call {
            Call::Reveal { content, .. } => Some(content),
            _ => None,
        })
    };
    assert_ne!(answer(&old).unwrap(), answer(&new).unwrap());
}

#[tokio::test]
async fn a_miner_notices_a_new_chain_while_it_runs_and_does_nothing_there_with_its_journal() {
    let (folder, workshop) = fake::workshop();
    let [old, new] = chains_of_one_specification();
    for _ in 0..8 {
        old.advance();
    }
    let mut guard = guard(&old, folder.path()).await;
    let mut miner = miner_with(guard.memory().clone(), &workshop, |_| {});
    let stepped = step(&mut guard, &mut miner, &old).await.unwrap();
    assert!(matches!(stepped, Stepped::Did(progress) if progress.sent == 1));
    // The node is gone, and comes back on another chain, at first without a final block.
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(step(&mut guard, &mut miner, &new).await.unwrap());
        new.advance();
    }
    assert!(seen.iter().any(|s| matches!(s, Stepped::Old(_))));
    assert!(matches!(seen.last(), Some(Stepped::OtherChain)));
    assert!(new.accepted().is_empty() && new.refused().is_empty());
}

#[tokio::test]
async fn a_judge_does_nothing_on_a_view_older_than_one_it_has_seen() {
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(vec![judged_task()], true);
    for _ in 0..50 {
        chain.advance();
    }
    let mut first = guard(&chain, folder.path()).await;
    assert_eq!(first.check(&chain).await.unwrap(), Sight::Current);
    drop(first);
    let behind = chain.behind(48);
    let mut again = guard(&behind, folder.path()).await;
    let mut judge = JudgeWorker::new(
        judge_options(JUDGE, Tools::default()),
        again.memory().clone(),
        workshop,
    );
    let stepped = step(&mut again, &mut judge, &behind).await.unwrap();
    assert!(matches!(stepped, Stepped::Old(_)));
    chain.advance();
    let stepped = step(&mut again, &mut judge, &chain).await.unwrap();
    assert!(matches!(stepped, Stepped::Did(progress) if progress.jobs == 1));
}

#[tokio::test]
async fn a_task_that_a_reorganisation_takes_away_is_not_forgotten() {
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(Vec::new(), false);
    for _ in 0..5 {
        chain.advance();
    }
    let mut miner = miner(folder.path(), &workshop, |_| {});
    chain.publish(fake::task_view(1));
    miner.step(&chain).await.unwrap();
    assert_eq!(count(&chain.accepted(), "join"), 1);
    // The block of its publication and that of the join are on a fork that is left.
    chain.undo(2);
    let progress = miner.step(&chain).await.unwrap();
    assert_eq!((progress.sent, progress.open), (0, 0));
    chain.publish(fake::task_view(1));
    live(&chain, &mut miner).await.unwrap();
    let calls = chain.accepted();
    for (name, times) in [("join", 2), ("commit", 1), ("reveal", 1)] {
        assert_eq!(count(&calls, name), times, "{name}");
    }
    assert!(chain.refused().is_empty());
}

/// Makes a journal's disk full from the first finished job on, for some blocks. Then there is room.
async fn with_a_full_disk(
    chain: &FakeChain,
    full: &std::sync::atomic::AtomicBool,
    role: &mut impl Role<FakeChain>,
) {
    use std::sync::atomic::Ordering::SeqCst;
    loop {
        chain.advance();
        let progress = role.step(chain).await.unwrap();
        if progress.jobs > 0 {
            break;
        }
    }
    full.store(true, SeqCst);
    role.finish_job().await.unwrap();
    let sent = chain.accepted().len();
    // An error is no reason to stop: the worker is asked again with the next block.
    let _ = role.step(chain).await;
    let _ = role.step(chain).await;
    assert_eq!(chain.accepted().len(), sent);
    full.store(false, SeqCst);
}

#[tokio::test]
async fn an_answer_and_a_vote_outlive_a_full_disk() {
    let full = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (folder, workshop) = fake::workshop();
    let asked = folder.path().join("asked");
    let solver = format!("echo x >> {}; {SOLVER}", asked.display());
    let chain = FakeChain::new(vec![fake::task_view(1)], false);
    let journal = folder.path().join("miner.redb");
    let journal = CommitmentStore::open_faulty(&journal, full.clone()).unwrap();
    let mut miner = miner_with(journal, &workshop, |options| {
        options.solver = Program::Command(solver);
    });
    with_a_full_disk(&chain, &full, &mut miner).await;
    live(&chain, &mut miner).await.unwrap();
    let calls = chain.accepted();
    for name in ["join", "commit", "reveal"] {
        assert_eq!(count(&calls, name), 1, "{name}");
    }
    // It was paid for once.
    assert_eq!(std::fs::read_to_string(&asked).unwrap(), "x\n");

    std::fs::remove_file(&asked).unwrap();
    let judge = format!("echo x >> {}; {JUDGE}", asked.display());
    let chain = FakeChain::new(vec![judged_task()], true);
    let journal = folder.path().join("judge.redb");
    let journal = CommitmentStore::open_faulty(&journal, full.clone()).unwrap();
    let options = judge_options(&judge, Tools::default());
    let mut judge = JudgeWorker::new(options, journal, workshop.clone());
    with_a_full_disk(&chain, &full, &mut judge).await;
    live(&chain, &mut judge).await.unwrap();
    let calls = chain.accepted();
    for name in ["commit_vote", "reveal_vote"] {
        assert_eq!(count(&calls, name), 1, "{name}");
    }
    assert_eq!(std::fs::read_to_string(&asked).unwrap(), "x\n");
}
