// SPDX-License-Identifier: Apache-2.0

//! Signing calls, sending them and following them. What is lost on the way: [`super::settle`].

use super::{proxy, At, Call, Connection, CONNECT_TIME};
use crate::{
    any_chain::{mortality, parameters, EncodedCall, Mortality},
    error::{Context, Error, Result},
    keys::Signer,
    pool_error::PoolError,
    rpc::Refusal,
    sent::Sent,
};
use serde::Serialize;
use std::{
    fmt::{Display, Formatter},
    future::Future,
    time::Duration,
};
use subxt::{
    client::OnlineClientAtBlockImpl,
    config::substrate::{AccountId32, MultiSignature, SubstrateConfig},
    error::{BackendError, ExtrinsicError, RpcError},
    tx::{self, SubmittableTransaction, TransactionProgress, TransactionStatus},
};
use tos_types::{json, Balance, DealId, TaskId};

/// For how many blocks a transaction is good: what is not in a block by then never will be.
pub(super) const MORTALITY: u64 = 256;

type Client = OnlineClientAtBlockImpl<SubstrateConfig>;
type Progress = TransactionProgress<SubstrateConfig, Client>;
type Submittable = SubmittableTransaction<SubstrateConfig, Client>;

/// Account and signature of a transaction in which neither counts.
pub(super) fn blank() -> (AccountId32, MultiSignature) {
    (AccountId32([0; 32]), MultiSignature::Sr25519([0; 64]))
}

/// State to wait for after sending a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Wait {
    /// A block on the best chain; a reorganisation may still undo it.
    Best,
    /// A finalised block.
    #[default]
    Finalised,
}

impl Display for Wait {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Best => "best",
            Self::Finalised => "finalised",
        })
    }
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
    /// `true` if that block is finalised.
    pub finalised: bool,
    /// The task it published, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The deal it offered, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deal: Option<DealId>,
}

impl Call {
    /// The call with its arguments encoded; its shape was checked against the metadata.
    pub(super) fn encoded(&self) -> EncodedCall {
        let (pallet, name) = self.name();
        EncodedCall::new(pallet, name, self.encode_arguments())
    }
}

/// One call on its way: as one transaction, or as several under one nonce, of which at most one gets
/// in.
#[derive(Debug, Default)]
pub(super) struct Submission {
    /// The nonce; nothing that carries its own authorisation has one.
    pub nonce: Option<u64>,
    /// The hashes of what the node may have taken.
    pub hashes: Vec<[u8; 32]>,
    /// The last block that none of them can be in.
    pub after: u64,
    /// The last block that the newest of them can be in.
    pub good_until: Option<u64>,
    /// Place where one of them was seen last.
    pub place: Option<Place>,
    /// Its outcome there, if it succeeded.
    pub done: Option<Included>,
    /// Reason for which the newest is not on its way, if it is not.
    pub last_error: Option<Error>,
}

/// A transaction's place in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The hash of the block.
    pub block: [u8; 32],
    /// The number of the block.
    pub number: u64,
    /// The hash of the transaction.
    pub transaction: [u8; 32],
}

impl Submission {
    /// Transaction that was sent, and what is known of it; `None` if nothing was sent.
    pub fn sent(&self) -> Option<Sent> {
        let transaction = match self.place {
            Some(place) => place.transaction,
            None => *self.hashes.last()?,
        };
        let done = self.done.as_ref();
        Some(Sent {
            transaction,
            good_until: self.good_until,
            block: self.place.map(|place| place.block),
            task: done.and_then(|done| done.task),
            deal: done.and_then(|done| done.deal),
        })
    }

    /// The error, with what was sent.
    pub fn unsettled(&self, why: Error) -> Error {
        match self.sent() {
            Some(sent) => Error::Unsettled {
                sent: Box::new(sent),
                why: Box::new(why),
            },
            None => why,
        }
    }
}

impl Connection {
    /// Signs one call, sends it and waits until it is in such a block as `wait` asks for. It gets
    /// into the chain at most once: before anything is sent again the chain is searched for it, and
    /// what is sent again has the nonce of what it replaces. [`Error::Unsettled`] tells what was
    /// sent when the time is over or the node is lost. A call that the chain would refuse is not sent,
    /// as far as the state and the node tell beforehand.
    pub async fn submit(
        &self,
        signer: &Signer,
        call: &Call,
        wait: Wait,
        time: Duration,
    ) -> Result<Included> {
        self.submit_until(signer, call, wait, tokio::time::sleep(time))
            .await
    }

