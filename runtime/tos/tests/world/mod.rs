// SPDX-License-Identifier: Apache-2.0

//! A small world over the real runtime: accounts that act at random, blocks that pass, and the
//! checks that must hold after each of them.

use std::collections::BTreeMap;

use codec::Encode;
use polkadot_sdk::*;

use frame_support::{
    dispatch::{GetDispatchInfo, PostDispatchInfo},
    traits::{
        fungible::{Inspect, InspectHold},
        Hooks,
    },
    weights::WeightMeter,
};
use rand::{rngs::StdRng, Rng, RngCore, SeedableRng};
use sp_runtime::{traits::Dispatchable, AccountId32, BuildStorage, DispatchErrorWithPostInfo};
use tos_formulas::split::{SplitProfile, WinnerRule};
use tos_interfaces::Clock as _;
use tos_runtime::*;
use tos_types::{
    commitment::{self, Salt},
    rules::{
        Checked, JudgeStakes, JudgingRules, LevelTable, MinerStakes, PublishingRules, SlashRules,
    },
    task::Certification,
    AnswerScore, ContentRef, Difficulty, Phase, PhaseLengths, Report, TaskId, TaskParams, TaskType,
    Verdict, TOS,
};

/// What every account starts with.
pub const ENDOWMENT: Balance = 100_000 * TOS;
/// What the treasury starts with.
pub const TREASURY_SEED: Balance = TOS;

/// The outcome of a call.
pub type Outcome = Result<PostDispatchInfo, DispatchErrorWithPostInfo<PostDispatchInfo>>;

/// An account by number.
pub fn account(number: u8) -> AccountId {
    AccountId32::new([number; 32])
}

/// The runtime at genesis with these phase lengths and this many endowed accounts; the last
/// `certified` of them are certified Expert.
pub fn genesis(
    accounts: u8,
    certified: u8,
    phase_lengths: PhaseLengths,
) -> sp_io::TestExternalities {
    let treasury = Treasury::account_id();
    let balances = (1..=accounts)
        .map(|n| (account(n), ENDOWMENT))
        .chain([(treasury, TREASURY_SEED)])
        .collect();
    let mut ext: sp_io::TestExternalities = RuntimeGenesisConfig {
        balances: BalancesConfig {
            balances,
            ..Default::default()
        },
        clock: ClockConfig {
            phase_lengths,
            ..Default::default()
        },
        miners: MinersConfig {
            certificates: (accounts - certified + 1..=accounts)
                .map(|n| (account(n), Certification::Expert, u32::MAX))
                .collect(),
            ..Default::default()
        },
        ..Default::default()
    }
    .build_storage()
    .expect("genesis is valid")
    .into();
    ext.execute_with(|| {
        System::set_block_number(1);
        for task_type in [TaskType::AlgorithmOptimization, TaskType::LogicReasoning] {
            let profile = pallet_tasks::TypeProfile {
                tool: Some([0x70; 32]),
                ..pallet_tasks::TypeProfile::built_in(task_type)
            };
            pallet_tasks::TaskTypes::<Runtime>::insert(task_type, profile);
        }
        for author in CONTROL_AUTHORS {
            Judges::set_control_author(RuntimeOrigin::root(), account(author), true)
                .expect("there is room for control authors");
        }
    });
    ext
}

/// Miners whose every answer is a check of the judges.
const CONTROL_AUTHORS: [u8; 2] = [5, 6];
/// What they say of it, and with which secret.
const KNOWN: (u8, [u8; 32]) = (63, [9; 32]);

/// Sets parameters, as root may.
fn set_parameters(values: impl IntoIterator<Item = parameters::RuntimeParameters>) {
    for value in values {
        Parameters::set_parameter(RuntimeOrigin::root(), value).expect("root may");
    }
}

/// Sets the shares and the number of winners of all tasks to come, as root may.
fn set_division(split: SplitProfile, rule: WinnerRule) {
    for task_type in TaskType::BUILT_IN {
        for difficulty in Difficulty::ALL {
            Rewards::set_profile(RuntimeOrigin::root(), task_type, difficulty, Some(split))
                .expect("the shares are within bounds");
        }
        Rewards::set_winner_rule(RuntimeOrigin::root(), task_type, Some(rule))
            .expect("the rule makes sense");
    }
}

