// SPDX-License-Identifier: Apache-2.0

//! Fractions of amounts.

use polkadot_sdk::sp_core::U256;
use tos_types::Balance;

/// `amount · part / whole`, rounded down; nothing when the whole is 0, at most `u128::MAX`.
pub(crate) fn fraction(amount: Balance, part: u128, whole: u128) -> Balance {
    // Two factors below 2^128: the product fits.
    let product = U256::from(amount).saturating_mul(U256::from(part));
    let share = product.checked_div(U256::from(whole)).unwrap_or_default();
    u128::try_from(share).unwrap_or(u128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_rounded_down_and_never_overflow() {
        assert_eq!(fraction(10, 2, 3), 6);
        assert_eq!(fraction(u128::MAX, u128::MAX, u128::MAX), u128::MAX);
        assert_eq!(fraction(u128::MAX, 2, 1), u128::MAX);
        assert_eq!([fraction(7, 1, 0), fraction(7, 0, 3)], [0, 0]);
    }
}
