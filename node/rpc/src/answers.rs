// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Answers in JSON that are not a view as the runtime gives it.

use serde::{Deserialize, Serialize};
use tos_runtime::{BlockNumber, Hash};
use tos_views::{ChainView, ContinuityError, ContinuityView, JoinErrorView};

/// A part of a list, and where the next part begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T, Id> {
    /// The block that was read. Pass it as `at` to read on.
    pub at: Hash,
    /// The items.
    pub items: Vec<T>,
    /// Pass it as `after` to read on; absent on the last page.
    pub next: Option<Id>,
}

impl<T, Id> Page<T, Id> {
    /// A page of `size` items, from what was read of the block `at`: one item more where there is a next page.
    pub fn new(at: Hash, size: u32, mut items: Vec<T>, id: impl Fn(&T) -> Id) -> Self {
        let wanted = usize::try_from(size).unwrap_or(usize::MAX);
        let more = items.len() > wanted;
        items.truncate(wanted);
        let next = if more { items.last().map(id) } else { None };
        Self { at, items, next }
    }
}

/// The state of the protocol, and the block it was read from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainStatus {
    /// The block that was read.
    pub at: Hash,
    /// Its height.
    pub block: BlockNumber,
    /// Height of the last finalised block.
    pub finalized: BlockNumber,
    /// The protocol.
    #[serde(flatten)]
    pub protocol: ChainView,
}

/// Permission of an account to join a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// `true` if it may.
    pub allowed: bool,
    /// Reason for the refusal, and the tick from which on the answer may differ.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<JoinErrorView>,
}

impl From<Result<(), JoinErrorView>> for Permission {
    fn from(answer: Result<(), JoinErrorView>) -> Self {
        let refusal = answer.err();
        Self {
            allowed: refusal.is_none(),
            refusal,
        }
    }
}

/// Time for which a replica has been proven without a gap, or the reason for which that is not certified.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Continuity {
    /// The streak, if it is long enough.
    pub certified: Option<ContinuityView>,
    /// Reason for the refusal, otherwise.
    pub refusal: Option<ContinuityError>,
}

impl From<Result<ContinuityView, ContinuityError>> for Continuity {
    fn from(answer: Result<ContinuityView, ContinuityError>) -> Self {
        let (certified, refusal) = match answer {
            Ok(streak) => (Some(streak), None),
            Err(refusal) => (None, Some(refusal)),
        };
        Self { certified, refusal }
    }
}
