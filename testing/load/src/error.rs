// SPDX-License-Identifier: Apache-2.0

//! Errors of a run, each with the remedy and the exit code of its kind.

/// A failed run. Scripts tell the kinds apart by [`Error::exit_code`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line asks for something that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// No node answers.
    #[error("cannot reach the node at {url}: {reason}; is it running, and is --url right?")]
    Unreachable {
        /// The address that was asked.
        url: String,
        /// Reason, as the transport gives it.
        reason: String,
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
        /// The amount that it owns.
        owned: u128,
        /// The amount that is needed.
        needed: u128,
    },
    /// Something that had to happen did not happen in time.
    #[error("not within {seconds} s: {what}; look into the node's log, or allow more time")]
    TimedOut {
        /// The event that was waited for.
        what: String,
        /// For how long.
        seconds: u64,
    },
    /// A stated expectation did not hold; the report says more.
    #[error("expectation failed: {0}")]
    Expectation(String),
    /// Anything else that the SDK tells of.
    #[error(transparent)]
    Sdk(tos_sdk::error::Error),
}

/// The result of most functions here.
pub type Result<T, E = Error> = core::result::Result<T, E>;

impl From<tos_sdk::error::Error> for Error {
    fn from(error: tos_sdk::error::Error) -> Self {
        match error {
            tos_sdk::error::Error::Usage(text) => Self::Usage(text),
            tos_sdk::error::Error::Unreachable { url, reason } => Self::Unreachable { url, reason },
            other => Self::Sdk(other),
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use tos_sdk::error::{Context, Error as SdkError};

    #[test]
    fn every_kind_has_its_exit_code() {
        let unreachable = SdkError::Unreachable {
            url: "ws://127.0.0.1:1".into(),
            reason: "refused".into(),
        };
        let unreachable = Error::from(unreachable);
        assert_eq!(unreachable.exit_code(), 3);
        assert!(unreachable.to_string().contains("--url"), "{unreachable}");
        assert_eq!(Error::Usage(String::new()).exit_code(), 2);
        assert_eq!(Error::from(SdkError::Usage(String::new())).exit_code(), 2);
        assert_eq!(Error::Expectation("2 lost".into()).exit_code(), 1);
        let failed: Result<(), Error> = Err("why").context("what").map_err(Error::from);
        let failed = failed.err().map(|e| (e.exit_code(), e.to_string()));
        assert_eq!(failed, Some((1, "what: why".into())));
    }
}
