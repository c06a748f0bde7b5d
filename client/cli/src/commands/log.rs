// SPDX-License-Identifier: Apache-2.0

//! The log on stderr. Texts of strangers are in it, and every event is one line of it: all that is
//! written goes through [`clean`], so that no place that logs can forget to.

use super::Global;
use std::io::{self, IsTerminal, Write};
use tos_sdk::{
    clean,
    error::{Error, Result},
};
use tracing::{Level, Metadata};
use tracing_subscriber::{fmt::MakeWriter, EnvFilter};

/// Starts the log; `works` if the command goes on working and its progress is of interest.
pub(super) fn to_stderr(global: &Global, works: bool) -> Result<()> {
    let default = if works {
        "warn,tos_cli=info,tos_sdk=info,tos_workers=info"
    } else {
        "warn"
    };
    let filter = global.log.as_deref().unwrap_or(default);
    let filter =
        EnvFilter::try_new(filter).map_err(|e| Error::Usage(format!("--log {filter}: {e}")))?;
    let lines = Lines {
        to: io::stderr,
        json: global.log_json,
        colours: io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    // Colours are set by the writer: in what is written, nothing tells ours from a stranger's.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(lines);
    // A second subscriber is refused only where one was set before, in tests.
    let _ = if global.log_json {
        log.json().try_init()
    } else {
        log.try_init()
    };
    Ok(())
}

/// Makes writers that write each event as one clean line.
struct Lines<M> {
    to: M,
    /// Events come as JSON.
    json: bool,
    /// The level is coloured.
    colours: bool,
}

impl<'a, W: Write, M: Fn() -> W> MakeWriter<'a> for Lines<M> {
    type Writer = Line<W>;

    fn make_writer(&'a self) -> Line<W> {
        self.line(None)
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> Line<W> {
        self.line((self.colours && !self.json).then(|| *event.level()))
    }
}

impl<W: Write, M: Fn() -> W> Lines<M> {
    fn line(&self, level: Option<Level>) -> Line<W> {
        Line {
            to: (self.to)(),
            json: self.json,
            level,
            event: Vec::new(),
        }
    }
}

/// One event. It is written at the end, in one piece.
struct Line<W: Write> {
    to: W,
    json: bool,
    /// The level, where it is coloured.
    level: Option<Level>,
    event: Vec<u8>,
}

impl<W: Write> Line<W> {
    /// The event as it is shown, with its line break.
    fn shown(&self) -> String {
        let event = String::from_utf8_lossy(&self.event);
        let event = event.strip_suffix('\n').unwrap_or(&event);
        if self.json {
            return format!("{}\n", clean::json(event));
        }
        let mut line = clean::line(event).into_owned();
        if let Some(level) = self.level {
            let colour = match level {
                Level::ERROR => 31,
                Level::WARN => 33,
                Level::INFO => 32,
                Level::DEBUG => 34,
                _ => 35,
            };
            // In front of it is only the time, which holds no such word.
            let name = level.as_str();
            line = line.replacen(name, &format!("\u{1b}[{colour}m{name}\u{1b}[0m"), 1);
        }
        line.push('\n');
        line
    }
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.event.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Line<W> {
    fn drop(&mut self) {
        if !self.event.is_empty() {
            // A log without a reader is no reason to stop.
            let _ = self.to.write_all(self.shown().as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tos_sdk::{
        error::Error,
        testing::{assert_clean, HOSTILE},
    };

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The log of what `logs` says.
    fn log_of(json: bool, colours: bool, logs: impl FnOnce()) -> String {
        let shared = Shared::default();
        let to = shared.clone();
        let lines = Lines {
            to: move || to.clone(),
            json,
            colours,
        };
        let log = tracing_subscriber::fmt().with_ansi(false);
        if json {
            tracing::subscriber::with_default(log.with_writer(lines).json().finish(), logs);
        } else {
            tracing::subscriber::with_default(log.with_writer(lines).finish(), logs);
        }
        let bytes = shared.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// Events that workers log of strangers: a judge's reason, a solver's stderr, an error by a node.
    fn strangers() {
        let error = Error::refused(HOSTILE);
        tracing::info!(reason = HOSTILE, "judged");
        tracing::warn!(stderr = ?HOSTILE, "{HOSTILE}");
        tracing::error!(%error, "sending");
    }

    #[test]
    fn a_stranger_writes_neither_codes_nor_lines_into_the_log() {
        let log = log_of(false, false, strangers);
        assert_clean(&log);
        assert_eq!(log.lines().count(), 3, "{log}");
        assert!(!log.lines().any(|l| l.starts_with("settled")), "{log}");
        assert!(
            log.contains(r"\u{1b}[2J") && log.contains(r"\u{202e}"),
            "{log}"
        );
    }

    #[test]
    fn the_only_codes_in_a_coloured_log_are_those_of_the_level() {
        let log = log_of(false, true, strangers);
        assert_eq!(log.lines().count(), 3, "{log}");
        assert_eq!(log.matches('\u{1b}').count(), 6, "{log:?}");
        assert!(log.contains("\u{1b}[32mINFO\u{1b}[0m"), "{log:?}");
        assert_clean(&log.replace("\u{1b}[0m", "").replace("\u{1b}[3", ""));
    }

    #[test]
    fn a_log_in_json_is_clean_and_says_the_same() {
        let log = log_of(true, false, strangers);
        assert_clean(&log);
        assert_eq!(log.lines().count(), 3, "{log}");
        let first: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
        assert_eq!(first["fields"]["reason"], HOSTILE);
    }
}
