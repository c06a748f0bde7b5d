// SPDX-License-Identifier: Apache-2.0

//! Sealing by a password: scrypt makes a key of it, and NaCl's secretbox seals with that.

use super::error::FileError;
use crate::error::{Context, Result};
use crypto_secretbox::{
    aead::{rand_core::RngCore, Aead, KeyInit, OsRng},
    Nonce, XSalsa20Poly1305,
};
use zeroize::Zeroizing;

const SALT: usize = 32;
const NONCE: usize = XSalsa20Poly1305::NONCE_SIZE;
/// Length of what says how the key follows from the password: salt, N, p and r.
pub(super) const HEADER: usize = SALT + 3 * 4;
/// Bytes that sealing adds to a message.
pub(super) const OVERHEAD: usize = NONCE + XSalsa20Poly1305::TAG_SIZE;

/// Parameters of scrypt, in the order in which files have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Params {
    n: u32,
    p: u32,
    r: u32,
}

impl Params {
    /// The parameters that new files have, 128 MiB of memory: those of polkadot.js since 2025.
    pub const STRONG: Self = Self::new(1 << 17, 1, 8);
    /// The parameters that files of polkadot.js had before.
    #[cfg(test)]
    pub const STANDARD: Self = Self::new(1 << 15, 1, 8);
    /// Sets that polkadot.js reads. The list is the bound: a file that asks for anything else is
    /// refused before any memory is taken.
    const ALLOWED: [Self; 6] = [
        Self::new(1 << 13, 10, 8),
        Self::new(1 << 14, 5, 8),
        Self::new(1 << 15, 3, 8),
        Self::new(1 << 15, 1, 8),
        Self::new(1 << 16, 2, 8),
        Self::STRONG,
    ];

    const fn new(n: u32, p: u32, r: u32) -> Self {
        Self { n, p, r }
    }
}

/// A key that follows from a password, and what it follows by.
pub(super) struct Lock {
    header: [u8; HEADER],
    cipher: XSalsa20Poly1305,
}

impl Lock {
    /// A lock with a new salt.
    pub fn new(password: &str, params: Params) -> Result<Self> {
        let mut header = [0; HEADER];
        OsRng.fill_bytes(&mut header[..SALT]);
        for (place, number) in header[SALT..]
            .chunks_exact_mut(4)
            .zip([params.n, params.p, params.r])
        {
            place.copy_from_slice(&number.to_le_bytes());
        }
        Self::of(password, header).context("sealing the key")
    }

    /// The lock of a header, which a stranger may have written.
    pub fn of(password: &str, header: [u8; HEADER]) -> Result<Self, FileError> {
        let number = |at: usize| {
            let bytes = [0, 1, 2, 3].map(|i| header[SALT + 4 * at + i]);
            u32::from_le_bytes(bytes)
        };
        let params = Params::new(number(0), number(1), number(2));
        let Params { n, p, r } = params;
        let refused = FileError::Scrypt { n, p, r };
        if !Params::ALLOWED.contains(&params) {
            return Err(refused);
        }
        let mut key = Zeroizing::new([0; XSalsa20Poly1305::KEY_SIZE]);
        scrypt::Params::new(n.ilog2() as u8, r, p, key.len())
            .ok()
            .and_then(|params| {
                let password = password.as_bytes();
                scrypt::scrypt(password, &header[..SALT], &params, &mut key[..]).ok()
            })
            .ok_or(refused)?;
        let cipher = XSalsa20Poly1305::new(key.as_slice().into());
        Ok(Self { header, cipher })
    }

    /// The header, from which the password makes this lock again.
    pub fn header(&self) -> [u8; HEADER] {
        self.header
    }

    /// A nonce and the sealed message.
    pub fn seal(&self, message: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = Nonce::default();
        OsRng.fill_bytes(&mut nonce);
        let sealed = self.cipher.encrypt(&nonce, message);
        Ok([&nonce[..], &sealed.context("sealing the key")?].concat())
    }

    /// The message of what [`Self::seal`] returned.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let (nonce, sealed) = sealed
            .split_at_checked(NONCE)
            .ok_or(FileError::WrongPassword)?;
        let opened = self.cipher.decrypt(Nonce::from_slice(nonce), sealed);
        opened
            .map(Zeroizing::new)
            .map_err(|_| FileError::WrongPassword)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(n: u32, p: u32, r: u32) -> [u8; HEADER] {
        let numbers = [n, p, r].map(u32::to_le_bytes).concat();
        [&[0; SALT][..], &numbers].concat().try_into().unwrap()
    }

    #[test]
    fn a_message_opens_with_its_password_alone() {
        let lock = Lock::new("secret", Params::STANDARD).unwrap();
        let sealed = lock.seal(b"message").unwrap();
        assert_eq!(sealed.len(), b"message".len() + OVERHEAD);
        let again = |password| Lock::of(password, lock.header()).unwrap().open(&sealed);
        assert_eq!(&again("secret").unwrap()[..], b"message");
        assert_eq!(again("Secret").err(), Some(FileError::WrongPassword));
        assert_ne!(
            sealed,
            lock.seal(b"message").unwrap(),
            "a nonce was used twice"
        );
    }

    #[test]
    fn a_changed_or_short_message_does_not_open() {
        let lock = Lock::new("secret", Params::STANDARD).unwrap();
        let sealed = lock.seal(b"message").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(lock.open(&changed).err(), Some(FileError::WrongPassword));
            assert_eq!(
                lock.open(&sealed[..at]).err(),
                Some(FileError::WrongPassword)
            );
        }
    }

    #[test]
    fn every_set_of_parameters_that_polkadot_js_reads_makes_a_key() {
        for Params { n, p, r } in Params::ALLOWED {
            assert!(Lock::of("secret", header(n, p, r)).is_ok(), "{n} {p} {r}");
        }
    }

    #[test]
    fn other_parameters_are_refused_before_memory_is_taken() {
        for (n, p, r) in [
            (0, 0, 0),
            (0, 1, 8),
            (1 << 15, 0, 8),
            (1 << 15, 1, 0),
            (1 << 14, 1, 8),
            ((1 << 15) + 1, 1, 8),
            (1 << 18, 1, 8),
            (1 << 20, 4, 16),
            (1 << 31, 1, 8),
            (u32::MAX, u32::MAX, u32::MAX),
        ] {
            let error = Lock::of("secret", header(n, p, r)).err();
            assert_eq!(error, Some(FileError::Scrypt { n, p, r }));
        }
    }
}
