// SPDX-License-Identifier: Apache-2.0

use super::{observe::*, *};
use crate::{
    database::{faulty, Database},
    tasks::{fake_reveal, fake_task, FakeChain, Live, Role, StepReport, FAKE_ACCOUNT},
};
use serde_json::json;
use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tos_sdk::{chain::Heads, error::Result, testing::http as mock};
use tos_types::ContentRef;

fn me() -> AccountId32 {
    FAKE_ACCOUNT
}

fn open(path: &Path, targets: Vec<Target>) -> Notifier {
    let pause = Duration::from_millis(20);
    Notifier::with_pause(path, targets, Vec::new(), "judge", &me(), pause).unwrap()
}

/// Opens an outbox again as soon as the deliveries of the notifier before have let go of it.
async fn open_again(path: &Path, targets: Vec<Target>) -> Notifier {
    let pause = Duration::from_millis(20);
    for _ in 0..500 {
        let opened = Notifier::with_pause(path, targets.clone(), Vec::new(), "judge", &me(), pause);
        match opened {
            Ok(notifier) => return notifier,
            Err(_) => time::sleep(Duration::from_millis(20)).await,
        }
    }
    panic!("the outbox stays locked");
}

fn tell(notifier: &Notifier, kind: Kind, subject: &str) {
    notifier.tell(kind, subject, subject.to_owned(), json!({"about": subject}));
}

const LONG: Duration = Duration::from_secs(20);

/// The notices a command has written to a file, one a line.
fn told(path: &Path) -> Vec<Notice> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn texts(notices: &[Notice]) -> Vec<&str> {
    notices.iter().map(|notice| notice.text.as_str()).collect()
}

/// Tells of three things, and returns the notices of them once they are delivered.
async fn delivered(notifier: &Notifier, kind: Kind, out: &Path) -> Vec<Notice> {
    let subjects = ["a", "b", "c"];
    for subject in subjects {
        tell(notifier, kind, subject);
    }
    assert!(notifier.flush(LONG).await);
    let notices = told(out);
    assert_eq!(texts(&notices), subjects);
    notices
}

#[tokio::test]
async fn a_command_that_fails_twice_gets_the_same_notice_until_it_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let (out, tries) = (folder.path().join("out"), folder.path().join("tries"));
    let command = format!(
        "echo $TOS_NOTICE_ID $TOS_NOTICE_KIND ${{TOS_PASSWORD-unset}} >> {tries}\n\
         [ $(wc -l < {tries}) -ge 3 ] || exit 1\ncat >> {out}; echo >> {out}",
        tries = tries.display(),
        out = out.display()
    );
    let path = folder.path().join("notices.redb");
    let notifier = open(&path, vec![Target::Command(command)]);
    let notices = delivered(&notifier, Kind::Due, &out).await;
    let tries = std::fs::read_to_string(tries).unwrap();
    let tries: Vec<_> = tries.lines().collect();
    assert_eq!(tries.len(), 5);
    let first = format!("{} due unset", notices[0].id);
    assert_eq!(tries[..3], [first.as_str(); 3]);
}

#[tokio::test]
async fn what_was_not_delivered_before_a_crash_comes_after_the_next_start_with_the_same_id() {
    let folder = tempfile::tempdir().unwrap();
    let (out, seen) = (folder.path().join("out"), folder.path().join("seen"));
    let path = folder.path().join("notices.redb");
    let failing = format!("echo $TOS_NOTICE_ID >> {}; exit 1", seen.display());
    let notifier = open(&path, vec![Target::Command(failing)]);
    for subject in ["a", "b"] {
        tell(&notifier, Kind::Verdict, subject);
    }
    while std::fs::read_to_string(&seen)
        .unwrap_or_default()
        .is_empty()
    {
        time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!notifier.flush(Duration::from_millis(10)).await);
    // No farewell: as if the process had been killed.
    drop(notifier);
    let command = format!("cat >> {out}; echo >> {out}", out = out.display());
    let notifier = open_again(&path, vec![Target::Command(command)]).await;
    // The same things are seen again, and one more.
    let notices = delivered(&notifier, Kind::Verdict, &out).await;
    let tried = std::fs::read_to_string(seen).unwrap();
    assert_eq!(tried.lines().next().unwrap(), notices[0].id);
    let different: HashSet<_> = notices.iter().map(|notice| &notice.id).collect();
    assert_eq!(different.len(), 3);
}

