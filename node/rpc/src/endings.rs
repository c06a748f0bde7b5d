// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Subscriptions of the SDK do not end without a word.
//!
//! The SDK keeps few messages for a subscriber that reads slowly, 16 of most kinds, and then drops the subscription; the connection stays open and the
//! subscriber waits for ever. Here its messages are passed on, and if it ends a subscription that its subscriber has not ended, the last message
//! is an error.

use std::{collections::HashMap, sync::Arc};

use futures::{
    future::{self, Either},
    pin_mut,
};
use jsonrpsee::{
    types::{ErrorObjectOwned, Id, Params},
    ConnectionId, Extensions, MethodCallback, MethodSink, RpcModule, SubscriptionState,
};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{json, Value};
use tokio::sync::mpsc;

use super::changes::TOO_SLOW;

/// Subscriptions that end by themselves, with a last message that says so, or that say themselves why they end.
const ENDING: [&str; 6] = [
    "archive_v1_storage",
    "archive_v1_storageDiff",
    "author_submitAndWatchExtrinsic",
    "chainHead_v1_follow",
    "tos_subscribeTasks",
    "transactionWatch_v1_submitAndWatch",
];

/// Names of the messages of the SDK's endless subscriptions, by a part of the subscription's name that its aliases share.
const MESSAGES: [(&str, &str); 7] = [
    ("subscribeAllHeads", "chain_allHead"),
    ("subscribe_newHead", "chain_newHead"),
    ("subscribeNewHead", "chain_newHead"),
    ("subscribeFinali", "chain_finalizedHead"),
    ("subscribeRuntimeVersion", "state_runtimeVersion"),
    ("subscribeStorage", "state_storage"),
    ("subscribeJustifications", "grandpa_justifications"),
];

