// SPDX-License-Identifier: Apache-2.0

//! Benchmarks, each in its worst case: ten thousand judges in each tree, the most parties of a case, and
//! candidates that become void by the last of all questions.

use crate::{
    Addition, Agenda, Bootstrap, Call, Changes, Config, Ends, InLine, Judge, Judges, Leaves, Line,
    LineEnds, Locked, Pallet, Place, Releases, Rise, Settings, Silence, Taken, Terms, TicketEnds,
    Tickets, Waiting, WaitingCase, WeightInfo, LINES, MAX_HOLES,
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Inspect, Mutate},
        EnsureOrigin, Get,
    },
    weights::WeightMeter,
    BoundedVec,
};
use frame_system::RawOrigin;
use polkadot_sdk::*;
use tos_formulas::stream::Points;
use tos_interfaces::{Clock, MinerRegistry, Randomness, Roster};
use tos_pallet_support::agenda;
use tos_types::{
    roster::{RosterId, SeatKind, SeatRequest, SeatStake, MAX_PARTIES, MAX_SEATS},
    rules::JudgeRules,
    task::Certification,
    Balance, CaseId, TaskId, TaskType, TOS,
};

const TYPE: TaskType = TaskType::General;
const CASE: CaseId = TaskId([0x5a; 16]);
/// Judges in each tree.
const JUDGES: u32 = 10_000;
/// Leaves between two that are drawn: hardly two of them lie in one node.
const APART: u32 = JUDGES / (4 * MAX_SEATS);

/// The first point of the line of weights, always.
struct First;

impl Points for First {
    fn point(&mut self, _: u64) -> u64 {
        0
    }
}

fn funded<T: Config>(index: u32) -> T::AccountId {
    let who = account("judge", index, 0);
    let amount = (1_000_000 * TOS).max(T::Currency::minimum_balance());
    T::Currency::mint_into(&who, amount).expect("the supply has room for benchmarks");
    who
}

/// A judge that has bonded and waits for its warm-up.
fn registered<T: Config>(index: u32) -> T::AccountId {
    let who = funded::<T>(index);
    let bond = T::Rules::roster().enter;
    Pallet::<T>::do_register(who.clone(), TYPE, bond).expect("a funded account can bond");
    who
}

/// A judge whose bond is warm, in both trees.
fn warm<T: Config>(index: u32) -> T::AccountId {
    let who = registered::<T>(index);
    T::Miners::benchmark_certify(&who, Certification::Master);
    alter::<T>(&who, |judge| {
        if let Some(pending) = judge.pending.as_mut() {
            pending.at = 0;
        }
    });
    Pallet::<T>::bring_up_to_date(TYPE, &who).expect("the trees are sound");
    who
}

fn alter<T: Config>(who: &T::AccountId, change: impl FnOnce(&mut Judge)) {
    let mut judge = judge::<T>(who);
    change(&mut judge);
    Judges::<T>::insert(TYPE, who, judge);
}

fn judge<T: Config>(who: &T::AccountId) -> Judge {
    Judges::<T>::get(TYPE, who).expect("it is a judge")
}

/// Locks stake of a judge.
fn locked<T: Config>(who: &T::AccountId, amount: Balance) {
    alter::<T>(who, |judge| judge.locked = amount);
    Locked::<T>::insert(
        TYPE,
        Taken {
            seats: amount,
            reserved: 0,
        },
    );
}

/// Pay that can be claimed, and an account that it lies on.
fn earned<T: Config>(who: &T::AccountId) {
    let (pot, amount) = (T::Pot::get(), TOS);
    let least = T::Currency::minimum_balance();
    T::Currency::mint_into(&pot, amount.saturating_add(least)).expect("the supply has room");
    alter::<T>(who, |judge| judge.earned = amount);
}

/// Fills both trees with leaves of no judge, which weigh nothing.
fn filled<T: Config>() {
    for id in [RosterId::open(TYPE), RosterId::certified(TYPE)] {
        let mut tree = Pallet::<T>::tree(id);
        for _ in 0..JUDGES {
            tree.insert(0).expect("there is room for ten thousand");
        }
    }
}

