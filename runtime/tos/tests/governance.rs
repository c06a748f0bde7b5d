// SPDX-License-Identifier: Apache-2.0

//! Decisions by extrinsics alone: what referenda and the committee can do, and what they cannot.

#![allow(clippy::unwrap_used)]

use codec::Encode;
use polkadot_sdk::*;

use frame_support::{
    assert_noop, assert_ok,
    dispatch::GetDispatchInfo,
    traits::{schedule::DispatchTime, Contains, GetCallMetadata, Hooks, StorePreimage},
    weights::Weight,
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_tasks::TypeProfile;
use pallet_tx_pause::RuntimeCallNameOf;
use sp_runtime::{traits::Hash as _, AccountId32, BuildStorage, DispatchError};
use tos_runtime::{configs::NeverPaused, origins::pallet::Origin, time_config::TimeConfig, *};
use tos_types::{TaskType, TOS};

const ENDOWMENT: Balance = 1_000_000 * TOS;
/// The type of tasks that decisions are about.
const KIND: TaskType = TaskType::Custom(7);

fn account(number: u8) -> AccountId {
    AccountId32::new([number; 32])
}

/// Ten accounts, of whom the first three are the technical committee. Nobody has the sudo key.
fn network() -> sp_io::TestExternalities {
    let mut ext: sp_io::TestExternalities = RuntimeGenesisConfig {
        time_config: TimeConfigConfig {
            config: TimeConfig::FAST,
            ..Default::default()
        },
        balances: BalancesConfig {
            balances: (1..=10)
                .map(|n| (account(n), ENDOWMENT))
                .chain([(Treasury::account_id(), 1_000 * TOS)])
                .collect(),
            ..Default::default()
        },
        technical_committee: TechnicalCommitteeConfig {
            members: vec![account(1), account(2), account(3)],
            ..Default::default()
        },
        ..Default::default()
    }
    .build_storage()
    .unwrap()
    .into();
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Lets blocks pass with what the scheduler has to do in them.
fn pass(blocks: u32) {
    for _ in 0..blocks {
        let next = System::block_number() + 1;
        System::set_block_number(next);
        Scheduler::on_initialize(next);
    }
}

fn signed(number: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(number))
}

/// Submits `call` for a referendum and puts its decision deposit down; returns its index.
fn propose(origin: impl Into<OriginCaller>, call: impl Into<RuntimeCall>) -> u32 {
    let index = pallet_referenda::ReferendumCount::<Runtime>::get();
    let call: RuntimeCall = call.into();
    let proposal = Preimage::bound(call).unwrap();
    assert_ok!(Referenda::submit(
        signed(4),
        Box::new(origin.into()),
        proposal,
        DispatchTime::After(0),
    ));
    assert_ok!(Referenda::place_decision_deposit(signed(4), index));
    index
}

/// Accounts 5 to 10 vote with all they have, without conviction.
fn vote(index: u32, aye: bool) {
    for number in 5..=10 {
        let vote = AccountVote::Standard {
            vote: Vote {
                aye,
                conviction: Conviction::Locked1x,
            },
            balance: ENDOWMENT - 10 * TOS,
        };
        assert_ok!(ConvictionVoting::vote(signed(number), index, vote));
    }
}

/// The committee decides on `call`, with two of its three members for it.
fn motion(call: impl Into<RuntimeCall>) {
    let call: RuntimeCall = call.into();
    let (length, weight) = (
        call.encoded_size() as u32,
        call.get_dispatch_info().call_weight,
    );
    let hash = <Runtime as frame_system::Config>::Hashing::hash_of(&call);
    let index = pallet_collective::ProposalCount::<Runtime, configs::TechnicalCollective>::get();
    assert_ok!(TechnicalCommittee::propose(
        signed(1),
        2,
        Box::new(call),
        length
    ));
    for member in [1, 2] {
        assert_ok!(TechnicalCommittee::vote(signed(member), hash, index, true));
    }
    assert_ok!(TechnicalCommittee::close(
        signed(9),
        hash,
        index,
        weight.saturating_add(Weight::from_parts(1_000_000_000, 100_000)),
        length
    ));
}

/// How the last motion ended.
fn motion_result() -> Result<(), DispatchError> {
    System::events()
        .into_iter()
        .rev()
        .find_map(|record| match record.event {
            RuntimeEvent::TechnicalCommittee(pallet_collective::Event::Executed {
                result, ..
            }) => Some(result),
            _ => None,
        })
        .expect("a motion was executed")
}

fn profile() -> TypeProfile {
    TypeProfile {
        equal_answers_allowed: true,
        tool: None,
    }
}

/// Gives [`KIND`] its [`profile`].
fn set_type() -> pallet_tasks::Call<Runtime> {
    pallet_tasks::Call::set_task_type {
        task_type: KIND,
        profile: Some(profile()),
    }
}

/// The name of a call, as pauses have it.
fn name(pallet: &str, call: &str) -> RuntimeCallNameOf<Runtime> {
    (
        pallet.as_bytes().to_vec().try_into().unwrap(),
        call.as_bytes().to_vec().try_into().unwrap(),
    )
}

#[test]
fn a_parameter_changes_by_votes_alone() {
    network().execute_with(|| {
        let index = propose(Origin::Parameters, set_type());
        vote(index, true);
        pass(2 + 12 + 12 + 4);
        assert_eq!(
            pallet_tasks::TaskTypes::<Runtime>::get(KIND),
            Some(profile())
        );
    });
}

#[test]
fn what_the_votes_refuse_does_not_happen() {
    network().execute_with(|| {
        let index = propose(Origin::Parameters, set_type());
        vote(index, false);
        pass(2 + 7 * 24 + 12 + 12 + 4);
        assert_eq!(pallet_tasks::TaskTypes::<Runtime>::get(KIND), None);
        assert!(!Referenda::is_referendum_passing(index).unwrap_or(false));
    });
}

#[test]
fn a_track_cannot_do_what_another_is_for() {
    network().execute_with(|| {
        let before = Balances::free_balance(account(9));
        let call = pallet_balances::Call::force_set_balance {
            who: account(9).into(),
            new_free: 0,
        };
        let index = propose(Origin::Parameters, call);
        vote(index, true);
        pass(2 + 12 + 12 + 4);
        assert_eq!(Balances::free_balance(account(9)), before);
    });
}

#[test]
fn a_spend_is_paid_once() {
    network().execute_with(|| {
        let call = pallet_treasury::Call::spend {
            asset_kind: Box::new(()),
            amount: 300 * TOS,
            beneficiary: Box::new(account(20)),
            valid_from: None,
        };
        let index = propose(Origin::Treasurer, call);
        vote(index, true);
        pass(2 + 12 + 12 + 4);
        let spend = pallet_treasury::SpendCount::<Runtime>::get() - 1;
        assert_ok!(Treasury::payout(signed(9), spend));
        assert_eq!(Balances::free_balance(account(20)), 300 * TOS);
        assert!(Treasury::payout(signed(9), spend).is_err());
        assert_ok!(Treasury::check_status(signed(9), spend));
        assert!(Treasury::payout(signed(9), spend).is_err());
        assert_eq!(Balances::free_balance(account(20)), 300 * TOS);
    });
}

#[test]
fn the_committee_pauses_what_begins_something_and_resumes_it() {
    network().execute_with(|| {
        let transfer = RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
            dest: account(9).into(),
            value: TOS,
        });
        let allowed =
            |call: &RuntimeCall| <Runtime as frame_system::Config>::BaseCallFilter::contains(call);
        assert!(allowed(&transfer));
        let full_name = name("Balances", "transfer_keep_alive");
        motion(pallet_tx_pause::Call::pause {
            full_name: full_name.clone(),
        });
        assert_ok!(motion_result());
        assert!(!allowed(&transfer));

        motion(pallet_tx_pause::Call::unpause { ident: full_name });
        assert_ok!(motion_result());
        assert!(allowed(&transfer));

        for (pallet, call) in [
            ("Rewards", "claim"),
            ("Tasks", "reveal"),
            ("Tasks", "crank"),
            ("Judges", "reveal_vote"),
            ("Miners", "withdraw"),
            ("Storage", "respond_audit"),
            ("Referenda", "submit"),
            ("TxPause", "unpause"),
        ] {
            motion(pallet_tx_pause::Call::pause {
                full_name: name(pallet, call),
            });
            assert_eq!(
                motion_result(),
                Err(pallet_tx_pause::Error::<Runtime>::Unpausable.into()),
                "{pallet}.{call}"
            );
        }
    });
}

