// SPDX-License-Identifier: Apache-2.0

//! The chain behind a node: its metadata, its accounts, and transactions for it.

use crate::{
    error::{Context, Error, Result},
    rpc::{from_hex, to_hex, Rpc},
    transaction::{Arguments, Call, Hash, Mortality, Signed},
};
use codec::{Compact, Encode};
use jsonrpsee::rpc_params;
use serde::Deserialize;
use sp_crypto_hashing::{blake2_128, blake2_256, twox_128};
use std::{collections::HashMap, sync::Arc, time::Duration};
use subxt::{
    backend::LegacyBackend,
    client::{OnlineClient, OnlineClientAtBlock},
    config::{
        substrate::{SubstrateConfig, SubstrateHeader, H256},
        DefaultExtrinsicParamsBuilder,
    },
    dynamic::{self, At as _, Value},
    ext::scale_value,
    metadata::Metadata,
    rpcs::RpcClient,
};
use subxt_signer::sr25519::Keypair;

/// The time a node has to hand over its metadata.
const OPEN: Duration = Duration::from_secs(30);
/// Accounts that are asked for in one request.
const ACCOUNTS_AT_ONCE: usize = 250;

/// A header as nodes send it.
pub type Header = SubstrateHeader<H256>;

/// A chain that can be loaded. Transactions are made for the runtime it had when this was opened.
pub struct Chain {
    /// For plain requests.
    pub rpc: Rpc,
    at: OnlineClientAtBlock<SubstrateConfig>,
    genesis: Hash,
    account_type: u32,
    transfer: &'static str,
    /// The least an account must own to exist.
    pub existential_deposit: u128,
}

/// What an account has used and owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its next nonce.
    pub nonce: u64,
    /// What it can spend.
    pub free: u128,
}

impl Chain {
    /// Reads what is needed from the node.
    pub async fn open(url: &str) -> Result<Self> {
        let rpc = Rpc::connect(url, 256).await?;
        let client = RpcClient::new(Rpc::client(url, 64).await?);
        let open = async {
            let head = head(&rpc, Head::Final).await?;
            let backend = LegacyBackend::builder().build(client);
            let client = OnlineClient::<SubstrateConfig>::from_backend(Arc::new(backend)).await;
            let client = client.context("reading the chain")?;
            let at = client.at_block(H256(head.hash)).await;
            Ok((at.context("reading the metadata")?, client.genesis_hash().0))
        };
        let late = |_| Error::TimedOut {
            what: "the node hands over its metadata".into(),
            seconds: OPEN.as_secs(),
        };
        let (at, genesis) = tokio::time::timeout(OPEN, open).await.map_err(late)??;
        let metadata = at.metadata_ref();
        let account_type = account_type(metadata)
            .ok_or_else(|| Error::Unsupported("has no storage System.Account".into()))?;
        let names = ["transfer_keep_alive", "transfer_allow_death"];
        let found = names
            .into_iter()
            .find(|name| has_call(metadata, "Balances", name));
        let transfer = found.ok_or_else(|| {
            Error::Unsupported("has neither Balances.transfer_keep_alive nor _allow_death".into())
        })?;
        let deposit = dynamic::constant::<Value>("Balances", "ExistentialDeposit");
        let deposit = at
            .constants()
            .entry(deposit)
            .context("existential deposit")?;
        let existential_deposit = deposit
            .as_u128()
            .ok_or_else(|| Error::Unsupported("has amounts beyond 128 bits".into()))?;
        Ok(Self {
            rpc,
            genesis,
            account_type,
            transfer,
            existential_deposit,
            at,
        })
    }

    /// Names the chain.
    pub fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The numbers of `Timestamp.set`.
    pub fn timestamp(&self) -> Option<(u8, u8)> {
        self.call_index("Timestamp", "set")
    }

    /// Whether the runtime has this call.
    pub fn has_call(&self, pallet: &str, name: &str) -> bool {
        has_call(self.at.metadata_ref(), pallet, name)
    }

    /// The numbers of a pallet and of one of its calls.
    pub fn call_index(&self, pallet: &str, name: &str) -> Option<(u8, u8)> {
        let pallet = self.at.metadata_ref().pallet_by_name(pallet)?;
        let call = pallet.call_variant_by_name(name)?;
        Some((pallet.call_index(), call.index))
    }

