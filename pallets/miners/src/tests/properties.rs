// SPDX-License-Identifier: Apache-2.0

//! Properties under random sequences of actions.

use crate::mock::*;
use crate::{Claim, Declarations, Miners as Register, Suspensions};
use frame_support::traits::fungible::Inspect;
use polkadot_sdk::*;
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeMap;
use tos_interfaces::MinerRegistry;
use tos_types::{task::Certification, TaskType, Tick, BP};

#[derive(Clone, Debug)]
enum Action {
    Register(u64, Vec<TaskType>),
    SetSpecialisations(u64, Vec<TaskType>),
    Leave(u64),
    Withdraw(u64),
    Rejoin(u64),
    Reactivate(u64),
    Start(u64, TaskType),
    Finish(u64, bool),
    Suspend(u64, Tick),
    Lift(u64),
    SetOwner(u64, Option<u64>),
    Declare(u64, u64),
    Retract(u64, u64),
    Certify(u64, Tick),
    Endorse(u64, u64),
    Disown(u64, u64, u64),
    Review(u64, u16),
    Advance(Tick),
}

fn task_type() -> impl Strategy<Value = TaskType> {
    prop_oneof![
        Just(TaskType::CodeAnalysis),
        Just(TaskType::SecurityAudit),
        Just(TaskType::General),
        (0u8..2).prop_map(TaskType::Custom),
    ]
}

fn declaration() -> impl Strategy<Value = Action> {
    let who = || 1u64..=4;
    prop_oneof![
        (who(), proptest::option::of(who())).prop_map(|(w, o)| Action::SetOwner(w, o)),
        (who(), who()).prop_map(|(w, o)| Action::Declare(w, o)),
        (who(), who()).prop_map(|(w, o)| Action::Retract(w, o)),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let who = || 1u64..=4;
    prop_oneof![
        3 => (who(), vec(task_type(), 0..4)).prop_map(|(w, t)| Action::Register(w, t)),
        2 => (who(), vec(task_type(), 0..4)).prop_map(|(w, t)| Action::SetSpecialisations(w, t)),
        3 => who().prop_map(Action::Leave),
        3 => who().prop_map(Action::Withdraw),
        1 => who().prop_map(Action::Rejoin),
        1 => who().prop_map(Action::Reactivate),
        4 => (who(), task_type()).prop_map(|(w, t)| Action::Start(w, t)),
        4 => (who(), any::<bool>()).prop_map(|(w, c)| Action::Finish(w, c)),
        1 => (who(), 0..4_000u32).prop_map(|(w, d)| Action::Suspend(w, d)),
        1 => who().prop_map(Action::Lift),
        3 => declaration(),
        2 => (who(), 0..500u32).prop_map(|(w, e)| Action::Certify(w, e)),
        3 => (who(), who()).prop_map(|(e, w)| Action::Endorse(e, w)),
        1 => (who(), who(), who()).prop_map(|(b, e, w)| Action::Disown(b, e, w)),
        2 => (who(), 0..=BP).prop_map(|(w, r)| Action::Review(w, r)),
        4 => (0..300u32).prop_map(Action::Advance),
    ]
}

/// Does it, whether or not it is allowed; finishes only what was started, as the tasks pallet does.
fn act(action: Action) {
    let root = RuntimeOrigin::root;
    // Refusals are part of the game: what matters is the state that is left.
    let _ = match action {
        Action::Register(who, t) => Miners::register(signed(who), types(&t)),
        Action::SetSpecialisations(who, t) => Miners::set_specialisations(signed(who), types(&t)),
        Action::Leave(who) => Miners::leave(signed(who)),
        Action::Withdraw(who) => Miners::withdraw(signed(who)),
        Action::Rejoin(who) => Miners::rejoin(signed(who)),
        Action::Reactivate(who) => Miners::reactivate(signed(who)),
        Action::Start(who, t) => Miners::start_task(&who, t),
        Action::Finish(who, completed) => {
            if open_tasks(who) > 0 {
                Miners::finish_task(&who, completed);
            }
            Ok(())
        }
        Action::Suspend(who, duration) => Miners::suspend(root(), who, duration),
        Action::Lift(who) => Miners::lift_suspension(root(), who),
        Action::SetOwner(who, owner) => Miners::set_owner(signed(who), owner),
        Action::Declare(who, other) => Miners::declare_relation(signed(who), other),
        Action::Retract(who, other) => Miners::retract_relation(signed(who), other),
        Action::Certify(who, expires) => {
            Miners::certify(root(), who, Certification::Professional, expires)
        }
        Action::Endorse(endorser, who) => Miners::endorse(signed(endorser), who),
        Action::Disown(by, endorser, who) => Miners::retract_endorsement(signed(by), endorser, who),
        Action::Review(who, reputation) => {
            TestReputation::set(who, reputation);
            Miners::review_level(signed(who), who)
        }
        Action::Advance(ticks) => {
            TestClock::advance(ticks);
            Ok(())
        }
    };
}

/// Declarations, and time that passes between them.
fn declaration_in_time() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => declaration(),
        2 => (0..AFTER_EFFECT / 2).prop_map(Action::Advance),
    ]
}

/// The accounts whose tasks of that tick `who` keeps away from.
fn recusals_of(who: u64, published: Tick) -> Vec<u64> {
    (1..=4)
        .filter(|party| Miners::recuses(&who, &[*party], published))
        .collect()
}

/// The accounts that `who` keeps away from by all that was declared until now.
fn recusals(who: u64) -> Vec<u64> {
    recusals_of(who, now() + 1)
}

