// SPDX-License-Identifier: Apache-2.0

//! Publishing and cancelling.

use super::*;
use frame_support::assert_noop;
use tos_types::{task::Label, TaskType};

#[test]
fn publishing_holds_reward_and_stake_and_queues_the_end_of_the_open_window() {
    ExtBuilder::execute(|| {
        let id = publish();
        assert_eq!(wealth(PUBLISHER), ENDOWMENT - 10 * TOS);
        assert_eq!(held(PUBLISHER, HoldReason::PublisherStake), TOS);
        let task = task(id);
        assert_eq!(
            (task.phase, task.opened, task.deadline),
            (Phase::Open, 100, 110)
        );
        assert!(Agenda::<Test>::contains_key(111, id));
        assert_event(Event::Published {
            task: id,
            publisher: PUBLISHER,
            task_type: TaskType::General,
            difficulty: Difficulty::Beginner,
            spec: Offer::default().spec.hash,
            reward: 10 * TOS,
            stake: TOS,
            max_participants: 4,
            deadline: 110,
        });
    });
}

#[test]
fn identifiers_are_derived_so_that_nobody_can_choose_or_take_one() {
    ExtBuilder::execute(|| {
        let (first, second) = (publish(), publish());
        let other = publish_with(|offer| offer.by = STRANGER);
        assert_eq!(first, TaskId::derive(&PUBLISHER, 0));
        assert_eq!(second, TaskId::derive(&PUBLISHER, 1));
        assert_eq!(other, TaskId::derive(&STRANGER, 0));
    });
}

#[test]
fn every_bad_offer_has_its_own_error() {
    use Error::*;
    let offer = Offer::default;
    let content = |bytes: &[u8]| ContentRef::inline(bytes).unwrap();
    let mut huge = ContentRef::located(b"0123456789", b"peer").unwrap();
    huge.size = u32::MAX;
    let mut forged = content(b"0123456789");
    forged.hash[0] ^= 1;
    let cases: Vec<(Offer, Error<Test>)> = vec![
        (
            Offer {
                params: TaskParams::Custom {
                    number: 3,
                    detail: Label::default(),
                },
                ..offer()
            },
            UnknownTaskType,
        ),
        (
            Offer {
                params: TaskParams::General {
                    subject: Label::default(),
                },
                ..offer()
            },
            IncompleteParams,
        ),
        (
            Offer {
                spec: content(b"too short"),
                ..offer()
            },
            ContentTooSmall,
        ),
        (
            Offer {
                spec: huge,
                ..offer()
            },
            ContentTooLarge,
        ),
        (
            Offer {
                spec: forged,
                ..offer()
            },
            ContentMismatch,
        ),
        (
            Offer {
                spec: ContentRef::located(b"0123456789", b"").unwrap(),
                ..offer()
            },
            ContentUnreachable,
        ),
        (
            Offer {
                reward: 5 * TOS - 1,
                ..offer()
            },
            RewardOutsideBand,
        ),
        (
            Offer {
                reward: 15 * TOS + 1,
                ..offer()
            },
            RewardOutsideBand,
        ),
        (
            Offer {
                reward: 0,
                ..offer()
            },
            RewardOutsideBand,
        ),
        (
            Offer {
                open_for: 2,
                ..offer()
            },
            OpenWindowOutOfBounds,
        ),
        (
            Offer {
                open_for: 43_201,
                ..offer()
            },
            OpenWindowOutOfBounds,
        ),
        (
            Offer {
                min_quality: 0,
                ..offer()
            },
            QualityOutOfRange,
        ),
        (
            Offer {
                min_quality: 101,
                ..offer()
            },
            QualityOutOfRange,
        ),
        (
            Offer {
                places: 0,
                ..offer()
            },
            ParticipantsOutOfRange,
        ),
        (
            Offer {
                places: 33,
                ..offer()
            },
            ParticipantsOutOfRange,
        ),
        (Offer { by: 77, ..offer() }, InsufficientFunds),
    ];
    ExtBuilder::execute(|| {
        for (offer, error) in cases {
            assert_noop!(offer.publish(), error);
        }
        assert_eq!(Nonces::<Test>::get(PUBLISHER), 0);
    });
}

#[test]
fn the_bounds_of_every_band_are_good() {
    ExtBuilder::execute(|| {
        for difficulty in Difficulty::ALL {
            let (least, most) = difficulty.reward_band();
            for reward in [least, most] {
                Offer {
                    difficulty,
                    reward,
                    ..Offer::default()
                }
                .id();
            }
        }
        Offer {
            open_for: 3,
            min_quality: 1,
            places: 1,
            ..Offer::default()
        }
        .id();
        Offer {
            open_for: 43_200,
            min_quality: 100,
            places: 32,
            ..Offer::default()
        }
        .id();
    });
}

#[test]
fn a_publisher_must_afford_reward_and_stake_together() {
    ExtBuilder::execute(|| {
        let poor = 70;
        let needed = 11 * TOS + ED;
        let give = |amount| {
            assert_ok!(Balances::transfer_allow_death(
                RuntimeOrigin::signed(60),
                poor,
                amount
            ));
        };
        give(needed - 1);
        let offer = Offer {
            by: poor,
            ..Offer::default()
        };
        assert_noop!(offer.clone().publish(), Error::<Test>::InsufficientFunds);
        give(1);
        assert_ok!(offer.publish());
    });
}

