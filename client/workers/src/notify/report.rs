// SPDX-License-Identifier: Apache-2.0

//! Notices made of a worker's own reports.

use super::{now, Kind, Notifier};
use crate::tasks::{Report, Reporter};
use serde_json::json;
use tos_sdk::amount::format as amount;

impl Notifier {
    /// A reporter whose reports become notices, where they are news to an operator.
    pub fn reporter(&self) -> Reporter {
        let notifier = self.clone();
        match self.is_on() {
            true => Reporter::to(move |report| notifier.report(report)),
            false => Reporter::default(),
        }
    }

    fn report(&self, report: &Report) {
        // Where the chain tells the same, both have the same subject: it is told once.
        let (kind, subject, text) = match report {
            Report::Started { .. }
            | Report::Joined { .. }
            | Report::Answered { .. }
            // Told from the chain, where what happened while the worker was down is seen too.
            | Report::Slashed { .. }
            | Report::Earned { .. } => return,
            Report::Won { task, earned } => {
                let text = format!("task {task} is closed: earned {}", amount(*earned));
                (Kind::Verdict, task.to_string(), text)
            }
            Report::Lost { task, why, lost } => {
                if *lost > 0 {
                    let text = format!("{} are lost in task {task}: {why}", amount(*lost));
                    self.tell(Kind::Loss, &task.to_string(), text, json!(report));
                }
                let text = format!("task {task} is closed without a gain: {why}");
                (Kind::Verdict, task.to_string(), text)
            }
            Report::SolverBroken { why, pause, .. } => {
                let text = format!("the program fails, and is tried again in {pause} s: {why}");
                (Kind::Broken, report.id(), text)
            }
            Report::SolverWell { failures, .. } => {
                let text = format!("the program works again, after {failures} failures");
                (Kind::Working, report.id(), text)
            }
            Report::Deadline { task, why, .. } => {
                let text = format!("task {task} cannot be finished: {why}");
                (Kind::Deadline, report.id(), text)
            }
            Report::Warning { what, .. } => {
                // A condition that comes back is news again, but not in every block.
                let day = now().as_secs() / 86_400;
                let subject = format!("{} on day {day}", report.id());
                (Kind::Warning, subject, what.clone())
            }
        };
        self.tell(kind, &subject, text, json!(report));
    }
}
