// SPDX-License-Identifier: Apache-2.0

//! The arithmetic of judging by roster against an independent slow reference: `judging.py` of
//! `scripts/vectors` writes the files read here. See docs/vectors.md.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use tos_formulas::rounds;
use tos_types::vote::Verdict;

macro_rules! vectors {
    ($file:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../../testing/vectors/", $file)))
            .unwrap()
    };
}

fn cases(vectors: &Value, at_least: usize) -> &[Value] {
    let cases = vectors.as_array().unwrap();
    assert!(cases.len() >= at_least, "only {} cases", cases.len());
    cases
}

fn number<T: TryFrom<i64>>(value: &Value) -> T {
    T::try_from(value.as_i64().unwrap()).ok().unwrap()
}

fn numbers<T: TryFrom<i64>>(value: &Value) -> Vec<T> {
    value.as_array().unwrap().iter().map(number).collect()
}

#[test]
fn rounds_agree_with_the_reference() {
    let vectors = vectors!("rounds.json");
    for case in cases(&vectors["median"], 150) {
        let median = rounds::median(&numbers(&case["scores"]));
        let expected = case["median"].as_u64().map(|median| median as u8);
        assert_eq!(median, expected, "{case}");
    }
    for case in cases(&vectors["verdict"], 150) {
        let of = |number: &usize| {
            [Verdict::Valid, Verdict::Unavailable, Verdict::Malformed]
                .get(*number)
                .copied()
                .unwrap()
        };
        let verdicts: Vec<Verdict> = numbers(&case["verdicts"]).iter().map(of).collect();
        let expected = of(&number(&case["verdict"]));
        assert_eq!(rounds::majority(&verdicts), expected, "{case}");
    }
    for case in cases(&vectors["outcome"], 300) {
        let seats = |name: &str| number(&case[name]);
        let outcome = rounds::outcome(seats("seats"), seats("scoring"), seats("unjudgeable"));
        let outcome = serde_json::to_value(outcome).unwrap();
        assert_eq!(outcome, case["outcome"], "{case}");
    }
    for case in cases(&vectors["contested"], 150) {
        let scores: Vec<u8> = numbers(&case["scores"]);
        let contested = rounds::contested(&scores, number(&case["median"]));
        assert_eq!(Some(contested), case["contested"].as_bool(), "{case}");
    }
    for case in cases(&vectors["baseline"], 150) {
        let results: Vec<u8> = numbers(&case["results"]);
        let after = rounds::baseline(number(&case["before"]), &results, number(&case["step"]));
        assert_eq!(after, number::<u8>(&case["after"]), "{case}");
    }
}
