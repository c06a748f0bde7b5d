// SPDX-License-Identifier: Apache-2.0

//! Task types, parameters and durations, as the command line takes them.

use tos_sdk::{
    error::Error,
    task_type::{letters, type_name},
};
use tos_types::{
    task::{Label, Objective},
    Difficulty, TaskId, TaskParams, TaskType,
};

/// Reads a difficulty.
pub fn difficulty(text: &str) -> Result<Difficulty, String> {
    let found = Difficulty::ALL
        .into_iter()
        .find(|d| letters(&format!("{d:?}")) == letters(text));
    found.ok_or_else(|| "expected beginner, intermediate, advanced or expert".into())
}

/// Reads a task's identifier.
pub fn task_id(text: &str) -> Result<TaskId, String> {
    match (TaskId::parse(text), text.trim()) {
        (Some(task), _) => Ok(task),
        // Mostly `"$ID"` where the command that was to set it failed.
        (None, "") => Err("it is empty: expected the UUID that `tos task publish` prints".into()),
        (None, _) => {
            Err("expected a UUID, as `tos task publish` and `tos task list` print it".into())
        }
    }
}

/// Reads `key=value`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected key=value")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Both results. Where both are errors of the command line, their texts in one, a line each, so that
/// all that is wrong is told at once; otherwise the first error.
pub fn both<A, B>(first: Result<A, Error>, second: Result<B, Error>) -> Result<(A, B), Error> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(Error::Usage(first)), Err(Error::Usage(second))) => {
            Err(Error::Usage(format!("{first}\n{second}")))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// Keys of the parameters that tasks of a type have.
fn keys(task_type: TaskType) -> &'static [&'static str] {
    match task_type {
        TaskType::CodeAnalysis => &["language", "lines"],
        TaskType::SecurityAudit => &["scope", "standard"],
        TaskType::DataAnalysis => &["format", "records"],
        TaskType::AlgorithmOptimization => &["problem", "objective"],
        TaskType::LogicReasoning => &["domain"],
        TaskType::General => &["subject"],
        TaskType::Custom(_) => &["detail"],
    }
}

/// Makes the parameters of a type from `key=value` pairs; every key must be known and given once.
pub fn params(task_type: TaskType, pairs: &[(String, String)]) -> Result<TaskParams, String> {
    let is_missing = |key: &&&str| !pairs.iter().any(|(name, _)| name.as_str() == **key);
    let missing: Vec<_> = keys(task_type).iter().filter(is_missing).collect();
    if !missing.is_empty() {
        let options = missing.iter().map(|key| format!(" --param {key}=…"));
        let (name, options) = (type_name(task_type), options.collect::<String>());
        return Err(format!("{name} needs{options}"));
    }
    let mut given = Pairs {
        left: pairs.to_vec(),
        task_type,
    };
    let params = match task_type {
        TaskType::CodeAnalysis => TaskParams::CodeAnalysis {
            language: given.label("language")?,
            lines: given.number("lines")?,
        },
        TaskType::SecurityAudit => TaskParams::SecurityAudit {
            scope: given.label("scope")?,
            standard: given.label("standard")?,
        },
        TaskType::DataAnalysis => TaskParams::DataAnalysis {
            format: given.label("format")?,
            records: given.number("records")?,
        },
        TaskType::AlgorithmOptimization => TaskParams::AlgorithmOptimization {
            problem: given.label("problem")?,
            objective: match given.text("objective")?.to_ascii_lowercase().as_str() {
                "minimise" | "minimize" | "min" => Objective::Minimise,
                "maximise" | "maximize" | "max" => Objective::Maximise,
                _ => return Err("objective: expected minimise or maximise".into()),
            },
        },
        TaskType::LogicReasoning => TaskParams::LogicReasoning {
            domain: given.label("domain")?,
        },
        TaskType::General => TaskParams::General {
            subject: given.label("subject")?,
        },
        TaskType::Custom(number) => TaskParams::Custom {
            number,
            detail: given.label("detail")?,
        },
    };
    match given.left.first() {
        Some((key, _)) => Err(format!("{} has no parameter `{key}`", type_name(task_type))),
        None => Ok(params),
    }
}

