// SPDX-License-Identifier: Apache-2.0

//! Benchmarks, each in its worst case.

use crate::{
    draw::{Candidate, Choice},
    types::Types,
    Ballot, Call, Config, ControlAnswer, ControlAnswers, ControlAuthors, Controls, DrawRequests,
    Judges, Pallet, Pool, PoolSize, Rounds, Scores, Vote, Votes, MAX_TYPES,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Inspect, Mutate},
        EnsureOrigin, Get,
    },
    BoundedVec,
};
use frame_system::RawOrigin;
use polkadot_sdk::*;
use tos_interfaces::{
    MinerRegistry, PanelRequest, Panels, Randomness, Reputation, TaskPhases, VotingStage,
};
use tos_types::{
    commitment,
    params::{MAX_CANDIDATES, MAX_CONTROL_AUTHORS, NO_VOTE_REVEAL_SLASH_BP},
    rules::MemberRules,
    task::Certification,
    AnswerScore, Report, TaskId, TaskType, Tick, Verdict, BP, MAX_PANEL, MAX_PARTICIPANTS,
    MAX_ROUNDS, TOS,
};
use tos_views::JudgeStatus;

const TASK: TaskId = TaskId([0x5a; 16]);
const SALT: [u8; 32] = [7; 32];

/// As many types as one may judge, `wanted` among them.
fn types_with(wanted: TaskType) -> Types {
    let others = TaskType::BUILT_IN
        .into_iter()
        .chain((0..=u8::MAX).map(TaskType::Custom));
    let others = others.filter(|other| *other != wanted);
    let all = core::iter::once(wanted)
        .chain(others)
        .take(MAX_TYPES as usize);
    BoundedVec::truncate_from(all.collect())
}

/// As many types as one may judge, none of which is built in.
fn custom_types() -> Types {
    BoundedVec::truncate_from(
        (0..=u8::MAX)
            .map(TaskType::Custom)
            .take(MAX_TYPES as usize)
            .collect(),
    )
}

fn funded<T: Config>(index: u32) -> T::AccountId {
    let who = account("judge", index, 0);
    let amount = (10_000 * TOS).max(T::Currency::minimum_balance());
    T::Currency::mint_into(&who, amount).expect("the supply has room for benchmarks");
    who
}

fn registered<T: Config>(index: u32, types: Types) -> T::AccountId {
    let who = funded::<T>(index);
    if !Judges::<T>::contains_key(&who) {
        Pallet::<T>::do_register(&who, types).expect("a funded account can register");
    }
    who
}

/// A judge that may sit on any panel of the type, as an expert.
fn eligible<T: Config>(index: u32, task_type: TaskType) -> T::AccountId {
    let who = registered::<T>(index, types_with(task_type));
    T::Miners::benchmark_certify(&who, Certification::Expert);
    // Its level counts too.
    T::Miners::benchmark_register(&who, task_type);
    T::Miners::benchmark_declare(&who);
    T::Reputation::benchmark_set(&who, task_type, 5_000, 100);
    Judges::<T>::mutate_extant(&who, |judge| judge.accuracy = BP);
    who
}

/// Takes part of the stake of `who`, as a slash does.
fn slashed<T: Config>(who: &T::AccountId) {
    Judges::<T>::mutate_extant(who, |judge| {
        Pallet::<T>::slash(who, judge, &TASK, 0, NO_VOTE_REVEAL_SLASH_BP);
        judge.settle_status(T::Rules::judge_stakes().required(&judge.types));
    });
}

fn assert_active<T: Config>(who: &T::AccountId) {
    let status = Judges::<T>::get(who).map(|judge| judge.status);
    assert_eq!(status, Some(JudgeStatus::Active));
}

fn treasury<T: Config>() {
    T::Currency::mint_into(&T::Treasury::get(), TOS).expect("the supply has room for benchmarks");
}

fn request<T: Config>(round: u32) -> PanelRequest<T::AccountId> {
    let party = |index| {
        let who: T::AccountId = account("party", index, 0);
        T::Currency::mint_into(&who, 10_000 * TOS).expect("the supply has room for benchmarks");
        T::Miners::benchmark_register(&who, TaskType::General);
        who
    };
    PanelRequest {
        task: TASK,
        task_type: TaskType::General,
        since: Tick::MAX,
        round,
        size: MAX_PANEL,
        expert: true,
        publisher: party(MAX_PARTICIPANTS),
        submitters: (0..MAX_PARTICIPANTS).map(party).collect(),
        answers: MAX_PARTICIPANTS,
        automatic: true,
    }
}

/// The finding of the tool: nothing against any answer.
const REPORT: Report = Report {
    output: [3; 32],
    failed: 0,
};

