// SPDX-License-Identifier: Apache-2.0

//! A node for tests: a chain in memory behind the JSON-RPC methods that [`Connection`] uses. What its
//! pool does with a transaction, the test says beforehand. Signatures, nonces and eras are checked
//! as a runtime checks them.

mod runtime;
mod state;

pub use runtime::FEE;
pub use state::key_of_type;

use self::runtime::{
    fee_paid, metadata, published, reference_used, ProxyEvent, RuntimeEvent, SystemEvent,
};
use crate::chain::Connection;
use crate::keys::{Keypair, Scheme, Signer};
use crate::rpc::Rpc;
use codec::{Compact, Decode, Encode};
use polkadot_sdk::{
    sp_core::crypto::AccountId32,
    sp_crypto_hashing::blake2_256,
    sp_runtime::{
        generic::Era, traits::Verify, DispatchError, ModuleError, MultiAddress, MultiSignature,
    },
};
use serde_json::{json, Value};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use subxt::{
    events::Phase,
    rpcs::{
        client::{RawRpcFuture, RawRpcSubscription, RawValue, RpcClientT},
        UserError,
    },
};
use tos_types::{
    json::{from_hex, to_hex},
    Balance, TaskId,
};

const SPEC_VERSION: u32 = 1;
/// The task that a stranger publishes in every block, before the transactions of the test.
const STRANGERS: TaskId = TaskId([0xee; 16]);

