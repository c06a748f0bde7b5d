// SPDX-License-Identifier: Apache-2.0

//! Input and output of solvers and judges: `docs/worker-protocol.md`.

use polkadot_sdk::sp_core::crypto::AccountId32;
use serde::Deserialize;
use serde_json::{json, Value};
use std::fmt::Write;
use tos_sdk::{
    content::Held,
    error::{Context, Error, Result},
};
use tos_types::{
    content::content_hash, json::to_hex, vote::MAX_SCORE, AnswerScore, ContentHash, Report, Verdict,
};
use tos_views::TaskView;

/// Version of the protocol; raised when a change would break a program.
const VERSION: u32 = 1;
/// Version of a request that names content by the path of a file. A program that knows nothing of
/// paths would take such content for none, and must fail instead.
const VERSION_WITH_PATHS: u32 = 2;
/// Bytes of an answer up to which it is in the request itself. The same on every machine, because
/// the members of a panel must read the same. A task takes 32 answers: 4 MiB in all.
pub const MAX_ANSWER_TEXT: u32 = 128 * 1024;
/// Bytes of a specification up to which it is in the request itself.
pub const MAX_SPEC_TEXT: u32 = 1024 * 1024;

fn version<'a>(mut contents: impl Iterator<Item = &'a Held>) -> u32 {
    match contents.any(|held| matches!(held, Held::File(_))) {
        true => VERSION_WITH_PATHS,
        false => VERSION,
    }
}

/// Input of a solver.
pub fn solver_input(
    task: &TaskView<AccountId32>,
    spec: &Held,
    seconds: u64,
    memory_mib: u64,
) -> Value {
    let mut input = json!({
        "version": version(std::iter::once(spec)),
        "role": "miner",
        "task": task_json(task),
        "limits": {"seconds": seconds, "memoryMiB": memory_mib},
    });
    add_spec(&mut input, spec);
    input
}

/// Adds the specification: in full, or where it lies.
fn add_spec(input: &mut Value, spec: &Held) {
    let (text, parsed) = match spec {
        Held::Bytes(bytes) => readings(bytes),
        Held::File(_) => (None, None),
    };
    if let Value::Object(fields) = input {
        fields.insert("spec".into(), parsed.into());
        fields.insert("specText".into(), text.into());
        if let Held::File(path) = spec {
            fields.insert("specPath".into(), path.to_string_lossy().into());
        }
    }
}

/// An answer as a judge sees it.
pub struct Seen {
    /// The hash it was revealed with.
    pub hash: ContentHash,
    /// The size it was revealed with.
    pub size: u32,
    /// The content with its SimHash, if it could be fetched.
    pub content: Option<(Held, u64)>,
    /// The SimHash it was revealed with.
    pub simhash: Option<u64>,
}

impl Seen {
    /// The verdict the rules give by themselves: an answer that cannot be fetched is unavailable,
    /// and one with a forged SimHash, made up to hide or to feign a copy, is malformed.
    fn verdict(&self) -> Option<Verdict> {
        match &self.content {
            None => Some(Verdict::Unavailable),
            Some((_, simhash)) if self.simhash != Some(*simhash) => Some(Verdict::Malformed),
            Some(_) => None,
        }
    }

    fn held(&self) -> Option<&Held> {
        self.content.as_ref().map(|(held, _)| held)
    }
}

/// Request to a judge. It is written answer by answer: parsed, JSON takes many times the memory of
/// its text, so no more than one answer is parsed at a time.
pub fn judge_input(task: &TaskView<AccountId32>, spec: &Held, answers: &[Seen]) -> String {
    let contents = answers.iter().filter_map(Seen::held);
    let mut input = json!({
        "version": version(contents.chain(std::iter::once(spec))),
        "role": "judge",
        "task": task_json(task),
    });
    add_spec(&mut input, spec);
    let mut text = input.to_string();
    // In place of the bracket that ends the object.
    text.pop();
    text.push_str(",\"answers\":[");
    for (index, answer) in answers.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        // Writing to a string does not fail.
        let _ = write!(text, "{}", answer_json(index, answer));
    }
    text.push_str("]}");
    text
}

