// SPDX-License-Identifier: Apache-2.0

//! Proxies: every call of the runtime is listed with the kinds that allow it, and what a thief of a
//! worker's key can not do.

use super::*;
use codec::Decode;
use frame_support::{assert_ok, traits::GetCallMetadata};
use sp_runtime::MultiAddress;
use std::collections::{BTreeMap, BTreeSet};
use ProxyType::{CancelProxy, Governance, NonTransfer, Staking as Stakes, Worker};

/// Every call by its pallet, with the kinds of proxies besides `Any` that allow it. A new call has
/// to be decided here.
const TABLE: &[(&str, &str, &[ProxyType])] = &[
    ("System", "remark remark_with_event", &[NonTransfer]),
    (
        "System",
        "set_heap_pages set_code set_code_without_checks set_storage kill_storage \
         kill_prefix authorize_upgrade authorize_upgrade_without_checks \
         apply_authorized_upgrade",
        &[],
    ),
    (
        "Babe",
        "report_equivocation report_equivocation_unsigned plan_config_change",
        &[],
    ),
    ("Timestamp", "set", &[]),
    (
        "Balances",
        "transfer_allow_death force_transfer transfer_keep_alive transfer_all \
         force_unreserve upgrade_accounts force_set_balance force_adjust_total_issuance \
         burn",
        &[],
    ),
    (
        "Staking",
        "bond bond_extra unbond withdraw_unbonded validate nominate chill set_payee \
         set_controller set_validator_count increase_validator_count \
         scale_validator_count force_no_eras force_new_era set_invulnerables \
         force_unstake force_new_era_always cancel_deferred_slash payout_stakers rebond \
         reap_stash kick set_staking_configs chill_other force_apply_min_commission \
         set_min_commission payout_stakers_by_page update_payee \
         deprecate_controller_batch restore_ledger migrate_currency manual_slash",
        &[NonTransfer, Stakes],
    ),
    (
        "VoterList",
        "rebag put_in_front_of put_in_front_of_other",
        &[NonTransfer, Stakes],
    ),
    ("Session", "set_keys purge_keys", &[NonTransfer, Stakes]),
    (
        "Grandpa",
        "report_equivocation report_equivocation_unsigned note_stalled",
        &[],
    ),
    (
        "Treasury",
        "spend_local remove_approval spend payout check_status void_spend",
        &[NonTransfer, Governance],
    ),
    (
        "Preimage",
        "note_preimage unnote_preimage request_preimage unrequest_preimage ensure_updated",
        &[NonTransfer, Governance],
    ),
    (
        "Scheduler",
        "schedule cancel schedule_named cancel_named schedule_after schedule_named_after \
         set_retry set_retry_named cancel_retry cancel_retry_named",
        &[],
    ),
    (
        "Utility",
        "batch batch_all force_batch",
        &[NonTransfer, Governance, Stakes, Worker],
    ),
    (
        "Utility",
        "as_derivative dispatch_as with_weight if_else dispatch_as_fallible",
        &[],
    ),
    (
        "Multisig",
        "as_multi_threshold_1 as_multi approve_as_multi cancel_as_multi poke_deposit",
        &[],
    ),
    (
        "Proxy",
        "proxy add_proxy remove_proxy remove_proxies create_pure kill_pure announce \
         remove_announcement proxy_announced poke_deposit",
        &[],
    ),
    ("Proxy", "reject_announcement", &[NonTransfer, CancelProxy]),
    (
        "MultiBlockMigrations",
        "force_set_cursor force_set_active_cursor force_onboard_mbms clear_historic",
        &[],
    ),
    (
        "Sudo",
        "sudo sudo_unchecked_weight set_key sudo_as remove_key",
        &[],
    ),
    (
        "ConvictionVoting",
        "vote delegate undelegate unlock remove_vote remove_other_vote",
        &[NonTransfer, Governance],
    ),
    (
        "Referenda",
        "submit place_decision_deposit refund_decision_deposit refund_submission_deposit \
         set_metadata",
        &[NonTransfer, Governance],
    ),
    (
        "Referenda",
        "cancel kill nudge_referendum one_fewer_deciding",
        &[],
    ),
    (
        "TechnicalCommittee",
        "set_members execute disapprove_proposal kill release_proposal_cost",
        &[],
    ),
    (
        "TechnicalCommittee",
        "propose vote close",
        &[NonTransfer, Governance],
    ),
    (
        "Whitelist",
        "whitelist_call remove_whitelisted_call dispatch_whitelisted_call \
         dispatch_whitelisted_call_with_preimage remove_deferred_dispatch",
        &[],
    ),
    ("TxPause", "pause unpause", &[]),
    ("Parameters", "set_parameter", &[]),
    (
        "Miners",
        "register set_specialisations leave withdraw rejoin reactivate set_owner \
         declare_relation retract_relation certify revoke_certificate suspend \
         lift_suspension endorse retract_endorsement review_level",
        &[],
    ),
    ("Reputation", "penalise", &[]),
    ("Tasks", "publish cancel challenge set_task_type", &[]),
    ("Tasks", "join commit reveal crank", &[NonTransfer, Worker]),
    (
        "Judges",
        "register set_types top_up leave rejoin withdraw set_control_author",
        &[],
    ),
    (
        "Judges",
        "commit_vote reveal_vote reveal_control",
        &[NonTransfer, Worker],
    ),
    (
        "Rewards",
        "claim claim_all claim_for claim_all_for",
        &[NonTransfer, Worker],
    ),
    ("Rewards", "set_auto_claim set_profile set_winner_rule", &[]),
    ("Beacon", "advance dispute_slot set_params", &[]),
    (
        "Storage",
        "register_provider set_provider top_up withdraw exit leave offer cancel_offer \
         request_removal challenge_seal challenge_window respond_audit respond_seal \
         respond_window submit_group report_equivocation set_config",
        &[],
    ),
    (
        "Storage",
        "accept commit_seal pause resume settle attest crank crank_deal",
        &[NonTransfer, Worker],
    ),
];

