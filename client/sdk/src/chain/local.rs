// SPDX-License-Identifier: Apache-2.0

//! A node's RPC without a socket, for programs that the node itself runs.

use crate::rpc::ANSWER;
use futures::{future::BoxFuture, stream, StreamExt};
use jsonrpsee::core::client::Error as ClientError;
use serde::Deserialize;
use serde_json::json;
use std::{io, sync::Arc, time::Duration};
use subxt::rpcs::{
    client::{RawRpcFuture, RawRpcSubscription, RawValue, RpcClientT},
    Error, UserError,
};
use tokio::sync::mpsc;

/// Methods of a node, as the node itself calls them.
pub trait LocalRpc: Send + Sync + 'static {
    /// Answers one JSON-RPC request: the response, and the notifications of a subscription if it made one. The
    /// subscription ends when its receiver is dropped.
    fn call(&self, request: String) -> BoxFuture<'_, io::Result<(String, mpsc::Receiver<String>)>>;
}

/// Requests in memory, as a client of `subxt`.
pub(super) struct Transport(pub Arc<dyn LocalRpc>);

#[derive(Deserialize)]
struct Response {
    result: Option<Box<RawValue>>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    code: i32,
    message: String,
    data: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Notification {
    params: Params,
}

#[derive(Deserialize)]
struct Params {
    result: Box<RawValue>,
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Client(Box::new(error))
}

fn notification(text: &str) -> Result<Box<RawValue>, Error> {
    let notification: Notification = serde_json::from_str(text).map_err(failed)?;
    Ok(notification.params.result)
}

impl Transport {
    /// Asks the node, which has `limit` to answer. Neither the length of an answer nor the number of
    /// requests and notifications that wait is bounded, as they are by a WebSocket.
    async fn ask(
        &self,
        method: &str,
        params: Option<Box<RawValue>>,
        limit: Duration,
    ) -> Result<(Box<RawValue>, mpsc::Receiver<String>), Error> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let answered = tokio::time::timeout(limit, self.0.call(request.to_string())).await;
        let answered = answered.map_err(|_| failed(ClientError::RequestTimeout))?;
        let (answer, notifications) = answered.map_err(failed)?;
        let answer: Response = serde_json::from_str(&answer).map_err(failed)?;
        if let Some(Failure {
            code,
            message,
            data,
        }) = answer.error
        {
            return Err(Error::User(UserError {
                code,
                message,
                data,
            }));
        }
        // A method without a result answers `null`.
        let result = answer
            .result
            .map_or_else(|| RawValue::from_string("null".into()), Ok);
        Ok((result.map_err(failed)?, notifications))
    }
}

impl RpcClientT for Transport {
    fn request_raw<'a>(
        &'a self,
        method: &'a str,
        params: Option<Box<RawValue>>,
    ) -> RawRpcFuture<'a, Box<RawValue>> {
        Box::pin(async move { Ok(self.ask(method, params, ANSWER).await?.0) })
    }

    fn subscribe_raw<'a>(
        &'a self,
        method: &'a str,
        params: Option<Box<RawValue>>,
        _: &'a str,
    ) -> RawRpcFuture<'a, RawRpcSubscription> {
        Box::pin(async move {
            let (id, notifications) = self.ask(method, params, ANSWER).await?;
            let told = stream::unfold(notifications, |mut notifications| async move {
                let text = notifications.recv().await?;
                Some((notification(&text), notifications))
            });
            Ok(RawRpcSubscription {
                stream: told.boxed(),
                id: Some(id.get().trim_matches('"').to_owned()),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Echoes parameters; `count` counts up to its parameter; `never` is not answered; everything
    /// else is refused.
    struct Echo;

    impl LocalRpc for Echo {
        fn call(
            &self,
            request: String,
        ) -> BoxFuture<'_, io::Result<(String, mpsc::Receiver<String>)>> {
            Box::pin(async move {
                let request: serde_json::Value = serde_json::from_str(&request)?;
                let (sender, receiver) = mpsc::channel(8);
                let answer = match request["method"].as_str() {
                    Some("echo") => json!({"result": request["params"]}),
                    Some("nothing") => json!({"result": null}),
                    Some("count") => {
                        for number in 0..request["params"][0].as_u64().unwrap_or(0) {
                            let told = json!({"method": "count", "params": {"subscription": "7", "result": number}});
                            sender
                                .send(told.to_string())
                                .await
                                .map_err(io::Error::other)?;
                        }
                        json!({"result": "7"})
                    }
                    Some("never") => std::future::pending().await,
                    _ => json!({"error": {"code": -32601, "message": "Method not found"}}),
                };
                Ok((answer.to_string(), receiver))
            })
        }
    }

    fn params(value: serde_json::Value) -> Option<Box<RawValue>> {
        Some(RawValue::from_string(value.to_string()).unwrap())
    }

    #[tokio::test]
    async fn requests_are_answered_and_refusals_keep_their_code() {
        let rpc = Transport(Arc::new(Echo));
        let answer = rpc
            .request_raw("echo", params(json!([1, "a"])))
            .await
            .unwrap();
        assert_eq!(answer.get(), r#"[1,"a"]"#);
        assert_eq!(
            rpc.request_raw("nothing", None).await.unwrap().get(),
            "null"
        );
        let refused = rpc.request_raw("other", None).await.unwrap_err();
        assert!(
            matches!(refused, Error::User(UserError { code: -32601, .. })),
            "{refused}"
        );
    }

    #[tokio::test]
    async fn a_request_that_is_never_answered_ends_as_one_over_a_socket_does() {
        let rpc = Transport(Arc::new(Echo));
        let late = rpc.ask("never", None, Duration::from_millis(10)).await;
        let Err(Error::Client(late)) = late else {
            panic!("answered");
        };
        let late = late.downcast_ref::<ClientError>();
        assert!(
            matches!(late, Some(ClientError::RequestTimeout)),
            "{late:?}"
        );
    }

    #[tokio::test]
    async fn a_subscription_gives_what_it_is_told_and_ends_with_it() {
        let rpc = Transport(Arc::new(Echo));
        let subscription = rpc
            .subscribe_raw("count", params(json!([3])), "stop")
            .await
            .unwrap();
        assert_eq!(subscription.id.as_deref(), Some("7"));
        let told: Vec<_> = subscription
            .stream
            .map(|told| told.unwrap().get().to_owned())
            .collect()
            .await;
        assert_eq!(told, ["0", "1", "2"]);
    }
}