fn answer_json(index: usize, answer: &Seen) -> Value {
    let (text, parsed) = match answer.held() {
        Some(Held::Bytes(bytes)) => readings(bytes),
        Some(Held::File(_)) | None => (None, None),
    };
    let mut value = json!({
        "index": index,
        "hash": to_hex(&answer.hash).trim_start_matches("0x"),
        "size": answer.size,
        "text": text,
        "json": parsed,
        "available": answer.content.is_some(),
    });
    if let (Value::Object(fields), Some(Held::File(path))) = (&mut value, answer.held()) {
        fields.insert("path".into(), path.to_string_lossy().into());
    }
    value
}

fn task_json(task: &TaskView<AccountId32>) -> Value {
    json!({
        "id": task.summary.id,
        "type": task.summary.task_type,
        "params": task.params,
        "difficulty": task.summary.difficulty,
        "minQuality": task.summary.min_quality,
    })
}

/// Content as text and as JSON, where it is either.
fn readings(bytes: &[u8]) -> (Option<&str>, Option<Value>) {
    (
        std::str::from_utf8(bytes).ok(),
        serde_json::from_slice(bytes).ok(),
    )
}

/// Output of a solver.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Solution {
    /// The answer; its canonical bytes are committed to.
    pub answer: Value,
    /// For the miner's log.
    #[serde(default)]
    pub note: Option<String>,
    /// From control authors: the quality a careful judge must find, which makes the answer a check.
    #[serde(default)]
    pub control_quality: Option<u8>,
}

/// Reads what a solver wrote.
pub fn solver_output(bytes: &[u8]) -> Result<Solution> {
    let output: Value = serde_json::from_slice(bytes).context("solver output")?;
    // An explicit null is an answer too, so its presence is checked apart.
    if output.get("answer").is_none() {
        return Err(Error::Failed("solver output: no field `answer`".into()));
    }
    let solution: Solution = serde_json::from_value(output).context("solver output")?;
    if solution
        .control_quality
        .is_some_and(|quality| quality > MAX_SCORE)
    {
        return Err(Error::Failed(
            "solver output: `control_quality` is above 100".into(),
        ));
    }
    Ok(solution)
}

#[derive(Deserialize)]
struct Findings {
    failed: Vec<u32>,
}

/// Reads what a pinned tool printed: the report is about these very bytes.
pub fn tool_output(bytes: &[u8], answers: usize) -> Result<Report> {
    let Findings { failed } = serde_json::from_slice(bytes).context("tool output")?;
    let mut bits = 0u32;
    for index in failed {
        let bit = 1u32
            .checked_shl(index)
            .filter(|_| (index as usize) < answers);
        bits |= bit.ok_or_else(|| {
            Error::Failed(format!(
                "tool output: there is no answer {index} among {answers}"
            ))
        })?;
    }
    Ok(Report {
        output: content_hash(bytes),
        failed: bits,
    })
}

#[derive(Deserialize)]
struct Judgement {
    scores: Vec<Score>,
}

#[derive(Deserialize)]
struct Score {
    quality: u8,
    innovation: u8,
    verdict: Verdict,
    #[serde(default)]
    reason: Option<String>,
}

