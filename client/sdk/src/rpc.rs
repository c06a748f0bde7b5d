// SPDX-License-Identifier: Apache-2.0

//! JSON-RPC of a node: a connection on which every request has a deadline and only so many wait for
//! their answers at a time, and the reasons why one is not answered.

use crate::error::{Error, Result};
use jsonrpsee::{
    client_transport::ws::WsHandshakeError, core::client::Error as ClientError,
    ws_client::WsClientBuilder,
};
use serde::de::{DeserializeOwned, IgnoredAny};
use std::{error::Error as _, fmt, io, sync::Arc, time::Duration};
use subxt::{
    backend::LegacyBackend,
    client::OnlineClient,
    config::SubstrateConfig,
    error::OnlineClientError,
    rpcs::{self, RpcClient, UserError},
};

pub use subxt::rpcs::client::{rpc_params, RpcParams, RpcSubscription};

/// The time a node has to take a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The time a node has to answer a request, however busy it is.
pub(crate) const ANSWER: Duration = Duration::from_secs(60);
/// Notifications of a subscription that wait for their reader before it ends.
const NOTIFICATIONS: usize = 4_096;
const MIB: u32 = 1_024 * 1_024;
/// HTTP statuses by which a node, or a server in front of it, says that it takes no more connections.
const BUSY: [u16; 2] = [429, 503];
/// Words on an address at which something else than a node answers.
const STRANGER: &str = "another program than a node answers there";

/// Bounds of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests that wait for their answers at once; more are sent as answers come.
    pub in_flight: usize,
    /// Length of the longest answer that is read, in bytes of text.
    pub answer: u32,
}

impl Limits {
    /// Bounds for blocks or pools full of transactions, of a node that is trusted with memory.
    pub const LARGE: Self = Self {
        in_flight: 256,
        answer: 256 * MIB,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 256,
            answer: 10 * MIB,
        }
    }
}

/// A connection to a node; clones share it.
#[derive(Clone, Debug)]
pub struct Rpc {
    url: Arc<str>,
    client: RpcClient,
}

/// Error that a node answered a request with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The JSON-RPC error code.
    pub code: i32,
    /// The node's message, and after a colon its data.
    pub message: String,
}

/// Reason why a request has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The node answered with an error.
    Refused(Refusal),
    /// The connection is lost, and with it the answer.
    Gone(String),
    /// No answer came in time, or one that makes no sense.
    Unanswered(String),
}

