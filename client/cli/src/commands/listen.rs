// SPDX-License-Identifier: Apache-2.0

//! Addresses on which commands serve.

use super::Global;
use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tos_sdk::{
    error::{Error, Result},
    files,
};
use tos_workers::running;

/// Listens on an address, for a runtime's tasks. `lies` gives the files that a worker of this account
/// would have open; they are looked for where the address is taken.
///
/// # Errors
/// [`Error::Usage`], with what to do, if the address cannot be listened on.
pub(super) fn on(
    address: SocketAddr,
    lies: impl FnOnce() -> Vec<PathBuf>,
) -> Result<std::net::TcpListener> {
    let bound = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| {
        let taken = error.kind() == io::ErrorKind::AddrInUse;
        let advice = match taken {
            true => format!("; {}", taken_by(&lies())),
            false => String::new(),
        };
        Error::Usage(format!("serving on {address}: {error}{advice}"))
    })
}

/// Words on an address that is taken.
fn taken_by(files: &[PathBuf]) -> String {
    match files.iter().find(|file| files::holder(file).is_some()) {
        Some(file) => running::already(file),
        None => "another program serves there, such as a worker of another account or role: stop \
                 it first, or say another address"
            .into(),
    }
}

/// Journals of this account's workers of a role in the data folder, of all chains.
pub(super) fn journals(global: &Global, role: &str, who: &AccountId32) -> Vec<PathBuf> {
    let Ok(folder) = global.folder() else {
        return Vec::new();
    };
    let start = format!("{role}-{}", who.to_ss58check());
    let chains = entries(&folder.join("journals"));
    let all = chains.iter().flat_map(|chain| entries(chain));
    all.filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(&start))
    })
    .collect()
}

/// Paths in a folder; none where it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    const WHO: AccountId32 = AccountId32::new([7; 32]);

    #[test]
    fn an_address_in_use_names_the_worker_that_runs_already_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_str().unwrap();
        let line = ["tos", "chain", "status", "--data-dir", data];
        let global = crate::commands::Cli::try_parse_from(line).unwrap().global;
        let chain = folder.path().join("journals").join("00ff");
        fs::create_dir_all(&chain).unwrap();
        let journal = chain.join(format!("miner-{}.redb", WHO.to_ss58check()));
        let open = fs::File::create(&journal).unwrap();
        fs::write(chain.join("judge-5other.redb"), "").unwrap();
        assert_eq!(
            journals(&global, "miner", &WHO),
            std::slice::from_ref(&journal)
        );
        assert!(journals(&global, "judge", &WHO).is_empty());

        let first = on("127.0.0.1:0".parse().unwrap(), Vec::new).unwrap();
        let address = first.local_addr().unwrap();
        let lies = || journals(&global, "miner", &WHO);
        let error = on(address, lies).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let (file, process) = (
            journal.display().to_string(),
            std::process::id().to_string(),
        );
        for part in ["runs already", &file, &process, "stop it first"] {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
        drop(open);
        let error = on(address, lies).unwrap_err();
        for part in [&address.to_string(), "another program", "another address"] {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
        drop(first);
        assert!(on(address, lies).is_ok());
    }
}
