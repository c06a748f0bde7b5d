// SPDX-License-Identifier: Apache-2.0

//! The values that governance can change without a new runtime, each within its bounds.
//!
//! A value out of bounds cannot even be decoded ([`tos_types::rules`]), so no origin, root
//! included, can bring one into the state. `docs/parameters.md` lists all of them, and says where the
//! protocol's other numbers are changed.

use crate::{
    constants::{
        currency::{MICRO_TOS, MILLI_TOS, TOS},
        fees::{ADJUSTMENT, LEAST_MULTIPLIER, TARGET_FULLNESS},
    },
    origins::EnsureParameters,
    AccountId, Balance, Runtime, RuntimeOrigin,
};
use polkadot_sdk::*;

use frame_support::{
    dynamic_params::{dynamic_pallet_params, dynamic_params},
    parameter_types,
    traits::{EitherOf, EnsureOrigin, EnsureOriginWithArg, Get},
};
use frame_system::EnsureRoot;
use pallet_transaction_payment::Multiplier;
use sp_runtime::{FixedPointNumber, Perbill, Perquintill};
use tos_types::{
    rules::{
        Amount, Checked, Count, CurrentRules, DifficultyTable, DifficultyTerms, JudgeStakes,
        JudgingRules, LevelTable, MemberRules, MinerStakes, PublishingRules, Share, SlashRules,
        TaskRules,
    },
    Difficulty, BP,
};
use tos_views::ParametersView;

/// The parameters, by what they are about.
#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
pub mod dynamic_params {
    use super::*;

    /// The rules of tasks that are published from now on. Tasks keep those they were published with.
    #[dynamic_pallet_params]
    #[codec(index = 0)]
    pub mod tasks {
        /// The amounts that a publisher and a challenger put down, and the time that counts as
        /// timely.
        #[codec(index = 0)]
        pub static Publishing: Checked<PublishingRules> = Checked::default();
        /// The price of each failure.
        #[codec(index = 1)]
        pub static Slashes: Checked<SlashRules> = Checked::default();
        /// The measures for answers and for those who judge them.
        #[codec(index = 2)]
        pub static Judging: Checked<JudgingRules> = Checked::default();
        /// The requirements of each difficulty on publishers and miners.
        #[codec(index = 3)]
        pub static Difficulties: Checked<DifficultyTable> = Checked::default();
    }

    /// The way in which fees follow the fullness of blocks.
    #[dynamic_pallet_params]
    #[codec(index = 1)]
    pub mod fees {
        /// Fullness of blocks at which fees stay as they are, in basis points: 10 to 90 %.
        #[codec(index = 0)]
        pub static TargetFullness: Share<1_000, 9_000> = Share::constant(TARGET_FULLNESS);
        /// The speed at which fees follow fullness, in millionths per block: 1 to 1,000. Of 75,
        /// full blocks for a day raise them about tenfold.
        #[codec(index = 1)]
        pub static Adjustment: Count<1, 1_000> = Count::constant(ADJUSTMENT);
        /// The least multiplier of fees, in thousandths: 0.001 to 1,000. Of 100, fees never fall
        /// below a tenth of their base, or growing again would take days.
        #[codec(index = 2)]
        pub static LeastMultiplier: Count<1, 1_000_000> = Count::constant(LEAST_MULTIPLIER);
    }

    /// The deposits for what lies in the state. An account gets back what it deposited.
    #[dynamic_pallet_params]
    #[codec(index = 2)]
    pub mod deposits {
        /// Deposit for an entry in the state, in wei: a millionth of a TOS to 100 TOS.
        #[codec(index = 0)]
        pub static Entry: Amount<{ MICRO_TOS }, { 100 * TOS }> = Amount::constant(100 * MILLI_TOS);
        /// Deposit for a byte in the state, in wei: a millionth of a TOS to 1 TOS.
        #[codec(index = 1)]
        pub static Byte: Amount<{ MICRO_TOS }, { TOS }> = Amount::constant(MILLI_TOS);
        /// Deposit for a referendum, before the larger one for its decision, in wei: 1 to 10,000 TOS.
        #[codec(index = 2)]
        pub static Referendum: Amount<{ TOS }, { 10_000 * TOS }> = Amount::constant(10 * TOS);
        /// Deposit for a motion of the technical committee, in wei: 1 to 10,000 TOS.
        #[codec(index = 3)]
        pub static Motion: Amount<{ TOS }, { 10_000 * TOS }> = Amount::constant(10 * TOS);
    }

    /// Public money. Only root changes these.
    #[dynamic_pallet_params]
    #[codec(index = 3)]
    pub mod treasury {
        /// Most that one spend may take, in wei: from 1 TOS on.
        #[codec(index = 0)]
        pub static MaxSpend: Amount<{ TOS }, { u128::MAX }> = Amount::constant(u128::MAX);
        /// The part of an era's emission that goes to validators and their nominators, in basis
        /// points: 10 to 90 %. The rest goes to the treasury.
        #[codec(index = 1)]
        pub static StakersShare: Share<1_000, 9_000> = Share::constant(5_000);
    }

