// SPDX-License-Identifier: Apache-2.0

//! A transaction whose fate is not known.

use serde::Serialize;
use std::fmt::{Display, Formatter};
use tos_types::{
    json::{self, to_hex},
    DealId, TaskId,
};

/// A transaction that was sent and is not settled, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// Its hash.
    #[serde(with = "json::hash")]
    pub transaction: [u8; 32],
    /// The number of the last block that it can get into. What carries its own authorisation has
    /// none.
    pub good_until: Option<u64>,
    /// The block of the best chain it is in.
    #[serde(with = "json::optional_hash")]
    pub block: Option<[u8; 32]>,
    /// The task it published there, if it did.
    pub task: Option<TaskId>,
    /// The deal it offered there, if it did.
    pub deal: Option<DealId>,
}

impl Display for Sent {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "transaction {} ", to_hex(&self.transaction))?;
        let Some(block) = &self.block else {
            f.write_str("was sent and is in no block yet")?;
            if let Some(last) = self.good_until {
                write!(f, "; until block {last} it may still get into one")?;
            }
            return f.write_str(": look whether it did before you send the call again");
        };
        write!(f, "is in block {}, which is not final", to_hex(block))?;
        if let Some(task) = self.task {
            write!(f, "; it published task {task}: see `tos task show {task}`")?;
        } else if let Some(deal) = self.deal {
            write!(f, "; it offered deal {deal}: see `tos storage show {deal}`")?;
        }
        f.write_str("; do not send the call again while that block stands")
    }
}
