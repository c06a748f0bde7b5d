// SPDX-License-Identifier: Apache-2.0

//! Owners and relations: whom they keep away, and from which tasks.

use crate::mock::*;
use crate::{types::MAX_OWNERS, Declarations, Error, Event};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use sp_runtime::DispatchResult;
use tos_interfaces::MinerRegistry;
use tos_types::{PhaseLengths, Tick, MAX_ROUNDS};

fn set_owner(who: u64, owner: Option<u64>) -> DispatchResult {
    Miners::set_owner(signed(who), owner)
}

fn name(who: u64, owner: Option<u64>) {
    assert_ok!(set_owner(who, owner));
}

fn declare(who: u64, other: u64) {
    assert_ok!(Miners::declare_relation(signed(who), other));
}

fn retract(who: u64, other: u64) {
    assert_ok!(Miners::retract_relation(signed(who), other));
}

/// Returns `true` if `who` keeps away from tasks of `party` that are published in this tick.
fn recuses(who: u64, party: u64, published: Tick) -> bool {
    Miners::recuses(&who, &[700, party, 701], published)
}

/// The parties from 1 to 60 whose tasks of this tick `who` keeps away from.
fn kept_away_from(who: u64, published: Tick) -> Vec<u64> {
    (1..=60)
        .filter(|party| recuses(who, *party, published))
        .collect()
}

#[test]
fn an_account_keeps_away_from_itself_alone_at_first() {
    ExtBuilder::default().execute(|| {
        assert!(keeps_away(ALICE, ALICE));
        assert!(!keeps_away(ALICE, BOB));
    });
}

/// A publisher that could exclude whom it likes would choose its judges.
#[test]
fn a_publisher_cannot_declare_honest_judges_off_its_panel() {
    let (publisher, judge, sibling, fleet, loner) = (ALICE, BOB, CAROL, POOR, 10);
    ExtBuilder::default().execute(|| {
        // Two honest judges keep away from their owner and, as that declares, from each other.
        for (who, other) in [(judge, sibling), (sibling, judge)] {
            assert_ok!(set_owner(who, Some(fleet)));
            assert_ok!(Miners::declare_relation(signed(fleet), other));
        }
        // By declaring them or their owner.
        for other in [judge, sibling, fleet] {
            assert_ok!(Miners::declare_relation(signed(publisher), other));
        }
        // By naming their owner as its own.
        assert_ok!(set_owner(publisher, Some(fleet)));
        for who in [judge, sibling, fleet] {
            assert!(!keeps_away(who, publisher));
            assert!(keeps_away(publisher, who));
        }
        assert!(keeps_away(judge, sibling));
        // By naming a judge as its own owner.
        assert_ok!(set_owner(publisher, Some(loner)));
        assert!(!keeps_away(loner, publisher));
    });
}

#[test]
fn an_owner_declares_for_all_its_accounts_and_is_bound_by_none() {
    ExtBuilder::default().execute(|| {
        assert_ok!(set_owner(ALICE, Some(CAROL)));
        assert_eq!(
            last_event(),
            Event::OwnerSet {
                who: ALICE,
                owner: Some(CAROL)
            }
        );
        assert_ok!(set_owner(BOB, Some(CAROL)));
        for who in [ALICE, BOB] {
            assert!(keeps_away(who, CAROL) && !keeps_away(CAROL, who));
        }
        // A common owner is not enough, or any account could join the family.
        assert!(!keeps_away(ALICE, BOB) && !keeps_away(BOB, ALICE));
        assert_ok!(Miners::declare_relation(signed(CAROL), BOB));
        assert!(keeps_away(CAROL, BOB) && keeps_away(ALICE, BOB));
        assert!(!keeps_away(BOB, ALICE));
        // Whether the other names the owner as well is not the other's choice to make.
        assert_ok!(set_owner(BOB, None));
        assert!(keeps_away(ALICE, BOB));
        assert_ok!(set_owner(ALICE, None));
        assert!(!keeps_away(ALICE, BOB) && !keeps_away(ALICE, CAROL));
    });
}

