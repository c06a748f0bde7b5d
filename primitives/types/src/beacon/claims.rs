// SPDX-License-Identifier: Apache-2.0

//! The claims of a block on the slots it includes, and the canary that samples them.

use super::{Epoch, Hash, SlotStart, MAX_SLOTS_PER_BLOCK, SPOTS_PER_BLOCK};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use polkadot_sdk::sp_core::{bounded::BoundedVec, ConstU32};
use scale_info::TypeInfo;
use tos_vdf::{open_spot, spot_segment, verify_spot_opening, Segment, SpotOpening, State, FINE};

/// The identifier under which inherent data holds an encoded [`BeaconInherent`].
pub const INHERENT_IDENTIFIER: [u8; 8] = *b"tosbeacn";

/// The claim that a slot ends in a state, with the root over the ends of its fine segments. Which
/// slot it is and what it starts from follow from the parent's head.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SlotClaim {
    /// The state the slot ends in.
    pub end: State,
    /// The Merkle root of the end states of its fine segments.
    pub fine_root: Hash,
}

/// One fine segment, opened under a claim of the same block.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SpotClaim {
    /// The index of the claim within the block.
    pub claim: u8,
    /// The segment and its path to the claim's fine root.
    pub opening: SpotOpening,
}

/// The slot claims of one block.
pub type SlotClaims = BoundedVec<SlotClaim, ConstU32<MAX_SLOTS_PER_BLOCK>>;
/// The spot openings of one block.
pub type SpotClaims = BoundedVec<SpotClaim, ConstU32<SPOTS_PER_BLOCK>>;

/// The beacon's part of a block, put in by its author: the inherent data and the arguments of the
/// inherent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct BeaconInherent {
    /// The slots after the parent's head, in order.
    pub slots: SlotClaims,
    /// The openings that [`spot_indices`] asks for, in its order.
    pub spots: SpotClaims,
}

/// The fine segments that a block must open: (index of the claim, index of the fine segment), drawn
/// evenly and with replacement. Nothing for no claims, or for more than a block may hold.
///
/// The j-th is (⌊x_2j · n / 2⁶⁴⌋, ⌊x_2j+1 · 320 / 2⁶⁴⌋) for n claims, where x_i is the i-th little-endian
/// u64 of the XOF `BLAKE3("tos/beacon/spots" ‖ parent hash ‖ SCALE encoding of the claims)`.
pub fn spot_indices(parent_hash: &[u8], claims: &[SlotClaim]) -> Vec<(u8, u16)> {
    if claims.is_empty() || claims.len() > MAX_SLOTS_PER_BLOCK as usize {
        return Vec::new();
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"tos/beacon/spots");
    hasher.update(parent_hash);
    hasher.update(&claims.encode());
    let mut stream = hasher.finalize_xof();
    let mut draw = |below: usize| {
        let mut drawn = [0; 8];
        stream.fill(&mut drawn);
        let wide = u128::from(u64::from_le_bytes(drawn)).saturating_mul(below as u128);
        wide >> 64
    };
    (0..SPOTS_PER_BLOCK)
        .map(|_| (draw(claims.len()) as u8, draw(FINE) as u16))
        .collect()
}

/// A slot that was computed or verified here, ready for a block.
#[derive(Clone, Copy, Debug)]
pub struct KnownSlot<'a> {
    /// The state it starts from, entropy injected.
    pub start: &'a State,
    /// The end states of its fine segments, in order.
    pub fine: &'a [State],
    /// Their Merkle root.
    pub fine_root: &'a Hash,
}

/// Makes the inherent of a block from the slots after its parent's head, in order. `None` when there
/// are none, more than [`MAX_SLOTS_PER_BLOCK`], or a slot has not all its fine states.
pub fn make_inherent(parent_hash: &[u8], slots: &[KnownSlot<'_>]) -> Option<BeaconInherent> {
    let claims: Vec<SlotClaim> = slots
        .iter()
        .map(|slot| {
            let end = *slot.fine.last()?;
            let fine_root = *slot.fine_root;
            Some(SlotClaim { end, fine_root })
        })
        .collect::<Option<_>>()?;
    if claims.is_empty() {
        return None;
    }
    let spots: Vec<SpotClaim> = spot_indices(parent_hash, &claims)
        .into_iter()
        .map(|(claim, index)| {
            let slot = slots.get(usize::from(claim))?;
            let opening = open_spot(slot.start, slot.fine, index)?;
            Some(SpotClaim { claim, opening })
        })
        .collect::<Option<_>>()?;
    Some(BeaconInherent {
        slots: claims.try_into().ok()?,
        spots: spots.try_into().ok()?,
    })
}

/// The reasons to refuse the spot openings of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpotError {
    /// Not as many as the claims ask for.
    Count,
    /// Another segment is opened than the one asked for.
    Index,
    /// The opening does not lie under its claim's fine root, or contradicts its start or end.
    Opening,
}