#[tokio::test]
async fn one_target_that_fails_does_not_keep_notices_from_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let command = format!("cat >> {out}; echo >> {out}", out = out.display());
    let works = Arc::new(AtomicBool::new(false));
    let (open_now, count) = (works.clone(), Arc::new(AtomicUsize::new(0)));
    let counted = count.clone();
    let base = mock::serve(move |seen| {
        assert_eq!(seen.path, "/hook");
        let notice: Notice = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(notice.kind, Kind::Loss);
        if open_now.load(Ordering::SeqCst) {
            counted.fetch_add(1, Ordering::SeqCst);
            (204, String::new())
        } else {
            (302, String::new())
        }
    })
    .await;
    let webhook = Target::webhook(&format!("{base}/hook")).unwrap();
    let path = folder.path().join("notices.redb");
    let notifier = open(&path, vec![webhook, Target::Command(command)]);
    for subject in ["a", "b", "c"] {
        tell(&notifier, Kind::Loss, subject);
    }
    let all = async {
        while told(&out).len() < 3 {
            time::sleep(Duration::from_millis(20)).await;
        }
    };
    time::timeout(LONG, all).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 0);
    assert_eq!(notifier.outbox().unwrap().waiting().unwrap(), 3);
    works.store(true, Ordering::SeqCst);
    assert!(notifier.flush(LONG).await);
    assert_eq!(count.load(Ordering::SeqCst), 3);
    assert_eq!(texts(&told(&out)), ["a", "b", "c"]);
}

#[tokio::test]
async fn what_the_disk_did_not_take_is_told_when_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let full = Arc::new(AtomicBool::new(false));
    let database = faulty::open(&folder.path().join("notices.redb"), full.clone()).unwrap();
    let command = format!("cat >> {out}; echo >> {out}", out = out.display());
    let inner = Arc::new(Inner {
        outbox: Outbox::over(database, 10).unwrap(),
        targets: vec![Target::Command(command)],
        kinds: Vec::new(),
        role: "miner".into(),
        account: me().to_ss58check(),
        unwritten: Mutex::default(),
        wake: watch::Sender::new(()),
        pause: Duration::from_millis(20),
    });
    tokio::spawn(deliver::serve(
        Arc::downgrade(&inner),
        inner.wake.subscribe(),
        inner.targets[0].clone(),
        Http::new().unwrap(),
    ));
    let notifier = Notifier(Some(inner));
    full.store(true, Ordering::SeqCst);
    for subject in ["a", "b", "a"] {
        tell(&notifier, Kind::Loss, subject);
    }
    assert!(!notifier.flush(Duration::from_millis(200)).await);
    assert!(told(&out).is_empty());
    full.store(false, Ordering::SeqCst);
    assert!(notifier.flush(LONG).await);
    assert_eq!(texts(&told(&out)), ["a", "b"]);
}

fn notice(kind: Kind, number: u64) -> Notice {
    Notice {
        id: format!("{number}"),
        kind,
        time: number,
        ..Notice::test()
    }
}

