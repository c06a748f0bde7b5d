// SPDX-License-Identifier: Apache-2.0

//! The declaration, seen from a node.

use super::*;
use codec::{Decode, Encode};
use sp_api::{ApiRef, ProvideRuntimeApi, RuntimeApiInfo};
use sp_runtime::traits::Block as BlockT;
use tos_types::{join_error::JoinError, PhaseLengths};
use tos_views::{Action, Role, StandingView};

type Block = sp_runtime::generic::Block<
    sp_runtime::generic::Header<u32, sp_runtime::traits::BlakeTwo256>,
    sp_runtime::OpaqueExtrinsic,
>;
type AccountId = [u8; 32];

const ME: AccountId = [7; 32];
const TASK: TaskId = TaskId([9; 16]);

/// A node whose runtime knows one account with one thing to do.
#[derive(Clone)]
struct Node;

impl ProvideRuntimeApi<Block> for Node {
    type Api = Self;
    fn runtime_api(&self) -> ApiRef<'_, Self::Api> {
        self.clone().into()
    }
}

fn assignment() -> AssignmentView {
    AssignmentView {
        task: TASK,
        task_type: TaskType::General,
        role: Role::Judge,
        action: Action::CommitVote { round: 1 },
        deadline: 77,
    }
}

fn standing() -> StandingView {
    StandingView {
        score: 1_000,
        earned: 1_000,
        gain_left: 300,
        settled: 0,
    }
}

sp_api::mock_impl_runtime_apis! {
    impl TosApi<Block, AccountId> for Node {
        fn open_tasks(_: Option<TaskType>, _: Option<TaskId>, _: u32) -> Vec<TaskSummary<AccountId>> {
            Vec::new()
        }
        fn tasks(_: Option<TaskId>, _: u32) -> Vec<TaskSummary<AccountId>> {
            Vec::new()
        }
        fn task(_: TaskId) -> Option<TaskView<AccountId>> {
            None
        }
        fn task_changes() -> Vec<TaskChange> {
            Vec::new()
        }
        fn timeline(_: TaskId) -> Vec<TimelineEntry> {
            Vec::new()
        }
        fn round(_: TaskId, _: u32) -> Option<RoundView<AccountId>> {
            None
        }
        fn can_submit(_: AccountId, _: TaskId) -> Result<(), JoinErrorView> {
            Err(JoinErrorView { reason: JoinError::Suspended, retry_at: Some(5) })
        }
        fn assignments(who: AccountId) -> Vec<AssignmentView> {
            if who == ME { [assignment()].to_vec() } else { Vec::new() }
        }
        fn duties(_: AccountId) -> Vec<DutyView> {
            Vec::new()
        }
        fn claimable(_: AccountId) -> Vec<ClaimView> {
            [ClaimView { task: TASK, amount: u128::MAX, expires: 1 }].to_vec()
        }
        fn miner(_: AccountId) -> Option<MinerView> {
            None
        }
        fn judge(_: AccountId) -> Option<JudgeView> {
            None
        }
        fn reputation(_: AccountId) -> ReputationView {
            ReputationView { global: standing(), domains: Vec::new() }
        }
        fn chain() -> ChainView {
            ChainView {
                tick: 3,
                phase_lengths: PhaseLengths::development(),
                ..Default::default()
            }
        }
    }
}

#[test]
fn a_node_reads_the_runtime_through_the_trait() {
    let node = Node;
    let (api, at) = (node.runtime_api(), <Block as BlockT>::Hash::default());
    assert_eq!(api.assignments(at, ME).unwrap(), [assignment()]);
    assert_eq!(api.assignments(at, [0; 32]).unwrap(), []);
    let refusal = JoinErrorView {
        reason: JoinError::Suspended,
        retry_at: Some(5),
    };
    assert_eq!(api.can_submit(at, ME, TASK).unwrap(), Err(refusal));
    assert_eq!(api.task(at, TASK).unwrap(), None);
    assert_eq!(
        api.chain(at).unwrap().phase_lengths,
        PhaseLengths::development()
    );
}

#[test]
fn the_versions_are_those_that_nodes_and_clients_know() {
    assert_eq!(<dyn TosApi<Block, AccountId>>::VERSION, 3);
    assert_eq!(<dyn BeaconApi<Block>>::VERSION, 1);
    assert_eq!(<dyn StorageApi<Block, AccountId>>::VERSION, 2);
}

/// An API of which one function has changed.
// No runtime here implements it.
#[allow(unused_imports)]
mod grown {
    use super::*;

    declare! {
        /// Readings of a clock.
        #[api_version(2)]
        api clock: ClockApi, "clock" {
            /// The time, in milliseconds.
            fn now() -> u64 {
                "the time"
            }

            /// The time, in seconds.
            #[changed_in(2)]
            fn now() -> u32 {
                old
            }

            /// The day.
            fn today() -> u32 {
                "the day"
            }
        }
    }

    pub struct Clocks;

    sp_api::mock_impl_runtime_apis! {
        impl ClockApi<Block> for Clocks {
            fn now() -> u64 {
                86_400_000
            }
            fn now_before_version_2() -> u32 {
                86_400
            }
            fn today() -> u32 {
                1
            }
        }
    }

    impl ProvideRuntimeApi<Block> for Clocks {
        type Api = Self;
        fn runtime_api(&self) -> ApiRef<'_, Self::Api> {
            Self.into()
        }
    }
}

#[test]
fn a_function_that_changed_can_be_asked_in_both_forms() {
    use grown::{ClockApi, Clocks};
    let (api, at) = (Clocks, <Block as BlockT>::Hash::default());
    let api = api.runtime_api();
    assert_eq!(api.now(at).unwrap(), 86_400_000);
    #[allow(deprecated)]
    let before = api.now_before_version_2(at).unwrap();
    assert_eq!((before, api.today(at).unwrap()), (86_400, 1));
}

#[test]
fn views_cross_the_boundary_unchanged() {
    let view = assignment();
    assert_eq!(AssignmentView::decode(&mut &view.encode()[..]), Ok(view));
    let view = ReputationView {
        global: standing(),
        domains: [(TaskType::Custom(3), standing())].to_vec(),
    };
    assert_eq!(ReputationView::decode(&mut &view.encode()[..]), Ok(view));
}
