// SPDX-License-Identifier: Apache-2.0

//! Kinds of proxies, and the call by which one acts.

use codec::{Decode, Encode};
use serde::Serialize;

/// The call that carries another.
pub(super) const PROXIED: (&str, &str) = ("Proxy", "proxy");
/// Kind of a proxy: what it may do for the account that appointed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, scale_info::TypeInfo, Serialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum ProxyKind {
    /// Everything, transfers and other proxies included.
    Any,
    /// Everything that neither moves funds to others nor hands control to others.
    NonTransfer,
    /// Votes, delegations of votes, referenda, the technical committee, preimages.
    Governance,
    /// Bonding, nominating, authoring and session keys.
    Staking,
    /// Rejecting announcements of other proxies.
    CancelProxy,
    /// Working as a miner, a judge or a storage provider, and claiming for the owner.
    Worker,
}
