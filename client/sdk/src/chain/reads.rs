// SPDX-License-Identifier: Apache-2.0

//! The functions of the runtime APIs, made from the table of `tos_runtime_api::reads!`: all of this
//! program's reading goes through them.

use super::{
    shape::{Collector, Known},
    At,
};
use crate::error::{Error, Result};
use codec::Encode;
use polkadot_sdk::sp_core::crypto::AccountId32 as AccountId;
use scale_info::{meta_type, MetaType};
use subxt::Metadata;
use tos_runtime_api::shapes::*;

/// A runtime API function.
pub struct Function {
    /// Its API.
    pub api: &'static str,
    /// The version of the API that every runtime has.
    pub base: u32,
    /// Its name.
    pub name: &'static str,
    /// The version of the API in which it came.
    pub since: u32,
    /// Shapes of the arguments.
    pub arguments: Vec<MetaType>,
    /// The shape of the result.
    pub result: MetaType,
}

/// The version in which a read came: its own, or that of its API.
macro_rules! since {
    ($base:tt) => {
        $base
    };
    ($base:tt $since:tt) => {
        $since
    };
}

/// The function of one read, and its shape. The runtime API that has it is `$Api`; versions are that
/// of the API, and that of the read where it has its own.
macro_rules! read {
    // Reads that only the node asks.
    (call $Api:ident $docs:tt fn $name:ident $arguments:tt -> $out:ty { node, $text:tt }) => {};
    (call $Api:ident $docs:tt fn $name:ident $arguments:tt -> $out:ty { old }) => {};
    (shape $Api:ident $versions:tt fn $name:ident $arguments:tt -> $out:ty { node, $text:tt }) => {
        None
    };
    (shape $Api:ident $versions:tt fn $name:ident $arguments:tt -> $out:ty { old }) => {
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
    (shape $Api:ident [$base:tt $($since:tt)?] fn $name:ident($($argument:ident: $ty:ty),*) -> $out:ty { $($served:tt)* }) => {
        Some(Function {
            api: stringify!($Api),
            base: $base,
            name: stringify!($name),
            since: since!($base $($since)?),
            arguments: vec![$(meta_type::<$ty>()),*],
            result: meta_type::<$out>(),
        })
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
                read! { shape $Api [$api_version $($version)?] fn $name $arguments -> $out { $($served)* } },
            )*)*];
            all.into_iter().flatten().collect()
        }
    };
}

tos_runtime_api::reads! { call }

/// Functions that the chain has in another shape, and those that it lacks. Lacking a function that
/// is newer than the API's own version is no difference: the runtime is older than this program.
pub fn differences(metadata: &Metadata, functions: &[Function]) -> Vec<String> {
    let mut collector = Collector::default();
    let shapes: Vec<_> = functions
        .iter()
        .map(|function| {
            let arguments = function.arguments.iter();
            let arguments: Vec<_> = arguments.map(|shape| collector.add(shape)).collect();
            (function, arguments, collector.add(&function.result))
        })
        .collect();
    let known = collector.finish();
    let wrong = shapes.iter().filter_map(|(function, arguments, result)| {
        let why = compare(&known, metadata, function, arguments, *result).err()?;
        let Function { api, name, .. } = function;
        Some(format!("runtime API function {api}.{name}{why}"))
    });
    wrong.collect()
}

fn compare(
    known: &Known,
    metadata: &Metadata,
    function: &Function,
    arguments: &[u32],
    result: u32,
) -> Result<(), String> {
    let api = metadata.runtime_api_trait_by_name(function.api);
    let method = match api.and_then(|api| api.method_by_name(function.name)) {
        Some(method) => method,
        None if function.since > function.base => return Ok(()),
        None => return Err(": missing".into()),
    };
    let theirs: Vec<u32> = method.inputs().map(|input| input.id).collect();
    if theirs.len() != arguments.len() {
        let (ours, theirs) = (arguments.len(), theirs.len());
        return Err(format!(": {ours} arguments here, {theirs} on chain"));
    }
    let types = metadata.types();
    for (ours, theirs) in arguments.iter().zip(theirs) {
        known
            .matches(*ours, (types, theirs))
            .map_err(|why| format!(": argument{why}"))?;
    }
    known
        .matches(result, (types, method.output_ty()))
        .map_err(|why| format!(": result{why}"))
}