/// A vote near enough to the others' that all earn.
fn vote(index: usize, answers: u32) -> Scores {
    let quality = 90u8.saturating_add(u8::try_from(index % 11).unwrap_or(0));
    let score = AnswerScore {
        quality,
        innovation: 50,
        verdict: Verdict::Valid,
    };
    BoundedVec::truncate_from((0..answers).map(|_| score).collect())
}

/// Seats these accounts, without a draw.
fn seated<T: Config>(request: &PanelRequest<T::AccountId>, members: Vec<T::AccountId>) {
    let members = members
        .into_iter()
        .map(|who| Candidate {
            who,
            weight: 5_000,
            expert: true,
            fresh: true,
        })
        .collect();
    Pallet::<T>::seat(
        request,
        Choice {
            members,
            expert: true,
        },
    );
}

/// Sets the ballots of a round; the members with `Revealed` get a vote.
fn ballots<T: Config>(request: &PanelRequest<T::AccountId>, ballot: impl Fn(usize) -> Ballot) {
    Rounds::<T>::mutate(request.task, request.round, |slot| {
        let members = slot.iter_mut().flat_map(|round| round.members.iter_mut());
        for (index, member) in members.enumerate() {
            member.ballot = ballot(index);
            if member.ballot == Ballot::Revealed {
                let vote = Vote {
                    scores: vote(index, request.answers),
                    report: member.automatic.then_some(REPORT),
                };
                Votes::<T>::insert((request.task, request.round, &member.who), vote);
            }
        }
    });
}

/// The same with a pool of the most candidates that a draw looks at.
fn prepare_rounds<T: Config>(request: &PanelRequest<T::AccountId>, seats: u32, silent: bool) {
    prepare_pool::<T>(request, MAX_CANDIDATES, seats, silent);
}

/// Registers a pool of so many candidates, all of whom may sit, and fills `seats` seats with them in
/// rounds of the wanted size, all revealed or all silent, and none sitting twice while there are
/// enough. The rounds are not counted yet.
pub(crate) fn prepare_pool<T: Config>(
    request: &PanelRequest<T::AccountId>,
    pool: u32,
    seats: u32,
    silent: bool,
) {
    let filled = PoolSize::<T>::get(request.task_type) >= pool;
    let pool: Vec<T::AccountId> = (0..pool)
        .filter_map(|index| {
            if filled {
                Pool::<T>::get(request.task_type, index)
            } else {
                Some(eligible::<T>(index, request.task_type))
            }
        })
        .collect();
    // The next draw finds a randomness request whose seed is there.
    let randomness = T::Randomness::request();
    T::Randomness::benchmark_ready(&randomness);
    DrawRequests::<T>::insert(request.task, randomness);
    let mut next = pool.iter().cycle();
    for round in 0..seats.div_ceil(request.size) {
        let request = PanelRequest {
            round,
            ..request.clone()
        };
        let left = seats.saturating_sub(round.saturating_mul(request.size));
        let size = left.min(request.size) as usize;
        let members = next.by_ref().take(size).cloned().collect();
        seated::<T>(&request, members);
        if !silent {
            ballots::<T>(&request, |_| Ballot::Revealed);
        }
    }
}

