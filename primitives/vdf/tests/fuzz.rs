// SPDX-License-Identifier: Apache-2.0

//! Random and mutated bytes into every decoder and on into the verification: nothing panics, and
//! nothing but the right thing is accepted. Deterministic and bounded.
#![allow(clippy::unwrap_used)]

use codec::{Decode, DecodeAll, Encode, MaxEncodedLen};
use tos_vdf::*;

const PARAMS: VdfParams = VdfParams {
    log2_lines: 10,
    passes: 1,
    iterations_per_slot: 320,
};
const FIRST: u64 = 1_000;

/// A reproducible stream of bytes.
struct Stream(blake3::OutputReader);

impl Stream {
    fn new(name: &str) -> Self {
        Self(blake3::Hasher::new().update(name.as_bytes()).finalize_xof())
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.fill(&mut bytes);
        bytes
    }

    fn below(&mut self, bound: usize) -> usize {
        let bytes: [u8; 8] = self.bytes(8).try_into().unwrap();
        (u64::from_le_bytes(bytes) % bound as u64) as usize
    }

    /// Value that the mutated bytes of another decode to, if they do.
    fn mutated<T: Encode + Decode>(&mut self, original: &T) -> Option<T> {
        let bytes = self.mutate(&original.encode());
        T::decode_all(&mut &bytes[..]).ok()
    }

    /// One of: flipped bits, a cut, something appended, a stretch overwritten, two parts swapped.
    fn mutate(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        match self.below(5) {
            0 => {
                for _ in 0..=self.below(3) {
                    let bit = self.below(8 * bytes.len());
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
            }
            1 => bytes.truncate(self.below(bytes.len())),
            2 => {
                let more = 1 + self.below(80);
                bytes.extend(self.bytes(more));
            }
            3 => {
                let at = self.below(bytes.len());
                let length = 1 + self.below((bytes.len() - at).min(64));
                let noise = self.bytes(length);
                bytes[at..at + length].copy_from_slice(&noise);
            }
            _ => {
                let middle = self.below(bytes.len());
                bytes.rotate_left(middle);
            }
        }
        bytes
    }
}

struct Honest {
    dataset: Dataset,
    start: State,
    slot: SlotEvaluation,
}

fn honest() -> Honest {
    let dataset = Dataset::build(&PARAMS, &[5; 32]).unwrap();
    let start = initial_state(&[6; 32]);
    let slot = evaluate_slot(&dataset, &start, FIRST, &|| false).unwrap();
    Honest {
        dataset,
        start,
        slot,
    }
}

#[test]
fn mutated_slot_proofs_are_never_accepted() {
    let honest = honest();
    let right = honest.slot.proof.encode();
    assert_eq!(right.len(), 2_080);
    let mut stream = Stream::new("slot proofs");
    let mut decoded = 0;
    for _ in 0..3_000 {
        let bytes = stream.mutate(&right);
        let Ok(proof) = SlotProof::decode_all(&mut &bytes[..]) else {
            continue;
        };
        decoded += 1;
        let accepted = verify_slot(&honest.dataset, &honest.start, FIRST, &proof).is_some();
        assert_eq!(accepted, proof == honest.slot.proof);
    }
    assert!(decoded > 1_000);
}

#[test]
fn mutated_openings_are_never_accepted() {
    let honest = honest();
    let root = honest.slot.proof.fine_root;
    let mut stream = Stream::new("openings");
    let mut decoded = 0;
    for round in 0..20_000 {
        let right = open_spot(&honest.start, &honest.slot.fine, (round % 320) as u16).unwrap();
        let Some(opening) = stream.mutated(&right) else {
            continue;
        };
        decoded += 1;
        assert!(opening.siblings.len() <= MAX_SIBLINGS);
        assert!(opening.encoded_size() <= SpotOpening::max_encoded_len());
        let accepted = verify_spot_opening(&root, &honest.start, &opening);
        assert_eq!(accepted, opening == right, "round {round}");
        if !accepted {
            // Whatever it says, turning it into a segment does not panic.
            spot_segment(&PARAMS, u64::MAX - 5, &opening);
        }
    }
    assert!(decoded > 5_000);
}

#[test]
fn mutated_segments_are_never_accepted() {
    let honest = honest();
    let mut stream = Stream::new("segments");
    let mut decoded = 0;
    for round in 0..6_000 {
        let index = round % 320;
        let opening = open_spot(&honest.start, &honest.slot.fine, index as u16).unwrap();
        let right = spot_segment(&PARAMS, FIRST, &opening);
        let Some(segment) = stream.mutated(&right) else {
            continue;
        };
        decoded += 1;
        let same = segment == right;
        let pair = [right, segment];
        assert_eq!(
            verify_segments(&honest.dataset, &pair),
            same,
            "round {round}"
        );
    }
    assert!(decoded > 2_000);
}

#[test]
fn random_bytes_are_decoded_or_refused_and_never_accepted() {
    let honest = honest();
    let root = honest.slot.proof.fine_root;
    let mut stream = Stream::new("noise");
    for _ in 0..10_000 {
        let length = stream.below(2_200);
        let bytes = stream.bytes(length);
        if let Ok(opening) = SpotOpening::decode(&mut &bytes[..]) {
            assert!(!verify_spot_opening(&root, &honest.start, &opening));
        }
        if let Ok(segment) = Segment::decode(&mut &bytes[..]) {
            assert!(!verify_segments(&honest.dataset, &[segment]));
        }
        if let Ok(proof) = SlotProof::decode(&mut &bytes[..]) {
            assert!(verify_slot(&honest.dataset, &honest.start, FIRST, &proof).is_none());
        }
        if let Ok(params) = VdfParams::decode(&mut &bytes[..]) {
            // Building is what takes memory; the bounds come first.
            if params.check().is_ok() {
                assert!(params.memory_kib() <= 1 << 20);
            }
        }
    }
}

#[test]
fn a_sibling_count_beyond_the_bound_is_refused_before_anything_is_allocated() {
    let honest = honest();
    let opening = open_spot(&honest.start, &honest.slot.fine, 7).unwrap();
    let head = &opening.encode()[..2 + 64 + 64];
    for count in [19u32, 63, 64, 20_000, 1 << 29, u32::MAX] {
        let mut bytes = head.to_vec();
        codec::Compact(count).encode_to(&mut bytes);
        bytes.extend([0; 32 * 20]);
        assert!(SpotOpening::decode(&mut &bytes[..]).is_err());
    }
}

#[test]
fn what_is_encoded_is_what_is_decoded() {
    let honest = honest();
    let proof = &honest.slot.proof;
    assert_eq!(
        SlotProof::decode_all(&mut &proof.encode()[..]).as_ref(),
        Ok(proof)
    );
    assert_eq!(SlotProof::max_encoded_len(), proof.encoded_size());
    for index in 0..320 {
        let opening = open_spot(&honest.start, &honest.slot.fine, index).unwrap();
        assert_eq!(
            SpotOpening::decode_all(&mut &opening.encode()[..]),
            Ok(opening.clone())
        );
        let segment = spot_segment(&PARAMS, FIRST, &opening);
        assert_eq!(Segment::max_encoded_len(), segment.encoded_size());
        assert_eq!(Segment::decode_all(&mut &segment.encode()[..]), Ok(segment));
    }
    let json = serde_json::to_string(&VdfParams::MAINNET).unwrap();
    assert_eq!(
        json,
        r#"{"log2Lines":22,"passes":3,"iterationsPerSlot":304960}"#
    );
}
