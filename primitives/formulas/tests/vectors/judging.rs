// SPDX-License-Identifier: Apache-2.0

//! The arithmetic of judging by roster.

use super::values::{amount, amounts, cases, number, numbers};
use serde_json::Value;
use tos_formulas::{
    copies::{self, Marks},
    ends::{self, Classes},
    losses::SeatLock,
    points, reputation, rounds, simhash,
    split::{JudgedAnswer, QualityBars, SplitProfile, WinnerRule},
};
use tos_types::vote::Verdict;

#[test]
fn rounds_agree_with_the_reference() {
    let vectors = vectors!("rounds.json");
    for case in cases(&vectors["median"], 150) {
        let median = rounds::median(&numbers::<u8>(&case["scores"]));
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
        let verdicts: Vec<Verdict> = numbers::<usize>(&case["verdicts"]).iter().map(of).collect();
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

#[test]
fn points_agree_with_the_reference() {
    let vectors = vectors!("points.json");
    for case in cases(&vectors["points"], 150) {
        let of = |name: &str| number::<u8>(&case[name]);
        let points = points::points(of("baseline"), of("score"), of("result"), of("clip"));
        assert_eq!(points, number::<i32>(&case["points"]), "{case}");
    }
    for case in cases(&vectors["pay"], 150) {
        let accounts: Vec<(i32, u32)> = cases(&case["accounts"], 0)
            .iter()
            .map(|account| (number(&account[0]), number(&account[1])))
            .collect();
        let pay = points::pay(amount(&case["total"]), number(&case["seats"]), &accounts);
        let expected = points::Pay {
            credits: amounts(&case["pay"]["credits"]),
            debits: amounts(&case["pay"]["debits"]),
            rest: amount(&case["pay"]["rest"]),
        };
        assert_eq!(pay, expected, "{case}");
    }
    for case in cases(&vectors["fines"], 150) {
        let seats: Vec<u32> = numbers(&case["seats"]);
        let pay = points::fines(amount(&case["total"]), amount(&case["fee"]), &seats);
        assert_eq!(pay.credits, amounts(&case["pay"]["credits"]), "{case}");
        assert_eq!(pay.rest, amount(&case["pay"]["rest"]), "{case}");
    }
}

#[test]
fn losses_agree_with_the_reference() {
    for case in cases(&vectors!("losses.json"), 300) {
        let points = |name: &str| number::<u8>(&case[name]);
        let mut seat = SeatLock::new(amount(&case["lock"]));
        let losses = [
            seat.silence(number(&case["silence"])),
            seat.points(amount(&case["debit"])),
            seat.appeal(
                points("distance"),
                points("from"),
                points("full"),
                number(&case["part"]),
            ),
        ];
        assert_eq!(losses.to_vec(), amounts(&case["losses"]), "{case}");
    }
}

fn fingerprint(value: &Value) -> Option<u64> {
    value
        .as_str()
        .map(|text| u64::from_str_radix(text, 16).unwrap())
}

#[test]
fn copies_agree_with_the_reference() {
    let vectors = vectors!("copies.json");
    for case in cases(&vectors["originals"], 150) {
        let answers: Vec<Option<Marks>> = cases(&case["answers"], 0)
            .iter()
            .map(|answer| {
                let hash = answer["hash"].as_u64()?;
                Some(Marks {
                    hash: [hash as u8; 32],
                    simhash: fingerprint(&answer["simhash"]),
                })
            })
            .collect();
        let originals = copies::originals(&answers, number(&case["distance"]));
        assert_eq!(originals, numbers::<u32>(&case["originals"]), "{case}");
    }
    for case in cases(&vectors["fingerprints"], 30) {
        let text = case["text"].as_str().unwrap();
        let expected = fingerprint(&case["fingerprint"]);
        assert_eq!(simhash::fingerprint(text.as_bytes()), expected, "{case}");
    }
}

fn judged(answer: &Value) -> JudgedAnswer {
    JudgedAnswer {
        quality: number(&answer["quality"]),
        innovation: number(&answer["innovation"]),
        timeliness: number(&answer["timeliness"]),
        eligible: answer["eligible"].as_bool().unwrap(),
    }
}

#[test]
fn settled_ends_agree_with_the_reference() {
    for case in cases(&vectors!("ends.json")["settled"], 200) {
        let rule: Vec<u8> = numbers(&case["rule"]);
        let answers: Vec<JudgedAnswer> = cases(&case["answers"], 0).iter().map(judged).collect();
        let classes = Classes {
            winners: amount(&case["winners"]),
            participants: amount(&case["participants"]),
            ..Classes::default()
        };
        let division = ends::settled(
            &classes,
            WinnerRule {
                per: rule[0],
                cap: rule[1],
            },
            QualityBars {
                win: number(&case["bar"]),
                take_part: 20,
            },
            &answers,
            &numbers::<u32>(&case["originals"]),
        );
        let expected = &case["division"];
        let expected = ends::Settled {
            winners: numbers(&expected["winners"]),
            answers: amounts(&expected["answers"]),
            publisher: amount(&expected["publisher"]),
            lost: amount(&expected["lost"]),
        };
        assert_eq!(division, expected, "{case}");
    }
}

#[test]
fn other_ends_agree_with_the_reference() {
    let vectors = vectors!("ends.json");
    for case in cases(&vectors["classes"], 200) {
        let profile: Vec<u16> = numbers(&case["profile"]);
        let profile = SplitProfile {
            winners: profile[0],
            participants: profile[1],
            judges: profile[2],
            network: profile[3],
        };
        let all = ends::classes(amount(&case["reward"]), &profile);
        let all = vec![all.winners, all.participants, all.judges, all.network];
        assert_eq!(all, amounts(&case["classes"]), "{case}");
    }
    for case in cases(&vectors["faulty"], 200) {
        let end = ends::faulty(
            amount(&case["reward"]),
            amount(&case["judges"]),
            number(&case["answers"]),
            number(&case["seats"]),
        );
        let parts = vec![end.answer, end.seat, end.lost];
        assert_eq!(parts, amounts(&case["parts"]), "{case}");
    }
    for case in cases(&vectors["abandoned"], 200) {
        let end = ends::abandoned(amount(&case["both"]), number(&case["answers"]));
        let parts = vec![end.answer, end.publisher, end.lost];
        assert_eq!(parts, amounts(&case["parts"]), "{case}");
    }
}

#[test]
fn caps_of_reputation_agree_with_the_reference() {
    for case in cases(&vectors!("reputation_cap.json"), 150) {
        let changes: Vec<i16> = numbers(&case["changes"]);
        let capped = reputation::capped(&changes, amount(&case["paid"]), number(&case["perTos"]));
        assert_eq!(capped, numbers::<i16>(&case["capped"]), "{case}");
    }
}