    /// The requirements of registrations from now on, and the worth of a miner's standing.
    #[dynamic_pallet_params]
    #[codec(index = 4)]
    pub mod members {
        /// Stakes of miners' registrations.
        #[codec(index = 0)]
        pub static Miners: Checked<MinerStakes> = Checked::default();
        /// Stakes of judges' registrations.
        #[codec(index = 1)]
        pub static Judges: Checked<JudgeStakes> = Checked::default();
        /// The worth of certificates and levels, and the requirements of levels.
        #[codec(index = 2)]
        pub static Levels: Checked<LevelTable> = Checked::default();
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl Default for RuntimeParameters {
    /// The longest value there is.
    fn default() -> Self {
        use dynamic_params::tasks::{Difficulties, Parameters};
        Self::Tasks(Parameters::Difficulties(
            Difficulties,
            Some(Checked::default()),
        ))
    }
}

/// The origins that may set a parameter: root all of them, a referendum on the track for parameters
/// all but those about public money.
pub struct EnsureAdmin;

impl EnsureOriginWithArg<RuntimeOrigin, RuntimeParametersKey> for EnsureAdmin {
    type Success = ();

    fn try_origin(origin: RuntimeOrigin, key: &RuntimeParametersKey) -> Result<(), RuntimeOrigin> {
        match key {
            RuntimeParametersKey::Treasury(_) => {
                <EnsureRoot<AccountId> as EnsureOrigin<RuntimeOrigin>>::try_origin(origin)
            }
            RuntimeParametersKey::Tasks(_)
            | RuntimeParametersKey::Fees(_)
            | RuntimeParametersKey::Deposits(_)
            | RuntimeParametersKey::Members(_) => {
                EitherOf::<EnsureRoot<AccountId>, EnsureParameters>::try_origin(origin)
            }
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin(_: &RuntimeParametersKey) -> Result<RuntimeOrigin, ()> {
        Ok(RuntimeOrigin::root())
    }
}

impl pallet_parameters::Config for Runtime {
    type RuntimeEvent = crate::RuntimeEvent;
    type RuntimeParameters = RuntimeParameters;
    type AdminOrigin = EnsureAdmin;
    type WeightInfo = crate::weights::pallet_parameters::WeightInfo<Runtime>;
}

/// The rules that hold now.
pub struct Rules;

impl CurrentRules for Rules {
    fn rules() -> TaskRules {
        TaskRules {
            publishing: dynamic_params::tasks::Publishing::get().into_inner(),
            slashes: dynamic_params::tasks::Slashes::get().into_inner(),
            judging: dynamic_params::tasks::Judging::get().into_inner(),
        }
    }

    fn terms(difficulty: Difficulty) -> DifficultyTerms {
        dynamic_params::tasks::Difficulties::get().terms(difficulty)
    }
}

impl MemberRules for Rules {
    fn miner_stakes() -> MinerStakes {
        dynamic_params::members::Miners::get().into_inner()
    }

    fn judge_stakes() -> JudgeStakes {
        dynamic_params::members::Judges::get().into_inner()
    }

    fn levels() -> LevelTable {
        dynamic_params::members::Levels::get().into_inner()
    }
}

/// All parameters as they are now.
pub fn view() -> ParametersView {
    use dynamic_params::{deposits, fees, members, tasks, treasury};
    ParametersView {
        publishing: tasks::Publishing::get().into_inner(),
        slashes: tasks::Slashes::get().into_inner(),
        judging: tasks::Judging::get().into_inner(),
        difficulties: tasks::Difficulties::get().into_inner(),
        target_fullness: fees::TargetFullness::get().get(),
        fee_adjustment: fees::Adjustment::get().get(),
        least_fee_multiplier: fees::LeastMultiplier::get().get(),
        entry_deposit: deposits::Entry::get().get(),
        byte_deposit: deposits::Byte::get().get(),
        referendum_deposit: deposits::Referendum::get().get(),
        motion_deposit: deposits::Motion::get().get(),
        max_spend: treasury::MaxSpend::get().get(),
        stakers_share: treasury::StakersShare::get().get(),
        miner_stakes: members::Miners::get().into_inner(),
        judge_stakes: members::Judges::get().into_inner(),
        levels: members::Levels::get().into_inner(),
    }
}

parameter_types! {
    /// Fullness of blocks at which fees stay as they are.
    pub TargetFullness: Perquintill = Perquintill::from_rational(
        u64::from(dynamic_params::fees::TargetFullness::get().get()),
        u64::from(BP),
    );
    /// Speed at which fees follow fullness.
    pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(
        dynamic_params::fees::Adjustment::get().get(),
        1_000_000,
    );
    /// Least multiplier of fees.
    pub MinimumMultiplier: Multiplier = Multiplier::saturating_from_rational(
        dynamic_params::fees::LeastMultiplier::get().get(),
        1_000,
    );
    /// Deposit for a referendum.
    pub SubmissionDeposit: Balance = dynamic_params::deposits::Referendum::get().get();
    /// Deposit for a motion of the technical committee.
    pub MotionDeposit: Balance = dynamic_params::deposits::Motion::get().get();
    /// Most that one treasury spend may take.
    pub MaxSpend: Balance = dynamic_params::treasury::MaxSpend::get().get();
    /// The part of an era's emission that goes to validators and their nominators.
    pub StakersShare: Perbill = Perbill::from_rational(
        u32::from(dynamic_params::treasury::StakersShare::get().get()),
        u32::from(BP),
    );
}

/// The deposit of an account for `ITEMS` entries and `BYTES` bytes in the state.
pub struct Deposit<const ITEMS: u32, const BYTES: u32>;
impl<const ITEMS: u32, const BYTES: u32> Get<Balance> for Deposit<ITEMS, BYTES> {
    fn get() -> Balance {
        let of = |count: u32, each: Balance| Balance::from(count).saturating_mul(each);
        let entries = match ITEMS {
            0 => 0,
            items => of(items, dynamic_params::deposits::Entry::get().get()),
        };
        let bytes = match BYTES {
            0 => 0,
            bytes => of(bytes, dynamic_params::deposits::Byte::get().get()),
        };
        entries.saturating_add(bytes)
    }
}
