// SPDX-License-Identifier: Apache-2.0

//! Progress of something that takes long, on stderr: a bar for people, a line in the log every few
//! seconds otherwise.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};
use tos_replica_store::{Progress, Stage};
use tos_sdk::clean;

/// The cells of a full bar.
const WIDTH: u64 = 30;
/// Between two lines in the log.
const PAUSE: Duration = Duration::from_secs(5);

/// A progress bar.
pub struct ProgressBar {
    what: String,
    terminal: bool,
    /// `true` if the content lies on this machine, so that it is read and not fetched.
    local: bool,
    /// Stage and hundredths that were shown last.
    shown: Option<(String, u64)>,
    /// Time of the last line, at first of the beginning of the work.
    spoke: Instant,
}

impl ProgressBar {
    /// A bar for `what`. Nothing is drawn where stderr is no terminal.
    pub fn new(what: impl Into<String>) -> Self {
        Self::with(what, std::io::stderr().is_terminal(), false)
    }

    /// A bar for work on a file of this machine.
    pub fn local(what: impl Into<String>) -> Self {
        Self::with(what, std::io::stderr().is_terminal(), true)
    }

    fn with(what: impl Into<String>, terminal: bool, local: bool) -> Self {
        Self {
            // Drawn past the log, which would clean it.
            what: clean::line(&what.into()).into_owned(),
            terminal,
            local,
            shown: None,
            spoke: Instant::now(),
        }
    }

    /// Shows the progress of the store.
    pub fn watch(&mut self, progress: Progress) {
        let stage = match progress.stage {
            Stage::Fetch if self.local => "reading",
            stage => stage_name(stage),
        };
        self.update(stage, progress.done, progress.total);
    }

    /// Shows that `done` of `total` bytes of a stage are done.
    pub fn update(&mut self, stage: &str, done: u64, total: u64) {
        self.update_at(stage, done, total, Instant::now());
    }

    fn update_at(&mut self, stage: &str, done: u64, total: u64, now: Instant) {
        let hundredths = share(done, total, 100);
        let news = match &self.shown {
            Some((shown, last)) => shown != stage || *last != hundredths,
            None => true,
        };
        let due = self.terminal || now.saturating_duration_since(self.spoke) >= PAUSE;
        if !news || !due {
            return;
        }
        self.shown = Some((stage.to_owned(), hundredths));
        self.spoke = now;
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

impl Drop for ProgressBar {
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
    let (shift, unit) = match total {
        0..1_048_576 => (10, "KiB"),
        _ => (20, "MiB"),
    };
    // Rounded up where all is done, as the whole is, and down before: so both end together, and neither
    // before the work does.
    let whole = total.div_ceil(1 << shift);
    let part = match done < total {
        true => done >> shift,
        false => whole,
    };
    let cells = |mark: &str, count: u64| mark.repeat(usize::try_from(count).unwrap_or_default());
    format!(
        "{what}: {stage:<9} [{}{}] {:>3} %  {} of {} {unit}",
        cells("#", full),
        cells(" ", WIDTH.saturating_sub(full)),
        share(done, total, 100),
        part,
        whole,
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
    fn amounts_and_percentage_end_together_and_not_before_the_work() {
        for (total, unit) in [
            (8_000, "KiB"),
            (8_192, "KiB"),
            (1, "KiB"),
            ((5 << 20) + 1, "MiB"),
        ] {
            let shown = |done| line("x", "fetching", done, total);
            let whole = total.div_ceil(if unit == "KiB" { 1 << 10 } else { 1 << 20 });
            let end = format!(" 100 %  {whole} of {whole} {unit}");
            assert!(shown(total).ends_with(&end), "{}", shown(total));
            let before = shown(total - 1);
            assert!(!before.contains("100 %"), "{before}");
            assert!(!before.contains(&format!("{whole} of {whole}")), "{before}");
        }
        // Nothing to do is done.
        assert!(line("x", "fetching", 0, 0).ends_with("100 %  0 of 0 KiB"));
    }

    #[test]
    fn the_log_hears_every_few_seconds_and_nothing_of_what_is_done_at_once() {
        let mut bar = ProgressBar::with("x", false, false);
        let begin = bar.spoke;
        let mut heard = Vec::new();
        for tenth in 0..=200 {
            let before = bar.shown.clone();
            let now = begin + Duration::from_millis(100 * tenth);
            bar.update_at("sealing", tenth, 200, now);
            if bar.shown != before {
                heard.push(bar.shown.clone().unwrap().1);
            }
        }
        assert_eq!(heard, [25, 50, 75, 100]);
        let mut short = ProgressBar::with("x", false, false);
        short.update_at("coding", 1, 1, short.spoke + Duration::from_secs(4));
        assert_eq!(short.shown, None);
    }

    #[test]
    fn a_file_of_this_machine_is_read_and_not_fetched() {
        let mut bar = ProgressBar::with("x", false, true);
        bar.spoke -= PAUSE;
        bar.watch(Progress {
            stage: Stage::Fetch,
            done: 1,
            total: 2,
        });
        assert_eq!(bar.shown, Some(("reading".into(), 50)));
    }
}