#[test]
fn the_suspended_cannot_publish() {
    ExtBuilder::execute(|| {
        script(|s| s.suspended.insert(PUBLISHER, 500));
        assert_noop!(Offer::default().publish(), Error::<Test>::Suspended);
    });
}

#[test]
fn cancelling_gives_everything_back_but_the_fee() {
    ExtBuilder::execute(|| {
        let id = publish();
        assert_ok!(Work::cancel(RuntimeOrigin::signed(PUBLISHER), id));
        let fee = 10 * TOS / 1_000;
        assert_eq!(free(PUBLISHER), ENDOWMENT - fee);
        assert_eq!(free(TREASURY), TOS + fee);
        assert_eq!(phase(id), Phase::Closed(Closure::Cancelled));
        assert_event(Event::Closed {
            task: id,
            closure: Closure::Cancelled,
        });
    });
}

#[test]
fn nobody_cancels_anothers_task_nor_one_that_somebody_works_on() {
    ExtBuilder::execute(|| {
        let id = publish();
        let cancel = |who| Work::cancel(RuntimeOrigin::signed(who), id);
        assert_noop!(cancel(STRANGER), Error::<Test>::NotPublisher);
        join(ALICE, id);
        assert_noop!(cancel(PUBLISHER), Error::<Test>::HasParticipants);
    });
}

#[test]
fn governance_decides_which_types_there_are_and_running_tasks_keep_their_rules() {
    ExtBuilder::execute(|| {
        let custom = TaskType::Custom(3);
        let profile = TypeProfile {
            equal_answers_allowed: true,
            tool: Some([7; 32]),
        };
        assert_noop!(
            Work::set_task_type(RuntimeOrigin::signed(1), custom, Some(profile)),
            sp_runtime::DispatchError::BadOrigin
        );
        assert_ok!(Work::set_task_type(
            RuntimeOrigin::root(),
            custom,
            Some(profile)
        ));
        let params = TaskParams::Custom {
            number: 3,
            detail: b"anything".to_vec().try_into().unwrap(),
        };
        let offer = Offer {
            params,
            ..Offer::default()
        };
        let id = offer.clone().id();
        assert_ok!(Work::set_task_type(RuntimeOrigin::root(), custom, None));
        assert_noop!(offer.publish(), Error::<Test>::UnknownTaskType);
        let rules = Work::rules_of(&task(id)).unwrap();
        assert_eq!(rules.profile, profile);
        assert_event(Event::TaskTypeSet {
            task_type: custom,
            profile: None,
        });
    });
}

#[test]
fn a_network_is_born_with_the_six_built_in_types() {
    ExtBuilder::execute(|| {
        assert_eq!(TaskTypes::<Test>::iter().count(), 6);
        for task_type in TaskType::BUILT_IN {
            let equal = task_type == TaskType::LogicReasoning;
            let profile = TaskTypes::<Test>::get(task_type).unwrap();
            assert_eq!(profile.equal_answers_allowed, equal);
        }
    });
}

/// An offer with a reference of its publisher's.
fn referenced(by: u64) -> Offer {
    Offer {
        by,
        reference: Some([1; 32]),
        ..Offer::default()
    }
}

#[test]
fn a_call_sent_again_with_its_reference_publishes_nothing_and_finds_the_first() {
    ExtBuilder::execute(|| {
        let offer = referenced(PUBLISHER);
        let id = offer.clone().id();
        assert_eq!(Work::task_by_reference(PUBLISHER, [1; 32]), Some(id));
        let before = wealth(PUBLISHER);
        assert_noop!(offer.clone().publish(), Error::<Test>::ReferenceUsed);
        // Also where the call could not have worked any more: the answer is still that the first did.
        script(|s| s.suspended.insert(PUBLISHER, 500));
        assert_noop!(offer.clone().publish(), Error::<Test>::ReferenceUsed);
        assert_eq!(wealth(PUBLISHER), before);
        script(|s| s.suspended.clear());

        // Without one, or with another, every call is a task of its own.
        assert_ne!(publish(), id);
        let another = publish_with(|offer| offer.reference = Some([2; 32]));
        assert_eq!(Work::task_by_reference(PUBLISHER, [2; 32]), Some(another));
        assert_eq!(Work::task_by_reference(PUBLISHER, [3; 32]), None);
    });
}

#[test]
fn nobody_can_take_the_reference_of_another_publisher() {
    ExtBuilder::execute(|| {
        let foreign = referenced(STRANGER).id();
        let own = referenced(PUBLISHER).id();
        assert_eq!(Work::task_by_reference(STRANGER, [1; 32]), Some(foreign));
        assert_eq!(Work::task_by_reference(PUBLISHER, [1; 32]), Some(own));
    });
}

#[test]
fn a_reference_is_used_as_long_as_the_record_is_kept_and_free_after_it() {
    ExtBuilder::execute(|| {
        let offer = referenced(PUBLISHER);
        let id = offer.clone().id();
        assert_ok!(Work::cancel(RuntimeOrigin::signed(PUBLISHER), id));
        assert_noop!(offer.clone().publish(), Error::<Test>::ReferenceUsed);
        pass_to(task(id).due);
        assert!(!Tasks::<Test>::contains_key(id));
        assert_eq!(Work::task_by_reference(PUBLISHER, [1; 32]), None);
        assert_eq!(References::<Test>::iter().count(), 0);
        assert_ne!(offer.id(), id);
    });
}
