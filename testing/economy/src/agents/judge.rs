// SPDX-License-Identifier: Apache-2.0

//! Judges: they vote on every panel that they are drawn into, by their opinion.

use super::{Agent, Opinion};
use crate::{
    error::Result,
    world::{Seat, Who, World},
};
use std::collections::BTreeMap;
use tos_types::{AnswerScore, Phase};

/// A vote that was committed to.
struct Vote {
    scores: Vec<AnswerScore>,
    revealed: bool,
}

/// A judge with its opinion and the votes that it has cast.
pub struct Judge {
    who: Who,
    opinion: Box<dyn Opinion>,
    // None for a seat that it leaves empty.
    votes: BTreeMap<Seat, Option<Vote>>,
}

impl Judge {
    /// A judge of this opinion.
    pub fn new(who: Who, opinion: impl Opinion + 'static) -> Self {
        Self {
            who,
            opinion: Box::new(opinion),
            votes: BTreeMap::new(),
        }
    }

    /// The account.
    pub fn who(&self) -> Who {
        self.who
    }
}

/// A judge for each account, with the opinion that `opinion` makes for it.
pub fn judges<O: Opinion + 'static>(
    accounts: &[Who],
    mut opinion: impl FnMut(Who) -> O,
) -> Vec<Judge> {
    accounts
        .iter()
        .map(|who| Judge::new(*who, opinion(*who)))
        .collect()
}

impl Agent for Judge {
    fn act(&mut self, world: &mut World) -> Result<bool> {
        let mut acted = false;
        let seats = world.watch().seats(&world.account(self.who));
        for (task, round, phase) in seats {
            let seat = (task, round);
            if phase == Phase::VoteCommit && !self.votes.contains_key(&seat) {
                let scores = self.opinion.scores(&world.case(task));
                if let Some(scores) = &scores {
                    world.commit_vote(self.who, seat, scores)?;
                    acted = true;
                }
                let vote = scores.map(|scores| Vote {
                    scores,
                    revealed: false,
                });
                self.votes.insert(seat, vote);
            }
            if phase == Phase::VoteReveal {
                if let Some(Some(vote)) = self.votes.get_mut(&seat) {
                    if !vote.revealed {
                        world.reveal_vote(self.who, seat, &vote.scores)?;
                        vote.revealed = true;
                        acted = true;
                    }
                }
            }
        }
        Ok(acted)
    }
}
