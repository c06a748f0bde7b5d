// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Finality: the voter, and the time that validators wait for one another's votes.
//!
//! A round of GRANDPA has two votes. Validators give the first one two *gossip times* after the round began, and the second one four, unless
//! all have voted before. So four gossip times are the least time of a round, and what most transactions wait for once they are in a block.
//!
//! Too short a time costs no safety. Votes that are not there in time still count when they come: a round then lasts as long as its
//! messages take. But validators vote for the blocks they know, and a vote that is given before a new block has come to all leaves that
//! block to the next round; and more rounds are more messages.

use polkadot_sdk::*;
use std::{sync::Arc, time::Duration};

use clap::builder::RangedU64ValueParser;
use sc_consensus_grandpa::{LinkHalf, SharedVoterState};
use sc_network::{service::traits::NetworkService, NotificationService, ProtocolName};
use sc_network_sync::SyncingService;
use sc_service::{Error as ServiceError, Role, TaskManager};
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_keystore::KeystorePtr;
use substrate_prometheus_endpoint::Registry;
use tos_node_beacon::{Beacon, OnlyChecked};
use tos_node_common::{FullClient, FullSelectChain};
use tos_node_txpool::FullPool;
use tos_runtime::opaque::Block;

use crate::essential::Essential;

/// Blocks between two finality proofs that are kept for nodes that join later.
pub(crate) const JUSTIFICATION_PERIOD: u32 = 512;

/// Gossip times in a slot, unless the operator gives another time: a round is then two fifths of a slot.
const IN_A_SLOT: u32 = 10;
/// The shortest of itself: two thirds of what a message takes around the world in one direction. Rounds of a network on one continent then
/// wait for clocks as long as for messages.
const SHORTEST: Duration = Duration::from_millis(50);
/// The longest of itself, for slots of three seconds and more: the SDK's own figure, made for six.
const LONGEST: Duration = Duration::from_millis(333);

/// Options of finality.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct FinalityOptions {
    /// Milliseconds that a vote of GRANDPA has to cross the network: rounds last four times as long at least. Without it, a tenth of
    /// a slot, between 50 and 333. Validators of one network should all use the same.
    #[arg(long, value_name = "MS", value_parser = RangedU64ValueParser::<u64>::new().range(10..=10_000))]
    pub grandpa_gossip_ms: Option<u64>,
}

impl FinalityOptions {
    /// The gossip time on a chain with such slots.
    pub fn gossip_duration(&self, slot: Duration) -> Duration {
        match self.grandpa_gossip_ms {
            Some(wanted) => Duration::from_millis(wanted),
            None => (slot / IN_A_SLOT).clamp(SHORTEST, LONGEST),
        }
    }
}

/// GRANDPA's notification protocol before the voter runs.
pub(crate) struct GrandpaProtocol {
    pub name: ProtocolName,
    pub notifications: Box<dyn NotificationService>,
}

/// Parts of the node that the voter runs on.
pub(crate) struct VoterParams {
    pub beacon: Arc<Beacon>,
    pub gossip_duration: Duration,
    pub keystore: KeystorePtr,
    pub link: LinkHalf<Block, FullClient, FullSelectChain>,
    pub name: String,
    pub network: Arc<dyn NetworkService>,
    pub pool: Arc<FullPool>,
    pub protocol: GrandpaProtocol,
    pub registry: Option<Registry>,
    pub role: Role,
    pub sync: Arc<SyncingService<Block>>,
    pub telemetry: Option<TelemetryHandle>,
    pub voter_state: SharedVoterState,
}

/// Starts the voter, which on a node that is no validator follows the votes of others.
pub(crate) fn start_voter(tasks: &TaskManager, params: VoterParams) -> Result<(), ServiceError> {
    let VoterParams {
        beacon,
        gossip_duration,
        keystore,
        link,
        name,
        network,
        pool,
        protocol,
        registry,
        role,
        sync,
        telemetry,
        voter_state,
    } = params;
    let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
        config: sc_consensus_grandpa::Config {
            gossip_duration,
            justification_generation_period: JUSTIFICATION_PERIOD,
            observer_enabled: false,
            local_role: role,
            name: Some(name),
            // A node that does not vote follows the votes of others.
            keystore: role.is_authority().then_some(keystore),
            telemetry: telemetry.clone(),
            protocol_name: protocol.name,
        },
        link,
        network,
        sync,
        notification_service: protocol.notifications,
        // Votes go to the best block itself, not two blocks behind it as the SDK's default rule has them
        // (docs/decisions/013-votes-for-the-best-block.md); a long unfinalised chain is taken in parts.
        // Nothing is voted for whose slots this node has not checked
        // (docs/decisions/016-no-vote-on-unchecked-slots.md).
        voting_rule: sc_consensus_grandpa::VotingRulesBuilder::new()
            .add(OnlyChecked(beacon))
            .add(sc_consensus_grandpa::ThreeQuartersOfTheUnfinalizedChain)
            .build(),
        prometheus_registry: registry,
        shared_voter_state: voter_state,
        telemetry,
        offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(pool),
    })?;
    // A validator that silently stopped voting would be worse than one that stops.
    Essential::of(tasks).spawn_blocking("grandpa-voter", None, voter);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(wanted: Option<u64>, slot: u64) -> u128 {
        let options = FinalityOptions {
            grandpa_gossip_ms: wanted,
        };
        options
            .gossip_duration(Duration::from_millis(slot))
            .as_millis()
    }

    #[test]
    fn the_gossip_time_follows_the_slot_within_what_networks_can_do() {
        let followed =
            [200, 250, 500, 1_000, 2_000, 3_000, 6_000, 60_000].map(|slot| ms(None, slot));
        assert_eq!(followed, [50, 50, 50, 100, 200, 300, 333, 333]);
    }

    #[test]
    fn the_operators_word_stands() {
        assert_eq!(ms(Some(25), 2_000), 25);
        assert_eq!(ms(Some(1_000), 200), 1_000);
    }
}
