// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Inputs of a slot, and the messages in which nodes pass slots on.

use codec::{Decode, Encode};
use tos_types::beacon::{Slot, SlotStart};
use tos_vdf::{Hash, SlotProof, State, VdfParams};

/// Domain of [`SlotInputs::id`].
const ID_CONTEXT: &str = "tos beacon node 1: inputs of a slot";

/// Names the inputs of a slot. Two forks that agree on them agree on the slot.
pub type SlotId = Hash;

/// Everything that the result of a slot depends on.
#[derive(Clone, PartialEq, Eq, Debug, Encode)]
pub struct SlotInputs {
    /// The slot.
    pub slot: Slot,
    /// The state it starts from, entropy injected.
    pub start: State,
    /// The number of its first iteration.
    pub first_iteration: u64,
    /// The parameters of its epoch.
    pub params: VdfParams,
    /// The seed of its epoch's dataset.
    pub epoch_seed: Hash,
}

impl SlotInputs {
    /// BLAKE3 `derive_key` of their SCALE encoding.
    ///
    /// The start state alone would not do: a peer that computed a slot of another fork, under
    /// another dataset, must not look like one that lies.
    pub fn id(&self) -> SlotId {
        blake3::derive_key(ID_CONTEXT, &self.encode())
    }
}

impl From<SlotStart> for SlotInputs {
    fn from(start: SlotStart) -> Self {
        Self {
            slot: start.slot,
            start: start.start,
            first_iteration: start.first_iteration,
            params: start.epoch.params,
            epoch_seed: start.epoch.seed,
        }
    }
}

/// A slot, with what others need to verify it fifteen times faster than it was computed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SlotMessage {
    /// The slot.
    pub slot: Slot,
    /// Identifier of the inputs that it was computed from.
    pub inputs: SlotId,
    /// The result.
    pub proof: SlotProof,
}

/// Message of nodes to each other about the beacon.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Message {
    /// Here is a slot.
    #[codec(index = 0)]
    Slot(Box<SlotMessage>),
    /// Send this slot, if you have it, and those you have verified on top of it.
    #[codec(index = 1)]
    Want {
        /// The slot.
        slot: Slot,
        /// Identifier of the inputs that it is computed from.
        inputs: SlotId,
    },
}

impl Message {
    /// Length of an encoded [`Message::Slot`]: tag, slot, inputs, 32 states, fine root.
    pub const SLOT_BYTES: usize = 1 + 8 + 32 + 32 * 64 + 32;
    /// Length of an encoded [`Message::Want`]: tag, slot, inputs.
    pub const WANT_BYTES: usize = 1 + 8 + 32;

    /// Reads a message. Every kind has one length, which is checked before anything is read.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let expected = match bytes.first()? {
            0 => Self::SLOT_BYTES,
            1 => Self::WANT_BYTES,
            _ => return None,
        };
        if bytes.len() != expected {
            return None;
        }
        Self::decode(&mut &*bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inputs, proof};

    fn slot_message() -> Message {
        Message::Slot(Box::new(SlotMessage {
            slot: 7,
            inputs: inputs(7).id(),
            proof: proof(7),
        }))
    }

    #[test]
    fn messages_have_the_lengths_that_are_checked_and_come_back_as_they_went() {
        let want = Message::Want {
            slot: 9,
            inputs: [3; 32],
        };
        assert_eq!(slot_message().encode().len(), Message::SLOT_BYTES);
        assert_eq!(want.encode().len(), Message::WANT_BYTES);
        for message in [slot_message(), want] {
            assert_eq!(Message::from_bytes(&message.encode()), Some(message));
        }
    }

    #[test]
    fn a_message_of_any_other_length_is_refused() {
        let bytes = slot_message().encode();
        for length in 0..bytes.len() {
            assert_eq!(Message::from_bytes(&bytes[..length]), None);
        }
        let longer = [bytes, vec![0]].concat();
        assert_eq!(Message::from_bytes(&longer), None);
    }

    #[test]
    fn random_bytes_never_panic_the_decoder() {
        let mut state = blake3::Hasher::new().finalize_xof();
        for round in 0..4_000_usize {
            let mut bytes = vec![0; round % (2 * Message::SLOT_BYTES)];
            state.fill(&mut bytes);
            if let Some(message) = Message::from_bytes(&bytes) {
                assert_eq!(message.encode(), bytes);
            }
        }
    }

    #[test]
    fn every_input_changes_the_name_of_a_slot() {
        let base = inputs(5);
        let mut names = std::collections::BTreeSet::from([base.id()]);
        let mut changed = vec![base.clone(); 6];
        changed[0].slot += 1;
        changed[1].start[63] ^= 1;
        changed[2].first_iteration += 1;
        changed[3].params.passes += 1;
        changed[4].params.iterations_per_slot += 320;
        changed[5].epoch_seed[0] ^= 1;
        for other in changed {
            assert!(names.insert(other.id()));
        }
    }
}
