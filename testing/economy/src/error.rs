// SPDX-License-Identifier: Apache-2.0

//! Errors of a run.

use polkadot_sdk::sp_runtime::{transaction_validity::TransactionValidityError, DispatchError};
use tos_types::TaskId;

/// The reason for which a run ends early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The genesis state cannot be built.
    #[error("genesis: {0}")]
    Genesis(String),
    /// The chain does not take a transaction into a block.
    #[error("a transaction is invalid: {0:?}")]
    Invalid(TransactionValidityError),
    /// The call of a transaction failed; its fee is paid.
    #[error("a call failed: {0:?}")]
    Failed(DispatchError),
    /// The chain does not know a task that the run needs.
    #[error("the chain does not know task {0}")]
    Unknown(TaskId),
    /// A list or a text is longer than the chain takes.
    #[error("too long for the chain: {0}")]
    TooLong(&'static str),
    /// Nothing that was waited for happened in the given number of blocks.
    #[error("still waiting after {0} blocks")]
    Stuck(u32),
    /// An invariant of the chain's state does not hold.
    #[error("{0}")]
    Broken(String),
}

/// The outcome of a step of a run.
pub type Result<T, E = Error> = std::result::Result<T, E>;
