// SPDX-License-Identifier: Apache-2.0

//! The fate of a request that failed: tried again, when, or not.

use hyper::{header, HeaderMap, StatusCode};
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tos_sdk::error::Error;

/// The longest message of an endpoint that is shown.
const MAX_MESSAGE: usize = 300;
/// The longest pause that is believed; beyond it an endpoint is as good as away.
const MAX_PAUSE: u64 = 7 * 24 * 60 * 60;

/// A request that failed.
#[derive(Debug)]
pub enum Trouble {
    /// Asking again may help, but not before this pause is over.
    Passing(String, Option<Duration>),
    /// The model's words are of no use. Asking again may help a few times.
    Useless(String),
    /// The endpoint does not know a part of the request.
    Unknown(Part),
    /// Asking again will not help.
    Final(Error),
}

/// Part of a request that not every endpoint knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `response_format`.
    Format,
    /// `max_tokens` or `max_completion_tokens`.
    Tokens,
    /// `temperature`.
    Temperature,
}

impl Trouble {
    /// Trouble that has nothing to do with the task.
    pub fn broken(why: impl Into<String>) -> Self {
        Self::Final(Error::Broken(why.into()))
    }

    /// Trouble with this task alone that will come again.
    pub fn declined(why: impl Into<String>) -> Self {
        Self::Final(Error::Declined(why.into()))
    }
}