/// Puts a judge on a leaf of the tree of certified ones, whose weight was `before` when the case was
/// published. It has declared all that it may.
fn drawn<T: Config>(leaf: u32, before: u32) -> T::AccountId {
    let who: T::AccountId = account("drawn", leaf, 0);
    T::Miners::benchmark_certify(&who, Certification::Master);
    T::Miners::benchmark_declare(&who);
    let id = RosterId::certified(TYPE);
    let mut tree = Pallet::<T>::tree(id);
    tree.set(leaf, 100).expect("the leaf is in use");
    Leaves::<T>::insert(id, leaf, &who);
    let rise = |at| Rise { at, before };
    let judge = Judge {
        bond: 100 * TOS,
        warm: 100 * TOS,
        rises: BoundedVec::truncate_from([rise(1), rise(2)].into()),
        weight: 100,
        certified_leaf: Some(leaf),
        ..Judge::default()
    };
    Judges::<T>::insert(TYPE, &who, judge);
    who
}

/// A request with the most parties.
fn request<T: Config>(kind: SeatKind<T::AccountId>, seats: u32) -> SeatRequest<T::AccountId> {
    let parties: Vec<T::AccountId> = (0..MAX_PARTIES)
        .map(|index| account("party", index, 0))
        .collect();
    SeatRequest {
        case: CASE,
        round: 0,
        task_type: TYPE,
        seats,
        kind,
        stake: SeatStake::Each(TOS),
        since: 0,
        parties: BoundedVec::truncate_from(parties),
    }
}

/// A case in line.
fn enqueued<T: Config>() -> WaitingCase<T::AccountId> {
    Pallet::<T>::do_enqueue(request::<T>(SeatKind::Panel, MAX_SEATS), 7).expect("it is new");
    Waiting::<T>::get(CASE).expect("it waits")
}

const TERMS: Terms = Terms {
    seats: MAX_SEATS,
    certified: 0,
    lock: TOS,
};

