// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Functions of the node that the runtime can call.

use polkadot_sdk::*;

/// Host functions of every node. Ours are appended to this tuple; a function that is added here
/// must reach all nodes before a runtime uses it.
///
/// Those of `tos_host_functions` verify the beacon and storage proofs.
#[cfg(not(feature = "runtime-benchmarks"))]
pub type HostFunctions = (
    sp_io::SubstrateHostFunctions,
    tos_host_functions::HostFunctions,
);

/// Host functions of every node, and those that measure time and storage for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub type HostFunctions = (
    sp_io::SubstrateHostFunctions,
    tos_host_functions::HostFunctions,
    frame_benchmarking::benchmarking::HostFunctions,
);
