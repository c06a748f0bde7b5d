// SPDX-License-Identifier: Apache-2.0

//! Test doubles for programs that use this library: a node in memory, a view of a chain, and text that
//! no terminal may obey. Nothing else of the library uses them.
#![allow(
    clippy::unwrap_used,
    reason = "a double that cannot go on fails the test that uses it"
)]

mod content;
mod heads;
pub mod http;
pub mod node;
pub mod views;

pub use content::content_store;
pub use heads::View;

/// Clears the screen, writes to the clipboard, and tells of a reward in a line of its own.
pub const HOSTILE: &str =
    "a\u{1b}[2J\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}31m\u{202e}b\u{200b}\u{2066}\u{feff}\u{7f}\
     \u{2028}\u{e0041}\r\nsettled, you won 10 TOS";

/// Fails if a text lacks one of these parts.
#[track_caller]
pub fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(*part), "{part}: {text}");
    }
}

/// Fails if a terminal would obey or hide a part of the text.
pub fn assert_clean(text: &str) {
    let bad = |c: &char| {
        let code = *c as u32;
        (code < 0x20 && !matches!(c, '\n' | '\t'))
            || (0x7f..=0x9f).contains(&code)
            || (0x200b..=0x200f).contains(&code)
            || (0x2028..=0x202e).contains(&code)
            || (0x2060..=0x206f).contains(&code)
            || matches!(code, 0x61c | 0xad | 0xfeff)
            || (0xe0000..=0xe0fff).contains(&code)
    };
    let found: Vec<_> = text.chars().filter(bad).collect();
    assert!(found.is_empty(), "{found:?} in {text:?}");
}
