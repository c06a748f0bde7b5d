// SPDX-License-Identifier: Apache-2.0

use super::{
    sections::{command_line_only, keys},
    *,
};
use crate::commands::command;
use clap::ArgAction;
use std::path::Path;

/// The folder of a file with this text.
fn folder(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tos.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn built() -> Command {
    let mut command = command();
    command.build();
    command
}

fn parse_with(command: Command, text: &str, line: &[&str]) -> Result<Parsed, Failure> {
    let (_folder, path) = folder(text);
    let arguments = std::iter::once("tos").chain(line.iter().copied());
    parse(command, arguments.map(OsString::from).collect(), &[path])
}

fn parsed(text: &str, line: &str) -> Parsed {
    let line: Vec<_> = line.split(' ').collect();
    match parse_with(command(), text, &line) {
        Ok(parsed) => parsed,
        Err(Failure::Clap(error, note)) => panic!("{error} {note:?}"),
        Err(Failure::File(error, _)) => panic!("{error}"),
    }
}

/// The text of an option's values.
fn raw(parsed: &Parsed, id: &str) -> Vec<String> {
    let (_, matches) = leaf(&parsed.matches);
    let raw = matches.get_raw(id).into_iter().flatten();
    raw.map(|value| value.to_string_lossy().into_owned())
        .collect()
}

fn problem(text: &str) -> String {
    let path = Path::new("tos.toml");
    File::parse(&built(), path, text).unwrap_err().to_string()
}

#[test]
fn an_option_wins_over_the_environment_over_the_file_over_the_default() {
    let file = "[node]\nurl = 'ws://file:1'\n[miner]\nsolver-cmd = 'from file'\nattempts = 7\n";
    let url = |parsed: Parsed| raw(&parsed, "url");
    assert_eq!(url(parsed("", "chain status")), ["ws://127.0.0.1:9944"]);
    assert_eq!(url(parsed(file, "chain status")), ["ws://file:1"]);
    // A variable that is set wherever programs run.
    let path = std::env::var("PATH").unwrap();
    let from_environment = || command().mut_arg("url", |arg| arg.env("PATH"));
    let with_variable = |line: &[&str]| {
        let parsed = parse_with(from_environment(), file, line);
        url(parsed.ok().unwrap())
    };
    assert_eq!(with_variable(&["chain", "status"]), [path]);
    let both = ["chain", "status", "--url", "ws://option:2"];
    assert_eq!(with_variable(&both), ["ws://option:2"]);
    assert_eq!(
        url(parsed(file, "--url ws://option:2 chain status")),
        ["ws://option:2"]
    );

    let run = parsed(file, "miner run");
    assert_eq!(raw(&run, "solver_cmd"), ["from file"]);
    assert_eq!(raw(&run, "attempts"), ["7"]);
    let run = parsed(file, "miner run --attempts 3");
    assert_eq!(raw(&run, "attempts"), ["3"]);
}

#[test]
fn a_value_of_the_command_line_replaces_what_excludes_it_in_the_file() {
    let file = "[key]\nname = 'bob'\n[miner]\nsolver-url = 'http://a'\napi-key-env = 'K'\n";
    let run = parsed(file, "miner run");
    assert_eq!(raw(&run, "api_key_env"), ["K"]);
    // The endpoint's key is of no use then, and no error.
    let run = parsed(file, "miner run --solver-cmd true");
    assert_eq!(raw(&run, "solver_cmd"), ["true"]);
    assert!(raw(&run, "solver_url").is_empty());
    let run = parsed(file, "miner run --suri //Alice");
    assert!(raw(&run, "key").is_empty());
    assert_eq!(raw(&run, "suri"), ["//Alice"]);
}

#[test]
fn a_section_speaks_to_its_own_command_only() {
    let file = "[miner]\nconcurrency = 3\nsolver-cmd = 'x'\n[judge]\njudge-cmd = 'y'\n";
    assert_eq!(raw(&parsed(file, "miner run"), "concurrency"), ["3"]);
    assert_eq!(raw(&parsed(file, "judge run"), "concurrency"), ["2"]);
    parsed(file, "chain status");
}

#[test]
fn every_option_of_the_workers_and_of_all_commands_can_be_in_the_file() {
    let root = built();
    let known = keys(&root);
    let settable = |path: &[&str]| {
        let command = sections::command_at(&root, path).unwrap();
        for arg in command.get_arguments() {
            let id = arg.get_id().as_str();
            if ["help", "version"].contains(&id) || command_line_only(id).is_some() {
                continue;
            }
            let ways = known.iter().filter(|key| {
                let own = key.path == path || key.path.is_empty() || key.arg.is_global_set();
                let own = own || key.section.name == "notify";
                own && key.arg.get_id() == id
            });
            assert_eq!(ways.count(), 1, "{path:?} {id}");
        }
    };
    for path in [
        &[] as &[&str],
        &["miner", "run"],
        &["judge", "run"],
        &["storage", "run"],
        &["storage", "audit"],
    ] {
        settable(path);
    }
    // And each arrives where it belongs.
    for key in &known {
        let arg = key.arg;
        let possible = arg.get_possible_values();
        let samples = [
            "sample",
            "1",
            "127.0.0.1:1",
            "http://127.0.0.1:1",
            "general",
        ];
        let possible = possible.iter().map(|value| value.get_name());
        let samples: Vec<_> = match arg.get_action() {
            ArgAction::SetTrue => vec!["true".to_owned()],
            _ => possible
                .chain(samples)
                .map(|value| serde_json::Value::from(value).to_string())
                .collect(),
        };
        let taken = samples.iter().find_map(|value| {
            let text = format!("[{}]\n{} = {value}\n", key.section.name, key.name);
            File::parse(&root, Path::new("tos.toml"), &text).ok()
        });
        let file = taken.unwrap_or_else(|| panic!("[{}] {}", key.section.name, key.name));
        let [entry] = file.entries.as_slice() else {
            panic!("one key makes one entry");
        };
        assert_eq!(entry.id, arg.get_id().as_str());
        assert_eq!(entry.tokens.len(), 1, "{}", key.name);
    }
}

#[test]
fn the_exceptions_are_refused_and_say_why() {
    for (text, why) in [
        ("[key]\nsuri = '//Alice'\n", "a secret does not belong"),
        ("[key]\npassword = 'x'\n", "a secret does not belong"),
        ("[miner]\napi-key = 'x'\n", "a secret does not belong"),
        ("password = 'x'\n", "a secret does not belong"),
        ("[miner]\nforget-height = true\n", "it is for one start"),
        ("[options]\nconfig = 'x'\n", "it says where the file is"),
    ] {
        let said = problem(text);
        assert!(said.contains(why), "{said}");
        assert!(!said.contains("//Alice"), "{said}");
    }
}

#[test]
fn an_error_names_file_line_key_and_what_was_meant() {
    for (text, wanted) in [
        (
            "\n[node]\nulr = 'x'\n",
            "tos.toml:3: [node] has no key `ulr`: did you mean `url`?",
        ),
        (
            "[nod]\nurl = 'x'\n",
            "tos.toml:1: there is no section [nod]: did you mean [node]?",
        ),
        (
            "url = 'x'\n",
            "tos.toml:1: `url` stands outside of a section: did you mean [node] url?",
        ),
        (
            "[miner]\nurl = 'x'\n",
            "tos.toml:2: [miner] has no key `url`: did you mean [node] url?",
        ),
        (
            "[miner]\n\nconcurrency = true\n",
            "tos.toml:3: [miner] concurrency must be a text or a number, not true or false",
        ),
        (
            "[miner]\nonce = 1\n",
            "tos.toml:2: [miner] once must be true or false, not a number",
        ),
        (
            "[miner]\nsolver-cmd = ['a']\n",
            "tos.toml:2: [miner] solver-cmd must be a text",
        ),
        (
            "[miner]\ntypes = [['a']]\n",
            "tos.toml:2: [miner] types must be a list of",
        ),
        ("[miner.more]\nx = 1\n", "[miner] has no key `more`"),
        (
            "[miner]\nconcurrency = 0\n",
            "tos.toml:2: [miner] concurrency: invalid value '0' for",
        ),
        (
            "[miner]\ntypes = ['general', 'x']\n",
            "tos.toml:2: [miner] types: invalid value 'x'",
        ),
        (
            "[node]\nurl = 'a'\nurl = 'b'\n",
            "tos.toml:3: duplicate key",
        ),
        ("[node]\nurl = \n", "tos.toml:2: "),
    ] {
        let said = problem(text);
        assert!(said.contains(wanted), "{said}\nwanted: {wanted}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_number_stays_as_it_is_written() {
    let file = "[transactions]\ntip = 0.1\ntimeout = 1_000\n";
    let parsed = parsed(file, "chain status");
    assert_eq!(raw(&parsed, "tip"), ["0.1"]);
    assert_eq!(raw(&parsed, "timeout"), ["1000"]);
}

#[test]
fn a_list_and_a_flag_reach_the_command() {
    let file = "[miner]\nsolver-cmd = 'x'\ntypes = ['general', 'custom:3']\nno-claim = true\n\
                once = false\n";
    let parsed = parsed(file, "miner run");
    assert_eq!(raw(&parsed, "types"), ["general", "custom:3"]);
    let (_, matches) = leaf(&parsed.matches);
    assert!(matches.get_flag("no_claim") && !matches.get_flag("once"));
}

#[test]
fn a_flag_that_the_file_switches_on_can_be_switched_off_on_the_command_line() {
    let file = "[miner]\nsolver-cmd = 'x'\nno-claim = true\n";
    let flag = |line: &str| leaf(&parsed(file, line).matches).1.get_flag("no_claim");
    assert!(flag("miner run"));
    assert!(!flag("miner run --no-claim=false"));
    assert!(flag("miner run --no-claim=true"));
    assert!(flag("miner run --no-claim"));
    assert!(!flag("--json=false miner run --no-claim=false"));
    assert!(!flag("miner --json=false run --no-claim=false"));
    // Nothing else takes such a value, and what follows `--` is left alone.
    for wrong in [
        ["miner", "status", "--no-claim=false"],
        ["miner", "run", "--no-claim=no"],
        ["task", "show", "--all=false"],
    ] {
        let parsed = parse_with(command(), file, &wrong);
        assert!(matches!(parsed, Err(Failure::Clap(..))), "{wrong:?}");
    }
    let mut after = vec!["tos".into(), "--".into(), "--json=false".into()];
    assert!(take_switches(&built(), &mut after).is_empty());
    assert_eq!(after.len(), 3);
}

#[test]
fn a_file_that_was_named_must_be_there_and_one_that_was_not_need_not() {
    let line = |line: &str| -> Vec<OsString> { line.split(' ').map(OsString::from).collect() };
    let absent = [PathBuf::from("/does/not/exist.toml")];
    assert!(parse(command(), line("tos chain status"), &absent).is_ok());
    let named = parse(
        command(),
        line("tos chain status --config /does/not/exist"),
        &absent,
    );
    let Err(Failure::File(error, false)) = named else {
        panic!("a missing file was accepted");
    };
    assert_eq!(error.exit_code(), 2);
    let json = parse(
        command(),
        line("tos --json chain status --config /"),
        &absent,
    );
    assert!(matches!(json, Err(Failure::File(_, true))));
    let none = parse(
        command(),
        line("tos chain status --config /dev/null"),
        &absent,
    );
    assert!(none.ok().unwrap().file.unwrap().entries.is_empty());
}

#[test]
fn a_file_that_is_too_long_or_that_everybody_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = folder(&format!("#{}\n", "x".repeat(file::MAX_FILE as usize)));
    let said = File::read(&built(), &path).unwrap_err().to_string();
    assert!(said.contains("more than 65536 bytes"), "{said}");
    std::fs::write(&path, "").unwrap();
    assert!(File::read(&built(), &path).is_ok());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let said = File::read(&built(), &path).unwrap_err().to_string();
    assert!(said.contains("can write to it"), "{said}");
}

#[test]
fn a_broken_file_stops_neither_its_check_nor_help() {
    let (_folder, path) = folder("nonsense");
    let places = [path.clone()];
    let try_line = |line: &[&str]| {
        let line = std::iter::once("tos").chain(line.iter().copied());
        parse(command(), line.map(OsString::from).collect(), &places)
    };
    assert!(try_line(&["config", "check", path.to_str().unwrap()]).is_ok());
    assert!(try_line(&["config", "init", "x"]).is_ok());
    assert!(matches!(
        try_line(&["chain", "status"]),
        Err(Failure::File(..))
    ));
    for line in [&["--help"] as &[&str], &["miner", "--help"], &["--version"]] {
        let Err(Failure::Clap(error, None)) = try_line(line) else {
            panic!("no help");
        };
        assert!(!error.use_stderr());
    }
}

#[test]
fn an_error_of_file_and_command_line_together_names_the_lines_of_the_file() {
    let text = "[storage]\nmin-price = 0.5\n";
    let Err(Failure::Clap(error, Some(note))) = parse_with(command(), text, &["storage", "run"])
    else {
        panic!("--min-price needs --auto");
    };
    assert!(error.to_string().contains("--auto"), "{error}");
    assert!(
        note.contains("tos.toml gives --min-price (line 2)"),
        "{note}"
    );
}

#[test]
fn what_follows_two_dashes_is_left_alone() {
    let file = "[transactions]\ntimeout = 5\n";
    let parsed = parsed(file, "keys show -- alice");
    assert_eq!(raw(&parsed, "timeout"), ["5"]);
}

#[test]
fn what_is_shown_says_where_each_value_comes_from() {
    let file = "[node]\nurl = 'ws://file:1'\n[miner]\ntypes = ['general']\n";
    let shown = parsed(file, "config show --timeout 9 --json");
    let rows = rows(&shown);
    let row = |section: &str, key: &str| {
        let mut rows = rows.iter();
        let row = rows.find(|row| row.section == section && row.key == key);
        let row = row.unwrap();
        (row.values.join(","), row.source.clone())
    };
    assert_eq!(
        row("transactions", "timeout"),
        ("9".into(), "option".into())
    );
    assert_eq!(row("output", "json"), ("true".into(), "option".into()));
    let (url, source) = row("node", "url");
    assert_eq!(url, "ws://file:1");
    assert!(source.ends_with("tos.toml:2"), "{source}");
    let (types, source) = row("miner", "types");
    assert_eq!(types, "general");
    assert!(source.ends_with("tos.toml:4"), "{source}");
    assert_eq!(row("transactions", "wait").1, "default");
    assert_eq!(
        row("miner", "solver-cmd"),
        (String::new(), "not set".into())
    );
    assert_eq!(row("miner", "attempts"), ("2".into(), "default".into()));
}

#[test]
fn the_template_sets_nothing_and_every_line_of_it_can_be_used() {
    let root = built();
    let text = template(&root);
    let path = Path::new("tos.toml");
    assert!(File::parse(&root, path, &text).unwrap().entries.is_empty());
    let mut section = String::new();
    let mut keys_seen = 0;
    for line in text.lines() {
        if line.starts_with('[') {
            section = line.to_owned();
        }
        // Defaults are values the option takes; names of values stand for those without one.
        let Some(key) = line.strip_prefix('#').filter(|key| !key.starts_with(' ')) else {
            continue;
        };
        keys_seen += 1;
        match File::parse(&root, path, &format!("{section}\n{key}\n")) {
            Ok(file) => assert_eq!(file.entries.len(), 1, "{section} {key}"),
            Err(problem) => {
                assert!(
                    matches!(problem.fault, file::Fault::Value { .. }),
                    "{problem}"
                );
                let value = key.split(" = ").last().unwrap_or_default();
                let placeholder = value.trim_matches(['[', ']', '"']);
                assert_eq!(placeholder, placeholder.to_uppercase(), "{problem}");
            }
        }
    }
    assert_eq!(keys_seen, keys(&root).len());
}
