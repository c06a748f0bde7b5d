// SPDX-License-Identifier: Apache-2.0

//! Randomness of the beacon.

use tos_types::ticket::Ticket;

/// What a ticket is worth now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seed {
    /// The seed.
    Ready([u8; 32]),
    /// Not yet; ask again in a later block.
    Pending,
    /// The records no longer reach back so far: take a new ticket.
    Expired,
}

/// Randomness that nobody could know when its ticket was taken (`docs/beacon.md`).
pub trait Randomness {
    /// Takes a ticket. The same for everybody within a block.
    fn request() -> Ticket;
    /// The seed of `subject` for a ticket. Once ready it stays the same until it expires.
    fn seed(ticket: &Ticket, subject: &[u8]) -> Seed;
    /// Whether time cannot be trusted now, because the beacon stands still. Nobody may be punished
    /// for being late meanwhile.
    fn degraded() -> bool;
    /// Makes every ticket's seed ready. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_ready(_ticket: &Ticket) {}
}
