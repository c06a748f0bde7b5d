// SPDX-License-Identifier: Apache-2.0

//! `tos task lint`: tries a specification as judges will meet it, before anything is paid.

use super::parse;
use crate::output::Output;
use tos_sdk::task_type::{self, type_name};
use tos_sdk::{
    canonical,
    content::{self, Held, Lacking, Store, Why},
    error::{Context, Error, Result},
    http::Http,
};

use polkadot_sdk::sp_core::crypto::AccountId32;
use serde::Serialize;
use serde_json::{json, Value};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tos_formulas::{
    simhash::simhash,
    split::{SplitProfile, WinnerRule},
};
use tos_types::{
    content::{content_hash, MAX_CONTENT, MAX_INLINE, MIN_CONTENT},
    json::to_hex,
    rules::{DifficultyTerms, TaskRules},
    ContentRef, Difficulty, Phase, TaskId, TaskParams, TaskType,
};
use tos_views::{SubmissionView, TaskSummary, TaskView};
use tos_workers::tasks::{JobContext, Limits, Program, MAX_SPEC_TEXT};

/// Bytes of a line of plain text beyond which it is unusual.
const LONG_LINE: usize = 10_000;
/// Time a judge's run may take beyond its own limits, for starting and reading it.
const GRACE: Duration = Duration::from_secs(30);
/// Answer that the judge is tried with when none is given. No task's answer has this form.
const SAMPLE: &str = r#"{"sample":"an answer made up by tos task lint"}"#;

/// See `tos task lint --help`.
#[derive(clap::Args)]
pub struct Lint {
    /// The specification; - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Run this judge with the specification and an answer, as `tos judge run` would.
    #[arg(long, value_name = "COMMAND")]
    judge_cmd: Option<String>,
    /// The answer to give to the judge: JSON, or any text. [default: one that fits no task, which
    /// a judge should call malformed]
    #[arg(long, value_name = "FILE", requires = "judge_cmd")]
    answer: Option<PathBuf>,
    /// Fetch the specification from this address, as judges would: that of a `tos content serve`,
    /// such as http://my.host:9955.
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// The type that the task will have. [default: that of the specification's kind, or general]
    #[arg(long = "type", value_name = "TYPE", value_parser = task_type::parse)]
    task_type: Option<TaskType>,
    /// A parameter of the type, as for `tos task publish`.
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = parse::pair, requires = "task_type")]
    params: Vec<(String, String)>,
    /// Seconds the judge may take.
    #[arg(long, default_value_t = 600, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    time_limit: u64,
    /// MiB of memory each process of the judge may write to; 0 for no limit.
    #[arg(long, default_value_t = 4096, value_name = "MIB")]
    memory_limit: u64,
    /// Seconds to try to fetch the specification before it counts as unavailable.
    #[arg(long, default_value_t = 60, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    fetch_limit: u64,
}

/// Weight of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Level {
    /// As it should be, or worth knowing.
    Note,
    /// Unusual: it may be meant.
    Warning,
    /// Judges would fail.
    Error,
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    level: Level,
    /// Name of the check.
    check: &'static str,
    /// Outcome in words.
    message: String,
}

fn finding(level: Level, check: &'static str, message: impl Into<String>) -> Finding {
    let message = message.into();
    Finding {
        level,
        check,
        message,
    }
}

