// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Last words of a node that did not start, or of a command that failed: one line, below all that the log
//! has said, with the error and what to do next.

use sc_cli::Error;
use sc_service::Error as ServiceError;

/// Advice where nothing better is known.
const ANY: &str =
    "`tos-node --help` lists the options; docs/runbooks.md (TosNodeDown) says what to look at";
/// Advice on a database that cannot be locked.
const IN_USE: &str =
    "another node uses this folder: end that one, or choose another folder with --base-path";
/// Advice on a validator that has no identity in the network.
const NO_KEY: &str =
    "make one with `tos-node key generate-node-key --base-path FOLDER --chain CHAIN`, with the \
     folder and the chain of this node, and keep it";

/// The error and what to do next, in one line.
pub fn line(error: &Error) -> String {
    let what = words(error);
    match advice(error, &what) {
        Some(advice) => format!("{what}; {advice}"),
        None => what,
    }
}

/// The error without the names of the layers that it came through, in one line.
fn words(error: &Error) -> String {
    let text = match error {
        Error::NetworkKeyNotFound(path) => format!("no network key at {}", path.display()),
        Error::Service(ServiceError::Other(text)) => text.clone(),
        Error::Service(ServiceError::Application(error)) => error.to_string(),
        other => other.to_string(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Advice on an error; none where its words name the option that helps.
fn advice(error: &Error, what: &str) -> Option<&'static str> {
    let said = what.to_lowercase();
    if matches!(error, Error::NetworkKeyNotFound(_)) {
        Some(NO_KEY)
    } else if said.contains("lock file") || said.contains("file is in use") {
        // Words of RocksDB and of ParityDB.
        Some(IN_USE)
    } else if format!(" {said}").contains(" --") {
        None
    } else {
        Some(ANY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last line after an error of the service.
    fn after(error: ServiceError) -> String {
        line(&Error::Service(error))
    }

    #[test]
    fn a_failed_start_ends_with_one_line_that_says_what_to_do() {
        let taken = "RPC: the port is taken; end that one, or choose another port with --rpc-port";
        assert_eq!(after(ServiceError::Other(taken.into())), taken);
        let locked = "IO error: While lock file: /db/LOCK: Resource temporarily unavailable";
        let told = after(ServiceError::Application(locked.into()));
        assert_eq!(told, format!("{locked}; {IN_USE}"));
        let told = line(&Error::Input("no chain `x`\n  known: dev".into()));
        assert_eq!(
            told,
            format!("Invalid input: no chain `x` known: dev; {ANY}")
        );
    }

    #[test]
    fn a_validator_without_a_network_key_is_told_where_it_is_missed_and_how_to_make_one() {
        let told = line(&Error::NetworkKeyNotFound("/base/secret_ed25519".into()));
        assert!(told.starts_with("no network key at /base/secret_ed25519; "));
        assert!(told.contains("key generate-node-key"), "{told}");
        assert_eq!(told.lines().count(), 1);
    }
}
