// SPDX-License-Identifier: Apache-2.0

//! Time on the chain in words: ticks, and the windows of storage.

use tos_sdk::{chain::At, duration, error::Result};
use tos_types::{storage::Window, Tick};

/// Time on the chain, to tell how long something takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// The current tick.
    pub tick: Tick,
    /// Milliseconds from one tick to the next, when no block is missed.
    pub milliseconds: u64,
}

impl Clock {
    /// Time at a block.
    pub async fn at(at: &At) -> Result<Self> {
        Ok(Self {
            tick: at.chain().await?.tick,
            milliseconds: at.block_time().await?,
        })
    }

    /// Time until the end of `tick`, in words; `None` when it is over.
    pub fn until(&self, tick: Tick) -> Option<String> {
        let ticks = tick.checked_sub(self.tick)?.saturating_add(1);
        Some(duration::ticks(ticks.into(), self.milliseconds))
    }

    /// A tick at whose end something happens at the latest, with the time until then.
    pub fn by(&self, tick: Tick) -> String {
        match self.until(tick) {
            Some(time) => format!("tick {tick}, in about {time}"),
            None => format!("tick {tick}, which is over: the chain is catching up"),
        }
    }

    /// A tick from which on something holds, with the time until it begins.
    pub fn begins(&self, tick: Tick) -> String {
        match tick.checked_sub(self.tick) {
            None | Some(0) => format!("tick {tick}, which has come"),
            Some(left) => {
                let time = duration::ticks(left.into(), self.milliseconds);
                format!("tick {tick}, in about {time}")
            }
        }
    }
}

/// Time of storage, which stands still while the beacon does.
#[derive(Clone, Copy, Debug)]
pub(super) struct StorageClock {
    /// The storage tick now.
    pub now: Tick,
    /// The current window.
    pub window: Window,
    /// Ticks in a window.
    pub length: Tick,
    /// Windows in a billing period.
    pub billing: u32,
    /// Milliseconds from one tick to the next, when no block is missed.
    pub milliseconds: u64,
}

impl StorageClock {
    /// Time at a block.
    pub async fn at(at: &At) -> Result<Self> {
        let (window, config) = (at.window().await?, at.storage_stats().await?.config);
        Ok(Self {
            now: window.now,
            window: window.number,
            length: config.window,
            billing: config.billing_windows,
            milliseconds: at.block_time().await?,
        })
    }

    /// Time that so many windows take, in words.
    pub fn time(&self, windows: u64) -> String {
        let ticks = windows.saturating_mul(self.length.into());
        duration::ticks(ticks, self.milliseconds)
    }

    /// A number of windows, with the time that they take.
    pub fn windows(&self, windows: u64) -> String {
        let plural = if windows == 1 { "" } else { "s" };
        format!("{windows} window{plural}, about {}", self.time(windows))
    }

    /// A window that is to come, with the time until it begins.
    pub fn begins(&self, window: Window) -> String {
        match window.checked_sub(self.window) {
            None | Some(0) => format!("window {window}, which has come"),
            Some(left) => format!("window {window}, in about {}", self.time(left)),
        }
    }

    /// Time until a storage tick, as a number of ticks and in words.
    pub fn due(&self, tick: Tick) -> String {
        match tick.checked_sub(self.now) {
            None | Some(0) => "now".into(),
            Some(left) => {
                let time = duration::ticks(left.into(), self.milliseconds);
                format!("in {left} storage ticks, about {time}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_told_with_the_time_until_they_begin_or_end() {
        let clock = Clock {
            tick: 25,
            milliseconds: 2_000,
        };
        assert_eq!(clock.by(30), "tick 30, in about 12 s");
        assert_eq!(clock.begins(30), "tick 30, in about 10 s");
        assert_eq!(clock.begins(25), "tick 25, which has come");
        assert!(clock.by(24).contains("is over"));
    }

    #[test]
    fn windows_and_storage_ticks_are_told_with_the_time_they_take() {
        let clock = StorageClock {
            now: 100,
            window: 5,
            length: 20,
            billing: 2_160,
            milliseconds: 2_000,
        };
        assert_eq!(clock.windows(1), "1 window, about 40 s");
        assert_eq!(clock.windows(2_160), "2160 windows, about 24 h");
        assert_eq!(clock.begins(8), "window 8, in about 2 min");
        assert_eq!(clock.begins(5), "window 5, which has come");
        assert_eq!(clock.due(130), "in 30 storage ticks, about 60 s");
        assert_eq!(clock.due(99), "now");
    }
}
