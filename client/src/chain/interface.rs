// SPDX-License-Identifier: Apache-2.0

//! The part of the chain this program uses: calls, runtime API functions and events, with the
//! shapes of everything that goes in or comes out. One table serves encoding and the check
//! against the metadata.

use super::{
    shape::{Collector, Known},
    At,
};
use crate::error::Result;
use codec::{Compact, Decode, Encode};
use polkadot_sdk::sp_core::{bounded::BoundedVec, crypto::AccountId32, ConstU32};
use scale_info::{meta_type, MetaType};
use subxt::metadata::Metadata;
use tos_primitives::{
    commitment::{Commitment, Salt},
    views::{
        AssignmentView, ChainView, ClaimView, DutyView, MinerView, RefusalView, ReputationView,
        RoundView, TaskSummary, TaskView, TimelineEntry, ValidatorView,
    },
    AnswerScore, Balance, ContentHash, ContentRef, Difficulty, TaskId, TaskParams, TaskType, Tick,
    MAX_PARTICIPANTS,
};

/// Task types an account works on; the chain bounds their number.
pub type Types = Vec<TaskType>;
/// One vote.
pub type Scores = BoundedVec<AnswerScore, ConstU32<MAX_PARTICIPANTS>>;
/// What encodes like the chain's bounded list of task types.
type TypesShape = BoundedVec<TaskType, ConstU32<{ u32::MAX }>>;

