// SPDX-License-Identifier: Apache-2.0

//! A web server.

use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{
    body::{Bytes, Incoming},
    Request, Response,
};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;

/// A request as a test sees it.
pub struct Seen {
    /// Path and query.
    pub path: String,
    /// Header `Authorization`.
    pub authorization: Option<String>,
    /// Body.
    pub body: Vec<u8>,
}

/// Answers every request with the status and body that `answer` gives. Returns its address.
pub async fn serve<F>(answer: F) -> String
where
    F: Fn(Seen) -> (u16, String) + Send + Sync + 'static,
{
    serve_with_headers(move |seen| {
        let (status, body) = answer(seen);
        (status, Vec::new(), body)
    })
    .await
}

/// The same, with headers.
pub async fn serve_with_headers<F>(answer: F) -> String
where
    F: Fn(Seen) -> (u16, Vec<(&'static str, String)>, String) + Send + Sync + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let authorization = head.headers.get(hyper::header::AUTHORIZATION);
                    let seen = Seen {
                        path: head.uri.path().into(),
                        authorization: authorization.map(|v| v.to_str().unwrap().into()),
                        body: body.collect().await.unwrap().to_bytes().to_vec(),
                    };
                    let (status, headers, body) = answer(seen);
                    let mut response = Response::new(Full::new(Bytes::from(body)));
                    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap();
                    for (name, value) in headers {
                        response.headers_mut().insert(name, value.parse().unwrap());
                    }
                    Ok::<_, Infallible>(response)
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    base
}
