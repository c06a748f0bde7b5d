// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Room in the pool: what is admitted when it is full, and what a reserve is kept for.

use frame_support::dispatch::DispatchClass;
use polkadot_sdk::*;
use sc_transaction_pool_api::TransactionPriority;
use sp_runtime::transaction_validity::TransactionTag;

/// The limit of the SDK's pool behind a gate that lets in `room` ready transactions. It takes a tenth of that for those that
/// wait for others: as many as may be ready, so that senders whose transactions are refused find the later ones there.
pub const fn inner_limit(room: usize) -> usize {
    room.saturating_mul(10)
}

/// The beginning of what an answer to a question of storage provides (`pallets/storage`). There is one such transaction for each question
/// that the chain asks, so that no sender can make many of them, and a refused one is a miss that its provider pays for.
const STORAGE_ANSWER: &[u8] = b"tos/storage";

/// Class of a transaction by the room that is reserved for it when the pool is full for all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reserve {
    /// Nothing: the transaction is like most.
    None,
    /// A quarter of the room is kept for operational calls: governance, and what stops a flood.
    Operational,
    /// And another quarter for answers to questions of storage, so that no number of operational calls keeps them out.
    Answer,
}

/// PoolPriority of a valid transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolPriority {
    /// Priority, to be compared with that of others.
    pub priority: TransactionPriority,
    /// Room that is reserved for its class.
    pub reserve: Reserve,
}

/// Number and size of transactions: those that are there, or those that there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Transactions.
    pub count: usize,
    /// Bytes of their encodings.
    pub bytes: usize,
}

impl Amount {
    /// As many quarters of this.
    const fn quarters(self, number: usize) -> Self {
        Self {
            count: (self.count / 4)
                .saturating_mul(number)
                .saturating_add((self.count % 4).saturating_mul(number) / 4),
            bytes: (self.bytes / 4)
                .saturating_mul(number)
                .saturating_add((self.bytes % 4).saturating_mul(number) / 4),
        }
    }

    /// `true` if one more transaction of so many bytes is within `limit`.
    const fn has_place_for(self, bytes: usize, limit: Self) -> bool {
        self.count < limit.count && self.bytes.saturating_add(bytes) <= limit.bytes
    }
}

/// The most that may be ready, by what is reserved.
const fn most(room: Amount, reserve: Reserve) -> Amount {
    room.quarters(match reserve {
        Reserve::None => 8,
        Reserve::Operational => 9,
        Reserve::Answer => 10,
    })
}

/// Room that is reserved for a valid transaction that provides these tags; `class` says how it is dispatched.
pub fn reserve(
    provides: &[TransactionTag],
    class: impl FnOnce() -> Option<DispatchClass>,
) -> Reserve {
    if provides.iter().any(|tag| tag.starts_with(STORAGE_ANSWER)) {
        return Reserve::Answer;
    }
    match class() {
        Some(DispatchClass::Operational) => Reserve::Operational,
        _ => Reserve::None,
    }
}

