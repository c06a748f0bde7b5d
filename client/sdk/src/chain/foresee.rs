// SPDX-License-Identifier: Apache-2.0

//! Refusals that the state tells before a call is sent: a call that fails in its block has cost its fee.
//!
//! Two things are asked, and where a node answers neither, the chain decides in a block. Reads that every
//! node serves tell what is wrong most often; they work for the owner of a proxy, too. Beyond those, a
//! node that is one's own executes the call without keeping what comes of it
//! (`BlockBuilder_apply_extrinsic`; public nodes do not serve it, see `--rpc-call-allow`): so it foresees
//! every refusal of a call that is sent for the key's own account.

use super::{
    refusal::{in_band, in_window},
    words::{plain, refusal},
    At, Call, Connection, ProxyKind, CONNECT_TIME,
};
use crate::{
    any_chain::{Block, Mortality},
    error::{Error, Result},
    keys::Signer,
};
use polkadot_sdk::{
    sp_core::crypto::AccountId32, sp_crypto_hashing::twox_128, sp_runtime::MultiAddress,
};
use subxt::error::DispatchError;
use tos_types::{
    params::share_of,
    storage::{DealStatus, ReplicaStatus},
    Balance, TaskId,
};
use tos_views::Activity;

/// Life of a transaction that is only tried, in blocks: the shortest there is, so that who has seen it
/// can do little with it.
const TRIAL: u64 = 4;
/// The function of the runtime that executes a transaction.
const APPLY: &str = "BlockBuilder_apply_extrinsic";
/// Rewards that the chain lists at most.
const LISTED: usize = 50;
/// Words on a refusal of what was not sent.
const UNSENT: &str = "Nothing was sent, and no fee was paid.";

impl Connection {
    /// Refuses a call that the chain would refuse, as far as a read tells.
    pub(super) async fn foresee(&self, signer: &Signer, call: &Call) -> Result<()> {
        if !is_foreseeable(call) {
            return Ok(());
        }
        let look = async {
            let at = self.best().await?;
            if !at.may_do_all(signer).await? {
                return Ok(None);
            }
            let name = match call {
                Call::Publish { .. } => self.publishing(&at, signer, call).await?,
                _ => at.refusal_of(signer, call).await?,
            };
            Ok::<_, Error>(name.map(|name| (name, at.docs(name))))
        };
        match tokio::time::timeout(CONNECT_TIME, look).await {
            Ok(Ok(Some((name, docs)))) => Err(unsent(Error::Refused {
                name: name.into(),
                docs,
                fee: None,
            })),
            _ => Ok(()),
        }
    }

    /// The refusal of a task, by the name of the chain's error, in its order.
    async fn publishing(
        &self,
        at: &At,
        signer: &Signer,
        call: &Call,
    ) -> Result<Option<&'static str>> {
        let Call::Publish {
            params,
            difficulty,
            reward,
            open_for,
            ..
        } = call
        else {
            return Ok(None);
        };
        let (who, reward) = (signer.account(), reward.0);
        if let Ok(types) = self.task_types(at).await {
            if !types.contains(&params.task_type()) {
                return Ok(Some("Tasks::UnknownTaskType"));
            }
        }
        let parameters = at.parameters().await?;
        if !in_band(&parameters.difficulties.terms(*difficulty), reward) {
            return Ok(Some("Tasks::RewardOutsideBand"));
        }
        let chain = at.chain().await?;
        if !in_window(&chain.phase_lengths, *open_for) {
            return Ok(Some("Tasks::OpenWindowOutOfBounds"));
        }
        let suspended = at.suspended_until(&who).await.ok().flatten();
        // In the next block it may be over.
        if suspended.is_some_and(|until| chain.tick.saturating_add(1) < until) {
            return Ok(Some("Tasks::Suspended"));
        }
        let stake = share_of(reward, parameters.publishing.publisher_stake);
        let needed = reward
            .saturating_add(stake)
            .saturating_add(at.existential_deposit().unwrap_or(0));
        let free = at.balance(&who).await?.free;
        Ok((free < needed).then_some("Tasks::InsufficientFunds"))
    }

    /// Refuses a call that the chain refuses when it is tried on the state of `best`, if the node does
    /// that.
    pub(super) async fn try_out(
        &self,
        best: &At,
        nonce: u64,
        signer: &Signer,
        call: &Call,
    ) -> Result<()> {
        let trial = async {
            // At the block itself its own hash is not known yet.
            let number = best.number().checked_sub(1)?;
            let hash = self.hash_of_number(number).await.ok().flatten()?;
            let life = Mortality {
                blocks: TRIAL,
                from: Block { number, hash },
            };
            let signed = best.sign(life, nonce, signer, call).ok()?;
            best.outcome_of(signed.into_encoded()).await
        };
        match tokio::time::timeout(CONNECT_TIME, trial).await {
            Ok(Some(error)) => Err(unsent(refusal(&error, None))),
            _ => Ok(()),
        }
    }
}

