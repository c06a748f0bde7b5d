// SPDX-License-Identifier: Apache-2.0

//! Runtime APIs that every chain offers.
//!
//! All APIs of a runtime stand in one `impl_runtime_apis!`, so that those in common are text around
//! the runtime's own.

use alloc::vec::Vec;
use codec::Encode;
use frame_support::traits::KeyOwnerProofSystem;
use polkadot_sdk::*;

/// Encoded proof that a key belongs to an authority's session, where `Proofs` keeps such.
pub fn membership_proof<Proofs, Key>(key: Key) -> Option<Vec<u8>>
where
    Proofs: KeyOwnerProofSystem<Key>,
{
    Proofs::prove(key).map(|proof| proof.encode())
}

/// Implements the runtime APIs that both runtimes have, and the runtime's own behind them.
///
/// ```text
/// impl_common_apis! {
///     epoch_slots: <type that gives the slots in an epoch>,
///     membership_proofs: <KeyOwnerProofSystem of equivocation reports, or ()>,
///     discoverable: <authorities that discovery publishes>;
///     impl ... for Runtime { ... }
/// }
/// ```
///
/// The caller's module imports `polkadot_sdk::*` and, from its crate, `Runtime`, `Block`, `Executive`,
/// `SessionKeys`, `VERSION`, `AccountId`, `Balance`, `Nonce`, `InherentDataExt` and the pallets `System`,
/// `Babe`, `Grandpa` and `TransactionPayment`.
#[macro_export]
macro_rules! impl_common_apis {
    (
        epoch_slots: $epoch_slots:ty,
        membership_proofs: $proofs:ty,
        discoverable: $discoverable:expr;
        $($own:tt)*
    ) => {
        sp_api::impl_runtime_apis! {
            impl sp_api::Core<Block> for Runtime {
                fn version() -> sp_version::RuntimeVersion {
                    VERSION
                }

                fn execute_block(block: <Block as sp_runtime::traits::Block>::LazyBlock) {
                    Executive::execute_block(block);
                }

                fn initialize_block(
                    header: &<Block as sp_runtime::traits::Block>::Header,
                ) -> sp_runtime::ExtrinsicInclusionMode {
                    Executive::initialize_block(header)
                }
            }

            impl sp_api::Metadata<Block> for Runtime {
                fn metadata() -> sp_core::OpaqueMetadata {
                    sp_core::OpaqueMetadata::new(Runtime::metadata().into())
                }

                fn metadata_at_version(version: u32) -> Option<sp_core::OpaqueMetadata> {
                    Runtime::metadata_at_version(version)
                }

                fn metadata_versions() -> alloc::vec::Vec<u32> {
                    Runtime::metadata_versions()
                }
            }

            impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block>
                for Runtime
            {
                fn execute_view_function(
                    id: frame_support::view_functions::ViewFunctionId,
                    input: alloc::vec::Vec<u8>,
                ) -> Result<
                    alloc::vec::Vec<u8>,
                    frame_support::view_functions::ViewFunctionDispatchError,
                > {
                    Runtime::execute_view_function(id, input)
                }
            }

            impl sp_block_builder::BlockBuilder<Block> for Runtime {
                fn apply_extrinsic(
                    extrinsic: <Block as sp_runtime::traits::Block>::Extrinsic,
                ) -> sp_runtime::ApplyExtrinsicResult {
                    Executive::apply_extrinsic(extrinsic)
                }

                fn finalize_block() -> <Block as sp_runtime::traits::Block>::Header {
                    Executive::finalize_block()
                }

                fn inherent_extrinsics(
                    data: sp_inherents::InherentData,
                ) -> alloc::vec::Vec<<Block as sp_runtime::traits::Block>::Extrinsic> {
                    data.create_extrinsics()
                }

                fn check_inherents(
                    block: <Block as sp_runtime::traits::Block>::LazyBlock,
                    data: sp_inherents::InherentData,
                ) -> sp_inherents::CheckInherentsResult {
                    data.check_extrinsics(&block)
                }
            }

            impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
                fn validate_transaction(
                    source: sp_runtime::transaction_validity::TransactionSource,
                    tx: <Block as sp_runtime::traits::Block>::Extrinsic,
                    block_hash: <Block as sp_runtime::traits::Block>::Hash,
                ) -> sp_runtime::transaction_validity::TransactionValidity {
                    Executive::validate_transaction(source, tx, block_hash)
                }
            }

            impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
                fn offchain_worker(header: &<Block as sp_runtime::traits::Block>::Header) {
                    Executive::offchain_worker(header)
                }
            }

            impl sp_session::SessionKeys<Block> for Runtime {
                fn generate_session_keys(
                    owner: alloc::vec::Vec<u8>,
                    seed: Option<alloc::vec::Vec<u8>>,
                ) -> sp_session::OpaqueGeneratedSessionKeys {
                    SessionKeys::generate(&owner, seed).into()
                }

                fn decode_session_keys(
                    encoded: alloc::vec::Vec<u8>,
                ) -> Option<alloc::vec::Vec<(alloc::vec::Vec<u8>, sp_core::crypto::KeyTypeId)>> {
                    SessionKeys::decode_into_raw_public_keys(&encoded)
                }
            }

            impl sp_consensus_babe::BabeApi<Block> for Runtime {
                fn configuration() -> sp_consensus_babe::BabeConfiguration {
                    let epoch_config = Babe::epoch_config()
                        .unwrap_or($crate::constants::consensus::BABE_GENESIS_EPOCH_CONFIG);
                    sp_consensus_babe::BabeConfiguration {
                        slot_duration: Babe::slot_duration(),
                        epoch_length: <$epoch_slots as frame_support::traits::Get<u64>>::get(),
                        c: epoch_config.c,
                        authorities: Babe::authorities().to_vec(),
                        randomness: Babe::randomness(),
                        allowed_slots: epoch_config.allowed_slots,
                    }
                }

                fn current_epoch_start() -> sp_consensus_babe::Slot {
                    Babe::current_epoch_start()
                }

                fn current_epoch() -> sp_consensus_babe::Epoch {
                    Babe::current_epoch()
                }

                fn next_epoch() -> sp_consensus_babe::Epoch {
                    Babe::next_epoch()
                }

                fn generate_key_ownership_proof(
                    _slot: sp_consensus_babe::Slot,
                    authority: sp_consensus_babe::AuthorityId,
                ) -> Option<sp_consensus_babe::OpaqueKeyOwnershipProof> {
                    let key = (sp_consensus_babe::KEY_TYPE, authority);
                    $crate::membership_proof::<$proofs, _>(key)
                        .map(sp_consensus_babe::OpaqueKeyOwnershipProof::new)
                }

                fn submit_report_equivocation_unsigned_extrinsic(
                    equivocation: sp_consensus_babe::EquivocationProof<
                        <Block as sp_runtime::traits::Block>::Header,
                    >,
                    owner: sp_consensus_babe::OpaqueKeyOwnershipProof,
                ) -> Option<()> {
                    Babe::submit_unsigned_equivocation_report(equivocation, owner.decode()?)
                }
            }

            impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
                fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
                    Grandpa::grandpa_authorities()
                }

                fn current_set_id() -> sp_consensus_grandpa::SetId {
                    Grandpa::current_set_id()
                }

                fn submit_report_equivocation_unsigned_extrinsic(
                    equivocation: sp_consensus_grandpa::EquivocationProof<
                        <Block as sp_runtime::traits::Block>::Hash,
                        sp_runtime::traits::NumberFor<Block>,
                    >,
                    owner: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
                ) -> Option<()> {
                    Grandpa::submit_unsigned_equivocation_report(equivocation, owner.decode()?)
                }

                fn generate_key_ownership_proof(
                    _set_id: sp_consensus_grandpa::SetId,
                    authority: sp_consensus_grandpa::AuthorityId,
                ) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
                    let key = (sp_consensus_grandpa::KEY_TYPE, authority);
                    $crate::membership_proof::<$proofs, _>(key)
                        .map(sp_consensus_grandpa::OpaqueKeyOwnershipProof::new)
                }
            }

            impl sp_authority_discovery::AuthorityDiscoveryApi<Block> for Runtime {
                fn authorities() -> alloc::vec::Vec<sp_authority_discovery::AuthorityId> {
                    $discoverable
                }
            }

            impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce>
                for Runtime
            {
                fn account_nonce(account: AccountId) -> Nonce {
                    System::account_nonce(account)
                }
            }

            impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance>
                for Runtime
            {
                fn query_info(
                    uxt: <Block as sp_runtime::traits::Block>::Extrinsic,
                    len: u32,
                ) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
                    TransactionPayment::query_info(uxt, len)
                }

                fn query_fee_details(
                    uxt: <Block as sp_runtime::traits::Block>::Extrinsic,
                    len: u32,
                ) -> pallet_transaction_payment::FeeDetails<Balance> {
                    TransactionPayment::query_fee_details(uxt, len)
                }

                fn query_weight_to_fee(weight: frame_support::weights::Weight) -> Balance {
                    TransactionPayment::weight_to_fee(weight)
                }

                fn query_length_to_fee(length: u32) -> Balance {
                    TransactionPayment::length_to_fee(length)
                }
            }

            $($own)*
        }
    };
}
