// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Types of the client and its database, as this node uses them.

use crate::host_functions::HostFunctions;
use polkadot_sdk::*;
use tos_runtime::{opaque::Block, RuntimeApi};

/// Executes the runtime.
pub type Executor = crate::executor::Executor<sc_executor::WasmExecutor<HostFunctions>>;
/// The database and everything that reads it.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, Executor>;
/// The database.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// The best chain is the longest one, among those that finality allows.
pub type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;

/// Runtimes that the node runs, and the runtime APIs by which it tells them apart (`ApiExt::api_version`).
#[cfg(test)]
mod tests {
    use super::*;
    use sp_api::RuntimeApiInfo;
    use sp_consensus_babe::BabeApi;
    use sp_version::RuntimeVersion;
    use std::borrow::Cow;
    use tos_runtime::{AccountId, VERSION};
    use tos_runtime_api::{BeaconApi, StorageApi, TosApi};

    type Tos = dyn TosApi<Block, AccountId>;
    type Beacon = dyn BeaconApi<Block>;
    type Storage = dyn StorageApi<Block, AccountId>;

    /// As the node asks by `ApiExt::api_version`.
    fn has<A: RuntimeApiInfo + ?Sized>(version: &RuntimeVersion) -> bool {
        version.api_version(&A::ID).is_some()
    }

    /// As `ApiExt::has_api` would answer.
    fn has_this_version<A: RuntimeApiInfo + ?Sized>(version: &RuntimeVersion) -> bool {
        version.has_api_with(&A::ID, |version| version == A::VERSION)
    }

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
        assert!(
            !has_this_version::<Beacon>(&newer),
            "so `has_api` is not asked"
        );
    }

    #[test]
    fn what_is_asked_is_the_runtime_and_not_its_name() {
        let mut renamed = VERSION;
        renamed.spec_name = Cow::Borrowed("tos-bare");
        assert!(has::<Beacon>(&renamed));
    }
}
