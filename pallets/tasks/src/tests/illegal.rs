// SPDX-License-Identifier: Apache-2.0

//! Every call in every state: what is refused is refused with its own error and changes nothing.

use super::*;
use frame_support::storage::with_transaction;
use sp_runtime::{traits::Dispatchable, DispatchError, StateVersion, TransactionOutcome};
use Error::*;

/// Where a task may be. In all states but the first, Alice has joined and committed and Bob has
/// only joined.
#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Empty,
    Open,
    OpenOver,
    Reveal,
    RevealOver,
    Draw,
    VoteCommit,
    VoteReveal,
    Challenge,
    ChallengeOver,
    Decided,
    Settled,
    Cancelled,
    Expired,
    Unresolved,
    Pruned,
}

const STATES: [State; 16] = [
    State::Empty,
    State::Open,
    State::OpenOver,
    State::Reveal,
    State::RevealOver,
    State::Draw,
    State::VoteCommit,
    State::VoteReveal,
    State::Challenge,
    State::ChallengeOver,
    State::Decided,
    State::Settled,
    State::Cancelled,
    State::Expired,
    State::Unresolved,
    State::Pruned,
];

/// Brings a new task into the state.
fn reach(state: State) -> TaskId {
    let id = publish();
    let late = |id| jump(task(id).deadline + 1);
    match state {
        State::Empty => return id,
        State::Cancelled => {
            assert_ok!(Work::cancel(RuntimeOrigin::signed(PUBLISHER), id));
            return id;
        }
        _ => {}
    }
    for who in [ALICE, BOB] {
        join(who, id);
    }
    if state == State::Expired {
        finish(id);
        return id;
    }
    commit(ALICE, id);
    match state {
        State::Open => return id,
        State::OpenOver => {
            late(id);
            return id;
        }
        _ => end_phase(id),
    }
    match state {
        State::Reveal => return id,
        State::RevealOver => {
            late(id);
            return id;
        }
        _ => reveal(ALICE, id),
    }
    let tally = if state == State::Unresolved {
        Tally::NoQuorum
    } else {
        Tally::Consensus
    };
    script(|s| s.rounds = vec![(tally, vec![good(80)]); 4].into());
    end_phase(id);
    let target = match state {
        State::Draw => Phase::PanelDraw,
        State::VoteCommit => Phase::VoteCommit,
        State::VoteReveal => Phase::VoteReveal,
        State::Unresolved => Phase::Closed(Closure::Unresolved),
        State::Settled | State::Pruned => Phase::Closed(Closure::Settled),
        _ => Phase::Challenge,
    };
    while phase(id) != target {
        tick();
    }
    match state {
        State::ChallengeOver => late(id),
        State::Decided => {
            challenge(PUBLISHER, id);
            voted(id);
        }
        State::Pruned => end_phase(id),
        _ => {}
    }
    id
}

fn call(call: Call<Test>, who: u64) -> (RuntimeCall, u64) {
    (RuntimeCall::Work(call), who)
}

fn reveal_of(who: u64, id: TaskId) -> (RuntimeCall, u64) {
    let content = ContentRef::inline(&text(who)).unwrap();
    let simhash = simhash(&text(who));
    call(
        Call::reveal {
            task: id,
            content,
            simhash,
            salt: SALT,
        },
        who,
    )
}

fn commit_of(who: u64, id: TaskId) -> (RuntimeCall, u64) {
    call(
        Call::commit {
            task: id,
            commitment: [1; 32],
        },
        who,
    )
}

/// A call, who makes it and the error it must give, if any.
type Case = ((RuntimeCall, u64), Option<Error<Test>>);

