// SPDX-License-Identifier: Apache-2.0

//! The journal of a worker: its commitments, and the salts that open them.
//!
//! One database per account, chain and role. An entry is on disk before the commitment it opens
//! is sent anywhere, and it is never replaced. The database file is locked while it is open, so
//! two workers never share one. It also says which chain it is of, and how much of it was seen.

use crate::database::Database;
use redb::{ReadableTable, TableDefinition};
use serde::{de::DeserializeOwned, Deserialize, Serialize};
use std::{path::Path, sync::Arc};
use tos_sdk::{
    chain::{Memory, Record},
    error::{Context, Error, Result},
};
use tos_types::{
    commitment::{Commitment, Salt},
    json, AnswerScore, ContentRef, Report, TaskId,
};

const ANSWERS: TableDefinition<[u8; 16], &[u8]> = TableDefinition::new("answers");
const VOTES: TableDefinition<([u8; 16], u32), &[u8]> = TableDefinition::new("votes");
/// One entry: the chain.
const CHAIN: TableDefinition<(), &[u8]> = TableDefinition::new("chain");

/// A miner's task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Work {
    /// Number of the solver's failures.
    pub failures: u32,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
    /// The task is over, finally.
    pub done: bool,
}

/// An answer and what opens its commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The commitment that was or will be sent.
    #[serde(with = "json::hash")]
    pub commitment: Commitment,
    /// The salt that opens it.
    #[serde(with = "json::hash")]
    pub salt: Salt,
    /// The content to reveal.
    pub content: ContentRef,
    /// Its SimHash.
    pub simhash: u64,
    /// Opening of the control answer, if it is a check of the judges.
    #[serde(default)]
    pub known: Option<ControlKey>,
}

/// Opening of a control answer, told by its author after the count. Its salt was made from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlKey {
    /// The quality of the answer.
    pub quality: u8,
    /// The secret that hid it.
    #[serde(with = "json::hash")]
    pub secret: [u8; 32],
    /// It has been told.
    pub told: bool,
}

/// A judge's vote in one round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vote {
    /// The commitment that was or will be sent.
    #[serde(with = "json::hash")]
    pub commitment: Commitment,
    /// The salt that opens it.
    #[serde(with = "json::hash")]
    pub salt: Salt,
    /// The scores to reveal.
    pub scores: Vec<AnswerScore>,
    /// Findings of the pinned tool, from an automatic seat.
    #[serde(default)]
    pub report: Option<Report>,
    /// The task is over, finally.
    pub done: bool,
}

/// An open journal. Clones share it; the file is unlocked when the last of them is dropped.
#[derive(Clone)]
pub struct CommitmentStore {
    database: Arc<Database>,
}

impl Memory for CommitmentStore {
    fn open(path: &Path) -> Result<Self> {
        CommitmentStore::open(path)
    }

    fn read(&self) -> Result<Option<Record>> {
        self.database.read(|read| {
            let table = read.open_table(CHAIN).context("journal")?;
            let found = table.get(()).context("journal")?;
            found.map(|bytes| decode(bytes.value())).transpose()
        })
    }

    fn write(&self, record: &Record) -> Result<()> {
        self.database.write(|write| {
            let mut table = write.open_table(CHAIN).context("journal")?;
            let bytes = encode(record)?;
            table.insert((), bytes.as_slice()).context("journal")?;
            Ok(())
        })
    }
}

impl CommitmentStore {
    /// Opens or makes the journal at `path`, for this process alone.
    pub fn open(path: &Path) -> Result<Self> {
        Self::over(Database::open(path)?)
    }

    /// The journal in a database.
    fn over(database: Database) -> Result<Self> {
        database.write(|write| {
            write.open_table(ANSWERS).context("journal")?;
            write.open_table(VOTES).context("journal")?;
            write.open_table(CHAIN).context("journal")?;
            Ok(())
        })?;
        Ok(Self {
            database: Arc::new(database),
        })
    }

    /// A journal on a disk that takes nothing while `full`.
    #[cfg(test)]
    pub fn open_faulty(path: &Path, full: Arc<std::sync::atomic::AtomicBool>) -> Result<Self> {
        Self::over(crate::database::faulty::open(path, full)?)
    }