/// Name of the messages of a subscription, as long as none has come.
fn message_of(subscription: &'static str) -> &'static str {
    let known = MESSAGES
        .iter()
        .find(|(part, _)| subscription.contains(part));
    known.map_or(subscription, |(_, message)| message)
}

/// Subscriptions that are served, and whether their subscriber has ended them.
type Served = Arc<Mutex<HashMap<(ConnectionId, String), bool>>>;

/// Makes the subscriptions of `module` that have no end of their own say when they end.
pub fn announce_ends(module: &mut RpcModule<()>) -> Result<(), String> {
    let served = Served::default();
    let names: Vec<_> = module.method_names().collect();
    for name in names {
        if ENDING.contains(&name) {
            continue;
        }
        let callback = match module.method(name) {
            Some(MethodCallback::Subscription(_) | MethodCallback::Unsubscription(_)) => {
                module.remove_method(name)
            }
            _ => None,
        };
        let Some(callback) = callback else { continue };
        module
            .verify_and_insert(name, watched(name, callback, Arc::clone(&served)))
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn watched(name: &'static str, callback: MethodCallback, served: Served) -> MethodCallback {
    match callback {
        MethodCallback::Subscription(inner) => MethodCallback::Subscription(Arc::new(
            move |id: Id<'_>,
                  params: Params<'_>,
                  sink: MethodSink,
                  state: SubscriptionState<'_>,
                  extensions: Extensions| {
                let (sender, messages) = mpsc::channel(1);
                let between = MethodSink::new_with_limit(sender, sink.max_response_size());
                let served = Arc::clone(&served);
                tokio::spawn(pass_on(name, messages, sink, state.conn_id, served));
                inner(id, params, between, state, extensions)
            },
        )),
        MethodCallback::Unsubscription(inner) => MethodCallback::Unsubscription(Arc::new(
            move |id: Id<'_>, params: Params<'_>, connection, size, extensions: Extensions| {
                if let Ok(subscription) = params.one::<Value>() {
                    let key = (connection, subscription.to_string());
                    if let Some(ended) = served.lock().get_mut(&key) {
                        *ended = true;
                    }
                }
                inner(id, params, connection, size, extensions)
            },
        )),
        other => other,
    }
}

/// Passes messages on until there are no more, and then says so unless the subscriber knows.
async fn pass_on(
    name: &'static str,
    mut messages: mpsc::Receiver<String>,
    sink: MethodSink,
    connection: ConnectionId,
    served: Served,
) {
    #[derive(Deserialize)]
    struct Head {
        method: Option<String>,
        result: Option<Value>,
    }

    let (mut subscription, mut method) = (None, None);
    let read_all = loop {
        let next = messages.recv();
        let closed = sink.closed();
        pin_mut!(next, closed);
        let text = match future::select(next, closed).await {
            Either::Left((Some(text), _)) => text,
            Either::Left((None, _)) => break true,
            Either::Right(_) => break false,
        };
        // The first message is the reply; the one after it says how all further ones are called.
        if method.is_none() {
            let head = serde_json::from_str::<Head>(&text).ok();
            if let Some(Head {
                method: name,
                result,
            }) = head
            {
                method = name;
                if let (None, Some(id)) = (&subscription, result) {
                    let key = (connection, id.to_string());
                    served.lock().insert(key.clone(), false);
                    subscription = Some((key, id));
                }
            }
        }
        if sink.send(text).await.is_err() {
            break false;
        }
    };
    let Some((key, id)) = subscription else {
        return;
    };
    let ended = served.lock().remove(&key).unwrap_or(true);
    if read_all && !ended {
        let error = ErrorObjectOwned::owned(
            TOO_SLOW,
            "the node has ended this subscription, probably since its messages were not read in time; subscribe again",
            None::<()>,
        );
        let params = json!({ "subscription": id, "error": error });
        let method = method.unwrap_or_else(|| message_of(name).to_owned());
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        // No subscriber is left to tell if it fails.
        let _ = sink.send(message.to_string()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polkadot_sdk::*;

    use futures::{channel::oneshot, stream, Future, StreamExt};
    use jsonrpsee::PendingSubscriptionSink;
    use sc_rpc::utils::{BoundedVecDeque, PendingSubscription};

    /// A module with one subscription, which `serve` serves.
    fn serving<Served: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(PendingSubscriptionSink) -> Served + Clone + Send + Sync + 'static,
    ) -> RpcModule<()> {
        let mut module = RpcModule::new(());
        module
            .register_subscription(
                "chain_subscribeNewHeads",
                "chain_newHead",
                "chain_unsubscribeNewHeads",
                move |_, pending, _, _| serve(pending),
            )
            .expect("registers");
        announce_ends(&mut module).expect("announces");
        module
    }

    /// A subscription as the SDK serves it: a hundred messages at once, and room for 16; or one message, and then nothing.
    fn module(messages: u32, then_waits: bool) -> RpcModule<()> {
        serving(move |pending| async move {
            let stream = stream::iter(0..messages);
            let rest = stream::pending::<u32>().take(usize::from(then_waits));
            PendingSubscription::from(pending)
                .pipe_from_stream(stream.chain(rest).boxed(), BoundedVecDeque::new(16))
                .await;
        })
    }

    async fn subscribe(module: &RpcModule<()>) -> (String, mpsc::Receiver<String>) {
        let request = r#"{"jsonrpc":"2.0","id":1,"method":"chain_subscribeNewHeads","params":[]}"#;
        module
            .raw_json_request(request, 1)
            .await
            .expect("a request")
    }

    #[tokio::test]
    async fn a_subscription_that_the_sdk_drops_ends_with_an_error() {
        let (reply, mut messages) = subscribe(&module(100, true)).await;
        let id = serde_json::from_str::<Value>(&reply).expect("JSON")["result"].clone();
        let mut heard = Vec::new();
        while let Some(text) = messages.recv().await {
            heard.push(serde_json::from_str::<Value>(&text).expect("JSON"));
        }
        let last = heard.pop().expect("it said something");
        assert_eq!(last["method"], "chain_newHead");
        assert_eq!(last["params"]["subscription"], id);
        assert_eq!(last["params"]["error"]["code"], TOO_SLOW);
        assert!(heard.len() < 100);
        assert!(heard
            .iter()
            .all(|message| message["params"]["result"].is_number()));
    }

    #[tokio::test]
    async fn a_subscription_that_its_subscriber_ends_just_ends() {
        let module = module(1, true);
        let (reply, mut messages) = subscribe(&module).await;
        let id = serde_json::from_str::<Value>(&reply).expect("JSON")["result"].clone();
        let first = messages.recv().await.expect("a message");
        assert!(first.contains("\"result\":0"), "{first}");
        let request = json!({ "jsonrpc": "2.0", "id": 2, "method": "chain_unsubscribeNewHeads", "params": [id] });
        let (reply, _) = module
            .raw_json_request(&request.to_string(), 1)
            .await
            .expect("a request");
        assert!(reply.contains("true"), "{reply}");
        assert_eq!(messages.recv().await, None);
    }

    #[tokio::test]
    async fn a_subscription_whose_connection_is_gone_is_given_up() {
        let (gone, is_gone) = oneshot::channel::<()>();
        let gone = Arc::new(Mutex::new(Some(gone)));
        let module = serving(move |pending| {
            let gone = gone.lock().take();
            async move {
                let sink = pending.accept().await.expect("it waits");
                sink.closed().await;
                drop(gone);
            }
        });
        let (_, messages) = subscribe(&module).await;
        drop(messages);
        assert!(
            is_gone.await.is_err(),
            "the sender is dropped when the subscription ends"
        );
    }
}
