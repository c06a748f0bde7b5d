// SPDX-License-Identifier: Apache-2.0

//! Gives content to everyone who asks for it, over HTTP/1.1: what a [`Source`] has, under the paths
//! it knows. Long content is read while it is sent, so a reader needs no memory here, and a reader
//! that does not read loses its place ([`Bounds`]).

use super::{
    places::{Bounds, Paced, Places},
    Store, PREFIX,
};
use crate::{error::Result, span};
use bytes::Bytes;
use http_body_util::{combinators::UnsyncBoxBody, BodyExt, Full, StreamBody};
use hyper::{
    body::{Frame, Incoming},
    header,
    server::conn::http1,
    service::service_fn,
    Method, Request, Response, StatusCode,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    io::{self, Read, Write},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{sleep, timeout},
};

/// One connection may take this long in all, so that idle readers cannot occupy the server.
const CONNECTION_TIME: Duration = Duration::from_secs(300);
/// The same where content may be long: 16 GiB at 2 MiB/s.
const LONG_CONNECTION_TIME: Duration = Duration::from_secs(8_192);
/// Answer to a reader whose address has as many connections as it may.
const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\
    Content-Length: 0\r\nRetry-After: 1\r\n\r\n";
/// Pieces of a long answer that wait to be sent.
const PIECES_AHEAD: usize = 4;
/// Bytes of a piece.
const PIECE: usize = 64 * 1024;

/// Writes a long answer as fast as its reader takes it.
pub type Writing = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// An answer to a request.
pub enum Answer {
    /// There is nothing under this path.
    Nothing,
    /// Bytes, with their media type.
    Whole(Bytes, &'static str),
    /// So many bytes. If writing them fails, the connection breaks, so that the reader cannot take what it got for all.
    Long(u64, Writing),
}

/// Source of the answers of a server.
pub trait Source: Clone + Send + Sync + 'static {
    /// The answer to a request for `path`. May block.
    fn answer(&self, path: &str) -> Result<Answer>;
    /// Time that one connection may take in all.
    fn connection_time(&self) -> Duration {
        LONG_CONNECTION_TIME
    }
}

/// The media type of content.
pub const BINARY: &str = "application/octet-stream";

impl Source for Store {
    fn answer(&self, path: &str) -> Result<Answer> {
        let name = path.strip_prefix(PREFIX);
        let Some(hash) = name.and_then(|name| crate::hex::parse_hex::<32>(name).ok()) else {
            return Ok(Answer::Nothing);
        };
        let (mut file, size) = match self.file(&hash)? {
            None => return Ok(Answer::Nothing),
            Some((_, size)) if size <= VERIFIED_FIRST => match self.verified(&hash)? {
                None => return Ok(Answer::Nothing),
                Some(found) => found,
            },
            Some(found) => found,
        };
        let write = move |to: &mut dyn Write| {
            let mut hasher = blake3::Hasher::new();
            let mut piece = vec![0; PIECE];
            loop {
                let read = file.read(&mut piece)?;
                let read = piece.get(..read).unwrap_or_default();
                if read.is_empty() {
                    break;
                }
                hasher.update(read);
                to.write_all(read)?;
            }
            if *hasher.finalize().as_bytes() == hash {
                Ok(())
            } else {
                Err(io::Error::other("the content on disk is damaged"))
            }
        };
        Ok(Answer::Long(size, Box::new(write)))
    }

    fn connection_time(&self) -> Duration {
        CONNECTION_TIME
    }
}

/// Content up to this size is verified before any of it is sent; longer content while it is sent,
/// because reading it twice would take minutes.
const VERIFIED_FIRST: u64 = tos_types::content::MAX_CONTENT as u64;

/// Serves `source` until the future is dropped.
pub async fn serve(listener: TcpListener, source: impl Source) {
    serve_within(listener, source, Bounds::default()).await;
}

/// As [`serve`], within other bounds.
async fn serve_within(listener: TcpListener, source: impl Source, bounds: Bounds) {
    let places = Places::new(bounds);
    while let Some(free) = places.free().await {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Such as too many open files: it passes.
                tracing::warn!(%error, "content server");
                sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let Some(place) = places.take(free, peer.ip()) else {
            tracing::debug!(peer = %peer.ip(), "as many connections as one address may have");
            // As far as it can be said without waiting.
            let _ = stream.try_write(REFUSAL);
            continue;
        };
        let source = source.clone();
        span::spawn(async move {
            let time = source.connection_time();
            // What a peer does wrong is its own problem.
            let _ = timeout(time, connection(stream, source, bounds)).await;
            drop(place);
        });
    }
}

