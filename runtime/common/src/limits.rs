// SPDX-License-Identifier: Apache-2.0

//! Limits of a block: its work, its bytes, and the shares that classes of transactions have in both.

use crate::{weights::base, BlockNumber};
use polkadot_sdk::*;

use frame_support::{
    dispatch::DispatchClass,
    parameter_types,
    weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, RuntimeDbWeight, Weight},
};
use frame_system::limits::{BlockLength, BlockWeights};
use sp_runtime::Perbill;

/// Part of a block that ordinary transactions may fill. The rest is for operations and for what
/// the protocol itself must do.
pub const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);

/// Part of a block that hooks are expected to need before the first transaction.
const AVERAGE_ON_INITIALIZE_RATIO: Perbill = Perbill::from_percent(10);

/// Half of a two-second slot for computation: a block is executed by its author, travels, and is
/// executed by everyone else before the next one is due. Weights are worst cases, and authors stop by
/// the clock as well: see `docs/decisions/014-half-a-slot-of-work.md`.
pub const MAXIMUM_BLOCK_WEIGHT: Weight = Weight::from_parts(
    WEIGHT_REF_TIME_PER_MILLIS.saturating_mul(1_000),
    MAX_PROOF_BYTES,
);

/// This part of a whole block, rounded down.
pub fn part_of_block(part: Perbill) -> Weight {
    parts_of_block(part, part)
}

/// These parts of a whole block's time and of its proof, rounded down.
pub fn parts_of_block(time: Perbill, proof: Perbill) -> Weight {
    Weight::from_parts(
        time.mul_floor(MAXIMUM_BLOCK_WEIGHT.ref_time()),
        proof.mul_floor(MAXIMUM_BLOCK_WEIGHT.proof_size()),
    )
}

/// Longest block, in bytes.
const MAX_BLOCK_BYTES: u32 = 5 * 1024 * 1024;

/// Largest storage proof. No node of this chain sends or checks one: the limit only keeps what a
/// witness of a block would take within reason. It must not be what fills blocks first: sizes are
/// charged for the worst case, 16 KB for a transfer whose account data are 80 bytes.
const MAX_PROOF_BYTES: u64 = 40 * 1024 * 1024;

/// Longest header. Digests carry consensus messages; a validator set of the largest size fits.
const MAX_HEADER_BYTES: u32 = 128 * 1024;

parameter_types! {
    /// Blocks for which hashes are kept; also the longest life of a mortal transaction.
    pub const BlockHashCount: BlockNumber = 4096;

    /// Work that fits into a block.
    pub RuntimeBlockWeights: BlockWeights = BlockWeights::builder()
        .base_block(base::BLOCK)
        .for_class(DispatchClass::all(), |weights| {
            weights.base_extrinsic = base::EXTRINSIC;
        })
        .for_class(DispatchClass::Normal, |weights| {
            weights.max_total = Some(part_of_block(NORMAL_DISPATCH_RATIO));
        })
        .for_class(DispatchClass::Operational, |weights| {
            weights.max_total = Some(MAXIMUM_BLOCK_WEIGHT);
            // Operations find room even in a block that is full of ordinary transactions.
            weights.reserved = Some(
                MAXIMUM_BLOCK_WEIGHT.saturating_sub(part_of_block(NORMAL_DISPATCH_RATIO)),
            );
        })
        .avg_block_initialization(AVERAGE_ON_INITIALIZE_RATIO)
        .build_or_panic();

    /// Bytes that fit into a block.
    pub RuntimeBlockLength: BlockLength = BlockLength::builder()
        .max_length(MAX_BLOCK_BYTES)
        .modify_max_length_for_class(DispatchClass::Normal, |max| {
            *max = NORMAL_DISPATCH_RATIO.mul_floor(MAX_BLOCK_BYTES);
        })
        .max_header_size(MAX_HEADER_BYTES)
        .build();

    /// Cost of an access of the database.
    pub const DatabaseWeight: RuntimeDbWeight = base::DATABASE;
}
