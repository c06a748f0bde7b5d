// SPDX-License-Identifier: Apache-2.0

//! Reasons to keep content.

use std::{fmt, str::FromStr};
use tos_types::{json, TaskId};

/// The first eight bytes of a chain's genesis hash.
pub type ChainName = [u8; 8];

/// Part that content plays in a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Its specification.
    Spec,
    /// An answer of another miner.
    Answer,
    /// An answer of this machine's miner, which others fetch here.
    OwnAnswer,
}

impl Part {
    /// The name of it, as in the name of a pin.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spec => "spec",
            Self::Answer => "answer",
            Self::OwnAnswer => "own-answer",
        }
    }
}

/// A reason to keep content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its owner asked for it.
    Put,
    /// It was published here: a task or a deal refers to it.
    Published,
    /// It was there before anything was known about it.
    Unknown,
    /// A task needs it until it is over.
    Task(Part, ChainName, TaskId),
}

impl fmt::Display for Why {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put => to.write_str("put"),
            Self::Published => to.write_str("published"),
            Self::Unknown => to.write_str("unknown"),
            Self::Task(part, chain, task) => {
                let part = part.name();
                let chain = json::to_hex(chain);
                write!(to, "{part}.{}.{task}", chain.trim_start_matches("0x"))
            }
        }
    }
}

impl FromStr for Why {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let part = match parts.next() {
            Some("put") => return Ok(Self::Put),
            Some("published") => return Ok(Self::Published),
            Some("unknown") => return Ok(Self::Unknown),
            Some("spec") => Part::Spec,
            Some("answer") => Part::Answer,
            Some("own-answer") => Part::OwnAnswer,
            _ => return Err(()),
        };
        let chain = parts.next().ok_or(())?;
        let chain = crate::hex::parse_hex::<8>(chain).map_err(|_| ())?;
        let task = parts.next().and_then(TaskId::parse).ok_or(())?;
        Ok(Self::Task(part, chain, task))
    }
}
