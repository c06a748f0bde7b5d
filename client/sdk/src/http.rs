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
