// SPDX-License-Identifier: Apache-2.0

//! Skipped time is like time that passed.

use tos_economy::{
    agents::{play, Conduct, Miner},
    driver::Chain,
    error::Error,
    world::{Founding, Offer, Who, World, Worth},
};
use tos_runtime::Runtime;
use tos_types::{Closure, PhaseLengths, TaskId, TaskType, TOS};

/// A task that a miner joins and never answers, and its accounts.
fn neglected() -> (World, TaskId, [Who; 2], Miner) {
    let mut founding = Founding::new(1);
    let [publisher, griefer] = [founding.account(300 * TOS), founding.account(300 * TOS)];
    let mut world = founding.world().expect("genesis builds");
    world
        .register_miner(griefer, &[TaskType::General])
        .expect("it has the stake");
    let offer = Offer::beginner(5 * TOS, 2);
    let task = world.publish(publisher, &offer).expect("it has the reward");
    let answer = world.answer(Worth::valid(50)).expect("short");
    let mut miner = Miner::new(griefer, Conduct::NoShow);
    miner.take(task, answer);
    (world, task, [publisher, griefer], miner)
}

/// The tick, the end of the task and the tokens of the accounts.
fn ending(world: &mut World, task: TaskId, accounts: &[Who]) -> (u32, Option<Closure>, Vec<u128>) {
    let now = world.read(pallet_clock::Ticks::<Runtime>::get);
    let owned = accounts.iter().map(|who| world.owned(*who)).collect();
    (now, world.watch().closure(&task), owned)
}

#[test]
fn skipping_an_hour_of_empty_blocks_ends_as_building_them_does() {
    let (mut world, task, accounts, mut miner) = neglected();
    play(&mut world, &mut [&mut miner], |world| {
        world.watch().closure(&task).is_some()
    })
    .expect("the task ends");
    let skipped = ending(&mut world, task, &accounts);
    let (blocks, ticks) = world.time();
    assert!(blocks < 20 && ticks > 1_700, "{blocks} {ticks}");

    let (mut world, task, accounts, mut miner) = neglected();
    play(&mut world, &mut [&mut miner], |world| {
        // The miner has joined; from here on nothing is skipped.
        world.time().0 >= 2
    })
    .expect("two blocks pass");
    while world.watch().closure(&task).is_none() {
        world.end_block();
        assert!(world.time().0 < 4_000, "the task does not end");
    }
    assert_eq!(world.time().1, 0);
    assert_eq!(ending(&mut world, task, &accounts), skipped);
    assert_eq!(skipped.1, Some(Closure::Expired));
    // The griefer pays for the place that it took.
    world.check().expect("every wei is where it belongs");
}

#[test]
fn the_chain_is_born_with_the_windows_of_a_real_network() {
    let mut chain = Chain::new(1, &[], &[]).expect("genesis builds");
    let windows = chain.read(pallet_clock::Settings::<Runtime>::get);
    assert_eq!(windows, PhaseLengths::per_day(43_200));
    assert_eq!(windows.challenge, 24 * windows.panel_draw);
}

#[test]
fn a_call_that_fails_costs_its_fee_and_one_that_cannot_be_paid_for_is_invalid() {
    let (mut world, task, [publisher, _], _) = neglected();
    let before = world.owned(publisher);
    // A publisher cannot work on its own task.
    let refused = world.join(publisher, task);
    assert!(matches!(refused, Err(Error::Failed(_))), "{refused:?}");
    assert!(world.owned(publisher) < before);

    let mut founding = Founding::new(1);
    // Hardly more than the existential deposit.
    let poor = founding.account(TOS / 900);
    let mut world = founding.world().expect("genesis builds");
    let refused = world.register_miner(poor, &[TaskType::General]);
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    assert_eq!(world.owned(poor), TOS / 900);
}
