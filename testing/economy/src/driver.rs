// SPDX-License-Identifier: Apache-2.0

//! The real runtime in memory: blocks, transactions with their fees, and time.
//!
//! Blocks are built by the runtime's own executive: inherents, transactions that are signed and pay as
//! on chain, all hooks. Two things come from outside, as they do on a network: the VRF output of each
//! block's author, here from the seed of the run, and time.
//!
//! *Time.* A stretch in which nothing can happen is skipped: no transaction waits, and no queue of the
//! runtime has an entry in it. Then protocol time moves on to just before the next entry, as if empty
//! blocks had passed. Block numbers and wall-clock time do not move with it, so eras and the fee
//! multiplier see only the blocks that were built. The beacon includes no slots, so that draws use
//! seeds of the degraded mode.

use crate::{
    dice::Dice,
    error::{Error, Result},
};
use codec::Encode;
use polkadot_sdk::*;

use frame_support::storage::{storage_prefix, unhashed, with_transaction_unchecked};
use sp_consensus_babe::digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest};
use sp_core::{sr25519, Pair as _};
use sp_genesis_builder::PresetId;
use sp_runtime::{
    traits::Dispatchable,
    transaction_validity::{InvalidTransaction, TransactionValidityError},
    BuildStorage, Digest, DigestItem, DispatchError, TransactionOutcome,
};
use tos_runtime::{
    extension, genesis_presets, AccountId, Balance, BlockNumber, Executive, Hash, Header, Runtime,
    RuntimeCall, RuntimeEvent, RuntimeOrigin, SignedPayload, System, UncheckedExtrinsic,
};
use tos_types::{task::Certification, Tick};

/// The slot of the block before the first.
const SLOT_OF_GENESIS: u64 = 1_000;

/// An account with its key.
#[derive(Clone)]
pub struct Key {
    pair: sr25519::Pair,
    account: AccountId,
}

impl Key {
    /// The account of a pair.
    pub fn new(pair: sr25519::Pair) -> Self {
        let account = AccountId::from(pair.public());
        Self { pair, account }
    }

    /// The account with this number, of those that a run makes for itself.
    pub fn numbered(number: u32) -> Self {
        let seed = Dice::new(0, (b"account", number)).bytes();
        Self::new(sr25519::Pair::from_seed(&seed))
    }

    /// The account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
}

/// A chain in memory.
pub struct Chain {
    ext: sp_io::TestExternalities,
    dice: Dice,
    parent: Hash,
    number: BlockNumber,
    slot: u64,
    slot_ms: u64,
    open: bool,
    skipped: Tick,
}

impl Chain {
    /// A chain born as the network `testnet` is, with its windows, deposits and rates, and besides its
    /// accounts with those endowed and certified Expert here.
    ///
    /// # Errors
    /// [`Error::Genesis`]
    pub fn new(
        seed: u64,
        endowed: &[(AccountId, Balance)],
        certified: &[AccountId],
    ) -> Result<Self> {
        let mut ext = genesis(endowed, certified)?;
        let slot_ms = ext.execute_with(|| {
            tos_runtime::time_config::Pallet::<Runtime>::time_config().slot_duration_ms
        });
        Ok(Self {
            ext,
            dice: Dice::new(seed, b"author"),
            parent: Hash::default(),
            number: 0,
            slot: SLOT_OF_GENESIS,
            slot_ms,
            open: false,
            skipped: 0,
        })
    }

    /// Reads the state: that of the block that is open, or else of the last one.
    pub fn read<R>(&mut self, read: impl FnOnce() -> R) -> R {
        self.ext.execute_with(read)
    }

    /// Protocol time.
    pub fn now(&mut self) -> Tick {
        self.read(pallet_clock::Ticks::<Runtime>::get)
    }

    /// The number of blocks that were built.
    pub fn blocks(&self) -> BlockNumber {
        self.number
    }

    /// The number of ticks that were skipped.
    pub fn skipped(&self) -> Tick {
        self.skipped
    }

