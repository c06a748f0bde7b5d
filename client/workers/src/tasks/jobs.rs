// SPDX-License-Identifier: Apache-2.0

//! The slow part of a worker, done while blocks are followed: fetch, think, answer.

use super::{
    openai::Endpoint,
    process::{self, Limits},
    protocol::{self, Seen, MAX_ANSWER_TEXT, MAX_SPEC_TEXT},
    retention::Retention,
    tools::Tool,
};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use tos_formulas::simhash::simhash;
use tos_sdk::{
    canonical,
    content::{self, ChainName, Fetcher, Held, Lacking, Part, Reach, Store, Why},
    error::{Context, Error, Result},
    http::Http,
    span,
};
use tos_types::{
    content::{content_hash, MAX_CONTENT, MAX_INLINE, MIN_CONTENT},
    AnswerScore, ContentHash, ContentRef, Report, TaskId,
};
use tos_views::TaskView;

/// Pause between attempts to store an answer.
const STORE_PAUSE: Duration = Duration::from_millis(500);
/// Pause between attempts to make room for content.
const ROOM_PAUSE: Duration = Duration::from_secs(5);

/// A solver of tasks, or a judge of answers.
#[derive(Clone)]
pub enum Program {
    /// A command, run by the shell.
    Command(String),
    /// A language model.
    Endpoint(Endpoint),
}

impl Program {
    /// Reason for which no task should be taken on with it now.
    pub fn unfit(&self) -> Option<String> {
        match self {
            Self::Command(_) => None,
            Self::Endpoint(endpoint) => endpoint.unfit(),
        }
    }
}

impl From<&str> for Program {
    fn from(command: &str) -> Self {
        Self::Command(command.into())
    }
}

/// A judged task.
#[derive(Debug, PartialEq)]
pub struct Judgement {
    /// Scores that the judge gives.
    pub scores: Vec<AnswerScore>,
    /// Findings of the pinned tool, from an automatic seat.
    pub report: Option<Report>,
}

/// Needs of a job; shared by all jobs of a worker.
#[derive(Clone)]
pub struct JobContext {
    /// Store of content.
    pub store: Store,
    /// Source of content.
    pub fetcher: Fetcher,
    /// For language models.
    pub http: Http,
    /// Limits of a program.
    pub limits: Limits,
    /// The way by which others reach this worker's store; without it answers must fit on chain.
    pub reach: Option<Reach>,
    /// The chain that the tasks are on.
    pub chain: ChainName,
    /// Bytes that content may take on the disk, as far as it is fetched from others.
    pub content_limit: Option<u64>,
    /// Time for which content is kept that no task needs any more.
    pub retention: Retention,
}

/// An answer that is ready to be committed to. Its content is stored already.
#[derive(Debug)]
pub struct Draft {
    /// The reference to reveal.
    pub content: ContentRef,
    /// Its SimHash.
    pub simhash: u64,
    /// From control authors: the quality that makes it a check of the judges.
    pub control_quality: Option<u8>,
}

impl JobContext {
    /// The context of a worker without a server. Content is fetched into `store` for as long as
    /// `patience` lasts, takes as much room as it needs, and may go as soon as its task is over.
    pub fn new(store: Store, http: Http, patience: Duration, limits: Limits) -> Self {
        Self {
            fetcher: Fetcher::new(store.clone(), http.clone(), patience),
            store,
            http,
            limits,
            reach: None,
            chain: ChainName::default(),
            content_limit: None,
            retention: Retention::new(Duration::ZERO),
        }
    }

    /// The same for the tasks of the chain with this genesis hash.
    pub fn on(self, genesis: &[u8; 32]) -> Self {
        let chain = genesis.first_chunk().copied().unwrap_or_default();
        Self { chain, ..self }
    }