/// Runs the hooks of one empty block, as the executive does, for the pallets of the protocol.
pub fn next_block(seed: u64) {
    let number = System::block_number() + 1;
    System::reset_events();
    System::initialize(&number, &Hash::from_low_u64_be(seed), &Default::default());
    // What BABE finds in the author's pre-runtime digest.
    let vrf = sp_io::hashing::blake2_256(&(b"vrf", seed, number).encode());
    let key = frame_support::storage::storage_prefix(b"Babe", b"AuthorVrfRandomness");
    frame_support::storage::unhashed::put(&key, &Some(vrf));

    let limits = <Runtime as frame_system::Config>::BlockWeights::get();
    Clock::on_initialize(number);
    Beacon::on_initialize(number);
    let mut meter = WeightMeter::with_limit(limits.max_block);
    Clock::on_poll(number, &mut meter);
    Tasks::on_poll(number, &mut meter);
    Storage::on_poll(number, &mut meter);
    Tasks::on_idle(number, meter.remaining());
    Rewards::on_idle(number, meter.remaining());
    Storage::on_idle(number, meter.remaining());
    Clock::on_finalize(number);
}

/// Dispatches a call as the executive would, without fees.
pub fn dispatch(who: &AccountId, call: impl Into<RuntimeCall>) -> Outcome {
    let call: RuntimeCall = call.into();
    let info = call.get_dispatch_info();
    assert!(
        info.call_weight.ref_time() > 0,
        "a call without weight: {call:?}"
    );
    call.dispatch(RuntimeOrigin::signed(who.clone()))
}

/// Every check that must hold between any two calls.
pub fn check_invariants(issuance: Balance) {
    assert_eq!(Balances::total_issuance(), issuance, "total issuance moved");
    let sum: Balance = frame_system::Account::<Runtime>::iter()
        .map(|(_, info)| info.data.free + info.data.reserved)
        .sum();
    assert_eq!(sum, issuance, "accounts do not add up to the issuance");
    Clock::do_try_state().expect("clock");
    Tasks::do_try_state().expect("tasks");
    Miners::do_try_state().expect("miners");
    Reputation::do_try_state().expect("reputation");
    Judges::do_try_state().expect("judges");
    Rewards::do_try_state().expect("rewards");
    Beacon::do_try_state().expect("beacon");
    Storage::do_try_state().expect("storage");
}

/// What is held on an account, whatever for.
pub fn held(who: &AccountId) -> Balance {
    Balances::total_balance_on_hold(who)
}

/// What an account owns, held or not.
pub fn owned(who: &AccountId) -> Balance {
    Balances::total_balance(who)
}

/// What a member of a panel committed to, and what opens it.
type Vote = (Vec<AnswerScore>, Option<Report>, Salt);

/// Roles of accounts: publishers, miners and judges are disjoint, so that panels are eligible.
pub struct World {
    rng: StdRng,
    publishers: Vec<AccountId>,
    miners: Vec<AccountId>,
    judges: Vec<AccountId>,
    answers: BTreeMap<(TaskId, AccountId), (ContentRef, Salt)>,
    votes: BTreeMap<(TaskId, u32, AccountId), Vote>,
    /// Calls that were accepted, by name.
    pub accepted: BTreeMap<String, u32>,
    /// Calls that were refused, by error.
    pub refused: BTreeMap<String, u32>,
}

impl World {
    /// A world of 4 publishers, 10 miners and 12 judges.
    pub fn new(seed: u64) -> Self {
        let people = |range: std::ops::RangeInclusive<u8>| range.map(account).collect::<Vec<_>>();
        Self {
            rng: StdRng::seed_from_u64(seed),
            publishers: people(1..=4),
            miners: people(5..=14),
            judges: people(15..=26),
            answers: BTreeMap::new(),
            votes: BTreeMap::new(),
            accepted: BTreeMap::new(),
            refused: BTreeMap::new(),
        }
    }

