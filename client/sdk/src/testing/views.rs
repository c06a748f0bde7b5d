// SPDX-License-Identifier: Apache-2.0

//! Tasks as a node would show them.

use polkadot_sdk::sp_core::crypto::AccountId32;
use tos_types::{
    rules::{DifficultyTerms, TaskRules},
    ContentRef, Difficulty, Phase, TaskId, TaskParams, TaskType, Tick, TOS,
};
use tos_views::{SubmissionView, TaskSummary, TaskView};

/// Account of the program under test.
pub const ME: AccountId32 = AccountId32::new([42; 32]);
/// Last tick in which every task takes answers.
pub const OPEN_UNTIL: Tick = 30;

/// A task that takes answers, from a specification of its own.
pub fn task_view(number: u8) -> TaskView<AccountId32> {
    let subject = b"test".to_vec().try_into().unwrap();
    let spec = format!("what is asked in task {number}");
    TaskView {
        summary: TaskSummary {
            id: TaskId([number; 16]),
            publisher: AccountId32::new([1; 32]),
            task_type: TaskType::General,
            difficulty: Difficulty::Beginner,
            reward: 10 * TOS,
            min_quality: 50,
            max_participants: 4,
            joined: 0,
            committed: 0,
            revealed: 0,
            phase: Phase::Open,
            round: 0,
            opened: 0,
            open_until: OPEN_UNTIL,
            deadline: OPEN_UNTIL,
        },
        params: TaskParams::General { subject },
        spec: ContentRef::inline(spec.as_bytes()).unwrap(),
        publisher_stake: TOS,
        submissions: Vec::new(),
        answers: Vec::new(),
        challenge: None,
        terms: DifficultyTerms::standard(Difficulty::Beginner),
        rules: TaskRules::STANDARD,
    }
}

/// Adds an answer of another miner.
pub fn reveal(task: &mut TaskView<AccountId32>, miner: u8, content: ContentRef) {
    let miner = AccountId32::new([miner; 32]);
    task.answers.push(miner.clone());
    task.submissions.push(SubmissionView {
        id: [0; 16],
        miner,
        stake: TOS,
        commitment: None,
        simhash: Some(tos_formulas::simhash::simhash(&content.inline)),
        content: Some(content),
        duplicate: false,
        result: None,
        earned: 0,
        lost: 0,
    });
}