/// Checks that the runtime, of this version, does not lack a function, `Api_name`, of an API that it
/// has.
///
/// # Errors
/// [`Error::Failed`], which names the read.
pub fn check_offered(metadata: &Metadata, version: u32, function: &str) -> Result<()> {
    let Some((api, name)) = function.split_once('_') else {
        return Ok(());
    };
    match metadata.runtime_api_trait_by_name(api) {
        Some(found) if found.method_by_name(name).is_none() => Err(Error::Failed(format!(
            "the chain's runtime (version {version}) is older than this program: it has no read \
             {api}.{name}"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::node::FakeNode;
    use subxt::ext::frame_metadata::{v15, RuntimeMetadataPrefixed};

    #[test]
    fn every_function_is_there_but_those_that_only_the_node_asks() {
        let names: Vec<_> = functions()
            .into_iter()
            .map(|function| (function.api, function.name, function.arguments.len()))
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

    /// Two reads of an API whose own version is 3, the second one since 4.
    fn old_and_later() -> Vec<Function> {
        let all = [
            read! { shape TosApi [3] fn old(number: u32) -> u64 { "a read" } },
            read! { shape TosApi [3 4] fn later(number: u32) -> u64 { "a read" } },
        ];
        all.into_iter().flatten().collect()
    }

    /// Metadata of a runtime whose `TosApi` has these functions, of a number and with these results.
    fn runtime(functions: &[(&'static str, MetaType)]) -> v15::RuntimeMetadataV15 {
        let nothing = meta_type::<()>();
        let mut methods: Vec<v15::RuntimeApiMethodMetadata> = Vec::new();
        for &(name, output) in functions {
            methods.push(v15::RuntimeApiMethodMetadata {
                name,
                inputs: vec![v15::RuntimeApiMethodParamMetadata {
                    name: "number",
                    ty: meta_type::<u32>(),
                }],
                output,
                docs: Vec::new(),
            });
        }
        let api: v15::RuntimeApiMetadata = v15::RuntimeApiMetadata {
            name: "TosApi",
            methods,
            docs: Vec::new(),
        };
        let extrinsic: v15::ExtrinsicMetadata = v15::ExtrinsicMetadata {
            version: 4,
            address_ty: nothing,
            call_ty: nothing,
            signature_ty: nothing,
            extra_ty: nothing,
            signed_extensions: Vec::new(),
        };
        let outer: v15::OuterEnums = v15::OuterEnums {
            call_enum_ty: nothing,
            event_enum_ty: nothing,
            error_enum_ty: nothing,
        };
        let custom: v15::CustomMetadata = v15::CustomMetadata {
            map: Default::default(),
        };
        v15::RuntimeMetadataV15::new(Vec::new(), extrinsic, nothing, vec![api], outer, custom)
    }

    #[test]
    fn a_chain_of_another_kind_is_told_as_one_and_not_by_all_that_it_lacks() {
        let check = |runtime: v15::RuntimeMetadataV15| {
            super::super::check(&Metadata::from_v15(runtime).unwrap()).unwrap_err()
        };
        let mut other = runtime(&[]);
        other.apis.clear();
        let told = check(other);
        assert!(
            told.contains("another chain") && told.contains("--url"),
            "{told}"
        );
        assert_eq!(told.lines().count(), 1, "{told}");
        // An older runtime of ours is told by what it lacks.
        let told = check(runtime(&[]));
        assert!(
            told.contains("do not fit:\n") && told.lines().count() > 10,
            "{told}"
        );
    }

    #[test]
    fn a_read_newer_than_its_api_may_be_missing_and_no_other() {
        let (right, wrong) = (meta_type::<u64>(), meta_type::<u32>());
        for (functions, expected) in [
            (vec![("old", right), ("later", right)], None),
            (vec![("old", right)], None),
            (vec![("later", right)], Some("old: missing")),
            (
                vec![("old", right), ("later", wrong)],
                Some("later: result: u64 here, u32 on chain"),
            ),
            (
                vec![("old", wrong)],
                Some("old: result: u64 here, u32 on chain"),
            ),
        ] {
            let metadata = Metadata::from_v15(runtime(&functions)).unwrap();
            let expected = expected.map(|why| format!("runtime API function TosApi.{why}"));
            let found = differences(&metadata, &old_and_later());
            assert_eq!(found, Vec::from_iter(expected));
        }
    }

    #[tokio::test]
    async fn a_call_of_a_missing_read_says_that_the_runtime_is_older() {
        let node = FakeNode::new();
        let metadata = RuntimeMetadataPrefixed::from(runtime(&[("old", meta_type::<u64>())]));
        for (function, answer) in [
            ("Metadata_metadata_versions", vec![15u32].encode()),
            (
                "Metadata_metadata_at_version",
                Some(metadata.encode()).encode(),
            ),
            ("TosApi_old", 7u64.encode()),
        ] {
            node.lock().answers.insert(function, answer);
        }
        let at = node.connect().await.best().await.unwrap();
        let number = 1u32.encode();
        assert_eq!(at.call_api::<u64>("TosApi_old", &number).await.unwrap(), 7);
        let later = at.call_api::<u64>("TosApi_later", &number).await;
        let error = later.unwrap_err();
        assert!(matches!(error, Error::Failed(_)), "{error}");
        assert_eq!(
            error.to_string(),
            "the chain's runtime (version 1) is older than this program: it has no read TosApi.later"
        );
    }
}