    /// [`Self::submit`], until `end`.
    pub(super) async fn submit_until(
        &self,
        signer: &Signer,
        call: &Call,
        wait: Wait,
        end: impl Future<Output = ()>,
    ) -> Result<Included> {
        self.warn_of_development_key(signer).await;
        self.check_types(call).await?;
        if let Err(error) = self.foresee(signer, call).await {
            return Err(self.elaborate(signer, call, error).await);
        }
        let mut submission = Submission::default();
        tokio::select! {
            settled = self.settle(signer, call, wait, &mut submission) => match settled {
                Ok(included) => return Ok(included),
                Err(error) => {
                    let error = self.elaborate(signer, call, error).await;
                    return Err(submission.unsettled(error));
                }
            },
            () = end => {},
        }
        // As it is now, if the node still says so.
        let look = self.look_up(signer, &mut submission);
        let _ = tokio::time::timeout(CONNECT_TIME, look).await;
        let why = match (submission.place, &submission.last_error) {
            (None, Some(error)) => error.to_string(),
            _ => format!("not in a {wait} block in time (--timeout)"),
        };
        Err(submission.unsettled(Error::TimedOut(why)))
    }

    /// Sends calls at once, in order, and waits for all of them. Nothing is sent again: what got
    /// lost is [`Error::Pending`]. The outer error is for all.
    pub async fn submit_all(
        &self,
        signer: &Signer,
        calls: &[Call],
        wait: Wait,
        time: Duration,
    ) -> Result<Vec<Result<Included>>> {
        self.submit_all_offering(signer, calls, |_, _| signer.tip, wait, time)
            .await
    }

    /// [`Self::submit_all`], with a tip of its own for each call, in wei, in place of the signer's: `tip_of`
    /// is asked right before a call is signed, by the call's place and the nonce that it gets.
    pub async fn submit_all_offering(
        &self,
        signer: &Signer,
        calls: &[Call],
        mut tip_of: impl FnMut(usize, u64) -> Balance,
        wait: Wait,
        time: Duration,
    ) -> Result<Vec<Result<Included>>> {
        self.warn_of_development_key(signer).await;
        let best = self.best().await?;
        let life = self.mortality(&best).await?;
        let mut nonce = self.nonce(&best, signer).await?;
        let mut sent = Vec::new();
        for (place, call) in calls.iter().enumerate() {
            let mut submission = Submission::default();
            if call.is_authorised() {
                let progress = self.send_authorised(&best, call, &mut submission).await;
                sent.push((progress, submission, signer.clone()));
                continue;
            }
            let signer = Signer {
                tip: tip_of(place, nonce),
                ..signer.clone()
            };
            submission.nonce = Some(nonce);
            let progress = self.send(&best, life, &signer, call, &mut submission).await;
            if progress.is_ok() {
                nonce += 1;
            }
            sent.push((progress, submission, signer));
        }
        let outcomes =
            sent.into_iter()
                .zip(calls)
                .map(|((progress, submission, signer), call)| async move {
                    self.outcome_of_call(Some(&signer), call, progress, submission, wait, time)
                        .await
                });
        Ok(futures::future::join_all(outcomes).await)
    }

    /// Sends calls that carry their own authorisation, and waits for all of them, as [`Self::submit_all`]
    /// does. Any other call is [`Error::Usage`].
    pub async fn submit_authorised(
        &self,
        calls: &[Call],
        wait: Wait,
        time: Duration,
    ) -> Result<Vec<Result<Included>>> {
        let best = self.best().await?;
        let mut sent = Vec::new();
        for call in calls {
            let mut submission = Submission::default();
            let progress = match call.is_authorised() {
                true => self.send_authorised(&best, call, &mut submission).await,
                false => Err(Error::Usage(format!(
                    "{}.{} needs a signature, and there is no key",
                    call.name().0,
                    call.name().1
                ))),
            };
            sent.push((progress, submission));
        }
        let outcomes =
            sent.into_iter()
                .zip(calls)
                .map(|((progress, submission), call)| async move {
                    self.outcome_of_call(None, call, progress, submission, wait, time)
                        .await
                });
        Ok(futures::future::join_all(outcomes).await)
    }

