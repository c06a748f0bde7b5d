// SPDX-License-Identifier: Apache-2.0

//! The events and errors, a section of the pallet.

use frame_support::pallet_macros::pallet_section;
use polkadot_sdk::*;

#[pallet_section]
mod events {
    /// The events of providers, deals, replicas, challenges and windows.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A provider registered.
        #[codec(index = 0)]
        ProviderRegistered {
            /// The provider.
            who: T::AccountId,
            /// The bond on hold, in wei.
            bond: Balance,
        },
        /// A provider changed its key or locator.
        #[codec(index = 1)]
        ProviderChanged {
            /// The provider.
            who: T::AccountId,
            /// The key that signs its responses.
            proof_key: [u8; 32],
        },
        /// A provider's bond changed by its own will.
        #[codec(index = 2)]
        BondChanged {
            /// The provider.
            who: T::AccountId,
            /// The bond on hold now, in wei.
            bond: Balance,
        },
        /// A provider takes no more deals.
        #[codec(index = 3)]
        ProviderExiting {
            /// The provider.
            who: T::AccountId,
        },
        /// A provider left.
        #[codec(index = 4)]
        ProviderLeft {
            /// The provider.
            who: T::AccountId,
            /// The bond that it got back, in wei.
            bond: Balance,
        },
        /// A deal is offered.
        #[codec(index = 5)]
        Offered {
            /// The deal.
            deal: DealId,
            /// The client, who pays.
            client: T::AccountId,
            /// The amount on hold, in wei.
            escrow: Balance,
        },
        /// An offer was withdrawn, or no provider accepted it in time.
        #[codec(index = 6)]
        OfferClosed {
            /// The deal.
            deal: DealId,
            /// `true` if it ran out, `false` if the client withdrew it.
            expired: bool,
            /// The amount that the client got back, in wei.
            refund: Balance,
        },
        /// A provider accepted a deal.
        #[codec(index = 7)]
        Accepted {
            /// The deal.
            deal: DealId,
            /// The replica to be sealed.
            replica: ReplicaId,
            /// The provider.
            provider: T::AccountId,
            /// The part of its bond that is tied up, in wei.
            collateral: Balance,
        },
        /// A provider committed to sealed bytes.
        #[codec(index = 8)]
        SealCommitted {
            /// The replica.
            replica: ReplicaId,
            /// The commitment.
            sealed: Commitment,
        },
        /// A replica is active.
        #[codec(index = 9)]
        Activated {
            /// The replica.
            replica: ReplicaId,
            /// Its group.
            group: GroupId,
            /// Its place in the group.
            place: u32,
            /// The first window in which it has to be proven.
            from: Window,
        },
        /// A replica is paused.
        #[codec(index = 10)]
        Paused {
            /// The replica.
            replica: ReplicaId,
            /// The window in which it is resumed at the latest.
            until: Window,
        },
        /// A replica is resumed.
        #[codec(index = 11)]
        Resumed {
            /// The replica.
            replica: ReplicaId,
            /// The first window in which it has to be proven.
            from: Window,
        },
        /// A provider gave notice.
        #[codec(index = 12)]
        RemovalRequested {
            /// The replica.
            replica: ReplicaId,
            /// The first window without it.
            until: Window,
        },
        /// A replica is over.
        #[codec(index = 13)]
        ReplicaClosed {
            /// The replica.
            replica: ReplicaId,
            /// The final status.
            status: ReplicaStatus,
            /// The amount that the client got back, in wei.
            refund: Balance,
        },
        /// A provider was paid.
        #[codec(index = 14)]
        Settled {
            /// The replica.
            replica: ReplicaId,
            /// The provider.
            provider: T::AccountId,
            /// The amount, in wei.
            amount: Balance,
            /// For how many windows so far.
            windows: u32,
        },
        /// A replica is audited.
        #[codec(index = 15)]
        AuditOpened {
            /// The replica.
            replica: ReplicaId,
            /// The number of the audit.
            moment: u32,
            /// The last storage tick to answer in.
            due: Tick,
        },
        /// An audit was answered.
        #[codec(index = 16)]
        AuditPassed {
            /// The replica.
            replica: ReplicaId,
            /// The number of the audit.
            moment: u32,
        },
        /// A challenge is open.
        #[codec(index = 17)]
        ChallengeOpened {
            /// The replica.
            replica: ReplicaId,
            /// The subject of the challenge.
            kind: ChallengeKind,
            /// The last storage tick to answer in.
            due: Tick,
        },
        /// A challenge is taken up; it opens when its seed is known.
        #[codec(index = 18)]
        Challenged {
            /// The replica.
            replica: ReplicaId,
            /// The subject of the challenge.
            kind: ChallengeKind,
            /// The challenger; `None` for the chain itself.
            challenger: Option<T::AccountId>,
        },
        /// A challenge is over.
        #[codec(index = 19)]
        ChallengeClosed {
            /// The replica.
            replica: ReplicaId,
            /// The subject of the challenge.
            kind: ChallengeKind,
            /// `true` if it was answered rightly; `None` if the replica ended before.
            passed: Option<bool>,
        },
        /// A provider lost money.
        #[codec(index = 20)]
        Slashed {
            /// The provider.
            provider: T::AccountId,
            /// The replica; none for an equivocation.
            replica: Option<ReplicaId>,
            /// The reason.
            fault: Fault,
            /// The amount, in wei.
            amount: Balance,
            /// The account that got half of it.
            reporter: Option<T::AccountId>,
        },
        /// A window began.
        #[codec(index = 21)]
        WindowBegan {
            /// The window.
            window: Window,
        },
        /// A window has its seed; groups are due.
        #[codec(index = 22)]
        WindowOpened {
            /// The window.
            window: Window,
            /// Its seed.
            seed: [u8; 32],
            /// The last storage tick for roots.
            ends: Tick,
        },
        /// A group handed in its root.
        #[codec(index = 23)]
        GroupSubmitted {
            /// The window.
            window: Window,
            /// The group.
            group: GroupId,
            /// The root.
            root: [u8; 32],
        },
        /// A group handed in nothing.
        #[codec(index = 24)]
        GroupMissed {
            /// The window.
            window: Window,
            /// The group.
            group: GroupId,
            /// Replicas whose streaks ended.
            replicas: u32,
        },
        /// All roots of a window are folded.
        #[codec(index = 25)]
        WindowFolded {
            /// The window.
            window: Window,
            /// The root over all regions.
            global: [u8; 32],
        },
        /// A committee member attested.
        #[codec(index = 26)]
        Attested {
            /// The window.
            window: Window,
            /// The group.
            group: GroupId,
            /// The committee member.
            validator: T::AccountId,
            /// The latency in milliseconds.
            latency_ms: u32,
            /// Proofs that were missing or wrong.
            bad: u32,
        },
        /// A quorum measured a provider.
        #[codec(index = 27)]
        Scored {
            /// The window.
            window: Window,
            /// The group.
            group: GroupId,
            /// The median latency in milliseconds.
            latency_ms: u32,
            /// Members who met missing or wrong proofs.
            doubts: u32,
        },
        /// An amount that an account could not receive went to another.
        #[codec(index = 28)]
        Undeliverable {
            /// The account that could not receive it.
            who: T::AccountId,
            /// The amount, in wei.
            amount: Balance,
            /// The account that got it.
            to: T::AccountId,
        },
        /// An automatic step failed; it is tried again.
        #[codec(index = 29)]
        StepFailed {
            /// The storage tick of the next attempt.
            retry_at: Tick,
        },
        /// Governance changed lengths, limits or prices.
        #[codec(index = 30)]
        ConfigSet {
            /// The new ones.
            config: StorageConfig,
        },
        /// An ended deal was removed from the records, with its replica.
        #[codec(index = 31)]
        Pruned {
            /// The deal.
            deal: DealId,
        },
    }

    /// The reasons to refuse a call.
    #[pallet::error]
    pub enum Error<T> {
        /// The account is a provider already.
        #[codec(index = 0)]
        AlreadyProvider,
        /// The account is no provider: register it.
        #[codec(index = 1)]
        NotProvider,
        /// The bond is, or would become, less than a provider needs.
        #[codec(index = 2)]
        BondTooSmall,
        /// The free balance does not cover the bond or escrow.
        #[codec(index = 3)]
        InsufficientFunds,
        /// The bond not tied up by replicas does not cover this: top it up.
        #[codec(index = 4)]
        InsufficientBond,
        /// The key was changed less than a ring of windows ago, and the one before still counts as
        /// evidence: wait.
        #[codec(index = 5)]
        KeyTooFresh,
        /// A provider needs a locator.
        #[codec(index = 6)]
        NoLocator,
        /// The provider is exiting.
        #[codec(index = 7)]
        Exiting,
        /// The provider has not announced its exit.
        #[codec(index = 8)]
        NotExiting,
        /// The provider still has replicas.
        #[codec(index = 9)]
        HasReplicas,
        /// The bond is not free yet: late evidence must still find it.
        #[codec(index = 10)]
        Unbonding,
        /// There is no such deal, or it has been pruned.
        #[codec(index = 11)]
        UnknownDeal,
        /// The content is empty or longer than 16 GiB.
        #[codec(index = 12)]
        ContentLength,
        /// The coded commitment is not of the size that content of this length has.
        #[codec(index = 13)]
        CodedSize,
        /// Content without a locator could never be fetched.
        #[codec(index = 14)]
        ContentUnreachable,
        /// A deal lasts from 1 to 2,555 billing periods.
        #[codec(index = 15)]
        RetentionOutOfRange,
        /// The price is nothing, or more than any account could pay.
        #[codec(index = 16)]
        PriceOutOfRange,
        /// The deal is not open.
        #[codec(index = 17)]
        NotOpen,
        /// Only the client may do this.
        #[codec(index = 18)]
        NotClient,
        /// The deal is for another provider.
        #[codec(index = 19)]
        NotInvited,
        /// The provider has as many replicas as it may, or all groups are taken.
        #[codec(index = 20)]
        TooManyReplicas,
        /// There is no such replica, or it has been pruned.
        #[codec(index = 21)]
        UnknownReplica,
        /// The replica is another provider's.
        #[codec(index = 22)]
        NotYours,
        /// The replica is not being sealed.
        #[codec(index = 23)]
        NotSealing,
        /// The sealed commitment has not the size of the coded one.
        #[codec(index = 24)]
        SealedSize,
        /// The replica is not active.
        #[codec(index = 25)]
        NotActive,
        /// The replica is not paused.
        #[codec(index = 26)]
        NotPaused,
        /// The replica has been paused for as long as it may be in this billing period.
        #[codec(index = 27)]
        PauseUsedUp,
        /// The replica is already to be removed.
        #[codec(index = 28)]
        AlreadyLeaving,
        /// The replica is over.
        #[codec(index = 29)]
        Over,
        /// Challenges are open: answer them first.
        #[codec(index = 30)]
        Challenged,
        /// The replica is not sealed and checked, so it cannot be challenged.
        #[codec(index = 31)]
        NotChallengeable,
        /// There is such a challenge already.
        #[codec(index = 32)]
        AlreadyChallenged,
        /// As many challenges are open against the replica as may be.
        #[codec(index = 33)]
        TooManyChallenges,
        /// There is no such audit or challenge, or it has no seed yet, or it is over.
        #[codec(index = 34)]
        NothingAsked,
        /// It is too late for the answer.
        #[codec(index = 35)]
        TooLate,
        /// The signature is not the provider's proof key's over this answer.
        #[codec(index = 36)]
        BadSignature,
        /// The proof is not one: wrong words, wrong path, wrong length or wrong seed.
        #[codec(index = 37)]
        BadProof,
        /// The window is not open, not the current one, or not in the ring.
        #[codec(index = 38)]
        WrongWindow,
        /// There is no such group.
        #[codec(index = 39)]
        UnknownGroup,
        /// The group has nothing to prove in this window.
        #[codec(index = 40)]
        NotDueInWindow,
        /// The group handed in its root already.
        #[codec(index = 41)]
        AlreadySubmitted,
        /// The group handed in no root for this window, or the replica took no part.
        #[codec(index = 42)]
        NoSuchLeaf,
        /// The two roots are the same, or have been punished already.
        #[codec(index = 43)]
        NoEquivocation,
        /// The account is not on the group's committee.
        #[codec(index = 44)]
        NotOnCommittee,
        /// The account has attested already.
        #[codec(index = 45)]
        AlreadyAttested,
        /// Nothing is due.
        #[codec(index = 46)]
        NotDue,
        /// These lengths, limits and prices cannot work.
        #[codec(index = 47)]
        BadConfig,
        /// Existing replicas or records depend on what would change.
        #[codec(index = 48)]
        ConfigFixed,
        /// Records contradict one another. Report it.
        #[codec(index = 49)]
        Inconsistent,
        /// Nothing to add or to take.
        #[codec(index = 50)]
        ZeroAmount,
    }
}