    /// Governance changes rules at random, within their bounds, while tasks are on their way.
    pub fn decree(&mut self) {
        use parameters::{
            dynamic_params::tasks::{Judging, Parameters as Of, Publishing, Slashes},
            RuntimeParameters,
        };
        let rng = &mut self.rng;
        let publishing = PublishingRules {
            publisher_stake: rng.gen_range(100..=5_000),
            cancel_fee: rng.gen_range(0..=500),
            challenge_bond: rng.gen_range(100..=2_000),
            timely: rng.gen_range(500..=5_000),
            expert_reward: rng.gen_range(15 * TOS..=500 * TOS),
        };
        let (no_show, no_vote) = (rng.gen_range(500..=1_500), rng.gen_range(100..=2_000));
        let slashes = SlashRules {
            no_show,
            non_reveal: rng.gen_range(1_501..=5_000),
            low_quality: rng.gen_range(500..=3_000),
            malformed: rng.gen_range(2_500..=10_000),
            plagiarism: rng.gen_range(5_000..=10_000),
            no_vote,
            no_vote_reveal: rng.gen_range(2_001..=5_000),
        };
        let judging = JudgingRules {
            participation_quality: rng.gen_range(1..=50),
            agreement_points: rng.gen_range(5..=30),
            agreement_share: rng.gen_range(5_100..=9_500),
            challenge_points: rng.gen_range(1..=50),
            escalations: rng.gen_range(0..=2),
            duplicate_distance: rng.gen_range(0..=8),
            known_share: rng.gen_range(0..=5_000),
            rewarded_accuracy: rng.gen_range(1_000..=7_000),
            expert_accuracy: rng.gen_range(7_100..=9_900),
            settled_to_vote: rng.gen_range(1..=3),
        };
        set_parameters(
            [
                Of::Publishing(Publishing, Checked::new(publishing).ok()),
                Of::Slashes(Slashes, Checked::new(slashes).ok()),
                Of::Judging(Judging, Checked::new(judging).ok()),
            ]
            .map(RuntimeParameters::Tasks),
        );
        // No chance of their own: the bounds of shares follow from one another.
        let (winners, network) = (
            6_000 + publishing.challenge_bond / 2,
            500 + publishing.cancel_fee,
        );
        let split = SplitProfile {
            winners,
            participants: 8_000 - winners,
            judges: 2_000 - network,
            network,
        };
        let rule = WinnerRule {
            per: 1 + judging.agreement_points % 4,
            cap: 1 + judging.challenge_points % 4,
        };
        set_division(split, rule);
        self.decree_for_members();
    }

    /// The same for what registrations ask for and for what a standing is worth.
    fn decree_for_members(&mut self) {
        use parameters::{
            dynamic_params::members::{Judges, Levels, Miners, Parameters as Of},
            RuntimeParameters,
        };
        let rng = &mut self.rng;
        // From half of what a network is born with to a fourth more: who lives here can pay that.
        let mut other = |stake: Balance| stake / 4 * rng.gen_range(2..=5);
        let mut miners = MinerStakes::STANDARD;
        let mut judges = JudgeStakes::STANDARD;
        for stake in [
            &mut miners.code_analysis,
            &mut miners.security_audit,
            &mut miners.general,
            &mut judges.code_analysis,
            &mut judges.security_audit,
            &mut judges.general,
        ] {
            *stake = other(*stake);
        }
        let mut levels = LevelTable::STANDARD;
        levels.certified.unverified = rng.gen_range(100..=300);
        levels.standard.stake = rng.gen_range(120..=300);
        levels.standard.votes = rng.gen_range(1..=15);
        levels.advanced.tasks = rng.gen_range(1..=100);
        levels.advanced.failures = rng.gen_range(5..=100);
        set_parameters(
            [
                Of::Miners(Miners, Checked::new(miners).ok()),
                Of::Judges(Judges, Checked::new(judges).ok()),
                Of::Levels(Levels, Checked::new(levels).ok()),
            ]
            .map(RuntimeParameters::Members),
        );
    }

    fn salt(&mut self) -> Salt {
        let mut salt = [0; 32];
        self.rng.fill_bytes(&mut salt);
        salt
    }

