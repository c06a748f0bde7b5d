// SPDX-License-Identifier: Apache-2.0

//! `tos rewards`.

use super::{parse, Global};
use crate::output::{table, Output};
use polkadot_sdk::sp_core::crypto::AccountId32;
use tos_sdk::{amount, chain::Call, error::Result, keys::parse_account};
use tos_types::TaskId;

/// See `tos rewards --help`.
#[derive(clap::Subcommand)]
pub enum Rewards {
    /// List rewards that wait to be claimed.
    List {
        /// The account; the key's when missing.
        #[arg(value_parser = parse_account)]
        account: Option<AccountId32>,
    },
    /// Claim rewards: all that wait, or one task's. With --for, of that account: it is paid, and the
    /// key pays the fee.
    Claim {
        /// Only the reward of this task.
        #[arg(long, value_parser = parse::task_id)]
        task: Option<TaskId>,
    },
    /// Have future rewards paid at once, or not.
    AutoClaim {
        /// `on` or `off`.
        #[arg(value_enum)]
        switch: Switch,
    },
}

/// On or off.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

/// Text in place of an empty list.
const NOTHING: &str = "no reward waits to be claimed; workers claim theirs themselves, and \
    `tos chain account` shows what the account has";

impl Rewards {
    /// Runs the command.
    pub(crate) async fn run(self, global: &Global, output: Output) -> Result<()> {
        match self {
            Self::List { account } => {
                let who = global.account(&account)?;
                let claims = global.connect().await?.best().await?.claimable(who).await?;
                output.show(&claims, || {
                    if claims.is_empty() {
                        return NOTHING.into();
                    }
                    let row = |claim: &tos_views::ClaimView| {
                        let (task, expires) = (claim.task.to_string(), claim.expires.to_string());
                        vec![task, amount::format(claim.amount), expires]
                    };
                    let rows: Vec<_> = claims.iter().map(row).collect();
                    table(&["TASK", "REWARD", "UNTIL TICK"], &rows)
                });
                Ok(())
            }
            // Anyone may claim for anyone: with --for the key needs not even be a proxy.
            Self::Claim { task } => {
                let call = claim(task, global.acts_for()?);
                global.submit_own_and_show(call, output).await
            }
            Self::AutoClaim { switch } => {
                let call = Call::SetAutoClaim {
                    enabled: switch == Switch::On,
                };
                global.submit_and_show(call, output).await
            }
        }
    }
}

/// The call that claims the reward of `task`, or all, for `owner` or the key's own account.
fn claim(task: Option<TaskId>, owner: Option<AccountId32>) -> Call {
    match (owner, task) {
        (None, None) => Call::ClaimAll {},
        (None, Some(task)) => Call::Claim { task },
        (Some(owner), None) => Call::ClaimAllFor { owner },
        (Some(owner), Some(task)) => Call::ClaimFor { owner, task },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewards_are_claimed_for_the_account_that_is_named() {
        let owner = AccountId32::new([7; 32]);
        let task = TaskId([1; 16]);
        assert_eq!(claim(None, None), Call::ClaimAll {});
        assert_eq!(claim(Some(task), None), Call::Claim { task });
        let all = Call::ClaimAllFor {
            owner: owner.clone(),
        };
        assert_eq!(claim(None, Some(owner.clone())), all);
        assert_eq!(
            claim(Some(task), Some(owner.clone())),
            Call::ClaimFor { owner, task }
        );
    }
}
