// SPDX-License-Identifier: Apache-2.0

//! The events and errors, a section of the pallet.

use frame_support::pallet_macros::pallet_section;
use polkadot_sdk::*;

#[pallet_section]
mod events {
    /// Events of judges, panels and their counts.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A judge registered.
        #[codec(index = 0)]
        Registered {
            /// The judge.
            who: T::AccountId,
            /// Types of tasks that it judges.
            types: Types,
            /// Stake on hold, in wei.
            stake: Balance,
        },
        /// A judge changed what it judges.
        #[codec(index = 1)]
        TypesChanged {
            /// The judge.
            who: T::AccountId,
            /// Types of tasks that it judges from now on.
            types: Types,
            /// Stake on hold, in wei.
            stake: Balance,
        },
        /// An understaked judge filled up its stake and can be drawn again.
        #[codec(index = 2)]
        ToppedUp {
            /// The judge.
            who: T::AccountId,
            /// Stake on hold, in wei.
            stake: Balance,
        },
        /// Slashes took a judge's stake below what its types ask for; it is not drawn until
        /// it tops up.
        #[codec(index = 3)]
        Understaked {
            /// The judge.
            who: T::AccountId,
            /// Stake on hold, in wei.
            stake: Balance,
            /// Stake that its types ask for, in wei.
            required: Balance,
        },
        /// A judge is leaving and is not drawn any more.
        #[codec(index = 4)]
        LeaveStarted {
            /// The judge.
            who: T::AccountId,
            /// The first tick in which it can withdraw.
            release_at: Tick,
        },
        /// A judge who was leaving stays.
        #[codec(index = 5)]
        Rejoined {
            /// The judge.
            who: T::AccountId,
            /// Stake on hold, in wei.
            stake: Balance,
        },
        /// A judge is gone and got its stake back.
        #[codec(index = 6)]
        Withdrawn {
            /// The judge.
            who: T::AccountId,
            /// The stake returned.
            amount: Balance,
        },
        /// A panel was drawn.
        #[codec(index = 7)]
        PanelSeated {
            /// The task.
            task: TaskId,
            /// The round.
            round: u32,
            /// The members, in the order of drawing.
            members: PanelMembers<T::AccountId>,
            /// `true` if they sit as experts.
            expert: bool,
        },
        /// A member committed to its vote.
        #[codec(index = 8)]
        VoteCommitted {
            /// The task.
            task: TaskId,
            /// The round.
            round: u32,
            /// The member.
            who: T::AccountId,
        },
        /// A member revealed its vote.
        #[codec(index = 9)]
        VoteRevealed {
            /// The task.
            task: TaskId,
            /// The round.
            round: u32,
            /// The member.
            who: T::AccountId,
            /// Its scores, in the order of the answers.
            scores: Scores,
            /// Report of its tool, from an automatic seat.
            report: Option<Report>,
        },
        /// A round was counted.
        #[codec(index = 10)]
        RoundCounted {
            /// The task.
            task: TaskId,
            /// The round.
            round: u32,
            /// Result of the count.
            tally: Tally,
            /// One result per answer; empty without a quorum.
            results: Answers,
        },
        /// A judge lost stake to the treasury for not voting or not revealing.
        #[codec(index = 11)]
        Slashed {
            /// The judge.
            who: T::AccountId,
            /// The task.
            task: TaskId,
            /// The round.
            round: u32,
            /// Stake lost, in wei.
            amount: Balance,
        },
        /// The treasury could not take a slash, which stays with the judge. Happens only when
        /// the treasury's account does not exist and the slash is below the existential deposit.
        #[codec(index = 12)]
        SlashFailed {
            /// The judge.
            who: T::AccountId,
            /// The task.
            task: TaskId,
            /// The round.
            round: u32,
            /// Stake that it should have lost, in wei.
            amount: Balance,
        },
        /// A judge's votes on a task were measured against the final result.
        #[codec(index = 13)]
        Judged {
            /// The judge.
            who: T::AccountId,
            /// The task.
            task: TaskId,
            /// Accuracy of its vote, in basis points.
            accuracy: Bp,
            /// Its running accuracy now.
            running: Bp,
        },
        /// Automatic members agree on what the pinned tool found.
        #[codec(index = 14)]
        ReportAgreed {
            /// The task.
            task: TaskId,
            /// The round.
            round: u32,
            /// The report.
            report: Report,
        },
        /// No two automatic members reported the same, or too few reported. The round cannot end
        /// in a consensus.
        #[codec(index = 15)]
        ReportsDiffer {
            /// The task.
            task: TaskId,
            /// The round.
            round: u32,
        },
        /// An account was approved for writing control answers, or not any more.
        #[codec(index = 16)]
        ControlAuthorSet {
            /// The account.
            who: T::AccountId,
            /// `true` if it is approved now.
            approved: bool,
        },
        /// An answer turned out to be a check: its quality was fixed before anyone voted.
        #[codec(index = 17)]
        ControlRevealed {
            /// The task.
            task: TaskId,
            /// The control author.
            author: T::AccountId,
            /// Its place among the answers.
            index: u32,
            /// Its quality.
            quality: u8,
        },
        /// A judge's votes on control answers were measured.
        #[codec(index = 18)]
        Checked {
            /// The judge.
            who: T::AccountId,
            /// The task.
            task: TaskId,
            /// Accuracy on this control answer, in basis points.
            accuracy: Bp,
            /// Its running accuracy on control answers now.
            running: Bp,
        },
    }

    /// Reasons for which a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The account is not a judge. Register first.
        #[codec(index = 0)]
        NotJudge,
        /// The account is a judge already. Use `set_types` to change what it judges.
        #[codec(index = 1)]
        AlreadyRegistered,
        /// No task type given. Name at least one.
        #[codec(index = 2)]
        NoTypes,
        /// A task type is named twice. Name each once.
        #[codec(index = 3)]
        DuplicateType,
        /// The free balance does not cover the stake. Fund the account or judge types that ask
        /// for less.
        #[codec(index = 4)]
        InsufficientStake,
        /// The judge is leaving. Use `rejoin` to stay.
        #[codec(index = 5)]
        Leaving,
        /// The judge still has seats in tasks that are not concluded. Vote in them and
        /// withdraw when they are.
        #[codec(index = 6)]
        StillOnPanels,
        /// The cooldown is not over. Withdraw from the tick given by `LeaveStarted` on.
        #[codec(index = 7)]
        StillUnbonding,
        /// The judge is not leaving. Call `leave` first.
        #[codec(index = 8)]
        NotLeaving,
        /// The stake is what the types ask for. Nothing to do.
        #[codec(index = 9)]
        NotUnderstaked,
        /// The task takes no such vote now: another phase, past the deadline, or no such task.
        #[codec(index = 10)]
        NoVoteNow,
        /// The account has no seat in the current round of the task.
        #[codec(index = 11)]
        NotOnPanel,
        /// The account has committed to a vote already. A commitment cannot be changed.
        #[codec(index = 12)]
        AlreadyCommitted,
        /// The account has not committed to a vote in this round, so it has nothing to reveal.
        #[codec(index = 13)]
        NotCommitted,
        /// The account has revealed its vote already.
        #[codec(index = 14)]
        AlreadyRevealed,
        /// A score is above 100. Reveal exactly what was committed to; a vote out of range cannot
        /// be revealed at all.
        #[codec(index = 15)]
        ScoreOutOfRange,
        /// The vote does not score every answer once, in the order of commitment.
        #[codec(index = 16)]
        WrongScoreCount,
        /// The scores and the salt do not hash to the commitment for this task, round and account.
        #[codec(index = 17)]
        WrongPreimage,
        /// The account is suspended. Try again when the suspension is over.
        #[codec(index = 18)]
        Suspended,
        /// The vote has a report, and the seat is not an automatic one. Reveal exactly what was
        /// committed to; such a vote cannot be revealed at all.
        #[codec(index = 19)]
        ReportNotWanted,
        /// The report speaks of more answers than there are.
        #[codec(index = 20)]
        ReportOutOfRange,
        /// The account is not approved for writing control answers. Governance approves.
        #[codec(index = 21)]
        NotControlAuthor,
        /// The account is approved already.
        #[codec(index = 22)]
        AlreadyControlAuthor,
        /// As many accounts as there may be are approved. Remove one first.
        #[codec(index = 23)]
        TooManyControlAuthors,
        /// A control answer can be told from the count of the votes until the task settles, while
        /// no further round goes on, by the account that gave it.
        #[codec(index = 24)]
        NoControlNow,
        /// Quality and secret do not give the salt of the answer.
        #[codec(index = 25)]
        WrongKey,
        /// This control answer has been told already.
        #[codec(index = 26)]
        AlreadyKnown,
    }
}
