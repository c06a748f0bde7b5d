// SPDX-License-Identifier: Apache-2.0

//! Hashes around the walk: outputs, injected entropy, the first state.

use crate::{Hash, State};

/// The output of a slot: `BLAKE3("posc/vdf/y" ‖ slot ‖ end)`.
pub fn output(slot: u64, end: &State) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"posc/vdf/y");
    hasher.update(&slot.to_le_bytes());
    hasher.update(end);
    *hasher.finalize().as_bytes()
}

/// The state after entropy was mixed into it: the first 64 bytes of the XOF
/// `BLAKE3("inject" ‖ state ‖ entropy)`.
pub fn inject(state: &State, entropy: &Hash) -> State {
    xof(&[b"inject", state, entropy])
}

/// The state before the first slot: the first 64 bytes of the XOF `BLAKE3("posc/vdf/start" ‖ seed)`.
pub fn initial_state(seed: &Hash) -> State {
    xof(&[b"posc/vdf/start", seed])
}

fn xof(parts: &[&[u8]]) -> State {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    let mut state = [0; 64];
    hasher.finalize_xof().fill(&mut state);
    state
}
