// SPDX-License-Identifier: Apache-2.0

//! Scenarios: who meets whom, and the figures that come of it.

mod cast;
mod challenge;
mod copying;
mod false_simhash;
mod free_work;
mod lazy;
mod quality_bar;
mod resplit;
mod seats;
mod takeover;

use crate::{error::Result, report::Report};

/// A scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Scenario {
    /// C-1: a publisher withholds the specification, and a griefer publishes one that cannot be read.
    FreeWork,
    /// C-2: 32 fresh accounts of one operator earn weight and take over the panels.
    Takeover,
    /// H-1: cheap tasks take all seats of the judges for a day.
    Seats,
    /// H-2: a publisher asks for quality 100.
    QualityBar,
    /// H-3: a publisher's second account states the SimHash of the honest answer for junk.
    FalseSimhash,
    /// H-6: a losing miner challenges when its friends have come back.
    Challenge,
    /// L-1: governance changes the split of rewards while a task is judged.
    Resplit,
    /// M-2: an answer bought by a cheap copy of a task is handed in to the dear one.
    Copying,
    /// No finding: the pay of honest, noisy, correlated and lazy judges side by side.
    Lazy,
}

impl Scenario {
    /// All scenarios.
    pub const ALL: [Self; 9] = [
        Self::FreeWork,
        Self::Takeover,
        Self::Seats,
        Self::QualityBar,
        Self::FalseSimhash,
        Self::Challenge,
        Self::Resplit,
        Self::Copying,
        Self::Lazy,
    ];

    /// Plays it. The same seed gives the same report.
    ///
    /// # Errors
    /// The chain does something that the scenario does not expect.
    pub fn run(self, seed: u64) -> Result<Report> {
        match self {
            Self::FreeWork => free_work::run(seed),
            Self::Takeover => takeover::run(seed),
            Self::Seats => seats::run(seed),
            Self::QualityBar => quality_bar::run(seed),
            Self::FalseSimhash => false_simhash::run(seed),
            Self::Challenge => challenge::run(seed),
            Self::Resplit => resplit::run(seed),
            Self::Copying => copying::run(seed),
            Self::Lazy => lazy::run(seed),
        }
    }
}
