// SPDX-License-Identifier: Apache-2.0

//! Benchmarks, each in its worst case.

use crate::{
    Agenda, AgendaCursor, Call, Cases, Config, ControlAnswer, ControlAnswers, ControlAuthors,
    Controls, Docket, Due, Error, Job, Order, Pallet, Parties, Progress, Results, Round, Seat,
    Seats, Settlement, Settling, Share, Stage, Stakes, Step, Vote, VoteState, Votes,
    START_BASELINE,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{fungible::Mutate, EnsureOrigin, Get},
    weights::{Weight, WeightMeter},
    BoundedVec,
};
use frame_system::RawOrigin;
use polkadot_sdk::*;
use tos_interfaces::{Clock, RevealedAnswer, Roster, Rounds};
use tos_pallet_support::agenda;
use tos_types::{
    commitment,
    params::MAX_CONTROL_AUTHORS,
    roster::{SeatStake, MAX_PARTIES, MAX_SEATS},
    rounds::{Cursor, FinalResult, Standing},
    vote::{AnswerOutcome, AnswerOutcomes, Ballot, Outcome, Scores, Unjudgeable},
    AnswerScore, Balance, CaseId, Report, TaskId, TaskType, Tick, Verdict, MAX_PANEL,
    MAX_PARTICIPANTS, TOS,
};

/// Judges and answers, as the pallets around this one keep them. For benchmarks only.
pub trait BenchmarkHelper<AccountId> {
    /// Makes `who` a judge of a type with this bond, so much of which is locked, and funds it.
    fn judge(who: &AccountId, task_type: TaskType, bond: Balance, locked: Balance);
    /// Makes the cases tell this answer of `who`.
    fn answer(case: &CaseId, who: &AccountId, answer: RevealedAnswer);
}

const CASE: CaseId = TaskId([0x5a; 16]);
const SALT: [u8; 32] = [7; 32];
const TYPE: TaskType = TaskType::General;
/// The lock of a seat.
const LOCK: Balance = TOS;
/// The report of the tool: it fails the last answer.
const REPORT: Report = Report {
    output: [3; 32],
    failed: 1 << 31,
};

/// The act of each account of a round, by its place in the order.
type Acts = fn(index: u32) -> Act;

#[derive(Clone, Copy)]
enum Act {
    Awaited,
    Committed,
    Scored,
    CannotJudge,
}

/// A ballot of so many answers, far from those of its neighbours, so that every answer is contested.
fn scores(index: u32, answers: u32) -> Scores {
    let score = AnswerScore {
        quality: if index.is_multiple_of(2) { 100 } else { 0 },
        innovation: 50,
        verdict: Verdict::Valid,
    };
    BoundedVec::truncate_from((0..answers).map(|_| score).collect())
}

