// SPDX-License-Identifier: Apache-2.0

//! `tos task publish`, and what it has in common with a quote.

use super::{parse, Global};
use crate::output::Output;
use codec::Compact;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tos_sdk::task_type;
use tos_sdk::{
    amount,
    chain::{Call, Connection, Included, Wait},
    content::{self, Store, Why},
    error::{Error, Result},
    keys::Signer,
};
use tos_types::{
    content::{content_hash, MAX_INLINE, MIN_CONTENT},
    json::to_hex,
    params::MIN_PANEL,
    Balance, ContentRef, Difficulty, TaskId, TaskParams, TaskType, Tick, MAX_PARTICIPANTS,
};

/// See `tos task publish --help`.
#[derive(clap::Args)]
pub struct Publish {
    /// Type of work, such as code-analysis or custom:7.
    #[arg(long = "type", value_name = "TYPE", value_parser = task_type::parse)]
    pub(super) task_type: TaskType,
    /// beginner, intermediate, advanced or expert; sets the reward's bounds and the stakes.
    #[arg(long, value_parser = parse::difficulty)]
    pub(super) difficulty: Difficulty,
    /// The reward, such as 10 or 7.5 (TOS).
    #[arg(long, value_parser = amount::parse)]
    pub(super) reward: Balance,
    /// A file that says what is asked; - for standard input. Up to 2,048 bytes go on chain.
    #[arg(long, value_name = "FILE")]
    pub(super) spec: PathBuf,
    /// Place where a longer specification is served: the address of a `tos content serve`.
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<String>,
    /// For how many ticks (blocks) miners may join and commit.
    #[arg(long, value_name = "TICKS")]
    pub(super) open_for: Tick,
    /// Lowest quality that can win, 1 to 100.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(super) min_quality: u8,
    /// Places for miners.
    #[arg(long, value_name = "PLACES", default_value_t = 8,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PARTICIPANTS)))]
    pub(super) max_participants: u32,
    /// A parameter of the type, such as language=python. Code analysis: language, lines; security
    /// audit: scope, standard; data analysis: format, records; algorithm optimization: problem,
    /// objective; logic reasoning: domain; general: subject; custom: detail.
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = parse::pair)]
    pub(super) params: Vec<(String, String)>,
    /// A name of your own for this task, such as an order's number. The same command again finds
    /// the task that the first one published, for as long as the chain keeps its record, and pays
    /// nothing. The chain sees its BLAKE3 hash.
    #[arg(long, value_name = "TEXT", value_parser = hash_reference)]
    pub(super) reference: Option<[u8; 32]>,
}

/// Outcome of publishing.
#[derive(Debug)]
enum Published {
    /// A new task.
    New(TaskId, Included),
    /// The task that was published under the same reference before.
    Found(TaskId),
}

/// A reference as the chain has it.
fn hash_reference(text: &str) -> Result<[u8; 32], String> {
    match text.trim().is_empty() {
        true => Err("a reference is not empty".into()),
        false => Ok(*blake3::hash(text.as_bytes()).as_bytes()),
    }
}

/// Publishes a task, unless the account has published one under this reference.
async fn publish(
    connection: &Connection,
    signer: &Signer,
    call: &Call,
    reference: Option<[u8; 32]>,
    (wait, time): (Wait, Duration),
) -> Result<Published> {
    let found = || async {
        let Some(reference) = reference else {
            return Ok(None);
        };
        let best = connection.best().await?;
        best.task_by_reference(signer.account(), reference).await
    };
    if let Some(task) = found().await? {
        return Ok(Published::Found(task));
    }
    match connection.submit(signer, call, wait, time).await {
        Ok(included) => {
            let task = included.task.ok_or_else(|| {
                Error::Failed("the transaction succeeded without publishing a task".into())
            })?;
            Ok(Published::New(task, included))
        }
        // An earlier call got in after the question.
        Err(Error::Refused { name, docs, fee }) if name == "Tasks::ReferenceUsed" => {
            match found().await? {
                Some(task) => Ok(Published::Found(task)),
                None => Err(Error::Refused { name, docs, fee }),
            }
        }
        Err(error) => Err(error),
    }
}

