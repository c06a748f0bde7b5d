// SPDX-License-Identifier: Apache-2.0

//! Fetches content by reference and verifies it while it arrives.

use super::{store::too_large, Clock, Pace, Store, PREFIX};
use crate::{
    error::{Context, Error, Result},
    http::{reason, Http},
    span,
};
use http_body_util::{BodyExt, Empty};
use hyper::{header, HeaderMap, Request, StatusCode, Uri};
use std::{fs::File, io::Write, path::PathBuf, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::Instant};
use tos_types::{
    content::{content_hash, MAX_CONTENT, MAX_LOCATOR},
    json, ContentHash, ContentRef,
};

/// The time of an attempt that is not repeated.
const ONCE_TIME: Duration = Duration::from_secs(15);
/// Pause before the second attempt; it doubles.
const PAUSE: Duration = Duration::from_millis(500);

/// Address of content that a server at `base` (`http://host:port`) gives.
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
    let named = name.and_then(|name| crate::hex::parse_hex::<32>(name).ok());
    match (named, hash) {
        (None, _) => Err(bad("expected a path that ends with /blake3/HASH")),
        (Some(named), Some(hash)) if named != *hash => Err(bad("names another hash")),
        _ if uri.query().is_some() => Err(bad("unexpected query")),
        _ => Ok(uri),
    }
}

/// Transfers at the same time: as many as a task has answers, so that no author waits for another.
const TRANSFERS: usize = tos_types::MAX_PARTICIPANTS as usize;

/// Content that is here, verified.
#[derive(Debug, PartialEq, Eq)]
pub enum Held {
    /// In memory.
    Bytes(Vec<u8>),
    /// In the store, in this file.
    File(PathBuf),
}

/// Reason that content is not here.
#[derive(Debug, thiserror::Error)]
pub enum Lacking {
    /// The reference is wrong, or its server does not give what it refers to.
    #[error("{0}")]
    Server(Error),
    /// This machine cannot keep it. The reference is as good as any.
    #[error("{0}")]
    Here(Error),
}

impl From<Lacking> for Error {
    fn from(lacking: Lacking) -> Self {
        match lacking {
            Lacking::Server(error) | Lacking::Here(error) => error,
        }
    }
}

/// Fetches content into a store. Clones share a bound on what is fetched at the same time.
#[derive(Clone)]
pub struct Fetcher {
    store: Store,
    http: Http,
    patience: Duration,
    transfers: Arc<Semaphore>,
}

impl Fetcher {
    /// A fetcher that keeps what it gets in `store` and tries for as long as `patience` lasts.
    pub fn new(store: Store, http: Http, patience: Duration) -> Self {
        Self {
            store,
            http,
            patience,
            transfers: Arc::new(Semaphore::new(TRANSFERS)),
        }
    }

    /// The same, with no more patience than `most`.
    pub fn within(mut self, most: Duration) -> Self {
        self.patience = self.patience.min(most);
        self
    }

    /// Time for which it tries.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Content by its reference, from the reference itself, the store or its locator: in memory if
    /// it has at most `most` bytes, otherwise as a file. More than `most` are never in memory.
    pub async fn hold(&self, content: &ContentRef, most: u32) -> Result<Held, Lacking> {
        if !content.inline.is_empty() {
            return match content_hash(&content.inline) == content.hash {
                true => Ok(Held::Bytes(content.inline.to_vec())),
                false => Err(Lacking::Server(Error::Failed(
                    "inline content does not have its hash".into(),
                ))),
            };
        }
        let (hash, size) = (content.hash, u64::from(content.size));
        if content.size > MAX_CONTENT {
            return Err(Lacking::Server(too_large(&hash, size)));
        }
        let small = content.size <= most;
        if let Some(held) = self.stored(hash, size, small).await? {
            return Ok(held);
        }
        let locator = String::from_utf8(content.locator.to_vec()).context("locator");
        let locator = locator.map_err(Lacking::Server)?;
        if small {
            let bytes = self.fetch(&locator, &hash, size, || Ok(Vec::new())).await?;
            // A full disk here is not the author's fault: what was got counts, kept or not.
            if let Err(error) = self.store.put(&bytes) {
                tracing::warn!(%error, "fetched content is not kept");
            }
            return Ok(Held::Bytes(bytes));
        }
        let make = || self.store.incoming();
        let incoming = self.fetch(&locator, &hash, size, make).await?;
        let store = self.store.clone();
        blocking(move || store.adopt(incoming, &hash)).await?;
        Ok(Held::File(self.store.path(&hash)))
    }