struct Pairs {
    left: Vec<(String, String)>,
    task_type: TaskType,
}

impl Pairs {
    fn text(&mut self, key: &str) -> Result<String, String> {
        let found = self.left.iter().position(|(name, _)| name == key);
        let at =
            found.ok_or_else(|| format!("{} needs --param {key}=…", type_name(self.task_type)))?;
        Ok(self.left.remove(at).1)
    }

    fn label(&mut self, key: &str) -> Result<Label, String> {
        let text = self.text(key)?;
        if text.is_empty() {
            return Err(format!("{key}: must not be empty"));
        }
        text.into_bytes()
            .try_into()
            .map_err(|_| format!("{key}: at most 64 bytes"))
    }

    fn number(&mut self, key: &str) -> Result<u32, String> {
        match self.text(key)?.parse() {
            Ok(0) | Err(_) => Err(format!("{key}: expected a number above 0")),
            Ok(number) => Ok(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(texts: &[&str]) -> Vec<(String, String)> {
        texts.iter().map(|text| pair(text).unwrap()).collect()
    }

    #[test]
    fn difficulties_are_read() {
        assert_eq!(difficulty("Beginner"), Ok(Difficulty::Beginner));
        assert!(difficulty("hard").is_err());
    }

    #[test]
    fn all_parameters_that_are_missing_are_told_at_once() {
        for (task_type, missing) in [
            (TaskType::CodeAnalysis, "--param language=… --param lines=…"),
            (
                TaskType::SecurityAudit,
                "--param scope=… --param standard=…",
            ),
            (TaskType::DataAnalysis, "--param format=… --param records=…"),
            (
                TaskType::AlgorithmOptimization,
                "--param problem=… --param objective=…",
            ),
            (TaskType::LogicReasoning, "--param domain=…"),
            (TaskType::General, "--param subject=…"),
            (TaskType::Custom(7), "--param detail=…"),
        ] {
            let error = params(task_type, &[]).unwrap_err();
            assert_eq!(error, format!("{} needs {missing}", type_name(task_type)));
        }
        let error = params(TaskType::CodeAnalysis, &pairs(&["lines=3"])).unwrap_err();
        assert_eq!(error, "code-analysis needs --param language=…");
    }

    #[test]
    fn errors_of_the_command_line_are_told_together() {
        let usage = |text: &str| Err::<(), _>(Error::Usage(text.into()));
        assert_eq!(
            both(usage("a"), usage("b")).unwrap_err().to_string(),
            "a\nb"
        );
        let failed = Err::<(), _>(Error::Failed("b".into()));
        assert_eq!(both(usage("a"), failed).unwrap_err().to_string(), "a");
        let error = both(Ok(()), usage("b")).unwrap_err();
        assert_eq!((error.exit_code(), error.to_string().as_str()), (2, "b"));
        assert!(both(Ok(()), Ok(())).is_ok());
    }

    #[test]
    fn parameters_are_typed_and_complete() {
        let good = params(
            TaskType::CodeAnalysis,
            &pairs(&["lines=3", "language=python"]),
        )
        .unwrap();
        assert!(good.is_complete());
        let given = pairs(&["problem=tsp", "objective=minimise"]);
        assert!(params(TaskType::AlgorithmOptimization, &given).is_ok());
        for bad in [
            vec!["language=python"],
            vec!["language=python", "lines=0"],
            vec!["language=", "lines=1"],
            vec!["language=python", "lines=1", "colour=red"],
            vec!["language=python", "lines=1", "lines=2"],
        ] {
            assert!(
                params(TaskType::CodeAnalysis, &pairs(&bad)).is_err(),
                "{bad:?}"
            );
        }
        let long = format!("subject={}", "x".repeat(65));
        assert!(params(TaskType::General, &pairs(&[&long])).is_err());
        assert!(pair("novalue").is_err());
    }
}
