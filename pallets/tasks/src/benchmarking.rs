// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of every call and of every step of the queue, each at its worst.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::*;
use alloc::{vec, vec::Vec};
use frame_benchmarking::{account, v2::*, BenchmarkError};
use frame_support::{
    assert_ok,
    traits::{fungible::Mutate, EnsureOrigin, Get},
};
use frame_system::RawOrigin;
use tos_interfaces::{Clock, MinerRegistry, PanelRequest, Panels, Reputation};
use tos_pallet_support::agenda;
use tos_types::{
    commitment, content,
    params::MAX_CANDIDATES,
    rules::CurrentRules,
    vote::{AnswerResult, Tally},
    Balance, Closure, ContentRef, Difficulty, Phase, TaskId, TaskParams, TaskType, Verdict,
    MAX_PANEL, MAX_PARTICIPANTS, MAX_ROUNDS, TOS,
};

const SALT: [u8; 32] = [7; 32];
const REFERENCE: [u8; 32] = [5; 32];
const REWARD: Balance = 300 * TOS;
const TYPE: TaskType = TaskType::SecurityAudit;

fn params() -> TaskParams {
    let label: tos_types::task::Label = vec![b'x'; 64].try_into().unwrap();
    TaskParams::SecurityAudit {
        scope: label.clone(),
        standard: label,
    }
}

/// The longest reference there is: all of it inline, with the longest locator.
fn longest(seed: u8) -> ContentRef {
    let mut content = ContentRef::inline(&vec![seed; content::MAX_INLINE as usize]).unwrap();
    content.locator = vec![b'l'; content::MAX_LOCATOR as usize]
        .try_into()
        .unwrap();
    content
}

fn rich<T: Config>(name: &'static str, index: u32) -> T::AccountId {
    let who = account(name, index, 0);
    T::Currency::set_balance(&who, 100_000 * TOS);
    who
}

fn publisher<T: Config>() -> T::AccountId {
    rich::<T>("publisher", 0)
}

fn miner<T: Config>(index: u32) -> T::AccountId {
    let who = rich::<T>("miner", index);
    T::Miners::benchmark_register(&who, TYPE);
    T::Reputation::benchmark_set(&who, TYPE, 10_000, 10);
    who
}

/// Publishes a task with `places` places.
fn published<T: Config>(places: u32) -> TaskId {
    let publisher = publisher::<T>();
    T::Currency::set_balance(&T::Treasury::get(), 100_000 * TOS);
    let id = TaskId::derive(&publisher, Nonces::<T>::get(&publisher));
    let terms = calls::Terms {
        difficulty: Difficulty::Expert,
        reward: REWARD,
        open_for: T::Clock::phase_lengths().min_open,
        min_quality: 50,
        max_participants: places,
        reference: Some(REFERENCE),
    };
    assert_ok!(Pallet::<T>::do_publish(
        publisher,
        params(),
        longest(0),
        terms
    ));
    id
}

/// Publishes a task that `p` miners join.
fn joined<T: Config>(p: u32) -> (TaskId, Vec<T::AccountId>) {
    let id = published::<T>(p.max(1));
    let miners: Vec<_> = (0..p).map(miner::<T>).collect();
    for who in &miners {
        assert_ok!(Pallet::<T>::do_join(who.clone(), id));
    }
    (id, miners)
}

/// The parts an answer is made of: the bytes of its content, and its fingerprint.
type Answer = (u8, u64);

/// The answers of `count` miners, all the same.
fn copies(count: usize) -> Vec<Answer> {
    vec![(1, 0); count]
}

