// SPDX-License-Identifier: Apache-2.0

//! Seal and window challenges.

use crate::*;
use alloc::vec::Vec;
use frame_support::{ensure, traits::Get, weights::Weight};
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::{Randomness, Seed};
use tos_storage_proofs::{aggregate, replica_seed, response_digest, seal, Binding, SealClaim};
use tos_types::{
    randomness::RandomnessRequest,
    storage::{
        seal_payload, window_payload, ChallengeKind, ReplicaStatus, SealAnswer, Window,
        WindowAnswer, MAX_SEAL_SAMPLES, WINDOW_WORDS,
    },
    Balance, ReplicaId,
};

/// The subject that the seed of a seal challenge is asked for.
const SUBJECT: &[u8] = b"tos/storage/seal/v1";

impl<T: Config> Pallet<T> {
    /// Takes up a challenge. Without a seed it opens when the beacon has one.
    pub(crate) fn take_up(
        id: ReplicaId,
        replica: &mut Replica<T::AccountId>,
        kind: ChallengeKind,
        challenger: Option<(T::AccountId, Balance)>,
        randomness: RandomnessRequest,
        seed: Option<[u8; 32]>,
    ) {
        let config = Settings::<T>::get();
        let now = Self::now();
        let (words, due) = match (kind, seed) {
            (ChallengeKind::Seal, _) => (config.seal_samples, now),
            (ChallengeKind::Window(_), _) => {
                (WINDOW_WORDS, now.saturating_add(config.challenge_ticks))
            }
        };
        replica.challenges = replica.challenges.saturating_add(1);
        Self::deposit_event(Event::Challenged {
            replica: id,
            kind,
            challenger: challenger.as_ref().map(|(who, _)| who.clone()),
        });
        if seed.is_some() {
            Self::deposit_event(Event::ChallengeOpened {
                replica: id,
                kind,
                due,
            });
        }
        ChallengesOf::<T>::insert(&replica.provider, (id, kind), ());
        Challenges::<T>::insert(
            id,
            kind,
            Challenge {
                challenger,
                randomness,
                seed,
                words,
                due,
            },
        );
        Self::enqueue(Self::after(due), Item::Challenge(id, kind));
    }

    /// Checks what every challenge needs, and holds the bond.
    fn bond_challenge(
        who: &T::AccountId,
        id: ReplicaId,
        replica: &Replica<T::AccountId>,
        kind: ChallengeKind,
    ) -> Result<Balance, DispatchError> {
        let proving = replica.status.is_proving() || replica.status == ReplicaStatus::Paused;
        ensure!(proving, Error::<T>::NotChallengeable);
        ensure!(
            !Challenges::<T>::contains_key(id, kind),
            Error::<T>::AlreadyChallenged
        );
        ensure!(
            replica.challenges < MAX_CHALLENGES,
            Error::<T>::TooManyChallenges
        );
        let bond = Settings::<T>::get().challenge_bond;
        Self::hold(HoldReason::ChallengeBond, who, bond)?;
        Ok(bond)
    }

    pub(crate) fn do_challenge_seal(who: T::AccountId, id: ReplicaId) -> DispatchResult {
        let mut replica = Self::replica_of(&id)?;
        let kind = ChallengeKind::Seal;
        let bond = Self::bond_challenge(&who, id, &replica, kind)?;
        let randomness = T::Randomness::request();
        Self::take_up(id, &mut replica, kind, Some((who, bond)), randomness, None);
        Replicas::<T>::insert(id, replica);
        Ok(())
    }

    pub(crate) fn do_challenge_window(
        who: T::AccountId,
        id: ReplicaId,
        window: Window,
    ) -> DispatchResult {
        let mut replica = Self::replica_of(&id)?;
        let kind = ChallengeKind::Window(window);
        let record = WindowRecords::<T>::get(window).ok_or(Error::<T>::WrongWindow)?;
        ensure!(replica.took_part(window), Error::<T>::NoSuchLeaf);
        let (group, _) = replica.position.ok_or(Error::<T>::NotChallengeable)?;
        ensure!(
            GroupWindows::<T>::get(window, group).root.is_some(),
            Error::<T>::NoSuchLeaf
        );
        let bond = Self::bond_challenge(&who, id, &replica, kind)?;
        let sealed = replica.sealed.ok_or(Error::<T>::Inconsistent)?;
        let seed = replica_seed(&record.seed, &id.0, &sealed.root);
        let randomness = T::Randomness::request();
        let challenger = Some((who, bond));
        Self::take_up(id, &mut replica, kind, challenger, randomness, Some(seed));
        Replicas::<T>::insert(id, replica);
        Ok(())
    }