#[test]
fn owners_of_owners_do_not_count() {
    ExtBuilder::default().execute(|| {
        assert_ok!(set_owner(BOB, Some(CAROL)));
        assert_noop!(set_owner(ALICE, Some(BOB)), Error::<Test>::OwnerIsOwned);
        // The other order cannot be refused, but makes no chain either.
        assert_ok!(set_owner(CAROL, Some(POOR)));
        assert!(!keeps_away(BOB, POOR));
    });
}

/// Naming a stranger as owner must not keep the stranger from declaring its own owner.
#[test]
fn being_named_as_owner_binds_to_nothing() {
    ExtBuilder::default().execute(|| {
        assert_ok!(set_owner(ALICE, Some(BOB)));
        assert_ok!(set_owner(BOB, Some(CAROL)));
        assert!(keeps_away(BOB, CAROL) && !keeps_away(BOB, ALICE));
    });
}

#[test]
fn empty_owner_changes_are_refused() {
    ExtBuilder::default().execute(|| {
        assert_noop!(set_owner(ALICE, None), Error::<Test>::NotRelated);
        assert_noop!(set_owner(ALICE, Some(ALICE)), Error::<Test>::SelfRelation);
        assert_ok!(set_owner(ALICE, Some(BOB)));
        assert_noop!(set_owner(ALICE, Some(BOB)), Error::<Test>::AlreadyRelated);
        assert_ok!(set_owner(ALICE, Some(CAROL)));
        assert!(!keeps_away(ALICE, BOB));
    });
}

#[test]
fn a_declaration_binds_its_author_alone_and_not_if_retracted_in_the_same_tick() {
    ExtBuilder::default().execute(|| {
        assert_ok!(Miners::declare_relation(signed(ALICE), BOB));
        assert_eq!(
            last_event(),
            Event::RelationDeclared {
                who: ALICE,
                other: BOB
            }
        );
        assert!(keeps_away(ALICE, BOB) && !keeps_away(BOB, ALICE));
        assert_ok!(Miners::declare_relation(signed(BOB), ALICE));
        assert_ok!(Miners::retract_relation(signed(ALICE), BOB));
        assert_eq!(
            last_event(),
            Event::RelationRetracted {
                who: ALICE,
                other: BOB
            }
        );
        assert!(!keeps_away(ALICE, BOB) && keeps_away(BOB, ALICE));
        assert_ok!(Miners::retract_relation(signed(BOB), ALICE));
        assert!(!keeps_away(BOB, ALICE));
        assert!(!Declarations::<Test>::contains_key(ALICE));
    });
}

#[test]
fn bad_declarations_are_refused() {
    ExtBuilder::default().execute(|| {
        assert_noop!(
            Miners::declare_relation(signed(ALICE), ALICE),
            Error::<Test>::SelfRelation
        );
        assert_noop!(
            Miners::retract_relation(signed(ALICE), BOB),
            Error::<Test>::NotRelated
        );
        // In an order that has to be sorted.
        for other in [30, 10, 20] {
            assert_ok!(Miners::declare_relation(signed(ALICE), other));
        }
        assert_noop!(
            Miners::declare_relation(signed(ALICE), 10),
            Error::<Test>::AlreadyRelated
        );
        assert_noop!(
            Miners::declare_relation(signed(ALICE), 40),
            Error::<Test>::TooManyRelations
        );
        // Not its own declaration.
        assert_noop!(
            Miners::retract_relation(signed(10), ALICE),
            Error::<Test>::NotRelated
        );
        assert_ok!(Miners::retract_relation(signed(ALICE), 20));
        assert_ok!(Miners::declare_relation(signed(ALICE), 40));
        for other in [10, 30, 40] {
            assert!(keeps_away(ALICE, other));
        }
    });
}

#[test]
fn one_question_asks_about_all_parties() {
    ExtBuilder::default().execute(|| {
        declare(ALICE, 20);
        let next = now() + 1;
        for parties in [
            vec![20],
            vec![20, 30],
            vec![30, 20],
            vec![30, ALICE],
            vec![ALICE],
        ] {
            assert!(Miners::recuses(&ALICE, &parties, next), "{parties:?}");
        }
        for parties in [vec![], vec![30], vec![19, 21]] {
            assert!(!Miners::recuses(&ALICE, &parties, next), "{parties:?}");
        }
    });
}

