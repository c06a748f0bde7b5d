// SPDX-License-Identifier: Apache-2.0

//! Bonded stake, the election of validators from it, and what they are paid.

use super::{
    governance::TreasuryAccount, BondingEras, MaxPayoutMs, SessionsPerEra, SlashDeferEras,
};
use crate::{
    constants::{consensus::MAX_VALIDATORS, currency::MAX_SUPPLY},
    AccountId, Balance, Balances, Emission, Runtime, RuntimeEvent, RuntimeHoldReason, Session,
    Staking, Timestamp, VoterList,
};
use polkadot_sdk::*;

use frame_election_provider_support::{
    bounds::{ElectionBounds, ElectionBoundsBuilder},
    onchain, SequentialPhragmen, VoteWeight,
};
use frame_support::{
    parameter_types,
    traits::{tokens::imbalance::ResolveTo, ConstBool, ConstU32, Nothing},
};
use frame_system::EnsureRoot;
use sp_runtime::Perbill;
use sp_staking::currency_to_vote::U128CurrencyToVote;

/// Most validators that one nominator can back.
const MAX_NOMINATIONS: u32 = 16;

/// Stakers whose votes an election counts, best-backed first.
///
/// The election runs inside one block, so its input must stay small: with these bounds it needs
/// well under the block's computing time even when every list is full.
const MAX_ELECTING_VOTERS: u32 = 1_000;

/// Candidates that an election considers.
const MAX_ELECTABLE_TARGETS: u32 = 300;

/// Eras whose rewards can still be paid out: 84 days of the six-hour eras of a real network, and longer
/// than the longest bonding time that a time configuration may ask for. What is not paid out by
/// then is lost to its stakers, since emission has charged it to the pool already; anyone may call
/// `payout_stakers`.
const HISTORY_ERAS: u32 = 336;

/// Number of bags in the voter list.
const BAGS: usize = 86;

/// Vote weights that separate the bags: from about one TOS upwards, each a quarter above the last.
const BAG_THRESHOLDS: [VoteWeight; BAGS] = bag_thresholds();

const fn bag_thresholds() -> [VoteWeight; BAGS] {
    // A vote weight is a balance divided by issuance / u64::MAX, about 10^7: one TOS is 10^11.
    let mut thresholds = [VoteWeight::MAX; BAGS];
    let mut threshold: VoteWeight = 100_000_000_000;
    let mut rest: &mut [VoteWeight] = &mut thresholds;
    // The last bag is open upwards.
    while let [first, tail @ ..] = rest {
        if tail.is_empty() {
            break;
        }
        *first = threshold;
        threshold = threshold.saturating_add(threshold / 4);
        rest = tail;
    }
    thresholds
}

parameter_types! {
    /// Bounds of what an election reads.
    pub ElectionInputBounds: ElectionBounds = ElectionBoundsBuilder::default()
        .voters_count(MAX_ELECTING_VOTERS.into())
        .targets_count(MAX_ELECTABLE_TARGETS.into())
        .build();
    /// The voter list's bags.
    pub const BagThresholds: &'static [VoteWeight] = &BAG_THRESHOLDS;
    /// The supply cap.
    pub const MaxSupply: Balance = MAX_SUPPLY;
}

/// The election of validators: sequential Phragmén over bounded input, on chain.
pub struct OnChainElection;
impl onchain::Config for OnChainElection {
    type System = Runtime;
    type Solver = SequentialPhragmen<AccountId, Perbill>;
    type DataProvider = Staking;
    type WeightInfo = frame_election_provider_support::weights::SubstrateWeight<Runtime>;
    type MaxWinnersPerPage = ConstU32<MAX_VALIDATORS>;
    // Every counted voter may back the same winner, so no backer is ever cut off.
    type MaxBackersPerWinner = ConstU32<MAX_ELECTING_VOTERS>;
    type Bounds = ElectionInputBounds;
    type Sort = ConstBool<true>;
}

/// Sizes for staking's benchmarks.
pub struct StakingBenchmarks;
impl pallet_staking::BenchmarkingConfig for StakingBenchmarks {
    type MaxValidators = ConstU32<MAX_ELECTABLE_TARGETS>;
    type MaxNominators = ConstU32<MAX_ELECTING_VOTERS>;
}

impl pallet_staking::Config for Runtime {
    type OldCurrency = Balances;
    type Currency = Balances;
    type CurrencyBalance = Balance;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeEvent = RuntimeEvent;
    type UnixTime = Timestamp;
    type CurrencyToVote = U128CurrencyToVote;
    type ElectionProvider = onchain::OnChainExecution<OnChainElection>;
    type GenesisElectionProvider = onchain::OnChainExecution<OnChainElection>;
    type NominationsQuota = pallet_staking::FixedNominationsQuota<MAX_NOMINATIONS>;
    type HistoryDepth = ConstU32<HISTORY_ERAS>;
    type RewardRemainder = ResolveTo<TreasuryAccount, Balances>;
    type Slash = ResolveTo<TreasuryAccount, Balances>;
    // Rewards are minted; the emission pool has already been charged for them.
    type Reward = ();
    type SessionsPerEra = SessionsPerEra;
    type BondingDuration = BondingEras;
    type SlashDeferDuration = SlashDeferEras;
    type AdminOrigin = EnsureRoot<AccountId>;
    type SessionInterface = Self;
    type EraPayout = Emission;
    type NextNewSession = Session;
    type MaxExposurePageSize = ConstU32<64>;
    type MaxValidatorSet = ConstU32<MAX_VALIDATORS>;
    type VoterList = VoterList;
    type TargetList = pallet_staking::UseValidatorsMap<Self>;
    type MaxUnlockingChunks = ConstU32<32>;
    type MaxControllersInDeprecationBatch = ConstU32<1>;
    type EventListeners = ();
    type Filter = Nothing;
    type BenchmarkingConfig = StakingBenchmarks;
    // Its benchmarks bond less than the existential deposit and cannot run here.
    type WeightInfo = pallet_staking::weights::SubstrateWeight<Runtime>;
}

impl pallet_bags_list::Config<pallet_bags_list::Instance1> for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ScoreProvider = Staking;
    type BagThresholds = BagThresholds;
    type MaxAutoRebagPerBlock = ConstU32<5>;
    type Score = VoteWeight;
    type WeightInfo = crate::weights::pallet_bags_list::WeightInfo<Runtime>;
}

impl crate::emission::Config for Runtime {
    type Currency = Balances;
    type MaxSupply = MaxSupply;
    type MaxPayoutMs = MaxPayoutMs;
    type StakersShare = crate::parameters::StakersShare;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bags_rise_strictly_and_end_open() {
        assert!(BAG_THRESHOLDS.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(BAG_THRESHOLDS.last(), Some(&VoteWeight::MAX));
    }

    #[test]
    fn history_outlives_bonding() {
        use frame_support::traits::Get;
        let depth = <<Runtime as pallet_staking::Config>::HistoryDepth as Get<u32>>::get();
        assert!(depth > crate::time_config::MAX_BONDING_ERAS);
    }

    #[test]
    fn rewards_of_a_real_network_can_be_paid_out_for_84_days() {
        use frame_support::traits::Get;
        let depth = <<Runtime as pallet_staking::Config>::HistoryDepth as Get<u32>>::get();
        let kept = u64::from(depth) * crate::time_config::TimeConfig::PRODUCTION.era_ms();
        assert!(kept >= 84 * 24 * 60 * 60 * 1_000, "{kept} ms");
    }
}
