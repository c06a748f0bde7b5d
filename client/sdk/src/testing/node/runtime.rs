// SPDX-License-Identifier: Apache-2.0

//! The runtime of the node for tests: its types, as far as transactions need them, and their
//! metadata.

use super::{signer, state};
use crate::chain::interface::{FeePaid, Published};
use codec::{Compact, Encode};
use polkadot_sdk::{
    sp_core::crypto::AccountId32,
    sp_runtime::{generic::Era, DispatchError, ModuleError, MultiAddress, MultiSignature},
};
use scale_info::{meta_type, TypeInfo};
use std::marker::PhantomData;
use subxt::{
    events::Phase,
    ext::frame_metadata::{v14, RuntimeMetadataPrefixed},
};
use tos_types::{Balance, Difficulty, TaskId, TaskType, TOS};

/// Fee of every transaction, in wei.
pub const FEE: Balance = TOS / 200;

type EventRecord = (Phase, RuntimeEvent, Vec<[u8; 32]>);

pub(super) fn reference_used() -> DispatchError {
    DispatchError::Module(ModuleError {
        index: 1,
        error: [0; 4],
        message: None,
    })
}

pub(super) fn published(index: u32, task: TaskId) -> EventRecord {
    let event = TasksEvent::Published(Published {
        task,
        publisher: signer().account(),
        task_type: TaskType::General,
        difficulty: Difficulty::Beginner,
        spec: [0; 32],
        reward: 10 * TOS,
        stake: TOS,
        max_participants: 1,
        deadline: 60,
    });
    let event = RuntimeEvent::Tasks(event);
    (Phase::ApplyExtrinsic(index), event, Vec::new())
}

/// The account has paid [`FEE`] for its transaction.
pub(super) fn fee_paid(index: u32, who: AccountId32) -> EventRecord {
    let event = TransactionPaymentEvent::TransactionFeePaid(FeePaid {
        who,
        actual_fee: FEE,
        tip: 0,
    });
    let event = RuntimeEvent::TransactionPayment(event);
    (Phase::ApplyExtrinsic(index), event, Vec::new())
}

#[derive(TypeInfo)]
#[allow(dead_code)]
struct Runtime(RuntimeCall, RuntimeEvent);

#[derive(TypeInfo)]
#[allow(dead_code)]
enum RuntimeCall {
    #[codec(index = 1)]
    Tasks(TasksCall),
    #[codec(index = 2)]
    Proxy(ProxyCall),
}

#[derive(TypeInfo)]
#[allow(dead_code, non_camel_case_types)]
enum TasksCall {
    publish,
    crank,
    reveal,
    commit,
}

#[derive(Encode, TypeInfo)]
pub(super) enum RuntimeEvent {
    #[codec(index = 0)]
    System(SystemEvent),
    #[codec(index = 1)]
    Tasks(TasksEvent),
    #[codec(index = 2)]
    Proxy(ProxyEvent),
    #[codec(index = 3)]
    TransactionPayment(TransactionPaymentEvent),
}

#[derive(Encode, TypeInfo)]
pub(super) enum SystemEvent {
    ExtrinsicFailed { dispatch_error: DispatchError },
}

#[derive(TypeInfo)]
#[allow(dead_code, non_camel_case_types)]
enum ProxyCall {
    proxy,
}

#[derive(Encode, TypeInfo)]
pub(super) enum ProxyEvent {
    ProxyExecuted { result: Result<(), DispatchError> },
}

#[derive(Encode, TypeInfo)]
pub(super) enum TransactionPaymentEvent {
    TransactionFeePaid(FeePaid),
}

#[derive(Encode, TypeInfo)]
pub(super) enum TasksEvent {
    Published(Published),
}

#[derive(TypeInfo)]
struct UncheckedExtrinsic<Address, Signature>(PhantomData<(Address, Signature)>);

/// Metadata that the node calls opaque: bytes with their length in front.
pub(super) fn metadata() -> Vec<u8> {
    let pallet = |name, index| v14::PalletMetadata {
        name,
        storage: None,
        calls: None,
        event: None,
        constants: Vec::new(),
        error: None,
        index,
    };
    let system = v14::PalletMetadata {
        event: Some(meta_type::<SystemEvent>().into()),
        storage: Some(state::system_storage()),
        ..pallet("System", 0)
    };
    let tasks = v14::PalletMetadata {
        calls: Some(meta_type::<TasksCall>().into()),
        event: Some(meta_type::<TasksEvent>().into()),
        error: Some(meta_type::<state::TasksError>().into()),
        ..pallet("Tasks", 1)
    };
    let proxy = v14::PalletMetadata {
        calls: Some(meta_type::<ProxyCall>().into()),
        event: Some(meta_type::<ProxyEvent>().into()),
        ..pallet("Proxy", 2)
    };
    let payment = v14::PalletMetadata {
        event: Some(meta_type::<TransactionPaymentEvent>().into()),
        ..pallet("TransactionPayment", 3)
    };
    let extension = |identifier, ty, additional_signed| v14::SignedExtensionMetadata {
        identifier,
        ty,
        additional_signed,
    };
    let nothing = meta_type::<()>();
    let extrinsic = v14::ExtrinsicMetadata {
        ty: meta_type::<UncheckedExtrinsic<MultiAddress<AccountId32, ()>, MultiSignature>>(),
        version: 4,
        signed_extensions: vec![
            extension(
                "CheckMortality",
                meta_type::<Era>(),
                meta_type::<[u8; 32]>(),
            ),
            extension("CheckNonce", meta_type::<Compact<u32>>(), nothing),
            extension(
                "ChargeTransactionPayment",
                meta_type::<Compact<Balance>>(),
                nothing,
            ),
        ],
    };
    let pallets = vec![system, tasks, proxy, payment];
    let metadata = v14::RuntimeMetadataV14::new(pallets, extrinsic, meta_type::<Runtime>());
    RuntimeMetadataPrefixed::from(metadata).encode()
}