/// Effect of a call.
#[derive(Clone, Copy)]
pub enum Effect {
    /// It publishes this task.
    Publishes(TaskId),
    /// It fails with `Tasks::ReferenceUsed`.
    Fails,
    /// It is for another account, and the call inside fails so.
    FailsInside,
    /// It fails with the error of `Tasks` that has this name.
    FailsWith(&'static str),
}

/// Something that happens to the node.
pub type Event = Box<dyn FnOnce(&mut Node) + Send>;

/// Transaction that the next block holds.
#[derive(Clone, Copy)]
pub enum Next {
    /// There is none.
    Nothing,
    /// The transaction.
    This(Effect),
    /// Another transaction of the account, with the same nonce.
    Another,
}

/// News that the node tells of a transaction.
#[derive(Clone, Copy)]
pub enum Tell {
    /// It is in the best block.
    InBlock,
    /// It is in the final block.
    Finalised,
    /// The pool has no room for it any more.
    Dropped,
    /// It is not valid any more.
    Invalid,
    /// Another transaction took its place.
    Usurped,
}

/// Reaction of the pool to a transaction.
#[derive(Clone, Copy)]
pub enum Reaction {
    /// Refuses it with this code, message and data.
    Refuse(i32, &'static str, &'static str),
    /// Takes it, and ends the subscription after what it tells.
    Take(Next, &'static [Tell]),
    /// Takes it, and tells no more after this.
    Hold(Next, &'static [Tell]),
}

/// A transaction as it came.
#[derive(Clone)]
pub struct Submitted {
    /// The hash of its bytes.
    pub hash: [u8; 32],
    /// The account that signed it.
    pub account: AccountId32,
    /// Its nonce.
    pub nonce: u64,
    /// Amount that it offers beyond its fee, in wei.
    pub tip: Balance,
    /// The part of the chain in which it is good.
    pub era: Era,
    /// Its call, with the numbers of pallet and call in front.
    pub call: Vec<u8>,
    bytes: Vec<u8>,
}

struct Block {
    hash: [u8; 32],
    transactions: Vec<(Submitted, Effect)>,
}

/// The state of the node.
pub struct Node {
    blocks: Vec<Block>,
    finalised: usize,
    forks: u64,
    /// `true` if it answers no more.
    pub lost: bool,
    /// Answer to `system_chainType`.
    pub chain_type: Value,
    /// Reactions to the next transactions. Without any, each is in the next block, final, and
    /// publishes a task.
    pub reactions: VecDeque<Reaction>,
    /// Transactions that came.
    pub submitted: Vec<Submitted>,
    /// Events that happen when the best block is asked for, one after the other.
    pub events: VecDeque<Event>,
    /// Answers to `TosApi.task_by_reference`, one after the other; the last one stays.
    pub by_reference: VecDeque<Option<TaskId>>,
    /// Answers of other functions of the runtime.
    pub answers: HashMap<&'static str, Vec<u8>>,
    /// Keys of the task types; with none, the node does not list keys.
    pub types: Vec<String>,
    /// Free balance of every account that is asked for, if it has any.
    pub free: Option<Balance>,
    /// Validators of the session.
    pub validators: Vec<AccountId32>,
    /// State of blocks below this one is discarded.
    pub pruned: usize,
    /// Number by which the nonces that it tells are too high.
    pub nonces_ahead: u64,
}

/// A handle to the node.
#[derive(Clone)]
pub struct FakeNode {
    node: Arc<Mutex<Node>>,
    /// Told whenever a subscription has nothing more to say and stays open, and at each refusal.
    pub quiet: Arc<tokio::sync::Notify>,
}

/// A signer that is no development key.
pub fn signer() -> Signer {
    let phrase = "caution juice atom organ advance problem want pledge someone senior holiday very";
    Signer {
        pair: Keypair::from_suri(Scheme::Sr25519, phrase).unwrap(),
        tip: 0,
        development: false,
        acts_for: None,
    }
}

impl Node {
    fn push(&mut self, transactions: Vec<(Submitted, Effect)>) -> [u8; 32] {
        let hash = blake2_256(&(self.blocks.len() as u64, self.forks).encode());
        self.blocks.push(Block { hash, transactions });
        hash
    }

    /// Makes blocks without transactions of the test.
    pub fn grow(&mut self, count: usize) {
        for _ in 0..count {
            self.push(Vec::new());
        }
    }

    /// Makes the best block final.
    pub fn finalise(&mut self) {
        self.finalised = self.blocks.len() - 1;
    }

    /// Puts one empty block in the place of the last one.
    pub fn reorganise(&mut self) {
        self.forks += 1;
        self.blocks.pop();
        self.push(Vec::new());
    }

    /// The hash of the best block.
    pub fn best_hash(&self) -> [u8; 32] {
        self.blocks.last().unwrap().hash
    }

    /// The transactions of the test in all blocks.
    pub fn included(&self) -> usize {
        self.blocks.iter().map(|b| b.transactions.len()).sum()
    }

    fn number(&self, hash: &Value) -> Option<usize> {
        match hash.as_str() {
            None => Some(self.blocks.len() - 1),
            Some(text) => self.blocks.iter().position(|b| to_hex(&b.hash) == text),
        }
    }

    fn nonce(&self, account: &AccountId32, number: usize) -> u64 {
        let all = self.blocks[..=number].iter().flat_map(|b| &b.transactions);
        all.filter(|(sent, _)| sent.account == *account).count() as u64
    }

    fn header(&self, number: usize) -> Value {
        let zero = to_hex(&[0; 32]);
        let parent = number.checked_sub(1).map(|n| to_hex(&self.blocks[n].hash));
        json!({
            "parentHash": parent.unwrap_or(zero.clone()), "number": format!("{number:#x}"),
            "stateRoot": zero, "extrinsicsRoot": zero, "digest": {"logs": []},
        })
    }

    fn extrinsics(&self, number: usize) -> Vec<String> {
        let strangers = std::iter::once(to_hex(b"stranger"));
        let own = self.blocks[number].transactions.iter();
        strangers
            .chain(own.map(|(sent, _)| to_hex(&sent.bytes)))
            .collect()
    }

    fn block_events(&self, number: usize) -> Vec<u8> {
        let mut events = vec![published(0, STRANGERS)];
        for (index, (sent, effect)) in self.blocks[number].transactions.iter().enumerate() {
            let index = index as u32 + 1;
            let fee = fee_paid(index, sent.account.clone());
            match effect {
                Effect::Publishes(task) => events.extend([published(index, *task), fee]),
                Effect::Fails | Effect::FailsWith(_) => {
                    let error = match effect {
                        Effect::FailsWith(name) => state::error_index(name),
                        _ => 0,
                    };
                    let dispatch_error = DispatchError::Module(ModuleError {
                        index: 1,
                        error: [error, 0, 0, 0],
                        message: None,
                    });
                    let event =
                        RuntimeEvent::System(SystemEvent::ExtrinsicFailed { dispatch_error });
                    let failed = (Phase::ApplyExtrinsic(index), event, Vec::new());
                    events.extend([fee, failed]);
                }
                Effect::FailsInside => {
                    let result = Err(reference_used());
                    let event = RuntimeEvent::Proxy(ProxyEvent::ProxyExecuted { result });
                    let failed = (Phase::ApplyExtrinsic(index), event, Vec::new());
                    events.extend([failed, fee]);
                }
            }
        }
        events.encode()
    }

    /// As a runtime validates it for the next block.
    fn check(&self, sent: &Submitted, signed: impl Fn([u8; 32]) -> bool) -> Result<(), UserError> {
        let birth = sent.era.birth(self.blocks.len() as u64) as usize;
        let invalid = |why| Err(refusal(1010, "Invalid Transaction", why));
        match self.blocks.get(birth) {
            None => return invalid("Transaction has an ancient birth block"),
            Some(block) if !signed(block.hash) => {
                return invalid("Transaction has a bad signature")
            }
            Some(_) => {}
        }
        if sent.nonce < self.nonce(&sent.account, self.blocks.len() - 1) {
            return invalid("Transaction is outdated");
        }
        Ok(())
    }

    /// Takes a transaction or refuses it; then what is told, and whether it stays open.
    fn submit(&mut self, bytes: Vec<u8>) -> Result<(Vec<Value>, bool), UserError> {
        let input = &mut bytes.as_slice();
        let (_, version) = <(Compact<u32>, u8)>::decode(input).unwrap();
        assert_eq!(version, 0x84);
        let address = MultiAddress::<AccountId32, ()>::decode(input).unwrap();
        let MultiAddress::Id(account) = address else {
            panic!("not an account");
        };
        let signature = MultiSignature::decode(input).unwrap();
        let extensions = *input;
        let (era, nonce) = <(Era, Compact<u64>)>::decode(input).unwrap();
        let tip = Compact::<Balance>::decode(input).unwrap();
        let extensions = &extensions[..extensions.len() - input.len()];
        let call = *input;
        let sent = Submitted {
            hash: blake2_256(&bytes),
            account: account.clone(),
            nonce: nonce.0,
            tip: tip.0,
            era,
            call: call.to_vec(),
            bytes: bytes.clone(),
        };
        self.submitted.push(sent.clone());
        self.check(&sent, |birth| {
            let payload = [call, extensions, &birth].concat();
            match payload.len() > 256 {
                true => signature.verify(&blake2_256(&payload)[..], &account),
                false => signature.verify(&payload[..], &account),
            }
        })?;
        let task = TaskId([self.submitted.len() as u8; 16]);
        let all = Next::This(Effect::Publishes(task));
        let reaction = self.reactions.pop_front();
        let usual = Reaction::Take(all, &[Tell::InBlock, Tell::Finalised]);
        let (next, tells, open) = match reaction.unwrap_or(usual) {
            Reaction::Refuse(code, message, data) => return Err(refusal(code, message, data)),
            Reaction::Take(next, tells) => (next, tells, false),
            Reaction::Hold(next, tells) => (next, tells, true),
        };
        match next {
            Next::Nothing => {}
            Next::This(effect) => {
                self.push(vec![(sent, effect)]);
            }
            Next::Another => {
                let bytes = b"another".to_vec();
                let hash = blake2_256(&bytes);
                let another = Submitted {
                    bytes,
                    hash,
                    ..sent
                };
                self.push(vec![(another, Effect::Publishes(STRANGERS))]);
            }
        }
        let hash = to_hex(&self.best_hash());
        let told = tells.iter().map(|tell| match tell {
            Tell::InBlock => json!({ "inBlock": hash }),
            Tell::Finalised => {
                self.finalise();
                json!({ "finalized": hash })
            }
            Tell::Dropped => json!("dropped"),
            Tell::Invalid => json!("invalid"),
            Tell::Usurped => json!({ "usurped": hash }),
        });
        Ok((told.collect(), open))
    }

    fn call(&mut self, params: &[Value]) -> Option<Vec<u8>> {
        let arguments = from_hex(params[1].as_str().unwrap()).unwrap();
        let number = self.number(&params[2]).unwrap();
        Some(match params[0].as_str().unwrap() {
            "Core_version" => {
                let apis = Vec::<([u8; 8], u32)>::new();
                ("fake", "fake", 1u32, SPEC_VERSION, 1u32, apis, 1u32).encode()
            }
            "Metadata_metadata" => metadata().encode(),
            "AccountNonceApi_account_nonce" => {
                let account = AccountId32::decode(&mut arguments.as_slice()).unwrap();
                let nonce = self.nonce(&account, number) + self.nonces_ahead;
                (nonce as u32).encode()
            }
            "TosApi_task_by_reference" => match self.by_reference.len() {
                0 | 1 => self.by_reference.front().copied().flatten().encode(),
                _ => self.by_reference.pop_front().flatten().encode(),
            },
            name => return self.answers.get(name).cloned(),
        })
    }

    /// Fails for a block whose state is discarded.
    fn kept(&self, hash: &Value) -> Result<(), UserError> {
        match self.number(hash) {
            Some(number) if number < self.pruned => {
                let why = "Client error: UnknownBlock: State already discarded for 0x00";
                Err(refusal(4003, why, ""))
            }
            _ => Ok(()),
        }
    }

    fn request(&mut self, method: &str, params: &[Value]) -> Result<Value, UserError> {
        let null = Value::Null;
        let first = params.first().unwrap_or(&null);
        if self.lost {
            return Err(refusal(-32_603, "lost", ""));
        }
        Ok(match method {
            "chain_getBlockHash" => {
                if first.is_null() {
                    if let Some(event) = self.events.pop_front() {
                        event(self);
                    }
                }
                let number = first.as_u64().map_or(self.blocks.len() - 1, |n| n as usize);
                json!(self.blocks.get(number).map(|block| to_hex(&block.hash)))
            }
            "chain_getFinalizedHead" => json!(to_hex(&self.blocks[self.finalised].hash)),
            "chain_getHeader" => json!(self.number(first).map(|number| self.header(number))),
            "chain_getBlock" => json!(self.number(first).map(|number| json!({
                "block": {"header": self.header(number), "extrinsics": self.extrinsics(number)},
                "justifications": null,
            }))),
            "state_getStorage" => {
                self.kept(&params[1])?;
                let number = self.number(&params[1]).unwrap();
                if state::is_account(first) {
                    json!(self.free.map(state::account))
                } else if state::is_validators(first) {
                    json!(to_hex(&self.validators.encode()))
                } else {
                    json!(to_hex(&self.block_events(number)))
                }
            }
            "state_getKeysPaged" if !self.types.is_empty() => json!(self.types),
            "state_call" => {
                self.kept(&params[2])?;
                match self.call(params) {
                    Some(bytes) => json!(to_hex(&bytes)),
                    None => return Err(refusal(4003, "Client error", "function not found")),
                }
            }
            "system_health" => json!({"peers": 1, "isSyncing": false, "shouldHavePeers": true}),
            "system_chain" => json!("Fake"),
            "system_chainType" => self.chain_type.clone(),
            _ => return Err(UserError::method_not_found()),
        })
    }
}

impl Default for FakeNode {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeNode {
    /// A chain with its genesis block, which is final.
    pub fn new() -> Self {
        let mut node = Node {
            blocks: Vec::new(),
            finalised: 0,
            forks: 0,
            lost: false,
            chain_type: json!("Live"),
            reactions: VecDeque::new(),
            submitted: Vec::new(),
            events: VecDeque::new(),
            by_reference: VecDeque::new(),
            answers: HashMap::new(),
            types: Vec::new(),
            free: None,
            validators: Vec::new(),
            pruned: 0,
            nonces_ahead: 0,
        };
        node.grow(1);
        Self {
            node: Arc::new(Mutex::new(node)),
            quiet: Arc::default(),
        }
    }

    /// Its state.
    pub fn lock(&self) -> MutexGuard<'_, Node> {
        self.node.lock().unwrap()
    }

    /// A connection to it. Its metadata has only what transactions need, and is taken as checked.
    pub async fn connect(&self) -> Connection {
        let over = Connection::over(Rpc::over("fake", self.clone())).await;
        let mut connection = over.unwrap();
        connection.checked = Mutex::new(Some(SPEC_VERSION));
        connection.look = Duration::from_millis(1);
        connection
    }
}

impl RpcClientT for FakeNode {
    fn request_raw<'a>(
        &'a self,
        method: &'a str,
        params: Option<Box<RawValue>>,
    ) -> RawRpcFuture<'a, Box<RawValue>> {
        let answer = self.lock().request(method, &parse(params));
        Box::pin(async move { Ok(raw(&answer?)) })
    }

