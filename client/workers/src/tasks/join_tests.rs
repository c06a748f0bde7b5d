// SPDX-License-Identifier: Apache-2.0

//! Tests of joining: which tasks, the treatment of a broken solver, and the reports about it.

use super::{
    fake::{self, FakeChain},
    report::{Report, Reporter},
    tests::{count, judge, judge_of, judge_options, judged_task, live, miner},
    Endpoint, MinerOptions, ModelOptions, Program, Role,
};
use std::sync::{Arc, Mutex};
use tos_sdk::{chain::Call, testing::http as mock};
use tos_types::{join_error::JoinError, ContentRef, TOS};
use tos_views::TaskView;

/// A reporter, and what it was told.
fn listening() -> (Reporter, Arc<Mutex<Vec<Report>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let to = told.clone();
    let reporter = Reporter::to(move |report| to.lock().unwrap().push(report.clone()));
    (reporter, told)
}

fn kinds(told: &Mutex<Vec<Report>>) -> Vec<&'static str> {
    told.lock().unwrap().iter().map(Report::kind).collect()
}

/// A step, and the end of a job if there is one.
async fn turn(chain: &FakeChain, role: &mut impl Role<FakeChain>) {
    if role.step(chain).await.unwrap().jobs > 0 {
        role.finish_job().await.unwrap();
    }
}

/// So many blocks, and a turn in each.
async fn turns(chain: &FakeChain, role: &mut impl Role<FakeChain>, blocks: u32) {
    for _ in 0..blocks {
        chain.advance();
        turn(chain, role).await;
    }
}

/// A task whose specification no server has.
fn nowhere(number: u8) -> TaskView<polkadot_sdk::sp_core::crypto::AccountId32> {
    let mut task = fake::task_view(number);
    let mut spec = ContentRef::located(b"what nobody serves", b"x").unwrap();
    let name = tos_types::json::to_hex(&spec.hash);
    let locator = format!(
        "http://127.0.0.1:9/blake3/{}",
        name.trim_start_matches("0x")
    );
    spec.locator = locator.into_bytes().try_into().unwrap();
    task.spec = spec;
    task
}

#[tokio::test]
async fn a_broken_solver_joins_one_task_and_stops() {
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new((1..=9).map(fake::task_view).collect(), false);
    let (reporter, told) = listening();
    let mut miner = miner(folder.path(), &workshop, |all: &mut MinerOptions| {
        all.solver = Program::Command("exit 1".into());
        all.concurrency = 9;
        all.reporter = reporter;
    });
    // Before the first failure, and while the pause lasts.
    turns(&chain, &mut miner, 4).await;
    assert_eq!(count(&chain.accepted(), "join"), 1);
    assert_eq!(kinds(&told), ["joined", "solverBroken"]);
}

#[tokio::test]
async fn a_solver_that_comes_back_is_noticed_and_the_joined_task_is_saved() {
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new((1..=3).map(fake::task_view).collect(), false);
    let up = folder.path().join("up");
    let (reporter, told) = listening();
    let command = format!(
        r#"cat >/dev/null; test -e {} || exit 1; echo '{{"answer": "an answer that is long enough"}}'"#,
        up.display()
    );
    let mut miner = miner(folder.path(), &workshop, |all: &mut MinerOptions| {
        all.solver = Program::Command(command);
        all.reporter = reporter;
    });
    turns(&chain, &mut miner, 4).await;
    std::fs::write(&up, "").unwrap();
    live(&chain, &mut miner).await.unwrap();
    let calls = chain.accepted();
    for name in ["join", "commit", "reveal"] {
        assert_eq!(count(&calls, name), 3, "{name}");
    }
    let kinds = kinds(&told);
    assert_eq!(
        kinds.iter().filter(|kind| **kind == "solverWell").count(),
        1
    );
    assert_eq!(kinds.iter().filter(|kind| **kind == "won").count(), 3);
    let told = told.lock().unwrap();
    let earned = told.iter().filter_map(|report| match report {
        Report::Earned { amount, .. } => Some(*amount),
        _ => None,
    });
    assert_eq!(earned.sum::<u128>(), 3 * TOS);
}

