// SPDX-License-Identifier: Apache-2.0

//! Details that a refusal lacks: the limit that was crossed, the time that is to come, what there is,
//! and what to do next.
//! The chain's errors name neither numbers nor accounts; its state has both.

use super::{advice, At, Call, Connection, CONNECT_TIME};
use crate::{
    amount,
    error::{Error, Result},
    keys::Signer,
};

use crate::task_type::type_name;
use codec::{DecodeAll, Encode};
use polkadot_sdk::sp_crypto_hashing::twox_128;
use subxt::config::substrate::H256;
use tos_types::{rules::DifficultyTerms, Balance, Difficulty, PhaseLengths, TaskType, Tick};

/// Most task types a chain can have: those with a name and the numbered ones.
const MOST_TYPES: u32 = 6 + 256;
/// The hash in front of a task type in its key.
const TWOX_64: usize = 8;
/// Words of the node about an account that cannot pay.
const CANNOT_PAY: &str = "Inability to pay some fees";
/// Words for a call that needs more than the account has.
const NO_FUNDS: &str = "Funds are unavailable";
/// Words of a node about a block whose state it has no longer.
const DISCARDED: &str = "State already discarded";

impl Connection {
    /// The task types that may be published.
    pub(super) async fn task_types(&self, at: &At) -> Result<Vec<TaskType>> {
        let prefix = [twox_128(b"Tasks"), twox_128(b"TaskTypes")].concat();
        let keys =
            self.methods
                .state_get_keys_paged(&prefix, MOST_TYPES, None, Some(H256(at.hash())));
        let keys = match keys.await {
            Ok(keys) => keys,
            Err(error) => return Err(self.explain(error).await),
        };
        let mut types: Vec<_> = keys
            .iter()
            .filter_map(|key| key.get(prefix.len() + TWOX_64..))
            .filter_map(|mut bytes| TaskType::decode_all(&mut bytes).ok())
            .collect();
        types.sort_by_key(Encode::encode);
        Ok(types)
    }

    /// Refuses to register for task types of which no tasks can be published: the chain would take
    /// that, and no work would ever come. Where a node does not list its types, the chain decides.
    pub(super) async fn check_types(&self, call: &Call) -> Result<()> {
        let (Call::RegisterMiner {
            specialisations: wanted,
        }
        | Call::SetSpecialisations {
            specialisations: wanted,
        }
        | Call::RegisterJudge { types: wanted }
        | Call::SetTypes { types: wanted }) = call
        else {
            return Ok(());
        };
        let Ok(known) = self.task_types(&self.best().await?).await else {
            return Ok(());
        };
        match wanted.iter().find(|wanted| !known.contains(wanted)) {
            None => Ok(()),
            Some(unknown) => Err(Error::Refused {
                name: "Tasks::UnknownTaskType".into(),
                docs: Some(format!(
                    "No task of type {} can be published, so there is no such work; nothing was \
                     sent. {}",
                    type_name(*unknown),
                    list(&known)
                )),
                fee: None,
            }),
        }
    }

    /// A refusal that says more than the chain does. Where that cannot be read, it stays as it is.
    pub(super) async fn elaborate(&self, signer: &Signer, call: &Call, error: Error) -> Error {
        let Error::Refused { name, docs, fee } = error else {
            return error;
        };
        let help = tokio::time::timeout(CONNECT_TIME, self.help(signer, call, &name)).await;
        let help = help.ok().and_then(Result::ok).flatten();
        let advice = advice::on(&name).map(str::to_owned);
        let all: Vec<_> = [docs, help, advice].into_iter().flatten().collect();
        let docs = (!all.is_empty()).then(|| all.join(" "));
        Error::Refused { name, docs, fee }
    }

    /// Help with a refusal, if there is any.
    async fn help(&self, signer: &Signer, call: &Call, name: &str) -> Result<Option<String>> {
        if name.contains(CANNOT_PAY) {
            return self.cannot_pay(signer, call).await.map(Some);
        }
        Ok(match (name, call) {
            (
                "Tasks::RewardOutsideBand",
                Call::Publish {
                    difficulty, reward, ..
                },
            ) => {
                let table = self.best().await?.parameters().await?.difficulties;
                let terms = table.terms(*difficulty);
                let band = (terms.least_reward, terms.most_reward);
                Some(outside_band(*difficulty, reward.0, band))
            }
            ("Tasks::OpenWindowOutOfBounds", Call::Publish { open_for, .. }) => {
                let phase_lengths = self.best().await?.chain().await?.phase_lengths;
                Some(outside_window(
                    *open_for,
                    (phase_lengths.min_open, phase_lengths.max_open),
                ))
            }
            ("Tasks::UnknownTaskType", _) => {
                Some(list(&self.task_types(&self.best().await?).await?))
            }
            (
                "Miners::InsufficientStake"
                | "Rewards::InsufficientFunds"
                | "Tasks::InsufficientFunds",
                _,
            ) => Some(self.funds(signer).await?),
            _ if name.contains(NO_FUNDS) => Some(self.funds(signer).await?),
            _ => self.due(signer, call, name).await?,
        })
    }