/// Answers requests of one connection: for a while new ones, then to its end the one that is being
/// answered.
async fn connection(stream: TcpStream, source: impl Source, bounds: Bounds) {
    let service = service_fn(move |request| {
        let source = source.clone();
        async move { Ok::<_, Infallible>(answer(&request, source).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(Paced::new(stream, bounds.pace)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = match timeout(bounds.requests, connection.as_mut()).await {
        Ok(ended) => ended,
        Err(_) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ends");
    }
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

async fn answer(request: &Request<Incoming>, source: impl Source) -> Response<Body> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return plain(StatusCode::METHOD_NOT_ALLOWED, Bytes::new(), BINARY);
    }
    let head = request.method() == Method::HEAD;
    let path = request.uri().path().to_owned();
    let work = span::carried(move || source.answer(&path));
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(Answer::Whole(bytes, kind))) => plain(StatusCode::OK, bytes, kind),
        // The body of an answer to HEAD is not sent; nothing is to be read for it.
        Ok(Ok(Answer::Long(size, _))) if head => {
            with_length(plain(StatusCode::OK, Bytes::new(), BINARY), size)
        }
        Ok(Ok(Answer::Long(size, write))) => long(size, write),
        Ok(Ok(Answer::Nothing)) => plain(StatusCode::NOT_FOUND, Bytes::new(), BINARY),
        Ok(Err(error)) => {
            tracing::error!(%error, "content server");
            plain(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new(), BINARY)
        }
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new(), BINARY),
    }
}

fn plain(status: StatusCode, body: Bytes, kind: &'static str) -> Response<Body> {
    let body = Full::new(body)
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn with_length(mut response: Response<Body>, size: u64) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, header::HeaderValue::from(size));
    response
}

/// An answer that a thread writes while it is sent.
fn long(size: u64, write: Writing) -> Response<Body> {
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    tokio::task::spawn_blocking(span::carried(move || {
        let mut pieces = Pieces {
            sender,
            waiting: Vec::with_capacity(PIECE),
        };
        let written = write(&mut pieces).and_then(|()| pieces.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "content server");
            let _ = pieces.sender.blocking_send(Err(error));
        }
    }));
    let pieces = futures::stream::unfold(receiver, |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((piece.map(Frame::data), receiver))
    });
    let mut response = Response::new(StreamBody::new(pieces).boxed_unsync());
    let kind = header::HeaderValue::from_static(BINARY);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    with_length(response, size)
}