impl Refusal {
    /// Joins the parts of a JSON-RPC error. `data` is JSON.
    pub fn new(code: i32, message: &str, data: Option<&str>) -> Self {
        let data = data.unwrap_or_default().trim_matches('"');
        let message = match data {
            "" => message.to_owned(),
            data => format!("{message}: {data}"),
        };
        Self { code, message }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

impl From<&UserError> for Refusal {
    fn from(error: &UserError) -> Self {
        let data = error.data.as_ref().map(|data| data.get());
        Self::new(error.code, &error.message, data)
    }
}

impl From<rpcs::Error> for RequestError {
    fn from(error: rpcs::Error) -> Self {
        match error {
            rpcs::Error::User(error) => Self::Refused((&error).into()),
            rpcs::Error::Client(error) => {
                let lost = matches!(
                    error.downcast_ref(),
                    Some(ClientError::RestartNeeded(_) | ClientError::Transport(_))
                );
                match lost || error.is::<io::Error>() {
                    true => Self::Gone(error.to_string()),
                    false => Self::Unanswered(error.to_string()),
                }
            }
            error => Self::Unanswered(error.to_string()),
        }
    }
}

/// Refuses what cannot be the address of a node.
///
/// # Errors
/// [`Error::Usage`], with how such an address begins.
fn check_address(url: &str) -> Result<()> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    if matches!(scheme, "ws" | "wss") && !rest.is_empty() {
        return Ok(());
    }
    let rest = match (rest, scheme) {
        (rest, "http" | "https" | "") if !rest.is_empty() => rest,
        _ => "127.0.0.1:9944",
    };
    Err(Error::Usage(format!(
        "{}: no address of a node (--url), which begins with ws:// or wss://, such as ws://{}",
        url.escape_debug(),
        rest.escape_debug()
    )))
}

/// Reason why there is no connection.
fn not_connected(error: &ClientError) -> String {
    let why = match error {
        ClientError::Transport(cause) => match cause.downcast_ref() {
            Some(WsHandshakeError::Rejected { status_code }) if !BUSY.contains(status_code) => {
                Some(format!("HTTP status {status_code} in place of a WebSocket"))
            }
            Some(WsHandshakeError::Redirected { location, .. }) => {
                Some(format!("it sends us on to {location}"))
            }
            // A node may go while it is asked; what it said is another matter.
            Some(WsHandshakeError::Transport(cause))
                if !cause
                    .source()
                    .is_some_and(|source| source.is::<io::Error>()) =>
            {
                Some(format!("no WebSocket: {cause}"))
            }
            _ => None,
        },
        _ => None,
    };
    match why {
        Some(why) => format!("{STRANGER} ({why})"),
        None => error.to_string(),
    }
}

impl Rpc {
    /// Connects to the WebSocket endpoint at `url`.
    ///
    /// # Errors
    /// [`Error::Usage`] if that is no such address; [`Error::Unreachable`] if the node does not take the
    /// connection within 10 s, or another program answers.
    pub async fn connect(url: &str, limits: Limits) -> Result<Self> {
        check_address(url)?;
        let client = WsClientBuilder::default()
            .max_response_size(limits.answer)
            .max_concurrent_requests(limits.in_flight)
            .max_buffer_capacity_per_subscription(NOTIFICATIONS)
            .request_timeout(ANSWER)
            .connection_timeout(CONNECT)
            .build(url)
            .await;
        let client = client.map_err(|error| Error::Unreachable {
            url: url.to_owned(),
            reason: not_connected(&error),
        })?;
        Ok(Self::over(url, client))
    }

    /// Takes another transport than a WebSocket; `name` stands for its address in errors.
    pub fn over(name: &str, transport: impl Into<RpcClient>) -> Self {
        Self {
            url: name.into(),
            client: transport.into(),
        }
    }

    /// Calls a method, and tells apart why there is no result.
    pub async fn request<T: DeserializeOwned>(
        &self,
        method: &str,
        params: RpcParams,
    ) -> Result<T, RequestError> {
        Ok(self.client.request(method, params).await?)
    }

    /// Calls a method.
    ///
    /// # Errors
    /// [`Error::Unreachable`] if the connection is lost; [`Error::Failed`] otherwise.
    pub async fn call<T: DeserializeOwned>(&self, method: &str, params: RpcParams) -> Result<T> {
        let answer = self.request(method, params).await;
        answer.map_err(|error| self.error(method, error))
    }

    /// Subscribes by `method`, without parameters; `end` is the method that ends the subscription.
    pub async fn subscribe<T: DeserializeOwned>(
        &self,
        method: &str,
        end: &str,
    ) -> Result<RpcSubscription<T>> {
        let opened = self.client.subscribe(method, RpcParams::new(), end).await;
        opened.map_err(|error| self.error(method, error.into()))
    }

    /// The error of a command that needed the result of `method`.
    pub fn error(&self, method: &str, error: RequestError) -> Error {
        match error {
            RequestError::Refused(refusal) => {
                Error::Failed(format!("the node refused {method}: {refusal}"))
            }
            RequestError::Gone(reason) => self.gone(&reason),
            RequestError::Unanswered(reason) => Error::Failed(format!("{method}: {reason}")),
        }
    }

    /// The error for a node that ended the connection.
    pub fn gone(&self, reason: &str) -> Error {
        Error::Unreachable {
            url: self.url.to_string(),
            reason: reason.into(),
        }
    }

    /// Address of the node.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The error of a server that does not say which chain it is on, for this reason: it is no node if
    /// it knows no such question.
    pub(crate) async fn no_chain(&self, reason: &str) -> Error {
        match self
            .request::<IgnoredAny>("system_chain", rpc_params![])
            .await
        {
            Err(RequestError::Refused(refusal)) => self.gone(&format!(
                "{STRANGER} (asked for its chain, it says: {refusal})"
            )),
            _ => self.gone(reason),
        }
    }

