// SPDX-License-Identifier: Apache-2.0

//! Delivery of notices, one after the other, to one target.

use super::{Inner, Notice, MAX_PAUSE};
use crate::tasks::{run_program, Limits};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{header, Request, Uri};
use std::{sync::Weak, time::Duration};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tos_sdk::{
    error::{Error, Result},
    http::Http,
};

/// Time a webhook has to answer.
const WEBHOOK_TIME: Duration = Duration::from_secs(10);
/// Limits of a program that is told.
const PROGRAM: Limits = Limits {
    time: Duration::from_secs(30),
    memory_mib: 1_024,
    output: 64 * 1024,
};
/// Without news the disk is looked at again after this long.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A place that notices go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A program, run by the shell.
    Command(String),
    /// An address.
    Webhook(Uri),
}

impl Target {
    /// An address, checked.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is none that HTTP reaches.
    pub fn webhook(url: &str) -> Result<Self> {
        let wrong = |why: &str| Error::Usage(format!("--notify-webhook: {why}"));
        let uri: Uri = url.parse().map_err(|_| wrong("it is not a URL"))?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if !["http", "https"].contains(&scheme) || uri.host().is_none_or(str::is_empty) {
            return Err(wrong("it must begin with http:// or https:// and a host"));
        }
        Ok(Self::Webhook(uri))
    }

    /// Its name in the outbox.
    pub fn name(&self) -> String {
        match self {
            Self::Command(command) => format!("command {command}"),
            Self::Webhook(uri) => format!("webhook {uri}"),
        }
    }

    /// Its name in the log. The path of a webhook is often what protects it.
    fn label(&self) -> String {
        match self {
            Self::Command(command) => command.clone(),
            Self::Webhook(uri) => format!("webhook at {}", uri.host().unwrap_or_default()),
        }
    }

    /// Delivers a notice once.
    pub async fn deliver(&self, http: &Http, notice: &Notice) -> Result<(), String> {
        let body = serde_json::to_vec(notice).map_err(|error| error.to_string())?;
        match self {
            Self::Command(command) => {
                // Neither kinds nor identifiers hold anything that a shell reads differently.
                let (kind, id) = (notice.kind.name(), &notice.id);
                let told = format!("export TOS_NOTICE_KIND={kind} TOS_NOTICE_ID={id}\n{command}");
                let done = run_program(&told, &body, PROGRAM).await;
                done.map(|_| ()).map_err(|error| error.to_string())
            }
            Self::Webhook(uri) => {
                let request = Request::post(uri.clone())
                    .header(header::CONTENT_TYPE, "application/json")
                    .header("X-TOS-Notice-Id", &notice.id)
                    .header("X-TOS-Notice-Kind", notice.kind.name())
                    .body(Full::new(Bytes::from(body)).boxed())
                    .map_err(|error| error.to_string())?;
                let answer = timeout(WEBHOOK_TIME, http.send(request)).await;
                let answer = answer.map_err(|_| format!("no answer in {WEBHOOK_TIME:?}"))?;
                let status = answer.map_err(|error| error.to_string())?.status();
                match status.is_success() {
                    true => Ok(()),
                    false => Err(format!("status {status}")),
                }
            }
        }
    }
}

/// Delivers to one target until the notifier is gone.
pub(super) async fn serve(
    inner: Weak<Inner>,
    mut waking: watch::Receiver<()>,
    target: Target,
    http: Http,
) {
    let (name, label) = (target.name(), target.label());
    let mut from = 0;
    let mut pause = None;
    loop {
        waking.borrow_and_update();
        let Some(strong) = inner.upgrade() else {
            return;
        };
        strong.write();
        let first = strong.pause;
        let next = strong.outbox.next(&name, from);
        drop(strong);
        let failed = match next {
            Ok(None) => {
                // An error means that the notifier is gone; the next round sees it.
                let _ = timeout(LOOK_AGAIN, waking.changed()).await;
                continue;
            }
            Ok(Some((number, notice))) => match target.deliver(&http, &notice).await {
                Ok(()) => {
                    let Some(strong) = inner.upgrade() else {
                        return;
                    };
                    let all: Vec<_> = strong.targets.iter().map(Target::name).collect();
                    if let Err(error) = strong.outbox.delivered(number, &name, &all) {
                        tracing::warn!(%error, "a notice may be delivered again after a restart");
                    }
                    (from, pause) = (number.saturating_add(1), None);
                    continue;
                }
                Err(error) => format!("{} {}: {error}", notice.kind.name(), notice.id),
            },
            Err(error) => error.to_string(),
        };
        let wait = pause.unwrap_or(first);
        let pause_ms = wait.as_millis() as u64;
        tracing::warn!(
            target = label,
            error = failed,
            pause_ms,
            "a notice is not delivered yet"
        );
        sleep(wait).await;
        pause = Some(wait.saturating_mul(2).min(MAX_PAUSE));
    }
}
