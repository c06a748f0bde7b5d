// SPDX-License-Identifier: Apache-2.0

//! A node that is short of memory ends. It does not disagree with the others about a block.
//!
//! Every test runs itself again in a process that may not have the memory, and looks at how that ends.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::{
    os::unix::process::ExitStatusExt,
    process::{Command, Output},
};
use tos_host_functions::Purpose;
use tos_storage_proofs::SealParams;
use tos_vdf::VdfParams;

/// Set in the process that is short of memory.
const SHORT: &str = "TOS_TEST_SHORT_OF_MEMORY";
/// Line that such a process prints when it was answered.
const ANSWER: &str = "the answer is";
const SIGABRT: i32 = 6;

/// Both take 1 GiB; the process has 800 MB of addresses.
const SEAL: SealParams = SealParams {
    log2_unit: 22,
    memory_kib: 1_048_576,
    passes: 1,
};
const WALK: VdfParams = VdfParams {
    log2_lines: 24,
    passes: 1,
    iterations_per_slot: 1_280,
};

fn is_short() -> bool {
    std::env::var_os(SHORT).is_some()
}

/// Runs one test of this file in a process that is short of memory.
fn run_short(test: &str) -> Output {
    let limited = "ulimit -c 0; ulimit -v 800000; exec \"$0\" --exact \"$1\" --nocapture";
    Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(SHORT, "1")
        .output()
        .unwrap()
}

fn assert_aborted(output: &Output, what: &str) {
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.signal(), Some(SIGABRT), "{out}\n{err}");
    assert!(err.contains("out of memory") && err.contains(what), "{err}");
    assert!(err.contains("1048576 KiB"), "{err}");
    assert!(!out.contains(ANSWER), "{out}");
}

fn verify_seal() -> bool {
    tos_host_functions::verify_seal_word(&SEAL, &[1; 32], 0, &[0; 64], &[0; 64])
}

/// Asks for `answer` in the process that is short of memory, and otherwise checks that this process,
/// which runs `test`, ends for want of memory for `what`.
fn assert_ends<A: std::fmt::Debug>(test: &str, answer: impl FnOnce() -> A, what: &str) {
    match is_short() {
        true => println!("{ANSWER} {:?}", answer()),
        false => assert_aborted(&run_short(test), what),
    }
}

#[test]
fn no_seal_of_a_block_is_called_wrong_for_want_of_memory() {
    let name = "no_seal_of_a_block_is_called_wrong_for_want_of_memory";
    assert_ends(name, verify_seal, "sealed word");
}

#[test]
fn no_slot_of_a_block_is_called_wrong_for_want_of_memory() {
    let name = "no_slot_of_a_block_is_called_wrong_for_want_of_memory";
    let root = || tos_host_functions::dataset_root(&WALK, &[1; 32]);
    assert_ends(name, root, "dataset");
}

#[test]
fn a_question_ends_no_node() {
    if is_short() {
        let answers = Purpose::Question.run(|| {
            (
                verify_seal(),
                tos_host_functions::dataset_root(&WALK, &[1; 32]),
            )
        });
        println!("{ANSWER} {answers:?}");
        return;
    }
    let output = run_short("a_question_ends_no_node");
    assert!(output.status.success(), "{output:?}");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains(&format!("{ANSWER} (false, None)")), "{out}");
}
