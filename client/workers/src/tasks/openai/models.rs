// SPDX-License-Identifier: Apache-2.0

//! Finds out, before any stake is put down, whether an endpoint answers and which model it has.

use super::{retry, Endpoint};
use hyper::StatusCode;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tos_sdk::{
    error::{Error, Result},
    http::Http,
    span,
};

/// Time that an endpoint may take to name its models.
const TIME: Duration = Duration::from_secs(15);
/// Pause between attempts to reach an endpoint that was away at the start.
const PAUSE: Duration = Duration::from_secs(5);
/// Number of names that an error shows.
const MAX_NAMES: usize = 20;

/// An endpoint's word on its models.
enum Listed {
    /// These it has.
    Names(Vec<String>),
    /// It has no list.
    Nothing,
    /// It does not answer now.
    Away(String),
}

impl Endpoint {
    /// Makes sure that the endpoint has the model, or one only if none is named. One that is away
    /// is asked again in the background; until it answers, [`Endpoint::unfit`] says so.
    pub async fn prepare(&self, http: &Http) -> Result<()> {
        let named = self.options.model.clone();
        self.state.lock().model.clone_from(&named);
        if named.is_some() && self.address.whole {
            return Ok(());
        }
        match self.list(http).await? {
            Listed::Away(why) => {
                tracing::warn!(
                    why,
                    "the model's endpoint does not answer; nothing is taken on until it does"
                );
                self.state.lock().broken(why, false);
                let (http, endpoint) = (http.clone(), self.clone());
                span::spawn(async move { endpoint.wait(&http).await });
                Ok(())
            }
            listed => self.settle(listed),
        }
    }

    async fn wait(&self, http: &Http) {
        while self.state.is_shared() {
            sleep(PAUSE).await;
            let settled = match self.list(http).await {
                Ok(Listed::Away(_)) => continue,
                Ok(listed) => self.settle(listed),
                Err(error) => Err(error),
            };
            match settled {
                Ok(()) => {
                    tracing::info!("the model's endpoint answers");
                    self.state.lock().works();
                }
                Err(error) => {
                    tracing::error!(%error, "the model's endpoint cannot be used; start again");
                    self.state.lock().broken(error.to_string(), false);
                }
            }
            return;
        }
    }

    /// Settles on a model.
    fn settle(&self, listed: Listed) -> Result<()> {
        let named = self.options.model.as_deref();
        let model = match listed {
            Listed::Names(names) => choose(named, &names)?,
            _ => named.map(str::to_owned).ok_or_else(|| {
                Error::Usage(
                    "the endpoint has no list of its models: say which with --model".into(),
                )
            })?,
        };
        tracing::info!(model, url = self.address.chat(), "asking a model");
        self.state.lock().model = Some(model);
        Ok(())
    }

    async fn list(&self, http: &Http) -> Result<Listed> {
        let request = self.request("GET", &self.address.models(), String::new())?;
        let (status, _, body) = match timeout(TIME, super::exchange(http, request)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(why)) => return Ok(Listed::Away(why)),
            Err(_) => return Ok(Listed::Away("no answer in time".into())),
        };
        let why = || format!("status {}: {}", status.as_u16(), retry::message(&body));
        match status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN => {
                return Err(Error::Usage(format!(
                    "the model's endpoint: {}; see to the key (--api-key-env)",
                    why()
                )))
            }
            status if status.is_client_error() && !matches!(status.as_u16(), 408 | 425 | 429) => {
                return Ok(Listed::Nothing)
            }
            _ => return Ok(Listed::Away(why())),
        }
        let parsed: Option<Value> = serde_json::from_slice(&body).ok();
        let list = parsed.as_ref().and_then(|value| {
            let data = value.get("data").unwrap_or(value);
            data.as_array()
        });
        Ok(match list {
            None => Listed::Nothing,
            Some(list) => {
                let id = |model: &Value| model.get("id").and_then(Value::as_str).map(str::to_owned);
                Listed::Names(list.iter().filter_map(id).collect())
            }
        })
    }
}

/// The model to ask for, from the names of those there are.
fn choose(named: Option<&str>, names: &[String]) -> Result<String> {
    let have = || {
        let shown: Vec<_> = names.iter().take(MAX_NAMES).map(String::as_str).collect();
        let more = names.len().saturating_sub(shown.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!("{}{more}", shown.join(", "))
    };
    match (named, names) {
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Error::Usage(
            "the endpoint's list of models is empty: load one, or say which with --model".into(),
        )),
        (None, _) => Err(Error::Usage(format!(
            "the endpoint has several models: say which with --model: {}",
            have()
        ))),
        (Some(named), []) => Ok(named.to_owned()),
        (Some(named), names) => {
            // Vendors leave out a tag or a collection where they take names.
            let fits = |name: &&String| {
                let short = name.strip_suffix(":latest").unwrap_or(name);
                short == named || name.as_str() == named || name.ends_with(&format!("/{named}"))
            };
            match names.iter().find(fits) {
                Some(_) => Ok(named.to_owned()),
                None => Err(Error::Usage(format!(
                    "the endpoint has no model {named}; it has {}",
                    have()
                ))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_taken_only_when_there_is_no_doubt() {
        let names = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
        let two = names(&["qwen3:latest", "models/gem"]);
        assert_eq!(choose(None, &names(&["a"])).unwrap(), "a");
        for named in ["qwen3", "qwen3:latest", "gem", "models/gem"] {
            assert_eq!(choose(Some(named), &two).unwrap(), named);
        }
        for named in [None, Some("qwen"), Some("default")] {
            let error = choose(named, &two).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(
                error.to_string().contains("qwen3:latest, models/gem"),
                "{error}"
            );
        }
        assert_eq!(choose(None, &[]).unwrap_err().exit_code(), 2);
        assert_eq!(choose(Some("a"), &[]).unwrap(), "a");
        let many: Vec<_> = (0..100).map(|n| n.to_string()).collect();
        let error = choose(None, &many).unwrap_err().to_string();
        assert!(error.contains("and 80 more"), "{error}");
    }
}
