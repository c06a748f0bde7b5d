// SPDX-License-Identifier: Apache-2.0

//! The invariants between blocks, wherever money or membership depends on them.

use crate::*;
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;
use tos_interfaces::Vault;
use tos_pallet_support::holds::{add, are_exact};
use tos_types::{Balance, Phase, TaskId};

impl<T: Config> Pallet<T> {
    /// Checks every invariant of this pallet.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_agenda()?;
        for (id, task) in Tasks::<T>::iter() {
            Self::check_records(&id, &task)?;
            let escrowed = T::Vault::escrowed(&id);
            let expected = if task.is_closed() { 0 } else { task.reward };
            ensure!(
                escrowed == expected,
                "escrow is not the reward of an open task, or nothing"
            );
        }
        Self::check_orphans()?;
        Self::check_references()?;
        Self::check_rule_sets()?;
        Self::check_open_index()?;
        Self::check_active()?;
        Self::check_holds()
    }

    /// Every task has exactly one entry in the queue, where it says it is, and none is before
    /// the cursor.
    fn check_agenda() -> Result<(), TryRuntimeError> {
        let cursor = AgendaCursor::<T>::get();
        let mut entries = 0u32;
        for (due, id, ()) in Agenda::<T>::iter() {
            let task = Tasks::<T>::get(id).ok_or("the queue names an unknown task")?;
            ensure!(
                task.due == due,
                "a task's entry in the queue is not where the task says"
            );
            ensure!(due >= cursor, "the cursor has passed an entry of the queue");
            entries = entries.saturating_add(1);
        }
        // With each entry at its task's own place, equal numbers mean one each.
        ensure!(entries == Tasks::<T>::count(), "a task is not in the queue");
        Ok(())
    }

    /// The counts of a task are those of its records.
    fn check_records(id: &TaskId, task: &TaskOf<T>) -> Result<(), TryRuntimeError> {
        ensure!(
            Specs::<T>::contains_key(id),
            "a task without a specification"
        );
        let miners = Participants::<T>::get(id);
        ensure!(
            count(miners.len()) == task.joined,
            "places taken are not the participants"
        );
        ensure!(
            task.joined <= task.max_participants,
            "more participants than places"
        );
        let submissions: Vec<_> = Submissions::<T>::iter_prefix(id).collect();
        ensure!(
            count(submissions.len()) == task.joined,
            "participants without submissions"
        );
        ensure!(
            submissions.iter().all(|(miner, _)| miners.contains(miner)),
            "a submission of somebody who did not join"
        );
        let mut numbers: Vec<u32> = submissions
            .iter()
            .filter_map(|(_, s)| s.commitment.map(|c| c.number))
            .collect();
        numbers.sort_unstable();
        let expected: Vec<u32> = (0..task.committed).collect();
        ensure!(
            numbers == expected,
            "commitments are not numbered one by one"
        );
        let revealed = submissions
            .iter()
            .filter(|(_, s)| s.revealed.is_some())
            .count();
        ensure!(
            count(revealed) == task.revealed,
            "the count of reveals is wrong"
        );
        let contents = Contents::<T>::iter_key_prefix(id).count();
        ensure!(contents == revealed, "reveals and contents differ");
        let answers = count(Answers::<T>::decode_len(id).unwrap_or(0));
        let judged = answers == task.revealed;
        let consistent = match task.phase {
            Phase::Open | Phase::AnswerReveal => answers == 0,
            Phase::Closed(_) => judged || answers == 0,
            _ => judged && answers > 0,
        };
        ensure!(
            consistent,
            "the answers to be judged are not those revealed"
        );
        ensure!(
            Challenges::<T>::contains_key(id) == task.challenged,
            "a challenge without a record, or the reverse"
        );
        let timeline = Timeline::<T>::get(id);
        ensure!(
            timeline.last().map(|entry| entry.phase) == Some(task.phase),
            "the timeline does not end in the present"
        );
        Ok(())
    }

    /// No record has outlived its task.
    fn check_orphans() -> Result<(), TryRuntimeError> {
        Self::all_known(Specs::<T>::iter_keys(), "a specification without a task")?;
        Self::all_known(
            Participants::<T>::iter_keys(),
            "participants without a task",
        )?;
        Self::all_known(Answers::<T>::iter_keys(), "answers without a task")?;
        Self::all_known(Challenges::<T>::iter_keys(), "a challenge without a task")?;
        Self::all_known(Timeline::<T>::iter_keys(), "a timeline without a task")?;
        let submissions = Submissions::<T>::iter_keys().map(|(id, _)| id);
        Self::all_known(submissions, "a submission without a task")?;
        let contents = Contents::<T>::iter_keys().map(|(id, _)| id);
        Self::all_known(contents, "content without a task")
    }

    fn all_known(
        mut ids: impl Iterator<Item = TaskId>,
        otherwise: &'static str,
    ) -> Result<(), TryRuntimeError> {
        ensure!(ids.all(Tasks::<T>::contains_key), otherwise);
        Ok(())
    }

    /// References lead to the tasks that carry them, and every task that carries one is found.
    fn check_references() -> Result<(), TryRuntimeError> {
        let mut known = 0u32;
        for (publisher, reference, id) in References::<T>::iter() {
            let task = Tasks::<T>::get(id).ok_or("a reference leads to an unknown task")?;
            ensure!(
                task.publisher == publisher && task.reference == Some(reference),
                "a reference leads to a task that does not carry it"
            );
            known = known.saturating_add(1);
        }
        let carried = Tasks::<T>::iter_values()
            .filter(|task| task.reference.is_some())
            .count();
        ensure!(known == count(carried), "a task's reference leads nowhere");
        Ok(())
    }

    /// Every rule set is counted with exactly the tasks that refer to it, of which there is at least
    /// one; every task refers to a set; and no two sets are equal.
    fn check_rule_sets() -> Result<(), TryRuntimeError> {
        let mut users = BTreeMap::<u32, u32>::new();
        for task in Tasks::<T>::iter_values() {
            let tasks = users.entry(task.rules).or_default();
            *tasks = tasks.saturating_add(1);
        }
        let mut stored = 0u32;
        for (number, set) in RuleSets::<T>::iter() {
            let known = RuleSetUses::<T>::get(&set).ok_or("a rule set is not counted")?;
            ensure!(known.number == number, "a rule set is stored twice");
            let tasks = users.remove(&number).ok_or("a rule set without a task")?;
            ensure!(known.tasks == tasks, "a rule set's count of tasks is wrong");
            ensure!(
                number < NextRuleSet::<T>::get(),
                "the number of a rule set will be given again"
            );
            stored = stored.saturating_add(1);
        }
        ensure!(users.is_empty(), "a task's rule set is not stored");
        // Each stored set has a count of its own, so equal numbers mean that no count is left over.
        ensure!(
            count(RuleSetUses::<T>::iter_values().count()) == stored,
            "a rule set is counted and not stored"
        );
        Ok(())
    }

    /// The indices of open tasks list exactly the tasks in the phase `Open`, by their type.
    fn check_open_index() -> Result<(), TryRuntimeError> {
        let mut listed = 0u32;
        for (task_type, id) in OpenByType::<T>::iter_keys() {
            let task = Tasks::<T>::get(id).ok_or("the index lists an unknown task")?;
            ensure!(
                task.phase == Phase::Open,
                "the index lists a task that is not open"
            );
            ensure!(
                task.task_type() == task_type,
                "the index lists a task under a wrong type"
            );
            ensure!(
                OpenTasks::<T>::contains_key(id),
                "the indices of open tasks differ"
            );
            listed = listed.saturating_add(1);
        }
        let open = Tasks::<T>::iter_values()
            .filter(|task| task.phase == Phase::Open)
            .count();
        ensure!(listed == count(open), "the index misses an open task");
        ensure!(
            count(OpenTasks::<T>::iter_keys().count()) == listed,
            "the indices of open tasks differ"
        );
        Ok(())
    }

    /// Miners are listed in exactly the tasks that are not closed and that they joined.
    fn check_active() -> Result<(), TryRuntimeError> {
        let mut listed = 0u32;
        for (miner, tasks) in ActiveOf::<T>::iter() {
            ensure!(!tasks.is_empty(), "an empty list of active tasks is kept");
            for id in &tasks {
                let task = Tasks::<T>::get(id).ok_or("a miner is in an unknown task")?;
                ensure!(!task.is_closed(), "a miner is still in a closed task");
                let joined = Submissions::<T>::contains_key(id, &miner);
                ensure!(joined, "a miner is in a task it did not join");
                listed = listed.saturating_add(1);
            }
        }
        let parts = Tasks::<T>::iter_values()
            .filter(|task| !task.is_closed())
            .fold(0u32, |sum, task| sum.saturating_add(task.joined));
        ensure!(listed == parts, "a miner's active task is not listed");
        Ok(())
    }

    /// Checks that the holds of every account are exactly what its open tasks, answers and
    /// challenges need.
    fn check_holds() -> Result<(), TryRuntimeError> {
        let mut stakes = BTreeMap::new();
        let mut answers = BTreeMap::new();
        let mut bonds = BTreeMap::new();
        for (id, task) in Tasks::<T>::iter() {
            let live = |amount| if task.is_closed() { 0 } else { amount };
            add(
                &mut stakes,
                task.publisher.clone(),
                live(task.publisher_stake),
            );
            for (miner, submission) in Submissions::<T>::iter_prefix(id) {
                add(&mut answers, miner, live(submission.stake));
            }
            if let Some(challenge) = Challenges::<T>::get(id) {
                let open = challenge.upheld.is_none();
                add(
                    &mut bonds,
                    challenge.challenger,
                    if open { challenge.bond } else { 0 },
                );
            }
        }
        Self::check_hold(HoldReason::PublisherStake, &stakes)?;
        Self::check_hold(HoldReason::AnswerStake, &answers)?;
        Self::check_hold(HoldReason::ChallengeBond, &bonds)
    }

    fn check_hold(
        reason: HoldReason,
        expected: &BTreeMap<T::AccountId, Balance>,
    ) -> Result<(), TryRuntimeError> {
        let exact = are_exact::<T::Currency, _>(reason, expected);
        ensure!(exact, "what is held is not what the tasks need");
        Ok(())
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
