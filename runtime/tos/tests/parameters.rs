// SPDX-License-Identifier: Apache-2.0

//! What governance can change, who may, and what bounds hold whoever tries.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod world;

use codec::{Decode, Encode};
use polkadot_sdk::*;

use frame_support::{
    assert_noop, assert_ok,
    traits::{Get, TypedGet},
};
use sp_runtime::DispatchError::BadOrigin;
use std::{fmt::Write, fs, path::PathBuf};
use tos_formulas::split::{SplitProfile, WinnerRule};
use tos_runtime::{
    constants::currency::{MICRO_TOS, MILLI_TOS},
    origins::pallet::Origin,
    parameters::{dynamic_params as p, RuntimeParameters},
    *,
};
use tos_types::{
    rules::{
        Amount, CertifiedStakes, Checked, Count, DifficultyTable, DifficultyTerms, JudgeStakes,
        JudgingRules, LevelTable, LevelTerms, LowestLevel, MinerStakes, PublishingRules, Share,
        SlashRules,
    },
    PhaseLengths, TaskType, TOS,
};
use world::{account, genesis, owned};

fn with_network(test: impl FnOnce()) {
    genesis(10, 2, PhaseLengths::development()).execute_with(test);
}

fn slashes(rules: Option<SlashRules>) -> RuntimeParameters {
    let value = rules.map(|rules| Checked::new(rules).unwrap());
    RuntimeParameters::Tasks(p::tasks::Parameters::Slashes(p::tasks::Slashes, value))
}

fn least_multiplier(thousandths: u32) -> RuntimeParameters {
    let value = Count::new(thousandths);
    RuntimeParameters::Fees(p::fees::Parameters::LeastMultiplier(
        p::fees::LeastMultiplier,
        value,
    ))
}

fn judge_stakes(rules: JudgeStakes) -> RuntimeParameters {
    use p::members::{Judges, Parameters as Of};
    RuntimeParameters::Members(Of::Judges(Judges, Checked::new(rules).ok()))
}

fn byte_deposit(wei: Balance) -> RuntimeParameters {
    RuntimeParameters::Deposits(p::deposits::Parameters::Byte(
        p::deposits::Byte,
        Amount::new(wei),
    ))
}

fn max_spend(wei: Balance) -> RuntimeParameters {
    RuntimeParameters::Treasury(p::treasury::Parameters::MaxSpend(
        p::treasury::MaxSpend,
        Amount::new(wei),
    ))
}

fn set(
    origin: impl Into<RuntimeOrigin>,
    value: RuntimeParameters,
) -> frame_support::dispatch::DispatchResult {
    Parameters::set_parameter(origin.into(), value)
}

#[test]
fn each_parameter_has_one_kind_of_origin_and_nobody_else_may_set_it() {
    with_network(|| {
        let rules = SlashRules {
            no_show: 1_200,
            ..SlashRules::STANDARD
        };
        let all = [
            slashes(Some(rules)),
            least_multiplier(200),
            byte_deposit(2 * MILLI_TOS),
            judge_stakes(JudgeStakes::STANDARD),
            max_spend(1_000 * TOS),
        ];
        for (index, value) in all.into_iter().enumerate() {
            for stranger in [
                RuntimeOrigin::signed(account(1)),
                RuntimeOrigin::none(),
                Origin::Treasurer.into(),
                Origin::Emergency.into(),
                Origin::WhitelistedCaller.into(),
            ] {
                assert_noop!(set(stranger, value.clone()), BadOrigin);
            }
            if index < 4 {
                assert_ok!(set(Origin::Parameters, value));
            } else {
                // Public money is not for the track of parameters.
                assert_noop!(set(Origin::Parameters, value.clone()), BadOrigin);
                assert_ok!(set(RuntimeOrigin::root(), value));
            }
        }
        assert_eq!(p::tasks::Slashes::get().no_show, 1_200);
        assert_eq!(
            <parameters::MaxSpend as TypedGet>::get(),
            1_000 * TOS,
            "and the treasury asks for it"
        );
        // None brings back what a network is born with.
        assert_ok!(set(Origin::Parameters, slashes(None)));
        assert_eq!(p::tasks::Slashes::get().into_inner(), SlashRules::STANDARD);
    });
}