impl Lint {
    /// Runs the command.
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let (bytes, mut findings) = self.read()?;
        if let Some(bytes) = &bytes {
            findings.extend(look(bytes, self.from.is_some()));
            if let Some(task_type) = self.task_type {
                findings.extend(kind_of_type(bytes, task_type));
            }
            // What the chain refuses is given to no program.
            if !findings
                .iter()
                .any(|f| f.level == Level::Error && f.check == "size")
            {
                self.try_out(bytes, &mut findings).await?;
            }
        }
        let value = json!({
            "file": self.file, "size": bytes.as_ref().map(Vec::len),
            "hash": bytes.as_ref().map(|bytes| to_hex(&content_hash(bytes))),
            "findings": findings,
        });
        output.show(&value, || text(&findings));
        let errors = findings.iter().filter(|f| f.level == Level::Error).count();
        match errors {
            0 => Ok(()),
            1 => Err(Error::Failed("judges would fail: 1 error".into())),
            many => Err(Error::Failed(format!("judges would fail: {many} errors"))),
        }
    }

    /// The specification, unless it is larger than any worker reads.
    fn read(&self) -> Result<(Option<Vec<u8>>, Vec<Finding>)> {
        let length = std::fs::metadata(&self.file).ok().filter(|m| m.is_file());
        if let Some(length) = length.map(|m| m.len()).filter(|l| *l > MAX_CONTENT.into()) {
            let found = finding(Level::Error, "size", size_bounds(length));
            return Ok((None, vec![found]));
        }
        Ok((Some(content::read_file(&self.file)?), Vec::new()))
    }

    /// Fetches the specification and runs the judge, as far as that is asked for.
    async fn try_out(&self, bytes: &[u8], findings: &mut Vec<Finding>) -> Result<()> {
        if self.from.is_none() && self.judge_cmd.is_none() {
            return Ok(());
        }
        // Nothing that is here already may stand in for what the address gives.
        let folder = tempfile::tempdir().context("a temporary folder")?;
        let store = Store::open(folder.path().join("content"))?;
        let (http, patience) = (Http::new()?, Duration::from_secs(self.fetch_limit));
        let time = Duration::from_secs(self.time_limit);
        let limits = Limits::of_worker(time, self.memory_limit);
        let workshop = JobContext::new(store, http, patience, limits);
        if let Some(url) = &self.from {
            findings.push(fetch(&workshop, bytes, url).await?);
        }
        if let Some(command) = &self.judge_cmd {
            findings.extend(self.try_judge(&workshop, bytes, command).await?);
        }
        Ok(())
    }

    /// Gives the judge the specification and one answer, by the code of `tos judge run`.
    async fn try_judge(
        &self,
        workshop: &JobContext,
        bytes: &[u8],
        command: &str,
    ) -> Result<Vec<Finding>> {
        let answer = match &self.answer {
            Some(file) => answer_bytes(&content::read_file(file)?),
            None => SAMPLE.as_bytes().to_vec(),
        };
        let task_type = self.task_type.unwrap_or_else(|| type_of(bytes));
        let params = match self.params.is_empty() {
            true => sample_params(task_type)?,
            false => parse::params(task_type, &self.params).map_err(Error::Usage)?,
        };
        let spec = stored(&workshop.store, bytes)?;
        let task = sample_task(params, spec, stored(&workshop.store, &answer)?, &answer);
        let started = Instant::now();
        let judge = workshop.judge(Program::Command(command.to_owned()), None, Arc::new(task));
        let limit = workshop.limits.time.saturating_add(GRACE);
        let judged = match tokio::time::timeout(limit, judge).await {
            Ok(judged) => judged,
            Err(_) => Err(Error::TimedOut(format!("no scores after {limit:?}"))),
        };
        let took = started.elapsed();
        let judgement = match judged {
            Ok(judgement) => judgement,
            Err(error) => {
                let message = format!("after {}: {error}", seconds(took));
                return Ok(vec![finding(Level::Error, "judge", message)]);
            }
        };
        let scores = judgement.scores.iter().map(|score| {
            format!(
                "quality {}, innovation {}, {:?}",
                score.quality, score.innovation, score.verdict
            )
        });
        let scores = scores.collect::<Vec<_>>().join("; ").to_lowercase();
        let message = format!("valid scores after {}: {scores}", seconds(took));
        let mut all = vec![finding(Level::Note, "judge", message)];
        let best = judgement.scores.iter().map(|score| score.quality).max();
        if let (None, Some(quality @ 50..)) = (&self.answer, best) {
            let message = format!(
                "it gives quality {quality} to an answer that fits no task: does it read the answer?"
            );
            all.push(finding(Level::Warning, "judge", message));
        }
        Ok(all)
    }
}

/// Fetches the specification as a judge would.
async fn fetch(workshop: &JobContext, bytes: &[u8], url: &str) -> Result<Finding> {
    let hash = content_hash(bytes);
    let locator = content::locator(url, &hash)?;
    let content = ContentRef::located(bytes, locator.as_bytes());
    let content = content.ok_or_else(|| Error::Usage(format!("cannot refer to {locator}")))?;
    let started = Instant::now();
    let held = workshop.fetcher.hold(&content, MAX_SPEC_TEXT).await;
    let took = seconds(started.elapsed());
    match held {
        Ok(held) => {
            let size = bytes.len();
            let form = match held {
                Held::Bytes(_) => "",
                Held::File(_) => ", which judges get as a file",
            };
            Ok(finding(
                Level::Note,
                "fetch",
                format!("{locator} gives {size} bytes with the right hash after {took}{form}"),
            ))
        }
        Err(Lacking::Server(error)) => Ok(finding(
            Level::Error,
            "fetch",
            format!(
                "not available after {took}: {error}; is `tos content serve` running there, after \
                 `tos content put`?"
            ),
        )),
        Err(Lacking::Here(error)) => Err(error),
    }
}

