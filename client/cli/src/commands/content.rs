// SPDX-License-Identifier: Apache-2.0

//! `tos content`.

use super::Global;
use crate::output::{table, Output};
use serde_json::json;
use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use tos_sdk::hex::parse_hex;
use tos_sdk::{
    content::{self, Fetcher, Listed, Store, Why},
    error::{Context, Error, Result},
    http::Http,
};
use tos_types::{json::to_hex, ContentHash};

/// Time that `get` tries in addition to what the content takes at the least rate.
const FETCH_TIME: Duration = Duration::from_secs(60);

/// See `tos content --help`.
#[derive(clap::Subcommand)]
pub enum Content {
    /// Keep a file's content and print its hash.
    Put {
        /// The file; - for standard input.
        file: PathBuf,
    },
    /// Get content by its hash, verified: from here, or from a server.
    Get {
        /// The BLAKE3 hash.
        #[arg(value_parser = parse_hex::<32>)]
        hash: ContentHash,
        /// Write it to this file instead of standard output.
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The server to ask when it is not here, such as http://host:9955.
        #[arg(long, value_name = "URL", requires = "size")]
        from: Option<String>,
        /// Its size in bytes, as the reference to it says.
        #[arg(long, value_name = "BYTES")]
        size: Option<u64>,
    },
    /// List the content kept here, and why it is.
    List,
    /// Remove content that is kept here.
    Remove {
        /// The BLAKE3 hash.
        #[arg(value_parser = parse_hex::<32>)]
        hash: ContentHash,
        /// Also if a task, a deal or a worker may still need it, or nothing is known about it.
        #[arg(long)]
        force: bool,
    },
    /// Serve all content kept here, until interrupted.
    Serve {
        /// The address to listen on.
        #[arg(default_value = "127.0.0.1:9955", value_name = "ADDRESS")]
        listen: SocketAddr,
    },
}

impl Content {
    /// Runs the command.
    pub(crate) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let store = Store::open(global.folder()?.join("content"))?;
        match self {
            Self::Put { file } => {
                let (hash, size) = store.put_large(&file, Why::Put)?;
                let value = json!({"hash": to_hex(&hash), "size": size});
                output.show(&value, || to_hex(&hash));
            }
            Self::Get {
                hash,
                out,
                from,
                size,
            } => {
                let file = match (from, size) {
                    (Some(url), Some(size)) => {
                        let time = content::Pace::default().time(size) + FETCH_TIME;
                        let locator = content::locator(&url, &hash)?;
                        let fetcher = Fetcher::new(store.clone(), Http::new()?, time);
                        let file = fetcher.get_file(&hash, &locator, size).await?.0;
                        store.pin(&hash, Why::Put)?;
                        file
                    }
                    _ => match store.verified(&hash)? {
                        Some((file, _)) => file,
                        None => {
                            return Err(Error::Failed(format!("{} is not here", to_hex(&hash))))
                        }
                    },
                };
                match out {
                    Some(path) => write_file(file, &path)?,
                    None => {
                        let mut file = file;
                        let mut to = std::io::stdout().lock();
                        std::io::copy(&mut file, &mut to).context("writing")?;
                        to.flush().context("writing")?;
                    }
                }
            }
            Self::List => {
                let (all, now) = (store.list()?, SystemTime::now());
                let value: Vec<_> = all.iter().map(|listed| described(listed, now)).collect();
                output.show(&value, || shown(&all, now));
            }
            Self::Remove { hash, force } => {
                let size = remove(&store, &hash, force)?;
                let value = json!({"hash": to_hex(&hash), "size": size});
                output.show(&value, || format!("removed {size} bytes"));
            }
            Self::Serve { listen } => {
                let listener = super::listen::on(listen, Vec::new)?;
                let listener = tokio::net::TcpListener::from_std(listener).context("listening")?;
                let bound = listener.local_addr().context("listening")?;
                output.show(&json!({"listening": bound}), || {
                    format!("serving on http://{bound}")
                });
                tokio::select! {
                    () = content::serve(listener, store) => {},
                    _ = tokio::signal::ctrl_c() => {},
                }
            }
        }
        Ok(())
    }
}

/// Seconds since content was stored.
fn age(listed: &Listed, now: SystemTime) -> u64 {
    let age = now.duration_since(listed.stored);
    age.unwrap_or_default().as_secs()
}

/// Content as JSON.
fn described(listed: &Listed, now: SystemTime) -> serde_json::Value {
    let why = listed.pins.iter().map(|pin| match pin.why {
        Why::Put => json!({"why": "put"}),
        Why::Published => json!({"why": "published"}),
        Why::Unknown => json!({"why": "unknown"}),
        Why::Task(part, chain, task) => json!({
            "why": part.name(), "task": task, "chain": to_hex(&chain), "over": pin.over.is_some(),
        }),
    });
    json!({
        "hash": to_hex(&listed.hash), "size": listed.size, "age": age(listed, now),
        "why": why.collect::<Vec<_>>(), "needed": listed.needed(),
    })
}

