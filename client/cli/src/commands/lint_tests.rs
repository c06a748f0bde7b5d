// SPDX-License-Identifier: Apache-2.0

use super::*;
use crate::commands::{task::Task, Cli, Command};
use clap::Parser;
use std::path::Path;

const TSP: &str =
    r#"{"kind": "tsp", "data": {"edgeWeight": "EUC_2D", "points": [[1, 2], [3, 4]]}}"#;

/// The options of this command line, for a file with this content.
fn lint(folder: &Path, content: &[u8], more: &[&str]) -> Lint {
    let file = folder.join("spec");
    std::fs::write(&file, content).unwrap();
    let line = ["tos", "task", "lint", file.to_str().unwrap()];
    let cli = Cli::try_parse_from(line.iter().chain(more)).unwrap_or_else(|e| panic!("{e}"));
    match cli.command {
        Command::Task(Task::Lint(lint)) => *lint,
        _ => panic!("another command"),
    }
}

async fn exit_code(content: &[u8], more: &[&str]) -> u8 {
    let folder = tempfile::tempdir().unwrap();
    let done = lint(folder.path(), content, more).run(Output { json: true });
    done.await.map_or_else(|error| error.exit_code(), |()| 0)
}

fn errors(content: &[u8]) -> Vec<&'static str> {
    let errors = look(content, false).into_iter();
    let errors = errors.filter(|f| f.level == Level::Error);
    errors.map(|f| f.check).collect()
}

fn warnings(content: &[u8]) -> Vec<&'static str> {
    let warnings = look(content, true).into_iter();
    let warnings = warnings.filter(|f| f.level == Level::Warning);
    warnings.map(|f| f.check).collect()
}

#[test]
fn a_specification_that_judges_cannot_read_is_an_error() {
    assert_eq!(errors(TSP.as_bytes()), [""; 0]);
    assert_eq!(errors(b"Say what this program does."), [""; 0]);
    assert_eq!(errors(b"too short"), ["size"]);
    assert_eq!(errors(b"\xff\xfe of another encoding"), ["utf8"]);
    assert_eq!(errors(b"            \n"), ["text"]);
    assert_eq!(errors(b"{\"kind\": \"tsp\", }"), ["json"]);
    let no_points = r#"{"kind": "tsp", "data": {"edgeWeight": "EUC_2D", "points": [[1, 2.5]]}}"#;
    assert_eq!(errors(no_points.as_bytes()), ["kind"]);
    let no_source =
        r#"{"kind": "code-review", "data": {"language": "c", "file": "a.c", "kinds": {}}}"#;
    let found = look(no_source.as_bytes(), false);
    assert!(found
        .iter()
        .any(|f| f.message.ends_with(": data.source must be a text")));
}

#[test]
fn unusual_things_are_warnings() {
    assert_eq!(warnings(TSP.as_bytes()), [""; 0]);
    assert_eq!(warnings(b"a text with a \x07 bell"), ["text"]);
    assert_eq!(
        warnings("hidden \u{202e} turn of direction".as_bytes()),
        ["text"]
    );
    assert_eq!(warnings("word ".repeat(3_000).as_bytes()), ["text"]);
    assert_eq!(warnings(b"[\"no\", \"kind\"]"), ["kind"]);
    let long = "one line\n".repeat(200_000);
    assert_eq!(warnings(long.as_bytes()), ["size"]);
    // The same on one line is what compact JSON looks like.
    let compact = format!("{{\"kind\":\"mine\",\"text\":\"{}\"}}", "x".repeat(20_000));
    assert_eq!(warnings(compact.as_bytes()), [""; 0]);
    let marked = format!("\u{feff}{TSP}");
    assert_eq!(
        (warnings(marked.as_bytes()), errors(marked.as_bytes())),
        (vec!["text"], vec!["json"])
    );
}

#[test]
fn a_specification_is_on_chain_up_to_2048_bytes_and_located_beyond() {
    let size = |bytes: usize| {
        let found = look("x".repeat(bytes).as_bytes(), false);
        let size: Vec<_> = found.into_iter().filter(|f| f.check == "size").collect();
        size[0].message.contains("which go on chain")
    };
    assert!(size(2_048) && !size(2_049));
    let all = look("x".repeat(2_049).as_bytes(), false);
    assert!(all
        .iter()
        .any(|f| f.check == "fetch" && f.level == Level::Warning));
}

#[test]
fn a_type_that_is_not_of_the_kind_is_a_warning() {
    let found = kind_of_type(TSP.as_bytes(), TaskType::General).unwrap();
    assert_eq!(found.level, Level::Warning);
    assert!(
        found.message.contains("algorithm-optimization"),
        "{}",
        found.message
    );
    assert_eq!(
        kind_of_type(TSP.as_bytes(), TaskType::AlgorithmOptimization),
        None
    );
    assert_eq!(kind_of_type(b"a text", TaskType::General), None);
}

