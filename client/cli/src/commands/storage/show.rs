// SPDX-License-Identifier: Apache-2.0

//! Reading: what deals, replicas, providers and windows look like.

use super::{provide::unknown, Global};
use crate::output::{table, Output};
use tos_sdk::{
    amount,
    error::{Error, Result},
};

use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use serde_json::json;
use tos_types::{DealId, ReplicaId, Tick};
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

fn deal_rows(deals: &[Deal]) -> String {
    let row = |deal: &Deal| {
        vec![
            deal.id.to_string(),
            status(&deal.status),
            size(deal.content.length),
            amount::format(deal.price),
            deal.windows.to_string(),
            amount::format(deal.escrow),
            amount::format(deal.paid),
        ]
    };
    let rows: Vec<_> = deals.iter().map(row).collect();
    let headings = [
        "DEAL",
        "STATUS",
        "SIZE",
        "PER GIB AND PERIOD",
        "WINDOWS",
        "ESCROW",
        "PAID",
    ];
    table(&headings, &rows)
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
    let rows: Vec<_> = replicas.iter().map(row).collect();
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
    table(&headings, &rows)
}

fn provider_lines(who: &AccountId32, provider: &ProviderView, window: &WindowView) -> String {
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
            if provider.exiting { "no" } else { "yes" }.into(),
        ),
        (
            "window",
            format!("{} ({})", window.number, status(&window.stage)),
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
    output.show(&deals, || deal_rows(&deals));
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
    output.show(&deals, || deal_rows(&deals));
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
    let now = at.window().await?.now;
    let value = json!({"deal": deal, "replica": replica, "continuity": continuity});
    output.show(&value, || {
        let mut blocks = Vec::new();
        blocks.extend(
            deal.as_ref()
                .map(|deal| deal_rows(std::slice::from_ref(deal))),
        );
        blocks.extend(
            replica
                .as_ref()
                .map(|one| replica_rows(std::slice::from_ref(one))),
        );
        blocks.push(details(deal.as_ref(), replica.as_ref(), now));
        blocks.extend(continuity.map(|proven| {
            format!(
                "proven without a gap from window {} to {}",
                proven.from, proven.to
            )
        }));
        blocks.join("\n\n")
    });
    Ok(())
}

/// Parties of a deal, its end, and what is due.
fn details(deal: Option<&Deal>, replica: Option<&Replica>, now: Tick) -> String {
    let mut lines = Vec::new();
    if let Some(deal) = deal {
        lines.push(format!("client     {}", deal.client.to_ss58check()));
        if let (None, Some(provider)) = (replica, &deal.provider) {
            lines.push(format!("offered to {}", provider.to_ss58check()));
        }
    }
    if let Some(replica) = replica {
        lines.push(format!("provider   {}", replica.provider.to_ss58check()));
        if let Some(window) = replica.ends_at.filter(|_| !replica.status.is_over()) {
            lines.push(format!("ends       before window {window}"));
        }
        if let Some(due) = replica.due {
            let left = match due.checked_sub(now) {
                None | Some(0) => "now".into(),
                Some(ticks) => format!("in {ticks} storage ticks"),
            };
            lines.push(format!("next step  {left}"));
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
            provider_lines(&who, &provider, &window),
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
