// SPDX-License-Identifier: Apache-2.0

//! Sending calls and finding out what became of them.

use super::{
    interface::{Offered, Published},
    At, Call, Connection,
};
use crate::{
    error::{Context, Error, Result},
    keys::Keypair,
};
use codec::DecodeAll;
use serde::Serialize;
use std::time::Duration;
use subxt::{
    client::OnlineClientAtBlockImpl,
    config::{
        substrate::{AccountId32, MultiSignature, SubstrateConfig},
        DefaultExtrinsicParamsBuilder,
    },
    error::{BackendError, DispatchError, ExtrinsicError, RpcError, TransactionEventsError},
    ext::{scale_encode, scale_type_resolver::TypeResolver},
    tx::{Payload, Signer, TransactionInBlock, TransactionProgress, TransactionStatus},
};
use tos_primitives::{json, DealId, TaskId};

/// For how many blocks a transaction is good: what is not in a block by then never will be.
const MORTALITY: u64 = 256;

type Progress = TransactionProgress<SubstrateConfig, OnlineClientAtBlockImpl<SubstrateConfig>>;
type InBlock = TransactionInBlock<SubstrateConfig, OnlineClientAtBlockImpl<SubstrateConfig>>;

/// What to wait for after sending a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Wait {
    /// A block on the best chain; a reorganisation may still undo it.
    Best,
    /// A finalised block.
    #[default]
    Finalised,
}

/// A transaction that succeeded.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Included {
    /// The block it is in.
    #[serde(with = "json::hash")]
    pub block: [u8; 32],
    /// Its own hash.
    #[serde(with = "json::hash")]
    pub transaction: [u8; 32],
    /// Whether that block is finalised.
    pub finalised: bool,
    /// The task it published, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The deal it offered, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deal: Option<DealId>,
}

impl Signer<SubstrateConfig> for Keypair {
    fn account_id(&self) -> AccountId32 {
        AccountId32(self.account().into())
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        Keypair::sign(self, payload)
    }
}

/// A call that is encoded already; its shape was checked against the metadata.
struct Encoded(&'static str, &'static str, Bytes);

struct Bytes(Vec<u8>);

impl scale_encode::EncodeAsFields for Bytes {
    fn encode_as_fields_to<R: TypeResolver>(
        &self,
        _: &mut dyn scale_encode::FieldIter<'_, R::TypeId>,
        _: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), scale_encode::Error> {
        out.extend_from_slice(&self.0);
        Ok(())
    }
}

impl Payload for Encoded {
    type CallData = Bytes;

    fn pallet_name(&self) -> &str {
        self.0
    }

    fn call_name(&self) -> &str {
        self.1
    }

    fn call_data(&self) -> &Bytes {
        &self.2
    }
}

impl Connection {
    /// Sends one call and waits for it.
    pub async fn submit(
        &self,
        key: &Keypair,
        call: &Call,
        wait: Wait,
        time: Duration,
    ) -> Result<Included> {
        let mut results = self
            .submit_all(key, std::slice::from_ref(call), wait, time)
            .await?;
        results
            .pop()
            .unwrap_or_else(|| Err(Error::Failed("no result".into())))
    }

    /// Sends calls at once, in order, and waits for all of them. The outer error is for all.
    pub async fn submit_all(
        &self,
        key: &Keypair,
        calls: &[Call],
        wait: Wait,
        time: Duration,
    ) -> Result<Vec<Result<Included>>> {
        let best = self.best().await?;
        // Anchored to a final block, a transaction survives reorganisations.
        let anchor = self.finalised().await?;
        let account = key.account_id();
        let mut nonce = match best.block.tx().account_nonce(&account).await {
            Ok(nonce) => nonce,
            Err(error) => return Err(self.explain(error).await),
        };
        let mut sent = Vec::new();
        for call in calls {
            if call.is_authorised() {
                sent.push(self.send_authorised(&best, call).await);
                continue;
            }
            let progress = self.send(&best, &anchor, key, call, nonce).await;
            if progress.is_ok() {
                nonce += 1;
            }
            sent.push(progress);
        }
        Ok(self.follow_all(sent, wait, time).await)
    }