impl Publish {
    /// The call that publishes the task.
    pub(super) fn call(&self, params: TaskParams, spec: ContentRef) -> Call {
        Call::Publish {
            params,
            difficulty: self.difficulty,
            spec,
            reward: Compact(self.reward),
            open_for: self.open_for,
            min_quality: self.min_quality,
            max_participants: self.max_participants,
            reference: self.reference,
        }
    }

    /// Parameters of the task, bytes of its specification, and the reference to them.
    ///
    /// # Errors
    /// All that is wrong with them is told at once.
    pub(super) fn local(&self) -> Result<(TaskParams, Vec<u8>, ContentRef)> {
        let params = parse::params(self.task_type, &self.params).map_err(Error::Usage);
        let spec = content::read_file(&self.spec).and_then(|bytes| {
            let spec = refer(&bytes, &self.spec, self.public_url.as_deref())?;
            Ok((bytes, spec))
        });
        let (params, (bytes, spec)) = parse::both(params, spec)?;
        Ok((params, bytes, spec))
    }

    pub(super) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let (params, bytes, spec) = self.local()?;
        let store = Store::open(global.folder()?.join("content"))?;
        let hash = spec.hash;
        store.pin(&hash, Why::Published)?;
        store.put(&bytes)?;
        if let (true, Some(url)) = (spec.inline.is_empty(), &self.public_url) {
            content::warn_unless_reached(&store, url).await?;
        }
        let call = self.call(params, spec);
        let signer = global.signer()?;
        let connection = global.connect().await?;
        let at = connection.best().await?;
        // Asked for advice only: whether it may be published, the chain says.
        if let Ok(rules) = at.type_rules(self.task_type, self.difficulty).await {
            if rules.known && rules.judges < MIN_PANEL {
                let judges = super::show::count(rules.judges, "judge");
                tracing::warn!(
                    "{judges} of this type, and a panel has {MIN_PANEL} at least: while that is \
                     so, the task cannot be judged, and the reward will go back"
                );
            }
        }
        let waiting = (global.wait, global.time());
        let published = publish(&connection, &signer, &call, self.reference, waiting).await?;
        let reference = self.reference.map(|hash| to_hex(&hash));
        let (task, value) = match published {
            Published::New(task, included) => {
                let value = json!({
                    "task": task, "found": false, "reference": reference, "spec": to_hex(&hash),
                    "transaction": to_hex(&included.transaction),
                    "block": to_hex(&included.block), "finalised": included.finalised,
                });
                (task, value)
            }
            Published::Found(task) => {
                let view = connection.best().await?.task(task).await?;
                let spec = view.map(|view| view.spec.hash);
                let finalised = connection.finalised().await?.task(task).await?.is_some();
                tracing::warn!(
                    "task {task} was published under this reference before: nothing was sent"
                );
                if spec.is_some_and(|spec| spec != hash) {
                    tracing::warn!("that task has another specification");
                }
                let value = json!({
                    "task": task, "found": true, "reference": reference,
                    "spec": spec.map(|spec| to_hex(&spec)), "finalised": finalised,
                });
                (task, value)
            }
        };
        output.show(&value, || task.to_string());
        output.hint(&format!("follow it with: tos task watch {task}"));
        Ok(())
    }
}

