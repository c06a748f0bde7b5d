// SPDX-License-Identifier: Apache-2.0

//! Refusals on a node whose state tells why.

use super::*;
use crate::{
    chain::Wait,
    testing::{
        node::{key_of_type, signer, Effect, FakeNode, Next, Reaction, Tell},
        views::{chain_view, parameters_view, task_view},
    },
};
use codec::Compact;
use std::time::Duration;
use tos_types::{time::PhaseLengths, ContentRef, TaskParams, TOS};
use tos_views::ChainView;

const LONG: Duration = Duration::from_secs(120);

fn publish() -> Call {
    Call::Publish {
        params: TaskParams::General {
            subject: b"test".to_vec().try_into().unwrap(),
        },
        difficulty: Difficulty::Advanced,
        spec: ContentRef::inline(b"what is asked").unwrap(),
        reward: Compact(7 * TOS),
        open_for: 5,
        min_quality: 50,
        max_participants: 4,
        reference: None,
    }
}

/// The refusal of a call that fails in its block with the error of this name.
async fn refused(node: &FakeNode, call: &Call, with: &'static str) -> String {
    let fails = Next::This(Effect::FailsWith(with));
    let reaction = Reaction::Take(fails, &[Tell::InBlock, Tell::Finalised]);
    node.lock().reactions.push_back(reaction);
    let connection = node.connect().await;
    let done = connection
        .submit(&signer(), call, Wait::Finalised, LONG)
        .await;
    let error = done.unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    let text = error.to_string();
    assert!(text.contains(&format!("Tasks::{with}")), "{text}");
    text
}

#[tokio::test]
async fn a_reward_outside_the_band_is_told_the_band() {
    let node = FakeNode::new();
    let mut parameters = parameters_view();
    parameters.difficulties.advanced.least_reward = 31 * TOS;
    parameters.difficulties.advanced.most_reward = 99 * TOS;
    node.lock()
        .answers
        .insert("TosApi_parameters", parameters.encode());
    let text = refused(&node, &publish(), "RewardOutsideBand").await;
    assert!(
        text.contains("For advanced it is 31 TOS to 99 TOS, not 7 TOS"),
        "{text}"
    );
    assert!(text.contains("--reward"), "{text}");
}

#[tokio::test]
async fn an_open_window_out_of_bounds_is_told_the_bounds() {
    let node = FakeNode::new();
    let standard = chain_view(9);
    let chain = ChainView {
        phase_lengths: PhaseLengths {
            min_open: 60,
            max_open: 4_321,
            ..standard.phase_lengths
        },
        ..standard
    };
    node.lock().answers.insert("TosApi_chain", chain.encode());
    let text = refused(&node, &publish(), "OpenWindowOutOfBounds").await;
    assert!(text.contains("60 to 4321 ticks here, not 5"), "{text}");
    assert!(text.contains("--open-for"), "{text}");
}

#[tokio::test]
async fn an_unknown_task_type_is_told_the_types_of_the_chain() {
    let node = FakeNode::new();
    node.lock().types = vec![
        key_of_type(TaskType::Custom(3)),
        key_of_type(TaskType::CodeAnalysis),
    ];
    let text = refused(&node, &publish(), "UnknownTaskType").await;
    assert!(text.contains("code-analysis, custom:3"), "{text}");
}

#[tokio::test]
async fn a_step_that_is_not_due_is_told_the_tick_and_the_time() {
    let node = FakeNode::new();
    let task = task_view(1);
    let call = Call::Crank {
        task: task.summary.id,
    };
    for (function, answer) in [
        ("TosApi_chain", chain_view(9).encode()),
        ("TosApi_task", Some(task).encode()),
        ("BabeApi_configuration", 2_000u64.encode()),
    ] {
        node.lock().answers.insert(function, answer);
    }
    let text = refused(&node, &call, "NotDue").await;
    assert!(text.contains("from tick 31 on, in about 44 s"), "{text}");
}

#[tokio::test]
async fn a_refusal_names_the_command_that_helps() {
    let node = FakeNode::new();
    let call = Call::Crank {
        task: tos_types::TaskId([7; 16]),
    };
    let text = refused(&node, &call, "UnknownTask").await;
    assert!(text.contains("`tos task list --all`"), "{text}");
}

#[tokio::test]
async fn a_refusal_stays_as_it_is_when_the_node_tells_no_more() {
    let node = FakeNode::new();
    let text = refused(&node, &publish(), "RewardOutsideBand").await;
    assert!(!text.contains("--reward"), "{text}");
}

#[tokio::test]
async fn nobody_registers_for_a_type_that_no_task_can_have() {
    let node = FakeNode::new();
    node.lock().types = vec![key_of_type(TaskType::General)];
    let connection = node.connect().await;
    let types = vec![TaskType::General, TaskType::Custom(7)];
    let calls = [
        Call::RegisterMiner {
            specialisations: types.clone(),
        },
        Call::SetSpecialisations {
            specialisations: types.clone(),
        },
        Call::RegisterJudge {
            types: types.clone(),
        },
        Call::SetTypes { types },
    ];
    for call in calls {
        let done = connection.submit(&signer(), &call, Wait::Best, LONG).await;
        let error = done.unwrap_err();
        assert_eq!(error.exit_code(), 3, "{error}");
        let text = error.to_string();
        assert!(
            text.contains("custom:7") && text.contains("chain: general."),
            "{text}"
        );
    }
    assert!(node.lock().submitted.is_empty());
    let known = Call::RegisterMiner {
        specialisations: vec![TaskType::General],
    };
    assert!(connection.check_types(&known).await.is_ok());
}

#[tokio::test]
async fn an_account_that_cannot_pay_the_fee_is_named_with_what_it_has_and_what_it_needs() {
    for free in [None, Some(TOS / 1_000)] {
        let node = FakeNode::new();
        let why = "Inability to pay some fees (e.g. account balance too low)";
        let reaction = Reaction::Refuse(1010, "Invalid Transaction", why);
        let info = ((Compact(1u64), Compact(1u64)), 0u8, TOS / 50);
        node.lock().free = free;
        node.lock()
            .answers
            .insert("TransactionPaymentApi_query_info", info.encode());
        let connection = node.connect().await;
        let poor = Signer {
            tip: TOS / 4,
            ..signer()
        };
        let account = poor.account().to_string();
        let has = amount::format(free.unwrap_or_default());
        for all in [false, true] {
            node.lock().reactions.push_back(reaction);
            let error = match all {
                false => connection.submit(&poor, &publish(), Wait::Best, LONG).await,
                true => connection
                    .submit_all(&poor, &[publish()], Wait::Best, LONG)
                    .await
                    .unwrap()
                    .remove(0),
            };
            let error = error.unwrap_err();
            assert_eq!(error.exit_code(), 3, "{error}");
            let text = error.to_string();
            for part in [&account, &has, "0.02 TOS", "0.25 TOS", "send it TOS"] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_block_whose_state_is_discarded_is_answered_with_the_oldest_there_is() {
    let node = FakeNode::new();
    node.lock().grow(100);
    for pruned in [2, 37, 100] {
        node.lock().pruned = pruned;
        let connection = node.connect().await;
        let error = connection.at_number(1).await.err().unwrap().to_string();
        let oldest = format!("that of block {pruned}:");
        for part in ["state of block 1;", &oldest, "archive node"] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(connection.at_number(pruned as u64).await.is_ok());
    }
}