    /// Funds of an account that has not enough.
    async fn funds(&self, signer: &Signer) -> Result<String> {
        let account = signer.account();
        let free = self.best().await?.balance(&account).await?.free;
        Ok(format!(
            "The account {account} has {} free: send it what is missing, or sign with the key of \
             another account (--key).",
            amount::format(free)
        ))
    }

    /// Funds of an account that cannot pay the fee of `call`, and the fee.
    async fn cannot_pay(&self, signer: &Signer, call: &Call) -> Result<String> {
        let best = self.best().await?;
        // Also for another account the key pays.
        let account = signer.pair.account();
        // An account that never had anything is in no state.
        let free = best.balance(&account).await?.free;
        let fee = match best.fee(call, signer.tip).await {
            Ok(fee) => format!("about {}", amount::format(fee)),
            Err(_) => "more".into(),
        };
        let (pallet, name) = call.name();
        let tip = match signer.tip {
            0 => String::new(),
            tip => format!(" and a tip of {}", amount::format(tip)),
        };
        let besides = match (pallet, name) {
            ("Tasks", "publish") => " besides reward and stake (`tos task quote` adds them up)",
            _ => "",
        };
        Ok(format!(
            "The account {account} has {} free, and {pallet}.{name} costs a fee of {fee}{tip}{besides}: send \
             it TOS, or sign with the key of another account (--key).",
            amount::format(free)
        ))
    }

    /// Error of reading block `number`, with advice if its state was discarded.
    pub(super) async fn unreadable(&self, number: u64, error: impl std::fmt::Display) -> Error {
        let error = self.explain(error).await;
        if !error.to_string().contains(DISCARDED) {
            return error;
        }
        let oldest = match self.oldest_state(number).await {
            Ok(oldest) => format!("the oldest state it has is that of block {oldest}: begin there"),
            Err(_) => "begin later".into(),
        };
        Error::Failed(format!(
            "the node has discarded the state of block {number}; {oldest}, or ask an archive node \
             (--url; one that runs with --state-pruning archive)"
        ))
    }

    /// The first block after `gone` whose state the node has. A node discards from the oldest on.
    async fn oldest_state(&self, gone: u64) -> Result<u64> {
        let key = [twox_128(b"System"), twox_128(b"Number")].concat();
        let (mut gone, mut kept) = (gone, self.best().await?.number());
        while kept.saturating_sub(gone) > 1 {
            let middle = gone + (kept - gone) / 2;
            let hash = self.hash_of_number(middle).await?.map(H256);
            match self.methods.state_get_storage(&key, hash).await {
                Ok(_) => kept = middle,
                Err(error) if error.to_string().contains(DISCARDED) => gone = middle,
                Err(error) => return Err(self.explain(error).await),
            }
        }
        Ok(kept)
    }
}

/// `true` if tasks of these terms may have this reward, in wei.
pub(super) fn in_band(terms: &DifficultyTerms, reward: Balance) -> bool {
    (terms.least_reward..=terms.most_reward).contains(&reward)
}

/// `true` if tasks may be open for so long.
pub(super) fn in_window(phase_lengths: &PhaseLengths, open_for: Tick) -> bool {
    (phase_lengths.min_open..=phase_lengths.max_open).contains(&open_for)
}

fn list(types: &[TaskType]) -> String {
    let names: Vec<_> = types.iter().map(|known| type_name(*known)).collect();
    format!("The types of this chain: {}.", names.join(", "))
}

fn outside_band(difficulty: Difficulty, reward: Balance, band: (Balance, Balance)) -> String {
    format!(
        "For {} it is {} to {}, not {}: change --reward or --difficulty (`tos governance \
         parameters` lists all bands).",
        format!("{difficulty:?}").to_lowercase(),
        amount::format(band.0),
        amount::format(band.1),
        amount::format(reward)
    )
}

fn outside_window(open_for: Tick, bounds: (Tick, Tick)) -> String {
    format!(
        "It is {} to {} ticks here, not {open_for}: change --open-for.",
        bounds.0, bounds.1
    )
}

#[cfg(test)]
mod tests;
