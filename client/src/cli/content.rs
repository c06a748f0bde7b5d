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
use std::{io::Write, net::SocketAddr, path::PathBuf, time::Duration};
use tos_primitives::{json::to_hex, ContentHash, ContentRef};

/// How long `get` tries: 64 MiB at 256 KiB/s, and some patience.
const FETCH_TIME: Duration = Duration::from_secs(300);

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
        size: Option<u32>,
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
                let (hash, bytes) = store.put_file(&file)?;
                let value = json!({"hash": to_hex(&hash), "size": bytes.len()});
                output.show(&value, || to_hex(&hash));
            }
            Self::Get {
                hash,
                out,
                from,
                size,
            } => {
                let bytes = match (store.get(&hash)?, from, size) {
                    (Some(bytes), ..) => bytes,
                    (None, Some(url), Some(size)) => {
                        let locator = content::locator(&url, &hash)?.into_bytes();
                        let locator = locator.try_into().ok().unwrap_or_default();
                        let inline = Default::default();
                        let content = ContentRef {
                            hash,
                            size,
                            inline,
                            locator,
                        };
                        Fetcher::new(store, Http::new()?, FETCH_TIME)
                            .get(&content)
                            .await?
                    }
                    _ => return Err(Error::Failed(format!("{} is not here", to_hex(&hash)))),
                };
                match out {
                    Some(path) => {
                        let doing = format!("writing {}", path.display());
                        std::fs::write(&path, &bytes).context(doing)?;
                    }
                    None => std::io::stdout()
                        .lock()
                        .write_all(&bytes)
                        .context("writing")?,
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
