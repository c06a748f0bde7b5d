// SPDX-License-Identifier: Apache-2.0

//! The layout of `-h` and `--help`, and examples of the commands used most.

/// Heading of the options that every command takes, in the help of each.
pub const GLOBAL_OPTIONS: &str = "Global options";

/// Example of `tos task publish`.
pub const PUBLISH: &str = "Example:
  tos task publish --key alice --type code-analysis --difficulty beginner --reward 7.5 \\
      --param language=python --param lines=120 --spec task.json --open-for 1800";
/// Example of `tos task quote`.
pub const QUOTE: &str = "Example:
  tos task quote --key alice --type code-analysis --difficulty beginner --reward 7.5 \\
      --param language=python --param lines=120 --spec task.json --open-for 1800";
/// Example of `tos task lint`.
pub const LINT: &str = "Example:
  tos task lint task.json --judge-cmd 'python3 judge.py'";
/// Example of `tos task watch`.
pub const WATCH: &str = "Example:
  tos task watch 5b0c6d7e-1f2a-4b3c-8d4e-5f6071829304 --limit 600";
/// Example of `tos miner run`.
pub const MINER: &str = "Example:
  tos miner run --key bob --solver-cmd 'python3 solve.py'";
/// Example of `tos judge run`.
pub const JUDGE: &str = "Example:
  tos judge run --key carol --judge-cmd 'python3 judge.py'";
/// Example of `tos storage run`.
pub const PROVIDER: &str = "Example:
  tos storage run --key bob --serve 0.0.0.0:9956 --auto --min-price 0.2";

#[cfg(test)]
mod tests {
    use super::GLOBAL_OPTIONS;
    use crate::commands::{command, Cli};
    use clap::Parser;

    /// All commands with their paths, as `--help` sees them.
    fn all_commands() -> Vec<(String, clap::Command)> {
        fn walk(command: &clap::Command, path: &str, all: &mut Vec<(String, clap::Command)>) {
            for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
                let path = format!("{path} {}", sub.get_name());
                walk(sub, &path, all);
                all.push((path, sub.clone()));
            }
        }
        let mut root = command();
        // Hands the global options on to every command.
        root.build();
        let mut all = Vec::new();
        walk(&root, "tos", &mut all);
        all
    }

    #[test]
    fn help_shows_a_command_s_own_options_first_and_the_global_ones_apart() {
        let root = command();
        let global = root.get_arguments().filter(|a| a.is_global_set());
        let global: Vec<_> = global.map(|a| a.get_id().to_string()).collect();
        assert!(global.iter().any(|id| id == "url"), "{global:?}");
        let mut own_options = 0;
        for (path, command) in all_commands() {
            let text = command.clone().render_long_help().to_string();
            let heading = text.find("\nGlobal options:").unwrap_or_else(|| {
                panic!("{path}: no heading in\n{text}");
            });
            for argument in command.get_arguments() {
                let id = argument.get_id().to_string();
                let is_global = global.contains(&id);
                let apart = argument.get_help_heading() == Some(GLOBAL_OPTIONS);
                assert_eq!(apart, is_global, "{path} {id}");
                let Some(long) = argument.get_long().filter(|_| !argument.is_hide_set()) else {
                    continue;
                };
                let lines = [format!("      --{long}"), format!("  -{long}")];
                let short = argument.get_short().map(|s| format!("  -{s}, --{long}"));
                let place = lines.iter().chain(&short).find_map(|line| {
                    let starts = |at: &usize| text[..*at].ends_with('\n');
                    let ends = |at: &usize| {
                        let next = text[*at + line.len()..].chars().next();
                        next.is_none_or(|c| c != '-' && !c.is_alphanumeric())
                    };
                    let found = text.match_indices(line.as_str()).map(|(at, _)| at);
                    found.filter(starts).find(ends)
                });
                let place = place.unwrap_or_else(|| panic!("{path}: no --{long} in\n{text}"));
                assert_eq!(place > heading, is_global, "{path} --{long}");
                own_options += usize::from(!is_global);
            }
        }
        assert!(own_options > 100, "{own_options}");
    }

    #[test]
    fn the_short_help_has_a_command_s_own_options_and_few_of_the_global_ones() {
        let mut without_own = 0;
        for (path, command) in all_commands() {
            let text = command.clone().render_help().to_string();
            let (own, global) = text.split_once("\nGlobal options:").unwrap_or_else(|| {
                panic!("{path}: no heading in\n{text}");
            });
            let global = global.split("\nExample:").next().unwrap_or_default();
            let options = global.lines().filter(|line| line.trim().starts_with('-'));
            assert_eq!(options.count(), 5, "{path}: {global}");
            assert!(own.contains("see more with '--help'"), "{path}: {own}");
            let arguments = command.get_arguments();
            let own_options = arguments.filter(|one| one.get_help_heading().is_none());
            // Help and version.
            if own_options.count() <= 2 && !command.has_subcommands() {
                let lines = text.lines().count();
                assert!(lines <= 24, "{path}: {lines} lines\n{text}");
                without_own += 1;
            }
        }
        assert!(without_own > 10, "{without_own}");
    }

    #[test]
    fn the_most_used_commands_have_an_example_that_parses() {
        let all = all_commands();
        for path in [
            "tos task publish",
            "tos task quote",
            "tos task lint",
            "tos task watch",
            "tos miner run",
            "tos judge run",
            "tos storage run",
        ] {
            let (_, command) = all.iter().find(|(name, _)| name == path).unwrap();
            for text in [
                command.clone().render_help(),
                command.clone().render_long_help(),
            ] {
                let text = text.to_string();
                let (_, example) = text.split_once("Example:\n").expect(path);
                let line = example.trim().replace("\\\n", " ");
                assert!(line.starts_with(path), "{line}");
                // A quoted command is one word to a shell.
                let (mut words, mut quoted) = (Vec::new(), false);
                for part in line.split('\'') {
                    match quoted {
                        true => words.push(part),
                        false => words.extend(part.split_whitespace()),
                    }
                    quoted = !quoted;
                }
                if let Err(error) = Cli::try_parse_from(&words) {
                    panic!("{line}: {error}");
                }
            }
        }
    }
}
