// SPDX-License-Identifier: Apache-2.0

//! Members of a panel.

use crate::mock::*;
use crate::{draw::choose, draw::Candidate, DrawRequests, Duties, Event, Rounds};
use frame_support::assert_ok;
use polkadot_sdk::*;
use std::collections::BTreeMap;
use tos_formulas::median::max_share;
use tos_interfaces::{Draw, PanelRequest, Panels};
use tos_types::{
    params::{MAX_CANDIDATES, MAX_CONCURRENT_PANELS},
    task::Certification,
    TaskId, TaskType,
};

fn reseed(n: u64) {
    world(|w| w.seed = Some(codec::Encode::using_encoded(&n, sp_io::hashing::blake2_256)));
}

/// Draws for another seed and gives the seats back as if nothing had been drawn.
fn redraw(n: u64, request: &PanelRequest<u64>) -> Vec<u64> {
    reseed(n);
    assert!(matches!(draw(request), Draw::Seated(_)));
    let members = members(request.round);
    unseat(&members);
    members
}

/// Draws panels of three for other tasks.
fn seat_elsewhere(tasks: core::ops::Range<u32>) {
    for n in tasks {
        let other = PanelRequest {
            task: TaskId([100 + n as u8; 16]),
            ..request(0, 3)
        };
        assert_eq!(draw(&other), Draw::Seated(3));
    }
}

fn unseat(members: &[u64]) {
    Judges::forget(&TASK);
    for who in members {
        Duties::<Test>::remove(who);
        crate::Judges::<Test>::mutate_extant(who, |v| v.panels = 0);
    }
}

fn make_expert(who: u64) {
    world(|w| w.certifications.insert(who, Certification::Expert));
    crate::Judges::<Test>::mutate_extant(who, |v| v.accuracy = 8_500);
}

#[test]
fn a_panel_is_seated_with_its_duties() {
    ExtBuilder::judges(10).execute(|| {
        assert_eq!(draw(&request(0, 5)), Draw::Seated(5));
        let members = members(0);
        for who in 1..=10 {
            let seated = members.contains(&who);
            assert_eq!(Duties::<Test>::get(who).contains(&TASK), seated);
            assert_eq!(judge(who).panels, u32::from(seated));
        }
        let names = members.try_into().unwrap();
        System::assert_last_event(
            Event::PanelSeated {
                task: TASK,
                round: 0,
                members: names,
                expert: false,
            }
            .into(),
        );
        // Asking again changes nothing.
        reseed(77);
        assert_eq!(draw(&request(0, 5)), Draw::Seated(5));
        assert!(Rounds::<Test>::get(TASK, 1).is_none());
    });
}

#[test]
fn equal_judges_are_drawn_equally_often() {
    ExtBuilder::judges(12).execute(|| {
        let mut seats = BTreeMap::<u64, u32>::new();
        for n in 0..1_200 {
            for who in redraw(n, &request(0, 3)) {
                *seats.entry(who).or_default() += 1;
            }
        }
        // 300 expected; five standard deviations are 75.
        for who in 1..=12 {
            assert!(seats[&who].abs_diff(300) < 75, "{who}: {seats:?}");
        }
    });
}

#[test]
fn reputation_weighs_in_the_draw() {
    ExtBuilder::judges(13).execute(|| {
        weigh(1, 4_000);
        let hits = (0..600)
            .filter(|n| redraw(*n, &request(0, 3)).contains(&1))
            .count();
        // Four times the weight of each of the other 12: 1 − 12/16 · 11/15 · 10/14 is 61 %.
        assert!((310..=420).contains(&hits), "{hits}");
        // Without it, 3 of 13 would be 23 %.
    });
}

#[test]
fn a_pool_larger_than_one_look_is_sampled_all_over() {
    ExtBuilder::judges(100).execute(|| {
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..400 {
            seen.extend(redraw(n, &request(0, 3)));
        }
        assert_eq!(seen.len(), 100);
    });
}

