// SPDX-License-Identifier: Apache-2.0

//! The memory for checking sealed words: one for the process, kept from check to check, because
//! reserving 256 MiB can take longer than filling them.
//!
//! Blocks are checked by few threads at a time, so that one that finds the memory in use takes new one. Questions may be many: they
//! leave that memory alone and wait for one another.

use crate::{memory::exhausted, purpose::Purpose};
use std::sync::{Mutex, PoisonError, TryLockError};
use tos_storage_proofs::{
    seal::{SealError, Sealer},
    Hash, SealParams, Word,
};

static KEPT: Mutex<Option<(SealParams, Sealer)>> = Mutex::new(None);
/// Held by the one question whose mask is being made.
static QUESTION: Mutex<()> = Mutex::new(());

/// A word as it was before it was sealed and as it is after, and its place.
pub(crate) struct SealedWord<'a> {
    /// Parameters of the mask.
    pub params: &'a SealParams,
    /// The key of the unit.
    pub key: &'a Hash,
    /// The number of the word in its unit.
    pub offset: u32,
    /// The word before.
    pub data: &'a Word,
    /// The word after.
    pub sealed: &'a Word,
}

impl SealedWord<'_> {
    /// `true` if `sealed` is `data` under the mask with this key.
    pub fn is_right(&self) -> bool {
        let Self {
            params,
            key,
            offset,
            data,
            sealed,
        } = *self;
        match Purpose::current() {
            Purpose::Consensus => self.verify_kept(),
            Purpose::Question => one_by_one(&QUESTION, || {
                tos_storage_proofs::verify_seal_word(params, key, offset, data, sealed)
            }),
        }
    }

    /// Checks with the memory that is kept. Where it is in use, or of another size, new one is
    /// taken.
    fn verify_kept(&self) -> bool {
        let mut kept = match KEPT.try_lock() {
            Ok(kept) => kept,
            Err(TryLockError::Poisoned(kept)) => kept.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return sealer(self.params).is_some_and(|mut sealer| self.verify_with(&mut sealer))
            }
        };
        if kept.as_ref().is_none_or(|(known, _)| known != self.params) {
            // The old memory goes before the new one comes.
            *kept = None;
            *kept = sealer(self.params).map(|sealer| (*self.params, sealer));
        }
        kept.as_mut()
            .is_some_and(|(_, sealer)| self.verify_with(sealer))
    }

    /// Checks with the memory of this sealer.
    fn verify_with(&self, sealer: &mut Sealer) -> bool {
        sealer
            .verify_word(self.key, self.offset, self.data, self.sealed)
            .unwrap_or(false)
    }
}

/// Does `work` when no one else does under this lock.
fn one_by_one<T>(lock: &Mutex<()>, work: impl FnOnce() -> T) -> T {
    let _alone = lock.lock().unwrap_or_else(PoisonError::into_inner);
    work()
}

/// The memory for one mask; none for impossible parameters. Where there is not enough the process ends.
fn sealer(params: &SealParams) -> Option<Sealer> {
    match Sealer::new(params) {
        Err(SealError::Memory) => exhausted("checking a sealed word", params.memory_kib),
        sealer => sealer.ok(),
    }
}

/// Gives the memory back, unless a check is using it.
pub(crate) fn release() {
    if let Ok(mut kept) = KEPT.try_lock() {
        *kept = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tos_storage_proofs::seal::unit_mask;

    /// `true` if 64 zeros are `sealed` in the second word of the unit with this key.
    fn zeros_are(params: &SealParams, key: &Hash, sealed: &Word) -> bool {
        let word = SealedWord {
            params,
            key,
            offset: 1,
            data: &[0; 64],
            sealed,
        };
        word.is_right()
    }

    #[test]
    fn questions_get_the_same_answers_and_do_not_touch_the_kept_memory() {
        let params = SealParams::TEST;
        let key = [7; 32];
        let mask = unit_mask(&params, &key).unwrap();
        let sealed: Word = mask[64..128].try_into().unwrap();
        // A block is being checked meanwhile.
        let _in_use = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let ask = |sealed| Purpose::Question.run(|| zeros_are(&params, &key, sealed));
                    let mut wrong = sealed;
                    wrong[0] ^= 1;
                    assert!(ask(&sealed) && !ask(&wrong));
                });
            }
        });
    }

    #[test]
    fn one_question_at_a_time_takes_memory() {
        let (lock, inside) = (Mutex::new(()), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    one_by_one(&lock, || {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    });
                });
            }
        });
        assert_eq!(inside.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn kept_memory_changes_no_answer() {
        let small = SealParams::TEST;
        let other = SealParams {
            memory_kib: small.memory_kib * 2,
            ..small
        };
        for round in 0..3u8 {
            for params in [small, other] {
                let key = [round; 32];
                let mask = unit_mask(&params, &key).unwrap();
                let mut sealed: Word = mask[64..128].try_into().unwrap();
                assert!(zeros_are(&params, &key, &sealed));
                sealed[63] ^= 1;
                assert!(!zeros_are(&params, &key, &sealed));
                if round == 1 {
                    release();
                }
            }
        }
    }
}
