// SPDX-License-Identifier: Apache-2.0

//! Random actors in random order: no money comes or goes, and every invariant holds after each step.

use crate::mock::*;
use crate::*;
use frame_support::dispatch::DispatchResult;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngSeed},
};
use tos_types::{storage::Retention, ReplicaId, TOS};

#[derive(Clone, Debug)]
enum Step {
    Pass(u8),
    Offer(u8, u8),
    Cancel(u8),
    Accept(u8, bool),
    Seal(u8, bool),
    Pause(u8),
    Resume(u8),
    Remove(u8),
    Settle(u8),
    ChallengeSeal(u8),
    ChallengeWindow(u8, u8),
    Crank(u8),
    Lazy(u8, bool),
    Exit(bool),
    TopUp(bool, u8),
    Withdraw(bool, u8),
    Equivocate(u8),
    Degrade(bool),
    Starve(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..12u8).prop_map(Step::Pass),
        4 => (any::<u8>(), 1..4u8).prop_map(|(a, b)| Step::Offer(a, b)),
        1 => any::<u8>().prop_map(Step::Cancel),
        4 => (any::<u8>(), any::<bool>()).prop_map(|(a, b)| Step::Accept(a, b)),
        4 => (any::<u8>(), any::<bool>()).prop_map(|(a, b)| Step::Seal(a, b)),
        1 => any::<u8>().prop_map(Step::Pause),
        1 => any::<u8>().prop_map(Step::Resume),
        1 => any::<u8>().prop_map(Step::Remove),
        2 => any::<u8>().prop_map(Step::Settle),
        2 => any::<u8>().prop_map(Step::ChallengeSeal),
        2 => (any::<u8>(), 1..6u8).prop_map(|(a, b)| Step::ChallengeWindow(a, b)),
        1 => any::<u8>().prop_map(Step::Crank),
        3 => (0..6u8, any::<bool>()).prop_map(|(a, b)| Step::Lazy(a, b)),
        1 => any::<bool>().prop_map(Step::Exit),
        1 => (any::<bool>(), any::<u8>()).prop_map(|(a, b)| Step::TopUp(a, b)),
        1 => (any::<bool>(), any::<u8>()).prop_map(|(a, b)| Step::Withdraw(a, b)),
        1 => any::<u8>().prop_map(Step::Equivocate),
        1 => any::<bool>().prop_map(Step::Degrade),
        1 => any::<bool>().prop_map(Step::Starve),
    ]
}

fn who(bob: bool) -> AccountId {
    match bob {
        true => BOB,
        false => ALICE,
    }
}

/// One of these, by a random number.
fn one_of<Id: Ord + core::marker::Copy>(n: u8, ids: impl Iterator<Item = Id>) -> Option<Id> {
    let mut ids: Vec<_> = ids.collect();
    ids.sort();
    ids.get(usize::from(n).checked_rem(ids.len())?).copied()
}

fn pick(n: u8) -> Option<ReplicaId> {
    one_of(n, Replicas::<Test>::iter_keys())
}

fn pick_deal(n: u8) -> Option<tos_types::DealId> {
    one_of(n, OpenDeals::<Test>::iter_keys())
}

fn take(world: &mut World, step: &Step) -> Option<()> {
    let done: DispatchResult = match *step {
        Step::Pass(ticks) => {
            world.pass(ticks.into());
            Ok(())
        }
        Step::Offer(seed, periods) => {
            let client = if seed % 2 == 0 { CLIENT } else { OTHER_CLIENT };
            let retention = Retention::BillingPeriods(periods.into());
            offer(client, &data(u64::from(seed % 3), 100), retention);
            Ok(())
        }
        Step::Cancel(n) => {
            let id = pick_deal(n)?;
            Store::cancel_offer(by(Deals::<Test>::get(id)?.client), id)
        }
        Step::Accept(n, bob) => Store::accept(by(who(bob)), pick_deal(n)?),
        Step::Seal(n, bob) => {
            let deal = pick_deal(n)?;
            let hash = Deals::<Test>::get(deal)?.content.hash;
            let bytes = (0..3)
                .map(|seed| data(seed, 100))
                .find(|bytes| tos_types::content::content_hash(bytes) == hash)?;
            let before = provider(who(bob));
            if before.exiting || before.free() < 11 * TOS || before.bond < 1_000 * TOS {
                return None;
            }
            world.seal(who(bob), deal, &bytes);
            Ok(())
        }
        Step::Pause(n) => Store::pause(by(replica(pick(n)?).provider), pick(n)?),
        Step::Resume(n) => Store::resume(by(replica(pick(n)?).provider), pick(n)?),
        Step::Remove(n) => Store::request_removal(by(replica(pick(n)?).provider), pick(n)?),
        Step::Settle(n) => Store::settle(by(STRANGER), pick(n)?),
        Step::ChallengeSeal(n) => Store::challenge_seal(by(WATCHER), pick(n)?),
        Step::ChallengeWindow(n, back) => {
            let window = Folded::<Test>::get().checked_sub(back.into())?;
            Store::challenge_window(by(WATCHER), pick(n)?, window)
        }
        Step::Crank(n) => Store::crank(by(STRANGER), pick(n)?)
            .map(|_| ())
            .map_err(|refused| refused.error),
        Step::Lazy(n, idle) => {
            let what = [Idle::Audits, Idle::Windows, Idle::Challenges][usize::from(n % 3)];
            match idle {
                true => world.stop(who(n < 3), what),
                false => world.go_on(who(n < 3), what),
            }
            Ok(())
        }
        Step::Exit(bob) => Store::exit(by(who(bob))).and_then(|()| Store::leave(by(who(bob)))),
        Step::TopUp(bob, n) => Store::top_up(by(who(bob)), u128::from(n) * TOS),
        Step::Withdraw(bob, n) => Store::withdraw(by(who(bob)), u128::from(n) * TOS),
        Step::Equivocate(n) => {
            let window = Folded::<Test>::get();
            let (group, _) = replica(pick(n)?).position?;
            let owner = Groups::<Test>::get(group)?.provider;
            let evidence = Box::new(Equivocation {
                window,
                group,
                first: signed_root(owner, window, group, [1; 32]),
                second: signed_root(owner, window, group, [2; 32]),
            });
            Store::report_equivocation(by(WATCHER), evidence)
                .map(|_| ())
                .map_err(|refused| refused.error)
        }
        Step::Degrade(degraded) => {
            set_degraded(degraded);
            Ok(())
        }
        Step::Starve(starve) => {
            // Enough for a miss in a window and a step of the queue.
            let weight = frame_support::weights::Weight::from_parts(20_000_000_000, 600_000);
            MaxWork::set(match starve {
                true => weight,
                false => frame_support::weights::Weight::MAX,
            });
            Ok(())
        }
    };
    done.ok()
}

proptest! {
    #![proptest_config(Config {
        cases: 96,
        rng_seed: RngSeed::Fixed(0x705),
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn no_money_comes_or_goes_whatever_anybody_does(steps in vec(step(), 20..160)) {
        ExtBuilder::with(StorageConfig {
            retention_windows: 3,
            offer_ttl: 5,
            seal_windows: 3,
            billing_windows: 8,
            ..config()
        })
        .execute(|world| {
            world.provider(ALICE, 2_000 * TOS);
            world.provider(BOB, 1_020 * TOS);
            for step in &steps {
                take(world, step);
                if let Err(error) = Store::do_try_state() {
                    panic!("{error:?} after {step:?}");
                }
            }
        });
    }
}