/// The answers of `count` miners, none of which resembles another.
fn originals(count: usize) -> Vec<Answer> {
    (1..=u8::MAX)
        .take(count)
        .map(|seed| (seed, u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect()
}

fn commit_one<T: Config>(id: TaskId, who: &T::AccountId, (seed, simhash): Answer) {
    let commitment = commitment::answer(&id, who, &longest(seed).hash, simhash, &SALT);
    assert_ok!(Pallet::<T>::do_commit(who.clone(), id, commitment));
}

fn reveal_one<T: Config>(id: TaskId, who: &T::AccountId, (seed, simhash): Answer) {
    let content = longest(seed);
    assert_ok!(Pallet::<T>::do_reveal(
        who.clone(),
        id,
        content,
        simhash,
        SALT
    ));
}

/// Changes a task and makes its next step due.
fn make_due<T: Config>(id: TaskId, change: impl FnOnce(&mut TaskOf<T>)) {
    let mut task = Tasks::<T>::get(id).unwrap();
    change(&mut task);
    Pallet::<T>::schedule(&id, &mut task, T::Clock::now());
    Tasks::<T>::insert(id, task);
}

fn step<T: Config>(id: TaskId) {
    assert_ok!(Pallet::<T>::advance(id));
}

/// A task that `p` miners have committed answers to, about to take reveals.
fn committed<T: Config>(
    p: u32,
    answers: fn(usize) -> Vec<Answer>,
) -> (TaskId, Vec<(T::AccountId, Answer)>) {
    let (id, miners) = joined::<T>(p);
    let answers = answers(miners.len());
    let work: Vec<_> = miners.into_iter().zip(answers).collect();
    for (who, answer) in &work {
        commit_one::<T>(id, who, *answer);
    }
    make_due::<T>(id, |_| ());
    (id, work)
}

/// A task with `p` revealed answers, about to be collected.
fn revealed<T: Config>(p: u32, answers: fn(usize) -> Vec<Answer>) -> TaskId {
    let (id, work) = committed::<T>(p, answers);
    step::<T>(id);
    for (who, answer) in &work {
        reveal_one::<T>(id, who, *answer);
    }
    make_due::<T>(id, |_| ());
    id
}

/// Seats of so many rounds of the largest panels.
fn full(rounds: u32) -> u32 {
    rounds.saturating_mul(MAX_PANEL)
}

/// Fills that many seats of the largest panels, silent or not, from the largest pool.
fn seat<T: Config>(id: TaskId, task: &mut TaskOf<T>, seats: u32, silent: bool) {
    seat_from::<T>(id, task, MAX_CANDIDATES, seats, silent);
}

/// Fills that many seats of the largest panels, silent or not, from a pool of so many judges.
fn seat_from<T: Config>(id: TaskId, task: &mut TaskOf<T>, pool: u32, seats: u32, silent: bool) {
    task.round = seats.div_ceil(MAX_PANEL).saturating_sub(1);
    let request = PanelRequest {
        size: MAX_PANEL,
        ..Pallet::<T>::panel_request(&id, task)
    };
    T::Panels::benchmark_rounds(&request, pool, seats, silent);
}

/// A task with `p` answers, all of which may earn, after rounds with that many seats in all. The
/// last is counted where the phase comes after that.
fn voted<T: Config>(p: u32, seats: u32, phase: Phase) -> TaskId {
    let id = revealed::<T>(p, originals);
    step::<T>(id);
    make_due::<T>(id, |task| {
        seat::<T>(id, task, seats, false);
        task.phase = phase;
    });
    if phase == Phase::Challenge {
        assert_eq!(T::Panels::tally(&id), Tally::Consensus);
    }
    id
}

/// A task with `p` answers whose panels kept silent: all are to be slashed.
fn ignored<T: Config>(p: u32, seats: u32) -> TaskId {
    let id = revealed::<T>(p, originals);
    step::<T>(id);
    make_due::<T>(id, |task| seat::<T>(id, task, seats, true));
    id
}

/// A challenged task, in the last round there can be. Its votes confirm what was challenged, so
/// that the challenger loses its bond.
fn challenged<T: Config>(p: u32, phase: Phase) -> TaskId {
    let id = voted::<T>(p, full(MAX_ROUNDS), phase);
    let challenger = rich::<T>("challenger", 0);
    let bond = TOS;
    let hold = HoldReason::ChallengeBond;
    assert_ok!(Pallet::<T>::hold(
        &challenger,
        hold,
        bond,
        Error::<T>::InsufficientFunds
    ));
    let before: Results = vec![
        AnswerResult {
            quality: 95,
            innovation: 50,
            verdict: Verdict::Valid,
        };
        p as usize
    ]
    .try_into()
    .unwrap();
    Challenges::<T>::insert(
        id,
        Challenge {
            challenger,
            bond,
            before,
            upheld: None,
        },
    );
    make_due::<T>(id, |task| task.challenged = true);
    id
}

/// A task that exists only to be voted on.
pub(crate) fn synthetic_task<T: Config>(id: TaskId) -> TaskOf<T> {
    let task = Task {
        publisher: publisher::<T>(),
        reference: None,
        params: params(),
        difficulty: Difficulty::Expert,
        reward: REWARD,
        publisher_stake: 0,
        min_quality: 50,
        max_participants: MAX_PARTICIPANTS,
        equal_answers_allowed: false,
        tool: Some([0x70; 32]),
        terms: T::Rules::terms(Difficulty::Expert),
        rules: T::Rules::rules(),
        phase: Phase::PanelDraw,
        round: 0,
        escalations: 0,
        challenged: false,
        opened: 0,
        open_until: 0,
        deadline: 0,
        due: 0,
        joined: 0,
        committed: 0,
        revealed: 0,
        failures: 0,
    };
    Agenda::<T>::insert(task.due, id, ());
    task
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn publish() {
        let caller = publisher::<T>();
        let open_for = T::Clock::phase_lengths().min_open;
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            params(),
            Difficulty::Expert,
            longest(0),
            REWARD,
            open_for,
            50,
            MAX_PARTICIPANTS,
            Some(REFERENCE),
        );
        assert_eq!(References::<T>::iter().count(), 1);
        assert_eq!(OpenTasks::<T>::count(), 1);
    }

    #[benchmark]
    fn cancel() {
        let id = published::<T>(MAX_PARTICIPANTS);
        #[extrinsic_call]
        _(RawOrigin::Signed(publisher::<T>()), id);
        assert_eq!(
            Tasks::<T>::get(id).unwrap().phase,
            Phase::Closed(Closure::Cancelled)
        );
    }

    #[benchmark]
    fn join() {
        let id = published::<T>(MAX_PARTICIPANTS);
        for index in 1..MAX_PARTICIPANTS {
            assert_ok!(Pallet::<T>::do_join(miner::<T>(index), id));
        }
        let caller = miner::<T>(0);
        T::Miners::benchmark_declare(&caller);
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id);
        assert_eq!(Tasks::<T>::get(id).unwrap().joined, MAX_PARTICIPANTS);
    }

    #[benchmark]
    fn commit() {
        // The last commitment also moves the task's entry in the queue.
        let (id, mut miners) = joined::<T>(MAX_PARTICIPANTS);
        let caller = miners.pop().unwrap();
        for who in &miners {
            commit_one::<T>(id, who, (1, 0));
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id, [1; 32]);
        assert_eq!(Tasks::<T>::get(id).unwrap().committed, MAX_PARTICIPANTS);
    }

    #[benchmark]
    fn reveal() {
        let (id, mut work) = committed::<T>(MAX_PARTICIPANTS, originals);
        step::<T>(id);
        let (caller, (seed, simhash)) = work.pop().unwrap();
        for (who, answer) in &work {
            reveal_one::<T>(id, who, *answer);
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id, longest(seed), simhash, SALT);
        assert_eq!(Tasks::<T>::get(id).unwrap().revealed, MAX_PARTICIPANTS);
    }

    #[benchmark]
    fn challenge() {
        let id = voted::<T>(MAX_PARTICIPANTS, full(MAX_ROUNDS - 1), Phase::Challenge);
        #[extrinsic_call]
        _(RawOrigin::Signed(publisher::<T>()), id);
        assert!(Challenges::<T>::contains_key(id));
    }

    #[benchmark]
    fn set_task_type() -> Result<(), BenchmarkError> {
        let origin = T::GovernanceOrigin::try_successful_origin()
            .map_err(|_| BenchmarkError::Stop("no origin of governance"))?;
        let task_type = TaskType::Custom(1);
        #[extrinsic_call]
        _(
            origin as T::RuntimeOrigin,
            task_type,
            Some(TypeProfile::default()),
        );
        assert!(TaskTypes::<T>::contains_key(task_type));
        Ok(())
    }

    #[benchmark]
    fn agenda_start() {
        let now = T::Clock::now();
        AgendaCursor::<T>::put(now.saturating_add(1));
        let mut meter = frame_support::weights::WeightMeter::new();
        #[block]
        {
            agenda::run::<Pallet<T>>(&mut meter);
            AgendaCursor::<T>::put(now);
        }
        assert_eq!(AgendaCursor::<T>::get(), now);
    }

    #[benchmark]
    fn agenda_tick() {
        let id = published::<T>(MAX_PARTICIPANTS);
        make_due::<T>(id, |_| ());
        let found: Option<TaskOf<T>>;
        #[block]
        {
            let mut entries = Agenda::<T>::iter_key_prefix(T::Clock::now());
            found = entries.next().and_then(|id| {
                // Going to the next key reads the state too, but only reading a value is counted.
                assert!(Agenda::<T>::contains_key(T::Clock::now(), id));
                Tasks::<T>::get(id)
            });
        }
        assert!(found.is_some());
    }

    #[benchmark]
    fn step_failed() {
        let id = published::<T>(MAX_PARTICIPANTS);
        let due = Tasks::<T>::get(id).unwrap().due;
        #[block]
        {
            <Pallet<T> as agenda::Agenda>::postpone(due, &id, Error::<T>::Inconsistent.into());
        }
        assert_eq!(Tasks::<T>::get(id).unwrap().failures, 1);
    }

    #[benchmark]
    fn step_advance() {
        let (id, _) = committed::<T>(MAX_PARTICIPANTS, originals);
        #[block]
        {
            step::<T>(id);
        }
        assert_eq!(Tasks::<T>::get(id).unwrap().phase, Phase::AnswerReveal);
    }

    #[benchmark]
    fn step_advance_votes() {
        // No member has committed: the next step is hastened.
        let id = ignored::<T>(MAX_PARTICIPANTS, full(MAX_ROUNDS));
        make_due::<T>(id, |task| task.phase = Phase::VoteCommit);
        #[block]
        {
            step::<T>(id);
        }
        assert_eq!(Tasks::<T>::get(id).unwrap().phase, Phase::VoteReveal);
    }

    #[benchmark]
    fn step_expire(p: Linear<0, { MAX_PARTICIPANTS }>) {
        let (id, _) = joined::<T>(p);
        make_due::<T>(id, |_| ());
        #[block]
        {
            step::<T>(id);
        }
        assert_eq!(
            Tasks::<T>::get(id).unwrap().phase,
            Phase::Closed(Closure::Expired)
        );
    }

    #[benchmark]
    fn step_collect(p: Linear<1, { MAX_PARTICIPANTS }>) {
        // The same answer of everyone: each but the first is marked as a duplicate.
        let id = revealed::<T>(p, copies);
        #[block]
        {
            step::<T>(id);
        }
        assert_eq!(Tasks::<T>::get(id).unwrap().phase, Phase::PanelDraw);
    }

    #[benchmark]
    fn step_draw(c: Linear<{ 2 * MAX_PANEL }, { MAX_CANDIDATES }>) {
        let id = revealed::<T>(MAX_PARTICIPANTS, originals);
        step::<T>(id);
        make_due::<T>(id, |task| {
            // One round has been before: others are left for as large a panel, however few.
            seat_from::<T>(id, task, c, MAX_PANEL, false);
            task.round = MAX_ROUNDS - 1;
            task.deadline = T::Clock::now();
        });
        #[block]
        {
            step::<T>(id);
        }
        let task = Tasks::<T>::get(id).unwrap();
        assert_eq!(
            (task.phase, task.round),
            (Phase::VoteCommit, MAX_ROUNDS - 1)
        );
    }

    #[benchmark]
    fn step_tally(p: Linear<1, { MAX_PARTICIPANTS }>) {
        let id = challenged::<T>(p, Phase::VoteReveal);
        #[block]
        {
            step::<T>(id);
        }
        assert_eq!(Tasks::<T>::get(id).unwrap().phase, Phase::Challenge);
        assert_eq!(Challenges::<T>::get(id).unwrap().upheld, Some(false));
    }

    #[benchmark]
    fn step_unresolve(p: Linear<1, { MAX_PARTICIPANTS }>, s: Linear<3, { MAX_SEATS }>) {
        let id = ignored::<T>(p, s);
        let task = Tasks::<T>::get(id).unwrap();
        #[block]
        {
            assert_ok!(Pallet::<T>::unresolve(&id, task));
        }
        assert_eq!(
            Tasks::<T>::get(id).unwrap().phase,
            Phase::Closed(Closure::Unresolved)
        );
    }

    #[benchmark]
    fn step_settle(p: Linear<1, { MAX_PARTICIPANTS }>, s: Linear<3, { MAX_SEATS }>) {
        let id = voted::<T>(p, s, Phase::Challenge);
        #[block]
        {
            step::<T>(id);
        }
        assert_eq!(
            Tasks::<T>::get(id).unwrap().phase,
            Phase::Closed(Closure::Settled)
        );
        // Every answer could earn.
        assert!(Submissions::<T>::iter_prefix_values(id)
            .all(|submission| !submission.duplicate && submission.lost == 0));
    }

    #[benchmark]
    fn step_prune(p: Linear<1, { MAX_PARTICIPANTS }>, s: Linear<3, { MAX_SEATS }>) {
        let id = voted::<T>(p, s, Phase::Challenge);
        step::<T>(id);
        make_due::<T>(id, |_| ());
        #[block]
        {
            step::<T>(id);
        }
        assert!(!Tasks::<T>::contains_key(id));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
