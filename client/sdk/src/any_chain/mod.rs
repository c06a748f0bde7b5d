// SPDX-License-Identifier: Apache-2.0

//! Any Substrate chain with accounts and balances, by its metadata: blocks, state and events by their
//! bytes, and transactions that are signed without asking the node. [`crate::chain`] is for chains of
//! TOS, whose shapes it checks.

mod account;
mod head;
mod transaction;

pub use account::Account;
pub use head::{block_hash, head, Block, Hash, Head, Header};
pub use transaction::{submit, Arguments, EncodedCall, Mortality, Signed, SUBMIT};

pub(crate) use account::{balance, existential_deposit};
pub(crate) use transaction::{mortality, parameters};

use crate::{
    error::{Context, Error, Result},
    keys::Keypair,
    rpc::{rpc_params, Limits, Rpc},
};
use codec::{Compact, Encode};
use polkadot_sdk::sp_crypto_hashing::{blake2_128, blake2_256, twox_128};
use serde::Deserialize;
use std::{collections::HashMap, time::Duration};
use subxt::{
    client::OnlineClientAtBlock,
    config::{substrate::H256, SubstrateConfig},
    dynamic::{self, Value},
};
use tos_types::{
    json::{from_hex, to_hex},
    Balance,
};

/// The time a node has to hand over its metadata.
const OPEN: Duration = Duration::from_secs(30);
/// Accounts that are asked for in one request.
const ACCOUNTS_AT_ONCE: usize = 250;
/// Calls of `Balances` that move an amount, the preferred one first.
const TRANSFERS: [&str; 2] = ["transfer_keep_alive", "transfer_allow_death"];

/// A chain, by the metadata that it had when this was opened: transactions are made for that runtime,
/// and state is read by its types.
pub struct Chain {
    rpc: Rpc,
    at: OnlineClientAtBlock<SubstrateConfig>,
    genesis: Hash,
}

impl Chain {
    /// Connects to the node at `url` and reads the metadata at the last final block.
    ///
    /// # Errors
    /// [`Error::Unreachable`] if no node is there; [`Error::TimedOut`] if it does not hand over its
    /// metadata within 30 s; [`Error::Failed`] if the chain has no accounts.
    pub async fn open(url: &str) -> Result<Self> {
        let rpc = Rpc::connect(url, Limits::LARGE).await?;
        let open = async {
            let last = head(&rpc, Head::Final).await?;
            let client = rpc.chain().await.context("reading the chain")?;
            let at = client.at_block(H256(last.hash)).await;
            let at = at.context("reading the metadata")?;
            Ok::<_, Error>((at, client.genesis_hash().0))
        };
        let late = |_| {
            let seconds = OPEN.as_secs();
            Error::TimedOut(format!(
                "the node has not handed over its metadata within {seconds} s"
            ))
        };
        let (at, genesis) = tokio::time::timeout(OPEN, open).await.map_err(late)??;
        account::value_type(at.metadata_ref())?;
        Ok(Self { rpc, at, genesis })
    }

    /// The connection to the node.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// The hash of the first block, which names the chain.
    pub fn genesis(&self) -> Hash {
        self.genesis
    }