#[test]
fn no_call_with_a_value_out_of_bounds_can_be_decoded() {
    let call = |value| -> RuntimeCall {
        pallet_parameters::Call::set_parameter { key_value: value }.into()
    };
    let good = call(slashes(Some(SlashRules::STANDARD))).encode();
    assert!(RuntimeCall::decode(&mut good.as_slice()).is_ok());
    let head = &good[..good.len() - SlashRules::STANDARD.encode().len()];
    let greedy = SlashRules {
        plagiarism: 10_001,
        ..SlashRules::STANDARD
    };
    let bad = [head, &greedy.encode()].concat();
    assert!(RuntimeCall::decode(&mut bad.as_slice()).is_err());

    let good = call(max_spend(TOS)).encode();
    assert!(RuntimeCall::decode(&mut good.as_slice()).is_ok());
    let bad = [&good[..good.len() - 16], &(TOS - 1).encode()].concat();
    assert!(RuntimeCall::decode(&mut bad.as_slice()).is_err());
}

#[test]
fn a_task_published_after_a_change_is_under_the_new_rules_and_one_before_it_is_not() {
    with_network(|| {
        let publish = |nonce: u64| {
            let call = pallet_tasks::Call::publish {
                params: tos_types::TaskParams::General {
                    subject: b"x".to_vec().try_into().unwrap(),
                },
                difficulty: tos_types::Difficulty::Beginner,
                spec: tos_types::ContentRef::inline(b"what is asked").unwrap(),
                reward: 10 * TOS,
                open_for: PhaseLengths::development().min_open,
                min_quality: 50,
                max_participants: 3,
                reference: None,
            };
            assert_ok!(world::dispatch(&account(1), call));
            let id = tos_types::TaskId::derive(&account(1), nonce);
            let task = pallet_tasks::Tasks::<Runtime>::get(id).unwrap();
            (id, task.publisher_stake, task.rules)
        };
        // The rules of the task, as all clients read them.
        let view = |id| Tasks::task(id).unwrap();
        let before = publish(0);
        let rules = PublishingRules {
            publisher_stake: 3_000,
            ..PublishingRules::STANDARD
        };
        let mut table = DifficultyTable::STANDARD;
        table.beginner.stake = 2 * TOS;
        let promised = view(before.0);
        for value in [
            p::tasks::Parameters::Publishing(p::tasks::Publishing, Checked::new(rules).ok()),
            p::tasks::Parameters::Difficulties(p::tasks::Difficulties, Checked::new(table).ok()),
        ] {
            assert_ok!(set(Origin::Parameters, RuntimeParameters::Tasks(value)));
        }
        let split = SplitProfile {
            winners: 6_000,
            participants: 2_000,
            judges: 1_000,
            network: 1_000,
        };
        let winners = WinnerRule { per: 1, cap: 3 };
        let (of, at) = (TaskType::General, tos_types::Difficulty::Beginner);
        let governance = || -> RuntimeOrigin { Origin::Parameters.into() };
        assert_ok!(Rewards::set_profile(governance(), of, at, Some(split)));
        assert_ok!(Rewards::set_winner_rule(governance(), of, Some(winners)));
        let after = publish(1);
        assert_eq!(view(before.0), promised);
        assert_eq!((before.1, promised.terms.stake), (TOS, TOS));
        let new = view(after.0);
        assert_eq!((after.1, new.terms.stake), (3 * TOS, 2 * TOS));
        assert_eq!((new.split, new.winners), (split, winners));
        assert_ne!(
            (promised.split, promised.winners),
            (new.split, new.winners),
            "otherwise this shows nothing"
        );
        // One more under the same rules is under the same set.
        assert_eq!(publish(2).2, after.2);
        assert_eq!(pallet_tasks::RuleSets::<Runtime>::iter().count(), 2);
        world::check_invariants(Balances::total_issuance());
    });
}

