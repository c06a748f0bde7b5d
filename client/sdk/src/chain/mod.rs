// SPDX-License-Identifier: Apache-2.0

//! The chain, as this program sees it: a connection, reading at a block, sending transactions.

mod advice;
mod cost;
mod decode;
mod due;
mod foresee;
mod identity;
pub(crate) mod interface;
mod local;
mod multisig;
mod parameter;
mod proxy;
mod proxy_kind;
mod reads;
mod refusal;
mod session;
mod settle;
mod shape;
mod storage_key;
#[cfg(test)]
mod tests;
mod transaction;
mod words;

pub use advice::ADVICE;
pub use cost::TypeRules;
pub use identity::{meet, recognise, Folder, Guard, Heads, Memory, Reason, Record, Sight};
pub use interface::{Call, CompactBytes, Scores, TypeProfile};
pub use local::LocalRpc;
pub use multisig::Group;
pub use parameter::{Parameter, NAMES as PARAMETER_NAMES};
pub use proxy::Proxy;
pub use proxy_kind::ProxyKind;
pub use transaction::{Included, Wait};

pub use crate::any_chain::{Block, Hash};

use crate::{
    any_chain,
    error::{text, Context, Error, Result},
    keys::Signer,
    rpc::{rpc_params, Limits, Rpc},
};
use codec::DecodeAll;
use futures::{Stream, StreamExt};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    fmt::Display,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Mutex,
    },
    time::Duration,
};
use subxt::{
    client::{OnlineClient, OnlineClientAtBlock},
    config::{substrate::H256, RpcConfigFor, SubstrateConfig},
    dynamic::{self, Value},
    error::StorageError,
    rpcs::LegacyRpcMethods,
    Metadata,
};
use tos_types::Balance;

/// The time a node has to answer the first question.
const CONNECT_TIME: Duration = Duration::from_secs(15);
/// The time between two looks at the chain for a transaction.
const LOOK: Duration = Duration::from_secs(1);

/// Node that a program talks to.
#[derive(Clone)]
pub enum Endpoint {
    /// A node at this address.
    Url(String),
    /// The node that this program is a part of.
    Local(Arc<dyn LocalRpc>),
}

impl Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Url(url) => url,
            Self::Local(_) => "this node",
        })
    }
}

impl From<&str> for Endpoint {
    fn from(url: &str) -> Self {
        Self::Url(url.to_owned())
    }
}

/// A connection to a node whose runtime fits this program.
pub struct Connection {
    client: OnlineClient<SubstrateConfig>,
    rpc: Rpc,
    /// Methods on that connection.
    methods: LegacyRpcMethods<RpcConfigFor<SubstrateConfig>>,
    /// The version of the runtime that was checked last.
    pub(crate) checked: Mutex<Option<u32>>,
    /// See [`LOOK`].
    pub(crate) look: Duration,
    /// `true` once a development key was warned of.
    warned: AtomicBool,
}

/// Checks that the chain has everything this program uses, in the shapes it uses. The error lists
/// all that is missing or different, or says that it is another kind of chain.
fn check(metadata: &Metadata) -> Result<(), String> {
    if metadata.runtime_api_trait_by_name("TosApi").is_none()
        && metadata.pallet_by_name("Tasks").is_none()
    {
        return Err(
            "the node is of another chain than one of TOS: its runtime knows no tasks; name a TOS \
             node (--url)"
                .into(),
        );
    }
    let mut wrong = interface::differences(metadata);
    wrong.extend(reads::differences(metadata, &reads::functions()));
    for check in [proxy::check, multisig::check, session::check] {
        wrong.extend(check(metadata).err());
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "this program and the chain's runtime do not fit:\n  {}",
            wrong.join("\n  ")
        )),
    }
}

/// The chain at one block.
pub struct At {
    block: OnlineClientAtBlock<SubstrateConfig>,
}

/// An event.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Event {
    /// The number of its block.
    pub block: u64,
    /// The pallet that emitted it.
    pub pallet: String,
    /// Its name.
    pub name: String,
    /// Its fields, by name.
    pub fields: serde_json::Value,
}

/// Balances of an account, in the smallest unit.
pub struct Balances {
    /// The part that it can use, as far as it is not frozen.
    pub free: Balance,
    /// The part that is on hold.
    pub reserved: Balance,
}

