// SPDX-License-Identifier: Apache-2.0

//! Reports of runs: tables for people, figures for tests and programs.

use serde::Serialize;
use std::{collections::BTreeMap, fmt};
use tos_types::{Balance, TOS};

/// An amount in TOS.
pub fn tos(wei: Balance) -> f64 {
    wei as f64 / TOS as f64
}

/// The change of an amount, in TOS.
pub fn change(before: Balance, after: Balance) -> f64 {
    if after >= before {
        tos(after - before)
    } else {
        -tos(before - after)
    }
}

/// An amount in TOS as tables show it.
pub fn shown(amount: f64) -> String {
    format!("{amount:+.5}")
}

/// A table.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// The title.
    pub title: String,
    /// The heads of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(title: &str, columns: &[&str]) -> Self {
        Self {
            title: title.into(),
            columns: columns.iter().map(|column| (*column).into()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

/// The report of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The name of the scenario.
    pub scenario: String,
    /// The finding that it reproduces, or none.
    pub finding: Option<String>,
    /// The seed that chance follows from.
    pub seed: u64,
    /// The number of blocks built, of all chains of the run.
    pub blocks: u32,
    /// The number of ticks skipped because nothing could happen in them.
    pub skipped: u32,
    /// Figures by name. Amounts are in TOS.
    pub figures: BTreeMap<String, f64>,
    /// Tables.
    pub tables: Vec<Table>,
}

impl Report {
    /// An empty report.
    pub fn new(scenario: &str, finding: Option<&str>, seed: u64) -> Self {
        Self {
            scenario: scenario.into(),
            finding: finding.map(Into::into),
            seed,
            blocks: 0,
            skipped: 0,
            figures: BTreeMap::new(),
            tables: Vec::new(),
        }
    }

    /// Notes a figure.
    pub fn note(&mut self, name: &str, value: f64) {
        self.figures.insert(name.into(), value);
    }

    /// A figure; `None` if the run notes none of this name.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures.get(name).copied()
    }

    /// Adds the blocks built and the ticks skipped by a chain.
    pub fn took(&mut self, (blocks, skipped): (u32, u32)) {
        self.blocks += blocks;
        self.skipped += skipped;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finding = self.finding.as_deref().unwrap_or("no finding");
        writeln!(f, "## {} ({finding}), seed {}\n", self.scenario, self.seed)?;
        writeln!(
            f,
            "{} blocks built, {} ticks skipped; amounts in TOS.",
            self.blocks, self.skipped
        )?;
        for table in &self.tables {
            writeln!(f, "\n{}:\n", table.title)?;
            writeln!(f, "| {} |", table.columns.join(" | "))?;
            writeln!(f, "|{}", "---|".repeat(table.columns.len()))?;
            for row in &table.rows {
                writeln!(f, "| {} |", row.join(" | "))?;
            }
        }
        writeln!(f, "\n| figure | value |\n|---|---:|")?;
        for (name, value) in &self.figures {
            writeln!(f, "| {name} | {value:.5} |")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_have_their_sign() {
        assert_eq!(change(3 * TOS, 5 * TOS), 2.0);
        assert_eq!(change(5 * TOS, 3 * TOS), -2.0);
        assert_eq!(shown(-0.25), "-0.25000");
        assert_eq!(shown(1.0), "+1.00000");
    }

    #[test]
    fn a_report_shows_its_tables_and_figures() {
        let mut report = Report::new("nothing", Some("C-0"), 3);
        let mut table = Table::new("Changes", &["account", "change"]);
        table.row(["publisher".into(), shown(1.5)]);
        report.tables.push(table);
        report.note("publisher", 1.5);
        let text = report.to_string();
        assert!(text.contains("## nothing (C-0), seed 3"), "{text}");
        assert!(text.contains("| publisher | +1.50000 |"), "{text}");
        assert!(text.contains("| publisher | 1.50000 |"), "{text}");
    }
}
