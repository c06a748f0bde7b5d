// SPDX-License-Identifier: Apache-2.0

//! Text of strangers, made safe to show. What comes from the chain, a node, an endpoint or a program
//! can hold codes that clear a screen, write to a clipboard, turn the direction of reading or are
//! not seen at all. They are shown as escapes instead, such as `\u{1b}`.

use std::borrow::Cow;

/// Returns `true` for a character that a terminal obeys or does not show: controls, line and
/// paragraph separators, marks of direction, and all that Unicode calls format characters or
/// ignorable by default.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The text with every character that `escaped` says written as `write` does.
fn escape(
    text: &str,
    escaped: impl Fn(char) -> bool,
    write: impl Fn(char, &mut String),
) -> Cow<'_, str> {
    let Some(first) = text.find(&escaped) else {
        return Cow::Borrowed(text);
    };
    let (before, rest) = text.split_at(first);
    let mut clean = before.to_owned();
    for c in rest.chars() {
        if escaped(c) {
            write(c, &mut clean);
        } else {
            clean.push(c);
        }
    }
    Cow::Owned(clean)
}

fn as_rust(c: char, clean: &mut String) {
    clean.extend(c.escape_default());
}

/// A text of several lines for a terminal: line breaks and tabs stay.
pub fn text(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'), as_rust)
}

/// A text that stays in one line, whatever it holds.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_hidden, as_rust)
}

/// A JSON text that means the same: what is hidden is in JSON's own escapes. Line breaks between
/// values stay.
pub fn json(text: &str) -> Cow<'_, str> {
    escape(
        text,
        |c| is_hidden(c) && !matches!(c, '\n' | '\t'),
        |c, clean| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                clean.push_str(&format!("\\u{unit:04x}"));
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_clean, HOSTILE};

    #[test]
    fn what_a_terminal_would_obey_or_hide_is_shown_as_escapes() {
        assert_eq!(text("\u{1b}[2J"), r"\u{1b}[2J");
        assert_eq!(text("a\u{9b}b\u{202e}c\u{7}"), r"a\u{9b}b\u{202e}c\u{7}");
        assert_eq!(text("one\n\ttwo\r"), "one\n\ttwo\\r");
        assert_clean(&text(HOSTILE));
        assert_clean(&line(HOSTILE));
        assert!(!line(HOSTILE).contains('\n'));
    }

    #[test]
    fn every_control_and_format_character_is_escaped() {
        let every = (0..=0x10_ffff).filter_map(char::from_u32);
        let all: String = every.filter(|c| !matches!(c, '\n' | '\t')).collect();
        assert_clean(&text(&all));
        assert_clean(&json(&all));
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        let people = "Grüße, Ελλάδα, שלום, 日本語, 한국어, 10 € \"quoted\" \\ 🙂\n\tend";
        assert!(matches!(text(people), Cow::Borrowed(same) if same == people));
        assert!(matches!(json(people), Cow::Borrowed(same) if same == people));
    }

    #[test]
    fn clean_json_means_the_same() {
        let value = serde_json::json!({"note\u{202e}": HOSTILE, "tag": "\u{e0041}"});
        let clean = json(&value.to_string()).into_owned();
        assert_clean(&clean);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&clean).unwrap(),
            value
        );
    }
}
