// SPDX-License-Identifier: Apache-2.0

//! `tos content`.

use super::Global;
use crate::{
    content::{self, Fetcher, Store},
    error::{Context, Error, Result},
    http::Http,
    output::{parse_hex, Output},
};
use serde_json::json;
use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tos_primitives::{json::to_hex, ContentHash};

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
        /// Its size in bytes, as whoever refers to it says.
        #[arg(long, value_name = "BYTES")]
        size: Option<u64>,
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
                let (hash, size) = store.put_large(&file)?;
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
                        let fetcher = Fetcher::new(store, Http::new()?, time);
                        fetcher.get_file(&hash, &locator, size).await?.0
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
            Self::Serve { listen } => {
                let listener = tokio::net::TcpListener::bind(listen).await;
                let listener =
                    listener.map_err(|e| Error::Usage(format!("listening on {listen}: {e}")))?;
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
