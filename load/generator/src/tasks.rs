// SPDX-License-Identifier: Apache-2.0

//! Domain load.

use crate::{cli::Common, error::Result};
use serde::Serialize;

/// Take tasks of a TOS chain through their whole lives.
#[derive(Debug, clap::Args)]
pub struct Tasks {
    #[command(flatten)]
    pub common: Common,
}

/// What became of them.
#[derive(Debug, Serialize)]
pub struct Report {}

impl Report {
    /// For people.
    pub fn text(&self) -> String {
        String::new()
    }
    /// Whether all is as it should be.
    pub fn verdict(&self) -> Result<()> {
        Ok(())
    }
}

/// `tos-load tasks`
pub async fn run(_: &Tasks) -> Result<Report> {
    Ok(Report {})
}
