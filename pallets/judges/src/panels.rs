// SPDX-License-Identifier: Apache-2.0

//! Rounds as the tasks pallet drives them: draw, count, conclude, forget.

use crate::{
    types::{agreed, blend, Conduct},
    Answers, Ballot, Config, ControlAnswers, Controls, CurrentRound, DrawRequests, Duties, Event,
    Findings, HoldReason, Judge, Judges, Member, Pallet, Results, Round, Rounds, Scores, Vote,
    Votes,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::traits::Get;
use polkadot_sdk::*;
use tos_formulas::{
    median::{accuracy, agreeing_weight, has_quorum, majority_verdict, weighted_median},
    reputation::Performance,
};
use tos_interfaces::{Draw, PanelRequest, Panels, Randomness, Reputation, Seed, TaskPhases};
use tos_pallet_support::holds::{self, Delivery};
use tos_types::{
    params::share_of,
    rules::{JudgingRules, MemberRules, SlashRules},
    vote::{AnswerResult, Tally},
    Bp, Report, TaskId, TaskType, Verdict, BP, MAX_ROUNDS,
};
use tos_views::JudgeStatus;

impl<T: Config> Panels<T::AccountId> for Pallet<T> {
    fn draw(request: &PanelRequest<T::AccountId>) -> (Draw, u32) {
        if let Some(seated) = Rounds::<T>::get(request.task, request.round) {
            let seats = u32::try_from(seated.members.len()).unwrap_or(u32::MAX);
            return (Draw::Seated(seats), 0);
        }
        // `conclude` and `forget` look at this many rounds.
        if request.round >= MAX_ROUNDS {
            return (Draw::Retry, 0);
        }
        let randomness = DrawRequests::<T>::get(request.task).unwrap_or_else(|| {
            let randomness = T::Randomness::request();
            DrawRequests::<T>::insert(request.task, randomness);
            randomness
        });
        let subject = (b"tos/panel/v1", request.task, request.round).encode();
        let seed = match T::Randomness::seed(&randomness, &subject) {
            // A degraded one too: panels go on while the beacon stands still.
            Seed::Ready { seed, .. } => seed,
            Seed::Pending => return (Draw::Retry, 0),
            Seed::Expired => {
                DrawRequests::<T>::remove(request.task);
                return (Draw::Retry, 0);
            }
        };
        // A seed that everyone knows decides nothing more: the candidates could be arranged for it.
        DrawRequests::<T>::remove(request.task);
        let (seats, candidates) = Self::draw_with(request, seed);
        (seats.map_or(Draw::Retry, Draw::Seated), candidates)
    }

    fn all_committed(task: &TaskId) -> bool {
        Self::current(task).is_some_and(|(_, round)| round.all_committed())
    }

    fn none_committed(task: &TaskId) -> bool {
        Self::current(task).is_none_or(|(_, round)| round.none_committed())
    }

    fn all_revealed(task: &TaskId) -> bool {
        Self::current(task).is_some_and(|(_, round)| round.all_revealed())
    }

    fn tally(task: &TaskId) -> Tally {
        let Some((number, mut round)) = Self::current(task) else {
            return Tally::NoQuorum;
        };
        if let Some(tally) = round.tally {
            return tally;
        }
        let mut votes: Vec<(Scores, u64)> = Vec::new();
        let mut reports: Vec<Report> = Vec::new();
        for member in &round.members {
            if let Some(vote) = Votes::<T>::get((task, number, &member.who)) {
                votes.push((vote.scores, member.weight));
                reports.extend(vote.report);
            }
        }
        let rules = T::Phases::rules(task).judging;
        let (mut tally, answers) = count(&votes, round.weight(), round.answers, &rules);
        if round.is_automatic() {
            round.report = agreed(&reports);
            if tally == Tally::Consensus && !supported(round.report.as_ref(), &answers, &rules) {
                tally = Tally::Split;
            }
            let task = *task;
            Self::deposit_event(match round.report {
                Some(report) => Event::ReportAgreed {
                    task,
                    round: number,
                    report,
                },
                None => Event::ReportsDiffer {
                    task,
                    round: number,
                },
            });
        }
        round.tally = Some(tally);
        Rounds::<T>::insert(task, number, round);
        if tally != Tally::NoQuorum {
            let findings = Findings {
                round: number,
                answers: answers.clone(),
            };
            Results::<T>::insert(task, findings);
        }
        Self::deposit_event(Event::RoundCounted {
            task: *task,
            round: number,
            tally,
            results: answers,
        });
        tally
    }

    fn results(task: &TaskId) -> Vec<AnswerResult> {
        Results::<T>::get(task)
            .map(|findings| findings.answers.into_inner())
            .unwrap_or_default()
    }

    fn conclude(task: &TaskId, task_type: TaskType, judge: bool) -> Vec<(T::AccountId, Bp)> {
        // Taking the current round makes a second call do nothing.
        let Some(last) = CurrentRound::<T>::take(task) else {
            return Vec::new();
        };
        let results = if judge {
            Self::results(task)
        } else {
            Vec::new()
        };
        let known = Controls::<T>::get(task);
        Self::count_checks(results.len(), known.len());
        let rules = T::Phases::rules(task);
        Self::conduct(task, last, &results, &known, &rules.slashes)
            .into_iter()
            .map(|conduct| {
                let points = Self::close_duty(task, task_type, &conduct, &rules.judging);
                (conduct.who, points)
            })
            .collect()
    }

    fn forget(task: &TaskId) {
        DrawRequests::<T>::remove(task);
        CurrentRound::<T>::remove(task);
        Results::<T>::remove(task);
        Controls::<T>::remove(task);
        for number in 0..MAX_ROUNDS {
            let Some(round) = Rounds::<T>::take(task, number) else {
                continue;
            };
            for member in round.members {
                Votes::<T>::remove((task, number, member.who));
            }
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_rounds(request: &PanelRequest<T::AccountId>, pool: u32, seats: u32, silent: bool) {
        crate::benchmarking::prepare_pool::<T>(request, pool, seats, silent);
    }
}

impl<T: Config> Pallet<T> {
    /// The number and the record of the task's current round.
    fn current(task: &TaskId) -> Option<(u32, Round<T::AccountId>)> {
        let number = CurrentRound::<T>::get(task)?;
        Rounds::<T>::get(task, number).map(|round| (number, round))
    }

    /// The conduct of all members in the rounds up to `last`, measured against the results and the
    /// control answers if there are any; one entry per account, in the order of their first seats.
    fn conduct(
        task: &TaskId,
        last: u32,
        results: &[AnswerResult],
        known: &ControlAnswers,
        slashes: &SlashRules,
    ) -> Vec<Conduct<T::AccountId>> {
        let mut all: Vec<Conduct<T::AccountId>> = Vec::new();
        for number in (0..MAX_ROUNDS).take_while(|number| *number <= last) {
            let Some(round) = Rounds::<T>::get(task, number) else {
                continue;
            };
            for member in round.members {
                let place = all
                    .iter()
                    .position(|c| c.who == member.who)
                    .unwrap_or_else(|| {
                        all.push(Conduct::of(member.who.clone()));
                        all.len().saturating_sub(1)
                    });
                let Some(conduct) = all.get_mut(place) else {
                    continue;
                };
                match member.ballot {
                    Ballot::Awaited => conduct.failures.push((number, slashes.no_vote)),
                    Ballot::Committed(_) => {
                        conduct.failures.push((number, slashes.no_vote_reveal));
                    }
                    // A vote is read only when there is something to measure it by.
                    Ballot::Revealed if results.is_empty() && known.is_empty() => {}
                    Ballot::Revealed => {
                        if let Some(vote) = Votes::<T>::get((task, number, &member.who)) {
                            let accuracy =
                                vote_accuracy(&member, &vote, results, round.report.as_ref());
                            conduct.accuracies.extend(accuracy);
                            conduct
                                .checks
                                .extend(Self::known_accuracy(&vote, number, known));
                        }
                    }
                }
            }
        }
        all
    }

    /// Slashes, judges and frees one account; returns its reward points.
    fn close_duty(
        task: &TaskId,
        task_type: TaskType,
        conduct: &Conduct<T::AccountId>,
        rules: &JudgingRules,
    ) -> Bp {
        let who = &conduct.who;
        let accuracy = conduct.accuracy();
        let mut points = 0;
        let panels = Duties::<T>::mutate_exists(who, |slot| {
            let duties = slot.get_or_insert_with(Default::default);
            duties.retain(|duty| duty != task);
            let left = u32::try_from(duties.len()).unwrap_or(u32::MAX);
            if left == 0 {
                *slot = None;
            }
            left
        });
        if let Some(mut judge) = Judges::<T>::get(who) {
            judge.panels = panels;
            for (round, share) in &conduct.failures {
                Self::slash(who, &mut judge, task, *round, *share);
            }
            if let Some(accuracy) = conduct.known_accuracy() {
                judge.check(accuracy);
                Self::deposit_event(Event::Checked {
                    who: who.clone(),
                    task: *task,
                    accuracy,
                    running: judge.known,
                });
            }
            if let Some(accuracy) = accuracy {
                points = judge.points(accuracy, rules);
                judge.accuracy = blend(judge.accuracy, accuracy);
                Self::deposit_event(Event::Judged {
                    who: who.clone(),
                    task: *task,
                    accuracy,
                    running: judge.accuracy,
                });
            }
            // Who loses nothing stays in, also when more is asked for now than when it registered.
            if !conduct.failures.is_empty() {
                Self::settle_status(who, &mut judge);
            }
            Judges::<T>::insert(who, judge);
        }
        let full = i16::try_from(BP).unwrap_or(i16::MAX);
        let performance = Performance {
            completion: if conduct.failures.is_empty() {
                full
            } else {
                full.saturating_neg()
            },
            accuracy: accuracy.map_or(0, signed),
            ..Performance::default()
        };
        T::Reputation::record(who, task_type, &performance);
        points
    }

    /// Sets the status that what is left of the stake gives it, and tells when that is too little.
    fn settle_status(who: &T::AccountId, judge: &mut Judge) {
        let before = judge.status;
        let required = T::Rules::judge_stakes().required(&judge.types);
        judge.settle_status(required);
        if judge.status != before && judge.status == JudgeStatus::Understaked {
            Self::deposit_event(Event::Understaked {
                who: who.clone(),
                stake: judge.stake,
                required,
            });
        }
    }

    /// Takes a share of the judge's stake to the treasury.
    pub(crate) fn slash(
        who: &T::AccountId,
        judge: &mut Judge,
        task: &TaskId,
        round: u32,
        share: Bp,
    ) {
        let amount = share_of(judge.stake, share);
        let (who, task) = (who.clone(), *task);
        let (reason, treasury) = (HoldReason::JudgeStake, T::Treasury::get());
        let taken = holds::slash::<T::Currency, _>(reason, &who, &treasury, &treasury, amount);
        match taken {
            Delivery::Made | Delivery::Diverted(_) => {
                judge.stake = judge.stake.saturating_sub(amount);
                Self::deposit_event(Event::Slashed {
                    who,
                    task,
                    round,
                    amount,
                });
            }
            Delivery::Refused(error) => {
                log::warn!(target: crate::LOG_TARGET, "the treasury refused a slash: {error:?}");
                Self::deposit_event(Event::SlashFailed {
                    who,
                    task,
                    round,
                    amount,
                });
            }
        }
    }
}

/// Counts the revealed votes of a panel with the given weight. Without a quorum there are no
/// results.
pub(crate) fn count(
    votes: &[(Scores, u64)],
    assigned: u64,
    answers: u32,
    rules: &JudgingRules,
) -> (Tally, Answers) {
    let revealed = votes
        .iter()
        .fold(0u64, |sum, (_, weight)| sum.saturating_add(*weight));
    if !has_quorum(revealed, assigned) {
        return (Tally::NoQuorum, Answers::new());
    }
    let mut agreed = true;
    let mut results = Answers::new();
    for index in 0..answers as usize {
        let scores = || {
            votes
                .iter()
                .filter_map(move |(vote, w)| vote.get(index).map(|s| (s, *w)))
        };
        let quality: Vec<(u8, u64)> = scores().map(|(s, w)| (s.effective().0, w)).collect();
        let innovation: Vec<(u8, u64)> = scores().map(|(s, w)| (s.effective().1, w)).collect();
        let verdicts: Vec<(Verdict, u64)> = scores().map(|(s, w)| (s.verdict, w)).collect();
        let result = AnswerResult {
            quality: weighted_median(&quality).unwrap_or(0),
            innovation: weighted_median(&innovation).unwrap_or(0),
            verdict: majority_verdict(&verdicts),
        };
        let near = agreeing_weight(&quality, result.quality, rules.agreement_points);
        agreed &= is_share(near, revealed, rules.agreement_share);
        // Cannot fail: a round has at most as many answers as the result has places.
        let _ = results.try_push(result);
    }
    (
        if agreed {
            Tally::Consensus
        } else {
            Tally::Split
        },
        results,
    )
}

/// `true` if an agreed report speaks against nothing that the panel lets take part. Without one,
/// layer one has not spoken, and the panel alone makes no consensus.
fn supported(report: Option<&Report>, answers: &Answers, rules: &JudgingRules) -> bool {
    report.is_some_and(|report| {
        (0u32..).zip(answers).all(|(index, answer)| {
            let passes =
                answer.verdict == Verdict::Valid && answer.quality >= rules.participation_quality;
            !(passes && report.fails(index))
        })
    })
}

/// The accuracy of one vote against the results; `None` when there are none. A member that should
/// have reported what the others found, and did not, was not close at all.
fn vote_accuracy<AccountId>(
    member: &Member<AccountId>,
    vote: &Vote,
    results: &[AnswerResult],
    agreed: Option<&Report>,
) -> Option<Bp> {
    if results.is_empty() {
        return None;
    }
    if member.automatic && agreed.is_some() && vote.report.as_ref() != agreed {
        return Some(0);
    }
    let pairs: Vec<(u8, u8)> = vote
        .scores
        .iter()
        .zip(results)
        .map(|(s, r)| (s.effective().0, r.quality))
        .collect();
    Some(accuracy(&pairs))
}

/// `true` if `part` is at least `share` of `whole`.
fn is_share(part: u64, whole: u64, share: Bp) -> bool {
    u128::from(part).saturating_mul(u128::from(BP))
        >= u128::from(whole).saturating_mul(u128::from(share))
}

/// Accuracy around its neutral point: 5,000 bp is 0.
fn signed(accuracy: Bp) -> i16 {
    let doubled = i32::from(accuracy)
        .saturating_mul(2)
        .saturating_sub(i32::from(BP));
    i16::try_from(doubled).unwrap_or(i16::MAX)
}