#[test]
fn a_full_outbox_drops_the_oldest_notice_but_losses_last_and_says_how_many() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("notices.redb")).unwrap();
    let outbox = Outbox::over(database, 3).unwrap();
    let kinds = [Kind::Loss, Kind::Due, Kind::Due];
    for (number, kind) in kinds.into_iter().enumerate() {
        assert_eq!(outbox.put(&notice(kind, number as u64)).unwrap(), None);
    }
    let ids = || {
        let (mut all, mut from) = (Vec::new(), 0);
        while let Some((number, notice)) = outbox.next("x", from).unwrap() {
            all.push(notice.id);
            from = number + 1;
        }
        all
    };
    assert_eq!(outbox.put(&notice(Kind::Loss, 3)).unwrap(), Some(Kind::Due));
    assert_eq!(ids(), ["0", "2", "3"]);
    assert_eq!(outbox.put(&notice(Kind::Loss, 4)).unwrap(), Some(Kind::Due));
    assert_eq!(
        outbox.put(&notice(Kind::Loss, 5)).unwrap(),
        Some(Kind::Loss)
    );
    assert_eq!(ids(), ["3", "4", "5"]);
    assert_eq!(outbox.waiting().unwrap(), 3);
    let (_, newest) = outbox.next("x", 5).unwrap().unwrap();
    assert_eq!(newest.dropped, 3);
}

#[test]
fn a_notice_waits_for_all_targets_and_is_taken_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notices.redb");
    let outbox = Outbox::open(&path).unwrap();
    outbox.put(&notice(Kind::Due, 1)).unwrap();
    outbox.put(&notice(Kind::Due, 1)).unwrap();
    assert_eq!(outbox.waiting().unwrap(), 1);
    let both = ["a".to_owned(), "b".to_owned()];
    outbox.delivered(0, "a", &both).unwrap();
    assert!(outbox.next("a", 0).unwrap().is_none());
    assert!(outbox.next("b", 0).unwrap().is_some());
    outbox.delivered(0, "b", &both).unwrap();
    assert_eq!(outbox.waiting().unwrap(), 0);
    drop(outbox);
    let outbox = Outbox::open(&path).unwrap();
    outbox.put(&notice(Kind::Due, 1)).unwrap();
    assert_eq!(
        outbox.waiting().unwrap(),
        0,
        "it was told before the restart"
    );
}

#[test]
fn a_webhook_needs_a_host_and_http() {
    for url in ["http://a", "https://a.b/c?d=e", "http://127.0.0.1:9/x"] {
        assert!(Target::webhook(url).is_ok(), "{url}");
    }
    for url in ["", "ftp://a", "/path", "http://", "a b", "mailto:x"] {
        assert_eq!(Target::webhook(url).unwrap_err().exit_code(), 2, "{url}");
    }
}

/// All notices that wait.
fn waiting(notifier: &Notifier) -> Vec<Notice> {
    let (mut all, mut from) = (Vec::new(), 0);
    while let Some((number, notice)) = notifier.outbox().unwrap().next("x", from).unwrap() {
        all.push(notice);
        from = number + 1;
    }
    all
}

#[tokio::test]
async fn a_vote_that_is_due_its_near_deadline_and_the_end_of_its_task_are_told_once_each() {
    let folder = tempfile::tempdir().unwrap();
    let notifier = open(&folder.path().join("notices.redb"), Vec::new());
    let chain = FakeChain::new(vec![fake_task(1)], true);
    // Nothing is ever done about it. Every block is looked at, some of them twice.
    while !chain.is_over() {
        look(&notifier, &chain, &me()).await.unwrap();
        look(&notifier, &chain, &me()).await.unwrap();
        chain.advance();
    }
    look(&notifier, &chain, &me()).await.unwrap();
    let kinds: Vec<_> = waiting(&notifier)
        .iter()
        .map(|notice| notice.kind)
        .collect();
    assert_eq!(kinds, [Kind::Due, Kind::Deadline, Kind::Verdict]);
    let outbox = notifier.outbox().unwrap();
    assert!(outbox.followed(&chain.genesis()).unwrap().is_empty());
    // The miner of the same account has nothing to say about it.
    let path = folder.path().join("miner.redb");
    let miner = Notifier::open(&path, Vec::new(), Vec::new(), "miner", &me()).unwrap();
    let chain = FakeChain::new(vec![fake_task(1)], true);
    while !chain.is_over() {
        look(&miner, &chain, &me()).await.unwrap();
        chain.advance();
    }
    assert!(waiting(&miner).is_empty());
}

