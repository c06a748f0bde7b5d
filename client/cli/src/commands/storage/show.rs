// SPDX-License-Identifier: Apache-2.0

//! Reading: what deals, replicas, providers and windows look like.

use super::{provide::unknown, Global};
use crate::{
    commands::clock::StorageClock,
    output::{table, Output},
};
use tos_sdk::{
    amount,
    error::{Error, Result},
};

use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use serde_json::json;
use tos_types::{DealId, ReplicaId};
use tos_views::{DealView, ProviderView, ReplicaView, WindowView};
use tos_workers::storage::{all_deals, all_replicas};

type Deal = DealView<AccountId32>;
type Replica = ReplicaView<AccountId32>;

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= unit {
            let tenths = bytes.saturating_mul(10) / unit;
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

/// A status as JSON names it.
fn status(of: &impl serde::Serialize) -> String {
    match serde_json::to_value(of) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}

/// A table with a row for each.
fn rows<T>(headings: &[&str], all: &[T], row: impl Fn(&T) -> Vec<String>) -> String {
    let rows: Vec<_> = all.iter().map(row).collect();
    table(headings, &rows)
}

fn deal_rows(deals: &[Deal], clock: StorageClock) -> String {
    let row = |deal: &Deal| {
        vec![
            deal.id.to_string(),
            status(&deal.status),
            size(deal.content.length),
            amount::format(deal.price),
            format!("{} ({})", deal.windows, clock.time(deal.windows.into())),
            amount::format(deal.escrow),
            amount::format(deal.paid),
        ]
    };
    let headings = [
        "DEAL",
        "STATUS",
        "SIZE",
        "PER GIB AND PERIOD",
        "WINDOWS",
        "ESCROW",
        "PAID",
    ];
    rows(&headings, deals, row)
}

fn replica_rows(replicas: &[Replica]) -> String {
    let row = |replica: &Replica| {
        let place = replica.position.map(|p| format!("{}/{}", p.group, p.place));
        vec![
            replica.id.to_string(),
            status(&replica.status),
            size(replica.coded.words.saturating_mul(64)),
            place.unwrap_or_default(),
            replica.streak.to_string(),
            replica.earned.to_string(),
            replica.misses.to_string(),
            amount::format(replica.collateral),
        ]
    };
    let headings = [
        "REPLICA",
        "STATUS",
        "SEALED",
        "PLACE",
        "STREAK",
        "EARNED",
        "MISSES",
        "COLLATERAL",
    ];
    rows(&headings, replicas, row)
}

fn provider_lines(
    who: &AccountId32,
    provider: &ProviderView,
    window: &WindowView,
    clock: StorageClock,
) -> String {
    let latency = match provider.latency_ms {
        Some(ms) => format!("{ms} ms"),
        None => "not measured".into(),
    };
    let lines = [
        ("provider", who.to_ss58check()),
        ("bond", amount::format(provider.bond)),
        ("  collateral", amount::format(provider.tied)),
        (
            "serves at",
            String::from_utf8_lossy(&provider.locator).into_owned(),
        ),
        ("latency", latency),
        ("answered", provider.answered.to_string()),
        ("missed", provider.missed.to_string()),
        (
            "takes deals",
            match (provider.exiting, provider.leave_at) {
                (false, _) => "yes".into(),
                (true, None) => "no".into(),
                (true, Some(window)) => {
                    format!("no; the bond is free from {}", clock.begins(window))
                }
            },
        ),
        (
            "window",
            format!(
                "{} ({}), one takes about {}",
                window.number,
                status(&window.stage),
                clock.time(1)
            ),
        ),
        (
            "beacon",
            if window.degraded {
                "stands still"
            } else {
                "runs"
            }
            .into(),
        ),
    ];
    let lines = lines.map(|(name, value)| format!("{name:<13}{value}"));
    lines.join("\n")
}

/// `tos storage offers`.
pub(super) async fn offers(global: &Global, output: Output) -> Result<()> {
    let at = global.connect().await?.best().await?;
    let deals = all_deals(&at, true).await?;
    let clock = StorageClock::at(&at).await?;
    output.show(&deals, || deal_rows(&deals, clock));
    Ok(())
}

/// `tos storage deals`.
pub(super) async fn deals(
    global: &Global,
    output: Output,
    client: Option<AccountId32>,
) -> Result<()> {
    let client = match client {
        None if !global.has_key() => None,
        client => Some(global.account(&client)?),
    };
    let at = global.connect().await?.best().await?;
    let mut deals = all_deals(&at, false).await?;
    deals.retain(|deal| client.as_ref().is_none_or(|client| deal.client == *client));
    let clock = StorageClock::at(&at).await?;
    output.show(&deals, || deal_rows(&deals, clock));
    Ok(())
}

/// `tos storage show`: a deal with its replica, or a replica with its deal.
pub(super) async fn one(global: &Global, output: Output, id: [u8; 16]) -> Result<()> {
    let at = global.connect().await?.best().await?;
    let (deal, replica) = match at.replica(ReplicaId(id)).await? {
        Some(replica) => (at.deal(replica.deal).await?, Some(replica)),
        None => match at.deal(DealId(id)).await? {
            None => return Err(unknown(id)),
            Some(deal) => {
                let replica = match deal.replica {
                    Some(replica) => at.replica(replica).await?,
                    None => None,
                };
                (Some(deal), replica)
            }
        },
    };
    let continuity = match &replica {
        Some(replica) => at.continuity(replica.id).await?.ok(),
        None => None,
    };
    let clock = StorageClock::at(&at).await?;
    let value = json!({"deal": deal, "replica": replica, "continuity": continuity});
    output.show(&value, || {
        let mut blocks = Vec::new();
        blocks.extend(
            deal.as_ref()
                .map(|deal| deal_rows(std::slice::from_ref(deal), clock)),
        );
        blocks.extend(
            replica
                .as_ref()
                .map(|one| replica_rows(std::slice::from_ref(one))),
        );
        blocks.push(details(deal.as_ref(), replica.as_ref(), clock));
        blocks.extend(continuity.map(|proven| {
            format!(
                "proven without a gap from window {} to {}: {}",
                proven.from,
                proven.to,
                clock.windows(proven.streak)
            )
        }));
        blocks.join("\n\n")
    });
    Ok(())
}

/// Parties of a deal, its end, and what is due.
fn details(deal: Option<&Deal>, replica: Option<&Replica>, clock: StorageClock) -> String {
    let mut lines = Vec::new();
    if let Some(deal) = deal {
        let (windows, billing) = (deal.windows.into(), clock.billing.into());
        lines.push(format!("lasts      {}", clock.windows(windows)));
        lines.push(format!("period     {}", clock.windows(billing)));
        lines.push(format!("client     {}", deal.client.to_ss58check()));
        if let (None, Some(provider)) = (replica, &deal.provider) {
            lines.push(format!("offered to {}", provider.to_ss58check()));
        }
    }
    if let Some(replica) = replica {
        lines.push(format!("provider   {}", replica.provider.to_ss58check()));
        lines.push(format!("streak     {}", clock.windows(replica.streak)));
        let earned = clock.windows(replica.earned.into());
        lines.push(format!("paid for   {earned}"));
        if let Some(window) = replica.ends_at.filter(|_| !replica.status.is_over()) {
            lines.push(format!("ends       before {}", clock.begins(window)));
        }
        if let Some(due) = replica.due {
            lines.push(format!("next step  {}", clock.due(due)));
        }
    }
    lines.join("\n")
}

/// `tos storage status`.
pub(super) async fn status_of(
    global: &Global,
    output: Output,
    account: Option<AccountId32>,
) -> Result<()> {
    let who = global.account(&account)?;
    let at = global.connect().await?.best().await?;
    let provider = at.provider(who.clone()).await?;
    let provider = provider.ok_or_else(|| {
        Error::refused("not a storage provider: `tos storage init` makes the account one")
    })?;
    let replicas = all_replicas(&at, &who).await?;
    let audits = at.open_audits(who.clone()).await?;
    let challenges = at.challenges(who.clone()).await?;
    let window = at.window().await?;
    let stats = at.storage_stats().await?;
    let clock = StorageClock::at(&at).await?;
    let value = json!({
        "account": who, "provider": provider, "replicas": replicas, "audits": audits,
        "challenges": challenges, "window": window, "config": stats.config,
    });
    output.show(&value, || {
        let open = format!(
            "{} audits and {} challenges wait for answers",
            audits.len(),
            challenges.len()
        );
        [
            provider_lines(&who, &provider, &window, clock),
            replica_rows(&replicas),
            open,
        ]
        .join("\n\n")
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_sdk::testing::{
        assert_contains,
        views::{provider_view, window_view},
    };
    use tos_storage_proofs::Commitment;
    use tos_types::{
        storage::{DealStatus, ReplicaStatus, StoredContent},
        TOS,
    };

    const CODED: Commitment = Commitment {
        root: [0; 32],
        words: 64,
    };
    const CLOCK: StorageClock = StorageClock {
        now: 100,
        window: 5,
        length: 20,
        billing: 2_160,
        milliseconds: 2_000,
    };

    fn deal() -> Deal {
        Deal {
            id: DealId([1; 16]),
            client: AccountId32::new([1; 32]),
            content: StoredContent {
                hash: [0; 32],
                length: 64,
                locator: b"http://h".to_vec().try_into().unwrap(),
            },
            coded: CODED,
            price: TOS,
            windows: 64_800,
            provider: None,
            escrow: TOS,
            paid: 0,
            collateral: TOS,
            status: DealStatus::Taken,
            replica: Some(ReplicaId([2; 16])),
        }
    }

    fn replica() -> Replica {
        Replica {
            id: ReplicaId([2; 16]),
            deal: DealId([1; 16]),
            provider: AccountId32::new([2; 32]),
            status: ReplicaStatus::Active,
            coded: CODED,
            sealed: None,
            position: None,
            collateral: TOS,
            streak: 30,
            earned: 24,
            misses: 0,
            first_window: Some(1),
            ends_at: Some(64_805),
            due: Some(130),
        }
    }

    #[test]
    fn windows_and_ticks_of_a_deal_are_told_with_the_time_they_take() {
        let rows = deal_rows(&[deal()], CLOCK);
        assert!(rows.contains("64800 (30 days)"), "{rows}");
        let text = details(Some(&deal()), Some(&replica()), CLOCK);
        for line in [
            "lasts      64800 windows, about 30 days",
            "period     2160 windows, about 24 h",
            "streak     30 windows, about 20 min",
            "paid for   24 windows, about 16 min",
            "ends       before window 64805, in about 30 days",
            "next step  in 30 storage ticks, about 60 s",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }

    #[test]
    fn a_provider_that_leaves_is_told_when_its_bond_is_free() {
        let mut provider = ProviderView {
            exiting: true,
            leave_at: Some(8),
            ..provider_view()
        };
        let window = window_view(5, 100);
        let who = AccountId32::new([1; 32]);
        let text = provider_lines(&who, &provider, &window, CLOCK);
        let parts = [
            "no; the bond is free from window 8, in about 2 min",
            "5 (open), one takes about 40 s",
        ];
        assert_contains(&text, &parts);
        provider.exiting = false;
        let text = provider_lines(&who, &provider, &window, CLOCK);
        assert!(text.contains("takes deals  yes"), "{text}");
    }

    #[test]
    fn sizes_are_readable() {
        let cases = [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_536, "1.5 KiB"),
            (1 << 34, "16.0 GiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text);
        }
    }
}
