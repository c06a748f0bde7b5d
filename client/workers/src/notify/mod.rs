// SPDX-License-Identifier: Apache-2.0

//! Notices of a worker to its operator, by a program or a webhook: at least once each, in order.
//!
//! A notice is on disk before it is delivered and leaves it afterwards, so a crash in between makes
//! it come again, with the same identifier. The identifier is made of what the notice is about: what
//! is seen twice is told once.

mod deliver;
mod observe;
mod outbox;
mod report;
mod settings;
#[cfg(test)]
mod tests;

pub use observe::Watched;
pub use settings::Settings;

use deliver::Target;
use outbox::Outbox;
use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::watch, time};
use tos_sdk::{
    error::{Error, Result},
    http::Http,
    span,
};

/// Pause after a failed delivery; it doubles up to [`MAX_PAUSE`].
const PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(300);
/// Notices kept in memory while the disk takes nothing.
const MAX_UNWRITTEN: usize = 1_000;
/// Most characters of a notice's text; the rest is cut off.
const MAX_TEXT: usize = 2_000;
/// Most bytes of a notice's facts; they are left out where there are more.
const MAX_FACTS: usize = 16 * 1024;
/// Time that a worker which ends gives to notices that wait.
pub const FLUSH_TIME: Duration = Duration::from_secs(5);

/// Kind of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Something is due: an answer, a vote, or the reveal of one.
    Due,
    /// Something is due very soon and has not been done.
    Deadline,
    /// A task the worker had a part in is decided.
    Verdict,
    /// A reward can be claimed.
    Reward,
    /// Stake was lost.
    Loss,
    /// The solver, the judge or a tool gives no result.
    Broken,
    /// The program that gave no result works again.
    Working,
    /// Something the operator should do something about.
    Warning,
    /// The node does not answer.
    NodeLost,
    /// The node answers again.
    NodeBack,
    /// A test, by `tos notify test`.
    Test,
}

/// Time since 1970.
fn now() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}

impl Notice {
    /// A notice that says nothing. Each is a new one.
    fn test() -> Self {
        let time = now();
        let id = blake3::hash(&time.as_nanos().to_le_bytes()).to_hex();
        Self {
            id: id.get(..32).unwrap_or(&id).to_owned(),
            kind: Kind::Test,
            time: time.as_secs(),
            role: String::from("none"),
            account: String::new(),
            text: String::from("a test of notices, by `tos notify test`"),
            facts: serde_json::json!({}),
            dropped: 0,
        }
    }
}

impl Kind {
    /// Its name, as in notices and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Deadline => "deadline",
            Self::Verdict => "verdict",
            Self::Reward => "reward",
            Self::Loss => "loss",
            Self::Broken => "broken",
            Self::Working => "working",
            Self::Warning => "warning",
            Self::NodeLost => "node-lost",
            Self::NodeBack => "node-back",
            Self::Test => "test",
        }
    }
}

/// A notice, as it is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Its identifier: the same whenever it is delivered again.
    pub id: String,
    /// Its kind.
    pub kind: Kind,
    /// Time at which it was made, in seconds since 1970.
    pub time: u64,
    /// The worker's role.
    pub role: String,
    /// The worker's account.
    pub account: String,
    /// One sentence for people.
    pub text: String,
    /// Details, by kind.
    pub facts: serde_json::Value,
    /// Number of notices dropped so far because too many waited.
    pub dropped: u64,
}

/// A worker's way to tell its operator. Clones share it.
#[derive(Clone, Default)]
pub struct Notifier(Option<Arc<Inner>>);

struct Inner {
    outbox: Outbox,
    targets: Vec<Target>,
    /// Kinds to tell; all when empty.
    kinds: Vec<Kind>,
    role: String,
    account: String,
    /// Notices that are not on disk yet, because it takes nothing.
    unwritten: Mutex<VecDeque<(String, Notice)>>,
    wake: watch::Sender<()>,
    pause: Duration,
}

impl Notifier {
    /// Opens the outbox at `path` and begins to deliver what waits in it.
    pub fn open(
        path: &Path,
        targets: Vec<Target>,
        kinds: Vec<Kind>,
        role: &str,
        account: &AccountId32,
    ) -> Result<Self> {
        Self::with_pause(path, targets, kinds, role, account, PAUSE)
    }

