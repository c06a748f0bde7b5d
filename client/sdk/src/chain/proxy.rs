// SPDX-License-Identifier: Apache-2.0

//! Acting for another account, as its proxy: `docs/keys.md`.

use super::{
    proxy_kind::{ProxyKind, PROXIED},
    shape::{check_entry, check_names},
    storage_key::key_of_account,
    At, Call,
};
use crate::{
    error::{Context, Error, Result},
    keys::Signer,
};
use codec::{Decode, Encode};
use polkadot_sdk::sp_core::crypto::AccountId32;
use serde::{Serialize, Serializer};
use subxt::{error::DispatchError, ArcMetadata, Metadata};
use tos_types::Balance;

/// The arguments of that call, in order.
const PROXIED_ARGUMENTS: [&str; 3] = ["real", "force_proxy_type", "call"];
/// The event that tells what became of the call inside.
pub(super) const EXECUTED: (&str, &str) = ("Proxy", "ProxyExecuted");

/// One proxy of an account.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, Serialize)]
pub struct Proxy {
    /// The account that may act.
    pub delegate: AccountId32,
    /// Calls that it may make.
    pub kind: ProxyKind,
    /// Blocks it has to announce a call before.
    pub delay: u32,
}

/// The proxies of an account.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, Serialize)]
pub struct Proxies {
    /// All of them.
    pub proxies: Vec<Proxy>,
    /// Amount that is held for them of the account, in wei.
    #[serde(serialize_with = "wei")]
    pub deposit: Balance,
}

/// An amount in JSON: text, as it can be beyond what readers of JSON take for a number.
fn wei<S: Serializer>(amount: &Balance, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(amount)
}

impl At {
    /// The same call, for an account that the signer is a proxy of.
    pub fn proxied(&self, real: &AccountId32, call: &Call) -> Result<Call> {
        let call = self.encode(call)?;
        let real = real.clone();
        Ok(Call::Proxied { real, call })
    }

    /// The proxies of an account.
    pub async fn proxies(&self, who: &AccountId32) -> Result<Proxies> {
        let key = key_of_account("Proxy", "Proxies", who);
        let proxies = self.raw_value(key, "Proxy.Proxies").await?;
        Ok(proxies.unwrap_or_default())
    }
}

/// Checks that the chain has the call, the event and the entry of the storage that the table of
/// shapes cannot name.
pub(super) fn check(metadata: &Metadata) -> Result<(), String> {
    let event = EXECUTED.1;
    check_names(metadata, PROXIED, &PROXIED_ARGUMENTS, event, &["result"])?;
    check_entry(metadata, "Proxy", "Proxies")
}

/// Error of a call inside, by the result in the event that tells of it; nothing if it succeeded.
pub(super) fn failed(result: &[u8], metadata: ArcMetadata) -> Result<Option<DispatchError>> {
    match result.split_first() {
        Some((0, _)) => Ok(None),
        Some((1, error)) => DispatchError::decode_from(error, metadata)
            .context("reading events")
            .map(Some),
        _ => Err(Error::Failed(
            "the event of an inner call has no result".into(),
        )),
    }
}

/// A refusal of the pool, with who has to pay when a proxy signs.
pub(super) fn explain(error: Error, signer: &Signer) -> Error {
    match (&signer.acts_for, error) {
        (
            Some(_),
            Error::Refused {
                name, docs: None, ..
            },
        ) if name.contains("pay some fees") => Error::Refused {
            docs: Some(format!(
                "with --for the key pays the fees; send some TOS to its account, {}",
                signer.pair.account()
            )),
            name,
            fee: None,
        },
        (_, error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::node::signer;

    #[test]
    fn a_call_for_another_account_carries_the_call_as_it_is() {
        let real = AccountId32::new([7; 32]);
        let call = Call::Proxied {
            real,
            call: vec![9, 8, 7],
        };
        assert_eq!(call.name(), ("Proxy", "proxy"));
        // The account by its identifier, no kind, and the call without a length.
        let expected = [&[0u8][..], &[7; 32], &[0, 9, 8, 7]].concat();
        assert_eq!(call.encode_arguments(), expected);
        assert!(!call.is_authorised());
    }

    #[test]
    fn the_signer_acts_as_the_account_it_is_a_proxy_of() {
        let own = signer();
        let real = AccountId32::new([7; 32]);
        let proxy = Signer {
            acts_for: Some(real.clone()),
            ..own.clone()
        };
        assert_eq!(proxy.account(), real);
        assert_eq!(own.account(), own.pair.account());
    }

    #[test]
    fn a_proxy_that_cannot_pay_is_told_who_pays() {
        let own = signer();
        let proxy = Signer {
            acts_for: Some(AccountId32::new([7; 32])),
            ..own.clone()
        };
        let poor = || Error::refused("Invalid Transaction: Inability to pay some fees");
        let told = explain(poor(), &proxy);
        assert!(
            told.to_string().contains(&own.account().to_string()),
            "{told}"
        );
        assert_eq!(told.exit_code(), 3);
        assert_eq!(explain(poor(), &own).to_string(), poor().to_string());
        let other = explain(Error::refused("other"), &proxy);
        assert_eq!(other.to_string(), Error::refused("other").to_string());
    }

    #[test]
    fn kinds_of_proxies_have_the_numbers_of_the_chain() {
        let kinds = [
            ProxyKind::Any,
            ProxyKind::NonTransfer,
            ProxyKind::Governance,
            ProxyKind::Staking,
            ProxyKind::CancelProxy,
            ProxyKind::Worker,
        ];
        for (index, kind) in kinds.into_iter().enumerate() {
            assert_eq!(kind.encode(), [index as u8]);
        }
    }
}
