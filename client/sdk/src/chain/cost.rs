// SPDX-License-Identifier: Apache-2.0

//! The fee of a call, and the rules by which the chain pays for a task.

use super::{
    transaction::{blank, MORTALITY},
    At, Call,
};
use crate::{
    any_chain::{self, Block, Mortality},
    error::{Context, Result},
};
use codec::{Decode, DecodeAll};
use polkadot_sdk::sp_core::crypto::AccountId32;
use subxt::dynamic::Value;
use tos_formulas::split::{SplitProfile, WinnerRule};
use tos_types::{Balance, Difficulty, TaskType, Tick};

/// Nonce with the longest encoding that an account comes to.
const LONG_NONCE: u64 = 1 << 30;

/// Answer of `BabeApi.configuration`, as far as what comes first.
#[derive(Decode)]
struct Slots {
    milliseconds: u64,
}

/// The rules of a task type, beyond the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeRules {
    /// `true` if tasks of this type may be published.
    pub known: bool,
    /// The classes' shares of a reward.
    pub split: SplitProfile,
    /// Rule for the number of winners.
    pub winners: WinnerRule,
    /// Judges that judge this type.
    pub judges: u32,
}

impl At {
    /// Fee of a call as a signed transaction on this block, by the node, without a tip. The node
    /// looks at the form and the length of a transaction, not at its signature, so no key is needed.
    pub async fn fee(&self, call: &Call, tip: Balance) -> Result<Balance> {
        let mortality = Mortality {
            blocks: MORTALITY,
            from: Block {
                number: self.number(),
                hash: self.hash(),
            },
        };
        let params = any_chain::parameters(LONG_NONCE, tip, Some(mortality)).build();
        let payload = call.encoded();
        let transactions = self.block.tx();
        let mut signable = transactions
            .create_signable_offline(&payload, params)
            .context("transaction")?;
        let (account, signature) = blank();
        let transaction = signable
            .sign_with_account_and_signature(&account, &signature)
            .context("transaction")?;
        transaction.partial_fee_estimate().await.context("the fee")
    }

    /// Milliseconds from one block to the next, when no block is missed.
    pub async fn block_time(&self) -> Result<u64> {
        let apis = self.block.runtime_apis();
        let bytes = apis.call_raw("BabeApi_configuration", None).await;
        let bytes = bytes.context("BabeApi_configuration")?;
        let slots = Slots::decode(&mut bytes.as_slice()).context("BabeApi_configuration")?;
        Ok(slots.milliseconds)
    }

    /// The least that an account must keep.
    pub fn existential_deposit(&self) -> Result<Balance> {
        any_chain::existential_deposit(self.block.metadata_ref())
    }

    /// The rules of a task type and difficulty.
    pub async fn type_rules(
        &self,
        task_type: TaskType,
        difficulty: Difficulty,
    ) -> Result<TypeRules> {
        let of_type = || vec![type_value(task_type)];
        let both = vec![
            type_value(task_type),
            Value::unnamed_variant(format!("{difficulty:?}"), []),
        ];
        let known = self.stored("Tasks", "TaskTypes", of_type()).await?;
        let split = self.stored("Rewards", "Profiles", both).await?;
        let winners = self.stored("Rewards", "WinnerRules", of_type()).await?;
        let judges = self.stored("Judges", "PoolSize", of_type()).await?;
        Ok(TypeRules {
            known: known.is_some(),
            split: match split {
                Some(bytes) => decoded(&bytes, "Rewards.Profiles")?,
                None => SplitProfile::for_task(task_type, difficulty),
            },
            winners: match winners {
                Some(bytes) => decoded(&bytes, "Rewards.WinnerRules")?,
                None => WinnerRule::for_type(task_type),
            },
            judges: match judges {
                Some(bytes) => decoded(&bytes, "Judges.PoolSize")?,
                None => 0,
            },
        })
    }

    /// The first tick after an account's suspension, if it has had one.
    pub async fn suspended_until(&self, who: &AccountId32) -> Result<Option<Tick>> {
        let key: [u8; 32] = who.clone().into();
        let key = vec![Value::from_bytes(key)];
        let until = self.stored("Miners", "Suspensions", key).await?;
        until
            .map(|bytes| decoded(&bytes, "Miners.Suspensions"))
            .transpose()
    }

    /// The bytes of a value in storage, if there is one.
    async fn stored(&self, pallet: &str, entry: &str, keys: Vec<Value>) -> Result<Option<Vec<u8>>> {
        let found = self.block.storage().try_fetch((pallet, entry), keys).await;
        let found = found.context(format_args!("{pallet}.{entry}"))?;
        Ok(found.map(|value| value.into_bytes()))
    }
}

fn decoded<T: DecodeAll>(mut bytes: &[u8], what: &str) -> Result<T> {
    T::decode_all(&mut bytes).context(what)
}

/// A task type as a key of a map in storage.
fn type_value(task_type: TaskType) -> Value {
    match task_type {
        TaskType::Custom(number) => {
            Value::unnamed_variant("Custom", [Value::u128(u128::from(number))])
        }
        built_in => Value::unnamed_variant(format!("{built_in:?}"), []),
    }
}
