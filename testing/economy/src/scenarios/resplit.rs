// SPDX-License-Identifier: Apache-2.0

//! L-1: governance changes how rewards are split when the votes on a task are known already.

use super::cast::{honest, miners, play_out, CAREFUL, FUNDS, REWARD};
use crate::{
    agents::play,
    error::Result,
    ledger::Ledger,
    report::Report,
    world::{Founding, Offer, World, Worth},
};
use tos_formulas::split::SplitProfile;
use tos_runtime::Runtime;
use tos_types::{Phase, TaskType};

/// The moment at which governance decides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// It leaves the split as it is.
    Never,
    /// After the panel's result, before the settlement.
    Meanwhile,
    /// Before the task is published.
    Before,
}

/// Less for the winner and for judges, more for who took part and for the network.
const SPLIT: SplitProfile = SplitProfile {
    winners: 6_000,
    participants: 2_000,
    judges: 1_000,
    network: 1_000,
};
/// The groups of accounts that a reward is divided among.
const GROUPS: [&str; 4] = ["publisher", "first miner", "other miners", "judges"];

/// Plays the same task three times, by the moment of the decision.
pub fn run(seed: u64) -> Result<Report> {
    let mut report = Report::new("resplit", Some("L-1"), seed);
    for (when, told) in [
        (When::Never, "kept"),
        (When::Meanwhile, "changed meanwhile"),
        (When::Before, "changed before"),
    ] {
        play_with(when, told, seed, &mut report)?;
    }
    for who in GROUPS {
        let of = |told: &str| report.figure(&format!("{who}, {told}")).unwrap_or(0.0);
        let (kept, meanwhile, before) = (of("kept"), of("changed meanwhile"), of("changed before"));
        report.note(&format!("moved meanwhile: {who}"), meanwhile - kept);
        report.note(&format!("moved before: {who}"), before - kept);
    }
    Ok(report)
}

/// Three honest answers, honest judges.
fn play_with(when: When, told: &str, seed: u64, report: &mut Report) -> Result<()> {
    let mut founding = Founding::new(seed);
    let publisher = founding.account(FUNDS);
    let able = founding.accounts(3, FUNDS);
    let seated = founding.experts();
    let mut world = founding.world()?;
    let mut miners = miners(&mut world, &able)?;
    let mut judges = honest(&mut world, &seated, &[TaskType::General], CAREFUL)?;
    let ledger = Ledger::open(
        &mut world,
        &[
            ("publisher", &[publisher]),
            ("first miner", &able[..1]),
            ("other miners", &able[1..]),
            ("judges", &seated),
        ],
    );
    let offer = Offer::beginner(REWARD, 3);
    if when == When::Before {
        split_anew(&mut world, &offer)?;
    }
    let task = world.publish(publisher, &offer)?;
    for (miner, quality) in miners.iter_mut().zip([90, 80, 75]) {
        miner.take(task, world.answer(Worth::valid(quality))?);
    }
    play(&mut world, &mut [&mut miners, &mut judges], |world| {
        world.watch().phase(&task) == Some(Phase::Challenge)
    })?;
    if when == When::Meanwhile {
        split_anew(&mut world, &offer)?;
    }
    play_out(&mut world, &mut [&mut miners, &mut judges], &[task])?;
    for who in GROUPS {
        let change = ledger.change(&mut world, who);
        report.note(&format!("{who}, {told}"), change);
    }
    let title = format!("15 TOS, three honest answers, split {told}");
    ledger.tell(&mut world, report, &title);
    world.check()?;
    report.took(world.time());
    Ok(())
}

/// Governance changes the split of tasks of this type and difficulty.
fn split_anew(world: &mut World, offer: &Offer) -> Result<()> {
    world.decide(pallet_rewards::Call::<Runtime>::set_profile {
        task_type: offer.task_type,
        difficulty: offer.difficulty,
        profile: Some(SPLIT),
    })
}
