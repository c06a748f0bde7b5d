// SPDX-License-Identifier: Apache-2.0

//! The client's side: paying to have a file kept, and getting it back.

use super::{
    any_id,
    provide::{locator, replica_of, unknown},
    Global,
};
use crate::{
    commands::{listen, parse},
    output::Output,
};
use tos_sdk::{
    amount,
    chain::{At, Call},
    content::{self, Store, Why},
    error::{Context, Error, Result},
    http::Http,
    keys::parse_account,
};

use polkadot_sdk::sp_core::crypto::AccountId32;
use serde_json::json;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tos_replica_store::{commit_content, Coded};
use tos_types::{
    json::to_hex,
    storage::{DealStatus, DealTerms, ReplicaStatus, Retention, StoredContent},
    Balance, DealId,
};
use tos_workers::storage::{self, blocking, Origin, ProgressBar, Remote};

/// Between two looks at a deal.
const LOOK: Duration = Duration::from_secs(1);
/// The longest time without a word while a deal is waited for.
const QUIET: Duration = Duration::from_secs(10);

/// See `tos storage publish --help`.
#[derive(clap::Args)]
pub struct Publish {
    /// The file.
    file: PathBuf,
    /// The price for each GiB of coded data, which is twice the file, and billing period, such as
    /// 0.5 (TOS).
    #[arg(long, value_parser = amount::parse)]
    price: Balance,
    /// Time: 30d, 365d, 2555d, or a number of billing periods. A billing period is a day on a
    /// real network.
    #[arg(long, value_parser = retention)]
    retention: Retention,
    /// Only this provider may accept. Otherwise any provider may.
    #[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
    provider: Option<AccountId32>,
    /// Serve the file on this address, until a provider has sealed it.
    #[arg(long, value_name = "ADDRESS")]
    serve: Option<SocketAddr>,
    /// Address at which providers fetch it: that of --serve as others reach it, or of a running
    /// `tos content serve`.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// With --serve, give up after this many seconds.
    #[arg(long, value_name = "SECONDS", requires = "serve")]
    limit: Option<u64>,
    /// With --serve, remove the copy from the content folder when a provider has sealed it, unless
    /// it was there before. The file itself stays.
    #[arg(long, requires = "serve")]
    forget_copy: bool,
}

/// See `tos storage retrieve --help`.
#[derive(clap::Args)]
pub struct Retrieve {
    /// The deal, or its replica.
    #[arg(value_parser = any_id)]
    id: [u8; 16],
    /// Write it to this file, which appears when all of it is right.
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// Fetch sealed chunks and restore the file from those that are right, without the provider's
    /// help; half of them suffice. Done by itself when the provider does not give the file.
    #[arg(long)]
    chunks: bool,
    /// Ask here, instead of where the provider says it serves.
    #[arg(long, value_name = "URL")]
    from: Option<String>,
}

/// Reads a retention: `30d`, `365d`, `2555d`, or a number of billing periods.
fn retention(text: &str) -> Result<Retention, String> {
    match text {
        "30d" => Ok(Retention::Days30),
        "365d" => Ok(Retention::Days365),
        "2555d" => Ok(Retention::Days2555),
        number => match number.parse() {
            Ok(periods @ 1..=2_555) => Ok(Retention::BillingPeriods(periods)),
            _ => Err(
                "expected 30d, 365d, 2555d or a number of billing periods from 1 to 2555".into(),
            ),
        },
    }
}

/// Codes a file, with temporary files of twice its length in `folder`.
fn commit(file: &Path, length: u64, folder: &Path) -> Result<Coded> {
    let doing = format!("coding {}", file.display());
    let scratch = tempfile::tempdir_in(folder).context(&doing)?;
    let from = std::fs::File::open(file).context(&doing)?;
    let mut bar = ProgressBar::local(file.display().to_string());
    let scratch = scratch.path().join("coded");
    commit_content(from, length, &scratch, &mut |progress| bar.watch(progress)).context(&doing)
}

impl Publish {
    /// Returns `true` if it goes on until the file is sealed.
    pub(super) fn serves(&self) -> bool {
        self.serve.is_some()
    }

