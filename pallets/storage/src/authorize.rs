// SPDX-License-Identifier: Apache-2.0

//! Answers without a sender: who may put them into a block, and who signed them.

use crate::*;
use codec::Encode;
use frame_support::weights::Weight;
use frame_system::pallet_prelude::OriginFor;
use sp_core::sr25519;
use sp_io::hashing::blake2_256;
use sp_runtime::{
    traits::UniqueSaturatedInto,
    transaction_validity::{
        InvalidTransaction, TransactionPriority, TransactionValidityError, ValidTransaction,
    },
    DispatchError, DispatchResult,
};
use tos_types::{
    storage::{ChallengeKind, GroupId, SealAnswer, SignedRoot, Window, WindowAnswer},
    Tick,
};

/// Before transactions that pay without much of a tip: an answer that comes late is punished. The priority
/// of one that pays is its tip in wei times how many like it fill a block, if it is operational plus
/// five times its fee as often. It goes first where that is more, so for a block full of tips of 9.3 TOS
/// together.
const PRIORITY: TransactionPriority = TransactionPriority::MAX >> 1;

type Authorized = Result<(ValidTransaction, Weight), TransactionValidityError>;

impl<T: Config> Pallet<T> {
    /// Anyone may submit an answer: authorised, or signed by the account that pays for it. What
    /// counts is the provider's signature inside.
    pub(crate) fn ensure_responder(origin: OriginFor<T>) -> DispatchResult {
        if frame_system::ensure_authorized(origin.clone()).is_ok() {
            return Ok(());
        }
        frame_system::ensure_signed(origin)?;
        Ok(())
    }

    pub(crate) fn is_signed_by(key: &[u8; 32], payload: &[u8; 32], signature: &[u8; 64]) -> bool {
        sp_io::crypto::sr25519_verify(
            &sr25519::Signature::from_raw(*signature),
            payload,
            &sr25519::Public::from_raw(*key),
        )
    }

    pub(crate) fn check_signature(
        provider: &T::AccountId,
        payload: &[u8; 32],
        signature: &[u8; 64],
    ) -> DispatchResult {
        let key = Self::provider_of(provider)?.key;
        match Self::is_signed_by(&key, payload, signature) {
            true => Ok(()),
            false => Err(Error::<T>::BadSignature.into()),
        }
    }

    /// The 32 bytes of an account that a replica is sealed to: its encoding, or BLAKE2b-256 of that
    /// where it has another length.
    pub fn prover_of(who: &T::AccountId) -> [u8; 32] {
        who.using_encoded(|bytes| bytes.try_into().unwrap_or_else(|_| blake2_256(bytes)))
    }

    pub(crate) fn authorize_audit(proof: &[u8]) -> Authorized {
        let (id, moment, audit) = Self::check_audit(proof).map_err(Self::refuse)?;
        Ok(Self::admit(("audit", id, moment), audit.due))
    }

    pub(crate) fn authorize_seal(answer: &alloc::boxed::Box<SealAnswer>) -> Authorized {
        Self::check_seal(answer).map_err(Self::refuse)?;
        let kind = ChallengeKind::Seal;
        let due = Challenges::<T>::get(answer.replica, kind).map_or(0, |challenge| challenge.due);
        Ok(Self::admit(("challenge", answer.replica, kind), due))
    }

    pub(crate) fn authorize_window(answer: &alloc::boxed::Box<WindowAnswer>) -> Authorized {
        Self::check_window(answer).map_err(Self::refuse)?;
        let kind = ChallengeKind::Window(answer.window);
        let due = Challenges::<T>::get(answer.replica, kind).map_or(0, |challenge| challenge.due);
        Ok(Self::admit(("challenge", answer.replica, kind), due))
    }

    pub(crate) fn authorize_group(
        window: Window,
        group: GroupId,
        signed: &SignedRoot,
    ) -> Authorized {
        let ends = Self::check_group(window, group, signed).map_err(Self::refuse)?;
        Ok(Self::admit(("group", window, group), ends))
    }

    /// Valid until the deadline, and once: all right answers to one question exclude one another. In a pool, one that
    /// is made in a later block replaces those before it and is passed on anew: nodes that had not imported the block
    /// with the question when the first one came have refused that one for good.
    fn admit(tag: impl Encode, due: Tick) -> (ValidTransaction, Weight) {
        let left = due.saturating_sub(Self::now()).saturating_add(1);
        let block: u64 = frame_system::Pallet::<T>::block_number().unique_saturated_into();
        let valid = ValidTransaction {
            priority: PRIORITY.saturating_add(block),
            requires: Default::default(),
            provides: alloc::vec![(b"tos/storage", tag).encode()],
            longevity: left.into(),
            propagate: true,
        };
        (valid, Weight::zero())
    }

    fn refuse(error: DispatchError) -> TransactionValidityError {
        let stale: [DispatchError; 4] = [
            Error::<T>::NothingAsked.into(),
            Error::<T>::TooLate.into(),
            Error::<T>::AlreadySubmitted.into(),
            Error::<T>::WrongWindow.into(),
        ];
        match stale.contains(&error) {
            true => InvalidTransaction::Stale.into(),
            false => InvalidTransaction::BadProof.into(),
        }
    }
}
