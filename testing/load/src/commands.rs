// SPDX-License-Identifier: Apache-2.0

//! The commands that send transfers.

use crate::{
    accounts::{account, derive, key, Kind},
    args::{Burst, Common, Fund, Transfers},
    blocks,
    engine::{run, Run, Setup},
    error::{Error, Result},
    fund::{self, Funded, Need},
    ledger::{Ledger, State},
    pace::Pace,
    report::{Fates, Proof, Report, Settings},
    sign::{sign_all, Sender, MAX_TRANSACTIONS},
};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use tokio::task::block_in_place;
use tos_sdk::{
    any_chain::{Chain, Hash, Head, Signed},
    keys::Keypair,
};

/// Multiple of the current fee that a transaction may cost: fees rise while blocks are full.
const FEE_MARGIN: u128 = 3;
/// Fees that are assumed where the chain does not say: in existential deposits.
const FEE_GUESS: u128 = 10;

/// A report, and what was wrong.
pub struct Ending {
    /// To be shown in any case.
    pub report: Report,
    /// The reason for another exit code than 0.
    pub error: Option<Error>,
}

/// Accounts with keys, and what they receive on.
struct Parties {
    senders: Vec<Keypair>,
    sinks: Vec<Hash>,
}

impl Parties {
    /// The accounts of a run, and the one that pays for them.
    fn of(common: &Common, root: &Keypair) -> Result<Self> {
        block_in_place(|| {
            let sinks = derive(root, Kind::Sink, common.accounts)?;
            Ok(Self {
                senders: derive(root, Kind::Sender, common.accounts)?,
                sinks: sinks.iter().map(account).collect(),
            })
        })
    }

    fn accounts(&self) -> Vec<Hash> {
        self.senders.iter().map(account).collect()
    }
}

fn first_url(common: &Common) -> Result<&str> {
    let url = common.url.first().map(String::as_str);
    url.ok_or_else(|| Error::Usage("--url: at least one".into()))
}

/// Gives every account what so many transactions need.
async fn endow(
    chain: &Chain,
    common: &Common,
    root: &Keypair,
    parties: &Parties,
    each: usize,
) -> Result<Funded> {
    let sample = chain.transfer(&account(root), common.amount.into())?;
    let fee = chain.fee(&chain.sign(root, &sample, 0, None)?).await;
    let deposit = chain.existential_deposit()?;
    let fee = fee.unwrap_or(deposit.saturating_mul(FEE_GUESS));
    let one = fee
        .saturating_mul(FEE_MARGIN)
        .saturating_add(common.amount.into());
    let sender = one
        .saturating_mul(each as u128)
        .saturating_add(deposit.saturating_mul(2));
    let needs: Vec<_> = parties
        .accounts()
        .into_iter()
        .map(|who| Need { who, least: sender })
        .chain(parties.sinks.iter().map(|who| Need {
            who: *who,
            least: deposit,
        }))
        .collect();
    fund::fund(chain, root, &needs).await
}

/// `tos-load fund`
pub async fn fund(it: &Fund) -> Result<Funded> {
    let root = key(&it.common.rich)?;
    let chain = Chain::open(first_url(&it.common)?).await?;
    let parties = Parties::of(&it.common, &root)?;
    endow(
        &chain,
        &it.common,
        &root,
        &parties,
        it.transactions as usize,
    )
    .await
}

/// `tos-load transfers`
pub async fn transfers(it: &Transfers) -> Result<Ending> {
    let seconds = it.seconds as usize;
    let count = match it.rate.0 {
        Some(rate) => (rate * it.seconds as f64).ceil() as usize,
        None => seconds.saturating_mul(it.signed_per_second as usize),
    };
    if count == 0 || count > MAX_TRANSACTIONS {
        return Err(Error::Usage(format!(
            "that is {count} transactions; a run has 1 to {MAX_TRANSACTIONS}: fewer seconds, or a lower rate"
        )));
    }
    let pace = match it.rate.0 {
        Some(rate) => Pace::Rate(rate),
        None => Pace::Fill(it.in_flight as usize),
    };
    let plan = Plan {
        command: "transfers",
        common: &it.common,
        count,
        pace,
        offering: Some(Duration::from_secs(it.seconds)),
        warm_up: Duration::from_secs(it.warm_up),
        resubmit: false,
    };
    load(plan).await
}

/// `tos-load burst` and `tos-load flood`
pub async fn burst(command: &'static str, it: &Burst) -> Result<Ending> {
    let plan = Plan {
        command,
        common: &it.common,
        count: it.count as usize,
        pace: Pace::AtOnce,
        offering: None,
        warm_up: Duration::ZERO,
        resubmit: true,
    };
    load(plan).await
}