/// Refers to the content of a file: inline where it fits, otherwise by its place at `public_url`.
fn refer(bytes: &[u8], file: &Path, public_url: Option<&str>) -> Result<ContentRef> {
    if bytes.len() < MIN_CONTENT as usize {
        return Err(Error::Usage(format!(
            "{}: fewer than {MIN_CONTENT} bytes",
            file.display()
        )));
    }
    let content = match public_url {
        _ if bytes.len() <= MAX_INLINE as usize => ContentRef::inline(bytes),
        Some(url) => {
            let locator = content::locator(url, &content_hash(bytes))?;
            ContentRef::located(bytes, locator.as_bytes())
        }
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
    use clap::Parser;
    use tos_sdk::testing::node::{signer, Effect, FakeNode, Next, Reaction, Tell};

    const EARLIER: TaskId = TaskId([9; 16]);
    const WAITING: (Wait, Duration) = (Wait::Finalised, Duration::from_secs(120));

    /// Publishes with this reference; the node knows nothing of what is in the call.
    async fn publish_on(node: &FakeNode, reference: Option<[u8; 32]>) -> Published {
        let call = Call::Crank { task: EARLIER };
        let connection = node.connect().await;
        publish(&connection, &signer(), &call, reference, WAITING)
            .await
            .unwrap()
    }

    #[test]
    fn a_reference_is_the_hash_of_its_text() {
        let hash = *blake3::hash(b"order 17").as_bytes();
        assert_eq!(hash_reference("order 17"), Ok(hash));
        assert!(hash_reference("").is_err() && hash_reference(" ").is_err());
    }

    #[tokio::test]
    async fn a_reference_that_was_used_finds_its_task_and_sends_nothing() {
        let node = FakeNode::new();
        node.lock().by_reference.push_back(Some(EARLIER));
        let published = publish_on(&node, Some([1; 32])).await;
        assert!(matches!(published, Published::Found(EARLIER)));
        assert!(node.lock().submitted.is_empty());
    }

    #[tokio::test]
    async fn a_reference_that_is_used_meanwhile_finds_its_task() {
        let node = FakeNode::new();
        node.lock().by_reference.extend([None, Some(EARLIER)]);
        let fails = Next::This(Effect::Fails);
        let reaction = Reaction::Take(fails, &[Tell::InBlock, Tell::Finalised]);
        node.lock().reactions.push_back(reaction);
        let published = publish_on(&node, Some([1; 32])).await;
        assert!(matches!(published, Published::Found(EARLIER)));
    }

    #[tokio::test]
    async fn a_reference_is_asked_for_only_if_one_is_given() {
        let node = FakeNode::new();
        node.lock().by_reference.push_back(Some(EARLIER));
        let published = publish_on(&node, None).await;
        assert!(matches!(published, Published::New(..)), "{published:?}");
        assert_eq!(node.lock().submitted.len(), 1);
    }

    /// Command line of `tos task publish` alone.
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        publish: Publish,
    }

    /// A command that publishes an optimisation task with this specification.
    fn command(spec: &Path, more: &[&str]) -> Publish {
        let spec = spec.to_str().unwrap();
        let line = "publish --type algorithm-optimization --difficulty beginner --reward 1 \
                    --open-for 9 --spec";
        let words = line.split_whitespace().chain([spec]);
        let words = words.chain(more.iter().copied());
        Line::try_parse_from(words).unwrap().publish
    }

    #[test]
    fn a_missing_parameter_does_not_hide_a_missing_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spec");
        let error = command(&file, &[]).local().err().unwrap();
        assert_eq!(error.exit_code(), 2);
        let name = file.display().to_string();
        for part in ["--param problem=…", "--param objective=…", &name] {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
        let params = ["--param", "problem=tsp", "--param", "objective=minimise"];
        let error = command(&file, &params).local().err().unwrap();
        assert!(!error.to_string().contains("--param"), "{error}");
        assert!(error.to_string().contains(&name), "{error}");
        std::fs::write(&file, "x".repeat(2_049)).unwrap();
        let error = command(&file, &[]).local().err().unwrap();
        for part in ["--param problem=…", "--public-url"] {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn specifications_go_on_chain_when_they_fit_and_by_address_otherwise() {
        let file = Path::new("spec");
        let refer = |length: usize, url| refer(&vec![b'x'; length], file, url);
        assert!(refer(2_048, None).unwrap().locator.is_empty());
        assert_eq!(refer(2_049, None).err().unwrap().exit_code(), 2);
        let content = refer(2_049, Some("http://h:1/")).unwrap();
        assert!(content.inline.is_empty() && content.locator.starts_with(b"http://h:1/blake3/"));
        assert!(refer(5, None).is_err());
    }
}
