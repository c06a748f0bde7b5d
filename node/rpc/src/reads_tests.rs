// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The methods as a caller sees them, on a chain of one block.

use super::*;
use serde_json::{json, Value};
use sp_api::ApiRef;
use sp_blockchain::{BlockStatus, Info};
use sp_runtime::traits::{Block as BlockT, NumberFor};
use tos_types::{join_error::JoinError, Difficulty, Phase, PhaseLengths};

/// The client of a node whose best block is the first one.
#[derive(Clone)]
struct Node;

const BEST: Hash = Hash::repeat_byte(1);

impl HeaderBackend<Block> for Node {
    fn header(&self, _: Hash) -> sp_blockchain::Result<Option<<Block as BlockT>::Header>> {
        Ok(None)
    }
    fn info(&self) -> Info<Block> {
        Info {
            best_hash: BEST,
            best_number: 1,
            genesis_hash: Hash::zero(),
            finalized_hash: Hash::zero(),
            finalized_number: 0,
            finalized_state: None,
            number_leaves: 1,
            block_gap: None,
        }
    }
    fn status(&self, _: Hash) -> sp_blockchain::Result<BlockStatus> {
        Ok(BlockStatus::Unknown)
    }
    fn number(&self, hash: Hash) -> sp_blockchain::Result<Option<NumberFor<Block>>> {
        Ok((hash == BEST).then_some(1))
    }
    fn hash(&self, _: NumberFor<Block>) -> sp_blockchain::Result<Option<Hash>> {
        Ok(None)
    }
}

impl ProvideRuntimeApi<Block> for Node {
    type Api = Self;
    fn runtime_api(&self) -> ApiRef<'_, Self::Api> {
        self.clone().into()
    }
}

fn summary(number: u8) -> TaskSummary<AccountId> {
    TaskSummary {
        id: TaskId([number; 16]),
        publisher: AccountId::new([7; 32]),
        task_type: TaskType::General,
        difficulty: Difficulty::Beginner,
        reward: 1,
        min_quality: 50,
        max_participants: 1,
        joined: 0,
        committed: 0,
        revealed: 0,
        phase: Phase::Open,
        round: 0,
        opened: 0,
        open_until: 9,
        deadline: 9,
    }
}

sp_api::mock_impl_runtime_apis! {
    impl tos_runtime_api::TosApi<Block, AccountId> for Node {
        // As many as are asked for, of a type that is asked for only.
        fn open_tasks(task_type: Option<TaskType>, _: Option<TaskId>, limit: u32) -> Vec<TaskSummary<AccountId>> {
            match task_type {
                Some(TaskType::General) => (0..limit).map(|number| summary(number as u8)).collect(),
                _ => Vec::new(),
            }
        }
        fn tasks(after: Option<TaskId>, _: u32) -> Vec<TaskSummary<AccountId>> {
            after.map(|id| summary(id.0[0] + 1)).into_iter().collect()
        }
        fn can_submit(_: AccountId, task: TaskId) -> Result<(), JoinErrorView> {
            match task.0 {
                [0, ..] => Ok(()),
                _ => Err(JoinErrorView { reason: JoinError::Suspended, retry_at: Some(5) }),
            }
        }
        fn task_by_reference(_: AccountId, reference: [u8; 32]) -> Option<TaskId> {
            Some(TaskId([reference[31]; 16]))
        }
        fn chain() -> ChainView {
            ChainView {
                tick: 3,
                phase_lengths: PhaseLengths::development(),
                ..Default::default()
            }
        }
    }

    impl tos_runtime_api::BeaconApi<Block> for Node {
        // A slot that says what was asked.
        fn beacon_records(from: Slot, limit: u32) -> Vec<SlotRecordView> {
            vec![SlotRecordView {
                slot: from,
                end: [0; 64],
                fine_root: [0; 32],
                first_iteration: 0,
                block: limit,
                output: [0; 32],
            }]
        }
    }

    impl tos_runtime_api::StorageApi<Block, AccountId> for Node {
        fn continuity(replica: ReplicaId) -> Result<ContinuityView, ContinuityError> {
            match replica.0 {
                [0, ..] => Ok(ContinuityView { from: 1, to: 3, streak: 3 }),
                _ => Err(ContinuityError::Unknown),
            }
        }
    }
}

fn methods() -> RpcModule<()> {
    module(&Arc::new(Node)).unwrap()
}

/// The answer to a request, or the error's code and message.
async fn ask(method: &str, params: Value) -> Result<Value, (i64, String)> {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let (answer, _) = methods()
        .raw_json_request(&request.to_string(), 1)
        .await
        .unwrap();
    let mut answer: Value = serde_json::from_str(&answer).unwrap();
    match answer.get("error") {
        None => Ok(answer["result"].take()),
        Some(error) => Err((
            error["code"].as_i64().unwrap(),
            error["message"].as_str().unwrap().to_owned(),
        )),
    }
}

fn who() -> AccountId {
    AccountId::new([7; 32])
}