#[test]
fn registrations_and_the_stakes_of_answers_follow_the_parameters_of_members() {
    with_network(|| {
        use p::members::{Levels, Miners as MinersKey, Parameters as Of};
        use tos_interfaces::MinerRegistry;
        let general = || vec![TaskType::General].try_into().unwrap();
        let register = |n| {
            assert_ok!(Miners::register(
                RuntimeOrigin::signed(account(n)),
                general()
            ));
            pallet_miners::Miners::<Runtime>::get(account(n))
                .unwrap()
                .stake
        };
        let judge = |n| {
            let types = vec![TaskType::General].try_into().unwrap();
            assert_ok!(Judges::register(RuntimeOrigin::signed(account(n)), types));
            pallet_judges::Judges::<Runtime>::get(account(n))
                .unwrap()
                .stake
        };
        let percent = |n| <Miners as MinerRegistry<AccountId>>::stake_percent(&account(n));
        assert_eq!(
            (register(1), judge(2), percent(1)),
            (100 * TOS, 100 * TOS, 150)
        );
        let miners = MinerStakes {
            general: 130 * TOS,
            ..MinerStakes::STANDARD
        };
        let mut levels = LevelTable::STANDARD;
        (levels.standard.stake, levels.certified.unverified) = (200, 250);
        for value in [
            Of::Miners(MinersKey, Checked::new(miners).ok()),
            Of::Levels(Levels, Checked::new(levels).ok()),
        ] {
            assert_ok!(set(Origin::Parameters, RuntimeParameters::Members(value)));
        }
        let judges = JudgeStakes {
            general: 170 * TOS,
            ..JudgeStakes::STANDARD
        };
        assert_ok!(set(Origin::Parameters, judge_stakes(judges)));
        assert_eq!(
            (register(3), judge(4), percent(3)),
            (130 * TOS, 170 * TOS, 200)
        );
        world::check_invariants(Balances::total_issuance());
    });
}

#[test]
fn who_has_deposited_gets_back_what_it_deposited() {
    with_network(|| {
        let before = owned(&account(1));
        let free = || Balances::free_balance(account(1));
        let add = || {
            Proxy::add_proxy(
                RuntimeOrigin::signed(account(1)),
                account(2).into(),
                configs::ProxyType::Any,
                0,
            )
        };
        assert_ok!(add());
        let cheap = before - free();
        assert_eq!(cheap, 100 * MILLI_TOS + (8 + 37) * MILLI_TOS);
        assert_ok!(set(Origin::Parameters, byte_deposit(MICRO_TOS)));
        assert_ok!(Proxy::remove_proxies(RuntimeOrigin::signed(account(1))));
        assert_eq!(free(), before);
        assert_ok!(set(Origin::Parameters, byte_deposit(TOS)));
        assert_ok!(add());
        assert_eq!(before - free(), 100 * MILLI_TOS + (8 + 37) * TOS);
        assert_ok!(set(Origin::Parameters, byte_deposit(MILLI_TOS)));
        assert_ok!(Proxy::remove_proxies(RuntimeOrigin::signed(account(1))));
        assert_eq!(free(), before);
    });
}

#[test]
fn fees_never_fall_below_the_multiplier_that_governance_sets() {
    with_network(|| {
        use frame_support::traits::Hooks;
        use sp_runtime::FixedPointNumber;
        type Fees = pallet_transaction_payment::NextFeeMultiplier<Runtime>;
        let least = |thousandths: u32| {
            pallet_transaction_payment::Multiplier::saturating_from_rational(thousandths, 1_000)
        };
        // Empty blocks let fees fall, down to the least.
        Fees::put(least(100));
        TransactionPayment::on_finalize(1);
        assert_eq!(Fees::get(), least(100));
        assert_ok!(set(Origin::Parameters, least_multiplier(2_000)));
        TransactionPayment::on_finalize(2);
        assert_eq!(Fees::get(), least(2_000));
    });
}

/// A row of the table, with the value a network is born with.
fn rows<T: serde::Serialize>(out: &mut String, name: &str, standard: &T, bounds: &[(&str, &str)]) {
    let values = serde_json::to_value(standard).unwrap();
    for (field, bound) in bounds {
        let camel: String = field
            .split('_')
            .enumerate()
            .map(|(index, part)| match index {
                0 => part.to_string(),
                _ => part[..1].to_uppercase() + &part[1..],
            })
            .collect();
        let value = values[&camel].to_string().replace('"', "");
        writeln!(out, "| `{name}.{camel}` | {value} | {bound} |").unwrap();
    }
}

fn number(out: &mut String, name: &str, value: impl std::fmt::Display, bound: &str) {
    writeln!(out, "| `{name}` | {value} | {bound} |").unwrap();
}