#[tokio::test]
async fn a_task_whose_specification_cannot_be_fetched_is_not_joined() {
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(vec![nowhere(1), fake::task_view(2)], false);
    let mut miner = miner(folder.path(), &workshop, |_| {});
    live(&chain, &mut miner).await.unwrap();
    let joined: Vec<_> = chain
        .accepted()
        .into_iter()
        .filter_map(|call| match call {
            Call::Join { task } => Some(task),
            _ => None,
        })
        .collect();
    assert_eq!(joined, [fake::task_view(2).summary.id]);
}

#[tokio::test]
async fn a_task_that_leaves_the_solver_too_little_time_is_not_joined() {
    let (folder, mut workshop) = fake::workshop();
    // A quarter of 30 ticks of 2 s is asked for, and no more than that.
    workshop.limits.time = std::time::Duration::from_secs(600);
    for (ticks, joins) in [(20, 1), (24, 0)] {
        let chain = FakeChain::new(vec![fake::task_view(1)], false);
        let folder = folder.path().join(ticks.to_string());
        std::fs::create_dir(&folder).unwrap();
        let mut miner = miner(&folder, &workshop, |_| {});
        for _ in 0..ticks {
            chain.advance();
        }
        miner.step(&chain).await.unwrap();
        assert_eq!(count(&chain.accepted(), "join"), joins, "{ticks}");
    }
}

#[tokio::test]
async fn two_hundred_tasks_that_may_not_be_joined_cost_few_questions() {
    for reason in [
        JoinError::NotSpecialised,
        JoinError::OwnTask,
        JoinError::Suspended,
    ] {
        let (folder, workshop) = fake::workshop();
        let tasks = (1..=200).map(|number| {
            let mut task = fake::task_view(number);
            task.summary.open_until = 1_000;
            task
        });
        let chain = FakeChain::new(tasks.collect(), false);
        chain.refuse(Some(reason));
        let mut miner = miner(folder.path(), &workshop, |all| all.concurrency = 9);
        for _ in 0..25 {
            chain.advance();
            let before = chain.questions();
            miner.step(&chain).await.unwrap();
            assert!(chain.questions() - before <= 8, "{reason:?}");
        }
        // Each is asked about once at most.
        let most = if reason == JoinError::OwnTask { 200 } else { 1 };
        assert_eq!(chain.questions(), most, "{reason:?}");
    }
}

#[tokio::test]
async fn no_more_is_at_stake_than_the_operator_allows() {
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new((1..=5).map(fake::task_view).collect(), false);
    let mut miner = miner(folder.path(), &workshop, |all| {
        all.concurrency = 9;
        all.bounds.max_at_stake = Some(2 * TOS);
    });
    turns(&chain, &mut miner, 10).await;
    assert_eq!(count(&chain.accepted(), "join"), 2);
}

#[tokio::test]
async fn a_miner_that_loses_too_often_in_a_row_joins_nothing_more_and_says_so() {
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(vec![fake::task_view(1)], false);
    let (reporter, told) = listening();
    let mut miner = miner(folder.path(), &workshop, |all: &mut MinerOptions| {
        all.solver = Program::Command("exit 1".into());
        all.bounds.stop_after_losses = Some(1);
        all.reporter = reporter;
    });
    assert_eq!(Role::<FakeChain>::gave_up(&miner), None);
    live(&chain, &mut miner).await.unwrap();
    assert!(Role::<FakeChain>::gave_up(&miner).is_some());
    let mut next = fake::task_view(2);
    next.summary.open_until = 1_000;
    chain.publish(next);
    miner.step(&chain).await.unwrap();
    assert_eq!(count(&chain.accepted(), "join"), 1);
    let kinds = kinds(&told);
    assert_eq!(kinds.iter().filter(|kind| **kind == "lost").count(), 1);
    assert!(
        kinds.contains(&"deadline") && kinds.contains(&"warning"),
        "{kinds:?}"
    );
    let ids: Vec<_> = told.lock().unwrap().iter().map(Report::id).collect();
    assert!(
        ids.contains(&"warning:stopAfterLosses".to_string()),
        "{ids:?}"
    );
}

