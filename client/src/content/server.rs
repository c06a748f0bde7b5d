// SPDX-License-Identifier: Apache-2.0

//! Gives stored content to whoever asks for it by hash, over HTTP/1.1.

use super::{Store, PREFIX};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    body::Incoming, header, server::conn::http1, service::service_fn, Method, Request, Response,
    StatusCode,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    time::{sleep, timeout},
};

/// Requests that are answered at the same time; each may hold one piece of content in memory.
const MAX_CONNECTIONS: usize = 16;
/// One connection may take this long in all, so that idle readers cannot occupy the server.
const CONNECTION_TIME: Duration = Duration::from_secs(300);
/// Time to send a request.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// Serves the store until the future is dropped.
pub async fn serve(listener: TcpListener, store: Store) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Such as too many open files: it passes.
                tracing::warn!(%error, "content server");
                sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let store = store.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let store = store.clone();
                async move { Ok::<_, Infallible>(answer(&request, store).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIME)
                .max_buf_size(16 * 1024)
                .serve_connection(TokioIo::new(stream), service);
            // What a peer does wrong is its own problem.
            let _ = timeout(CONNECTION_TIME, connection).await;
            drop(place);
        });
    }
}

async fn answer(request: &Request<Incoming>, store: Store) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return plain(StatusCode::METHOD_NOT_ALLOWED, Bytes::new());
    }
    let name = request.uri().path().strip_prefix(PREFIX);
    let Some(hash) = name.and_then(|name| crate::output::parse_hex::<32>(name).ok()) else {
        return plain(StatusCode::NOT_FOUND, Bytes::new());
    };
    match tokio::task::spawn_blocking(move || store.get(&hash)).await {
        Ok(Ok(Some(bytes))) => plain(StatusCode::OK, bytes.into()),
        Ok(Ok(None)) => plain(StatusCode::NOT_FOUND, Bytes::new()),
        Ok(Err(error)) => {
            tracing::error!(%error, "content server");
            plain(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new())
        }
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new()),
    }
}

fn plain(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