#[test]
fn the_publisher_the_submitters_and_the_recused_never_sit() {
    ExtBuilder::judges(8).execute(|| {
        let mut request = request(0, 3);
        request.publisher = 1;
        request.submitters = vec![2, 901, 902];
        world(|w| {
            w.recused
                .extend([((3, 1), 0), ((4, 901), 1), ((5, 902), PUBLISHED - 1)])
        });
        for n in 0..60 {
            let mut members = redraw(n, &request);
            members.sort();
            assert_eq!(members, [6, 7, 8]);
        }
        world(|w| w.recused.insert((6, 902), 0));
        assert_eq!(draw(&request), Draw::Retry);
    });
}

/// Or a judge that knows the seed could choose by a call whether it sits.
#[test]
fn what_a_judge_declares_after_the_publication_does_not_move_the_draw() {
    ExtBuilder::judges(5).execute(|| {
        let before = redraw(7, &request(0, 3));
        for who in 1..=5 {
            for at in [PUBLISHED, PUBLISHED + 1, PUBLISHED + 1_000] {
                world(|w| w.recused.insert((who, SUBMITTERS[0]), at));
                assert_eq!(redraw(7, &request(0, 3)), before, "{who} in {at}");
            }
        }
        // Declared before, it keeps off all but two of them.
        for who in 1..=3 {
            world(|w| w.recused.insert((who, SUBMITTERS[0]), PUBLISHED - 1));
        }
        reseed(7);
        assert_eq!(draw(&request(0, 3)), Draw::Retry);
    });
}

#[test]
fn what_parties_declare_keeps_no_judge_off_their_panel() {
    ExtBuilder::judges(3).execute(|| {
        let mut request = request(0, 3);
        request.publisher = 900;
        request.submitters = vec![901];
        for honest in 1..=3 {
            world(|w| w.recused.extend([((900, honest), 0), ((901, honest), 0)]));
        }
        let mut members = redraw(0, &request);
        members.sort();
        assert_eq!(members, [1, 2, 3]);
    });
}

#[test]
fn the_suspended_the_unproven_and_those_of_other_types_never_sit() {
    let mut all: Vec<(u64, Vec<TaskType>)> = (1..=6).map(|who| (who, vec![TYPE])).collect();
    all.push((7, vec![TaskType::LogicReasoning]));
    ExtBuilder::with(all).execute(|| {
        world(|w| {
            w.suspended.insert(1);
            w.settled.insert(2, 2);
        });
        weigh(3, 0);
        for n in 0..60 {
            let mut members = redraw(n, &request(0, 5));
            members.sort();
            assert_eq!(members, [4, 5, 6]);
        }
        // A certificate counts like three settled tasks.
        world(|w| w.certifications.insert(2, Certification::Basic));
        assert_eq!(redraw(1, &request(0, 5)).len(), 3);
        world(|w| {
            w.certifications.insert(2, Certification::Professional);
            w.suspended.clear();
        });
        assert_eq!(redraw(1, &request(0, 5)).len(), 5);
    });
}

#[test]
fn a_crowd_of_newcomers_without_standing_wins_no_seat() {
    let sybils = (7..=60).map(|who| (who, vec![TYPE]));
    let all = (1..=6).map(|who| (who, vec![TYPE])).chain(sybils).collect();
    ExtBuilder::with(all).execute(|| {
        world(|w| w.settled.retain(|who, _| *who <= 6));
        for n in 0..30 {
            assert!(redraw(n, &request(0, 5)).iter().all(|who| *who <= 6));
        }
    });
}

