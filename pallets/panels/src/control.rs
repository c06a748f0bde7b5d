// SPDX-License-Identifier: Apache-2.0

//! Control answers: measurements of the judges that do not depend on what most of them say.
//!
//! A control author answers a task like any miner, with its own stake, but makes the salt of its
//! answer from the quality that a careful judge must find. No account can tell such a salt from a
//! random one, so a check looks like every other answer until the votes are counted. It moves no
//! money, weight or reputation: else it would be worth forging.

use crate::{
    Config, ControlAnswer, ControlAnswers, ControlAuthors, Controls, Error, Event, Pallet, Vote,
};
use alloc::vec::Vec;
use frame_support::ensure;
use polkadot_sdk::*;
use sp_runtime::DispatchResult;
use tos_formulas::median::accuracy;
use tos_interfaces::Cases as _;
use tos_types::{
    commitment,
    params::MAX_CONTROL_AUTHORS,
    vote::{Ballot, MAX_SCORE},
    Bp, CaseId,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_control_author(who: T::AccountId, approved: bool) -> DispatchResult {
        let is = ControlAuthors::<T>::contains_key(&who);
        if approved {
            ensure!(!is, Error::<T>::AlreadyControlAuthor);
            ensure!(
                ControlAuthors::<T>::count() < MAX_CONTROL_AUTHORS,
                Error::<T>::TooManyControlAuthors
            );
            ControlAuthors::<T>::insert(&who, ());
        } else {
            ensure!(is, Error::<T>::NotControlAuthor);
            ControlAuthors::<T>::remove(&who);
        }
        Self::deposit_event(Event::ControlAuthorSet { who, approved });
        Ok(())
    }

    pub(crate) fn do_reveal_control(
        author: T::AccountId,
        case: CaseId,
        quality: u8,
        secret: &[u8; 32],
    ) -> DispatchResult {
        ensure!(
            ControlAuthors::<T>::contains_key(&author),
            Error::<T>::NotControlAuthor
        );
        ensure!(quality <= MAX_SCORE, Error::<T>::ScoreOutOfRange);
        let answer = T::Cases::judged_answer(&case, &author).ok_or(Error::<T>::NoControlNow)?;
        let salt = commitment::control_answer(&case, &author, &answer.content, quality, secret);
        ensure!(salt == answer.salt, Error::<T>::WrongKey);
        let index = answer.index;
        Controls::<T>::try_mutate(case, |known| -> DispatchResult {
            ensure!(
                known.iter().all(|other| other.index != index),
                Error::<T>::AlreadyKnown
            );
            let round = answer.round;
            let told = ControlAnswer {
                index,
                quality,
                round,
            };
            // A case has no more answers than there is room, and each is told once.
            known
                .try_push(told)
                .map_err(|_| Error::<T>::NoControlNow.into())
        })?;
        Self::deposit_event(Event::ControlRevealed {
            case,
            author,
            index,
            quality,
        });
        Ok(())
    }
}

/// The accuracy of a vote of this round on the answers that were known, and not yet told then.
pub(crate) fn measure(vote: &Vote, round: u32, known: &ControlAnswers) -> Option<Bp> {
    let Ballot::Scores(scores) = &vote.ballot else {
        return None;
    };
    let pairs: Vec<(u8, u8)> = known
        .iter()
        .filter(|known| round <= known.round)
        .filter_map(|known| {
            let score = scores.get(usize::try_from(known.index).ok()?)?;
            Some((score.effective().0, known.quality))
        })
        .collect();
    (!pairs.is_empty()).then(|| accuracy(&pairs))
}
