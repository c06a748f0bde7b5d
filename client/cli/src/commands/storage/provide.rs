// SPDX-License-Identifier: Apache-2.0

//! Becoming a provider, and everything that is one call.

use super::{replica_id, Folder as StoreFolder, Global, One, Storage};
use crate::output::Output;
use tos_sdk::{
    amount,
    chain::{recognise, At, Call, Connection, Folder, Guard},
    error::{Error, Result},
    keys::{Keypair, Scheme},
};

use codec::Compact;
use polkadot_sdk::sp_core::{crypto::AccountId32, sr25519, Pair};
use serde_json::json;
use std::{fs::TryLockError, path::Path, time::Duration};
use tos_types::{
    content::MAX_LOCATOR, json::to_hex, storage::Locator, Balance, DealId, ReplicaId, TOS,
};
use tos_workers::storage::ReplicaProver;

/// The proof key, by its name in the keystore.
#[derive(clap::Args)]
pub struct ProofKey {
    /// The key that signs proofs, by its name in the keystore. It holds no money.
    #[arg(long = "proof-key", value_name = "NAME", default_value = "storage-proof")]
    name: String,
}

impl ProofKey {
    /// The key pair.
    pub(super) fn unlock(&self, global: &Global) -> Result<sr25519::Pair> {
        let keystore = global.keystore()?;
        keystore.file(&self.name).map_err(|error| {
            Error::Usage(format!(
                "{error}; `tos storage init` makes the key that proofs are signed with"
            ))
        })?;
        match keystore.open(&self.name, &global.password(false)?)?.pair {
            Keypair::Sr25519(pair) => Ok(pair),
            _ => Err(Error::Usage(format!(
                "`{}`: proofs are signed with sr25519",
                self.name
            ))),
        }
    }

    /// The key pair, made where there is none.
    fn unlock_or_make(&self, global: &Global) -> Result<sr25519::Pair> {
        let keystore = global.keystore()?;
        let known = keystore.list()?.iter().any(|file| file.name == self.name);
        if !known {
            let phrase = zeroize::Zeroizing::new(Keypair::generate_phrase());
            let password = global.password(true)?;
            keystore.add(&self.name, Scheme::Sr25519, &phrase, &password)?;
            return sr25519::Pair::from_string(&phrase, None)
                .map_err(|_| Error::Failed("the phrase just made is no key".into()));
        }
        self.unlock(global)
    }
}

/// See `tos storage init --help`.
#[derive(clap::Args)]
pub struct Init {
    #[command(flatten)]
    folder: StoreFolder,
    #[command(flatten)]
    proof_key: ProofKey,
    /// The bond, such as 5000 (TOS); 1000 when missing. Each replica ties up a part of it as collateral. Of an account that
    /// is a provider already, what is missing is added.
    #[arg(long, value_parser = amount::parse)]
    bond: Option<Balance>,
    /// Address at which others reach the provider's server, such as http://my.host:9956.
    #[arg(long, value_name = "URL")]
    public_url: String,
}

/// See `tos storage set --help`.
#[derive(clap::Args)]
pub struct Set {
    #[command(flatten)]
    proof_key: ProofKey,
    /// Address at which others reach the provider's server, such as http://my.host:9956.
    #[arg(long, value_name = "URL")]
    public_url: String,
}

/// See `tos storage challenge --help`.
#[derive(clap::Args)]
pub struct Challenge {
    /// The replica.
    #[arg(value_parser = replica_id)]
    replica: ReplicaId,
    /// Open this window's leaf, instead of the sealing.
    #[arg(long)]
    window: Option<u64>,
}

/// Time that a one-off command waits for a node to say which chain it is on.
const RECOGNISE_TIME: Duration = Duration::from_secs(60);

/// The store of this account on this chain, and what it has seen of the chain: in `folder` or, if
/// that is of another chain, next to it.
pub(super) async fn prover(
    connection: &Connection,
    folder: &Path,
    who: &AccountId32,
    proof: sr25519::Pair,
) -> Result<(ReplicaProver, Guard<Folder>)> {
    let guard = recognise::<Folder>(connection, folder, Some(RECOGNISE_TIME)).await?;
    let prover = ReplicaProver::of_chain(connection, guard.memory().path(), who, proof).await?;
    Ok((prover, guard))
}

