// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls. `()` estimates from database accesses, for tests; a runtime measures.

use frame_support::weights::Weight;
use polkadot_sdk::*;
use tos_pallet_support::estimate::weight;

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
    /// Declaring an owner after another one, with the most declarations of both.
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

impl WeightInfo for () {
    // Miners and its counter, Suspensions, tick, phase lengths, account, holds.
    fn register() -> Weight {
        weight(20, 6_000, 7, 4)
    }
    // Miners, account, holds.
    fn set_specialisations() -> Weight {
        weight(20, 6_000, 3, 3)
    }
    // Miners, Suspensions, tick, phase lengths.
    fn leave() -> Weight {
        weight(20, 6_000, 4, 1)
    }
    // Miners and its counter, Suspensions, tick, account, holds.
    fn withdraw() -> Weight {
        weight(20, 6_000, 6, 5)
    }
    // Miners.
    fn rejoin() -> Weight {
        weight(20, 6_000, 1, 1)
    }
    // Miners, tick, phase lengths.
    fn reactivate() -> Weight {
        weight(20, 6_000, 3, 1)
    }
    // Declarations of both, tick, phase lengths.
    fn set_owner() -> Weight {
        weight(20, 12_000, 4, 1)
    }
    // Declarations, tick, phase lengths.
    fn declare_relation() -> Weight {
        weight(20, 6_000, 3, 1)
    }
    // Declarations, tick, phase lengths.
    fn retract_relation() -> Weight {
        weight(20, 6_000, 3, 1)
    }
    // Tick, Certificates.
    fn certify() -> Weight {
        weight(20, 6_000, 1, 1)
    }
    // Certificates.
    fn revoke_certificate() -> Weight {
        weight(20, 6_000, 1, 1)
    }
    // Suspensions, tick, phase lengths.
    fn suspend() -> Weight {
        weight(20, 6_000, 3, 1)
    }
    // Suspensions, tick.
    fn lift_suspension() -> Weight {
        weight(20, 6_000, 2, 1)
    }
    // Miners twice, Suspensions, Certificates, Declarations of both and of their owners, tick,
    // Endorsements, Endorsing.
    fn endorse() -> Weight {
        weight(20, 6_000, 12, 2)
    }
    // Endorsements, Endorsing.
    fn retract_endorsement() -> Weight {
        weight(20, 6_000, 2, 2)
    }
    // Miners, reputation, Endorsements; of each endorser: Suspensions, Certificates, Miners.
    fn review_level() -> Weight {
        weight(20, 6_000, 54, 1)
    }
}