    /// Works out an answer and stores it.
    pub async fn solve(&self, solver: Program, task: Arc<TaskView<AccountId32>>) -> Result<Draft> {
        let id = task.summary.id;
        let spec = self.spec(&task).await?;
        let seconds = self.limits.time.as_secs();
        let input = protocol::solver_input(&task, &spec, seconds, self.limits.memory_mib);
        let solution = match solver {
            Program::Command(command) => {
                let input = input.to_string();
                let output = process::run(&command, input.as_bytes(), self.limits).await;
                protocol::solver_output(&output.context("solver")?)?
            }
            Program::Endpoint(_) if matches!(spec, Held::File(_)) => {
                return Err(Error::Failed(format!(
                    "the specification has {} bytes, more than the {MAX_SPEC_TEXT} that a model is \
                     given: a program (--solver-cmd) can read it",
                    task.spec.size
                )))
            }
            Program::Endpoint(endpoint) => {
                let most = match &self.reach {
                    Some(_) => MAX_CONTENT,
                    None => MAX_INLINE,
                };
                let time = self.limits.time;
                endpoint.solve(&self.http, &input, most, time).await?
            }
        };
        if let Some(note) = solution.note {
            tracing::info!(task = %id, note, "solver");
        }
        let answer = canonical::answer_bytes(solution.answer);
        let mut draft = self.draft(&answer, id).await?;
        draft.control_quality = solution.control_quality;
        Ok(draft)
    }

    /// The specification of a task.
    pub(super) async fn spec(&self, task: &TaskView<AccountId32>) -> Result<Held> {
        if task.spec.inline.is_empty() {
            self.make_room(u64::from(task.spec.size)).await;
        }
        let held = self.hold(&task.spec, MAX_SPEC_TEXT, Part::Spec, task.summary.id);
        held.await.context("the task's specification")
    }

    /// Content that a task refers to. What this machine cannot take now is tried until it can, or
    /// the task does not want it any more and the job ends: a full disk here is not the author's
    /// fault.
    async fn hold(
        &self,
        content: &ContentRef,
        most: u32,
        part: Part,
        task: TaskId,
    ) -> Result<Held> {
        loop {
            if content.inline.is_empty() {
                self.pin(&content.hash, part, task);
            }
            match self.fetcher.hold(content, most).await {
                Ok(held) => return Ok(held),
                Err(Lacking::Server(error)) => return Err(error),
                Err(Lacking::Here(error)) => {
                    tracing::error!(%error, "content cannot be kept; give the disk room");
                    tokio::time::sleep(STORE_PAUSE).await;
                }
            }
        }
    }

    /// Notes why content is in the store. Without a note it stays there for ever, which does less
    /// harm than to go on without it.
    fn pin(&self, hash: &ContentHash, part: Part, task: TaskId) {
        if let Err(error) = self.store.pin(hash, Why::Task(part, self.chain, task)) {
            tracing::warn!(%error, "content will not go by itself");
        }
    }

    /// Waits until so many bytes more fit into what content may take.
    async fn make_room(&self, bytes: u64) {
        let Some(limit) = self.content_limit else {
            return;
        };
        loop {
            let store = self.store.clone();
            let work = span::carried(move || store.make_room(bytes, limit));
            let made = tokio::task::spawn_blocking(work).await;
            match made.context("content").and_then(|made| made) {
                Ok(()) => return,
                Err(error) => tracing::error!(%error, "waiting for room"),
            }
            tokio::time::sleep(ROOM_PAUSE).await;
        }
    }