/// A case with a ticket, whose seed is there.
fn with_ticket<T: Config>() {
    let waiting = enqueued::<T>();
    if let Place::Line(position) = waiting.place {
        Line::<T>::remove((TYPE, waiting.class, position));
    }
    Pallet::<T>::reserve(TYPE, &waiting, TERMS);
    Pallet::<T>::give_ticket(CASE, waiting, TERMS);
    if let Some(ticket) = Tickets::<T>::get(TicketEnds::<T>::get().head) {
        T::Randomness::benchmark_ready(&ticket.randomness);
    }
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn register() {
        let who = funded::<T>(0);
        let bond = T::Rules::roster().enter;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), TYPE, bond);

        assert_eq!(judge::<T>(&who).held(), bond);
    }

    #[benchmark]
    fn add_bond() {
        let who = warm::<T>(0);
        alter::<T>(&who, |judge| {
            judge.warm = judge.warm.saturating_add(TOS);
            judge.pending = Some(Addition {
                amount: TOS,
                at: 100,
            });
        });

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), TYPE, 3 * TOS);

        let judge = judge::<T>(&who);
        assert_eq!(judge.restoring, TOS);
        assert_eq!(judge.pending.map(|pending| pending.amount), Some(3 * TOS));
    }

    #[benchmark]
    fn leave() {
        let who = warm::<T>(0);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), TYPE);

        assert!(judge::<T>(&who).leaving.is_some());
    }

    #[benchmark]
    fn withdraw() {
        let who = registered::<T>(0);
        earned::<T>(&who);
        alter::<T>(&who, |judge| judge.leaving = Some(0));

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), TYPE);

        assert!(!Judges::<T>::contains_key(TYPE, &who));
    }

    #[benchmark]
    fn rejoin() {
        let who = warm::<T>(0);
        alter::<T>(&who, |judge| judge.leaving = Some(0));

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), TYPE);

        assert!(judge::<T>(&who).leaving.is_none());
    }

    #[benchmark]
    fn report_back() {
        let who = warm::<T>(0);
        alter::<T>(&who, |judge| {
            judge.silent = Some(Silence {
                since: 0,
                tickets: 0,
            });
        });

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), TYPE);

        assert!(judge::<T>(&who).returning);
    }

    #[benchmark]
    fn claim_pay() {
        let who = warm::<T>(0);
        earned::<T>(&who);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), TYPE);

        assert_eq!(judge::<T>(&who).earned, 0);
    }

    #[benchmark]
    fn claim_pay_for() {
        let (who, other) = (warm::<T>(0), funded::<T>(1));
        earned::<T>(&who);

        #[extrinsic_call]
        _(RawOrigin::Signed(other), who.clone(), TYPE);

        assert_eq!(judge::<T>(&who).earned, 0);
    }

    #[benchmark]
    fn sync_certificate() {
        let (who, other) = (warm::<T>(0), funded::<T>(1));
        T::Miners::benchmark_certify(&who, Certification::Basic);

        #[extrinsic_call]
        _(RawOrigin::Signed(other), who.clone(), TYPE);

        let next = Pallet::<T>::current_period().saturating_add(1);
        assert!(Changes::<T>::contains_key(next, (TYPE, who)));
    }

    #[benchmark]
    fn end_bootstrap() -> Result<(), BenchmarkError> {
        Bootstrap::<T>::insert(TYPE, ());
        let origin = T::GovernanceOrigin::try_successful_origin()
            .map_err(|()| BenchmarkError::Weightless)?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, TYPE);

        assert!(!Bootstrap::<T>::contains_key(TYPE));
        Ok(())
    }

    // All that a block reads where there is nothing to do.
    #[benchmark]
    fn hook_base() {
        let mut meter = WeightMeter::with_limit(T::WeightInfo::hook_base());

        #[block]
        {
            Pallet::<T>::work(&mut meter);
        }

        assert!(TicketEnds::<T>::get().is_empty());
    }

    // One that leaves both trees.
    #[benchmark]
    fn change() {
        filled::<T>();
        let who = warm::<T>(0);
        alter::<T>(&who, |judge| {
            judge.leaving = Some(0);
            judge.restoring = TOS;
        });
        Pallet::<T>::schedule(TYPE, &who);
        let next = Pallet::<T>::current_period().saturating_add(1);
        T::Clock::benchmark_set_now(next.saturating_mul(Settings::<T>::get().period));
        let mut meter = WeightMeter::new();

        #[block]
        {
            Pallet::<T>::make_changes(&mut meter);
        }

        let judge = judge::<T>(&who);
        assert_eq!((judge.leaf, judge.certified_leaf), (None, None));
    }

    // Each line but that of vacancies has holes and, behind them, a case without room.
    #[benchmark]
    fn look(e: Linear<1, 72>) {
        let each = MAX_HOLES.saturating_add(1);
        let mut lines = [Ends::default(); LINES];
        for (class, ends) in (0u8..8).zip(lines.iter_mut()) {
            let above = u32::from(7u8.saturating_sub(class)).saturating_mul(each);
            let places = e.saturating_sub(above).min(each);
            ends.tail = places.into();
            if places == each {
                let case = TaskId([class; 16]);
                let mut request = request::<T>(SeatKind::Panel, 5);
                request.case = case;
                let due = 1_000_000;
                Agenda::<T>::insert(due, case, ());
                Line::<T>::insert((TYPE, class, u64::from(MAX_HOLES)), case);
                let waiting = WaitingCase {
                    request,
                    class,
                    place: Place::Line(MAX_HOLES.into()),
                    since: 0,
                    at_head_since: None,
                    terms: None,
                    tries: 0,
                    due,
                };
                Waiting::<T>::insert(case, waiting);
            }
        }
        LineEnds::<T>::insert(TYPE, lines);
        InLine::<T>::put(BoundedVec::truncate_from([TYPE].into()));
        let mut meter = WeightMeter::new();

        #[block]
        {
            Pallet::<T>::give_tickets(&mut meter);
        }

        assert!(TicketEnds::<T>::get().is_empty());
    }

    #[benchmark]
    fn ticket() {
        let waiting = enqueued::<T>();

        #[block]
        {
            if let Place::Line(position) = waiting.place {
                Line::<T>::remove((TYPE, waiting.class, position));
            }
            Pallet::<T>::reserve(TYPE, &waiting, TERMS);
            Pallet::<T>::give_ticket(CASE, waiting, TERMS);
        }

        assert_eq!(TicketEnds::<T>::get().len(), 1);
    }

    // The seed is there, and there is no weight for the draw.
    #[benchmark]
    fn ticket_head() {
        with_ticket::<T>();
        let mut meter = WeightMeter::with_limit(T::WeightInfo::ticket_head());

        #[block]
        {
            Pallet::<T>::draw_all(&mut meter);
        }

        assert!(Waiting::<T>::contains_key(CASE));
    }

    // Seats for certified judges cost more than open ones: a read of the certificate. The void candidates are
    // so by a weight that rose, after all other questions. As a vacancy the draw takes what seats it finds.
    #[benchmark]
    fn draw(s: Linear<1, 63>, v: Linear<0, 189>) {
        filled::<T>();
        let all = v.saturating_add(s);
        let judges: Vec<T::AccountId> = (0..all)
            .map(|index| drawn::<T>(index.saturating_mul(APART), u32::from(index >= v)))
            .collect();
        let kind = SeatKind::Vacancy {
            certified: MAX_SEATS,
            holders: BoundedVec::default(),
        };
        Pallet::<T>::do_enqueue(request::<T>(kind, MAX_SEATS), 0).expect("it is new");
        let mut waiting = Waiting::<T>::get(CASE).expect("it waits");
        let terms = Terms {
            certified: MAX_SEATS,
            ..TERMS
        };
        waiting.terms = Some(terms);

        #[block]
        {
            Pallet::<T>::draw_for(0, waiting, terms, &mut First);
        }

        let seated = judges.iter().filter(|who| judge::<T>(who).locked > 0);
        assert_eq!(seated.count(), s as usize);
        assert!(!Waiting::<T>::contains_key(CASE));
    }

    #[benchmark]
    fn release() {
        let who = warm::<T>(0);
        locked::<T>(&who, TOS);
        Releases::<T>::insert(0, (TYPE, &who), TOS);
        let mut meter = WeightMeter::new();

        #[block]
        {
            Pallet::<T>::release_after(0, &mut meter);
        }

        assert_eq!(judge::<T>(&who).locked, 0);
    }

    #[benchmark]
    fn agenda_start() {
        let mut meter = WeightMeter::with_limit(T::WeightInfo::agenda_start());

        #[block]
        {
            agenda::run::<Pallet<T>>(&mut meter);
        }

        assert_eq!(Waiting::<T>::count(), 0);
    }

    #[benchmark]
    fn agenda_tick() {
        let mut meter = WeightMeter::new();
        let over;

        #[block]
        {
            over = agenda::run_tick::<Pallet<T>>(1, &mut meter);
        }

        assert!(over);
    }

    #[benchmark]
    fn expire() {
        with_ticket::<T>();
        let due = Settings::<T>::get().wait.saturating_add(T::Clock::now());
        T::Clock::benchmark_set_now(due);

        #[block]
        {
            agenda::take::<Pallet<T>>(due, &CASE);
        }

        assert!(!Waiting::<T>::contains_key(CASE));
    }

    // Back to the line, because its seats are others now.
    #[benchmark]
    fn retry() {
        let mut waiting = enqueued::<T>();
        if let Place::Line(position) = waiting.place {
            Line::<T>::remove((TYPE, waiting.class, position));
        }
        let terms = Terms {
            certified: 1,
            ..TERMS
        };
        Pallet::<T>::reserve(TYPE, &waiting, terms);
        waiting.terms = Some(terms);
        waiting.place = Place::Pause;
        let now = T::Clock::now();
        Pallet::<T>::reschedule(CASE, &mut waiting, now);
        Waiting::<T>::insert(CASE, waiting);

        #[block]
        {
            agenda::take::<Pallet<T>>(now, &CASE);
        }

        let waiting = Waiting::<T>::get(CASE).expect("it waits");
        assert!(matches!(waiting.place, Place::Line(_)) && waiting.terms.is_none());
        assert_eq!(Pallet::<T>::stake(TYPE), 0);
    }

    impl_benchmark_test_suite!(
        Pallet,
        crate::mock::ExtBuilder::default().build(),
        crate::mock::Test
    );
}