#[test]
fn a_declaration_counts_for_tasks_that_are_published_after_it() {
    ExtBuilder::default().execute(|| {
        TestClock::set(50);
        declare(ALICE, 20);
        assert_ok!(set_owner(BOB, Some(30)));
        for (who, party) in [(ALICE, 20), (BOB, 30)] {
            for published in [0, 49, 50] {
                assert!(!recuses(who, party, published), "{published}");
            }
            for published in [51, 52, Tick::MAX] {
                assert!(recuses(who, party, published), "{published}");
            }
        }
        // What an owner declares later counts from then on for those it owns.
        TestClock::set(60);
        declare(30, 40);
        assert!(!recuses(BOB, 40, 60) && recuses(BOB, 40, 61));
    });
}

#[test]
fn what_is_taken_back_goes_on_to_count_for_sixty_days() {
    ExtBuilder::default().execute(|| {
        declare(ALICE, 20);
        assert_ok!(set_owner(BOB, Some(30)));
        declare(30, 40);
        TestClock::set(100);
        retract(ALICE, 20);
        assert_ok!(set_owner(BOB, None));
        for (who, party) in [(ALICE, 20), (BOB, 30), (BOB, 40)] {
            assert!(recuses(who, party, 100 + AFTER_EFFECT - 1));
            assert!(!recuses(who, party, 100 + AFTER_EFFECT));
        }
        // A second retraction has nothing to take back, and moves nothing.
        assert_noop!(
            Miners::retract_relation(signed(ALICE), 20),
            Error::<Test>::NotRelated
        );
        assert_noop!(set_owner(BOB, None), Error::<Test>::NotRelated);
    });
}

/// A judge that sees the seed of a draw a block early would otherwise sit down, or get away, by a
/// call in that block; and so would the owner that it named.
#[test]
fn nothing_declared_or_taken_back_between_publication_and_draw_changes_who_may_judge() {
    let (judge, owner, other_owner) = (ALICE, CAROL, POOR);
    ExtBuilder::default().execute(|| {
        declare(judge, 10);
        declare(judge, 11);
        declare(owner, 20);
        declare(other_owner, 30);
        assert_ok!(set_owner(judge, Some(owner)));
        TestClock::set(40);
        let published = now();
        let before = kept_away_from(judge, published);
        assert_eq!(before, [judge, owner, 10, 11, 20]);
        type Attempt = fn();
        let attempts: [Attempt; 9] = [
            || retract(ALICE, 10),
            || declare(ALICE, 12),
            || retract(ALICE, 12),
            || name(ALICE, None),
            || name(ALICE, Some(POOR)),
            || retract(CAROL, 20),
            || declare(CAROL, 21),
            || retract(POOR, 30),
            || declare(ALICE, 10),
        ];
        // In the tick of the publication, in the next one, and until the last draw there may be.
        let step = (AFTER_EFFECT - 1) / 9;
        for (index, attempt) in attempts.into_iter().enumerate() {
            attempt();
            assert_eq!(kept_away_from(judge, published), before, "attempt {index}");
            TestClock::advance(if index == 0 { 1 } else { step });
            assert_eq!(kept_away_from(judge, published), before, "attempt {index}");
        }
        // For tasks of now what was added counts, and what was taken back does still.
        let later = kept_away_from(judge, now() + 1);
        assert_eq!(later, [judge, owner, 10, 11, 12, 20, 21]);
    });
}

#[test]
fn a_relation_declared_again_in_its_after_effect_was_never_gone() {
    ExtBuilder::default().execute(|| {
        declare(ALICE, 20);
        TestClock::set(10);
        retract(ALICE, 20);
        TestClock::set(10 + AFTER_EFFECT - 1);
        declare(ALICE, 20);
        assert_eq!(Declarations::<Test>::get(ALICE).relations.len(), 1);
        assert_noop!(
            Miners::declare_relation(signed(ALICE), 20),
            Error::<Test>::AlreadyRelated
        );
        for published in [2, 10 + AFTER_EFFECT, Tick::MAX] {
            assert!(recuses(ALICE, 20, published), "{published}");
        }
    });
}

