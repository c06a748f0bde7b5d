// SPDX-License-Identifier: Apache-2.0

//! `tos task`.

use super::{parse, show, watch, Global};
use crate::{
    amount,
    chain::Call,
    content::{self, Store},
    error::{Error, Result},
    output::Output,
};
use codec::Compact;
use serde_json::json;
use std::path::{Path, PathBuf};
use tos_primitives::{
    content::{MAX_INLINE, MIN_CONTENT},
    views::MAX_PAGE,
    Balance, ContentRef, Difficulty, TaskId, TaskType, Tick, MAX_PARTICIPANTS,
};

/// See `tos task --help`.
#[derive(clap::Subcommand)]
pub enum Task {
    /// Publish a task. The reward and a tenth of it as a stake are held until it closes.
    Publish(Box<Publish>),
    /// List tasks that take answers.
    List {
        /// Only of this type.
        #[arg(long = "type", value_name = "TYPE", value_parser = parse::task_type)]
        task_type: Option<TaskType>,
        /// Tasks in every phase.
        #[arg(long)]
        all: bool,
    },
    /// Show everything about a task.
    Show {
        /// The task.
        #[arg(value_parser = parse::task_id)]
        task: TaskId,
    },
    /// Follow a task until it is closed and that is final.
    Watch {
        /// The task.
        #[arg(value_parser = parse::task_id)]
        task: TaskId,
        /// Give up after this many seconds.
        #[arg(long, value_name = "SECONDS")]
        limit: Option<u64>,
    },
    /// Withdraw a task nobody has joined.
    Cancel {
        /// The task.
        #[arg(value_parser = parse::task_id)]
        task: TaskId,
    },
    /// Challenge the result of a task: a bond of 5 % of the reward, and one more round of votes.
    Challenge {
        /// The task.
        #[arg(value_parser = parse::task_id)]
        task: TaskId,
    },
    /// Take a task's next step, when it is due and the chain has been too full to.
    Crank {
        /// The task.
        #[arg(value_parser = parse::task_id)]
        task: TaskId,
    },
}

/// See `tos task publish --help`.
#[derive(clap::Args)]
pub struct Publish {
    /// What kind of work it is, such as code-analysis or custom:7.
    #[arg(long = "type", value_name = "TYPE", value_parser = parse::task_type)]
    task_type: TaskType,
    /// beginner, intermediate, advanced or expert; sets the reward's bounds and the stakes.
    #[arg(long, value_parser = parse::difficulty)]
    difficulty: Difficulty,
    /// The reward, such as 10 or 7.5 (TOS).
    #[arg(long, value_parser = amount::parse)]
    reward: Balance,
    /// A file that says what is asked; - for standard input. Up to 2,048 bytes go on chain.
    #[arg(long, value_name = "FILE")]
    spec: PathBuf,
    /// Where a longer specification is served: the address of a `tos content serve`.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// For how many ticks (blocks) miners may join and commit.
    #[arg(long, value_name = "TICKS")]
    open_for: Tick,
    /// Lowest quality that can win, 0 to 100.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    min_quality: u8,
    /// Places for miners.
    #[arg(long, value_name = "PLACES", default_value_t = 8,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PARTICIPANTS)))]
    max_participants: u32,
    /// A parameter of the type, such as language=python. Code analysis: language, lines; security
    /// audit: scope, standard; data analysis: format, records; algorithm optimization: problem,
    /// objective; logic reasoning: domain; general: subject; custom: detail.
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = parse::pair)]
    params: Vec<(String, String)>,
}

impl Task {
    /// Runs the command.
    pub(crate) async fn run(self, global: &Global, output: Output) -> Result<()> {
        match self {
            Self::Publish(publish) => publish.run(global, output).await,
            Self::List { task_type, all } => list(global, output, task_type, all).await,
            Self::Show { task } => {
                let at = global.connect().await?.best().await?;
                let view = at.task(task).await?;
                let view = view.ok_or_else(|| unknown(task))?;
                output.show(&view, || show::task(&view));
                Ok(())
            }
            Self::Watch { task, limit } => watch::watch(global, output, task, limit).await,
            Self::Cancel { task } => global.submit_and_show(Call::Cancel { task }, output).await,
            Self::Challenge { task } => {
                global
                    .submit_and_show(Call::Challenge { task }, output)
                    .await
            }
            Self::Crank { task } => global.submit_and_show(Call::Crank { task }, output).await,
        }
    }
}

