// SPDX-License-Identifier: Apache-2.0

//! Reasons why a key file is refused.

use crate::error::Error;

/// A key file that cannot be read or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The password does not open the file. A changed byte looks the same.
    #[error("wrong password, or the file is damaged")]
    WrongPassword,
    /// The file is longer than any key file.
    #[error("the file is longer than {0} bytes, so it is no key file")]
    TooLong(usize),
    /// The text is no JSON, or a field is missing or of another type.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// JSON that is neither of the two formats.
    #[error(
        "the file has neither `encoding`, as polkadot.js writes it, nor `argon2id`, as earlier \
         versions of this program did: it is no key file"
    )]
    NoKeyFile,
    /// A file that needs no password.
    #[error("the file is not encrypted: export it from polkadot.js with a password")]
    NotEncrypted,
    /// Another way of sealing than scrypt and XSalsa20-Poly1305 in version 3.
    #[error(
        "the file is sealed as version {version} by {by}; version 3 by scrypt and \
         xsalsa20-poly1305 can be read: export it anew from polkadot.js"
    )]
    Encoding {
        /// Version that the file names.
        version: String,
        /// Algorithms that the file names.
        by: String,
    },
    /// Contents that are no key of the chain, such as an Ethereum key or several accounts at once.
    #[error("the file holds {0}; pkcs8 of sr25519, ed25519 or ecdsa can be read")]
    Content(String),
    /// An address that is neither SS58 nor, for ECDSA, a public key.
    #[error("the file's address is not {0}")]
    Address(&'static str),
    /// Sealed bytes that are no text of base64 or hexadecimal digits, or of an impossible length.
    #[error("the file's `encoded` is {0}")]
    Encoded(&'static str),
    /// Parameters of scrypt that polkadot.js neither writes nor reads. They are not tried: they
    /// could ask for any amount of memory.
    #[error(
        "the file asks for scrypt with N = {n}, p = {p}, r = {r}, which polkadot.js never does"
    )]
    Scrypt {
        /// Cost in memory and time.
        n: u32,
        /// Number of passes.
        p: u32,
        /// Size of a block.
        r: u32,
    },
    /// More work of Argon2id than a file may ask for.
    #[error("the file asks for an absurd amount of work")]
    Argon2,
    /// A version of the earlier format that does not exist.
    #[error("the file has unknown version {0}")]
    Version(u32),
    /// An opened file whose contents are no secret of its scheme.
    #[error("what is sealed in the file has {0}")]
    Body(&'static str),
    /// An opened file whose secret belongs to another address than the one it names.
    #[error("the secret in the file is not that of its address")]
    OtherKey,
}

impl FileError {
    /// The error as commands return it, for the key of this name.
    pub(super) fn of(self, name: &str) -> Error {
        match self {
            Self::WrongPassword => Error::WrongPassword(name.into()),
            other => Error::Failed(format!("key `{name}`: {other}")),
        }
    }
}
