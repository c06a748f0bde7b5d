// SPDX-License-Identifier: Apache-2.0

//! The node of a program that goes on for long.

use super::Global;
use crate::output::NO_NODE;
use tos_sdk::error::{Error, Result};

/// Looks for the node before a worker is set up. A worker waits for its node, which may have been
/// started at the same moment, unless it is to do only what can be done right now; an address that
/// cannot be one of a node is told at once.
pub(crate) async fn look_for(global: &Global, once: bool) -> Result<()> {
    match global.connect().await {
        Ok(_) => Ok(()),
        Err(error @ Error::Unreachable { .. }) if !once => {
            tracing::warn!(%error, "waiting for the node; {NO_NODE}");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    async fn look(url: &str, once: bool) -> Result<()> {
        let line = ["tos", "chain", "status", "--url", url];
        let global = crate::commands::Cli::try_parse_from(line).unwrap().global;
        look_for(&global, once).await
    }

    #[tokio::test]
    async fn a_worker_waits_for_its_node_unless_it_is_to_run_once() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        drop(listener);
        look(&url, false).await.unwrap();
        assert_eq!(look(&url, true).await.unwrap_err().exit_code(), 4);
        for wrong in ["http://127.0.0.1:9944", "127.0.0.1:9944", ""] {
            assert_eq!(look(wrong, false).await.unwrap_err().exit_code(), 2);
        }
    }
}
