// SPDX-License-Identifier: Apache-2.0

//! Reasons why a node's pool does not take a transaction. The codes are those of the `author` RPC of
//! Substrate.

use crate::rpc::Refusal;

const INVALID: i32 = 1010;
const UNKNOWN_VALIDITY: i32 = 1011;
const BANNED: i32 = 1012;
const ALREADY_IMPORTED: i32 = 1013;
const LOW_PRIORITY: i32 = 1014;
const IMMEDIATELY_DROPPED: i32 = 1016;
const FUTURE: i32 = 1021;
/// Limits of the server in front of the pool: too busy, or too many requests at once.
const OVERLOADED: [i32; 2] = [-32_009, -32_999];

/// Reason why a pool did not take a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolError {
    /// The runtime refuses it for good, such as for a fee that its account cannot pay.
    Invalid,
    /// Its nonce is used up: it is in a block already, or another transaction took its place.
    Outdated,
    /// The node does not know the block that its life begins at: it is too old, or of another branch.
    AncientBirthBlock,
    /// A block has no room for it.
    ExhaustsResources,
    /// The runtime cannot say whether it is valid.
    UnknownValidity,
    /// It was dropped or found invalid a moment ago, and is not looked at for a while.
    Banned,
    /// The pool has it already.
    AlreadyImported,
    /// The pool has another transaction of this account and nonce, which offers as much.
    LowPriority,
    /// The pool is full.
    ImmediatelyDropped,
    /// An earlier transaction of the account has not arrived.
    Future,
    /// The server in front of the pool takes no more requests.
    Overloaded,
    /// Anything else, or no answer of a pool at all.
    Other,
}

impl PoolError {
    /// Reads the node's refusal of a transaction.
    pub fn of(refusal: &Refusal) -> Self {
        let text = refusal.message.to_ascii_lowercase();
        let says = |word| text.contains(word);
        match refusal.code {
            INVALID if says("outdated") || says("stale") => Self::Outdated,
            INVALID if says("ancient birth block") => Self::AncientBirthBlock,
            INVALID if says("exhaust") => Self::ExhaustsResources,
            INVALID => Self::Invalid,
            UNKNOWN_VALIDITY => Self::UnknownValidity,
            BANNED => Self::Banned,
            ALREADY_IMPORTED => Self::AlreadyImported,
            LOW_PRIORITY => Self::LowPriority,
            IMMEDIATELY_DROPPED => Self::ImmediatelyDropped,
            FUTURE => Self::Future,
            code if OVERLOADED.contains(&code) => Self::Overloaded,
            _ => Self::Other,
        }
    }

    /// `true` if the pool may have the transaction nevertheless.
    pub fn may_have_it(self) -> bool {
        matches!(self, Self::Banned | Self::AlreadyImported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32, message: &str, data: &str) -> PoolError {
        PoolError::of(&Refusal::new(code, message, Some(data)))
    }

    #[test]
    fn every_code_of_the_pool_is_known() {
        for (code, error) in [
            (1010, PoolError::Invalid),
            (1011, PoolError::UnknownValidity),
            (1012, PoolError::Banned),
            (1013, PoolError::AlreadyImported),
            (1014, PoolError::LowPriority),
            (1016, PoolError::ImmediatelyDropped),
            (1021, PoolError::Future),
            (-32_009, PoolError::Overloaded),
            (-32_999, PoolError::Overloaded),
            (-32_601, PoolError::Other),
        ] {
            assert_eq!(of(code, "…", ""), error, "{code}");
        }
    }

    #[test]
    fn kinds_of_invalid_transactions_are_told_apart_by_their_words() {
        for (data, error) in [
            ("\"Transaction is outdated\"", PoolError::Outdated),
            (
                "\"Transaction has an ancient birth block\"",
                PoolError::AncientBirthBlock,
            ),
            (
                "\"Transaction would exhaust the block limits\"",
                PoolError::ExhaustsResources,
            ),
            ("\"Inability to pay some fees\"", PoolError::Invalid),
        ] {
            assert_eq!(of(1010, "Invalid Transaction", data), error, "{data}");
        }
        // The words of another refusal mean nothing.
        assert_eq!(of(1011, "outdated", ""), PoolError::UnknownValidity);
    }
}