    /// Names of the chain, of the node with its version, and of the runtime with its version.
    pub async fn names(&self) -> Result<[String; 3]> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            spec_name: String,
            spec_version: u32,
        }
        let chain = self.rpc.call("system_chain", rpc_params![]).await?;
        let node = self.rpc.call("system_version", rpc_params![]).await?;
        let version: Version = self
            .rpc
            .call("state_getRuntimeVersion", rpc_params![])
            .await?;
        let runtime = format!("{}-{}", version.spec_name, version.spec_version);
        Ok([chain, node, runtime])
    }

    /// A head of the chain.
    pub async fn head(&self, which: Head) -> Result<Block> {
        head(&self.rpc, which).await
    }

    /// A life of so many blocks for a transaction that is sent now. `blocks` is a power of two from 4
    /// to 65,536.
    pub async fn mortality(&self, blocks: u64) -> Result<Mortality> {
        let last = self.head(Head::Final).await?;
        let best = self.head(Head::Best).await?;
        mortality(&self.rpc, blocks, last, best.number).await
    }

    /// `true` if the runtime has this call.
    pub fn has_call(&self, pallet: &str, name: &str) -> bool {
        self.call_index(pallet, name).is_some()
    }

    /// The numbers of a pallet and of one of its calls.
    pub fn call_index(&self, pallet: &str, name: &str) -> Option<(u8, u8)> {
        transaction::call_index(self.at.metadata_ref(), pallet, name)
    }

    /// A call whose arguments are in SCALE already. They are not checked.
    ///
    /// # Errors
    /// [`Error::Failed`] if the runtime has no such call.
    pub fn call(
        &self,
        pallet: &'static str,
        name: &'static str,
        arguments: Vec<u8>,
    ) -> Result<EncodedCall> {
        if !self.has_call(pallet, name) {
            return Err(Error::Failed(format!(
                "the chain has no call {pallet}.{name}"
            )));
        }
        Ok(EncodedCall::new(pallet, name, arguments))
    }

    /// A call with the numbers of its pallet and of itself in front, as calls are arguments of calls.
    pub fn encode(&self, call: &EncodedCall) -> Result<Vec<u8>> {
        call.encode(self.at.metadata_ref())
    }

    /// A transfer of an amount in the smallest unit; where the runtime can, one that keeps the sender
    /// alive.
    pub fn transfer(&self, to: &Hash, amount: Balance) -> Result<EncodedCall> {
        let name = TRANSFERS
            .into_iter()
            .find(|name| self.has_call("Balances", name));
        let missing = || {
            let [first, second] = TRANSFERS;
            Error::Failed(format!(
                "the chain has neither Balances.{first} nor Balances.{second}"
            ))
        };
        let name = name.ok_or_else(missing)?;
        let to = Value::unnamed_variant("Id", [Value::from_bytes(to)]);
        let payload = dynamic::tx("Balances", name, (to, Value::u128(amount)));
        let bytes = self.at.tx().call_data(&payload).context("a transfer")?;
        // The numbers of pallet and call go in front again when it is signed.
        let arguments = bytes.get(2..).unwrap_or_default().to_vec();
        Ok(EncodedCall::new("Balances", name, arguments))
    }

    /// Many calls in one, all or nothing.
    pub fn batch(&self, calls: &[EncodedCall]) -> Result<EncodedCall> {
        let mut arguments = Vec::new();
        Compact(u32::try_from(calls.len()).context("a batch")?).encode_to(&mut arguments);
        for call in calls {
            arguments.extend(self.encode(call)?);
        }
        self.call("Utility", "batch_all", arguments)
    }

    /// Signs a call, without asking the node. A transaction without mortality is good for ever.
    pub fn sign(
        &self,
        key: &Keypair,
        call: &EncodedCall,
        nonce: u64,
        mortality: Option<Mortality>,
    ) -> Result<Signed> {
        let params = parameters(nonce, 0, mortality).build();
        let transactions = self.at.tx();
        let signable = transactions.create_signable_offline(call, params);
        let mut signable = signable.context("making a transaction")?;
        let bytes = signable.sign(key).context("signing")?.into_encoded();
        Ok(Signed {
            hash: blake2_256(&bytes),
            bytes: bytes.into(),
        })
    }

    /// Fee that the chain takes for a transaction now, in the smallest unit; nothing where it does not
    /// say.
    pub async fn fee(&self, transaction: &Signed) -> Option<Balance> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Info {
            partial_fee: String,
        }
        let params = rpc_params![to_hex(&transaction.bytes)];
        let info: Info = self.rpc.call("payment_queryInfo", params).await.ok()?;
        let fee = &info.partial_fee;
        match fee.strip_prefix("0x") {
            Some(digits) => Balance::from_str_radix(digits, 16).ok(),
            None => fee.parse().ok(),
        }
    }

    /// The least that an account must own to exist, in the smallest unit.
    pub fn existential_deposit(&self) -> Result<Balance> {
        existential_deposit(self.at.metadata_ref())
    }

    /// Nonces and balances of accounts at a block, in order.
    pub async fn accounts(&self, of: &[Hash], at: &Hash) -> Result<Vec<Account>> {
        #[derive(Deserialize)]
        struct Changes {
            changes: Vec<(String, Option<String>)>,
        }
        let prefix = [twox_128(b"System"), twox_128(b"Account")].concat();
        let mut found = Vec::with_capacity(of.len());
        for part in of.chunks(ACCOUNTS_AT_ONCE) {
            let key = |who: &Hash| to_hex(&[&prefix[..], &blake2_128(who), who].concat());
            let keys: Vec<_> = part.iter().map(key).collect();
            let params = rpc_params![&keys, to_hex(at)];
            let sets: Vec<Changes> = self.rpc.call("state_queryStorageAt", params).await?;
            let values: HashMap<_, _> = sets.into_iter().flat_map(|set| set.changes).collect();
            for key in &keys {
                found.push(match values.get(key).and_then(Option::as_deref) {
                    None => Account::default(),
                    Some(value) => {
                        let bytes = bytes(value, "System.Account")?;
                        Account::read(self.at.metadata_ref(), &bytes)?
                    }
                });
            }
        }
        Ok(found)
    }

    /// The bytes of a storage value without a key at a block, if there is one.
    pub async fn value(&self, pallet: &str, name: &str, at: &Hash) -> Result<Option<Vec<u8>>> {
        let key = [twox_128(pallet.as_bytes()), twox_128(name.as_bytes())].concat();
        let params = rpc_params![to_hex(&key), to_hex(at)];
        let value: Option<String> = self.rpc.call("state_getStorage", params).await?;
        value.map(|value| bytes(&value, name)).transpose()
    }

    /// The bytes that a runtime API function gives at a block.
    pub async fn call_api(&self, function: &str, arguments: &[u8], at: &Hash) -> Result<Vec<u8>> {
        let params = rpc_params![function, to_hex(arguments), to_hex(at)];
        let result: String = self.rpc.call("state_call", params).await?;
        bytes(&result, function)
    }

    /// Results of `read` for the events of a block, by pallet, name and the bytes of the fields.
    pub async fn events<T>(
        &self,
        at: &Hash,
        read: impl Fn(&str, &str, &[u8]) -> Option<T>,
    ) -> Result<Vec<T>> {
        let bytes = self.value("System", "Events", at).await?;
        let events = self.at.events();
        let events = events.from_bytes(bytes.unwrap_or_else(|| vec![0]));
        let mut found = Vec::new();
        for event in events.iter() {
            let event = event.context("reading events")?;
            let (pallet, name) = (event.pallet_name(), event.event_name());
            found.extend(read(pallet, name, event.field_bytes()));
        }
        Ok(found)
    }

    /// The name of a pallet's error, by the numbers of both.
    pub fn error_name(&self, pallet: u8, error: u8) -> Option<String> {
        let pallet = self.at.metadata_ref().pallet_by_error_index(pallet)?;
        let error = pallet.error_variant_by_index(error)?;
        Some(format!("{}.{}", pallet.name(), error.name))
    }
}

/// Reads bytes that a node wrote as `0x…`.
fn bytes(text: &str, what: &str) -> Result<Vec<u8>> {
    from_hex(text)
        .ok_or_else(|| Error::Failed(format!("{what}: the node's answer is not hexadecimal")))
}