    /// The number of the best block that was acted on last, as far as is known.
    pub fn seen_until(&self) -> u64 {
        let record = Memory::read(self).ok().flatten();
        record.map(|record| record.best).unwrap_or_default()
    }

    /// All tasks the miner took on that are not over.
    pub fn open_work(&self) -> Result<Vec<(TaskId, Work)>> {
        self.database.read(|read| {
            let table = read.open_table(ANSWERS).context("journal")?;
            let mut open = Vec::new();
            for entry in table.iter().context("journal")? {
                let (task, bytes) = entry.context("journal")?;
                let work: Work = decode(bytes.value())?;
                if !work.done {
                    open.push((TaskId(task.value()), work));
                }
            }
            Ok(open)
        })
    }

    /// All tasks that are not over and whose answers others must fetch from this machine.
    pub fn located_open(&self) -> Result<Vec<TaskId>> {
        let located = |(task, work): (TaskId, Work)| {
            let answer = work.answer?;
            answer.content.inline.is_empty().then_some(task)
        };
        Ok(self.open_work()?.into_iter().filter_map(located).collect())
    }

    /// Takes on a task; nothing changes, and nothing is written, when it is known.
    pub fn accept(&self, task: TaskId) -> Result<Work> {
        let known = self.database.read(|read| {
            let table = read.open_table(ANSWERS).context("journal")?;
            let found = table.get(task.0).context("journal")?;
            found.map(|bytes| decode(bytes.value())).transpose()
        })?;
        match known {
            Some(work) => Ok(work),
            None => self.change_work(task, |_| {}),
        }
    }

    /// Counts a failure of the solver.
    pub fn count_failure(&self, task: TaskId) -> Result<Work> {
        self.change_work(task, |work| work.failures = work.failures.saturating_add(1))
    }

    /// Keeps an answer before its commitment is sent. The first one stays: it is returned, and it
    /// alone may be committed to.
    pub fn seal_answer(&self, task: TaskId, answer: Answer) -> Result<Answer> {
        let work = self.change_work(task, |work| {
            work.answer.get_or_insert(answer);
        })?;
        work.answer
            .ok_or_else(|| Error::Failed("journal lost an answer".into()))
    }

    /// The chain knows that the answer was a check.
    pub fn told(&self, task: TaskId) -> Result<()> {
        let tell = |work: &mut Work| {
            if let Some(known) = work.answer.as_mut().and_then(|a| a.known.as_mut()) {
                known.told = true;
            }
        };
        self.change_work(task, tell).map(|_| ())
    }

    /// The task is over in a finalised block.
    pub fn finish_work(&self, task: TaskId) -> Result<()> {
        self.change_work(task, |work| work.done = true).map(|_| ())
    }

    /// The vote in a round, if there is one.
    pub fn vote(&self, task: TaskId, round: u32) -> Result<Option<Vote>> {
        self.database.read(|read| {
            let table = read.open_table(VOTES).context("journal")?;
            let found = table.get((task.0, round)).context("journal")?;
            found.map(|bytes| decode(bytes.value())).transpose()
        })
    }

    /// All votes in tasks that are not over.
    pub fn open_votes(&self) -> Result<Vec<(TaskId, u32, Vote)>> {
        self.database.read(|read| {
            let table = read.open_table(VOTES).context("journal")?;
            let mut open = Vec::new();
            for entry in table.iter().context("journal")? {
                let (key, bytes) = entry.context("journal")?;
                let (task, round) = key.value();
                let vote: Vote = decode(bytes.value())?;
                if !vote.done {
                    open.push((TaskId(task), round, vote));
                }
            }
            Ok(open)
        })
    }

    /// Keeps a vote before its commitment is sent. The first one stays, and is returned.
    pub fn seal_vote(&self, task: TaskId, round: u32, vote: Vote) -> Result<Vote> {
        self.change_vote(task, round, |known| known.unwrap_or(vote))
    }

    /// The task is over in a finalised block.
    pub fn finish_vote(&self, task: TaskId, round: u32) -> Result<()> {
        let Some(vote) = self.vote(task, round)? else {
            return Ok(());
        };
        self.change_vote(task, round, |known| Vote {
            done: true,
            ..known.unwrap_or(vote)
        })?;
        Ok(())
    }