    /// The connection, as subxt's own methods take it.
    pub(crate) fn client(&self) -> &RpcClient {
        &self.client
    }

    /// The chain behind this connection, as subxt reads it.
    pub(crate) async fn chain(&self) -> Result<OnlineClient<SubstrateConfig>, OnlineClientError> {
        // Plain requests about named blocks: nothing here pins blocks.
        let backend = LegacyBackend::builder().build(self.client.clone());
        OnlineClient::from_backend(Arc::new(backend)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_words_of_message_and_data() {
        assert_eq!(Refusal::new(7, "a", None).message, "a");
        assert_eq!(Refusal::new(7, "a", Some("\"\"")).message, "a");
        assert_eq!(
            Refusal::new(7, "a", Some("\"b\"")).to_string(),
            "a: b (code 7)"
        );
    }

    #[test]
    fn a_lost_connection_is_told_from_a_missing_answer() {
        let of = |error| RequestError::from(rpcs::Error::Client(error));
        for gone in [
            of(Box::new(ClientError::Transport("reset".into()))),
            of(Box::new(ClientError::RestartNeeded(Arc::new(
                ClientError::Custom("closed".into()),
            )))),
            of(Box::new(io::Error::other("the node ends"))),
        ] {
            assert!(matches!(gone, RequestError::Gone(_)), "{gone:?}");
        }
        let late = of(Box::new(ClientError::RequestTimeout));
        assert!(matches!(late, RequestError::Unanswered(_)), "{late:?}");
        let refused = RequestError::from(rpcs::Error::User(UserError::method_not_found()));
        let expected = Refusal::new(-32_601, "Method not found", None);
        assert_eq!(refused, RequestError::Refused(expected));
    }

    /// The reason for which there is no connection to this address.
    async fn refused(url: &str) -> String {
        match Rpc::connect(url, Limits::default()).await {
            Err(Error::Unreachable { reason, .. }) => reason,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[tokio::test]
    async fn another_program_than_a_node_is_told_as_one() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let website = crate::testing::http::serve(|_| (404, "nothing here".into())).await;
        let reason = refused(&website.replace("http", "ws")).await;
        let expected = format!("{STRANGER} (HTTP status 404 in place of a WebSocket)");
        assert_eq!(reason, expected);
        // One that speaks no HTTP at all.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shell = format!("ws://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            // Kept, for a connection that is reset has said nothing.
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.read_u8().await.unwrap();
                let banner = b"SSH-2.0-OpenSSH_9.2\r\n\r\n";
                stream.write_all(banner).await.unwrap();
                open.push(stream);
            }
        });
        let reason = refused(&shell).await;
        assert!(reason.starts_with(STRANGER), "{reason}");
        // One that closes the connection may be a node that ends.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ends = format!("ws://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        let reason = refused(&ends).await;
        assert!(!reason.contains(STRANGER), "{reason}");
        // A node that is full is a node.
        let full = crate::testing::http::serve(|_| (429, String::new())).await;
        let reason = refused(&full.replace("http", "ws")).await;
        assert!(
            !reason.contains(STRANGER) && reason.contains("429"),
            "{reason}"
        );
    }

    #[tokio::test]
    async fn what_cannot_be_an_address_is_told_with_one_that_can() {
        for (url, such_as) in [
            ("http://node:9944", "ws://node:9944"),
            ("127.0.0.1:9944", "ws://127.0.0.1:9944"),
            ("file:///tmp/node", "ws://127.0.0.1:9944"),
            ("ws://", "ws://127.0.0.1:9944"),
            ("", "ws://127.0.0.1:9944"),
        ] {
            let error = Rpc::connect(url, Limits::default()).await.unwrap_err();
            assert_eq!(error.exit_code(), 2, "{url}");
            let told = error.to_string();
            assert!(told.ends_with(&format!("such as {such_as}")), "{told}");
        }
    }

    #[tokio::test]
    async fn a_node_that_is_gone_is_an_error_and_no_hang() {
        let error = Rpc::connect("ws://127.0.0.1:1", Limits::default()).await;
        assert!(matches!(error, Err(Error::Unreachable { .. })));
    }
}