macro_rules! calls {
    ($($(#[$doc:meta])* $variant:ident = $pallet:literal $call:literal {
        $($arg:ident: $ty:ty $(as $shape:ty)?),*
    })*) => {
        /// A call of the chain.
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[allow(missing_docs)]
        pub enum Call {
            $($(#[$doc])* $variant { $($arg: $ty),* },)*
        }

        impl Call {
            /// The pallet and the call, as the metadata names them.
            pub fn name(&self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$variant { .. } => ($pallet, $call),)*
                }
            }

            /// The arguments in SCALE.
            pub fn encode_arguments(&self) -> Vec<u8> {
                let mut bytes = Vec::new();
                match self {
                    $(Self::$variant { $($arg),* } => {
                        $($arg.encode_to(&mut bytes);)*
                    })*
                }
                bytes
            }
        }

        fn call_shapes() -> Vec<(&'static str, &'static str, Vec<(&'static str, MetaType)>)> {
            vec![$(
                ($pallet, $call, vec![$((stringify!($arg), shape!($ty $(as $shape)?))),*]),
            )*]
        }
    };
}

macro_rules! shape {
    ($ty:ty) => {
        meta_type::<$ty>()
    };
    ($ty:ty as $shape:ty) => {
        meta_type::<$shape>()
    };
}

calls! {
    /// Publishes a task.
    Publish = "Tasks" "publish" {
        params: TaskParams, difficulty: Difficulty, spec: ContentRef, reward: Compact<Balance>,
        open_for: Tick, min_quality: u8, max_participants: u32
    }
    /// Withdraws a task.
    Cancel = "Tasks" "cancel" { task: TaskId }
    /// Takes a place.
    Join = "Tasks" "join" { task: TaskId }
    /// Commits to an answer.
    Commit = "Tasks" "commit" { task: TaskId, commitment: Commitment }
    /// Reveals an answer.
    Reveal = "Tasks" "reveal" { task: TaskId, content: ContentRef, simhash: u64, salt: Salt }
    /// Challenges a result.
    Challenge = "Tasks" "challenge" { task: TaskId }
    /// Takes a task's next step.
    Crank = "Tasks" "crank" { task: TaskId }
    /// Becomes a miner.
    RegisterMiner = "Miners" "register" { specialisations: Types as TypesShape }
    /// Works on other types.
    SetSpecialisations = "Miners" "set_specialisations" { specialisations: Types as TypesShape }
    /// Stops mining.
    LeaveMiner = "Miners" "leave" {}
    /// Gets the miner's stake back.
    WithdrawMiner = "Miners" "withdraw" {}
    /// Stays a miner after all.
    RejoinMiner = "Miners" "rejoin" {}
    /// Works again after a long pause.
    Reactivate = "Miners" "reactivate" {}
    /// Becomes a validator.
    RegisterValidator = "Validation" "register" { types: Types as TypesShape }
    /// Judges other types.
    SetTypes = "Validation" "set_types" { types: Types as TypesShape }
    /// Replaces slashed stake.
    TopUp = "Validation" "top_up" {}
    /// Stops being drawn.
    LeaveValidator = "Validation" "leave" {}
    /// Stays a validator after all.
    RejoinValidator = "Validation" "rejoin" {}
    /// Gets the validator's stake back.
    WithdrawValidator = "Validation" "withdraw" {}
    /// Commits to a vote.
    CommitVote = "Validation" "commit_vote" { task: TaskId, commitment: Commitment }
    /// Reveals a vote.
    RevealVote = "Validation" "reveal_vote" { task: TaskId, scores: Scores, salt: Salt }
    /// Claims one reward.
    Claim = "Rewards" "claim" { task: TaskId }
    /// Claims all rewards.
    ClaimAll = "Rewards" "claim_all" {}
    /// Has rewards paid at once, or not.
    SetAutoClaim = "Rewards" "set_auto_claim" { enabled: bool }
}

/// The runtime API all of this program's reading goes through.
const API: &str = "TosApi";

macro_rules! api {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => {
        impl At {
            $($(#[$doc])*
            pub async fn $name(&self $(, $arg: $ty)*) -> Result<$out> {
                // The arguments one after the other, as a tuple encodes.
                let arguments = ($($arg,)*).encode();
                self.call_api(concat!("TosApi_", stringify!($name)), &arguments).await
            })*
        }

        fn api_shapes() -> Vec<(&'static str, Vec<MetaType>, MetaType)> {
            vec![$((stringify!($name), vec![$(meta_type::<$ty>()),*], meta_type::<$out>()),)*]
        }
    };
}

api! {
    /// Tasks that take answers, of one type or all, after the given one.
    fn open_tasks(
        task_type: Option<TaskType>, after: Option<TaskId>, limit: u32
    ) -> Vec<TaskSummary<AccountId32>>;
    /// All tasks, after the given one.
    fn tasks(after: Option<TaskId>, limit: u32) -> Vec<TaskSummary<AccountId32>>;
    /// Everything about a task.
    fn task(task: TaskId) -> Option<TaskView<AccountId32>>;
    /// The phases a task has been through.
    fn timeline(task: TaskId) -> Vec<TimelineEntry>;
    /// One round of voting on a task.
    fn round(task: TaskId, number: u32) -> Option<RoundView<AccountId32>>;
    /// What an account should do now.
    fn assignments(who: AccountId32) -> Vec<AssignmentView>;
    /// Whether an account may join a task.
    fn can_submit(who: AccountId32, task: TaskId) -> Result<(), RefusalView>;
    /// The tasks in which a validator has a seat.
    fn duties(who: AccountId32) -> Vec<DutyView>;
    /// Rewards that wait.
    fn claimable(who: AccountId32) -> Vec<ClaimView>;
    /// A miner.
    fn miner(who: AccountId32) -> Option<MinerView>;
    /// A validator.
    fn validator(who: AccountId32) -> Option<ValidatorView>;
    /// An account's reputation.
    fn reputation(who: AccountId32) -> ReputationView;
    /// The protocol as a whole.
    fn chain() -> ChainView;
}

/// The event that tells the identifier of a new task.
#[derive(Clone, Debug, Encode, Decode, scale_info::TypeInfo)]
pub struct Published {
    /// The task.
    pub task: TaskId,
    /// Who published it.
    pub publisher: AccountId32,
    /// Its type.
    pub task_type: TaskType,
    /// Its difficulty.
    pub difficulty: Difficulty,
    /// The hash of what it asks.
    pub spec: ContentHash,
    /// The reward.
    pub reward: Balance,
    /// The publisher's stake.
    pub stake: Balance,
    /// Places for miners.
    pub max_participants: u32,
    /// The last tick to join and commit in.
    pub deadline: Tick,
}

impl Published {
    /// Its name in the metadata.
    pub const NAME: (&'static str, &'static str) = ("Tasks", "Published");
}

/// Checks that the chain has everything this program uses, in the shapes it uses. The error lists
/// all that is missing or different.
pub fn check(metadata: &Metadata) -> Result<(), String> {
    let mut collector = Collector::default();
    let calls: Vec<_> = call_shapes()
        .into_iter()
        .map(|(pallet, call, arguments)| {
            let arguments: Vec<_> = arguments
                .into_iter()
                .map(|(name, shape)| (name, collector.add(&shape)))
                .collect();
            (pallet, call, arguments)
        })
        .collect();
    let functions: Vec<_> = api_shapes()
        .into_iter()
        .map(|(name, inputs, output)| {
            let inputs: Vec<_> = inputs.iter().map(|shape| collector.add(shape)).collect();
            (name, inputs, collector.add(&output))
        })
        .collect();
    let published = collector.add(&meta_type::<Published>());
    let known = collector.finish();
    let types = metadata.types();

    let mut wrong = Vec::new();
    for (pallet, call, arguments) in calls {
        if let Err(why) = check_call(&known, metadata, pallet, call, &arguments) {
            wrong.push(format!("call {pallet}.{call}{why}"));
        }
    }
    let api = metadata.runtime_api_trait_by_name(API);
    for (name, inputs, output) in functions {
        let method = api.as_ref().and_then(|api| api.method_by_name(name));
        let Some(method) = method else {
            wrong.push(format!("runtime API function {API}.{name}: missing"));
            continue;
        };
        let theirs: Vec<u32> = method.inputs().map(|input| input.id).collect();
        if theirs.len() != inputs.len() {
            let (ours, theirs) = (inputs.len(), theirs.len());
            wrong.push(format!(
                "{API}.{name}: {ours} arguments here, {theirs} on chain"
            ));
            continue;
        }
        for (ours, theirs) in inputs.into_iter().zip(theirs) {
            if let Err(why) = known.matches(ours, (types, theirs)) {
                wrong.push(format!("{API}.{name}: argument{why}"));
            }
        }
        if let Err(why) = known.matches(output, (types, method.output_ty())) {
            wrong.push(format!("{API}.{name}: result{why}"));
        }
    }
    if let Err(why) = check_event(&known, metadata, Published::NAME, published) {
        wrong.push(format!(
            "event {}.{}{why}",
            Published::NAME.0,
            Published::NAME.1
        ));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "this program and the chain's runtime do not fit:\n  {}",
            wrong.join("\n  ")
        ))
    }
}

