// SPDX-License-Identifier: Apache-2.0

//! Many actors doing anything in any order: no invariant breaks, and in the end everything is over
//! and everybody's money is somewhere.

use super::*;
use proptest::prelude::*;
use sp_runtime::traits::Dispatchable;
use tos_interfaces::{Draw, TaskPhases};

/// One move: what, by whom, about which task.
type Move = (u8, u8, u8);

const PUBLISHERS: u64 = 3;
const MINERS: [u64; 5] = [11, 12, 13, 14, 15];

/// Makes a move. Whether it is legal is the chain's business.
fn make(what: u8, by: u8, about: u8, ids: &mut Vec<TaskId>) {
    let miner = MINERS[usize::from(by) % MINERS.len()];
    let publisher = 1 + u64::from(by) % PUBLISHERS;
    let task = ids
        .get(usize::from(about) % ids.len().max(1))
        .copied()
        .unwrap_or_default();
    let (call, who) = match what % 12 {
        0 => {
            let offer = Offer {
                by: publisher,
                places: 1 + u32::from(about % 4),
                open_for: 3 + u32::from(about),
                ..Offer::default()
            };
            ids.push(offer.id());
            return;
        }
        1 | 2 => (Call::join { task }, miner),
        3 | 4 => {
            let _ = try_commit(miner, task, &text(miner));
            return;
        }
        5 | 6 => {
            let _ = try_reveal(miner, task, &text(miner));
            return;
        }
        7 => (
            Call::challenge { task },
            if by.is_multiple_of(2) {
                miner
            } else {
                publisher
            },
        ),
        8 => (Call::cancel { task }, publisher),
        9 => (Call::crank { task }, STRANGER),
        10 => {
            // Something of the panels: what is to come, or that they are done.
            script(|s| match by % 4 {
                0 => s.rounds.push_back((Tally::Split, vec![])),
                1 => s.rounds.push_back((Tally::NoQuorum, vec![])),
                2 => s.draws.extend([Draw::Retry; 5]),
                _ => s.silent = about.is_multiple_of(2),
            });
            Work::phase_complete(&task);
            return;
        }
        _ => {
            // Time passes, with hooks or without.
            if by.is_multiple_of(5) {
                jump(now() + u32::from(about % 8));
            } else {
                pass(u32::from(about % 40));
            }
            return;
        }
    };
    // The stand-ins know nothing of transactions.
    let scripted = script(|s| s.clone());
    if RuntimeCall::Work(call)
        .dispatch(RuntimeOrigin::signed(who))
        .is_err()
    {
        script(|s| *s = scripted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_anybody_does_no_money_is_lost_or_stranded(
        moves in proptest::collection::vec(any::<Move>(), 1..120)
    ) {
        ExtBuilder::execute(|| {
            let mut ids = vec![];
            make(0, 0, 7, &mut ids);
            for (what, by, about) in moves {
                make(what, by, about, &mut ids);
                Work::do_try_state().unwrap();
            }
            script(|s| s.draws.clear());
            let mut left = 3_000;
            while Tasks::<Test>::count() > 0 {
                tick();
                left -= 1;
                assert!(left > 0, "a task does not end");
            }
            // All escrow is out again, nothing is held, and nobody is busy.
            assert_eq!(free(STRONGBOX), TOS);
            for who in 1..=60 {
                assert_eq!(wealth(who), free(who));
            }
            assert!(script(|s| s.working.values().all(|count| *count == 0)));
        });
    }
}