/// Seats `accounts` judges, a seat each, in a case with the most parties, in this stage of it.
fn seated<T: Config>(accounts: u32, answers: u32, stage: Stage, acts: Acts) -> Vec<T::AccountId> {
    let now = T::Clock::now();
    let judges: Vec<T::AccountId> = (0..accounts).map(|i| account("judge", i, 0)).collect();
    let mut round = Round {
        task_type: TYPE,
        lock: LOCK,
        seats: accounts,
        vacant: 0,
        waits: false,
        committed: 0,
        scoring: 0,
        unjudgeable: 0,
        stakes: Stakes::Locked,
    };
    for (index, who) in (0..).zip(&judges) {
        T::BenchmarkHelper::judge(who, TYPE, 100 * TOS, LOCK);
        let mut seat = Seat::of(1, true);
        let ballot = match acts(index) {
            Act::Awaited | Act::Committed => None,
            Act::Scored => {
                round.scoring = round.scoring.saturating_add(1);
                Some(Ballot::Scores(scores(index, answers)))
            }
            Act::CannotJudge => {
                round.unjudgeable = round.unjudgeable.saturating_add(1);
                Some(Ballot::Unjudgeable(Unjudgeable::SpecUnclear))
            }
        };
        seat.vote = match (acts(index), ballot.is_some()) {
            (Act::Awaited, _) => VoteState::Awaited,
            (_, false) => VoteState::Committed([1; 32]),
            (_, true) => VoteState::Revealed,
        };
        if seat.vote != VoteState::Awaited {
            round.committed = round.committed.saturating_add(1);
        }
        Seats::<T>::insert((CASE, 0, who), seat);
        if let Some(ballot) = ballot {
            let report = Some(REPORT);
            Votes::<T>::insert((CASE, 0, who), Vote { ballot, report });
        }
    }
    Order::<T>::insert(CASE, 0, BoundedVec::truncate_from(judges.clone()));
    Progress::<T>::insert(CASE, 0, round);
    let parties: Vec<T::AccountId> = (0..MAX_PARTIES).map(|i| account("party", i, 0)).collect();
    Parties::<T>::insert(CASE, BoundedVec::truncate_from(parties));
    let step = match stage {
        Stage::Commit => Some(Step::Half),
        Stage::Reveal => Some(Step::Count),
        Stage::Waiting | Stage::Stands | Stage::Abandoned | Stage::Closed => None,
    };
    let mut docket = Docket {
        task_type: TYPE,
        seats: MAX_PANEL,
        stake: SeatStake::PartOf {
            all: 5 * TOS,
            least: TOS / 2,
        },
        pay: TOS,
        class: 0,
        answers,
        inline: 0,
        rules: 0,
        tool: Some([9; 32]),
        since: 0,
        stage,
        round: 0,
        deadline: now.saturating_add(10),
        due: None,
        failures: 0,
        failed_since: None,
        baseline: Some(START_BASELINE),
        settled: false,
    };
    let due = step.map(|step| Due { at: now, step });
    Pallet::<T>::schedule(&CASE, &mut docket, due);
    Cases::<T>::insert(CASE, docket);
    judges
}

/// Makes this the next step of the case.
fn next_is<T: Config>(step: Step) {
    let mut docket = Cases::<T>::get(CASE).expect("the case is open");
    let at = T::Clock::now();
    Pallet::<T>::schedule(&CASE, &mut docket, Some(Due { at, step }));
    Cases::<T>::insert(CASE, docket);
}

fn change_round<T: Config>(change: impl FnOnce(&mut Round)) {
    let mut round = Progress::<T>::get(CASE, 0).expect("the round was seated");
    change(&mut round);
    Progress::<T>::insert(CASE, 0, round);
}

fn stage<T: Config>() -> Option<Stage> {
    Cases::<T>::get(CASE).map(|docket| docket.stage)
}

fn rich<T: Config>() {
    for who in [T::Treasury::get(), T::Roster::pot()] {
        T::Currency::mint_into(&who, 1_000 * TOS).expect("the supply has room for benchmarks");
    }
}

/// A standing result of so many answers, and the final one that moved them all.
fn stands<T: Config>(answers: u32) -> FinalResult {
    let outcome = |quality| AnswerOutcome {
        quality,
        ..AnswerOutcome::default()
    };
    let all = |quality| -> AnswerOutcomes {
        BoundedVec::truncate_from((0..answers).map(|_| outcome(quality)).collect())
    };
    let standing = Standing {
        round: 0,
        outcome: Outcome::Scored,
        answers: all(50),
        report: Some(REPORT),
        revealed: MAX_SEATS,
    };
    Results::<T>::insert(CASE, standing);
    Controls::<T>::insert(CASE, known(answers));
    FinalResult {
        outcome: Outcome::Scored,
        answers: all(100),
        moved: u32::MAX,
        pay: 100 * TOS,
    }
}

