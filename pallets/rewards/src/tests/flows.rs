// SPDX-License-Identifier: Apache-2.0

//! Random sequences of everything that moves money: what goes in comes out, after every step.

use crate::mock::*;
use crate::{Claims, Error, Escrows, Event};
use frame_support::{
    assert_ok,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Preservation},
    },
    weights::Weight,
};
use polkadot_sdk::*;
use proptest::prelude::*;
use tos_formulas::split::{JudgedAnswer, QualityBars};
use tos_interfaces::{Settlement, Vault};
use tos_types::{params::MIN_PARTICIPATION_QUALITY, Balance, Bp, Difficulty, TaskType};

/// Tasks and accounts that steps choose among; some accounts start without money.
const TASKS: u64 = 6;
const ACCOUNTS: [u64; 10] = [ALICE, BOB, M1, M2, M3, V1, V2, GHOST, 67, TREASURY];
/// Accounts that publish: two with much money, one of whom may lose it, and one with little.
const PUBLISHERS: [u64; 4] = [ALICE, ALICE, BOB, M1];
/// Has money and takes no part.
const BANK: u64 = 1_000;

#[derive(Clone, Debug)]
enum Step {
    Deposit {
        task: u64,
        publisher: u64,
        amount: Balance,
    },
    Refund {
        task: u64,
        fee: Balance,
    },
    Settle {
        task: u64,
        answers: Vec<(u64, JudgedAnswer)>,
        votes: Vec<(u64, Bp)>,
    },
    Claim {
        who: u64,
        task: u64,
    },
    ClaimAll {
        who: u64,
    },
    AutoClaim {
        who: u64,
        enabled: bool,
    },
    ClaimFor {
        owner: u64,
        task: u64,
    },
    ClaimAllFor {
        owner: u64,
    },
    Drain {
        who: u64,
    },
    Wait {
        ticks: u32,
    },
    Idle {
        claims: u64,
    },
}

fn account() -> impl Strategy<Value = u64> {
    prop::sample::select(&ACCOUNTS[..])
}

fn judged() -> impl Strategy<Value = JudgedAnswer> {
    (
        0..=100u8,
        0..=100u8,
        0..=10_000u16,
        prop::bool::weighted(0.8),
    )
        .prop_map(|(quality, innovation, timeliness, eligible)| JudgedAnswer {
            quality,
            innovation,
            timeliness,
            eligible,
        })
}

fn step() -> impl Strategy<Value = Step> {
    let task = 0..TASKS;
    prop_oneof![
        4 => (task.clone(), prop::sample::select(&PUBLISHERS[..]), 0..3_000u128)
            .prop_map(|(task, publisher, amount)| Step::Deposit { task, publisher, amount }),
        1 => (task.clone(), 0..400u128).prop_map(|(task, fee)| Step::Refund { task, fee }),
        4 => (
            task.clone(),
            prop::collection::vec((account(), judged()), 0..6),
            prop::collection::vec((account(), 0..=10_000u16), 0..9),
        )
            .prop_map(|(task, answers, votes)| Step::Settle { task, answers, votes }),
        2 => (account(), task.clone()).prop_map(|(who, task)| Step::Claim { who, task }),
        1 => account().prop_map(|who| Step::ClaimAll { who }),
        1 => (account(), any::<bool>())
            .prop_map(|(who, enabled)| Step::AutoClaim { who, enabled }),
        1 => (account(), task).prop_map(|(owner, task)| Step::ClaimFor { owner, task }),
        1 => account().prop_map(|owner| Step::ClaimAllFor { owner }),
        1 => account()
            .prop_filter("the richest stays rich", |who| *who != ALICE)
            .prop_map(|who| Step::Drain { who }),
        2 => (1..CLAIM_WINDOW).prop_map(|ticks| Step::Wait { ticks }),
        2 => (0..5u64).prop_map(|claims| Step::Idle { claims }),
    ]
}

