// SPDX-License-Identifier: Apache-2.0

//! The functions of the runtime APIs, made from the table of `tos_runtime_api::reads!`: all of this
//! program's reading goes through them.

use super::At;
use crate::error::Result;
use codec::Encode;
use polkadot_sdk::sp_core::crypto::AccountId32 as AccountId;
use scale_info::{meta_type, MetaType};
use tos_runtime_api::shapes::*;

/// A runtime API function: its trait and name, its arguments and its result.
pub type Function = (&'static str, &'static str, Vec<MetaType>, MetaType);

/// The function of one read, and its shape. The runtime API that has it is `$Api`.
macro_rules! read {
    // Reads that only the node asks.
    (call $Api:ident $docs:tt fn $name:ident $arguments:tt -> $out:ty { node, $text:tt }) => {};
    (call $Api:ident $docs:tt fn $name:ident $arguments:tt -> $out:ty { old }) => {};
    (shape $Api:ident fn $name:ident $arguments:tt -> $out:ty { node, $text:tt }) => {
        None
    };
    (shape $Api:ident fn $name:ident $arguments:tt -> $out:ty { old }) => {
        None
    };

    (call $Api:ident [$($doc:tt)*] fn $name:ident($($argument:ident: $ty:ty),*) -> $out:ty { $($served:tt)* }) => {
        $(#[doc = $doc])*
        pub async fn $name(&self $(, $argument: $ty)*) -> Result<$out> {
            // The arguments one after the other, as a tuple encodes.
            let arguments = ($($argument,)*).encode();
            self.call_api(concat!(stringify!($Api), "_", stringify!($name)), &arguments).await
        }
    };
    (shape $Api:ident fn $name:ident($($argument:ident: $ty:ty),*) -> $out:ty { $($served:tt)* }) => {
        Some((
            stringify!($Api),
            stringify!($name),
            vec![$(meta_type::<$ty>()),*],
            meta_type::<$out>(),
        ))
    };
}

macro_rules! call {
    ($(
        $(#[doc = $api_doc:tt])*
        #[api_version($api_version:tt)]
        api $module:ident: $Api:ident $(<$account:ident>)?, $subject:tt { $(
            $(#[doc = $doc:tt])*
            $(#[api_version($version:tt)])?
            $(#[changed_in($changed:tt)])?
            fn $name:ident $arguments:tt -> $out:ty { $($served:tt)* }
        )* }
    )*) => {
        $(
            $(#[doc = $api_doc])*
            impl At { $(
                read! { call $Api [$($doc)*] fn $name $arguments -> $out { $($served)* } }
            )* }
        )*

        /// The functions above with their shapes.
        pub fn functions() -> Vec<Function> {
            let all = [$($(
                read! { shape $Api fn $name $arguments -> $out { $($served)* } },
            )*)*];
            all.into_iter().flatten().collect()
        }
    };
}

tos_runtime_api::reads! { call }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_there_but_those_that_only_the_node_asks() {
        let names: Vec<_> = functions()
            .into_iter()
            .map(|(api, name, arguments, _)| (api, name, arguments.len()))
            .collect();
        for expected in [
            ("TosApi", "open_tasks", 3),
            ("TosApi", "chain", 0),
            ("BeaconApi", "beacon_records", 2),
            ("StorageApi", "deals", 3),
        ] {
            assert!(names.contains(&expected), "{expected:?}");
        }
        for (_, name, _) in names {
            assert!(!["task_changes", "beacon_claims"].contains(&name));
        }
    }
}
