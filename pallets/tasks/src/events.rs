// SPDX-License-Identifier: Apache-2.0

//! The events, a section of the pallet.

use frame_support::pallet_macros::pallet_section;
use polkadot_sdk::*;

#[pallet_section]
mod events {
    /// The events of tasks. The history of every task can be rebuilt from these events alone.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A task was published; its reward and the publisher's stake are held.
        #[codec(index = 0)]
        Published {
            /// The task.
            task: TaskId,
            /// The publisher.
            publisher: T::AccountId,
            /// Its type.
            task_type: TaskType,
            /// Its difficulty.
            difficulty: Difficulty,
            /// The hash of what it asks.
            spec: ContentHash,
            /// The reward.
            reward: Balance,
            /// The publisher's stake.
            stake: Balance,
            /// Places for miners.
            max_participants: u32,
            /// The last tick to join and commit in.
            deadline: Tick,
        },
        /// A miner took a place; its stake is held.
        #[codec(index = 1)]
        Joined {
            /// The task.
            task: TaskId,
            /// The miner.
            miner: T::AccountId,
            /// Its stake.
            stake: Balance,
        },
        /// A miner committed to an answer.
        #[codec(index = 2)]
        Committed {
            /// The task.
            task: TaskId,
            /// The miner.
            miner: T::AccountId,
            /// The commitment.
            commitment: Commitment,
            /// Its number among the task's commitments, from 0.
            number: u32,
        },
        /// A miner revealed its answer.
        #[codec(index = 3)]
        Revealed {
            /// The task.
            task: TaskId,
            /// The miner.
            miner: T::AccountId,
            /// The hash of the answer.
            hash: ContentHash,
            /// Its length in bytes.
            size: u32,
            /// Its SimHash, as the miner states it.
            simhash: u64,
        },
        /// An answer is too close to an earlier one: it is scored but cannot earn.
        #[codec(index = 4)]
        DuplicateFound {
            /// The task.
            task: TaskId,
            /// The author of the later answer.
            miner: T::AccountId,
            /// The author of the earlier answer.
            original: T::AccountId,
        },
        /// A task came into another phase.
        #[codec(index = 5)]
        PhaseChanged {
            /// The task.
            task: TaskId,
            /// The phase it left.
            from: Phase,
            /// The phase it came into.
            to: Phase,
            /// The round of voting it belongs to.
            round: u32,
            /// The last tick of the new phase.
            deadline: Tick,
        },
        /// The votes of a round were counted.
        #[codec(index = 6)]
        RoundTallied {
            /// The task.
            task: TaskId,
            /// The round.
            round: u32,
            /// The outcome of the count.
            tally: Tally,
        },
        /// A result was challenged; the bond is held and one more round begins.
        #[codec(index = 7)]
        Challenged {
            /// The task.
            task: TaskId,
            /// The challenger.
            challenger: T::AccountId,
            /// The bond.
            bond: Balance,
        },
        /// The round of a challenge is over.
        #[codec(index = 8)]
        ChallengeDecided {
            /// The task.
            task: TaskId,
            /// `true` if it moved the result.
            upheld: bool,
            /// `true` if the bond goes back to the challenger: also when its round had no quorum.
            bond_released: bool,
        },
        /// The final result for an answer.
        #[codec(index = 9)]
        AnswerJudged {
            /// The task.
            task: TaskId,
            /// Its author.
            miner: T::AccountId,
            /// Median quality.
            quality: u8,
            /// Median innovation.
            innovation: u8,
            /// The verdict.
            verdict: Verdict,
            /// `true` if it is too close to an earlier one.
            duplicate: bool,
        },
        /// A part of a stake, or a bond, went to the treasury.
        #[codec(index = 10)]
        StakeSlashed {
            /// The task.
            task: TaskId,
            /// The account that it was taken from.
            who: T::AccountId,
            /// The amount, in wei.
            amount: Balance,
            /// The reason.
            reason: SlashReason,
        },
        /// A stake or a bond, or what is left of it, is free again.
        #[codec(index = 11)]
        StakeReleased {
            /// The task.
            task: TaskId,
            /// The account that owns it.
            who: T::AccountId,
            /// The amount, in wei.
            amount: Balance,
        },
        /// The treasury could not take a slash, so its owner keeps it.
        #[codec(index = 12)]
        SlashFailed {
            /// The task.
            task: TaskId,
            /// The account that owns it.
            who: T::AccountId,
            /// The amount that was to be taken, in wei.
            amount: Balance,
        },
        /// A task is over; no money is left in it.
        #[codec(index = 13)]
        Closed {
            /// The task.
            task: TaskId,
            /// The way it ended.
            closure: Closure,
        },
        /// A closed task's records were removed.
        #[codec(index = 14)]
        Pruned {
            /// The task.
            task: TaskId,
        },
        /// A step of a task failed. Nothing changed; it is tried again.
        #[codec(index = 15)]
        StepFailed {
            /// The task.
            task: TaskId,
            /// The phase it is in.
            phase: Phase,
            /// The tick of the next attempt.
            retry_at: Tick,
        },
        /// A task type was added, changed or, without rules, removed.
        #[codec(index = 16)]
        TaskTypeSet {
            /// The type.
            task_type: TaskType,
            /// Its rules.
            profile: Option<TypeProfile>,
        },
        /// A stake or a bond could not go back to the account that owns it, and another one got it
        /// instead.
        #[codec(index = 17)]
        Undeliverable {
            /// The task.
            task: TaskId,
            /// The account that owns it.
            who: T::AccountId,
            /// The amount, in wei.
            amount: Balance,
            /// The account that got it. The same one where no account could receive it: it stays
            /// there on hold.
            to: T::AccountId,
        },
    }
}