    /// The challenge that an answer is for, if it is open and there is time, with its seed.
    fn open_challenge(
        id: &ReplicaId,
        kind: ChallengeKind,
    ) -> Result<(Challenge<T::AccountId>, [u8; 32]), DispatchError> {
        let challenge = Challenges::<T>::get(id, kind).ok_or(Error::<T>::NothingAsked)?;
        let seed = challenge.seed.ok_or(Error::<T>::NothingAsked)?;
        ensure!(Self::now() <= challenge.due, Error::<T>::TooLate);
        Ok((challenge, seed))
    }

    /// Checks signature and paths of an answer to a seal challenge. What remains are the masks, each of
    /// which costs the work of a unit.
    pub(crate) fn check_seal(answer: &SealAnswer) -> Result<Vec<SealClaim>, DispatchError> {
        let id = &answer.replica;
        let (challenge, seed) = Self::open_challenge(id, ChallengeKind::Seal)?;
        let replica = Self::replica_of(id)?;
        let payload = seal_payload(&T::ChainId::get(), id, &seed, &answer.opening);
        Self::check_signature(&replica.provider, &payload, &answer.signature)?;
        let sealed = replica.sealed.ok_or(Error::<T>::Inconsistent)?;
        let claims = seal::open_seals(
            &Settings::<T>::get().seal,
            &Self::binding(id, &replica.provider),
            &replica.coded,
            &sealed,
            &seed,
            challenge.words,
            &answer.opening,
        );
        Ok(claims.map_err(|_| Error::<T>::BadProof)?)
    }

    /// The most that answering a seal challenge costs: the masks are what is dear. How many words
    /// were asked for is known only from the challenge.
    pub(crate) fn respond_seal_weight() -> Weight {
        T::WeightInfo::respond_seal(MAX_SEAL_SAMPLES)
    }

    /// The prover, chain and replica that a replica is sealed to.
    pub fn binding(id: &ReplicaId, provider: &T::AccountId) -> Binding {
        Binding {
            prover: Self::prover_of(provider),
            chain: T::ChainId::get(),
            replica: id.0,
        }
    }

    /// Judges an answer; returns how many words it opened.
    pub(crate) fn do_respond_seal(answer: &SealAnswer) -> Result<u32, DispatchError> {
        let claims = Self::check_seal(answer)?;
        let params = Settings::<T>::get().seal;
        // All of them, so that a wrong answer costs what a right one does.
        let sound = claims.iter().fold(true, |sound, claim| {
            sound
                & tos_host_functions::verify_seal_word(
                    &params,
                    &claim.key,
                    claim.offset,
                    &claim.data,
                    &claim.sealed,
                )
        });
        // The provider itself has shown, with its signature, that it sealed something else.
        Self::decide(answer.replica, ChallengeKind::Seal, sound)?;
        Ok(u32::try_from(claims.len()).unwrap_or(MAX_SEAL_SAMPLES))
    }

    /// Checks an answer to a window challenge.
    pub(crate) fn check_window(answer: &WindowAnswer) -> DispatchResult {
        let (id, window) = (&answer.replica, answer.window);
        let (challenge, seed) = Self::open_challenge(id, ChallengeKind::Window(window))?;
        let replica = Self::replica_of(id)?;
        let payload = window_payload(
            &T::ChainId::get(),
            id,
            window,
            &answer.previous,
            &answer.proof,
        );
        Self::check_signature(&replica.provider, &payload, &answer.signature)?;
        let sealed = replica.sealed.ok_or(Error::<T>::Inconsistent)?;
        tos_host_functions::verify_words(&sealed, &seed, challenge.words, &answer.proof)
            .map_err(|_| Error::<T>::BadProof)?;
        let (group, place) = replica.position.ok_or(Error::<T>::Inconsistent)?;
        let root = GroupWindows::<T>::get(window, group)
            .root
            .ok_or(Error::<T>::NoSuchLeaf)?;
        let response = response_digest(&answer.proof);
        let leaf = aggregate::leaf(&id.0, window, &sealed.root, &response, &answer.previous);
        ensure!(
            aggregate::verify_group_inclusion(&root, &leaf, place, &answer.path),
            Error::<T>::BadProof
        );
        Ok(())
    }

    pub(crate) fn do_respond_window(answer: &WindowAnswer) -> DispatchResult {
        Self::check_window(answer)?;
        Self::decide(answer.replica, ChallengeKind::Window(answer.window), true)
    }

