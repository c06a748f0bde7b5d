// SPDX-License-Identifier: Apache-2.0

//! Settlement of the seats of a case: pay by points, fines, losses by appeal, reputation.

use crate::{
    control, Accounts, Baselines, Cases, Checks, Config, ControlAnswers, Controls, Docket, Event,
    Order, Pallet, Progress, Results, Round, Seats, Settlement, Settling, Share, Stage, Vote,
    VoteState, Votes, WeightInfo, LOG_TARGET, START_BASELINE,
};
use alloc::vec::Vec;
use frame_support::{
    storage::with_storage_layer,
    traits::{fungible::Mutate, tokens::Preservation, Get},
    weights::Weight,
    BoundedVec,
};
use polkadot_sdk::*;
use tos_formulas::{
    losses::{distance, CLOSURE_DISTANCE},
    median::accuracy,
    points,
    reputation::Performance,
    rounds::baseline,
};
use tos_interfaces::{Cases as _, Done, Reputation, Roster};
use tos_types::{
    rounds::{Cursor, FinalResult, Standing},
    rules::SeatRules,
    vote::{AnswerOutcome, Ballot, Outcome},
    AnswerScore, Balance, Bp, CaseId, Verdict, BP,
};

/// All that the settlement of one account reads of its case.
pub(crate) struct Panel<'a, AccountId> {
    case: CaseId,
    docket: Docket,
    standing: Standing,
    round: Round,
    pub(crate) order: Accounts<AccountId>,
    rules: SeatRules,
    known: ControlAnswers,
    result: &'a FinalResult,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_settle(
        case: &CaseId,
        result: &FinalResult,
        from: Cursor,
        budget: Weight,
    ) -> Done {
        let Some(panel) = Self::panel(case, result) else {
            return Done {
                next: None,
                used: T::WeightInfo::settle_resume(0),
            };
        };
        let (accounts, answers) = (Self::length(panel.order.len()), panel.docket.answers);
        let (mut plan, mut used) = match Settling::<T>::get(case) {
            Some(plan) => (plan, T::WeightInfo::settle_resume(accounts)),
            None => (
                Self::divide(&panel),
                T::WeightInfo::settle_begin(accounts, answers),
            ),
        };
        if plan.next != from.0 {
            log::error!(target: LOG_TARGET, "{case} is settled up to {}, not {}", plan.next, from.0);
        }
        let fits = |used: Weight, more: Weight| used.saturating_add(more).all_lte(budget);
        let mut settled = false;
        while let Some(who) = panel.order.get(plan.next as usize) {
            if settled && !fits(used, T::WeightInfo::settle_seat_fined(answers)) {
                break;
            }
            let share = plan.shares.get(plan.next as usize).copied();
            used = used.saturating_add(
                if Self::settle_seat(&panel, who, share.unwrap_or_default()) {
                    T::WeightInfo::settle_seat_fined(answers)
                } else {
                    T::WeightInfo::settle_seat(answers)
                },
            );
            plan.next = plan.next.saturating_add(1);
            settled = true;
        }
        let end = T::WeightInfo::settle_end(answers);
        if plan.next < accounts || (settled && !fits(used, end)) {
            let next = Some(Cursor(plan.next));
            Settling::<T>::insert(case, plan);
            return Done { next, used };
        }
        Self::end_settlement(panel);
        Done {
            next: None,
            used: used.saturating_add(end),
        }
    }

    /// The panel whose result stands, if its seats are not settled.
    pub(crate) fn panel<'a>(
        case: &CaseId,
        result: &'a FinalResult,
    ) -> Option<Panel<'a, T::AccountId>> {
        let docket = Cases::<T>::get(case)
            .filter(|docket| docket.stage == Stage::Stands && !docket.settled)?;
        let standing = Results::<T>::get(case)?;
        Some(Panel {
            case: *case,
            round: Progress::<T>::get(case, standing.round)?,
            order: Order::<T>::get(case, standing.round),
            rules: T::Cases::seat_rules(docket.rules),
            known: Controls::<T>::get(case),
            docket,
            standing,
            result,
        })
    }

    /// Computes the pay of all accounts, and hands on what none of them earned.
    pub(crate) fn divide(panel: &Panel<'_, T::AccountId>) -> Settlement {
        let (case, number) = (&panel.case, panel.standing.round);
        let points: Vec<(i32, u32)> = panel
            .order
            .iter()
            .map(|who| {
                let seats = Seats::<T>::get((case, number, who)).map_or(0, |seat| seat.seats);
                let vote = Votes::<T>::get((case, number, who));
                (vote.map_or(0, |vote| panel.points(&vote)), seats)
            })
            .collect();
        let pay = points::pay(panel.result.pay, panel.round.seats, &points);
        if pay.rest > 0 {
            Self::to_treasury(case, pay.rest);
        }
        let shares = points
            .iter()
            .zip(pay.credits.into_iter().zip(pay.debits))
            .map(|((points, _), (credit, debit))| Share {
                points: *points,
                credit,
                debit,
            });
        Settlement {
            next: 0,
            shares: BoundedVec::truncate_from(shares.collect()),
        }
    }

    /// Pays, fines and records one account. Returns `true` if it was fined.
    pub(crate) fn settle_seat(
        panel: &Panel<'_, T::AccountId>,
        who: &T::AccountId,
        share: Share,
    ) -> bool {
        let (case, number, task_type) = (&panel.case, panel.standing.round, panel.docket.task_type);
        let Some(mut seat) = Seats::<T>::get((case, number, who)) else {
            return false;
        };
        let vote = match seat.vote {
            VoteState::Revealed => Votes::<T>::get((case, number, who)),
            VoteState::Awaited | VoteState::Committed(_) => None,
        };
        let rules = &panel.rules;
        let (gone, mut live) = Self::silence(&seat, panel.round.lock, rules);
        let failed = gone.lost() > 0 || live.lost() > 0;
        if let Some(vote) = &vote {
            live.points(share.debit);
            let distance = panel.distance(vote);
            live.appeal(distance, rules.loss_from, rules.loss_full, BP);
        }
        let treasury = T::Treasury::get();
        let fine = gone.lost().saturating_add(live.lost());
        let lost = Self::fine(who, task_type, fine, &treasury);
        if lost > 0 {
            seat.lost = seat.lost.saturating_add(lost);
        }
        let excused = seat.seats == 0 && seat.vacated == 0;
        Seats::<T>::insert((case, number, who), seat);
        Self::tell_fine(case, number, who, lost);
        Self::pay(case, number, who, task_type, share.points, share.credit);
        let measured = vote
            .as_ref()
            .and_then(|vote| control::measure(vote, number, &panel.known));
        if let Some(accuracy) = measured {
            Self::deposit_event(Event::Checked {
                case: *case,
                who: who.clone(),
                accuracy,
            });
        }
        if !excused {
            let full = i16::try_from(BP).unwrap_or(i16::MAX);
            let performance = Performance {
                completion: if failed { full.saturating_neg() } else { full },
                accuracy: vote
                    .and_then(|vote| panel.accuracy(&vote))
                    .map_or(0, signed),
                ..Performance::default()
            };
            T::Reputation::record(who, task_type, &performance);
        }
        fine > 0
    }

    /// Moves the baseline and counts the checks, at the end of a settlement.
    pub(crate) fn end_settlement(panel: Panel<'_, T::AccountId>) {
        let Panel {
            case,
            mut docket,
            rules,
            known,
            result,
            ..
        } = panel;
        let task_type = docket.task_type;
        let mut now = Self::baseline(task_type);
        if result.outcome == Outcome::Scored {
            let valid: Vec<u8> = result
                .answers
                .iter()
                .filter(|answer| answer.verdict == Verdict::Valid)
                .map(|answer| answer.quality)
                .collect();
            now = baseline(now, &valid, rules.baseline_step);
            Baselines::<T>::insert(task_type, now);
        }
        Checks::<T>::mutate(|stats| {
            let long = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
            stats.answers = stats.answers.saturating_add(long(result.answers.len()));
            stats.checks = stats.checks.saturating_add(long(known.len()));
        });
        docket.settled = true;
        Cases::<T>::insert(case, docket);
        Settling::<T>::remove(case);
        Self::deposit_event(Event::Settled {
            case,
            baseline: now,
        });
    }

    /// Hands pay that no seat earned on to the treasury.
    pub(crate) fn to_treasury(case: &CaseId, amount: Balance) {
        let (pot, treasury) = (T::Roster::pot(), T::Treasury::get());
        let moved = with_storage_layer(|| {
            T::Currency::transfer(&pot, &treasury, amount, Preservation::Preserve)
        });
        if let Err(error) = moved {
            log::error!(target: LOG_TARGET, "{amount} of {case} stay in the pot: {error:?}");
            Self::deposit_event(Event::Undeliverable {
                case: *case,
                amount,
            });
        }
    }
}

