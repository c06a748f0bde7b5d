// SPDX-License-Identifier: Apache-2.0

//! The arithmetic against independent slow references: `reference.py`, `judging.py` and `sum_tree.py`
//! of `scripts/vectors` write the files read here. See docs/vectors.md.
#![allow(clippy::unwrap_used)]

#[macro_use]
mod values;

mod judging;

use serde_json::Value;
use std::collections::BTreeMap;
use tos_formulas::{
    median, reputation, roster, simhash,
    split::{self, JudgedAnswer, SplitProfile, WinnerRule},
    stream::Stream,
    sum_tree::{Node, NodeId, SumTree},
};
use tos_types::Verdict;
use values::{amount, amounts, cases, number, numbers};

fn seed(value: &Value) -> [u8; 32] {
    tos_types::json::from_hex(value.as_str().unwrap())
        .unwrap()
        .try_into()
        .unwrap()
}

#[test]
fn reputation_agrees_with_the_reference() {
    for case in cases(&vectors!("reputation.json"), 700) {
        let score = |i: usize| number(&case["scores"][i]);
        let performance = reputation::Performance {
            completion: score(0),
            quality: score(1),
            accuracy: score(2),
            peer: score(3),
            innovation: score(4),
        };
        let before = number(&case["reputation"]);
        let change = reputation::change(before, &performance);
        assert_eq!(change, number::<i16>(&case["change"]), "{case}");
        assert_eq!(
            reputation::apply(before, change),
            number::<u16>(&case["after"]),
            "{case}"
        );
    }
}

#[test]
fn idle_decay_agrees_with_the_reference() {
    for case in cases(&vectors!("decay.json"), 300) {
        let left = reputation::idle_decay(number(&case["score"]), number(&case["idleDays"]));
        assert_eq!(left, number::<u16>(&case["left"]), "{case}");
    }
}

#[test]
fn splits_agree_with_the_reference() {
    for case in cases(&vectors!("split.json"), 300) {
        let profile: Vec<u16> = numbers(&case["profile"]);
        let profile = SplitProfile {
            winners: profile[0],
            participants: profile[1],
            judges: profile[2],
            network: profile[3],
        };
        assert!(profile.is_within_bounds(), "{case}");
        let rule: Vec<u8> = numbers(&case["rule"]);
        let answers: Vec<JudgedAnswer> = cases(&case["answers"], 0)
            .iter()
            .map(|answer| JudgedAnswer {
                quality: number(&answer["quality"]),
                innovation: number(&answer["innovation"]),
                timeliness: number(&answer["timeliness"]),
                eligible: answer["eligible"].as_bool().unwrap(),
            })
            .collect();
        let allocation = split::allocate(
            amount(&case["escrow"]),
            &profile,
            WinnerRule {
                per: rule[0],
                cap: rule[1],
            },
            split::QualityBars {
                win: number(&case["minQuality"]),
                take_part: tos_types::params::MIN_PARTICIPATION_QUALITY,
            },
            &answers,
            &numbers::<u16>(&case["points"]),
        );
        let expected = &case["allocation"];
        let expected = split::Allocation {
            winners: numbers(&expected["winners"]),
            answers: amounts(&expected["answers"]),
            judges: amounts(&expected["judges"]),
            network: amount(&expected["network"]),
            refund: amount(&expected["refund"]),
        };
        assert_eq!(allocation, expected, "{case}");
    }
}

#[test]
fn panels_agree_with_the_reference() {
    let vectors = vectors!("median.json");
    fn votes<T: TryFrom<i64>>(case: &Value) -> Vec<(T, u64)> {
        cases(&case["votes"], 0)
            .iter()
            .map(|v| (number(&v[0]), amount(&v[1])))
            .collect()
    }
    for case in cases(&vectors["median"], 200) {
        let expected = case["median"].as_u64().map(|median| median as u8);
        assert_eq!(
            median::weighted_median(&votes::<u8>(case)),
            expected,
            "{case}"
        );
    }
    for case in cases(&vectors["verdict"], 100) {
        let verdicts = [Verdict::Valid, Verdict::Unavailable, Verdict::Malformed];
        let of = |n: usize| verdicts.get(n).copied().unwrap_or(Verdict::Plagiarised);
        let votes: Vec<(Verdict, u64)> = votes::<usize>(case)
            .into_iter()
            .map(|(n, weight)| (of(n), weight))
            .collect();
        assert_eq!(
            median::majority_verdict(&votes),
            of(number(&case["verdict"])),
            "{case}"
        );
    }
    for case in cases(&vectors["accuracy"], 100) {
        let pairs: Vec<(u8, u8)> = cases(&case["pairs"], 0)
            .iter()
            .map(|p| (number(&p[0]), number(&p[1])))
            .collect();
        assert_eq!(
            median::accuracy(&pairs),
            number::<u16>(&case["accuracy"]),
            "{case}"
        );
    }
    for case in cases(&vectors["cap"], 200) {
        let mut weights: Vec<u64> = amounts(&case["weights"]);
        median::cap_weights(&mut weights);
        assert_eq!(weights, amounts::<u64>(&case["capped"]), "{case}");
    }
}

