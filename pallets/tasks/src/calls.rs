// SPDX-License-Identifier: Apache-2.0

//! The calls of publishers, miners and challengers.

use crate::*;
use frame_support::{
    dispatch::{DispatchResult, DispatchResultWithPostInfo, Pays, PostDispatchInfo},
    ensure,
    traits::fungible::InspectHold,
};
use tos_interfaces::{Clock, MinerRegistry, Panels, Reputation, Vault};
use tos_types::{
    commitment::{self, Commitment, Salt},
    content::ContentError,
    params,
    rules::CurrentRules,
    Balance, Closure, ContentRef, Difficulty, Phase, TaskId, TaskParams, Tick, MAX_PARTICIPANTS,
};

/// The offer of a publisher.
pub(crate) struct Terms {
    /// The difficulty.
    pub difficulty: Difficulty,
    /// The reward.
    pub reward: Balance,
    /// The time for which miners may join and commit.
    pub open_for: Tick,
    /// Lowest quality that can win.
    pub min_quality: u8,
    /// Places for miners.
    pub max_participants: u32,
    /// The publisher's own name for the task.
    pub reference: Option<[u8; 32]>,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_publish(
        publisher: T::AccountId,
        params: TaskParams,
        spec: ContentRef,
        terms: Terms,
    ) -> DispatchResult {
        let Terms {
            difficulty,
            reward,
            open_for,
            min_quality,
            max_participants,
            reference,
        } = terms;
        // First: a call that is sent again is told that the first one worked, whatever has changed since.
        let used = reference.is_some_and(|it| References::<T>::contains_key(&publisher, it));
        ensure!(!used, Error::<T>::ReferenceUsed);
        let task_type = params.task_type();
        let profile = TaskTypes::<T>::get(task_type).ok_or(Error::<T>::UnknownTaskType)?;
        ensure!(params.is_complete(), Error::<T>::IncompleteParams);
        Self::check_content(&spec)?;
        let terms = T::Rules::terms(difficulty);
        ensure!(
            (terms.least_reward..=terms.most_reward).contains(&reward),
            Error::<T>::RewardOutsideBand
        );
        let phase_lengths = T::Clock::phase_lengths();
        ensure!(
            (phase_lengths.min_open..=phase_lengths.max_open).contains(&open_for),
            Error::<T>::OpenWindowOutOfBounds
        );
        ensure!(
            (1..=100).contains(&min_quality),
            Error::<T>::QualityOutOfRange
        );
        ensure!(
            (1..=MAX_PARTICIPANTS).contains(&max_participants),
            Error::<T>::ParticipantsOutOfRange
        );
        ensure!(!T::Miners::is_suspended(&publisher), Error::<T>::Suspended);

        let nonce = Nonces::<T>::get(&publisher);
        Nonces::<T>::insert(&publisher, nonce.saturating_add(1));
        let id = TaskId::derive(&publisher, nonce);
        let rules = T::Rules::rules();
        let stake = params::share_of(reward, rules.publishing.publisher_stake);
        let hold = HoldReason::PublisherStake;
        ensure!(
            T::Currency::can_hold(&hold.into(), &publisher, reward.saturating_add(stake)),
            Error::<T>::InsufficientFunds
        );
        Self::hold(&publisher, hold, stake, Error::<T>::InsufficientFunds)?;
        T::Vault::deposit(&id, &publisher, reward)?;

        let now = T::Clock::now();
        let deadline = now.saturating_add(open_for);
        let due = deadline.saturating_add(1);
        let spec_hash = spec.hash;
        let task = Task {
            publisher: publisher.clone(),
            reference,
            params,
            difficulty,
            reward,
            publisher_stake: stake,
            min_quality,
            max_participants,
            equal_answers_allowed: profile.equal_answers_allowed,
            tool: profile.tool,
            terms,
            rules,
            phase: Phase::Open,
            round: 0,
            escalations: 0,
            challenged: false,
            opened: now,
            open_until: deadline,
            deadline,
            due,
            joined: 0,
            committed: 0,
            revealed: 0,
            failures: 0,
        };
        if let Some(reference) = reference {
            References::<T>::insert(&publisher, reference, id);
        }
        Agenda::<T>::insert(due, id, ());
        OpenByType::<T>::insert(task_type, id, ());
        OpenTasks::<T>::insert(id, ());
        Specs::<T>::insert(id, spec);
        Self::note_phase(&id, &task)?;
        Tasks::<T>::insert(id, task);
        Self::deposit_event(Event::Published {
            task: id,
            publisher,
            task_type,
            difficulty,
            spec: spec_hash,
            reward,
            stake,
            max_participants,
            deadline,
        });
        Ok(())
    }