    fn subscribe_raw<'a>(
        &'a self,
        method: &'a str,
        params: Option<Box<RawValue>>,
        _: &'a str,
    ) -> RawRpcFuture<'a, RawRpcSubscription> {
        use futures::{stream, StreamExt};
        assert_eq!(method, "author_submitAndWatchExtrinsic");
        let params = parse(params);
        let bytes = from_hex(params[0].as_str().unwrap()).unwrap();
        let answer = self.lock().submit(bytes);
        let quiet = self.quiet.clone();
        Box::pin(async move {
            let (told, open) = answer.inspect_err(|_| quiet.notify_one())?;
            let told = stream::iter(told.into_iter().map(|value| Ok(raw(&value))));
            let rest = stream::poll_fn(move |_| match open {
                true => {
                    quiet.notify_one();
                    std::task::Poll::Pending
                }
                false => std::task::Poll::Ready(None),
            });
            Ok(RawRpcSubscription {
                stream: told.chain(rest).boxed(),
                id: None,
            })
        })
    }
}

fn parse(params: Option<Box<RawValue>>) -> Vec<Value> {
    params.map_or_else(Vec::new, |params| {
        serde_json::from_str(params.get()).unwrap()
    })
}

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

fn refusal(code: i32, message: &str, data: &str) -> UserError {
    UserError {
        code,
        message: message.into(),
        data: (!data.is_empty()).then(|| raw(&json!(data))),
    }
}
