// SPDX-License-Identifier: Apache-2.0

//! Content of tasks that are over goes, some time after they are: until then others may still
//! look at it, and a reorganisation may bring a task back.

use super::{jobs::JobContext, sightings::Sightings, TaskChain, TaskSnapshot};
use crate::commitments::CommitmentStore;
use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};
use tos_sdk::{
    content::{self, ChainName, Pin, Why},
    error::{Error, Result},
};
use tos_types::{ContentRef, TaskId};

/// Tasks that one look asks the node about.
const TASKS: usize = 64;
/// Time that the content of a probe may be needed.
const PROBE_TIME: Duration = Duration::from_secs(3_600);

impl JobContext {
    /// Now and then removes content that no task needs any more. It only saves room: a failure is
    /// for the log.
    pub(super) async fn tidy(
        &self,
        best: &impl TaskSnapshot,
        finalised: &impl TaskSnapshot,
        sightings: &mut Sightings,
    ) {
        if !self.retention.is_due() {
            return;
        }
        let tidied = self.tidy_at(best, finalised, sightings, SystemTime::now());
        match tidied.await {
            Ok(0) => {}
            Ok(bytes) => tracing::info!(bytes, "content of tasks that are over is removed"),
            Err(error) => tracing::warn!(%error, "content is not cleaned up"),
        }
    }

    /// Notes which tasks are over at `now`, and removes what has been over for long. Returns the
    /// bytes freed.
    pub(super) async fn tidy_at(
        &self,
        best: &impl TaskSnapshot,
        finalised: &impl TaskSnapshot,
        sightings: &mut Sightings,
        now: SystemTime,
    ) -> Result<u64> {
        let mut freed = self.store.remove_left_behind(now)?;
        let mut over: HashMap<TaskId, bool> = HashMap::new();
        for pin in self.store.pins()? {
            let Why::Task(_, chain, task) = pin.why else {
                continue;
            };
            let probe = chain == ChainName::default();
            if chain != self.chain && !probe {
                continue;
            }
            let keep = match probe {
                true => self.retention.keep.max(PROBE_TIME),
                false => self.retention.keep,
            };
            if pin.over.is_none() && !probe {
                let known = over.get(&task).copied();
                let is_over = match known {
                    Some(known) => known,
                    None if over.len() >= TASKS => continue,
                    None => sightings.is_over(task, best, finalised).await?,
                };
                over.insert(task, is_over);
                if !is_over {
                    continue;
                }
            }
            freed = freed.saturating_add(self.end(&pin, now, keep)?);
        }
        Ok(freed)
    }

    /// Notes that a pin's task is over, or removes the pin if it has been for long.
    fn end(&self, pin: &Pin, now: SystemTime, keep: Duration) -> Result<u64> {
        let since = match pin.over {
            Some(since) => since,
            None => {
                self.store.pin_is_over(pin, now)?;
                now
            }
        };
        match now.duration_since(since) {
            Ok(time) if time >= keep => self.store.unpin(&pin.hash, pin.why),
            _ => Ok(0),
        }
    }

    /// The reference to reveal, with the address under which the content is served now: a commitment
    /// binds the content and not its place, and the address may be another one since.
    pub(super) fn located_now(&self, content: ContentRef) -> ContentRef {
        let Some(reach) = self.reach.as_ref().filter(|_| content.inline.is_empty()) else {
            return content;
        };
        let locator = content::locator(reach.url(), &content.hash).ok();
        let locator = locator.and_then(|l| l.into_bytes().try_into().ok());
        ContentRef {
            locator: locator.unwrap_or_else(|| content.locator.clone()),
            ..content
        }
    }

    /// `true` if others can get the content of an answer, as far as is known just now. If that is
    /// not known, it is found out for the next time.
    pub(super) fn can_be_fetched(&self, content: &ContentRef) -> bool {
        !content.inline.is_empty() || self.reach.as_ref().is_some_and(|reach| reach.is_reached())
    }
}

/// Refuses to work without a server while others are to fetch answers of this journal.
///
/// # Errors
/// [`Error::Usage`] naming the tasks.
pub async fn served(journal: &CommitmentStore, chain: &impl TaskChain, serves: bool) -> Result<()> {
    if serves {
        return Ok(());
    }
    let located = journal.located_open()?;
    if located.is_empty() {
        return Ok(());
    }
    let (best, finalised) = (chain.best().await?, chain.finalised().await?);
    let mut sightings = Sightings::new(journal.seen_until());
    let mut open = Vec::new();
    for task in located {
        if !sightings.is_over(task, &best, &finalised).await? {
            open.push(task.to_string());
        }
    }
    match open.as_slice() {
        [] => Ok(()),
        _ => Err(Error::Usage(format!(
            "answers to tasks that are not settled yet must be served from here, or they count as \
             unavailable and lose stake: start with --serve and --public-url as before. Tasks: {}",
            open.join(", ")
        ))),
    }
}