    pub(crate) fn do_cancel(who: T::AccountId, id: TaskId) -> DispatchResult {
        let task = Self::find(&id)?;
        ensure!(task.publisher == who, Error::<T>::NotPublisher);
        ensure!(
            task.accepts(Phase::Open, T::Clock::now()),
            Error::<T>::NotOpen
        );
        ensure!(task.joined == 0, Error::<T>::HasParticipants);
        let fee = params::share_of(task.reward, task.rules.publishing.cancel_fee);
        T::Vault::refund(&id, fee)?;
        Self::leave_open(&id, &task);
        Self::close(&id, task, Closure::Cancelled)
    }

    pub(crate) fn do_join(miner: T::AccountId, id: TaskId) -> DispatchResult {
        let mut task = Self::find(&id)?;
        ensure!(
            task.accepts(Phase::Open, T::Clock::now()),
            Error::<T>::NotOpen
        );
        ensure!(
            !Submissions::<T>::contains_key(id, &miner),
            Error::<T>::AlreadyJoined
        );
        ensure!(!Self::is_own(&task, &miner), Error::<T>::OwnTask);
        ensure!(task.joined < task.max_participants, Error::<T>::TaskFull);
        let reputation = T::Reputation::global(&miner);
        ensure!(reputation >= task.terms.gate, Error::<T>::ReputationTooLow);
        T::Miners::start_task(&miner, task.task_type())?;
        ActiveOf::<T>::try_append(&miner, id).map_err(|()| Error::<T>::TooManyTasks)?;
        let stake = task.terms.answer_stake(T::Miners::stake_percent(&miner));
        Self::hold(
            &miner,
            HoldReason::AnswerStake,
            stake,
            Error::<T>::InsufficientStake,
        )?;

        let submission = Submission {
            stake,
            commitment: None,
            revealed: None,
            duplicate: false,
            result: None,
            earned: 0,
            lost: 0,
        };
        Submissions::<T>::insert(id, &miner, submission);
        Participants::<T>::try_append(id, miner.clone()).map_err(|()| Error::<T>::TaskFull)?;
        task.joined = task.joined.saturating_add(1);
        Tasks::<T>::insert(id, task);
        Self::deposit_event(Event::Joined {
            task: id,
            miner,
            stake,
        });
        Ok(())
    }

    pub(crate) fn do_commit(
        miner: T::AccountId,
        id: TaskId,
        commitment: Commitment,
    ) -> DispatchResult {
        let mut task = Self::find(&id)?;
        let now = T::Clock::now();
        ensure!(task.accepts(Phase::Open, now), Error::<T>::NotOpen);
        let mut submission = Submissions::<T>::get(id, &miner).ok_or(Error::<T>::NotJoined)?;
        ensure!(
            submission.commitment.is_none(),
            Error::<T>::AlreadyCommitted
        );

        let number = task.committed;
        submission.commitment = Some(Committed {
            hash: commitment,
            tick: now,
            number,
        });
        Submissions::<T>::insert(id, &miner, submission);
        task.committed = number.saturating_add(1);
        if task.committed == task.max_participants {
            Self::hasten(&id, &mut task);
        }
        Tasks::<T>::insert(id, task);
        Self::deposit_event(Event::Committed {
            task: id,
            miner,
            commitment,
            number,
        });
        Ok(())
    }

