// SPDX-License-Identifier: Apache-2.0

//! A runtime of storage with real balances, and a scripted beacon and clock.

use crate as pallet_storage;
use crate::*;
use codec::Encode;
use frame_support::{
    dispatch::DispatchResult,
    parameter_types,
    traits::{Authorize, ConstU64, Hooks},
    weights::{Weight, WeightMeter},
};
use frame_system::RawOrigin;
use sp_io::hashing::blake2_256;
use sp_runtime::{traits::Dispatchable, transaction_validity::TransactionSource, DispatchError};
use std::cell::Cell;
use tos_interfaces::{Randomness, Seed};
use tos_pallet_support::testing::{endowed, first_block, keeps_money, TestClock};
use tos_storage_proofs::Commitment;
use tos_types::{
    randomness::RandomnessRequest,
    storage::{DealTerms, ReplicaStatus, Retention, StorageConfig, StoredContent, Window},
    Balance, DealId, PhaseLengths, ReplicaId, TOS,
};

pub use crate::tests::world::*;

pub type AccountId = u64;

tos_pallet_support::test_runtime! {
    Store: pallet_storage, existential_deposit: ED, holds;
    type Randomness = TestBeacon;
    type Validators = Validators;
    type Treasury = ConstU64<TREASURY>;
    type ChainId = ChainId;
    type MaxWork = MaxWork;
}

pub const CLIENT: AccountId = 1;
pub const OTHER_CLIENT: AccountId = 2;
pub const ALICE: AccountId = 11;
pub const BOB: AccountId = 12;
pub const WATCHER: AccountId = 21;
pub const STRANGER: AccountId = 22;
/// The first of thirty session validators.
pub const VALIDATOR: AccountId = 100;
pub const TREASURY: AccountId = 99;
pub const ENDOWMENT: Balance = 100_000 * TOS;
pub const ED: Balance = 1_000;
pub const CHAIN: [u8; 32] = [7; 32];
/// Blocks until a randomness request's seed is there.
pub const DELAY: u32 = 2;

parameter_types! {
    pub static MaxWork: Weight = Weight::MAX;
    pub static Validators: Vec<AccountId> = (VALIDATOR..VALIDATOR + 30).collect();
    pub const ChainId: [u8; 32] = CHAIN;
}

thread_local! {
    static DEGRADED: Cell<bool> = const { Cell::new(false) };
    static EXPIRED: Cell<bool> = const { Cell::new(false) };
}

/// A beacon whose seeds are there two blocks after the randomness request.
pub struct TestBeacon;
impl Randomness for TestBeacon {
    fn request() -> RandomnessRequest {
        let block = System::block_number() as u32;
        RandomnessRequest {
            slot: u64::from(block) * 2,
            block,
        }
    }
    fn seed(randomness: &RandomnessRequest, subject: &[u8]) -> Seed {
        if EXPIRED.get() {
            return Seed::Expired;
        }
        match System::block_number() as u32 >= randomness.block + DELAY {
            true => Seed::Ready {
                seed: (randomness, subject).using_encoded(blake2_256),
                degraded: false,
            },
            false => Seed::Pending,
        }
    }
    fn degraded() -> bool {
        DEGRADED.get()
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_ready(randomness: &RandomnessRequest) {
        System::set_block_number(u64::from(randomness.block + DELAY));
    }
}

pub fn set_degraded(degraded: bool) {
    DEGRADED.set(degraded);
}

pub fn set_expired(expired: bool) {
    EXPIRED.set(expired);
}

/// The configuration of most tests: as for development chains, with smaller groups and two audits
/// in a block.
pub fn config() -> StorageConfig {
    StorageConfig {
        group_places: 3,
        audits_per_block: 2,
        ..StorageConfig::FAST
    }
}

/// One block with one tick.
pub fn tick() {
    TestClock::advance(1);
    tickless();
}

/// One block that is too full to count.
pub fn tickless() {
    let number = System::block_number() + 1;
    System::set_block_number(number);
    Store::on_initialize(number);
    Store::on_poll(number, &mut WeightMeter::new());
}

pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who)
}

/// What an account owns, on hold or not.
pub fn wealth(who: AccountId) -> Balance {
    use frame_support::traits::fungible::Inspect;
    <Balances as Inspect<AccountId>>::total_balance(&who)
}

pub fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