/// Returns `true` if one of the claims names this account for tasks of that tick.
fn names(claims: &[Claim<u64>], other: u64, published: Tick) -> bool {
    claims.iter().any(|claim| {
        let begun = claim.since < published;
        claim.other == other && begun && claim.until.is_none_or(|until| published < until)
    })
}

fn open_tasks(who: u64) -> u32 {
    Register::<Test>::get(who).map_or(0, |m| m.open_tasks)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Holds equal records, for everybody and at all times, and no account's money changes.
    #[test]
    fn holds_are_what_the_register_says(actions in vec(action(), 1..120)) {
        ExtBuilder::default().build().execute_with(|| {
            let before: Vec<_> = (1..=4).map(total).collect();
            let issued = Balances::total_issuance();
            for action in actions {
                act(action);
                Miners::do_try_state().unwrap();
                for who in 1..=4 {
                    let recorded = Register::<Test>::get(who).map_or(0, |m| m.stake);
                    assert_eq!(held(who), recorded);
                }
                assert_eq!((1..=4).map(total).collect::<Vec<_>>(), before);
            }
            assert_eq!(Balances::total_issuance(), issued);
        });
    }

    /// Whatever happened before: once its tasks are over, every miner gets out what is held from
    /// it, by leaving and waiting.
    #[test]
    fn nothing_is_ever_stranded(actions in vec(action(), 1..120)) {
        ExtBuilder::default().build().execute_with(|| {
            actions.into_iter().for_each(act);
            let miners: Vec<u64> = Register::<Test>::iter_keys().collect();
            for who in &miners {
                while open_tasks(*who) > 0 {
                    Miners::finish_task(who, false);
                }
                let leaving = Miners::miner(*who).unwrap().withdrawable_at.is_some();
                assert!(leaving || Miners::leave(signed(*who)).is_ok());
            }
            for who in miners {
                let at = Miners::miner(who).unwrap().withdrawable_at.unwrap();
                TestClock::set(at.max(now()));
                let stake = held(who);
                let free = Balances::balance(&who);
                Miners::withdraw(signed(who)).unwrap();
                assert_eq!(Balances::balance(&who), free + stake);
                assert_eq!(held(who), 0);
            }
            assert_eq!(Register::<Test>::count(), 0);
            Miners::do_try_state().unwrap();
        });
    }

    /// An account keeps away from itself and from whom it, or the owner it named, says so.
    #[test]
    fn accounts_recuse_themselves_for_the_named_reasons_only(
        actions in vec(declaration_in_time(), 1..40),
    ) {
        ExtBuilder::default().build().execute_with(|| {
            actions.into_iter().for_each(act);
            for who in 1..=4u64 {
                for published in [now() / 2, now(), now() + 1, now() + AFTER_EFFECT / 2] {
                    let owned =
                        |by: u64| names(&Declarations::<Test>::get(who).owners, by, published);
                    let said = |author: u64, party: u64| {
                        names(&Declarations::<Test>::get(author).relations, party, published)
                    };
                    let expected: Vec<u64> = (1..=4)
                        .filter(|party| {
                            who == *party
                                || said(who, *party)
                                || owned(*party)
                                || (1..=4).any(|owner| owned(owner) && said(owner, *party))
                        })
                        .collect();
                    assert_eq!(recusals_of(who, published), expected);
                }
            }
        });
    }

    /// Whatever accounts declare and take back: for what is published already it changes nothing, as
    /// long as a task can want a panel.
    #[test]
    fn no_declaration_changes_who_may_judge_what_is_published(
        actions in vec(declaration_in_time(), 1..30),
    ) {
        ExtBuilder::default().build().execute_with(|| {
            let tables = |published: Tick| -> Vec<Vec<u64>> {
                (1..=4).map(|who| recusals_of(who, published)).collect()
            };
            let mut seen: BTreeMap<Tick, Vec<Vec<u64>>> = BTreeMap::new();
            for action in actions {
                seen.insert(now(), tables(now()));
                act(action);
                Miners::do_try_state().unwrap();
                seen.retain(|published, _| now() < published + AFTER_EFFECT);
                for (published, table) in &seen {
                    assert_eq!(&tables(*published), table, "published in {published}");
                }
            }
        });
    }

    /// Whatever others declare: it keeps an account neither away from anything nor in. Only the
    /// account and the owner that it named can do that.
    #[test]
    fn no_outsider_changes_whether_an_account_recuses_itself(
        actions in vec(declaration_in_time(), 1..60),
    ) {
        ExtBuilder::default().build().execute_with(|| {
            for action in actions {
                let (Action::SetOwner(author, _)
                | Action::Declare(author, _)
                | Action::Retract(author, _)) = action
                else {
                    act(action);
                    continue;
                };
                let owned = |who: u64| {
                    let owners = Declarations::<Test>::get(who).owners;
                    owners.iter().any(|claim| claim.other == author)
                };
                let outside: Vec<(u64, Vec<u64>)> = (1..=4)
                    .filter(|who| *who != author && !owned(*who))
                    .map(|who| (who, recusals(who)))
                    .collect();
                act(action);
                for (who, before) in outside {
                    assert_eq!(recusals(who), before);
                }
            }
        });
    }

    /// Suspended accounts take no task, whatever else they do.
    #[test]
    fn the_suspended_do_not_work(actions in vec(action(), 1..60)) {
        ExtBuilder::default().build().execute_with(|| {
            for action in actions {
                if let Action::Start(who, task_type) = action {
                    let suspended =
                        Suspensions::<Test>::get(who).is_some_and(|until| now() < until);
                    let started = Miners::start_task(&who, task_type).is_ok();
                    assert!(!(suspended && started));
                } else {
                    act(action);
                }
            }
        });
    }
}
