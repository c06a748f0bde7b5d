// SPDX-License-Identifier: Apache-2.0

//! A world over the chain: accounts with funds, their calls, and what answers are worth.
//!
//! No rule of the protocol is in here. Calls go to the runtime, amounts come from balances, and the
//! only facts that the chain does not have are the worth of an answer and that a task cannot be judged.

use crate::{
    dice::Dice,
    driver::{Chain, Key},
    error::{Error, Result},
    watch::Watch,
};
use polkadot_sdk::*;
use std::collections::{BTreeMap, BTreeSet};

use frame_support::traits::fungible::Inspect as _;
use sp_keyring::Sr25519Keyring;
use tos_formulas::simhash::simhash;
use tos_runtime::{
    AccountId, Balance, Balances, Judges, Miners, Reputation, Rewards, Runtime, RuntimeCall, Tasks,
};
use tos_types::{
    commitment::{self, Salt},
    task::{Label, Objective},
    AnswerScore, ContentHash, ContentRef, Difficulty, TaskId, TaskParams, TaskType, Tick, Verdict,
};

/// An account of a world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Who(usize);

/// A place on the panel of a task, in this round.
pub type Seat = (TaskId, u32);

/// A world before its first block: who has what.
pub struct Founding {
    seed: u64,
    keys: Vec<Key>,
    endowed: Vec<(AccountId, Balance)>,
    certified: Vec<AccountId>,
}

impl Founding {
    /// The founding of a world in which chance follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            keys: Vec::new(),
            endowed: Vec::new(),
            certified: Vec::new(),
        }
    }

    fn admit(&mut self, key: Key) -> Who {
        self.keys.push(key);
        Who(self.keys.len() - 1)
    }

    /// A fresh account with this balance in wei.
    pub fn account(&mut self, balance: Balance) -> Who {
        let number = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let key = Key::numbered(number);
        self.endowed.push((key.account().clone(), balance));
        self.admit(key)
    }

    /// Fresh accounts with this balance each, in wei.
    pub fn accounts(&mut self, count: usize, balance: Balance) -> Vec<Who> {
        (0..count).map(|_| self.account(balance)).collect()
    }

    /// So many fresh accounts as there are names for them, with this balance each, in wei.
    pub fn each<const N: usize>(&mut self, balance: Balance) -> [Who; N] {
        std::array::from_fn(|_| self.account(balance))
    }

    /// Accounts with this balance each, certified Expert at genesis.
    pub fn certified(&mut self, count: usize, balance: Balance) -> Vec<Who> {
        let all = self.accounts(count, balance);
        for who in &all {
            self.certified.push(self.keys[who.0].account().clone());
        }
        all
    }

    /// The five accounts that every preset certifies Expert, with their balances of genesis.
    pub fn experts(&mut self) -> Vec<Who> {
        let experts = [
            Sr25519Keyring::Dave,
            Sr25519Keyring::Eve,
            Sr25519Keyring::Ferdie,
            Sr25519Keyring::One,
            Sr25519Keyring::Two,
        ];
        experts
            .map(|expert| self.admit(Key::new(expert.pair())))
            .to_vec()
    }

    /// The world, before its first block.
    ///
    /// # Errors
    /// [`Error::Genesis`]
    pub fn world(self) -> Result<World> {
        let mut chain = Chain::new(self.seed, &self.endowed, &self.certified)?;
        let issuance = chain.read(Balances::total_issuance);
        Ok(World {
            seed: self.seed,
            chain,
            keys: self.keys,
            issuance,
            dice: Dice::new(self.seed, b"world"),
            worths: BTreeMap::new(),
            unjudgeable: BTreeSet::new(),
            watch: Watch::default(),
        })
    }
}

/// The worth of an answer, as a judge without error finds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Worth {
    /// 0 to 100.
    pub quality: u8,
    /// 0 to 100.
    pub innovation: u8,
    /// The verdict.
    pub verdict: Verdict,
}

impl Worth {
    /// A valid answer of this quality and of middling innovation.
    pub const fn valid(quality: u8) -> Self {
        Self {
            quality,
            innovation: 50,
            verdict: Verdict::Valid,
        }
    }

    /// Content that is no answer.
    pub const JUNK: Self = Self {
        quality: 0,
        innovation: 0,
        verdict: Verdict::Malformed,
    };
}

/// An answer, and the SimHash that is stated for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The content.
    pub content: ContentRef,
    /// The SimHash.
    pub simhash: u64,
}