fn uuid(first: u8) -> String {
    TaskId([first; 16]).to_string()
}

/// Limits that may be asked for, and how many items come then.
fn limits(unless_asked: usize, most: usize) -> [(Value, usize); 4] {
    [
        (Value::Null, unless_asked),
        (json!(3), 3),
        (json!(0), 1),
        (json!(most + 1), most),
    ]
}

#[tokio::test]
async fn a_page_has_twenty_items_unless_asked_and_fifty_at_most_and_tells_where_the_next_begins() {
    for (limit, size) in limits(20, 50) {
        let page = ask("tos_openTasks", json!(["general", null, limit]))
            .await
            .unwrap();
        assert_eq!(page["items"].as_array().unwrap().len(), size);
        assert_eq!(page["next"], page["items"][size - 1]["id"]);
        assert_eq!(page["at"], json!(BEST));
    }
    let last = ask("tos_openTasks", json!([])).await.unwrap();
    assert_eq!(last, json!({"at": BEST, "items": [], "next": null}));
    let next = ask("tos_tasks", json!([uuid(1)])).await.unwrap();
    assert_eq!(next["items"][0]["id"], json!(uuid(2)));
    assert_eq!(next["next"], Value::Null);
}

#[tokio::test]
async fn arguments_are_taken_by_place_and_by_name() {
    let by_name = json!({"taskType": "general", "after": null, "limit": 2, "at": BEST});
    let by_place = json!(["general", null, 2, BEST]);
    let page = ask("tos_openTasks", by_name).await.unwrap();
    assert_eq!(page, ask("tos_openTasks", by_place).await.unwrap());
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_list_is_cut_to_what_the_chain_answers_at_most() {
    for (limit, most) in limits(64, 64) {
        let slots = ask("tos_beaconRecords", json!([9, limit])).await.unwrap();
        assert_eq!(
            (&slots[0]["slot"], &slots[0]["block"]),
            (&json!(9), &json!(most))
        );
    }
}

#[tokio::test]
async fn a_refusal_is_an_answer_with_its_reason() {
    assert_eq!(
        ask("tos_canSubmit", json!([who(), uuid(0)])).await.unwrap(),
        json!({"allowed": true})
    );
    assert_eq!(
        ask("tos_canSubmit", json!([who(), uuid(1)])).await.unwrap(),
        json!({"allowed": false, "reason": "suspended", "retryAt": 5})
    );
    assert_eq!(
        ask("tos_continuity", json!([uuid(0)])).await.unwrap(),
        json!({"certified": {"from": 1, "to": 3, "streak": 3}, "refusal": null})
    );
    assert_eq!(
        ask("tos_continuity", json!([uuid(1)])).await.unwrap(),
        json!({"certified": null, "refusal": "unknown"})
    );
}

#[tokio::test]
async fn the_state_of_the_chain_comes_with_what_the_node_knows_of_its_block() {
    let status = ask("tos_chain", json!([])).await.unwrap();
    for (field, value) in [
        ("at", json!(BEST)),
        ("block", json!(1)),
        ("finalized", json!(0)),
        ("tick", json!(3)),
    ] {
        assert_eq!(status[field], value, "{field}");
    }
}

#[tokio::test]
async fn a_reference_is_a_hash() {
    let reference = Hash::from_low_u64_be(5);
    let task = ask("tos_taskByReference", json!([who(), reference])).await;
    assert_eq!(task.unwrap(), json!(uuid(5)));
}

#[tokio::test]
async fn malformed_arguments_and_unknown_blocks_are_refused_with_a_code() {
    for (method, params) in [
        ("tos_task", json!(["no-uuid"])),
        ("tos_deal", json!([])),
        ("tos_beaconRecords", json!([])),
        ("tos_beaconRecords", json!([-1])),
        ("tos_openTasks", json!(["no-type"])),
    ] {
        assert_eq!(
            ask(method, params).await.unwrap_err().0,
            -32_602,
            "{method}"
        );
    }
    let nowhere = Hash::repeat_byte(9);
    for (method, params) in [
        ("tos_chain", json!([nowhere])),
        ("tos_beaconRecords", json!([1, 1, nowhere])),
    ] {
        let refused = (1_004, format!("unknown block {nowhere:?}"));
        assert_eq!(ask(method, params).await, Err(refused), "{method}");
    }
}

/// Methods that are served and those that polkadot.js is told of are the same: all that the table has, and by hand two.
#[test]
fn polkadot_js_is_told_of_every_method() {
    let definitions = include_str!("../../../client/sdk/polkadot-js/definitions.mjs");
    let mut told: Vec<_> = definitions
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.split_once(": "))
        .filter(|(name, _)| name.chars().all(char::is_alphanumeric))
        .map(|(name, _)| format!("tos_{name}"))
        .filter(|name| !["tos_timekeeper", "tos_subscribeTasks"].contains(&name.as_str()))
        .collect();
    told.sort_unstable();
    let all = methods();
    let mut served: Vec<_> = all.method_names().collect();
    served.sort_unstable();
    assert_eq!(served, told);
}
