// SPDX-License-Identifier: Apache-2.0

//! What clients read.

use crate::mock::*;
use frame_support::assert_ok;
use polkadot_sdk::*;
use tos_interfaces::{Panels, VotingStage};
use tos_types::{vote::Tally, TOS};
use tos_views::{Action, JudgeStatus};

#[test]
fn a_judge_reads_its_standing() {
    ExtBuilder::judges(3).execute(|| {
        open_round(0, 3);
        let view = Judges::judge(1).unwrap();
        assert_eq!((view.stake, view.required), (100 * TOS, 100 * TOS));
        assert_eq!(
            (view.types, view.accuracy, view.panels),
            (vec![TYPE], 7_000, 1)
        );
        assert_eq!(
            (view.status, view.suspended_until),
            (JudgeStatus::Active, None)
        );
        world(|w| w.suspended.insert(1));
        assert_ok!(Judges::leave(origin(1)));
        let view = Judges::judge(1).unwrap();
        assert_eq!(view.status, JudgeStatus::Leaving { release_at: 20 });
        assert_eq!(view.suspended_until, Some(1_000));
        assert_eq!(Judges::judge(50), None);
    });
}

#[test]
fn duties_tell_what_to_do_now() {
    ExtBuilder::judges(3).execute(|| {
        assert!(Judges::duties(1).is_empty());
        let members = open_round(0, 3);
        let who = members[0];
        let duty = || Judges::duties(who).pop().unwrap();
        assert_eq!((duty().task, duty().round, duty().answers), (TASK, 0, 3));
        assert_eq!(duty().action, Some(Action::CommitVote { round: 0 }));
        assert_eq!(duty().deadline, Some(77));
        commit(who, 0, &flat(50));
        assert_eq!(duty().action, None);
        set_stage(VotingStage::Reveal { round: 0 });
        assert_eq!(duty().action, Some(Action::RevealVote { round: 0 }));
        // Who did not commit has nothing to reveal.
        assert_eq!(Judges::duties(members[1])[0].action, None);
        reveal(who, &flat(50));
        assert_eq!(duty().action, None);
        Judges::conclude(&TASK, TYPE, false);
        assert!(Judges::duties(who).is_empty());
    });
}

#[test]
fn rounds_show_votes_only_once_they_are_revealed() {
    ExtBuilder::judges(3).execute(|| {
        assert_eq!(Judges::round(TASK, 0), None);
        let members = open_round(0, 3);
        commit(members[0], 0, &flat(50));
        let view = Judges::round(TASK, 0).unwrap();
        assert_eq!((view.answers, view.expert, view.tally), (3, false, None));
        assert!(view.members[0].committed && !view.members[1].committed);
        assert!(view.members.iter().all(|member| member.vote.is_none()));
        set_stage(VotingStage::Reveal { round: 0 });
        reveal(members[0], &flat(50));
        Judges::tally(&TASK);
        let view = Judges::round(TASK, 0).unwrap();
        assert_eq!(view.members[0].vote, Some(flat(50).into_inner()));
        assert_eq!(view.tally, Some(Tally::NoQuorum));
    });
}
