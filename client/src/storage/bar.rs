// SPDX-License-Identifier: Apache-2.0

//! How far something that takes long has come, on stderr: a bar for people, a line in the log
//! every tenth of the way otherwise.

use crate::clean;
use std::io::{IsTerminal, Write};
use tos_provider::{Progress, Stage};

/// The cells of a full bar.
const WIDTH: u64 = 30;

/// A progress bar.
pub struct Bar {
    what: String,
    terminal: bool,
    /// What was shown last: stage and hundredths.
    shown: Option<(String, u64)>,
}

impl Bar {
    /// A bar for `what`. Nothing is drawn where stderr is no terminal.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            // Drawn past the log, which would clean it.
            what: clean::line(&what.into()).into_owned(),
            terminal: std::io::stderr().is_terminal(),
            shown: None,
        }
    }

    /// Shows the progress of the store.
    pub fn watch(&mut self, progress: Progress) {
        self.update(stage_name(progress.stage), progress.done, progress.total);
    }

    /// Shows that `done` of `total` bytes of a stage are done.
    pub fn update(&mut self, stage: &str, done: u64, total: u64) {
        let hundredths = share(done, total, 100);
        let same_stage = self.shown.as_ref().filter(|(shown, _)| shown == stage);
        let last = same_stage.map(|(_, last)| *last);
        let step = if self.terminal { 1 } else { 10 };
        let due = last.is_none_or(|last| hundredths >= last.saturating_add(step))
            || (hundredths == 100 && last != Some(100));
        if !due {
            return;
        }
        self.shown = Some((stage.to_owned(), hundredths));
        if self.terminal {
            let line = line(&self.what, stage, done, total);
            // A closed stderr is no reason to stop.
            let _ = write!(std::io::stderr().lock(), "\r\x1b[2K{line}");
        } else {
            let what = self.what.as_str();
            tracing::info!(what, stage, percent = hundredths, "in progress");
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.terminal && self.shown.is_some() {
            let _ = writeln!(std::io::stderr().lock());
        }
    }
}

/// A stage, as people read it.
fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Fetch => "fetching",
        Stage::Encode => "coding",
        Stage::Commit => "hashing",
        Stage::Seal => "sealing",
        Stage::Check => "checking",
        Stage::Unseal => "unsealing",
        Stage::Restore => "restoring",
        Stage::Prove => "proving",
    }
}

/// ⌊parts · done / total⌋, at most `parts`; all of it when there is nothing to do.
fn share(done: u64, total: u64, parts: u64) -> u64 {
    let whole = u128::from(parts) * u128::from(done);
    let share = whole.checked_div(u128::from(total));
    share.map_or(parts, |share| {
        u64::try_from(share).unwrap_or(parts).min(parts)
    })
}

fn line(what: &str, stage: &str, done: u64, total: u64) -> String {
    let full = share(done, total, WIDTH);
    let cells = |mark: &str, count: u64| mark.repeat(usize::try_from(count).unwrap_or_default());
    format!(
        "{what}: {stage:<9} [{}{}] {:>3} %  {} of {} MiB",
        cells("#", full),
        cells(" ", WIDTH.saturating_sub(full)),
        share(done, total, 100),
        done >> 20,
        total.div_ceil(1 << 20),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_from_nothing_to_all() {
        assert_eq!(
            (share(0, 10, 30), share(5, 10, 30), share(10, 10, 30)),
            (0, 15, 30)
        );
        assert_eq!((share(11, 10, 100), share(0, 0, 100)), (100, 100));
        assert_eq!(share(u64::MAX, u64::MAX, 100), 100);
        let half = line("x", "sealing", 1 << 20, 2 << 20);
        assert!(half.contains("50 %  1 of 2 MiB"), "{half}");
        assert!(half.contains(&format!("[{}{}]", "#".repeat(15), " ".repeat(15))));
    }

    #[test]
    fn the_log_hears_of_every_tenth_once() {
        let mut bar = Bar {
            what: "x".into(),
            terminal: false,
            shown: None,
        };
        let mut heard = Vec::new();
        for done in 0..=1_000 {
            let before = bar.shown.clone();
            bar.update("sealing", done, 1_000);
            if bar.shown != before {
                heard.push(bar.shown.clone().unwrap().1);
            }
        }
        assert_eq!(heard, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    }
}
