// SPDX-License-Identifier: Apache-2.0

//! Refusals of transactions, as a load run takes them.

use tos_sdk::{pool_error::PoolError, rpc::Refusal};

/// Consequence of a refusal for the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The pool does not take it now, and may later.
    NoRoom,
    /// The pool has it already: as good as accepted.
    Known,
    /// Its nonce is used up: it is in a block already, or another transaction took its place.
    Stale,
    /// It will never be taken.
    Never,
}

/// The most characters kept of a node's message.
const MESSAGE: usize = 160;

impl Meaning {
    /// Next step for a transaction that was refused so.
    pub fn of(refusal: &Refusal) -> Self {
        match PoolError::of(refusal) {
            PoolError::AlreadyImported => Self::Known,
            // A transaction that was dropped for room is banned for a while.
            PoolError::ImmediatelyDropped | PoolError::Banned => Self::NoRoom,
            // An earlier one of the account has not arrived.
            PoolError::Future => Self::NoRoom,
            // Another transaction of this account and nonce is there, from an earlier run perhaps.
            PoolError::LowPriority => Self::NoRoom,
            PoolError::ExhaustsResources | PoolError::Overloaded => Self::NoRoom,
            PoolError::Outdated => Self::Stale,
            PoolError::Invalid
            | PoolError::AncientBirthBlock
            | PoolError::UnknownValidity
            | PoolError::Other => Self::Never,
        }
    }
}

/// The refusal with its message cut to a bounded length: a run keeps many.
pub fn bounded(refusal: Refusal) -> Refusal {
    Refusal {
        message: refusal.message.chars().take(MESSAGE).collect(),
        ..refusal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(code: i32, message: &str, data: Option<&str>) -> Meaning {
        Meaning::of(&bounded(Refusal::new(code, message, data)))
    }

    #[test]
    fn what_the_pool_says_is_told_apart() {
        let full = "Immediately Dropped";
        assert_eq!(meaning(1016, full, Some("\"…\"")), Meaning::NoRoom);
        assert_eq!(meaning(1012, "Banned", None), Meaning::NoRoom);
        assert_eq!(meaning(1013, "Already Imported", None), Meaning::Known);
        let invalid = |data| meaning(1010, "Invalid Transaction", Some(data));
        assert_eq!(invalid("\"Transaction is outdated\""), Meaning::Stale);
        assert_eq!(invalid("\"Inability to pay some fees\""), Meaning::Never);
        assert_eq!(meaning(-32601, "Method not found", None), Meaning::Never);
        assert_eq!(meaning(-32009, "Server is busy", None), Meaning::NoRoom);
    }

    #[test]
    fn a_long_message_is_cut() {
        let refusal = bounded(Refusal::new(1, &"é".repeat(1_000), None));
        assert_eq!(refusal.message.chars().count(), MESSAGE);
        assert_eq!(bounded(Refusal::new(7, "a", Some("\"b\""))).message, "a: b");
    }
}
