// SPDX-License-Identifier: Apache-2.0

//! What less than a third of a panel's weight cannot do.

use crate::mock::*;
use crate::{Rounds, Scores};
use proptest::prelude::*;
use tos_interfaces::{Panels, VotingStage};
use tos_types::{vote::Tally, AnswerScore, Bp, Verdict};

#[derive(Clone, Debug)]
struct Scene {
    size: u32,
    weights: Vec<Bp>,
    honest: Vec<[u8; 3]>,
    absent: Vec<bool>,
    order: Vec<u8>,
    attack: AnswerScore,
}

fn scene() -> impl Strategy<Value = Scene> {
    let attack = prop_oneof![
        Just(score(0)),
        Just(score(100)),
        Just(AnswerScore {
            quality: 100,
            innovation: 100,
            verdict: Verdict::Plagiarised
        }),
        (0u8..=100).prop_map(score),
    ];
    (
        prop::sample::select(vec![3u32, 5, 7, 9, 11, 13, 15]),
        prop::collection::vec(1u16..=10_000, 15),
        prop::collection::vec(prop::array::uniform3(0u8..=100), 15),
        prop::collection::vec(prop::bool::weighted(0.2), 15),
        prop::collection::vec(any::<u8>(), 15),
        attack,
    )
        .prop_map(|(size, weights, honest, absent, order, attack)| Scene {
            size,
            weights,
            honest,
            absent,
            order,
            attack,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_minority_below_a_third_cannot_move_a_result_out_of_the_honest_range(scene in scene()) {
        ExtBuilder::judges(15).execute(|| {
            for (who, weight) in (1..).zip(&scene.weights) {
                weigh(who, *weight);
            }
            let members = open_round(0, scene.size);
            let round = Rounds::<Test>::get(TASK, 0).unwrap();

            // As many adversaries as fit below a third of the capped weight.
            let mut order: Vec<usize> = (0..members.len()).collect();
            order.sort_by_key(|i| scene.order[*i]);
            let (mut adversaries, mut taken) = (Vec::new(), 0);
            for i in order {
                let weight = round.members[i].weight;
                if (taken + weight) * 3 < round.weight() {
                    adversaries.push(i);
                    taken += weight;
                }
            }

            let attack: Scores = vec![scene.attack; 3].try_into().unwrap();
            let mut seen: Vec<[u8; 3]> = Vec::new();
            let votes: Vec<Vote> = (0..members.len())
                .map(|i| {
                    if adversaries.contains(&i) {
                        Vote::Full(attack.clone())
                    } else if scene.absent[i] {
                        Vote::Absent
                    } else {
                        seen.push(scene.honest[i]);
                        Vote::Full(scene.honest[i].map(score).to_vec().try_into().unwrap())
                    }
                })
                .collect();

            if play_votes(0, &votes) == Tally::NoQuorum {
                assert!(Judges::results(&TASK).is_empty());
                return;
            }
            for (answer, result) in Judges::results(&TASK).into_iter().enumerate() {
                let low = seen.iter().map(|vote| vote[answer]).min().unwrap();
                let high = seen.iter().map(|vote| vote[answer]).max().unwrap();
                assert!((low..=high).contains(&result.quality), "{low} {high} {result:?}");
                assert_eq!(result.verdict, Verdict::Valid);
                assert_eq!(result.innovation, 50);
            }
        });
    }
}

#[test]
fn one_member_alone_cannot_force_or_fake_a_consensus() {
    ExtBuilder::judges(5).execute(|| {
        // However great its reputation, its weight is capped.
        weigh(1, 10_000);
        (2..=5).for_each(|who| weigh(who, 100));
        let members = open_round(0, 5);
        members.iter().for_each(|who| {
            let quality = if *who == 1 { 100 } else { 10 };
            commit(*who, 0, &flat(quality));
        });
        set_stage(VotingStage::Reveal { round: 0 });
        members.iter().for_each(|who| {
            let quality = if *who == 1 { 100 } else { 10 };
            reveal(*who, &flat(quality));
        });
        Judges::tally(&TASK);
        assert_eq!(Judges::results(&TASK)[0].quality, 10);
    });
}
