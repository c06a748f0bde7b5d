// SPDX-License-Identifier: Apache-2.0

//! The events of the chain, as workers follow them: phases of tasks, panels and their counts.

use std::collections::BTreeMap;
use tos_runtime::{AccountId, RuntimeEvent};
use tos_types::{vote::Tally, Closure, Phase, TaskId};

/// The events told of one task.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The phase that it is in.
    pub phase: Phase,
    /// The round of voting that it is in, from 0.
    pub round: u32,
    /// The members of the panels, by round.
    pub panels: BTreeMap<u32, Vec<AccountId>>,
    /// The outcomes of the counts, by round.
    pub tallies: BTreeMap<u32, Tally>,
}

impl Seen {
    fn new(phase: Phase) -> Self {
        Self {
            phase,
            round: 0,
            panels: BTreeMap::new(),
            tallies: BTreeMap::new(),
        }
    }
}

/// The tasks that events told of.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    tasks: BTreeMap<TaskId, Seen>,
    stirred: bool,
}

impl Watch {
    /// Takes in the events of a block.
    pub fn note(&mut self, events: &[RuntimeEvent]) {
        self.stirred = false;
        for event in events {
            match event {
                RuntimeEvent::Tasks(pallet_tasks::Event::Published { task, .. }) => {
                    self.tasks.insert(*task, Seen::new(Phase::Open));
                }
                RuntimeEvent::Tasks(pallet_tasks::Event::PhaseChanged {
                    task, to, round, ..
                }) => {
                    let seen = self.of(task, *to);
                    (seen.phase, seen.round) = (*to, *round);
                }
                RuntimeEvent::Tasks(pallet_tasks::Event::RoundTallied { task, round, tally }) => {
                    self.of(task, Phase::VoteReveal)
                        .tallies
                        .insert(*round, *tally);
                }
                RuntimeEvent::Judges(pallet_judges::Event::PanelSeated {
                    task,
                    round,
                    members,
                    ..
                }) => {
                    let members = members.iter().cloned().collect();
                    self.of(task, Phase::PanelDraw)
                        .panels
                        .insert(*round, members);
                }
                _ => continue,
            }
            self.stirred = true;
        }
    }

    fn of(&mut self, task: &TaskId, phase: Phase) -> &mut Seen {
        self.tasks.entry(*task).or_insert_with(|| Seen::new(phase))
    }

    /// `true` if the last block changed anything that accounts act on.
    pub fn stirred(&self) -> bool {
        self.stirred
    }

    /// The events told of a task.
    pub fn task(&self, id: &TaskId) -> Option<&Seen> {
        self.tasks.get(id)
    }

    /// The phase of a task; `None` before the block of its publication ends.
    pub fn phase(&self, id: &TaskId) -> Option<Phase> {
        self.task(id).map(|seen| seen.phase)
    }

    /// The end of a task, once it is closed.
    pub fn closure(&self, id: &TaskId) -> Option<Closure> {
        match self.phase(id) {
            Some(Phase::Closed(closure)) => Some(closure),
            _ => None,
        }
    }

    /// The number of panels that a task had.
    pub fn rounds(&self, id: &TaskId) -> usize {
        self.task(id).map_or(0, |seen| seen.panels.len())
    }

    /// The seats in which an account can vote now: task, round and phase.
    pub fn seats(&self, who: &AccountId) -> Vec<(TaskId, u32, Phase)> {
        self.tasks
            .iter()
            .filter(|(_, seen)| matches!(seen.phase, Phase::VoteCommit | Phase::VoteReveal))
            .filter(|(_, seen)| {
                let panel = seen.panels.get(&seen.round);
                panel.is_some_and(|members| members.contains(who))
            })
            .map(|(id, seen)| (*id, seen.round, seen.phase))
            .collect()
    }
}