fn check_call(
    known: &Known,
    metadata: &Metadata,
    pallet: &str,
    call: &str,
    arguments: &[(&str, u32)],
) -> Result<(), String> {
    let pallet = metadata.pallet_by_name(pallet).ok_or(": no such pallet")?;
    let call = pallet.call_variant_by_name(call).ok_or(": missing")?;
    let names: Vec<_> = arguments.iter().map(|(name, _)| *name).collect();
    let theirs: Vec<_> = call
        .fields
        .iter()
        .filter_map(|f| f.name.as_deref())
        .collect();
    if names != theirs {
        let (ours, theirs) = (names.join(", "), theirs.join(", "));
        return Err(format!(": arguments ({ours}) here, ({theirs}) on chain"));
    }
    arguments
        .iter()
        .zip(&call.fields)
        .try_for_each(|((name, ours), theirs)| {
            known
                .matches(*ours, (metadata.types(), theirs.ty.id))
                .map_err(|why| format!(".{name}{why}"))
        })
}

/// An event's fields must be those of a structure of this program.
fn check_event(
    known: &Known,
    metadata: &Metadata,
    (pallet, event): (&str, &str),
    ours: u32,
) -> Result<(), String> {
    let pallet = metadata.pallet_by_name(pallet).ok_or(": no such pallet")?;
    let variants = pallet.event_variants().unwrap_or_default();
    let theirs = variants
        .iter()
        .find(|v| v.name == event)
        .ok_or(": missing")?;
    known.matches_fields(ours, (metadata.types(), &theirs.fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_encoded_in_the_order_of_the_call() {
        let call = Call::Commit {
            task: TaskId([1; 16]),
            commitment: [2; 32],
        };
        assert_eq!(call.name(), ("Tasks", "commit"));
        assert_eq!(call.encode_arguments(), ([1u8; 16], [2u8; 32]).encode());
        assert!(Call::ClaimAll {}.encode_arguments().is_empty());
    }

    #[test]
    fn every_call_is_listed_once() {
        let mut names: Vec<_> = call_shapes().into_iter().map(|(p, c, _)| (p, c)).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
