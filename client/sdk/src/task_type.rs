// SPDX-License-Identifier: Apache-2.0

//! Names of task types, as command lines, files and messages write them.

use tos_types::TaskType;

/// All names of built-in task types.
const TYPES: [(&str, TaskType); 6] = [
    ("code-analysis", TaskType::CodeAnalysis),
    ("security-audit", TaskType::SecurityAudit),
    ("data-analysis", TaskType::DataAnalysis),
    ("algorithm-optimization", TaskType::AlgorithmOptimization),
    ("logic-reasoning", TaskType::LogicReasoning),
    ("general", TaskType::General),
];

/// Reads a task type: `code-analysis`, `codeAnalysis`, … or `custom:7`.
pub fn parse(text: &str) -> Result<TaskType, String> {
    if let Some(number) = text.strip_prefix("custom:") {
        return number
            .parse()
            .map(TaskType::Custom)
            .map_err(|e| format!("custom type: {e}"));
    }
    let wanted = letters(text);
    let found = TYPES.iter().find(|(name, _)| letters(name) == wanted);
    found.map(|(_, task_type)| *task_type).ok_or_else(|| {
        let names: Vec<_> = TYPES.iter().map(|(name, _)| *name).collect();
        format!(
            "unknown task type; known: {}, custom:NUMBER",
            names.join(", ")
        )
    })
}

/// Writes a task type as [`parse`] reads it.
pub fn type_name(task_type: TaskType) -> String {
    match task_type {
        TaskType::Custom(number) => format!("custom:{number}"),
        known => {
            let found = TYPES.iter().find(|(_, task_type)| *task_type == known);
            found
                .map(|(name, _)| (*name).to_owned())
                .unwrap_or_else(|| format!("{known:?}"))
        }
    }
}

/// Letters and digits of a name, in lower case: what two spellings of it share.
pub fn letters(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_round_trip() {
        for task_type in TaskType::BUILT_IN.into_iter().chain([TaskType::Custom(9)]) {
            assert_eq!(parse(&type_name(task_type)), Ok(task_type));
        }
        assert_eq!(parse("codeAnalysis"), Ok(TaskType::CodeAnalysis));
        assert!(parse("cooking").is_err() && parse("custom:300").is_err());
    }
}
