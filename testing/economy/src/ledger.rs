// SPDX-License-Identifier: Apache-2.0

//! Ledgers: the tokens of groups of accounts at one moment, and what became of them.

use crate::{
    report::{change, shown, tos, Report, Table},
    world::{Who, World},
};
use tos_types::Balance;

/// The tokens of groups of accounts when the ledger was opened, held ones included.
pub struct Ledger {
    groups: Vec<(String, Vec<Who>, Balance)>,
}

impl Ledger {
    /// Opens a ledger of these groups.
    pub fn open(world: &mut World, groups: &[(&str, &[Who])]) -> Self {
        let groups = groups
            .iter()
            .map(|(name, group)| {
                let before = world.owned_by(group);
                ((*name).to_string(), group.to_vec(), before)
            })
            .collect();
        Self { groups }
    }

    /// The change of a group's tokens since then, in TOS; 0 for an unknown name.
    pub fn change(&self, world: &mut World, name: &str) -> f64 {
        let group = self.groups.iter().find(|(known, ..)| known == name);
        group.map_or(0.0, |(_, group, before)| {
            change(*before, world.owned_by(group))
        })
    }

    /// Notes the changes of these groups under their names.
    pub fn note(&self, world: &mut World, report: &mut Report, names: &[&str]) {
        for name in names {
            report.note(name, self.change(world, name));
        }
    }

    /// Adds a table of all groups to the report: before, after, change.
    pub fn tell(&self, world: &mut World, report: &mut Report, title: &str) {
        report.tables.push(self.table(world, title));
    }

    fn table(&self, world: &mut World, title: &str) -> Table {
        let mut table = Table::new(title, &["who", "accounts", "before", "after", "change"]);
        for (name, group, before) in &self.groups {
            let after = world.owned_by(group);
            table.row([
                name.clone(),
                group.len().to_string(),
                format!("{:.5}", tos(*before)),
                format!("{:.5}", tos(after)),
                shown(change(*before, after)),
            ]);
        }
        table
    }
}
