// SPDX-License-Identifier: Apache-2.0

//! `tos task`.

use super::{
    clock::Clock,
    help, lint,
    names::Names,
    page, parse,
    progress::{self, Shares},
    publish::Publish,
    quote, show, watch, Global,
};
use crate::output::Output;
use tos_sdk::task_type;
use tos_sdk::{chain::Call, error::Result};
use tos_types::{Phase, TaskId, TaskType};
use tos_views::MAX_PAGE;

/// See `tos task --help`.
#[derive(clap::Subcommand)]
pub enum Task {
    /// Publish a task. The reward and a tenth of it as a stake are held until it closes.
    #[command(after_help = help::PUBLISH)]
    Publish(Box<Publish>),
    /// Say what a task would cost, when it would be settled, how the reward would be split, and
    /// whether the chain would refuse it. Sends nothing and needs no key.
    #[command(after_help = help::QUOTE)]
    Quote(Box<Publish>),
    /// Check a specification before it is published: whether judges can read it and fetch it, and
    /// what a judge makes of it. Needs no chain. Exit code 1 if judges would fail.
    #[command(after_help = help::LINT)]
    Lint(Box<lint::Lint>),
    /// List tasks that take answers.
    List {
        /// Only of this type.
        #[arg(long = "type", value_name = "TYPE", value_parser = task_type::parse)]
        task_type: Option<TaskType>,
        /// Tasks in every phase.
        #[arg(long)]
        all: bool,
    },
    /// Show everything about a task.
    Show {
        /// The task.
        #[arg(value_parser = parse::task_id)]
        task: TaskId,
    },
    /// Follow a task until it is closed and that is final.
    #[command(after_help = help::WATCH)]
    Watch {
        /// The task.
        #[arg(value_parser = parse::task_id)]
        task: TaskId,
        /// Give up after this many seconds.
        #[arg(long, value_name = "SECONDS")]
        limit: Option<u64>,
    },
    /// Withdraw a task that no miner has joined.
    Cancel {
        /// The task.
        #[arg(value_parser = parse::task_id)]
        task: TaskId,
    },
    /// Challenge the result of a task: a bond of 5 % of the reward, and one more round of votes.
    Challenge {
        /// The task.
        #[arg(value_parser = parse::task_id)]
        task: TaskId,
    },
    /// Take a task's next step, when it is due and the chain has been too full to.
    Crank {
        /// The task.
        #[arg(value_parser = parse::task_id)]
        task: TaskId,
    },
}

impl Task {
    /// Runs the command.
    pub(crate) async fn run(self, global: &Global, output: Output) -> Result<()> {
        match self {
            Self::Publish(publish) => publish.run(global, output).await,
            Self::Quote(publish) => quote::quote(*publish, global, output).await,
            Self::Lint(lint) => lint.run(output).await,
            Self::List { task_type, all } => list(global, output, task_type, all).await,
            Self::Show { task } => {
                let connection = global.connect().await?;
                let at = connection.best().await?;
                let view = at.task(task).await?;
                let view = view.ok_or_else(|| show::unknown(task))?;
                let shares = Shares::of(&connection, &at, task).await;
                let round = at.round(task, view.summary.round).await?;
                let clock = Clock::at(&at).await?;
                output.show(&view, || {
                    let next = match view.summary.phase {
                        Phase::Closed(_) => {
                            let until = clock.by(view.summary.deadline);
                            format!("its record is kept until {until}")
                        }
                        _ => progress::next(&view, round.as_ref(), clock),
                    };
                    page::task(&view, round.as_ref(), &next, shares, &Names::new(global))
                });
                Ok(())
            }
            Self::Watch { task, limit } => watch::watch(global, output, task, limit).await,
            Self::Cancel { task } => global.submit_and_show(Call::Cancel { task }, output).await,
            Self::Challenge { task } => {
                global
                    .submit_and_show(Call::Challenge { task }, output)
                    .await
            }
            Self::Crank { task } => global.submit_and_show(Call::Crank { task }, output).await,
        }
    }
}

async fn list(global: &Global, output: Output, of: Option<TaskType>, all: bool) -> Result<()> {
    let at = global.connect().await?.best().await?;
    let mut tasks = Vec::new();
    let mut after = None;
    loop {
        let page = if all {
            at.tasks(after, MAX_PAGE).await?
        } else {
            at.open_tasks(of, after, MAX_PAGE).await?
        };
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        tasks.extend(
            page.into_iter()
                .filter(|t| of.is_none_or(|of| of == t.task_type)),
        );
    }
    let clock = Clock::at(&at).await?;
    output.show(&tasks, || show::tasks(&tasks, clock));
    Ok(())
}
