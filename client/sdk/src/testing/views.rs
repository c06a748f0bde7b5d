// SPDX-License-Identifier: Apache-2.0

//! Views as a node would show them: a test changes the fields that matter to it.

use polkadot_sdk::sp_core::crypto::AccountId32;
use tos_formulas::split::{SplitProfile, WinnerRule};
use tos_types::{
    rules::{
        DifficultyTable, DifficultyTerms, JudgeStakes, JudgingRules, LevelTable, MinerStakes,
        PublishingRules, SlashRules, TaskRules,
    },
    storage::Window,
    time::PhaseLengths,
    ContentRef, Difficulty, Phase, TaskId, TaskParams, TaskType, Tick, TOS,
};
use tos_views::{
    ChainView, JudgeStatus, JudgeView, ParametersView, ProviderView, SubmissionView, TaskSummary,
    TaskView, WindowStage, WindowView,
};

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
        rule_set: 0,
        split: SplitProfile::for_task(TaskType::General, Difficulty::Beginner),
        winners: WinnerRule::for_type(TaskType::General),
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

/// A chain in this tick, with a thousand ticks a day and nothing on it yet.
pub fn chain_view(tick: Tick) -> ChainView {
    ChainView {
        tick,
        phase_lengths: PhaseLengths::per_day(1_000),
        ..Default::default()
    }
}

/// The standard rules, on a chain that asks for no fees and no deposits.
pub fn parameters_view() -> ParametersView {
    ParametersView {
        publishing: PublishingRules::STANDARD,
        slashes: SlashRules::STANDARD,
        judging: JudgingRules::STANDARD,
        difficulties: DifficultyTable::STANDARD,
        target_fullness: 0,
        fee_adjustment: 0,
        least_fee_multiplier: 0,
        entry_deposit: 0,
        byte_deposit: 0,
        referendum_deposit: 0,
        motion_deposit: 0,
        max_spend: 0,
        stakers_share: 0,
        miner_stakes: MinerStakes::STANDARD,
        judge_stakes: JudgeStakes::STANDARD,
        levels: LevelTable::STANDARD,
    }
}

/// A judge that has judged nothing yet.
pub fn judge_view(status: JudgeStatus) -> JudgeView {
    JudgeView {
        stake: TOS,
        required: TOS,
        types: Vec::new(),
        accuracy: 0,
        known: 0,
        checks: 0,
        panels: 0,
        status,
        suspended_until: None,
    }
}

/// A provider of storage that keeps nothing yet.
pub fn provider_view() -> ProviderView {
    ProviderView {
        bond: TOS,
        tied: 0,
        proof_key: [0; 32],
        locator: b"http://h".to_vec().try_into().unwrap(),
        replicas: 0,
        groups: Vec::new(),
        answered: 0,
        missed: 0,
        latency_ms: None,
        score: None,
        exiting: false,
        leave_at: None,
    }
}

/// An open window of proofs in this storage tick, in which no group is due.
pub fn window_view(number: Window, now: Tick) -> WindowView {
    WindowView {
        number,
        stage: WindowStage::Open,
        seed: None,
        ends: None,
        now,
        due: Vec::new(),
        folded: number.checked_sub(1),
        degraded: false,
    }
}