    /// Applies a signed transaction in the open block, and opens one where none is. Where the block is
    /// full the transaction goes into the next one.
    ///
    /// # Errors
    /// [`Error::Invalid`] if no block can hold it, [`Error::Failed`] if the call fails.
    pub fn submit(&mut self, who: &Key, call: RuntimeCall) -> Result<Vec<RuntimeEvent>> {
        let mut events = Vec::new();
        let outcome = match self.apply(who, &call) {
            Err(TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources)) => {
                events = self.end_block();
                self.apply(who, &call)
            }
            other => other,
        };
        outcome.map_err(Error::Invalid)?.map_err(Error::Failed)?;
        Ok(events)
    }

    /// Dispatches a call of root in the open block, as a referendum does that has passed, and opens one
    /// where none is.
    ///
    /// # Errors
    /// [`Error::Failed`] if the call fails.
    pub fn decide(&mut self, call: RuntimeCall) -> Result<()> {
        self.begin_block();
        let done = self
            .ext
            .execute_with(|| call.dispatch(RuntimeOrigin::root()));
        done.map(|_| ())
            .map_err(|refused| Error::Failed(refused.error))
    }

    fn apply(
        &mut self,
        who: &Key,
        call: &RuntimeCall,
    ) -> Result<Result<(), DispatchError>, TransactionValidityError> {
        self.begin_block();
        self.ext.execute_with(|| {
            let transaction = sign(who, call)?;
            // As an author does: a transaction that the block does not take leaves no trace.
            with_transaction_unchecked(|| {
                let outcome = Executive::apply_extrinsic(transaction);
                match outcome {
                    Ok(_) => TransactionOutcome::Commit(outcome),
                    Err(_) => TransactionOutcome::Rollback(outcome),
                }
            })
        })
    }

    /// Opens a block, if none is open.
    fn begin_block(&mut self) {
        if self.open {
            return;
        }
        self.open = true;
        self.number += 1;
        self.slot += 1;
        let (number, slot, parent_hash) = (self.number, self.slot, self.parent);
        let (vrf, now) = (self.dice.bytes(), self.slot * self.slot_ms);
        self.ext.execute_with(|| {
            // BABE keeps it of the parent's digest, in an item that it does not give out.
            let key = storage_prefix(b"Babe", b"AuthorVrfRandomness");
            unhashed::put(&key, &Some(vrf));
            let author = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
                authority_index: 0,
                slot: slot.into(),
            });
            Executive::initialize_block(&Header {
                parent_hash,
                number,
                state_root: Hash::default(),
                extrinsics_root: Hash::default(),
                digest: Digest {
                    logs: vec![DigestItem::babe_pre_digest(author)],
                },
            });
            let time = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now });
            Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(time))
                .expect("the inherent is valid in every block")
                .expect("the inherent succeeds in every block");
        });
    }

    /// Ends the open block, or builds an empty one. Returns its events.
    pub fn end_block(&mut self) -> Vec<RuntimeEvent> {
        self.begin_block();
        self.open = false;
        let (parent, events) = self.ext.execute_with(|| {
            let header = Executive::finalize_block();
            let events = System::events()
                .into_iter()
                .map(|record| record.event)
                .collect();
            (header.hash(), events)
        });
        self.parent = parent;
        self.ext
            .commit_all()
            .expect("no storage transaction is open between blocks");
        events
    }

    /// Skips to just before the next entry of a queue, if nothing can happen until then. Returns
    /// `true` if any time was skipped.
    pub fn skip(&mut self) -> bool {
        if self.open {
            return false;
        }
        let skipped = self.ext.execute_with(skip).unwrap_or(0);
        self.skipped += skipped;
        skipped > 0
    }
}

/// The transaction of a call, with the sender's next nonce.
fn sign(who: &Key, call: &RuntimeCall) -> Result<UncheckedExtrinsic, TransactionValidityError> {
    let extension = extension::<Runtime>(System::account_nonce(&who.account));
    let payload = SignedPayload::new(call.clone(), extension.clone())?;
    let signature = payload.using_encoded(|bytes| who.pair.sign(bytes));
    Ok(UncheckedExtrinsic::new_signed(
        call.clone(),
        who.account.clone().into(),
        signature.into(),
        extension,
    ))
}

/// Moves protocol time on to the tick before the next entry of a queue. Returns the number of ticks;
/// `None` where a queue lags or has no entry.
fn skip() -> Option<Tick> {
    let now = pallet_clock::Ticks::<Runtime>::get();
    // The ends of the two queues at this time: tasks may act in this tick, claims end with the one before.
    let idle = pallet_tasks::AgendaCursor::<Runtime>::get() == now + 1
        && pallet_rewards::ExpiryCursor::<Runtime>::get() == now
        && !pallet_clock::Crammed::<Runtime>::get();
    if !idle {
        return None;
    }
    let steps = pallet_tasks::Agenda::<Runtime>::iter_keys().map(|(due, _)| due);
    let claims = pallet_rewards::Expiries::<Runtime>::iter_keys().map(|(last, _)| last + 1);
    let before = steps.chain(claims).min()?.saturating_sub(1);
    let skipped = before.saturating_sub(now);
    if skipped > 0 {
        pallet_clock::Ticks::<Runtime>::put(before);
        pallet_tasks::AgendaCursor::<Runtime>::put(before + 1);
        pallet_rewards::ExpiryCursor::<Runtime>::put(before);
    }
    Some(skipped)
}

fn genesis(
    endowed: &[(AccountId, Balance)],
    certified: &[AccountId],
) -> Result<sp_io::TestExternalities> {
    let preset = PresetId::from(genesis_presets::TESTNET_PRESET);
    let mut config = genesis_presets::genesis_config(&preset).map_err(Error::Genesis)?;
    config.balances.balances.extend(endowed.iter().cloned());
    let certificates = certified
        .iter()
        .map(|who| (who.clone(), Certification::Expert, Tick::MAX));
    config.miners.certificates.extend(certificates);
    let storage = config.build_storage().map_err(Error::Genesis)?;
    Ok(storage.into())
}