    /// Outcome of a call after it was sent.
    async fn outcome_of_call(
        &self,
        signer: Option<&Signer>,
        call: &Call,
        progress: Result<Progress>,
        mut submission: Submission,
        wait: Wait,
        time: Duration,
    ) -> Result<Included> {
        let elaborate = async |error| match signer {
            Some(signer) => self.elaborate(signer, call, error).await,
            None => error,
        };
        let progress = match progress {
            Ok(progress) => progress,
            Err(error) => return Err(elaborate(error).await),
        };
        let followed = self.follow(progress, wait, &mut submission);
        match tokio::time::timeout(time, followed).await {
            Ok(Ok(Some(included))) => Ok(included),
            Ok(Ok(None)) => match signer {
                Some(signer) => self.found_or_lost(signer, wait, &mut submission).await,
                None => Err(Error::Pending("the node lost it".into())),
            },
            Ok(Err(error)) => Err(elaborate(error).await),
            Err(_) => Err(submission.unsettled(Error::TimedOut(format!(
                "not in a {wait} block after {} s",
                time.as_secs()
            )))),
        }
    }

    /// Outcome of a transaction that the node says no more of.
    async fn found_or_lost(
        &self,
        signer: &Signer,
        wait: Wait,
        submission: &mut Submission,
    ) -> Result<Included> {
        match self.look_up(signer, submission).await? {
            Some(done) if wait == Wait::Best || done.finalised => Ok(done),
            _ => Err(submission
                .last_error
                .take()
                .unwrap_or_else(|| Error::Pending("the node lost it".into()))),
        }
    }

    /// Life of a transaction that is sent now.
    pub(super) async fn mortality(&self, best: &At) -> Result<Mortality> {
        let last = self.final_head().await?;
        match mortality(&self.rpc, MORTALITY, last, best.number()).await {
            Ok(life) => Ok(life),
            Err(error) => Err(self.or_lost(error).await),
        }
    }

