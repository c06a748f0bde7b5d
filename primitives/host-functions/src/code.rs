// SPDX-License-Identifier: Apache-2.0

//! Results of checks as one byte: 0, or one more than the index of the [`ProofError`].

use codec::DecodeAll;
#[cfg(not(substrate_runtime))]
use codec::Encode;
use tos_storage_proofs::ProofError;

/// Code of a right proof.
#[cfg(not(substrate_runtime))]
pub const VALID: u8 = 0;
/// Code of a wrong proof of which nothing else can be said.
#[cfg(not(substrate_runtime))]
pub const UNKNOWN: u8 = u8::MAX;

/// Code of a result.
#[cfg(not(substrate_runtime))]
pub(crate) fn code(result: Result<(), ProofError>) -> u8 {
    match result {
        Ok(()) => VALID,
        Err(error) => error
            .encode()
            .first()
            .map_or(UNKNOWN, |index| index.saturating_add(1)),
    }
}

/// Result that a code stands for.
pub(crate) fn result(code: u8) -> Result<(), ProofError> {
    match code.checked_sub(1) {
        None => Ok(()),
        Some(index) => Err(ProofError::decode_all(&mut &[index][..]).unwrap_or(ProofError::Length)),
    }
}