struct Plan<'a> {
    command: &'static str,
    common: &'a Common,
    count: usize,
    pace: Pace,
    offering: Option<Duration>,
    warm_up: Duration,
    resubmit: bool,
}

async fn load(plan: Plan<'_>) -> Result<Ending> {
    let common = plan.common;
    let root = key(&common.rich)?;
    let chain = Chain::open(first_url(common)?).await?;
    let parties = Parties::of(common, &root)?;
    let each = plan.count.div_ceil(parties.senders.len());
    let funded = endow(&chain, common, &root, &parties, each).await?;

    let best = chain.head(Head::Best).await?;
    let before = chain.accounts(&parties.accounts(), &best.hash).await?;
    let sinks_before = chain.accounts(&parties.sinks, &best.hash).await?;
    let mortality = match common.mortality {
        None => None,
        Some(blocks) => Some(chain.mortality(blocks).await?),
    };
    let began = Instant::now();
    let signed = block_in_place(|| -> Result<_> {
        let senders = parties.senders.iter().zip(&parties.sinks).zip(&before);
        let senders = senders.map(|((key, sink), state)| {
            Ok(Sender {
                key: key.clone(),
                nonce: state.nonce,
                call: chain.transfer(sink, common.amount.into())?,
            })
        });
        let senders: Vec<_> = senders.collect::<Result<_>>()?;
        sign_all(&chain, &senders, plan.count, mortality)
    })?;
    let signing = began.elapsed();

    let ran = run(setup(&plan, &chain, signed, parties.senders.len())).await?;
    let nonces: Vec<u64> = before.iter().map(|account| account.nonce).collect();
    let balances: Vec<u128> = sinks_before.iter().map(|account| account.free).collect();
    let proof = prove(
        &chain,
        &parties,
        (&nonces, &balances),
        &ran,
        common.amount.into(),
    )
    .await;
    let pool = blocks::pool(chain.rpc()).await.unwrap_or_default();
    let fates = fates(&ran.ledger, parties.senders.len(), &pool);
    let settings = Settings {
        pace: plan.pace,
        accounts: parties.senders.len(),
        connections: common.connections.into(),
        mortality: common.mortality,
        warm_up: plan.warm_up,
        offering: plan.offering,
    };
    let names = chain.names().await.unwrap_or_default();
    let genesis = chain.genesis();
    let mut report = Report::new(plan.command, names, genesis, &settings, ran, fates);
    report.signing_seconds = signing.as_secs_f64();
    report.funding = funded;
    report.pool_left = pool.len();
    Ok(judge(plan.resubmit, report, proof))
}

fn setup<'a>(plan: &Plan<'a>, chain: &'a Chain, signed: Vec<Signed>, senders: usize) -> Setup<'a> {
    Setup {
        rpc: chain.rpc(),
        timestamp: chain.call_index("Timestamp", "set"),
        urls: &plan.common.url,
        transactions: signed,
        senders,
        pace: plan.pace,
        offering: plan.offering,
        drain: Duration::from_secs(plan.common.drain),
        resubmit: plan.resubmit,
        connections: plan.common.connections.into(),
        depth: plan.common.depth.into(),
    }
}

/// Compares what was seen in blocks with the state of the chain at the last final block: nonces say
/// what was included, and what the sinks own says what was executed.
async fn prove(
    chain: &Chain,
    parties: &Parties,
    (nonces, balances): (&[u64], &[u128]),
    ran: &Run,
    amount: u128,
) -> Result<Proof> {
    let senders = nonces.len();
    let mut included = vec![0u64; senders];
    for number in ran.ledger.all(State::Final) {
        included[number as usize % senders] += 1;
    }
    let after = chain.accounts(&parties.accounts(), &ran.last.hash).await?;
    let sinks = chain.accounts(&parties.sinks, &ran.last.hash).await?;
    let mut proof = Proof::default();
    for (at, count) in included.iter().enumerate() {
        let used = after[at].nonce.saturating_sub(nonces[at]);
        if used != *count {
            proof.wrong_nonces += 1;
        }
        let received = sinks[at].free.saturating_sub(balances[at]);
        proof.executed += u64::try_from(received / amount).unwrap_or(u64::MAX);
        if received != amount.saturating_mul((*count).into()) {
            proof.wrong_balances += 1;
        }
    }
    Ok(proof)
}

