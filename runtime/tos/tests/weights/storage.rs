// SPDX-License-Identifier: Apache-2.0

//! The calls and the steps of storage, in their worst case.

use super::*;
use pallet_storage::Equivocation;
use tos_types::{
    content::MAX_LOCATOR,
    storage::{
        DealTerms, GroupPath, Locator, ResponseBytes, Retention, SealAnswer, SignedRoot,
        StorageConfig, StoredContent, WindowAnswer, GROUP_PATH, MAX_COMPACT, MAX_RESPONSE,
    },
    Balance, DealId, ReplicaId,
};

type Call = pallet_storage::Call<Runtime>;

fn locator() -> Locator {
    vec![b'x'; MAX_LOCATOR as usize].try_into().unwrap()
}

fn response() -> ResponseBytes {
    vec![7; MAX_RESPONSE as usize].try_into().unwrap()
}

fn path() -> GroupPath {
    vec![[7; 32]; GROUP_PATH as usize].try_into().unwrap()
}

fn signed() -> SignedRoot {
    SignedRoot {
        root: [7; 32],
        signature: [7; 64],
    }
}

/// Every call of storage.
pub fn calls() -> Vec<(&'static str, RuntimeCall)> {
    let mut calls = of_providers();
    calls.extend(of_deals());
    calls.extend(of_proofs());
    calls
}

fn of_providers() -> Vec<(&'static str, RuntimeCall)> {
    vec![
        (
            "storage.register_provider",
            Call::register_provider {
                bond: Balance::MAX,
                proof_key: [7; 32],
                locator: locator(),
            }
            .into(),
        ),
        (
            "storage.set_provider",
            Call::set_provider {
                proof_key: [7; 32],
                locator: locator(),
            }
            .into(),
        ),
        (
            "storage.top_up",
            Call::top_up {
                amount: Balance::MAX,
            }
            .into(),
        ),
        (
            "storage.withdraw",
            Call::withdraw {
                amount: Balance::MAX,
            }
            .into(),
        ),
        ("storage.exit", Call::exit {}.into()),
        ("storage.leave", Call::leave {}.into()),
    ]
}

fn of_deals() -> Vec<(&'static str, RuntimeCall)> {
    let deal = DealId::default();
    let replica = ReplicaId::default();
    vec![
        (
            "storage.offer",
            Call::offer {
                content: StoredContent {
                    hash: [7; 32],
                    length: u64::MAX,
                    locator: locator(),
                },
                coded: zeros(),
                terms: DealTerms {
                    price: Balance::MAX,
                    retention: Retention::BillingPeriods(
                        StorageConfig::PRODUCTION.max_billing_periods,
                    ),
                    provider: Some(AccountId::new([1; 32])),
                },
            }
            .into(),
        ),
        ("storage.cancel_offer", Call::cancel_offer { deal }.into()),
        ("storage.accept", Call::accept { deal }.into()),
        (
            "storage.commit_seal",
            Call::commit_seal {
                replica,
                sealed: zeros(),
            }
            .into(),
        ),
        ("storage.pause", Call::pause { replica }.into()),
        ("storage.resume", Call::resume { replica }.into()),
        (
            "storage.request_removal",
            Call::request_removal { replica }.into(),
        ),
        ("storage.settle", Call::settle { replica }.into()),
        ("storage.crank", Call::crank { replica }.into()),
        ("storage.crank_deal", Call::crank_deal { deal }.into()),
        (
            "storage.set_config",
            Call::set_config {
                config: Box::new(StorageConfig::PRODUCTION),
            }
            .into(),
        ),
    ]
}

fn of_proofs() -> Vec<(&'static str, RuntimeCall)> {
    let replica = ReplicaId::default();
    let (window, group) = (u64::MAX, u32::MAX);
    vec![
        (
            "storage.challenge_seal",
            Call::challenge_seal { replica }.into(),
        ),
        (
            "storage.challenge_window",
            Call::challenge_window { replica, window }.into(),
        ),
        (
            "storage.respond_audit",
            Call::respond_audit {
                proof: vec![7; MAX_COMPACT as usize].try_into().unwrap(),
            }
            .into(),
        ),
        (
            "storage.respond_seal",
            Call::respond_seal {
                answer: Box::new(SealAnswer {
                    replica,
                    opening: response(),
                    signature: [7; 64],
                }),
            }
            .into(),
        ),
        (
            "storage.respond_window",
            Call::respond_window {
                answer: Box::new(WindowAnswer {
                    replica,
                    window,
                    previous: [7; 32],
                    path: path(),
                    proof: response(),
                    signature: [7; 64],
                }),
            }
            .into(),
        ),
        (
            "storage.submit_group",
            Call::submit_group {
                window,
                group,
                signed: signed(),
            }
            .into(),
        ),
        (
            "storage.report_equivocation",
            Call::report_equivocation {
                evidence: Box::new(Equivocation {
                    window,
                    group,
                    first: signed(),
                    second: signed(),
                }),
            }
            .into(),
        ),
        (
            "storage.attest",
            Call::attest {
                window,
                group,
                latency_ms: u32::MAX,
                bad: u32::MAX,
            }
            .into(),
        ),
    ]
}

/// Every step of storage's hooks.
pub fn steps() -> Vec<(&'static str, Weight)> {
    use pallet_storage::WeightInfo as _;
    type Of = <Runtime as pallet_storage::Config>::WeightInfo;
    vec![
        ("storage: keep time", Of::keep_time()),
        ("storage: look at the draws", Of::draw_start()),
        ("storage: open an audit", Of::open_audit()),
        ("storage: on to the next stage", Of::window_stage()),
        ("storage: fold a group", Of::fold_group()),
        ("storage: finish a window", Of::fold_end()),
        ("storage: look at the agenda", Of::agenda_start()),
        ("storage: next entry of the agenda", Of::agenda_tick()),
        ("storage: expire or prune a deal", Of::step_deal()),
        ("storage: end a replica", Of::step_replica()),
        ("storage: miss an audit", Of::step_miss()),
        ("storage: lose a challenge", Of::step_challenge()),
        ("storage: note a failed step", Of::step_failed()),
    ]
}