    /// A call whose arguments are in SCALE already. None where the runtime has no such call.
    pub fn call(
        &self,
        pallet: &'static str,
        name: &'static str,
        arguments: Vec<u8>,
    ) -> Result<Call> {
        if !self.has_call(pallet, name) {
            return Err(Error::Unsupported(format!("has no call {pallet}.{name}")));
        }
        Ok(Call {
            pallet,
            name,
            arguments: Arguments(arguments.into()),
        })
    }

    /// A transfer.
    pub fn transfer(&self, to: &Hash, amount: u128) -> Result<Call> {
        let to = Value::unnamed_variant("Id", [Value::from_bytes(to)]);
        let payload = dynamic::tx("Balances", self.transfer, (to, Value::u128(amount)));
        let bytes = self.at.tx().call_data(&payload).context("a transfer")?;
        // The numbers of pallet and call go in front again when it is signed.
        let arguments = bytes.get(2..).unwrap_or_default().to_vec();
        self.call("Balances", self.transfer, arguments)
    }

    /// Many calls in one, all or nothing.
    pub fn batch(&self, calls: &[Call]) -> Result<Call> {
        let mut arguments = Vec::new();
        Compact(u32::try_from(calls.len()).context("a batch")?).encode_to(&mut arguments);
        for call in calls {
            arguments.extend(self.encode(call)?);
        }
        self.call("Utility", "batch_all", arguments)
    }

    /// A call with its numbers in front, as calls are arguments of calls.
    pub fn encode(&self, call: &Call) -> Result<Vec<u8>> {
        let index = self.call_index(call.pallet, call.name);
        let unknown = || Error::Unsupported(format!("has no call {}.{}", call.pallet, call.name));
        let (pallet, name) = index.ok_or_else(unknown)?;
        let mut bytes = vec![pallet, name];
        bytes.extend_from_slice(&call.arguments.0);
        Ok(bytes)
    }

    /// Signs a call.
    pub fn sign(
        &self,
        key: &Keypair,
        call: &Call,
        nonce: u64,
        mortality: Option<Mortality>,
    ) -> Result<Signed> {
        let params = DefaultExtrinsicParamsBuilder::new().nonce(nonce);
        let params = match mortality {
            None => params.immortal(),
            Some(Mortality { blocks, from }) => {
                params.mortal_from_unchecked(blocks, from.0, H256(from.1))
            }
        };
        let transactions = self.at.tx();
        let signable = transactions.create_signable_offline(call, params.build());
        let mut signable = signable.context("making a transaction")?;
        let bytes = signable.sign(key).context("signing")?.into_encoded();
        Ok(Signed {
            hash: blake2_256(&bytes),
            bytes: bytes.into(),
        })
    }

    /// The head of the chain, best or final.
    pub async fn head(&self, which: Head) -> Result<At> {
        head(&self.rpc, which).await
    }

    /// A life of so many blocks that begins at the last final one, so that it survives reorganisations, but never
    /// so far back that half of it is over.
    pub async fn mortality(&self, blocks: u64) -> Result<Mortality> {
        let last = self.head(Head::Final).await?;
        let best = self.head(Head::Best).await?;
        let number = birth(blocks, last.number, best.number);
        if number == last.number {
            return Ok(Mortality {
                blocks,
                from: (last.number, last.hash),
            });
        }
        let hash: H256 = self
            .rpc
            .call("chain_getBlockHash", rpc_params![number])
            .await?;
        Ok(Mortality {
            blocks,
            from: (number, hash.0),
        })
    }

