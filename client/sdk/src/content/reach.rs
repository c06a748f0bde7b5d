// SPDX-License-Identifier: Apache-2.0

//! Finding out whether others can fetch what is served here: by doing what they do. An answer that
//! cannot be fetched counts as unavailable and costs half of its stake, and that an address has the
//! right form says nothing about the port, the router or the proxy behind it.

use super::{fetch::fetch_once, locator, Answer, Part, Source, Store, Why, BINARY, PREFIX};
use crate::{
    error::{Error, Result},
    http::Http,
    span,
};
use bytes::Bytes;
use std::{
    future::Future,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Mutex, PoisonError,
    },
    time::Duration,
};
use tokio::time::Instant;
use tos_types::content::content_hash;

/// Time for which a probe that went well counts.
const GOOD_FOR: Duration = Duration::from_secs(30);
/// Pause after the first failed probe; it doubles up to [`MAX_PAUSE`].
const PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// The address under which others reach the content of a store. Clones share what was found out.
#[derive(Clone)]
pub struct Reach {
    store: Store,
    http: Http,
    url: String,
    trusted: bool,
    good: Arc<Mutex<Option<Instant>>>,
    asking: Arc<AtomicBool>,
}

impl Reach {
    /// The address `url` of a server that gives what is in `store`.
    pub fn new(store: Store, http: Http, url: String) -> Self {
        Self {
            store,
            http,
            url,
            trusted: false,
            good: Arc::default(),
            asking: Arc::default(),
        }
    }

    /// Takes the owner's word for it, without asking: behind some routers an address can be reached
    /// from everywhere but from here.
    pub fn trusted(self) -> Self {
        Self {
            trusted: true,
            ..self
        }
    }

    /// The address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Fetches content that was made up for this, through the address.
    ///
    /// # Errors
    /// It does not come; the error says what was tried, what came of it and what to do.
    pub async fn probe(&self) -> Result<()> {
        if self.trusted {
            return Ok(());
        }
        let done = self.ask().await;
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        *good = done.is_ok().then(Instant::now);
        done
    }

    async fn ask(&self) -> Result<()> {
        let bytes = chance();
        let hash = content_hash(&bytes);
        self.store.pin(&hash, PROBE)?;
        let asked = async {
            self.store.put(&bytes)?;
            let locator = locator(&self.url, &hash)?;
            let size = bytes.len() as u64;
            fetch_once(self.http.clone(), &locator, &hash, size).await
        };
        let asked = asked.await;
        if let Err(error) = self.store.unpin(&hash, PROBE) {
            tracing::debug!(%error, "the content of a probe stays");
        }
        asked.map_err(|error| {
            Error::Failed(format!(
                "content served here cannot be fetched from {}: {error}. Answers of more than 2,048 \
                 bytes would count as unavailable and lose stake: check --public-url, that the port \
                 of --serve is open and forwarded to this machine, and that what is in front of it \
                 sends no redirect. If others reach the address and only this machine does not, say \
                 --trust-public-url",
                self.url
            ))
        })
    }

    /// `true` if a probe went well just now.
    fn is_good(&self) -> bool {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        self.trusted || good.is_some_and(|since| since.elapsed() < GOOD_FOR)
    }

    /// `true` if the address was reached just now. If not, it is tried, for the next time that this
    /// is asked.
    pub fn is_reached(&self) -> bool {
        let good = self.is_good();
        if !good && !self.asking.swap(true, Ordering::AcqRel) {
            let this = self.clone();
            span::spawn(async move {
                if let Err(error) = this.probe().await {
                    tracing::error!(%error, "an answer is not committed to until it can be fetched");
                    tokio::time::sleep(PAUSE).await;
                }
                this.asking.store(false, Ordering::Release);
            });
        }
        good
    }