    /// The account's next nonce.
    pub(super) async fn nonce(&self, at: &At, signer: &Signer) -> Result<u64> {
        let account = tx::Signer::<SubstrateConfig>::account_id(&signer.pair);
        match at.block.tx().account_nonce(&account).await {
            Ok(nonce) => Ok(nonce),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// Sends a call that carries its own authorisation: it has no sender and costs no fee.
    async fn send_authorised(
        &self,
        best: &At,
        call: &Call,
        submission: &mut Submission,
    ) -> Result<Progress> {
        // Nothing of the account is in these: no nonce counts, and nothing expires.
        let params = parameters(0, 0, None).build();
        let payload = call.encoded();
        let transactions = best.block.tx();
        let mut general = transactions
            .create_v5_signable_offline(&payload, params)
            .context("transaction")?;
        // The chain's format has no extension that would carry account and signature, so neither
        // is encoded: what authorises the call is in its arguments.
        let (account, signature) = blank();
        let transaction = general
            .sign_with_account_and_signature(&account, &signature)
            .context("transaction")?;
        self.watch(transaction, submission).await
    }

    /// Signs and sends a call under the submission's nonce.
    pub(super) async fn send(
        &self,
        best: &At,
        life: Mortality,
        signer: &Signer,
        call: &Call,
        submission: &mut Submission,
    ) -> Result<Progress> {
        let nonce = submission.nonce.unwrap_or_default();
        let signed = best.sign(life, nonce, signer, call)?;
        if submission.hashes.is_empty() {
            submission.after = life.from.number;
        }
        submission.good_until = Some(life.from.number + life.blocks - 1);
        let sent = self.watch(signed, submission).await;
        sent.map_err(|error| proxy::explain(error, signer))
    }

    /// Sends a transaction. The submission has its hash unless the pool says that it did not take it.
    async fn watch(
        &self,
        transaction: Submittable,
        submission: &mut Submission,
    ) -> Result<Progress> {
        let hash = transaction.hash().0;
        let known = submission.hashes.contains(&hash);
        if !known {
            // Before it is sent: the time may be over, or the node gone, before the answer comes.
            submission.hashes.push(hash);
        }
        let submitted = transaction.submit_and_watch().await;
        match submitted {
            Ok(progress) => Ok(progress),
            Err(ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(
                RpcError::ClientError(subxt::rpcs::Error::User(error)),
            ))) => {
                let refusal = Refusal::from(&error);
                if !known && !PoolError::of(&refusal).may_have_it() {
                    submission.hashes.pop();
                }
                Err(rejection(refusal))
            }
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// Follows a transaction until it is in such a block as `wait` asks for. Nothing when the node
    /// says no more of it, or that it is gone; it may be in a block nevertheless.
    pub(super) async fn follow(
        &self,
        mut progress: Progress,
        wait: Wait,
        submission: &mut Submission,
    ) -> Result<Option<Included>> {
        let transaction = progress.extrinsic_hash().0;
        while let Some(status) = progress.next().await {
            let status = match status {
                Ok(status) => status,
                Err(error) => match self.explain(error).await {
                    lost @ Error::Unreachable { .. } => return Err(lost),
                    error => {
                        submission.last_error = Some(Error::Pending(error.to_string()));
                        return Ok(None);
                    }
                },
            };
            match status {
                TransactionStatus::InBestBlock(block) => {
                    let outcome = self
                        .outcome(block.block_hash(), transaction, submission)
                        .await;
                    if wait == Wait::Best {
                        return outcome.map(Some);
                    }
                }
                TransactionStatus::InFinalizedBlock(block) => {
                    let mut included = self
                        .outcome(block.block_hash(), transaction, submission)
                        .await?;
                    included.finalised = true;
                    return Ok(Some(included));
                }
                TransactionStatus::Error { message }
                | TransactionStatus::Invalid { message }
                | TransactionStatus::Dropped { message } => {
                    submission.last_error = Some(Error::Pending(message));
                    return Ok(None);
                }
                _ => {}
            }
        }
        submission.last_error = Some(Error::Pending(
            "the node stopped telling what becomes of it".into(),
        ));
        Ok(None)
    }
}

impl At {
    /// Signs a call as a transaction of this life and nonce; for another account, as its proxy.
    pub(super) fn sign(
        &self,
        life: Mortality,
        nonce: u64,
        signer: &Signer,
        call: &Call,
    ) -> Result<Submittable> {
        let params = parameters(nonce, signer.tip, Some(life)).build();
        let proxied;
        let call = match &signer.acts_for {
            Some(real) => {
                proxied = self.proxied(real, call)?;
                &proxied
            }
            None => call,
        };
        let payload = call.encoded();
        let transactions = self.block.tx();
        let mut signable = transactions
            .create_signable_offline(&payload, params)
            .context("transaction")?;
        signable.sign(&signer.pair).context("signing")
    }
}

/// The error of a call that the pool did not take. Only what the runtime says of it is a refusal by
/// the chain.
fn rejection(refusal: Refusal) -> Error {
    let error = PoolError::of(&refusal);
    let text = refusal.message;
    match error {
        PoolError::Banned | PoolError::AlreadyImported | PoolError::LowPriority => {
            Error::Pending(text)
        }
        PoolError::ImmediatelyDropped => Error::Busy(text),
        // An earlier transaction took the nonce between reading and sending, or the node follows
        // another branch than a moment ago: signed anew it is good.
        PoolError::Outdated | PoolError::AncientBirthBlock => Error::Pending(text),
        PoolError::Invalid | PoolError::ExhaustsResources | PoolError::UnknownValidity => {
            Error::refused(text)
        }
        PoolError::Future | PoolError::Overloaded | PoolError::Other => {
            Error::Failed(format!("the node did not take the transaction: {text}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(code: i32, message: &str, data: &str) -> Error {
        super::rejection(Refusal::new(code, message, Some(data)))
    }

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
        let ancient = "Transaction has an ancient birth block";
        assert!(matches!(
            rejection(1010, "Invalid Transaction", ancient),
            Error::Pending(_)
        ));
        let full = rejection(
            1016,
            "Immediately Dropped",
            "The transaction couldn't enter the pool because of the limit",
        );
        assert!(matches!(full, Error::Busy(_)));
        assert_eq!(full.exit_code(), 5);
        assert!(full.to_string().contains("--tip"), "{full}");
        // A limit of the node's, not a rule of the chain's.
        assert_eq!(
            rejection(-32_999, "RPC rate limit exceeded", "").exit_code(),
            1
        );
        let poor = rejection(1010, "Invalid Transaction", "Inability to pay some fees");
        assert_eq!(poor.exit_code(), 3);
        assert!(poor.to_string().contains("fees"));
    }
}
