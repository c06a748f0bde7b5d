// SPDX-License-Identifier: Apache-2.0

//! The phase under which automatic work is booked.
//!
//! The executive runs `on_poll` and the steps of migrations between the inherents and the first
//! transaction, while the block is already in the phase of that transaction. Events of such work
//! would name a stranger's transaction or, in a block without one, an extrinsic that does not exist.
//! [`Automatic`] gives them the phase `Initialization`, for all pallets at once, so that none can
//! forget it. `on_initialize`, `on_idle` and `on_finalize` have the right phase already, and a step
//! that an account takes by a call belongs to that call.

use crate::{BlockNumber, Runtime, System};
use core::marker::PhantomData;
use polkadot_sdk::*;

use frame_executive::OnInitializeWithWeightRegistration;
use frame_support::{
    migrations::MultiStepMigrator,
    storage::{storage_prefix, unhashed},
    traits::{
        BeforeAllRuntimeMigrations, OffchainWorker, OnFinalize, OnIdle, OnPoll, OnRuntimeUpgrade,
        PalletInfoAccess,
    },
    weights::{Weight, WeightMeter},
};
use frame_system::Phase;

/// The hooks of `Inner`, of which those between inherents and transactions run in the phase
/// `Initialization`.
pub struct Automatic<Inner>(PhantomData<Inner>);

/// Does `work` in the phase `Initialization`; the phase is afterwards what it was before.
fn in_initialization<R>(work: impl FnOnce() -> R) -> R {
    // The pallet has no way to set its item.
    let item = storage_prefix(System::name().as_bytes(), b"ExecutionPhase");
    let before = System::execution_phase();
    unhashed::put(&item, &Phase::Initialization);
    let result = work();
    match before {
        Some(phase) => unhashed::put(&item, &phase),
        None => unhashed::kill(&item),
    }
    result
}

impl<Inner: OnPoll<BlockNumber>> OnPoll<BlockNumber> for Automatic<Inner> {
    fn on_poll(number: BlockNumber, meter: &mut WeightMeter) {
        in_initialization(|| Inner::on_poll(number, meter));
    }
}

impl<Inner: MultiStepMigrator> MultiStepMigrator for Automatic<Inner> {
    fn ongoing() -> bool {
        Inner::ongoing()
    }

    fn step() -> Weight {
        in_initialization(Inner::step)
    }
}

impl<Inner> OnInitializeWithWeightRegistration<Runtime> for Automatic<Inner>
where
    Inner: OnInitializeWithWeightRegistration<Runtime>,
{
    fn on_initialize_with_weight_registration(number: BlockNumber) -> Weight {
        Inner::on_initialize_with_weight_registration(number)
    }
}

impl<Inner: OnIdle<BlockNumber>> OnIdle<BlockNumber> for Automatic<Inner> {
    fn on_idle(number: BlockNumber, remaining: Weight) -> Weight {
        Inner::on_idle(number, remaining)
    }
}

impl<Inner: OnFinalize<BlockNumber>> OnFinalize<BlockNumber> for Automatic<Inner> {
    fn on_finalize(number: BlockNumber) {
        Inner::on_finalize(number);
    }
}

impl<Inner: OffchainWorker<BlockNumber>> OffchainWorker<BlockNumber> for Automatic<Inner> {
    fn offchain_worker(number: BlockNumber) {
        Inner::offchain_worker(number);
    }
}

impl<Inner: BeforeAllRuntimeMigrations> BeforeAllRuntimeMigrations for Automatic<Inner> {
    fn before_all_runtime_migrations() -> Weight {
        Inner::before_all_runtime_migrations()
    }
}

impl<Inner: OnRuntimeUpgrade> OnRuntimeUpgrade for Automatic<Inner> {
    fn on_runtime_upgrade() -> Weight {
        Inner::on_runtime_upgrade()
    }

    #[cfg(feature = "try-runtime")]
    fn try_on_runtime_upgrade(checks: bool) -> Result<Weight, sp_runtime::TryRuntimeError> {
        Inner::try_on_runtime_upgrade(checks)
    }

    #[cfg(feature = "try-runtime")]
    fn pre_upgrade() -> Result<alloc::vec::Vec<u8>, sp_runtime::TryRuntimeError> {
        Inner::pre_upgrade()
    }

    #[cfg(feature = "try-runtime")]
    fn post_upgrade(state: alloc::vec::Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
        Inner::post_upgrade(state)
    }
}

#[cfg(feature = "try-runtime")]
impl<Inner> frame_support::traits::TryState<BlockNumber> for Automatic<Inner>
where
    Inner: frame_support::traits::TryState<BlockNumber>,
{
    fn try_state(
        number: BlockNumber,
        targets: frame_support::traits::TryStateSelect,
    ) -> Result<(), sp_runtime::TryRuntimeError> {
        Inner::try_state(number, targets)
    }
}

#[cfg(feature = "try-runtime")]
impl<Inner> frame_support::traits::TryDecodeEntireStorage for Automatic<Inner>
where
    Inner: frame_support::traits::TryDecodeEntireStorage,
{
    fn try_decode_entire_state(
    ) -> Result<usize, alloc::vec::Vec<frame_support::traits::TryDecodeEntireStorageError>> {
        Inner::try_decode_entire_state()
    }
}