    /// Content in the store under this hash, if it has the size that the reference states.
    async fn stored(
        &self,
        hash: ContentHash,
        size: u64,
        small: bool,
    ) -> Result<Option<Held>, Lacking> {
        let length = match self.store.file(&hash).map_err(Lacking::Here)? {
            None => return Ok(None),
            Some((_, length)) => length,
        };
        let store = self.store.clone();
        // The length alone says nothing: of a damaged file it is wrong too.
        let held = blocking(move || {
            Ok(match small && length == size {
                true => store.get(&hash)?.map(Held::Bytes),
                false => {
                    let found = store.verified(&hash)?;
                    found.map(|_| Held::File(store.path(&hash)))
                }
            })
        });
        match held.await? {
            Some(_) if length != size => Err(Lacking::Server(Error::Failed(format!(
                "content {} has {length} bytes instead of the {size} stated",
                json::to_hex(&hash)
            )))),
            held => Ok(held),
        }
    }

    /// The file with the content of this hash, and its length: from the store or, if it has `size`
    /// bytes, from `locator`. It is never in memory as a whole.
    pub async fn get_file(
        &self,
        hash: &ContentHash,
        locator: &str,
        size: u64,
    ) -> Result<(File, u64)> {
        if let Some(found) = self.store.verified(hash)? {
            return Ok(found);
        }
        let make = || self.store.incoming();
        let incoming = self.fetch(locator, hash, size, make).await?;
        self.store.adopt(incoming, hash)?;
        self.store.verified(hash)?.ok_or_else(vanished)
    }

    /// Fetches content into what `make` makes, once for each attempt. What cannot be written there
    /// is an error at once: the server cannot help it.
    async fn fetch<W: Write>(
        &self,
        locator: &str,
        hash: &ContentHash,
        size: u64,
        make: impl Fn() -> Result<W>,
    ) -> Result<W, Lacking> {
        let uri = parse(locator, Some(hash)).map_err(Lacking::Server)?;
        // Never closed. The wait for a turn is not the server's.
        let _turn = self.transfers.acquire().await;
        let end = Instant::now() + self.patience;
        let mut pause = PAUSE;
        loop {
            let mut to = make().map_err(Lacking::Here)?;
            let transfer = transfer(&self.http, uri.clone(), hash, size, &mut to);
            let error = match tokio::time::timeout_at(end, transfer).await {
                Ok(Ok(Ok(()))) => return Ok(to),
                Ok(Ok(Err(error))) => error,
                Ok(Err(disk)) => return Err(Lacking::Here(disk)),
                Err(_) => {
                    let error = Error::TimedOut(format!("fetching {locator}"));
                    return Err(Lacking::Server(error));
                }
            };
            if Instant::now() + pause >= end {
                return Err(Lacking::Server(error));
            }
            tracing::info!(%error, "fetching content failed; trying again");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}

/// One attempt. The outer error is this machine's, the inner one the server's.
async fn transfer(
    http: &Http,
    uri: Uri,
    hash: &ContentHash,
    size: u64,
    to: &mut impl Write,
) -> Result<Result<()>> {
    let doing = format!("fetching {uri}");
    let mut clock = Clock::start(Pace::default());
    let request = Request::get(uri)
        .body(Empty::new().boxed())
        .context(&doing)?;
    let answer = clock.wait(&doing, http.send(request)).await;
    let answer = answer.and_then(|answer| answer.map_err(|e| reason(&e)).context(&doing));
    let mut response = match answer {
        Ok(response) if response.status() == StatusCode::OK => response,
        Ok(response) => {
            let why = refusal(response.status(), response.headers());
            return Ok(Err(Error::Failed(format!("{doing}: {why}"))));
        }
        Err(error) => return Ok(Err(error)),
    };
    let mut hasher = blake3::Hasher::new();
    let mut received = 0u64;
    loop {
        let frame = match clock.wait(&doing, response.frame()).await {
            Ok(None) => break,
            Ok(Some(frame)) => frame.context(&doing),
            Err(error) => Err(error),
        };
        let data = match frame.map(|frame| frame.into_data()) {
            Ok(Ok(data)) => data,
            Ok(Err(_)) => continue,
            Err(error) => return Ok(Err(error)),
        };
        clock.received(data.len() as u64);
        received += data.len() as u64;
        if received > size {
            let why = format!("{doing}: more than the {size} bytes stated");
            return Ok(Err(Error::Failed(why)));
        }
        hasher.update(&data);
        to.write_all(&data).context("storing content")?;
    }
    match received == size && hasher.finalize().as_bytes() == hash {
        true => Ok(Ok(())),
        false => {
            let why = format!("{doing}: not the content that was referred to");
            Ok(Err(Error::Failed(why)))
        }
    }
}

/// Fetches a small thing from a server once, past any store.
pub(super) async fn fetch_once(
    http: Http,
    locator: &str,
    hash: &ContentHash,
    size: u64,
) -> Result<()> {
    let uri = parse(locator, Some(hash))?;
    let mut nowhere = std::io::sink();
    let transfer = transfer(&http, uri, hash, size, &mut nowhere);
    let timed_out = |_| Error::TimedOut(format!("fetching {locator}"));
    let done = tokio::time::timeout(ONCE_TIME, transfer).await;
    done.map_err(timed_out)??
}

/// The meaning of an answer that is not the content. Redirects are not followed: a locator names a
/// host, and its author answers for that one.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap) -> String {
    let to = headers.get(header::LOCATION).map(|to| {
        let to: String = String::from_utf8_lossy(to.as_bytes())
            .chars()
            .take(300)
            .collect();
        format!(" to {}", to.escape_debug())
    });
    match status.is_redirection() {
        true => format!(
            "answers {status}{}; redirects are not followed",
            to.unwrap_or_default()
        ),
        false => format!("status {status}"),
    }
}

/// Does on a thread of its own what may take long on a disk. It fails by this machine's fault.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T, Lacking> {
    let done = tokio::task::spawn_blocking(span::carried(work)).await;
    done.context("content")
        .and_then(|done| done)
        .map_err(Lacking::Here)
}