/// Returns `true` for a call of which reads may tell that it is refused.
fn is_foreseeable(call: &Call) -> bool {
    use Call::*;
    matches!(
        call,
        Publish { .. }
            | Cancel { .. }
            | RegisterMiner { .. }
            | SetSpecialisations { .. }
            | LeaveMiner {}
            | RejoinMiner {}
            | WithdrawMiner {}
            | Reactivate {}
            | Claim { .. }
            | ClaimAll {}
            | ClaimFor { .. }
            | ClaimAllFor { .. }
            | AddProxy { .. }
            | RemoveProxy { .. }
            | RegisterProvider { .. }
            | SetProvider { .. }
            | TopUpProvider { .. }
            | WithdrawProvider { .. }
            | ExitProvider {}
            | LeaveProvider {}
            | CancelOffer { .. }
            | AcceptDeal { .. }
            | PauseReplica { .. }
            | ResumeReplica { .. }
            | RequestRemoval { .. }
            | SettleReplica { .. }
            | Sudo { .. }
    )
}

impl At {
    /// `true` if the signer may make every call for its account: its own, or one that it is a proxy of
    /// for everything. Of others the chain may refuse the call before it looks at it.
    async fn may_do_all(&self, signer: &Signer) -> Result<bool> {
        let Some(real) = &signer.acts_for else {
            return Ok(true);
        };
        let key = signer.pair.account();
        let proxies = self.proxies(real).await?.proxies;
        Ok(proxies
            .iter()
            .any(|proxy| proxy.delegate == key && proxy.kind == ProxyKind::Any && proxy.delay == 0))
    }