/// The error for a task the chain does not have.
pub(super) fn unknown(task: TaskId) -> Error {
    Error::refused(format!("there is no task {task}, or it is pruned"))
}

async fn list(global: &Global, output: Output, of: Option<TaskType>, all: bool) -> Result<()> {
    let at = global.connect().await?.best().await?;
    let mut tasks = Vec::new();
    let mut after = None;
    loop {
        let page = if all {
            at.tasks(after, MAX_PAGE).await?
        } else {
            at.open_tasks(of, after, MAX_PAGE).await?
        };
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        tasks.extend(
            page.into_iter()
                .filter(|t| of.is_none_or(|of| of == t.task_type)),
        );
    }
    output.show(&tasks, || show::tasks(&tasks));
    Ok(())
}

impl Publish {
    async fn run(self, global: &Global, output: Output) -> Result<()> {
        let params = parse::params(self.task_type, &self.params).map_err(Error::Usage)?;
        let store = Store::open(global.folder()?.join("content"))?;
        let spec = reference(&store, &self.spec, self.public_url.as_deref())?;
        let hash = spec.hash;
        let included = global
            .submit(Call::Publish {
                params,
                difficulty: self.difficulty,
                spec,
                reward: Compact(self.reward),
                open_for: self.open_for,
                min_quality: self.min_quality,
                max_participants: self.max_participants,
            })
            .await?;
        let task = included.task.ok_or_else(|| {
            Error::Failed("the transaction succeeded without publishing a task".into())
        })?;
        let value = json!({
            "task": task, "spec": tos_primitives::json::to_hex(&hash),
            "block": tos_primitives::json::to_hex(&included.block),
            "finalised": included.finalised,
        });
        output.show(&value, || task.to_string());
        Ok(())
    }
}

/// Stores a file and refers to it: inline where it fits, otherwise by its place at `public_url`.
fn reference(store: &Store, file: &Path, public_url: Option<&str>) -> Result<ContentRef> {
    let (hash, bytes) = store.put_file(file)?;
    if bytes.len() < MIN_CONTENT as usize {
        return Err(Error::Usage(format!(
            "{}: fewer than {MIN_CONTENT} bytes",
            file.display()
        )));
    }
    let content = match public_url {
        _ if bytes.len() <= MAX_INLINE as usize => ContentRef::inline(&bytes),
        Some(url) => ContentRef::located(&bytes, content::locator(url, &hash)?.as_bytes()),
        None => {
            return Err(Error::Usage(format!(
                "{}: {} bytes, more than the {MAX_INLINE} that go on chain: run `tos content \
                 serve` and say its address with --public-url",
                file.display(),
                bytes.len()
            )))
        }
    };
    content.ok_or_else(|| Error::Usage(format!("cannot refer to {}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications_go_on_chain_when_they_fit_and_by_address_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("content")).unwrap();
        let file = folder.path().join("spec");
        std::fs::write(&file, "x".repeat(2_048)).unwrap();
        assert!(reference(&store, &file, None).unwrap().locator.is_empty());
        std::fs::write(&file, "x".repeat(2_049)).unwrap();
        assert_eq!(reference(&store, &file, None).err().unwrap().exit_code(), 2);
        let content = reference(&store, &file, Some("http://h:1/")).unwrap();
        assert!(content.inline.is_empty() && content.locator.starts_with(b"http://h:1/blake3/"));
        assert!(store.get(&content.hash).unwrap().is_some());
        std::fs::write(&file, "short").unwrap();
        assert!(reference(&store, &file, None).is_err());
    }
}