    /// What accounts have used and own at a block.
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
                    Some(value) => self.account(value)?,
                });
            }
        }
        Ok(found)
    }

    fn account(&self, value: &str) -> Result<Account> {
        let types = self.at.metadata_ref().types();
        let odd = || Error::Unsupported("has accounts in a shape that is not read here".into());
        let bytes = from_hex(value).ok_or_else(odd)?;
        let input = &mut bytes.as_slice();
        let value = scale_value::scale::decode_as_type(input, self.account_type, types);
        let value = value.context("System.Account")?;
        let number = |value: Option<&Value<u32>>| value.and_then(|v| v.as_u128()).ok_or_else(odd);
        Ok(Account {
            nonce: u64::try_from(number(value.at("nonce"))?).map_err(|_| odd())?,
            free: number(value.at("data").at("free"))?,
        })
    }

    /// What the chain charges for a transaction now. None where it does not say.
    pub async fn fee(&self, transaction: &Signed) -> Option<u128> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Info {
            partial_fee: String,
        }
        let params = rpc_params![to_hex(&transaction.bytes)];
        let info: Info = self.rpc.call("payment_queryInfo", params).await.ok()?;
        let fee = &info.partial_fee;
        match fee.strip_prefix("0x") {
            Some(digits) => u128::from_str_radix(digits, 16).ok(),
            None => fee.parse().ok(),
        }
    }

    /// A storage value without a key, raw.
    async fn value(&self, pallet: &str, name: &str, at: &Hash) -> Result<Option<Vec<u8>>> {
        let key = [twox_128(pallet.as_bytes()), twox_128(name.as_bytes())].concat();
        let params = rpc_params![to_hex(&key), to_hex(at)];
        let value: Option<String> = self.rpc.call("state_getStorage", params).await?;
        Ok(value.as_deref().and_then(from_hex))
    }

    /// The result of a runtime API function, raw.
    pub async fn api(&self, function: &str, arguments: &[u8], at: &Hash) -> Result<Vec<u8>> {
        let params = rpc_params![function, to_hex(arguments), to_hex(at)];
        let result: String = self.rpc.call("state_call", params).await?;
        from_hex(&result).ok_or_else(|| Error::Failed {
            doing: function.to_owned(),
            reason: "the node's answer is not hexadecimal".into(),
        })
    }

    /// What `read` makes of the events of a block, given pallet, name and fields of each.
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

    /// Chain, node and runtime, for the report.
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
}

/// Which head.
#[derive(Clone, Copy, Debug)]
pub enum Head {
    /// Of the best chain.
    Best,
    /// The last final block.
    Final,
}

/// A block by number and hash.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// Its height.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
}

/// The height at which a life of so many blocks begins, by the heights of the last final block and the best one.
/// Transactions have twelve bits for it: a longer life begins at a multiple of what one step is.
fn birth(blocks: u64, last: u64, best: u64) -> u64 {
    let number = last.max(best.saturating_sub(blocks / 2));
    number - number % (blocks >> 12).max(1)
}

/// The head of the chain behind a connection.
pub async fn head(rpc: &Rpc, which: Head) -> Result<At> {
    let method = match which {
        Head::Best => "chain_getBlockHash",
        Head::Final => "chain_getFinalizedHead",
    };
    let hash: H256 = rpc.call(method, rpc_params![]).await?;
    let header: Header = rpc.call("chain_getHeader", rpc_params![hash]).await?;
    Ok(At {
        number: header.number,
        hash: hash.0,
    })
}

fn has_call(metadata: &Metadata, pallet: &str, name: &str) -> bool {
    let pallet = metadata.pallet_by_name(pallet);
    pallet.is_some_and(|pallet| pallet.call_variant_by_name(name).is_some())
}

fn account_type(metadata: &Metadata) -> Option<u32> {
    let storage = metadata.pallet_by_name("System")?.storage()?;
    Some(storage.entry_by_name("Account")?.value_ty())
}

#[cfg(test)]
mod tests {
    use super::birth;

    #[test]
    fn a_life_begins_at_the_final_block_unless_half_of_it_would_be_over() {
        assert_eq!(birth(64, 100, 103), 100);
        assert_eq!(birth(64, 100, 132), 100);
        // Finality is behind: from the final block on, the transaction would be dead when it is signed.
        assert_eq!(birth(64, 100, 400), 368);
        assert_eq!(birth(64, 0, 10), 0);
    }

    #[test]
    fn a_long_life_begins_where_transactions_can_say_so() {
        assert_eq!(birth(4_096, 1_001, 1_003), 1_001);
        assert_eq!(birth(8_192, 1_001, 1_003), 1_000);
        assert_eq!(birth(65_536, 1_001, 1_003), 992);
    }
}
