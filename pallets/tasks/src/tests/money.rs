// SPDX-License-Identifier: Apache-2.0

//! Stakes, slashes and reputation at the close.

use super::*;
use tos_formulas::{
    reputation::{signed, Performance},
    split::final_score,
};
use tos_pallet_support::testing::held_money_conforms;
use tos_types::{params, task::Certification};

const STAKE: Balance = TOS;

/// Settles a task of Alice (good) and Bob, whose answer gets `result`; what Bob loses.
fn bobs_loss(result: AnswerResult) -> Balance {
    let id = judged_task(&[ALICE, BOB], &[good(80), result]);
    assert_eq!(finish(id), Closure::Settled);
    assert_eq!(free(ALICE), ENDOWMENT + 10 * TOS);
    let lost = ENDOWMENT - free(BOB);
    assert_eq!(free(TREASURY), TOS + lost);
    lost
}

#[test]
fn every_losing_answer_costs_its_share_of_the_stake() {
    for (result, share) in [
        (good(100), 0),
        (good(20), 0),
        (good(19), 2_000),
        (bad(Verdict::Valid), 2_000),
        (bad(Verdict::Malformed), 5_000),
        (bad(Verdict::Unavailable), 5_000),
        (bad(Verdict::Plagiarised), 8_000),
    ] {
        ExtBuilder::execute(|| {
            assert_eq!(
                bobs_loss(result),
                params::share_of(STAKE, share),
                "{result:?}"
            );
        });
    }
}

#[test]
fn who_does_not_commit_loses_a_tenth_and_who_does_not_reveal_a_fifth() {
    ExtBuilder::execute(|| {
        let id = joined(&[BOB]);
        committed(id, &[CAROL]);
        committed(id, &[ALICE]);
        end_phase(id);
        reveal(ALICE, id);
        next_round(Tally::Consensus, &[good(80)]);
        finish(id);
        assert_eq!(ENDOWMENT - free(BOB), STAKE / 10);
        assert_eq!(ENDOWMENT - free(CAROL), STAKE / 5);
        let slashed = |who, amount, reason| {
            assert_event(Event::StakeSlashed {
                task: id,
                who,
                amount,
                reason,
            });
        };
        slashed(BOB, STAKE / 10, SlashReason::NoShow);
        slashed(CAROL, STAKE / 5, SlashReason::NonReveal);
        let finished = script(|s| s.finished.clone());
        assert_eq!(finished, vec![(BOB, false), (CAROL, false), (ALICE, true)]);
    });
}

#[test]
fn a_task_that_expires_still_costs_those_who_took_a_place() {
    ExtBuilder::execute(|| {
        let joined_only = publish();
        join(ALICE, joined_only);
        assert_eq!(finish(joined_only), Closure::Expired);
        assert_eq!(ENDOWMENT - free(ALICE), STAKE / 10);

        let unrevealed = publish();
        committed(unrevealed, &[BOB]);
        join(CAROL, unrevealed);
        assert_eq!(finish(unrevealed), Closure::Expired);
        assert_eq!(ENDOWMENT - free(BOB), STAKE / 5);
        assert_eq!(ENDOWMENT - free(CAROL), STAKE / 10);

        assert_eq!(free(PUBLISHER), ENDOWMENT);
        let recorded = script(|s| s.recorded.clone());
        let failed = Performance {
            completion: -10_000,
            ..Default::default()
        };
        assert_eq!(
            recorded,
            vec![(ALICE, failed), (BOB, failed), (CAROL, failed)]
        );
    });
}

#[test]
fn shares_are_of_the_stake_put_down_not_of_todays() {
    ExtBuilder::execute(|| {
        let id = publish();
        script(|s| s.certified.insert(BOB, Certification::Unverified));
        join(BOB, id);
        script(|s| s.certified.insert(BOB, Certification::Master));
        finish(id);
        assert_eq!(ENDOWMENT - free(BOB), STAKE * 3 / 2 / 10);
    });
}

#[test]
fn a_duplicate_keeps_its_stake_but_earns_neither_reward_nor_reputation() {
    ExtBuilder::execute(|| {
        let id = publish();
        committed_alike(id, b"the same answer");
        revealed_alike(id, b"the same answer");
        next_round(Tally::Consensus, &[good(80), good(80)]);
        finish(id);
        assert_eq!(free(BOB), ENDOWMENT);
        let answers = script(|s| s.settled[0].answers.clone());
        assert_eq!(
            (answers[0].1.eligible, answers[1].1.eligible),
            (true, false)
        );
        assert_eq!(
            script(|s| s.finished.clone()),
            vec![(ALICE, true), (BOB, false)]
        );
        let copied = script(|s| s.recorded[1]);
        assert_eq!(copied, (BOB, Performance::default()));
    });
}

