// SPDX-License-Identifier: Apache-2.0

//! The shape of a transaction.

use crate::{weights::pallet_transaction_payment::WeightInfo as Measured, Address, Signature};
use core::marker::PhantomData;
use polkadot_sdk::*;

use frame_support::{
    dispatch::{DispatchInfo, PostDispatchInfo},
    traits::Get,
    weights::Weight,
};
use frame_system::ExtensionsWeightInfo;
use pallet_transaction_payment::OnChargeTransaction;
use sp_runtime::{generic, traits::Dispatchable};

/// Extensions: what every transaction carries next to its call. The order is part of the format.
pub type TxExtension<Runtime> = (
    // First: an authorised call has no sender, and what follows must know that.
    frame_system::AuthorizeCall<Runtime>,
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckMortality<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    // Last: gives back the weight that everything before it did not use.
    frame_system::WeightReclaim<Runtime>,
);

/// A transaction as it arrives from the network.
pub type UncheckedExtrinsic<Runtime, Call> =
    generic::UncheckedExtrinsic<Address, Call, Signature, TxExtension<Runtime>>;

/// Bytes that the sender signs.
pub type SignedPayload<Runtime, Call> = generic::SignedPayload<Call, TxExtension<Runtime>>;

/// The extensions of an account's transaction with this count, immortal and without a tip.
pub fn extension<Runtime>(nonce: <Runtime as frame_system::Config>::Nonce) -> TxExtension<Runtime>
where
    Runtime: pallet_transaction_payment::Config + Send + Sync,
    Runtime::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
    <Runtime::OnChargeTransaction as OnChargeTransaction<Runtime>>::Balance: Send + Sync,
{
    (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckMortality::from(generic::Era::Immortal),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0u32.into()),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        frame_system::WeightReclaim::new(),
    )
}

/// The weight of charging a fee. `CheckNonce`, which comes before it in [`TxExtension`], has read the
/// payer's account, and it is written and proved once for both; the benchmark of the fee alone cannot
/// know that.
pub struct ChargeWeight<Runtime>(PhantomData<Runtime>);

impl<Runtime: frame_system::Config> pallet_transaction_payment::WeightInfo
    for ChargeWeight<Runtime>
{
    fn charge_transaction_payment() -> Weight {
        type System<Runtime> = <Runtime as frame_system::Config>::ExtensionsWeightInfo;
        let access = Runtime::DbWeight::get().reads_writes(1, 1);
        let payer = access.set_proof_size(System::<Runtime>::check_nonce().proof_size());
        Measured::<Runtime>::charge_transaction_payment().saturating_sub(payer)
    }
}