impl<AccountId> Panel<'_, AccountId> {
    /// The scores of a vote that are measured, each with the final result of its answer: none where an
    /// answer was called unavailable, or the task is faulty.
    fn pairs<'a>(
        &'a self,
        vote: &'a Vote,
    ) -> impl Iterator<Item = (u32, &'a AnswerScore, &'a AnswerOutcome)> {
        let scores: &[AnswerScore] = match &vote.ballot {
            Ballot::Scores(scores) if self.result.outcome == Outcome::Scored => scores,
            Ballot::Scores(_) | Ballot::Unjudgeable(_) => &[],
        };
        (0u32..)
            .zip(scores.iter().zip(&self.result.answers))
            .map(|(index, (score, result))| (index, score, result))
            .filter(|(_, score, _)| score.verdict != Verdict::Unavailable)
    }

    /// Points of each seat of a vote: none where it reported otherwise than most seats did.
    fn points(&self, vote: &Vote) -> i32 {
        let agreed = self.standing.report.as_ref();
        if agreed.is_some() && vote.report.as_ref() != agreed {
            return 0;
        }
        let baseline = self.docket.baseline.unwrap_or(START_BASELINE);
        self.pairs(vote).fold(0i32, |sum, (_, score, result)| {
            let (clip, quality) = (self.rules.points_clip, score.effective().0);
            sum.saturating_add(points::points(baseline, quality, result.quality, clip))
        })
    }

    /// The distance of a vote from what an appeal made of the result: that of the side that lost, where
    /// it gave the task another end.
    fn distance(&self, vote: &Vote) -> u8 {
        if self.result.outcome != self.standing.outcome {
            let faulty = self.result.outcome == Outcome::Faulty;
            let said_faulty = matches!(vote.ballot, Ballot::Unjudgeable(_));
            return if said_faulty == faulty {
                0
            } else {
                CLOSURE_DISTANCE
            };
        }
        distance(
            self.pairs(vote)
                .filter(|(index, ..)| self.result.moved.checked_shr(*index).unwrap_or(0) & 1 == 1)
                .map(|(_, score, result)| (score.effective().0, result.quality)),
        )
    }

    /// The accuracy of a vote by the final result, if it can be measured.
    fn accuracy(&self, vote: &Vote) -> Option<Bp> {
        let pairs: Vec<(u8, u8)> = self
            .pairs(vote)
            .map(|(_, score, result)| (score.effective().0, result.quality))
            .collect();
        (!pairs.is_empty()).then(|| accuracy(&pairs))
    }
}

/// Accuracy around its neutral point: 5,000 bp is 0.
fn signed(accuracy: Bp) -> i16 {
    let doubled = i32::from(accuracy)
        .saturating_mul(2)
        .saturating_sub(i32::from(BP));
    i16::try_from(doubled).unwrap_or(i16::MAX)
}
