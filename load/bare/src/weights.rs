// SPDX-License-Identifier: Apache-2.0

//! The measured weights of TOS, from its own files.

#[path = "../../../runtime/src/weights/base.rs"]
pub mod base;
#[path = "../../../runtime/src/weights/frame_system.rs"]
pub mod frame_system;
#[path = "../../../runtime/src/weights/frame_system_extensions.rs"]
pub mod frame_system_extensions;
#[path = "../../../runtime/src/weights/pallet_balances.rs"]
pub mod pallet_balances;
#[path = "../../../runtime/src/weights/pallet_timestamp.rs"]
pub mod pallet_timestamp;
#[path = "../../../runtime/src/weights/pallet_transaction_payment.rs"]
pub mod pallet_transaction_payment;
