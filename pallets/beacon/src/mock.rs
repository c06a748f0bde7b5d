// SPDX-License-Identifier: Apache-2.0

//! A runtime of the beacon alone, with a timekeeper that really walks.

use crate as pallet_beacon;
use crate::{OnRecord, Pallet};
use frame_support::{
    assert_ok,
    traits::{Get, Hooks, UnixTime},
};
use frame_system::EnsureRoot;
use polkadot_sdk::*;
use sp_core::H256;
use sp_runtime::{BuildStorage, DispatchResult};
use std::time::Duration;
use tos_types::beacon::{
    make_inherent, next_start, BeaconInherent, Hash, Head, KnownSlot, SlotStart,
};
use tos_vdf::{evaluate_slot, SlotEvaluation, State, VdfParams};

tos_pallet_support::test_runtime! {
    Beacon: pallet_beacon;
    type Vrf = ParentVrf;
    type Time = Time;
    type SlotEnd = SlotEnd;
    type GovernanceOrigin = EnsureRoot<u64>;
}

frame_support::parameter_types! {
    /// The VRF output of the parent block's author.
    pub static ParentVrf: Option<Hash> = None;
    /// The time of the block.
    pub static NowMs: u64 = 0;
}

pub struct Time;
impl UnixTime for Time {
    fn now() -> Duration {
        Duration::from_millis(NowMs::get())
    }
}

/// Blocks are made at the end of their BABE slots.
pub struct SlotEnd;
impl Get<u64> for SlotEnd {
    fn get() -> u64 {
        NowMs::get()
    }
}

/// A small dataset, short slots.
pub const PARAMS: VdfParams = VdfParams {
    log2_lines: 10,
    passes: 1,
    iterations_per_slot: 320,
};

/// Windows of 8 slots, entropy every third, epochs of 6 windows.
pub const CONFIG: tos_types::beacon::BeaconConfig = tos_types::beacon::BeaconConfig {
    params: PARAMS,
    slot_ms: 250,
    window_slots: 8,
    inject_windows: 3,
    epoch_windows: 6,
    prebuild_slots: 10,
    stall_blocks: 5,
};

/// The time of the first block.
pub const START_MS: u64 = 1_800_000_000_000;
/// Slots' worth of time between blocks.
pub const SLOTS_PER_BLOCK: u64 = 8;

/// A chain with the given configuration and seed.
pub fn with_config(config: tos_types::beacon::BeaconConfig) -> sp_io::TestExternalities {
    let mut storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .unwrap();
    pallet_beacon::GenesisConfig::<Test> {
        config,
        seed: [42; 32],
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .unwrap();
    NowMs::set(START_MS);
    ParentVrf::set(None);
    storage.into()
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    with_config(CONFIG)
}

/// Runs a test from genesis, and checks the invariants at its end.
pub fn execute(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        test();
        Beacon::do_try_state().unwrap();
    });
}

/// The VRF output of a block's author in these tests.
pub fn vrf_of(block: u32) -> Hash {
    let mut vrf = [0x77; 32];
    vrf[..4].copy_from_slice(&block.to_le_bytes());
    vrf
}

/// Begins the next block, eight slots of time later.
pub fn begin_block() {
    begin_block_after(SLOTS_PER_BLOCK * u64::from(CONFIG.slot_ms));
}

/// Begins the next block so many milliseconds later.
pub fn begin_block_after(ms: u64) {
    let parent = System::block_number();
    let number = parent + 1;
    System::reset_events();
    System::set_block_number(number);
    System::set_parent_hash(H256::from_low_u64_be(number * 1_000));
    NowMs::set(NowMs::get() + ms);
    ParentVrf::set((parent > 0).then(|| vrf_of(u32::try_from(parent).unwrap())));
    Beacon::on_initialize(number);
}

/// Begins the next block at the same time; its parent's author had this output, if it is given.
pub fn begin_block_by(vrf: Option<Hash>) {
    let number = System::block_number() + 1;
    System::set_block_number(number);
    let usual = vrf_of(u32::try_from(number - 1).unwrap());
    ParentVrf::set(Some(vrf.unwrap_or(usual)));
    Beacon::on_initialize(number);
}

/// The hash of the current block's parent.
pub fn parent_hash() -> Hash {
    System::parent_hash().0
}

/// A slot that the timekeeper computed.
#[derive(Clone)]
pub struct Computed {
    pub start: SlotStart,
    pub slot: SlotEvaluation,
}

impl Computed {
    pub fn evaluate(start: SlotStart) -> Self {
        let dataset =
            tos_host_functions::cache::dataset(&start.epoch.params, &start.epoch.seed).unwrap();
        let slot = evaluate_slot(&dataset, &start.start, start.first_iteration, &|| false).unwrap();
        Self { start, slot }
    }

    /// The same slot with another end: its last fine segment is false.
    pub fn with_false_end(mut self) -> Self {
        self.slot.fine[319][0] ^= 1;
        self.slot.proof.coarse[31][0] ^= 1;
        self.slot.proof.fine_root = tos_vdf::fine_root(&self.slot.fine);
        self
    }

    pub fn end(&self) -> &State {
        self.slot.proof.end()
    }

    fn known(&self) -> KnownSlot<'_> {
        KnownSlot {
            start: &self.start.start,
            fine: &self.slot.fine,
            fine_root: &self.slot.proof.fine_root,
        }
    }
}

/// Inputs of the next slot.
pub fn start_after(head: &Head) -> SlotStart {
    next_start(
        &crate::Settings::<Test>::get(),
        &OnRecord::<Test>::load(),
        head,
    )
    .unwrap()
}

/// Computes the slots after the head.
pub fn compute(count: usize) -> Vec<Computed> {
    let mut head = Pallet::<Test>::head();
    (0..count)
        .map(|_| {
            let computed = Computed::evaluate(start_after(&head));
            head = computed.start.head(computed.end()).unwrap();
            computed
        })
        .collect()
}

/// The inherent of the current block for these slots.
pub fn inherent(slots: &[Computed]) -> BeaconInherent {
    let known: Vec<KnownSlot<'_>> = slots.iter().map(Computed::known).collect();
    make_inherent(&parent_hash(), &known).unwrap()
}

/// Applies an inherent as the executive does.
pub fn apply(inherent: BeaconInherent) -> DispatchResult {
    let BeaconInherent { slots, spots } = inherent;
    frame_support::storage::with_storage_layer(|| {
        Beacon::advance(RuntimeOrigin::none(), slots, spots)
    })
}

/// One block with so many slots, at most eight.
pub fn block(slots: usize) {
    begin_block();
    if slots > 0 {
        assert_ok!(apply(inherent(&compute(slots))));
    }
}

/// A block that includes one slot whose end is false, which its canary does not hit.
pub fn block_with_false_slot() {
    begin_block();
    let lie = compute(1).remove(0).with_false_end();
    let mut parent = 0;
    loop {
        System::set_parent_hash(H256::from_low_u64_be(parent));
        let inherent = inherent(std::slice::from_ref(&lie));
        if inherent.spots.iter().all(|spot| spot.opening.index != 319) {
            assert_ok!(apply(inherent));
            return;
        }
        parent += 1;
    }
}

/// Blocks with eight slots each, until the head is at `slot`.
pub fn walk_to(slot: u64) {
    while Beacon::head().slot < slot {
        let missing = usize::try_from(slot - Beacon::head().slot).unwrap();
        block(missing.min(SLOTS_PER_BLOCK as usize));
    }
}

/// The first blocks: three slots in the first, since time begins with it.
pub fn started() {
    block(3);
    walk_to(8);
}