#[test]
fn nobody_sits_on_more_than_the_allowed_number_of_panels() {
    ExtBuilder::judges(3).execute(|| {
        seat_elsewhere(0..MAX_CONCURRENT_PANELS);
        assert_eq!(judge(1).panels, 16);
        assert_eq!(draw(&request(0, 3)), Draw::Retry);
        Judges::conclude(&TaskId([100; 16]), TYPE, false);
        // Concluding slashed them for not voting; whoever pays can sit again.
        (1..=3).for_each(|who| {
            assert_ok!(Judges::top_up(origin(who)));
        });
        assert_eq!(draw(&request(0, 3)), Draw::Seated(3));
    });
}

#[test]
fn scarce_judges_make_smaller_odd_panels_and_fewer_than_three_none() {
    for (available, seats) in [(9, 9), (8, 7), (7, 7), (6, 5), (4, 3), (3, 3)] {
        ExtBuilder::judges(available).execute(|| {
            assert_eq!(draw(&request(0, 9)), Draw::Seated(seats));
        });
    }
    for available in [0, 1, 2] {
        ExtBuilder::judges(available).execute(|| {
            assert_eq!(draw(&request(0, 9)), Draw::Retry);
            assert!(Rounds::<Test>::get(TASK, 0).is_none());
        });
    }
}

#[test]
fn without_randomness_nothing_happens_until_there_is_some() {
    ExtBuilder::judges(5).execute(|| {
        world(|w| w.seed = None);
        assert_eq!(draw(&request(0, 3)), Draw::Retry);
        assert!(Rounds::<Test>::get(TASK, 0).is_none());
        reseed(1);
        assert_eq!(draw(&request(0, 3)), Draw::Seated(3));
    });
}

/// That is what it is charged for.
#[test]
fn a_draw_tells_how_many_candidates_it_looked_at() {
    for (pool, looked_at) in [(2, 2), (9, 9), (100, MAX_CANDIDATES)] {
        ExtBuilder::judges(pool).execute(|| {
            let wanted = request(0, 3);
            world(|w| w.seed = None);
            assert_eq!(Judges::draw(&wanted), (Draw::Retry, 0));
            reseed(1);
            // The suspended are looked at too.
            world(|w| w.suspended.insert(1));
            let (draw, candidates) = Judges::draw(&wanted);
            assert_eq!(draw == Draw::Retry, pool == 2);
            assert_eq!(candidates, looked_at);
            if pool > 2 {
                assert_eq!(Judges::draw(&wanted), (draw, 0), "seated already");
            }
        });
    }
}

#[test]
fn a_draw_waits_for_the_request_made_at_its_first_attempt() {
    ExtBuilder::judges(5).execute(|| {
        world(|w| w.seed = None);
        for _ in 0..3 {
            assert_eq!(draw(&request(0, 3)), Draw::Retry);
        }
        assert_eq!(
            world(|w| w.requests),
            1,
            "retrying must not buy another seed"
        );
        reseed(1);
        assert_eq!(draw(&request(0, 3)), Draw::Seated(3));
        assert_eq!(DrawRequests::<Test>::get(TASK), None);
    });
}

#[test]
fn a_seed_that_seated_nobody_is_not_used_again() {
    // Or the seed would be known before the judges register who are drawn with it.
    ExtBuilder::judges(2).execute(|| {
        assert_eq!(draw(&request(0, 3)), Draw::Retry);
        assert_eq!(DrawRequests::<Test>::get(TASK), None);
        assert_eq!(draw(&request(0, 3)), Draw::Retry);
        assert_eq!(world(|w| w.requests), 2);
    });
}

#[test]
fn an_expired_request_is_replaced() {
    ExtBuilder::judges(5).execute(|| {
        world(|w| w.seed = None);
        assert_eq!(draw(&request(0, 3)), Draw::Retry);
        world(|w| w.expired = 1);
        reseed(1);
        assert_eq!(draw(&request(0, 3)), Draw::Retry);
        assert_eq!(draw(&request(0, 3)), Draw::Seated(3));
        assert_eq!(world(|w| w.requests), 2);
    });
}