/// Reads what a judge wrote: a score for each of the answers. Where the rules give a verdict by
/// themselves, it stands, and the judge's score is not used.
pub fn judge_output(bytes: &[u8], answers: &[Seen]) -> Result<Vec<AnswerScore>> {
    let judgement: Judgement = serde_json::from_slice(bytes).context("judge output")?;
    if judgement.scores.len() != answers.len() {
        let (got, wanted) = (judgement.scores.len(), answers.len());
        return Err(Error::Failed(format!(
            "judge output: {got} scores for {wanted} answers"
        )));
    }
    let scored = judgement.scores.into_iter().zip(answers).enumerate();
    scored
        .map(|(index, (score, answer))| {
            if score.quality > MAX_SCORE || score.innovation > MAX_SCORE {
                return Err(Error::Failed(format!(
                    "judge output: score {index} is above 100"
                )));
            }
            let reason = score.reason.unwrap_or_default();
            let Score {
                quality,
                innovation,
                verdict,
                ..
            } = score;
            tracing::info!(index, quality, innovation, ?verdict, reason, "judged");
            Ok(match answer.verdict() {
                None => AnswerScore {
                    quality,
                    innovation,
                    verdict,
                },
                Some(verdict) => {
                    tracing::warn!(index, ?verdict, "the judge's score of this answer is not used: the rules give the verdict (its content cannot be fetched, or does not have the SimHash its author stated)");
                    AnswerScore {
                        quality: 0,
                        innovation: 0,
                        verdict,
                    }
                }
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::fake;
    use tos_formulas::simhash::simhash;

    fn seen(hash: u8, bytes: Option<&[u8]>) -> Seen {
        Seen {
            hash: [hash; 32],
            size: bytes.map(|bytes| bytes.len() as u32).unwrap_or_default(),
            content: bytes.map(|bytes| (held(bytes), simhash(bytes))),
            simhash: bytes.map(simhash),
        }
    }

    fn held(bytes: &[u8]) -> Held {
        Held::Bytes(bytes.to_vec())
    }

    fn judge_value(spec: &Held, answers: &[Seen]) -> Value {
        serde_json::from_str(&judge_input(&fake::task_view(1), spec, answers)).unwrap()
    }

    #[test]
    fn a_solver_reads_what_the_protocol_says() {
        let task = fake::task_view(1);
        let input = solver_input(&task, &held(br#"{"kind":"tsp"}"#), 60, 1024);
        let expected = json!({
            "version": 1,
            "role": "miner",
            "task": {
                "id": task.summary.id.to_string(),
                "type": "general",
                "params": {"general": {"subject": "test"}},
                "difficulty": "beginner",
                "minQuality": 50,
            },
            "spec": {"kind": "tsp"},
            "specText": "{\"kind\":\"tsp\"}",
            "limits": {"seconds": 60, "memoryMiB": 1024},
        });
        assert_eq!(input, expected);
        let input = solver_input(&task, &held(b"\xff\xfe"), 1, 1);
        assert!(input["spec"].is_null() && input["specText"].is_null());
    }

    #[test]
    fn a_judge_reads_what_the_protocol_says() {
        let answers = [
            seen(1, Some(b"{\"a\": 12}")),
            Seen {
                size: 5000,
                ..seen(2, None)
            },
        ];
        let input = judge_value(&held(b"what is asked"), &answers);
        assert_eq!(
            (&input["role"], &input["version"]),
            (&"judge".into(), &1.into())
        );
        assert_eq!(input["specText"], "what is asked");
        let expected = json!([
            {"index": 0, "hash": "01".repeat(32), "size": 9, "text": "{\"a\": 12}",
             "json": {"a": 12}, "available": true},
            {"index": 1, "hash": "02".repeat(32), "size": 5000, "text": null, "json": null,
             "available": false},
        ]);
        assert_eq!(input["answers"], expected);
    }

    #[test]
    fn long_content_is_named_by_its_path_and_by_a_version_that_says_so() {
        let long = Seen {
            size: 200_000,
            content: Some((Held::File("/content/02".into()), 7)),
            simhash: Some(7),
            ..seen(2, None)
        };
        let answers = [seen(1, Some(b"{\"a\": 12}")), long];
        let input = judge_value(&held(b"what is asked"), &answers);
        assert_eq!(input["version"], 2);
        let expected = json!([
            {"index": 0, "hash": "01".repeat(32), "size": 9, "text": "{\"a\": 12}",
             "json": {"a": 12}, "available": true},
            {"index": 1, "hash": "02".repeat(32), "size": 200_000, "text": null, "json": null,
             "available": true, "path": "/content/02"},
        ]);
        assert_eq!(input["answers"], expected);
        assert_eq!(answers[1].verdict(), None);
        let spec = Held::File("/content/03".into());
        let input = judge_value(&spec, &answers[..1]);
        assert_eq!(input["version"], 2);
        assert_eq!(input["specPath"], "/content/03");
        assert!(input["spec"].is_null() && input["specText"].is_null());
        let input = solver_input(&fake::task_view(1), &spec, 1, 1);
        assert_eq!(
            (&input["version"], &input["specPath"]),
            (&2.into(), &"/content/03".into())
        );
    }

    #[test]
    fn solver_output_without_an_answer_is_failure() {
        let solution = solver_output(br#"{"answer": {"b": 1}, "note": "fast"}"#).unwrap();
        assert_eq!(solution.note.as_deref(), Some("fast"));
        assert_eq!(
            solver_output(br#"{"answer": null}"#).unwrap().answer,
            Value::Null
        );
        let known = solver_output(br#"{"answer": 1, "control_quality": 100}"#).unwrap();
        assert_eq!(
            (known.control_quality, solution.control_quality),
            (Some(100), None)
        );
        let beyond = r#"{"answer": 1, "control_quality": 101}"#;
        for bad in ["", "hello", "{}", "[1]", "{\"answer\": 1} {}", beyond] {
            assert!(solver_output(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tool_reports_on_its_very_output_and_only_on_answers_there_are() {
        let output = br#"{"failed": [0, 2], "lengths": [1, 2, 3]}"#;
        let report = tool_output(output, 3).unwrap();
        assert_eq!(report.output, content_hash(output));
        assert_eq!(report.failed, 0b101);
        assert_eq!(tool_output(br#"{"failed": []}"#, 0).unwrap().failed, 0);
        assert_eq!(
            tool_output(br#"{"failed": [31]}"#, 32).unwrap().failed,
            1 << 31
        );
        for bad in [
            r#"{"failed": [3]}"#,
            r#"{"failed": [-1]}"#,
            r#"{"failed": [64]}"#,
            "{}",
            "ok",
        ] {
            assert!(tool_output(bad.as_bytes(), 3).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_judgement_must_score_every_answer_within_range() {
        let forged = Seen {
            simhash: Some(1),
            ..seen(3, Some(b"an answer of three words"))
        };
        let answers = [seen(1, Some(b"an answer")), seen(2, None), forged];
        let output = br#"{"scores": [
            {"quality": 90, "innovation": 50, "verdict": "valid", "reason": "good"},
            {"quality": 90, "innovation": 50, "verdict": "valid"},
            {"quality": 90, "innovation": 50, "verdict": "valid"}
        ]}"#;
        let scores = judge_output(output, &answers).unwrap();
        let valid = AnswerScore {
            quality: 90,
            innovation: 50,
            verdict: Verdict::Valid,
        };
        let verdict = |verdict| AnswerScore {
            verdict,
            ..Default::default()
        };
        let (missing, forged) = (verdict(Verdict::Unavailable), verdict(Verdict::Malformed));
        assert_eq!(scores, [valid, missing, forged]);
        for bad in [
            r#"{"scores": []}"#,
            r#"{"scores": [{"quality": 101, "innovation": 0, "verdict": "valid"}]}"#,
            r#"{"scores": [{"quality": -1, "innovation": 0, "verdict": "valid"}]}"#,
            r#"{"scores": [{"quality": 1.5, "innovation": 0, "verdict": "valid"}]}"#,
            r#"{"scores": [{"quality": 1, "innovation": 0, "verdict": "splendid"}]}"#,
        ] {
            assert!(
                judge_output(bad.as_bytes(), &answers[..1]).is_err(),
                "{bad}"
            );
        }
    }
}
