// SPDX-License-Identifier: Apache-2.0

//! The memory for checking sealed words: one for the process, kept from check to check, because
//! reserving 256 MiB can take longer than filling them.

use std::sync::{Mutex, TryLockError};
use tos_storage_proofs::{seal::Sealer, Hash, SealParams, Word};

static KEPT: Mutex<Option<(SealParams, Sealer)>> = Mutex::new(None);

/// Whether `sealed` is `data` under the mask with this key. Whoever finds the memory in use, or of another
/// size, takes new one.
pub(crate) fn verify_word(
    params: &SealParams,
    key: &Hash,
    offset: u32,
    data: &Word,
    sealed: &Word,
) -> bool {
    let mut kept = match KEPT.try_lock() {
        Ok(kept) => kept,
        Err(TryLockError::Poisoned(kept)) => kept.into_inner(),
        Err(TryLockError::WouldBlock) => {
            return tos_storage_proofs::verify_seal_word(params, key, offset, data, sealed)
        }
    };
    if kept.as_ref().is_none_or(|(known, _)| known != params) {
        // The old memory goes before the new one comes.
        *kept = None;
        *kept = Sealer::new(params).ok().map(|sealer| (*params, sealer));
    }
    kept.as_mut().is_some_and(|(_, sealer)| {
        sealer
            .verify_word(key, offset, data, sealed)
            .unwrap_or(false)
    })
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
    use tos_storage_proofs::seal::unit_mask;

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
                assert!(verify_word(&params, &key, 1, &[0; 64], &sealed));
                sealed[63] ^= 1;
                assert!(!verify_word(&params, &key, 1, &[0; 64], &sealed));
                if round == 1 {
                    release();
                }
            }
        }
    }
}