    fn with_pause(
        path: &Path,
        targets: Vec<Target>,
        kinds: Vec<Kind>,
        role: &str,
        account: &AccountId32,
        pause: Duration,
    ) -> Result<Self> {
        let inner = Arc::new(Inner {
            outbox: Outbox::open(path)?,
            targets,
            kinds,
            role: role.to_owned(),
            account: account.to_ss58check(),
            unwritten: Mutex::default(),
            wake: watch::Sender::new(()),
            pause,
        });
        let http = Http::new()?;
        for target in &inner.targets {
            // Not kept alive by its deliveries: when the last notifier is gone, they end.
            let weak = Arc::downgrade(&inner);
            let waking = inner.wake.subscribe();
            span::spawn(deliver::serve(weak, waking, target.clone(), http.clone()));
        }
        Ok(Self(Some(inner)))
    }

    /// `true` if it has targets.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Tells something. `subject` says what it is about, so that the same thing is told once only.
    pub fn tell(&self, kind: Kind, subject: &str, text: String, facts: serde_json::Value) {
        let Some(inner) = &self.0 else {
            return;
        };
        if !inner.kinds.is_empty() && !inner.kinds.contains(&kind) && kind != Kind::Test {
            return;
        }
        let text = match text.char_indices().nth(MAX_TEXT) {
            Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
            None => text,
        };
        let facts = match facts.to_string().len() <= MAX_FACTS {
            true => facts,
            false => serde_json::json!({"leftOut": "more than 16 KiB"}),
        };
        let about = [inner.role.as_str(), &inner.account, kind.name(), subject];
        let hash = blake3::hash(about.join("\n").as_bytes()).to_hex();
        let id = hash.get(..32).unwrap_or(&hash).to_owned();
        let notice = Notice {
            id: id.clone(),
            kind,
            time: now().as_secs(),
            role: inner.role.clone(),
            account: inner.account.clone(),
            text,
            facts,
            dropped: 0,
        };
        let mut unwritten = inner.lock();
        if unwritten.iter().any(|(waiting, _)| *waiting == id) {
            return;
        }
        if unwritten.len() >= MAX_UNWRITTEN {
            tracing::error!(
                kind = kind.name(),
                "a notice is dropped: the disk takes nothing"
            );
            return;
        }
        unwritten.push_back((id, notice));
        drop(unwritten);
        inner.write();
    }

    /// Waits until everything is delivered, or the time is over. What is left comes after the next
    /// start.
    pub async fn flush(&self, limit: Duration) -> bool {
        let Some(inner) = &self.0 else {
            return true;
        };
        let empty = async {
            loop {
                inner.write();
                if inner.lock().is_empty() && inner.outbox.waiting().is_ok_and(|count| count == 0) {
                    return;
                }
                time::sleep(Duration::from_millis(50)).await;
            }
        };
        time::timeout(limit, empty).await.is_ok()
    }

    /// The worker's role; nothing where the notifier is off.
    fn role(&self) -> &str {
        self.0.as_ref().map_or("", |inner| &inner.role)
    }

    fn outbox(&self) -> Option<&Outbox> {
        self.0.as_ref().map(|inner| &inner.outbox)
    }
}

/// A node that does not answer: told when the first attempt to reach it again has failed too.
#[derive(Default)]
pub struct Absence {
    failures: u32,
    since: u64,
}

impl Absence {
    /// Notes a connection that was lost or not made.
    pub fn goes_on(&mut self, notifier: &Notifier, url: &str, error: &Error) {
        if self.failures == 0 {
            self.since = now().as_secs();
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures == 2 {
            let text = format!("the node does not answer: {error}");
            let facts = serde_json::json!({"url": url, "since": self.since});
            notifier.tell(Kind::NodeLost, &self.since.to_string(), text, facts);
        }
    }

    /// Notes a connection.
    pub fn over(&mut self, notifier: &Notifier, url: &str) {
        if self.failures >= 2 {
            let text = format!("the node answers again, after {} failures", self.failures);
            let facts = serde_json::json!({"url": url, "since": self.since});
            notifier.tell(Kind::NodeBack, &self.since.to_string(), text, facts);
        }
        self.failures = 0;
    }
}

impl Inner {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(String, Notice)>> {
        self.unwritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is not on disk yet.
    fn write(&self) {
        let mut unwritten = self.lock();
        let mut wrote = false;
        while let Some((_, notice)) = unwritten.front() {
            match self.outbox.put(notice) {
                Ok(dropped) => {
                    if let Some(kind) = dropped {
                        let kind = kind.name();
                        tracing::warn!(kind, "too many notices wait: the oldest one is dropped");
                    }
                    unwritten.pop_front();
                    wrote = true;
                }
                Err(error) => {
                    tracing::warn!(%error, "a notice is in memory only; give the disk room");
                    break;
                }
            }
        }
        if wrote {
            self.wake.send_replace(());
        }
    }
}
