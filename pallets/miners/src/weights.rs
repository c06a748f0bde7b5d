// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls. `()` estimates from database accesses, for tests; a runtime measures.

use frame_support::weights::{constants::RocksDbWeight, Weight};
use polkadot_sdk::*;

/// Weights of this pallet's calls.
pub trait WeightInfo {
    /// Registering with the most specialisations.
    fn register() -> Weight;
    /// Replacing the specialisations, with a higher stake.
    fn set_specialisations() -> Weight;
    /// Starting to leave.
    fn leave() -> Weight;
    /// Taking the stake back.
    fn withdraw() -> Weight;
    /// Cancelling the leaving.
    fn rejoin() -> Weight;
    /// Ending dormancy.
    fn reactivate() -> Weight;
    /// Declaring an owner.
    fn set_owner() -> Weight;
    /// Declaring the last relation that fits.
    fn declare_relation() -> Weight;
    /// Retracting one of the most relations.
    fn retract_relation() -> Weight;
    /// Certifying an account.
    fn certify() -> Weight;
    /// Revoking a certificate.
    fn revoke_certificate() -> Weight;
    /// Suspending an account.
    fn suspend() -> Weight;
    /// Ending a suspension early.
    fn lift_suspension() -> Weight;
    /// Giving the last endorsement that fits.
    fn endorse() -> Weight;
    /// Taking back one of the most endorsements.
    fn retract_endorsement() -> Weight;
    /// Beginning a probation, with the most endorsements by miners.
    fn review_level() -> Weight;
}

/// A call's own work, and its accesses to the database.
fn estimate(reads: u64, writes: u64) -> Weight {
    Weight::from_parts(20_000_000, 6_000)
        .saturating_add(RocksDbWeight::get().reads_writes(reads, writes))
}

impl WeightInfo for () {
    // Miners and its counter, Suspensions, tick, phase lengths, account, holds.
    fn register() -> Weight {
        estimate(7, 4)
    }
    // Miners, account, holds.
    fn set_specialisations() -> Weight {
        estimate(3, 3)
    }
    // Miners, Suspensions, tick, phase lengths.
    fn leave() -> Weight {
        estimate(4, 1)
    }
    // Miners and its counter, Suspensions, tick, account, holds.
    fn withdraw() -> Weight {
        estimate(6, 5)
    }
    // Miners.
    fn rejoin() -> Weight {
        estimate(1, 1)
    }
    // Miners, tick, phase lengths.
    fn reactivate() -> Weight {
        estimate(3, 1)
    }
    // Owners twice.
    fn set_owner() -> Weight {
        estimate(2, 1)
    }
    // Relations.
    fn declare_relation() -> Weight {
        estimate(1, 1)
    }
    // Relations.
    fn retract_relation() -> Weight {
        estimate(1, 1)
    }
    // Tick, Certificates.
    fn certify() -> Weight {
        estimate(1, 1)
    }
    // Certificates.
    fn revoke_certificate() -> Weight {
        estimate(1, 1)
    }
    // Suspensions, tick, phase lengths.
    fn suspend() -> Weight {
        estimate(3, 1)
    }
    // Suspensions, tick.
    fn lift_suspension() -> Weight {
        estimate(2, 1)
    }
    // Miners twice, Suspensions, Certificates, Owners and Relations of both, Endorsements,
    // Endorsing.
    fn endorse() -> Weight {
        estimate(12, 2)
    }
    // Endorsements, Endorsing.
    fn retract_endorsement() -> Weight {
        estimate(2, 2)
    }
    // Miners, reputation, Endorsements; of each endorser: Suspensions, Certificates, Miners.
    fn review_level() -> Weight {
        estimate(54, 1)
    }
}
