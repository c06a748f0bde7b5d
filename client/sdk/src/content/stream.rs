// SPDX-License-Identifier: Apache-2.0

//! Reads what a server sends while it comes. Nothing here is believed: the reader checks
//! hashes and proofs.

use super::{Clock, Pace};
use crate::{
    error::{Context, Error, Result},
    http::{reason, Http},
    span,
};
use bytes::{Buf, Bytes};
use http_body_util::{BodyExt, Empty};
use hyper::{
    body::{Body, Incoming},
    header, Request, Response, StatusCode, Uri,
};
use std::{
    fmt::Display,
    io::{self, Read},
    time::Duration,
};
use tokio::{sync::mpsc, time::timeout};

/// Pieces that wait to be read.
const PIECES_AHEAD: usize = 8;

/// A body, to be read on a thread that may block.
pub struct Reader {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.current = piece?,
                None => return Ok(0),
            }
        }
        let count = self.current.len().min(into.len());
        let (into, _) = into.split_at_mut(count);
        self.current.copy_to_slice(into);
        Ok(count)
    }
}

/// Opens `uri`. Returns its body and, where the server says so, its length. Reading the body fails
/// when the server does not keep up with `pace`.
pub async fn open(http: &Http, uri: Uri, pace: Pace) -> Result<(Option<u64>, Reader)> {
    let doing = format!("fetching {uri}");
    let mut clock = Clock::start(pace);
    let response = clock.wait(&doing, request(http, uri)).await??;
    let length = response.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    span::spawn(feed(response.into_body(), clock, sender, doing));
    let current = Bytes::new();
    Ok((length, Reader { receiver, current }))
}

/// Hands a body over piece by piece, or why it ends too early.
async fn feed<B>(
    mut body: B,
    mut clock: Clock,
    sender: mpsc::Sender<io::Result<Bytes>>,
    doing: String,
) where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    loop {
        let piece = match clock.wait(&doing, body.frame()).await {
            Ok(None) => return,
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => Ok(data),
                Err(_) => continue,
            },
            Ok(Some(Err(error))) => Err(io::Error::other(format!("{doing}: {error}"))),
            Err(error) => Err(io::Error::new(io::ErrorKind::TimedOut, error.to_string())),
        };
        match &piece {
            Ok(data) => clock.received(data.len() as u64),
            Err(error) => tracing::debug!(%error, "a transfer ends"),
        }
        let failed = piece.is_err();
        // A reader that has gone wants no more.
        if sender.send(piece).await.is_err() || failed {
            return;
        }
    }
}

/// The body at `uri`, of at most `limit` bytes. `None` when there is nothing.
pub async fn get(http: &Http, uri: Uri, limit: usize, time: Duration) -> Result<Option<Vec<u8>>> {
    let doing = format!("fetching {uri}");
    let whole = async {
        let mut response = match send(http, uri).await? {
            found if found.status() == StatusCode::NOT_FOUND => return Ok(None),
            found => check(found, &doing)?,
        };
        let mut bytes = Vec::new();
        while let Some(frame) = response.frame().await {
            let Ok(data) = frame.context(&doing)?.into_data() else {
                continue;
            };
            if bytes.len().saturating_add(data.len()) > limit {
                return Err(Error::Failed(format!("{doing}: more than {limit} bytes")));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Some(bytes))
    };
    let timed_out = |_| Error::TimedOut(doing.clone());
    timeout(time, whole).await.map_err(timed_out)?
}

async fn request(http: &Http, uri: Uri) -> Result<Response<Incoming>> {
    let doing = format!("fetching {uri}");
    check(send(http, uri).await?, &doing)
}

async fn send(http: &Http, uri: Uri) -> Result<Response<Incoming>> {
    let doing = format!("fetching {uri}");
    let request = Request::get(uri)
        .body(Empty::new().boxed())
        .context(&doing)?;
    let sent = http.send(request).await;
    sent.map_err(|error| reason(&error)).context(&doing)
}

fn check(response: Response<Incoming>, doing: &str) -> Result<Response<Incoming>> {
    match response.status() {
        StatusCode::OK => Ok(response),
        status => {
            let why = super::fetch::refusal(status, response.headers());
            Err(Error::Failed(format!("{doing}: {why}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::http as mock;
    use http_body_util::StreamBody;

    #[tokio::test]
    async fn a_body_is_read_while_it_comes_and_bounded_where_asked() {
        let body = "0123456789".repeat(50_000);
        let sent = body.clone();
        let base = mock::serve(move |seen| match seen.path.as_str() {
            "/x" => (200, sent.clone()),
            "/gone" => (404, String::new()),
            _ => (500, String::new()),
        })
        .await;
        let http = Http::new().unwrap();
        let uri = |path: &str| format!("{base}{path}").parse::<Uri>().unwrap();
        let (length, mut reader) = open(&http, uri("/x"), Pace::default()).await.unwrap();
        assert_eq!(length, Some(500_000));
        let text = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).map(|_| text)
        });
        assert_eq!(text.await.unwrap().unwrap(), body);
        let time = Duration::from_secs(10);
        let all = get(&http, uri("/x"), 500_000, time).await.unwrap();
        assert_eq!(all.unwrap(), body.as_bytes());
        assert!(get(&http, uri("/x"), 499_999, time).await.is_err());
        assert_eq!(get(&http, uri("/gone"), 9, time).await.unwrap(), None);
        assert!(get(&http, uri("/bad"), 9, time).await.is_err());
        assert!(open(&http, uri("/gone"), Pace::default()).await.is_err());
    }

    /// An endless body of a byte every 20 milliseconds.
    fn dripping() -> impl Body<Data = Bytes, Error = io::Error> + Unpin {
        let drip = |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let frame = hyper::body::Frame::data(Bytes::from_static(b"x"));
            Some((Ok::<_, io::Error>(frame), ()))
        };
        Box::pin(StreamBody::new(futures::stream::unfold((), drip)))
    }

    #[tokio::test]
    async fn a_body_that_drips_breaks_off() {
        let pace = Pace {
            silence: Duration::from_millis(200),
            rate: 1_000,
        };
        let (sender, mut receiver) = mpsc::channel(1);
        tokio::spawn(feed(
            dripping(),
            Clock::start(pace),
            sender,
            "fetching".into(),
        ));
        let mut pieces = 0;
        let error = loop {
            match receiver.recv().await {
                Some(Ok(_)) => pieces += 1,
                Some(Err(error)) => break error,
                None => panic!("an endless body ended"),
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // Each byte takes 20 of the 200 milliseconds and brings one back.
        assert!(pieces <= 10, "{pieces}");
        assert!(receiver.recv().await.is_none());
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_left_in_time() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/x", listener.local_addr().unwrap());
        let tarpit = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
        let pace = Pace {
            silence: Duration::from_millis(200),
            rate: 1,
        };
        let opened = open(&Http::new().unwrap(), base.parse().unwrap(), pace).await;
        assert!(matches!(opened, Err(Error::TimedOut(_))));
        tarpit.abort();
    }
}
