// SPDX-License-Identifier: Apache-2.0

//! Words of a refusal for people: the documentation of the chain's errors also speaks to programs, and
//! errors that no pallet has say nothing of what to do.

use crate::error::Error;
use subxt::error::{DispatchError, TokenError};
use tos_types::Balance;

/// A failed call that cost a fee, in wei, with the documentation its error has in the metadata.
pub(super) fn refusal(error: &DispatchError, fee: Option<Balance>) -> Error {
    if let DispatchError::Module(module) = error {
        if let Ok(details) = module.details() {
            let docs = plain(details.variant.docs.join(" ").trim());
            return Error::Refused {
                name: format!("{}::{}", details.pallet.name(), details.variant.name),
                docs: (!docs.is_empty()).then_some(docs),
                fee,
            };
        }
    }
    Error::Refused {
        name: error.to_string().trim_end_matches('.').to_owned(),
        docs: general(error).map(str::to_owned),
        fee,
    }
}

/// The documentation of an error without what only programs can call or read, which stands between
/// backquotes: the first sentence up to the colon before it, and no further sentence that names it.
pub(super) fn plain(docs: &str) -> String {
    let mut sentences = docs.split_inclusive(". ");
    let first = sentences.next().unwrap_or_default();
    let named = first.find('`').and_then(|at| first.get(..at));
    let first = match named.and_then(|before| before.rsplit_once(": ")) {
        Some((said, _)) => format!("{said}. "),
        None => first.to_owned(),
    };
    let others = sentences.filter(|sentence| !sentence.contains('`'));
    let all: String = std::iter::once(first.as_str()).chain(others).collect();
    all.trim_end().to_owned()
}

/// Reason and remedy of an error that no pallet has; none where its own words have both.
fn general(error: &DispatchError) -> Option<&'static str> {
    Some(match error {
        DispatchError::BadOrigin => {
            "This account may not make the call: governance makes it, or another account (--key, --for)."
        }
        DispatchError::Token(TokenError::Frozen) => {
            "TOS of this account are locked, as by votes or stakes: wait until they are free, or \
             sign with the key of another account (--key)."
        }
        DispatchError::Token(TokenError::BelowMinimum | TokenError::CannotCreate) => {
            "An account would get less than the least that an account must have: give it more."
        }
        DispatchError::Token(TokenError::NotExpendable | TokenError::OnlyProvider)
        | DispatchError::ConsumerRemaining => {
            "This account would keep less than it must: send it some TOS, or spend less."
        }
        DispatchError::Exhausted => "The call is too large for a block: make it smaller.",
        DispatchError::Unavailable => "Try again later.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_programs_can_call_or_read_is_left_out_of_an_error() {
        for (docs, expected) in [
            (
                "The judge is leaving. Use `rejoin` to stay.",
                "The judge is leaving.",
            ),
            (
                "Tasks of this type cannot be published: choose one listed in `TaskTypes`.",
                "Tasks of this type cannot be published.",
            ),
            (
                "The account has no such reward: never booked, or paid out already. Read \
                 `claimable` for what there is.",
                "The account has no such reward: never booked, or paid out already.",
            ),
            (
                "The verdict `plagiarised` is not taken: the chain finds copies by itself.",
                "The verdict `plagiarised` is not taken: the chain finds copies by itself.",
            ),
            ("One. Two `x`. Three.", "One. Three."),
            ("", ""),
        ] {
            assert_eq!(plain(docs), expected);
        }
    }

    #[test]
    fn an_error_that_no_pallet_has_says_what_to_do() {
        for (error, name, part) in [
            (DispatchError::BadOrigin, "Bad origin", "governance"),
            (
                DispatchError::Token(TokenError::Frozen),
                "Token error: Funds exist but are frozen",
                "until they are free",
            ),
        ] {
            let text = refusal(&error, None).to_string();
            assert!(
                text.starts_with(&format!("refused by the chain: {name}: ")),
                "{text}"
            );
            assert!(text.contains(part), "{text}");
        }
        // Their funds are told from the state.
        let poor = refusal(&DispatchError::Token(TokenError::FundsUnavailable), Some(1));
        let Error::Refused { name, docs, fee } = poor else {
            panic!("{poor}");
        };
        assert!(name.contains("Funds are unavailable") && docs.is_none() && fee == Some(1));
    }
}
