// SPDX-License-Identifier: Apache-2.0

//! Calls of publishers, miners and judges. All of it follows from the task and the actor, so
//! that nothing has to be kept. Pure.

use codec::{Compact, Encode};
use polkadot_sdk::sp_crypto_hashing::blake2_256;
use tos_sdk::any_chain::Hash;
use tos_types::{
    commitment::{self, Salt},
    AnswerScore, ContentRef, Difficulty, Report, TaskId, TaskParams, TaskType, Verdict, TOS,
};

/// The type of all tasks here: the one whose miners and judges need the least stake.
pub const TYPE: TaskType = TaskType::CodeAnalysis;
/// The difficulty of all tasks here.
pub const DIFFICULTY: Difficulty = Difficulty::Beginner;
/// The reward of each task, in wei.
pub const REWARD: u128 = 5 * TOS;

/// A secret that only the operator of a worker could know; here it need only differ.
fn salt(what: &str, task: &TaskId, who: &Hash, round: u32) -> Salt {
    (what, task, who, round).using_encoded(blake2_256)
}

/// The arguments of `Tasks.publish`.
pub fn publish(number: u32, open_for: u32, answers: u32) -> Option<Vec<u8>> {
    let params = TaskParams::CodeAnalysis {
        language: b"rust".to_vec().try_into().ok()?,
        lines: 100,
    };
    let text = format!("{{\"kind\":\"text\",\"title\":\"Load {number}\",\"data\":{{}}}}");
    let spec = ContentRef::inline(text.as_bytes())?;
    let min_quality = 50u8;
    let reward = Compact(REWARD);
    let reference: Option<[u8; 32]> = None;
    Some(
        (
            params,
            DIFFICULTY,
            spec,
            reward,
            open_for,
            min_quality,
            answers,
            reference,
        )
            .encode(),
    )
}

/// An answer, and the SimHash stated for it.
fn answer(task: &TaskId, miner: &Hash) -> Option<(ContentRef, u64)> {
    let seed = (b"tos-load/answer", task, miner).using_encoded(blake2_256);
    // Random numbers are far apart, so that no answer counts as a copy of another.
    let [a, b, c, d, e, f, g, h, ..] = seed;
    let simhash = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let text = format!("an answer of load {simhash:016x}: nothing wrong was found in it");
    Some((ContentRef::inline(text.as_bytes())?, simhash))
}

/// The arguments of `Tasks.commit`.
pub fn commit(task: &TaskId, miner: &Hash) -> Option<Vec<u8>> {
    let (content, simhash) = answer(task, miner)?;
    let salt = salt("answer", task, miner, 0);
    let hash = commitment::answer(task, miner, &content.hash, simhash, &salt);
    Some((task, hash).encode())
}

/// The arguments of `Tasks.reveal`.
pub fn reveal(task: &TaskId, miner: &Hash) -> Option<Vec<u8>> {
    let (content, simhash) = answer(task, miner)?;
    Some((task, content, simhash, salt("answer", task, miner, 0)).encode())
}

/// The same for all answers, so that a panel agrees whatever their order.
fn scores(answers: u32) -> Vec<AnswerScore> {
    let score = AnswerScore {
        quality: 80,
        innovation: 50,
        verdict: Verdict::Valid,
    };
    vec![score; answers as usize]
}

/// The arguments of `Judges.commit_vote`.
pub fn commit_vote(task: &TaskId, round: u32, judge: &Hash, answers: u32) -> Vec<u8> {
    let salt = salt("vote", task, judge, round);
    let hash = commitment::vote(task, round, judge, &scores(answers), None, &salt);
    (task, hash).encode()
}

/// The arguments of `Judges.reveal_vote`.
pub fn reveal_vote(task: &TaskId, round: u32, judge: &Hash, answers: u32) -> Vec<u8> {
    let salt = salt("vote", task, judge, round);
    (task, scores(answers), None::<Report>, salt).encode()
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Decode;

    const TASK: TaskId = TaskId([7; 16]);

    #[test]
    fn a_reveal_opens_what_was_committed_to() {
        let who = [1; 32];
        let mut input = &commit(&TASK, &who).expect("fits")[..];
        let (_, hash) = <(TaskId, Hash)>::decode(&mut input).expect("a commitment");
        let mut input = &reveal(&TASK, &who).expect("fits")[..];
        let (_, content, simhash, salt) =
            <(TaskId, ContentRef, u64, Salt)>::decode(&mut input).expect("a reveal");
        let opened = commitment::answer(&TASK, &who, &content.hash, simhash, &salt);
        assert_eq!(hash, opened);
        assert!(content.check().is_ok());
    }

    #[test]
    fn a_vote_opens_in_its_own_round() {
        let who = [2; 32];
        let of = |round| commit_vote(&TASK, round, &who, 3);
        assert_ne!(of(0), of(1));
        let opened = reveal_vote(&TASK, 1, &who, 3);
        let salt: Salt = opened[opened.len() - 32..].try_into().expect("32 bytes");
        let hash = commitment::vote(&TASK, 1, &who, &scores(3), None, &salt);
        assert_eq!(of(1), (TASK, hash).encode());
    }

    #[test]
    fn answers_of_a_task_are_no_copies() {
        let of = |who| answer(&TASK, &[who; 32]).expect("fits").1;
        for other in 1..50 {
            assert!((of(0) ^ of(other)).count_ones() > 3);
        }
        assert!(publish(1, 10, 3).is_some());
    }
}