/// Fates of those that are in no block.
fn fates(ledger: &Ledger, senders: usize, pool: &[Hash]) -> Fates {
    let missing: HashSet<u32> = ledger.missing(pool).into_iter().collect();
    let mut fates = Fates::default();
    // Whether an earlier one of this sender is in no block: then nothing of it can be.
    let mut blocked = vec![false; senders];
    for number in
        0..u32::try_from(ledger.offered() + ledger.count(State::Skipped)).unwrap_or(u32::MAX)
    {
        let gap = &mut blocked[number as usize % senders];
        match ledger.state(number) {
            State::Final | State::Waiting => continue,
            State::InBlock => fates.not_final += 1,
            State::Pooled if !ledger.was_accepted(number) => fates.stale += 1,
            State::Pooled if !missing.contains(&number) => fates.pending += 1,
            State::Pooled if *gap => fates.blocked += 1,
            State::Pooled => fates.lost += 1,
            State::Sent | State::Again => fates.unsettled += 1,
            State::Refused | State::Skipped => {}
        }
        *gap |= ledger.state(number) != State::InBlock;
    }
    fates
}

/// The ending of a run, with all that is not as it should be.
fn judge(all: bool, mut report: Report, proof: Result<Proof>) -> Ending {
    let mut wrong = Vec::new();
    match proof {
        Ok(proof) => {
            if proof.wrong_nonces > 0 {
                wrong.push(format!(
                    "{} accounts have a nonce that the blocks do not explain",
                    proof.wrong_nonces
                ));
            }
            if proof.wrong_balances > 0 {
                wrong.push(format!(
                    "{} accounts did not receive what the blocks say",
                    proof.wrong_balances
                ));
            }
            report.proof = Some(proof);
        }
        Err(error) => wrong.push(format!("the state could not be compared: {error}")),
    }
    let fates = report.fates;
    for (count, what) in [
        (
            fates.lost,
            "were accepted and are neither in a block nor in the pool",
        ),
        (fates.pending, "are still in the pool"),
        (fates.not_final, "are in a block that is not final"),
        (fates.unsettled, "never got into the pool"),
        (fates.stale, "were outdated when they came"),
    ] {
        if count > 0 {
            wrong.push(format!("{count} transactions {what}"));
        }
    }
    if report.is_final == 0 {
        wrong.push("nothing became final".into());
    }
    if all && report.is_final < report.offered {
        let rest = report.offered - report.is_final;
        wrong.push(format!(
            "{rest} of {} transactions are not final",
            report.offered
        ));
    }
    if all && report.pool_left > 0 {
        wrong.push(format!(
            "the pool still holds {} transactions",
            report.pool_left
        ));
    }
    report.problems = wrong;
    let trouble = report.trouble.take();
    if let Some(trouble) = &trouble {
        report.problems.push(trouble.to_string());
    }
    let failed = || Error::Expectation(report.problems.join("; "));
    let error = trouble.or_else(|| (!report.problems.is_empty()).then(failed));
    Ending { report, error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submit::Answer;
    use tos_sdk::rpc::Refusal;

    fn hash(number: u8) -> Hash {
        [number; 32]
    }

    #[test]
    fn the_lost_are_told_from_those_that_wait_for_an_earlier_one() {
        // Two senders in turn: 0, 2, 4 and 1, 3, 5.
        let mut ledger = Ledger::new((0..6).map(hash).collect::<Vec<_>>().into_iter());
        for number in 0..6 {
            ledger.offer(number, 0);
            if number != 1 {
                ledger.answer(number, Answer::Accepted);
            }
        }
        ledger.answer(1, Answer::Refused(Refusal::new(1010, "no", None)));
        ledger.finalised(&[hash(0)], 10);
        // Of the first sender, 2 is gone and 4 waits for it; of the second, 1 was refused, so that
        // 3 waits, and the pool still holds 5.
        let fates = fates(&ledger, 2, &[hash(5)]);
        assert_eq!((fates.lost, fates.blocked, fates.pending), (1, 2, 1));
        assert_eq!((fates.unsettled, fates.not_final, fates.stale), (0, 0, 0));
    }

    #[test]
    fn what_is_final_leaves_nothing_open() {
        let mut ledger = Ledger::new((0..2).map(hash).collect::<Vec<_>>().into_iter());
        ledger.offer(0, 0);
        ledger.answer(0, Answer::Accepted);
        ledger.finalised(&[hash(0)], 10);
        assert_eq!(fates(&ledger, 1, &[]), Fates::default());
    }
}