impl Connection {
    /// Connects and checks that the runtime fits.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_at(&Endpoint::Url(url.to_owned())).await
    }

    /// Connects to a node and checks that the runtime fits.
    ///
    /// # Errors
    /// [`Error::Unreachable`] if there is no answer within 15 s.
    pub async fn open_at(endpoint: &Endpoint) -> Result<Self> {
        let name = endpoint.to_string();
        let connect = async {
            let rpc = match endpoint {
                Endpoint::Url(url) => Rpc::connect(url, Limits::default()).await?,
                Endpoint::Local(rpc) => Rpc::over(&name, local::Transport(rpc.clone())),
            };
            Self::over(rpc).await
        };
        let connected = tokio::time::timeout(CONNECT_TIME, connect).await;
        let silent = |_| Error::Unreachable {
            url: name.clone(),
            reason: format!("no answer within {} s", CONNECT_TIME.as_secs()),
        };
        let this = connected.map_err(silent)??;
        this.best().await?;
        Ok(this)
    }

    /// The chain behind `rpc`, unchecked.
    pub(crate) async fn over(rpc: Rpc) -> Result<Self> {
        let client = match rpc.chain().await {
            Ok(client) => client,
            Err(error) => return Err(rpc.no_chain(&text(error)).await),
        };
        Ok(Self {
            client,
            methods: LegacyRpcMethods::new(rpc.client().clone()),
            rpc,
            checked: Mutex::new(None),
            look: LOOK,
            warned: AtomicBool::new(false),
        })
    }

    /// Names the chain.
    pub fn genesis(&self) -> [u8; 32] {
        self.client.genesis_hash().0
    }

    /// The chain at its best block.
    pub async fn best(&self) -> Result<At> {
        let hash = match self.methods.chain_get_block_hash(None).await {
            Ok(Some(hash)) => hash,
            Ok(None) => return Err(Error::Failed("the node has no best block".into())),
            Err(error) => return Err(self.explain(error).await),
        };
        self.at(hash).await
    }

    /// The chain at its last finalised block.
    pub async fn finalised(&self) -> Result<At> {
        match self.methods.chain_get_finalized_head().await {
            Ok(hash) => self.at(hash).await,
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// The chain at the block with this hash.
    pub async fn at_block(&self, hash: [u8; 32]) -> Result<At> {
        self.at(H256(hash)).await
    }

    async fn at(&self, hash: H256) -> Result<At> {
        let block = match self.client.at_block(hash).await {
            Ok(block) => block,
            Err(error) => return Err(self.explain(error).await),
        };
        self.check_runtime(&block)?;
        Ok(At { block })
    }

    /// Runtimes can be upgraded while this program runs.
    fn check_runtime(&self, block: &OnlineClientAtBlock<SubstrateConfig>) -> Result<()> {
        let version = block.spec_version();
        let mut checked = self.checked.lock().unwrap_or_else(|e| e.into_inner());
        if *checked != Some(version) {
            check(block.metadata_ref()).map_err(Error::Failed)?;
            *checked = Some(version);
        }
        Ok(())
    }

    /// The numbers of best blocks as they come. Ends when the connection does.
    pub async fn best_blocks(&self) -> Result<impl Stream<Item = Result<u64>> + Unpin> {
        let blocks = match self.client.stream_best_blocks().await {
            Ok(blocks) => blocks,
            Err(error) => return Err(self.explain(error).await),
        };
        Ok(blocks.map(|block| block.map(|b| b.number()).context("following blocks")))
    }

    /// The chain at the block of this number. Its runtime may be an older one: only events are
    /// read of it.
    pub async fn at_number(&self, number: u64) -> Result<At> {
        match self.client.at_block(number).await {
            Ok(block) => Ok(At { block }),
            Err(error) => Err(self.unreadable(number, error).await),
        }
    }

    /// Name of the chain, and version of the node.
    pub async fn names(&self) -> Result<(String, String)> {
        let names = async {
            Ok::<_, subxt::rpcs::Error>((
                self.methods.system_chain().await?,
                self.methods.system_version().await?,
            ))
        };
        match names.await {
            Ok(names) => Ok(names),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// Warning that the signer's account is not safe on this chain: its key is one that anyone can
    /// make, and the chain is not one for development.
    pub async fn development_warning(&self, signer: &Signer) -> Option<String> {
        if !signer.development {
            return None;
        }
        let chain_type = match self.rpc.request("system_chainType", rpc_params![]).await {
            Ok(serde_json::Value::String(kind)) => kind,
            // `{"Custom": "…"}`.
            Ok(other) => other["Custom"].as_str().unwrap_or("unknown").to_owned(),
            Err(_) => "unknown".into(),
        };
        if chain_type == "Development" {
            return None;
        }
        let name = self.methods.system_chain().await.unwrap_or_default();
        Some(format!(
            "{} is a well-known development key, and the chain `{name}` is of type {chain_type}: \
             anyone can sign for this account; use a key of your own (`tos keys new`)",
            signer.pair.account()
        ))
    }

    /// Warns of a development key, once.
    async fn warn_of_development_key(&self, signer: &Signer) {
        if signer.development && !self.warned.swap(true, Ordering::Relaxed) {
            if let Some(warning) = self.development_warning(signer).await {
                tracing::warn!("{warning}");
            }
        }
    }

    /// The error for a node that ended the connection.
    pub fn gone(&self, reason: &str) -> Error {
        self.rpc.gone(reason)
    }

    /// `error`, or [`Error::Unreachable`] where it came because the node is gone.
    pub async fn or_lost(&self, error: Error) -> Error {
        match error {
            Error::Failed(reason) => self.explain(reason).await,
            other => other,
        }
    }

    /// Tells a lost connection from other trouble by asking the node for its health.
    async fn explain(&self, error: impl Display) -> Error {
        let reason = text(error);
        let alive = tokio::time::timeout(CONNECT_TIME, self.methods.system_health()).await;
        if matches!(alive, Ok(Ok(_))) {
            Error::Failed(reason)
        } else {
            self.gone(&reason)
        }
    }
}

impl At {
    /// A call as this runtime encodes it, with the numbers of its pallet and of itself in front.
    pub fn encode(&self, call: &Call) -> Result<Vec<u8>> {
        call.encoded().encode(self.block.metadata_ref())
    }

    /// The same call, as the superuser of a network for development.
    pub fn sudo(&self, call: &Call) -> Result<Call> {
        let call = self.encode(call)?;
        let sudo = Call::Sudo { call };
        // Refused here where the chain has no superuser.
        self.encode(&sudo).map(|_| sudo)
    }

    /// The number of the block.
    pub fn number(&self) -> u64 {
        self.block.block_number()
    }

    /// The hash of the block.
    pub fn hash(&self) -> [u8; 32] {
        self.block.block_hash().0
    }

    /// The version of the runtime.
    pub fn spec_version(&self) -> u32 {
        self.block.spec_version()
    }

    /// All events of the block.
    pub async fn events(&self) -> Result<Vec<Event>> {
        let metadata = self.block.metadata_ref();
        let events = self.block.events().fetch().await.context("events")?;
        let mut all = Vec::new();
        for event in events.iter() {
            let event = event.context("events")?;
            let (pallet, name) = (
                event.pallet_name().to_owned(),
                event.event_name().to_owned(),
            );
            let variant = metadata
                .pallet_by_event_index(event.pallet_index())
                .and_then(|pallet| pallet.event_variant_by_index(event.event_index()));
            let variant =
                variant.ok_or_else(|| Error::Failed(format!("no event {pallet}.{name}")))?;
            let input = &mut event.field_bytes();
            let fields = decode::fields(metadata.types(), &variant.fields, input)
                .context(format_args!("event {pallet}.{name}"))?;
            all.push(Event {
                block: self.number(),
                pallet,
                name,
                fields,
            });
        }
        Ok(all)
    }

    /// Balances of an account.
    pub async fn balance(&self, who: &AccountId32) -> Result<Balances> {
        let address = dynamic::storage::<([u8; 32],), Value>("System", "Account");
        let account = self
            .block
            .storage()
            .fetch(address, (who.clone().into(),))
            .await;
        let account = account
            .context("System.Account")?
            .decode()
            .context("System.Account")?;
        Ok(Balances {
            free: any_chain::balance(&account, "free")?,
            reserved: any_chain::balance(&account, "reserved")?,
        })
    }

    /// The value under a key of the storage, if there is one; `name` is for errors.
    async fn raw_value<T: DecodeAll>(&self, key: Vec<u8>, name: &str) -> Result<Option<T>> {
        match self.block.storage().fetch_raw(key).await {
            Ok(bytes) => T::decode_all(&mut bytes.as_slice()).context(name).map(Some),
            Err(StorageError::NoValueFound) => Ok(None),
            Err(error) => Err(error).context(name),
        }
    }

    /// Calls a function of the runtime API. Shapes were checked against the metadata; the runtime
    /// may be older than the function.
    pub async fn call_api<T: DecodeAll>(&self, function: &str, arguments: &[u8]) -> Result<T> {
        reads::check_offered(self.block.metadata_ref(), self.spec_version(), function)?;
        let bytes = self
            .block
            .runtime_apis()
            .call_raw(function, Some(arguments))
            .await;
        let bytes = bytes.context(function)?;
        T::decode_all(&mut bytes.as_slice()).context(function)
    }
}