    pub(crate) fn do_reveal(
        miner: T::AccountId,
        id: TaskId,
        content: ContentRef,
        simhash: u64,
        salt: Salt,
    ) -> DispatchResult {
        let mut task = Self::find(&id)?;
        ensure!(
            task.accepts(Phase::AnswerReveal, T::Clock::now()),
            Error::<T>::NotInReveal
        );
        let mut submission = Submissions::<T>::get(id, &miner).ok_or(Error::<T>::NotJoined)?;
        let committed = submission.commitment.ok_or(Error::<T>::NotCommitted)?;
        ensure!(submission.revealed.is_none(), Error::<T>::AlreadyRevealed);
        Self::check_content(&content)?;
        let opened = commitment::answer(&id, &miner, &content.hash, simhash, &salt);
        ensure!(opened == committed.hash, Error::<T>::WrongPreimage);

        let (hash, size) = (content.hash, content.size);
        submission.revealed = Some(Revealed {
            hash,
            simhash,
            salt,
        });
        Submissions::<T>::insert(id, &miner, submission);
        Contents::<T>::insert(id, &miner, content);
        task.revealed = task.revealed.saturating_add(1);
        if task.revealed == task.committed {
            Self::hasten(&id, &mut task);
        }
        Tasks::<T>::insert(id, task);
        Self::deposit_event(Event::Revealed {
            task: id,
            miner,
            hash,
            size,
            simhash,
        });
        Ok(())
    }

    pub(crate) fn do_challenge(who: T::AccountId, id: TaskId) -> DispatchResult {
        let mut task = Self::find(&id)?;
        ensure!(task.phase == Phase::Challenge, Error::<T>::NotChallengeable);
        ensure!(!task.challenged, Error::<T>::AlreadyChallenged);
        ensure!(
            task.accepts(Phase::Challenge, T::Clock::now()),
            Error::<T>::NotChallengeable
        );
        let is_party = task.publisher == who || Answers::<T>::get(id).contains(&who);
        ensure!(is_party, Error::<T>::NotAParty);
        let bond = params::share_of(task.reward, task.rules.publishing.challenge_bond);
        Self::hold(
            &who,
            HoldReason::ChallengeBond,
            bond,
            Error::<T>::InsufficientFunds,
        )?;
        let before =
            Results::try_from(T::Panels::results(&id)).map_err(|_| Error::<T>::Inconsistent)?;
        let challenge = Challenge {
            challenger: who.clone(),
            bond,
            before,
            upheld: None,
        };
        Challenges::<T>::insert(id, challenge);
        Self::deposit_event(Event::Challenged {
            task: id,
            challenger: who,
            bond,
        });
        task.challenged = true;
        Self::next_round(&id, task, Self::AFTER_A_CALL)
    }

    pub(crate) fn do_crank(id: TaskId) -> DispatchResultWithPostInfo {
        let task = Self::find(&id)?;
        Self::ensure_due(&task)?;
        let (used, pays_fee) = match Self::run_step(task.due, &id) {
            Some(used) => (used, Pays::No),
            None => (Self::step_weight(&task), Pays::Yes),
        };
        Ok(PostDispatchInfo {
            actual_weight: Some(used.saturating_add(T::WeightInfo::agenda_tick())),
            pays_fee,
        })
    }

    /// `true` if the miner is the publisher, or has to keep away from it by all that was declared
    /// until now: no seed chooses miners, so what is declared after the publication counts too.
    pub(crate) fn is_own(task: &TaskOf<T>, miner: &T::AccountId) -> bool {
        let publisher = core::slice::from_ref(&task.publisher);
        T::Miners::recuses(miner, publisher, T::Clock::now().saturating_add(1))
    }

    fn check_content(content: &ContentRef) -> Result<(), Error<T>> {
        content.check().map_err(|error| match error {
            ContentError::TooSmall => Error::<T>::ContentTooSmall,
            ContentError::TooLarge => Error::<T>::ContentTooLarge,
            ContentError::Mismatch => Error::<T>::ContentMismatch,
            ContentError::Unreachable => Error::<T>::ContentUnreachable,
        })
    }
}
