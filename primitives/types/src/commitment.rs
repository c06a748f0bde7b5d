// SPDX-License-Identifier: Apache-2.0

//! Commitments to answers and votes.
//!
//! A commitment binds its author and its task, so it cannot be copied: the same hash under
//! another account opens to nothing. It is BLAKE2b-256 over the SCALE encoding of a domain tag
//! and the fields, in the order of the arguments.

use crate::{
    vote::{AnswerScore, Ballot, Report},
    CaseId, ContentHash, TaskId,
};
use codec::Encode;
use polkadot_sdk::sp_crypto_hashing::blake2_256;

/// A commitment: BLAKE2b-256.
pub type Commitment = [u8; 32];
/// The secret that hides what is committed to. Never reuse one.
pub type Salt = [u8; 32];

/// The commitment of `miner` to an answer with the given content hash and SimHash. The SimHash is
/// bound too: chosen after others revealed theirs, it could pass their answers off as copies.
pub fn answer<A: Encode>(
    task: &TaskId,
    miner: &A,
    content: &ContentHash,
    simhash: u64,
    salt: &Salt,
) -> Commitment {
    (b"tos/answer/v1", task, miner, content, simhash, salt).using_encoded(blake2_256)
}

/// The salt by which `author` binds itself to the quality of its answer before anyone votes: a
/// check of the judges that looks like any other answer, until `secret` is told.
pub fn control_answer<A: Encode>(
    task: &TaskId,
    author: &A,
    content: &ContentHash,
    quality: u8,
    secret: &[u8; 32],
) -> Salt {
    (b"tos/known/v1", task, author, content, quality, secret).using_encoded(blake2_256)
}

/// The commitment of `judge` to its scores in one round of a task and, where it has an
/// automatic seat, to its report.
pub fn vote<A: Encode>(
    task: &TaskId,
    round: u32,
    judge: &A,
    scores: &[AnswerScore],
    report: Option<&Report>,
    salt: &Salt,
) -> Commitment {
    (b"tos/vote/v1", task, round, judge, scores, report, salt).using_encoded(blake2_256)
}

/// The commitment of `judge` to its ballot in one round of a case and, where a tool is pinned, to its
/// report.
pub fn ballot<A: Encode>(
    case: &CaseId,
    round: u32,
    judge: &A,
    ballot: &Ballot,
    report: Option<&Report>,
    salt: &Salt,
) -> Commitment {
    (b"tos/vote/v2", case, round, judge, ballot, report, salt).using_encoded(blake2_256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_opens_to_nothing_but_what_it_was_made_of() {
        let (task, other) = (TaskId([1; 16]), TaskId([2; 16]));
        let (content, salt) = ([3; 32], [4; 32]);
        let honest = answer(&task, &[5u8; 32], &content, 7, &salt);
        assert_ne!(honest, answer(&task, &[6u8; 32], &content, 7, &salt));
        assert_ne!(honest, answer(&other, &[5u8; 32], &content, 7, &salt));
        assert_ne!(honest, answer(&task, &[5u8; 32], &[0; 32], 7, &salt));
        assert_ne!(honest, answer(&task, &[5u8; 32], &content, 7, &[0; 32]));
        assert_ne!(honest, answer(&task, &[5u8; 32], &content, 8, &salt));
    }

    #[test]
    fn votes_do_not_open_in_another_round() {
        let task = TaskId([1; 16]);
        assert_ne!(
            vote(&task, 0, &1u8, &[], None, &[0; 32]),
            vote(&task, 1, &1u8, &[], None, &[0; 32])
        );
    }

    #[test]
    fn a_vote_is_bound_to_its_report_or_to_having_none() {
        let task = TaskId([1; 16]);
        let report = |failed| Report {
            output: [2; 32],
            failed,
        };
        let made = |report: Option<&Report>| vote(&task, 0, &1u8, &[], report, &[0; 32]);
        assert_ne!(made(None), made(Some(&report(0))));
        assert_ne!(made(Some(&report(1))), made(Some(&report(0))));
    }

    #[test]
    fn a_ballot_opens_to_nothing_but_what_was_committed() {
        use crate::vote::{Scores, Unjudgeable};
        let (case, other) = (TaskId([1; 16]), TaskId([2; 16]));
        let clear = Ballot::Unjudgeable(Unjudgeable::SpecUnclear);
        let large = Ballot::Unjudgeable(Unjudgeable::TooLarge);
        let none = Ballot::Scores(Scores::new());
        let report = Report {
            output: [2; 32],
            failed: 1,
        };
        let honest = ballot(&case, 1, &1u8, &clear, None, &[0; 32]);
        assert_eq!(honest, ballot(&case, 1, &1u8, &clear, None, &[0; 32]));
        for different in [
            ballot(&other, 1, &1u8, &clear, None, &[0; 32]),
            ballot(&case, 2, &1u8, &clear, None, &[0; 32]),
            ballot(&case, 1, &2u8, &clear, None, &[0; 32]),
            ballot(&case, 1, &1u8, &large, None, &[0; 32]),
            ballot(&case, 1, &1u8, &none, None, &[0; 32]),
            ballot(&case, 1, &1u8, &clear, Some(&report), &[0; 32]),
            ballot(&case, 1, &1u8, &clear, None, &[1; 32]),
            vote(&case, 1, &1u8, &[], None, &[0; 32]),
        ] {
            assert_ne!(honest, different);
        }
    }

    #[test]
    fn a_control_answer_is_bound_to_all_it_says() {
        let task = TaskId([1; 16]);
        let made = |author: u8, content: u8, quality, secret: u8| {
            control_answer(&task, &author, &[content; 32], quality, &[secret; 32])
        };
        let key = made(1, 2, 90, 4);
        assert_eq!(key, made(1, 2, 90, 4));
        for other in [
            made(0, 2, 90, 4),
            made(1, 0, 90, 4),
            made(1, 2, 91, 4),
            made(1, 2, 90, 0),
        ] {
            assert_ne!(key, other);
        }
        assert_ne!(
            key,
            control_answer(&TaskId([9; 16]), &1u8, &[2; 32], 90, &[4; 32])
        );
    }
}
