// SPDX-License-Identifier: Apache-2.0

//! The hashes that make entropy and seeds. `H` is BLAKE3 over the joined bytes, numbers
//! little-endian.

use super::Hash;

/// `H(parts)`.
fn join(parts: &[&[u8]]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// The accumulator after one more VRF output: `H("tos/beacon/acc" ‖ accumulator ‖ vrf)`.
pub fn accumulate(accumulator: &Hash, vrf: &Hash) -> Hash {
    join(&[b"tos/beacon/acc", accumulator, vrf])
}

/// The seed of an epoch's dataset: `H("tos/beacon/epoch" ‖ number as u64 ‖ accumulator)`. The first
/// epoch's accumulator is the genesis seed.
pub fn epoch_seed(number: u64, accumulator: &Hash) -> Hash {
    join(&[b"tos/beacon/epoch", &number.to_le_bytes(), accumulator])
}

/// The seed that a randomness request yields: `H("tos/beacon/seed" ‖ output ‖ vrf ‖ subject)`, from
/// the output of its slot and the VRF output of its block's author.
pub fn request_seed(output: &Hash, vrf: &Hash, subject: &[u8]) -> Hash {
    join(&[b"tos/beacon/seed", output, vrf, subject])
}

/// The seed that a randomness request yields while the beacon stands still:
/// `H("tos/beacon/degraded" ‖ accumulator ‖ subject)`, from the accumulator after
/// [`super::DEGRADED_BLOCKS`] more blocks.
pub fn degraded_seed(accumulator: &Hash, subject: &[u8]) -> Hash {
    join(&[b"tos/beacon/degraded", accumulator, subject])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formulas_are_those_of_the_rules() {
        let text = |text: &[u8], rest: &[&[u8]]| {
            *blake3::hash(&[text, &rest.concat()].concat()).as_bytes()
        };
        let (a, b) = ([1; 32], [2; 32]);
        assert_eq!(accumulate(&a, &b), text(b"tos/beacon/acc", &[&a, &b]));
        assert_eq!(
            epoch_seed(258, &a),
            text(b"tos/beacon/epoch", &[&[2, 1, 0, 0, 0, 0, 0, 0], &a])
        );
        assert_eq!(
            request_seed(&a, &b, b"s"),
            text(b"tos/beacon/seed", &[&a, &b, b"s"])
        );
        assert_eq!(
            degraded_seed(&b, b"s"),
            text(b"tos/beacon/degraded", &[&b, b"s"])
        );
    }
}