#[tokio::test]
async fn a_reward_is_told_once_by_the_worker_of_the_role_that_earned_it() {
    let folder = tempfile::tempdir().unwrap();
    let of = |role: &str| {
        let path = folder.path().join(format!("{role}.redb"));
        Notifier::open(&path, Vec::new(), Vec::new(), role, &me()).unwrap()
    };
    let (miner, judge) = (of("miner"), of("judge"));
    let mut task = fake_task(1);
    // Joined by this account, which has the answer still to commit to.
    fake_reveal(
        &mut task,
        42,
        ContentRef::inline(b"an answer of mine").unwrap(),
    );
    (task.submissions[0].content, task.summary.revealed) = (None, 1);
    assert_eq!(task.submissions[0].miner, me());
    let chain = FakeChain::new(vec![task], false);
    while !chain.is_over() {
        for notifier in [&miner, &judge] {
            look(notifier, &chain, &me()).await.unwrap();
        }
        chain.advance();
    }
    let rewards = |notifier: &Notifier| {
        let notices = waiting(notifier).into_iter();
        notices.filter(|notice| notice.kind == Kind::Reward).count()
    };
    assert_eq!((rewards(&miner), rewards(&judge)), (1, 0));
}

#[tokio::test]
async fn a_stake_that_shrinks_is_a_loss_and_one_that_grows_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notices.redb");
    let notifier = open(&path, Vec::new());
    let chain = [7; 32];
    for (block, stake) in [(1, 100), (2, 150), (3, 150)] {
        stake_is(&notifier, &chain, block, "judge", stake).unwrap();
    }
    assert!(waiting(&notifier).is_empty());
    drop(notifier);
    // It happened while the worker was down.
    let notifier = open_again(&path, Vec::new()).await;
    stake_is(&notifier, &chain, 9, "judge", 140).unwrap();
    stake_is(&notifier, &[8; 32], 9, "judge", 1).unwrap();
    stake_is(&notifier, &chain, 9, "provider", 1).unwrap();
    let notices = waiting(&notifier);
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].kind, Kind::Loss);
    assert_eq!(notices[0].facts["before"], "150");
    assert_eq!(notices[0].facts["after"], "140");
    let less = tos_sdk::amount::format(10);
    assert_eq!(
        notices[0].text,
        format!("the judge's stake is {less} less than before: lost, unless you have withdrawn it")
    );
}

#[tokio::test]
async fn a_node_is_missed_when_it_cannot_be_reached_again() {
    let folder = tempfile::tempdir().unwrap();
    let notifier = open(&folder.path().join("notices.redb"), Vec::new());
    let lost = Error::TimedOut("no new block".into());
    let mut absence = Absence::default();
    absence.over(&notifier, "ws://x");
    // A connection that is made anew at once is no news.
    absence.goes_on(&notifier, "ws://x", &lost);
    absence.over(&notifier, "ws://x");
    assert!(waiting(&notifier).is_empty());
    for _ in 0..5 {
        absence.goes_on(&notifier, "ws://x", &lost);
    }
    absence.over(&notifier, "ws://x");
    let kinds: Vec<_> = waiting(&notifier)
        .iter()
        .map(|notice| notice.kind)
        .collect();
    assert_eq!(kinds, [Kind::NodeLost, Kind::NodeBack]);
}

#[tokio::test]
async fn only_the_kinds_that_were_asked_for_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notices.redb");
    let kinds = vec![Kind::Loss];
    let notifier = Notifier::open(&path, Vec::new(), kinds, "miner", &me()).unwrap();
    tell(&notifier, Kind::Due, "a");
    tell(&notifier, Kind::Loss, "b");
    assert_eq!(texts(&waiting(&notifier)), ["b"]);
    // No target: nothing happens.
    tell(&Notifier::default(), Kind::Loss, "c");
}

#[tokio::test]
async fn a_notice_of_any_length_is_delivered_within_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let notifier = open(&folder.path().join("notices.redb"), Vec::new());
    notifier.tell(
        Kind::Broken,
        "x",
        "x".repeat(100_000),
        json!({"why": "y".repeat(100_000)}),
    );
    let notices = waiting(&notifier);
    assert!(serde_json::to_vec(&notices[0]).unwrap().len() < 3 * MAX_FACTS);
    assert_eq!(notices[0].facts["leftOut"], "more than 16 KiB");
}