/// Runs a step. A refused one changes nothing, as a dispatch would have it.
fn run(step: Step) {
    let signed = RuntimeOrigin::signed;
    let done: sp_runtime::DispatchResult = frame_support::storage::with_storage_layer(|| {
        match step {
            Step::Deposit {
                task: nonce,
                publisher,
                amount,
            } => {
                Rewards::deposit(&task(nonce), &publisher, amount)?;
            }
            Step::Refund { task: nonce, fee } => Rewards::refund(&task(nonce), fee)?,
            Step::Settle {
                task: nonce,
                answers,
                votes,
            } => {
                let (split, winners) =
                    Rewards::division(TaskType::CodeAnalysis, Difficulty::Beginner);
                Rewards::settle(&Settlement {
                    task: task(nonce),
                    split,
                    winners,
                    bars: QualityBars {
                        win: 50,
                        take_part: MIN_PARTICIPATION_QUALITY,
                    },
                    answers,
                    judges: votes,
                })?;
            }
            Step::Claim { who, task: nonce } => Rewards::claim(signed(who), task(nonce))?,
            Step::ClaimAll { who } => {
                Rewards::claim_all(signed(who)).map_err(|refused| refused.error)?;
            }
            Step::AutoClaim { who, enabled } => Rewards::set_auto_claim(signed(who), enabled)?,
            Step::ClaimFor { owner, task: nonce } => {
                Rewards::claim_for(signed(BOB), owner, task(nonce))?
            }
            Step::ClaimAllFor { owner } => {
                Rewards::claim_all_for(signed(BOB), owner).map_err(|refused| refused.error)?;
            }
            Step::Drain { who } => {
                let all =
                    Balances::reducible_balance(&who, Preservation::Expendable, Fortitude::Polite);
                Balances::transfer(&who, &BANK, all, Preservation::Expendable)?;
            }
            Step::Wait { ticks } => TestClock::advance(ticks),
            Step::Idle { claims } => {
                let limit = Weight::from_parts(1_000_000_000_000, 0) * claims;
                assert!(idle(limit).all_lte(limit));
            }
        }
        Ok(())
    });
    let never = [
        Error::<Test>::SplitInexact.into(),
        sp_runtime::DispatchError::Corruption,
    ];
    assert!(!done.is_err_and(|refused| never.contains(&refused)));
}

/// Both sides of every flow, summed over the events.
#[derive(Default)]
struct Ledger {
    deposited: Balance,
    left_escrow: Balance,
    booked: Balance,
    left_claims: Balance,
}

impl Ledger {
    fn record(&mut self, events: Vec<Event<Test>>) {
        // What settlements say they gave is what beneficiaries were told they got.
        let (mut told, mut given) = (0, 0);
        for event in events {
            match event {
                Event::Deposited { amount, .. } => self.deposited += amount,
                Event::Refunded { amount, fee, .. } => self.left_escrow += amount + fee,
                Event::Settled {
                    participants,
                    judges,
                    network,
                    refund,
                    ..
                } => {
                    given += participants + judges;
                    self.left_escrow += participants + judges + network + refund;
                }
                Event::RewardBooked { amount, auto, .. } => {
                    told += amount;
                    self.booked += if auto { 0 } else { amount };
                }
                Event::Claimed { amount, .. } => self.left_claims += amount,
                _ => {}
            }
        }
        assert_eq!(told, given);
    }

    fn check(&self) {
        let escrows: Balance = Escrows::<Test>::iter_values()
            .map(|escrow| escrow.amount)
            .sum();
        assert_eq!(
            self.deposited,
            self.left_escrow + escrows,
            "through the escrow"
        );
        let claims: Balance = Claims::<Test>::iter_values()
            .map(|claim| claim.amount)
            .sum();
        assert_eq!(self.booked, self.left_claims + claims, "through the claims");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_flow_is_conserved_after_every_step(
        steps in prop::collection::vec(step(), 1..80),
        treasury in any::<bool>(),
    ) {
        let builder =
            if treasury { ExtBuilder::default() } else { ExtBuilder::without_treasury() };
        builder.build().execute_with(|| {
            assert_ok!(Balances::mint_into(&BANK, RICH));
            let issuance = Balances::total_issuance();
            let mut ledger = Ledger::default();
            for step in steps {
                run(step);
                ledger.record(events());
                ledger.check();
                assert_eq!(Balances::total_issuance(), issuance);
                check_state();
            }
        });
    }
}