fn table() -> String {
    let mut out = String::from("| parameter | a network is born with | bounds |\n|---|---|---|\n");
    rows(
        &mut out,
        "tasks.Publishing",
        &PublishingRules::STANDARD,
        PublishingRules::BOUNDS,
    );
    rows(
        &mut out,
        "tasks.Slashes",
        &SlashRules::STANDARD,
        SlashRules::BOUNDS,
    );
    rows(
        &mut out,
        "tasks.Judging",
        &JudgingRules::STANDARD,
        JudgingRules::BOUNDS,
    );
    for (name, terms) in [
        ("beginner", DifficultyTable::STANDARD.beginner),
        ("intermediate", DifficultyTable::STANDARD.intermediate),
        ("advanced", DifficultyTable::STANDARD.advanced),
        ("expert", DifficultyTable::STANDARD.expert),
    ] {
        let name = format!("tasks.Difficulties.{name}");
        rows(&mut out, &name, &terms, DifficultyTerms::BOUNDS);
    }
    // The types say the bounds: a change of one does not compile here.
    let full: Share<1_000, 9_000> = p::fees::TargetFullness::get();
    number(
        &mut out,
        "fees.TargetFullness",
        full.get(),
        "10 to 90 % (basis points)",
    );
    let speed: Count<1, 1_000> = p::fees::Adjustment::get();
    number(
        &mut out,
        "fees.Adjustment",
        speed.get(),
        "1 to 1,000 millionths",
    );
    let least: Count<1, 1_000_000> = p::fees::LeastMultiplier::get();
    number(
        &mut out,
        "fees.LeastMultiplier",
        least.get(),
        "1 to 1,000,000 thousandths",
    );
    let entry: Amount<{ MICRO_TOS }, { 100 * TOS }> = p::deposits::Entry::get();
    number(&mut out, "deposits.Entry", entry.get(), "10^-6 to 100 TOS");
    let byte: Amount<{ MICRO_TOS }, { TOS }> = p::deposits::Byte::get();
    number(&mut out, "deposits.Byte", byte.get(), "10^-6 to 1 TOS");
    let referendum: Amount<{ TOS }, { 10_000 * TOS }> = p::deposits::Referendum::get();
    number(
        &mut out,
        "deposits.Referendum",
        referendum.get(),
        "1 to 10,000 TOS",
    );
    let motion: Amount<{ TOS }, { 10_000 * TOS }> = p::deposits::Motion::get();
    number(&mut out, "deposits.Motion", motion.get(), "1 to 10,000 TOS");
    let spend: Amount<{ TOS }, { u128::MAX }> = p::treasury::MaxSpend::get();
    number(&mut out, "treasury.MaxSpend", spend.get(), "from 1 TOS on");
    let stakers: Share<1_000, 9_000> = p::treasury::StakersShare::get();
    number(
        &mut out,
        "treasury.StakersShare",
        stakers.get(),
        "10 to 90 % (basis points)",
    );
    rows(
        &mut out,
        "members.Miners",
        &MinerStakes::STANDARD,
        MinerStakes::BOUNDS,
    );
    rows(
        &mut out,
        "members.Judges",
        &JudgeStakes::STANDARD,
        JudgeStakes::BOUNDS,
    );
    let levels = LevelTable::STANDARD;
    rows(
        &mut out,
        "members.Levels.certified",
        &levels.certified,
        CertifiedStakes::BOUNDS,
    );
    rows(
        &mut out,
        "members.Levels.standard",
        &levels.standard,
        LowestLevel::BOUNDS,
    );
    for (name, terms) in [
        ("advanced", levels.advanced),
        ("specialist", levels.specialist),
        ("master", levels.master),
    ] {
        let name = format!("members.Levels.{name}");
        rows(&mut out, &name, &terms, LevelTerms::BOUNDS);
    }
    out
}

#[test]
fn the_table_of_parameters_in_the_documentation_is_true() {
    with_network(|| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/parameters.md");
        let page = fs::read_to_string(&path).unwrap();
        let (begin, end) = ("<!-- table: generated -->\n", "<!-- table: end -->");
        let (head, rest) = page
            .split_once(begin)
            .expect("the page has a place for the table");
        let (_, tail) = rest.split_once(end).expect("the table has an end");
        let wanted = format!("{head}{begin}{}{end}{tail}", table());
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &wanted).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            wanted,
            "stale: UPDATE_DOCS=1 cargo nextest run --release --workspace -E 'binary(parameters)'"
        );
    });
}