    /// Judges all answers of a task and, from an automatic seat, has the tool check them. Answers
    /// may have 64 MiB each and are chosen by strangers: long ones are never in memory.
    pub async fn judge(
        &self,
        judge: Program,
        tool: Option<Tool>,
        task: Arc<TaskView<AccountId32>>,
    ) -> Result<Judgement> {
        let id = task.summary.id;
        let spec = self.spec(&task).await?;
        let submissions = task.answers.iter().map(|miner| {
            let submission = task.submissions.iter().find(|s| s.miner == *miner);
            submission.and_then(|s| Some((s.content.as_ref()?, s.simhash)))
        });
        let Some(submissions) = submissions.collect::<Option<Vec<_>>>() else {
            return Err(Error::Failed(
                "the chain lists an answer that was not revealed".into(),
            ));
        };
        let sizes = submissions.iter().filter(|(c, _)| c.inline.is_empty());
        let sizes = sizes.map(|(content, _)| u64::from(content.size.min(MAX_CONTENT)));
        self.make_room(sizes.fold(0, u64::saturating_add)).await;
        // One long text is hashed at a time; it takes seconds of a processor.
        let turn = Semaphore::new(1);
        // All at once, so that one slow author costs no more time than all of them.
        let answers = submissions.into_iter().map(|(content, simhash)| {
            let turn = &turn;
            async move {
                let held = self.hold(content, MAX_ANSWER_TEXT, Part::Answer, id).await;
                if let Err(error) = &held {
                    tracing::warn!(%error, "an answer is unavailable");
                }
                let (hash, size) = (content.hash, content.size);
                let content = match held {
                    Err(_) => None,
                    Ok(held) => {
                        let _turn = turn.acquire().await;
                        Some(fingerprint(held).await?)
                    }
                };
                Ok::<_, Error>(Seen {
                    hash,
                    size,
                    content,
                    simhash,
                })
            }
        });
        let answers = futures::future::try_join_all(answers).await?;
        let input = protocol::judge_input(&task, &spec, &answers);
        let output = match judge {
            Program::Command(command) => {
                let output = process::run(&command, input.as_bytes(), self.limits).await;
                output.context("judge")
            }
            Program::Endpoint(endpoint) => {
                endpoint.judge(&self.http, &input, self.limits.time).await
            }
        };
        let scores = protocol::judge_output(&output?, &answers)?;
        let report = match tool {
            None => None,
            // A vote without a report is worth more than none.
            Some(tool) => match self.check(&tool, input.as_bytes(), answers.len()).await {
                Ok(report) => Some(report),
                Err(error) => {
                    tracing::error!(%error, "no report from the pinned tool");
                    None
                }
            },
        };
        Ok(Judgement { scores, report })
    }

    /// Runs the pinned tool over what the judge was given.
    async fn check(&self, tool: &Tool, input: &[u8], answers: usize) -> Result<Report> {
        let output = process::run(&tool.command()?, input, self.limits).await;
        protocol::tool_output(&output.context("pinned tool")?, answers)
    }

    /// Stores what was paid for: on a full disk it is kept in memory until there is room, or the
    /// task does not want it any more and the job ends.
    async fn store_for_sure(&self, bytes: &[u8], task: TaskId) -> ContentHash {
        loop {
            self.pin(&content_hash(bytes), Part::OwnAnswer, task);
            match self.store.put(bytes) {
                Ok(hash) => return hash,
                Err(error) => {
                    tracing::error!(%error, "the answer is in memory only; give the disk room");
                    tokio::time::sleep(STORE_PAUSE).await;
                }
            }
        }
    }

    /// Stores the bytes of an answer and makes the reference to reveal.
    async fn draft(&self, bytes: &[u8], task: TaskId) -> Result<Draft> {
        let (size, bounds) = (bytes.len(), (MIN_CONTENT as usize, MAX_CONTENT as usize));
        if size < bounds.0 || size > bounds.1 {
            return Err(Error::Failed(format!(
                "the answer has {size} bytes; the chain takes {} to {}",
                bounds.0, bounds.1
            )));
        }
        let hash = self.store_for_sure(bytes, task).await;
        let content = match &self.reach {
            _ if size <= MAX_INLINE as usize => ContentRef::inline(bytes),
            Some(reach) => {
                let locator = content::locator(reach.url(), &hash)?;
                // What cannot be fetched would cost half of the stake.
                reach.reached().await;
                ContentRef::located(bytes, locator.as_bytes())
            }
            None => {
                return Err(Error::Failed(format!(
                    "the answer has {size} bytes, more than the {MAX_INLINE} the chain takes \
                     inline: start the worker with --serve and --public-url"
                )))
            }
        };
        let content = content.ok_or_else(|| Error::Failed("cannot refer to the answer".into()))?;
        Ok(Draft {
            content,
            simhash: simhash(bytes),
            control_quality: None,
        })
    }
}