#[test]
fn a_relation_declared_again_after_its_after_effect_leaves_the_gap() {
    ExtBuilder::default().execute(|| {
        declare(ALICE, 20);
        TestClock::set(10);
        retract(ALICE, 20);
        let over = 10 + AFTER_EFFECT;
        TestClock::set(over + 5);
        declare(ALICE, 20);
        for (published, counts) in [
            (1, false),
            (2, true),
            (over - 1, true),
            (over, false),
            (over + 5, false),
            (over + 6, true),
        ] {
            assert_eq!(recuses(ALICE, 20, published), counts, "{published}");
        }
    });
}

#[test]
fn a_new_owner_counts_when_the_one_before_does_no_more() {
    ExtBuilder::default().execute(|| {
        declare(CAROL, 20);
        declare(POOR, 30);
        declare(BOB, 40);
        assert_ok!(set_owner(ALICE, Some(CAROL)));
        TestClock::set(100);
        let over = 100 + AFTER_EFFECT;
        // The one that is never to count leaves no trace.
        assert_ok!(set_owner(ALICE, Some(BOB)));
        TestClock::set(150);
        assert_ok!(set_owner(ALICE, Some(POOR)));
        assert_eq!(kept_away_from(ALICE, over - 1), [ALICE, CAROL, 20]);
        assert_eq!(kept_away_from(ALICE, over), [ALICE, POOR, 30]);
        // Back to the first one, before the second has counted: it was never dropped.
        assert_ok!(set_owner(ALICE, Some(CAROL)));
        assert_eq!(kept_away_from(ALICE, over), [ALICE, CAROL, 20]);
    });
}

#[test]
fn owners_that_are_changed_all_the_time_take_no_more_than_their_places() {
    ExtBuilder::default().execute(|| {
        let mut most = 0;
        for turn in 0..400u64 {
            assert_ok!(set_owner(ALICE, Some(1_000 + turn)));
            if turn % 5 == 0 {
                assert_ok!(set_owner(ALICE, None));
            }
            most = most.max(Declarations::<Test>::get(ALICE).owners.len());
            assert_ok!(Miners::do_try_state());
            TestClock::advance(turn as u32 * 37 % 90);
        }
        assert_eq!(most, MAX_OWNERS as usize);
    });
}

#[test]
fn what_was_taken_back_keeps_its_place_until_no_task_can_want_it() {
    ExtBuilder::default().execute(|| {
        (10..10 + u64::from(MAX_RELATIONS)).for_each(|other| declare(ALICE, other));
        TestClock::set(100);
        retract(ALICE, 10);
        let refused = || {
            assert_noop!(
                Miners::declare_relation(signed(ALICE), 50),
                Error::<Test>::TooManyRelations
            );
        };
        refused();
        TestClock::set(100 + ON_RECORD - 1);
        refused();
        assert!(recuses(ALICE, 10, 100 + AFTER_EFFECT - 1));
        TestClock::advance(1);
        declare(ALICE, 50);
        assert_eq!(kept_away_from(ALICE, now() + 1), [ALICE, 11, 12, 50]);
    });
}

#[test]
fn nothing_is_left_of_what_is_over() {
    ExtBuilder::default().execute(|| {
        declare(ALICE, 20);
        assert_ok!(set_owner(ALICE, Some(CAROL)));
        TestClock::set(10);
        retract(ALICE, 20);
        assert_ok!(set_owner(ALICE, None));
        TestClock::set(10 + ON_RECORD);
        declare(ALICE, 30);
        retract(ALICE, 30);
        assert!(!Declarations::<Test>::contains_key(ALICE));
    });
}

/// A record has to last until the last draw of a task that was published in the last tick
/// that it counts for.
#[test]
fn declarations_stay_on_record_for_longer_than_a_task_waits_for_its_last_draw() {
    for lengths in [PhaseLengths::default(), PhaseLengths::development()] {
        let round = lengths.panel_draw + lengths.vote_commit + lengths.vote_reveal;
        let rounds = MAX_ROUNDS * round + lengths.challenge;
        let longest = lengths.max_open + lengths.answer_reveal + rounds;
        assert!(
            longest < crate::types::KEPT_DAYS * lengths.day,
            "{lengths:?}"
        );
    }
}
