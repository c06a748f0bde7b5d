// SPDX-License-Identifier: Apache-2.0

//! What can go wrong, what to do about it, and the exit code of each kind.

use std::fmt::Display;

/// A failed run. Scripts tell the kinds apart by [`Error::exit_code`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line asks for something that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// No node answers.
    #[error("cannot reach the node at {url}: {reason}; is it running, and is --url right?")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What the transport says.
        reason: String,
    },
    /// The node answered with an error.
    #[error("the node refused {method}: {message}")]
    Refused {
        /// The JSON-RPC method.
        method: String,
        /// Code and text of its answer.
        message: String,
    },
    /// The runtime lacks something this needs.
    #[error("this runtime {0}; run this against one that has it")]
    Unsupported(String),
    /// The rich account cannot pay for the run.
    #[error(
        "the funding account owns {owned} and the run needs {needed} (in the smallest unit); name a \
         richer one with --rich, or lower --accounts or the number of transactions"
    )]
    Poor {
        /// What it owns.
        owned: u128,
        /// What is needed.
        needed: u128,
    },
    /// Something that had to happen did not happen in time.
    #[error("not within {seconds} s: {what}; look into the node's log, or allow more time")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
    },
    /// A stated expectation did not hold; the report says more.
    #[error("expectation failed: {0}")]
    Expectation(String),
    /// Anything else, with what was being done.
    #[error("{doing}: {reason}")]
    Failed {
        /// What was being done.
        doing: String,
        /// Why it failed.
        reason: String,
    },
}

/// What most functions here return.
pub type Result<T, E = Error> = core::result::Result<T, E>;

impl Error {
    /// 1 an expectation or a step failed, 2 usage, 3 the node cannot be reached.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Unreachable { .. } => 3,
            _ => 1,
        }
    }
}

/// Turns any error into [`Error::Failed`], saying what was being done.
pub trait Context<T> {
    /// Adds what was being done.
    fn context(self, doing: impl Display) -> Result<T>;
}

impl<T, E: Display> Context<T> for Result<T, E> {
    fn context(self, doing: impl Display) -> Result<T> {
        self.map_err(|reason| Error::Failed {
            doing: doing.to_string(),
            reason: reason.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_exit_code() {
        let unreachable = Error::Unreachable {
            url: "ws://127.0.0.1:1".into(),
            reason: "refused".into(),
        };
        assert_eq!(unreachable.exit_code(), 3);
        assert_eq!(Error::Usage(String::new()).exit_code(), 2);
        assert_eq!(Error::Expectation("2 lost".into()).exit_code(), 1);
        let failed: Result<(), _> = Err("why").context("what");
        assert_eq!(
            failed.err().map(|e| e.to_string()).as_deref(),
            Some("what: why")
        );
    }
}