/// A value of every call: what its indices and nothing but zeros, or ones, decode to.
fn every_call() -> Vec<RuntimeCall> {
    let mut all = Vec::new();
    for pallet in 0..=u8::MAX {
        for call in 0..=u8::MAX {
            let decoded = [0u8, 1, 4].iter().find_map(|filler| {
                let mut bytes = vec![*filler; 4_096];
                (bytes[0], bytes[1]) = (pallet, call);
                RuntimeCall::decode(&mut &bytes[..]).ok()
            });
            all.extend(decoded);
        }
    }
    all
}

#[test]
fn every_call_of_the_runtime_is_decided_for_every_kind_of_proxy() {
    let mut decided = BTreeMap::new();
    for (pallet, calls, kinds) in TABLE {
        for call in calls.split_whitespace() {
            let again = decided.insert((*pallet, call), *kinds);
            assert!(again.is_none(), "{pallet}.{call} is listed twice");
        }
    }
    let mut exist = BTreeSet::new();
    for pallet in RuntimeCall::get_module_names() {
        for call in RuntimeCall::get_call_names(pallet) {
            exist.insert((*pallet, *call));
        }
    }
    let listed: BTreeSet<_> = decided.keys().copied().collect();
    assert_eq!(listed, exist, "calls that are listed, and calls that exist");
    let mut seen = BTreeSet::new();
    for call in every_call() {
        let of = call.get_call_metadata();
        let name = (of.pallet_name, of.function_name);
        assert!(ProxyType::Any.filter(&call), "{name:?}");
        for kind in [NonTransfer, Governance, Stakes, CancelProxy, Worker] {
            let allowed = decided[&name].contains(&kind);
            assert_eq!(kind.filter(&call), allowed, "{kind:?}, {name:?}");
        }
        seen.insert(name);
    }
    assert_eq!(seen, exist, "calls that were tried, and calls that exist");
}

