// SPDX-License-Identifier: Apache-2.0

//! Conformance test of the flows in which a pallet holds money: from a lock to a settlement, a refund,
//! a slash or an expiry, with each account that has a part in it in each state that it may be in.

use frame_support::traits::{Get, LockableCurrency, WithdrawReasons};
use pallet_balances::AccountData;
use polkadot_sdk::*;
use sp_io::TestExternalities;
use sp_runtime::DispatchResult;
use std::collections::{BTreeMap, BTreeSet};
use tos_types::Balance;

/// Runtime of a mock that has balances.
pub trait Mock:
    frame_system::Config<AccountId = u64, AccountData = AccountData<Balance>>
    + pallet_balances::Config<Balance = Balance>
{
}

impl<T> Mock for T where
    T: frame_system::Config<AccountId = u64, AccountData = AccountData<Balance>>
        + pallet_balances::Config<Balance = Balance>
{
}

/// A flow that has put money on hold.
pub struct Started {
    /// Accounts that may pay or be paid in the rest of it, without the treasury.
    pub parties: Vec<u64>,
    /// The rest of it. An error fails the test: no account's state is a reason for one.
    pub end: Box<dyn FnOnce() -> DispatchResult>,
}

impl Started {
    /// A flow with these parties and this end.
    pub fn new(
        parties: impl Into<Vec<u64>>,
        end: impl FnOnce() -> DispatchResult + 'static,
    ) -> Self {
        Self {
            parties: parties.into(),
            end: Box::new(end),
        }
    }
}

/// The name of a flow, and its beginning on a new chain.
pub type Flow = (&'static str, fn() -> Started);

/// The reasons of a runtime to hold balance.
type Reason<T> = <T as pallet_balances::Config>::RuntimeHoldReason;

/// A part of what is on hold: the account, the reason and the amount.
type Part<T> = (u64, Reason<T>, Balance);

/// The flows of a pallet, on its mock with this runtime.
pub struct Flows<T: Mock> {
    /// The mock's treasury, if the pallet pays to one.
    pub treasury: Option<u64>,
    /// All flows of the pallet: each way out of each of its holds, that is each call and step that
    /// releases, moves or slashes one, also with amounts below the existential deposit where that is a
    /// case of its own. Ways that share all of their end are one.
    pub flows: &'static [Flow],
    /// Makes a new chain.
    pub chain: fn() -> TestExternalities,
    /// Reads the parts that the pallet's records say are on hold: the account, the reason and the
    /// amount. Those of one account and reason add up.
    pub booked: fn() -> Vec<Part<T>>,
    /// Reads the accounts of which the pallet's events tell that they did not get what was for
    /// them.
    pub told: fn() -> BTreeSet<u64>,
    /// Checks the pallet's invariants.
    pub check: fn(),
}

/// State of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// All of its balance is locked.
    Locked,
    /// Its free balance is just below the existential deposit; empty if money of it is on hold, since
    /// next to that there can be no such balance.
    Poor,
    /// It has no free balance: another pallet keeps it alive.
    Empty,
    /// It does not exist, unless money of it is on hold.
    Dead,
    /// It can receive nothing at all.
    Full,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Locked,
        Self::Poor,
        Self::Empty,
        Self::Dead,
        Self::Full,
    ];

    /// Brings an account into this state. What it had is gone.
    fn befall<T: Mock>(self, who: u64) {
        let set = |free| frame_system::Account::<T>::mutate(who, |info| info.data.free = free);
        let info = frame_system::Account::<T>::get(who);
        match self {
            Self::Locked if info.providers > 0 => {
                let all = WithdrawReasons::all();
                pallet_balances::Pallet::<T>::set_lock(*b"conforms", &who, Balance::MAX, all);
            }
            Self::Poor if info.data.reserved == 0 => {
                set(<T as pallet_balances::Config>::ExistentialDeposit::get() - 1);
            }
            Self::Dead if info.consumers == 0 => frame_system::Account::<T>::remove(who),
            Self::Poor | Self::Empty | Self::Dead => set(0),
            // Only while the flow ends: it is no sum that an account can have.
            Self::Locked | Self::Full => {}
        }
    }
}

/// Balances of all accounts: free, and on hold.
type Wealth = BTreeMap<u64, (Balance, Balance)>;

fn wealth<T: Mock>() -> Wealth {
    frame_system::Account::<T>::iter()
        .map(|(who, info)| (who, (info.data.free, info.data.reserved)))
        .collect()
}

/// Sums on hold by account and the name of the reason; none is 0.
type Holds = BTreeMap<(u64, String), Balance>;