    /// Address at which providers will fetch the file.
    fn url(&self) -> Result<String> {
        match (&self.public_url, self.serve) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(address)) if !address.ip().is_unspecified() && address.port() != 0 => {
                Ok(format!("http://{address}"))
            }
            (None, Some(_)) => Err(Error::Usage(
                "--serve on every address or any port: say with --public-url how others reach it"
                    .into(),
            )),
            (None, None) => Err(Error::Usage(
                "providers must be able to fetch the file: --serve it until it is sealed, or run \
                 `tos content serve` and say its address with --public-url"
                    .into(),
            )),
        }
    }

    /// Address at which providers will fetch the file, which is there.
    ///
    /// # Errors
    /// All that is wrong with them is told at once.
    fn local(&self) -> Result<String> {
        let url = self.url().and_then(|url| {
            locator(&url)?;
            Ok(url)
        });
        let file = match self.file == Path::new("-") {
            true => Ok(()),
            false => std::fs::metadata(&self.file)
                .map(|_| ())
                .map_err(|e| Error::Usage(format!("reading {}: {e}", self.file.display()))),
        };
        parse::both(url, file).map(|(url, ())| url)
    }

    pub(super) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let url = self.local()?;
        let folder = global.folder()?.join("content");
        let store = Store::open(folder.clone())?;
        let (keep, file) = (store.clone(), self.file.clone());
        let coded = blocking(move || {
            let (hash, length) = keep.put_large(&file, Why::Published)?;
            if length == 0 {
                return Err(Error::Usage(format!("{} is empty", file.display())));
            }
            let coded = commit(&file, length, &folder)?;
            match coded.content == hash {
                true => Ok(coded),
                false => Err(Error::Failed(format!(
                    "{} changed meanwhile",
                    file.display()
                ))),
            }
        });
        let coded = coded.await?;
        if let Some(address) = self.serve {
            let listener = listen::on(address, Vec::new)?;
            let listener = tokio::net::TcpListener::from_std(listener).context("serving")?;
            tokio::spawn(content::serve(listener, store.clone()));
        }
        content::warn_unless_reached(&store, &url).await?;
        let place = content::locator(&url, &coded.content)?;
        let included = global
            .submit(Call::Offer {
                content: StoredContent {
                    hash: coded.content,
                    length: coded.length,
                    locator: locator(&place)?,
                },
                coded: coded.commitment,
                terms: DealTerms {
                    price: self.price,
                    retention: self.retention,
                    provider: self.provider.clone(),
                },
            })
            .await?;
        let deal = included.deal.ok_or_else(|| {
            Error::Failed("the transaction succeeded without offering a deal".into())
        })?;
        let value = json!({
            "deal": deal, "hash": to_hex(&coded.content), "length": coded.length,
            "coded": coded.commitment, "block": to_hex(&included.block),
            "finalised": included.finalised,
        });
        output.show(&value, || deal.to_string());
        output.hint(&format!(
            "see it with: tos storage show {deal}; until a provider accepts, tos storage cancel {deal} takes the escrow back"
        ));
        if self.serve.is_none() {
            return Ok(());
        }
        let sealed = sealed(global, deal);
        match self.limit {
            None => sealed.await?,
            Some(seconds) => tokio::time::timeout(Duration::from_secs(seconds), sealed)
                .await
                .map_err(|_| Error::TimedOut(format!("no provider has sealed deal {deal}")))??,
        }
        if self.forget_copy {
            store.unpin(&coded.content, Why::Published)?;
        }
        Ok(())
    }
}

/// Waits until the chain has checked that a deal is sealed, and says how far it is.
async fn sealed(global: &Global, deal: DealId) -> Result<()> {
    let connection = global.connect().await?;
    let mut before = None;
    let mut said = Instant::now();
    loop {
        let at = connection.best().await?;
        let view = at.deal(deal).await?;
        let status = view.as_ref().map(|view| view.status);
        let replica = match view.and_then(|view| view.replica) {
            Some(replica) => at.replica(replica).await?.map(|replica| replica.status),
            None => None,
        };
        let (what, state) = standing(status, replica);
        if before != Some(what) || said.elapsed() >= QUIET {
            tracing::info!(%deal, "{what}");
            (before, said) = (Some(what), Instant::now());
        }
        match state {
            State::Sealed => return Ok(()),
            State::Waits => tokio::time::sleep(LOOK).await,
            State::Over => return Err(Error::Failed(format!("deal {deal}: {what}"))),
        }
    }
}

/// Progress of a deal towards being sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Waits,
    Sealed,
    Over,
}

/// A deal on its way to being sealed, in words.
fn standing(deal: Option<DealStatus>, replica: Option<ReplicaStatus>) -> (&'static str, State) {
    match (deal, replica) {
        (_, Some(ReplicaStatus::Active | ReplicaStatus::Leaving | ReplicaStatus::Paused)) => {
            ("sealed, and proven from now on", State::Sealed)
        }
        (None, _) => ("waiting for the offer to be on the chain", State::Waits),
        (Some(DealStatus::Open), _) => ("waiting for a provider to accept", State::Waits),
        (Some(DealStatus::Taken), Some(ReplicaStatus::Checking)) => {
            ("sealed; the chain checks samples of it", State::Waits)
        }
        (Some(DealStatus::Taken), _) => {
            ("accepted; the provider fetches and seals it", State::Waits)
        }
        (Some(DealStatus::Cancelled), _) => ("the offer was withdrawn", State::Over),
        (Some(DealStatus::Expired), _) => (
            "no provider accepted in time: the escrow is released; offer a higher price, or see \
             `tos storage offers`",
            State::Over,
        ),
        (Some(DealStatus::Closed), _) => (
            "its provider did not seal it: what was not earned of the escrow is released; publish \
             it again",
            State::Over,
        ),
    }
}

