// SPDX-License-Identifier: Apache-2.0

//! H-3: junk with the SimHash of an honest answer, committed first, disqualifies the honest ones.

use super::cast::{honest, miner, miners, play_out, CAREFUL, FUNDS, REWARD};
use crate::{
    error::Result,
    ledger::Ledger,
    report::{Report, Table},
    world::{Answer, Founding, Offer, Worth},
};
use tos_types::{TaskType, Verdict};

/// The right answer, in the form that the task asks for: all who solve it write these bytes.
const ANSWER: &str = "the shortest tour has length 1042 and visits 7 3 9 1 5 2 8 4 6 in this order";

/// Plays it, and the same task without the attack.
pub fn run(seed: u64) -> Result<Report> {
    let mut report = Report::new("false-simhash", Some("H-3"), seed);
    for attacked in [true, false] {
        play_with(attacked, seed, &mut report)?;
    }
    Ok(report)
}

fn play_with(attacked: bool, seed: u64, report: &mut Report) -> Result<()> {
    let mut founding = Founding::new(seed);
    let [publisher, accomplice] = founding.each(FUNDS);
    let able = founding.accounts(2, FUNDS);
    let seated = founding.experts();
    let mut world = founding.world()?;
    let mut junk_miner = miner(&mut world, accomplice)?;
    let mut miners = miners(&mut world, &able)?;
    let mut judges = honest(&mut world, &seated, &[TaskType::General], CAREFUL)?;
    let ledger = Ledger::open(
        &mut world,
        &[
            ("publisher", &[publisher]),
            ("its miner", &[accomplice]),
            ("attacker", &[publisher, accomplice]),
            ("first miner", &able[..1]),
            ("second miner", &able[1..]),
            ("judges", &seated),
        ],
    );
    let places = if attacked { 3 } else { 2 };
    let task = world.publish(publisher, &Offer::beginner(REWARD, places))?;
    let right = world.answer_of(ANSWER, Worth::valid(90))?;
    if attacked {
        let junk = Answer {
            simhash: right.simhash,
            ..world.answer(Worth::JUNK)?
        };
        junk_miner.take(task, junk);
    }
    for miner in &mut miners {
        miner.take(task, right.clone());
    }
    // The accomplice acts first: it needs no time to think.
    play_out(
        &mut world,
        &mut [&mut junk_miner, &mut miners, &mut judges],
        &[task],
    )?;
    let case = if attacked { "attacked" } else { "untouched" };
    for name in [
        "publisher",
        "its miner",
        "attacker",
        "first miner",
        "second miner",
        "judges",
    ] {
        let change = ledger.change(&mut world, name);
        report.note(&format!("{name}, {case}"), change);
    }
    let title = format!("15 TOS, two honest answers of the same bytes, {case}");
    ledger.tell(&mut world, report, &title);

    let mut answers = Table::new("Answers", &["author", "duplicate", "quality", "verdict"]);
    let mut authors = vec![("first miner", able[0]), ("second miner", able[1])];
    if attacked {
        authors.insert(0, ("its miner", accomplice));
    }
    for (name, who) in authors {
        let submission = world.submission(task, who)?;
        let result = submission.result.unwrap_or_default();
        answers.row([
            name.into(),
            submission.duplicate.to_string(),
            result.quality.to_string(),
            format!("{:?}", result.verdict),
        ]);
        let duplicate = f64::from(u8::from(submission.duplicate));
        report.note(&format!("duplicate: {name}, {case}"), duplicate);
        let malformed = result.verdict == Verdict::Malformed;
        let malformed = f64::from(u8::from(malformed));
        report.note(&format!("malformed: {name}, {case}"), malformed);
    }
    report.tables.push(answers);
    world.check()?;
    report.took(world.time());
    Ok(())
}
