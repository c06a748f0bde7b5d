// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Types of the client, its database and its transaction pool, as this node uses them.

use crate::{host_functions::HostFunctions, pool::GatedPool};
use polkadot_sdk::*;
use tos_runtime::{opaque::Block, RuntimeApi};

/// Executes the runtime.
pub type Executor = crate::executor::Executor<sc_executor::WasmExecutor<HostFunctions>>;
/// The database and everything that reads it.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, Executor>;
/// The database.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// The best chain is the longest one, among those that finality allows.
pub type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// Transactions that wait for a block.
pub type TransactionPool = GatedPool<sc_transaction_pool::TransactionPoolHandle<Block, FullClient>>;