#[test]
fn experts_sit_where_they_are_wanted_and_there_are_three() {
    ExtBuilder::judges(10).execute(|| {
        let wanted = PanelRequest {
            expert: true,
            ..request(0, 5)
        };
        [1, 2].into_iter().for_each(make_expert);
        // Certified but inaccurate, and accurate but not certified: no experts.
        world(|w| w.certifications.insert(3, Certification::Master));
        crate::Judges::<Test>::mutate_extant(3, |v| v.accuracy = 8_499);
        crate::Judges::<Test>::mutate_extant(4, |v| v.accuracy = 10_000);
        assert_eq!(draw(&wanted), Draw::Seated(5));
        assert!(!Rounds::<Test>::get(TASK, 0).unwrap().expert);
        unseat(&members(0));

        crate::Judges::<Test>::mutate_extant(3, |v| v.accuracy = 8_500);
        assert_eq!(draw(&wanted), Draw::Seated(3));
        assert!(Rounds::<Test>::get(TASK, 0).unwrap().expert);
        let mut members = members(0);
        members.sort();
        assert_eq!(members, [1, 2, 3]);
    });
}

#[test]
fn members_of_earlier_rounds_sit_again_only_when_others_are_too_few() {
    ExtBuilder::judges(8).execute(|| {
        let first = open_round(0, 5);
        Judges::tally(&TASK);
        // Three others are enough, though five were wanted.
        assert_eq!(draw(&request(1, 7)), Draw::Seated(3));
        assert!(members(1).iter().all(|who| !first.contains(who)));
        Judges::tally(&TASK);
        // Nobody is left: all of them come into question again.
        assert_eq!(draw(&request(2, 9)), Draw::Seated(7));
        assert_eq!(judge(first[0]).panels, 1, "one task, however many seats");
    });
}

#[test]
fn those_who_have_not_sat_yet_come_before_those_who_have() {
    ExtBuilder::judges(7).execute(|| {
        let first = open_round(0, 5);
        Judges::tally(&TASK);
        for n in 0..20 {
            reseed(n);
            let all: Vec<_> = (1..=7)
                .map(|who| Candidate {
                    who,
                    weight: if first.contains(&who) { 10_000 } else { 1 },
                    expert: false,
                    fresh: !first.contains(&who),
                })
                .collect();
            let chosen = choose(all, false, 5, [n as u8; 32]).unwrap();
            let fresh = chosen.members.iter().filter(|c| c.fresh).count();
            assert_eq!((chosen.members.len(), fresh), (5, 2));
        }
        assert_eq!(draw(&request(1, 7)), Draw::Seated(7));
    });
}

#[test]
fn a_busy_member_of_an_earlier_round_can_sit_again() {
    ExtBuilder::judges(3).execute(|| {
        assert_eq!(draw(&request(0, 3)), Draw::Seated(3));
        seat_elsewhere(1..MAX_CONCURRENT_PANELS);
        assert_eq!(judge(1).panels, MAX_CONCURRENT_PANELS);
        assert_eq!(draw(&request(1, 5)), Draw::Seated(3));
    });
}

#[test]
fn no_member_of_a_panel_outweighs_its_share() {
    for size in [3u32, 5, 7, 9, 15] {
        ExtBuilder::judges(20).execute(|| {
            (1..=20u64).for_each(|who| weigh(who, 10 + 400 * who as u16));
            weigh(20, 10_000);
            assert_eq!(draw(&request(0, size)), Draw::Seated(size));
            let round = Rounds::<Test>::get(TASK, 0).unwrap();
            let share = u64::from(max_share(size as usize));
            for member in &round.members {
                assert!(
                    member.weight * 10_000 <= round.weight() * share,
                    "{round:?}"
                );
            }
        });
    }
}

#[test]
fn a_round_beyond_the_last_is_never_seated() {
    ExtBuilder::judges(5).execute(|| {
        assert_eq!(draw(&request(tos_types::MAX_ROUNDS, 3)), Draw::Retry);
    });
}
