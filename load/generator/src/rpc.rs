// SPDX-License-Identifier: Apache-2.0

//! Connections to a node. Every request has a deadline.

use crate::{
    error::{Error, Result},
    refusal::Refusal,
};
use jsonrpsee::{
    core::{
        client::{ClientT, Error as ClientError, Subscription, SubscriptionClientT},
        params::ArrayParams,
    },
    ws_client::{WsClient, WsClientBuilder},
};
use serde::de::DeserializeOwned;
use std::{sync::Arc, time::Duration};

/// The time a node has to take a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The time a node has to answer a request, however busy it is.
const ANSWER: Duration = Duration::from_secs(60);
/// A block or a pool full of transactions, as hexadecimal text.
const LARGEST: u32 = 256 * 1_024 * 1_024;

/// One connection; clones share it.
#[derive(Clone)]
pub struct Rpc {
    url: Arc<str>,
    client: Arc<WsClient>,
}

/// What came instead of an answer.
pub enum Trouble {
    /// The node refused.
    Refused(Refusal),
    /// The connection is gone.
    Gone(String),
    /// No answer in time, or one that makes no sense.
    None(String),
}

impl Rpc {
    /// A raw client, as subxt takes it.
    pub async fn client(url: &str, in_flight: usize) -> Result<WsClient> {
        let client = WsClientBuilder::default()
            .max_response_size(LARGEST)
            .max_concurrent_requests(in_flight)
            .request_timeout(ANSWER)
            .connection_timeout(CONNECT)
            .build(url)
            .await;
        client.map_err(|error| Error::Unreachable {
            url: url.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Connects; at most `in_flight` requests wait for their answers.
    pub async fn connect(url: &str, in_flight: usize) -> Result<Self> {
        Ok(Self {
            url: url.into(),
            client: Arc::new(Self::client(url, in_flight).await?),
        })
    }

    /// Calls a method, and tells trouble apart.
    pub async fn request<T: DeserializeOwned>(
        &self,
        method: &str,
        params: ArrayParams,
    ) -> Result<T, Trouble> {
        let answer = self.client.request(method, params).await;
        answer.map_err(|error| match error {
            ClientError::Call(error) => Trouble::Refused(Refusal::new(
                error.code(),
                error.message(),
                error.data().map(|data| data.get()),
            )),
            ClientError::RestartNeeded(_) | ClientError::Transport(_) => {
                Trouble::Gone(error.to_string())
            }
            error => Trouble::None(error.to_string()),
        })
    }

    /// Calls a method.
    pub async fn call<T: DeserializeOwned>(&self, method: &str, params: ArrayParams) -> Result<T> {
        let answer = self.request(method, params).await;
        answer.map_err(|trouble| self.error(method, trouble))
    }

    /// Subscribes.
    pub async fn subscribe<T: DeserializeOwned>(
        &self,
        method: &str,
        end: &str,
    ) -> Result<Subscription<T>> {
        let opened = self.client.subscribe(method, ArrayParams::new(), end).await;
        opened.map_err(|error| self.error(method, Trouble::Gone(error.to_string())))
    }

    /// Trouble as an error.
    pub fn error(&self, method: &str, trouble: Trouble) -> Error {
        match trouble {
            Trouble::Refused(refusal) => Error::Refused {
                method: method.to_owned(),
                message: format!("{} (code {})", refusal.message, refusal.code),
            },
            Trouble::Gone(reason) => Error::Unreachable {
                url: self.url.to_string(),
                reason,
            },
            Trouble::None(reason) => Error::Failed {
                doing: method.to_owned(),
                reason,
            },
        }
    }

    /// Where it goes.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Reads `0x…`, as nodes write bytes.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    if digits.len() % 2 != 0 {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    let pairs = digits.chunks_exact(2).map(|pair| match *pair {
        [high, low] => u8::try_from(value(high)? * 16 + value(low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

/// Writes `0x…`.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("0x");
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(nibble)]));
        }
    }
    text
}

/// A number as nodes write it in headers.
pub fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_text_is_read_and_written() {
        assert_eq!(to_hex(&[0, 0x1f, 0xff]), "0x001fff");
        assert_eq!(from_hex("0x001fFF"), Some(vec![0, 0x1f, 0xff]));
        assert_eq!(from_hex("0x"), Some(vec![]));
        for bad in ["", "00", "0x0", "0xzz", "0x+1"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
        assert_eq!(number("0x10"), Some(16));
        assert_eq!(number("16"), None);
    }
}