/// Everything that is needed to check what a provider sends.
async fn origin(at: &At, chain: [u8; 32], id: [u8; 16]) -> Result<(Origin, String)> {
    let id = replica_of(at, id).await?;
    let replica = at.replica(id).await?.ok_or_else(|| unknown(id.0))?;
    let deal = at
        .deal(replica.deal)
        .await?
        .ok_or_else(|| unknown(replica.deal.0))?;
    let sealed = replica
        .sealed
        .ok_or_else(|| Error::refused(format!("replica {id} is not sealed yet")))?;
    let provider = at.provider(replica.provider.clone()).await?;
    let place = provider.map(|p| String::from_utf8_lossy(&p.locator).into_owned());
    let origin = Origin {
        replica: id,
        provider: replica.provider,
        chain,
        params: at.storage_stats().await?.config.seal,
        content: deal.content.hash,
        length: deal.content.length,
        coded: replica.coded,
        sealed,
    };
    Ok((origin, place.unwrap_or_default()))
}

impl Retrieve {
    pub(super) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let connection = global.connect().await?;
        let at = connection.best().await?;
        let (origin, place) = origin(&at, connection.genesis(), self.id).await?;
        let remote = Remote::new(Http::new()?, self.from.as_deref().unwrap_or(&place))?;
        let missing = storage::retrieve(&remote, &origin, &self.out, self.chunks).await?;
        let value = json!({
            "replica": origin.replica, "file": self.out, "length": origin.length,
            "hash": to_hex(&origin.content), "missingChunks": missing,
        });
        output.show(&value, || {
            let how = match missing {
                None => "as the provider gave it".to_owned(),
                Some(0) => "from its sealed chunks".to_owned(),
                Some(count) => format!("from its sealed chunks, of which {count} were missing"),
            };
            let (file, length) = (self.out.display(), origin.length);
            format!("{file}: {length} bytes, {how}; the hash is right")
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn retentions_are_named_or_counted() {
        assert_eq!(retention("30d"), Ok(Retention::Days30));
        assert_eq!(retention("2555d"), Ok(Retention::Days2555));
        assert_eq!(retention("7"), Ok(Retention::BillingPeriods(7)));
        for bad in ["", "0", "2556", "31d", "-1", "forever"] {
            assert!(retention(bad).is_err(), "{bad}");
        }
    }

    /// Command line of `tos storage publish` alone.
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        publish: Publish,
    }

    #[test]
    fn a_missing_address_does_not_hide_a_missing_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let name = file.to_str().unwrap();
        let words = ["publish", name, "--price", "1", "--retention", "30d"];
        let publish = Line::try_parse_from(words).unwrap().publish;
        let error = publish.local().unwrap_err();
        assert_eq!(error.exit_code(), 2);
        for part in [name, "--public-url"] {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
        std::fs::write(&file, "content").unwrap();
        let error = publish.local().unwrap_err();
        assert!(!error.to_string().contains(name), "{error}");
    }

    #[test]
    fn a_deal_on_its_way_is_told_in_words_and_a_failed_one_says_what_to_do() {
        use DealStatus::{Cancelled, Closed, Expired, Open, Taken};
        let waits = [
            (None, None),
            (Some(Open), None),
            (Some(Taken), None),
            (Some(Taken), Some(ReplicaStatus::Sealing)),
            (Some(Taken), Some(ReplicaStatus::Checking)),
        ];
        for (deal, replica) in waits {
            assert_eq!(standing(deal, replica).1, State::Waits);
        }
        let sealed = standing(Some(Taken), Some(ReplicaStatus::Active));
        assert_eq!(sealed.1, State::Sealed);
        for over in [Closed, Cancelled, Expired] {
            let (what, state) = standing(Some(over), Some(ReplicaStatus::Failed));
            assert_eq!(state, State::Over);
            assert!(!what.contains(&format!("{over:?}")), "{what}");
        }
        assert!(standing(Some(Closed), None).0.contains("publish it again"));
    }

    #[test]
    fn a_file_is_committed_to_as_its_coded_bytes() {
        use tos_storage_proofs::{code::MemoryShards, commit as in_memory};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let data: Vec<u8> = (0..30_000u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&file, &data).unwrap();
        let coded = commit(&file, data.len() as u64, folder.path()).unwrap();
        let expected = MemoryShards::encode(&data).unwrap();
        assert_eq!(coded.commitment, in_memory(expected.bytes()).unwrap());
        assert_eq!(coded.content, *blake3::hash(&data).as_bytes());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
