// SPDX-License-Identifier: Apache-2.0

//! The events and errors, a section of the pallet.

use frame_support::pallet_macros::pallet_section;
use polkadot_sdk::*;

#[pallet_section]
mod events {
    /// Events of bonds, lines and draws.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A judge bonded for a type; it is drawn when the bond is warm.
        #[codec(index = 0)]
        Registered {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
            /// The bond, in wei.
            bond: Balance,
            /// It counts from the first period that begins in this tick or later.
            at: Tick,
        },
        /// A judge added to its bond.
        #[codec(index = 1)]
        BondAdded {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
            /// The part that counts from the next period, in wei.
            restoring: Balance,
            /// The part that warms up, in wei.
            warming: Balance,
        },
        /// The weight of a judge is another one from now on.
        #[codec(index = 2)]
        WeightSet {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
            /// The weight, in whole TOS; 0 where it is not drawn any more.
            weight: u32,
            /// `true` if it takes seats for certified judges.
            certified: bool,
        },
        /// A judge is leaving, and is not drawn any more from the next period.
        #[codec(index = 3)]
        LeaveStarted {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
            /// The first tick in which it can withdraw, if it has no open seat then.
            release_at: Tick,
        },
        /// A judge that was leaving stays.
        #[codec(index = 4)]
        Rejoined {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
        },
        /// A judge is gone and got its bond and its pay.
        #[codec(index = 5)]
        Withdrawn {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
            /// The bond, in wei.
            bond: Balance,
            /// The pay, in wei.
            pay: Balance,
        },
        /// A judge did not act in a round, and is not drawn until it reports back.
        #[codec(index = 6)]
        Silenced {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
        },
        /// A judge that was silent is drawn again from the next period.
        #[codec(index = 7)]
        ReportedBack {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
        },
        /// Pay was claimed.
        #[codec(index = 8)]
        PayClaimed {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
            /// The amount, in wei.
            amount: Balance,
        },
        /// Pay was booked for a judge.
        #[codec(index = 9)]
        PayBooked {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
            /// The amount, in wei.
            amount: Balance,
        },
        /// A judge was fined.
        #[codec(index = 10)]
        Fined {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
            /// The amount, in wei.
            amount: Balance,
            /// The account that it was for.
            to: T::AccountId,
        },
        /// A fine went to another account, because the one that it was for cannot receive it.
        #[codec(index = 11)]
        FineDiverted {
            /// The account that it was for.
            to: T::AccountId,
            /// The account that has it.
            beneficiary: T::AccountId,
            /// The amount, in wei.
            amount: Balance,
        },
        /// A fine could go to no account, and was not taken.
        #[codec(index = 12)]
        FineFailed {
            /// The judge.
            who: T::AccountId,
            /// The account that it was for.
            to: T::AccountId,
            /// The amount, in wei.
            amount: Balance,
        },
        /// Stake of a judge's seats is free again.
        #[codec(index = 13)]
        Freed {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
            /// The amount, in wei.
            amount: Balance,
        },
        /// A case waits for its seats.
        #[codec(index = 14)]
        Enqueued {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// The class of its line.
            class: u8,
        },
        /// A case that waits is in a higher class.
        #[codec(index = 15)]
        Raised {
            /// The case.
            case: CaseId,
            /// The class.
            class: u8,
        },
        /// A case took a ticket: its seats, their stake and its place in the order of draws are fixed.
        #[codec(index = 16)]
        TicketTaken {
            /// The case.
            case: CaseId,
            /// The ticket.
            number: u64,
            /// The seats, and the stake of each.
            terms: Terms,
        },
        /// The seed of a ticket was asked for again: it expired, was a degraded one, or came after the end of
        /// its period.
        #[codec(index = 17)]
        SeedReplaced {
            /// The case.
            case: CaseId,
            /// The ticket.
            number: u64,
        },
        /// Seats were drawn.
        #[codec(index = 18)]
        Drawn {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// The stake that each seat locks, in wei.
            lock: Balance,
            /// The judges in the order of drawing, with the number of their seats, and whether one of those is
            /// for certified judges.
            seats: Vec<(T::AccountId, u32, bool)>,
        },
        /// A draw came to nothing: too many candidates could not take a seat. The case keeps its room.
        #[codec(index = 19)]
        DrawFailed {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// The tick in which it takes another ticket, at the earliest.
            retry_at: Tick,
        },
        /// A case found no panel in the longest time that it waits.
        #[codec(index = 20)]
        Expired {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
        },
        /// A type is out of bootstrap.
        #[codec(index = 21)]
        BootstrapEnded {
            /// The type.
            task_type: TaskType,
        },
        /// A change of a roster could not be made, and is tried again in the next period.
        #[codec(index = 22)]
        ChangeFailed {
            /// The judge.
            who: T::AccountId,
            /// The type.
            task_type: TaskType,
        },
        /// Pay of an account without a bond could not go to it.
        #[codec(index = 23)]
        PayDiverted {
            /// The account that it was for.
            who: T::AccountId,
            /// The account that has it.
            beneficiary: T::AccountId,
            /// The amount, in wei.
            amount: Balance,
        },
    }

    /// Errors of the calls.
    #[pallet::error]
    pub enum Error<T> {
        /// The account has a bond for this type already. Add to it.
        #[codec(index = 0)]
        AlreadyRegistered,
        /// The account has no bond for this type.
        #[codec(index = 1)]
        NotJudge,
        /// The bond is below the one to enter.
        #[codec(index = 2)]
        BelowEntry,
        /// The account is suspended. Try again when the suspension is over.
        #[codec(index = 3)]
        Suspended,
        /// The free balance does not cover the bond and the existential deposit.
        #[codec(index = 4)]
        InsufficientStake,
        /// The judge is leaving. Rejoin first.
        #[codec(index = 5)]
        Leaving,
        /// The judge is not leaving.
        #[codec(index = 6)]
        NotLeaving,
        /// The unbonding is not over, or the judge is drawn until the end of the period.
        #[codec(index = 7)]
        StillUnbonding,
        /// Open seats lock a part of the bond.
        #[codec(index = 8)]
        StillSeated,
        /// The judge is not silent, or has reported back already.
        #[codec(index = 9)]
        NotSilent,
        /// No pay can be claimed.
        #[codec(index = 10)]
        NothingToClaim,
        /// The roster knows the certificate and the suspension of the judge. Nothing to do.
        #[codec(index = 11)]
        InStep,
        /// The type is not in bootstrap.
        #[codec(index = 12)]
        NotInBootstrap,
        /// The roster of the type has no place left.
        #[codec(index = 13)]
        RosterFull,
        /// The roster of the type contradicts itself: a defect of the chain.
        #[codec(index = 14)]
        RosterInconsistent,
        /// The case waits for seats already.
        #[codec(index = 15)]
        AlreadyWaiting,
        /// The case does not wait for seats.
        #[codec(index = 16)]
        NotWaiting,
        /// A request is for no seats, or for more than can be drawn at once.
        #[codec(index = 17)]
        WrongSeats,
    }
}
