// SPDX-License-Identifier: Apache-2.0

//! The pallet's own flows of held money, with the accounts of a task in every state.

use super::*;
use sp_runtime::DispatchError;
use std::collections::BTreeSet;
use tos_pallet_support::testing::{Flow, Flows, Started};

/// The rest of a task, which takes all its steps by itself.
fn rest(id: TaskId, parties: &[u64], closure: Closure) -> Started {
    Started::new(parties, move || {
        assert_eq!(finish(id), closure);
        let mut told = events().into_iter();
        match told.any(|event| matches!(event, Event::StepFailed { .. })) {
            true => Err(DispatchError::Other("a step failed")),
            false => Ok(()),
        }
    })
}

/// One answer is good, one is not, and one never comes.
fn settled() -> Started {
    let id = joined(&[CAROL]);
    judged(id, &[ALICE, BOB], &[good(80), bad(Verdict::Malformed)]);
    rest(id, &[PUBLISHER, ALICE, BOB, CAROL], Closure::Settled)
}

/// The same with stakes below the existential deposit.
fn settled_with_dust() -> Started {
    let mut terms = TERMS.get();
    terms.beginner.stake = ED - 1;
    TERMS.set(terms);
    let started = settled();
    assert_eq!(held(BOB, HoldReason::AnswerStake), ED - 1);
    started
}

fn expired() -> Started {
    let id = joined(&[ALICE]);
    committed(id, &[BOB]);
    rest(id, &[PUBLISHER, ALICE, BOB], Closure::Expired)
}

fn unresolved() -> Started {
    let id = publish();
    (0..3).for_each(|_| next_round(Tally::NoQuorum, &[]));
    answered(id, &[ALICE, BOB]);
    rest(id, &[PUBLISHER, ALICE, BOB], Closure::Unresolved)
}

/// A task that no miner has joined: its publisher gets the reward back, less a fee.
fn cancelled() -> Started {
    let id = publish();
    Started::new([PUBLISHER], move || {
        Work::cancel(RuntimeOrigin::signed(PUBLISHER), id)
    })
}

/// Bob challenges his quality of 40.
fn challenged(tally: Tally, after: u8) -> Started {
    let id = judged_task(&[ALICE, BOB], &[good(80), good(40)]);
    challenge(BOB, id);
    next_round(tally, &[good(80), good(after)]);
    rest(id, &[PUBLISHER, ALICE, BOB], Closure::Settled)
}

const FLOWS: &[Flow] = &[
    ("settled", settled),
    ("settled with dust", settled_with_dust),
    ("expired", expired),
    ("unresolved", unresolved),
    ("cancelled", cancelled),
    ("challenge upheld", || challenged(Tally::Consensus, 60)),
    ("challenge rejected", || challenged(Tally::Consensus, 50)),
    ("challenge without a quorum", || {
        challenged(Tally::NoQuorum, 40)
    }),
];

fn booked() -> Vec<(u64, RuntimeHoldReason, Balance)> {
    let mut parts = Vec::new();
    let mut add = |who, reason: HoldReason, amount| parts.push((who, reason.into(), amount));
    for (id, task) in Tasks::<Test>::iter() {
        if task.is_closed() {
            continue;
        }
        add(
            task.publisher,
            HoldReason::PublisherStake,
            task.publisher_stake,
        );
        for (miner, submission) in Submissions::<Test>::iter_prefix(id) {
            add(miner, HoldReason::AnswerStake, submission.stake);
        }
        let open = Challenges::<Test>::get(id).filter(|challenge| challenge.upheld.is_none());
        if let Some(challenge) = open {
            add(
                challenge.challenger,
                HoldReason::ChallengeBond,
                challenge.bond,
            );
        }
    }
    parts
}

fn told() -> BTreeSet<u64> {
    let told = events().into_iter().filter_map(|event| match event {
        Event::Undeliverable { who, .. } => Some(who),
        Event::SlashFailed { .. } => Some(TREASURY),
        _ => None,
    });
    told.chain(script(|s| s.unpaid.clone())).collect()
}

#[test]
fn no_account_of_a_task_holds_up_the_others_and_every_wei_is_accounted_for() {
    let flows = Flows::<Test> {
        treasury: Some(TREASURY),
        flows: FLOWS,
        chain: || chain(100),
        booked,
        told,
        check: || Work::do_try_state().unwrap(),
    };
    flows.conform();
}

#[test]
fn a_stake_that_its_owner_cannot_receive_goes_to_the_treasury_and_the_task_closes() {
    ExtBuilder::execute(|| {
        let id = joined(&[ALICE, BOB]);
        // An account that cannot be credited any more.
        let account = |free| {
            frame_system::Account::<Test>::mutate(ALICE, |account| {
                std::mem::replace(&mut account.data.free, free)
            })
        };
        let before = account(u128::MAX);
        assert_eq!(finish(id), Closure::Expired);
        account(before);
        let amount = TOS - TOS / 10;
        assert_event(Event::Undeliverable {
            task: id,
            who: ALICE,
            amount,
            to: TREASURY,
        });
        assert_eq!(free(TREASURY), TOS + 2 * TOS / 10 + amount);
        assert_eq!(wealth(BOB), ENDOWMENT - TOS / 10);
        assert_eq!(free(PUBLISHER), ENDOWMENT);
    });
}

#[test]
fn a_stake_that_is_not_on_hold_as_booked_does_not_keep_the_others_from_theirs() {
    ExtBuilder::execute(|| {
        use frame_support::traits::{fungible::MutateHold, tokens::Precision};
        let id = joined(&[ALICE, BOB]);
        let reason = HoldReason::AnswerStake.into();
        assert_ok!(<Balances as MutateHold<u64>>::release(
            &reason,
            &ALICE,
            TOS,
            Precision::Exact
        ));
        assert_eq!(finish(id), Closure::Expired);
        assert_event(Event::SlashFailed {
            task: id,
            who: ALICE,
            amount: TOS / 10,
        });
        assert_event(Event::Undeliverable {
            task: id,
            who: ALICE,
            amount: TOS,
            to: ALICE,
        });
        assert_eq!(free(BOB), ENDOWMENT - TOS / 10);
        assert_eq!(free(PUBLISHER), ENDOWMENT);
    });
}