/// An endpoint's word on a failure, in one line without control characters.
pub fn message(body: &[u8]) -> String {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let said = parsed.as_ref().and_then(|value| {
        let error = value.get("error").unwrap_or(value);
        [error.get("message"), error.get("detail"), Some(error)]
            .into_iter()
            .flatten()
            .find_map(Value::as_str)
    });
    let text = match said {
        Some(said) => said.to_owned(),
        None => String::from_utf8_lossy(body).into_owned(),
    };
    let text: String = text.chars().take(MAX_MESSAGE).collect();
    text.split(|c: char| c.is_control())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The way to go on after a reply with this status, and body, that is not a completion.
pub fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Trouble {
    let (said, all) = (message(body), String::from_utf8_lossy(body).to_lowercase());
    let why = format!("model: status {}: {said}", status.as_u16());
    let names = |words: &[&str]| words.iter().any(|word| all.contains(word));
    if names(&["insufficient_quota", "billing_hard_limit", "credit balance"]) {
        return Trouble::broken(format!("{why}; see to the account at the endpoint"));
    }
    match status.as_u16() {
        408 | 425 | 429 | 500..=599 => Trouble::Passing(why, retry_after(headers, now())),
        401..=403 => Trouble::broken(format!(
            "{why}; see to the key (--api-key-env) and the account at the endpoint"
        )),
        // The task is too long for the model, whatever parameter the message names with it.
        413 => Trouble::declined(why),
        400 | 422 if names(&["context_length", "context length", "context size"]) => {
            Trouble::declined(why)
        }
        400 | 404 | 422 if names(&["response_format", "json_schema", "json_object", "grammar"]) => {
            Trouble::Unknown(Part::Format)
        }
        400 | 404 | 422 if names(&["max_tokens", "max_completion_tokens"]) => {
            Trouble::Unknown(Part::Tokens)
        }
        400 | 404 | 422 if names(&["temperature"]) => Trouble::Unknown(Part::Temperature),
        400 | 422 => Trouble::Final(Error::Failed(why)),
        _ => Trouble::broken(format!("{why}; see to the address and --model")),
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map(|since| since.as_secs()).unwrap_or_default()
}

/// The pause that an endpoint asks for: seconds, or a date.
pub fn retry_after(headers: &HeaderMap, now: u64) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match value.parse::<u64>() {
        Ok(seconds) => seconds,
        // A date is told to the second, so the last one is waited for whole.
        Err(_) => imf_fixdate(value)?.saturating_sub(now).saturating_add(1),
    };
    Some(Duration::from_secs(seconds.min(MAX_PAUSE)))
}

/// Seconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn imf_fixdate(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, rest) = text.split_once(", ")?;
    let mut words = rest.split(' ');
    let day: i64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as i64;
    let year: i64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.splitn(3, ':').map(str::parse::<i64>);
    let mut part = || clock.next()?.ok();
    let (hour, minute, second) = (part()?, part()?, part()?);
    let fits = (1970..=9999).contains(&year)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !fits || words.next() != Some("GMT") || words.next().is_some() {
        return None;
    }
    // Days from the civil calendar, with years that begin in March.
    let shifted = (month + 10) % 12;
    let year = if month < 2 { year - 1 } else { year };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * shifted + 2) / 5 + day - 1;
    let seconds = (days - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second;
    u64::try_from(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, value.parse().unwrap());
        headers
    }

    #[test]
    fn dates_of_http_are_read() {
        assert_eq!(
            imf_fixdate("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
        assert_eq!(imf_fixdate("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(
            imf_fixdate("Thu, 29 Feb 2024 23:59:59 GMT"),
            Some(1_709_251_199)
        );
        assert_eq!(
            imf_fixdate("Sun, 29 Nov 2026 06:05:00 GMT"),
            Some(1_795_932_300)
        );
        for bad in [
            "",
            "soon",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Now 1994 08:49:37 GMT",
            "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
        ] {
            assert_eq!(imf_fixdate(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pause_may_be_told_in_seconds_or_as_a_date() {
        let pause = |value| retry_after(&headers(value), 784_111_700);
        assert_eq!(pause("120"), Some(Duration::from_secs(120)));
        let date = pause("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date, Some(Duration::from_secs(78)));
        assert_eq!(
            pause("Sun, 06 Nov 1993 08:49:37 GMT"),
            Some(Duration::from_secs(1))
        );
        assert_eq!(pause("-1"), None);
        assert_eq!(
            pause("18446744073709551615").map(|d| d.as_secs()),
            Some(MAX_PAUSE)
        );
    }

    #[test]
    fn what_a_status_means_depends_on_whose_fault_it_is() {
        let judged = |status: u16, body: &str| {
            let status = StatusCode::from_u16(status).unwrap();
            match judge(status, &HeaderMap::new(), body.as_bytes()) {
                Trouble::Passing(..) => "passing",
                Trouble::Useless(_) => "useless",
                Trouble::Unknown(Part::Format) => "format",
                Trouble::Unknown(Part::Tokens) => "tokens",
                Trouble::Unknown(Part::Temperature) => "temperature",
                Trouble::Final(Error::Broken(_)) => "broken",
                Trouble::Final(Error::Declined(_)) => "declined",
                Trouble::Final(_) => "task",
            }
        };
        for status in [408, 425, 429, 500, 502, 503, 529] {
            assert_eq!(judged(status, ""), "passing", "{status}");
        }
        for status in [302, 401, 402, 403, 404, 405] {
            assert_eq!(judged(status, ""), "broken", "{status}");
        }
        let quota = r#"{"error": {"type": "insufficient_quota", "message": "x"}}"#;
        assert_eq!(judged(429, quota), "broken");
        assert_eq!(judged(413, ""), "declined");
        assert_eq!(
            judged(400, "maximum context length; max_tokens"),
            "declined"
        );
        assert_eq!(judged(400, "bad"), "task");
        assert_eq!(judged(400, "'response_format' is unknown"), "format");
        assert_eq!(judged(400, "use 'max_completion_tokens'"), "tokens");
        assert_eq!(judged(422, "temperature must be 1"), "temperature");
    }

    #[test]
    fn messages_are_short_and_of_one_line() {
        assert_eq!(message(br#"{"error": {"message": "a\nb"}}"#), "a b");
        assert_eq!(
            message(br#"{"error": "model not found"}"#),
            "model not found"
        );
        assert_eq!(message(br#"{"detail": "no"}"#), "no");
        assert_eq!(message(b"\x1b[2Jplain"), " [2Jplain");
        assert_eq!(message(&[b'x'; 5000]).len(), MAX_MESSAGE);
    }
}
