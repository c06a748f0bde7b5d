// SPDX-License-Identifier: Apache-2.0

//! Why a pool does not take a transaction. The codes are those of the `author` RPC of Substrate.

use serde::Serialize;

/// What a refusal means for the transaction.
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

/// One refusal, as the node words it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Refusal {
    /// The JSON-RPC error code.
    pub code: i32,
    /// The node's message and data, cut to a bounded length.
    pub message: String,
}

/// The most characters kept of a node's message.
const MESSAGE: usize = 160;

const INVALID: i32 = 1010;
const BANNED: i32 = 1012;
const KNOWN: i32 = 1013;
const LOW_PRIORITY: i32 = 1014;
const DROPPED: i32 = 1016;
const FUTURE: i32 = 1021;
/// The server's own limits: too busy, or too many requests at once.
const BUSY: [i32; 2] = [-32009, -32999];

impl Refusal {
    /// From the parts of a JSON-RPC error. `data` is JSON.
    pub fn new(code: i32, message: &str, data: Option<&str>) -> Self {
        let data = data.unwrap_or_default().trim_matches('"');
        let all = match data {
            "" => message.to_owned(),
            data => format!("{message}: {data}"),
        };
        Self {
            code,
            message: all.chars().take(MESSAGE).collect(),
        }
    }

    /// What to do with the transaction.
    pub fn meaning(&self) -> Meaning {
        match self.code {
            KNOWN => Meaning::Known,
            // A transaction that was dropped for room is banned for a while.
            DROPPED | BANNED => Meaning::NoRoom,
            // An earlier one of the account has not arrived.
            FUTURE => Meaning::NoRoom,
            // Another transaction of this account and nonce is there, from an earlier run perhaps.
            LOW_PRIORITY => Meaning::NoRoom,
            INVALID if self.says("outdated") || self.says("stale") => Meaning::Stale,
            INVALID if self.says("exhaust") => Meaning::NoRoom,
            code if BUSY.contains(&code) => Meaning::NoRoom,
            _ => Meaning::Never,
        }
    }

    /// Whether the pool is full, rather than displeased with this transaction.
    pub fn is_full(&self) -> bool {
        self.code == DROPPED
    }

    /// Whether the pool holds another transaction of this account and nonce.
    pub fn is_taken(&self) -> bool {
        self.code == LOW_PRIORITY
    }

    fn says(&self, word: &str) -> bool {
        self.message.to_ascii_lowercase().contains(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(code: i32, message: &str, data: Option<&str>) -> Meaning {
        Refusal::new(code, message, data).meaning()
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
        let refusal = Refusal::new(1, &"é".repeat(1_000), None);
        assert_eq!(refusal.message.chars().count(), MESSAGE);
        assert_eq!(Refusal::new(7, "a", Some("\"b\"")).message, "a: b");
    }
}
