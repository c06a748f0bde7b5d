// SPDX-License-Identifier: Apache-2.0

//! Random actors in random order: every invariant holds after each step, no money comes or goes, and what is
//! locked of a judge is the stake of its open seats.

use crate::mock::*;
use crate::{Releases, WeightInfo};
use frame_support::weights::Weight;
use polkadot_sdk::*;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngSeed},
};
use std::collections::BTreeMap;
use tos_interfaces::Roster;
use tos_types::{
    roster::{SeatKind, SeatRequest, SeatStake},
    Balance, TaskType, Tick, TOS,
};

const TYPES: [TaskType; 2] = [TYPE, OTHER_TYPE];

#[derive(Clone, Debug)]
enum Step {
    Pass(Tick, bool),
    Register(u64, bool, u8),
    Add(u64, bool, u8),
    Leave(u64, bool),
    Withdraw(u64, bool),
    Rejoin(u64, bool),
    Report(u64, bool),
    Claim(u64, bool),
    Sync(u64, bool),
    EndBootstrap,
    Certify(u64),
    Suspend(u64),
    Enqueue(u8, bool, u8, u8),
    Raise(u8, u8),
    Cancel(u8),
    Fine(u8, u8),
    Silent(u64, bool),
    Free(u8),
    Credit(u64, bool, u8),
    Seeds(bool),
    Spoil(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 1u64..=14;
    let calls = prop_oneof![
        2 => (who(), any::<bool>(), 40u8..).prop_map(|(w, t, b)| Step::Register(w, t, b)),
        2 => (who(), any::<bool>(), any::<u8>()).prop_map(|(w, t, b)| Step::Add(w, t, b)),
        2 => (who(), any::<bool>()).prop_map(|(w, t)| Step::Leave(w, t)),
        2 => (who(), any::<bool>()).prop_map(|(w, t)| Step::Withdraw(w, t)),
        2 => (who(), any::<bool>()).prop_map(|(w, t)| Step::Rejoin(w, t)),
        2 => (who(), any::<bool>()).prop_map(|(w, t)| Step::Report(w, t)),
        1 => (who(), any::<bool>()).prop_map(|(w, t)| Step::Claim(w, t)),
        2 => (who(), any::<bool>()).prop_map(|(w, t)| Step::Sync(w, t)),
        1 => Just(Step::EndBootstrap),
    ];
    let rounds = prop_oneof![
        6 => (any::<u8>(), any::<bool>(), 1u8..16, any::<u8>())
            .prop_map(|(c, t, s, k)| Step::Enqueue(c, t, s, k)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(c, k)| Step::Raise(c, k)),
        1 => any::<u8>().prop_map(Step::Cancel),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(s, a)| Step::Fine(s, a)),
        1 => (who(), any::<bool>()).prop_map(|(w, t)| Step::Silent(w, t)),
        4 => any::<u8>().prop_map(Step::Free),
        1 => (who(), any::<bool>(), any::<u8>()).prop_map(|(w, t, a)| Step::Credit(w, t, a)),
    ];
    let world = prop_oneof![
        1 => who().prop_map(Step::Certify),
        1 => who().prop_map(Step::Suspend),
        1 => any::<bool>().prop_map(Step::Seeds),
        1 => any::<bool>().prop_map(Step::Spoil),
    ];
    let time = (1..40u32, any::<bool>()).prop_map(|(ticks, scarce)| Step::Pass(ticks, scarce));
    let long = (200..900u32).prop_map(|ticks| Step::Pass(ticks, false));
    prop_oneof![6 => calls, 8 => rounds, 2 => world, 7 => time, 1 => long]
}

/// Seats of one judge in one case, with what is left of their stake.
struct Open {
    who: u64,
    task_type: TaskType,
    stake: Balance,
}

/// The open seats, and the number of draws told so far.
#[derive(Default)]
struct Rounds {
    open: Vec<Open>,
    told: usize,
    types: BTreeMap<u8, TaskType>,
}