fn vanished() -> Error {
    Error::Failed("fetched content vanished from the store".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::http as mock;

    async fn fetcher(patience: u64) -> (tempfile::TempDir, Fetcher) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned()).unwrap();
        (
            folder,
            Fetcher::new(store, Http::new().unwrap(), Duration::from_millis(patience)),
        )
    }

    /// The bytes of some content, held in memory.
    async fn get(fetcher: &Fetcher, content: &ContentRef) -> Result<Vec<u8>> {
        match fetcher.hold(content, MAX_CONTENT).await? {
            Held::Bytes(bytes) => Ok(bytes),
            Held::File(path) => panic!("small content as a file: {}", path.display()),
        }
    }

    fn reference(base: &str, bytes: &[u8]) -> ContentRef {
        let locator = locator(base, &content_hash(bytes)).unwrap();
        ContentRef::located(bytes, locator.as_bytes()).unwrap()
    }

    /// Reference to an answer of 16 bytes that a server has.
    async fn served() -> ContentRef {
        let base = mock::serve(|_| (200, "an honest answer".into())).await;
        reference(&base, b"an honest answer")
    }

    /// Puts a file where a folder was: nothing can be written there.
    fn block(folder: &std::path::Path) {
        std::fs::remove_dir(folder).unwrap();
        std::fs::write(folder, b"").unwrap();
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
        assert_eq!(get(&fetcher, &content).await.unwrap(), bytes);
        // It is kept: the server is not needed a second time.
        server.abort();
        assert_eq!(get(&fetcher, &content).await.unwrap(), bytes);
        fetcher.patience = Duration::from_millis(300);
        let missing = reference(&base, b"never stored");
        assert!(get(&fetcher, &missing).await.is_err());
    }

    #[tokio::test]
    async fn content_of_more_than_64_mib_moves_as_a_file_and_never_into_memory() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = Store::open(folder.path().join("content")).unwrap();
        let (path, length) = (folder.path().join("large"), u64::from(MAX_CONTENT) + 1);
        std::fs::File::create(&path)
            .unwrap()
            .set_len(length)
            .unwrap();
        let (hash, _) = theirs.put_large(&path, crate::content::Why::Put).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(super::super::serve(listener, theirs.clone()));
        let (_folder, fetcher) = fetcher(60_000).await;
        let locator = locator(&base, &hash).unwrap();
        let fetched = fetcher.get_file(&hash, &locator, length).await.unwrap();
        assert_eq!(fetched.1, length);
        // A reference that a stranger made neither reads nor touches it, whatever size it states.
        for size in [16, MAX_CONTENT, MAX_CONTENT + 1] {
            let content = ContentRef {
                hash,
                size,
                inline: Default::default(),
                locator: locator.clone().into_bytes().try_into().unwrap(),
            };
            let error = get(&fetcher, &content).await.unwrap_err().to_string();
            assert!(error.contains("67108865 bytes"), "{error}");
        }
        let kept = fetcher.store.verified(&hash).unwrap().unwrap();
        assert_eq!(kept.1, length);
        assert!(theirs.verified(&hash).unwrap().is_some());
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
            assert!(get(&fetcher, &content).await.is_err());
            assert_eq!(fetcher.store.get(&content.hash).unwrap(), None);
        }
    }

    #[tokio::test]
    async fn a_full_disk_makes_nobodys_answer_unavailable() {
        let (folder, fetcher) = fetcher(20_000).await;
        let content = served().await;
        block(folder.path());
        let locator = String::from_utf8(content.locator.to_vec()).unwrap();
        let stored = fetcher.get_file(&content.hash, &locator, 16).await;
        assert!(stored.is_err());
        std::fs::remove_file(folder.path()).unwrap();
        assert_eq!(get(&fetcher, &content).await.unwrap(), b"an honest answer");
        std::fs::create_dir(folder.path()).unwrap();
        assert_eq!(get(&fetcher, &content).await.unwrap(), b"an honest answer");
        assert!(fetcher.store.get(&content.hash).unwrap().is_some());
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
        assert_eq!(get(&fetcher, &content).await.unwrap(), b"an honest answer");
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
    async fn more_than_may_be_in_memory_comes_as_a_file_and_less_as_bytes() {
        let (_folder, fetcher) = fetcher(20_000).await;
        let bytes = b"an honest answer";
        let content = served().await;
        let path = fetcher.store.path(&content.hash);
        let held = fetcher.hold(&content, 15).await.unwrap();
        assert_eq!(held, Held::File(path.clone()));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        // From the store as well.
        assert_eq!(fetcher.hold(&content, 15).await.unwrap(), held);
        let small = fetcher.hold(&content, 16).await.unwrap();
        assert_eq!(small, Held::Bytes(bytes.to_vec()));
        // Damaged, it is fetched anew.
        std::fs::write(&path, b"an honest answe?").unwrap();
        assert_eq!(fetcher.hold(&content, 15).await.unwrap(), held);
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }

    #[tokio::test]
    async fn content_of_another_size_than_stated_is_refused_wherever_it_lies() {
        let (_folder, fetcher) = fetcher(300).await;
        let bytes = b"an honest answer";
        let mut content = served().await;
        content.size = 17;
        for stored in [false, true] {
            if stored {
                fetcher.store.put(bytes).unwrap();
            }
            for most in [0, 100] {
                let error = fetcher.hold(&content, most).await.unwrap_err();
                assert!(matches!(error, Lacking::Server(_)), "{error}");
            }
        }
    }

    #[tokio::test]
    async fn a_disk_that_takes_no_file_is_this_machine_s_fault() {
        let (folder, fetcher) = fetcher(20_000).await;
        let content = served().await;
        block(folder.path());
        let error = fetcher.hold(&content, 15).await.unwrap_err();
        assert!(matches!(error, Lacking::Here(_)), "{error}");
        std::fs::remove_file(folder.path()).unwrap();
    }

    #[tokio::test]
    async fn inline_content_is_verified() {
        let (_folder, fetcher) = fetcher(300).await;
        let mut content = ContentRef::inline(b"an honest answer").unwrap();
        assert!(get(&fetcher, &content).await.is_ok());
        content.hash[0] ^= 1;
        assert!(get(&fetcher, &content).await.is_err());
    }
}
