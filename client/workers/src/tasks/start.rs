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
use tos_types::{Balance, TaskType, Tick};
use tos_views::{JudgeStatus, JudgeView, MinerView, Role};

/// Number of times an account is looked for: a node may be a few blocks behind the one that has taken the
/// registration.
const TRIES: u32 = 5;
/// Pause before it is looked for again.
const PAUSE: Duration = Duration::from_secs(2);

/// First look of a miner or a judge at its account, on every chain that it is set up on.
pub struct FirstLook {
    /// The account.
    pub who: AccountId32,
    /// Destination of what it is.
    pub reporter: Reporter,
    /// `true` until a look has ended well. On another chain, after that one, the account may be
    /// registered later.
    pub strict: bool,
}

impl FirstLook {
    /// Says what the miner's account is. An account that is not registered and has nothing to do is
    /// refused when `strict`, and warned about otherwise. A node that is behind what this worker
    /// has `seen` says nothing about the account: then it is warned about as well.
    pub async fn miner(&mut self, live: &Live, seen: u64) -> Result<()> {
        let look = async |at: &At| at.miner(self.who.clone()).await;
        let found = self.find(live, Role::Miner, seen, look).await?;
        self.say("miner", found, miner_opening)
    }

    /// The same for a judge's account.
    pub async fn judge(&mut self, live: &Live, seen: u64) -> Result<()> {
        let look = async |at: &At| at.judge(self.who.clone()).await;
        let found = self.find(live, Role::Judge, seen, look).await?;
        self.say("judge", found, judge_opening)
    }

    /// Finds a registration and the number of tasks in which the account has something to do. Looks
    /// several times when `strict` and the node is at least as far as what was `seen`.
    async fn find<V>(
        &self,
        live: &Live,
        role: Role,
        seen: u64,
        look: impl AsyncFn(&At) -> Result<Option<V>>,
    ) -> Result<Result<(V, u32), Unregistered>> {
        let mut tries = if self.strict { TRIES } else { 1 };
        loop {
            let at = live.connection.best().await?;
            let strict = self.strict && at.number() >= seen;
            let open = open(&at, &self.who, role).await?;
            tries -= 1;
            match look(&at).await? {
                Some(view) => return Ok(Ok((view, open))),
                None if strict && open == 0 && tries > 0 => tokio::time::sleep(PAUSE).await,
                None => return Ok(Err(Unregistered { open, strict })),
            }
        }
    }

    /// Tells what there is to say of an account that was found, or that it is not registered.
    fn say<V>(
        &mut self,
        role: &'static str,
        found: Result<(V, u32), Unregistered>,
        opening: impl FnOnce(&V, u32) -> Opening,
    ) -> Result<()> {
        match found {
            Ok((view, open)) => {
                let opening = opening(&view, open);
                let started = Report::Started {
                    account: self.who.clone(),
                    role,
                    types: opening.types,
                    stake: opening.stake,
                    open: opening.open,
                    waits_for: opening.waits_for,
                };
                self.reporter.tell(&started);
                if let Some(warning) = &opening.warning {
                    self.reporter.tell(warning);
                }
            }
            Err(none) => unregistered(&self.who, role, none, &self.reporter)?,
        }
        self.strict = false;
        Ok(())
    }
}

/// First words about a registered account.
struct Opening {
    /// Types the account is registered for.
    types: Vec<TaskType>,
    /// Registration stake on hold, in wei.
    stake: Balance,
    /// Tasks the account is in.
    open: u32,
    /// The next thing that has to happen, in words.
    waits_for: String,
    /// A condition that its operator should know of.
    warning: Option<Report>,
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

/// First words about a miner that has something to do in `open` tasks.
fn miner_opening(view: &MinerView, open: u32) -> Opening {
    let waits_for = match view.withdrawable_at {
        Some(_) => "nothing new: the account is leaving".into(),
        None => next(view.suspended_until, open, "open tasks that it may join"),
    };
    let leaving = |tick: Tick| {
        let what =
            format!("the account is leaving and joins nothing; its stake is free from tick {tick}");
        warning("leaving", what)
    };
    Opening {
        types: view.specialisations.clone(),
        stake: view.stake,
        open: view.open_tasks,
        waits_for,
        warning: view.withdrawable_at.map(leaving),
    }
}

/// First words about a judge that has something to do in `open` tasks.
fn judge_opening(view: &JudgeView, open: u32) -> Opening {
    let (waits_for, warning) = match view.status {
        JudgeStatus::Active => (next(view.suspended_until, open, "a seat on a panel"), None),
        JudgeStatus::Understaked => {
            let what = format!(
                "the account has {} at stake and its types ask for {}: it is drawn for no panel \
                 until it adds stake",
                format(view.stake),
                format(view.required)
            );
            let waits_for = "more stake: it is not drawn".into();
            (waits_for, Some(warning("understaked", what)))
        }
        JudgeStatus::Leaving { release_at } => {
            let what = format!(
                "the account is leaving and is drawn for no panel; its stake is free from tick \
                 {release_at}"
            );
            let waits_for = "the end of its open tasks: it is leaving".into();
            (waits_for, Some(warning("leaving", what)))
        }
    };
    Opening {
        types: view.types.clone(),
        stake: view.stake,
        open: view.panels,
        waits_for,
        warning,
    }
}

/// The next thing that has to happen for an account that takes part in tasks, in words; `idle` when
/// nothing is under way.
fn next(suspended_until: Option<Tick>, open: u32, idle: &str) -> String {
    match suspended_until {
        Some(until) => format!("tick {until}, when the account's suspension ends"),
        None if open > 0 => "the next step of its open tasks".into(),
        None => idle.into(),
    }
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
    use tos_types::TOS;

    fn view(status: JudgeStatus) -> JudgeView {
        JudgeView {
            required: 2 * TOS,
            types: vec![TaskType::General],
            panels: 3,
            ..judge_view(status)
        }
    }

    /// A reporter, and the ids of what it is told.
    fn listener() -> (Reporter, Arc<Mutex<Vec<String>>>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let ids = told.clone();
        let reporter = Reporter::to(move |report| ids.lock().unwrap().push(report.id()));
        (reporter, told)
    }

    #[test]
    fn a_judge_that_is_not_drawn_is_told_so_at_the_start() {
        let (reporter, told) = listener();
        let mut first = FirstLook {
            who: ME,
            reporter,
            strict: true,
        };
        let mut said = |status| {
            let found = Ok((view(status), 0));
            first.say("judge", found, judge_opening).unwrap();
            std::mem::take(&mut *told.lock().unwrap())
        };
        let started = format!("started:judge:{}", ME.to_ss58check());
        assert_eq!(said(JudgeStatus::Active), [started.as_str()]);
        let understaked = [started.as_str(), "warning:understaked"];
        assert_eq!(said(JudgeStatus::Understaked), understaked);
        let leaving = JudgeStatus::Leaving { release_at: 9 };
        assert_eq!(said(leaving), [started.as_str(), "warning:leaving"]);
        let opening = judge_opening(&view(JudgeStatus::Active), 0);
        assert_eq!((opening.stake, opening.open), (TOS, 3));
        assert_eq!(opening.waits_for, "a seat on a panel");
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
        let (reporter, told) = listener();
        assert!(!auditor(&connection, &ME, &reporter).await.unwrap());
        assert_eq!(*told.lock().unwrap(), ["warning:notValidator"]);
        node.lock().validators.push(ME);
        assert!(auditor(&connection, &ME, &reporter).await.unwrap());
        assert_eq!(told.lock().unwrap().len(), 1);
    }
}