pub fn by(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// Submits a call without a sender, as the transaction pool and a block would.
pub fn send(call: crate::Call<Test>) -> DispatchResult {
    let call = RuntimeCall::from(call);
    let authorized = call
        .authorize(TransactionSource::External)
        .expect("the call can be authorised");
    authorized.map_err(|_| DispatchError::Other("not authorised"))?;
    call.dispatch(RawOrigin::Authorized.into())
        .map(|_| ())
        .map_err(|refused| refused.error)
}

/// Price of the deals that tests make: 4 TOS for a GiB and billing period.
pub const PRICE: Balance = 4 * TOS;

pub fn content(bytes: &[u8]) -> StoredContent {
    StoredContent {
        hash: tos_types::content::content_hash(bytes),
        length: bytes.len() as u64,
        locator: b"http://client".to_vec().try_into().unwrap(),
    }
}

pub fn terms(retention: Retention) -> DealTerms<AccountId> {
    DealTerms {
        price: PRICE,
        retention,
        provider: None,
    }
}

pub fn next_deal(client: AccountId) -> DealId {
    DealId::derive(&client, Nonces::<Test>::get(client))
}

/// A client offers a deal about some bytes.
pub fn offer(client: AccountId, bytes: &[u8], retention: Retention) -> DealId {
    let id = next_deal(client);
    let coded: Commitment = *coded(bytes).commitment();
    Store::offer(by(client), content(bytes), coded, terms(retention)).unwrap();
    id
}

pub fn status(id: ReplicaId) -> ReplicaStatus {
    replica(id).status
}

pub fn replica(id: ReplicaId) -> Replica<AccountId> {
    Replicas::<Test>::get(id).unwrap()
}

/// Moves the end of a replica's state, as if the queue were behind or ahead.
pub fn set_until(id: ReplicaId, until: Window) {
    Replicas::<Test>::mutate(id, |replica| replica.as_mut().unwrap().until = until);
}

pub fn deal_of(id: ReplicaId) -> Deal<AccountId> {
    Deals::<Test>::get(replica(id).deal).unwrap()
}

pub fn provider(who: AccountId) -> Provider {
    Providers::<Test>::get(who).unwrap()
}

pub fn events() -> Vec<Event<Test>> {
    System::read_events_for_pallet()
}

pub fn new_test_ext(config: StorageConfig) -> sp_io::TestExternalities {
    TestClock::start(100, PhaseLengths::development());
    reset();
    let rich = (1..=40).map(|who| (who, ENDOWMENT));
    let validators = (VALIDATOR..VALIDATOR + 30).map(|who| (who, ENDOWMENT));
    let balances = rich.chain(validators).chain([(TREASURY, TOS)]).collect();
    first_block::<Test>(&RuntimeGenesisConfig {
        balances: endowed::<Test>(balances),
        store: pallet_storage::GenesisConfig {
            config,
            ..Default::default()
        },
        ..Default::default()
    })
}

/// A chain whose node holds keys, as benchmarks need them.
#[cfg(feature = "runtime-benchmarks")]
pub fn new_benchmark_ext() -> sp_io::TestExternalities {
    use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
    let mut ext = new_test_ext(config());
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext
}

/// Forgets what another test of this thread has scripted.
fn reset() {
    DEGRADED.set(false);
    EXPIRED.set(false);
    MaxWork::set(Weight::MAX);
    Validators::set((VALIDATOR..VALIDATOR + 30).collect());
}

/// Builds the chain of a test.
pub struct ExtBuilder {
    pub config: StorageConfig,
}

impl Default for ExtBuilder {
    fn default() -> Self {
        Self { config: config() }
    }
}

impl ExtBuilder {
    pub fn config(change: impl FnOnce(&mut StorageConfig)) -> Self {
        let mut config = config();
        change(&mut config);
        Self { config }
    }

    /// Runs a test and then checks that every invariant holds and that no money came or went.
    pub fn execute(self, test: impl FnOnce(&mut World)) {
        new_test_ext(self.config).execute_with(|| {
            keeps_money::<Balances>(|| {
                let mut world = World::default();
                tick();
                test(&mut world);
                Store::do_try_state().unwrap();
            });
        });
    }

    /// The same with a provider, Alice.
    pub fn run(self, test: impl FnOnce(&mut World)) {
        self.execute(|world| {
            world.provider(ALICE, 5_000 * TOS);
            test(world);
        });
    }
}

/// Puts records of replicas that are over under a provider, before its others: more than anybody may
/// have to look through.
pub fn crowd(who: AccountId) -> Vec<ReplicaId> {
    let over: Vec<_> = (0..5_000u128)
        .map(|number| ReplicaId(number.to_be_bytes()))
        .collect();
    for id in &over {
        ReplicasOf::<Test>::insert(who, id, ());
    }
    over
}

/// Takes them away again.
pub fn disperse(who: AccountId, over: Vec<ReplicaId>) {
    for id in over {
        ReplicasOf::<Test>::remove(who, id);
    }
}

/// A test with the usual configuration and a provider, Alice.
pub fn run(test: impl FnOnce(&mut World)) {
    ExtBuilder::default().run(test);
}

/// The same with an active replica of hers.
pub fn with_replica(test: impl FnOnce(&mut World, ReplicaId)) {
    run(|world| {
        let id = world.active(ALICE, 1);
        test(world, id);
    });
}