    /// Takes the step of a challenge that is due: gives it its seed, or loses it for the provider.
    pub(crate) fn step_challenge(
        id: ReplicaId,
        kind: ChallengeKind,
    ) -> Result<bool, DispatchError> {
        let mut challenge = Challenges::<T>::get(id, kind).ok_or(Error::<T>::NothingAsked)?;
        if challenge.seed.is_some() {
            Self::decide(id, kind, false)?;
            return Ok(true);
        }
        let before = challenge.due;
        let now = Self::now();
        let mut opened = None;
        match T::Randomness::seed(&challenge.randomness, SUBJECT) {
            Seed::Ready { seed, .. } => {
                let replica = Self::replica_of(&id)?;
                let sealed = replica.sealed.ok_or(Error::<T>::Inconsistent)?;
                challenge.seed = Some(replica_seed(&seed, &id.0, &sealed.root));
                challenge.due = now.saturating_add(Settings::<T>::get().challenge_ticks);
                opened = Some(challenge.due);
            }
            Seed::Pending => challenge.due = now,
            Seed::Expired => {
                challenge.randomness = T::Randomness::request();
                challenge.due = now;
            }
        }
        Self::dequeue_challenge(id, kind, before);
        Self::enqueue(Self::after(challenge.due), Item::Challenge(id, kind));
        Challenges::<T>::insert(id, kind, challenge);
        if let Some(due) = opened {
            Self::deposit_event(Event::ChallengeOpened {
                replica: id,
                kind,
                due,
            });
        }
        Ok(opened.is_some())
    }

    /// Ends an open challenge. The loser pays: the bond goes to the provider and the treasury, or the
    /// replica fails with all of its collateral.
    pub(crate) fn decide(id: ReplicaId, kind: ChallengeKind, passed: bool) -> DispatchResult {
        let challenge = Challenges::<T>::take(id, kind).ok_or(Error::<T>::NothingAsked)?;
        Self::dequeue_challenge(id, kind, challenge.due);
        let mut replica = Self::replica_of(&id)?;
        replica.challenges = replica.challenges.saturating_sub(1);
        let who = replica.provider.clone();
        ChallengesOf::<T>::remove(&who, (id, kind));
        let mut provider = Self::provider_of(&who)?;
        Self::deposit_event(Event::ChallengeClosed {
            replica: id,
            kind,
            passed: Some(passed),
        });
        if passed {
            if let Some((challenger, bond)) = &challenge.challenger {
                // Not all to the provider, or it could keep the places for challenges of its
                // replicas taken at no cost.
                let half = *bond >> 1;
                let rest = bond.saturating_sub(half);
                Self::pay(HoldReason::ChallengeBond, challenger, &who, half);
                Self::pay(
                    HoldReason::ChallengeBond,
                    challenger,
                    &T::Treasury::get(),
                    rest,
                );
            }
            if replica.status == ReplicaStatus::Checking {
                Self::activate(id, &mut replica, &mut provider)?;
            }
            Replicas::<T>::insert(id, replica);
            Providers::<T>::insert(&who, provider);
            Self::count_answer(&who);
            return Ok(());
        }
        if let Some((challenger, bond)) = &challenge.challenger {
            Self::give_back(HoldReason::ChallengeBond, challenger, *bond);
        }
        let reporter = challenge.challenger.as_ref().map(|(who, _)| who);
        let all = replica.collateral;
        let fault = Fault::Challenge(kind);
        Self::lose(id, &mut replica, &mut provider, all, reporter, fault);
        Self::finish(id, &mut replica, &mut provider, ReplicaStatus::Failed)?;
        Providers::<T>::insert(&who, provider);
        Ok(())
    }

    /// Returns the bonds of all challenges of a replica that is over for another reason.
    pub(crate) fn void_challenges(
        id: ReplicaId,
        replica: &mut Replica<T::AccountId>,
    ) -> DispatchResult {
        if replica.challenges == 0 {
            return Ok(());
        }
        // At most MAX_CHALLENGES.
        let open: Vec<_> = Challenges::<T>::iter_prefix(id).collect();
        for (kind, challenge) in open {
            Challenges::<T>::remove(id, kind);
            ChallengesOf::<T>::remove(&replica.provider, (id, kind));
            Self::dequeue_challenge(id, kind, challenge.due);
            if let Some((challenger, bond)) = &challenge.challenger {
                Self::give_back(HoldReason::ChallengeBond, challenger, *bond);
            }
            Self::deposit_event(Event::ChallengeClosed {
                replica: id,
                kind,
                passed: None,
            });
        }
        replica.challenges = 0;
        Ok(())
    }
}
