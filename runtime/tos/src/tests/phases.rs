// SPDX-License-Identifier: Apache-2.0

//! Events in real blocks carry the phase of what caused them.

use super::*;
use crate::automatic::Automatic;
use codec::Encode;
use frame_support::{
    migrations::MultiStepMigrator,
    storage::{with_transaction, TransactionOutcome},
    weights::Weight,
};
use frame_system::{EventRecord, Phase};
use sp_consensus_babe::digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest};
use sp_runtime::{Digest, DigestItem, DispatchError};
use tos_interfaces::Clock as _;
use tos_types::{ContentRef, Difficulty, TaskParams, Tick};

/// The slot of the first block.
const FIRST_SLOT: u64 = 1_000;

fn signed(who: Sr25519Keyring, nonce: Nonce, call: impl Into<RuntimeCall>) -> UncheckedExtrinsic {
    let call = call.into();
    let extension = extension::<Runtime>(nonce);
    let payload = SignedPayload::new(call.clone(), extension.clone()).expect("complete");
    let signature = payload.using_encoded(|bytes| who.sign(bytes));
    UncheckedExtrinsic::new_signed(
        call,
        who.to_account_id().into(),
        signature.into(),
        extension,
    )
}

/// Builds the next block, of the inherent that sets the time and of `transactions`. Returns its events.
fn build(
    parent: &mut Hash,
    transactions: Vec<UncheckedExtrinsic>,
) -> Vec<EventRecord<RuntimeEvent, Hash>> {
    let number = System::block_number() + 1;
    let slot = FIRST_SLOT + u64::from(number);
    let author = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
        authority_index: 0,
        slot: slot.into(),
    });
    Executive::initialize_block(&Header {
        parent_hash: *parent,
        number,
        state_root: Hash::default(),
        extrinsics_root: Hash::default(),
        digest: Digest {
            logs: vec![DigestItem::babe_pre_digest(author)],
        },
    });
    let now = slot * SlotDurationMs::get();
    let time = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now });
    for extrinsic in [UncheckedExtrinsic::new_bare(time)]
        .into_iter()
        .chain(transactions)
    {
        Executive::apply_extrinsic(extrinsic)
            .expect("it may be in the block")
            .expect("it succeeds");
    }
    *parent = Executive::finalize_block().hash();
    System::events()
}

fn publish(open_for: Tick) -> RuntimeCall {
    RuntimeCall::Tasks(pallet_tasks::Call::publish {
        params: TaskParams::General {
            subject: b"nothing".to_vec().try_into().expect("short"),
        },
        difficulty: Difficulty::Beginner,
        spec: ContentRef::inline(b"a task that nobody joins").expect("short"),
        reward: 10 * TOS,
        open_for,
        min_quality: 50,
        max_participants: 1,
        reference: None,
    })
}

#[test]
fn events_belong_to_the_transaction_that_caused_them_or_to_none() {
    genesis("dev_fast").execute_with(|| {
        let mut parent = System::block_hash(0);
        let open_for = Clock::phase_lengths().min_open;
        // Two tasks that end by themselves in one block after the other: with a stranger's transaction
        // and without one.
        let tasks = [open_for, open_for + 1].map(publish);
        let tasks = (0..)
            .zip(tasks)
            .map(|(nonce, task)| signed(Sr25519Keyring::Alice, nonce, task));
        build(&mut parent, tasks.collect());
        let mut endings = Vec::new();
        for _ in 0..open_for + 3 {
            let bob = Sr25519Keyring::Bob;
            let nonce = System::account_nonce(bob.to_account_id());
            let transfer = RuntimeCall::Balances(BalancesCall::transfer_keep_alive {
                dest: Sr25519Keyring::Charlie.to_account_id().into(),
                value: TOS,
            });
            let transactions = match System::block_number() % 2 {
                0 => vec![signed(bob, nonce, transfer)],
                _ => vec![],
            };
            let strangers = transactions.len();
            for EventRecord { phase, event, .. } in build(&mut parent, transactions) {
                if let Phase::ApplyExtrinsic(index) = phase {
                    assert!((index as usize) < 1 + strangers, "{phase:?} of {event:?}");
                }
                match event {
                    RuntimeEvent::Tasks(pallet_tasks::Event::Closed { .. }) => {
                        assert_eq!(phase, Phase::Initialization);
                        endings.push(strangers);
                    }
                    RuntimeEvent::Tasks(_) | RuntimeEvent::Rewards(_) => {
                        assert_eq!(phase, Phase::Initialization, "{event:?}");
                    }
                    RuntimeEvent::Balances(pallet_balances::Event::Transfer { .. }) => {
                        assert_eq!(phase, Phase::ApplyExtrinsic(1));
                    }
                    _ => {}
                }
            }
        }
        endings.sort_unstable();
        assert_eq!(endings, [0, 1]);
    });
}

/// A migration whose every step tells of itself.
struct Telling;

impl MultiStepMigrator for Telling {
    fn ongoing() -> bool {
        true
    }

    fn step() -> Weight {
        System::deposit_event(frame_system::Event::<Runtime>::NewAccount {
            account: Sr25519Keyring::Alice.to_account_id(),
        });
        Weight::zero()
    }
}

#[test]
fn steps_of_a_migration_belong_to_no_transaction() {
    genesis("dev_fast").execute_with(|| {
        System::set_block_number(1);
        System::note_finished_initialize();
        Automatic::<Telling>::step();
        let phases: Vec<_> = System::events()
            .iter()
            .map(|record| record.phase.clone())
            .collect();
        assert_eq!(phases, [Phase::Initialization]);
        // What follows is the first extrinsic's again.
        assert_eq!(System::execution_phase(), Some(Phase::ApplyExtrinsic(0)));
    });
}

/// `tos` tries a transaction on the state of the best block before it sends it
/// (`BlockBuilder_apply_extrinsic`), where no block has begun.
#[test]
fn a_transaction_that_is_tried_on_the_state_of_a_block_fails_as_in_the_next_one_or_succeeds() {
    genesis("dev_fast").execute_with(|| {
        let mut parent = System::block_hash(0);
        build(&mut parent, vec![]);
        let call = || publish(Clock::phase_lengths().min_open);
        let nothing = || RuntimeCall::Rewards(pallet_rewards::Call::claim_all {});
        let tried = |call: RuntimeCall| {
            let transaction = signed(Sr25519Keyring::Alice, 0, call);
            with_transaction(|| {
                let outcome = Executive::apply_extrinsic(transaction);
                TransactionOutcome::Rollback(Ok::<_, DispatchError>(outcome))
            })
            .expect("not too deep")
            .expect("valid")
        };
        let refused = pallet_rewards::Error::<Runtime>::NothingToClaim.into();
        assert_eq!(tried(nothing()), Err(refused));
        assert_eq!(tried(call()), Ok(()));
        // It was a trial: the nonce is free, and the same call gets into the next block.
        build(&mut parent, vec![signed(Sr25519Keyring::Alice, 0, call())]);
    });
}