#[test]
fn reputation_is_recorded_as_the_protocol_says() {
    ExtBuilder::execute(|| {
        let id = joined(&[CAROL]);
        committed(id, &[ALICE]);
        // 6 of the 10 ticks of the window are used: half of the time is left beyond the first 2.
        pass(6);
        committed(id, &[BOB]);
        end_phase(id);
        reveal(ALICE, id);
        reveal(BOB, id);
        let alice = AnswerResult {
            quality: 90,
            innovation: 70,
            verdict: Verdict::Valid,
        };
        let bob = AnswerResult {
            quality: 40,
            innovation: 0,
            verdict: Verdict::Valid,
        };
        next_round(Tally::Consensus, &[alice, bob]);
        finish(id);

        let judged: Vec<_> = script(|s| {
            s.settled[0]
                .answers
                .iter()
                .map(|(_, judged)| *judged)
                .collect()
        });
        assert_eq!(
            (judged[0].timeliness, judged[1].timeliness),
            (10_000, 5_000)
        );
        let scores = [final_score(&judged[0]), final_score(&judged[1])];
        let mean = (scores[0] + scores[1]) / 2;
        let recorded = script(|s| s.recorded.clone());
        let (who, first) = recorded[1];
        assert_eq!(who, ALICE);
        let expected = Performance {
            completion: 10_000,
            quality: 8_000,
            accuracy: 0,
            peer: (scores[0] - mean) as i16,
            innovation: 4_000,
        };
        assert_eq!(first, expected);
        let (_, second) = recorded[2];
        assert_eq!(second.quality, signed(40));
        assert_eq!(second.peer, -((mean - scores[1]) as i16));
        assert_eq!(second.innovation, -10_000);
        let failed = Performance {
            completion: -10_000,
            ..Default::default()
        };
        assert_eq!(recorded[0], (CAROL, failed));
    });
}

#[test]
fn who_is_alone_is_compared_with_nobody() {
    ExtBuilder::execute(|| {
        let id = judged_task(&[ALICE], &[good(100)]);
        finish(id);
        assert_eq!(script(|s| s.recorded[0].1.peer), 0);
    });
    // Nobody is eligible: there is no mean at all.
    ExtBuilder::execute(|| {
        let id = judged_task(&[ALICE], &[bad(Verdict::Malformed)]);
        finish(id);
        let performance = script(|s| s.recorded[0].1);
        assert_eq!((performance.peer, performance.completion), (0, -10_000));
    });
}

#[test]
fn what_is_settled_is_what_was_judged() {
    ExtBuilder::execute(|| {
        let id = judged_task(&[ALICE, BOB], &[good(80), bad(Verdict::Plagiarised)]);
        finish(id);
        let settlement = script(|s| s.settled[0].clone());
        assert_eq!((settlement.task, settlement.bars.win), (id, 50));
        let set = RuleSets::<Test>::get(task(id).rules).unwrap();
        assert_eq!(
            (settlement.split, settlement.winners),
            (set.split, set.winners)
        );
        let eligible: Vec<_> = settlement.answers.iter().map(|(_, j)| j.eligible).collect();
        assert_eq!(eligible, vec![true, false]);
        assert_event(Event::AnswerJudged {
            task: id,
            miner: BOB,
            quality: 0,
            innovation: 0,
            verdict: Verdict::Plagiarised,
            duplicate: false,
        });
        let stored = Submissions::<Test>::get(id, ALICE).unwrap().result;
        assert_eq!(stored, Some(good(80)));
    });
}

#[test]
fn a_treasury_that_cannot_take_a_slash_holds_up_nobody() {
    ExtBuilder::execute(|| {
        let id = joined(&[ALICE]);
        // An account that cannot be credited any more. The issue is changed and put back.
        let issue = pallet_balances::TotalIssuance::<Test>::get();
        frame_system::Account::<Test>::mutate(TREASURY, |account| account.data.free = u128::MAX);
        assert_eq!(finish(id), Closure::Expired);
        let amount = STAKE / 10;
        assert_event(Event::SlashFailed {
            task: id,
            who: ALICE,
            amount,
        });
        assert_eq!(free(ALICE), ENDOWMENT);
        frame_system::Account::<Test>::mutate(TREASURY, |account| account.data.free = TOS);
        assert_eq!(pallet_balances::TotalIssuance::<Test>::get(), issue);
    });
}

#[test]
fn whoever_is_done_is_free_for_other_tasks() {
    ExtBuilder::execute(|| {
        let (first, second) = (publish(), publish());
        join(ALICE, first);
        join(ALICE, second);
        assert_eq!(script(|s| s.working[&ALICE]), 2);
        finish(first);
        finish(second);
        assert!(!ActiveOf::<Test>::contains_key(ALICE));
        assert_eq!(script(|s| s.working[&ALICE]), 0);
    });
}

#[test]
fn held_money_moves_exactly_and_to_whom_it_may() {
    new_test_ext().execute_with(|| {
        held_money_conforms::<Balances>(HoldReason::AnswerStake, ALICE);
    });
}
