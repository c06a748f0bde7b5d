// SPDX-License-Identifier: Apache-2.0

//! Reads a completion: the model's words, or why there are none.

use super::retry::{self, Trouble};
use hyper::{HeaderMap, StatusCode};
use serde_json::Value;

/// The model's words in a reply. Those of its thoughts that come apart from them are left out.
pub fn words(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<String, Trouble> {
    if status != StatusCode::OK {
        return Err(retry::judge(status, headers, body));
    }
    let reply: Value = serde_json::from_slice(body)
        .map_err(|e| Trouble::Passing(format!("reply is not JSON: {e}"), None))?;
    let choice = reply.pointer("/choices/0");
    let errors = [reply.get("error"), choice.and_then(|c| c.get("error"))];
    if let Some(error) = errors.into_iter().flatten().find(|e| !e.is_null()) {
        // Some gateways answer 200 and put the status into the error.
        let code = error.get("code").and_then(Value::as_u64);
        let status = code
            .and_then(|code| u16::try_from(code).ok())
            .and_then(|code| StatusCode::from_u16(code).ok())
            .filter(|status| status.as_u16() >= 400)
            .unwrap_or(StatusCode::BAD_GATEWAY);
        return Err(retry::judge(status, headers, error.to_string().as_bytes()));
    }
    let Some(choice) = choice else {
        let said = retry::message(body);
        return Err(Trouble::Passing(
            format!("reply without choices: {said}"),
            None,
        ));
    };
    match choice.get("finish_reason").and_then(Value::as_str) {
        Some("length") => return Err(Trouble::Final(tos_sdk::error::Error::Failed(
            "model: the reply was cut off at the limit of tokens: give more with --max-tokens, \
                 or at the endpoint"
                .into(),
        ))),
        Some(reason @ ("content_filter" | "refusal")) => {
            return Err(Trouble::declined(format!(
                "model: it does not answer this task ({reason})"
            )))
        }
        _ => {}
    }
    let message = choice.get("message");
    let text = text(message.and_then(|m| m.get("content")));
    if !text.trim().is_empty() {
        return Ok(text);
    }
    let refusal = message
        .and_then(|m| m.get("refusal"))
        .and_then(Value::as_str);
    Err(match refusal.filter(|said| !said.trim().is_empty()) {
        Some(said) => Trouble::declined(format!(
            "model: it does not answer this task: {}",
            retry::message(said.as_bytes())
        )),
        None => Trouble::Useless("reply without content".into()),
    })
}

/// Content as one text: a string, or the parts of it that are text.
fn text(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| match part {
                Value::String(text) => Some(text.as_str()),
                part => {
                    let kind = part.get("type").and_then(Value::as_str);
                    let spoken = matches!(kind, None | Some("text" | "output_text"));
                    part.get("text").and_then(Value::as_str).filter(|_| spoken)
                }
            })
            .collect(),
        _ => String::new(),
    }
}