/// `true` if another process has the store open.
fn is_in_use(folder: &Path) -> bool {
    let lock = std::fs::File::open(folder.join("lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Checks how others reach a server.
pub(super) fn locator(url: &str) -> Result<Locator> {
    tos_sdk::content::locator(url, &[0; 32])?;
    url.as_bytes()
        .to_vec()
        .try_into()
        .map_err(|_| Error::Usage(format!("an address of more than {MAX_LOCATOR} bytes")))
}

impl Init {
    pub(super) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let (key, proof) = (global.signer()?, self.proof_key.unlock_or_make(global)?);
        let (who, public) = (key.account(), proof.public());
        let url = locator(&self.public_url)?;
        let connection = global.connect().await?;
        let dir = self.folder.path(global)?;
        let guard = recognise::<Folder>(&connection, &dir, Some(RECOGNISE_TIME)).await?;
        let dir = guard.memory().path().to_owned();
        // A worker that went on to this chain by itself has made the store, and waits for this.
        if !is_in_use(&dir) {
            drop(ReplicaProver::of_chain(&connection, guard.memory().path(), &who, proof).await?);
        }
        let known = connection.best().await?.provider(who.clone()).await?;
        // Interrupted and run again, it goes on where it ended.
        let mut calls = Vec::new();
        match known {
            None => calls.push(Call::RegisterProvider {
                bond: Compact(self.bond.unwrap_or(DEFAULT_BOND)),
                proof_key: public.0,
                locator: url,
            }),
            Some(known) => {
                let added = added_bond(known.bond, self.bond)?;
                if known.proof_key != public.0 || known.locator != url {
                    calls.push(Call::SetProvider {
                        proof_key: public.0,
                        locator: url,
                    });
                }
                if let Some(amount) = added {
                    calls.push(Call::TopUpProvider {
                        amount: Compact(amount),
                    });
                }
            }
        }
        let mut block = None;
        for call in calls {
            block = Some(global.submit(call).await?.block);
        }
        let value = json!({
            "provider": who, "proofKey": to_hex(&public.0), "dir": dir,
            "block": block.map(|hash| to_hex(&hash)),
        });
        output.show(&value, || {
            format!(
                "provider  {who}\nproof key {}\nstore     {}",
                to_hex(&public.0),
                dir.display()
            )
        });
        Ok(())
    }
}

/// The bond of a new provider for whom none is given.
const DEFAULT_BOND: Balance = 1_000 * TOS;

/// The amount to add to a provider's bond so that it is what is wanted.
fn added_bond(held: Balance, wanted: Option<Balance>) -> Result<Option<Balance>> {
    let wanted = wanted.unwrap_or(held);
    match wanted.checked_sub(held) {
        Some(0) => Ok(None),
        Some(amount) => Ok(Some(amount)),
        None => Err(Error::Usage(format!(
            "this account is a provider with a bond of {} already; `tos storage withdraw` takes out what its replicas do \
             not need",
            amount::format(held)
        ))),
    }
}

/// Returns `true` if an identifier names a deal. Deals and replicas share no identifiers.
async fn is_deal(at: &At, id: [u8; 16]) -> Result<bool> {
    if at.replica(ReplicaId(id)).await?.is_some() {
        return Ok(false);
    }
    match at.deal(DealId(id)).await? {
        Some(_) => Ok(true),
        None => Err(unknown(id)),
    }
}

/// The error for what the chain does not have.
pub(super) fn unknown(id: [u8; 16]) -> Error {
    let id = ReplicaId(id);
    Error::refused(format!("there is no deal or replica {id}, or it is pruned"))
}

/// The replica an identifier names: itself, or a deal's.
pub(super) async fn replica_of(at: &At, id: [u8; 16]) -> Result<ReplicaId> {
    if !is_deal(at, id).await? {
        return Ok(ReplicaId(id));
    }
    let deal = at.deal(DealId(id)).await?.ok_or_else(|| unknown(id))?;
    deal.replica
        .ok_or_else(|| Error::refused(format!("no provider has accepted deal {}", DealId(id))))
}

/// Settles a replica, and says how much its provider was paid.
async fn settle(replica: ReplicaId, global: &Global, output: Output) -> Result<()> {
    let call = Call::SettleReplica { replica };
    if global.print_call {
        return global.submit_and_show(call, output).await;
    }
    let connection = global.connect().await?;
    let signer = global.signer()?;
    let included = connection
        .submit(&signer, &call, global.wait, global.time())
        .await?;
    let events = connection.at_block(included.block).await?.events().await?;
    let id = replica.to_string();
    let amounts = events.iter().filter_map(|event| {
        let settled = event.pallet == "Storage" && event.name == "Settled";
        let amount = (settled && event.fields["replica"] == id)
            .then(|| event.fields["amount"].as_str()?.parse::<Balance>().ok());
        amount.flatten()
    });
    let paid = amounts.fold(0, Balance::saturating_add);
    let mut value = json!(included);
    value["paid"] = json!(paid.to_string());
    output.show(&value, || {
        let what = match paid {
            0 => "nothing was due".into(),
            paid => format!("the provider was paid {}", amount::format(paid)),
        };
        format!("{what}; block {}", to_hex(&included.block))
    });
    Ok(())
}

/// Runs a command that is one call.
pub(super) async fn submit(command: Storage, global: &Global, output: Output) -> Result<()> {
    let replica = |One { id }: One| async move {
        replica_of(&global.connect().await?.best().await?, id).await
    };
    let call = match command {
        Storage::Accept { deal } => Call::AcceptDeal { deal },
        Storage::Cancel { deal } => Call::CancelOffer { deal },
        Storage::TopUp { amount } => Call::TopUpProvider {
            amount: Compact(amount),
        },
        Storage::Withdraw { amount } => Call::WithdrawProvider {
            amount: Compact(amount),
        },
        Storage::Exit => Call::ExitProvider {},
        Storage::Leave => Call::LeaveProvider {},
        Storage::Set(set) => Call::SetProvider {
            proof_key: set.proof_key.unlock_or_make(global)?.public().0,
            locator: locator(&set.public_url)?,
        },
        Storage::Pause(one) => Call::PauseReplica {
            replica: replica(one).await?,
        },
        Storage::Resume(one) => Call::ResumeReplica {
            replica: replica(one).await?,
        },
        Storage::Remove(one) => Call::RequestRemoval {
            replica: replica(one).await?,
        },
        Storage::Settle(one) => return settle(replica(one).await?, global, output).await,
        Storage::Challenge(Challenge {
            replica,
            window: None,
        }) => Call::ChallengeSeal { replica },
        Storage::Challenge(Challenge {
            replica,
            window: Some(window),
        }) => Call::ChallengeWindow { replica, window },
        Storage::Crank(One { id }) => {
            let at = global.connect().await?.best().await?;
            match is_deal(&at, id).await? {
                true => Call::CrankDeal { deal: DealId(id) },
                false => Call::CrankReplica {
                    replica: ReplicaId(id),
                },
            }
        }
        _ => return Err(Error::Usage("this command is more than one call".into())),
    };
    global.submit_and_show(call, output).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_is_made_again_gets_what_its_bond_lacks_and_no_less_in_silence() {
        assert_eq!(added_bond(1_000 * TOS, None).unwrap(), None);
        assert_eq!(added_bond(1_000 * TOS, Some(1_000 * TOS)).unwrap(), None);
        let added = added_bond(1_000 * TOS, Some(5_000 * TOS)).unwrap();
        assert_eq!(added, Some(4_000 * TOS));
        let refused = added_bond(5_000 * TOS, Some(1_000 * TOS)).unwrap_err();
        let told = refused.to_string();
        assert!(
            told.contains("5000 TOS already") && told.contains("tos storage withdraw"),
            "{told}"
        );
    }
}