impl Rounds {
    /// Takes down what was drawn since the last time.
    fn listen(&mut self) {
        let drawn = world(|w| w.seated[self.told..].to_vec());
        self.told += drawn.len();
        for (case, _, lock, seats) in drawn {
            let task_type = self.types[&case.0[0]];
            for one in seats {
                self.open.push(Open {
                    who: one.who,
                    task_type,
                    stake: lock * u128::from(one.seats),
                });
            }
        }
    }

    fn pick(&self, number: u8) -> Option<usize> {
        usize::from(number).checked_rem(self.open.len())
    }

    fn check(&self) {
        let mut sums: BTreeMap<(TaskType, u64), Balance> = BTreeMap::new();
        for one in &self.open {
            *sums.entry((one.task_type, one.who)).or_default() += one.stake;
        }
        // Those that are free as soon as a ticket is done are no open seats any more.
        for (_, key, amount) in Releases::<Test>::iter() {
            *sums.entry(key).or_default() += amount;
        }
        for (task_type, who, judge) in crate::Judges::<Test>::iter() {
            let sum = sums.remove(&(task_type, who)).unwrap_or(0);
            assert_eq!(judge.locked, sum, "{who} of {task_type:?}");
        }
        assert!(sums.values().all(|sum| *sum == 0), "a seat of no judge");
    }
}

fn of(other: bool) -> TaskType {
    TYPES[usize::from(other)]
}

/// Lets ticks pass, in some of whose blocks there is hardly any room.
fn let_pass(ticks: Tick, scarce: bool) {
    let little = <() as WeightInfo>::hook_base()
        .saturating_add(<() as WeightInfo>::change().saturating_mul(2))
        .saturating_add(<() as WeightInfo>::ticket_head());
    for tick in 0..ticks {
        TestClock::advance(1);
        block_with(match scarce && tick % 3 > 0 {
            true => little,
            false => Weight::MAX,
        });
    }
}

