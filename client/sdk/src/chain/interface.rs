// SPDX-License-Identifier: Apache-2.0

//! The part of the chain this program uses: calls and events, with the shapes of everything that
//! goes in or comes out. One table serves encoding and the check against the metadata. Functions of
//! runtime APIs are in `reads`.

use super::{
    multisig::{Timepoint, Weight, MULTI},
    parameter::Parameter,
    proxy_kind::{ProxyKind, PROXIED},
    shape::{Collector, Known},
};
use codec::{Compact, Decode, Encode};
use polkadot_sdk::{
    sp_core::{bounded::BoundedVec, crypto::AccountId32, ConstU32},
    sp_runtime::MultiAddress,
};
use scale_info::{meta_type, MetaType};
use subxt::metadata::Metadata;
use tos_storage_proofs::Commitment as StorageCommitment;
use tos_types::{
    commitment::{Commitment, Salt},
    storage::{
        DealTerms, GroupId, Locator, SealAnswer, SignedRoot, StoredContent, Window, WindowAnswer,
        MAX_COMPACT,
    },
    AnswerScore, Balance, ContentHash, ContentRef, DealId, Difficulty, ReplicaId, Report, TaskId,
    TaskParams, TaskType, Tick, MAX_PARTICIPANTS,
};

/// Task types an account works on; the chain bounds their number.
pub type Types = Vec<TaskType>;
/// One vote.
pub type Scores = BoundedVec<AnswerScore, ConstU32<MAX_PARTICIPANTS>>;
/// The rules of a task type, as the chain keeps them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, scale_info::TypeInfo)]
pub struct TypeProfile {
    /// `true` if equal answers may all earn.
    pub equal_answers_allowed: bool,
    /// The pinned tool, by the BLAKE3 hash of its file.
    pub tool: Option<ContentHash>,
}
/// A compact proof.
pub type CompactBytes = BoundedVec<u8, ConstU32<MAX_COMPACT>>;
/// An account as calls name it.
pub type Address = MultiAddress<AccountId32, ()>;
/// A list that encodes like the chain's bounded list of task types.
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
            /// An encoded call as the superuser. Not among the shapes that are checked: networks
            /// other than those for development have no superuser.
            Sudo { call: Vec<u8> },
            /// An encoded call for an account that the signer is a proxy of.
            Proxied { real: AccountId32, call: Vec<u8> },
            /// An encoded call as one of several signatories.
            AsMulti {
                threshold: u16, others: Vec<AccountId32>, timepoint: Option<Timepoint>,
                call: Vec<u8>, max_weight: Weight
            },
        }

        impl Call {
            /// The pallet and the call, as the metadata names them.
            pub fn name(&self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$variant { .. } => ($pallet, $call),)*
                    Self::Sudo { .. } => ("Sudo", "sudo"),
                    Self::Proxied { .. } => PROXIED,
                    Self::AsMulti { .. } => MULTI,
                }
            }

            /// The arguments in SCALE.
            pub fn encode_arguments(&self) -> Vec<u8> {
                let mut bytes = Vec::new();
                match self {
                    $(Self::$variant { $($arg),* } => {
                        $($arg.encode_to(&mut bytes);)*
                    })*
                    // It is a call already, and a call has no length in front.
                    Self::Sudo { call } => bytes.extend_from_slice(call),
                    Self::AsMulti { threshold, others, timepoint, call, max_weight } => {
                        (threshold, others, timepoint).encode_to(&mut bytes);
                        bytes.extend_from_slice(call);
                        max_weight.encode_to(&mut bytes);
                    }
                    Self::Proxied { real, call } => {
                        // Any kind of proxy will do.
                        (Address::Id(real.clone()), None::<ProxyKind>).encode_to(&mut bytes);
                        bytes.extend_from_slice(call);
                    }
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
        open_for: Tick, min_quality: u8, max_participants: u32, reference: Option<[u8; 32]>
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
    /// Speaks for a miner.
    Endorse = "Miners" "endorse" { who: AccountId32 }
    /// Speaks for a miner no more.
    RetractEndorsement = "Miners" "retract_endorsement" {
        endorser: AccountId32, who: AccountId32
    }
    /// Looks whether a miner's level changes.
    ReviewLevel = "Miners" "review_level" { who: AccountId32 }
    /// Becomes a judge.
    RegisterJudge = "Judges" "register" { types: Types as TypesShape }
    /// Judges other types.
    SetTypes = "Judges" "set_types" { types: Types as TypesShape }
    /// Replaces slashed stake.
    TopUp = "Judges" "top_up" {}
    /// Stops being drawn.
    LeaveJudge = "Judges" "leave" {}
    /// Stays a judge after all.
    RejoinJudge = "Judges" "rejoin" {}
    /// Gets the judge's stake back.
    WithdrawJudge = "Judges" "withdraw" {}
    /// Commits to a vote.
    CommitVote = "Judges" "commit_vote" { task: TaskId, commitment: Commitment }
    /// Reveals a vote.
    RevealVote = "Judges" "reveal_vote" {
        task: TaskId, scores: Scores, report: Option<Report>, salt: Salt
    }
    /// Tells that an answer was a check of the judges.
    RevealControl = "Judges" "reveal_control" { task: TaskId, quality: u8, secret: [u8; 32] }
    /// Approves an account for writing control answers, or takes that back.
    SetControlAuthor = "Judges" "set_control_author" { who: AccountId32, approved: bool }
    /// Sets the rules of a task type.
    SetTaskType = "Tasks" "set_task_type" { task_type: TaskType, profile: Option<TypeProfile> }
    /// Sets a parameter of the protocol.
    SetParameter = "Parameters" "set_parameter" { key_value: Parameter }
    /// Claims one reward.
    Claim = "Rewards" "claim" { task: TaskId }
    /// Claims all rewards.
    ClaimAll = "Rewards" "claim_all" {}
    /// Claims one reward for its owner.
    ClaimFor = "Rewards" "claim_for" { owner: AccountId32, task: TaskId }
    /// Claims all rewards of an owner.
    ClaimAllFor = "Rewards" "claim_all_for" { owner: AccountId32 }
    /// Has rewards paid at once, or not.
    SetAutoClaim = "Rewards" "set_auto_claim" { enabled: bool }
    /// Appoints a proxy.
    AddProxy = "Proxy" "add_proxy" { delegate: Address, proxy_type: ProxyKind, delay: u32 }
    /// Dismisses a proxy.
    RemoveProxy = "Proxy" "remove_proxy" { delegate: Address, proxy_type: ProxyKind, delay: u32 }
    /// Approves a call by its hash, as one of several signatories.
    ApproveAsMulti = "Multisig" "approve_as_multi" {
        threshold: u16, other_signatories: Vec<AccountId32>, maybe_timepoint: Option<Timepoint>,
        call_hash: [u8; 32], max_weight: Weight
    }
    /// Withdraws a call that waits for approvals.
    CancelAsMulti = "Multisig" "cancel_as_multi" {
        threshold: u16, other_signatories: Vec<AccountId32>, timepoint: Timepoint,
        call_hash: [u8; 32]
    }
    /// Becomes a storage provider.
    RegisterProvider = "Storage" "register_provider" {
        bond: Compact<Balance>, proof_key: [u8; 32], locator: Locator
    }
    /// Changes a provider's key and locator.
    SetProvider = "Storage" "set_provider" { proof_key: [u8; 32], locator: Locator }
    /// Adds to a provider's bond.
    TopUpProvider = "Storage" "top_up" { amount: Compact<Balance> }
    /// Takes from a provider's bond what is free.
    WithdrawProvider = "Storage" "withdraw" { amount: Compact<Balance> }
    /// Takes no new deals.
    ExitProvider = "Storage" "exit" {}
    /// Gets the rest of a provider's bond back.
    LeaveProvider = "Storage" "leave" {}
    /// Offers a deal.
    Offer = "Storage" "offer" {
        content: StoredContent, coded: StorageCommitment, terms: DealTerms<AccountId32>
    }
    /// Withdraws an offer.
    CancelOffer = "Storage" "cancel_offer" { deal: DealId }
    /// Accepts a deal.
    AcceptDeal = "Storage" "accept" { deal: DealId }
    /// Commits to a sealed replica.
    CommitSeal = "Storage" "commit_seal" { replica: ReplicaId, sealed: StorageCommitment }
    /// Stops proving a replica for a while.
    PauseReplica = "Storage" "pause" { replica: ReplicaId }
    /// Proves a paused replica again.
    ResumeReplica = "Storage" "resume" { replica: ReplicaId }
    /// Ends a replica early.
    RequestRemoval = "Storage" "request_removal" { replica: ReplicaId }
    /// Pays what a replica has earned.
    SettleReplica = "Storage" "settle" { replica: ReplicaId }
    /// Demands that a sealing is opened.
    ChallengeSeal = "Storage" "challenge_seal" { replica: ReplicaId }
    /// Demands that a window is opened.
    ChallengeWindow = "Storage" "challenge_window" { replica: ReplicaId, window: Window }
    /// Answers an audit.
    RespondAudit = "Storage" "respond_audit" { proof: CompactBytes }
    /// Answers a challenge of a sealing.
    RespondSeal = "Storage" "respond_seal" { answer: SealAnswer }
    /// Answers a challenge of a window.
    RespondWindow = "Storage" "respond_window" { answer: WindowAnswer }
    /// Hands in the root of a group.
    SubmitGroup = "Storage" "submit_group" { window: Window, group: GroupId, signed: SignedRoot }
    /// Tells what a committee member saw.
    Attest = "Storage" "attest" { window: Window, group: GroupId, latency_ms: u32, bad: u32 }
    /// Takes the steps of a replica that are due.
    CrankReplica = "Storage" "crank" { replica: ReplicaId }
    /// Takes the step of a deal that is due.
    CrankDeal = "Storage" "crank_deal" { deal: DealId }
}

impl Call {
    /// Returns `true` if it carries its own authorisation, so that it needs no signature and no fee.
    pub fn is_authorised(&self) -> bool {
        matches!(
            self,
            Self::RespondAudit { .. }
                | Self::RespondSeal { .. }
                | Self::RespondWindow { .. }
                | Self::SubmitGroup { .. }
        )
    }
}

/// The event that tells the identifier of a new deal.
#[derive(Clone, Debug, Encode, Decode, scale_info::TypeInfo)]
pub struct Offered {
    /// The deal.
    pub deal: DealId,
    /// The account that pays.
    pub client: AccountId32,
    /// The amount that is held.
    pub escrow: Balance,
}

impl Offered {
    /// Its name in the metadata.
    pub const NAME: (&'static str, &'static str) = ("Storage", "Offered");
}

/// The event that tells the identifier of a new task.
#[derive(Clone, Debug, Encode, Decode, scale_info::TypeInfo)]
pub struct Published {
    /// The task.
    pub task: TaskId,
    /// The account that published it.
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

/// The event that tells the fee of a signed transaction.
#[derive(Clone, Debug, Encode, Decode, scale_info::TypeInfo)]
pub struct FeePaid {
    /// The account that paid.
    pub who: AccountId32,
    /// The fee, tip included, in wei.
    pub actual_fee: Balance,
    /// The tip, in wei.
    pub tip: Balance,
}

impl FeePaid {
    /// Its name in the metadata.
    pub const NAME: (&'static str, &'static str) = ("TransactionPayment", "TransactionFeePaid");
}

/// Calls and events that this program uses and the chain does not have, or has in another shape.
pub fn differences(metadata: &Metadata) -> Vec<String> {
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
    let events = [
        (Published::NAME, collector.add(&meta_type::<Published>())),
        (Offered::NAME, collector.add(&meta_type::<Offered>())),
        (FeePaid::NAME, collector.add(&meta_type::<FeePaid>())),
    ];
    let known = collector.finish();
    let mut wrong = Vec::new();
    for (pallet, call, arguments) in calls {
        if let Err(why) = check_call(&known, metadata, pallet, call, &arguments) {
            wrong.push(format!("call {pallet}.{call}{why}"));
        }
    }
    for ((pallet, event), ours) in events {
        if let Err(why) = check_event(&known, metadata, (pallet, event), ours) {
            wrong.push(format!("event {pallet}.{event}{why}"));
        }
    }
    wrong
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
        let call = Call::SetProvider {
            proof_key: [7; 32],
            locator: b"http://h".to_vec().try_into().unwrap(),
        };
        assert_eq!(call.encode_arguments(), ([7u8; 32], "http://h").encode());
    }

    #[test]
    fn only_answers_and_roots_need_no_sender() {
        let signed = SignedRoot {
            root: [1; 32],
            signature: [2; 64],
        };
        let (window, group) = (3, 4);
        assert!(Call::SubmitGroup {
            window,
            group,
            signed
        }
        .is_authorised());
        let proof = CompactBytes::default();
        assert!(Call::RespondAudit { proof }.is_authorised());
        let replica = ReplicaId([1; 16]);
        assert!(!Call::SettleReplica { replica }.is_authorised());
        assert!(!Call::ClaimAll {}.is_authorised());
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
