// SPDX-License-Identifier: Apache-2.0

//! Reads: what the node and clients ask of the runtime.
//!
//! Every function reads the state of one block and answers with the shapes of
//! [`tos_views`]. A list holds at most [`MAX_PAGE`] items; its last item's identifier,
//! given as `after`, continues it, and an empty answer ends it.
//!
//! All reads stand once, in the table that [`reads!`] hands to a macro. From it follow the runtime
//! APIs here, the `tos_*` methods of the node, the functions of the SDK and its check of shapes,
//! the definitions for polkadot.js and the tables of `docs/rpc.md`;
//! `docs/decisions/024-one-read.md` says how to add one.
//!
//! The APIs are versioned. A new function gets `#[api_version(N + 1)]`; one whose meaning changes
//! keeps its old form under `#[changed_in(N + 1)]`, served as `old`, so that nodes can serve both
//! runtimes while an upgrade is on its way.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

use alloc::vec::Vec;
use codec::Codec;
use polkadot_sdk::*;
use shapes::*;
use sp_runtime::traits::Block as BlockT;

mod reads;

pub use tos_views::MAX_PAGE;

/// Shapes that the table names: arguments and results.
pub mod shapes {
    pub use tos_types::{
        beacon::{Slot, SlotClaim},
        storage::{ChallengeKind, GroupId, Window},
        DealId, ReplicaId, TaskId, TaskType,
    };
    pub use tos_views::*;
}

macro_rules! declare {
    ($(
        $(#[$($api_attribute:tt)*])*
        api $module:ident: $Api:ident $(<$account:ident>)?, $subject:tt { $(
            $(#[$($attribute:tt)*])*
            fn $name:ident $arguments:tt -> $out:ty { $($served:tt)* }
        )* }
    )*) => {
        sp_api::decl_runtime_apis! { $(
            $(#[$($api_attribute)*])*
            pub trait $Api $(<$account> where $account: Codec)? { $(
                $(#[$($attribute)*])*
                fn $name $arguments -> $out;
            )* }
        )* }
    };
}

crate::reads! { declare }

#[cfg(test)]
mod tests;