    async fn follow_all(
        &self,
        sent: Vec<Result<Progress>>,
        wait: Wait,
        time: Duration,
    ) -> Vec<Result<Included>> {
        let outcomes = sent.into_iter().map(|progress| async move {
            match tokio::time::timeout(time, self.follow(progress?, wait)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Error::TimedOut(format!(
                    "the transaction was sent but is not in a {} block after {} s",
                    if wait == Wait::Best {
                        "best"
                    } else {
                        "finalised"
                    },
                    time.as_secs(),
                ))),
            }
        });
        futures::future::join_all(outcomes).await
    }

    /// Sends a call that carries its own authorisation: it has no sender and costs no fee.
    async fn send_authorised(&self, best: &At, call: &Call) -> Result<Progress> {
        // Nothing of the account is in these: no nonce counts, and nothing expires.
        let params = DefaultExtrinsicParamsBuilder::new()
            .nonce(0)
            .immortal()
            .build();
        let (pallet, name) = call.name();
        let payload = Encoded(pallet, name, Bytes(call.encode_arguments()));
        let transactions = best.block.tx();
        let mut general = transactions
            .create_v5_signable_offline(&payload, params)
            .context("transaction")?;
        // The chain's format has no extension that would carry account and signature, so neither
        // is encoded: what authorises the call is in its arguments.
        let nobody = (AccountId32([0; 32]), MultiSignature::Sr25519([0; 64]));
        let transaction = general
            .sign_with_account_and_signature(&nobody.0, &nobody.1)
            .context("transaction")?;
        self.watch(transaction.submit_and_watch().await).await
    }

    async fn send(
        &self,
        best: &At,
        anchor: &At,
        key: &Keypair,
        call: &Call,
        nonce: u64,
    ) -> Result<Progress> {
        let params = DefaultExtrinsicParamsBuilder::new()
            .nonce(nonce)
            .mortal_from_unchecked(MORTALITY, anchor.number(), anchor.block.block_hash())
            .build();
        let (pallet, name) = call.name();
        let payload = Encoded(pallet, name, Bytes(call.encode_arguments()));
        let transactions = best.block.tx();
        let mut signable = transactions
            .create_signable_offline(&payload, params)
            .context("transaction")?;
        let signed = signable.sign(key).context("signing")?;
        self.watch(signed.submit_and_watch().await).await
    }

    /// What the pool says about a transaction.
    async fn watch(&self, submitted: Result<Progress, ExtrinsicError>) -> Result<Progress> {
        match submitted {
            Ok(progress) => Ok(progress),
            Err(ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(
                RpcError::ClientError(subxt::rpcs::Error::User(error)),
            ))) => {
                let data = error
                    .data
                    .as_ref()
                    .map(|data| data.get().trim_matches('"').to_owned());
                Err(rejection(
                    error.code,
                    &error.message,
                    &data.unwrap_or_default(),
                ))
            }
            Err(error) => Err(self.explain(error).await),
        }
    }

    async fn follow(&self, mut progress: Progress, wait: Wait) -> Result<Included> {
        while let Some(status) = progress.next().await {
            let status = match status {
                Ok(status) => status,
                Err(error) => return Err(self.explain(error).await),
            };
            match status {
                TransactionStatus::InBestBlock(block) if wait == Wait::Best => {
                    return self.outcome(&block, false).await;
                }
                TransactionStatus::InFinalizedBlock(block) => {
                    return self.outcome(&block, true).await;
                }
                TransactionStatus::Error { message }
                | TransactionStatus::Invalid { message }
                | TransactionStatus::Dropped { message } => return Err(Error::Pending(message)),
                _ => {}
            }
        }
        Err(Error::Pending(
            "the node stopped telling what becomes of it".into(),
        ))
    }

    async fn outcome(&self, block: &InBlock, finalised: bool) -> Result<Included> {
        let events = match block.wait_for_success().await {
            Ok(events) => events,
            Err(TransactionEventsError::ExtrinsicFailed(error)) => return Err(refusal(&error)),
            Err(error) => return Err(self.explain(error).await),
        };
        let (mut task, mut deal) = (None, None);
        for event in events.iter() {
            let event = event.context("reading events")?;
            let name = (event.pallet_name(), event.event_name());
            if name == Published::NAME {
                let published = Published::decode_all(&mut event.field_bytes());
                task = Some(published.context("reading events")?.task);
            } else if name == Offered::NAME {
                let offered = Offered::decode_all(&mut event.field_bytes());
                deal = Some(offered.context("reading events")?.deal);
            }
        }
        Ok(Included {
            block: block.block_hash().0,
            transaction: block.extrinsic_hash().0,
            finalised,
            task,
            deal,
        })
    }
}

/// Why the pool did not take a transaction. Codes as in the node's `author` RPC.
fn rejection(code: i32, message: &str, data: &str) -> Error {
    const INVALID: i32 = 1010;
    const BANNED: i32 = 1012;
    const ALREADY_IMPORTED: i32 = 1013;
    const LOW_PRIORITY: i32 = 1014;
    let text = if data.is_empty() {
        message.to_owned()
    } else {
        format!("{message}: {data}")
    };
    match code {
        BANNED | ALREADY_IMPORTED | LOW_PRIORITY => Error::Pending(text),
        // An earlier transaction took the nonce between reading and sending.
        INVALID if data.contains("outdated") => Error::Pending(text),
        _ => Error::refused(text),
    }
}

/// A failed call, with the documentation its error has in the metadata.
fn refusal(error: &DispatchError) -> Error {
    if let DispatchError::Module(module) = error {
        if let Ok(details) = module.details() {
            let docs = details.variant.docs.join(" ").trim().to_owned();
            return Error::Refused {
                name: format!("{}::{}", details.pallet.name(), details.variant.name),
                docs: (!docs.is_empty()).then_some(docs),
            };
        }
    }
    Error::refused(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_pool_says_is_told_apart() {
        let stale = rejection(1010, "Invalid Transaction", "Transaction is outdated");
        assert!(matches!(stale, Error::Pending(_)));
        assert!(matches!(
            rejection(1013, "Already Imported", ""),
            Error::Pending(_)
        ));
        assert!(matches!(
            rejection(1014, "Priority is too low", ""),
            Error::Pending(_)
        ));
        let poor = rejection(1010, "Invalid Transaction", "Inability to pay some fees");
        assert_eq!(poor.exit_code(), 3);
        assert!(poor.to_string().contains("fees"));
    }
}
