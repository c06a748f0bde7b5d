// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Which of TOS's own runtime APIs a chain has.
//!
//! The node also runs chains that have none of them: the yardstick of load runs is one. On such a
//! chain there is no beacon, no task and no storage; the node asks here before it calls, once a block
//! or once a question. The answer comes from the version of the runtime, which the executor reads
//! once for each code and keeps.
//!
//! Nobody can pass a TOS block for one of another kind. What the runtime offers is written in its
//! code; the code that counts for a block is in the state of the block's parent, and the node has that
//! state from executing the chain, not from the block's author. Only an upgrade of the runtime, which
//! the chain itself decides, changes the answer. The *version* of an API is not looked at: a runtime
//! with a newer one is called all the same, and a call that then fails is an error, not a leave to
//! go without.

use polkadot_sdk::*;

use sp_api::{ApiError, CallApiAt, CallContext, RuntimeApiInfo};
use sp_version::RuntimeVersion;
use tos_runtime::{opaque::Block, Hash};

/// Whether questions about the block `at` can be asked of the API `A`.
pub fn answers<A: RuntimeApiInfo + ?Sized>(
    client: &impl CallApiAt<Block>,
    at: Hash,
) -> Result<bool, ApiError> {
    Ok(version_of::<A>(client, at)?.is_some())
}

/// The version of the API `A` at the block `at`; `None` without it.
pub fn version_of<A: RuntimeApiInfo + ?Sized>(
    client: &impl CallApiAt<Block>,
    at: Hash,
) -> Result<Option<u32>, ApiError> {
    let version = client.runtime_version_at(at, CallContext::Offchain)?;
    Ok(version.api_version(&A::ID))
}

/// Whether the code that executes a block on `parent` has the API `A`. Differs from [`answers`]
/// where the parent leaves a code behind that takes effect with the next block.
pub fn executes<A: RuntimeApiInfo + ?Sized>(
    client: &impl CallApiAt<Block>,
    parent: Hash,
) -> Result<bool, ApiError> {
    let version = client.runtime_version_at(parent, CallContext::Onchain { import: true })?;
    Ok(has::<A>(&version))
}

fn has<A: RuntimeApiInfo + ?Sized>(version: &RuntimeVersion) -> bool {
    version.api_version(&A::ID).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_consensus_babe::BabeApi;
    use std::borrow::Cow;
    use tos_runtime::{AccountId, VERSION};
    use tos_runtime_api::{BeaconApi, StorageApi, TosApi};

    type Tos = dyn TosApi<Block, AccountId>;
    type Beacon = dyn BeaconApi<Block>;
    type Storage = dyn StorageApi<Block, AccountId>;

    #[test]
    fn a_tos_runtime_has_a_beacon_tasks_and_storage() {
        assert!(has::<Tos>(&VERSION) && has::<Beacon>(&VERSION) && has::<Storage>(&VERSION));
    }

    #[test]
    fn the_yardstick_of_load_runs_has_consensus_and_nothing_of_tos() {
        let bare = tos_bare_runtime::VERSION;
        assert!(has::<dyn BabeApi<Block>>(&bare));
        assert!(!has::<Tos>(&bare) && !has::<Beacon>(&bare) && !has::<Storage>(&bare));
    }

    #[test]
    fn a_newer_version_of_the_beacon_is_no_way_around_the_check_of_its_slots() {
        let mut newer = VERSION;
        let mut apis = newer.apis.into_owned();
        let id = <Beacon as RuntimeApiInfo>::ID;
        let beacon = apis.iter_mut().find(|(api, _)| *api == id);
        beacon.expect("a TOS runtime has it").1 += 1;
        newer.apis = Cow::Owned(apis);
        assert!(has::<Beacon>(&newer));
    }

    #[test]
    fn what_is_asked_is_the_runtime_and_not_its_name() {
        let mut renamed = VERSION;
        renamed.spec_name = Cow::Borrowed("tos-bare");
        assert!(has::<Beacon>(&renamed));
    }
}