    /// Waits until the address has been reached, and tells the log again and again while it is not.
    pub async fn reached(&self) {
        let mut pause = PAUSE;
        while !self.is_good() {
            let Err(error) = self.probe().await else {
                return;
            };
            tracing::error!(%error, "the answer is not committed to until it can be fetched");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

/// Warns if what is about to be published cannot be fetched from where it is said to be.
pub async fn warn_unless_reached(store: &Store, url: &str) -> Result<()> {
    let reach = Reach::new(store.clone(), Http::new()?, url.to_owned());
    if let Err(error) = reach.ask().await {
        let why = error.to_string();
        tracing::warn!(why, "others may be unable to fetch what is published");
    }
    Ok(())
}

/// A source that also gives a probe of its own, so that a server of anything can be tried.
#[derive(Clone)]
pub struct Probing<S> {
    source: S,
    bytes: Bytes,
}

impl<S> Probing<S> {
    /// Adds a probe that no other server can have.
    pub fn new(source: S) -> Self {
        let bytes = chance().into();
        Self { source, bytes }
    }

    /// Fetches the probe through `url`.
    ///
    /// # Errors
    /// It does not come; the error says what came of it.
    pub fn probe(&self, http: Http, url: &str) -> impl Future<Output = Result<()>> + Send {
        let (hash, size) = (content_hash(&self.bytes), self.bytes.len() as u64);
        let (locator, url) = (locator(url, &hash), url.to_owned());
        async move {
            let asked = fetch_once(http, &locator?, &hash, size).await;
            asked.map_err(|error| {
                Error::Failed(format!(
                    "what is served here cannot be fetched from {url}: {error}. Check that the port \
                     of --serve is open and forwarded to this machine, and that what is in front of \
                     it sends no redirect; another address is said with `tos storage set`"
                ))
            })
        }
    }
}

impl<S: Source> Source for Probing<S> {
    fn answer(&self, path: &str) -> Result<Answer> {
        let name = path.strip_prefix(PREFIX);
        let hash = name.and_then(|name| crate::hex::parse_hex::<32>(name).ok());
        match hash == Some(content_hash(&self.bytes)) {
            true => Ok(Answer::Whole(self.bytes.clone(), BINARY)),
            false => self.source.answer(path),
        }
    }

    fn connection_time(&self) -> Duration {
        self.source.connection_time()
    }
}

/// Something that no other server can have.
fn chance() -> Vec<u8> {
    use chacha20poly1305::aead::{rand_core::RngCore, OsRng};
    let mut chance = [0; 16];
    OsRng.fill_bytes(&mut chance);
    let chance = tos_types::json::to_hex(&chance);
    format!("a probe of this address: {chance}").into_bytes()
}

/// Pin of a probe's content.
const PROBE: Why = Why::Task(Part::OwnAnswer, [0; 8], tos_types::TaskId([0; 16]));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::http as mock;

    fn reach(url: &str) -> (tempfile::TempDir, Store, Reach) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("content")).unwrap();
        let reach = Reach::new(store.clone(), Http::new().unwrap(), url.into());
        (folder, store, reach)
    }

    #[tokio::test]
    async fn an_address_counts_when_a_probe_comes_back_through_it() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (_folder, store, reach) = reach(&url);
        tokio::spawn(super::super::serve(listener, store.clone()));
        reach.probe().await.unwrap();
        assert!(reach.is_good());
        // Nothing is left of it.
        assert!(store.list().unwrap().is_empty() && store.pins().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_wrong_port_a_redirect_and_another_server_are_told_apart() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let (_folder, store, wrong) = reach(&closed);
        let error = wrong.probe().await.unwrap_err().to_string();
        assert!(
            error.contains(&closed) && error.contains("--public-url") && error.contains("refused"),
            "{error}"
        );
        assert!(!wrong.is_good());
        assert!(store.list().unwrap().is_empty());
        let redirect = mock::serve(|_| (301, String::new())).await;
        let (_folder, _, redirected) = reach(&redirect);
        let error = redirected.probe().await.unwrap_err().to_string();
        assert!(
            error.contains("answers 301") && error.contains("not followed"),
            "{error}"
        );
        let other = mock::serve(|_| (404, String::new())).await;
        let (_folder, _, elsewhere) = reach(&other);
        let error = elsewhere.probe().await.unwrap_err().to_string();
        assert!(error.contains("404"), "{error}");
        // The owner's word counts all the same, if it is given.
        elsewhere.clone().trusted().probe().await.unwrap();
        assert!(elsewhere.trusted().is_good());
    }

    #[tokio::test]
    async fn what_waits_for_an_address_goes_on_when_it_is_reached() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let (_folder, store, reach) = reach(&format!("http://{address}"));
        let waiting = tokio::spawn({
            let reach = reach.clone();
            async move { reach.reached().await }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!waiting.is_finished());
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        tokio::spawn(super::super::serve(listener, store));
        tokio::time::timeout(Duration::from_secs(20), waiting)
            .await
            .unwrap()
            .unwrap();
    }

    #[tokio::test]
    async fn a_server_of_anything_can_be_tried_by_a_probe_of_its_own() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("content")).unwrap();
        let hash = store.put(b"an honest answer").unwrap();
        let (mine, other) = (Probing::new(store.clone()), Probing::new(store));
        tokio::spawn(super::super::serve(listener, mine.clone()));
        let http = Http::new().unwrap();
        mine.probe(http.clone(), &url).await.unwrap();
        // Another one's probe is not there, and what the source has still is.
        let error = other.probe(http.clone(), &url).await.unwrap_err();
        assert!(error.to_string().contains(&url), "{error}");
        let place = locator(&url, &hash).unwrap();
        fetch_once(http, &place, &hash, 16).await.unwrap();
    }
}
