// SPDX-License-Identifier: Apache-2.0

//! Form of measured weights: a line for each call or step.

use polkadot_sdk::*;

use frame_support::{traits::Get, weights::Weight};

/// Sum of what is measured once, and of what each count adds: `base + Σ slope · count`.
pub fn linear(base: u64, slopes: &[(u64, u32)]) -> u64 {
    slopes.iter().fold(base, |sum, (slope, count)| {
        sum.saturating_add(slope.saturating_mul((*count).into()))
    })
}

/// Weight of `time` picoseconds of computation, `proof` bytes, and accesses to the database at the
/// costs of the runtime `T`.
pub fn weight<T: frame_system::Config>(time: u64, proof: u64, reads: u64, writes: u64) -> Weight {
    Weight::from_parts(time, proof).saturating_add(T::DbWeight::get().reads_writes(reads, writes))
}

/// Defines `WeightInfo<T>`, the measured weights of a pallet in the runtime `T`.
///
/// The trait of the weights comes first. Then a line for each of its functions has picoseconds of
/// computation, bytes of proof, and reads and writes of the database. Each is a number and what the
/// counts that the function takes add to it, a slope and a name for each:
///
/// ```text
/// measured_weights! {
///     pallet_tasks::WeightInfo;
///     fn cancel() = time 191_506_000, proof 6_196, reads 10, writes 11;
///     fn settle(p: u32) = time 309_901_944 + 187_872_161 * p, proof 6_196, reads 17 + 9 * p, writes 10;
/// }
/// ```
#[macro_export]
macro_rules! measured_weights {
    (
        $weights:path;
        $(
            fn $name:ident($($count:ident: u32),*) =
                time $time:literal $(+ $time_slope:literal * $time_count:ident)*,
                proof $proof:literal $(+ $proof_slope:literal * $proof_count:ident)*,
                reads $reads:literal $(+ $reads_slope:literal * $reads_count:ident)*,
                writes $writes:literal $(+ $writes_slope:literal * $writes_count:ident)*;
        )*
    ) => {
        #[allow(unused_imports)]
        use polkadot_sdk::*;

        /// Measured weights, with the runtime's costs of database accesses.
        pub struct WeightInfo<T>(core::marker::PhantomData<T>);

        impl<T: frame_system::Config> $weights for WeightInfo<T> {
            $(
                fn $name($($count: u32),*) -> frame_support::weights::Weight {
                    $crate::measured::weight::<T>(
                        $crate::measured::linear($time, &[$(($time_slope, $time_count)),*]),
                        $crate::measured::linear($proof, &[$(($proof_slope, $proof_count)),*]),
                        $crate::measured::linear($reads, &[$(($reads_slope, $reads_count)),*]),
                        $crate::measured::linear($writes, &[$(($writes_slope, $writes_count)),*]),
                    )
                }
            )*
        }
    };
}

#[cfg(test)]
mod tests {
    use super::linear;

    #[test]
    fn every_count_adds_its_slope_and_the_sum_stays_in_range() {
        assert_eq!(linear(7, &[]), 7);
        assert_eq!(linear(7, &[(10, 3), (100, 2)]), 237);
        assert_eq!(linear(1, &[(u64::MAX, 1)]), u64::MAX);
        assert_eq!(linear(1, &[(u64::MAX, 0)]), 1);
    }
}