/// Does it, whether or not it is allowed.
fn take(rounds: &mut Rounds, step: Step) {
    let tos = |amount: u8| u128::from(amount) * TOS / 2 + u128::from(amount);
    // Refusals are part of the game: what matters is the state that is left.
    let _ = match step {
        Step::Pass(ticks, scarce) => {
            let_pass(ticks, scarce);
            Ok(())
        }
        Step::Register(who, t, bond) => Judges::register(origin(who), of(t), 2 * tos(bond)),
        Step::Add(who, t, amount) => Judges::add_bond(origin(who), of(t), tos(amount)),
        Step::Leave(who, t) => Judges::leave(origin(who), of(t)),
        Step::Withdraw(who, t) => Judges::withdraw(origin(who), of(t)),
        Step::Rejoin(who, t) => Judges::rejoin(origin(who), of(t)),
        Step::Report(who, t) => Judges::report_back(origin(who), of(t)),
        Step::Claim(who, t) => Judges::claim_pay(origin(who), of(t)),
        Step::Sync(who, t) => Judges::sync_certificate(origin(99), who, of(t)),
        Step::EndBootstrap => Judges::end_bootstrap(RuntimeOrigin::root(), TYPE),
        Step::Certify(who) => {
            world(|w| w.certified.remove(&who) || w.certified.insert(who));
            Ok(())
        }
        Step::Suspend(who) => {
            world(|w| w.suspended.remove(&who) || w.suspended.insert(who));
            Ok(())
        }
        Step::Enqueue(number, t, seats, kind) => {
            let holders = vec![u64::from(number % 7), 8].try_into().unwrap();
            let wish = SeatRequest {
                task_type: of(t),
                seats: seats.into(),
                kind: match kind % 4 {
                    0 => SeatKind::Court,
                    1 => SeatKind::Vacancy {
                        certified: u32::from(seats / 2),
                        holders,
                    },
                    _ => SeatKind::Panel,
                },
                stake: SeatStake::Each(tos(kind % 8) + 1),
                parties: vec![u64::from(kind % 16), PUBLISHER].try_into().unwrap(),
                since: now().saturating_sub(kind.into()),
                ..request(number)
            };
            let enqueued = <Judges as Roster<u64>>::enqueue(wish, kind % 9);
            if enqueued.is_ok() {
                rounds.types.insert(number, of(t));
            }
            enqueued
        }
        Step::Raise(number, class) => <Judges as Roster<u64>>::raise(&case(number), class),
        Step::Cancel(number) => {
            <Judges as Roster<u64>>::withdraw(&case(number));
            Ok(())
        }
        Step::Fine(seat, part) => {
            if let Some(at) = rounds.pick(seat) {
                let open = &mut rounds.open[at];
                let amount = open.stake * u128::from(part) / 256;
                let fine = <Judges as Roster<u64>>::fine;
                let fined = fine(&open.who, open.task_type, amount, &TREASURY);
                assert_eq!(fined, amount);
                open.stake -= fined;
            }
            Ok(())
        }
        Step::Silent(who, t) => {
            <Judges as Roster<u64>>::silent(&who, of(t));
            Ok(())
        }
        Step::Free(seat) => {
            if let Some(at) = rounds.pick(seat) {
                let one = rounds.open.swap_remove(at);
                <Judges as Roster<u64>>::free(&one.who, one.task_type, one.stake);
            }
            Ok(())
        }
        Step::Credit(who, t, amount) => {
            let amount = tos(amount);
            let come = Balances::transfer_allow_death(origin(100), POT, amount);
            if come.is_ok() {
                <Judges as Roster<u64>>::credit(&who, of(t), amount);
            }
            come
        }
        Step::Seeds(prompt) => {
            world(|w| w.prompt = prompt);
            Ok(())
        }
        Step::Spoil(expire) => {
            world(|w| {
                let last = w.requests;
                match expire {
                    true => w.expired.insert(last),
                    false => w.degraded.insert(last),
                }
            });
            Ok(())
        }
    };
}

/// So many cases, the same on every run.
fn cases(cases: u32) -> Config {
    Config {
        cases,
        rng_seed: RngSeed::Fixed(0x705),
        failure_persistence: None,
        ..Config::default()
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn rosters_lines_and_money_are_exact_after_every_step(steps in vec(step(), 1..120)) {
        let others = (1..=10).map(|who| (who, OTHER_TYPE, 80 * TOS));
        ExtBuilder::judges(10).also(others).bootstrap(5).execute(|| {
            let issued = Balances::total_issuance();
            let mut rounds = Rounds::default();
            for step in steps {
                take(&mut rounds, step.clone());
                rounds.listen();
                rounds.check();
                assert_eq!(Judges::do_try_state(), Ok(()), "{step:?}");
                assert_eq!(Balances::total_issuance(), issued);
            }
            // What is left to do is done, and all can leave with what is theirs.
            world(|w| {
                w.prompt = true;
                w.suspended.clear();
                w.expired.clear();
                w.degraded.clear();
            });
            let_pass(TIMES.wait + TIMES.period, false);
            rounds.listen();
            assert_eq!(crate::Waiting::<Test>::count(), 0);
            for one in rounds.open.drain(..) {
                <Judges as Roster<u64>>::free(&one.who, one.task_type, one.stake);
            }
            for who in 1..=14 {
                for task_type in TYPES {
                    let _ = Judges::leave(origin(who), task_type);
                }
            }
            let_pass(TIMES.unbonding + TIMES.period, false);
            for who in 1..=14 {
                for task_type in TYPES {
                    let _ = Judges::withdraw(origin(who), task_type);
                }
            }
            assert_eq!(crate::Judges::<Test>::iter().count(), 0);
            assert_eq!((total(), Judges::total(OTHER_TYPE)), (0, 0));
            assert_eq!((free(POT), Balances::total_issuance()), (ED, issued));
        });
    }
}