/// Everything that can be said of a specification by looking at it.
fn look(bytes: &[u8], served: bool) -> Vec<Finding> {
    let mut all = Vec::new();
    let size = bytes.len() as u64;
    if !(u64::from(MIN_CONTENT)..=u64::from(MAX_CONTENT)).contains(&size) {
        all.push(finding(Level::Error, "size", size_bounds(size)));
    } else if size <= MAX_INLINE.into() {
        let message = format!("{size} bytes, which go on chain (up to {MAX_INLINE} do)");
        all.push(finding(Level::Note, "size", message));
    } else {
        let message = format!(
            "{size} bytes, more than the {MAX_INLINE} that go on chain: serve it until the task is \
             settled, and name the address with --public-url when you publish"
        );
        all.push(finding(Level::Note, "size", message));
        if !served {
            let message = "not tried: --from URL fetches it as judges would";
            all.push(finding(Level::Warning, "fetch", message));
        }
    }
    let as_file = size > MAX_SPEC_TEXT.into();
    if as_file {
        let message = format!(
            "more than {MAX_SPEC_TEXT} bytes: programs get the path of a file (`specPath`) instead \
             of the text, and language models do not take the task"
        );
        all.push(finding(Level::Warning, "size", message));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => all.extend(look_at_text(text)),
        Err(error) => {
            let place = error.valid_up_to();
            let (level, effect) = match as_file {
                true => (Level::Warning, "judges must read the file's bytes"),
                false => (
                    Level::Error,
                    "`spec` and `specText` are null for every program",
                ),
            };
            let message = format!("not UTF-8 at byte {place}: {effect}");
            all.push(finding(level, "utf8", message));
        }
    }
    all
}

fn look_at_text(text: &str) -> Vec<Finding> {
    let mut all = Vec::new();
    if text.trim().is_empty() {
        all.push(finding(Level::Error, "text", "nothing but white space"));
        return all;
    }
    if text.starts_with('\u{feff}') {
        let message = "begins with a byte order mark, which no JSON may";
        all.push(finding(Level::Warning, "text", message));
    }
    let unusual = |c: char| {
        let invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
        invisible || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    };
    let mut found = text.char_indices().filter(|(_, c)| unusual(*c));
    if let Some((place, first)) = found.next() {
        let count = found.count().saturating_add(1);
        let message = format!(
            "{count} control or invisible characters, the first {} at byte {place}",
            first.escape_unicode()
        );
        all.push(finding(Level::Warning, "text", message));
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => all.extend(look_at_json(&value)),
        Err(error) => {
            let longest = text.lines().map(str::len).max().unwrap_or(0);
            if longest > LONG_LINE {
                let message = format!("a line of {longest} bytes");
                all.push(finding(Level::Warning, "text", message));
            }
            // The byte order mark is reported, and is what a parser stumbles over.
            let meant = text.trim_start_matches('\u{feff}').trim_start();
            all.push(match meant.starts_with('{') {
                true => finding(
                    Level::Error,
                    "json",
                    format!("begins like JSON and is none ({error}): `spec` is null for judges"),
                ),
                false => finding(
                    Level::Note,
                    "json",
                    "plain text: programs find it in `specText`, and `spec` is null",
                ),
            });
        }
    }
    all
}

/// Checks what the programs in `examples/workers` expect: `docs/worker-protocol.md`.
fn look_at_json(value: &Value) -> Vec<Finding> {
    let Some(kind) = value.get("kind").and_then(Value::as_str) else {
        let message = "JSON without a text `kind`: the example judges do not take it, yours may";
        return vec![finding(Level::Warning, "kind", message)];
    };
    let data = value.get("data").unwrap_or(&Value::Null);
    let text = |name: &str| data.get(name).is_some_and(Value::is_string);
    let point = |point: &Value| {
        let pair = point.as_array().filter(|pair| pair.len() == 2);
        pair.is_some_and(|pair| pair.iter().all(|x| x.is_i64() || x.is_u64()))
    };
    let wrong: Vec<&str> = match kind {
        "tsp" => {
            let metric = data.get("edgeWeight").and_then(Value::as_str) == Some("EUC_2D");
            let points = data.get("points").and_then(Value::as_array);
            let points = points.is_some_and(|all| !all.is_empty() && all.iter().all(point));
            [
                (metric, "data.edgeWeight must be \"EUC_2D\""),
                (points, "data.points must be pairs of whole numbers"),
            ]
            .into_iter()
            .filter_map(|(good, wanted)| (!good).then_some(wanted))
            .collect()
        }
        "code-review" => [
            (text("language"), "data.language must be a text"),
            (text("file"), "data.file must be a text"),
            (text("source"), "data.source must be a text"),
            (
                data.get("kinds").is_some_and(Value::is_object),
                "data.kinds must say what each kind of defect means",
            ),
        ]
        .into_iter()
        .filter_map(|(good, wanted)| (!good).then_some(wanted))
        .collect(),
        _ => {
            let kind = kind.escape_debug();
            let message = format!("kind `{kind}`: no example judge knows it, yours must");
            return vec![finding(Level::Note, "kind", message)];
        }
    };
    match wrong.is_empty() {
        true => vec![finding(
            Level::Note,
            "kind",
            format!("a task of kind {kind}"),
        )],
        false => {
            let message = format!("not a task of kind {kind}: {}", wrong.join("; "));
            vec![finding(Level::Error, "kind", message)]
        }
    }
}

