// SPDX-License-Identifier: Apache-2.0

//! Copies among the answers of a task.

use crate::simhash::near_duplicate;
use alloc::vec::Vec;
use tos_types::ContentHash;

/// Marks by which copies of an answer are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marks {
    /// BLAKE3 of the content.
    pub hash: ContentHash,
    /// The SimHash that the chain computed ([`crate::simhash::fingerprint`]); `None` for content that is not on
    /// chain or too short. One that an author states would make copies of others' answers.
    pub simhash: Option<u64>,
}

/// The index of the original of each answer, in the order of commitment. An original is its own, and so is an
/// answer without marks, which is not compared: one that is not eligible.
///
/// An answer is a copy of the earliest original that has the same hash, or a SimHash that differs in at most
/// `distance` bits. It is compared with originals alone: by a chain of copies, each near the next, answers that
/// are far apart would become one.
pub fn originals(answers: &[Option<Marks>], distance: u32) -> Vec<u32> {
    let mut originals: Vec<(u32, Marks)> = Vec::new();
    (0u32..)
        .zip(answers)
        .map(|(index, marks)| {
            let Some(marks) = marks else { return index };
            let earlier = originals
                .iter()
                .find(|(_, original)| original.is_like(marks, distance));
            if let Some((original, _)) = earlier {
                return *original;
            }
            originals.push((index, *marks));
            index
        })
        .collect()
}

impl Marks {
    fn is_like(&self, other: &Self, distance: u32) -> bool {
        let near = match (self.simhash, other.simhash) {
            (Some(a), Some(b)) => near_duplicate(a, b, distance),
            _ => false,
        };
        near || self.hash == other.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marks(hash: u8, simhash: Option<u64>) -> Option<Marks> {
        Some(Marks {
            hash: [hash; 32],
            simhash,
        })
    }

    #[test]
    fn the_earliest_is_the_original_by_hash_or_by_three_bits() {
        let answers = [
            marks(1, Some(0)),
            marks(2, Some(0b111)),
            marks(3, Some(0b1111)),
            marks(1, None),
            marks(4, None),
            marks(4, None),
        ];
        assert_eq!(originals(&answers, 3), [0, 0, 2, 0, 4, 4]);
        assert_eq!(originals(&answers, 0), [0, 1, 2, 0, 4, 4]);
        assert_eq!(originals(&[], 3), [] as [u32; 0]);
    }

    #[test]
    fn an_answer_that_is_not_eligible_is_no_original_of_anothers() {
        // Junk that is committed first and has the fingerprint of an honest answer takes nothing from it.
        assert_eq!(originals(&[None, marks(1, Some(7))], 3), [0, 1]);
        assert_eq!(originals(&[None, None], 3), [0, 1]);
    }

    #[test]
    fn content_without_a_fingerprint_of_the_chain_is_a_copy_by_its_hash_alone() {
        assert_eq!(originals(&[marks(1, None), marks(2, None)], 64), [0, 1]);
        assert_eq!(originals(&[marks(1, Some(0)), marks(2, None)], 64), [0, 1]);
    }

    #[test]
    fn a_chain_of_copies_does_not_join_answers_that_are_far_apart() {
        let near = |bits: u32| marks(u8::try_from(bits).unwrap(), Some((1u64 << bits) - 1));
        let chain = [near(1), near(4), near(7), near(10)];
        assert_eq!(originals(&chain, 3), [0, 0, 2, 2]);
    }

    proptest! {
        #![proptest_config(crate::testing::cases(2_000))]

        #[test]
        fn originals_are_eligible_earlier_and_apart(
            answers in prop::collection::vec(
                prop::option::of((0..6u8, prop::option::of(0..256u64))),
                0..32,
            ),
            distance in 0..4u32,
        ) {
            let answers: Vec<Option<Marks>> = answers
                .into_iter()
                .map(|answer| answer.and_then(|(hash, simhash)| marks(hash, simhash)))
                .collect();
            let of = originals(&answers, distance);
            prop_assert_eq!(of.len(), answers.len());
            for (index, original) in of.iter().enumerate() {
                let original = *original as usize;
                prop_assert!(original <= index && of[original] as usize == original);
                if original != index {
                    let (one, other) = (answers[original].unwrap(), answers[index].unwrap());
                    prop_assert!(one.is_like(&other, distance));
                }
                // No original is a copy of an earlier one.
                for earlier in (0..index).filter(|at| of[*at] as usize == *at && original == index) {
                    let pair = answers[earlier].zip(answers[index]);
                    prop_assert!(pair.is_none_or(|(a, b)| !a.is_like(&b, distance)));
                }
            }
        }
    }
}