    fn change_work(&self, task: TaskId, change: impl FnOnce(&mut Work)) -> Result<Work> {
        // Returns when it is on disk.
        self.database.write(|write| {
            let mut table = write.open_table(ANSWERS).context("journal")?;
            let known = table.get(task.0).context("journal")?;
            let known = known.map(|bytes| decode(bytes.value())).transpose()?;
            let mut work: Work = known.unwrap_or_default();
            change(&mut work);
            let bytes = encode(&work)?;
            table.insert(task.0, bytes.as_slice()).context("journal")?;
            Ok(work)
        })
    }

    fn change_vote(
        &self,
        task: TaskId,
        round: u32,
        change: impl FnOnce(Option<Vote>) -> Vote,
    ) -> Result<Vote> {
        self.database.write(|write| {
            let mut table = write.open_table(VOTES).context("journal")?;
            let known = table.get((task.0, round)).context("journal")?;
            let known = known.map(|bytes| decode(bytes.value())).transpose()?;
            let vote = change(known);
            let bytes = encode(&vote)?;
            table
                .insert((task.0, round), bytes.as_slice())
                .context("journal")?;
            Ok(vote)
        })
    }
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).context("journal")
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).context("journal entry")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: TaskId = TaskId([1; 16]);

    fn answer(salt: u8) -> Answer {
        Answer {
            commitment: [salt; 32],
            salt: [salt; 32],
            content: ContentRef::inline(b"an honest answer").unwrap(),
            simhash: u64::MAX - 1,
            known: None,
        }
    }

    #[test]
    fn the_first_answer_and_its_salt_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a").join("journal.redb");
        let journal = CommitmentStore::open(&path).unwrap();
        journal.accept(TASK).unwrap();
        assert_eq!(journal.seal_answer(TASK, answer(1)).unwrap(), answer(1));
        drop(journal);
        let journal = CommitmentStore::open(&path).unwrap();
        assert_eq!(journal.seal_answer(TASK, answer(2)).unwrap(), answer(1));
        journal.count_failure(TASK).unwrap();
        let work = journal.accept(TASK).unwrap();
        assert_eq!((work.failures, work.answer), (1, Some(answer(1))));
        journal.finish_work(TASK).unwrap();
        assert!(journal.open_work().unwrap().is_empty());
        assert!(journal.accept(TASK).unwrap().answer.is_some());
    }

    #[test]
    fn votes_are_kept_by_round_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let journal = CommitmentStore::open(&folder.path().join("journal.redb")).unwrap();
        let vote = |salt| Vote {
            commitment: [salt; 32],
            salt: [salt; 32],
            scores: vec![AnswerScore {
                quality: 90,
                ..Default::default()
            }],
            report: None,
            done: false,
        };
        assert_eq!(journal.seal_vote(TASK, 0, vote(1)).unwrap(), vote(1));
        assert_eq!(journal.seal_vote(TASK, 0, vote(2)).unwrap(), vote(1));
        assert_eq!(journal.seal_vote(TASK, 1, vote(3)).unwrap(), vote(3));
        journal.finish_vote(TASK, 0).unwrap();
        journal.finish_vote(TASK, 7).unwrap();
        let open = journal.open_votes().unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].0, open[0].1), (TASK, 1));
    }

    #[test]
    fn entries_of_earlier_versions_are_read() {
        let hash = json::to_hex(&[1; 32]);
        let content = serde_json::to_value(answer(1).content).unwrap();
        let old = serde_json::json!({
            "commitment": hash, "salt": hash, "content": content, "simhash": u64::MAX - 1,
        });
        assert_eq!(serde_json::from_value::<Answer>(old).unwrap(), answer(1));
        let old = serde_json::json!({"commitment": hash, "salt": hash, "scores": [], "done": true});
        assert_eq!(serde_json::from_value::<Vote>(old).unwrap().report, None);
    }

    #[test]
    fn two_workers_never_share_a_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.redb");
        let first = CommitmentStore::open(&path).unwrap();
        let error = CommitmentStore::open(&path).err().unwrap();
        assert_eq!(error.exit_code(), 2);
        let process = format!("process {}", std::process::id());
        let name = path.display().to_string();
        for part in ["runs already", &name, &process, "stop it first"] {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
        drop(first);
        assert!(CommitmentStore::open(&path).is_ok());
    }
}
