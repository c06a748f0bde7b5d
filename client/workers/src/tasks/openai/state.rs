// SPDX-License-Identifier: Apache-2.0

//! Lessons about an endpoint while it is used; shared by all that ask it.

use super::retry::Part;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Time for which nothing new is taken on after an endpoint said that it does not work at all.
const REST: Duration = Duration::from_secs(600);

/// Form that replies are asked for in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// By a JSON schema.
    #[default]
    Schema,
    /// As any JSON object.
    Object,
    /// By the prompt alone.
    Prompt,
}

/// Name of the parameter that bounds a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tokens {
    /// `max_tokens`, as nearly all endpoints have it.
    #[default]
    Max,
    /// `max_completion_tokens`, as the newest ones have it.
    Completion,
    /// Neither.
    Unbounded,
}

/// State of an endpoint.
#[derive(Debug, Default)]
pub struct Known {
    pub form: Form,
    pub tokens: Tokens,
    pub no_temperature: bool,
    /// The model to ask for, once it is known.
    pub model: Option<String>,
    /// Until when it asked not to be asked.
    quiet: Option<Instant>,
    /// Reason for which nothing new should be begun, and its end if it may end by itself.
    unfit: Option<(String, Option<Instant>)>,
}

impl Known {
    /// Leaves out a part of the requests, from the next on. False when it was left out already.
    pub fn without(&mut self, part: Part) -> bool {
        match part {
            Part::Format => {
                self.form = match self.form {
                    Form::Schema => Form::Object,
                    Form::Object => Form::Prompt,
                    Form::Prompt => return false,
                };
            }
            Part::Tokens => {
                self.tokens = match self.tokens {
                    Tokens::Max => Tokens::Completion,
                    Tokens::Completion => Tokens::Unbounded,
                    Tokens::Unbounded => return false,
                };
            }
            Part::Temperature if self.no_temperature => return false,
            Part::Temperature => self.no_temperature = true,
        }
        true
    }

    /// Notes that the endpoint does not want to be asked for so long.
    pub fn rest(&mut self, pause: Duration) {
        let until = Instant::now().checked_add(pause);
        self.quiet = self.quiet.max(until);
    }

    /// Time for which the endpoint still does not want to be asked.
    pub fn quiet(&self) -> Duration {
        let left = |until: Instant| until.saturating_duration_since(Instant::now());
        self.quiet.map(left).unwrap_or_default()
    }

    /// Notes that the endpoint does not work, for a while or until [`Known::works`].
    pub fn broken(&mut self, why: String, passes: bool) {
        let until = Instant::now().checked_add(REST).filter(|_| passes);
        self.unfit = Some((why, until));
    }

    /// Notes that it works.
    pub fn works(&mut self) {
        self.unfit = None;
    }

    /// Reason for which nothing new should be begun with the endpoint now.
    pub fn unfit(&self) -> Option<String> {
        if let Some((why, until)) = &self.unfit {
            if until.is_none_or(|until| until > Instant::now()) {
                return Some(why.clone());
            }
        }
        let quiet = self.quiet();
        (!quiet.is_zero()).then(|| {
            format!(
                "the endpoint asks for a pause of {} s more",
                quiet.as_secs()
            )
        })
    }
}

/// [`Known`], shared.
#[derive(Clone, Debug, Default)]
pub struct State(Arc<Mutex<Known>>);

impl State {
    /// Locks it, for a moment.
    pub fn lock(&self) -> MutexGuard<'_, Known> {
        // No operation leaves it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False when this is the last one.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}
