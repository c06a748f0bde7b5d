// SPDX-License-Identifier: Apache-2.0

//! What a call of the runtime is for. It decides whose memory the host functions take, and never what they answer.

use std::cell::Cell;

/// What the runtime is executed for on a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A block is made or imported, or something that nobody said anything else about.
    Consensus,
    /// Somebody asks: by RPC, from the network, or the node itself beside its blocks. Many may ask at once, and about anything.
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
    /// What the thread executes the runtime for now.
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