/// A warning where the type differs from that of the specification's kind.
fn kind_of_type(bytes: &[u8], task_type: TaskType) -> Option<Finding> {
    let expected = known_type(bytes).filter(|expected| *expected != task_type)?;
    let message = format!(
        "the type is {}, and specifications of this kind are for {}",
        type_name(task_type),
        type_name(expected)
    );
    Some(finding(Level::Warning, "kind", message))
}

/// The type that the specification's kind is for, if it is one of the examples'.
fn known_type(bytes: &[u8]) -> Option<TaskType> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    match value.get("kind")?.as_str()? {
        "tsp" => Some(TaskType::AlgorithmOptimization),
        "code-review" => Some(TaskType::CodeAnalysis),
        _ => None,
    }
}

fn type_of(bytes: &[u8]) -> TaskType {
    known_type(bytes).unwrap_or(TaskType::General)
}

/// Parameters to try a judge with.
fn sample_params(task_type: TaskType) -> Result<TaskParams> {
    let pairs: &[(&str, &str)] = match task_type {
        TaskType::CodeAnalysis => &[("language", "sample"), ("lines", "1")],
        TaskType::SecurityAudit => &[("scope", "sample"), ("standard", "sample")],
        TaskType::DataAnalysis => &[("format", "sample"), ("records", "1")],
        TaskType::AlgorithmOptimization => &[("problem", "sample"), ("objective", "minimise")],
        TaskType::LogicReasoning => &[("domain", "sample")],
        TaskType::General => &[("subject", "sample")],
        TaskType::Custom(_) => &[("detail", "sample")],
    };
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    parse::params(task_type, &pairs).map_err(Error::Failed)
}

/// The bytes a miner would commit to for what a file holds.
fn answer_bytes(file: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<Value>(file) {
        Ok(answer) => canonical::answer_bytes(answer),
        Err(_) => file.to_vec(),
    }
}

/// Keeps content in `store` and refers to it as a task does: what does not fit on chain is found
/// in the store, so its locator is not followed.
fn stored(store: &Store, bytes: &[u8]) -> Result<ContentRef> {
    if let Some(inline) = ContentRef::inline(bytes) {
        return Ok(inline);
    }
    let hash = content_hash(bytes);
    store.pin(&hash, Why::Put)?;
    store.put(bytes)?;
    let locator = content::locator("http://localhost", &hash)?;
    let located = ContentRef::located(bytes, locator.as_bytes());
    located.ok_or_else(|| Error::Failed("cannot refer to the content".into()))
}

/// A task with one revealed answer, as the chain would show it to a judge.
fn sample_task(
    params: TaskParams,
    spec: ContentRef,
    content: ContentRef,
    answer: &[u8],
) -> TaskView<AccountId32> {
    let miner = AccountId32::new([1; 32]);
    let task_type = params.task_type();
    let terms = DifficultyTerms::standard(Difficulty::Beginner);
    TaskView {
        summary: TaskSummary {
            id: TaskId([0; 16]),
            publisher: AccountId32::new([0; 32]),
            task_type,
            difficulty: Difficulty::Beginner,
            reward: terms.least_reward,
            min_quality: 50,
            max_participants: 1,
            joined: 1,
            committed: 1,
            revealed: 1,
            phase: Phase::VoteCommit,
            round: 0,
            opened: 0,
            open_until: 0,
            deadline: 0,
        },
        params,
        spec,
        publisher_stake: 0,
        submissions: vec![SubmissionView {
            id: [0; 16],
            miner: miner.clone(),
            stake: terms.stake,
            commitment: None,
            content: Some(content),
            simhash: Some(simhash(answer)),
            duplicate: false,
            result: None,
            earned: 0,
            lost: 0,
        }],
        answers: vec![miner],
        challenge: None,
        terms,
        rules: TaskRules::STANDARD,
        rule_set: 0,
        split: SplitProfile::for_task(task_type, Difficulty::Beginner),
        winners: WinnerRule::for_type(task_type),
    }
}

fn size_bounds(size: u64) -> String {
    format!("{size} bytes: the chain takes {MIN_CONTENT} to {MAX_CONTENT}")
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn text(findings: &[Finding]) -> String {
    let line = |found: &Finding| {
        let level = match found.level {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        format!("{level:<7}  {:<5}  {}", found.check, found.message)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[path = "lint_tests.rs"]
mod tests;
