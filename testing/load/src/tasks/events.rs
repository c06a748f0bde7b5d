// SPDX-License-Identifier: Apache-2.0

//! Events of a block, as far as a domain load needs them. Pure.

use codec::Decode;
use tos_sdk::any_chain::Hash;
use tos_types::{task::Closure, Phase, TaskId};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskEvent {
    /// A task was published, by this account.
    Published(TaskId, Hash),
    /// A miner joined.
    Joined,
    /// A miner committed.
    Committed,
    /// An answer was revealed.
    Revealed(TaskId),
    /// A task is in another phase now, of this round.
    Phase(TaskId, Phase, u32),
    /// A panel was seated for a round.
    Seated(TaskId, u32, Vec<Hash>),
    /// A vote was committed.
    VoteCommitted,
    /// A vote was revealed.
    VoteRevealed,
    /// A task is over.
    Closed(TaskId, Closure),
    /// A call failed, with this encoded error.
    Failed(Vec<u8>),
}

impl TaskEvent {
    /// Reads an event by its names and the bytes of its fields.
    pub fn read(pallet: &str, name: &str, mut bytes: &[u8]) -> Option<Self> {
        let input = &mut bytes;
        Some(match (pallet, name) {
            ("Tasks", "Published") => {
                let (task, publisher) = Decode::decode(input).ok()?;
                Self::Published(task, publisher)
            }
            ("Tasks", "Joined") => Self::Joined,
            ("Tasks", "Committed") => Self::Committed,
            ("Tasks", "Revealed") => Self::Revealed(Decode::decode(input).ok()?),
            ("Tasks", "PhaseChanged") => {
                let (task, _, to, round) = <(_, Phase, _, _)>::decode(input).ok()?;
                Self::Phase(task, to, round)
            }
            ("Tasks", "Closed") => {
                let (task, closure) = Decode::decode(input).ok()?;
                Self::Closed(task, closure)
            }
            ("Judges", "PanelSeated") => {
                let (task, round, members) = Decode::decode(input).ok()?;
                Self::Seated(task, round, members)
            }
            ("Judges", "VoteCommitted") => Self::VoteCommitted,
            ("Judges", "VoteRevealed") => Self::VoteRevealed,
            ("System", "ExtrinsicFailed") => Self::Failed(bytes.to_vec()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;

    #[test]
    fn events_are_read_and_others_passed_over() {
        let task = TaskId([3; 16]);
        let fields = (task, Phase::Open, Phase::AnswerReveal, 1u32, 99u32).encode();
        assert_eq!(
            TaskEvent::read("Tasks", "PhaseChanged", &fields),
            Some(TaskEvent::Phase(task, Phase::AnswerReveal, 1))
        );
        let fields = (task, 0u32, vec![[5u8; 32], [6u8; 32]], true).encode();
        assert_eq!(
            TaskEvent::read("Judges", "PanelSeated", &fields),
            Some(TaskEvent::Seated(task, 0, vec![[5; 32], [6; 32]]))
        );
        let fields = (task, Closure::Settled).encode();
        let closed = TaskEvent::read("Tasks", "Closed", &fields);
        assert_eq!(closed, Some(TaskEvent::Closed(task, Closure::Settled)));
        assert_eq!(TaskEvent::read("Tasks", "Closed", &fields[..3]), None);
        assert_eq!(TaskEvent::read("Balances", "Transfer", &[]), None);
    }
}