fn holds<Reason: std::fmt::Debug>(
    parts: impl IntoIterator<Item = (u64, Reason, Balance)>,
) -> Holds {
    let mut sums = Holds::new();
    for (who, reason, amount) in parts {
        if amount > 0 {
            *sums.entry((who, format!("{reason:?}"))).or_default() += amount;
        }
    }
    sums
}

/// The sums on hold of all accounts.
fn held<T: Mock>() -> Holds {
    holds(
        pallet_balances::Holds::<T, ()>::iter().flat_map(|(who, holds)| {
            holds
                .into_iter()
                .map(move |hold| (who, hold.id, hold.amount))
        }),
    )
}

/// The sum of all balances.
fn sum(wealth: &Wealth) -> Balance {
    wealth.values().map(|(free, held)| free + held).sum()
}

/// Runs the end of a flow while an account can receive nothing, and gives it back what it had.
fn while_full<T: Mock>(who: u64, end: impl FnOnce() -> DispatchResult) -> DispatchResult {
    let free = |free| {
        frame_system::Account::<T>::mutate(who, |info| std::mem::replace(&mut info.data.free, free))
    };
    let before = free(Balance::MAX);
    let ended = end();
    let spent = Balance::MAX - free(0);
    free(before - spent);
    ended
}

/// Outcome of a flow.
struct Outcome {
    /// The parties and the treasury.
    parties: BTreeSet<u64>,
    /// Changes of the balances of all accounts by the end of the flow, of their own.
    gains: BTreeMap<u64, i128>,
    /// The accounts of which events tell.
    told: BTreeSet<u64>,
}

impl Outcome {
    fn gain(&self, who: u64) -> i128 {
        self.gains.get(&who).copied().unwrap_or_default()
    }
}

impl<T: Mock> Flows<T> {
    /// Runs each flow with each of its parties, and the treasury, in each state. Every wei is
    /// accounted for, no flow fails, what is on hold in the end is booked, for each account and
    /// reason, the other accounts get no less than without the odd one, and where that one gets
    /// less, an event tells.
    ///
    /// # Panics
    /// A flow does not conform.
    pub fn conform(&self) {
        for flow in self.flows.iter().copied() {
            let (name, _) = flow;
            let usual = self.run(flow, None);
            assert!(
                usual.told.is_empty(),
                "{name}: all can receive, and yet it tells of {:?}",
                usual.told
            );
            for odd in &usual.parties {
                for state in State::ALL {
                    let outcome = self.run(flow, Some((*odd, state)));
                    for who in usual.gains.keys() {
                        let (gain, least) = (outcome.gain(*who), usual.gain(*who));
                        let fine = gain >= least || (who == odd && outcome.told.contains(who));
                        assert!(
                            fine,
                            "{name}, {odd} is {state:?}: {who} gets {gain} of {least}, and none tells"
                        );
                    }
                }
            }
        }
    }

    /// Runs a flow, with an account in a state when it ends.
    fn run(&self, (name, start): Flow, odd: Option<(u64, State)>) -> Outcome {
        (self.chain)().execute_with(|| {
            let Started { parties, end } = start();
            if let Some((who, state)) = odd {
                state.befall::<T>(who);
            }
            let before = wealth::<T>();
            frame_system::Pallet::<T>::reset_events();
            let ended = match odd {
                Some((who, State::Full)) => while_full::<T>(who, end),
                _ => end(),
            };
            assert_eq!(ended, Ok(()), "{name}, {odd:?}: fails");

            let after = wealth::<T>();
            assert_eq!(
                sum(&after),
                sum(&before),
                "{name}, {odd:?}: money came or went"
            );
            // No sum is refused by all while a single account is odd, so none stays on hold
            // unbooked.
            let booked = holds((self.booked)());
            assert_eq!(held::<T>(), booked, "{name}, {odd:?}: on hold, and booked");
            for (who, (_, reserved)) in &after {
                let booked: Balance = booked
                    .iter()
                    .filter(|((on, _), _)| on == who)
                    .map(|(_, amount)| amount)
                    .sum();
                assert_eq!(
                    *reserved, booked,
                    "{name}, {odd:?}: reserved of {who}, and booked"
                );
            }
            (self.check)();

            let gains = before
                .keys()
                .chain(after.keys())
                .map(|who| (*who, self.own(&after, *who) - self.own(&before, *who)))
                .collect();
            Outcome {
                parties: parties.into_iter().chain(self.treasury).collect(),
                gains,
                told: (self.told)(),
            }
        })
    }

    /// The part of the balances that is an account's own: what the treasury has on hold, it keeps
    /// for others.
    fn own(&self, wealth: &Wealth, who: u64) -> i128 {
        let (free, held) = wealth.get(&who).copied().unwrap_or_default();
        let own = match self.treasury == Some(who) {
            true => free,
            false => free + held,
        };
        i128::try_from(own).expect("no mock has so much")
    }
}
