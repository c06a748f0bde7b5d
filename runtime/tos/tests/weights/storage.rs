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
pub fn calls() -> Vec<RuntimeCall> {
    let calls = of_providers().into_iter().chain(of_deals());
    calls.chain(of_proofs()).map(RuntimeCall::from).collect()
}

fn of_providers() -> Vec<Call> {
    vec![
        Call::register_provider {
            bond: Balance::MAX,
            proof_key: [7; 32],
            locator: locator(),
        },
        Call::set_provider {
            proof_key: [7; 32],
            locator: locator(),
        },
        Call::top_up {
            amount: Balance::MAX,
        },
        Call::withdraw {
            amount: Balance::MAX,
        },
        Call::exit {},
        Call::leave {},
    ]
}

fn of_deals() -> Vec<Call> {
    let deal = DealId::default();
    let replica = ReplicaId::default();
    vec![
        Call::offer {
            content: StoredContent {
                hash: [7; 32],
                length: u64::MAX,
                locator: locator(),
            },
            coded: zeros(),
            terms: DealTerms {
                price: Balance::MAX,
                retention: Retention::BillingPeriods(StorageConfig::PRODUCTION.max_billing_periods),
                provider: Some(AccountId::new([1; 32])),
            },
        },
        Call::cancel_offer { deal },
        Call::accept { deal },
        Call::commit_seal {
            replica,
            sealed: zeros(),
        },
        Call::pause { replica },
        Call::resume { replica },
        Call::request_removal { replica },
        Call::settle { replica },
        Call::crank { replica },
        Call::crank_deal { deal },
        Call::set_config {
            config: Box::new(StorageConfig::PRODUCTION),
        },
    ]
}

fn of_proofs() -> Vec<Call> {
    let replica = ReplicaId::default();
    let (window, group) = (u64::MAX, u32::MAX);
    vec![
        Call::challenge_seal { replica },
        Call::challenge_window { replica, window },
        Call::respond_audit {
            proof: vec![7; MAX_COMPACT as usize].try_into().unwrap(),
        },
        Call::respond_seal {
            answer: Box::new(SealAnswer {
                replica,
                opening: response(),
                signature: [7; 64],
            }),
        },
        Call::respond_window {
            answer: Box::new(WindowAnswer {
                replica,
                window,
                previous: [7; 32],
                path: path(),
                proof: response(),
                signature: [7; 64],
            }),
        },
        Call::submit_group {
            window,
            group,
            signed: signed(),
        },
        Call::report_equivocation {
            evidence: Box::new(Equivocation {
                window,
                group,
                first: signed(),
                second: signed(),
            }),
        },
        Call::attest {
            window,
            group,
            latency_ms: u32::MAX,
            bad: u32::MAX,
        },
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