/// What each call must give in each state.
fn table(state: State, id: TaskId) -> Vec<Case> {
    use State as S;
    let cancel = |who| call(Call::cancel { task: id }, who);
    let join = |who| call(Call::join { task: id }, who);
    let challenge = |who| call(Call::challenge { task: id }, who);
    let crank = call(Call::crank { task: id }, STRANGER);
    if state == S::Pruned {
        let all = [
            cancel(PUBLISHER),
            join(CAROL),
            commit_of(ALICE, id),
            reveal_of(ALICE, id),
            challenge(PUBLISHER),
            crank,
        ];
        return all
            .into_iter()
            .map(|call| (call, Some(UnknownTask)))
            .collect();
    }
    let open = matches!(state, S::Empty | S::Open);
    let when = |ok: bool, good: Option<Error<Test>>, other| if ok { good } else { Some(other) };
    let in_open = |good| when(open, good, NotOpen);
    let joined = |good, other| if state == S::Empty { other } else { good };
    let in_reveal = |good| when(state == S::Reveal, good, NotInReveal);
    let challenged = |good| match state {
        S::Challenge => good,
        S::Decided => Some(AlreadyChallenged),
        _ => Some(NotChallengeable),
    };
    let due = matches!(state, S::OpenOver | S::RevealOver | S::ChallengeOver);
    vec![
        (
            cancel(PUBLISHER),
            in_open(joined(Some(HasParticipants), None)),
        ),
        (cancel(STRANGER), Some(NotPublisher)),
        (join(CAROL), in_open(None)),
        (join(PUBLISHER), in_open(Some(OwnTask))),
        (join(ALICE), in_open(joined(Some(AlreadyJoined), None))),
        (
            commit_of(ALICE, id),
            in_open(joined(Some(AlreadyCommitted), Some(NotJoined))),
        ),
        (commit_of(BOB, id), in_open(joined(None, Some(NotJoined)))),
        (commit_of(STRANGER, id), in_open(Some(NotJoined))),
        (reveal_of(ALICE, id), in_reveal(None)),
        (reveal_of(BOB, id), in_reveal(Some(NotCommitted))),
        (reveal_of(STRANGER, id), in_reveal(Some(NotJoined))),
        (challenge(PUBLISHER), challenged(None)),
        (challenge(ALICE), challenged(None)),
        (challenge(BOB), challenged(Some(NotAParty))),
        (challenge(STRANGER), challenged(Some(NotAParty))),
        (crank, if due { None } else { Some(NotDue) }),
    ]
}

fn root() -> Vec<u8> {
    sp_io::storage::root(StateVersion::V1)
}

#[test]
fn every_call_in_every_state_does_what_it_should_or_nothing() {
    for state in STATES {
        ExtBuilder::execute(|| {
            let id = reach(state);
            for ((call, who), expected) in table(state, id) {
                let (before, scripted) = (root(), script(|s| s.clone()));
                // Rolled back, so that every call meets the same state.
                let result = with_transaction(|| {
                    let result = call.clone().dispatch(RuntimeOrigin::signed(who));
                    TransactionOutcome::Rollback(Ok::<_, DispatchError>(result))
                })
                .unwrap()
                .map(|_| ())
                .map_err(|failure| failure.error);
                let wanted = match expected {
                    None => Ok(()),
                    Some(error) => Err(error.into()),
                };
                assert_eq!(result, wanted, "{call:?} by {who} in {state:?}");
                assert_eq!(root(), before);
                // The stand-ins know nothing of transactions.
                script(|s| *s = scripted);
            }
        });
    }
}

#[test]
fn nothing_can_be_done_to_a_task_that_never_was() {
    ExtBuilder::execute(|| {
        let nowhere = TaskId([9; 16]);
        for ((call, who), expected) in table(State::Pruned, nowhere) {
            let result = call
                .dispatch(RuntimeOrigin::signed(who))
                .map_err(|e| e.error);
            assert_eq!(result.map(|_| ()), Err(expected.unwrap().into()));
        }
    });
}

#[test]
fn unsigned_calls_are_refused() {
    ExtBuilder::execute(|| {
        let id = publish();
        for ((call, _), _) in table(State::Empty, id) {
            for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
                let result = call.clone().dispatch(origin).map_err(|e| e.error);
                assert_eq!(result.map(|_| ()), Err(DispatchError::BadOrigin));
            }
        }
    });
}