#[test]
fn every_type_has_parameters_to_try_a_judge_with() {
    for task_type in TaskType::BUILT_IN.into_iter().chain([TaskType::Custom(3)]) {
        let params = sample_params(task_type).unwrap();
        assert!(params.is_complete() && params.task_type() == task_type);
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_an_error_and_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let lint = lint(folder.path(), b"", &[]);
    let file = std::fs::File::create(&lint.file).unwrap();
    file.set_len(u64::from(MAX_CONTENT) + 1).unwrap();
    let (bytes, findings) = lint.read().unwrap();
    assert!(bytes.is_none());
    assert!(
        findings[0].message.contains("10 to 67108864"),
        "{findings:?}"
    );
    assert_eq!(
        lint.run(Output { json: true })
            .await
            .unwrap_err()
            .exit_code(),
        1
    );
}

#[tokio::test]
async fn the_program_reads_the_specification_and_the_answer_as_from_a_judge() {
    let folder = tempfile::tempdir().unwrap();
    let (seen, answer) = (folder.path().join("seen"), folder.path().join("answer"));
    std::fs::write(&answer, "{\"tour\": [1, 0]}\n").unwrap();
    let judge = format!(
        "cat > {}; echo '{{\"scores\": [{{\"quality\": 80, \"innovation\": 1, \"verdict\": \"valid\"}}]}}'",
        seen.display()
    );
    let more = ["--judge-cmd", &judge, "--answer", answer.to_str().unwrap()];
    assert_eq!(exit_code(TSP.as_bytes(), &more).await, 0);
    let request: Value = serde_json::from_slice(&std::fs::read(&seen).unwrap()).unwrap();
    assert_eq!(request["role"], "judge");
    assert_eq!(request["specText"], TSP);
    assert_eq!(request["task"]["type"], "algorithmOptimization");
    assert_eq!(request["answers"][0]["text"], "{\"tour\":[1,0]}");
    // Beyond a mebibyte the specification is a file, which is there when the judge looks.
    let judge = format!(
        "cat > {0}; test -f $(sed 's/.*specPath\":\"\\([^\"]*\\).*/\\1/' {0}) && echo '{{\"scores\": \
         [{{\"quality\": 0, \"innovation\": 0, \"verdict\": \"malformed\"}}]}}'",
        seen.display()
    );
    let long = "one line\n".repeat(200_000);
    assert_eq!(
        exit_code(long.as_bytes(), &["--judge-cmd", &judge]).await,
        0
    );
}

#[tokio::test]
async fn a_judge_without_valid_scores_is_an_error() {
    for judge in [
        "exit 3",
        "echo '{\"scores\": []}'",
        "echo '{\"scores\": [{\"quality\": 101, \"innovation\": 0, \"verdict\": \"valid\"}]}'",
    ] {
        assert_eq!(
            exit_code(TSP.as_bytes(), &["--judge-cmd", judge]).await,
            1,
            "{judge}"
        );
    }
    let slow = ["--judge-cmd", "sleep 60", "--time-limit", "1"];
    assert_eq!(exit_code(TSP.as_bytes(), &slow).await, 1);
}

#[tokio::test]
async fn a_judge_that_likes_any_answer_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let judge =
        "echo '{\"scores\": [{\"quality\": 90, \"innovation\": 0, \"verdict\": \"valid\"}]}'";
    let lint = lint(folder.path(), TSP.as_bytes(), &["--judge-cmd", judge]);
    let mut findings = Vec::new();
    lint.try_out(TSP.as_bytes(), &mut findings).await.unwrap();
    let levels: Vec<_> = findings.iter().map(|f| f.level).collect();
    assert_eq!(levels, [Level::Note, Level::Warning], "{findings:?}");
}

#[tokio::test]
async fn a_located_specification_is_fetched_as_judges_would() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_owned()).unwrap();
    let long = "what is asked\n".repeat(300);
    store.put(long.as_bytes()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(content::serve(listener, store));
    let more = ["--from", &base, "--fetch-limit", "2"];
    assert_eq!(exit_code(long.as_bytes(), &more).await, 0);
    // Content that was never put there, and a server that is gone.
    let other = "what else is asked\n".repeat(300);
    assert_eq!(exit_code(other.as_bytes(), &more).await, 1);
    server.abort();
    let _ = server.await;
    assert_eq!(exit_code(long.as_bytes(), &more).await, 1);
}
