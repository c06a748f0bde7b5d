// SPDX-License-Identifier: Apache-2.0

//! Reads of a task for those who judge it: its pinned tool, and answers that turn out to be checks.

use super::*;
use tos_interfaces::{RevealedAnswer, TaskPhases};
use tos_types::TaskType;

const TOOL: [u8; 32] = [7; 32];

fn pin(tool: Option<[u8; 32]>) {
    let profile = TypeProfile {
        tool,
        ..TypeProfile::built_in(TaskType::General)
    };
    assert_ok!(Work::set_task_type(
        RuntimeOrigin::root(),
        TaskType::General,
        Some(profile)
    ));
}

#[test]
fn every_round_of_a_task_with_a_pinned_tool_asks_for_automatic_members() {
    ExtBuilder::execute(|| {
        pin(Some(TOOL));
        let id = publish();
        // A tool pinned later, or none any more, is for later tasks.
        pin(None);
        assert_eq!(<Work as TaskPhases<u64>>::tool(&id), Some(TOOL));
        script(|s| s.rounds.push_back((Tally::Split, vec![good(60); 2])));
        answered(id, &[ALICE, BOB]);
        voted(id);
        voted(id);
        let plain = publish();
        assert_eq!(<Work as TaskPhases<u64>>::tool(&plain), None);
        answered(plain, &[CAROL]);
        voted(plain);
        let asked = script(|s| s.requests.clone());
        let of = |wanted: TaskId| -> Vec<(u32, bool)> {
            let requests = asked.iter().filter(|request| request.task == wanted);
            requests.map(|r| (r.round, r.automatic)).collect()
        };
        assert_eq!(of(id), [(0, true), (1, true)]);
        assert_eq!(of(plain), [(0, false)]);
    });
}

#[test]
fn an_answer_can_be_told_for_a_check_only_between_the_count_and_the_settlement() {
    ExtBuilder::execute(|| {
        let id = publish();
        let judged = |who| <Work as TaskPhases<u64>>::judged_answer(&id, &who);
        script(|s| s.rounds.push_back((Tally::Consensus, vec![good(60); 2])));
        join(CAROL, id);
        answered(id, &[ALICE, BOB]);
        for _ in [Phase::PanelDraw, Phase::VoteCommit, Phase::VoteReveal] {
            assert_eq!(judged(BOB), None);
            end_phase(id);
        }
        assert_eq!(phase(id), Phase::Challenge);
        let answer = RevealedAnswer {
            index: 1,
            content: tos_types::content::content_hash(&text(BOB)),
            salt: SALT,
            round: 0,
        };
        assert_eq!(judged(BOB), Some(answer));
        // Carol joined and answered nothing; a stranger did not even join.
        assert_eq!((judged(CAROL), judged(STRANGER)), (None, None));

        // While a challenge is voted on, nobody may tell the voters what an answer is worth.
        challenge(ALICE, id);
        for _ in [Phase::PanelDraw, Phase::VoteCommit, Phase::VoteReveal] {
            assert_eq!(judged(BOB), None);
            end_phase(id);
        }
        assert_eq!(finish(id), Closure::Settled);
        assert_eq!(judged(BOB), None);
    });
}