/// The first `count` answers, known from the beginning.
fn known(count: u32) -> ControlAnswers {
    let known = (0..count).map(|index| ControlAnswer {
        index,
        quality: 90,
        round: MAX_ROUNDS,
    });
    BoundedVec::truncate_from(known.collect())
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn register() {
        let types = types_with(TaskType::General);
        registered::<T>(0, types.clone());
        let who = funded::<T>(1);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), types);

        assert!(Judges::<T>::contains_key(&who));
    }

    #[benchmark]
    fn set_types() {
        let who = registered::<T>(0, custom_types());
        registered::<T>(1, custom_types());
        let types = types_with(TaskType::SecurityAudit);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), types.clone());

        let stake = Judges::<T>::get(&who).map(|judge| judge.stake);
        assert_eq!(stake, Some(T::Rules::judge_stakes().required(&types)));
    }

    #[benchmark]
    fn top_up() {
        treasury::<T>();
        let who = registered::<T>(0, types_with(TaskType::General));
        slashed::<T>(&who);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert_active::<T>(&who);
    }

    #[benchmark]
    fn leave() {
        let who = registered::<T>(0, types_with(TaskType::General));
        registered::<T>(1, types_with(TaskType::General));

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert!(Judges::<T>::get(&who).is_some_and(|judge| judge.is_leaving()));
    }

    #[benchmark]
    fn rejoin() {
        treasury::<T>();
        let who = registered::<T>(0, types_with(TaskType::General));
        Pallet::<T>::do_leave(&who).expect("a judge can leave");
        slashed::<T>(&who);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert_active::<T>(&who);
    }

    #[benchmark]
    fn withdraw() {
        let who = registered::<T>(0, types_with(TaskType::General));
        Pallet::<T>::do_leave(&who).expect("a judge can leave");
        Judges::<T>::mutate_extant(&who, |judge| {
            judge.status = JudgeStatus::Leaving { release_at: 0 };
        });

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert!(!Judges::<T>::contains_key(&who));
    }

    #[benchmark]
    fn commit_vote() {
        let request = request::<T>(0);
        prepare_rounds::<T>(&request, MAX_PANEL, false);
        ballots::<T>(&request, |index| match index {
            0 => Ballot::Awaited,
            _ => Ballot::Committed([1; 32]),
        });
        T::Phases::benchmark_stage(&TASK, VotingStage::Commit { round: 0 });
        let who: T::AccountId = account("judge", 0, 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(who), TASK, [1; 32]);

        assert!(Pallet::<T>::all_committed(&TASK));
    }

    #[benchmark]
    fn reveal_vote() {
        let request = request::<T>(0);
        prepare_rounds::<T>(&request, MAX_PANEL, false);
        let who: T::AccountId = account("judge", 0, 0);
        let scores = vote(0, request.answers);
        let commitment = commitment::vote(&TASK, 0, &who, &scores, Some(&REPORT), &SALT);
        ballots::<T>(&request, |index| match index {
            0 => Ballot::Committed(commitment),
            _ => Ballot::Revealed,
        });
        Votes::<T>::remove((TASK, 0, &who));
        T::Phases::benchmark_stage(&TASK, VotingStage::Reveal { round: 0 });

        #[extrinsic_call]
        _(RawOrigin::Signed(who), TASK, scores, Some(REPORT), SALT);

        assert!(Pallet::<T>::all_revealed(&TASK));
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
        let who: T::AccountId = account("author", 0, 0);
        ControlAuthors::<T>::insert(&who, ());
        let (content, secret) = ([5; 32], [6; 32]);
        let salt = commitment::control_answer(&TASK, &who, &content, 90, &secret);
        T::Phases::benchmark_judged(&TASK, &who, content, salt);
        Controls::<T>::insert(TASK, known(MAX_PARTICIPANTS.saturating_sub(1)));

        #[extrinsic_call]
        _(RawOrigin::Signed(who), TASK, 90, secret);

        assert_eq!(Controls::<T>::get(TASK).len(), MAX_PARTICIPANTS as usize);
    }

    // The last round: the members of all earlier ones have to be looked up.
    #[benchmark]
    fn draw() {
        let last = MAX_ROUNDS.saturating_sub(1);
        let request = request::<T>(last);
        prepare_rounds::<T>(&request, last.saturating_mul(MAX_PANEL), false);
        let seats;

        #[block]
        {
            seats = Pallet::<T>::draw_with(&request, [1; 32]);
        }

        assert_eq!(seats, (Some(MAX_PANEL), MAX_CANDIDATES));
    }

    #[benchmark]
    fn tally() {
        prepare_rounds::<T>(&request::<T>(0), MAX_PANEL, false);

        #[block]
        {
            Pallet::<T>::tally(&TASK);
        }

        assert_eq!(Pallet::<T>::results(&TASK).len(), MAX_PARTICIPANTS as usize);
    }

    // A slash costs more than a judgement: no member revealed.
    #[benchmark]
    fn conclude() {
        treasury::<T>();
        let base = request::<T>(0);
        prepare_rounds::<T>(&base, MAX_PANEL.saturating_mul(MAX_ROUNDS), false);
        Pallet::<T>::tally(&TASK);
        for round in 0..MAX_ROUNDS {
            let request = PanelRequest {
                round,
                ..base.clone()
            };
            ballots::<T>(&request, |_| Ballot::Committed([1; 32]));
        }
        Controls::<T>::insert(TASK, known(MAX_PARTICIPANTS));
        let concluded;

        #[block]
        {
            concluded = Pallet::<T>::conclude(&TASK, TaskType::General, true);
        }

        assert_eq!(
            concluded.len(),
            MAX_PANEL.saturating_mul(MAX_ROUNDS) as usize
        );
    }

    #[benchmark]
    fn forget() {
        prepare_rounds::<T>(
            &request::<T>(0),
            MAX_PANEL.saturating_mul(MAX_ROUNDS),
            false,
        );
        Pallet::<T>::tally(&TASK);
        Controls::<T>::insert(TASK, known(MAX_PARTICIPANTS));
        Pallet::<T>::conclude(&TASK, TaskType::General, true);

        #[block]
        {
            Pallet::<T>::forget(&TASK);
        }

        assert!(!Rounds::<T>::contains_key(TASK, 0));
    }

    impl_benchmark_test_suite!(
        Pallet,
        crate::mock::ExtBuilder::default().build(),
        crate::mock::Test
    );
}
