// SPDX-License-Identifier: Apache-2.0

//! Addresses of an OpenAI-compatible endpoint, from what its vendor calls the base URL.

use hyper::Uri;
use tos_sdk::error::{Error, Result};

const CHAT: &str = "/chat/completions";

/// Address of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Scheme, host and path, without `/chat/completions`.
    base: String,
    /// With its question mark, or empty.
    query: String,
    /// The address was given whole.
    pub whole: bool,
}

impl Address {
    /// Reads an address. `/v1` is added to a bare host only; any other path is its vendor's.
    pub fn parse(url: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::Usage(format!(
                "the endpoint {url}: {why}; give its base address, such as http://127.0.0.1:8080 \
                 or https://host/v1"
            ))
        };
        let uri: Uri = url.trim().parse().map_err(|_| wrong("no URL"))?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong("no scheme or no host"));
        };
        if !matches!(scheme, "http" | "https") {
            return Err(wrong("neither http nor https"));
        }
        let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
        let path = uri.path().trim_end_matches('/');
        let (path, whole) = match path.strip_suffix(CHAT) {
            Some(base) => (base, true),
            None if path.is_empty() => ("/v1", false),
            None => (path, false),
        };
        let base = format!("{scheme}://{host}{path}");
        Ok(Self { base, query, whole })
    }

    /// Address that completions are asked for at.
    pub fn chat(&self) -> String {
        format!("{}{CHAT}{}", self.base, self.query)
    }

    /// Address of the names of the models.
    pub fn models(&self) -> String {
        format!("{}/models{}", self.base, self.query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_path_is_taken_as_its_vendor_gives_it() {
        for (url, chat) in [
            ("http://h", "http://h/v1/chat/completions"),
            ("http://h:80/", "http://h:80/v1/chat/completions"),
            ("http://h/v1", "http://h/v1/chat/completions"),
            ("http://h/v1/", "http://h/v1/chat/completions"),
            (
                "http://h/v1/chat/completions",
                "http://h/v1/chat/completions",
            ),
            (
                "https://h/v1beta/openai",
                "https://h/v1beta/openai/chat/completions",
            ),
            (
                "https://h/api/paas/v4/",
                "https://h/api/paas/v4/chat/completions",
            ),
            (
                "https://h/openai/deployments/x/chat/completions?api-version=2026-01-01",
                "https://h/openai/deployments/x/chat/completions?api-version=2026-01-01",
            ),
            (
                "https://h/openai/deployments/x?api-version=1",
                "https://h/openai/deployments/x/chat/completions?api-version=1",
            ),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.chat(), chat, "{url}");
            assert_eq!(address.models(), chat.replace("chat/completions", "models"));
        }
        for bad in ["", "h:8080/v1", "ftp://h/v1", "http://"] {
            let error = Address::parse(bad).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{bad}");
        }
    }
}