    /// The refusal of a call by what one read tells of its subject, by the name of the chain's error.
    async fn refusal_of(&self, signer: &Signer, call: &Call) -> Result<Option<&'static str>> {
        let who = signer.account();
        Ok(match call {
            Call::ClaimAll {} => self.no_claim(who, None).await?,
            Call::Claim { task } => self.no_claim(who, Some(task)).await?,
            Call::ClaimAllFor { owner } => self.no_claim(owner.clone(), None).await?,
            Call::ClaimFor { owner, task } => self.no_claim(owner.clone(), Some(task)).await?,
            Call::Cancel { task } => match self.task(*task).await? {
                None => Some("Tasks::UnknownTask"),
                Some(task) => (task.summary.publisher != who).then_some("Tasks::NotPublisher"),
            },
            Call::RegisterMiner { .. } => {
                let miner = self.miner(who).await?;
                miner.map(|_| "Miners::AlreadyRegistered")
            }
            Call::SetSpecialisations { .. }
            | Call::LeaveMiner {}
            | Call::RejoinMiner {}
            | Call::WithdrawMiner {}
            | Call::Reactivate {} => self.no_change_of_miner(who, call).await?,
            Call::AddProxy {
                delegate: MultiAddress::Id(delegate),
                ..
            } if *delegate == who => Some("Proxy::NoSelfProxy"),
            Call::AddProxy { .. } => {
                let known = self.is_proxy(&who, call).await?;
                known.then_some("Proxy::Duplicate")
            }
            Call::RemoveProxy { .. } => {
                let known = self.is_proxy(&who, call).await?;
                (!known).then_some("Proxy::NotFound")
            }
            Call::Sudo { .. } => {
                let key = [twox_128(b"Sudo"), twox_128(b"Key")].concat();
                let holder = self.raw_value::<AccountId32>(key, "Sudo.Key").await?;
                (holder != Some(who)).then_some("Sudo::RequireSudo")
            }
            _ => self.refusal_in_storage(who, call).await?,
        })
    }

    /// The refusal of a claim of an owner's rewards, or of one task's.
    async fn no_claim(
        &self,
        owner: AccountId32,
        task: Option<&TaskId>,
    ) -> Result<Option<&'static str>> {
        let claims = self.claimable(owner).await?;
        let there = match task {
            None => !claims.is_empty(),
            // Beyond those that are listed there may be more.
            Some(task) => claims.len() >= LISTED || claims.iter().any(|claim| claim.task == *task),
        };
        Ok((!there).then_some("Rewards::NothingToClaim"))
    }

    /// The refusal of a miner's call about its own registration.
    async fn no_change_of_miner(
        &self,
        who: AccountId32,
        call: &Call,
    ) -> Result<Option<&'static str>> {
        let Some(miner) = self.miner(who).await? else {
            return Ok(Some("Miners::NotRegistered"));
        };
        let leaving = miner.withdrawable_at.is_some();
        Ok(match call {
            Call::RejoinMiner {} | Call::WithdrawMiner {} if !leaving => Some("Miners::NotLeaving"),
            Call::RejoinMiner {} | Call::WithdrawMiner {} => None,
            _ if leaving => Some("Miners::Leaving"),
            Call::LeaveMiner {} if miner.open_tasks > 0 => Some("Miners::HasOpenTasks"),
            // A day may pass before the next block.
            Call::Reactivate {} if matches!(miner.activity, Activity::Active | Activity::Idle) => {
                Some("Miners::NotDormant")
            }
            _ => None,
        })
    }

    /// `true` if an account has exactly the proxy that a call is about.
    async fn is_proxy(&self, who: &AccountId32, call: &Call) -> Result<bool> {
        let (Call::AddProxy {
            delegate: MultiAddress::Id(account),
            proxy_type,
            delay,
        }
        | Call::RemoveProxy {
            delegate: MultiAddress::Id(account),
            proxy_type,
            delay,
        }) = call
        else {
            return Err(Error::Failed("not the call of an account's proxy".into()));
        };
        let proxies = self.proxies(who).await?.proxies;
        Ok(proxies.iter().any(|proxy| {
            proxy.delegate == *account && proxy.kind == *proxy_type && proxy.delay == *delay
        }))
    }

    /// The refusal of a call about a provider, a deal or a replica.
    async fn refusal_in_storage(
        &self,
        who: AccountId32,
        call: &Call,
    ) -> Result<Option<&'static str>> {
        Ok(match call {
            Call::RegisterProvider { .. } => {
                let provider = self.provider(who).await?;
                provider.map(|_| "Storage::AlreadyProvider")
            }
            Call::CancelOffer { deal } | Call::AcceptDeal { deal } => {
                let Some(deal) = self.deal(*deal).await? else {
                    return Ok(Some("Storage::UnknownDeal"));
                };
                let withdraws = matches!(call, Call::CancelOffer { .. });
                let invited = deal.provider.as_ref().is_none_or(|invited| *invited == who);
                if withdraws && deal.client != who {
                    Some("Storage::NotClient")
                } else if deal.status != DealStatus::Open {
                    Some("Storage::NotOpen")
                } else {
                    (!withdraws && !invited).then_some("Storage::NotInvited")
                }
            }
            Call::PauseReplica { replica }
            | Call::ResumeReplica { replica }
            | Call::RequestRemoval { replica }
            | Call::SettleReplica { replica } => {
                let Some(replica) = self.replica(*replica).await? else {
                    return Ok(Some("Storage::UnknownReplica"));
                };
                let status = replica.status;
                match call {
                    // Anyone may settle.
                    Call::SettleReplica { .. } => status.is_over().then_some("Storage::Over"),
                    _ if replica.provider != who => Some("Storage::NotYours"),
                    Call::PauseReplica { .. } if status != ReplicaStatus::Active => {
                        Some("Storage::NotActive")
                    }
                    Call::ResumeReplica { .. } if status != ReplicaStatus::Paused => {
                        Some("Storage::NotPaused")
                    }
                    Call::RequestRemoval { .. } if status == ReplicaStatus::Leaving => {
                        Some("Storage::AlreadyLeaving")
                    }
                    _ => None,
                }
            }
            _ => {
                let Some(provider) = self.provider(who).await? else {
                    return Ok(Some("Storage::NotProvider"));
                };
                let free: Balance = provider.bond.saturating_sub(provider.tied);
                match call {
                    Call::WithdrawProvider { amount } if amount.0 > free => {
                        Some("Storage::InsufficientBond")
                    }
                    Call::ExitProvider {} if provider.exiting => Some("Storage::Exiting"),
                    Call::LeaveProvider {} if !provider.exiting => Some("Storage::NotExiting"),
                    Call::LeaveProvider {} if provider.replicas > 0 => Some("Storage::HasReplicas"),
                    _ => None,
                }
            }
        })
    }

    /// The documentation of an error by its name, for people.
    fn docs(&self, name: &str) -> Option<String> {
        let (pallet, error) = name.split_once("::")?;
        let pallet = self.block.metadata_ref().pallet_by_name(pallet)?;
        let mut variants = pallet.error_variants()?.iter();
        let variant = variants.find(|variant| variant.name == error)?;
        let docs = plain(variant.docs.join(" ").trim());
        (!docs.is_empty()).then_some(docs)
    }

    /// The error with which a transaction fails on this state; `None` if it succeeds, if it is not
    /// valid, and if the node does not tell.
    async fn outcome_of(&self, transaction: Vec<u8>) -> Option<DispatchError> {
        let apis = self.block.runtime_apis();
        let outcome = apis.call_raw(APPLY, Some(&transaction)).await.ok()?;
        // Valid, and then failed.
        let error = outcome.strip_prefix(&[0u8, 1])?;
        DispatchError::decode_from(error, self.block.metadata()).ok()
    }
}

/// A refusal of what was not sent, which says so.
fn unsent(error: Error) -> Error {
    match error {
        Error::Refused { name, docs, fee } => Error::Refused {
            name,
            docs: Some(match docs {
                Some(docs) => format!("{docs} {UNSENT}"),
                None => UNSENT.into(),
            }),
            fee,
        },
        other => other,
    }
}

#[cfg(test)]
mod tests;