#[tokio::test]
async fn a_judge_that_comes_back_within_the_window_still_votes() {
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(vec![judged_task()], true);
    let up = folder.path().join("up");
    let command = format!(
        r#"cat >/dev/null; test -e {} || exit 1
        echo '{{"scores": [{{"quality": 80, "innovation": 50, "verdict": "valid"}}]}}'"#,
        up.display()
    );
    let mut judge = judge(folder.path(), &workshop, &command);
    // The window begins after tick 45. It fails once, and is not asked again at once.
    turns(&chain, &mut judge, 49).await;
    std::fs::write(&up, "").unwrap();
    live(&chain, &mut judge).await.unwrap();
    assert_eq!(count(&chain.accepted(), "reveal_vote"), 1);
}

#[tokio::test]
async fn a_judge_is_told_of_a_vote_it_missed_and_of_what_it_lost() {
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(vec![judged_task()], true);
    let mut options = judge_options("sleep 600", Default::default());
    let (reporter, told) = listening();
    options.reporter = reporter;
    let mut judge = judge_of(folder.path(), &workshop, options);
    // Voting ends after tick 60.
    for _ in 0..62 {
        chain.advance();
        judge.step(&chain).await.unwrap();
    }
    chain.slash(5 * TOS);
    for _ in 0..9 {
        chain.advance();
        judge.step(&chain).await.unwrap();
    }
    let told = told.lock().unwrap();
    let [Report::Deadline { why, .. }, Report::Slashed { lost, left }] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(why.contains("still at work"), "{why}");
    assert_eq!((*lost, *left), (5 * TOS, 95 * TOS));
}

#[tokio::test]
async fn a_specification_that_nobody_serves_does_not_make_a_judge_a_broken_one() {
    let (folder, workshop) = fake::workshop();
    let mut task = judged_task();
    task.spec = nowhere(1).spec;
    let chain = FakeChain::new(vec![task], true);
    let mut options = judge_options("exit 1", Default::default());
    let (reporter, told) = listening();
    options.reporter = reporter;
    let mut judge = judge_of(folder.path(), &workshop, options);
    turns(&chain, &mut judge, 55).await;
    assert_eq!(kinds(&told), ["deadline"]);
}

#[tokio::test]
async fn a_task_that_a_model_declines_is_asked_about_once_and_others_go_on() {
    let refused = r#"{"choices": [{"message": {"content": null, "refusal": "I cannot"}}]}"#;
    let asked = Arc::new(Mutex::new(0));
    let count = asked.clone();
    let url = mock::serve_with_headers(move |_| {
        *count.lock().unwrap() += 1;
        (200, vec![], refused.to_owned())
    })
    .await;
    let options = ModelOptions {
        model: Some("test".into()),
        ..Default::default()
    };
    let endpoint = Endpoint::new(&url, options).unwrap();
    let (folder, workshop) = fake::workshop();
    let chain = FakeChain::new(vec![fake::task_view(1)], false);
    let (reporter, told) = listening();
    let mut miner = miner(folder.path(), &workshop, |all: &mut MinerOptions| {
        all.solver = Program::Endpoint(endpoint);
        all.reporter = reporter;
    });
    turns(&chain, &mut miner, 20).await;
    assert_eq!(*asked.lock().unwrap(), 1);
    assert_eq!(kinds(&told), ["joined", "deadline"]);
}