/// The offer of a publisher.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The type.
    pub task_type: TaskType,
    /// The difficulty.
    pub difficulty: Difficulty,
    /// The reward in wei.
    pub reward: Balance,
    /// The ticks for which miners may join and commit; the shortest time allowed where empty.
    pub open_for: Option<Tick>,
    /// The lowest quality that can win.
    pub min_quality: u8,
    /// The places for miners.
    pub places: u32,
    /// `true` if the specification lies with the publisher, not on the chain.
    pub located: bool,
}

impl Offer {
    /// A general task for beginners, with its specification on the chain.
    pub const fn beginner(reward: Balance, places: u32) -> Self {
        Self {
            task_type: TaskType::General,
            difficulty: Difficulty::Beginner,
            reward,
            open_for: None,
            min_quality: 50,
            places,
            located: false,
        }
    }
}

/// An answer as its judges find it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its author.
    pub author: AccountId,
    /// The hash of its content.
    pub hash: ContentHash,
    /// Its worth. One that is not valid has quality and innovation 0.
    pub worth: Worth,
}

/// A task as its judges find it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// The task.
    pub task: TaskId,
    /// `false` if no judge can know what the answers are worth.
    pub judgeable: bool,
    /// The answers, in the order of the scores.
    pub answers: Vec<Found>,
}

/// A chain with accounts that act on it.
pub struct World {
    seed: u64,
    chain: Chain,
    keys: Vec<Key>,
    issuance: Balance,
    dice: Dice,
    worths: BTreeMap<ContentHash, Worth>,
    unjudgeable: BTreeSet<TaskId>,
    watch: Watch,
}

impl World {
    /// The seed that chance follows from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The events told of tasks, up to the last block.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The account on the chain.
    pub fn account(&self, who: Who) -> AccountId {
        self.keys[who.0].account().clone()
    }

    /// Reads the state of the chain.
    pub fn read<R>(&mut self, read: impl FnOnce() -> R) -> R {
        self.chain.read(read)
    }

    /// The number of blocks built and of ticks skipped.
    pub fn time(&self) -> (u32, Tick) {
        (self.chain.blocks(), self.chain.skipped())
    }

    /// Ends the block.
    pub fn end_block(&mut self) {
        let events = self.chain.end_block();
        self.watch.note(&events);
    }

    /// Skips the time in which nothing can happen, between two blocks.
    pub fn skip(&mut self) -> bool {
        self.chain.skip()
    }

    /// All tokens of an account, held or not, in wei.
    pub fn owned(&mut self, who: Who) -> Balance {
        let account = self.account(who);
        self.read(|| Balances::total_balance(&account))
    }

    /// All tokens of accounts, held or not, in wei.
    pub fn owned_by(&mut self, group: &[Who]) -> Balance {
        group.iter().map(|who| self.owned(*who)).sum()
    }

    /// A new answer of this worth, unlike all others.
    ///
    /// # Errors
    /// [`Error::TooLong`]
    pub fn answer(&mut self, worth: Worth) -> Result<Answer> {
        let words: Vec<String> = self
            .dice
            .bytes()
            .chunks(2)
            .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect();
        self.answer_of(&words.join(" "), worth)
    }

    /// An answer of this text and worth. Two of one text are the same answer.
    ///
    /// # Errors
    /// [`Error::TooLong`]
    pub fn answer_of(&mut self, text: &str, worth: Worth) -> Result<Answer> {
        let content = ContentRef::inline(text.as_bytes()).ok_or(Error::TooLong("an answer"))?;
        self.worths.insert(content.hash, worth);
        Ok(Answer {
            content,
            simhash: simhash(text.as_bytes()),
        })
    }

    /// From now on no judge can fetch or read the task's specification.
    pub fn withhold(&mut self, task: TaskId) {
        self.unjudgeable.insert(task);
    }

