// SPDX-License-Identifier: Apache-2.0

//! The purpose of a call of the runtime. It decides which memory the host functions take, and never what they answer.

use std::cell::Cell;

/// The purpose for which a thread executes the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To make or import a block, and everything for which no other purpose was set.
    Consensus,
    /// To answer a call that no block depends on: by RPC, from the network, or from the node itself. There may be many at once,
    /// about anything.
    Question,
}

thread_local! {
    static CURRENT: Cell<Purpose> = const { Cell::new(Purpose::Consensus) };
}

/// Puts the former purpose back, also when the work panics.
struct Restore(Purpose);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl Purpose {
    /// The purpose for which this thread executes the runtime now.
    pub fn current() -> Self {
        CURRENT.get()
    }

    /// Does `work`, on this thread, for this purpose.
    pub fn run<T>(self, work: impl FnOnce() -> T) -> T {
        let _former = Restore(CURRENT.replace(self));
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_ends_with_its_work_even_if_that_panics() {
        assert_eq!(Purpose::current(), Purpose::Consensus);
        let inner = Purpose::Question.run(|| {
            let nested = Purpose::Consensus.run(Purpose::current);
            (nested, Purpose::current())
        });
        assert_eq!(inner, (Purpose::Consensus, Purpose::Question));
        let panicked = std::panic::catch_unwind(|| Purpose::Question.run(|| panic!("a trap")));
        assert!(panicked.is_err());
        assert_eq!(Purpose::current(), Purpose::Consensus);
    }

    #[test]
    fn other_threads_go_on_with_theirs() {
        let other = Purpose::Question.run(|| std::thread::spawn(Purpose::current).join());
        assert_eq!(other.unwrap(), Purpose::Consensus);
    }
}
