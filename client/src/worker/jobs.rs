// SPDX-License-Identifier: Apache-2.0

//! The slow part of a worker, done beside the following of blocks: fetch, think, answer.

use super::{
    openai::Endpoint,
    process::{self, Limits},
    protocol::{self, Seen},
    report::{Report as News, Reporter},
    tools::Tool,
};
use crate::{
    canonical,
    content::{self, Fetcher, Store},
    error::{Context, Error, Result},
    http::Http,
};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{sync::Arc, time::Duration};
use tos_primitives::{
    content::{MAX_CONTENT, MAX_INLINE, MIN_CONTENT},
    simhash::simhash,
    views::TaskView,
    AnswerScore, ContentHash, ContentRef, Report, TaskId,
};

/// Pause between attempts to store an answer.
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// What answers tasks.
#[derive(Clone)]
pub enum Solver {
    /// A program.
    Command(String),
    /// A language model.
    Endpoint(Endpoint),
}

/// A judged task.
#[derive(Debug, PartialEq)]
pub struct Judgement {
    /// What the judge says.
    pub scores: Vec<AnswerScore>,
    /// What the pinned tool found, from an automatic seat.
    pub report: Option<Report>,
}

/// What a job needs; shared by all jobs of a worker.
#[derive(Clone)]
pub struct Workshop {
    /// Where content is kept.
    pub store: Store,
    /// Where content comes from.
    pub fetcher: Fetcher,
    /// For language models.
    pub http: Http,
    /// What a program may use.
    pub limits: Limits,
    /// Where others reach this worker's store; without it answers must fit on chain.
    pub public_url: Option<String>,
    /// Told where a program gives no result.
    pub reporter: Reporter,
}

/// An answer that is ready to be committed to. Its content is stored already.
#[derive(Debug)]
pub struct Draft {
    /// The reference to reveal.
    pub content: ContentRef,
    /// Its SimHash.
    pub simhash: u64,
    /// From planters: the quality that makes it a check of the validators.
    pub known_quality: Option<u8>,
}

impl Workshop {
    /// Tells the operator that a program gave no result, for the `failures`-th time.
    pub(super) fn broken(&self, task: TaskId, round: u32, failures: u32, why: &Error) {
        self.reporter.tell(&News::Warning {
            about: format!("no result for {task} in round {round}, failure {failures}"),
            what: format!("no result for task {task}: {why}"),
        });
    }

    /// Tells the operator that the worker does not go on with a task.
    pub(super) fn given_up(&self, task: TaskId, why: &str) {
        self.reporter.tell(&News::Deadline {
            task,
            deadline: None,
            why: why.to_owned(),
        });
    }

    /// Works out an answer and stores it.
    pub async fn solve(&self, solver: Solver, task: Arc<TaskView<AccountId32>>) -> Result<Draft> {
        let spec = self
            .fetcher
            .get(&task.spec)
            .await
            .context("the task's specification")?;
        let seconds = self.limits.time.as_secs();
        let input = protocol::solver_input(&task, &spec, seconds, self.limits.memory_mib);
        let solution = match solver {
            Solver::Command(command) => {
                let input = input.to_string();
                let output = process::run(&command, input.as_bytes(), self.limits).await;
                protocol::solver_output(&output.context("solver")?)?
            }
            Solver::Endpoint(endpoint) => {
                endpoint.solve(&self.http, &input, self.limits.time).await?
            }
        };
        if let Some(note) = solution.note {
            tracing::info!(task = %task.summary.id, note, "solver");
        }
        let mut draft = self
            .draft(&canonical::answer_bytes(&solution.answer))
            .await?;
        draft.known_quality = solution.known_quality;
        Ok(draft)
    }

    /// Judges all answers of a task and, from an automatic seat, has the tool check them.
    pub async fn judge(
        &self,
        command: String,
        tool: Option<Tool>,
        task: Arc<TaskView<AccountId32>>,
    ) -> Result<Judgement> {
        let spec = self
            .fetcher
            .get(&task.spec)
            .await
            .context("the task's specification")?;
        let submissions = task.answers.iter().map(|miner| {
            let submission = task.submissions.iter().find(|s| s.miner == *miner);
            submission.and_then(|s| Some((s.content.as_ref()?, s.simhash)))
        });
        let Some(submissions) = submissions.collect::<Option<Vec<_>>>() else {
            return Err(Error::Failed(
                "the chain lists an answer that was not revealed".into(),
            ));
        };
        // All at once, so that one slow author costs no more time than all of them.
        let answers = submissions
            .into_iter()
            .map(|(content, simhash)| async move {
                let bytes = self.fetcher.get(content).await;
                if let Err(error) = &bytes {
                    tracing::warn!(%error, "an answer is unavailable");
                }
                Seen {
                    hash: content.hash,
                    size: content.size,
                    bytes: bytes.ok(),
                    simhash,
                }
            });
        let answers = futures::future::join_all(answers).await;
        let input = protocol::judge_input(&task, &spec, &answers).to_string();
        let output = process::run(&command, input.as_bytes(), self.limits).await;
        let scores = protocol::judge_output(&output.context("judge")?, &answers)?;
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
    async fn store_for_sure(&self, bytes: &[u8]) -> ContentHash {
        loop {
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
    async fn draft(&self, bytes: &[u8]) -> Result<Draft> {
        let (size, bounds) = (bytes.len(), (MIN_CONTENT as usize, MAX_CONTENT as usize));
        if size < bounds.0 || size > bounds.1 {
            return Err(Error::Failed(format!(
                "the answer has {size} bytes; the chain takes {} to {}",
                bounds.0, bounds.1
            )));
        }
        let hash = self.store_for_sure(bytes).await;
        let content = match &self.public_url {
            _ if size <= MAX_INLINE as usize => ContentRef::inline(bytes),
            Some(url) => ContentRef::located(bytes, content::locator(url, &hash)?.as_bytes()),
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
            known_quality: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::fake;
    use tos_primitives::{content::content_hash, Verdict};

    #[tokio::test]
    async fn a_program_s_answer_becomes_a_draft_in_canonical_form() {
        let (_folder, workshop) = fake::workshop();
        let command = r#"cat >/dev/null; echo '{"answer": {"b": "value", "a": [1,  2]}}'"#;
        let task = Arc::new(fake::task_view(1));
        let draft = workshop
            .solve(Solver::Command(command.into()), task)
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
        let error = workshop.draft(b"42").await.err().unwrap();
        assert!(error.to_string().contains("2 bytes"), "{error}");
        let long = vec![b'x'; 3_000];
        let error = workshop.draft(&long).await.err().unwrap();
        assert!(error.to_string().contains("--serve"), "{error}");
        workshop.public_url = Some("http://127.0.0.1:9955".into());
        let draft = workshop.draft(&long).await.unwrap();
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
            async move { workshop.draft(answer).await }
        });
        // It tries once, and waits.
        tokio::task::yield_now().await;
        assert!(!draft.is_finished());
        std::fs::create_dir(&content).unwrap();
        let draft = draft.await.unwrap().unwrap();
        assert_eq!(draft.content, ContentRef::inline(answer).unwrap());
        let stored = workshop.store.get(&content_hash(answer)).unwrap();
        assert_eq!(stored.unwrap(), answer);
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
