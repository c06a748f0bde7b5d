// SPDX-License-Identifier: Apache-2.0

//! Transactions signed before the clock starts.

use crate::{
    accounts::on_all_cores,
    error::{Error, Result},
};
use tos_sdk::{
    any_chain::{Chain, EncodedCall, Mortality, Signed},
    keys::Keypair,
};

/// The most transactions of a run; each takes about 350 bytes of memory.
pub const MAX_TRANSACTIONS: usize = 5_000_000;

/// One account that sends: its key, its next nonce, and the call it repeats.
pub struct Sender {
    /// Signs.
    pub key: Keypair,
    /// The nonce of its first transaction.
    pub nonce: u64,
    /// The call that it sends.
    pub call: EncodedCall,
}

/// Signs `count` transactions on all cores, one of each sender in turn: transaction `i` is number
/// `i / senders` of sender `i % senders`.
pub fn sign_all(
    chain: &Chain,
    senders: &[Sender],
    count: usize,
    mortality: Option<Mortality>,
) -> Result<Vec<Signed>> {
    if senders.is_empty() || count > MAX_TRANSACTIONS {
        return Err(Error::Usage(format!(
            "a run has at least one account and at most {MAX_TRANSACTIONS} transactions"
        )));
    }
    let numbers: Vec<usize> = (0..count).collect();
    on_all_cores(&numbers, |&number| {
        let (turn, who) = (number / senders.len(), number % senders.len());
        let Some(sender) = senders.get(who) else {
            return Err(Error::Usage("no such sender".into()));
        };
        let nonce = sender.nonce + turn as u64;
        Ok(chain.sign(&sender.key, &sender.call, nonce, mortality)?)
    })
}