#[test]
fn draws_agree_with_the_reference() {
    let vectors = vectors!("median.json");
    for case in cases(&vectors["sample"], 60) {
        let weights: Vec<u64> = amounts(&case["weights"]);
        let drawn = median::weighted_sample(&weights, number(&case["k"]), seed(&case["seed"]));
        assert_eq!(drawn, numbers::<usize>(&case["drawn"]), "{case}");
    }
    for case in cases(&vectors["indices"], 60) {
        let (pool, k) = (number(&case["pool"]), number(&case["k"]));
        let drawn = median::distinct_indices(pool, k, seed(&case["seed"]));
        assert_eq!(drawn, numbers::<u32>(&case["drawn"]), "{case}");
    }
}

#[test]
fn simhash_agrees_with_the_reference() {
    for case in cases(&vectors!("simhash.json"), 50) {
        let fingerprint = simhash::simhash(case["text"].as_str().unwrap().as_bytes());
        assert_eq!(
            format!("{fingerprint:016x}"),
            case["simhash"].as_str().unwrap(),
            "{case}"
        );
    }
}

#[test]
fn draws_by_weight_agree_with_the_reference() {
    for case in cases(&vectors!("sum_tree.json"), 100) {
        match (number::<u32>(&case["arity"]), number::<u8>(&case["depth"])) {
            (2, 3) => draws_by_weight::<2, 3>(case),
            (3, 3) => draws_by_weight::<3, 3>(case),
            (4, 3) => draws_by_weight::<4, 3>(case),
            (64, 1) => draws_by_weight::<64, 1>(case),
            (64, 3) => draws_by_weight::<64, 3>(case),
            shape => panic!("no tree of the shape {shape:?}"),
        }
    }
}

fn draws_by_weight<const ARITY: u32, const DEPTH: u8>(case: &Value) {
    let nodes = BTreeMap::<NodeId, Node>::new();
    let mut tree = SumTree::<_, ARITY, DEPTH>::new(nodes);
    for change in cases(&case["changes"], 0) {
        let weight = |n: usize| change[n].as_str().map(|text| text.parse::<u64>().unwrap());
        let leaf = |n: usize| change[n].as_u64().map(|leaf| leaf as u32);
        let told = match change[0].as_str().unwrap() {
            "insert" => tree.insert(weight(1).unwrap()).ok() == leaf(2),
            "set" => tree.set(leaf(1).unwrap(), weight(2).unwrap()).ok() == weight(3),
            "remove" => tree.remove(leaf(1).unwrap()).ok() == weight(2),
            other => panic!("no change is called {other}"),
        };
        assert!(told, "{change} of {case}");
    }
    let leaves = cases(&case["leaves"], 0);
    for leaf in leaves {
        let weight = tree.weight(number(&leaf[0]));
        assert_eq!(weight, Some(amount::<u64>(&leaf[1])), "{case}");
    }
    let census = tree.check().unwrap();
    assert_eq!(census.leaves as usize, leaves.len(), "{case}");
    assert_eq!(census.total, amount::<u64>(&case["total"]), "{case}");

    let stream = || Stream::new(*b"tos/roster/v1", seed(&case["seed"]));
    let count: u32 = number(&case["count"]);
    let mut points = stream();
    let drawn: Vec<u32> = (0..count)
        .filter_map(|_| tree.draw(&mut points).unwrap())
        .map(|hit| hit.leaf)
        .collect();
    assert_eq!(drawn, numbers::<u32>(&case["drawn"]), "{case}");
    let excluded: Vec<u32> = numbers(&case["excluded"]);
    let distinct = tree.draw_distinct(&mut stream(), count, &excluded);
    let distinct: Vec<u32> = distinct.unwrap().iter().map(|hit| hit.leaf).collect();
    assert_eq!(distinct, numbers::<u32>(&case["distinct"]), "{case}");
}

#[test]
fn rosters_agree_with_the_reference() {
    let vectors = vectors!("roster.json");
    for case in cases(&vectors["bootstrap"], 100) {
        let seats = roster::seats_in_bootstrap(number(&case["wanted"]), number(&case["certified"]));
        let seats = seats.map_or(vec![], |seats| vec![seats.all, seats.certified]);
        let expected = case["seats"]
            .as_array()
            .map_or(vec![], |_| numbers::<u32>(&case["seats"]));
        assert_eq!(seats, expected, "{case}");
    }
    for case in cases(&vectors["stake"], 100) {
        let stake = roster::seat_stake(
            amount(&case["reward"]),
            number(&case["seats"]),
            number(&case["share"]),
            amount(&case["least"]),
        );
        assert_eq!(stake, amount::<u128>(&case["stake"]), "{case}");
    }
    for case in cases(&vectors["room"], 100) {
        let room = roster::has_room(
            amount(&case["total"]),
            amount(&case["locked"]),
            amount(&case["wanted"]),
            number(&case["share"]),
        );
        assert_eq!(Some(room), case["room"].as_bool(), "{case}");
    }
    for case in cases(&vectors["premium"], 100) {
        let class = roster::premium_class(amount(&case["premium"]), amount(&case["reward"]));
        assert_eq!(class, number::<u8>(&case["class"]), "{case}");
    }
}