#[tokio::test]
async fn a_report_that_is_news_becomes_a_notice_once_and_the_chain_does_not_repeat_it() {
    use crate::tasks::Report;
    let folder = tempfile::tempdir().unwrap();
    let notifier = open(&folder.path().join("notices.redb"), Vec::new());
    let reporter = notifier.reporter();
    let task = fake_task(1).summary.id;
    let why = || "a test".to_owned();
    let reports = [
        Report::Joined { task },
        Report::SolverBroken {
            failures: 1,
            why: why(),
            pause: 30,
            since: 5,
        },
        Report::SolverWell {
            failures: 1,
            since: 5,
        },
        Report::Warning {
            about: "disk".into(),
            what: "give the disk room".into(),
        },
        Report::Deadline {
            task,
            deadline: None,
            why: why(),
        },
        Report::Lost {
            task,
            why: why(),
            lost: 7,
        },
    ];
    for report in reports.iter().chain(&reports) {
        reporter.tell(report);
    }
    let notices = waiting(&notifier);
    let kinds: Vec<_> = notices.iter().map(|notice| notice.kind).collect();
    let wanted = [
        Kind::Broken,
        Kind::Working,
        Kind::Warning,
        Kind::Deadline,
        Kind::Loss,
        Kind::Verdict,
    ];
    assert_eq!(kinds, wanted);
    assert_eq!(notices[4].facts["lost"], "7");
    for notice in &notices {
        assert!(!notice.text.contains("TOS TOS"), "{}", notice.text);
    }
    // The chain says the same later.
    tell(&notifier, Kind::Verdict, &task.to_string());
    assert_eq!(waiting(&notifier).len(), wanted.len());
}

#[tokio::test]
async fn a_replica_that_misses_windows_and_fails_is_told() {
    use tos_types::{storage::ReplicaStatus, DealId, ReplicaId};
    use tos_views::ReplicaView;
    let folder = tempfile::tempdir().unwrap();
    let notifier = open(&folder.path().join("notices.redb"), Vec::new());
    let at = |status, misses| ReplicaView {
        id: ReplicaId([1; 16]),
        deal: DealId([2; 16]),
        provider: me(),
        status,
        coded: tos_storage_proofs::Commitment {
            root: [0; 32],
            words: 64,
        },
        sealed: None,
        position: None,
        collateral: 5,
        streak: 0,
        earned: 9,
        misses,
        first_window: None,
        ends_at: None,
        due: None,
    };
    for replica in [
        at(ReplicaStatus::Sealing, 0),
        at(ReplicaStatus::Active, 0),
        at(ReplicaStatus::Active, 1),
        at(ReplicaStatus::Active, 1),
        at(ReplicaStatus::Active, 2),
        at(ReplicaStatus::Failed, 2),
        at(ReplicaStatus::Failed, 2),
    ] {
        tell_replica(&notifier, &[0; 32], &replica);
    }
    let kinds: Vec<_> = waiting(&notifier)
        .iter()
        .map(|notice| notice.kind)
        .collect();
    assert_eq!(kinds, [Kind::Warning, Kind::Warning, Kind::Loss]);
}

/// A worker that takes on nothing more.
struct Finished;

impl Role<Live> for Finished {
    async fn step(&mut self, _: &Live) -> Result<StepReport> {
        Ok(StepReport::default())
    }

    async fn finish_job(&mut self) -> Result<()> {
        std::future::pending().await
    }

    fn gave_up(&self) -> Option<String> {
        Some("too many losses".into())
    }
}

#[test]
fn a_watched_worker_that_gave_up_says_why() {
    let watched = Watched {
        role: &mut Finished,
        notifier: &Notifier::default(),
        steps: 0,
    };
    assert_eq!(watched.gave_up().as_deref(), Some("too many losses"));
}
