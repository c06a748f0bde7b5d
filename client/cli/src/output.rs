// SPDX-License-Identifier: Apache-2.0

//! Results go to stdout, as text for people or as one JSON value for programs; logs to stderr. What
//! strangers put into them goes through [`clean`] here, whichever command shows it.

use serde::Serialize;
use serde_json::json;
use std::io::Write;
use tos_sdk::{clean, error::Error};

/// Advice where no node answers.
pub const NO_NODE: &str =
    "start one with `tos-node --dev`, or a chain at work with `scripts/demo`; \
    name one that runs elsewhere with --url";

/// Form of results.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// One JSON value per result instead of text.
    pub json: bool,
}

impl Output {
    /// Shows one result: the value itself as JSON, or the text made of it.
    pub fn show<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) {
        // A closed pipe (`tos … | head -1`) is the reader's choice, not a failure.
        let _ = writeln!(std::io::stdout().lock(), "{}", self.result(value, text));
    }

    /// Shows people what they may do next, on stderr. Programs are not told.
    pub fn hint(&self, text: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr().lock(), "{}", clean::text(text));
        }
    }

    /// Shows an error on stderr, in JSON where that was asked for.
    pub fn error(&self, error: &Error) {
        let _ = writeln!(std::io::stderr().lock(), "{}", self.failure(error));
    }

    /// A result as it is shown.
    fn result<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) -> String {
        if self.json {
            let value = serde_json::to_string(value)
                .unwrap_or_else(|e| json!({"error": e.to_string()}).to_string());
            clean::json(&value).into_owned()
        } else {
            clean::text(&text()).into_owned()
        }
    }

    /// An error as it is shown.
    fn failure(&self, error: &Error) -> String {
        if self.json {
            clean::json(&error_value(error).to_string()).into_owned()
        } else {
            let advice = advice(error).map(|advice| format!("\n{advice}"));
            let text = format!("tos: {error}{}", advice.unwrap_or_default());
            // Further lines are set in, so that none of them looks like one of this program's.
            clean::text(&text).replace('\n', "\n     ")
        }
    }
}

/// Advice on an error that has none in its words.
fn advice(error: &Error) -> Option<&'static str> {
    match error {
        Error::Unreachable { .. } => Some(NO_NODE),
        _ => None,
    }
}

/// An error as JSON. What was sent and is not settled is among its fields.
fn error_value(error: &Error) -> serde_json::Value {
    let (name, docs, fee) = match error {
        Error::Refused { name, docs, fee } => (Some(name), docs.as_ref(), *fee),
        _ => (None, None, None),
    };
    let mut value = json!({
        "kind": error.kind(), "message": error.to_string(),
        "name": name, "docs": docs, "advice": advice(error), "exitCode": error.exit_code(),
    });
    if let Some(fee) = fee {
        value["feePaid"] = json!(fee.to_string());
    }
    if let Error::Unsettled { sent, .. } = error {
        value["sent"] = json!(sent);
    }
    json!({ "error": value })
}

/// Lays out rows under headings, columns padded to their widest cell. A cell stays in its row,
/// whatever it holds.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<_>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| clean::line(cell)).collect())
        .collect();
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells
            .chain(headings.get(column).map(|h| h.chars().count()))
            .max()
            .unwrap_or(0)
    };
    let line = |cells: Vec<&str>| {
        let cells = cells
            .iter()
            .enumerate()
            .map(|(i, cell)| format!("{cell:<0$}", width(i)));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let body = rows
        .iter()
        .map(|row| line(row.iter().map(|cell| cell.as_ref()).collect()));
    std::iter::once(line(headings.to_vec()))
        .chain(body)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_sdk::testing::{assert_clean, assert_contains, HOSTILE};

    const TEXT: Output = Output { json: false };
    const JSON: Output = Output { json: true };

    #[test]
    fn a_result_with_a_strangers_text_is_clean_as_text_and_as_json() {
        let value = json!({ "spec": HOSTILE });
        let text = TEXT.result(&value, || format!("spec  {HOSTILE}"));
        assert_clean(&text);
        assert!(text.starts_with(r"spec  a\u{1b}[2J"), "{text}");
        let shown = JSON.result(&value, String::new);
        assert_clean(&shown);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
    }

    #[test]
    fn an_error_by_a_node_is_clean_and_has_no_line_that_looks_like_ours() {
        let error = Error::Unreachable {
            url: "ws://x".into(),
            reason: format!("{HOSTILE}\ntos: all is well"),
        };
        let text = TEXT.failure(&error);
        assert_clean(&text);
        assert_eq!(text.lines().filter(|l| l.starts_with("tos:")).count(), 1);
        assert!(text.lines().skip(1).all(|l| l.starts_with("     ")));
        assert_clean(&JSON.failure(&error));
    }

    #[test]
    fn an_error_without_a_node_names_the_address_and_the_ways_to_one() {
        let error = Error::Unreachable {
            url: "ws://127.0.0.1:9944".into(),
            reason: "Connection refused".into(),
        };
        assert_eq!(error.exit_code(), 4);
        let text = TEXT.failure(&error);
        let parts = [
            "ws://127.0.0.1:9944",
            "tos-node --dev",
            "scripts/demo",
            "--url",
        ];
        assert_contains(&text, &parts);
        assert_eq!(error_value(&error)["error"]["advice"], NO_NODE);
        let other = error_value(&Error::Failed("x".into()));
        assert!(other["error"]["advice"].is_null());
    }

    #[test]
    fn a_refusal_that_cost_a_fee_tells_programs_the_fee_in_wei() {
        let refused = |fee| {
            error_value(&Error::Refused {
                name: "Tasks::TaskFull".into(),
                docs: None,
                fee,
            })
        };
        assert_eq!(refused(Some(5_500))["error"]["feePaid"], "5500");
        assert!(refused(None)["error"].get("feePaid").is_none());
    }

    #[test]
    fn a_cell_of_a_table_stays_in_its_row() {
        let rows = vec![vec![HOSTILE.into(), "1".into()]];
        let shown = table(&["name", "n"], &rows);
        assert_clean(&shown);
        assert_eq!(shown.lines().count(), 2, "{shown}");
    }

    #[test]
    fn tables_line_up() {
        let rows = vec![
            vec!["a".into(), "1".into()],
            vec!["long".into(), "22".into()],
        ];
        assert_eq!(table(&["id", "n"], &rows), "id    n\na     1\nlong  22");
    }

    #[test]
    fn an_error_after_sending_tells_programs_what_was_sent() {
        use tos_sdk::sent::Sent;
        use tos_types::TaskId;
        let sent = Sent {
            transaction: [1; 32],
            good_until: Some(300),
            block: Some([2; 32]),
            task: Some(TaskId([3; 16])),
            deal: None,
        };
        let value = error_value(&Error::Unsettled {
            sent: Box::new(sent),
            why: Box::new(Error::TimedOut("not final".into())),
        });
        let error = &value["error"];
        assert_eq!(error["kind"], "timedOut");
        assert_eq!(error["exitCode"], 5);
        let hex = |byte: u8| format!("0x{}", format!("{byte:02x}").repeat(32));
        assert_eq!(error["sent"]["transaction"], hex(1));
        assert_eq!(error["sent"]["block"], hex(2));
        assert_eq!(error["sent"]["task"], json!(TaskId([3; 16])));
        assert_eq!(error["sent"]["goodUntil"], 300);
        assert!(error_value(&Error::Failed("x".into()))["error"]
            .get("sent")
            .is_none());
    }
}