#[test]
fn a_kind_of_proxy_allows_whatever_the_kinds_it_includes_allow() {
    let kinds = [
        ProxyType::Any,
        NonTransfer,
        Governance,
        Stakes,
        CancelProxy,
        Worker,
    ];
    let calls = every_call();
    for wide in kinds {
        for narrow in kinds.into_iter().filter(|narrow| wide.is_superset(narrow)) {
            for call in calls.iter().filter(|call| narrow.filter(call)) {
                assert!(wide.filter(call), "{wide:?}, {narrow:?}: {call:?}");
            }
        }
    }
}

#[test]
fn a_thief_of_a_worker_key_moves_nothing_and_appoints_nobody() {
    genesis("development").execute_with(|| {
        System::set_block_number(1);
        let owner = Sr25519Keyring::Alice.to_account_id();
        let thief = Sr25519Keyring::Bob.to_account_id();
        let address = MultiAddress::Id(thief.clone());
        assert_ok!(Proxy::add_proxy(
            RuntimeOrigin::signed(owner.clone()),
            address.clone(),
            Worker,
            0
        ));
        let transfer = RuntimeCall::Balances(BalancesCall::transfer_allow_death {
            dest: address.clone(),
            value: TOS,
        });
        let boxed = |call: &RuntimeCall| alloc::boxed::Box::new(call.clone());
        let attacks = [
            transfer.clone(),
            RuntimeCall::Balances(BalancesCall::transfer_all {
                dest: address.clone(),
                keep_alive: false,
            }),
            RuntimeCall::Utility(pallet_utility::Call::batch {
                calls: vec![transfer.clone()],
            }),
            RuntimeCall::Utility(pallet_utility::Call::batch_all {
                calls: vec![transfer.clone()],
            }),
            RuntimeCall::Utility(pallet_utility::Call::force_batch {
                calls: vec![transfer.clone()],
            }),
            RuntimeCall::Utility(pallet_utility::Call::as_derivative {
                index: 0,
                call: boxed(&transfer),
            }),
            RuntimeCall::Multisig(pallet_multisig::Call::as_multi_threshold_1 {
                other_signatories: vec![thief.clone()],
                call: boxed(&transfer),
            }),
            RuntimeCall::Proxy(pallet_proxy::Call::add_proxy {
                delegate: address.clone(),
                proxy_type: ProxyType::Any,
                delay: 0,
            }),
            RuntimeCall::Proxy(pallet_proxy::Call::add_proxy {
                delegate: address.clone(),
                proxy_type: Worker,
                delay: 7,
            }),
            RuntimeCall::Proxy(pallet_proxy::Call::remove_proxies {}),
            RuntimeCall::Proxy(pallet_proxy::Call::proxy {
                real: MultiAddress::Id(owner.clone()),
                force_proxy_type: None,
                call: boxed(&transfer),
            }),
            RuntimeCall::Staking(pallet_staking::Call::bond_extra {
                max_additional: TOS,
            }),
            RuntimeCall::Staking(pallet_staking::Call::set_payee {
                payee: pallet_staking::RewardDestination::Account(thief.clone()),
            }),
            RuntimeCall::Miners(pallet_miners::Call::withdraw {}),
            RuntimeCall::Judges(pallet_judges::Call::withdraw {}),
            RuntimeCall::Storage(pallet_storage::Call::leave {}),
        ];
        let balances = || [&owner, &thief].map(|who| System::account(who).data);
        let proxies = pallet_proxy::Proxies::<Runtime>::get(&owner);
        let before = balances();
        for attack in attacks {
            System::reset_events();
            assert_ok!(Proxy::proxy(
                RuntimeOrigin::signed(thief.clone()),
                MultiAddress::Id(owner.clone()),
                None,
                boxed(&attack)
            ));
            let stopped = System::events().iter().any(|record| match &record.event {
                RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }) => {
                    result.is_err()
                }
                RuntimeEvent::Utility(
                    pallet_utility::Event::BatchInterrupted { .. }
                    | pallet_utility::Event::ItemFailed { .. },
                ) => true,
                _ => false,
            });
            assert!(stopped, "{attack:?}");
            assert_eq!(balances(), before, "{attack:?}");
            assert!(pallet_proxy::Proxies::<Runtime>::get(&owner) == proxies);
        }
    });
}
