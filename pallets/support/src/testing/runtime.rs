// SPDX-License-Identifier: Apache-2.0

//! The runtime of a mock.

/// Declares the runtime `Test` of a pallet's mock: System, Balances if the existential deposit is
/// given, and the pallet by its name there.
///
/// The items of the pallet's configuration follow, without those that all mocks share: `WeightInfo`;
/// and, of a pallet that `holds` funds, `RuntimeHoldReason`, `Currency`, `Clock` and
/// `GovernanceOrigin` as well.
///
/// ```text
/// test_runtime! {
///     Store: pallet_storage, existential_deposit: ED, holds;
///     type Treasury = Treasury;
/// }
/// ```
///
/// The caller's module imports `polkadot_sdk::*`.
#[macro_export]
macro_rules! test_runtime {
    ($name:ident: $pallet:ident; $($own:tt)*) => {
        ::polkadot_sdk::frame_support::construct_runtime!(
            pub enum Test {
                System: frame_system,
                $name: $pallet,
            }
        );

        $crate::test_runtime!(@system {});
        $crate::test_runtime!(@pallet $pallet { $($own)* });
    };
    ($name:ident: $pallet:ident, existential_deposit: $deposit:tt; $($own:tt)*) => {
        ::polkadot_sdk::frame_support::construct_runtime!(
            pub enum Test {
                System: frame_system,
                Balances: pallet_balances,
                $name: $pallet,
            }
        );

        $crate::test_runtime!(@balances $deposit {});
        $crate::test_runtime!(@pallet $pallet { $($own)* });
    };
    ($name:ident: $pallet:ident, existential_deposit: $deposit:tt, holds; $($own:tt)*) => {
        $crate::test_runtime! {
            $name: $pallet, existential_deposit: $deposit;
            type RuntimeHoldReason = RuntimeHoldReason;
            type Currency = Balances;
            type Clock = $crate::testing::TestClock;
            type GovernanceOrigin = frame_system::EnsureRoot<u64>;
            $($own)*
        }
    };
    // The configuration of the pallet.
    (@pallet $pallet:ident { $($own:tt)* }) => {
        impl $pallet::Config for Test {
            type WeightInfo = ();
            $($own)*
        }
    };
    // The configuration of System, with items of the caller.
    (@system { $($own:tt)* }) => {
        use ::polkadot_sdk::frame_support::derive_impl;

        #[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
        impl frame_system::Config for Test {
            type Block = frame_system::mocking::MockBlock<Test>;
            $($own)*
        }
    };
    // The configurations of System and Balances, with items of the caller for the latter.
    (@balances $deposit:tt { $($own:tt)* }) => {
        $crate::test_runtime!(@system {
            type AccountData = pallet_balances::AccountData<u128>;
        });

        #[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
        impl pallet_balances::Config for Test {
            type AccountStore = System;
            type Balance = u128;
            type ExistentialDeposit = ::polkadot_sdk::frame_support::traits::ConstU128<$deposit>;
            $($own)*
        }
    };
}
