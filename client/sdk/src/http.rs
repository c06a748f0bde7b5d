// SPDX-License-Identifier: Apache-2.0

//! An HTTP client: no redirects, no proxies, no cookies.

use crate::error::{Context, Result};
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::{body::Incoming, Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{connect::HttpConnector, Client, Error},
    rt::TokioExecutor,
};
use std::{convert::Infallible, time::Duration};

/// The body of a request.
pub type Body = BoxBody<Bytes, Infallible>;

/// Sends HTTP requests.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, Body>,
}

impl Http {
    /// A client that trusts the certificates this machine trusts.
    pub fn new() -> Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(Duration::from_secs(10)));
        let builder = HttpsConnectorBuilder::new();
        let provider = rustls::crypto::ring::default_provider();
        let connector = match builder.with_provider_and_native_roots(provider) {
            Ok(builder) => builder.https_or_http().enable_http1().wrap_connector(tcp),
            // A bare machine has no certificates: plain HTTP still works, HTTPS fails by itself.
            Err(error) => {
                tracing::debug!(%error, "no trusted certificates");
                let provider = rustls::crypto::ring::default_provider();
                let config = rustls::ClientConfig::builder_with_provider(provider.into())
                    .with_safe_default_protocol_versions()
                    .context("TLS")?
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth();
                HttpsConnectorBuilder::new()
                    .with_tls_config(config)
                    .https_or_http()
                    .enable_http1()
                    .wrap_connector(tcp)
            }
        };
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// Sends a request.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, Error> {
        self.client.request(request).await
    }
}

/// An error with what led to it: by itself it says no more than `client error (Connect)`.
pub fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
pub mod mock {
    //! A web server for tests.

    use super::*;
    use http_body_util::{BodyExt, Full};
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use std::sync::Arc;

    /// A request as a test sees it.
    pub struct Seen {
        pub path: String,
        pub authorization: Option<String>,
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
}