#[test]
fn one_member_cannot_pause() {
    network().execute_with(|| {
        let full_name = name("Tasks", "publish");
        let call = RuntimeCall::TxPause(pallet_tx_pause::Call::pause {
            full_name: full_name.clone(),
        });
        assert_ok!(TechnicalCommittee::execute(
            signed(1),
            Box::new(call.clone()),
            call.encoded_size() as u32
        ));
        assert!(!TxPause::is_paused(&full_name));
        assert_noop!(
            TxPause::pause(signed(1), full_name),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn the_committee_can_do_nothing_else() {
    network().execute_with(|| {
        let calls: Vec<RuntimeCall> = vec![
            pallet_balances::Call::force_set_balance {
                who: account(9).into(),
                new_free: 0,
            }
            .into(),
            frame_system::Call::set_storage { items: vec![] }.into(),
            pallet_tasks::Call::set_task_type {
                task_type: KIND,
                profile: None,
            }
            .into(),
            pallet_miners::Call::suspend {
                who: account(9),
                duration: 10,
            }
            .into(),
        ];
        for call in calls {
            motion(call.clone());
            assert_eq!(motion_result(), Err(DispatchError::BadOrigin), "{call:?}");
        }
    });
}

#[test]
fn a_whitelisted_call_passes_in_hours_and_only_that_call() {
    network().execute_with(|| {
        let remark = |text: &[u8]| {
            RuntimeCall::System(frame_system::Call::set_storage {
                items: vec![(text.to_vec(), vec![1])],
            })
        };
        let dispatch =
            |call: RuntimeCall| pallet_whitelist::Call::dispatch_whitelisted_call_with_preimage {
                call: Box::new(call),
            };
        let call_hash = <Runtime as frame_system::Config>::Hashing::hash_of(&remark(b"good"));
        motion(pallet_whitelist::Call::whitelist_call { call_hash });
        assert_ok!(motion_result());
        for text in [b"good", b"evil"] {
            let index = propose(Origin::WhitelistedCaller, dispatch(remark(text)));
            vote(index, true);
        }
        pass(1 + 1 + 1 + 4);
        let stored = |key: &[u8]| frame_support::storage::unhashed::get_raw(key);
        assert_eq!(stored(b"good"), Some(vec![1]));
        assert_eq!(stored(b"evil"), None);
    });
}

#[test]
fn an_upgrade_is_authorised_by_referendum() {
    network().execute_with(|| {
        let code_hash = Hash::repeat_byte(7);
        let call = frame_system::Call::authorize_upgrade { code_hash };
        let index = propose(OriginCaller::system(frame_system::RawOrigin::Root), call);
        vote(index, true);
        assert!(System::authorized_upgrade().is_none());
        pass(2 + 24 + 24 + 4);
        assert_eq!(
            *System::authorized_upgrade().unwrap().code_hash(),
            code_hash
        );
    });
}

#[test]
fn an_emergency_referendum_ends_a_pause() {
    network().execute_with(|| {
        let full_name = name("Tasks", "publish");
        motion(pallet_tx_pause::Call::pause {
            full_name: full_name.clone(),
        });
        assert!(TxPause::is_paused(&full_name));
        let call = pallet_tx_pause::Call::unpause {
            ident: full_name.clone(),
        };
        let index = propose(Origin::Emergency, call);
        vote(index, true);
        pass(1 + 1 + 4);
        assert!(!TxPause::is_paused(&full_name));
    });
}

#[test]
fn what_may_be_paused_exists() {
    let mut pausable = 0;
    for pallet in RuntimeCall::get_module_names() {
        for call in RuntimeCall::get_call_names(pallet) {
            if !NeverPaused::contains(&name(pallet, call)) {
                pausable += 1;
            }
        }
    }
    // As many as the list has: a misspelt entry would not be found.
    assert_eq!(pausable, configs::pausable_calls());
}
