// SPDX-License-Identifier: Apache-2.0

//! First words of a worker: what the account is on the chain, and what it waits for.

use super::{
    report::{Report, Reporter},
    Live,
};
use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use std::time::Duration;
use tos_sdk::{
    amount::format,
    chain::{At, Connection},
    error::{Error, Result},
};
use tos_views::{JudgeStatus, JudgeView, MinerView, Role};

/// Number of times an account is looked for: a node may be a few blocks behind the one that has taken the
/// registration.
const TRIES: u32 = 5;
/// Pause before it is looked for again.
const PAUSE: Duration = Duration::from_secs(2);

/// Says what the miner's account is. An account that is not registered and has nothing to do is
/// refused when `strict`, and warned about otherwise. A node that is behind what this worker has
/// `seen` says nothing about the account: then it is warned about as well.
pub async fn miner(
    live: &Live,
    who: &AccountId32,
    reporter: &Reporter,
    strict: bool,
    seen: u64,
) -> Result<()> {
    let look = async |at: &At| at.miner(who.clone()).await;
    let found = find(live, who, Role::Miner, (strict, seen), look).await?;
    say(who, "miner", reporter, found, miner_reports)
}

/// The same for a judge's account.
pub async fn judge(
    live: &Live,
    who: &AccountId32,
    reporter: &Reporter,
    strict: bool,
    seen: u64,
) -> Result<()> {
    let look = async |at: &At| at.judge(who.clone()).await;
    let found = find(live, who, Role::Judge, (strict, seen), look).await?;
    say(who, "judge", reporter, found, judge_reports)
}

/// Says what the provider's account is. One that is not registered is refused when `strict`, and
/// warned about otherwise: its store may have been made for another chain.
pub async fn provider(live: &Live, who: &AccountId32, strict: bool, seen: u64) -> Result<()> {
    let mut tries = if strict { TRIES } else { 1 };
    loop {
        let at = live.connection.best().await?;
        let strict = strict && at.number() >= seen;
        tries -= 1;
        match at.provider(who.clone()).await? {
            Some(view) => {
                let (account, bond) = (who.to_ss58check(), format(view.bond));
                let (tied, takes_deals) = (format(view.tied), !view.exiting);
                tracing::info!(account, bond, tied, takes_deals, "started");
                return Ok(());
            }
            None if strict && tries > 0 => tokio::time::sleep(PAUSE).await,
            None => {
                let none = Unregistered { open: 0, strict };
                return unregistered(who, "storage provider", none, &Reporter::default());
            }
        }
    }
}

/// Returns `true` if the account is a validator of the session. Warns of one that is none, for it
/// is on no committee and what it attests is refused.
pub async fn auditor(
    connection: &Connection,
    who: &AccountId32,
    reporter: &Reporter,
) -> Result<bool> {
    let validators = connection.best().await?.validators().await?;
    let is_validator = validators.contains(who);
    if !is_validator {
        let what = format!(
            "{} is no validator of this session: committees are drawn of validators, so there is \
             nothing to audit until it is one",
            who.to_ss58check()
        );
        reporter.tell(&warning("notValidator", what));
    }
    Ok(is_validator)
}

/// An account that is not registered.
#[derive(Clone, Copy)]
struct Unregistered {
    /// Tasks in which it has something to do all the same.
    open: u32,
    /// `true` if the node is known to be up to date.
    strict: bool,
}

/// Finds a registration and the number of tasks in which the account has something to do. Looks
/// several times when `strict` and the node is at least as far as what was `seen`.
async fn find<V>(
    live: &Live,
    who: &AccountId32,
    role: Role,
    (strict, seen): (bool, u64),
    look: impl AsyncFn(&At) -> Result<Option<V>>,
) -> Result<Result<(V, u32), Unregistered>> {
    let mut tries = if strict { TRIES } else { 1 };
    loop {
        let at = live.connection.best().await?;
        let strict = strict && at.number() >= seen;
        let open = open(&at, who, role).await?;
        tries -= 1;
        match look(&at).await? {
            Some(view) => return Ok(Ok((view, open))),
            None if strict && open == 0 && tries > 0 => tokio::time::sleep(PAUSE).await,
            None => return Ok(Err(Unregistered { open, strict })),
        }
    }
}

/// Tells the reports on an account that was found, or that it is not registered.
fn say<V>(
    who: &AccountId32,
    role: &'static str,
    reporter: &Reporter,
    found: Result<(V, u32), Unregistered>,
    reports: impl FnOnce(&AccountId32, &V, u32) -> Vec<Report>,
) -> Result<()> {
    match found {
        Ok((view, open)) => {
            for report in reports(who, &view, open) {
                reporter.tell(&report);
            }
            Ok(())
        }
        Err(none) => unregistered(who, role, none, reporter),
    }
}

/// Tasks in which the account has something to do in this role.
async fn open(at: &At, who: &AccountId32, role: Role) -> Result<u32> {
    let all = at.assignments(who.clone()).await?;
    let mine = all.iter().filter(|assignment| assignment.role == role);
    Ok(u32::try_from(mine.count()).unwrap_or(u32::MAX))
}