/// The first `count` answers, known from the begin.
fn known(count: u32) -> ControlAnswers {
    let known = (0..count).map(|index| ControlAnswer {
        index,
        quality: 90,
        round: 9,
    });
    BoundedVec::truncate_from(known.collect())
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn commit_vote() {
        let judges = seated::<T>(
            MAX_SEATS,
            MAX_PARTICIPANTS,
            Stage::Commit,
            |index| match index {
                0 => Act::Awaited,
                _ => Act::Committed,
            },
        );
        let who = judges.first().cloned().expect("a judge sits");

        #[extrinsic_call]
        _(RawOrigin::Signed(who), CASE, [1; 32]);

        let due = Cases::<T>::get(CASE).and_then(|docket| docket.due);
        assert_eq!(due.map(|due| due.step), Some(Step::Reveal));
    }

    #[benchmark]
    fn reveal_vote() {
        let judges = seated::<T>(
            MAX_SEATS,
            MAX_PARTICIPANTS,
            Stage::Reveal,
            |index| match index {
                0 => Act::Committed,
                _ => Act::Scored,
            },
        );
        next_is::<T>(Step::Reveal);
        let who = judges.first().cloned().expect("a judge sits");
        let ballot = Ballot::Scores(scores(0, MAX_PARTICIPANTS));
        let made = commitment::ballot(&CASE, 0, &who, &ballot, Some(&REPORT), &SALT);
        let mut seat = Seat::of(1, true);
        seat.vote = VoteState::Committed(made);
        Seats::<T>::insert((CASE, 0, &who), seat);

        #[extrinsic_call]
        _(RawOrigin::Signed(who), CASE, ballot, Some(REPORT), SALT);

        let due = Cases::<T>::get(CASE).and_then(|docket| docket.due);
        assert_eq!(due.map(|due| due.step), Some(Step::Count));
    }

    #[benchmark]
    fn set_control_author() -> Result<(), BenchmarkError> {
        for index in 1..MAX_CONTROL_AUTHORS {
            ControlAuthors::<T>::insert(account::<T::AccountId>("author", index, 0), ());
        }
        let who: T::AccountId = account("author", 0, 0);
        let origin = T::GovernanceOrigin::try_successful_origin()
            .map_err(|()| BenchmarkError::Weightless)?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, who.clone(), true);

        assert!(ControlAuthors::<T>::contains_key(&who));
        Ok(())
    }

    #[benchmark]
    fn reveal_control() {
        seated::<T>(1, MAX_PARTICIPANTS, Stage::Stands, |_| Act::Scored);
        let who: T::AccountId = account("author", 0, 0);
        ControlAuthors::<T>::insert(&who, ());
        let (content, secret) = ([5; 32], [6; 32]);
        let answer = RevealedAnswer {
            index: MAX_PARTICIPANTS.saturating_sub(1),
            content,
            salt: commitment::control_answer(&CASE, &who, &content, 90, &secret),
            round: 0,
        };
        T::BenchmarkHelper::answer(&CASE, &who, answer);
        Controls::<T>::insert(CASE, known(MAX_PARTICIPANTS.saturating_sub(1)));

        #[extrinsic_call]
        _(RawOrigin::Signed(who), CASE, 90, secret);

        assert_eq!(Controls::<T>::get(CASE).len(), MAX_PARTICIPANTS as usize);
    }

    #[benchmark]
    fn agenda_start() {
        let now = T::Clock::now();
        AgendaCursor::<T>::put(now.saturating_add(1));
        let mut meter = WeightMeter::new();

        #[block]
        {
            agenda::run::<Pallet<T>>(&mut meter);
            AgendaCursor::<T>::put(now);
        }

        assert_eq!(AgendaCursor::<T>::get(), now);
    }

    #[benchmark]
    fn agenda_look() {
        seated::<T>(MAX_SEATS, MAX_PARTICIPANTS, Stage::Commit, |_| Act::Awaited);
        let now: Tick = T::Clock::now();
        let found: Option<Weight>;

        #[block]
        {
            let mut entries = Agenda::<T>::iter_key_prefix(now);
            found = entries.next().and_then(|job| {
                // Going to the next key reads the state too, but only reading a value is counted.
                assert!(Agenda::<T>::contains_key(now, job));
                <Pallet<T> as agenda::Agenda>::step_weight(&job)
            });
        }

        assert!(found.is_some());
    }

    #[benchmark]
    fn step_failed() {
        seated::<T>(1, MAX_PARTICIPANTS, Stage::Commit, |_| Act::Awaited);
        let now = T::Clock::now();

        #[block]
        {
            let error = Error::<T>::Inconsistent.into();
            <Pallet<T> as agenda::Agenda>::postpone(now, &Job::Case(CASE), error);
        }

        assert_eq!(Cases::<T>::get(CASE).map(|docket| docket.failures), Some(1));
    }

    #[benchmark]
    fn step_half(s: Linear<1, MAX_SEATS>) {
        seated::<T>(s, MAX_PARTICIPANTS, Stage::Commit, |_| Act::Awaited);

        #[block]
        {
            Pallet::<T>::take_step(&CASE).expect("the step can be taken");
        }

        assert_eq!(
            Progress::<T>::get(CASE, 0).map(|round| round.vacant),
            Some(s)
        );
    }

    // A draw for vacancies is waited for, and those that filled them have not committed either.
    #[benchmark]
    fn step_reveal(s: Linear<1, MAX_SEATS>) {
        seated::<T>(s, MAX_PARTICIPANTS, Stage::Commit, |_| Act::Awaited);
        change_round::<T>(|round| round.waits = true);
        next_is::<T>(Step::Reveal);

        #[block]
        {
            Pallet::<T>::take_step(&CASE).expect("the step can be taken");
        }

        assert_eq!(stage::<T>(), Some(Stage::Reveal));
    }

    #[benchmark]
    fn step_count(s: Linear<1, MAX_SEATS>, a: Linear<1, MAX_PARTICIPANTS>) {
        seated::<T>(s, a, Stage::Reveal, |_| Act::Scored);

        #[block]
        {
            Pallet::<T>::take_step(&CASE).expect("the step can be taken");
        }

        assert_eq!(
            Results::<T>::get(CASE).map(|r| r.answers.len()),
            Some(a as usize)
        );
    }

    // Half of them hid their votes, and the others share the fines.
    #[benchmark]
    fn step_count_failed(s: Linear<1, MAX_SEATS>) {
        rich::<T>();
        seated::<T>(s, MAX_PARTICIPANTS, Stage::Reveal, |index| {
            if index.is_multiple_of(2) {
                Act::Committed
            } else {
                Act::CannotJudge
            }
        });

        #[block]
        {
            Pallet::<T>::take_step(&CASE).expect("the step can be taken");
        }

        assert_eq!(stage::<T>(), Some(Stage::Waiting));
    }

    // The round is kept by no case, so that its records are removed too.
    #[benchmark]
    fn step_free(s: Linear<1, MAX_SEATS>) {
        seated::<T>(s, MAX_PARTICIPANTS, Stage::Stands, |_| Act::Scored);
        Pallet::<T>::free_later(&CASE, 0);

        #[block]
        {
            Pallet::<T>::free_seats(&CASE, 0).expect("the seats are locked");
        }

        assert!(!Progress::<T>::contains_key(CASE, 0));
    }

    #[benchmark]
    fn settle_begin(s: Linear<1, MAX_SEATS>, a: Linear<1, MAX_PARTICIPANTS>) {
        rich::<T>();
        seated::<T>(s, a, Stage::Stands, |_| Act::Scored);
        let result = stands::<T>(a);
        let plan;

        #[block]
        {
            let panel = Pallet::<T>::panel(&CASE, &result).expect("its result stands");
            assert!(Settling::<T>::get(CASE).is_none());
            plan = Pallet::<T>::divide(&panel);
        }

        assert_eq!(plan.shares.len(), s as usize);
    }

    #[benchmark]
    fn settle_resume(s: Linear<1, MAX_SEATS>) {
        seated::<T>(s, MAX_PARTICIPANTS, Stage::Stands, |_| Act::Scored);
        let result = stands::<T>(MAX_PARTICIPANTS);
        let shares = (0..s).map(|_| Share::default()).collect();
        let shares = BoundedVec::truncate_from(shares);
        Settling::<T>::insert(CASE, Settlement { next: 0, shares });

        #[block]
        {
            let panel = Pallet::<T>::panel(&CASE, &result).expect("its result stands");
            let plan = Settling::<T>::get(CASE).expect("it is under way");
            assert_eq!(panel.order.len(), plan.shares.len());
            Settling::<T>::insert(CASE, plan);
        }
    }

    #[benchmark]
    fn settle_seat(a: Linear<1, MAX_PARTICIPANTS>) {
        rich::<T>();
        let judges = seated::<T>(1, a, Stage::Stands, |_| Act::Scored);
        let result = stands::<T>(a);
        let panel = Pallet::<T>::panel(&CASE, &result).expect("its result stands");
        let who = judges.first().expect("a judge sits");
        let share = Share {
            points: 50,
            credit: TOS,
            debit: 0,
        };
        let fined;

        #[block]
        {
            fined = Pallet::<T>::settle_seat(&panel, who, share);
        }

        assert!(!fined);
    }

    // The second judge said 0 of answers that an appeal moved to 100.
    #[benchmark]
    fn settle_seat_fined(a: Linear<1, MAX_PARTICIPANTS>) {
        rich::<T>();
        let judges = seated::<T>(2, a, Stage::Stands, |_| Act::Scored);
        let result = stands::<T>(a);
        let panel = Pallet::<T>::panel(&CASE, &result).expect("its result stands");
        let who = judges.last().expect("a judge sits");
        let share = Share {
            points: 50,
            credit: TOS,
            debit: 0,
        };
        let fined;

        #[block]
        {
            fined = Pallet::<T>::settle_seat(&panel, who, share);
        }

        assert!(fined);
    }

    #[benchmark]
    fn settle_end(a: Linear<1, MAX_PARTICIPANTS>) {
        seated::<T>(1, a, Stage::Stands, |_| Act::Scored);
        let result = stands::<T>(a);
        let panel = Pallet::<T>::panel(&CASE, &result).expect("its result stands");

        #[block]
        {
            Pallet::<T>::end_settlement(panel);
        }

        assert!(Cases::<T>::get(CASE).is_some_and(|docket| docket.settled));
    }

    #[benchmark]
    fn forget_begin() {
        seated::<T>(MAX_SEATS, MAX_PARTICIPANTS, Stage::Closed, |_| Act::Scored);
        let found;

        #[block]
        {
            let docket = Cases::<T>::get(CASE);
            let round = Progress::<T>::get(CASE, 0);
            found = docket.zip(round).map(|_| Order::<T>::get(CASE, 0).len());
        }

        assert_eq!(found, Some(MAX_SEATS as usize));
    }

    #[benchmark]
    fn forget_vote() {
        let judges = seated::<T>(1, MAX_PARTICIPANTS, Stage::Closed, |_| Act::Scored);
        let who = judges.first().expect("a judge sits");

        #[block]
        {
            Votes::<T>::remove((CASE, 0, who));
        }

        assert!(!Votes::<T>::contains_key((CASE, 0, who)));
    }

    #[benchmark]
    fn forget_end(s: Linear<1, MAX_SEATS>) {
        seated::<T>(s, MAX_PARTICIPANTS, Stage::Closed, |_| Act::Scored);
        stands::<T>(MAX_PARTICIPANTS);
        change_round::<T>(|round| round.stakes = Stakes::Free);
        let done;

        #[block]
        {
            done = Pallet::<T>::forget(&CASE, Cursor(s), Weight::MAX);
        }

        assert_eq!(done.next, None);
        assert!(!Cases::<T>::contains_key(CASE));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::chain(), crate::mock::Test);
}