/// Content as a table.
fn shown(all: &[Listed], now: SystemTime) -> String {
    let row = |listed: &Listed| {
        let why = listed.pins.iter().map(|pin| match (pin.why, pin.over) {
            (Why::Task(part, _, task), Some(_)) => format!("{} of {task} (over)", part.name()),
            (Why::Task(part, _, task), None) => format!("{} of {task}", part.name()),
            (why, _) => why.to_string(),
        });
        let why = match listed.pins.is_empty() {
            true => "unknown".to_owned(),
            false => why.collect::<Vec<_>>().join(", "),
        };
        let needed = if listed.needed() { "yes" } else { "no" };
        vec![
            to_hex(&listed.hash),
            listed.size.to_string(),
            format!("{} h", age(listed, now) / 3_600),
            needed.to_owned(),
            why,
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let bytes: u64 = all.iter().map(|listed| listed.size).sum();
    let headings = ["hash", "bytes", "age", "needed", "why"];
    let table = table(&headings, &rows);
    format!("{table}\n{} files, {bytes} bytes", all.len())
}

/// Removes content. Returns its size.
fn remove(store: &Store, hash: &ContentHash, force: bool) -> Result<u64> {
    let name = to_hex(hash);
    let all = store.list()?;
    let Some(listed) = all.iter().find(|listed| listed.hash == *hash) else {
        return Err(Error::Failed(format!("{name} is not here")));
    };
    if listed.needed() && !force {
        let reasons = listed.pins.iter().filter(|pin| pin.needed());
        let reasons: Vec<_> = reasons
            .map(|pin| match pin.why {
                Why::Task(part, _, task) => {
                    format!("{} of task {task}, which is not over", part.name())
                }
                Why::Published => "a task or a deal was published with it".into(),
                Why::Put | Why::Unknown => "nothing on record says why it is here".into(),
            })
            .collect();
        let why = match reasons.is_empty() {
            true => "nothing on record says why it is here".into(),
            false => reasons.join("; "),
        };
        return Err(Error::Failed(format!(
            "{name} stays: {why}. Remove it all the same with --force"
        )));
    }
    store.remove(hash)
}

/// Writes content to a file, which appears when all of it is there.
fn write_file(mut from: std::fs::File, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let doing = format!("writing {}", path.display());
    let usage = |error: std::io::Error| Error::Usage(format!("{doing}: {error}"));
    // A pipe or a device cannot be replaced: it is written to as it is.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let to = std::fs::OpenOptions::new().write(true).open(path);
        std::io::copy(&mut from, &mut to.map_err(usage)?).context(&doing)?;
        return Ok(());
    }
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
    // As any new file: readable as far as the umask allows.
    let mut to = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(usage)?;
    std::io::copy(&mut from, &mut to).context(&doing)?;
    to.persist(path).map_err(|e| e.error).context(&doing)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_sdk::{
        content::Part,
        testing::{assert_contains, content_store},
    };
    use tos_types::{content::content_hash, TaskId};

    #[test]
    fn what_a_task_a_deal_or_nobody_knows_needs_is_removed_only_by_force() {
        let (_folder, store) = content_store();
        let task = Why::Task(Part::OwnAnswer, [7; 8], TaskId([1; 16]));
        let put = |bytes: &[u8], why: Option<Why>| {
            let hash = content_hash(bytes);
            if let Some(why) = why {
                store.pin(&hash, why).unwrap();
            }
            store.put(bytes).unwrap()
        };
        let own = put(b"put by hand", Some(Why::Put));
        let answer = put(b"an answer", Some(task));
        let deal = put(b"published", Some(Why::Published));
        let old = put(b"of an older version", None);
        let all = store.list().unwrap();
        let text = shown(&all, SystemTime::now());
        let parts = [
            "own-answer of 01010101",
            "published",
            "unknown",
            "4 files, 48 bytes",
        ];
        assert_contains(&text, &parts);
        let values: Vec<_> = all
            .iter()
            .map(|l| described(l, SystemTime::now()))
            .collect();
        let value = values
            .iter()
            .find(|v| v["hash"] == to_hex(&answer))
            .unwrap();
        assert_eq!(
            (&value["size"], &value["needed"]),
            (&9.into(), &true.into())
        );
        assert_eq!(value["why"][0]["why"], "own-answer");
        for (hash, why) in [
            (answer, "not over"),
            (deal, "deal"),
            (old, "nothing on record"),
        ] {
            let error = remove(&store, &hash, false).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("--force"), "{error}");
            assert!(store.get(&hash).unwrap().is_some());
        }
        assert_eq!(remove(&store, &own, false).unwrap(), 11);
        // A task that is over needs nothing.
        let pin = store.pins().unwrap();
        let pin = pin.iter().find(|pin| pin.hash == answer).unwrap();
        store.pin_is_over(pin, SystemTime::now()).unwrap();
        assert_eq!(remove(&store, &answer, false).unwrap(), 9);
        assert_eq!(remove(&store, &old, true).unwrap(), 19);
        assert!(remove(&store, &old, true).is_err());
    }
}