    /// The task as a careful judge finds it: one that compares content and fingerprint.
    pub fn case(&mut self, task: TaskId) -> Case {
        let found = self.read(|| {
            let authors = pallet_tasks::Answers::<Runtime>::get(task);
            let answer = |author: AccountId| {
                let stated = pallet_tasks::Submissions::<Runtime>::get(task, &author)?.revealed?;
                let content = pallet_tasks::Contents::<Runtime>::get(task, &author)?;
                let honest =
                    content.inline.is_empty() || simhash(&content.inline) == stated.simhash;
                Some((author, stated.hash, honest))
            };
            authors.into_iter().filter_map(answer).collect::<Vec<_>>()
        });
        let answers = found.into_iter().map(|(author, hash, honest)| {
            let known = self.worths.get(&hash).filter(|_| honest);
            let worth = known.copied().unwrap_or(Worth::JUNK);
            Found {
                author,
                hash,
                worth,
            }
        });
        Case {
            task,
            judgeable: !self.unjudgeable.contains(&task),
            answers: answers.collect(),
        }
    }

    /// One miner's part in a task.
    ///
    /// # Errors
    /// [`Error::Unknown`]
    pub fn submission(&mut self, task: TaskId, who: Who) -> Result<pallet_tasks::Submission> {
        let account = self.account(who);
        self.read(|| pallet_tasks::Submissions::<Runtime>::get(task, &account))
            .ok_or(Error::Unknown(task))
    }

    /// Makes a call of governance, without the referendum that it takes on a network.
    ///
    /// # Errors
    /// [`Error::Failed`]
    pub fn decide(&mut self, call: impl Into<RuntimeCall>) -> Result<()> {
        self.chain.decide(call.into())
    }

    /// Checks that the state is sound: every hold belongs to a record, and every wei to an account.
    ///
    /// # Errors
    /// [`Error::Broken`]
    pub fn check(&mut self) -> Result<()> {
        // Fees reach their accounts when a block ends.
        self.end_block();
        let born = self.issuance;
        self.read(|| -> Result<()> {
            for (name, state) in [
                ("tasks", Tasks::do_try_state()),
                ("judges", Judges::do_try_state()),
                ("miners", Miners::do_try_state()),
                ("reputation", Reputation::do_try_state()),
                ("rewards", Rewards::do_try_state()),
            ] {
                state.map_err(|error| Error::Broken(format!("{name}: {error:?}")))?;
            }
            let issuance = Balances::total_issuance();
            let sum: Balance = frame_system::Account::<Runtime>::iter_values()
                .map(|info| info.data.free + info.data.reserved)
                .sum();
            if sum != issuance || issuance != born {
                let told = format!("{sum} wei on accounts, {issuance} issued, {born} at genesis");
                return Err(Error::Broken(told));
            }
            Ok(())
        })
    }
}

/// Calls. Each is a signed transaction of `who`, with its fee.
///
/// # Errors
/// [`Error::Invalid`] and [`Error::Failed`] as the chain says, [`Error::TooLong`] for lists and texts.
impl World {
    /// Any call.
    pub fn call(&mut self, who: Who, call: impl Into<RuntimeCall>) -> Result<()> {
        let key = self.keys[who.0].clone();
        let events = self.chain.submit(&key, call.into())?;
        if !events.is_empty() {
            self.watch.note(&events);
        }
        Ok(())
    }

    /// Registers a miner.
    pub fn register_miner(&mut self, who: Who, types: &[TaskType]) -> Result<()> {
        let specialisations = pallet_miners::Specialisations::try_from(types.to_vec())
            .map_err(|_| Error::TooLong("specialisations"))?;
        self.call(
            who,
            pallet_miners::Call::<Runtime>::register { specialisations },
        )
    }

    /// Registers a judge.
    pub fn register_judge(&mut self, who: Who, types: &[TaskType]) -> Result<()> {
        let types =
            pallet_judges::Types::try_from(types.to_vec()).map_err(|_| Error::TooLong("types"))?;
        self.call(who, pallet_judges::Call::<Runtime>::register { types })
    }

    /// Pays up what slashes took of a judge's stake.
    pub fn top_up(&mut self, who: Who) -> Result<()> {
        self.call(who, pallet_judges::Call::<Runtime>::top_up {})
    }

    /// Takes a judge out of the pools.
    pub fn leave(&mut self, who: Who) -> Result<()> {
        self.call(who, pallet_judges::Call::<Runtime>::leave {})
    }

    /// Brings a judge that is leaving back into the pools.
    pub fn rejoin(&mut self, who: Who) -> Result<()> {
        self.call(who, pallet_judges::Call::<Runtime>::rejoin {})
    }

