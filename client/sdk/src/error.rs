// SPDX-License-Identifier: Apache-2.0

//! Errors of commands, and the exit code that each kind has.

use crate::{amount, sent::Sent};
use std::fmt::Display;
use tos_types::Balance;

/// A failed command. Scripts tell the kinds apart by [`Error::exit_code`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Anything that is not one of the other kinds.
    #[error("{0}")]
    Failed(String),
    /// A program or endpoint of a worker that does not work, whatever the task: nothing new should be begun.
    #[error("{0}")]
    Broken(String),
    /// A program or endpoint of a worker that does not do this task, however often it is asked.
    #[error("{0}")]
    Declined(String),
    /// The command line or a file it names makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The password does not open the key of this name.
    #[error("wrong password for key `{0}`, or the file is damaged")]
    WrongPassword(String),
    /// The chain refused a call.
    #[error("refused by the chain{}: {name}{}", paid(*.fee), .docs.as_deref().map(|d| format!(": {d}")).unwrap_or_default())]
    Refused {
        /// `Pallet::Error`, or a general reason.
        name: String,
        /// The documentation of that error, from the chain's metadata.
        docs: Option<String>,
        /// Fee that the refusal cost, tip included, in wei; `None` where it was free, before the call was in a block.
        fee: Option<Balance>,
    },
    /// No node answers.
    #[error("cannot reach the node at {url}: {reason}")]
    Unreachable {
        /// The address that was asked.
        url: String,
        /// Reason, as the transport gives it.
        reason: String,
    },
    /// It took too long.
    #[error("timed out: {0}")]
    TimedOut(String),
    /// A transaction of this account with the same nonce waits in the pool; ask again later.
    #[error("a transaction of this account is still pending: {0}")]
    Pending(String),
    /// The node takes no transaction at the moment, this one or any; ask again later.
    #[error(
        "the node's transaction pool has no room: {0}; try again later, or offer more with --tip"
    )]
    Busy(String),
    /// A transaction was sent, and its outcome is unknown.
    #[error("{why}; {sent}")]
    Unsettled {
        /// Transaction that was sent, and its place as far as is known.
        sent: Box<Sent>,
        /// Reason for not waiting any longer; it sets kind and exit code.
        why: Box<Error>,
    },
}

/// Result of most functions of this crate.
pub type Result<T, E = Error> = core::result::Result<T, E>;

impl Error {
    /// The exit code: 1 failure, 2 usage, 3 refused by the chain, 4 no node, 5 timed out.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Broken(_) | Self::Declined(_) | Self::WrongPassword(_) => 1,
            Self::Usage(_) => 2,
            Self::Refused { .. } => 3,
            Self::Unreachable { .. } => 4,
            Self::TimedOut(_) | Self::Pending(_) | Self::Busy(_) => 5,
            Self::Unsettled { why, .. } => why.exit_code(),
        }
    }

    /// The kind, for JSON output.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::Broken(_) => "broken",
            Self::Declined(_) => "declined",
            Self::Usage(_) => "usage",
            Self::WrongPassword(_) => "wrongPassword",
            Self::Refused { .. } => "refused",
            Self::Unreachable { .. } => "unreachable",
            Self::TimedOut(_) => "timedOut",
            Self::Pending(_) => "pending",
            Self::Busy(_) => "busy",
            Self::Unsettled { why, .. } => why.kind(),
        }
    }

    /// A refusal of the client's own making, before anything is sent.
    pub fn refused(name: impl Into<String>) -> Self {
        Self::Refused {
            name: name.into(),
            docs: None,
            fee: None,
        }
    }
}

/// Words on the fee of a refusal, in front of its name; none where it was free.
fn paid(fee: Option<Balance>) -> String {
    fee.map_or_else(String::new, |fee| {
        let fee = amount::format(fee);
        format!(" in a block (the fee of {fee} was paid)")
    })
}

/// Turns any error into [`Error::Failed`], saying what was being done.
pub trait Context<T> {
    /// Adds what was being done.
    fn context(self, doing: impl Display) -> Result<T>;
}

impl<T, E: Display> Context<T> for core::result::Result<T, E> {
    fn context(self, doing: impl Display) -> Result<T> {
        self.map_err(|e| Error::Failed(format!("{doing}: {}", text(e))))
    }
}

/// The text of an error. Every layer of the libraries that talk to a node names RPC; here it is
/// named once.
pub(crate) fn text(error: impl Display) -> String {
    let mut text = error.to_string();
    for layers in ["Backend error: RPC error: ", "RPC error: RPC error: "] {
        while text.contains(layers) {
            text = text.replace(layers, "RPC error: ");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use subxt::{error::BackendError, rpcs};

    #[test]
    fn an_error_that_came_through_several_layers_names_rpc_once() {
        let insecure = rpcs::Error::InsecureUrl("ws://x".into());
        let nested: Result<(), _> = Err(BackendError::from(insecure));
        assert_eq!(
            nested.context("the fee").unwrap_err().to_string(),
            "the fee: RPC error: insecure URL: ws://x"
        );
        assert_eq!(text("RPC error: limit reached"), "RPC error: limit reached");
    }

    #[test]
    fn every_kind_has_its_documented_exit_code() {
        let refused = Error::Refused {
            name: "Tasks::TaskFull".into(),
            docs: Some("Full.".into()),
            fee: None,
        };
        assert_eq!(
            refused.to_string(),
            "refused by the chain: Tasks::TaskFull: Full."
        );
        let unreachable = Error::Unreachable {
            url: "ws://x".into(),
            reason: "no".into(),
        };
        let codes = [
            Error::Failed(String::new()).exit_code(),
            Error::Usage(String::new()).exit_code(),
            refused.exit_code(),
            unreachable.exit_code(),
            Error::TimedOut(String::new()).exit_code(),
            Error::Busy(String::new()).exit_code(),
            Error::WrongPassword(String::new()).exit_code(),
        ];
        assert_eq!(codes, [1, 2, 3, 4, 5, 5, 1]);
    }

    #[test]
    fn a_refusal_that_cost_a_fee_says_how_much() {
        let refused = Error::Refused {
            name: "Tasks::TaskFull".into(),
            docs: None,
            fee: Some(tos_types::TOS / 200),
        };
        assert_eq!(
            refused.to_string(),
            "refused by the chain in a block (the fee of 0.005 TOS was paid): Tasks::TaskFull"
        );
    }
}