/// A writer whose bytes go to a connection.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    waiting: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.waiting, Vec::with_capacity(PIECE));
        self.sender
            .blocking_send(Ok(piece.into()))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{content::Pace, http::Http};
    use http_body_util::Empty;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpSocket,
        time::Instant,
    };

    #[derive(Clone)]
    struct Counting;

    impl Source for Counting {
        fn answer(&self, path: &str) -> Result<Answer> {
            let good = path == "/good";
            let write = move |to: &mut dyn Write| {
                for byte in 0..5u8 {
                    to.write_all(&vec![byte; 40_000])?;
                }
                match good {
                    true => Ok(()),
                    false => Err(io::Error::other("half way")),
                }
            };
            match path {
                "/good" | "/bad" => Ok(Answer::Long(200_000, Box::new(write))),
                _ => Ok(Answer::Nothing),
            }
        }
    }

    #[tokio::test]
    async fn long_answers_come_whole_or_break_the_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(listener, Counting));
        let http = Http::new().unwrap();
        let get = |path: &str| {
            let request = Request::get(format!("{base}{path}"));
            http.send(request.body(Empty::new().boxed()).unwrap())
        };
        let good = get("/good").await.unwrap();
        assert_eq!(good.headers()[header::CONTENT_LENGTH], "200000");
        let bytes = good.into_body().collect().await.unwrap().to_bytes();
        assert_eq!((bytes.len(), bytes[199_999]), (200_000, 4));
        let bad = get("/bad").await;
        let broken = match bad {
            Ok(response) => response.into_body().collect().await.is_err(),
            Err(_) => true,
        };
        assert!(broken);
        assert_eq!(get("/x").await.unwrap().status(), StatusCode::NOT_FOUND);
    }

    /// A store with `length` bytes in one file, served within these bounds. Returns the server's
    /// address and the path of the content.
    async fn server(
        folder: &std::path::Path,
        length: u64,
        bounds: Bounds,
    ) -> (std::net::SocketAddr, String) {
        let store = Store::open(folder.join("content")).unwrap();
        let file = folder.join("file");
        std::fs::File::create(&file)
            .unwrap()
            .set_len(length)
            .unwrap();
        let (hash, _) = store.put_large(&file, crate::content::Why::Put).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve_within(listener, store, bounds));
        let hash = tos_types::json::to_hex(&hash);
        (
            address,
            format!("{PREFIX}{}", hash.trim_start_matches("0x")),
        )
    }

    /// A connection from one of this machine's addresses, that asks for a path.
    async fn ask(from: &str, server: std::net::SocketAddr, path: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        let mut stream = socket.connect(server).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        // A server that refuses may have closed it already.
        let _ = stream.write_all(request.as_bytes()).await;
        stream
    }

    /// Reads to the end.
    async fn read(stream: &mut TcpStream) -> Vec<u8> {
        let mut all = Vec::new();
        // What came before it broke off counts as well.
        let _ = stream.read_to_end(&mut all).await;
        all
    }

    #[tokio::test]
    async fn sixteen_readers_that_never_read_keep_nobody_else_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let length = 24 << 20;
        let (address, path) = server(folder.path(), length, Bounds::default()).await;
        let mut held = Vec::new();
        for _ in 0..16 {
            held.push(ask("127.0.0.1", address, &path).await);
        }
        sleep(Duration::from_millis(300)).await;
        let started = Instant::now();
        let mut other = ask("127.0.0.1", address, &path).await;
        let answer = timeout(Duration::from_secs(20), read(&mut other)).await;
        assert!(answer.unwrap().len() as u64 > length);
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[tokio::test]
    async fn one_address_cannot_take_every_place_and_loses_those_it_does_not_use() {
        let folder = tempfile::tempdir().unwrap();
        let bounds = Bounds {
            all: 6,
            local: 4,
            pace: Pace {
                silence: Duration::from_secs(2),
                rate: 32 * 1024,
            },
            ..Bounds::default()
        };
        let length = 24 << 20;
        let (address, path) = server(folder.path(), length, bounds).await;
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(ask("127.0.0.1", address, &path).await);
        }
        sleep(Duration::from_millis(300)).await;
        // A fifth of this address is refused at once, and one of another address is answered.
        let mut fifth = ask("127.0.0.1", address, &path).await;
        let refused = timeout(Duration::from_secs(5), read(&mut fifth));
        assert!(refused.await.unwrap().len() < 1_000);
        let mut other = ask("127.0.0.2", address, &path).await;
        let answer = timeout(Duration::from_secs(20), read(&mut other)).await;
        assert!(answer.unwrap().len() as u64 > length);
        // Those that did not read have lost their places meanwhile, or do so soon.
        sleep(Duration::from_secs(3)).await;
        let mut again = ask("127.0.0.1", address, &path).await;
        let answer = timeout(Duration::from_secs(20), read(&mut again)).await;
        assert!(answer.unwrap().len() as u64 > length);
        // What they get of it ends before all of it.
        let got = timeout(Duration::from_secs(20), read(&mut held[0])).await;
        assert!((got.unwrap().len() as u64) < length);
    }

    #[tokio::test]
    async fn half_a_request_and_an_endless_row_of_requests_end() {
        let folder = tempfile::tempdir().unwrap();
        let bounds = Bounds {
            header: Duration::from_millis(500),
            requests: Duration::from_secs(2),
            ..Bounds::default()
        };
        let (address, path) = server(folder.path(), 1_000, bounds).await;
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(b"GET / HTT").await.unwrap();
        let ended = timeout(Duration::from_secs(10), read(&mut half)).await;
        assert!(ended.is_ok(), "half a request holds its place");
        // One request after the other, each in time.
        let mut row = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        let (mut answered, started) = (0, Instant::now());
        let mut piece = vec![0; 4_096];
        while started.elapsed() < Duration::from_secs(10) {
            if row.write_all(request.as_bytes()).await.is_err() {
                break;
            }
            match row.read(&mut piece).await {
                Ok(1..) => answered += 1,
                _ => break,
            }
            sleep(Duration::from_millis(100)).await;
        }
        assert!(answered > 1, "{answered}");
        assert!(started.elapsed() < Duration::from_secs(8));
    }
}
