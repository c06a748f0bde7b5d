// SPDX-License-Identifier: Apache-2.0

//! Fetches content by reference and verifies it while it arrives.

use super::{Store, PREFIX};
use crate::{
    error::{Context, Error, Result},
    http::Http,
};
use http_body_util::{BodyExt, Empty};
use hyper::{Request, StatusCode, Uri};
use std::{io::Write, time::Duration};
use tokio::time::Instant;
use tos_primitives::{
    content::{content_hash, MAX_LOCATOR},
    json, ContentHash, ContentRef,
};

/// Pause before the second attempt; it doubles.
const PAUSE: Duration = Duration::from_millis(500);

/// Where content lies that a server at `base` (`http://host:port`) gives.
pub fn locator(base: &str, hash: &ContentHash) -> Result<String> {
    let hash = json::to_hex(hash);
    let locator = format!(
        "{}{PREFIX}{}",
        base.trim_end_matches('/'),
        hash.trim_start_matches("0x")
    );
    if locator.len() > MAX_LOCATOR as usize {
        return Err(Error::Usage(format!(
            "locator longer than {MAX_LOCATOR} bytes: {locator}"
        )));
    }
    parse(&locator, None).map(|_| locator)
}

/// A locator is chosen by a stranger: only plain web addresses of content by hash are followed.
pub fn parse(locator: &str, hash: Option<&ContentHash>) -> Result<Uri> {
    let bad = |why: &str| Error::Failed(format!("locator `{}`: {why}", locator.escape_debug()));
    let uri: Uri = locator.parse().map_err(|_| bad("not an address"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
        return Err(bad("expected http:// or https:// and a host"));
    }
    let name = uri.path().rsplit_once(PREFIX).map(|(_, name)| name);
    let named = name.and_then(|name| crate::output::parse_hex::<32>(name).ok());
    match (named, hash) {
        (None, _) => Err(bad("expected a path that ends with /blake3/HASH")),
        (Some(named), Some(hash)) if named != *hash => Err(bad("names another hash")),
        _ if uri.query().is_some() => Err(bad("unexpected query")),
        _ => Ok(uri),
    }
}

/// Fetches content into a store.
#[derive(Clone)]
pub struct Fetcher {
    store: Store,
    http: Http,
    patience: Duration,
}

impl Fetcher {
    /// A fetcher that keeps what it gets in `store` and tries for as long as `patience` lasts.
    pub fn new(store: Store, http: Http, patience: Duration) -> Self {
        Self {
            store,
            http,
            patience,
        }
    }

    /// The bytes of `content`: from the reference itself, the store or its locator.
    pub async fn get(&self, content: &ContentRef) -> Result<Vec<u8>> {
        if !content.inline.is_empty() {
            return if content_hash(&content.inline) == content.hash {
                Ok(content.inline.to_vec())
            } else {
                Err(Error::Failed(
                    "inline content does not have its hash".into(),
                ))
            };
        }
        if let Some(bytes) = self.store.get(&content.hash)? {
            return Ok(bytes);
        }
        let locator = String::from_utf8(content.locator.to_vec()).context("locator")?;
        let uri = parse(&locator, Some(&content.hash))?;
        let end = Instant::now() + self.patience;
        let mut pause = PAUSE;
        loop {
            let transfer = self.transfer(uri.clone(), &content.hash, content.size);
            let error = match tokio::time::timeout_at(end, transfer).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => error,
                Err(_) => return Err(Error::TimedOut(format!("fetching {locator}"))),
            };
            if Instant::now() + pause >= end {
                return Err(error);
            }
            tracing::info!(%error, "fetching content failed; trying again");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        let bytes = self.store.get(&content.hash)?;
        bytes.ok_or_else(|| Error::Failed("fetched content vanished from the store".into()))
    }

    async fn transfer(&self, uri: Uri, hash: &ContentHash, size: u32) -> Result<()> {
        let doing = format!("fetching {uri}");
        let request = Request::get(uri)
            .body(Empty::new().boxed())
            .context(&doing)?;
        let mut response = self.http.send(request).await.context(&doing)?;
        if response.status() != StatusCode::OK {
            return Err(Error::Failed(format!(
                "{doing}: status {}",
                response.status()
            )));
        }
        let mut incoming = self.store.incoming()?;
        let mut hasher = blake3::Hasher::new();
        let mut received = 0u64;
        while let Some(frame) = response.frame().await {
            let Ok(data) = frame.context(&doing)?.into_data() else {
                continue;
            };
            received += data.len() as u64;
            if received > u64::from(size) {
                return Err(Error::Failed(format!(
                    "{doing}: more than the {size} bytes stated"
                )));
            }
            hasher.update(&data);
            incoming.write_all(&data).context(&doing)?;
        }
        if received != u64::from(size) || hasher.finalize().as_bytes() != hash {
            return Err(Error::Failed(format!(
                "{doing}: not the content that was referred to"
            )));
        }
        self.store.adopt(incoming, hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::mock;

    async fn fetcher(patience: u64) -> (tempfile::TempDir, Fetcher) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned()).unwrap();
        (
            folder,
            Fetcher::new(store, Http::new().unwrap(), Duration::from_millis(patience)),
        )
    }

    fn reference(base: &str, bytes: &[u8]) -> ContentRef {
        let locator = locator(base, &content_hash(bytes)).unwrap();
        ContentRef::located(bytes, locator.as_bytes()).unwrap()
    }

    #[tokio::test]
    async fn content_moves_from_store_to_store() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = Store::open(folder.path().to_owned()).unwrap();
        let bytes = vec![7; 300_000];
        theirs.put(&bytes).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(super::super::serve(listener, theirs));
        let (_folder, mut fetcher) = fetcher(20_000).await;
        let content = reference(&base, &bytes);
        assert_eq!(fetcher.get(&content).await.unwrap(), bytes);
        // It is kept: the server is not needed a second time.
        server.abort();
        assert_eq!(fetcher.get(&content).await.unwrap(), bytes);
        fetcher.patience = Duration::from_millis(300);
        let missing = reference(&base, b"never stored");
        assert!(fetcher.get(&missing).await.is_err());
    }

    #[tokio::test]
    async fn forged_content_is_neither_returned_nor_kept() {
        let (_folder, fetcher) = fetcher(300).await;
        let honest = b"an honest answer";
        let long = [honest.as_slice(), b"and more"].concat();
        for forged in [b"a forged answer!".to_vec(), b"short".to_vec(), long] {
            let base =
                mock::serve(move |_| (200, String::from_utf8(forged.clone()).unwrap())).await;
            let content = reference(&base, honest);
            assert!(fetcher.get(&content).await.is_err());
            assert_eq!(fetcher.store.get(&content.hash).unwrap(), None);
        }
    }

    #[tokio::test]
    async fn an_unreachable_server_is_tried_again() {
        let (_folder, fetcher) = fetcher(20_000).await;
        let tries = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let seen = tries.clone();
        let base =
            mock::serve(
                move |_| match seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                    0 => (503, String::new()),
                    _ => (200, "an honest answer".into()),
                },
            )
            .await;
        let content = reference(&base, b"an honest answer");
        assert_eq!(fetcher.get(&content).await.unwrap(), b"an honest answer");
        assert_eq!(tries.load(std::sync::atomic::Ordering::SeqCst), 2);
    }

    #[test]
    fn only_addresses_of_that_content_are_followed() {
        let hash = content_hash(b"x");
        let name = json::to_hex(&hash);
        let name = name.trim_start_matches("0x");
        for good in [
            format!("http://h:1/blake3/{name}"),
            format!("https://h/a/blake3/{name}"),
        ] {
            assert!(parse(&good, Some(&hash)).is_ok(), "{good}");
        }
        for bad in [
            format!("file:///blake3/{name}"),
            format!("ftp://h/blake3/{name}"),
            format!("http://h/blake3/{name}?x=1"),
            format!("http://h/other/{name}"),
            format!("http://h/blake3/{}", "0".repeat(64)),
            "http://h/admin?delete=all".into(),
            "/blake3/".into(),
        ] {
            assert!(parse(&bad, Some(&hash)).is_err(), "{bad}");
        }
        assert!(locator(&format!("http://{}", "h".repeat(250)), &hash).is_err());
    }

    #[tokio::test]
    async fn inline_content_is_verified() {
        let (_folder, fetcher) = fetcher(300).await;
        let mut content = ContentRef::inline(b"an honest answer").unwrap();
        assert!(fetcher.get(&content).await.is_ok());
        content.hash[0] ^= 1;
        assert!(fetcher.get(&content).await.is_err());
    }
}
