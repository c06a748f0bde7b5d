// SPDX-License-Identifier: Apache-2.0

//! Names of accounts in what people read: "you", a key's name, or a shortened address.

use super::Global;
use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};

/// An account, short enough for a table.
pub fn short(account: &AccountId32) -> String {
    let full = account.to_ss58check();
    let (head, tail) = (full.get(..6).unwrap_or(&full), full.get(full.len() - 4..));
    format!("{head}…{}", tail.unwrap_or_default())
}

/// Names that this user has for accounts.
#[derive(Default)]
pub(super) struct Names {
    own: Option<AccountId32>,
    keys: Vec<(AccountId32, String)>,
}

impl Names {
    /// Names from the key in use and those in the keystore. Needs no password, and does without
    /// what cannot be read.
    pub fn new(global: &Global) -> Self {
        let files = global.keystore().and_then(|keystore| keystore.list());
        let keys = files.unwrap_or_default().into_iter().filter_map(|file| {
            let account = tos_sdk::keys::parse_account(&file.address).ok()?;
            Some((account, file.name))
        });
        Self {
            own: global.account(&None).ok(),
            keys: keys.collect(),
        }
    }

    /// The name of an account.
    pub fn of(&self, account: &AccountId32) -> String {
        if self.own.as_ref() == Some(account) {
            return "you".into();
        }
        let key = self.keys.iter().find(|(known, _)| known == account);
        match key {
            Some((_, name)) => format!("{name} ({})", short(account)),
            None => short(account),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_you_then_a_key_then_a_short_address() {
        let account = |byte| AccountId32::new([byte; 32]);
        let names = Names {
            own: Some(account(1)),
            keys: vec![(account(1), "hot".into()), (account(2), "cold".into())],
        };
        assert_eq!(names.of(&account(1)), "you");
        assert!(names.of(&account(2)).starts_with("cold (5"));
        assert_eq!(names.of(&account(3)), short(&account(3)));
    }

    #[test]
    fn accounts_are_shortened_at_both_ends() {
        let shortened = short(&AccountId32::new([1; 32]));
        assert_eq!(shortened.chars().count(), 11);
        assert!(shortened.starts_with('5'));
    }
}