/// Checks that the openings are the ones asked for and lie under their claims' roots. The walks that
/// remain to be re-executed, by epoch: two at most, since the claims follow one another.
///
/// `starts` are those of the claims, from [`super::starts`].
pub fn check_spots(
    parent_hash: &[u8],
    claims: &[SlotClaim],
    starts: &[SlotStart],
    spots: &[SpotClaim],
) -> Result<Vec<(Epoch, Vec<Segment>)>, SpotError> {
    let asked = spot_indices(parent_hash, claims);
    if asked.len() != spots.len() || claims.len() != starts.len() {
        return Err(SpotError::Count);
    }
    let mut walks: Vec<(Epoch, Vec<Segment>)> = Vec::with_capacity(2);
    for (asked, spot) in asked.into_iter().zip(spots) {
        let opening = &spot.opening;
        if asked != (spot.claim, opening.index) {
            return Err(SpotError::Index);
        }
        let at = usize::from(spot.claim);
        let (claim, start) = claims.get(at).zip(starts.get(at)).ok_or(SpotError::Index)?;
        // The claimed end is the end of the last segment; the tree alone does not say so.
        let last = usize::from(opening.index).saturating_add(1) == FINE;
        if last && opening.end != claim.end {
            return Err(SpotError::Opening);
        }
        if !verify_spot_opening(&claim.fine_root, &start.start, opening) {
            return Err(SpotError::Opening);
        }
        let segment = spot_segment(&start.epoch.params, start.first_iteration, opening);
        match walks.iter_mut().find(|(epoch, _)| *epoch == start.epoch) {
            Some((_, segments)) => segments.push(segment),
            None => walks.push((start.epoch, [segment].to_vec())),
        }
    }
    Ok(walks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beacon::{starts, BeaconConfig, Head, Surroundings};
    use tos_vdf::{evaluate_slot, verify_segments, Dataset, VdfParams};

    const PARENT: [u8; 32] = [5; 32];

    struct Only(Epoch);
    impl Surroundings for Only {
        fn epoch(&self, number: u64) -> Option<Epoch> {
            (number == self.0.number).then_some(self.0)
        }
        fn entropy(&self, _: u64) -> Option<Hash> {
            None
        }
    }

    fn epoch() -> Epoch {
        Epoch {
            number: 0,
            seed: [3; 32],
            params: VdfParams {
                log2_lines: 10,
                passes: 1,
                iterations_per_slot: 320,
            },
        }
    }

    /// Two slots after a head, really evaluated, and the inherent that a node makes of them.
    fn block() -> (Dataset, Vec<SlotStart>, BeaconInherent) {
        let epoch = epoch();
        let dataset = Dataset::build(&epoch.params, &epoch.seed).unwrap();
        let head = Head {
            slot: 0,
            end: [1; 64],
            next_iteration: 7,
        };
        let one = evaluate_slot(&dataset, &head.end, 7, &|| false).unwrap();
        let two = evaluate_slot(&dataset, one.proof.end(), 327, &|| false).unwrap();
        let known = [
            KnownSlot {
                start: &head.end,
                fine: &one.fine,
                fine_root: &one.proof.fine_root,
            },
            KnownSlot {
                start: one.proof.end(),
                fine: &two.fine,
                fine_root: &two.proof.fine_root,
            },
        ];
        let inherent = make_inherent(&PARENT, &known).unwrap();
        let config = BeaconConfig::FAST;
        let starts = starts(&config, &Only(epoch), &head, &inherent.slots).unwrap();
        (dataset, starts, inherent)
    }

    fn check(
        starts: &[SlotStart],
        inherent: &BeaconInherent,
    ) -> Result<Vec<(Epoch, Vec<Segment>)>, SpotError> {
        check_spots(&PARENT, &inherent.slots, starts, &inherent.spots)
    }

    #[test]
    fn what_a_node_makes_passes_and_re_executes() {
        let (dataset, starts, inherent) = block();
        let walks = check(&starts, &inherent).unwrap();
        assert_eq!(walks.len(), 1);
        assert_eq!(walks[0].1.len(), 4);
        assert!(verify_segments(&dataset, &walks[0].1));
    }

    #[test]
    fn openings_for_another_parent_do_not_do() {
        let (_, starts, inherent) = block();
        assert_eq!(
            check_spots(&[6; 32], &inherent.slots, &starts, &inherent.spots),
            Err(SpotError::Index)
        );
    }

    #[test]
    fn missing_swapped_and_altered_openings_are_refused() {
        let (_, starts, good) = block();
        let mut bad = good.clone();
        bad.spots.pop();
        assert_eq!(check(&starts, &bad), Err(SpotError::Count));
        assert_eq!(check(&starts[..1], &good), Err(SpotError::Count));
        let mut spots = good.spots.clone().into_inner();
        spots.swap(0, 1);
        let bad = BeaconInherent {
            spots: spots.try_into().unwrap(),
            ..good.clone()
        };
        assert_eq!(check(&starts, &bad), Err(SpotError::Index));
        let mut bad = good.clone();
        bad.spots[2].opening.end[5] ^= 1;
        assert_eq!(check(&starts, &bad), Err(SpotError::Opening));
        let mut bad = good;
        bad.spots[3].opening.siblings[0][0] ^= 1;
        assert_eq!(check(&starts, &bad), Err(SpotError::Opening));
    }

    #[test]
    fn the_segments_depend_on_parent_and_claims_and_cover_all() {
        let (_, _, inherent) = block();
        let here = spot_indices(&PARENT, &inherent.slots);
        assert_ne!(here, spot_indices(&[6; 32], &inherent.slots));
        let mut other = inherent.slots.clone();
        other[0].end[0] ^= 1;
        assert_ne!(here, spot_indices(&PARENT, &other));
        assert!(spot_indices(&PARENT, &[]).is_empty());

        let mut seen = std::collections::BTreeSet::new();
        for parent in 0..4_000u32 {
            seen.extend(spot_indices(&parent.to_le_bytes(), &inherent.slots));
        }
        assert_eq!(seen.len(), 2 * FINE);
        assert_eq!(seen.last(), Some(&(1, 319)));
    }

    #[test]
    fn a_last_segment_must_end_where_its_claim_does() {
        // Slots alike but for the claimed end: some parent asks for the last segment.
        let (_, starts, good) = block();
        let epoch = epoch();
        let dataset = Dataset::build(&epoch.params, &epoch.seed).unwrap();
        let one = evaluate_slot(&dataset, &starts[0].start, 7, &|| false).unwrap();
        let mut claims = good.slots[..1].to_vec();
        claims[0].end[9] ^= 1;
        let (parent, asked) = (0u32..)
            .map(|parent| (parent, spot_indices(&parent.to_le_bytes(), &claims)))
            .find(|(_, asked)| asked.iter().any(|(_, index)| *index == 319))
            .unwrap();
        let spots: Vec<SpotClaim> = asked
            .into_iter()
            .map(|(claim, index)| SpotClaim {
                claim,
                opening: open_spot(&starts[0].start, &one.fine, index).unwrap(),
            })
            .collect();
        assert_eq!(
            check_spots(&parent.to_le_bytes(), &claims, &starts[..1], &spots),
            Err(SpotError::Opening)
        );
    }

    #[test]
    fn more_than_a_block_may_hold_does_not_decode() {
        let (_, _, inherent) = block();
        assert_eq!(
            BeaconInherent::decode(&mut &inherent.encode()[..]),
            Ok(inherent.clone())
        );
        let nine = alloc::vec![inherent.slots[0].clone(); 9];
        let bytes = (nine, inherent.spots.to_vec()).encode();
        assert!(BeaconInherent::decode(&mut &bytes[..]).is_err());
        assert!(make_inherent(&PARENT, &[]).is_none());
    }
}
