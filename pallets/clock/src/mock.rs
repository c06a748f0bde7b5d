// SPDX-License-Identifier: Apache-2.0

//! A runtime of the clock alone.

use crate as pallet_clock;
use frame_support::{
    dispatch::DispatchClass,
    traits::{Get, Hooks},
    weights::{Weight, WeightMeter},
};
use polkadot_sdk::*;
use tos_pallet_support::testing::first_block;
use tos_types::PhaseLengths;

tos_pallet_support::test_runtime! { Clock: pallet_clock; }

/// A chain with the phase lengths of development.
pub fn new_test_ext() -> sp_io::TestExternalities {
    with_phase_lengths(PhaseLengths::development())
}

/// A chain with the given phase lengths.
pub fn with_phase_lengths(phase_lengths: PhaseLengths) -> sp_io::TestExternalities {
    first_block::<Test>(&RuntimeGenesisConfig {
        clock: pallet_clock::GenesisConfig {
            phase_lengths,
            ..Default::default()
        },
        ..Default::default()
    })
}

/// Contents of a block.
#[derive(Clone, Copy, Default)]
pub struct Content {
    /// Weight of users' transactions, in the class's share of the block, in per cent.
    pub time: u64,
    /// The same for the proof size.
    pub proof: u64,
    /// Bytes of transactions, in per cent of what users may use.
    pub bytes: u64,
    /// Weight of inherents and hooks, in per cent of the block.
    pub mandatory: u64,
    /// `true` if a migration has the block.
    pub migration: bool,
}

/// Runs one block.
pub fn block(content: Content) {
    let number = System::block_number() + 1;
    System::set_block_number(number);
    frame_system::BlockWeight::<Test>::kill();
    frame_system::BlockSize::<Test>::kill();
    Clock::on_initialize(number);
    if !content.migration {
        Clock::on_poll(number, &mut WeightMeter::new());
    }
    let weights: frame_system::limits::BlockWeights =
        <Test as frame_system::Config>::BlockWeights::get();
    let limit = weights.get(DispatchClass::Normal).max_total.unwrap();
    System::register_extra_weight_unchecked(
        Weight::from_parts(
            limit.ref_time() / 100 * content.time,
            limit.proof_size() / 100 * content.proof,
        ),
        DispatchClass::Normal,
    );
    System::register_extra_weight_unchecked(
        weights.max_block / 100 * content.mandatory,
        DispatchClass::Mandatory,
    );
    let length: frame_system::limits::BlockLength =
        <Test as frame_system::Config>::BlockLength::get();
    let most = u64::from(*length.max.get(DispatchClass::Normal));
    frame_system::BlockSize::<Test>::put((most * content.bytes / 100) as u32);
    Clock::on_finalize(number);
    Clock::do_try_state().unwrap();
}
