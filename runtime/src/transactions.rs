// SPDX-License-Identifier: Apache-2.0

//! The shape of a transaction and how the runtime itself creates one.

use crate::{Address, Runtime, RuntimeCall, Signature};
use polkadot_sdk::*;

use frame_support::weights::Weight;
use frame_system::ExtensionsWeightInfo;
use sp_runtime::generic;

/// What every transaction carries beside its call. The order is part of the format.
pub type TxExtension = (
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
pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

/// What the sender signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

impl<LocalCall> frame_system::offchain::CreateTransactionBase<LocalCall> for Runtime
where
    RuntimeCall: From<LocalCall>,
{
    type Extrinsic = UncheckedExtrinsic;
    type RuntimeCall = RuntimeCall;
}

// Reports of equivocations are bare: nobody has to hold a balance to prove an offence.
impl<LocalCall> frame_system::offchain::CreateBare<LocalCall> for Runtime
where
    RuntimeCall: From<LocalCall>,
{
    fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
        generic::UncheckedExtrinsic::new_bare(call)
    }
}

impl<LocalCall> frame_system::offchain::CreateTransaction<LocalCall> for Runtime
where
    RuntimeCall: From<LocalCall>,
{
    type Extension = TxExtension;

    fn create_transaction(call: RuntimeCall, extension: TxExtension) -> UncheckedExtrinsic {
        generic::UncheckedExtrinsic::new_transaction(call, extension)
    }
}

impl<LocalCall> frame_system::offchain::CreateAuthorizedTransaction<LocalCall> for Runtime
where
    RuntimeCall: From<LocalCall>,
{
    fn create_extension() -> TxExtension {
        (
            frame_system::AuthorizeCall::new(),
            frame_system::CheckNonZeroSender::new(),
            frame_system::CheckSpecVersion::new(),
            frame_system::CheckTxVersion::new(),
            frame_system::CheckGenesis::new(),
            frame_system::CheckMortality::from(generic::Era::Immortal),
            frame_system::CheckNonce::from(0),
            frame_system::CheckWeight::new(),
            pallet_transaction_payment::ChargeTransactionPayment::from(0),
            frame_metadata_hash_extension::CheckMetadataHash::new(false),
            frame_system::WeightReclaim::new(),
        )
    }
}

/// The weight of charging a fee. `CheckNonce`, which comes before it in [`TxExtension`], has read the
/// payer's account, and it is written and proved once for both; the benchmark of the fee alone cannot
/// know that.
pub struct ChargeWeight;

impl pallet_transaction_payment::WeightInfo for ChargeWeight {
    fn charge_transaction_payment() -> Weight {
        type Measured = crate::weights::pallet_transaction_payment::WeightInfo<Runtime>;
        type System = <Runtime as frame_system::Config>::ExtensionsWeightInfo;
        let access = <Runtime as frame_system::Config>::DbWeight::get().reads_writes(1, 1);
        let payer = access.set_proof_size(System::check_nonce().proof_size());
        Measured::charge_transaction_payment().saturating_sub(payer)
    }
}