/// Content with its SimHash.
async fn fingerprint(held: Held) -> Result<(Held, u64)> {
    let simhash = match &held {
        Held::Bytes(bytes) => simhash(bytes),
        Held::File(path) => {
            let path = path.clone();
            let done = tokio::task::spawn_blocking(move || content::simhash_file(&path));
            done.await.context("SimHash")??
        }
    };
    Ok((held, simhash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::fake;
    use tos_types::Verdict;

    const TASK: TaskId = TaskId([1; 16]);

    #[tokio::test]
    async fn a_program_s_answer_becomes_a_draft_in_canonical_form() {
        let (_folder, workshop) = fake::workshop();
        let command = r#"cat >/dev/null; echo '{"answer": {"b": "value", "a": [1,  2]}}'"#;
        let task = Arc::new(fake::task_view(1));
        let draft = workshop
            .solve(Program::Command(command.into()), task)
            .await
            .unwrap();
        let bytes = br#"{"a":[1,2],"b":"value"}"#;
        assert_eq!(draft.content, ContentRef::inline(bytes).unwrap());
        assert_eq!(draft.simhash, simhash(bytes));
        assert_eq!(
            workshop.store.get(&content_hash(bytes)).unwrap().unwrap(),
            bytes
        );
    }

    #[tokio::test]
    async fn answers_too_small_or_too_large_for_the_chain_are_failures() {
        let (_folder, mut workshop) = fake::workshop();
        let error = workshop.draft(b"42", TASK).await.err().unwrap();
        assert!(error.to_string().contains("2 bytes"), "{error}");
        let long = vec![b'x'; 3_000];
        let error = workshop.draft(&long, TASK).await.err().unwrap();
        assert!(error.to_string().contains("--serve"), "{error}");
        let url = "http://127.0.0.1:9955".to_owned();
        let reach = Reach::new(workshop.store.clone(), workshop.http.clone(), url);
        workshop.reach = Some(reach.trusted());
        let draft = workshop.draft(&long, TASK).await.unwrap();
        assert_eq!(draft.content.check(), Ok(()));
        assert!(draft
            .content
            .locator
            .starts_with(b"http://127.0.0.1:9955/blake3/"));
    }

    #[tokio::test]
    async fn an_answer_is_kept_until_the_disk_takes_it() {
        let (folder, workshop) = fake::workshop();
        let content = folder.path().join("content");
        std::fs::remove_dir(&content).unwrap();
        let answer = b"an answer that was paid for";
        let draft = tokio::spawn({
            let workshop = workshop.clone();
            async move { workshop.draft(answer, TASK).await }
        });
        // It tries once, and waits.
        tokio::task::yield_now().await;
        assert!(!draft.is_finished());
        std::fs::create_dir(&content).unwrap();
        let draft = draft.await.unwrap().unwrap();
        assert_eq!(draft.content, ContentRef::inline(answer).unwrap());
        let stored = workshop.store.get(&content_hash(answer)).unwrap();
        assert_eq!(stored.unwrap(), answer);
        // What it is for is known, though that could not be noted at first either.
        let pins = workshop.store.pins().unwrap();
        let whys: Vec<_> = pins.iter().map(|pin| pin.why).collect();
        assert_eq!(whys, [Why::Task(Part::OwnAnswer, workshop.chain, TASK)]);
    }

    #[tokio::test]
    async fn a_judge_scores_answers_in_the_order_of_the_chain() {
        let (_folder, workshop) = fake::workshop();
        let mut task = fake::task_view(1);
        fake::reveal(
            &mut task,
            7,
            ContentRef::inline(b"the second answer").unwrap(),
        );
        fake::reveal(
            &mut task,
            8,
            ContentRef::inline(b"the first answer!").unwrap(),
        );
        task.answers.reverse();
        let command = r#"case "$(cat)" in *"the first answer!"*"the second answer"*) echo \
            '{"scores": [{"quality": 1, "innovation": 2, "verdict": "valid"},
            {"quality": 3, "innovation": 4, "verdict": "malformed"}]}';; *) exit 1;; esac"#;
        let scores = workshop
            .judge(command.into(), None, Arc::new(task))
            .await
            .unwrap()
            .scores;
        assert_eq!(
            scores[1],
            AnswerScore {
                quality: 3,
                innovation: 4,
                verdict: Verdict::Malformed
            }
        );
    }

    #[tokio::test]
    async fn a_judge_that_fails_gives_no_vote() {
        let (_folder, workshop) = fake::workshop();
        let task = Arc::new(fake::task_view(1));
        for judge in ["exit 1", "echo nonsense"] {
            let judged = workshop.judge(judge.into(), None, task.clone()).await;
            assert!(judged.is_err(), "{judge}");
        }
    }
}