fn unregistered(
    who: &AccountId32,
    role: &'static str,
    Unregistered { open, strict }: Unregistered,
    reporter: &Reporter,
) -> Result<()> {
    let register = match role {
        "storage provider" => "tos storage init".to_owned(),
        role => format!("tos {role} register"),
    };
    let what = format!(
        "{} is not registered as a {role} on this chain, as far as this node knows it: register \
         with `{register}`, or wait until the node has caught up",
        who.to_ss58check()
    );
    if strict && open == 0 {
        return Err(Error::Refused {
            name: "not registered".into(),
            docs: Some(what),
            fee: None,
        });
    }
    let about = "notRegistered".into();
    reporter.tell(&Report::Warning { about, what });
    Ok(())
}

/// Report to a miner at the start.
fn miner_reports(who: &AccountId32, view: &MinerView, open: u32) -> Vec<Report> {
    let waits_for = match (view.withdrawable_at, view.suspended_until) {
        (Some(_), _) => "nothing new: the account is leaving".into(),
        (_, Some(until)) => format!("tick {until}, when the account's suspension ends"),
        _ if open > 0 => "the next step of its open tasks".into(),
        _ => "open tasks that it may join".into(),
    };
    let mut reports = vec![Report::Started {
        account: who.clone(),
        role: "miner",
        types: view.specialisations.clone(),
        stake: view.stake,
        open: view.open_tasks,
        waits_for,
    }];
    if let Some(tick) = view.withdrawable_at {
        reports.push(warning(
            "leaving",
            format!("the account is leaving and joins nothing; its stake is free from tick {tick}"),
        ));
    }
    reports
}

/// Report to a judge at the start.
fn judge_reports(who: &AccountId32, view: &JudgeView, open: u32) -> Vec<Report> {
    let waits_for = match (view.status, view.suspended_until) {
        (JudgeStatus::Leaving { .. }, _) => "the end of its open tasks: it is leaving".into(),
        (JudgeStatus::Understaked, _) => "more stake: it is not drawn".into(),
        (_, Some(until)) => format!("tick {until}, when the account's suspension ends"),
        _ if open > 0 => "the next step of its open tasks".into(),
        _ => "a seat on a panel".into(),
    };
    let mut reports = vec![Report::Started {
        account: who.clone(),
        role: "judge",
        types: view.types.clone(),
        stake: view.stake,
        open: view.panels,
        waits_for,
    }];
    match view.status {
        JudgeStatus::Active => {}
        JudgeStatus::Understaked => reports.push(warning(
            "understaked",
            format!(
                "the account has {} at stake and its types ask for {}: it is drawn for no panel \
                 until it adds stake",
                format(view.stake),
                format(view.required)
            ),
        )),
        JudgeStatus::Leaving { release_at } => reports.push(warning(
            "leaving",
            format!(
                "the account is leaving and is drawn for no panel; its stake is free from tick \
                 {release_at}"
            ),
        )),
    }
    reports
}

fn warning(about: &str, what: String) -> Report {
    let about = about.into();
    Report::Warning { about, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::fake::ME;
    use std::sync::{Arc, Mutex};
    use tos_sdk::testing::{node::FakeNode, views::judge_view};
    use tos_types::{TaskType, TOS};

    fn view(status: JudgeStatus) -> JudgeView {
        JudgeView {
            required: 2 * TOS,
            types: vec![TaskType::General],
            panels: 3,
            ..judge_view(status)
        }
    }

    #[test]
    fn a_judge_that_is_not_drawn_is_told_so_at_the_start() {
        let reports = judge_reports(&ME, &view(JudgeStatus::Active), 0);
        assert_eq!(reports.len(), 1);
        let Report::Started {
            stake: TOS,
            open: 3,
            waits_for,
            ..
        } = &reports[0]
        else {
            panic!("{reports:?}");
        };
        assert_eq!(waits_for, "a seat on a panel");
        let reports = judge_reports(&ME, &view(JudgeStatus::Understaked), 0);
        assert_eq!(reports[1].id(), "warning:understaked");
        let leaving = JudgeStatus::Leaving { release_at: 9 };
        let reports = judge_reports(&ME, &view(leaving), 0);
        assert_eq!(reports[1].id(), "warning:leaving");
    }

    #[test]
    fn an_account_that_is_not_registered_is_an_error_unless_it_has_tasks_to_finish() {
        let reporter = Reporter::default();
        let told = |open, strict| {
            let none = Unregistered { open, strict };
            unregistered(&ME, "miner", none, &reporter)
        };
        let error = told(0, true).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("tos miner register"), "{error}");
        assert!(told(1, true).is_ok() && told(0, false).is_ok());
        let none = Unregistered {
            open: 0,
            strict: true,
        };
        let error = unregistered(&ME, "storage provider", none, &reporter).unwrap_err();
        assert!(error.to_string().contains("`tos storage init`"), "{error}");
    }

    #[tokio::test]
    async fn an_auditor_is_warned_unless_its_account_is_a_validator() {
        let node = FakeNode::new();
        let connection = node.connect().await;
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = told.clone();
        let reporter = Reporter::to(move |report| listener.lock().unwrap().push(report.id()));
        assert!(!auditor(&connection, &ME, &reporter).await.unwrap());
        assert_eq!(*told.lock().unwrap(), ["warning:notValidator"]);
        node.lock().validators.push(ME);
        assert!(auditor(&connection, &ME, &reporter).await.unwrap());
        assert_eq!(told.lock().unwrap().len(), 1);
    }
}