    /// Publishes a task.
    pub fn publish(&mut self, who: Who, offer: &Offer) -> Result<TaskId> {
        let account = self.account(who);
        let (number, shortest) = self.read(|| {
            (
                pallet_tasks::Nonces::<Runtime>::get(&account),
                pallet_clock::Settings::<Runtime>::get().min_open,
            )
        });
        let text = format!("task {number} of {account:?}");
        let spec = if offer.located {
            ContentRef::located(text.as_bytes(), b"a server of the publisher")
        } else {
            ContentRef::inline(text.as_bytes())
        };
        let call = pallet_tasks::Call::<Runtime>::publish {
            params: params(offer.task_type),
            difficulty: offer.difficulty,
            spec: spec.ok_or(Error::TooLong("a specification"))?,
            reward: offer.reward,
            open_for: offer.open_for.unwrap_or(shortest),
            min_quality: offer.min_quality,
            max_participants: offer.places,
            reference: None,
        };
        self.call(who, call)?;
        Ok(TaskId::derive(&account, number))
    }

    /// Takes a place in a task.
    pub fn join(&mut self, who: Who, task: TaskId) -> Result<()> {
        self.call(who, pallet_tasks::Call::<Runtime>::join { task })
    }

    /// Commits to an answer.
    pub fn commit(&mut self, who: Who, task: TaskId, answer: &Answer) -> Result<()> {
        let account = self.account(who);
        let (hash, salt) = (&answer.content.hash, self.salt(who, task, 0));
        let commitment = commitment::answer(&task, &account, hash, answer.simhash, &salt);
        self.call(
            who,
            pallet_tasks::Call::<Runtime>::commit { task, commitment },
        )
    }

    /// Reveals an answer that was committed to.
    pub fn reveal(&mut self, who: Who, task: TaskId, answer: &Answer) -> Result<()> {
        let call = pallet_tasks::Call::<Runtime>::reveal {
            task,
            content: answer.content.clone(),
            simhash: answer.simhash,
            salt: self.salt(who, task, 0),
        };
        self.call(who, call)
    }

    /// Commits to a vote in a round of a task.
    pub fn commit_vote(&mut self, who: Who, seat: Seat, scores: &[AnswerScore]) -> Result<()> {
        let (task, round) = seat;
        let (account, salt) = (self.account(who), self.salt(who, task, round));
        let commitment = commitment::vote(&task, round, &account, scores, None, &salt);
        self.call(
            who,
            pallet_judges::Call::<Runtime>::commit_vote { task, commitment },
        )
    }

    /// Reveals a vote that was committed to.
    pub fn reveal_vote(&mut self, who: Who, seat: Seat, scores: &[AnswerScore]) -> Result<()> {
        let (task, round) = seat;
        let scores = pallet_judges::Scores::try_from(scores.to_vec())
            .map_err(|_| Error::TooLong("scores"))?;
        let call = pallet_judges::Call::<Runtime>::reveal_vote {
            task,
            scores,
            report: None,
            salt: self.salt(who, task, round),
        };
        self.call(who, call)
    }

    /// Challenges the result of a task.
    pub fn challenge(&mut self, who: Who, task: TaskId) -> Result<()> {
        self.call(who, pallet_tasks::Call::<Runtime>::challenge { task })
    }

    /// Takes all rewards that wait.
    pub fn claim(&mut self, who: Who) -> Result<()> {
        self.call(who, pallet_rewards::Call::<Runtime>::claim_all {})
    }

    /// The secret of a commitment.
    fn salt(&self, who: Who, task: TaskId, round: u32) -> Salt {
        Dice::new(self.seed, (b"salt", self.account(who), task, round)).bytes()
    }
}

/// Parameters of a task of this type.
fn params(task_type: TaskType) -> TaskParams {
    let label = || Label::truncate_from(b"any".to_vec());
    match task_type {
        TaskType::CodeAnalysis => TaskParams::CodeAnalysis {
            language: label(),
            lines: 100,
        },
        TaskType::SecurityAudit => TaskParams::SecurityAudit {
            scope: label(),
            standard: label(),
        },
        TaskType::DataAnalysis => TaskParams::DataAnalysis {
            format: label(),
            records: 100,
        },
        TaskType::AlgorithmOptimization => TaskParams::AlgorithmOptimization {
            problem: label(),
            objective: Objective::Minimise,
        },
        TaskType::LogicReasoning => TaskParams::LogicReasoning { domain: label() },
        TaskType::General => TaskParams::General { subject: label() },
        TaskType::Custom(number) => TaskParams::Custom {
            number,
            detail: label(),
        },
    }
}