    fn one_of<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.rng.gen_range(0..from.len())].clone())
    }

    fn anybody(&mut self) -> AccountId {
        let all = [&self.publishers[..], &self.miners, &self.judges].concat();
        self.one_of(&all).expect("the world is inhabited")
    }

    fn some_task(&mut self, wanted: impl Fn(&Phase) -> bool) -> Option<TaskId> {
        let found: Vec<_> = pallet_tasks::Tasks::<Runtime>::iter()
            .filter(|(_, task)| wanted(&task.phase))
            .map(|(id, _)| id)
            .collect();
        self.one_of(&found)
    }

    fn task_type(&mut self) -> TaskType {
        TaskType::BUILT_IN[self.rng.gen_range(0..6)]
    }

    fn params(task_type: TaskType) -> TaskParams {
        let label = || b"x".to_vec().try_into().expect("short");
        match task_type {
            TaskType::CodeAnalysis => TaskParams::CodeAnalysis {
                language: label(),
                lines: 9,
            },
            TaskType::SecurityAudit => TaskParams::SecurityAudit {
                scope: label(),
                standard: label(),
            },
            TaskType::DataAnalysis => TaskParams::DataAnalysis {
                format: label(),
                records: 9,
            },
            TaskType::AlgorithmOptimization => TaskParams::AlgorithmOptimization {
                problem: label(),
                objective: tos_types::task::Objective::Minimise,
            },
            TaskType::LogicReasoning => TaskParams::LogicReasoning { domain: label() },
            _ => TaskParams::General { subject: label() },
        }
    }

    /// One action of somebody: mostly sensible, sometimes foolish or hostile. A refused call must
    /// leave the state exactly as it was.
    pub fn act(&mut self) {
        let Some((who, call)) = self.choose() else {
            return;
        };
        let name = format!("{call:?}");
        let name = name
            .split([' ', '{', '('])
            .take(3)
            .collect::<Vec<_>>()
            .join(" ");
        let before = sp_io::storage::root(Default::default());
        match dispatch(&who, call) {
            Ok(_) => *self.accepted.entry(name).or_default() += 1,
            Err(refusal) => {
                let after = sp_io::storage::root(Default::default());
                assert_eq!(before, after, "{name} was refused and changed the state");
                *self
                    .refused
                    .entry(format!("{:?}", refusal.error))
                    .or_default() += 1;
            }
        }
    }

    fn choose(&mut self) -> Option<(AccountId, RuntimeCall)> {
        let roll = self.rng.gen_range(0..100);
        Some(match roll {
            0..=4 => self.register()?,
            5..=9 => self.publish()?,
            10 => {
                let task = self.some_task(|_| true)?;
                (
                    self.one_of(&self.publishers.clone())?,
                    pallet_tasks::Call::cancel { task }.into(),
                )
            }
            11..=24 => {
                let task = self.some_task(|p| matches!(p, Phase::Open))?;
                (
                    self.one_of(&self.miners.clone())?,
                    pallet_tasks::Call::join { task }.into(),
                )
            }
            25..=39 => self.commit()?,
            40..=54 => self.reveal()?,
            55..=69 => self.commit_vote()?,
            70..=84 => self.reveal_vote()?,
            85..=86 => {
                let task = self.some_task(|p| matches!(p, Phase::Challenge))?;
                (
                    self.anybody(),
                    pallet_tasks::Call::challenge { task }.into(),
                )
            }
            87..=90 => {
                let task = self.some_task(|_| true)?;
                (self.anybody(), pallet_tasks::Call::crank { task }.into())
            }
            91..=93 => self.claim()?,
            94 => {
                let task = self.some_task(|p| matches!(p, Phase::Challenge))?;
                let (quality, secret) = KNOWN;
                let call = pallet_judges::Call::reveal_control {
                    task,
                    quality,
                    secret,
                };
                (account(self.rng.gen_range(5..=7)), call.into())
            }
            _ => self.leave_or_return(),
        })
    }

    fn register(&mut self) -> Option<(AccountId, RuntimeCall)> {
        let all = TaskType::BUILT_IN.to_vec();
        let few = vec![self.task_type()];
        let types = if self.rng.gen_bool(0.8) { all } else { few };
        Some(if self.rng.gen_bool(0.5) {
            let specialisations = types.try_into().ok()?;
            let who = self.one_of(&self.miners.clone())?;
            (
                who,
                pallet_miners::Call::register { specialisations }.into(),
            )
        } else {
            let types = types.try_into().ok()?;
            let who = self.one_of(&self.judges.clone())?;
            (who, pallet_judges::Call::register { types }.into())
        })
    }

    fn publish(&mut self) -> Option<(AccountId, RuntimeCall)> {
        let task_type = self.task_type();
        let difficulty = if self.rng.gen_bool(0.9) {
            Difficulty::Beginner
        } else {
            Difficulty::Intermediate
        };
        let (low, high) = difficulty.reward_band();
        // Uneven amounts, so that every split leaves dust; sometimes outside the band.
        let reward = self.rng.gen_range(low - TOS / 10..=high + TOS / 10);
        let text = format!("task number {}", self.rng.next_u64());
        let call = pallet_tasks::Call::publish {
            params: Self::params(task_type),
            difficulty,
            spec: ContentRef::inline(text.as_bytes())?,
            reward,
            open_for: self.rng.gen_range(3..25),
            min_quality: self.rng.gen_range(1..=90),
            max_participants: self.rng.gen_range(1..=6),
            // Few, so that many are used already.
            reference: self
                .rng
                .gen_bool(0.3)
                .then(|| [self.rng.gen_range(0..4); 32]),
        };
        Some((self.one_of(&self.publishers.clone())?, call.into()))
    }

    fn commit(&mut self) -> Option<(AccountId, RuntimeCall)> {
        let task = self.some_task(|p| matches!(p, Phase::Open))?;
        let joined = pallet_tasks::Participants::<Runtime>::get(task);
        let who = self.one_of(&joined)?;
        // Now and then two miners hand in the same.
        let number = if self.rng.gen_bool(0.2) {
            7
        } else {
            self.rng.next_u64()
        };
        let content = ContentRef::inline(format!("answer number {number}").as_bytes())?;
        let simhash = tos_formulas::simhash::simhash(&content.inline);
        let salt = if CONTROL_AUTHORS.map(account).contains(&who) {
            commitment::control_answer(&task, &who, &content.hash, KNOWN.0, &KNOWN.1)
        } else {
            self.salt()
        };
        let commitment = commitment::answer(&task, &who, &content.hash, simhash, &salt);
        let known = pallet_tasks::Submissions::<Runtime>::get(task, &who)
            .is_some_and(|s| s.commitment.is_some());
        if !known {
            self.answers.insert((task, who.clone()), (content, salt));
        }
        Some((who, pallet_tasks::Call::commit { task, commitment }.into()))
    }

    fn reveal(&mut self) -> Option<(AccountId, RuntimeCall)> {
        let task = self.some_task(|p| matches!(p, Phase::AnswerReveal))?;
        let known: Vec<_> = self
            .answers
            .iter()
            .filter(|((id, _), _)| *id == task)
            .map(|((_, who), (content, salt))| (who.clone(), content.clone(), *salt))
            .collect();
        let (who, content, mut salt) = self.one_of(&known)?;
        if self.rng.gen_bool(0.1) {
            salt = self.salt();
        }
        let simhash = tos_formulas::simhash::simhash(&content.inline);
        Some((
            who,
            pallet_tasks::Call::reveal {
                task,
                content,
                simhash,
                salt,
            }
            .into(),
        ))
    }

    /// A member of a panel that votes now, with the task and the round; sometimes a stranger.
    fn voter(&mut self, wanted: fn(&Phase) -> bool) -> Option<(AccountId, TaskId, u32)> {
        let task = self.some_task(wanted)?;
        let round = pallet_tasks::Tasks::<Runtime>::get(task)?.round;
        let members: Vec<_> = pallet_judges::Rounds::<Runtime>::get(task, round)?
            .members
            .iter()
            .map(|m| m.who.clone())
            .collect();
        let who = if self.rng.gen_bool(0.05) {
            Some(self.anybody())
        } else {
            self.one_of(&members)
        };
        Some((who?, task, round))
    }

    fn commit_vote(&mut self) -> Option<(AccountId, RuntimeCall)> {
        let (who, task, round) = self.voter(|p| matches!(p, Phase::VoteCommit))?;
        let count = pallet_tasks::Answers::<Runtime>::get(task).len();
        // Most agree on a quality that follows from the answer; some differ widely.
        let honest = self.rng.gen_bool(0.85);
        let scores: Vec<_> = (0..count)
            .map(|i| {
                let base = (task.0[0] as usize + 37 * i) % 101;
                let quality = if honest {
                    base as u8
                } else {
                    self.rng.gen_range(0..=100)
                };
                let verdict = match (honest, task.0[1] as usize % 7 == i) {
                    (true, true) => Verdict::Malformed,
                    (false, _) if self.rng.gen_bool(0.2) => Verdict::Plagiarised,
                    _ => Verdict::Valid,
                };
                AnswerScore {
                    quality,
                    innovation: self.rng.gen_range(0..=100),
                    verdict,
                }
            })
            .collect();
        let automatic = pallet_judges::Rounds::<Runtime>::get(task, round)
            .is_some_and(|r| r.members.iter().any(|m| m.who == who && m.automatic));
        // Most tools find the same; some fail, some are other tools.
        let report = (automatic && self.rng.gen_bool(0.9)).then(|| Report {
            output: [if honest { 1 } else { self.rng.gen() }; 32],
            failed: u32::from(task.0[1].is_multiple_of(5)),
        });
        let salt = self.salt();
        let commitment = commitment::vote(&task, round, &who, &scores, report.as_ref(), &salt);
        self.votes
            .entry((task, round, who.clone()))
            .or_insert((scores, report, salt));
        Some((
            who,
            pallet_judges::Call::commit_vote { task, commitment }.into(),
        ))
    }

    fn reveal_vote(&mut self) -> Option<(AccountId, RuntimeCall)> {
        let (who, task, round) = self.voter(|p| matches!(p, Phase::VoteReveal))?;
        let (mut scores, report, salt) = self.votes.get(&(task, round, who.clone()))?.clone();
        if self.rng.gen_bool(0.03) {
            scores.first_mut()?.quality = 101;
        }
        let scores = scores.try_into().ok()?;
        Some((
            who,
            pallet_judges::Call::reveal_vote {
                task,
                scores,
                report,
                salt,
            }
            .into(),
        ))
    }

    fn claim(&mut self) -> Option<(AccountId, RuntimeCall)> {
        let who = self.anybody();
        let claims: Vec<_> = pallet_rewards::Claims::<Runtime>::iter_prefix(&who)
            .map(|(task, _)| task)
            .collect();
        let call: RuntimeCall = match (self.rng.gen_range(0..6), self.one_of(&claims)) {
            (0, _) => pallet_rewards::Call::claim_all {}.into(),
            (4, _) => pallet_rewards::Call::claim_all_for {
                owner: self.anybody(),
            }
            .into(),
            (5, Some(task)) => {
                let owner = who;
                let call = pallet_rewards::Call::claim_for { owner, task };
                return Some((self.anybody(), call.into()));
            }
            (1, _) => pallet_rewards::Call::set_auto_claim {
                enabled: self.rng.gen_bool(0.5),
            }
            .into(),
            (_, Some(task)) => pallet_rewards::Call::claim { task }.into(),
            (_, None) => pallet_rewards::Call::claim {
                task: self.some_task(|_| true)?,
            }
            .into(),
        };
        Some((who, call))
    }

    fn leave_or_return(&mut self) -> (AccountId, RuntimeCall) {
        let who = self.anybody();
        let call: RuntimeCall = match self.rng.gen_range(0..8) {
            0 => pallet_miners::Call::leave {}.into(),
            1 => pallet_miners::Call::withdraw {}.into(),
            2 => pallet_miners::Call::rejoin {}.into(),
            3 => pallet_judges::Call::leave {}.into(),
            4 => pallet_judges::Call::withdraw {}.into(),
            5 => pallet_judges::Call::rejoin {}.into(),
            6 => pallet_judges::Call::top_up {}.into(),
            _ => pallet_miners::Call::declare_relation {
                other: self.anybody(),
            }
            .into(),
        };
        (who, call)
    }

    /// Everybody leaves: judges and miners get their stakes, claims are taken.
    pub fn close_down(&mut self) {
        let everybody = [&self.publishers[..], &self.miners, &self.judges].concat();
        for who in &everybody {
            let _ = dispatch(who, pallet_miners::Call::leave {});
            let _ = dispatch(who, pallet_judges::Call::leave {});
        }
        for block in 0..u64::from(Clock::phase_lengths().unbonding) + 2 {
            next_block(block);
        }
        for who in &everybody {
            let _ = dispatch(who, pallet_miners::Call::withdraw {});
            let _ = dispatch(who, pallet_judges::Call::withdraw {});
            let _ = dispatch(who, pallet_rewards::Call::claim_all {});
        }
    }

    /// Everybody there is.
    pub fn everybody(&self) -> Vec<AccountId> {
        [&self.publishers[..], &self.miners, &self.judges].concat()
    }
}
