// SPDX-License-Identifier: Apache-2.0

//! The events and errors, a section of the pallet.

use frame_support::pallet_macros::pallet_section;
use polkadot_sdk::*;

#[pallet_section]
mod events {
    /// Events of rounds, their counts and the settlement of their seats.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A case waits for a panel.
        #[codec(index = 0)]
        Opened {
            /// The case.
            case: CaseId,
            /// Seats wanted.
            seats: u32,
        },
        /// A panel sits.
        #[codec(index = 1)]
        PanelSeated {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// Stake that each seat locks, in wei.
            lock: Balance,
            /// The judges with the numbers of their seats, in the order of drawing.
            seats: DrawnSeats<T::AccountId>,
            /// The last tick for commitments.
            deadline: Tick,
        },
        /// Seats were vacated because no commitment to a vote came in time.
        #[codec(index = 2)]
        SeatsVacated {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// The judge that had them.
            who: T::AccountId,
            /// The number of seats.
            seats: u32,
            /// `true` if the judge was suspended: it pays no fine.
            excused: bool,
        },
        /// Vacant seats were drawn for once more; those that are left stay vacant.
        #[codec(index = 3)]
        VacanciesDrawn {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// The judges with the numbers of their new seats.
            seats: DrawnSeats<T::AccountId>,
        },
        /// A judge committed to its vote.
        #[codec(index = 4)]
        VoteCommitted {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// The judge.
            who: T::AccountId,
        },
        /// A judge revealed its vote.
        #[codec(index = 5)]
        VoteRevealed {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// The judge.
            who: T::AccountId,
            /// Its judgement.
            ballot: Ballot,
            /// The finding of its tool.
            report: Option<Report>,
        },
        /// Commitments are over, and votes are revealed.
        #[codec(index = 6)]
        RevealBegan {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// The last tick for reveals.
            deadline: Tick,
        },
        /// A round was counted.
        #[codec(index = 7)]
        RoundCounted {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// Its outcome.
            outcome: Outcome,
            /// One result an answer; empty unless the outcome is scored.
            answers: AnswerOutcomes,
        },
        /// A third of the scoring seats is far from the result of an answer. Without effect.
        #[codec(index = 8)]
        Contested {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// The answer, in the order of commitment.
            answer: u32,
        },
        /// More than half of the revealed seats report the same of the pinned tool.
        #[codec(index = 9)]
        ReportAgreed {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// The report.
            report: Report,
        },
        /// No report of the pinned tool is that of more than half of the revealed seats: none has an
        /// effect.
        #[codec(index = 10)]
        ReportsDiffer {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
        },
        /// Neither a panel nor a result was found in the longest time.
        #[codec(index = 11)]
        Abandoned {
            /// The case.
            case: CaseId,
        },
        /// A judge lost stake.
        #[codec(index = 12)]
        SeatFined {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// The judge.
            who: T::AccountId,
            /// Stake that it lost, in wei.
            amount: Balance,
        },
        /// A judge was paid for a round that it revealed its vote in.
        #[codec(index = 13)]
        SeatPaid {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
            /// The judge.
            who: T::AccountId,
            /// Points of each of its seats; none in a round without result.
            points: i32,
            /// Pay, in wei.
            amount: Balance,
        },
        /// All seats of a case are settled.
        #[codec(index = 14)]
        Settled {
            /// The case.
            case: CaseId,
            /// The type's baseline from now on.
            baseline: u8,
        },
        /// The stakes of a round's seats are unlocked.
        #[codec(index = 15)]
        SeatsFreed {
            /// The case.
            case: CaseId,
            /// The round.
            round: u32,
        },
        /// Pay that no seat earned stays in the pot of the judges, because the treasury cannot take it.
        #[codec(index = 16)]
        Undeliverable {
            /// The case.
            case: CaseId,
            /// The amount, in wei.
            amount: Balance,
        },
        /// A step failed. It is tried again later.
        #[codec(index = 17)]
        StepFailed {
            /// The case.
            case: CaseId,
            /// The step.
            step: Step,
            /// The tick of the next attempt.
            retry_at: Tick,
        },
        /// An account was approved for writing control answers, or not any more.
        #[codec(index = 18)]
        ControlAuthorSet {
            /// The account.
            who: T::AccountId,
            /// `true` if it is approved now.
            approved: bool,
        },
        /// An answer turned out to be a check: its quality was fixed before any vote.
        #[codec(index = 19)]
        ControlRevealed {
            /// The case.
            case: CaseId,
            /// The control author.
            author: T::AccountId,
            /// Its place among the answers.
            index: u32,
            /// Its quality.
            quality: u8,
        },
        /// A judge's vote on control answers was measured. Without effect.
        #[codec(index = 20)]
        Checked {
            /// The case.
            case: CaseId,
            /// The judge.
            who: T::AccountId,
            /// Accuracy on the control answers, in basis points.
            accuracy: Bp,
        },
    }

    /// Reasons for which a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no such case: the task does not exist, or is not judged yet or any more.
        #[codec(index = 0)]
        UnknownCase,
        /// The case takes no such vote now: another phase, or past the deadline.
        #[codec(index = 1)]
        NoVoteNow,
        /// The round gave no result and its votes are dropped. A new panel is waited for; nothing is
        /// lost by not voting now.
        #[codec(index = 2)]
        RoundDropped,
        /// The account has no seat in the current round of the case.
        #[codec(index = 3)]
        NotOnPanel,
        /// The account's seats were vacated, because no commitment came within half of the time.
        #[codec(index = 4)]
        SeatVacated,
        /// The account is suspended, and had not committed before. Its seats are vacated without a fine.
        #[codec(index = 5)]
        Suspended,
        /// The account has committed to a vote already. A commitment cannot be changed.
        #[codec(index = 6)]
        AlreadyCommitted,
        /// The account has not committed to a vote in this round, so it has nothing to reveal.
        #[codec(index = 7)]
        NotCommitted,
        /// The account has revealed its vote already.
        #[codec(index = 8)]
        AlreadyRevealed,
        /// The ballot does not score every answer once, in the order of commitment; there are at most
        /// 32.
        #[codec(index = 9)]
        WrongScoreCount,
        /// A score is above 100. Reveal exactly what was committed to; a vote out of range cannot
        /// be revealed at all.
        #[codec(index = 10)]
        ScoreOutOfRange,
        /// An answer whose content is inline, which every node has, is called unavailable. Such a vote
        /// cannot be revealed at all.
        #[codec(index = 11)]
        CannotBeUnavailable,
        /// The verdict `plagiarised` is not taken: the chain finds copies by itself.
        #[codec(index = 12)]
        VerdictNotTaken,
        /// The vote has a report, and no tool is pinned. Such a vote cannot be revealed at all.
        #[codec(index = 13)]
        ReportNotWanted,
        /// The report speaks of more answers than there are.
        #[codec(index = 14)]
        ReportOutOfRange,
        /// The ballot, the report and the salt do not hash to the commitment for this case, round and
        /// account.
        #[codec(index = 15)]
        WrongPreimage,
        /// The case's next step is not due yet, or it waits for a draw, which no call can cause.
        #[codec(index = 16)]
        NotDue,
        /// The case is open already.
        #[codec(index = 17)]
        AlreadyOpen,
        /// The case does not wait for a panel.
        #[codec(index = 18)]
        NotWaiting,
        /// The case has more than 32 answers or 33 parties, or its panel has no seats or more than 15.
        #[codec(index = 19)]
        OutOfBounds,
        /// The account is not approved for writing control answers. Governance approves.
        #[codec(index = 20)]
        NotControlAuthor,
        /// The account is approved already.
        #[codec(index = 21)]
        AlreadyControlAuthor,
        /// As many accounts as there may be, 256, are approved. Remove one first.
        #[codec(index = 22)]
        TooManyControlAuthors,
        /// A control answer can be told from the count of the votes until the task settles, by the
        /// account that gave it.
        #[codec(index = 23)]
        NoControlNow,
        /// Quality and secret do not give the salt of the answer.
        #[codec(index = 24)]
        WrongKey,
        /// This control answer has been told already.
        #[codec(index = 25)]
        AlreadyKnown,
        /// Records of the case contradict one another. The step is tried again; report it.
        #[codec(index = 26)]
        Inconsistent,
    }
}
