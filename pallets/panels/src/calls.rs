// SPDX-License-Identifier: Apache-2.0

//! The calls about votes.

use crate::{
    Cases, Config, Docket, Error, Event, Job, Pallet, Progress, Round, Seat, Seats, Stage, Step,
    Vote, VoteState, Votes,
};
use frame_support::{
    dispatch::{DispatchResultWithPostInfo, Pays, PostDispatchInfo},
    ensure,
};
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::{Clock, MinerRegistry};
use tos_pallet_support::agenda;
use tos_types::{
    commitment::{self, Commitment, Salt},
    vote::Ballot,
    AnswerScore, CaseId, Verdict,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_commit_vote(
        who: &T::AccountId,
        case: CaseId,
        commitment: Commitment,
    ) -> DispatchResult {
        let (docket, mut seat) = Self::voter(who, &case, Stage::Commit)?;
        let number = docket.round;
        ensure!(
            seat.vote == VoteState::Awaited,
            Error::<T>::AlreadyCommitted
        );
        ensure!(seat.seats > 0, Error::<T>::SeatVacated);
        ensure!(!T::Miners::is_suspended(who), Error::<T>::Suspended);
        seat.vote = VoteState::Committed(commitment);
        let seats = seat.seats;
        Seats::<T>::insert((case, number, who), seat);
        let round = Self::change_round(&case, number, |round| {
            round.committed = round.committed.saturating_add(seats);
        })?;
        Self::deposit_event(Event::VoteCommitted {
            case,
            round: number,
            who: who.clone(),
        });
        if round.all_committed() {
            Self::hasten(&case, docket, Step::Reveal);
        }
        Ok(())
    }

    pub(crate) fn do_reveal_vote(
        who: &T::AccountId,
        case: CaseId,
        vote: Vote,
        salt: Salt,
    ) -> DispatchResult {
        let (docket, mut seat) = Self::voter(who, &case, Stage::Reveal)?;
        let number = docket.round;
        let committed = match seat.vote {
            VoteState::Awaited => return Err(Error::<T>::NotCommitted.into()),
            VoteState::Revealed => return Err(Error::<T>::AlreadyRevealed.into()),
            VoteState::Committed(commitment) => commitment,
        };
        Self::check_vote(&vote, &docket)?;
        let Vote { ballot, report } = &vote;
        let opened = commitment::ballot(&case, number, who, ballot, report.as_ref(), &salt);
        ensure!(opened == committed, Error::<T>::WrongPreimage);
        seat.vote = VoteState::Revealed;
        let seats = seat.seats;
        Seats::<T>::insert((case, number, who), seat);
        let round = Self::change_round(&case, number, |round| {
            let said = match ballot {
                Ballot::Scores(_) => &mut round.scoring,
                Ballot::Unjudgeable(_) => &mut round.unjudgeable,
            };
            *said = said.saturating_add(seats);
        })?;
        Votes::<T>::insert((case, number, who), &vote);
        let Vote { ballot, report } = vote;
        Self::deposit_event(Event::VoteRevealed {
            case,
            round: number,
            who: who.clone(),
            ballot,
            report,
        });
        if round.all_revealed() {
            Self::hasten(&case, docket, Step::Count);
        }
        Ok(())
    }

    pub(crate) fn do_crank(case: CaseId) -> DispatchResultWithPostInfo {
        let docket = Self::docket(&case)?;
        let due = docket.due.ok_or(Error::<T>::NotDue)?;
        ensure!(due.at <= T::Clock::now(), Error::<T>::NotDue);
        let worst = Self::weight_of(due.step, &case, &docket);
        let (used, pays_fee) = match agenda::take::<Self>(due.at, &Job::Case(case)) {
            Some(used) => (used, Pays::No),
            None => (worst, Pays::Yes),
        };
        Ok(PostDispatchInfo {
            actual_weight: Some(used.saturating_add(Self::look())),
            pays_fee,
        })
    }

    /// The record of a case.
    pub(crate) fn docket(case: &CaseId) -> Result<Docket, Error<T>> {
        Cases::<T>::get(case).ok_or(Error::<T>::UnknownCase)
    }

    /// The case and the seats of a judge that acts in this stage of it.
    fn voter(
        who: &T::AccountId,
        case: &CaseId,
        stage: Stage,
    ) -> Result<(Docket, Seat), DispatchError> {
        let docket = Self::docket(case)?;
        let dropped = docket.stage == Stage::Waiting && docket.failed_since.is_some();
        ensure!(!dropped, Error::<T>::RoundDropped);
        let open = docket.stage == stage && T::Clock::now() <= docket.deadline;
        ensure!(open, Error::<T>::NoVoteNow);
        let seat = Seats::<T>::get((case, docket.round, who)).ok_or(Error::<T>::NotOnPanel)?;
        Ok((docket, seat))
    }

    /// Checks a vote against the answers of the case and their contents.
    fn check_vote(vote: &Vote, docket: &Docket) -> Result<(), Error<T>> {
        if let Ballot::Scores(scores) = &vote.ballot {
            ensure!(
                u32::try_from(scores.len()) == Ok(docket.answers),
                Error::<T>::WrongScoreCount
            );
            ensure!(
                scores.iter().all(AnswerScore::in_range),
                Error::<T>::ScoreOutOfRange
            );
            ensure!(
                scores
                    .iter()
                    .all(|score| score.verdict != Verdict::Plagiarised),
                Error::<T>::VerdictNotTaken
            );
            let missed = |(index, score): (u32, &AnswerScore)| {
                let inline = docket.inline.checked_shr(index).unwrap_or(0) & 1 == 1;
                inline && score.verdict == Verdict::Unavailable
            };
            ensure!(
                !(0..).zip(scores).any(missed),
                Error::<T>::CannotBeUnavailable
            );
        }
        ensure!(
            docket.tool.is_some() || vote.report.is_none(),
            Error::<T>::ReportNotWanted
        );
        ensure!(
            vote.report.is_none_or(|r| r.in_range(docket.answers)),
            Error::<T>::ReportOutOfRange
        );
        Ok(())
    }

    /// The record of a round.
    pub(crate) fn round(case: &CaseId, number: u32) -> Result<Round, Error<T>> {
        Progress::<T>::get(case, number).ok_or(Error::<T>::Inconsistent)
    }

    /// Changes the record of a round, and returns it.
    fn change_round(
        case: &CaseId,
        number: u32,
        change: impl FnOnce(&mut Round),
    ) -> Result<Round, Error<T>> {
        let mut round = Self::round(case, number)?;
        change(&mut round);
        Progress::<T>::insert(case, number, &round);
        Ok(round)
    }
}