/// `true` if a pool in which so much is ready and with so much room lets another transaction of so many bytes in.
pub fn admits(
    ready: Amount,
    room: Amount,
    bytes: usize,
    worth: impl FnOnce() -> Option<PoolPriority>,
    floor: impl FnOnce() -> TransactionPriority,
) -> bool {
    if ready.has_place_for(bytes, room) {
        return true;
    }
    if !ready.has_place_for(bytes, most(room, Reserve::Answer)) {
        return false;
    }
    let ordinary = ready.has_place_for(bytes, most(room, Reserve::None));
    match worth() {
        // The pool says best what is wrong, and keeps nothing of it.
        None => ordinary,
        Some(worth) => match worth.reserve {
            Reserve::None => ordinary && worth.priority > floor(),
            reserve => ready.has_place_for(bytes, most(room, reserve)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::PERMITS;
    use codec::Encode;

    const ROOM: Amount = Amount {
        count: 1_000,
        bytes: 1_000_000,
    };

    fn worth(reserve: Reserve, priority: TransactionPriority) -> Option<PoolPriority> {
        Some(PoolPriority { priority, reserve })
    }

    /// `true` if a pool of [`ROOM`] in which the cheapest one offers 5 lets in a transaction of 100 bytes.
    fn lets_in(ready: Amount, worth: Option<PoolPriority>) -> bool {
        admits(ready, ROOM, 100, || worth, || 5)
    }

    fn ready(count: usize, bytes: usize) -> Amount {
        Amount { count, bytes }
    }

    #[test]
    fn a_full_pool_takes_what_offers_more_than_the_cheapest_until_its_reserve_is_full_too() {
        let lets_in = |count, offer| lets_in(ready(count, 0), worth(Reserve::None, offer));
        assert!(lets_in(999, 0), "there was room");
        assert!(!lets_in(1_000, 5), "it offers no more than another");
        assert!(lets_in(1_000, 6));
        assert!(lets_in(1_999, 6));
        assert!(!lets_in(2_000, u64::MAX));
        let invalid = super::tests::lets_in(ready(1_000, 0), None);
        assert!(invalid, "the pool has to say what is wrong");
        // What is being validated, and those that waited for it, still find a place.
        let all = most(ROOM, Reserve::Answer).count + PERMITS + ROOM.count;
        assert!(all < inner_limit(ROOM.count));
    }

    #[test]
    fn few_large_transactions_fill_the_pool_as_many_small_ones_do() {
        // 80 transactions of 3.75 MB were taken while "80 of 10,000" were ready, and made the SDK's pool throw others out.
        let lets_in = |bytes, offer| lets_in(ready(80, bytes), worth(Reserve::None, offer));
        assert!(lets_in(999_900, 0), "there was room for its 100 bytes");
        assert!(!lets_in(999_901, 5));
        assert!(lets_in(999_901, 6) && lets_in(1_999_900, 6));
        assert!(!lets_in(1_999_901, u64::MAX));
        // Besides all that is let in, the SDK's pool has room for what waits.
        let all = most(ROOM, Reserve::Answer).bytes + ROOM.bytes;
        assert!(all < inner_limit(ROOM.bytes));
    }

    #[test]
    fn a_flood_of_any_price_leaves_room_for_operational_calls_and_for_storage_answers() {
        for full in [ready(2_000, 0), ready(10, 2_000_000)] {
            assert!(!lets_in(full, worth(Reserve::None, u64::MAX)));
            assert!(!lets_in(full, None), "what is not valid takes no reserve");
            assert!(lets_in(full, worth(Reserve::Operational, 0)));
            assert!(lets_in(full, worth(Reserve::Answer, 0)));
        }
        // Operational calls cannot keep answers out.
        for full in [ready(2_250, 0), ready(10, 2_250_000)] {
            assert!(!lets_in(full, worth(Reserve::Operational, u64::MAX)));
            assert!(lets_in(full, worth(Reserve::Answer, 0)));
        }
        for full in [ready(2_500, 0), ready(10, 2_500_000)] {
            assert!(!lets_in(full, worth(Reserve::Answer, u64::MAX)));
        }
    }

    #[test]
    fn storage_answers_are_known_by_their_tags_and_operational_calls_by_their_class() {
        let answer = (b"tos/storage", "audit", 7_u64).encode();
        let nonce = (1_u64, 2_u64).encode();
        let unasked = || unreachable!("an answer needs no class");
        assert_eq!(reserve(&[nonce.clone(), answer], unasked), Reserve::Answer);
        let of = |class| reserve(std::slice::from_ref(&nonce), || class);
        assert_eq!(of(Some(DispatchClass::Operational)), Reserve::Operational);
        assert_eq!(of(Some(DispatchClass::Normal)), Reserve::None);
        assert_eq!(of(None), Reserve::None);
    }

    #[test]
    fn room_without_a_limit_stays_without_one() {
        let all = Amount {
            count: usize::MAX,
            bytes: usize::MAX,
        };
        assert_eq!(most(all, Reserve::Answer), all);
        assert_eq!(ready(7, 10).quarters(9), ready(15, 22));
    }

    #[test]
    fn nothing_is_validated_for_its_price_while_there_is_room() {
        assert!(admits(
            ready(0, 0),
            ready(1, 100),
            100,
            || unreachable!("not asked"),
            || unreachable!("not asked")
        ));
    }
}
